/* SPDX-License-Identifier: MIT */
/* Checkpoints of a Delta log (PROTOCOL.md, Checkpoints: V1, single part): one row per action of the present state. */
#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "store/delta.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
	TXN_APP,
	TXN_VERSION,
	ADD_PATH,
	ADD_PARTITION,
	ADD_SIZE,
	ADD_MODIFIED,
	ADD_CHANGE,
	ADD_STATS,
	ADD_TAGS,
	REMOVE_PATH,
	REMOVE_WHEN,
	REMOVE_CHANGE,
	REMOVE_EXTENDED,
	REMOVE_PARTITION,
	REMOVE_SIZE,
	META_ID,
	META_NAME,
	META_DESCRIPTION,
	META_PROVIDER,
	META_OPTIONS,
	META_SCHEMA,
	META_PARTITION,
	META_CONF,
	META_CREATED,
	PROTOCOL_READER,
	PROTOCOL_WRITER,
	COLUMNS
};

#define COLUMN(name, kind, form)                                                                                       \
	{                                                                                                              \
		.path = (name), .type = PARQUET_##kind, .shape = PARQUET_##form, .nullable = true                      \
	}

static const struct parquet_column columns[COLUMNS] = {
	[TXN_APP] = COLUMN("txn.appId", TEXT, ONE),
	[TXN_VERSION] = COLUMN("txn.version", INT64, ONE),
	[ADD_PATH] = COLUMN("add.path", TEXT, ONE),
	[ADD_PARTITION] = COLUMN("add.partitionValues", TEXT, MAP),
	[ADD_SIZE] = COLUMN("add.size", INT64, ONE),
	[ADD_MODIFIED] = COLUMN("add.modificationTime", INT64, ONE),
	[ADD_CHANGE] = COLUMN("add.dataChange", BOOL, ONE),
	[ADD_STATS] = COLUMN("add.stats", TEXT, ONE),
	[ADD_TAGS] = COLUMN("add.tags", TEXT, MAP),
	[REMOVE_PATH] = COLUMN("remove.path", TEXT, ONE),
	[REMOVE_WHEN] = COLUMN("remove.deletionTimestamp", INT64, ONE),
	[REMOVE_CHANGE] = COLUMN("remove.dataChange", BOOL, ONE),
	[REMOVE_EXTENDED] = COLUMN("remove.extendedFileMetadata", BOOL, ONE),
	[REMOVE_PARTITION] = COLUMN("remove.partitionValues", TEXT, MAP),
	[REMOVE_SIZE] = COLUMN("remove.size", INT64, ONE),
	[META_ID] = COLUMN("metaData.id", TEXT, ONE),
	[META_NAME] = COLUMN("metaData.name", TEXT, ONE),
	[META_DESCRIPTION] = COLUMN("metaData.description", TEXT, ONE),
	[META_PROVIDER] = COLUMN("metaData.format.provider", TEXT, ONE),
	[META_OPTIONS] = COLUMN("metaData.format.options", TEXT, MAP),
	[META_SCHEMA] = COLUMN("metaData.schemaString", TEXT, ONE),
	[META_PARTITION] = COLUMN("metaData.partitionColumns", TEXT, LIST),
	[META_CONF] = COLUMN("metaData.configuration", TEXT, MAP),
	[META_CREATED] = COLUMN("metaData.createdTime", INT64, ONE),
	[PROTOCOL_READER] = COLUMN("protocol.minReaderVersion", INT32, ONE),
	[PROTOCOL_WRITER] = COLUMN("protocol.minWriterVersion", INT32, ONE),
};

/* One row: every column has one slot, absent unless set. */
struct action {
	uint8_t level[COLUMNS], flag[COLUMNS];
	struct slice text[COLUMNS];
	int64_t i64[COLUMNS];
	int32_t i32[COLUMNS];
	uint32_t offset[COLUMNS][2];
	struct slice keys[COLUMNS][2], values[COLUMNS][2]; /* of lists and maps */
	struct parquet_vector v[COLUMNS];
};

