/* SPDX-License-Identifier: MIT */
/* Sparklines, and texts in columns. */
#include "app/columns.h"
#include "app/sparkline.h"
#include "app/words.h"

#include <math.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof(*(a)))
#define NONE ((double)NAN)

static void expect_line(const double *v, size_t n, size_t width, bool ascii, const char *want)
{
	struct strbuf b;

	strbuf_init(&b, 0);
	strbuf_puts(&b, "");
	(void)sparkline(&b, v, n, width, ascii);
	assert_string_equal(b.p, want);
	strbuf_release(&b);
}

static void test_sparkline(void **state)
{
	static const double rising[] = {0, 1, 2, 3, 4, 5, 6, 7}, flat[] = {5, 5, 5}, negative[] = {-1, 0, -3};
	const double gap[] = {1, NONE, 9}, nothing[] = {NONE, NONE}, wide[] = {-1.7e308, 1.7e308, 0};
	double many[1000];

	(void)state;
	expect_line(rising, 8, 40, false, "▁▂▃▄▅▆▇█");
	expect_line(rising, 8, 40, true, "_.-=+*#@");
	expect_line(flat, 3, 40, false, "▄▄▄");
	expect_line(flat, 1, 40, true, "=");
	expect_line(negative, 3, 40, false, "▆█▁");
	expect_line(gap, 3, 40, false, "▁ █");
	expect_line(nothing, 2, 40, false, "  ");
	expect_line(wide, 3, 40, true, "_@+");
	expect_line(rising, 0, 40, false, "");
	expect_line(rising, 8, 4, false, "▁▃▆█"); /* means 0.5 2.5 4.5 6.5 */
	for (size_t i = 0; i < N(many); i++)
		many[i] = (double)i;
	expect_line(many, N(many), 8, false, "▁▂▃▄▅▆▇█");
	expect_line(many, N(many), 1, false, "▄");
}

static void test_width(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} cases[] = {{"", 0}, {"Togo", 4}, {"Côte d'Ivoire", 13}, {"Cote\xcc\x82", 4}, {"中国", 4}, {"한국", 4},
		{"ﾊ", 1}, {"a\tb", 6}, {"\xff", 4}, {"…", 1}, {"\xf0\x9f\x87\xb9", 1}, {"\xf0\x9f\x98\x80", 2}};

	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		assert_int_equal(text_width(slice_of(cases[i].text)), cases[i].width);
}

static void test_columns(void **state)
{
	static const struct {
		const char *text;
		size_t width;
		enum align align;
		bool ascii;
		const char *want;
	} cases[] = {{"ab", 4, ALIGN_LEFT, false, "ab  "}, {"ab", 4, ALIGN_RIGHT, false, "  ab"},
		{"Sénégal", 7, ALIGN_LEFT, false, "Sénégal"}, {"Sénégal", 8, ALIGN_RIGHT, false, " Sénégal"},
		{"Sénégal", 4, ALIGN_LEFT, false, "Sén…"}, {"Sénégal", 5, ALIGN_LEFT, true, "Sé..."},
		{"中国中国", 4, ALIGN_LEFT, false, "中… "}, {"long", 1, ALIGN_LEFT, false, "…"},
		{"long", 2, ALIGN_LEFT, true, ".."}, {"free", 0, ALIGN_LEFT, false, "free"},
		{"\x1b[2J", 0, ALIGN_LEFT, false, "\\x1b[2J"}, {"\n", 5, ALIGN_RIGHT, false, " \\x0a"}};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct strbuf b;

		strbuf_init(&b, 0);
		put_text(&b, slice_of(cases[i].text), cases[i].width, cases[i].align, cases[i].ascii);
		assert_string_equal(b.p, cases[i].want);
		strbuf_release(&b);
	}
}

static void test_locale(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("LC_ALL") | unsetenv("LC_CTYPE") | unsetenv("LANG"), 0);
	assert_true(locale_is_ascii());
	assert_int_equal(setenv("LANG", "fr_FR.utf8", 1), 0);
	assert_false(locale_is_ascii());
	assert_int_equal(setenv("LC_CTYPE", "C.UTF-8", 1), 0);
	assert_false(locale_is_ascii());
	assert_int_equal(setenv("LC_ALL", "C", 1), 0);
	assert_true(locale_is_ascii());
	assert_int_equal(setenv("LC_ALL", "", 1), 0);
	assert_false(locale_is_ascii());
}

static void test_words(void **state)
{
	static const struct {
		const char *words[3];
		bool found;
	} cases[] = {{{NULL}, true}, {{"internet"}, true}, {{"UTILISATEURS", "togo"}, true},
		{{"utilisateurs", "benin"}, false}, {{"it.net.user"}, true}, {{"it", "%"}, true},
		{{"population togo"}, false}, {{"développés"}, true}, {{"developpes"}, true}};
	const struct series_row s = {.title = SLICE("Utilisateurs d'Internet (pays développés, % de la population)"),
		.dataset = SLICE("WDI"),
		.indicator = SLICE("IT.NET.USER.ZS"),
		.area = SLICE("TGO"),
		.area_title = SLICE("Togo")};
	static const struct areas no_tables;

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct words w;
		size_t n = 0;

		while (n < 3 && cases[i].words[n])
			n++;
		assert_true(words_init(&w, cases[i].words, n));
		assert_int_equal(words_match(&w, &no_tables, &s), cases[i].found);
		words_release(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sparkline),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_locale),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("sparkline", tests, NULL, NULL);
}
