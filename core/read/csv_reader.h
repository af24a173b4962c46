/* SPDX-License-Identifier: MIT */
/* The CSV reader's state, shared by csv.c (records) and csv_header.c (column names); private to them. */
#ifndef READ_CSV_READER_H
#define READ_CSV_READER_H
#include "base/mem.h"
#include "read/csv.h"
#include "read/csv_index.h"

#define CSV_UNBOUND UINT32_MAX

struct csv_reader {
	struct payload *p;
	struct diag *d;
	struct csv_index x;
	size_t next_end;   /* the next record's place in x.end */
	uint32_t next_sep; /* its first separator's in x.sep */
	size_t next_begin; /* its first byte in the window */
	uint64_t next_line;
	size_t begin, stop;   /* the current record, without its line end */
	uint32_t sep, n_cell; /* its first separator, its cells */
	bool is_doubled;      /* it holds a doubled quote */
	bool is_replay;       /* it is the first record of a file without header, to be given again */
	uint64_t number, line;
	glane_rc rc;   /* how the last next() ended */
	char *scratch; /* unescaped cells, at their place in the record */
	size_t scratch_cap;
	char quote;
	bool is_quoting, is_ragged, is_trimmed, is_bound;
	bool is_wide; /* records may have cells beyond the header: those of a worksheet, whose columns have no name */
	size_t max_record, max_field;
	struct arena arena;
	struct slice *column;
	size_t n_column;
	uint32_t *bound; /* columns of the bound fields */
	size_t n_bound;
};

/* The next record that is not blank; its cell count is not looked at. */
glane_rc csv_next_record(struct csv_reader *r);
/* Cell i of the current record, unquoted; empty where a padded record has none. */
struct slice csv_cell(const struct csv_reader *r, size_t i);

/* Passes over a byte-order mark and `skip` lines; *ret: where the header begins in the window. */
glane_rc csv_skip_lines(struct csv_reader *r, uint32_t skip, size_t *ret);
/* Reads the first record: the column names, or without a header their number. */
glane_rc csv_read_header(struct csv_reader *r, bool has_header);
glane_rc csv_bind_fields(struct csv_reader *r, const struct record_options *o);
/* The column of a field as csv.h writes it, or CSV_UNBOUND. *ret_twice: the header has the name twice. *ret_optional:
 * the field's last alternative is empty. */
uint32_t csv_field_find(const struct csv_reader *r, const char *field, bool *ret_twice, bool *ret_optional);
#endif
