/* SPDX-License-Identifier: MIT */
/* Long downloads over a line that drops: what arrives in pieces is one body, byte for byte, or begins anew. */
#include "base/sha256.h"
#include "net/fetch_answer.h"
#include "unit/fetch_fixture.h"

#define MIB ((size_t)1 << 20)

/* The server's body of `mib` blocks, each of which begins with its own number. */
static void hash_of_blocks(unsigned mib, char sha256[SHA256_HEX])
{
	char *block = malloc(MIB);
	char number[24];
	struct sha256 h;

	assert_non_null(block);
	memset(block, 'x', MIB);
	assert_true(sha256_init(&h));
	for (unsigned i = 0; i < mib; i++) {
		(void)snprintf(number, sizeof(number), "%015u\n", i);
		memcpy(block, number, 16);
		assert_true(sha256_add(&h, block, MIB));
	}
	assert_true(sha256_end(&h, sha256));
	free(block);
}

struct resume_row {
	const char *query; /* SIZE-PIECE[-KIND] in MiB */
	unsigned size, retries;
	glane_rc rc;
	unsigned tries;
	uint64_t wire; /* of a success, in MiB: what was not fetched twice */
};

static void check_row(const struct place *p, const struct resume_row *w)
{
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512], path[64], want[SHA256_HEX];
	struct fetch_request q = {.method = "GET", .format = GLANE_FMT_RAW};
	struct seen s;

	(void)snprintf(path, sizeof(path), "/resume-huge?%s", w->query);
	q.url = url_of(p, path, url);
	o.stall_seconds = 60;
	policy.retries = w->retries;
	s = fetch_one(&o, &policy, &q);
	if (s.rc != w->rc || s.tries != w->tries)
		fail_msg("%s: %s after %u tries: %s", w->query, rc_name(s.rc), s.tries, s.message);
	if (s.rc != GLANE_OK)
		return;
	assert_int_equal(s.size, (uint64_t)w->size * MIB);
	assert_int_equal(s.wire, w->wire * MIB);
	hash_of_blocks(w->size, want);
	assert_string_equal(s.sha256, want);
	assert_int_equal(sha256_fd(s.fd, s.sha256, NULL), GLANE_OK);
	assert_string_equal(s.sha256, want);
	fd_close(&s.fd);
}

static void a_line_that_drops_brings_it_home(void **state)
{
	static const struct resume_row rows[] = {
		/* every break is one failure, and the progress between them forgives it */
		{"280-20", 280, 1, GLANE_OK, 14, 280},
		{"12-2-date", 12, 1, GLANE_OK, 6, 12},
		/* a body that is replaced while it is fetched has the same second in Last-Modified: not joined */
		{"4-2-fresh", 4, 2, GLANE_E_FETCH, 3, 0},
		{"4-2-bare", 4, 2, GLANE_E_FETCH, 3, 0},
		/* without progress the retries are counted */
		{"3-0", 3, 2, GLANE_E_FETCH, 3, 0},
	};
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(p, &rows[i]);
}

/* The clock is for stalls, not for the whole. */
static void a_slow_line_is_no_stalled_one(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/steady", url), .format = GLANE_FMT_RAW};
	int64_t began = clock_mono_ms();
	struct seen s;

	o.stall_seconds = 4;
	policy.retries = 0;
	s = fetch_one(&o, &policy, &q);
	if (s.rc != GLANE_OK)
		fail_msg("%s", s.message);
	assert_true(clock_mono_ms() - began > (int64_t)o.stall_seconds * 1000);
	assert_int_equal(s.size, 12 << 10);
	fd_close(&s.fd);
}

static void validator_of(const char *const lines[], const char *want)
{
	struct answer a;
	struct diag d = {0};

	answer_init(&a);
	assert_int_equal(answer_line(&a, SLICE("HTTP/1.1 200 OK\r\n"), &d), GLANE_OK);
	for (size_t i = 0; lines[i]; i++)
		assert_int_equal(answer_line(&a, slice_of(lines[i]), &d), GLANE_OK);
	if (want)
		assert_string_equal(answer_validator(&a), want);
	else
		assert_null(answer_validator(&a));
	answer_release(&a);
}

#define DATE(t) "Date: Mon, 02 Nov 2026 10:" t " GMT\r\n"
#define MODIFIED "Last-Modified: Mon, 02 Nov 2026 10:00:00 GMT\r\n"
#define STAMP "Mon, 02 Nov 2026 10:00:00 GMT"

static void strong_validators_are_told_from_weak_ones(void **state)
{
	static const struct {
		const char *lines[5];
		const char *want;
	} rows[] = {
		{{"ETag: \"a\"\r\n", MODIFIED, DATE("30:00")}, "\"a\""},
		{{MODIFIED, DATE("30:00")}, STAMP},
		{{MODIFIED, DATE("01:00")}, STAMP},
		{{MODIFIED, DATE("00:59")}, NULL},
		{{MODIFIED, DATE("00:00")}, NULL},
		{{MODIFIED}, NULL},
		{{DATE("30:00")}, NULL},
		{{"Last-Modified: yesterday\r\n", DATE("30:00")}, NULL},
		/* RFC 9110 13.1.5: a date only where there is no entity tag at all */
		{{"ETag: W/\"a\"\r\n", MODIFIED, DATE("30:00")}, NULL},
		{{"ETag: \"a\"\r\n", "Accept-Ranges: none\r\n"}, NULL},
		{{MODIFIED, DATE("30:00"), "Accept-Ranges: none\r\n"}, NULL},
		{{NULL}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		validator_of(rows[i].lines, rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strong_validators_are_told_from_weak_ones),
		cmocka_unit_test(a_line_that_drops_brings_it_home),
		cmocka_unit_test(a_slow_line_is_no_stalled_one),
	};

	if (!fault_server_available()) {
		(void)printf("1..0 # SKIP python3 is not there\n");
		return 0;
	}
	return cmocka_run_group_tests_name("fetch_resume", tests, setup, teardown);
}
