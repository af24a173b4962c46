/* SPDX-License-Identifier: MIT */
/* JSON tokens: 16 bytes at a time where the processor has SSE2, 8 elsewhere, with an ASCII fast path for UTF-8. */
#include "read/json_scan.h"

#include "base/strbuf.h"

const char *json_scan_bad(struct json_cursor *c, const char *at, const char *what)
{
	c->bad = at;
	c->what = what;
	return NULL;
}

const char *json_scan_cut(struct json_cursor *c)
{
	if (c->last)
		return json_scan_bad(c, c->end, "the document ends too early");
	c->what = NULL;
	return NULL;
}

static bool is_plain(char ch)
{
	const unsigned char b = (unsigned char)ch;

	return b >= 0x20 && b < 0x80 && b != '"' && b != '\\';
}

/* The first byte that ends or interrupts plain ASCII text, or end. */
static inline const char *pass_plain(const char *p, const char *end)
{
#if JSON_SSE2
	while (end - p >= 16) {
		const json_block v = json_block_at(p);
		/* Bytes from 0x80 are negative here, so that one comparison finds them and the control bytes. */
		const unsigned m = json_block_mask((json_block)((v < ' ') | (v == '"') | (v == '\\')));

		if (m)
			return p + __builtin_ctz(m);
		p += 16;
	}
#else
	const uint64_t one = 0x0101010101010101u, high = 0x8080808080808080u;

	while (end - p >= 8) {
		uint64_t v, q, e;

		memcpy(&v, p, 8);
		q = v ^ (one * '"');
		e = v ^ (one * '\\');
		if ((v | (v - one * 0x20) | (q - one) | (e - one)) & high)
			break; /* perhaps: a borrow can reach further bytes */
		p += 8;
	}
#endif
	while (p < end && is_plain(*p))
		p++;
	return p;
}

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static inline const char *pass_digits(const char *p, const char *end)
{
#if JSON_SSE2
	while (end - p >= 16) {
		const json_ublock digit = (json_ublock)json_block_at(p) - '0';
		const unsigned m = json_block_mask((json_block)(digit > 9));

		if (m)
			return p + __builtin_ctz(m);
		p += 16;
	}
#endif
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* One digit at least. */
static const char *scan_digits(struct json_cursor *c, const char *p)
{
	const char *q = pass_digits(p, c->end);

	if (q == c->end && !c->last)
		return json_scan_cut(c);
	if (q == p)
		return json_scan_bad(c, p, "a number lacks digits");
	return q;
}

static const char *scan_number(struct json_cursor *c, const char *p)
{
	const char *digits;

	if (*p == '-')
		p++;
	digits = p;
	p = scan_digits(c, p);
	if (!p)
		return NULL;
	if (*digits == '0' && p - digits > 1)
		return json_scan_bad(c, digits, "a number begins with 0");
	if (p < c->end && *p == '.') {
		p = scan_digits(c, p + 1);
		if (!p)
			return NULL;
	}
	if (p < c->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < c->end && (*p == '+' || *p == '-'))
			p++;
		p = scan_digits(c, p);
	}
	return p;
}

static const char *scan_word(struct json_cursor *c, const char *p, const char *word)
{
	const size_t n = strlen(word), have = (size_t)(c->end - p);

	if (memcmp(p, word, have < n ? have : n) != 0)
		return json_scan_bad(c, p, "no JSON value (the words are true, false and null)");
	return have < n ? json_scan_cut(c) : p + n;
}

/* The smallest second byte, and the number of bytes, of a sequence that begins with b; 0: none begins so. */
static unsigned utf8_size(unsigned char b)
{
	if (b >= 0xc2 && b <= 0xdf)
		return 2;
	if ((b & 0xf0) == 0xe0)
		return 3;
	return b >= 0xf0 && b <= 0xf4 ? 4 : 0;
}

