/* SPDX-License-Identifier: MIT */
/* Pages of a column chunk: header, checksum, unpacking, levels; "Data Pages" and "Column chunks" of parquet-format. */
#include "base/inflate.h"
#include "store/parquet_reader.h"

#define WINDOW ((size_t)64 << 10) /* bytes read ahead */
#define HEADER_MAX WINDOW
#define VALUES_MAX (1 << 26) /* of a page */

struct cursor *cursor_new(struct parquet_reader *r, const struct file_column *f, size_t leaf)
{
	struct cursor *c = mem_zalloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->r = r;
	c->path = f->c.path;
	c->def = r->footer.leaf[f->leaf + leaf];
	c->is_list = f->c.shape != PARQUET_ONE;
	return c;
}

void cursor_free(struct cursor *c)
{
	if (!c)
		return;
	mem_free(c->window);
	mem_free(c->page);
	mem_free(c->dict_bytes);
	mem_free(c->dict_text);
	mem_free(c->dict_num);
	mem_free(c->item);
	mem_free(c);
}

glane_rc cursor_fail(const struct cursor *c, const char *what, struct diag *d)
{
	return fail(d, GLANE_E_FORMAT, "%s: column %s: %s", c->r->name, c->path, what);
}

static glane_rc no_memory(const struct cursor *c, struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "%s: column %s: no memory for a page", c->r->name, c->path);
}

glane_rc cursor_open(struct cursor *c, const struct chunk_meta *m, struct diag *d)
{
	bool has_dictionary = m->dictionary_at > 0 && m->dictionary_at < m->data_at;

	if (m->bad)
		return cursor_fail(c, m->bad, d);
	if (m->codec != PQ_UNCOMPRESSED && m->codec != PQ_ZSTD)
		return fail(d, GLANE_E_FORMAT, "%s: column %s: compression %s is not supported", c->r->name, c->path,
			pq_codec_name(m->codec));
	c->codec = m->codec;
	c->at = (uint64_t)(has_dictionary ? m->dictionary_at : m->data_at);
	c->end = c->at + (uint64_t)m->packed;
	c->left = m->values;
	c->page_left = c->rows_left = 0;
	c->n_window = 0;
	c->has_dict = false;
	c->dict_id = c->fill_id = 0;
	c->rep_ahead = -1;
	return GLANE_OK;
}

glane_rc cursor_close(const struct cursor *c, struct diag *d)
{
	if (c->left || c->page_left)
		return cursor_fail(c, "the pages hold more values than the row group has", d);
	return GLANE_OK;
}

/* n bytes at c->at, which are known to lie in the chunk; read ahead as far as that goes. */
static glane_rc window(struct cursor *c, size_t n, struct slice *ret, struct diag *d)
{
	uint64_t left = c->end - c->at;
	size_t some;
	glane_rc rc;

	if (c->r->bytes.p) {
		*ret = (struct slice){c->r->bytes.p + c->at, n};
		return GLANE_OK;
	}
	if (c->at < c->window_at || c->at + n > c->window_at + c->n_window) {
		some = n > WINDOW ? n : left < WINDOW ? (size_t)left : WINDOW;
		c->n_window = 0;
		if (!mem_grow(&c->window, &c->cap_window, some, 1))
			return no_memory(c, d);
		rc = reader_pread(c->r, c->at, c->window, some, d);
		if (rc < 0)
			return rc;
		c->window_at = c->at;
		c->n_window = some;
	}
	*ret = (struct slice){c->window + (c->at - c->window_at), n};
	return GLANE_OK;
}

/* DataPageHeader, DictionaryPageHeader. */
static void read_header_1(struct thrift_in *t, struct pq_page_header *h)
{
	struct thrift_field f = {0, THRIFT_STOP};

	while (thrift_next(t, &f))
		if (f.id == 1)
			h->values = thrift_get_i32(t, &f);
		else if (f.id == 2)
			h->encoding = thrift_get_i32(t, &f);
		else if (f.id == 3 && h->type == PQ_DATA_PAGE)
			h->def_encoding = thrift_get_i32(t, &f);
		else if (f.id == 4)
			h->rep_encoding = thrift_get_i32(t, &f);
		else
			thrift_skip(t, &f);
}

