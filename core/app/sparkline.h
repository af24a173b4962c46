/* SPDX-License-Identifier: MIT */
/* A series as a line of blocks. */
#ifndef APP_SPARKLINE_H
#define APP_SPARKLINE_H
#include "base/strbuf.h"

/* Appends n values as at most `width` columns of eight levels, the lowest and the highest value at the ends; NaN leaves a blank, equal
 * values stand in the middle. Of more values than columns each column shows the mean of its share. ascii: "_.-=+*#@" in place of
 * blocks. Returns the columns. */
size_t sparkline(struct strbuf *b, const double *v, size_t n, size_t width, bool ascii);
#endif
