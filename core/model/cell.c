/* SPDX-License-Identifier: MIT */
/* Cells of the CSV that glane itself writes and keeps. */
#include "model/cell.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* Non-zero where one of the eight bytes is c. */
static uint64_t has_byte(uint64_t v, unsigned char c)
{
	uint64_t x = v ^ (ONES * c);

	return (x - ONES) & ~x & HIGHS;
}

static bool is_special(char c)
{
	return c == ',' || c == '"' || c == '\n' || c == '\r';
}

/* Copies and looks at eight bytes at a time: rows are written by the million, and hardly any cell needs quotes. */
static bool copy_plain(char *to, const char *from, size_t n)
{
	uint64_t found = 0;
	bool special = false;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t v;

		memcpy(&v, from + i, 8);
		memcpy(to + i, &v, 8);
		found |= has_byte(v, ',') | has_byte(v, '"') | has_byte(v, '\n') | has_byte(v, '\r');
	}
	for (; i < n; i++) {
		to[i] = from[i];
		special |= is_special(from[i]);
	}
	return !found && !special;
}

char *cell_put(char *to, struct slice s)
{
	if (copy_plain(to, s.p, s.n))
		return to + s.n;
	*to++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			*to++ = '"';
		*to++ = s.p[i];
	}
	*to++ = '"';
	return to;
}

/* The text between two quotes; *end is behind the closing one. */
static bool take_quoted(struct slice s, char **spare, struct slice *ret, size_t *end)
{
	char *to = *spare;
	size_t doubled = 0, i = 1;

	for (;; i++) {
		if (i >= s.n)
			return false;
		if (s.p[i] == '"') {
			if (i + 1 >= s.n || s.p[i + 1] != '"')
				break;
			doubled++;
			i++;
		}
	}
	*end = i + 1;
	*ret = (struct slice){s.p + 1, i - 1};
	if (doubled == 0)
		return true;
	for (size_t k = 1; k < i; k++) {
		*to++ = s.p[k];
		k += s.p[k] == '"';
	}
	*ret = (struct slice){*spare, (size_t)(to - *spare)};
	*spare = to;
	return true;
}

bool cell_next(struct slice *rest, char **spare, struct slice *ret)
{
	size_t end = 0;

	if (rest->n && rest->p[0] == '"') {
		if (!take_quoted(*rest, spare, ret, &end) || (end < rest->n && rest->p[end] != ','))
			return false;
	} else {
		while (end < rest->n && !is_special(rest->p[end]))
			end++;
		if (end < rest->n && rest->p[end] != ',')
			return false;
		*ret = (struct slice){rest->p, end};
	}
	if (end < rest->n)
		*rest = (struct slice){rest->p + end + 1, rest->n - end - 1};
	else
		*rest = (struct slice){NULL, 0};
	return true;
}
