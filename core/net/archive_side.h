/* SPDX-License-Identifier: MIT */
/*
 * Side files of the payload archive, and the walk over its folders. A side file is the JSON object of archive.h; where
 * several requests were answered by the same body, the newest is the object itself and the others stand in its member
 * "also", a list of such objects.
 */
#ifndef NET_ARCHIVE_SIDE_H
#define NET_ARCHIVE_SIDE_H
#include "net/archive.h"

/* Adds the entry to the side file, in the place of an older one of the same request; nothing is written where it says so already. */
glane_rc archive_side_write(int dir, const char *path, const struct archive_entry *e, struct diag *d);
/* All entries of a side file, in the arena; at least one. GLANE_E_FORMAT where it is not one. */
glane_rc archive_side_read(
	struct arena *a, int dir, const char *path, struct archive_entry **ret, size_t *ret_n, struct diag *d);
struct archive_entry *archive_entry_copy(struct arena *a, const struct archive_entry *e); /* NULL: no memory */
/* Calls fn for every file in the folders 00 to ff; stops at the first failure. */
typedef glane_rc archive_visit(void *arg, int dir, const char *folder, const char *name, struct diag *d);
glane_rc archive_walk(int dir, archive_visit *fn, void *arg, struct diag *d);
#endif
