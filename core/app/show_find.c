/* SPDX-License-Identifier: MIT */
/* Which series are meant, and their observations. */
#include "app/show.h"

#include "model/decimal.h"
#include "model/fold.h"

#include <math.h>
#include <string.h>

static glane_rc no_memory(struct show *w)
{
	return fail(&w->d, GLANE_E_NOMEM, "no memory for the series");
}

/* ---- the area ---- */

static glane_rc map_area(struct show *w)
{
	struct strbuf b;
	bool known;

	strbuf_init(&b, 0);
	known = filters_area(&w->filters.areas, w->area, &b);
	if (!strbuf_ok(&b) || (known && !arena_dup(&w->arena, strbuf_get(&b), &w->area_code)))
		(void)no_memory(w);
	strbuf_release(&b);
	return w->d.code;
}

/* ---- series ---- */

struct search {
	struct show *w;
	struct words *words;   /* NULL: any title */
	const char *area_text; /* a provider's code or an area's own, verbatim; NULL: any area */
};

static bool copy_series(struct arena *a, const struct series_row *s, struct series_row *to)
{
	const struct slice *from[] = {&s->source, &s->dataset, &s->indicator, &s->area, &s->area_code, &s->dims,
		&s->unit, &s->title, &s->area_title, &s->licence, &s->attribution, &s->updated, &s->first_period,
		&s->last_period};
	struct slice *into[] = {&to->source, &to->dataset, &to->indicator, &to->area, &to->area_code, &to->dims,
		&to->unit, &to->title, &to->area_title, &to->licence, &to->attribution, &to->updated, &to->first_period,
		&to->last_period};

	*to = *s;
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		if (!arena_dup(a, *from[i], into[i]))
			return false;
	}
	return true;
}

static glane_rc on_series(void *arg, const struct series_row *s)
{
	struct search *f = arg;
	struct show *w = f->w;

	if (f->area_text && !slice_is(s->area_code, f->area_text) && !slice_is(s->area, f->area_text))
		return GLANE_OK;
	if (f->words && !words_match(f->words, &w->filters.areas, s))
		return strbuf_ok(&f->words->hay) ? GLANE_OK : no_memory(w);
	if (w->n == SHOW_SERIES_MAX)
		return fail(&w->d, GLANE_E_LIMIT,
			"more than %d series are like that: narrow it with --source, --dataset, --dim, or a code in "
			"place of words",
			SHOW_SERIES_MAX);
	if (!mem_grow(&w->series, &w->cap, w->n + 1, sizeof(*w->series)))
		return no_memory(w);
	w->series[w->n] = (struct show_series){.n = 0};
	return copy_series(&w->arena, s, &w->series[w->n++].s) ? GLANE_OK : no_memory(w);
}

/* With the mapped area, and if there is none of it, with the text as a code. */
static glane_rc search(struct show *w, struct query q, struct words *words)
{
	struct search f = {.w = w, .words = words};
	char area[64];
	const char *one[] = {area, NULL};
	glane_rc rc = GLANE_OK;

	if (w->area_code.p && w->area_code.n < sizeof(area)) {
		struct query mapped = q;

		memcpy(area, w->area_code.p, w->area_code.n);
		area[w->area_code.n] = '\0';
		mapped.area = one;
		rc = series_run(w->st, &mapped, on_series, &f, &w->d);
	}
	if (rc < 0 || w->n)
		return rc;
	f.area_text = w->area;
	return w->area || w->group ? series_run(w->st, &q, on_series, &f, &w->d) : rc;
}

static glane_rc search_catalogue(struct show *w, struct query q)
{
	const struct catalogue_item *item = catalogue_find(&w->filters.table, strbuf_get(&w->indicator));

	if (!item)
		return GLANE_OK;
	q.catalogue = &item;
	q.n_catalogue = 1;
	return search(w, q, NULL);
}

/* Of series found by words, those whose code is the text itself, in whatever case, are meant. */
static glane_rc prefer_code(struct show *w)
{
	struct strbuf wanted, code;
	size_t n = 0;

	strbuf_init(&wanted, 0);
	strbuf_init(&code, 0);
	name_fold(&wanted, strbuf_get(&w->indicator));
	for (size_t i = 0; i < w->n; i++) {
		strbuf_reset(&code);
		name_fold(&code, w->series[i].s.indicator);
		if (slice_eq(strbuf_get(&wanted), strbuf_get(&code)))
			w->series[n++] = w->series[i];
	}
	w->n = n ? n : w->n;
	if (!strbuf_ok(&wanted) || !strbuf_ok(&code))
		(void)no_memory(w);
	strbuf_release(&wanted);
	strbuf_release(&code);
	return w->d.code;
}

