/* SPDX-License-Identifier: MIT */
/* The two sides of a diff as one: the last commit's rows and a finished batch, joined by key. */
#ifndef STORE_MERGE_H
#define STORE_MERGE_H
#include "store/diff.h"

enum outcome {
	KEEP,    /* the old row as it is */
	NOTHING, /* no row: a remove annotation for a key that is not there */
	NEW,
	REVISED,
	STATUS,
	RESTORED,
	WITHDRAWN
};
struct merge_step {
	enum outcome outcome;
	const struct row *old, *fresh; /* borrowed until the next step; NULL: the key is not on that side */
	size_t segment;                /* file of current that the key belongs to, by place; 0 where there is none */
	size_t slice;                  /* index of its cover; n_covers: no cover speaks of it */
	uint16_t payload;              /* as in struct batch_obs; 0 without a fresh row */
	bool remove;                   /* the fresh row is a remove annotation */
	uint32_t series;               /* of the fresh row: its index in the batch + 1; 0 without one */
};
struct merge {
	const struct batch *batch;
	const char *source;
	struct store_cursor cursor;
	bool keep_missing, additions;
	bool has_cursor, has_old, has_fresh, used_old, used_fresh;
	struct row old, fresh;
	size_t next; /* observation behind `fresh` */
	struct strbuf scratch;
	struct strbuf key, before;        /* of the fresh row and of the one before it */
	struct strbuf dataset, indicator; /* of the last old row, whose slice is cached */
	size_t slice;
};
glane_rc merge_open(struct merge *m, const struct store *s, const struct diff_input *in, struct diag *d);
glane_rc merge_next(struct merge *m, struct merge_step *ret, struct diag *d); /* GLANE_END at the end */
void merge_close(struct merge *m);
bool row_withdrawn(const struct row *r);
/* The word of an outcome in the column `event`; NULL: it is none. */
extern const char *const outcome_words[WITHDRAWN + 1];
#endif
