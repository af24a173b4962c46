/* SPDX-License-Identifier: MIT */
/* The gate: each rule just does not trip and just trips; first commits, small slices, stamps, what a person accepts. */
#include "model/period.h"
#include "store/gate.h"
#include "store/verdict.h"
#include "store_fixture.h"
#include <string.h>

#define AREAS 20
#define YEARS 10
#define BASE ((size_t)AREAS * YEARS)
#define ROOM 1000
#define FULL GLANE_COVER_FULL
#define NONE GLANE_COVER_NONE
#define RANGE GLANE_COVER_RANGE /* FROM and later years */
#define FROM 2017
#define FROM_ROWS ((size_t)60)

struct item {
	int32_t area, year;
	const char *dims;
	char freq;
	int64_t coef; /* tenths */
	const char *unit;
	int32_t mult;
};
struct edition {
	struct item v[ROOM];
	size_t n;
	const char *updated; /* the provider's stamp, NULL: none */
	int64_t second;      /* of the only row of a second slice, without a stamp; 0: there is none */
};

/* 100.0 to 119.9 in 20 areas over 2010 to 2019, the oldest first. */
static void fill(struct edition *e, size_t n)
{
	e->n = n;
	e->updated = NULL;
	e->second = 0;
	for (size_t i = 0; i < n; i++)
		e->v[i] = (struct item){
			(int32_t)(i % AREAS), (int32_t)(2010 + i / AREAS), "", 'A', 1000 + (int64_t)i, "PT", 0};
}

static void add(struct edition *e, int32_t area, int32_t year, int64_t coef)
{
	assert_true(e->n < ROOM);
	e->v[e->n++] = (struct item){area, year, "", 'A', coef, "PT", 0};
}

static void drop_first(struct edition *e, size_t n)
{
	memmove(e->v, e->v + n, (e->n - n) * sizeof(e->v[0]));
	e->n -= n;
}

static glane_rc put_item(struct batch *b, const struct edition *e, const struct item *it, struct diag *d)
{
	struct batch_obs o = {.period = it->freq == 'Q' ? it->year * 4 : it->year,
		.coef = it->coef,
		.exp10 = -1,
		.payload = 1,
		.status = 'A'};
	struct series s = {.dataset = SLICE("DS"), .indicator = SLICE("I"), .freq = it->freq};
	char area[16];
	glane_rc rc;

	(void)snprintf(area, sizeof(area), "A%02d", (int)it->area);
	s.area_code = s.area = slice_of(area);
	s.dims = slice_of(it->dims);
	s.unit = slice_of(it->unit);
	s.unit_mult = it->mult;
	s.updated = slice_of(e->updated);
	rc = batch_series(b, &s, &o.series, d);
	return rc == GLANE_OK ? batch_push(b, &o, 1, d) : rc;
}

static void put_second(struct batch *b, int64_t coef, struct diag *d)
{
	const struct cover cover = {.kind = FULL, .dataset = SLICE("DS"), .indicator = SLICE("J")};
	const struct series s = {
		.dataset = cover.dataset, .indicator = cover.indicator, .freq = 'A', .area = SLICE("A00")};
	struct batch_obs o = {.period = 2010, .coef = coef, .payload = 1, .status = 'A'};

	assert_int_equal(batch_series(b, &s, &o.series, d), GLANE_OK);
	assert_int_equal(batch_push(b, &o, 1, d), GLANE_OK);
	assert_int_equal(batch_cover(b, &cover, d), GLANE_OK);
}

static void make_batch(struct fixture *f, struct batch *b, const struct edition *e, uint32_t kind)
{
	const struct cover cover = {.kind = kind,
		.dataset = SLICE("DS"),
		.indicator = SLICE("I"),
		.from = kind == RANGE ? period_start('A', FROM) : 0,
		.to = kind == RANGE ? period_start('A', 2100) : 0};
	uint32_t payload;

	assert_int_equal(batch_init(b, f->s.tmp, &f->d), GLANE_OK);
	assert_int_equal(batch_payload(b, SLICE("aa6ff1c2f6f2d8f7a3a4b6b7b8b9c0c1c2c3c4c5c6c7c8c9d0d1d2d3d4d5d6d7"),
				 &payload, &f->d),
		GLANE_OK);
	for (size_t i = 0; i < e->n; i++)
		assert_int_equal(put_item(b, e, &e->v[i], &f->d), GLANE_OK);
	assert_int_equal(batch_cover(b, &cover, &f->d), GLANE_OK);
	if (e->second)
		put_second(b, e->second, &f->d);
	assert_int_equal(batch_finish(b, NULL, NULL, &f->d), GLANE_OK);
}

