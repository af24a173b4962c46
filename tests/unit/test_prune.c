/* SPDX-License-Identifier: MIT */
/* What queries pass over: random filters on a random store give exactly what the same filters, applied to all of its rows,
 * give; files whose statistics lie are found by a check. */
#include "store_fixture.h"

#include "store/events.h"
#include "store/series.h"
#include "store/vintages.h"

#define QUERIES 150
#define COMMITS 4
#define FILE_ROWS 300
#define N(a) (sizeof(a) / sizeof(*(a)))

static const char *const sources[] = {"alpha", "beta", "gamma"}, *const datasets[] = {"D1", "D2"},
			 *const indicators[] = {"AA", "AB", "AB.C", "B", "C\xc3\xa9",
				 "Z-a-very-long-indicator-code-beyond-32-bytes",
				 "Z-a-very-long-indicator-code-beyond-33-bytes"},
			 *const areas[] = {"BEN", "CIV", "TGO", "SEN", "M49:002", "WB:X"},
			 *const dims[] = {"", "SEX=F", "AGE=Y;SEX=M"};

static uint32_t dice;

static uint32_t roll(uint32_t n)
{
	dice = dice * 1664525U + 1013904223U;
	return (dice >> 8) % n;
}

/* ---- the store ---- */

/* Observations of a series: of one in three none, of some in another area than the last time. */
static void put_series(struct batch *b, const struct series *s, uint32_t commit, struct diag *d)
{
	static const int32_t first[] = {1990, 1990 * 4, 1990 * 12};
	size_t freq = s->freq == 'A' ? 0 : s->freq == 'Q' ? 1 : 2;
	uint32_t n = roll(3) ? 1 + roll(40) : 0, at;

	assert_int_equal(batch_series(b, s, &at, d), GLANE_OK);
	for (uint32_t i = 0; i < n; i++) {
		struct batch_obs o = {.series = at,
			.period = first[freq] + (int32_t)i,
			.coef = (int64_t)(i * 100 + (roll(10) ? 0 : commit)),
			.exp10 = -1,
			.status = 'A',
			.payload = 1};

		assert_int_equal(batch_push(b, &o, 1, d), GLANE_OK);
	}
}

static void put_batch(struct batch *b, uint32_t commit, struct diag *d)
{
	static const char freqs[] = {'A', 'Q', 'M'};

	for (size_t ds = 0; ds < N(datasets); ds++) {
		for (size_t in = 0; in < N(indicators); in++) {
			for (size_t ar = 0; ar < N(areas); ar++) {
				struct series s = {.dataset = slice_of(datasets[ds]),
					.indicator = slice_of(indicators[in]),
					.area_code = slice_of(areas[ar]),
					.area = slice_of(areas[(ar + (commit > 1 && ar % 2)) % N(areas)]),
					.dims = slice_of(dims[roll(N(dims))]),
					.freq = freqs[roll(N(freqs))]};

				put_series(b, &s, commit, d);
			}
		}
	}
}

static void commit_one(struct fixture *f, const char *source, uint32_t commit)
{
	static const struct cover full[] = {
		{.kind = GLANE_COVER_FULL, .dataset = {"D1", 2}}, {.kind = GLANE_COVER_FULL, .dataset = {"D2", 2}}};
	struct batch b;
	struct diff_result r;
	struct diff_input in = {
		.source = source, .batch = &b, .now = T0 + commit * 60, .run = "20261123T234435Z", .cause = "source"};
	uint32_t payload;

	assert_int_equal(batch_init(&b, f->s.tmp, &f->d), GLANE_OK);
	assert_int_equal(batch_payload(&b, SLICE("aa6ff1c2f6f2d8f7a3a4b6b7b8b9c0c1c2c3c4c5c6c7c8c9d0d1d2d3d4d5d6d7"),
				 &payload, &f->d),
		GLANE_OK);
	put_batch(&b, commit, &f->d);
	for (size_t i = 0; i < N(full); i++)
		assert_int_equal(batch_cover(&b, &full[i], &f->d), GLANE_OK);
	assert_int_equal(batch_finish(&b, NULL, NULL, &f->d), GLANE_OK);
	in.gate.accept = true;
	assert_int_equal(store_commit_number(&f->s, source, &in.previous, &f->d), GLANE_OK);
	assert_int_equal(diff_run(&f->s, &in, &r, &f->d), GLANE_OK);
	assert_true(r.events > 100);
	assert_int_equal(fixture_commit(&f->s, source, &r, &f->d), GLANE_OK);
	diff_release(&r);
	batch_release(&b);
}

