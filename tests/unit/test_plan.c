/* SPDX-License-Identifier: MIT */
/* What is due (RELIABILITY P10): the rule of DESIGN section 6 at its edges, and that a nightly cron never skips a night. */
#include "sched/task.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define T0 INT64_C(1772334000) /* 2026-03-01T03:00:00Z */

static bool due(int64_t every, int64_t checked, int64_t now)
{
	const struct run r = {.now = now};
	const struct source_conf c = {.every = every};
	json_t *last = json_object();
	bool answer;

	assert_true(checked == INT64_MIN || json_set_int(last, "checked", checked));
	answer = source_due(&r, &c, last);
	json_decref(last);
	return answer;
}

/* Due from start + every - min(every / 4, 6 h) on, to the second. */
static void test_edges(void **state)
{
	static const struct {
		int64_t every, from;
	} cases[] = {{HOUR, 45 * 60}, {12 * HOUR, 9 * HOUR}, {DAY, 18 * HOUR}, {2 * DAY, 42 * HOUR},
		{7 * DAY, 7 * DAY - 6 * HOUR}, {30 * DAY, 30 * DAY - 6 * HOUR}, {1, 1}, {3, 3}, {4, 3}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(due(cases[i].every, T0, T0 + cases[i].from));
		assert_false(due(cases[i].every, T0, T0 + cases[i].from - 1));
	}
}

static void test_never_checked(void **state)
{
	(void)state;
	assert_true(due(30 * DAY, INT64_MIN, T0));
}

/* A start that lies in the future is no reason to wait for it. */
static void test_clock_went_back(void **state)
{
	(void)state;
	assert_true(due(DAY, T0 + 1, T0));
	assert_true(due(DAY, INT64_C(4102444800), T0));
	assert_false(due(DAY, T0, T0));
}

/* What is held is asked for again every night, also where it is due once a month. */
static void test_held(void **state)
{
	const struct run r = {.now = T0 + 18 * HOUR};
	const struct source_conf month = {.every = 30 * DAY}, hours = {.every = 12 * HOUR};
	json_t *last = json_pack("{s:I,s:[{}]}", "checked", (json_int_t)T0, "holds");

	(void)state;
	assert_true(source_due(&r, &month, last));
	assert_false(source_due(&(struct run){.now = T0 + 18 * HOUR - 1}, &month, last));
	assert_true(source_due(&(struct run){.now = T0 + 9 * HOUR}, &hours, last));
	assert_int_equal(json_object_del(last, "holds"), 0);
	assert_false(source_due(&r, &month, last));
	json_decref(last);
}

/* Whatever the minute at which cron gets its turn, within six hours: every night, and only once. */
static void test_no_night_is_skipped(void **state)
{
	int64_t checked = T0;
	unsigned dice = 12345;

	(void)state;
	for (int night = 1; night < 5000; night++) {
		const int64_t now = T0 + night * DAY + (int64_t)(dice >> 8) % (3 * HOUR) - 90 * 60;

		dice = dice * 1103515245 + 12345;
		assert_true(due(DAY, checked, now));
		checked = now;
		assert_false(due(DAY, checked, now + 17 * HOUR));
	}
}

/* Weekly under a nightly cron: every seventh night. */
static void test_weekly(void **state)
{
	int64_t checked = T0;
	int asked = 0;

	(void)state;
	for (int night = 1; night <= 70; night++) {
		const int64_t now = T0 + night * DAY + (night % 5 - 2) * 600;

		if (!due(7 * DAY, checked, now))
			continue;
		checked = now;
		asked++;
	}
	assert_int_equal(asked, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_never_checked),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_clock_went_back),
		cmocka_unit_test(test_no_night_is_skipped),
		cmocka_unit_test(test_weekly),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
