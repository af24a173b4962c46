/* SPDX-License-Identifier: MIT */
/* Diff, gate and commit: every kind of event, every cover, held slices, crashes and failing memory. */
#include "store_fixture.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define N(a) (sizeof(a) / sizeof(*(a)))

enum {
	FULL = GLANE_COVER_FULL,
	RANGE = GLANE_COVER_RANGE,
	NONE = GLANE_COVER_NONE,
	FAILED = GLANE_COVER_FAILED,
	BARE = 9
};

struct expected {
	enum slice_verdict verdict;
	uint64_t added, revised, status, withdrawn, restored;
};
struct step { /* one night: cells of indicator I, ended by one without an area */
	struct cell cells[6];
	int cover;
	bool accept;
	struct expected want;
	const char *rows; /* AREA YEAR VALUE EVENT of every key afterwards, "/" between them */
};
struct scenario {
	const char *name;
	struct step steps[3];
};

#define C(area, year, coef)                                                                                            \
	{                                                                                                              \
		"I", area, year, coef, 0, NULL, 0                                                                      \
	}
#define C_FLAG(area, year, coef, flag)                                                                                 \
	{                                                                                                              \
		"I", area, year, coef, 0, flag, 0                                                                      \
	}

static const struct scenario scenarios[] = {
	{"new rows", {{{C("TGO", 2020, 5), C("BEN", 2020, 4)}, FULL, false, {SLICE_OK, 2, 0, 0, 0, 0},
			     "BEN 2020 4 new/TGO 2020 5 new/"}}},
	{"the same again",
		{{{C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 1, 0, 0, 0, 0}, "TGO 2020 5 new/"},
			{{C("TGO", 2020, 5)}, FULL, false, {SLICE_UNCHANGED, 0, 0, 0, 0, 0}, "TGO 2020 5 new/"}}},
	{"a revised value", {{{C("BEN", 2020, 4), C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 2, 0, 0, 0, 0},
				     "BEN 2020 4 new/TGO 2020 5 new/"},
				    {{C("BEN", 2020, 4), C("TGO", 2020, 6)}, FULL, false, {SLICE_OK, 0, 1, 0, 0, 0},
					    "BEN 2020 4 new/TGO 2020 6 revised/"}}},
	{"another flag",
		{{{C("TGO", 2020, 5)}, NONE, false, {SLICE_OK, 1, 0, 0, 0, 0}, "TGO 2020 5 new/"},
			{{C_FLAG("TGO", 2020, 5, "p")}, NONE, false, {SLICE_OK, 0, 0, 1, 0, 0}, "TGO 2020 5 status/"}}},
	{"other decimals are a status",
		{{{C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 1, 0, 0, 0, 0}, "TGO 2020 5 new/"},
			{{{"I", "TGO", 2020, 500, -2, NULL, 0}}, FULL, false, {SLICE_OK, 0, 0, 1, 0, 0},
				"TGO 2020 5.00 status/"}}},
	{"an increment withdraws nothing", {{{C("BEN", 2020, 4), C("TGO", 2020, 5)}, NONE, false,
						    {SLICE_OK, 2, 0, 0, 0, 0}, "BEN 2020 4 new/TGO 2020 5 new/"},
						   {{C("TGO", 2021, 6)}, NONE, false, {SLICE_OK, 1, 0, 0, 0, 0},
							   "BEN 2020 4 new/TGO 2020 5 new/TGO 2021 6 new/"}}},
	{"without a cover nothing is withdrawn", {{{C("BEN", 2020, 4), C("TGO", 2020, 5)}, BARE, false,
							  {SLICE_OK, 2, 0, 0, 0, 0}, "BEN 2020 4 new/TGO 2020 5 new/"},
							 {{C("TGO", 2020, 6)}, BARE, false, {SLICE_OK, 0, 1, 0, 0, 0},
								 "BEN 2020 4 new/TGO 2020 6 revised/"}}},
	{"withdrawn once, then back",
		{{{C("BEN", 2020, 4), C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 2, 0, 0, 0, 0},
			 "BEN 2020 4 new/TGO 2020 5 new/"},
			{{C("TGO", 2020, 5)}, FULL, true, {SLICE_OK, 0, 0, 0, 1, 0},
				"BEN 2020 4 withdrawn/TGO 2020 5 new/"},
			{{C("BEN", 2020, 7), C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 0, 0, 0, 0, 1},
				"BEN 2020 7 restored/TGO 2020 5 new/"}}},
	{"what is withdrawn stays so", {{{C("BEN", 2020, 4), C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 2, 0, 0, 0, 0},
						"BEN 2020 4 new/TGO 2020 5 new/"},
					       {{C("TGO", 2020, 5)}, FULL, true, {SLICE_OK, 0, 0, 0, 1, 0},
						       "BEN 2020 4 withdrawn/TGO 2020 5 new/"},
					       {{C("TGO", 2020, 5)}, FULL, false, {SLICE_UNCHANGED, 0, 0, 0, 0, 0},
						       "BEN 2020 4 withdrawn/TGO 2020 5 new/"}}},
	{"a range withdraws inside only",
		{{{C("TGO", 2018, 1), C("TGO", 2019, 2), C("TGO", 2020, 3), C("TGO", 2021, 4)}, BARE, false,
			 {SLICE_OK, 4, 0, 0, 0, 0}, "TGO 2018 1 new/TGO 2019 2 new/TGO 2020 3 new/TGO 2021 4 new/"},
			{{C("TGO", 2020, 3)}, RANGE, true, {SLICE_OK, 0, 0, 0, 1, 0},
				"TGO 2018 1 new/TGO 2019 2 withdrawn/TGO 2020 3 new/TGO 2021 4 new/"}}},
	{"an empty range is held",
		{{{C("TGO", 2018, 1), C("TGO", 2019, 2)}, BARE, false, {SLICE_OK, 2, 0, 0, 0, 0},
			 "TGO 2018 1 new/TGO 2019 2 new/"},
			{{{0}}, RANGE, false, {SLICE_HELD, 0, 0, 0, 1, 0}, "TGO 2018 1 new/TGO 2019 2 new/"}}},
	{"a full cover without rows fails",
		{{{C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 1, 0, 0, 0, 0}, "TGO 2020 5 new/"},
			{{{0}}, FULL, true, {SLICE_FAILED, 0, 0, 0, 0, 0}, "TGO 2020 5 new/"}}},
	{"nothing at all fails", {{{C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 1, 0, 0, 0, 0}, "TGO 2020 5 new/"},
					 {{{0}}, BARE, true, {SLICE_FAILED, 0, 0, 0, 0, 0}, "TGO 2020 5 new/"}}},
	{"a failed slice keeps its state",
		{{{C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 1, 0, 0, 0, 0}, "TGO 2020 5 new/"},
			{{C("TGO", 2020, 6)}, FAILED, true, {SLICE_FAILED, 0, 0, 0, 0, 0}, "TGO 2020 5 new/"}}},
	{"a collapsed slice is held", {{{C("BEN", 2020, 4), C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 2, 0, 0, 0, 0},
					       "BEN 2020 4 new/TGO 2020 5 new/"},
					      {{C("TGO", 2020, 6)}, FULL, false, {SLICE_HELD, 0, 1, 0, 1, 0},
						      "BEN 2020 4 new/TGO 2020 5 new/"},
					      {{C("TGO", 2020, 6)}, FULL, true, {SLICE_OK, 0, 1, 0, 1, 0},
						      "BEN 2020 4 withdrawn/TGO 2020 6 revised/"}}},
	{"swapped keys are held too", {{{C("BEN", 2020, 4), C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 2, 0, 0, 0, 0},
					       "BEN 2020 4 new/TGO 2020 5 new/"},
					      {{C("BFA", 2020, 4), C("TGO", 2020, 5)}, FULL, false,
						      {SLICE_HELD, 1, 0, 0, 1, 0}, "BEN 2020 4 new/TGO 2020 5 new/"}}},
	{"remove annotations",
		{{{C("BEN", 2020, 4), C("TGO", 2020, 5)}, NONE, false, {SLICE_OK, 2, 0, 0, 0, 0},
			 "BEN 2020 4 new/TGO 2020 5 new/"},
			{{C_FLAG("BEN", 2020, 0, "remove"), C_FLAG("MLI", 2020, 0, "remove")}, NONE, true,
				{SLICE_OK, 0, 0, 0, 1, 0}, "BEN 2020 4 withdrawn/TGO 2020 5 new/"},
			{{C_FLAG("BEN", 2020, 0, "remove")}, NONE, true, {SLICE_UNCHANGED, 0, 0, 0, 0, 0},
				"BEN 2020 4 withdrawn/TGO 2020 5 new/"}}},
	{"removals without a cover pass the gate too",
		{{{C("BEN", 2020, 4), C("TGO", 2020, 5)}, BARE, false, {SLICE_OK, 2, 0, 0, 0, 0},
			 "BEN 2020 4 new/TGO 2020 5 new/"},
			{{C_FLAG("BEN", 2020, 0, "remove")}, BARE, false, {SLICE_HELD, 0, 0, 0, 1, 0},
				"BEN 2020 4 new/TGO 2020 5 new/"}}},
	{"erased by a part of the key, and once only",
		{{{C("BEN", 2020, 4), C("TGO", 2019, 5), C("TGO", 2020, 6)}, NONE, false, {SLICE_OK, 3, 0, 0, 0, 0},
			 "BEN 2020 4 new/TGO 2019 5 new/TGO 2020 6 new/"},
			{{C_FLAG("TGO", 0, 0, "erase")}, NONE, true, {SLICE_OK, 0, 0, 0, 2, 0},
				"BEN 2020 4 new/TGO 2019 5 withdrawn/TGO 2020 6 withdrawn/"},
			{{C_FLAG("TGO", 0, 0, "erase")}, NONE, false, {SLICE_UNCHANGED, 0, 0, 0, 0, 0},
				"BEN 2020 4 new/TGO 2019 5 withdrawn/TGO 2020 6 withdrawn/"}}},
	{"erased by the period", {{{C("BEN", 2020, 4), C("TGO", 2019, 5)}, NONE, false, {SLICE_OK, 2, 0, 0, 0, 0},
					  "BEN 2020 4 new/TGO 2019 5 new/"},
					 {{C_FLAG("", 2019, 0, "erase")}, BARE, true, {SLICE_OK, 0, 0, 0, 1, 0},
						 "BEN 2020 4 new/TGO 2019 5 withdrawn/"}}},
	{"erased whole, then set again",
		{{{C("BEN", 2020, 4), C("TGO", 2019, 5), C("TGO", 2020, 6)}, NONE, false, {SLICE_OK, 3, 0, 0, 0, 0},
			 "BEN 2020 4 new/TGO 2019 5 new/TGO 2020 6 new/"},
			{{C("TGO", 2020, 6), C_FLAG("", 0, 0, "erase"), C("TGO", 2020, 6), C("TGO", 2019, 7)}, NONE,
				true, {SLICE_OK, 0, 1, 0, 1, 0},
				"BEN 2020 4 withdrawn/TGO 2019 7 revised/TGO 2020 6 new/"}}},
	{"set, then erased",
		{{{C("BEN", 2020, 4), C("TGO", 2020, 6)}, NONE, false, {SLICE_OK, 2, 0, 0, 0, 0},
			 "BEN 2020 4 new/TGO 2020 6 new/"},
			{{C("MLI", 2020, 1), C("TGO", 2020, 7), C_FLAG("MLI", 2020, 0, "erase"),
				 C_FLAG("TGO", 0, 0, "erase")},
				NONE, true, {SLICE_OK, 0, 0, 0, 1, 0}, "BEN 2020 4 new/TGO 2020 6 withdrawn/"}}},
	{"what is erased passes the gate too",
		{{{C("BEN", 2020, 4), C("TGO", 2020, 6)}, NONE, false, {SLICE_OK, 2, 0, 0, 0, 0},
			 "BEN 2020 4 new/TGO 2020 6 new/"},
			{{C_FLAG("", 0, 0, "erase")}, NONE, false, {SLICE_HELD, 0, 0, 0, 2, 0},
				"BEN 2020 4 new/TGO 2020 6 new/"}}},
	{"attributes erased, the value stays",
		{{{C_FLAG("BEN", 2020, 4, "p"), C_FLAG("TGO", 2020, 6, "p")}, NONE, false, {SLICE_OK, 2, 0, 0, 0, 0},
			 "BEN 2020 4 new/TGO 2020 6 new/"},
			{{C_FLAG("TGO", 0, 0, "erase flags")}, NONE, false, {SLICE_OK, 0, 0, 1, 0, 0},
				"BEN 2020 4 new/TGO 2020 6 status/"},
			{{C_FLAG("TGO", 2020, 6, "q"), C_FLAG("", 2020, 0, "erase flags")}, NONE, false,
				{SLICE_OK, 0, 0, 1, 0, 0}, "BEN 2020 4 status/TGO 2020 6 status/"}}},
	{"attributes erased, then set",
		{{{C_FLAG("TGO", 2020, 6, "p")}, NONE, false, {SLICE_OK, 1, 0, 0, 0, 0}, "TGO 2020 6 new/"},
			{{C_FLAG("", 0, 0, "erase flags"), C_FLAG("TGO", 2020, 6, "p")}, NONE, false,
				{SLICE_UNCHANGED, 0, 0, 0, 0, 0}, "TGO 2020 6 new/"}}},
	{"the same row twice counts once",
		{{{C("TGO", 2020, 5), C("TGO", 2020, 5)}, FULL, false, {SLICE_OK, 1, 0, 0, 0, 0}, "TGO 2020 5 new/"},
			{{C("TGO", 2020, 5), C("TGO", 2020, 5)}, FULL, false, {SLICE_UNCHANGED, 0, 0, 0, 0, 0},
				"TGO 2020 5 new/"}}},
};

