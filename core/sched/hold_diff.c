/* SPDX-License-Identifier: MIT */
/* The file with the diff of what is held: written in one pass, read block by block. */
#include "sched/hold_diff.h"

#include "base/file.h"
#include "base/io.h"
#include "sched/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BLOCK ((size_t)1 << 20)
#define BLOCK_MAX ((int64_t)64 << 20)
#define LEVEL 3

/* ---- writing ---- */

static glane_rc no_memory(struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "no memory for the diff of what is held");
}

glane_rc hold_writer_open(struct hold_writer *w, int dir, const char *name, struct diag *d)
{
	*w = (struct hold_writer){.fd = -1, .zst = zst_packer_new(LEVEL), .blocks = json_array()};
	strbuf_init(&w->text, 0);
	strbuf_init(&w->packed, 0);
	if (!w->zst || !w->blocks || !sha256_init(&w->sum))
		return no_memory(d);
	(void)io->unlinkat(dir, name, 0);
	w->fd = io->openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return w->fd >= 0 ? GLANE_OK : fail(d, GLANE_E_IO, "%s: cannot create: %s", name, strerror(errno));
}

static glane_rc flush(struct hold_writer *w, struct diag *d)
{
	const struct slice text = strbuf_get(&w->text);
	char *to;
	size_t n;
	glane_rc rc;

	if (!strbuf_ok(&w->text))
		return no_memory(d);
	if (text.n == 0)
		return GLANE_OK;
	strbuf_reset(&w->packed);
	to = strbuf_room(&w->packed, zst_bound(text.n));
	if (!to)
		return no_memory(d);
	rc = zst_pack(w->zst, text, to, zst_bound(text.n), &n, d);
	if (rc == GLANE_OK &&
		(!sha256_add(&w->sum, to, n) ||
			json_array_append_new(w->blocks, json_pack("[I,I]", (json_int_t)n, (json_int_t)text.n)) != 0))
		rc = no_memory(d);
	if (rc == GLANE_OK)
		rc = fd_write(w->fd, to, n, d);
	w->bytes += n;
	strbuf_reset(&w->text);
	return rc;
}

glane_rc hold_writer_put(struct hold_writer *w, const struct diff_event *e, struct diag *d)
{
	struct strbuf *b = &w->text;

	w->events++;
	row_ndjson(b, &e->row, ROW_COLUMNS_ALL);
	if (strbuf_ok(b))
		b->n -= 2; /* "}\n" */
	strbuf_puts(b, ",\"old\":");
	if (e->old)
		row_ndjson(b, e->old, ROW_COLUMNS);
	else
		strbuf_puts(b, "null\n");
	if (strbuf_ok(b))
		b->n--;
	strbuf_puts(b, "}\n");
	return b->n >= BLOCK || !strbuf_ok(b) ? flush(w, d) : GLANE_OK;
}

glane_rc hold_writer_finish(struct hold_writer *w, json_t *run, struct diag *d)
{
	char sha256[SHA256_HEX];
	glane_rc rc = flush(w, d);

	if (rc == GLANE_OK)
		rc = fd_sync(w->fd, "the diff of what is held", d);
	if (rc != GLANE_OK)
		return rc;
	if (!sha256_end(&w->sum, sha256) || !json_set_text(run, "sha256", sha256) ||
		!json_set_int(run, "bytes", (int64_t)w->bytes) || !json_set_int(run, "events", (int64_t)w->events) ||
		json_object_set(run, "blocks", w->blocks) != 0)
		return no_memory(d);
	return GLANE_OK;
}

void hold_writer_close(struct hold_writer *w)
{
	fd_close(&w->fd);
	zst_packer_free(w->zst);
	sha256_release(&w->sum);
	strbuf_release(&w->text);
	strbuf_release(&w->packed);
	json_decref(w->blocks);
	*w = (struct hold_writer){.fd = -1};
}

/* ---- reading ---- */

struct reader {
	int fd;
	off_t at;
	struct zst_unpacker *zst;
	struct strbuf packed, text;
};

static glane_rc damaged(const char *path, struct diag *d)
{
	return fail(d, GLANE_E_IO, "%s is damaged (glane check --store says more)", path);
}

/* The next block's lines in r->text, which ends with a line end. */
static glane_rc read_block(struct reader *r, const json_t *block, const char *path, struct diag *d)
{
	const int64_t packed = json_integer_value(json_array_get(block, 0));
	const int64_t n = json_integer_value(json_array_get(block, 1));
	char *from, *to;

	if (packed <= 0 || n <= 0 || packed > BLOCK_MAX || n > BLOCK_MAX || !zst_plausible((size_t)packed, (size_t)n))
		return damaged(path, d);
	strbuf_reset(&r->packed);
	strbuf_reset(&r->text);
	from = strbuf_room(&r->packed, (size_t)packed);
	to = strbuf_room(&r->text, (size_t)n);
	if (!from || !to)
		return fail(d, GLANE_E_NOMEM, "%s: no memory to read it", path);
	if (pread(r->fd, from, (size_t)packed, r->at) != packed ||
		zst_unpack(r->zst, (struct slice){from, (size_t)packed}, to, (size_t)n, NULL) != GLANE_OK ||
		to[n - 1] != '\n')
		return damaged(path, d);
	r->at += packed;
	r->text.n = (size_t)n;
	return GLANE_OK;
}

static glane_rc give_lines(
	struct reader *r, glane_rc (*each)(void *arg, const char *line, struct diag *d), void *arg, struct diag *d)
{
	char *at = r->text.p, *end = at + r->text.n;
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK && at < end) {
		char *stop = memchr(at, '\n', (size_t)(end - at));

		*stop = '\0';
		rc = each(arg, at, d);
		at = stop + 1;
	}
	return rc;
}

glane_rc hold_diff_read(const struct store *s, const char *source, const json_t *run,
	glane_rc (*each)(void *arg, const char *line, struct diag *d), void *arg, struct diag *d)
{
	const json_t *blocks = json_object_get(run, "blocks");
	struct reader r = {.zst = zst_unpacker_new()};
	char path[HOLD_FILE], sha256[SHA256_HEX];
	glane_rc rc = GLANE_OK;

	hold_path(source, json_text(run, "file", ""), path);
	strbuf_init(&r.packed, 0);
	strbuf_init(&r.text, 0);
	r.fd = openat(s->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (r.fd < 0)
		rc = fail(d, GLANE_E_IO, "%s/%s: %s", s->path, path, strerror(errno));
	else if (!r.zst)
		rc = fail(d, GLANE_E_NOMEM, "%s: no memory to read it", path);
	if (rc == GLANE_OK)
		rc = sha256_fd(r.fd, sha256, d);
	if (rc == GLANE_OK && strcmp(sha256, json_text(run, "sha256", "")) != 0)
		rc = damaged(path, d);
	for (size_t i = 0; rc == GLANE_OK && i < json_array_size(blocks); i++) {
		rc = read_block(&r, json_array_get(blocks, i), path, d);
		if (rc == GLANE_OK)
			rc = give_lines(&r, each, arg, d);
	}
	fd_close(&r.fd);
	zst_unpacker_free(r.zst);
	strbuf_release(&r.packed);
	strbuf_release(&r.text);
	return rc == GLANE_END ? GLANE_OK : rc;
}
