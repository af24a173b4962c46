/* SPDX-License-Identifier: MIT */
/* Records of a Parquet file, one after the other; every cell is checked before it is believed. */
#include "base/file.h"
#include "model/period.h"
#include "model/status.h"
#include "store/files.h"
#include "store/record.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static glane_rc damaged(const struct record_reader *r, struct diag *d, const char *what)
{
	return fail(d, GLANE_E_IO, "%s: %s; the store is damaged: `glane check --store` lists what is", r->name, what);
}

static glane_rc pass(const struct record_reader *r, glane_rc rc, const struct diag *own, struct diag *d)
{
	if (rc == GLANE_E_NOMEM)
		return fail(d, rc, "%s: no memory to read it", r->name);
	return damaged(r, d, own->text);
}

static glane_rc check_size(const struct record_reader *r, const struct delta_file *f, struct diag *d)
{
	struct stat st;
	char text[96];

	if (fstat(r->fd, &st) < 0)
		return fail(d, GLANE_E_IO, "%s: cannot ask for its size: %s", r->name, strerror(errno));
	if (st.st_size == f->bytes)
		return GLANE_OK;
	(void)snprintf(text, sizeof(text), "%lld bytes, where the commit wrote %lld", (long long)st.st_size,
		(long long)f->bytes);
	return damaged(r, d, text);
}

glane_rc record_reader_open(struct record_reader *r, int table, int dir, const struct delta_file *f, struct diag *d)
{
	const struct delta_schema *s = &lake_schemas[table];
	struct diag own = {0};
	char path[DELTA_NAME];
	glane_rc rc;

	*r = (struct record_reader){.table = table, .fd = -1};
	strbuf_init(&r->scratch, 0);
	(void)snprintf(path, sizeof(path), "%.*s", SLICE_FMT(f->path));
	(void)snprintf(r->name, sizeof(r->name), "%s/%s", s->name, path);
	r->fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (r->fd < 0)
		return fail(d, GLANE_E_IO,
			"%s: cannot open: %s; the store is damaged: `glane check --store` lists what is", r->name,
			strerror(errno));
	rc = check_size(r, f, d);
	if (rc == GLANE_OK) {
		rc = parquet_reader_open(r->fd, path, &r->parquet, &own);
		if (rc == GLANE_OK)
			rc = parquet_reader_select(r->parquet, s->columns, s->n, &own);
		if (rc < 0)
			rc = pass(r, rc, &own, d);
	}
	if (rc < 0)
		record_reader_close(r);
	return rc;
}

static bool letter_ok(const struct record_reader *r, const struct record_field *f, char c)
{
	return r->table != LAKE_SERIES && f->offset == offsetof(struct row, status) ? status_ok(c) : period_freq_ok(c);
}

static bool is_null(const struct parquet_vector *v, size_t at)
{
	return v->level && v->level[at] == 0;
}

/* Everything but the value, which needs its neighbours. False: what stands there cannot be. */
static bool take_cell(const struct record_reader *r, size_t i, void *record)
{
	const struct record_field *f = &record_fields[r->table][i];
	const struct parquet_vector *v = &r->v[i];
	char *member = (char *)record + f->offset;
	struct slice text = SLICE("");
	int32_t i32 = -1;
	int64_t i64;

	switch (f->kind) {
	case RECORD_TEXT:
		if (!is_null(v, r->at))
			text = v->text[r->at];
		memcpy(member, &text, sizeof(text));
		return true;
	case RECORD_LETTER:
		text = v->text[r->at];
		*member = text.n == 1 ? text.p[0] : '\0';
		return text.n == 1 && letter_ok(r, f, text.p[0]);
	case RECORD_INT:
	case RECORD_PLACES:
		if (!is_null(v, r->at))
			i32 = v->i32[r->at];
		memcpy(member, &i32, sizeof(i32));
		return f->kind == RECORD_INT || is_null(v, r->at) || i32 >= 0;
	case RECORD_DAY:
		i64 = v->i32[r->at];
		break;
	case RECORD_MOMENT:
		i64 = v->i64[r->at] / 1000000;
		break;
	case RECORD_COUNT:
		i64 = v->i64[r->at];
		break;
	case RECORD_VALUE:
	default:
		return true;
	}
	memcpy(member, &i64, sizeof(i64));
	return true;
}

static bool is_event(struct slice s)
{
	return slice_is(s, "new") || slice_is(s, "revised") || slice_is(s, "status") || slice_is(s, "withdrawn") ||
	       slice_is(s, "restored");
}

#define VALUE_COLUMN 9

static glane_rc take_value(struct record_reader *r, struct row *row, struct diag *d)
{
	const struct parquet_vector *v = &r->v[VALUE_COLUMN];

	row->value = SLICE("");
	if (!is_event(row->event))
		return damaged(r, d, "column event: a word that is none");
	if (is_null(v, r->at) != (row->decimals < 0))
		return damaged(r, d, "columns value and decimals: one is null, the other is not");
	if (is_null(v, r->at))
		return GLANE_OK;
	strbuf_reset(&r->scratch);
	record_value(&r->scratch, v->f64[r->at], row->decimals, row->value_text);
	if (!strbuf_ok(&r->scratch))
		return fail(d, GLANE_E_NOMEM, "%s: no memory to read it", r->name);
	row->value = strbuf_get(&r->scratch);
	return row->value.n ? GLANE_OK : damaged(r, d, "column value: no number that can stand there");
}

static glane_rc bad_cell(const struct record_reader *r, size_t column, struct diag *d)
{
	char text[96];

	(void)snprintf(
		text, sizeof(text), "column %s: what cannot stand there", lake_schemas[r->table].columns[column].path);
	return damaged(r, d, text);
}

/* Most columns of a batch are one run: their cells are taken and checked once. */
static glane_rc next_batch(struct record_reader *r, struct diag *d)
{
	struct diag own = {0};
	glane_rc rc = parquet_reader_next(r->parquet, r->v, &r->rows, &own);

	r->at = r->n_varying = 0;
	if (rc < 0)
		rc = pass(r, rc, &own, d);
	if (rc != GLANE_OK) {
		r->rows = 0;
		return rc;
	}
	for (size_t i = 0; r->rows && i < lake_schemas[r->table].n; i++) {
		if (!r->v[i].same)
			r->varying[r->n_varying++] = (uint8_t)i;
		else if (!take_cell(r, i, &r->same))
			return bad_cell(r, i, d);
	}
	return GLANE_OK;
}

glane_rc record_reader_next(struct record_reader *r, void *ret, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	while (r->at == r->rows) {
		rc = next_batch(r, d);
		if (rc != GLANE_OK)
			return rc;
	}
	if (r->table == LAKE_SERIES)
		memcpy(ret, &r->same.series, sizeof(r->same.series));
	else
		memcpy(ret, &r->same.row, sizeof(r->same.row));
	for (size_t i = 0; i < r->n_varying; i++) {
		if (!take_cell(r, r->varying[i], ret))
			return bad_cell(r, r->varying[i], d);
	}
	if (r->table != LAKE_SERIES)
		rc = take_value(r, ret, d);
	r->at++;
	return rc;
}

void record_reader_close(struct record_reader *r)
{
	parquet_reader_free(r->parquet);
	fd_close(&r->fd);
	strbuf_release(&r->scratch);
	r->parquet = NULL;
	r->rows = r->at = 0;
}
