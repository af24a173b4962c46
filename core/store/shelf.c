/* SPDX-License-Identifier: MIT */
/* Files of current and their twins in series, written side by side. */
#include "store/shelf.h"
#include "store/merge.h"
#include <string.h>

#define PERIOD_MAX ((size_t)64)
enum { SERIES_TEXTS = 12 };

void shelf_init(struct shelf *b, const struct store *s, struct change *c)
{
	*b = (struct shelf){.s = s, .change = c, .most = s->lake->file_rows, .then = s->lake->file_rows};
	strbuf_init(&b->texts, 0);
}

void shelf_replace(struct shelf *b, uint64_t rows)
{
	const uint64_t usual = b->s->lake->file_rows;

	b->then = 2 * usual;
	b->most = rows < usual + usual / 2 ? b->then : rows / 2;
}

static glane_rc open_files(struct shelf *b, struct diag *d)
{
	glane_rc rc;

	change_name(b->s, b->change, LAKE_CURRENT, b->name);
	rc = change_create(b->s, b->change, LAKE_CURRENT, b->name, &b->rows, d);
	if (rc < 0)
		return rc;
	rc = change_create(b->s, b->change, LAKE_SERIES, b->name, &b->series, d);
	if (rc < 0)
		record_writer_close(&b->rows);
	b->open = rc == GLANE_OK;
	return rc;
}

static glane_rc end_series(struct shelf *b, struct diag *d)
{
	if (!b->has_series)
		return GLANE_OK;
	b->has_series = false;
	return record_writer_put(&b->series, &b->now, d);
}

static glane_rc end_run(struct shelf *b, struct diag *d)
{
	size_t n = b->run;

	b->run = 0;
	return n ? record_writer_copy(&b->rows, b->from, b->run_at, n, d) : GLANE_OK;
}

glane_rc shelf_end(struct shelf *b, struct diag *d)
{
	glane_rc rc;

	if (!b->open)
		return GLANE_OK;
	rc = end_run(b, d);
	if (rc == GLANE_OK)
		rc = end_series(b, d);
	if (rc == GLANE_OK)
		rc = change_keep(b->change, b->name, &b->rows, d);
	if (rc == GLANE_OK)
		rc = change_keep(b->change, b->name, &b->series, d);
	record_writer_close(&b->rows);
	record_writer_close(&b->series);
	b->open = false;
	return rc;
}

void shelf_close(struct shelf *b)
{
	if (b->open) {
		record_writer_close(&b->rows);
		record_writer_close(&b->series);
	}
	strbuf_release(&b->texts);
	b->open = false;
}

static bool same_series(const struct series_row *s, const struct row *r)
{
	return s->freq == r->freq && slice_eq(s->area_code, r->area_code) && slice_eq(s->dims, r->dims) &&
	       slice_eq(s->indicator, r->indicator) && slice_eq(s->dataset, r->dataset);
}

/* Copies that stay when the buffer moves: all room is asked for first. */
static bool keep(struct strbuf *b, const struct slice *from[SERIES_TEXTS], struct slice *to[SERIES_TEXTS])
{
	size_t need = 0;

	for (size_t i = 0; i < SERIES_TEXTS; i++)
		need += from[i]->n;
	strbuf_reset(b);
	if (!strbuf_room(b, need + 2 * PERIOD_MAX + 1)) /* and two periods, see note_period() */
		return false;
	for (size_t i = 0; i < SERIES_TEXTS; i++) {
		*to[i] = (struct slice){b->p + b->n, from[i]->n};
		strbuf_slice(b, *from[i]);
	}
	return strbuf_ok(b);
}

static glane_rc begin_series(struct shelf *b, const struct row *r, const struct series_texts *texts, struct diag *d)
{
	static const struct series_texts none = {.title = {NULL, 0}};
	const struct series_texts *x = texts ? texts : &none;
	struct series_row *s = &b->now;
	const struct slice *from[SERIES_TEXTS] = {&r->source, &r->dataset, &r->indicator, &r->area_code, &r->dims,
		&r->area, &r->unit, &x->title, &x->area_title, &x->licence, &x->attribution, &x->updated};
	struct slice *to[SERIES_TEXTS] = {&s->source, &s->dataset, &s->indicator, &s->area_code, &s->dims, &s->area,
		&s->unit, &s->title, &s->area_title, &s->licence, &s->attribution, &s->updated};

	*s = (struct series_row){.freq = r->freq};
	if (!keep(&b->texts, from, to))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for a series", b->change->source);
	b->has_series = true;
	return GLANE_OK;
}

/* Periods are short; one that is not stays out of the table of series. */
static void note_period(struct shelf *b, const struct row *r)
{
	struct series_row *s = &b->now;
	size_t at = b->texts.n;

	if (r->period.n > PERIOD_MAX)
		return;
	if (s->observations == 1)
		s->first_period = (struct slice){b->texts.p + at, r->period.n};
	s->last_period = (struct slice){b->texts.p + at + (s->observations == 1 ? 0 : PERIOD_MAX), r->period.n};
	memcpy(b->texts.p + at + (s->observations == 1 ? 0 : PERIOD_MAX), r->period.p, r->period.n);
}

