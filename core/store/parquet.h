/* SPDX-License-Identifier: MIT */
/*
 * Parquet files (apache/parquet-format 2.11), written and read column by column with memory bounded by a row group
 * (writer) or a page and a dictionary per selected column (reader). zstd pages with CRC, dictionaries, RLE and bit
 * packing, DELTA_BINARY_PACKED, plain; statistics, column and offset indexes. Flat columns, and what Delta checkpoints
 * need: columns within optional structs, lists of text, maps from text to text. Anything else in a file is refused by name.
 */
#ifndef STORE_PARQUET_H
#define STORE_PARQUET_H
#include "base/diag.h"
#include "base/slice.h"

#define PARQUET_COLUMNS_MAX 256
#define PARQUET_DEPTH_MAX 6       /* names in a path */
#define PARQUET_BATCH 1024        /* rows that parquet_reader_next() gives at most */
#define PARQUET_GROUP_ROWS 131072 /* default of parquet_options.group_rows */

enum parquet_type {
	PARQUET_TEXT,      /* BYTE_ARRAY, STRING: well-formed UTF-8, checked both ways */
	PARQUET_BOOL,      /* BOOLEAN */
	PARQUET_INT8,      /* INT32, INT(8, signed) */
	PARQUET_INT16,     /* INT32, INT(16, signed) */
	PARQUET_INT32,     /* INT32 */
	PARQUET_INT64,     /* INT64 */
	PARQUET_DOUBLE,    /* DOUBLE */
	PARQUET_DATE,      /* INT32: days since 1970-01-01 */
	PARQUET_TIMESTAMP, /* INT64: microseconds since 1970-01-01T00:00:00Z, isAdjustedToUTC */
};
enum parquet_shape {
	PARQUET_ONE,
	PARQUET_LIST, /* LIST of optional text: PATH.list.element */
	PARQUET_MAP,  /* MAP from text to optional text: PATH.key_value.key and .value */
};
enum parquet_hint {         /* the writer's choice among encodings */
	PARQUET_AUTO,       /* a dictionary while it pays, else delta (integers) or plain */
	PARQUET_DICTIONARY, /* a dictionary, plain once it is too large */
	PARQUET_DELTA,      /* DELTA_BINARY_PACKED; integers only */
	PARQUET_PLAIN,
};
struct parquet_column {
	const char *path;       /* "value", or with its structs, which are all optional: "metaData.format.provider" */
	enum parquet_type type; /* TEXT where the shape is LIST or MAP */
	enum parquet_shape shape;
	bool nullable; /* the value (the whole list or map) itself, within its structs */
	enum parquet_hint hint;
};

/*
 * Part of a column: n rows, what parquet_writer_add() takes and parquet_reader_next() gives. All is borrowed: from
 * the caller during the call, or from the reader until its next call.
 *
 * level: NULL where every row has its value. Else one byte per row, how much of it is there: for a plain nullable column
 * 0 (null) or 1 (there); generally the number of optional steps of the path that are there (parquet_level_max(): all). For
 * "add.path", nullable: 0 no add, 1 add without path, 2 a path. Arrays have a slot for every row; the writer does not look
 * at those of nulls, the reader zeroes them.
 *
 * LIST and MAP: the items (keys) of row i are text[offset[i]] to text[offset[i + 1]], a map's values stand in `value` likewise;
 * an absent slice (p NULL) is a null item or value.
 *
 * code, dict: TEXT of shape ONE from a dictionary. text[i] is dict[code[i]]; equal codes are equal texts as long as dict_id is
 * the same (it is unique in the process). The writer takes them as a short cut past hashing; `text` must be there all the same.
 */
struct parquet_vector {
	const uint8_t *level;
	const struct slice *text; /* TEXT; items, keys */
	const int32_t *i32;       /* INT8, INT16, INT32, DATE */
	const int64_t *i64;       /* INT64, TIMESTAMP */
	const double *f64;        /* DOUBLE */
	const uint8_t *flag;      /* BOOL: 0 or 1 */
	const uint32_t *offset;
	const struct slice *value;
	const uint32_t *code;
	const struct slice *dict;
	uint32_t dict_n;
	uint64_t dict_id; /* 0: neither code nor dict */
	bool same;        /* reader: all rows are known to be equal, nulls included (false: they may or may not be) */
};

/* What is known of a column's values, of a whole file or a row group. Bounds are inclusive; without NaN; -0.0 and 0.0 as the
 * format says. Text may be cut: then it is a bound, no value. LIST and MAP have none. */
struct parquet_stats {
	bool has_bounds; /* false: no value, or not known */
	bool has_nulls;  /* `nulls` is known */
	bool min_exact, max_exact;
	uint64_t nulls; /* rows without a value, for whatever reason */
	struct slice min_text, max_text;
	int64_t min_int, max_int; /* also BOOL, DATE, TIMESTAMP */
	double min_f64, max_f64;
};

struct parquet_options {        /* zeroes are the defaults */
	size_t group_rows;      /* rows of a row group: PARQUET_GROUP_ROWS */
	int level;              /* of zstd: 3 */
	size_t text_bound;      /* bytes that a bound in the summary has at most: 32 (as in Delta's own writers) */
	const uint32_t *sorted; /* columns that the rows are sorted by (ascending, bytewise), for sorting_columns */
	size_t n_sorted;
	const char *const (*meta)[2]; /* key_value_metadata: {key, value} */
	size_t n_meta;
	/* Where the bytes go instead of fd_write(fd, ...); in order, every byte once. */
	glane_rc (*write)(void *arg, const void *p, size_t n, struct diag *d);
	void *write_arg;
};
struct parquet_summary { /* texts and arrays live as long as the writer */
	uint64_t bytes, rows;
	size_t groups;
	const struct parquet_stats *column; /* one per column of the schema */
};

