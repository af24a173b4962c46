/* SPDX-License-Identifier: MIT */
/* States of a source's keys: from the files of current, or as of a moment from the events. */
#include "store/events.h"
#include "store/files.h"
#include <stdio.h>

struct rows {
	const struct store *s;
	char source[64];
	struct arena arena;
	struct record_tests tests;
	/* from current */
	struct delta_file *files; /* by key */
	size_t n, next;
	struct record_reader reader;
	bool open;
	struct row before;       /* of the same batch: its key */
	struct strbuf last, key; /* last row of the batch before */
	/* from the stream */
	bool from_events, has_ahead, ended;
	struct events events;
	int64_t as_of;
	struct strbuf texts; /* of `kept` */
	struct row kept;
	const struct row *ahead; /* an event of the next key */
};

static glane_rc no_memory(const struct rows *r, struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "%s: no memory to read its rows", r->source);
}

/* The files that may hold a row which passes. */
static glane_rc choose_files(struct rows *r, struct diag *d)
{
	size_t n = 0;
	glane_rc rc = lake_files(r->s, LAKE_CURRENT, r->source, &r->arena, &r->files, &n, d);

	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (record_file_may(LAKE_CURRENT, &r->files[i], &r->tests))
			r->files[r->n++] = r->files[i];
	}
	return rc;
}

static glane_rc place_files(struct rows *r, struct diag *d)
{
	glane_rc rc = choose_files(r, d);

	return rc == GLANE_OK ? lake_sort_files(r->s, LAKE_CURRENT, r->files, r->n, &r->arena, d) : rc;
}

static glane_rc rows_new(const struct store *s, const char *source, struct store_cursor *c, struct diag *d)
{
	char name[STORE_NAME];
	glane_rc rc = source_folder("stream", source, name, d);
	struct rows *r;

	*c = (struct store_cursor){.rows = NULL};
	if (rc < 0)
		return rc;
	r = mem_zalloc(1, sizeof(*r));
	if (!r)
		return fail(d, GLANE_E_NOMEM, "%s: no memory to read its rows", source);
	r->s = s;
	(void)snprintf(r->source, sizeof(r->source), "%s", source);
	arena_init(&r->arena, 0);
	strbuf_init(&r->last, 0);
	strbuf_init(&r->key, 0);
	strbuf_init(&r->texts, 0);
	c->rows = r;
	return GLANE_OK;
}

static glane_rc open_events(struct rows *r, int64_t as_of, struct diag *d)
{
	r->as_of = as_of;
	r->from_events = true;
	record_tests_of_key(&r->tests);
	return events_open(&r->events, r->s, r->source, INT64_MIN, as_of, &r->tests, d);
}

glane_rc rows_from_events(const struct store *s, const char *source, int64_t t, struct store_cursor *c, struct diag *d)
{
	glane_rc rc = rows_new(s, source, c, d);

	if (rc == GLANE_OK)
		rc = open_events(c->rows, t, d);
	if (rc < 0)
		store_rows_close(c);
	return rc;
}

const struct delta_file *rows_file(const struct store_cursor *c, size_t segment)
{
	const struct rows *r = c->rows;

	return r && segment < r->n ? &r->files[segment] : NULL;
}

const struct record_reader *rows_reader(const struct store_cursor *c)
{
	return c->rows && !c->rows->from_events ? &c->rows->reader : NULL;
}

/* True where the newest commit was known at t already: current has what is asked for. */
static bool is_current(const struct store *s, const char *source, int64_t t)
{
	uint64_t n = lake_commit(s, LAKE_STREAM, source);
	struct diag own = {0};
	int64_t at;

	if (!lake_in_step(s, source))
		return false;
	return t >= s->lake->moment || (n && commit_time(s, source, n, &at, &own) == GLANE_OK && at <= t);
}

glane_rc rows_where(const struct store *s, const char *source, int64_t t, const struct record_tests *tests,
	struct store_cursor *c, struct diag *d)
{
	glane_rc rc = rows_new(s, source, c, d);

	if (rc < 0)
		return rc;
	if (tests)
		c->rows->tests = *tests;
	rc = is_current(s, source, t) ? place_files(c->rows, d) : open_events(c->rows, t, d);
	if (rc < 0)
		store_rows_close(c);
	return rc;
}

glane_rc store_rows_as_of(const struct store *s, const char *source, int64_t t, struct store_cursor *c, struct diag *d)
{
	return rows_where(s, source, t, NULL, c, d);
}

glane_rc store_rows_open(const struct store *s, const char *source, uint64_t n, struct store_cursor *c, struct diag *d)
{
	int64_t t = INT64_MAX;
	glane_rc rc = GLANE_OK;

	if (n != lake_commit(s, LAKE_STREAM, source))
		rc = commit_time(s, source, n, &t, d);
	return rc < 0 ? rc : store_rows_as_of(s, source, t, c, d);
}

