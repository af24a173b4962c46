/* SPDX-License-Identifier: MIT */
/* Cells of the CSV that glane itself writes and keeps (RFC 4180): exported rows and the tables under conf/. */
#ifndef MODEL_CELL_H
#define MODEL_CELL_H
#include "base/slice.h"

/*
 * Takes the next cell off *rest, which is absent after the last one. A cell points into *rest, or, where it holds doubled
 * quotes, into **spare, which is moved on; spare needs as many bytes as *rest has at the first call. False: a quote or line
 * break in a bare cell, a quoted cell without an end, or text behind the closing quote.
 */
bool cell_next(struct slice *rest, char **spare, struct slice *ret);
/* Bytes that cell_put() writes at most for a text of n bytes. */
#define CELL_MAX(n) (2 * (n) + 2)
/* Writes s as a cell, quoted where it holds a comma, a quote, CR or LF; returns the end. */
char *cell_put(char *to, struct slice s);
#endif
