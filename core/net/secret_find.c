/* SPDX-License-Identifier: MIT */
/* Finding secrets: the ways in which a provider may write one that it sends back. */
#include "net/secret_find.h"

#include "base/mem.h"

#include <string.h>

#define LEVELS 4  /* escapes of escapes */
#define FORMS 5   /* of each text */
#define ENTITY 16 /* characters between & and ; */

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
		for (unsigned c = 0; c < 256; c++)
			s->starts[c] |= stands_for(f->kind, (unsigned char)c, (unsigned char)f->text.p[0]);
	}
	s->starts['%'] = s->starts['&'] = s->starts['\\'] = true;
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
	*s = (struct secret_finder){.v = NULL};
}

/* ---- a text, its escapes undone ---- */

static size_t next_char(struct slice t, unsigned level, unsigned char *ret);

static struct slice behind(struct slice t, size_t n)
{
	return (struct slice){t.p + n, t.n - n};
}

static bool is_escape(char c)
{
	return c == '%' || c == '&' || c == '\\';
}

static int hex(unsigned char c)
{
	const unsigned char lower = c | 0x20;

	return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Bytes of n hexadecimal digits that are a character of ASCII; 0: there are none. */
static size_t code(struct slice t, unsigned level, size_t n, unsigned char *ret)
{
	unsigned char c = 0;
	unsigned v = 0;
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		const size_t used = next_char(behind(t, at), level, &c);

		if (!used || hex(c) < 0)
			return 0;
		at += used;
		v = v << 4 | (unsigned)hex(c);
	}
	*ret = (unsigned char)v;
	return v < 256 ? at : 0;
}

/* What stands between & and ; as a character; false: none of ours. */
static bool entity_char(const char *name, size_t n, unsigned char *ret)
{
	static const struct {
		const char *text;
		char c;
	} names[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
	const bool is_hex = n > 2 && (name[1] | 0x20) == 'x';
	const unsigned base = is_hex ? 16 : 10;
	unsigned v = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is((struct slice){name, n}, names[i].text)) {
			*ret = (unsigned char)names[i].c;
			return true;
		}
	if (n < 2 || name[0] != '#')
		return false;
	for (size_t i = is_hex ? 2 : 1; i < n; i++) {
		const int digit = hex((unsigned char)name[i]);

		if (digit < 0 || (unsigned)digit >= base || v > 255)
			return false;
		v = v * base + (unsigned)digit;
	}
	*ret = (unsigned char)v;
	return v > 0 && v < 128;
}

