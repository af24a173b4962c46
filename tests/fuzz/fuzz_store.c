/* SPDX-License-Identifier: MIT */
/*
 * The log of a Delta table and state files, damaged in any way. The first line says what follows: "checkpoint", and the bytes of
 * one; or "versions", and the lines of versions 1 to 3 and a state, parted by lines "---" ("sealed": each version gets its last
 * line here, so that mutations reach what stands before it). Version 0 is our own.
 */
#include "fuzz.h"
#include "store/files.h"
#include "store/lake.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG "stream/_delta_log/000000000000000000"
#define VERSIONS 4
#define CHECKPOINT 20 /* the version of those in the corpus */

static const struct delta_schema *const schema = &lake_schemas[LAKE_STREAM];

static void make_table(int dir)
{
	struct delta t;
	struct diag d;

	diag_clear(&d);
	FUZZ_SAY(delta_load(&t, schema, dir, true, &d) == GLANE_OK, "%s", d.text);
	FUZZ_SAY(delta_commit(&t, "CREATE TABLE", SLICE(""), 1, &d) == GLANE_OK, "%s", d.text);
	delta_close(&t);
}

/* The folder as it is before each input: version 0 alone. */
static struct store store_here(void)
{
	static const char *const folders[] = {"state", "state/fuzz", "runs"};
	struct store s = {.tmp = -1, .lock = -1};
	static char path[128];
	char name[96];

	snprintf(path, sizeof(path), "%s", fuzz_folder());
	s.path = path;
	s.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(s.dir >= 0);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		(void)mkdirat(s.dir, folders[i], 0700);
	if (faccessat(s.dir, LOG "00.json", F_OK, 0) != 0)
		make_table(s.dir);
	for (int i = 0; i <= CHECKPOINT; i += i < VERSIONS ? 1 : CHECKPOINT - VERSIONS) {
		snprintf(name, sizeof(name), LOG "%02d.json", i);
		if (i > 0)
			(void)unlinkat(s.dir, name, 0);
		snprintf(name, sizeof(name), LOG "%02d.checkpoint.parquet", i);
		(void)unlinkat(s.dir, name, 0);
	}
	return s;
}

static void put_version(int version, struct slice lines, bool sealed)
{
	char name[64];
	struct strbuf b;

	snprintf(name, sizeof(name), LOG "%02d.json", version);
	strbuf_init(&b, 0);
	strbuf_slice(&b, lines);
	if (sealed) {
		strbuf_putc(&b, '\n');
		delta_put_txn(&b, "glane.log", version);
	}
	FUZZ_CHECK(strbuf_ok(&b));
	fuzz_put(name, strbuf_get(&b));
	strbuf_release(&b);
}

static size_t live(const struct delta *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->files[i].removed_ms == 0;
	return n;
}

static void check_same(const struct delta *a, const struct delta *b)
{
	const struct map_entry *e;
	size_t it = 0;

	FUZZ_CHECK(a->version == b->version && live(a) == live(b) && a->txns.n == b->txns.n);
	for (size_t i = 0; i < a->n; i++) {
		const struct delta_file *f = &a->files[i], *g = delta_find(b, f->path);

		if (f->removed_ms)
			continue;
		FUZZ_CHECK(g && f->bytes == g->bytes && f->modified_ms == g->modified_ms && f->rows == g->rows);
		FUZZ_CHECK(slice_eq(f->stats, g->stats) && slice_eq(f->source, g->source) &&
			   slice_eq(f->sha256, g->sha256));
	}
	while ((e = map_next(&a->txns, &it))) {
		const uint64_t *v = map_find(&a->txns, e->key), *w = map_find(&b->txns, e->key);

		FUZZ_CHECK(v && w && *v == *w);
	}
}

