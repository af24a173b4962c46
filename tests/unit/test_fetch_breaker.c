/* SPDX-License-Identifier: MIT */
/* Circuit breakers: a host that does not answer is left alone for a while, and asked again by one request. */
#include "net/fetch_breaker.h"
#include "net/fetch_limits.h"
#include "unit/fetch_fixture.h"

#define SECOND INT64_C(1000)
#define A "a.example:443"

static void fail_times(struct breakers *b, unsigned n, int64_t now)
{
	bool probing = false;

	while (n--)
		breaker_result(b, A, &probing, false, "no answer", now);
}

static void five_in_a_row_open_it(void **state)
{
	struct breakers *b = breakers_new();
	bool probing = false, other = false;

	(void)state;
	assert_non_null(b);
	assert_int_equal(breaker_ask(b, A, &probing, 0), BREAKER_GO);
	fail_times(b, 4, 0);
	assert_int_equal(breaker_ask(b, A, &probing, 0), BREAKER_GO);
	breaker_result(b, A, &probing, true, "", 0); /* an answer in between begins the count anew */
	fail_times(b, 4, 0);
	assert_int_equal(breaker_ask(b, A, &probing, 0), BREAKER_GO);
	fail_times(b, 1, 10 * SECOND);
	assert_int_equal(breaker_ask(b, A, &probing, 10 * SECOND), BREAKER_OPEN);
	assert_int_equal(breaker_ask(b, A, &probing, 909 * SECOND), BREAKER_OPEN);
	assert_int_equal(breaker_open_ms(b, A, 909 * SECOND), SECOND);
	assert_string_equal(breaker_why(b, A), "no answer");
	assert_false(probing);
	/* another port is another server */
	assert_int_equal(breaker_ask(b, "a.example:80", &probing, 10 * SECOND), BREAKER_GO);
	/* half-open: one probes, the others wait */
	assert_int_equal(breaker_ask(b, A, &probing, 910 * SECOND), BREAKER_GO);
	assert_true(probing);
	assert_int_equal(breaker_ask(b, A, &other, 910 * SECOND), BREAKER_WAIT);
	assert_false(other);
	assert_int_equal(breaker_ask(b, A, &probing, 911 * SECOND), BREAKER_GO); /* its next try */
	breaker_result(b, A, &probing, false, "still none", 920 * SECOND);
	assert_int_equal(breaker_ask(b, A, &other, 920 * SECOND), BREAKER_OPEN);
	assert_int_equal(breaker_open_ms(b, A, 920 * SECOND), 900 * SECOND);
	assert_string_equal(breaker_why(b, A), "still none");
	/* a probe that told nothing makes way for the next */
	assert_int_equal(breaker_ask(b, A, &probing, 1820 * SECOND), BREAKER_GO);
	breaker_release(b, A, &probing);
	assert_int_equal(breaker_ask(b, A, &other, 1820 * SECOND), BREAKER_GO);
	assert_true(other);
	breaker_result(b, A, &other, true, "", 1820 * SECOND);
	assert_int_equal(breaker_ask(b, A, &probing, 1820 * SECOND), BREAKER_GO);
	assert_false(probing);
	breakers_free(b);
}

static struct breakers *reloaded(const struct breakers *b, int64_t mono, int64_t utc, int64_t later)
{
	struct breakers *copy = breakers_new();
	json_t *j = breakers_store((struct breakers *)(uintptr_t)b, mono, utc);

	assert_non_null(copy);
	assert_non_null(j);
	breakers_load(copy, j, mono + later * SECOND, utc + later);
	json_decref(j);
	return copy;
}