static bool is_name_char(unsigned char c)
{
	return c == '#' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static size_t entity(struct slice t, unsigned level, unsigned char *ret)
{
	char name[ENTITY];
	size_t at = 0;

	for (size_t n = 0; n < ENTITY; n++) {
		unsigned char c = 0;
		const size_t used = next_char(behind(t, at), level, &c);

		at += used;
		if (c == ';')
			return used && entity_char(name, n, ret) ? at : 0;
		if (!used || !is_name_char(c)) /* a text of ampersands would be read 16 times at each level */
			return 0;
		name[n] = (char)c;
	}
	return 0;
}

static size_t backslash(struct slice t, unsigned level, unsigned char *ret)
{
	unsigned char c = 0;
	const size_t used = next_char(t, level, &c),
		     n = used && (c == 'u' || c == 'x') ? code(behind(t, used), level, c == 'u' ? 4 : 2, ret) : 0;

	if (n)
		return used + n;
	if (!used || !strchr("\\/\"'", c))
		return 0;
	*ret = c;
	return used;
}

/* The character at the beginning of the text when escapes were undone so many times; how many bytes it takes, 0: the text ends. */
static size_t next_char(struct slice t, unsigned level, unsigned char *ret)
{
	unsigned char c = 0;
	size_t used, n = 0;

	if (!t.n)
		return 0;
	*ret = (unsigned char)t.p[0];
	if (!level || !is_escape(t.p[0]))
		return 1;
	used = next_char(t, level - 1, ret);
	if (*ret == '%')
		n = code(behind(t, used), level - 1, 2, &c);
	else if (*ret == '&')
		n = entity(behind(t, used), level - 1, &c);
	else if (*ret == '\\')
		n = backslash(behind(t, used), level - 1, &c);
	if (n)
		*ret = c;
	return used + n;
}

/* ---- finding them ---- */

/* Bytes at the beginning of the text that stand for the character, after as many undone escapes as there may be; 0: none. */
static size_t stands(struct slice t, unsigned level, uint8_t kind, unsigned char want)
{
	if (t.n && !is_escape(t.p[0]))
		level = 0; /* it is the same on each */
	for (unsigned k = level + 1; k-- > 0;) {
		unsigned char c = 0;
		const size_t n = next_char(t, k, &c);

		if (n && stands_for(kind, c, want))
			return n;
	}
	return 0;
}

/* Doubled quotes: a run of n may stand 2 n times, or 4 n. Bytes of the longest such run. */
static size_t quotes(struct slice t, unsigned level, unsigned char quote, size_t n)
{
	size_t at = 0, found = 0, fits = n;

	for (size_t i = 1; i <= 4 * n; i++) {
		const size_t used = stands(behind(t, at), level, PLAIN, quote);

		if (!used)
			break;
		at += used;
		if (i == fits) {
			found = at;
			fits *= 2;
		}
	}
	return found;
}

/* *ret_escape: there was an escape on the way, and another level may find something else. */
static size_t written_as(struct slice text, const struct secret_form *f, unsigned level, bool *ret_escape)
{
	const struct slice want = strbuf_get(&f->text);
	size_t at = 0;

	*ret_escape = false;
	for (size_t i = 0, run; i < want.n; i += run) {
		const char c = want.p[i];
		const bool is_quote = f->kind == PLAIN && (c == '"' || c == '\'');
		const struct slice rest = behind(text, at);
		size_t n;

		run = 1;
		while (is_quote && i + run < want.n && want.p[i + run] == c)
			run++;
		*ret_escape |= rest.n && is_escape(rest.p[0]);
		n = is_quote ? quotes(rest, level, (unsigned char)c, run)
			     : stands(rest, level, f->kind, (unsigned char)c);
		if (!n)
			return 0;
		*ret_escape |= is_quote;
		at += n;
	}
	return at;
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

/* The longest writing of any secret at the beginning of the text; 0: none. */
static size_t match(const struct secret_finder *s, struct slice text, bool as_text, const struct secret_form **ret)
{
	unsigned char first[LEVELS + 1] = {0};
	const unsigned n_first = is_escape(text.p[0]) ? LEVELS + 1 : 1;
	size_t longest = 0;

	for (unsigned k = 0; k < n_first; k++)
		next_char(text, k, &first[k]);
	for (size_t i = 0; i < s->n; i++) {
		const struct secret_form *f = &s->v[i];
		bool go_on = false;

		for (unsigned k = 0; k < n_first && (f->kind == PLAIN || !as_text); k++)
			go_on |= stands_for(f->kind, first[k], (unsigned char)f->text.p[0]);
		for (unsigned level = 0; go_on && level <= LEVELS; level++) {
			size_t n = written_as(text, f, level, &go_on);

			if (n && f->tail)
				n += ending(behind(text, n));
			if (n > longest) {
				longest = n;
				*ret = f;
			}
		}
	}
	return longest;
}

/* Bytes of the placeholder at the text's beginning; 0: there is none. */
static size_t placeholder(struct slice text)
{
	const char *end = slice_has_prefix(text, "{auth:") ? memchr(text.p, '}', text.n) : NULL;

	return end ? (size_t)(end - text.p) + 1 : 0;
}

size_t secret_next(const struct secret_finder *s, struct slice text, size_t from, bool as_text, struct secret_hit *ret)
{
	for (size_t i = from; s->n && i < text.n;) {
		const struct secret_form *f = NULL;
		const size_t kept = as_text ? placeholder(behind(text, i)) : 0;
		const size_t found =
			!kept && s->starts[(unsigned char)text.p[i]] ? match(s, behind(text, i), as_text, &f) : 0;

		if (found) {
			ret->at = i - (f->head && i > from && is_base64(text.p[i - 1]));
			ret->end = i + found;
			ret->name = f->name;
			return found;
		}
		i += kept ? kept : 1;
	}
	return 0;
}

size_t secret_replace(
	const struct secret_finder *s, struct slice text, bool as_text, const char *mark, struct strbuf *b)
{
	struct secret_hit hit;
	size_t n = 0, from = 0;

	for (; secret_next(s, text, from, as_text, &hit); n++, from = hit.end) {
		if (!b)
			continue;
		strbuf_add(b, text.p + from, hit.at - from);
		if (mark)
			strbuf_puts(b, mark);
		else
			strbuf_fmt(b, SECRET_MARK, hit.name);
	}
	if (b && text.n > from)
		strbuf_add(b, text.p + from, text.n - from);
	return n;
}
