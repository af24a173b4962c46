/* SPDX-License-Identifier: MIT */
/* core/plug/emit.c: what a plugin gives, from its texts to exact observations, notes and handles; and what is refused. */
#include "support/cmocka.h"
#include "support/test_host.h"

#include "model/decimal.h"

#include <stdio.h>

#define ROW(...) h->emit(r, &(struct glane_row){.size = sizeof(struct glane_row), .series = s, __VA_ARGS__})
#define S(literal) GLANE_STR(literal)

static glane_rc series(const struct glane_host *h, glane_run *r, char freq, uint32_t *ret)
{
	const struct glane_request q = {.size = sizeof(q), .url = "{base_url}/x"};
	glane_reader *rd;
	const struct glane_series s = {.size = sizeof(s),
		.freq = freq,
		.dataset = S("D"),
		.indicator = S("I"),
		.area = S("TGO"),
		.area_scheme = S("ISO3")};

	const glane_rc rc = h->open(r, &q, &rd);

	return rc == GLANE_OK ? h->series(r, &s, ret) : rc;
}

static const struct test_page any_page = {.body = "x"};

struct emit_case {
	const char *name;
	test_run *run;
	glane_rc rc;
	const char *
		want; /* what stands in the output, without its series lines; or words of the message where rc is not OK */
	bool keep_empty;
};

#define RUN(name)                                                                                                      \
	static glane_rc name(const struct glane_host *h, glane_run *r, void *state);                                   \
	static glane_rc name##_with(const struct glane_host *h, glane_run *r, uint32_t s);                             \
	static glane_rc name(const struct glane_host *h, glane_run *r, void *state)                                    \
	{                                                                                                              \
		uint32_t s;                                                                                            \
		glane_rc rc = series(h, r, 0, &s);                                                                     \
                                                                                                                       \
		(void)state;                                                                                           \
		return rc == GLANE_OK ? name##_with(h, r, s) : rc;                                                     \
	}                                                                                                              \
	static glane_rc name##_with(const struct glane_host *h, glane_run *r, uint32_t s)

RUN(numbers)
{
	static const char *const texts[] = {
		"1", "-0.50", "1e3", "123456789012345678", "1234567890123456789.5", "<0.1", "+.5"};
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
		rc = ROW(.period = S("2020"), .value = {texts[i], strlen(texts[i])});
	return rc;
}

RUN(minuses)
{
	glane_rc rc = ROW(.period = S("2020"), .value = S(" \xe2\x88\x92"
							  "1.50"));

	return rc == GLANE_OK ? ROW(.period = S("2021"), .value = S("1\xe2\x88\x92"
								    "2"))
			      : rc;
}

/* A column of indicators may have an empty cell. */
static glane_rc nameless(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_series def = {.size = sizeof(def), .dataset = S("D")};
	uint32_t s;
	glane_rc rc = h->series(r, &def, &s);

	(void)state;
	return rc == GLANE_OK ? ROW(.period = S("2020"), .value = S("1")) : rc;
}

RUN(beyond)
{
	glane_rc rc = ROW(.period = S("2020"), .value = S("1e999"));

	return rc == GLANE_OK ? ROW(.period = S("2021"), .value = S("1e-999")) : rc;
}

RUN(periods)
{
	static const char *const texts[] = {"2020", "2020-S2", "2020-T3", "2020Q4", "2020M07", "2020-W53", "2020-02-29",
		"2020-01-01/P3M", "2020-W54", "soon", "", "2021-02-29"};
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
		rc = ROW(.period = {texts[i], strlen(texts[i])}, .value = S("1"));
	return rc;
}

RUN(statuses)
{
	static const char *const texts[] = {"A", "E", "P", "p", "Draft law", "B ", "O"};
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
		rc = ROW(.period = S("2020"), .value = S("1"), .status = {texts[i], strlen(texts[i])});
	return rc == GLANE_OK ? ROW(.period = S("2020"), .value = S("1"), .status = S("word"), .flags = S("f")) : rc;
}

