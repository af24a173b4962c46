/* SPDX-License-Identifier: MIT */
/* A diff of chosen slices, of new keys alone, and the events that a diff holds back. */
#include "store_fixture.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

static const struct cell first[] = {{"A", "BEN", 2020, 1, 0, NULL, 0}, {"A", "TGO", 2020, 2, 0, NULL, 0},
	{"B", "BEN", 2020, 3, 0, NULL, 0}, {"B", "TGO", 2020, 4, 0, NULL, 0}};
/* A and B lose a row each, which the gate holds; A has a revision, B a new row; C is new. */
static const struct cell second[] = {{"A", "TGO", 2020, 9, 0, NULL, 0}, {"B", "GHA", 2020, 7, 0, NULL, 0},
	{"B", "TGO", 2020, 4, 0, NULL, 0}, {"C", "TGO", 2020, 5, 0, NULL, 0}};
#define COVER(name)                                                                                                    \
	{                                                                                                              \
		.kind = GLANE_COVER_FULL, .dataset = {"DS", 2}, .indicator = { name, 1 }                               \
	}
static const struct cover covers[] = {COVER("A"), COVER("B"), COVER("C")};

struct night {
	struct batch batch;
	struct diff_input in;
	struct diff_result r;
	struct strbuf seen;
};

static void prepare(struct fixture *f, struct night *n)
{
	*n = (struct night){.in = {.source = "src",
				    .batch = &n->batch,
				    .previous = 1,
				    .now = T0 + 60,
				    .run = "20261124T000000Z",
				    .cause = "source"}};
	n->in.gate.min_rows_percent = 90;
	n->in.gate.max_withdrawn_percent = 10;
	strbuf_init(&n->seen, 0);
	assert_int_equal(fixture_refresh(&f->s, "src", first, N(first), T0, &f->d), GLANE_OK);
	assert_int_equal(fixture_batch(&f->s, &n->batch, second, N(second), covers, N(covers), &f->d), GLANE_OK);
}

static void finish(struct night *n)
{
	diff_release(&n->r);
	batch_release(&n->batch);
	strbuf_release(&n->seen);
}

/* SLICE WORD INDICATOR AREA OLD>NEW */
static glane_rc note_event(void *arg, const struct diff_event *e, struct diag *d)
{
	struct night *n = arg;

	(void)d;
	assert_true(slice_is(e->row.run, n->in.run) && slice_is(e->row.event, e->word));
	assert_int_equal(e->row.recorded_at, T0 + 60);
	strbuf_fmt(&n->seen, "%zu %s %.*s %.*s %.*s>%.*s/", e->slice, e->word, SLICE_FMT(e->row.indicator),
		SLICE_FMT(e->row.area), SLICE_FMT(e->old ? e->old->value : SLICE("")), SLICE_FMT(e->row.value));
	return GLANE_OK;
}

static void events(struct fixture *f, struct night *n, const char *want)
{
	strbuf_reset(&n->seen);
	strbuf_puts(&n->seen, "");
	assert_int_equal(diff_events(&f->s, &n->in, &n->r, note_event, n, &f->d), GLANE_OK);
	assert_string_equal(n->seen.n ? n->seen.p : "", want);
}

static void rows(struct fixture *f, const char *want)
{
	struct query now = {.as_of = INT64_MAX};
	struct strbuf csv, got;
	struct slice rest;

	strbuf_init(&csv, 0);
	strbuf_init(&got, 0);
	assert_int_equal(fixture_export(&f->s, &now, &csv, &f->d), GLANE_OK);
	for (rest = strbuf_get(&csv); rest.n;) {
		struct slice line = slice_cut(&rest, '\n'), cell[11];

		for (size_t i = 0; i < 11; i++)
			cell[i] = slice_cut(&line, ',');
		strbuf_fmt(&got, "%.*s %.*s %.*s/", SLICE_FMT(cell[2]), SLICE_FMT(cell[3]), SLICE_FMT(cell[9]));
	}
	assert_string_equal(got.n ? got.p : "", want);
	strbuf_release(&csv);
	strbuf_release(&got);
}

static void test_held_events(void **state)
{
	struct fixture *f = *state;
	struct night n;

	prepare(f, &n);
	assert_int_equal(diff_run(&f->s, &n.in, &n.r, &f->d), GLANE_OK);
	assert_int_equal(n.r.n_slices, 3);
	assert_int_equal(n.r.slices[0].verdict, SLICE_HELD);
	assert_int_equal(n.r.slices[1].verdict, SLICE_HELD);
	assert_int_equal(n.r.slices[2].verdict, SLICE_OK);
	events(f, &n, "0 withdrawn A BEN 1>1/0 revised A TGO 2>9/1 withdrawn B BEN 3>3/1 new B GHA >7/");
	finish(&n);
}

