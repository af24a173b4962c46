/* SPDX-License-Identifier: MIT */
/* The events of a span: by time, by run, what each key came to, what was before; which files are opened for it. */
#include "store_fixture.h"

#include "store/changes.h"
#include "store/lake.h"

#define N(a) (sizeof(a) / sizeof(*(a)))
#define NIGHTS 6
#define KEYS 12

static const int64_t night_at[NIGHTS] = {T0, T0 + 100, T0 + 200, T0 + 300, T0 + 400, T0 + 500};

/* Night 1: key 0 revised, key 1 gone. Night 2: key 1 back with another value. Night 3: flags of key 2. Night 4: nothing. Night 5: key 0
 * again, key 1 gone again; in `two` key 3. */
static size_t cells_of(const char *source, int night, struct cell cells[KEYS])
{
	const bool one = strcmp(source, "one") == 0;
	size_t n = 0;

	for (int k = 0; k < KEYS; k++) {
		struct cell c = {"I", "TGO", 2000 + k, k + 10, 0, NULL, 0};

		if (one && k == 0 && night >= 1)
			c.coef = night >= 5 ? 105 : 101;
		if (one && k == 1 && night >= 2)
			c.coef = 111;
		if (one && k == 2 && night >= 3)
			c.flags = "p";
		if (!one && k == 3 && night >= 5)
			c.coef = 133;
		if (!one || k != 1 || (night != 1 && night < 5))
			cells[n++] = c;
	}
	return n;
}

static void fill(struct fixture *f)
{
	static const char *const sources[] = {"one", "two"};
	struct cell cells[KEYS];

	for (int night = 0; night < NIGHTS; night++) {
		for (size_t i = 0; i < N(sources); i++) {
			size_t n = cells_of(sources[i], night, cells);

			assert_int_equal(
				fixture_refresh(&f->s, sources[i], cells, n, night_at[night], &f->d), GLANE_OK);
		}
	}
}

/* "one/2000@100 revised 10>101; " of each event. */
static glane_rc list(
	struct fixture *f, const struct query *q, struct changes_span span, enum changes_kind kind, struct strbuf *b)
{
	struct changes *c = NULL;
	const struct row *before;
	struct row r;
	glane_rc rc = changes_open(&f->s, q, &span, kind, &c, &f->d);

	strbuf_reset(b);
	strbuf_puts(b, "");
	while (rc == GLANE_OK) {
		rc = changes_next(c, &r, &before, &f->d);
		if (rc != GLANE_OK)
			break;
		strbuf_fmt(b, "%.*s/%.*s@%d %.*s ", SLICE_FMT(r.source), SLICE_FMT(r.period), (int)(r.recorded_at - T0),
			SLICE_FMT(r.event));
		if (before)
			strbuf_fmt(b, "%.*s>", SLICE_FMT(before->value));
		strbuf_fmt(b, "%.*s; ", SLICE_FMT(r.value));
	}
	changes_close(c);
	return rc == GLANE_END ? GLANE_OK : rc;
}

static const struct {
	int64_t from, to; /* behind T0 */
	enum changes_kind kind;
	const char *want;
} spans[] = {
	{100, 100, CHANGES_EACH, "one/2000@100 revised 101; one/2001@100 withdrawn 11; "},
	{101, 199, CHANGES_EACH, ""},
	{400, 400, CHANGES_EACH, ""},
	{300, 100, CHANGES_EACH, ""},
	{100, 9999, CHANGES_EACH,
		"one/2000@100 revised 101; one/2000@500 revised 105; one/2001@100 withdrawn 11; one/2001@200 restored "
		"111; one/2001@500 withdrawn 111; one/2002@300 status 12; two/2003@500 revised 133; "},
	{100, 200, CHANGES_LAST, "one/2000@100 revised 101; one/2001@200 restored 111; "},
	{100, 9999, CHANGES_LAST,
		"one/2000@500 revised 105; one/2001@500 withdrawn 111; one/2002@300 status 12; two/2003@500 revised "
		"133; "},
	{100, 9999, CHANGES_BEFORE,
		"one/2000@100 revised 10>101; one/2000@500 revised 101>105; one/2001@100 withdrawn 11>11; "
		"one/2001@200 restored 11>111; one/2001@500 withdrawn 111>111; one/2002@300 status 12>12; "
		"two/2003@500 revised 13>133; "},
	{500, 500, CHANGES_BEFORE,
		"one/2000@500 revised 101>105; one/2001@500 withdrawn 111>111; two/2003@500 revised 13>133; "},
};

