/* SPDX-License-Identifier: MIT */
/* Run ids and run reports. */
#include "base/clock.h"
#include "base/file.h"
#include "store/files.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEM (sizeof("20261123T234435Z") - 1)
#define TRIES 100000

/* The number behind the stem: 1 without one; 0 where the text is no run id. */
static int64_t id_number(struct slice id)
{
	static const char form[] = "ddddddddTddddddZ";
	int64_t n;

	if (id.n < STEM || id.n > 32)
		return 0;
	for (size_t i = 0; i < STEM; i++) {
		bool digit = id.p[i] >= '0' && id.p[i] <= '9';

		if (form[i] == 'd' ? !digit : id.p[i] != form[i])
			return 0;
	}
	if (id.n == STEM)
		return 1;
	if (id.p[STEM] != '-' || id.n < STEM + 2 || id.p[STEM + 1] < '1' || id.p[STEM + 1] > '9')
		return 0;
	if (!slice_int((struct slice){id.p + STEM + 1, id.n - STEM - 1}, 2, INT64_MAX, &n))
		return 0;
	return n;
}

bool is_run_id(struct slice text)
{
	return id_number(text) > 0;
}

int run_id_cmp(struct slice a, struct slice b)
{
	const int64_t i = id_number(a), k = id_number(b);
	const int c = i && k ? memcmp(a.p, b.p, STEM) : slice_cmp(a, b);

	return c ? c : (i > k) - (i < k);
}

bool run_id_time(const char *id, int64_t *ret)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.4s-%.2s-%.5s:%.2s:%.3s", id, id + 4, id + 6, id + 11, id + 13);
	return time_parse(slice_of(text), ret);
}

static glane_rc report_name(const char *id, char ret[STORE_NAME], struct diag *d)
{
	if (!is_run_id(slice_of(id)))
		return fail(d, GLANE_E_USAGE, "'%s' is no id of a run, such as 20261123T234435Z", id);
	(void)snprintf(ret, STORE_NAME, "runs/%s.json", id);
	return GLANE_OK;
}

glane_rc store_run_write(const struct store *s, const char *id, const json_t *report, struct diag *d)
{
	char name[STORE_NAME];
	glane_rc rc = store_may_write(s, d);

	if (rc == GLANE_OK)
		rc = report_name(id, name, d);
	if (rc < 0)
		return rc;
	rc = store_wrote(s, json_write_file(s->dir, name, report, true, d));
	if (rc < 0)
		(void)diag_prefix(d, "%s", s->path);
	return rc;
}

glane_rc store_run_read(const struct store *s, const char *id, json_t **ret, struct diag *d)
{
	char name[STORE_NAME];
	glane_rc rc = report_name(id, name, d);
	json_t *j;

	if (rc < 0)
		return rc;
	if (!file_exists(s->dir, name))
		return fail(d, GLANE_E_CONFIG, "%s has no run %s; `glane runs` lists them", s->path, id);
	j = read_object(s, name, &rc, d);
	if (j)
		*ret = j;
	return rc;
}

glane_rc store_run_id(const struct store *s, int64_t now, char buf[48], struct diag *d)
{
	char time[32], id[48], name[STORE_NAME];
	size_t n = 0;

	time_format(now, time);
	for (const char *p = time; *p && n < STEM; p++) {
		if (*p != '-' && *p != ':')
			id[n++] = *p;
	}
	id[n] = '\0';
	for (int i = 2; i < TRIES; i++) {
		glane_rc rc = report_name(id, name, d);

		if (rc < 0)
			return rc;
		if (!file_exists(s->dir, name)) {
			memcpy(buf, id, sizeof(id));
			return GLANE_OK;
		}
		(void)snprintf(id + n, sizeof(id) - n, "-%d", i);
	}
	return fail(d, GLANE_E_LIMIT, "%s: too many runs at %s", s->path, time);
}

struct ids {
	struct arena *arena;
	const char **v;
	size_t n, cap;
	struct diag *d;
};

static glane_rc add_run(void *arg, int dir, const char *name)
{
	struct ids *ids = arg;
	struct slice id = slice_of(name);
	char *copy;

	(void)dir;
	if (!has_suffix(name, ".json"))
		return GLANE_OK;
	id.n -= strlen(".json");
	if (id_number(id) == 0)
		return GLANE_OK;
	copy = arena_strndup(ids->arena, id.p, id.n);
	if (!copy || !mem_grow(&ids->v, &ids->cap, ids->n + 1, sizeof(*ids->v)))
		return fail(ids->d, GLANE_E_NOMEM, "no memory for the list of runs");
	ids->v[ids->n++] = copy;
	return GLANE_OK;
}

static int by_age(const void *a, const void *b)
{
	return run_id_cmp(slice_of(*(const char *const *)a), slice_of(*(const char *const *)b));
}

glane_rc store_runs(const struct store *s, struct arena *a, const char ***ret, size_t *ret_n, struct diag *d)
{
	struct ids ids = {.arena = a, .d = d};
	glane_rc rc = folder_each(s->dir, "runs", add_run, &ids, d);
	const char **list;

	if (rc < 0)
		goto out;
	list = arena_alloc(a, (ids.n + 1) * sizeof(*list));
	if (!list) {
		rc = fail(d, GLANE_E_NOMEM, "no memory for the list of runs");
		goto out;
	}
	if (ids.n) {
		memcpy(list, ids.v, ids.n * sizeof(*list));
		qsort(list, ids.n, sizeof(*list), by_age);
	}
	*ret = list;
	*ret_n = ids.n;
out:
	mem_free(ids.v);
	return rc;
}
