/* SPDX-License-Identifier: MIT */
/* One source during one run: replay of its last requests, then a worker where anything may have changed. */
#include "sched/task.h"
#include "sched/hold.h"
#include "sched/quarantine.h"

#include "base/clock.h"
#include "base/file.h"
#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_MS 5000                   /* between SIGTERM and SIGKILL */
#define REPLAY_QUEUE ((size_t)16 << 20) /* bytes on their way to the broker */

static void digests(struct task *t, struct diag *d)
{
	struct run *r = t->run;
	const json_t *old = json_object_get(t->state, "digests");
	int fd = open(t->conf->plugin_path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		fail(d, GLANE_E_IO, "%s: %s", t->conf->plugin_path, strerror(errno));
		return;
	}
	sha256_fd(fd, t->plugin_digest, d);
	close(fd);
	source_options_digest(t->conf, t->options_digest, d);
	source_gate_digest(t->conf, t->gate_digest, d);
	t->digests_same = strcmp(json_text(old, "plugin", ""), t->plugin_digest) == 0 &&
			  strcmp(json_text(old, "options", ""), t->options_digest) == 0 &&
			  strcmp(json_text(old, "tables", ""), r->areas.digest) == 0 &&
			  strcmp(json_text(old, "normaliser", ""), NORMALISER) == 0;
	t->gate_same = strcmp(json_text(old, "gate", ""), t->gate_digest) == 0;
}

/* The state of the last commit; where a later parse of other answers gave no event, with those answers. Without network only
 * the commit's own are in the archive. */
static glane_rc load_state(struct task *t, struct diag *d)
{
	static const char *const newer[] = {"requests", "digests", "partial"};
	const struct store *s = &t->run->store;
	json_t *seen = NULL;
	glane_rc rc = store_commit_number(s, t->conf->name, &t->previous, d);

	if (rc == GLANE_OK)
		rc = store_state(s, t->conf->name, t->previous, &t->state, d);
	if (rc != GLANE_OK || t->previous == 0 || t->run->options->offline)
		return rc;
	rc = store_seen_read(s, t->conf->name, t->previous, &seen, d);
	for (size_t i = 0; rc == GLANE_OK && json_object_size(seen) > 0 && i < 3; i++)
		if (json_object_set(t->state, newer[i], json_object_get(seen, newer[i])) != 0)
			rc = fail(d, GLANE_E_NOMEM, "no memory for the state of %s", t->conf->name);
	json_decref(seen);
	return rc;
}

const json_t *task_answers(const struct task *t)
{
	return t->again ? t->again : t->state;
}

bool task_is_late(const struct task *t)
{
	const char *run = t->run->options->again_run;

	return run && run_id_cmp(slice_of(json_text(t->state, "run", "")), slice_of(run)) > 0;
}

/* What the earlier run left that is to be parsed again. */
static glane_rc load_again(struct task *t, struct diag *d)
{
	const struct run_options *o = t->run->options;

	if (o->again == AGAIN_NO)
		return GLANE_OK;
	if (o->again == AGAIN_REPLAY)
		return quarantine_read(&t->run->store, t->conf->name, o->again_run, &t->again, d);
	t->again = json_incref(json_object_get(json_object_get(t->holds, "runs"), o->again_run));
	if (!t->again)
		return fail(d, GLANE_E_DATA, "nothing of run %s is held any more", o->again_run);
	t->cause = json_text(t->again, "cause", "source");
	return GLANE_OK;
}

/*
 * Asks the broker whether every answer of the last commit still holds. Without a commit there is nothing to ask; and where the plugin
 * keeps cursors, it asks for what is new since then, which the last requests would not show. Where others have sent so many that the
 * queue might not hold them, its worker asks.
 */
static glane_rc replay(struct task *t)
{
	const json_t *list = json_object_get(task_answers(t), "requests");
	const bool is_increment = json_object_size(json_object_get(task_answers(t), "cursors")) > 0;
	glane_rc rc = GLANE_OK;

	if (t->run->options->dry_run || (is_increment && t->run->options->again == AGAIN_NO))
		return GLANE_OK;
	if (t->run->control.out.n > REPLAY_QUEUE && t->run->options->again == AGAIN_NO)
		return GLANE_OK;
	t->replays = t->replays_left = json_array_size(list);
	for (size_t i = 0; i < t->replays && rc == GLANE_OK; i++)
		rc = broker_replay(t, (uint32_t)i, json_array_get(list, i));
	return rc;
}

