/* SPDX-License-Identifier: MIT */
#include "model/batch_csv.h"
#include "model/cell.h"
#include "model/decimal.h"
#include "model/period.h"
#include <string.h>

#define MOMENT 20                                 /* 2026-07-15T03:00:00Z */
#define EXACT_IN_DOUBLE INT64_C(1000000000000000) /* from here on value_text may be needed: see batch_row() */
#define DAY_AT 8                                  /* in a row without texts: the comma before period_start */
#define DAY 12                                    /* ",2026-07-15," */
#define TAIL ((size_t)2 * MOMENT + 2)
#define PLACES_MAX 18
#define NUMBER_MAX 40 /* value and decimals with their commas */

static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
	"4950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495969798"
	"99";

void batch_csv_init(struct batch_csv *w, struct slice source, int64_t now)
{
	memset(w, 0, sizeof(*w));
	w->source = source;
	w->now = now;
	for (size_t i = 0; i < BATCH_CSV_SERIES; i++)
		strbuf_init(&w->series[i].text, 0);
	strbuf_init(&w->tail, 0);
	strbuf_init(&w->scratch, 0);
}

void batch_csv_release(struct batch_csv *w)
{
	for (size_t i = 0; i < BATCH_CSV_SERIES; i++)
		strbuf_release(&w->series[i].text);
	strbuf_release(&w->tail);
	strbuf_release(&w->scratch);
}

static void put_cell(struct strbuf *b, struct slice s)
{
	char *start = strbuf_room(b, CELL_MAX(s.n) + 1), *to = start;

	if (!to)
		return;
	to = cell_put(to, s);
	*to++ = ',';
	*to = '\0';
	b->n += (size_t)(to - start);
}

/* What follows is apart from the ways that are taken for each row: these have large variables, and are seldom needed. */

static bool __attribute__((noinline)) tail_make(struct batch_csv *w)
{
	const struct row r = {.decimals = -1, .recorded_at = w->now, .known_at = w->now};

	strbuf_reset(&w->scratch);
	row_csv(&w->scratch, &r, ROW_COLUMNS);
	if (strbuf_ok(&w->scratch))
		strbuf_add(&w->tail, w->scratch.p + w->scratch.n - TAIL, TAIL);
	return strbuf_ok(&w->tail) && w->tail.n;
}

static bool __attribute__((noinline))
series_make(const struct batch_csv *w, struct batch_csv_series *c, const struct series *s)
{
	const struct slice texts[] = {w->source, s->dataset, s->indicator, s->area, s->area_code, s->dims};

	strbuf_reset(&c->text);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		put_cell(&c->text, texts[i]);
	strbuf_putc(&c->text, s->freq);
	strbuf_putc(&c->text, ',');
	c->n_head = c->text.n;
	put_cell(&c->text, s->unit);
	strbuf_int(&c->text, s->unit_mult);
	strbuf_putc(&c->text, ',');
	c->serial = strbuf_ok(&c->text) ? s->serial : 0;
	return c->serial != 0;
}

/* A text that does not fit is left to the caller (n = 0). False: no memory. */
static bool __attribute__((noinline))
period_make(struct batch_csv *w, struct batch_csv_period *p, char freq, int32_t period)
{
	struct row r = {.freq = freq, .decimals = -1, .period_start = period_start(freq, period)};
	size_t n;

	*p = (struct batch_csv_period){.period = period, .freq = freq};
	strbuf_reset(&w->scratch);
	period_print(&w->scratch, freq, period);
	n = w->scratch.n;
	row_csv(&w->scratch, &r, ROW_COLUMNS); /* ",,,,,,A,,2026-07-15,..." */
	if (!strbuf_ok(&w->scratch))
		return false;
	if (n + DAY > sizeof(p->text))
		return true;
	memcpy(p->text, w->scratch.p, n);
	memcpy(p->text + n, w->scratch.p + n + DAY_AT, DAY);
	p->n = (uint8_t)(n + DAY);
	return true;
}

