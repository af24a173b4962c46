/* SPDX-License-Identifier: MIT */
/* A Delta log as it stands: the newest checkpoint and the versions behind it, applied in order (PROTOCOL.md, Action
 * Reconciliation). */
#include "store/delta.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/json.h"
#include "store/files.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOG_NAME 64

static glane_rc damaged(const struct delta *t, struct diag *d, const char *name, const char *what)
{
	return fail(d, GLANE_E_IO, "%s/_delta_log/%s: %s; the store is damaged: `glane check --store` lists what is",
		t->schema->name, name, what);
}

static glane_rc no_memory(const struct delta *t, struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "%s/_delta_log: no memory to read it", t->schema->name);
}

int64_t delta_txn(const struct delta *t, const char *app)
{
	const uint64_t *v = map_find(&t->txns, slice_of(app));

	return v ? (int64_t)*v : -1;
}

const struct delta_file *delta_find(const struct delta *t, struct slice path)
{
	const uint64_t *i = map_find(&t->by_path, path);

	return i && t->files[*i].removed_ms == 0 ? &t->files[*i] : NULL;
}

glane_rc delta_set_txn(struct delta *t, struct slice app, int64_t version, struct diag *d)
{
	uint64_t *slot;

	if (!map_put(&t->txns, app, (uint64_t)version, &slot, NULL))
		return no_memory(t, d);
	*slot = (uint64_t)version;
	return GLANE_OK;
}

static bool copy_file(struct arena *a, const struct delta_file *f, struct delta_file *to)
{
	*to = *f;
	return arena_dup(a, f->path, &to->path) && arena_dup(a, f->stats, &to->stats) &&
	       arena_dup(a, f->source, &to->source) && arena_dup(a, f->sha256, &to->sha256);
}

/* A name that our writer gives: nothing that leads out of the folder. */
static bool is_data_file(struct slice path)
{
	return path.n && path.n < DELTA_NAME && path.p[0] != '.' && path.p[0] != '_' && !memchr(path.p, '/', path.n) &&
	       !memchr(path.p, '%', path.n) && !memchr(path.p, '\0', path.n);
}

glane_rc delta_put_file(struct delta *t, const struct delta_file *f, struct diag *d)
{
	const uint64_t *at = map_find(&t->by_path, f->path);
	struct delta_file copy;

	if (!is_data_file(f->path))
		return fail(d, GLANE_E_IO, "%s/_delta_log: names a file '%.*s', which is none of this store",
			t->schema->name, SLICE_FMT(f->path));
	if (at && f->removed_ms) {
		t->files[*at].removed_ms = f->removed_ms;
		return GLANE_OK;
	}
	if (!copy_file(&t->arena, f, &copy))
		return no_memory(t, d);
	if (at) {
		t->files[*at] = copy;
		return GLANE_OK;
	}
	if (!mem_grow(&t->files, &t->cap, t->n + 1, sizeof(*t->files)) ||
		!map_put(&t->by_path, copy.path, t->n, NULL, NULL))
		return no_memory(t, d);
	t->files[t->n++] = copy;
	return GLANE_OK;
}

glane_rc delta_set_protocol(const struct delta *t, int64_t reader, int64_t writer, const char *name, struct diag *d)
{
	if (reader != 1 || writer < 1 || writer > 2)
		return fail(d, GLANE_E_IO,
			"%s/_delta_log/%s: asks for reader version %" PRId64 " and writer version %" PRId64
			"; this program writes 1 and 2: another program has changed the table",
			t->schema->name, name, reader, writer);
	return GLANE_OK;
}

glane_rc delta_set_schema(
	struct delta *t, struct slice id, struct slice text, int64_t created_ms, const char *name, struct diag *d)
{
	struct strbuf want;
	bool same;

	strbuf_init(&want, 0);
	delta_schema_text(&want, t->schema);
	if (!strbuf_ok(&want)) {
		strbuf_release(&want);
		return no_memory(t, d);
	}
	same = slice_eq(strbuf_get(&want), text);
	strbuf_release(&want);
	if (!same)
		return fail(d, GLANE_E_IO,
			"%s/_delta_log/%s: other columns than this program's; use the version that wrote it",
			t->schema->name, name);
	t->created_ms = created_ms;
	return arena_dup(&t->arena, id, &t->id) && arena_dup(&t->arena, text, &t->schema_text) ? GLANE_OK
											       : no_memory(t, d);
}

static struct slice member(const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);

	return json_is_string(v) ? (struct slice){json_string_value(v), json_string_length(v)}
				 : (struct slice){NULL, 0};
}

bool delta_stats_rows(struct slice stats, uint64_t *ret)
{
	struct diag why = {0};
	json_t *j = stats.p ? json_parse(stats, JSON_REJECT_DUPLICATES, "", &why) : NULL;
	int64_t n = json_int(j, "numRecords", 0);

	json_decref(j);
	*ret = n > 0 ? (uint64_t)n : 0;
	return why.code != GLANE_E_NOMEM;
}

