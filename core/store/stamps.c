/* SPDX-License-Identifier: MIT */
/* "stamps" of a state file: [{"dataset": D, "indicator": I, "updated": T}]. */
#include "store/stamps.h"
#include "base/clock.h"
#include <string.h>

/* "2026-11-23T23:44:35Z", or a text that begins with a date. */
static int64_t stamp_of(struct slice text)
{
	int64_t t;

	if (time_parse(text, &t) || (text.n > 10 && time_parse((struct slice){text.p, 10}, &t)))
		return t;
	return TALLY_NEVER;
}

/* The newest stamp of a slice counts: a page may be older than its neighbours. */
static void take_fresh(struct tallies *t)
{
	const struct batch *b = t->in->batch;
	struct slice last = {NULL, 0};
	int64_t stamp = TALLY_NEVER;

	for (size_t i = 0; i < b->n_series; i++) {
		const struct series *s = &b->series[i];

		if (!s->updated.n || !s->slice)
			continue;
		if (!slice_eq(s->updated, last))
			stamp = stamp_of(s->updated);
		last = s->updated;
		if (stamp > t->slices[s->slice - 1].stamp)
			t->slices[s->slice - 1].stamp = stamp;
	}
}

/* The cover of this slice and no other; SIZE_MAX: the batch has none. */
static size_t cover_of(const struct batch *b, const json_t *entry)
{
	const struct slice indicator = slice_of(json_text(entry, "indicator", ""));
	const struct cover *c = batch_cover_of(b, slice_of(json_text(entry, "dataset", "")), indicator);

	return c && slice_eq(c->indicator, indicator) ? (size_t)(c - b->covers) : SIZE_MAX;
}

glane_rc stamps_compare(struct tallies *t, const struct store *s, struct diag *d)
{
	json_t *state;
	glane_rc rc;

	take_fresh(t);
	if (!t->in->previous)
		return GLANE_OK;
	rc = store_state(s, t->in->source, t->in->previous, &state, d);
	if (rc < 0)
		return rc;
	t->stamps = json_incref(json_object_get(state, "stamps"));
	json_decref(state);
	for (size_t i = 0; i < json_array_size(t->stamps); i++) {
		const json_t *entry = json_array_get(t->stamps, i);
		const size_t at = cover_of(t->in->batch, entry);

		if (at != SIZE_MAX)
			t->slices[at].stamp_before = stamp_of(slice_of(json_text(entry, "updated", "")));
	}
	return GLANE_OK;
}

/* An answer that only adds what was missing is older than what is there; an older one without an event has nothing newer to say. */
static bool takes_stamp(const struct tallies *t, size_t i, const struct slice_result *p)
{
	const struct tally *s = &t->slices[i];

	if (s->stamp == TALLY_NEVER || t->in->additions)
		return false;
	return p->verdict == SLICE_OK || (p->verdict == SLICE_UNCHANGED && s->stamp > s->stamp_before);
}

static bool add_fresh(json_t *list, const struct cover *c, int64_t stamp)
{
	json_t *j = json_object();
	char text[32];

	time_format(stamp, text);
	if (!json_set_slice(j, "dataset", c->dataset) || !json_set_slice(j, "indicator", c->indicator) ||
		!json_set_text(j, "updated", text)) {
		json_decref(j);
		return false;
	}
	return json_array_append_new(list, j) == 0;
}

static bool add_all(const struct tallies *t, const struct slice_result *parts, json_t *list)
{
	const struct batch *b = t->in->batch;
	bool fine = list != NULL;

	for (size_t i = 0; fine && i < json_array_size(t->stamps); i++) {
		json_t *entry = json_array_get(t->stamps, i);
		const size_t at = cover_of(b, entry);

		if (at == SIZE_MAX || !takes_stamp(t, at, &parts[at]))
			fine = json_array_append(list, entry) == 0;
	}
	for (size_t i = 0; fine && i < b->n_covers; i++)
		if (takes_stamp(t, i, &parts[i]))
			fine = add_fresh(list, &b->covers[i], t->slices[i].stamp);
	return fine;
}

glane_rc stamps_list(const struct tallies *t, const struct slice_result *parts, json_t **ret, struct diag *d)
{
	json_t *list = json_array();

	if (!add_all(t, parts, list)) {
		json_decref(list);
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the stamps", t->in->source);
	}
	*ret = list;
	return GLANE_OK;
}
