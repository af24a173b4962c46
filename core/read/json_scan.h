/* SPDX-License-Identifier: MIT */
/*
 * The lexical part of JSON (RFC 8259): blanks, strings, numbers and words in a window of bytes. Strings are checked as a
 * whole (UTF-8, escapes, control bytes), numbers by their grammar; nothing is converted.
 */
#ifndef READ_JSON_SCAN_H
#define READ_JSON_SCAN_H
#include "base/diag.h"
#include "base/slice.h"

/* Where the processor has SSE2: 16 bytes, compared at once. The intrinsics' header is not needed for that. */
#if defined(__SSE2__) && !defined(JSON_SCALAR)
#define JSON_SSE2 1
typedef char json_block __attribute__((vector_size(16)));
typedef unsigned char json_ublock __attribute__((vector_size(16)));

static inline json_block json_block_at(const char *p)
{
	json_block v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* One bit for each byte whose high bit is set. */
static inline unsigned json_block_mask(json_block v)
{
	return (unsigned)__builtin_ia32_pmovmskb128(v);
}
#else
#define JSON_SSE2 0
#endif

/* Kinds of values. */
#define JSON_NULL 1
#define JSON_WORD 2 /* true, false */
#define JSON_NUMBER 3
#define JSON_STRING 4  /* without escapes: the bytes between the quotes are the text */
#define JSON_ESCAPED 5 /* with escapes: see json_decode */

/* The bytes to scan end at `end`. A scan that fails returns NULL: what == NULL means that it ran out of bytes where the
 * window ends and more may follow; else it says what is wrong at `bad`. */
struct json_cursor {
	const char *end;
	bool last; /* nothing follows the window */
	const char *bad, *what;
};

/* Where p < end stands on a scalar: the position behind it, its kind in *ret_kind. */
const char *json_scan_scalar(struct json_cursor *c, const char *p, uint8_t *ret_kind);
/* p < end stands on the opening quote. *ret_kind is JSON_STRING or JSON_ESCAPED. */
const char *json_scan_string(struct json_cursor *c, const char *p, uint8_t *ret_kind);
/* Records what is wrong, or that bytes are missing; both return NULL. */
const char *json_scan_bad(struct json_cursor *c, const char *at, const char *what);
const char *json_scan_cut(struct json_cursor *c);
#define JSON_MARKUP ((size_t)4096) /* bytes of a document that json_markup() looks at */
/* Of a document that begins with '<': fails with its words, which stand outside of tags. */
glane_rc json_markup(struct slice doc, struct diag *d);
/* Decodes the scanned text between two quotes into out, which has room for s.n bytes; returns the length. */
size_t json_decode(struct slice s, char *out);
/* The position behind a value of any kind; the text was scanned before, and p stands on the value. */
const char *json_pass(const char *p, const char *end);

static inline const char *json_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* As slice_eq(), without a call where the ends of two names of one length differ already. */
static inline bool json_same(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || (a.p && b.p && a.p[0] == b.p[0] && a.p[a.n - 1] == b.p[b.n - 1] &&
						  memcmp(a.p, b.p, a.n) == 0));
}

/* The number of leading bytes that p and q have in common, at most n. 16 bytes may be read at once, but none at or
 * behind end; p lies before q. */
static inline size_t json_common(const char *p, const char *q, size_t n, const char *end)
{
	size_t k = 0;
#if JSON_SSE2
	const size_t safe = (size_t)(end - q);

	while (k < n && k + 16 <= safe) {
		const unsigned same = json_block_mask((json_block)(json_block_at(p + k) == json_block_at(q + k)));

		if (same != 0xffff) {
			k += (unsigned)__builtin_ctz(~same);
			return k < n ? k : n;
		}
		k += 16;
	}
#endif
	if (n > (size_t)(end - q))
		n = (size_t)(end - q);
	while (k + 8 <= n && memcmp(p + k, q + k, 8) == 0)
		k += 8;
	while (k < n && p[k] == q[k])
		k++;
	return k < n ? k : n;
}
#endif