RUN(empties)
{
	glane_rc rc = ROW(.period = S("2020"));

	if (rc == GLANE_OK)
		rc = ROW(.period = S("2021"), .value = S(""));
	if (rc == GLANE_OK)
		rc = ROW(.period = S("2022"), .status = S("M"));
	return rc == GLANE_OK ? ROW(.period = S("2023"), .note = S("why")) : rc;
}

RUN(mults)
{
	glane_rc rc = ROW(.period = S("2020"), .value = S("1"), .unit_mult = S("6"));

	if (rc == GLANE_OK)
		rc = ROW(.period = S("2021"), .value = S("1"), .unit_mult = S("31"));
	return rc == GLANE_OK ? ROW(.period = S("2022"), .value = S("1"), .unit_mult = S("many")) : rc;
}

RUN(equal_notes)
{
	glane_rc rc = ROW(.period = S("2020"), .value = S("x"));

	if (rc == GLANE_OK)
		rc = ROW(.period = S("2021"), .value = S("y"));
	return rc == GLANE_OK ? ROW(.period = S("2022"), .value = S("x")) : rc;
}

RUN(not_utf8)
{
	return ROW(.period = S("2020"), .value = S("1"), .note = S("\xff"));
}

RUN(nul_inside)
{
	return ROW(.period = S("2020"), .value = {"a\0b", 3});
}

RUN(huge_note)
{
	char *text = h->fmt(r, "%70000d", 1) ? (char *)(uintptr_t)h->fmt(r, "%70000d", 1) : NULL;

	return text ? ROW(.period = S("2020"), .value = S("1"), .note = {text, 70000}) : GLANE_E_NOMEM;
}

RUN(handle_zero)
{
	s = 0;
	return ROW(.period = S("2020"), .value = S("1"));
}

RUN(handle_garbage)
{
	s += 12345;
	return ROW(.period = S("2020"), .value = S("1"));
}

RUN(row_without_size)
{
	const struct glane_row row = {.size = 8, .series = s};

	return h->emit(r, &row);
}

RUN(row_null)
{
	(void)s;
	return h->emit(r, NULL);
}

static glane_rc series_null(const struct glane_host *h, glane_run *r, void *state)
{
	uint32_t s;

	(void)state;
	return h->series(r, NULL, &s);
}

static glane_rc series_without_size(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_series s = {.size = 3};
	uint32_t handle;

	(void)state;
	return h->series(r, &s, &handle);
}

static glane_rc series_freq(const struct glane_host *h, glane_run *r, void *state)
{
	uint32_t s;

	(void)state;
	return series(h, r, 'Y', &s);
}

static glane_rc series_text(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_series s = {.size = sizeof(s), .dataset = S("D"), .indicator = S("\xc3")};
	uint32_t handle;

	(void)state;
	return h->series(r, &s, &handle);
}

/* ---- push ---- */

static glane_rc push_one(const struct glane_host *h, glane_run *r, struct glane_obs o, char freq)
{
	glane_rc rc = series(h, r, freq, &o.series);

	return rc == GLANE_OK ? h->push(r, &o, 1, sizeof(o)) : rc;
}

#define PUSH(name, freq, ...)                                                                                          \
	static glane_rc name(const struct glane_host *h, glane_run *r, void *state)                                    \
	{                                                                                                              \
		(void)state;                                                                                           \
		return push_one(h, r, (struct glane_obs){__VA_ARGS__}, freq);                                          \
	}
PUSH(push_fine, 'A', .period = 2020, .coef = 15, .exp10 = -1)
PUSH(push_empty, 'A', .period = 2020, .exp10 = -128)
PUSH(push_month, 'M', .period = 2020 * 12 + 6, .coef = 1, .status = 'E')
PUSH(push_no_freq, 0, .period = 2020)
PUSH(push_status, 'A', .period = 2020, .status = 'a')
PUSH(push_zero, 'A', .period = 2020, .flags = 2)
PUSH(push_note, 'A', .period = 2020, .note = 1)
PUSH(push_year, 'A', .period = 10000)
PUSH(push_least, 'A', .period = INT32_MIN)
PUSH(push_table, 'A', .period = -1)
PUSH(push_digits, 'A', .period = 2020, .coef = 1000000000000000000)
PUSH(push_digits_of_none, 'A', .period = 2020, .coef = 1, .exp10 = -128)

