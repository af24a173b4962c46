/* SPDX-License-Identifier: MIT */
/* What show*.c share. */
#ifndef APP_SHOW_H
#define APP_SHOW_H
#include "app/filters.h"
#include "app/words.h"

#define SHOW_SERIES_MAX 2000 /* that are held at once */
#define SHOW_MEASURES_MAX 3
#define SPARK_COLUMNS 40

struct show_point {                /* an observation as of the moment asked for */
	struct slice period, text; /* text: the value as published, or value_text */
	int64_t day;
	double number; /* NaN: none */
	int32_t decimals;
};
struct show_series {
	struct series_row s;
	struct show_point *points; /* live ones, by period */
	size_t n, cap;
};
struct show {
	const struct store *st;
	struct filters filters;
	const char *area, *group; /* as asked for, groups as one text; one of them is NULL */
	struct list words;        /* of the indicator */
	struct strbuf indicator;  /* the same as one text */
	struct list codes;        /* that text, and what it was called before or is called now */
	struct strbuf groups;     /* what `group` lies in */
	int64_t as_of;
	bool json, ascii, vintages;
	struct arena arena;         /* of all below */
	struct slice area_code;     /* the mapped area, or absent */
	struct show_series *series; /* by key */
	size_t n, cap;
	size_t measures; /* of show_ranks(): differing in more than the area */
	struct strbuf out;
	struct diag d;
};
/* Fills `series`: of the indicator's code, else of the catalogue's id, else of those with all words in their titles. GLANE_E_LIMIT: more
 * than SHOW_SERIES_MAX. */
glane_rc show_find(struct show *w);
/* Fills the points of all of them. */
glane_rc show_load(struct show *w);
/* One series, whole, to w->out; those found, a line each; a group's members by rank, or, of more than SHOW_MEASURES_MAX measures, only
 * what there is. */
glane_rc show_one(struct show *w, const struct series_row *s);
glane_rc show_lines(struct show *w);
glane_rc show_ranks(struct show *w);

/* Same source, dataset, indicator, dims and freq. */
bool show_same_measure(const struct series_row *a, const struct series_row *b);
/* Title, codes, unit, licence and stamp of a measure, each on its line. */
void show_head(struct show *w, const struct series_row *s);
/* ", annual, unit: USD x 10^6" */
void show_freq_and_unit(struct show *w, const struct series_row *s);
/* The newest point with a number, or where none has one, the newest; the one so many years before it, with a number; their
 * difference as text. NULL, "": there is none. */
const struct show_point *show_latest(const struct show_series *s);
const struct show_point *show_before(const struct show_series *s, const struct show_point *latest, int years);
void show_change(struct strbuf *b, const struct show_point *from, const struct show_point *to);
void show_sparkline(struct show *w, const struct show_series *s);
/* A JSON string. */
void put_json_text(struct strbuf *b, struct slice s);
/* ,"name":"text" */
void put_json_member(struct strbuf *b, const char *name, struct slice s);
#endif
