/* SPDX-License-Identifier: MIT */
/* Periods: tables of texts, ISO weeks against a calendar counted day by day, and properties over garbage. */
#include "base/clock.h"
#include "base/mem.h"
#include "model/period.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct parse_row {
	const char *text;
	char want;
	char freq;
	const char *print; /* SDMX text; NULL for 'I' */
	const char *start;
};
static const struct parse_row parse_rows[] = {
	{"2010", 0, 'A', "2010", "2010-01-01"},
	{"2010", 'A', 'A', "2010", "2010-01-01"},
	{"0001", 0, 'A', "0001", "0001-01-01"},
	{"9999", 0, 'A', "9999", "9999-01-01"},
	{"YR2010", 0, 'A', "2010", "2010-01-01"},
	{"YTD:2010", 'A', 'A', "2010", "2010-01-01"},
	{"2010-A1", 0, 'A', "2010", "2010-01-01"},
	{"2010A1", 'A', 'A', "2010", "2010-01-01"},
	{"1960 [YR1960]", 'A', 'A', "1960", "1960-01-01"},
	{"1960 [YR1960]", 0, 'A', "1960", "1960-01-01"},
	{"2010.0", 0, 'A', "2010", "2010-01-01"},
	{"2010-05-17 00:00:00", 0, 'D', "2010-05-17", "2010-05-17"},
	{"2010Q3 [2010Q3]", 0, 'Q', "2010-Q3", "2010-07-01"},
	{"2010M12 [2010M12]", 'M', 'M', "2010-12", "2010-12-01"},
	{"2010-S1", 0, 'S', "2010-S1", "2010-01-01"},
	{"2010S2", 0, 'S', "2010-S2", "2010-07-01"},
	{"1950S01", 'S', 'S', "1950-S1", "1950-01-01"},
	{"2010H2", 0, 'S', "2010-S2", "2010-07-01"},
	{"2010-H1", 'S', 'S', "2010-S1", "2010-01-01"},
	{"2010K4", 0, 'Q', "2010-Q4", "2010-10-01"},
	{"2010U05", 'W', 'W', "2010-W05", "2010-02-01"},
	{"2010-T1", 0, 'T', "2010-T1", "2010-01-01"},
	{"2010-T3", 'T', 'T', "2010-T3", "2010-09-01"},
	{"2010-Q1", 0, 'Q', "2010-Q1", "2010-01-01"},
	{"2010Q4", 'Q', 'Q', "2010-Q4", "2010-10-01"},
	{"1950Q01", 'Q', 'Q', "1950-Q1", "1950-01-01"},
	{"2010-05", 0, 'M', "2010-05", "2010-05-01"},
	{"2010-12", 'M', 'M', "2010-12", "2010-12-01"},
	{"2010M05", 'M', 'M', "2010-05", "2010-05-01"},
	{"2010M5", 0, 'M', "2010-05", "2010-05-01"},
	{"2010M12", 0, 'M', "2010-12", "2010-12-01"},
	{"2010-M05", 0, 'M', "2010-05", "2010-05-01"},
	{"201005", 'M', 'M', "2010-05", "2010-05-01"},
	{"2010-W05", 0, 'W', "2010-W05", "2010-02-01"},
	{"2010W05", 'W', 'W', "2010-W05", "2010-02-01"},
	{"2010W5", 0, 'W', "2010-W05", "2010-02-01"},
	{"2009-W53", 0, 'W', "2009-W53", "2009-12-28"},
	{"2010-W01", 0, 'W', "2010-W01", "2010-01-04"},
	{"2010-05-17", 0, 'D', "2010-05-17", "2010-05-17"},
	{"2010-05-17", 'D', 'D', "2010-05-17", "2010-05-17"},
	{"2010-05-17", 'B', 'B', "2010-05-17", "2010-05-17"},
	{"2012-02-29", 0, 'D', "2012-02-29", "2012-02-29"},
	{"20100517", 'D', 'D', "2010-05-17", "2010-05-17"},
	{"20100517", 'B', 'B', "2010-05-17", "2010-05-17"},
	{"2010-D137", 0, 'D', "2010-05-17", "2010-05-17"},
	{"2010D001", 0, 'D', "2010-01-01", "2010-01-01"},
	{"2010-D365", 0, 'D', "2010-12-31", "2010-12-31"},
	{"2012-D366", 'B', 'B', "2012-12-31", "2012-12-31"},
	{"2010-D010", 0, 'D', "2010-01-10", "2010-01-10"},
	{"13 April 2026", 0, 'D', "2026-04-13", "2026-04-13"},
	{"1 Jan 2000", 'D', 'D', "2000-01-01", "2000-01-01"},
	{"01 may 2000", 0, 'D', "2000-05-01", "2000-05-01"},
	{"30 SEPTEMBER 1999", 0, 'D', "1999-09-30", "1999-09-30"},
	/* time zones are dropped */
	{"2010Z", 0, 'A', "2010", "2010-01-01"},
	{"2010-05:00", 0, 'A', "2010", "2010-01-01"},
	{"2010-05Z", 0, 'M', "2010-05", "2010-05-01"},
	{"2010-05-05:00", 0, 'M', "2010-05", "2010-05-01"},
	{"2010-05-17+14:00", 0, 'D', "2010-05-17", "2010-05-17"},
	{"2010-Q2Z", 0, 'Q', "2010-Q2", "2010-04-01"},
	{"2010-W05+01:00", 0, 'W', "2010-W05", "2010-02-01"},
	/* times of day */
	{"2010-05-17T00:00:00", 0, 'D', "2010-05-17", "2010-05-17"},
	{"2010-05-17T00:00:00Z", 'D', 'D', "2010-05-17", "2010-05-17"},
	{"2010-05-17T00:00:00.000-05:00", 'B', 'B', "2010-05-17", "2010-05-17"},
	{"2010-05-17T00:00", 0, 'D', "2010-05-17", "2010-05-17"},
	{"2010-05-17T13:30:00+02:00", 0, 'I', NULL, "2010-05-17"},
	{"2010-05-17T00:00:00.001", 0, 'I', NULL, "2010-05-17"},
	{"2010-05-17T23:59", 'I', 'I', NULL, "2010-05-17"},
	/* ranges */
	{"2010-01-01/P3M", 0, 'I', NULL, "2010-01-01"},
	{"2010-07-01/P1Y", 'A', 'I', NULL, "2010-07-01"},
	{"2010-01-01/P1Y2M3W4DT5H6M7S", 'I', 'I', NULL, "2010-01-01"},
	{"2010-01-01T06:00:00Z/PT12H", 0, 'I', NULL, "2010-01-01"},
	{"2010-01-01/2010-03-31", 0, 'I', NULL, "2010-01-01"},
	{"2010-01-01/2010-01-01", 0, 'I', NULL, "2010-01-01"},
	{"2010-01-01T00:00:00+01:00/2010-03-31T12:00:00+01:00", 0, 'I', NULL, "2010-01-01"},
};
/* Refused where the text decides the frequency, and under the given one. */
static const char *const refused[] = {"201005", "20100517", "0000", "0000-05-17", "YR0000", "-2010", "12010", "2010-S0",
	"2010-S3", "2010-T4", "2010-Q0", "2010-Q5", "2010Q11", "2010-A2", "2010-00", "2010-13", "2010M13", "2010-W00",
	"2010-W53", "2009-W54", "2023-02-29", "2023-02-30", "1900-02-29", "2023-04-31", "2023-01-00", "2010-D000",
	"2010-D366", "31 April 2026", "13 April 0000", "", "201", "20101", " 2010", "2010 ", "2010/11", "2010-5",
	"2010-", "2010-Q", "2010-Q001", "2010q1", "2010-D37", "2010-B1", "2010-H3", "2010K5", "2010U53", "2010k1",
	"Q1-2010", "2010-05-17-18", "2010/05/17", "2010-W05-3", "2010ZZ", "2010-05-17+15:00", "2010-05-17T24:00:00",
	"2010-05-17T12:60:00", "2010-05-17T12:00:60", "2010-05-17T12", "2010-05-17T12:00:00.", "2010-05-17_00:00:00",
	"Apr 13, 2026", "13 Apri 2026", "13  April 2026", "13 April 26", "13 avril 2026", "April 2026", "YR20100",
	"2010-01-01/", "2010-01-01/P", "2010-01-01/PT", "2010-01-01/P3", "2010-01-01/PM", "2010-01-01/P3H",
	"2010-01-01/P3D2M", "2010-01-01/P3YT", "2010-01-01/PT3HT4M", "2010-01-01/P1M/P1M", "2010-03-31/2010-01-01",
	"2010-02-30/P3M", "2010-01-01/2010-02-30", "2010-01/2010-03", "/2010-01-01", ".........."};
