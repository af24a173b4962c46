/* SPDX-License-Identifier: MIT */
/* The first pass of a diff: counts per slice, verdicts; the second one (apply.c) runs only where there are events. */
#include "store/diff.h"
#include "store/apply.h"
#include "store/files.h"
#include "store/merge.h"
#include "store/name_map.h"
#include "store/stamps.h"
#include "store/verdict.h"

static void count_fresh(struct slice_result *part, enum outcome outcome)
{
	switch (outcome) {
	case NEW:
		part->added++;
		break;
	case REVISED:
		part->revised++;
		break;
	case STATUS:
		part->status++;
		break;
	case RESTORED:
		part->restored++;
		break;
	case WITHDRAWN:
		part->withdrawn++;
		break;
	case KEEP:
	case NOTHING:
		break;
	}
}

/* Notes the step, and that a file of current has an event of a slice, whose verdict is not yet known. */
static glane_rc mark(struct marks *m, const struct merge_step *step, struct diag *d)
{
	size_t need = (step->segment + 1) * m->parts, before = m->n;

	if (!mem_grow(&m->step, &m->cap_steps, m->n_steps + 1, sizeof(*m->step)))
		return fail(d, GLANE_E_NOMEM, "no memory to compare the rows");
	m->step[m->n_steps++] = step_code(step);
	if (need > before) {
		if (!mem_grow(&m->bits, &m->cap, need, sizeof(*m->bits)))
			return fail(d, GLANE_E_NOMEM, "no memory to compare the rows");
		memset(m->bits + before, 0, need - before);
		m->n = need;
	}
	if (m->bits && step->outcome > NOTHING)
		m->bits[step->segment * m->parts + step->slice] = 1;
	return GLANE_OK;
}

static glane_rc count_all(
	const struct store *s, struct slice_result *parts, struct tallies *t, struct marks *marks, struct diag *d)
{
	struct merge_step step;
	struct merge m;
	glane_rc rc = merge_open(&m, s, t->in, d);

	while (rc == GLANE_OK) {
		rc = merge_next(&m, &step, d);
		if (rc != GLANE_OK)
			break;
		parts[step.slice].rows += step.fresh && !step.remove && !step.cleared;
		parts[step.slice].before += step.old && !row_withdrawn(step.old);
		count_fresh(&parts[step.slice], step.outcome);
		rc = mark(marks, &step, d);
		if (rc == GLANE_OK)
			rc = tallies_add(t, &step, d);
	}
	merge_close(&m);
	return rc < 0 ? rc : tallies_end(t, d);
}

/* Which codes are lost or new: a pass of its own, which nights without a new or lost series need not. */
static glane_rc count_codes(const struct store *s, struct tallies *t, struct diag *d)
{
	struct merge_step step;
	struct merge m;
	glane_rc rc = merge_open(&m, s, t->in, d);

	while (rc == GLANE_OK) {
		rc = merge_next(&m, &step, d);
		if (rc == GLANE_OK)
			rc = tallies_add(t, &step, d);
	}
	merge_close(&m);
	return rc < 0 ? rc : tallies_end(t, d);
}

static uint64_t events_of(const struct slice_result *p)
{
	return p->added + p->revised + p->status + p->withdrawn + p->restored;
}

static uint64_t live_after(const struct slice_result *p)
{
	return p->before + p->added + p->restored - p->withdrawn;
}

static bool refuse(struct slice_result *p, const char *reason)
{
	p->verdict = SLICE_FAILED;
	p->reason = reason;
	p->added = p->revised = p->status = p->withdrawn = p->restored = 0;
	return true;
}

/* An empty answer is a failure, whatever it claims to cover. */
static bool judge_empty(struct slice_result *p, const struct diff_input *in, const struct cover *c, struct arena *a)
{
	bool nothing_at_all = !c && in->batch->n_obs == 0 && in->batch->n_covers == 0 && in->batch->erases.n == 0;

	if (c && c->kind == GLANE_COVER_FAILED)
		return refuse(p, c->reason.n ? arena_strndup(a, c->reason.p, c->reason.n) : "the fetch failed");
	if ((c && c->kind == GLANE_COVER_FULL && p->rows == 0) || nothing_at_all)
		return refuse(p, "no observations");
	return false;
}

bool slice_name_eq(struct slice_name a, struct slice_name b)
{
	return slice_eq(a.dataset, b.dataset) && slice_eq(a.indicator, b.indicator);
}

/* Which slices somebody has accepted. */
static glane_rc mark_accepted(const struct diff_input *in, struct slice_result *parts, struct diag *d)
{
	const struct batch *b = in->batch;
	struct name_map names;
	bool ok = true;

	name_map_init(&names);
	for (size_t i = 0; ok && i < in->n_accept; i++)
		ok = name_map_put(&names, in->accept[i], i, NULL);
	for (size_t i = 0; ok && i <= b->n_covers; i++) {
		const struct cover *c = i < b->n_covers ? &b->covers[i] : NULL;
		const struct slice_name name = {c ? c->dataset : SLICE(""), c ? c->indicator : SLICE("")};

		parts[i].accepted = name_map_find(&names, name) != NULL;
	}
	name_map_release(&names);
	return ok ? GLANE_OK : fail(d, GLANE_E_NOMEM, "%s: no memory for the accepted slices", in->source);
}

