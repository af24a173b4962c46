/* SPDX-License-Identifier: MIT */
/* From a worker's last row to the commit: quarantine, diff, gate, archive, commit. */
#include "sched/task.h"

#include "base/clock.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PUBLISH_AFTER_MS (INT64_C(5) * 60 * 1000)

void task_listed(struct task *t, struct frame *f)
{
	struct diag d;
	json_t *j;

	diag_clear(&d);
	if (!t->requests)
		t->requests = json_array();
	j = request_json(f, &t->run->arena, &d);
	if (t->phase != TASK_LISTING) {
		json_decref(j);
		return;
	}
	if (!j || !t->requests || json_array_append_new(t->requests, j) != 0)
		task_fail(t, GLANE_E_NOMEM, "%s", d.code != GLANE_OK ? d.text : "no memory for the list of requests");
}

/* ---- quarantine ---- */

static json_t *reject_json(const struct intake_reject *q)
{
	json_t *j = json_object();

	if (!j || !json_set_text(j, "rule", q->rule) || !json_set_text(j, "reason", q->reason) ||
		!json_set_text(j, "record", q->record) || !json_set_text(j, "payload", q->sha256) ||
		!json_set_int(j, "number", (int64_t)q->number) || !json_set_int(j, "line", (int64_t)q->line) ||
		!json_set_int(j, "offset", (int64_t)q->offset)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

/* quarantine/SOURCE/RUN.json: what could not be normalised, with the reason and where it stands. */
static glane_rc write_quarantine(struct task *t, struct diag *d)
{
	json_t *list = json_array(), *j = json_object();
	char dir[160], name[64];
	glane_rc rc = GLANE_OK;
	int fd;

	for (size_t i = 0; i < t->intake.n_rejects; i++)
		json_array_append_new(list, reject_json(&t->intake.rejects[i]));
	if (!list || !j || json_object_set(j, "records", list) != 0 ||
		!json_set_int(j, "rejected", (int64_t)t->intake.rejected) ||
		!json_set_text(j, "source", t->conf->name) || !json_set_text(j, "run", t->run->id))
		rc = fail(d, GLANE_E_NOMEM, "no memory for the quarantine");
	snprintf(dir, sizeof(dir), "quarantine/%s", t->conf->name);
	snprintf(name, sizeof(name), "%s.json", t->run->id);
	fd = rc == GLANE_OK ? dir_open(t->run->store.dir, dir, true, d) : -1;
	if (fd >= 0)
		rc = json_write_file(fd, name, j, false, d);
	else if (rc == GLANE_OK)
		rc = d->code;
	if (fd >= 0)
		close(fd);
	json_decref(list);
	json_decref(j);
	return rc;
}

/* Too many rejected records fail the source; fewer keep it from withdrawing anything: the missing keys may be those. */
static glane_rc judge_rejects(struct task *t, struct diag *d)
{
	const uint64_t n = t->intake.rejected, all = n + t->intake.rows;
	const double percent = all ? 100.0 * (double)n / (double)all : 0;
	glane_rc rc;

	if (n == 0)
		return GLANE_OK;
	rc = write_quarantine(t, d);
	if (rc != GLANE_OK)
		return rc;
	if (percent > t->conf->max_quarantined_percent && !t->run->options->accept) {
		const struct intake_reject *q = &t->intake.rejects[0];

		return fail(d, GLANE_E_DATA,
			"%llu of %llu records (%.1f %%) cannot be normalised, more than gate.max_quarantined_percent; "
			"the first, "
			"record %llu: %s; all in quarantine/%s/%s.json",
			(unsigned long long)n, (unsigned long long)all, percent, (unsigned long long)q->number,
			q->reason, t->conf->name, t->run->id);
	}
	return GLANE_OK;
}

struct conflicts {
	struct task *t;
	char first[512];
};

static void on_conflict(void *arg, const struct row *kept, const struct row *dropped)
{
	struct conflicts *c = arg;

	if (c->first[0])
		return;
	snprintf(c->first, sizeof(c->first), "%.*s %.*s %.*s has two values, '%.*s' and '%.*s'",
		SLICE_FMT(kept->indicator), SLICE_FMT(kept->area_code), SLICE_FMT(kept->period), SLICE_FMT(kept->value),
		SLICE_FMT(dropped->value));
}

static glane_rc judge_conflicts(struct task *t, const struct conflicts *c, struct diag *d)
{
	const double percent = 100.0 * (double)t->batch.conflicts / (double)(t->batch.n_obs + t->batch.conflicts);

	t->intake.rejected += t->batch.conflicts;
	if (t->batch.conflicts == 0 || percent <= t->conf->max_quarantined_percent)
		return GLANE_OK;
	return fail(d, GLANE_E_DATA, "%llu observations contradict others of the same key: %s",
		(unsigned long long)t->batch.conflicts, c->first);
}

/*
 * The same record on two pages: what was inserted or removed while they were read has moved the border between them, and for
 * each record that came twice another may have been missed. Within a document it is only repeated.
 */
static glane_rc judge_drift(struct task *t, struct diag *d)
{
	const uint64_t twice = t->intake.counts.turned ? t->batch.duplicates : 0;
	const double percent = twice ? 100.0 * (double)twice / (double)(t->batch.n_obs + twice) : 0;

	t->intake.rejected += twice;
	if (percent <= t->conf->max_quarantined_percent || t->run->options->accept)
		return GLANE_OK;
	return fail(d, GLANE_E_DATA,
		"%llu records came twice over the pages of a request: the data moved while it was read, run again",
		(unsigned long long)twice);
}

/* Why a source with rejected > 0 is partial. */
static char *why_partial(const struct task *t)
{
	struct arena *a = &t->run->arena;

	if (t->intake.n_rejects)
		return arena_fmt(a, "%llu records in quarantine/%s/%s.json", (unsigned long long)t->intake.rejected,
			t->conf->name, t->run->id);
	if (t->batch.conflicts)
		return arena_fmt(a, "%llu observations contradict others of the same key; the first of each was taken",
			(unsigned long long)t->batch.conflicts);
	return arena_fmt(a,
		"%llu records came twice over the pages of a request, so that others may be missing; nothing is "
		"withdrawn",
		(unsigned long long)t->intake.rejected);
}

/* ---- diff ---- */

static glane_rc diff_task(struct task *t, struct diag *d)
{
	struct diff_input with = {.source = t->conf->name,
		.batch = &t->batch,
		.previous = t->previous,
		.now = t->run->recorded_at,
		.run = t->run->id,
		.cause = t->cause,
		.gate = t->conf->gate,
		.licence = t->conf->licence,
		.attribution = t->conf->attribution};
	struct conflicts c = {t, ""};
	glane_rc rc = judge_rejects(t, d);

	with.gate.accept = t->run->options->accept;
	if (rc == GLANE_OK)
		rc = batch_finish(&t->batch, on_conflict, &c, d);
	if (rc == GLANE_OK)
		rc = judge_conflicts(t, &c, d);
	if (rc == GLANE_OK)
		rc = judge_drift(t, d);
	if (rc != GLANE_OK)
		return rc;
	with.keep_missing = t->intake.rejected > 0;
	rc = diff_run(&t->run->store, &with, &t->diff, d);
	t->has_diff = rc == GLANE_OK;
	return rc;
}

static void count_slices(const struct task *t, size_t n[4])
{
	for (size_t i = 0; i < t->diff.n_slices; i++)
		n[t->diff.slices[i].verdict]++;
}

static const char *first_reason(const struct task *t, enum slice_verdict v)
{
	for (size_t i = 0; i < t->diff.n_slices; i++)
		if (t->diff.slices[i].verdict == v)
			return t->diff.slices[i].reason;
	return NULL;
}

static void judge(struct task *t)
{
	size_t n[4] = {0, 0, 0, 0};
	const char *why;

	count_slices(t, n);
	if (n[SLICE_FAILED] > 0 && n[SLICE_OK] + n[SLICE_UNCHANGED] + n[SLICE_HELD] == 0)
		t->verdict = V_FAILED;
	else if (n[SLICE_HELD] > 0 && n[SLICE_OK] + n[SLICE_UNCHANGED] + n[SLICE_FAILED] == 0)
		t->verdict = V_HELD;
	else if (n[SLICE_FAILED] + n[SLICE_HELD] > 0 || t->intake.rejected > 0)
		t->verdict = V_PARTIAL;
	else
		t->verdict = t->diff.events > 0 ? V_OK : V_UNCHANGED;
	why = first_reason(t, SLICE_FAILED);
	if (!why)
		why = first_reason(t, SLICE_HELD);
	if (why)
		t->message = arena_strndup(&t->run->arena, why, strlen(why));
	else if (t->intake.rejected > 0)
		t->message = why_partial(t);
	if (t->verdict == V_FAILED)
		t->rc = GLANE_E_DATA;
}

static void no_event(struct task *t)
{
	struct diag d;

	diag_clear(&d);
	if (t->verdict == V_UNCHANGED && t->previous > 0 && record_seen(t, &d) == GLANE_E_IO)
		fail(&t->run->diag, GLANE_E_IO, "%s", d.text);
	task_done(t);
}

void task_list_end(struct task *t, struct frame *f)
{
	struct diag d;

	diag_clear(&d);
	t->wire_bytes = frame_u64(f);
	if (t->phase != TASK_LISTING || !frame_done(f))
		return;
	if (t->run->options->limit || t->run->options->dry_run) {
		t->verdict = V_TRIAL;
		task_done(t);
		return;
	}
	if (diff_task(t, &d) != GLANE_OK) {
		t->store_trouble = d.code == GLANE_E_IO;
		task_fail(t, d.code, "%s", d.text);
		return;
	}
	judge(t);
	if (t->diff.events == 0) {
		no_event(t);
		return;
	}
	t->phase = TASK_ARCHIVING;
	broker_tell(t, B_ARCHIVE);
}

/* ---- commit ---- */

json_t *state_json(const struct task *t)
{
	json_t *j = json_object(), *digests = json_object(), *cursors = json_object();
	bool ok = j && digests && cursors && json_set_text(digests, "plugin", t->plugin_digest) &&
		  json_set_text(digests, "options", t->options_digest) &&
		  json_set_text(digests, "tables", t->run->areas.digest) &&
		  json_set_text(digests, "normaliser", NORMALISER);

	for (size_t i = 0; ok && i < t->intake.n_cursors; i++)
		ok = json_set_slice(cursors, t->intake.cursors[i].k,
			(struct slice){t->intake.cursors[i].v.p, t->intake.cursors[i].v.n});
	ok = ok && json_object_set(j, "digests", digests) == 0 && json_object_set(j, "cursors", cursors) == 0 &&
	     json_object_set(j, "requests", t->requests) == 0 &&
	     json_object_set_new(j, "partial", json_boolean(t->verdict == V_PARTIAL || t->verdict == V_HELD)) == 0;
	json_decref(digests);
	json_decref(cursors);
	if (ok)
		return j;
	json_decref(j);
	return NULL;
}

void task_archived(struct task *t, struct frame *f)
{
	const int64_t rc = frame_i64(f);
	const struct slice message = frame_text(f);
	struct diag d;
	json_t *state;

	if (t->phase != TASK_ARCHIVING || !frame_done(f))
		return;
	diag_clear(&d);
	if (rc != GLANE_OK) {
		t->store_trouble = rc == GLANE_E_IO;
		task_fail(t, GLANE_E_IO, "payloads: %.*s", SLICE_FMT(message));
		return;
	}
	if (t->diff.events == 0) {
		no_event(t);
		return;
	}
	state = state_json(t);
	if (!state)
		fail(&d, GLANE_E_NOMEM, "no memory for the state of %s", t->conf->name);
	else
		diff_commit(&t->run->store, t->conf->name, t->previous, &t->diff, state, &t->commit, &d);
	json_decref(state);
	/* One run is one version, unless it takes long. */
	if (d.code == GLANE_OK && store_pending_ms(&t->run->store) > PUBLISH_AFTER_MS)
		store_publish(&t->run->store, &d);
	(void)snprintf(t->newest.text, sizeof(t->newest.text), "%.*s", SLICE_FMT(t->diff.newest));
	t->newest.start = t->diff.newest_start;
	if (d.code != GLANE_OK) {
		if (d.code == GLANE_E_IO)
			fail(&t->run->diag, GLANE_E_IO, "%s", d.text);
		task_fail(t, d.code, "%s", d.text);
		return;
	}
	task_done(t);
}

void task_done(struct task *t)
{
	t->phase = TASK_DONE;
	t->ended_ms = clock_mono_ms();
	if (!t->conf->refused)
		broker_tell(t, B_CLOSE);
	fd_close(&t->broker_end);
	report_task(t);
	if (t->has_batch) { /* the counts stay, the rows go */
		batch_release(&t->batch);
		t->has_batch = false;
		intake_release(&t->intake);
	}
}
