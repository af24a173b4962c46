/* SPDX-License-Identifier: MIT */
/* The keywords of a PC-Axis file: KEYWORD[language]("variable","value")="text","text"; */
#include "model/period.h"
#include "read/px.h"
#include "read/record.h"
#include "read/source.h"

#include <ctype.h>
#include <strings.h>

#define KEYWORD_MAX ((size_t)8192) /* bytes in front of '=' */

struct statement {
	struct slice name, language, sub[2]; /* as they stand, without quotes */
	size_t n_sub;
	struct slice value;
};
struct head {
	struct px_table *t;
	struct payload *p;
	struct diag *d;
	const char *at;
	bool is_utf8, is_ansi, is_latin9; /* CODEPAGE, CHARSET */
	struct slice encoding;            /* their word */
	struct strbuf decoded;
	struct px_texts stub, heading;
	struct slice contents, last_keyword;
	bool has_keys;
};

static glane_rc no_memory(struct head *h)
{
	return fail(
		h->d, GLANE_E_NOMEM, "no memory for the keywords of a PC-Axis file (at most %zu MiB)", PX_HEAD >> 20);
}

static uint64_t offset_of(const struct head *h)
{
	return h->p->pos + (uint64_t)(h->at - h->p->p);
}

static glane_rc bad(struct head *h, struct slice keyword, const char *what)
{
	return fail(h->d, GLANE_E_FORMAT, "PC-Axis, %.*s at byte %llu: %s", SLICE_FMT(keyword),
		(unsigned long long)offset_of(h), what);
}

/* ---- statements ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Makes the window longer; what begins at h->at stays. GLANE_END: there is no more. */
static glane_rc more(struct head *h)
{
	const size_t keep = (size_t)(h->p->p + h->p->n - h->at);
	glane_rc rc;

	if (h->p->last)
		return GLANE_END;
	rc = payload_more(h->p, keep);
	h->at = h->p->p;
	return rc;
}

static glane_rc pass_blanks(struct head *h)
{
	for (;;) {
		const char *end = h->p->p + h->p->n;
		glane_rc rc;

		while (h->at < end && is_blank(*h->at))
			h->at++;
		if (h->at < end)
			return GLANE_OK;
		rc = more(h);
		if (rc != GLANE_OK)
			return rc;
	}
}

#define SHOWN 40u /* bytes */

/* There is no '=' where a keyword should be: a document of another kind is told from a cut one. */
static glane_rc no_keyword(struct head *h)
{
	struct strbuf shown;
	size_t n;
	glane_rc rc = GLANE_OK;

	if (h->last_keyword.n)
		return fail(h->d, GLANE_E_FORMAT,
			"PC-Axis, byte %llu: the file ends or goes wrong before DATA (behind %.*s): was it cut?",
			(unsigned long long)offset_of(h), SLICE_FMT(h->last_keyword));
	while (rc == GLANE_OK && (size_t)(h->p->p + h->p->n - h->at) < SHOWN)
		rc = more(h);
	if (rc < 0)
		return rc;
	n = (size_t)(h->p->p + h->p->n - h->at);
	strbuf_init(&shown, 0);
	strbuf_visible(&shown, (struct slice){h->at, n < SHOWN ? n : SHOWN});
	rc = fail(h->d, GLANE_E_FORMAT, "the document is no PC-Axis file: it begins with '%.*s'",
		SLICE_FMT(strbuf_get(&shown)));
	strbuf_release(&shown);
	return rc;
}

static bool keyword_could_begin(const struct head *h)
{
	return isascii((unsigned char)*h->at) && isalpha((unsigned char)*h->at);
}

