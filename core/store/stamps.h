/* SPDX-License-Identifier: MIT */
/* The providers' own update stamps, slice by slice: those of the batch beside those in the state of the last commit. */
#ifndef STORE_STAMPS_H
#define STORE_STAMPS_H
#include "store/tally.h"

/* Fills stamp and stamp_before of each slice with a cover. A text that is no RFC 3339 date is no stamp. */
glane_rc stamps_compare(struct tallies *t, const struct store *s, struct diag *d);
/* What the state of the next commit says: the stamps of slices that are ok, and later ones of slices that are unchanged; of others the last commit's. The caller owns
 * *ret. `parts`: the slices with their verdicts. */
glane_rc stamps_list(const struct tallies *t, const struct slice_result *parts, json_t **ret, struct diag *d);
#endif
