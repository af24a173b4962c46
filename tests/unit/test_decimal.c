/* SPDX-License-Identifier: MIT */
/* Exact decimals: tables of texts, and properties over every short text, every cut and many random numbers. */
#include "base/mem.h"
#include "model/decimal.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define DIGITS_18 "123456789012345678"
#define ZEROS_50 "00000000000000000000000000000000000000000000000000"
#define ZEROS_200 ZEROS_50 ZEROS_50 ZEROS_50 ZEROS_50
#define ZEROS_1000 ZEROS_200 ZEROS_200 ZEROS_200 ZEROS_200 ZEROS_200

struct parse_row {
	const char *text;
	enum decimal_kind kind;
	int64_t coef;
	int exp10;
	bool canonical;
};
static const struct parse_row parse_rows[] = {
	/* plain */
	{"0", DECIMAL_OK, 0, 0, true},
	{"7", DECIMAL_OK, 7, 0, true},
	{"-7", DECIMAL_OK, -7, 0, true},
	{"123456", DECIMAL_OK, 123456, 0, true},
	{"1.5", DECIMAL_OK, 15, -1, true},
	{"1.50", DECIMAL_OK, 150, -2, true},
	{"-0.50", DECIMAL_OK, -50, -2, true},
	{"0.00", DECIMAL_OK, 0, -2, true},
	{"0.001", DECIMAL_OK, 1, -3, true},
	{"100", DECIMAL_OK, 100, 0, true},
	{DIGITS_18, DECIMAL_OK, INT64_C(123456789012345678), 0, true},
	{"-" DIGITS_18, DECIMAL_OK, -INT64_C(123456789012345678), 0, true},
	{"999999999999999999", DECIMAL_OK, INT64_C(999999999999999999), 0, true},
	{"-9.99999999999999999", DECIMAL_OK, -INT64_C(999999999999999999), -17, true},
	{"0.100000000000000000", DECIMAL_OK, INT64_C(100000000000000000), -18, true},
	{"0.0000000000000000000012", DECIMAL_OK, 12, -22, true},
	{"0." ZEROS_50 "00000000000000000000", DECIMAL_OK, 0, -70, true},
	/* other forms of an exact number: the text is to be kept */
	{"-0", DECIMAL_OK, 0, 0, false},
	{"-0.0", DECIMAL_OK, 0, -1, false},
	{"+5", DECIMAL_OK, 5, 0, false},
	{"5.", DECIMAL_OK, 5, 0, false},
	{".5", DECIMAL_OK, 5, -1, false},
	{"-.5", DECIMAL_OK, -5, -1, false},
	{"007", DECIMAL_OK, 7, 0, false},
	{"00", DECIMAL_OK, 0, 0, false},
	{"-01.5", DECIMAL_OK, -15, -1, false},
	{"1e5", DECIMAL_OK, 1, 5, false},
	{"1E5", DECIMAL_OK, 1, 5, false},
	{"1e+5", DECIMAL_OK, 1, 5, false},
	{"1e-5", DECIMAL_OK, 1, -5, false},
	{"1.50e1", DECIMAL_OK, 150, -1, false},
	{"5.e2", DECIMAL_OK, 5, 2, false},
	{"1e0", DECIMAL_OK, 1, 0, false},
	{"6.36306e+008", DECIMAL_OK, 636306, 3, false},
	{"-1.2E-0003", DECIMAL_OK, -12, -4, false},
	{"1e127", DECIMAL_OK, 1, 127, false},
	{"1e-127", DECIMAL_OK, 1, -127, false},
	{"0e5", DECIMAL_OK, 0, 0, false},
	{"0e-5", DECIMAL_OK, 0, -5, false},
	{"0e999", DECIMAL_OK, 0, 0, false},
	{"0e-999", DECIMAL_OK, 0, 0, false},
	{"0.00e-99999999999999999999", DECIMAL_OK, 0, 0, false},
	{"0." ZEROS_200, DECIMAL_OK, 0, 0, false},
	{ZEROS_200 "7", DECIMAL_OK, 7, 0, false},
	{"0." ZEROS_1000 "1e1001", DECIMAL_OK, 1, 0, false},
	/* more than 18 significant digits */
	{DIGITS_18 "9", DECIMAL_LONG, INT64_C(123456789012345678), 1, false},
	{"-" DIGITS_18 ".9", DECIMAL_LONG, -INT64_C(123456789012345678), 0, false},
	{"1000000000000000000", DECIMAL_LONG, INT64_C(100000000000000000), 1, false},
	{"1.000000000000000000", DECIMAL_LONG, INT64_C(100000000000000000), -17, false},
	{"0.1234567890123456789", DECIMAL_LONG, INT64_C(123456789012345678), -18, false},
	{"9999999999999999999999", DECIMAL_LONG, INT64_C(999999999999999999), 4, false},
	{"1." ZEROS_1000, DECIMAL_LONG, INT64_C(100000000000000000), -17, false},
	/* a power of ten that exp10 does not hold */
	{"1e128", DECIMAL_LONG, 0, DECIMAL_NONE, false},
	{"-1e-128", DECIMAL_LONG, 0, DECIMAL_NONE, false},
	{"1e308", DECIMAL_LONG, 0, DECIMAL_NONE, false},
	{"1e-308", DECIMAL_LONG, 0, DECIMAL_NONE, false},
	{"1" ZEROS_200, DECIMAL_LONG, 0, DECIMAL_NONE, false},
	/* out of range */
	{"1e309", DECIMAL_RANGE, 0, DECIMAL_NONE, false},
	{"-1e999", DECIMAL_RANGE, 0, DECIMAL_NONE, false},
	{"1e-999", DECIMAL_RANGE, 0, DECIMAL_NONE, false},
	{"9e-309", DECIMAL_RANGE, 0, DECIMAL_NONE, false},
	{"1.0001e308", DECIMAL_RANGE, 0, DECIMAL_NONE, false},
	{"179769e303", DECIMAL_RANGE, 0, DECIMAL_NONE, false},
	{"1e99999999999999999999", DECIMAL_RANGE, 0, DECIMAL_NONE, false},
	{"1e-99999999999999999999", DECIMAL_RANGE, 0, DECIMAL_NONE, false},
	{"1" ZEROS_1000, DECIMAL_RANGE, 0, DECIMAL_NONE, false},
	{"0." ZEROS_1000 "1", DECIMAL_RANGE, 0, DECIMAL_NONE, false},
	/* no numbers */
	{"", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"NaN", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"nan", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"inf", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"-Infinity", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"1,234", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"1 234", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{" 5", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"5 ", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"5\n", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"0x10", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"1e", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"1e+", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"1e5.0", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"1e 5", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"e5", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{".", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{".e5", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"-", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"+", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"--5", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"+-5", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"1.2.3", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"1d5", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"<0.1", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"12%", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"\xe2\x88\x92"
	 "5",
		DECIMAL_TEXT, 0, DECIMAL_NONE, false},
	{"\xd9\xa1", DECIMAL_TEXT, 0, DECIMAL_NONE, false},
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_rows) / sizeof(*parse_rows); i++) {
		const struct parse_row *r = &parse_rows[i];
		struct decimal dec = {99, 99, true};
		enum decimal_kind kind = decimal_parse(slice_of(r->text), &dec);

		if (kind != r->kind || dec.coef != r->coef || dec.exp10 != r->exp10 || dec.canonical != r->canonical)
			fail_msg("'%s': kind %d coef %lld exp10 %d canonical %d", r->text, (int)kind,
				(long long)dec.coef, dec.exp10, dec.canonical);
	}
}

static void test_parse_absent(void **state)
{
	struct decimal dec;

	(void)state;
	assert_int_equal(decimal_parse((struct slice){NULL, 0}, &dec), DECIMAL_TEXT);
	assert_int_equal(dec.exp10, DECIMAL_NONE);
	/* A NUL inside is no end. */
	assert_int_equal(decimal_parse((struct slice){"5\0", 2}, &dec), DECIMAL_TEXT);
}

static void test_print(void **state)
{
	static const struct {
		int64_t coef;
		int exp10;
		const char *text;
	} rows[] = {
		{0, 0, "0"},
		{0, -2, "0.00"},
		{0, 5, "0"},
		{5, 0, "5"},
		{-5, 3, "-5000"},
		{-50, -2, "-0.50"},
		{150, -2, "1.50"},
		{1, -5, "0.00001"},
		{636306, 3, "636306000"},
		{12, -1, "1.2"},
		{5, DECIMAL_NONE, ""},
		{5, 128, ""},
		{INT64_MAX, 0, "9223372036854775807"},
		{INT64_MIN, -19, "-0.9223372036854775808"},
		{-7, -50,
			"-0.0000000000000000000000000000000000000000000000000"
			"7"},
	};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		strbuf_reset(&b);
		strbuf_putc(&b, '=');
		decimal_print(&b, rows[i].coef, rows[i].exp10);
		assert_string_equal(b.p + 1, rows[i].text);
	}
	strbuf_release(&b);
}

