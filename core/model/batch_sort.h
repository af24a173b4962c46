/* SPDX-License-Identifier: MIT */
/* Order of a batch's observations, for batch_*.c only. */
#ifndef MODEL_BATCH_SORT_H
#define MODEL_BATCH_SORT_H
#include "model/batch.h"

struct sorter {
	const struct batch *b;
	uint32_t *rank;        /* of each series: struct series is too large to be looked up once per comparison */
	uint32_t *period_rank; /* of each entry of the period table, by its text */
	struct strbuf text;    /* of a period that is compared with an entry of the table */
};
/* The series must be ranked. Anonymous memory: 4 bytes a series and an entry. */
glane_rc sorter_init(struct sorter *s, const struct batch *b, struct diag *d);
void sorter_release(struct sorter *s);
/* Order by key: rank of the series, then the text of the period; 0 for the same key. */
int sorter_cmp(struct sorter *s, const struct batch_obs *x, const struct batch_obs *y);
/* Sorts the n observations of `from` into `to`, stably; `from` is used up. 8 bytes a series more. */
glane_rc sorter_run(struct sorter *s, struct batch_obs *from, struct batch_obs *to, size_t n, struct diag *d);
#endif
