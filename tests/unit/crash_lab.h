/* SPDX-License-Identifier: MIT */
/*
 * The laboratory of test_crash.c and test_cuts.c: whatever changes a store, as scenes; a scene is played in a process of its own and
 * struck there by the faults of support/disk_model.h. Then a reader sees one of the states that were published, none older than what was
 * acknowledged; a run without a fault brings the last state byte for byte, with every vintage, and nothing is left over.
 */
#ifndef CRASH_LAB_H
#define CRASH_LAB_H
#include "lake_fixture.h"
#include "support/disk_model.h"
#include <sys/mman.h>
#include <sys/wait.h>

#define N(a) (sizeof(a) / sizeof(*(a)))
#define STATES 4
#define VINTAGES 4
#define CALLS 4000

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
struct counts {
	unsigned cases, points, errors, kills, cuts, compound;
};
static struct lab {
	char top[64], base[96], work[96];
	int stash;
	struct told *told;
	bool child, recording;
	char replay[96]; /* what repeats this case, before whatever is said of it */
	struct strbuf state[STATES], vintage[VINTAGES];
	int64_t moment[VINTAGES];
	unsigned states;
	size_t vintages;
	struct counts n;
} lab;
static struct counts total;

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

static void make_one_source(const char *path)
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

static void make_without_current(const char *path)
{
	make_two(path);
	remove_tree(path, "current");
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

/* Which of the published states that is; STATES: none. */
static unsigned state_of(const struct strbuf *got)
{
	unsigned i = lab.states;

	while (i > 0 && !same(got, &lab.state[i - 1]))
		i--;
	return i ? i - 1 : STATES;
}

/* The state that a reader sees now. */
static unsigned state_now(const char *where)
{
	struct strbuf got;
	unsigned found;

	strbuf_init(&got, 0);
	read_state(lab.work, &got);
	found = state_of(&got);
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
	lab.n.points++;
	if (fault == DISK_KILL)
		lab.n.kills++;
	else if (fault == DISK_CUT)
		lab.n.cuts++;
	else if (lab.told->struck || fault == DISK_EIO_CUT)
		lab.n.errors++;
}

struct strike {
	enum disk_fault fault;
	long k;
	uint64_t seed;
};

/* One fault after the other, the later ones in the recovery from the earlier; then the recovery without one. */
static void one_case(const struct scene *sc, const struct strike *s, size_t n, long calls)
{
	char where[320];
	unsigned before = 0;

	(void)snprintf(where, sizeof(where), "%s%s", lab.replay, sc->name);
	remove_tree(lab.work, "");
	copy_tree(lab.base, lab.work);
	for (size_t i = 0; i < n; i++) {
		unsigned now;

		(void)snprintf(where + strlen(where), sizeof(where) - strlen(where), ", %s%s at call %ld of %ld",
			i ? "then " : "", disk_fault_names[s[i].fault], s[i].k, calls);
		judge(struck(sc, s[i].fault, s[i].k, s[i].seed), s[i].fault, where);
		count(s[i].fault);
		lab.n.compound += i > 0;
		now = state_now(where);
		if (i == 0 && now < lab.told->acknowledged)
			fail_msg("%s: what was acknowledged is gone", where);
		if (now < before)
			fail_msg("%s: what was there before the recovery is gone", where);
		before = now;
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

static int teardown(void **state)
{
	(void)state;
	total.cases += lab.n.cases;
	total.points += lab.n.points;
	total.errors += lab.n.errors;
	total.kills += lab.n.kills;
	total.cuts += lab.n.cuts;
	total.compound += lab.n.compound;
	for (size_t i = 0; i < STATES; i++)
		strbuf_release(&lab.state[i]);
	for (size_t i = 0; i < VINTAGES; i++)
		strbuf_release(&lab.vintage[i]);
	(void)munmap(lab.told, sizeof(*lab.told));
	remove_tree(lab.top, "");
	return 0;
}

/* ---- the scenes ---- */

static const struct scene scenes[] = {
	{"first_start", make_none, work_first, {1, 1, 1}, 2},
	{"commit", make_two, work_commit, {3, 3, 3}, 2},
	{"checkpoint", make_nineteen, work_checkpoint, {20, 20}, 2},
	{"interim", make_two, work_interim, {3, 3, 3}, 3},
	{"upkeep", make_one_source, work_upkeep, {32}, 2},
	{"compact", make_five, work_compact, {5, 5, 5}, 1},
	{"vacuum", make_superseded, work_vacuum, {62}, 1},
	{"recovery_behind", make_behind, work_commit, {3, 3, 3}, 2},
	{"recovery_left_overs", make_left_overs, work_commit, {3, 3, 3}, 2},
	{"rebuild", make_without_current, work_commit, {3, 3, 3}, 2},
};

#define MORE 4

/* A test of each scene, which it gets as its state; `more` are tests behind them. An argument is the name of the only one to run. */
static int run_scenes(const char *group, void (*test)(void **state), const struct CMUnitTest *more, size_t n_more,
	int argc, char **argv)
{
	static char name[N(scenes)][40];
	struct CMUnitTest tests[N(scenes) + MORE] = {{0}}; /* cmocka leaves out what is empty */

	for (size_t i = 0; i < N(scenes); i++) {
		(void)snprintf(name[i], sizeof(name[i]), "test_%s", scenes[i].name);
		tests[i] = (struct CMUnitTest){name[i], test, setup, teardown, NULL};
		memcpy(&tests[i].initial_state, &(const struct scene *){&scenes[i]}, sizeof(void *));
	}
	memcpy(tests + N(scenes), more, (n_more < MORE ? n_more : MORE) * sizeof(*more));
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name(group, tests, NULL, NULL);
}
#endif
