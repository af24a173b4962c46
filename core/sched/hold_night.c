/* SPDX-License-Identifier: MIT */
/* What a run does with the holds of a source: expiry, the diff that is held, release, what was rejected, and the documents. */
#include "sched/hold.h"
#include "sched/hold_diff.h"
#include "sched/quarantine.h"
#include "sched/task.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static glane_rc no_memory(const struct task *t, struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "%s: no memory for its holds", t->conf->name);
}

static void staged_name(const struct task *t, char ret[96])
{
	(void)snprintf(ret, 96, "held-%s" HOLD_DIFF, t->conf->name);
}

static void diff_name(const struct task *t, char ret[64])
{
	(void)snprintf(ret, 64, "%s" HOLD_DIFF, t->run->id);
}

/* ---- before anything is asked ---- */

static void note_expiry(struct task *t, const json_t *hold)
{
	char since[32];

	time_format(json_int(hold, "since", 0), since);
	t->note = arena_fmt(&t->run->arena, "what was held of %s %s since %.10s is rejected after %lld days",
		json_text(hold, "dataset", ""), json_text(hold, "indicator", ""), since,
		(long long)t->conf->gate.hold_days);
}

/* Nobody has decided in time: rejected. */
static glane_rc expire(struct task *t, struct diag *d)
{
	const json_t *list = json_object_get(t->holds, "holds"), *first = NULL;
	const size_t n = json_array_size(list);
	bool *keep = mem_zalloc(n + 1, sizeof(*keep));
	struct hold_rejected rejected;
	bool ok = hold_rejected_open(&rejected, t->rejected) && keep;

	for (size_t i = 0; ok && i < n; i++) {
		const json_t *h = json_array_get(list, i);

		keep[i] = t->run->now < hold_ends(h, (int64_t)t->conf->gate.hold_days);
		first = !keep[i] && !first ? h : first;
		ok = keep[i] || hold_reject(&rejected, h, t->run->now, "expired");
	}
	hold_rejected_close(&rejected);
	if (ok && first) {
		note_expiry(t, first);
		ok = hold_keep_only(t->holds, keep);
		t->holds_dirty = t->rejected_dirty = t->expired = ok;
	}
	mem_free(keep);
	return ok ? GLANE_OK : no_memory(t, d);
}

glane_rc holds_begin(struct task *t, struct diag *d)
{
	glane_rc rc;

	if (run_is_trial(t->run))
		return GLANE_OK;
	rc = hold_read(&t->run->store, t->conf->name, &t->holds, d);
	if (rc == GLANE_OK)
		rc = hold_read_rejected(&t->run->store, t->conf->name, &t->rejected, d);
	return rc == GLANE_OK && !t->run->options->again ? expire(t, d) : rc;
}

/* The answers are those of the last commit again. Without network nobody has said so. */
void holds_unchanged(struct task *t)
{
	const struct hold_night night = {.now = t->run->now, .run = t->run->id};
	bool is_new;

	if (hold_count(t->holds) == 0 || t->run->options->offline)
		return;
	t->holds_next = hold_merge(NULL, &night, &is_new);
	t->note = arena_fmt(&t->run->arena, "what was held is gone: the answers are those of the last commit again");
}

/* ---- passes over the events that are held ---- */

struct pass {
	struct sha256 *sums; /* by slice; of the digests */
	struct strbuf text;
	const bool *wanted; /* by slice; of the file */
	struct hold_writer writer;
};

/* Neither when it came nor in which payload: the same diff has the same bytes on another night. */
static void add_row(struct strbuf *b, const struct row *r)
{
	struct row copy = *r;

	copy.recorded_at = copy.known_at = 0;
	row_csv(b, &copy, ROW_COLUMNS);
}

static glane_rc sum_event(void *arg, const struct diff_event *e, struct diag *d)
{
	struct pass *p = arg;

	strbuf_reset(&p->text);
	strbuf_puts(&p->text, e->word);
	strbuf_putc(&p->text, '\n');
	add_row(&p->text, &e->row);
	if (e->old)
		add_row(&p->text, e->old);
	if (!strbuf_ok(&p->text) || !sha256_add(&p->sums[e->slice], p->text.p, p->text.n))
		return fail(d, GLANE_E_NOMEM, "no memory to compare what is held");
	return GLANE_OK;
}

static bool is_judged(const struct task *t, size_t i)
{
	return t->run->options->again == AGAIN_ACCEPT || t->diff.slices[i].verdict == SLICE_HELD;
}

