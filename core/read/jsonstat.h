/* SPDX-License-Identifier: MIT */
/*
 * JSON-stat 1.x and 2.0 (https://json-stat.org/full/). Members of an object come in any order, and `value` and `status` run side by
 * side, so the document is read in three turns: all of it once, checked, to note where the parts of each dataset begin
 * (jsonstat_index.c); then the dimensions of one dataset (jsonstat_cube.c, jsonstat_category.c); then its values and statuses through two
 * windows of their own (jsonstat_cells.c). In memory are the categories of one dataset; a document out of an archive is kept whole.
 */
#ifndef READ_JSONSTAT_H
#define READ_JSONSTAT_H
#include "base/mem.h"
#include "read/json_pull.h"
#include "read/record.h"

#define JSONSTAT_CELLS 200000000u /* of one dataset */
#define JSONSTAT_UNORDERED                                                                                             \
	4000000u                 /* members of a sparse object that do not come in order: they are sorted in memory */
#define JSONSTAT_DATASETS 10000u /* of one document */
#define JSONSTAT_WHOLE ((uint64_t)128 << 20) /* bytes of a document out of an archive */

enum jsonstat_part { /* members of a dataset */
	PART_DIMENSION,
	PART_ID,
	PART_SIZE,
	PART_ROLE,
	PART_LABEL,
	PART_TITLE,
	PART_UPDATED,
	PART_STAMP, /* lastUpdateDate of Eurostat's 1.x */
	PART_HREF,
	PART_EXTENSION,
	PART_VALUE,
	PART_STATUS,
	N_PARTS
};
struct jsonstat_list { /* `value` or `status` */
	uint64_t at;   /* offset of its bracket or quote */
	uint64_t n;    /* elements or members */
	uint64_t top;  /* of a sparse object: the largest index + 1 */
	char kind;     /* '[' '{' '"', or 0: there is none */
	bool is_unordered;
};
struct jsonstat_place {         /* where a dataset stands */
	uint64_t part[N_PARTS]; /* offset of the member's value; 0: there is none */
	char kind[N_PARTS];     /* first byte of it */
	struct jsonstat_list value, status;
	struct slice name; /* of a bundle: the member that holds it; else absent, or that of a collection's items */
	struct slice null; /* of a document: its first member that is null */
	bool has_class;
};
struct jsonstat_index {
	struct jsonstat_place *place;
	size_t n, cap;
	struct strbuf words, code; /* of an error document */
	bool is_told;              /* that something is missing, maybe beside data */
	bool is_pending;           /* it is a warning that the answer is not ready */
	size_t n_links, n_bare;    /* items of collections without data; datasets without value */
	size_t n_lacks;            /* those, and members of bundles that are null */
	struct slice lacks;        /* name of the first */
	uint64_t href;             /* offset of its address; 0: there is none */
	struct arena *arena;
};
/* Reads the whole document. */
glane_rc jsonstat_index(struct jsonstat_index *x, struct json_pull *j);

struct jsonstat_category {
	struct slice code, label, unit, unit_mult;
};
struct jsonstat_dimension {
	struct slice id;
	uint64_t size;
	int role; /* GLANE_ROLE_* */
	struct jsonstat_category *category;
	bool has_unit, has_mult; /* has_mult: a power of ten to its unit */
};
/* Reads the categories of a dimension whose id is known; j stands on its bracket. */
glane_rc jsonstat_dimension(struct jsonstat_dimension *dim, struct arena *a, struct json_pull *j);
struct jsonstat_cube {
	struct jsonstat_dimension *dim; /* in the order of `id` */
	size_t n_dim;
	uint64_t n_cells;
	size_t unit_dim; /* that whose categories have units; SIZE_MAX: none */
	struct slice dataset, title, updated;
};
/* Reads the description of one dataset; texts are put into the arena. j stands anywhere in a settled payload. */
glane_rc jsonstat_cube(struct jsonstat_cube *c, struct arena *a, const struct jsonstat_place *at,
	const struct payload *p, struct diag *d);

struct jsonstat_member { /* of an unordered sparse object */
	uint64_t index, at;
};
struct jsonstat_cells { /* a list, cell by cell */
	struct payload view;
	struct json_pull pull;
	const struct payload *whole;
	struct jsonstat_list list;
	bool is_open, is_first, is_pending;
	uint64_t pending; /* index of the member that stands next */
	struct slice all; /* one text for every cell */
	struct jsonstat_member *member;
	size_t n_member, cap_member, i_member;
};
glane_rc jsonstat_cells_open(
	struct jsonstat_cells *c, const struct jsonstat_list *l, uint64_t n, const struct payload *p, struct diag *d);
/* Of cell i, from 0 on; between two calls only cells may be left out that jsonstat_cells_peek() does not name: its text, absent for null or none; until the next call. */
glane_rc jsonstat_cells_next(struct jsonstat_cells *c, uint64_t i, struct slice *ret);
/* The first cell from `from` on that a sparse object names, behind the cell of the last call; UINT64_MAX: none. */
glane_rc jsonstat_cells_peek(struct jsonstat_cells *c, uint64_t from, uint64_t *ret);
void jsonstat_cells_close(struct jsonstat_cells *c);
/* The index that a sparse object's member name is. */
glane_rc jsonstat_number(struct json_pull *j, uint64_t *ret);
#endif