static void it_outlives_the_process(void **state)
{
	static const struct {
		int64_t later; /* seconds until the next process */
		enum breaker_gate gate;
		bool probing;
	} rows[] = {
		{0, BREAKER_OPEN, false},
		{899, BREAKER_OPEN, false},
		{900, BREAKER_GO, true},
		{80000, BREAKER_GO, true},
		{90000, BREAKER_GO, false},    /* forgotten */
		{-86399, BREAKER_OPEN, false}, /* a clock set back: for fifteen minutes from now, not for a day */
		{-90000, BREAKER_GO, false},
	};
	struct breakers *b = breakers_new(), *next;
	int64_t mono = 1000 * SECOND, utc = 1800000000;

	(void)state;
	assert_non_null(b);
	fail_times(b, 7, mono);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool probing = false;

		next = reloaded(b, mono, utc, rows[i].later);
		assert_int_equal(breaker_ask(next, A, &probing, mono + rows[i].later * SECOND), rows[i].gate);
		assert_int_equal(probing, rows[i].probing);
		assert_true(breaker_open_ms(next, A, mono + rows[i].later * SECOND) <= 900 * SECOND);
		breakers_free(next);
	}
	next = reloaded(b, mono, utc, 1);
	breakers_half_open(next, mono + SECOND);
	{
		bool probing = false;

		assert_int_equal(breaker_ask(next, A, &probing, mono + SECOND), BREAKER_GO);
		assert_true(probing);
	}
	breakers_free(next);
	breakers_free(b);
}

/* ---- in the engine */

/* n requests one after another, of one engine; the last one's outcome. */
static struct seen get_each(const struct place *p, const struct fetch_options *o, const char *path, unsigned n)
{
	struct fetch_policy policy = policy_of(p);
	struct seen s = {.fd = -1};
	struct diag d = {0};
	struct fetcher *f;
	char url[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, path, url), .format = GLANE_FMT_JSON};
	uint64_t id;

	policy.retries = 0;
	assert_int_equal(fetcher_new(&f, o, &d), GLANE_OK);
	for (unsigned i = 1; i <= n; i++) {
		fd_close(&s.fd);
		assert_int_equal(fetch_start(f, &policy, &q, on_done, &s, &id, &d), GLANE_OK);
		run_until(f, &s, i);
	}
	fetcher_free(f);
	return s;
}

static void a_dead_host_is_left_alone(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct seen s;

	(void)unlink(p->limits);
	o.limits_file = p->limits;
	s = get_each(p, &o, "/empty-reply", 5);
	assert_int_equal(s.tries, 1);
	assert_null(strstr(s.message, "is not asked before"));
	/* the next run: not even a server that is well is asked, and the message says why, until when, and what to do */
	s = get_each(p, &o, "/ok", 1);
	assert_int_equal(s.rc, GLANE_E_FETCH);
	assert_int_equal(s.tries, 0);
	assert_non_null(strstr(s.message, "GET http://127.0.0.1:"));
	assert_non_null(strstr(s.message, " is not asked before 20"));
	assert_non_null(strstr(s.message, "5 requests in a row got no answer, the last: Empty reply"));
	assert_non_null(strstr(s.message, "('glane run test' asks at once)"));
	/* asked for by name: a probe goes out, and the breaker closes */
	o.ask_anyway = true;
	s = get_each(p, &o, "/ok", 1);
	assert_int_equal(s.rc, GLANE_OK);
	fd_close(&s.fd);
	o.ask_anyway = false;
	s = get_each(p, &o, "/ok", 1);
	assert_int_equal(s.rc, GLANE_OK);
	fd_close(&s.fd);
}

static void answers_that_are_no_data_do_not_open_it(void **state)
{
	static const char *const paths[] = {"/404", "/403", "/500", "/503-plain", "/429-plain", "/html200",
		"/gzip-truncated", "/cl-long", "/redirect-loop"};
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct fetch_options o = options_of(p);
		struct seen s = get_each(p, &o, paths[i], 7);

		assert_int_equal(s.tries, 1);
		assert_null(strstr(s.message, "is not asked before"));
	}
}

/* Six URLs of one source that are answered with 500 cost the next one of the host nothing, in this run or the next. */
static void one_bad_source_costs_no_other(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct seen s;

	(void)unlink(p->limits);
	o.limits_file = p->limits;
	s = get_each(p, &o, "/500", 6);
	assert_int_equal(s.tries, 1);
	for (int run = 0; run < 2; run++) {
		s = get_each(p, &o, "/ok", 1);
		assert_int_equal(s.rc, GLANE_OK);
		fd_close(&s.fd);
	}
	/* nor does an answer that is a 500 leave open what no answer opened */
	s = get_each(p, &o, "/rst-now", 5);
	o.ask_anyway = true;
	s = get_each(p, &o, "/500", 1);
	assert_int_equal(s.tries, 1);
	o.ask_anyway = false;
	s = get_each(p, &o, "/ok", 1);
	assert_int_equal(s.rc, GLANE_OK);
	fd_close(&s.fd);
}

