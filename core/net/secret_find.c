/* SPDX-License-Identifier: MIT */
/* Finding secrets: the ways in which a provider may write one that it sends back. */
#include "net/secret_find.h"

#include "base/mem.h"
#include "net/secret_undo.h"

#include <string.h>

#define FORMS 5 /* of each text */

enum { PLAIN, HEX, BASE64 };
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* ---- the forms of a secret ---- */

/* The digits that every text with this one after `before` bytes (modulo 3) has in base64: those without a bit of others. */
static void add_base64(struct secret_form *f, struct slice t, size_t before)
{
	const size_t first = (8 * before + 5) / 6, end = 8 * (before + t.n) / 6;

	for (size_t i = first; i < end; i++) {
		unsigned v = 0;

		for (size_t bit = 6 * i; bit < 6 * i + 6; bit++)
			v = v << 1 | ((unsigned)(unsigned char)t.p[bit / 8 - before] >> (7 - bit % 8) & 1u);
		strbuf_putc(&f->text, digits[v]);
	}
	f->head = before > 0;
	f->tail = (before + t.n) % 3 != 0;
}

static void add_hex(struct strbuf *b, struct slice t)
{
	for (size_t i = 0; i < t.n; i++) {
		strbuf_putc(b, "0123456789abcdef"[(unsigned char)t.p[i] >> 4]);
		strbuf_putc(b, "0123456789abcdef"[(unsigned char)t.p[i] & 15]);
	}
}

static bool stands_for(uint8_t kind, unsigned char c, unsigned char want)
{
	if (c == want)
		return true;
	if (kind == PLAIN)
		return c == '+' && want == ' ';
	if (kind == HEX)
		return (c | 0x20) == want && want >= 'a';
	return (want == '+' && (c == '-' || c == ' ')) || (want == '/' && c == '_');
}

/* The bytes that a text with the form begins with, and what may follow each of those that are no escape. */
static void add_start(struct secret_finder *s, const struct secret_form *f)
{
	const unsigned char first = (unsigned char)f->text.p[0], second = (unsigned char)f->text.p[1];
	const bool is_quote = f->kind == PLAIN && (first == '"' || first == '\''); /* it may stand more than once */

	for (unsigned c = 0; c < 256; c++) {
		if (!stands_for(f->kind, (unsigned char)c, first))
			continue;
		s->starts[c] |= SECRET_STARTS;
		for (unsigned next = 0; next < 256; next++) {
			const unsigned char n = (unsigned char)next;

			if (is_quote || secret_is_escape(n) || stands_for(f->kind, n, second))
				s->pairs[c][next / 8] |= (uint8_t)(1u << next % 8);
		}
	}
}

/* Room at once: no copy of a secret stays behind in memory that was freed. */
static bool take(struct secret_finder *s, const char *name, struct slice t)
{
	if (!mem_grow(&s->v, &s->cap, s->n + FORMS, sizeof(*s->v)))
		return false;
	for (size_t i = 0; i < FORMS; i++) {
		struct secret_form *f = &s->v[s->n++];

		*f = (struct secret_form){.name = name, .kind = i == 0 ? PLAIN : i == 1 ? HEX : BASE64};
		strbuf_init(&f->text, 0);
		if (!strbuf_room(&f->text, 2 * t.n + 8))
			return false;
		if (f->kind == PLAIN)
			strbuf_slice(&f->text, t);
		else if (f->kind == HEX)
			add_hex(&f->text, t);
		else
			add_base64(f, t, i - 2);
		add_start(s, f);
	}
	s->starts['%'] |= SECRET_ESCAPE;
	s->starts['&'] |= SECRET_ESCAPE;
	s->starts['\\'] |= SECRET_ESCAPE;
	return true;
}

/* USER:PASSWORD, where the text is a token of Basic authentication. */
static bool basic(struct slice t, struct strbuf *b)
{
	unsigned v = 0;

	if (slice_has_prefix(t, "Basic "))
		t = (struct slice){t.p + 6, t.n - 6};
	while (t.n && t.p[t.n - 1] == '=')
		t.n--;
	if (t.n < 4 || !strbuf_room(b, t.n))
		return false;
	for (size_t i = 0; i < t.n; i++) {
		const char *at = memchr(digits, t.p[i], 64);
		unsigned char c;

		if (!at)
			return false;
		v = v << 6 | (unsigned)(at - digits);
		if (i % 4 == 0)
			continue;
		c = (unsigned char)(v >> (6 - 2 * (i % 4)));
		if (c < ' ' || c == 0x7f)
			return false;
		strbuf_putc(b, (char)c);
	}
	return memchr(b->p, ':', b->n) != NULL;
}

