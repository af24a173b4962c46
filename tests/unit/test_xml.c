/* SPDX-License-Identifier: MIT */
/* XML records: golden documents, cut at every byte, split at every byte, hostile documents, limits, without memory. */
#include "support/records.h"

#include "support/families.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define ECB                                                                                                            \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gesmes:Envelope "                                                \
	"xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" "                                                       \
	"xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">\n<gesmes:subject>Reference "                    \
	"rates</gesmes:subject>"                                                                                       \
	"<gesmes:Sender>\n<gesmes:name>European Central Bank</gesmes:name></gesmes:Sender><Cube>"                      \
	"<Cube time='2024-01-03'><Cube currency='USD' rate='1.0919'/><Cube currency='JPY' rate='156.16'/></Cube>"      \
	"<Cube time='2024-01-02'><Cube currency='USD' rate='1.0956'></Cube></Cube></Cube></gesmes:Envelope>"
#define WB                                                                                                             \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?><wb:data page=\"1\" total=\"2\" "                                   \
	"xmlns:wb=\"http://www.worldbank.org\">"                                                                       \
	"<wb:data><wb:indicator id=\"SP.POP.TOTL\">Population, total</wb:indicator><wb:country "                       \
	"id=\"TG\">Togo</wb:country>"                                                                                  \
	"<wb:date>2023</wb:date><wb:value>9053799</wb:value><wb:obs_status /></wb:data>"                               \
	"<wb:data><wb:indicator id=\"SP.POP.TOTL\">Population, total</wb:indicator><wb:country id=\"CI\">C&#244;te "   \
	"d&apos;Ivoire</wb:country><wb:date>2022</wb:date><wb:value /></wb:data></wb:data>"

static const struct records_case golden[] = {
	{"ECB", ECB, "Cube/Cube/Cube", {"@currency", "@rate", "../@time"},
		{"/Envelope/Sender/name", "/Envelope/subject", "/Envelope/@none"},
		"USD|1.0919|2024-01-03\nJPY|156.16|2024-01-03\nUSD|1.0956|2024-01-02\nheads European Central "
		"Bank|Reference rates|~\nend",
		0, 0, 0},
	{"World Bank", WB, "data/data",
		{"indicator/@id", "country", "country/@id", "date", "value", "obs_status", "none"}, {"/data/@total"},
		"SP.POP.TOTL|Togo|TG|2023|9053799||~\nSP.POP.TOTL|C\xc3\xb4te d'Ivoire|CI|2022||~|~\nheads 2\nend", 0,
		0, 0},
	{"entities", "<r><v a=\"&lt;&amp;&quot;&#x20AC;&#9;\">&lt;1 &amp; &gt;0 &#128512;</v></r>", "v", {".", "@a"},
		{NULL}, "<1 & >0 \xf0\x9f\x98\x80|<&\"\xe2\x82\xac\\x09\nend", 0, 0, 0},
	{"CDATA", "<r><v><![CDATA[<b> & ]] ]]>x<![CDATA[]]></v></r>", "v", {"."}, {NULL}, "<b> & ]] x\nend", 0, 0, 0},
	{"comments and instructions",
		"<!-- a --><?p q?><r><!-- <v>0</v> --><v>1<!-- x -->2<?p?>3</v><?x y?></r><!-- z --><?e?>", "v", {"."},
		{NULL}, "123\nend", 0, 0, 0},
	{"namespaces", "<a:r xmlns:a='u' xmlns='v'><a:v b:k='1' k='2' xmlns:b='w'>x</a:v><v>y</v></a:r>", "r/v",
		{".", "@k"}, {NULL}, "x|2\ny|~\nend", 0, 0, 0},
	{"children, and their attributes", "<r><o><k u='%'>1</k><k>2</k><g><k>3</k></g></o></r>", "o",
		{"k", "k/@u", "g/k", "."}, {NULL}, "1|%|3|\nend", 0, 0, 0},
	{"ancestors", "<r y='0'><s y='1'><o/></s><s><o/></s></r>", "o", {"../@y", "../../@y", "../../../@y"}, {NULL},
		"1|0|~\n~|0|~\nend", 0, 0, 0},
	{"from the root", "<r><v>1</v><s><v>2</v></s></r>", "/r/v", {"."}, {NULL}, "1\nend", 0, 0, 0},
	{"a record inside a record is part of it", "<r><v>1<v>2</v></v></r>", "v", {".", "v"}, {NULL}, "1|2\nend", 0, 0,
		0},
	{"no records, but a place for them", "<r></r>", "r/v", {"."}, {NULL}, "end", 0, 0, 0},
	{"no place for records", "<error>gone</error>", "r/v", {"."}, {NULL}, "format", 0, 0, 0},
	{"a head behind the records", "<r><v>1</v><t>late</t></r>", "v", {"."}, {"/r/t"}, "1\nheads late\nend", 0, 0,
		0},
	{"a byte-order mark", "\xef\xbb\xbf<r><v>1</v></r>", "v", {"."}, {NULL}, "1\nend", 0, 0, 0},
	{"line ends", "<r>\r\n<v a='1\r\n2'>x\r\ny\rz</v>\r\n</r>", "v", {".", "@a"}, {NULL}, "x\\x0ay\\x0az|1 2\nend",
		0, 0, 0},
	{"Latin-1", "<?xml version='1.0' encoding='ISO-8859-1'?><r><v a='\xe9'>C\xf4te</v></r>", "v", {".", "@a"},
		{NULL}, "C\xc3\xb4te|\xc3\xa9\nend", 0, 0, 0},
};

