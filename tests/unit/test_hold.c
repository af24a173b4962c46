/* SPDX-License-Identifier: MIT */
/* The documents of holds: nights, releases, rejections, damage, upkeep. */
#include "sched/hold.h"
#include "sched/quarantine.h"
#include "store_fixture.h"
#include <errno.h>

#define DAY INT64_C(86400)
#define D1 "1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "2222222222222222222222222222222222222222222222222222222222222222"
#define REVISED "max_revised_percent"
#define ROWS "min_rows_percent"

struct part { /* of a night: slice D/INDICATOR */
	const char *indicator;
	enum slice_verdict verdict;
	const char *digest;
};

/* The document after a night, with the entry of its run where there is a new hold. Run 6 finds the diff of run 4 lost. */
static json_t *spend(json_t *old, const struct part *parts, size_t n, int64_t now, const char *run, bool keep)
{
	struct slice_result slices[4];
	char digests[4][SHA256_HEX];
	json_t *lost = strcmp(run, "6") == 0 ? json_pack("{s:b}", "4", 1) : NULL;
	struct hold_night night = {slices, digests, n, now, run, keep, lost};
	bool is_new;
	json_t *doc;

	for (size_t i = 0; i < n; i++) {
		slices[i] = (struct slice_result){.dataset = SLICE("D"),
			.indicator = slice_of(parts[i].indicator),
			.verdict = parts[i].verdict,
			.rule = ROWS,
			.reason = "too few",
			.before = 10,
			.withdrawn = 4};
		(void)snprintf(digests[i], SHA256_HEX, "%s", parts[i].digest ? parts[i].digest : "");
	}
	doc = hold_merge(old, &night, &is_new);
	assert_non_null(doc);
	json_decref(lost);
	if (is_new)
		assert_int_equal(json_object_set_new(json_object_get(doc, "runs"), run,
					 json_pack("{s:[],s:s,s:b}", "requests", "file", "x.ndjson.zst", "alone", 1)),
			0);
	json_decref(old);
	return doc;
}

/* "INDICATOR since at run" of every entry, and the runs behind "|". */
static void expect(const json_t *doc, const char *want)
{
	struct strbuf b;
	const char *run;
	json_t *entry;

	strbuf_init(&b, 0);
	for (size_t i = 0; i < hold_count(doc); i++) {
		const json_t *h = json_array_get(json_object_get(doc, "holds"), i);

		strbuf_fmt(&b, "%s %lld %lld %s/", json_text(h, "indicator", "-"),
			(long long)((json_int(h, "since", 0) - T0) / DAY),
			(long long)((json_int(h, "at", 0) - T0) / DAY), json_text(h, "run", ""));
	}
	strbuf_puts(&b, "|");
	json_object_foreach(json_object_get(doc, "runs"), run, entry)
	{
		strbuf_fmt(&b, "%s ", run);
	}
	assert_string_equal(b.p, want);
	strbuf_release(&b);
}

static const json_t *find(const json_t *doc, struct slice_name name)
{
	struct name_map index;
	const json_t *found;

	assert_true(hold_index(doc, &index));
	found = hold_find(&index, name);
	name_map_release(&index);
	return found;
}

/* All but the entry of D/INDICATOR. */
static void take_out(json_t *doc, const char *indicator)
{
	bool keep[4];

	for (size_t i = 0; i < hold_count(doc); i++)
		keep[i] = !slice_is(hold_name(json_array_get(json_object_get(doc, "holds"), i)).indicator, indicator);
	assert_true(hold_keep_only(doc, keep));
}

