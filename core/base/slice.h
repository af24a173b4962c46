/* SPDX-License-Identifier: MIT */
/* Borrowed text: pointer and length, no NUL at its end. p == NULL means absent, which differs from empty. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

#define SLICE(literal) ((struct slice){("" literal), sizeof(literal) - 1})
#define SLICE_FMT(s) (int)((s).n > 4096 ? 4096 : (s).n), ((s).p ? (s).p : "") /* for "%.*s" */

static inline struct slice slice_of(const char *cstr)
{
	return (struct slice){cstr, cstr ? strlen(cstr) : 0};
}
static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool slice_is(struct slice a, const char *cstr)
{
	return slice_eq(a, slice_of(cstr));
}
/* Bytewise order (unsigned), a shorter prefix first: the order of every key in the store. */
int slice_cmp(struct slice a, struct slice b);
/* Without blanks, tabs, CR, LF and U+00A0 at both ends. */
struct slice slice_trim(struct slice s);
/* Cuts s at the first c: returns what stands before it, and leaves the rest in *s (absent when no c was left). */
struct slice slice_cut(struct slice *s, char c);
bool slice_has_prefix(struct slice s, const char *prefix);
/* Whole decimal integer within [min, max]; false on anything else. */
bool slice_int(struct slice s, int64_t min, int64_t max, int64_t *ret);
/* True where every byte sequence is well-formed UTF-8 (no surrogates, no overlong forms). */
bool slice_is_utf8(struct slice s);
/* Length (1 to 4) of the well-formed UTF-8 character at the start of s; 0 where s is empty or malformed there. */
size_t slice_char(struct slice s);
/* Takes the first character off *s and writes it as logs, terminals and messages may show it: control characters (C0,
 * DEL, C1) and malformed bytes as \xNN. Returns the bytes written, without a NUL; 0 at the end. */
size_t slice_show(struct slice *s, char out[8]);
/* Characters to insert, drop or change until a is b, for "did you mean"; a text of more than 64 is like no other: SIZE_MAX. */
size_t slice_edits(struct slice a, struct slice b);
/* Adds s to the last bytes of a stream: `tail` has room for `cap` of them, *n are there. */
void slice_keep_tail(struct slice s, char *tail, size_t cap, size_t *n);
/* Glob with * and ?, for host and member names; the whole of s must match. */
bool slice_glob(struct slice s, const char *pattern);
#endif
