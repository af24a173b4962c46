/* SPDX-License-Identifier: MIT */
/* Secrets struck out of what is recorded, however the provider wrote them. */
#include "support/cmocka.h"

#include "net/fetch_secret.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void scrubbed(const char *secret, const char *text, const char *want, size_t n)
{
	const struct fetch_secret spec = {"key", "env:GLANE_TEST_SCRUB"};
	struct secret_finder s;
	struct strbuf b;
	struct diag d;

	diag_clear(&d);
	strbuf_init(&b, 0);
	setenv("GLANE_TEST_SCRUB", secret, 1);
	assert_int_equal(secret_finder_load(&s, &spec, 1, &d), GLANE_OK);
	assert_int_equal(secret_replace(&s, slice_of(text), false, NULL, &b), n);
	strbuf_putc(&b, 0);
	assert_true(strbuf_ok(&b));
	assert_string_equal(b.p, want);
	secret_finder_release(&s);
	strbuf_release(&b);
}

static void every_writing(void **state)
{
	(void)state;
	scrubbed("k3y/x", "a k3y/x b", "a {auth:key} b", 1);
	scrubbed("k3y/x", "k3y%2Fx k3y%2fx %6b3y%2Fx", "{auth:key} {auth:key} {auth:key}", 3);
	scrubbed("k3y/x", "k3y\\/x k3y\\u002Fx k3y\\\\/x", "{auth:key} {auth:key} {auth:key}", 3);
	scrubbed("k3y\"x", "k3y\"\"x k3y\\\"x k3y\\\\\"\"x k3y&quot;x k3y&#34;x k3y&#x22;x",
		"{auth:key} {auth:key} {auth:key} {auth:key} {auth:key} {auth:key}", 6);
	scrubbed("k3y\\x", "k3y\\x k3y\\\\x", "{auth:key} {auth:key}", 2);
	scrubbed("k3y\"\"x", "k3y\"\"x", "{auth:key}", 1);
	scrubbed("k3yx", "a3l5eA== azN5eA==", "a3l5eA== {auth:key}", 1);
	scrubbed("a&b<c", "a&amp;b&lt;c", "{auth:key}", 1);
}

static void escapes_of_escapes(void **state)
{
	(void)state;
	scrubbed("k3y/x", "k3y%252Fx k3y%25252Fx %256b3y%2Fx k3y%26%2347%3Bx",
		"{auth:key} {auth:key} {auth:key} {auth:key}", 4);
	scrubbed("k3y/x", "k3y\\x2fx k3y\\\\x2Fx \\x6b3y/x k3y\\\\\\/x", "{auth:key} {auth:key} {auth:key} {auth:key}",
		4);
	scrubbed("k3y/x", "k3y&#0047;x k3y&#x002f;x k3y&amp;#47;x", "{auth:key} {auth:key} {auth:key}", 3);
	scrubbed("k3 y/x", "k3+y%2Fx k3%20y/x k3 y/x", "{auth:key} {auth:key} {auth:key}", 3);
	scrubbed("k%41y/x", "k%41y/x k%2541y%2Fx k%41y\\/x", "{auth:key} {auth:key} {auth:key}", 3);
	scrubbed("k\\\\y\"", "k\\\\y\" k\\\\\\\\y\\\" k\\\\y\"\"", "{auth:key} {auth:key} {auth:key}", 3);
}

/* The broker looks through every body: a few steps for each byte, whatever the provider writes. */
static void any_text(void **state)
{
	static const char *const of[] = {"&", "&#", "&%\\", "&amp;", "\\u0026", "%2", "&#x", "%26"};
	struct secret_finder s = {.v = NULL};
	static char text[1 << 18];
	struct secret_hit hit;

	(void)state;
	assert_true(secret_finder_add(&s, "key", slice_of("S3cr3tValue")));
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		const clock_t begun = clock(); /* of this process: busy machines do not count */

		for (size_t n = 0; n < sizeof(text); n++)
			text[n] = of[i][n % strlen(of[i])];
		assert_int_equal(secret_next(&s, (struct slice){text, sizeof(text)}, 0, false, &hit), 0);
		assert_true(
			clock() - begun < 20 * CLOCKS_PER_SEC); /* 90 s where each level tries 16 names; now 0.1 s */
	}
	secret_finder_release(&s);
}

static void coded(void **state)
{
	(void)state;
	scrubbed("S3cr3tValue", "53336372337456616c7565 53336372337456616C7565", "{auth:key} {auth:key}", 2);
	/* of "user:", "us:", "u:" and nothing before it; padding or none */
	scrubbed("S3cr3tValue", "dXNlcjpTM2NyM3RWYWx1ZQ== dXM6UzNjcjN0VmFsdWU= dTpTM2NyM3RWYWx1ZQ UzNjcjN0VmFsdWU",
		"dXNlcj{auth:key} dXM6{auth:key} dT{auth:key} {auth:key}", 4);
	scrubbed("S3cr3tValue", "Basic%20dXNlcjpTM2NyM3RWYWx1ZQ%3D%3D", "Basic%20dXNlcj{auth:key}%3D%3D", 1);
	/* of another text around it: nothing of it can be read from what is left */
	scrubbed("S3cr3tValue", "YTpTM2NyM3RWYWx1ZTpi YWE6UzNjcjN0VmFsdWU6Yg", "YT{auth:key}pi YWE6{auth:key}6Yg", 2);
	scrubbed("\xc3\xbf\xc3\xbe\xc3\xbf?>", "w7/DvsO/Pz4= w7_DvsO_Pz4 w7%2FDvsO%2FPz4%3D",
		"{auth:key} {auth:key} {auth:key}%3D", 3);
	scrubbed("YWxpY2U6cGE1NXdvcmQ=", "YWxpY2U6cGE1NXdvcmQ= YWxpY2U6cGE1NXdvcmQ alice:pa55word pa55word alice",
		"{auth:key} {auth:key} {auth:key} {auth:key} alice", 4);
}

static void nothing_else(void **state)
{
	(void)state;
	scrubbed("k3y/x", "", "", 0);
	scrubbed("k3y/x", "k3y/ k3y%2 k3y% k3y\\ k3y\\u002 k3y&", "k3y/ k3y%2 k3y% k3y\\ k3y\\u002 k3y&", 0);
	scrubbed("aaaa", "aaa aaaaa", "aaa {auth:key}a", 1);
}

static void too_short(void **state)
{
	const struct fetch_secret spec = {"key", "env:GLANE_TEST_SCRUB"};
	struct secret_finder s;
	struct diag d;

	(void)state;
	diag_clear(&d);
	setenv("GLANE_TEST_SCRUB", "abc", 1);
	assert_int_equal(secret_finder_load(&s, &spec, 1, &d), GLANE_E_CONFIG);
	assert_non_null(strstr(d.text, "'key' is shorter than 4"));
	secret_finder_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_writing),
		cmocka_unit_test(escapes_of_escapes),
		cmocka_unit_test(any_text),
		cmocka_unit_test(coded),
		cmocka_unit_test(nothing_else),
		cmocka_unit_test(too_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