/* DataPageHeaderV2. */
static void read_header_2(struct thrift_in *t, struct pq_page_header *h)
{
	struct thrift_field f = {0, THRIFT_STOP};
	int32_t *const to[] = {&h->values, &h->nulls, &h->rows, &h->encoding, &h->def_bytes, &h->rep_bytes};

	h->is_packed = true;
	h->def_encoding = h->rep_encoding = PQ_RLE;
	while (thrift_next(t, &f))
		if (f.id >= 1 && f.id <= 6)
			*to[f.id - 1] = thrift_get_i32(t, &f);
		else if (f.id == 7)
			h->is_packed = thrift_get_bool(t, &f);
		else
			thrift_skip(t, &f);
}

/* PageHeader. */
static void read_header(struct thrift_in *t, struct pq_page_header *h)
{
	struct thrift_field f = {0, THRIFT_STOP};

	*h = (struct pq_page_header){.unpacked = -1, .packed = -1, .values = -1, .type = PQ_INDEX_PAGE};
	if (!thrift_enter(t, NULL))
		return;
	while (thrift_next(t, &f))
		if (f.id == 1) {
			h->type = (enum pq_page)thrift_get_i32(t, &f);
		} else if (f.id == 2) {
			h->unpacked = thrift_get_i32(t, &f);
		} else if (f.id == 3) {
			h->packed = thrift_get_i32(t, &f);
		} else if (f.id == 4) {
			h->crc = (uint32_t)thrift_get_i32(t, &f);
			h->has_crc = true;
		} else if ((f.id == 5 && h->type == PQ_DATA_PAGE) || (f.id == 7 && h->type == PQ_DICTIONARY_PAGE)) {
			if (thrift_enter(t, &f))
				read_header_1(t, h);
		} else if (f.id == 8 && h->type == PQ_DATA_PAGE_V2) {
			if (thrift_enter(t, &f))
				read_header_2(t, h);
		} else {
			thrift_skip(t, &f);
		}
}

/* Header of the next page, checked against its chunk; c->at is behind it, at the packed body. */
static glane_rc next_head(struct cursor *c, struct pq_page_header *h, struct diag *d)
{
	uint64_t left = c->end - c->at;
	struct thrift_in t;
	struct slice s = {NULL, 0};
	glane_rc rc;

	if (left == 0)
		return cursor_fail(c, "the pages hold fewer values than the row group has", d);
	rc = window(c, left < HEADER_MAX ? (size_t)left : HEADER_MAX, &s, d);
	if (rc < 0)
		return rc;
	thrift_open(&t, s);
	read_header(&t, h);
	if (t.bad)
		return fail(
			d, GLANE_E_FORMAT, "%s: column %s: a page header is damaged: %s", c->r->name, c->path, t.bad);
	c->at += (uint64_t)((const char *)t.p - s.p);
	if (h->packed < 0 || h->unpacked < 0 || (uint64_t)h->packed > c->end - c->at)
		return cursor_fail(c, "a page is longer than its column chunk", d);
	if ((h->type == PQ_DATA_PAGE || h->type == PQ_DATA_PAGE_V2) &&
		(h->values < 0 || h->values > VALUES_MAX || h->values > c->left))
		return cursor_fail(c, "a page has more values than its column chunk", d);
	return GLANE_OK;
}

/* The packed body behind a header; c->at is behind it. */
static glane_rc next_body(struct cursor *c, const struct pq_page_header *h, struct slice *ret, struct diag *d)
{
	glane_rc rc = window(c, (size_t)h->packed, ret, d);

	if (rc < 0)
		return rc;
	c->at += (uint64_t)h->packed;
	if (h->has_crc && crc32_of(*ret) != h->crc)
		return cursor_fail(c, "a page is damaged: its CRC differs", d);
	return GLANE_OK;
}

