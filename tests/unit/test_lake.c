/* SPDX-License-Identifier: MIT */
/* The lake: other writers, checkpoints, repair, files of current, every vintage. Faults: test_crash.c. */
#include "lake_fixture.h"
#include "store/series.h"

#define N(a) (sizeof(a) / sizeof(*(a)))
#define LOG "_delta_log/0000000000000000000"

static const char *const tables[] = {"stream", "current", "series"};

static glane_rc refresh(struct store *s, uint64_t n, struct diag *d)
{
	struct cell cells[KEYS];

	return fixture_refresh(s, "src", cells, lake_night(cells, n), T0 + (int64_t)n * 86400, d);
}

static void reopen(struct fixture *f, bool write)
{
	store_close(&f->s);
	if (store_open(&f->s, f->path, write, &f->d) < 0)
		fail_msg("%s", f->d.text);
}

static void test_first(void **state)
{
	static const char *const has[] = {"{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n",
		"\"delta.appendOnly\":\"true\"", "\\\"name\\\":\\\"value\\\",\\\"type\\\":\\\"double\\\"",
		"\"engineInfo\":\"glane/", "{\"txn\":{\"appId\":\"glane.log\",\"version\":0}}\n"};
	struct fixture *f = *state;
	struct strbuf b;

	strbuf_init(&b, 0);
	fixture_read(f, "stream/" LOG "0.json", &b);
	for (size_t i = 0; i < N(has); i++)
		assert_non_null(strstr(b.p, has[i]));
	fixture_read(f, "current/" LOG "0.json", &b);
	assert_null(strstr(b.p, "appendOnly"));
	assert_int_equal(f->s.lake->table[LAKE_CURRENT].id.n, 36);
	assert_non_null(strstr(b.p, "\"id\":\""));
	assert_memory_equal(strstr(b.p, "\"id\":\"") + 6, f->s.lake->table[LAKE_CURRENT].id.p, 36);
	assert_false(slice_eq(f->s.lake->table[LAKE_CURRENT].id, f->s.lake->table[LAKE_STREAM].id));
	assert_int_equal(refresh(&f->s, 1, &f->d), GLANE_OK);
	fixture_read(f, "stream/" LOG "1.json", &b);
	assert_non_null(strstr(b.p, "{\"txn\":{\"appId\":\"glane:src\",\"version\":1}}\n"));
	assert_non_null(strstr(b.p, "\\\"numRecords\\\":24"));
	assert_non_null(strstr(b.p, "\\\"nullCount\\\":{\\\"source\\\":0,"));
	fixture_read(f, "series/" LOG "1.json", &b);
	assert_non_null(strstr(b.p, "{\"txn\":{\"appId\":\"glane.stream\",\"version\":1}}\n"));
	assert_non_null(strstr(b.p, "\\\"numRecords\\\":3"));
	strbuf_release(&b);
}

/* A version that another program wrote is refused by all, and named. */
static void test_foreign(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(refresh(&f->s, 1, &f->d), GLANE_OK);
	for (size_t i = 0; i < N(tables); i++) {
		char name[64], path[160];

		(void)snprintf(name, sizeof(name), "%s/" LOG "2.json", tables[i]);
		fixture_damage(f, name,
			SLICE("{\"commitInfo\":{\"timestamp\":1,\"operation\":\"DELETE\",\"engineInfo\":\"Apache-Spark/"
			      "3.5\"}}\n"));
		store_close(&f->s);
		for (int w = 0; w < 2; w++) {
			assert_int_equal(store_open(&f->s, f->path, w, &f->d), GLANE_E_IO);
			assert_non_null(strstr(f->d.text, "version 2 was written by Apache-Spark/3.5, not by glane"));
			assert_int_equal(strstr(f->d.text, "is derived") != NULL, i > 0);
			diag_clear(&f->d);
		}
		(void)snprintf(path, sizeof(path), "%s/%s", f->path, name);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(store_open(&f->s, f->path, true, &f->d), GLANE_OK);
	}
	/* Between our look and our commit: the name is taken. */
	fixture_damage(f, "stream/" LOG "2.json", SLICE("{}\n"));
	assert_int_equal(refresh(&f->s, 2, &f->d), GLANE_E_IO);
	assert_non_null(strstr(f->d.text, "has another program written it?"));
	diag_clear(&f->d);
	assert_int_equal(refresh(&f->s, 2, &f->d), GLANE_E_IO);
}

