/* SPDX-License-Identifier: MIT */
/* Memory: the only place that calls malloc, and arenas that free everything of one lifetime at once. */
#ifndef BASE_MEM_H
#define BASE_MEM_H
#include "base/slice.h"

/* All return NULL when memory or the test's allocation budget is gone; n * size is checked for overflow. */
void *mem_alloc(size_t n); /* not zeroed */
void *mem_zalloc(size_t n, size_t size);
void *mem_realloc(void *p, size_t n, size_t size);
void mem_free(void *p);
/* n bytes could be had now. For libraries that crash where they get no memory as they begin: they are not begun then. */
bool mem_has(size_t n);
#define MEM_LIBRARY ((size_t)1 << 20) /* more than any of them takes for that */
/* Tests only: the N-th allocation from now fails (0: none), once or for ever. True: what was set before did fail one. */
bool mem_fail_after(long n, bool for_ever);

/* Grows *v (elements of `size` bytes) so that `need` fit; doubles; *cap is in elements. False: no memory. */
bool mem_grow(void *v, size_t *cap, size_t need, size_t size);

struct arena {
	struct arena_block *head;
	struct arena_cleanup *cleanups;
	size_t used, limit; /* bytes; limit 0: none */
};
void arena_init(struct arena *a, size_t limit);
void arena_release(struct arena *a);          /* runs cleanups newest first, frees all, usable again */
void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned to 16; NULL: no memory or over the limit */
char *arena_strndup(struct arena *a, const char *p, size_t n);      /* NUL-terminated copy */
bool arena_dup(struct arena *a, struct slice s, struct slice *ret); /* absent stays absent */
char *arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool arena_cleanup(struct arena *a, void (*fn)(void *), void *arg);
#endif
