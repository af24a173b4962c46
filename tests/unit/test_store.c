/* SPDX-License-Identifier: MIT */
/* The store on disk: opening, lock, refusals, reports, side files, and every damage found. */
#include "store/files.h"
#include "store/lake.h"
#include "store_fixture.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define N(a) (sizeof(a) / sizeof(*(a)))

static const struct cell night1[] = {{"A", "BEN", 2020, 1, 0, NULL, 0}, {"A", "TGO", 2020, 2, 0, "two\nlines", 0},
	{"B", "TGO", 2020, 3, 0, "\"quoted\"", 0}, {"B", "TGO", 2021, 4, 0, NULL, 0}};
static const struct cell night2[] = {{"A", "BEN", 2020, 1, 0, NULL, 0}, {"A", "TGO", 2020, 5, 0, "two\nlines", 0},
	{"B", "TGO", 2020, 3, 0, "\"quoted\"", 0}, {"B", "TGO", 2021, 4, 0, NULL, 0}};

static void two_nights(struct fixture *f)
{
	assert_int_equal(fixture_refresh(&f->s, "src", night1, N(night1), T0, &f->d), GLANE_OK);
	assert_int_equal(fixture_refresh(&f->s, "src", night2, N(night2), T0 + 86400, &f->d), GLANE_OK);
}

static uint64_t check(struct fixture *f, struct strbuf *b)
{
	uint64_t rows, findings = 0;

	strbuf_reset(b);
	strbuf_puts(b, "");
	assert_int_equal(store_check(&f->s, b, &rows, &findings, &f->d), GLANE_OK);
	return findings;
}

static void test_open(void **state)
{
	struct fixture *f = *state;
	struct store r;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/none", f->path);
	assert_int_equal(store_open(&r, path, false, &f->d), GLANE_E_IO);
	assert_non_null(strstr(f->d.text, "no store at"));
	diag_clear(&f->d);
	(void)snprintf(path, sizeof(path), "%s/stream", f->path);
	assert_int_equal(store_open(&r, path, false, &f->d), GLANE_E_IO);
	assert_non_null(strstr(f->d.text, "no store at"));
	diag_clear(&f->d);
	(void)snprintf(path, sizeof(path), "%s/a/b", f->path);
	assert_int_equal(store_open(&r, path, true, &f->d), GLANE_OK);
	store_close(&r);
	assert_int_equal(store_open(&r, path, false, &f->d), GLANE_OK);
	assert_int_equal(r.lock, -1);
	store_close(&r);
}

