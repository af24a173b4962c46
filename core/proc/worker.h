/* SPDX-License-Identifier: MIT */
/*
 * The worker: one process for one run of one source. Descriptor 3 is the scheduler's socket (W_JOB comes, W_* frames go), descriptor 4
 * the broker's (B_FETCH, B_AGAIN, B_ANSWER).
 */
#ifndef PROC_WORKER_H
#define PROC_WORKER_H
#include "plug/host.h"
#include "proc/intake.h"
#include "proc/launcher.h"
#include "proc/wire.h"

#define JOB_MEMORY ((uint64_t)256 << 20) /* bytes, where a section says nothing */
#define JOB_CPU_SECONDS 3600
struct job { /* what W_JOB carries; texts borrowed by the sender */
	const char *plugin_path, *plugin_name, *source, *base_url;
	const struct conf_section *section; /* host keys are not sent */
	const struct glane_kv *cursors;
	size_t n_cursors;
	int64_t now;
	uint64_t max_body, memory, cpu_seconds, limit;
	bool keep_empty;
	uint64_t
		cancel_at; /* the run is cancelled at that call of a service (1: the first), for check-plugin; 0: never */
	const char *words;             /* words_of(); NULL: none */
	struct launch program;         /* path NULL: none */
	const struct glane_kv *header; /* of every request */
	size_t n_header;
};
glane_rc job_send(struct wire *w, const struct job *j, struct diag *d);
/*
 * Runs a job with `in`'s checks in this very process, for --inproc. fetch is called with `in` as its argument; NULL: over `broker`,
 * a socket as a worker would have it.
 */
typedef glane_rc job_fetch(void *arg, const struct host_request *, struct host_answer *ret, struct diag *);
glane_rc job_run_here(const struct job *j, struct intake *in, job_fetch *fetch, struct wire *broker, struct diag *d);

int worker_main(void);
/* Its exit status where it could not report, for want of memory or because a call failed: that is not for what it read. */
#define WORKER_MUTE 75
/* Prints the plugin's description as JSON on descriptor 3. Messages on stderr. */
int describe_main(const char *path, const char *name);
/* ---- for worker.c and inproc.c ---- */
glane_rc broker_fetch(struct wire *broker, const struct host_request *q, struct host_answer *ret, struct diag *d);
glane_rc broker_again(struct wire *broker, const struct host_request *q, struct host_answer *ret, struct diag *d);
/* Messages quote what the provider wrote, and only the broker knows what of it is a secret. Without a broker: the text as it is. What
 * it returns stands until the next frame. */
struct slice broker_words(struct wire *broker, struct slice text);
struct program;
/* What starts the job's program, where it has one; before the plugin is loaded. */
glane_rc launcher_of(const struct job *j, struct launcher *l, struct diag *d);
/* `program` and the launcher outlive what is returned. */
struct host_job host_job_of(const struct job *j, const struct plugin *p, struct launcher *l, struct program *program);
#endif