static glane_rc sum_slices(struct task *t, const struct diff_input *with, struct diag *d)
{
	const size_t n = t->diff.n_slices;
	struct pass p = {.sums = mem_zalloc(n + 1, sizeof(*p.sums))};
	bool ok = p.sums != NULL;
	glane_rc rc = GLANE_OK;

	t->digests = arena_alloc(&t->run->arena, (n + 1) * sizeof(*t->digests));
	strbuf_init(&p.text, 0);
	for (size_t i = 0; ok && i < n; i++)
		ok = !is_judged(t, i) || sha256_init(&p.sums[i]);
	if (!ok || !t->digests)
		rc = no_memory(t, d);
	if (rc == GLANE_OK)
		rc = diff_events(&t->run->store, with, &t->diff, sum_event, &p, d);
	for (size_t i = 0; p.sums && i < n; i++) {
		if (rc == GLANE_OK && is_judged(t, i) && !sha256_end(&p.sums[i], t->digests[i]))
			rc = no_memory(t, d);
		sha256_release(&p.sums[i]);
	}
	strbuf_release(&p.text);
	mem_free(p.sums);
	return rc;
}

static glane_rc write_event(void *arg, const struct diff_event *e, struct diag *d)
{
	struct pass *p = arg;

	return p->wanted[e->slice] ? hold_writer_put(&p->writer, e, d) : GLANE_OK;
}

static glane_rc write_events(
	struct task *t, const struct diff_input *with, const bool *wanted, json_t *entry, struct diag *d)
{
	struct pass p = {.wanted = wanted};
	char name[96];
	glane_rc rc;

	staged_name(t, name);
	rc = hold_writer_open(&p.writer, t->run->store.tmp, name, d);
	t->has_staged = true;
	if (rc == GLANE_OK)
		rc = diff_events(&t->run->store, with, &t->diff, write_event, &p, d);
	if (rc == GLANE_OK)
		rc = hold_writer_finish(&p.writer, entry, d);
	hold_writer_close(&p.writer);
	if (rc == GLANE_E_IO)
		(void)diag_prefix(d, "%s/tmp", t->run->store.path);
	return rc;
}

/* ---- the run's own entry ---- */

static bool is_alone(const struct task *t)
{
	for (size_t i = 0; i < t->diff.n_slices; i++)
		if (t->diff.slices[i].verdict == SLICE_FAILED)
			return false;
	return t->intake.rejected == 0;
}

static json_t *run_entry(const struct task *t)
{
	json_t *j = json_object(), *cursors = json_object_get(task_answers(t), "cursors");
	char name[64];

	diff_name(t, name);
	if (j && t->requests && json_object_set(j, "requests", t->requests) == 0 &&
		(!cursors || json_object_set(j, "cursors", cursors) == 0) && json_set_text(j, "cause", t->cause) &&
		json_object_set_new(j, "alone", json_boolean(is_alone(t))) == 0 &&
		json_object_set_new(j, "kept", json_boolean(t->conf->keep_payloads != KEEP_NONE)) == 0 &&
		json_set_text(j, "file", name))
		return j;
	json_decref(j);
	return NULL;
}

static glane_rc keep_diff(struct task *t, const struct diff_input *with, struct diag *d)
{
	bool *wanted = arena_alloc(&t->run->arena, t->diff.n_slices + 1);
	json_t *entry = run_entry(t);
	struct name_map holds;
	const bool ok = hold_index(t->holds_next, &holds) && wanted;

	for (size_t i = 0; ok && i < t->diff.n_slices; i++) {
		const json_t *hold = hold_find(&holds, hold_slice(&t->diff.slices[i]));

		wanted[i] = t->diff.slices[i].verdict == SLICE_HELD && hold &&
			    strcmp(json_text(hold, "run", ""), t->run->id) == 0;
	}
	name_map_release(&holds);
	if (json_object_set_new(json_object_get(t->holds_next, "runs"), t->run->id, entry) != 0 || !ok)
		return no_memory(t, d);
	return write_events(t, with, wanted, entry, d);
}

/* ---- the verdicts ---- */

/* Slices of which a second fetch has said the same; their names outlive the diff. */
static bool find_released(const struct task *t, struct name_map *holds, struct slice_name *ret, size_t *ret_n)
{
	struct arena *a = &t->run->arena;
	size_t n = 0;

	for (size_t i = 0; i < t->diff.n_slices; i++) {
		const struct slice_result *r = &t->diff.slices[i];

		if (!hold_is_released(hold_find(holds, hold_slice(r)), r, t->digests[i], t->run->now))
			continue;
		if (!arena_dup(a, r->dataset, &ret[n].dataset) || !arena_dup(a, r->indicator, &ret[n].indicator))
			return false;
		n++;
	}
	*ret_n = n;
	return true;
}

