/* SPDX-License-Identifier: MIT */
/* What the rules of the gate want to know of the rows, counted as they pass in key order. */
#include "store/tally.h"
#include "model/decimal.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400
#define PIECE 64     /* bytes of a text in an example */
#define HISTORY 5    /* so many values make a new one comparable */
#define FAR_ORDERS 2 /* of magnitude: it is out of line */

glane_rc tallies_init(struct tallies *t, const struct diff_input *in, struct arena *a, struct diag *d)
{
	const size_t n = in->batch->n_covers + 1;
	struct tally_series *at = &t->at;

	*t = (struct tallies){.in = in, .arena = a, .last_slice = UINT64_MAX};
	t->far = in->now / DAY + (int64_t)in->gate.max_future_days;
	map_init(&t->codes, a);
	strbuf_init(&at->dataset, 0);
	strbuf_init(&at->indicator, 0);
	strbuf_init(&at->area, 0);
	strbuf_init(&at->dims, 0);
	strbuf_init(&t->key, 0);
	strbuf_init(&t->last_area, 0);
	strbuf_init(&t->last_indicator, 0);
	t->slices = arena_alloc(a, n * sizeof(*t->slices));
	if (!t->slices)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the slices", in->source);
	for (size_t i = 0; i < n; i++) {
		struct tally *s = &t->slices[i];

		s->newest_before = s->newest_after = s->gone = s->stamp_before = s->stamp = TALLY_NEVER;
	}
	return GLANE_OK;
}

void tallies_release(struct tallies *t)
{
	map_release(&t->codes);
	json_decref(t->stamps);
	strbuf_release(&t->at.dataset);
	strbuf_release(&t->at.indicator);
	strbuf_release(&t->at.area);
	strbuf_release(&t->at.dims);
	strbuf_release(&t->key);
	strbuf_release(&t->last_area);
	strbuf_release(&t->last_indicator);
}

static const struct cover *cover_of(const struct tallies *t, size_t slice)
{
	return slice < t->in->batch->n_covers ? &t->in->batch->covers[slice] : NULL;
}

/* ---- examples ---- */

static size_t show(char *buf, size_t n, struct slice s)
{
	const size_t end = n + PIECE < TALLY_EXAMPLE - 1 ? n + PIECE : TALLY_EXAMPLE - 1;
	char out[8];
	size_t k;

	while ((k = slice_show(&s, out)) > 0 && n + k <= end) {
		memcpy(buf + n, out, k);
		n += k;
	}
	buf[n] = '\0';
	return n;
}

/* "TGO SEX=F 2023", behind the indicator where the slice is a whole dataset. */
static size_t show_key(const struct tallies *t, size_t slice, const struct row *r, char buf[TALLY_EXAMPLE])
{
	const struct batch *b = t->in->batch;
	const bool one = slice < b->n_covers && b->covers[slice].indicator.n;
	const struct slice part[] = {one ? SLICE("") : r->indicator, r->area_code, r->dims, r->period};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (n && part[i].n)
			n = show(buf, n, SLICE(" "));
		n = show(buf, n, part[i]);
	}
	return n;
}

static void show_change(const struct tallies *t, size_t slice, const struct merge_step *step, char buf[TALLY_EXAMPLE])
{
	size_t n = show_key(t, slice, step->fresh, buf);

	n = show(buf, n, SLICE(": "));
	n = show(buf, n, step->old->value.n ? step->old->value : step->old->value_text);
	n = show(buf, n, SLICE(" -> "));
	(void)show(buf, n, step->fresh->value.n ? step->fresh->value : step->fresh->value_text);
}

static void show_unit(const struct tallies *t, size_t slice, const struct merge_step *step, char buf[TALLY_EXAMPLE])
{
	size_t n = show_key(t, slice, step->fresh, buf);
	char mult[48];

	(void)snprintf(mult, sizeof(mult), ", multiplier 10^%d -> 10^%d", (int)step->old->unit_mult,
		(int)step->fresh->unit_mult);
	n = show(buf, n, SLICE(": '"));
	n = show(buf, n, step->old->unit);
	n = show(buf, n, SLICE("' -> '"));
	n = show(buf, n, step->fresh->unit);
	n = show(buf, n, SLICE("'"));
	if (step->old->unit_mult != step->fresh->unit_mult)
		(void)show(buf, n, slice_of(mult));
}

static glane_rc keep_example(
	struct tallies *t, size_t slice, enum tally_example which, const char text[TALLY_EXAMPLE], struct diag *d)
{
	char **to = &t->slices[slice].example[which];

