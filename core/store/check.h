/* SPDX-License-Identifier: MIT */
/* What check*.c share; nobody else includes this. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H
#include "base/json.h"
#include "store/lake.h"

struct check {
	const struct store *s;
	struct strbuf *b;
	uint64_t rows, findings;
	struct diag *d;
};
/* Notes a finding, where own has one. It ends nothing; no memory does. */
glane_rc check_found(struct check *c, const struct diag *own);
/* Logs, checkpoints and data files of the three tables. */
glane_rc check_tables(struct check *c);
/* Statistics of a file against its rows: the name of the first column that is outside its bounds, or whose nulls are not as
 * many as it says; NULL: all is true. */
struct stats_check {
	int table;
	json_t *json;
	const json_t *min[RECORD_COLUMNS_MAX], *max[RECORD_COLUMNS_MAX];
	uint64_t nulls[RECORD_COLUMNS_MAX];
};
bool stats_open(struct stats_check *c, int table, struct slice stats); /* false: no JSON; stats_end() even so */
const char *stats_row(struct stats_check *c, const void *record);
const char *stats_end(struct stats_check *c); /* also releases */
/* The table of series against the live rows of current. */
glane_rc check_series(struct check *c, const char *source, uint64_t live);
#endif
