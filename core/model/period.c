/* SPDX-License-Identifier: MIT */
/* Periods: the forms that providers write, their integers, and the SDMX text. */
#include "model/period.h"
#include "base/clock.h"

#define YEAR_MAX 9999
#define DAYS_BEFORE_1970 719528 /* days from 0000-01-01 to 1970-01-01 */
#define DAY_MAX 3652424         /* 9999-12-31 in days since 0000-01-01 */
#define WEEK_0 2                /* 0000-01-03, a Monday, in days since 0000-01-01 */
#define WEEK_MAX 521774         /* 9999-W52 */
#define TEXT_MAX 128

/* Why a text is no period. */
static const char *const no_form =
	"its form is none of 2010, 2010-S1, 2010-T1, 2010-Q1, 2010-05, 2010-W05, 2010-05-17; "
	"`words` reads names of months, `freq` says what 201005 is, csv's `period_format` what 17/05/2010";
static const char *const no_date = "there is no such date";
static const char *const no_week = "that year has no such week";
static const char *const no_year = "the year is outside 0001..9999";
static const char *const no_time = "there is no such time of day";
static const char *const no_range = "it is no ISO 8601 range of a start and an end or a duration";

static const char *const month_names[12] = {"january", "february", "march", "april", "may", "june", "july", "august",
	"september", "october", "november", "december"};

