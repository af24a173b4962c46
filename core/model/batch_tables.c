/* SPDX-License-Identifier: MIT */
/* The tables of a batch: all series, notes and periods of a run by value in mapped files, or the last ones in memory. */
#include "model/batch_tables.h"

#define RING ((size_t)2 * BATCH_WINDOW)
#define INDEX_MIN 1024

glane_rc batch_no_memory(struct diag *d, const char *what)
{
	return fail(d, GLANE_E_NOMEM, "no memory for another %s of the run; raise the source's memory", what);
}

glane_rc tables_init(struct batch *b, int spool_dir, struct diag *d)
{
	struct region *const all[] = {&b->texts, &b->by_series.file, &b->by_note.file, &b->by_period.file};
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		*all[i] = (struct region){.fd = -1};
	for (size_t i = 0; rc == GLANE_OK && spool_dir >= 0 && i < sizeof(all) / sizeof(all[0]); i++)
		rc = region_open(all[i], spool_dir, d);
	return rc;
}

static void table_release(struct batch_table *t)
{
	arena_release(&t->text[0]);
	arena_release(&t->text[1]);
	mem_free(t->slot);
	region_close(&t->file);
	*t = (struct batch_table){.file.fd = -1};
}

void tables_release(struct batch *b)
{
	if (!b->is_whole) {
		mem_free(b->series);
		mem_free(b->notes);
		mem_free(b->periods);
	}
	table_release(&b->by_series);
	table_release(&b->by_note);
	table_release(&b->by_period);
	region_close(&b->texts);
}

/* ---- a whole run: what is known already, by hash ---- */

static bool index_grow(struct batch_table *t)
{
	const size_t cap = t->cap ? t->cap * 2 : INDEX_MIN;
	uint64_t *slot = mem_zalloc(cap, sizeof(*slot));

	if (!slot)
		return false;
	for (size_t i = 0; i < t->cap; i++) {
		size_t at = (size_t)(t->slot[i] >> 32) & (cap - 1);

		if (!t->slot[i])
			continue;
		while (slot[at])
			at = (at + 1) & (cap - 1);
		slot[at] = t->slot[i];
	}
	mem_free(t->slot);
	t->slot = slot;
	t->cap = cap;
	return true;
}

typedef bool is_same(const struct batch *b, size_t i, const void *what);

struct adding { /* of one entry to one table */
	struct batch_table *t;
	const char *kind;
	size_t n, size, max; /* entries so far, bytes of one, limit */
	is_same *same;
	const void *entry;
	uint64_t hash, *slot;
	size_t at;
};

/* The slot of the entry, or the empty one where it belongs. False: no memory. */
static bool index_find(const struct batch *b, struct adding *a)
{
	struct batch_table *t = a->t;
	size_t at;

	if (a->n + a->n / 2 >= t->cap && !index_grow(t))
		return false;
	at = (size_t)(a->hash >> 32) & (t->cap - 1);
	while (t->slot[at]) {
		if ((t->slot[at] ^ a->hash) >> 32 == 0 && a->same(b, (size_t)(uint32_t)t->slot[at] - 1, a->entry))
			break;
		at = (at + 1) & (t->cap - 1);
	}
	a->slot = &t->slot[at];
	return true;
}

static uint64_t hash_text(uint64_t h, struct slice s)
{
	return hash_bytes(s.p, s.n, h ^ s.n);
}

static uint64_t hash_series(const struct series *s)
{
	uint64_t h = (uint64_t)(unsigned char)s->freq << 32 | (uint32_t)s->unit_mult;

	h = hash_text(hash_text(hash_text(h, s->dataset), s->indicator), s->area_code);
	h = hash_text(hash_text(hash_text(h, s->area_scheme), s->dims), s->unit);
	return hash_text(hash_text(hash_text(h, s->title), s->area_title), s->updated);
}

