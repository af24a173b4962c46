/* SPDX-License-Identifier: MIT */
/* New files of current, cut between series, each with its twin of the same name in series. */
#ifndef STORE_SHELF_H
#define STORE_SHELF_H
#include "store/lake.h"

struct series_texts { /* what the rows do not say; "" or absent: unknown */
	struct slice title, area_title, licence, attribution, updated;
};
struct shelf {
	const struct store *s;
	struct change *change;
	struct record_writer rows, series;
	struct strbuf texts; /* of `now` */
	struct series_row now;
	bool open, has_series;
	const struct record_reader *from; /* rows [run_at, run_at + run) of its batch are still to be copied */
	size_t run_at, run;
	uint64_t most, then; /* rows with which this file ends at the next series, and those behind it */
	char name[DELTA_NAME];
};
void shelf_init(struct shelf *b, const struct store *s, struct change *c);
/* What follows takes the place of a file of so many rows. It is cut in two halves once it has grown by half, so that a dataset
 * which grows night by night leaves no small files behind. */
void shelf_replace(struct shelf *b, uint64_t rows);
/* The next row, in key order. `texts` are looked at for the first row of a series only, and may be NULL. */
glane_rc shelf_put(struct shelf *b, const struct row *r, const struct series_texts *texts, struct diag *d);
/* The same for a row as it stands: the last one that `from` gave, which no other row may come from before the next call here. */
glane_rc shelf_keep(struct shelf *b, const struct row *r, const struct series_texts *texts,
	const struct record_reader *from, struct diag *d);
/* True where a row is of another series than the last one. */
bool shelf_is_new(const struct shelf *b, const struct row *r);
/* Ends the file: the next row begins another one. */
glane_rc shelf_end(struct shelf *b, struct diag *d);
void shelf_close(struct shelf *b);

/* Texts of series as they stand, from twins: asked in key order. */
struct twins {
	const struct store *s;
	struct arena arena;
	struct delta_file *files; /* of the source in series */
	size_t n, next;           /* of twins_seek(): the one to open next */
	struct record_reader reader;
	struct series_row row;
	bool open, has;
};
glane_rc twins_init(struct twins *t, const struct store *s, const char *source, struct diag *d);
/* Goes to the twin of that name; without one nothing is found. */
glane_rc twins_open(struct twins *t, struct slice path, struct diag *d);
/* *ret_found tells whether the series of r is there. */
glane_rc twins_find(struct twins *t, const struct row *r, struct series_texts *ret, bool *ret_found, struct diag *d);
/* Puts the twins in key order, for twins_seek(). */
glane_rc twins_sort(struct twins *t, struct diag *d);
/* As twins_find(), in all twins: one is opened once the one before it holds nothing more. */
glane_rc twins_seek(struct twins *t, const struct row *r, struct series_texts *ret, bool *ret_found, struct diag *d);
void twins_close(struct twins *t);
#endif
