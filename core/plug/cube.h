/* SPDX-License-Identifier: MIT */
/* What the components of a dataset mean: found once for each shape of its records. */
#ifndef PLUG_CUBE_H
#define PLUG_CUBE_H
#include "model/period.h"
#include "plug/run.h"

#define CUBE_NOWHERE SIZE_MAX
#define CUBE_PARTS 8     /* components that make an indicator */
#define CUBE_MEASURES 32 /* of one observation */
#define CUBE_CONF 4      /* components that say how confidential an observation is */
#define CUBE_DIMS 64     /* see dims_print() */

struct place { /* where a text comes from: a column, or a constant */
	size_t column;
	glane_str constant;
	size_t twin; /* a further column with the same id, said where the first is not: its number + 1; 0: none */
};
struct cube_map {
	struct glane_cube given; /* lists and their texts are the plugin's, valid during run() */
	uint64_t said;           /* hash of what the current series was asked by */
	uint64_t shape, series;  /* what the rest was made for; 0: nothing yet */
	uint64_t part;           /* the current one, of record_part(); 0: none */
	char action;             /* of the current part */
	bool is_checked;         /* the options name what this shape has */
	struct place indicator[CUBE_PARTS], area, unit, unit_mult, status, flags, note, title, freq, time, start_day;
	struct place conf[CUBE_CONF]; /* beside flags; none where the options name those */
	size_t n_indicator, n_conf;
	size_t measure[CUBE_MEASURES], n_measures;
	size_t dim[CUBE_DIMS], n_dims;
	uint32_t handle[CUBE_MEASURES]; /* of the current series; 0: to be asked for */
	int32_t mult;                   /* of the current series */
	unsigned said_apart, lacking;   /* multiplier 1, unit 2: said for a part of the key, not said by a series */
	struct strbuf names;            /* ids of dim[] and measure[] with their NULs */
	struct strbuf indicator_text, flags_text;
};
/* Fills what follows from the records' shape. */
glane_rc cube_map_shape(struct cube_map *m, const struct record_reader *rec, struct diag *d);
/* GLANE_E_DATA: there is no measure, or an option names what the dataset does not have, which deletions need not; or no time. is_settled:
 * later records have no further components, as those of SDMX-ML may. */
glane_rc cube_map_check(struct cube_map *m, const struct record_reader *rec, bool is_settled, struct diag *d);
bool cube_is_dimension(int role);
/* The first column of a role (0: any) with this id; CUBE_NOWHERE: none. */
size_t cube_column(const struct record_reader *rec, const char *wanted, size_t n, int role);

/* cube.c: of the current record */
struct slice cube_text_at(struct record_reader *rec, struct place p);
glane_str cube_indicator(struct record_reader *rec, struct cube_map *m, glane_str dataset);
/* One letter of CL_FREQ that a period can have; 0: let each period say it. */
char cube_freq(struct record_reader *rec, const struct cube_map *m);
/* Its period, in the calendar where it is of a reporting year, in out or borrowed. GLANE_E_DATA: quarantined. */
glane_rc cube_period(struct glane_run *r, struct record_reader *rec, const struct cube_map *m,
	char out[PERIOD_REPORTING], struct slice *ret);
/* cube_erase.c: a record of a deletion */
glane_rc cube_erase(struct glane_run *r, struct glane_reader *rd);
#endif
