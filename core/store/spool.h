/* SPDX-License-Identifier: MIT */
/* The second pass of a diff: the rows of the new commit. */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H
#include "store/diff.h"

/* Writes the rows into an unlinked file (ret->spool), by the verdicts of the parts (one for each cover of the batch, and
 * the last one for rows without); fills rows and payloads too. */
glane_rc spool_write(const struct store *s, const struct diff_input *in, const struct slice_result *parts,
	struct diff_result *ret, struct diag *d);
#endif
