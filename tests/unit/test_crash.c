/* SPDX-License-Identifier: MIT */
/*
 * Whatever changes a store (crash_lab.h), struck at its calls by every fault of support/disk_model.h (RELIABILITY S2, S3, S5, S7, S8, S11,
 * S13); on some points another fault strikes the recovery.
 * In steps; GLANE_LONG=1: each call that changes or syncs, and each tenth write; 2: each write too. The counts are comments in the
 * output. An argument is the name of the only test to run.
 */
#include "crash_lab.h"

#ifdef __SANITIZE_ADDRESS__
#define SHARE 4 /* of the points, as each takes so much longer */
#else
#define SHARE 1
#endif

static void one_point(const struct scene *sc, enum disk_fault fault, long k, long calls)
{
	enum disk_fault second = k % 2 ? DISK_CUT : k % 4 ? DISK_KILL : DISK_EIO_CUT;
	const struct strike s[] = {{fault, k, (uint64_t)k * 31 + fault}, {second, 1 + k * 7 % calls, (uint64_t)k}};

	one_case(sc, s, (k + (long)fault) % 3 == 0 ? 2 : 1, calls);
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
		lab.n.points, lab.n.errors, lab.n.kills, lab.n.cuts, lab.n.compound);
}
static void test_scene(void **state)
{
	strike_scene(*state);
}

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
int main(int argc, char **argv)
{
	const struct CMUnitTest more[] = {cmocka_unit_test(test_enough)};

	return run_scenes("crash", test_scene, more, N(more), argc, argv);
}
