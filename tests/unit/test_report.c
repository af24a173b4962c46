/* SPDX-License-Identifier: MIT */
/* Reports: the exit code of every mix of verdicts, the document, the progress line. */
#include "sched/task.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_exit_code(void **state)
{
	static const struct {
		const char *verdicts; /* o k, u nchanged, p artial, h eld, f ailed, t rial, n one */
		int code;
	} cases[] = {{"", EXIT_FINE}, {"o", EXIT_FINE}, {"ou", EXIT_FINE}, {"uuu", EXIT_FINE}, {"t", EXIT_FINE},
		{"op", EXIT_SOME}, {"p", EXIT_SOME}, {"h", EXIT_SOME}, {"hh", EXIT_SOME}, {"of", EXIT_SOME},
		{"uf", EXIT_SOME}, {"hf", EXIT_SOME}, {"pff", EXIT_SOME}, {"f", EXIT_ALL}, {"ff", EXIT_ALL},
		{"n", EXIT_ALL}, {"on", EXIT_SOME}};
	static const char letters[] = "nouph ft";
	static const enum task_verdict verdicts[] = {
		V_NONE, V_OK, V_UNCHANGED, V_PARTIAL, V_HELD, V_NONE, V_FAILED, V_TRIAL};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct task tasks[4] = {{.run = NULL}};
		const struct run r = {.tasks = tasks, .n_tasks = strlen(cases[i].verdicts)};

		for (size_t k = 0; k < r.n_tasks; k++)
			tasks[k].verdict = verdicts[strchr(letters, cases[i].verdicts[k]) - letters];
		assert_int_equal(run_exit_code(&r), cases[i].code);
	}
}

static void test_store_trouble(void **state)
{
	struct task tasks[2] = {{.verdict = V_OK}, {.verdict = V_FAILED}};
	struct run r = {.tasks = tasks, .n_tasks = 2};

	(void)state;
	assert_int_equal(run_exit_code(&r), EXIT_SOME);
	tasks[1].store_trouble = true;
	assert_int_equal(run_exit_code(&r), EXIT_STORE);
	tasks[1].store_trouble = false;
	tasks[1].worker_io = true;
	assert_int_equal(run_exit_code(&r), EXIT_STORE);
	r.broker_lost = true; /* that is what the worker met */
	assert_int_equal(run_exit_code(&r), EXIT_SOME);
	r.diag.code = GLANE_E_IO;
	assert_int_equal(run_exit_code(&r), EXIT_STORE);
}

static void progress(const struct task *t, int64_t now, size_t width, const char *want)
{
	struct strbuf b;

	strbuf_init(&b, 0);
	progress_text(t, now, width, &b);
	assert_int_equal(b.n, strlen(want));
	assert_memory_equal(b.p, want, b.n);
	strbuf_release(&b);
}

static void test_progress(void **state)
{
	struct source_conf c = {.name = "worldbank"};
	struct task t = {.conf = &c, .started_ms = 1000};

	(void)state;
	t.phase = TASK_REPLAYING;
	progress(&t, 1000, 200, "worldbank                      0 B          0 rows  asking whether anything changed");
	(void)memcpy(t.waits_for, "waits 7 s (Retry-After)", sizeof("waits 7 s (Retry-After)"));
	progress(&t, 1000, 200, "worldbank                      0 B          0 rows  waits 7 s (Retry-After)");
	t.phase = TASK_WORKING;
	t.waits_for[0] = '\0';
	t.wire_bytes = 1500;
	t.expected = 2500000;
	t.intake.progress_rows = 3000;
	progress(&t, 3000, 200, "worldbank                   1.5 kB of 2.5 MB       3000 rows     1500/s  reading");
	progress(&t, 3000, 20, "worldbank           ");
	t.intake.rows = 4000; /* more have come than the last word said */
	t.expected = 0;
	t.phase = TASK_READY;
	progress(&t, 3000, 200, "worldbank                   1.5 kB       4000 rows     2000/s  waits for a free job");
	t.phase = TASK_ARCHIVING;
	progress(&t, 1000, 200, "worldbank                   1.5 kB       4000 rows  archiving");
}

static void test_document(void **state)
{
	struct source_conf c = {.name = "a", .plugin = "csv"};
	const struct run_options o = {.offline = true};
	struct task t = {.conf = &c,
		.verdict = V_FAILED,
		.rc = GLANE_E_FETCH,
		.started_ms = 5,
		.ended_ms = 25,
		.cause = "source"};
	struct run r = {.tasks = &t, .n_tasks = 1, .options = &o, .id = "20260301T030000Z", .now = INT64_C(1772334000)};
	static char message[] = "no \"answer\"";
	const json_t *s;
	json_t *j;

	(void)state;
	t.run = &r;
	t.message = message;
	t.n_log = 2;
	(void)memcpy(t.log[0], "one", 4);
	(void)memcpy(t.log[1], "two", 4);
	j = run_report(&r, 3);
	assert_non_null(j);
	assert_string_equal(json_text(j, "run", ""), "20260301T030000Z");
	assert_string_equal(json_text(j, "now", ""), "2026-03-01T03:00:00Z");
	assert_int_equal(json_int(j, "exit", -1), 3);
	assert_true(json_flag(j, "offline"));
	assert_null(json_object_get(j, "error"));
	assert_int_equal(json_array_size(json_object_get(j, "sources")), 1);
	s = json_array_get(json_object_get(j, "sources"), 0);
	assert_string_equal(json_text(s, "source", ""), "a");
	assert_string_equal(json_text(s, "status", ""), "failed");
	assert_string_equal(json_text(s, "error", ""), "fetch");
	assert_string_equal(json_text(s, "message", ""), "no \"answer\"");
	assert_int_equal(json_int(s, "milliseconds", -1), 20);
	assert_int_equal(json_array_size(json_object_get(s, "log")), 2);
	assert_null(json_object_get(s, "commit"));
	assert_int_equal(json_int(json_object_get(s, "events"), "new", -1), 0);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_code),
		cmocka_unit_test(test_store_trouble),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_document),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
