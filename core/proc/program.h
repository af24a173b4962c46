/* SPDX-License-Identifier: MIT */
/*
 * A source's own program (`program`, `arguments`): each payload is its standard input, and what it writes on its standard output is read in
 * the payload's place. One payload, one process: in its own process group, with the worker's limits, a clean environment and no
 * further descriptors; killed with all that came of it once its reader is closed, the run is cancelled, or the worker ends in whatever
 * way (guard.h). What it wrote is complete where its output is at the end and its exit status is 0.
 */
#ifndef PROC_PROGRAM_H
#define PROC_PROGRAM_H
#include "plug/host.h"

#define PROGRAM_MAX_ARGS 64
struct program { /* texts borrowed */
	struct host_filter base;
	const char *path; /* absolute */
	const char *const *args;
	size_t n_args;
	const char *source;
	int64_t now;
};
void program_init(
	struct program *p, const char *path, const char *const *args, size_t n_args, const char *source, int64_t now);
/* An executable file that nobody but its owner (root or this user) can write: GLANE_OK, or why it is refused. */
glane_rc program_check(const char *path, struct diag *d);
/* Role "@program" of our binary: takes the descriptors, and becomes the program and its guard. Returns only where that fails. */
int program_main(int argc, char **argv);
#endif
