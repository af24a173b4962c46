/* SPDX-License-Identifier: MIT */
/* The key of a slice: the length of its dataset, then both names. */
#include "store/name_map.h"

void name_map_init(struct name_map *m)
{
	arena_init(&m->keys, 0);
	map_init(&m->map, &m->keys);
	strbuf_init(&m->key, 0);
}

void name_map_release(struct name_map *m)
{
	map_release(&m->map);
	arena_release(&m->keys);
	strbuf_release(&m->key);
}

static struct slice key_of(struct name_map *m, struct slice_name name)
{
	const size_t n = name.dataset.n;

	strbuf_reset(&m->key);
	strbuf_add(&m->key, &n, sizeof(n));
	strbuf_slice(&m->key, name.dataset);
	strbuf_slice(&m->key, name.indicator);
	return strbuf_get(&m->key);
}

bool name_map_put(struct name_map *m, struct slice_name name, uint64_t value, uint64_t **ret_slot)
{
	const struct slice key = key_of(m, name);

	return strbuf_ok(&m->key) && map_put(&m->map, key, value, ret_slot, NULL);
}

uint64_t *name_map_find(struct name_map *m, struct slice_name name)
{
	/* Longer than any that was put (with its NUL): not there. */
	if (sizeof(size_t) + name.dataset.n + name.indicator.n >= m->key.cap)
		return NULL;
	return map_find(&m->map, key_of(m, name));
}
