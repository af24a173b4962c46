/* SPDX-License-Identifier: MIT */
/* Exact decimals: one short pass over plain numbers, a second look at exponents, long and odd forms. */
#include "model/decimal.h"
#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EXP10_MAX 127
#define EXACT_POW10 22 /* 10^22 is the largest power of ten that a double holds exactly */
#define EXACT_COEF (INT64_C(1) << 53)
#define SAFE_DIGITS 15   /* so many significant digits survive every double (DBL_DIG) */
#define PLAIN_MAX 160    /* sign, 20 digits, point, EXP10_MAX zeros or places */
#define ROUND_DIGITS 800 /* 767 digits decide the rounding of any double; one more says "and something" */
#define EXP_CAP INT64_C(1000000000000000)

static const uint64_t pow10_u64[20] = {UINT64_C(1), UINT64_C(10), UINT64_C(100), UINT64_C(1000), UINT64_C(10000),
	UINT64_C(100000), UINT64_C(1000000), UINT64_C(10000000), UINT64_C(100000000), UINT64_C(1000000000),
	UINT64_C(10000000000), UINT64_C(100000000000), UINT64_C(1000000000000), UINT64_C(10000000000000),
	UINT64_C(100000000000000), UINT64_C(1000000000000000), UINT64_C(10000000000000000),
	UINT64_C(100000000000000000), UINT64_C(1000000000000000000), UINT64_C(10000000000000000000)};

struct number {                   /* a number's text taken apart; its value is the digits * 10^exp */
	struct slice whole, frac; /* digits before and after the point */
	int64_t exp;
	size_t lead; /* leading zeros among the digits of both */
	size_t sig;  /* digits behind them; 0: the number is zero */
	bool negative;
	bool plain; /* written as decimal_print() writes, as far as signs, points and leading zeros go */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct slice digits(const char **p, const char *end)
{
	const char *from = *p;

	while (*p < end && is_digit(**p))
		(*p)++;
	return (struct slice){from, (size_t)(*p - from)};
}

/* The exponent part at *p, if there is one; false: an 'e' without digits. */
static bool exponent(const char **p, const char *end, int64_t *ret)
{
	struct slice run;
	int64_t e = 0;
	bool minus;

	if (*p == end || (**p != 'e' && **p != 'E')) {
		*ret = 0;
		return true;
	}
	(*p)++;
	minus = *p < end && **p == '-';
	if (*p < end && (**p == '-' || **p == '+'))
		(*p)++;
	run = digits(p, end);
	for (size_t i = 0; i < run.n && e < EXP_CAP; i++)
		e = e * 10 + (run.p[i] - '0');
	*ret = minus ? -e : e;
	return run.n > 0;
}

static char digit_at(const struct number *n, size_t i)
{
	return i < n->whole.n ? n->whole.p[i] : n->frac.p[i - n->whole.n];
}

static bool scan(struct slice text, struct number *ret)
{
	struct number n = {.plain = true};
	const char *p = text.p;
	const char *end;
	const char *after;
	bool point;
	size_t all;

	if (!text.n)
		return false;
	end = p + text.n;
	n.negative = *p == '-';
	if (*p == '-' || *p == '+')
		n.plain = *p++ == '-';
	n.whole = digits(&p, end);
	point = p < end && *p == '.';
	if (point)
		p++;
	n.frac = point ? digits(&p, end) : (struct slice){p, 0};
	after = p;
	all = n.whole.n + n.frac.n;
	if (!all || !exponent(&p, end, &n.exp) || p != end)
		return false;
	n.exp -= (int64_t)n.frac.n;
	while (n.lead < all && digit_at(&n, n.lead) == '0')
		n.lead++;
	n.sig = all - n.lead;
	n.plain = n.plain && after == end && n.whole.n && (n.whole.n == 1 || n.whole.p[0] != '0') &&
		  point == (n.frac.n > 0) && !(n.negative && !n.sig);
	*ret = n;
	return true;
}

static uint64_t leading_digits(const struct number *n, size_t take)
{
	uint64_t v = 0;

	for (size_t i = 0; i < take; i++)
		v = v * 10 + (uint64_t)(digit_at(n, n->lead + i) - '0');
	return v;
}

static enum decimal_kind classify(const struct number *n, struct decimal *ret)
{
	size_t take = n->sig < DECIMAL_MAX_DIGITS ? n->sig : DECIMAL_MAX_DIGITS;
	uint64_t v = leading_digits(n, take);
	int64_t top = n->exp + (int64_t)n->sig - 1; /* power of ten of the first digit */
	int64_t exp10 = n->exp + (int64_t)(n->sig - take);

