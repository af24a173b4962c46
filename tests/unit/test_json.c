/* SPDX-License-Identifier: MIT */
/* Small JSON documents: what is written comes back; what is not expected is refused. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct place {
	char path[256];
	int fd;
};

static int setup(void **state)
{
	static struct place p;
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(p.path, sizeof(p.path), "%s/test_json.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(p.path))
		return -1;
	p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &p;
	return p.fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	(void)unlinkat(p->fd, "j", 0);
	fd_close(&p->fd);
	return rmdir(p->path);
}

static void test_write(void **state)
{
	const struct place *p = *state;
	json_t *j = json_object();
	struct diag d = {0};
	struct strbuf b;

	assert_true(json_set_text(j, "z", "caf\xC3\xA9"));
	assert_true(json_set_int(j, "a", INT64_MIN));
	assert_true(json_set_text(j, "absent", NULL));
	assert_int_equal(json_write_file(p->fd, "j", j, false, &d), GLANE_OK);
	strbuf_init(&b, 0);
	assert_int_equal(file_read(p->fd, "j", 1000, &b, &d), GLANE_OK);
	assert_string_equal(b.p, "{\n  \"a\": -9223372036854775808,\n  \"z\": \"caf\xC3\xA9\"\n}\n");
	strbuf_release(&b);
	assert_int_equal(json_write_file(p->fd, "j", j, true, &d), GLANE_E_IO);
	mem_fail_after(1, true);
	assert_int_equal(json_write_file(p->fd, "j", j, false, NULL), GLANE_E_NOMEM);
	mem_fail_after(0, false);
	json_decref(j);
}

static void test_members(void **state)
{
	const struct place *p = *state;
	struct diag d = {0};
	json_t *j;

	assert_int_equal(
		file_replace(p->fd, "j",
			SLICE("{\"t\": \"x\", \"n\": 42, \"yes\": true, \"no\": false, \"r\": 1.5, \"o\": {}}"), false,
			&d),
		GLANE_OK);
	j = json_read_file(p->fd, "j", 1000, &d);
	assert_non_null(j);
	assert_string_equal(json_text(j, "t", "d"), "x");
	assert_string_equal(json_text(j, "n", "d"), "d");
	assert_null(json_text(j, "absent", NULL));
	assert_int_equal(json_int(j, "n", 7), 42);
	assert_int_equal(json_int(j, "t", 7), 7);
	assert_int_equal(json_int(j, "r", 7), 7);
	assert_true(json_flag(j, "yes"));
	assert_false(json_flag(j, "no"));
	assert_false(json_flag(j, "n"));
	assert_false(json_flag(j, "absent"));
	assert_int_equal(json_int(json_object_get(j, "t"), "n", 7), 7); /* no object */
	assert_string_equal(json_text(NULL, "t", "d"), "d");
	json_decref(j);
}

/* Bytes that are no text, and NUL, are escaped, so that the document can be read back. */
static void test_set_slice(void **state)
{
	const struct place *p = *state;
	json_t *j = json_object();
	struct diag d = {0};

	assert_true(json_set_slice(j, "bad", SLICE("a\xFF\nb")));
	assert_true(json_set_slice(j, "nul", SLICE("a\0b")));
	assert_true(json_set_slice(j, "line", SLICE("a\nb")));
	assert_true(json_set_slice(j, "empty", SLICE("")));
	assert_true(json_set_slice(j, "absent", (struct slice){NULL, 0}));
	assert_int_equal(json_write_file(p->fd, "j", j, false, &d), GLANE_OK);
	json_decref(j);
	j = json_read_file(p->fd, "j", 1000, &d);
	assert_non_null(j);
	assert_string_equal(json_text(j, "bad", ""), "a\\xff\\x0ab");
	assert_string_equal(json_text(j, "nul", ""), "a\\x00b");
	assert_string_equal(json_text(j, "line", ""), "a\nb");
	assert_string_equal(json_text(j, "empty", "d"), "");
	assert_int_equal(json_object_size(j), 4);
	mem_fail_after(1, false);
	assert_false(json_set_slice(j, "bad", SLICE("\xFF")));
	mem_fail_after(0, false);
	json_decref(j);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		glane_rc code;
	} rows[] = {
		{"", GLANE_E_FORMAT},
		{"{", GLANE_E_FORMAT},
		{"{\"a\": 1, \"a\": 2}", GLANE_E_FORMAT},
		{"{\"a\": 1} x", GLANE_E_FORMAT},
		{"{\"a\": \"\xFF\"}", GLANE_E_FORMAT},
		{"{\"a\": 99999999999999999999}", GLANE_E_FORMAT},
		{"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]", GLANE_E_LIMIT},
	};
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag d = {0};

		assert_int_equal(file_replace(p->fd, "j", slice_of(rows[i].text), false, &d), GLANE_OK);
		assert_null(json_read_file(p->fd, "j", 40, &d));
		assert_int_equal(d.code, rows[i].code);
		assert_int_equal(strncmp(d.text, "j:", 2), 0);
	}
	assert_null(json_read_file(p->fd, "absent", 40, NULL));
}

