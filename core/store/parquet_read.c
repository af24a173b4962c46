/* SPDX-License-Identifier: MIT */
/* The reader: opening, choice of columns, batches. "File format" of parquet-format's README. */
#include "store/parquet_reader.h"

#include "base/file.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL 8 /* length of the footer, magic */

glane_rc reader_pread(const struct parquet_reader *r, uint64_t at, char *to, size_t n, struct diag *d)
{
	ssize_t got;

	if (r->bytes.p) {
		memcpy(to, r->bytes.p + at, n);
		return GLANE_OK;
	}
	got = fd_pread(r->fd, to, n, at);
	if (got < 0)
		return fail(d, GLANE_E_IO, "%s: reading at %llu: %s", r->name, (unsigned long long)at, strerror(errno));
	if ((size_t)got < n)
		return fail(d, GLANE_E_IO, "%s: the file has become shorter while it was read", r->name);
	return GLANE_OK;
}

/* "4-byte magic number "PAR1" ... File Metadata, 4-byte length in bytes of file metadata, magic". */
static glane_rc read_footer(struct parquet_reader *r, struct diag *d)
{
	char head[4], tail[TAIL];
	uint32_t n;
	glane_rc rc;

	if (r->size < 4 + TAIL)
		return fail(d, GLANE_E_FORMAT, "%s: no Parquet file: %llu bytes", r->name, (unsigned long long)r->size);
	rc = reader_pread(r, 0, head, sizeof(head), d);
	if (rc == GLANE_OK)
		rc = reader_pread(r, r->size - TAIL, tail, TAIL, d);
	if (rc < 0)
		return rc;
	if (memcmp(tail + 4, "PARE", 4) == 0)
		return fail(d, GLANE_E_FORMAT, "%s: encrypted Parquet is not supported", r->name);
	if (memcmp(head, PQ_MAGIC, 4) != 0 || memcmp(tail + 4, PQ_MAGIC, 4) != 0)
		return fail(d, GLANE_E_FORMAT, "%s: no Parquet file, or one that is cut", r->name);
	memcpy(&n, tail, sizeof(n));
	if (n > r->size - 4 - TAIL)
		return fail(d, GLANE_E_FORMAT, "%s: the footer is longer than the file", r->name);
	if (n > FOOTER_MAX)
		return fail(d, GLANE_E_LIMIT, "%s: a footer of %u bytes", r->name, n);
	r->data_end = r->size - TAIL - n;
	r->footer_bytes = mem_alloc(n + 1);
	if (!r->footer_bytes)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the footer", r->name);
	rc = reader_pread(r, r->data_end, r->footer_bytes, n, d);
	if (rc < 0)
		return rc;
	/* What the metadata becomes in memory grows with its bytes. */
	arena_init(&r->arena, ((size_t)n << 6) + ((size_t)4 << 20));
	return footer_parse(&r->footer, &r->arena, (struct slice){r->footer_bytes, n}, r->data_end, r->name, d);
}

static glane_rc open_reader(struct parquet_reader *r, struct diag *d)
{
	glane_rc rc = read_footer(r, d);

	if (rc < 0)
		return rc;
	r->zst = zst_unpacker_new();
	r->columns = arena_alloc(&r->arena, (r->footer.n_columns + 1) * sizeof(*r->columns));
	if (!r->zst || !r->columns)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for a reader", r->name);
	for (size_t i = 0; i < r->footer.n_columns; i++)
		if (!r->footer.column[i].bad)
			r->columns[r->n_columns++] = r->footer.column[i].c;
	memset(r->no_level, 0, sizeof(r->no_level));
	return GLANE_OK;
}

static glane_rc new_reader(
	int fd, struct slice bytes, uint64_t size, const char *name, struct parquet_reader **ret, struct diag *d)
{
	struct parquet_reader *r = mem_zalloc(1, sizeof(*r));
	char *copy = mem_alloc(strlen(name) + 1);
	glane_rc rc;

	if (!r || !copy) {
		mem_free(r);
		mem_free(copy);
		return fail(d, GLANE_E_NOMEM, "%s: no memory for a reader", name);
	}
	memcpy(copy, name, strlen(name) + 1);
	r->fd = fd;
	r->bytes = bytes;
	r->size = size;
	r->name = copy;
	arena_init(&r->arena, 0);
	rc = open_reader(r, d);
	if (rc < 0) {
		parquet_reader_free(r);
		return rc;
	}
	*ret = r;
	return GLANE_OK;
}

