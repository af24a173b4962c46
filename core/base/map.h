/* SPDX-License-Identifier: MIT */
/* Hash map from bytes to a 64-bit value. Keys are borrowed unless a copying arena is given. Seeded per process. */
#ifndef BASE_MAP_H
#define BASE_MAP_H
#include "base/mem.h"

struct map_entry {
	struct slice key;
	uint64_t value;
	uint64_t hash;
};
struct map {
	struct map_entry *slots;
	size_t n, cap;
	struct arena *keys; /* NULL: keys are borrowed and must outlive the map */
};
void map_init(struct map *m, struct arena *keys);
void map_release(struct map *m);
uint64_t *map_find(const struct map *m, struct slice key); /* NULL: absent; valid until the next map_put */
/* Finds or inserts `value`; *ret_slot points at the stored value, *ret_new tells which; both may be
 * NULL. False: no memory. */
bool map_put(struct map *m, struct slice key, uint64_t value, uint64_t **ret_slot, bool *ret_new);
/* Iterates: start with *it = 0; NULL at the end. The order is not defined. Values may be
 * changed meanwhile, keys not added. */
const struct map_entry *map_next(const struct map *m, size_t *it);
uint64_t hash_bytes(const void *bytes, size_t n, uint64_t seed); /* fast, not cryptographic; stable within a process */
#endif
