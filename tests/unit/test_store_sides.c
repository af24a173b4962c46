/* SPDX-License-Identifier: MIT */
/* What lies beside the commits: seen.json, and a store that is not there yet. */
#include "base/json.h"
#include "store/files.h"
#include "store_fixture.h"

static void test_seen(void **state)
{
	struct fixture *f = *state;
	json_t *j = NULL, *seen = json_object();
	struct strbuf findings;
	uint64_t rows = 0, n = 0;

	assert_int_equal(store_seen_read(&f->s, "a", 3, &j, &f->d), GLANE_OK);
	assert_int_equal(json_object_size(j), 0);
	json_decref(j);
	assert_true(json_set_text(seen, "requests", "these"));
	assert_int_equal(store_seen_write(&f->s, "a", 3, seen, &f->d), GLANE_OK);
	json_decref(seen);
	assert_int_equal(store_seen_read(&f->s, "a", 3, &j, &f->d), GLANE_OK);
	assert_string_equal(json_text(j, "requests", ""), "these");
	json_decref(j);
	/* It vouches for the rows of commit 3 alone. */
	assert_int_equal(store_seen_read(&f->s, "a", 4, &j, &f->d), GLANE_OK);
	assert_int_equal(json_object_size(j), 0);
	json_decref(j);
	fixture_damage(f, "state/a/seen.json", SLICE("{\"commit\": 3"));
	assert_int_equal(store_seen_read(&f->s, "a", 3, &j, &f->d), GLANE_E_IO);
	strbuf_init(&findings, 0);
	assert_int_equal(store_check(&f->s, &findings, &rows, &n, NULL), GLANE_OK);
	assert_int_equal(n, 1);
	assert_non_null(strstr(findings.p, "state/a/seen.json"));
	strbuf_release(&findings);
}

static void test_seen_survives_a_sweep(void **state)
{
	struct fixture *f = *state;
	json_t *j = json_object();

	assert_int_equal(store_seen_write(&f->s, "a", 1, j, &f->d), GLANE_OK);
	json_decref(j);
	store_close(&f->s);
	assert_int_equal(store_open(&f->s, f->path, true, &f->d), GLANE_OK);
	assert_true(file_exists(f->s.dir, "state/a/seen.json"));
}

static void test_none_yet(void **state)
{
	struct fixture *f = *state;
	char path[96], id[48];
	const char **v;
	struct arena a;
	struct store s;
	json_t *j = NULL;
	uint64_t commit = 9;
	size_t n = 9;

	(void)snprintf(path, sizeof(path), "%s/none", f->path);
	for (int i = 0; i < 2; i++) { /* nothing at all, then an empty folder */
		assert_int_equal(store_open_if_any(&s, path, &f->d), GLANE_OK);
		assert_int_equal(s.dir, NO_STORE);
		arena_init(&a, 0);
		assert_int_equal(store_commit_number(&s, "a", &commit, &f->d), GLANE_OK);
		assert_int_equal(commit, 0);
		assert_int_equal(store_runs(&s, &a, &v, &n, &f->d), GLANE_OK);
		assert_int_equal(n, 0);
		assert_int_equal(store_sources(&s, &a, &v, &n, &f->d), GLANE_OK);
		assert_int_equal(n, 0);
		assert_int_equal(store_run_id(&s, T0, id, &f->d), GLANE_OK);
		assert_string_equal(id, "20261123T234435Z");
		assert_int_equal(store_last_read(&s, "a", &j, &f->d), GLANE_OK);
		assert_int_equal(json_object_size(j), 0);
		assert_int_equal(store_last_write(&s, "a", j, NULL), GLANE_E_USAGE);
		json_decref(j);
		arena_release(&a);
		store_close(&s);
		assert_true(i == 1 ? file_exists(AT_FDCWD, path) : mkdir(path, 0755) == 0);
	}
	assert_int_equal(f->d.code, GLANE_OK);
}

static void test_open_if_any(void **state)
{
	struct fixture *f = *state;
	char path[96];
	struct store s;

	assert_int_equal(store_open_if_any(&s, f->path, &f->d), GLANE_OK); /* although a writer holds the lock */
	assert_true(s.dir >= 0 && s.lock < 0);
	store_close(&s);
	(void)snprintf(path, sizeof(path), "%s/runs/note.txt", f->path);
	fixture_damage(f, "runs/note.txt", SLICE("mine"));
	assert_int_equal(store_open_if_any(&s, path, NULL), GLANE_E_IO); /* a file */
	(void)snprintf(path, sizeof(path), "%s/runs", f->path);
	assert_int_equal(store_open_if_any(&s, path, NULL), GLANE_E_IO); /* somebody's folder */
	fixture_damage(f, "format", SLICE("99\n"));
	assert_int_equal(store_open_if_any(&s, f->path, NULL), GLANE_E_IO);
}

int main(void)
{
#define CASE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_seen),
		CASE(test_seen_survives_a_sweep),
		CASE(test_none_yet),
		CASE(test_open_if_any),
	};

	return cmocka_run_group_tests_name("store_sides", tests, NULL, NULL);
}