glane_rc parquet_reader_open(int fd, const char *name, struct parquet_reader **ret, struct diag *d)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(d, GLANE_E_IO, "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(d, GLANE_E_FORMAT, "%s: no regular file", name);
	return new_reader(fd, (struct slice){NULL, 0}, (uint64_t)st.st_size, name, ret, d);
}

glane_rc parquet_reader_open_bytes(struct slice bytes, const char *name, struct parquet_reader **ret, struct diag *d)
{
	bytes.p = bytes.p ? bytes.p : "";
	return new_reader(-1, bytes, bytes.n, name, ret, d);
}

void parquet_reader_free(struct parquet_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_picks; i++) {
		if (r->pick[i])
			for (int k = 0; k < 2; k++)
				cursor_free(r->pick[i]->cursor[k]);
		mem_free(r->pick[i]);
	}
	mem_free(r->pick);
	where_free(r->where);
	zst_unpacker_free(r->zst);
	arena_release(&r->arena);
	mem_free(r->footer_bytes);
	mem_free((void *)(uintptr_t)r->name);
	mem_free(r);
}

uint64_t parquet_reader_rows(const struct parquet_reader *r)
{
	return (uint64_t)r->footer.rows;
}

const struct parquet_column *parquet_reader_columns(const struct parquet_reader *r, size_t *ret_n)
{
	*ret_n = r->n_columns;
	return r->columns;
}

struct slice parquet_reader_meta(const struct parquet_reader *r, const char *key)
{
	for (size_t i = 0; i < r->footer.n_meta; i++)
		if (slice_is(r->footer.meta[i].key, key))
			return r->footer.meta[i].value.p ? r->footer.meta[i].value : SLICE("");
	return (struct slice){NULL, 0};
}

size_t parquet_reader_groups(const struct parquet_reader *r)
{
	return r->footer.n_groups;
}

uint64_t parquet_reader_group_rows(const struct parquet_reader *r, size_t group)
{
	return (uint64_t)r->footer.group[group].rows;
}

/* What each definition level of the file means in the wanted column's: the number of its steps that are there. */
static void map_levels(struct pick *p)
{
	const struct file_column *f = p->file;
	unsigned def = 0, level = 0;

	for (unsigned i = 0; i < f->steps; i++) {
		bool is_leaf = i + 1 == f->steps;

		if (f->optional[i])
			p->levels[def++] = (uint8_t)(is_leaf && !p->want->nullable ? 255 : level);
		level += !is_leaf || p->want->nullable;
	}
	p->levels[def] = (uint8_t)level;
}

static glane_rc pick_column(struct parquet_reader *r, struct pick *p, struct diag *d)
{
	const struct parquet_column *want = p->want;

	for (size_t i = 0; i < r->footer.n_columns && !p->file; i++)
		if (strcmp(r->footer.column[i].c.path, want->path) == 0)
			p->file = &r->footer.column[i];
	p->level_max = parquet_level_max(want);
	if (!p->file && !want->nullable)
		return fail(d, GLANE_E_FORMAT, "%s: there is no column %s", r->name, want->path);
	if (!p->file)
		return GLANE_OK;
	if (p->file->bad)
		return fail(d, GLANE_E_FORMAT, "%s: column %s: %s: that is not supported", r->name, want->path,
			p->file->bad);
	if (p->file->c.type != want->type || p->file->c.shape != want->shape)
		return fail(
			d, GLANE_E_FORMAT, "%s: column %s has another type than it should have", r->name, want->path);
	map_levels(p);
	for (size_t k = 0; k < (want->shape == PARQUET_MAP ? 2U : 1U); k++) {
		p->cursor[k] = cursor_new(r, p->file, k);
		if (!p->cursor[k])
			return fail(d, GLANE_E_NOMEM, "%s: no memory for column %s", r->name, want->path);
	}
	return GLANE_OK;
}

