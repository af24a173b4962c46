/* SPDX-License-Identifier: MIT */
/* Batches: rows made of observations, order by key, duplicates, covers, failing memory and a full disk. */
#include "base/mem.h"
#include "model/batch.h"
#include "model/decimal.h"
#include "model/period.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NONE DECIMAL_NONE

struct fixture {
	struct batch b;
	struct diag d;
	int dir;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return batch_init(&f->b, f->dir, &f->d);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	batch_release(&f->b);
	close(f->dir);
	free(f);
	return 0;
}

static uint32_t add_series(struct fixture *f, const char *indicator, const char *area, char freq, const char *unit)
{
	struct series s = {.dataset = SLICE("D"),
		.indicator = slice_of(indicator),
		.area_code = slice_of(area),
		.area_scheme = SLICE("ISO3"),
		.area = slice_of(area),
		.dims = SLICE("SEX=T"),
		.unit = slice_of(unit),
		.title = SLICE("A title"),
		.unit_mult = 3,
		.freq = freq};
	uint32_t at = UINT32_MAX;

	assert_int_equal(batch_series(&f->b, &s, &at, &f->d), 0);
	return at;
}

static void push(struct fixture *f, uint32_t series, int32_t period, int64_t coef)
{
	struct batch_obs o = {.series = series, .period = period, .coef = coef};

	assert_int_equal(batch_push(&f->b, &o, 1, &f->d), 0);
}

static void finish(struct fixture *f)
{
	glane_rc rc = batch_finish(&f->b, NULL, NULL, &f->d);

	if (rc < 0)
		fail_msg("%d: %s", (int)rc, f->d.text);
}

static void assert_slice(struct slice a, const char *expected)
{
	if (!slice_is(a, expected))
		fail_msg("'%.*s' instead of '%s'", SLICE_FMT(a), expected);
}

/* ---- rows ---- */

static void row_of_observation(void **state)
{
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'Q', "%"), payload;
	struct batch_obs o = {.series = s, .period = 2023 * 4 + 1, .coef = -150, .exp10 = -2, .status = 'E'};
	struct strbuf scratch;
	struct row r;

	assert_int_equal(batch_payload(&f->b, SLICE("abcd"), &payload, &f->d), 0);
	assert_int_equal(payload, 0);
	o.payload = (uint16_t)(payload + 1);
	strbuf_init(&scratch, 0);
	batch_row(&f->b, &o, &scratch, &r);
	assert_true(strbuf_ok(&scratch));
	assert_slice(r.source, "");
	assert_slice(r.dataset, "D");
	assert_slice(r.indicator, "I");
	assert_slice(r.area, "TGO");
	assert_slice(r.area_code, "TGO");
	assert_slice(r.dims, "SEX=T");
	assert_int_equal(r.freq, 'Q');
	assert_slice(r.period, "2023-Q2");
	assert_int_equal(r.period_start, period_start('Q', o.period));
	assert_slice(r.value, "-1.50");
	assert_slice(r.value_text, "");
	assert_slice(r.unit, "%");
	assert_int_equal(r.unit_mult, 3);
	assert_int_equal(r.decimals, 2);
	assert_int_equal(r.status, 'E');
	assert_slice(r.payload, "abcd");
	strbuf_release(&scratch);
}

static void row_values(void **state)
{
	static const struct {
		int64_t coef;
		int8_t exp10;
		const char *text; /* value_text of the note */
		const char *value, *value_text;
		int decimals;
		char status;
	} cases[] = {
		{0, NONE, NULL, "", "", -1, 'O'},
		{0, NONE, "<0.1", "", "<0.1", -1, 'O'},
		{0, NONE, "12", "", "12", -1, 'O'},
		{5, 0, NULL, "5", "", 0, 'A'},
		{5, 2, NULL, "500", "", 0, 'A'},
		{50, -1, "5.0e0", "5.0", "5.0e0", 1, 'A'},
		{999999999999999, -3, NULL, "999999999999.999", "", 3, 'A'},
		{123456789012345678, 0, NULL, "123456789012345678", "123456789012345678", 0, 'A'},
		{-123456789012345678, -4, NULL, "-12345678901234.5678", "-12345678901234.5678", 4, 'A'},
		{123456789012345680, 0, NULL, "123456789012345680", "", 0, 'A'},
		{5, 30, NULL, "5000000000000000000000000000000", "5000000000000000000000000000000", 0, 'A'},
		{5, 10, NULL, "50000000000", "", 0, 'A'},
		{123456789012345678, -17, "1.23456789012345678901", "1.23456789012345678901", "1.23456789012345678901",
			20, 'A'},
		{123456789012345678, 12, "1.234567890123456789012e29", "123456789012345678901200000000",
			"1.234567890123456789012e29", 0, 'A'},
	};
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'A', "");
	struct strbuf scratch;

	strbuf_init(&scratch, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct batch_obs o = {.series = s, .period = 2023, .coef = cases[i].coef, .exp10 = cases[i].exp10};
		struct note n = {.value_text = slice_of(cases[i].text)};
		struct row r;
		uint32_t note;

		if (cases[i].text) {
			assert_int_equal(batch_note(&f->b, &n, &note, &f->d), 0);
			o.note = note + 1;
		}
		batch_row(&f->b, &o, &scratch, &r);
		assert_true(strbuf_ok(&scratch));
		assert_slice(r.value, cases[i].value);
		assert_slice(r.value_text, cases[i].value_text);
		assert_slice(r.period, "2023");
		assert_int_equal(r.decimals, cases[i].decimals);
		assert_int_equal(r.status, cases[i].status);
	}
	strbuf_release(&scratch);
}

