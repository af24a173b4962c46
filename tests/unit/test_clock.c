/* SPDX-License-Identifier: MIT */
/* Calendar, time stamps, durations and sizes. */
#include "base/clock.h"
#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define UNTOUCHED INT64_C(-4711)

static void test_civil(void **state)
{
	static const struct {
		int64_t y;
		unsigned m, d;
		int64_t days;
	} rows[] = {
		{1970, 1, 1, 0},
		{1969, 12, 31, -1},
		{2000, 2, 29, 11016},
		{2000, 3, 1, 11017},
		{2038, 1, 19, 24855},
		{0, 1, 1, -719528},
		{9999, 12, 31, 2932896},
		{1900, 3, 1, -25508},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(days_from_civil(rows[i].y, rows[i].m, rows[i].d), rows[i].days);
}

/* Every day of the years 0 to 9999, counted on by the lengths of the months. */
static void test_every_day(void **state)
{
	int64_t y = 0, days = days_from_civil(0, 1, 1), bad = 0;
	unsigned m = 1, d = 1;

	(void)state;
	for (; y <= 9999; days++) {
		int64_t y2;
		unsigned m2, d2;

		civil_from_days(days, &y2, &m2, &d2);
		bad += y != y2 || m != m2 || d != d2 || days_from_civil(y, m, d) != days;
		if (++d > days_in_month(y, m)) {
			d = 1;
			y += m == 12;
			m = m % 12 + 1;
		}
	}
	assert_int_equal(bad, 0);
	assert_int_equal(days, 2932897);
}

static void test_months(void **state)
{
	(void)state;
	assert_int_equal(days_in_month(2023, 2), 28);
	assert_int_equal(days_in_month(2024, 2), 29);
	assert_int_equal(days_in_month(1900, 2), 28);
	assert_int_equal(days_in_month(2000, 2), 29);
	assert_int_equal(days_in_month(2024, 12), 31);
	assert_int_equal(days_in_month(2024, 0), 0);
	assert_int_equal(days_in_month(2024, 13), 0);
}

static void test_format(void **state)
{
	static const struct {
		int64_t t;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00Z"},
		{-1, "1969-12-31T23:59:59Z"},
		{INT64_C(1795477475), "2026-11-23T23:44:35Z"},
		{INT64_C(4102444800), "2100-01-01T00:00:00Z"},
		{INT64_C(-62167219200), "0000-01-01T00:00:00Z"},
		{INT64_MIN, "0000-01-01T00:00:00Z"},
		{INT64_MAX, "9999-12-31T23:59:59Z"},
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		time_format(rows[i].t, buf);
		assert_string_equal(buf, rows[i].text);
	}
}

struct stamp {
	const char *text;
	int64_t t; /* UNTOUCHED: refused */
};

static void check_stamps(bool (*parse)(struct slice, int64_t *), const struct stamp *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t t = UNTOUCHED;
		bool ok = parse(slice_of(rows[i].text), &t);

		if (ok != (rows[i].t != UNTOUCHED) || t != rows[i].t)
			print_error("'%s' gave %d, %lld\n", rows[i].text, ok, (long long)t);
		assert_true(ok == (rows[i].t != UNTOUCHED) && t == rows[i].t);
	}
}

static void test_parse(void **state)
{
	static const struct stamp rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01", 0},
		{"2026-11-23T23:44:35Z", 1795477475},
		{"2026-11-23t23:44:35z", 1795477475},
		{"2026-11-23 23:44:35Z", 1795477475},
		{"2026-11-23T23:44:35.987654321Z", 1795477475},
		{"2026-11-24T00:44:35+01:00", 1795477475},
		{"2026-11-23T18:14:35-05:30", 1795477475},
		{"2016-12-31T23:59:60Z", 1483228800},
		{"0000-01-01T00:00:00Z", -62167219200},
		{"2024-02-29", 1709164800},
		{"2023-02-29", UNTOUCHED},
		{"2023-13-01", UNTOUCHED},
		{"2023-00-01", UNTOUCHED},
		{"2023-01-00", UNTOUCHED},
		{"2023-04-31", UNTOUCHED},
		{"2023-1-01", UNTOUCHED},
		{"23-01-01", UNTOUCHED},
		{"-023-01-01", UNTOUCHED},
		{"", UNTOUCHED},
		{"2023-01-01T", UNTOUCHED},
		{"2023-01-01T00:00:00", UNTOUCHED},
		{"2023-01-01T24:00:00Z", UNTOUCHED},
		{"2023-01-01T00:60:00Z", UNTOUCHED},
		{"2023-01-01T00:00:61Z", UNTOUCHED},
		{"2023-01-01T00:00Z", UNTOUCHED},
		{"2023-01-01T00:00:00.Z", UNTOUCHED},
		{"2023-01-01T00:00:00Zx", UNTOUCHED},
		{"2023-01-01T00:00:00+0100", UNTOUCHED},
		{"2023-01-01T00:00:00+24:00", UNTOUCHED},
		{"2023-01-01T00:00:00+01:60", UNTOUCHED},
		{"2023-01-01T00:00:00+01:00x", UNTOUCHED},
		{"2023-01-01x", UNTOUCHED},
	};

	(void)state;
	check_stamps(time_parse, rows, COUNT(rows));
}

