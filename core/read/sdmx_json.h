/* SPDX-License-Identifier: MIT */
/*
 * SDMX-JSON between its index and its reader; private to sdmx_json.c and sdmx_json_index.c. A first pass finds the structures, which may
 * stand behind the data, and where each dataset's observations are; a second one reads those.
 */
#ifndef READ_SDMX_JSON_H
#define READ_SDMX_JSON_H
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
	struct slice *code, *label; /* of each value; NULL: values stand in the data */
	uint32_t n, cap;
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
	struct strbuf words; /* of an error answer */
	bool has_datasets;
};
void sdmx_json_index_release(struct sdmx_json_index *x);
/* Walks the whole message, which p stands at the beginning of. */
glane_rc sdmx_json_index(struct sdmx_json_index *x, struct payload *p, struct diag *d);
/* A reader of its own, of a settled payload from an offset on. */
void sdmx_json_look(struct json_pull *j, struct payload *view, const struct payload *p, uint64_t at, struct diag *d);
/* A value of any kind as one text, appended: an array's elements joined by ';', of an object (languages) the first. */
glane_rc sdmx_json_loose(struct json_pull *j, struct strbuf *b, bool *ret_absent, unsigned depth);
#endif
