/* SPDX-License-Identifier: MIT */
/*
 * Token buckets per host: `rate` tokens per second flow in, at most max(1, rate) are kept, each request takes one. They
 * outlive the process in a JSON file {"hosts": {"HOST": {"at": UTC, "blocked_until": UTC, "millitokens": N}}, "breakers": see
 * fetch_breaker.h}; a clock that jumped is clamped.
 */
#ifndef NET_FETCH_LIMITS_H
#define NET_FETCH_LIMITS_H
#include "base/diag.h"
#include "net/fetch_breaker.h"

struct limits;
/* path NULL: kept for this process only. A file that does not parse is passed over: the buckets start full. */
struct limits *limits_new(const char *path); /* NULL: no memory */
void limits_free(struct limits *l);
struct breakers *limits_breakers(struct limits *l);
/* Takes a token at clock_mono_ms() `now`: 0, or the milliseconds to wait, in which case nothing was taken. The slowest rate asked for
 * a host is the one kept. */
int64_t limits_take(struct limits *l, const char *host, double rate, int64_t now);
/* Nobody asks that host before `seconds` have passed (Retry-After). */
void limits_block(struct limits *l, const char *host, int64_t seconds, int64_t now);
bool limits_blocked(struct limits *l, const char *host, int64_t now);
glane_rc limits_store(struct limits *l, struct diag *d); /* where something changed */
#endif
