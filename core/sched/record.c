/* SPDX-License-Identifier: MIT */
/* What a run leaves behind beside its commits: last.json and seen.json of each source, then the report. */
#include "sched/hold.h"
#include "sched/task.h"

#include <string.h>

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
	json_object_del(j, "failed_with");
	return json_set_text(j, "status", task_verdict_names[t->verdict]) && json_set_text(j, "message", t->message) &&
	       (t->verdict != V_FAILED || json_set_text(j, "failed_with", t->options_digest));
}

/* Answers that still hold were not read: what was doubted of them stays. */
static bool put_doubts(json_t *j, const struct task *t)
{
	struct strbuf b;
	bool ok = true;

	if (!t->intake.ended)
		return true;
	json_object_del(j, "doubts");
	strbuf_init(&b, 0);
	intake_doubts(&t->intake, &b);
	if (b.n || !strbuf_ok(&b))
		ok = strbuf_ok(&b) && json_set_slice(j, "doubts", strbuf_get(&b));
	strbuf_release(&b);
	return ok;
}

/* Whether the answers that were parsed again are those of the last verdict. */
static bool is_last(const json_t *j, const struct task *t)
{
	return strcmp(json_text(j, "run", ""), t->run->options->again_run) == 0;
}

/* Answers that were parsed again are no check of the source: what they settle is the last verdict. */
static bool put_outcome(json_t *j, const struct task *t)
{
	if (t->run->options->again == AGAIN_ACCEPT)
		return t->verdict == V_FAILED || hold_put_settled(j, t->holds, task_holds(t), "ok");
	if (t->run->options->again == AGAIN_REPLAY)
		return t->verdict == V_FAILED || task_is_late(t) || !is_last(j, t) || put_verdict(j, t);
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
	ok = ok && put_outcome(j, t) && put_doubts(j, t) && poison_put(j, t) && put_commit(j, t) &&
	     (!task_holds(t) || hold_put_list(j, task_holds(t)));
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

static glane_rc record_task(struct task *t, struct diag *d)
{
	const glane_rc rc = t->interrupted ? GLANE_OK : holds_settle(t, d);

	return rc == GLANE_OK && !t->interrupted ? write_last(t, d) : rc;
}

/* What goes wrong with one source is told in the end, and costs the others nothing. */
glane_rc record_run(struct run *r, const json_t *report, struct diag *d)
{
	const glane_rc rc = store_run_write(&r->store, r->id, report, d);

	for (size_t i = 0; i < r->n_tasks && rc == GLANE_OK; i++) {
		struct diag why;

		diag_clear(&why);
		if (record_task(&r->tasks[i], &why) != GLANE_OK)
			(void)fail(d, why.code, "%s", why.text);
	}
	return d->code;
}
