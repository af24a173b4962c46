/* SPDX-License-Identifier: MIT */
/* Plugins that were built against another header: of a later minor, of an earlier one, and the one of the day of the freeze. */
#include "base/file.h"
#include "base/sha256.h"
#include "support/cmocka.h"
#include "support/test_host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const struct test_page page = {.url = "http://host/table.csv", .body = "a;b\n1;2\n"};

static const char *path_of(struct arena *a, const char *name)
{
	const char *path = test_plugin_path(a, "test-plugins", name);

	if (!path)
		skip(); /* GLANE_OUT names no build */
	return path;
}

static void run_plugin(const char *name, const char *want)
{
	struct test_host t;
	struct plugin p;
	glane_rc rc;

	test_host_init(&t);
	t.pages = &page;
	t.n_pages = 1;
	t.conf = "times = 2";
	rc = plugin_load(&t.arena, path_of(&t.arena, name), name, &p, &t.diag);
	if (rc == GLANE_OK)
		rc = test_host_plugin(&t, &p);
	if (rc != GLANE_OK)
		print_message("%s\n", t.diag.text);
	assert_int_equal(rc, GLANE_OK);
	assert_non_null(strstr(t.out.p, want));
	test_host_release(&t);
}

static void test_grown(void **state)
{
	(void)state;
	run_plugin("abi_grown", "obs 1 2000 1.50 E 0\nobs 1 2001 1.50 E 0\nobs 1 1999 7 A 1\n"
				"cover 1 GROWN ~ 0 0 ~\n");
}

static void test_older(void **state)
{
	(void)state;
	run_plugin("abi_older", "series 1 A OLDER I TGO ~  ~ 0 ~ ~ ~\nobs 1 2000 1.50 A 0\nobs 1 2001 1.50 A 0\ncover "
				"1 OLDER ~ 0 0 ~\n");
}

static void test_grown_rows_are_checked(void **state)
{
	struct test_host t;
	struct plugin p;

	(void)state;
	test_host_init(&t);
	assert_int_equal(plugin_load(&t.arena, path_of(&t.arena, "abi_grown"), "abi_grown", &p, &t.diag), GLANE_OK);
	assert_int_equal(p.n_options, 2);
	assert_int_equal(p.desc.abi_minor, GLANE_ABI_MINOR + 1);
	t.conf = "times = 10";
	assert_int_equal(test_host_plugin(&t, &p), GLANE_E_CONFIG); /* min and max of a grown row */
	assert_string_equal(t.diag.text, "test.conf:2: times = 10: not between 1 and 9");
	test_host_release(&t);
}

static void test_needs(void **state)
{
	struct arena a;
	struct plugin p;
	struct diag d;

	(void)state;
	arena_init(&a, 0);
	diag_clear(&d);
	assert_int_equal(plugin_load(&a, path_of(&a, "abi_needs"), "abi_needs", &p, &d), GLANE_E_DENIED);
	assert_non_null(
		strstr(d.text, "abi_needs.so: refused: needs ABI 1.1 or newer, this glane has 1.0 (update glane)"));
	arena_release(&a);
}

#define GROWN(type)                                                                                                    \
	struct grown_##type {                                                                                          \
		struct glane_##type now;                                                                               \
		uint64_t later;                                                                                        \
	}
GROWN(series);
GROWN(row);
GROWN(annotation);
GROWN(cover);
GROWN(request);
GROWN(csv);
static unsigned what_has_grown;

/* Each uses one member of a later minor, without having looked whether this host has it. */
static glane_rc uses_later(const struct glane_host *h, glane_run *r, void *state)
{
	const struct grown_series series = {{.size = sizeof(series)}, 1};
	const struct grown_row row = {{.size = sizeof(row)}, 1};
	const struct grown_annotation note = {{.size = sizeof(note)}, 1};
	const struct grown_cover cover = {{.size = sizeof(cover), .dataset = GLANE_STR_INIT("D")}, 1};
	const struct grown_csv csv = {{.size = sizeof(csv)}, 1};
	const struct grown_request q = {{.size = sizeof(q), .url = "{base_url}/table.csv"}, 1};
	const struct glane_request q_csv = {.size = sizeof(q_csv), .url = "{base_url}/table.csv", .csv = &csv.now};
	glane_reader *rd;
	uint32_t handle;

	(void)state;
	switch (what_has_grown) {
	case 0:
		return h->series(r, &series.now, &handle);
	case 1:
		return h->emit(r, &row.now);
	case 2:
		return h->annotate(r, &note.now, &handle);
	case 3:
		return h->cover(r, &cover.now);
	case 4:
		return h->slice(r, GLANE_OK, &cover.now, NULL);
	case 5:
		return h->open(r, &q.now, &rd);
	default:
		return h->open(r, &q_csv, &rd);
	}
}