static glane_rc apply_add(struct delta *t, const json_t *j, struct diag *d)
{
	const json_t *tags = json_object_get(j, "tags");
	struct delta_file f = {.path = member(j, "path"),
		.bytes = json_int(j, "size", -1),
		.modified_ms = json_int(j, "modificationTime", 0),
		.stats = member(j, "stats"),
		.source = member(tags, "glane.source"),
		.sha256 = member(tags, "glane.sha256")};

	return delta_stats_rows(f.stats, &f.rows) ? delta_put_file(t, &f, d) : no_memory(t, d);
}

static glane_rc apply_remove(struct delta *t, const json_t *j, struct diag *d)
{
	struct delta_file f = {.path = member(j, "path"),
		.bytes = json_int(j, "size", -1),
		.removed_ms = json_int(j, "deletionTimestamp", 1)};

	if (f.removed_ms <= 0)
		f.removed_ms = 1;
	return delta_put_file(t, &f, d);
}

static glane_rc apply_one(struct delta *t, const json_t *j, const char *name, struct diag *d)
{
	const json_t *a;

	if ((a = json_object_get(j, "add")))
		return apply_add(t, a, d);
	if ((a = json_object_get(j, "remove")))
		return apply_remove(t, a, d);
	if ((a = json_object_get(j, "txn"))) {
		if (!member(a, "appId").p)
			return damaged(t, d, name, "a txn without an appId");
		return delta_set_txn(t, member(a, "appId"), json_int(a, "version", 0), d);
	}
	if ((a = json_object_get(j, "commitInfo")))
		(void)snprintf(t->engine, sizeof(t->engine), "%s", json_text(a, "engineInfo", "an unknown program"));
	else if ((a = json_object_get(j, "protocol")))
		return delta_set_protocol(
			t, json_int(a, "minReaderVersion", 0), json_int(a, "minWriterVersion", 0), name, d);
	else if ((a = json_object_get(j, "metaData")))
		return delta_set_schema(
			t, member(a, "id"), member(a, "schemaString"), json_int(a, "createdTime", 0), name, d);
	return GLANE_OK;
}

glane_rc delta_apply(struct delta *t, struct slice lines, const char *name, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	(void)snprintf(t->engine, sizeof(t->engine), "an unknown program");
	while (rc == GLANE_OK && lines.p && lines.n) {
		struct slice line = slice_cut(&lines, '\n');
		struct diag why = {0};
		json_t *j;

		if (line.n == 0)
			continue;
		j = json_parse(line, JSON_REJECT_DUPLICATES, name, &why);
		if (!j && why.code == GLANE_E_NOMEM)
			return no_memory(t, d);
		rc = json_is_object(j) ? apply_one(t, j, name, d)
				       : damaged(t, d, name, "a line that is no JSON object");
		json_decref(j);
	}
	return rc;
}

/* Ours says its own version, on the last line; whatever does not was cut, or written by somebody else. */
static glane_rc refuse_foreign(const struct delta *t, struct diag *d)
{
	char name[LOG_NAME];

	if (delta_txn(t, "glane.log") == t->version)
		return GLANE_OK;
	(void)snprintf(name, sizeof(name), "%020" PRId64 ".json", t->version);
	if (strncmp(t->engine, "glane/", 6) == 0)
		return damaged(t, d, name, "its last line is missing");
	return fail(d, GLANE_E_IO,
		"%s: version %" PRId64 " was written by %s, not by glane, which must be the only writer of its tables; "
		"restore the folder from a copy, or remove %s/_delta_log/%020" PRId64 ".json and what is newer",
		t->schema->name, t->version, t->engine, t->schema->name, t->version);
}

struct listing {
	int64_t last, checkpoint, below; /* newest version; newest checkpoint that is older than `below` */
};

int64_t delta_version_of(const char *name, const char *suffix)
{
	int64_t v;

	if (strlen(name) != 20 + strlen(suffix) || strcmp(name + 20, suffix) != 0)
		return -1;
	for (int i = 0; i < 20; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
	}
	while (*name == '0' && name[1] >= '0' && name[1] <= '9')
		name++;
	return slice_int((struct slice){name, strlen(name) - strlen(suffix)}, 0, INT64_MAX - 1, &v) ? v : -1;
}

static glane_rc list_one(void *arg, int dir, const char *name)
{
	struct listing *l = arg;
	int64_t v = delta_version_of(name, ".json");

	(void)dir;
	if (v > l->last)
		l->last = v;
	v = delta_version_of(name, ".checkpoint.parquet");
	if (v > l->checkpoint && v < l->below)
		l->checkpoint = v;
	return GLANE_OK;
}

/* The newest checkpoint that is older than `below`. */
static glane_rc list_checkpoint(struct delta *t, struct listing *l, struct diag *d)
{
	l->checkpoint = -1;
	return folder_each(t->log, ".", list_one, l, d);
}