struct expand_row {
	const char *text, *plain;
	int places;
};
static const struct expand_row expand_rows[] = {
	{"5", "5", 0},
	{"-0", "0", 0},
	{"1.50", "1.50", 2},
	{"5e3", "5000", 0},
	{"5e-3", "0.005", 3},
	{"1.5e1", "15", 0},
	{"+.5", "0.5", 1},
	{"007.10", "7.10", 2},
	{"0e-999", "0", 0},
	{"6.36306e+008", "636306000", 0},
	{"0012345678901234567890.120", "12345678901234567890.120", 3},
	{"-12345678901234567890e-10", "-1234567890.1234567890", 10},
	{"-1234567890.1234567890e12", "-1234567890123456789000", 0},
	{"-1234567890.1234567890e2", "-123456789012.34567890", 8},
	{"12345678901234567890e-25", "0.0000012345678901234567890", 25},
	{"12345678901234567890e-20", "0.12345678901234567890", 20},
	{"1.2345678901234567890E22", "12345678901234567890000", 0},
	{".012345678901234567890", "0.012345678901234567890", 21},
	{"1e200", "1" ZEROS_200, 0},
	{"7e-201", "0." ZEROS_200 "7", 201},
	{"1." ZEROS_1000, "1." ZEROS_1000, 1000},
	{"abc", "", 0},
	{"1e-999", "", 0},
};

