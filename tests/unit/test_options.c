/* SPDX-License-Identifier: MIT */
/* core/plug/options.c: from the text of a section to typed members; every refusal with file and line, and with a guess where a key is nearly right. */
#include "support/cmocka.h"

#include "plug/plugin.h"

#include <stdio.h>

struct state {
	const char *text;
	int64_t number, ranged, wait, size;
	uint8_t flag;
	struct glane_list list;
	struct glane_map map;
};
#define ROW(name, type, flags, dflt, min, max)                                                                         \
	{                                                                                                              \
#name, GLANE_OPT_##type, flags, offsetof(struct state, name), dflt, "help of " #name, min, max         \
	}
static const struct glane_opt rows[] = {ROW(text, STR, 0, "default", 0, 0), ROW(number, INT, 0, "7", 0, 0),
	ROW(ranged, INT, 0, NULL, -1, 5), ROW(wait, DURATION, 0, "90s", 0, 0), ROW(size, SIZE, 0, "64M", 0, 0),
	ROW(flag, BOOL, 0, "no", 0, 0), ROW(list, LIST, 0, "a b", 0, 0), ROW(map, MAP, 0, NULL, 0, 0), {0}};
static const struct glane_opt needs[] = {ROW(text, STR, GLANE_OPT_REQUIRED, NULL, 0, 0), {0}};
static const struct glane_opt bad_default[] = {ROW(number, INT, 0, "seven", 0, 0), {0}};

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	return GLANE_OK;
}

static struct conf conf; /* of the last fill(): what it gave borrows from there */

static glane_rc fill(struct arena *a, const struct glane_opt *table, const char *lines, struct state *s, struct diag *d)
{
	const struct glane_plugin desc = {.size = sizeof(desc),
		.abi_major = GLANE_ABI_MAJOR,
		.opt_stride = sizeof(struct glane_opt),
		.state_size = sizeof(struct state),
		.name = "test",
		.opts = table,
		.run = run};
	struct plugin p;
	char text[512];
	glane_rc rc;

	snprintf(text, sizeof(text), "# a line\n[source s]\nplugin = test\n%s", lines);
	memset(s, 0, sizeof(*s));
	diag_clear(d);
	conf_release(&conf);
	conf_init(&conf);
	rc = plugin_adopt(a, &desc, "/dir/test.so", "test", &p, d);
	if (rc == GLANE_OK)
		rc = conf_parse(&conf, "x.conf", slice_of(text), d);
	if (rc == GLANE_OK) {
		struct diag check = {.code = GLANE_OK};

		rc = options_fill(a, &p, conf.sections, s, d);
		assert_int_equal(
			options_fill(a, &p, conf.sections, NULL, &check), rc); /* check only: the same verdict */
		assert_string_equal(check.text, d->text);
	}
	return rc;
}

static int forget(void **state)
{
	(void)state;
	conf_release(&conf);
	return 0;
}

static void test_defaults(void **state)
{
	struct arena a;
	struct state s;
	struct diag d;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(fill(&a, rows, "deadline = 5m\ngate.max_factor = 3\n", &s, &d), GLANE_OK);
	assert_string_equal(s.text, "default");
	assert_int_equal(s.number, 7);
	assert_int_equal(s.ranged, 0);
	assert_int_equal(s.wait, 90);
	assert_int_equal(s.size, 64 << 20);
	assert_int_equal(s.flag, 0);
	assert_int_equal(s.list.n, 2);
	assert_string_equal(s.list.v[1], "b");
	assert_int_equal(s.map.n, 0);
	arena_release(&a);
}

static void test_values(void **state)
{
	struct arena a;
	struct state s;
	struct diag d;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(
		fill(&a, rows,
			"text = a b = c\nnumber = -9223372036854775808\nranged = 5\nwait = 7d\nsize = 2G\nflag = yes\n"
			"list = one \"two words\"\n  three\nmap = A=1 B=\"x y\" C=a=b D=\n",
			&s, &d),
		GLANE_OK);
	assert_string_equal(s.text, "a b = c");
	assert_true(s.number == INT64_MIN);
	assert_int_equal(s.ranged, 5);
	assert_int_equal(s.wait, 7 * 86400);
	assert_true(s.size == INT64_C(2) << 30);
	assert_int_equal(s.flag, 1);
	assert_int_equal(s.list.n, 3);
	assert_string_equal(s.list.v[1], "two words");
	assert_int_equal(s.map.n, 4);
	assert_string_equal(s.map.v[1].k, "B");
	assert_memory_equal(s.map.v[1].v.p, "x y", 3);
	assert_memory_equal(s.map.v[2].v.p, "a=b", 3);
	assert_int_equal(s.map.v[3].v.n, 0);
	arena_release(&a);
}