static void fill(struct fixture *f)
{
	dice = 20261128;
	f->s.lake->file_rows = FILE_ROWS;
	for (uint32_t i = 0; i < COMMITS; i++) {
		for (size_t k = 0; k < N(sources); k++)
			commit_one(f, sources[k], i);
	}
}

/* ---- what is asked ---- */

struct asked {
	const char *source[3], *dataset[3], *indicator[4], *area[4], *freq[3], *dim[3], *group[2];
	struct catalogue_item item;
	const struct catalogue_item *catalogue[1];
	struct query q;
};

static const char **choose(const char **to, size_t most, const char *const *from, size_t n, uint32_t odds)
{
	size_t k = roll(odds) ? 0 : 1 + roll((uint32_t)most - 1);

	for (size_t i = 0; i < k; i++)
		to[i] = roll(12) ? from[roll((uint32_t)n)] : "nowhere";
	to[k] = NULL;
	return to;
}

static void ask(struct asked *a, const struct areas *tables, const int64_t *moments)
{
	static const char *const freqs[] = {"A", "Q", "M"}, *const pairs[] = {"SEX=F", "SEX=M", "AGE=Y"},
				 *const from[] = {"1990", "1993-Q2", "1999-01", "2040"},
				 *const to[] = {"1991", "1994-06", "2030"}, *const groups[] = {"LDC"};
	static const struct slice texts[] = {{"AB*", 3}, {"AB", 2}, {"", 0}, {"Z-a*", 4}, {"*", 1}};

	*a = (struct asked){.item.indicator = texts[roll(N(texts))]};
	a->q = (struct query){.source = choose(a->source, 2, sources, N(sources), 3),
		.dataset = choose(a->dataset, 2, datasets, N(datasets), 3),
		.indicator = choose(a->indicator, 3, indicators, N(indicators), 2),
		.area = choose(a->area, 3, areas, N(areas), 2),
		.freq = choose(a->freq, 2, freqs, N(freqs), 4),
		.dim = choose(a->dim, 2, pairs, N(pairs), 5),
		.group = choose(a->group, 2, groups, N(groups), 5),
		.from = roll(4) ? NULL : from[roll(N(from))],
		.to = roll(4) ? NULL : to[roll(N(to))],
		.as_of = roll(3) ? INT64_MAX : moments[roll(COMMITS)] + (int64_t)roll(3) - 1,
		.withdrawn = roll(2),
		.areas = tables,
		.group_on = 18000};
	if (a->dim[0] && !strchr(a->dim[0], '='))
		a->dim[0] = "SEX=X";
	if (a->group[0])
		a->group[0] = "LDC";
	if (roll(5) == 0) {
		a->item.source = roll(2) ? slice_of(sources[roll(N(sources))]) : SLICE("");
		a->item.dataset = roll(2) ? slice_of(datasets[roll(N(datasets))]) : SLICE("");
		a->catalogue[0] = &a->item;
		a->q.catalogue = a->catalogue;
		a->q.n_catalogue = 1;
	}
}

/* ---- the same, slowly ---- */

static bool any(const char **list, struct slice s)
{
	bool found = !list[0];

	for (; *list; list++)
		found = found || slice_is(s, *list);
	return found;
}

static bool fits_item(const struct catalogue_item *i, const struct row *r)
{
	struct slice code = i->indicator;
	bool star = code.n && code.p[code.n - 1] == '*';

	if (i->source.n && !slice_eq(i->source, r->source))
		return false;
	if (i->dataset.n && !slice_eq(i->dataset, r->dataset))
		return false;
	if (code.n == 0)
		return true;
	if (!star)
		return slice_eq(code, r->indicator);
	code.n--;
	return r->indicator.n >= code.n && slice_eq(code, (struct slice){r->indicator.p, code.n});
}

