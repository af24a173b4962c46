/* SPDX-License-Identifier: MIT */
/* The ways in which a secret may be written by somebody who sends it back. */
#include "net/secret_forms.h"
#include "base/mem.h"

#include <string.h>

#define LONGEST_REFERENCE 10 /* &#0000065; */
#define MOST_ESCAPES 3       /* backslashes: JSON in a string of JSON */

static struct slice skip(struct slice s, size_t n)
{
	return (struct slice){s.p + n, s.n - n};
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

	if (n == 0 || n > t.n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (hex(t.p[i]) < 0)
			return false;
		v = v << 4 | (unsigned)hex(t.p[i]);
	}
	return v == c;
}

/* %41; %2541 */
static size_t percent(struct slice t, unsigned char c)
{
	for (size_t i = 1; t.p[0] == '%' && i < t.n; i += 2) {
		if (is_hex(skip(t, i), 2, c))
			return i + 2;
		if (!slice_has_prefix(skip(t, i), "25"))
			break;
	}
	return 0;
}

/* &amp; &#38; &#x26; */
static size_t reference(struct slice t, unsigned char c)
{
	static const struct {
		const char *text;
		char c;
	} names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
	const char *end;
	struct slice digits;
	int64_t v;

	if (t.n < 4 || t.p[0] != '&')
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].c == (char)c && slice_has_prefix(t, names[i].text))
			return strlen(names[i].text);
	end = t.p[1] == '#' ? memchr(t.p, ';', t.n < LONGEST_REFERENCE ? t.n : LONGEST_REFERENCE) : NULL;
	if (!end)
		return 0;
	digits = (struct slice){t.p + 2, (size_t)(end - t.p) - 2};
	if (digits.n && (digits.p[0] | 0x20) == 'x' ? is_hex(skip(digits, 1), digits.n - 1, c)
						    : slice_int(digits, 0, 255, &v) && v == c)
		return (size_t)(end - t.p) + 1;
	return 0;
}

/* \/ \" \\ \u0041 */
static size_t escape(struct slice t, unsigned char c)
{
	size_t n = 0;

	if (c == '\\')
		return slice_has_prefix(t, "\\\\") ? 2 : 0;
	while (n < MOST_ESCAPES && n < t.n && t.p[n] == '\\')
		n++;
	if (n == 0 || n == t.n)
		return 0;
	if (t.p[n] == 'u')
		return is_hex(skip(t, n + 1), 4, c) ? n + 5 : 0;
	return (unsigned char)t.p[n] == c && strchr("/\"'", c) ? n + 1 : 0;
}

/* Bytes at the text's beginning that stand for c; 0: none. */
static size_t written(struct slice t, unsigned char c)
{
	size_t n;

	if (t.n == 0)
		return 0;
	n = percent(t, c);
	n = n ? n : reference(t, c);
	n = n ? n : escape(t, c);
	if (n)
		return n;
	if ((c == '"' || c == '\'') && t.n > 1 && (unsigned char)t.p[0] == c && t.p[1] == t.p[0])
		return 2;
	return (unsigned char)t.p[0] == c || (c == ' ' && t.p[0] == '+');
}

size_t secret_written(struct slice text, struct slice secret)
{
	size_t at = 0;

	if (secret.n < SECRET_SHORTEST || text.n < secret.n)
		return 0;
	if (memcmp(secret.p, text.p, secret.n) == 0)
		return secret.n;
	for (size_t i = 0; i < secret.n; i++) {
		const size_t n = written(skip(text, at), (unsigned char)secret.p[i]);

		if (n == 0)
			return 0;
		at += n;
	}
	return at;
}

/* The characters that the secret alone decides where `before` bytes of a group of three stand before it. */
static bool encode(struct base64_form *f, struct slice secret, size_t before)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const size_t first = (before * 8 + 5) / 6, end = (before + secret.n) * 8 / 6;

	f->p = mem_zalloc(end - first + 1, 1);
	if (!f->p)
		return false;
	for (size_t i = first; i < end; i++) {
		unsigned v = 0;

		for (size_t bit = i * 6 - before * 8; bit < i * 6 - before * 8 + 6; bit++)
			v = v << 1 | ((unsigned)(unsigned char)secret.p[bit / 8] >> (7 - bit % 8) & 1u);
		f->p[f->n++] = digits[v];
	}
	return true;
}

bool secret_forms_init(struct secret_forms *f, struct slice secret)
{
	bool ok = true;

	*f = (struct secret_forms){0};
	for (size_t i = 0; i < 3 && ok && secret.n >= SECRET_SHORTEST; i++)
		ok = encode(&f->base64[i], secret, i);
	if (!ok)
		secret_forms_release(f);
	return ok;
}

void secret_forms_release(struct secret_forms *f)
{
	for (size_t i = 0; i < 3; i++) {
		if (f->base64[i].p)
			explicit_bzero(f->base64[i].p, f->base64[i].n);
		mem_free(f->base64[i].p);
		f->base64[i] = (struct base64_form){0};
	}
}

static bool is_same(struct slice text, const struct base64_form *f)
{
	if (f->n == 0 || text.n < f->n)
		return false;
	for (size_t i = 0; i < f->n; i++) {
		const char c = text.p[i];

		if ((c == '-' ? '+' : c == '_' ? '/' : c) != f->p[i])
			return false;
	}
	return true;
}

size_t secret_in_base64(const struct secret_forms *f, struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < 3; i++)
		if (f->base64[i].n > n && is_same(text, &f->base64[i]))
			n = f->base64[i].n;
	return n;
}
