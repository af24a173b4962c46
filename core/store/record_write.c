/* SPDX-License-Identifier: MIT */
/* Records into a Parquet file: batches of columns, whose texts are copied only where they differ from the row before. */
#include "base/file.h"
#include "base/io.h"
#include "model/decimal.h"
#include "store/files.h"
#include "store/record.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH 1024

struct cells { /* one column of a batch */
	uint8_t level[BATCH];
	union {
		struct slice text[BATCH];
		int32_t i32[BATCH];
		int64_t i64[BATCH];
		double f64[BATCH];
	} v;
};
struct record_batch {
	struct cells cells[RECORD_COLUMNS_MAX];
	size_t n, bytes; /* rows; bytes of text */
	struct arena texts;
	struct strbuf scratch;
};

/* SHA-256 goes along with the bytes. */
static glane_rc write_bytes(void *arg, const void *p, size_t n, struct diag *d)
{
	struct record_writer *w = arg;

	if (!sha256_add(&w->hash, p, n))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for its hash", w->name);
	return fd_write(w->fd, p, n, d);
}

static int create(int dir, const char *name)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = io->openat(dir, name, flags, 0644);

	if (fd < 0 && errno == EEXIST && io->unlinkat(dir, name, 0) == 0)
		fd = io->openat(dir, name, flags, 0644);
	return fd;
}

glane_rc record_writer_open(struct record_writer *w, int table, int dir, const char *name, struct diag *d)
{
	static const uint32_t sorted[] = {0, 1, 2, 4, 5, 6, 7}; /* the key; of a series all but the period */
	const struct delta_schema *s = &lake_schemas[table];
	/* A commit writes one file of each table at once: those of which little is read buffer fewer rows. */
	const struct parquet_options o = {
		.group_rows = table == LAKE_CURRENT ? PARQUET_GROUP_ROWS : PARQUET_GROUP_ROWS / 4,
		.level = 5, /* no larger than what other writers make of the same rows */
		.sorted = sorted,
		.n_sorted = table == LAKE_SERIES ? 6 : 7,
		.write = write_bytes,
		.write_arg = w};
	glane_rc rc;

	*w = (struct record_writer){.table = table, .fd = -1};
	(void)snprintf(w->name, sizeof(w->name), "%s", name);
	w->batch = mem_alloc(sizeof(*w->batch));
	if (w->batch) {
		w->batch->n = w->batch->bytes = 0;
		arena_init(&w->batch->texts, 0);
		strbuf_init(&w->batch->scratch, 0);
	}
	if (!w->batch || !sha256_init(&w->hash)) {
		record_writer_close(w);
		return fail(d, GLANE_E_NOMEM, "%s: no memory to write it", name);
	}
	w->fd = create(dir, name);
	if (w->fd < 0)
		rc = fail(d, GLANE_E_IO, "%s: cannot create: %s", name, strerror(errno));
	else
		rc = parquet_writer_open(w->fd, s->columns, s->n, &o, &w->parquet, d);
	if (rc < 0)
		record_writer_close(w);
	return rc;
}

static glane_rc flush(struct record_writer *w, struct diag *d)
{
	const struct delta_schema *s = &lake_schemas[w->table];
	struct parquet_vector v[RECORD_COLUMNS_MAX] = {{.level = NULL}};
	struct record_batch *b = w->batch;
	glane_rc rc;

	if (b->n == 0)
		return GLANE_OK;
	for (size_t c = 0; c < s->n; c++) {
		if (s->columns[c].nullable)
			v[c].level = b->cells[c].level;
		v[c].text = b->cells[c].v.text;
		v[c].i32 = b->cells[c].v.i32;
		v[c].i64 = b->cells[c].v.i64;
		v[c].f64 = b->cells[c].v.f64;
	}
	rc = parquet_writer_add(w->parquet, v, b->n, d);
	arena_release(&b->texts);
	b->n = b->bytes = 0;
	return rc < 0 && rc != GLANE_E_NOMEM ? diag_prefix(d, "%s", w->name) : rc;
}

glane_rc record_writer_copy(
	struct record_writer *w, const struct record_reader *r, size_t from, size_t n, struct diag *d)
{
	struct parquet_vector v[RECORD_COLUMNS_MAX];
	glane_rc rc = flush(w, d);

	if (rc < 0)
		return rc;
	for (size_t c = 0; c < lake_schemas[w->table].n; c++) {
		v[c] = r->v[c];
		v[c].level = v[c].level ? v[c].level + from : NULL;
		v[c].text = v[c].text ? v[c].text + from : NULL;
		v[c].i32 = v[c].i32 ? v[c].i32 + from : NULL;
		v[c].i64 = v[c].i64 ? v[c].i64 + from : NULL;
		v[c].f64 = v[c].f64 ? v[c].f64 + from : NULL;
		v[c].code = v[c].code ? v[c].code + from : NULL;
	}
	w->rows += n;
	rc = parquet_writer_add(w->parquet, v, n, d);
	return rc < 0 && rc != GLANE_E_NOMEM ? diag_prefix(d, "%s", w->name) : rc;
}

