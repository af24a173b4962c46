/* SPDX-License-Identifier: MIT */
/* Opening the three tables, and publishing what a run has committed: stream, then current and series. */
#include "store/lake.h"
#include "base/clock.h"
#include "base/file.h"
#include "store/files.h"
#include <stdio.h>
#include <string.h>

#define LAST_MOMENT INT64_C(253402300799) /* 9999-12-31T23:59:59Z: texts have no later one */

static int64_t now_ms(void)
{
	return clock_utc() * 1000;
}

void lake_app(const char *source, char ret[80])
{
	(void)snprintf(ret, 80, "glane:%s", source);
}

uint64_t lake_commit(const struct store *s, int table, const char *source)
{
	int64_t n;
	char app[80];

	lake_app(source, app);
	n = delta_txn(&s->lake->table[table], app);
	return n > 0 ? (uint64_t)n : 0;
}

bool lake_in_step(const struct store *s, const char *source)
{
	uint64_t n = lake_commit(s, LAKE_STREAM, source);

	return lake_commit(s, LAKE_CURRENT, source) == n && lake_commit(s, LAKE_SERIES, source) == n;
}

glane_rc lake_files(const struct store *s, int table, const char *source, struct arena *a, struct delta_file **ret,
	size_t *ret_n, struct diag *d)
{
	const struct delta *t = &s->lake->table[table];
	struct delta_file *list;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->files[i].removed_ms == 0 && slice_is(t->files[i].source, source);
	list = arena_alloc(a, (n + 1) * sizeof(*list));
	if (!list)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the list of its files", source);
	n = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (t->files[i].removed_ms == 0 && slice_is(t->files[i].source, source))
			list[n++] = t->files[i];
	}
	*ret = list;
	*ret_n = n;
	return GLANE_OK;
}

/* Current and series say nothing that the stream does not. */
static glane_rc open_table(struct lake *l, int table, const struct store *s, bool write, struct diag *d)
{
	const char *name = lake_schemas[table].name;
	glane_rc rc = delta_load(&l->table[table], &lake_schemas[table], s->dir, write, d);

	if (rc == GLANE_E_IO && table != LAKE_STREAM && d && strlen(d->text) < sizeof(d->text) - 256) {
		size_t n = strlen(d->text);

		(void)snprintf(d->text + n, sizeof(d->text) - n,
			" (%s/ is derived: remove that folder, and the next run makes it again from the stream)", name);
	}
	if (rc < 0)
		(void)diag_prefix(d, "%s", s->path);
	return rc;
}

static glane_rc make_tables(const struct store *s, struct diag *d)
{
	for (int i = 0; i < LAKE_TABLES; i++) {
		struct delta *t = &s->lake->table[i];

		if (t->version < 0) {
			glane_rc rc = delta_commit(t, "CREATE TABLE", SLICE(""), now_ms(), d);

			if (rc < 0)
				return store_wrote(s, rc);
		}
	}
	return GLANE_OK;
}

static glane_rc refuse_data(void *arg, int dir, const char *name)
{
	(void)dir;
	if (!has_suffix(name, ".parquet"))
		return GLANE_OK;
	return fail(arg, GLANE_E_IO,
		"stream: there is data (%s), but no log: stream/_delta_log was lost, and with it what is true; nothing "
		"is "
		"written here, put the log back from a copy",
		name);
}

/* The stream is published first: what follows it is ahead only where entries of its log were lost or an older copy was put
 * back. The next writer would take what they named for left-overs. */
static glane_rc check_lead(const struct store *s, struct diag *d)
{
	const struct delta *t = s->lake->table;

	for (int i = LAKE_STREAM + 1; i < LAKE_TABLES; i++) {
		int64_t seen = delta_txn(&t[i], "glane.stream");

		if (seen > t[LAKE_STREAM].version)
			return fail(d, GLANE_E_IO,
				"%s: stream/_delta_log ends at version %lld, but %s has seen version %lld: entries "
				"were lost, or "
				"an older copy was put back; nothing is written here, put the newer ones back",
				s->path, (long long)t[LAKE_STREAM].version, lake_schemas[i].name, (long long)seen);
	}
	if (t[LAKE_STREAM].version >= 0 || folder_each(s->dir, "stream", refuse_data, d, d) == GLANE_OK)
		return GLANE_OK;
	(void)diag_prefix(d, "%s", s->path);
	return GLANE_E_IO;
}

/* A reader may come between the entries of a run: what follows is read before what leads, so it is never ahead. */
glane_rc lake_open(struct store *s, bool write, struct diag *d)
{
	struct lake *l = mem_zalloc(1, sizeof(*l));
	glane_rc rc = GLANE_OK;

	if (!l)
		return fail(d, GLANE_E_NOMEM, "%s: no memory to open the store", s->path);
	s->lake = l;
	arena_init(&l->arena, 0);
	map_init(&l->pending, &l->arena);
	for (int i = 0; i < LAKE_TABLES; i++)
		strbuf_init(&l->lines[i], 0);
	for (int i = LAKE_TABLES - 1; rc == GLANE_OK && i >= 0; i--)
		rc = open_table(l, i, s, write, d);
	if (rc == GLANE_OK)
		rc = check_lead(s, d);
	if (rc == GLANE_OK && write)
		rc = make_tables(s, d);
	l->file_rows = LAKE_FILE_ROWS;
	l->upkeep_bytes = LAKE_UPKEEP_BYTES;
	l->moment = INT64_MIN;
	if (rc == GLANE_OK && map_find(&l->table[LAKE_STREAM].txns, SLICE("glane.recorded_at")))
		l->moment = delta_txn(&l->table[LAKE_STREAM], "glane.recorded_at");
	return rc;
}

