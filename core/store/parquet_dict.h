/* SPDX-License-Identifier: MIT */
/* Dictionaries under construction: values to codes 0, 1, ... in the order of their first appearance. For parquet_*.c only. */
#ifndef STORE_PARQUET_DICT_H
#define STORE_PARQUET_DICT_H
#include "base/mem.h"

#define DICT_NONE UINT32_MAX

struct dict_entry {
	size_t at; /* into bytes */
	uint32_t n, hash;
};
struct text_dict {
	uint32_t *slots; /* code + 1, 0: empty; cap_slots is a power of two */
	size_t cap_slots;
	struct dict_entry *entry;
	size_t n, cap;
	char *bytes;
	size_t n_bytes, cap_bytes;
	uint64_t seed;
};
void text_dict_init(struct text_dict *d);
void text_dict_release(struct text_dict *d);
void text_dict_reset(struct text_dict *d); /* empty, keeps the memory */
/* The code of s, which is copied where it is new (*ret_new). DICT_NONE: no memory. */
uint32_t text_dict_put(struct text_dict *d, struct slice s, bool *ret_new);
static inline struct slice text_dict_get(const struct text_dict *d, uint32_t code)
{
	return (struct slice){d->bytes + d->entry[code].at, d->entry[code].n};
}
/* rank[code]: the place of each entry in bytewise order. */
void text_dict_ranks(const struct text_dict *d, uint32_t *order, uint32_t *rank);

struct num_dict {
	uint32_t *slots;
	size_t cap_slots;
	int64_t *value;
	size_t n, cap;
	uint64_t seed;
};
void num_dict_init(struct num_dict *d);
void num_dict_release(struct num_dict *d);
/* Codes of n values into code[]. *ret_pays: false where there are so many different ones that it was given up (n above
 * `most`, or nearly one per value). False: no memory. */
bool num_dict_build(struct num_dict *d, const int64_t *v, size_t n, size_t most, uint32_t *code, bool *ret_pays);
#endif
