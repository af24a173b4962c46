/* SPDX-License-Identifier: MIT */
/* Observation statuses: every byte against the letters of CL_OBS_STATUS. */
#include "model/status.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_every_byte(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		char c = (char)i;
		struct slice text = {&c, 1};
		bool upper = i >= 'A' && i <= 'W' && i != 'R' && i != 'T';
		bool lower = i >= 'a' && i <= 'w' && i != 'r' && i != 't';

		assert_int_equal(status_ok(c), upper);
		assert_int_equal(status_code(text, false), upper ? i : 0);
		assert_int_equal(status_code(text, true), upper ? i : lower ? i - 'a' + 'A' : 0);
	}
}

static void test_words(void **state)
{
	static const char *const words[] = {"", "AB", "B; E", "A ", " A", "normal", "CA"};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		assert_int_equal(status_code(slice_of(words[i]), true), 0);
	assert_int_equal(status_code((struct slice){NULL, 0}, true), 0);
	assert_int_equal(status_code((struct slice){"A\0", 2}, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
