/* SPDX-License-Identifier: MIT */
/* Integrity of the whole store: every row file, state and report. */
#include "base/clock.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/sha256.h"
#include "store/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_FILE 20 /* findings; a file that lost its beginning would fill the screen */

struct check {
	const struct store *s;
	struct strbuf *b;
	uint64_t rows, findings;
	const char *source;
	uint64_t *commits;
	size_t n_commits, cap;
	struct diag *d;
};

/* A finding ends nothing; no memory does. */
static glane_rc found(struct check *c, const struct diag *own)
{
	if (own->code == GLANE_E_NOMEM)
		return fail(c->d, own->code, "%s", own->text);
	strbuf_puts(c->b, own->text);
	strbuf_putc(c->b, '\n');
	c->findings++;
	return GLANE_OK;
}

static glane_rc check_json(struct check *c, const char *folder, const char *stem)
{
	char path[STORE_NAME];
	struct diag own = {0};
	glane_rc rc = GLANE_OK;
	json_t *j;

	(void)snprintf(path, sizeof(path), "%s/%s.json", folder, stem);
	j = read_object(c->s, path, &rc, &own);
	json_decref(j);
	return j ? GLANE_OK : found(c, &own);
}

/* Reads on behind each damaged row. */
static glane_rc check_rows(struct check *c, struct store_cursor *cur, int64_t recorded_at, uint64_t *ret_rows)
{
	uint64_t rows = 0, before = c->findings;
	struct row row;
	glane_rc rc;

	do {
		struct diag own = {0};

		rc = store_rows_next(cur, &row, &own);
		if (rc == GLANE_OK && row.recorded_at > recorded_at)
			(void)fail(&own, GLANE_E_IO, "%s:%llu: recorded_at is later than its commit", cur->name,
				(unsigned long long)cur->line);
		rows += rc != GLANE_END;
		if (own.code && found(c, &own) < 0)
			return GLANE_E_NOMEM;
	} while (rc != GLANE_END && c->findings - before < PER_FILE);
	*ret_rows = rows;
	c->rows += rows;
	return GLANE_OK;
}

static glane_rc check_hash(struct check *c, const struct store_cursor *cur, const json_t *file)
{
	struct diag own = {0};
	char hex[SHA256_HEX];

	if (sha256_fd(cur->fd, hex, &own) == GLANE_OK && strcmp(hex, json_text(file, "sha256", "")) != 0)
		(void)fail(&own, GLANE_E_IO, "%s: other bytes than the commit wrote (SHA-256)", cur->name);
	return own.code ? found(c, &own) : GLANE_OK;
}

static glane_rc check_file(struct check *c, uint64_t n, const json_t *state)
{
	const json_t *file = json_object_get(state, "row_file");
	int64_t recorded_at = INT64_MAX, expected = json_int(file, "rows", -1);
	struct store_cursor cur;
	struct diag own = {0};
	uint64_t rows = 0;
	glane_rc rc;

	(void)json_time(state, "recorded_at", &recorded_at);
	if (rows_open(c->s, c->source, n, false, &cur, &own) < 0)
		return found(c, &own);
	rc = check_rows(c, &cur, recorded_at, &rows);
	if (rc == GLANE_OK && expected >= 0 && rows != (uint64_t)expected) {
		(void)fail(&own, GLANE_E_IO, "%s: %llu rows, where the commit wrote %lld", cur.name,
			(unsigned long long)rows, (long long)expected);
		rc = found(c, &own);
	}
	if (rc == GLANE_OK && expected >= 0)
		rc = check_hash(c, &cur, file);
	store_rows_close(&cur);
	return rc;
}