static void test_later_members(void **state)
{
	static const char *const calls[] = {
		"series()", "emit()", "annotate()", "cover()", "slice()", "open()", "open()"};

	(void)state;
	for (what_has_grown = 0; what_has_grown < sizeof(calls) / sizeof(calls[0]); what_has_grown++) {
		struct test_host t;

		test_host_init(&t);
		t.pages = &page;
		t.n_pages = 1;
		assert_int_equal(test_host_function(&t, uses_later), GLANE_E_USAGE);
		assert_non_null(strstr(t.diag.text, calls[what_has_grown]));
		assert_non_null(strstr(t.diag.text, "does not know"));
		test_host_release(&t);
	}
}

/* A service that a later minor may add is not seen on a host that has it not, nor one that is NULL. */
static glane_rc asks(const struct glane_host *h, glane_run *r, void *state)
{
	struct glane_host older = *h;

	(void)state;
	if (!GLANE_HAS(h, extension) || !GLANE_HAS(h, fmt))
		return h->fail(r, GLANE_E_DATA, "a service is missing");
	older.size = offsetof(struct glane_host, extension);
	if (GLANE_HAS(&older, extension) || !GLANE_HAS(&older, fmt))
		return h->fail(r, GLANE_E_DATA, "an older host");
	older = *h;
	older.fmt = NULL;
	return GLANE_HAS(&older, fmt) ? h->fail(r, GLANE_E_DATA, "a host without it") : GLANE_OK;
}

static void test_has(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	assert_int_equal(test_host_function(&t, asks), GLANE_OK);
	test_host_release(&t);
}

/* ---- the plugin of the day when the ABI was frozen */

static const struct test_page frozen_pages[] = {
	{"http://host/table.csv?q=a%20b",
		"a heading\narea;sex;year;V\n TG ;'F;M';2020;1.234,5\nTG;M;2021;\nBJ;F;2020;2\n", 0, 0, NULL},
	{"http://host/pages?size=1&page=1",
		"{\"stamp\":\"s1\",\"pages\":2,\"total\":3,\"rows\":[{\"y\":1,\"v\":{\"a\":1,\"b\":\"x\"}}]}", 0, 0,
		NULL},
	{"http://host/pages?size=1&page=2",
		"{\"stamp\":\"s2\",\"pages\":2,\"total\":3,\"rows\":[{\"y\":2,\"v\":{}},{\"y\":3,\"v\":{\"c\":null}}]}",
		0, 0, NULL},
	{"http://host/split/a+b", "[1,2]", 0, 0, NULL},
	{"http://host/split/c", "[3]", 0, 0, NULL},
	{"http://host/bytes", "0123456789", 0, 0, NULL},
	{"http://host/doc.xml", "<D><List of='x'><Item id='1'/><Item id='2'/></List></D>", 0, 0, NULL},
	{"http://host/cube.csv", "DATAFLOW,SUBJECT,REF_AREA,FREQ,TIME_PERIOD,OBS_VALUE\nA:C(1.0),POP,TGO,A,2020,1.5\n",
		0, 0, NULL},
	{"http://host/there", "[]", 0, 0, NULL},
	{"http://host/gone", NULL, 0, GLANE_E_FETCH, "HTTP 404"},
};
static const char *const frozen_does[] = {"log 1 before: \n", "note 1 ~ f n 6 0\n",
	"series 1 A TABLE V TG ISO2 SEX=F%3BM EUR 3 a title an area 2026-01-01\n",
	"reject empty: no value of 1 [TG;M;2021;]\n", "obs 1 2020 1234.5 E 1\nobs 2 2020 2 E 1\n",
	"cover 2 TABLE V 18262 18992 ~\n", "note 2 ~ ~ default is 7 90s 2048b 1 0|x|y|K:v|L:w x ~ 0\n",
	"note 3 ~ ~ before:  ~ 0\n", "cursor seen=yes\n", "note 4 ~ ~ s1/1 a=1;s1/1 b=x;s2/3 c=; 3 ~ 0\n",
	"note 5 ~ ~ x1 x2 525 ~ 0\n", "series 7 A CUBE POP TGO ISO3  ~ 0 ~ ~ ~\n", "note 6 ~ ~ TIME_PERIOD 0 ~ 0\n",
	"obs 7 2020 1.5 A 0\n", "cover 0 CUBE ~ 0 0 ~\n", "note 7 ~ x pushed 2 0\n",
	"obs 9 2020-Q1 12.50 A 7\nobs 9 2020-Q2 1 P 0\nobs 9 2020-Q2 2 A 0\n", "cover 1 F ~ 0 0 ~\n",
	"cover 1 SLICE there 0 0 ~\n", "cover 3 SLICE gone 0 0 gone was not read: HTTP 404\n",
	"cover 3 SAID ~ 0 0 said by the plugin, number 1\n"};