RUN(push_stride)
{
	const struct glane_obs o = {.series = s};

	return h->push(r, &o, 1, 23);
}

static glane_rc push_strided(const struct glane_host *h, glane_run *r, void *state)
{
	struct {
		struct glane_obs o;
		char more[8];
	} rows[3] = {{{.period = 2020, .coef = 1}, "-------"}, {{.period = 2021, .coef = 2}, "-------"},
		{{.period = 2022, .coef = 3}, "-------"}};
	uint32_t s;
	glane_rc rc = series(h, r, 'A', &s);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		rows[i].o.series = s;
	return rc == GLANE_OK ? h->push(r, &rows[0].o, 3, sizeof(rows[0])) : rc;
}

static glane_rc push_annotated(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_annotation a = {.size = sizeof(a), .flags = S("b"), .has_unit_mult = 1, .unit_mult = 3};
	const struct glane_annotation gone = {.size = sizeof(gone), .remove = 1};
	struct glane_obs o = {.period = 2020};
	glane_rc rc = series(h, r, 'A', &o.series);

	(void)state;
	if (rc == GLANE_OK)
		rc = h->number(r, S("2.50"), &o);
	if (rc == GLANE_OK)
		rc = h->annotate(r, &a, &o.note);
	if (rc == GLANE_OK)
		rc = h->push(r, &o, 1, sizeof(o));
	o = (struct glane_obs){.series = o.series, .period = 2021, .exp10 = -128};
	if (rc == GLANE_OK)
		rc = h->annotate(r, &gone, &o.note);
	return rc == GLANE_OK ? h->push(r, &o, 1, sizeof(o)) : rc;
}

RUN(annotate_mult)
{
	const struct glane_annotation a = {.size = sizeof(a), .has_unit_mult = 1, .unit_mult = 31};

	return h->annotate(r, &a, &s);
}

RUN(number_of_text)
{
	struct glane_obs o = {.series = s};
	char freq;
	glane_rc rc = h->number(r, S("n/a"), &o);

	if (rc == GLANE_OK)
		rc = h->period(r, 0, S("2020-01-01/P3M"), &freq, &o.period);
	if (rc == GLANE_OK && (o.exp10 != DECIMAL_NONE || freq != 'I' || o.period != -1))
		return h->fail(r, GLANE_E_DATA, "got %d %c %d", o.exp10, freq, (int)o.period);
	return rc == GLANE_OK ? h->push(r, &o, 1, sizeof(o)) : rc;
}

RUN(period_freq)
{
	char freq;
	int32_t p;

	(void)s;
	return h->period(r, 'X', S("2020"), &freq, &p);
}

/* ---- cover, cursors, quarantine ---- */

static glane_rc cover(const struct glane_host *h, glane_run *r, uint32_t kind, const char *from, const char *to)
{
	const struct glane_cover c = {.size = sizeof(c),
		.kind = kind,
		.dataset = S("D"),
		.indicator = S("I"),
		.from = {from, from ? strlen(from) : 0},
		.to = {to, to ? strlen(to) : 0}};

	return h->cover(r, &c);
}

#define COVER(name, kind, from, to)                                                                                    \
	static glane_rc name(const struct glane_host *h, glane_run *r, void *state)                                    \
	{                                                                                                              \
		(void)state;                                                                                           \
		return cover(h, r, kind, from, to);                                                                    \
	}
COVER(cover_full, GLANE_COVER_FULL, NULL, NULL)
COVER(cover_range, GLANE_COVER_RANGE, "1970-01-01", "1970-01-31")
COVER(cover_backwards, GLANE_COVER_RANGE, "1970-01-31", "1970-01-01")
COVER(cover_year, GLANE_COVER_RANGE, "1970", "1971")
COVER(cover_no_range, GLANE_COVER_RANGE, NULL, NULL)
COVER(cover_kind, 9, NULL, NULL)