static glane_rc read_case(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	return records_read(arg, GLANE_FMT_XML, doc, step, out, d);
}

/* Records only: a cut document has neither the verdict nor the heads of a whole one. */
static glane_rc read_records(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	struct records_case c = *(const struct records_case *)arg;
	glane_rc rc;
	char *end;

	c.head[0] = NULL;
	rc = records_read(&c, GLANE_FMT_XML, doc, step, out, d);
	end = out->n ? memrchr(out->p, '\n', out->n) : NULL;
	out->n = end ? (size_t)(end + 1 - out->p) : 0;
	return rc;
}

static struct family family_of(const struct records_case *c, family_reader *read)
{
	return (struct family){.name = c->name, .read = read, .arg = c, .doc = slice_of(c->doc)};
}

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(golden); i++) {
		const struct family f = family_of(&golden[i], read_case);
		const bool is_bad = strstr(golden[i].want, "format") != NULL;

		family_golden(&f, is_bad ? GLANE_E_FORMAT : GLANE_END, golden[i].want);
	}
}

/* A document ends with its root element: what stands behind that may be gone. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(golden); i++) {
		struct family f = family_of(&golden[i], read_records);
		const char *tail = strstr(golden[i].doc, "</r><!--");

		if (tail)
			f.doc.n = (size_t)(tail - golden[i].doc) + 4;
		family_cut(&f);
	}
}

static void test_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(golden); i++) {
		const struct family f = family_of(&golden[i], read_case);

		family_split(&f);
	}
}

static const struct {
	const char *doc, *text;
} hostile[] = {
	{"", "XML"},
	{"{\"a\":1}", "XML"},
	{"plain text", "XML"},
	{"<!DOCTYPE html><html><v>1</v></html>", "DOCTYPE"},
	{"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><r><v>&b;</v></r>", "DOCTYPE"},
	{"<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r><v/></r>", "DOCTYPE"},
	{"<!DOCTYPE r [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><r><v>&e;</v></r>", "DOCTYPE"},
	{"<r><v>&nbsp;</v></r>", "line 1"},
	{"<r><v>&e</v></r>", "line 1"},
	{"<r><v>a & b</v></r>", "line 1"},
	{"<r><v>&#0;</v></r>", "line 1"},
	{"<r><v>&#xD800;</v></r>", "line 1"},
	{"<r><v>&#x110000;</v></r>", "line 1"},
	{"<r>\n<v>\n<w></v></r>", "line 3"},
	{"<r><v>1</v></r><r><v>2</v></r>", "line 1"},
	{"<r><v>1</v></r>text", "line 1"},
	{"<r><v>1</v></R>", "line 1"},
	{"<r><v a='1' a='2'/></r>", "line 1"},
	{"<r><v a=1/></r>", "line 1"},
	{"<r><v a='<'/></r>", "line 1"},
	{"<r><v a/></r>", "line 1"},
	{"<r><n:v/></r>", "line 1"},
	{"<r><v>]]></v></r>", "line 1"},
	{"<r><!-- a -- b --><v/></r>", "line 1"},
	{"<r><v>\x01</v></r>", "line 1"},
	{"<r><v>\xff</v></r>", "line 1"},
	{"<r><v>\xc3</v></r>", "line 1"},
	{"<r><v>\xed\xa0\x80</v></r>", "line 1"},
	{"<r><v>\xef\xbf\xbf</v></r>", "line 1"},
	{"<?xml version='1.0' encoding='KOI8-R'?><r><v/></r>", "KOI8-R"},
	{"<?xml version='1.0' encoding='EBCDIC-CP-US'?><r><v/></r>", "EBCDIC"},
	{"<r><v>1</v><?xml version='1.0'?></r>", "line 1"},
};

static void test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hostile); i++) {
		const struct records_case c = {hostile[i].doc, hostile[i].doc, "v", {".", "@a"}, {NULL}, "", 0, 0, 0};
		const struct family f = family_of(&c, read_records);
		struct strbuf out;
		struct diag d;

		assert_int_equal(family_read(&f, f.doc.n, 0, &out, &d), GLANE_E_FORMAT);
		if (!strstr(d.text, hostile[i].text))
			fail_msg("%s: '%s' lacks '%s'", c.doc, d.text, hostile[i].text);
		assert_null(strstr(out.p, "root:"));
		strbuf_release(&out);
	}
}

/* A NUL is no character of XML, wherever it stands. */
static void test_nul(void **state)
{
	static const char doc[] = "<r><v a='1'>x</v><v a='2'>y</v></r>";
	const struct records_case c = {"NUL", doc, "v", {".", "@a"}, {NULL}, "", 0, 0, 0};
	char with[sizeof(doc)];

	(void)state;
	for (size_t i = 0; i < sizeof(doc) - 1; i++) {
		struct family f = family_of(&c, read_records);
		struct strbuf out;
		struct diag d;

		memcpy(with, doc, sizeof(doc));
		with[i] = '\0';
		f.doc = (struct slice){with, sizeof(doc) - 1};
		if (family_read(&f, f.doc.n, i % 5, &out, &d) != GLANE_E_FORMAT)
			fail_msg("NUL at %zu: %s", i, out.p);
		strbuf_release(&out);
	}
}