static void list_rows(const struct store *s, struct strbuf *b)
{
	struct store_cursor c;
	struct row r;
	uint64_t n = 0;
	glane_rc rc;

	strbuf_reset(b);
	strbuf_puts(b, "");
	assert_int_equal(store_commit_number(s, "src", &n, NULL), GLANE_OK);
	if (n == 0)
		return;
	assert_int_equal(store_rows_open(s, "src", n, &c, NULL), GLANE_OK);
	while ((rc = store_rows_next(&c, &r, NULL)) == GLANE_OK)
		strbuf_fmt(b, "%.*s %.*s %.*s %.*s/", SLICE_FMT(r.area_code), SLICE_FMT(r.period), SLICE_FMT(r.value),
			SLICE_FMT(r.event));
	assert_int_equal(rc, GLANE_END);
	store_rows_close(&c);
}

static size_t count_cells(const struct cell *cells)
{
	size_t n = 0;

	while (n < 6 && cells[n].area)
		n++;
	return n;
}

static void take_step(struct fixture *f, const struct scenario *sc, const struct step *step, int64_t now)
{
	struct cover cover = {.kind = (uint32_t)step->cover,
		.dataset = SLICE("DS"),
		.indicator = SLICE("I"),
		.from = days_from_civil(2019, 1, 1),
		.to = days_from_civil(2020, 12, 31),
		.reason = SLICE("no answer")};
	size_t n_covers = step->cover == BARE ? 0 : 1;
	struct batch b;
	struct diff_input in = {.source = "src", .batch = &b, .now = now, .run = "20261123T234435Z", .cause = "source"};
	const struct expected *w = &step->want;
	const struct slice_result *p;
	struct diff_result r;
	struct strbuf got;

	print_message("%s\n", sc->name);
	strbuf_init(&got, 0);
	gate_defaults(&in.gate);
	in.gate.accept = step->accept;
	assert_int_equal(
		fixture_batch(&f->s, &b, step->cells, count_cells(step->cells), &cover, n_covers, &f->d), GLANE_OK);
	assert_int_equal(store_commit_number(&f->s, "src", &in.previous, &f->d), GLANE_OK);
	assert_int_equal(diff_run(&f->s, &in, &r, &f->d), GLANE_OK);
	assert_int_equal(r.n_slices, 1);
	p = &r.slices[0];
	assert_int_equal(p->verdict, w->verdict);
	assert_int_equal(p->added, w->added);
	assert_int_equal(p->revised, w->revised);
	assert_int_equal(p->status, w->status);
	assert_int_equal(p->withdrawn, w->withdrawn);
	assert_int_equal(p->restored, w->restored);
	assert_int_equal(p->verdict == SLICE_HELD || p->verdict == SLICE_FAILED, p->reason != NULL);
	assert_int_equal(r.change != NULL, w->verdict == SLICE_OK);
	assert_int_equal(r.n_payloads, r.events ? 1 : 0);
	assert_int_equal(fixture_commit(&f->s, "src", &r, &f->d), GLANE_OK);
	list_rows(&f->s, &got);
	assert_string_equal(got.p, step->rows);
	diff_release(&r);
	batch_release(&b);
	strbuf_release(&got);
}

