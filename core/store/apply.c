/* SPDX-License-Identifier: MIT */
/* Events into a file of the stream; files of current with an event are written anew, the others stay as they are. */
#include "store/apply.h"
#include "store/files.h"
#include "store/merge.h"
#include "store/shelf.h"
#include <string.h>

struct apply {
	const struct store *s;
	const struct diff_input *in;
	const struct slice_result *parts;
	const struct marks *marks;
	struct diff_result *r;
	struct merge m;
	struct record_writer events;
	char events_name[DELTA_NAME];
	bool has_events, has_twins, began, dirty;
	struct shelf shelf;
	struct twins twins;
	size_t segment;
	bool *used; /* payloads */
};

static bool is_dirty(const struct apply *w, size_t segment)
{
	const struct marks *m = w->marks;

	for (size_t i = 0; i < m->parts && (segment + 1) * m->parts <= m->n; i++) {
		if (m->bits[segment * m->parts + i] && w->parts[i].verdict == SLICE_OK)
			return true;
	}
	return false;
}

static glane_rc begin_segment(struct apply *w, size_t segment, struct diag *d)
{
	struct slice path = rows_path(&w->m.cursor, segment);
	glane_rc rc = shelf_end(&w->shelf, d);

	w->began = true;
	w->segment = segment;
	w->dirty = is_dirty(w, segment);
	if (rc < 0 || !w->dirty || !path.p)
		return rc;
	rc = change_drop(w->r->change, path, d);
	return rc == GLANE_OK ? twins_open(&w->twins, path, d) : rc;
}

static struct slice either(struct slice a, struct slice b)
{
	return a.n ? a : b;
}

/* What this fetch says of a series comes before what stands in the table. */
static glane_rc texts_of(struct apply *w, const struct row *r, struct series_texts *ret, struct diag *d)
{
	const struct batch *b = w->in->batch;
	struct series_texts old = {.title = {NULL, 0}};
	bool found;
	glane_rc rc = twins_find(&w->twins, r, &old, &found, d);

	if (rc == GLANE_OK && w->m.has_fresh && series_cmp(&w->m.fresh, r) == 0) {
		const struct series *s = &b->series[b->obs[w->m.next - 1].series];

		old.title = either(s->title, old.title);
		old.area_title = either(s->area_title, old.area_title);
		old.updated = either(s->updated, old.updated);
	}
	old.licence = either(slice_of(w->in->licence), old.licence);
	old.attribution = either(slice_of(w->in->attribution), old.attribution);
	*ret = old;
	return rc;
}

static glane_rc put_current(struct apply *w, const struct row *r, struct diag *d)
{
	struct series_texts texts;
	glane_rc rc = GLANE_OK;

	w->r->rows++;
	if (!w->dirty)
		return GLANE_OK;
	if (!shelf_is_new(&w->shelf, r))
		return shelf_put(&w->shelf, r, NULL, d);
	rc = texts_of(w, r, &texts, d);
	return rc == GLANE_OK ? shelf_put(&w->shelf, r, &texts, d) : rc;
}

static glane_rc put_event(struct apply *w, const struct merge_step *step, struct diag *d)
{
	struct row r = step->outcome == WITHDRAWN ? *step->old : *step->fresh;
	glane_rc rc = GLANE_OK;

	r.recorded_at = r.known_at = w->r->recorded_at;
	r.event = slice_of(outcome_words[step->outcome]);
	r.cause = slice_of(w->in->cause);
	r.run = slice_of(w->r->run);
	r.payload = step->payload ? w->in->batch->payloads[step->payload - 1] : SLICE("");
	if (!w->has_events) {
		change_name(w->s, w->r->change, LAKE_STREAM, w->events_name);
		rc = change_create(w->s, w->r->change, LAKE_STREAM, w->events_name, &w->events, d);
		w->has_events = rc == GLANE_OK;
	}
	if (rc == GLANE_OK)
		rc = record_writer_put(&w->events, &r, d);
	return rc == GLANE_OK ? put_current(w, &r, d) : rc;
}

