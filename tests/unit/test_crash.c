/* SPDX-License-Identifier: MIT */
/*
 * Whatever changes a store, struck at its calls by every fault of support/disk_model.h (RELIABILITY S2, S3, S5, S7, S8, S11, S13), in a process of its own. Then a reader sees
 * one of the states that were published, none older than what was acknowledged; on some points another fault strikes the
 * recovery; a run without a fault brings the last state byte for byte, with every vintage, and nothing is left over.
 * In steps; GLANE_LONG=1: each call that changes or syncs, and each tenth write; 2: each write too. The counts are comments in the
 * output. An argument is the name of the only test to run.
 */
#include "lake_fixture.h"
#include "support/disk_model.h"
#include <dirent.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define N(a) (sizeof(a) / sizeof(*(a)))
#define STATES 4
#define VINTAGES 4
#define CALLS 4000
#ifdef __SANITIZE_ADDRESS__
#define SHARE 4 /* of the points, as each takes so much longer */
#else
#define SHARE 1
#endif

static const char *const sources[] = {"a", "b-2", "c"};

struct scene {
	const char *name;
	void (*make)(const char *path); /* the store before */
	glane_rc (*work)(struct store *s, struct diag *d);
	uint64_t night[N(sources)]; /* that each source stands at in the end */
	unsigned states;            /* that the work goes through, the one before it included */
};

/* What a child tells, whatever becomes of it. */
struct told {
	unsigned acknowledged;
	long calls;
	char kinds[CALLS];
	bool struck;
};
static struct lab {
	char top[64], base[96], work[96];
	int stash;
	struct told *told;
	bool child, recording;
	struct strbuf state[STATES], vintage[VINTAGES];
	int64_t moment[VINTAGES];
	unsigned states;
	size_t vintages;
	unsigned points, errors, kills, cuts, compound;
} lab;

/* ---- what is done to a store ---- */

static int64_t time_of(uint64_t night)
{
	return T0 + (int64_t)night * 86400;
}

/* What has been published is said to be true. */
static void published(const struct store *s)
{
	if (lab.child)
		lab.told->acknowledged++;
	else if (lab.recording) {
		assert_true(lab.states < STATES);
		lake_export(s, &lab.state[lab.states++], INT64_MAX);
	}
}

static glane_rc commit(struct store *s, const char *source, uint64_t n, struct diag *d)
{
	const struct cover full = {.kind = GLANE_COVER_FULL, .dataset = SLICE("DS")};
	struct cell cells[KEYS];
	struct diff_result r;
	json_t *state = json_object();
	uint64_t previous = 0, made;
	glane_rc rc;

	rc = fixture_diff(s, source, cells, lake_night(cells, n), &full, 1, time_of(n), &r, d);
	if (rc == GLANE_OK) {
		rc = store_commit_number(s, source, &previous, d);
		if (rc == GLANE_OK && r.events)
			rc = diff_commit(s, source, previous, &r, state, &made, d);
		diff_release(&r);
	}
	json_decref(state);
	return rc;
}

static glane_rc publish(struct store *s, struct diag *d)
{
	glane_rc rc = store_publish(s, d);

	if (rc == GLANE_OK)
		published(s);
	return rc;
}

/* A night of the first `count` sources, as one version. */
static glane_rc one_run(struct store *s, size_t count, uint64_t n, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < count; i++)
		rc = commit(s, sources[i], n, d);
	return rc == GLANE_OK ? publish(s, d) : rc;
}

static glane_rc work_first(struct store *s, struct diag *d)
{
	return one_run(s, N(sources), 1, d);
}

static glane_rc work_commit(struct store *s, struct diag *d)
{
	return one_run(s, N(sources), 3, d);
}

static glane_rc work_checkpoint(struct store *s, struct diag *d)
{
	return one_run(s, 2, 20, d);
}

/* A run that takes long publishes what it has, and goes on. */
static glane_rc work_interim(struct store *s, struct diag *d)
{
	glane_rc rc = one_run(s, 1, 3, d);

	if (rc == GLANE_OK)
		rc = commit(s, sources[1], 3, d);
	if (rc == GLANE_OK)
		rc = commit(s, sources[2], 3, d);
	return rc == GLANE_OK ? publish(s, d) : rc;
}

static glane_rc work_upkeep(struct store *s, struct diag *d)
{
	glane_rc rc = one_run(s, 1, 32, d);

	return rc == GLANE_OK ? store_upkeep(s, d) : rc;
}