static void test_scenarios(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(scenarios); i++) {
		void *own = NULL;

		assert_int_equal(fixture_setup(&own), 0);
		for (size_t k = 0; k < 3 && scenarios[i].steps[k].rows; k++)
			take_step(own, &scenarios[i], &scenarios[i].steps[k], T0 + (int64_t)k);
		(void)fixture_teardown(&own);
	}
}

static const struct slice_result *slice_named(const struct diff_result *r, const char *indicator)
{
	for (size_t i = 0; i < r->n_slices; i++) {
		if (slice_is(r->slices[i].indicator, indicator))
			return &r->slices[i];
	}
	fail_msg("no slice %s", indicator);
	return NULL;
}

/* Two indicators of one dataset: one is held, the other committed; and the dataset's own cover speaks of the third. */
static void test_slices(void **state)
{
	static const struct cell first[] = {{"A", "TGO", 2020, 1, 0, NULL, 0}, {"B", "BEN", 2020, 2, 0, NULL, 0},
		{"B", "TGO", 2020, 3, 0, NULL, 0}, {"C", "TGO", 2020, 4, 0, NULL, 0},
		{"D", "TGO", 2020, 4, 0, NULL, 0}};
	static const struct cell second[] = {{"A", "TGO", 2020, 9, 0, NULL, 0}, {"B", "TGO", 2020, 9, 0, NULL, 0},
		{"D", "TGO", 2020, 4, 0, NULL, 0}};
	const struct cover covers[] = {{.kind = FULL, .dataset = SLICE("DS"), .indicator = SLICE("A")},
		{.kind = FULL, .dataset = SLICE("DS"), .indicator = SLICE("B")},
		{.kind = FAILED, .dataset = SLICE("DS"), .indicator = SLICE("C"), .reason = SLICE("no answer")},
		{.kind = FULL, .dataset = SLICE("DS")}};
	struct fixture *f = *state;
	const struct slice_result *p;
	struct diff_result r;
	struct strbuf got;

	strbuf_init(&got, 0);
	assert_int_equal(fixture_refresh(&f->s, "src", first, N(first), T0, &f->d), GLANE_OK);
	assert_int_equal(fixture_diff(&f->s, "src", second, N(second), covers, 4, T0 + 60, &r, &f->d), GLANE_OK);
	assert_int_equal(r.n_slices, 4);
	p = slice_named(&r, "A");
	assert_int_equal(p->verdict, SLICE_OK);
	p = slice_named(&r, "B");
	assert_int_equal(p->verdict, SLICE_HELD);
	assert_non_null(strstr(p->reason, "1 live rows where the last commit had 2"));
	p = slice_named(&r, "C");
	assert_int_equal(p->verdict, SLICE_FAILED);
	assert_string_equal(p->reason, "no answer");
	p = slice_named(&r, "");
	assert_int_equal(p->verdict, SLICE_UNCHANGED);
	assert_int_equal(p->before, 1);
	assert_int_equal(r.events, 1);
	assert_int_equal(r.total, 5);
	assert_int_equal(fixture_commit(&f->s, "src", &r, &f->d), GLANE_OK);
	list_rows(&f->s, &got);
	assert_string_equal(got.p, "TGO 2020 9 revised/BEN 2020 2 new/TGO 2020 3 new/TGO 2020 4 new/TGO 2020 4 new/");
	diff_release(&r);
	strbuf_release(&got);
}