static glane_rc search_words(struct show *w, struct query q)
{
	struct words words;
	glane_rc rc = words_init(&words, w->words.v, w->words.n) ? GLANE_OK : no_memory(w);

	if (rc == GLANE_OK)
		rc = search(w, q, &words);
	if (rc == GLANE_OK)
		rc = prefer_code(w);
	words_release(&words);
	return rc;
}

glane_rc show_find(struct show *w)
{
	struct query q = filters_query(&w->filters);
	struct query code = q;
	glane_rc rc = w->area ? map_area(w) : GLANE_OK;

	q.withdrawn = code.withdrawn = true; /* what is gone now may have been there as of then */
	code.indicator = (const char **)(uintptr_t)w->codes.v;
	if (rc == GLANE_OK)
		rc = search(w, code, NULL);
	if (rc == GLANE_OK && w->n == 0)
		rc = search_catalogue(w, q);
	if (rc == GLANE_OK && w->n == 0)
		rc = search_words(w, q);
	return rc;
}

/* ---- observations ---- */

struct load {
	struct show *w;
	size_t at; /* rows come by key, as the series stand */
};

/* By source, dataset, indicator, area_code, dims, freq. */
static int cmp_series(const struct series_row *s, const struct row *r)
{
	const struct row key = {.source = s->source,
		.dataset = s->dataset,
		.indicator = s->indicator,
		.area_code = s->area_code,
		.dims = s->dims,
		.freq = s->freq,
		.period = r->period};

	return row_cmp_key(&key, r);
}

static glane_rc on_row(void *arg, struct row *r)
{
	struct load *l = arg;
	struct show *w = l->w;
	struct show_series *s;
	struct show_point *p;
	int order = -1;

	while (l->at < w->n && (order = cmp_series(&w->series[l->at].s, r)) < 0)
		l->at++;
	if (l->at == w->n || order > 0)
		return GLANE_OK;
	s = &w->series[l->at];
	if (!mem_grow(&s->points, &s->cap, s->n + 1, sizeof(*s->points)))
		return no_memory(w);
	p = &s->points[s->n];
	*p = (struct show_point){.day = r->period_start, .number = (double)NAN, .decimals = r->decimals};
	if (r->value.n)
		p->number = decimal_text_double(r->value);
	if (!arena_dup(&w->arena, r->period, &p->period) ||
		!arena_dup(&w->arena, r->value.n ? r->value : r->value_text, &p->text))
		return no_memory(w);
	s->n++;
	return GLANE_OK;
}

static const char *text_of(struct show *w, struct slice s)
{
	return arena_strndup(&w->arena, s.p ? s.p : "", s.n);
}

static bool same_indicator(const struct series_row *a, const struct series_row *b)
{
	return slice_eq(a->source, b->source) && slice_eq(a->dataset, b->dataset) &&
	       slice_eq(a->indicator, b->indicator);
}

/* The rows of series[from] and of those with its indicator. */
static glane_rc load_indicator(struct show *w, size_t from)
{
	const struct series_row *s = &w->series[from].s;
	const char *source[] = {text_of(w, s->source), NULL}, *dataset[] = {text_of(w, s->dataset), NULL},
		   *indicator[] = {text_of(w, s->indicator), NULL};
	struct query q = {.source = source,
		.dataset = dataset,
		.indicator = indicator,
		.from = w->filters.from,
		.to = w->filters.to,
		.as_of = w->as_of};
	struct load l = {w, from};

	if (!source[0] || !dataset[0] || !indicator[0])
		return no_memory(w);
	return query_run(w->st, &q, on_row, &l, &w->d);
}

glane_rc show_load(struct show *w)
{
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < w->n && rc == GLANE_OK; i++) {
		if (i == 0 || !same_indicator(&w->series[i - 1].s, &w->series[i].s))
			rc = load_indicator(w, i);
	}
	return rc;
}
