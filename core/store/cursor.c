/* SPDX-License-Identifier: MIT */
/* Rows of one commit, read through a window that holds one record and a block. */
#include "base/file.h"
#include "store/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)256 << 10)

void row_key(struct strbuf *b, const struct row *r)
{
	const struct slice parts[] = {
		r->source, r->dataset, r->indicator, r->area_code, r->dims, {&r->freq, 1}, r->period};

	strbuf_reset(b);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		strbuf_slice(b, parts[i]);
		strbuf_putc(b, '\0');
	}
}

static glane_rc damaged(const struct store_cursor *c, struct diag *d, const char *what)
{
	return fail(d, GLANE_E_IO, "%s:%llu: %s; the store is damaged: `glane check --store` lists what is", c->name,
		(unsigned long long)c->line, what);
}

/* Moves what is left to the front and reads a block behind it. */
static glane_rc fill(struct store_cursor *c, struct diag *d)
{
	struct strbuf *b = &c->buf;
	ssize_t got;
	char *to;

	if (c->pos) {
		memmove(b->p, b->p + c->pos, b->n - c->pos);
		b->n -= c->pos;
		c->pos = 0;
	}
	if (b->n > STORE_RECORD_MAX) {
		c->eof = true;
		c->pos = b->n;
		return damaged(c, d, "a row without an end");
	}
	to = strbuf_room(b, BLOCK);
	if (!to)
		return fail(d, GLANE_E_NOMEM, "%s: no memory to read it", c->name);
	do {
		got = read(c->fd, to, BLOCK);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail(d, GLANE_E_IO, "%s: cannot read: %s", c->name, strerror(errno));
	c->eof = got == 0;
	b->n += (size_t)got;
	return GLANE_OK;
}

static size_t count(const char *p, size_t n, char what)
{
	size_t found = 0;

	for (const char *end = p + n; (p = memchr(p, what, (size_t)(end - p))); p++)
		found++;
	return found;
}

/* Length of the first record with its LF; 0: its end is not in these bytes. An LF ends it outside quotes only. */
static size_t record_length(const char *p, size_t n, uint64_t *ret_lines)
{
	size_t at = 0, quotes = 0;
	uint64_t lines = 0;

	while (at < n) {
		const char *lf = memchr(p + at, '\n', n - at);

		if (!lf)
			return 0;
		quotes += count(p + at, (size_t)(lf - p) - at, '"');
		at = (size_t)(lf - p) + 1;
		lines++;
		if (quotes % 2 == 0) {
			*ret_lines = lines;
			return at;
		}
	}
	return 0;
}

static glane_rc next_record(struct store_cursor *c, struct slice *ret, struct diag *d)
{
	uint64_t lines = 0;
	glane_rc rc;
	size_t n;

	c->line = c->lines + 1;
	for (;;) {
		n = c->buf.n > c->pos ? record_length(c->buf.p + c->pos, c->buf.n - c->pos, &lines) : 0;
		if (n)
			break;
		if (c->eof)
			break;
		rc = fill(c, d);
		if (rc < 0)
			return rc;
	}
	if (!n && c->buf.n == c->pos)
		return GLANE_END;
	if (!n) {
		c->pos = c->buf.n;
		return damaged(c, d, "the file ends within a row");
	}
	*ret = (struct slice){c->buf.p + c->pos, n};
	c->pos += n;
	c->lines += lines;
	return GLANE_OK;
}

static glane_rc check_header(struct store_cursor *c, struct diag *d)
{
	struct slice record = {NULL, 0};
	glane_rc rc = next_record(c, &record, d);

	if (rc == GLANE_END)
		return damaged(c, d, "the file is empty");
	if (rc < 0)
		return rc;
	strbuf_reset(&c->scratch);
	row_csv_header(&c->scratch, ROW_COLUMNS_ALL);
	if (!strbuf_ok(&c->scratch))
		return fail(d, GLANE_E_NOMEM, "%s: no memory to read it", c->name);
	if (!slice_eq(record, strbuf_get(&c->scratch)))
		return damaged(c, d, "not the columns of a row file");
	return GLANE_OK;
}

/* A file that was cut at the end of a row looks whole: its size stands in the state. */
static glane_rc check_size(const struct store *s, const struct store_cursor *c, uint64_t n, struct diag *d)
{
	struct stat st;
	json_t *state = NULL;
	int64_t bytes;
	glane_rc rc = store_state(s, c->source, n, &state, d);

	if (rc < 0)
		return rc;
	bytes = json_int(json_object_get(state, "row_file"), "bytes", -1);
	json_decref(state);
	if (fstat(c->fd, &st) < 0)
		return fail(d, GLANE_E_IO, "%s: cannot ask for its size: %s", c->name, strerror(errno));
	if (st.st_size != bytes)
		return fail(d, GLANE_E_IO,
			"%s: %lld bytes, where the commit wrote %lld; the store is damaged: `glane check --store` "
			"lists what is",
			c->name, (long long)st.st_size, (long long)bytes);
	return GLANE_OK;
}

static glane_rc cursor_open(const struct store *s, uint64_t n, bool whole, struct store_cursor *c, struct diag *d)
{
	char name[STORE_NAME];
	glane_rc rc = rows_name(c->source, n, name, d);

	if (rc < 0)
		return rc;
	memcpy(c->name, name, sizeof(name));
	c->fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (c->fd < 0)
		return fail(d, GLANE_E_IO, "%s/%s: cannot open: %s", s->path, name, strerror(errno));
	(void)posix_fadvise(c->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (whole)
		rc = check_size(s, c, n, d);
	return rc < 0 ? rc : check_header(c, d);
}

glane_rc rows_open(
	const struct store *s, const char *source, uint64_t n, bool whole, struct store_cursor *c, struct diag *d)
{
	struct store_cursor made = {.fd = -1};
	glane_rc rc;

	strbuf_init(&made.buf, STORE_RECORD_MAX + 2 * BLOCK);
	strbuf_init(&made.scratch, STORE_RECORD_MAX + BLOCK);
	strbuf_init(&made.last, STORE_RECORD_MAX + BLOCK);
	strbuf_init(&made.key, STORE_RECORD_MAX + BLOCK);
	(void)snprintf(made.source, sizeof(made.source), "%s", source);
	rc = strlen(source) < sizeof(made.source) ? cursor_open(s, n, whole, &made, d)
						  : fail(d, GLANE_E_USAGE, "'%s' is no name of a source", source);
	if (rc < 0)
		store_rows_close(&made);
	else
		*c = made;
	return rc;
}

glane_rc store_rows_open(const struct store *s, const char *source, uint64_t n, struct store_cursor *c, struct diag *d)
{
	return rows_open(s, source, n, true, c, d);
}

/* Keeps the key of this row, in place of the last one's. */
static glane_rc check_order(struct store_cursor *c, const struct row *r, struct diag *d)
{
	struct strbuf before = c->last;

	row_key(&c->key, r);
	if (!strbuf_ok(&c->key))
		return fail(d, GLANE_E_NOMEM, "%s: no memory to read it", c->name);
	c->last = c->key;
	c->key = before;
	if (before.n && slice_cmp(strbuf_get(&before), strbuf_get(&c->last)) >= 0)
		return damaged(c, d, "a row out of order");
	return GLANE_OK;
}

glane_rc store_rows_next(struct store_cursor *c, struct row *ret, struct diag *d)
{
	struct diag own = {0};
	struct slice record = {NULL, 0};
	struct row row;
	glane_rc rc = next_record(c, &record, d);

	if (rc)
		return rc;
	rc = row_parse_csv((struct slice){record.p, record.n - 1}, ROW_COLUMNS_ALL, &c->scratch, &row, &own);
	if (rc == GLANE_E_NOMEM)
		return fail(d, rc, "%s: no memory to read it", c->name);
	if (rc < 0)
		return damaged(c, d, own.text);
	if (!slice_is(row.source, c->source))
		return damaged(c, d, "a row of another source");
	rc = check_order(c, &row, d);
	if (rc < 0)
		return rc;
	c->raw = record;
	*ret = row;
	return GLANE_OK;
}

void store_rows_close(struct store_cursor *c)
{
	fd_close(&c->fd);
	strbuf_release(&c->buf);
	strbuf_release(&c->scratch);
	strbuf_release(&c->last);
	strbuf_release(&c->key);
	c->raw = (struct slice){NULL, 0};
}