static void test_nights(void **state)
{
	static const struct part one[] = {{"A", SLICE_HELD, D1}, {"B", SLICE_HELD, D1}, {"C", SLICE_OK, NULL}};
	static const struct part two[] = {{"A", SLICE_HELD, D1}, {"B", SLICE_HELD, D2}, {"C", SLICE_HELD, D1}};
	static const struct part three[] = {{"A", SLICE_FAILED, NULL}, {"B", SLICE_UNCHANGED, NULL}};
	static const struct part four[] = {{"A", SLICE_UNCHANGED, NULL}, {"C", SLICE_HELD, D2}};
	static const struct part five[] = {{"A", SLICE_OK, NULL}, {"C", SLICE_HELD, D1}};
	json_t *doc;

	(void)state;
	doc = spend(NULL, one, 3, T0, "1", false);
	expect(doc, "A 0 0 1/B 0 0 1/|1 ");
	/* the same diff keeps its entry, another one its age */
	doc = spend(doc, two, 3, T0 + DAY, "2", false);
	expect(doc, "A 0 0 1/B 0 1 2/C 1 1 2/|1 2 ");
	/* what failed stays, what passed goes, what was not spoken of stays */
	doc = spend(doc, three, 2, T0 + 2 * DAY, "3", false);
	expect(doc, "A 0 0 1/C 1 1 2/|1 2 ");
	/* an offline night takes nothing away and replaces nothing */
	doc = spend(doc, four, 2, T0 + 3 * DAY, "4", true);
	expect(doc, "A 0 0 1/C 1 1 2/|1 2 ");
	/* but for a slice that it commits */
	doc = spend(doc, five, 2, T0 + 3 * DAY, "4", true);
	expect(doc, "C 1 1 2/|2 ");
	doc = spend(doc, four, 2, T0 + 3 * DAY, "4", false);
	expect(doc, "C 1 3 4/|4 ");
	doc = spend(doc, NULL, 0, T0 + 4 * DAY, "5", false);
	expect(doc, "C 1 3 4/|4 ");
	/* the same diff, whose file is lost: written anew */
	doc = spend(doc, four, 2, T0 + 5 * DAY, "6", true);
	expect(doc, "C 1 3 4/|4 ");
	doc = spend(doc, four, 2, T0 + 5 * DAY, "6", false);
	expect(doc, "C 1 5 6/|6 ");
	json_decref(doc);
}

static void test_remove(void **state)
{
	static const struct part one[] = {{"A", SLICE_HELD, D1}, {"B", SLICE_HELD, D1}};
	static const struct part two[] = {{"A", SLICE_HELD, D1}, {"B", SLICE_HELD, D2}, {"C", SLICE_HELD, D1}};
	json_t *doc = spend(spend(NULL, one, 2, T0, "1", false), two, 3, T0, "2", false);

	(void)state;
	assert_non_null(find(doc, (struct slice_name){SLICE("D"), SLICE("C")}));
	take_out(doc, "A");
	expect(doc, "B 0 0 2/C 0 0 2/|2 ");
	take_out(doc, "C");
	expect(doc, "B 0 0 2/|2 ");
	assert_null(find(doc, (struct slice_name){SLICE("D"), SLICE("C")}));
	assert_int_equal(hold_ends(json_array_get(json_object_get(doc, "holds"), 0), 7), T0 + 7 * DAY);
	json_decref(doc);
}