/* RFC 3629 table: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool is_second(unsigned char first, unsigned char second)
{
	unsigned char lo = 0x80, hi = 0xbf;

	switch (first) {
	case 0xe0:
		lo = 0xa0;
		break;
	case 0xed:
		hi = 0x9f;
		break;
	case 0xf0:
		lo = 0x90;
		break;
	case 0xf4:
		hi = 0x8f;
		break;
	default:
		break;
	}
	return second >= lo && second <= hi;
}

/* Passes all characters beyond ASCII that stand at p. */
static const char *scan_utf8(struct json_cursor *c, const char *p)
{
	while (p < c->end && ((unsigned char)*p & 0x80)) {
		const unsigned n = utf8_size((unsigned char)*p);
		unsigned i;

		if (n == 0)
			return json_scan_bad(c, p, "malformed UTF-8");
		for (i = 1; i < n && p + i < c->end; i++) {
			const unsigned char b = (unsigned char)p[i];

			if (i == 1 ? !is_second((unsigned char)*p, b) : (b & 0xc0) != 0x80)
				return json_scan_bad(c, p, "malformed UTF-8");
		}
		if (i < n)
			return json_scan_cut(c);
		p += n;
	}
	return p;
}

static int hex_digit(char ch)
{
	if (is_digit(ch))
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

static unsigned hex_unit(const char *p)
{
	return ((unsigned)hex_digit(p[0]) << 12) | ((unsigned)hex_digit(p[1]) << 8) | ((unsigned)hex_digit(p[2]) << 4) |
	       (unsigned)hex_digit(p[3]);
}

/* p stands on "\u". Returns the position behind its four digits. */
static const char *scan_unit(struct json_cursor *c, const char *p, unsigned *ret_unit)
{
	for (int i = 2; i < 6; i++) {
		if (p + i >= c->end)
			return json_scan_cut(c);
		if (hex_digit(p[i]) < 0)
			return json_scan_bad(c, p, "\\u without four hexadecimal digits");
	}
	*ret_unit = hex_unit(p + 2);
	return p + 6;
}

static const char *scan_unicode(struct json_cursor *c, const char *p)
{
	const char *q;
	unsigned unit = 0, low = 0;

	q = scan_unit(c, p, &unit);
	if (!q)
		return NULL;
	if (unit == 0)
		return json_scan_bad(c, p, "\\u0000 in a string");
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return json_scan_bad(c, p, "half a surrogate pair");
	if (unit < 0xd800 || unit > 0xdbff)
		return q;
	if (q == c->end || (*q == '\\' && q + 1 == c->end))
		return json_scan_cut(c);
	if (q[0] != '\\' || q[1] != 'u')
		return json_scan_bad(c, p, "half a surrogate pair");
	q = scan_unit(c, q, &low);
	if (q && (low < 0xdc00 || low > 0xdfff))
		return json_scan_bad(c, p, "half a surrogate pair");
	return q;
}

static const char *scan_escape(struct json_cursor *c, const char *p)
{
	if (p + 1 == c->end)
		return json_scan_cut(c);
	if (p[1] == 'u')
		return scan_unicode(c, p);
	if (p[1] == '\0' || !strchr("\"\\/bfnrt", p[1]))
		return json_scan_bad(c, p, "unknown escape in a string");
	return p + 2;
}

const char *json_scan_string(struct json_cursor *c, const char *p, uint8_t *ret_kind)
{
	uint8_t kind = JSON_STRING;

	for (p++;;) {
		p = pass_plain(p, c->end);
		if (p == c->end)
			return json_scan_cut(c);
		if (*p == '"')
			break;
		if (*p == '\\') {
			kind = JSON_ESCAPED;
			p = scan_escape(c, p);
		} else if ((unsigned char)*p < 0x20) {
			return json_scan_bad(c, p, "a control byte in a string");
		} else {
			p = scan_utf8(c, p);
		}
		if (!p)
			return NULL;
	}
	*ret_kind = kind;
	return p + 1;
}

const char *json_scan_scalar(struct json_cursor *c, const char *p, uint8_t *ret_kind)
{
	switch (*p) {
	case '"':
		return json_scan_string(c, p, ret_kind);
	case 'n':
		*ret_kind = JSON_NULL;
		return scan_word(c, p, "null");
	case 't':
		*ret_kind = JSON_WORD;
		return scan_word(c, p, "true");
	case 'f':
		*ret_kind = JSON_WORD;
		return scan_word(c, p, "false");
	default:
		*ret_kind = JSON_NUMBER;
		if (*p != '-' && !is_digit(*p))
			return json_scan_bad(c, p, "a JSON value was expected");
		return scan_number(c, p);
	}
}

static size_t put_utf8(unsigned u, char *out)
{
	unsigned char b[4];
	size_t n;

	if (u < 0x80) {
		b[0] = (unsigned char)u;
		n = 1;
	} else if (u < 0x800) {
		b[0] = (unsigned char)(0xc0 | (u >> 6));
		n = 2;
	} else if (u < 0x10000) {
		b[0] = (unsigned char)(0xe0 | (u >> 12));
		n = 3;
	} else {
		b[0] = (unsigned char)(0xf0 | (u >> 18));
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		b[i] = (unsigned char)(0x80 | ((u >> (6 * (n - 1 - i))) & 0x3f));
	memcpy(out, b, n);
	return n;
}

static unsigned unescape(char ch)
{
	switch (ch) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return (unsigned char)ch;
	}
}

size_t json_decode(struct slice s, char *out)
{
	const char *p = s.p, *end = s.p + s.n;
	size_t n = 0;

	while (p < end) {
		unsigned u;

		if (*p != '\\') {
			out[n++] = *p++;
			continue;
		}
		if (p[1] != 'u') {
			out[n++] = (char)unescape(p[1]);
			p += 2;
			continue;
		}
		u = hex_unit(p + 2);
		p += 6;
		if (u >= 0xd800 && u <= 0xdbff) {
			u = 0x10000 + ((u - 0xd800) << 10) + (hex_unit(p + 2) - 0xdc00);
			p += 6;
		}
		n += put_utf8(u, out + n);
	}
	return n;
}

/* p stands on an opening quote of scanned text. */
static const char *pass_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\')
			p++;
	}
	return p + 1;
}