static void row_notes(void **state)
{
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'I', ""), note, period;
	struct note n = {.flags = SLICE("b"), .note = SLICE("break"), .unit_mult = -2, .has_unit_mult = true};
	struct batch_obs o = {.series = s, .coef = 1, .status = 'B'};
	struct strbuf scratch;
	struct row r;

	assert_int_equal(batch_note(&f->b, &n, &note, &f->d), 0);
	assert_int_equal(batch_period(&f->b, SLICE("2010-01-01/P3M"), &period, &f->d), 0);
	o.note = note + 1;
	o.period = -1 - (int32_t)period;
	strbuf_init(&scratch, 0);
	batch_row(&f->b, &o, &scratch, &r);
	assert_slice(r.flags, "b");
	assert_slice(r.note, "break");
	assert_int_equal(r.unit_mult, -2);
	assert_slice(r.period, "2010-01-01/P3M");
	assert_int_equal(r.period_start, period_start('D', 734138));
	assert_slice(r.payload, "");
	strbuf_release(&scratch);
}

/* What is given is copied: the caller's memory may go. */
static void texts_are_copied(void **state)
{
	struct fixture *f = *state;
	char text[] = "one";
	struct series s = {.dataset = {text, 3}, .indicator = {text, 3}, .freq = 'A'};
	struct note n = {.note = {text, 3}};
	struct cover c = {.kind = GLANE_COVER_FULL, .dataset = {text, 3}};
	uint32_t at;

	for (int i = 0; i < 2; i++) { /* the second takes over the first one's texts */
		s.unit_mult = n.unit_mult = i;
		assert_int_equal(batch_series(&f->b, &s, &at, &f->d), 0);
		assert_int_equal(batch_note(&f->b, &n, &at, &f->d), 0);
		assert_int_equal(batch_payload(&f->b, (struct slice){text, 3}, &at, &f->d), 0);
		assert_int_equal(at, i);
	}
	assert_int_equal(batch_period(&f->b, (struct slice){text, 3}, &at, &f->d), 0);
	assert_int_equal(batch_cover(&f->b, &c, &f->d), 0);
	memset(text, 'x', 3);
	for (int i = 0; i < 2; i++) {
		assert_slice(f->b.series[i].dataset, "one");
		assert_slice(f->b.series[i].indicator, "one");
		assert_null(f->b.series[i].unit.p);
		assert_slice(f->b.notes[i].note, "one");
		assert_slice(f->b.payloads[i], "one");
	}
	assert_slice(f->b.periods[0], "one");
	assert_slice(f->b.covers[0].dataset, "one");
}

/* Equal entries have one index, however many others came between them. */
static void equal_entries_are_one(void **state)
{
	enum { N = 50000 };
	struct fixture *f = *state;
	char text[16];

	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < N; i++) {
			const size_t n = (size_t)snprintf(text, sizeof(text), "P%u", i);
			const struct slice name = {text, n};
			const struct series s = {.dataset = SLICE("D"), .indicator = name, .freq = 'A'};
			const struct note note = {.flags = name};
			uint32_t at[3] = {0};

			assert_int_equal(batch_series(&f->b, &s, &at[0], &f->d), 0);
			assert_int_equal(batch_note(&f->b, &note, &at[1], &f->d), 0);
			assert_int_equal(batch_period(&f->b, name, &at[2], &f->d), 0);
			assert_true(at[0] == i && at[1] == i && at[2] == i);
		}
	assert_true(f->b.n_series == N && f->b.n_notes == N && f->b.n_periods == N);
	assert_slice(f->b.series[12345].indicator, "P12345");
	assert_slice(f->b.notes[12345].flags, "P12345");
	assert_slice(f->b.periods[12345], "P12345");
}

