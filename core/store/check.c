/* SPDX-License-Identifier: MIT */
/* Integrity of the whole store: every state and report, and current and series against the stream. Files and logs: check_files.c. */
#include "store/check.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/file.h"
#include "store/files.h"
#include "store/merge.h"
#include "store/shelf.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PER_SOURCE 20 /* findings; rows that all differ would fill the screen */

glane_rc check_found(struct check *c, const struct diag *own)
{
	if (own->code == GLANE_OK)
		return GLANE_OK;
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
	return j ? GLANE_OK : check_found(c, &own);
}

static glane_rc check_state(struct check *c, const char *source, uint64_t n, int64_t *last)
{
	struct diag own = {0};
	json_t *state = NULL;
	int64_t at;

	if (store_state(c->s, source, n, &state, &own) == GLANE_OK) {
		if (!json_time(state, "recorded_at", &at))
			(void)fail(&own, GLANE_E_IO, "state/%s/%" PRIu64 ".json: recorded_at is missing", source, n);
		else if (at < *last)
			(void)fail(&own, GLANE_E_IO,
				"state/%s/%" PRIu64 ".json: recorded_at is earlier than the commit before", source, n);
		else
			*last = at;
	}
	json_decref(state);
	return check_found(c, &own);
}

static bool same_rows(const struct row *a, const struct row *b)
{
	return row_cmp_key(a, b) == 0 && slice_eq(a->value, b->value) && row_same_attributes(a, b) &&
	       a->period_start == b->period_start && a->recorded_at == b->recorded_at && a->known_at == b->known_at &&
	       slice_eq(a->event, b->event) && slice_eq(a->cause, b->cause) && slice_eq(a->run, b->run) &&
	       slice_eq(a->payload, b->payload);
}

struct side {
	struct store_cursor c;
	struct row row;
	bool has;
};

static glane_rc advance(struct side *s, struct diag *own)
{
	glane_rc rc = store_rows_next(&s->c, &s->row, own);

	s->has = rc == GLANE_OK;
	return rc < 0 ? rc : GLANE_OK;
}

static void differ(const char *what, const struct row *r, struct diag *own)
{
	(void)fail(own, GLANE_E_IO, "current: %.*s %.*s %.*s %.*s %.*s %s", SLICE_FMT(r->source), SLICE_FMT(r->dataset),
		SLICE_FMT(r->indicator), SLICE_FMT(r->area_code), SLICE_FMT(r->period), what);
}

struct totals {
	uint64_t rows, live;
	bool whole;
};

static glane_rc compare(struct check *c, struct side *stream, struct side *current, struct totals *t)
{
	uint64_t before = c->findings;
	struct diag own = {0};
	glane_rc rc = advance(stream, &own);

	if (rc == GLANE_OK)
		rc = advance(current, &own);
	while (rc == GLANE_OK && (stream->has || current->has) && c->findings - before < PER_SOURCE) {
		int order = !current->has ? -1 : !stream->has ? 1 : row_cmp_key(&stream->row, &current->row);

		if (order < 0)
			differ("is missing", &stream->row, &own);
		else if (order > 0)
			differ("is not in the stream", &current->row, &own);
		else if (!same_rows(&stream->row, &current->row))
			differ("is not as the stream says", &current->row, &own);
		if (check_found(c, &own) < 0)
			return GLANE_E_NOMEM;
		diag_clear(&own);
		t->rows += order <= 0;
		t->live += order >= 0 && !row_withdrawn(&current->row);
		if (order <= 0)
			rc = advance(stream, &own);
		if (order >= 0 && rc == GLANE_OK)
			rc = advance(current, &own);
	}
	t->whole = rc == GLANE_OK && c->findings == before;
	return check_found(c, &own);
}

static glane_rc check_rows(struct check *c, const char *source)
{
	struct side stream = {.has = false}, current = {.has = false};
	struct totals t = {0};
	struct diag own = {0};
	glane_rc rc;

	if (!lake_in_step(c->s, source)) {
		(void)fail(&own, GLANE_E_IO,
			"%s: current or series is behind the stream; the next run rebuilds it from there", source);
		return check_found(c, &own);
	}
	rc = rows_from_events(c->s, source, INT64_MAX, &stream.c, &own);
	if (rc == GLANE_OK)
		rc = store_rows_as_of(c->s, source, INT64_MAX, &current.c, &own);
	rc = rc == GLANE_OK ? compare(c, &stream, &current, &t) : check_found(c, &own);
	store_rows_close(&stream.c);
	store_rows_close(&current.c);
	c->rows += t.rows;
	return rc == GLANE_OK && t.whole ? check_series(c, source, t.live) : rc;
}

static glane_rc check_source(struct check *c, const char *source)
{
	uint64_t n = lake_commit(c->s, LAKE_STREAM, source);
	const uint64_t before = c->findings;
	int64_t last = INT64_MIN;
	glane_rc rc = GLANE_OK;

	for (uint64_t i = 1; rc == GLANE_OK && i <= n && c->findings - before < PER_SOURCE; i++)
		rc = check_state(c, source, i, &last);
	return rc == GLANE_OK ? check_rows(c, source) : rc;
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
	rc = check_tables(&c);
	if (rc == GLANE_OK)
		rc = store_sources(s, &arena, &names, &n, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++)
		rc = check_source(&c, names[i]);
	if (rc == GLANE_OK)
		rc = folder_each(s->dir, "state", check_sides, &c, d);
	if (rc == GLANE_OK)
		rc = store_runs(s, &arena, &names, &n, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++)
		rc = check_json(&c, "runs", names[i]);
	if (rc == GLANE_OK && !strbuf_ok(findings))
		rc = fail(d, GLANE_E_NOMEM, "%s: no memory for the findings", s->path);
	arena_release(&arena);
	if (rc < 0)
		return rc;
	*ret_rows = c.rows;
	*ret_findings = c.findings;
	return GLANE_OK;
}
