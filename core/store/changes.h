/* SPDX-License-Identifier: MIT */
/*
 * The events of a span of time, or of one run, through the filters of a query. Sources by name, their events by key, those of a
 * key by recorded_at: one pass, memory for one open file each. Of the stream only the files are opened whose statistics
 * reach into the span and the filters; of those, only what the filters let through is unpacked.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H
#include "store/query.h"

struct changes_span {
	int64_t from, to; /* recorded_at, both included; nothing where from > to */
	char run[48];     /* of this run only; "": of any */
};
/* Everything since a time, or since a date began. GLANE_E_CONFIG: neither. */
glane_rc changes_since(const char *text, struct changes_span *ret, struct diag *d);
/* Of a run: its id; a time or a date (its end): the last run that had begun by then; NULL: the last run. One that was killed
 * before its report counts by what it committed. GLANE_E_CONFIG: there is none. */
glane_rc changes_of_run(const struct store *s, const char *text, struct changes_span *ret, struct diag *d);

enum changes_kind {
	CHANGES_EACH,
	CHANGES_LAST, /* of a key only the last event: what it all came to */
	CHANGES_BEFORE, /* each with the state before it: this reads the older files of a source too, unless all is `new` */
};
struct changes;
/* Of q the filters and `scaled` count; q is borrowed. */
glane_rc changes_open(const struct store *s, const struct query *q, const struct changes_span *span,
	enum changes_kind kind, struct changes **ret, struct diag *d);
/* The next event; with CHANGES_BEFORE *ret_before is the state that it replaced, NULL where there was none (and always NULL for
 * the other kinds). Both are borrowed until the next call. GLANE_END at the end. GLANE_E_IO: damaged. */
glane_rc changes_next(struct changes *c, struct row *ret, const struct row **ret_before, struct diag *d);
void changes_close(struct changes *c); /* NULL is fine */
#endif