/* One that differs in any member is another series. */
static void any_member_tells(void **state)
{
	struct fixture *f = *state;
	struct series s[12];
	uint32_t at;

	memset(s, 0, sizeof(s));
	for (size_t i = 0; i < 12; i++)
		s[i].freq = 'A';
	s[0].dataset = s[1].indicator = s[2].area_code = s[3].area_scheme = s[4].dims = s[5].unit = SLICE("x");
	s[6].title = s[7].area_title = s[8].updated = SLICE("x");
	s[9].freq = 'Q';
	s[10].unit_mult = 6;
	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 12; i++) {
			assert_int_equal(batch_series(&f->b, &s[i], &at, &f->d), 0);
			assert_int_equal(at, i);
		}
}

/* Without a spool the last entries are kept, in bounded memory. */
static void window_keeps_the_last(void **state)
{
	const uint32_t n = 5 * BATCH_WINDOW + 77;
	struct strbuf scratch;
	struct batch b;
	struct diag d = {0};
	char text[16];

	(void)state;
	strbuf_init(&scratch, 0);
	assert_int_equal(batch_init(&b, -1, &d), 0);
	for (uint32_t i = 1; i <= n; i++) {
		const struct slice name = {text, (size_t)snprintf(text, sizeof(text), "P%u", i)};
		const struct series s = {.dataset = SLICE("D"), .indicator = name, .freq = 'I'};
		const struct note note = {.flags = name};
		uint32_t at[3];

		assert_int_equal(batch_series(&b, &s, &at[0], &d), 0);
		assert_int_equal(batch_note(&b, &note, &at[1], &d), 0);
		assert_int_equal(batch_period(&b, name, &at[2], &d), 0);
		assert_true(at[0] == (i - 1) % (2 * BATCH_WINDOW) && at[1] == at[0] && at[2] == at[0]);
	}
	for (uint32_t i = n; i > n - BATCH_WINDOW; i--) {
		const uint32_t at = (i - 1) % (2 * BATCH_WINDOW);
		const struct batch_obs o = {.series = at, .period = -1 - (int32_t)at, .note = at + 1, .exp10 = NONE};
		struct row r;

		(void)snprintf(text, sizeof(text), "P%u", i);
		batch_row(&b, &o, &scratch, &r);
		assert_true(batch_is_recent(i, n));
		assert_slice(r.indicator, text);
		assert_slice(r.flags, text);
		assert_slice(r.period, text);
	}
	assert_false(batch_is_recent(0, n) || batch_is_recent(n + 1, n) || batch_is_recent(n - 2 * BATCH_WINDOW, n));
	assert_true(batch_is_recent(1, BATCH_WINDOW * 2) && !batch_is_recent(1, BATCH_WINDOW * 2 + 1));
	batch_release(&b);
	strbuf_release(&scratch);
}

/* ---- order ---- */

static size_t spool_size(const struct fixture *f)
{
	struct stat st;

	assert_int_equal(fstat(f->b.fd, &st), 0);
	return (size_t)st.st_size;
}

/* Ascending keys, no key twice; the rows in all. */
static void assert_sorted(struct fixture *f, size_t n)
{
	struct strbuf one, two;
	struct row a, b;

	assert_int_equal(f->b.n_obs, n);
	assert_int_equal(spool_size(f), n * sizeof(struct batch_obs));
	strbuf_init(&one, 0);
	strbuf_init(&two, 0);
	for (size_t i = 1; i < n; i++) {
		batch_row(&f->b, &f->b.obs[i - 1], &one, &a);
		batch_row(&f->b, &f->b.obs[i], &two, &b);
		if (row_cmp_key(&a, &b) >= 0)
			fail_msg("row %zu: %.*s %.*s is not after %.*s %.*s", i, SLICE_FMT(b.area_code),
				SLICE_FMT(b.period), SLICE_FMT(a.area_code), SLICE_FMT(a.period));
	}
	strbuf_release(&one);
	strbuf_release(&two);
}

static void nothing_arrived(void **state)
{
	struct fixture *f = *state;

	finish(f);
	assert_int_equal(f->b.n_obs, 0);
	assert_null(f->b.obs);
}

