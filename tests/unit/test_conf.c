/* SPDX-License-Identifier: MIT */
/* Configuration: what is read, what is refused with file, line and remedy, lists, names, lack of memory. */
#include "base/conf.h"
#include "base/strbuf.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char golden[] = "\xEF\xBB\xBF# comment\r\n"
			     "\r\n"
			     "[glane]\r\n"
			     "store       = ../store  \r\n"
			     "empty=\r\n"
			     "  [source worldbank] #1 \"# 2\" \n" /* indented: the value of `empty` */
			     "[source worldbank]\n"
			     "plugin = worldbank\n"
			     "indicators = IT.NET.USER.ZS\n"
			     "# between\n"
			     "\tIT.NET.SECR.P6\n"
			     "\n"
			     "   IT.CEL.SETS.P2  \n"
			     "url = https://example.org/?a=b&c=d#f ; no comment\n"
			     "gate.max_factor = 10\n"
			     "quoted = \"a \\\" # b\n"
			     " c # d\" \"\\\\\"\n"
			     "[ source  ecb.eu-1 ] \n"
			     "title = C\xC3\xB4te\tX";

static const struct slice golden_text = {golden, sizeof(golden) - 1};
static const struct {
	const char *kind, *name;
	unsigned line;
	struct {
		const char *key, *value;
		unsigned line;
	} entries[5];
} golden_sections[] = {
	{"glane", NULL, 3, {{"store", "../store", 4}, {"empty", "[source worldbank] #1 \"# 2\"", 5}}},
	{"source", "worldbank", 7,
		{{"plugin", "worldbank", 8}, {"indicators", "IT.NET.USER.ZS IT.NET.SECR.P6 IT.CEL.SETS.P2", 9},
			{"url", "https://example.org/?a=b&c=d#f ; no comment", 14}, {"gate.max_factor", "10", 15},
			{"quoted", "\"a \\\" # b c # d\" \"\\\\\"", 16}}},
	{"source", "ecb.eu-1", 18, {{"title", "C\xC3\xB4te\tX", 19}}},
};

static bool same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool is_golden(const struct conf *c, const char *file)
{
	const struct conf_section *s = c->sections;

	for (size_t i = 0; i < COUNT(golden_sections); i++, s = s->next) {
		const struct conf_entry *e;
		size_t k = 0;

		if (!s || !same(s->kind, golden_sections[i].kind) || !same(s->name, golden_sections[i].name) ||
			s->line != golden_sections[i].line || !same(s->file, file))
			return false;
		for (e = s->entries; e; e = e->next, k++) {
			if (k >= 5 || !same(e->key, golden_sections[i].entries[k].key) ||
				!same(e->value, golden_sections[i].entries[k].value) || e->used ||
				e->line != golden_sections[i].entries[k].line || !same(e->file, file))
				return false;
		}
		if (k < 5 && golden_sections[i].entries[k].key)
			return false;
	}
	return !s;
}

static void test_golden(void **state)
{
	struct diag d = {0};
	struct conf c;

	(void)state;
	conf_init(&c);
	assert_int_equal(conf_parse(&c, "x.conf", golden_text, &d), GLANE_OK);
	assert_true(is_golden(&c, "x.conf"));
	assert_string_equal(conf_find(c.sections, "store")->value, "../store");
	assert_null(conf_find(c.sections, "plugin"));
	conf_release(&c);
	assert_null(c.sections);
	assert_int_equal(conf_parse(&c, "empty.conf", SLICE(""), &d), GLANE_OK);
	assert_null(c.sections);
	conf_release(&c);
}

/* A file that was cut while it was written is read up to there or refused, and never read beyond. */
static void test_every_cut(void **state)
{
	unsigned refused = 0;

	(void)state;
	for (size_t n = 0; n < sizeof(golden); n++) {
		char *exact = mem_alloc(n); /* the sanitizer sees a read behind it */
		struct diag d = {0};
		struct conf c;
		glane_rc rc;

		assert_non_null(exact);
		memcpy(exact, golden, n);
		conf_init(&c);
		rc = conf_parse(&c, "cut.conf", (struct slice){exact, n}, &d);
		assert_true(rc == GLANE_OK || rc == GLANE_E_CONFIG);
		assert_int_equal(strncmp(d.text, "cut.conf:", 9) == 0, rc < 0);
		refused += rc < 0;
		conf_release(&c);
		mem_free(exact);
	}
	assert_true(refused > 20);
}

struct bad {
	const char *text;
	unsigned line;
	const char *says;
};

