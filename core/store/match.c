/* SPDX-License-Identifier: MIT */
/* What the filters of a query ask of a row. */
#include "store/match.h"
#include "model/dims.h"
#include "model/period.h"
#include <string.h>

bool match_list(const char **list, struct slice text)
{
	if (!list || !*list)
		return true;
	for (; *list; list++) {
		if (slice_is(text, *list))
			return true;
	}
	return false;
}

bool match_groups(const struct query *q, struct slice area)
{
	if (!q->group || !*q->group)
		return true;
	for (const char **g = q->group; *g; g++) {
		if (areas_in_group(q->areas, slice_of(*g), area, q->group_on))
			return true;
	}
	return false;
}

/* Any of the values that are asked for of this one's key. */
static bool has_dim(const struct query *q, const char *wanted, struct slice dims)
{
	struct slice any = slice_of(wanted), key = slice_cut(&any, '=');

	for (const char **item = q->dim; *item; item++) {
		struct slice value = slice_of(*item), its = slice_cut(&value, '=');

		if (slice_eq(its, key) && dims_has(dims, key, value))
			return true;
	}
	return false;
}

bool match_dims(const struct query *q, struct slice dims)
{
	for (const char **item = q->dim; item && *item; item++) {
		if (!has_dim(q, *item, dims))
			return false;
	}
	return true;
}

static bool in_catalogue(const struct query *q, const struct row *r)
{
	for (size_t i = 0; q->catalogue && i < q->n_catalogue; i++) {
		if (catalogue_fits(q->catalogue[i], r->source, r->dataset, r->indicator, r->dims))
			return true;
	}
	return !q->catalogue;
}

bool match_series(const struct match *m, const struct row *r)
{
	const struct query *q = m->q;

	return match_list(q->source, r->source) && match_list(q->dataset, r->dataset) &&
	       match_list(q->indicator, r->indicator) && match_list(q->area, r->area) &&
	       match_list(q->freq, (struct slice){&r->freq, 1}) && match_groups(q, r->area) && match_dims(q, r->dims) &&
	       in_catalogue(q, r);
}

bool match_period(const struct match *m, const struct row *r)
{
	return r->period_start >= m->from && r->period_start <= m->to;
}

glane_rc match_scale(const struct match *m, struct row *r, struct strbuf *scratch, struct diag *d)
{
	if (!m->q->scaled)
		return GLANE_OK;
	strbuf_reset(scratch);
	row_scale(r, scratch);
	return strbuf_ok(scratch) ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory to scale a value");
}

bool match_source(const struct match *m, struct slice source)
{
	const struct query *q = m->q;

	if (!match_list(q->source, source))
		return false;
	for (size_t i = 0; q->catalogue && i < q->n_catalogue; i++) {
		const struct slice wanted = q->catalogue[i]->source;

		if (wanted.n == 0 || slice_eq(wanted, source))
			return true;
	}
	return !q->catalogue;
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

glane_rc match_init(struct match *m, const struct query *q, struct diag *d)
{
	glane_rc rc = check_lists(q, d);

	*m = (struct match){.q = q, .from = INT64_MIN, .to = INT64_MAX};
	if (rc == GLANE_OK && q->from)
		rc = period_day(q->from, false, &m->from, d);
	if (rc == GLANE_OK && q->to)
		rc = period_day(q->to, true, &m->to, d);
	if (rc == GLANE_OK && m->from > m->to)
		rc = fail(d, GLANE_E_CONFIG, "--from '%s' is later than --to '%s': nothing lies between them", q->from,
			q->to);
	return rc;
}