static const struct parse_row refused_under[] = {{.text = "2010", .want = 'Q'}, {.text = "2010-Q1", .want = 'A'},
	{.text = "2010-05", .want = 'Q'}, {.text = "2010-05-17", .want = 'M'}, {.text = "2010-W05", .want = 'D'},
	{.text = "2010-05-17", .want = 'W'}, {.text = "2010-05-17", .want = 'I'}, {.text = "2010-05-01", .want = 'Q'},
	{.text = "2010-05-31", .want = 'Q'}, {.text = "2012-02-28", .want = 'M'}, {.text = "2010-07-01", .want = 'A'},
	{.text = "2010-06-30", .want = 'T'}, {.text = "2010-05-03", .want = 'W'},
	{.text = "2010-05-17T13:30:00", .want = 'D'}, {.text = "1960 [YR1960]", .want = 'M'},
	{.text = "201005", .want = 'D'}, {.text = "20100517", .want = 'M'}, {.text = "2010", .want = 'X'},
	{.text = "201013", .want = 'M'}, {.text = "2015W99", .want = 'W'}, {.text = "20230230", .want = 'D'},
	{.text = "19801981", .want = 'D'}, {.text = "1960 [YR1961]", .want = 'A'}, {.text = "2010.5", .want = 0},
	{.text = "2010.00", .want = 0}, {.text = "2010Q3 [2010Q4]", .want = 0}, {.text = "2010Q3 [2010Q3", .want = 0},
	{.text = "1960 [1960]", .want = 0}};