static glane_rc read_version(struct delta *t, int64_t v, struct diag *d)
{
	struct diag own = {0};
	char name[LOG_NAME];
	struct strbuf b;
	glane_rc rc;

	(void)snprintf(name, sizeof(name), "%020" PRId64 ".json", v);
	strbuf_init(&b, 0);
	rc = file_read(t->log, name, STRBUF_MAX, &b, &own);
	if (rc < 0)
		rc = rc == GLANE_E_NOMEM ? no_memory(t, d) : damaged(t, d, name, own.text);
	else
		rc = delta_apply(t, strbuf_get(&b), name, d);
	strbuf_release(&b);
	if (rc == GLANE_OK)
		t->version = v;
	return rc == GLANE_OK ? refuse_foreign(t, d) : rc;
}

static void forget(struct delta *t)
{
	map_release(&t->by_path);
	map_release(&t->txns);
	arena_release(&t->arena);
	mem_free(t->files);
	t->files = NULL;
	t->n = t->cap = 0;
	t->version = t->checkpoint = -1;
	t->id = t->schema_text = (struct slice){NULL, 0};
	map_init(&t->by_path, NULL);
	map_init(&t->txns, &t->arena);
}

/* A checkpoint that cannot be read is passed over: the versions say the same. */
static glane_rc load(struct delta *t, struct diag *d)
{
	struct listing l = {-1, -1, INT64_MAX};
	glane_rc rc;

	for (;;) {
		struct diag own = {0};

		rc = list_checkpoint(t, &l, d);
		if (rc < 0 || l.checkpoint < 0 || l.last < 0)
			break;
		rc = delta_read_checkpoint(t, l.checkpoint, &own);
		if (rc == GLANE_OK) {
			t->version = t->checkpoint = l.checkpoint;
			rc = refuse_foreign(t, d);
			break;
		}
		if (rc == GLANE_E_NOMEM)
			return no_memory(t, d);
		forget(t);
		l.below = l.checkpoint;
	}
	while (rc == GLANE_OK && t->version < l.last)
		rc = read_version(t, t->version + 1, d);
	if (rc == GLANE_OK && t->version >= 0 && !t->schema_text.p)
		rc = damaged(t, d, "", "no metaData");
	return rc;
}

static glane_rc open_folders(struct delta *t, int store, bool create, struct diag *d)
{
	char name[LOG_NAME];

	(void)snprintf(name, sizeof(name), "%s/_delta_log", t->schema->name);
	if (store == NO_STORE || (!create && !file_exists(store, name)))
		return GLANE_OK;
	t->log = dir_open(store, name, create, d);
	if (t->log >= 0)
		t->dir = dir_open(store, t->schema->name, create, d);
	return t->log < 0 || t->dir < 0 ? GLANE_E_IO : GLANE_OK;
}

static void init(struct delta *t, const struct delta_schema *schema)
{
	*t = (struct delta){.schema = schema, .dir = -1, .log = -1, .version = -1, .checkpoint = -1};
	arena_init(&t->arena, 0);
	map_init(&t->by_path, NULL);
	map_init(&t->txns, &t->arena);
}

/* Leaves t at the checkpoint before the newest one, or before the first version. */
static glane_rc replay_from(struct delta *t, struct listing *l, struct diag *d)
{
	glane_rc rc = list_checkpoint(t, l, d);

	l->below = l->checkpoint;
	if (rc == GLANE_OK)
		rc = list_checkpoint(t, l, d);
	if (rc < 0 || l->checkpoint < 0)
		return rc;
	rc = delta_read_checkpoint(t, l->checkpoint, d);
	t->version = l->checkpoint;
	return rc;
}

glane_rc delta_replay(struct delta *t, const struct delta_schema *schema, int store, struct diag *d)
{
	struct listing l = {-1, -1, INT64_MAX};
	glane_rc rc;

	init(t, schema);
	rc = open_folders(t, store, false, d);
	if (rc == GLANE_OK && t->log >= 0)
		rc = replay_from(t, &l, d);
	while (rc == GLANE_OK && t->version < l.last)
		rc = read_version(t, t->version + 1, d);
	if (rc < 0)
		delta_close(t);
	return rc;
}

glane_rc delta_load(struct delta *t, const struct delta_schema *schema, int store, bool create, struct diag *d)
{
	glane_rc rc;

	init(t, schema);
	rc = open_folders(t, store, create, d);
	if (rc == GLANE_OK && t->log >= 0)
		rc = load(t, d);
	if (rc < 0)
		delta_close(t);
	return rc;
}

void delta_close(struct delta *t)
{
	if (!t->schema)
		return;
	forget(t);
	fd_close(&t->dir);
	fd_close(&t->log);
	*t = (struct delta){.dir = -1, .log = -1, .version = -1, .checkpoint = -1};
}
