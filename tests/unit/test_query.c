/* SPDX-License-Identifier: MIT */
/* Queries: filters, groups, scaling, and exports as of a run or a time. */
#include "store_fixture.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

static const struct cell alpha[] = {{"A", "BEN", 2019, 1, 0, NULL, 0}, {"A", "BEN", 2020, 2, 0, NULL, 0},
	{"A", "TGO", 2020, 3, 0, NULL, 0}, {"B", "FRA", 2020, 4, 0, NULL, 0}, {"B", "TGO", 2021, 5, 0, NULL, 0}};
static const struct cell beta[] = {{"A", "TGO", 2020, 6, 0, NULL, 0}};

static const char *list_a[] = {"A", NULL}, *list_ab[] = {"A", "B", NULL}, *list_tgo[] = {"TGO", NULL},
		  *list_beta[] = {"beta", NULL}, *list_none[] = {NULL}, *list_monthly[] = {"M", NULL},
		  *list_annual[] = {"A", NULL}, *list_ds[] = {"DS", NULL}, *list_other[] = {"OTHER", NULL},
		  *list_dim[] = {"SEX=F", NULL}, *list_bad_dim[] = {"SEX", NULL}, *list_group[] = {"LDC", NULL},
		  *list_bad_group[] = {"XYZ", NULL};
static const struct catalogue_item item_b = {.source = {"alpha", 5}, .dataset = {"DS", 2}, .indicator = {"B", 1}},
				   item_beta = {.source = {"beta", 4}}, item_any = {.indicator = {"A*", 2}};
static const struct catalogue_item *const items[] = {&item_b, &item_beta}, *const every[] = {&item_any};

struct filter {
	struct query q;
	const char *values; /* of the matches, in order */
	glane_rc rc;
};
static const struct filter filters[] = {
	{{.as_of = INT64_MAX}, "1 2 3 4 5 6 ", 0},
	{{.as_of = 0}, "", 0},
	{{.as_of = INT64_MAX, .source = list_beta}, "6 ", 0},
	{{.as_of = INT64_MAX, .source = list_none}, "1 2 3 4 5 6 ", 0},
	{{.as_of = INT64_MAX, .dataset = list_ds}, "1 2 3 4 5 6 ", 0},
	{{.as_of = INT64_MAX, .dataset = list_other}, "", 0},
	{{.as_of = INT64_MAX, .indicator = list_a}, "1 2 3 6 ", 0},
	{{.as_of = INT64_MAX, .indicator = list_ab, .area = list_tgo}, "3 5 6 ", 0},
	{{.as_of = INT64_MAX, .freq = list_annual}, "1 2 3 4 5 6 ", 0},
	{{.as_of = INT64_MAX, .freq = list_monthly}, "", 0},
	{{.as_of = INT64_MAX, .from = "2020"}, "2 3 4 5 6 ", 0},
	{{.as_of = INT64_MAX, .to = "2019"}, "1 ", 0},
	{{.as_of = INT64_MAX, .from = "2020-Q1", .to = "2020-03"}, "2 3 4 6 ", 0},
	{{.as_of = INT64_MAX, .from = "2020-01-02", .to = "9999"}, "5 ", 0},
	{{.as_of = INT64_MAX, .from = "soon"}, "", GLANE_E_CONFIG},
	{{.as_of = INT64_MAX, .to = "2020-13"}, "", GLANE_E_CONFIG},
	{{.as_of = INT64_MAX, .dim = list_dim}, "", 0},
	{{.as_of = INT64_MAX, .dim = list_bad_dim}, "", GLANE_E_CONFIG},
	{{.as_of = INT64_MAX, .catalogue = items, .n_catalogue = 2}, "4 5 6 ", 0},
	{{.as_of = INT64_MAX, .catalogue = items, .n_catalogue = 0}, "", 0},
	{{.as_of = INT64_MAX, .catalogue = every, .n_catalogue = 1}, "1 2 3 6 ", 0},
	{{.as_of = INT64_MAX, .group = list_group}, "", GLANE_E_USAGE},
};

