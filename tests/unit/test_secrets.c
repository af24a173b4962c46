/* SPDX-License-Identifier: MIT */
/* core/net/fetch_secret.c, secret_find.c: secrets that a provider sends back, in the ways in which it may write them. */
#include "support/cmocka.h"

#include "base/file.h"
#include "net/fetch_secret.h"
#include "net/secret_strike.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY "S3cr+t/Va&lue\"\\ 1"

static const struct fetch_secret specs[] = {
	{"none", "env:GLANE_TEST_NOT_THERE"}, {"key", "env:GLANE_TEST_KEY"}, {"short", "env:GLANE_TEST_SHORT"}};
static const struct fetch_policy policy = {.source = "s", .secrets = specs, .n_secrets = 3};

static void load(struct secrets *s)
{
	struct diag d = {0};

	setenv("GLANE_TEST_KEY", KEY, 1);
	setenv("GLANE_TEST_SHORT", "abc", 1);
	assert_int_equal(secrets_load(s, &policy, &d), GLANE_OK);
}

static void test_ways(void **state)
{
	static const struct {
		const char *text, *scrubbed, *hidden; /* hidden NULL: left as it is */
	} list[] = {
		{KEY, "***", "{auth:key}"},
		{"k=" KEY "&k2=" KEY ".", "k=***&k2=***.", "k={auth:key}&k2={auth:key}."},
		{"S3cr%2Bt%2FVa%26lue%22%5C%201", "***", "{auth:key}"},
		{"S3cr%2bt%2fVa%26lue%22%5c%201", "***", "{auth:key}"},
		{"%53%33%63%72%2b%74%2f%56%61%26%6c%75%65%22%5c%20%31", "***", "{auth:key}"},
		{"S3cr%2Bt%2FVa%26lue%22%5C+1", "***", "{auth:key}"},
		{"?to=S3cr%252Bt%252fVa%2526lue%2522%255C%25201;", "?to=***;", "?to={auth:key};"},
		{"\"S3cr+t\\/Va&lue\\\"\\\\ 1\"", "\"***\"", "\"{auth:key}\""},
		{"\"S3cr\\u002bt\\u002FVa\\u0026lue\\u0022\\\\ 1\"", "\"***\"", "\"{auth:key}\""},
		{"S3cr+t/Va&amp;lue&quot;\\ 1", "***", "{auth:key}"},
		{"S3cr&#43;t&#x2F;Va&#38;lue&#0034;\\ 1", "***", "{auth:key}"},
		{"\"S3cr+t/Va&lue\"\"\\ 1\"", "\"***\"", "\"{auth:key}\""},
		/* base64 at each place among three bytes, in both alphabets */
		{"Basic UzNjcit0L1ZhJmx1ZSJcIDE=", "Basic ***", NULL},
		{"eFMzY3IrdC9WYSZsdWUiXCAx", "e***", NULL},
		{"eHhTM2NyK3QvVmEmbHVlIlwgMQ==", "eH***", NULL},
		{"eHhTM2NyK3QvVmEmbHVlIlwgMXk", "eH***k", NULL},
		/* not it */
		{"abc S3cr t/Va&lue {auth:key} S3cr+t/Va", "abc S3cr t/Va&lue {auth:key} S3cr+t/Va", NULL},
		{"%", "%", NULL},
		{"", "", NULL},
	};
	struct secrets s;

	(void)state;
	load(&s);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const char *hidden = list[i].hidden ? list[i].hidden : list[i].text;
		struct strbuf text, out;

		strbuf_init(&text, 0);
		strbuf_init(&out, 0);
		strbuf_puts(&text, list[i].text);
		secret_hide(&out, strbuf_get(&text), &s);
		if (!slice_is(strbuf_get(&out), hidden)) {
			print_error("%s\nbecame %s\n", list[i].text, out.p);
			test_fail();
		}
		assert_int_equal(secret_leaks(&s, strbuf_get(&text)), strcmp(list[i].text, list[i].scrubbed) != 0);
		secret_scrub(&s, &text);
		if (!slice_is(strbuf_get(&text), list[i].scrubbed) || (text.p && text.p[text.n])) {
			print_error("%s\nbecame %s\n", list[i].text, text.p);
			test_fail();
		}
		strbuf_release(&text);
		strbuf_release(&out);
	}
	secrets_release(&s);
}