/* Days since 1970 of "YYYY-MM-DD". */
static int64_t day_of(const char *iso)
{
	int64_t y, m, d;

	assert_true(slice_int((struct slice){iso, 4}, 0, 9999, &y));
	assert_true(slice_int((struct slice){iso + 5, 2}, 1, 12, &m));
	assert_true(slice_int((struct slice){iso + 8, 2}, 1, 31, &d));
	return days_from_civil(y, (unsigned)m, (unsigned)d);
}

static void check_accepted(const struct parse_row *r, struct period p, struct strbuf *b)
{
	int64_t start = 0;

	strbuf_reset(b);
	strbuf_putc(b, '=');
	period_print(b, p.freq, p.value);
	assert_string_equal(b->p + 1, r->print ? r->print : "");
	if (r->print)
		assert_int_equal(period_start(p.freq, p.value), day_of(r->start));
	if (period_text_start(slice_of(r->text), &start))
		assert_int_equal(start, day_of(r->start));
	else
		assert_true(strlen(r->text) == 6 || strlen(r->text) == 8); /* those that need a frequency */
}

static void test_days_of_longer_periods(void **state)
{
	static const struct {
		const char *text, *print;
		char want;
	} rows[] = {{"2010-05-01", "2010-05", 'M'}, {"2010-05-31", "2010-05", 'M'},
		{"2012-02-29T00:00:00Z", "2012-02", 'M'}, {"2010-10-01", "2010-Q4", 'Q'},
		{"2010-06-30", "2010-Q2", 'Q'}, {"2010-07-01", "2010-S2", 'S'}, {"2010-08-31", "2010-T2", 'T'},
		{"2010-01-01", "2010", 'A'}, {"2010-12-31", "2010", 'A'}};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct period p;
		struct diag d = {0};

		assert_int_equal(period_parse(slice_of(rows[i].text), rows[i].want, &p, &d), GLANE_OK);
		assert_int_equal(p.freq, rows[i].want);
		strbuf_reset(&b);
		period_print(&b, p.freq, p.value);
		assert_true(slice_is(strbuf_get(&b), rows[i].print));
	}
	strbuf_release(&b);
}

