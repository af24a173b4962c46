/* SPDX-License-Identifier: MIT */
/* Limits of the gate between diff and commit, and the configuration keys that set them (DESIGN section 6). */
#ifndef STORE_GATE_H
#define STORE_GATE_H
#include <stdbool.h>
#include <stddef.h>

#define GATE_ROW_LIMITS 16

/* What each means: gate_keys. Percentages are of the last commit's live rows in the same slice, where the key says nothing else. */
struct gate_limits {
	double min_rows_percent, max_withdrawn_percent, max_rows_percent, max_revised_percent;
	double max_lost_codes_percent, max_new_codes_percent;
	double max_unit_changed_percent, max_freq_changed_percent;
	double max_factor, max_rescaled_percent, max_jumped_percent;
	double max_future_days, max_backward_days, max_stale_days;
	double min_judged_rows;
	double max_quarantined_percent; /* of the records of an answer; judged before the diff */
	double hold_days;               /* until a hold is rejected */
	double row_limits[GATE_ROW_LIMITS];
	size_t n_row_limits;
	bool accept; /* --accept: nothing is held */
};
struct gate_key {
	const char *name; /* "gate.max_withdrawn_percent" */
	size_t offset;    /* in struct gate_limits: a double, or row_limits */
	double min, max;
	const char *dflt; /* as it is written in a configuration */
	const char *help; /* a sentence */
};
extern const struct gate_key gate_keys[]; /* ends with a name NULL */

void gate_defaults(struct gate_limits *ret);
/* Takes one key's text; false: not a number, or none within its bounds. */
bool gate_set(struct gate_limits *g, const struct gate_key *k, const char *text);
#endif