static void test_release(void **state)
{
	static const struct {
		const char *held_by, *rule, *digest;
		int64_t later;
		bool moved;
		enum slice_verdict verdict;
		bool want;
	} cases[] = {
		{REVISED, REVISED, D1, HOLD_AGAIN, true, SLICE_HELD, true},
		{REVISED, REVISED, D1, 3 * DAY, true, SLICE_HELD, true},
		{REVISED, REVISED, D1, HOLD_AGAIN - 1, true, SLICE_HELD, false},
		{REVISED, REVISED, D1, -DAY, true, SLICE_HELD, false}, /* the clock went back */
		{REVISED, REVISED, D2, DAY, true, SLICE_HELD, false},
		{REVISED, REVISED, D1, DAY, false, SLICE_HELD, false},
		{REVISED, ROWS, D1, DAY, true, SLICE_HELD, false},
		{ROWS, REVISED, D1, DAY, true, SLICE_HELD, false},
		{NULL, NULL, D1, DAY, true, SLICE_HELD, false},
		{REVISED, REVISED, D1, DAY, true, SLICE_OK, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct slice_result r = {
			.verdict = cases[i].verdict, .rule = cases[i].rule, .updated_moved = cases[i].moved};
		json_t *hold = json_pack("{s:s,s:I}", "digest", D1, "at", (json_int_t)T0);

		assert_true(json_set_text(hold, "rule", cases[i].held_by));
		if (hold_is_released(hold, &r, cases[i].digest, T0 + cases[i].later) != cases[i].want)
			fail_msg("case %zu", i);
		json_decref(hold);
	}
	assert_false(hold_is_released(NULL, &(struct slice_result){.verdict = SLICE_HELD}, D1, T0));
}

static int64_t rejected_at(json_t *doc, struct slice_name name, const char *digest)
{
	struct hold_rejected r;
	int64_t at;

	assert_true(hold_rejected_open(&r, doc));
	at = hold_rejected_at(&r, name, digest);
	hold_rejected_close(&r);
	return at;
}

/* The newest few of each slice are remembered, of any number of slices. */
static void reject_many(struct hold_rejected *r, json_t *hold)
{
	char text[SHA256_HEX];

	for (int i = 0; i < 100; i++) {
		(void)snprintf(text, sizeof(text), "I%d", i);
		assert_true(json_set_text(hold, "indicator", text) && hold_reject(r, hold, T0, "expired"));
	}
	assert_int_equal(hold_rejected_count(r->doc), 101);
	assert_int_equal(hold_rejected_at(r, (struct slice_name){SLICE("D"), SLICE("I0")}, D1), T0);
	(void)json_object_del(hold, "indicator");
	for (int i = 0; i < HOLD_REJECTED; i++) {
		(void)snprintf(text, sizeof(text), "%064d", i);
		assert_true(json_set_text(hold, "digest", text) && hold_reject(r, hold, T0 + i, "expired"));
	}
}

static void test_rejected(void **state)
{
	json_t *doc = json_object(), *hold = json_pack("{s:s,s:s}", "dataset", "D", "digest", D1);
	const struct slice_name name = {SLICE("D"), {NULL, 0}};
	struct hold_rejected r;
	char digest[SHA256_HEX];

	(void)state;
	(void)snprintf(digest, sizeof(digest), "%064d", 0);
	assert_true(hold_rejected_open(&r, doc));
	assert_int_equal(hold_rejected_at(&r, name, D1), INT64_MIN);
	assert_true(hold_reject(&r, hold, T0, "rejected"));
	assert_int_equal(hold_rejected_at(&r, name, D1), T0);
	assert_int_equal(hold_rejected_at(&r, name, D2), INT64_MIN);
	assert_int_equal(hold_rejected_at(&r, (struct slice_name){SLICE("D"), SLICE("I")}, D1), INT64_MIN);
	reject_many(&r, hold);
	assert_int_equal(hold_rejected_at(&r, name, D1), INT64_MIN);
	assert_int_equal(hold_rejected_at(&r, name, digest), T0);
	hold_rejected_close(&r);
	assert_int_equal(hold_rejected_count(doc), 100 + HOLD_REJECTED);
	assert_int_equal(rejected_at(doc, name, D1), INT64_MIN);
	assert_int_equal(rejected_at(doc, name, digest), T0);
	/* a commit of the slice ends that */
	assert_true(hold_rejected_open(&r, doc));
	assert_true(hold_forget(&r, name));
	assert_false(hold_forget(&r, name));
	assert_int_equal(hold_rejected_at(&r, name, digest), INT64_MIN);
	hold_rejected_close(&r);
	assert_int_equal(hold_rejected_count(doc), 100);
	assert_int_equal(rejected_at(doc, name, digest), INT64_MIN);
	assert_int_equal(rejected_at(doc, (struct slice_name){SLICE("D"), SLICE("I0")}, D1), T0);
	json_decref(hold);
	json_decref(doc);
}

#define MANY ((size_t)60000) /* each with each would take longer than a suite may */

static void reject_each(json_t *holds, json_t *doc)
{
	struct hold_rejected r;
	bool *keep = mem_zalloc(MANY, sizeof(*keep));

	assert_true(keep && hold_rejected_open(&r, doc));
	for (size_t i = 0; i < MANY; i++)
		assert_true(hold_reject(&r, json_array_get(json_object_get(holds, "holds"), i), T0, "rejected"));
	for (size_t i = 1; i < MANY; i++) {
		const struct slice_name name = hold_name(json_array_get(json_object_get(holds, "holds"), i));

		assert_int_equal(hold_rejected_at(&r, name, D1), T0);
		assert_true(hold_forget(&r, name));
	}
	hold_rejected_close(&r);
	assert_int_equal(hold_rejected_count(doc), 1);
	assert_true(hold_keep_only(holds, keep));
	mem_free(keep);
}

/* Every slice of a large source is held, night after night, and then rejected. */
static void test_many(void **state)
{
	struct slice_result *slices = mem_zalloc(MANY, sizeof(*slices));
	char(*digests)[SHA256_HEX] = mem_zalloc(MANY, sizeof(*digests));
	char(*names)[16] = mem_zalloc(MANY, sizeof(*names));
	const struct hold_night night = {.slices = slices, .digests = digests, .n = MANY, .now = T0, .run = "1"};
	json_t *doc = NULL, *rejected = json_object();
	bool is_new;

	(void)state;
	assert_true(slices && digests && names);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "I%zu", i);
		(void)snprintf(digests[i], sizeof(digests[i]), "%s", D1);
		slices[i] = (struct slice_result){.dataset = SLICE("D"),
			.indicator = slice_of(names[i]),
			.verdict = SLICE_HELD,
			.rule = ROWS,
			.reason = "too few"};
	}
	for (int i = 0; i < 3; i++) {
		json_t *next = hold_merge(doc, &night, &is_new);

		assert_non_null(next);
		assert_int_equal(hold_count(next), MANY);
		assert_int_equal(is_new, i == 0);
		if (is_new)
			(void)json_object_set_new(json_object_get(next, "runs"), "1", json_object());
		json_decref(doc);
		doc = next;
	}
	reject_each(doc, rejected);
	expect(doc, "|");
	json_decref(doc);
	json_decref(rejected);
	mem_free(slices);
	mem_free(digests);
	mem_free(names);
}

