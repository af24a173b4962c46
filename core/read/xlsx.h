/* SPDX-License-Identifier: MIT */
/*
 * A sheet of an .xlsx workbook (ECMA-376 / ISO 29500 SpreadsheetML, transitional and strict) as the CSV that a spreadsheet program
 * would save: line N is row N, cells to the last that is not empty, the first line to the sheet's width. The CSV reader makes
 * records of it. Dates become ISO dates, 17-digit numbers the shortest that means the same double, line ends in cells blanks.
 * #N/A is an empty cell; other errors are texts, and #NOT-COMPUTED is a formula without its result.
 * Memory: the shared strings (64 MiB at most) and one row.
 */
#ifndef READ_XLSX_H
#define READ_XLSX_H
#include "read/source.h"
#include "read/xml_events.h"

#define XLSX_COLUMNS 16384
#define XLSX_ROWS 1048576
#define XLSX_DATE 1
#define XLSX_TIME 2

struct xlsx_book { /* what the cells of a sheet refer to */
	struct strbuf text;
	uint32_t *end; /* of shared string i in text */
	size_t n_string, cap_string;
	uint8_t *style; /* cellXfs: XLSX_DATE | XLSX_TIME */
	size_t n_style, cap_style;
	bool is_1904;
};
/* Takes over `part`, the XML of a worksheet, and `book`. */
glane_rc xlsx_rows(struct payload_source **ret, struct payload *part, struct xlsx_book *book,
	const struct payload_sheet *sheet, struct diag *d);
void xlsx_book_release(struct xlsx_book *b);
/* Writes a number's text, or the date it stands for under a style. */
void xlsx_number(struct strbuf *out, struct slice text, unsigned style, bool is_1904);
/* XLSX_DATE, XLSX_TIME of a number format. */
unsigned xlsx_format(uint32_t id, struct slice code);
glane_rc xlsx_source(
	struct payload_source **ret, int fd, uint64_t size, const struct payload_options *o, struct diag *d);
#endif
