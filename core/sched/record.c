/* SPDX-License-Identifier: MIT */
/* What a run leaves behind beside its commits: last.json and seen.json of each source, then the report. */
#include "sched/task.h"

#include "model/period.h"

#include <stdio.h>
#include <string.h>

/* ---- holds ---- */

static bool same_slice(const json_t *hold, const struct slice_result *r)
{
	return slice_is(r->dataset.p ? r->dataset : SLICE(""), json_text(hold, "dataset", "")) &&
	       slice_is(r->indicator.p ? r->indicator : SLICE(""), json_text(hold, "indicator", ""));
}

/* Since when this slice is held: as long as each run since then held it. */
static int64_t held_since(const struct task *t, const struct slice_result *r)
{
	const json_t *holds = json_object_get(t->last, "holds");

	for (size_t i = 0; i < json_array_size(holds); i++)
		if (same_slice(json_array_get(holds, i), r))
			return json_int(json_array_get(holds, i), "since", t->run->now);
	return t->run->now;
}

static json_t *hold_json(const struct task *t, const struct slice_result *r)
{
	json_t *j = json_object();

	if (j && json_set_slice(j, "dataset", r->dataset) && json_set_slice(j, "indicator", r->indicator) &&
		json_set_text(j, "reason", r->reason) && json_set_int(j, "since", held_since(t, r)))
		return j;
	json_decref(j);
	return NULL;
}

static bool put_holds(json_t *j, const struct task *t)
{
	json_t *holds;
	bool ok = true;

	if (!t->has_diff && t->verdict != V_UNCHANGED)
		return true; /* it failed before: what was held still is */
	json_object_del(j, "holds");
	if (t->verdict != V_HELD && t->verdict != V_PARTIAL)
		return true;
	holds = json_array();
	for (size_t i = 0; ok && i < t->diff.n_slices; i++)
		if (t->diff.slices[i].verdict == SLICE_HELD)
			ok = json_array_append_new(holds, hold_json(t, &t->diff.slices[i])) == 0;
	ok = ok && holds && (json_array_size(holds) == 0 || json_object_set(j, "holds", holds) == 0);
	json_decref(holds);
	return ok;
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

static glane_rc write_last(const struct task *t, struct diag *d)
{
	json_t *j = json_object();
	bool ok = j != NULL;
	glane_rc rc;

	if (ok && t->last)
		ok = json_object_update(j, t->last) == 0;
	json_object_del(j, "message");
	ok = ok && json_set_int(j, "checked", t->run->now) && json_set_text(j, "run", t->run->id) &&
	     json_set_text(j, "status", task_verdict_names[t->verdict]) && json_set_text(j, "message", t->message) &&
	     (t->verdict == V_FAILED || json_set_int(j, "succeeded", t->run->now)) && put_commit(j, t) &&
	     put_holds(j, t);
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

		if (!t->interrupted)
			rc = write_last(t, d);
	}
	return rc;
}
