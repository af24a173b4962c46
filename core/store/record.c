/* SPDX-License-Identifier: MIT */
/* The columns of the three tables. */
#include "store/record.h"
#include "base/clock.h"
#include "model/decimal.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define ROW_FIELD(k, member)                                                                                           \
	{                                                                                                              \
		RECORD_##k, offsetof(struct row, member)                                                               \
	}
static const struct record_field row_fields[] = {ROW_FIELD(TEXT, source), ROW_FIELD(TEXT, dataset),
	ROW_FIELD(TEXT, indicator), ROW_FIELD(TEXT, area), ROW_FIELD(TEXT, area_code), ROW_FIELD(TEXT, dims),
	ROW_FIELD(LETTER, freq), ROW_FIELD(TEXT, period), ROW_FIELD(DAY, period_start), ROW_FIELD(VALUE, value),
	ROW_FIELD(TEXT, value_text), ROW_FIELD(TEXT, unit), ROW_FIELD(INT, unit_mult), ROW_FIELD(PLACES, decimals),
	ROW_FIELD(LETTER, status), ROW_FIELD(TEXT, flags), ROW_FIELD(TEXT, note), ROW_FIELD(MOMENT, recorded_at),
	ROW_FIELD(MOMENT, known_at), ROW_FIELD(TEXT, event), ROW_FIELD(TEXT, cause), ROW_FIELD(TEXT, run),
	ROW_FIELD(TEXT, payload)};

#define COLUMN(name, kind)                                                                                             \
	{                                                                                                              \
		.path = (name), .type = PARQUET_##kind                                                                 \
	}
#define OPTIONAL(name, kind)                                                                                           \
	{                                                                                                              \
		.path = (name), .type = PARQUET_##kind, .nullable = true                                               \
	}
static const struct parquet_column row_parquet[] = {COLUMN("source", TEXT), COLUMN("dataset", TEXT),
	COLUMN("indicator", TEXT), COLUMN("area", TEXT), COLUMN("area_code", TEXT), COLUMN("dims", TEXT),
	COLUMN("freq", TEXT), COLUMN("period", TEXT), COLUMN("period_start", DATE), OPTIONAL("value", DOUBLE),
	OPTIONAL("value_text", TEXT), OPTIONAL("unit", TEXT), COLUMN("unit_mult", INT32), OPTIONAL("decimals", INT32),
	COLUMN("status", TEXT), OPTIONAL("flags", TEXT), OPTIONAL("note", TEXT), COLUMN("recorded_at", TIMESTAMP),
	COLUMN("known_at", TIMESTAMP), COLUMN("event", TEXT), COLUMN("cause", TEXT), COLUMN("run", TEXT),
	OPTIONAL("payload", TEXT)};

#define SERIES_FIELD(k, member)                                                                                        \
	{                                                                                                              \
		RECORD_##k, offsetof(struct series_row, member)                                                        \
	}
static const struct record_field series_fields[] = {SERIES_FIELD(TEXT, source), SERIES_FIELD(TEXT, dataset),
	SERIES_FIELD(TEXT, indicator), SERIES_FIELD(TEXT, area), SERIES_FIELD(TEXT, area_code),
	SERIES_FIELD(TEXT, dims), SERIES_FIELD(LETTER, freq), SERIES_FIELD(TEXT, unit), SERIES_FIELD(INT, unit_mult),
	SERIES_FIELD(TEXT, title), SERIES_FIELD(TEXT, area_title), SERIES_FIELD(TEXT, licence),
	SERIES_FIELD(TEXT, attribution), SERIES_FIELD(TEXT, updated), SERIES_FIELD(TEXT, first_period),
	SERIES_FIELD(TEXT, last_period), SERIES_FIELD(COUNT, observations), SERIES_FIELD(MOMENT, recorded_at)};
static const struct parquet_column series_parquet[] = {COLUMN("source", TEXT), COLUMN("dataset", TEXT),
	COLUMN("indicator", TEXT), COLUMN("area", TEXT), COLUMN("area_code", TEXT), COLUMN("dims", TEXT),
	COLUMN("freq", TEXT), OPTIONAL("unit", TEXT), COLUMN("unit_mult", INT32), OPTIONAL("title", TEXT),
	OPTIONAL("area_title", TEXT), OPTIONAL("licence", TEXT), OPTIONAL("attribution", TEXT),
	OPTIONAL("updated", TEXT), OPTIONAL("first_period", TEXT), OPTIONAL("last_period", TEXT),
	COLUMN("observations", INT64), COLUMN("recorded_at", TIMESTAMP)};