glane_rc task_begin(struct task *t)
{
	struct diag d;
	int pair[2] = {-1, -1};
	glane_rc rc;

	diag_clear(&d);
	t->started_ms = clock_mono_ms();
	t->deadline_ms = t->started_ms + t->conf->deadline * 1000;
	if (t->conf->refused) {
		task_fail(t, GLANE_E_DENIED, "%s", t->conf->refused);
		return GLANE_OK;
	}
	rc = load_state(t, &d);
	if (rc == GLANE_OK)
		rc = holds_begin(t, &d);
	if (rc == GLANE_OK)
		rc = load_again(t, &d);
	t->store_trouble = rc == GLANE_E_IO;
	if (rc == GLANE_OK)
		digests(t, &d);
	if (d.code == GLANE_OK)
		socket_pair(pair, &d);
	if (d.code != GLANE_OK) {
		task_fail(t, d.code, "%s", d.text);
		return GLANE_OK;
	}
	t->broker_end = pair[0];
	rc = broker_source(t, pair[1]);
	if (rc == GLANE_OK)
		rc = replay(t);
	t->phase = t->replays ? TASK_REPLAYING : TASK_READY;
	return rc;
}

/* Answers that a gate did not let pass, and that vouch for themselves since, may pass other limits. */
static bool may_take_rejected(const struct task *t)
{
	return hold_rejected_count(t->rejected) > 0 && (t->run->options->accept || !t->gate_same);
}

static void all_replayed(struct task *t)
{
	const bool same = t->replays_same == t->replays;
	const enum run_again again = t->run->options->again;

	if (again != AGAIN_NO && !same) {
		task_fail(t, GLANE_E_DATA,
			"%zu of %zu payloads of run %s are not in the archive (keep_payloads = none?): glane run %s "
			"asks "
			"for them again",
			t->replays - t->replays_same, t->replays, t->run->options->again_run, t->conf->name);
		return;
	}
	if (same && t->digests_same && !json_flag(t->state, "partial") && !t->run->options->limit &&
		again == AGAIN_NO && !may_take_rejected(t)) {
		holds_unchanged(t);
		t->verdict = V_UNCHANGED;
		task_done(t);
		return;
	}
	if (same && !t->digests_same && again != AGAIN_ACCEPT)
		t->cause = "mapping";
	t->phase = TASK_READY;
}

void task_replayed(struct task *t, struct frame *f)
{
	uint8_t verdict;

	frame_u32(f);
	verdict = frame_u8(f);
	frame_text(f);
	if (t->phase != TASK_REPLAYING || !frame_done(f) || t->replays_left == 0)
		return;
	t->replays_same += verdict == REPLAY_SAME;
	if (--t->replays_left == 0)
		all_replayed(t);
}

/* ---- the worker ---- */

static void on_log(void *arg, int level, struct slice text)
{
	struct task *t = arg;
	char *line = t->log[t->n_log < 3 ? t->n_log : 2];

	if (t->n_log == 3)
		memmove(t->log[0], t->log[1], sizeof(t->log) - sizeof(t->log[0]));
	else
		t->n_log++;
	snprintf(line, sizeof(t->log[0]), "%.*s", SLICE_FMT(text));
	for (size_t n = strlen(line); n > 0 && !slice_is_utf8((struct slice){line, n}); n--)
		line[n - 1] = '\0'; /* a character that was cut: no JSON would take it */
	if (level >= GLANE_LOG_WARN && !t->run->options->quiet)
		outlet_fmt(&t->run->err, "glane: %s: %.*s\n", t->conf->name, SLICE_FMT(text));
}

static glane_rc make_cursors(struct task *t, struct glane_kv **ret, size_t *ret_n)
{
	const json_t *j = json_object_get(task_answers(t), "cursors");
	struct glane_kv *kv = arena_alloc(&t->run->arena, (json_object_size(j) + 1) * sizeof(*kv));
	const char *key;
	json_t *value;
	size_t n = 0;

	if (!kv)
		return GLANE_E_NOMEM;
	json_object_foreach((json_t *)(uintptr_t)j, key, value)
	{
		const char *text = json_string_value(value);

		if (text)
			kv[n++] = (struct glane_kv){key, {text, strlen(text)}};
	}
	*ret = kv;
	*ret_n = n;
	return GLANE_OK;
}

static struct job job_of(struct task *t, const struct glane_kv *cursors, size_t n)
{
	const struct source_conf *c = t->conf;

	return (struct job){.plugin_path = c->plugin_path,
		.plugin_name = c->plugin,
		.source = c->name,
		.base_url = c->base_url,
		.section = c->section,
		.cursors = cursors,
		.n_cursors = n,
		.now = t->run->now,
		.max_body = c->max_body,
		.memory = c->memory,
		.cpu_seconds = JOB_CPU_SECONDS,
		.limit = t->run->options->limit,
		.keep_empty = c->keep_empty,
		.words = c->words,
		.program = c->program,
		.header = c->header,
		.n_header = c->n_header};
}

