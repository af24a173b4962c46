/* SPDX-License-Identifier: MIT */
/* The writer: schema and options, row groups, pages to the file, the footer. "File format" of parquet-format's README. */
#include "base/file.h"
#include "base/inflate.h"
#include "store/parquet_writer.h"

#define LEVEL 3
#define PATH_BYTES 1024
#define ADD_ROWS 8192                /* between looks at the memory used */
#define BUFFER_MAX ((size_t)1 << 30) /* of one page; a footer */
#define GROUP_ROWS_MAX ((size_t)1 << 24)

glane_rc writer_write(struct parquet_writer *w, const void *p, size_t n, struct diag *d)
{
	glane_rc rc = w->o.write ? w->o.write(w->o.write_arg, p, n, d) : fd_write(w->fd, p, n, d);

	if (rc == GLANE_OK)
		w->at += n;
	return rc;
}

/* Header and packed body. The CRC is over what follows the header ("Checksumming" of the README). */
glane_rc page_write(
	struct parquet_writer *w, struct pq_page_header *h, struct chunk *c, int64_t *ret_at, struct diag *d)
{
	size_t packed = 0, header;
	char *to;
	glane_rc rc;

	strbuf_reset(&w->packed);
	to = strbuf_ok(&w->body) ? strbuf_room(&w->packed, zst_bound(w->body.n)) : NULL;
	if (!to || w->body.n > INT32_MAX)
		return fail(d, GLANE_E_NOMEM, "Parquet: no memory for a page of %zu bytes", w->body.n);
	rc = zst_pack(w->zst, strbuf_get(&w->body), to, zst_bound(w->body.n), &packed, d);
	if (rc < 0)
		return rc;
	h->unpacked = (int32_t)w->body.n;
	h->packed = (int32_t)packed;
	h->crc = crc32_of((struct slice){to, packed});
	strbuf_reset(&w->body);
	meta_page_header(&w->body, h);
	if (!strbuf_ok(&w->body))
		return fail(d, GLANE_E_NOMEM, "Parquet: no memory for a page header");
	header = w->body.n;
	*ret_at = (int64_t)w->at;
	rc = writer_write(w, w->body.p, header, d);
	if (rc == GLANE_OK)
		rc = writer_write(w, to, packed, d);
	c->unpacked += (int64_t)header + h->unpacked;
	c->packed += (int64_t)header + h->packed;
	return rc;
}

static glane_rc check_column(const struct parquet_column *c, struct diag *d)
{
	struct slice name;
	const char *path = c->path;
	int depth = 0;

	if (!path || strlen(path) > PATH_BYTES || !slice_is_utf8(slice_of(path)))
		return fail(d, GLANE_E_USAGE, "Parquet: a column without a proper path");
	for (; pq_path_next(&path, &name); depth++)
		if (name.n == 0)
			return fail(d, GLANE_E_USAGE, "Parquet: column '%s': an empty name", c->path);
	if (depth > PARQUET_DEPTH_MAX)
		return fail(d, GLANE_E_USAGE, "Parquet: column %s: more than %d names", c->path, PARQUET_DEPTH_MAX);
	if (c->shape != PARQUET_ONE && c->type != PARQUET_TEXT)
		return fail(d, GLANE_E_USAGE, "Parquet: column %s: lists and maps are of text only", c->path);
	if (c->hint == PARQUET_DELTA && pq_physical(c->type) != PQ_INT32 && pq_physical(c->type) != PQ_INT64)
		return fail(d, GLANE_E_USAGE, "Parquet: column %s: delta encoding is for integers only", c->path);
	return GLANE_OK;
}

/* No path is another's, or a struct and a column at once; a struct's columns stand together. */
static glane_rc check_pair(const struct parquet_column *c, size_t a, size_t b, struct diag *d)
{
	const char *p = c[a].path, *q = c[b].path;
	size_t n = 0, shared = 0;

	for (; p[n] && p[n] == q[n]; n++)
		if (p[n] == '.')
			shared = n + 1;
	if (p[n] == q[n] || (!p[n] && q[n] == '.') || (!q[n] && p[n] == '.'))
		return fail(d, GLANE_E_USAGE, "Parquet: the paths %s and %s collide", p, q);
	for (size_t i = a + 1; shared && i < b; i++)
		if (strncmp(c[i].path, p, shared) != 0)
			return fail(d, GLANE_E_USAGE, "Parquet: %s stands between columns of one struct", c[i].path);
	return GLANE_OK;
}