static void test_expand(void **state)
{
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(expand_rows) / sizeof(*expand_rows); i++) {
		const struct expand_row *r = &expand_rows[i];

		strbuf_reset(&b);
		strbuf_putc(&b, '=');
		decimal_expand(&b, slice_of(r->text));
		assert_string_equal(b.p + 1, r->plain);
		assert_int_equal(decimal_places(slice_of(r->text)), r->places);
	}
	strbuf_release(&b);
	assert_int_equal(decimal_places_of(3), 0);
	assert_int_equal(decimal_places_of(-3), 3);
	assert_int_equal(decimal_places_of(DECIMAL_NONE), 0);
}

static void test_cmp(void **state)
{
	static const char *const sorted[] = {"-1e127", "-999999999999999999", "-100", "-99.5", "-1.5", "-1e-127", "0",
		"1e-127", "0.09", "0.1", "1.4999", "1.5", "1.51", "99.5", "1e2", "101", "1e17", "100000000000000001",
		"999999999999999999", "1e18", "12e17", "1e19", "1e127"};
	size_t n = sizeof(sorted) / sizeof(*sorted);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			struct decimal a, b;

			assert_int_equal(decimal_parse(slice_of(sorted[i]), &a), DECIMAL_OK);
			assert_int_equal(decimal_parse(slice_of(sorted[j]), &b), DECIMAL_OK);
			assert_int_equal(decimal_cmp(a.coef, a.exp10, b.coef, b.exp10), (i > j) - (i < j));
		}
	}
	assert_int_equal(decimal_cmp(15, -1, 150, -2), 0);
	assert_int_equal(decimal_cmp(0, -2, 0, 0), 0);
	assert_int_equal(decimal_cmp(1, 17, INT64_C(100000000000000000), 0), 0);
	assert_int_equal(decimal_cmp(INT64_MIN, 0, INT64_MAX, 0), -1);
}

