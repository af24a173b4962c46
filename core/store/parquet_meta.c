/* SPDX-License-Identifier: MIT */
/* The writer's metadata: the structures of parquet.thrift, by their field numbers. */
#include "store/parquet_writer.h"

#define CREATED_BY "glane version " GLANE_VERSION /* "<Application> version <App Version>" */

/* PageHeader. */
void meta_page_header(struct strbuf *b, const struct pq_page_header *h)
{
	struct thrift_out o = {.b = b};

	thrift_begin(&o);
	thrift_put_i32(&o, 1, (int32_t)h->type);
	thrift_put_i32(&o, 2, h->unpacked);
	thrift_put_i32(&o, 3, h->packed);
	if (h->has_crc)
		thrift_put_i32(&o, 4, (int32_t)h->crc);
	if (h->type == PQ_DICTIONARY_PAGE) {
		thrift_begin_field(&o, 7);
		thrift_put_i32(&o, 1, h->values);
		thrift_put_i32(&o, 2, h->encoding);
	} else {
		thrift_begin_field(&o, 5);
		thrift_put_i32(&o, 1, h->values);
		thrift_put_i32(&o, 2, h->encoding);
		thrift_put_i32(&o, 3, h->def_encoding);
		thrift_put_i32(&o, 4, h->rep_encoding);
	}
	thrift_end(&o);
	thrift_end(&o);
}

static struct slice bound_slice(const struct bound *b)
{
	return (struct slice){b->text, b->n};
}

/* BoundaryOrder of the pages that have values, of texts: plain little endian numbers do not order bytewise. */
static int32_t boundary_order(const struct page_index *p, size_t n)
{
	const struct page_index *last = NULL;
	bool up = true, down = true;

	for (size_t i = 0; i < n; i++) {
		int low, high;

		if (p[i].is_null)
			continue;
		if (last) {
			low = pq_text_cmp(bound_slice(&p[i].low), bound_slice(&last->low));
			high = pq_text_cmp(bound_slice(&p[i].high), bound_slice(&last->high));
			up = up && low >= 0 && high >= 0;
			down = down && low <= 0 && high <= 0;
		}
		last = &p[i];
	}
	return up ? 1 : down ? 2 : 0;
}

/* ColumnIndex. */
void meta_column_index(struct strbuf *b, const struct page_index *p, size_t n, bool is_text)
{
	struct thrift_out o = {.b = b};

	thrift_begin(&o);
	thrift_put_list(&o, 1, THRIFT_TRUE, n);
	for (size_t i = 0; i < n; i++)
		thrift_item_bool(&o, p[i].is_null);
	thrift_put_list(&o, 2, THRIFT_BINARY, n);
	for (size_t i = 0; i < n; i++)
		thrift_item_binary(&o, bound_slice(&p[i].low));
	thrift_put_list(&o, 3, THRIFT_BINARY, n);
	for (size_t i = 0; i < n; i++)
		thrift_item_binary(&o, bound_slice(&p[i].high));
	thrift_put_i32(&o, 4, is_text ? boundary_order(p, n) : 0);
	thrift_put_list(&o, 5, THRIFT_I64, n);
	for (size_t i = 0; i < n; i++)
		thrift_item_int(&o, p[i].nulls);
	thrift_end(&o);
}

/* OffsetIndex. */
void meta_offset_index(struct strbuf *b, const struct page_index *p, size_t n)
{
	struct thrift_out o = {.b = b};

	thrift_begin(&o);
	thrift_put_list(&o, 1, THRIFT_STRUCT, n);
	for (size_t i = 0; i < n; i++) {
		thrift_begin(&o);
		thrift_put_i64(&o, 1, p[i].at);
		thrift_put_i32(&o, 2, p[i].bytes);
		thrift_put_i64(&o, 3, p[i].first_row);
		thrift_end(&o);
	}
	thrift_end(&o);
}

/* SchemaElement: a group, or with children < 0 a leaf that is completed by put_type(). */
static void begin_element(struct thrift_out *o, int type, int repetition, struct slice name, int children)
{
	thrift_begin(o);
	if (type >= 0)
		thrift_put_i32(o, 1, type);
	if (repetition >= 0)
		thrift_put_i32(o, 3, repetition);
	thrift_put_binary(o, 4, name);
	if (children >= 0)
		thrift_put_i32(o, 5, children);
}

