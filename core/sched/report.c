/* SPDX-License-Identifier: MIT */
/* What a run says: the JSON report, one line per source, the progress of a terminal, the exit code. */
#include "sched/hold.h"
#include "sched/task.h"

#include "base/clock.h"
#include "proc/sandbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PROGRESS_MS 250

const char *const task_verdict_names[] = {"none", "ok", "unchanged", "partial", "held", "failed", "trial"};
static const char *const verdict_colours[] = {"", "\033[32m", "", "\033[33m", "\033[33m", "\033[31m", ""};
static const char *const slice_names[] = {"ok", "unchanged", "held", "failed"};

struct sums {
	uint64_t added, revised, status, withdrawn, restored;
};

static struct sums sums_of(const struct task *t)
{
	struct sums s = {0};

	for (size_t i = 0; t->has_diff && i < t->diff.n_slices; i++) {
		const struct slice_result *r = &t->diff.slices[i];

		if (r->verdict != SLICE_OK)
			continue;
		s.added += r->added;
		s.revised += r->revised;
		s.status += r->status;
		s.withdrawn += r->withdrawn;
		s.restored += r->restored;
	}
	return s;
}

/* ---- JSON ---- */

static json_t *slice_json(const struct slice_result *r)
{
	json_t *j = json_object();

	if (!j)
		return NULL;
	json_set_slice(j, "dataset", r->dataset);
	json_set_slice(j, "indicator", r->indicator);
	json_set_text(j, "status", slice_names[r->verdict]);
	json_set_text(j, "rule", r->rule);
	json_set_text(j, "reason", r->reason);
	json_set_int(j, "rows", (int64_t)r->rows);
	json_set_int(j, "before", (int64_t)r->before);
	json_set_int(j, "new", (int64_t)r->added);
	json_set_int(j, "revised", (int64_t)r->revised);
	json_set_int(j, "changed_status", (int64_t)r->status);
	json_set_int(j, "withdrawn", (int64_t)r->withdrawn);
	json_set_int(j, "restored", (int64_t)r->restored);
	return j;
}

static void put_events(json_t *j, const struct task *t)
{
	const struct sums s = sums_of(t);
	json_t *events = json_object(), *slices = json_array();

	json_set_int(events, "new", (int64_t)s.added);
	json_set_int(events, "revised", (int64_t)s.revised);
	json_set_int(events, "status", (int64_t)s.status);
	json_set_int(events, "withdrawn", (int64_t)s.withdrawn);
	json_set_int(events, "restored", (int64_t)s.restored);
	json_object_set_new(j, "events", events);
	for (size_t i = 0; t->has_diff && i < t->diff.n_slices; i++)
		json_array_append_new(slices, slice_json(&t->diff.slices[i]));
	json_object_set_new(j, "slices", slices);
}

static json_t *task_json(const struct task *t)
{
	json_t *j = json_object(), *log = json_array();

	if (!j || !log)
		return j;
	json_set_text(j, "source", t->conf->name);
	json_set_text(j, "plugin", t->conf->plugin);
	json_set_text(j, "status", task_verdict_names[t->verdict]);
	json_set_text(j, "rule", t->rule);
	json_set_text(j, "message", t->message);
	if (t->verdict == V_FAILED)
		json_set_text(j, "error", rc_name(t->rc));
	json_set_text(j, "cause", t->cause);
	json_set_int(j, "milliseconds", t->started_ms ? t->ended_ms - t->started_ms : 0);
	json_set_int(j, "rows", (int64_t)t->intake.rows);
	json_set_int(j, "rejected", (int64_t)t->intake.rejected);
	json_set_int(j, "padding", (int64_t)t->intake.counts.padding);
	json_set_int(j, "lists_moved", (int64_t)t->intake.counts.moved);
	json_set_int(j, "replayed", (int64_t)t->replays);
	json_set_int(j, "wire_bytes", (int64_t)t->wire_bytes);
	json_set_int(j, "unknown_areas", (int64_t)t->intake.unknown_areas.n);
	json_set_int(j, "text_values", (int64_t)t->intake.text_values.n);
	json_set_int(j, "security_events", t->security);
	if (t->commit)
		json_set_int(j, "commit", (int64_t)t->commit);
	put_events(j, t);
	if (hold_count(task_holds(t)) > 0)
		hold_put_list(j, task_holds(t));
	if (t->requests)
		json_object_set(j, "requests", t->requests);
	for (unsigned i = 0; i < t->n_log; i++)
		json_array_append_new(log, json_string(t->log[i]));
	json_object_set_new(j, "log", log);
	return j;
}

