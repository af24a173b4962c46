/* SPDX-License-Identifier: MIT */
/* A row group's leaf as a column chunk: the choice of the encoding, dictionary page, data pages, indexes. */
#include "store/parquet_writer.h"

#include "store/parquet_bits.h"

#define NUM_DICT_MAX 65536 /* values of a dictionary of numbers */
#define SMALL_DICT 16      /* not worth a trial */
#define FEW_RUNS 8192      /* of equal codes: as one page they are smaller than many page headers */

struct cut {                          /* between two pages */
	size_t entry, value, row, at; /* at: into the plain texts */
};
struct job {
	struct parquet_writer *w;
	struct leaf *l;
	struct chunk *c;
	const uint32_t *code; /* where a dictionary is used */
	size_t n_dict;
	struct page_index *page;
	size_t n_pages, cap_pages, page_rows;
	struct range range;
};

static glane_rc no_memory(const struct job *j, struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "Parquet: no memory for a page of column %s", j->l->column->path);
}

static uint32_t text_length(const struct leaf *l, size_t at)
{
	uint32_t n;

	memcpy(&n, l->plain.p + at, sizeof(n));
	return n;
}

static bool is_there(const struct leaf *l, size_t entry)
{
	return !l->max_def || l->def[entry] == l->max_def;
}

/* The end of the page that begins at `from`: whole rows, not too many, nor too many bytes or items. */
static struct cut page_end(const struct leaf *l, size_t page_rows, struct cut from)
{
	struct cut c = from;
	size_t n;

	if (l->max_rep || l->is_plain) {
		for (; c.entry < l->n; c.entry++) {
			if (!l->max_rep || l->rep[c.entry] == 0) {
				if (c.row - from.row == page_rows || c.at - from.at >= PAGE_BYTES ||
					c.entry - from.entry >= 4 * (size_t)PAGE_ROWS)
					break;
				c.row++;
			}
			if (!is_there(l, c.entry))
				continue;
			if (l->is_plain && l->type == PQ_BYTE_ARRAY)
				c.at += sizeof(uint32_t) + text_length(l, c.at);
			c.value++;
		}
		return c;
	}
	n = l->n - c.entry < page_rows ? l->n - c.entry : page_rows;
	c.row += n;
	if (!l->max_def)
		c.value += n;
	else
		for (size_t i = c.entry; i < c.entry + n; i++)
			c.value += l->def[i] == l->max_def;
	c.entry += n;
	return c;
}

/* "Plain (PLAIN = 0)" of numbers. */
static void put_plain_nums(struct strbuf *b, enum pq_type type, const int64_t *v, size_t n)
{
	char *to;

	if (type == PQ_BOOLEAN) {
		bits_put_flags(b, v, n);
	} else if (type == PQ_INT32) {
		to = strbuf_room(b, n * 4);
		for (size_t i = 0; to && i < n; i++)
			memcpy(to + i * 4, &v[i], 4); /* the low bytes come first */
		b->n += to ? n * 4 : 0;
	} else {
		strbuf_add(b, v, n * sizeof(*v));
	}
}

/* "Dictionary Encoding (RLE_DICTIONARY = 8)": the width, then the codes. One bit at least: some readers trip over none. */
static void put_codes(struct strbuf *b, const uint32_t *code, size_t n, size_t n_dict)
{
	unsigned bits = n_dict > 2 ? pq_bits(n_dict - 1) : 1;

	strbuf_putc(b, (char)bits);
	bits_put_hybrid(b, code, n, bits);
}

static void put_values(const struct job *j, enum pq_encoding encoding, struct cut from, struct cut to, struct strbuf *b)
{
	const struct leaf *l = j->l;
	size_t n = to.value - from.value;

	if (n == 0)
		return; /* also no buffer, perhaps */
	if (encoding == PQ_RLE_DICTIONARY)
		put_codes(b, j->code + from.value, n, j->n_dict);
	else if (l->type == PQ_BYTE_ARRAY)
		strbuf_add(b, l->plain.p + from.at, to.at - from.at);
	else if (encoding == PQ_DELTA_BINARY_PACKED)
		bits_put_delta(b, l->num + from.value, n, l->type == PQ_INT32);
	else
		put_plain_nums(b, l->type, l->num + from.value, n);
}