static void run_frozen(const char *path, const char *version)
{
	struct test_host t;
	struct plugin p;

	test_host_init(&t);
	t.pages = frozen_pages;
	t.n_pages = sizeof(frozen_pages) / sizeof(frozen_pages[0]);
	t.conf = "must = is\nnumber = 7\nlist = x y";
	if (plugin_load(&t.arena, path, "frozen", &p, &t.diag) == GLANE_OK)
		(void)test_host_plugin(&t, &p);
	else
		p = (struct plugin){0};
	if (t.diag.code != GLANE_OK)
		print_message("%s\n", t.diag.text);
	assert_int_equal(t.diag.code, GLANE_OK);
	assert_string_equal(p.desc.version, version);
	for (size_t i = 0; i < sizeof(frozen_does) / sizeof(frozen_does[0]); i++)
		if (!strstr(t.out.p, frozen_does[i])) {
			puts(t.out.p);
			print_message("not there: %s", frozen_does[i]);
			test_fail();
		}
	test_host_release(&t);
}

static void test_frozen_here(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	run_frozen(path_of(&a, "frozen"), "built here");
	arena_release(&a);
}

#ifdef __x86_64__
#define KEPT "frozen-x86-64.so"
#else
#define KEPT NULL
#endif

static struct strbuf take_file(const char *name)
{
	const char *top = getenv("GLANE_TOP");
	char path[4096];
	struct strbuf text;
	struct diag d;

	if (!top || !name)
		skip(); /* of another machine: test_frozen_here has built it */
	(void)snprintf(path, sizeof(path), "%s/tests/abi/%s", top, name);
	strbuf_init(&text, 1 << 20);
	diag_clear(&d);
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &text, &d), GLANE_OK);
	return text;
}

/* The binary that is kept, from the sources that are kept beside it; a checkout may be writable by a group. */
static void test_frozen_kept(void **state)
{
	struct strbuf so = take_file(KEPT), source = take_file("frozen.c"), header = take_file("plugin-1.0.h");
	char path[] = "/tmp/glane-frozen-XXXXXX", hex[65];
	const int fd = mkstemp(path);
	struct sha256 h;
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, so.p, so.n, &d), GLANE_OK);
	close(fd);
	assert_true(sha256_init(&h) && sha256_add(&h, source.p, source.n) && sha256_add(&h, header.p, header.n) &&
		    sha256_end(&h, hex));
	hex[32] = '\0';
	run_frozen(path, hex);
	unlink(path);
	strbuf_release(&so);
	strbuf_release(&source);
	strbuf_release(&header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_grown), cmocka_unit_test(test_older),
		cmocka_unit_test(test_grown_rows_are_checked), cmocka_unit_test(test_needs), cmocka_unit_test(test_has),
		cmocka_unit_test(test_later_members), cmocka_unit_test(test_frozen_here),
		cmocka_unit_test(test_frozen_kept)};

	return cmocka_run_group_tests_name("abi", tests, NULL, NULL);
}
