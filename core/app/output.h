/* SPDX-License-Identifier: MIT */
/* Where rows go, in which format. A file comes to be whole, under its name, when all is written; after an error or a signal what
 * was there before still is. Standard output is written as it comes; who stops reading it ends the program, silently. */
#ifndef APP_OUTPUT_H
#define APP_OUTPUT_H
#include "base/diag.h"
#include "model/row.h"

#include <limits.h>

enum output_format { OUTPUT_CSV, OUTPUT_NDJSON, OUTPUT_PARQUET, OUTPUT_SDMX, OUTPUT_TEXT };

struct output {
	enum output_format format;
	int columns; /* of CSV, NDJSON and Parquet, as for row_csv() */
	char action; /* of SDMX-CSV */
	int fd;
	uint64_t rows;                         /* so far, of output_row() */
	char part[PATH_MAX], target[PATH_MAX]; /* of a new file: written under the one name, then moved to the other */
	struct strbuf b;                       /* OUTPUT_TEXT: the caller appends, and calls output_drain() */
	struct export_parquet *parquet;
};
/* "csv", "ndjson", ...; false: none of these. */
bool output_format_of(const char *name, enum output_format *ret);
/* format, columns and action are set. `file` NULL: standard output. Writes the header. Release with output_end() either way. */
glane_rc output_open(struct output *o, const char *file, struct diag *d);
glane_rc output_row(struct output *o, const struct row *r, struct diag *d);
/* Writes what has come together, once it is much. */
glane_rc output_drain(struct output *o, struct diag *d);
/* rc GLANE_OK: completes the output and gives the file its name. Else drops it. EXIT_FINE, or an exit code: the error, that of d
 * where rc < 0, was printed. */
int output_end(struct output *o, glane_rc rc, struct diag *d);
#endif