struct parquet_writer;
/* Writes to fd from its present position, which is the file's beginning; neither synced nor closed. Columns and options are
 * copied. GLANE_E_USAGE: a schema that cannot be. */
glane_rc parquet_writer_open(int fd, const struct parquet_column *columns, size_t n, const struct parquet_options *o,
	struct parquet_writer **ret, struct diag *d);
/* Appends `rows` rows; v has one vector per column. Any number of rows; row groups are cut inside. GLANE_E_DATA: text that is
 * not UTF-8, a number beyond INT8 or INT16, a null key. After an error only parquet_writer_free() is of use. */
glane_rc parquet_writer_add(struct parquet_writer *w, const struct parquet_vector *v, size_t rows, struct diag *d);
/* Writes what is buffered, the indexes and the footer. */
glane_rc parquet_writer_finish(struct parquet_writer *w, struct parquet_summary *ret, struct diag *d);
/* Bytes written so far and those estimated for what is buffered. */
uint64_t parquet_writer_size(const struct parquet_writer *w);
void parquet_writer_free(struct parquet_writer *w); /* NULL is fine; an unfinished file is left as it is */

struct parquet_reader;
/* Reads and checks the footer; `name` stands in messages. The file must not change meanwhile; fd stays the caller's and must
 * outlive the reader. GLANE_E_FORMAT: no Parquet file, damaged, or a feature that is not supported, which is named.
 * GLANE_E_LIMIT: a footer beyond what is sane. Every length is checked against the file before it is used. */
glane_rc parquet_reader_open(int fd, const char *name, struct parquet_reader **ret, struct diag *d);
/* The same over bytes in memory, which must outlive the reader. */
glane_rc parquet_reader_open_bytes(struct slice bytes, const char *name, struct parquet_reader **ret, struct diag *d);
void parquet_reader_free(struct parquet_reader *r); /* NULL is fine */
uint64_t parquet_reader_rows(const struct parquet_reader *r);
/* The columns of the file in its order (a list or map is one); path, type, shape, nullable as found. Columns of kinds that are
 * not supported are left out. */
const struct parquet_column *parquet_reader_columns(const struct parquet_reader *r, size_t *ret_n);
/* Value of a key of key_value_metadata; absent where there is none. */
struct slice parquet_reader_meta(const struct parquet_reader *r, const char *key);
/* Row groups: how many, the rows of one. */
size_t parquet_reader_groups(const struct parquet_reader *r);
uint64_t parquet_reader_group_rows(const struct parquet_reader *r, size_t group);
/* Chooses the columns to read, by path, in the caller's order. GLANE_E_FORMAT: another type or shape than wanted, or not
 * there. A nullable column that the file does not have reads as nulls only (Delta's rule for added columns). Where the file's is
 * nullable and the wanted one is not, a null met while reading is GLANE_E_FORMAT. Levels are those of the wanted
 * columns (every struct an optional step). Once per reader, before anything else below. */
glane_rc parquet_reader_select(struct parquet_reader *r, const struct parquet_column *want, size_t n, struct diag *d);
/* Statistics of a selected column in a row group, from the footer: hints of the file's writer, unproven. */
void parquet_reader_stats(const struct parquet_reader *r, size_t group, size_t column, struct parquet_stats *ret);
/* Row groups for which keep() says false are passed over by parquet_reader_next(). */
void parquet_reader_filter(struct parquet_reader *r,
	bool (*keep)(const void *arg, const struct parquet_reader *r, size_t group), const void *arg);
/* A test of one selected column, which is of shape ONE, not nullable and within no struct (the struct may be null). */
struct parquet_test {
	size_t column;
	bool (*fits)(const void *arg, struct slice text); /* TEXT; asked once for each entry of a dictionary */
	const void *arg;
	int64_t min, max; /* INT8 to INT64, DATE, TIMESTAMP: the values that fit */
};
#define PARQUET_TESTS_MAX 10
/* parquet_reader_next() gives only rows that pass every test: the tested columns are read, and of the others the pages with a
 * row that passed. Once per reader, behind parquet_reader_select(), before the first row; columns of shape ONE only. */
glane_rc parquet_reader_where(struct parquet_reader *r, const struct parquet_test *tests, size_t n, struct diag *d);
/* The next call of parquet_reader_next() begins with this row group. */
glane_rc parquet_reader_seek(struct parquet_reader *r, size_t group, struct diag *d);
/* The next rows, at most PARQUET_BATCH: v (one per selected column) and *ret_rows are set. GLANE_END: no more.
 * A batch lies within one row group. After an error only parquet_reader_free() and parquet_reader_seek() are of use. */
glane_rc parquet_reader_next(struct parquet_reader *r, struct parquet_vector *v, size_t *ret_rows, struct diag *d);
/* Row group of the last batch. */
size_t parquet_reader_group(const struct parquet_reader *r);

/* The level of a row that has its value: structs of the path, + 1 where nullable. */
unsigned parquet_level_max(const struct parquet_column *c);
#endif