static void test_files(void **state)
{
	static const struct part one[] = {{"A", SLICE_HELD, D1}};
	json_t *doc = spend(NULL, one, 1, T0, "20261123T234435Z", false), *got = NULL;
	struct fixture *f = *state;

	assert_int_equal(hold_read(&f->s, "src", &got, &f->d), GLANE_OK);
	assert_int_equal(hold_count(got), 0);
	assert_int_equal(hold_write(&f->s, "src", got, &f->d), GLANE_OK); /* nothing to remove */
	json_decref(got);
	assert_int_equal(hold_write(&f->s, "src", doc, &f->d), GLANE_OK);
	assert_int_equal(hold_read(&f->s, "src", &got, &f->d), GLANE_OK);
	assert_true(json_equal(doc, got));
	take_out(got, "A");
	assert_int_equal(hold_write(&f->s, "src", got, &f->d), GLANE_OK);
	assert_false(file_exists(f->s.dir, "quarantine/src/hold.json"));
	json_decref(got);
	json_decref(doc);
}

/* What a night with very many holds leaves is written, and read again. */
static void test_large(void **state)
{
	static const struct part one[] = {{"A", SLICE_HELD, D1}};
	const size_t n = (size_t)65 << 20;
	char *text = mem_alloc(n);
	json_t *doc = spend(NULL, one, 1, T0, "20261123T234435Z", false), *got = NULL;
	struct fixture *f = *state;

	assert_non_null(text);
	memset(text, 'x', n);
	assert_true(
		json_set_slice(json_array_get(json_object_get(doc, "holds"), 0), "reason", (struct slice){text, n}));
	mem_free(text);
	assert_int_equal(hold_write(&f->s, "src", doc, &f->d), GLANE_OK);
	assert_int_equal(hold_read(&f->s, "src", &got, &f->d), GLANE_OK);
	assert_true(json_equal(doc, got));
	json_decref(got);
	assert_int_equal(store_last_write(&f->s, "src", doc, &f->d), GLANE_OK);
	assert_int_equal(store_last_read(&f->s, "src", &got, &f->d), GLANE_OK);
	assert_true(json_equal(doc, got));
	json_decref(got);
	json_decref(doc);
}

