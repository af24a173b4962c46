/* SPDX-License-Identifier: MIT */
/* PC-Axis: keywords, periods, roles, units, symbols, encodings; what is refused; every cut, every split, lack of memory. */
#include "read/record.h"
#include <stdio.h>

#include "support/families.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void put(struct strbuf *out, struct slice s)
{
	strbuf_putc(out, '|');
	strbuf_puts(out, s.p ? "" : "~");
	strbuf_visible(out, s);
}

/* What the table is, a line of columns with their roles, then one for each record. */
static glane_rc read_all(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	const struct record_options o = {.format = GLANE_FMT_PX};
	struct record_reader *r = NULL;
	struct payload p;
	bool is_shown = false;
	glane_rc rc;

	(void)arg;
	payload_memory(&p, doc, step, d);
	rc = record_open(&r, &p, &o, d);
	while (rc == GLANE_OK && (rc = record_next(r)) == GLANE_OK) {
		if (!is_shown) {
			put(out, record_get(r, "#dataset"));
			put(out, record_get(r, "#title"));
			put(out, record_get(r, "#updated"));
			strbuf_putc(out, '\n');
		}
		for (size_t i = 0; !is_shown && i < record_columns(r); i++)
			strbuf_fmt(out, "%.*s=%d ", SLICE_FMT(record_column(r, i)), record_role(r, i));
		strbuf_puts(out, is_shown ? "" : "\n");
		is_shown = true;
		for (size_t i = 0; i < record_columns(r); i++)
			put(out, record_at(r, i));
		for (size_t i = 0; i + 3 < record_columns(r); i++)
			put(out, record_label(r, i));
		strbuf_fmt(out, " %d\n", (int)record_series(r));
	}
	if (r)
		record_close(r);
	payload_close(&p);
	return rc;
}

#define HEAD                                                                                                           \
	"CHARSET=\"ANSI\";\r\nAXIS-VERSION=\"2013\";\nCODEPAGE=\"iso-8859-1\";\nLANGUAGES=\"fi\",\"en\";\nTITLE=\"A;=" \
	"b\" \n\"c\";"                                                                                                 \
	"TITLE[en]=\"no\";\nMATRIX=\"m1\";LAST-UPDATED=\"20120418 "                                                    \
	"00:00\";UNITS=\"euro\";UNITS(\"Index\")=\"2005=100\";\n"
/* "Price" and "Index" in Togo and Benin (Bénin in ISO-8859-1), two quarters */
#define PLAIN                                                                                                          \
	HEAD "STUB=\"geo\",\"what\";HEADING=\"quarter\";\nCONTVARIABLE=\"what\";MAP(\"geo\")=\"world\";\n"             \
	     "VALUES(\"geo\")=\"Togo\",\"B\xe9nin\";VALUES[en](\"geo\")=\"x\",\"y\";CODES(\"geo\")=\"TG\",\n\"BJ\";"   \
	     "VALUES(\"what\")=\"Price\",\"Index\";\nTIMEVAL(\"quarter\")=TLIST(Q1),\"20124\",\"20131\";"              \
	     "VALUES(\"quarter\")=\"4/12\",\"1/13\";NOTE=\"a \"\n\"b\";COPYRIGHT=YES;\nDATA=\n"                        \
	     "1.50 -2 \n\"..\" 3,\t\"-\" 0;\n. 1e3 \n;\r\n"
#define YEARS                                                                                                          \
	"CODEPAGE=\"utf-8\";HEADING=\"t\";VALUES(\"t\")=\"a\",\"b\",\"c\";TIMEVAL(\"t\")=TLIST(A1,\"2011\"-\"2013\");" \
	"CONTENTS=\"x\";DESCRIPTION=\"\xc3\xa9\";DATA= 1 2 3;"
static const struct family forms[] = {
	{.name = "plain", .read = read_all, .doc = {PLAIN, sizeof(PLAIN) - 1}, .is_open_ended = true},
	{.name = "years", .read = read_all, .doc = {YEARS, sizeof(YEARS) - 1}},
};
static const char *const wanted[] = {
	"|m1|A;=bc|20120418 00:00\ngeo=5 what=6 quarter=2 value=3 OBS_STATUS=4 UNIT_MEASURE=4 \n"
	"|TG|Price|2012-Q4|1.50|~|euro|Togo|Price|4/12 1\n|TG|Price|2013-Q1|-2|~|euro|Togo|Price|1/13 1\n"
	"|TG|Index|2012-Q4|..|..|2005=100|Togo|Index|4/12 2\n|TG|Index|2013-Q1|3|~|2005=100|Togo|Index|1/13 2\n"
	"|BJ|Price|2012-Q4|-|-|euro|B\xc3\xa9nin|Price|4/12 4\n|BJ|Price|2013-Q1|0|~|euro|B\xc3\xa9nin|Price|1/13 4\n"
	"|BJ|Index|2012-Q4|.|.|2005=100|B\xc3\xa9nin|Index|4/12 5\n"
	"|BJ|Index|2013-Q1|1e3|~|2005=100|B\xc3\xa9nin|Index|1/13 5\n",
	"|~|\xc3\xa9|~\nt=2 value=3 OBS_STATUS=4 UNIT_MEASURE=4 \n|2011|1|~|~|a 1\n|2012|2|~|~|b 1\n|2013|3|~|~|c 1\n",
};

