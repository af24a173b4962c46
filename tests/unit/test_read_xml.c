/* SPDX-License-Identifier: MIT */
/* XML records: paths, texts, what is refused; fed whole and in every small step, and without memory. */
#include "read/xml.h"
#include "support/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct records_case good[] = {
	{"attributes", "<e><c t='1'><c u='A' r='1.5'/><c u='B' r='2'/></c><c t='2'><c u='A' r=''/></c></e>", "c/c",
		{"@u", "@r", "../@t", "@none"}, {NULL}, "A|1.5|1|~\nB|2|1|~\nA||2|~\nend", 0, 0, 0},
	{"texts behind closed elements", "<d>\n <r>\n  <a>x</a>\n  <b><c>yy</c></b> tail <c>z</c>\n </r>\n</d>", "r",
		{"a", "b/c", "c", ".", "b"}, {NULL}, "x|yy|z|tail|\nend", 0, 0, 0},
	{"a text in pieces", "<d><r>one<i>no</i> two<![CDATA[<&]]>&amp;&#233;</r></d>", "d/r", {"."}, {NULL},
		"one two<&&\u00e9\nend", 0, 0, 0},
	{"namespaces", "<p:d xmlns:p='u'><p:r p:a='1' a='2'><p:t>x</p:t></p:r></p:d>", "r", {"@a", "t"}, {NULL},
		"2|x\nend", 0, 0, 0},
	{"heads", "<e v='3'><s><n> Bank </n></s><r/></e>", "r", {"."}, {"/e/s/n", "/e/@v", "/e/x"},
		"\nheads Bank|3|~\nend", 0, 0, 0},
	{"ISO-8859-1", "<?xml version='1.0' encoding='ISO-8859-1'?><d><r>\xe9</r></d>", "r", {"."}, {NULL},
		"\u00e9\nend", 0, 0, 0},
	{"an empty list", "<d><r0/></d>", "d/r", {"."}, {NULL}, "end", 0, 0, 0},
};
static const struct records_case bad[] = {
	{"cut", "<d><r>1</r><r>2", "r", {"."}, {NULL}, "1\nformat", 0, 0, 0},
	{"a DOCTYPE", "<!DOCTYPE d [<!ENTITY e 'x'>]><d><r>&e;</r></d>", "r", {"."}, {NULL}, "format", 0, 0, 0},
	{"an entity", "<d><r>&nbsp;</r></d>", "r", {"."}, {NULL}, "format", 0, 0, 0},
	{"two roots", "<d><r>1</r></d><d/>", "r", {"."}, {NULL}, "1\nformat", 0, 0, 0},
	{"no XML", "{}", "r", {"."}, {NULL}, "format", 0, 0, 0},
	{"too deep", "<d><r><a><b><c/></b></a></r></d>", "r", {"."}, {NULL}, "limit", 0, 0, 4},
};

static void check(const struct records_case *c, size_t step)
{
	struct strbuf out;
	struct diag d;

	strbuf_init(&out, 0);
	(void)records_read_exact(c, GLANE_FMT_XML, c->doc, strlen(c->doc), step, &out, &d);
	strbuf_putc(&out, '\0');
	if (strcmp(out.p, c->want) != 0)
		fail_msg("%s, step %zu:\n%s\ninstead of\n%s\n%s", c->name, step, out.p, c->want, d.text);
	strbuf_release(&out);
}

static void documents_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t step = 0; step < 40; step++)
			check(&good[i], step);
}

static void damage_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		for (size_t step = 0; step < 40; step++)
			check(&bad[i], step);
}

/* The parser is ahead of the records: what it has found must outlast what others report meanwhile. */
static void messages_wait_for_their_turn(void **state)
{
	static const char *const field[] = {"."};
	static const char doc[] = "<d><r>1</r><r>2</r><r></d>";
	const struct record_options o = {.format = GLANE_FMT_XML, .select = "r", .field = field, .n_field = 1};
	struct record_reader *r = NULL;
	struct payload p;
	struct diag d;

	(void)state;
	diag_clear(&d);
	payload_memory(&p, slice_of(doc), 0, &d);
	assert_int_equal(record_open(&r, &p, &o, &d), GLANE_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(record_next(r), GLANE_OK);
		diag_clear(&d);
	}
	assert_int_equal(record_next(r), GLANE_E_FORMAT);
	assert_int_equal(d.code, GLANE_E_FORMAT);
	assert_non_null(strstr(d.text, "line 1 (after record 2)"));
	record_close(r);
	payload_close(&p);
}

/* With the N-th allocation failing, it is the same or an error with a message; a text may look too long (GLANE_E_LIMIT). */
static void memory_may_run_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		glane_rc rc = GLANE_E_NOMEM;

		for (long n = 1; rc < 0 && n < 500; n++) {
			struct strbuf out;
			struct diag d;

			strbuf_init(&out, 0);
			assert_non_null(strbuf_room(&out, 1024));
			mem_fail_after(n, true);
			rc = records_read(&good[i], GLANE_FMT_XML, slice_of(good[i].doc), 0, &out, &d);
			mem_fail_after(0, false);
			if (rc < 0)
				assert_true((rc == GLANE_E_NOMEM || rc == GLANE_E_LIMIT) && *d.text);
			strbuf_release(&out);
		}
		assert_int_equal(rc, GLANE_END);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_read),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(messages_wait_for_their_turn),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests_name("read_xml", tests, NULL, NULL);
}
