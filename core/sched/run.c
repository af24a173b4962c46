/* SPDX-License-Identifier: MIT */
/* The run loop: one process that waits on the broker and on every worker, and never parses a remote byte. */
#include "sched/task.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_REPLAYING 64
#define MAX_ACTIVE 160
#define STRAY_ROUNDS 100 /* at the end of a run, for what outlived its worker */
#define STRAY_US 10000
#define TICK_MS 200
#define PATIENCE_MS (10 * 60 * 1000) /* with who does not read our words at the end */
#define MAX_UNREAD ((size_t)1 << 20) /* bytes of messages that wait to be read */

static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
static volatile sig_atomic_t stop_asked;

static void on_signal(int sig)
{
	stop_asked = sig;
}

/* ---- broker ---- */

static struct task *task_of(struct run *r, uint32_t id)
{
	return id >= 1 && id <= r->n_tasks ? &r->tasks[id - 1] : NULL;
}

static void take_progress(struct task *t, struct frame *f)
{
	const uint64_t wire = frame_u64(f), expected = frame_u64(f);
	const struct slice state = frame_text(f);

	if (!frame_done(f) || t->phase == TASK_DONE)
		return;
	t->wire_bytes = wire;
	t->expected = expected;
	snprintf(t->waits_for, sizeof(t->waits_for), "%.*s", SLICE_FMT(state));
}

static void take_security(struct task *t, struct frame *f)
{
	const struct slice message = frame_text(f);
	struct strbuf line;

	/* "security: " comes first on the line, where watchers look for it. */
	if (++t->security > SECURITY_LINES || !slice_has_prefix(message, "security: "))
		return;
	strbuf_init(&line, 0);
	strbuf_fmt(&line, "security: %s: ", t->conf->name);
	strbuf_visible(&line, (struct slice){message.p + 10, message.n - 10});
	strbuf_putc(&line, '\n');
	outlet_text(&t->run->err, &line);
}

static glane_rc broker_frame(struct run *r, struct frame *f, struct diag *d)
{
	const uint16_t type = f->type;
	struct task *t = task_of(r, frame_u32(f));

	if (!t)
		return fail(d, GLANE_E_FORMAT, "the broker speaks of a source that is not there");
	switch (type) {
	case B_REPLAYED:
		task_replayed(t, f);
		return GLANE_OK;
	case B_LISTED:
		task_listed(t, f);
		return GLANE_OK;
	case B_LIST_END:
		task_list_end(t, f);
		return GLANE_OK;
	case B_ARCHIVED:
		task_archived(t, f);
		return GLANE_OK;
	case B_PROGRESS:
		take_progress(t, f);
		return GLANE_OK;
	case B_SECURITY:
		take_security(t, f);
		return GLANE_OK;
	default:
		return fail(d, GLANE_E_FORMAT, "the broker sent a message of an unknown type (%u)", type);
	}
}

static glane_rc read_broker(struct run *r, struct diag *d)
{
	struct frame f;
	glane_rc rc = wire_fill(&r->control, d);

	while (rc == GLANE_OK) {
		rc = wire_take(&r->control, &f, d);
		if (rc == GLANE_OK)
			rc = broker_frame(r, &f, d);
	}
	if (rc == GLANE_END && r->control.eof)
		return fail(d, GLANE_E_FETCH, "the broker has ended (see its message above)");
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* ---- turns ---- */

static size_t count_phase(const struct run *r, enum task_phase p)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_tasks; i++)
		n += r->tasks[i].phase == p;
	return n;
}

static size_t busy(const struct run *r)
{
	return count_phase(r, TASK_WORKING) + count_phase(r, TASK_LISTING) + count_phase(r, TASK_ARCHIVING);
}