/* A trial commits nothing: its rows are checked and counted. */
static glane_rc count_only(void *arg, const struct batch_obs *obs, size_t n, struct diag *d)
{
	(void)arg;
	(void)obs;
	(void)n;
	(void)d;
	return GLANE_OK;
}

static glane_rc prepare_batch(struct task *t, struct diag *d)
{
	const bool trial = run_is_trial(t->run);
	glane_rc rc = batch_init(&t->batch, trial ? -1 : t->run->store.tmp, d);

	t->store_trouble = rc == GLANE_E_IO;

	if (rc == GLANE_OK)
		rc = intake_init(&t->intake, &t->batch, &t->run->areas);
	t->intake.on_log = on_log;
	t->intake.on_obs = trial ? count_only : NULL;
	t->intake.arg = t;
	t->has_batch = true;
	return rc;
}

static void run_here(struct task *t, const struct job *j)
{
	struct wire broker;
	struct diag d;
	glane_rc rc;

	diag_clear(&d);
	wire_init(&broker, t->broker_end);
	t->broker_end = -1;
	rc = wire_flush(&t->run->control, &d);
	if (rc == GLANE_OK)
		rc = job_run_here(j, &t->intake, NULL, &broker, &d);
	wire_release(&broker);
	if (rc != GLANE_OK) {
		task_fail(t, rc, "%s", d.text);
		return;
	}
	t->phase = TASK_LISTING;
	broker_tell(t, B_LIST);
}

static glane_rc spawn_worker(struct task *t, const struct job *j, struct diag *d)
{
	int pair[2] = {-1, -1}, fds[2];
	glane_rc rc = socket_pair(pair, d);

	if (rc != GLANE_OK)
		return rc;
	fds[0] = pair[1];
	fds[1] = t->broker_end;
	rc = child_spawn("@worker", NULL, fds, 2, false, true, &t->worker, d);
	close(pair[1]);
	fd_close(&t->broker_end);
	if (rc != GLANE_OK) {
		close(pair[0]);
		return rc;
	}
	t->has_worker = true;
	wire_init(&t->wire, pair[0]);
	t->has_wire = true;
	rc = job_send(&t->wire, j, d);
	if (rc == GLANE_OK && wire_flush(&t->wire, d) != GLANE_OK) { /* gone already: its exit status says the rest */
		diag_clear(d);
		t->wire.eof = true;
		t->silent_ms = clock_mono_ms();
	}
	if (rc == GLANE_OK && fcntl(t->wire.fd, F_SETFL, O_NONBLOCK) != 0)
		rc = fail(d, GLANE_E_IO, "cannot prepare a worker's socket: %s", strerror(errno));
	return rc;
}

void task_start_worker(struct task *t)
{
	struct glane_kv *cursors = NULL;
	struct diag d;
	struct job j;
	size_t n = 0;
	glane_rc rc;

	diag_clear(&d);
	t->phase = TASK_WORKING;
	rc = prepare_batch(t, &d);
	if (rc == GLANE_OK && make_cursors(t, &cursors, &n) != GLANE_OK)
		rc = fail(&d, GLANE_E_NOMEM, "no memory for the cursors");
	if (rc != GLANE_OK) {
		task_fail(t, rc, "%s", d.text);
		return;
	}
	j = job_of(t, cursors, n);
	if (t->run->options->inproc) {
		run_here(t, &j);
		return;
	}
	rc = spawn_worker(t, &j, &d);
	if (rc != GLANE_OK)
		task_fail(t, rc, "%s", d.text);
}

void task_worker_input(struct task *t)
{
	struct diag d;
	struct frame f;
	bool taken = false; /* a frame: an error is the intake's, not the socket's */
	glane_rc rc;

	diag_clear(&d);
	rc = wire_fill(&t->wire, &d);
	while (rc == GLANE_OK) {
		rc = wire_take(&t->wire, &f, &d);
		taken = rc == GLANE_OK;
		if (taken)
			rc = intake_frame(&t->intake, &f, &d);
	}
	if (rc == GLANE_E_IO && !taken) {
		t->wire.eof =
			true; /* reset by a worker that left without reading all: its END, or its exit status, says the rest */
	} else if (rc < GLANE_OK) {
		t->store_trouble = rc == GLANE_E_IO;
		task_fail(t, rc, "%s", d.text);
	}
	if (t->wire.eof && t->silent_ms == 0)
		t->silent_ms = clock_mono_ms();
}

/* The worker's last words for a message: the last line that it printed, or else logged. */
static const char *last_words(struct task *t)
{
	const struct slice s = child_last_line(&t->worker);

	return s.n ? arena_strndup(&t->run->arena, s.p, s.n) : t->n_log ? t->log[t->n_log - 1] : NULL;
}

