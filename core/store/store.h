/* SPDX-License-Identifier: MIT */
/*
 * The store on disk, in its first form behind the interface that the lake will implement (DESIGN section 8):
 *   stream/SOURCE/N.csv  every key of the source as it stands after commit N: the export columns + event, cause, run, payload;
 *                        sorted by key; withdrawn keys stay with event = withdrawn. The newest N is current, older ones are the vintages.
 *   state/SOURCE/N.json  request list, validators, cursors, digests of commit N; valid only where stream/SOURCE/N.csv is.
 *   state/SOURCE/last.json, seen.json         outside the commit: last checked, holds; other answers that gave the same rows
 *   state/limits.json                         rate budgets
 *   runs/ID.json payloads/ format lock tmp/
 * One writer holds the lock (flock); readers need none: a file once published never changes.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "base/json.h"
#include "base/mem.h"
#include "model/batch.h"
#include "model/row.h"

struct store {
	int dir, tmp, lock; /* descriptors; tmp and lock -1 for readers */
	char *path;
	bool *broken; /* a write or sync has failed: nothing more is written through this store */
};
/* Opens for reading (`write` false: GLANE_E_IO with "no store at ..." where there is none), or creates and locks it
 * (GLANE_E_DENIED: another run holds the lock). Refuses an unknown `format`, NFS and CIFS, a read-only folder, less than
 * 64 MiB free. Left-overs of a killed writer in tmp/ and unpublished state files are removed by the writer. */
glane_rc store_open(struct store *s, const char *path, bool write, struct diag *d);
/* For reading; where there is nothing at all, or an empty folder, *s is a store without sources or runs (its descriptor is -1). */
glane_rc store_open_if_any(struct store *s, const char *path, struct diag *d);
void store_close(struct store *s);

/* Newest commit of a source: 0 where there is none. */
glane_rc store_commit_number(const struct store *s, const char *source, uint64_t *ret, struct diag *d);
/* The newest commit made by a run whose recorded_at (`now`) is <= t; 0: none. */
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
/* {SOURCE: N}: the newest commit of every source. A run's report carries it as `commits`: it is what `--as-of RUN` goes
 * by, since two runs may share a second and clocks go back. The caller owns it. */
glane_rc store_commits(const struct store *s, json_t **ret, struct diag *d);

/* Rows of one commit in key order. Damage (another size than the commit's, a row that does not parse or is out of
 * order) is GLANE_E_IO with file and line; after a damaged row the next call goes on behind it. */
struct store_cursor {
	int fd;
	struct strbuf buf, scratch;
	struct strbuf last, key; /* keys of the last row and of the one before it */
	struct slice raw;        /* bytes of the last row with its LF; until the next call */
	size_t pos;
	bool eof;
	uint64_t line;  /* first line of the last row */
	uint64_t lines; /* line ends passed */
	char source[64];
	char name[192]; /* for messages */
};
glane_rc store_rows_open(const struct store *s, const char *source, uint64_t n, struct store_cursor *c, struct diag *d);
/* The row borrows from the cursor until the next call. GLANE_END at the end. */
glane_rc store_rows_next(struct store_cursor *c, struct row *ret, struct diag *d);
void store_rows_close(struct store_cursor *c);
/* Runs. A report is written once: a second one of the same id is GLANE_E_IO. */
glane_rc store_run_write(const struct store *s, const char *id, const json_t *report, struct diag *d);
/* A free id from `now`: 20261123T234435Z, then -2, -3, ... */
glane_rc store_run_id(const struct store *s, int64_t now, char buf[48], struct diag *d);
/* Oldest first. */
glane_rc store_runs(const struct store *s, struct arena *a, const char ***ret, size_t *ret_n, struct diag *d);
glane_rc store_run_read(const struct store *s, const char *id, json_t **ret, struct diag *d);
/* Every row file parsed, in order and of the hash of its commit, every state file and report valid; one line per finding.
 * Payloads are net/archive's to check. */
glane_rc store_check(
	const struct store *s, struct strbuf *findings, uint64_t *ret_rows, uint64_t *ret_findings, struct diag *d);
#endif
