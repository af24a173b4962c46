/* SPDX-License-Identifier: MIT */
/* Circuit breakers per origin. */
#include "net/fetch_breaker.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define ORIGINS 4096
#define DAY ((int64_t)86400)

struct breaker {
	const char *origin;
	unsigned failures; /* in a row */
	bool probing;
	int64_t until, at; /* open until; when it last failed */
	char why[200];
};
struct breakers {
	struct arena arena;
	struct breaker *v;
	size_t n, cap;
	bool changed;
};

struct breakers *breakers_new(void)
{
	struct breakers *b = mem_zalloc(1, sizeof(*b));

	if (b)
		arena_init(&b->arena, 0);
	return b;
}

void breakers_free(struct breakers *b)
{
	if (!b)
		return;
	mem_free(b->v);
	arena_release(&b->arena);
	mem_free(b);
}

static struct breaker *find(const struct breakers *b, const char *origin)
{
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(b->v[i].origin, origin) == 0)
			return &b->v[i];
	}
	return NULL;
}

/* NULL: no memory, or too many: such an origin has no breaker. */
static struct breaker *find_or_add(struct breakers *b, const char *origin)
{
	struct breaker *e = find(b, origin);

	if (e || b->n >= ORIGINS || !mem_grow(&b->v, &b->cap, b->n + 1, sizeof(*b->v)))
		return e;
	b->v[b->n] = (struct breaker){.origin = arena_strndup(&b->arena, origin, strlen(origin))};
	return b->v[b->n].origin ? &b->v[b->n++] : NULL;
}

enum breaker_gate breaker_ask(struct breakers *b, const char *origin, bool *probing, int64_t now)
{
	struct breaker *e = find(b, origin);

	if (*probing || !e || e->failures < BREAKER_FAILURES)
		return BREAKER_GO;
	if (now < e->until)
		return BREAKER_OPEN;
	if (e->probing)
		return BREAKER_WAIT;
	e->probing = *probing = true;
	return BREAKER_GO;
}

void breaker_release(struct breakers *b, const char *origin, bool *probing)
{
	struct breaker *e = find(b, origin);

	if (e && *probing)
		e->probing = false;
	*probing = false;
}

void breaker_result(struct breakers *b, const char *origin, bool *probing, bool answered, const char *why, int64_t now)
{
	struct breaker *e = answered ? find(b, origin) : find_or_add(b, origin);

	breaker_release(b, origin, probing);
	if (!e || (answered && !e->failures))
		return;
	b->changed = true;
	if (answered) {
		e->failures = 0;
		return;
	}
	e->failures += e->failures < BREAKER_FAILURES;
	e->at = now;
	(void)snprintf(e->why, sizeof(e->why), "%s", why);
	if (e->failures == BREAKER_FAILURES)
		e->until = now + (int64_t)BREAKER_SECONDS * 1000;
}

int64_t breaker_open_ms(const struct breakers *b, const char *origin, int64_t now)
{
	const struct breaker *e = find(b, origin);

	return e && e->failures >= BREAKER_FAILURES && e->until > now ? e->until - now : 0;
}

const char *breaker_why(const struct breakers *b, const char *origin)
{
	const struct breaker *e = find(b, origin);

	return e ? e->why : "";
}

void breakers_half_open(struct breakers *b, int64_t now)
{
	for (size_t i = 0; i < b->n; i++)
		b->v[i].until = now;
}

bool breakers_changed(const struct breakers *b)
{
	return b->changed;
}

static json_t *entry_of(const struct breaker *e, int64_t mono, int64_t utc)
{
	json_t *j = json_object();
	int64_t left = e->until > mono ? (e->until - mono + 999) / 1000 : 0;

	if (j && json_set_int(j, "failures", e->failures) && json_set_int(j, "at", utc - (mono - e->at) / 1000) &&
		json_set_int(j, "open_until", left ? utc + left : 0) && json_set_text(j, "why", e->why))
		return j;
	json_decref(j);
	return NULL;
}

json_t *breakers_store(struct breakers *b, int64_t mono, int64_t utc)
{
	json_t *all = json_object();

	for (size_t i = 0; all && i < b->n; i++) {
		if (b->v[i].failures && json_object_set_new(all, b->v[i].origin, entry_of(&b->v[i], mono, utc)) != 0) {
			json_decref(all);
			all = NULL;
		}
	}
	b->changed = b->changed && !all;
	return all;
}

void breakers_load(struct breakers *b, const json_t *j, int64_t mono, int64_t utc)
{
	for (void *at = json_object_iter((json_t *)(uintptr_t)j); at;
		at = json_object_iter_next((json_t *)(uintptr_t)j, at)) {
		const json_t *entry = json_object_iter_value(at);
		int64_t age = utc - json_int(entry, "at", 0), left = json_int(entry, "open_until", 0) - utc;
		int64_t failures = json_int(entry, "failures", 0);
		struct breaker *e;

		if (age < -DAY || age > DAY || failures < 1)
			continue;
		e = find_or_add(b, json_object_iter_key(at));
		if (!e)
			return;
		age = age < 0 ? 0 : age;
		left = left > BREAKER_SECONDS ? BREAKER_SECONDS : left;
		e->failures = failures > BREAKER_FAILURES ? BREAKER_FAILURES : (unsigned)failures;
		e->at = mono - age * 1000;
		e->until = left > 0 ? mono + left * 1000 : mono;
		(void)snprintf(e->why, sizeof(e->why), "%s", json_text(entry, "why", ""));
	}
}
