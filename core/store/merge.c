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

bool cover_includes(const struct cover *c, const struct row *r)
{
	return !c || c->kind != GLANE_COVER_RANGE || (r->period_start >= c->from && r->period_start <= c->to);
}

static glane_rc advance_old(struct merge *m, struct diag *d)
{
	glane_rc rc = m->has_cursor ? store_rows_next(&m->cursor, &m->old, d) : GLANE_END;

	m->has_old = rc == GLANE_OK;
	return rc < 0 ? rc : GLANE_OK;
}

static glane_rc make_fresh(struct merge *m, struct diag *d)
{
	const struct batch *b = m->batch;

	batch_row(b, &b->obs[m->next - 1], &m->scratch, &m->fresh);
	if (!strbuf_ok(&m->scratch))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for a row", m->source);
	m->fresh.source = slice_of(m->source);
	return GLANE_OK;
}

static int cmp_series(const struct series *a, const struct series *b)
{
	int c = a == b ? 0 : slice_cmp(a->dataset, b->dataset);

	if (c == 0 && a != b)
		c = slice_cmp(a->indicator, b->indicator);
	if (c == 0 && a != b)
		c = slice_cmp(a->area_code, b->area_code);
	if (c == 0 && a != b)
		c = slice_cmp(a->dims, b->dims);
	return c ? c : (int)(unsigned char)a->freq - (int)(unsigned char)b->freq;
}

static glane_rc advance_fresh(struct merge *m, struct diag *d)
{
	const struct batch *b = m->batch;
	const struct slice period = m->fresh.period;
	struct strbuf texts = m->before;
	int order = -1;
	glane_rc rc;

	m->has_fresh = m->next < b->n_obs;
	m->next += m->has_fresh;
	if (!m->has_fresh || m->known)
		return GLANE_OK;
	m->before = m->scratch;
	m->scratch = texts;
	rc = make_fresh(m, d);
	if (rc < 0)
		return rc;
	/* What is out of order here would be a damaged data file there. */
	if (m->next > 1)
		order = cmp_series(&b->series[b->obs[m->next - 2].series], &b->series[b->obs[m->next - 1].series]);
	if (order > 0 || (order == 0 && slice_cmp(period, m->fresh.period) >= 0))
		return fail(d, GLANE_E_USAGE, "%s: the batch is not sorted by key; report this defect", m->source);
	return GLANE_OK;
}