/* Any text is gone through to its end: also one that is cut in the middle of a writing. */
static void test_cut(void **state)
{
	static const char whole[] = "S3cr%252Bt\\/Va&#x26;lue\\u0022\\\\%201";
	struct secrets s;

	(void)state;
	load(&s);
	for (size_t n = 0; n < sizeof(whole); n++) {
		struct strbuf text;

		strbuf_init(&text, 0);
		strbuf_add(&text, whole, n);
		secret_scrub(&s, &text);
		assert_int_equal(text.n, n + 1 == sizeof(whole) ? 3 : n);
		strbuf_release(&text);
	}
	secrets_release(&s);
}

/* One that cannot be read is a failure only where it is asked for. */
static void test_fill(void **state)
{
	struct secrets s;
	struct strbuf b;
	struct diag d = {0};

	(void)state;
	load(&s);
	strbuf_init(&b, 0);
	assert_int_equal(
		secret_fill(&b, SLICE("k={auth:key}&s={auth:short}"), SECRET_PERCENT, &s, &policy, &d), GLANE_OK);
	assert_string_equal(b.p, "k=S3cr%2Bt%2FVa%26lue%22%5C%201&s=abc");
	assert_int_equal(secret_fill(&b, SLICE("{auth:none}"), SECRET_PLAIN, &s, &policy, &d), GLANE_E_CONFIG);
	assert_non_null(strstr(d.text, "GLANE_TEST_NOT_THERE"));
	strbuf_release(&b);
	secrets_release(&s);
}

/* In steps of so many bytes. */
static struct struck strike_by(int fd, size_t size, int tmp, size_t step)
{
	struct struck s = {.fd = -1};
	struct strike *strike;
	struct diag d = {0};
	bool through = false;

	assert_int_equal(strike_begin(&policy, NULL, fd, size, tmp, &strike, &d), GLANE_OK);
	for (size_t n = 0; strike && !through; n++) {
		assert_in_range(n, 0, 2 * (size / step + 2)); /* it comes to an end */
		assert_int_equal(strike_some(strike, step, &through, &s, &d), GLANE_OK);
		assert_true(through || s.fd < 0);
	}
	strike_free(strike);
	return s;
}

/* *ret: what became of a body of these bytes, in steps of that many. Returns how many were struck out. */
static size_t struck_by(struct slice body, size_t step, struct strbuf *ret)
{
	const int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = file_temp(tmp, NULL);
	char sha256[SHA256_HEX];
	struct struck s;
	struct diag d = {0};

	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, body.p, body.n, &d), GLANE_OK);
	s = strike_by(fd, body.n, tmp, step);
	strbuf_reset(ret);
	if (s.n) {
		assert_non_null(strbuf_room(ret, s.size + 1));
		assert_int_equal(pread(s.fd, ret->p, s.size + 1, 0), s.size);
		ret->n = s.size;
		assert_true(sha256_of(strbuf_get(ret), sha256));
		assert_string_equal(sha256, s.sha256);
		assert_true(write(s.fd, "x", 1) < 0); /* read-only, as it goes to a worker */
		close(s.fd);
	}
	assert_int_equal(s.fd >= 0, s.n > 0);
	close(fd);
	close(tmp);
	return s.n;
}

/* However it is cut into steps, the same becomes of it. */
static size_t struck(struct slice body, struct strbuf *ret)
{
	const size_t n = struck_by(body, body.n + 1, ret);
	struct strbuf cut;

	strbuf_init(&cut, 0);
	for (size_t step = body.n > 1000 ? 999 : 1; step < body.n && step < 2000; step += 1 + step / 4) {
		assert_int_equal(struck_by(body, step, &cut), n);
		assert_true(slice_eq(strbuf_get(&cut), strbuf_get(ret)));
	}
	strbuf_release(&cut);
	return n;
}