struct wrong {
	const struct glane_opt *table;
	const char *lines, *want;
};
static const struct wrong wrongs[] = {
	{rows, "number = seven\n", "x.conf:4: number = seven: not an integer"},
	{rows, "number = 9223372036854775808\n", "x.conf:4: number = 9223372036854775808: not an integer"},
	{rows, "number =\n", "x.conf:4: number = : not an integer"},
	{rows, "text = x\nranged = 6\n", "x.conf:5: ranged = 6: not between -1 and 5"},
	{rows, "ranged = -2\n", "x.conf:4: ranged = -2: not between -1 and 5"},
	{rows, "wait = 5 weeks\n", "x.conf:4: wait = 5 weeks: not a duration"},
	{rows, "size = big\n", "x.conf:4: size = big: not a size"},
	{rows, "flag = maybe\n", "x.conf:4: flag = maybe: neither yes nor no"},
	{rows, "list = a \"b\n", "x.conf:4: "},
	{rows, "map = A\n", "x.conf:4: map: item 'A' is not KEY=VALUE"},
	{rows, "map = =1\n", "x.conf:4: map: item '=1' is not KEY=VALUE"},
	{rows, "nummber = 1\n", "x.conf:4: plugin test has no option 'nummber': did you mean 'number'?"},
	{rows, "txt = 1\n", "x.conf:4: plugin test has no option 'txt': did you mean 'text'?"},
	{rows, "deadlin = 5m\n", "x.conf:4: plugin test has no option 'deadlin': did you mean 'deadline'?"},
	{rows, "colour = red\n",
		"x.conf:4: plugin test has no option 'colour' (`glane plugins test` lists its own, conf/README.md"},
	{needs, "text =\n", "x.conf:2: [source s] needs 'text': help of text"},
	{needs, "", "x.conf:2: [source s] needs 'text': help of text"},
	{bad_default, "", "default of plugin test: number = seven: not an integer"},
};

static void test_wrong(void **state)
{
	const struct wrong *w = *state;
	struct arena a;
	struct state s;
	struct diag d;

	arena_init(&a, 0);
	assert_int_equal(fill(&a, w->table, w->lines, &s, &d), GLANE_E_CONFIG);
	if (strncmp(d.text, w->want, strlen(w->want)) != 0)
		print_message("%s\nwant %s\n", d.text, w->want);
	assert_memory_equal(d.text, w->want, strlen(w->want));
	arena_release(&a);
}

/* ---- describe.c: there and back, and what a worker may not say of itself ---- */

static void test_describe(void **state)
{
	static const char *const hosts[] = {"a.example", "*.b.example", NULL};
	const struct glane_plugin desc = {.size = sizeof(desc),
		.abi_major = GLANE_ABI_MAJOR,
		.opt_stride = sizeof(struct glane_opt),
		.state_size = sizeof(struct state),
		.name = "test",
		.version = "1.2",
		.title = "Title \xc3\xa9",
		.base_url = "https://c.example",
		.hosts = hosts,
		.opts = rows,
		.run = run};
	struct plugin p, back;
	struct arena a;
	struct diag d = {.code = GLANE_OK};
	json_t *j;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(plugin_adopt(&a, &desc, "/dir/test.so", "test", &p, &d), GLANE_OK);
	j = plugin_describe(&p);
	assert_non_null(j);
	assert_int_equal(plugin_from_json(&a, j, &back, &d), GLANE_OK);
	json_decref(j);
	assert_string_equal(back.desc.name, "test");
	assert_string_equal(back.desc.title, "Title \xc3\xa9");
	assert_string_equal(back.desc.base_url, "https://c.example");
	assert_int_equal(back.n_hosts, 2);
	assert_string_equal(back.hosts[1], "*.b.example");
	assert_int_equal(back.n_options, 8);
	assert_string_equal(back.options[2].name, "ranged");
	assert_int_equal(back.options[2].max, 5);
	assert_string_equal(back.options[7].help, "help of map");
	arena_release(&a);
}

static void test_foreign_descriptions(void **state)
{
	static const char *const texts[] = {"{}", "{\"name\":1}", "{\"name\":\"x\",\"hosts\":[1]}",
		"{\"name\":\"x\",\"options\":[{}]}", "{\"name\":\"x\",\"options\":[{\"name\":\"a\",\"type\":9}]}",
		"{\"name\":\"x\",\"options\":[{\"name\":\"A B\",\"type\":1}]}",
		"{\"name\":\"x\",\"options\":[{\"name\":\"deadline\",\"type\":1}]}", "[]", "\"x\""};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct diag d = {.code = GLANE_OK};
		struct plugin p;
		json_t *j = json_loads(texts[i], JSON_DECODE_ANY, NULL);

		assert_non_null(j);
		assert_int_equal(plugin_from_json(&a, j, &p, &d), GLANE_E_DENIED);
		assert_true(d.text[0] != 0);
		json_decref(j);
	}
	arena_release(&a);
}

int main(void)
{
	struct CMUnitTest tests[32] = {cmocka_unit_test(test_defaults), cmocka_unit_test(test_values),
		cmocka_unit_test(test_describe), cmocka_unit_test(test_foreign_descriptions)};
	size_t n = 4;

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++)
		tests[n++] = (struct CMUnitTest){wrongs[i].want, test_wrong, NULL, NULL, (void *)(uintptr_t)&wrongs[i]};
	return _cmocka_run_group_tests("options", tests, n, NULL, forget);
}