/* A folder of somebody else, a newer store, links in place of folders: refused, and nothing is changed. */
static void test_refusals(void **state)
{
	struct fixture *f = *state;
	struct store r;
	char path[128];

	fixture_damage(f, "format", SLICE("3\n"));
	assert_int_equal(store_open(&r, f->path, false, &f->d), GLANE_E_IO);
	assert_non_null(strstr(f->d.text, "format '3'"));
	diag_clear(&f->d);
	store_close(&f->s);
	assert_int_equal(store_open(&r, f->path, true, &f->d), GLANE_E_IO);
	diag_clear(&f->d);
	(void)snprintf(path, sizeof(path), "%s/home", f->path);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/home/letters", f->path);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/home", f->path);
	assert_int_equal(store_open(&r, path, true, &f->d), GLANE_E_IO);
	assert_non_null(strstr(f->d.text, "is no store, and not empty"));
	diag_clear(&f->d);
	(void)snprintf(path, sizeof(path), "%s/home/lock", f->path);
	assert_int_equal(access(path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s/linked", f->path);
	assert_int_equal(store_open(&r, path, true, &f->d), GLANE_OK);
	assert_int_equal(renameat(r.dir, "stream", r.dir, "runs/moved"), 0);
	assert_int_equal(symlinkat("runs/moved", r.dir, "stream"), 0);
	store_close(&r);
	assert_int_equal(store_open(&r, path, true, &f->d), GLANE_E_IO);
	assert_non_null(strstr(f->d.text, "is no folder"));
}

/* A child that opens the store and waits until it is killed. */
static pid_t hold(const char *path, bool write_it)
{
	int fds[2];
	struct store s;
	pid_t pid;
	char c = 0;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* A failed assertion must not leave it behind. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || store_open(&s, path, write_it, NULL) < 0 ||
			write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	fd_close(&fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	fd_close(&fds[0]);
	return pid;
}

static void end(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void test_lock(void **state)
{
	struct fixture *f = *state;
	struct store s;
	char who[100];
	pid_t writer, reader;

	store_close(&f->s);
	writer = hold(f->path, true);
	assert_int_equal(store_open(&s, f->path, true, &f->d), GLANE_E_DENIED);
	(void)snprintf(who, sizeof(who), "another run holds the lock (process %ld)", (long)writer);
	assert_non_null(strstr(f->d.text, who));
	diag_clear(&f->d);
	assert_int_equal(store_open(&s, f->path, false, &f->d), GLANE_OK);
	/* A deleted lock file lets nobody in. */
	assert_int_equal(unlinkat(s.dir, "lock", 0), 0);
	store_close(&s);
	assert_int_equal(store_open(&s, f->path, true, &f->d), GLANE_E_DENIED);
	diag_clear(&f->d);
	end(writer);
	reader = hold(f->path, false);
	assert_int_equal(store_open(&f->s, f->path, true, &f->d), GLANE_OK);
	end(reader);
}

static glane_rc open_as_nobody(const char *path, bool write_it)
{
	struct store s;

	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		return 99;
	return store_open(&s, path, write_it, NULL);
}

/* A folder that this user may not write to can be read, and is refused for writing. */
static void test_read_only(void **state)
{
	static const char *const inside[] = {
		"stream", "stream/_delta_log", "current", "state", "state/src", "runs", "tmp", "payloads", "."};
	struct fixture *f = *state;
	json_t *j = json_object();
	struct store s;
	int status;

	two_nights(f);
	assert_int_equal(store_open(&s, f->path, false, &f->d), GLANE_OK);
	assert_int_equal(store_last_write(&s, "src", j, &f->d), GLANE_E_USAGE);
	diag_clear(&f->d);
	assert_int_equal(store_run_write(&s, "20261123T234435Z", j, &f->d), GLANE_E_USAGE);
	json_decref(j);
	store_close(&s);
	store_close(&f->s);
	assert_int_equal(store_open(&f->s, f->path, false, &f->d), GLANE_OK);
	for (size_t i = 0; i < N(inside); i++)
		assert_int_equal(fchmodat(f->s.dir, inside[i], 0555, 0), 0);
	for (int write_it = 0; write_it < 2; write_it++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(-open_as_nobody(f->path, write_it));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), write_it ? -GLANE_E_IO : GLANE_OK);
	}
	for (size_t i = N(inside); i--;)
		assert_int_equal(fchmodat(f->s.dir, inside[i], 0755, 0), 0);
}

static void test_commits(void **state)
{
	struct fixture *f = *state;
	const char **names;
	struct arena a;
	uint64_t n = 9;
	size_t count;
	json_t *j;

	arena_init(&a, 0);
	assert_int_equal(store_commit_number(&f->s, "src", &n, &f->d), GLANE_OK);
	assert_int_equal(n, 0);
	assert_int_equal(store_commit_number(&f->s, "../..", &n, &f->d), GLANE_E_USAGE);
	diag_clear(&f->d);
	two_nights(f);
	assert_int_equal(fixture_refresh(&f->s, "b-src", night1, N(night1), T0, &f->d), GLANE_OK);
	assert_int_equal(store_sources(&f->s, &a, &names, &count, &f->d), GLANE_OK);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "b-src");
	assert_string_equal(names[1], "src");
	assert_int_equal(store_commits(&f->s, &j, &f->d), GLANE_OK);
	assert_int_equal(json_object_size(j), 2);
	assert_int_equal(json_int(j, "src", 0), 2);
	json_decref(j);
	arena_release(&a);
	assert_int_equal(store_state(&f->s, "src", 0, &j, &f->d), GLANE_OK);
	assert_int_equal(json_object_size(j), 0);
	json_decref(j);
	assert_int_equal(store_state(&f->s, "src", 3, &j, &f->d), GLANE_E_IO);
}

