/* SPDX-License-Identifier: MIT */
/* Lines written straight from observations are those of row_csv(), whatever was written before. */
#include "base/mem.h"
#include "model/batch_csv.h"
#include "model/decimal.h"
#include "model/period.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SOURCE SLICE("a,source")
#define NOW INT64_C(1784084400)

struct fixture {
	struct batch b;
	struct batch_csv w;
	struct strbuf got, want, scratch;
	struct diag d;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));

	if (!f)
		return -1;
	batch_csv_init(&f->w, SOURCE, NOW);
	strbuf_init(&f->got, 0);
	strbuf_init(&f->want, 0);
	strbuf_init(&f->scratch, 0);
	*state = f;
	return batch_init(&f->b, -1, &f->d);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	batch_csv_release(&f->w);
	batch_release(&f->b);
	strbuf_release(&f->got);
	strbuf_release(&f->want);
	strbuf_release(&f->scratch);
	mem_free(f);
	return 0;
}

static void check(struct fixture *f, const struct batch_obs *o)
{
	struct row r;

	strbuf_reset(&f->got);
	strbuf_reset(&f->want);
	batch_row(&f->b, o, &f->scratch, &r);
	r.source = SOURCE;
	r.recorded_at = r.known_at = NOW;
	row_csv(&f->want, &r, ROW_COLUMNS);
	batch_csv(&f->w, &f->b, o, &f->got);
	assert_true(strbuf_ok(&f->got));
	assert_string_equal(f->got.p, f->want.p);
}

static uint32_t add_series(struct fixture *f, const char *text, char freq, int32_t mult)
{
	const struct series s = {.dataset = slice_of(text),
		.indicator = SLICE("I"),
		.area = slice_of(text),
		.area_code = slice_of(text),
		.dims = SLICE("SEX=F;AGE=Y15"),
		.unit = slice_of(text),
		.unit_mult = mult,
		.freq = freq};
	uint32_t at = 0;

	assert_int_equal(batch_series(&f->b, &s, &at, &f->d), 0);
	return at;
}

static void numbers(void **state)
{
	static const int64_t coefs[] = {0, 1, -1, 9, 10, 99, -99, 100, 101, 12345, 999999999, 1000000000,
		123456789012345, 999999999999999, 1000000000000000, -1000000000000000, 123456789012345678,
		-999999999999999999};
	struct fixture *f = *state;
	const uint32_t s = add_series(f, "D", 'A', 0);

	for (size_t i = 0; i < sizeof(coefs) / sizeof(coefs[0]); i++)
		for (int exp10 = -60; exp10 <= 30; exp10++) {
			const struct batch_obs o = {
				.series = s, .period = 2020, .coef = coefs[i], .exp10 = (int8_t)exp10, .status = 'A'};

			check(f, &o);
		}
	check(f, &(struct batch_obs){.series = s, .period = 2020, .exp10 = DECIMAL_NONE, .status = 'M'});
	check(f, &(struct batch_obs){.series = s, .period = 2020, .exp10 = DECIMAL_NONE});
}

static void periods(void **state)
{
	static const char freqs[] = "ASTQMWDB";
	struct fixture *f = *state;
	uint32_t at;

	for (const char *q = freqs; *q; q++) {
		const uint32_t s = add_series(f, "D", *q, 0);

		for (int64_t p = period_min(*q); p <= period_max(*q); p += 1 + (period_max(*q) - period_min(*q)) / 900)
			check(f, &(struct batch_obs){.series = s, .period = (int32_t)p, .coef = p, .status = 'A'});
		check(f, &(struct batch_obs){.series = s, .period = period_max(*q), .coef = 1, .status = 'A'});
	}
	at = add_series(f, "D", 'I', 0);
	assert_int_equal(batch_period(&f->b, SLICE("2010-01-01/P3M"), &(uint32_t){0}, &f->d), 0);
	check(f, &(struct batch_obs){.series = at, .period = -1, .coef = 5, .status = 'A'});
}

/* Cells that need quotes; notes; one series after the other and back. */
static void texts(void **state)
{
	static const char *const words[] = {"", "plain", "a, b", "say \"so\"", "two\nlines", "C\xC3\xB4te d'Ivoire"};
	enum { N = sizeof(words) / sizeof(words[0]) };
	struct fixture *f = *state;
	uint32_t series[N], note[N * N * 3], n_notes = 0;

	for (size_t i = 0; i < N; i++)
		series[i] = add_series(f, words[i], 'A', (int32_t)i - 3);
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < N * 3; k++) {
			const struct note n = {.flags = slice_of(words[i]),
				.note = slice_of(words[k % N]),
				.value_text = k / N == 1 ? SLICE("<0.1") : (struct slice){NULL, 0},
				.unit_mult = 6,
				.has_unit_mult = k / N == 2};

			assert_int_equal(batch_note(&f->b, &n, &note[n_notes++], &f->d), 0);
		}
	for (size_t i = 0; i < N; i++)
		for (uint32_t k = 0; k < n_notes; k++)
			check(f, &(struct batch_obs){.series = series[(i + k) % N],
					 .period = 2000 + (int32_t)k % 30,
					 .coef = k,
					 .exp10 = -1,
					 .status = 'E',
					 .note = note[k] + 1});
}

/* A place of the table that stands for another series later on. */
static void places_are_used_again(void **state)
{
	struct fixture *f = *state;
	char text[16];

	for (uint32_t i = 0; i < 3 * 2 * BATCH_WINDOW; i++) {
		uint32_t at;

		(void)snprintf(text, sizeof(text), "S%u", i % 7919);
		at = add_series(f, text, 'A', 0);
		if (at == 5 || i % 997 == 0)
			check(f, &(struct batch_obs){.series = at, .period = 2020, .coef = i, .status = 'A'});
	}
}

static void memory_runs_out(void **state)
{
	struct fixture *f = *state;
	const uint32_t s = add_series(f, "D", 'A', 0);
	const struct batch_obs o = {.series = s, .period = 2020, .coef = 15, .exp10 = -1, .status = 'A'};
	bool done = false;
	long n = 1;

	for (; !done; n++) {
		struct strbuf out;

		batch_csv_release(&f->w);
		batch_csv_init(&f->w, SOURCE, NOW);
		strbuf_init(&out, 0);
		mem_fail_after(n, true);
		batch_csv(&f->w, &f->b, &o, &out);
		mem_fail_after(0, false);
		done = strbuf_ok(&out);
		assert_true(done || out.n == 0);
		strbuf_release(&out);
	}
	assert_true(n > 4);
	check(f, &o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers), TEST(periods), TEST(texts), TEST(places_are_used_again), TEST(memory_runs_out)};

	return cmocka_run_group_tests_name("batch_csv", tests, NULL, NULL);
}
