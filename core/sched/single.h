/* SPDX-License-Identifier: MIT */
/* One worker on its own: the caller answers its requests, nothing is stored. For `parse` and `check-plugin`. */
#ifndef SCHED_SINGLE_H
#define SCHED_SINGLE_H
#include "proc/broker.h"
#include "proc/spawn.h"
#include "proc/worker.h"

struct single_answer {
	int fd; /* passes to the worker */
	uint64_t size;
	char sha256[65];
};
/* GLANE_OK with an answer, GLANE_END (no more of it), or a failure with its message in d, which the worker is told. */
typedef glane_rc single_fetch(void *arg, const struct request *q, struct single_answer *ret, struct diag *d);

struct single {
	/* given */
	const struct job *job;
	struct intake *intake; /* takes what comes */
	single_fetch *fetch;
	void *arg;
	int64_t deadline_ms; /* clock_mono_ms; 0: none. Then it is killed */
	/* got */
	int status; /* waitpid's */
	bool late;  /* the deadline passed */
	/* inside */
	struct wire up, broker;
	struct child child;
};
/* Runs the job to its end. GLANE_OK: the worker said how the plugin ended (intake.end_rc); else it died, talked nonsense, or
 * was late. */
glane_rc single_run(struct single *s, struct diag *d);
void single_release(struct single *s);
#endif