	if (!n->sig) { /* 0e9 and 0e-999 are plain 0; 0.00 keeps its places */
		int kept = n->exp < 0 && n->exp >= -EXP10_MAX ? (int)n->exp : 0;

		*ret = (struct decimal){0, kept, n->plain && kept == n->exp};
		return DECIMAL_OK;
	}
	if (top < -DECIMAL_MAX_EXP || top > DECIMAL_MAX_EXP || (top == DECIMAL_MAX_EXP && v != pow10_u64[take - 1]))
		return DECIMAL_RANGE;
	if (exp10 < -EXP10_MAX || exp10 > EXP10_MAX)
		return DECIMAL_LONG;
	*ret = (struct decimal){n->negative ? -(int64_t)v : (int64_t)v, (int)exp10, n->plain && n->sig == take};
	return n->sig == take ? DECIMAL_OK : DECIMAL_LONG;
}

static enum decimal_kind parse_any(struct slice text, struct decimal *ret)
{
	struct number n;

	*ret = (struct decimal){0, DECIMAL_NONE, false};
	return scan(text, &n) ? classify(&n, ret) : DECIMAL_TEXT;
}

enum decimal_kind decimal_parse(struct slice text, struct decimal *ret)
{
	const char *p = text.p;
	const char *end;
	const char *first;
	uint64_t v = 0;
	size_t whole, places = 0;
	bool negative;

	if (!text.n || text.n > DECIMAL_MAX_DIGITS + 2)
		return parse_any(text, ret);
	end = p + text.n;
	negative = *p == '-';
	p += negative;
	first = p;
	for (; p < end && is_digit(*p); p++)
		v = v * 10 + (uint64_t)(*p - '0');
	whole = (size_t)(p - first);
	if (p < end && *p == '.') {
		const char *point = p++;

		for (; p < end && is_digit(*p); p++)
			v = v * 10 + (uint64_t)(*p - '0');
		places = (size_t)(p - point - 1);
		if (!places)
			return parse_any(text, ret);
	}
	if (p != end || !whole || whole + places > DECIMAL_MAX_DIGITS || (*first == '0' && whole > 1) ||
		(negative && !v))
		return parse_any(text, ret);
	*ret = (struct decimal){negative ? -(int64_t)v : (int64_t)v, -(int)places, true};
	return DECIMAL_OK;
}

static uint64_t magnitude(int64_t coef)
{
	return coef < 0 ? 0 - (uint64_t)coef : (uint64_t)coef;
}

static int count_digits(uint64_t v)
{
	int n = 1;

	while (n < 20 && v >= pow10_u64[n])
		n++;
	return n;
}

int decimal_places_of(int exp10)
{
	return exp10 < 0 && exp10 != DECIMAL_NONE ? -exp10 : 0;
}

/* The last n digits of *v, which it loses, in front of `end`: two for each division. */
static size_t put_digits_before(char *end, uint64_t *v, size_t n)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
				    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	size_t left = n;

	for (; left >= 2; left -= 2, *v /= 100)
		memcpy(end -= 2, pairs + 2 * (*v % 100), 2);
	if (left) {
		*--end = (char)('0' + *v % 10);
		*v /= 10;
	}
	return n;
}

/* Plain notation at the end of buf; exp10 is within -127..127. */
static struct slice plain(char buf[PLAIN_MAX], int64_t coef, int exp10)
{
	size_t at = PLAIN_MAX;
	uint64_t v = magnitude(coef);

	if (exp10 > 0 && v) {
		at -= (size_t)exp10;
		memset(buf + at, '0', (size_t)exp10);
	}
	at -= put_digits_before(buf + at, &v, (size_t)decimal_places_of(exp10));
	if (exp10 < 0)
		buf[--at] = '.';
	do
		at -= put_digits_before(buf + at, &v, v < 10 ? 1 : 2);
	while (v);
	if (coef < 0)
		buf[--at] = '-';
	return (struct slice){buf + at, PLAIN_MAX - at};
}