static const char *why_released(const struct task *t, const json_t *hold)
{
	char since[32];

	time_format(json_int(hold, "since", 0), since);
	return arena_fmt(&t->run->arena,
		"released: held since %.10s, the provider has updated it and says the same again", since);
}

/* The diff once more, with the gates of these slices off. */
static glane_rc release_some(
	struct task *t, struct diff_input *with, struct name_map *holds, struct slice_name *names, struct diag *d)
{
	glane_rc rc;
	size_t n;

	if (!find_released(t, holds, names, &n))
		return no_memory(t, d);
	if (n == 0)
		return GLANE_OK;
	diff_release(&t->diff);
	t->has_diff = false;
	with->accept = names;
	with->n_accept = n;
	rc = diff_run(&t->run->store, with, &t->diff, d);
	t->has_diff = rc == GLANE_OK;
	for (size_t i = 0; t->has_diff && i < t->diff.n_slices; i++) {
		struct slice_result *r = &t->diff.slices[i];

		if (r->accepted)
			r->reason = why_released(t, hold_find(holds, hold_slice(r)));
	}
	return rc;
}

static glane_rc release(struct task *t, struct diff_input *with, struct diag *d)
{
	struct slice_name *names = arena_alloc(&t->run->arena, (t->diff.n_slices + 1) * sizeof(*names));
	struct name_map holds;
	glane_rc rc;

	if (hold_index(t->holds, &holds) && names)
		rc = release_some(t, with, &holds, names, d);
	else
		rc = no_memory(t, d);
	name_map_release(&holds);
	return rc;
}

/* What somebody, or time, has rejected is not held again. */
static glane_rc drop_rejected(struct task *t, struct diag *d)
{
	struct hold_rejected rejected;
	const bool ok = hold_rejected_open(&rejected, t->rejected);

	for (size_t i = 0; ok && i < t->diff.n_slices; i++) {
		struct slice_result *r = &t->diff.slices[i];
		int64_t at;
		char when[32];

		if (r->verdict != SLICE_HELD)
			continue;
		at = hold_rejected_at(&rejected, hold_slice(r), t->digests[i]);
		if (at == INT64_MIN)
			continue;
		time_format(at, when);
		r->verdict = SLICE_UNCHANGED;
		r->rule = NULL;
		r->reason = arena_fmt(&t->run->arena, "the same answer was rejected on %.10s", when);
	}
	hold_rejected_close(&rejected);
	return ok ? GLANE_OK : no_memory(t, d);
}

static size_t count_held(const struct task *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->diff.n_slices; i++)
		n += t->diff.slices[i].verdict == SLICE_HELD;
	return n;
}

static glane_rc check_slice(struct task *t, size_t i, const json_t *hold, struct diag *d)
{
	struct slice_result *r = &t->diff.slices[i];
	char since[32];

	if (r->verdict != SLICE_OK)
		return GLANE_OK;
	if (strcmp(json_text(hold, "digest", ""), t->digests[i]) != 0)
		return fail(d, GLANE_E_DATA,
			"%.*s %.*s reads otherwise than when it was held (the plugin, its options or the tables have "
			"changed): glane run %s judges it anew",
			SLICE_FMT(r->dataset), SLICE_FMT(r->indicator), t->conf->name);
	time_format(json_int(hold, "since", 0), since);
	r->reason = arena_fmt(&t->run->arena, "accepted, held since %.10s", since);
	return GLANE_OK;
}

/* What is committed must be what was held, event by event. */
static glane_rc check_accepted(struct task *t, struct diag *d)
{
	struct name_map holds;
	glane_rc rc = hold_index(t->holds, &holds) ? GLANE_OK : no_memory(t, d);

	for (size_t i = 0; rc == GLANE_OK && i < t->diff.n_slices; i++)
		rc = check_slice(t, i, hold_find(&holds, hold_slice(&t->diff.slices[i])), d);
	name_map_release(&holds);
	if (rc == GLANE_OK && t->diff.n_slices < t->run->options->n_only)
		return fail(d, GLANE_E_DATA,
			"the payloads of run %s no longer speak of every slice to be accepted (the plugin's options "
			"have changed): glane run %s judges the source anew",
			t->run->options->again_run, t->conf->name);
	return rc;
}

/* Runs with a hold whose diff is not there, each a member. NULL: no memory. */
static json_t *lost_diffs(const struct task *t)
{
	json_t *lost = json_object(), *entry;
	char path[HOLD_FILE];
	const char *run;
	bool ok = lost != NULL;

	json_object_foreach(json_object_get(t->holds, "runs"), run, entry)
	{
		hold_path(t->conf->name, json_text(entry, "file", ""), path);
		if (ok && !file_exists(t->run->store.dir, path))
			ok = json_object_set_new(lost, run, json_true()) == 0;
	}
	if (ok)
		return lost;
	json_decref(lost);
	return NULL;
}

