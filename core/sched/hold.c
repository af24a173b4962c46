/* SPDX-License-Identifier: MIT */
/* The documents of holds: reading, writing, and what a night or a decision makes of them. */
#include "sched/hold.h"

#include "base/file.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400)

void hold_path(const char *source, const char *name, char ret[HOLD_FILE])
{
	(void)snprintf(ret, HOLD_FILE, "quarantine/%s/%s", source, name);
}

/* ---- files ---- */

static bool good_entry(const json_t *entry)
{
	return json_int(entry, "at", INT64_MIN) != INT64_MIN && is_sha256_hex(slice_of(json_text(entry, "digest", "")));
}

static bool good_holds(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "holds");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *h = json_array_get(list, i), *run = hold_run(doc, h);

		if (!good_entry(h) || json_int(h, "since", INT64_MIN) == INT64_MIN ||
			!json_is_array(json_object_get(run, "requests")) || !json_text(run, "file", NULL))
			return false;
	}
	return json_is_array(list);
}

static bool good_rejected(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "rejected");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!good_entry(json_array_get(list, i)))
			return false;
	return json_is_array(list);
}

static glane_rc read_document(const struct store *s, const char *source, const char *name,
	bool (*good)(const json_t *doc), json_t **ret, struct diag *d)
{
	char path[HOLD_FILE];
	json_t *j;

	hold_path(source, name, path);
	if (s->dir < 0 || !file_exists(s->dir, path)) {
		j = json_object();
		if (!j)
			return fail(d, GLANE_E_NOMEM, "no memory for the holds of %s", source);
		*ret = j;
		return GLANE_OK;
	}
	j = json_read_file(s->dir, path, JSON_FILE_MAX, d);
	if (j && !good(j)) {
		json_decref(j);
		j = NULL;
		(void)fail(d, GLANE_E_FORMAT, "%s: not what glane writes there", path);
	}
	if (!j) {
		if (d && d->code == GLANE_E_NOMEM)
			return GLANE_E_NOMEM;
		if (d) {
			struct diag why = *d;

			diag_clear(d);
			return fail(d, GLANE_E_IO,
				"%s/%s; remove the file, and the next run judges the source anew (what was held or "
				"rejected is forgotten)",
				s->path, why.text);
		}
		return GLANE_E_IO;
	}
	*ret = j;
	return GLANE_OK;
}

glane_rc hold_read(const struct store *s, const char *source, json_t **ret, struct diag *d)
{
	return read_document(s, source, "hold.json", good_holds, ret, d);
}

glane_rc hold_read_rejected(const struct store *s, const char *source, json_t **ret, struct diag *d)
{
	return read_document(s, source, "rejected.json", good_rejected, ret, d);
}

static glane_rc write_document(
	const struct store *s, const char *source, const char *name, const json_t *doc, struct diag *d)
{
	char folder[HOLD_FILE];
	glane_rc rc = GLANE_OK;
	int dir;

	hold_path(source, "", folder);
	dir = dir_open(s->dir, folder, doc != NULL, d);
	if (dir < 0)
		return GLANE_E_IO;
	if (doc)
		rc = json_write_file(dir, name, doc, false, d);
	else if (io->unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		rc = fail(d, GLANE_E_IO, "cannot remove %s: %s", name, strerror(errno));
	else
		rc = fd_sync(dir, folder, d);
	if (rc < 0)
		(void)diag_prefix(d, "%s/%s", s->path, folder);
	fd_close(&dir);
	return rc;
}

glane_rc hold_write(const struct store *s, const char *source, const json_t *doc, struct diag *d)
{
	char path[HOLD_FILE];

	hold_path(source, "hold.json", path);
	if (hold_count(doc) == 0 && !file_exists(s->dir, path))
		return GLANE_OK;
	return write_document(s, source, "hold.json", hold_count(doc) ? doc : NULL, d);
}

glane_rc hold_write_rejected(const struct store *s, const char *source, const json_t *doc, struct diag *d)
{
	return write_document(s, source, "rejected.json", hold_rejected_count(doc) ? doc : NULL, d);
}

/* ---- reading a document ---- */

size_t hold_count(const json_t *doc)
{
	return json_array_size(json_object_get(doc, "holds"));
}

struct slice_name hold_name(const json_t *hold)
{
	return (struct slice_name){
		slice_of(json_text(hold, "dataset", "")), slice_of(json_text(hold, "indicator", ""))};
}

struct slice_name hold_slice(const struct slice_result *r)
{
	return (struct slice_name){r->dataset, r->indicator};
}

bool hold_index(const json_t *doc, struct name_map *ret)
{
	const json_t *list = json_object_get(doc, "holds");

	name_map_init(ret);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *h = json_array_get(list, i);

		if (!name_map_put(ret, hold_name(h), (uintptr_t)h, NULL))
			return false;
	}
	return true;
}

const json_t *hold_find(struct name_map *index, struct slice_name name)
{
	const uint64_t *at = name_map_find(index, name);

	return at ? (const json_t *)(uintptr_t)*at : NULL;
}

json_t *hold_run(const json_t *doc, const json_t *hold)
{
	return json_object_get(json_object_get(doc, "runs"), json_text(hold, "run", ""));
}

int64_t hold_ends(const json_t *hold, int64_t days)
{
	return json_int(hold, "since", 0) + days * DAY;
}

