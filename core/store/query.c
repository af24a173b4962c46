/* SPDX-License-Identifier: MIT */
/* Filters over the rows of every source, one source after the other. */
#include "store/query.h"
#include "base/clock.h"
#include "model/dims.h"
#include "model/period.h"
#include "store/files.h"
#include "store/merge.h"
#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400)

struct run {
	const struct query *q;
	int64_t from, to; /* days */
	struct strbuf scratch;
	glane_rc (*row)(void *arg, struct row *r);
	void *arg;
	struct diag *d;
};

static bool is_any(const char **list, struct slice text)
{
	if (!list || !*list)
		return true;
	for (; *list; list++) {
		if (slice_is(text, *list))
			return true;
	}
	return false;
}

static bool in_groups(const struct query *q, struct slice area)
{
	if (!q->group || !*q->group)
		return true;
	for (const char **g = q->group; *g; g++) {
		if (areas_in_group(q->areas, slice_of(*g), area, q->group_on))
			return true;
	}
	return false;
}

static bool has_dims(const struct query *q, struct slice dims)
{
	if (!q->dim || !*q->dim)
		return true;
	for (const char **item = q->dim; *item; item++) {
		struct slice value = slice_of(*item), key = slice_cut(&value, '=');

		if (dims_has(dims, key, value))
			return true;
	}
	return false;
}

static bool in_catalogue(const struct query *q, const struct row *r)
{
	for (size_t i = 0; q->catalogue && i < q->n_catalogue; i++) {
		if (catalogue_fits(q->catalogue[i], r->source, r->dataset, r->indicator, r->dims))
			return true;
	}
	return !q->catalogue;
}

static bool matches(const struct run *w, const struct row *r)
{
	const struct query *q = w->q;

	return (q->withdrawn || !row_withdrawn(r)) && r->period_start >= w->from && r->period_start <= w->to &&
	       is_any(q->dataset, r->dataset) && is_any(q->indicator, r->indicator) && is_any(q->area, r->area) &&
	       is_any(q->freq, (struct slice){&r->freq, 1}) && in_groups(q, r->area) && has_dims(q, r->dims) &&
	       in_catalogue(q, r);
}

static bool source_wanted(const struct query *q, struct slice source)
{
	if (!is_any(q->source, source))
		return false;
	for (size_t i = 0; q->catalogue && i < q->n_catalogue; i++) {
		const struct slice wanted = q->catalogue[i]->source;

		if (wanted.n == 0 || slice_eq(wanted, source))
			return true;
	}
	return !q->catalogue;
}

static glane_rc give(struct run *w, struct row *r)
{
	if (!matches(w, r))
		return GLANE_OK;
	if (w->q->scaled) {
		strbuf_reset(&w->scratch);
		row_scale(r, &w->scratch);
		if (!strbuf_ok(&w->scratch))
			return fail(w->d, GLANE_E_NOMEM, "no memory to scale a value");
	}
	return w->row(w->arg, r);
}

static glane_rc read_source(const struct store *s, struct run *w, const char *source)
{
	struct store_cursor c;
	struct row row;
	glane_rc rc = store_rows_as_of(s, source, w->q->as_of, &c, w->d);

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
		if (source_wanted(w->q, slice_of(names[i])))
			rc = read_source(s, w, names[i]);
	}
	arena_release(&arena);
	return rc;
}

/* First day of a period text; with `end`, its last one. A range or a finer time counts by its first day. */
static glane_rc period_day(const char *text, bool end, int64_t *ret, struct diag *d)
{
	struct diag own = {0};
	struct period p;

	if (period_parse(slice_of(text), 0, &p, &own) < 0)
		return fail(d, GLANE_E_CONFIG, "%s '%s' is no period: %s", end ? "--to" : "--from", text, own.text);
	if (p.freq == 'I') {
		if (!period_text_start(slice_of(text), ret))
			return fail(d, GLANE_E_CONFIG, "%s '%s' is no period", end ? "--to" : "--from", text);
		return GLANE_OK;
	}
	if (!end)
		*ret = period_start(p.freq, p.value);
	else if (p.value < period_max(p.freq))
		*ret = period_start(p.freq, p.value + 1) - 1;
	else
		*ret = INT64_MAX;
	return GLANE_OK;
}

static glane_rc check_lists(const struct query *q, struct diag *d)
{
	if (q->group && *q->group && !q->areas)
		return fail(d, GLANE_E_USAGE, "groups need the tables of areas");
	for (const char **g = q->group; g && *g; g++) {
		if (!areas_has_group(q->areas, slice_of(*g)))
			return fail(d, GLANE_E_CONFIG, "--group '%s': groups.csv has no such group", *g);
	}
	for (const char **item = q->dim; item && *item; item++) {
		const char *mark = strchr(*item, '=');

		if (!mark || mark == *item)
			return fail(d, GLANE_E_CONFIG, "--dim '%s': KEY=VALUE is asked for", *item);
	}
	return GLANE_OK;
}

glane_rc query_run(const struct store *s, const struct query *q, glane_rc (*row)(void *arg, struct row *r), void *arg,
	struct diag *d)
{
	struct run w = {.q = q, .from = INT64_MIN, .to = INT64_MAX, .row = row, .arg = arg, .d = d};
	glane_rc rc = check_lists(q, d);

	strbuf_init(&w.scratch, 0);
	if (rc == GLANE_OK && q->from)
		rc = period_day(q->from, false, &w.from, d);
	if (rc == GLANE_OK && q->to)
		rc = period_day(q->to, true, &w.to, d);
	if (rc == GLANE_OK)
		rc = read_sources(s, &w);
	strbuf_release(&w.scratch);
	return rc;
}

/* 20261123T234435Z as a time. */
static bool id_time(const char *id, int64_t *ret)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.4s-%.2s-%.5s:%.2s:%.3s", id, id + 4, id + 6, id + 11, id + 13);
	return time_parse(slice_of(text), ret);
}

static glane_rc run_time(const struct store *s, const char *id, int64_t *ret, struct diag *d)
{
	json_t *report;
	glane_rc rc = store_run_read(s, id, &report, d);

	if (rc < 0)
		return rc;
	if (json_is_null(json_object_get(report, "recorded_at")))
		*ret = INT64_MIN;
	else if (!json_time(report, "recorded_at", ret) && !json_time(report, "now", ret) && !id_time(id, ret))
		rc = fail(d, GLANE_E_CONFIG, "'%s' is no id of a run: it holds no time", id);
	json_decref(report);
	return rc;
}

glane_rc query_as_of(const struct store *s, const char *text, int64_t *ret, struct diag *d)
{
	struct slice t = slice_of(text);
	int64_t at;

	if (is_run_id(text))
		return run_time(s, text, ret, d);
	if (!time_parse(t, &at))
		return fail(
			d, GLANE_E_CONFIG, "'%s' is no time (2026-11-23T23:44:35Z), no date and no id of a run", text);
	*ret = t.n == strlen("2026-11-23") ? at + DAY - 1 : at;
	return GLANE_OK;
}
