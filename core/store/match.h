/* SPDX-License-Identifier: MIT */
/* The filters of a query, made ready: which sources, series and rows they let through. */
#ifndef STORE_MATCH_H
#define STORE_MATCH_H
#include "store/query.h"

struct match {
	const struct query *q; /* borrowed */
	int64_t from, to;      /* days: period_start lies within */
};
/* GLANE_E_CONFIG: a period, a group or a dim that is none; GLANE_E_USAGE: groups without tables. Nothing to release. */
glane_rc match_init(struct match *m, const struct query *q, struct diag *d);
/* False: no row of the source can be asked for. */
bool match_source(const struct match *m, struct slice source);
/* By source, dataset, indicator, area, dims and freq: all but the period. */
bool match_series(const struct match *m, const struct row *r);
bool match_period(const struct match *m, const struct row *r);
/* One kind of filter alone: any of a list (or none is asked for), a group, every KEY of the dims. */
bool match_list(const char **list, struct slice text);
bool match_groups(const struct query *q, struct slice area);
bool match_dims(const struct query *q, struct slice dims);
/* With q->scaled: row_scale(); scratch holds the value then. */
glane_rc match_scale(const struct match *m, struct row *r, struct strbuf *scratch, struct diag *d);
#endif
