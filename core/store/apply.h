/* SPDX-License-Identifier: MIT */
/* The second pass of a diff: its events, and the files of current and series in which something changed. */
#ifndef STORE_APPLY_H
#define STORE_APPLY_H
#include "store/diff.h"
#include "store/lake.h"

struct marks {         /* what the first pass found */
	uint8_t *bits; /* bits[segment * parts + slice]: a file of current has events of a slice */
	size_t n, cap, parts;
	uint8_t *step; /* of each step its step_code() */
	size_t n_steps, cap_steps;
};
/* Writes the files into tmp/ (ret->change), by the verdicts of the parts (one for each cover of the batch, and the last one
 * for rows without); fills rows and payloads too. */
glane_rc apply_write(const struct store *s, const struct diff_input *in, const struct slice_result *parts,
	const struct marks *marks, struct diff_result *ret, struct diag *d);
#endif