static const struct bad bad[] = {
	{"a = 1\n", 1, "before any section"},
	{"# c\n\na = 1\n[glane]\n", 3, "before any section"},
	{"  a = 1\n[glane]\n", 1, "indented"},
	{"[glane]\n  a = 1\n", 2, "indented"},
	{"[glane]\na = 1\n[source x]\n\tb\n", 4, "indented"},
	{"[glane]\na = 1\n  # c\n", 3, "indented '#'"},
	{"[glane]\na = 1 # c\n", 2, "'# c' would be part of the value: a comment stands on a line of its own"},
	{"[glane]\na = 1\t#c\n", 2, "'#c' would be"},
	{"[glane]\na = # c\n", 2, "'# c' would be"},
	{"[glane]\na = \"b # c\" #\n", 2, "'#' would be"},
	{"[glane]\na = 1\n  2 # c\n", 3, "'# c' would be"},
	{"[glane]\na\n", 2, "no '='"},
	{"[glane]\na = 1\nb 2\n", 3, "no '='"},
	{"[glane]\n= 1\n", 2, "'' is no key"},
	{"[glane]\na b = 1\n", 2, "'a b' is no key"},
	{"[glane]\n\xC3\xA9 = 1\n", 2, "is no key"},
	{"[glane]\nhttp://x/?a=1\n", 2, "is no key"},
	{"[glane]\na = \"b\n c\" # d\n", 3, "'# d' would be part"},
	{"[glane]\na = \"b \\\" # c\" # d\n", 2, "'# d' would be part"},
	{"[glane]\n; a = 1\n", 2, "';' begins no comment"},
	{"[glane]\na = 1\nb = 2\na = 3\n", 4, "line 2"},
	{"[glane]\na = 1\n[glane]\n", 3, "f.conf:1"},
	{"[source a]\n[source b]\n[ source\ta ]\n", 3, "f.conf:1"},
	{"[glane\n", 1, "']'"},
	{"[glane] # c\n", 1, "']'"},
	{"[\n", 1, "']'"},
	{"[]\n", 1, "is no section"},
	{"[ ]\n", 1, "is no section"},
	{"[/x]\n", 1, "is no section"},
	{"[glane/x]\n", 1, "is no section"},
	{"[[glane]]\n", 1, "is no section"},
	{"[source a b]\n", 1, "one name"},
	{"[source a]]\n", 1, "one name"},
	{"[source a\tb]\n", 1, "one name"},
	{"[glane]\na = caf\xE9\n", 2, "not UTF-8"},
	{"[glane]\n# caf\xE9\n", 2, "not UTF-8"},
	{"\xFF\xFE[\n", 1, "not UTF-8"},
	{"[glane]\na = \x1B[0m\n", 2, "\\x1b in column 5"},
	{"[glane]\ra = 1\r", 1, "\\x0d in column 8"},
	{"[glane]\na = \x7F\n", 2, "\\x7f"},
	{"[glane]\n\xEF\xBB\xBFkey = 1\n", 2, "is no key"},
};

static void test_bad(void **state)
{
	const struct bad *b = *state;
	struct diag d = {0};
	char place[32];
	struct conf c;

	conf_init(&c);
	assert_int_equal(conf_parse(&c, "f.conf", slice_of(b->text), &d), GLANE_E_CONFIG);
	conf_release(&c);
	(void)snprintf(place, sizeof(place), "f.conf:%u: ", b->line);
	if (strncmp(d.text, place, strlen(place)) != 0 || !strstr(d.text, b->says))
		print_error("%s\n", d.text);
	assert_int_equal(strncmp(d.text, place, strlen(place)), 0);
	assert_non_null(strstr(d.text, b->says));
}

static void test_nul_byte(void **state)
{
	struct diag d = {0};
	struct conf c;

	(void)state;
	conf_init(&c);
	assert_int_equal(conf_parse(&c, "f", SLICE("[glane]\na = 1\0002\n"), &d), GLANE_E_CONFIG);
	assert_string_equal(d.text, "f:2: control byte \\x00 in column 6; remove it");
	conf_release(&c);
}

