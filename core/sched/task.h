/* SPDX-License-Identifier: MIT */
/* Inside of the scheduler: one source during one run, from its replay to its commit. Not for other layers. */
#ifndef SCHED_TASK_H
#define SCHED_TASK_H
#include "base/outlet.h"
#include "model/areas.h"
#include "proc/broker.h"
#include "proc/spawn.h"
#include "proc/worker.h"
#include "sched/run.h"

enum task_phase {
	TASK_QUEUED,
	TASK_REPLAYING, /* the broker asks whether the last commit's answers still hold */
	TASK_READY,     /* waits for a free job */
	TASK_WORKING,
	TASK_LISTING,   /* the broker lists what was asked */
	TASK_ARCHIVING, /* the broker makes the payloads durable */
	TASK_DONE
};
enum task_verdict { V_NONE, V_OK, V_UNCHANGED, V_PARTIAL, V_HELD, V_FAILED, V_TRIAL };
extern const char *const task_verdict_names[];

#define SECURITY_LINES 100 /* of a source; the report counts all */
#define NORMALISER "2"     /* raised when the same payload would give other rows */

struct newest {        /* the live period that begins last */
	char text[64]; /* "": there is none */
	int64_t start; /* its first day, days since 1970-01-01 */
};
struct task {
	struct run *run;
	struct source_conf *conf;
	uint32_t id;
	enum task_phase phase;
	enum task_verdict verdict;
	char *message;    /* of a failure, in the run's arena */
	const char *rule; /* the gate's, where it failed all of the source; as in struct slice_result */
	glane_rc rc;
	uint64_t previous, commit; /* numbers; commit 0: none made */
	json_t *state, *last, *requests;
	char plugin_digest[65], options_digest[65], gate_digest[65];
	bool digests_same, gate_same;
	bool known;         /* to the broker */
	bool interrupted;   /* by a signal to the run: it stays due */
	bool said;          /* its line is out */
	bool store_trouble; /* failed because the store or its disk did */
	bool worker_io;     /* its worker says so; it may also have lost its broker */
	bool killed;        /* its worker ended by what it read, as far as can be told */
	size_t replays, replays_left, replays_same;
	const char *cause;

	int broker_end; /* the worker's end of its socket to the broker, until it is spawned */
	struct child worker;
	struct wire wire; /* to the worker */
	bool has_wire, has_worker, stopping;
	int64_t started_ms, deadline_ms, kill_ms, ended_ms;
	int64_t silent_ms; /* when the worker's connection ended; 0: not yet */
	struct batch batch;
	struct intake intake;
	bool has_batch;
	char log[3][256]; /* its last log lines */
	unsigned n_log;
	struct diff_result diff;
	bool has_diff;
	/* Holds (hold.h): the documents as they are, NULL in a trial; the holds after this refresh, NULL: the same. */
	json_t *holds, *rejected, *holds_next;
	bool holds_dirty, rejected_dirty, holds_new, has_staged;
	bool expired;        /* of what was held something was rejected by its age */
	char (*digests)[65]; /* of the slices that are held, or to be accepted */
	json_t *again;       /* what the run left whose answers are parsed again */
	const char *note;    /* for the end of the message */
	const char
		*refusal; /* why it fails once the payloads of rejected records, or what killed its worker, are kept */
	struct newest newest; /* of the commit that was made */
	uint64_t wire_bytes, expected;
	char waits_for[96];
	unsigned security;
};
struct run {
	struct settings *settings;
	const struct run_options *options;
	struct arena arena;
	struct store store;
	struct areas areas;
	struct task *tasks;
	size_t n_tasks;
	pid_t before[CHILDREN_MAX]; /* children that were there before: of a shell that became this process by exec */
	size_t n_before;
	struct child broker;
	struct wire control;
	bool has_broker, broker_lost;
	int64_t now, recorded_at, started_ms; /* recorded_at: of what this run commits */
	char id[48];
	struct diag diag; /* of the run as a whole */
	int64_t progress_ms;
	bool tty, colour, stopped;
	unsigned progress_lines;
	struct outlet out, err; /* stdout and stderr: a reader who stops does not stop the run */
};

