/* SPDX-License-Identifier: MIT */
/* quarantine/SOURCE/RUN.json: what could not be normalised, where it stands, and how long that is kept. */
#include "sched/quarantine.h"

#include "base/file.h"
#include "base/io.h"
#include "sched/hold.h"
#include "sched/hold_diff.h"
#include "sched/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY INT64_C(86400)

/* ---- writing ---- */

static json_t *reject_json(const struct intake_reject *q)
{
	json_t *j = json_object();

	if (!j || !json_set_text(j, "stage", q->by_plugin ? "plugin" : "normalise") ||
		!json_set_text(j, "rule", q->rule) || !json_set_text(j, "reason", q->reason) ||
		!json_set_text(j, "record", q->record) || !json_set_text(j, "payload", q->sha256) ||
		!json_set_int(j, "number", (int64_t)q->number) || !json_set_int(j, "line", (int64_t)q->line) ||
		!json_set_int(j, "offset", (int64_t)q->offset)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static json_t *rejects_json(const struct task *t)
{
	json_t *list = json_array(), *j = json_object(), *cursors = json_object_get(task_answers(t), "cursors");
	bool ok = list && j;

	for (size_t i = 0; ok && i < t->intake.n_rejects; i++)
		ok = json_array_append_new(list, reject_json(&t->intake.rejects[i])) == 0;
	ok = ok && json_object_set(j, "records", list) == 0 &&
	     json_set_int(j, "rejected", (int64_t)t->intake.rejected) && json_set_text(j, "source", t->conf->name) &&
	     json_set_text(j, "run", t->run->id) &&
	     (!t->requests || json_object_set(j, "requests", t->requests) == 0) &&
	     (!cursors || json_object_set(j, "cursors", cursors) == 0);
	json_decref(list);
	if (ok)
		return j;
	json_decref(j);
	return NULL;
}

glane_rc task_quarantine(const struct task *t, struct diag *d)
{
	json_t *j = rejects_json(t);
	char folder[HOLD_FILE], name[64];
	glane_rc rc;
	int dir;

	if (!j)
		return fail(d, GLANE_E_NOMEM, "no memory for the quarantine");
	hold_path(t->conf->name, "", folder);
	snprintf(name, sizeof(name), "%s.json", t->run->id);
	dir = dir_open(t->run->store.dir, folder, true, d);
	rc = dir < 0 ? GLANE_E_IO : json_write_file(dir, name, j, false, d);
	fd_close(&dir);
	json_decref(j);
	return rc;
}

/* ---- reading ---- */

/* ID of "ID.json" or "ID.ndjson.zst"; absent: another file. */
static struct slice run_of(const char *name, const char *suffix)
{
	const size_t n = strlen(name), m = strlen(suffix);
	const struct slice id = {name, n > m ? n - m : 0};

	return is_run_id(id) && strcmp(name + id.n, suffix) == 0 ? id : (struct slice){NULL, 0};
}

static int newest_first(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return run_id_cmp(slice_of(*y), slice_of(*x));
}

struct names { /* of a folder, with one suffix */
	struct arena *a;
	const char *suffix;
	const char **v;
	size_t n, cap;
	struct diag *d;
};

static glane_rc add_name(void *arg, int dir, const char *name)
{
	struct names *l = arg;
	const struct slice id = run_of(name, l->suffix);

	(void)dir;
	if (!id.p)
		return GLANE_OK;
	if (l->n == l->cap) {
		const size_t cap = l->cap ? 2 * l->cap : 64;
		const char **v = arena_alloc(l->a, cap * sizeof(*v));

		if (v && l->n)
			memcpy(v, l->v, l->n * sizeof(*v));
		if (!v)
			return fail(l->d, GLANE_E_NOMEM, "no memory for a list of runs");
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n] = arena_strndup(l->a, id.p, id.n);
	return l->v[l->n++] ? GLANE_OK : fail(l->d, GLANE_E_NOMEM, "no memory for a list of runs");
}

static glane_rc list_names(const struct store *s, const char *source, struct names *l, struct diag *d)
{
	char folder[HOLD_FILE];
	glane_rc rc;

	hold_path(source, "", folder);
	l->d = d;
	rc = folder_each(s->dir, folder, add_name, l, d);
	if (rc < 0)
		return diag_prefix(d, "%s", s->path);
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), newest_first);
	return GLANE_OK;
}

glane_rc quarantine_runs(
	const struct store *s, const char *source, struct arena *a, const char ***ret, size_t *ret_n, struct diag *d)
{
	struct names l = {.a = a, .suffix = ".json"};
	glane_rc rc = list_names(s, source, &l, d);

	if (rc != GLANE_OK)
		return rc;
	*ret = l.v;
	*ret_n = l.n;
	return GLANE_OK;
}

glane_rc quarantine_read(const struct store *s, const char *source, const char *run, json_t **ret, struct diag *d)
{
	char name[64], path[HOLD_FILE];
	json_t *j;

	if (!is_run_id(slice_of(run)))
		return fail(d, GLANE_E_USAGE, "'%s' is no id of a run, such as 20261123T234435Z", run);
	(void)snprintf(name, sizeof(name), "%s.json", run);
	hold_path(source, name, path);
	if (s->dir < 0 || !file_exists(s->dir, path))
		return fail(d, GLANE_E_USAGE,
			"run %s rejected nothing of %s, or it is no longer kept (glane quarantine list)", run, source);
	j = json_read_file(s->dir, path, JSON_FILE_MAX, d);
	if (j && !json_is_array(json_object_get(j, "records"))) {
		json_decref(j);
		j = NULL;
		(void)fail(d, GLANE_E_FORMAT, "%s: not what glane writes there", path);
	}
	if (!j) {
		(void)diag_prefix(d, "%s", s->path);
		return d && d->code == GLANE_E_NOMEM ? GLANE_E_NOMEM : GLANE_E_IO;
	}
	*ret = j;
	return GLANE_OK;
}

/* ---- upkeep ---- */

static glane_rc drop(const struct store *s, const char *source, const char *id, const char *suffix, struct diag *d)
{
	char name[64], path[HOLD_FILE];

	(void)snprintf(name, sizeof(name), "%s%s", id, suffix);
	hold_path(source, name, path);
	if (io->unlinkat(s->dir, path, 0) < 0 && errno != ENOENT)
		return fail(d, GLANE_E_IO, "%s/%s: cannot remove: %s", s->path, path, strerror(errno));
	return GLANE_OK;
}

glane_rc quarantine_upkeep(const struct store *s, const char *source, const json_t *holds, int64_t now, struct diag *d)
{
	struct arena a;
	struct names records = {.a = &a, .suffix = ".json"}, diffs = {.a = &a, .suffix = HOLD_DIFF};
	glane_rc rc;

	arena_init(&a, 0);
	rc = list_names(s, source, &records, d);
	if (rc == GLANE_OK)
		rc = list_names(s, source, &diffs, d);
	for (size_t i = 1; rc == GLANE_OK && i < records.n; i++) {
		int64_t t;

		if (i >= QUARANTINE_RUNS || (run_id_time(records.v[i], &t) && t < now - QUARANTINE_DAYS * DAY))
			rc = drop(s, source, records.v[i], ".json", d);
	}
	for (size_t i = 0; rc == GLANE_OK && i < diffs.n; i++)
		if (!json_object_get(json_object_get(holds, "runs"), diffs.v[i]))
			rc = drop(s, source, diffs.v[i], HOLD_DIFF, d);
	arena_release(&a);
	return rc;
}