/* ---- decisions ---- */

static bool is_mass_revision(const char *rule)
{
	return rule && strcmp(rule, "max_revised_percent") == 0;
}

bool hold_is_released(const json_t *hold, const struct slice_result *r, const char *digest, int64_t now)
{
	return hold && r->verdict == SLICE_HELD && r->updated_moved && is_mass_revision(r->rule) &&
	       is_mass_revision(json_text(hold, "rule", NULL)) && strcmp(json_text(hold, "digest", ""), digest) == 0 &&
	       now - json_int(hold, "at", now) >= HOLD_AGAIN;
}

/* ---- a night ---- */

static json_t *new_entry(const struct hold_night *night, size_t i, int64_t since)
{
	const struct slice_result *r = &night->slices[i];
	json_t *j = json_object();

	if (j && json_set_slice(j, "dataset", r->dataset) && json_set_slice(j, "indicator", r->indicator) &&
		json_set_int(j, "since", since) && json_set_int(j, "at", night->now) &&
		json_set_text(j, "run", night->run) && json_set_text(j, "rule", r->rule) &&
		json_set_text(j, "reason", r->reason) && json_set_text(j, "digest", night->digests[i]) &&
		json_set_int(j, "rows", (int64_t)r->rows) && json_set_int(j, "before", (int64_t)r->before) &&
		json_set_int(j, "new", (int64_t)r->added) && json_set_int(j, "revised", (int64_t)r->revised) &&
		json_set_int(j, "changed_status", (int64_t)r->status) &&
		json_set_int(j, "withdrawn", (int64_t)r->withdrawn) &&
		json_set_int(j, "restored", (int64_t)r->restored) &&
		json_object_set_new(j, "updated_moved", json_boolean(r->updated_moved)) == 0)
		return j;
	json_decref(j);
	return NULL;
}

bool slice_is_changed(const struct slice_result *r)
{
	return r->verdict == SLICE_OK && r->added + r->revised + r->status + r->withdrawn + r->restored > 0;
}

/* Whether an entry stays as it is; `at`: its slice in the night, NULL: not spoken of. */
static bool stays(const json_t *hold, const struct hold_night *night, const uint64_t *at)
{
	const struct slice_result *r = at ? &night->slices[*at] : NULL;

	if (!r)
		return true;
	if (night->keep)
		return !slice_is_changed(r);
	return r->verdict == SLICE_FAILED ||
	       (r->verdict == SLICE_HELD && strcmp(json_text(hold, "digest", ""), night->digests[*at]) == 0 &&
		       !json_object_get(night->lost, json_text(hold, "run", "")));
}

static bool keep_entry(json_t *doc, const json_t *old, json_t *hold)
{
	json_t *runs = json_object_get(doc, "runs"), *run = hold_run(old, hold);

	return json_array_append(json_object_get(doc, "holds"), hold) == 0 &&
	       json_object_set(runs, json_text(hold, "run", ""), run) == 0;
}

static bool keep_old(json_t *doc, const json_t *old, const struct hold_night *night)
{
	struct name_map slices;
	bool ok = true;

	name_map_init(&slices);
	for (size_t i = 0; ok && i < night->n; i++)
		ok = name_map_put(&slices, hold_slice(&night->slices[i]), i, NULL);
	for (size_t i = 0; ok && i < hold_count(old); i++) {
		json_t *h = json_array_get(json_object_get(old, "holds"), i);

		ok = !stays(h, night, name_map_find(&slices, hold_name(h))) || keep_entry(doc, old, h);
	}
	name_map_release(&slices);
	return ok;
}

static bool add_new(json_t *doc, const json_t *old, const struct hold_night *night, bool *ret_new)
{
	json_t *list = json_object_get(doc, "holds");
	struct name_map before, held;
	bool ok = hold_index(old, &before);

	ok = hold_index(doc, &held) && ok;
	for (size_t i = 0; ok && i < night->n; i++) {
		const struct slice_name name = hold_slice(&night->slices[i]);
		json_t *h;

		if (night->slices[i].verdict != SLICE_HELD || hold_find(&held, name))
			continue;
		h = new_entry(night, i, json_int(hold_find(&before, name), "since", night->now));
		ok = json_array_append_new(list, h) == 0 && name_map_put(&held, name, (uintptr_t)h, NULL);
		*ret_new = true;
	}
	name_map_release(&held);
	name_map_release(&before);
	return ok;
}

static json_t *empty_document(void)
{
	return json_pack("{s:[],s:{}}", "holds", "runs");
}

json_t *hold_merge(const json_t *old, const struct hold_night *night, bool *ret_new)
{
	json_t *doc = empty_document();

	*ret_new = false;
	if (doc && keep_old(doc, old, night) && add_new(doc, old, night, ret_new))
		return doc;
	json_decref(doc);
	return NULL;
}

bool hold_keep_only(json_t *doc, const bool *keep)
{
	json_t *old = json_object_get(doc, "holds"), *next = empty_document();
	bool ok = next != NULL;

	for (size_t i = 0; ok && i < json_array_size(old); i++)
		ok = !keep[i] || keep_entry(next, doc, json_array_get(old, i));
	ok = ok && json_object_update(doc, next) == 0;
	json_decref(next);
	return ok;
}