/* A cover withdraws what the fetch lacks: no deletion of attributes is the evidence for it. */
static void test_absence(void **state)
{
	static const struct cell first[] = {C_FLAG("BEN", 2020, 4, "p"), C_FLAG("TGO", 2020, 6, "p")};
	static const struct cell second[] = {C_FLAG("", 0, 0, "erase flags"), C_FLAG("TGO", 2020, 6, "p")};
	struct fixture *f = *state;
	struct store_cursor c;
	struct row r;

	assert_int_equal(fixture_refresh(&f->s, "src", first, 2, T0, &f->d), GLANE_OK);
	assert_int_equal(fixture_refresh(&f->s, "src", second, 2, T0 + 1, &f->d), GLANE_OK);
	assert_int_equal(store_rows_open(&f->s, "src", 2, &c, &f->d), GLANE_OK);
	assert_int_equal(store_rows_next(&c, &r, &f->d), GLANE_OK);
	assert_true(slice_is(r.area_code, "BEN") && slice_is(r.event, "withdrawn") && slice_is(r.flags, "p"));
	assert_int_equal(r.payload.n, 0);
	store_rows_close(&c);
}

/* D11: whatever a row can hold, in any order: once it is known, the same batch is no event, however often it comes. */
static void test_idempotence(void **state)
{
	static const struct cell cells[] = {C("TGO", 2021, 5), C_FLAG("BEN", 2020, 4, "p, e"),
		{"I", "TGO", 2020, 500, -2, NULL, 0}, {"I", "TGO", 2019, -17, 3, "say \"no\",\nplease", 0},
		{"H", "GHA", 1900, 123456789012345678, -9, NULL, 0}, {"H", "MLI", 2020, 0, 0, "x", 'M'},
		{"H", "NER", 2020, 0, 0, "remove", 0}, {"J", "\xc3\xa9", 2024, 1, -1, NULL, 0}};
	const struct cover full = {.kind = FULL, .dataset = SLICE("DS")};
	struct fixture *f = *state;
	struct strbuf first, now;
	uint64_t n;

	strbuf_init(&first, 0);
	strbuf_init(&now, 0);
	for (unsigned i = 0; i <= 1000; i++) {
		struct diff_result r;

		assert_int_equal(
			fixture_diff(&f->s, "src", cells, N(cells), &full, 1, T0 + i * 3600, &r, &f->d), GLANE_OK);
		assert_int_equal(r.events, i ? 0 : N(cells) - 1);
		assert_int_equal(fixture_commit(&f->s, "src", &r, &f->d), GLANE_OK);
		diff_release(&r);
		if (i % 100 == 0) {
			store_close(&f->s);
			assert_int_equal(store_open(&f->s, f->path, true, &f->d), GLANE_OK);
			list_rows(&f->s, i ? &now : &first);
		}
	}
	assert_int_equal(store_commit_number(&f->s, "src", &n, &f->d), GLANE_OK);
	assert_int_equal(n, 1);
	assert_string_equal(now.p, first.p);
	strbuf_release(&first);
	strbuf_release(&now);
}