static void test_parse_http(void **state)
{
	static const struct stamp rows[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
		{"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
		{"Sun Nov  6 08:49:37 1994", 784111777},
		{"Wed Nov 16 08:49:37 1994", 784975777},
		{"Mon, 23 Nov 2026 23:44:35 GMT", 1795477475},
		{"", UNTOUCHED},
		{"0", UNTOUCHED},
		{"Sun", UNTOUCHED},
		{"Sun, ", UNTOUCHED},
		{"Son, 06 Nov 1994 08:49:37 GMT", UNTOUCHED},
		{"Sun, 6 Nov 1994 08:49:37 GMT", UNTOUCHED},
		{"Sun, 06 Nov 94 08:49:37 GMT", UNTOUCHED},
		{"Sun, 06 nov 1994 08:49:37 GMT", UNTOUCHED},
		{"Sun, 31 Nov 1994 08:49:37 GMT", UNTOUCHED},
		{"Sun, 06 Nov 1994 08:49:37 UTC", UNTOUCHED},
		{"Sun, 06 Nov 1994 08:49:37 GMT+1", UNTOUCHED},
		{"Sun, 06 Nov 1994 08:49:37", UNTOUCHED},
		{"Sunday, 06-Nov-1994 08:49:37 GMT", UNTOUCHED},
		{"Sun Nov 6 08:49:37 1994", UNTOUCHED},
		{"Sunday Nov  6 08:49:37 1994", UNTOUCHED},
		{"Sun Nov  6 08:49:37 1994 GMT", UNTOUCHED},
	};

	(void)state;
	check_stamps(time_parse_http, rows, COUNT(rows));
}

/* Whole texts are read, every shorter one is refused: but for the bare date inside an RFC 3339 stamp. */
static void test_cut(void **state)
{
	static const char stamp[] = "2026-11-23T23:44:35+01:00", http[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	int64_t t;

	(void)state;
	for (size_t n = 0; n < sizeof(stamp) - 1; n++)
		assert_int_equal(time_parse((struct slice){stamp, n}, &t), n == 10);
	for (size_t n = 0; n < sizeof(http) - 1; n++)
		assert_false(time_parse_http((struct slice){http, n}, &t));
}

static void test_two_digit_year(void **state)
{
	int64_t now, t, y;
	unsigned m, d;
	char text[64];

	(void)state;
	civil_from_days(clock_utc() / 86400, &now, &m, &d);
	for (int64_t back = 0; back < 49; back++) {
		(void)snprintf(text, sizeof(text), "Friday, 15-Jun-%02d 00:00:00 GMT", (int)((now - back) % 100));
		assert_true(time_parse_http(slice_of(text), &t));
		civil_from_days(t / 86400, &y, &m, &d);
		if (now % 100 >= back)
			assert_int_equal(y, now - back);
		assert_true(y <= now + 50);
	}
}

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		bool weeks;
		int64_t seconds;
	} rows[] = {
		{"90s", false, 90},
		{"15m", false, 900},
		{"6h", false, 21600},
		{"7d", false, 604800},
		{"0s", false, 0},
		{"6h", true, 21600},
		{"1d", true, 86400},
		{"2w", true, 1209600},
		{"1m", true, 2592000},
		{"90s", true, 90},
		{"2w", false, UNTOUCHED},
		{"", false, UNTOUCHED},
		{"s", false, UNTOUCHED},
		{"90", false, UNTOUCHED},
		{"-1s", false, UNTOUCHED},
		{"-0s", false, UNTOUCHED},
		{"1.5h", false, UNTOUCHED},
		{"1 h", false, UNTOUCHED},
		{"1H", false, UNTOUCHED},
		{"1h30m", false, UNTOUCHED},
		{"1y", true, UNTOUCHED},
		{"9223372036854775807d", false, UNTOUCHED},
		{"99999999999999999999s", false, UNTOUCHED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t v = UNTOUCHED;
		bool ok = duration_parse(slice_of(rows[i].text), rows[i].weeks, &v);

		assert_int_equal(ok, rows[i].seconds != UNTOUCHED);
		assert_true(v == rows[i].seconds);
	}
}

static void test_size(void **state)
{
	static const struct stamp rows[] = {
		{"512", 512},
		{"0", 0},
		{"512k", 524288},
		{"64M", 67108864},
		{"2G", 2147483648},
		{"8589934592G", UNTOUCHED},
		{"8589934591G", 9223372035781033984},
		{"9223372036854775808", UNTOUCHED},
		{"9223372036854775807k", UNTOUCHED},
		{"", UNTOUCHED},
		{"k", UNTOUCHED},
		{"64m", UNTOUCHED},
		{"64MB", UNTOUCHED},
		{"64 M", UNTOUCHED},
		{"-1", UNTOUCHED},
		{"-1k", UNTOUCHED},
		{"1.5G", UNTOUCHED},
		{"0x10", UNTOUCHED},
	};

	(void)state;
	check_stamps(size_parse, rows, COUNT(rows));
}

static void test_clocks(void **state)
{
	int64_t a = clock_mono_ms();

	(void)state;
	assert_true(clock_mono_ms() >= a);
	assert_true(clock_utc() > 1700000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_civil),
		cmocka_unit_test(test_every_day),
		cmocka_unit_test(test_months),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_http),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_two_digit_year),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_clocks),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