static void test_damage(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "{}", "{\"holds\": 1}", "{\"holds\": [{}], \"runs\": {}}",
		("{\"holds\": [{\"since\": 1, \"at\": 1, \"run\": \"1\", \"digest\": \"" D1 "\"}], \"runs\": {}}"),
		("{\"holds\": [{\"since\": 1, \"at\": 1, \"run\": \"1\", \"digest\": \"x\"}], \"runs\": "
		 "{\"1\": {\"requests\": [], \"file\": \"f\"}}}")};
	struct fixture *f = *state;
	json_t *got = NULL;
	int dir = dir_open(f->s.dir, "quarantine/src", true, &f->d);

	assert_true(dir >= 0);
	fd_close(&dir);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		diag_clear(&f->d);
		fixture_damage(f, "quarantine/src/hold.json", slice_of(bad[i]));
		assert_int_equal(hold_read(&f->s, "src", &got, &f->d), GLANE_E_IO);
		assert_non_null(strstr(f->d.text, "quarantine/src/hold.json"));
		assert_non_null(strstr(f->d.text, "remove the file"));
		assert_null(got);
	}
	diag_clear(&f->d);
	fixture_damage(f, "quarantine/src/rejected.json", SLICE("{\"rejected\": [{\"at\": 1}]}"));
	assert_int_equal(hold_read_rejected(&f->s, "src", &got, &f->d), GLANE_E_IO);
}