/* Unchanged rows keep every column; events carry the stamp, which never goes back. */
static void test_stamps(void **state)
{
	static const struct cell first[] = {{"I", "BEN", 2020, 1, 0, "say \"p\", please\nnow", 0}, C("TGO", 2020, 2)};
	static const struct cell second[] = {{"I", "BEN", 2020, 1, 0, "say \"p\", please\nnow", 0}, C("TGO", 2020, 3)};
	struct query then = {.as_of = T0}, now = {.as_of = INT64_MAX};
	struct fixture *f = *state;
	struct strbuf a, b;
	const char *row;
	json_t *j;

	strbuf_init(&a, 0);
	strbuf_init(&b, 0);
	assert_int_equal(fixture_refresh(&f->s, "src", first, 2, T0, &f->d), GLANE_OK);
	assert_int_equal(fixture_refresh(&f->s, "src", second, 2, T0 - 3600, &f->d), GLANE_OK);
	assert_int_equal(fixture_export(&f->s, &then, &a, &f->d), GLANE_OK);
	assert_int_equal(fixture_export(&f->s, &now, &b, &f->d), GLANE_OK);
	row = strstr(a.p, "src,DS,I,TGO");
	assert_non_null(row);
	assert_memory_equal(a.p, b.p, (size_t)(row - a.p));
	assert_non_null(strstr(row, "2026-11-23T23:44:35Z,2026-11-23T23:44:35Z,new,source,20261123T234435Z,aa6ff1"));
	assert_non_null(strstr(b.p + (row - a.p), "2026-11-23T23:44:36Z,2026-11-23T23:44:36Z,revised,source,2026"));
	assert_int_equal(store_state(&f->s, "src", 2, &j, &f->d), GLANE_OK);
	assert_string_equal(json_text(j, "recorded_at", ""), "2026-11-23T23:44:36Z");
	assert_string_equal(json_text(j, "run", ""), "20261123T234435Z");
	assert_int_equal(json_int(j, "rows", 0), 2);
	assert_int_equal(json_int(j, "events", 0), 1);
	json_decref(j);
	strbuf_release(&a);
	strbuf_release(&b);
}