/* The checkpoint says what the versions say; each is enough. */
static void test_checkpoint(void **state)
{
	struct fixture *f = *state;
	struct strbuf want, got;
	char name[64], id[36];

	memcpy(id, f->s.lake->table[LAKE_STREAM].id.p, sizeof(id));
	strbuf_init(&want, 0);
	strbuf_init(&got, 0);
	for (uint64_t n = 1; n <= 23; n++)
		assert_int_equal(refresh(&f->s, n, &f->d), GLANE_OK);
	lake_export(&f->s, &want, INT64_MAX);
	assert_true(file_exists(f->s.dir, "stream/_delta_log/00000000000000000020.checkpoint.parquet"));
	fixture_read(f, "stream/_delta_log/_last_checkpoint", &got);
	assert_non_null(strstr(got.p, "\"version\":20"));
	reopen(f, true);
	assert_int_equal(f->s.lake->table[LAKE_STREAM].checkpoint, 20);
	assert_int_equal(f->s.lake->table[LAKE_STREAM].version, 23);
	assert_int_equal(f->s.lake->table[LAKE_STREAM].id.n, 36);
	assert_memory_equal(f->s.lake->table[LAKE_STREAM].id.p, id, 36); /* as the first version gave it */
	assert_int_equal(lake_check(&f->s), 0);
	lake_export(&f->s, &got, INT64_MAX);
	assert_string_equal(got.p, want.p);
	fixture_damage(f, "stream/_delta_log/00000000000000000020.checkpoint.parquet", SLICE("PAR1 no more"));
	reopen(f, true);
	assert_int_equal(f->s.lake->table[LAKE_STREAM].checkpoint, -1);
	lake_export(&f->s, &got, INT64_MAX);
	assert_string_equal(got.p, want.p);
	for (int v = 0; v < 20; v++) {
		(void)snprintf(name, sizeof(name), "current/_delta_log/%020d.json", v);
		assert_int_equal(unlinkat(f->s.dir, name, 0), 0);
	}
	reopen(f, false);
	lake_export(&f->s, &got, INT64_MAX);
	assert_string_equal(got.p, want.p);
	strbuf_release(&want);
	strbuf_release(&got);
}

static void remove_folder(const struct fixture *f, const char *name)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/%s", f->path, name);
	assert_int_equal(nftw(path, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Current and series are derived: without them readers see the same, and the next writer makes them again. */
static void test_repair(void **state)
{
	struct fixture *f = *state;
	struct strbuf want, got;
	char name[64];

	strbuf_init(&want, 0);
	strbuf_init(&got, 0);
	for (uint64_t n = 1; n <= 4; n++)
		assert_int_equal(refresh(&f->s, n, &f->d), GLANE_OK);
	lake_export(&f->s, &want, INT64_MAX);
	for (int round = 0; round < 3; round++) {
		if (round != 1)
			remove_folder(f, "current");
		if (round != 0)
			remove_folder(f, "series");
		reopen(f, false);
		lake_export(&f->s, &got, INT64_MAX);
		assert_string_equal(got.p, want.p);
		reopen(f, true);
		assert_true(lake_in_step(&f->s, "src"));
		assert_int_equal(lake_check(&f->s), 0);
		lake_export(&f->s, &got, INT64_MAX);
		assert_string_equal(got.p, want.p);
	}
	/* A version of current that is gone: what it lacks comes back too. */
	assert_int_equal(refresh(&f->s, 5, &f->d), GLANE_OK);
	lake_export(&f->s, &want, INT64_MAX);
	assert_int_equal(unlinkat(f->s.dir, "series/" LOG "2.json", 0), 0);
	reopen(f, true);
	assert_int_equal(lake_check(&f->s), 0);
	/* A rebuild that was cut between current and series. */
	remove_folder(f, "current");
	reopen(f, true);
	(void)snprintf(name, sizeof(name), "series/_delta_log/%020d.json", (int)f->s.lake->table[LAKE_SERIES].version);
	assert_int_equal(unlinkat(f->s.dir, name, 0), 0);
	reopen(f, true);
	assert_int_equal(lake_check(&f->s), 0);
	lake_export(&f->s, &got, INT64_MAX);
	assert_string_equal(got.p, want.p);
	strbuf_release(&want);
	strbuf_release(&got);
}

struct paths {
	char v[8][DELTA_NAME];
	size_t n;
};

static void list_current(const struct store *s, struct paths *p)
{
	const struct delta *t = &s->lake->table[LAKE_CURRENT];

	p->n = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (t->files[i].removed_ms)
			continue;
		assert_true(p->n < 8);
		/* Each has its twin. */
		assert_non_null(delta_find(&s->lake->table[LAKE_SERIES], t->files[i].path));
		(void)snprintf(p->v[p->n++], DELTA_NAME, "%.*s", SLICE_FMT(t->files[i].path));
	}
}

static size_t in_both(const struct paths *a, const struct paths *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n; k++)
			n += strcmp(a->v[i], b->v[k]) == 0;
	}
	return n;
}