bool shelf_is_new(const struct shelf *b, const struct row *r)
{
	return !b->has_series || !same_series(&b->now, r);
}

/* The file is open and the series knows of the row. */
static glane_rc prepare(struct shelf *b, const struct row *r, const struct series_texts *texts, struct diag *d)
{
	bool fresh = shelf_is_new(b, r);
	glane_rc rc = GLANE_OK;

	if (fresh)
		rc = end_series(b, d);
	if (rc == GLANE_OK && fresh && b->open && b->rows.rows + b->run >= b->most) {
		b->most = b->then;
		rc = shelf_end(b, d);
	}
	if (rc == GLANE_OK && !b->open)
		rc = open_files(b, d);
	if (rc == GLANE_OK && fresh)
		rc = begin_series(b, r, texts, d);
	if (rc < 0)
		return rc;
	b->now.unit_mult = r->unit_mult;
	if (r->recorded_at > b->now.recorded_at || fresh)
		b->now.recorded_at = r->recorded_at;
	if (!row_withdrawn(r)) {
		b->now.observations++;
		note_period(b, r);
	}
	return GLANE_OK;
}

glane_rc shelf_put(struct shelf *b, const struct row *r, const struct series_texts *texts, struct diag *d)
{
	glane_rc rc = prepare(b, r, texts, d);

	if (rc == GLANE_OK)
		rc = end_run(b, d);
	return rc == GLANE_OK ? record_writer_put(&b->rows, r, d) : rc;
}

glane_rc shelf_keep(struct shelf *b, const struct row *r, const struct series_texts *texts,
	const struct record_reader *from, struct diag *d)
{
	glane_rc rc = prepare(b, r, texts, d);

	if (rc < 0)
		return rc;
	if (b->run == 0) {
		b->from = from;
		b->run_at = from->at - 1;
	}
	b->run++;
	return from->at == from->rows ? end_run(b, d) : GLANE_OK;
}

/* ---- texts of series that stand ---- */

glane_rc twins_init(struct twins *t, const struct store *s, const char *source, struct diag *d)
{
	*t = (struct twins){.s = s};
	arena_init(&t->arena, 0);
	return lake_files(s, LAKE_SERIES, source, &t->arena, &t->files, &t->n, d);
}

static void shut(struct twins *t)
{
	if (t->open)
		record_reader_close(&t->reader);
	t->open = t->has = false;
}

static glane_rc advance(struct twins *t, struct diag *d)
{
	glane_rc rc = record_reader_next(&t->reader, &t->row, d);

	t->has = rc == GLANE_OK;
	return rc < 0 ? rc : GLANE_OK;
}

static glane_rc open_file(struct twins *t, const struct delta_file *file, struct diag *d)
{
	glane_rc rc;

	shut(t);
	rc = record_reader_open(&t->reader, LAKE_SERIES, t->s->lake->table[LAKE_SERIES].dir, file, d);
	t->open = rc == GLANE_OK;
	return rc == GLANE_OK ? advance(t, d) : rc;
}

glane_rc twins_open(struct twins *t, struct slice path, struct diag *d)
{
	for (size_t i = 0; i < t->n; i++) {
		if (slice_eq(t->files[i].path, path))
			return open_file(t, &t->files[i], d);
	}
	shut(t);
	return GLANE_OK;
}

glane_rc twins_find(struct twins *t, const struct row *r, struct series_texts *ret, bool *ret_found, struct diag *d)
{
	const struct series_row *s = &t->row;

	*ret_found = false;
	while (t->has) {
		const struct row key = series_row_key(s);
		int order = row_cmp_series(&key, r);
		glane_rc rc;

		if (order == 0) {
			*ret = (struct series_texts){s->title, s->area_title, s->licence, s->attribution, s->updated};
			*ret_found = true;
		}
		if (order >= 0)
			return GLANE_OK;
		rc = advance(t, d);
		if (rc < 0)
			return rc;
	}
	return GLANE_OK;
}

glane_rc twins_sort(struct twins *t, struct diag *d)
{
	return lake_sort_files(t->s, LAKE_SERIES, t->files, t->n, &t->arena, d);
}

glane_rc twins_seek(struct twins *t, const struct row *r, struct series_texts *ret, bool *ret_found, struct diag *d)
{
	glane_rc rc = twins_find(t, r, ret, ret_found, d);

	while (rc == GLANE_OK && !t->has && t->next < t->n) {
		rc = open_file(t, &t->files[t->next++], d);
		if (rc == GLANE_OK)
			rc = twins_find(t, r, ret, ret_found, d);
	}
	return rc;
}

void twins_close(struct twins *t)
{
	shut(t);
	arena_release(&t->arena);
}