static void test_as_of(void **state)
{
	static const struct {
		int64_t t;
		uint64_t n;
	} table[] = {{0, 0}, {T0 - 1, 0}, {T0, 1}, {T0 + 86399, 1}, {T0 + 86400, 2}, {INT64_MAX, 2}};
	struct fixture *f = *state;
	uint64_t n;

	two_nights(f);
	for (size_t i = 0; i < N(table); i++) {
		assert_int_equal(store_commit_as_of(&f->s, "src", table[i].t, &n, &f->d), GLANE_OK);
		assert_int_equal(n, table[i].n);
	}
}

static void test_runs(void **state)
{
	static const char *const want[] = {"20261123T234435Z", "20261123T234435Z-2", "20261123T234435Z-3"};
	struct fixture *f = *state;
	const char **ids;
	struct arena a;
	json_t *j = json_object();
	char id[48];
	size_t n;

	arena_init(&a, 0);
	for (size_t i = 0; i < N(want); i++) {
		assert_int_equal(store_run_id(&f->s, T0, id, &f->d), GLANE_OK);
		assert_string_equal(id, want[i]);
		assert_int_equal(store_run_write(&f->s, id, j, &f->d), GLANE_OK);
	}
	for (int i = 4; i <= 11; i++) {
		assert_int_equal(store_run_id(&f->s, T0, id, &f->d), GLANE_OK);
		assert_int_equal(store_run_write(&f->s, id, j, &f->d), GLANE_OK);
	}
	assert_int_equal(store_run_write(&f->s, "20251123T234435Z", j, &f->d), GLANE_OK);
	fixture_damage(f, "runs/notes.txt", SLICE("mine"));
	assert_int_equal(store_runs(&f->s, &a, &ids, &n, &f->d), GLANE_OK);
	assert_int_equal(n, 12);
	assert_string_equal(ids[0], "20251123T234435Z");
	assert_string_equal(ids[1], want[0]);
	assert_string_equal(ids[2], want[1]);
	assert_string_equal(ids[11], "20261123T234435Z-11");
	json_decref(j);
	assert_int_equal(store_run_read(&f->s, want[1], &j, &f->d), GLANE_OK);
	json_decref(j);
	assert_int_equal(store_run_read(&f->s, "20271123T234435Z", &j, &f->d), GLANE_E_CONFIG);
	diag_clear(&f->d);
	assert_int_equal(store_run_read(&f->s, "../format", &j, &f->d), GLANE_E_USAGE);
	arena_release(&a);
}

/* A report is never written over. */
static void test_report_once(void **state)
{
	struct fixture *f = *state;
	json_t *j = json_object();

	assert_int_equal(store_run_write(&f->s, "20261123T234435Z", j, &f->d), GLANE_OK);
	assert_int_equal(store_run_write(&f->s, "20261123T234435Z", j, &f->d), GLANE_E_IO);
	json_decref(j);
}

static void test_last(void **state)
{
	struct fixture *f = *state;
	json_t *j;

	assert_int_equal(store_last_read(&f->s, "src", &j, &f->d), GLANE_OK);
	assert_int_equal(json_object_size(j), 0);
	assert_true(json_set_int(j, "checked", T0));
	assert_int_equal(store_last_write(&f->s, "src", j, &f->d), GLANE_OK);
	assert_int_equal(store_last_write(&f->s, "src", j, &f->d), GLANE_OK);
	json_decref(j);
	assert_int_equal(store_last_read(&f->s, "src", &j, &f->d), GLANE_OK);
	assert_int_equal(json_int(j, "checked", 0), T0);
	json_decref(j);
}

static glane_rc list_file(void *arg, int dir, const char *name)
{
	(void)dir;
	if (has_suffix(name, ".parquet"))
		strbuf_fmt(arg, "%s ", name);
	return GLANE_OK;
}