/* Files are cut between series only; a night writes anew those in which something changed. */
static void test_segments(void **state)
{
	struct fixture *f = *state;
	struct paths before, after;
	struct cell cells[KEYS + 4];
	struct strbuf one, many;
	size_t k;

	strbuf_init(&one, 0);
	strbuf_init(&many, 0);
	for (int round = 0; round < 2; round++) {
		const char *source = round ? "many" : "one";

		f->s.lake->file_rows = round ? 3 : LAKE_FILE_ROWS;
		k = lake_night(cells, 1);
		assert_int_equal(fixture_refresh(&f->s, source, cells, k, T0, &f->d), GLANE_OK);
		list_current(&f->s, &before);
		assert_int_equal(before.n, round ? 4 : 1);
		/* Another year behind the first series, one before the second, a series before and one behind all. */
		cells[k++] = (struct cell){"I", "BEN", 2010, 7, 0, NULL, 0};
		cells[k++] = (struct cell){"I", "MLI", 1990, 7, 0, NULL, 0};
		assert_int_equal(fixture_refresh(&f->s, source, cells, k, T0 + 60, &f->d), GLANE_OK);
		list_current(&f->s, &after);
		assert_int_equal(in_both(&before, &after), round ? 2 : 0); /* of "many" the third, and "one" */
		cells[k++] = (struct cell){"I", "AAA", 2000, 7, 0, NULL, 0};
		cells[k++] = (struct cell){"I", "ZZZ", 2000, 7, 0, NULL, 0};
		assert_int_equal(fixture_refresh(&f->s, source, cells, k, T0 + 120, &f->d), GLANE_OK);
		list_current(&f->s, &after);
		assert_int_equal(lake_check(&f->s), 0);
	}
	{
		static const char *sources[][2] = {{"one", NULL}, {"many", NULL}};
		struct query q = {.as_of = INT64_MAX, .source = sources[0]};

		assert_int_equal(fixture_export(&f->s, &q, &one, &f->d), GLANE_OK);
		q.source = sources[1];
		assert_int_equal(fixture_export(&f->s, &q, &many, &f->d), GLANE_OK);
	}
	for (const char *a = one.p, *b = many.p; *a || *b;) {
		const char *x = strchr(a, '\n'), *y = strchr(b, '\n');

		assert_non_null(x);
		assert_non_null(y);
		assert_memory_equal(strstr(a, ",DS,"), strstr(b, ",DS,"), 20);
		a = x + 1;
		b = y + 1;
	}
	strbuf_release(&one);
	strbuf_release(&many);
}

/* A source that grows every night keeps files of a good size: none is cut off for a row or two. */
static void test_growth(void **state)
{
	struct fixture *f = *state;
	struct cell cells[26];
	char areas[26][4];
	struct paths files;

	f->s.lake->file_rows = 8;
	for (size_t night = 0; night < 26; night++) {
		(void)snprintf(areas[night], sizeof(areas[night]), "AA%c", (char)('A' + night * 7 % 26));
		cells[night] = (struct cell){"I", areas[night], 2000, 7, 0, NULL, 0};
		if (night < 7)
			continue;
		assert_int_equal(
			fixture_refresh(&f->s, "one", cells, night + 1, T0 + 60 * (int64_t)night, &f->d), GLANE_OK);
		list_current(&f->s, &files);
		for (size_t i = 0; i < f->s.lake->table[LAKE_CURRENT].n; i++) {
			const struct delta_file *file = &f->s.lake->table[LAKE_CURRENT].files[i];

			assert_true(file->removed_ms || file->rows >= 4);
		}
	}
	assert_in_range(files.n, 2, 4);
	assert_int_equal(lake_check(&f->s), 0);
}

static void licensed(struct fixture *f, const struct cell *cells, size_t n, int64_t now)
{
	const struct cover full = {.kind = GLANE_COVER_FULL, .dataset = SLICE("DS")};
	struct diff_input in = {.source = "one", .now = now, .gate = {.accept = true}, .licence = "CC BY 4.0"};
	struct diff_result r;

	assert_int_equal(fixture_diff_in(&f->s, &in, cells, n, &full, 1, &r, &f->d), GLANE_OK);
	assert_int_equal(fixture_commit(&f->s, "one", &r, &f->d), GLANE_OK);
	diff_release(&r);
}

