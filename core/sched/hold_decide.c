/* SPDX-License-Identifier: MIT */
/* What becomes of last.json with a decision on holds, and the decision against them. */
#include "sched/hold.h"

#include "sched/quarantine.h"

#include <string.h>

static json_t *brief(const json_t *hold)
{
	static const char *const texts[] = {"dataset", "indicator", "rule", "reason", "run"};
	json_t *j = json_object();
	bool ok = j && json_set_int(j, "since", json_int(hold, "since", 0));

	for (size_t i = 0; ok && i < sizeof(texts) / sizeof(texts[0]); i++)
		ok = json_set_text(j, texts[i], json_text(hold, texts[i], NULL));
	if (ok)
		return j;
	json_decref(j);
	return NULL;
}

bool hold_put_list(json_t *j, const json_t *doc)
{
	json_t *list;
	bool ok;

	(void)json_object_del(j, "holds");
	if (hold_count(doc) == 0)
		return true;
	list = json_array();
	ok = list != NULL;
	for (size_t i = 0; ok && i < hold_count(doc); i++)
		ok = json_array_append_new(list, brief(json_array_get(json_object_get(doc, "holds"), i))) == 0;
	ok = ok && json_object_set(j, "holds", list) == 0;
	json_decref(list);
	return ok;
}

/* Whether nothing but holds was wrong with any refresh that is held. */
static bool is_alone(const json_t *doc)
{
	const char *run;
	json_t *entry;

	json_object_foreach(json_object_get(doc, "runs"), run, entry)
	{
		if (!json_flag(entry, "alone"))
			return false;
	}
	return true;
}

bool hold_put_settled(json_t *last, const json_t *before, const json_t *after, const char *status)
{
	const char *was = json_text(last, "status", "");

	if (hold_count(after) > 0 || (strcmp(was, "held") != 0 && strcmp(was, "partial") != 0) || !is_alone(before))
		return true;
	(void)json_object_del(last, "message");
	return json_set_text(last, "status", status);
}

static glane_rc write_last(
	const struct store *s, const char *source, const json_t *before, const json_t *after, struct diag *d)
{
	json_t *last = NULL;
	glane_rc rc = store_last_read(s, source, &last, d);

	if (rc == GLANE_OK && (!hold_put_settled(last, before, after, "unchanged") || !hold_put_list(last, after)))
		rc = fail(d, GLANE_E_NOMEM, "no memory for the state of %s", source);
	if (rc == GLANE_OK)
		rc = store_last_write(s, source, last, d);
	json_decref(last);
	return rc;
}

/* Flags what stays, and notes the rest as rejected. */
static bool reject_chosen(const json_t *doc, struct hold_rejected *rejected, struct name_map *chosen, int64_t now,
	bool *keep, size_t *ret_n)
{
	for (size_t i = 0; i < hold_count(doc); i++) {
		const json_t *h = json_array_get(json_object_get(doc, "holds"), i);

		keep[i] = chosen->map.n > 0 && !name_map_find(chosen, hold_name(h));
		if (!keep[i] && !hold_reject(rejected, h, now, "rejected"))
			return false;
		*ret_n += !keep[i];
	}
	return true;
}

static glane_rc move_holds(json_t *doc, json_t *rejected, const struct slice_name *names, size_t n_names, int64_t now,
	size_t *ret_n, struct diag *d)
{
	bool *keep = mem_zalloc(hold_count(doc) + 1, sizeof(*keep));
	struct hold_rejected r;
	struct name_map chosen;
	bool ok = hold_rejected_open(&r, rejected) && keep;

	name_map_init(&chosen);
	for (size_t i = 0; ok && i < n_names; i++)
		ok = name_map_put(&chosen, names[i], 0, NULL);
	ok = ok && reject_chosen(doc, &r, &chosen, now, keep, ret_n) && hold_keep_only(doc, keep);
	name_map_release(&chosen);
	hold_rejected_close(&r);
	mem_free(keep);
	return ok ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory to reject a hold");
}

glane_rc hold_reject_all(const struct store *s, const char *source, const struct slice_name *names, size_t n_names,
	int64_t now, size_t *ret_n, struct diag *d)
{
	json_t *before = NULL, *doc = NULL, *rejected = NULL;
	glane_rc rc = hold_read(s, source, &before, d);

	*ret_n = 0;
	if (rc == GLANE_OK)
		rc = hold_read_rejected(s, source, &rejected, d);
	doc = rc == GLANE_OK ? json_deep_copy(before) : NULL;
	if (rc == GLANE_OK && !doc)
		rc = fail(d, GLANE_E_NOMEM, "no memory for the holds of %s", source);
	if (rc == GLANE_OK)
		rc = move_holds(doc, rejected, names, n_names, now, ret_n, d);
	if (rc == GLANE_OK && *ret_n > 0)
		rc = hold_write_rejected(s, source, rejected, d);
	if (rc == GLANE_OK && *ret_n > 0)
		rc = hold_write(s, source, doc, d);
	if (rc == GLANE_OK && *ret_n > 0)
		rc = write_last(s, source, before, doc, d);
	if (rc == GLANE_OK && *ret_n > 0)
		rc = quarantine_upkeep(s, source, doc, now, d);
	json_decref(before);
	json_decref(doc);
	json_decref(rejected);
	return rc;
}