/* S10: bytes changed and lengths cut, all over every data file: found, with the file's name. */
static void test_bit_rot(void **state)
{
	struct fixture *f = *state;
	struct strbuf good, bad, b, names;
	struct slice rest;

	two_nights(f);
	strbuf_init(&good, 0);
	strbuf_init(&bad, 0);
	strbuf_init(&b, 0);
	strbuf_init(&names, 0);
	assert_int_equal(check(f, &b), 0);
	for (int table = 0; table < 3; table++) {
		static const char *const tables[] = {"stream", "current", "series"};

		strbuf_reset(&names);
		assert_int_equal(folder_each(f->s.dir, tables[table], list_file, &names, NULL), GLANE_OK);
		rest = slice_trim(strbuf_get(&names));
		while (rest.p) {
			struct slice name = slice_cut(&rest, ' ');
			char path[256];

			(void)snprintf(path, sizeof(path), "%s/%.*s", tables[table], SLICE_FMT(name));
			fixture_read(f, path, &good);
			if (delta_find(&f->s.lake->table[table], name))
				for (size_t i = 0; i < good.n; i += 1 + good.n / 40) {
					strbuf_reset(&bad);
					strbuf_slice(&bad, strbuf_get(&good));
					bad.p[i] = (char)(bad.p[i] ^ 1);
					fixture_damage(f, path, strbuf_get(&bad));
					assert_true(check(f, &b) > 0);
					assert_non_null(strstr(b.p, path));
					fixture_damage(f, path, (struct slice){good.p, i});
					assert_true(check(f, &b) > 0);
					assert_non_null(strstr(b.p, path));
				}
			fixture_damage(f, path, strbuf_get(&good));
		}
	}
	assert_int_equal(check(f, &b), 0);
	strbuf_release(&good);
	strbuf_release(&bad);
	strbuf_release(&b);
	strbuf_release(&names);
}

/* 2,000 rows that do not compress well, so that a data file has many sectors. */
static void refresh_much(struct fixture *f, const char *source, unsigned seed)
{
	static const char *const areas[] = {"BEN", "GHA", "MLI", "TGO"};
	struct cell *cells = mem_zalloc(2000, sizeof(*cells));

	assert_non_null(cells);
	for (unsigned i = 0; i < 2000; i++) {
		seed = seed * 1103515245 + 12345;
		cells[i] = (struct cell){
			"I", areas[i / 500], (int32_t)(i % 500 + 1500), (int64_t)(seed >> 4), -2, NULL, 0};
	}
	assert_int_equal(fixture_refresh(&f->s, source, cells, 2000, T0, &f->d), GLANE_OK);
	mem_free(cells);
}

#define SECTOR ((size_t)512)

static void spoil_sector(struct strbuf *b, size_t at, int how)
{
	char kept[SECTOR];

	if (how == 0) {
		memset(b->p + at, 0, SECTOR);
	} else if (how == 1) { /* it lies where the next one should */
		memcpy(b->p + at + SECTOR, b->p + at, SECTOR);
	} else {
		memcpy(kept, b->p + at, SECTOR);
		memcpy(b->p + at, b->p + at + SECTOR, SECTOR);
		memcpy(b->p + at + SECTOR, kept, SECTOR);
	}
}

static void export_of(struct fixture *f, const char *source, struct strbuf *b)
{
	const char *sources[] = {source, NULL};
	struct query q = {.source = sources, .as_of = INT64_MAX};

	assert_int_equal(fixture_export(&f->s, &q, b, &f->d), GLANE_OK);
	assert_true(b->n > 2000);
}

/* S10: sectors that are zeroed, written twice or in another's place are found, with the file's name; other sources are served. */
static void test_sectors(void **state)
{
	static const char *const tables[] = {"stream", "current", "series"};
	struct fixture *f = *state;
	struct strbuf good, bad, b, other, now;
	char path[512];
	unsigned n = 0;

	strbuf_init(&good, 0);
	strbuf_init(&bad, 0);
	strbuf_init(&b, 0);
	strbuf_init(&other, 0);
	strbuf_init(&now, 0);
	refresh_much(f, "src", 1);
	refresh_much(f, "zother", 2);
	export_of(f, "zother", &other);
	for (size_t t = 0; t < N(tables); t++) {
		fixture_find(f, tables[t], ".parquet", path);
		assert_non_null(strstr(path, "/src-"));
		fixture_read(f, path, &good);
		for (size_t at = 0; at + 2 * SECTOR <= good.n; at += SECTOR * (1 + good.n / SECTOR / 12)) {
			for (int how = 0; how < 3; how++, n++) {
				strbuf_reset(&bad);
				strbuf_slice(&bad, strbuf_get(&good));
				spoil_sector(&bad, at, how);
				fixture_damage(f, path, strbuf_get(&bad));
				assert_true(check(f, &b) > 0);
				assert_non_null(strstr(b.p, path));
				export_of(f, "zother", &now);
				assert_string_equal(now.p, other.p);
			}
		}
		fixture_damage(f, path, strbuf_get(&good));
	}
	print_message("# %u sectors\n", n);
	assert_true(n > 60);
	assert_int_equal(check(f, &b), 0);
	strbuf_release(&good);
	strbuf_release(&bad);
	strbuf_release(&b);
	strbuf_release(&other);
	strbuf_release(&now);
}