/* Every byte replaced by every one of these: an error or records, the same whatever the pieces are. */
static void test_changed_bytes(void **state)
{
	static const char with[] = "<>/='\"&;!?-[] \x01\x80\xc3\xff"
				   "a";
	static const char doc[] = "<r a='1'><v a='2'>x&amp;y</v><!-- c --><v><![CDATA[z]]></v></r>";
	const struct records_case c = {"changed", doc, "v", {".", "@a", "../@a"}, {NULL}, "", 0, 0, 0};
	char changed[sizeof(doc)];

	(void)state;
	for (size_t i = 0; i < sizeof(doc) - 1; i++)
		for (size_t k = 0; k + 1 < sizeof(with); k++) {
			struct family f = family_of(&c, read_records);
			struct strbuf one, other;
			struct diag d;
			glane_rc rc;

			memcpy(changed, doc, sizeof(doc));
			changed[i] = with[k];
			f.doc.p = changed;
			rc = family_read(&f, f.doc.n, 0, &one, &d);
			assert_int_equal(family_read(&f, f.doc.n, 1, &other, &d), rc);
			assert_string_equal(one.p, other.p);
			strbuf_release(&one);
			strbuf_release(&other);
		}
}

/* prefix, n times unit with its number for '#', suffix. */
static glane_rc read_repeated(const struct records_case *c, const char *prefix, const char *unit, size_t n,
	const char *suffix, const char *text)
{
	struct strbuf doc, out;
	struct family f;
	struct diag d;
	glane_rc rc;

	strbuf_init(&doc, 0);
	strbuf_puts(&doc, prefix);
	for (size_t i = 0; i < n; i++)
		for (const char *p = unit; *p; p++) {
			if (*p == '#')
				strbuf_int(&doc, (int64_t)i);
			else
				strbuf_putc(&doc, *p);
		}
	strbuf_puts(&doc, suffix);
	f = family_of(c, read_records);
	f.doc = strbuf_get(&doc);
	rc = family_read(&f, f.doc.n, 0, &out, &d);
	if (text && !strstr(d.text, text))
		fail_msg("'%s' lacks '%s'", d.text, text);
	strbuf_release(&out);
	for (size_t step = 1000; step < 100000; step *= 40) {
		assert_int_equal(family_read(&f, f.doc.n, step, &out, &d), rc);
		strbuf_release(&out);
	}
	strbuf_release(&doc);
	return rc;
}