/* `n` bytes out of the packed ones. Without packing they are used where they are, unless `copy`. */
static glane_rc unpack(struct cursor *c, struct slice in, bool is_packed, size_t n, char **buf, size_t *cap, bool copy,
	struct slice *ret, struct diag *d)
{
	glane_rc rc;

	if (!is_packed && in.n != n)
		return cursor_fail(c, "the sizes of a page contradict each other", d);
	if (!is_packed && !copy) {
		*ret = in;
		return GLANE_OK;
	}
	if (is_packed && n > (size_t)PAGE_MAX)
		return fail(d, GLANE_E_LIMIT, "%s: column %s: a page of %zu bytes", c->r->name, c->path, n);
	if (is_packed && !zst_plausible(in.n, n))
		return cursor_fail(c, "a page claims more bytes than its packed ones can give", d);
	if (!mem_grow(buf, cap, n + 1, 1))
		return no_memory(c, d);
	if (!is_packed) {
		if (n)
			memcpy(*buf, in.p, n);
	} else if (n) {
		rc = zst_unpack(c->r->zst, in, *buf, n, d);
		if (rc < 0)
			return diag_prefix(d, "%s: column %s: ", c->r->name, c->path);
	}
	*ret = (struct slice){*buf, n};
	return GLANE_OK;
}

/* Plain texts: u32 length, bytes. */
static glane_rc dictionary_texts(struct cursor *c, struct slice s, size_t n, struct diag *d)
{
	if (!mem_grow(&c->dict_text, &c->cap_dict_text, n + 1, sizeof(*c->dict_text)))
		return no_memory(c, d);
	for (size_t i = 0; i < n; i++) {
		uint32_t length;

		if (s.n < sizeof(length))
			return cursor_fail(c, "the dictionary is cut", d);
		memcpy(&length, s.p, sizeof(length));
		if (length > s.n - sizeof(length))
			return cursor_fail(c, "the dictionary is cut", d);
		c->dict_text[i] = (struct slice){s.p + sizeof(length), length};
		if (!slice_is_utf8(c->dict_text[i]))
			return cursor_fail(c, "malformed UTF-8", d);
		s.p += sizeof(length) + length;
		s.n -= sizeof(length) + length;
	}
	return GLANE_OK;
}

static glane_rc dictionary_nums(struct cursor *c, struct slice s, size_t n, struct diag *d)
{
	unsigned width = pq_width(c->def.type);

	if (width == 0 || s.n / width < n)
		return cursor_fail(c, "the dictionary is cut", d);
	if (!mem_grow(&c->dict_num, &c->cap_dict_num, n + 1, sizeof(*c->dict_num)))
		return no_memory(c, d);
	for (size_t i = 0; i < n; i++)
		if (width == 4) {
			int32_t v;

			memcpy(&v, s.p + i * 4, 4);
			c->dict_num[i] = v;
		} else {
			memcpy(&c->dict_num[i], s.p + i * 8, 8);
		}
	return GLANE_OK;
}

static glane_rc read_dictionary(struct cursor *c, const struct pq_page_header *h, struct slice body, struct diag *d)
{
	static uint64_t last_id;
	struct slice s = {NULL, 0};
	glane_rc rc;

	if (c->has_dict)
		return cursor_fail(c, "two dictionaries", d);
	if (h->encoding != PQ_PLAIN && h->encoding != PQ_PLAIN_DICTIONARY)
		return fail(d, GLANE_E_FORMAT, "%s: column %s: a dictionary encoded as %s is not supported", c->r->name,
			c->path, pq_encoding_name(h->encoding));
	rc = unpack(c, body, c->codec == PQ_ZSTD, (size_t)h->unpacked, &c->dict_bytes, &c->cap_dict_bytes, true, &s, d);
	if (rc < 0)
		return rc;
	/* Every entry takes 4 bytes at least: the number is proven before it is used. */
	if (h->values < 0 || (size_t)h->values > s.n / 4)
		return cursor_fail(c, "the dictionary is cut", d);
	if (c->def.type == PQ_BYTE_ARRAY)
		rc = dictionary_texts(c, s, (size_t)h->values, d);
	else
		rc = dictionary_nums(c, s, (size_t)h->values, d);
	c->has_dict = rc == GLANE_OK;
	c->n_dict = (uint32_t)h->values;
	c->dict_id = ++last_id;
	return rc;
}

