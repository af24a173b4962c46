/* SPDX-License-Identifier: MIT */
/* Time without locale and time zone: the proleptic Gregorian calendar by arithmetic. */
#include "base/clock.h"
#include <time.h>

#define DAY INT64_C(86400)

int64_t clock_utc(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

int64_t clock_mono_ms(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* https://howardhinnant.github.io/date_algorithms.html: eras of 400 years, years that begin in March. */
int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (int64_t)(m > 2 ? m - 3 : m + 9) + 2) / 5 + (int64_t)d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

void civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

unsigned days_in_month(int64_t y, unsigned m)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (m < 1 || m > 12)
		return 0;
	if (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))
		return 29;
	return days[m - 1];
}

/* The last `width` decimal digits of v. */
static char *put_digits(char *to, int64_t v, int width)
{
	for (int i = width - 1; i >= 0; i--, v /= 10)
		to[i] = (char)('0' + v % 10);
	return to + width;
}

void time_format(int64_t t, char buf[32])
{
	int64_t min = days_from_civil(0, 1, 1) * DAY, max = days_from_civil(10000, 1, 1) * DAY - 1;
	int64_t days, seconds, y;
	unsigned m, d;
	char *p = buf;

	t = t < min ? min : t > max ? max : t;
	days = (t >= 0 ? t : t - (DAY - 1)) / DAY;
	seconds = t - days * DAY;
	civil_from_days(days, &y, &m, &d);
	p = put_digits(p, y, 4);
	*p++ = '-';
	p = put_digits(p, m, 2);
	*p++ = '-';
	p = put_digits(p, d, 2);
	*p++ = 'T';
	p = put_digits(p, seconds / 3600, 2);
	*p++ = ':';
	p = put_digits(p, seconds / 60 % 60, 2);
	*p++ = ':';
	p = put_digits(p, seconds % 60, 2);
	*p++ = 'Z';
	*p = '\0';
}

/* Takes exactly `width` digits off s. */
static bool digits(struct slice *s, size_t width, int64_t *ret)
{
	struct slice head = {s->p, width};

	if (s->n < width || s->p[0] == '-' || !slice_int(head, 0, INT64_MAX, ret))
		return false;
	s->p += width;
	s->n -= width;
	return true;
}

static bool letter(struct slice *s, const char *any)
{
	if (s->n == 0 || !s->p[0] || !strchr(any, s->p[0]))
		return false;
	s->p++;
	s->n--;
	return true;
}

struct civil {
	int64_t y, m, d, hour, min, sec;
};

static bool civil_seconds(const struct civil *c, int64_t *ret)
{
	if (c->m < 1 || c->m > 12 || c->d < 1 || c->d > days_in_month(c->y, (unsigned)c->m))
		return false;
	if (c->hour > 23 || c->min > 59 || c->sec > 60)
		return false;
	*ret = days_from_civil(c->y, (unsigned)c->m, (unsigned)c->d) * DAY + c->hour * 3600 + c->min * 60 + c->sec;
	return true;
}

/* "08:49:37" */
static bool clock_time(struct slice *s, struct civil *c)
{
	return digits(s, 2, &c->hour) && letter(s, ":") && digits(s, 2, &c->min) && letter(s, ":") &&
	       digits(s, 2, &c->sec);
}

/* Z or +hh:mm; nothing may follow. */
static bool zone(struct slice s, int64_t *ret_offset)
{
	bool west = s.n && s.p[0] == '-';
	int64_t hours, minutes;

	if (letter(&s, "Zz")) {
		*ret_offset = 0;
		return s.n == 0;
	}
	if (!letter(&s, "+-") || !digits(&s, 2, &hours) || !letter(&s, ":") || !digits(&s, 2, &minutes) || s.n)
		return false;
	if (hours > 23 || minutes > 59)
		return false;
	*ret_offset = (hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

bool time_parse(struct slice s, int64_t *ret)
{
	struct civil c = {0};
	int64_t t, offset = 0, ignored;

	if (!digits(&s, 4, &c.y) || !letter(&s, "-") || !digits(&s, 2, &c.m) || !letter(&s, "-") ||
		!digits(&s, 2, &c.d))
		return false;
	if (s.n) {
		if (!letter(&s, "Tt ") || !clock_time(&s, &c))
			return false;
		if (letter(&s, ".") && !digits(&s, 1, &ignored))
			return false;
		while (s.n && s.p[0] >= '0' && s.p[0] <= '9')
			(void)digits(&s, 1, &ignored);
		if (!zone(s, &offset))
			return false;
	}
	if (!civil_seconds(&c, &t))
		return false;
	*ret = t - offset;
	return true;
}

static bool word(struct slice *s, const char *w)
{
	if (!slice_has_prefix(*s, w))
		return false;
	s->p += strlen(w);
	s->n -= strlen(w);
	return true;
}

static bool month_name(struct slice *s, int64_t *ret)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (size_t m = 0; m < 12; m++) {
		if (s->n >= 3 && memcmp(s->p, names + m * 3, 3) == 0) {
			s->p += 3;
			s->n -= 3;
			*ret = (int64_t)m + 1;
			return true;
		}
	}
	return false;
}

/* The weekday is redundant: its form is checked, not whether it fits the date. */
static bool weekday(struct slice *s, bool *ret_long)
{
	static const char *const names[] = {
		"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (word(s, names[i])) {
			*ret_long = true;
			return true;
		}
		if (s->n >= 3 && memcmp(s->p, names[i], 3) == 0) {
			s->p += 3;
			s->n -= 3;
			*ret_long = false;
			return true;
		}
	}
	return false;
}

