/* SPDX-License-Identifier: MIT */
/* Which column means what: the options of the csv plugin, and what they come to under the header of one file. */
#ifndef CSV_MAPPING_H
#define CSV_MAPPING_H
#include <glane/plugin.h>

#define MAX_COLUMNS 16384
#define MAX_VALUES 4096
#define MAX_DIMS 32
#define MAX_WHERE 16
#define MAX_OR 4
#define MAX_PRINT 2048

struct options {
	struct glane_list files, indicators, periods, value, ignore, missing;
	struct glane_map dims, where, status_map, units, unit_mults;
	const char *member, *delimiter, *quote, *encoding, *decimal, *group, *sheet;
	const char *dataset, *indicator, *area, *area_scheme, *area_title, *period, *period_format, *freq, *wide;
	const char *unit, *unit_mult, *title, *status, *flags, *note, *cover;
	int64_t skip;
	uint8_t no_header, ragged, trim, may_be_empty;
};
struct cell { /* a constant, or the first of some columns that is not empty */
	glane_str constant;
	uint16_t column[MAX_OR], n;
};
enum { SIDE_STATUS, SIDE_FLAGS, SIDE_NOTE, SIDES }; /* what may stand in a column of its own beside each value */
enum { WIDE_INDICATOR, WIDE_PERIOD, WIDE_AREA, WIDE_DIM };
struct value_column {
	uint16_t column;
	uint16_t side[SIDES];   /* column + 1; 0: the record's cell */
	glane_str header, code; /* code: what the header stands for, see wide */
	glane_str mark;         /* of a header like "2022*": flags of its values */
};
struct state {
	struct options o;
	const struct glane_host *h;
	glane_run *r;
	glane_reader *rd;
	uint8_t has_digit_marks;        /* one of `missing` begins with a digit */
	const char *item, *item_period; /* what {indicator} and {period} stand for now, or NULL */
	/* of the current file */
	glane_str dataset;
	struct cell indicator, area, area_title, period, unit, unit_mult, title, side[SIDES];
	struct cell dims[MAX_DIMS], where[MAX_WHERE];
	int wide;
	uint8_t is_used[MAX_COLUMNS + 1]; /* by column + 1: it is no value; [0] means nothing */
	size_t n_values;
	struct value_column values[MAX_VALUES];
	uint64_t n_passed; /* records without area or period */
	/* of all files */
	uint64_t n_read, n_wanted; /* records, and those that `where` wants */
	/* of the last record */
	uint32_t series;
	int print;
	size_t n_print; /* the texts that decide its series, in print_text[print] */
	char print_text[2][MAX_PRINT];
};
/* GLANE_E_CONFIG where one has a value that it cannot have. */
glane_rc options_check(const struct state *s);
/* Resolves the options against the header of s->rd. */
glane_rc mapping_resolve(struct state *s);
/* The text with {indicator} and {period} filled in; NULL: no memory. */
const char *mapping_fill(const struct state *s, const char *text);
/* The records of one file to observations. */
glane_rc file_read(struct state *s, const char *url);

static inline glane_str str_trim(glane_str s)
{
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	while (s.n && s.p[0] == ' ')
		s = (glane_str){s.p + 1, s.n - 1};
	return s;
}

static inline int str_same(glane_str a, glane_str b)
{
	size_t i = 0;

	if (a.n != b.n)
		return 0;
	while (i < a.n && a.p[i] == b.p[i])
		i++;
	return i == a.n;
}
#endif