/* Diff of the edition with the newest commit of in->source; `in` says the rest. */
static void diff_edition(
	struct fixture *f, struct diff_input *in, const struct edition *e, uint32_t kind, struct diff_result *ret)
{
	struct batch b;

	in->batch = &b;
	in->now = T0;
	in->run = "20261123T234435Z";
	in->cause = in->cause ? in->cause : "source";
	make_batch(f, &b, e, kind);
	assert_int_equal(store_commit_number(&f->s, in->source, &in->previous, &f->d), GLANE_OK);
	assert_int_equal(diff_run(&f->s, in, ret, &f->d), GLANE_OK);
	assert_int_equal(ret->n_slices, e->second ? 2 : 1);
	batch_release(&b);
}

static void commit_of_kind(struct fixture *f, const char *source, const struct edition *e, uint32_t kind)
{
	struct diff_input in = {.source = source, .gate = {.accept = true}};
	struct diff_result r;

	diff_edition(f, &in, e, kind, &r);
	assert_int_equal(fixture_commit(&f->s, source, &r, &f->d), GLANE_OK);
	diff_release(&r);
}

static void commit_edition(struct fixture *f, const char *source, const struct edition *e)
{
	commit_of_kind(f, source, e, FULL);
}

/* ---- each rule at its limit ---- */

static void withdraw(struct edition *e, long k)
{
	drop_first(e, (size_t)k);
}

static void replace(struct edition *e, long k)
{
	drop_first(e, (size_t)k);
	for (long i = 0; i < k; i++)
		add(e, (int32_t)(i % AREAS), (int32_t)(2000 + i / AREAS), 1000 + i);
}

static void grow(struct edition *e, long k)
{
	for (long i = 0; i < k; i++)
		add(e, (int32_t)(i % AREAS), (int32_t)(1980 + i / AREAS), 1000 + i);
}

static void revise(struct edition *e, long k)
{
	for (long i = 0; i < k; i++)
		e->v[i].coef++;
}

static void rename_unit(struct edition *e, long k)
{
	for (long i = 0; i < k; i++)
		e->v[i * AREAS].unit = "USD"; /* the first area: its series splits into two of one key */
}

static void multiply(struct edition *e, long k)
{
	for (long i = 0; i < k; i++)
		e->v[i].mult = 3;
}

static void quarterly(struct edition *e, long k)
{
	for (long i = 0; i < k; i++)
		e->v[i * AREAS].freq = 'Q';
}

static void jump(struct edition *e, long k)
{
	e->v[7].coef *= k;
}

static void shrink(struct edition *e, long k)
{
	e->v[7].coef = e->v[7].coef / k;
}

static void tenfold(struct edition *e, long k)
{
	for (long i = 1; i <= k; i++)
		e->v[i].coef *= 10;
}

static void tonight(struct edition *e, long k)
{
	for (long i = 0; i < AREAS; i++)
		add(e, (int32_t)i, 2020, i < k ? 1000000 + i : 1000 + i);
}

static void lose_areas(struct edition *e, long k)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].area >= k)
			e->v[n++] = e->v[i];
	e->n = n;
}

static void gain_areas(struct edition *e, long k)
{
	for (long i = 0; i < k; i++)
		add(e, (int32_t)(AREAS + i), 2015, 1000);
}

/* What an answer of the range shows, with k of its rows gone, k others in their place, k areas gone. */
static void withdraw_in_range(struct edition *e, long k)
{
	drop_first(e, BASE - FROM_ROWS + (size_t)k);
}

static void replace_in_range(struct edition *e, long k)
{
	withdraw_in_range(e, k);
	for (long i = 0; i < k; i++)
		add(e, (int32_t)(AREAS + i), FROM, 1000 + i);
}

static void lose_areas_in_range(struct edition *e, long k)
{
	withdraw_in_range(e, 0);
	lose_areas(e, k);
}