static glane_rc cover_failed(const struct glane_host *h, glane_run *r, void *state)
{
	(void)state;
	h->fail(r, GLANE_E_DATA, "the column is gone");
	return cover(h, r, GLANE_COVER_FAILED, NULL, NULL);
}

static glane_rc cover_nothing(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_cover c = {.size = sizeof(c), .kind = GLANE_COVER_FULL};

	(void)state;
	return h->cover(r, &c);
}

RUN(quarantined)
{
	(void)s;
	return h->reject(r, "area", "no such area: %s", "XX");
}

RUN(reject_null)
{
	(void)s;
	return h->reject(r, NULL, "%s", "x");
}

static const struct emit_case cases[] = {
	{"numbers keep what was published", numbers, GLANE_OK,
		"obs 1 2020 1 A 0\nobs 1 2020 -0.50 A 0\nobs 1 2020 1000 A 1\nobs 1 2020 123456789012345678 A 0\n"
		"obs 1 2020 1234567890123456780 A 2\nobs 1 2020 ~ A 3\nobs 1 2020 0.5 A 4\n",
		false},
	{"numbers beyond a double are refused with their record", beyond, GLANE_OK,
		"reject value: value '1e999' is beyond what a number can be (1e-308 to 1e308) []\n"
		"reject value: value '1e-999' is beyond what a number can be (1e-308 to 1e308) []\n",
		false},
	{"every frequency has its own series behind one handle", periods, GLANE_OK,
		"obs 1 2020 1 A 0\nobs 2 2020-S2 1 A 0\nobs 3 2020-T3 1 A 0\nobs 4 2020-Q4 1 A 0\nobs 5 2020-07 1 A 0\n"
		"obs 6 2020-W53 1 A 0\nobs 7 2020-02-29 1 A 0\nobs 8 -1 1 A 0\n",
		false},
	{"status letters, and words that go to the flags whole", statuses, GLANE_OK,
		"obs 1 2020 1 A 0\nobs 1 2020 1 E 0\nobs 1 2020 1 P 0\nobs 1 2020 1 A 1\nobs 1 2020 1 A 2\n", false},
	{"padding is none; what the provider says something about is kept", empties, GLANE_OK,
		"obs 1 2022 ~ M 0\nobs 1 2023 ~ O 1\n", false},
	{"empty = keep", empties, GLANE_OK, "obs 1 2020 ~ O 0\nobs 1 2021 ~ O 0\nobs 1 2022 ~ M 0\nobs 1 2023 ~ O 1\n",
		true},
	{"multipliers of a row", mults, GLANE_OK, "obs 1 2020 1 A 1\n", false},
	{"equal notes share a handle", equal_notes, GLANE_OK,
		"series 1 A D I TGO ISO3  ~ 0 ~ ~ ~\nnote 2 y ~ ~ ~ 0\nobs 1 2020 ~ A 1\nobs 1 2021 ~ A 2\nobs 1 2022 "
		"~ A 1\n",
		false},
	{"a note that is no UTF-8 goes to quarantine", not_utf8, GLANE_OK, "reject text: a text of an observation",
		false},
	{"so does a NUL", nul_inside, GLANE_OK, "reject text: a text of an observation", false},
	{"and a text beyond 64 KiB", huge_note, GLANE_OK, "reject text: a text of an observation", false},
	{"handle 0", handle_zero, GLANE_E_USAGE, "series handle that is not (or no longer) valid", false},
	{"a handle out of the air", handle_garbage, GLANE_E_USAGE, "series handle that is not (or no longer) valid",
		false},
	{"a row without its size", row_without_size, GLANE_E_USAGE, "emit() without", false},
	{"no row", row_null, GLANE_E_USAGE, "emit() without", false},
	{"no series", series_null, GLANE_E_USAGE, "series() without", false},
	{"a series without its size", series_without_size, GLANE_E_USAGE, "series() without", false},
	{"a frequency that does not exist", series_freq, GLANE_E_USAGE, "none of A S T Q M W D B", false},
	{"a series that is no UTF-8", series_text, GLANE_E_DATA, "no UTF-8", false},
	{"push", push_fine, GLANE_OK, "obs 1 2020 1.5 A 0\n", false},
	{"push without a number", push_empty, GLANE_OK, "obs 1 2020 ~ O 0\n", false},
	{"push of months", push_month, GLANE_OK, "obs 1 2020-07 1 E 0\n", false},
	{"push into a series without freq", push_no_freq, GLANE_E_USAGE, "push() with a series", false},
	{"push of a status that does not exist", push_status, GLANE_E_USAGE, "status", false},
	{"push with bits that mean nothing", push_zero, GLANE_E_USAGE, "push()", false},
	{"push with a note that was not made", push_note, GLANE_E_USAGE, "note", false},
	{"a minus of Unicode is one, and its text stays", minuses, GLANE_OK,
		"note 1 \xe2\x88\x92"
		"1.50 ~ ~ ~ 0\nseries 1 A D I TGO ISO3  ~ 0 ~ ~ ~\nnote 2 1\xe2\x88\x92"
		"2 ~ ~ ~ 0\nobs 1 2020 -1.50 A 1\nobs 1 2021 ~ A 2\n",
		false},
	{"a row of a series without an indicator", nameless, GLANE_OK,
		"reject series: a row without a dataset or without an indicator []\n", false},
	{"push beyond year 9999", push_year, GLANE_E_USAGE, "period out of range", false},
	{"push of the least period", push_least, GLANE_E_USAGE, "period out of range", false},
	{"push with an entry of an empty period table", push_table, GLANE_E_USAGE, "period out of range", false},
	{"push of 19 digits", push_digits, GLANE_E_USAGE, "18 digits", false},
	{"push of digits that are no number", push_digits_of_none, GLANE_E_USAGE, "18 digits", false},
	{"push with a stride below 24", push_stride, GLANE_E_USAGE, "stride", false},
	{"push out of a larger struct", push_strided, GLANE_OK,
		"obs 1 2020 1 A 0\nobs 1 2021 2 A 0\nobs 1 2022 3 A 0\n", false},
	{"annotations: multiplier, flags, removal", push_annotated, GLANE_OK,
		"note 2 ~ ~ ~ ~ 1\nobs 1 2020 2.50 A 1\nobs 1 2021 ~ O 2\n", false},
	{"an annotation with a multiplier that cannot be", annotate_mult, GLANE_E_USAGE, "unit_mult", false},
	{"number() keeps a text, period() makes table entries", number_of_text, GLANE_OK,
		"note 1 n/a ~ ~ ~ 0\nperiod 1 2020-01-01/P3M\n", false},
	{"period() of a frequency that does not exist", period_freq, GLANE_E_USAGE, "period()", false},
	{"cover: full", cover_full, GLANE_OK, "cover 1 D I 0 0 ~\n", false},
	{"cover: range", cover_range, GLANE_OK, "cover 2 D I 0 30 ~\n", false},
	{"cover: a range backwards", cover_backwards, GLANE_E_USAGE, "ends before it begins", false},
	{"cover: a range of years", cover_year, GLANE_E_USAGE, "two dates", false},
	{"cover: a range without dates", cover_no_range, GLANE_E_USAGE, "two dates", false},
	{"cover: an unknown kind", cover_kind, GLANE_E_USAGE, "unknown kind", false},
	{"cover: failed, with the reason", cover_failed, GLANE_OK, "cover 3 D I 0 0 the column is gone\n", false},
	{"cover: of nothing", cover_nothing, GLANE_E_USAGE, "without a dataset", false},
	{"reject: the record and the reason", quarantined, GLANE_OK, "reject area: no such area: XX []\n", false},
	{"reject: no rule", reject_null, GLANE_E_USAGE, "reject()", false},
};

