/* SPDX-License-Identifier: MIT */
/* A store in a temporary folder, batches from short tables, and exports, for the tests of core/store. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H
#include "base/clock.h"
#include "base/file.h"
#include "base/io.h"
#include "store/diff.h"
#include "store/files.h"
#include "store/query.h"
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka defines a macro fail(), so it comes behind base/diag.h. */
#include <cmocka.h>

#define T0 INT64_C(1795477475) /* 2026-11-23T23:44:35Z */

struct fixture {
	char path[64];
	struct store s;
	struct diag d;
};
struct cell { /* one annual observation of dataset DS */
	const char *indicator, *area;
	int32_t year;
	int64_t coef;
	int8_t exp10;
	const char *
		flags; /* NULL: none; "remove": a remove annotation; "erase", "erase flags": of any area (""), any year (0) */
	char status;
};

static inline int fixture_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void fixture_remove(const char *path)
{
	(void)nftw(path, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int fixture_no_sync(int fd)
{
	(void)fd;
	return 0;
}

/* Nothing here survives a power cut, so nothing waits for the disk. */
static inline void fixture_fast(void)
{
	static struct io_table table;

	table = io_system;
	table.fsync = fixture_no_sync;
	io = &table;
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	fixture_fast();
	if (!f)
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/glane-store-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(f->path) || store_open(&f->s, f->path, true, &f->d) < 0)
		return -1;
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	store_close(&f->s);
	fixture_remove(f->path);
	mem_free(f);
	return 0;
}

static inline glane_rc fixture_erase(struct batch *b, const struct cell *c, struct diag *d)
{
	char year[16] = "";
	struct erase e = {.dataset = SLICE("DS"), .indicator = slice_of(c->indicator), .area_code = slice_of(c->area)};

	if (c->year)
		(void)snprintf(year, sizeof(year), "%d", (int)c->year);
	e.freq = c->year ? 'A' : 0;
	e.period = slice_of(year);
	e.what = strcmp(c->flags, "erase") == 0 ? 1u << ERASE_ROW : 1u << ERASE_FLAGS;
	return erases_add(&b->erases, &e, b->n_obs, 1, d);
}

/* A finished batch; returns the first code < 0. */
static inline glane_rc fixture_batch(struct store *s, struct batch *b, const struct cell *cells, size_t n,
	const struct cover *covers, size_t n_covers, struct diag *d)
{
	glane_rc rc = batch_init(b, s->tmp, d);
	uint32_t payload = 0, part = 0;

	if (rc == GLANE_OK)
		rc = batch_payload(
			b, SLICE("aa6ff1c2f6f2d8f7a3a4b6b7b8b9c0c1c2c3c4c5c6c7c8c9d0d1d2d3d4d5d6d7"), &payload, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		const struct cell *c = &cells[i];
		struct series series = {.dataset = SLICE("DS"), .freq = 'A', .dims = SLICE(""), .unit = SLICE("PT")};
		struct batch_obs o = {
			.period = c->year, .coef = c->coef, .exp10 = c->exp10, .payload = 1, .part = part};

		series.indicator = slice_of(c->indicator);
		series.area_code = series.area = slice_of(c->area);
		if (c->flags && strncmp(c->flags, "erase", 5) == 0) {
			rc = fixture_erase(b, c, d);
			part++;
			continue;
		}
		o.status = c->status ? c->status : 'A';
		rc = batch_series(b, &series, &o.series, d);
		if (rc == GLANE_OK && c->flags) {
			struct note note = {.flags = slice_of(c->flags)};

			if (slice_is(note.flags, "remove"))
				note = (struct note){.remove = true};
			rc = batch_note(b, &note, &o.note, d);
			o.note++;
		}
		if (rc == GLANE_OK)
			rc = batch_push(b, &o, 1, d);
	}
	for (size_t i = 0; rc == GLANE_OK && i < n_covers; i++)
		rc = batch_cover(b, &covers[i], d);
	return rc == GLANE_OK ? batch_finish(b, NULL, NULL, d) : rc;
}

/* Diff of the cells with the newest commit of in->source; `in` says the rest. */
static inline glane_rc fixture_diff_in(struct store *s, struct diff_input *in, const struct cell *cells, size_t n,
	const struct cover *covers, size_t n_covers, struct diff_result *ret, struct diag *d)
{
	struct batch b;
	glane_rc rc = fixture_batch(s, &b, cells, n, covers, n_covers, d);

	in->batch = &b;
	in->run = "20261123T234435Z";
	in->cause = in->cause ? in->cause : "source";
	if (rc == GLANE_OK)
		rc = store_commit_number(s, in->source, &in->previous, d);
	if (rc == GLANE_OK)
		rc = diff_run(s, in, ret, d);
	batch_release(&b);
	return rc;
}

/* The same under the gate as it is by default. */
static inline glane_rc fixture_diff(struct store *s, const char *source, const struct cell *cells, size_t n,
	const struct cover *covers, size_t n_covers, int64_t now, struct diff_result *ret, struct diag *d)
{
	struct diff_input in = {.source = source, .now = now};

	gate_defaults(&in.gate);
	return fixture_diff_in(s, &in, cells, n, covers, n_covers, ret, d);
}

/* Commits a diff and publishes it, where it has events. */
static inline glane_rc fixture_commit(struct store *s, const char *source, struct diff_result *r, struct diag *d)
{
	json_t *state = json_object();
	uint64_t previous, n;
	glane_rc rc = store_commit_number(s, source, &previous, d);

	if (rc == GLANE_OK && !state)
		rc = GLANE_E_NOMEM;
	if (rc == GLANE_OK && r->events)
		rc = diff_commit(s, source, previous, r, state, &n, d);
	if (rc == GLANE_OK)
		rc = store_publish(s, d);
	json_decref(state);
	return rc;
}

/* Diff and commit with a whole-dataset FULL cover and without a gate. */
static inline glane_rc fixture_refresh(
	struct store *s, const char *source, const struct cell *cells, size_t n, int64_t now, struct diag *d)
{
	const struct cover full = {.kind = GLANE_COVER_FULL, .dataset = SLICE("DS")};
	struct diff_input in = {.source = source, .now = now, .gate = {.accept = true}};
	struct diff_result r;
	glane_rc rc = fixture_diff_in(s, &in, cells, n, &full, 1, &r, d);

	if (rc < 0)
		return rc;
	rc = fixture_commit(s, source, &r, d);
	diff_release(&r);
	return rc;
}

static inline glane_rc fixture_put(void *arg, struct row *r)
{
	row_csv(arg, r, ROW_COLUMNS_ALL);
	return GLANE_OK;
}

static inline glane_rc fixture_export(const struct store *s, const struct query *q, struct strbuf *b, struct diag *d)
{
	strbuf_reset(b);
	return query_run(s, q, fixture_put, b, d);
}

/* Puts content in place of a file of the store, which may be read-only. */
static inline void fixture_damage(const struct fixture *f, const char *name, struct slice content)
{
	int fd;

	(void)unlinkat(f->s.dir, name, 0);
	fd = openat(f->s.dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, content.p, content.n, NULL), GLANE_OK);
	fd_close(&fd);
}

struct fixture_first {
	const char *suffix;
	char name[256];
};

static inline glane_rc fixture_look(void *arg, int dir, const char *name)
{
	struct fixture_first *f = arg;
	size_t n = strlen(name), m = strlen(f->suffix);

	(void)dir;
	if (n > m && strcmp(name + n - m, f->suffix) == 0 && (!f->name[0] || strcmp(name, f->name) < 0))
		(void)snprintf(f->name, sizeof(f->name), "%s", name);
	return GLANE_OK;
}

/* "FOLDER/NAME" of the file in a folder of the store that ends so, the first by name; "" where there is none. */
static inline void fixture_find(const struct fixture *f, const char *folder, const char *suffix, char ret[512])
{
	struct fixture_first first = {.suffix = suffix};

	assert_int_equal(folder_each(f->s.dir, folder, fixture_look, &first, NULL), GLANE_OK);
	ret[0] = '\0';
	if (first.name[0])
		(void)snprintf(ret, 512, "%s/%s", folder, first.name);
}

static inline void fixture_read(const struct fixture *f, const char *name, struct strbuf *b)
{
	strbuf_reset(b);
	assert_int_equal(file_read(f->s.dir, name, STRBUF_MAX, b, NULL), GLANE_OK);
}
#endif
