/* SPDX-License-Identifier: MIT */
/* Striking secrets out: the ways in which a provider may write one that it sends back. */
#include "app/scrub.h"

#include <stdio.h>
#include <string.h>

#define SHORTEST 4

static void add_base64(struct strbuf *b, struct slice t)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < t.n; i += 3) {
		const unsigned left = (unsigned)(t.n - i < 3 ? t.n - i : 3);
		unsigned v = 0;

		for (unsigned k = 0; k < 3; k++)
			v = v << 8 | (k < left ? (unsigned char)t.p[i + k] : 0u);
		for (unsigned k = 0; k < 4; k++)
			strbuf_putc(b, k <= left ? digits[v >> (18 - 6 * k) & 63] : '=');
	}
}

static glane_rc take(struct scrub_secret *s, const struct secret_text *t, struct diag *d)
{
	const struct slice plain = strbuf_get(&t->plain);

	/* Room at once: no copy of a secret stays behind in memory that was freed. */
	if (strbuf_room(&s->plain, plain.n + 1))
		strbuf_slice(&s->plain, plain);
	if (strbuf_room(&s->base64, 2 * plain.n + 8))
		add_base64(&s->base64, plain);
	return strbuf_ok(&s->plain) && strbuf_ok(&s->base64)
		       ? GLANE_OK
		       : fail(d, GLANE_E_NOMEM, "no memory to strike secrets out");
}

glane_rc scrub_init(struct scrub *s, struct arena *a, const struct fetch_secret *specs, size_t n, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	*s = (struct scrub){.v = arena_alloc(a, (n + 1) * sizeof(*s->v))};
	if (!s->v)
		return fail(d, GLANE_E_NOMEM, "no memory to strike secrets out");
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		struct secret_text t;

		rc = secret_load(&t, &specs[i], d);
		if (rc != GLANE_OK)
			return rc;
		strbuf_init(&s->v[i].plain, 0);
		strbuf_init(&s->v[i].base64, 0);
		s->n++;
		s->v[i].placeholder = arena_fmt(a, "{auth:%s}", specs[i].name);
		if (t.plain.n < SHORTEST)
			rc = fail(d, GLANE_E_CONFIG, "secret '%s' is shorter than %d bytes: it cannot be struck out",
				specs[i].name, SHORTEST);
		if (rc == GLANE_OK)
			rc = take(&s->v[i], &t, d);
		if (rc == GLANE_OK && !s->v[i].placeholder)
			rc = fail(d, GLANE_E_NOMEM, "no memory to strike secrets out");
		secret_wipe(&t.plain);
		secret_wipe(&t.encoded);
	}
	return rc;
}

void scrub_release(struct scrub *s)
{
	for (size_t i = 0; i < s->n; i++) {
		secret_wipe(&s->v[i].plain);
		secret_wipe(&s->v[i].base64);
	}
	s->n = 0;
}

static int hex(char c)
{
	const char lower = (char)(c | 0x20);

	return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* n hexadecimal digits that stand for c? */
static bool is_hex(struct slice t, size_t n, unsigned char c)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		if (i >= t.n || hex(t.p[i]) < 0)
			return false;
		v = v << 4 | (unsigned)hex(t.p[i]);
	}
	return v == c;
}

/* Bytes of the entity that stands for c: &amp; &#39; &#x27; */
static size_t entity(struct slice t, unsigned char c)
{
	static const struct {
		const char *text;
		char c;
	} names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
	char number[16];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].c == (char)c && slice_has_prefix(t, names[i].text))
			return strlen(names[i].text);
	snprintf(number, sizeof(number), "&#%u;", c);
	if (slice_has_prefix(t, number))
		return strlen(number);
	return t.n > 5 && t.p[0] == '&' && t.p[1] == '#' && (t.p[2] | 0x20) == 'x' && t.p[5] == ';' &&
			       is_hex((struct slice){t.p + 3, 2}, 2, c)
		       ? 6
		       : 0;
}

/* Bytes at the beginning of the text that stand for c in one of the ways; 0: none. */
static size_t written(struct slice t, unsigned char c)
{
	size_t escapes = 0, n;

	while (escapes < 4 && escapes < t.n && t.p[escapes] == '\\')
		escapes++;
	if (c == '\\' && escapes)
		return escapes > 1 ? 2 : 1;
	t = (struct slice){t.p + escapes, t.n - escapes};
	if (escapes && t.n && t.p[0] == 'u' && is_hex((struct slice){t.p + 1, t.n - 1}, 4, c))
		return escapes + 5;
	if (t.n > 2 && t.p[0] == '%' && is_hex((struct slice){t.p + 1, 2}, 2, c))
		return escapes + 3;
	n = entity(t, c);
	if (n)
		return escapes + n;
	if (!t.n || (unsigned char)t.p[0] != c)
		return 0;
	return escapes + (t.n > 1 && (c == '"' || c == '\'') && t.p[1] == t.p[0] ? 2 : 1);
}

static size_t written_as(struct slice text, struct slice secret)
{
	size_t at = 0;

	if (secret.n <= text.n && memcmp(secret.p, text.p, secret.n) == 0)
		return secret.n;
	for (size_t i = 0; i < secret.n; i++) {
		const size_t n = written((struct slice){text.p + at, text.n - at}, (unsigned char)secret.p[i]);

		if (!n)
			return 0;
		at += n;
	}
	return at;
}

/* The longest writing of any secret at the beginning of the text; 0: none. */
static size_t match(const struct scrub *s, struct slice text, const char **ret)
{
	size_t longest = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct slice base64 = strbuf_get(&s->v[i].base64);
		size_t n = written_as(text, strbuf_get(&s->v[i].plain));

		if (base64.n > n && base64.n <= text.n && memcmp(base64.p, text.p, base64.n) == 0)
			n = base64.n;
		if (n > longest) {
			longest = n;
			*ret = s->v[i].placeholder;
		}
	}
	return longest;
}

size_t scrub_text(const struct scrub *s, struct slice text, struct strbuf *b)
{
	size_t n = 0, from = 0, i = 0;

	while (s->n && i < text.n) {
		const char *placeholder = NULL;
		const size_t found = match(s, (struct slice){text.p + i, text.n - i}, &placeholder);

		if (!found) {
			i++;
			continue;
		}
		strbuf_add(b, text.p + from, i - from);
		strbuf_puts(b, placeholder);
		n++;
		i += found;
		from = i;
	}
	if (text.n > from)
		strbuf_add(b, text.p + from, text.n - from);
	return n;
}