/* Begins replays, and workers as far as there are free jobs. */
static glane_rc start_some(struct run *r)
{
	const size_t jobs = (size_t)(r->options->jobs > 0 ? r->options->jobs : r->settings->jobs);
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < r->n_tasks && rc == GLANE_OK && !r->stopped; i++) {
		struct task *t = &r->tasks[i];

		if (t->phase == TASK_QUEUED &&
			count_phase(r, TASK_REPLAYING) + count_phase(r, TASK_READY) < MAX_REPLAYING)
			rc = task_begin(t);
		if (t->phase == TASK_READY && busy(r) < jobs)
			task_start_worker(t);
	}
	return rc;
}

static bool all_done(const struct run *r)
{
	for (size_t i = 0; i < r->n_tasks; i++)
		if (r->tasks[i].phase != TASK_DONE || r->tasks[i].has_worker)
			return false;
	return true;
}

static void stop_all(struct run *r, const char *why)
{
	r->stopped = true;
	for (size_t i = 0; i < r->n_tasks; i++) {
		if (r->tasks[i].phase == TASK_DONE)
			continue;
		r->tasks[i].interrupted = true;
		task_fail(&r->tasks[i], GLANE_E_CANCELLED, "%s; what was committed stays", why);
	}
}

/* Asked to, or because the next run would find the lock taken. What is not done stays due. */
static void stop_in_time(struct run *r)
{
	char why[64];

	if (r->stopped)
		return;
	if (stop_asked)
		snprintf(why, sizeof(why), "stopped by signal %d", (int)stop_asked);
	else if (clock_mono_ms() - r->started_ms >= r->settings->run_deadline * 1000)
		snprintf(why, sizeof(why), "the run was not done within its %" PRId64 " s (run_deadline)",
			r->settings->run_deadline);
	else
		return;
	stop_all(r, why);
}

struct waiting { /* what the loop waits on: three descriptors per task at most */
	struct pollfd fds[3 * MAX_ACTIVE + 1];
	struct task *who[3 * MAX_ACTIVE + 1];
	char what[3 * MAX_ACTIVE + 1]; /* 'b'roker 'w'ire 'o'utput 'e'nd */
	unsigned n;
};

static void wait_on(struct waiting *w, int fd, short events, struct task *t, char what)
{
	if (fd < 0 || w->n == sizeof(w->what))
		return;
	w->fds[w->n] = (struct pollfd){fd, events, 0};
	w->who[w->n] = t;
	w->what[w->n++] = what;
}

static void gather(struct run *r, struct waiting *w)
{
	w->n = 0;
	wait_on(w, r->control.fd, (short)(POLLIN | (wire_pending(&r->control) ? POLLOUT : 0)), NULL, 'b');
	for (size_t i = 0; i < r->n_tasks; i++) {
		struct task *t = &r->tasks[i];

		if (!t->has_worker)
			continue;
		if (t->phase == TASK_WORKING && !t->wire.eof)
			wait_on(w, t->wire.fd, POLLIN, t, 'w');
		wait_on(w, t->worker.output, POLLIN, t, 'o');
		wait_on(w, t->worker.pidfd, POLLIN, t, 'e');
	}
}

static bool is_ours(const void *arg, pid_t pid)
{
	const struct run *r = arg;

	for (size_t i = 0; i < r->n_tasks; i++)
		if (r->tasks[i].has_worker && r->tasks[i].worker.pid == pid)
			return true;
	return r->has_broker && r->broker.pid == pid;
}

static bool is_kept(const void *arg, pid_t pid)
{
	const struct run *r = arg;

	for (size_t i = 0; i < r->n_before; i++)
		if (r->before[i] == pid)
			return true;
	return is_ours(r, pid);
}