glane_rc parquet_reader_select(struct parquet_reader *r, const struct parquet_column *want, size_t n, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	if (r->pick || n == 0 || n > PARQUET_COLUMNS_MAX)
		return fail(d, GLANE_E_USAGE, "%s: a choice of %zu columns, or a second one", r->name, n);
	r->pick = mem_zalloc(n, sizeof(struct pick *));
	r->want = arena_alloc(&r->arena, n * sizeof(*r->want));
	if (!r->pick || !r->want)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for %zu columns", r->name, n);
	for (size_t i = 0; i < n && rc == GLANE_OK; i++) {
		r->want[i] = want[i];
		r->want[i].path = arena_strndup(&r->arena, want[i].path, strlen(want[i].path));
		r->pick[i] = mem_zalloc(1, sizeof(struct pick));
		r->n_picks = i + 1;
		if (!r->want[i].path || !r->pick[i])
			return fail(d, GLANE_E_NOMEM, "%s: no memory for %zu columns", r->name, n);
		r->pick[i]->want = &r->want[i];
		rc = pick_column(r, r->pick[i], d);
	}
	return rc;
}

static bool int_of(struct slice s, enum pq_type type, int64_t *ret)
{
	int32_t small;

	if (type == PQ_BOOLEAN && s.n == 1) {
		*ret = s.p[0] != 0;
	} else if (type == PQ_INT32 && s.n == 4) {
		memcpy(&small, s.p, 4);
		*ret = small;
	} else if (type == PQ_INT64 && s.n == 8) {
		memcpy(ret, s.p, 8);
	} else {
		return false;
	}
	return true;
}

static bool double_of(struct slice s, double *ret)
{
	if (s.n != 8)
		return false;
	memcpy(ret, s.p, 8);
	return !isnan(*ret);
}

void parquet_reader_stats(const struct parquet_reader *r, size_t group, size_t column, struct parquet_stats *ret)
{
	const struct pick *p = r->pick[column];
	const struct group_meta *g = &r->footer.group[group];
	const struct pq_stats *s;
	enum pq_type type = pq_physical(p->want->type);

	*ret = (struct parquet_stats){.has_nulls = !p->file};
	ret->nulls = p->file ? 0 : (uint64_t)g->rows;
	if (!p->file || p->want->shape != PARQUET_ONE)
		return;
	s = &g->chunk[p->file->leaf].stats;
	if (s->nulls >= 0 && s->nulls <= g->rows) {
		ret->has_nulls = true;
		ret->nulls = (uint64_t)s->nulls;
	}
	if (!s->min.p || !s->max.p || !r->footer.ordered || !r->footer.ordered[p->file->leaf])
		return;
	ret->min_exact = s->min_exact || type != PQ_BYTE_ARRAY;
	ret->max_exact = s->max_exact || type != PQ_BYTE_ARRAY;
	if (type == PQ_BYTE_ARRAY) {
		ret->min_text = s->min;
		ret->max_text = s->max;
		ret->has_bounds = pq_text_cmp(s->min, s->max) <= 0;
	} else if (type == PQ_DOUBLE) {
		ret->has_bounds = double_of(s->min, &ret->min_f64) && double_of(s->max, &ret->max_f64) &&
				  ret->min_f64 <= ret->max_f64;
	} else {
		ret->has_bounds = int_of(s->min, type, &ret->min_int) && int_of(s->max, type, &ret->max_int) &&
				  ret->min_int <= ret->max_int;
	}
}

void parquet_reader_filter(struct parquet_reader *r,
	bool (*keep)(const void *arg, const struct parquet_reader *r, size_t group), const void *arg)
{
	r->keep = keep;
	r->keep_arg = arg;
}

glane_rc parquet_reader_seek(struct parquet_reader *r, size_t group, struct diag *d)
{
	if (group > r->footer.n_groups)
		return fail(d, GLANE_E_USAGE, "%s: there is no row group %zu", r->name, group);
	r->next_group = group;
	r->is_open = false;
	r->group_left = 0;
	return GLANE_OK;
}