/* RFC 9110 5.6.7: two digits that look more than 50 years ahead mean the past century. */
static int64_t full_year(int64_t two_digits)
{
	int64_t now, y;
	unsigned m, d;

	civil_from_days(clock_utc() / DAY, &now, &m, &d);
	y = now - now % 100 + two_digits;
	return y > now + 50 ? y - 100 : y;
}

/* "Nov  6 08:49:37 1994" */
static bool asctime_rest(struct slice s, struct civil *c)
{
	return month_name(&s, &c->m) && letter(&s, " ") &&
	       ((letter(&s, " ") && digits(&s, 1, &c->d)) || digits(&s, 2, &c->d)) && letter(&s, " ") &&
	       clock_time(&s, c) && letter(&s, " ") && digits(&s, 4, &c->y) && s.n == 0;
}

/* "06 Nov 1994 08:49:37 GMT", "06-Nov-94 08:49:37 GMT" */
static bool date_rest(struct slice s, bool rfc850, struct civil *c)
{
	const char *sep = rfc850 ? "-" : " ";

	if (!digits(&s, 2, &c->d) || !letter(&s, sep) || !month_name(&s, &c->m) || !letter(&s, sep) ||
		!digits(&s, rfc850 ? 2 : 4, &c->y))
		return false;
	if (rfc850)
		c->y = full_year(c->y);
	return letter(&s, " ") && clock_time(&s, c) && word(&s, " GMT") && s.n == 0;
}

bool time_parse_http(struct slice s, int64_t *ret)
{
	struct civil c = {0};
	bool rfc850;

	if (!weekday(&s, &rfc850))
		return false;
	if (word(&s, ", "))
		return date_rest(s, rfc850, &c) && civil_seconds(&c, ret);
	return !rfc850 && letter(&s, " ") && asctime_rest(s, &c) && civil_seconds(&c, ret);
}

/* A whole number before its unit, the last byte of s. */
static bool scaled(struct slice s, int64_t factor, int64_t *ret)
{
	int64_t v, r;

	if (!slice_int(s, 0, INT64_MAX, &v) || s.p[0] == '-' || __builtin_mul_overflow(v, factor, &r))
		return false;
	*ret = r;
	return true;
}

bool duration_parse(struct slice s, bool weeks, int64_t *ret_seconds)
{
	int64_t factor;

	if (s.n < 2)
		return false;
	switch (s.p[s.n - 1]) {
	case 's':
		factor = 1;
		break;
	case 'm':
		factor = weeks ? 30 * DAY : 60;
		break;
	case 'h':
		factor = 3600;
		break;
	case 'd':
		factor = DAY;
		break;
	case 'w':
		if (!weeks)
			return false;
		factor = 7 * DAY;
		break;
	default:
		return false;
	}
	return scaled((struct slice){s.p, s.n - 1}, factor, ret_seconds);
}

bool size_parse(struct slice s, int64_t *ret_bytes)
{
	static const char units[] = "kMG";
	const char *unit = s.n && s.p[s.n - 1] ? strchr(units, s.p[s.n - 1]) : NULL;

	if (!unit)
		return scaled(s, 1, ret_bytes);
	return scaled((struct slice){s.p, s.n - 1}, INT64_C(1) << (10 * (unit - units + 1)), ret_bytes);
}
