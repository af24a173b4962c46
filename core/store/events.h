/* SPDX-License-Identifier: MIT */
/* The events of one source: its stream files merged by key, then by recorded_at. */
#ifndef STORE_EVENTS_H
#define STORE_EVENTS_H
#include "store/lake.h"

#define EVENTS_OPEN_MAX 64 /* files that are open at once; of more, some are merged into temporary files first */

struct events {
	struct arena arena;
	struct event_file *files;
	size_t *heap; /* of files with a row left */
	size_t n, n_heap;
	const char *source;
	const struct record_tests *tests; /* NULL: every row */
	bool taken;                       /* the first of the heap was given out */
};
/* Those of the source that may hold a row recorded from `from` to `to` (INT64_MIN, INT64_MAX: any) which passes the tests (columns of
 * the key only; they outlive e). Rows that do not pass are left out, earlier and later ones are not. */
glane_rc events_open(struct events *e, const struct store *s, const char *source, int64_t from, int64_t to,
	const struct record_tests *tests, struct diag *d);
/* Of these stream files of the source only. */
glane_rc events_open_files(struct events *e, const struct store *s, const char *source, const struct delta_file *files,
	size_t n, struct diag *d);
/* events*.c only: all of these; e has the source and the tests. */
struct events_input;
glane_rc events_open_inputs(struct events *e, const struct events_input *in, size_t n, struct diag *d);
/* Borrowed until the next call. GLANE_END at the end. GLANE_E_IO: damaged, or out of order. */
glane_rc events_next(struct events *e, const struct row **ret, struct diag *d);
/* The file of the last event, for messages. */
const char *events_name(const struct events *e);
void events_close(struct events *e);
#endif
