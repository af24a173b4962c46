/* SPDX-License-Identifier: MIT */
/* zstd: round trips, hand-made frames, every cut and every damaged byte, bombs. */
#include "base/file.h"
#include "base/mem.h"
#include "base/zst.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* RFC 8878 3.1.1: magic, single segment of 3 bytes, last raw block of 3 bytes. */
#define RAW_ABC                                                                                                        \
	"\x28\xB5\x2F\xFD\x20\x03\x19\x00\x00"                                                                         \
	"abc"
/* Window of 128 MiB, one empty last block. */
#define HUGE_WINDOW "\x28\xB5\x2F\xFD\x00\x88\x01\x00\x00"
/* A skippable frame of 2 bytes. */
#define SKIPPABLE "\x50\x2A\x4D\x18\x02\x00\x00\x00xx"

static int file_of(struct slice s)
{
	int fd = memfd_create("zst", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, s.p, s.n, NULL), GLANE_OK);
	return fd;
}

/* Content of an open file, to be released by the caller. */
static struct strbuf content(int fd)
{
	struct strbuf b;
	off_t size = lseek(fd, 0, SEEK_END);
	char *to;

	assert_true(size >= 0);
	strbuf_init(&b, 0);
	to = strbuf_room(&b, (size_t)size);
	assert_non_null(to);
	assert_int_equal(pread(fd, to, (size_t)size, 0), size);
	b.n = (size_t)size;
	return b;
}

static glane_rc unpack(struct slice packed, uint64_t max, struct strbuf *ret, struct diag *d)
{
	int in = file_of(packed), out = memfd_create("zst", MFD_CLOEXEC);
	glane_rc rc = zst_decompress(in, out, max, d);

	*ret = content(out);
	fd_close(&in);
	fd_close(&out);
	return rc;
}

static struct strbuf pack(struct slice plain)
{
	int in = file_of(plain), out = memfd_create("zst", MFD_CLOEXEC);
	struct diag d = {0};
	struct strbuf b;

	assert_int_equal(zst_compress(in, out, &d), GLANE_OK);
	b = content(out);
	fd_close(&in);
	fd_close(&out);
	return b;
}

/* Bytes that neither repeat nor fail to compress at all. */
static struct strbuf sample(size_t n)
{
	struct strbuf b;
	uint32_t x = 1;

	strbuf_init(&b, 0);
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		strbuf_putc(&b, (char)('a' + (x >> 28)));
	}
	return b;
}

static void test_round_trip(void **state)
{
	static const size_t sizes[] = {0, 1, 1000, 131071, 131072, 131073, 1000000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct strbuf plain = sample(sizes[i]), packed = pack(strbuf_get(&plain)), back;
		struct diag d = {0};

		assert_int_equal(unpack(strbuf_get(&packed), sizes[i], &back, &d), GLANE_OK);
		assert_true(slice_eq(strbuf_get(&back), strbuf_get(&plain)));
		strbuf_release(&back);
		if (sizes[i]) {
			assert_int_equal(unpack(strbuf_get(&packed), sizes[i] - 1, &back, &d), GLANE_E_LIMIT);
			assert_true(back.n < sizes[i]);
			strbuf_release(&back);
		}
		strbuf_release(&packed);
		strbuf_release(&plain);
	}
}

static void test_frames(void **state)
{
	static const struct {
		struct slice packed;
		glane_rc rc;
		const char *plain;
	} rows[] = {
		{{RAW_ABC, 12}, GLANE_OK, "abc"},
		{{RAW_ABC RAW_ABC, 24}, GLANE_OK, "abcabc"},
		{{SKIPPABLE RAW_ABC, 22}, GLANE_OK, "abc"},
		{{"", 0}, GLANE_E_FORMAT, ""},
		{{RAW_ABC "x", 13}, GLANE_E_FORMAT, "abc"},
		{{RAW_ABC "garbage behind it", 29}, GLANE_E_FORMAT, "abc"},
		{{"plain text, no zstd", 19}, GLANE_E_FORMAT, ""},
		{{HUGE_WINDOW, 9}, GLANE_E_FORMAT, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag d = {0};
		struct strbuf back;

		assert_int_equal(unpack(rows[i].packed, 100, &back, &d), rows[i].rc);
		assert_true(slice_is(strbuf_get(&back), rows[i].plain));
		assert_int_equal(d.code, rows[i].rc);
		strbuf_release(&back);
	}
}

static void test_every_cut(void **state)
{
	struct strbuf plain = sample(3000), packed = pack(strbuf_get(&plain));

	(void)state;
	for (size_t n = 0; n < packed.n; n++) {
		struct diag d = {0};
		struct strbuf back;

		assert_int_equal(unpack((struct slice){packed.p, n}, 3000, &back, &d), GLANE_E_FORMAT);
		strbuf_release(&back);
	}
	strbuf_release(&packed);
	strbuf_release(&plain);
}

/* A damaged byte is noticed, or (in bits without meaning) changes nothing. */
static void test_every_byte(void **state)
{
	struct strbuf plain = sample(500), packed = pack(strbuf_get(&plain));
	size_t noticed = 0;

	(void)state;
	for (size_t i = 0; i < packed.n; i++) {
		struct strbuf back;

		packed.p[i] = (char)(packed.p[i] ^ 0x10);
		if (unpack(strbuf_get(&packed), 1000, &back, NULL) < 0)
			noticed++;
		else
			assert_true(slice_eq(strbuf_get(&back), strbuf_get(&plain)));
		strbuf_release(&back);
		packed.p[i] = (char)(packed.p[i] ^ 0x10);
	}
	assert_true(noticed + 8 >= packed.n);
	strbuf_release(&packed);
	strbuf_release(&plain);
}

/* 64 MiB of one byte pack into a few kilobytes; the limit stops them early. */
static void test_bomb(void **state)
{
	int in = memfd_create("zst", MFD_CLOEXEC), out = memfd_create("zst", MFD_CLOEXEC);
	struct strbuf packed, back;
	struct diag d = {0};

	(void)state;
	assert_int_equal(ftruncate(in, (off_t)64 << 20), 0);
	assert_int_equal(zst_compress(in, out, &d), GLANE_OK);
	packed = content(out);
	assert_true(packed.n < 10000);
	assert_int_equal(unpack(strbuf_get(&packed), 1 << 20, &back, &d), GLANE_E_LIMIT);
	assert_true(back.n <= 1 << 20);
	assert_non_null(strstr(d.text, "max_body"));
	strbuf_release(&back);
	strbuf_release(&packed);
	fd_close(&in);
	fd_close(&out);
}

static void test_errors(void **state)
{
	int in = file_of(SLICE(RAW_ABC)), full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(zst_compress(-1, full, NULL), GLANE_E_IO);
	assert_int_equal(zst_compress(in, full, NULL), GLANE_E_IO);
	assert_int_equal(zst_decompress(-1, full, 10, NULL), GLANE_E_IO);
	assert_int_equal(zst_decompress(in, full, 10, NULL), GLANE_E_IO);
	for (long n = 1; n <= 2; n++) {
		mem_fail_after(n, false);
		assert_int_equal(zst_compress(in, full, NULL), GLANE_E_NOMEM);
		mem_fail_after(n, false);
		assert_int_equal(zst_decompress(in, full, 10, NULL), GLANE_E_NOMEM);
	}
	mem_fail_after(0, false);
	fd_close(&in);
	fd_close(&full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests_name("zst", tests, NULL, NULL);
}