void decimal_print(struct strbuf *b, int64_t coef, int exp10)
{
	char buf[PLAIN_MAX];

	if (exp10 >= -EXP10_MAX && exp10 <= EXP10_MAX)
		strbuf_slice(b, plain(buf, coef, exp10));
}

/* Significant digits [from, to) of n. */
static void put_digits(struct strbuf *b, const struct number *n, size_t from, size_t to)
{
	size_t split = n->whole.n;
	size_t i = n->lead + from, end = n->lead + to;

	if (i < split) {
		size_t stop = end < split ? end : split;

		strbuf_add(b, n->whole.p + i, stop - i);
		i = stop;
	}
	if (i < end)
		strbuf_add(b, n->frac.p + (i - split), end - i);
}

static void put_zeros(struct strbuf *b, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		strbuf_putc(b, '0');
}

/* A number whose first digit is within 10^-308..10^308, as DECIMAL_LONG says. */
static void expand_long(struct strbuf *b, const struct number *n)
{
	int64_t point = (int64_t)n->sig + n->exp; /* digits before the point */
	size_t whole = point <= 0 ? 0 : (uint64_t)point < n->sig ? (size_t)point : n->sig;

	if (n->negative)
		strbuf_putc(b, '-');
	if (!whole)
		strbuf_putc(b, '0');
	put_digits(b, n, 0, whole);
	put_zeros(b, point - (int64_t)n->sig);
	if (n->exp >= 0)
		return;
	strbuf_putc(b, '.');
	put_zeros(b, -point);
	put_digits(b, n, whole, n->sig);
}

void decimal_expand(struct strbuf *b, struct slice text)
{
	struct decimal dec;
	struct number n;
	enum decimal_kind kind = decimal_parse(text, &dec);

	if (kind == DECIMAL_OK)
		decimal_print(b, dec.coef, dec.exp10);
	else if (kind == DECIMAL_LONG && scan(text, &n))
		expand_long(b, &n);
}

int decimal_places(struct slice text)
{
	struct decimal dec;
	struct number n;
	enum decimal_kind kind = decimal_parse(text, &dec);

	if (kind == DECIMAL_OK)
		return decimal_places_of(dec.exp10);
	if (kind != DECIMAL_LONG || !scan(text, &n) || n.exp >= 0)
		return 0;
	return n.exp < -INT32_MAX ? INT32_MAX : (int)-n.exp;
}

/* Order of the magnitudes. */
static int cmp_magnitude(uint64_t a, int a_exp10, uint64_t b, int b_exp10)
{
	int a_digits = count_digits(a), b_digits = count_digits(b);
	int64_t a_top = (int64_t)a_digits + a_exp10, b_top = (int64_t)b_digits + b_exp10;

	if (!a || !b || a_top != b_top)
		return a && b ? (a_top > b_top) - (a_top < b_top) : (a != 0) - (b != 0);
	if (a_digits < b_digits)
		a *= pow10_u64[b_digits - a_digits];
	else
		b *= pow10_u64[a_digits - b_digits];
	return (a > b) - (a < b);
}

int decimal_cmp(int64_t a_coef, int a_exp10, int64_t b_coef, int b_exp10)
{
	int a_sign = (a_coef > 0) - (a_coef < 0), b_sign = (b_coef > 0) - (b_coef < 0);

	if (a_sign != b_sign)
		return a_sign > b_sign ? 1 : -1;
	return a_sign * cmp_magnitude(magnitude(a_coef), a_exp10, magnitude(b_coef), b_exp10);
}

/* The plain conversion reads the decimal point of the process's locale. We never change that from "C", but a plugin's
 * library might, so the locale is named here. glibc and musl hand out a static object for it, which cannot fail. */
static double to_double(const char *text)
{
	static locale_t c_locale;

	if (!c_locale)
		c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c_locale)
		abort();
	return strtod_l(text, NULL, c_locale);
}