/* The open row group has ended: nothing may be left of it. */
static glane_rc close_group(struct parquet_reader *r, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; r->is_open && i < r->n_picks && rc == GLANE_OK; i++) {
		if (r->where && !where_tests(r->where, i))
			continue; /* its rows were passed over */
		for (int k = 0; k < 2 && r->pick[i]->cursor[k] && rc == GLANE_OK; k++)
			rc = cursor_close(r->pick[i]->cursor[k], d);
	}
	r->is_open = false;
	return rc;
}

glane_rc reader_open_group(struct parquet_reader *r, struct diag *d)
{
	size_t g = r->next_group;
	glane_rc rc = close_group(r, d);

	if (rc < 0)
		return rc;
	while (g < r->footer.n_groups && (r->footer.group[g].rows == 0 || (r->keep && !r->keep(r->keep_arg, r, g))))
		g++;
	r->next_group = g + (g < r->footer.n_groups);
	if (g == r->footer.n_groups)
		return GLANE_END;
	for (size_t i = 0; i < r->n_picks && rc == GLANE_OK; i++)
		for (size_t k = 0; k < 2 && r->pick[i]->cursor[k] && rc == GLANE_OK; k++)
			rc = cursor_open(
				r->pick[i]->cursor[k], &r->footer.group[g].chunk[r->pick[i]->file->leaf + k], d);
	if (rc < 0)
		return rc;
	r->group = g;
	r->group_left = (uint64_t)r->footer.group[g].rows;
	r->is_open = true;
	return GLANE_OK;
}

/* Rows until a page of any column ends: texts point into pages, so that no batch spans two. */
static glane_rc batch_rows(struct parquet_reader *r, size_t *ret, struct diag *d)
{
	uint64_t n = r->group_left < PARQUET_BATCH ? r->group_left : PARQUET_BATCH;

	for (size_t i = 0; i < r->n_picks; i++)
		for (size_t k = 0; k < 2 && r->pick[i]->cursor[k]; k++) {
			struct cursor *c = r->pick[i]->cursor[k];
			glane_rc rc = cursor_page(c, d);
			uint64_t have = c->is_list ? c->rows_left : c->page_left;

			if (rc < 0)
				return rc;
			n = have < n ? have : n;
		}
	*ret = (size_t)n;
	return GLANE_OK;
}

void reader_no_column(struct parquet_reader *r, struct parquet_vector *v)
{
	*v = (struct parquet_vector){.level = r->no_level,
		.text = r->no_text,
		.i32 = (const int32_t *)(const void *)r->no_num,
		.i64 = r->no_num,
		.f64 = (const double *)(const void *)r->no_num,
		.flag = (const uint8_t *)(const void *)r->no_num,
		.offset = r->no_offset,
		.value = r->no_text,
		.same = true};
}

glane_rc parquet_reader_next(struct parquet_reader *r, struct parquet_vector *v, size_t *ret_rows, struct diag *d)
{
	size_t n = 0;
	glane_rc rc;

	if (!r->pick)
		return fail(d, GLANE_E_USAGE, "%s: no columns were chosen", r->name);
	if (r->where)
		return where_next(r, v, ret_rows, d);
	if (!r->is_open || r->group_left == 0) {
		rc = reader_open_group(r, d);
		if (rc != GLANE_OK)
			return rc;
	}
	rc = batch_rows(r, &n, d);
	for (size_t i = 0; i < r->n_picks && rc == GLANE_OK; i++) {
		if (!r->pick[i]->file)
			reader_no_column(r, &v[i]);
		else if (r->pick[i]->want->shape == PARQUET_ONE)
			rc = pick_flat(r->pick[i], n, &v[i], d);
		else
			rc = pick_rows(r->pick[i], n, &v[i], d);
	}
	if (rc < 0)
		return rc;
	r->group_left -= n;
	*ret_rows = n;
	return GLANE_OK;
}

size_t parquet_reader_group(const struct parquet_reader *r)
{
	return r->group;
}