/* n decimal digits as a number, or -1. */
static int number(const char *p, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

static int per_year(char freq)
{
	switch (freq) {
	case 'A':
		return 1;
	case 'S':
		return 2;
	case 'T':
		return 3;
	case 'Q':
		return 4;
	case 'M':
		return 12;
	default:
		return 0;
	}
}

static int32_t days_of(int year, int month, int day)
{
	return (int32_t)days_from_civil(year, (unsigned)month, (unsigned)day) + DAYS_BEFORE_1970;
}

/* Monday of an ISO year's first week, the one that holds 4 January. */
static int32_t first_monday(int year)
{
	int32_t fourth = days_of(year, 1, 4);

	return fourth - (fourth - WEEK_0) % 7;
}

static int32_t week_of(int year, int week)
{
	return (first_monday(year) - WEEK_0) / 7 + week - 1;
}

static const char *set_part(struct period *ret, char freq, int year, int part)
{
	int parts = per_year(freq);

	if (part < 1 || part > parts)
		return no_date;
	*ret = (struct period){freq, year * parts + part - 1};
	return NULL;
}

static const char *set_day(struct period *ret, int year, int month, int day)
{
	if (month < 1 || month > 12 || day < 1 || day > (int)days_in_month(year, (unsigned)month))
		return no_date;
	*ret = (struct period){'D', days_of(year, month, day)};
	return NULL;
}

static const char *set_week(struct period *ret, int year, int week)
{
	int32_t thursday = first_monday(year) + 7 * (week - 1) + 3;

	if (week < 1 || thursday > days_of(year, 12, 31))
		return no_week;
	*ret = (struct period){'W', week_of(year, week)};
	return NULL;
}

static const char *set_day_of_year(struct period *ret, int year, int day)
{
	int32_t value = days_of(year, 1, 1) + day - 1;

	if (day < 1 || value > days_of(year, 12, 31))
		return no_date;
	*ret = (struct period){'D', value};
	return NULL;
}

/* Half-years of PxWeb; of Nordic offices the quarter (kvartal) and the week (uge, uke). */
static char letter_of(char c)
{
	return (char)(c == 'H' ? 'S' : c == 'K' ? 'Q' : c == 'U' ? 'W' : c);
}

/* What follows the year and a '-' that may be left out: A1 S2 T3 Q4 Q04 M5 M05 W5 W05 D137 H1 K4 U05. */
static const char *read_reporting(struct slice t, int year, struct period *ret)
{
	const char letter = letter_of(t.n ? *t.p : 0);
	int part;

	if (t.n < 2 || t.n > 4)
		return no_form;
	part = number(t.p + 1, t.n - 1);
	if (part < 0 || (t.n == 4) != (letter == 'D'))
		return no_form;
	switch (letter) {
	case 'A':
	case 'S':
	case 'T':
	case 'Q':
	case 'M':
		return set_part(ret, letter, year, part);
	case 'W':
		return set_week(ret, year, part);
	case 'D':
		return set_day_of_year(ret, year, part);
	default:
		return no_form;
	}
}

/* 201005 and 20100517 only where the frequency is known: they might be plain numbers, or two years. */
static const char *read_compact(struct slice t, int year, char want, struct period *ret)
{
	int rest = t.n <= 8 ? number(t.p + 4, t.n - 4) : -1;

	if (rest >= 0 && t.n == 6 && want == 'M')
		return set_part(ret, 'M', year, rest);
	if (rest >= 0 && t.n == 8 && (want == 'D' || want == 'B'))
		return set_day(ret, year, rest / 100, rest % 100);
	return no_form;
}

/* hh:mm, hh:mm:ss or hh:mm:ss.f; *ret_midnight where all of it is zero. */
static const char *read_time(struct slice t, bool *ret_midnight)
{
	int hour, minute, second = 0;
	bool fraction = false;

	if (t.n < 5 || t.p[2] != ':')
		return no_form;
	hour = number(t.p, 2);
	minute = number(t.p + 3, 2);
	if (t.n > 5) {
		if (t.n < 8 || t.p[5] != ':' || t.n == 9 || t.n > 32 || (t.n > 9 && t.p[8] != '.'))
			return no_form;
		second = number(t.p + 6, 2);
	}
	for (size_t i = 9; i < t.n; i++) {
		if (number(t.p + i, 1) < 0)
			return no_form;
		fraction = fraction || t.p[i] != '0';
	}
	if (hour < 0 || minute < 0 || second < 0)
		return no_form;
	if (hour > 23 || minute > 59 || second > 59)
		return no_time;
	*ret_midnight = !hour && !minute && !second && !fraction;
	return NULL;
}

static struct slice drop_zone(struct slice t)
{
	const char *zone;

	if (t.n > 4 && t.p[t.n - 1] == 'Z') {
		t.n--;
	} else if (t.n >= 10 && t.p[t.n - 3] == ':') {
		zone = t.p + t.n - 6;
		if ((*zone == '+' || *zone == '-') && number(zone + 1, 2) >= 0 && number(zone + 1, 2) <= 14 &&
			number(zone + 4, 2) >= 0 && number(zone + 4, 2) <= 59)
			t.n -= 6;
	}
	return t;
}

/* YYYY-MM-DD, alone or with a time of day: a day where that is midnight, else 'I'. */
static const char *read_date_time(struct slice t, int year, struct period *ret)
{
	int month = number(t.p + 5, 2), day = number(t.p + 8, 2);
	bool midnight = true;
	const char *why;

	if (t.p[4] != '-' || t.p[7] != '-' || month < 0 || day < 0)
		return no_form;
	if (t.n > 10) {
		if (t.p[10] != 'T' && t.p[10] != ' ')
			return no_form;
		why = read_time((struct slice){t.p + 11, t.n - 11}, &midnight);
		if (why)
			return why;
	}
	why = set_day(ret, year, month, day);
	if (!why && !midnight)
		*ret = (struct period){'I', 0};
	return why;
}

/* "April" or "Apr", any case; 0: none. */
static int month_of(struct slice t)
{
	for (int m = 0; m < 12; m++) {
		size_t i = 0, n = strlen(month_names[m]);

		while (i < t.n && i < n && (t.p[i] | 0x20) == month_names[m][i])
			i++;
		if (i == t.n && (i == 3 || i == n))
			return m + 1;
	}
	return 0;
}

/* "13 April 2026". */
static const char *read_words(struct slice t, struct period *ret)
{
	struct slice day = slice_cut(&t, ' '), month = slice_cut(&t, ' ');
	int d = day.n == 1 || day.n == 2 ? number(day.p, day.n) : -1;
	int m = month_of(month);
	int year = t.n == 4 ? number(t.p, 4) : -1;

	if (d < 0 || !m || year < 0)
		return no_form;
	return year ? set_day(ret, year, m, d) : no_year;
}

/* What stands before the year: "YR2010", "YTD:2010". */
static const char *read_prefixed(struct slice t, struct period *ret)
{
	size_t skip = slice_has_prefix(t, "YR") ? 2 : slice_has_prefix(t, "YTD:") ? 4 : 0;
	int year;

	if (!skip)
		return t.n > 2 && t.n < 20 && number(t.p, 1) >= 0 ? read_words(t, ret) : no_form;
	year = t.n == skip + 4 ? number(t.p + skip, 4) : -1;
	if (year < 0)
		return no_form;
	return year ? set_part(ret, 'A', year, 1) : no_year;
}

/* The period of "1960 [YR1960]", "2010Q1 [2010Q1]", the World Bank's DataBank; absent of another text. */
static struct slice in_databank(struct slice t)
{
	const char *at = t.p[t.n - 1] == ']' ? memchr(t.p, ' ', t.n) : NULL;
	const size_t n = at ? (size_t)(at - t.p) : 0, skip = n == 4 ? 5 : 3; /* " [", and of years "YR" */

	if (n < 4 || t.n != n + skip + n || memcmp(at, " [YR", skip - 1) != 0 || memcmp(at + skip - 1, t.p, n) != 0)
		return (struct slice){NULL, 0};
	return (struct slice){t.p, n};
}

/* All forms but ranges. */
static const char *read_single(struct slice t, char want, struct period *ret)
{
	int year = t.n >= 4 ? number(t.p, 4) : -1;
	struct slice databank;

	if (year < 0)
		return read_prefixed(t, ret);
	if (!year)
		return no_year;
	if (t.n == 4)
		return set_part(ret, 'A', year, 1);
	databank = in_databank(t);
	if (databank.n)
		t = databank;
	else if (t.n == 6 && memcmp(t.p + 4, ".0", 2) == 0) /* a number, as spreadsheets and data frames write it */
		t.n = 4;
	t = drop_zone(t);
	if (t.n == 4)
		return set_part(ret, 'A', year, 1);
	if (t.p[4] >= 'A' && t.p[4] <= 'Z')
		return read_reporting((struct slice){t.p + 4, t.n - 4}, year, ret);
	if (t.p[4] != '-')
		return read_compact(t, year, want, ret);
	if (t.n >= 10)
		return read_date_time(t, year, ret);
	if (t.n == 7 && number(t.p + 5, 2) >= 0)
		return set_part(ret, 'M', year, number(t.p + 5, 2));
	return read_reporting((struct slice){t.p + 5, t.n - 5}, year, ret);
}

/* One end of a range: a date or a dateTime. */
static const char *read_end(struct slice t, struct period *ret, int32_t *ret_day)
{
	struct slice bare = drop_zone(t);
	int year = bare.n >= 10 ? number(bare.p, 4) : -1;
	const char *why = year < 0 ? no_range : year ? read_date_time(bare, year, ret) : no_year;

	if (!why)
		*ret_day = days_of(year, number(bare.p + 5, 2), number(bare.p + 8, 2));
	return why;
}

/* PnYnMnWnDTnHnMnS, at least one part; each part once and in this order. */
static bool is_duration(struct slice t)
{
	static const char units[] = "YMWDTHMS";
	size_t unit = 0;
	bool part = false;

	if (t.n < 3 || t.n > 64 || t.p[0] != 'P')
		return false;
	for (size_t i = 1; i < t.n; i++) {
		size_t from = i;
		const char *found;

		while (i < t.n && number(t.p + i, 1) >= 0)
			i++;
		if (i == t.n || (i == from) != (t.p[i] == 'T'))
			return false;
		if (t.p[i] == 'T' && unit > 4)
			return false;
		found = memchr(units + unit, t.p[i], sizeof(units) - 1 - unit);
		if (!found || (t.p[i] != 'T' && unit <= 4 && found - units > 4))
			return false;
		unit = (size_t)(found - units) + 1;
		part = t.p[i] != 'T';
	}
	return part;
}

static const char *read_range(struct slice t, struct period *ret)
{
	struct slice from = slice_cut(&t, '/');
	struct period p = {0};
	int32_t first, last;
	const char *why = read_end(from, &p, &first);

	if (why)
		return why;
	if (!is_duration(t)) {
		why = read_end(t, &p, &last);
		if (why)
			return why;
		if (last < first)
			return "the range ends before it begins";
	}
	*ret = (struct period){'I', 0};
	return NULL;
}

static const char *read_text(struct slice t, char want, struct period *ret, bool *ret_range)
{
	*ret_range = t.n > 10 && memchr(t.p, '/', t.n) != NULL;
	if (t.n > TEXT_MAX)
		return no_form;
	return *ret_range ? read_range(t, ret) : read_single(t, want, ret);
}

/* A day that begins or ends a period of a series of longer ones stands for it, as spreadsheets date their months. */
static void widen(struct period *p, char want)
{
	const int parts = per_year(want), months = parts ? 12 / parts : 0;
	int64_t year;
	unsigned month, day;

	if (p->freq != 'D' || !parts)
		return;
	civil_from_days(p->value - DAYS_BEFORE_1970, &year, &month, &day);
	if ((day == 1 && (int)(month - 1) % months == 0) ||
		(day == days_in_month(year, month) && (int)month % months == 0))
		*p = (struct period){want, (int32_t)year * parts + (int)(month - 1) / months};
}

glane_rc period_parse(struct slice text, char want, struct period *ret, struct diag *d)
{
	struct period p = {0};
	bool range;
	const char *why = read_text(text, want, &p, &range);

	if (why)
		return fail(d, GLANE_E_DATA, "period '%.*s': %s", SLICE_FMT(text), why);
	if (want == 'B' && p.freq == 'D')
		p.freq = 'B';
	widen(&p, want);
	if (want && p.freq != want && !range)
		return fail(d, GLANE_E_DATA, "period '%.*s' is of frequency %c, its series of %c", SLICE_FMT(text),
			p.freq, want);
	*ret = p;
	return GLANE_OK;
}

/* v in n digits at p. */
static void put(char *p, int n, int v)
{
	while (n > 0) {
		p[--n] = (char)('0' + v % 10);
		v /= 10;
	}
}

bool period_years(struct slice text, char out[PERIOD_YEARS], struct slice *ret)
{
	const int first = text.n == 9 && text.p[4] == '-' ? number(text.p, 4) : -1;
	const int last = first > 0 ? number(text.p + 5, 4) : -1;
	const int years = last - first + 1;
	const int digits = years > 999 ? 4 : years > 99 ? 3 : years > 9 ? 2 : 1;

	if (first < 1 || last <= first)
		return false;
	memcpy(out, text.p, 4);
	memcpy(out + 4, "-01-01/P", 8);
	put(out + 12, digits, years);
	out[12 + digits] = 'Y';
	*ret = (struct slice){out, (size_t)(13 + digits)};
	return true;
}

bool period_freq_ok(char freq)
{
	return freq && memchr("ASTQMWDBI", freq, 9);
}

int32_t period_min(char freq)
{
	if (freq == 'W')
		return week_of(1, 1);
	return freq == 'D' || freq == 'B' ? days_of(1, 1, 1) : per_year(freq);
}

int32_t period_max(char freq)
{
	if (freq == 'W')
		return WEEK_MAX;
	if (freq == 'D' || freq == 'B')
		return DAY_MAX;
	return per_year(freq) ? per_year(freq) * (YEAR_MAX + 1) - 1 : -1;
}

static size_t print_day(char *p, int32_t value)
{
	int64_t year;
	unsigned month, day;

	civil_from_days(value - DAYS_BEFORE_1970, &year, &month, &day);
	put(p, 4, (int)year);
	p[4] = p[7] = '-';
	put(p + 5, 2, (int)month);
	put(p + 8, 2, (int)day);
	return 10;
}

/* A week belongs to the year of its Thursday. */
static size_t print_week(char *p, int32_t value)
{
	int32_t thursday = value * 7 + WEEK_0 + 3;
	int64_t year;
	unsigned month, day;

	civil_from_days(thursday - DAYS_BEFORE_1970, &year, &month, &day);
	put(p, 4, (int)year);
	p[4] = '-';
	p[5] = 'W';
	put(p + 6, 2, (thursday - days_of((int)year, 1, 1)) / 7 + 1);
	return 8;
}

static size_t print_part(char *p, char freq, int32_t value)
{
	int parts = per_year(freq);

	put(p, 4, value / parts);
	if (freq == 'A')
		return 4;
	p[4] = '-';
	if (freq == 'M') {
		put(p + 5, 2, value % parts + 1);
		return 7;
	}
	p[5] = freq;
	put(p + 6, 1, value % parts + 1);
	return 7;
}

void period_print(struct strbuf *b, char freq, int32_t value)
{
	char text[16];

	if (value < 0 || value > period_max(freq))
		return;
	if (freq == 'W')
		strbuf_add(b, text, print_week(text, value));
	else if (freq == 'D' || freq == 'B')
		strbuf_add(b, text, print_day(text, value));
	else
		strbuf_add(b, text, print_part(text, freq, value));
}

int64_t period_start(char freq, int32_t value)
{
	int parts = per_year(freq);

	if (freq == 'W')
		return (int64_t)value * 7 + WEEK_0 - DAYS_BEFORE_1970;
	if (!parts)
		return (int64_t)value - DAYS_BEFORE_1970;
	return days_from_civil(value / parts, (unsigned)(value % parts * (12 / parts) + 1), 1);
}

bool period_text_start(struct slice text, int64_t *ret_days)
{
	struct period p = {0};
	int32_t day;
	bool range;

	if (read_text(text, 0, &p, &range))
		return false;
	if (p.freq != 'I') {
		*ret_days = period_start(p.freq, p.value);
		return true;
	}
	day = days_of(number(text.p, 4), number(text.p + 5, 2), number(text.p + 8, 2));
	*ret_days = (int64_t)day - DAYS_BEFORE_1970;
	return true;
}

glane_rc period_header(struct slice cell, struct period *ret)
{
	struct slice t = slice_trim(cell);
	struct period p = {0};
	bool range;

	if (t.n == 5 && t.p[0] == 'F') {
		t.p++;
		t.n--;
	}
	if (read_text(t, 0, &p, &range) || p.freq == 'I')
		return GLANE_E_DATA;
	*ret = p;
	return GLANE_OK;
}
