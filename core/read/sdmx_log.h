/* SPDX-License-Identifier: MIT */
/*
 * The observations that an SDMX-ML parser has reported and nobody has read yet, in document order, with what datasets, groups and
 * series say of them: the innermost wins. Memory is bounded by a piece
 * of the document (of a dataset its first 4 MiB, so that its components are known) and by the groups (64 MiB).
 */
#ifndef READ_SDMX_LOG_H
#define READ_SDMX_LOG_H
#include "base/diag.h"
#include "base/map.h"
#include "base/strbuf.h"

#define SDMX_COLUMNS 512
#define SDMX_SHAPES 64 /* of the groups of a dataset */
#define SDMX_NONE UINT32_MAX

struct sdmx_column {
	struct slice id;
	int role; /* GLANE_ROLE_* */
};
struct sdmx_cell {
	uint32_t column, n;
	size_t at; /* in the text beside */
};
struct sdmx_cells {
	struct sdmx_cell *v;
	size_t n, cap;
	struct strbuf text;
};
struct sdmx_dataset { /* texts in the log's arena */
	struct slice id, title, updated;
	char action;
	size_t first, n; /* of log.outer */
};
struct sdmx_series {
	size_t first, n; /* of log.inner */
	uint32_t dataset;
};
struct sdmx_obs {
	size_t first, n; /* of log.inner */
	uint32_t series;
	uint64_t line, start, end;
};
struct sdmx_shape { /* groups with the same components */
	uint32_t *column, *key;
	uint32_t *to; /* of each component: the column that it fills; SDMX_NONE: one of the key */
	size_t n, n_key;
	uint32_t dataset, first; /* first: of its groups */
	bool is_inner;           /* a dimension of the key stands at the observation */
	bool is_ready;           /* key is known, and the groups so far are in by_key */
	struct map by_key;       /* values of key[] -> group */
};
struct sdmx_group {
	size_t first, n; /* of log.outer */
	uint32_t shape;
	uint32_t dataset;
};
struct sdmx_shapes {
	uint32_t first, n; /* of log.shape */
};
struct sdmx_log {
	struct arena arena;
	struct sdmx_column column[SDMX_COLUMNS];
	size_t n_columns;
	struct map by_id;
	struct sdmx_cells outer, inner; /* of datasets and groups; of series and observations */
	struct sdmx_dataset *dataset;
	struct sdmx_series *series;
	struct sdmx_obs *obs;
	struct sdmx_group *group;
	struct sdmx_shape *shape;
	bool is_guessed; /* dimensions are not named: what of a group a series does not have is an attribute */
	size_t n_closed; /* observations that are whole */
	size_t n_dataset, cap_dataset, n_series, cap_series, n_obs, cap_obs, n_group, cap_group, n_shape, cap_shape;
	int level; /* what cells go to: SDMX_AT_* */
	/* of reading */
	size_t at;      /* behind the current observation */
	uint32_t shown; /* the series in base[]; SDMX_NONE */
	uint32_t shown_dataset;
	struct slice base[SDMX_COLUMNS], value[SDMX_COLUMNS];
	uint32_t *applied; /* groups of the current observation alone, one for each shape at most */
	size_t n_applied, cap_applied;
	uint64_t shape_no, series_no, inner_hash;
	struct strbuf key;
};
#define SDMX_AT_NOTHING 0
#define SDMX_AT_DATASET 1
#define SDMX_AT_GROUP 2
#define SDMX_AT_SERIES 3
#define SDMX_AT_OBS 4

void sdmx_log_init(struct sdmx_log *l);
void sdmx_log_release(struct sdmx_log *l);
/* All return false where memory or a limit is gone. */
uint32_t sdmx_log_column(struct sdmx_log *l, struct slice id, int role); /* SDMX_NONE: too many, or no memory */
bool sdmx_log_dataset(struct sdmx_log *l, struct slice id, struct slice title, struct slice updated, char action);
bool sdmx_log_group(struct sdmx_log *l);
bool sdmx_log_group_end(struct sdmx_log *l);
struct sdmx_shapes sdmx_log_shapes(const struct sdmx_log *l, uint32_t dataset);
bool sdmx_log_series(struct sdmx_log *l);
bool sdmx_log_obs(struct sdmx_log *l, uint64_t line, uint64_t start);
void sdmx_log_obs_end(struct sdmx_log *l, uint64_t end);
/* A cell of what was begun last; its text follows by strbuf_*() on the buffer that is returned, then the end. */
struct strbuf *sdmx_log_cell(struct sdmx_log *l, uint32_t column);
bool sdmx_log_cell_end(struct sdmx_log *l);
/* All observations are read: forgets them, keeps the series and the observation that are open. */
void sdmx_log_drained(struct sdmx_log *l);
/* To the next observation; false: there is none. */
bool sdmx_log_next(struct sdmx_log *l);
bool sdmx_log_ok(const struct sdmx_log *l);
#endif