/* Levels of a version 1 data page: each with its length in front. */
static void put_levels(struct strbuf *b, const uint8_t *level, size_t n, unsigned max)
{
	size_t at = b->n;
	uint32_t bytes = 0;

	strbuf_add(b, &bytes, sizeof(bytes));
	bits_put_levels(b, level, n, pq_bits(max));
	bytes = (uint32_t)(b->n - at - sizeof(bytes));
	if (strbuf_ok(b))
		memcpy(b->p + at, &bytes, sizeof(bytes));
}

/* Packed bytes of the first page in an encoding; 0: no memory. */
static size_t trial(const struct job *j, enum pq_encoding encoding, struct cut to)
{
	struct parquet_writer *w = j->w;
	struct cut from = {0, 0, 0, 0};
	size_t n = 0;

	strbuf_reset(&w->body);
	strbuf_reset(&w->packed);
	put_values(j, encoding, from, to, &w->body);
	if (!strbuf_ok(&w->body) || !strbuf_room(&w->packed, zst_bound(w->body.n)) ||
		zst_pack(w->zst, strbuf_get(&w->body), w->packed.p, zst_bound(w->body.n), &n, NULL) != GLANE_OK)
		return 0;
	return n;
}

/* The smaller of a dictionary and what else there is, judged by the first page. */
static enum pq_encoding smaller(const struct job *j, enum pq_encoding other)
{
	struct cut from = {0, 0, 0, 0}, to = page_end(j->l, PAGE_ROWS, from);
	size_t with = trial(j, PQ_RLE_DICTIONARY, to), without = trial(j, other, to);
	double pages = (double)j->l->values / (double)(to.value ? to.value : 1);
	/* Doubles hardly pack, integers of a dictionary by half. */
	size_t dictionary = j->n_dict * pq_width(j->l->type) / (j->l->type == PQ_DOUBLE ? 1 : 2);

	return (double)with * pages + (double)dictionary <= (double)without * pages ? PQ_RLE_DICTIONARY : other;
}

static glane_rc choose_num(struct job *j, enum pq_encoding *ret, struct diag *d)
{
	struct parquet_writer *w = j->w;
	struct leaf *l = j->l;
	enum pq_encoding other = l->type == PQ_DOUBLE ? PQ_PLAIN : PQ_DELTA_BINARY_PACKED;
	bool pays = false;

	if (l->type == PQ_BOOLEAN || l->hint == PARQUET_PLAIN || l->values == 0) {
		*ret = PQ_PLAIN;
		return GLANE_OK;
	}
	*ret = other;
	if (l->hint == PARQUET_DELTA)
		return GLANE_OK;
	if (!mem_grow(&w->code, &w->cap_code, l->values, sizeof(*w->code)) ||
		!num_dict_build(&w->nums, l->num, l->values, NUM_DICT_MAX, w->code, &pays))
		return no_memory(j, d);
	if (!pays)
		return GLANE_OK;
	j->code = w->code;
	j->n_dict = w->nums.n;
	if (l->hint == PARQUET_DICTIONARY || j->n_dict <= SMALL_DICT)
		*ret = PQ_RLE_DICTIONARY;
	else
		*ret = smaller(j, other);
	return GLANE_OK;
}

static glane_rc choose_text(struct job *j, enum pq_encoding *ret, struct diag *d)
{
	struct parquet_writer *w = j->w;
	struct leaf *l = j->l;
	glane_rc rc;

	/* Hardly a value twice: a dictionary would only add its codes. */
	if (!l->is_plain && l->hint == PARQUET_AUTO && l->dict.n > l->values - l->values / 4) {
		rc = leaf_give_up_dictionary(l, d);
		if (rc < 0)
			return rc;
	}
	*ret = l->is_plain || l->values == 0 ? PQ_PLAIN : PQ_RLE_DICTIONARY;
	if (*ret == PQ_PLAIN)
		return GLANE_OK;
	j->code = l->code;
	j->n_dict = l->dict.n;
	if (!mem_grow(&w->order, &w->cap_order, j->n_dict, sizeof(*w->order)) ||
		!mem_grow(&w->rank, &w->cap_rank, j->n_dict, sizeof(*w->rank)))
		return no_memory(j, d);
	text_dict_ranks(&l->dict, w->order, w->rank);
	return GLANE_OK;
}

