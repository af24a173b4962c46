/* SPDX-License-Identifier: MIT */
/* Which column means what: the options of the csv plugin, resolved against the header of one file. */
#ifndef CSV_MAPPING_H
#define CSV_MAPPING_H
#include <glane/plugin.h>

#define MAX_VALUES 4096
#define MAX_DIMS 32
#define MAX_WHERE 8

struct state {
	struct glane_list files, indicators, value, missing;
	struct glane_map dims, status_map, where;
	const char *member, *delimiter, *quote, *encoding, *decimal, *group;
	int64_t skip;
	uint8_t ragged, trim, no_header;
	const char *dataset, *indicator, *area, *area_scheme, *area_title, *period, *freq, *wide;
	const char *unit, *title, *status, *flags, *note, *unit_mult, *cover;
};
struct cell { /* a constant, or the first of some columns that is not empty */
	glane_str constant;
	int32_t column[4];
	uint32_t n;
};
struct value_column {
	uint32_t column;
	glane_str header; /* of a wide layout */
	glane_str code;   /* indicator, where no column says it */
	glane_str period; /* its header, where that is a period */
	struct cell flags, note;
};
struct mapping {
	struct cell indicator, area, area_title, period, unit, title, status, unit_mult;
	struct cell dims[MAX_DIMS], where[MAX_WHERE];
	struct value_column *values;
	size_t n_values;
	int wide_periods, wide_area;
	const char *wide_dim;
};
extern const struct glane_opt csv_options[];
/* Resolves the options against the reader's header; `m->values` has room for MAX_VALUES. */
glane_rc mapping_resolve(
	const struct glane_host *h, glane_run *r, glane_reader *rd, const struct state *s, struct mapping *m);
glane_str cell_text(const struct glane_host *h, glane_reader *rd, const struct cell *c);
glane_str csv_str(const char *s);
int csv_same(glane_str a, glane_str b);
/* True where the text stands for an empty cell. */
int csv_missing(const struct state *s, glane_str text);
/* The status, or what status_map makes of it or, without one, of the flags. */
glane_str csv_status(const struct state *s, glane_str status, glane_str flags);
#endif
