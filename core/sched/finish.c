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
	if (t->phase != TASK_LISTING)
		return;
	if (!t->requests)
		t->requests = json_array();
	j = request_json(f, &d);
	if (!j)
		task_fail(t, d.code, "%s", d.text);
	else if (json_array_append_new(t->requests, j) != 0) /* which takes j, also where there is no list */
		task_fail(t, GLANE_E_NOMEM, "no memory for the list of requests");
}

/* Which payload a row comes from is its worker's word. That of one which the broker did not give it would be the evidence of nothing. */
static glane_rc check_payloads(const struct task *t, struct diag *d)
{
	struct map given;
	glane_rc rc = GLANE_OK;

	map_init(&given, NULL);
	for (size_t i = 0; rc == GLANE_OK && i < json_array_size(t->requests); i++)
		if (!map_put(&given, slice_of(json_text(json_array_get(t->requests, i), "sha256", "")), 0, NULL, NULL))
			rc = fail(d, GLANE_E_NOMEM, "no memory for the list of payloads");
	for (size_t i = 0; rc == GLANE_OK && i < t->batch.n_payloads; i++)
		if (!map_find(&given, t->batch.payloads[i]))
			rc = fail(d, GLANE_E_FORMAT,
				"the worker sent rows that name a payload which was not given to it: %.*s",
				SLICE_FMT(t->batch.payloads[i]));
	map_release(&given);
	return rc;
}

/* ---- rejected records ---- */

/* Too many rejected records fail the source, once their payloads are kept; fewer keep it from withdrawing anything: the missing
 * keys may be those. */
static glane_rc judge_rejects(struct task *t, struct diag *d)
{
	const uint64_t n = t->intake.rejected, all = n + t->intake.rows;
	const double percent = all ? 100.0 * (double)n / (double)all : 0;
	const struct intake_reject *q = &t->intake.rejects[0];

	if (n == 0 || percent <= t->conf->gate.max_quarantined_percent || t->run->options->accept ||
		t->run->options->again == AGAIN_ACCEPT)
		return GLANE_OK;
	t->rule = "max_quarantined_percent";
	t->refusal = arena_fmt(&t->run->arena,
		"%llu of %llu records (%.1f %%) cannot be normalised, more than gate.max_quarantined_percent; the "
		"first, "
		"record %llu: %s; all in quarantine/%s/%s.json",
		(unsigned long long)n, (unsigned long long)all, percent, (unsigned long long)q->number, q->reason,
		t->conf->name, t->run->id);
	return fail(d, GLANE_E_DATA, "%s", t->refusal ? t->refusal : "too many records cannot be normalised");
}

struct conflicts {
	struct task *t;
	struct diag *d;
	glane_rc rc;
	char first[512];
};

static void on_conflict(void *arg, const struct row *kept, const struct row *dropped)
{
	struct conflicts *c = arg;
	struct intake *in = &c->t->intake;
	const size_t before = in->n_rejects;
	char text[sizeof(c->first)];

	if (c->rc != GLANE_OK)
		return;
	snprintf(text, sizeof(text), "%.*s %.*s %.*s %.*s has two values, '%.*s' and '%.*s'",
		SLICE_FMT(kept->indicator), SLICE_FMT(kept->area_code), SLICE_FMT(kept->dims), SLICE_FMT(kept->period),
		SLICE_FMT(kept->value), SLICE_FMT(dropped->value));
	if (!c->first[0])
		memcpy(c->first, text, sizeof(text));
	c->rc = intake_reject(
		in, &(struct host_reject){.rule = "conflict", .reason = slice_of(text), .record = SLICE("")}, c->d);
	if (in->n_rejects > before && dropped->payload.n == 64)
		memcpy(in->rejects[before].sha256, dropped->payload.p, 64);
}