static void in_order(void **state)
{
	struct fixture *f = *state;
	uint32_t a = add_series(f, "I", "BEN", 'A', ""), b = add_series(f, "I", "TGO", 'A', "");
	struct cover c = {.kind = GLANE_COVER_FULL, .dataset = SLICE("D")};

	assert_int_equal(batch_cover(&f->b, &c, &f->d), 0);
	for (int32_t y = 1990; y < 2000; y++)
		push(f, a, y, y);
	for (int32_t y = 1990; y < 2000; y++)
		push(f, b, y, y);
	finish(f);
	assert_sorted(f, 20);
	assert_int_equal(f->b.covers[0].rows, 20);
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(f->b.obs[i].seq, i);
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Many series in no order, periods in no order, every (series, period) once: the content still belongs to its key. */
static void in_no_order(void **state)
{
	enum { SERIES = 300, PERIODS = 120 };
	struct fixture *f = *state;
	static uint32_t order[SERIES * PERIODS];
	uint32_t seed = 7;

	for (uint32_t i = 0; i < SERIES; i++) {
		char area[16], indicator[16];

		(void)snprintf(area, sizeof(area), "%u", next(&seed));
		(void)snprintf(indicator, sizeof(indicator), "%u", i % 7);
		(void)add_series(f, indicator, area, "AQM"[i % 3], "");
	}
	for (uint32_t i = 0; i < SERIES * PERIODS; i++)
		order[i] = i;
	for (uint32_t i = SERIES * PERIODS - 1; i > 0; i--) {
		uint32_t k = next(&seed) % (i + 1), t = order[i];

		order[i] = order[k];
		order[k] = t;
	}
	for (uint32_t i = 0; i < SERIES * PERIODS; i++)
		push(f, order[i] / PERIODS, (int32_t)(order[i] % PERIODS + 1000), order[i]);
	finish(f);
	assert_sorted(f, (size_t)SERIES * PERIODS);
	assert_int_equal(f->b.duplicates + f->b.conflicts, 0);
	for (uint32_t i = 0; i < SERIES * PERIODS; i++) {
		const struct batch_obs *o = &f->b.obs[i];

		assert_int_equal(o->coef, o->series * PERIODS + (uint32_t)(o->period - 1000));
		assert_int_equal(order[o->seq], o->coef);
	}
}

/* One series, every arrangement of the runs that a merge meets. */
static void one_long_series(void **state)
{
	for (int32_t n = 1; n < 200; n += 7) {
		for (int32_t step = 1; step < 199; step += 11) {
			struct fixture *f;
			uint32_t s;

			tear_down(state);
			assert_int_equal(set_up(state), 0);
			f = *state;
			s = add_series(f, "I", "TGO", 'D', "");
			for (int32_t i = 0; i < n; i++)
				push(f, s, 700000 + (int32_t)((int64_t)i * step * 61 % 199), i);
			finish(f);
			assert_sorted(f, (size_t)n);
		}
	}
}

/* Entries of the period table stand among the integers of their frequency by their text. */
static void periods_of_the_table(void **state)
{
	static const char *const expected[] = {
		"1999", "2009-07-01/P1Y", "2010", "2010-07-01/P1Y", "2010-07-01/P2Y", "2011"};
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'A', ""), p[4];
	struct strbuf scratch;
	struct row r;

	assert_int_equal(batch_period(&f->b, SLICE("2010-07-01/P2Y"), &p[0], &f->d), 0);
	assert_int_equal(batch_period(&f->b, SLICE("2010-07-01/P1Y"), &p[1], &f->d), 0);
	assert_int_equal(batch_period(&f->b, SLICE("2009-07-01/P1Y"), &p[2], &f->d), 0);
	assert_int_equal(batch_period(&f->b, SLICE("2010-07-01/P1Y"), &p[3], &f->d), 0); /* the same text again */
	push(f, s, 2011, 1);
	push(f, s, -1 - (int32_t)p[0], 1);
	push(f, s, 2010, 1);
	push(f, s, -1 - (int32_t)p[1], 1);
	push(f, s, 1999, 1);
	push(f, s, -1 - (int32_t)p[2], 1);
	push(f, s, -1 - (int32_t)p[3], 1);
	finish(f);
	assert_sorted(f, 6);
	assert_int_equal(f->b.duplicates, 1);
	strbuf_init(&scratch, 0);
	for (size_t i = 0; i < 6; i++) {
		batch_row(&f->b, &f->b.obs[i], &scratch, &r);
		assert_slice(r.period, expected[i]);
	}
	strbuf_release(&scratch);
}

/* ---- duplicates ---- */

struct seen {
	int n;
	char kept[16], dropped[16];
};

static void note_conflict(void *arg, const struct row *kept, const struct row *dropped)
{
	struct seen *s = arg;

	s->n++;
	(void)snprintf(s->kept, sizeof(s->kept), "%.*s %.*s", SLICE_FMT(kept->value), SLICE_FMT(kept->unit));
	(void)snprintf(
		s->dropped, sizeof(s->dropped), "%.*s %.*s", SLICE_FMT(dropped->value), SLICE_FMT(dropped->unit));
}

static void push_part(struct fixture *f, uint32_t series, int64_t coef, uint32_t part)
{
	const struct batch_obs o = {.series = series, .period = 2001, .coef = coef, .status = 'A', .part = part};

	assert_int_equal(batch_push(&f->b, &o, 1, &f->d), 0);
}

