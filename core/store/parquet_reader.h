/* SPDX-License-Identifier: MIT */
/* Inside of the reader: the footer as found, selected columns, a cursor per leaf. For parquet_*.c only. */
#ifndef STORE_PARQUET_READER_H
#define STORE_PARQUET_READER_H
#include "base/zst.h"
#include "store/parquet_bits.h"
#include "store/parquet_format.h"
#include "store/thrift.h"

#define FOOTER_MAX ((uint64_t)128 << 20)
#define ELEMENTS_MAX 4096                 /* of a schema */
#define PAGE_MAX ((int32_t)256 << 20)     /* bytes of an unpacked page */
#define BATCH_ITEMS_MAX ((size_t)1 << 22) /* of lists and maps in one batch */
#define LEVELS (PARQUET_DEPTH_MAX + 3)    /* definition levels of a leaf that we read */

struct element { /* SchemaElement */
	struct slice name;
	int type, repetition, converted, logical; /* -1: absent */
	int32_t children;
	int bits;                          /* INTEGER */
	bool is_signed, is_utc, is_micros; /* INTEGER; TIMESTAMP */
};
struct chunk_meta { /* ColumnChunk with its ColumnMetaData */
	int type, codec;
	int64_t values, dictionary_at, data_at, packed;
	struct pq_stats stats;
	const char *bad; /* a feature that we do not read */
};
struct group_meta {
	struct chunk_meta *chunk; /* one per leaf of the schema */
	int64_t rows;
};
struct key_value {
	struct slice key, value;
};
struct leaf_def {
	enum pq_type type;
	unsigned max_def, max_rep;
};
struct file_column {
	struct parquet_column c;
	const char *bad;                  /* NULL: readable */
	size_t leaf;                      /* first of its leaves */
	bool optional[PARQUET_DEPTH_MAX]; /* per name of the path */
	unsigned steps;
};
struct footer {
	struct element *element;
	size_t n_elements, n_leaves, n_groups, n_meta, n_columns;
	struct leaf_def *leaf;
	struct file_column *column;
	struct group_meta *group;
	struct key_value *meta;
	bool *ordered; /* per leaf: ColumnOrder says TYPE_ORDER */
	int64_t rows;
};
/* FileMetaData; everything in the arena or pointing into `bytes`. data_end: where the footer begins in the file. */
glane_rc footer_parse(
	struct footer *f, struct arena *a, struct slice bytes, uint64_t data_end, const char *name, struct diag *d);
/* Columns and leaves out of the schema elements. */
glane_rc footer_columns(struct footer *f, struct arena *a, const char *name, struct diag *d);

/* A leaf while it is read. */
struct parquet_reader;
struct cursor {
	struct parquet_reader *r;
	const char *path; /* for messages; the pick's or file's */
	struct leaf_def def;
	bool is_32, is_list; /* is_list: of a list or map */
	int codec;
	/* Chunk: the file's bytes [at, end), entries that its pages have still to bring. */
	uint64_t at, end;
	int64_t left;
	/* Bytes of the file, in memory or read: */
	char *window;
	size_t cap_window, n_window;
	uint64_t window_at;
	char *page;
	size_t cap_page;
	/* Dictionary. */
	bool has_dict;
	char *dict_bytes;
	size_t cap_dict_bytes, cap_dict_text, cap_dict_num;
	struct slice *dict_text;
	int64_t *dict_num;
	uint32_t n_dict;
	uint64_t dict_id;
	/* Page: entries and rows left in it. */
	uint64_t page_left, rows_left;
	int encoding;
	struct hybrid rep, defs, codes;
	struct delta delta;
	const unsigned char *p, *stop;
	unsigned bit;
	/* Present batch. */
	uint8_t level[PARQUET_BATCH];
	uint8_t flag[PARQUET_BATCH];
	uint32_t code[PARQUET_BATCH];
	struct slice text[PARQUET_BATCH];
	union {
		int32_t i32[PARQUET_BATCH];
		int64_t i64[PARQUET_BATCH];
		double f64[PARQUET_BATCH];
	} num;
	int64_t wide[PARQUET_BATCH];
	/* The first n_fill of text and code are dictionary entry fill_code of dictionary fill_id. */
	uint64_t fill_id;
	uint32_t fill_code;
	size_t n_fill;
	/* Lists: items of the batch. */
	struct slice *item;
	size_t n_items, cap_items;
	int rep_ahead; /* -1: not looked at */
};
struct cursor *cursor_new(struct parquet_reader *r, const struct file_column *f, size_t leaf);
void cursor_free(struct cursor *c); /* NULL is fine */
glane_rc cursor_fail(const struct cursor *c, const char *what, struct diag *d);
/* To the beginning of a chunk. */
glane_rc cursor_open(struct cursor *c, const struct chunk_meta *m, struct diag *d);
/* Makes sure that the present page has an entry left. */
glane_rc cursor_page(struct cursor *c, struct diag *d);
/* The same where *pass entries are not wanted: pages that lie within them are passed over as they are, and *pass becomes what
 * is still to pass. Where that is nothing, the next page may not be open yet. */