static glane_rc count_licensed(void *arg, const struct series_row *r)
{
	size_t *n = arg;

	*n += slice_is(r->licence, "CC BY 4.0");
	return GLANE_OK;
}

/* What only the table of series holds outlives the loss of current, in whatever order its files were written. */
static void test_licences(void **state)
{
	const struct query all = {.as_of = INT64_MAX};
	struct fixture *f = *state;
	struct cell cells[26];
	char areas[26][4];
	size_t n = 0;

	f->s.lake->file_rows = 8;
	for (size_t i = 0; i < 26; i++) {
		(void)snprintf(areas[i], sizeof(areas[i]), "AA%c", (char)('A' + i));
		cells[i] = (struct cell){"I", areas[i], 2000, 7, 0, NULL, 0};
	}
	licensed(f, cells, 26, T0);
	cells[1].coef += 1; /* the first file is written anew, behind the others */
	licensed(f, cells, 26, T0 + 86400);
	assert_int_equal(series_run(&f->s, &all, count_licensed, &n, &f->d), GLANE_OK);
	assert_int_equal(n, 26);
	remove_folder(f, "current");
	reopen(f, true);
	n = 0;
	assert_int_equal(series_run(&f->s, &all, count_licensed, &n, &f->d), GLANE_OK);
	assert_int_equal(n, 26);
	assert_int_equal(lake_check(&f->s), 0);
}

static size_t stream_files(const struct store *s)
{
	const struct delta *t = &s->lake->table[LAKE_STREAM];
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->files[i].removed_ms == 0;
	return n;
}

/* Small stream files become one; nothing that is read changes, not even by moment. */
static void test_upkeep(void **state)
{
	struct fixture *f = *state;
	struct strbuf want[3], got;

	strbuf_init(&got, 0);
	for (uint64_t k = 1; k <= 70; k++) {
		assert_int_equal(refresh(&f->s, k, &f->d), GLANE_OK);
		if (k == 30 || k == 65)
			assert_int_equal(store_upkeep(&f->s, &f->d), GLANE_OK);
	}
	for (size_t i = 0; i < 3; i++) {
		strbuf_init(&want[i], 0);
		lake_export(&f->s, &want[i], T0 + (int64_t)(10 + 25 * i) * 86400);
	}
	assert_int_equal(store_upkeep(&f->s, &f->d), GLANE_OK);
	assert_int_equal(store_upkeep(&f->s, &f->d), GLANE_OK);
	assert_int_equal(stream_files(&f->s), 6); /* 65 into one at 65, five since then */
	for (size_t i = 0; i < 3; i++) {
		lake_export(&f->s, &got, T0 + (int64_t)(10 + 25 * i) * 86400);
		assert_string_equal(got.p, want[i].p);
		strbuf_release(&want[i]);
	}
	assert_int_equal(lake_check(&f->s), 0);
	reopen(f, true);
	assert_true(lake_in_step(&f->s, "src"));
	assert_int_equal(
		delta_txn(&f->s.lake->table[LAKE_CURRENT], "glane.stream"), f->s.lake->table[LAKE_STREAM].version);
	assert_int_equal(refresh(&f->s, 71, &f->d), GLANE_OK);
	assert_int_equal(lake_check(&f->s), 0);
	strbuf_release(&got);
}

/* What is too much for one run is done by several. */
static void test_upkeep_bounded(void **state)
{
	struct fixture *f = *state;
	size_t n = 40, now;

	for (uint64_t k = 1; k <= n; k++)
		assert_int_equal(refresh(&f->s, k, &f->d), GLANE_OK);
	f->s.lake->upkeep_bytes = 16384;
	while (n > LAKE_STREAM_FILES) {
		assert_int_equal(store_upkeep(&f->s, &f->d), GLANE_OK);
		now = stream_files(&f->s);
		assert_in_range(now, n - 15, n - 1);
		n = now;
	}
	assert_int_equal(lake_check(&f->s), 0);
}

/* ---- every vintage ---- */

#define SOURCES 3
#define AREAS 5
#define YEARS 6

struct oracle { /* kept outside the store: what each export gave, and when */
	struct strbuf *taken;
	int64_t *moment;
	bool there[SOURCES][AREAS][YEARS];
	int value[SOURCES][AREAS][YEARS];
	uint64_t seed;
};

