/* SPDX-License-Identifier: MIT */
/* Words of other languages in periods and for missing values. */
#include "model/words.h"

#include "base/file.h"
#include "base/strbuf.h"
#include "model/fold.h"
#include "model/table.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_WORDS 4096
#define MAX_TOKENS 6

static bool in_list(const char *list, struct slice word)
{
	struct slice rest = slice_of(list);

	while (rest.n) {
		const struct slice item = slice_cut(&rest, ' ');

		if (item.n && slice_eq(item, word))
			return true;
	}
	return false;
}

static bool meaning_of(struct slice s, struct word *ret)
{
	int64_t n = 0;

	*ret = (struct word){.meaning = s.n == 1 ? s.p[0] : '0'};
	if (slice_is(s, "missing") || (s.n == 1 && strchr("ASQM-", s.p[0])))
		return true;
	if (s.n == 1 && s.p[0] >= '1' && s.p[0] <= '9') {
		*ret = (struct word){.meaning = '#', .number = (uint8_t)(s.p[0] - '0')};
		return true;
	}
	if (s.n != 3 || s.p[0] != 'M' || !slice_int((struct slice){s.p + 1, 2}, 1, 12, &n))
		return false;
	*ret = (struct word){.meaning = 'm', .number = (uint8_t)n};
	return true;
}

/* ---- the scheduler's side ---- */

struct loading {
	const char *languages;
	struct words words;
	size_t cap;
	struct strbuf text, folded;
	struct arena *a;
};

static const struct word *find(const struct words *w, struct slice text, bool missing)
{
	for (size_t i = 0; i < w->n; i++)
		if ((w->v[i].meaning == '0') == missing && slice_eq(w->v[i].text, text))
			return &w->v[i];
	return NULL;
}

static glane_rc take_line(void *arg, const struct slice *cells, struct diag *d)
{
	struct loading *l = arg;
	const struct word *old;
	struct word w;

	if (!cells[0].n || !cells[1].n || cells[1].n > 64 || memchr(cells[1].p, '\t', cells[1].n))
		return fail(d, GLANE_E_CONFIG, "language,word,meaning is needed, a word of at most 64 bytes");
	if (!meaning_of(cells[2], &w))
		return fail(d, GLANE_E_CONFIG, "'%.*s' is none of M01..M12, A, S, Q, M, 1..9, - and missing",
			SLICE_FMT(cells[2]));
	if (!in_list(l->languages, cells[0]))
		return GLANE_OK;
	strbuf_reset(&l->folded);
	if (w.meaning == '0')
		strbuf_slice(&l->folded, cells[1]);
	else
		name_fold(&l->folded, cells[1]);
	old = find(&l->words, strbuf_get(&l->folded), w.meaning == '0');
	if (old && (old->meaning != w.meaning || old->number != w.number))
		return fail(d, GLANE_E_CONFIG, "'%.*s' means something else already in `words = %s`",
			SLICE_FMT(cells[1]), l->languages);
	if (old)
		return GLANE_OK;
	if (l->words.n == MAX_WORDS || !strbuf_ok(&l->folded) ||
		!mem_grow(&l->words.v, &l->cap, l->words.n + 1, sizeof(*l->words.v)) ||
		!arena_dup(l->a, strbuf_get(&l->folded), &w.text))
		return fail(d, GLANE_E_NOMEM, "no memory for the words");
	l->words.v[l->words.n++] = w;
	strbuf_slice(&l->text, cells[2]);
	strbuf_putc(&l->text, '\t');
	strbuf_slice(&l->text, w.text);
	strbuf_putc(&l->text, '\n');
	return GLANE_OK;
}

/* Every language of the list has to have a line: a list of one language at a time says which has none. */
static glane_rc load(struct loading *l, int dir, const char *tables, struct diag *d)
{
	static const struct table table = {"words.csv", "language,word,meaning", 3, 3};
	struct slice ignored;

	return table_read(l->a, dir, tables, &table, take_line, l, &ignored, d);
}

static glane_rc check_languages(struct loading *l, int dir, const char *tables, const char *list, struct diag *d)
{
	struct slice rest = slice_of(list);
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK && rest.n) {
		const struct slice item = slice_cut(&rest, ' ');

		if (!item.n)
			continue;
		l->languages = arena_strndup(l->a, item.p, item.n);
		l->words.n = 0;
		strbuf_reset(&l->text);
		rc = l->languages ? load(l, dir, tables, d) : fail(d, GLANE_E_NOMEM, "no memory for the words");
		if (rc == GLANE_OK && l->words.n == 0)
			rc = fail(d, GLANE_E_CONFIG, "words = %s: %s/words.csv has no language '%.*s'", list, tables,
				SLICE_FMT(item));
	}
	l->words.n = 0;
	strbuf_reset(&l->text);
	l->languages = list;
	return rc;
}

glane_rc words_load(struct arena *a, const char *tables, const char *languages, const char **ret_text, struct diag *d)
{
	struct loading l = {.a = a};
	const int dir = dir_open(AT_FDCWD, tables, false, d);
	glane_rc rc;

	if (dir < 0)
		return d->code;
	strbuf_init(&l.text, (size_t)512 << 10);
	strbuf_init(&l.folded, 1024);
	rc = check_languages(&l, dir, tables, languages, d);
	if (rc == GLANE_OK)
		rc = load(&l, dir, tables, d);
	if (rc == GLANE_OK) {
		*ret_text = strbuf_ok(&l.text) ? arena_strndup(a, l.text.n ? l.text.p : "", l.text.n) : NULL;
		if (!*ret_text)
			rc = fail(d, GLANE_E_NOMEM, "no memory for the words");
	}
	mem_free(l.words.v);
	strbuf_release(&l.text);
	strbuf_release(&l.folded);
	close(dir);
	return rc;
}