static glane_rc judge_conflicts(struct task *t, const struct conflicts *c, struct diag *d)
{
	const double percent = 100.0 * (double)t->batch.conflicts / (double)(t->batch.n_obs + t->batch.conflicts);

	if (c->rc != GLANE_OK)
		return c->rc;
	if (t->batch.conflicts == 0 || percent <= t->conf->gate.max_quarantined_percent)
		return GLANE_OK;
	t->rule = "max_quarantined_percent";
	return fail(d, GLANE_E_DATA,
		"%llu observations contradict others of the same key, more than gate.max_quarantined_percent: %s",
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
	if (percent <= t->conf->gate.max_quarantined_percent || t->run->options->accept)
		return GLANE_OK;
	t->rule = "max_quarantined_percent";
	return fail(d, GLANE_E_DATA,
		"%llu records came twice over the pages of a request: the data moved while it was read, run again",
		(unsigned long long)twice);
}

/* Why a source is partial of which records were rejected, or whose pages moved. */
static char *why_partial(const struct task *t)
{
	struct arena *a = &t->run->arena;

	if (t->intake.n_rejects && t->batch.conflicts)
		return arena_fmt(a,
			"%llu observations contradict others of the same key, of which the first was taken, e.g. %s; "
			"in "
			"quarantine/%s/%s.json",
			(unsigned long long)t->batch.conflicts, t->intake.rejects[t->intake.n_rejects - 1].reason,
			t->conf->name, t->run->id);
	if (t->intake.n_rejects)
		return arena_fmt(a, "%llu record%s in quarantine/%s/%s.json", (unsigned long long)t->intake.rejected,
			t->intake.rejected == 1 ? "" : "s", t->conf->name, t->run->id);
	if (t->intake.rejected)
		return arena_fmt(a,
			"%llu records came twice over the pages of a request, so that others may be missing; nothing "
			"is withdrawn",
			(unsigned long long)t->intake.rejected);
	return arena_fmt(a,
		"%llu lists of pages changed while they were read, or their first page could not be asked for again, "
		"so "
		"that records may be missing; nothing is withdrawn",
		(unsigned long long)t->intake.counts.moved);
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
	struct conflicts c = {t, d, GLANE_OK, ""};
	glane_rc rc = judge_rejects(t, d);

	with.gate.accept = t->run->options->accept;
	with.accept = t->run->options->only;
	with.n_accept = t->run->options->n_only;
	with.only = t->run->options->again == AGAIN_ACCEPT;
	with.additions = t->run->options->again == AGAIN_REPLAY && task_is_late(t);
	if (rc == GLANE_OK)
		rc = batch_finish(&t->batch, on_conflict, &c, d);
	if (rc == GLANE_OK)
		rc = judge_conflicts(t, &c, d);
	if (rc == GLANE_OK)
		rc = judge_drift(t, d);
	if (rc != GLANE_OK)
		return rc;
	with.keep_missing = t->intake.rejected > 0 || t->intake.counts.moved > 0;
	rc = diff_run(&t->run->store, &with, &t->diff, d);
	t->has_diff = rc == GLANE_OK;
	return rc == GLANE_OK ? holds_judge(t, &with, d) : rc;
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

/* Why something is held, since when, and what to do. */
static const char *why_held(const struct task *t)
{
	const json_t *list = json_object_get(t->holds_next, "holds");
	const char *reason = first_reason(t, SLICE_HELD);
	int64_t since = t->run->now;
	char when[32];

	if (!reason)
		return NULL;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const int64_t at = json_int(json_array_get(list, i), "since", since);

		since = at < since ? at : since;
	}
	time_format(since, when);
	return arena_fmt(&t->run->arena, "%s; held since %.10s: glane quarantine show %s, then accept or reject",
		reason, when, t->conf->name);
}

static const char *why(const struct task *t)
{
	const char *text = first_reason(t, SLICE_FAILED);

	if (!text)
		text = why_held(t);
	if (!text)
		text = first_reason(t, SLICE_OK); /* released */
	return text ? text : first_reason(t, SLICE_UNCHANGED);
}

static void judge(struct task *t)
{
	const uint64_t rejected = t->run->options->again == AGAIN_ACCEPT ? 0 : t->intake.rejected;
	const uint64_t moved = t->intake.counts.moved;
	size_t n[4] = {0, 0, 0, 0};
	const char *text;

	count_slices(t, n);
	if (n[SLICE_FAILED] > 0 && n[SLICE_OK] + n[SLICE_UNCHANGED] + n[SLICE_HELD] == 0)
		t->verdict = V_FAILED;
	else if (n[SLICE_HELD] > 0 && n[SLICE_OK] + n[SLICE_UNCHANGED] + n[SLICE_FAILED] == 0)
		t->verdict = V_HELD;
	else if (n[SLICE_FAILED] + n[SLICE_HELD] > 0 || rejected > 0 || moved > 0)
		t->verdict = V_PARTIAL;
	else
		t->verdict = t->diff.events > 0 ? V_OK : V_UNCHANGED;
	text = why(t);
	if (text)
		t->message = arena_strndup(&t->run->arena, text, strlen(text));
	else if (rejected > 0 || moved > 0)
		t->message = why_partial(t);
	if (t->verdict == V_FAILED)
		t->rc = GLANE_E_DATA;
}

static void no_event(struct task *t)
{
	struct diag d;

	diag_clear(&d);
	if (t->verdict == V_UNCHANGED && t->previous > 0 && t->run->options->again == AGAIN_NO &&
		record_seen(t, &d) == GLANE_E_IO)
		fail(&t->run->diag, GLANE_E_IO, "%s", d.text);
	task_done(t);
}

void task_list_end(struct task *t, struct frame *f)
{
	struct slice message;
	struct diag d;
	int64_t rc;

	diag_clear(&d);
	t->wire_bytes = frame_u64(f);
	rc = frame_i64(f);
	message = frame_text(f);
	if (t->phase != TASK_LISTING || !frame_done(f))
		return;
	if (rc != GLANE_OK) {
		task_fail(t, (glane_rc)rc, "%.*s", SLICE_FMT(message));
		return;
	}
	if (check_payloads(t, &d) != GLANE_OK) {
		task_fail(t, d.code, "%s", d.text);
		return;
	}
	if (run_is_trial(t->run)) {
		t->verdict = V_TRIAL;
		task_done(t);
		return;
	}
	if (diff_task(t, &d) == GLANE_E_DATA && t->intake.n_rejects > 0 && !t->refusal)
		t->refusal = arena_strndup(&t->run->arena, d.text, strlen(d.text));
	if (d.code != GLANE_OK && !t->refusal) {
		t->store_trouble = d.code == GLANE_E_IO;
		task_fail(t, d.code, "%s", d.text);
		return;
	}
	if (!t->refusal)
		judge(t);
	if (!t->refusal && t->diff.events == 0 && !t->holds_new && t->intake.n_rejects == 0) {
		no_event(t);
		return;
	}
	t->phase = TASK_ARCHIVING;
	broker_tell(t, B_ARCHIVE);
}

/* ---- commit ---- */

/* Of answers that are parsed again: where there is a newer commit, the next night goes on from that one; and it opens the reader
 * whatever it is told, since other slices may have been left. */
static bool put_again(json_t *j, const struct task *t)
{
	static const char *const names[] = {"digests", "requests", "cursors"};
	const size_t n = task_is_late(t) ? 3 : t->run->options->again == AGAIN_ACCEPT ? 1 : 0;

	if (t->run->options->again == AGAIN_NO)
		return true;
	for (size_t i = 0; i < n; i++) {
		json_t *v = json_object_get(t->state, names[i]);

		if (v && json_object_set(j, names[i], v) != 0)
			return false;
	}
	return json_object_set_new(j, "partial", json_true()) == 0;
}

json_t *state_json(const struct task *t)
{
	/* What moved while it was read is asked for again from where the last commit was. */
	json_t *old = t->intake.counts.moved ? json_object_get(task_answers(t), "cursors") : NULL;
	json_t *j = json_object(), *digests = json_object(), *cursors = old ? json_deep_copy(old) : json_object();
	bool ok = j && digests && cursors && json_set_text(digests, "plugin", t->plugin_digest) &&
		  json_set_text(digests, "options", t->options_digest) &&
		  json_set_text(digests, "tables", t->run->areas.digest) &&
		  json_set_text(digests, "normaliser", NORMALISER) && json_set_text(digests, "gate", t->gate_digest);

	for (size_t i = 0; ok && i < t->intake.n_cursors && !t->intake.counts.moved; i++)
		ok = json_set_slice(cursors, t->intake.cursors[i].k,
			(struct slice){t->intake.cursors[i].v.p, t->intake.cursors[i].v.n});
	ok = ok && json_object_set(j, "digests", digests) == 0 && json_object_set(j, "cursors", cursors) == 0 &&
	     json_object_set(j, "requests", t->requests) == 0 &&
	     json_object_set_new(j, "partial", json_boolean(t->verdict == V_PARTIAL || t->verdict == V_HELD)) == 0 &&
	     put_again(j, t);
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
	if (t->killed) {
		poison_kept(t, (glane_rc)rc, message);
		return;
	}
	if (rc != GLANE_OK) {
		t->store_trouble = rc == GLANE_E_IO;
		task_fail(t, GLANE_E_IO, "payloads: %.*s", SLICE_FMT(message));
		return;
	}
	if (t->intake.n_rejects > 0 && t->run->options->again != AGAIN_ACCEPT && task_quarantine(t, &d) != GLANE_OK) {
		t->store_trouble = d.code == GLANE_E_IO;
		task_fail(t, d.code, "%s", d.text);
		return;
	}
	if (t->refusal) {
		task_fail(t, GLANE_E_DATA, "%s", t->refusal);
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
	if (d.code == GLANE_OK && store_pending_ms(&t->run->store) > PUBLISH_AFTER_MS) {
		store_publish(&t->run->store, &d);
		for (size_t i = 0; d.code == GLANE_OK && i < t->run->n_tasks; i++)
			task_say(&t->run->tasks[i]);
	}
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

void task_say(struct task *t)
{
	uint64_t n = 0;

	if (t->said || t->phase != TASK_DONE)
		return;
	if (t->commit && (store_commit_number(&t->run->store, t->conf->name, &n, NULL) < 0 || n < t->commit))
		return;
	t->said = true;
	report_task(t);
}

/* A message quotes what providers and workers wrote: it comes to terminals without their control bytes. */
static char *shown(const struct task *t, char *message)
{
	const struct slice s = slice_of(message);
	struct strbuf b;

	strbuf_init(&b, 0);
	strbuf_visible(&b, s);
	if (message && strbuf_ok(&b) && !slice_eq(strbuf_get(&b), s))
		message = arena_strndup(&t->run->arena, b.p, b.n);
	strbuf_release(&b);
	return message;
}

void task_done(struct task *t)
{
	t->phase = TASK_DONE;
	t->ended_ms = clock_mono_ms();
	if (t->note)
		t->message = t->message ? arena_fmt(&t->run->arena, "%s; %s", t->message, t->note)
					: arena_strndup(&t->run->arena, t->note, strlen(t->note));
	t->message = shown(t, t->message);
	if (t->known)
		broker_tell(t, B_CLOSE);
	fd_close(&t->broker_end);
	task_say(t);
	if (t->has_batch) { /* the counts stay, the rows go */
		batch_release(&t->batch);
		t->has_batch = false;
		intake_release(&t->intake);
	}
}