bool secret_finder_add(struct secret_finder *s, const char *name, struct slice secret)
{
	struct strbuf said;
	const size_t shortest = s->shortest ? s->shortest : SECRET_SHORTEST;
	bool ok = secret.n < shortest || take(s, name, secret);

	strbuf_init(&said, 0);
	if (ok && secret.n >= shortest && basic(secret, &said)) {
		struct slice password = strbuf_get(&said);

		ok = password.n < shortest || take(s, name, password);
		slice_cut(&password, ':');
		if (ok && password.n >= shortest)
			ok = take(s, name, password);
	}
	if (said.p)
		explicit_bzero(said.p, said.cap);
	strbuf_release(&said);
	return ok;
}

void secret_finder_release(struct secret_finder *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].text.p)
			explicit_bzero(s->v[i].text.p, s->v[i].text.cap);
		strbuf_release(&s->v[i].text);
	}
	mem_free(s->v);
	explicit_bzero(s, sizeof(*s));
}

/* ---- finding them ---- */

/*
 * Bytes there that stand for the character, after as many undone escapes as there may be; 0: none. *other is set where they would be
 * others if it were more.
 */
static size_t stands(struct secret_search *s, size_t at, unsigned level, uint8_t kind, unsigned char want, bool *other)
{
	struct secret_undone here = {.lap = 0};
	const struct secret_undone *u;
	size_t n = 0;

	if (at >= s->text.n)
		return 0;
	if (!secret_is_escape((unsigned char)s->text.p[at])) /* it is the same on each */
		return stands_for(kind, (unsigned char)s->text.p[at], want);
	u = secret_undone(s, at, &here);
	for (unsigned k = (level < u->last ? level : u->last) + 1; k-- > 0 && !n;)
		n = stands_for(kind, (unsigned char)u->v[k], want) ? u->v[k] >> 8 : 0;
	for (unsigned k = level + 1; k <= u->last; k++)
		*other |= stands_for(kind, (unsigned char)u->v[k], want) && u->v[k] >> 8 != n;
	return n;
}

/* Doubled quotes: a run of n may stand 2 n times, or 4 n. Bytes of the longest such run. */
static size_t quotes(struct secret_search *s, size_t from, unsigned level, unsigned char quote, size_t n)
{
	size_t at = from, found = 0, fits = n;
	bool other = true;

	for (size_t i = 1; i <= 4 * n; i++) {
		const size_t used = stands(s, at, level, PLAIN, quote, &other);

		if (!used)
			break;
		at += used;
		if (i == fits) {
			found = at - from;
			fits *= 2;
		}
	}
	return found;
}

/* *ret_other: with more levels undone there may be something else. */
static size_t written_as(
	struct secret_search *s, size_t from, const struct secret_form *f, unsigned level, bool *ret_other)
{
	const struct slice want = strbuf_get(&f->text);
	size_t at = from;

	*ret_other = false;
	for (size_t i = 0, run; i < want.n; i += run) {
		const char c = want.p[i];
		const bool is_quote = f->kind == PLAIN && (c == '"' || c == '\'');
		size_t n;

		run = 1;
		while (is_quote && i + run < want.n && want.p[i + run] == c)
			run++;
		*ret_other |= is_quote;
		n = is_quote ? quotes(s, at, level, (unsigned char)c, run)
			     : stands(s, at, level, f->kind, (unsigned char)c, ret_other);
		if (!n)
			return 0;
		at += n;
	}
	return at - from;
}

static struct slice behind(struct slice t, size_t n)
{
	return (struct slice){t.p + n, t.n - n};
}

static bool is_base64(char c)
{
	return memchr(digits, c, 64) || c == '-' || c == '_';
}

/* The digit that the secret ends within, and the padding. */
static size_t ending(struct slice rest)
{
	size_t n = rest.n && is_base64(rest.p[0]);

	while (n < 3 && n < rest.n && rest.p[n] == '=')
		n++;
	return n;
}

/* The longest writing of any secret there, whose first character is one of these; 0: none. */
static size_t match(
	struct secret_search *s, size_t at, const uint32_t *first, unsigned n_first, const struct secret_form **ret)
{
	size_t longest = 0;