struct damage {
	const char *file, *from, *to, *finding;
};
#define LOG(n) "_delta_log/0000000000000000000" #n ".json"
static const struct damage damages[] = {
	{"stream/" LOG(2), "\"size\":", "\"size\":1", "where the commit wrote"},
	{"stream/" LOG(2), "\"path\":\"src-", "\"path\":\"srx-", "cannot open"},
	{"stream/" LOG(1), "\"numRecords\\\":4", "\"numRecords\\\":5", "4 rows, where the log says 5"},
	{"stream/" LOG(1), "minValues\\\":{\\\"source\\\":\\\"src", "minValues\\\":{\\\"source\\\":\\\"srd",
		"column source is not as the statistics"},
	{"stream/" LOG(2), "\\\"period_start\\\":\\\"2020-01-01", "\\\"period_start\\\":\\\"2021-01-01",
		"column period_start is not as the statistics"},
	{"current/" LOG(2), "\\\"flags\\\":2,", "\\\"flags\\\":1,", "column flags is not as the statistics"},
	{"stream/" LOG(1), "{\"add\"", "{\"add", "stream/" LOG(1)},
	{"current/" LOG(2), "\"glane:src\",\"version\":2", "\"glane:src\",\"version\":1", "behind the stream"},
	{"stream/" LOG(2), "{\"txn\":{\"appId\":\"glane.log\",\"version\":2}}\n", "", "its last line is missing"},
	{"state/src/2.json", "2026-11-24T", "2026-11-22T", "state/src/2.json: recorded_at is earlier"},
	{"state/src/1.json", "{", "[", "state/src/1.json:"},
	{"state/src/last.json", "{", "", "state/src/last.json:"},
	{"runs/20261123T234435Z.json", "}", "", "runs/20261123T234435Z.json:"},
};

static void replace(const struct fixture *f, const struct damage *m)
{
	struct strbuf in, out;
	const char *at;

	strbuf_init(&in, 0);
	strbuf_init(&out, 0);
	fixture_read(f, m->file, &in);
	at = strstr(in.p, m->from);
	assert_non_null(at);
	strbuf_add(&out, in.p, (size_t)(at - in.p));
	strbuf_puts(&out, m->to);
	strbuf_puts(&out, at + strlen(m->from));
	fixture_damage(f, m->file, strbuf_get(&out));
	strbuf_release(&in);
	strbuf_release(&out);
}

static void test_damages(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(damages); i++) {
		void *own = NULL;
		struct fixture *f;
		json_t *j = json_object();
		struct strbuf b;

		strbuf_init(&b, 0);
		assert_int_equal(fixture_setup(&own), 0);
		f = own;
		two_nights(f);
		assert_int_equal(store_last_write(&f->s, "src", j, &f->d), GLANE_OK);
		assert_int_equal(store_run_write(&f->s, "20261123T234435Z", j, &f->d), GLANE_OK);
		json_decref(j);
		replace(f, &damages[i]);
		store_close(&f->s);
		strbuf_puts(&b, "");
		if (store_open(&f->s, f->path, false, &f->d) == GLANE_OK)
			assert_true(check(f, &b) > 0);
		else
			strbuf_puts(&b, f->d.text);
		if (!strstr(b.p, damages[i].finding))
			fail_msg("'%s' is not in: %s", damages[i].finding, b.p);
		strbuf_release(&b);
		(void)fixture_teardown(&own);
	}
}