static void cells_get_codes_labels_units_and_symbols(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		family_golden(&forms[i], GLANE_END, wanted[i]);
		family_split(&forms[i]);
	}
}

/* Only behind the delimiter of the last cell may the file end. */
static void a_cut_is_seen(void **state)
{
	const char *last = strstr(PLAIN, "1e3");

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++)
		for (size_t n = 0; n < forms[i].doc.n; n++) {
			struct strbuf out;
			struct diag d;
			const glane_rc rc = family_read(&forms[i], n, n % 5, &out, &d);

			if (rc >= 0 && (i == 1 || n < (size_t)(last - PLAIN) + 4))
				fail_msg("%s, cut at %zu, is taken for whole: %s", forms[i].name, n, out.p);
			if (family_common_lines(out.p, wanted[i]) != out.n)
				fail_msg("%s, cut at %zu: %s", forms[i].name, n, out.p);
			strbuf_release(&out);
		}
}

#define T(timeval, n) "HEADING=\"t\";VALUES(\"t\")=" n ";TIMEVAL(\"t\")=" timeval ";DATA=1 2 "
static const struct {
	const char *doc, *first, *second; /* periods */
} times[] = {
	{T("TLIST(A1),\"1999\",\"2000\"", "\"a\",\"b\""), "1999", "2000"},
	{T("TLIST(H1,\"19992\"-\"20001\")", "\"a\",\"b\""), "1999-S2", "2000-S1"},
	{T("TLIST(T1,\"19993\"-\"20001\")", "\"a\",\"b\""), "1999-T3", "2000-T1"},
	{T("TLIST( Q1 , \"19994\"-\"20001\" )", "\"a\",\"b\""), "1999-Q4", "2000-Q1"},
	{T("TLIST(M1,\"199912\"-\"200001\")", "\"a\",\"b\""), "1999-12", "2000-01"},
	{T("TLIST(W1,\"199852\"-\"199853\")", "\"a\",\"b\""), "1998-W52", "1998-W53"},
	{T("TLIST(W1,\"199952\"-\"200001\")", "\"a\",\"b\""), "1999-W52", "2000-W01"},
	{T("TLIST(D1),\"20200229\",\"20200301\"", "\"a\",\"b\""), "20200229", "20200301"},
	{T("TLIST(A1),\"1999\"", "\"2003\",\"2004\""), "2003", "2004"}, /* not as many: the values' own texts */
	{T("TLIST(A1,\"2004\"-\"2003\")", "\"2003\",\"2004\""), "2003", "2004"},
	{T("TLIST(A1,\"2003\"-\"2004\");TIMEVAL(\"t\")=TLIST(A1,\"2003\"-\"2004\")", "\"a\",\"b\""), "2003", "2004"},
};

static void periods_are_written_as_sdmx_writes_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		const struct family f = {.name = times[i].doc, .read = read_all, .doc = slice_of(times[i].doc)};
		char first[64], second[64];
		struct strbuf out;
		struct diag d;

		snprintf(first, sizeof(first), "\n|%s|1|", times[i].first);
		snprintf(second, sizeof(second), "\n|%s|2|", times[i].second);
		if (family_read(&f, f.doc.n, 0, &out, &d) != GLANE_END || !strstr(out.p, first) ||
			!strstr(out.p, second))
			fail_msg("%s: %s\n%s", f.name, d.text, out.p);
		strbuf_release(&out);
	}
}