static glane_rc check_commit(struct check *c, uint64_t n, int64_t *last)
{
	struct diag own = {0};
	json_t *state = NULL;
	glane_rc rc = GLANE_OK;
	int64_t at;

	if (store_state(c->s, c->source, n, &state, &own) == GLANE_OK) {
		if (!json_time(state, "recorded_at", &at))
			(void)fail(&own, GLANE_E_IO, "state/%s/%llu.json: recorded_at is missing", c->source,
				(unsigned long long)n);
		else if (at < *last)
			(void)fail(&own, GLANE_E_IO,
				"state/%s/%llu.json: recorded_at is earlier than the commit before", c->source,
				(unsigned long long)n);
		else
			*last = at;
	}
	if (own.code)
		rc = found(c, &own);
	if (rc == GLANE_OK)
		rc = check_file(c, n, state);
	json_decref(state);
	return rc;
}

static glane_rc add_commit(void *arg, int dir, const char *name)
{
	struct check *c = arg;
	uint64_t n = file_number(name, ".csv");
	struct diag own = {0};

	(void)dir;
	if (!n) {
		(void)fail(&own, GLANE_E_IO, "stream/%s/%s: not a file of this store", c->source, name);
		return found(c, &own);
	}
	if (!mem_grow(&c->commits, &c->cap, c->n_commits + 1, sizeof(*c->commits)))
		return fail(c->d, GLANE_E_NOMEM, "no memory for the list of commits");
	c->commits[c->n_commits++] = n;
	return GLANE_OK;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static glane_rc check_source(struct check *c)
{
	char folder[STORE_NAME];
	int64_t last = INT64_MIN;
	glane_rc rc = source_folder("stream", c->source, folder, c->d);

	c->n_commits = 0;
	if (rc == GLANE_OK)
		rc = folder_each(c->s->dir, folder, add_commit, c, c->d);
	if (rc == GLANE_OK && c->n_commits)
		qsort(c->commits, c->n_commits, sizeof(*c->commits), by_number);
	for (size_t i = 0; rc == GLANE_OK && i < c->n_commits; i++) {
		struct diag own = {0};

		if (i && c->commits[i] != c->commits[i - 1] + 1) {
			(void)fail(&own, GLANE_E_IO, "%s: commit %llu is missing", folder,
				(unsigned long long)c->commits[i - 1] + 1);
			rc = found(c, &own);
		}
		if (rc == GLANE_OK)
			rc = check_commit(c, c->commits[i], &last);
	}
	return rc;
}

/* state/SOURCE/last.json and seen.json, of sources without a commit too. */
static glane_rc check_sides(void *arg, int dir, const char *name)
{
	static const char *const stems[] = {"last", "seen"};
	struct check *c = arg;
	char folder[STORE_NAME], path[STORE_NAME + 16];
	glane_rc rc = GLANE_OK;

	(void)dir;
	if (!conf_is_name(slice_of(name)) || source_folder("state", name, folder, c->d) < 0)
		return GLANE_OK;
	for (size_t i = 0; i < 2 && rc == GLANE_OK; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s.json", folder, stems[i]);
		if (file_exists(c->s->dir, path))
			rc = check_json(c, folder, stems[i]);
	}
	return rc;
}

glane_rc store_check(
	const struct store *s, struct strbuf *findings, uint64_t *ret_rows, uint64_t *ret_findings, struct diag *d)
{
	struct check c = {.s = s, .b = findings, .d = d};
	const char **names;
	struct arena arena;
	size_t n = 0;
	glane_rc rc;

	arena_init(&arena, 0);
	rc = store_sources(s, &arena, &names, &n, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		c.source = names[i];
		rc = check_source(&c);
	}
	if (rc == GLANE_OK)
		rc = folder_each(s->dir, "state", check_sides, &c, d);
	if (rc == GLANE_OK)
		rc = store_runs(s, &arena, &names, &n, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++)
		rc = check_json(&c, "runs", names[i]);
	if (rc == GLANE_OK && !strbuf_ok(findings))
		rc = fail(d, GLANE_E_NOMEM, "%s: no memory for the findings", s->path);
	mem_free(c.commits);
	arena_release(&arena);
	if (rc < 0)
		return rc;
	*ret_rows = c.rows;
	*ret_findings = c.findings;
	return GLANE_OK;
}