glane_rc cursor_page_behind(struct cursor *c, uint64_t *pass, struct diag *d);
/* After the last row of a group: that nothing is left over. */
glane_rc cursor_close(const struct cursor *c, struct diag *d);
/* n values: texts into `to` (or into c->text with codes where there is a dictionary), numbers into c->wide. *ret_same: they
 * are known to be equal. */
glane_rc cursor_texts(struct cursor *c, struct slice *to, size_t n, bool *ret_same, struct diag *d);
glane_rc cursor_nums(struct cursor *c, size_t n, bool *ret_same, struct diag *d);

struct pick {
	const struct parquet_column *want;
	const struct file_column *file; /* NULL: the file does not have it */
	uint8_t levels[LEVELS];
	unsigned level_max;
	struct cursor *cursor[2];
	uint32_t offset[2][PARQUET_BATCH + 1];
	uint8_t level[PARQUET_BATCH];
};
struct where; /* parquet_where.c */
struct parquet_reader {
	int fd; /* -1: bytes */
	struct slice bytes;
	uint64_t size, data_end;
	const char *name;
	struct arena arena;
	char *footer_bytes;
	struct footer footer;
	struct parquet_column *columns; /* readable ones */
	size_t n_columns;
	struct zst_unpacker *zst;
	struct pick **pick;
	struct parquet_column *want;
	size_t n_picks;
	bool (*keep)(const void *arg, const struct parquet_reader *r, size_t group);
	const void *keep_arg;
	struct where *where;      /* NULL: every row */
	size_t next_group, group; /* group: the open one */
	uint64_t group_left;
	bool is_open;
	/* For columns that the file does not have. */
	struct slice no_text[PARQUET_BATCH];
	int64_t no_num[PARQUET_BATCH];
	uint8_t no_level[PARQUET_BATCH];
	uint32_t no_offset[PARQUET_BATCH + 1];
};
/* n rows of a pick, all within the present pages. */
glane_rc pick_flat(struct pick *p, size_t n, struct parquet_vector *v, struct diag *d);
glane_rc pick_rows(struct pick *p, size_t n, struct parquet_vector *v, struct diag *d);
/* The next row group that is wanted and has rows; GLANE_END: there is none. */
glane_rc reader_open_group(struct parquet_reader *r, struct diag *d);
/* A column that the file does not have: nulls only. */
void reader_no_column(struct parquet_reader *r, struct parquet_vector *v);
/* parquet_reader_next() where there are tests. */
glane_rc where_next(struct parquet_reader *r, struct parquet_vector *v, size_t *ret_rows, struct diag *d);
/* True for columns that are read whole, as they are tested. */
bool where_tests(const struct where *w, size_t column);
void where_free(struct where *w); /* NULL is fine */
/* n bytes at `at`, which are known to be within the file. */
glane_rc reader_pread(const struct parquet_reader *r, uint64_t at, char *to, size_t n, struct diag *d);
#endif