static void fill(struct fixture *f)
{
	assert_int_equal(fixture_refresh(&f->s, "alpha", alpha, N(alpha), T0, &f->d), GLANE_OK);
	assert_int_equal(fixture_refresh(&f->s, "beta", beta, N(beta), T0, &f->d), GLANE_OK);
}

static glane_rc put_value(void *arg, struct row *r)
{
	strbuf_slice(arg, r->value);
	strbuf_putc(arg, ' ');
	return GLANE_OK;
}

static void expect(struct fixture *f, const struct query *q, glane_rc rc, const char *values)
{
	struct strbuf b;

	strbuf_init(&b, 0);
	strbuf_puts(&b, "");
	assert_int_equal(query_run(&f->s, q, put_value, &b, &f->d), rc);
	assert_int_equal(f->d.code, rc);
	diag_clear(&f->d);
	assert_string_equal(b.p, values);
	strbuf_release(&b);
}

static void test_filters(void **state)
{
	struct fixture *f = *state;

	fill(f);
	for (size_t i = 0; i < N(filters); i++) {
		print_message("filter %zu\n", i);
		expect(f, &filters[i].q, filters[i].rc, filters[i].values);
	}
}

static glane_rc stop(void *arg, struct row *r)
{
	int *left = arg;

	(void)r;
	return --*left ? GLANE_OK : GLANE_E_CANCELLED;
}

static void test_stop(void **state)
{
	struct query q = {.as_of = INT64_MAX};
	struct fixture *f = *state;
	int left = 3;

	fill(f);
	assert_int_equal(query_run(&f->s, &q, stop, &left, &f->d), GLANE_E_CANCELLED);
	assert_int_equal(left, 0);
}

/* Members of a group count on the day asked for. */
static void test_groups(void **state)
{
	struct query q = {.as_of = INT64_MAX, .group = list_group};
	struct fixture *f = *state;
	struct areas areas;
	char path[96];

	fill(f);
	fixture_damage(f, "economies.csv",
		SLICE("iso3,iso2,m49,name_en,name_fr\nBEN,BJ,204,Benin,B\nTGO,TG,768,Togo,T\nFRA,FR,250,France,F\n"));
	fixture_damage(f, "areas.csv", SLICE("scheme,code,area,valid_from,valid_to\n"));
	fixture_damage(f, "groups.csv",
		SLICE("group,area,valid_from,valid_to\nLDC,TGO,1982-01-01,\nLDC,BEN,1971-01-01,2019-12-31\n"));
	(void)snprintf(path, sizeof(path), "%s", f->path);
	assert_int_equal(areas_load(&areas, path, &f->d), GLANE_OK);
	q.areas = &areas;
	q.group_on = days_from_civil(2019, 6, 1);
	expect(f, &q, GLANE_OK, "1 2 3 5 6 ");
	q.group_on = days_from_civil(2020, 6, 1);
	expect(f, &q, GLANE_OK, "3 5 6 ");
	q.group = list_bad_group;
	expect(f, &q, GLANE_E_CONFIG, "");
	areas_release(&areas);
}

/* Withdrawn keys are left out unless they are asked for. */
static void test_withdrawn(void **state)
{
	struct cell cells[11] = {{0}};
	struct query q = {.as_of = INT64_MAX};
	struct fixture *f = *state;

	for (int i = 0; i < 11; i++)
		cells[i] = (struct cell){"A", "TGO", 2000 + i, i, 0, NULL, 0};
	assert_int_equal(fixture_refresh(&f->s, "src", cells, 11, T0, &f->d), GLANE_OK);
	assert_int_equal(fixture_refresh(&f->s, "src", cells + 1, 10, T0 + 60, &f->d), GLANE_OK);
	expect(f, &q, GLANE_OK, "1 2 3 4 5 6 7 8 9 10 ");
	q.withdrawn = true;
	expect(f, &q, GLANE_OK, "0 1 2 3 4 5 6 7 8 9 10 ");
	q.as_of = T0;
	q.withdrawn = false;
	expect(f, &q, GLANE_OK, "0 1 2 3 4 5 6 7 8 9 10 ");
}

#define RUNS 6

