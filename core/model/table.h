/* SPDX-License-Identifier: MIT */
/*
 * The tables under conf/: UTF-8 with or without byte-order mark, cells as RFC 4180 without line breaks, LF or CRLF, '#' comment
 * lines, blank lines, the first other line the header.
 */
#ifndef MODEL_TABLE_H
#define MODEL_TABLE_H
#include "base/diag.h"
#include "base/mem.h"

#define TABLE_CELLS 16
struct table {
	const char *file, *header;
	size_t min_cells, max_cells; /* of a line; at most TABLE_CELLS */
};
/* One line behind the header; cells that it does not have are absent. */
typedef glane_rc table_take(void *arg, const struct slice *cells, struct diag *d);
/* Reads the file t->file of the folder dirfd, whose name for messages is `dir`, and gives every line to `take`. Cells point
 * into the arena, *ret_text is the whole file there. Errors: "DIR/FILE:LINE: ..." and GLANE_E_CONFIG, or what `take` returned;
 * GLANE_E_IO where the file cannot be read. */
glane_rc table_read(struct arena *a, int dirfd, const char *dir, const struct table *t, table_take *take, void *arg,
	struct slice *ret_text, struct diag *d);
#endif