/* Records were rejected: what is missing may be theirs and stays. */
static void test_keep_missing(void **state)
{
	static const struct cell first[] = {C("BEN", 2020, 1), C("TGO", 2020, 2)}, second[] = {C("TGO", 2020, 3)};
	const struct cover full = {.kind = FULL, .dataset = SLICE("DS")};
	struct fixture *f = *state;
	struct batch b;
	struct diff_input in = {.source = "src",
		.batch = &b,
		.previous = 1,
		.now = T0,
		.run = "20261123T234435Z",
		.cause = "source",
		.keep_missing = true};
	struct diff_result r;
	struct strbuf got;

	strbuf_init(&got, 0);
	gate_defaults(&in.gate);
	assert_int_equal(fixture_refresh(&f->s, "src", first, 2, T0, &f->d), GLANE_OK);
	assert_int_equal(fixture_batch(&f->s, &b, second, 1, &full, 1, &f->d), GLANE_OK);
	assert_int_equal(diff_run(&f->s, &in, &r, &f->d), GLANE_OK);
	assert_int_equal(r.slices[0].verdict, SLICE_OK);
	assert_int_equal(r.slices[0].withdrawn, 0);
	assert_int_equal(fixture_commit(&f->s, "src", &r, &f->d), GLANE_OK);
	list_rows(&f->s, &got);
	assert_string_equal(got.p, "BEN 2020 1 new/TGO 2020 3 revised/");
	diff_release(&r);
	batch_release(&b);
	strbuf_release(&got);
}

