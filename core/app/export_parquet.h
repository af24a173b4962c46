/* SPDX-License-Identifier: MIT */
/* Exported rows as a Parquet file: the columns of DESIGN section 7, `value` a double; texts are never null, but "". */
#ifndef APP_EXPORT_PARQUET_H
#define APP_EXPORT_PARQUET_H
#include "base/diag.h"
#include "model/row.h"

struct export_parquet;
/* Writes to fd, which stays the caller's. columns: as for row_csv(). */
glane_rc export_parquet_open(int fd, int columns, struct export_parquet **ret, struct diag *d);
/* In key order, those of a key by recorded_at; the row is borrowed for the call. */
glane_rc export_parquet_row(struct export_parquet *e, const struct row *r, struct diag *d);
glane_rc export_parquet_finish(struct export_parquet *e, struct diag *d);
void export_parquet_free(struct export_parquet *e); /* NULL is fine */
#endif