static void run_case(void **state)
{
	const struct emit_case *c = *state;
	struct test_host t;
	glane_rc rc;

	test_host_init(&t);
	t.pages = &any_page;
	t.n_pages = 1;
	t.keep_empty = c->keep_empty;
	rc = test_host_function(&t, c->run);
	if (rc != c->rc || !strstr(rc == GLANE_OK ? t.out.p : t.diag.text, c->want)) {
		print_message("%d %s\n%.*s\nwant %d %s\n", rc, t.diag.text, (int)t.out.n, t.out.p ? t.out.p : "", c->rc,
			c->want);
		test_fail();
	}
	test_host_release(&t);
}

/* ---- handles, limits, failures that are not passed over ---- */

static glane_rc from_nowhere(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_series def = {.size = sizeof(def), .dataset = S("D"), .indicator = S("I")};
	uint32_t s;
	glane_rc rc = h->series(r, &def, &s);

	(void)state;
	return rc == GLANE_OK ? ROW(.period = S("2020"), .value = S("1")) : rc;
}

static void test_from_nowhere(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	assert_int_equal(test_host_function(&t, from_nowhere), GLANE_E_USAGE);
	assert_non_null(strstr(t.diag.text, "before anything was read"));
	test_host_release(&t);
}

#define WINDOW (2 * BATCH_WINDOW) /* handles that are valid at once, at most */