/* converted_type and logicalType without members. */
static void put_annotation(struct thrift_out *o, int converted, int logical)
{
	thrift_put_i32(o, 6, converted);
	thrift_begin_field(o, 10);
	thrift_begin_field(o, logical);
	thrift_end(o);
	thrift_end(o);
}

static void put_integer(struct thrift_out *o, int converted, int8_t bits)
{
	thrift_put_i32(o, 6, converted);
	thrift_begin_field(o, 10);
	thrift_begin_field(o, PQ_INTEGER);
	thrift_put_i8(o, 1, bits);
	thrift_put_bool(o, 2, true);
	thrift_end(o);
	thrift_end(o);
}

/* TimestampType: isAdjustedToUTC, MICROS. */
static void put_timestamp(struct thrift_out *o)
{
	thrift_put_i32(o, 6, PQ_TIMESTAMP_MICROS);
	thrift_begin_field(o, 10);
	thrift_begin_field(o, PQ_TIMESTAMP);
	thrift_put_bool(o, 1, true);
	thrift_begin_field(o, 2);
	thrift_begin_field(o, 2);
	thrift_end(o);
	thrift_end(o);
	thrift_end(o);
	thrift_end(o);
}

static void put_leaf(struct thrift_out *o, const struct parquet_column *c, int repetition, struct slice name)
{
	begin_element(o, (int)pq_physical(c->type), repetition, name, -1);
	switch (c->type) {
	case PARQUET_TEXT:
		put_annotation(o, PQ_UTF8, PQ_STRING);
		break;
	case PARQUET_DATE:
		put_annotation(o, PQ_CONVERTED_DATE, PQ_DATE);
		break;
	case PARQUET_TIMESTAMP:
		put_timestamp(o);
		break;
	case PARQUET_INT8:
		put_integer(o, PQ_INT_8, 8);
		break;
	case PARQUET_INT16:
		put_integer(o, PQ_INT_16, 16);
		break;
	case PARQUET_BOOL:
	case PARQUET_INT32:
	case PARQUET_INT64:
	case PARQUET_DOUBLE:
		break;
	}
	thrift_end(o);
}

/* "Lists" and "Maps" of LogicalTypes.md: the three-level forms. Returns the number of elements. */
static size_t put_column(struct thrift_out *o, const struct parquet_column *c, struct slice name)
{
	int repetition = c->nullable ? PQ_OPTIONAL : PQ_REQUIRED;

	if (c->shape == PARQUET_ONE) {
		put_leaf(o, c, repetition, name);
		return 1;
	}
	begin_element(o, -1, repetition, name, 1);
	if (c->shape == PARQUET_LIST)
		put_annotation(o, PQ_CONVERTED_LIST, PQ_LIST);
	else
		put_annotation(o, PQ_CONVERTED_MAP, PQ_MAP);
	thrift_end(o);
	if (c->shape == PARQUET_LIST) {
		begin_element(o, -1, PQ_REPEATED, SLICE("list"), 1);
		thrift_end(o);
		put_leaf(o, c, PQ_OPTIONAL, SLICE("element"));
		return 3;
	}
	begin_element(o, -1, PQ_REPEATED, SLICE("key_value"), 2);
	thrift_end(o);
	put_leaf(o, c, PQ_REQUIRED, SLICE("key"));
	put_leaf(o, c, PQ_OPTIONAL, SLICE("value"));
	return 4;
}

/* The name at a depth of a column's path, and whether it is the last. */
static struct slice name_at(const struct parquet_column *c, int depth, bool *ret_last)
{
	const char *path = c->path;
	struct slice name = {"", 0};

	for (int i = 0; i <= depth; i++)
		(void)pq_path_next(&path, &name);
	*ret_last = path == NULL;
	return name;
}

/* The end of the children of one struct, or of one column: those that share their name at this depth. */
static size_t child_end(const struct parquet_column *c, size_t from, size_t to, int depth)
{
	bool last;
	struct slice name = name_at(&c[from], depth, &last);
	size_t i = from + 1;

	while (!last && i < to && slice_eq(name_at(&c[i], depth, &last), name))
		i++;
	return i;
}

