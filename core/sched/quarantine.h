/* SPDX-License-Identifier: MIT */
/*
 * Records that could not be normalised: quarantine/SOURCE/RUN.json, {"source", "run", "rejected": how many, "records": the first
 * 1,000 of them {stage, rule, reason, record, payload, number, line, offset}, "requests", "cursors": what was parsed, for a replay}.
 * stage: "plugin" (the plugin refused the record) or "normalise" (the host did).
 */
#ifndef SCHED_QUARANTINE_H
#define SCHED_QUARANTINE_H
#include "store/store.h"

#define QUARANTINE_RUNS 100 /* of a source, at most */
#define QUARANTINE_DAYS 30

/* Runs of a source with rejected records, newest first. */
glane_rc quarantine_runs(
	const struct store *s, const char *source, struct arena *a, const char ***ret, size_t *ret_n, struct diag *d);
/* What one of them rejected; GLANE_E_USAGE where there is no such run. The caller owns it. */
glane_rc quarantine_read(const struct store *s, const char *source, const char *run, json_t **ret, struct diag *d);
/* Removes the documents of all but the newest 100 runs and of those more than 30 days old (the newest one stays), and diffs
 * that no hold of the document names. */
glane_rc quarantine_upkeep(const struct store *s, const char *source, const json_t *holds, int64_t now, struct diag *d);
#endif
