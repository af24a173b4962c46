/* SPDX-License-Identifier: MIT */
/* Rows and series as records of Parquet files: one table of columns says what is written and how it is read back. */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H
#include "base/sha256.h"
#include "model/row.h"
#include "store/delta.h"

/* One row of the table `series`. */
struct series_row {
	struct slice source, dataset, indicator, area, area_code, dims;
	char freq;
	struct slice unit;
	int32_t unit_mult;
	struct slice title, area_title, licence, attribution;
	struct slice updated;                   /* the provider's own stamp, as published */
	struct slice first_period, last_period; /* of live observations; "": none */
	int64_t observations;                   /* live ones */
	int64_t recorded_at;                    /* of its newest event */
};

/* The key without the period, and the area; its texts are those of s. */
static inline struct row series_row_key(const struct series_row *s)
{
	return (struct row){.source = s->source,
		.dataset = s->dataset,
		.indicator = s->indicator,
		.area = s->area,
		.area_code = s->area_code,
		.dims = s->dims,
		.freq = s->freq};
}

enum { LAKE_STREAM, LAKE_CURRENT, LAKE_SERIES, LAKE_TABLES };
extern const struct delta_schema lake_schemas[LAKE_TABLES];
#define RECORD_COLUMNS_MAX 32

/* A new data file, written column by column in batches; its SHA-256 and statistics come with it. */
struct record_writer {
	int table, fd;
	struct parquet_writer *parquet;
	struct sha256 hash;
	struct record_batch *batch;
	char name[DELTA_NAME]; /* for messages */
	uint64_t rows;
};
/* Creates `name` in the folder; one that a killed run left is removed. */
glane_rc record_writer_open(struct record_writer *w, int table, int dir, const char *name, struct diag *d);
/* `record` is a struct row, or a struct series_row for LAKE_SERIES. GLANE_E_DATA: a row that would not come back as it is. */
glane_rc record_writer_put(struct record_writer *w, const void *record, struct diag *d);
struct record_reader;
/* Rows [from, from + n) of the reader's present batch, of a table with the same columns: column by column, as they are. */
glane_rc record_writer_copy(
	struct record_writer *w, const struct record_reader *r, size_t from, size_t n, struct diag *d);
/* Ends and syncs the file; fills bytes, stats, sha256 and rows, whose texts go to the arena. */
glane_rc record_writer_finish(struct record_writer *w, struct arena *a, struct delta_file *ret, struct diag *d);
void record_writer_close(struct record_writer *w); /* half-built or finished */

/* A data file read in order. */
struct record_reader {
	int table, fd;
	struct parquet_reader *parquet;
	struct parquet_vector v[RECORD_COLUMNS_MAX];
	size_t rows, at; /* of the batch */
	union {
		struct row row;
		struct series_row series;
	} same;                              /* the cells of columns that are the same in the whole batch */
	uint8_t varying[RECORD_COLUMNS_MAX]; /* the other columns */
	size_t n_varying;
	struct strbuf scratch;
	char name[DELTA_NAME + 16]; /* "stream/FILE", for messages */
};
/* Opens a file of the table; another size than `bytes` is damage. */
glane_rc record_reader_open(struct record_reader *r, int table, int dir, const struct delta_file *f, struct diag *d);
/* The next record, of the table's struct; its texts are borrowed until the next call. GLANE_END at the end.
 * GLANE_E_IO: damaged. */
glane_rc record_reader_next(struct record_reader *r, void *ret, struct diag *d);
void record_reader_close(struct record_reader *r);

/* Columns by which rows (and, but for the period, series) are asked for. */
enum {
	RECORD_DATASET = 1,
	RECORD_INDICATOR,
	RECORD_AREA,
	RECORD_AREA_CODE,
	RECORD_DIMS,
	RECORD_FREQ,
	RECORD_PERIOD_START = 8,
};
#define RECORD_TESTS_MAX PARQUET_TESTS_MAX
struct record_test { /* of one of them; texts by a function, period_start by a range of days */
	size_t column;
	bool (*fits)(const void *arg, struct slice text);
	bool (*may_fit)(
		const void *arg, struct slice min, struct slice max); /* any text from min to max; NULL: who knows */
	const void *arg;
	int64_t min, max;
};
struct record_tests { /* a row passes all of them */
	struct record_test v[RECORD_TESTS_MAX];
	size_t n;
};
/* Leaves out those of the area, which is no part of the key: an older event with another one is not the state that is asked for. */
void record_tests_of_key(struct record_tests *t);
/* False: by the statistics of its add no row of the file passes. They are believed here: `check --store`
 * finds those that are wrong. */
bool record_file_may(int table, const struct delta_file *f, const struct record_tests *tests);
/* The first and the last recorded_at in a file, by its add; false: not known. */
bool record_file_span(const struct delta_file *f, int64_t *ret_first, int64_t *ret_last);
/* After opening: only rows that pass are given. Row groups go by the footer's statistics. `tests` outlives the reader. */
glane_rc record_reader_where(struct record_reader *r, const struct record_tests *tests, struct diag *d);
/* Name of the first column in which the last record is outside the footer's bounds of its row group; NULL: none is. */
const char *record_outside_group(const struct record_reader *r);

/* record_*.c only: */
enum record_kind {
	RECORD_TEXT,   /* struct slice; "" is null where the column is nullable */
	RECORD_LETTER, /* char */
	RECORD_VALUE,  /* struct slice, a plain number: a double; see record_value() */
	RECORD_INT,    /* int32_t */
	RECORD_PLACES, /* int32_t, negative: null */
	RECORD_DAY,    /* int64_t */
	RECORD_MOMENT, /* int64_t, seconds; in the file microseconds */
	RECORD_COUNT,  /* int64_t */
};
struct record_field {
	enum record_kind kind;
	size_t offset;
};
extern const struct record_field *const record_fields[LAKE_TABLES];
/* The plain text of a number: of value_text where that is one, else the double with so many decimals. Appended to b; nothing
 * where it cannot be (not finite, too many decimals). */
void record_value(struct strbuf *b, double value, int32_t decimals, struct slice value_text);
/* Statistics of an add. */
void record_stats(struct strbuf *b, int table, const struct parquet_summary *s);
#endif
