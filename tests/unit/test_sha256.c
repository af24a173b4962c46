/* SPDX-License-Identifier: MIT */
/* SHA-256: the vectors of FIPS 180-4, pieces, files. */
#include "base/sha256.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define LONG "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
#define MILLION "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static void test_vectors(void **state)
{
	char hex[SHA256_HEX];

	(void)state;
	assert_true(sha256_of(SLICE("abc"), hex));
	assert_string_equal(hex, ABC);
	assert_true(sha256_of(SLICE(""), hex));
	assert_string_equal(hex, EMPTY);
	assert_true(sha256_of((struct slice){NULL, 0}, hex));
	assert_string_equal(hex, EMPTY);
	assert_true(sha256_of(slice_of(text), hex));
	assert_string_equal(hex, LONG);
}

static void test_split(void **state)
{
	char hex[SHA256_HEX];
	struct sha256 h;

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++) {
		assert_true(sha256_init(&h));
		assert_true(sha256_add(&h, text, at));
		assert_true(sha256_add(&h, text + at, sizeof(text) - 1 - at));
		assert_true(sha256_end(&h, hex));
		assert_string_equal(hex, LONG);
	}
	assert_true(sha256_init(&h));
	sha256_release(&h);
	sha256_release(&h);
}

/* The descriptor's own offset plays no part. */
static void test_fd(void **state)
{
	char hex[SHA256_HEX], block[1000];
	struct diag d = {0};
	int fd = memfd_create("sha256", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sha256_fd(fd, hex, &d), GLANE_OK);
	assert_string_equal(hex, EMPTY);
	memset(block, 'a', sizeof(block));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	assert_int_equal(sha256_fd(fd, hex, &d), GLANE_OK);
	assert_string_equal(hex, MILLION);
	(void)close(fd);
}

static void test_fd_error(void **state)
{
	char hex[SHA256_HEX] = "untouched";
	struct diag d = {0};

	(void)state;
	assert_int_equal(sha256_fd(-1, hex, &d), GLANE_E_IO);
	assert_string_equal(hex, "untouched");
	assert_non_null(strstr(d.text, "Bad file descriptor"));
}

static void test_is_hex(void **state)
{
	(void)state;
	assert_true(is_sha256_hex(SLICE(ABC)));
	assert_false(is_sha256_hex(SLICE(ABC "0")));
	assert_false(is_sha256_hex((struct slice){ABC, 63}));
	assert_false(is_sha256_hex(SLICE("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
	assert_false(is_sha256_hex(SLICE("../816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
	assert_false(is_sha256_hex((struct slice){NULL, 0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_fd),
		cmocka_unit_test(test_fd_error),
		cmocka_unit_test(test_is_hex),
	};

	return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