/* An SDMX message is applied in its order: what its last dataset says holds; two values in one dataset contradict. */
static void later_parts_hold(void **state)
{
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'A', "");
	struct seen seen = {0};

	push_part(f, s, 2, 0);
	push_part(f, s, 3, 1);
	push_part(f, s, 4, 4);
	push_part(f, s, 4, 5);
	push_part(f, s, 4, 5);
	push_part(f, s, 6, 5);
	assert_int_equal(batch_finish(&f->b, note_conflict, &seen, &f->d), 0);
	assert_int_equal(f->b.n_obs, 1);
	assert_int_equal(f->b.duplicates, 2);
	assert_int_equal(f->b.conflicts, 1);
	assert_string_equal(seen.kept, "4 ");
	assert_string_equal(seen.dropped, "6 ");
	assert_int_equal(f->b.obs[0].seq, 3);
}

static void duplicates(void **state)
{
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'A', "");
	struct seen seen = {0};

	push(f, s, 2001, 2);
	push(f, s, 2000, 1);
	push(f, s, 2001, 3); /* contradicts */
	push(f, s, 2001, 2); /* repeats the kept one */
	push(f, s, 2000, 1);
	assert_int_equal(batch_finish(&f->b, note_conflict, &seen, &f->d), 0);
	assert_sorted(f, 2);
	assert_int_equal(f->b.duplicates, 2);
	assert_int_equal(f->b.conflicts, 1);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.kept, "2 ");
	assert_string_equal(seen.dropped, "3 ");
	assert_int_equal(f->b.obs[1].coef, 2);
	assert_int_equal(f->b.obs[1].seq, 0);
}

static void duplicates_in_order(void **state)
{
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'A', "");
	struct seen seen = {0};

	push(f, s, 2000, 1);
	push(f, s, 2000, 1);
	push(f, s, 2001, 2);
	push(f, s, 2001, 4);
	push(f, s, 2002, 3);
	assert_int_equal(batch_finish(&f->b, note_conflict, &seen, &f->d), 0);
	assert_sorted(f, 3);
	assert_int_equal(f->b.duplicates, 1);
	assert_int_equal(f->b.conflicts, 1);
	assert_string_equal(seen.kept, "2 ");
	assert_string_equal(seen.dropped, "4 ");
	assert_int_equal(f->b.obs[2].coef, 3);
}

/* The unit is no part of the key: two series that differ by it meet. */
static void two_series_one_key(void **state)
{
	struct fixture *f = *state;
	uint32_t usd = add_series(f, "I", "TGO", 'A', "USD"), eur = add_series(f, "I", "TGO", 'A', "EUR"),
		 other = add_series(f, "I", "BEN", 'A', "EUR");
	struct seen seen = {0};

	push(f, usd, 2000, 1);
	push(f, usd, 2002, 1);
	push(f, eur, 2000, 1);
	push(f, eur, 2001, 1);
	push(f, other, 2000, 1);
	assert_int_equal(batch_finish(&f->b, note_conflict, &seen, &f->d), 0);
	assert_int_equal(f->b.series[usd].rank, f->b.series[eur].rank);
	assert_true(f->b.series[other].rank < f->b.series[usd].rank);
	assert_sorted(f, 4);
	assert_int_equal(f->b.conflicts, 1);
	assert_string_equal(seen.kept, "1 USD");
	assert_string_equal(seen.dropped, "1 EUR");
}

static void attributes_contradict(void **state)
{
	const struct note notes[] = {{.flags = SLICE("p")}, {.remove = true}, {.has_unit_mult = true, .unit_mult = 6}};
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'A', ""), at;
	const struct batch_obs first = {.series = s, .period = 2000, .coef = 15, .exp10 = -1, .status = 'A'};
	struct batch_obs same = first, o = first;

	same.status = 0; /* A, as a number has it */
	assert_int_equal(batch_push(&f->b, &first, 1, &f->d), 0);
	assert_int_equal(batch_push(&f->b, &same, 1, &f->d), 0);
	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++) {
		assert_int_equal(batch_note(&f->b, &notes[i], &at, &f->d), 0);
		o.note = at + 1;
		assert_int_equal(batch_push(&f->b, &o, 1, &f->d), 0);
	}
	o = first;
	o.coef = 150; /* 1.50: the same number, other decimals */
	o.exp10 = -2;
	assert_int_equal(batch_push(&f->b, &o, 1, &f->d), 0);
	o = first;
	o.status = 'P';
	assert_int_equal(batch_push(&f->b, &o, 1, &f->d), 0);
	finish(f);
	assert_int_equal(f->b.n_obs, 1);
	assert_int_equal(f->b.duplicates, 1);
	assert_int_equal(f->b.conflicts, 4); /* not what is provisional: a normal value is preferred */
	assert_int_equal(f->b.obs[0].seq, 0);
}