/* It counts rows, or only asks, and leaves nothing behind. */
static inline bool run_is_trial(const struct run *r)
{
	return r->options->limit || r->options->dry_run;
}

/* poison.c: payloads that ended the process that read them, in last.json, as long as all that read them is the same. */
const json_t *poison_list(const struct task *t); /* of sha256; NULL: none, or they are to be tried again */
bool poison_put(json_t *last, const struct task *t);
/* Its worker died: asks for what it read to be kept, so that the end can be tried again; then it fails. False: there is nothing to keep. */
bool poison_keep(struct task *t, glane_rc rc, const char *message);
void poison_kept(struct task *t, glane_rc rc, struct slice message);
/* How often in a row a source came to nothing for it. */
unsigned poison_times(const json_t *last);
/* plan.c: the tasks of this run, in the order of names. */
glane_rc plan_tasks(struct run *r, struct diag *d);
bool source_due(const struct run *r, const struct source_conf *c, const json_t *last);
/* task.c */
glane_rc task_begin(struct task *t);
void task_replayed(struct task *t, struct frame *f);
void task_start_worker(struct task *t);
void task_worker_input(struct task *t);
void task_worker_ended(struct task *t, int status);
void task_timers(struct task *t, int64_t now_ms);
void task_fail(struct task *t, glane_rc rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void task_stop(struct task *t, int sig);
void task_release(struct task *t);
/* finish.c: from the worker's last row to the commit. */
void task_listed(struct task *t, struct frame *f);
void task_list_end(struct task *t, struct frame *f);
void task_archived(struct task *t, struct frame *f);
void task_done(struct task *t);
/* The document whose requests and cursors this run goes by: the last commit's state, or what an earlier run left. */
const json_t *task_answers(const struct task *t);
/* True where the commit is newer than the answers that are parsed again. */
bool task_is_late(const struct task *t);
/* quarantine.c: quarantine/SOURCE/RUN.json, what could not be normalised. */
glane_rc task_quarantine(const struct task *t, struct diag *d);
/* hold_night.c: what a run does with the holds of its source (hold.h). */
glane_rc holds_begin(struct task *t, struct diag *d); /* reads them; those whose time is over are rejected */
void holds_unchanged(struct task *t);                 /* every answer is as at the last commit */
/* After diff_run(): digests; releases (the diff is made again), drops what was rejected, writes the diff of what is held. */
glane_rc holds_judge(struct task *t, struct diff_input *with, struct diag *d);
const json_t *task_holds(const struct task *t);        /* after the run */
glane_rc holds_settle(struct task *t, struct diag *d); /* after the commit: the documents */
void holds_release(struct task *t);
void task_say(struct task *t); /* its line, where it is done, once: not before its commit is published */
/* record.c: what a run leaves behind beside its commits. */
/* The requests that gave no event, in place of those of the commit: they vouch for the same data. */
glane_rc record_seen(const struct task *t, struct diag *d);
/* The report, then last.json of each source: a run without a report does not count for due times. */
glane_rc record_run(struct run *r, const json_t *report, struct diag *d);
/* Request list, digests, cursors of a task: what a commit keeps as its state. NULL: no memory. */
json_t *state_json(const struct task *t);
/* broker_link.c */
glane_rc broker_start(struct run *r, struct diag *d);
void broker_stop(struct run *r);
glane_rc broker_source(struct task *t, int client_fd);
glane_rc broker_replay(struct task *t, uint32_t index, const json_t *j); /* a request of a state */
glane_rc broker_tell(struct task *t, uint16_t type);
glane_rc broker_keep(struct task *t, const char *sha256);
json_t *request_json(struct frame *f, struct diag *d); /* of a LISTED frame after its id; NULL: see d */
/* report.c */
json_t *run_report(const struct run *r, int exit_code);
void report_task(const struct task *t); /* one line on stdout */
void report_progress(struct run *r, bool last);
void progress_text(
	const struct task *t, int64_t now_ms, size_t width, struct strbuf *b); /* one line, without its end */
int run_exit_code(const struct run *r);
#endif