static void action_clear(struct action *a)
{
	*a = (struct action){.level = {0}};
	for (size_t c = 0; c < COLUMNS; c++)
		a->v[c] = (struct parquet_vector){.level = &a->level[c],
			.text = columns[c].shape == PARQUET_ONE ? &a->text[c] : a->keys[c],
			.i32 = &a->i32[c],
			.i64 = &a->i64[c],
			.flag = &a->flag[c],
			.offset = a->offset[c],
			.value = a->values[c]};
}

static void there(struct action *a, size_t c)
{
	a->level[c] = (uint8_t)parquet_level_max(&columns[c]);
}

static void set_text(struct action *a, size_t c, struct slice s)
{
	if (!s.p)
		return;
	there(a, c);
	a->text[c] = s;
}

static void set_long(struct action *a, size_t c, int64_t v)
{
	there(a, c);
	a->i64[c] = v;
}

static void set_flag(struct action *a, size_t c, bool v)
{
	there(a, c);
	a->flag[c] = v;
}

static void set_item(struct action *a, size_t c, const char *key, struct slice value)
{
	uint32_t n = a->offset[c][1];

	there(a, c);
	if (!value.p)
		return;
	a->keys[c][n] = slice_of(key);
	a->values[c][n] = value;
	a->offset[c][1] = n + 1;
}

/* A struct that is there makes its absent members null, not the struct. */
static void in_struct(struct action *a, size_t from, size_t to)
{
	for (size_t c = from; c <= to; c++) {
		if (a->level[c] == 0)
			a->level[c] = (uint8_t)(parquet_level_max(&columns[c]) - 1);
	}
}

static glane_rc put(struct parquet_writer *w, struct action *a, size_t from, size_t to, struct diag *d)
{
	glane_rc rc;

	in_struct(a, from, to);
	rc = parquet_writer_add(w, a->v, 1, d);
	action_clear(a);
	return rc;
}

static glane_rc put_table(const struct delta *t, struct parquet_writer *w, struct action *a, struct diag *d)
{
	const struct delta_schema *s = t->schema;
	glane_rc rc;

	there(a, PROTOCOL_READER);
	there(a, PROTOCOL_WRITER);
	a->i32[PROTOCOL_READER] = 1;
	a->i32[PROTOCOL_WRITER] = 2;
	rc = put(w, a, PROTOCOL_READER, PROTOCOL_WRITER, d);
	if (rc < 0)
		return rc;
	set_text(a, META_ID, t->id);
	set_text(a, META_NAME, slice_of(s->name));
	set_text(a, META_DESCRIPTION, slice_of(s->description));
	set_text(a, META_PROVIDER, SLICE("parquet"));
	there(a, META_OPTIONS);
	set_text(a, META_SCHEMA, t->schema_text);
	there(a, META_PARTITION);
	set_item(a, META_CONF, "delta.appendOnly", s->append_only ? SLICE("true") : (struct slice){NULL, 0});
	set_long(a, META_CREATED, t->created_ms);
	return put(w, a, META_ID, META_CREATED, d);
}

static glane_rc put_txns(const struct delta *t, struct parquet_writer *w, struct action *a, struct diag *d)
{
	const struct map_entry *e;
	glane_rc rc = GLANE_OK;
	size_t it = 0;

	while (rc == GLANE_OK && (e = map_next(&t->txns, &it))) {
		set_text(a, TXN_APP, e->key);
		set_long(a, TXN_VERSION, (int64_t)e->value);
		rc = put(w, a, TXN_APP, TXN_VERSION, d);
	}
	return rc;
}

static glane_rc put_file(const struct delta_file *f, struct parquet_writer *w, struct action *a, struct diag *d)
{
	if (f->removed_ms) {
		set_text(a, REMOVE_PATH, f->path);
		set_long(a, REMOVE_WHEN, f->removed_ms);
		set_flag(a, REMOVE_CHANGE, false);
		set_flag(a, REMOVE_EXTENDED, true);
		there(a, REMOVE_PARTITION);
		set_long(a, REMOVE_SIZE, f->bytes);
		return put(w, a, REMOVE_PATH, REMOVE_SIZE, d);
	}
	set_text(a, ADD_PATH, f->path);
	there(a, ADD_PARTITION);
	set_long(a, ADD_SIZE, f->bytes);
	set_long(a, ADD_MODIFIED, f->modified_ms);
	set_flag(a, ADD_CHANGE, false);
	set_text(a, ADD_STATS, f->stats);
	set_item(a, ADD_TAGS, "glane.source", f->source);
	set_item(a, ADD_TAGS, "glane.sha256", f->sha256);
	return put(w, a, ADD_PATH, ADD_TAGS, d);
}