/* An absence has no payload of its own: the whole slice is its evidence. */
static void mark_payload(struct apply *w, const struct merge_step *step)
{
	const struct slice_result *part = &w->parts[step->slice];

	if (step->payload && (step->outcome >= NEW || part->withdrawn))
		w->used[step->payload - 1] = true;
}

static glane_rc put(struct apply *w, const struct merge_step *step, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	if (!w->began || step->segment != w->segment)
		rc = begin_segment(w, step->segment, d);
	if (rc < 0)
		return rc;
	if (w->parts[step->slice].verdict == SLICE_OK)
		mark_payload(w, step);
	if (w->parts[step->slice].verdict != SLICE_OK || step->outcome == KEEP)
		return step->old ? put_current(w, step->old, d) : GLANE_OK;
	return step->outcome == NOTHING ? GLANE_OK : put_event(w, step, d);
}

static glane_rc put_all(struct apply *w, struct diag *d)
{
	struct merge_step step;
	glane_rc rc = merge_open(&w->m, w->s, w->in, d);

	while (rc == GLANE_OK) {
		rc = merge_next(&w->m, &step, d);
		if (rc == GLANE_OK)
			rc = put(w, &step, d);
	}
	if (rc == GLANE_END)
		rc = shelf_end(&w->shelf, d);
	if (rc == GLANE_OK && w->has_events)
		rc = change_keep(w->r->change, w->events_name, &w->events, d);
	if (w->has_events)
		record_writer_close(&w->events);
	merge_close(&w->m);
	return rc;
}

static glane_rc list_payloads(const struct apply *w, struct diag *d)
{
	const struct batch *b = w->in->batch;
	struct diff_result *r = w->r;

	r->payloads = arena_alloc(&r->arena, (b->n_payloads + 1) * sizeof(*r->payloads));
	if (!r->payloads)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the list of payloads", w->in->source);
	for (size_t i = 0; i < b->n_payloads; i++) {
		if (!w->used[i])
			continue;
		if (!arena_dup(&r->arena, b->payloads[i], &r->payloads[r->n_payloads++]))
			return fail(d, GLANE_E_NOMEM, "%s: no memory for the list of payloads", w->in->source);
	}
	return GLANE_OK;
}

static glane_rc prepare(struct apply *w, struct diag *d)
{
	struct diff_result *r = w->r;
	const char *source = w->in->source;

	w->used = arena_alloc(&r->arena, w->in->batch->n_payloads + 1);
	r->change = arena_alloc(&r->arena, sizeof(*r->change));
	if (!w->used || !r->change) {
		r->change = NULL;
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the list of payloads", source);
	}
	r->change->arena = &r->arena;
	r->change->source = arena_strndup(&r->arena, source, strlen(source));
	r->change->moment = r->recorded_at;
	if (!r->change->source)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for its name", source);
	shelf_init(&w->shelf, w->s, r->change);
	return twins_init(&w->twins, w->s, source, d);
}

glane_rc apply_write(const struct store *s, const struct diff_input *in, const struct slice_result *parts,
	const struct marks *marks, struct diff_result *ret, struct diag *d)
{
	struct apply *w;
	glane_rc rc = store_may_write(s, d);

	if (rc < 0)
		return rc;
	w = mem_zalloc(1, sizeof(*w));
	if (!w)
		return fail(d, GLANE_E_NOMEM, "%s: no memory to write rows", in->source);
	*w = (struct apply){.s = s, .in = in, .parts = parts, .marks = marks, .r = ret};
	rc = prepare(w, d);
	if (rc == GLANE_OK)
		rc = put_all(w, d);
	if (rc == GLANE_OK)
		rc = list_payloads(w, d);
	shelf_close(&w->shelf);
	twins_close(&w->twins);
	mem_free(w);
	if (rc == GLANE_E_IO)
		(void)diag_prefix(d, "%s: new rows in %s/tmp", in->source, s->path);
	return store_wrote(s, rc);
}