/* Columns [from, to), which share all names above this depth. o NULL: only counts. */
static size_t put_level(
	struct thrift_out *o, const struct parquet_column *c, size_t from, size_t to, int depth, int *ret_children)
{
	size_t elements = 0;
	int children = 0;

	for (size_t i = from, end; i < to; i = end, children++) {
		bool last;
		struct slice name = name_at(&c[i], depth, &last);
		int below = 0;

		end = child_end(c, i, to, depth);
		if (last) {
			elements += o                            ? put_column(o, &c[i], name)
				    : c[i].shape == PARQUET_ONE  ? 1
				    : c[i].shape == PARQUET_LIST ? 3
								 : 4;
			continue;
		}
		(void)put_level(NULL, c, i, end, depth + 1, &below);
		if (o) {
			begin_element(o, -1, PQ_OPTIONAL, name, below);
			thrift_end(o);
		}
		elements += 1 + put_level(o, c, i, end, depth + 1, &below);
	}
	*ret_children = children;
	return elements;
}

static void put_schema(struct thrift_out *o, const struct parquet_writer *w)
{
	int children = 0;
	size_t n = put_level(NULL, w->column, 0, w->n_columns, 0, &children);

	thrift_put_list(o, 2, THRIFT_STRUCT, n + 1);
	begin_element(o, -1, -1, SLICE("schema"), children);
	thrift_end(o);
	(void)put_level(o, w->column, 0, w->n_columns, 0, &children);
}

static void put_path(struct thrift_out *o, const struct leaf *l)
{
	static const char *const below[][2] = {
		{NULL}, {"list", "element"}, {"key_value", "key"}, {"key_value", "value"}};
	const char *path = l->column->path;
	struct slice name;
	size_t n = l->part == LEAF_VALUE ? 1 : 3;

	for (const char *p = strchr(path, '.'); p; p = strchr(p + 1, '.'))
		n++;
	thrift_put_list(o, 3, THRIFT_BINARY, n);
	while (pq_path_next(&path, &name))
		thrift_item_binary(o, name);
	if (l->part != LEAF_VALUE) {
		thrift_item_binary(o, slice_of(below[l->part][0]));
		thrift_item_binary(o, slice_of(below[l->part][1]));
	}
}

/* Statistics, in the fields whose order is ColumnOrder's. */
static void put_statistics(struct thrift_out *o, const struct leaf *l, const struct chunk *c)
{
	if (l->part != LEAF_VALUE)
		return;
	thrift_begin_field(o, 12);
	thrift_put_i64(o, 3, c->nulls);
	if (c->has_bounds) {
		thrift_put_binary(o, 5, bound_slice(&c->high));
		thrift_put_binary(o, 6, bound_slice(&c->low));
		thrift_put_bool(o, 7, c->high.exact);
		thrift_put_bool(o, 8, c->low.exact);
	}
	thrift_end(o);
}

static void put_page_count(struct thrift_out *o, enum pq_page type, enum pq_encoding encoding, int32_t n)
{
	thrift_begin(o);
	thrift_put_i32(o, 1, (int32_t)type);
	thrift_put_i32(o, 2, (int32_t)encoding);
	thrift_put_i32(o, 3, n);
	thrift_end(o);
}

/* ColumnMetaData. */
static void put_chunk_meta(struct thrift_out *o, const struct leaf *l, const struct chunk *c)
{
	bool has_dictionary = c->dictionary_at != 0;

	thrift_begin_field(o, 3);
	thrift_put_i32(o, 1, (int32_t)l->type);
	thrift_put_list(o, 2, THRIFT_I32, c->encoding == PQ_PLAIN ? 2 : has_dictionary ? 3 : 2);
	if (c->encoding == PQ_PLAIN || has_dictionary)
		thrift_item_int(o, PQ_PLAIN);
	thrift_item_int(o, PQ_RLE);
	if (c->encoding != PQ_PLAIN)
		thrift_item_int(o, (int64_t)c->encoding);
	put_path(o, l);
	thrift_put_i32(o, 4, PQ_ZSTD);
	thrift_put_i64(o, 5, c->values);
	thrift_put_i64(o, 6, c->unpacked);
	thrift_put_i64(o, 7, c->packed);
	thrift_put_i64(o, 9, c->data_at);
	if (has_dictionary)
		thrift_put_i64(o, 11, c->dictionary_at);
	put_statistics(o, l, c);
	thrift_put_list(o, 13, THRIFT_STRUCT, has_dictionary ? 2 : 1);
	if (has_dictionary)
		put_page_count(o, PQ_DICTIONARY_PAGE, PQ_PLAIN, 1);
	put_page_count(o, PQ_DATA_PAGE, c->encoding, c->pages);
	thrift_end(o);
}