static glane_rc judge(struct slice_result *p, const struct tally *t, const struct diff_input *in, struct diff_result *r,
	const struct cover *c, struct diag *d)
{
	if (in->only && !p->accepted) { /* as if nothing had been fetched of it */
		p->verdict = SLICE_HELD;
		r->total += p->before;
		return GLANE_OK;
	}
	p->updated_moved = t->stamp_before != TALLY_NEVER && t->stamp > t->stamp_before;
	if (judge_empty(p, in, c, &r->arena) || (!p->accepted && gate_judge(p, t, in, c, &r->arena))) {
		r->total += p->before;
		if (!p->reason)
			return fail(d, GLANE_E_NOMEM, "%s: no memory for a verdict", in->source);
		return GLANE_OK;
	}
	p->verdict = events_of(p) ? SLICE_OK : SLICE_UNCHANGED;
	r->events += events_of(p);
	r->total += live_after(p);
	return GLANE_OK;
}

/* A cover that another one of the same slice has taken the place of speaks of nothing. */
static bool is_spoken_of(const struct batch *b, size_t i)
{
	const struct cover *c = &b->covers[i];

	return i == b->n_covers || batch_cover_of(b, c->dataset, c->indicator) == c;
}

static bool is_shown(const struct diff_input *in, size_t i, const struct slice_result *p)
{
	const struct batch *b = in->batch;

	if (in->only && !p->accepted)
		return false;
	if (i == b->n_covers)
		return p->rows || events_of(p) || p->verdict == SLICE_FAILED;
	return is_spoken_of(b, i);
}

static glane_rc list_slices(
	const struct diff_input *in, const struct slice_result *parts, struct diff_result *r, struct diag *d)
{
	const struct batch *b = in->batch;

	r->slices = arena_alloc(&r->arena, (b->n_covers + 1) * sizeof(*r->slices));
	if (!r->slices)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the slices", in->source);
	for (size_t i = 0; i <= b->n_covers; i++) {
		struct slice_result *p = &r->slices[r->n_slices];

		if (!is_shown(in, i, &parts[i]))
			continue;
		*p = parts[i];
		if (i < b->n_covers && (!arena_dup(&r->arena, b->covers[i].dataset, &p->dataset) ||
					       !arena_dup(&r->arena, b->covers[i].indicator, &p->indicator)))
			return fail(d, GLANE_E_NOMEM, "%s: no memory for the slices", in->source);
		r->n_slices++;
	}
	return GLANE_OK;
}

/* The clock may have gone back since the last commit: recorded_at never does, and two events of one key never share one. */
static glane_rc set_stamp(const struct store *s, const struct diff_input *in, struct diff_result *r, struct diag *d)
{
	int64_t last;
	glane_rc rc;

	r->recorded_at = in->now > store_last_moment(s) ? in->now : store_last_moment(s);
	r->run = arena_strndup(&r->arena, in->run, strlen(in->run));
	if (!r->run)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for a run id", in->source);
	if (!in->previous)
		return GLANE_OK;
	rc = commit_time(s, in->source, in->previous, &last, d);
	if (rc == GLANE_OK && last >= r->recorded_at)
		r->recorded_at = last + 1;
	return rc;
}

static glane_rc run_with(const struct store *s, struct tallies *t, struct diff_result *r, struct diag *d)
{
	const struct diff_input *in = t->in;
	const struct batch *b = in->batch;
	struct slice_result *parts = arena_alloc(&r->arena, (b->n_covers + 1) * sizeof(*parts));
	struct marks marks = {.parts = b->n_covers + 1};
	glane_rc rc;

	if (!parts)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the slices", in->source);
	rc = set_stamp(s, in, r, d);
	if (rc == GLANE_OK)
		rc = stamps_compare(t, s, d);
	if (rc == GLANE_OK)
		rc = count_all(s, parts, t, &marks, d);
	if (rc == GLANE_OK && tallies_again(t))
		rc = count_codes(s, t, d);
	if (rc == GLANE_OK)
		rc = mark_accepted(in, parts, d);
	for (size_t i = 0; rc == GLANE_OK && i <= b->n_covers; i++) {
		if (is_spoken_of(b, i))
			rc = judge(&parts[i], &t->slices[i], in, r, i < b->n_covers ? &b->covers[i] : NULL, d);
	}
	if (rc == GLANE_OK)
		rc = list_slices(in, parts, r, d);
	if (rc == GLANE_OK && r->events)
		rc = stamps_list(t, parts, &r->stamps, d);
	if (rc == GLANE_OK && r->events)
		rc = apply_write(s, in, parts, &marks, r, d);
	mem_free(marks.bits);
	mem_free(marks.step);
	return rc;
}

static glane_rc run(const struct store *s, const struct diff_input *in, struct diff_result *r, struct diag *d)
{
	struct tallies t;
	glane_rc rc = tallies_init(&t, in, &r->arena, d);

	if (rc == GLANE_OK)
		rc = run_with(s, &t, r, d);
	tallies_release(&t);
	return rc;
}

glane_rc diff_run(const struct store *s, const struct diff_input *in, struct diff_result *ret, struct diag *d)
{
	struct diff_result r = {.s = s};
	glane_rc rc;

	arena_init(&r.arena, 0);
	rc = run(s, in, &r, d);
	if (rc < 0)
		diff_release(&r);
	else
		*ret = r;
	return rc;
}

void diff_release(struct diff_result *r)
{
	if (r->change)
		change_release(r->s, r->change);
	json_decref(r->stamps);
	arena_release(&r->arena);
	*r = (struct diff_result){.s = NULL};
}