/* A checkpoint of what was read gives the same again. */
static void check_checkpoint(struct delta *t, int dir)
{
	struct delta again;
	struct diag d;

	diag_clear(&d);
	FUZZ_SAY(delta_checkpoint(t, 0, &d) == GLANE_OK, "%s", d.text);
	FUZZ_SAY(delta_load(&again, schema, dir, false, &d) == GLANE_OK, "%s", d.text);
	FUZZ_CHECK(again.checkpoint == t->version);
	check_same(t, &again);
	delta_close(&again);
}

/* False: refused. With `again` what was read is written as a checkpoint. */
static bool check_log(const struct store *s, bool versions, bool again)
{
	struct delta t, u;
	struct diag d;
	glane_rc rc, replayed;

	diag_clear(&d);
	rc = delta_load(&t, schema, s->dir, false, &d);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d.code && strstr(d.text, "stream")));
	if (versions) {
		diag_clear(&d);
		replayed = delta_replay(&u, schema, s->dir, &d);
		FUZZ_CHECK(replayed == rc);
		if (rc == GLANE_OK)
			check_same(&t, &u);
		if (replayed == GLANE_OK)
			delta_close(&u);
	}
	if (rc != GLANE_OK)
		return false;
	if (again)
		check_checkpoint(&t, s->dir);
	delta_close(&t);
	return true;
}

static void check_rows(const struct store *s, const char *source)
{
	struct store_cursor c;
	struct diag d;
	struct row r;
	glane_rc rc;

	diag_clear(&d);
	rc = store_rows_as_of(s, source, INT64_MAX, &c, &d);
	if (rc == GLANE_OK) {
		rc = store_rows_next(&c, &r, &d);
		store_rows_close(&c);
	}
	FUZZ_CHECK(rc == GLANE_END || (rc < 0 && rc == d.code && d.text[0])); /* no data file is there */
}

static void check_store(struct store *s)
{
	uint64_t rows = 0, findings = 0;
	struct strbuf said;
	struct diag d;
	json_t *j = NULL;
	int64_t at;
	glane_rc rc;

	diag_clear(&d);
	strbuf_init(&said, 0);
	rc = lake_open(s, false, &d);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d.code && d.text[0]));
	if (rc == GLANE_OK) {
		check_rows(s, "fuzz");
		diag_clear(&d);
		FUZZ_SAY(store_commits(s, &j, &d) == GLANE_OK, "%s", d.text);
		json_decref(j);
		rc = store_state(s, "fuzz", 1, &j, &d);
		FUZZ_CHECK(rc == GLANE_OK ? json_is_object(j) : rc == d.code && d.text[0]);
		json_decref(rc == GLANE_OK ? j : NULL);
		diag_clear(&d);
		rc = commit_time(s, "fuzz", 1, &at, &d);
		FUZZ_CHECK(rc == GLANE_OK || (rc == d.code && d.text[0]));
		diag_clear(&d);
		FUZZ_SAY(store_check(s, &said, &rows, &findings, &d) == GLANE_OK, "%s", d.text);
		FUZZ_CHECK(rows == 0 && (findings > 0) == (said.n > 0));
	}
	strbuf_release(&said);
	lake_close(s);
}

FUZZ_TARGET(store)
{
	struct store s = store_here();
	const struct slice what = fuzz_line(&in);
	const bool checkpoint = slice_is(what, "checkpoint");
	const bool again = fuzz_hash(in) % 4 == 0; /* it takes longer than the rest */
	struct slice lines[VERSIONS] = {{NULL, 0}};
	size_t n = 0;

	if (checkpoint) {
		fuzz_put(LOG "20.checkpoint.parquet", in.p ? in : SLICE(""));
		put_version(CHECKPOINT, SLICE(""), true);
	} else {
		while (n < VERSIONS && fuzz_part(&in, &lines[n]))
			n++;
		for (size_t i = 0; i + 1 < n; i++)
			put_version((int)i + 1, lines[i], slice_is(what, "sealed"));
	}
	fuzz_put("state/fuzz/1.json", n ? lines[n - 1] : SLICE(""));
	if (!checkpoint)
		check_store(&s);
	if (check_log(&s, !checkpoint, again) && checkpoint)
		check_store(&s);
	close(s.dir);
}
