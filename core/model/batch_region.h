/* SPDX-License-Identifier: MIT */
/* A table in an unlinked file: it grows at one address and takes no anonymous memory. Private to core/model/batch*. */
#ifndef MODEL_BATCH_REGION_H
#define MODEL_BATCH_REGION_H
#include "base/diag.h"
#include "base/slice.h"

struct region {
	int fd;
	char *p;                 /* NULL: not open */
	size_t n;                /* bytes in use */
	size_t mapped, reserved; /* bytes on disk and mapped; bytes of the address space that are ours */
};
/* dir: folder of the file; the descriptor stays the caller's. */
glane_rc region_open(struct region *r, int dir, struct diag *d);
/* n further bytes, not zeroed where shorter ones were taken before; NULL: no disk or no address space (see diag). They stay where
 * they are until region_close(). */
void *region_more(struct region *r, size_t n, struct diag *d);
void region_close(struct region *r);
#endif
