/* SPDX-License-Identifier: MIT */
/*
 * SDMX-JSON between its index and its reader; private to sdmx_json*.c. A first pass finds the structures, which may
 * stand behind the data, and where each dataset's observations are; a second one reads those.
 */
#ifndef READ_SDMX_JSON_H
#define READ_SDMX_JSON_H
#include "base/map.h"
#include "read/json_pull.h"
#include "read/sdmx.h"

#define SDMX_JSON_PARTS 512                   /* components of one structure */
#define SDMX_JSON_DATASETS 100000u            /* of one message */
#define SDMX_JSON_TEXT ((size_t)256 << 20)    /* of the structures of one message */
#define SDMX_JSON_WHOLE ((uint64_t)256 << 20) /* bytes of a message out of an archive */

enum { AT_DATASET, AT_GROUP, AT_SERIES, AT_OBS };
struct sdmx_json_part { /* a component */
	struct slice id;
	int role, level;
	uint32_t position;          /* of a dimension in the key; UINT32_MAX: not said */
	struct slice *code, *label; /* of each value; NULL: values stand in the data */
	uint32_t n, cap;
	struct slice otherwise, otherwise_label; /* of an attribute that the data does not say: "default" */
};
struct sdmx_json_structure {
	struct slice id, title;
	struct sdmx_json_part *part;
	size_t n, cap;
};
struct sdmx_json_dataset {
	uint64_t series_at, obs_at, attributes_at, groups_at; /* 0: there are none */
	uint32_t structure;
	char action;
	struct slice updated;
};
struct sdmx_json_index {
	struct arena arena;
	struct sdmx_json_structure *structure;
	struct sdmx_json_dataset *dataset;
	size_t n_structures, cap_structures, n_datasets, cap_datasets;
	struct strbuf words; /* of errors, which may stand beside data */
	bool has_datasets, is_in_data;
	bool is_cut; /* one of the errors says that the data is not whole */
};
void sdmx_json_index_release(struct sdmx_json_index *x);
/* Walks the whole message, which p stands at the beginning of. */
glane_rc sdmx_json_index(struct sdmx_json_index *x, struct payload *p, struct diag *d);
/* json_pull_look() of a message: arrays may have holes. */
static inline void sdmx_json_look(
	struct json_pull *j, struct payload *view, const struct payload *p, uint64_t at, struct diag *d)
{
	json_pull_look(j, view, p, at, d);
	j->has_holes = true;
}
/* A value of any kind as one text, appended: an array's elements joined by ';', of an object (languages) the first. */
glane_rc sdmx_json_loose(struct json_pull *j, struct strbuf *b, bool *ret_absent, unsigned depth);

/* ---- the reader ---- */
enum stage { BETWEEN, GROUPS, SERIES, OBS, FLAT }; /* GROUPS: of a deletion alone, as records of their own */

struct cell { /* text of a component that stands in the data; SIZE_MAX: none */
	size_t at, n;
};
struct sdmx_json_shape { /* groups that name the same dimensions */
	uint32_t *part;  /* those */
	size_t n;
	struct map by_key; /* their codes -> values of the attributes at groups */
};
struct sdmx_json {
	struct payload *payload, view;
	struct diag *diag;
	struct json_pull j;
	const char *const *head;
	size_t n_head;
	struct sdmx_json_index index;
	const struct sdmx_json_structure *s; /* of the dataset */
	size_t dataset;                      /* behind the current one */
	enum stage stage;
	bool is_first, is_first_obs, is_record;
	bool is_deletion;   /* the dataset: keys may have empty parts, and what has no observation is a record */
	bool has_obs;       /* the series, so far */
	struct arena arena; /* of the dataset: its attributes and groups */
	struct slice value[SDMX_JSON_PARTS];
	struct slice label[SDMX_JSON_PARTS];
	uint32_t code[SDMX_JSON_PARTS]; /* of the dimensions */
	struct cell cell[SDMX_JSON_PARTS];
	struct strbuf series_text, obs_text;
	struct sdmx_json_shape *group_shape; /* those with fewer dimensions first */
	size_t n_shapes, cap_shapes, n_groups;
	uint32_t group_key[SDMX_JSON_PARTS];
	uint64_t shape, series, hash, number, start;
	glane_rc over;
};

/* sdmx_json_values.c; messages go by r->j. A component's number, or SIZE_MAX where there is none behind `at`. */
size_t sdmx_json_next_part(const struct sdmx_json *r, size_t at, int role, int level);
glane_rc sdmx_json_set_code(struct sdmx_json *r, size_t i, uint64_t code);
glane_rc sdmx_json_take(struct sdmx_json *r, struct json_pull *j, size_t i, struct strbuf *b);
glane_rc sdmx_json_take_attributes(struct sdmx_json *r, struct json_pull *j, int level, struct strbuf *b);
/* "0:1:2": indexes of the dimensions from level to level, set; of a deletion a part may be empty. */
glane_rc sdmx_json_take_key(struct sdmx_json *r, struct slice key, int from, int to);
void sdmx_json_clear_level(struct sdmx_json *r, int role, int level); /* role 0: all */
void sdmx_json_set_defaults(
	struct sdmx_json *r, int level); /* of attributes that the data has not said; none of a deletion */
void sdmx_json_clear_cells(struct sdmx_json *r, int level);
void sdmx_json_settle_cells(struct sdmx_json *r, int level, const struct strbuf *b);

/* sdmx_json_groups.c. All of a dataset's, from this place on. */
glane_rc sdmx_json_take_groups(struct sdmx_json *r, uint64_t at);
/* Attributes of the groups that the current series or observation belongs to. */
void sdmx_json_apply_groups(struct sdmx_json *r);
void sdmx_json_groups_release(struct sdmx_json *r);
/* The member that j stands at: its key, UINT32_MAX for what it does not name, and its attributes, texts in b. */
glane_rc sdmx_json_group_key(struct sdmx_json *r, struct json_pull *j, uint32_t *code);
glane_rc sdmx_json_take_group(struct sdmx_json *r, struct json_pull *j, struct strbuf *b);
#endif
