/* SPDX-License-Identifier: MIT */
/* A join of rows with the table of series, both sorted. */
#include "store/titles.h"
#include "store/shelf.h"
#include <stdio.h>

struct title_file {
	struct record_reader reader;
	struct series_row row;
	bool open, has;
};

void titles_init(struct titles *t, const struct store *s)
{
	*t = (struct titles){.s = s};
}

void titles_release(struct titles *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->files[i].open)
			record_reader_close(&t->files[i].reader);
	}
	mem_free(t->files);
	*t = (struct titles){.s = t->s};
}

static glane_rc advance(struct title_file *f, struct diag *d)
{
	glane_rc rc = record_reader_next(&f->reader, &f->row, d);

	f->has = rc == GLANE_OK;
	return rc < 0 ? rc : GLANE_OK;
}

static glane_rc open_source(struct titles *t, struct slice source, struct diag *d)
{
	struct delta_file *files;
	struct arena arena;
	size_t n = 0;
	glane_rc rc;

	titles_release(t);
	(void)snprintf(t->source, sizeof(t->source), "%.*s", SLICE_FMT(source));
	arena_init(&arena, 0);
	rc = lake_files(t->s, LAKE_SERIES, t->source, &arena, &files, &n, d);
	t->files = mem_zalloc(n + 1, sizeof(*t->files));
	if (rc == GLANE_OK && !t->files)
		rc = fail(d, GLANE_E_NOMEM, "%s: no memory for its titles", t->source);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		struct title_file *f = &t->files[t->n++];

		rc = record_reader_open(&f->reader, LAKE_SERIES, t->s->lake->table[LAKE_SERIES].dir, &files[i], d);
		f->open = rc == GLANE_OK;
		if (rc == GLANE_OK)
			rc = advance(f, d);
	}
	arena_release(&arena);
	return rc;
}

/* Below 0 where the series of the file is before that of r. */
static int order(const struct title_file *f, const struct row *r)
{
	const struct series_row *s = &f->row;
	const struct row key = {.source = s->source,
		.dataset = s->dataset,
		.indicator = s->indicator,
		.area_code = s->area_code,
		.dims = s->dims,
		.freq = s->freq};

	return series_cmp(&key, r);
}

glane_rc titles_find(
	struct titles *t, const struct row *r, struct slice *ret_title, struct slice *ret_area, struct diag *d)
{
	glane_rc rc = slice_is(r->source, t->source) ? GLANE_OK : open_source(t, r->source, d);

	*ret_title = *ret_area = SLICE("");
	for (size_t i = 0; rc == GLANE_OK && i < t->n; i++) {
		struct title_file *f = &t->files[i];

		while (rc == GLANE_OK && f->has && order(f, r) < 0)
			rc = advance(f, d);
		if (rc == GLANE_OK && f->has && order(f, r) == 0) {
			*ret_title = f->row.title;
			*ret_area = f->row.area_title;
		}
	}
	return rc;
}