/* The commit refuses what is not its place, and a diff without events. */
static void test_refusals(void **state)
{
	static const struct cell cells[] = {C("TGO", 2020, 2)};
	const struct cover full = {.kind = FULL, .dataset = SLICE("DS")};
	struct fixture *f = *state;
	struct diff_result r;
	json_t *j = json_object();
	uint64_t n = 77;

	assert_int_equal(fixture_diff(&f->s, "src", cells, 1, &full, 1, T0, &r, &f->d), GLANE_OK);
	assert_int_equal(diff_commit(&f->s, "src", 4, &r, j, &n, &f->d), GLANE_E_USAGE);
	diag_clear(&f->d);
	assert_int_equal(diff_commit(&f->s, "../src", 0, &r, j, &n, &f->d), GLANE_E_USAGE);
	diag_clear(&f->d);
	assert_int_equal(n, 77);
	assert_int_equal(diff_commit(&f->s, "src", 0, &r, j, &n, &f->d), GLANE_OK);
	assert_int_equal(n, 1);
	/* Once only, and not there before it is published. */
	assert_int_equal(diff_commit(&f->s, "src", 0, &r, j, &n, &f->d), GLANE_E_USAGE);
	diag_clear(&f->d);
	assert_int_equal(store_commit_number(&f->s, "src", &n, &f->d), GLANE_OK);
	assert_int_equal(n, 0);
	assert_int_equal(store_publish(&f->s, &f->d), GLANE_OK);
	assert_int_equal(store_commit_number(&f->s, "src", &n, &f->d), GLANE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(diff_commit(&f->s, "src", 0, &r, j, &n, &f->d), GLANE_E_USAGE);
	diag_clear(&f->d);
	diff_release(&r);
	assert_int_equal(fixture_diff(&f->s, "src", cells, 1, &full, 1, T0, &r, &f->d), GLANE_OK);
	assert_int_equal(r.events, 0);
	assert_int_equal(diff_commit(&f->s, "src", 1, &r, j, &n, &f->d), GLANE_E_USAGE);
	diff_release(&r);
	json_decref(j);
}

/* Value of night n: what the killed child wrote can be told without asking it. */
static void night(struct cell *cells, size_t n, uint64_t number)
{
	static const char *const areas[] = {"BEN", "BFA", "CIV", "GHA", "MLI", "NER", "NGA", "TGO"};

	for (size_t i = 0; i < n; i++)
		cells[i] = (struct cell){"I", areas[i % 8], (int32_t)(2000 + i / 8), (int64_t)number, 0, NULL, 0};
}

static void commit_for_ever(const char *path, int ack)
{
	struct cell cells[64];
	struct store s;
	uint64_t n;

	if (store_open(&s, path, true, NULL) < 0)
		_exit(2);
	for (;;) {
		if (store_commit_number(&s, "src", &n, NULL) < 0)
			_exit(3);
		night(cells, 64, n + 1);
		if (fixture_refresh(&s, "src", cells, 64, T0 + (int64_t)n, NULL) < 0)
			_exit(4);
		n++;
		if (write(ack, &n, sizeof(n)) != (ssize_t)sizeof(n))
			_exit(5);
	}
}

static uint64_t last_ack(int fd)
{
	uint64_t n, last = 0;

	while (read(fd, &n, sizeof(n)) == (ssize_t)sizeof(n))
		last = n;
	return last;
}

static void check_night(const char *path, size_t keys, uint64_t acked, uint64_t *ret_n)
{
	uint64_t n, rows = 0, findings = 0;
	struct store_cursor c;
	struct strbuf b;
	struct diag d = {0};
	struct store s;
	struct row r;
	char want[24];
	glane_rc rc;

	strbuf_init(&b, 0);
	*ret_n = 0;
	if (store_open(&s, path, false, &d) < 0) {
		assert_int_equal(acked, 0);
		return;
	}
	/* Readers see the last commit even where current is behind; the next writer mends that. */
	assert_int_equal(store_commit_number(&s, "src", &n, &d), GLANE_OK);
	assert_true(n >= acked && n <= acked + 1);
	if (n) {
		(void)snprintf(want, sizeof(want), "%llu", (unsigned long long)n);
		assert_int_equal(store_rows_open(&s, "src", n, &c, &d), GLANE_OK);
		while ((rc = store_rows_next(&c, &r, &d)) == GLANE_OK) {
			assert_true(slice_is(r.value, want));
			rows++;
		}
		assert_int_equal(rc, GLANE_END);
		assert_int_equal(rows, keys);
		store_rows_close(&c);
	}
	store_close(&s);
	assert_int_equal(store_open(&s, path, true, &d), GLANE_OK);
	assert_int_equal(store_check(&s, &b, &rows, &findings, &d), GLANE_OK);
	if (findings)
		print_message("%s\n", b.p);
	assert_int_equal(findings, 0);
	assert_int_equal(rows, n ? keys : 0);
	store_close(&s);
	strbuf_release(&b);
	*ret_n = n;
}

/* kill -9 at any moment, the first start of the store included: the last commit stays, the next run succeeds. */
static void test_kills(void **state)
{
	struct fixture *f = *state;
	uint64_t acked = 0, seen, seed = (uint64_t)clock_mono_ms() | 1;
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/killed", f->path);
	for (int i = 0; i < 100; i++) {
		struct timespec wait = {0};
		int fds[2], status;
		uint64_t last;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			fd_close(&fds[0]);
			commit_for_ever(path, fds[1]);
		}
		fd_close(&fds[1]);
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		wait.tv_nsec = (long)((seed >> 33) % 25000) * 1000;
		(void)nanosleep(&wait, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		last = last_ack(fds[0]);
		fd_close(&fds[0]);
		check_night(path, 64, last > acked ? last : acked, &seen);
		acked = seen;
		if (i % 10 == 9) {
			/* The vintages would grow for ever: a new store, whose beginning is killed too. */
			fixture_remove(path);
			acked = 0;
		}
	}
}

/* What a killed writer left is gone after the next one has opened the store. */
static void test_left_overs(void **state)
{
	static const char *const left[] = {"tmp/stream-src-20261123T234435Z-2-0.parquet", "state/src/2.json",
		"state/src/3.json.tmp", "runs/20261123T234435Z.json.tmp", "stream/src-20261123T234435Z-2-0.parquet",
		"current/src-20261123T234435Z-2-1.parquet", "stream/_delta_log/00000000000000000002.json.tmp"};
	static const struct cell cells[] = {C("TGO", 2020, 2)};
	struct fixture *f = *state;
	char kept[512];

	assert_int_equal(fixture_refresh(&f->s, "src", cells, 1, T0, &f->d), GLANE_OK);
	fixture_find(f, "stream", ".parquet", kept);
	for (size_t i = 0; i < N(left); i++)
		fixture_damage(f, left[i], SLICE("{"));
	store_close(&f->s);
	assert_int_equal(store_open(&f->s, f->path, true, &f->d), GLANE_OK);
	for (size_t i = 0; i < N(left); i++)
		assert_false(file_exists(f->s.dir, left[i]));
	assert_true(file_exists(f->s.dir, "state/src/1.json"));
	assert_true(file_exists(f->s.dir, kept));
}

static bool disk_full;

/* The disk is full from the first data file on. */
static int full_openat(int dir, const char *name, int flags, mode_t mode)
{
	disk_full |= strncmp(name, "stream-", 7) == 0;
	return io_system.openat(dir, name, flags, mode);
}

static ssize_t full_write(int fd, const void *p, size_t n)
{
	if (!disk_full)
		return io_system.write(fd, p, n);
	errno = ENOSPC;
	return -1;
}

/* After a failed write this process writes nothing more; the next one finds the store as it was. */
static void test_full_disk(void **state)
{
	static const struct cell cells[] = {C("TGO", 2020, 2)};
	const struct io_table *before = io;
	struct io_table full = *io;
	struct fixture *f = *state;
	static const struct cell more[] = {C("TGO", 2020, 3)};
	json_t *empty = json_object();
	struct strbuf b;

	strbuf_init(&b, 0);
	assert_int_equal(fixture_refresh(&f->s, "src", cells, 1, T0, &f->d), GLANE_OK);
	full.openat = full_openat;
	full.write = full_write;
	disk_full = false;
	io = &full;
	assert_int_equal(fixture_refresh(&f->s, "src", more, 1, T0, &f->d), GLANE_E_IO);
	io = before;
	assert_non_null(strstr(f->d.text, "new rows in"));
	assert_int_equal(store_last_write(&f->s, "src", empty, NULL), GLANE_E_IO);
	json_decref(empty);
	diag_clear(&f->d);
	store_close(&f->s);
	assert_int_equal(store_open(&f->s, f->path, true, &f->d), GLANE_OK);
	list_rows(&f->s, &b);
	assert_string_equal(b.p, "TGO 2020 2 new/");
	assert_int_equal(fixture_refresh(&f->s, "src", cells, 1, T0, &f->d), GLANE_OK);
	strbuf_release(&b);
}

static void *json_alloc(size_t n)
{
	return mem_alloc(n);
}

static glane_rc whole_night(const char *path, uint64_t number, struct diag *d)
{
	struct cell cells[16];
	struct query q = {.as_of = INT64_MAX};
	json_t *commits;
	struct strbuf b;
	struct store s;
	glane_rc rc = store_open(&s, path, true, d);

	if (rc < 0)
		return rc;
	strbuf_init(&b, 0);
	night(cells, 16, number);
	rc = fixture_refresh(&s, "src", cells, 16, T0, d);
	if (rc == GLANE_OK)
		rc = store_commits(&s, &commits, d);
	if (rc == GLANE_OK) {
		rc = store_last_write(&s, "src", commits, d);
		json_decref(commits);
	}
	if (rc == GLANE_OK)
		rc = fixture_export(&s, &q, &b, d);
	if (rc == GLANE_OK && !strbuf_ok(&b))
		rc = GLANE_E_NOMEM;
	strbuf_release(&b);
	store_close(&s);
	return rc;
}

static uint64_t newest(const char *path)
{
	struct store s;
	uint64_t n = 0;

	/* Not before its folders and its format are there. */
	if (store_open(&s, path, false, NULL) < 0)
		return 0;
	assert_int_equal(store_commit_number(&s, "src", &n, NULL), GLANE_OK);
	store_close(&s);
	return n;
}

/* Fails the N-th allocation, N from 1, until a night gets through. jansson forgets why it failed: its code may be another. */
static void fail_each(const char *path, bool for_ever, bool jansson, uint64_t *n)
{
	long k = 1, failed = 0;

	/* A new store: a checkpoint that cannot be read for want of memory is passed over, so that the night succeeds. */
	fixture_remove(path);
	*n = 0;

	for (;; k += 1 + k / 64) {
		struct diag d = {0};
		uint64_t now;
		glane_rc rc;

		assert_true(k < 100000);
		mem_fail_after(k, for_ever);
		rc = whole_night(path, *n + 1, &d);
		mem_fail_after(0, false);
		now = newest(path);
		assert_true(now == *n || now == *n + 1);
		*n = now;
		if (rc == GLANE_OK)
			break;
		failed++;
		if (rc != GLANE_E_NOMEM && !strstr(d.text, "no memory") && !jansson)
			fail_msg("allocation %ld: %d, %s", k, rc, d.text);
	}
	assert_true(failed > 20);
}

/* Always a clean error, never half a commit. */
static void test_allocations(void **state)
{
	struct fixture *f = *state;
	uint64_t n = 0;

	store_close(&f->s);
	fail_each(f->path, false, false, &n);
	fail_each(f->path, true, false, &n);
	json_set_alloc_funcs(json_alloc, mem_free);
	fail_each(f->path, false, true, &n);
	fail_each(f->path, true, true, &n);
	json_set_alloc_funcs(malloc, free);
	check_night(f->path, 16, n, &n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenarios),
		cmocka_unit_test_setup_teardown(test_slices, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_absence, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_idempotence, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_stamps, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_keep_missing, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_kills, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_left_overs, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_allocations, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
