/* SPDX-License-Identifier: MIT */
/* Commits of a source: their numbers, times and states; the side file outside them. */
#include "base/conf.h"
#include "base/file.h"
#include "store/files.h"
#include "store/lake.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

glane_rc store_commit_number(const struct store *s, const char *source, uint64_t *ret, struct diag *d)
{
	char folder[STORE_NAME];
	glane_rc rc = source_folder("state", source, folder, d);

	if (rc == GLANE_OK)
		*ret = lake_commit(s, LAKE_STREAM, source);
	return rc;
}

glane_rc store_state(const struct store *s, const char *source, uint64_t n, json_t **ret, struct diag *d)
{
	char name[STORE_NAME];
	glane_rc rc = state_name(source, n, name, d);
	json_t *j;

	if (rc < 0)
		return rc;
	if (n > lake_commit(s, LAKE_STREAM, source))
		return fail(d, GLANE_E_IO, "%s/%s: there is no such commit", s->path, name);
	if (!n) {
		j = json_object();
		if (!j)
			return fail(d, GLANE_E_NOMEM, "no memory for an empty state");
	} else {
		j = read_object(s, name, &rc, d);
		if (!j)
			return rc;
	}
	*ret = j;
	return GLANE_OK;
}

glane_rc commit_time(const struct store *s, const char *source, uint64_t n, int64_t *ret, struct diag *d)
{
	json_t *state = NULL;
	glane_rc rc = store_state(s, source, n, &state, d);

	if (rc < 0)
		return rc;
	if (!json_time(state, "recorded_at", ret))
		rc = fail(d, GLANE_E_IO, "%s/state/%s/%llu.json: recorded_at is missing; the store is damaged", s->path,
			source, (unsigned long long)n);
	json_decref(state);
	return rc;
}

glane_rc store_commit_as_of(const struct store *s, const char *source, int64_t t, uint64_t *ret, struct diag *d)
{
	uint64_t newest = 0;
	glane_rc rc = store_commit_number(s, source, &newest, d);
	uint64_t below = 0, above = newest + 1; /* commits <= below are not later than t, those >= above are */

	if (rc < 0)
		return rc;
	while (above - below > 1) {
		uint64_t mid = below + (above - below) / 2;
		int64_t at;

		rc = commit_time(s, source, mid, &at, d);
		if (rc < 0)
			return rc;
		if (at <= t)
			below = mid;
		else
			above = mid;
	}
	*ret = below;
	return GLANE_OK;
}

struct names {
	struct arena *arena;
	const char **v;
	size_t n, cap;
	struct diag *d;
};

static glane_rc add_source(struct names *names, struct slice app)
{
	static const char prefix[] = "glane:";
	struct slice name;
	char *copy;

	if (!slice_has_prefix(app, prefix))
		return GLANE_OK;
	name = (struct slice){app.p + strlen(prefix), app.n - strlen(prefix)};
	if (!conf_is_name(name))
		return GLANE_OK;
	copy = arena_strndup(names->arena, name.p, name.n);
	if (!copy || !mem_grow(&names->v, &names->cap, names->n + 1, sizeof(*names->v)))
		return fail(names->d, GLANE_E_NOMEM, "no memory for the list of sources");
	names->v[names->n++] = copy;
	return GLANE_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

glane_rc store_sources(const struct store *s, struct arena *a, const char ***ret, size_t *ret_n, struct diag *d)
{
	struct names names = {.arena = a, .d = d};
	const struct map_entry *e;
	const char **list;
	glane_rc rc = GLANE_OK;
	size_t it = 0;

	while (rc == GLANE_OK && (e = map_next(&s->lake->table[LAKE_STREAM].txns, &it)))
		rc = add_source(&names, e->key);
	if (rc < 0)
		goto out;
	list = arena_alloc(a, (names.n + 1) * sizeof(*list));
	if (!list) {
		rc = fail(d, GLANE_E_NOMEM, "no memory for the list of sources");
		goto out;
	}
	if (names.n) {
		memcpy(list, names.v, names.n * sizeof(*list));
		qsort(list, names.n, sizeof(*list), by_name);
	}
	*ret = list;
	*ret_n = names.n;
out:
	mem_free(names.v);
	return rc;
}

glane_rc store_commits(const struct store *s, json_t **ret, struct diag *d)
{
	json_t *j = json_object();
	const char **names;
	struct arena arena;
	size_t n = 0;
	glane_rc rc;

	arena_init(&arena, 0);
	rc = j ? store_sources(s, &arena, &names, &n, d) : fail(d, GLANE_E_NOMEM, "no memory for the list of commits");
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		uint64_t newest;

		rc = store_commit_number(s, names[i], &newest, d);
		if (rc == GLANE_OK && !json_set_int(j, names[i], (int64_t)newest))
			rc = fail(d, GLANE_E_NOMEM, "no memory for the list of commits");
	}
	arena_release(&arena);
	if (rc == GLANE_OK)
		*ret = j;
	else
		json_decref(j);
	return rc;
}

/* state/SOURCE/NAME.json, outside the commit. Missing: an empty object. */
static glane_rc side_read(const struct store *s, const char *source, const char *stem, json_t **ret, struct diag *d)
{
	char folder[STORE_NAME], name[STORE_NAME + 16];
	glane_rc rc = source_folder("state", source, folder, d);
	json_t *j;

	if (rc < 0)
		return rc;
	(void)snprintf(name, sizeof(name), "%s/%s.json", folder, stem);
	if (!file_exists(s->dir, name)) {
		j = json_object();
		if (!j)
			return fail(d, GLANE_E_NOMEM, "no memory for an empty document");
	} else {
		struct diag own = {0};

		j = read_object(s, name, &rc, &own);
		if (!j)
			return fail(d, rc, "%s%s", own.text,
				faccessat(s->dir, name, R_OK, 0) == 0
					? "; remove that file, the source's next run makes it again"
					: "");
	}
	*ret = j;
	return GLANE_OK;
}

static glane_rc side_write(const struct store *s, const char *source, const char *name, const json_t *j, struct diag *d)
{
	char folder[STORE_NAME];
	glane_rc rc = store_may_write(s, d);
	int dir;

	if (rc == GLANE_OK)
		rc = source_folder("state", source, folder, d);
	if (rc < 0)
		return rc;
	dir = dir_open(s->dir, folder, true, d);
	rc = dir < 0 ? GLANE_E_IO : json_write_file(dir, name, j, false, d);
	fd_close(&dir);
	if (rc < 0)
		(void)diag_prefix(d, "%s/%s", s->path, folder);
	return store_wrote(s, rc);
}

glane_rc store_last_read(const struct store *s, const char *source, json_t **ret, struct diag *d)
{
	return side_read(s, source, "last", ret, d);
}

glane_rc store_last_write(const struct store *s, const char *source, const json_t *j, struct diag *d)
{
	return side_write(s, source, "last.json", j, d);
}

glane_rc store_seen_read(const struct store *s, const char *source, uint64_t n, json_t **ret, struct diag *d)
{
	json_t *j = NULL;
	glane_rc rc = side_read(s, source, "seen", &j, d);

	if (rc < 0)
		return rc;
	if (json_int(j, "commit", -1) != (int64_t)n)
		json_object_clear(j);
	*ret = j;
	return GLANE_OK;
}

glane_rc store_seen_write(const struct store *s, const char *source, uint64_t n, json_t *j, struct diag *d)
{
	if (!json_set_int(j, "commit", (int64_t)n))
		return fail(d, GLANE_E_NOMEM, "no memory for what was seen of %s", source);
	return side_write(s, source, "seen.json", j, d);
}