static glane_rc note_night(struct task *t, const struct diff_input *with, struct diag *d)
{
	json_t *lost = lost_diffs(t);
	const struct hold_night night = {.slices = t->diff.slices,
		.digests = t->digests,
		.n = t->diff.n_slices,
		.now = t->run->now,
		.run = t->run->id,
		.keep = t->run->options->offline && t->run->options->again != AGAIN_ACCEPT,
		.lost = lost};

	json_decref(t->holds_next);
	t->holds_next = lost ? hold_merge(t->holds, &night, &t->holds_new) : NULL;
	json_decref(lost);
	if (!t->holds_next)
		return no_memory(t, d);
	return t->holds_new ? keep_diff(t, with, d) : GLANE_OK;
}

glane_rc holds_judge(struct task *t, struct diff_input *with, struct diag *d)
{
	const bool accepting = t->run->options->again == AGAIN_ACCEPT;
	glane_rc rc = GLANE_OK;

	if (count_held(t) || accepting)
		rc = sum_slices(t, with, d);
	if (rc == GLANE_OK && accepting)
		rc = check_accepted(t, d);
	if (rc == GLANE_OK && count_held(t) && !t->run->options->offline) /* an archived answer is no second fetch */
		rc = release(t, with, d);
	if (rc == GLANE_OK)
		rc = drop_rejected(t, d);
	return rc == GLANE_OK && (hold_count(t->holds) || count_held(t)) ? note_night(t, with, d) : rc;
}

/* ---- after the commit ---- */

const json_t *task_holds(const struct task *t)
{
	return t->verdict != V_FAILED && t->holds_next ? t->holds_next : t->holds;
}

static glane_rc place_diff(const struct task *t, struct diag *d)
{
	char from[96], name[64], folder[HOLD_FILE];
	glane_rc rc = GLANE_OK;
	int dir;

	staged_name(t, from);
	diff_name(t, name);
	hold_path(t->conf->name, "", folder);
	dir = dir_open(t->run->store.dir, folder, true, d);
	if (dir < 0)
		return GLANE_E_IO;
	if (io->renameat2(t->run->store.tmp, from, dir, name, 0) < 0)
		rc = fail(d, GLANE_E_IO, "%s/%s%s: cannot publish: %s", t->run->store.path, folder, name,
			strerror(errno));
	if (rc == GLANE_OK)
		rc = fd_sync(dir, folder, d);
	fd_close(&dir);
	return rc;
}

/* What was rejected was judged beside rows that are no longer the last ones. */
static glane_rc forget_rejected(struct task *t, struct diag *d)
{
	struct hold_rejected rejected;
	bool ok;

	if (!t->commit || hold_rejected_count(t->rejected) == 0)
		return GLANE_OK;
	ok = hold_rejected_open(&rejected, t->rejected);
	for (size_t i = 0; ok && i < t->diff.n_slices; i++) {
		const struct slice_result *r = &t->diff.slices[i];

		if (slice_is_changed(r) && hold_forget(&rejected, hold_slice(r)))
			t->rejected_dirty = true;
	}
	hold_rejected_close(&rejected);
	return ok ? GLANE_OK : no_memory(t, d);
}

glane_rc holds_settle(struct task *t, struct diag *d)
{
	const char *source = t->conf->name;
	json_t *next = json_incref((json_t *)(uintptr_t)task_holds(t));
	glane_rc rc = GLANE_OK;

	if (!next)
		return GLANE_OK;
	t->holds_dirty |= !json_equal(next, t->holds);
	rc = forget_rejected(t, d);
	if (rc == GLANE_OK && t->rejected_dirty)
		rc = hold_write_rejected(&t->run->store, source, t->rejected, d);
	if (rc == GLANE_OK && t->holds_new && next == t->holds_next)
		rc = place_diff(t, d);
	if (rc == GLANE_OK && t->holds_dirty)
		rc = hold_write(&t->run->store, source, next, d);
	if (rc == GLANE_OK)
		rc = quarantine_upkeep(&t->run->store, source, next, t->run->now, d);
	json_decref(next);
	return rc;
}

void holds_release(struct task *t)
{
	char name[96];

	if (t->has_staged) { /* where it was placed there is no such file any more */
		staged_name(t, name);
		(void)io->unlinkat(t->run->store.tmp, name, 0);
	}
	json_decref(t->holds);
	json_decref(t->holds_next);
	json_decref(t->rejected);
	json_decref(t->again);
}
