/* SPDX-License-Identifier: MIT */
/* The end of a batch: covers and series ranked, the spool mapped and sorted, duplicates and failed slices dropped. */
#include "base/file.h"
#include "model/batch.h"
#include "model/batch_sort.h"
#include "model/decimal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef void on_conflict(void *arg, const struct row *kept, const struct row *dropped);

struct sieve {
	struct strbuf one, two;
	on_conflict *conflict;
	void *arg;
};

static glane_rc no_memory(struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "no memory to sort the run's observations; raise the source's memory");
}

static int cmp_slice(const struct cover *x, const struct cover *y)
{
	int order = slice_cmp(x->dataset, y->dataset);

	return order ? order : slice_cmp(x->indicator, y->indicator);
}

/* Covers of one slice in the order in which they were declared. */
static int by_slice(const void *a, const void *b)
{
	const struct cover *const *x = a, *const *y = b;
	int order = cmp_slice(*x, *y);

	return order ? order : (*x > *y) - (*x < *y);
}

static unsigned strength(const struct cover *c)
{
	switch (c->kind) {
	case GLANE_COVER_FAILED:
		return 3;
	case GLANE_COVER_FULL:
		return 2;
	case GLANE_COVER_RANGE:
		return 1;
	default:
		return 0;
	}
}

/* Joins c into kept, an earlier cover of the same slice. */
static void join(struct cover *kept, const struct cover *c)
{
	bool ranges = kept->kind == GLANE_COVER_RANGE && c->kind == GLANE_COVER_RANGE;

	if (ranges && c->from <= kept->to + 1 && kept->from <= c->to + 1) {
		kept->from = c->from < kept->from ? c->from : kept->from;
		kept->to = c->to > kept->to ? c->to : kept->to;
	} else if (strength(c) >= strength(kept)) {
		*kept = *c;
	}
}

/* Sorts the covers and leaves one for each slice. */
static glane_rc rank_covers(struct batch *b, struct diag *d)
{
	const struct cover **order = mem_zalloc(b->n_covers + 1, sizeof(struct cover *));
	struct cover *joined = mem_zalloc(b->n_covers + 1, sizeof(*joined));
	glane_rc rc = GLANE_OK;
	size_t n = 0;

	if (!order || !joined) {
		rc = no_memory(d);
		goto out;
	}
	for (size_t i = 0; i < b->n_covers; i++)
		order[i] = &b->covers[i];
	qsort(order, b->n_covers, sizeof(struct cover *), by_slice);
	for (size_t i = 0; i < b->n_covers; i++) {
		if (n && cmp_slice(&joined[n - 1], order[i]) == 0)
			join(&joined[n - 1], order[i]);
		else
			joined[n++] = *order[i];
	}
	if (n)
		memcpy(b->covers, joined, n * sizeof(*joined));
	b->n_covers = n;
out:
	mem_free(order);
	mem_free(joined);
	return rc;
}

/* Texts that one series took over from the last need no comparison. */
static int cmp_text(struct slice a, struct slice b)
{
	return a.p == b.p && a.n == b.n ? 0 : slice_cmp(a, b);
}

static int cmp_key(const struct series *x, const struct series *y)
{
	int order = cmp_text(x->dataset, y->dataset);

	if (order == 0)
		order = cmp_text(x->indicator, y->indicator);
	if (order == 0)
		order = cmp_text(x->area_code, y->area_code);
	if (order == 0)
		order = cmp_text(x->dims, y->dims);
	return order ? order : (int)(unsigned char)x->freq - (int)(unsigned char)y->freq;
}

static int by_key(const void *a, const void *b)
{
	const struct series *const *x = a, *const *y = b;

	return cmp_key(*x, *y);
}

