/* SPDX-License-Identifier: MIT */
/* What one source of SDMX is asked for, and the addresses of its web service. */
#ifndef SDMX_REST_H
#define SDMX_REST_H
#include <glane/plugin.h>

#include <string.h>

#define MAX_DIMS 64
#define MAX_SAID 64

struct state {
	struct glane_list flows, accept, dimensions, areas;
	struct glane_map query;
	const char *rest, *path, *start, *end, *dataset, *area_scheme, *split, *references, *cover, *decimal, *member;
	int64_t last_n, split_max, overlap, full_every;
	uint8_t increments, structure, slash;
	struct glane_cube cube;
	struct glane_csv csv;
	const char *dims[MAX_DIMS];
	size_t n_dims;
	struct said { /* a dataset that a message named */
		const char *name;
		int is_update; /* its action is not Information */
	} said[MAX_SAID];
	size_t n_said;
};

struct flow { /* one item of `flows`, cut */
	const char *agency, *id, *version;
	const char *name, *key; /* as they stand in addresses */
};

struct increment {
	const char
		*keys[2];  /* cursors: the last run that was asked for, the last that asked for everything (seconds) */
	glane_str last[2]; /* as they were */
	const char *after; /* RFC 3339; NULL: everything is asked for */
};

static inline int is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}
/* Texts live as long as the run; NULL members: no memory. */
struct flow flow_cut(const struct glane_host *h, glane_run *r, const struct state *s, const char *item);
const char *data_url(const struct glane_host *h, glane_run *r, const struct state *s, const struct flow *f);
const char *structure_url(const struct glane_host *h, glane_run *r, const struct state *s, const struct flow *f);
/* What is available of the dimension that is split by (SDMX REST: availableconstraint, availability). */
const char *available_url(const struct glane_host *h, glane_run *r, const struct state *s, const struct flow *f);
const char *media(const struct state *s, const char *form); /* of an Accept header; NULL: none */
/* The query of data; `after`: RFC 3339, or NULL. At most 8 and those of the option. */
size_t data_query(
	const struct glane_host *h, glane_run *r, const struct state *s, const char *after, struct glane_kv *q);
/* What an increment of this item of `flows` begins with. */
struct increment increment_begin(const struct glane_host *h, glane_run *r, const struct state *s, const char *item);
/* Notes this run as the last; where it failed, the one before stays. */
void increment_end(
	const struct glane_host *h, glane_run *r, const struct state *s, const struct increment *inc, glane_rc how);
/* request.c: ids of the dimensions into s->dims. */
glane_rc ask_structure(const struct glane_host *h, glane_run *r, struct state *s, const struct flow *f);
/* Every observation of a flow; f NULL: of base_url itself. `after`: an increment. */
glane_rc read_data(const struct glane_host *h, glane_run *r, struct state *s, const struct flow *f, const char *after);
/* Of a dataset that was read. is_part: only what was updated was asked for, or told. */
struct glane_cover cover_of(
	const struct glane_host *h, glane_run *r, const struct state *s, glane_str dataset, int is_part);
#endif
