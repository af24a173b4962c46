/* SPDX-License-Identifier: MIT */
/* Rows read back from CSV lines. */
#include "base/clock.h"
#include "model/cell.h"
#include "model/period.h"
#include "model/row.h"
#include "model/row_columns.h"
#include "model/status.h"

static bool is_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* [-]digits[.digits], or nothing. */
static bool is_plain_number(struct slice s)
{
	struct slice whole;

	if (s.n == 0)
		return true;
	if (s.p[0] == '-')
		s = (struct slice){s.p + 1, s.n - 1};
	whole = slice_cut(&s, '.');
	return is_digits(whole) && (!s.p || is_digits(s));
}

static bool is_event(struct slice s)
{
	return s.n == 0 || slice_is(s, "new") || slice_is(s, "revised") || slice_is(s, "status") ||
	       slice_is(s, "withdrawn") || slice_is(s, "restored");
}

static bool take_two(const char *p, unsigned max, unsigned *ret)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*ret = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
	return *ret <= max;
}

/* YYYY-MM-DD, as put_day() writes it. */
static bool take_day(struct slice s, int64_t *ret)
{
	unsigned century, year, m, d;
	int64_t y;

	if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !take_two(s.p, 99, &century) ||
		!take_two(s.p + 2, 99, &year) || !take_two(s.p + 5, 12, &m) || !take_two(s.p + 8, 31, &d))
		return false;
	y = (int64_t)century * 100 + year;
	if (m == 0 || d == 0 || d > days_in_month(y, m))
		return false;
	*ret = days_from_civil(y, m, d);
	return true;
}

/* YYYY-MM-DDTHH:MM:SSZ, as put_moment() writes it. */
static bool take_moment(struct slice s, int64_t *ret)
{
	unsigned h, m, sec;
	int64_t day;

	if (s.n != 20 || s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' || s.p[19] != 'Z' ||
		!take_day((struct slice){s.p, 10}, &day))
		return false;
	if (!take_two(s.p + 11, 23, &h) || !take_two(s.p + 14, 59, &m) || !take_two(s.p + 17, 59, &sec))
		return false;
	*ret = day * 86400 + (int64_t)h * 3600 + (int64_t)m * 60 + sec;
	return true;
}

static bool take_int(struct slice s, int64_t min, int32_t *ret)
{
	int64_t v;

	if (!slice_int(s, min, INT32_MAX, &v))
		return false;
	*ret = (int32_t)v;
	return true;
}

static bool take_time(const struct row_column *c, struct slice cell, char *member)
{
	int64_t v;

	if (!(c->kind == COLUMN_DAY ? take_day(cell, &v) : take_moment(cell, &v)))
		return false;
	memcpy(member, &v, sizeof(v));
	return true;
}

static bool take_number(const struct row_column *c, struct slice cell, char *member)
{
	int32_t v = -1;

	if (!(c->kind == COLUMN_PLACES && cell.n == 0) && !take_int(cell, c->kind == COLUMN_PLACES ? 0 : INT32_MIN, &v))
		return false;
	memcpy(member, &v, sizeof(v));
	return true;
}

/* Checks a cell and stores it. */
static bool take_cell(const struct row_column *c, struct slice cell, struct row *r)
{
	char *member = (char *)r + c->offset;

	switch (c->kind) {
	case COLUMN_DAY:
	case COLUMN_MOMENT:
		return take_time(c, cell, member);
	case COLUMN_MULT:
	case COLUMN_PLACES:
		return take_number(c, cell, member);
	case COLUMN_FREQ:
	case COLUMN_STATUS:
		if (cell.n != 1 || !(c->kind == COLUMN_FREQ ? period_freq_ok(cell.p[0]) : status_ok(cell.p[0])))
			return false;
		*member = cell.p[0];
		return true;
	case COLUMN_VALUE:
		if (!is_plain_number(cell))
			return false;
		break;
	case COLUMN_TEXT:
		if (c->offset == offsetof(struct row, event) && !is_event(cell))
			return false;
		break;
	}
	memcpy(member, &cell, sizeof(cell));
	return true;
}

static glane_rc bad_cell(struct diag *d, int column, struct slice cell)
{
	return fail(d, GLANE_E_FORMAT, "column %s: '%.*s' cannot stand there; was the row written by another program?",
		row_column_names[column], SLICE_FMT(cell));
}

glane_rc row_parse_csv(struct slice line, int columns, struct strbuf *scratch, struct row *ret, struct diag *d)
{
	struct slice cell, rest = line;
	struct row r = {.decimals = -1};
	char *spare;

	strbuf_reset(scratch);
	spare = strbuf_room(scratch, line.n);
	if (!spare)
		return fail(d, GLANE_E_NOMEM, "a row of %zu bytes: no memory to read it", line.n);
	if (rest.n && rest.p[rest.n - 1] == '\n')
		rest.n--;
	for (int i = 0; i < columns; i++) {
		if (!rest.p)
			return fail(d, GLANE_E_FORMAT, "a row ends before column %s; is the file cut short?",
				row_column_names[i]);
		if (!cell_next(&rest, &spare, &cell))
			return fail(d, GLANE_E_FORMAT, "column %s: a quote or line break where none may be",
				row_column_names[i]);
		if (!take_cell(&row_columns[i], cell, &r))
			return bad_cell(d, i, cell);
	}
	if (rest.p)
		return fail(d, GLANE_E_FORMAT, "a row has more than %d columns", columns);
	if ((r.value.n == 0) != (r.decimals < 0))
		return fail(d, GLANE_E_FORMAT, "columns value and decimals: one is empty, the other is not");
	*ret = r;
	return GLANE_OK;
}
