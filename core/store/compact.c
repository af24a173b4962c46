/* SPDX-License-Identifier: MIT */
/* Upkeep of the stream: many small files of a source become one, so that reading as of a moment opens few. */
#include "store/events.h"
#include "store/files.h"
#include <stdlib.h>

static int by_bytes(const void *a, const void *b)
{
	const struct delta_file *x = a, *y = b;

	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* The smallest ones, up to one that is larger than all of them together: each event is rewritten a few times only, however
 * long the history. No more than `left` bytes of them. */
static size_t choose(struct delta_file *files, size_t n, int64_t left, int64_t *ret_bytes)
{
	int64_t sum = 0;
	size_t i;

	qsort(files, n, sizeof(*files), by_bytes);
	for (i = 0; i < n; i++) {
		if (files[i].bytes > left - sum || (i >= LAKE_STREAM_FILES / 2 && files[i].bytes > sum))
			break;
		sum += files[i].bytes;
	}
	*ret_bytes = sum;
	return i;
}

static glane_rc copy(const struct store *s, struct change *c, const struct delta_file *files, size_t n, struct diag *d)
{
	struct record_writer w;
	char name[DELTA_NAME];
	const struct row *row;
	struct events e;
	glane_rc rc;

	change_name(s, c, LAKE_STREAM, name);
	rc = change_create(s, c, LAKE_STREAM, name, &w, d);
	if (rc < 0)
		return rc;
	rc = events_open_files(&e, s, c->source, files, n, d);
	while (rc == GLANE_OK) {
		rc = events_next(&e, &row, d);
		if (rc == GLANE_OK)
			rc = record_writer_put(&w, row, d);
	}
	events_close(&e);
	if (rc == GLANE_END)
		rc = change_keep(c, name, &w, d);
	record_writer_close(&w);
	return rc;
}

/* The first n of these files of the source become one. */
static glane_rc join(const struct store *s, struct change *c, const struct delta_file *files, size_t n,
	uint64_t *ret_bytes, struct diag *d)
{
	glane_rc rc = copy(s, c, files, n, d);

	if (rc == GLANE_OK)
		*ret_bytes = (uint64_t)c->files[0].file.bytes;
	for (size_t i = 0; rc == GLANE_OK && i < n; i++)
		rc = change_drop(c, files[i].path, d);
	return rc == GLANE_OK ? change_replace(s, c, d) : rc;
}

static glane_rc compact(const struct store *s, const char *source, int64_t *left, struct diag *d)
{
	struct delta_file *files;
	struct change c = {.source = source, .moment = store_last_moment(s)};
	struct arena arena;
	int64_t bytes = 0;
	uint64_t made;
	size_t n = 0;
	glane_rc rc;

	arena_init(&arena, 0);
	c.arena = &arena;
	rc = lake_files(s, LAKE_STREAM, source, &arena, &files, &n, d);
	if (rc == GLANE_OK && n > LAKE_STREAM_FILES) {
		n = choose(files, n, *left, &bytes);
		if (n > 1) {
			rc = join(s, &c, files, n, &made, d);
			*left -= bytes;
		}
	}
	change_release(s, &c);
	arena_release(&arena);
	return rc;
}

glane_rc store_compact(const struct store *s, const char *source, bool dry, struct store_compacted *ret, struct diag *d)
{
	struct delta_file *files;
	struct change c = {.source = source, .moment = store_last_moment(s)};
	struct store_compacted r = {.files = 0};
	struct arena arena;
	size_t n = 0;
	glane_rc rc = dry ? GLANE_OK : store_may_write(s, d);

	if (rc < 0)
		return rc;
	arena_init(&arena, 0);
	c.arena = &arena;
	rc = lake_files(s, LAKE_STREAM, source, &arena, &files, &n, d);
	if (rc == GLANE_OK) {
		r.files = n;
		for (size_t i = 0; i < n; i++)
			r.bytes += (uint64_t)files[i].bytes;
		if (n > 1 && !dry)
			rc = join(s, &c, files, n, &r.bytes_after, d);
	}
	change_release(s, &c);
	arena_release(&arena);
	if (rc == GLANE_OK)
		*ret = r;
	return dry ? rc : store_wrote(s, rc);
}

glane_rc store_upkeep(const struct store *s, struct diag *d)
{
	int64_t left = s->lake->upkeep_bytes;
	const char **names;
	struct arena arena;
	size_t n = 0;
	glane_rc rc = store_may_write(s, d);

	if (rc < 0)
		return rc;
	arena_init(&arena, 0);
	rc = store_sources(s, &arena, &names, &n, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++)
		rc = compact(s, names[i], &left, d);
	arena_release(&arena);
	rc = store_wrote(s, rc);
	return rc == GLANE_OK ? store_publish(s, d) : rc;
}
