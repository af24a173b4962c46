/* SPDX-License-Identifier: MIT */
/* Which files, row groups and rows can pass tests: what statistics rule out is not read. */
#include "base/clock.h"
#include "base/json.h"
#include "store/record.h"
#include <inttypes.h>
#include <string.h>

#define DAY INT64_C(86400)

static bool may_text(const struct record_test *t, struct slice min, struct slice max)
{
	return !t->may_fit || t->may_fit(t->arg, min, max);
}

static bool may_number(const struct record_test *t, int64_t min, int64_t max)
{
	return max >= t->min && min <= t->max;
}

/* ---- files, by their adds ---- */

/* The day of an add's bound, "2023-12-31". */
static bool day_of(const json_t *j, int64_t *ret)
{
	int64_t at;

	if (!json_is_string(j) || !time_parse(slice_of(json_string_value(j)), &at))
		return false;
	*ret = (at - (((at % DAY) + DAY) % DAY)) / DAY;
	return true;
}

static bool may_add(const struct record_test *t, const json_t *min, const json_t *max)
{
	int64_t low, high;

	if (!t->fits)
		return !day_of(min, &low) || !day_of(max, &high) || may_number(t, low, high);
	if (!json_is_string(min) || !json_is_string(max))
		return true;
	return may_text(t, (struct slice){json_string_value(min), json_string_length(min)},
		(struct slice){json_string_value(max), json_string_length(max)});
}

bool record_file_may(int table, const struct delta_file *f, const struct record_tests *tests)
{
	json_t *stats = tests->n && f->stats.p ? json_parse(f->stats, JSON_ALLOW_NUL, "", NULL) : NULL;
	const json_t *min = json_object_get(stats, "minValues"), *max = json_object_get(stats, "maxValues");
	bool may = true;

	for (size_t i = 0; i < tests->n && may; i++) {
		const char *name = lake_schemas[table].columns[tests->v[i].column].path;

		may = may_add(&tests->v[i], json_object_get(min, name), json_object_get(max, name));
	}
	json_decref(stats);
	return may;
}

void record_tests_of_key(struct record_tests *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].column != RECORD_AREA)
			t->v[n++] = t->v[i];
	}
	t->n = n;
}

static bool moment_of(const json_t *bounds, int64_t *ret)
{
	return time_parse(slice_of(json_text(bounds, "recorded_at", "")), ret);
}

bool record_file_span(const struct delta_file *f, int64_t *ret_first, int64_t *ret_last)
{
	json_t *stats = f->stats.p ? json_parse(f->stats, JSON_ALLOW_NUL, "", NULL) : NULL;
	bool known = moment_of(json_object_get(stats, "minValues"), ret_first) &&
		     moment_of(json_object_get(stats, "maxValues"), ret_last);

	json_decref(stats);
	return known;
}

/* ---- row groups, by the footer ---- */

static bool may_group(const void *arg, const struct parquet_reader *p, size_t group)
{
	const struct record_tests *tests = arg;
	struct parquet_stats s;

	for (size_t i = 0; i < tests->n; i++) {
		const struct record_test *t = &tests->v[i];

		parquet_reader_stats(p, group, t->column, &s);
		if (s.has_bounds &&
			!(t->fits ? may_text(t, s.min_text, s.max_text) : may_number(t, s.min_int, s.max_int)))
			return false;
	}
	return true;
}

glane_rc record_reader_where(struct record_reader *r, const struct record_tests *tests, struct diag *d)
{
	struct parquet_test v[RECORD_TESTS_MAX];

	if (tests->n == 0)
		return GLANE_OK;
	for (size_t i = 0; i < tests->n; i++) {
		const struct record_test *t = &tests->v[i];

		v[i] = (struct parquet_test){t->column, t->fits, t->arg, t->min, t->max};
	}
	parquet_reader_filter(r->parquet, may_group, tests);
	return parquet_reader_where(r->parquet, v, tests->n, d);
}

/* ---- what the footer says, against the rows ---- */

static bool text_within(const struct parquet_stats *s, struct slice text)
{
	return slice_cmp(s->min_text, text) <= 0 && slice_cmp(text, s->max_text) <= 0;
}

static bool int_within(const struct parquet_stats *s, int64_t v)
{
	return s->min_int <= v && v <= s->max_int;
}

/* The cell of the last row in column i is not outside its row group's bounds. */
static bool cell_within(const struct record_reader *r, size_t i, const struct parquet_stats *s)
{
	const struct parquet_vector *v = &r->v[i];
	size_t at = r->at - 1;

	if (!s->has_bounds || (v->level && v->level[at] == 0))
		return true;
	switch (lake_schemas[r->table].columns[i].type) {
	case PARQUET_TEXT:
		return text_within(s, v->text[at]);
	case PARQUET_DOUBLE:
		return s->min_f64 <= v->f64[at] && v->f64[at] <= s->max_f64;
	case PARQUET_INT64:
	case PARQUET_TIMESTAMP:
		return int_within(s, v->i64[at]);
	case PARQUET_BOOL:
		return true;
	case PARQUET_INT8:
	case PARQUET_INT16:
	case PARQUET_INT32:
	case PARQUET_DATE:
		break;
	}
	return int_within(s, v->i32[at]);
}

const char *record_outside_group(const struct record_reader *r)
{
	size_t group = parquet_reader_group(r->parquet);
	struct parquet_stats s;

	for (size_t i = 0; i < lake_schemas[r->table].n; i++) {
		parquet_reader_stats(r->parquet, group, i, &s);
		if (!cell_within(r, i, &s))
			return lake_schemas[r->table].columns[i].path;
	}
	return NULL;
}