static glane_rc many_series(const struct glane_host *h, glane_run *r, void *state)
{
	uint32_t first = 0, s = 0;
	glane_rc rc = series(h, r, 0, &s);

	(void)state;
	for (unsigned i = 0; rc == GLANE_OK && i < WINDOW; i++) {
		char code[16];
		const int n = snprintf(code, sizeof(code), "%u", i);
		const struct glane_series def = {
			.size = sizeof(def), .dataset = S("D"), .indicator = S("I"), .area = {code, (size_t)n}};

		rc = h->series(r, &def, &s);
		if (i == 0)
			first = s;
		if (rc == GLANE_OK)
			rc = ROW(.period = S("2020"), .value = S("1"));
	}
	s = first; /* the window has moved on */
	return rc == GLANE_OK ? ROW(.period = S("2021"), .value = S("1")) : rc;
}

static void test_window(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	t.pages = &any_page;
	t.n_pages = 1;
	t.quiet = true;
	assert_int_equal(test_host_function(&t, many_series), GLANE_E_USAGE);
	assert_non_null(strstr(t.diag.text, "no longer"));
	assert_int_equal(t.n_freqs, WINDOW);
	test_host_release(&t);
}

static glane_rc two_same(const struct glane_host *h, glane_run *r, void *state)
{
	uint32_t a, b, c;

	(void)state;
	if (series(h, r, 'A', &a) != GLANE_OK || series(h, r, 'A', &b) != GLANE_OK || series(h, r, 'M', &c) != GLANE_OK)
		return GLANE_E_DATA;
	return a == b && a != c ? GLANE_OK : h->fail(r, GLANE_E_DATA, "%u %u %u", a, b, c);
}

static void test_interned(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	t.pages = &any_page;
	t.n_pages = 1;
	assert_int_equal(test_host_function(&t, two_same), GLANE_OK);
	assert_int_equal(t.n_freqs, 0); /* nobody hears of a series without an observation */
	test_host_release(&t);
}

static glane_rc endless(const struct glane_host *h, glane_run *r, void *state)
{
	uint32_t s;
	glane_rc rc = series(h, r, 'A', &s);

	(void)state;
	while (rc == GLANE_OK)
		rc = ROW(.period = S("2020"), .value = S("1"));
	return rc;
}

static void test_limit(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	t.pages = &any_page;
	t.n_pages = 1;
	t.limit = 1500;
	assert_int_equal(test_host_function(&t, endless), GLANE_E_CANCELLED);
	assert_int_equal(t.counts.rows, 1500);
	assert_non_null(strstr(t.diag.text, "row limit"));
	test_host_release(&t);
}