static void silent_servers_open_it(void **state)
{
	static const char *const paths[] = {"/empty-reply", "/rst-now"};
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct fetch_options o = options_of(p);
		struct seen s = get_each(p, &o, paths[i], 6);

		if (s.tries != 0 || !strstr(s.message, "is not asked before"))
			fail_msg("%s: %u tries: %s", paths[i], s.tries, s.message);
	}
}

/* Eight requests at once to a half-open host: one is sent, the others go by what it brings. */
static void one_request_probes_for_all(void **state)
{
	static const struct {
		const char *path;
		glane_rc rc;
		unsigned tries; /* of all together */
	} rows[] = {{"/ok", GLANE_OK, 8}, {"/rst-now", GLANE_E_FETCH, 1}};
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	struct diag d = {0};
	char url[512], text[256];

	o.limits_file = p->limits;
	policy.retries = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fetch_request q = {
			.method = "GET", .url = url_of(p, rows[i].path, url), .format = GLANE_FMT_JSON};
		struct seen s[8] = {{.fd = -1}};
		struct fetcher *f;
		unsigned tries = 0;
		uint64_t id;

		(void)snprintf(text, sizeof(text),
			"{\"breakers\":{\"127.0.0.1:%u\":{\"failures\":5,\"open_until\":0,\"at\":%lld,\"why\":\"x\"}}}",
			p->server.port, (long long)clock_utc() - 5000);
		assert_int_equal(file_replace(p->tmp, "limits.json", slice_of(text), false, &d), GLANE_OK);
		assert_int_equal(fetcher_new(&f, &o, &d), GLANE_OK);
		for (unsigned k = 0; k < 8; k++) {
			s[k].fd = -1;
			assert_int_equal(fetch_start(f, &policy, &q, on_done, &s[k], &id, &d), GLANE_OK);
		}
		for (unsigned k = 0; k < 8; k++) {
			run_until(f, &s[k], 1);
			assert_int_equal(s[k].rc, rows[i].rc);
			tries += s[k].tries;
			fd_close(&s[k].fd);
		}
		assert_int_equal(tries, rows[i].tries);
		fetcher_free(f);
	}
}

static void a_cancelled_probe_makes_way(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	struct diag d = {0};
	struct seen never = {.fd = -1}, s = {.fd = -1};
	char stall[512], ok[512], text[256];
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/stall", stall), .format = GLANE_FMT_JSON};
	struct fetcher *f;
	uint64_t probe, id;

	o.limits_file = p->limits;
	o.stall_seconds = 60;
	(void)snprintf(text, sizeof(text),
		"{\"breakers\":{\"127.0.0.1:%u\":{\"failures\":5,\"open_until\":0,\"at\":%lld,\"why\":\"x\"}}}",
		p->server.port, (long long)clock_utc() - 5000);
	assert_int_equal(file_replace(p->tmp, "limits.json", slice_of(text), false, &d), GLANE_OK);
	assert_int_equal(fetcher_new(&f, &o, &d), GLANE_OK);
	assert_int_equal(fetch_start(f, &policy, &q, on_done, &never, &probe, &d), GLANE_OK);
	q.url = url_of(p, "/ok", ok);
	assert_int_equal(fetch_start(f, &policy, &q, on_done, &s, &id, &d), GLANE_OK);
	assert_int_equal(fetcher_step(f, NULL, 0, 100, &d), GLANE_OK);
	assert_int_equal(s.calls, 0);
	fetch_cancel(f, probe);
	run_until(f, &s, 1);
	assert_int_equal(s.rc, GLANE_OK);
	assert_int_equal(never.calls, 0);
	fd_close(&s.fd);
	fetcher_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_in_a_row_open_it),
		cmocka_unit_test(it_outlives_the_process),
		cmocka_unit_test(a_dead_host_is_left_alone),
		cmocka_unit_test(answers_that_are_no_data_do_not_open_it),
		cmocka_unit_test(one_bad_source_costs_no_other),
		cmocka_unit_test(silent_servers_open_it),
		cmocka_unit_test(one_request_probes_for_all),
		cmocka_unit_test(a_cancelled_probe_makes_way),
	};

	if (!fault_server_available()) {
		(void)printf("1..0 # SKIP python3 is not there\n");
		return 0;
	}
	return cmocka_run_group_tests_name("fetch_breaker", tests, setup, teardown);
}
