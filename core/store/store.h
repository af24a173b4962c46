/* SPDX-License-Identifier: MIT */
/*
 * The store on disk (DESIGN section 8):
 *   stream/ current/ series/  Delta tables on Parquet (lake.h): every event; the latest state; one row per series
 *   state/SOURCE/N.json       request list, validators, cursors, digests of commit N; valid only where the stream's log names N
 *   state/SOURCE/last.json, seen.json  outside the commit: last checked, holds; other answers that gave the same rows
 *   broker/limits.json        rate budgets
 *   runs/ID.json payloads/ quarantine/ format lock tmp/
 * One writer holds the lock (flock); readers need none: a file once published never changes.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "model/batch.h"
#include "model/row.h"

struct store {
	int dir, tmp, lock; /* descriptors; tmp and lock -1 for readers */
	char *path;
	bool *broken; /* a write or sync has failed: nothing more is written through this store */
	struct lake *lake;
};
/* Opens for reading (`write` false: GLANE_E_IO with "no store at ..." where there is none), or creates and locks it
 * (GLANE_E_DENIED: another run holds the lock). Refuses an unknown `format`, NFS and CIFS, a read-only folder, less than
 * 64 MiB free, tables that another program wrote to. Left-overs of a killed writer are removed by the next one, and what is
 * missing or behind in current and series is rebuilt from the stream. */
glane_rc store_open(struct store *s, const char *path, bool write, struct diag *d);
/* For reading; where there is nothing at all, or an empty folder, *s is a store without sources or runs (its descriptor is -1). */
glane_rc store_open_if_any(struct store *s, const char *path, struct diag *d);
void store_close(struct store *s);

/* recorded_at of a run that begins at `now`: never earlier than that, and later than every commit that is published
 * (until the year 9999 ends). */
int64_t store_moment(const struct store *s, int64_t now);
/* recorded_at of the newest published commit; INT64_MIN: none. What a run's report names for --as-of. */
int64_t store_last_moment(const struct store *s);
/* Publishes what diff_commit() has made ready, all of it or nothing, as one version of each table. After an error nothing
 * more is written through this store. Without anything ready: GLANE_OK. */
glane_rc store_publish(const struct store *s, struct diag *d);
/* What a run ends with: of sources with more than 30 stream files the small ones become one file. Bounded: what is left is
 * done by the runs to come. Nothing that a reader sees changes. */
glane_rc store_upkeep(const struct store *s, struct diag *d);
/* By hand what store_upkeep() does within bounds: all stream files of the source become one, where there are several. True with the
 * next store_publish(). `dry` writes nothing (a reader may ask). */
struct store_compacted {
	uint64_t files, bytes; /* before */
	uint64_t bytes_after;  /* of the one file; 0: nothing was done, or dry */
};
glane_rc store_compact(
	const struct store *s, const char *source, bool dry, struct store_compacted *ret, struct diag *d);
/* Removes data files that were superseded before that moment (seconds; opening a writer does so after seven days), and
 * checkpoints older than that which two newer ones follow. `dry` only counts (a reader may ask). */
struct store_swept {
	uint64_t files, bytes;
};
glane_rc store_vacuum(const struct store *s, int64_t before, bool dry, struct store_swept *ret, struct diag *d);
/* Every payload that a state, an event or anything in quarantine/ speaks of, as keys of a map with a copying arena. */
glane_rc store_payload_names(const struct store *s, struct map *names, struct diag *d);
/* Milliseconds since the first commit that is not yet published; 0: there is none. */
int64_t store_pending_ms(const struct store *s);

/* Newest published commit of a source: 0 where there is none. */
glane_rc store_commit_number(const struct store *s, const char *source, uint64_t *ret, struct diag *d);
/* The newest commit whose recorded_at is <= t; 0: none. */
glane_rc store_commit_as_of(const struct store *s, const char *source, int64_t t, uint64_t *ret, struct diag *d);
/* State of commit n (n 0: an empty object). The caller owns it. */
glane_rc store_state(const struct store *s, const char *source, uint64_t n, json_t **ret, struct diag *d);
/* Side files outside the commit: state/SOURCE/last.json. Missing: an empty object. */
glane_rc store_last_read(const struct store *s, const char *source, json_t **ret, struct diag *d);
glane_rc store_last_write(const struct store *s, const char *source, const json_t *j, struct diag *d);
/* state/SOURCE/seen.json: what a later parse without an event saw in place of commit n's answers. Missing, or of another commit
 * than n: an empty object. Writing sets its member `commit`. */
glane_rc store_seen_read(const struct store *s, const char *source, uint64_t n, json_t **ret, struct diag *d);
glane_rc store_seen_write(const struct store *s, const char *source, uint64_t n, json_t *j, struct diag *d);
/* Names of all sources with a commit, sorted bytewise, NUL-terminated in the arena. */
glane_rc store_sources(const struct store *s, struct arena *a, const char ***ret, size_t *ret_n, struct diag *d);
/* {SOURCE: N}: the newest commit of every source. The caller owns it. */
glane_rc store_commits(const struct store *s, json_t **ret, struct diag *d);

/* The state of a source, row by row in key order. Damage is GLANE_E_IO with the file's name. */
struct store_cursor {
	struct rows *rows;
	size_t segment; /* of the last row: its file's place among those of current, by key; 0 where it came from the stream */
	bool first; /* the last row is the first one of its segment */
};
/* As of commit n: n > 0. */
glane_rc store_rows_open(const struct store *s, const char *source, uint64_t n, struct store_cursor *c, struct diag *d);
/* As known at t (INT64_MAX: now); without any rows where the source had none. */
glane_rc store_rows_as_of(const struct store *s, const char *source, int64_t t, struct store_cursor *c, struct diag *d);
/* The row borrows from the cursor until the next call. GLANE_END at the end. */
glane_rc store_rows_next(struct store_cursor *c, struct row *ret, struct diag *d);
void store_rows_close(struct store_cursor *c);

/* Runs. A report is written once: a second one of the same id is GLANE_E_IO. */
glane_rc store_run_write(const struct store *s, const char *id, const json_t *report, struct diag *d);
/* The id of a run says when it began: 20261123T234435Z, then -2, -3, ... */
bool is_run_id(struct slice text);
bool run_id_time(const char *id, int64_t *ret); /* of an id; false: no such day */
/* By age, < 0 where a is the older one; of texts that are no ids bytewise. */
int run_id_cmp(struct slice a, struct slice b);
/* A free id from `now`. */
glane_rc store_run_id(const struct store *s, int64_t now, char buf[48], struct diag *d);
/* Oldest first. */
glane_rc store_runs(const struct store *s, struct arena *a, const char ***ret, size_t *ret_n, struct diag *d);
glane_rc store_run_read(const struct store *s, const char *id, json_t **ret, struct diag *d);
/* Every data file as its log says (size, SHA-256, rows, statistics), current and series as the stream gives them, every log,
 * checkpoint, state file and report valid; one line per finding. Payloads are net/archive's to check. */
glane_rc store_check(
	const struct store *s, struct strbuf *findings, uint64_t *ret_rows, uint64_t *ret_findings, struct diag *d);
#endif
