/* SPDX-License-Identifier: MIT */
/* A query's filters as tests of columns, by which files, row groups and rows of a source are passed over. */
#include "store/match_tests.h"
#include <string.h>

static bool list_fits(const void *arg, struct slice text)
{
	return match_list((const char **)(uintptr_t)arg, text);
}

static bool list_may(const void *arg, struct slice min, struct slice max)
{
	for (const char *const *item = arg; *item; item++) {
		if (slice_cmp(slice_of(*item), min) >= 0 && slice_cmp(slice_of(*item), max) <= 0)
			return true;
	}
	return false;
}

static bool group_fits(const void *arg, struct slice area)
{
	return match_groups(arg, area);
}

static bool dims_fit(const void *arg, struct slice dims)
{
	return match_dims(arg, dims);
}

static bool of_source(const struct match_tests *t, const struct catalogue_item *item)
{
	return item->source.n == 0 || slice_eq(item->source, t->source);
}

static bool catalogue_dataset(const void *arg, struct slice dataset)
{
	const struct match_tests *t = arg;

	for (size_t i = 0; i < t->q->n_catalogue; i++) {
		const struct catalogue_item *item = t->q->catalogue[i];

		if (of_source(t, item) && (item->dataset.n == 0 || slice_eq(item->dataset, dataset)))
			return true;
	}
	return false;
}

static bool catalogue_indicator(const void *arg, struct slice indicator)
{
	const struct match_tests *t = arg;

	for (size_t i = 0; i < t->q->n_catalogue; i++) {
		const struct catalogue_item *item = t->q->catalogue[i];

		if (of_source(t, item) && catalogue_fits(&(struct catalogue_item){.indicator = item->indicator},
						  SLICE(""), SLICE(""), indicator, SLICE("")))
			return true;
	}
	return false;
}

/* An item "AB*" asks for everything from "AB" on to its last text that begins so. */
static bool may_item(struct slice wanted, struct slice min, struct slice max)
{
	bool open = wanted.n && wanted.p[wanted.n - 1] == '*';

	if (wanted.n == 0)
		return true;
	wanted.n -= open;
	if (slice_cmp(wanted, max) > 0)
		return false;
	return slice_cmp(wanted, min) >= 0 || (open && min.n >= wanted.n && memcmp(min.p, wanted.p, wanted.n) == 0);
}

static bool catalogue_may(const void *arg, struct slice min, struct slice max)
{
	const struct match_tests *t = arg;

	for (size_t i = 0; i < t->q->n_catalogue; i++) {
		if (of_source(t, t->q->catalogue[i]) && may_item(t->q->catalogue[i]->indicator, min, max))
			return true;
	}
	return false;
}

static void add(struct match_tests *t, struct record_test test)
{
	t->tests.v[t->tests.n++] = test;
}

static void add_list(struct match_tests *t, size_t column, const char **items)
{
	if (items && *items)
		add(t, (struct record_test){.column = column, .fits = list_fits, .may_fit = list_may, .arg = items});
}

void match_tests_init(struct match_tests *t, const struct match *m, struct slice source, int table)
{
	const struct query *q = m->q;

	*t = (struct match_tests){.q = q, .source = source};
	add_list(t, RECORD_DATASET, q->dataset);
	add_list(t, RECORD_INDICATOR, q->indicator);
	if (q->catalogue) {
		add(t, (struct record_test){.column = RECORD_DATASET, .fits = catalogue_dataset, .arg = t});
		add(t, (struct record_test){.column = RECORD_INDICATOR,
			       .fits = catalogue_indicator,
			       .may_fit = catalogue_may,
			       .arg = t});
	}
	add_list(t, RECORD_AREA, q->area);
	if (q->group && *q->group)
		add(t, (struct record_test){.column = RECORD_AREA, .fits = group_fits, .arg = q});
	if (q->dim && *q->dim)
		add(t, (struct record_test){.column = RECORD_DIMS, .fits = dims_fit, .arg = q});
	add_list(t, RECORD_FREQ, q->freq);
	if (table != LAKE_SERIES && (m->from != INT64_MIN || m->to != INT64_MAX))
		add(t, (struct record_test){.column = RECORD_PERIOD_START, .min = m->from, .max = m->to});
}
