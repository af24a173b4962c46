/* SPDX-License-Identifier: MIT */
/* What a run leaves behind beside its commits: last.json and seen.json of each source, then the report. */
#include "sched/hold.h"
#include "sched/task.h"

#include "model/period.h"

#include <stdio.h>
#include <string.h>

/* ---- the newest period ---- */

static void widen(struct newest *n, int64_t start, struct slice text)
{
	if (n->text[0] && start <= n->start)
		return;
	n->start = start;
	(void)snprintf(n->text, sizeof(n->text), "%.*s", SLICE_FMT(text));
}

/* Of the batch, whose rows are all in the commit. */
static void newest_of_batch(const struct batch *b, struct newest *ret)
{
	struct strbuf text;

	strbuf_init(&text, 0);
	for (size_t i = 0; b->obs && i < b->n_obs; i++) {
		const struct batch_obs *o = &b->obs[i];
		const char freq = b->series[o->series].freq;
		int64_t start;

		if (o->note && b->notes[o->note - 1].remove)
			continue;
		if (o->period < 0) {
			if (period_text_start(b->periods[-1 - o->period], &start))
				widen(ret, start, b->periods[-1 - o->period]);
			continue;
		}
		start = period_start(freq, o->period);
		if (ret->text[0] && start <= ret->start)
			continue;
		strbuf_reset(&text);
		period_print(&text, freq, o->period);
		widen(ret, start, strbuf_get(&text));
	}
	strbuf_release(&text);
}

/* Of the commit's live rows, which are published. */
static glane_rc newest_of_commit(const struct task *t, struct newest *ret, struct diag *d)
{
	struct store_cursor c;
	struct row row;
	glane_rc rc = store_rows_open(&t->run->store, t->conf->name, t->commit, &c, d);

	if (rc != GLANE_OK)
		return rc;
	while ((rc = store_rows_next(&c, &row, d)) == GLANE_OK)
		if (!slice_is(row.event, "withdrawn"))
			widen(ret, row.period_start, row.period);
	store_rows_close(&c);
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* Rows went, or stayed as they were: only the commit itself knows. Otherwise the batch can only have added to the last one. */
void task_newest(struct task *t)
{
	const char *before = json_text(t->last, "newest_period", NULL);

	t->newest_open = (t->previous > 0 && !before) || t->run->options->again != AGAIN_NO;

	for (size_t i = 0; i < t->diff.n_slices; i++) {
		const struct slice_result *r = &t->diff.slices[i];

		t->newest_open |= r->withdrawn > 0 || (r->verdict != SLICE_OK && r->verdict != SLICE_UNCHANGED);
	}
	t->newest = (struct newest){"", 0};
	if (t->newest_open)
		return;
	if (before)
		widen(&t->newest, json_int(t->last, "newest_start", 0), slice_of(before));
	newest_of_batch(&t->batch, &t->newest);
}

/* ---- files ---- */

static bool put_commit(json_t *j, const struct task *t)
{
	if (!t->commit)
		return true;
	json_object_del(j, "newest_period");
	json_object_del(j, "newest_start");
	return json_set_int(j, "changed", t->run->now) && json_set_int(j, "rows", (int64_t)t->diff.total) &&
	       (!t->newest.text[0] || (json_set_text(j, "newest_period", t->newest.text) &&
					      json_set_int(j, "newest_start", t->newest.start)));
}

static bool put_verdict(json_t *j, const struct task *t)
{
	json_object_del(j, "message");
	return json_set_text(j, "status", task_verdict_names[t->verdict]) && json_set_text(j, "message", t->message);
}

/* Answers that were parsed again are no check of the source: what they settle is the last verdict. */
static bool put_outcome(json_t *j, const struct task *t)
{
	if (t->run->options->again == AGAIN_ACCEPT)
		return t->verdict == V_FAILED || hold_put_settled(j, t->holds, task_holds(t), "ok");
	if (t->run->options->again == AGAIN_REPLAY)
		return t->verdict == V_FAILED || task_is_late(t) || put_verdict(j, t);
	return put_verdict(j, t) && json_set_int(j, "checked", t->run->now) && json_set_text(j, "run", t->run->id) &&
	       (t->verdict == V_FAILED || json_set_int(j, "succeeded", t->run->now));
}

static glane_rc write_last(const struct task *t, struct diag *d)
{
	json_t *j = json_object();
	bool ok = j != NULL;
	glane_rc rc;

	if (ok && t->last)
		ok = json_object_update(j, t->last) == 0;
	ok = ok && put_outcome(j, t) && put_commit(j, t) && (!task_holds(t) || hold_put_list(j, task_holds(t)));
	rc = ok ? store_last_write(&t->run->store, t->conf->name, j, d)
		: fail(d, GLANE_E_NOMEM, "no memory for the state of %s", t->conf->name);
	json_decref(j);
	return rc;
}

glane_rc record_seen(const struct task *t, struct diag *d)
{
	json_t *j = state_json(t);
	glane_rc rc;

	if (!j)
		return fail(d, GLANE_E_NOMEM, "no memory for the state of %s", t->conf->name);
	json_object_del(j, "cursors");
	rc = store_seen_write(&t->run->store, t->conf->name, t->previous, j, d);
	json_decref(j);
	return rc;
}

glane_rc record_run(struct run *r, const json_t *report, struct diag *d)
{
	glane_rc rc = store_run_write(&r->store, r->id, report, d);

	for (size_t i = 0; i < r->n_tasks && rc == GLANE_OK; i++) {
		struct task *t = &r->tasks[i];

		if (t->commit && t->newest_open)
			rc = newest_of_commit(t, &t->newest, d);
		if (rc == GLANE_OK && !t->interrupted)
			rc = holds_settle(t, d);
		if (rc == GLANE_OK && !t->interrupted)
			rc = write_last(t, d);
	}
	return rc;
}
