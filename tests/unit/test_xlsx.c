/* SPDX-License-Identifier: MIT */
/* Sheets of workbooks as CSV: cells of every type, damage, numbers and dates; whole, cut at every byte, in pieces of any size. */
#include "read/xlsx.h"
#include "support/families.h"
#include <string.h>

#define ROWS(x) "<worksheet><dimension ref='A1:D9'/><sheetData>" x "</sheetData></worksheet>"

static const struct payload_sheet plain = {NULL, 0, 0}, second = {NULL, 1, ','};

/* A book of the shared strings `Togo`, `a "b"`, and the styles none, date, time. */
static void make_book(struct xlsx_book *b)
{
	*b = (struct xlsx_book){.n_string = 2, .n_style = 3};
	strbuf_init(&b->text, 0);
	strbuf_puts(&b->text, "Togoa \"b\"");
	b->end = mem_alloc(2 * sizeof(*b->end));
	b->style = mem_zalloc(3, 1);
	assert_true(b->end && b->style);
	b->end[0] = 4;
	b->end[1] = 9;
	b->style[1] = XLSX_DATE;
	b->style[2] = XLSX_TIME;
}

static glane_rc read_sheet(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	struct payload_source *s = NULL;
	struct xlsx_book book;
	struct payload p;
	char buf[64];
	size_t n = 1;
	glane_rc rc;

	make_book(&book);
	payload_memory(&p, doc, step, d);
	rc = xlsx_rows(&s, &p, &book, arg, d);
	while (rc == GLANE_OK && n) {
		rc = s->read(s, buf, step && step < sizeof(buf) ? step : sizeof(buf), &n, d);
		if (rc == GLANE_OK)
			strbuf_add(out, buf, n);
	}
	if (s)
		s->close(s);
	return rc;
}

static const struct {
	const char *name, *doc, *want;
	const struct payload_sheet *sheet;
	glane_rc rc;
} cases[] = {
	{"types",
		ROWS("<row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1' t='s'><v>1</v></c></row>"
		     "<row r='3'><c r='B3'><v>1E-3</v></c><c t='b'><v>1</v></c><c t='e'><v>#N/A</v></c></row>"
		     "<row><c t='inlineStr'><is><r><t>a</t></r><r><t> b</t></r><rPh><t>x</t></rPh></is></c>"
		     "<c t='str'><f>A1</f><v>x&#10;y&amp;z</v></c><c><f>1+1</f></c><c s='1'/></row>"),
		"\"Togo\",,\"a \"\"b\"\"\",\n\n,\"1E-3\",\"TRUE\"\n\"a b\",\"x y&z\",\"#NOT-COMPUTED\"\n", &plain,
		GLANE_OK},
	{"dates", ROWS("<row><c s='1'><v>61</v></c><c s='1'><v>45292.5</v></c><c s='2'><v>0.25</v></c></row>"),
		"\"1900-03-01\",\"2024-01-01T12:00:00\",\"06:00:00\",\n", &plain, GLANE_OK},
	{"skipped rows, a decimal comma", ROWS("<row><c><v>1</v></c></row><row><c><v>1.5</v></c></row>"),
		"\n\"1,5\",,,\n", &second, GLANE_OK},
	{"prefixes",
		"<x:worksheet "
		"xmlns:x='u'><x:sheetData><x:row><x:c><x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>",
		"\"7\"\n", &plain, GLANE_OK},
	{"formulas without a result, errors",
		ROWS("<row><c><f>A1</f></c><c><f>A1</f><v/></c><c t='e'><v>#DIV/0!</v></c><c t='e'><v>#N/A</v></c><c "
		     "t='str'><f>A1</f><v/></c>"
		     "<c t='str'><f>A1</f></c><c s='1'><f>A1</f><v> </v></c></row>"),
		"\"#NOT-COMPUTED\",\"#NOT-COMPUTED\",\"#DIV/0!\",,,\"#NOT-COMPUTED\",\"#NOT-COMPUTED\"\n", &plain,
		GLANE_OK},
	{"one value, of the cell itself",
		ROWS("<row><c><v>1</v><v>2</v></c><c><v>3</v><extLst><ext><v>9</v></ext></extLst></c>"
		     "<c><extLst><ext><v>9</v></ext></extLst><v>4</v></c><c "
		     "t='inlineStr'><is><t>a</t></is><t>b</t></c></row>"),
		"\"1\",\"3\",\"4\",\"a\"\n", &plain, GLANE_OK},
	{"escapes",
		ROWS("<row><c t='inlineStr'><is><t>_x20AC_ _x00e9__x000d_b_x0041__x005F_x0041_ _xD83D__xDE00_ _xD83D_ "
		     "_x12_ _</t></is></c></row>"),
		"\"\xe2\x82\xac \xc3\xa9 bA_x0041_ \xf0\x9f\x98\x80 _xD83D_ _x12_ _\",,,\n", &plain, GLANE_OK},
	{"truth",
		ROWS("<row><c t='b'><v>true</v></c><c t='b'><v>0</v></c><c t='b'><v>false</v></c><c "
		     "t='b'><v>1</v></c></row>"),
		"\"TRUE\",\"FALSE\",\"FALSE\",\"TRUE\"\n", &plain, GLANE_OK},
	{"a truth value that is none", ROWS("<row><c t='b'><v>2</v></c></row>"), NULL, &plain, GLANE_E_FORMAT},
	{"an element in a value", ROWS("<row><c><v>1<x>2</x>3</v></c></row>"), NULL, &plain, GLANE_E_FORMAT},
	{"a cell of another row", ROWS("<row r='2'><c r='A3'/></row>"), NULL, &plain, GLANE_E_FORMAT},
	{"a cell of no row", ROWS("<row r='2'><c r='A'/></row>"), NULL, &plain, GLANE_E_FORMAT},
	{"a column of four letters", ROWS("<row><c r='ABCD1'/></row>"), NULL, &plain, GLANE_E_FORMAT},
	{"a shared string too many", ROWS("<row><c t='s'><v>2</v></c></row>"), NULL, &plain, GLANE_E_FORMAT},
	{"a row twice", ROWS("<row r='2'/><row r='2'/>"), NULL, &plain, GLANE_E_FORMAT},
	{"a cell to the left", ROWS("<row><c r='B1'/><c r='A1'/></row>"), NULL, &plain, GLANE_E_FORMAT},
	{"a column beyond XFD", ROWS("<row><c r='XFE1'/></row>"), NULL, &plain, GLANE_E_FORMAT},
	{"a row beyond the last", ROWS("<row r='1048577'/>"), NULL, &plain, GLANE_E_FORMAT},
	{"a DOCTYPE", "<!DOCTYPE w [<!ENTITY e 'x'>]><w>&e;</w>", NULL, &plain, GLANE_E_FORMAT},
};

