/* SPDX-License-Identifier: MIT */
/* Map from the names of slices to 64-bit values. An absent name and an empty one are the same, as in slice_name_eq(). */
#ifndef STORE_NAME_MAP_H
#define STORE_NAME_MAP_H
#include "base/map.h"
#include "base/strbuf.h"
#include "store/diff.h"

struct name_map {
	struct map map;
	struct arena keys;
	struct strbuf key; /* the one that is put or looked for; as long as the longest that was put */
};
void name_map_init(struct name_map *m);
void name_map_release(struct name_map *m);
/* Inserts `value`, unless the name is there; *ret_slot (may be NULL) points at the value that is stored. False: no memory. */
bool name_map_put(struct name_map *m, struct slice_name name, uint64_t value, uint64_t **ret_slot);
uint64_t *name_map_find(struct name_map *m, struct slice_name name); /* NULL: absent; takes no memory */
#endif