/* The keyword with all that stands in front of '=' ([0, *ret_eq)), and with its values up to ';' ([0, *ret_n)); DATA has none. */
static glane_rc find_statement(struct head *h, size_t *ret_eq, size_t *ret_n)
{
	bool is_quoted = false;
	size_t eq = SIZE_MAX, i = 0;

	if (!keyword_could_begin(h))
		return no_keyword(h);
	for (;; i++) {
		glane_rc rc = GLANE_OK;

		if (i == (size_t)(h->p->p + h->p->n - h->at))
			rc = more(h);
		if (rc == GLANE_END || (eq == SIZE_MAX && i == KEYWORD_MAX))
			return no_keyword(h);
		if (rc != GLANE_OK)
			return rc;
		if (i == PX_STATEMENT)
			return fail(h->d, GLANE_E_LIMIT,
				"PC-Axis, byte %llu: a keyword with more than %zu bytes of values",
				(unsigned long long)offset_of(h), PX_STATEMENT);
		if (h->at[i] == '"')
			is_quoted = !is_quoted;
		if (is_quoted || (h->at[i] != '=' && h->at[i] != ';'))
			continue;
		if (h->at[i] == ';' && eq == SIZE_MAX)
			return no_keyword(h);
		if (h->at[i] == ';') {
			*ret_eq = eq, *ret_n = i;
			return GLANE_OK;
		}
		if (eq != SIZE_MAX) /* "=" in a text without quotes */
			continue;
		eq = i;
		if (slice_is(slice_trim((struct slice){h->at, eq}), "DATA")) {
			*ret_eq = eq, *ret_n = eq;
			return GLANE_OK;
		}
	}
}

/* As UTF-8; what is UTF-8 already stays, for a payload may have been converted before. */
static glane_rc decode(struct head *h, struct slice raw, struct slice *ret)
{
	*ret = raw;
	if (slice_is_utf8(raw))
		return GLANE_OK;
	if (h->is_utf8)
		return bad(h, h->last_keyword, "what follows is not UTF-8, as CODEPAGE says; was the file converted?");
	if (!h->is_ansi && !h->is_latin9)
		return fail(h->d, GLANE_E_FORMAT,
			"PC-Axis, %.*s at byte %llu: what follows is not UTF-8, and CODEPAGE or CHARSET is '%.*s': "
			"UTF-8, "
			"ISO-8859-1, ISO-8859-15 and windows-1252 are read; ask for the table as JSON-stat, or in "
			"UTF-8",
			SLICE_FMT(h->last_keyword), (unsigned long long)offset_of(h), SLICE_FMT(h->encoding));
	strbuf_reset(&h->decoded);
	if (!charset_ansi(&h->decoded, raw, h->is_latin9))
		return bad(h, h->last_keyword, "what follows is not windows-1252, which CHARSET=\"ANSI\" means");
	if (!strbuf_ok(&h->decoded))
		return no_memory(h);
	*ret = strbuf_get(&h->decoded);
	return GLANE_OK;
}

/* ---- texts ---- */

static glane_rc judge(struct head *h, glane_rc rc, struct slice keyword, const char *what)
{
	return rc == GLANE_E_NOMEM ? no_memory(h) : rc == GLANE_OK ? GLANE_OK : bad(h, keyword, what);
}

static glane_rc read_list(struct head *h, struct slice list, struct px_texts *ret)
{
	return judge(h, px_list(ret, &h->t->arena, list), h->last_keyword, "what follows has a quote without its end");
}

static glane_rc read_one(struct head *h, struct slice list, struct slice *ret)
{
	struct px_texts all = {.v = NULL};
	glane_rc rc = read_list(h, list, &all);

	*ret = all.n ? all.v[0] : (struct slice){NULL, 0};
	return rc;
}

/* KEYWORD[language]("variable","value") */
static glane_rc read_key(struct head *h, struct slice key, struct statement *s)
{
	struct slice left = slice_trim(key);
	size_t n = 0;

	while (n < left.n && (isalnum((unsigned char)left.p[n]) || left.p[n] == '-' || left.p[n] == '_'))
		n++;
	s->name = (struct slice){left.p, n};
	left = slice_trim((struct slice){left.p + n, left.n - n});
	if (left.n && *left.p == '[') {
		left.p++, left.n--;
		s->language = slice_cut(&left, ']');
		left = slice_trim(left);
	}
	if (left.n && *left.p == '(' && left.p[left.n - 1] == ')') {
		struct px_texts sub = {.v = NULL};
		glane_rc rc = read_list(h, (struct slice){left.p + 1, left.n - 2}, &sub);

		s->n_sub = sub.n < 2 ? sub.n : 2;
		for (size_t i = 0; i < s->n_sub; i++)
			s->sub[i] = sub.v[i];
		return rc;
	}
	return left.n ? bad(h, s->name, "what stands in front of '=' is no KEYWORD[language](\"variable\")") : GLANE_OK;
}