	if (!*to)
		*to = arena_alloc(t->arena, TALLY_EXAMPLE);
	if (!*to)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the gate", t->in->source);
	memcpy(*to, text, TALLY_EXAMPLE);
	return GLANE_OK;
}

/* The key of the first row of a kind, with both values where there are two. */
static glane_rc keep_first(struct tallies *t, const struct merge_step *step, enum tally_example which, struct diag *d)
{
	char text[TALLY_EXAMPLE] = "";

	if (t->slices[step->slice].example[which])
		return GLANE_OK;
	if (which == TALLY_UNIT)
		show_unit(t, step->slice, step, text);
	else if (step->old && step->fresh && !step->remove)
		show_change(t, step->slice, step, text);
	else
		(void)show_key(t, step->slice, step->old ? step->old : step->fresh, text);
	return keep_example(t, step->slice, which, text, d);
}

static glane_rc keep_newest(struct tallies *t, const struct merge_step *step, enum tally_example which, struct diag *d)
{
	char text[TALLY_EXAMPLE] = "";

	(void)show_key(t, step->slice, step->old ? step->old : step->fresh, text);
	return keep_example(t, step->slice, which, text, d);
}

/* ---- magnitudes ---- */

/* 3 for 1234 and -1e3, -2 for 0.012; false: zero or no number. */
static bool magnitude(const struct row *r, int *ret)
{
	const struct slice v = r->value;
	size_t first = SIZE_MAX, point = v.n;

	for (size_t i = 0; i < v.n && (first == SIZE_MAX || point == v.n); i++) {
		if (v.p[i] == '.')
			point = i;
		else if (v.p[i] > '0' && v.p[i] <= '9' && first == SIZE_MAX)
			first = i;
	}
	if (first == SIZE_MAX)
		return false;
	*ret = first < point ? (int)(point - first) - 1 : -(int)(first - point);
	*ret += r->unit_mult;
	return true;
}

/* From the first digit that is not 0 to the last such. */
static size_t significant_digits(struct slice v)
{
	size_t n = 0, last = 0;

	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9' || (n == 0 && v.p[i] == '0'))
			continue;
		n++;
		if (v.p[i] != '0')
			last = n;
	}
	return last;
}

/* By how much the true value grew, whatever its sign; 0: not to be said. */
static double growth_of(const struct row *old, const struct row *fresh)
{
	const double a = fabs(decimal_text_double(old->value)), b = fabs(decimal_text_double(fresh->value));

	if (!(a > 0) || !(b > 0))
		return 0;
	return b / a * pow(10, (double)fresh->unit_mult - (double)old->unit_mult);
}

/* 12.34 -> 1234, also rounded: 1234.4 -> 1.23; 2 -> 20 happens to small counts and says nothing. */
static bool is_rescaled(const struct row *old, const struct row *fresh, double growth)
{
	const double power = round(log10(growth));

	if (power == 0 || fabs(growth / pow(10, power) - 1) > 0.005)
		return false;
	return significant_digits(old->value) > 1 || significant_digits(fresh->value) > 1;
}

/* ---- one row ---- */

static glane_rc add_revised(struct tallies *t, const struct merge_step *step, struct diag *d)
{
	const double growth = growth_of(step->old, step->fresh), limit = t->in->gate.max_factor;
	struct tally_series *at = &t->at;
	glane_rc rc = keep_first(t, step, TALLY_REVISED, d);
	int e;

	t->slices[step->slice].revised++;
	if (rc < 0 || growth == 0 || !magnitude(step->fresh, &e))
		return rc;
	if (growth >= limit) {
		if (at->up++ == 0)
			show_change(t, step->slice, step, at->up_example);
		at->up_most = e > at->up_most ? e : at->up_most;
	} else if (growth <= 1 / limit) {
		if (at->down++ == 0)
			show_change(t, step->slice, step, at->down_example);
		at->down_least = e < at->down_least ? e : at->down_least;
	}
	if (!is_rescaled(step->old, step->fresh, growth))
		return GLANE_OK;
	t->slices[step->slice].rescaled++;
	return keep_first(t, step, TALLY_RESCALED, d);
}

/* Whether values of this magnitude say anything: a series that passes through zero has any. */
static bool is_ratio(const struct tally_series *at)
{
	return !at->zero && !(at->plus && at->minus);
}

static glane_rc add_new(struct tallies *t, const struct merge_step *step, struct diag *d)
{
	const struct tally_series *at = &t->at;
	struct tally *s = &t->slices[step->slice];
	glane_rc rc = keep_first(t, step, TALLY_NEW, d);
	int e;

	if (rc < 0 || at->n_values < HISTORY || !magnitude(step->fresh, &e))
		return rc;
	s->appended++;
	if (e < at->most + FAR_ORDERS && (e > at->least - FAR_ORDERS || !is_ratio(at)))
		return GLANE_OK;
	s->jumped++;
	return keep_first(t, step, TALLY_JUMPED, d);
}

