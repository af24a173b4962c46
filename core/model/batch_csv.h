/* SPDX-License-Identifier: MIT */
/* Observations straight to lines of CSV, in the order in which they come: what the last line had is not written anew. */
#ifndef MODEL_BATCH_CSV_H
#define MODEL_BATCH_CSV_H
#include "model/batch.h"

#define BATCH_CSV_PERIODS 256

struct batch_csv_period { /* one period's text, its first day, and their commas */
	int32_t period;
	char freq;
	uint8_t n; /* 0: nothing here */
	char text[42];
};
struct batch_csv {
	struct slice source;
	int64_t now;
	uint32_t series, serial;        /* whose cells are in head and unit; serial 0: nobody's */
	struct strbuf head, unit, tail; /* source ... freq; unit, unit_mult; recorded_at, known_at */
	struct strbuf scratch;
	struct batch_csv_period periods[BATCH_CSV_PERIODS];
};
/* source is borrowed; now: seconds UTC, for recorded_at and known_at. */
void batch_csv_init(struct batch_csv *w, struct slice source, int64_t now);
void batch_csv_release(struct batch_csv *w);
/* Appends the line that row_csv() writes for batch_row() with ROW_COLUMNS; without memory (ask strbuf_ok()) nothing. */
void batch_csv(struct batch_csv *w, const struct batch *b, const struct batch_obs *o, struct strbuf *out);
#endif