static void check_spans(struct fixture *f)
{
	struct query q = {.as_of = INT64_MAX};
	struct strbuf b;

	strbuf_init(&b, 0);
	for (size_t i = 0; i < N(spans); i++) {
		struct changes_span span = {.from = T0 + spans[i].from, .to = T0 + spans[i].to};

		print_message("span %zu\n", i);
		assert_int_equal(list(f, &q, span, spans[i].kind, &b), GLANE_OK);
		assert_string_equal(b.p, spans[i].want);
	}
	strbuf_release(&b);
}

/* However the stream is cut into files, and whether or not current follows it. */
static void test_spans(void **state)
{
	struct fixture *f = *state;
	struct cell cells[KEYS];
	uint64_t before;

	fill(f);
	check_spans(f);
	before = f->s.lake->table[LAKE_STREAM].n;
	for (int i = 0; i < 32; i++) { /* enough for compaction: values beyond the spans that are looked at */
		size_t n = cells_of("one", NIGHTS, cells);

		cells[n - 1].coef = 1000 + i;
		assert_int_equal(fixture_refresh(&f->s, "one", cells, n, T0 + 100000 + i, &f->d), GLANE_OK);
	}
	assert_int_equal(store_upkeep(&f->s, &f->d), GLANE_OK);
	assert_true(f->s.lake->table[LAKE_STREAM].n > before + 32);
	check_spans(f);
}

static void test_filters(void **state)
{
	static const char *source[] = {"two", NULL}, *area[] = {"BEN", NULL};
	struct changes_span all = {.from = T0 + 1, .to = INT64_MAX};
	struct query q = {.as_of = INT64_MAX, .source = source};
	struct fixture *f = *state;
	struct strbuf b;

	strbuf_init(&b, 0);
	fill(f);
	assert_int_equal(list(f, &q, all, CHANGES_EACH, &b), GLANE_OK);
	assert_string_equal(b.p, "two/2003@500 revised 133; ");
	q.source = NULL;
	q.from = "2001";
	q.to = "2001";
	assert_int_equal(list(f, &q, all, CHANGES_LAST, &b), GLANE_OK);
	assert_string_equal(b.p, "one/2001@500 withdrawn 111; ");
	q.area = area;
	assert_int_equal(list(f, &q, all, CHANGES_BEFORE, &b), GLANE_OK);
	assert_string_equal(b.p, "");
	q.from = "soon";
	assert_int_equal(list(f, &q, all, CHANGES_EACH, &b), GLANE_E_CONFIG);
	(void)snprintf(all.run, sizeof(all.run), "20261123T234436Z");
	q = (struct query){.as_of = INT64_MAX};
	diag_clear(&f->d);
	assert_int_equal(list(f, &q, all, CHANGES_EACH, &b), GLANE_OK);
	assert_string_equal(b.p, "");
	(void)snprintf(all.run, sizeof(all.run), "20261123T234435Z"); /* the fixture's */
	all.from = T0 + 300;
	all.to = T0 + 300;
	assert_int_equal(list(f, &q, all, CHANGES_EACH, &b), GLANE_OK);
	assert_string_equal(b.p, "one/2002@300 status 12; ");
	strbuf_release(&b);
}

/* Cuts every stream file that has no event at or behind T0 + `kept`, but one of those that have. */
static void cut_older(struct fixture *f, int kept)
{
	const struct delta *t = &f->s.lake->table[LAKE_STREAM];

	for (size_t i = 0; i < t->n; i++) {
		char name[DELTA_NAME + 16], stamp[32], id[32];
		size_t n = 0;

		time_format(T0 + kept, stamp);
		for (const char *p = stamp; *p; p++) {
			if (*p != '-' && *p != ':')
				id[n++] = *p;
		}
		id[n] = '\0';
		(void)snprintf(name, sizeof(name), "stream/%.*s", SLICE_FMT(t->files[i].path));
		if (!strstr(name, id))
			fixture_damage(f, name, SLICE("cut"));
	}
}

/* A file outside the span may be anything: it is not looked at. */
static void test_only_that_time(void **state)
{
	struct changes_span span = {.from = T0 + 300, .to = T0 + 300};
	struct query q = {.as_of = INT64_MAX};
	struct fixture *f = *state;
	struct strbuf b;

	strbuf_init(&b, 0);
	fill(f);
	cut_older(f, 300);
	assert_int_equal(list(f, &q, span, CHANGES_EACH, &b), GLANE_OK);
	assert_string_equal(b.p, "one/2002@300 status 12; ");
	assert_int_equal(list(f, &q, span, CHANGES_LAST, &b), GLANE_OK);
	assert_int_equal(list(f, &q, span, CHANGES_BEFORE, &b), GLANE_E_IO);
	diag_clear(&f->d);
	span.from = T0 + 200;
	assert_int_equal(list(f, &q, span, CHANGES_EACH, &b), GLANE_E_IO);
	strbuf_release(&b);
}

