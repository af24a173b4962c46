/* SPDX-License-Identifier: MIT */
/* All that was ever known of one series. */
#ifndef STORE_VINTAGES_H
#define STORE_VINTAGES_H
#include "model/row.h"
#include "store/store.h"

/* Calls `each` for every event of the series with these source, dataset, indicator, area_code, dims and freq that was recorded by
 * `until`, by period, then by recorded_at. It may return a code < 0 to stop; texts are borrowed during the call. */
glane_rc vintages_run(const struct store *s, const struct row *series, int64_t until,
	glane_rc (*each)(void *arg, const struct row *event), void *arg, struct diag *d);
#endif
