/* SPDX-License-Identifier: MIT */
/* Widths of characters and cells. */
#include "app/columns.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct range {
	uint32_t first, last;
};
/* Of Unicode's EastAsianWidth.txt the wide and fullwidth blocks; of its general categories the marks that take no column. */
static const struct range wide[] = {{0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0xA4CF}, {0xA960, 0xA97F},
	{0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
	{0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
static const struct range none[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
	{0x064B, 0x065F}, {0x093C, 0x093C}, {0x094D, 0x094D}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},
	{0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
	{0xFEFF, 0xFEFF}};

static bool is_in(const struct range *r, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++) {
		if (c >= r[i].first && c <= r[i].last)
			return true;
	}
	return false;
}

static uint32_t code_point(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t c = n > 1 ? u[0] & (0xFFU >> (n + 1)) : u[0];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (u[i] & 0x3FU);
	return c;
}

/* The next character as it may be shown, and its columns. */
static size_t next_char(struct slice *s, char out[8], size_t *ret_columns)
{
	size_t whole = slice_char(*s), n;
	uint32_t c = whole ? code_point(s->p, whole) : 0;

	n = slice_show(s, out);
	if (whole < 2 || n != whole)
		*ret_columns = n;
	else if (is_in(none, sizeof(none) / sizeof(none[0]), c))
		*ret_columns = 0;
	else
		*ret_columns = is_in(wide, sizeof(wide) / sizeof(wide[0]), c) ? 2 : 1;
	return n;
}

size_t text_width(struct slice s)
{
	size_t width = 0, columns;
	char out[8];

	while (next_char(&s, out, &columns))
		width += columns;
	return width;
}

static void put_blanks(struct strbuf *b, size_t n)
{
	while (n--)
		strbuf_putc(b, ' ');
}

/* As many characters as have room; returns their columns. */
static size_t put_within(struct strbuf *b, struct slice s, size_t room)
{
	size_t used = 0, columns, n;
	char out[8];

	while ((n = next_char(&s, out, &columns)) && used + columns <= room) {
		strbuf_add(b, out, n);
		used += columns;
	}
	return used;
}

void put_text(struct strbuf *b, struct slice s, size_t width, enum align align, bool ascii)
{
	const struct slice dots = ascii ? SLICE("...") : SLICE("\xe2\x80\xa6");
	size_t have = text_width(s), used;

	if (width == 0) {
		(void)put_within(b, s, SIZE_MAX);
		return;
	}
	if (have > width) {
		used = width > text_width(dots) ? put_within(b, s, width - text_width(dots)) : 0;
		used += put_within(b, dots, width - used);
		put_blanks(b, width - used);
		return;
	}
	if (align == ALIGN_RIGHT)
		put_blanks(b, width - have);
	(void)put_within(b, s, have);
	if (align == ALIGN_LEFT)
		put_blanks(b, width - have);
}

bool locale_is_ascii(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return !strcasestr(value, "UTF-8") && !strcasestr(value, "UTF8");
	}
	return true;
}
