/* SPDX-License-Identifier: MIT */
/* What one commit of a source does to the tables: files written in tmp/, then moved, then spoken of in the logs' next lines. */
#include "base/clock.h"
#include "base/file.h"
#include "base/io.h"
#include "store/files.h"
#include "store/lake.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STAGED_NAME (DELTA_NAME + 16)

static void staged_name(int table, const char *path, char ret[STAGED_NAME])
{
	(void)snprintf(ret, STAGED_NAME, "%s-%s", lake_schemas[table].name, path);
}

/* 20261123T234435Z */
static void stamp(int64_t t, char ret[32])
{
	char text[32];
	size_t n = 0;

	time_format(t, text);
	for (const char *p = text; *p; p++) {
		if (*p != '-' && *p != ':')
			ret[n++] = *p;
	}
	ret[n] = '\0';
}

void change_name(const struct store *s, struct change *c, int table, char ret[DELTA_NAME])
{
	const struct delta *t = &s->lake->table[table];
	char when[32];

	stamp(c->moment, when);
	/* The version makes it new even where a moment has several, as after a repair; the table's id, where the table was made anew
	 * and its versions begin again. */
	(void)snprintf(ret, DELTA_NAME, "%s-%s-%.*s-%lld-%u.parquet", c->source, when, (int)(t->id.n < 8 ? t->id.n : 8),
		t->id.n ? t->id.p : "", (long long)t->version + 1, c->next++);
}

glane_rc change_create(
	const struct store *s, struct change *c, int table, const char *path, struct record_writer *w, struct diag *d)
{
	char name[STAGED_NAME];

	(void)c;
	staged_name(table, path, name);
	return record_writer_open(w, table, s->tmp, name, d);
}

glane_rc change_keep(struct change *c, const char *path, struct record_writer *w, struct diag *d)
{
	struct staged made = {.table = w->table};
	glane_rc rc = record_writer_finish(w, c->arena, &made.file, d);

	if (rc < 0)
		return rc;
	made.file.modified_ms = clock_utc() * 1000;
	if (!arena_dup(c->arena, slice_of(path), &made.file.path) ||
		!arena_dup(c->arena, slice_of(c->source), &made.file.source) ||
		!mem_grow(&c->files, &c->cap_files, c->n_files + 1, sizeof(*c->files)))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the list of its files", c->source);
	c->files[c->n_files++] = made;
	return GLANE_OK;
}

glane_rc change_drop(struct change *c, struct slice path, struct diag *d)
{
	if (!mem_grow(&c->drop, &c->cap_drop, c->n_drop + 1, sizeof(*c->drop)) ||
		!arena_dup(c->arena, path, &c->drop[c->n_drop]))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the list of its files", c->source);
	c->n_drop++;
	return GLANE_OK;
}

static glane_rc move_file(const struct store *s, const struct staged *f, struct diag *d)
{
	const struct delta *t = &s->lake->table[f->table];
	char path[DELTA_NAME], name[STAGED_NAME];

	(void)snprintf(path, sizeof(path), "%.*s", SLICE_FMT(f->file.path));
	staged_name(f->table, path, name);
	if (io->renameat2(s->tmp, name, t->dir, path, RENAME_NOREPLACE) == 0)
		return GLANE_OK;
	if (errno == EINVAL || errno == ENOSYS) { /* no RENAME_NOREPLACE here: link() refuses an existing name too */
		if (io->linkat(s->tmp, name, t->dir, path, 0) == 0 && io->unlinkat(s->tmp, name, 0) == 0)
			return GLANE_OK;
	}
	if (errno == EEXIST)
		return fail(d, GLANE_E_IO, "%s/%s/%s exists already; has another program written it?", s->path,
			t->schema->name, path);
	return fail(d, GLANE_E_IO, "%s/%s/%s: cannot publish: %s", s->path, t->schema->name, path, strerror(errno));
}

static void put_lines(const struct store *s, const struct change *c, int table, uint64_t n)
{
	struct strbuf *b = &s->lake->lines[table];
	const struct delta *t = &s->lake->table[table];
	int64_t now = clock_utc() * 1000;
	char app[80];

	for (size_t i = 0; table != LAKE_STREAM && i < c->n_drop; i++) {
		const struct delta_file *f = delta_find(t, c->drop[i]);

		if (f)
			delta_put_remove(b, f, now, true);
	}
	for (size_t i = 0; i < c->n_files; i++) {
		if (c->files[i].table == table)
			delta_put_add(b, &c->files[i].file, true);
	}
	lake_app(c->source, app);
	delta_put_txn(b, app, (int64_t)n);
}

/* Without memory the lines are as they were. */
static glane_rc put_all_lines(const struct store *s, const struct change *c, int first, uint64_t n, struct diag *d)
{
	struct lake *l = s->lake;
	size_t before[LAKE_TABLES];
	bool ok = true;

	for (int i = first; i < LAKE_TABLES; i++) {
		before[i] = l->lines[i].n;
		put_lines(s, c, i, n);
		ok = ok && strbuf_ok(&l->lines[i]);
	}
	if (ok && map_put(&l->pending, slice_of(c->source), n, NULL, NULL))
		return GLANE_OK;
	for (int i = first; i < LAKE_TABLES; i++) {
		l->lines[i].n = before[i];
		l->lines[i].failed = false;
	}
	return fail(d, GLANE_E_NOMEM, "%s: no memory for the log entries", c->source);
}

glane_rc change_place(const struct store *s, struct change *c, int first, uint64_t n, struct diag *d)
{
	struct lake *l = s->lake;
	bool is_first = l->pending.n == 0;
	glane_rc rc = put_all_lines(s, c, first, n, d);

	for (size_t i = 0; rc == GLANE_OK && i < c->n_files; i++)
		rc = move_file(s, &c->files[i], d);
	if (rc < 0)
		return rc;
	c->n_files = 0;
	if (is_first)
		l->pending_ms = clock_mono_ms();
	if (is_first || c->moment > l->pending_moment)
		l->pending_moment = c->moment;
	return GLANE_OK;
}

glane_rc change_replace(const struct store *s, struct change *c, struct diag *d)
{
	struct strbuf *b = &s->lake->lines[LAKE_STREAM];
	const struct delta *t = &s->lake->table[LAKE_STREAM];
	int64_t now = clock_utc() * 1000;
	size_t before = b->n;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < c->n_drop; i++) {
		const struct delta_file *f = delta_find(t, c->drop[i]);

		if (f)
			delta_put_remove(b, f, now, false);
	}
	for (size_t i = 0; i < c->n_files; i++)
		delta_put_add(b, &c->files[i].file, false);
	if (!strbuf_ok(b)) {
		b->n = before;
		b->failed = false;
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the log entries", c->source);
	}
	for (size_t i = 0; rc == GLANE_OK && i < c->n_files; i++)
		rc = move_file(s, &c->files[i], d);
	if (rc < 0)
		return rc;
	c->n_files = 0;
	s->lake->upkeep = true;
	return GLANE_OK;
}

void change_release(const struct store *s, struct change *c)
{
	char path[DELTA_NAME], name[STAGED_NAME];

	for (size_t i = 0; s && i < c->n_files; i++) {
		(void)snprintf(path, sizeof(path), "%.*s", SLICE_FMT(c->files[i].file.path));
		staged_name(c->files[i].table, path, name);
		(void)io->unlinkat(s->tmp, name, 0);
	}
	mem_free(c->files);
	mem_free(c->drop);
	c->files = NULL;
	c->drop = NULL;
	c->n_files = c->cap_files = c->n_drop = c->cap_drop = 0;
}
