/* SPDX-License-Identifier: MIT */
/* The columns of a row as a table, for row_*.c only: how each is written, and where it stands in struct row. */
#ifndef MODEL_ROW_COLUMNS_H
#define MODEL_ROW_COLUMNS_H
#include "model/row.h"

enum row_kind {
	COLUMN_TEXT,   /* struct slice */
	COLUMN_VALUE,  /* struct slice: a plain number or nothing */
	COLUMN_FREQ,   /* char */
	COLUMN_STATUS, /* char */
	COLUMN_MULT,   /* int32_t */
	COLUMN_PLACES, /* int32_t, negative: nothing */
	COLUMN_DAY,    /* int64_t, days */
	COLUMN_MOMENT, /* int64_t, seconds */
};
struct row_column {
	enum row_kind kind;
	size_t offset;
};
extern const struct row_column row_columns[ROW_COLUMNS_ALL];
#endif
