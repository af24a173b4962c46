/* SPDX-License-Identifier: MIT */
/* Periods of reporting years that begin on another day than 1 January (the examples of SDMX 2.1, section 6, 4.2.6 among them). */
#include "base/clock.h"
#include "model/period.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

struct reporting_row {
	const char *text, *start, *want; /* want: NULL: refused */
};
static const struct reporting_row rows[] = {
	{"2010-M01", "--07-01", "2010-07"},
	{"2010-M12", "--07-01", "2011-06"},
	{"2010M7", "--07-01", "2011-01"},
	{"2010-M01", "--04-06", "2010-04-06/P1M"},
	{"2010-M02", "--01-31", "2010-02-28/P1M"},
	{"2010-Q2", "--07-01", "2010-Q4"},
	{"2010-Q3", "--07-01", "2011-Q1"},
	{"2010-Q1", "--02-01", "2010-02-01/P3M"},
	{"2010-S2", "--07-01", "2011-S1"},
	{"2010-S1", "--04-01", "2010-04-01/P6M"},
	{"2010-T1", "--05-01", "2010-T2"},
	{"2010-T1", "--07-01", "2010-07-01/P4M"},
	{"2010-A1", "--07-01", "2010-07-01/P1Y"},
	{"2010-D001", "--07-01", "2010-07-01"},
	{"2010-D185", "--07-01", "2011-01-01"},
	{"2011-W36", "--07-01", "2012-W10"}, /* from 4 July on: 5 to 11 March 2012, as the standard has it */
	{"2010-W01", "--07-01", "2010-W26"},
	{"1969-W01", "--12-31", "1970-W01"},
	{"2010", "--07-01", "2010"},
	{"2010-07", "--07-01", "2010-07"},
	{"2010-07-15", "--07-01", "2010-07-15"},
	{"2010-07-01/P1Y", "--07-01", "2010-07-01/P1Y"},
	{"2010-M01", "--01-01", "2010-M01"},
	{"2010-M01", "", "2010-M01"},
	{"2010-M01", " --07-01 ", "2010-07"},
	{"x", "--07-01", "x"},
	{"", "--07-01", ""},
	{"2010-M01", "--13-01", NULL},
	{"2010-M01", "--02-30", NULL},
	{"2010-M01", "07-01", NULL},
	{"2010-M13", "--07-01", NULL},
	{"2010-M01Z", "--07-01", NULL},
	{"2010-Q", "--07-01", NULL},
	{"0000-Q1", "--07-01", NULL},
	{"9999-Q4", "--07-01", NULL},
};

static void calendar_of_reporting_years(void **state)
{
	char out[PERIOD_REPORTING];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct reporting_row *r = &rows[i];
		struct slice found = {NULL, 0};
		struct diag d = {0};
		struct period p;
		const glane_rc rc = period_reporting(slice_of(r->text), slice_of(r->start), out, &found, &d);

		if (rc != (r->want ? GLANE_OK : GLANE_E_DATA) || (r->want && !slice_is(found, r->want)))
			fail_msg("%s, %s: %d, '%.*s', %s", r->text, r->start, (int)rc, SLICE_FMT(found), d.text);
		if (r->want && r->want[0] >= '0' && r->want[0] <= '9')
			assert_int_equal(period_parse(found, 0, &p, &d), GLANE_OK);
		if (!r->want)
			assert_non_null(strstr(d.text, "reporting year"));
	}
}

/* Whatever the day, the weeks of a reporting year follow each other, and so do its days. */
static void weeks_and_days_follow(void **state)
{
	char out[PERIOD_REPORTING], text[32], start[32];

	(void)state;
	for (int year = 1960; year < 2030; year++)
		for (int part = 1; part <= 53; part++) {
			struct period week[2], day[2];
			struct slice found;
			struct diag d = {0};

			(void)snprintf(start, sizeof(start), "--%02d-%02d", 1 + year % 12, 2 + year % 26);
			for (int k = 0; k < 2; k++) {
				(void)snprintf(text, sizeof(text), "%d-W%02d", year, part - (part == 53) + k);
				assert_int_equal(period_reporting(slice_of(text), slice_of(start), out, &found, &d), 0);
				assert_int_equal(period_parse(found, 'W', &week[k], &d), GLANE_OK);
				(void)snprintf(text, sizeof(text), "%d-D%03d", year, part * 6 + k);
				assert_int_equal(period_reporting(slice_of(text), slice_of(start), out, &found, &d), 0);
				assert_int_equal(period_parse(found, 'D', &day[k], &d), GLANE_OK);
			}
			assert_int_equal(week[1].value - week[0].value, 1);
			assert_int_equal(day[1].value - day[0].value, 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calendar_of_reporting_years),
		cmocka_unit_test(weeks_and_days_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