/* ---- the worker's side ---- */

glane_rc words_of(struct arena *a, const char *text, struct words *ret, struct diag *d)
{
	struct slice rest = slice_of(text ? text : "");
	size_t n = 0;

	*ret = (struct words){NULL, 0};
	for (size_t i = 0; i < rest.n; i++)
		n += rest.p[i] == '\n';
	if (n > MAX_WORDS)
		return fail(d, GLANE_E_FORMAT, "more than %d words", MAX_WORDS);
	ret->v = arena_alloc(a, (n + 1) * sizeof(*ret->v));
	if (!ret->v)
		return fail(d, GLANE_E_NOMEM, "no memory for the words");
	while (rest.n) {
		struct slice line = slice_cut(&rest, '\n');
		const struct slice meaning = slice_cut(&line, '\t');

		if (ret->n == n || !meaning_of(meaning, &ret->v[ret->n]))
			return fail(d, GLANE_E_FORMAT, "the words of a job do not read");
		ret->v[ret->n++].text = line;
	}
	return GLANE_OK;
}

enum kind { DIGITS, LETTERS, OTHER };

static enum kind kind_of(struct slice t)
{
	const unsigned char c = (unsigned char)t.p[0];

	if (c >= '0' && c <= '9')
		return DIGITS;
	if (slice_has_prefix(t, "\xC2\xA0") || slice_has_prefix(t, "\xE2\x80\xAF")) /* blanks that do not break */
		return OTHER;
	return c >= 0x80 || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ? LETTERS : OTHER;
}

/* The next run of letters or digits. */
static struct slice next_token(struct slice *t, enum kind *ret_kind)
{
	struct slice token;

	while (t->n && kind_of(*t) == OTHER) {
		const size_t n = (unsigned char)t->p[0] < 0x80 ? 1 : (unsigned char)t->p[0] == 0xC2 ? 2 : 3;

		*t = (struct slice){t->p + n, t->n - n};
	}
	token = (struct slice){t->p, 0};
	*ret_kind = t->n ? kind_of(*t) : OTHER;
	while (t->n && kind_of(*t) == *ret_kind) {
		*t = (struct slice){t->p + 1, t->n - 1};
		token.n++;
	}
	return token;
}

struct parts {
	int64_t year, month, number;
	char unit;
};

static bool take_number(struct slice token, struct parts *p)
{
	int64_t *to = token.n == 4 ? &p->year : &p->number;

	return (token.n == 4 || token.n <= 2) && !*to && slice_int(token, 1, 9999, to);
}

static bool take_word(const struct words *w, struct slice token, struct parts *p)
{
	struct strbuf folded;
	const struct word *found;

	if (token.n > 64)
		return false;
	strbuf_init(&folded, 256);
	name_fold(&folded, token);
	found = strbuf_ok(&folded) ? find(w, strbuf_get(&folded), false) : NULL;
	strbuf_release(&folded);
	if (!found || (found->meaning == 'm' && (p->month || p->unit)) || (found->meaning == '#' && p->number) ||
		(found->meaning >= 'A' && found->meaning <= 'Z' && (p->unit || p->month)))
		return false;
	if (found->meaning == 'm')
		p->month = found->number;
	else if (found->meaning == '#')
		p->number = found->number;
	else if (found->meaning != '-')
		p->unit = found->meaning;
	return true;
}

bool words_period(const struct words *w, struct slice text, char out[WORDS_PERIOD], struct slice *ret)
{
	struct parts p = {0};
	int n = 0;

	if (!w->n || text.n > 64)
		return false;
	for (int i = 0; text.n; i++) {
		enum kind kind;
		const struct slice token = next_token(&text, &kind);

		if (kind == OTHER)
			break;
		if (i == MAX_TOKENS || !(kind == DIGITS ? take_number(token, &p) : take_word(w, token, &p)))
			return false;
	}
	if (!p.year || (!p.month && !p.unit))
		return false;
	if (p.month && p.number)
		n = snprintf(out, WORDS_PERIOD, "%04d-%02d-%02d", (int)p.year, (int)p.month, (int)p.number);
	else if (p.month)
		n = snprintf(out, WORDS_PERIOD, "%04d-%02d", (int)p.year, (int)p.month);
	else if (p.unit == 'A' && !p.number)
		n = snprintf(out, WORDS_PERIOD, "%04d", (int)p.year);
	else if (p.unit == 'M' && p.number)
		n = snprintf(out, WORDS_PERIOD, "%04d-%02d", (int)p.year, (int)p.number);
	else if (p.unit != 'A' && p.number && p.number < 10)
		n = snprintf(out, WORDS_PERIOD, "%04d-%c%d", (int)p.year, p.unit, (int)p.number);
	*ret = (struct slice){out, n > 0 ? (size_t)n : 0};
	return n > 0 && n < WORDS_PERIOD;
}

bool words_missing(const struct words *w, struct slice text)
{
	return w->n && find(w, slice_trim(text), true) != NULL;
}