static void lose_newest(struct edition *e, long k)
{
	e->n -= (size_t)k;
}

static void add_year(struct edition *e, long k)
{
	add(e, 3, (int32_t)k, 1000);
}

static void stamp(struct edition *e, long k)
{
	static const char *const days[] = {"2026-11-19", "2026-11-20", "2026-11-21T10:00:00Z", "21 November 2026"};

	e->updated = days[k];
	e->v[5].coef++;
}

static void with_stamp(struct edition *e)
{
	e->updated = "2026-11-20";
}

/* Forecasts. */
static void with_2035(struct edition *e)
{
	add(e, 3, 2035, 1000);
}

/* Three codes of a dimension, one of them of a single row. */
static void with_dims(struct edition *e)
{
	for (size_t i = 0; i < e->n; i++)
		e->v[i].dims = i == 0 ? "K=rare" : i % 2 ? "K=x" : "K=y";
}

/* Growth rates: a value near zero may be anything next. */
static void with_rates(struct edition *e)
{
	for (size_t i = 0; i < e->n; i++)
		e->v[i].coef = i == 7 ? 1 : 500 + (int64_t)i;
}

struct trial {
	const char *name;
	void (*prepare)(struct edition *e);
	void (*change)(struct edition *e, long k);
	long passes, trips;
	const char *rule, *shows; /* rule NULL: neither trips */
	uint32_t cover;
};
static const struct trial trials[] = {
	{"rows", NULL, withdraw, 20, 21, "min_rows_percent",
		"179 live rows where the last commit had 200, below gate.min_rows_percent = 90: A00 2010", FULL},
	{"withdrawn", NULL, replace, 20, 21, "max_withdrawn_percent",
		"21 of 200 live rows withdrawn, above gate.max_withdrawn_percent = 10: A00 2010", FULL},
	{"rows of a range", NULL, withdraw_in_range, 6, 7, "min_rows_percent",
		"53 live rows in the range where the last commit had 60, below gate.min_rows_percent = 90: A00 2017; "
		"gate.max_withdrawn_percent too",
		RANGE},
	{"withdrawn in a range", NULL, replace_in_range, 6, 7, "max_withdrawn_percent",
		"7 of 60 live rows in the range withdrawn, above gate.max_withdrawn_percent = 10: A00 2017", RANGE},
	{"lost areas of a range", NULL, lose_areas_in_range, 1, 2, "max_lost_codes_percent",
		"areas: 2 gone from the range, the last commit had 20, above gate.max_lost_codes_percent = 5: A00",
		RANGE},
	{"growth", NULL, grow, 200, 201, "max_rows_percent",
		"401 live rows where the last commit had 200, above gate.max_rows_percent = 200: A00 1980", FULL},
	{"an increment grows", NULL, grow, 200, 201, NULL, NULL, NONE},
	{"revised", NULL, revise, 50, 51, "max_revised_percent",
		"51 of 200 live rows revised, above gate.max_revised_percent = 25: A00 2010: 100.0 -> 100.1", FULL},
	{"revised by an increment", NULL, revise, 50, 51, "max_revised_percent", "51 of 200", NONE},
	{"unit", NULL, rename_unit, 2, 3, "max_unit_changed_percent",
		"3 of 200 live rows get another unit, above gate.max_unit_changed_percent = 1: "
		"A00 2010: 'PT' -> 'USD'",
		FULL},
	{"multiplier", NULL, multiply, 2, 3, "max_unit_changed_percent",
		"A00 2010: 'PT' -> 'PT', multiplier 10^0 -> 10^3", FULL},
	{"frequency", NULL, quarterly, 9, 10, "max_freq_changed_percent",
		"10 of 200 live rows are of series that go on at another frequency only, above "
		"gate.max_freq_changed_percent = 1: A00",
		FULL},
	{"factor", NULL, jump, 99, 100, "max_factor",
		"gate.max_factor = 100 or more, 1 in all: A07 2010: 100.7 -> 10070.0", FULL},
	{"factor down", NULL, shrink, 90, 100, "max_factor", "A07 2010: 100.7 -> 1.0", FULL},
	{"factor near zero", with_rates, jump, 99, 600, NULL, NULL, FULL},
	{"power of ten", NULL, tenfold, 2, 3, "max_rescaled_percent",
		"3 of 200 live rows revised by a power of ten, above gate.max_rescaled_percent = 1: "
		"A01 2010: 100.1 -> 1001.0",
		FULL},
	{"tonight's values", NULL, tonight, 2, 3, "max_jumped_percent",
		"3 of 20 new values are two orders of magnitude away from all of their series, above "
		"gate.max_jumped_percent = 10: A00 2020",
		NONE},
	{"lost areas", NULL, lose_areas, 1, 2, "max_lost_codes_percent",
		"areas: 2 gone, the last commit had 20, above gate.max_lost_codes_percent = 5: A00", FULL},
	{"lost code", with_dims, withdraw, 0, 1, "max_lost_codes_percent",
		"codes of K: 1 gone, the last commit had 3, above "
		"gate.max_lost_codes_percent = 5: rare",
		FULL},
	{"new areas", NULL, gain_areas, 5, 6, "max_new_codes_percent",
		"areas: 6 new, the last commit had 20, above gate.max_new_codes_percent = 25: A20", FULL},
	{"new areas of an increment", NULL, gain_areas, 5, 6, NULL, NULL, NONE},
	{"newest period", NULL, lose_newest, 19, 20, "max_backward_days",
		"the newest period begins 2018-01-01, that of the last commit 2019-01-01, beyond "
		"gate.max_backward_days = 0: A00 2019",
		FULL},
	{"future", NULL, add_year, 2029, 2030, "max_future_days",
		"a period begins 2030-01-01, beyond gate.max_future_days = 1100 after 2026-11-23: A03 2030", FULL},
	{"further forecasts", with_2035, add_year, 2038, 2039, "max_future_days", "1100 after 2035-01-01: A03 2039",
		NONE},
	{"stamp", with_stamp, stamp, 1, 0, "max_stale_days",
		"the provider stamped this answer 2026-11-19T00:00:00Z, the last one 2026-11-20T00:00:00Z, beyond "
		"gate.max_stale_days = 0",
		FULL},
	{"later stamp, other stamp", with_stamp, stamp, 2, 3, NULL, NULL, FULL},
};

