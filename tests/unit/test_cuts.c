/* SPDX-License-Identifier: MIT */
/*
 * Power cuts (RELIABILITY S7, S8) at random moments of whatever changes a store (crash_lab.h), any subset of what was not synced lost, often again during the
 * recovery: nothing that was acknowledged is lost, nothing is there twice.
 * GLANE_TEST_CUTS: how many (200; 10,000 by hand), GLANE_TEST_SEED: of which dice; case i throws those of seed + i, so that a failure,
 * which prints its own, is repeated alone. An argument is the name of the only test to run.
 */
#include "crash_lab.h"
#include <inttypes.h>

#ifdef __SANITIZE_ADDRESS__
#define CUTS 50
#else
#define CUTS 200
#endif
#define LIES 200 /* cuts of a disk that lies, at most */

static uint64_t dice;

static uint64_t thrown(uint64_t sides)
{
	dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (dice >> 33) % sides;
}

static int64_t asked(const char *name, int64_t otherwise)
{
	const char *text = getenv(name);
	int64_t n;

	if (!text)
		return otherwise;
	if (!slice_int(slice_of(text), 1, INT64_MAX / 2, &n))
		fail_msg("%s is no number above 0: %s", name, text);
	return n;
}

static uint64_t seed_of_all(void)
{
	static int64_t seed;

	if (!seed)
		seed = asked("GLANE_TEST_SEED", 1 + (int64_t)((uint64_t)clock_utc() * 1000003 % 1000000000));
	return (uint64_t)seed;
}

/* One cut, or two or three, each but the first in the recovery from the one before. */
static void one_cut(const struct scene *sc, uint64_t seed, long calls)
{
	struct strike s[3];
	size_t n = 1;

	dice = seed + (uint64_t)(sc - scenes) * UINT64_C(0x9e3779b97f4a7c15);
	while (n < N(s) && thrown(3) == 0)
		n++;
	for (size_t i = 0; i < n; i++)
		s[i] = (struct strike){DISK_CUT, 1 + (long)thrown((uint64_t)calls + 1), thrown(UINT32_MAX)};
	(void)snprintf(lab.replay, sizeof(lab.replay),
		"GLANE_TEST_SEED=%" PRIu64 " GLANE_TEST_CUTS=1 test_cuts test_%s: ", seed, sc->name);
	one_case(sc, s, n, calls);
	lab.n.cases++;
}

static long prepare(const struct scene *sc)
{
	remove_tree(lab.base, "");
	sc->make(lab.base);
	return record(sc);
}

static void test_scene(void **state)
{
	const struct scene *sc = *state;
	const size_t index = (size_t)(sc - scenes);
	const int64_t all = asked("GLANE_TEST_CUTS", CUTS);
	const int64_t share =
		all < (int64_t)N(scenes) ? all : (all + (int64_t)(N(scenes) - 1 - index)) / (int64_t)N(scenes);
	const long calls = prepare(sc);

	assert_true(calls > 5 && share > 0);
	for (int64_t i = 0; i < share; i++)
		one_cut(sc, seed_of_all() + (uint64_t)i, calls);
	print_message("# %s: %" PRId64 " cases of %ld calls, seed %" PRIu64
		      ": %u power cuts, %u of these during a recovery: "
		      "0 lost, 0 doubled\n",
		sc->name, share, calls, seed_of_all(), lab.n.cuts, lab.n.compound);
}

/* The same cuts where no sync is one: then something is lost, and it is seen. */
static void test_lies_are_seen(void **state)
{
	const struct scene *sc = &scenes[1];
	const long calls = prepare(sc);
	unsigned cuts = 0, lost = 0;

	(void)state;
	for (; lost < 3 && cuts < LIES; cuts++) {
		struct query q = {.as_of = INT64_MAX, .withdrawn = true};
		struct diag d = {0};
		struct strbuf got;
		struct store s;
		bool seen = false;

		remove_tree(lab.work, "");
		copy_tree(lab.base, lab.work);
		assert_int_equal(struck(sc, DISK_LIES, calls + 1, cuts), DISK_DEAD);
		assert_int_equal(lab.told->acknowledged, 1);
		strbuf_init(&got, 0);
		if (store_open_if_any(&s, lab.work, &d) == GLANE_OK) {
			seen = fixture_export(&s, &q, &got, &d) == GLANE_OK && state_of(&got) == lab.states - 1;
			store_close(&s);
		}
		strbuf_release(&got);
		lost += !seen;
	}
	print_message("# a disk that lies: %u losses seen in %u cuts\n", lost, cuts);
	assert_true(lost >= 3);
}

static void test_enough(void **state)
{
	(void)state;
	print_message("# %u cases, %u power cuts, %u of these during a recovery: 0 lost, 0 doubled\n", total.cases,
		total.cuts, total.compound);
	assert_true(total.cuts >= total.cases && total.cases > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest more[] = {
		cmocka_unit_test_setup_teardown(test_lies_are_seen, setup, teardown), cmocka_unit_test(test_enough)};

	return run_scenes("cuts", test_scene, more, N(more), argc, argv);
}