/* Why, from its exit status; it sets the code. */
static const char *how_died(struct task *t, int status, glane_rc *ret)
{
	const char *words = last_words(t), *why = "";
	const int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	const bool mute = WIFEXITED(status) && WEXITSTATUS(status) == WORKER_MUTE;
	char how[96];

	*ret = GLANE_E_DATA;
	child_status_text(status, how, sizeof(how));
	t->killed = sig != SIGKILL && sig != SIGTERM && !mute;
	if (sig && words && strcmp(words, SANDBOX_OUT_OF_MEMORY) == 0) {
		*ret = GLANE_E_NOMEM;
		return arena_fmt(&t->run->arena,
			"the worker of plugin %s ended with %s: its memory limit of %llu MiB is used up (`memory` "
			"raises it)",
			t->conf->plugin, how, (unsigned long long)(t->conf->memory >> 20));
	}
	if (sig == SIGXCPU) {
		why = ": its CPU time is used up";
		*ret = GLANE_E_CANCELLED;
	} else if (sig == SIGKILL) {
		why = ", not of glane's: another process killed it, or the machine ran out of memory";
	} else if (mute) {
		why = ", as it could not report";
		*ret = GLANE_E_IO;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		why = " without reporting its end";
	}
	return arena_fmt(&t->run->arena, "the worker of plugin %s ended with %s%s%s%s%s", t->conf->plugin, how, why,
		words ? " (last words: " : "", words ? words : "", words ? ")" : "");
}

static void died(struct task *t, int status)
{
	glane_rc rc;
	const char *message = how_died(t, status, &rc);

	if (!poison_keep(t, rc, message))
		task_fail(t, rc, "%s", message ? message : "the worker died");
}

void task_worker_ended(struct task *t, int status)
{
	t->has_worker = false;
	child_read(&t->worker);
	while (t->phase == TASK_WORKING && !t->wire.eof) {
		const size_t before = t->wire.in.n - t->wire.taken;

		task_worker_input(t); /* what was still in the socket */
		if (t->wire.in.n - t->wire.taken == before && !t->wire.eof)
			break;
	}
	fd_close(&t->worker.pidfd);
	fd_close(&t->worker.output);
	if (t->phase != TASK_WORKING)
		return;
	if (!t->intake.ended || (t->intake.end_rc == GLANE_OK && status != 0)) {
		died(t, status);
		return;
	}
	if (t->intake.end_rc != GLANE_OK && !t->run->options->dry_run &&
		!(t->intake.end_rc == GLANE_E_CANCELLED && t->run->options->limit)) {
		t->worker_io = t->intake.end_rc == GLANE_E_IO;
		task_fail(t, t->intake.end_rc, "%s", t->intake.end_message);
		return;
	}
	t->phase = TASK_LISTING;
	broker_tell(t, B_LIST);
}

void task_timers(struct task *t, int64_t now)
{
	if (t->has_worker && t->stopping && now >= t->kill_ms)
		child_kill(&t->worker, SIGKILL);
	if (t->phase == TASK_DONE || t->phase == TASK_QUEUED)
		return;
	if (t->phase == TASK_WORKING && t->has_worker && t->silent_ms && now >= t->silent_ms + GRACE_MS) {
		task_fail(
			t, GLANE_E_DATA, "the worker of plugin %s closed its connection, and runs on", t->conf->plugin);
		return;
	}
	if (!t->stopping && now >= t->deadline_ms) {
		task_fail(t, GLANE_E_CANCELLED, "not done within its deadline of %lld s", (long long)t->conf->deadline);
		return;
	}
}

void task_stop(struct task *t, int sig)
{
	if (!t->has_worker)
		return;
	child_kill(&t->worker, sig);
	t->stopping = true;
	t->kill_ms = clock_mono_ms() + (sig == SIGKILL ? 0 : GRACE_MS);
}

/* A failed task is done for the report at once; its worker, if any, is asked to end and then made to. */
void task_fail(struct task *t, glane_rc rc, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	if (t->phase == TASK_DONE)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->message = arena_strndup(&t->run->arena, text, strlen(text));
	t->rc = rc;
	t->verdict = V_FAILED;
	task_stop(t, rc == GLANE_E_CANCELLED ? SIGTERM : SIGKILL);
	task_done(t);
}

void task_release(struct task *t)
{
	if (t->has_worker)
		child_close(&t->worker);
	if (t->has_wire)
		wire_release(&t->wire);
	if (t->has_batch) {
		intake_release(&t->intake);
		batch_release(&t->batch);
	}
	if (t->has_diff)
		diff_release(&t->diff);
	holds_release(t);
	fd_close(&t->broker_end);
	json_decref(t->state);
	json_decref(t->last);
	json_decref(t->requests);
}
