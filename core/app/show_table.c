/* SPDX-License-Identifier: MIT */
/* Many series, a line each: those that a question has found, or the members of a group by rank. */
#include "app/columns.h"
#include "app/show.h"
#include "base/clock.h"
#include "store/match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define YEARS 5
#define NAME_MAX_WIDTH 32

struct line {
	const struct show_series *s; /* NULL: a member without a series */
	const struct show_point *latest;
	struct slice area; /* of a member */
	size_t rank;       /* 0: none */
};

static struct slice name_of(const struct show *w, struct slice area, const struct series_row *s)
{
	struct slice name = areas_name(&w->filters.areas, area);

	return s && s->area_title.n && slice_eq(name, area) ? s->area_title : name;
}

static bool has_number(const struct show_point *p)
{
	return p && !isnan(p->number);
}

static void put_json_number(struct strbuf *b, const char *name, const struct show_point *p)
{
	strbuf_fmt(b, ",\"%s\":", name);
	if (p && has_number(p))
		strbuf_slice(b, p->text);
	else
		strbuf_puts(b, "null");
}

static void put_json_unit(struct strbuf *b, const struct series_row *s)
{
	put_json_member(b, "unit", s->unit);
	strbuf_fmt(b, ",\"unit_mult\":%d", (int)s->unit_mult);
}

static void put_json_line(struct show *w, const struct line *l)
{
	struct strbuf *b = &w->out;
	const struct show_point *before = l->s ? show_before(l->s, l->latest, YEARS) : NULL;

	strbuf_puts(b, "{\"area\":");
	put_json_text(b, l->area);
	put_json_member(b, "name", name_of(w, l->area, l->s ? &l->s->s : NULL));
	if (l->s && w->area) { /* else the group's head has them */
		put_json_member(b, "title", l->s->s.title);
		put_json_unit(b, &l->s->s);
	}
	if (l->s) {
		put_json_member(b, "source", l->s->s.source);
		put_json_member(b, "dataset", l->s->s.dataset);
		put_json_member(b, "indicator", l->s->s.indicator);
		put_json_member(b, "area_code", l->s->s.area_code);
		put_json_member(b, "dims", l->s->s.dims);
		put_json_member(b, "freq", (struct slice){&l->s->s.freq, 1});
	}
	if (l->rank)
		strbuf_fmt(b, ",\"rank\":%zu", l->rank);
	put_json_member(b, "period", l->latest ? l->latest->period : SLICE(""));
	put_json_number(b, "value", l->latest);
	put_json_member(b, "value_text", l->latest && !has_number(l->latest) ? l->latest->text : SLICE(""));
	put_json_member(b, "period_before", before ? before->period : SLICE(""));
	put_json_number(b, "value_before", before);
	strbuf_puts(b, ",\"change\":");
	if (before && l->latest)
		strbuf_fmt(b, "%.*f", before->decimals > l->latest->decimals ? before->decimals : l->latest->decimals,
			l->latest->number - before->number);
	else
		strbuf_puts(b, "null");
	strbuf_putc(b, '}');
}

/* ---- columns ---- */

struct widths {
	size_t rank, name, code, period, value, change;
};

static void widen(size_t *width, size_t some)
{
	*width = some > *width ? some : *width;
}

static struct widths measure(struct show *w, const struct line *v, size_t n, bool ranked)
{
	struct widths x = {
		.rank = ranked ? 4 : 0, .name = 4, .code = ranked ? 0 : 6, .period = 6, .value = 5, .change = 7};

	for (size_t i = 0; i < n; i++) {
		const struct line *l = &v[i];
		const struct show_point *before = l->s ? show_before(l->s, l->latest, YEARS) : NULL;
		struct strbuf b;

		widen(&x.name, text_width(name_of(w, l->area, l->s ? &l->s->s : NULL)));
		if (!l->latest)
			continue;
		widen(&x.period, text_width(l->latest->period));
		widen(&x.value, text_width(l->latest->text));
		strbuf_init(&b, 0);
		show_change(&b, before, l->latest);
		widen(&x.change, b.n);
		strbuf_release(&b);
	}
	x.name = x.name < NAME_MAX_WIDTH ? x.name : NAME_MAX_WIDTH;
	return x;
}

