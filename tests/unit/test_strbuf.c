/* SPDX-License-Identifier: MIT */
/* Text under construction: growth, the maximum, escapes. */
#include "base/mem.h"
#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_build(void **state)
{
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	assert_null(b.p);
	assert_non_null(strbuf_get(&b).p); /* empty, not absent */
	strbuf_puts(&b, "a");
	strbuf_putc(&b, '=');
	strbuf_slice(&b, SLICE("xyz"));
	strbuf_slice(&b, (struct slice){NULL, 0});
	strbuf_fmt(&b, "%03d", 7);
	strbuf_add(&b, "\0!", 2);
	assert_true(strbuf_ok(&b));
	assert_true(slice_eq(strbuf_get(&b), SLICE("a=xyz007\0!")));
	assert_int_equal(b.p[b.n], 0);
	strbuf_reset(&b);
	assert_int_equal(b.n, 0);
	assert_string_equal(b.p, "");
	strbuf_fmt(&b, "%*s", 10000, "x");
	assert_int_equal(strlen(b.p), 10000);
	strbuf_release(&b);
	assert_null(b.p);
	strbuf_puts(&b, "again");
	assert_string_equal(b.p, "again");
	strbuf_release(&b);
}

static void test_int(void **state)
{
	static const struct {
		int64_t v;
		const char *text;
	} rows[] = {
		{0, "0"},
		{-1, "-1"},
		{1234567890, "1234567890"},
		{INT64_MAX, "9223372036854775807"},
		{INT64_MIN, "-9223372036854775808"},
	};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&b);
		strbuf_int(&b, rows[i].v);
		assert_string_equal(b.p, rows[i].text);
	}
	strbuf_release(&b);
}

static void test_max(void **state)
{
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 5);
	strbuf_puts(&b, "12345");
	assert_true(strbuf_ok(&b));
	strbuf_putc(&b, '6');
	assert_false(strbuf_ok(&b));
	assert_string_equal(b.p, "12345");
	strbuf_puts(&b, "");
	assert_false(strbuf_ok(&b)); /* a failure stays */
	assert_int_equal(strbuf_rc(&b), GLANE_E_LIMIT);
	strbuf_reset(&b);
	assert_true(strbuf_ok(&b));
	strbuf_fmt(&b, "%s", "123456");
	assert_false(strbuf_ok(&b));
	strbuf_reset(&b);
	strbuf_visible(&b, SLICE("\x01\x01"));
	assert_false(strbuf_ok(&b));
	strbuf_reset(&b);
	assert_null(strbuf_room(&b, SIZE_MAX));
	strbuf_release(&b);
}

static void test_room(void **state)
{
	struct strbuf b;
	char *to;

	(void)state;
	strbuf_init(&b, 200);
	for (int i = 0; i < 2; i++) {
		to = strbuf_room(&b, 100);
		assert_non_null(to);
		memset(to, 'a' + i, 100);
		b.n += 100;
	}
	assert_null(strbuf_room(&b, 1));
	assert_int_equal(b.n, 200);
	assert_int_equal(b.p[99], 'a');
	assert_int_equal(b.p[100], 'b');
	strbuf_release(&b);
}

static void test_no_memory(void **state)
{
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	mem_fail_after(1, false);
	strbuf_puts(&b, "lost");
	assert_false(strbuf_ok(&b));
	assert_int_equal(strbuf_rc(&b), GLANE_E_NOMEM);
	strbuf_puts(&b, "too late");
	assert_int_equal(b.n, 0);
	strbuf_reset(&b);
	assert_int_equal(strbuf_rc(&b), GLANE_OK);
	strbuf_puts(&b, "kept");
	mem_fail_after(1, false);
	strbuf_fmt(&b, "%*s", 5000, "");
	assert_false(strbuf_ok(&b));
	assert_string_equal(b.p, "kept");
	strbuf_release(&b);
}

static void test_visible(void **state)
{
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	strbuf_visible(&b, SLICE("caf\xC3\xA9\t\x1B[0m\0\xC2\x80\xE9."));
	assert_string_equal(b.p, "caf\xC3\xA9\\x09\\x1b[0m\\x00\\xc2\\x80\\xe9.");
	strbuf_release(&b);
}

static void test_percent(void **state)
{
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	strbuf_percent(&b, SLICE("aZ09-._~ /?&=%\xC3\xA9\0"), NULL);
	assert_string_equal(b.p, "aZ09-._~%20%2F%3F%26%3D%25%C3%A9%00");
	strbuf_reset(&b);
	strbuf_percent(&b, SLICE("a/b;c d\0"), "/;");
	assert_string_equal(b.p, "a/b;c%20d%00");
	strbuf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_max),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_visible),
		cmocka_unit_test(test_percent),
	};

	return cmocka_run_group_tests_name("strbuf", tests, NULL, NULL);
}
