/* SPDX-License-Identifier: MIT */
/* Old versions of the logs, which the next writer removes, and what then is left to read. */
#include "lake_fixture.h"
#include "store/lake.h"
#include <dirent.h>

#define N(a) (sizeof(a) / sizeof(*(a)))
#define DAY INT64_C(86400)
#define NIGHTS 63

static const char *const tables[] = {"stream", "current", "series"};

/* Another value every night. */
static void refresh(struct fixture *f, int64_t night)
{
	const struct cell cells[] = {{"I", "BEN", 2000, night, 0, NULL, 0}, {"I", "TGO", 2000, 1, 0, NULL, 0}};

	if (fixture_refresh(&f->s, "src", cells, N(cells), T0 + night * DAY, &f->d) != GLANE_OK)
		fail_msg("%s", f->d.text);
}

static void export_all(struct fixture *f, struct strbuf *ret)
{
	strbuf_reset(ret);
	for (int64_t night = 1; night <= NIGHTS; night++) {
		struct query q = {.as_of = T0 + night * DAY, .withdrawn = true};
		struct strbuf b;

		strbuf_init(&b, 0);
		assert_int_equal(fixture_export(&f->s, &q, &b, &f->d), GLANE_OK);
		strbuf_slice(ret, strbuf_get(&b));
		strbuf_release(&b);
	}
	assert_true(strbuf_ok(ret));
}

static void reopen(struct fixture *f)
{
	store_close(&f->s);
	if (store_open(&f->s, f->path, true, &f->d) < 0)
		fail_msg("%s", f->d.text);
}

/* Every file of every log is this old. */
static void age(const struct fixture *f, int64_t seconds)
{
	const struct timespec then = {.tv_sec = clock_utc() - seconds}, times[2] = {then, then};
	char path[128];

	for (size_t i = 0; i < N(tables); i++) {
		struct dirent *e;
		DIR *dir;

		(void)snprintf(path, sizeof(path), "%s/%s/_delta_log", f->path, tables[i]);
		dir = opendir(path);
		assert_non_null(dir);
		while ((e = readdir(dir)))
			assert_int_equal(utimensat(dirfd(dir), e->d_name, times, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(closedir(dir), 0);
	}
}

static bool has(const struct fixture *f, size_t table, int version, const char *suffix)
{
	char name[96];

	(void)snprintf(name, sizeof(name), "%s/_delta_log/%020d%s", tables[table], version, suffix);
	return file_exists(f->s.dir, name);
}

/* After seven days those before the last checkpoint but one. That one is enough for a reader who cannot use the newest. */
static void test_old_versions(void **state)
{
	struct fixture *f = *state;
	struct strbuf want, got;

	strbuf_init(&want, 0);
	strbuf_init(&got, 0);
	for (int64_t night = 1; night <= NIGHTS; night++)
		refresh(f, night);
	export_all(f, &want);
	age(f, 6 * DAY);
	reopen(f);
	for (size_t i = 0; i < N(tables); i++)
		assert_true(has(f, i, 0, ".json") && has(f, i, 20, ".checkpoint.parquet"));
	age(f, 8 * DAY);
	reopen(f);
	for (size_t i = 0; i < N(tables); i++) {
		for (int v = 0; v <= NIGHTS; v++)
			assert_int_equal(has(f, i, v, ".json"), v >= 40);
		assert_false(has(f, i, 20, ".checkpoint.parquet"));
		assert_true(has(f, i, 40, ".checkpoint.parquet") && has(f, i, 60, ".checkpoint.parquet"));
	}
	assert_int_equal(lake_check(&f->s), 0);
	export_all(f, &got);
	assert_string_equal(got.p, want.p);
	fixture_damage(f, "stream/_delta_log/00000000000000000060.checkpoint.parquet", SLICE("PAR1 no more"));
	reopen(f);
	assert_int_equal(f->s.lake->table[LAKE_STREAM].checkpoint, 40);
	export_all(f, &got);
	assert_string_equal(got.p, want.p);
	refresh(f, NIGHTS + 1);
	strbuf_release(&want);
	strbuf_release(&got);
}

/* check begins at the last checkpoint but one: a version since then that is damaged is found, and one that is missing. */
static void test_check(void **state)
{
	struct fixture *f = *state;

	for (int64_t night = 1; night <= NIGHTS; night++)
		refresh(f, night);
	age(f, 8 * DAY);
	reopen(f);
	assert_int_equal(lake_check(&f->s), 0);
	assert_int_equal(unlinkat(f->s.dir, "current/_delta_log/00000000000000000045.json", 0), 0);
	assert_int_equal(lake_check(&f->s), 1);
	fixture_damage(f, "series/_delta_log/00000000000000000050.json", SLICE("{}\n"));
	assert_int_equal(lake_check(&f->s), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_old_versions, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_check, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("old_versions", tests, NULL, NULL);
}
