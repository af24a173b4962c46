/* SPDX-License-Identifier: MIT */
/*
 * CSV (RFC 4180 with the dirt that providers send): BOM, CR, LF, CRLF, quoted line ends, doubled quotes, `skip` lines
 * before the header, blank lines, blanks around cells (trim: also around and inside of quotes), any single-byte
 * delimiter. With `ragged` a short record is padded with empty cells and a long one must hold only empty cells beyond
 * the header; without, another cell count than the header's is GLANE_E_FORMAT. One trailing empty cell more is not,
 * nor one cell less where the header's last name is empty. An unclosed quote, a quote inside of an unquoted cell, text
 * after a closing quote, NUL, malformed UTF-8: GLANE_E_FORMAT with line. No header at all: GLANE_E_FORMAT.
 * Limits: 16,384 columns, field and record sizes of record_options.
 * Fields are bound by header name; "name|other" takes the first column that exists, "name|" is absent where there is
 * none; "#3" is column 3 (1 is the first). A name that no column has, or that two have, is GLANE_E_DATA; a header that
 * has one name twice is an error only where that name is bound.
 */
#ifndef READ_CSV_H
#define READ_CSV_H
#include "read/record.h"
#endif
