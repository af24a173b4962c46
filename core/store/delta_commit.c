/* SPDX-License-Identifier: MIT */
/* Entries of a Delta log (PROTOCOL.md, Actions), and their publication. */
#include "base/file.h"
#include "base/json.h"
#include "store/delta.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* One action as a line. The object is taken over; NULL, or ok false: no memory. */
static void put(struct strbuf *lines, const char *action, json_t *j, bool ok)
{
	json_t *whole = json_object();

	ok = ok && j && whole && json_object_set(whole, action, j) == 0 && json_print(lines, whole, true);
	json_decref(whole);
	json_decref(j);
	strbuf_putc(lines, '\n');
	if (!ok)
		lines->failed = true;
}

static bool set_bool(json_t *j, const char *key, bool v)
{
	return json_object_set_new(j, key, json_boolean(v)) == 0;
}

static bool set_new(json_t *j, const char *key, json_t *v)
{
	return json_object_set_new(j, key, v) == 0;
}

void delta_put_add(struct strbuf *lines, const struct delta_file *f, bool data_change)
{
	json_t *j = json_object(), *tags = json_object();
	bool ok = json_set_slice(j, "path", f->path) && set_new(j, "partitionValues", json_object()) &&
		  json_set_int(j, "size", f->bytes) && json_set_int(j, "modificationTime", f->modified_ms) &&
		  set_bool(j, "dataChange", data_change) && json_set_slice(j, "stats", f->stats) &&
		  json_set_slice(tags, "glane.source", f->source) && json_set_slice(tags, "glane.sha256", f->sha256) &&
		  json_object_set(j, "tags", tags) == 0;

	json_decref(tags);
	put(lines, "add", j, ok);
}

void delta_put_remove(struct strbuf *lines, const struct delta_file *f, int64_t now_ms, bool data_change)
{
	json_t *j = json_object();
	bool ok = json_set_slice(j, "path", f->path) && json_set_int(j, "deletionTimestamp", now_ms) &&
		  set_bool(j, "dataChange", data_change) && set_bool(j, "extendedFileMetadata", true) &&
		  set_new(j, "partitionValues", json_object()) && json_set_int(j, "size", f->bytes);

	put(lines, "remove", j, ok);
}

void delta_put_txn(struct strbuf *lines, const char *app, int64_t version)
{
	json_t *j = json_object();
	bool ok = json_set_text(j, "appId", app) && json_set_int(j, "version", version);

	put(lines, "txn", j, ok);
}

static const char *type_name(enum parquet_type type)
{
	static const char *const names[] = {[PARQUET_TEXT] = "string",
		[PARQUET_BOOL] = "boolean",
		[PARQUET_INT8] = "byte",
		[PARQUET_INT16] = "short",
		[PARQUET_INT32] = "integer",
		[PARQUET_INT64] = "long",
		[PARQUET_DOUBLE] = "double",
		[PARQUET_DATE] = "date",
		[PARQUET_TIMESTAMP] = "timestamp"};

	return names[type];
}

void delta_schema_text(struct strbuf *b, const struct delta_schema *s)
{
	strbuf_puts(b, "{\"type\":\"struct\",\"fields\":[");
	for (size_t i = 0; i < s->n; i++)
		strbuf_fmt(b, "%s{\"name\":\"%s\",\"type\":\"%s\",\"nullable\":%s,\"metadata\":{}}", i ? "," : "",
			s->columns[i].path, type_name(s->columns[i].type), s->columns[i].nullable ? "true" : "false");
	strbuf_puts(b, "]}");
}

static void put_info(struct strbuf *lines, const char *operation, bool append, int64_t now_ms)
{
	json_t *j = json_object();
	bool ok = json_set_int(j, "timestamp", now_ms) && json_set_text(j, "operation", operation) &&
		  set_new(j, "operationParameters", json_object()) && set_bool(j, "isBlindAppend", append) &&
		  json_set_text(j, "engineInfo", "glane/" GLANE_VERSION);

	put(lines, "commitInfo", j, ok);
}

#define UUID 37 /* with NUL */

/* Random, of version 4 (RFC 9562): two stores, or a table made anew, are never taken for the same table. */
static bool new_id(char ret[UUID])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t b[16];
	size_t n = 0;

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return false;
	b[6] = (uint8_t)(0x40 | (b[6] & 0x0f));
	b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			ret[n++] = '-';
		ret[n++] = digits[b[i] >> 4];
		ret[n++] = digits[b[i] & 0x0f];
	}
	ret[n] = '\0';
	return true;
}

static void put_first(struct strbuf *lines, const struct delta_schema *s, const char *id, int64_t now_ms)
{
	json_t *protocol = json_object(), *meta = json_object(), *format = json_object(), *conf = json_object();
	struct strbuf text;
	bool ok = json_set_int(protocol, "minReaderVersion", 1) && json_set_int(protocol, "minWriterVersion", 2);

	put(lines, "protocol", protocol, ok);
	strbuf_init(&text, 0);
	delta_schema_text(&text, s);
	ok = strbuf_ok(&text) && json_set_text(meta, "id", id) && json_set_text(meta, "name", s->name) &&
	     json_set_text(meta, "description", s->description) && json_set_text(format, "provider", "parquet") &&
	     set_new(format, "options", json_object()) && json_object_set(meta, "format", format) == 0 &&
	     json_set_slice(meta, "schemaString", strbuf_get(&text)) &&
	     set_new(meta, "partitionColumns", json_array()) && json_set_int(meta, "createdTime", now_ms) &&
	     (!s->append_only || json_set_text(conf, "delta.appendOnly", "true")) &&
	     json_object_set(meta, "configuration", conf) == 0;
	strbuf_release(&text);
	json_decref(format);
	json_decref(conf);
	put(lines, "metaData", meta, ok);
}

/* What was published and could not be applied to the memory would make the next version a wrong one. */
static glane_rc apply(struct delta *t, struct slice lines, const char *name, struct diag *d)
{
	struct diag own = {0};
	glane_rc rc = delta_apply(t, lines, name, &own);

	if (rc < 0)
		return fail(d, rc, "%s: published, but %s", name, own.text);
	t->version++;
	return GLANE_OK;
}

glane_rc delta_commit(struct delta *t, const char *operation, struct slice lines, int64_t now_ms, struct diag *d)
{
	char name[64], id[UUID];
	struct strbuf b;
	glane_rc rc;

	if (t->version < 0 && !new_id(id))
		return fail(d, GLANE_E_IO, "%s: no random bytes for the id of the table: %s", t->schema->name,
			strerror(errno));
	(void)snprintf(name, sizeof(name), "%020" PRId64 ".json", t->version + 1);
	strbuf_init(&b, 0);
	put_info(&b, operation, t->schema->append_only, now_ms);
	if (t->version < 0)
		put_first(&b, t->schema, id, now_ms);
	strbuf_slice(&b, lines);
	delta_put_txn(&b, "glane.log", t->version + 1);
	if (!strbuf_ok(&b))
		rc = fail(d, GLANE_E_NOMEM, "%s/_delta_log/%s: no memory to write it", t->schema->name, name);
	else
		rc = file_replace(t->log, name, strbuf_get(&b), true, d);
	if (rc == GLANE_OK)
		rc = apply(t, strbuf_get(&b), name, d);
	if (rc == GLANE_E_IO)
		(void)diag_prefix(d, "%s/_delta_log", t->schema->name);
	strbuf_release(&b);
	return rc;
}
