/* SPDX-License-Identifier: MIT */
/* Filters over the rows of every source, one source after the other. */
#include "store/query.h"
#include "base/clock.h"
#include "store/files.h"
#include "store/match_tests.h"
#include "store/merge.h"
#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400)

struct run {
	struct match match;
	struct strbuf scratch;
	glane_rc (*row)(void *arg, struct row *r);
	void *arg;
	struct diag *d;
};

static glane_rc give(struct run *w, struct row *r)
{
	glane_rc rc;

	if ((!w->match.q->withdrawn && row_withdrawn(r)) || !match_period(&w->match, r) || !match_series(&w->match, r))
		return GLANE_OK;
	rc = match_scale(&w->match, r, &w->scratch, w->d);
	return rc < 0 ? rc : w->row(w->arg, r);
}

static glane_rc read_source(const struct store *s, struct run *w, const char *source)
{
	struct match_tests t;
	struct store_cursor c;
	struct row row;
	glane_rc rc;

	match_tests_init(&t, &w->match, slice_of(source), LAKE_CURRENT);
	rc = rows_where(s, source, w->match.q->as_of, &t.tests, &c, w->d);
	if (rc < 0)
		return rc;
	do {
		rc = store_rows_next(&c, &row, w->d);
		if (rc == GLANE_OK)
			rc = give(w, &row);
	} while (rc == GLANE_OK);
	store_rows_close(&c);
	return rc < 0 ? rc : GLANE_OK;
}

static glane_rc read_sources(const struct store *s, struct run *w)
{
	const char **names;
	struct arena arena;
	size_t n = 0;
	glane_rc rc;

	arena_init(&arena, 0);
	rc = store_sources(s, &arena, &names, &n, w->d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (match_source(&w->match, slice_of(names[i])))
			rc = read_source(s, w, names[i]);
	}
	arena_release(&arena);
	return rc;
}

glane_rc query_run(const struct store *s, const struct query *q, glane_rc (*row)(void *arg, struct row *r), void *arg,
	struct diag *d)
{
	struct run w = {.row = row, .arg = arg, .d = d};
	glane_rc rc = match_init(&w.match, q, d);

	strbuf_init(&w.scratch, 0);
	if (rc == GLANE_OK)
		rc = read_sources(s, &w);
	strbuf_release(&w.scratch);
	return rc;
}

glane_rc query_days(const struct query *q, int64_t *ret_from, int64_t *ret_to, struct diag *d)
{
	struct match m;
	glane_rc rc = match_init(&m, q, d);

	if (rc < 0)
		return rc;
	*ret_from = m.from;
	*ret_to = m.to;
	return GLANE_OK;
}

static glane_rc run_time(const struct store *s, const char *id, int64_t *ret, struct diag *d)
{
	json_t *report;
	glane_rc rc = store_run_read(s, id, &report, d);

	if (rc < 0)
		return rc;
	if (json_is_null(json_object_get(report, "recorded_at")))
		*ret = INT64_MIN;
	else if (!json_time(report, "recorded_at", ret) && !json_time(report, "now", ret) && !run_id_time(id, ret))
		rc = fail(d, GLANE_E_CONFIG, "'%s' is no id of a run: it holds no time", id);
	json_decref(report);
	return rc;
}

glane_rc query_as_of(const struct store *s, const char *text, int64_t *ret, struct diag *d)
{
	struct slice t = slice_of(text);
	int64_t at;

	if (is_run_id(t))
		return run_time(s, text, ret, d);
	if (!time_parse(t, &at))
		return fail(
			d, GLANE_E_CONFIG, "'%s' is no time (2026-11-23T23:44:35Z), no date and no id of a run", text);
	*ret = t.n == strlen("2026-11-23") ? at + DAY - 1 : at;
	return GLANE_OK;
}
