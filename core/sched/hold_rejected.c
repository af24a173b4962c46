/* SPDX-License-Identifier: MIT */
/* rejected.json in memory: the entries of a slice are a chain, so that a pass over many slices looks at each entry once. */
#include "sched/hold.h"

#include <string.h>

size_t hold_rejected_count(const json_t *rejected)
{
	return json_array_size(json_object_get(rejected, "rejected"));
}

static json_t *list_of(const struct hold_rejected *r)
{
	return json_object_get(r->doc, "rejected");
}

/* Entry number n (from 1) is the newest of its slice so far. */
static bool link_entry(struct hold_rejected *r, size_t n)
{
	uint64_t *newest;

	if (!mem_grow(&r->before, &r->cap, n, sizeof(*r->before)) ||
		!name_map_put(&r->newest, hold_name(json_array_get(list_of(r), n - 1)), 0, &newest))
		return false;
	r->before[n - 1] = (size_t)*newest;
	*newest = n;
	return true;
}

bool hold_rejected_open(struct hold_rejected *r, json_t *doc)
{
	bool ok = true;

	*r = (struct hold_rejected){.doc = doc};
	name_map_init(&r->newest);
	for (size_t i = 0; ok && i < hold_rejected_count(doc); i++)
		ok = link_entry(r, i + 1);
	return ok;
}

/* Takes no memory: whatever has failed, the document is whole. */
void hold_rejected_close(struct hold_rejected *r)
{
	json_t *list = list_of(r);
	size_t n = 0;

	for (size_t i = 0; r->gone && i < json_array_size(list); i++)
		if (!json_is_null(json_array_get(list, i)))
			(void)json_array_set(list, n++, json_array_get(list, i));
	while (r->gone && json_array_size(list) > n)
		(void)json_array_remove(list, json_array_size(list) - 1);
	name_map_release(&r->newest);
	mem_free(r->before);
	*r = (struct hold_rejected){.doc = NULL};
}

int64_t hold_rejected_at(struct hold_rejected *r, struct slice_name name, const char *digest)
{
	const uint64_t *newest = name_map_find(&r->newest, name);

	for (size_t n = newest ? (size_t)*newest : 0; n > 0; n = r->before[n - 1]) {
		const json_t *one = json_array_get(list_of(r), n - 1);

		if (strcmp(json_text(one, "digest", ""), digest) == 0)
			return json_int(one, "at", INT64_MIN);
	}
	return INT64_MIN;
}

/* Leaves the newest `keep` entries of a slice. True: others went. */
static bool trim(struct hold_rejected *r, struct slice_name name, size_t keep)
{
	uint64_t *newest = name_map_find(&r->newest, name);
	size_t n = newest ? (size_t)*newest : 0, seen = 0, before;
	bool gone = false;

	for (; n > 0; n = before) {
		before = r->before[n - 1];
		if (++seen == keep)
			r->before[n - 1] = 0;
		if (seen > keep)
			gone = json_array_set(list_of(r), n - 1, json_null()) == 0;
	}
	if (newest && keep == 0)
		*newest = 0;
	r->gone |= gone;
	return gone;
}

bool hold_forget(struct hold_rejected *r, struct slice_name name)
{
	return trim(r, name, 0);
}

bool hold_reject(struct hold_rejected *r, const json_t *hold, int64_t at, const char *why)
{
	static const char *const texts[] = {"dataset", "indicator", "rule", "reason", "run", "digest"};
	json_t *j = json_object();
	bool ok = j != NULL;

	if (!list_of(r))
		ok = json_object_set_new(r->doc, "rejected", json_array()) == 0 && ok;
	for (size_t i = 0; ok && i < sizeof(texts) / sizeof(texts[0]); i++)
		ok = json_set_text(j, texts[i], json_text(hold, texts[i], NULL));
	if (!ok || !json_set_int(j, "at", at) || !json_set_text(j, "why", why)) {
		json_decref(j);
		return false;
	}
	(void)trim(r, hold_name(hold), HOLD_REJECTED - 1);
	return json_array_append_new(list_of(r), j) == 0 && link_entry(r, json_array_size(list_of(r)));
}
