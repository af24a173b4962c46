/* SPDX-License-Identifier: MIT */
/* The rules of the gate: what of a slice's counts is suspicious. */
#ifndef STORE_VERDICT_H
#define STORE_VERDICT_H
#include "store/tally.h"

/*
 * True where a rule trips: verdict, rule and reason of *p are set (reason NULL: no memory). `c` is its cover, NULL: it has none. The first rule
 * names it, others that trip are listed at the end of the reason; max_revised_percent is named only where no other one trips. A slice
 * without a row in the last commit, and without one that comes back, is judged by row_limits and max_future_days alone, one without an event by none.
 */
bool gate_judge(struct slice_result *p, const struct tally *t, const struct diff_input *in, const struct cover *c,
	struct arena *a);
#endif