glane_rc merge_replay(struct merge *m, const struct store *s, const struct diff_input *in, const uint8_t *known,
	size_t n_known, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	*m = (struct merge){.batch = in->batch,
		.source = in->source,
		.slice = SIZE_MAX,
		.keep_missing = in->keep_missing,
		.additions = in->additions,
		.known = known,
		.n_known = n_known};
	strbuf_init(&m->scratch, 0);
	strbuf_init(&m->before, 0);
	strbuf_init(&m->dataset, 0);
	strbuf_init(&m->indicator, 0);
	erase_look_init(&m->look);
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

glane_rc merge_open(struct merge *m, const struct store *s, const struct diff_input *in, struct diag *d)
{
	return merge_replay(m, s, in, NULL, 0, d);
}

void merge_close(struct merge *m)
{
	if (m->has_cursor)
		store_rows_close(&m->cursor);
	strbuf_release(&m->scratch);
	strbuf_release(&m->before);
	strbuf_release(&m->dataset);
	strbuf_release(&m->indicator);
	erase_look_release(&m->look);
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
	if (c->kind != GLANE_COVER_FULL && c->kind != GLANE_COVER_RANGE)
		return KEEP;
	return cover_includes(c, &m->old) ? WITHDRAWN : KEEP;
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

/* What stands in the batch, and is erased behind it. */
static glane_rc erase_fresh(struct merge *m, struct merge_step *step, struct diag *d)
{
	struct erase_found found;
	uint16_t payload = 0;
	glane_rc rc = m->batch->erases.n ? erase_find(&m->batch->erases, &m->look, &m->fresh, &found, d) : GLANE_END;

	if (rc != GLANE_OK)
		return rc == GLANE_END ? GLANE_OK : rc;
	if (!erase_apply(&found, m->batch->obs[m->next - 1].seq + 1, &m->fresh, &payload) || step->remove)
		return GLANE_OK;
	step->remove = true;
	step->payload = payload;
	step->outcome = NOTHING;
	return GLANE_OK;
}

/* The same of a row of the last commit that the batch does not have. */
static glane_rc erase_old(struct merge *m, struct merge_step *step, struct diag *d)
{
	struct erase_found found;
	uint16_t payload = 0;
	glane_rc rc = m->batch->erases.n && !row_withdrawn(&m->old)
			      ? erase_find(&m->batch->erases, &m->look, &m->old, &found, d)
			      : GLANE_END;

	if (rc != GLANE_OK)
		return rc == GLANE_END ? GLANE_OK : rc;
	m->cleared = m->old;
	if (erase_apply(&found, 0, &m->cleared, &payload)) {
		step->outcome = WITHDRAWN;
	} else if (!row_same_attributes(&m->old, &m->cleared)) {
		step->outcome = STATUS;
		step->fresh = &m->cleared;
		step->cleared = true;
	}
	step->payload = step->outcome == KEEP ? 0 : payload;
	return GLANE_OK;
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
	return rc == GLANE_OK && step->outcome == KEEP && !m->additions ? erase_old(m, step, d) : rc;
}

static glane_rc compare(struct merge *m, struct merge_step *step, struct diag *d)
{
	int order = 0;
	glane_rc rc = GLANE_OK;

	if (m->has_old && m->has_fresh)
		order = row_cmp_key(&m->old, &m->fresh);
	m->used_old = m->has_old && (!m->has_fresh || order <= 0);
	m->used_fresh = m->has_fresh && (!m->has_old || order >= 0);
	if (m->used_fresh) {
		take_fresh(m, step);
		rc = erase_fresh(m, step, d);
	}
	return rc == GLANE_OK && m->used_old ? take_old(m, step, d) : rc;
}

enum { CODE_OLD = 8, CODE_FRESH = 16 }; /* beside the outcome */

uint8_t step_code(const struct merge_step *step)
{
	return (uint8_t)((unsigned)step->outcome | (step->old ? CODE_OLD : 0U) |
			 (step->fresh && !step->cleared ? CODE_FRESH : 0U));
}

static glane_rc repeat(struct merge *m, struct merge_step *step, struct diag *d)
{
	const uint8_t code = m->step < m->n_known ? m->known[m->step++] : 0;
	const enum outcome outcome = code & (CODE_OLD - 1);
	glane_rc rc = GLANE_OK;

	m->used_old = code & CODE_OLD;
	m->used_fresh = code & CODE_FRESH;
	if ((m->used_old && !m->has_old) || (m->used_fresh && !m->has_fresh) || !(m->used_old || m->used_fresh))
		return fail(d, GLANE_E_IO, "%s: its rows have changed while they were read", m->source);
	if (m->used_fresh) {
		take_fresh(m, step);
		step->fresh = outcome == KEEP ? NULL : &m->fresh;
		rc = outcome == KEEP ? GLANE_OK : make_fresh(m, d);
		if (rc == GLANE_OK && outcome != KEEP)
			rc = erase_fresh(m, step, d);
	}
	step->old = m->used_old ? &m->old : NULL;
	if (rc == GLANE_OK && !m->used_fresh)
		rc = slice_of_old(m, &step->slice, d);
	if (rc == GLANE_OK && !m->used_fresh && outcome != KEEP && judge_missing(m, step->slice) == KEEP)
		rc = erase_old(m, step, d);
	step->outcome = outcome;
	return rc;
}

/* A segment begins with the series of its first row, so that none is cut in two. */
static size_t segment_of(const struct merge *m, const struct merge_step *step)
{
	const struct store_cursor *c = &m->cursor;

	if (!step->old && m->has_old && c->first && c->segment > 0 && row_cmp_series(&m->fresh, &m->old) != 0)
		return c->segment - 1;
	return c->segment;
}

/* The rows of a step stay where they are until the next one, which moves the sides that this one used. */
glane_rc merge_next(struct merge *m, struct merge_step *ret, struct diag *d)
{
	struct merge_step step = {0};
	glane_rc rc = GLANE_OK;

	if (m->used_old)
		rc = advance_old(m, d);
	if (rc == GLANE_OK && m->used_fresh)
		rc = advance_fresh(m, d);
	if (rc < 0)
		return rc;
	if (!m->has_old && !m->has_fresh)
		return GLANE_END;
	rc = m->known ? repeat(m, &step, d) : compare(m, &step, d);
	step.segment = segment_of(m, &step);
	if (rc == GLANE_OK)
		*ret = step;
	return rc;
}

bool merge_is_at(const struct merge *m, const struct row *r, const struct series **ret)
{
	const struct series *s;

	if (!m->has_fresh)
		return false;
	s = &m->batch->series[m->batch->obs[m->next - 1].series];
	*ret = s;
	return s->freq == r->freq && slice_eq(s->dataset, r->dataset) && slice_eq(s->indicator, r->indicator) &&
	       slice_eq(s->area_code, r->area_code) && slice_eq(s->dims, r->dims);
}