static glane_rc work_compact(struct store *s, struct diag *d)
{
	struct store_compacted r;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < N(sources); i++)
		rc = store_compact(s, sources[i], false, &r, d);
	return rc == GLANE_OK ? store_publish(s, d) : rc;
}

static glane_rc work_vacuum(struct store *s, struct diag *d)
{
	struct store_swept r;

	return store_vacuum(s, clock_utc() + 60, false, &r, d);
}

/* ---- stores to begin with ---- */

static void make_runs(const char *path, size_t count, uint64_t n)
{
	struct diag d = {0};
	struct store s;

	assert_int_equal(store_open(&s, path, true, &d), GLANE_OK);
	for (uint64_t i = 1; i <= n; i++)
		assert_int_equal(one_run(&s, count, i, &d), GLANE_OK);
	store_close(&s);
}

static void make_none(const char *path)
{
	(void)path;
}

static void make_two(const char *path)
{
	make_runs(path, N(sources), 2);
}

static void make_nineteen(const char *path)
{
	make_runs(path, 2, 19);
}

static void make_many(const char *path)
{
	make_runs(path, 1, 31);
}

static void make_five(const char *path)
{
	make_runs(path, N(sources), 5);
}

/* Three checkpoints, files of three generations, and what none of them needs any more. */
static void make_superseded(const char *path)
{
	struct store_compacted r;
	struct diag d = {0};
	struct store s;

	make_runs(path, 1, 45);
	assert_int_equal(store_open(&s, path, true, &d), GLANE_OK);
	assert_int_equal(store_upkeep(&s, &d), GLANE_OK);
	for (uint64_t i = 46; i <= 62; i++)
		assert_int_equal(one_run(&s, 1, i, &d), GLANE_OK);
	assert_int_equal(store_compact(&s, sources[0], false, &r, &d), GLANE_OK);
	assert_int_equal(store_publish(&s, &d), GLANE_OK);
	store_close(&s);
}

static void remove_tree(const char *path, const char *name)
{
	char full[192];

	(void)snprintf(full, sizeof(full), "%s%s%s", path, *name ? "/" : "", name);
	(void)nftw(full, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_without_current(const char *path)
{
	make_two(path);
	remove_tree(path, "current");
}

/* Files are never written twice, so that links will do. */
static void copy_tree(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	const struct dirent *e;

	if (!dir)
		return; /* the store before the first start */
	assert_int_equal(mkdir(to, 0755), 0);
	while ((e = readdir(dir))) {
		char a[320], b[320];
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, "lock") == 0)
			continue;
		(void)snprintf(a, sizeof(a), "%s/%s", from, e->d_name);
		(void)snprintf(b, sizeof(b), "%s/%s", to, e->d_name);
		assert_int_equal(lstat(a, &st), 0);
		if (S_ISDIR(st.st_mode))
			copy_tree(a, b);
		else
			assert_int_equal(link(a, b), 0);
	}
	(void)closedir(dir);
}

/* ---- a child at work ---- */

static _Noreturn void child(const struct scene *sc, enum disk_fault fault, long k, uint64_t seed)
{
	struct diag d = {0};
	struct store s;
	glane_rc rc;

	lab.child = true;
	disk_model_begin(fault, k, seed, lab.stash);
	rc = store_open(&s, lab.work, true, &d);
	if (rc == GLANE_OK) {
		rc = sc->work(&s, &d);
		store_close(&s);
	}
	lab.told->calls = disk_model_calls(lab.told->kinds, CALLS);
	lab.told->struck = disk_model_end();
	if (rc != GLANE_OK && rc != GLANE_E_IO)
		fprintf(stderr, "code %d: %s\n", rc, d.text);
	_exit(rc == GLANE_OK ? 0 : rc == GLANE_E_IO ? 1 : 2);
}

