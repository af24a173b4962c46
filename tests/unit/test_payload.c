/* SPDX-License-Identifier: MIT */
/* The window over bytes in memory and mapped files: what it keeps, what it adds, where it ends, what it refuses. */
#include "base/file.h"
#include "base/mem.h"
#include "read/payload.h"
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int file_of(struct slice s)
{
	int fd = memfd_create("payload", 0);

	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, s.p, s.n, NULL), GLANE_OK);
	return fd;
}

/* Reads p to its end and keeps `keep` bytes each time; all must be `want`, whose first byte is at `pos`. */
static void walk(struct payload *p, size_t keep, struct slice want, uint64_t pos)
{
	uint64_t calls = 0;

	for (;;) {
		uint64_t end = p->pos + p->n;
		size_t left = p->n < keep ? p->n : keep;

		assert_true(p->pos >= pos && end - pos <= want.n);
		assert_memory_equal(p->p, want.p + (p->pos - pos), p->n);
		if (p->last)
			break;
		assert_int_equal(payload_more(p, left), GLANE_OK);
		assert_true(p->pos == end - left);
		assert_true(p->last || p->pos + p->n > end);
		assert_true(calls++ <= want.n);
	}
	assert_true(p->pos + p->n == pos + want.n);
}

static void test_memory(void **state)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	const struct slice s = {text, sizeof(text) - 1};

	(void)state;
	for (size_t step = 0; step < s.n + 2; step++) {
		for (size_t keep = 0; keep < 9; keep++) {
			struct payload p;

			payload_memory(&p, s, step, NULL);
			assert_true(step == 0 || p.n <= step);
			walk(&p, keep, s, 0);
			assert_int_equal(payload_more(&p, 1), GLANE_OK); /* at the end: only forgets */
			assert_true(p.last && p.n == 1 && *p.p == 'z');
			payload_close(&p);
			assert_true(p.last && p.n == 0);
		}
	}
}

static void test_mapped(void **state)
{
	const size_t sizes[] = {0, 1, 7, 8, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (5 << 20) + 77};
	char *bytes = mem_alloc(6 << 20);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < 6 << 20; i++)
		bytes[i] = (char)('a' + i % 25);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct slice s = {bytes, sizes[i]};
		int fd = file_of(s);

		for (size_t keep = 0; keep < 200000; keep = keep * 5 + 1) {
			struct payload_options o = {.is_archive_ok = true};
			struct diag d = {0};
			struct payload p;

			assert_int_equal(payload_open(&p, fd, &o, &d), GLANE_OK);
			assert_true(p.n <= 1 << 20);
			walk(&p, keep, s, 0);
			payload_close(&p);
		}
		(void)close(fd);
	}
	mem_free(bytes);
}

static void test_marks(void **state)
{
	static const struct {
		const char *in, *encoding, *out;
		uint64_t pos;
	} rows[] = {
		{"\xEF\xBB\xBFid,v\n", NULL, "id,v\n", 3},
		{"\xEF\xBB\xBFid,v\n", "utf-8", "id,v\n", 3},
		{"\xEF\xBB\xBFid,v\n", "latin1", "id,v\n", 3}, /* the mark decides */
		{"\xEF\xBB\xBFid,v\n", "binary", "\xEF\xBB\xBFid,v\n", 0},
		{"\xEF\xBB", NULL, "\xEF\xBB", 0},
		{"\xEF\xBB\xBF", NULL, "", 3},
		{"id,v\n", NULL, "id,v\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = file_of(slice_of(rows[i].in));
		struct payload_options o = {.encoding = rows[i].encoding};
		struct diag d = {0};
		struct payload p;

		assert_int_equal(payload_open(&p, fd, &o, &d), GLANE_OK);
		walk(&p, 1, slice_of(rows[i].out), rows[i].pos);
		payload_close(&p);
		(void)close(fd);
	}
}

static glane_rc refuse(int fd, const struct payload_options *o, const char *text)
{
	struct diag d = {0};
	struct payload p;
	glane_rc rc = payload_open(&p, fd, o, &d);

	assert_true(rc < 0 && strstr(d.text, text));
	assert_true(p.n == 0 && p.last);
	payload_close(&p);
	return rc;
}

static void test_refused(void **state)
{
	struct payload_options o = {.max_bytes = 4}, unknown = {.encoding = "KOI8-R"};
	int fd = file_of(SLICE("12345")), ends[2];

	(void)state;
	assert_int_equal(refuse(fd, &o, "5 bytes are more than the limit of 4"), GLANE_E_LIMIT);
	assert_int_equal(refuse(fd, &unknown, "encoding 'KOI8-R' is not known"), GLANE_E_CONFIG);
	assert_int_equal(refuse(-1, &o, "cannot be looked at: Bad file descriptor"), GLANE_E_IO);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(refuse(ends[0], &o, "not a regular file"), GLANE_E_IO);
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close(fd);
}

/* The descriptor's own offset neither matters nor moves. */
static void test_offset(void **state)
{
	struct slice s = SLICE("some bytes\n");
	int fd = file_of(s);
	struct payload_options o = {.is_archive_ok = true};
	struct payload p;

	(void)state;
	assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
	assert_int_equal(payload_open(&p, fd, &o, NULL), GLANE_OK);
	walk(&p, 0, s, 0);
	payload_close(&p);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 4);
	(void)close(fd);
}

static void test_no_memory(void **state)
{
	int fd = file_of(SLICE("\xE9t\xE9,1\n"));
	struct payload_options o = {.encoding = "ISO-8859-1"};
	glane_rc rc = GLANE_E_NOMEM;
	long n;

	(void)state;
	for (n = 1; rc == GLANE_E_NOMEM && n < 20; n++) {
		struct diag d = {0};
		struct payload p;

		mem_fail_after(n, true);
		rc = payload_open(&p, fd, &o, &d);
		mem_fail_after(0, false);
		assert_true(rc == GLANE_OK || d.text[0]);
		payload_close(&p);
	}
	assert_int_equal(rc, GLANE_OK);
	assert_in_range(n, 4, 8);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