/* ---- what the keywords say ---- */

static struct px_variable *variable(struct head *h, struct slice name)
{
	struct px_table *t = h->t;

	for (size_t i = 0; i < t->n_var; i++)
		if (slice_eq(t->var[i].name, name))
			return &t->var[i];
	if (t->n_var == PX_VARIABLES)
		return NULL;
	t->var[t->n_var] = (struct px_variable){.name = name, .role = GLANE_ROLE_DIMENSION};
	return &t->var[t->n_var++];
}

static glane_rc take_variable(struct head *h, const struct statement *s)
{
	struct px_variable *v = variable(h, s->sub[0]);
	struct slice type = {NULL, 0};
	glane_rc rc;

	if (!v)
		return fail(h->d, GLANE_E_LIMIT, "PC-Axis: more than %d variables", PX_VARIABLES);
	if (slice_is(s->name, "VALUES"))
		return v->label.n ? bad(h, s->name, "a second time for the same variable")
				  : read_list(h, s->value, &v->label);
	if (slice_is(s->name, "CODES"))
		return v->code.n ? bad(h, s->name, "a second time for the same variable")
				 : read_list(h, s->value, &v->code);
	if (slice_is(s->name, "TIMEVAL")) {
		v->role = GLANE_ROLE_TIME;
		rc = v->period.n ? GLANE_OK : px_timeval(&v->period, &h->t->arena, s->value);
		if (rc == GLANE_E_LIMIT)
			return fail(h->d, rc, "PC-Axis: TIMEVAL with more than %u periods", PX_PERIODS);
		return judge(h, rc, s->name, "no TLIST(scale),\"first\",... and no TLIST(scale,\"first\"-\"last\")");
	}
	rc = read_one(h, s->value, &type);
	if (rc == GLANE_OK && v->role == GLANE_ROLE_DIMENSION &&
		(slice_is(s->name, "MAP") || (type.n && (*type.p == 'G' || *type.p == 'g'))))
		v->role = GLANE_ROLE_AREA;
	return rc;
}

static glane_rc take_unit(struct head *h, const struct statement *s)
{
	struct px_table *t = h->t;
	struct px_unit one = {s->sub[s->n_sub ? s->n_sub - 1 : 0], {NULL, 0}};
	glane_rc rc = read_one(h, s->value, &one.unit);

	if (rc != GLANE_OK)
		return rc;
	if (s->n_sub == 0) {
		t->units = one.unit;
		return GLANE_OK;
	}
	if (!mem_grow(&t->unit, &t->cap_unit, t->n_unit + 1, sizeof(*t->unit)))
		return no_memory(h);
	t->unit[t->n_unit++] = one;
	return GLANE_OK;
}

