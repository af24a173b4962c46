/* SPDX-License-Identifier: MIT */
/* Rows are collected, a block of each column at a time, and handed to the Parquet writer. */
#include "app/export_parquet.h"

#include "base/mem.h"
#include "model/decimal.h"
#include "store/parquet.h"

#define ROWS 1024
#define TEXT_BYTES ((size_t)32 << 20) /* of a block that is written before it has ROWS rows */

enum column { /* of DESIGN section 7, in its order */
	SOURCE,
	DATASET,
	INDICATOR,
	AREA,
	AREA_CODE,
	DIMS,
	FREQ,
	PERIOD,
	PERIOD_START,
	VALUE,
	VALUE_TEXT,
	UNIT,
	UNIT_MULT,
	DECIMALS,
	STATUS,
	FLAGS,
	NOTE,
	RECORDED_AT,
	KNOWN_AT,
	EVENT,
	CAUSE,
	RUN,
	PAYLOAD,
	COLUMNS,
};

_Static_assert(COLUMNS == ROW_COLUMNS_ALL, "every column of a row");

struct export_parquet {
	struct parquet_writer *w;
	size_t columns, rows;
	struct strbuf bytes; /* texts of the block */
	size_t at[COLUMNS][ROWS], length[COLUMNS][ROWS];
	struct slice text[COLUMNS][ROWS];
	double value[ROWS];
	uint8_t has_value[ROWS], has_decimals[ROWS];
	int32_t day[ROWS], unit_mult[ROWS], decimals[ROWS];
	int64_t recorded_at[ROWS], known_at[ROWS];
};

static enum parquet_type type_of(size_t c)
{
	switch (c) {
	case PERIOD_START:
		return PARQUET_DATE;
	case VALUE:
		return PARQUET_DOUBLE;
	case UNIT_MULT:
	case DECIMALS:
		return PARQUET_INT32;
	case RECORDED_AT:
	case KNOWN_AT:
		return PARQUET_TIMESTAMP;
	default:
		return PARQUET_TEXT;
	}
}

glane_rc export_parquet_open(int fd, int columns, struct export_parquet **ret, struct diag *d)
{
	static const uint32_t key[] = {SOURCE, DATASET, INDICATOR, AREA_CODE, DIMS, FREQ, PERIOD, RECORDED_AT};
	const struct parquet_options o = {.sorted = key, .n_sorted = sizeof(key) / sizeof(key[0])};
	struct parquet_column c[COLUMNS];
	struct export_parquet *e = mem_zalloc(1, sizeof(*e));
	glane_rc rc;

	if (!e)
		return fail(d, GLANE_E_NOMEM, "no memory for an export");
	strbuf_init(&e->bytes, 0);
	e->columns = (size_t)columns;
	for (size_t i = 0; i < e->columns; i++)
		c[i] = (struct parquet_column){
			.path = row_column_names[i], .type = type_of(i), .nullable = i == VALUE || i == DECIMALS};
	rc = parquet_writer_open(fd, c, e->columns, &o, &e->w, d);
	if (rc < 0) {
		export_parquet_free(e);
		return rc;
	}
	*ret = e;
	return GLANE_OK;
}

void export_parquet_free(struct export_parquet *e)
{
	if (!e)
		return;
	parquet_writer_free(e->w);
	strbuf_release(&e->bytes);
	mem_free(e);
}

static glane_rc flush(struct export_parquet *e, struct diag *d)
{
	struct parquet_vector v[COLUMNS];
	glane_rc rc;

	if (!strbuf_ok(&e->bytes))
		return fail(d, GLANE_E_NOMEM, "no memory for rows of an export");
	for (size_t c = 0; c < e->columns; c++) {
		for (size_t i = 0; type_of(c) == PARQUET_TEXT && i < e->rows; i++)
			e->text[c][i] =
				(struct slice){e->length[c][i] ? e->bytes.p + e->at[c][i] : "", e->length[c][i]};
		v[c] = (struct parquet_vector){.text = e->text[c]};
	}
	v[PERIOD_START].i32 = e->day;
	v[VALUE].f64 = e->value;
	v[VALUE].level = e->has_value;
	v[UNIT_MULT].i32 = e->unit_mult;
	v[DECIMALS].i32 = e->decimals;
	v[DECIMALS].level = e->has_decimals;
	v[RECORDED_AT].i64 = e->recorded_at;
	v[KNOWN_AT].i64 = e->known_at;
	rc = parquet_writer_add(e->w, v, e->rows, d);
	strbuf_reset(&e->bytes);
	e->rows = 0;
	return rc;
}

/* Equal to the row before it: the same bytes, so that the writer sees the run at once. */
static void put_text(struct export_parquet *e, enum column c, struct slice s)
{
	size_t i = e->rows, n = s.p ? s.n : 0;

	e->length[c][i] = n;
	if (i && e->length[c][i - 1] == n && n && strbuf_ok(&e->bytes) &&
		memcmp(e->bytes.p + e->at[c][i - 1], s.p, n) == 0) {
		e->at[c][i] = e->at[c][i - 1];
		return;
	}
	e->at[c][i] = e->bytes.n;
	if (n)
		strbuf_add(&e->bytes, s.p, n);
}

static struct slice one(const char *c)
{
	return (struct slice){c, *c != 0};
}

glane_rc export_parquet_row(struct export_parquet *e, const struct row *r, struct diag *d)
{
	const struct slice *const more[] = {&r->event, &r->cause, &r->run, &r->payload};
	size_t i = e->rows;

	put_text(e, SOURCE, r->source);
	put_text(e, DATASET, r->dataset);
	put_text(e, INDICATOR, r->indicator);
	put_text(e, AREA, r->area);
	put_text(e, AREA_CODE, r->area_code);
	put_text(e, DIMS, r->dims);
	put_text(e, FREQ, one(&r->freq));
	put_text(e, PERIOD, r->period);
	put_text(e, VALUE_TEXT, r->value_text);
	put_text(e, UNIT, r->unit);
	put_text(e, STATUS, one(&r->status));
	put_text(e, FLAGS, r->flags);
	put_text(e, NOTE, r->note);
	for (size_t c = EVENT; c < e->columns; c++)
		put_text(e, (enum column)c, *more[c - EVENT]);
	e->has_value[i] = r->value.n > 0;
	e->value[i] = r->value.n ? decimal_text_double(r->value) : 0;
	e->day[i] = (int32_t)r->period_start;
	e->unit_mult[i] = r->unit_mult;
	e->has_decimals[i] = r->decimals >= 0;
	e->decimals[i] = r->decimals;
	e->recorded_at[i] = r->recorded_at * 1000000;
	e->known_at[i] = r->known_at * 1000000;
	e->rows++;
	return e->rows == ROWS || e->bytes.n > TEXT_BYTES ? flush(e, d) : GLANE_OK;
}

glane_rc export_parquet_finish(struct export_parquet *e, struct diag *d)
{
	glane_rc rc = flush(e, d);

	return rc < 0 ? rc : parquet_writer_finish(e->w, NULL, d);
}
