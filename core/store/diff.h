/* SPDX-License-Identifier: MIT */
/*
 * Diff, gate and commit of one source: a streaming merge of `current` with a finished batch, both sorted by key
 * (DESIGN sections 2, 3, 8). Slices that failed or are held keep their last state.
 */
#ifndef STORE_DIFF_H
#define STORE_DIFF_H
#include "store/store.h"

struct gate_limits {             /* DESIGN section 6; percentages of the last commit's live rows in the same slice */
	double min_rows_percent; /* 90: fewer live rows than that afterwards holds the slice */
	double max_withdrawn_percent; /* 10 */
	bool accept;                  /* --accept: nothing is held */
};
enum slice_verdict { SLICE_OK, SLICE_UNCHANGED, SLICE_HELD, SLICE_FAILED };
struct slice_result {
	struct slice dataset, indicator; /* indicator absent: the whole dataset; dataset absent: rows without a cover */
	enum slice_verdict verdict;
	const char *rule;   /* of held and failed: the gate's key without "gate.", or NULL: no gate; static */
	const char *reason; /* of held and failed; in the arena */
	uint64_t rows;      /* in the fresh batch */
	uint64_t before;    /* live rows of the last commit */
	uint64_t added, revised, status, withdrawn, restored;
};
struct diff_result {
	struct arena arena;
	struct slice_result *slices;
	size_t n_slices;
	uint64_t events; /* over slices that are ok */
	uint64_t total;  /* live rows afterwards */
	struct change
		*change; /* data files of the new commit in tmp/, ready for diff_commit(); NULL where events == 0 */
	const struct store *s;
	struct slice *payloads; /* SHA-256 of the payloads that caused an event; of a slice with withdrawals, all */
	size_t n_payloads;
	int64_t recorded_at; /* of the new commit */
	const char *run;
	uint64_t rows;        /* of the source afterwards, withdrawn ones included */
	struct slice newest;  /* where there are events: the live period afterwards that begins last; "": no live row */
	int64_t newest_start; /* its first day */
};
struct diff_input {
	const char *source;
	struct batch *batch; /* finished */
	uint64_t previous;   /* commit number, 0: none */
	int64_t now; /* recorded_at: store_moment() of the run; raised to the last commit's where it is earlier */
	const char *run, *cause; /* cause: "source" or "mapping" */
	struct gate_limits gate;
	bool keep_missing; /* records were rejected: a key that is missing may be theirs, nothing is withdrawn */
	const char *licence, *attribution; /* of the source, for the table of series; NULL: unknown */
};
/*
 * Rules: a fresh key without a predecessor is `new`; another value `revised`; the same value with another attribute
 * `status`; a withdrawn key that comes back `restored`; a live key inside the declared cover of its slice (FULL, or its first
 * day in RANGE) that the batch lacks, or one with a remove annotation, `withdrawn`. Unchanged rows keep every column.
 * A FULL slice without any row is SLICE_FAILED ("no observations") - never a withdrawal of everything; so is a batch without rows
 * and without a cover. A slice below the gate is SLICE_HELD with numbers in the reason.
 */
glane_rc diff_run(const struct store *s, const struct diff_input *in, struct diff_result *ret, struct diag *d);
void diff_release(struct diff_result *r);
/* Makes commit previous + 1 ready: data files and state/SOURCE/N.json are durable under their names. It is there once
 * store_publish() has returned. `state` is completed with run, recorded_at, rows and events. *ret_n is the new number. */
glane_rc diff_commit(const struct store *s, const char *source, uint64_t previous, struct diff_result *r, json_t *state,
	uint64_t *ret_n, struct diag *d);
#endif
