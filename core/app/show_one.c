/* SPDX-License-Identifier: MIT */
/* One series with all of its vintages. */
#include "app/columns.h"
#include "app/show.h"
#include "base/clock.h"
#include "model/decimal.h"
#include "store/vintages.h"

#include <math.h>
#include <string.h>

#define TRIANGLE_COLUMNS 8 /* runs that have a column of their own */
#define DATE 10            /* of a time's text */

struct event {
	struct slice period, value, value_text, flags, note, event, run;
	char status;
	int64_t day, recorded_at;
	int32_t decimals;
};
struct view {
	struct show *w;
	const struct series_row *s;
	struct event *v; /* by period, then by time */
	size_t n, cap;
	int64_t from, to; /* days */
};

static glane_rc no_memory(struct show *w)
{
	return fail(&w->d, GLANE_E_NOMEM, "no memory for the vintages");
}

static glane_rc on_event(void *arg, const struct row *r)
{
	struct view *x = arg;
	struct arena *a = &x->w->arena;
	struct event *e;

	if (r->period_start < x->from || r->period_start > x->to)
		return GLANE_OK;
	if (!mem_grow(&x->v, &x->cap, x->n + 1, sizeof(*x->v)))
		return no_memory(x->w);
	e = &x->v[x->n];
	*e = (struct event){
		.status = r->status, .day = r->period_start, .recorded_at = r->recorded_at, .decimals = r->decimals};
	if (!arena_dup(a, r->period, &e->period) || !arena_dup(a, r->value, &e->value) ||
		!arena_dup(a, r->value_text, &e->value_text) || !arena_dup(a, r->flags, &e->flags) ||
		!arena_dup(a, r->note, &e->note) || !arena_dup(a, r->event, &e->event) ||
		!arena_dup(a, r->run, &e->run))
		return no_memory(x->w);
	x->n++;
	return GLANE_OK;
}

static bool is_gone(const struct event *e)
{
	return slice_is(e->event, "withdrawn");
}

static struct slice text_of(const struct event *e)
{
	if (is_gone(e))
		return SLICE("withdrawn");
	return e->value.n ? e->value : e->value_text;
}

/* Index behind the last event of the period that begins at `i`. */
static size_t period_end(const struct view *x, size_t i)
{
	size_t k = i + 1;

	while (k < x->n && slice_eq(x->v[k].period, x->v[i].period))
		k++;
	return k;
}

/* ---- the points ---- */

static glane_rc add_points(struct view *x, struct show_series *to)
{
	for (size_t i = 0, k; i < x->n; i = k) {
		const struct event *e;
		struct show_point *p;

		k = period_end(x, i);
		e = &x->v[k - 1];
		if (is_gone(e))
			continue;
		if (!mem_grow(&to->points, &to->cap, to->n + 1, sizeof(*to->points)))
			return no_memory(x->w);
		p = &to->points[to->n++];
		*p = (struct show_point){e->period, text_of(e), e->day, (double)NAN, e->decimals};
		if (e->value.n)
			p->number = decimal_text_double(e->value);
	}
	return GLANE_OK;
}

static void put_overview(struct view *x, const struct show_series *points)
{
	const struct show_point *last = show_latest(points), *first = NULL;
	struct strbuf *b = &x->w->out;

	for (size_t i = 0; i < points->n && !first; i++)
		first = isnan(points->points[i].number) ? NULL : &points->points[i];
	if (!first)
		return;
	strbuf_putc(b, '\n');
	show_sparkline(x->w, points);
	strbuf_fmt(b, "  %.*s %.*s", SLICE_FMT(first->period), SLICE_FMT(first->text));
	if (last != first) {
		strbuf_fmt(b, " to %.*s %.*s: ", SLICE_FMT(last->period), SLICE_FMT(last->text));
		show_change(b, first, last);
		if (first->number > 0 && last->number >= 0)
			strbuf_fmt(b, " (%+.1f %%)", (last->number / first->number - 1) * 100);
	}
	strbuf_puts(b, "\n");
}

