/* SPDX-License-Identifier: MIT */
/*
 * What our child processes may do (RELIABILITY 3.4): resource limits and no_new_privs, Landlock (landlock.h), seccomp (seccomp.h).
 * A worker loads its plugin in the first layer, in which constructors run already, and works in the second: no files, no network, no
 * processes. The broker reaches the network and its own folders; a source's program reads the system and starts processes.
 * Sanitizer and coverage builds have no sandbox and say so: they read and write files of their own at any time.
 */
#ifndef PROC_SANDBOX_H
#define PROC_SANDBOX_H
#include "base/diag.h"
#include "proc/landlock.h"

#include <stdbool.h>

/* ---- the choice, one for a process and what it starts ---- */

/* From the configuration: require: Landlock too, not seccomp alone; most: the highest version of Landlock to use, as kernels have claimed
 * what they do not hold. Nothing is asked of the kernel before sandbox_check(). */
void sandbox_choose(bool require, unsigned most);
/* Can the choice be kept here? GLANE_E_CONFIG, with what to write, where not. Cheap; before anything is started. */
glane_rc sandbox_check(struct diag *d);
/* The choice as an argument of a child, and back; false: it is none. */
const char *sandbox_word(void);
bool sandbox_take(const char *word);
/* What holds, for reports: "landlock 7, seccomp, limits", "seccomp, limits", "none (sanitizer build)". */
const char *sandbox_level(void);

/* ---- the steps, in the child ---- */

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
/* A worker's first layer: reads the plugin's file and the system's libraries, no network, no processes, no signals to others. */
glane_rc sandbox_load(const char *plugin_path, struct diag *d);
/* Its second one: what is open already, memory, time. What libraries set up late is set up here. */
glane_rc sandbox_seal(struct diag *d);
/* The broker: what the resolver and TLS read, and `paths`. Before its first thread. */
glane_rc sandbox_broker(const struct landlock_path *paths, size_t n, struct diag *d);
/* What becomes a source's program: reads and starts what the system has installed, the program itself and `reads`, reads what descriptor
 * `input` is on (as /dev/stdin); writes nothing. */
#define SANDBOX_READS 64
glane_rc sandbox_program(const char *path, int input, const char *const *reads, size_t n_reads, struct diag *d);
#endif
