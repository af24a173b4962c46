/* SPDX-License-Identifier: MIT */
/* Memory: the only calls of malloc, a failure budget for tests, and arenas. */
#include "base/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#undef malloc
#undef realloc
#undef free

#define ALIGN ((size_t)16)
#define BLOCK_MIN ((size_t)4096)
#define BLOCK_MAX ((size_t)256 << 10)

struct arena_block {
	struct arena_block *next;
	size_t size, used; /* of the bytes that follow the header */
};
struct arena_cleanup {
	struct arena_cleanup *next;
	void (*fn)(void *);
	void *arg;
};
#define HEADER ((sizeof(struct arena_block) + ALIGN - 1) & ~(ALIGN - 1))

static long budget; /* allocations until one fails; 0: no budget */
static bool exhausted, struck;

bool mem_fail_after(long n, bool for_ever)
{
	const bool before = struck;

	struck = false;
	budget = n;
	exhausted = for_ever;
	return before;
}

/* Once the budget has run out, it stays at 1 where every later allocation is to fail too. */
static bool refused(void)
{
	if (budget == 0)
		return false;
	if (budget > 1) {
		budget--;
		return false;
	}
	budget = exhausted ? 1 : 0;
	struck = true;
	return true;
}

void *mem_alloc(size_t n)
{
	return refused() ? NULL : malloc(n ? n : 1);
}

void *mem_zalloc(size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	p = mem_alloc(bytes);
	if (p)
		memset(p, 0, bytes);
	return p;
}

void *mem_realloc(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || refused())
		return NULL;
	return realloc(p, bytes ? bytes : 1);
}

void mem_free(void *p)
{
	free(p);
}

/* By a map, which no allocator answers from what it has left, and no compiler does away with. */
bool mem_has(size_t n)
{
	void *p = refused() ? MAP_FAILED : mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && munmap(p, n) == 0;
}

bool mem_grow(void *v, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap < 8 ? 8 : *cap;
	void *p;

	if (need <= *cap)
		return true;
	while (n < need) {
		if (__builtin_mul_overflow(n, 2, &n))
			return false;
	}
	memcpy(&p, v, sizeof(p));
	p = mem_realloc(p, n, size);
	if (!p)
		return false;
	memcpy(v, &p, sizeof(p));
	*cap = n;
	return true;
}

void arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){.limit = limit};
}

void arena_release(struct arena *a)
{
	while (a->cleanups) {
		struct arena_cleanup *c = a->cleanups;

		a->cleanups = c->next;
		c->fn(c->arg);
	}
	while (a->head) {
		struct arena_block *b = a->head;

		a->head = b->next;
		mem_free(b);
	}
	a->used = 0;
}

/* A block with room for n bytes; large ones go behind the head, so that the head's rest stays in use. */
static struct arena_block *block_new(struct arena *a, size_t n)
{
	size_t size = a->head ? a->head->size * 2 : BLOCK_MIN - HEADER;
	struct arena_block *b;
	bool behind;

	if (size > BLOCK_MAX - HEADER)
		size = BLOCK_MAX - HEADER;
	behind = a->head && n > size / 4;
	if (behind || n > size)
		size = n;
	b = mem_alloc(HEADER + size);
	if (!b)
		return NULL;
	*b = (struct arena_block){.size = size};
	if (behind) {
		b->next = a->head->next;
		a->head->next = b;
	} else {
		b->next = a->head;
		a->head = b;
	}
	return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->head;
	char *p;

	if (n > SIZE_MAX / 4)
		return NULL;
	n = n ? (n + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
	if (a->limit && (a->used > a->limit || n > a->limit - a->used))
		return NULL;
	if (!b || b->size - b->used < n) {
		b = block_new(a, n);
		if (!b)
			return NULL;
	}
	p = (char *)b + HEADER + b->used;
	b->used += n;
	a->used += n;
	return memset(p, 0, n);
}

char *arena_strndup(struct arena *a, const char *p, size_t n)
{
	char *copy = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

bool arena_dup(struct arena *a, struct slice s, struct slice *ret)
{
	char *copy = NULL;

	if (s.p) {
		copy = arena_strndup(a, s.p, s.n);
		if (!copy)
			return false;
	}
	*ret = (struct slice){copy, s.n};
	return true;
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	p = arena_alloc(a, (size_t)n + 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

bool arena_cleanup(struct arena *a, void (*fn)(void *), void *arg)
{
	struct arena_cleanup *c = arena_alloc(a, sizeof(*c));

	if (!c)
		return false;
	*c = (struct arena_cleanup){a->cleanups, fn, arg};
	a->cleanups = c;
	return true;
}