/* The same section in two files names both. */
static void test_two_files(void **state)
{
	struct diag d = {0};
	struct conf c;

	(void)state;
	conf_init(&c);
	assert_int_equal(conf_parse(&c, "a.conf", SLICE("[glane]\n\n[source x]\nk = 1"), &d), GLANE_OK);
	assert_int_equal(conf_parse(&c, "b.conf", SLICE("[source y]\nk = 2"), &d), GLANE_OK);
	assert_string_equal(c.sections->next->next->name, "y");
	assert_string_equal(c.sections->next->next->entries->file, "b.conf");
	assert_int_equal(conf_parse(&c, "c.conf", SLICE("\n[source x]\n"), &d), GLANE_E_CONFIG);
	assert_non_null(strstr(d.text, "c.conf:2: section [source x] stands already at a.conf:3"));
	conf_release(&c);
}

static glane_rc parse_repeated(const char *head, const char *unit, size_t times, bool numbered, struct diag *d)
{
	struct strbuf b;
	struct conf c;
	glane_rc rc;

	strbuf_init(&b, 0);
	strbuf_puts(&b, head);
	for (size_t i = 0; i < times; i++) {
		if (numbered)
			strbuf_fmt(&b, "%s%zu%s", unit, i, *unit == '[' ? "]\n" : " = 1\n");
		else
			strbuf_puts(&b, unit);
	}
	assert_true(strbuf_ok(&b));
	conf_init(&c);
	rc = conf_parse(&c, "f", strbuf_get(&b), d);
	conf_release(&c);
	strbuf_release(&b);
	return rc;
}

static void test_limits(void **state)
{
	struct diag d = {0};

	(void)state;
	assert_int_equal(parse_repeated("[glane]\nk =", "x", 65536 - 3, false, &d), GLANE_OK);
	assert_int_equal(parse_repeated("[glane]\nk =", "x", 65536 - 2, false, &d), GLANE_E_CONFIG);
	assert_non_null(strstr(d.text, "f:2: the line is longer than 65536 bytes"));
	diag_clear(&d);
	assert_int_equal(parse_repeated("[glane]\nk =\n", " x\n", 100000, false, &d), GLANE_OK);
	assert_int_equal(parse_repeated("[glane]\n", "k", 1024, true, &d), GLANE_OK);
	assert_int_equal(parse_repeated("[glane]\n", "k", 1025, true, &d), GLANE_E_CONFIG);
	assert_non_null(strstr(d.text, "f:1026: more than 1024 keys"));
	diag_clear(&d);
	assert_int_equal(parse_repeated("", "[source s", 4096, true, &d), GLANE_OK);
	assert_int_equal(parse_repeated("", "[source s", 4097, true, &d), GLANE_E_CONFIG);
	assert_non_null(strstr(d.text, "f:4097: more than 4096 sections"));
}

/* The N-th allocation fails, once or from then on: an error and nothing leaked, until N is beyond the last one. */
static void check_no_memory(bool for_ever)
{
	long n = 1;

	for (; n < 1000; n++) {
		struct diag d = {0};
		struct conf c;
		glane_rc rc;
		bool whole;

		conf_init(&c);
		mem_fail_after(n, for_ever);
		rc = conf_parse(&c, "x.conf", golden_text, &d);
		mem_fail_after(0, false);
		whole = rc == GLANE_OK && is_golden(&c, "x.conf");
		conf_release(&c);
		if (whole)
			break;
		assert_int_equal(rc, GLANE_E_NOMEM);
		assert_int_equal(strncmp(d.text, "x.conf", 6), 0);
	}
	assert_true(n > 2 && n < 1000);
}

static void test_no_memory(void **state)
{
	(void)state;
	check_no_memory(false);
	check_no_memory(true);
}

static void test_read(void **state)
{
	char path[256];
	const char *tmp = getenv("TMPDIR");
	struct diag d = {0};
	struct conf c;
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/test_conf.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, golden, sizeof(golden) - 1), sizeof(golden) - 1);
	(void)close(fd);
	conf_init(&c);
	assert_int_equal(conf_read(&c, path, &d), GLANE_OK);
	assert_true(is_golden(&c, path));
	assert_int_equal(conf_read(&c, path, &d), GLANE_E_CONFIG); /* every section stands twice */
	conf_release(&c);
	assert_int_equal(unlink(path), 0);
	diag_clear(&d);
	assert_int_equal(conf_read(&c, path, &d), GLANE_E_IO);
	assert_non_null(strstr(d.text, path));
	conf_release(&c);
}

/* The whole list, as its items one by one. */
static void check_items(struct arena *a, const char *text, const char *const *want, glane_rc end)
{
	const char **items = NULL;
	struct diag d = {0};
	size_t n = 99, k = 0;

	assert_int_equal(conf_items(a, text, &items, &n, &d), end == GLANE_END ? GLANE_OK : end);
	for (; want[k]; k++)
		assert_true(k < n && strcmp(items[k], want[k]) == 0);
	assert_int_equal(n, k);
	assert_int_equal(d.code, end < 0 ? end : 0);
}

