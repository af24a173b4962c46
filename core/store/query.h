/* SPDX-License-Identifier: MIT */
/* Filters and exports over the store, streaming: memory does not grow with the table. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H
#include "model/areas.h"
#include "model/catalogue.h"
#include "store/store.h"

struct query { /* every list: any of its items; an empty list: no restriction. Texts are borrowed */
	/* NULL-terminated or NULL; dim: KEY=VALUE */
	const char **source, **dataset, **indicator, **area, **group, **freq, **dim;
	const struct catalogue_item *const *catalogue; /* any of these, or NULL */
	size_t n_catalogue;
	const char *from, *to; /* period texts: period_start within [start of from, end of to] */
	int64_t as_of;         /* seconds; INT64_MAX: now */
	bool scaled, withdrawn;
	const struct areas *areas; /* for groups; membership on group_on (days since 1970-01-01) */
	int64_t group_on;
};
/* Calls `row` for each match in key order; it may return a code < 0 to stop. */
glane_rc query_run(const struct store *s, const struct query *q, glane_rc (*row)(void *arg, struct row *r), void *arg,
	struct diag *d);
/* The days that from and to mean. GLANE_E_CONFIG: one is no period. */
glane_rc query_days(const struct query *q, int64_t *ret_from, int64_t *ret_to, struct diag *d);
/* Resolves --as-of: an RFC 3339 time, a date (its end), or a run id (what its report says was recorded last). */
glane_rc query_as_of(const struct store *s, const char *text, int64_t *ret, struct diag *d);
#endif
