/* SPDX-License-Identifier: MIT */
/* Logs and data files: the versions say what the checkpoint says, and every file is what its add says. */
#include "base/file.h"
#include "store/check.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool same_file(const struct delta_file *a, const struct delta_file *b)
{
	return a->bytes == b->bytes && a->rows == b->rows && slice_eq(a->stats, b->stats) &&
	       slice_eq(a->source, b->source) && slice_eq(a->sha256, b->sha256);
}

/* Everything in a is in b. */
static void compare_states(const struct delta *a, const struct delta *b, struct diag *own)
{
	const struct map_entry *e;
	size_t it = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct delta_file *f = a->files[i].removed_ms ? NULL : delta_find(b, a->files[i].path);

		if (!a->files[i].removed_ms && (!f || !same_file(&a->files[i], f)))
			(void)fail(own, GLANE_E_IO,
				"%s/_delta_log: checkpoint %" PRId64 " and the versions differ in %.*s",
				a->schema->name, a->checkpoint < 0 ? b->checkpoint : a->checkpoint,
				SLICE_FMT(a->files[i].path));
	}
	while ((e = map_next(&a->txns, &it))) {
		const uint64_t *v = map_find(&b->txns, e->key);

		if (!v || *v != e->value)
			(void)fail(own, GLANE_E_IO, "%s/_delta_log: the checkpoint and the versions differ in %.*s",
				a->schema->name, SLICE_FMT(e->key));
	}
}

static glane_rc check_log(struct check *c, int table)
{
	struct delta whole = {.schema = NULL}, now = {.schema = NULL};
	struct diag own = {0};
	glane_rc rc = delta_load(&now, &lake_schemas[table], c->s->dir, false, &own);

	if (rc == GLANE_OK)
		rc = delta_replay(&whole, &lake_schemas[table], c->s->dir, &own);
	if (rc == GLANE_OK && now.version == whole.version) { /* else a writer came between */
		compare_states(&now, &whole, &own);
		compare_states(&whole, &now, &own);
	}
	delta_close(&now);
	delta_close(&whole);
	return check_found(c, &own);
}

union record { /* both begin with the source */
	struct row row;
	struct series_row series;
};

static void read_rows(struct record_reader *r, int table, const struct delta_file *f, struct diag *own)
{
	struct stats_check stats;
	const char *wrong = NULL, *nulls;
	union record record;
	uint64_t rows = 0;
	glane_rc rc = GLANE_OK;

	(void)stats_open(&stats, table, f->stats);
	while (!wrong && (rc = record_reader_next(r, &record, own)) == GLANE_OK) {
		if (!slice_eq(record.row.source, f->source)) {
			(void)fail(own, GLANE_E_IO, "%s: a row of another source", r->name);
			break;
		}
		wrong = stats_row(&stats, &record);
		if (!wrong)
			wrong = record_outside_group(r);
		rows++;
	}
	nulls = stats_end(&stats);
	if (rc == GLANE_END && rows != f->rows)
		(void)fail(
			own, GLANE_E_IO, "%s: %" PRIu64 " rows, where the log says %" PRIu64, r->name, rows, f->rows);
	else if (wrong || (rc == GLANE_END && nulls))
		(void)fail(own, GLANE_E_IO, "%s: column %s is not as the statistics in the log or the footer say",
			r->name, wrong ? wrong : nulls);
}

static void check_rows(struct check *c, int table, const struct delta_file *f, struct diag *own)
{
	struct record_reader r;

	if (record_reader_open(&r, table, c->s->lake->table[table].dir, f, own) < 0)
		return;
	read_rows(&r, table, f, own);
	record_reader_close(&r);
}

static void check_hash(struct check *c, int table, const struct delta_file *f, struct diag *own)
{
	char path[DELTA_NAME], hex[SHA256_HEX];
	int fd;

	(void)snprintf(path, sizeof(path), "%.*s", SLICE_FMT(f->path));
	fd = openat(c->s->lake->table[table].dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		(void)fail(own, GLANE_E_IO, "%s/%s: cannot open: %s", lake_schemas[table].name, path, strerror(errno));
	else if (sha256_fd(fd, hex, own) == GLANE_OK && !slice_is(f->sha256, hex))
		(void)fail(own, GLANE_E_IO, "%s/%s: other bytes than the commit wrote (SHA-256)",
			lake_schemas[table].name, path);
	fd_close(&fd);
}

glane_rc check_tables(struct check *c)
{
	glane_rc rc = GLANE_OK;

	for (int table = 0; rc == GLANE_OK && table < LAKE_TABLES; table++) {
		const struct delta *t = &c->s->lake->table[table];

		rc = check_log(c, table);
		for (size_t i = 0; rc == GLANE_OK && i < t->n; i++) {
			struct diag own = {0};

			if (t->files[i].removed_ms)
				continue;
			check_hash(c, table, &t->files[i], &own);
			if (own.code == GLANE_OK)
				check_rows(c, table, &t->files[i], &own);
			rc = check_found(c, &own);
		}
	}
	return rc;
}

glane_rc check_series(struct check *c, const char *source, uint64_t live)
{
	struct delta_file *files;
	struct series_row row;
	struct record_reader r;
	struct arena arena;
	struct diag own = {0};
	uint64_t sum = 0;
	size_t n = 0;
	glane_rc rc;

	arena_init(&arena, 0);
	rc = lake_files(c->s, LAKE_SERIES, source, &arena, &files, &n, &own);
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		rc = record_reader_open(&r, LAKE_SERIES, c->s->lake->table[LAKE_SERIES].dir, &files[i], &own);
		if (rc < 0)
			break;
		while ((rc = record_reader_next(&r, &row, &own)) == GLANE_OK)
			sum += (uint64_t)row.observations;
		record_reader_close(&r);
	}
	arena_release(&arena);
	if (rc >= 0 && sum != live)
		(void)fail(&own, GLANE_E_IO, "series: %s has %" PRIu64 " observations, where current has %" PRIu64,
			source, sum, live);
	return check_found(c, &own);
}
