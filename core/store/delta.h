/* SPDX-License-Identifier: MIT */
/*
 * The transaction log of one Delta table (delta-io/delta, PROTOCOL.md), reader version 1, writer version 2: what is live at its
 * newest version, and commits to it. Every commit of ours says so by `txn {glane.log, VERSION}`: a version that another
 * program wrote is refused, by readers too, as the truth may have been changed. Paths are plain names in the table's folder.
 */
#ifndef STORE_DELTA_H
#define STORE_DELTA_H
#include "base/map.h"
#include "base/strbuf.h"
#include "store/parquet.h"

#define DELTA_CHECKPOINT_EVERY 20                     /* versions */
#define DELTA_KEEP_MS (INT64_C(7) * 24 * 3600 * 1000) /* removed files live on so long, for readers of older versions */
#define DELTA_NAME 160                                /* longest path of a data file, with NUL */

struct delta_file { /* an `add`, or the `remove` that undid it; texts live with the table, or are the caller's */
	struct slice path;
	int64_t bytes;
	int64_t modified_ms;         /* since 1970 */
	struct slice stats;          /* JSON (PROTOCOL.md, Per-file Statistics) */
	struct slice source, sha256; /* our tags; absent: none */
	uint64_t rows;               /* numRecords */
	int64_t removed_ms;          /* 0: live */
};
struct delta_schema {     /* what a table is made of; constant */
	const char *name; /* folder */
	const char *description;
	const struct parquet_column *columns;
	size_t n;
	bool append_only;
};
struct delta {
	const struct delta_schema *schema;
	int dir, log;       /* descriptors of the folder and of its _delta_log; -1: not there */
	int64_t version;    /* newest; -1: no table yet */
	int64_t checkpoint; /* version that it was read from; -1: none */
	struct arena arena;
	struct delta_file *files; /* live and removed ones */
	size_t n, cap;
	struct map by_path, txns;
	struct slice id, schema_text; /* of its metaData; the id is random, made with the table */
	int64_t created_ms;
	char engine[96]; /* engineInfo of the newest version read */
};
/* Reads the newest version (version -1 where there is none; with `create` the folders are made). GLANE_E_IO: damaged, of a
 * newer protocol, or written to by another program; the message names the file and what to do. */
glane_rc delta_load(struct delta *t, const struct delta_schema *schema, int store, bool create, struct diag *d);
/* The same without the newest checkpoint, from the one before it or from the first version: to compare. */
glane_rc delta_replay(struct delta *t, const struct delta_schema *schema, int store, struct diag *d);
void delta_close(struct delta *t);
/* Version of an application in the log; -1: none. */
int64_t delta_txn(const struct delta *t, const char *app);
/* Version of a file "NNN.json" of twenty digits in a log, or with another end; -1: another name. */
int64_t delta_version_of(const char *name, const char *suffix);
/* The live file of that path, or NULL. */
const struct delta_file *delta_find(const struct delta *t, struct slice path);

/* Actions of the next version, as lines; ask strbuf_ok(). */
void delta_put_add(struct strbuf *lines, const struct delta_file *f, bool data_change);
void delta_put_remove(struct strbuf *lines, const struct delta_file *f, int64_t now_ms, bool data_change);
void delta_put_txn(struct strbuf *lines, const char *app, int64_t version);
/* Publishes them as version + 1 with commitInfo (and, where it is the first, protocol and metaData): durable, or nothing has
 * happened, except where the message says that the folder could not be synced. Then the table is at that version.
 * `lines` lives on until then. */
glane_rc delta_commit(struct delta *t, const char *operation, struct slice lines, int64_t now_ms, struct diag *d);
/* Writes a checkpoint of the present version and _last_checkpoint. Removed files older than DELTA_KEEP_MS are left out. */
glane_rc delta_checkpoint(struct delta *t, int64_t now_ms, struct diag *d);

/* delta_*.c only: */
/* Applies the lines of one version. `name` stands in messages. */
glane_rc delta_apply(struct delta *t, struct slice lines, const char *name, struct diag *d);
glane_rc delta_put_file(
	struct delta *t, const struct delta_file *f, struct diag *d); /* add or remove; texts are copied */
glane_rc delta_set_txn(struct delta *t, struct slice app, int64_t version, struct diag *d);
/* metaData; `name` stands in messages. */
glane_rc delta_set_schema(
	struct delta *t, struct slice id, struct slice text, int64_t created_ms, const char *name, struct diag *d);
glane_rc delta_set_protocol(const struct delta *t, int64_t reader, int64_t writer, const char *name, struct diag *d);
glane_rc delta_read_checkpoint(struct delta *t, int64_t version, struct diag *d);
/* Rows of an add, from its statistics; 0 where they do not say. False: no memory. */
bool delta_stats_rows(struct slice stats, uint64_t *ret);
/* schemaString of a table (PROTOCOL.md, Schema Serialization Format). */
void delta_schema_text(struct strbuf *b, const struct delta_schema *s);
#endif