static void test_parse(void **state)
{
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(parse_rows) / sizeof(*parse_rows); i++) {
		const struct parse_row *r = &parse_rows[i];
		struct period p = {'?', -7};
		glane_rc rc = period_parse(slice_of(r->text), r->want, &p, NULL);

		if (rc || p.freq != r->freq)
			fail_msg("'%s' want %d: rc %d freq %d", r->text, r->want, rc, p.freq);
		check_accepted(r, p, &b);
	}
	strbuf_release(&b);
}

static void check_refused(const char *text, char want)
{
	struct period p = {'?', -7};
	struct diag d = {0};

	if (period_parse(slice_of(text), want, &p, &d) != GLANE_E_DATA)
		fail_msg("'%s' want %d: freq %d", text, want, p.freq);
	assert_int_equal(d.code, GLANE_E_DATA);
	assert_non_null(strstr(d.text, text));
	assert_int_equal(p.freq, '?');
	assert_int_equal(p.value, -7);
}

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		check_refused(refused[i], 0);
	for (size_t i = 0; i < sizeof(refused_under) / sizeof(*refused_under); i++)
		check_refused(refused_under[i].text, refused_under[i].want);
}

static void test_parse_absent(void **state)
{
	struct period p;
	int64_t day;

	(void)state;
	assert_int_equal(period_parse((struct slice){NULL, 0}, 0, &p, NULL), GLANE_E_DATA);
	assert_int_equal(period_parse((struct slice){"2010\0", 5}, 0, &p, NULL), GLANE_E_DATA);
	assert_false(period_text_start((struct slice){NULL, 0}, &day));
	assert_false(period_text_start(SLICE("2010-13"), &day));
	assert_int_equal(period_header((struct slice){NULL, 0}, &p), GLANE_E_DATA);
}

static void test_values(void **state)
{
	static const struct {
		const char *text;
		int32_t value;
	} rows[] = {
		{"2010", 2010},
		{"2010-S2", 4021},
		{"2010-T3", 6032},
		{"2010-Q4", 8043},
		{"2010-12", 24131},
		{"0001-01-01", 366},
		{"1970-01-01", 719528},
		{"0001-W01", 52},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct period p;

		assert_int_equal(period_parse(slice_of(rows[i].text), 0, &p, NULL), GLANE_OK);
		assert_int_equal(p.value, rows[i].value);
	}
}

static void test_bounds(void **state)
{
	static const struct {
		char freq;
		const char *first, *last;
	} rows[] = {
		{'A', "0001", "9999"},
		{'S', "0001-S1", "9999-S2"},
		{'T', "0001-T1", "9999-T3"},
		{'Q', "0001-Q1", "9999-Q4"},
		{'M', "0001-01", "9999-12"},
		{'W', "0001-W01", "9999-W52"},
		{'D', "0001-01-01", "9999-12-31"},
		{'B', "0001-01-01", "9999-12-31"},
	};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct period p;

		assert_true(period_freq_ok(rows[i].freq));
		assert_int_equal(period_parse(slice_of(rows[i].first), rows[i].freq, &p, NULL), GLANE_OK);
		assert_int_equal(p.value, period_min(rows[i].freq));
		assert_int_equal(period_parse(slice_of(rows[i].last), rows[i].freq, &p, NULL), GLANE_OK);
		assert_int_equal(p.value, period_max(rows[i].freq));
		period_print(&b, rows[i].freq, -1);
		period_print(&b, rows[i].freq, period_max(rows[i].freq) + 1);
	}
	period_print(&b, 'I', 0);
	period_print(&b, 'X', 0);
	assert_int_equal(b.n, 0);
	strbuf_release(&b);
	assert_true(period_freq_ok('I'));
	assert_false(period_freq_ok('H'));
	assert_false(period_freq_ok(0));
	assert_int_equal(period_max('I'), -1);
	assert_int_equal(period_min('X'), 0);
}

/* Every period of every frequency: its text leads back to it, and the next one starts later. */
static void test_round_trip(void **state)
{
	static const char freqs[] = "ASTQMWDB";
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t f = 0; freqs[f]; f++) {
		int64_t last = INT64_MIN;

		for (int32_t v = period_min(freqs[f]); v <= period_max(freqs[f]); v++) {
			struct period p = {0};
			int64_t start = period_start(freqs[f], v);

			strbuf_reset(&b);
			period_print(&b, freqs[f], v);
			if (period_parse(strbuf_get(&b), freqs[f], &p, NULL) || p.value != v || p.freq != freqs[f] ||
				start <= last)
				fail_msg("%c %d '%s'", freqs[f], v, b.p);
			last = start;
		}
	}
	strbuf_release(&b);
}