/* A document cut anywhere is no document. */
static void test_every_cut(void **state)
{
	static const char text[] = "{\"a\": [1, \"b\", null], \"c\": {\"d\": true}}";
	const struct place *p = *state;

	for (size_t n = 0; n < sizeof(text); n++) {
		json_t *j;

		assert_int_equal(file_replace(p->fd, "j", (struct slice){text, n}, false, NULL), GLANE_OK);
		j = json_read_file(p->fd, "j", 100, NULL);
		assert_int_equal(j != NULL, n == sizeof(text) - 1);
		json_decref(j);
	}
}

static void test_print(void **state)
{
	json_t *j = json_pack("{s:[i,s],s:n}", "b", 1, "x", "a");
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 30);
	assert_true(json_print(&b, j, true));
	assert_string_equal(b.p, "{\"a\":null,\"b\":[1,\"x\"]}");
	assert_false(json_print(&b, j, true)); /* over the maximum */
	strbuf_release(&b);
	json_decref(j);
}

/* What a terminal would obey is escaped, and reads back as it was. */
static void test_print_controls(void **state)
{
	static const char text[] = "\x1b[2J \x7f|\xc2\x80\xc2\x9f|\xc2\xa0\xc3\x80 \"\\";
	json_t *j = json_pack("{s:s}", text, text), *back;
	struct strbuf b;
	struct diag d;

	(void)state;
	diag_clear(&d);
	strbuf_init(&b, 0);
	assert_true(json_print(&b, j, true));
	assert_string_equal(b.p, "{\"\\u001B[2J \\u007f|\\u0080\\u009f|\xc2\xa0\xc3\x80 \\\"\\\\\":"
				 "\"\\u001B[2J \\u007f|\\u0080\\u009f|\xc2\xa0\xc3\x80 \\\"\\\\\"}");
	back = json_parse(strbuf_get(&b), 0, "it", &d);
	assert_true(json_equal(j, back));
	strbuf_release(&b);
	json_decref(j);
	json_decref(back);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void *nothing(size_t n)
{
	(void)n;
	return NULL;
}

/* Where jansson cannot even begin it says nothing: that is want of memory, and no damaged document. */
static void test_parse_without_memory(void **state)
{
	json_malloc_t take;
	json_free_t give;
	struct diag d;
	json_t *j;

	(void)state;
	json_get_alloc_funcs(&take, &give);
	for (int ours = 0; ours < 2; ours++) {
		diag_clear(&d);
		if (ours)
			mem_fail_after(1, false);
		else
			json_set_alloc_funcs(nothing, give);
		j = json_parse(SLICE("{}"), 0, "a text", &d);
		json_set_alloc_funcs(take, give);
		mem_fail_after(0, false);
		assert_null(j);
		assert_int_equal(d.code, GLANE_E_NOMEM);
		assert_string_equal(d.text, "a text: no memory to read it");
	}
	diag_clear(&d);
	assert_null(json_parse(SLICE("{\n1}"), 0, "a text", &d));
	assert_int_equal(d.code, GLANE_E_FORMAT);
	assert_non_null(strstr(d.text, "a text:2: "));
	j = json_parse(SLICE("{}"), 0, "a text", NULL);
	assert_non_null(j);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_write),
		IN_PLACE(test_members),
		IN_PLACE(test_set_slice),
		IN_PLACE(test_refused),
		IN_PLACE(test_every_cut),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_controls),
		cmocka_unit_test(test_parse_without_memory),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