static glane_rc check_schema(const struct parquet_column *c, size_t n, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	if (n == 0 || n > PARQUET_COLUMNS_MAX)
		return fail(d, GLANE_E_USAGE, "Parquet: %zu columns; 1 to %d are possible", n, PARQUET_COLUMNS_MAX);
	for (size_t i = 0; i < n && rc == GLANE_OK; i++)
		rc = check_column(&c[i], d);
	for (size_t b = 0; b < n && rc == GLANE_OK; b++)
		for (size_t a = 0; a < b && rc == GLANE_OK; a++)
			rc = check_pair(c, a, b, d);
	return rc;
}

static bool copy_options(struct parquet_writer *w, const struct parquet_options *o)
{
	uint32_t *sorted;
	const char *(*meta)[2];

	if (o)
		w->o = *o;
	w->o.group_rows = w->o.group_rows ? w->o.group_rows : PARQUET_GROUP_ROWS;
	w->o.group_rows = w->o.group_rows < GROUP_ROWS_MAX ? w->o.group_rows : GROUP_ROWS_MAX;
	w->o.level = w->o.level ? w->o.level : LEVEL;
	w->o.text_bound = w->o.text_bound ? w->o.text_bound : 32;
	sorted = arena_alloc(&w->arena, (w->o.n_sorted + 1) * sizeof(*sorted));
	meta = arena_alloc(&w->arena, (w->o.n_meta + 1) * sizeof(*meta));
	if (!sorted || !meta)
		return false;
	for (size_t i = 0; i < w->o.n_sorted; i++)
		sorted[i] = w->o.sorted[i];
	for (size_t i = 0; i < w->o.n_meta; i++)
		for (int k = 0; k < 2; k++) {
			meta[i][k] = arena_strndup(&w->arena, w->o.meta[i][k], strlen(w->o.meta[i][k]));
			if (!meta[i][k])
				return false;
		}
	w->o.sorted = sorted;
	w->o.meta = (const char *const(*)[2])meta;
	return true;
}

static bool copy_schema(struct parquet_writer *w, const struct parquet_column *c, size_t n)
{
	w->column = arena_alloc(&w->arena, n * sizeof(*w->column));
	w->leaf = arena_alloc(&w->arena, 2 * n * sizeof(*w->leaf));
	w->sum = arena_alloc(&w->arena, n * sizeof(*w->sum));
	w->stats = arena_alloc(&w->arena, n * sizeof(*w->stats));
	if (!w->column || !w->leaf || !w->sum || !w->stats)
		return false;
	w->n_columns = n;
	for (size_t i = 0; i < n; i++) {
		w->column[i] = c[i];
		w->column[i].path = arena_strndup(&w->arena, c[i].path, strlen(c[i].path));
		if (!w->column[i].path)
			return false;
		if (c[i].shape == PARQUET_MAP) {
			leaf_init(&w->leaf[w->n_leaves++], &w->column[i], LEAF_KEY);
			leaf_init(&w->leaf[w->n_leaves++], &w->column[i], LEAF_MAP_VALUE);
		} else {
			leaf_init(&w->leaf[w->n_leaves++], &w->column[i],
				c[i].shape == PARQUET_LIST ? LEAF_ITEM : LEAF_VALUE);
		}
	}
	return true;
}

glane_rc parquet_writer_open(int fd, const struct parquet_column *columns, size_t n, const struct parquet_options *o,
	struct parquet_writer **ret, struct diag *d)
{
	struct parquet_writer *w;
	glane_rc rc = check_schema(columns, n, d);

	for (size_t i = 0; rc == GLANE_OK && o && i < o->n_sorted; i++)
		if (o->sorted[i] >= n || columns[o->sorted[i]].shape != PARQUET_ONE)
			rc = fail(d, GLANE_E_USAGE, "Parquet: rows cannot be sorted by column %u", o->sorted[i]);
	if (rc < 0)
		return rc;
	w = mem_zalloc(1, sizeof(*w));
	if (!w)
		return fail(d, GLANE_E_NOMEM, "Parquet: no memory for a writer");
	w->fd = fd;
	arena_init(&w->arena, 0);
	strbuf_init(&w->indexes, BUFFER_MAX);
	strbuf_init(&w->body, BUFFER_MAX);
	strbuf_init(&w->packed, BUFFER_MAX + (BUFFER_MAX >> 4));
	num_dict_init(&w->nums);
	if (copy_options(w, o) && copy_schema(w, columns, n))
		w->zst = zst_packer_new(w->o.level);
	if (!w->zst)
		rc = fail(d, GLANE_E_NOMEM, "Parquet: no memory for a writer of %zu columns", n);
	else
		rc = writer_write(w, PQ_MAGIC, 4, d);
	if (rc < 0) {
		parquet_writer_free(w);
		return rc;
	}
	*ret = w;
	return GLANE_OK;
}

