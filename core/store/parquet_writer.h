/* SPDX-License-Identifier: MIT */
/* Inside of the writer: a leaf buffers one column of the row group, a chunk is what it becomes. For parquet_*.c only. */
#ifndef STORE_PARQUET_WRITER_H
#define STORE_PARQUET_WRITER_H
#include "base/zst.h"
#include "store/parquet_dict.h"
#include "store/parquet_format.h"
#include "store/thrift.h"

#define PAGE_ROWS 20480                /* as parquet-mr's parquet.page.row.count.limit, and a multiple of 1024 */
#define PAGE_BYTES ((size_t)1 << 20)   /* of values, before packing */
#define GROUP_BYTES ((size_t)64 << 20) /* buffered bytes that end a row group early */
#define FILE_BOUND 64                  /* bytes of a text bound in footer and column index */

/* A bound of text, of limited size: a prefix, for the upper one with its last character raised. In an arena or a caller's buffer. */
struct bound {
	char text[FILE_BOUND + 4];
	size_t n;
	bool exact, known;
};
/* The longest prefix of at most `max` bytes (at most FILE_BOUND) that ends at a character. */
void bound_low(struct bound *b, struct slice s, size_t max);
/* The same, raised where something was cut off; not known where no prefix can be raised. */
void bound_high(struct bound *b, struct slice s, size_t max);

enum leaf_part { LEAF_VALUE, LEAF_ITEM, LEAF_KEY, LEAF_MAP_VALUE };

/* What a page or chunk is known by. Texts point into the dictionary or the plain buffer. */
struct range {
	bool known;        /* there is a value */
	bool is_nan;       /* there are values, but only NaN */
	int64_t low, high; /* of integers and bools */
	double low_f64, high_f64;
	struct slice low_text, high_text;
};

/* One leaf of the schema: its definition and the values of the present row group. */
struct leaf {
	const struct parquet_column *column;
	enum leaf_part part;
	enum pq_type type;
	enum parquet_hint hint;
	unsigned max_def, max_rep;
	/* Entries, with levels where max_def or max_rep is not 0. */
	uint8_t *def, *rep;
	size_t n, cap_def, cap_rep;
	size_t values; /* entries that are no null */
	int64_t *num;  /* every type but BYTE_ARRAY; doubles by their bits */
	size_t cap_num;
	/* BYTE_ARRAY: codes, or once the dictionary was given up, plain encoded bytes. */
	struct text_dict dict;
	uint32_t *code;
	size_t cap_code;
	bool is_plain;
	struct strbuf plain;
	/* Codes of the vector with this dict_id to ours. */
	uint64_t remap_id;
	uint32_t *remap;
	size_t n_remap, cap_remap;
};
void leaf_init(struct leaf *l, const struct parquet_column *c, enum leaf_part part);
void leaf_release(struct leaf *l);
void leaf_reset(struct leaf *l);
/* Rows [from, from + rows) of v. */
glane_rc leaf_add(struct leaf *l, const struct parquet_vector *v, size_t from, size_t rows, struct diag *d);
/* From codes to plain bytes, for the rest of the row group. */
glane_rc leaf_give_up_dictionary(struct leaf *l, struct diag *d);
size_t leaf_bytes(const struct leaf *l); /* estimate of what is buffered */

/* ColumnMetaData of one chunk. */
struct chunk {
	int64_t dictionary_at, data_at; /* offsets in the file; dictionary_at 0: none */
	int64_t unpacked, packed;       /* bytes, with headers */
	int64_t values;                 /* entries, nulls included */
	int64_t nulls;
	struct bound low, high;    /* plain encoded; texts perhaps cut */
	enum pq_encoding encoding; /* of the data pages */
	bool has_bounds;
	int32_t pages;
	size_t column_index_at, column_index_n; /* into the writer's `indexes`; n 0: none */
	size_t offset_index_at, offset_index_n;
};
struct row_group {
	int64_t rows, at;
	struct chunk *chunk; /* one per leaf */
};

/* A column over all row groups, for the summary. */
struct column_sum {
	bool has_values, no_bounds; /* no_bounds: values there are that no bounds speak of */
	struct bound low, high;     /* text */
};

struct parquet_writer {
	int fd;
	struct parquet_options o;
	struct arena arena; /* schema, options, chunks */
	struct parquet_column *column;
	size_t n_columns;
	struct leaf *leaf;
	size_t n_leaves;
	struct column_sum *sum; /* per column, as is: */
	struct parquet_stats *stats;
	struct row_group *group;
	size_t n_groups, cap_groups;
	uint64_t at, rows; /* bytes written; rows of finished groups */
	size_t group_rows; /* rows buffered */
	struct strbuf indexes, body, packed;
	struct zst_packer *zst;
	/* Scratch of the chunk that is being written. */
	struct num_dict nums;
	uint32_t *code, *order, *rank;
	size_t cap_code, cap_order, cap_rank;
	bool is_finished;
};
glane_rc writer_write(struct parquet_writer *w, const void *p, size_t n, struct diag *d);
/* Writes a leaf as a column chunk. */
glane_rc chunk_write(struct parquet_writer *w, struct leaf *l, struct chunk *ret, struct diag *d);
/* Body of a page: packs, writes header and body, counts them. */
glane_rc page_write(
	struct parquet_writer *w, struct pq_page_header *h, struct chunk *c, int64_t *ret_at, struct diag *d);

/* Range of the numbers n values long; doubles without NaN. */
void range_of_nums(struct range *r, enum pq_type type, const int64_t *v, size_t n);
void range_merge(struct range *r, const struct range *other, enum pq_type type);
/* Plain encoded, at most FILE_BOUND bytes of a text. */
void range_bounds(const struct range *r, enum pq_type type, struct bound *ret_low, struct bound *ret_high);
/* Takes a chunk's range into its column's statistics. */
void sum_add(struct parquet_writer *w, const struct leaf *l, const struct range *r, int64_t nulls);

/* Thrift. */
void meta_page_header(struct strbuf *b, const struct pq_page_header *h);
struct page_index { /* one page as the indexes know it */
	int64_t at;
	int32_t bytes; /* with header */
	int64_t first_row, nulls;
	bool is_null;
	struct bound low, high;
};
void meta_column_index(struct strbuf *b, const struct page_index *p, size_t n, bool is_text);
void meta_offset_index(struct strbuf *b, const struct page_index *p, size_t n);
/* FileMetaData; the indexes begin at indexes_at. */
void meta_footer(struct strbuf *b, const struct parquet_writer *w, uint64_t indexes_at);
#endif
