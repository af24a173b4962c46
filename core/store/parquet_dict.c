/* SPDX-License-Identifier: MIT */
/* Open addressing over arrays of codes; runs of equal values cost one comparison. */
#include "store/parquet_dict.h"

#include "base/clock.h"
#include "base/map.h"

#include <stdlib.h>

#define FIRST_CAP 1024

/* Differs from process to process, so that nobody outside can prepare values that collide. No result depends on it. */
static uint64_t new_seed(const void *at)
{
	uint64_t from[2] = {(uint64_t)(uintptr_t)at, (uint64_t)clock_mono_ms()};

	return hash_bytes(from, sizeof(from), UINT64_C(0x9e3779b97f4a7c15));
}

void text_dict_init(struct text_dict *d)
{
	*d = (struct text_dict){.slots = NULL};
}

void text_dict_release(struct text_dict *d)
{
	mem_free(d->slots);
	mem_free(d->entry);
	mem_free(d->bytes);
	text_dict_init(d);
}

void text_dict_reset(struct text_dict *d)
{
	if (d->slots)
		memset(d->slots, 0, d->cap_slots * sizeof(*d->slots));
	d->n = d->n_bytes = 0;
}

static bool grow_text(struct text_dict *d)
{
	size_t cap = d->cap_slots ? d->cap_slots * 2 : FIRST_CAP;
	uint32_t *slots = mem_zalloc(cap, sizeof(*slots));

	if (!slots)
		return false;
	if (!d->cap_slots)
		d->seed = new_seed(slots);
	for (size_t i = 0; i < d->n; i++) {
		size_t at = d->entry[i].hash & (cap - 1);

		while (slots[at])
			at = (at + 1) & (cap - 1);
		slots[at] = (uint32_t)i + 1;
	}
	mem_free(d->slots);
	d->slots = slots;
	d->cap_slots = cap;
	return true;
}

uint32_t text_dict_put(struct text_dict *d, struct slice s, bool *ret_new)
{
	uint32_t hash, code;
	size_t at;

	if (d->n * 2 >= d->cap_slots && !grow_text(d))
		return DICT_NONE;
	hash = (uint32_t)hash_bytes(s.p, s.n, d->seed);
	for (at = hash & (d->cap_slots - 1); (code = d->slots[at]) != 0; at = (at + 1) & (d->cap_slots - 1)) {
		const struct dict_entry *e = &d->entry[code - 1];

		if (e->hash == hash && e->n == s.n && (s.n == 0 || memcmp(d->bytes + e->at, s.p, s.n) == 0)) {
			*ret_new = false;
			return code - 1;
		}
	}
	if (d->n >= DICT_NONE - 1 || s.n > UINT32_MAX || !mem_grow(&d->entry, &d->cap, d->n + 1, sizeof(*d->entry)) ||
		!mem_grow(&d->bytes, &d->cap_bytes, d->n_bytes + s.n + 1, 1))
		return DICT_NONE;
	d->entry[d->n] = (struct dict_entry){d->n_bytes, (uint32_t)s.n, hash};
	if (s.n)
		memcpy(d->bytes + d->n_bytes, s.p, s.n);
	d->n_bytes += s.n;
	d->slots[at] = (uint32_t)++d->n;
	*ret_new = true;
	return (uint32_t)d->n - 1;
}

static int by_text(const void *a, const void *b, void *arg)
{
	const struct text_dict *d = arg;

	return slice_cmp(text_dict_get(d, *(const uint32_t *)a), text_dict_get(d, *(const uint32_t *)b));
}

void text_dict_ranks(const struct text_dict *d, uint32_t *order, uint32_t *rank)
{
	struct text_dict borrowed = *d;

	for (size_t i = 0; i < d->n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, d->n, sizeof(*order), by_text, &borrowed);
	for (size_t i = 0; i < d->n; i++)
		rank[order[i]] = (uint32_t)i;
}

void num_dict_init(struct num_dict *d)
{
	*d = (struct num_dict){.slots = NULL};
}

void num_dict_release(struct num_dict *d)
{
	mem_free(d->slots);
	mem_free(d->value);
	num_dict_init(d);
}

static size_t num_slot(const struct num_dict *d, int64_t v)
{
	uint64_t h = ((uint64_t)v ^ d->seed) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return (size_t)(h >> 32) & (d->cap_slots - 1);
}

static bool grow_num(struct num_dict *d)
{
	size_t cap = d->cap_slots ? d->cap_slots * 2 : FIRST_CAP;
	uint32_t *slots = mem_zalloc(cap, sizeof(*slots));

	if (!slots || !mem_grow(&d->value, &d->cap, cap, sizeof(*d->value))) {
		mem_free(slots);
		return false;
	}
	if (!d->cap_slots)
		d->seed = new_seed(slots);
	mem_free(d->slots);
	d->slots = slots;
	d->cap_slots = cap;
	for (size_t i = 0; i < d->n; i++) {
		size_t at = num_slot(d, d->value[i]);

		while (slots[at])
			at = (at + 1) & (cap - 1);
		slots[at] = (uint32_t)i + 1;
	}
	return true;
}

/* False: no memory. */
static bool num_code(struct num_dict *d, int64_t v, uint32_t *ret)
{
	size_t at;

	if ((!d->slots || d->n * 2 >= d->cap_slots) && !grow_num(d))
		return false;
	for (at = num_slot(d, v); d->slots[at]; at = (at + 1) & (d->cap_slots - 1))
		if (d->value[d->slots[at] - 1] == v) {
			*ret = d->slots[at] - 1;
			return true;
		}
	d->value[d->n] = v;
	d->slots[at] = (uint32_t)++d->n;
	*ret = (uint32_t)d->n - 1;
	return true;
}

bool num_dict_build(struct num_dict *d, const int64_t *v, size_t n, size_t most, uint32_t *code, bool *ret_pays)
{
	uint32_t last = 0;

	d->n = 0;
	if (d->slots)
		memset(d->slots, 0, d->cap_slots * sizeof(*d->slots));
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || v[i] != v[i - 1]) {
			if (!num_code(d, v[i], &last))
				return false;
			if (d->n > most || (i % 4096 == 4095 && d->n > i - i / 8)) {
				*ret_pays = false;
				return true;
			}
		}
		code[i] = last;
	}
	*ret_pays = true;
	return true;
}
