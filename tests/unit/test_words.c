/* SPDX-License-Identifier: MIT */
/* Words of other languages in periods and for missing values. */
#include "support/cmocka.h"

#include "model/words.h"

#include <stdlib.h>

struct fixture {
	struct arena a;
	struct words w;
	struct diag d;
};

static void load(struct fixture *f, const char *languages)
{
	const char *top = getenv("GLANE_TOP"), *text = NULL;

	diag_clear(&f->d);
	arena_init(&f->a, 0);
	assert_int_equal(
		words_load(&f->a, arena_fmt(&f->a, "%s/conf", top ? top : "."), languages, &text, &f->d), GLANE_OK);
	assert_int_equal(words_of(&f->a, text, &f->w, &f->d), GLANE_OK);
}

static void is(const struct fixture *f, const char *text, const char *want)
{
	char out[WORDS_PERIOD];
	struct slice got = {out, 0};
	const bool found = words_period(&f->w, slice_of(text), out, &got);

	if (found != (want != NULL) || (want && !slice_is(got, want)))
		print_error("'%s' gave '%.*s', not '%s'\n", text, found ? (int)got.n : 0, out, want ? want : "nothing");
	assert_int_equal(found, want != NULL);
	if (want)
		assert_true(slice_is(got, want));
}

static void french(void **state)
{
	static const char *const pairs[][2] = {{"JAN2020", "2020-01"}, {"FEV2020", "2020-02"}, {"MAR2020", "2020-03"},
		{"AVR2020", "2020-04"}, {"MAI2020", "2020-05"}, {"JUN2020", "2020-06"}, {"JUL2020", "2020-07"},
		{"AOU2020", "2020-08"}, {"AOUT 2020", "2020-08"}, {"ao\xC3\xBBt-2020", "2020-08"},
		{"SEP2020", "2020-09"}, {"OCT2020", "2020-10"}, {"NOV2020", "2020-11"}, {"DEC2020", "2020-12"},
		{("d\xC3\xA9"
		  "cembre 2020"),
			"2020-12"},
		{("D\xC3\x89"
		  "C. 2020"),
			"2020-12"},
		{"Trim1-2020", "2020-Q1"}, {"T1 2020", "2020-Q1"}, {"T4-2020", "2020-Q4"}, {"2020-T1", "2020-Q1"},
		{"2020T3", "2020-Q3"}, {"1T2020", "2020-Q1"}, {"1er trimestre 2020", "2020-Q1"},
		{"2\xC3\xA8me trimestre 2020", "2020-Q2"}, {"3e trim. 2020", "2020-Q3"},
		{"premier trimestre 2020", "2020-Q1"}, {"S2 2020", "2020-S2"}, {"1er semestre 2020", "2020-S1"},
		{("Ann\xC3\xA9"
		  "e 2020"),
			"2020"},
		{"17 mai 2020", "2020-05-17"}, {"1er janvier 2020", "2020-01-01"},
		{("janvier\xC2\xA0"
		  "2020"),
			"2020-01"},
		{"2020 mois 7", "2020-07"}};
	static const char *const none[] = {"", "2020", "2020-01", "17/05/2020", "JAN20", "JAN", "Trim1", "T1 T2 2020",
		"JAN FEV 2020", "Total 2020", "JAN2020 2021", "Trim12 2020", "1 2 JAN 2020", "JAN12020", "2020-T",
		("\xFF"
		 "2020"),
		"a b c d e f g h 2020"};
	struct fixture f;

	(void)state;
	load(&f, "fr");
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		is(&f, pairs[i][0], pairs[i][1]);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		is(&f, none[i], NULL);
	assert_true(words_missing(&f.w, slice_of(" nd ")));
	assert_true(words_missing(&f.w, slice_of("-")));
	assert_false(words_missing(&f.w, slice_of("")));
	assert_false(words_missing(&f.w, slice_of("janvier")));
	assert_false(words_missing(&f.w, slice_of("-1")));
	arena_release(&f.a);
}

static void spanish_and_portuguese(void **state)
{
	struct fixture f;

	(void)state;
	load(&f, "es");
	is(&f, "enero de 2020", "2020-01");
	is(&f, "III trimestre de 2020", "2020-Q3");
	is(&f, "3.er trimestre 2020", "2020-Q3");
	is(&f, "AGO2020", "2020-08");
	is(&f, "ao\xC3\xBBt 2020", NULL);
	arena_release(&f.a);
	load(&f, "pt");
	is(&f, "mar\xC3\xA7o de 2020", "2020-03");
	is(&f, "1\xC2\xBA trimestre de 2020", "2020-Q1");
	is(&f, "FEV/2020", "2020-02");
	arena_release(&f.a);
	load(&f, "en");
	is(&f, "Jan 2020", "2020-01");
	is(&f, "2020 SEP", "2020-09");
	is(&f, "May-2020", "2020-05");
	is(&f, "Q1 2020", "2020-Q1");
	is(&f, "2020 Q4", "2020-Q4");
	is(&f, "1Q2020", "2020-Q1");
	is(&f, "4th quarter of 2020", "2020-Q4");
	is(&f, "H2 2020", "2020-S2");
	is(&f, "17 May 2020", "2020-05-17");
	is(&f, "Jan-20", NULL);
	arena_release(&f.a);
	load(&f, "de");
	is(&f, "M\xC3\xA4rz 2020", "2020-03");
	is(&f, "1. Quartal 2020", "2020-Q1");
	is(&f, "2020 II. Vj", "2020-Q2");
	arena_release(&f.a);
	load(&f, "fr es");
	is(&f, "ao\xC3\xBBt 2020", "2020-08");
	is(&f, "agosto 2020", "2020-08");
	arena_release(&f.a);
}

static void what_is_wrong(void **state)
{
	struct fixture f;
	const char *text = NULL;

	(void)state;
	load(&f, "fr");
	assert_int_equal(words_load(&f.a, arena_fmt(&f.a, "%s/conf", getenv("GLANE_TOP") ? getenv("GLANE_TOP") : "."),
				 "fr xx", &text, &f.d),
		GLANE_E_CONFIG);
	assert_non_null(strstr(f.d.text, "no language 'xx'"));
	diag_clear(&f.d);
	assert_int_equal(words_of(&f.a, "M13\tx\n", &f.w, &f.d), GLANE_E_FORMAT);
	assert_int_equal(words_of(&f.a, NULL, &f.w, &f.d), GLANE_OK);
	is(&f, "JAN2020", NULL);
	assert_false(words_missing(&f.w, slice_of("-")));
	arena_release(&f.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(french),
		cmocka_unit_test(spanish_and_portuguese),
		cmocka_unit_test(what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