/* ---- the table ---- */

enum { PERIOD, VALUE, STATUS, FLAGS, SINCE, BEFORE, NOTE, CELLS };
struct cells {
	struct slice v[CELLS];
};

static struct slice kept(struct show *w, const struct strbuf *b)
{
	struct slice s = SLICE("");

	if (!strbuf_ok(b) || !arena_dup(&w->arena, strbuf_get(b), &s))
		w->out.failed = true;
	return s;
}

static struct slice date_of(struct show *w, int64_t t, size_t n)
{
	char text[32];
	struct slice s = SLICE("");

	time_format(t, text);
	if (!arena_dup(&w->arena, (struct slice){text, n}, &s))
		w->out.failed = true;
	return s;
}

/* "36.1 (2 revisions)": the value before the present one, where it differs. */
static struct slice earlier(struct show *w, const struct event *first, const struct event *last)
{
	const struct event *before = NULL;
	struct slice s = SLICE("");
	size_t revisions = 0;
	struct strbuf b;

	for (const struct event *e = first + 1; e <= last; e++)
		revisions += !slice_eq(text_of(e), text_of(e - 1));
	for (const struct event *e = last; e-- > first && !before;) {
		if (!slice_eq(text_of(e), text_of(last)))
			before = e;
	}
	if (!before)
		return s;
	strbuf_init(&b, 0);
	strbuf_slice(&b, text_of(before));
	if (revisions > 1)
		strbuf_fmt(&b, " (%zu revisions)", revisions);
	s = kept(w, &b);
	strbuf_release(&b);
	return s;
}

static void put_row(struct show *w, const struct cells *c, const size_t *width)
{
	struct strbuf *b = &w->out;
	size_t last = CELLS;

	while (last && (c->v[last - 1].n == 0 || width[last - 1] == 0))
		last--;
	for (size_t i = 0; i < last; i++) {
		if (width[i] == 0)
			continue;
		put_text(b, c->v[i], i + 1 < last || i == VALUE ? width[i] : 0, i == VALUE ? ALIGN_RIGHT : ALIGN_LEFT,
			w->ascii);
		if (i + 1 < last)
			strbuf_puts(b, "  ");
	}
	strbuf_putc(b, '\n');
}

static void put_table(struct view *x)
{
	const struct cells head = {{SLICE("PERIOD"), SLICE("VALUE"), SLICE("STATUS"), SLICE("FLAGS"), SLICE("SINCE"),
		SLICE("BEFORE"), SLICE("NOTE")}};
	struct show *w = x->w;
	struct cells *rows = arena_alloc(&w->arena, (x->n + 1) * sizeof(*rows));
	size_t n = 0, width[CELLS] = {0};

	if (!rows) {
		w->out.failed = true;
		return;
	}
	for (size_t i = 0, k; i < x->n; i = k) {
		const struct event *e;

		k = period_end(x, i);
		e = &x->v[k - 1];
		rows[n++] = (struct cells){
			{e->period, text_of(e), e->status == 'A' ? SLICE("") : (struct slice){&e->status, 1}, e->flags,
				date_of(w, e->recorded_at, DATE), earlier(w, &x->v[i], e), e->note}};
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t c = 0; c < CELLS; c++) {
			size_t some = text_width(rows[i].v[c]);

			width[c] = some > width[c] ? some : width[c];
		}
	}
	for (size_t c = 0; c < CELLS; c++)
		width[c] = width[c] && width[c] < head.v[c].n ? head.v[c].n : width[c];
	strbuf_putc(&w->out, '\n');
	put_row(w, &head, width);
	for (size_t i = 0; i < n; i++)
		put_row(w, &rows[i], width);
}

/* ---- vintages ---- */

