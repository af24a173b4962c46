/* SPDX-License-Identifier: MIT */
/* Observations straight to lines of CSV, in the order in which they come: what the last line had is not written anew. */
#ifndef MODEL_BATCH_CSV_H
#define MODEL_BATCH_CSV_H
#include "model/batch.h"

#define BATCH_CSV_PERIODS 256
#define BATCH_CSV_SERIES 64

struct batch_csv_period { /* one period's text, its first day, and their commas */
	int32_t period;
	char freq;
	uint8_t n; /* 0: nothing here */
	char text[42];
};
struct batch_csv_series { /* one series' cells */
	uint32_t serial;  /* 0: nothing here */
	size_t n_head;    /* source ... freq; behind it unit, unit_mult */
	struct strbuf text;
};
struct batch_csv {
	struct slice source;
	int64_t now;
	struct strbuf tail, scratch; /* tail: recorded_at, known_at */
	struct batch_csv_series series[BATCH_CSV_SERIES];
	struct batch_csv_period periods[BATCH_CSV_PERIODS];
};
/* source is borrowed; now: seconds UTC, for recorded_at and known_at. */
void batch_csv_init(struct batch_csv *w, struct slice source, int64_t now);
void batch_csv_release(struct batch_csv *w);
/* Appends the line that row_csv() writes for batch_row() with ROW_COLUMNS; without memory (ask strbuf_ok()) nothing. */
void batch_csv(struct batch_csv *w, const struct batch *b, const struct batch_obs *o, struct strbuf *out);
#endif