double decimal_double(int64_t coef, int exp10)
{
	static const double pow10_exact[EXACT_POW10 + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
		1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	char buf[40];

	/* Clinger's fast path: both operands are exact, so one operation rounds once. */
	if (FLT_EVAL_METHOD == 0 && coef > -EXACT_COEF && coef < EXACT_COEF && exp10 >= -EXACT_POW10 &&
		exp10 <= EXACT_POW10) {
		double v = (double)coef;

		return exp10 < 0 ? v / pow10_exact[-exp10] : v * pow10_exact[exp10];
	}
	snprintf(buf, sizeof(buf), "%" PRId64 "e%d", coef, exp10);
	return to_double(buf);
}

static double long_double_text(const struct number *n)
{
	char buf[ROUND_DIGITS + 40];
	size_t take = n->sig < ROUND_DIGITS ? n->sig : ROUND_DIGITS;
	size_t at = 0;
	int64_t exp = n->exp + (int64_t)(n->sig - take);

	if (n->negative)
		buf[at++] = '-';
	for (size_t i = 0; i < take; i++)
		buf[at++] = digit_at(n, n->lead + i);
	for (size_t i = take; i < n->sig; i++) {
		if (digit_at(n, n->lead + i) == '0')
			continue;
		buf[at++] = '1'; /* stands for all the rest */
		exp--;
		break;
	}
	snprintf(buf + at, sizeof(buf) - at, "e%" PRId64, exp);
	return to_double(buf);
}

double decimal_text_double(struct slice text)
{
	struct decimal dec;
	struct number n;
	enum decimal_kind kind = decimal_parse(text, &dec);

	if (kind == DECIMAL_OK)
		return decimal_double(dec.coef, dec.exp10);
	return kind == DECIMAL_LONG && scan(text, &n) ? long_double_text(&n) : (double)NAN;
}

bool decimal_survives_double(int64_t coef, int exp10)
{
	char want[PLAIN_MAX];
	char got[2 * PLAIN_MAX];
	struct slice text;
	int n;

	if (exp10 < -EXP10_MAX || exp10 > EXP10_MAX)
		return false;
	if (!coef || count_digits(magnitude(coef)) + (exp10 > 0 ? exp10 : 0) <= SAFE_DIGITS)
		return true;
	text = plain(want, coef, exp10);
	/* printf's point is the locale's: "C", which we never change. Another would keep a text without need, no more. */
	n = snprintf(got, sizeof(got), "%.*f", decimal_places_of(exp10), decimal_double(coef, exp10));
	return n > 0 && slice_eq(text, (struct slice){got, (size_t)n});
}

/* Bytes of the group character at p, or 0. A blank stands for the no-break blanks too. */
static size_t group_at(const char *p, const char *end, char group)
{
	size_t n = (size_t)(end - p);

	if (!group || !n)
		return 0;
	if (*p == group)
		return 1;
	if (group == ' ' && n >= 2 && memcmp(p, "\xc2\xa0", 2) == 0)
		return 2;
	return group == ' ' && n >= 3 && memcmp(p, "\xe2\x80\xaf", 3) == 0 ? 3 : 0;
}

/*
 * Digits in threes from *p on, copied to b without the group characters; false where they are grouped otherwise. None begin with 0:
 * "0.123" under group '.' is a fraction of another notation, no 123.
 */
static bool ungroup(const char **p, const char *end, char group, struct strbuf *b)
{
	const char *from = *p;
	struct slice run = digits(p, end);
	size_t first = run.n, step;

	strbuf_slice(b, run);
	while ((step = group_at(*p, end, group)) != 0) {
		*p += step;
		run = digits(p, end);
		if (first < 1 || first > 3 || *from == '0' || run.n != 3)
			return false;
		strbuf_slice(b, run);
	}
	return true;
}

bool decimal_localise(struct slice text, char mark, char group, struct strbuf *b)
{
	const char *p = text.p;
	const char *end;
	size_t start = b->n;
	struct number n;

	if (!text.n)
		return false;
	end = p + text.n;
	if (*p == '-' || *p == '+')
		strbuf_putc(b, *p++);
	if (ungroup(&p, end, group, b)) {
		if (p < end && *p == mark) {
			strbuf_putc(b, '.');
			p++;
			strbuf_slice(b, digits(&p, end));
		}
		if (p == end || *p == 'e' || *p == 'E') {
			strbuf_add(b, p, (size_t)(end - p));
			if (!strbuf_ok(b) || scan((struct slice){b->p + start, b->n - start}, &n))
				return true;
		}
	}
	if (strbuf_ok(b) && b->n > start) {
		b->n = start;
		b->p[start] = '\0';
	}
	return false;
}
