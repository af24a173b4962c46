/* SPDX-License-Identifier: MIT */
/*
 * Holds: slices of a refresh that a gate did not let pass, kept with their payloads and their diff until somebody decides, the
 * data passes, or their time is over. Documents below quarantine/SOURCE/, each written as file_replace() does:
 *   hold.json      {"holds": [{dataset, indicator, since, at, run, rule, reason, digest, rows, before, new, ...}],
 *                   "runs": {RUN: {requests, cursors, cause, alone, kept, file, sha256, bytes, events, blocks}}}
 *   RUN.ndjson.zst the events of the slices held since that run (hold_diff.h)
 *   rejected.json  {"rejected": [{dataset, indicator, rule, reason, run, digest, at, why}]}: the last 4 of each slice, newest last
 * `since`: the first night held; `at`: the night of this very diff; `digest`: SHA-256 over its events.
 */
#ifndef SCHED_HOLD_H
#define SCHED_HOLD_H
#include "base/sha256.h"
#include "store/diff.h"
#include "store/name_map.h"

#define HOLD_AGAIN (INT64_C(6) * 3600) /* seconds between two fetches that vouch for each other */
#define HOLD_REJECTED 4                /* of a slice */
#define HOLD_FILE 256                  /* longest name of a file below quarantine/, with NUL */

/* "quarantine/SOURCE/NAME" */
void hold_path(const char *source, const char *name, char ret[HOLD_FILE]);
/* Missing: an empty object. A damaged one is GLANE_E_IO, with what to do. The caller owns it. */
glane_rc hold_read(const struct store *s, const char *source, json_t **ret, struct diag *d);
glane_rc hold_read_rejected(const struct store *s, const char *source, json_t **ret, struct diag *d);
/* Without an entry left the file is removed. */
glane_rc hold_write(const struct store *s, const char *source, const json_t *doc, struct diag *d);
glane_rc hold_write_rejected(const struct store *s, const char *source, const json_t *doc, struct diag *d);

size_t hold_count(const json_t *doc);
struct slice_name hold_name(const json_t *hold);
struct slice_name hold_slice(const struct slice_result *r);
/* The holds of a document by name, borrowed from it; name_map_release() even where it is false: no memory. */
bool hold_index(const json_t *doc, struct name_map *ret);
/* NULL: it is not held. */
const json_t *hold_find(struct name_map *index, struct slice_name name);
/* The run that an entry names, NULL where the document has none. */
json_t *hold_run(const json_t *doc, const json_t *hold);
/* Seconds since 1970 when a hold is over. */
int64_t hold_ends(const json_t *hold, int64_t days);

/* A second identical fetch releases: of a mass revision alone, a later run, six hours on, where the provider says that it has
 * updated the slice. */
bool hold_is_released(const json_t *hold, const struct slice_result *r, const char *digest, int64_t now);
size_t hold_rejected_count(const json_t *rejected);
/* The document of what was rejected while it is looked through or changed: only through this until it is closed. */
struct hold_rejected {
	json_t *doc;            /* borrowed */
	struct name_map newest; /* number of the last entry of a slice, from 1; 0: none is left */
	size_t *before;         /* by entry: number of the one before it of the same slice; 0: none */
	size_t cap;
	bool gone; /* what was taken out is null until then */
};
/* False: no memory. hold_rejected_close() even then. */
bool hold_rejected_open(struct hold_rejected *r, json_t *doc);
void hold_rejected_close(struct hold_rejected *r);
/* When this diff of this slice was rejected; INT64_MIN: never. */
int64_t hold_rejected_at(struct hold_rejected *r, struct slice_name name, const char *digest);
/* Notes a rejected hold; the oldest of too many of its slice goes. False: no memory. */
bool hold_reject(struct hold_rejected *r, const json_t *hold, int64_t at, const char *why);
/* Of a slice that was committed: an answer like the rejected one means something else now. True: there was something. */
bool hold_forget(struct hold_rejected *r, struct slice_name name);

/* Whether a commit brings events of the slice. */
bool slice_is_changed(const struct slice_result *r);

struct hold_night {
	const struct slice_result *slices;
	char (*digests)[SHA256_HEX]; /* of those that are held */
	size_t n;
	int64_t now;
	const char *run;
	bool keep;          /* an offline night: what is held stays as it is, unless its slice was committed */
	const json_t *lost; /* by run: its diff is gone, and is written anew with the same age; NULL: none */
};
/* The holds after a night: the same diff keeps its entry, another one its `since`; what passed is gone; what failed or was not
 * spoken of stays. Runs without an entry are left out, the one of tonight is for the caller to add where *ret_new. NULL: no memory. */
json_t *hold_merge(const json_t *old, const struct hold_night *night, bool *ret_new);
/* The member `holds` of last.json and of a report: what is held, without the means to read it again; none: no member. */
bool hold_put_list(json_t *j, const json_t *doc);
/* What is left of a last verdict once somebody has decided on holds: `status`, where nothing is held any more and nothing else
 * was wrong with the refreshes they came from. */
bool hold_put_settled(json_t *last, const json_t *before, const json_t *after, const char *status);
/* Rejects holds of a source (n_names 0: all): rejected.json, hold.json, last.json, in this order. *ret_n: how many. */
glane_rc hold_reject_all(const struct store *s, const char *source, const struct slice_name *names, size_t n_names,
	int64_t now, size_t *ret_n, struct diag *d);
/* Leaves the entries whose flag is set, and the runs that they name. False: no memory, and nothing is changed. */
bool hold_keep_only(json_t *doc, const bool *keep);
/* Reads the document of every source below quarantine/, looks for the files that it names, and for their bytes; one line per
 * finding. */
glane_rc hold_check(
	const struct store *s, struct strbuf *findings, uint64_t *ret_holds, uint64_t *ret_findings, struct diag *d);
#endif
