/* SPDX-License-Identifier: MIT */
/* core/plug/host.c: one run from options to fini, the small services, and a plugin of plugins/ as it stands, without network or processes. */
#include "support/test_host.h"
#include "support/cmocka.h"

#define S(literal) GLANE_STR(literal)

static char order[64]; /* i: init, r: run, f: fini */
static glane_rc init_rc, run_rc;

static void note_call(char c)
{
	const size_t n = strlen(order);

	if (n + 1 < sizeof(order))
		order[n] = c;
}

static glane_rc on_init(const struct glane_host *h, glane_run *r, void *state)
{
	note_call('i');
	*(int *)state = 5;
	return init_rc == GLANE_OK ? init_rc : h->fail(r, init_rc, "init says no");
}

static glane_rc on_run(const struct glane_host *h, glane_run *r, void *state)
{
	note_call('r');
	if (*(int *)state != 5)
		return h->fail(r, GLANE_E_DATA, "another state");
	return run_rc;
}

static void on_fini(void *state)
{
	note_call(*(int *)state == 5 ? 'f' : '?');
}

static glane_rc life(glane_rc from_init, glane_rc from_run, struct diag *ret)
{
	const struct plugin p = {
		.desc = {.name = "test", .state_size = sizeof(int), .init = on_init, .run = on_run, .fini = on_fini}};
	struct test_host t;
	glane_rc rc;

	memset(order, 0, sizeof(order));
	init_rc = from_init;
	run_rc = from_run;
	test_host_init(&t);
	rc = test_host_plugin(&t, &p);
	*ret = t.diag;
	test_host_release(&t);
	return rc;
}

static void test_order(void **state)
{
	struct diag d;

	(void)state;
	assert_int_equal(life(GLANE_OK, GLANE_OK, &d), GLANE_OK);
	assert_string_equal(order, "irf");
	assert_int_equal(life(GLANE_E_CONFIG, GLANE_OK, &d), GLANE_E_CONFIG);
	assert_string_equal(order, "if"); /* fini also where init failed */
	assert_string_equal(d.text, "init says no");
	assert_int_equal(life(GLANE_OK, GLANE_E_DATA, &d), GLANE_E_DATA);
	assert_string_equal(order, "irf");
	assert_string_equal(d.text, "plugin test failed without saying why (data)");
}

static void test_codes(void **state)
{
	static const glane_rc codes[] = {GLANE_END, 2, INT32_MAX, GLANE_E_USAGE - 1, INT32_MIN};
	struct diag d;

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		assert_int_equal(life(GLANE_OK, codes[i], &d), GLANE_E_USAGE);
		assert_non_null(strstr(d.text, "which is no result"));
	}
	for (glane_rc rc = GLANE_E_USAGE; rc < GLANE_OK; rc++)
		assert_int_equal(life(GLANE_OK, rc, &d), rc);
}

static glane_rc services(const struct glane_host *h, glane_run *r, void *state)
{
	const glane_str last = h->cursor(r, "last"), none = h->cursor(r, "none"), null = h->cursor(r, NULL);
	const char *text = h->fmt(r, "%s-%d", "x", 7);

	(void)state;
	if (h->size != sizeof(*h) || h->abi_major != GLANE_ABI_MAJOR || h->abi_minor != GLANE_ABI_MINOR)
		return h->fail(r, GLANE_E_DATA, "the table");
	if (last.n != 2 || memcmp(last.p, "41", 2) != 0 || none.p || null.p)
		return h->fail(r, GLANE_E_DATA, "the cursors");
	if (!text || strcmp(text, "x-7") != 0 || h->fmt(r, "%1048577d", 1))
		return h->fail(r, GLANE_E_DATA, "fmt()");
	if (h->now(r) != 1700000000 || h->cancelled(r) || h->extension(r, "glane.progress/1"))
		return h->fail(r, GLANE_E_DATA, "the rest");
	h->log(r, GLANE_LOG_WARN, "%2000d", 1);
	return h->set_cursor(r, "last", S("42"));
}

static void test_services(void **state)
{
	const struct glane_kv cursors[] = {{"other", S("1")}, {"last", S("41")}};
	struct test_host t;

	(void)state;
	test_host_init(&t);
	t.cursors = cursors;
	t.n_cursors = 2;
	assert_int_equal(test_host_function(&t, services), GLANE_OK);
	assert_non_null(strstr(t.out.p, "cursor last=42\n"));
	assert_int_equal(strcspn(t.out.p, "\n"), strlen("log 2 ") + 1023);
	test_host_release(&t);
}

static glane_rc bad_cursor(const struct glane_host *h, glane_run *r, void *state)
{
	(void)state;
	return h->set_cursor(r, "Bad Key", S("1"));
}

static glane_rc cause(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_request q = {.size = sizeof(q), .url = "{base_url}/gone"};
	glane_reader *rd;

	(void)state;
	return h->fail(r, h->open(r, &q, &rd), "file %s", "x");
}

static glane_rc first_says(const struct glane_host *h, glane_run *r, void *state)
{
	(void)state;
	h->fail(r, 7, "an odd code");
	return h->fail(r, GLANE_E_DATA, "in file x");
}

static glane_rc waits(const struct glane_host *h, glane_run *r, void *state)
{
	(void)state;
	while (!h->cancelled(r))
		continue;
	if (h->set_cursor(r, "a", S("1")) != GLANE_E_CANCELLED)
		return GLANE_E_DATA;
	return h->fail(r, GLANE_E_DATA, "something else"); /* a cancelled run stays cancelled */
}

static void test_messages(void **state)
{
	static const struct {
		test_run *run;
		glane_rc rc;
		const char *words;
	} cases[] = {{bad_cursor, GLANE_E_USAGE, "set_cursor() with a key that is none"},
		{cause, GLANE_E_FETCH, "file x: HTTP 404"}, {first_says, GLANE_E_DATA, "in file x: an odd code"},
		{waits, GLANE_E_CANCELLED, "cancelled"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct test_host t;

		test_host_init(&t);
		t.cancel_at = cases[i].run == waits ? 3 : 0;
		assert_int_equal(test_host_function(&t, cases[i].run), cases[i].rc);
		assert_non_null(strstr(t.diag.text, cases[i].words));
		test_host_release(&t);
	}
}

/* The very .so that a worker runs. */
static void test_shipped_plugin(void **state)
{
	static const struct test_page page = {.url = "http://host/eurofxref-hist-90d.xml",
		.body = "<E xmlns=\"urn:x\"><Cube><Cube time=\"2026-04-13\"><Cube currency=\"USD\" rate=\"1.1684\"/>"
			"<Cube currency=\"JPY\" rate=\"186.75\"/></Cube></Cube></E>"};
	struct test_host t;
	struct plugin p;
	const char *path;

	(void)state;
	test_host_init(&t);
	path = test_plugin_path(&t.arena, "plugins", "ecb");
	if (!path)
		skip(); /* GLANE_OUT names no build */
	t.pages = &page;
	t.n_pages = 1;
	t.conf = "feed = 90d";
	assert_int_equal(plugin_load(&t.arena, path, "ecb", &p, &t.diag), GLANE_OK);
	assert_int_equal(test_host_plugin(&t, &p), GLANE_OK);
	assert_int_equal(t.counts.rows, 2);
	assert_non_null(strstr(t.out.p, "obs 1 2026-04-13 1.1684 A 0\nobs 2 2026-04-13 186.75 A 0\n"));
	test_host_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_codes),
		cmocka_unit_test(test_services), cmocka_unit_test(test_messages),
		cmocka_unit_test(test_shipped_plugin)};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
