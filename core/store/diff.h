/* SPDX-License-Identifier: MIT */
/*
 * Diff, gate and commit of one source: a streaming merge of `current` with a finished batch, both sorted by key
 * (DESIGN sections 2, 3, 8). Slices that failed or are held keep their last state.
 */
#ifndef STORE_DIFF_H
#define STORE_DIFF_H
#include "store/gate.h"
#include "store/store.h"

enum slice_verdict { SLICE_OK, SLICE_UNCHANGED, SLICE_HELD, SLICE_FAILED };
struct slice_result {
	struct slice dataset, indicator; /* indicator absent: the whole dataset; dataset absent: rows without a cover */
	enum slice_verdict verdict;
	const char *rule;   /* of held and failed: the gate's key without "gate.", or NULL: no gate; static */
	const char *reason; /* of held and failed; in the arena */
	uint64_t rows;      /* in the fresh batch */
	uint64_t before;    /* live rows of the last commit */
	uint64_t added, revised, status, withdrawn, restored;
	bool accepted;      /* its gate is off: it is among those of the input */
	bool updated_moved; /* the provider's own update stamp is later than that of the last commit; false without both */
};
struct slice_name { /* of a slice_result */
	struct slice dataset, indicator;
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
	json_t *stamps;       /* for the state of the commit, see stamps.h; NULL without events */
};
struct diff_input {
	const char *source;
	struct batch *batch; /* finished */
	uint64_t previous;   /* commit number, 0: none */
	int64_t now; /* recorded_at: store_moment() of the run; raised to the last commit's where it is earlier */
	const char *run, *cause; /* cause: "source" or "mapping" */
	struct gate_limits gate;
	const struct slice_name *accept; /* slices whose gate is off */
	size_t n_accept;
	bool only;      /* slices that are not among them are left as they are, and are not in the result */
	bool additions; /* the answers are older than the last commit: only keys that the store never had are taken */
	bool keep_missing; /* records were rejected: a key that is missing may be theirs, nothing is withdrawn */
	const char *licence, *attribution; /* of the source, for the table of series; NULL: unknown */
};
/*
 * Rules: a fresh key without a predecessor is `new`; another value `revised`; the same value with another attribute
 * `status`; a withdrawn key that comes back `restored`; a live key inside the declared cover of its slice (FULL, or its first
 * day in RANGE) that the batch lacks, or one with a remove annotation or that is
 * erased behind it (model/erase.h), `withdrawn`. Unchanged rows keep every column.
 * A FULL slice without any row is SLICE_FAILED ("no observations") - never a withdrawal of everything; so is a batch without rows
 * and without a cover, and an answer that the provider stamped earlier than the last one. A slice in which another rule of the
 * gate trips is SLICE_HELD with numbers and a key in the reason.
 */
glane_rc diff_run(const struct store *s, const struct diff_input *in, struct diff_result *ret, struct diag *d);
void diff_release(struct diff_result *r);
/* Of an absent name and of an empty one it is the same slice. */
bool slice_name_eq(struct slice_name a, struct slice_name b);
struct diff_event {
	size_t slice;          /* of the result */
	const char *word;      /* new revised status withdrawn restored */
	struct row row;        /* as it would be in the stream */
	const struct row *old; /* what it takes the place of; NULL: nothing */
};
/* The events of every slice of `r` that is held, and of every one where `in->only`, in the order of keys: what diff_run() found with
 * this very input. A row is borrowed for the call; a code < 0 ends it. */
glane_rc diff_events(const struct store *s, const struct diff_input *in, const struct diff_result *r,
	glane_rc (*each)(void *arg, const struct diff_event *e, struct diag *d), void *arg, struct diag *d);
/* Makes commit previous + 1 ready: data files and state/SOURCE/N.json are durable under their names. It is there once
 * store_publish() has returned. `state` is completed with run, recorded_at, rows and events. *ret_n is the new number. */
glane_rc diff_commit(const struct store *s, const char *source, uint64_t previous, struct diff_result *r, json_t *state,
	uint64_t *ret_n, struct diag *d);
#endif
