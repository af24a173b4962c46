/* SPDX-License-Identifier: MIT */
/* Series of every source: from the table, or where that is behind, gathered from the rows. */
#include "store/series.h"
#include "model/period.h"
#include "store/files.h"
#include "store/lake.h"
#include "store/match_tests.h"
#include "store/merge.h"
#include "store/shelf.h"

struct run {
	const struct store *s;
	struct match match;
	glane_rc (*each)(void *arg, const struct series_row *r);
	void *arg;
	struct diag *d;
};

/* First day of a period of the table; `dflt` where it has none. */
static int64_t day_of(char freq, struct slice period, int64_t dflt)
{
	struct period p;
	int64_t day;

	if (period.n && period_parse(period, freq, &p, NULL) == GLANE_OK && p.freq != 'I')
		return period_start(p.freq, p.value);
	return period.n && period_text_start(period, &day) ? day : dflt;
}

int64_t series_first_day(const struct series_row *s, int64_t dflt)
{
	return day_of(s->freq, s->first_period, dflt);
}

int64_t series_last_day(const struct series_row *s, int64_t dflt)
{
	return day_of(s->freq, s->last_period, dflt);
}

static glane_rc give(struct run *w, const struct series_row *s)
{
	const struct row key = series_row_key(s);

	if ((s->observations == 0 && !w->match.q->withdrawn) || !match_series(&w->match, &key) ||
		series_last_day(s, INT64_MAX) < w->match.from || series_first_day(s, INT64_MIN) > w->match.to)
		return GLANE_OK;
	return w->each(w->arg, s);
}

/* ---- from the table ---- */

static glane_rc read_file(struct run *w, const struct delta_file *f, const struct record_tests *tests)
{
	struct record_reader r;
	struct series_row s;
	glane_rc rc = record_reader_open(&r, LAKE_SERIES, w->s->lake->table[LAKE_SERIES].dir, f, w->d);

	if (rc < 0)
		return rc;
	rc = record_reader_where(&r, tests, w->d);
	while (rc == GLANE_OK) {
		rc = record_reader_next(&r, &s, w->d);
		if (rc == GLANE_OK)
			rc = give(w, &s);
	}
	record_reader_close(&r);
	return rc < 0 ? rc : GLANE_OK;
}

static glane_rc from_table(struct run *w, const char *source, const struct record_tests *tests, struct arena *a)
{
	struct delta_file *files;
	size_t n = 0, some = 0;
	glane_rc rc = lake_files(w->s, LAKE_SERIES, source, a, &files, &n, w->d);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (record_file_may(LAKE_SERIES, &files[i], tests))
			files[some++] = files[i];
	rc = lake_sort_files(w->s, LAKE_SERIES, files, some, a, w->d);
	for (size_t i = 0; rc == GLANE_OK && i < some; i++)
		rc = read_file(w, &files[i], tests);
	return rc;
}

/* ---- from the rows ---- */

struct gathered { /* the series so far; its texts live in the arena, periods in their own places */
	struct arena arena;
	struct series_row s;
	struct strbuf first, last;
	bool any;
};

static bool copy_key(struct gathered *g, const struct row *r)
{
	struct series_row *s = &g->s;

	arena_release(&g->arena);
	*s = (struct series_row){.freq = r->freq};
	strbuf_reset(&g->first);
	strbuf_reset(&g->last);
	return arena_dup(&g->arena, r->source, &s->source) && arena_dup(&g->arena, r->dataset, &s->dataset) &&
	       arena_dup(&g->arena, r->indicator, &s->indicator) && arena_dup(&g->arena, r->area, &s->area) &&
	       arena_dup(&g->arena, r->area_code, &s->area_code) && arena_dup(&g->arena, r->dims, &s->dims) &&
	       arena_dup(&g->arena, r->unit, &s->unit);
}

static glane_rc end_gathered(struct run *w, struct gathered *g)
{
	if (!g->any)
		return GLANE_OK;
	g->s.first_period = strbuf_get(&g->first);
	g->s.last_period = strbuf_get(&g->last);
	return give(w, &g->s);
}

static glane_rc gather(struct run *w, struct gathered *g, const struct row *r)
{
	const struct row key = series_row_key(&g->s);
	glane_rc rc = GLANE_OK;

	if (!g->any || row_cmp_series(&key, r) != 0) {
		rc = end_gathered(w, g);
		if (rc < 0)
			return rc;
		g->any = true;
		if (!copy_key(g, r))
			return fail(w->d, GLANE_E_NOMEM, "no memory for a series");
	}
	g->s.unit_mult = r->unit_mult;
	g->s.recorded_at = r->recorded_at > g->s.recorded_at ? r->recorded_at : g->s.recorded_at;
	if (row_withdrawn(r))
		return GLANE_OK;
	if (g->s.observations++ == 0)
		strbuf_slice(&g->first, r->period);
	strbuf_reset(&g->last);
	strbuf_slice(&g->last, r->period);
	return strbuf_ok(&g->first) && strbuf_ok(&g->last) ? GLANE_OK
							   : fail(w->d, GLANE_E_NOMEM, "no memory for a series");
}

static glane_rc from_rows(struct run *w, const char *source, const struct record_tests *tests)
{
	struct gathered g = {.any = false};
	struct store_cursor c;
	struct row row;
	glane_rc rc = rows_where(w->s, source, INT64_MAX, tests, &c, w->d);

	if (rc < 0)
		return rc;
	arena_init(&g.arena, 0);
	strbuf_init(&g.first, 0);
	strbuf_init(&g.last, 0);
	while (rc == GLANE_OK) {
		rc = store_rows_next(&c, &row, w->d);
		if (rc == GLANE_OK)
			rc = gather(w, &g, &row);
	}
	if (rc == GLANE_END)
		rc = end_gathered(w, &g);
	store_rows_close(&c);
	strbuf_release(&g.first);
	strbuf_release(&g.last);
	arena_release(&g.arena);
	return rc < 0 ? rc : GLANE_OK;
}

static glane_rc read_source(struct run *w, const char *source)
{
	struct match_tests t;
	struct arena arena;
	glane_rc rc;

	match_tests_init(&t, &w->match, slice_of(source), LAKE_SERIES);
	if (!lake_in_step(w->s, source))
		return from_rows(w, source, &t.tests);
	arena_init(&arena, 0);
	rc = from_table(w, source, &t.tests, &arena);
	arena_release(&arena);
	return rc;
}

glane_rc series_run(const struct store *s, const struct query *q,
	glane_rc (*each)(void *arg, const struct series_row *r), void *arg, struct diag *d)
{
	struct run w = {.s = s, .each = each, .arg = arg, .d = d};
	const char **names;
	struct arena arena;
	size_t n = 0;
	glane_rc rc = match_init(&w.match, q, d);

	if (rc < 0)
		return rc;
	arena_init(&arena, 0);
	rc = store_sources(s, &arena, &names, &n, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (match_source(&w.match, slice_of(names[i])))
			rc = read_source(&w, names[i]);
	}
	arena_release(&arena);
	return rc;
}