#define N(a) (sizeof(a) / sizeof(*(a)))
_Static_assert(N(row_fields) == ROW_COLUMNS_ALL && N(row_parquet) == ROW_COLUMNS_ALL, "every column of a row");
_Static_assert(N(series_fields) == N(series_parquet) && N(series_fields) <= RECORD_COLUMNS_MAX, "every column");

const struct record_field *const record_fields[LAKE_TABLES] = {row_fields, row_fields, series_fields};

/* The ids are the tables' for good: a store is told from another by its folder. */
const struct delta_schema lake_schemas[LAKE_TABLES] = {
	{"stream", "One row per event: every vintage of every observation.", row_parquet, N(row_parquet), true},
	{"current", "The latest state of every observation, withdrawn ones too.", row_parquet, N(row_parquet), false},
	{"series", "One row per series: titles, unit, licence, extent.", series_parquet, N(series_parquet), false},
};

static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

void record_value(struct strbuf *b, double value, int32_t decimals, struct slice value_text)
{
	struct decimal parsed;
	enum decimal_kind kind = value_text.n ? decimal_parse(value_text, &parsed) : DECIMAL_TEXT;

	if (kind == DECIMAL_OK || kind == DECIMAL_LONG) {
		decimal_expand(b, value_text);
		return;
	}
	if (decimals < 0 || decimals > DECIMAL_MAX_EXP + DECIMAL_MAX_DIGITS || !isfinite(value))
		return;
	/* Below 10^15 the nearest integer of value * 10^decimals is the coefficient that value is nearest to. */
	if (decimals < (int32_t)N(powers) && fabs(value) * powers[decimals] < 1e15) {
		int64_t coef = llround(value * powers[decimals]);

		if ((double)coef / powers[decimals] == value) {
			decimal_print(b, coef, -decimals);
			return;
		}
	}
	strbuf_fmt(b, "%.*f", (int)decimals, value);
}

static void put_moment(struct strbuf *b, int64_t us)
{
	char text[32];

	time_format(us / 1000000, text);
	strbuf_fmt(b, "\"%.19s.000Z\"", text);
}

static void put_day(struct strbuf *b, int64_t days)
{
	unsigned m, day;
	int64_t y;

	civil_from_days(days, &y, &m, &day);
	strbuf_fmt(b, "\"%04" PRId64 "-%02u-%02u\"", y, m, day);
}

/* A JSON string; the bounds of the writer are UTF-8. */
static void put_text(struct strbuf *b, struct slice s)
{
	strbuf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			strbuf_fmt(b, "\\%c", c);
		else if (c < 0x20)
			strbuf_fmt(b, "\\u%04x", c);
		else
			strbuf_putc(b, (char)c);
	}
	strbuf_putc(b, '"');
}

static void put_bound(struct strbuf *b, const struct parquet_column *c, const struct parquet_stats *s, bool max)
{
	int64_t v = max ? s->max_int : s->min_int;

	switch (c->type) {
	case PARQUET_TEXT:
		put_text(b, max ? s->max_text : s->min_text);
		break;
	case PARQUET_DOUBLE:
		strbuf_fmt(b, "%.17g", max ? s->max_f64 : s->min_f64);
		break;
	case PARQUET_DATE:
		put_day(b, v);
		break;
	case PARQUET_TIMESTAMP:
		put_moment(b, v);
		break;
	case PARQUET_BOOL:
		strbuf_puts(b, v ? "true" : "false");
		break;
	case PARQUET_INT8:
	case PARQUET_INT16:
	case PARQUET_INT32:
	case PARQUET_INT64:
		strbuf_int(b, v);
		break;
	}
}

static void put_bounds(struct strbuf *b, int table, const struct parquet_summary *s, bool max)
{
	const struct delta_schema *schema = &lake_schemas[table];
	bool more = false;

	strbuf_fmt(b, ",\"%s\":{", max ? "maxValues" : "minValues");
	for (size_t i = 0; i < schema->n; i++) {
		if (!s->column[i].has_bounds)
			continue;
		strbuf_fmt(b, "%s\"%s\":", more ? "," : "", schema->columns[i].path);
		put_bound(b, &schema->columns[i], &s->column[i], max);
		more = true;
	}
	strbuf_putc(b, '}');
}

void record_stats(struct strbuf *b, int table, const struct parquet_summary *s)
{
	const struct delta_schema *schema = &lake_schemas[table];

	strbuf_fmt(b, "{\"numRecords\":%" PRIu64, s->rows);
	put_bounds(b, table, s, false);
	put_bounds(b, table, s, true);
	strbuf_puts(b, ",\"nullCount\":{");
	for (size_t i = 0; i < schema->n; i++)
		strbuf_fmt(b, "%s\"%s\":%" PRIu64, i ? "," : "", schema->columns[i].path, s->column[i].nulls);
	strbuf_puts(b, "}}");
}