/* A body that was received whole: the same writings as in a text; a word that is too short to be one, or an archive, stays. */
static void test_bodies(void **state)
{
	struct strbuf got, large;

	(void)state;
	setenv("GLANE_TEST_KEY", KEY, 1);
	setenv("GLANE_TEST_SHORT", "seven77", 1);
	strbuf_init(&got, 0);
	strbuf_init(&large, 0);
	assert_int_equal(struck(SLICE("a,b\n1,2\n"), &got), 0);
	assert_int_equal(struck(SLICE(""), &got), 0);
	assert_int_equal(struck(SLICE("seven77"), &got), 0);
	setenv("GLANE_TEST_SHORT", "20240115", 1);
	assert_int_equal(struck(SLICE("TGO,20240115,1"), &got), 0);
	setenv("GLANE_TEST_SHORT", "2024011520240115", 1);
	assert_int_equal(struck(SLICE("TGO,2024011520240115,1"), &got), 1);
	assert_int_equal(struck(SLICE("PK\3\4" KEY), &got), 0);
	assert_int_equal(struck(SLICE(KEY), &got), 1);
	assert_true(slice_is(strbuf_get(&got), "{auth:key}"));
	assert_int_equal(
		struck(SLICE("{\"next\":\"/?k=S3cr%2Bt%2FVa%26lue%22%5C%201&p=2\",\"k\":\"" KEY "\"}"), &got), 2);
	assert_true(slice_is(strbuf_get(&got), "{\"next\":\"/?k={auth:key}&p=2\",\"k\":\"{auth:key}\"}"));
	assert_int_equal(struck(SLICE("x:eFMzY3IrdC9WYSZsdWUiXCAxeFMzY3IrdC9WYSZsdWUiXCAx" KEY KEY), &got), 4);
	assert_true(slice_is(strbuf_get(&got), "x:e{auth:key}e{auth:key}{auth:key}{auth:key}"));
	for (int i = 0; i < 100000; i++)
		strbuf_puts(&large, i == 50000 ? KEY "\n" : "0123456789\n");
	assert_int_equal(struck(strbuf_get(&large), &got), 1);
	assert_int_equal(got.n, 11 * 100000);
	assert_non_null(memmem(got.p, got.n, "\n{auth:key}\n", 12));
	strbuf_release(&got);
	strbuf_release(&large);
}

/* What was sent is found where it is another one by now, and both are. */
static void test_replaced(void **state)
{
	const int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = file_temp(tmp, NULL);
	const struct slice body = SLICE("old " KEY ", new another-key");
	struct strike *strike;
	struct struck s;
	struct secrets sent;
	struct diag d = {0};
	char got[64];
	bool through = false;

	(void)state;
	load(&sent);
	setenv("GLANE_TEST_KEY", "another-key", 1);
	assert_int_equal(fd_write(fd, body.p, body.n, &d), GLANE_OK);
	assert_int_equal(strike_begin(&policy, &sent, fd, body.n, tmp, &strike, &d), GLANE_OK);
	secrets_release(&sent);
	while (!through)
		assert_int_equal(strike_some(strike, 1000, &through, &s, &d), GLANE_OK);
	assert_int_equal(s.n, 2);
	assert_int_equal(pread(s.fd, got, sizeof(got), 0), s.size);
	assert_true(slice_is((struct slice){got, s.size}, "old {auth:key}, new {auth:key}"));
	strike_free(strike);
	close(s.fd);
	close(fd);
	close(tmp);
}

/* What is cut is looked at beyond the cut. */
static void test_head(void **state)
{
	const struct slice whole = SLICE("abc " KEY " def");
	struct secrets s;

	(void)state;
	load(&s);
	for (size_t head = 0; head <= whole.n; head++) {
		struct strbuf text;

		strbuf_init(&text, 0);
		strbuf_slice(&text, whole);
		secret_scrub_head(&s, &text, head);
		if (head <= 4)
			assert_true(slice_eq(strbuf_get(&text), (struct slice){whole.p, head}));
		else
			assert_memory_equal(text.p, "abc *** def", text.n);
		assert_true(head <= 4 || text.n == 7 + (head > whole.n - 4 ? head - (whole.n - 4) : 0));
		strbuf_release(&text);
	}
	secrets_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ways), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_fill), cmocka_unit_test(test_bodies), cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_head)};

	return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