/* "Dictionary page": the entries, plain encoded. */
static glane_rc write_dictionary(struct job *j, struct diag *d)
{
	struct parquet_writer *w = j->w;
	struct pq_page_header h = {
		.type = PQ_DICTIONARY_PAGE, .values = (int32_t)j->n_dict, .encoding = PQ_PLAIN, .has_crc = true};

	strbuf_reset(&w->body);
	if (j->l->type != PQ_BYTE_ARRAY)
		put_plain_nums(&w->body, j->l->type, w->nums.value, j->n_dict);
	for (uint32_t i = 0; j->l->type == PQ_BYTE_ARRAY && i < j->n_dict; i++) {
		struct slice s = text_dict_get(&j->l->dict, i);
		uint32_t n = (uint32_t)s.n;

		strbuf_add(&w->body, &n, sizeof(n));
		strbuf_add(&w->body, s.p, s.n);
	}
	return page_write(w, &h, j->c, &j->c->dictionary_at, d);
}

/* Bounds of a page's texts: by rank where there is a dictionary. */
static void range_of_texts(const struct job *j, struct range *r, struct cut from, struct cut to)
{
	const struct leaf *l = j->l;
	const uint32_t *rank = j->w->rank, *order = j->w->order;
	uint32_t low = UINT32_MAX, high = 0;

	*r = (struct range){.known = to.value > from.value};
	if (!r->known)
		return;
	if (j->code) {
		for (size_t i = from.value; i < to.value; i++) {
			uint32_t k = rank[j->code[i]];

			low = k < low ? k : low;
			high = k > high ? k : high;
		}
		r->low_text = text_dict_get(&l->dict, order[low]);
		r->high_text = text_dict_get(&l->dict, order[high]);
		return;
	}
	for (size_t at = from.at; at < to.at;) {
		struct slice s = {l->plain.p + at + sizeof(uint32_t), text_length(l, at)};

		if (at == from.at || pq_text_cmp(s, r->low_text) < 0)
			r->low_text = s;
		if (at == from.at || pq_text_cmp(s, r->high_text) > 0)
			r->high_text = s;
		at += sizeof(uint32_t) + s.n;
	}
}

static glane_rc write_page(struct job *j, struct cut from, struct cut to, struct diag *d)
{
	struct parquet_writer *w = j->w;
	struct leaf *l = j->l;
	struct page_index *p = &j->page[j->n_pages];
	struct pq_page_header h = {.type = PQ_DATA_PAGE,
		.values = (int32_t)(to.entry - from.entry),
		.encoding = (int)j->c->encoding,
		.def_encoding = PQ_RLE,
		.rep_encoding = PQ_RLE,
		.has_crc = true};
	struct range r = {.known = false};
	uint64_t begin = w->at;
	glane_rc rc;

	if (l->part == LEAF_VALUE && l->type == PQ_BYTE_ARRAY)
		range_of_texts(j, &r, from, to);
	else if (l->part == LEAF_VALUE && to.value > from.value)
		range_of_nums(&r, l->type, l->num + from.value, to.value - from.value);
	range_merge(&j->range, &r, l->type);
	strbuf_reset(&w->body);
	if (l->max_rep)
		put_levels(&w->body, l->rep + from.entry, to.entry - from.entry, l->max_rep);
	if (l->max_def)
		put_levels(&w->body, l->def + from.entry, to.entry - from.entry, l->max_def);
	put_values(j, j->c->encoding, from, to, &w->body);
	rc = page_write(w, &h, j->c, &p->at, d);
	if (rc < 0)
		return rc;
	p->bytes = (int32_t)(w->at - begin);
	p->first_row = (int64_t)from.row;
	p->nulls = (int64_t)(to.entry - from.entry - (to.value - from.value));
	p->is_null = to.value == from.value;
	range_bounds(&r, l->type, &p->low, &p->high);
	j->c->nulls += p->nulls;
	j->n_pages++;
	return GLANE_OK;
}

