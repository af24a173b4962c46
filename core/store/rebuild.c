/* SPDX-License-Identifier: MIT */
/* Current and series of a source from its events, where they are missing or behind. */
#include "store/files.h"
#include "store/merge.h"
#include "store/shelf.h"

struct rebuild {
	const struct store *s;
	const char *source;
	struct arena arena;
	struct change change;
	struct shelf shelf;
	struct twins twins;
};

/* Titles are no part of the stream: those that stand are kept. */
static glane_rc put_rows(struct rebuild *w, struct diag *d)
{
	struct series_texts texts;
	struct store_cursor c;
	struct row row;
	bool found = false;
	glane_rc rc = rows_from_events(w->s, w->source, INT64_MAX, &c, d);

	if (rc < 0)
		return rc;
	for (;;) {
		rc = store_rows_next(&c, &row, d);
		if (rc == GLANE_OK && shelf_is_new(&w->shelf, &row))
			rc = twins_seek(&w->twins, &row, &texts, &found, d);
		if (rc != GLANE_OK)
			break;
		rc = shelf_put(&w->shelf, &row, found ? &texts : NULL, d);
		if (rc < 0)
			break;
	}
	store_rows_close(&c);
	return rc == GLANE_END ? shelf_end(&w->shelf, d) : rc;
}

/* A twin has its file's name, and goes with it; a twin without its file goes alone. */
static glane_rc drop_all(struct rebuild *w, int table, struct diag *d)
{
	struct delta_file *files;
	size_t n;
	glane_rc rc = lake_files(w->s, table, w->source, &w->arena, &files, &n, d);

	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (table == LAKE_CURRENT || !delta_find(&w->s->lake->table[LAKE_CURRENT], files[i].path))
			rc = change_drop(&w->change, files[i].path, d);
	}
	return rc;
}

static glane_rc rebuild(const struct store *s, const char *source, struct diag *d)
{
	struct rebuild w = {.s = s, .source = source};
	glane_rc rc;

	arena_init(&w.arena, 0);
	w.change = (struct change){.arena = &w.arena, .source = source, .moment = store_last_moment(s)};
	shelf_init(&w.shelf, s, &w.change);
	rc = twins_init(&w.twins, s, source, d);
	if (rc == GLANE_OK)
		rc = twins_sort(&w.twins, d);
	if (rc == GLANE_OK)
		rc = put_rows(&w, d);
	if (rc == GLANE_OK)
		rc = drop_all(&w, LAKE_CURRENT, d);
	if (rc == GLANE_OK)
		rc = drop_all(&w, LAKE_SERIES, d);
	if (rc == GLANE_OK)
		rc = change_place(s, &w.change, LAKE_CURRENT, lake_commit(s, LAKE_STREAM, source), d);
	shelf_close(&w.shelf);
	twins_close(&w.twins);
	change_release(s, &w.change);
	arena_release(&w.arena);
	if (rc < 0)
		(void)diag_prefix(d, "%s: current from the stream", source);
	return rc;
}

static bool has_twins(const struct store *s, int table, int other, const char *source)
{
	const struct delta *t = &s->lake->table[table];

	for (size_t i = 0; i < t->n; i++) {
		if (!t->files[i].removed_ms && slice_is(t->files[i].source, source) &&
			!delta_find(&s->lake->table[other], t->files[i].path))
			return false;
	}
	return true;
}

/* A rebuild has the number of the commit that stood there before: one that was cut between the two tables shows by its files. */
static bool is_whole(const struct store *s, const char *source)
{
	return lake_in_step(s, source) && has_twins(s, LAKE_CURRENT, LAKE_SERIES, source) &&
	       has_twins(s, LAKE_SERIES, LAKE_CURRENT, source);
}

glane_rc lake_repair(const struct store *s, struct diag *d)
{
	const char **names;
	struct arena arena;
	size_t n = 0;
	glane_rc rc;

	arena_init(&arena, 0);
	rc = store_sources(s, &arena, &names, &n, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (!is_whole(s, names[i]))
			rc = rebuild(s, names[i], d);
	}
	arena_release(&arena);
	if (rc == GLANE_OK)
		rc = lake_publish(s, LAKE_CURRENT, d);
	return store_wrote(s, rc);
}
