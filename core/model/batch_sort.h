/* SPDX-License-Identifier: MIT */
/* Order of a batch's observations, for batch_*.c only. */
#ifndef MODEL_BATCH_SORT_H
#define MODEL_BATCH_SORT_H
#include "model/batch.h"

#define SPOOL_STEP ((size_t)1 << 18) /* observations: 8 MiB */
void spool_drop(struct batch_obs *v, size_t n);

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
/* Gives back the memory of what lies behind place i of a pass over the mapped observations; the file keeps it. To be called
 * for each i. */
static inline void spool_passed(struct batch_obs *v, size_t i)
{
	if (i % SPOOL_STEP == SPOOL_STEP - 1)
		spool_drop(v + (i + 1 - SPOOL_STEP), SPOOL_STEP);
}
/* Sorts the n observations of `from` into `to`, stably; `from` is used up. 8 bytes a series more. */
glane_rc sorter_run(struct sorter *s, struct batch_obs *from, struct batch_obs *to, size_t n, struct diag *d);
#endif