static bool same_series(const struct batch *b, size_t i, const void *what)
{
	const struct series *x = &b->series[i], *y = what;

	return x->freq == y->freq && x->unit_mult == y->unit_mult && slice_eq(x->dims, y->dims) &&
	       slice_eq(x->area_code, y->area_code) && slice_eq(x->indicator, y->indicator) &&
	       slice_eq(x->dataset, y->dataset) && slice_eq(x->area_scheme, y->area_scheme) &&
	       slice_eq(x->area, y->area) && slice_eq(x->unit, y->unit) && slice_eq(x->title, y->title) &&
	       slice_eq(x->area_title, y->area_title) && slice_eq(x->updated, y->updated);
}

static uint64_t hash_note(const struct note *n)
{
	const uint64_t h = (uint64_t)(n->has_unit_mult | n->remove << 1) << 32 | (uint32_t)n->unit_mult;

	return hash_text(hash_text(hash_text(h, n->value_text), n->flags), n->note);
}

static bool same_note(const struct batch *b, size_t i, const void *what)
{
	const struct note *x = &b->notes[i], *y = what;

	return x->has_unit_mult == y->has_unit_mult && x->remove == y->remove && x->unit_mult == y->unit_mult &&
	       slice_eq(x->value_text, y->value_text) && slice_eq(x->flags, y->flags) && slice_eq(x->note, y->note);
}

static bool same_period(const struct batch *b, size_t i, const void *what)
{
	const struct slice *text = what;

	return slice_eq(b->periods[i], *text);
}

/* ---- rows of the tables ---- */

static bool copy_text(struct batch *b, const struct adding *a, struct slice *s, struct diag *d)
{
	char *p;

	if (!s->p)
		return true;
	if (!b->is_whole)
		return arena_dup(&a->t->text[a->n / BATCH_WINDOW % 2], *s, s);
	p = region_more(&b->texts, s->n + 1, d);
	if (!p)
		return false;
	if (s->n)
		memcpy(p, s->p, s->n);
	p[s->n] = '\0';
	s->p = p;
	return true;
}

/* Entries come in blocks that share most of their texts: what the last one has is not copied again. */
static bool copy_unless(struct batch *b, const struct adding *a, struct slice last, struct slice *s, struct diag *d)
{
	if (s->p && last.p && slice_eq(*s, last)) {
		*s = last;
		return true;
	}
	return copy_text(b, a, s, d);
}

/* A place in a table in memory: its first half gives way to the third, and so on. */
static bool ring_place(struct adding *a, void **table)
{
	if (!*table)
		*table = mem_zalloc(RING, a->size);
	if (!*table)
		return false;
	if (a->n % BATCH_WINDOW == 0)
		arena_release(&a->t->text[a->n / BATCH_WINDOW % 2]);
	a->at = a->n % RING;
	return true;
}

/* GLANE_END: its equal is there, at a->at. GLANE_OK: a->at is a place for it. */
static glane_rc add_begin(struct batch *b, struct adding *a, void **table, struct diag *d)
{
	if (b->is_whole && !index_find(b, a))
		return batch_no_memory(d, a->kind);
	if (b->is_whole && *a->slot) {
		a->at = (uint32_t)*a->slot - 1;
		return GLANE_END;
	}
	if (a->n >= a->max)
		return fail(d, GLANE_E_LIMIT, "more than %zu entries of kind %s in one run; split the source", a->max,
			a->kind);
	if (!b->is_whole)
		return ring_place(a, table) ? GLANE_OK : batch_no_memory(d, a->kind);
	if (!region_more(&a->t->file, a->size, d))
		return d->code;
	*table = a->t->file.p;
	a->at = a->n;
	return GLANE_OK;
}

/* A text did not fit: the place is free again. */
static glane_rc add_undo(const struct batch *b, const struct adding *a, struct diag *d)
{
	if (!b->is_whole)
		return batch_no_memory(d, a->kind);
	a->t->file.n -= a->size;
	return d->code;
}