static glane_rc pushes(const struct glane_host *h, glane_run *r, void *state)
{
	struct glane_obs obs[64] = {{.period = 2020}};
	uint32_t s;
	glane_rc rc = series(h, r, 'A', &s);

	(void)state;
	for (size_t i = 0; i < 64; i++)
		obs[i] = (struct glane_obs){.series = s, .period = 2020};
	return rc == GLANE_OK ? h->push(r, obs, 64, sizeof(obs[0])) : rc;
}

static void test_limit_inside_push(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	t.pages = &any_page;
	t.n_pages = 1;
	t.limit = 10;
	assert_int_equal(test_host_function(&t, pushes), GLANE_E_CANCELLED);
	assert_int_equal(t.counts.rows, 10);
	test_host_release(&t);
}

static glane_rc ignores(const struct glane_host *h, glane_run *r, void *state)
{
	uint32_t s = 99;

	(void)state;
	ROW(.period = S("2020"), .value = S("1"));
	return GLANE_OK;
}

static void test_defects_count_though_ignored(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	t.pages = &any_page;
	t.n_pages = 1;
	assert_int_equal(test_host_function(&t, ignores), GLANE_E_USAGE);
	assert_non_null(strstr(t.diag.text, "series handle"));
	test_host_release(&t);
}

static glane_rc goes_on(const struct glane_host *h, glane_run *r, void *state)
{
	uint32_t s;

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		if (series(h, r, 'A', &s) == GLANE_OK)
			ROW(.period = S("2020"), .value = S("1"));
	return GLANE_OK;
}

static void test_seam_failures_count(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	t.pages = &any_page;
	t.n_pages = 1;
	t.seam_rc = GLANE_E_IO;
	assert_int_equal(test_host_function(&t, goes_on), GLANE_E_IO);
	test_host_release(&t);
}

static void test_cancelled_though_ignored(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	t.pages = &any_page;
	t.n_pages = 1;
	t.cancel_at = 100;
	assert_int_equal(test_host_function(&t, goes_on), GLANE_E_CANCELLED);
	test_host_release(&t);
}

static glane_rc without_memory(const struct glane_host *h, glane_run *r, void *state)
{
	uint32_t s;
	glane_rc rc;

	(void)state;
	rc = series(h, r, 'A', &s);
	if (rc == GLANE_OK)
		rc = ROW(.period = S("2020-01-01/P1M"), .value = S("x"), .note = S("n"));
	if (rc == GLANE_OK)
		rc = ROW(.period = S("2020"), .value = S("x"), .note = S("n"));
	return rc;
}

/* Every allocation fails once, then all from it on: the run says memory or is whole. */
static void test_no_memory(void **state)
{
	(void)state;
	for (int for_ever = 0; for_ever < 2; for_ever++)
		for (long n = 1; n <= 200; n++) {
			struct test_host t;
			glane_rc rc;

			test_host_init(&t);
			t.pages = &any_page;
			t.n_pages = 1;
			t.fail_after = n;
			t.fail_for_ever = for_ever != 0;
			rc = test_host_function(&t, without_memory);
			if (rc == GLANE_OK)
				assert_int_equal(t.counts.rows, 2);
			else
				assert_true(
					n < 200 && (rc == GLANE_E_NOMEM || rc == GLANE_E_LIMIT || rc == GLANE_E_DATA));
			test_host_release(&t);
		}
}

int main(void)
{
	struct CMUnitTest tests[64];
	const struct CMUnitTest more[] = {cmocka_unit_test(test_window), cmocka_unit_test(test_interned),
		cmocka_unit_test(test_limit), cmocka_unit_test(test_limit_inside_push),
		cmocka_unit_test(test_defects_count_though_ignored), cmocka_unit_test(test_seam_failures_count),
		cmocka_unit_test(test_cancelled_though_ignored), cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_from_nowhere)};
	size_t n = sizeof(cases) / sizeof(cases[0]);

	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){cases[i].name, run_case, NULL, NULL, (void *)(uintptr_t)&cases[i]};
	memcpy(tests + n, more, sizeof(more));
	n += sizeof(more) / sizeof(more[0]);
	return _cmocka_run_group_tests("emit", tests, n, NULL, NULL);
}