/* Runs share a second and the clock goes back: an export as of each still is the one taken right after it. */
static void test_vintages(void **state)
{
	static const int64_t clock[RUNS] = {T0, T0, T0 + 5, T0 - 7200, T0 + 5, T0 + 90};
	struct strbuf taken[RUNS], again;
	char ids[RUNS][48];
	struct fixture *f = *state;
	struct query now = {.as_of = INT64_MAX, .withdrawn = true}, then = now;
	json_t *report;

	strbuf_init(&again, 0);
	for (size_t i = 0; i < RUNS; i++) {
		struct cell cells[12];

		for (int k = 0; k < 12; k++)
			cells[k] = (struct cell){"A", "TGO", 2000 + k, k == (int)i ? 100 + k : k, 0, NULL, 0};
		strbuf_init(&taken[i], 0);
		assert_int_equal(store_run_id(&f->s, clock[i], ids[i], &f->d), GLANE_OK);
		if (i != 2)
			assert_int_equal(fixture_refresh(&f->s, "one", cells, 12, clock[i], &f->d), GLANE_OK);
		if (i % 2)
			assert_int_equal(
				fixture_refresh(&f->s, "two", cells, i == 3 ? 11 : 12, clock[i], &f->d), GLANE_OK);
		report = json_object();
		assert_true(json_set_int(report, "recorded_at", store_last_moment(&f->s)));
		assert_int_equal(store_run_write(&f->s, ids[i], report, &f->d), GLANE_OK);
		json_decref(report);
		assert_int_equal(fixture_export(&f->s, &now, &taken[i], &f->d), GLANE_OK);
	}
	for (size_t i = 0; i < RUNS; i++) {
		assert_int_equal(query_as_of(&f->s, ids[i], &then.as_of, &f->d), GLANE_OK);
		assert_int_equal(fixture_export(&f->s, &then, &again, &f->d), GLANE_OK);
		assert_string_equal(again.p ? again.p : "", taken[i].p ? taken[i].p : "");
	}
	assert_int_equal(query_as_of(&f->s, "2026-11-23T23:46:05Z", &then.as_of, &f->d), GLANE_OK);
	assert_int_equal(then.as_of, T0 + 90);
	assert_int_equal(fixture_export(&f->s, &then, &again, &f->d), GLANE_OK);
	assert_string_equal(again.p, taken[RUNS - 1].p);
	for (size_t i = 0; i < RUNS; i++)
		strbuf_release(&taken[i]);
	strbuf_release(&again);
}

static void test_as_of_texts(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} good[] = {{"2026-11-23", T0 + 924}, {"2026-11-23T23:44:35Z", T0}, {"2026-11-24T00:44:35+01:00", T0},
		{"20261123T234435Z", T0}, {"20261123T234435Z-2", T0 + 5}};
	static const char *const bad[] = {"", "yesterday", "20261123T234436Z", "20261123T234435Z-1", "2026-11-31"};
	struct fixture *f = *state;
	json_t *report = json_object();
	int64_t t = 0;

	assert_int_equal(store_run_write(&f->s, "20261123T234435Z", report, &f->d), GLANE_OK);
	assert_true(json_set_text(report, "now", "2026-11-23T23:44:40Z"));
	assert_int_equal(store_run_write(&f->s, "20261123T234435Z-2", report, &f->d), GLANE_OK);
	assert_int_equal(json_object_set_new(report, "recorded_at", json_null()), 0);
	assert_int_equal(store_run_write(&f->s, "20261123T234435Z-3", report, &f->d), GLANE_OK);
	json_decref(report);
	assert_int_equal(query_as_of(&f->s, "20261123T234435Z-3", &t, &f->d), GLANE_OK);
	assert_true(t == INT64_MIN);
	for (size_t i = 0; i < N(good); i++) {
		assert_int_equal(query_as_of(&f->s, good[i].text, &t, &f->d), GLANE_OK);
		assert_int_equal(t, good[i].want);
	}
	t = 7;
	for (size_t i = 0; i < N(bad); i++) {
		assert_int_equal(query_as_of(&f->s, bad[i], &t, &f->d), GLANE_E_CONFIG);
		assert_int_equal(t, 7);
		diag_clear(&f->d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_filters, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_stop, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_groups, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_withdrawn, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_vintages, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_as_of_texts, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