static bool has_pair(struct slice have, const char *pair)
{
	return slice_is(have, pair) ||
	       (slice_is(have, "AGE=Y;SEX=M") && (strcmp(pair, "AGE=Y") == 0 || strcmp(pair, "SEX=M") == 0));
}

/* Days of the bounds that ask() may set. */
static int64_t day_of(const char *text, bool end)
{
	static const struct {
		const char *text;
		int y, m, last_y, last_m;
	} known[] = {{"1990", 1990, 1, 1991, 1}, {"1993-Q2", 1993, 4, 1993, 7}, {"1999-01", 1999, 1, 1999, 2},
		{"2040", 2040, 1, 2041, 1}, {"1991", 1991, 1, 1992, 1}, {"1994-06", 1994, 6, 1994, 7},
		{"2030", 2030, 1, 2031, 1}};

	for (size_t i = 0; i < N(known); i++) {
		if (strcmp(known[i].text, text) == 0)
			return end ? days_from_civil(known[i].last_y, (unsigned)known[i].last_m, 1) - 1
				   : days_from_civil(known[i].y, (unsigned)known[i].m, 1);
	}
	fail_msg("an unknown bound %s", text);
	return 0;
}

struct slow {
	const struct asked *a;
	struct strbuf *b;
	size_t all;
};

static glane_rc slow_row(void *arg, struct row *r)
{
	struct slow *s = arg;
	const struct asked *a = s->a;
	bool in = any((const char **)(uintptr_t)a->source, r->source) &&
		  any((const char **)(uintptr_t)a->dataset, r->dataset) &&
		  any((const char **)(uintptr_t)a->indicator, r->indicator) &&
		  any((const char **)(uintptr_t)a->area, r->area) &&
		  any((const char **)(uintptr_t)a->freq, (struct slice){&r->freq, 1});

	s->all++;
	in = in && (!a->dim[0] || has_pair(r->dims, a->dim[0]));
	in = in && (!a->group[0] || slice_is(r->area, "TGO") || slice_is(r->area, "BEN"));
	in = in && (!a->q.from || r->period_start >= day_of(a->q.from, false));
	in = in && (!a->q.to || r->period_start <= day_of(a->q.to, true));
	in = in && (!a->q.catalogue || fits_item(&a->item, r));
	in = in && (a->q.withdrawn || !slice_is(r->event, "withdrawn"));
	if (in)
		row_csv(s->b, r, ROW_COLUMNS_ALL);
	return GLANE_OK;
}

static void load_tables(struct fixture *f, struct areas *ret)
{
	fixture_damage(f, "economies.csv",
		SLICE("iso3,iso2,m49,name_en,name_fr\nBEN,BJ,204,Benin,B\nTGO,TG,768,Togo,T\nCIV,CI,384,C,C\nSEN,SN,"
		      "686,S,S\n"));
	fixture_damage(f, "areas.csv", SLICE("scheme,code,area,valid_from,valid_to\n"));
	fixture_damage(
		f, "groups.csv", SLICE("group,area,valid_from,valid_to\nLDC,TGO,1982-01-01,\nLDC,BEN,1971-01-01,\n"));
	assert_int_equal(areas_load(ret, f->path, &f->d), GLANE_OK);
}