struct double_row {
	const char *text;
	double value;
};
static const struct double_row double_rows[] = {
	{"0", 0.0},
	{"0.1", 0.1},
	{"-0.3", -0.3},
	{"1e22", 1e22},
	{"1e23", 1e23},
	{"123456789012345678", 123456789012345678.0},
	{"0.12345678901234567", 0.12345678901234567},
	{"8.5e-44", 8.5e-44},
	{"9007199254740991", 9007199254740991.0},
	/* half way: to even, unless something follows, however far behind */
	{"9007199254740993", 9007199254740992.0},
	{"9007199254740995", 9007199254740996.0},
	{"9007199254740993.0000000000000000000000001", 9007199254740994.0},
	{"9007199254740993." ZEROS_1000, 9007199254740992.0},
	{"9007199254740993." ZEROS_1000 "1", 9007199254740994.0},
	{"-9007199254740993." ZEROS_1000 "1e0", -9007199254740994.0},
	{"1.00000000000000033306690738754696212708950042724609375", 0x1.0000000000002p0},
	{"1.00000000000000033306690738754696212708950042724609374", 0x1.0000000000001p0},
	{"1e308", 1e308},
	{"1e-308", 1e-308},
	{"2.2250738585072014e-308", 0x1p-1022},
	{"0." ZEROS_200 "00123", 1.23e-203},
};

static void test_double(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(double_rows) / sizeof(*double_rows); i++) {
		double got = decimal_text_double(slice_of(double_rows[i].text));

		if (got != double_rows[i].value)
			fail_msg("'%s' gave %a", double_rows[i].text, got);
	}
	assert_true(isnan(decimal_text_double(SLICE("abc"))));
	assert_true(isnan(decimal_text_double(SLICE("1e999"))));
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* The exact decimal expansion of a double, and its 17 digits, lead back to it. */
static void test_double_round_trip(void **state)
{
	uint64_t seed = 20240229;
	char text[1200];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		double v = ldexp((double)(next_random(&seed) >> 11), (int)(next_random(&seed) % 500) - 300);
		double got;

		snprintf(text, sizeof(text), i % 2 ? "%.17g" : "%.330f", i & 4 ? -v : v);
		got = decimal_text_double(slice_of(text));
		if (i % 2 && got != (i & 4 ? -v : v))
			fail_msg("%s gave %a", text, got);
		if (!(i % 2) && v > 1e-200 && got != (i & 4 ? -v : v))
			fail_msg("%s gave %a", text, got);
	}
}

/* Clinger's path and the slow one agree: 10^k * coef written out with more zeros takes the other. */
static void test_double_paths(void **state)
{
	uint64_t seed = 77;
	char text[80];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t coef = (int64_t)(next_random(&seed) >> (11 + next_random(&seed) % 40));
		int exp10 = (int)(next_random(&seed) % 45) - 22;
		double fast = decimal_double(coef, exp10);

		snprintf(text, sizeof(text), "%lld.00000000000000000000e%d", (long long)coef, exp10);
		if (fast != decimal_text_double(slice_of(text)))
			fail_msg("%lld e%d", (long long)coef, exp10);
	}
}