void parquet_writer_free(struct parquet_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n_leaves; i++)
		leaf_release(&w->leaf[i]);
	num_dict_release(&w->nums);
	zst_packer_free(w->zst);
	strbuf_release(&w->indexes);
	strbuf_release(&w->body);
	strbuf_release(&w->packed);
	mem_free(w->group);
	mem_free(w->code);
	mem_free(w->order);
	mem_free(w->rank);
	arena_release(&w->arena);
	mem_free(w);
}

/* Every leaf of the buffered rows becomes a chunk. */
static glane_rc end_group(struct parquet_writer *w, struct diag *d)
{
	struct row_group *g;
	glane_rc rc = GLANE_OK;

	if (!mem_grow(&w->group, &w->cap_groups, w->n_groups + 1, sizeof(*w->group)))
		return fail(d, GLANE_E_NOMEM, "Parquet: no memory for a row group");
	g = &w->group[w->n_groups];
	*g = (struct row_group){.rows = (int64_t)w->group_rows, .at = (int64_t)w->at};
	g->chunk = arena_alloc(&w->arena, w->n_leaves * sizeof(*g->chunk));
	if (!g->chunk)
		return fail(d, GLANE_E_NOMEM, "Parquet: no memory for a row group");
	for (size_t i = 0; i < w->n_leaves && rc == GLANE_OK; i++) {
		rc = chunk_write(w, &w->leaf[i], &g->chunk[i], d);
		leaf_reset(&w->leaf[i]);
	}
	w->n_groups++;
	w->rows += w->group_rows;
	w->group_rows = 0;
	return rc;
}

static size_t buffered(const struct parquet_writer *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_leaves; i++)
		n += leaf_bytes(&w->leaf[i]);
	return n;
}

glane_rc parquet_writer_add(struct parquet_writer *w, const struct parquet_vector *v, size_t rows, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	if (w->is_finished)
		return fail(d, GLANE_E_USAGE, "Parquet: rows for a finished file");
	for (size_t done = 0, some; done < rows && rc == GLANE_OK; done += some) {
		some = rows - done < ADD_ROWS ? rows - done : ADD_ROWS;
		if (some > w->o.group_rows - w->group_rows)
			some = w->o.group_rows - w->group_rows;
		for (size_t i = 0; i < w->n_leaves && rc == GLANE_OK; i++)
			rc = leaf_add(&w->leaf[i], &v[w->leaf[i].column - w->column], done, some, d);
		w->group_rows += some;
		if (rc == GLANE_OK && (w->group_rows == w->o.group_rows || buffered(w) > GROUP_BYTES))
			rc = end_group(w, d);
	}
	return rc;
}

uint64_t parquet_writer_size(const struct parquet_writer *w)
{
	return w->at + buffered(w) / 4 + w->indexes.n;
}

/* Indexes, FileMetaData, its length, the magic. */
static glane_rc write_tail(struct parquet_writer *w, struct diag *d)
{
	uint64_t indexes_at = w->at;
	uint32_t n;
	glane_rc rc = writer_write(w, strbuf_get(&w->indexes).p, w->indexes.n, d);

	if (rc < 0)
		return rc;
	strbuf_reset(&w->body);
	meta_footer(&w->body, w, indexes_at);
	n = (uint32_t)w->body.n;
	strbuf_add(&w->body, &n, sizeof(n));
	strbuf_puts(&w->body, PQ_MAGIC);
	if (!strbuf_ok(&w->body))
		return fail(d, GLANE_E_NOMEM, "Parquet: no memory for the footer");
	return writer_write(w, w->body.p, w->body.n, d);
}

glane_rc parquet_writer_finish(struct parquet_writer *w, struct parquet_summary *ret, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	if (w->is_finished)
		return fail(d, GLANE_E_USAGE, "Parquet: the file is finished");
	w->is_finished = true;
	if (w->group_rows)
		rc = end_group(w, d);
	if (rc == GLANE_OK)
		rc = write_tail(w, d);
	if (rc == GLANE_OK && ret)
		*ret = (struct parquet_summary){
			.bytes = w->at, .rows = w->rows, .groups = w->n_groups, .column = w->stats};
	return rc;
}