/* S12 */
static void test_missing(void **state)
{
	struct fixture *f = *state;
	char path[512];
	struct strbuf b;

	strbuf_init(&b, 0);
	two_nights(f);
	assert_int_equal(fixture_refresh(&f->s, "src", night1, N(night1), T0 + 2 * 86400, &f->d), GLANE_OK);
	assert_int_equal(unlinkat(f->s.dir, "state/src/1.json", 0), 0);
	assert_int_equal(check(f, &b), 1);
	assert_non_null(strstr(b.p, "state/src/1.json"));
	fixture_find(f, "stream", ".parquet", path);
	assert_int_equal(unlinkat(f->s.dir, path, 0), 0);
	assert_int_equal(check(f, &b), 3);
	assert_non_null(strstr(b.p, path));
	assert_int_equal(unlinkat(f->s.dir, "stream/" LOG(2), 0), 0);
	store_close(&f->s);
	assert_int_equal(store_open(&f->s, f->path, false, &f->d), GLANE_E_IO);
	assert_non_null(strstr(f->d.text, "stream/" LOG(2)));
	diag_clear(&f->d);
	assert_int_equal(store_open(&f->s, f->path, true, &f->d), GLANE_E_IO);
	strbuf_release(&b);
}

/* What `check` finds, or why the store is not opened. */
static void find_damage(struct fixture *f, struct strbuf *b)
{
	store_close(&f->s);
	strbuf_reset(b);
	strbuf_puts(b, "");
	diag_clear(&f->d);
	if (store_open(&f->s, f->path, false, &f->d) == GLANE_OK)
		(void)check(f, b);
	else
		strbuf_puts(b, f->d.text);
}

/* S12: a file that is there, but empty. */
static void test_emptied(void **state)
{
	static const struct {
		const char *file, *finding;
	} files[] = {{"stream/" LOG(2), "stream/" LOG(2)}, {"current/" LOG(2), "current/" LOG(2)},
		{"series/" LOG(1), "series/" LOG(1)}, {"state/src/2.json", "state/src/2.json"},
		{"state/src/1.json", "state/src/1.json"}, {"stream", "stream/src-"}, {"current", "current/src-"},
		{"series", "series/src-"}, {"format", "format"}};

	(void)state;
	for (size_t i = 0; i < N(files); i++) {
		void *own = NULL;
		struct fixture *f;
		struct strbuf b;
		char path[512];

		strbuf_init(&b, 0);
		assert_int_equal(fixture_setup(&own), 0);
		f = own;
		assert_int_equal(fixture_refresh(&f->s, "src", night1, N(night1), T0, &f->d), GLANE_OK);
		(void)snprintf(path, sizeof(path), "%s", files[i].file);
		if (strchr(path, '.') || i == N(files) - 1)
			assert_int_equal(fixture_refresh(&f->s, "src", night2, N(night2), T0 + 86400, &f->d), GLANE_OK);
		else /* of one night there is one data file */
			fixture_find(f, files[i].file, ".parquet", path);
		assert_int_equal(faccessat(f->s.dir, path, F_OK, 0), 0);
		fixture_damage(f, path, SLICE(""));
		find_damage(f, &b);
		if (!strstr(b.p, files[i].finding))
			fail_msg("%s is empty, and '%s' is not in: %s", path, files[i].finding, b.p);
		strbuf_release(&b);
		(void)fixture_teardown(&own);
	}
}