static glane_rc add_unit(struct tallies *t, const struct merge_step *step, struct diag *d)
{
	const struct row *old = step->old, *fresh = step->fresh;

	if (old->unit_mult == fresh->unit_mult && (old->unit.n == 0 || slice_eq(old->unit, fresh->unit)))
		return GLANE_OK;
	t->slices[step->slice].unit_changed++;
	return keep_first(t, step, TALLY_UNIT, d);
}

static glane_rc add_withdrawn(struct tallies *t, const struct merge_step *step, struct diag *d)
{
	struct tally *s = &t->slices[step->slice];
	glane_rc rc = keep_first(t, step, TALLY_WITHDRAWN, d);

	if (rc < 0 || step->old->period_start <= s->gone)
		return rc;
	s->gone = step->old->period_start;
	return keep_newest(t, step, TALLY_GONE, d);
}

static void add_before(struct tallies *t, const struct row *old)
{
	struct tally *s = &t->slices[t->at.slice];

	t->at.rows_before++;
	t->at.freqs_before |= UINT32_C(1) << (old->freq & 31);
	if (old->period_start > s->newest_before)
		s->newest_before = old->period_start;
}

/* A withdrawn value, too, is one that its series had. */
static void add_magnitude(struct tally_series *at, const struct row *old)
{
	int e;

	if (old->value.n == 0)
		return;
	if (!magnitude(old, &e)) {
		at->zero = true;
		return;
	}
	*(old->value.p[0] == '-' ? &at->minus : &at->plus) = true;
	if (at->n_values++ == 0)
		at->least = at->most = e;
	else if (e < at->least)
		at->least = e;
	else if (e > at->most)
		at->most = e;
}

static glane_rc add_after(struct tallies *t, const struct merge_step *step, struct diag *d)
{
	const struct row *r = step->old ? step->old : step->fresh;
	struct tally *s = &t->slices[step->slice];

	t->at.freqs_after |= UINT32_C(1) << (r->freq & 31);
	if (r->period_start <= s->newest_after)
		return GLANE_OK;
	s->newest_after = r->period_start;
	return r->period_start > t->far ? keep_newest(t, step, TALLY_NEWEST, d) : GLANE_OK;
}

static void add_covered(struct tally *s, bool before, bool after)
{
	s->covered_before += before;
	s->covered_after += after;
	s->covered_withdrawn += before && !after;
}

static glane_rc add_outcome(struct tallies *t, const struct merge_step *step, struct diag *d)
{
	glane_rc rc;

	if (!step->old)
		return step->outcome == NEW ? add_new(t, step, d) : GLANE_OK;
	if (step->outcome == WITHDRAWN)
		return add_withdrawn(t, step, d);
	if (!step->fresh)
		return GLANE_OK;
	rc = add_unit(t, step, d);
	return rc == GLANE_OK && !row_same_value(step->old, step->fresh) ? add_revised(t, step, d) : rc;
}

/* ---- series ---- */

/* A value that comes to a magnitude its series knows is an ordinary revision: near zero, or of a former error. */
static glane_rc end_factors(struct tallies *t, struct diag *d)
{
	const struct tally_series *at = &t->at;
	struct tally *s = &t->slices[at->slice];
	const bool up = at->up && at->up_most > at->most;
	const bool down = at->down && at->down_least < at->least && is_ratio(at);

	s->factor += (up ? at->up : 0) + (down ? at->down : 0);
	if ((!up && !down) || s->example[TALLY_FACTOR])
		return GLANE_OK;
	return keep_example(t, at->slice, TALLY_FACTOR, up ? at->up_example : at->down_example, d);
}

static glane_rc end_freqs(struct tallies *t, struct diag *d)
{
	const struct tally_series *at = &t->at;
	const struct row r = {.indicator = strbuf_get(&at->indicator),
		.area_code = strbuf_get(&at->area),
		.dims = strbuf_get(&at->dims)};
	struct tally *s = &t->slices[at->slice];
	char text[TALLY_EXAMPLE] = "";

	if (!at->freqs_before || !at->freqs_after || at->freqs_before & at->freqs_after)
		return GLANE_OK;
	s->freq_changed += at->rows_before;
	if (s->example[TALLY_FREQ])
		return GLANE_OK;
	(void)show_key(t, at->slice, &r, text);
	return keep_example(t, at->slice, TALLY_FREQ, text, d);
}

