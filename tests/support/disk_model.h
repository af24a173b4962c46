/* SPDX-License-Identifier: MIT */
/*
 * A disk that fails: a table of calls (base/io.h) that strikes at the k-th of them, and a model of what of the calls made so
 * far is durable, so that a power cut can undo any part of what is not. For children that a test forks: a kill or a cut ends the
 * process with DISK_DEAD.
 */
#ifndef TEST_DISK_MODEL_H
#define TEST_DISK_MODEL_H
#include "base/io.h"
#include <stdbool.h>
#include <stdint.h>

#define DISK_DEAD 77   /* exit status of a process that was killed, or whose power was cut */
#define DISK_BROKEN 99 /* the model itself could not go on */

enum disk_fault {
	DISK_CUT,     /* the power goes before call k, or at the end where there are fewer calls */
	DISK_EIO_CUT, /* call k fails, once; the power goes at the end. What a failed fsync was to save is lost for good. */
	DISK_KILL,   /* the process dies before call k */
	DISK_EIO,    /* call k fails, once */
	DISK_EIO_ON, /* call k and all that follow */
	DISK_ENOSPC, /* from call k on whatever needs room fails */
	DISK_EDQUOT, /* the first call from k on that needs room fails */
	DISK_TORN,   /* the first write from k on takes half, then the disk is full */
	DISK_HALF,   /* from call k on a write takes half of what it is given */
	DISK_EINTR,  /* the first write from k on is interrupted */
	DISK_LIES,   /* the power goes before call k, and no sync before it was one: to see that a loss is seen */
	DISK_FAULTS
};
extern const char *const disk_fault_names[DISK_FAULTS];

/* From now on the calls of this process go through the model. `stash`: an empty folder on the same file system, for what is
 * removed or replaced and may come back. k 0: no call is struck. */
void disk_model_begin(enum disk_fault fault, long k, uint64_t seed, int stash);
/* The work is over: the power goes where the fault says so. True where a call was struck. */
bool disk_model_end(void);
/* Calls made so far. `kinds` gets a letter for each of the first n: w for a write, c for what changes or syncs. */
long disk_model_calls(char *kinds, long n);
#endif
