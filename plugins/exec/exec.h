/* SPDX-License-Identifier: MIT */
/* What is read of a line, and how its keys are found. */
#ifndef EXEC_H
#define EXEC_H
#include <glane/plugin.h>

#define MAX_DIMS 32
#define MAX_NAME 64
#define MAX_DATASETS 64

enum {
	DATASET,
	INDICATOR,
	AREA,
	AREA_SCHEME,
	PERIOD,
	VALUE,
	UNIT,
	UNIT_MULT,
	STATUS,
	FLAGS,
	NOTE,
	TITLE,
	AREA_TITLE,
	FREQ,
	UPDATED,
	DIMS,
	N_KEYS
};
enum { ERROR = N_KEYS, COVER, FROM, TO, TYPE, STREAM, N_BOUND };
struct options {
	struct glane_list requests, ignore;
	struct glane_map map, dims, values;
	const char *stream, *cover;
};
struct reading {
	const struct glane_host *h;
	glane_run *r;
	glane_reader *rd;
	const struct options *o;
	const char *path[N_BOUND + MAX_DIMS];
	char dim[MAX_DIMS][MAX_NAME];
	struct glane_kv dims[MAX_DIMS];
	size_t n_dims;
	const char *dataset[MAX_DATASETS]; /* that rows name, for the option cover */
	size_t n_datasets;
	uint64_t n_rows, n_told; /* rows; those that have a value, or a word about its absence */
};
#define N_PATHS(d) (N_BOUND + (d)->o->dims.n)
extern const char *const line_keys[N_BOUND];
/* A value of an option, or NULL. */
const glane_str *map_find(const struct glane_map *m, const char *key);
/* One line of the program's output. */
glane_rc line_take(struct reading *d);
#endif