static unsigned dice(struct oracle *o, unsigned n)
{
	o->seed = o->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(o->seed >> 33) % n;
}

/* Values move, keys go and come back, and on some nights nothing changes. */
static size_t random_night(struct oracle *o, size_t source, struct cell *cells)
{
	static const char *const areas[AREAS] = {"BEN", "BFA", "CIV", "GHA", "TGO"};
	bool quiet = dice(o, 3) == 0;
	size_t n = 0;

	for (size_t a = 0; a < AREAS; a++) {
		for (size_t y = 0; y < YEARS; y++) {
			bool *there = &o->there[source][a][y];

			if (!quiet && dice(o, 12) == 0)
				o->value[source][a][y] += (int)dice(o, 3) - 1;
			if (!quiet && dice(o, 25) == 0)
				*there = !*there;
			if (*there || n == 0)
				cells[n++] = (struct cell){a % 2 ? "J" : "I", areas[a], (int32_t)(2000 + y),
					o->value[source][a][y], (int8_t) - (int)(y % 3), NULL, 0};
		}
	}
	return n;
}

static void one_night(struct fixture *f, struct oracle *o, size_t night_number)
{
	static const char *const sources[SOURCES] = {"a", "b-2", "c"};
	const struct cover full = {.kind = GLANE_COVER_FULL, .dataset = SLICE("DS")};
	int64_t at = store_moment(&f->s, T0 + (int64_t)night_number * 3600 - (int64_t)dice(o, 3) * 7200);

	for (size_t i = 0; i < SOURCES; i++) {
		struct cell cells[AREAS * YEARS];
		size_t n = random_night(o, i, cells);
		struct batch b;
		struct diff_input in = {.source = sources[i],
			.batch = &b,
			.now = at,
			.run = "20261123T234435Z",
			.cause = "source",
			.gate = {.accept = true}};
		struct diff_result r;
		uint64_t made;

		assert_int_equal(fixture_batch(&f->s, &b, cells, n, &full, 1, &f->d), GLANE_OK);
		assert_int_equal(store_commit_number(&f->s, sources[i], &in.previous, &f->d), GLANE_OK);
		assert_int_equal(diff_run(&f->s, &in, &r, &f->d), GLANE_OK);
		if (r.events) {
			json_t *state = json_object();

			assert_int_equal(
				diff_commit(&f->s, sources[i], in.previous, &r, state, &made, &f->d), GLANE_OK);
			json_decref(state);
		}
		diff_release(&r);
		batch_release(&b);
	}
	/* All sources of a night are one version, or none. */
	assert_int_equal(store_publish(&f->s, &f->d), GLANE_OK);
	assert_int_equal(store_upkeep(&f->s, &f->d), GLANE_OK);
	o->moment[night_number] = store_last_moment(&f->s);
	lake_export(&f->s, &o->taken[night_number], INT64_MAX);
}

/* Every edition comes back byte for byte as it was first exported, whatever was compacted, reopened or rebuilt since. */
static void test_vintages(void **state)
{
	size_t nights = getenv("GLANE_LONG") ? 1000 : 90;
	struct fixture *f = *state;
	struct oracle o = {.seed = 20261123};
	struct strbuf again;

	o.taken = mem_zalloc(nights, sizeof(*o.taken));
	o.moment = mem_zalloc(nights, sizeof(*o.moment));
	assert_non_null(o.taken);
	assert_non_null(o.moment);
	strbuf_init(&again, 0);
	memset(o.there, true, sizeof(o.there));
	f->s.lake->file_rows = 7;
	for (size_t i = 0; i < nights; i++) {
		strbuf_init(&o.taken[i], 0);
		one_night(f, &o, i);
		if (i % 17 == 16) {
			if (i % 2)
				remove_folder(f, "current");
			reopen(f, true);
			f->s.lake->file_rows = 7;
		}
	}
	assert_int_equal(lake_check(&f->s), 0);
	for (size_t i = 0; i < nights; i++) {
		lake_export(&f->s, &again, o.moment[i]);
		assert_string_equal(again.p, o.taken[i].p);
		strbuf_release(&o.taken[i]);
	}
	strbuf_release(&again);
	mem_free(o.taken);
	mem_free(o.moment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_foreign, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_checkpoint, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_repair, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_segments, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_growth, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_licences, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_upkeep, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_upkeep_bounded, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_vintages, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("lake", tests, NULL, NULL);
}