/* Cuts levels with their length in front off a version 1 page. */
static glane_rc take_levels(
	struct cursor *c, struct slice *s, int encoding, unsigned max, struct hybrid *ret, struct diag *d)
{
	uint32_t n;

	if (max == 0)
		return GLANE_OK;
	if (encoding != PQ_RLE)
		return fail(d, GLANE_E_FORMAT, "%s: column %s: levels encoded as %s are not supported", c->r->name,
			c->path, pq_encoding_name(encoding));
	if (s->n < sizeof(n))
		return cursor_fail(c, "a page is cut within its levels", d);
	memcpy(&n, s->p, sizeof(n));
	if (n > s->n - sizeof(n))
		return cursor_fail(c, "a page is cut within its levels", d);
	(void)hybrid_open(ret, s->p + sizeof(n), n, pq_bits(max));
	s->p += sizeof(n) + n;
	s->n -= sizeof(n) + n;
	return GLANE_OK;
}

/* Gets ready to read values of the page's encoding. A page of nulls only may have none at all. */
static glane_rc open_values(struct cursor *c, struct slice s, struct diag *d)
{
	enum pq_type type = c->def.type;
	uint32_t length = 0;
	uint64_t n = 0;

	c->p = (const unsigned char *)s.p;
	c->stop = c->p + s.n;
	c->bit = 0;
	if (c->encoding == PQ_PLAIN)
		return GLANE_OK;
	if (c->encoding == PQ_PLAIN_DICTIONARY || c->encoding == PQ_RLE_DICTIONARY) {
		if (!c->has_dict)
			return cursor_fail(c, "a page needs a dictionary that is not there", d);
		c->encoding = PQ_RLE_DICTIONARY;
		if (!hybrid_open(&c->codes, s.n ? s.p + 1 : s.p, s.n ? s.n - 1 : 0, s.n ? (unsigned char)s.p[0] : 0))
			return cursor_fail(c, "codes of more than 32 bits", d);
		return GLANE_OK;
	}
	if (c->encoding == PQ_DELTA_BINARY_PACKED && (type == PQ_INT32 || type == PQ_INT64)) {
		if (s.n == 0)
			c->delta = (struct delta){.p = NULL};
		else if (!delta_open(&c->delta, s.p, s.n, type == PQ_INT32, &n))
			return cursor_fail(c, "a page's DELTA_BINARY_PACKED header is damaged", d);
		return GLANE_OK;
	}
	if (c->encoding == PQ_RLE && type == PQ_BOOLEAN) {
		if (s.n == 0)
			return hybrid_open(&c->codes, s.p, 0, 1) ? GLANE_OK : GLANE_E_FORMAT;
		if (s.n < sizeof(length))
			return cursor_fail(c, "a page is cut", d);
		memcpy(&length, s.p, sizeof(length));
		if (length > s.n - sizeof(length))
			return cursor_fail(c, "a page is cut", d);
		(void)hybrid_open(&c->codes, s.p + sizeof(length), length, 1);
		return GLANE_OK;
	}
	return fail(d, GLANE_E_FORMAT, "%s: column %s: encoding %s of %s is not supported", c->r->name, c->path,
		pq_encoding_name(c->encoding), pq_type_name((int)type));
}

/* How many rows begin in the page; the first must be at its beginning. */
static glane_rc count_rows(struct cursor *c, struct diag *d)
{
	struct hybrid h = c->rep;
	uint8_t level[1024];
	bool same;

	c->rows_left = 0;
	for (uint64_t i = 0, some; i < c->page_left; i += some) {
		some = c->page_left - i < sizeof(level) ? c->page_left - i : sizeof(level);
		if (!hybrid_get_levels(&h, level, (size_t)some, &same))
			return cursor_fail(c, "the repetition levels are damaged", d);
		if (i == 0 && level[0] != 0)
			return cursor_fail(c, "a row that goes on on the next page is not supported", d);
		for (size_t k = 0; k < some; k++)
			c->rows_left += level[k] == 0;
	}
	return GLANE_OK;
}

