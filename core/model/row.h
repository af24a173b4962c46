/* SPDX-License-Identifier: MIT */
/* One observation as exported: the columns of DESIGN section 7, their order, formats and key. */
#ifndef MODEL_ROW_H
#define MODEL_ROW_H
#include "base/diag.h"
#include "base/strbuf.h"

#define ROW_COLUMNS 19     /* export */
#define ROW_COLUMNS_ALL 23 /* + event cause run payload */
extern const char *const row_column_names[ROW_COLUMNS_ALL];

struct row { /* every slice is borrowed; text columns absent or empty are the same: "" */
	struct slice source, dataset, indicator, area, area_code, dims;
	char freq;
	struct slice period;     /* SDMX text */
	int64_t period_start;    /* days since 1970-01-01 */
	struct slice value;      /* plain decimal text of any length, no exponent; "": no number */
	struct slice value_text; /* see DESIGN section 7 */
	struct slice unit;
	int32_t unit_mult;
	int32_t decimals; /* -1: no number */
	char status;
	struct slice flags, note;
	int64_t recorded_at, known_at;           /* seconds UTC */
	struct slice event, cause, run, payload; /* new revised status withdrawn restored; source mapping; ids */
};
/* Order by key (source, dataset, indicator, area_code, dims, freq, period), bytewise. */
int row_cmp_key(const struct row *a, const struct row *b);
/* The same without the period. */
int row_cmp_series(const struct row *a, const struct row *b);
/* Same value (decimals compared as numbers, long ones as text) and value_text where there is no number. */
bool row_same_value(const struct row *a, const struct row *b);
/* Same attributes: value_text, area, unit, unit_mult, decimals, status, flags, note. */
bool row_same_attributes(const struct row *a, const struct row *b);
void row_csv_header(struct strbuf *b, int columns);
/* RFC 4180: LF line ends, quotes only where needed. `columns` is ROW_COLUMNS, ROW_COLUMNS + 1 (event) or ROW_COLUMNS_ALL. */
void row_csv(struct strbuf *b, const struct row *r, int columns);
/* One JSON object and LF: value a number with its exact text, or null; decimals (null without a number) and unit_mult
 * numbers; dates text. Malformed UTF-8 becomes U+FFFD: JSON has no other bytes. */
void row_ndjson(struct strbuf *b, const struct row *r, int columns);
/* Reads back one line written by row_csv() with so many columns, with or without its LF. Cells point into `line`, or into
 * scratch (reset by the call) where they held quotes; columns that are not there are empty. Every cell is checked (dates,
 * numbers, status): GLANE_E_FORMAT with the column's name. */
glane_rc row_parse_csv(struct slice line, int columns, struct strbuf *scratch, struct row *ret, struct diag *d);
/* Multiplies value by 10^unit_mult exactly and sets unit_mult 0; decimals are those of the new text. The text is appended to
 * scratch, which must hold no text of r (it may move). Without memory (ask strbuf_ok()) or with a unit_mult beyond
 * +-DECIMAL_MAX_EXP nothing changes. */
void row_scale(struct row *r, struct strbuf *scratch);
#endif