static void compare(struct fixture *f, const struct areas *tables, size_t *ret_hits)
{
	static const int64_t moments[COMMITS] = {T0, T0 + 60, T0 + 120, T0 + 180};
	struct strbuf fast, slow;

	strbuf_init(&fast, 0);
	strbuf_init(&slow, 0);
	for (int i = 0; i < QUERIES; i++) {
		struct asked a;
		struct query everything = {.as_of = 0, .withdrawn = true};
		struct slow s = {&a, &slow, 0};

		ask(&a, tables, moments);
		if (a.q.from && a.q.to && day_of(a.q.from, false) > day_of(a.q.to, true)) {
			assert_int_equal(fixture_export(&f->s, &a.q, &fast, &f->d), GLANE_E_CONFIG);
			diag_clear(&f->d);
			continue;
		}
		everything.as_of = a.q.as_of;
		strbuf_reset(&slow);
		assert_int_equal(query_run(&f->s, &everything, slow_row, &s, &f->d), GLANE_OK);
		assert_int_equal(fixture_export(&f->s, &a.q, &fast, &f->d), GLANE_OK);
		assert_true(slice_eq(strbuf_get(&fast), strbuf_get(&slow)));
		*ret_hits += fast.n != 0;
	}
	strbuf_release(&fast);
	strbuf_release(&slow);
}

static void test_random(void **state)
{
	struct fixture *f = *state;
	struct delta_file *files;
	struct areas tables;
	struct arena arena;
	size_t n, hits = 0;

	fill(f);
	load_tables(f, &tables);
	arena_init(&arena, 0);
	assert_int_equal(lake_files(&f->s, LAKE_CURRENT, "alpha", &arena, &files, &n, &f->d), GLANE_OK);
	assert_true(n > 4);
	arena_release(&arena);
	compare(f, &tables, &hits);
	assert_in_range(hits, QUERIES / 8, QUERIES);
	areas_release(&tables);
}

/* A reader that comes when current is behind reads the stream, with the same answers. */
static void test_behind(void **state)
{
	struct fixture *f = *state;
	struct areas tables;
	size_t hits = 0;
	char folder[80];

	fill(f);
	load_tables(f, &tables);
	store_close(&f->s);
	(void)snprintf(folder, sizeof(folder), "%s/current", f->path);
	fixture_remove(folder);
	assert_int_equal(store_open(&f->s, f->path, false, &f->d), GLANE_OK);
	assert_false(lake_in_step(&f->s, "alpha"));
	compare(f, &tables, &hits);
	assert_in_range(hits, QUERIES / 8, QUERIES);
	areas_release(&tables);
}

/* Files that cannot hold what is asked for are not opened: they may be damaged or gone. */
static void test_unopened(void **state)
{
	static const char first[] = "\"minValues\":{\"source\":\"alpha\",\"dataset\":\"D1\",\"indicator\":\"AA\"";
	struct fixture *f = *state;
	const char *one[] = {"AA", NULL}, *dataset[] = {"D1", NULL}, *alpha[] = {"alpha", NULL};
	struct query q = {.source = alpha, .dataset = dataset, .indicator = one, .as_of = INT64_MAX},
		     all = {.as_of = INT64_MAX};
	struct delta_file *files;
	struct strbuf before, after;
	struct arena arena;
	size_t n, gone = 0;

	fill(f);
	strbuf_init(&before, 0);
	strbuf_init(&after, 0);
	assert_int_equal(fixture_export(&f->s, &q, &before, &f->d), GLANE_OK);
	assert_true(before.n > 0);
	arena_init(&arena, 0);
	assert_int_equal(lake_files(&f->s, LAKE_CURRENT, "alpha", &arena, &files, &n, &f->d), GLANE_OK);
	for (size_t i = 0; i < n; i++) {
		char path[DELTA_NAME];

		if (memmem(files[i].stats.p, files[i].stats.n, first, strlen(first)))
			continue;
		(void)snprintf(path, sizeof(path), "%.*s", SLICE_FMT(files[i].path));
		assert_int_equal(unlinkat(f->s.lake->table[LAKE_CURRENT].dir, path, 0), 0);
		gone++;
	}
	assert_in_range(gone, 2, n - 1);
	assert_int_equal(fixture_export(&f->s, &q, &after, &f->d), GLANE_OK);
	assert_true(slice_eq(strbuf_get(&before), strbuf_get(&after)));
	assert_int_equal(fixture_export(&f->s, &all, &after, &f->d), GLANE_E_IO);
	arena_release(&arena);
	strbuf_release(&before);
	strbuf_release(&after);
}