static void put_report(struct fixture *f, const char *id, int64_t recorded_at)
{
	json_t *report = json_object();

	assert_true(json_set_int(report, "recorded_at", recorded_at));
	assert_int_equal(store_run_write(&f->s, id, report, &f->d), GLANE_OK);
	json_decref(report);
}

static void test_texts(void **state)
{
	static const struct {
		const char *run;
		int64_t from, to; /* behind T0 */
		const char *id;
		glane_rc rc;
	} runs[] = {
		{"20261123T234435Z", 0, 0, "20261123T234435Z", GLANE_OK},
		{"20261123T234715Z", 160, 100, "20261123T234715Z", GLANE_OK}, /* recorded nothing */
		{"2026-11-23T23:46:14Z", 0, 0, "20261123T234435Z", GLANE_OK},
		{"2026-11-23T23:46:15Z", 100, 100, "20261123T234615Z", GLANE_OK},
		{"2026-11-23", 160, 100, "20261123T234715Z", GLANE_OK},
		{"2026-11-22", 0, 0, "", GLANE_E_CONFIG},
		{"20261122T000000Z", 0, 0, "", GLANE_E_CONFIG},
		{"never", 0, 0, "", GLANE_E_CONFIG},
	};
	struct changes_span span;
	struct fixture *f = *state;

	assert_int_equal(changes_of_run(&f->s, NULL, &span, &f->d), GLANE_OK); /* nothing was ever recorded */
	assert_true(span.to < T0);
	fill(f);
	put_report(f, "20261123T234435Z", T0);
	put_report(f, "20261123T234615Z", T0 + 100);
	put_report(f, "20261123T234715Z", T0 + 100);
	for (size_t i = 0; i < N(runs); i++) {
		print_message("%s\n", runs[i].run);
		assert_int_equal(changes_of_run(&f->s, runs[i].run, &span, &f->d), runs[i].rc);
		diag_clear(&f->d);
		if (runs[i].rc < 0)
			continue;
		assert_int_equal(span.from - T0, runs[i].from);
		assert_int_equal(span.to - T0, runs[i].to);
		assert_string_equal(span.run, runs[i].id);
	}
	assert_int_equal(changes_of_run(&f->s, NULL, &span, &f->d), GLANE_OK); /* the last one left no report */
	assert_true(span.from == T0 + 500 && span.to == T0 + 500 && !span.run[0]);
	put_report(f, "20261123T235255Z", T0 + 500);
	assert_int_equal(changes_of_run(&f->s, NULL, &span, &f->d), GLANE_OK);
	assert_true(span.from == T0 + 500 && strcmp(span.run, "20261123T235255Z") == 0);
	assert_int_equal(changes_since("2026-11-23", &span, &f->d), GLANE_OK);
	assert_true(span.from == days_from_civil(2026, 11, 23) * 86400 && span.to == INT64_MAX && !span.run[0]);
	assert_int_equal(changes_since("20261123T234435Z", &span, &f->d), GLANE_E_CONFIG);
	diag_clear(&f->d);
}

/* Whatever allocation fails: an error, and nothing is lost in the end. */
static void test_no_memory(void **state)
{
	struct changes_span span = {.from = T0 + 1, .to = INT64_MAX};
	struct query q = {.as_of = INT64_MAX};
	struct fixture *f = *state;
	glane_rc rc = GLANE_E_NOMEM;
	bool struck = true;
	struct strbuf b;
	long i;

	strbuf_init(&b, 4096);
	strbuf_room(&b, 4000);
	fill(f);
	for (i = 1; struck && i < 5000; i++) {
		diag_clear(&f->d);
		mem_fail_after(i, false);
		rc = list(f, &q, span, CHANGES_BEFORE, &b);
		struck = mem_fail_after(0, false);
		assert_true(
			rc == GLANE_OK || rc == GLANE_E_NOMEM || rc == GLANE_E_IO); /* IO: a footer without memory */
	}
	assert_int_equal(rc, GLANE_OK);
	assert_true(i > 20);
	assert_string_equal(b.p, spans[7].want);
	strbuf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_spans, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_filters, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_only_that_time, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_texts, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
