/* SPDX-License-Identifier: MIT */
/* Content sniffing: what passes for JSON, XML and CSV, and what a refusal says. */
#include "base/strbuf.h"
#include "net/verify.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RAW GLANE_FMT_RAW
#define CSV GLANE_FMT_CSV
#define JSON GLANE_FMT_JSON
#define XML GLANE_FMT_XML

static glane_rc verify(struct slice all, uint8_t format, struct diag *d)
{
	struct slice head = all, tail = all;

	head.n = head.n > 4096 ? 4096 : head.n;
	if (tail.n > 64)
		tail = (struct slice){all.p + all.n - 64, 64};
	return body_verify(head, tail, all.n, format, "text/plain", d);
}

struct row {
	uint8_t format;
	struct slice body;
	const char *says; /* NULL: passes */
};

#define T(literal)                                                                                                     \
	{                                                                                                              \
		"" literal, sizeof(literal) - 1                                                                        \
	}

static const struct row rows[] = {
	{JSON, T("{\"a\":1}"), NULL},
	{JSON, T("\xef\xbb\xbf[1,2]\r\n"), NULL},
	{JSON, T("  \n[ ]  \n"), NULL},
	{JSON, T("12.5"), NULL},
	{JSON, T("-1e5\n"), NULL},
	{JSON, T("null"), NULL},
	{JSON, T("\"text\""), NULL},
	{JSON, T("{\"a\":1"), "closing bracket"},
	{JSON, T("[1,2}"), "closing bracket"},
	{JSON, T("\"text"), "no JSON"},
	{JSON, T("12."), "no JSON"},
	{JSON, T("Error: no data"), "\"Error: no data\""},
	{JSON, T("<?xml version=\"1.0\"?><message><text>bad parameter</text></message>"), "XML where JSON was asked"},
	{JSON, T("<!DOCTYPE html><title> Busy\n now </title>"), "\"Busy now\""},
	{JSON, T("<!-- x --><HTML><body>Sorry, <b>later</b></body>"), "\"Sorry, later\""},
	{JSON, T(""), "empty (0 bytes)"},
	{JSON, T(" \r\n\t"), "empty (4 blanks)"},
	{JSON, T("\xff\xfe[\0]\0"), "UTF-16"},
	{JSON, T("PK\003\004xxxx"), NULL},
	{JSON, T("\037\213\010"), NULL},
	{XML, T("<?xml version=\"1.0\"?>\n<a/>\n"), NULL},
	{XML, T("<a>x</a>"), NULL},
	{XML, T("\xff\xfe<\0a\0/\0>\0"), NULL},
	{XML, T("<a>x</a"), "does not end in '>'"},
	{XML, T("{\"message\":\"no \\\"such\\\" flow\"}"), "no \\\"such\\\" flow"},
	{XML, T("no such flow"), "no XML"},
	{XML, T("<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"x\"><html></html>"), "HTML page"},
	{XML, T("<header>x</header>"), NULL}, /* not <head> */
	{XML, T(""), "empty"},
	{CSV, T("a,b\n1,2\n"), NULL},
	{CSV, T("\"a\";\"b\"\r\n"), NULL},
	{CSV, T("[note],b\n1,2\n"), NULL},
	{CSV, T("{x},b\n1,2\n"), NULL},
	{CSV, T("<0.1,b\n1,2\n"), NULL},
	{CSV, T("7z\274\257\047\034xx"), NULL},
	{CSV, T("{\"error\":\"quota\"}"), "JSON where CSV was asked"},
	{CSV, T("[{\"a\":1}]\n"), "JSON where CSV was asked"},
	{CSV, T("<error>quota</error>"), "XML where CSV was asked"},
	{CSV, T("\n\n<html>busy</html>"), "HTML page"},
	{CSV, T(""), "empty"},
	{RAW, T("<html>whatever</html>"), NULL},
	{RAW | FORMAT_NO_HTML, T("<html>whatever</html>"), "an HTML page where data was asked"},
	{RAW | FORMAT_NO_HTML, T("<htmx>whatever</htmx>"), NULL},
	{RAW | FORMAT_NO_HTML, T("anything"), NULL},
	{RAW, T(" "), NULL},
	{RAW, T(""), "empty"},
};

static void every_body_gets_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag d = {0};
		glane_rc rc = verify(rows[i].body, rows[i].format, &d);

		if ((rc == GLANE_OK) != (rows[i].says == NULL))
			fail_msg("row %zu: %s: %s", i, rc_name(rc), d.text);
		if (!rows[i].says)
			continue;
		assert_int_equal(rc, GLANE_E_FORMAT);
		if (!strstr(d.text, rows[i].says))
			fail_msg("row %zu lacks '%s': %s", i, rows[i].says, d.text);
	}
}

/* A document cut anywhere but in its last blanks is told from a whole one, where its form allows. */
static void cut_documents_are_refused(void **state)
{
	const struct slice json = SLICE("[{\"page\":1},{\"value\":\"]}\"}]"),
			   xml = SLICE("<?xml version='1.0'?><a><b>c</b>text</a>");

	(void)state;
	for (size_t n = 0; n < json.n; n++) {
		bool closed = n && json.p[n - 1] == ']'; /* inside the string: the reader's to find */

		assert_int_equal(verify((struct slice){json.p, n}, JSON, NULL), closed ? GLANE_OK : GLANE_E_FORMAT);
	}
	for (size_t n = 0; n < xml.n; n++) {
		bool closed = n && xml.p[n - 1] == '>';

		assert_int_equal(verify((struct slice){xml.p, n}, XML, NULL), closed ? GLANE_OK : GLANE_E_FORMAT);
	}
	assert_int_equal(verify(json, JSON, NULL), GLANE_OK);
	assert_int_equal(verify(xml, XML, NULL), GLANE_OK);
}

static void blanks_at_the_ends_hide_nothing(void **state)
{
	char text[10000];
	struct slice all = {text, sizeof(text)};

	(void)state;
	memset(text, ' ', sizeof(text));
	text[0] = '{';
	text[5000] = '}';
	assert_int_equal(verify(all, JSON, NULL), GLANE_OK);
	memset(text, ' ', sizeof(text));
	text[9998] = '{';
	text[9999] = '}';
	assert_int_equal(verify(all, JSON, NULL), GLANE_OK);
}

static void words_are_short_and_visible(void **state)
{
	char text[8192];
	struct slice head = {text, sizeof(text)};
	struct strbuf b;
	size_t characters = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	strbuf_init(&b, 0);
	body_words(&b, head);
	for (size_t i = 0; i < b.n; i++)
		characters += ((unsigned char)b.p[i] & 0xc0) != 0x80;
	assert_int_equal(characters, 203);
	assert_string_equal(b.p + b.n - 3, "...");
	strbuf_reset(&b);
	body_words(&b, SLICE("\x1b]0;title\x07 ok\n\n\tmore\xff"));
	assert_string_equal(b.p, "\\x1b]0;title\\x07 ok more\\xff");
	strbuf_reset(&b);
	body_words(&b, (struct slice){NULL, 0});
	assert_int_equal(b.n, 0);
	strbuf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_body_gets_its_verdict),
		cmocka_unit_test(cut_documents_are_refused),
		cmocka_unit_test(blanks_at_the_ends_hide_nothing),
		cmocka_unit_test(words_are_short_and_visible),
	};

	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