static void sheets_are_read_whole_cut_and_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct family f = {.name = cases[i].name,
			.read = read_sheet,
			.arg = cases[i].sheet,
			.doc = slice_of(cases[i].doc),
			.is_text = true};

		family_golden(&f, cases[i].rc, cases[i].want);
		if (cases[i].rc == GLANE_OK) {
			family_cut(&f);
			family_split(&f);
		}
	}
}

static void check_number(const char *text, unsigned style, bool is_1904, const char *want)
{
	struct strbuf b;

	strbuf_init(&b, 0);
	xlsx_number(&b, slice_of(text), style, is_1904);
	strbuf_putc(&b, '\0');
	assert_string_equal(b.p, want);
	strbuf_release(&b);
}

static void numbers_keep_their_text(void **state)
{
	(void)state;
	check_number("0.29999999999999999", 0, false, "0.3");
	check_number("0.30000000000000004", 0, false, "0.30000000000000004");
	check_number("100000000000000000000", 0, false, "100000000000000000000");
	check_number("12345678901234567890", 0, false, "12345678901234567890");
	check_number("1.2345678901234567E+20", 0, false, "1.2345678901234567e+20");
	check_number("1.10", 0, false, "1.10");
	check_number("x", 0, false, "x");
	check_number("0", XLSX_DATE, true, "1904-01-01");
	check_number("1", XLSX_DATE, false, "1900-01-01");
	check_number("59", XLSX_DATE, false, "1900-02-28");
	check_number("60", XLSX_DATE, false, "1900-02-29");
	check_number("2958465", XLSX_DATE, false, "9999-12-31");
	check_number("2958466", XLSX_DATE, false, "2958466");
	check_number("2958465.9999999", XLSX_DATE, false, "2958465.9999999");
	check_number("2957003", XLSX_DATE, true, "9999-12-31");
	check_number("2957004", XLSX_DATE, true, "2957004");
	check_number("-1", XLSX_DATE, false, "-1");
	check_number("1.5", XLSX_TIME, false, "36:00:00");
}

static void formats_say_what_is_a_date(void **state)
{
	static const struct {
		uint32_t id;
		const char *code;
		unsigned want;
	} rows[] = {{0, "", 0}, {14, "", XLSX_DATE}, {22, "", XLSX_DATE | XLSX_TIME}, {46, "", XLSX_TIME},
		{164, "yyyy\\-mm\\-dd", XLSX_DATE}, {164, "mmm", XLSX_DATE}, {164, "[h]:mm", XLSX_TIME},
		{164, "#,##0.00\" days\"", 0}, {164, "[Red]0.0;[Blue]d", 0}, {164, "0.00E+00", 0}, {164, "0\\d", 0},
		{164, "[Magenta]0.00", 0}, {164, "[magenta]0", 0}, {164, "[Hot]0", 0}, {164, "[hh]:mm", XLSX_TIME},
		{164, "[Mm]", XLSX_TIME}, {164, "[ss]", XLSX_TIME}, {164, "[hm]0", 0}, {164, "[]0", 0},
		{164, "[$-409]d/m/yy h:mm", XLSX_DATE | XLSX_TIME}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(xlsx_format(rows[i].id, slice_of(rows[i].code)), rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sheets_are_read_whole_cut_and_in_pieces),
		cmocka_unit_test(numbers_keep_their_text),
		cmocka_unit_test(formats_say_what_is_a_date),
	};

	return cmocka_run_group_tests_name("xlsx", tests, NULL, NULL);
}