/* From Python's date.isocalendar(): a day, its week, that week's Monday. */
static const char *const iso_weeks[][3] = {
	{"0001-01-01", "0001-W01", "0001-01-01"},
	{"0001-12-31", "0002-W01", "0001-12-31"},
	{"0002-01-01", "0002-W01", "0001-12-31"},
	{"0002-12-31", "0003-W01", "0002-12-30"},
	{"0004-01-01", "0004-W01", "0003-12-29"},
	{"0004-12-31", "0004-W53", "0004-12-27"},
	{"0005-01-01", "0004-W53", "0004-12-27"},
	{"0005-12-31", "0005-W52", "0005-12-26"},
	{"0006-01-01", "0005-W52", "0005-12-26"},
	{"0006-12-31", "0006-W52", "0006-12-25"},
	{"1583-01-01", "1582-W52", "1582-12-27"},
	{"1583-12-31", "1583-W52", "1583-12-26"},
	{"1752-01-01", "1751-W52", "1751-12-27"},
	{"1752-12-31", "1752-W52", "1752-12-25"},
	{"1900-01-01", "1900-W01", "1900-01-01"},
	{"1900-12-31", "1901-W01", "1900-12-31"},
	{"1968-01-01", "1968-W01", "1968-01-01"},
	{"1968-12-31", "1969-W01", "1968-12-30"},
	{"1969-01-01", "1969-W01", "1968-12-30"},
	{"1969-12-31", "1970-W01", "1969-12-29"},
	{"1970-01-01", "1970-W01", "1969-12-29"},
	{"1970-12-31", "1970-W53", "1970-12-28"},
	{"1976-01-01", "1976-W01", "1975-12-29"},
	{"1976-12-31", "1976-W53", "1976-12-27"},
	{"1977-01-01", "1976-W53", "1976-12-27"},
	{"1977-12-31", "1977-W52", "1977-12-26"},
	{"1999-01-01", "1998-W53", "1998-12-28"},
	{"1999-12-31", "1999-W52", "1999-12-27"},
	{"2000-01-01", "1999-W52", "1999-12-27"},
	{"2000-12-31", "2000-W52", "2000-12-25"},
	{"2004-01-01", "2004-W01", "2003-12-29"},
	{"2004-12-31", "2004-W53", "2004-12-27"},
	{"2005-01-01", "2004-W53", "2004-12-27"},
	{"2005-12-31", "2005-W52", "2005-12-26"},
	{"2008-01-01", "2008-W01", "2007-12-31"},
	{"2008-12-31", "2009-W01", "2008-12-29"},
	{"2009-01-01", "2009-W01", "2008-12-29"},
	{"2009-12-31", "2009-W53", "2009-12-28"},
	{"2010-01-01", "2009-W53", "2009-12-28"},
	{"2010-12-31", "2010-W52", "2010-12-27"},
	{"2012-01-01", "2011-W52", "2011-12-26"},
	{"2012-12-31", "2013-W01", "2012-12-31"},
	{"2015-01-01", "2015-W01", "2014-12-29"},
	{"2015-12-31", "2015-W53", "2015-12-28"},
	{"2016-01-01", "2015-W53", "2015-12-28"},
	{"2016-12-31", "2016-W52", "2016-12-26"},
	{"2020-01-01", "2020-W01", "2019-12-30"},
	{"2020-12-31", "2020-W53", "2020-12-28"},
	{"2021-01-01", "2020-W53", "2020-12-28"},
	{"2021-12-31", "2021-W52", "2021-12-27"},
	{"2024-01-01", "2024-W01", "2024-01-01"},
	{"2024-12-31", "2025-W01", "2024-12-30"},
	{"2026-01-01", "2026-W01", "2025-12-29"},
	{"2026-12-31", "2026-W53", "2026-12-28"},
	{"2032-01-01", "2032-W01", "2031-12-29"},
	{"2032-12-31", "2032-W53", "2032-12-27"},
	{"9998-01-01", "9998-W01", "9997-12-29"},
	{"9998-12-31", "9998-W53", "9998-12-28"},
	{"9999-01-01", "9998-W53", "9998-12-28"},
	{"9999-12-31", "9999-W52", "9999-12-27"},
};