static glane_rc serve(struct run *r, const struct waiting *w, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	for (unsigned i = 0; i < w->n && rc == GLANE_OK; i++) {
		struct task *t = w->who[i];
		int status;

		if (!w->fds[i].revents)
			continue;
		if (w->what[i] == 'b' && w->fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			rc = read_broker(r, d);
		else if (w->what[i] == 'w' && t->phase == TASK_WORKING)
			task_worker_input(t);
		else if (w->what[i] == 'o')
			child_read(&t->worker);
		else if (w->what[i] == 'e' && child_ended(&t->worker, &status)) {
			task_worker_ended(t, status);
			children_kill(is_kept, r);
		}
	}
	return rc;
}

/* Processes that outlived a worker come to us (subreaper): they are killed and reaped, and what comes by their end after them. */
static void reap_strays(const struct run *r)
{
	siginfo_t info;
	bool any = false;

	for (int i = 0; i < 1000; i++) {
		memset(&info, 0, sizeof(info));
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
			return;
		if (info.si_pid == 0 || is_ours(r, info.si_pid))
			break;
		waitpid(info.si_pid, NULL, WNOHANG);
		any = true;
	}
	if (any)
		children_kill(is_kept, r);
}

static glane_rc turn(struct run *r, struct diag *d)
{
	struct waiting w;
	glane_rc rc = start_some(r);

	if (rc == GLANE_OK)
		rc = wire_flush(&r->control, d);
	if (rc != GLANE_OK)
		return rc;
	gather(r, &w);
	if (poll(w.fds, w.n, TICK_MS) < 0 && errno != EINTR)
		return fail(d, GLANE_E_IO, "poll: %s", strerror(errno));
	stop_in_time(r);
	rc = serve(r, &w, d);
	for (size_t i = 0; i < r->n_tasks; i++)
		task_timers(&r->tasks[i], clock_mono_ms());
	reap_strays(r);
	report_progress(r, false);
	outlet_pump(&r->out);
	outlet_pump(&r->err);
	return rc;
}

/* ---- the run as a whole ---- */

static glane_rc loop(struct run *r, struct diag *d)
{
	const struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	glane_rc rc;

	for (size_t i = 0; i < sizeof(stopping) / sizeof(stopping[0]); i++)
		sigaction(stopping[i], &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	r->n_before = children_list(r->before, CHILDREN_MAX);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	rc = broker_start(r, d);
	while (rc == GLANE_OK && !all_done(r) && r->diag.code == GLANE_OK)
		rc = turn(r, d);
	r->broker_lost = rc != GLANE_OK;
	if (d->code == GLANE_OK && r->diag.code != GLANE_OK)
		*d = r->diag;
	for (size_t i = 0; i < r->n_tasks; i++)
		if (r->tasks[i].phase != TASK_DONE)
			task_fail(&r->tasks[i], rc == GLANE_OK ? d->code : rc, "not run: %s", d->text);
	report_progress(r, true);
	broker_stop(r);
	for (size_t i = 0; i < r->n_tasks; i++)
		if (r->tasks[i].has_worker)
			child_close(&r->tasks[i].worker);
	for (int i = 0; i < STRAY_ROUNDS && children_kill(is_kept, r) > 0; i++) {
		usleep(STRAY_US);
		reap_strays(r);
	}
	return rc;
}

/* What --as-of goes by: null where nothing was ever recorded. */
static void set_commits(const struct run *r, json_t *j)
{
	const int64_t at = store_last_moment(&r->store);
	json_t *commits = NULL;
	char text[32];

	if (store_commits(&r->store, &commits, NULL) == GLANE_OK)
		json_object_set_new(j, "commits", commits);
	time_format(at, text);
	json_object_set_new(j, "recorded_at", at == INT64_MIN ? json_null() : json_string(text));
}

/* A commit that did not come to be is none. */
static void fail_unpublished(struct run *r, const char *why)
{
	for (size_t i = 0; i < r->n_tasks; i++) {
		struct task *t = &r->tasks[i];
		uint64_t n = 0;

		if (!t->commit ||
			(store_commit_number(&r->store, t->conf->name, &n, NULL) == GLANE_OK && n >= t->commit))
			continue;
		t->commit = 0;
		t->verdict = V_FAILED;
		t->rc = GLANE_E_IO;
		t->store_trouble = true;
		t->message = arena_strndup(&r->arena, why, strlen(why));
	}
}

/* What the run has committed becomes true. A dry run has nothing, and may have no store. */
static void publish(struct run *r)
{
	struct diag d;
	glane_rc rc;

	if (r->options->dry_run)
		return;
	diag_clear(&d);
	rc = store_publish(&r->store, &d);
	if (rc == GLANE_OK)
		rc = store_upkeep(&r->store, &d);
	if (rc != GLANE_OK) {
		if (r->diag.code == GLANE_OK)
			(void)fail(&r->diag, GLANE_E_IO, "%s", d.text);
		fail_unpublished(r, r->diag.text);
	}
	for (size_t i = 0; i < r->n_tasks; i++)
		task_say(&r->tasks[i]);
}

/* The broker may have told of some when their task was done. */
static void count_security(struct run *r)
{
	for (size_t i = 0; i < r->n_tasks; i++) {
		const struct task *t = &r->tasks[i];

		if (t->security > SECURITY_LINES)
			outlet_fmt(&r->err, "security: %s: ... and %u more\n", t->conf->name,
				t->security - SECURITY_LINES);
	}
}

static int report(struct run *r)
{
	struct strbuf text;
	struct diag d;
	json_t *j;
	int code;

	count_security(r);
	publish(r);
	code = run_exit_code(r);
	j = run_report(r, code);
	diag_clear(&d);
	if (!j) {
		outlet_fmt(&r->err, "glane: no memory for the report\n");
		return EXIT_STORE;
	}
	set_commits(r, j);
	if (!run_is_trial(r) && r->diag.code != GLANE_E_IO && record_run(r, j, &d) != GLANE_OK) {
		outlet_fmt(&r->err, "glane: %s\n", d.text);
		code = EXIT_STORE;
		json_set_int(j, "exit", code);
	}
	if (r->options->json) {
		strbuf_init(&text, JSON_FILE_MAX);
		(void)json_print(&text, j, r->options->json_line);
		strbuf_putc(&text, '\n');
		outlet_text(&r->out, &text);
	}
	if (code == EXIT_STORE && r->diag.code != GLANE_OK)
		outlet_fmt(&r->err, "glane: %s\n", r->diag.text);
	json_decref(j);
	return code;
}

static int exit_of(glane_rc rc)
{
	return rc == GLANE_E_DENIED                          ? EXIT_LOCKED
	       : rc == GLANE_E_CONFIG || rc == GLANE_E_USAGE ? EXIT_USAGE
							     : EXIT_STORE;
}

static glane_rc check_names(const struct settings *s, const struct run_options *o, struct diag *d)
{
	if (s->n_sources == 0) /* else a folder that went missing would be a success, every night */
		return fail(d, GLANE_E_CONFIG,
			"%s: no source is configured: there is no [source NAME] here, nor in sources.d", s->file);
	for (size_t i = 0; i < o->n_names; i++) {
		struct source_conf *c = settings_find(s, o->names[i]);

		if (!c)
			return fail(
				d, GLANE_E_CONFIG, "no source is called '%s' (glane sources lists them)", o->names[i]);
		c->wanted = true;
	}
	return GLANE_OK;
}

/* Two runs within one second get two times, so that --as-of can tell them apart. */
static glane_rc set_now(struct run *r, struct diag *d)
{
	const char **ids;
	json_t *j = NULL;
	int64_t last;
	size_t n;
	glane_rc rc;

	r->now = r->options->now;
	if (r->now != INT64_MIN)
		return GLANE_OK;
	r->now = clock_utc();
	rc = store_runs(&r->store, &r->arena, &ids, &n, d);
	if (rc != GLANE_OK || n == 0)
		return rc;
	/* A report that does not read is `check`'s to tell: the clock stands. */
	(void)store_run_read(&r->store, ids[n - 1], &j, NULL);
	if (time_parse(slice_of(json_text(j, "now", "")), &last) && last >= r->now && last - r->now < 60)
		r->now = last + 1;
	json_decref(j);
	return GLANE_OK;
}

static int run_inside(struct run *r, struct diag *d)
{
	glane_rc rc = set_now(r, d);

	if (rc == GLANE_OK)
		rc = plan_tasks(r, d);
	r->recorded_at = store_moment(&r->store, r->now);
	if (rc == GLANE_OK)
		rc = store_run_id(&r->store, r->now, r->id, d);
	if (rc != GLANE_OK) {
		outlet_fmt(&r->err, "glane: %s\n", d->text);
		return exit_of(rc);
	}
	if (r->n_tasks == 0) {
		if (!r->options->quiet)
			outlet_fmt(&r->err, "glane: nothing is due (glane run --all asks every enabled source)\n");
		return EXIT_FINE;
	}
	rc = loop(r, d);
	if (rc != GLANE_OK)
		outlet_fmt(&r->err, "glane: %s\n", d->text);
	return report(r);
}

static bool wants_colour(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(1) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

/* A dry run writes nothing, so it takes no lock either and does without a store that is not there yet. */
static glane_rc open_store(struct run *r, struct diag *d)
{
	if (r->options->dry_run)
		return store_open_if_any(&r->store, r->settings->store, d);
	return store_open(&r->store, r->settings->store, true, d);
}

/* What is still to be said, once the lock is free. Nobody who asks us to end has to wait for that. */
static int say_the_rest(struct run *r, int code)
{
	for (size_t i = 0; i < sizeof(stopping) / sizeof(stopping[0]); i++)
		signal(stopping[i], SIG_DFL);
	if (outlet_end(&r->out, PATIENCE_MS) != GLANE_OK && code == EXIT_FINE) {
		outlet_fmt(&r->err, "glane: cannot write the result: %s\n", strerror(r->out.error));
		code = EXIT_STORE;
	}
	if (r->err.lost)
		outlet_fmt(&r->err, "glane: %" PRIu64 " messages found no reader\n", r->err.lost);
	(void)outlet_end(&r->err, r->out.error ? 0 : PATIENCE_MS);
	outlet_release(&r->out);
	outlet_release(&r->err);
	return code;
}

int run_all(struct settings *s, const struct run_options *o)
{
	struct run *r = mem_zalloc(1, sizeof(*r));
	struct diag d;
	glane_rc rc;
	int code;

	diag_clear(&d);
	if (!r) {
		fprintf(stderr, "glane: no memory for a run\n");
		return EXIT_STORE;
	}
	r->settings = s;
	r->options = o;
	r->started_ms = clock_mono_ms();
	r->tty = !o->quiet && !o->json && isatty(2);
	r->colour = wants_colour();
	arena_init(&r->arena, 0);
	outlet_init(&r->out, 1, JSON_FILE_MAX);
	outlet_init(&r->err, 2, MAX_UNREAD);
	rc = check_names(s, o, &d);
	if (rc == GLANE_OK)
		rc = settings_describe(s, &d);
	if (rc == GLANE_OK)
		rc = areas_load(&r->areas, s->tables, &d);
	if (rc != GLANE_OK) {
		outlet_fmt(&r->err, "glane: %s\n", d.text);
		code = EXIT_USAGE;
		goto out;
	}
	rc = open_store(r, &d);
	if (rc == GLANE_OK) {
		code = run_inside(r, &d);
		for (size_t i = 0; i < r->n_tasks; i++)
			task_release(&r->tasks[i]);
		store_close(&r->store);
	} else {
		outlet_fmt(&r->err, "glane: %s\n", d.text);
		code = exit_of(rc);
	}
	areas_release(&r->areas);
out:
	code = say_the_rest(r, code);
	mem_free(r->tasks);
	arena_release(&r->arena);
	mem_free(r);
	return code;
}