/* ColumnChunk. */
static void put_chunk(struct thrift_out *o, const struct leaf *l, const struct chunk *c, int64_t indexes_at)
{
	thrift_begin(o);
	thrift_put_i64(o, 2, 0); /* "writers should set it to 0": there is no copy of the metadata beside the chunk */
	put_chunk_meta(o, l, c);
	if (c->offset_index_n) {
		thrift_put_i64(o, 4, indexes_at + (int64_t)c->offset_index_at);
		thrift_put_i32(o, 5, (int32_t)c->offset_index_n);
	}
	if (c->column_index_n) {
		thrift_put_i64(o, 6, indexes_at + (int64_t)c->column_index_at);
		thrift_put_i32(o, 7, (int32_t)c->column_index_n);
	}
	thrift_end(o);
}

/* SortingColumn counts leaves. */
static void put_sorting(struct thrift_out *o, const struct parquet_writer *w)
{
	thrift_put_list(o, 4, THRIFT_STRUCT, w->o.n_sorted);
	for (size_t i = 0; i < w->o.n_sorted; i++) {
		size_t leaf = 0;

		while (w->leaf[leaf].column != &w->column[w->o.sorted[i]])
			leaf++;
		thrift_begin(o);
		thrift_put_i32(o, 1, (int32_t)leaf);
		thrift_put_bool(o, 2, false);
		thrift_put_bool(o, 3, true);
		thrift_end(o);
	}
}

/* RowGroup. */
static void put_group(struct thrift_out *o, const struct parquet_writer *w, size_t i, int64_t indexes_at)
{
	const struct row_group *g = &w->group[i];
	int64_t unpacked = 0, packed = 0;

	thrift_begin(o);
	thrift_put_list(o, 1, THRIFT_STRUCT, w->n_leaves);
	for (size_t k = 0; k < w->n_leaves; k++) {
		put_chunk(o, &w->leaf[k], &g->chunk[k], indexes_at);
		unpacked += g->chunk[k].unpacked;
		packed += g->chunk[k].packed;
	}
	thrift_put_i64(o, 2, unpacked);
	thrift_put_i64(o, 3, g->rows);
	if (w->o.n_sorted)
		put_sorting(o, w);
	thrift_put_i64(o, 5, g->at);
	thrift_put_i64(o, 6, packed);
	if (i <= INT16_MAX)
		thrift_put_i16(o, 7, (int16_t)i);
	thrift_end(o);
}

static void put_meta(struct thrift_out *o, const struct parquet_writer *w)
{
	thrift_put_list(o, 5, THRIFT_STRUCT, w->o.n_meta);
	for (size_t i = 0; i < w->o.n_meta; i++) {
		thrift_begin(o);
		thrift_put_binary(o, 1, slice_of(w->o.meta[i][0]));
		thrift_put_binary(o, 2, slice_of(w->o.meta[i][1]));
		thrift_end(o);
	}
}

/* FileMetaData. */
void meta_footer(struct strbuf *b, const struct parquet_writer *w, uint64_t indexes_at)
{
	struct thrift_out o = {.b = b};

	thrift_begin(&o);
	thrift_put_i32(&o, 1, 2);
	put_schema(&o, w);
	thrift_put_i64(&o, 3, (int64_t)w->rows);
	thrift_put_list(&o, 4, THRIFT_STRUCT, w->n_groups);
	for (size_t i = 0; i < w->n_groups; i++)
		put_group(&o, w, i, (int64_t)indexes_at);
	if (w->o.n_meta)
		put_meta(&o, w);
	thrift_put_binary(&o, 6, SLICE(CREATED_BY));
	thrift_put_list(&o, 7, THRIFT_STRUCT, w->n_leaves);
	for (size_t i = 0; i < w->n_leaves; i++) { /* ColumnOrder: TYPE_ORDER */
		thrift_begin(&o);
		thrift_begin_field(&o, 1);
		thrift_end(&o);
		thrift_end(&o);
	}
	thrift_end(&o);
}