/* "-0.05" for -5 * 10^-2; 0 <= places <= PLACES_MAX, |coef| < 10^18. */
static char *put_number(char *to, int64_t coef, unsigned places)
{
	uint64_t u = coef < 0 ? 0 - (uint64_t)coef : (uint64_t)coef;
	char digits[24], *at = digits + sizeof(digits);
	size_t n;

	while (u >= 100) {
		at -= 2;
		memcpy(at, &digit_pairs[u % 100 * 2], 2);
		u /= 100;
	}
	if (u >= 10) {
		at -= 2;
		memcpy(at, &digit_pairs[u * 2], 2);
	} else {
		*--at = (char)('0' + u);
	}
	if (coef < 0)
		*to++ = '-';
	n = (size_t)(digits + sizeof(digits) - at);
	for (; n <= places; n++)
		*--at = '0';
	memcpy(to, at, n - places);
	to += n - places;
	if (places) {
		*to++ = '.';
		memcpy(to, digits + sizeof(digits) - places, places);
		to += places;
	}
	return to;
}

static void __attribute__((noinline))
slowly(struct batch_csv *w, const struct batch *b, const struct batch_obs *o, struct strbuf *out)
{
	struct row r;

	batch_row(b, o, &w->scratch, &r);
	r.source = w->source;
	r.recorded_at = r.known_at = w->now;
	if (strbuf_ok(&w->scratch))
		row_csv(out, &r, ROW_COLUMNS);
	else
		out->failed = true;
}

/* Numbers whose value_text is empty whatever they are, without a note that says anything about the number. */
static bool is_usual(const struct batch_obs *o, const struct note *n)
{
	return o->period >= 0 && o->status &&
	       (o->exp10 == DECIMAL_NONE || (o->exp10 <= 0 && o->exp10 >= -PLACES_MAX)) && o->coef < EXACT_IN_DOUBLE &&
	       o->coef > -EXACT_IN_DOUBLE && !n->value_text.n && !n->has_unit_mult;
}

static char *put_bytes(char *to, const char *from, size_t n)
{
	memcpy(to, from, n);
	return to + n;
}

/* The cells from status to note. */
static char *put_attributes(char *to, const struct batch_obs *o, const struct note *n)
{
	if (o->exp10 != DECIMAL_NONE) {
		if (o->exp10 <= -10)
			*to++ = '1';
		*to++ = (char)('0' + -o->exp10 % 10);
	}
	*to++ = ',';
	*to++ = o->status;
	*to++ = ',';
	if (n->flags.n)
		to = cell_put(to, n->flags);
	*to++ = ',';
	if (n->note.n)
		to = cell_put(to, n->note);
	*to++ = ',';
	return to;
}

static void put_line(struct batch_csv *w, const struct batch_csv_series *c, const struct batch_csv_period *p,
	const struct batch_obs *o, const struct note *n, struct strbuf *out)
{
	char *start = strbuf_room(
		out, c->text.n + sizeof(p->text) + NUMBER_MAX + CELL_MAX(n->flags.n) + CELL_MAX(n->note.n) + TAIL + 8);
	char *to = start;

	if (!to)
		return;
	to = put_bytes(to, c->text.p, c->n_head);
	memcpy(to, p->text, sizeof(p->text));
	to += p->n;
	if (o->exp10 != DECIMAL_NONE)
		to = put_number(to, o->coef, (unsigned)-o->exp10);
	*to++ = ',';
	*to++ = ',';
	to = put_bytes(to, c->text.p + c->n_head, c->text.n - c->n_head);
	to = put_attributes(to, o, n);
	memcpy(to, w->tail.p, TAIL);
	to += TAIL;
	*to = '\0';
	out->n += (size_t)(to - start);
}

void batch_csv(struct batch_csv *w, const struct batch *b, const struct batch_obs *o, struct strbuf *out)
{
	static const struct note none;
	const struct note *n = o->note ? &b->notes[o->note - 1] : &none;
	const struct series *s = &b->series[o->series];
	struct batch_csv_series *c = &w->series[o->series % BATCH_CSV_SERIES];
	struct batch_csv_period *p =
		&w->periods[((uint32_t)o->period * 7 + (unsigned char)s->freq) % BATCH_CSV_PERIODS];

	if (!is_usual(o, n)) {
		slowly(w, b, o, out);
		return;
	}
	if ((c->serial != s->serial && !series_make(w, c, s)) || (!w->tail.n && !tail_make(w)) ||
		((!p->n || p->period != o->period || p->freq != s->freq) && !period_make(w, p, s->freq, o->period))) {
		out->failed = true;
		return;
	}
	if (p->n)
		put_line(w, c, p, o, n, out);
	else
		slowly(w, b, o, out);
}