static bool is_word(struct slice s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static glane_rc take_encoding(struct head *h, const struct statement *s)
{
	static const char *const ansi[] = {"ANSI", "ISO-8859-1", "LATIN1", "WINDOWS-1252", "CP1252", "1252"};
	static const char *const latin9[] = {"ISO-8859-15", "LATIN9", "LATIN-9"};
	struct slice name = {NULL, 0};
	glane_rc rc = read_one(h, s->value, &name);

	if (rc != GLANE_OK)
		return rc;
	if (slice_is(s->name, "CODEPAGE"))
		h->is_ansi = h->is_latin9 = false;
	h->encoding = name;
	for (size_t i = 0; i < sizeof(ansi) / sizeof(ansi[0]); i++)
		h->is_ansi |= is_word(name, ansi[i]);
	for (size_t i = 0; i < sizeof(latin9) / sizeof(latin9[0]); i++)
		h->is_latin9 |= is_word(name, latin9[i]);
	h->is_utf8 = is_word(name, "UTF-8");
	return GLANE_OK;
}

static glane_rc take(struct head *h, const struct statement *s)
{
	static const char *const of_variables[] = {"VALUES", "CODES", "TIMEVAL", "VARIABLE-TYPE", "MAP"};
	struct px_table *t = h->t;
	struct slice *const text = slice_is(s->name, "MATRIX")         ? &t->matrix
				   : slice_is(s->name, "TITLE")        ? &t->title
				   : slice_is(s->name, "LAST-UPDATED") ? &t->updated
				   : slice_is(s->name, "CONTVARIABLE") ? &h->contents
								       : NULL;

	if (slice_is(s->name, "CODEPAGE") || slice_is(s->name, "CHARSET"))
		return take_encoding(h, s);
	if (s->language.p) /* the same once more in another language */
		return GLANE_OK;
	for (size_t i = 0; i < sizeof(of_variables) / sizeof(of_variables[0]); i++)
		if (slice_is(s->name, of_variables[i]) && s->n_sub)
			return take_variable(h, s);
	if (slice_is(s->name, "STUB"))
		return read_list(h, s->value, &h->stub);
	if (slice_is(s->name, "HEADING"))
		return read_list(h, s->value, &h->heading);
	if (slice_is(s->name, "UNITS"))
		return take_unit(h, s);
	h->has_keys |= slice_is(s->name, "KEYS");
	if (text && !text->p)
		return read_one(h, s->value, text);
	if (slice_is(s->name, "DESCRIPTION") && !t->title.p)
		return read_one(h, s->value, &t->title);
	return GLANE_OK;
}

/* ---- the table ---- */

static glane_rc order_variables(struct head *h)
{
	struct px_table *t = h->t;
	struct px_variable in_order[PX_VARIABLES];
	const size_t n = h->stub.n + h->heading.n;

	if (n == 0 || n > PX_VARIABLES)
		return fail(h->d, GLANE_E_FORMAT, "PC-Axis: STUB and HEADING name %zu variables; it should be 1 to %d",
			n, PX_VARIABLES);
	for (size_t i = 0; i < n; i++) {
		const struct slice name = i < h->stub.n ? h->stub.v[i] : h->heading.v[i - h->stub.n];
		const struct px_variable *v = variable(h, name);

		for (size_t k = 0; k < i; k++)
			if (slice_eq(in_order[k].name, name))
				return bad(h, name, "the variable stands twice in STUB and HEADING");
		if (!v || (v->label.n == 0 && v->code.n == 0))
			return bad(h, name, "the variable has no VALUES");
		in_order[i] = *v;
	}
	memcpy(t->var, in_order, n * sizeof(*in_order));
	t->n_var = t->contents = n;
	return GLANE_OK;
}

static size_t size_of(const struct px_variable *v)
{
	return v->code.n ? v->code.n : v->label.n;
}

/* Counts, roles. Periods that are not as many as the values say nothing: the values' own codes stand for them. */
static glane_rc settle(struct head *h)
{
	struct px_table *t = h->t;
	bool has_time = false;
	glane_rc rc = h->has_keys ? fail(h->d, GLANE_E_FORMAT,
					    "PC-Axis: a table with KEYS, which leaves rows of zeros out, is not read: "
					    "ask for it without")
				  : order_variables(h);

	if (rc != GLANE_OK)
		return rc;
	t->n_cells = 1;
	for (size_t i = 0; i < t->n_var; i++) {
		struct px_variable *v = &t->var[i];

		if (v->code.n && v->label.n && v->code.n != v->label.n)
			return fail(h->d, GLANE_E_FORMAT, "PC-Axis: '%.*s' has %zu CODES, but %zu VALUES",
				SLICE_FMT(v->name), v->code.n, v->label.n);
		if (v->period.n != size_of(v))
			v->period.n = 0;
		if (v->role == GLANE_ROLE_TIME && has_time)
			v->role = GLANE_ROLE_DIMENSION, v->period.n = 0;
		has_time |= v->role == GLANE_ROLE_TIME;
		if (h->contents.n && slice_eq(v->name, h->contents) && v->role != GLANE_ROLE_TIME)
			v->role = GLANE_ROLE_INDICATOR, t->contents = i;
		t->n_cells *= size_of(v);
		if (t->n_cells > PX_CELLS)
			return fail(h->d, GLANE_E_LIMIT, "PC-Axis: a table of more than %u cells", PX_CELLS);
	}
	return GLANE_OK;
}

static bool begins_with_period(struct px_texts l)
{
	struct period first;

	return l.n && period_parse(l.v[0], 0, &first, NULL) == GLANE_OK;
}

/* Without TIMEVAL: the variable of periods whose name says that it is the time; of texts where its codes only count. */
static void find_time(struct px_table *t)
{
	for (size_t i = 0; i < t->n_var; i++)
		if (t->var[i].role == GLANE_ROLE_TIME)
			return;
	for (size_t i = 0; i < t->n_var; i++) {
		struct px_variable *v = &t->var[i];
		const bool is_coded = begins_with_period(v->code);

		if (v->role != GLANE_ROLE_DIMENSION || !record_is_time(v->name) ||
			!(is_coded || begins_with_period(v->label)))
			continue;
		v->role = GLANE_ROLE_TIME;
		if (!is_coded)
			v->period = v->label;
		return;
	}
}

static glane_rc read_statement(struct head *h, bool *ret_is_data)
{
	struct statement s = {.n_sub = 0};
	struct slice text;
	size_t eq = 0, n = 0;
	glane_rc rc = pass_blanks(h);

	if (rc == GLANE_END)
		return no_keyword(h);
	if (rc == GLANE_OK)
		rc = find_statement(h, &eq, &n);
	if (rc != GLANE_OK)
		return rc;
	*ret_is_data = n == eq;
	if (*ret_is_data) {
		h->at += eq + 1;
		return GLANE_OK;
	}
	rc = decode(h, (struct slice){h->at, n}, &text);
	if (rc == GLANE_OK) {
		bool is_quoted = false;

		for (eq = 0; is_quoted || text.p[eq] != '='; eq++) /* the decoded one stands elsewhere */
			is_quoted ^= text.p[eq] == '"';
		rc = read_key(h, (struct slice){text.p, eq}, &s);
	}
	if (rc == GLANE_OK && !arena_dup(&h->t->arena, s.name, &h->last_keyword))
		rc = no_memory(h);
	s.value = (struct slice){text.p + eq + 1, text.n - eq - 1};
	if (rc == GLANE_OK)
		rc = take(h, &s);
	h->at += n + 1;
	return rc;
}

glane_rc px_head(struct px_table *t, struct payload *p, struct diag *d)
{
	struct head h = {.t = t, .p = p, .d = d, .at = p->p};
	bool is_data = false;
	glane_rc rc = GLANE_OK;

	*t = (struct px_table){.n_var = 0};
	arena_init(&t->arena, PX_HEAD);
	strbuf_init(&h.decoded, PX_STATEMENT * 3 + 16);
	while (rc == GLANE_OK && !is_data)
		rc = read_statement(&h, &is_data);
	if (rc == GLANE_OK)
		rc = settle(&h);
	if (rc == GLANE_OK)
		find_time(t);
	strbuf_release(&h.decoded);
	if (rc == GLANE_OK) {
		p->n -= (size_t)(h.at - p->p);
		p->pos += (uint64_t)(h.at - p->p);
		p->p = h.at;
	}
	return rc;
}

void px_release(struct px_table *t)
{
	arena_release(&t->arena);
	mem_free(t->unit);
}

struct slice px_code(const struct px_variable *v, size_t i)
{
	return v->period.n ? v->period.v[i] : v->code.n ? v->code.v[i] : v->label.v[i];
}