static void put_line(struct show *w, const struct widths *x, const struct line *l)
{
	struct strbuf *b = &w->out, change;
	size_t start;

	strbuf_init(&change, 0);
	if (x->rank && l->rank)
		strbuf_fmt(b, "%*zu  ", (int)x->rank, l->rank);
	else if (x->rank)
		strbuf_fmt(b, "%*s  ", (int)x->rank, "");
	put_text(b, name_of(w, l->area, l->s ? &l->s->s : NULL), x->name, ALIGN_LEFT, w->ascii);
	strbuf_puts(b, "  ");
	if (!l->latest) {
		strbuf_puts(b, "no data");
	} else {
		show_change(&change, show_before(l->s, l->latest, YEARS), l->latest);
		put_text(b, l->latest->period, x->period, ALIGN_LEFT, w->ascii);
		strbuf_puts(b, "  ");
		put_text(b, l->latest->text, x->value, ALIGN_RIGHT, w->ascii);
		strbuf_puts(b, "  ");
		put_text(b, strbuf_get(&change), x->change, ALIGN_RIGHT, w->ascii);
		strbuf_puts(b, change.n && !x->rank ? " in 5 years  " : "  "); /* a table's head says so */
		show_sparkline(w, l->s);
	}
	start = b->n;
	while (start && b->p && b->p[start - 1] == ' ')
		start--;
	b->n = start;
	strbuf_putc(b, '\n');
	b->failed |= change.failed;
	strbuf_release(&change);
}

static void put_heads(struct show *w, const struct widths *x)
{
	struct strbuf *b = &w->out;

	if (x->rank)
		strbuf_fmt(b, "%*s  ", (int)x->rank, "RANK");
	put_text(b, SLICE("AREA"), x->name, ALIGN_LEFT, w->ascii);
	strbuf_puts(b, "  ");
	put_text(b, SLICE("PERIOD"), x->period, ALIGN_LEFT, w->ascii);
	strbuf_puts(b, "  ");
	put_text(b, SLICE("VALUE"), x->value, ALIGN_RIGHT, w->ascii);
	strbuf_puts(b, "  ");
	put_text(b, SLICE("5 YEARS"), x->change, ALIGN_RIGHT, w->ascii);
	strbuf_putc(b, '\n');
}

/* ---- series found ---- */

glane_rc show_lines(struct show *w)
{
	struct strbuf *b = &w->out;

	strbuf_puts(b, w->json ? "[" : "");
	for (size_t i = 0; i < w->n; i++) {
		const struct show_series *s = &w->series[i];
		const struct line l = {s, show_latest(s), s->s.area.n ? s->s.area : s->s.area_code, 0};
		const struct widths x = measure(w, &l, 1, false);

		if (w->json) {
			strbuf_puts(b, i ? ",\n" : "\n");
			put_json_line(w, &l);
			continue;
		}
		put_text(b, s->s.title.n ? s->s.title : s->s.indicator, 0, ALIGN_LEFT, w->ascii);
		strbuf_puts(b, "\n  ");
		put_text(b, s->s.source, 0, ALIGN_LEFT, w->ascii);
		strbuf_putc(b, ' ');
		put_text(b, s->s.dataset, 0, ALIGN_LEFT, w->ascii);
		strbuf_putc(b, ' ');
		put_text(b, s->s.indicator, 0, ALIGN_LEFT, w->ascii);
		if (s->s.dims.n) {
			strbuf_putc(b, ' ');
			put_text(b, s->s.dims, 0, ALIGN_LEFT, w->ascii);
		}
		show_freq_and_unit(w, &s->s);
		strbuf_puts(b, "\n  ");
		put_line(w, &x, &l);
	}
	strbuf_puts(b, w->json ? "]\n" : "");
	return GLANE_OK;
}

/* ---- a group ---- */

/* By value, the highest first; those without one by area. */
static int by_value(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (has_number(x->latest) != has_number(y->latest))
		return has_number(x->latest) ? -1 : 1;
	if (has_number(x->latest) && x->latest->number != y->latest->number)
		return x->latest->number > y->latest->number ? -1 : 1;
	return slice_cmp(x->area, y->area);
}

