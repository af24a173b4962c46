/* SPDX-License-Identifier: MIT */
/* Files of a source in the order of their keys. */
#include "store/files.h"
#include "store/lake.h"
#include <stdlib.h>

struct placed { /* a file and the key of its first record */
	struct delta_file file;
	struct slice key;
};

static int by_key(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return slice_cmp(x->key, y->key);
}

static glane_rc no_memory(const struct placed *p, struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "%.*s: no memory for the list of its files", SLICE_FMT(p->file.source));
}

static glane_rc next_row(struct record_reader *reader, struct row *ret, struct diag *d)
{
	struct series_row series;
	glane_rc rc;

	if (reader->table != LAKE_SERIES)
		return record_reader_next(reader, ret, d);
	rc = record_reader_next(reader, &series, d);
	if (rc == GLANE_OK)
		*ret = series_row_key(&series);
	return rc;
}

/* What the log says of first rows is cut short: they are read. */
static glane_rc first_key(
	const struct store *s, int table, struct placed *p, struct strbuf *key, struct arena *a, struct diag *d)
{
	struct record_reader reader;
	struct row row;
	glane_rc rc = record_reader_open(&reader, table, s->lake->table[table].dir, &p->file, d);

	if (rc < 0)
		return rc;
	rc = next_row(&reader, &row, d);
	if (rc == GLANE_OK) {
		row_key(key, &row);
		if (!strbuf_ok(key) || !arena_dup(a, strbuf_get(key), &p->key))
			rc = no_memory(p, d);
	}
	record_reader_close(&reader);
	return rc < 0 ? rc : GLANE_OK;
}

glane_rc lake_sort_files(
	const struct store *s, int table, struct delta_file *files, size_t n, struct arena *a, struct diag *d)
{
	glane_rc rc = GLANE_OK;
	struct placed *list;
	struct strbuf key;

	if (n < 2)
		return GLANE_OK;
	list = arena_alloc(a, n * sizeof(*list));
	if (!list)
		return no_memory(&(struct placed){.file = files[0]}, d);
	strbuf_init(&key, 0);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		list[i] = (struct placed){.file = files[i]};
		rc = first_key(s, table, &list[i], &key, a, d);
	}
	strbuf_release(&key);
	if (rc < 0)
		return rc;
	qsort(list, n, sizeof(*list), by_key);
	for (size_t i = 0; i < n; i++)
		files[i] = list[i].file;
	return GLANE_OK;
}