/* The levels of a version 2 page stand before the packed part, without lengths. */
static glane_rc open_page_2(struct cursor *c, const struct pq_page_header *h, struct slice body, struct diag *d)
{
	bool is_packed = c->codec == PQ_ZSTD && h->is_packed;
	size_t levels;
	glane_rc rc;

	if (h->rep_bytes < 0 || h->def_bytes < 0 || (size_t)h->rep_bytes > body.n ||
		(size_t)h->def_bytes > body.n - (size_t)h->rep_bytes || h->unpacked < h->rep_bytes ||
		h->unpacked - h->rep_bytes < h->def_bytes)
		return cursor_fail(c, "a page is cut within its levels", d);
	(void)hybrid_open(&c->rep, body.p, (size_t)h->rep_bytes, pq_bits(c->def.max_rep));
	(void)hybrid_open(&c->defs, body.p + h->rep_bytes, (size_t)h->def_bytes, pq_bits(c->def.max_def));
	levels = (size_t)h->rep_bytes + (size_t)h->def_bytes;
	body = (struct slice){body.p + levels, body.n - levels};
	rc = unpack(c, body, is_packed, (size_t)h->unpacked - levels, &c->page, &c->cap_page, false, &body, d);
	return rc < 0 ? rc : open_values(c, body, d);
}

static glane_rc open_page_1(struct cursor *c, const struct pq_page_header *h, struct slice body, struct diag *d)
{
	glane_rc rc =
		unpack(c, body, c->codec == PQ_ZSTD, (size_t)h->unpacked, &c->page, &c->cap_page, false, &body, d);

	if (rc == GLANE_OK)
		rc = take_levels(c, &body, h->rep_encoding, c->def.max_rep, &c->rep, d);
	if (rc == GLANE_OK)
		rc = take_levels(c, &body, h->def_encoding, c->def.max_def, &c->defs, d);
	return rc < 0 ? rc : open_values(c, body, d);
}

static glane_rc open_page(struct cursor *c, const struct pq_page_header *h, struct slice body, struct diag *d)
{
	glane_rc rc;

	c->encoding = h->encoding;
	rc = h->type == PQ_DATA_PAGE ? open_page_1(c, h, body, d) : open_page_2(c, h, body, d);
	if (rc < 0)
		return rc;
	c->page_left = (uint64_t)h->values;
	c->left -= h->values;
	c->rep_ahead = -1;
	return c->def.max_rep && c->page_left ? count_rows(c, d) : GLANE_OK;
}

glane_rc cursor_page_behind(struct cursor *c, uint64_t *pass, struct diag *d)
{
	struct pq_page_header h = {.type = PQ_INDEX_PAGE};
	struct slice body = {NULL, 0};
	bool is_data;
	glane_rc rc;

	while (c->page_left == 0) {
		rc = next_head(c, &h, d);
		if (rc < 0)
			return rc;
		is_data = h.type == PQ_DATA_PAGE || h.type == PQ_DATA_PAGE_V2;
		if (is_data && *pass && (uint64_t)h.values <= *pass) {
			c->at += (uint64_t)h.packed;
			c->left -= h.values;
			*pass -= (uint64_t)h.values;
			if (*pass == 0)
				return GLANE_OK;
			continue;
		}
		rc = next_body(c, &h, &body, d);
		if (rc == GLANE_OK && h.type == PQ_DICTIONARY_PAGE)
			rc = read_dictionary(c, &h, body, d);
		else if (rc == GLANE_OK && is_data)
			rc = open_page(c, &h, body, d);
		else if (rc == GLANE_OK && h.type != PQ_INDEX_PAGE)
			rc = cursor_fail(c, "a page of a kind that is not supported", d);
		if (rc < 0)
			return rc;
	}
	return GLANE_OK;
}

glane_rc cursor_page(struct cursor *c, struct diag *d)
{
	uint64_t none = 0;

	return cursor_page_behind(c, &none, d);
}