static glane_rc rank_series(struct batch *b, struct diag *d)
{
	struct series **order = mem_zalloc(b->n_series + 1, sizeof(struct series *));
	uint32_t rank = 0;

	if (!order)
		return no_memory(d);
	for (size_t i = 0; i < b->n_series; i++)
		order[i] = &b->series[i];
	qsort(order, b->n_series, sizeof(struct series *), by_key);
	for (size_t i = 0; i < b->n_series; i++) {
		const struct cover *c = batch_cover_of(b, order[i]->dataset, order[i]->indicator);

		rank += i > 0 && cmp_key(order[i - 1], order[i]) != 0;
		order[i]->rank = rank;
		order[i]->slice = c ? (uint32_t)(c - b->covers) + 1 : 0;
	}
	mem_free(order);
	return GLANE_OK;
}

static struct cover *cover_at(const struct batch *b, const struct batch_obs *o)
{
	uint32_t slice = b->series[o->series].slice;

	return slice ? &b->covers[slice - 1] : NULL;
}

/* Maps the spool, with as much room again behind it where `twice`: all of it on disk, as a write into a hole that finds the
 * disk full would kill the process. */
static glane_rc map_spool(struct batch *b, bool twice, struct diag *d)
{
	size_t size = b->n_obs * sizeof(*b->obs);
	int err = 0;
	void *p;

	if (b->obs)
		(void)munmap(b->obs, b->mapped);
	b->obs = NULL;
	if (twice) {
		do
			err = posix_fallocate(b->fd, (off_t)size, (off_t)size);
		while (err == EINTR);
	}
	if (err)
		return fail(d, GLANE_E_IO,
			"cannot reserve %zu bytes to sort the run's observations: %s; free some disk", size,
			strerror(err));
	b->mapped = twice ? 2 * size : size;
	p = mmap(NULL, b->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	if (p == MAP_FAILED)
		return fail(d, GLANE_E_IO, "cannot map the run's observations: %s", strerror(errno));
	b->obs = p;
	return GLANE_OK;
}

/* One pass over what has arrived: is it in order, and is there nothing to drop? Then the rows of the covers are counted. */
static void survey(struct batch *b, struct sorter *s, bool *ret_ordered, bool *ret_clean)
{
	*ret_ordered = *ret_clean = true;
	for (size_t i = 0; i < b->n_obs && *ret_ordered; i++) {
		struct cover *c = cover_at(b, &b->obs[i]);
		int order = i ? sorter_cmp(s, &b->obs[i - 1], &b->obs[i]) : -1;

		*ret_ordered = order <= 0;
		*ret_clean &= order < 0 && !(c && c->kind == GLANE_COVER_FAILED);
		if (c)
			c->rows++;
	}
	if (*ret_clean || !b->covers)
		return;
	for (size_t i = 0; i < b->n_covers; i++)
		b->covers[i].rows = 0;
}

static bool removes(const struct batch *b, const struct batch_obs *o)
{
	return o->note && b->notes[o->note - 1].remove;
}

static bool is_normal(const struct batch_obs *o)
{
	return o->status == 'A' || (!o->status && o->exp10 != DECIMAL_NONE);
}

static bool same_content(const struct batch *b, const struct batch_obs *x, const struct batch_obs *y, struct sieve *s,
	struct row *kept, struct row *dropped)
{
	batch_row(b, x, &s->one, kept);
	batch_row(b, y, &s->two, dropped);
	return removes(b, x) == removes(b, y) && row_same_value(kept, dropped) && row_same_attributes(kept, dropped);
}

/* o has the key of the kept observation: counted, and where it says something else it takes its place, or is reported. A normal value (A)
 * is preferred to an estimate or a provisional one of the same key, as providers mean it who publish both. */
static void drop(struct batch *b, struct sieve *s, struct batch_obs *kept, const struct batch_obs *o)
{
	const bool is_later = kept->part != o->part;
	struct row one, two;

	if (same_content(b, kept, o, s, &one, &two)) {
		b->duplicates++;
		kept->seq = is_later ? o->seq : kept->seq; /* what was erased in between is there again */
		kept->part = o->part;
		return;
	}
	if (is_later) {
		*kept = *o;
		return;
	}
	if (is_normal(kept) != is_normal(o) && removes(b, kept) == removes(b, o)) {
		*kept = is_normal(o) ? *o : *kept;
		return;
	}
	b->conflicts++;
	if (s->conflict)
		s->conflict(s->arg, &one, &two);
}

/* Moves what stays from `from`, which is in order, to the start of the mapping. */
static glane_rc sift(struct batch *b, struct sorter *order, struct batch_obs *from, struct sieve *s, struct diag *d)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_obs; i++) {
		struct batch_obs o = from[i];
		struct cover *c = cover_at(b, &o);

		if (from != b->obs)
			spool_passed(from, i);
		if (c && c->kind == GLANE_COVER_FAILED)
			continue;
		if (n && sorter_cmp(order, &b->obs[n - 1], &o) == 0) {
			drop(b, s, &b->obs[n - 1], &o);
			if (!strbuf_ok(&s->one) || !strbuf_ok(&s->two))
				return no_memory(d);
			continue;
		}
		if (c)
			c->rows++;
		b->obs[n++] = o;
	}
	b->n_obs = n;
	return GLANE_OK;
}

