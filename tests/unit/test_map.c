/* SPDX-License-Identifier: MIT */
/* Hash map: insertion, growth, owned and borrowed keys, iteration, lack of memory. */
#include "base/map.h"
#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct slice name_of(char buf[32], unsigned i)
{
	int n = snprintf(buf, 32, "key-%u", i);

	return (struct slice){buf, (size_t)n};
}

static void test_put_find(void **state)
{
	struct map m;
	uint64_t *slot = NULL;
	bool fresh = false;

	(void)state;
	map_init(&m, NULL);
	assert_null(map_find(&m, SLICE("a")));
	assert_true(map_put(&m, SLICE("a"), 1, &slot, &fresh));
	assert_true(fresh);
	assert_true(map_put(&m, SLICE("a"), 2, &slot, &fresh));
	assert_false(fresh);
	assert_int_equal(*slot, 1); /* the stored value stays */
	*slot = 3;
	assert_int_equal(*map_find(&m, SLICE("a")), 3);
	assert_null(map_find(&m, SLICE("a\0")));
	assert_true(map_put(&m, SLICE(""), 9, NULL, NULL));
	assert_int_equal(*map_find(&m, (struct slice){NULL, 0}), 9);
	assert_int_equal(m.n, 2);
	map_release(&m);
	assert_null(map_find(&m, SLICE("a")));
	map_release(&m);
}

/* Keys are copied: the buffer they came from is reused for each. */
static void test_many(void **state)
{
	enum { N = 20000 };
	struct arena keys;
	struct map m;
	char buf[32];
	size_t it = 0, seen = 0;
	uint64_t sum = 0;
	const struct map_entry *e;

	(void)state;
	arena_init(&keys, 0);
	map_init(&m, &keys);
	for (unsigned i = 0; i < N; i++)
		assert_true(map_put(&m, name_of(buf, i), i, NULL, NULL));
	for (unsigned i = 0; i < N; i++) {
		const uint64_t *v = map_find(&m, name_of(buf, i));

		assert_non_null(v);
		assert_int_equal(*v, i);
	}
	assert_null(map_find(&m, name_of(buf, N)));
	while ((e = map_next(&m, &it)) != NULL) {
		seen++;
		sum += e->value;
		assert_true(slice_eq(e->key, name_of(buf, (unsigned)e->value)));
	}
	assert_int_equal(seen, N);
	assert_int_equal(m.n, N);
	assert_int_equal(sum, (uint64_t)N * (N - 1) / 2);
	assert_null(map_next(&m, &it));
	map_release(&m);
	arena_release(&keys);
}

/* Whatever allocation fails, what was in the map stays and the new key is absent. */
static void test_no_memory(void **state)
{
	struct arena keys;
	struct map m;
	char buf[32];
	unsigned refused = 0, i;

	(void)state;
	arena_init(&keys, 0);
	map_init(&m, &keys);
	for (i = 0; i < 500; i++) {
		bool ok;

		mem_fail_after(1, false);
		ok = map_put(&m, name_of(buf, i), i, NULL, NULL);
		mem_fail_after(0, false);
		assert_int_equal(m.n, ok ? i + 1 : i);
		if (!ok) {
			refused++;
			assert_null(map_find(&m, name_of(buf, i)));
			assert_true(map_put(&m, name_of(buf, i), i, NULL, NULL));
		}
	}
	assert_true(refused > 5);
	for (i = 0; i < 500; i++)
		assert_int_equal(*map_find(&m, name_of(buf, i)), i);
	map_release(&m);
	arena_release(&keys);
}

static void test_hash(void **state)
{
	unsigned char text[81], shifted[82];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)(i * 7 + 1);
	memcpy(shifted + 1, text, sizeof(text));
	for (size_t n = 0; n < sizeof(text); n++) {
		uint64_t h = hash_bytes(text, n, 1);

		assert_true(h == hash_bytes(shifted + 1, n, 1));
		assert_true(h != hash_bytes(text, n, 2));
		assert_true(h != hash_bytes(text, n + 1, 1));
		for (size_t bit = 0; bit < n * 8; bit++) {
			text[bit / 8] ^= (unsigned char)(1u << bit % 8);
			assert_true(h != hash_bytes(text, n, 1));
			text[bit / 8] ^= (unsigned char)(1u << bit % 8);
		}
	}
	assert_true(hash_bytes(NULL, 0, 1) == hash_bytes(text, 0, 1));
}

/* The low bits, which choose the slot, are spread for keys that differ little. */
static void test_hash_spread(void **state)
{
	unsigned filled[256] = {0}, most = 0;
	char buf[32];

	(void)state;
	for (unsigned i = 0; i < 25600; i++) {
		struct slice s = name_of(buf, i);
		unsigned *cell = &filled[hash_bytes(s.p, s.n, 42) & 255];

		++*cell;
		most = *cell > most ? *cell : most;
	}
	assert_true(most < 160); /* 100 expected, standard deviation 10 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_find),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_hash_spread),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