static void judge(struct fixture *f, const struct trial *t, const char *source, long k, bool trips)
{
	struct diff_input in = {.source = source};
	struct edition *e = mem_zalloc(1, sizeof(*e));
	const struct slice_result *p;
	struct diff_result r;

	assert_non_null(e);
	fill(e, BASE);
	if (t->prepare)
		t->prepare(e);
	t->change(e, k);
	gate_defaults(&in.gate);
	diff_edition(f, &in, e, t->cover, &r);
	p = &r.slices[0];
	if (trips) {
		print_message("  %s\n", p->reason ? p->reason : "passes");
		assert_true(p->verdict == (strcmp(t->rule, "max_stale_days") == 0 ? SLICE_FAILED : SLICE_HELD));
		assert_string_equal(p->rule, t->rule);
		assert_non_null(strstr(p->reason, t->shows));
		assert_int_equal(r.events, 0);
	} else {
		assert_null(p->reason);
		assert_null(p->rule);
		assert_int_equal(p->verdict, k ? SLICE_OK : SLICE_UNCHANGED);
	}
	diff_release(&r);
	mem_free(e);
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));

	assert_non_null(e);
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		const struct trial *t = &trials[i];
		char source[16];

		print_message("%s\n", t->name);
		(void)snprintf(source, sizeof(source), "s%zu", i);
		fill(e, BASE);
		if (t->prepare)
			t->prepare(e);
		commit_edition(f, source, e);
		judge(f, t, source, t->passes, false);
		judge(f, t, source, t->trips, t->rule != NULL);
	}
	mem_free(e);
}

/* ---- what a table does not show ---- */

/* The rule that holds an edition back, or NULL. */
static const char *rule_of(struct fixture *f, struct diff_input *in, const struct edition *e)
{
	struct diff_result r;
	const char *rule;

	diff_edition(f, in, e, FULL, &r);
	rule = r.slices[0].rule;
	diff_release(&r);
	return rule;
}