static bool has_area(const struct line *v, size_t n, struct slice area)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_eq(v[i].area, area))
			return true;
	}
	return false;
}

/* A group's members of that day that have no series, of those that --area lets through. */
static glane_rc add_missing(struct show *w, const char *group, struct line **v, size_t *n, size_t *cap)
{
	const struct query q = filters_query(&w->filters);

	for (const struct area_member *m = areas_members(&w->filters.areas, slice_of(group)); m; m = m->next) {
		if (m->from > q.group_on || m->to < q.group_on || !match_list(q.area, m->area) ||
			has_area(*v, *n, m->area))
			continue;
		if (!mem_grow(v, cap, *n + 1, sizeof(**v)))
			return fail(&w->d, GLANE_E_NOMEM, "no memory for the members of %s", group);
		(*v)[(*n)++] = (struct line){.area = m->area};
	}
	return GLANE_OK;
}

static void rank(struct line *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	for (size_t i = 0; i < n && has_number(v[i].latest); i++)
		v[i].rank = i && v[i].latest->number == v[i - 1].latest->number ? v[i - 1].rank : i + 1;
}

static void put_ranks(struct show *w, const struct series_row *s, const struct line *v, size_t n)
{
	struct strbuf *b = &w->out;
	struct widths x;
	char day[32];

	filters_group_day(&w->filters, day);
	if (w->json) {
		strbuf_puts(b, "{\"group\":");
		put_json_text(b, slice_of(w->group));
		put_json_member(b, "members_of", slice_of(day));
		put_json_member(b, "title", s->title);
		put_json_unit(b, s);
		strbuf_puts(b, ",\"members\":[");
		for (size_t i = 0; i < n; i++) {
			strbuf_puts(b, i ? ",\n" : "\n");
			put_json_line(w, &v[i]);
		}
		strbuf_puts(b, "]}");
		return;
	}
	strbuf_fmt(b, "%s (members of %s): ", w->group, day);
	show_head(w, s);
	strbuf_putc(b, '\n');
	x = measure(w, v, n, true);
	put_heads(w, &x);
	for (size_t i = 0; i < n; i++)
		put_line(w, &x, &v[i]);
}

/* One table: the series of the measure of w->series[at]. */
static glane_rc rank_measure(struct show *w, size_t at)
{
	const struct series_row *s = &w->series[at].s;
	struct line *v = NULL;
	size_t n = 0, cap = 0;
	glane_rc rc = GLANE_OK;

	for (size_t i = at; i < w->n && rc == GLANE_OK; i++) {
		const struct show_series *one = &w->series[i];

		if (!show_same_measure(s, &one->s))
			continue;
		if (!mem_grow(&v, &cap, n + 1, sizeof(*v)))
			rc = fail(&w->d, GLANE_E_NOMEM, "no memory for the members of %s", w->group);
		else
			v[n++] = (struct line){one, show_latest(one), one->s.area, 0};
	}
	for (size_t i = 0; i < w->filters.group.n && rc == GLANE_OK; i++)
		rc = add_missing(w, w->filters.group.v[i], &v, &n, &cap);
	if (rc == GLANE_OK && n) {
		rank(v, n);
		put_ranks(w, s, v, n);
	}
	mem_free(v);
	return rc;
}

static bool is_first(const struct show *w, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (show_same_measure(&w->series[k].s, &w->series[i].s))
			return false;
	}
	return true;
}

static void put_measures(struct show *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!is_first(w, i))
			continue;
		show_head(w, &w->series[i].s);
	}
}

glane_rc show_ranks(struct show *w)
{
	struct strbuf *b = &w->out;
	size_t done = 0;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < w->n; i++)
		w->measures += is_first(w, i);
	if (w->measures > SHOW_MEASURES_MAX && !w->json) {
		put_measures(w);
		return GLANE_OK;
	}
	strbuf_puts(b, w->json ? "[" : "");
	for (size_t i = 0; i < w->n && rc == GLANE_OK; i++) {
		if (!is_first(w, i))
			continue;
		if (done++)
			strbuf_puts(b, w->json ? ",\n" : "\n");
		rc = rank_measure(w, i);
	}
	strbuf_puts(b, w->json ? "]\n" : "");
	return rc;
}