static void test_limits(void **state)
{
	const struct records_case c = {"limits", "", "v", {".", "@a"}, {NULL}, "", 0, 0, 0};
	const struct records_case small = {"small", "", "v", {".", "@a"}, {NULL}, "", 4000, 1000, 8};

	(void)state;
	assert_int_equal(read_repeated(&c, "<v ", "a#='' ", 128, "/>", NULL), GLANE_END);
	assert_int_equal(read_repeated(&c, "<v ", "a#='' ", 129, "/>", "attributes"), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&c, "<v ", "xmlns:a#='u' ", 129, "/>", "attributes"), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&c, "<v ", "a#='' ", 100000, "/>", NULL), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&c, "<v>", "<w>", 63, "", NULL), GLANE_E_FORMAT);
	assert_int_equal(read_repeated(&c, "<v>", "<w>", 64, "", "deep"), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&c, "", "<w>", 100000, "", "deep"), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&small, "<v>", "<w>", 8, "", "deep"), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&small, "<v>", "x", 1000, "</v>", NULL), GLANE_END);
	assert_int_equal(read_repeated(&small, "<v>", "x", 1001, "</v>", "too long"), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&small, "<v a='", "x", 1001, "'/>", "too long"), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&small, "<v>", "<w/>", 900, "</v>", NULL), GLANE_END);
	assert_int_equal(read_repeated(&small, "<v>", "<w/>", 1100, "</v>", "record is too long"), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&c, "<r><!--", "x", 900000, "--><v/></r>", NULL), GLANE_END);
	assert_int_equal(read_repeated(&c, "<r><!--", "x", 3000000, "--><v/></r>", NULL), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&c, "<r><v>", "y", (1 << 20) + 1, "</v></r>", "too long"), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&c, "<r>", "<v a='#'/>", 200000, "</r>", NULL), GLANE_END);
}

/* get(), where(), text(), and what stands after the end. */
static void test_current_record(void **state)
{
	static const char *const field[] = {"@a"};
	static const char doc[] = "<r>\n<v a='1'><k u='x'>\xc3\xa9</k></v>\n <v a='2'/></r>";
	const struct record_options o = {.format = GLANE_FMT_XML, .select = "v", .field = field, .n_field = 1};
	struct record_reader *r = NULL;
	struct payload p;
	struct diag d = {.code = 0};
	uint64_t number = 0, line = 0, offset = 0;

	(void)state;
	payload_memory(&p, slice_of(doc), 7, &d);
	assert_int_equal(record_open(&r, &p, &o, &d), GLANE_OK);
	assert_null(record_at(r, 0).p);
	assert_int_equal(record_next(r), GLANE_OK);
	assert_true(slice_is(record_get(r, "@a"), "1"));
	assert_true(slice_is(record_get(r, "k"), "\xc3\xa9"));
	assert_true(slice_is(record_get(r, "k/@u"), "x"));
	assert_null(record_get(r, "k/@z").p);
	assert_null(record_get(r, "z").p);
	assert_null(record_get(r, "//").p);
	assert_null(record_at(r, 1).p);
	assert_int_equal(record_columns(r), 0);
	record_where(r, &number, &line, &offset);
	assert_true(number == 1 && line == 2 && offset == 4);
	assert_true(slice_is(record_text(r, 100), "<v a='1'><k u='x'>\xc3\xa9</k></v>"));
	assert_int_equal(record_next(r), GLANE_OK);
	record_where(r, &number, &line, &offset);
	assert_true(number == 2 && line == 3);
	assert_true(slice_is(record_text(r, 4), "<v a"));
	assert_int_equal(record_next(r), GLANE_END);
	assert_int_equal(record_next(r), GLANE_END);
	assert_null(record_at(r, 0).p);
	assert_null(record_text(r, 9).p);
	record_close(r);
	payload_close(&p);
}

static void test_bad_paths(void **state)
{
	static const char *const selects[] = {"", "/", "a//b", "@a", "..", "a/@b"};

	(void)state;
	for (size_t i = 0; i < COUNT(selects); i++) {
		const struct records_case c = {selects[i], "<r/>", selects[i], {"."}, {NULL}, "", 0, 0, 0};
		const struct family f = family_of(&c, read_records);
		struct strbuf out;
		struct diag d;

		assert_int_equal(family_read(&f, f.doc.n, 0, &out, &d), GLANE_E_USAGE);
		strbuf_release(&out);
	}
}

/* The N-th allocation of ours fails, once or from then on: an error, no crash, no leak; enough of them, and it works. */
static void test_memory(void **state)
{
	(void)state;
	for (int for_ever = 0; for_ever < 2; for_ever++) {
		glane_rc rc = GLANE_E_NOMEM;

		for (long n = 1; rc != GLANE_END; n++) {
			struct strbuf out;
			struct diag d;

			assert_true(n < 1000);
			strbuf_init(&out, 0);
			(void)strbuf_room(&out, 1000);
			mem_fail_after(n, for_ever);
			rc = records_read(&golden[0], GLANE_FMT_XML, slice_of(golden[0].doc), 100, &out, &d);
			mem_fail_after(0, false);
			strbuf_release(&out);
			if (rc != GLANE_END)
				assert_int_equal(rc, GLANE_E_NOMEM);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_current_record),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
