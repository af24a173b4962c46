/* SPDX-License-Identifier: MIT */
/* Periods of a reporting year that begins on another day than 1 January (SDMX 2.1, section 6, 4.2.6), as periods of the calendar. */
#include "base/clock.h"
#include "model/period.h"

#include <stdio.h>

struct reporting {
	char freq;
	int parts; /* of a year */
	int year, part;
	int month, day; /* the reporting year's first */
};

/* n digits at p; -1: other things stand there. */
static int digits(struct slice s, size_t at, size_t n)
{
	int v = 0;

	if (at + n > s.n || n == 0)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

static int parts_of(char freq)
{
	static const char letters[] = "ASTQMWD";
	static const int parts[] = {1, 2, 3, 4, 12, 53, 366};
	const char *at = freq ? strchr(letters, freq) : NULL;

	return at ? parts[at - letters] : 0;
}

/* "2010-M01" or "2010M01"; false: a calendar's period, or none. *ret_ok: it can be. */
static bool read_form(struct slice text, struct reporting *ret, bool *ret_ok)
{
	const size_t at = text.n > 4 && text.p[4] == '-' ? 5 : 4;

	ret->year = digits(text, 0, 4);
	ret->freq = text.n > at ? text.p[at] : '\0';
	ret->parts = parts_of(ret->freq);
	if (ret->year < 0 || ret->parts == 0)
		return false;
	ret->part = text.n <= at + 4 ? digits(text, at + 1, text.n - at - 1) : -1;
	*ret_ok = ret->year > 0 && ret->year < 9990 && ret->part > 0 && ret->part <= ret->parts;
	return true;
}

/* "--07-01" */
static bool read_start(struct slice s, struct reporting *ret)
{
	ret->month = digits(s, 2, 2);
	ret->day = digits(s, 5, 2);
	return s.n == 7 && s.p[0] == '-' && s.p[1] == '-' && s.p[4] == '-' && ret->month >= 1 && ret->month <= 12 &&
	       ret->day >= 1 && ret->day <= (int)days_in_month(2000, (unsigned)ret->month);
}

static int64_t day_in(int year, int month, int day)
{
	const int last = (int)days_in_month(year, (unsigned)month);

	return days_from_civil(year, (unsigned)month, (unsigned)(day < last ? day : last));
}

/* Weeks begin on the Monday that is nearest to the first day. */
static int print_week(char *out, size_t n, int64_t first, int week)
{
	const int weekday = (int)(((first + 3) % 7 + 7) % 7); /* 0: Monday; 1970-01-01 was a Thursday */
	const int64_t thursday = first + (weekday <= 3 ? -weekday : 7 - weekday) + 7 * (int64_t)(week - 1) + 3;
	int64_t year;
	unsigned month, day;

	civil_from_days(thursday, &year, &month, &day);
	return snprintf(out, n, "%04d-W%02d", (int)year, (int)((thursday - days_from_civil(year, 1, 1)) / 7 + 1));
}

/* The calendar's own form where it has one; else a range. */
static int print_months(char *out, size_t n, const struct reporting *r)
{
	const int months = 12 / r->parts, behind = r->month - 1 + months * (r->part - 1);
	const int year = r->year + behind / 12, month = behind % 12;
	int64_t y;
	unsigned m, d;

	if (r->day == 1 && r->freq == 'M')
		return snprintf(out, n, "%04d-%02d", year, month + 1);
	if (r->day == 1 && month % months == 0 && r->freq != 'A')
		return snprintf(out, n, "%04d-%c%d", year, r->freq, month / months + 1);
	civil_from_days(day_in(year, month + 1, r->day), &y, &m, &d);
	return snprintf(out, n, r->freq == 'A' ? "%04d-%02u-%02u/P1Y" : "%04d-%02u-%02u/P%dM", (int)y, m, d, months);
}

glane_rc period_reporting(
	struct slice text, struct slice start, char out[PERIOD_REPORTING], struct slice *ret, struct diag *d)
{
	struct reporting r;
	int64_t first, year;
	unsigned month, day;
	bool is_period;
	int n;

	*ret = text;
	start = slice_trim(start);
	if (!start.n || slice_is(start, "--01-01") || !read_form(slice_trim(text), &r, &is_period))
		return GLANE_OK;
	if (!is_period || !read_start(start, &r))
		return fail(d, GLANE_E_DATA, "period '%.*s' of a reporting year that begins on '%.*s' is none",
			(int)(text.n < 64 ? text.n : 64), text.p, (int)(start.n < 64 ? start.n : 64), start.p);
	first = day_in(r.year, r.month, r.day);
	if (r.freq == 'W') {
		n = print_week(out, PERIOD_REPORTING, first, r.part);
	} else if (r.freq == 'D') {
		civil_from_days(first + r.part - 1, &year, &month, &day);
		n = snprintf(out, PERIOD_REPORTING, "%04d-%02u-%02u", (int)year, month, day);
	} else {
		n = print_months(out, PERIOD_REPORTING, &r);
	}
	*ret = (struct slice){out, (size_t)n};
	return GLANE_OK;
}