/* Of a first commit only a cut list and an impossible year are suspicious. */
static void test_first(void **state)
{
	struct diff_input in = {.source = "src"};
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));

	assert_non_null(e);
	gate_defaults(&in.gate);
	fill(e, BASE);
	add(e, 3, 2100, 1);
	add(e, 3, 2101, 100000000);
	assert_null(rule_of(f, &in, e));
	in.gate.row_limits[in.gate.n_row_limits++] = (double)(BASE + 2);
	assert_string_equal(rule_of(f, &in, e), "row_limits");
	add(e, 3, 2127, 1);
	assert_string_equal(rule_of(f, &in, e), "max_future_days");
	in.gate.accept = true;
	assert_null(rule_of(f, &in, e));
	mem_free(e);
}

static void test_row_limits(void **state)
{
	struct diff_input in = {.source = "src"};
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));

	assert_non_null(e);
	gate_defaults(&in.gate);
	in.gate.row_limits[1] = 210;
	fill(e, BASE);
	commit_edition(f, "src", e);
	grow(e, 9);
	assert_null(rule_of(f, &in, e));
	add(e, 0, 1970, 1000);
	assert_string_equal(rule_of(f, &in, e), "row_limits");
	/* Our own tables read more out of the same answer. */
	in.cause = "mapping";
	assert_null(rule_of(f, &in, e));
	in.cause = NULL;
	/* So many there were before. */
	commit_edition(f, "src", e);
	e->v[0].coef++;
	assert_null(rule_of(f, &in, e));
	mem_free(e);
}

/* All of 49 rows may change, of 50 not. */
static void test_small(void **state)
{
	struct diff_input in = {.source = "src"};
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));

	assert_non_null(e);
	gate_defaults(&in.gate);
	fill(e, 49);
	commit_edition(f, "src", e);
	revise(e, 49);
	grow(e, 100);
	gain_areas(e, 20);
	assert_null(rule_of(f, &in, e));
	fill(e, 49);
	lose_newest(e, 3);
	assert_null(rule_of(f, &in, e));
	fill(e, 50);
	commit_edition(f, "src", e);
	revise(e, 50);
	assert_string_equal(rule_of(f, &in, e), "max_revised_percent");
	mem_free(e);
}

/* An error of the provider is held; that it is put right is no news. */
static void test_put_right(void **state)
{
	struct diff_input in = {.source = "src"};
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));

	assert_non_null(e);
	gate_defaults(&in.gate);
	fill(e, BASE);
	jump(e, 1000);
	commit_edition(f, "src", e);
	fill(e, BASE);
	assert_null(rule_of(f, &in, e));
	mem_free(e);
}

/* Rows that come back are compared with what they were. */
static void test_restored(void **state)
{
	struct diff_input in = {.source = "src"};
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));
	struct diff_result r;

	assert_non_null(e);
	gate_defaults(&in.gate);
	fill(e, BASE);
	commit_edition(f, "src", e);
	withdraw(e, 20);
	commit_edition(f, "src", e);
	fill(e, BASE);
	diff_edition(f, &in, e, FULL, &r);
	assert_int_equal(r.slices[0].verdict, SLICE_OK);
	assert_int_equal(r.slices[0].restored, 20);
	diff_release(&r);
	tenfold(e, 2);
	assert_null(rule_of(f, &in, e));
	tenfold(e, 1); /* the first of the two is a hundredfold now */
	assert_string_equal(rule_of(f, &in, e), "max_factor");
	fill(e, BASE);
	tenfold(e, 3);
	assert_string_equal(rule_of(f, &in, e), "max_rescaled_percent");
	fill(e, BASE);
	multiply(e, 3);
	assert_string_equal(rule_of(f, &in, e), "max_unit_changed_percent");
	/* The same value again is no revision, another one is: 20 of them come back. */
	fill(e, BASE);
	revise(e, 70);
	for (size_t i = 0; i < 20; i++)
		e->v[i].coef--;
	assert_null(rule_of(f, &in, e));
	fill(e, BASE);
	revise(e, 50);
	assert_null(rule_of(f, &in, e));
	revise(e, 51);
	diff_edition(f, &in, e, FULL, &r);
	assert_string_equal(r.slices[0].rule, "max_revised_percent");
	assert_non_null(strstr(r.slices[0].reason, "51 of 200 live and restored rows revised, above"));
	diff_release(&r);
	mem_free(e);
}