/* The distinct moments, ascending; at most `room` of them: returns room + 1 where there are more. */
static size_t find_moments(const struct view *x, int64_t *at, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++) {
		int64_t t = x->v[i].recorded_at;
		size_t k = n;

		while (k && at[k - 1] > t)
			k--;
		if (k && at[k - 1] == t)
			continue;
		if (n == room)
			return room + 1;
		memmove(at + k + 1, at + k, (n - k) * sizeof(*at));
		at[k] = t;
		n++;
	}
	return n;
}

static void put_list(struct view *x)
{
	struct strbuf *b = &x->w->out;
	size_t width = 6, value = 5;

	for (size_t i = 0; i < x->n; i++) {
		width = text_width(x->v[i].period) > width ? text_width(x->v[i].period) : width;
		value = text_width(text_of(&x->v[i])) > value ? text_width(text_of(&x->v[i])) : value;
	}
	put_text(b, SLICE("PERIOD"), width + 2, ALIGN_LEFT, x->w->ascii);
	put_text(b, SLICE("VALUE"), value, ALIGN_RIGHT, x->w->ascii);
	strbuf_puts(b, "  RECORDED              EVENT\n");
	for (size_t i = 0; i < x->n; i++) {
		const struct event *e = &x->v[i];
		char at[32];

		time_format(e->recorded_at, at);
		put_text(b, e->period, width + 2, ALIGN_LEFT, x->w->ascii);
		put_text(b, text_of(e), value, ALIGN_RIGHT, x->w->ascii);
		strbuf_fmt(b, "  %s  %.*s\n", at, SLICE_FMT(e->event));
	}
}

/* Rows: periods; columns: runs with an event; a cell is what was recorded then, blank where that run changed nothing. */
static void put_triangle(struct view *x, const int64_t *at, size_t n)
{
	struct strbuf *b = &x->w->out;
	size_t first = 6, width = DATE, length = DATE;
	char text[32];

	for (size_t i = 1; i < n; i++) {
		if (at[i] / 86400 == at[i - 1] / 86400)
			width = length = 20; /* two of one day: with their times */
	}
	for (size_t i = 0; i < x->n; i++) {
		first = text_width(x->v[i].period) > first ? text_width(x->v[i].period) : first;
		width = text_width(text_of(&x->v[i])) > width ? text_width(text_of(&x->v[i])) : width;
	}
	put_text(b, SLICE("PERIOD"), first, ALIGN_LEFT, x->w->ascii);
	for (size_t c = 0; c < n; c++) {
		time_format(at[c], text);
		strbuf_puts(b, "  ");
		put_text(b, (struct slice){text, length}, width, ALIGN_RIGHT, x->w->ascii);
	}
	strbuf_putc(b, '\n');
	for (size_t i = 0, k; i < x->n; i = k) {
		k = period_end(x, i);
		put_text(b, x->v[i].period, first, ALIGN_LEFT, x->w->ascii);
		for (size_t c = 0, e = i; c < n && e < k; c++) {
			bool here = x->v[e].recorded_at == at[c];

			strbuf_puts(b, "  ");
			put_text(b, here ? text_of(&x->v[e]) : SLICE(""), width, ALIGN_RIGHT, x->w->ascii);
			e += here;
		}
		strbuf_putc(b, '\n');
	}
}

static void put_vintages(struct view *x)
{
	int64_t at[TRIANGLE_COLUMNS];
	size_t n = find_moments(x, at, TRIANGLE_COLUMNS);

	strbuf_putc(&x->w->out, '\n');
	if (n <= TRIANGLE_COLUMNS)
		put_triangle(x, at, n);
	else
		put_list(x);
}

/* ---- JSON ---- */

static void put_value(struct strbuf *b, const struct event *e)
{
	char at[32];

	time_format(e->recorded_at, at);
	strbuf_puts(b, "\"value\":");
	if (e->value.n)
		strbuf_slice(b, e->value);
	else
		strbuf_puts(b, "null");
	put_json_member(b, "value_text", e->value_text);
	put_json_member(b, "status", (struct slice){&e->status, 1});
	put_json_member(b, "flags", e->flags);
	put_json_member(b, "note", e->note);
	put_json_member(b, "recorded_at", slice_of(at));
	put_json_member(b, "event", e->event);
	put_json_member(b, "run", e->run);
}