/* "Page Index" of PageIndex.md. Without a bound for a page that has values there is no column index. Of a single page the
 * chunk says the same, and small files are many. */
static void write_indexes(struct job *j)
{
	struct strbuf *b = &j->w->indexes;
	bool bounded = j->l->part == LEAF_VALUE;

	if (j->n_pages < 2)
		return;
	for (size_t i = 0; i < j->n_pages; i++)
		bounded = bounded && (j->page[i].is_null || (j->page[i].low.known && j->page[i].high.known));
	j->c->column_index_at = b->n;
	if (bounded)
		meta_column_index(b, j->page, j->n_pages, j->l->type == PQ_BYTE_ARRAY);
	j->c->column_index_n = b->n - j->c->column_index_at;
	j->c->offset_index_at = b->n;
	meta_offset_index(b, j->page, j->n_pages);
	j->c->offset_index_n = b->n - j->c->offset_index_at;
}

static bool is_sorted_by(const struct parquet_writer *w, const struct leaf *l)
{
	for (size_t i = 0; i < w->o.n_sorted; i++)
		if (&w->column[w->o.sorted[i]] == l->column)
			return true;
	return false;
}

/* A column of nulls or of few runs goes into one page; one that the rows are sorted by keeps pages to be found by. */
static size_t choose_page_rows(const struct job *j)
{
	const struct leaf *l = j->l;
	size_t runs = 1;

	if (l->max_rep || (l->values && !j->code))
		return PAGE_ROWS;
	if (l->values == 0 || j->n_dict == 1)
		return l->n;
	if (is_sorted_by(j->w, l))
		return PAGE_ROWS;
	for (size_t i = 1; i < l->values; i++)
		runs += j->code[i] != j->code[i - 1];
	return runs < FEW_RUNS ? l->n : PAGE_ROWS;
}

static glane_rc write_pages(struct job *j, struct diag *d)
{
	struct cut from = {0, 0, 0, 0}, to;
	glane_rc rc = GLANE_OK;

	if (j->c->encoding == PQ_RLE_DICTIONARY)
		rc = write_dictionary(j, d);
	for (; rc == GLANE_OK && from.entry < j->l->n; from = to) {
		if (!mem_grow(&j->page, &j->cap_pages, j->n_pages + 1, sizeof(*j->page)))
			return no_memory(j, d);
		to = page_end(j->l, j->page_rows, from);
		rc = write_page(j, from, to, d);
	}
	return rc;
}

glane_rc chunk_write(struct parquet_writer *w, struct leaf *l, struct chunk *ret, struct diag *d)
{
	struct job j = {.w = w, .l = l, .c = ret};
	glane_rc rc;

	*ret = (struct chunk){.values = (int64_t)l->n};
	rc = l->type == PQ_BYTE_ARRAY ? choose_text(&j, &ret->encoding, d) : choose_num(&j, &ret->encoding, d);
	if (ret->encoding != PQ_RLE_DICTIONARY)
		j.code = NULL;
	j.page_rows = choose_page_rows(&j);
	if (rc == GLANE_OK)
		rc = write_pages(&j, d);
	if (rc == GLANE_OK && j.n_pages) {
		ret->data_at = j.page[0].at;
		ret->pages = (int32_t)j.n_pages;
		range_bounds(&j.range, l->type, &ret->low, &ret->high);
		ret->has_bounds = ret->low.known && ret->high.known;
		sum_add(w, l, &j.range, ret->nulls);
		write_indexes(&j);
		if (!strbuf_ok(&w->indexes))
			rc = no_memory(&j, d);
	}
	mem_free(j.page);
	return rc;
}