/* ---- from current ---- */

/* Rows of a batch are there side by side; what a batch ends with is kept for the one behind it. */
static glane_rc check_order(struct rows *r, const struct row *row, struct diag *d)
{
	const struct record_reader *reader = &r->reader;
	bool ok = true;

	if (!slice_is(row->source, r->source))
		return fail(d, GLANE_E_IO, "%s: a row of another source; the store is damaged", reader->name);
	if (reader->at > 1) {
		ok = row_cmp_key(&r->before, row) < 0;
	} else if (r->last.n) {
		row_key(&r->key, row);
		ok = slice_cmp(strbuf_get(&r->last), strbuf_get(&r->key)) < 0;
	}
	r->before.source = row->source;
	r->before.dataset = row->dataset;
	r->before.indicator = row->indicator;
	r->before.area_code = row->area_code;
	r->before.dims = row->dims;
	r->before.freq = row->freq;
	r->before.period = row->period;
	if (reader->at == reader->rows)
		row_key(&r->last, row);
	if (!strbuf_ok(&r->last) || !strbuf_ok(&r->key))
		return no_memory(r, d);
	if (!ok)
		return fail(d, GLANE_E_IO, "%s: a row out of order; the store is damaged", reader->name);
	return GLANE_OK;
}

static glane_rc next_current(struct store_cursor *c, struct row *ret, struct diag *d)
{
	struct rows *r = c->rows;
	glane_rc rc;

	c->first = false;
	for (;;) {
		if (!r->open) {
			if (r->next == r->n)
				return GLANE_END;
			rc = record_reader_open(
				&r->reader, LAKE_CURRENT, r->s->lake->table[LAKE_CURRENT].dir, &r->files[r->next], d);
			if (rc < 0)
				return rc;
			r->open = true;
			rc = record_reader_where(&r->reader, &r->tests, d);
			if (rc < 0)
				return rc;
			c->segment = r->next++;
			c->first = true;
		}
		rc = record_reader_next(&r->reader, ret, d);
		if (rc != GLANE_END)
			return rc < 0 ? rc : check_order(r, ret, d);
		record_reader_close(&r->reader);
		r->open = false;
	}
}

/* ---- from the stream ---- */

bool row_keep(struct strbuf *texts, const struct row *r, struct row *ret)
{
	const struct record_field *f = record_fields[LAKE_STREAM];
	size_t need = 1;

	*ret = *r;
	for (size_t i = 0; i < ROW_COLUMNS_ALL; i++) {
		if (f[i].kind == RECORD_TEXT || f[i].kind == RECORD_VALUE)
			need += ((const struct slice *)(const void *)((const char *)r + f[i].offset))->n;
	}
	strbuf_reset(texts);
	if (!strbuf_room(texts, need))
		return false;
	for (size_t i = 0; i < ROW_COLUMNS_ALL; i++) {
		struct slice *s = (struct slice *)(void *)((char *)ret + f[i].offset);
		const char *at = texts->p + texts->n;

		if (f[i].kind != RECORD_TEXT && f[i].kind != RECORD_VALUE)
			continue;
		strbuf_slice(texts, *s);
		s->p = at;
	}
	return strbuf_ok(texts);
}

/* The last event of each key that was recorded by then. */
static glane_rc next_event(struct rows *r, struct row *ret, struct diag *d)
{
	bool has = false;
	glane_rc rc;

	if (r->ended)
		return GLANE_END;
	for (;;) {
		if (!r->has_ahead) {
			rc = events_next(&r->events, &r->ahead, d);
			if (rc < 0)
				return rc;
			if (rc == GLANE_END) {
				r->ended = true;
				break;
			}
			r->has_ahead = true;
		}
		if (has && row_cmp_key(&r->kept, r->ahead) != 0)
			break;
		if (r->ahead->recorded_at <= r->as_of) {
			if (!row_keep(&r->texts, r->ahead, &r->kept))
				return no_memory(r, d);
			has = true;
		}
		r->has_ahead = false;
	}
	if (!has)
		return GLANE_END;
	*ret = r->kept;
	return GLANE_OK;
}

glane_rc store_rows_next(struct store_cursor *c, struct row *ret, struct diag *d)
{
	return c->rows->from_events ? next_event(c->rows, ret, d) : next_current(c, ret, d);
}

void store_rows_close(struct store_cursor *c)
{
	struct rows *r = c->rows;

	if (!r)
		return;
	if (r->open)
		record_reader_close(&r->reader);
	if (r->from_events)
		events_close(&r->events);
	strbuf_release(&r->last);
	strbuf_release(&r->key);
	strbuf_release(&r->texts);
	arena_release(&r->arena);
	mem_free(r);
	c->rows = NULL;
}