static void put_json(struct view *x)
{
	struct strbuf *b = &x->w->out;
	const struct series_row *s = x->s;

	strbuf_puts(b, "{\"source\":");
	put_json_text(b, s->source);
	put_json_member(b, "dataset", s->dataset);
	put_json_member(b, "indicator", s->indicator);
	put_json_member(b, "area", s->area);
	put_json_member(b, "area_code", s->area_code);
	put_json_member(b, "dims", s->dims);
	put_json_member(b, "freq", (struct slice){&s->freq, 1});
	put_json_member(b, "title", s->title);
	put_json_member(b, "unit", s->unit);
	strbuf_fmt(b, ",\"unit_mult\":%d", (int)s->unit_mult);
	put_json_member(b, "licence", s->licence);
	put_json_member(b, "attribution", s->attribution);
	put_json_member(b, "updated", s->updated);
	strbuf_puts(b, ",\"observations\":[");
	for (size_t i = 0, k; i < x->n; i = k) {
		k = period_end(x, i);
		strbuf_puts(b, i ? ",\n{\"period\":" : "\n{\"period\":");
		put_json_text(b, x->v[i].period);
		strbuf_putc(b, ',');
		put_value(b, &x->v[k - 1]);
		strbuf_puts(b, ",\"vintages\":[");
		for (size_t e = i; e < k; e++) {
			strbuf_puts(b, e > i ? ",{" : "{");
			put_value(b, &x->v[e]);
			strbuf_putc(b, '}');
		}
		strbuf_puts(b, "]}");
	}
	strbuf_puts(b, "]}\n");
}

static void put_head(struct view *x)
{
	struct show *w = x->w;
	struct slice area = areas_name(&w->filters.areas, x->s->area);
	int64_t last = INT64_MIN;
	char at[32];

	put_text(&w->out, x->s->area_title.n && slice_eq(area, x->s->area) ? x->s->area_title : area, 0, ALIGN_LEFT,
		w->ascii);
	strbuf_puts(&w->out, " (");
	put_text(&w->out, x->s->area.n ? x->s->area : x->s->area_code, 0, ALIGN_LEFT, w->ascii);
	strbuf_puts(&w->out, "): ");
	show_head(w, x->s);
	for (size_t i = 0; i < x->n; i++)
		last = x->v[i].recorded_at > last ? x->v[i].recorded_at : last;
	time_format(last, at);
	strbuf_fmt(&w->out, "last recorded: %s\n", at);
}

static glane_rc put_view(struct view *x)
{
	struct show_series points = {.s = *x->s};
	glane_rc rc = GLANE_OK;

	if (x->w->json) {
		put_json(x);
		return GLANE_OK;
	}
	rc = add_points(x, &points);
	if (rc == GLANE_OK) {
		put_head(x);
		put_overview(x, &points);
		if (x->w->vintages)
			put_vintages(x);
		else
			put_table(x);
	}
	mem_free(points.points);
	return rc;
}

glane_rc show_one(struct show *w, const struct series_row *s)
{
	struct view x = {.w = w, .s = s, .from = INT64_MIN, .to = INT64_MAX};
	const struct row key = {.source = s->source,
		.dataset = s->dataset,
		.indicator = s->indicator,
		.area_code = s->area_code,
		.dims = s->dims,
		.freq = s->freq};
	const struct query q = filters_query(&w->filters);
	glane_rc rc = query_days(&q, &x.from, &x.to, &w->d);

	if (rc == GLANE_OK)
		rc = vintages_run(w->st, &key, w->as_of, on_event, &x, &w->d);
	if (rc == GLANE_OK && x.n)
		rc = put_view(&x);
	mem_free(x.v);
	return rc;
}