static void test_survives(void **state)
{
	static const struct {
		const char *text;
		bool yes;
	} rows[] = {
		{"0", true},
		{"0.00", true},
		{"0.1", true},
		{"1.50", true},
		{"-999999999999999", true},
		{"0.000123456789012345", true},
		{"9007199254740992", true},
		{"9007199254740993", false},
		{"12.345678901234567", true},
		{"0.12345678901234568", true},
		{"98.7654321098765432", false},
		{"999999999999999999", false},
		{"1e22", true},
		{"1e23", false},
		{"1e15", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct decimal dec;

		assert_int_equal(decimal_parse(slice_of(rows[i].text), &dec), DECIMAL_OK);
		if (decimal_survives_double(dec.coef, dec.exp10) != rows[i].yes)
			fail_msg("'%s'", rows[i].text);
	}
	assert_false(decimal_survives_double(5, DECIMAL_NONE));
}

/* The claim about 15 digits, held against printf. */
static void test_survives_random(void **state)
{
	uint64_t seed = 31337;
	struct strbuf b;
	char text[400];

	(void)state;
	strbuf_init(&b, 0);
	for (int i = 0; i < 20000; i++) {
		int64_t coef =
			(int64_t)(next_random(&seed) % UINT64_C(1000000000000000000)) >> (next_random(&seed) % 60);
		int exp10 = (int)(next_random(&seed) % 60) - 45;

		strbuf_reset(&b);
		decimal_print(&b, coef, exp10);
		snprintf(text, sizeof(text), "%.*f", decimal_places_of(exp10), decimal_double(coef, exp10));
		if (decimal_survives_double(coef, exp10) != slice_is(strbuf_get(&b), text))
			fail_msg("%lld e%d", (long long)coef, exp10);
	}
	strbuf_release(&b);
}

static void test_localise(void **state)
{
	static const struct {
		const char *text;
		char mark, group;
		const char *want; /* NULL: refused */
	} rows[] = {
		{"1.234,5", ',', '.', "1234.5"},
		{"-1.234.567,80", ',', '.', "-1234567.80"},
		{"12,5", ',', '.', "12.5"},
		{"1.234", ',', '.', "1234"},
		{"1234,5", ',', '.', "1234.5"},
		{",5", ',', '.', ".5"},
		{"5,", ',', '.', "5."},
		{"1,5e3", ',', '.', "1.5e3"},
		{"1,234,567.8", '.', ',', "1234567.8"},
		{"1 234,5", ',', ' ', "1234.5"},
		{"1\xc2\xa0"
		 "234,5",
			',', ' ', "1234.5"},
		{"1\xe2\x80\xaf"
		 "234\xc2\xa0"
		 "567",
			',', ' ', "1234567"},
		{"1'234.5", '.', '\'', "1234.5"},
		{"1.5", '.', 0, "1.5"},
		{"+1,5", ',', 0, "+1.5"},
		{"0.123", ',', '.', NULL},
		{"00.123", ',', '.', NULL},
		{"012.345", ',', '.', NULL},
		{"-0,123", '.', ',', NULL},
		{"0,123", ',', '.', "0.123"},
		{"100.000", ',', '.', "100000"},
		{"1.5", ',', 0, NULL},
		{"1.5", ',', '.', NULL},
		{"1.23,5", ',', '.', NULL},
		{"1234.567,8", ',', '.', NULL},
		{"1.2345", ',', '.', NULL},
		{".234", ',', '.', NULL},
		{"1.234.", ',', '.', NULL},
		{"1..234", ',', '.', NULL},
		{"1,234.567", ',', '.', NULL},
		{"1,5,6", ',', '.', NULL},
		{"12,34,567", '.', ',', NULL},
		{"1,5 ", ',', ' ', NULL},
		{" 1,5", ',', ' ', NULL},
		{"1,5e", ',', 0, NULL},
		{"1,5e3,2", ',', 0, NULL},
		{"", ',', '.', NULL},
		{"-", ',', '.', NULL},
		{",", ',', '.', NULL},
		{"n/a", ',', '.', NULL},
	};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool ok;

		strbuf_reset(&b);
		strbuf_puts(&b, "=");
		ok = decimal_localise(slice_of(rows[i].text), rows[i].mark, rows[i].group, &b);
		if (ok != (rows[i].want != NULL) || strcmp(b.p + 1, ok ? rows[i].want : "") != 0 || b.n != strlen(b.p))
			fail_msg("'%s' gave '%s'", rows[i].text, b.p);
	}
	strbuf_release(&b);
}