/* S12: files that nobody named are neither read nor an error; the next night is as any other. */
static void test_extra(void **state)
{
	static const struct query all = {.as_of = INT64_MAX};
	static const char *const extra[] = {"stream/notes.txt", "stream/src-20261123T234435Z-00000000-9-0.parquet",
		"current/x.parquet", "state/src/notes.txt", "stream/_delta_log/notes.txt"};
	struct fixture *f = *state;
	struct strbuf before, now;

	strbuf_init(&before, 0);
	strbuf_init(&now, 0);
	assert_int_equal(fixture_refresh(&f->s, "src", night1, N(night1), T0, &f->d), GLANE_OK);
	assert_int_equal(fixture_export(&f->s, &all, &before, &f->d), GLANE_OK);
	for (size_t i = 0; i < N(extra); i++)
		fixture_damage(f, extra[i], SLICE("no data"));
	find_damage(f, &now);
	assert_string_equal(now.p, "");
	assert_int_equal(fixture_export(&f->s, &all, &now, &f->d), GLANE_OK);
	assert_string_equal(now.p, before.p);
	store_close(&f->s);
	assert_int_equal(store_open(&f->s, f->path, true, &f->d), GLANE_OK);
	assert_int_equal(fixture_refresh(&f->s, "src", night2, N(night2), T0 + 86400, &f->d), GLANE_OK);
	find_damage(f, &now);
	assert_string_equal(now.p, "");
	strbuf_release(&before);
	strbuf_release(&now);
}

static glane_rc take_newest(void *arg, int dir, const char *name)
{
	char *newest = arg;

	(void)dir;
	if (has_suffix(name, ".parquet") && strcmp(name, newest) > 0)
		(void)snprintf(newest, 256, "%s", name);
	return GLANE_OK;
}

/* S12: an older data file of the same source lies where the newest should. */
static void put_older(struct fixture *f, const char *table)
{
	char older[512], newest[256] = "", path[512];
	struct strbuf old, b;

	strbuf_init(&old, 0);
	strbuf_init(&b, 0);
	two_nights(f);
	fixture_find(f, table, ".parquet", older);
	assert_int_equal(folder_each(f->s.dir, table, take_newest, newest, NULL), GLANE_OK);
	(void)snprintf(path, sizeof(path), "%s/%s", table, newest);
	assert_string_not_equal(path, older);
	fixture_read(f, older, &old);
	fixture_damage(f, path, strbuf_get(&old));
	find_damage(f, &b);
	if (!strstr(b.p, path))
		fail_msg("an older copy of %s is not in: %s", path, b.p);
	strbuf_release(&old);
	strbuf_release(&b);
}

static void test_older_event(void **state)
{
	put_older(*state, "stream");
}

static void test_older_rows(void **state)
{
	put_older(*state, "current");
}

static void assert_refused(struct fixture *f, const char *why)
{
	for (int write = 0; write < 2; write++) {
		diag_clear(&f->d);
		assert_int_equal(store_open(&f->s, f->path, write, &f->d), GLANE_E_IO);
		assert_non_null(strstr(f->d.text, why));
	}
}

/* S12: the newest entries of the stream's log are gone, then all of it: nobody takes the data for left-overs. */
static void test_log_lost(void **state)
{
	struct fixture *f = *state;
	struct store at = {.dir = -1};
	char path[512];
	int dir;

	two_nights(f);
	fixture_find(f, "stream", ".parquet", path);
	store_close(&f->s);
	dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_int_equal(unlinkat(dir, "stream/" LOG(2), 0), 0);
	assert_refused(f, "ends at version 1, but current has seen version 2");
	assert_int_equal(faccessat(dir, "state/src/2.json", F_OK, 0), 0);
	assert_int_equal(unlinkat(dir, "stream/" LOG(1), 0), 0);
	assert_int_equal(unlinkat(dir, "stream/" LOG(0), 0), 0);
	assert_refused(f, "ends at version -1, but current has seen version 2");
	for (int i = 0; i < 3; i++) {
		static const char *const logs[] = {LOG(0), LOG(1), LOG(2)};
		char name[128];

		(void)snprintf(name, sizeof(name), "current/%s", logs[i]);
		assert_int_equal(unlinkat(dir, name, 0), 0);
		(void)snprintf(name, sizeof(name), "series/%s", logs[i]);
		assert_int_equal(unlinkat(dir, name, 0), 0);
	}
	assert_refused(f, "but no log");
	assert_int_equal(faccessat(dir, path, F_OK, 0), 0);
	close(dir);
	f->s = at;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_log_lost, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_lock, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_read_only, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_commits, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_as_of, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_runs, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_report_once, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_last, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_bit_rot, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_sectors, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_damages),
		cmocka_unit_test(test_emptied),
		cmocka_unit_test_setup_teardown(test_extra, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_older_event, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_older_rows, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_missing, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
