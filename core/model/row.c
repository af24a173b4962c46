/* SPDX-License-Identifier: MIT */
/* Order, equality and scaling of rows. */
#include "model/row.h"
#include "model/decimal.h"
#include "model/row_columns.h"

const char *const row_column_names[ROW_COLUMNS_ALL] = {
	"source",
	"dataset",
	"indicator",
	"area",
	"area_code",
	"dims",
	"freq",
	"period",
	"period_start",
	"value",
	"value_text",
	"unit",
	"unit_mult",
	"decimals",
	"status",
	"flags",
	"note",
	"recorded_at",
	"known_at",
	"event",
	"cause",
	"run",
	"payload",
};

const struct row_column row_columns[ROW_COLUMNS_ALL] = {
	{COLUMN_TEXT, offsetof(struct row, source)},
	{COLUMN_TEXT, offsetof(struct row, dataset)},
	{COLUMN_TEXT, offsetof(struct row, indicator)},
	{COLUMN_TEXT, offsetof(struct row, area)},
	{COLUMN_TEXT, offsetof(struct row, area_code)},
	{COLUMN_TEXT, offsetof(struct row, dims)},
	{COLUMN_FREQ, offsetof(struct row, freq)},
	{COLUMN_TEXT, offsetof(struct row, period)},
	{COLUMN_DAY, offsetof(struct row, period_start)},
	{COLUMN_VALUE, offsetof(struct row, value)},
	{COLUMN_TEXT, offsetof(struct row, value_text)},
	{COLUMN_TEXT, offsetof(struct row, unit)},
	{COLUMN_MULT, offsetof(struct row, unit_mult)},
	{COLUMN_PLACES, offsetof(struct row, decimals)},
	{COLUMN_STATUS, offsetof(struct row, status)},
	{COLUMN_TEXT, offsetof(struct row, flags)},
	{COLUMN_TEXT, offsetof(struct row, note)},
	{COLUMN_MOMENT, offsetof(struct row, recorded_at)},
	{COLUMN_MOMENT, offsetof(struct row, known_at)},
	{COLUMN_TEXT, offsetof(struct row, event)},
	{COLUMN_TEXT, offsetof(struct row, cause)},
	{COLUMN_TEXT, offsetof(struct row, run)},
	{COLUMN_TEXT, offsetof(struct row, payload)},
};

static int cmp_char(char a, char b)
{
	return (int)(unsigned char)a - (int)(unsigned char)b;
}

int row_cmp_series(const struct row *a, const struct row *b)
{
	int c = slice_cmp(a->source, b->source);

	if (c == 0)
		c = slice_cmp(a->dataset, b->dataset);
	if (c == 0)
		c = slice_cmp(a->indicator, b->indicator);
	if (c == 0)
		c = slice_cmp(a->area_code, b->area_code);
	if (c == 0)
		c = slice_cmp(a->dims, b->dims);
	return c ? c : cmp_char(a->freq, b->freq);
}

int row_cmp_key(const struct row *a, const struct row *b)
{
	int c = row_cmp_series(a, b);

	return c ? c : slice_cmp(a->period, b->period);
}

bool row_same_value(const struct row *a, const struct row *b)
{
	struct decimal x, y;

	if (slice_eq(a->value, b->value))
		return a->value.n || slice_eq(a->value_text, b->value_text);
	if (a->value.n == 0 || b->value.n == 0)
		return false;
	return decimal_parse(a->value, &x) == DECIMAL_OK && decimal_parse(b->value, &y) == DECIMAL_OK &&
	       decimal_cmp(x.coef, x.exp10, y.coef, y.exp10) == 0;
}

bool row_same_attributes(const struct row *a, const struct row *b)
{
	return a->unit_mult == b->unit_mult && a->decimals == b->decimals && a->status == b->status &&
	       slice_eq(a->value_text, b->value_text) && slice_eq(a->area, b->area) && slice_eq(a->unit, b->unit) &&
	       slice_eq(a->flags, b->flags) && slice_eq(a->note, b->note);
}

/* Copies the digits of a plain number without leading zeros; *ret_places digits stood behind the point, zeros too. */
static size_t take_digits(struct slice value, char *to, size_t *ret_places)
{
	size_t n = 0, places = 0;
	bool point = false;

	for (size_t i = 0; i < value.n; i++) {
		point |= value.p[i] == '.';
		if (value.p[i] < '0' || value.p[i] > '9')
			continue;
		places += point;
		if (n || value.p[i] != '0')
			to[n++] = value.p[i];
	}
	*ret_places = places;
	return n;
}

/* Moves the point of a plain number by `by` digits to the right, exactly, whatever its length. */
static void shift_point(struct strbuf *b, struct slice value, int by)
{
	size_t zeros = (size_t)(by < 0 ? -by : by);
	char *start = strbuf_room(b, 2 * (value.n + zeros) + 4), *to = start;
	size_t places, n;
	char *digits;

	if (!to)
		return;
	digits = to + value.n + zeros + 4; /* behind the longest "-0.000" */
	n = take_digits(value, digits, &places);
	if (value.p[0] == '-')
		*to++ = '-';
	for (; n && by > 0 && (size_t)by > places; by--)
		digits[n++] = '0';
	places = by > 0 && (size_t)by > places ? 0 : (size_t)((int64_t)places - by);
	if (n <= places) {
		*to++ = '0';
	} else {
		memmove(to, digits, n - places);
		to += n - places;
		digits += n - places;
		n = places;
	}
	if (places) {
		*to++ = '.';
		memset(to, '0', places - n);
		memmove(to + places - n, digits, n);
		to += places;
	}
	*to = '\0';
	b->n += (size_t)(to - start);
}

void row_scale(struct row *r, struct strbuf *scratch)
{
	size_t start = scratch->n;

	if (r->unit_mult < -DECIMAL_MAX_EXP || r->unit_mult > DECIMAL_MAX_EXP)
		return;
	if (r->value.n && r->unit_mult) {
		shift_point(scratch, r->value, r->unit_mult);
		if (!strbuf_ok(scratch))
			return;
		r->value = (struct slice){scratch->p + start, scratch->n - start};
		r->decimals = decimal_places(r->value);
	}
	r->unit_mult = 0;
}