static bool put_text(struct record_batch *b, struct cells *c, struct slice s)
{
	c->level[b->n] = s.n > 0;
	if (b->n && slice_eq(c->v.text[b->n - 1], s)) {
		c->v.text[b->n] = c->v.text[b->n - 1];
		return true;
	}
	c->v.text[b->n] = SLICE("");
	if (s.n == 0)
		return true;
	b->bytes += s.n;
	return arena_dup(&b->texts, s, &c->v.text[b->n]);
}

/* What would come back as another number is never written. */
static glane_rc put_value(struct record_writer *w, struct cells *c, const struct row *r, struct diag *d)
{
	struct record_batch *b = w->batch;
	double value = 0;

	c->level[b->n] = r->value.n > 0;
	c->v.f64[b->n] = 0;
	if (r->value.n == 0)
		return GLANE_OK;
	value = decimal_text_double(r->value);
	c->v.f64[b->n] = value;
	strbuf_reset(&b->scratch);
	record_value(&b->scratch, value, r->decimals, r->value_text);
	if (!strbuf_ok(&b->scratch))
		return fail(d, GLANE_E_NOMEM, "%s: no memory to write it", w->name);
	if (!slice_eq(strbuf_get(&b->scratch), r->value))
		return fail(d, GLANE_E_DATA, "%.*s %.*s %.*s: the number %.*s would come back as %.*s",
			SLICE_FMT(r->indicator), SLICE_FMT(r->area_code), SLICE_FMT(r->period), SLICE_FMT(r->value),
			SLICE_FMT(strbuf_get(&b->scratch)));
	return GLANE_OK;
}

static glane_rc put_cell(struct record_writer *w, size_t i, const void *record, struct diag *d)
{
	const struct record_field *f = &record_fields[w->table][i];
	const char *member = (const char *)record + f->offset;
	struct record_batch *b = w->batch;
	struct cells *c = &b->cells[i];
	struct slice text;
	bool ok = true;

	switch (f->kind) {
	case RECORD_TEXT:
		memcpy(&text, member, sizeof(text));
		ok = put_text(b, c, text);
		break;
	case RECORD_LETTER:
		ok = put_text(b, c, (struct slice){member, 1});
		break;
	case RECORD_VALUE:
		return put_value(w, c, record, d);
	case RECORD_INT:
	case RECORD_PLACES:
		memcpy(&c->v.i32[b->n], member, sizeof(int32_t));
		c->level[b->n] = f->kind == RECORD_INT || c->v.i32[b->n] >= 0;
		break;
	case RECORD_DAY: {
		int64_t day;

		memcpy(&day, member, sizeof(day));
		c->v.i32[b->n] = (int32_t)day;
		break;
	}
	case RECORD_MOMENT:
	case RECORD_COUNT:
		memcpy(&c->v.i64[b->n], member, sizeof(int64_t));
		if (f->kind == RECORD_MOMENT)
			c->v.i64[b->n] *= 1000000;
		break;
	}
	return ok ? GLANE_OK : fail(d, GLANE_E_NOMEM, "%s: no memory to write it", w->name);
}

glane_rc record_writer_put(struct record_writer *w, const void *record, struct diag *d)
{
	const struct delta_schema *s = &lake_schemas[w->table];
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < s->n; i++)
		rc = put_cell(w, i, record, d);
	if (rc < 0)
		return rc;
	w->batch->n++;
	w->rows++;
	return w->batch->n == BATCH || w->batch->bytes > ((size_t)4 << 20) ? flush(w, d) : GLANE_OK;
}

static glane_rc describe(struct record_writer *w, const struct parquet_summary *sum, struct arena *a,
	struct delta_file *ret, struct diag *d)
{
	char hex[SHA256_HEX];
	struct strbuf b;
	bool ok;

	strbuf_init(&b, 0);
	record_stats(&b, w->table, sum);
	ok = sha256_end(&w->hash, hex) && strbuf_ok(&b) && arena_dup(a, strbuf_get(&b), &ret->stats) &&
	     arena_dup(a, slice_of(hex), &ret->sha256);
	strbuf_release(&b);
	ret->bytes = (int64_t)sum->bytes;
	ret->rows = sum->rows;
	return ok ? GLANE_OK : fail(d, GLANE_E_NOMEM, "%s: no memory to describe it", w->name);
}

glane_rc record_writer_finish(struct record_writer *w, struct arena *a, struct delta_file *ret, struct diag *d)
{
	struct parquet_summary sum;
	struct stat st;
	glane_rc rc = flush(w, d);

	if (rc == GLANE_OK)
		rc = parquet_writer_finish(w->parquet, &sum, d);
	/* Data files never change, so nobody may write to them; who may read follows the umask. */
	if (rc == GLANE_OK && (fstat(w->fd, &st) < 0 || io->fchmod(w->fd, st.st_mode & 0444) < 0))
		rc = fail(d, GLANE_E_IO, "%s: cannot set its mode: %s", w->name, strerror(errno));
	if (rc == GLANE_OK)
		rc = fd_sync(w->fd, w->name, d);
	return rc == GLANE_OK ? describe(w, &sum, a, ret, d) : rc;
}

void record_writer_close(struct record_writer *w)
{
	parquet_writer_free(w->parquet);
	if (w->batch) {
		arena_release(&w->batch->texts);
		strbuf_release(&w->batch->scratch);
		sha256_release(&w->hash);
		fd_close(&w->fd);
	}
	mem_free(w->batch);
	*w = (struct record_writer){.fd = -1};
}