static void test_decision(void **state)
{
	static const struct part one[] = {{"A", SLICE_HELD, D1}, {"B", SLICE_HELD, D2}};
	static const struct cell cells[] = {{"A", "TGO", 2020, 1, 0, NULL, 0}};
	const struct slice_name a[] = {{SLICE("D"), SLICE("A")}};
	json_t *doc = spend(NULL, one, 2, T0, "20261123T234435Z", false), *got = NULL;
	json_t *last = json_pack("{s:s,s:s}", "status", "held", "message", "too few");
	struct fixture *f = *state;
	size_t n = 9;

	assert_true(hold_put_list(last, doc));
	assert_int_equal(json_array_size(json_object_get(last, "holds")), 2);
	assert_int_equal(fixture_refresh(&f->s, "src", cells, 1, T0, &f->d), GLANE_OK);
	assert_int_equal(store_last_write(&f->s, "src", last, &f->d), GLANE_OK);
	json_decref(last);
	assert_int_equal(hold_write(&f->s, "src", doc, &f->d), GLANE_OK);
	assert_int_equal(hold_reject_all(&f->s, "src", a, 1, T0 + DAY, &n, &f->d), GLANE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(hold_read(&f->s, "src", &got, &f->d), GLANE_OK);
	expect(got, "B 0 0 20261123T234435Z/|20261123T234435Z ");
	json_decref(got);
	assert_int_equal(hold_read_rejected(&f->s, "src", &got, &f->d), GLANE_OK);
	assert_int_equal(rejected_at(got, a[0], D1), T0 + DAY);
	json_decref(got);
	assert_int_equal(store_last_read(&f->s, "src", &last, &f->d), GLANE_OK);
	assert_string_equal(json_text(last, "status", ""), "held");
	assert_int_equal(json_array_size(json_object_get(last, "holds")), 1);
	json_decref(last);
	/* without names: all that is left */
	assert_int_equal(hold_reject_all(&f->s, "src", NULL, 0, T0 + DAY, &n, &f->d), GLANE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(store_last_read(&f->s, "src", &last, &f->d), GLANE_OK);
	assert_string_equal(json_text(last, "status", ""), "unchanged");
	assert_null(json_object_get(last, "holds"));
	assert_null(json_object_get(last, "message"));
	json_decref(last);
	json_decref(doc);
}

/* ---- a disk that fails, from the N-th call on ---- */

static long calls_left;

static bool struck(void)
{
	errno = EIO;
	return calls_left-- <= 0;
}

static int strike_openat(int dir, const char *name, int flags, mode_t mode)
{
	return struck() ? -1 : io_system.openat(dir, name, flags, mode);
}

static ssize_t strike_write(int fd, const void *p, size_t n)
{
	return struck() ? -1 : io_system.write(fd, p, n);
}

static int strike_rename(int from, const char *a, int to, const char *b, unsigned flags)
{
	return struck() ? -1 : io_system.renameat2(from, a, to, b, flags);
}

static int strike_unlink(int dir, const char *name, int flags)
{
	return struck() ? -1 : io_system.unlinkat(dir, name, flags);
}

static int strike_fsync(int fd)
{
	(void)fd;
	return struck() ? -1 : 0;
}

/* One of two slices is rejected on a disk that fails from call `n` on; true where it did not come to that. */
static bool reject_struck(struct fixture *f, long n)
{
	static const struct slice_name a[] = {{{"D", 1}, {"A", 1}}};
	const struct io_table *before = io;
	struct io_table table = *io;
	size_t rejected;
	glane_rc rc;

	table.openat = strike_openat;
	table.write = strike_write;
	table.renameat2 = strike_rename;
	table.unlinkat = strike_unlink;
	table.fsync = strike_fsync;
	calls_left = n;
	io = &table;
	rc = hold_reject_all(&f->s, "src", a, 1, T0 + DAY, &rejected, &f->d);
	io = before;
	diag_clear(&f->d);
	if (rc != GLANE_OK)
		assert_int_equal(rc, GLANE_E_IO);
	return rc == GLANE_OK;
}

/* Wherever it stops: documents that read, and never a hold that is gone without being remembered. */
static void test_strikes(void **state)
{
	static const struct part one[] = {{"A", SLICE_HELD, D1}, {"B", SLICE_HELD, D2}};
	static const struct cell cells[] = {{"A", "TGO", 2020, 1, 0, NULL, 0}};
	const struct slice_name a = {SLICE("D"), SLICE("A")};
	struct fixture *f = *state;
	size_t seen[2][2] = {{0, 0}, {0, 0}};
	bool through = false;

	assert_int_equal(fixture_refresh(&f->s, "src", cells, 1, T0, &f->d), GLANE_OK);
	for (long n = 0; !through; n++) {
		json_t *doc = spend(NULL, one, 2, T0, "20261123T234435Z", false), *rejected = NULL;
		bool is_held, is_remembered;

		assert_true(n < 100);
		*f->s.broken = false; /* each a process of its own */
		(void)unlinkat(f->s.dir, "quarantine/src/rejected.json", 0);
		assert_int_equal(hold_write(&f->s, "src", doc, &f->d), GLANE_OK);
		json_decref(doc);
		through = reject_struck(f, n);
		assert_int_equal(hold_read(&f->s, "src", &doc, &f->d), GLANE_OK);
		assert_int_equal(hold_read_rejected(&f->s, "src", &rejected, &f->d), GLANE_OK);
		is_held = find(doc, a) != NULL;
		is_remembered = rejected_at(rejected, a, D1) != INT64_MIN;
		assert_true(is_held || is_remembered);
		assert_true(!through || !is_held);
		assert_non_null(find(doc, (struct slice_name){SLICE("D"), SLICE("B")}));
		seen[is_held][is_remembered]++;
		json_decref(doc);
		json_decref(rejected);
	}
	assert_true(seen[1][0] > 0 && seen[1][1] > 0 && seen[0][1] > 0);
}

/* What a decision leaves of the last verdict. */
static void test_settled(void **state)
{
	static const struct {
		const char *was;
		bool alone, left;
		const char *want;
	} cases[] = {{"held", true, false, "ok"}, {"held", true, true, "held"}, {"held", false, false, "held"},
		{"partial", true, false, "ok"}, {"partial", false, false, "partial"},
		{"failed", true, false, "failed"}};
	json_t *held = json_pack("{s:[{}],s:{}}", "holds", "runs");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *last = json_pack("{s:s,s:s}", "status", cases[i].was, "message", "m");
		json_t *before = json_pack("{s:{s:{s:b}}}", "runs", "1", "alone", (int)cases[i].alone);

		assert_true(hold_put_settled(last, before, cases[i].left ? held : NULL, "ok"));
		assert_string_equal(json_text(last, "status", ""), cases[i].want);
		assert_int_equal(json_text(last, "message", NULL) != NULL, strcmp(cases[i].want, "ok") != 0);
		json_decref(last);
		json_decref(before);
	}
	json_decref(held);
}

/* What cannot be listed is not fine. */
static void test_no_folder(void **state)
{
	struct fixture *f = *state;
	struct strbuf findings;
	uint64_t holds = 0, n = 0;

	strbuf_init(&findings, 0);
	assert_int_equal(hold_check(&f->s, &findings, &holds, &n, &f->d), GLANE_OK);
	fixture_damage(f, "quarantine", SLICE("a file"));
	assert_int_equal(hold_check(&f->s, &findings, &holds, &n, &f->d), GLANE_E_IO);
	assert_non_null(strstr(f->d.text, "quarantine"));
	strbuf_release(&findings);
}

static void test_upkeep(void **state)
{
	static const char record[] = "{\"records\": [], \"rejected\": 1}";
	static const struct part one[] = {{"A", SLICE_HELD, D1}};
	json_t *doc = spend(NULL, one, 1, T0, "20261123T234435Z", false), *got;
	struct fixture *f = *state;
	struct arena arena;
	const char **runs;
	char name[96];
	size_t n = 0;
	int dir = dir_open(f->s.dir, "quarantine/src", true, &f->d);

	assert_true(dir >= 0);
	fd_close(&dir);
	arena_init(&arena, 0);
	for (int i = 0; i < QUARANTINE_RUNS + 5; i++) { /* all within an hour and three quarters */
		(void)snprintf(name, sizeof(name), "quarantine/src/20261120T%02d%02d00Z.json", i / 60, i % 60);
		fixture_damage(f, name, slice_of(record));
	}
	fixture_damage(f, "quarantine/src/20260101T000000Z.json", slice_of(record));
	for (int i = 2; i <= 11; i++) { /* as runs of one --now have them */
		(void)snprintf(name, sizeof(name), "quarantine/src/20260102T000000Z-%d.json", i);
		fixture_damage(f, name, slice_of(record));
	}
	assert_int_equal(quarantine_runs(&f->s, "src", &arena, &runs, &n, &f->d), GLANE_OK);
	assert_string_equal(runs[n - 11], "20260102T000000Z-11");
	assert_string_equal(runs[n - 2], "20260102T000000Z-2");
	fixture_damage(f, "quarantine/src/20261123T234435Z.ndjson.zst", SLICE(""));
	fixture_damage(f, "quarantine/src/20261122T234435Z.ndjson.zst", SLICE(""));
	fixture_damage(f, "quarantine/src/rejected.json", SLICE("{\"rejected\": []}"));
	assert_int_equal(quarantine_upkeep(&f->s, "src", doc, T0, &f->d), GLANE_OK);
	assert_int_equal(quarantine_runs(&f->s, "src", &arena, &runs, &n, &f->d), GLANE_OK);
	assert_int_equal(n, QUARANTINE_RUNS);
	assert_string_equal(runs[0], "20261120T014400Z");
	assert_true(file_exists(f->s.dir, "quarantine/src/20261123T234435Z.ndjson.zst"));
	assert_false(file_exists(f->s.dir, "quarantine/src/20261122T234435Z.ndjson.zst"));
	assert_true(file_exists(f->s.dir, "quarantine/src/rejected.json"));
	/* months later the newest one is left */
	assert_int_equal(quarantine_upkeep(&f->s, "src", doc, T0 + 90 * DAY, &f->d), GLANE_OK);
	assert_int_equal(quarantine_runs(&f->s, "src", &arena, &runs, &n, &f->d), GLANE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(quarantine_read(&f->s, "src", runs[0], &got, &f->d), GLANE_OK);
	json_decref(got);
	assert_int_equal(quarantine_read(&f->s, "src", "20200101T000000Z", &got, &f->d), GLANE_E_USAGE);
	assert_int_equal(quarantine_read(&f->s, "src", "2/../../x", &got, NULL), GLANE_E_USAGE);
	assert_int_equal(quarantine_read(&f->s, "src", "../x", &got, NULL), GLANE_E_USAGE);
	arena_release(&arena);
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nights),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_many),
		cmocka_unit_test_setup_teardown(test_files, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_large, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_damage, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_decision, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_strikes, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_settled),
		cmocka_unit_test_setup_teardown(test_no_folder, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_upkeep, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
