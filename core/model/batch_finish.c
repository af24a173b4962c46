/* SPDX-License-Identifier: MIT */
/* The end of a batch: covers and series ranked, the spool mapped and sorted in place, duplicates and failed slices dropped. */
#include "model/batch.h"

#include "base/file.h"
#include "model/decimal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static glane_rc out_of_memory(struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "no memory to sort the run's observations");
}

/* ---- covers ---- */

static int by_slice(const void *a, const void *b)
{
	const struct cover *x = a, *y = b;
	const int order = slice_cmp(x->dataset, y->dataset);

	return order ? order : slice_cmp(x->indicator, y->indicator);
}

static unsigned strength(const struct cover *c)
{
	static const unsigned of[] = {0, 2, 1, 3}; /* none, full, range, failed */

	return of[c->kind & 3];
}

/* Joins `c` into `kept`, a cover of the same slice. */
static void join(struct cover *kept, const struct cover *c)
{
	if (kept->kind == GLANE_COVER_RANGE && c->kind == GLANE_COVER_RANGE && c->from <= kept->to + 1 && kept->from <= c->to + 1) {
		kept->from = c->from < kept->from ? c->from : kept->from;
		kept->to = c->to > kept->to ? c->to : kept->to;
	} else if (strength(c) >= strength(kept)) {
		*kept = *c;
	}
}

static void covers_rank(struct batch *b)
{
	size_t n = 0;

	if (b->n_covers == 0)
		return;
	qsort(b->covers, b->n_covers, sizeof(*b->covers), by_slice);
	for (size_t i = 1; i < b->n_covers; i++) {
		if (by_slice(&b->covers[n], &b->covers[i]) == 0)
			join(&b->covers[n], &b->covers[i]);
		else
			b->covers[++n] = b->covers[i];
	}
	b->n_covers = n + 1;
}

/* ---- series ---- */

static int by_key(const struct series *x, const struct series *y)
{
	int order = slice_cmp(x->dataset, y->dataset);

	if (!order)
		order = slice_cmp(x->indicator, y->indicator);
	if (!order)
		order = slice_cmp(x->area_code, y->area_code);
	if (!order)
		order = slice_cmp(x->dims, y->dims);
	return order ? order : (x->freq > y->freq) - (x->freq < y->freq);
}

static int by_key_at(const void *a, const void *b)
{
	const struct series *const *x = a, *const *y = b;

	return by_key(*x, *y);
}

static glane_rc series_rank(struct batch *b, struct diag *d)
{
	struct series **order = mem_zalloc(b->n_series + 1, sizeof(struct series *));
	uint32_t rank = 0;

	if (!order)
		return out_of_memory(d);
	for (size_t i = 0; i < b->n_series; i++)
		order[i] = &b->series[i];
	if (b->n_series)
		qsort(order, b->n_series, sizeof(struct series *), by_key_at);
	for (size_t i = 0; i < b->n_series; i++) {
		const struct cover *c = batch_cover_of(b, order[i]->dataset, order[i]->indicator);

		rank += i > 0 && by_key(order[i - 1], order[i]) != 0;
		order[i]->rank = rank;
		order[i]->slice = c ? (uint32_t)(c - b->covers) + 1 : 0;
	}
	mem_free(order);
	return GLANE_OK;
}

/* ---- observations ---- */

static int by_order(const struct batch *b, const struct batch_obs *x, const struct batch_obs *y)
{
	const uint32_t p = b->series[x->series].rank, q = b->series[y->series].rank;
	int order = (p > q) - (p < q);

	if (!order && x->period < 0 && y->period < 0)
		order = slice_cmp(b->periods[-1 - (int64_t)x->period], b->periods[-1 - (int64_t)y->period]);
	else if (!order)
		order = (x->period > y->period) - (x->period < y->period);
	return order;
}