/* A provider that publishes an estimate beside the value: the value is taken, whichever comes first. */
static void normal_is_preferred(void **state)
{
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'A', "");
	const struct batch_obs value = {.series = s, .period = 2000, .coef = 1, .status = 'A'},
			       estimate = {.series = s, .period = 2000, .coef = 2, .status = 'E'};
	struct batch_obs later = estimate, then = value;

	later.period = then.period = 2001;
	assert_int_equal(batch_push(&f->b, &value, 1, &f->d), 0);
	assert_int_equal(batch_push(&f->b, &estimate, 1, &f->d), 0);
	assert_int_equal(batch_push(&f->b, &later, 1, &f->d), 0);
	assert_int_equal(batch_push(&f->b, &then, 1, &f->d), 0);
	finish(f);
	assert_int_equal(f->b.n_obs, 2);
	assert_int_equal(f->b.conflicts + f->b.duplicates, 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(f->b.obs[i].coef, 1);
}

/* ---- covers ---- */

static void add_cover(
	struct fixture *f, uint32_t kind, const char *dataset, const char *indicator, int64_t from, int64_t to)
{
	struct cover c = {.kind = kind,
		.dataset = slice_of(dataset),
		.indicator = slice_of(indicator),
		.from = from,
		.to = to,
		.reason = SLICE("why")};

	assert_int_equal(batch_cover(&f->b, &c, &f->d), 0);
}

static void failed_slices_are_dropped(void **state)
{
	for (int ordered = 0; ordered < 2; ordered++) {
		struct fixture *f;
		uint32_t a, b, c;

		tear_down(state);
		assert_int_equal(set_up(state), 0);
		f = *state;
		a = add_series(f, "A", "TGO", 'A', "");
		b = add_series(f, "B", "TGO", 'A', "");
		c = add_series(f, "C", "TGO", 'A', "");
		add_cover(f, GLANE_COVER_FULL, "D", NULL, 0, 0);
		add_cover(f, GLANE_COVER_FAILED, "D", "B", 0, 0);
		push(f, ordered ? a : c, 2000, 1);
		push(f, b, 2000, 2);
		push(f, b, 2000, 3); /* no conflict is reported of what is dropped */
		push(f, ordered ? c : a, 2000, 4);
		finish(f);
		assert_sorted(f, 2);
		assert_int_equal(f->b.conflicts, 0);
		assert_int_equal(f->b.obs[0].series, a);
		assert_int_equal(f->b.obs[1].series, c);
		assert_int_equal(batch_cover_of(&f->b, SLICE("D"), SLICE("B"))->kind, GLANE_COVER_FAILED);
		assert_int_equal(batch_cover_of(&f->b, SLICE("D"), SLICE("B"))->rows, 0);
		assert_int_equal(batch_cover_of(&f->b, SLICE("D"), SLICE("A"))->rows, 2);
	}
}

static void all_dropped(void **state)
{
	struct fixture *f = *state;
	uint32_t s = add_series(f, "A", "TGO", 'A', "");

	add_cover(f, GLANE_COVER_FAILED, "D", NULL, 0, 0);
	push(f, s, 2000, 1);
	push(f, s, 1999, 1);
	finish(f);
	assert_int_equal(f->b.n_obs, 0);
	assert_null(f->b.obs);
	assert_int_equal(spool_size(f), 0);
}

static void cover_of_a_series(void **state)
{
	struct fixture *f = *state;
	uint32_t a = add_series(f, "A", "TGO", 'A', ""), b = add_series(f, "B", "TGO", 'A', "");

	add_cover(f, GLANE_COVER_NONE, "Z", NULL, 0, 0);
	add_cover(f, GLANE_COVER_RANGE, "D", "B", 5, 9);
	add_cover(f, GLANE_COVER_FULL, "D", "", 0, 0);
	push(f, a, 2000, 1);
	push(f, b, 2000, 1);
	push(f, b, 2001, 1);
	finish(f);
	assert_int_equal(f->b.n_covers, 3);
	assert_ptr_equal(batch_cover_of(&f->b, SLICE("D"), SLICE("A")), &f->b.covers[f->b.series[a].slice - 1]);
	assert_ptr_equal(batch_cover_of(&f->b, SLICE("D"), SLICE("B")), &f->b.covers[f->b.series[b].slice - 1]);
	assert_int_equal(batch_cover_of(&f->b, SLICE("D"), SLICE("A"))->kind, GLANE_COVER_FULL);
	assert_int_equal(batch_cover_of(&f->b, SLICE("D"), SLICE("A"))->rows, 1);
	assert_int_equal(batch_cover_of(&f->b, SLICE("D"), SLICE("B"))->kind, GLANE_COVER_RANGE);
	assert_int_equal(batch_cover_of(&f->b, SLICE("D"), SLICE("B"))->rows, 2);
	assert_int_equal(batch_cover_of(&f->b, SLICE("Z"), SLICE("A"))->kind, GLANE_COVER_NONE);
	assert_null(batch_cover_of(&f->b, SLICE("Y"), SLICE("A")));
}