/* Only there new codes are judged. */
static bool is_full(const struct tallies *t, size_t slice)
{
	const struct cover *c = cover_of(t, slice);

	return c && c->kind == GLANE_COVER_FULL;
}

/* Ends the series at one frequency; `all`: at every frequency. */
static glane_rc end_series(struct tallies *t, bool all, struct diag *d)
{
	const struct tally_series *at = &t->at;
	glane_rc rc = GLANE_OK;

	if (!at->open)
		return GLANE_OK;
	if (t->for_codes)
		return tally_note_codes(t, d);
	t->slices[at->slice].lost_series += at->before && !at->after;
	t->slices[at->slice].gained_series += at->after && !at->before && is_full(t, at->slice);
	if (at->up || at->down)
		rc = end_factors(t, d);
	return rc == GLANE_OK && all ? end_freqs(t, d) : rc;
}

static bool is_same_but_freq(const struct tally_series *at, const struct merge_step *step, const struct row *r)
{
	return at->slice == step->slice && slice_eq(strbuf_get(&at->area), r->area_code) &&
	       slice_eq(strbuf_get(&at->dims), r->dims) && slice_eq(strbuf_get(&at->indicator), r->indicator) &&
	       slice_eq(strbuf_get(&at->dataset), r->dataset);
}

static void set_text(struct strbuf *b, struct slice s)
{
	if (b->p && slice_eq(strbuf_get(b), s))
		return;
	strbuf_reset(b);
	strbuf_slice(b, s);
}

static glane_rc begin_series(
	struct tallies *t, const struct merge_step *step, const struct row *r, bool same, struct diag *d)
{
	struct tally_series *at = &t->at;

	at->open = true;
	at->before = at->after = at->plus = at->minus = at->zero = false;
	at->n_values = at->up = at->down = 0;
	at->up_most = INT_MIN;
	at->down_least = INT_MAX;
	at->freq = r->freq;
	if (same)
		return GLANE_OK;
	at->freqs_before = at->freqs_after = 0;
	at->rows_before = 0;
	at->slice = step->slice;
	set_text(&at->dataset, r->dataset);
	set_text(&at->indicator, r->indicator);
	set_text(&at->area, r->area_code);
	set_text(&at->dims, r->dims);
	if (!strbuf_ok(&at->dataset) || !strbuf_ok(&at->indicator) || !strbuf_ok(&at->area) || !strbuf_ok(&at->dims))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the gate", t->in->source);
	return GLANE_OK;
}

static glane_rc turn_to(struct tallies *t, const struct merge_step *step, const struct row *r, struct diag *d)
{
	struct tally_series *at = &t->at;
	bool same;
	glane_rc rc;

	if (at->open && step->series && step->series == at->handle)
		return GLANE_OK;
	same = at->open && is_same_but_freq(at, step, r);
	if (step->series)
		at->handle = step->series;
	if (same && at->freq == r->freq)
		return GLANE_OK;
	rc = end_series(t, !same, d);
	if (rc == GLANE_OK)
		rc = begin_series(t, step, r, same, d);
	at->handle = step->series;
	return rc;
}

glane_rc tallies_add(struct tallies *t, const struct merge_step *step, struct diag *d)
{
	const struct row *r = step->old ? step->old : step->fresh;
	const bool before = step->old && !row_withdrawn(step->old);
	const bool after = step->outcome == KEEP ? before : step->outcome != NOTHING && step->outcome != WITHDRAWN;
	const bool covered = cover_includes(cover_of(t, step->slice), r);
	glane_rc rc = turn_to(t, step, r, d);

	t->at.before |= before && covered;
	t->at.after |= after && covered;
	if (rc < 0 || t->for_codes)
		return rc;
	if (covered)
		add_covered(&t->slices[step->slice], before, after);
	if (before)
		add_before(t, step->old);
	if (step->old)
		add_magnitude(&t->at, step->old);
	if (after)
		rc = add_after(t, step, d);
	if (rc == GLANE_OK && step->outcome != KEEP)
		rc = add_outcome(t, step, d);
	return rc;
}

glane_rc tallies_end(struct tallies *t, struct diag *d)
{
	glane_rc rc = end_series(t, true, d);

	t->at.open = false;
	return rc == GLANE_OK && t->for_codes ? tally_compare_codes(t, d) : rc;
}

bool tallies_again(struct tallies *t)
{
	for (size_t i = 0; i <= t->in->batch->n_covers && t->in->previous && !t->in->gate.accept; i++)
		t->for_codes |= t->slices[i].lost_series || t->slices[i].gained_series;
	return t->for_codes;
}
