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
	/* Borrowed until the next step; NULL: the key is not on that side. A replay has no fresh row where the old one stays. */
	const struct row *old, *fresh;
	size_t segment;   /* file of current that the key belongs to, by place; 0 where there is none */
	size_t slice;     /* index of its cover; n_covers: no cover speaks of it */
	uint16_t payload; /* as in struct batch_obs; 0 without a fresh row */
	bool remove;      /* the fresh row is a remove annotation, or was erased again */
	bool cleared;     /* there was none: it is the old one without the attributes that are erased */
	uint32_t series;  /* of the fresh row: its index in the batch + 1; 0 without one */
};
struct merge {
	const struct batch *batch;
	const char *source;
	struct store_cursor cursor;
	bool keep_missing, additions;
	bool has_cursor, has_old, has_fresh, used_old, used_fresh;
	struct row old, fresh, cleared;
	struct erase_look look;
	size_t next;                      /* observation behind `fresh` */
	struct strbuf scratch, before;    /* texts of `fresh`, and of the row before it */
	struct strbuf dataset, indicator; /* of the last old row, whose slice is cached */
	size_t slice;
	const uint8_t *known; /* replay: of each step its step_code() */
	size_t step, n_known;
};
glane_rc merge_open(struct merge *m, const struct store *s, const struct diff_input *in, struct diag *d);
/* The same steps once more, from the codes of a merge that has gone through all of them: nothing is compared. */
glane_rc merge_replay(struct merge *m, const struct store *s, const struct diff_input *in, const uint8_t *known,
	size_t n_known, struct diag *d);
uint8_t step_code(const struct merge_step *step);
/* True where the batch goes on with an observation of the row's series, that of the present step included. */
bool merge_is_at(const struct merge *m, const struct row *r, const struct series **ret);
glane_rc merge_next(struct merge *m, struct merge_step *ret, struct diag *d); /* GLANE_END at the end */
void merge_close(struct merge *m);
bool row_withdrawn(const struct row *r);
/* Whether the period is within the declared range; a cover of another kind, or none (NULL), leaves no period out. */
bool cover_includes(const struct cover *c, const struct row *r);
/* The word of an outcome in the column `event`; NULL: it is none. */
extern const char *const outcome_words[WITHDRAWN + 1];
#endif