/* The title, by what CHARSET and CODEPAGE say. */
static void texts_by_their_code_page(void **state)
{
	static const struct {
		const char *doc, *want;
	} rows[] = {
		{"CHARSET=\"ANSI\";CODEPAGE=\"iso-8859-15\";TITLE=\"Z\xfcrich \xa4\";", "Zürich €"},
		{"CHARSET=\"ANSI\";CODEPAGE=\"ISO-8859-15\";TITLE=\"\xa6\xa8\xb4\xb8\xbc\xbd\xbe\xf1\";", "ŠšŽžŒœŸñ"},
		{"CODEPAGE=\"iso-8859-15\";TITLE=\"\x80 \xa4 \x92\";", "€ ¤ ’"},
		{"CODEPAGE=\"Windows-1252\";TITLE=\"\xa4\xe9\";", "¤é"},
		{"CODEPAGE=\"iso-8859-2\";TITLE=\"plain\";", "plain"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct family f = {.name = rows[i].doc, .read = read_all};
		struct strbuf doc, want, out;
		struct diag d;

		strbuf_init(&doc, 0);
		strbuf_fmt(&doc, "%sHEADING=\"t\";VALUES(\"t\")=\"2020\";DATA=1;", rows[i].doc);
		strbuf_init(&want, 0);
		strbuf_fmt(&want, "|~|%s|~\n", rows[i].want);
		f.doc = strbuf_get(&doc);
		if (family_read(&f, f.doc.n, 0, &out, &d) != GLANE_END || strncmp(out.p, want.p, want.n) != 0)
			fail_msg("%s: %s\n%s", f.name, d.text, out.p);
		strbuf_release(&doc);
		strbuf_release(&want);
		strbuf_release(&out);
	}
}

#define TABLE(cells) "HEADING=\"t\";VALUES(\"t\")=\"a\",\"b\";DATA=" cells
static const struct {
	const char *doc, *want;
} refused[] = {
	{"", "it begins with ''"},
	{"<html><body>No</body></html>", "no PC-Axis file: it begins with '<html><body>No"},
	{"{\"error\":1}", "no PC-Axis file"},
	{"Not found", "no PC-Axis file: it begins with 'Not found'"},
	{"Not found;", "no PC-Axis file"},
	{"CHARSET=\"ANSI\";", "before DATA (behind CHARSET): was it cut?"},
	{"CHARSET=\"ANSI", "no PC-Axis file"},
	{"A=1;B C=2;DATA=1;", "B at byte 4: what stands in front of '='"},
	{"DATA=1;", "STUB and HEADING name 0 variables"},
	{"HEADING=\"t\";DATA=1 ;", "t at byte 17: the variable has no VALUES"},
	{"HEADING=\"t\",\"t\";VALUES(\"t\")=\"a\";DATA=1 ;", "stands twice"},
	{"HEADING=\"t\";VALUES(\"t\")=\"a\";VALUES(\"t\")=\"a\";DATA=1 ;", "a second time"},
	{T("TLIST(W1,\"100001\"-\"999901\")", "\"a\",\"b\""), "TIMEVAL with more than 100000 periods"},
	{"HEADING=\"t\";VALUES(\"t\")=\"a\";CODES(\"t\")=\"a\",\"b\";DATA=1 ;", "'t' has 2 CODES, but 1 VALUES"},
	{"HEADING=\"t\";VALUES(\"t\")=\"a\";TIMEVAL(\"t\")=\"2000\";DATA=1 ;", "no TLIST(scale)"},
	{"HEADING=\"t\";VALUES(\"t\")=\"a\";TIMEVAL(\"t\")=TLIST(A1,\"2000\");DATA=1 ;", "no TLIST(scale)"},
	{"KEYS(\"t\")=VALUES;" TABLE("1 2 "), "a table with KEYS"},
	{"CODEPAGE=\"utf-8\";TITLE=\"\xe9\";" TABLE("1 2 "), "not UTF-8, as CODEPAGE says"},
	{"CHARSET=\"DOS\";TITLE=\"\x82\";" TABLE("1 2 "), "is 'DOS': UTF-8, ISO-8859-1"},
	{"CHARSET=\"ANSI\";TITLE=\"\x81\";" TABLE("1 2 "), "not windows-1252"},
	{TABLE("1"), "cell 1 of 2, byte 37: the file ends inside of the cell"},
	{TABLE("1 "), "cell 2 of 2, byte 39: the file ends here"},
	{TABLE("1 2"), "cell 2 of 2, byte 39: the file ends inside of the cell"},
	{TABLE("1 \"2"), "cell 2 of 2, byte 39: the file ends inside of the cell"},
	{TABLE("1 2 3 "), "more cells than the 2 of the table"},
	{TABLE("1\"2\"3 2 "), "neither a number nor a symbol"},
	{TABLE("1 \xff "), "neither a number nor a symbol"},
};

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		const struct family f = {
			.name = refused[i].doc,
			.read = read_all,
			.doc = slice_of(refused[i].doc),
		};
		struct strbuf out;
		struct diag d;

		if (family_read(&f, f.doc.n, 0, &out, &d) >= 0 || !strstr(d.text, refused[i].want))
			fail_msg("%s: %s\n%s", f.name, d.text, out.p);
		strbuf_release(&out);
		family_split(&f);
	}
}

static void lack_of_memory_is_an_error(void **state)
{
	(void)state;
	family_starved(&forms[0], 200, GLANE_E_NOMEM, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_get_codes_labels_units_and_symbols),
		cmocka_unit_test(a_cut_is_seen),
		cmocka_unit_test(periods_are_written_as_sdmx_writes_them),
		cmocka_unit_test(texts_by_their_code_page),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(lack_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