static int by_order_and_arrival(const struct batch *b, const struct batch_obs *x, const struct batch_obs *y)
{
	const int order = by_order(b, x, y);

	return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

static void sift(const struct batch *b, size_t root, size_t n)
{
	struct batch_obs *o = b->obs;

	for (size_t child; (child = 2 * root + 1) < n; root = child) {
		struct batch_obs t = o[root];

		if (child + 1 < n && by_order_and_arrival(b, &o[child], &o[child + 1]) < 0)
			child++;
		if (by_order_and_arrival(b, &t, &o[child]) >= 0)
			return;
		o[root] = o[child];
		o[child] = t;
	}
}

static bool in_order(const struct batch *b)
{
	for (size_t i = 1; i < b->n_obs; i++)
		if (by_order_and_arrival(b, &b->obs[i - 1], &b->obs[i]) > 0)
			return false;
	return true;
}

/* In place, so that memory stays the mapped spool's. */
static void sort(struct batch *b)
{
	if (in_order(b))
		return;
	for (size_t i = b->n_obs / 2; i > 0; i--)
		sift(b, i - 1, b->n_obs);
	for (size_t n = b->n_obs; n > 1; n--) {
		struct batch_obs t = b->obs[0];

		b->obs[0] = b->obs[n - 1];
		b->obs[n - 1] = t;
		sift(b, 0, n - 1);
	}
}

static glane_rc map_spool(struct batch *b, struct diag *d)
{
	void *p;
	glane_rc rc = fd_write(b->fd, b->pending.p ? b->pending.p : "", b->pending.n, d);

	if (rc != GLANE_OK)
		return rc;
	strbuf_reset(&b->pending);
	if (b->n_obs == 0)
		return GLANE_OK;
	b->mapped = b->n_obs * sizeof(*b->obs);
	p = mmap(NULL, b->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	if (p == MAP_FAILED)
		return fail(d, GLANE_E_IO, "cannot map the run's observations: %s", strerror(errno));
	b->obs = p;
	return GLANE_OK;
}

static bool failed_slice(const struct batch *b, const struct batch_obs *o)
{
	const uint32_t slice = b->series[o->series].slice;

	return slice && b->covers[slice - 1].kind == GLANE_COVER_FAILED;
}

typedef void on_conflict(void *arg, const struct row *kept, const struct row *dropped);

struct sieve {
	struct strbuf one, two;
	on_conflict *conflict;
	void *arg;
};

/* True where o has the key of the last kept observation: counted, and reported where it says something else. */
static bool is_duplicate(struct batch *b, struct sieve *s, const struct batch_obs *last, const struct batch_obs *o)
{
	struct row kept, dropped;

	if (!last || by_order(b, last, o) != 0)
		return false;
	batch_row(b, last, &s->one, &kept);
	batch_row(b, o, &s->two, &dropped);
	if (row_same_value(&kept, &dropped) && row_same_attributes(&kept, &dropped)) {
		b->duplicates++;
		return true;
	}
	b->conflicts++;
	if (s->conflict)
		s->conflict(s->arg, &kept, &dropped);
	return true;
}

static void sift_out(struct batch *b, struct sieve *s)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_obs; i++) {
		const struct batch_obs o = b->obs[i];
		const uint32_t slice = b->series[o.series].slice;

		if (failed_slice(b, &o) || is_duplicate(b, s, n ? &b->obs[n - 1] : NULL, &o))
			continue;
		if (slice)
			b->covers[slice - 1].rows++;
		b->obs[n++] = o;
	}
	b->n_obs = n;
}

glane_rc batch_finish(struct batch *b, on_conflict *conflict, void *arg, struct diag *d)
{
	struct sieve s = {.conflict = conflict, .arg = arg};
	glane_rc rc;

	covers_rank(b);
	rc = series_rank(b, d);
	if (rc == GLANE_OK)
		rc = map_spool(b, d);
	if (rc != GLANE_OK)
		return rc;
	strbuf_init(&s.one, 0);
	strbuf_init(&s.two, 0);
	sort(b);
	sift_out(b, &s);
	strbuf_release(&s.one);
	strbuf_release(&s.two);
	return GLANE_OK;
}