/* What holds for any bytes: text is an exact-sized copy, so that a read beyond its end is seen. */
static void check_any(const char *p, size_t n)
{
	char *copy = mem_alloc(n ? n : 1);
	struct slice text = {copy, n};
	struct decimal dec, again;
	struct strbuf b;
	enum decimal_kind kind;

	assert_non_null(copy);
	memcpy(copy, p, n);
	strbuf_init(&b, 0);
	kind = decimal_parse(text, &dec);
	decimal_expand(&b, text);
	if (kind == DECIMAL_OK) {
		assert_int_equal(dec.canonical, slice_eq(text, strbuf_get(&b)));
		assert_int_not_equal(decimal_parse(strbuf_get(&b), &again), DECIMAL_TEXT);
		if (dec.exp10 <= 0) {
			assert_int_equal(again.coef, dec.coef);
			assert_int_equal(again.exp10, dec.exp10);
		}
		assert_true(decimal_text_double(text) == decimal_text_double(strbuf_get(&b)));
	} else if (kind == DECIMAL_LONG) {
		assert_false(dec.canonical);
		assert_int_equal(decimal_parse(strbuf_get(&b), &again), DECIMAL_LONG);
		assert_true(decimal_text_double(text) == decimal_text_double(strbuf_get(&b)));
		assert_int_equal(decimal_places(text), decimal_places(strbuf_get(&b)));
	} else {
		assert_int_equal(b.n, 0);
		assert_int_equal(dec.exp10, DECIMAL_NONE);
	}
	strbuf_reset(&b);
	if (decimal_localise(text, ',', '.', &b))
		assert_int_not_equal(decimal_parse(strbuf_get(&b), &dec), DECIMAL_TEXT);
	strbuf_release(&b);
	mem_free(copy);
}

static void test_every_short_text(void **state)
{
	static const char wide[] = "0159.,-+eEx \xc2\xa0\n";
	static const char narrow[] = "01.-+e";
	char text[6];

	(void)state;
	check_any("", 0);
	for (size_t n = 1; n <= 3; n++) {
		size_t total = 1, base = sizeof(wide); /* the NUL too */

		for (size_t i = 0; i < n; i++)
			total *= base;
		for (size_t k = 0; k < total; k++) {
			for (size_t i = 0, rest = k; i < n; i++, rest /= base)
				text[i] = wide[rest % base];
			check_any(text, n);
		}
	}
	for (size_t k = 0; k < 46656; k++) {
		for (size_t i = 0, rest = k; i < 6; i++, rest /= 6)
			text[i] = narrow[rest % 6];
		check_any(text, 6);
	}
}

static void test_cut_at_every_byte(void **state)
{
	static const char *const texts[] = {"-1234567890.1234567890e-12", "+0000000.00001234567890123456789E+0100",
		"-1.234.567.890,12345678901234567890e5", "1e308", "9" ZEROS_200 ZEROS_200,
		"." ZEROS_200 ZEROS_200 "7e300"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		for (size_t n = 0; n <= strlen(texts[i]); n++) {
			check_any(texts[i], n);
			check_any(texts[i] + n, strlen(texts[i]) - n);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_absent),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_cmp),
		cmocka_unit_test(test_double),
		cmocka_unit_test(test_double_round_trip),
		cmocka_unit_test(test_double_paths),
		cmocka_unit_test(test_survives),
		cmocka_unit_test(test_survives_random),
		cmocka_unit_test(test_localise),
		cmocka_unit_test(test_every_short_text),
		cmocka_unit_test(test_cut_at_every_byte),
	};

	return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