const char *json_pass(const char *p, const char *end)
{
	size_t depth = 0;

	do {
		if (*p == '"') {
			p = pass_string(p, end);
		} else if (*p == '{' || *p == '[') {
			depth++;
			p++;
		} else if (*p == '}' || *p == ']') {
			depth--;
			p++;
		} else if (depth) {
			p++;
		} else {
			while (p < end && !strchr(",]} \t\r\n", *p))
				p++;
		}
	} while (depth && p < end);
	return p;
}

glane_rc json_markup(struct slice doc, struct diag *d)
{
	struct strbuf words, shown;
	bool is_tag = false, is_gap = false;
	glane_rc rc;

	strbuf_init(&words, 0);
	strbuf_init(&shown, 0);
	for (size_t i = 0; i < doc.n && i < JSON_MARKUP && words.n < 200; i++) {
		const char c = doc.p[i];

		if (c == '<' || c == '>' || (unsigned char)c <= ' ') {
			is_tag = c == '<' || (is_tag && c != '>');
			is_gap = true;
		} else if (!is_tag) {
			strbuf_puts(&words, is_gap && words.n ? " " : "");
			strbuf_putc(&words, c);
			is_gap = false;
		}
	}
	strbuf_visible(&shown, words.n ? strbuf_get(&words) : (struct slice){doc.p, doc.n < 40 ? doc.n : 40});
	rc = fail(d, GLANE_E_FORMAT, "JSON: a JSON value was expected, but the document is XML or HTML: '%.*s'",
		SLICE_FMT(strbuf_get(&shown)));
	strbuf_release(&words);
	strbuf_release(&shown);
	return rc;
}