static glane_rc count_one(void *arg, int dir, const char *name)
{
	size_t *n = arg;

	(void)dir;
	(void)name;
	++*n;
	return GLANE_OK;
}

static size_t count_open(void)
{
	size_t n = 0;

	assert_int_equal(folder_each(AT_FDCWD, "/proc/self/fd", count_one, &n, NULL), GLANE_OK);
	return n;
}

struct watch {
	struct strbuf b;
	size_t most;
};

static glane_rc watch_row(void *arg, struct row *r)
{
	struct watch *w = arg;
	size_t now = count_open();

	w->most = now > w->most ? now : w->most;
	row_csv(&w->b, r, ROW_COLUMNS_ALL);
	return GLANE_OK;
}

/* More stream files than may be open at once, as of a moment: the rows are those of the export taken then, no temporary file stays. */
static void test_many_files(void **state)
{
	struct fixture *f = *state;
	struct strbuf taken;
	struct watch w = {.most = 0};
	struct query q = {.as_of = INT64_MAX, .withdrawn = true};
	char folder[96];
	size_t before, left = 0;

	strbuf_init(&taken, 0);
	strbuf_init(&w.b, 0);
	for (int i = 0; i < 2 * EVENTS_OPEN_MAX + 20; i++) {
		const struct cell cells[] = {{"A", "TGO", 2000, i, 0, NULL, 0}, {"A", "TGO", 2001 + i, i, 0, NULL, 0},
			{"A", "BEN", 2000, i % 3, 0, NULL, 0}};
		const struct cover none = {.kind = GLANE_COVER_NONE, .dataset = SLICE("DS")};
		struct diff_result r;

		assert_int_equal(fixture_diff(&f->s, "src", cells, 3, &none, 1, T0 + i * 60, &r, &f->d), GLANE_OK);
		assert_int_equal(fixture_commit(&f->s, "src", &r, &f->d), GLANE_OK);
		diff_release(&r);
		if (i == 2 * EVENTS_OPEN_MAX + 10)
			assert_int_equal(fixture_export(&f->s, &q, &taken, &f->d), GLANE_OK);
	}
	(void)snprintf(folder, sizeof(folder), "%s/tmp", f->path);
	assert_int_equal(setenv("TMPDIR", folder, 1), 0);
	before = count_open();
	q.as_of = T0 + (2 * EVENTS_OPEN_MAX + 10) * 60;
	assert_int_equal(query_run(&f->s, &q, watch_row, &w, &f->d), GLANE_OK);
	assert_string_equal(w.b.p, taken.p);
	assert_in_range(w.most, before + EVENTS_OPEN_MAX / 2, before + EVENTS_OPEN_MAX + 4);
	assert_int_equal(count_open(), before);
	assert_int_equal(folder_each(AT_FDCWD, folder, count_one, &left, NULL), GLANE_OK);
	assert_int_equal(left, 0);
	assert_int_equal(unsetenv("TMPDIR"), 0);
	strbuf_release(&taken);
	strbuf_release(&w.b);
}

static glane_rc count_series(void *arg, const struct series_row *s)
{
	size_t *n = arg;

	(void)s;
	++*n;
	return GLANE_OK;
}

static glane_rc count_event(void *arg, const struct row *r)
{
	size_t *n = arg;

	(void)r;
	++*n;
	return GLANE_OK;
}

static glane_rc count_match(void *arg, struct row *r)
{
	return count_event(arg, r);
}

/* The one allocation fails: then that is said, or it was not needed, and all that there is comes. Nothing leaks. From current, from the
 * stream, of the table of series, of one series. */