void lake_close(struct store *s)
{
	struct lake *l = s->lake;

	if (!l)
		return;
	for (int i = 0; i < LAKE_TABLES; i++) {
		delta_close(&l->table[i]);
		strbuf_release(&l->lines[i]);
	}
	map_release(&l->pending);
	arena_release(&l->arena);
	mem_free(l);
	s->lake = NULL;
}

/* ---- publishing ---- */

int64_t store_moment(const struct store *s, int64_t now)
{
	int64_t last = s->lake->moment;

	if (last == INT64_MIN || last < now)
		return now;
	return last < LAST_MOMENT ? last + 1 : LAST_MOMENT;
}

int64_t store_last_moment(const struct store *s)
{
	return s->lake->moment;
}

int64_t store_pending_ms(const struct store *s)
{
	return s->lake->pending.n ? clock_mono_ms() - s->lake->pending_ms : 0;
}

/* Data files and state files are durable under their names before any log speaks of them. */
static glane_rc sync_folders(const struct store *s, struct diag *d)
{
	const struct map_entry *e;
	char name[STORE_NAME], source[80];
	glane_rc rc = GLANE_OK;
	size_t it = 0;

	for (int i = 0; rc == GLANE_OK && i < LAKE_TABLES; i++)
		rc = fd_sync(s->lake->table[i].dir, lake_schemas[i].name, d);
	while (rc == GLANE_OK && (e = map_next(&s->lake->pending, &it))) {
		int dir;

		(void)snprintf(source, sizeof(source), "%.*s", SLICE_FMT(e->key));
		rc = source_folder("state", source, name, d);
		dir = rc == GLANE_OK ? dir_open(s->dir, name, false, d) : -1;
		rc = dir < 0 ? GLANE_E_IO : fd_sync(dir, name, d);
		fd_close(&dir);
	}
	if (rc == GLANE_OK) {
		int dir = dir_open(s->dir, "state", false, d);

		rc = dir < 0 ? GLANE_E_IO : fd_sync(dir, "state", d);
		fd_close(&dir);
	}
	return rc;
}

static glane_rc publish_table(const struct store *s, int table, struct diag *d)
{
	static const char *const operations[] = {"WRITE", "MERGE", "MERGE"};
	struct lake *l = s->lake;
	const char *operation = l->pending.n ? operations[table] : "OPTIMIZE";
	struct strbuf *b = &l->lines[table];

	if (table != LAKE_STREAM)
		delta_put_txn(b, "glane.stream", l->table[LAKE_STREAM].version);
	else if (l->pending.n)
		delta_put_txn(b, "glane.recorded_at", l->pending_moment);
	if (!strbuf_ok(b))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for a log entry", lake_schemas[table].name);
	return delta_commit(&l->table[table], operation, strbuf_get(b), now_ms(), d);
}

static glane_rc checkpoints(const struct store *s, struct diag *d)
{
	for (int i = 0; i < LAKE_TABLES; i++) {
		struct delta *t = &s->lake->table[i];

		if (t->version - t->checkpoint >= DELTA_CHECKPOINT_EVERY && t->version >= DELTA_CHECKPOINT_EVERY) {
			glane_rc rc = delta_checkpoint(t, now_ms(), d);

			if (rc < 0)
				return rc;
		}
	}
	return GLANE_OK;
}

static glane_rc publish(const struct store *s, int first, struct diag *d)
{
	struct lake *l = s->lake;
	glane_rc rc = sync_folders(s, d);

	for (int i = first; rc == GLANE_OK && i < LAKE_TABLES; i++)
		rc = publish_table(s, i, d);
	if (rc == GLANE_OK && first == LAKE_STREAM && l->pending.n)
		l->moment = l->pending_moment;
	return rc == GLANE_OK ? checkpoints(s, d) : rc;
}

static void clear_pending(struct lake *l)
{
	for (int i = 0; i < LAKE_TABLES; i++)
		strbuf_reset(&l->lines[i]);
	map_release(&l->pending);
	arena_release(&l->arena);
	map_init(&l->pending, &l->arena);
	l->upkeep = false;
}

glane_rc lake_publish(const struct store *s, int first, struct diag *d)
{
	glane_rc rc;

	if (s->lake->pending.n == 0 && !s->lake->upkeep)
		return GLANE_OK;
	rc = store_may_write(s, d);
	if (rc < 0)
		return rc;
	rc = publish(s, first, d);
	clear_pending(s->lake);
	/* Without memory the tables here may lag behind those on disk. */
	if (rc < 0) {
		*s->broken = true;
		(void)diag_prefix(d, "%s", s->path);
	}
	return rc;
}

glane_rc store_publish(const struct store *s, struct diag *d)
{
	return lake_publish(s, LAKE_STREAM, d);
}
