/* SPDX-License-Identifier: MIT */
/* Rows as CSV and NDJSON lines. */
#include "base/clock.h"
#include "model/cell.h"
#include "model/row.h"
#include "model/row_columns.h"

#define FIXED_MAX 160     /* all cells of fixed kind, commas and the LF */
#define DAY_MIN (-719528) /* 0000-01-01 */
#define DAY_MAX 2932896   /* 9999-12-31 */

static struct slice text_at(const struct row *r, const struct row_column *c)
{
	struct slice s;

	memcpy(&s, (const char *)r + c->offset, sizeof(s));
	return s;
}

static int32_t int_at(const struct row *r, const struct row_column *c)
{
	int32_t v;

	memcpy(&v, (const char *)r + c->offset, sizeof(v));
	return v;
}

static int64_t time_at(const struct row *r, const struct row_column *c)
{
	int64_t v;

	memcpy(&v, (const char *)r + c->offset, sizeof(v));
	return v;
}

static char char_at(const struct row *r, const struct row_column *c)
{
	return *((const char *)r + c->offset);
}

static char *put_two(char *to, unsigned v)
{
	to[0] = (char)('0' + v / 10 % 10);
	to[1] = (char)('0' + v % 10);
	return to + 2;
}

static char *put_int(char *to, int32_t v)
{
	uint32_t u = v < 0 ? 0 - (uint32_t)v : (uint32_t)v;
	char digits[10];
	size_t n = 0;

	if (v < 0)
		*to++ = '-';
	do {
		digits[n++] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	while (n)
		*to++ = digits[--n];
	return to;
}

/* Days outside the years 0..9999 become the nearest one inside, as time_format() does it. */
static char *put_day(char *to, int64_t days)
{
	unsigned m, d;
	int64_t y;

	if (days < DAY_MIN)
		days = DAY_MIN;
	if (days > DAY_MAX)
		days = DAY_MAX;
	civil_from_days(days, &y, &m, &d);
	to = put_two(put_two(to, (unsigned)y / 100), (unsigned)y % 100);
	*to++ = '-';
	to = put_two(to, m);
	*to++ = '-';
	return put_two(to, d);
}

static char *put_moment(char *to, int64_t t)
{
	int64_t days = t / 86400 - (t % 86400 < 0);
	unsigned s = (unsigned)(t - days * 86400);

	to = put_day(to, days);
	*to++ = 'T';
	to = put_two(to, s / 3600);
	*to++ = ':';
	to = put_two(to, s / 60 % 60);
	*to++ = ':';
	to = put_two(to, s % 60);
	*to++ = 'Z';
	return to;
}

void row_csv_header(struct strbuf *b, int columns)
{
	for (int i = 0; i < columns; i++) {
		if (i)
			strbuf_putc(b, ',');
		strbuf_puts(b, row_column_names[i]);
	}
	strbuf_putc(b, '\n');
}

/* Bytes of all text of the first `columns` columns. */
static size_t text_bytes(const struct row *r, int columns)
{
	size_t n = 0;

	for (int i = 0; i < columns; i++)
		if (row_columns[i].kind == COLUMN_TEXT || row_columns[i].kind == COLUMN_VALUE)
			n += text_at(r, &row_columns[i]).n;
	return n;
}

static char *put_char(char *to, char c)
{
	*to = c;
	return to + (c != '\0');
}

static char *put_csv(char *to, const struct row *r, const struct row_column *c)
{
	switch (c->kind) {
	case COLUMN_TEXT:
	case COLUMN_VALUE:
		return cell_put(to, text_at(r, c));
	case COLUMN_FREQ:
	case COLUMN_STATUS:
		return put_char(to, char_at(r, c));
	case COLUMN_DAY:
		return put_day(to, time_at(r, c));
	case COLUMN_MOMENT:
		return put_moment(to, time_at(r, c));
	case COLUMN_MULT:
		return put_int(to, int_at(r, c));
	case COLUMN_PLACES:
		return int_at(r, c) < 0 ? to : put_int(to, int_at(r, c));
	}
	return to;
}

void row_csv(struct strbuf *b, const struct row *r, int columns)
{
	char *start =
		strbuf_room(b, CELL_MAX(text_bytes(r, columns)) + (size_t)ROW_COLUMNS_ALL * CELL_MAX(0) + FIXED_MAX);
	char *to = start;

	if (!to)
		return;
	for (int i = 0; i < columns; i++) {
		to = put_csv(to, r, &row_columns[i]);
		*to++ = ',';
	}
	to[-1] = '\n';
	*to = '\0';
	b->n += (size_t)(to - start);
}

static void add_escaped(struct strbuf *b, char c)
{
	static const char hex[] = "0123456789abcdef";
	char code[6] = {'\\', 'u', '0', '0', hex[(unsigned char)c >> 4], hex[c & 15]};

	if (c == '"' || c == '\\') {
		strbuf_putc(b, '\\');
		strbuf_putc(b, c);
	} else {
		strbuf_add(b, code, sizeof(code));
	}
}

/* RFC 8259 section 7. */
static void add_json_text(struct strbuf *b, struct slice s)
{
	size_t done = 0, n;

	strbuf_putc(b, '"');
	for (size_t i = 0; i < s.n; i += n) {
		char c = s.p[i];

		n = c & '\x80' ? slice_char((struct slice){s.p + i, s.n - i}) : 1;
		if (n && (unsigned char)c >= 0x20 && c != '"' && c != '\\')
			continue;
		strbuf_add(b, s.p + done, i - done);
		if (n)
			add_escaped(b, c);
		else
			strbuf_puts(b, "\xEF\xBF\xBD");
		n = 1;
		done = i + 1;
	}
	if (done < s.n)
		strbuf_add(b, s.p + done, s.n - done);
	strbuf_putc(b, '"');
}

/* JSON allows no leading zeros. */
static void add_json_number(struct strbuf *b, struct slice value)
{
	size_t at = value.n && value.p[0] == '-' ? 1 : 0;

	if (value.n == 0) {
		strbuf_puts(b, "null");
		return;
	}
	if (at)
		strbuf_putc(b, '-');
	while (at + 1 < value.n && value.p[at] == '0' && value.p[at + 1] != '.')
		at++;
	strbuf_add(b, value.p + at, value.n - at);
}

static void add_json(struct strbuf *b, const struct row *r, const struct row_column *c)
{
	char fixed[32], *end = fixed;

	switch (c->kind) {
	case COLUMN_TEXT:
		add_json_text(b, text_at(r, c));
		return;
	case COLUMN_VALUE:
		add_json_number(b, text_at(r, c));
		return;
	case COLUMN_MULT:
	case COLUMN_PLACES:
		if (c->kind == COLUMN_PLACES && int_at(r, c) < 0)
			strbuf_puts(b, "null");
		else
			strbuf_int(b, int_at(r, c));
		return;
	case COLUMN_FREQ:
	case COLUMN_STATUS:
		end = put_char(end, char_at(r, c));
		break;
	case COLUMN_DAY:
		end = put_day(end, time_at(r, c));
		break;
	case COLUMN_MOMENT:
		end = put_moment(end, time_at(r, c));
		break;
	}
	add_json_text(b, (struct slice){fixed, (size_t)(end - fixed)});
}

void row_ndjson(struct strbuf *b, const struct row *r, int columns)
{
	for (int i = 0; i < columns; i++) {
		strbuf_puts(b, i ? ",\"" : "{\"");
		strbuf_puts(b, row_column_names[i]);
		strbuf_puts(b, "\":");
		add_json(b, r, &row_columns[i]);
	}
	strbuf_puts(b, "}\n");
}
