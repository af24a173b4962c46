/* SPDX-License-Identifier: MIT */
/* One step of a diff: which rows share a key, and what became of it. */
#include "store/merge.h"
#include "store/files.h"
#include "store/shelf.h"

const char *const outcome_words[WITHDRAWN + 1] = {
	[NEW] = "new", [REVISED] = "revised", [STATUS] = "status", [RESTORED] = "restored", [WITHDRAWN] = "withdrawn"};

bool row_withdrawn(const struct row *r)
{
	return slice_is(r->event, "withdrawn");
}

static glane_rc advance_old(struct merge *m, struct diag *d)
{
	glane_rc rc = m->has_cursor ? store_rows_next(&m->cursor, &m->old, d) : GLANE_END;

	m->has_old = rc == GLANE_OK;
	return rc < 0 ? rc : GLANE_OK;
}

/* What is out of order here would be a damaged data file there. */
static glane_rc check_order(struct merge *m, struct diag *d)
{
	struct strbuf before = m->key;

	row_key(&m->before, &m->fresh);
	if (!strbuf_ok(&m->before))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for a row", m->source);
	m->key = m->before;
	m->before = before;
	if (before.n && slice_cmp(strbuf_get(&before), strbuf_get(&m->key)) >= 0)
		return fail(d, GLANE_E_USAGE, "%s: the batch is not sorted by key; report this defect", m->source);
	return GLANE_OK;
}

static glane_rc advance_fresh(struct merge *m, struct diag *d)
{
	const struct batch *b = m->batch;

	m->has_fresh = m->next < b->n_obs;
	if (!m->has_fresh)
		return GLANE_OK;
	batch_row(b, &b->obs[m->next++], &m->scratch, &m->fresh);
	if (!strbuf_ok(&m->scratch))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for a row", m->source);
	m->fresh.source = slice_of(m->source);
	return check_order(m, d);
}

glane_rc merge_open(struct merge *m, const struct store *s, const struct diff_input *in, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	*m = (struct merge){.batch = in->batch,
		.source = in->source,
		.slice = SIZE_MAX,
		.keep_missing = in->keep_missing,
		.additions = in->additions};
	strbuf_init(&m->scratch, 0);
	strbuf_init(&m->key, 0);
	strbuf_init(&m->before, 0);
	strbuf_init(&m->dataset, 0);
	strbuf_init(&m->indicator, 0);
	if (in->previous) {
		rc = store_rows_open(s, in->source, in->previous, &m->cursor, d);
		m->has_cursor = rc == GLANE_OK;
	}
	if (rc == GLANE_OK)
		rc = advance_old(m, d);
	if (rc == GLANE_OK)
		rc = advance_fresh(m, d);
	return rc;
}

void merge_close(struct merge *m)
{
	if (m->has_cursor)
		store_rows_close(&m->cursor);
	strbuf_release(&m->scratch);
	strbuf_release(&m->key);
	strbuf_release(&m->before);
	strbuf_release(&m->dataset);
	strbuf_release(&m->indicator);
}

/* Rows of one (dataset, indicator) follow each other: the lookup is made once for each run of them. */
static glane_rc slice_of_old(struct merge *m, size_t *ret, struct diag *d)
{
	const struct batch *b = m->batch;
	const struct cover *c;

	if (m->slice != SIZE_MAX && slice_eq(strbuf_get(&m->dataset), m->old.dataset) &&
		slice_eq(strbuf_get(&m->indicator), m->old.indicator)) {
		*ret = m->slice;
		return GLANE_OK;
	}
	strbuf_reset(&m->dataset);
	strbuf_reset(&m->indicator);
	strbuf_slice(&m->dataset, m->old.dataset);
	strbuf_slice(&m->indicator, m->old.indicator);
	if (!strbuf_ok(&m->dataset) || !strbuf_ok(&m->indicator))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for a row", m->source);
	c = batch_cover_of(b, m->old.dataset, m->old.indicator);
	m->slice = c ? (size_t)(c - b->covers) : b->n_covers;
	*ret = m->slice;
	return GLANE_OK;
}

static enum outcome judge_both(const struct row *old, const struct row *fresh, bool remove)
{
	if (remove)
		return row_withdrawn(old) ? KEEP : WITHDRAWN;
	if (row_withdrawn(old))
		return RESTORED;
	if (!row_same_value(old, fresh))
		return REVISED;
	return row_same_attributes(old, fresh) ? KEEP : STATUS;
}

static enum outcome judge_missing(const struct merge *m, size_t slice)
{
	const struct cover *c;

	if (m->keep_missing || m->additions || slice == m->batch->n_covers || row_withdrawn(&m->old))
		return KEEP;
	c = &m->batch->covers[slice];
	if (c->kind == GLANE_COVER_FULL)
		return WITHDRAWN;
	if (c->kind == GLANE_COVER_RANGE && m->old.period_start >= c->from && m->old.period_start <= c->to)
		return WITHDRAWN;
	return KEEP;
}

static void take_fresh(const struct merge *m, struct merge_step *step)
{
	const struct batch *b = m->batch;
	const struct batch_obs *o = &b->obs[m->next - 1];
	uint32_t slice = b->series[o->series].slice;

	step->fresh = &m->fresh;
	step->payload = o->payload;
	step->series = o->series + 1;
	step->remove = o->note && b->notes[o->note - 1].remove;
	step->slice = slice ? slice - 1 : b->n_covers;
	step->outcome = step->remove ? NOTHING : NEW;
}

static glane_rc take_old(struct merge *m, struct merge_step *step, struct diag *d)
{
	glane_rc rc;

	step->old = &m->old;
	if (step->fresh) {
		step->outcome = m->additions ? KEEP : judge_both(&m->old, &m->fresh, step->remove);
		return GLANE_OK;
	}
	rc = slice_of_old(m, &step->slice, d);
	if (rc == GLANE_OK)
		step->outcome = judge_missing(m, step->slice);
	return rc;
}

/* A segment begins with the series of its first row, so that none is cut in two. */
static size_t segment_of(const struct merge *m, const struct merge_step *step)
{
	const struct store_cursor *c = &m->cursor;

	if (!step->old && m->has_old && c->first && c->segment > 0 && series_cmp(&m->fresh, &m->old) != 0)
		return c->segment - 1;
	return c->segment;
}

/* The rows of a step stay where they are until the next one, which moves the sides that this one used. */
glane_rc merge_next(struct merge *m, struct merge_step *ret, struct diag *d)
{
	struct merge_step step = {0};
	glane_rc rc = GLANE_OK;
	int order = 0;

	if (m->used_old)
		rc = advance_old(m, d);
	if (rc == GLANE_OK && m->used_fresh)
		rc = advance_fresh(m, d);
	if (rc < 0)
		return rc;
	if (!m->has_old && !m->has_fresh)
		return GLANE_END;
	if (m->has_old && m->has_fresh)
		order = row_cmp_key(&m->old, &m->fresh);
	m->used_old = m->has_old && (!m->has_fresh || order <= 0);
	m->used_fresh = m->has_fresh && (!m->has_old || order >= 0);
	if (m->used_fresh)
		take_fresh(m, &step);
	if (m->used_old)
		rc = take_old(m, &step, d);
	step.segment = segment_of(m, &step);
	if (rc == GLANE_OK)
		*ret = step;
	return rc;
}
