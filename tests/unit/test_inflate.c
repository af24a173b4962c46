/* SPDX-License-Identifier: MIT */
/* gzip and deflate: members joined, every cut and every flipped byte noticed, nothing allowed behind the end. */
#include "base/inflate.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* "hello, hello, hello\n" */
static const char gz[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8"
			 "\x40\xa2\xb8\x00\xe7\x42\x6e\x52\x14\x00\x00\x00";
static const char zlib[] = "\x78\x9c\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x40\xa2\xb8\x00\x4b\x07\x06\xdf";
static const char text[] = "hello, hello, hello\n";
#define GZ ((struct slice){gz, sizeof(gz) - 1})
#define ZLIB ((struct slice){zlib, sizeof(zlib) - 1})
#define BARE ((struct slice){zlib + 2, sizeof(zlib) - 7})

/* Feeds `in` in pieces of `step`, takes `room` bytes at a time; *ret_n bytes in out. */
static glane_rc run(int form, struct slice in, size_t step, size_t room, char *out, size_t *ret_n, struct diag *d)
{
	struct inflater *z = inflater_new(form);
	glane_rc rc = z ? GLANE_OK : GLANE_E_NOMEM;
	size_t made = 0;

	while (rc == GLANE_OK && in.n) {
		struct slice part = {in.p, in.n < step ? in.n : step};
		size_t before = part.n, n = room;

		while (rc == GLANE_OK && (part.n || n == room) && made + room <= 256) {
			rc = inflater_add(z, &part, out + made, room, &n, d);
			made += rc == GLANE_OK ? n : 0;
		}
		in.p += before;
		in.n -= before;
	}
	if (rc == GLANE_OK)
		rc = inflater_end(z, d);
	inflater_free(z);
	*ret_n = made;
	return rc;
}

static void test_forms(void **state)
{
	const struct {
		int form;
		struct slice in;
	} rows[] = {{INFLATE_GZIP, GZ}, {INFLATE_DEFLATE, ZLIB}, {INFLATE_DEFLATE, BARE}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t step = 1; step <= rows[i].in.n; step++) {
			for (size_t room = 1; room < 24; room++) {
				char out[256];
				size_t n = 0;
				struct diag d = {0};

				assert_int_equal(run(rows[i].form, rows[i].in, step, room, out, &n, &d), GLANE_OK);
				assert_int_equal(n, sizeof(text) - 1);
				assert_memory_equal(out, text, n);
			}
		}
	}
}

static void test_members(void **state)
{
	char in[3 * sizeof(gz)], out[256];
	size_t n = 0, one = sizeof(gz) - 1;
	struct diag d = {0};

	(void)state;
	memcpy(in, gz, one);
	memcpy(in + one, gz, one);
	assert_int_equal(run(INFLATE_GZIP, (struct slice){in, 2 * one}, 7, 64, out, &n, &d), GLANE_OK);
	assert_int_equal(n, 2 * (sizeof(text) - 1));
	assert_int_equal(run(INFLATE_GZIP, (struct slice){in, 2 * one - 1}, 99, 64, out, &n, &d), GLANE_E_FORMAT);
	assert_non_null(strstr(d.text, "cut short"));
}

static void test_cut_and_damaged(void **state)
{
	char in[64], out[256];
	size_t n;

	(void)state;
	for (size_t cut = 0; cut < GZ.n; cut++) {
		struct diag d = {0};

		assert_int_equal(run(INFLATE_GZIP, (struct slice){gz, cut}, 5, 64, out, &n, &d), GLANE_E_FORMAT);
		assert_true(d.text[0]);
	}
	for (size_t cut = 0; cut < ZLIB.n; cut++)
		assert_int_equal(run(INFLATE_DEFLATE, (struct slice){zlib, cut}, 5, 64, out, &n, NULL), GLANE_E_FORMAT);
	for (size_t i = 10; i < GZ.n; i++) { /* before it: time and system, which nothing protects */
		memcpy(in, gz, GZ.n);
		in[i] ^= 0x10;
		assert_int_equal(run(INFLATE_GZIP, (struct slice){in, GZ.n}, 64, 64, out, &n, NULL), GLANE_E_FORMAT);
	}
}

static void test_trailing(void **state)
{
	static const char *const tails[] = {"x", "\x1f", "\x1f\x8bxx", "\n"};
	char in[64], out[256];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(tails); i++) {
		size_t extra = strlen(tails[i]);

		memcpy(in, gz, GZ.n);
		memcpy(in + GZ.n, tails[i], extra);
		assert_int_equal(
			run(INFLATE_GZIP, (struct slice){in, GZ.n + extra}, 64, 64, out, &n, NULL), GLANE_E_FORMAT);
		memcpy(in, zlib, ZLIB.n);
		memcpy(in + ZLIB.n, tails[i], extra);
		assert_int_equal(run(INFLATE_DEFLATE, (struct slice){in, ZLIB.n + extra}, 64, 64, out, &n, NULL),
			GLANE_E_FORMAT);
	}
}

static void test_memory(void **state)
{
	glane_rc rc = GLANE_E_NOMEM;
	char out[256];
	size_t n;
	long i;

	(void)state;
	for (i = 1; rc == GLANE_E_NOMEM && i < 20; i++) {
		mem_fail_after(i, true);
		rc = run(INFLATE_GZIP, GZ, 64, 64, out, &n, NULL);
		mem_fail_after(0, false);
	}
	assert_int_equal(rc, GLANE_OK);
	assert_in_range(i, 3, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_cut_and_damaged),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("inflate", tests, NULL, NULL);
}