json_t *run_report(const struct run *r, int exit_code)
{
	json_t *j = json_object(), *sources = json_array();
	char text[32];

	if (!j || !sources) {
		json_decref(j);
		json_decref(sources);
		return NULL;
	}
	json_set_text(j, "run", r->id);
	time_format(r->now, text);
	json_set_text(j, "now", text);
	json_set_int(j, "milliseconds", clock_mono_ms() - r->started_ms);
	json_set_int(j, "exit", exit_code);
	json_set_text(j, "sandbox", r->options->inproc ? "none (--inproc)" : sandbox_level());
	json_object_set_new(j, "offline", json_boolean(r->options->offline));
	json_set_text(j, "error", r->diag.code != GLANE_OK ? r->diag.text : NULL);
	for (size_t i = 0; i < r->n_tasks; i++)
		json_array_append_new(sources, task_json(&r->tasks[i]));
	json_object_set_new(j, "sources", sources);
	return j;
}

/* ---- lines ---- */

static void size_text(uint64_t n, char *buf, size_t cap)
{
	if (n < 1000)
		snprintf(buf, cap, "%" PRIu64 " B", n);
	else if (n < 1000000)
		snprintf(buf, cap, "%.1f kB", (double)n / 1e3);
	else
		snprintf(buf, cap, "%.1f MB", (double)n / 1e6);
}

static void requests_line(const struct task *t, struct strbuf *b)
{
	for (size_t i = 0; i < json_array_size(t->requests); i++) {
		const json_t *q = json_array_get(t->requests, i);

		strbuf_puts(b, "  ");
		strbuf_visible(b, slice_of(json_text(q, "method", "")));
		strbuf_putc(b, ' ');
		strbuf_visible(b, slice_of(json_text(q, "url", "")));
		if (json_int(q, "size", 0) > 0)
			strbuf_fmt(b, "  (about %" PRId64 " bytes)", json_int(q, "size", 0));
		strbuf_putc(b, '\n');
	}
}

static void doubts_text(const struct task *t, struct strbuf *b)
{
	struct strbuf doubts;

	strbuf_init(&doubts, 0);
	intake_doubts(&t->intake, &doubts);
	if (doubts.n)
		strbuf_fmt(b, "; %.*s", SLICE_FMT(strbuf_get(&doubts)));
	strbuf_release(&doubts);
}

void report_task(const struct task *t)
{
	struct run *r = t->run;
	const struct sums s = sums_of(t);
	const bool fine = (t->verdict == V_OK || t->verdict == V_UNCHANGED) && !t->expired;
	struct strbuf b;
	char size[32];

	if (r->options->json || (r->options->quiet && fine))
		return;
	if (r->tty && r->progress_lines)
		report_progress(t->run, true);
	strbuf_init(&b, 0);
	size_text(t->wire_bytes, size, sizeof(size));
	strbuf_fmt(&b, "%-24s %s%-*s%s", t->conf->name, r->colour ? verdict_colours[t->verdict] : "",
		r->options->dry_run ? 0 : 10, r->options->dry_run ? "would ask" : task_verdict_names[t->verdict],
		r->colour ? "\033[0m" : "");
	if (t->verdict == V_TRIAL && !r->options->dry_run)
		strbuf_fmt(&b, " %" PRIu64 " rows, nothing committed", t->intake.rows);
	else if (t->verdict == V_OK || t->verdict == V_PARTIAL)
		strbuf_fmt(&b,
			" %" PRIu64 " rows: %" PRIu64 " new, %" PRIu64 " revised, %" PRIu64 " status, %" PRIu64
			" withdrawn, %" PRIu64 " restored (%s, %.1f s)",
			t->intake.rows, s.added, s.revised, s.status, s.withdrawn, s.restored, size,
			(double)(t->ended_ms - t->started_ms) / 1e3);
	else if (t->verdict == V_UNCHANGED && t->replays)
		strbuf_fmt(&b, " %zu request%s still hold%s", t->replays, t->replays == 1 ? "" : "s",
			t->replays == 1 ? "s" : "");
	else if (t->verdict == V_UNCHANGED)
		strbuf_fmt(&b, " %" PRIu64 " rows, as before", t->intake.rows);
	if (t->message)
		strbuf_fmt(&b, "%s%s", t->verdict == V_FAILED || t->verdict == V_HELD ? " " : "; ", t->message);
	doubts_text(t, &b);
	strbuf_putc(&b, '\n');
	if (r->options->dry_run)
		requests_line(t, &b);
	outlet_text(&r->out, &b);
}

