/* SPDX-License-Identifier: MIT */
/* Where a source has more stream files than may be open at once: some of them merged into temporary ones. events*.c only. */
#ifndef STORE_EVENTS_SPILL_H
#define STORE_EVENTS_SPILL_H
#include "store/events.h"

struct events_input { /* a file, and the descriptor of its folder */
	struct delta_file file;
	int dir;
};
struct spill {
	int dir; /* a folder of its own below TMPDIR; -1: nothing was spilled */
	char folder[256];
	unsigned next;
	struct arena arena; /* of the files' texts */
};
void spill_init(struct spill *p);
/* Replaces inputs until at most EVENTS_OPEN_MAX are left, the smallest first: an event is written about log(n) / log(EVENTS_OPEN_MAX) times.
 * Events that do not pass e's tests are left out. */
glane_rc spill_inputs(struct spill *p, const struct events *e, struct events_input *in, size_t *n, struct diag *d);
/* Removes the folder and the files; those that are open are still read. */
void spill_release(struct spill *p);
#endif