static void test_starved(void **state)
{
	static const struct cell cells[] = {{"AAA", "BEN", 2019, 1, 0, NULL, 0}, {"BBB", "TGO", 2020, 2, 0, NULL, 0}};
	static const size_t want[] = {2, 1, 2, 1};
	const struct row key = {.source = SLICE("src"),
		.dataset = SLICE("DS"),
		.indicator = SLICE("BBB"),
		.area_code = SLICE("TGO"),
		.dims = SLICE(""),
		.freq = 'A'};
	struct fixture *f = *state;
	const char *both[] = {"AAA", "BBB", NULL}, *area[] = {"TGO", "BEN", NULL};
	struct query q = {.indicator = both, .area = area, .from = "2000", .as_of = INT64_MAX}, then = q;

	assert_int_equal(fixture_refresh(&f->s, "src", cells, 1, T0, &f->d), GLANE_OK);
	assert_int_equal(fixture_refresh(&f->s, "src", cells, 2, T0 + 60, &f->d), GLANE_OK);
	then.as_of = T0 + 30;
	for (int kind = 0; kind < 4; kind++) {
		size_t failed = 0, n;
		glane_rc rc;

		for (long at = 1; at < 400; at++) {
			n = 0;
			diag_clear(&f->d);
			mem_fail_after(at, false);
			if (kind < 2)
				rc = query_run(&f->s, kind ? &then : &q, count_match, &n, &f->d);
			else if (kind == 2)
				rc = series_run(&f->s, &q, count_series, &n, &f->d);
			else
				rc = vintages_run(&f->s, &key, INT64_MAX, count_event, &n, &f->d);
			mem_fail_after(0, false);
			/* A footer that has no room in memory may as well be one that is not sane. */
			assert_true(rc == GLANE_OK || rc == GLANE_E_NOMEM || strstr(f->d.text, "no memory"));
			assert_true(rc != GLANE_OK || n == want[kind]);
			failed += rc != GLANE_OK;
		}
		assert_in_range(failed, 20, 390);
	}
}

static size_t replace(struct strbuf *b, size_t from, const char *what, const char *with)
{
	size_t n = strlen(what), found = 0;

	assert_int_equal(n, strlen(with));
	for (size_t i = from; i + n <= b->n; i++) {
		if (memcmp(b->p + i, what, n) == 0) {
			memcpy(b->p + i, with, n);
			found++;
		}
	}
	return found;
}

/* A footer that lies, under a checksum that is right: no crash, and the check names the column. */
static void test_lies(void **state)
{
	static const struct cell cells[] = {{"AAA", "BEN", 2019, 1, 0, NULL, 0}, {"BBB", "TGO", 2020, 2, 0, NULL, 0}};
	struct fixture *f = *state;
	const char *one[] = {"BBB", NULL};
	struct query q = {.indicator = one, .as_of = INT64_MAX};
	struct strbuf file, log;
	char name[512], entry[512], old[SHA256_HEX], now[SHA256_HEX];
	uint64_t rows = 0, findings = 0;
	uint32_t footer;

	strbuf_init(&file, 0);
	strbuf_init(&log, 0);
	assert_int_equal(fixture_refresh(&f->s, "src", cells, 2, T0, &f->d), GLANE_OK);
	fixture_find(f, "current", ".parquet", name);
	(void)snprintf(entry, sizeof(entry), "current/_delta_log/%020d.json", 1);
	fixture_read(f, name, &file);
	fixture_read(f, entry, &log);
	assert_true(sha256_of(strbuf_get(&file), old));
	memcpy(&footer, file.p + file.n - 8, sizeof(footer));
	assert_true(replace(&file, file.n - 8 - footer, "BBB", "AAB") > 0);
	assert_true(sha256_of(strbuf_get(&file), now));
	assert_int_equal(replace(&log, 0, old, now), 1);
	fixture_damage(f, name, strbuf_get(&file));
	fixture_damage(f, entry, strbuf_get(&log));
	store_close(&f->s);
	assert_int_equal(store_open(&f->s, f->path, false, &f->d), GLANE_OK);
	assert_int_equal(fixture_export(&f->s, &q, &file, &f->d), GLANE_OK);
	assert_int_equal(file.n, 0);
	strbuf_reset(&log);
	assert_int_equal(store_check(&f->s, &log, &rows, &findings, &f->d), GLANE_OK);
	assert_int_equal(findings, 1);
	assert_non_null(strstr(log.p, "column indicator is not as the statistics in the log or the footer say"));
	strbuf_release(&file);
	strbuf_release(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_behind, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_unopened, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_many_files, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_starved, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_lies, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
