/* SPDX-License-Identifier: MIT */
/*
 * A source's own program (`program`, `arguments`): each payload is its standard input, and what it writes on its standard output is read in
 * the payload's place. One payload, one process, started by the launcher (launcher.h): in its own process group, with the worker's
 * limits, in a sandbox of its own, with a clean environment and no further descriptors; killed with all that came of it once its reader is
 * closed, the run is cancelled, or the worker ends in whatever way (guard.h). What it wrote is complete where its output is at the
 * end and its exit status is 0.
 */
#ifndef PROC_PROGRAM_H
#define PROC_PROGRAM_H
#include "plug/host.h"
#include "proc/launcher.h"

struct program { /* borrows all */
	struct host_filter base;
	struct launcher *launcher;
	const char *source;
	int64_t now;
};
void program_init(struct program *p, struct launcher *l, const char *source, int64_t now);
/* An executable file that nobody but its owner (root or this user) can write: GLANE_OK, or why it is refused. */
glane_rc program_check(const char *path, struct diag *d);
#endif