static const char *doing(const struct task *t)
{
	if (t->phase == TASK_READY)
		return "waits for a free job";
	if (t->phase == TASK_ARCHIVING)
		return "archiving";
	if (t->waits_for[0])
		return t->waits_for;
	return t->phase == TASK_REPLAYING ? "asking whether anything changed" : "reading";
}

/* Bytes, rows, rate, what it waits for; cut to the width, since a line that wraps could not be drawn over. */
void progress_text(const struct task *t, int64_t now_ms, size_t width, struct strbuf *b)
{
	const int64_t ms = now_ms - t->started_ms;
	const uint64_t rows = t->intake.progress_rows > t->intake.rows ? t->intake.progress_rows : t->intake.rows;
	char size[32], of[32];

	size_text(t->wire_bytes, size, sizeof(size));
	size_text(t->expected, of, sizeof(of));
	strbuf_reset(b);
	strbuf_fmt(b, "%-24s %9s%s%s %10" PRIu64 " rows", t->conf->name, size, t->expected ? " of " : "",
		t->expected ? of : "", rows);
	if (rows && ms > 0)
		strbuf_fmt(b, " %8" PRIu64 "/s", rows * 1000 / (uint64_t)ms);
	strbuf_fmt(b, "  %s", doing(t));
	if (b->n > width)
		b->n = width;
}

static size_t terminal_width(void)
{
	struct winsize w;

	return ioctl(2, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? (size_t)w.ws_col - 1 : 79;
}

/* A line per source under way, drawn over the last ones; `last` only removes them. */
void report_progress(struct run *r, bool last)
{
	const int64_t now = clock_mono_ms();
	const size_t width = terminal_width();
	struct strbuf b;

	if (!r->tty || (!last && now - r->progress_ms < PROGRESS_MS))
		return;
	r->progress_ms = now;
	strbuf_init(&b, 4096);
	if (r->progress_lines)
		fprintf(stderr, "\033[%uA\r\033[J", r->progress_lines);
	r->progress_lines = 0;
	for (size_t i = 0; !last && i < r->n_tasks && r->progress_lines < 20; i++) {
		const struct task *t = &r->tasks[i];

		if (t->phase == TASK_QUEUED || t->phase == TASK_DONE)
			continue;
		progress_text(t, now, width, &b);
		fprintf(stderr, "\033[K%.*s\n", SLICE_FMT(strbuf_get(&b)));
		r->progress_lines++;
	}
	strbuf_release(&b);
	fflush(stderr);
}

int run_exit_code(const struct run *r)
{
	size_t failed = 0, troubled = 0;

	if (r->diag.code == GLANE_E_IO)
		return EXIT_STORE;
	for (size_t i = 0; i < r->n_tasks; i++) {
		const struct task *t = &r->tasks[i];
		const enum task_verdict v = t->verdict;

		if (v == V_FAILED && (t->store_trouble || (t->worker_io && !r->broker_lost)))
			return EXIT_STORE;
		failed += v == V_FAILED || v == V_NONE;
		troubled += v == V_PARTIAL || v == V_HELD;
	}
	if (failed > 0 && failed == r->n_tasks)
		return EXIT_ALL;
	return failed + troubled > 0 ? EXIT_SOME : EXIT_FINE;
}
