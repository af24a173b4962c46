/* SPDX-License-Identifier: MIT */
/* Memory: overflow checks, the failure budget, arenas. */
#include "base/mem.h"
#include <sys/resource.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_overflow(void **state)
{
	uint64_t *v = NULL;
	size_t cap = 0;

	(void)state;
	assert_null(mem_zalloc(SIZE_MAX / 2, 3));
	assert_null(mem_realloc(NULL, SIZE_MAX / 2, 3));
	assert_false(mem_grow(&v, &cap, SIZE_MAX / 4, sizeof(*v)));
	assert_false(mem_grow(&v, &cap, SIZE_MAX, sizeof(*v)));
	assert_null(v);
	assert_int_equal(cap, 0);
}

static void test_alloc(void **state)
{
	char *p = mem_zalloc(100, 1);

	(void)state;
	assert_non_null(p);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	mem_free(p);
	p = mem_alloc(0);
	assert_non_null(p);
	p = mem_realloc(p, 0, 8);
	assert_non_null(p);
	mem_free(p);
	mem_free(NULL);
}

static void test_budget_once(void **state)
{
	void *p[4];

	(void)state;
	mem_fail_after(2, false);
	for (int i = 0; i < 4; i++)
		p[i] = mem_alloc(1);
	assert_non_null(p[0]);
	assert_null(p[1]);
	assert_non_null(p[2]);
	assert_non_null(p[3]);
	assert_true(mem_fail_after(1, false));
	assert_false(mem_fail_after(0, false)); /* nothing was asked for */
	for (int i = 0; i < 4; i++)
		mem_free(p[i]);
}

static void test_budget_for_ever(void **state)
{
	void *p, *q;

	(void)state;
	mem_fail_after(2, true);
	p = mem_zalloc(1, 1);
	assert_non_null(p);
	for (int i = 0; i < 3; i++) {
		assert_null(mem_alloc(1));
		assert_null(mem_realloc(p, 2, 1)); /* p stays valid */
	}
	mem_fail_after(0, false);
	q = mem_realloc(p, 2, 1);
	assert_non_null(q);
	mem_free(q);
}

static void test_has(void **state)
{
	struct rlimit was, one = {1, 1};

	(void)state;
	assert_true(mem_has(MEM_LIBRARY));
	mem_fail_after(1, false);
	assert_false(mem_has(1));
	assert_true(mem_has(1));
	assert_int_equal(getrlimit(RLIMIT_AS, &was), 0);
	one.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_AS, &one), 0);
	const bool has = mem_has(MEM_LIBRARY);
	assert_int_equal(setrlimit(RLIMIT_AS, &was), 0);
	assert_false(has);
}

static void test_grow(void **state)
{
	uint32_t *v = NULL;
	size_t cap = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_true(mem_grow(&v, &cap, i + 1, sizeof(*v)));
		assert_true(cap > i);
		v[i] = i;
	}
	assert_int_equal(cap, 1024);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);
	mem_fail_after(1, false);
	assert_false(mem_grow(&v, &cap, 5000, sizeof(*v)));
	assert_int_equal(cap, 1024);
	assert_int_equal(v[999], 999);
	mem_free(v);
}

static void test_arena_blocks(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 4000, 5000, 100000, 3, 300000, 64};
	unsigned char *p[sizeof(sizes) / sizeof(sizes[0])];
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p[i] = arena_alloc(&a, sizes[i]);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(p[i][k], 0);
		memset(p[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(p[i][k], i + 1);
	}
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX / 2));
	arena_release(&a);
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 10)); /* usable again */
	arena_release(&a);
}

static void test_arena_limit(void **state)
{
	struct arena a;
	size_t n = 0;

	(void)state;
	arena_init(&a, 1000);
	while (arena_alloc(&a, 10))
		n++;
	assert_int_equal(n, 62); /* 16 bytes each */
	assert_true(a.used <= 1000);
	assert_null(arena_alloc(&a, SIZE_MAX / 8));
	arena_release(&a);
	assert_null(arena_alloc(&a, 1001));
	assert_non_null(arena_alloc(&a, 992));
	arena_release(&a);
}

static void test_arena_text(void **state)
{
	struct arena a;
	struct slice s = {NULL, 0};
	char *p;

	(void)state;
	arena_init(&a, 0);
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(&a, NULL, 0), "");
	assert_null(arena_strndup(&a, "", SIZE_MAX));
	assert_true(arena_dup(&a, SLICE("a\0b"), &s));
	assert_true(slice_eq(s, SLICE("a\0b")));
	assert_true(arena_dup(&a, SLICE(""), &s));
	assert_non_null(s.p);
	assert_int_equal(s.n, 0);
	assert_true(arena_dup(&a, (struct slice){NULL, 0}, &s));
	assert_null(s.p);
	p = arena_fmt(&a, "%s-%05d", "x", 42);
	assert_string_equal(p, "x-00042");
	p = arena_fmt(&a, "%*s", 9000, "y");
	assert_int_equal(strlen(p), 9000);
	arena_release(&a);
}

struct trace {
	char text[8];
	size_t n;
};
struct note {
	struct trace *to;
	char c;
};

static void write_note(void *arg)
{
	const struct note *note = arg;

	note->to->text[note->to->n++] = note->c;
}

static void test_arena_cleanups(void **state)
{
	struct trace t = {{0}, 0};
	struct note notes[] = {{&t, '1'}, {&t, '2'}, {&t, '3'}};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < 3; i++)
		assert_true(arena_cleanup(&a, write_note, &notes[i]));
	arena_release(&a);
	assert_string_equal(t.text, "321");
	arena_release(&a);
	assert_string_equal(t.text, "321");
}

static void test_arena_no_memory(void **state)
{
	struct slice s = SLICE("untouched");
	struct trace t = {{0}, 0};
	struct note note = {&t, '1'};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	mem_fail_after(1, true);
	assert_null(arena_alloc(&a, 1));
	assert_null(arena_fmt(&a, "%d", 1));
	assert_false(arena_dup(&a, SLICE("x"), &s));
	assert_false(arena_cleanup(&a, write_note, &note));
	mem_fail_after(0, false);
	assert_true(slice_is(s, "untouched"));
	assert_int_equal(a.used, 0);
	arena_release(&a);
	assert_int_equal(t.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_budget_once),
		cmocka_unit_test(test_budget_for_ever),
		cmocka_unit_test(test_has),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_arena_blocks),
		cmocka_unit_test(test_arena_limit),
		cmocka_unit_test(test_arena_text),
		cmocka_unit_test(test_arena_cleanups),
		cmocka_unit_test(test_arena_no_memory),
	};

	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
