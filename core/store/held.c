/* SPDX-License-Identifier: MIT */
/* The events that a diff holds back, one by one. */
#include "store/diff.h"
#include "store/merge.h"

struct held {
	const struct diff_input *in;
	const struct diff_result *r;
	size_t *of_cover; /* index + 1 of the result's slice; 0: none whose events are asked for */
};

/* The result lists the covers that hold, in their order; rows without a cover come last. */
static void find_slices(struct held *h)
{
	const struct batch *b = h->in->batch;
	size_t at = 0;

	for (size_t i = 0; i <= b->n_covers && at < h->r->n_slices; i++) {
		const struct slice_result *p = &h->r->slices[at];
		const struct cover *c = i < b->n_covers ? &b->covers[i] : NULL;

		if (c && (batch_cover_of(b, c->dataset, c->indicator) != c || !slice_eq(c->dataset, p->dataset) ||
				 !slice_eq(c->indicator, p->indicator)))
			continue;
		at++;
		if (h->in->only || p->verdict == SLICE_HELD)
			h->of_cover[i] = at;
	}
}

static void make_event(const struct held *h, const struct merge_step *step, struct diff_event *e)
{
	*e = (struct diff_event){.slice = h->of_cover[step->slice] - 1,
		.word = outcome_words[step->outcome],
		.row = step->outcome == WITHDRAWN ? *step->old : *step->fresh,
		.old = step->old};
	e->row.recorded_at = e->row.known_at = h->r->recorded_at;
	e->row.event = slice_of(e->word);
	e->row.cause = slice_of(h->in->cause);
	e->row.run = slice_of(h->r->run);
	e->row.payload = step->payload ? h->in->batch->payloads[step->payload - 1] : SLICE("");
}

glane_rc diff_events(const struct store *s, const struct diff_input *in, const struct diff_result *r,
	glane_rc (*each)(void *arg, const struct diff_event *e, struct diag *d), void *arg, struct diag *d)
{
	struct held h = {in, r, mem_zalloc(in->batch->n_covers + 1, sizeof(*h.of_cover))};
	struct merge_step step;
	struct diff_event e;
	struct merge m;
	glane_rc rc;

	if (!h.of_cover)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the slices", in->source);
	find_slices(&h);
	rc = merge_open(&m, s, in, d);
	while (rc == GLANE_OK) {
		rc = merge_next(&m, &step, d);
		if (rc != GLANE_OK || !outcome_words[step.outcome] || !h.of_cover[step.slice])
			continue;
		make_event(&h, &step, &e);
		rc = each(arg, &e, d);
	}
	merge_close(&m);
	mem_free(h.of_cover);
	return rc < 0 ? rc : GLANE_OK;
}