static void test_iso_weeks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(iso_weeks) / sizeof(*iso_weeks); i++) {
		int64_t monday = day_of(iso_weeks[i][2]);
		struct period p;

		assert_int_equal(period_parse(slice_of(iso_weeks[i][1]), 'W', &p, NULL), GLANE_OK);
		assert_int_equal(period_start('W', p.value), monday);
		assert_in_range(day_of(iso_weeks[i][0]) - monday, 0, 6);
	}
}

static void check_week(struct strbuf *b, int year, int week, int32_t day)
{
	struct period p = {0};

	strbuf_reset(b);
	strbuf_fmt(b, "%04d-W%02d", year, week);
	if (period_parse(strbuf_get(b), 'W', &p, NULL) || period_start('W', p.value) != day - 719528)
		fail_msg("%s", b->p);
}

/* A calendar counted day by day from Monday 0001-01-01: a week belongs to the year of its Thursday. */
static void test_weeks_by_counting(void **state)
{
	static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int32_t day = 366; /* since 0000-01-01 */
	int week = 0;
	struct strbuf b;
	struct period p;

	(void)state;
	strbuf_init(&b, 0);
	for (int year = 1; year <= 9999; year++) {
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

		week = 0;
		for (int month = 1; month <= 12; month++) {
			int length = lengths[month - 1] + (month == 2 && leap);

			for (int i = 1; i <= length; i++, day++) {
				if ((day - 366) % 7 == 3)
					check_week(&b, year, ++week, day - 3);
			}
		}
		strbuf_reset(&b);
		strbuf_fmt(&b, "%04dW%d", year, week + 1);
		assert_int_equal(period_parse(strbuf_get(&b), 'W', &p, NULL), GLANE_E_DATA);
	}
	assert_int_equal(day - 1, period_max('D'));
	strbuf_release(&b);
}

static void test_header(void **state)
{
	static const struct {
		const char *cell;
		char freq; /* 0: refused */
		const char *print;
	} rows[] = {
		{"2020", 'A', "2020"},
		{"F2020", 'A', "2020"},
		{"YR2020", 'A', "2020"},
		{"2020 [YR2020]", 'A', "2020"},
		{"2020Q1", 'Q', "2020-Q1"},
		{"2020M01", 'M', "2020-01"},
		{" 2020 ", 'A', "2020"},
		{"2020-05", 'M', "2020-05"},
		{"\xc2\xa0"
		 "2020",
			'A', "2020"},
		{"F0000", 0, NULL},
		{"F", 0, NULL},
		{"G2020", 0, NULL},
		{"FF2020", 0, NULL},
		{"F20201", 0, NULL},
		{"Country", 0, NULL},
		{"Year", 0, NULL},
		{"2020-2021", 0, NULL},
		{"2020-01-01/P1Y", 0, NULL},
		{"F2020Q1", 0, NULL},
		{"20200101", 0, NULL},
		{"", 0, NULL},
	};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct period p = {0};
		glane_rc rc = period_header(slice_of(rows[i].cell), &p);

		if ((rc == GLANE_OK) != (rows[i].freq != 0) || p.freq != rows[i].freq)
			fail_msg("'%s'", rows[i].cell);
		if (rc)
			continue;
		strbuf_reset(&b);
		period_print(&b, p.freq, p.value);
		assert_string_equal(b.p, rows[i].print);
	}
	strbuf_release(&b);
}