	for (size_t i = 0; i < s->finder->n; i++) {
		const struct secret_form *f = &s->finder->v[i];
		bool go_on = false;

		for (unsigned k = 0; k < n_first && (f->kind == PLAIN || !s->as_text); k++)
			go_on |= stands_for(f->kind, (unsigned char)first[k], (unsigned char)f->text.p[0]);
		for (unsigned level = 0; go_on && level <= SECRET_LEVELS; level++) {
			size_t n = written_as(s, at, f, level, &go_on);

			if (n && f->tail)
				n += ending(behind(s->text, at + n));
			if (n > longest) {
				longest = n;
				*ret = f;
			}
		}
	}
	return longest;
}

static bool is_pair(const struct secret_finder *f, unsigned char c, unsigned char next)
{
	return f->pairs[c][next / 8] >> next % 8 & 1;
}

/* As match(), where an escape stands. */
static size_t match_escape(struct secret_search *s, size_t at, const struct secret_form **ret)
{
	struct secret_undone here = {.lap = 0};
	const struct secret_undone *u;

	if (at >= s->ahead)
		secret_read_ahead(s, at);
	u = secret_undone(s, at, &here);
	return u->starts ? match(s, at, u->v, u->last + 1u, ret) : 0;
}

/* Bytes of the placeholder at the text's beginning; 0: there is none. */
static size_t placeholder(struct slice text)
{
	const char *end = slice_has_prefix(text, "{auth:") ? memchr(text.p, '}', text.n) : NULL;

	return end ? (size_t)(end - text.p) + 1 : 0;
}

/* A writing there; 0: there is none. */
static size_t found_at(struct secret_search *s, size_t at, const struct secret_form **ret)
{
	const struct secret_finder *f = s->finder;
	const unsigned char c = (unsigned char)s->text.p[at];
	const uint32_t first = c;

	if (f->starts[c] & SECRET_ESCAPE)
		return match_escape(s, at, ret);
	if (at + 1 < s->text.n && is_pair(f, c, (unsigned char)s->text.p[at + 1]))
		return match(s, at, &first, 1, ret);
	return 0;
}

void secret_search_begin(struct secret_search *s, const struct secret_finder *f, struct slice text, bool as_text)
{
	*s = (struct secret_search){.finder = f, .text = text, .as_text = as_text};
}

bool secret_search_next(struct secret_search *s, size_t until, struct secret_hit *ret)
{
	const struct secret_finder *f = s->finder;
	const size_t end = until < s->text.n ? until : s->text.n;
	size_t at = f->n ? s->at : end;

	while (at < end) {
		const unsigned char c = (unsigned char)s->text.p[at];
		const struct secret_form *form = NULL;
		const size_t kept = s->as_text && c == '{' ? placeholder(behind(s->text, at)) : 0,
			     found = !kept && f->starts[c] ? found_at(s, at, &form) : 0;

		if (found) {
			ret->at = at - (form->head && at > s->from && is_base64(s->text.p[at - 1]));
			ret->name = form->name;
			s->at = s->from = ret->end = at + found;
			return true;
		}
		at += kept ? kept : 1;
	}
	if (at > s->at)
		s->at = at;
	return false;
}

void secret_search_end(struct secret_search *s)
{
	if (s->ring)
		explicit_bzero(s->ring, (s->mask + 1) * sizeof(*s->ring));
	mem_free(s->ring);
	*s = (struct secret_search){.finder = NULL};
}

size_t secret_replace_head(
	const struct secret_finder *f, struct slice text, size_t head, bool as_text, const char *mark, struct strbuf *b)
{
	struct secret_search s;
	struct secret_hit hit;
	size_t n = 0, from = 0;

	head = head < text.n ? head : text.n;
	secret_search_begin(&s, f, text, as_text);
	for (; secret_search_next(&s, head, &hit); n++, from = hit.end) {
		if (!b)
			continue;
		strbuf_add(b, text.p + from, hit.at - from);
		if (mark)
			strbuf_puts(b, mark);
		else
			strbuf_fmt(b, SECRET_MARK, hit.name);
	}
	secret_search_end(&s);
	if (b && head > from)
		strbuf_add(b, text.p + from, head - from);
	return n;
}

size_t secret_replace(
	const struct secret_finder *f, struct slice text, bool as_text, const char *mark, struct strbuf *b)
{
	return secret_replace_head(f, text, text.n, as_text, mark, b);
}
