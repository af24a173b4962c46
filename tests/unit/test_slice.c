/* SPDX-License-Identifier: MIT */
/* Slices: order, trimming, cutting, integers, UTF-8, globs. */
#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_compare(void **state)
{
	(void)state;
	assert_true(slice_cmp(SLICE("a"), SLICE("b")) < 0);
	assert_true(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
	assert_true(slice_cmp(SLICE("ab"), SLICE("a")) > 0);
	assert_true(slice_cmp(SLICE("\x7F"), SLICE("\x80")) < 0); /* unsigned */
	assert_int_equal(slice_cmp(SLICE("a\0b"), SLICE("a\0b")), 0);
	assert_int_equal(slice_cmp((struct slice){NULL, 0}, SLICE("")), 0);
	assert_true(slice_eq((struct slice){NULL, 0}, SLICE("")));
	assert_false(slice_eq(SLICE("a\0b"), SLICE("a\0c")));
	assert_true(slice_is(SLICE("word"), "word"));
	assert_false(slice_is(SLICE("word"), "wor"));
	assert_true(slice_has_prefix(SLICE("word"), "wo"));
	assert_true(slice_has_prefix(SLICE("word"), ""));
	assert_false(slice_has_prefix(SLICE("wo"), "word"));
	assert_true(slice_has_prefix((struct slice){NULL, 0}, ""));
}

static void test_trim(void **state)
{
	static const struct {
		struct slice in;
		const char *out;
	} rows[] = {
		{{"", 0}, ""},
		{{" \t\r\n", 4}, ""},
		{{" a b ", 5}, "a b"},
		{{"\xC2\xA0 1\xC2\xA0", 6}, "1"},
		{{"\xC2\xA0\xC2\xA0", 4}, ""},
		{{"\xC2", 1}, "\xC2"},
		{{"\xA0x\xC2", 3}, "\xA0x\xC2"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_true(slice_is(slice_trim(rows[i].in), rows[i].out));
}

static void test_cut(void **state)
{
	struct slice s = SLICE("a;;b");

	(void)state;
	assert_true(slice_is(slice_cut(&s, ';'), "a"));
	assert_true(slice_is(slice_cut(&s, ';'), ""));
	assert_true(slice_is(slice_cut(&s, ';'), "b"));
	assert_null(s.p);
	assert_int_equal(s.n, 0);
	s = SLICE("a;");
	assert_true(slice_is(slice_cut(&s, ';'), "a"));
	assert_non_null(s.p); /* empty, not absent */
	assert_int_equal(s.n, 0);
	s = (struct slice){NULL, 0};
	assert_null(slice_cut(&s, ';').p);
}

static void test_int(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max, value;
		bool ok;
	} rows[] = {
		{"0", 0, 9, 0, true},
		{"007", 0, 9, 7, true},
		{"-5", -9, 9, -5, true},
		{"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, true},
		{"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, true},
		{"9223372036854775808", INT64_MIN, INT64_MAX, 0, false},
		{"-9223372036854775809", INT64_MIN, INT64_MAX, 0, false},
		{"99999999999999999999999", INT64_MIN, INT64_MAX, 0, false},
		{"10", 0, 9, 0, false},
		{"-1", 0, 9, 0, false},
		{"", 0, 9, 0, false},
		{"-", -9, 9, 0, false},
		{"+1", 0, 9, 0, false},
		{" 1", 0, 9, 0, false},
		{"1 ", 0, 9, 0, false},
		{"1.0", 0, 9, 0, false},
		{"0x1", 0, 9, 0, false},
		{"--1", -9, 9, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t v = 4711;
		bool ok = slice_int(slice_of(rows[i].text), rows[i].min, rows[i].max, &v);

		assert_int_equal(ok, rows[i].ok);
		assert_true(v == (ok ? rows[i].value : 4711));
	}
}

static void test_utf8(void **state)
{
	static const char *const good[] = {
		"",
		"plain text of more than eight bytes",
		"C\xC3\xB4te d'Ivoire",
		"\xE2\x82\xAC",
		"\xED\x9F\xBF\xEE\x80\x80",
		"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
		"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF",
	};
	static const char *const bad[] = {
		"\x80",
		"12345678\xBF",
		"\xC0\x80",
		"\xC1\xBF",
		"\xE0\x9F\xBF",
		"\xED\xA0\x80",
		"\xED\xBF\xBF",
		"\xF0\x8F\xBF\xBF",
		"\xF4\x90\x80\x80",
		"\xF5\x80\x80\x80",
		"\xFF",
		"\xC3",
		"\xE2\x82",
		"\xF0\x9F\x98",
		"\xC3(",
		"\xE2(\xAC",
		"\xE2\x82(",
		"\xF0\x9F\x98(",
		"caf\xE9 latin-1 text",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(slice_is_utf8(slice_of(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(slice_is_utf8(slice_of(bad[i])));
}

/* Every cut inside a character is malformed, every cut between characters is not. */
static void test_utf8_cut(void **state)
{
	static const char text[] = "A\xC3\xB4\xE2\x82\xAC\xF0\x9F\x98\x80z";
	static const bool boundary[] = {true, true, false, true, false, false, true, false, false, false, true, true};

	(void)state;
	assert_int_equal(sizeof(text), COUNT(boundary));
	for (size_t i = 0; i < sizeof(text); i++)
		assert_int_equal(slice_is_utf8((struct slice){text, i}), boundary[i]);
}

static void test_show(void **state)
{
	struct slice s = SLICE("a\n\xC2\x85\x7F\xFF\xC3\xA9\xF0\x9F\x98\x80");
	char out[64], piece[8];
	size_t n = 0, k;

	(void)state;
	while ((k = slice_show(&s, piece)) != 0) {
		memcpy(out + n, piece, k);
		n += k;
	}
	assert_true(slice_is((struct slice){out, n}, "a\\x0a\\xc2\\x85\\x7f\\xff\xC3\xA9\xF0\x9F\x98\x80"));
	assert_int_equal(s.n, 0);
}

static void test_glob(void **state)
{
	static const struct {
		const char *text, *pattern;
		bool match;
	} rows[] = {
		{"", "", true},
		{"", "*", true},
		{"", "?", false},
		{"a", "", false},
		{"data.csv", "*.csv", true},
		{"data.csv.bak", "*.csv", false},
		{"data.csv", "data.???", true},
		{"data.cs", "data.???", false},
		{"a.b.c", "*.*.*", true},
		{"aaab", "*a*ab", true},
		{"aaaa", "*ab", false},
		{"api.worldbank.org", "*.worldbank.org", true},
		{"worldbank.org", "*.worldbank.org", false},
		{"\xC3\xA9.csv", "?.csv", true},
		{"\xE9.csv", "?.csv", true},
		{"\xC3\xA9.csv", "\xC3\xA9.*", true},
		{"abc", "abc**", true},
		{"aXbXc", "a*X?", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(slice_glob(slice_of(rows[i].text), rows[i].pattern), rows[i].match);
}

static void test_edits(void **state)
{
	static const struct {
		const char *a, *b;
		size_t n;
	} rows[] = {{"", "", 0}, {"", "abc", 3}, {"run", "run", 0}, {"rum", "run", 1}, {"status", "stauts", 2},
		{"export", "exprot", 2}, {"changes", "change", 1}, {"kitten", "sitting", 3}};
	static const char many[65 + 1] = ".................................................................";

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(slice_edits(slice_of(rows[i].a), slice_of(rows[i].b)), rows[i].n);
		assert_int_equal(slice_edits(slice_of(rows[i].b), slice_of(rows[i].a)), rows[i].n);
	}
	assert_true(slice_edits(slice_of(many), SLICE("a")) == SIZE_MAX);
	assert_true(slice_edits(SLICE("a"), slice_of(many)) == SIZE_MAX);
}

/* A text in pieces of every length, into tails of every size: what stays is its end. */
static void test_keep_tail(void **state)
{
	const struct slice text = SLICE("abcdefghijklmnopqrstuvwxyz");

	(void)state;
	for (size_t cap = 1; cap <= text.n + 1; cap++)
		for (size_t piece = 1; piece <= text.n; piece++) {
			char tail[32];
			size_t n = 0;

			for (size_t at = 0; at < text.n; at += piece) {
				const size_t left = text.n - at, end = at + (piece < left ? piece : left);

				slice_keep_tail((struct slice){text.p + at, end - at}, tail, cap, &n);
				slice_keep_tail((struct slice){NULL, 0}, tail, cap, &n);
				assert_int_equal(n, end < cap ? end : cap);
				assert_memory_equal(tail, text.p + end - n, n);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_cut),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_keep_tail),
	};

	return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}
