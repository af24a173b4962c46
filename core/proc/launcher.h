/* SPDX-License-Identifier: MIT */
/*
 * Starts a source's program for a worker, which itself may start nothing once it is sealed: a process forked from the worker before its
 * plugin is loaded. It ends with the worker. Each start is a process of its own with its guard (guard.h), in the sandbox of programs
 * (sandbox_program()); the launcher keeps none of its descriptors.
 */
#ifndef PROC_LAUNCHER_H
#define PROC_LAUNCHER_H
#include "proc/wire.h"

#define LAUNCH_ARGS 64

struct launch {           /* what it starts, fixed before the plugin is loaded; texts borrowed */
	const char *path; /* absolute */
	const char *const *args;
	size_t n_args;
	const char *const *reads; /* further files and folders that it may read and start programs of */
	size_t n_reads;
};
struct launch_input {
	int payload;                             /* becomes its standard input; stays the caller's */
	const char *url, *source, *sha256, *now; /* GLANE_URL, ... */
};
struct launched {
	int out, err; /* its standard output and error, non-blocking */
	int link; /* its guard: the wait status (an int) comes once it has ended; closed by us, all that came of it is killed */
};
struct launcher {
	struct wire wire; /* fd -1: none */
	struct launch what;
};
glane_rc launcher_start(struct launcher *l, const struct launch *what, struct diag *d);
glane_rc launcher_run(struct launcher *l, const struct launch_input *in, struct launched *ret, struct diag *d);
void launcher_stop(struct launcher *l);
#endif
