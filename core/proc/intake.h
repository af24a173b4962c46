/* SPDX-License-Identifier: MIT */
/*
 * The trusted side of a worker: every frame re-checked (lengths, handles, codes, UTF-8, ranges) before it reaches the batch. A frame that does not
 * hold is GLANE_E_FORMAT, one beyond the limits of a run (200 million rows, 1 GiB of texts) GLANE_E_LIMIT; both end that
 * worker. Of a flood of log lines the first 100 warnings are passed on as such, the rest as GLANE_LOG_INFO.
 */
#ifndef PROC_INTAKE_H
#define PROC_INTAKE_H
#include "base/map.h"
#include "model/areas.h"
#include "model/batch.h"
#include "plug/host.h"
#include "proc/wire.h"

/* Worker -> scheduler. */
enum {
	W_PAYLOAD = 10, /* text sha256 */
	W_SERIES, /* text dataset, indicator, area, area_scheme, dims, unit, title, area_title, updated; u8 freq; i64 unit_mult */
	W_NOTE,     /* text value_text, flags, note; u8 has_unit_mult, remove; i64 unit_mult */
	W_PERIOD,   /* text */
	W_OBS,      /* n * struct glane_obs, the rest of the frame */
	W_COVER,    /* u32 kind; text dataset, indicator; i64 from, to; text reason */
	W_CURSOR,   /* text key, value */
	W_REJECT,   /* text rule, reason, record; u64 number, line, offset; u8 by_plugin */
	W_LOG,      /* u8 level; text */
	W_PROGRESS, /* u64 rows, bytes; text sha256 of the payload that it reads, or was given last */
	W_END,      /* i64 rc; text message; u64 rows, rejected, padding, bytes */
	W_PAGES,    /* u64 turned, moved: see struct host_counts; before W_END, where a page was turned */
	W_ERASE,    /* text dataset, indicator, area, dims, period; u8 freq, what: see struct erase */
	W_JOB = 40  /* scheduler -> worker, see worker.h */
};
#define INTAKE_REJECTS 1000 /* records whose texts are kept; further ones are counted */
struct intake_reject {
	char *rule, *reason, *record;
	char sha256[65];
	uint64_t number, line, offset;
	bool by_plugin; /* see struct host_reject */
};
struct doubt { /* what may be wrong with the configuration, and is no error */
	uint64_t n;
	char example[128]; /* the last one, cut, as a message may show it */
};
struct intake {
	struct batch *batch;
	const struct areas *areas;
	struct arena arena;
	/* What follows the checks of a run of observations: NULL pushes them into the batch's spool. They are checked. */
	glane_rc (*on_obs)(void *arg, const struct batch_obs *obs, size_t n, struct diag *d);
	void (*on_log)(void *arg, int level, struct slice text); /* may be NULL */
	void *arg;
	struct wire *broker;             /* of an in-process run */
	struct diag *here;               /* likewise: where its checks report */
	const struct host_seams *checks; /* likewise: the seams without a round to the broker */
	uint32_t payload;                /* index + 1 of the current one */
	struct map payloads;             /* by hash: the same */
	/* Places in the batch of the series, notes and periods that the worker has named last (batch_is_recent()). */
	uint32_t *series_at, *note_at, *period_at;
	uint64_t n_series, n_notes, n_periods; /* named so far */
	struct intake_reject *rejects;         /* the first INTAKE_REJECTS */
	size_t n_rejects, cap_rejects;
	uint64_t rejected;                             /* all of them */
	uint64_t erased;                               /* deletions that came */
	uint64_t max_rows, max_text_bytes, text_bytes; /* limits of one run of a source, and what its tables hold */
	uint32_t part;                                 /* of the observations: see GLANE_OBS_LAST */
	unsigned warnings;
	struct glane_kv *cursors;
	size_t n_cursors, cap_cursors;
	struct map cursor_at; /* by key: index */
	uint64_t rows, progress_rows, progress_bytes;
	char taken[65]; /* the payload that it reads, or was given last */
	/* Series with areas that no table knows; values with digits that are no numbers. */
	struct doubt unknown_areas, text_values;
	bool ended; /* W_END was seen */
	glane_rc end_rc;
	char *end_message;
	struct host_counts counts;
};
glane_rc intake_init(struct intake *in, struct batch *b, const struct areas *areas);
void intake_release(struct intake *in);
/* A record for the quarantine: the first INTAKE_REJECTS are kept, all are counted. Its payload is the current one. */
glane_rc intake_reject(struct intake *in, const struct host_reject *q, struct diag *d);
glane_rc intake_frame(struct intake *in, struct frame *f, struct diag *d);
/* The same checks as seams of an in-process run (fetch and cancelled are the caller's). */
void intake_seams(struct intake *in, struct host_seams *ret, struct diag *d);
void doubt_add(struct doubt *d, struct slice example);
/* Appends "8 series with areas that no table knows, e.g. 'X'; ..."; nothing where there is no doubt. */
void intake_doubts(const struct intake *in, struct strbuf *b);
#endif