static void add_done(const struct adding *a, size_t *n)
{
	if (a->slot)
		*a->slot = (a->hash >> 32 << 32) | (a->at + 1);
	*n += 1;
}

static bool has_last(const struct adding *a)
{
	return a->n % BATCH_WINDOW != 0;
}

static bool copy_series(
	struct batch *b, const struct adding *a, const struct series *last, struct series *s, struct diag *d)
{
	struct slice *const to[] = {&s->dataset, &s->indicator, &s->area_code, &s->area_scheme, &s->area, &s->dims,
		&s->unit, &s->title, &s->area_title, &s->updated};
	const struct slice from[] = {last->dataset, last->indicator, last->area_code, last->area_scheme, last->area,
		last->dims, last->unit, last->title, last->area_title, last->updated};

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		if (!copy_unless(b, a, from[i], to[i], d))
			return false;
	return true;
}

glane_rc batch_series(struct batch *b, const struct series *s, uint32_t *ret, struct diag *d)
{
	struct adding a = {.t = &b->by_series,
		.kind = "series",
		.n = b->n_series,
		.size = sizeof(*s),
		.max = UINT32_MAX - 1,
		.same = same_series,
		.entry = s,
		.hash = b->is_whole ? hash_series(s) : 0};
	struct series copy = *s, last = {.freq = 0};
	void *table = b->series;
	glane_rc rc = add_begin(b, &a, &table, d);

	b->series = table;
	if (rc == GLANE_OK) {
		if (has_last(&a))
			last = b->series[a.at - 1];
		copy.slice = copy.rank = 0;
		copy.serial = (uint32_t)b->n_series + 1;
		if (!copy_series(b, &a, &last, &copy, d))
			return add_undo(b, &a, d);
		b->series[a.at] = copy;
		add_done(&a, &b->n_series);
	}
	*ret = (uint32_t)a.at;
	return rc < 0 ? rc : GLANE_OK;
}

glane_rc batch_note(struct batch *b, const struct note *n, uint32_t *ret, struct diag *d)
{
	struct adding a = {.t = &b->by_note,
		.kind = "note",
		.n = b->n_notes,
		.size = sizeof(*n),
		.max = UINT32_MAX - 1,
		.same = same_note,
		.entry = n,
		.hash = b->is_whole ? hash_note(n) : 0};
	struct note copy = *n, last = {.unit_mult = 0};
	void *table = b->notes;
	glane_rc rc = add_begin(b, &a, &table, d);

	b->notes = table;
	if (rc == GLANE_OK) {
		if (has_last(&a))
			last = b->notes[a.at - 1];
		if (!copy_unless(b, &a, last.value_text, &copy.value_text, d) ||
			!copy_unless(b, &a, last.flags, &copy.flags, d) ||
			!copy_unless(b, &a, last.note, &copy.note, d))
			return add_undo(b, &a, d);
		b->notes[a.at] = copy;
		add_done(&a, &b->n_notes);
	}
	*ret = (uint32_t)a.at;
	return rc < 0 ? rc : GLANE_OK;
}

glane_rc batch_period(struct batch *b, struct slice text, uint32_t *ret, struct diag *d)
{
	struct adding a = {.t = &b->by_period,
		.kind = "period",
		.n = b->n_periods,
		.size = sizeof(text),
		.max = INT32_MAX,
		.same = same_period,
		.entry = &text,
		.hash = b->is_whole ? hash_text(0, text) : 0};
	void *table = b->periods;
	struct slice copy = text;
	glane_rc rc = add_begin(b, &a, &table, d);

	b->periods = table;
	if (rc == GLANE_OK) {
		if (!copy_text(b, &a, &copy, d))
			return add_undo(b, &a, d);
		b->periods[a.at] = copy;
		add_done(&a, &b->n_periods);
	}
	*ret = (uint32_t)a.at;
	return rc < 0 ? rc : GLANE_OK;
}
