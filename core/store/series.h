/* SPDX-License-Identifier: MIT */
/* The table of series, filtered, streaming. */
#ifndef STORE_SERIES_H
#define STORE_SERIES_H
#include "store/query.h"
#include "store/record.h"

/* Calls `each` in key order for every series that the filters let through and that has an observation from q->from to q->to as far
 * as its first and last period tell (q->withdrawn: also series without a live observation). It is the present state: as_of and
 * scaled are not looked at. Where the table is behind the stream, the series come from the rows, without titles, licence and
 * stamp. `each` may return a code < 0 to stop; texts are borrowed during the call. */
glane_rc series_run(const struct store *s, const struct query *q,
	glane_rc (*each)(void *arg, const struct series_row *r), void *arg, struct diag *d);
/* First day of its first and of its last period, as days since 1970-01-01; `dflt` where it has none. */
int64_t series_first_day(const struct series_row *s, int64_t dflt);
int64_t series_last_day(const struct series_row *s, int64_t dflt);
#endif
