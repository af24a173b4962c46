/* SPDX-License-Identifier: MIT */
/*
 * PC-Axis (PX-file format specification, AXIS-VERSION 2013, Statistics Sweden): keywords that describe a table, then its cells, the
 * last variable of HEADING first. In memory are the variables of the table; cells are read through the window.
 */
#ifndef READ_PX_H
#define READ_PX_H
#include "base/mem.h"
#include "base/strbuf.h"
#include "read/payload.h"

#define PX_VARIABLES 64
#define PX_PERIODS 100000u             /* of a range: a few bytes say half a million weeks */
#define PX_STATEMENT ((size_t)8 << 20) /* bytes of one keyword with its values */
#define PX_HEAD ((size_t)128 << 20)    /* bytes of memory for all of them */
#define PX_CELLS 200000000u

struct px_texts {
	struct slice *v; /* of the table's arena */
	size_t n, cap;
};
struct px_variable {
	struct slice name;
	struct px_texts code, label; /* CODES, VALUES: as many, or no codes */
	struct px_texts period;      /* TIMEVAL, written as SDMX writes periods; none: not a variable of time */
	int role;                    /* GLANE_ROLE_* */
};
struct px_unit { /* UNITS("value of the contents variable") */
	struct slice of, unit;
};
struct px_table {
	struct arena arena;
	struct px_variable var[PX_VARIABLES]; /* those of STUB, then those of HEADING */
	size_t n_var, contents;               /* contents: index of CONTVARIABLE; n_var: none */
	uint64_t n_cells;
	struct slice matrix, title, updated, units; /* absent where nothing says them */
	struct px_unit *unit;
	size_t n_unit, cap_unit;
};
/* Appends the texts of a list ("a","b" "c",word); GLANE_E_FORMAT: a quote without its end. */
glane_rc px_list(struct px_texts *ret, struct arena *a, struct slice list);
/* Appends the periods of TLIST(A1,"2005"-"2012") or TLIST(Q1),"20051","20052"; the scales are A H T Q M W. GLANE_E_FORMAT: it is neither;
 * GLANE_E_LIMIT: a range of more than PX_PERIODS. */
glane_rc px_timeval(struct px_texts *ret, struct arena *a, struct slice value);
/* "20051" under scale Q as 2005-Q1; *ret is absent where the text is of another form. GLANE_E_NOMEM. */
glane_rc px_period(struct slice *ret, struct arena *a, char scale, struct slice text);
/* Reads the keywords of p, from its beginning on; p's window then begins with the cells. Texts come out as UTF-8: as CODEPAGE and CHARSET say.
 * The table is to be released in any case. */
glane_rc px_head(struct px_table *t, struct payload *p, struct diag *d);
void px_release(struct px_table *t);
/* What stands for value i of a variable: its period, its code, else its text. */
struct slice px_code(const struct px_variable *v, size_t i);
#endif