static glane_rc put_state(const struct delta *t, struct parquet_writer *w, int64_t now_ms, uint64_t *ret_n,
	uint64_t *ret_adds, struct diag *d)
{
	struct action *a = mem_zalloc(1, sizeof(*a));
	uint64_t n = 2 + t->txns.n, adds = 0;
	glane_rc rc;

	if (!a)
		return fail(d, GLANE_E_NOMEM, "no memory for a checkpoint");
	action_clear(a);
	rc = put_table(t, w, a, d);
	if (rc == GLANE_OK)
		rc = put_txns(t, w, a, d);
	for (size_t i = 0; rc == GLANE_OK && i < t->n; i++) {
		const struct delta_file *f = &t->files[i];

		if (f->removed_ms && f->removed_ms < now_ms - DELTA_KEEP_MS)
			continue;
		n++;
		adds += f->removed_ms == 0;
		rc = put_file(f, w, a, d);
	}
	mem_free(a);
	*ret_n = n;
	*ret_adds = adds;
	return rc;
}

struct written {
	uint64_t actions, adds, bytes;
};

static glane_rc write_file(const struct delta *t, const char *name, int64_t now_ms, struct written *ret, struct diag *d)
{
	int fd = io->openat(t->log, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	const struct parquet_options o = {.group_rows = 0};
	struct parquet_summary sum = {.bytes = 0};
	struct parquet_writer *w = NULL;
	glane_rc rc;

	if (fd < 0)
		return fail(d, GLANE_E_IO, "cannot create: %s", strerror(errno));
	rc = parquet_writer_open(fd, columns, COLUMNS, &o, &w, d);
	if (rc == GLANE_OK)
		rc = put_state(t, w, now_ms, &ret->actions, &ret->adds, d);
	if (rc == GLANE_OK)
		rc = parquet_writer_finish(w, &sum, d);
	ret->bytes = sum.bytes;
	parquet_writer_free(w);
	if (rc == GLANE_OK)
		rc = fd_sync(fd, name, d);
	fd_close(&fd);
	return rc;
}

static glane_rc write_pointer(const struct delta *t, const struct written *w, struct diag *d)
{
	json_t *j = json_object();
	struct strbuf b;
	glane_rc rc;

	strbuf_init(&b, 0);
	if (!json_set_int(j, "version", t->version) || !json_set_int(j, "size", (int64_t)w->actions) ||
		!json_set_int(j, "sizeInBytes", (int64_t)w->bytes) ||
		!json_set_int(j, "numOfAddFiles", (int64_t)w->adds) || !json_print(&b, j, true) || !strbuf_ok(&b))
		rc = fail(d, GLANE_E_NOMEM, "no memory for a checkpoint");
	else
		rc = file_replace(t->log, "_last_checkpoint", strbuf_get(&b), false, d);
	json_decref(j);
	strbuf_release(&b);
	return rc;
}

glane_rc delta_checkpoint(struct delta *t, int64_t now_ms, struct diag *d)
{
	char name[64], tmp[80];
	struct written w = {0};
	glane_rc rc;

	(void)snprintf(name, sizeof(name), "%020" PRId64 ".checkpoint.parquet", t->version);
	(void)snprintf(tmp, sizeof(tmp), ".%s.tmp", name);
	rc = write_file(t, tmp, now_ms, &w, d);
	if (rc == GLANE_OK && io->renameat2(t->log, tmp, t->log, name, 0) < 0)
		rc = fail(d, GLANE_E_IO, "cannot rename from %s: %s", tmp, strerror(errno));
	if (rc < 0)
		(void)io->unlinkat(t->log, tmp, 0);
	if (rc == GLANE_OK)
		rc = fd_sync(t->log, "its folder", d);
	if (rc == GLANE_OK)
		rc = write_pointer(t, &w, d);
	if (rc == GLANE_OK)
		t->checkpoint = t->version;
	else
		(void)diag_prefix(d, "%s/_delta_log/%s", t->schema->name, name);
	return rc;
}

/* ---- reading ---- */

static bool is_there(const struct parquet_vector *v, size_t c, size_t row)
{
	return !v[c].level || v[c].level[row] == parquet_level_max(&columns[c]);
}

static struct slice text_at(const struct parquet_vector *v, size_t c, size_t row)
{
	return is_there(v, c, row) ? v[c].text[row] : (struct slice){NULL, 0};
}

static int64_t long_at(const struct parquet_vector *v, size_t c, size_t row, int64_t dflt)
{
	return is_there(v, c, row) ? v[c].i64[row] : dflt;
}

static struct slice item_at(const struct parquet_vector *v, size_t c, size_t row, const char *key)
{
	if (is_there(v, c, row)) {
		for (uint32_t i = v[c].offset[row]; i < v[c].offset[row + 1]; i++) {
			if (slice_is(v[c].text[i], key))
				return v[c].value[i];
		}
	}
	return (struct slice){NULL, 0};
}

static glane_rc take(struct delta *t, const struct parquet_vector *v, size_t row, const char *name, struct diag *d)
{
	struct delta_file f = {.path = text_at(v, ADD_PATH, row)};

	if (text_at(v, TXN_APP, row).p)
		return delta_set_txn(t, text_at(v, TXN_APP, row), long_at(v, TXN_VERSION, row, 0), d);
	if (f.path.p) {
		f.bytes = long_at(v, ADD_SIZE, row, -1);
		f.modified_ms = long_at(v, ADD_MODIFIED, row, 0);
		f.stats = text_at(v, ADD_STATS, row);
		f.source = item_at(v, ADD_TAGS, row, "glane.source");
		f.sha256 = item_at(v, ADD_TAGS, row, "glane.sha256");
		if (!delta_stats_rows(f.stats, &f.rows))
			return fail(d, GLANE_E_NOMEM, "%s/_delta_log/%s: no memory to read it", t->schema->name, name);
		return delta_put_file(t, &f, d);
	}
	f.path = text_at(v, REMOVE_PATH, row);
	if (f.path.p) {
		f.bytes = long_at(v, REMOVE_SIZE, row, -1);
		f.removed_ms = long_at(v, REMOVE_WHEN, row, 1);
		if (f.removed_ms <= 0)
			f.removed_ms = 1;
		return delta_put_file(t, &f, d);
	}
	if (text_at(v, META_SCHEMA, row).p)
		return delta_set_schema(t, text_at(v, META_ID, row), text_at(v, META_SCHEMA, row),
			long_at(v, META_CREATED, row, 0), name, d);
	if (is_there(v, PROTOCOL_READER, row) && is_there(v, PROTOCOL_WRITER, row))
		return delta_set_protocol(t, v[PROTOCOL_READER].i32[row], v[PROTOCOL_WRITER].i32[row], name, d);
	return GLANE_OK;
}

glane_rc delta_read_checkpoint(struct delta *t, int64_t version, struct diag *d)
{
	struct parquet_vector v[COLUMNS];
	struct parquet_reader *r = NULL;
	char name[64];
	size_t rows = 0;
	glane_rc rc;
	int fd;

	(void)snprintf(name, sizeof(name), "%020" PRId64 ".checkpoint.parquet", version);
	fd = openat(t->log, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(d, GLANE_E_IO, "%s/_delta_log/%s: cannot open: %s", t->schema->name, name, strerror(errno));
	rc = parquet_reader_open(fd, name, &r, d);
	if (rc == GLANE_OK)
		rc = parquet_reader_select(r, columns, COLUMNS, d);
	while (rc == GLANE_OK) {
		rc = parquet_reader_next(r, v, &rows, d);
		for (size_t i = 0; rc == GLANE_OK && i < rows; i++)
			rc = take(t, v, i, name, d);
	}
	parquet_reader_free(r);
	fd_close(&fd);
	(void)snprintf(t->engine, sizeof(t->engine), "an unknown program");
	if (rc == GLANE_END && !t->schema_text.p)
		rc = fail(d, GLANE_E_IO, "%s/_delta_log/%s: no metaData", t->schema->name, name);
	return rc == GLANE_END ? GLANE_OK : rc;
}