/* The whole of it, from opening the store on. 0: it got through, 1: it failed, DISK_DEAD; anything else is wrong. */
static int struck(const struct scene *sc, enum disk_fault fault, long k, uint64_t seed)
{
	char name[96];
	int status = 0;
	pid_t pid;

	memset(lab.told, 0, sizeof(*lab.told));
	(void)snprintf(name, sizeof(name), "%s/stash", lab.top);
	remove_tree(name, "");
	assert_int_equal(mkdir(name, 0755), 0);
	lab.stash = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(lab.stash >= 0);
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(sc, fault, k, seed);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fd_close(&lab.stash);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A store as a run leaves it that was killed before call k, where `wanted` takes it. */
static void make_killed(const char *path, bool (*wanted)(const struct store *s), bool last)
{
	const struct scene commit_scene = {.name = "commit", .work = work_commit};
	char base[96], found[96];
	bool any = false;

	(void)snprintf(base, sizeof(base), "%s/two", lab.top);
	(void)snprintf(found, sizeof(found), "%s/found", lab.top);
	make_two(base);
	for (long k = 1; last || !any; k++) {
		struct diag d = {0};
		struct store s;
		bool fits;
		int code;

		remove_tree(lab.work, "");
		copy_tree(base, lab.work);
		code = struck(&commit_scene, DISK_KILL, k, 0);
		if (code == 0)
			break;
		assert_int_equal(store_open(&s, lab.work, false, &d), GLANE_OK);
		fits = wanted(&s);
		store_close(&s);
		if (fits) {
			any = true;
			remove_tree(found, "");
			copy_tree(lab.work, found);
		}
	}
	assert_true(any);
	assert_int_equal(rename(found, path), 0);
	remove_tree(base, "");
}

static bool is_behind(const struct store *s)
{
	return lake_commit(s, LAKE_STREAM, sources[0]) == 3 && !lake_in_step(s, sources[0]);
}

static bool is_unpublished(const struct store *s)
{
	return lake_commit(s, LAKE_STREAM, sources[0]) == 2;
}

/* The stream has the commit, current and series have it not. */
static void make_behind(const char *path)
{
	make_killed(path, is_behind, false);
}

/* Everything of the commit is there but the version of the stream. */
static void make_left_overs(const char *path)
{
	make_killed(path, is_unpublished, true);
}

/* ---- what must hold ---- */

static void read_state(const char *path, struct strbuf *b)
{
	struct diag d = {0};
	struct store s;

	if (store_open_if_any(&s, path, &d) < 0)
		fail_msg("a reader: %s", d.text);
	lake_export(&s, b, INT64_MAX);
	store_close(&s);
}

static int tmp_seen;

static int count_tmp(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	bool in_tmp = strstr(path, "/tmp/") && type == FTW_F && strstr(path + strlen(lab.work), "/tmp/");

	(void)st;
	(void)ftw;
	if (in_tmp || (type == FTW_F && has_suffix(path, ".tmp"))) {
		print_message("left over: %s\n", path);
		tmp_seen++;
	}
	return 0;
}

static bool same(const struct strbuf *a, const struct strbuf *b)
{
	return slice_eq(strbuf_get(a), strbuf_get(b));
}

/* The state that a reader sees now. */
static unsigned state_now(const char *where)
{
	struct strbuf got;
	unsigned found = STATES;

	strbuf_init(&got, 0);
	read_state(lab.work, &got);
	for (unsigned i = 0; i < lab.states; i++) {
		if (same(&got, &lab.state[i]))
			found = i;
	}
	if (found == STATES)
		fail_msg("%s: none of the %u states that were published:\n%s", where, lab.states,
			got.n ? got.p : "nothing");
	strbuf_release(&got);
	return found;
}

static void check_vintages(const struct store *s, const char *where)
{
	struct strbuf got;

	strbuf_init(&got, 0);
	for (size_t i = 0; i < lab.vintages; i++) {
		lake_export(s, &got, lab.moment[i]);
		if (!same(&got, &lab.vintage[i]))
			fail_msg("%s: vintage %d is another one", where, (int)i);
	}
	strbuf_release(&got);
}

/* The next run, without a fault. */
static void recover(const struct scene *sc, const char *where)
{
	struct diag d = {0};
	struct store s;

	if (store_open(&s, lab.work, true, &d) < 0 || sc->work(&s, &d) < 0)
		fail_msg("%s: the next run: %s", where, d.text);
	check_vintages(&s, where);
	if (lake_check(&s))
		fail_msg("%s: the store is damaged after the next run", where);
	store_close(&s);
	if (state_now(where) != lab.states - 1)
		fail_msg("%s: the next run has not brought the last state", where);
	tmp_seen = 0;
	(void)nftw(lab.work, count_tmp, 16, FTW_PHYS);
	if (tmp_seen)
		fail_msg("%s: files are left over", where);
}

static void judge(int code, enum disk_fault fault, const char *where)
{
	bool dies = fault == DISK_KILL || fault == DISK_CUT || fault == DISK_EIO_CUT;
	bool harmless = fault == DISK_HALF || fault == DISK_EINTR;

	if (code != 0 && (dies ? code != DISK_DEAD : harmless || code != 1))
		fail_msg("%s: exit status %d", where, code);
}

static void count(enum disk_fault fault)
{
	lab.points++;
	if (fault == DISK_KILL)
		lab.kills++;
	else if (fault == DISK_CUT)
		lab.cuts++;
	else if (lab.told->struck || fault == DISK_EIO_CUT)
		lab.errors++;
}

/* One fault, perhaps another one during the recovery, and the recovery. */
static void one_point(const struct scene *sc, enum disk_fault fault, long k, long calls)
{
	char where[160];
	unsigned acknowledged, now;

	(void)snprintf(where, sizeof(where), "%s, %s at call %ld of %ld", sc->name, disk_fault_names[fault], k, calls);
	remove_tree(lab.work, "");
	copy_tree(lab.base, lab.work);
	judge(struck(sc, fault, k, (uint64_t)k * 31 + fault), fault, where);
	count(fault);
	acknowledged = lab.told->acknowledged;
	now = state_now(where);
	if (now < acknowledged)
		fail_msg("%s: what was acknowledged is gone", where);
	if ((k + (long)fault) % 3 == 0) {
		enum disk_fault second = k % 2 ? DISK_CUT : k % 4 ? DISK_KILL : DISK_EIO_CUT;
		long at = 1 + k * 7 % calls;

		(void)snprintf(where + strlen(where), sizeof(where) - strlen(where), ", then %s at call %ld",
			disk_fault_names[second], at);
		judge(struck(sc, second, at, (uint64_t)k), second, where);
		count(second);
		lab.compound++;
		if (state_now(where) < now)
			fail_msg("%s: what was there before the recovery is gone", where);
	}
	recover(sc, where);
}

/* The states and vintages of a run without a fault, and its number of calls. */
static long record(const struct scene *sc)
{
	struct diag d = {0};
	struct store s;

	lab.states = 0;
	lab.vintages = 0;
	remove_tree(lab.work, "");
	copy_tree(lab.base, lab.work);
	read_state(lab.work, &lab.state[lab.states++]);
	lab.recording = true;
	assert_int_equal(store_open(&s, lab.work, true, &d), GLANE_OK);
	if (sc->work(&s, &d) < 0)
		fail_msg("%s", d.text);
	lab.recording = false;
	assert_int_equal(lab.states, sc->states);
	for (size_t i = 0; i < N(sources); i++) {
		if (sc->night[i])
			lake_holds(lab.state[lab.states - 1].p, sources[i], sc->night[i]);
	}
	for (size_t i = 0; i < VINTAGES; i++) {
		lab.moment[lab.vintages] = time_of(1 + i * sc->night[0] / VINTAGES);
		lake_export(&s, &lab.vintage[lab.vintages], lab.moment[lab.vintages]);
		lake_holds(lab.vintage[lab.vintages].p, sources[0], 1 + i * sc->night[0] / VINTAGES);
		lab.vintages++;
	}
	assert_int_equal(lake_check(&s), 0);
	store_close(&s);
	remove_tree(lab.work, "");
	copy_tree(lab.base, lab.work);
	assert_int_equal(struck(sc, DISK_EIO, 0, 0), 0);
	return lab.told->calls;
}

/* Without GLANE_LONG: of each fault so many of the calls that change or sync a folder or a file, evenly spread, and so many of
 * the writes, of which there are more and between which little happens. */
static const struct {
	long changes, writes;
} wanted[DISK_FAULTS] = {
	[DISK_CUT] = {24, 3},
	[DISK_EIO_CUT] = {14, 2},
	[DISK_KILL] = {14, 3},
	[DISK_EIO] = {10, 3},
	[DISK_EIO_ON] = {7, 2},
	[DISK_ENOSPC] = {6, 3},
	[DISK_EDQUOT] = {6, 3},
	[DISK_TORN] = {0, 6},
	[DISK_HALF] = {0, 2},
	[DISK_EINTR] = {0, 3},
};

static long kind_count(const char *kinds, long calls, bool write)
{
	long n = 0;

	for (long k = 0; k < calls; k++)
		n += (kinds[k] == 'w') == write;
	return n;
}

static void strike_kind(const struct scene *sc, enum disk_fault fault, const char *kinds, long calls, bool write)
{
	long want = ((write ? wanted[fault].writes : wanted[fault].changes) + SHARE - 1) / SHARE;
	long n = kind_count(kinds, calls, write), seen = 0;
	const char *lasting = getenv("GLANE_LONG");

	if (lasting && want)
		want = write && strcmp(lasting, "2") != 0 ? 1 + n / 10 : n;
	for (long k = 0; k < calls; k++) {
		if ((kinds[k] == 'w') != write)
			continue;
		if (want >= n || seen * want / n != (seen + 1) * want / n)
			one_point(sc, fault, k + 1, calls);
		seen++;
	}
}

static void strike_scene(const struct scene *sc)
{
	char kinds[CALLS];
	long calls;

	remove_tree(lab.base, "");
	sc->make(lab.base);
	calls = record(sc);
	assert_true(calls > 5 && calls < CALLS);
	memcpy(kinds, lab.told->kinds, sizeof(kinds));
	print_message("# %s: %ld calls, %ld of them writes\n", sc->name, calls, kind_count(kinds, calls, true));
	for (enum disk_fault fault = 0; fault < DISK_FAULTS; fault++) {
		strike_kind(sc, fault, kinds, calls, false);
		strike_kind(sc, fault, kinds, calls, true);
	}
	one_point(sc, DISK_CUT, calls + 1, calls);
	print_message("# %s: %u points: %u errors, %u kills, %u power cuts; %u of these during a recovery\n", sc->name,
		lab.points, lab.errors, lab.kills, lab.cuts, lab.compound);
}

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	fixture_fast();
	lab = (struct lab){.stash = -1};
	(void)snprintf(lab.top, sizeof(lab.top), "%s/glane-crash-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(lab.top))
		return -1;
	(void)snprintf(lab.base, sizeof(lab.base), "%s/base", lab.top);
	(void)snprintf(lab.work, sizeof(lab.work), "%s/work", lab.top);
	lab.told = mmap(NULL, sizeof(*lab.told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < STATES; i++)
		strbuf_init(&lab.state[i], 0);
	for (size_t i = 0; i < VINTAGES; i++)
		strbuf_init(&lab.vintage[i], 0);
	return lab.told == MAP_FAILED ? -1 : 0;
}

static struct {
	unsigned points, errors, kills, cuts, compound;
} total;

static int teardown(void **state)
{
	(void)state;
	total.points += lab.points;
	total.errors += lab.errors;
	total.kills += lab.kills;
	total.cuts += lab.cuts;
	total.compound += lab.compound;
	for (size_t i = 0; i < STATES; i++)
		strbuf_release(&lab.state[i]);
	for (size_t i = 0; i < VINTAGES; i++)
		strbuf_release(&lab.vintage[i]);
	(void)munmap(lab.told, sizeof(*lab.told));
	remove_tree(lab.top, "");
	return 0;
}

#define SCENE(id, ...)                                                                                                 \
	static void test_##id(void **state)                                                                            \
	{                                                                                                              \
		static const struct scene sc = {#id, __VA_ARGS__};                                                     \
		(void)state;                                                                                           \
		strike_scene(&sc);                                                                                     \
	}

SCENE(first_start, make_none, work_first, {1, 1, 1}, 2)
SCENE(commit, make_two, work_commit, {3, 3, 3}, 2)
SCENE(checkpoint, make_nineteen, work_checkpoint, {20, 20}, 2)
SCENE(interim, make_two, work_interim, {3, 3, 3}, 3)
SCENE(upkeep, make_many, work_upkeep, {32}, 2)
SCENE(compact, make_five, work_compact, {5, 5, 5}, 1)
SCENE(vacuum, make_superseded, work_vacuum, {62}, 1)
SCENE(recovery_behind, make_behind, work_commit, {3, 3, 3}, 2)
SCENE(recovery_left_overs, make_left_overs, work_commit, {3, 3, 3}, 2)
SCENE(rebuild, make_without_current, work_commit, {3, 3, 3}, 2)

static void test_enough(void **state)
{
	(void)state;
	print_message(
		"# %u points: %u injected errors, %u kills, %u power cuts; of all of these %u during a recovery\n",
		total.points, total.errors, total.kills, total.cuts, total.compound);
	assert_true(total.errors >= 500 / SHARE);
	assert_true(total.kills >= 100 / SHARE);
	assert_true(total.cuts >= 100 / SHARE);
}

#define TEST(id) cmocka_unit_test_setup_teardown(test_##id, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {TEST(first_start), TEST(commit), TEST(checkpoint), TEST(interim),
		TEST(upkeep), TEST(compact), TEST(vacuum), TEST(recovery_behind), TEST(recovery_left_overs),
		TEST(rebuild), cmocka_unit_test(test_enough)};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
