/* SPDX-License-Identifier: MIT */
/* Many stream files made few, in a folder for temporary files: readers may not write to the store. */
#include "store/events_spill.h"
#include "base/file.h"
#include "base/io.h"
#include "store/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void spill_init(struct spill *p)
{
	*p = (struct spill){.dir = -1};
	arena_init(&p->arena, 0);
}

static glane_rc make_folder(struct spill *p, struct diag *d)
{
	const char *tmp = getenv("TMPDIR");

	if (p->dir >= 0)
		return GLANE_OK;
	if (snprintf(p->folder, sizeof(p->folder), "%s/glane-events-XXXXXX", tmp && *tmp ? tmp : "/tmp") >=
		(int)sizeof(p->folder))
		return fail(d, GLANE_E_IO, "TMPDIR: a path of more than %zu bytes", sizeof(p->folder));
	if (!mkdtemp(p->folder))
		return fail(d, GLANE_E_IO, "%s: cannot create a folder for temporary files: %s", p->folder,
			strerror(errno));
	p->dir = dir_open(AT_FDCWD, p->folder, false, d);
	if (p->dir < 0) {
		(void)rmdir(p->folder);
		return GLANE_E_IO;
	}
	return GLANE_OK;
}

static glane_rc copy(struct events *e, struct record_writer *w, struct diag *d)
{
	const struct row *row;
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK) {
		rc = events_next(e, &row, d);
		if (rc == GLANE_OK)
			rc = record_writer_put(w, row, d);
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* The first n inputs become *ret. */
static glane_rc merge(struct spill *p, const struct events *e, const struct events_input *in, size_t n,
	struct events_input *ret, struct diag *d)
{
	struct events some = {.source = e->source, .tests = e->tests};
	struct record_writer w;
	char name[32];
	glane_rc rc;

	(void)snprintf(name, sizeof(name), "%u.parquet", p->next++);
	*ret = (struct events_input){.dir = p->dir};
	if (!arena_dup(&p->arena, slice_of(name), &ret->file.path))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for its files", e->source);
	rc = record_writer_open(&w, LAKE_STREAM, p->dir, name, d);
	if (rc < 0)
		return rc;
	rc = events_open_inputs(&some, in, n, d);
	if (rc == GLANE_OK) {
		rc = copy(&some, &w, d);
		events_close(&some);
	}
	if (rc == GLANE_OK)
		rc = record_writer_finish(&w, &p->arena, &ret->file, d);
	record_writer_close(&w);
	return rc;
}

static int by_bytes(const void *a, const void *b)
{
	const struct events_input *x = a, *y = b;

	return (x->file.bytes > y->file.bytes) - (x->file.bytes < y->file.bytes);
}

static void drop(const struct spill *p, struct slice path)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%.*s", SLICE_FMT(path));
	(void)io->unlinkat(p->dir, name, 0);
}

glane_rc spill_inputs(struct spill *p, const struct events *e, struct events_input *in, size_t *n, struct diag *d)
{
	glane_rc rc = *n > EVENTS_OPEN_MAX ? make_folder(p, d) : GLANE_OK;

	while (rc == GLANE_OK && *n > EVENTS_OPEN_MAX) {
		size_t some = *n - EVENTS_OPEN_MAX + 1;
		struct events_input merged;

		some = some < EVENTS_OPEN_MAX ? some : EVENTS_OPEN_MAX;
		qsort(in, *n, sizeof(*in), by_bytes);
		rc = merge(p, e, in, some, &merged, d);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < some; i++) {
			if (in[i].dir == p->dir)
				drop(p, in[i].file.path);
		}
		in[0] = merged;
		memmove(&in[1], &in[some], (*n - some) * sizeof(*in));
		*n -= some - 1;
	}
	return rc;
}

static glane_rc drop_one(void *arg, int dir, const char *name)
{
	(void)arg;
	(void)io->unlinkat(dir, name, 0);
	return GLANE_OK;
}

void spill_release(struct spill *p)
{
	if (p->dir >= 0) {
		(void)folder_each(p->dir, ".", drop_one, NULL, NULL);
		(void)rmdir(p->folder);
	}
	fd_close(&p->dir);
	arena_release(&p->arena);
}