static void test_items(void **state)
{
	static const struct {
		const char *text;
		const char *items[6];
		glane_rc end;
	} rows[] = {
		{"", {NULL}, GLANE_END},
		{" \t ", {NULL}, GLANE_END},
		{"a", {"a"}, GLANE_END},
		{" a\tb  c ", {"a", "b", "c"}, GLANE_END},
		{"\"a b\" c", {"a b", "c"}, GLANE_END},
		{"KEY=\"a b\" X=1", {"KEY=a b", "X=1"}, GLANE_END},
		{"\"\" x \"\"", {"", "x", ""}, GLANE_END},
		{"\"a \\\"b\\\" \\\\ \\n\"", {"a \"b\" \\ \\n"}, GLANE_END},
		{"a\\b c:\\\\d", {"a\\b", "c:\\\\d"}, GLANE_END},
		{"\"a\"\"b\"c", {"abc"}, GLANE_END},
		{"\"\\\\\" b", {"\\", "b"}, GLANE_END},
		{"a \"b", {"a"}, GLANE_E_CONFIG},
		{"\"b\\\"", {NULL}, GLANE_E_CONFIG},
		{"a\"", {NULL}, GLANE_E_CONFIG},
	};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *cursor = rows[i].text, *item = NULL;
		struct diag d = {0};
		glane_rc rc;

		for (size_t k = 0; rows[i].items[k]; k++) {
			assert_int_equal(conf_item(&a, &cursor, &item, &d), GLANE_OK);
			assert_string_equal(item, rows[i].items[k]);
		}
		rc = conf_item(&a, &cursor, &item, &d);
		assert_int_equal(rc, rows[i].end);
		assert_int_equal(d.code, rc < 0 ? rc : 0);
		check_items(&a, rows[i].text, rows[i].items, rows[i].end);
	}
	check_items(&a, NULL, (const char *const[]){NULL}, GLANE_END);
	arena_release(&a);
}

/* A list costs memory in proportion to its length, not to its square. */
static void test_long_list(void **state)
{
	const char *cursor, *item, **items;
	struct strbuf b;
	struct arena a;
	size_t n = 0;

	(void)state;
	strbuf_init(&b, 0);
	for (unsigned i = 0; i < 10000; i++)
		strbuf_fmt(&b, " item%u", i);
	arena_init(&a, 1 << 20);
	cursor = strbuf_get(&b).p;
	while (conf_item(&a, &cursor, &item, NULL) == GLANE_OK)
		n++;
	assert_int_equal(n, 10000);
	assert_int_equal(*cursor, 0);
	assert_int_equal(conf_items(&a, strbuf_get(&b).p, &items, &n, NULL), GLANE_OK);
	assert_int_equal(n, 10000);
	assert_string_equal(items[9999], "item9999");
	arena_release(&a);
	strbuf_release(&b);
	arena_init(&a, 1);
	cursor = "x";
	assert_int_equal(conf_item(&a, &cursor, &item, NULL), GLANE_E_NOMEM);
	assert_string_equal(cursor, "x");
	arena_release(&a);
}

static void test_names(void **state)
{
	static const char *const good[] = {"a", "0", "worldbank", "a.b_c-d", "9z"};
	static const char *const wrong[] = {
		"", ".", ".a", "-a", "_a", "A", "aB", "a b", "a/b", "..", "a\n", "caf\xC3\xA9"};
	char name[65];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(conf_is_name(slice_of(good[i])));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(conf_is_name(slice_of(wrong[i])));
	assert_false(conf_is_name(SLICE("a\0b")));
	memset(name, 'a', sizeof(name));
	assert_true(conf_is_name((struct slice){name, 63}));
	assert_false(conf_is_name((struct slice){name, 64}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_two_files),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_long_list),
		cmocka_unit_test(test_names),
	};
	struct CMUnitTest bad_tests[COUNT(bad)];
	static struct bad rows[COUNT(bad)];
	int failed;

	for (size_t i = 0; i < COUNT(bad); i++) {
		rows[i] = bad[i];
		bad_tests[i] = (struct CMUnitTest)cmocka_unit_test_prestate(test_bad, &rows[i]);
	}
	failed = cmocka_run_group_tests_name("conf", tests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("conf, refused", bad_tests, NULL, NULL);
}