static void covers_of_one_slice(void **state)
{
	static const struct {
		uint32_t kinds[3];
		int64_t days[6];
		uint32_t kind;
		int64_t from, to;
	} cases[] = {
		{{GLANE_COVER_NONE, GLANE_COVER_RANGE, GLANE_COVER_NONE}, {0, 0, 5, 9, 0, 0}, GLANE_COVER_RANGE, 5, 9},
		{{GLANE_COVER_FULL, GLANE_COVER_RANGE, GLANE_COVER_NONE}, {0, 0, 5, 9, 0, 0}, GLANE_COVER_FULL, 0, 0},
		{{GLANE_COVER_FAILED, GLANE_COVER_FULL, GLANE_COVER_RANGE}, {0, 0, 0, 0, 5, 9}, GLANE_COVER_FAILED, 0,
			0},
		{{GLANE_COVER_RANGE, GLANE_COVER_RANGE, GLANE_COVER_RANGE}, {0, 4, 5, 9, 8, 12}, GLANE_COVER_RANGE, 0,
			12},
		{{GLANE_COVER_RANGE, GLANE_COVER_RANGE, GLANE_COVER_RANGE}, {8, 12, 5, 7, 0, 4}, GLANE_COVER_RANGE, 0,
			12},
		{{GLANE_COVER_RANGE, GLANE_COVER_RANGE, GLANE_COVER_NONE}, {0, 4, 6, 9, 0, 0}, GLANE_COVER_RANGE, 6, 9},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct cover *c;
		struct fixture *f;

		tear_down(state);
		assert_int_equal(set_up(state), 0);
		f = *state;
		for (size_t k = 0; k < 3; k++)
			add_cover(f, cases[i].kinds[k], "D", "I", cases[i].days[2 * k], cases[i].days[2 * k + 1]);
		finish(f);
		assert_int_equal(f->b.n_covers, 1);
		c = batch_cover_of(&f->b, SLICE("D"), SLICE("I"));
		assert_int_equal(c->kind, cases[i].kind);
		assert_int_equal(c->from, cases[i].from);
		assert_int_equal(c->to, cases[i].to);
	}
}

/* ---- what goes wrong ---- */

static void handles_that_are_not_there(void **state)
{
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'A', "");
	const struct batch_obs bad[] = {
		{.series = s + 1},
		{.series = UINT32_MAX},
		{.series = s, .note = 1},
		{.series = s, .note = UINT32_MAX},
		{.series = s, .payload = 1},
		{.series = s, .period = -1},
		{.series = s, .period = INT32_MIN},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		diag_clear(&f->d);
		assert_int_equal(batch_push(&f->b, &bad[i], 1, &f->d), GLANE_E_USAGE);
		assert_int_equal(f->b.n_obs, 0);
	}
}

static void too_many_payloads(void **state)
{
	struct fixture *f = *state;
	uint32_t at;

	for (int i = 0; i < UINT16_MAX; i++)
		assert_int_equal(batch_payload(&f->b, SLICE("a"), &at, &f->d), 0);
	assert_int_equal(at + 1, UINT16_MAX);
	assert_int_equal(batch_payload(&f->b, SLICE("a"), &at, &f->d), GLANE_E_LIMIT);
}

static glane_rc fill_and_finish(struct fixture *f)
{
	struct series one = {.dataset = SLICE("D"), .area_code = SLICE("TGO"), .freq = 'A'},
		      two = {.dataset = SLICE("D"), .area_code = SLICE("BEN"), .freq = 'A'};
	struct cover c = {.kind = GLANE_COVER_FULL, .dataset = SLICE("D")};
	struct note n = {.note = SLICE("n")};
	glane_rc rc = batch_init(&f->b, f->dir, &f->d);
	uint32_t s, t, note, period, payload;

	if (rc == GLANE_OK)
		rc = batch_series(&f->b, &one, &s, &f->d);
	if (rc == GLANE_OK)
		rc = batch_series(&f->b, &two, &t, &f->d);
	if (rc == GLANE_OK)
		rc = batch_note(&f->b, &n, &note, &f->d);
	if (rc == GLANE_OK)
		rc = batch_period(&f->b, SLICE("2001-01-01/P1Y"), &period, &f->d);
	if (rc == GLANE_OK)
		rc = batch_payload(&f->b, SLICE("a"), &payload, &f->d);
	if (rc == GLANE_OK)
		rc = batch_cover(&f->b, &c, &f->d);
	for (int32_t i = 0; i < 6 && rc == GLANE_OK; i++) {
		struct batch_obs o = {.series = i % 2 ? s : t, .period = i < 4 ? 2000 : -1, .note = 1, .payload = 1};

		rc = batch_push(&f->b, &o, 1, &f->d);
	}
	return rc == GLANE_OK ? batch_finish(&f->b, NULL, NULL, &f->d) : rc;
}

