/* SPDX-License-Identifier: MIT */
/* The columns of a file of UNCTADstat: which is the period, the economy, a dimension, a measure. */
#ifndef UNCTADSTAT_COLUMNS_H
#define UNCTADSTAT_COLUMNS_H
#include <glane/plugin.h>

#include <string.h>

#define MAX_COLUMNS 256

struct column {                   /* of a measure, or of a dimension where is_dim */
	size_t at, note, missing; /* SIZE_MAX: not there */
	const char *name, *code;
	int is_dim;
};
struct state {
	const char *report, *file, *period, *select, *facts_url;
	struct glane_list filters;
	struct glane_map measures, units, unit_mults;
	const struct glane_host *h;
	glane_run *r;
	glane_str stamp; /* the provider's day of update */
	struct column columns[MAX_COLUMNS];
	size_t n_columns, n_measures, period_at, area_at, area_title_at;
};
/* Every record of a table, which is CSV: bare, in 7z, or gzip. Fills size and format of the request. */
glane_rc read_table(struct state *s, struct glane_request *q);
#endif
