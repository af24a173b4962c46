/* SPDX-License-Identifier: MIT */
/* Token buckets per host, kept across runs. */
#include "net/fetch_limits.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <fcntl.h>

#define HOSTS 4096
#define FILE_MAX ((size_t)1 << 20)
#define DAY ((int64_t)86400)
#define BLOCK_MAX ((int64_t)300) /* seconds; also what a jumping clock can cost at most */

struct bucket {
	const char *host;
	double tokens, rate; /* rate 0: nobody asked yet */
	int64_t at, blocked; /* clock_mono_ms() */
};
struct limits {
	struct arena arena;
	struct breakers *breakers;
	const char *path;
	struct bucket *v;
	size_t n, cap;
	bool changed;
};

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
	if (v < low)
		return low;
	return v > high ? high : v;
}

static struct bucket *bucket_of(struct limits *l, const char *host)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].host, host) == 0)
			return &l->v[i];
	}
	if (l->n >= HOSTS || !mem_grow(&l->v, &l->cap, l->n + 1, sizeof(*l->v)))
		return NULL;
	l->v[l->n] = (struct bucket){.host = arena_strndup(&l->arena, host, strlen(host)), .tokens = 1e9};
	return l->v[l->n].host ? &l->v[l->n++] : NULL;
}

static void load(struct limits *l)
{
	struct diag ignored = {0};
	json_t *j = json_read_file(AT_FDCWD, l->path, FILE_MAX, &ignored), *entry;
	int64_t mono = clock_mono_ms(), utc = clock_utc();
	const char *host;

	breakers_load(l->breakers, json_object_get(j, "breakers"), mono, utc);
	json_object_foreach(json_object_get(j, "hosts"), host, entry)
	{
		int64_t elapsed = clamp(utc - json_int(entry, "at", 0), 0, DAY);
		int64_t blocked = clamp(json_int(entry, "blocked_until", 0) - utc, 0, BLOCK_MAX);
		struct bucket *b = elapsed < DAY ? bucket_of(l, host) : NULL;

		if (!b)
			continue;
		b->tokens = (double)clamp(json_int(entry, "millitokens", 0), 0, 1000000000) / 1000.0;
		b->at = mono - elapsed * 1000;
		b->blocked = blocked ? mono + blocked * 1000 : 0;
	}
	json_decref(j);
}

struct limits *limits_new(const char *path)
{
	struct limits *l = mem_zalloc(1, sizeof(*l));

	if (!l)
		return NULL;
	arena_init(&l->arena, 0);
	l->breakers = breakers_new();
	if (!l->breakers) {
		limits_free(l);
		return NULL;
	}
	if (path) {
		l->path = arena_strndup(&l->arena, path, strlen(path));
		if (!l->path) {
			limits_free(l);
			return NULL;
		}
		load(l);
	}
	return l;
}

void limits_free(struct limits *l)
{
	if (!l)
		return;
	breakers_free(l->breakers);
	mem_free(l->v);
	arena_release(&l->arena);
	mem_free(l);
}

struct breakers *limits_breakers(struct limits *l)
{
	return l->breakers;
}

static void refill(struct bucket *b, double rate, int64_t now)
{
	double burst;

	b->rate = b->rate > 0 && b->rate < rate ? b->rate : rate;
	burst = b->rate > 1 ? b->rate : 1;
	if (now > b->at)
		b->tokens += (double)(now - b->at) * b->rate / 1000.0;
	b->tokens = b->tokens > burst ? burst : b->tokens;
	b->at = now;
}

int64_t limits_take(struct limits *l, const char *host, double rate, int64_t now)
{
	struct bucket *b = bucket_of(l, host);

	if (!b) /* more hosts than buckets: one second each */
		return 1000;
	if (b->blocked > now)
		return b->blocked - now;
	refill(b, rate, now);
	if (b->tokens < 1)
		return (int64_t)((1 - b->tokens) / b->rate * 1000.0) + 1;
	b->tokens -= 1;
	l->changed = true;
	return 0;
}

void limits_block(struct limits *l, const char *host, int64_t seconds, int64_t now)
{
	struct bucket *b = bucket_of(l, host);
	int64_t until = now + clamp(seconds, 0, BLOCK_MAX) * 1000;

	if (!b || b->blocked >= until)
		return;
	b->blocked = until;
	l->changed = true;
}

bool limits_blocked(struct limits *l, const char *host, int64_t now)
{
	const struct bucket *b = bucket_of(l, host);

	return b && b->blocked > now;
}

static json_t *entry_of(const struct bucket *b, int64_t mono, int64_t utc)
{
	json_t *j = json_object();
	int64_t age = clamp((mono - b->at) / 1000, 0, DAY);
	int64_t blocked = b->blocked > mono ? utc + (b->blocked - mono + 999) / 1000 : 0;

	if (!j || !json_set_int(j, "at", utc - age) || !json_set_int(j, "blocked_until", blocked) ||
		!json_set_int(j, "millitokens", (int64_t)(b->tokens * 1000.0))) {
		json_decref(j);
		return NULL;
	}
	return j;
}

glane_rc limits_store(struct limits *l, struct diag *d)
{
	int64_t mono = clock_mono_ms(), utc = clock_utc();
	json_t *all, *hosts;
	glane_rc rc = GLANE_OK;

	if (!l->path || (!l->changed && !breakers_changed(l->breakers)))
		return GLANE_OK;
	all = json_object();
	hosts = json_object();
	for (size_t i = 0; i < l->n && rc == GLANE_OK; i++) {
		if (json_object_set_new(hosts, l->v[i].host, entry_of(&l->v[i], mono, utc)) != 0)
			rc = fail(d, GLANE_E_NOMEM, "no memory for the rate budgets");
	}
	if (json_object_set_new(all, "hosts", hosts) != 0 ||
		json_object_set_new(all, "breakers", breakers_store(l->breakers, mono, utc)) != 0)
		rc = fail(d, GLANE_E_NOMEM, "no memory for the rate budgets");
	if (rc == GLANE_OK)
		rc = json_write_file(AT_FDCWD, l->path, all, false, d);
	l->changed = rc < 0;
	json_decref(all);
	return rc;
}