/* A gate that is off for one slice lets that one pass; the others are judged as ever. */
static void test_accept(void **state)
{
	const struct slice_name names[] = {{SLICE("DS"), SLICE("B")}};
	struct fixture *f = *state;
	struct night n;

	prepare(f, &n);
	n.in.accept = names;
	n.in.n_accept = 1;
	assert_int_equal(diff_run(&f->s, &n.in, &n.r, &f->d), GLANE_OK);
	assert_int_equal(n.r.slices[0].verdict, SLICE_HELD);
	assert_int_equal(n.r.slices[1].verdict, SLICE_OK);
	events(f, &n, "0 withdrawn A BEN 1>1/0 revised A TGO 2>9/");
	assert_int_equal(fixture_commit(&f->s, "src", &n.r, &f->d), GLANE_OK);
	rows(f, "A BEN 1/A TGO 2/B GHA 7/B TGO 4/C TGO 5/");
	finish(&n);
}

/* `only`: what was not chosen is as if nothing had been fetched of it, new slices included. */
static void test_only(void **state)
{
	const struct slice_name names[] = {{SLICE("DS"), SLICE("A")}};
	struct fixture *f = *state;
	struct night n;

	prepare(f, &n);
	n.in.accept = names;
	n.in.n_accept = 1;
	n.in.only = true;
	assert_int_equal(diff_run(&f->s, &n.in, &n.r, &f->d), GLANE_OK);
	assert_int_equal(n.r.n_slices, 1);
	assert_true(slice_is(n.r.slices[0].indicator, "A"));
	assert_int_equal(n.r.events, 2);
	assert_int_equal(n.r.total, 3);
	events(f, &n, "0 withdrawn A BEN 1>1/0 revised A TGO 2>9/");
	assert_int_equal(fixture_commit(&f->s, "src", &n.r, &f->d), GLANE_OK);
	rows(f, "A TGO 9/B BEN 3/B TGO 4/");
	finish(&n);
}

static void test_only_what_is_not_there(void **state)
{
	const struct slice_name names[] = {{SLICE("DS"), SLICE("Z")}};
	struct fixture *f = *state;
	struct night n;

	prepare(f, &n);
	n.in.accept = names;
	n.in.n_accept = 1;
	n.in.only = true;
	assert_int_equal(diff_run(&f->s, &n.in, &n.r, &f->d), GLANE_OK);
	assert_int_equal(n.r.n_slices, 0);
	assert_int_equal(n.r.events, 0);
	assert_int_equal(n.r.total, 4);
	events(f, &n, "");
	finish(&n);
}

/* Answers older than the commit: what it has stays, whatever they say, withdrawn keys included. */
static void test_additions(void **state)
{
	static const struct cell gone[] = {{"A", "BEN", 2020, 1, 0, "remove", 0}};
	const struct cover none = {.kind = GLANE_COVER_NONE, .dataset = SLICE("DS")};
	static const struct cell older[] = {{"A", "BEN", 2020, 8, 0, NULL, 0}, {"A", "TGO", 2020, 8, 0, NULL, 0},
		{"A", "GHA", 2020, 8, 0, NULL, 0}, {"B", "BEN", 2020, 3, 0, "remove", 0}};
	struct fixture *f = *state;
	struct night n;

	prepare(f, &n);
	batch_release(&n.batch);
	assert_int_equal(fixture_batch(&f->s, &n.batch, gone, 1, &none, 1, &f->d), GLANE_OK);
	n.in.gate.accept = true;
	assert_int_equal(diff_run(&f->s, &n.in, &n.r, &f->d), GLANE_OK);
	assert_int_equal(fixture_commit(&f->s, "src", &n.r, &f->d), GLANE_OK);
	diff_release(&n.r);
	batch_release(&n.batch);
	rows(f, "A TGO 2/B BEN 3/B TGO 4/");
	assert_int_equal(fixture_batch(&f->s, &n.batch, older, N(older), covers, N(covers), &f->d), GLANE_OK);
	n.in.previous = 2;
	n.in.now = T0 + 120;
	n.in.additions = true;
	assert_int_equal(diff_run(&f->s, &n.in, &n.r, &f->d), GLANE_OK);
	assert_int_equal(n.r.events, 1);
	assert_int_equal(fixture_commit(&f->s, "src", &n.r, &f->d), GLANE_OK);
	rows(f, "A GHA 8/A TGO 2/B BEN 3/B TGO 4/");
	finish(&n);
}

static glane_rc stop(void *arg, const struct diff_event *e, struct diag *d)
{
	size_t *calls = arg;

	(void)e;
	++*calls;
	(void)d;
	return GLANE_E_DATA;
}

static void test_stops(void **state)
{
	struct fixture *f = *state;
	struct night n;
	size_t calls = 0;

	prepare(f, &n);
	assert_int_equal(diff_run(&f->s, &n.in, &n.r, &f->d), GLANE_OK);
	assert_int_equal(diff_events(&f->s, &n.in, &n.r, stop, &calls, &f->d), GLANE_E_DATA);
	assert_int_equal(calls, 1);
	finish(&n);
}

static void test_names(void **state)
{
	const struct slice absent = {NULL, 0};

	(void)state;
	assert_true(slice_name_eq((struct slice_name){SLICE("D"), absent}, (struct slice_name){SLICE("D"), SLICE("")}));
	assert_false(
		slice_name_eq((struct slice_name){SLICE("D"), absent}, (struct slice_name){SLICE("D"), SLICE("I")}));
	assert_false(slice_name_eq((struct slice_name){SLICE("D"), absent}, (struct slice_name){SLICE("E"), absent}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_held_events, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_accept, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_only, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_only_what_is_not_there, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_additions, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_stops, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
