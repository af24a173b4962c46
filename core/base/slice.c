/* SPDX-License-Identifier: MIT */
/* Borrowed text: comparing, cutting, checking. */
#include "base/slice.h"

int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n && a.p != b.p ? memcmp(a.p, b.p, n) : 0;

	if (c)
		return c;
	return (a.n > b.n) - (a.n < b.n);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	for (;;) {
		if (s.n >= 1 && is_blank(s.p[0])) {
			s.p++;
			s.n--;
		} else if (s.n >= 2 && memcmp(s.p, "\xC2\xA0", 2) == 0) {
			s.p += 2;
			s.n -= 2;
		} else {
			break;
		}
	}
	for (;;) {
		if (s.n >= 1 && is_blank(s.p[s.n - 1]))
			s.n--;
		else if (s.n >= 2 && memcmp(s.p + s.n - 2, "\xC2\xA0", 2) == 0)
			s.n -= 2;
		else
			return s;
	}
}

struct slice slice_cut(struct slice *s, char c)
{
	struct slice head = *s;
	const char *at = s->n ? memchr(s->p, c, s->n) : NULL;

	if (!at) {
		*s = (struct slice){NULL, 0};
		return head;
	}
	head.n = (size_t)(at - s->p);
	s->p = at + 1;
	s->n -= head.n + 1;
	return head;
}

bool slice_has_prefix(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

bool slice_int(struct slice s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = s.n && s.p[0] == '-';
	int64_t v = 0;

	if (s.n == negative)
		return false;
	for (size_t i = negative; i < s.n; i++) {
		int digit = s.p[i] - '0';

		if (digit < 0 || digit > 9)
			return false;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v))
			return false;
	}
	/* Collected below zero, because INT64_MIN has no positive counterpart. */
	if (!negative && __builtin_sub_overflow(0, v, &v))
		return false;
	if (v < min || v > max)
		return false;
	*ret = v;
	return true;
}

/* Unicode 15, table 3-7: well-formed UTF-8 byte sequences. */
size_t slice_char(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned lo = 0x80, hi = 0xBF;
	size_t n;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xC2 && p[0] <= 0xDF) {
		n = 2;
	} else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
		n = 3;
		lo = p[0] == 0xE0 ? 0xA0 : lo;
		hi = p[0] == 0xED ? 0x9F : hi;
	} else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
		n = 4;
		lo = p[0] == 0xF0 ? 0x90 : lo;
		hi = p[0] == 0xF4 ? 0x8F : hi;
	} else {
		return 0;
	}
	if (s.n < n || p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	}
	return n;
}

size_t slice_show(struct slice *s, char out[8])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = slice_char(*s), k = 0;
	unsigned char c;

	if (s->n == 0)
		return 0;
	c = (unsigned char)s->p[0];
	if ((n == 1 && c >= 0x20 && c != 0x7F) || n > 2 || (n == 2 && !(c == 0xC2 && (unsigned char)s->p[1] < 0xA0))) {
		memcpy(out, s->p, n);
		k = n;
	} else {
		n = n ? n : 1;
		for (size_t i = 0; i < n; i++) {
			c = (unsigned char)s->p[i];
			out[k++] = '\\';
			out[k++] = 'x';
			out[k++] = hex[c >> 4];
			out[k++] = hex[c & 15];
		}
	}
	s->p += n;
	s->n -= n;
	return k;
}

bool slice_is_utf8(struct slice s)
{
	while (s.n) {
		size_t n = 0;
		uint64_t word;

		for (; s.n - n >= sizeof(word); n += sizeof(word)) {
			memcpy(&word, s.p + n, sizeof(word));
			if (word & UINT64_C(0x8080808080808080))
				break;
		}
		if (n == 0)
			n = slice_char(s);
		if (n == 0)
			return false;
		s.p += n;
		s.n -= n;
	}
	return true;
}

void slice_keep_tail(struct slice s, char *tail, size_t cap, size_t *n)
{
	size_t kept;

	if (!s.n)
		return;
	if (s.n > cap)
		s = (struct slice){s.p + (s.n - cap), cap};
	kept = *n + s.n > cap ? cap - s.n : *n;
	memmove(tail, tail + (*n - kept), kept);
	memcpy(tail + kept, s.p, s.n);
	*n = kept + s.n;
}

bool slice_glob(struct slice s, const char *pattern)
{
	const char *star = NULL;
	struct slice retry = s;

	for (;;) {
		size_t n = slice_char(s);

		if (*pattern == '*') {
			star = ++pattern;
			retry = s;
		} else if (s.n && (*pattern == '?' || (*pattern && *pattern == *s.p))) {
			n = *pattern == '?' && n ? n : 1;
			pattern++;
			s.p += n;
			s.n -= n;
		} else if (s.n == 0 && !*pattern) {
			return true;
		} else if (star && retry.n) {
			retry.p++;
			retry.n--;
			s = retry;
			pattern = star;
		} else {
			return false;
		}
	}
}

size_t slice_edits(struct slice a, struct slice b)
{
	size_t row[64 + 1];

	if (a.n > 64 || b.n > 64)
		return SIZE_MAX;
	for (size_t k = 0; k <= b.n; k++)
		row[k] = k;
	for (size_t i = 0; i < a.n; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t k = 1; k <= b.n; k++) {
			const size_t changed = corner + (a.p[i] != b.p[k - 1]);
			const size_t moved = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;

			corner = row[k];
			row[k] = changed < moved ? changed : moved;
		}
	}
	return row[b.n];
}
