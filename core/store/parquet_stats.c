/* SPDX-License-Identifier: MIT */
/* Bounds: of pages, chunks and the file ("Statistics", "ColumnOrder" and "ColumnIndex" of parquet.thrift). */
#include "store/parquet_writer.h"

#include <math.h>

/* Bytes of the longest prefix of at most max bytes that ends at a character. */
static size_t prefix(struct slice s, size_t max)
{
	size_t n = s.n;

	if (n <= max)
		return n;
	for (n = max; n && ((unsigned char)s.p[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

void bound_low(struct bound *b, struct slice s, size_t max)
{
	b->n = prefix(s, max < FILE_BOUND ? max : FILE_BOUND);
	if (b->n)
		memcpy(b->text, s.p, b->n);
	b->exact = b->n == s.n;
	b->known = true;
}

/* The code point of the well-formed character of n bytes. */
static uint32_t decode(const char *p, size_t n)
{
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = (unsigned char)p[0] & first[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	return c;
}

static size_t encode(char *to, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char head[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(head[n] | c);
	return n;
}

/* Raises the last character that can be raised, and drops what follows it: the smallest text above all that begin so. */
static bool raise(struct bound *b)
{
	while (b->n) {
		size_t at = b->n - 1;
		uint32_t c;

		while (at && ((unsigned char)b->text[at] & 0xc0) == 0x80)
			at--;
		c = decode(b->text + at, b->n - at);
		b->n = at;
		if (c < 0x10ffff) {
			b->n += encode(b->text + at, c == 0xd7ff ? 0xe000 : c + 1);
			return true;
		}
	}
	return false;
}

void bound_high(struct bound *b, struct slice s, size_t max)
{
	bound_low(b, s, max);
	if (!b->exact)
		b->known = raise(b);
}

/* Without NaN, which no order holds. */
static void range_of_doubles(struct range *r, const int64_t *v, size_t n)
{
	double low = HUGE_VAL, high = -HUGE_VAL;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		double f;

		memcpy(&f, &v[i], sizeof(f));
		any = any || !isnan(f);
		low = f < low ? f : low;
		high = f > high ? f : high;
	}
	r->is_nan = !any;
	r->low_f64 = low;
	r->high_f64 = high;
}

void range_of_nums(struct range *r, enum pq_type type, const int64_t *v, size_t n)
{
	*r = (struct range){.known = n > 0};
	if (n == 0)
		return;
	if (type == PQ_DOUBLE) {
		range_of_doubles(r, v, n);
		return;
	}
	r->low = r->high = v[0];
	for (size_t i = 1; i < n; i++) {
		r->low = v[i] < r->low ? v[i] : r->low;
		r->high = v[i] > r->high ? v[i] : r->high;
	}
}

void range_merge(struct range *r, const struct range *other, enum pq_type type)
{
	if (!other->known || other->is_nan) {
		if (!r->known && other->known)
			*r = *other;
		return;
	}
	if (!r->known || r->is_nan) {
		*r = *other;
		return;
	}
	if (type == PQ_BYTE_ARRAY) {
		if (pq_text_cmp(other->low_text, r->low_text) < 0)
			r->low_text = other->low_text;
		if (pq_text_cmp(other->high_text, r->high_text) > 0)
			r->high_text = other->high_text;
		return;
	}
	r->low = other->low < r->low ? other->low : r->low;
	r->high = other->high > r->high ? other->high : r->high;
	r->low_f64 = other->low_f64 < r->low_f64 ? other->low_f64 : r->low_f64;
	r->high_f64 = other->high_f64 > r->high_f64 ? other->high_f64 : r->high_f64;
}

static void bound_num(struct bound *b, enum pq_type type, int64_t v, double f)
{
	b->n = type == PQ_BOOLEAN ? 1 : pq_width(type);
	if (type == PQ_DOUBLE)
		memcpy(b->text, &f, sizeof(f));
	else
		memcpy(b->text, &v, b->n); /* the low bytes come first */
	b->exact = b->known = true;
}

/* "If the min is +0, the row group may contain -0 values as well": zeroes are widened to both. */
static double low_zero(double f)
{
	return f == 0.0 ? -0.0 : f;
}

static double high_zero(double f)
{
	return f == 0.0 ? 0.0 : f;
}

void range_bounds(const struct range *r, enum pq_type type, struct bound *ret_low, struct bound *ret_high)
{
	ret_low->known = ret_high->known = false;
	ret_low->n = ret_high->n = 0;
	if (!r->known || r->is_nan)
		return;
	if (type == PQ_BYTE_ARRAY) {
		bound_low(ret_low, r->low_text, FILE_BOUND);
		bound_high(ret_high, r->high_text, FILE_BOUND);
	} else {
		bound_num(ret_low, type, r->low, low_zero(r->low_f64));
		bound_num(ret_high, type, r->high, high_zero(r->high_f64));
	}
}

static struct slice bound_text(const struct bound *b)
{
	return (struct slice){b->text, b->n};
}

/* What is lower of two cut bounds is the cut of what is lower; where they are equal, an exact one is the truth. */
static void sum_text(struct column_sum *s, const struct range *r, size_t max)
{
	struct bound low, high;
	int c;

	bound_low(&low, r->low_text, max);
	bound_high(&high, r->high_text, max);
	if (!high.known)
		s->no_bounds = true;
	if (!s->has_values) {
		s->low = low;
		s->high = high;
		return;
	}
	c = pq_text_cmp(bound_text(&low), bound_text(&s->low));
	if (c < 0 || (c == 0 && low.exact))
		s->low = low;
	c = pq_text_cmp(bound_text(&high), bound_text(&s->high));
	if (c > 0 || (c == 0 && high.exact))
		s->high = high;
}

static void sum_nums(struct parquet_stats *st, const struct range *r, bool is_first)
{
	double low = low_zero(r->low_f64), high = high_zero(r->high_f64);

	st->min_exact = st->max_exact = true;
	st->min_int = is_first || r->low < st->min_int ? r->low : st->min_int;
	st->max_int = is_first || r->high > st->max_int ? r->high : st->max_int;
	st->min_f64 = is_first || low < st->min_f64 ? low : st->min_f64;
	st->max_f64 = is_first || high > st->max_f64 ? high : st->max_f64;
}

void sum_add(struct parquet_writer *w, const struct leaf *l, const struct range *r, int64_t nulls)
{
	size_t i = (size_t)(l->column - w->column);
	struct column_sum *s = &w->sum[i];
	struct parquet_stats *st = &w->stats[i];

	if (l->part == LEAF_VALUE) {
		st->has_nulls = true;
		st->nulls += (uint64_t)nulls;
	}
	if (l->part != LEAF_VALUE || !r->known)
		return;
	if (r->is_nan) { /* bounds without NaN say nothing of these */
		return;
	}
	if (l->type == PQ_BYTE_ARRAY)
		sum_text(s, r, w->o.text_bound);
	else
		sum_nums(st, r, !s->has_values);
	s->has_values = true;
	st->has_bounds = !s->no_bounds;
	if (l->type == PQ_BYTE_ARRAY) {
		st->min_text = bound_text(&s->low);
		st->max_text = bound_text(&s->high);
		st->min_exact = s->low.exact;
		st->max_exact = s->high.exact;
	}
}