/* What holds for any bytes; the text is an exact-sized copy, so that a read beyond its end is seen. */
static void check_any(const char *p, size_t n)
{
	static const char wants[] = "\0ASTQMWDBI";
	char *copy = mem_alloc(n ? n : 1);
	struct slice text = {copy, n};
	struct period got, again;
	struct strbuf b;
	int64_t start;

	assert_non_null(copy);
	memcpy(copy, p, n);
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(wants) - 1; i++) {
		if (period_parse(text, wants[i], &got, NULL))
			continue;
		assert_true(period_freq_ok(got.freq));
		strbuf_reset(&b);
		period_print(&b, got.freq, got.value);
		if (got.freq == 'I') {
			assert_true(period_text_start(text, &start));
			continue;
		}
		assert_int_equal(period_parse(strbuf_get(&b), got.freq, &again, NULL), GLANE_OK);
		assert_int_equal(again.value, got.value);
	}
	if (period_header(text, &got) == GLANE_OK)
		assert_in_range(got.value, period_min(got.freq), period_max(got.freq));
	strbuf_release(&b);
	mem_free(copy);
}

static void test_every_short_text(void **state)
{
	static const char letters[] = "019-/:.TZPQMWDAF R[\xc2"; /* and NUL */
	size_t base = sizeof(letters);
	char text[3];

	(void)state;
	for (size_t n = 0, total = 1; n <= 3; n++, total *= base) {
		for (size_t k = 0; k < total; k++) {
			for (size_t i = 0, rest = k; i < n; i++, rest /= base)
				text[i] = letters[rest % base];
			check_any(text, n);
		}
	}
}

/* A text cut at every byte, from both ends, and with every byte replaced. */
static void check_mangled(const char *row)
{
	static const char others[] = "09-+/:.TZPQWS [\xff";
	size_t n = strlen(row);
	char text[64];

	assert_true(n < sizeof(text));
	for (size_t at = 0; at <= n; at++) {
		check_any(row, at);
		check_any(row + at, n - at);
		for (size_t k = 0; at < n && k < sizeof(others); k++) {
			memcpy(text, row, n);
			text[at] = others[k];
			check_any(text, n);
		}
	}
}

static void test_cut_and_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_rows) / sizeof(*parse_rows); i++)
		check_mangled(parse_rows[i].text);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		check_mangled(refused[i]);
}

static void test_long_text(void **state)
{
	char *text = mem_alloc(100000);

	(void)state;
	assert_non_null(text);
	memset(text, '2', 100000);
	check_any(text, 100000);
	for (size_t n = 0; n < 200; n++)
		check_any(text, n);
	memcpy(text, "2010-01-01/P", 12);
	check_any(text, 100000);
	text[99999] = 'M';
	check_any(text, 100000);
	memset(text, ' ', 100000);
	check_any(text, 100000);
	mem_free(text);
}

/* Spans of whole years take the form of an SDMX range; what is none stays as it is. */
static void test_years(void **state)
{
	static const char *const rows[][2] = {{"1987-1989", "1987-01-01/P3Y"}, {"2014-2015", "2014-01-01/P2Y"},
		{"1963-1975", "1963-01-01/P13Y"}, {"1850-1949", "1850-01-01/P100Y"}, {"0001-9999", "0001-01-01/P9999Y"},
		{"1989-1987", NULL}, {"1989-1989", NULL}, {"0000-0002", NULL}, {"1987-89", NULL}, {"1987/1989", NULL},
		{"1987-1989 ", NULL}, {"2019-20x0", NULL}, {"x019-2020", NULL}, {"2019-12-31", NULL}, {"", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[PERIOD_YEARS];
		struct slice text = {NULL, 0};
		struct period p;
		int64_t start;

		if (period_years(slice_of(rows[i][0]), out, &text) != (rows[i][1] != NULL))
			fail_msg("'%s'", rows[i][0]);
		if (!rows[i][1])
			continue;
		if (!slice_is(text, rows[i][1]))
			fail_msg("'%s': %.*s", rows[i][0], SLICE_FMT(text));
		assert_int_equal(period_parse(text, 'A', &p, NULL), GLANE_OK);
		assert_int_equal(p.freq, 'I');
		assert_true(period_text_start(text, &start));
		assert_int_equal(start, period_start('A', (rows[i][0][0] - '0') * 1000 + (rows[i][0][1] - '0') * 100 +
								  (rows[i][0][2] - '0') * 10 + rows[i][0][3] - '0'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_days_of_longer_periods),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_parse_absent),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_iso_weeks),
		cmocka_unit_test(test_weeks_by_counting),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_every_short_text),
		cmocka_unit_test(test_cut_and_replaced),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_years),
	};

	return cmocka_run_group_tests_name("period", tests, NULL, NULL);
}
