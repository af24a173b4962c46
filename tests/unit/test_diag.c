/* SPDX-License-Identifier: MIT */
/* Failures: the first one wins, text is escaped and cut at a character. */
#include "base/diag.h"
#include <errno.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours is what is tested */

static void test_first_wins(void **state)
{
	struct diag d = {0};

	(void)state;
	assert_int_equal(fail(&d, GLANE_E_FORMAT, "line %d: %s", 7, "bad"), GLANE_E_FORMAT);
	assert_int_equal(fail(&d, GLANE_E_IO, "later"), GLANE_E_IO);
	assert_int_equal(d.code, GLANE_E_FORMAT);
	assert_string_equal(d.text, "line 7: bad");
	diag_clear(&d);
	assert_int_equal(d.code, GLANE_OK);
	assert_string_equal(d.text, "");
	assert_int_equal(fail(NULL, GLANE_E_IO, "nobody listens"), GLANE_E_IO);
}

static void test_escapes(void **state)
{
	struct diag d = {0};

	(void)state;
	(void)fail(&d, GLANE_E_DATA, "%s", "\x1B[31mred\n\xC2\x9B\xFF caf\xC3\xA9");
	assert_string_equal(d.text, "\\x1b[31mred\\x0a\\xc2\\x9b\\xff caf\xC3\xA9");
}

static void test_keeps_errno(void **state)
{
	struct diag d = {0};

	(void)state;
	errno = ENOENT;
	(void)fail(&d, GLANE_E_IO, "x");
	assert_int_equal(errno, ENOENT);
}

/* The cut never falls into a character, whatever stands before it. */
static void test_cut(void **state)
{
	static const char *const units[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\n"};
	char text[4000];

	(void)state;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		for (size_t shift = 0; shift < 8; shift++) {
			struct diag d = {0};
			size_t n = shift, len = strlen(units[u]);

			memset(text, 'x', shift);
			for (; n + len < sizeof(text); n += len)
				memcpy(text + n, units[u], len);
			text[n] = '\0';
			(void)fail(&d, GLANE_E_DATA, "%s", text);
			n = strlen(d.text);
			assert_true(n < sizeof(d.text) && n > sizeof(d.text) - 12);
			assert_string_equal(d.text + n - 3, "...");
			if (len > 1)
				assert_int_equal((n - 3 - shift) % len, 0);
		}
	}
}

/* Text that just fits is not cut, one byte more is. */
static void test_fits(void **state)
{
	char text[2049];
	struct diag d = {0};

	(void)state;
	memset(text, 'a', sizeof(text));
	text[2047] = '\0';
	(void)fail(&d, GLANE_E_DATA, "%s", text);
	assert_string_equal(d.text, text);
	diag_clear(&d);
	text[2047] = 'a';
	text[2048] = '\0';
	(void)fail(&d, GLANE_E_DATA, "%s", text);
	assert_int_equal(strlen(d.text), 2047);
	assert_string_equal(d.text + 2043, "a...");
}

static void test_prefix(void **state)
{
	struct diag d = {0};
	char longer[3000];

	(void)state;
	assert_int_equal(diag_prefix(&d, "file"), GLANE_OK);
	assert_string_equal(d.text, "");
	(void)fail(&d, GLANE_E_CONFIG, "bad \x01");
	assert_int_equal(diag_prefix(&d, "%s:%d", "a\tb.conf", 3), GLANE_E_CONFIG);
	assert_string_equal(d.text, "a\\x09b.conf:3: bad \\x01");
	memset(longer, 'p', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(diag_prefix(&d, "%s", longer), GLANE_E_CONFIG);
	assert_int_equal(strlen(d.text), 2047);
	assert_string_equal(d.text + 2044, "...");
	assert_true(diag_prefix(NULL, "x") < 0);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(rc_name(GLANE_E_FETCH), "fetch");
	assert_string_equal(rc_name(GLANE_OK), "ok");
	assert_string_equal(rc_name(-99), "unknown");
	for (glane_rc a = GLANE_E_USAGE; a <= GLANE_END; a++) {
		assert_string_not_equal(rc_name(a), "unknown");
		for (glane_rc b = GLANE_E_USAGE; b < a; b++)
			assert_string_not_equal(rc_name(a), rc_name(b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_wins),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_keeps_errno),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