/* Also where nothing was left; and a magnitude that only withdrawn values had is none that their series never had. */
static void test_restored_alone(void **state)
{
	struct diff_input in = {.source = "src"};
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));

	assert_non_null(e);
	gate_defaults(&in.gate);
	in.gate.min_judged_rows = 0;
	fill(e, BASE);
	withdraw_in_range(e, 0);
	e->v[0].coef *= 1000;
	commit_edition(f, "src", e);
	e->n = 0;
	commit_of_kind(f, "src", e, RANGE);
	fill(e, BASE);
	withdraw_in_range(e, 0);
	e->v[0].coef *= 1000;
	assert_null(rule_of(f, &in, e));
	e->v[20].coef *= 1000; /* the next year of the same area */
	in.gate.max_rescaled_percent = 2;
	assert_null(rule_of(f, &in, e));
	e->v[1].coef *= 1000;
	assert_string_equal(rule_of(f, &in, e), "max_factor");
	mem_free(e);
}

/* The first rule names it, others are listed; a revision is named only where it is alone. */
static void test_several(void **state)
{
	struct diff_input in = {.source = "src"};
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));
	struct diff_result r;

	assert_non_null(e);
	gate_defaults(&in.gate);
	fill(e, BASE);
	commit_edition(f, "src", e);
	tenfold(e, 60);
	add_year(e, 2099);
	diff_edition(f, &in, e, FULL, &r);
	assert_string_equal(r.slices[0].rule, "max_future_days");
	assert_non_null(
		strstr(r.slices[0].reason, "A03 2099; gate.max_rescaled_percent too; gate.max_revised_percent too"));
	diff_release(&r);
	mem_free(e);
}

/* The stamp of the newest commit that took the slice counts, and survives commits that say nothing of it. */
static void test_moved(void **state)
{
	static const struct {
		const char *updated;
		bool moved;
		const char *rule;
	} nights[] = {{"2026-11-20", false, NULL}, {"2026-11-20", false, NULL}, {NULL, false, NULL},
		{"2026-11-21T10:00:00Z", true, NULL}, {"2026-11-20", false, "max_stale_days"},
		{"2026-11-21T10:00:01Z", true, NULL}, {"soon", false, NULL}};
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));

	assert_non_null(e);
	for (size_t i = 0; i < sizeof(nights) / sizeof(nights[0]); i++) {
		struct diff_input in = {.source = "src"};
		struct diff_result r;

		gate_defaults(&in.gate);
		fill(e, BASE);
		e->updated = nights[i].updated;
		e->v[0].coef += (int64_t)i;
		diff_edition(f, &in, e, FULL, &r);
		assert_int_equal(r.slices[0].updated_moved, nights[i].moved);
		if (nights[i].rule)
			assert_string_equal(r.slices[0].rule, nights[i].rule);
		else
			assert_null(r.slices[0].rule);
		assert_int_equal(fixture_commit(&f->s, "src", &r, &f->d), GLANE_OK);
		diff_release(&r);
	}
	mem_free(e);
}

/* An older copy of an answer that changes nothing leaves the stamp where it was. */
static void test_stamp_stays(void **state)
{
	static const char *const nights[] = {"2026-11-21", "2026-11-20", "2026-11-21"};
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));

	assert_non_null(e);
	for (size_t i = 0; i < sizeof(nights) / sizeof(nights[0]); i++) {
		struct diff_input in = {.source = "src"};
		struct diff_result r;

		gate_defaults(&in.gate);
		fill(e, BASE);
		e->updated = nights[i];
		e->second = 1 + (int64_t)i; /* there is a commit each night */
		diff_edition(f, &in, e, FULL, &r);
		assert_int_equal(r.slices[0].verdict, i ? SLICE_UNCHANGED : SLICE_OK);
		assert_int_equal(r.slices[1].verdict, SLICE_OK);
		assert_false(r.slices[0].updated_moved);
		assert_int_equal(fixture_commit(&f->s, "src", &r, &f->d), GLANE_OK);
		diff_release(&r);
	}
	mem_free(e);
}

