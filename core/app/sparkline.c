/* SPDX-License-Identifier: MIT */
/* Eight levels, one character each. */
#include "app/sparkline.h"

#include <math.h>

#define LEVELS 8

/* Mean of the numbers among v[from] to v[to - 1]; NaN where there is none. */
static double mean(const double *v, size_t from, size_t to)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		if (isnan(v[i]))
			continue;
		/* By shares, so that no sum goes beyond what a double holds. */
		n++;
		sum += (v[i] - sum) / (double)n;
	}
	return n ? sum : (double)NAN;
}

static void put_level(struct strbuf *b, double share, bool ascii)
{
	size_t level = isnan(share) ? LEVELS / 2 - 1 : (size_t)(share * LEVELS);

	level = level < LEVELS ? level : LEVELS - 1;
	if (ascii) {
		strbuf_putc(b, "_.-=+*#@"[level]);
	} else {
		strbuf_puts(b, "\xe2\x96");
		strbuf_putc(b, (char)(0x81 + level)); /* U+2581 to U+2588 */
	}
}

size_t sparkline(struct strbuf *b, const double *v, size_t n, size_t width, bool ascii)
{
	size_t columns = n < width ? n : width;
	double low = (double)INFINITY, high = -(double)INFINITY;

	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < columns; i++) {
			double m = mean(v, i * n / columns, (i + 1) * n / columns);

			if (pass == 0) {
				low = m < low ? m : low;
				high = m > high ? m : high;
			} else if (isnan(m)) {
				strbuf_putc(b, ' ');
			} else {
				put_level(
					b, high > low ? (m / 2 - low / 2) / (high / 2 - low / 2) : (double)NAN, ascii);
			}
		}
	}
	return columns;
}
