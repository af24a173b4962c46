/* SPDX-License-Identifier: MIT */
/* Sorts observations: one counting pass by series, then each series' rows by period, most of which come in order. */
#include "model/batch_sort.h"
#include "base/mem.h"
#include "model/period.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FEW 16 /* rows that insertion sorts faster than merging does */
#define TEXT_MAX 64

/* Whole pages of a shared mapping: what they hold stays in the file. */
void spool_drop(struct batch_obs *v, size_t n)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t from = ((uintptr_t)v + page - 1) / page * page, to = (uintptr_t)(v + n) / page * page;

	if (from < to)
		(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

static glane_rc no_memory(struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "no memory to sort the run's observations; raise the source's memory");
}

static int by_text(const void *a, const void *b)
{
	const struct slice *const *x = a, *const *y = b;

	return slice_cmp(**x, **y);
}

static bool rank_periods(struct sorter *s)
{
	const struct batch *b = s->b;
	const struct slice **order = mem_zalloc(b->n_periods, sizeof(struct slice *));
	uint32_t rank = 0;

	if (!order)
		return false;
	for (size_t i = 0; i < b->n_periods; i++)
		order[i] = &b->periods[i];
	qsort(order, b->n_periods, sizeof(struct slice *), by_text);
	for (size_t i = 0; i < b->n_periods; i++) {
		rank += i > 0 && !slice_eq(*order[i - 1], *order[i]);
		s->period_rank[order[i] - b->periods] = rank;
	}
	mem_free(order);
	return true;
}

glane_rc sorter_init(struct sorter *s, const struct batch *b, struct diag *d)
{
	*s = (struct sorter){.b = b};
	strbuf_init(&s->text, 0);
	s->rank = mem_zalloc(b->n_series + 1, sizeof(*s->rank));
	s->period_rank = mem_zalloc(b->n_periods + 1, sizeof(*s->period_rank));
	if (!s->rank || !s->period_rank || !strbuf_room(&s->text, TEXT_MAX) || (b->n_periods && !rank_periods(s))) {
		sorter_release(s);
		return no_memory(d);
	}
	for (size_t i = 0; i < b->n_series; i++)
		s->rank[i] = b->series[i].rank;
	return GLANE_OK;
}

void sorter_release(struct sorter *s)
{
	mem_free(s->rank);
	mem_free(s->period_rank);
	strbuf_release(&s->text);
	*s = (struct sorter){.rank = NULL};
}

/* An integer period against an entry of the table: both by their text. */
static int cmp_mixed(struct sorter *s, const struct batch_obs *number, const struct batch_obs *entry)
{
	strbuf_reset(&s->text);
	period_print(&s->text, s->b->series[number->series].freq, number->period);
	return slice_cmp(strbuf_get(&s->text), s->b->periods[-1 - (int64_t)entry->period]);
}

/* Within one frequency the order of the integers is the bytewise order of their texts. */
static int cmp_period(struct sorter *s, const struct batch_obs *x, const struct batch_obs *y)
{
	uint32_t p, q;

	if (x->period >= 0 && y->period >= 0)
		return (x->period > y->period) - (x->period < y->period);
	if (x->period >= 0)
		return cmp_mixed(s, x, y);
	if (y->period >= 0)
		return -cmp_mixed(s, y, x);
	p = s->period_rank[-1 - (int64_t)x->period];
	q = s->period_rank[-1 - (int64_t)y->period];
	return (p > q) - (p < q);
}

int sorter_cmp(struct sorter *s, const struct batch_obs *x, const struct batch_obs *y)
{
	uint32_t p = s->rank[x->series], q = s->rank[y->series];

	if (p != q)
		return p < q ? -1 : 1;
	return cmp_period(s, x, y);
}

static void sort_few(struct sorter *s, struct batch_obs *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct batch_obs o = v[i];
		size_t k = i;

		for (; k > 0 && cmp_period(s, &v[k - 1], &o) > 0; k--)
			v[k] = v[k - 1];
		v[k] = o;
	}
}

/* Stable merge sort of the rows of one key but for the period; halves that are in order are left alone. */
static void sort_rows(struct sorter *s, struct batch_obs *v, struct batch_obs *tmp, size_t n)
{
	size_t half = n / 2, a = 0, b = half, to = 0;

	if (n <= FEW) {
		sort_few(s, v, n);
		return;
	}
	sort_rows(s, v, tmp, half);
	sort_rows(s, v + half, tmp, n - half);
	if (cmp_period(s, &v[half - 1], &v[half]) <= 0)
		return;
	memcpy(tmp, v, half * sizeof(*v));
	while (a < half && b < n)
		v[to++] = cmp_period(s, &v[b], &tmp[a]) < 0 ? v[b++] : tmp[a++];
	memcpy(v + to, tmp + a, (half - a) * sizeof(*v));
}

glane_rc sorter_run(struct sorter *s, struct batch_obs *from, struct batch_obs *to, size_t n, struct diag *d)
{
	size_t n_ranks = s->b->n_series, start = 0;
	size_t *end = mem_zalloc(n_ranks + 1, sizeof(*end));

	if (!end)
		return no_memory(d);
	for (size_t i = 0; i < n; i++) {
		end[s->rank[from[i].series] + 1]++;
		spool_passed(from, i);
	}
	for (size_t r = 0; r < n_ranks; r++)
		end[r + 1] += end[r];
	/* end[r] is now where rank r starts, and where it ends once its rows are placed */
	for (size_t i = 0; i < n; i++) {
		to[end[s->rank[from[i].series]]++] = from[i];
		spool_passed(from, i);
	}
	for (size_t r = 0; r < n_ranks; r++) {
		sort_rows(s, to + start, from, end[r] - start);
		start = end[r];
	}
	mem_free(end);
	return GLANE_OK;
}