/* Whichever allocation fails: an error that says so, and nothing left behind. */
static void memory_runs_out(void **state)
{
	struct fixture *f = *state;
	glane_rc rc = GLANE_E_NOMEM;
	long n = 1;

	batch_release(&f->b);
	for (; rc != GLANE_OK; n++) {
		diag_clear(&f->d);
		mem_fail_after(n, false);
		rc = fill_and_finish(f);
		mem_fail_after(0, false);
		if (rc != GLANE_OK) {
			assert_int_equal(rc, GLANE_E_NOMEM);
			assert_int_equal(f->d.code, GLANE_E_NOMEM);
			batch_release(&f->b);
		}
		assert_true(n < 1000);
	}
	assert_true(n > 12);
	assert_int_equal(f->b.n_obs, 4);
	assert_int_equal(f->b.duplicates, 2);
}

/* A file that may not grow: writing the spool, or the room to sort it in, fails with a word, not with a signal. */
static void disk_is_full(void **state)
{
	struct fixture *f = *state;
	uint32_t s = add_series(f, "I", "TGO", 'A', "");
	struct rlimit old, low;
	glane_rc rc;

	for (int32_t y = 2000; y > 1000; y--)
		push(f, s, y, y);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = 1500 * sizeof(struct batch_obs);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	rc = batch_finish(&f->b, NULL, NULL, &f->d);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(signal(SIGXFSZ, SIG_DFL) != SIG_ERR);
	assert_int_equal(rc, GLANE_E_IO);
	assert_non_null(strstr(f->d.text, "cannot reserve 32000 bytes"));
}

/* Likewise the tables: an entry that does not fit is refused, those before it stay. */
static void no_disk_for_tables(void **state)
{
	struct fixture *f = *state;
	const struct series s = {.dataset = SLICE("D"), .freq = 'Q'};
	struct rlimit old, low;
	uint32_t at = add_series(f, "I", "TGO", 'A', "");
	glane_rc rc = GLANE_OK;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)1 << 20;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	for (int32_t mult = 0; rc == GLANE_OK; mult++) {
		struct series more = s;

		more.unit_mult = mult;
		rc = batch_series(&f->b, &more, &at, &f->d);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(signal(SIGXFSZ, SIG_DFL) != SIG_ERR);
	assert_int_equal(rc, GLANE_E_IO);
	assert_non_null(strstr(f->d.text, "free some disk"));
	assert_true(f->b.n_series > 1000);
	assert_slice(f->b.series[0].indicator, "I");
	diag_clear(&f->d);
	assert_int_equal(batch_series(&f->b, &f->b.series[7], &at, &f->d), 0);
	assert_int_equal(at, 7);
}

static void no_folder(void **state)
{
	struct fixture *f = *state;
	struct batch b;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(batch_init(&b, file, &f->d), GLANE_E_IO);
	batch_release(&b);
	close(file);
	/* tables only */
	assert_int_equal(batch_init(&b, -1, NULL), 0);
	assert_int_equal(batch_finish(&b, NULL, NULL, NULL), 0);
	batch_release(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(row_of_observation),
		TEST(row_values),
		TEST(row_notes),
		TEST(texts_are_copied),
		TEST(equal_entries_are_one),
		TEST(any_member_tells),
		TEST(window_keeps_the_last),
		TEST(nothing_arrived),
		TEST(in_order),
		TEST(in_no_order),
		TEST(one_long_series),
		TEST(periods_of_the_table),
		TEST(duplicates),
		TEST(later_parts_hold),
		TEST(duplicates_in_order),
		TEST(two_series_one_key),
		TEST(attributes_contradict),
		TEST(normal_is_preferred),
		TEST(failed_slices_are_dropped),
		TEST(all_dropped),
		TEST(cover_of_a_series),
		TEST(covers_of_one_slice),
		TEST(handles_that_are_not_there),
		TEST(too_many_payloads),
		TEST(memory_runs_out),
		TEST(disk_is_full),
		TEST(no_disk_for_tables),
		TEST(no_folder),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
