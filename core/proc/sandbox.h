/* SPDX-License-Identifier: MIT */
/* What a worker may not do. So far: resource limits and no_new_privs; Landlock and seccomp have their place in worker.c
 * between loading and running (RELIABILITY 3.4). */
#ifndef PROC_SANDBOX_H
#define PROC_SANDBOX_H
#include "base/diag.h"

#include <stdbool.h>

/* The environment holds secrets: no other process of the user can read it out of /proc from here on, nor attach to us; no core file. Not
 * in sanitizer builds, whose leak checker attaches. */
void sandbox_private(void);
/*
 * Private memory (heap, stacks, anonymous mappings) up to `memory` bytes, address space up to that plus `mapped` and 1 GiB, CPU seconds, no
 * core file, no file writing, no new processes, 32 descriptors, no new privileges. With `processes` some hundred of them, and
 * 64 descriptors. Root is not limited in processes.
 * Sanitizer builds keep their address space and memory unlimited.
 */
glane_rc sandbox_limits(uint64_t memory, uint64_t mapped, uint64_t cpu_seconds, bool processes, struct diag *d);
/*
 * From here on a crash for want of memory says so: where a fatal signal comes while not even 1 MiB more can be had, the line
 * SANDBOX_OUT_OF_MEMORY goes to standard error before the process ends of that signal.
 */
#define SANDBOX_OUT_OF_MEMORY "glane: the memory limit is reached"
glane_rc sandbox_watch(struct diag *d);
/* The level reached, for reports: "limits". */
const char *sandbox_level(void);
#endif
