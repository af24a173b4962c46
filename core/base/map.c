/* SPDX-License-Identifier: MIT */
/* Hash map with open addressing; a slot whose hash is 0 is empty. */
#include "base/map.h"
#include "base/clock.h"
#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

__extension__ typedef unsigned __int128 wide;

static uint64_t fold(uint64_t a, uint64_t b)
{
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t read8(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t read4(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* In the manner of wyhash (Wang Yi, public domain), with the seed in both factors: no known input makes one zero. */
uint64_t hash_bytes(const void *bytes, size_t n, uint64_t seed)
{
	const unsigned char *p = bytes;
	uint64_t s = fold(seed ^ UINT64_C(0x2d358dccaa6c78a5), UINT64_C(0x8bb84b93962eacc9));
	uint64_t h = seed ^ UINT64_C(0x4b33a62ed433d4a3), a = 0, b = 0;
	size_t left = n;

	for (; left > 16; left -= 16, p += 16)
		h = fold(read8(p) ^ s, read8(p + 8) ^ h);
	if (left >= 8) {
		a = read8(p);
		b = read8(p + left - 8);
	} else if (left >= 4) {
		a = read4(p);
		b = read4(p + left - 4);
	} else if (left) {
		a = (uint64_t)p[0] << 16 | (uint64_t)p[left / 2] << 8 | p[left - 1];
	}
	return fold(s ^ n, fold(a ^ s, b ^ h) ^ UINT64_C(0x4d5a2da51de1aa47));
}

/* Drawn once per process: nobody outside can prepare keys that collide. */
static uint64_t process_seed(void)
{
	static uint64_t seed;
	ssize_t n;

	while (!seed) {
		do
			n = getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
		while (n < 0 && errno == EINTR);
		if (n != (ssize_t)sizeof(seed))
			seed = fold((uint64_t)clock_mono_ms() ^ (uint64_t)getpid() << 32, (uint64_t)clock_utc()) | 1;
	}
	return seed;
}

static uint64_t hash_key(struct slice key)
{
	uint64_t h = hash_bytes(key.p, key.n, process_seed());

	return h ? h : 1;
}

void map_init(struct map *m, struct arena *keys)
{
	*m = (struct map){.keys = keys};
}

void map_release(struct map *m)
{
	mem_free(m->slots);
	map_init(m, m->keys);
}

/* The slot of the key, or the empty one where it belongs; there is always an empty one. */
static struct map_entry *probe(struct map_entry *slots, size_t cap, struct slice key, uint64_t hash)
{
	size_t i = (size_t)hash & (cap - 1);

	while (slots[i].hash && !(slots[i].hash == hash && slice_eq(slots[i].key, key)))
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

uint64_t *map_find(const struct map *m, struct slice key)
{
	struct map_entry *e;

	if (m->n == 0)
		return NULL;
	e = probe(m->slots, m->cap, key, hash_key(key));
	return e->hash ? &e->value : NULL;
}

/* At most two thirds full. */
static bool grow(struct map *m)
{
	size_t cap = m->cap ? m->cap * 2 : 16;
	struct map_entry *slots;

	if (m->n < m->cap / 3 * 2)
		return true;
	slots = mem_zalloc(cap, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < m->cap; i++) {
		struct map_entry *e = &m->slots[i];

		if (e->hash)
			*probe(slots, cap, e->key, e->hash) = *e;
	}
	mem_free(m->slots);
	m->slots = slots;
	m->cap = cap;
	return true;
}

bool map_put(struct map *m, struct slice key, uint64_t value, uint64_t **ret_slot, bool *ret_new)
{
	struct map_entry *e = NULL;
	uint64_t hash = hash_key(key);
	bool fresh;

	if (m->cap)
		e = probe(m->slots, m->cap, key, hash);
	fresh = !e || !e->hash;
	if (fresh) {
		if (!grow(m) || (m->keys && !arena_dup(m->keys, key, &key)))
			return false;
		e = probe(m->slots, m->cap, key, hash);
		*e = (struct map_entry){key, value, hash};
		m->n++;
	}
	if (ret_slot)
		*ret_slot = &e->value;
	if (ret_new)
		*ret_new = fresh;
	return true;
}

const struct map_entry *map_next(const struct map *m, size_t *it)
{
	while (*it < m->cap) {
		const struct map_entry *e = &m->slots[(*it)++];

		if (e->hash)
			return e;
	}
	return NULL;
}