/* Every number that the defaults name, in the first answer and in a later one; a row less or more is none. */
static void test_round_numbers(void **state)
{
	static const uint64_t numbers[] = {10000, 65535, 65536, 1048575, 1048576};
	struct diff_input in = {.source = "src", .cause = "source"};
	struct tally *t = mem_zalloc(1, sizeof(*t));
	struct arena a;

	(void)state;
	assert_non_null(t);
	arena_init(&a, 0);
	gate_defaults(&in.gate);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		for (uint64_t before = 0; before < 3 * numbers[i] / 2; before += numbers[i] + 100) {
			for (uint64_t rows = numbers[i] - 2; rows <= numbers[i] + 2; rows++) {
				struct slice_result p = {.rows = rows, .before = before, .added = 1};
				bool is_one = false;
				char want[64];

				for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
					is_one = is_one || rows == numbers[k];
				assert_int_equal(gate_judge(&p, t, &in, NULL, &a), is_one);
				if (!is_one)
					continue;
				(void)snprintf(want, sizeof(want), "exactly %llu rows", (unsigned long long)rows);
				assert_int_equal(p.verdict, SLICE_HELD);
				assert_string_equal(p.rule, "row_limits");
				assert_non_null(strstr(p.reason, want));
			}
		}
	arena_release(&a);
	mem_free(t);
}

static const struct gate_key *key(const char *name)
{
	for (const struct gate_key *k = gate_keys; k->name; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

static void test_keys(void **state)
{
	struct gate_limits g;

	(void)state;
	gate_defaults(&g);
	assert_true(g.max_withdrawn_percent == 10 && g.min_rows_percent == 90 && g.max_revised_percent == 25 &&
		    g.max_factor == 100);
	assert_true(g.max_quarantined_percent == 1 && g.n_row_limits == 5 && g.row_limits[4] == 1048576 && !g.accept);
	assert_true(gate_set(&g, key("gate.max_factor"), "20"));
	assert_true(g.max_factor == 20);
	assert_false(gate_set(&g, key("gate.max_factor"), "1"));
	assert_false(gate_set(&g, key("gate.max_factor"), "ten"));
	assert_true(gate_set(&g, key("gate.row_limits"), ""));
	assert_int_equal(g.n_row_limits, 0);
	assert_true(gate_set(&g, key("gate.row_limits"), " 5  70 "));
	assert_true(g.n_row_limits == 2 && g.row_limits[1] == 70);
	assert_false(gate_set(&g, key("gate.row_limits"), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"));
	for (const struct gate_key *k = gate_keys; k->name; k++)
		assert_true(strncmp(k->name, "gate.", 5) == 0 && k->help && gate_set(&g, k, k->dflt));
}

/* Without memory a diff fails, cleanly. */
static void test_allocations(void **state)
{
	struct fixture *f = *state;
	struct edition *e = mem_zalloc(1, sizeof(*e));
	long failed = 0;

	assert_non_null(e);
	fill(e, BASE);
	with_dims(e);
	with_stamp(e);
	commit_edition(f, "src", e);
	lose_areas(e, 2);
	tenfold(e, 100);
	add_year(e, 2099);
	for (long k = 1;; k += 1 + k / 32) {
		struct diff_input in = {
			.source = "src", .now = T0, .run = "20261123T234435Z", .cause = "source", .previous = 1};
		struct diag d = {0};
		struct diff_result r;
		struct batch b;
		glane_rc rc;

		gate_defaults(&in.gate);
		in.batch = &b;
		make_batch(f, &b, e, FULL);
		mem_fail_after(k, false);
		rc = diff_run(&f->s, &in, &r, &d);
		mem_fail_after(0, false);
		batch_release(&b);
		if (rc == GLANE_OK) {
			assert_string_equal(r.slices[0].rule, "max_lost_codes_percent");
			diff_release(&r);
			break;
		}
		assert_true(rc == GLANE_E_NOMEM || strstr(d.text, "no memory"));
		failed++;
	}
	assert_true(failed > 10);
	mem_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_limits, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_first, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_row_limits, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_round_numbers),
		cmocka_unit_test_setup_teardown(test_small, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_put_right, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_restored, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_restored_alone, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_several, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_moved, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_stamp_stays, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_keys),
		cmocka_unit_test_setup_teardown(test_allocations, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
