/* SPDX-License-Identifier: MIT */
/* The public header's layout, and plugins that were built against a header of another minor. */
#include "support/cmocka.h"
#include "support/test_host.h"

static const struct test_page page = {.url = "http://host/table.csv", .body = "a;b\n1;2\n"};

static const char *path_of(struct arena *a, const char *name)
{
	const char *path = test_plugin_path(a, "test-plugins", name);

	if (!path)
		skip(); /* GLANE_OUT names no build */
	return path;
}

static void run_plugin(const char *name, const char *want)
{
	struct test_host t;
	struct plugin p;
	glane_rc rc;

	test_host_init(&t);
	t.pages = &page;
	t.n_pages = 1;
	t.conf = "times = 2";
	rc = plugin_load(&t.arena, path_of(&t.arena, name), name, &p, &t.diag);
	if (rc == GLANE_OK)
		rc = test_host_plugin(&t, &p);
	if (rc != GLANE_OK)
		print_message("%s\n", t.diag.text);
	assert_int_equal(rc, GLANE_OK);
	assert_non_null(strstr(t.out.p, want));
	test_host_release(&t);
}

static void test_grown(void **state)
{
	(void)state;
	run_plugin("abi_grown", "obs 1 2000 1.50 E 0\nobs 1 2001 1.50 E 0\nobs 1 1999 7 A 1\n"
				"cover 1 GROWN ~ 0 0 ~\n");
}

static void test_older(void **state)
{
	(void)state;
	run_plugin("abi_older", "series 1 A OLDER I TGO ~  ~ 0 ~ ~ ~\nobs 1 2000 1.50 A 0\nobs 1 2001 1.50 A 0\ncover "
				"1 OLDER ~ 0 0 ~\n");
}

static void test_grown_rows_are_checked(void **state)
{
	struct test_host t;
	struct plugin p;

	(void)state;
	test_host_init(&t);
	assert_int_equal(plugin_load(&t.arena, path_of(&t.arena, "abi_grown"), "abi_grown", &p, &t.diag), GLANE_OK);
	assert_int_equal(p.n_options, 2);
	assert_int_equal(p.desc.abi_minor, GLANE_ABI_MINOR + 1);
	t.conf = "times = 10";
	assert_int_equal(test_host_plugin(&t, &p), GLANE_E_CONFIG); /* min and max of a grown row */
	assert_string_equal(t.diag.text, "test.conf:2: times = 10: not between 1 and 9");
	test_host_release(&t);
}

static void test_needs(void **state)
{
	struct arena a;
	struct plugin p;
	struct diag d;

	(void)state;
	arena_init(&a, 0);
	diag_clear(&d);
	assert_int_equal(plugin_load(&a, path_of(&a, "abi_needs"), "abi_needs", &p, &d), GLANE_E_DENIED);
	assert_non_null(
		strstr(d.text, "abi_needs.so: refused: needs ABI 1.1 or newer, this glane has 1.0 (update glane)"));
	arena_release(&a);
}

#define GROWN(type)                                                                                                    \
	struct grown_##type {                                                                                          \
		struct glane_##type now;                                                                               \
		uint64_t later;                                                                                        \
	}
GROWN(series);
GROWN(row);
GROWN(annotation);
GROWN(cover);
GROWN(request);
GROWN(csv);
static unsigned what_has_grown;

/* Each uses one member of a later minor, without having looked whether this host has it. */
static glane_rc uses_later(const struct glane_host *h, glane_run *r, void *state)
{
	const struct grown_series series = {{.size = sizeof(series)}, 1};
	const struct grown_row row = {{.size = sizeof(row)}, 1};
	const struct grown_annotation note = {{.size = sizeof(note)}, 1};
	const struct grown_cover cover = {{.size = sizeof(cover), .dataset = GLANE_STR_INIT("D")}, 1};
	const struct grown_csv csv = {{.size = sizeof(csv)}, 1};
	const struct grown_request q = {{.size = sizeof(q), .url = "{base_url}/table.csv"}, 1};
	const struct glane_request q_csv = {.size = sizeof(q_csv), .url = "{base_url}/table.csv", .csv = &csv.now};
	glane_reader *rd;
	uint32_t handle;

	(void)state;
	switch (what_has_grown) {
	case 0:
		return h->series(r, &series.now, &handle);
	case 1:
		return h->emit(r, &row.now);
	case 2:
		return h->annotate(r, &note.now, &handle);
	case 3:
		return h->cover(r, &cover.now);
	case 4:
		return h->slice(r, GLANE_OK, &cover.now, NULL);
	case 5:
		return h->open(r, &q.now, &rd);
	default:
		return h->open(r, &q_csv, &rd);
	}
}

static void test_later_members(void **state)
{
	static const char *const calls[] = {
		"series()", "emit()", "annotate()", "cover()", "slice()", "open()", "open()"};

	(void)state;
	for (what_has_grown = 0; what_has_grown < sizeof(calls) / sizeof(calls[0]); what_has_grown++) {
		struct test_host t;

		test_host_init(&t);
		t.pages = &page;
		t.n_pages = 1;
		assert_int_equal(test_host_function(&t, uses_later), GLANE_E_USAGE);
		assert_non_null(strstr(t.diag.text, calls[what_has_grown]));
		assert_non_null(strstr(t.diag.text, "does not know"));
		test_host_release(&t);
	}
}

/* A service that a later minor may add is not seen on a host that has it not, nor one that is NULL. */
static glane_rc asks(const struct glane_host *h, glane_run *r, void *state)
{
	struct glane_host older = *h;

	(void)state;
	if (!GLANE_HAS(h, extension) || !GLANE_HAS(h, fmt))
		return h->fail(r, GLANE_E_DATA, "a service is missing");
	older.size = offsetof(struct glane_host, extension);
	if (GLANE_HAS(&older, extension) || !GLANE_HAS(&older, fmt))
		return h->fail(r, GLANE_E_DATA, "an older host");
	older = *h;
	older.fmt = NULL;
	return GLANE_HAS(&older, fmt) ? h->fail(r, GLANE_E_DATA, "a host without it") : GLANE_OK;
}

static void test_has(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	assert_int_equal(test_host_function(&t, asks), GLANE_OK);
	test_host_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_grown), cmocka_unit_test(test_older),
		cmocka_unit_test(test_grown_rows_are_checked), cmocka_unit_test(test_needs), cmocka_unit_test(test_has),
		cmocka_unit_test(test_later_members)};

	return cmocka_run_group_tests_name("abi", tests, NULL, NULL);
}