/* Gives back what lies behind the last observation. */
static glane_rc shrink(struct batch *b, struct diag *d)
{
	size_t size = b->n_obs * sizeof(*b->obs);
	void *p;

	if (size == b->mapped)
		return GLANE_OK;
	if (size == 0) {
		(void)munmap(b->obs, b->mapped);
		b->obs = NULL;
	} else {
		p = mremap(b->obs, b->mapped, size, 0);
		if (p == MAP_FAILED)
			return fail(d, GLANE_E_IO, "cannot map the run's observations: %s", strerror(errno));
	}
	b->mapped = size;
	if (ftruncate(b->fd, (off_t)size) < 0)
		return fail(d, GLANE_E_IO, "cannot cut the spool of the run's observations: %s", strerror(errno));
	return GLANE_OK;
}

/* Sorts into the second half of a mapping of twice the size, and sifts back to its start. */
static glane_rc sort_and_sift(struct batch *b, struct sorter *order, struct sieve *s, struct diag *d)
{
	glane_rc rc = map_spool(b, true, d);

	if (rc < 0 || !b->obs)
		return rc;
	rc = sorter_run(order, b->obs, b->obs + b->n_obs, b->n_obs, d);
	return rc < 0 ? rc : sift(b, order, b->obs + b->n_obs, s, d);
}

static glane_rc order_and_sift(struct batch *b, struct sorter *order, struct sieve *s, struct diag *d)
{
	bool ordered, clean;
	glane_rc rc = map_spool(b, false, d);

	if (rc < 0 || !b->obs)
		return rc;
	survey(b, order, &ordered, &clean);
	if (clean)
		return GLANE_OK;
	rc = ordered ? sift(b, order, b->obs, s, d) : sort_and_sift(b, order, s, d);
	return rc < 0 ? rc : shrink(b, d);
}

glane_rc batch_finish(struct batch *b, on_conflict *conflict, void *arg, struct diag *d)
{
	struct sieve s = {.conflict = conflict, .arg = arg};
	struct sorter order;
	glane_rc rc = rank_covers(b, d);

	if (rc == GLANE_OK)
		rc = rank_series(b, d);
	if (rc == GLANE_OK)
		rc = fd_write(b->fd, b->pending.p, b->pending.n, d);
	strbuf_release(&b->pending);
	if (rc < 0 || b->n_obs == 0)
		return rc;
	rc = sorter_init(&order, b, d);
	if (rc < 0)
		return rc;
	strbuf_init(&s.one, 0);
	strbuf_init(&s.two, 0);
	rc = order_and_sift(b, &order, &s, d);
	strbuf_release(&s.one);
	strbuf_release(&s.two);
	sorter_release(&order);
	return rc;
}
