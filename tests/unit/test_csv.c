/* SPDX-License-Identifier: MIT */
/* CSV records: golden documents in every width of the scan, cut at every byte, split at every byte, without memory. */
#include "base/strbuf.h"
#include "read/csv.h"
#include "read/csv_index.h"
#include <stdio.h>

#include "support/families.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LEVELS 4

struct doc {
	const char *in, *out; /* out: "names|...\n" then cells, '~' for absent */
	struct glane_csv csv;
	glane_rc end;
	const char *text; /* part of the message */
};

/* Everything that a reader gives, as one text: cells joined by '|', records ended by LF. */
static glane_rc render(struct slice in, size_t step, const struct record_options *o, struct strbuf *b, struct diag *d)
{
	struct payload p;
	struct record_reader *r = NULL;
	glane_rc rc;

	payload_memory(&p, in, step, d);
	rc = record_open(&r, &p, o, d);
	if (rc != GLANE_OK) {
		payload_close(&p);
		return rc;
	}
	for (size_t i = 0; i < record_columns(r); i++) {
		strbuf_puts(b, i ? "|" : "");
		strbuf_slice(b, record_column(r, i));
	}
	strbuf_putc(b, '\n');
	while ((rc = record_next(r)) == GLANE_OK) {
		size_t n = o->field ? o->n_field : record_columns(r);

		for (size_t i = 0; i < n; i++) {
			struct slice s = record_at(r, i);

			strbuf_puts(b, i ? "|" : "");
			strbuf_slice(b, s.p ? s : SLICE("~"));
		}
		strbuf_putc(b, '\n');
	}
	if (record_next(r) != rc) /* never resumed */
		strbuf_puts(b, "resumed");
	record_close(r);
	payload_close(&p);
	return rc;
}

static void check(const struct doc *doc, struct slice in, size_t step, const struct record_options *o)
{
	struct diag d = {0};
	struct strbuf b;
	glane_rc rc, want = doc->end ? doc->end : GLANE_END;

	strbuf_init(&b, 0);
	rc = render(in, step, o, &b, &d);
	if (rc != want)
		print_error("in: %s\nmessage: %s\n", doc->in, d.text);
	assert_int_equal(rc, want);
	if (doc->out) {
		strbuf_putc(&b, 0);
		assert_string_equal(b.p, doc->out);
	}
	if (doc->text && !strstr(d.text, doc->text))
		fail_msg("'%s' lacks '%s'", d.text, doc->text);
	strbuf_release(&b);
}

/* As it is, then with the window growing by every small number of bytes, in every width. */
static void check_all(const struct doc *doc)
{
	struct record_options o = {.format = GLANE_FMT_CSV, .csv = &doc->csv};
	struct slice in = slice_of(doc->in);

	for (int level = 0; level < LEVELS; level++) {
		csv_index_level(level);
		for (size_t step = 0; step <= 70 && step <= in.n; step++)
			check(doc, in, step, &o);
		check(doc, in, 128, &o);
	}
	csv_index_level(-1);
}

#define LONG16 "0123456789abcdef"
#define LONG64 LONG16 LONG16 LONG16 LONG16
#define LONG61 LONG16 LONG16 LONG16 "0123456789abc"

static const struct doc good[] = {
	{"a,b\n1,2\n", "a|b\n1|2\n", {0}, 0, NULL},
	{"a,b\n1,2", "a|b\n1|2\n", {0}, 0, NULL},
	{"a,b", "a|b\n", {0}, 0, NULL},
	{"\xEF\xBB\xBF"
	 "a,b\r\n1,2\r\n",
		"a|b\n1|2\n", {0}, 0, NULL},
	{"a,b\r1,2\r3,4", "a|b\n1|2\n3|4\n", {0}, 0, NULL},
	{"\n\r\na,b\n\n\r\n1,2\n\n\n\r", "a|b\n1|2\n", {0}, 0, NULL},
	{"a,b\n,\n\"\",\n", "a|b\n|\n|\n", {0}, 0, NULL},
	{"a\n\"\"\n\n1\n", "a\n\n1\n", {0}, 0, NULL},
	{"a,b\n\"1,\n2\",\"x\"\"y\"\n\"\"\"\",\"\"\"q\"\"\"\n", "a|b\n1,\n2|x\"y\n\"|\"q\"\n", {0}, 0, NULL},
	{"\"a\",\"b\"\r\n\"x\",\"y\r\nz\"\r\n", "a|b\nx|y\r\nz\n", {0}, 0, NULL},
	{"a,b\n\"" LONG64 "," LONG64 "\",\"" LONG64 "\"\"" LONG64 "\"\n1,2\n",
		"a|b\n" LONG64 "," LONG64 "|" LONG64 "\"" LONG64 "\n1|2\n", {0}, 0, NULL},
	{LONG64 "," LONG64 "\r\n" LONG64 "," LONG64 "\r\n", LONG64 "|" LONG64 "\n" LONG64 "|" LONG64 "\n", {0}, 0,
		NULL},
	{",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
		"||||||||||||||||||||||||||||||||||||||||||||||||||||||||||||||||||||\n", {0}, 0, NULL},
	{"a;b\n1,5;2\n", "a|b\n1,5|2\n", {.delimiter = ';'}, 0, NULL},
	{"a\tb\n\"1\t2\n", "a|b\n\"1|2\n", {.delimiter = '\t', .quote = '\1'}, 0, NULL},
	{"a,b\n'1,''',2\n", "a|b\n1,'|2\n", {.quote = '\''}, 0, NULL},
	{"\"x\n\xFF\r\n\ra,b\n1,2\n", "a|b\n1|2\n", {.skip = 3}, 0, NULL},
	{"p\r\n\r\nq\ra,b\n1,2\n", "a|b\n1|2\n", {.skip = 3}, 0, NULL},
	{"1,2\n3,4\n", "1|2\n1|2\n3|4\n", {.no_header = 1}, 0, NULL},
	{"a,b,c\n1\n1,2,3,,,\n\n,,\nfoot\n", "a|b|c\n1||\n1|2|3\n||\nfoot||\n", {.ragged = 1}, 0, NULL},
	{"a,b\n1,2,\n1,2\n1,2,\"\"\n", "a|b\n1|2\n1|2\n1|2\n", {0}, 0, NULL},
	{"a,b,\n1,2\n1,2,\n", "a|b|\n1|2|\n1|2|\n", {0}, 0, NULL},
	{"a , b,\n \"x, \"\"y\"\" \" ,\t2 ,\n  \n3,4,\xC2\xA0\n", "a|b|\nx, \"y\"|2|\n3|4|\n", {.trim = 1}, 0, NULL},
	{"a,b\nCôte d'Ivoire,Türkiye\n日本,😀\n", "a|b\nCôte d'Ivoire|Türkiye\n日本|😀\n", {0}, 0, NULL},
	{"=a,+b\n-1,@2\n", "=a|+b\n-1|@2\n", {0}, 0, NULL},
};

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check_all(&good[i]);
}

static const struct doc evil[] = {
	/* a quote, and text after one, that begins a block of 64 bytes; a CRLF across two, which is one line */
	{"a\n" LONG61 "x\"\n", "a\n", {0}, GLANE_E_FORMAT, "line 2: a quote inside of an unquoted cell, at byte 64"},
	{"a\n\"" LONG16 LONG16 LONG16 "0123456789ab\"x\n", "a\n", {0}, GLANE_E_FORMAT, "a closing quote, at byte 64"},
	{"a\n" LONG61 "\r\nx,y\n", "a\n" LONG61 "\n", {0}, GLANE_E_FORMAT, "line 3: 2 cells"},
	{"", "", {0}, GLANE_E_FORMAT, "before its header"},
	{"\n\n", "", {0}, GLANE_E_FORMAT, "before its header"},
	{"a\nb\n", "", {.skip = 2}, GLANE_E_FORMAT, "before its header"},
	{"", "", {.no_header = 1}, GLANE_E_FORMAT, "before the first record"},
	{"a,b\n1,2\n3,\"4\n5,6\n", "a|b\n1|2\n", {0}, GLANE_E_FORMAT,
		"line 3: the record that begins here has a quoted"},
	{"a,b\n1,2\n3,4\"5\"\n", "a|b\n1|2\n", {0}, GLANE_E_FORMAT,
		"line 3: a quote inside of an unquoted cell, at byte 11"},
	{"a,b\n1,\"2\"x\n", "a|b\n", {0}, GLANE_E_FORMAT, "line 2: text after a closing quote, at byte 9"},
	{"a,b\n1,\"2\" \n", "a|b\n", {0}, GLANE_E_FORMAT, "line 2: text after"},
	{"a,b\n\"x\ny\",\"\xE9\"\n", "a|b\n", {0}, GLANE_E_FORMAT,
		"line 3: 0xE9 at byte 11 is not UTF-8; set `encoding`"},
	{"a,b\n1,\xC3", "a|b\n", {0}, GLANE_E_FORMAT, "line 2: 0xC3 at byte 6 is not UTF-8"},
	{"a,b\n1,\xED\xA0\x80\n", "a|b\n", {0}, GLANE_E_FORMAT, "not UTF-8"},
	{"a,b\n1,\xF4\x90\x80\x80\n", "a|b\n", {0}, GLANE_E_FORMAT, "not UTF-8"},
	{"a,b\n1,\xC0\x80\n", "a|b\n", {0}, GLANE_E_FORMAT, "not UTF-8"},
	{"a,b\n1,\xE0\x9F\xBF\n", "a|b\n", {0}, GLANE_E_FORMAT, "not UTF-8"},
	{"a,b\n" LONG64 "," LONG16 "\xE2\x82" LONG64 "\n", "a|b\n", {0}, GLANE_E_FORMAT,
		"0xE2 at byte 85 is not UTF-8"},
	{"a,b\n1,2\n1\n", "a|b\n1|2\n", {0}, GLANE_E_FORMAT, "line 3: 1 cells where the header has 2; `ragged`"},
	{"a,b\n1,2,3\n", "a|b\n", {0}, GLANE_E_FORMAT, "line 2: 3 cells where the header has 2"},
	{"a,b\n1,2,,\n", "a|b\n", {0}, GLANE_E_FORMAT, "line 2: 4 cells"},
	{"a,b\n1,2,,x\n", "a|b\n", {.ragged = 1}, GLANE_E_FORMAT, "line 2: 4 cells"},
	{"a,b\n1, 2\" \n", "a|b\n", {.trim = 1}, GLANE_E_FORMAT, "never ends"},
	{"a,b\n1, 2\"x\" \n", "a|b\n", {.trim = 1}, GLANE_E_FORMAT, "line 2: a quote inside of an unquoted cell"},
	{"a,b\n1, \"x\"y\"\" \n", "a|b\n", {.trim = 1}, GLANE_E_FORMAT, "in column 2"},
	{"a,b\n", "", {.delimiter = '"'}, GLANE_E_CONFIG, "delimiter"},
	{"a,b\n", "", {.quote = '\n'}, GLANE_E_CONFIG, "quote"},
};

static void test_evil(void **state)
{
	static const char nul[] = "a,b\n1,2\n3,\0\n";
	static const struct doc doc = {nul, "a|b\n1|2\n", {0}, GLANE_E_FORMAT, "line 3: a NUL at byte 10"};
	struct record_options o = {.format = GLANE_FMT_CSV};

	(void)state;
	for (size_t i = 0; i < COUNT(evil); i++)
		check_all(&evil[i]);
	for (size_t step = 0; step < sizeof(nul); step++)
		check(&doc, (struct slice){nul, sizeof(nul) - 1}, step, &o);
}

static glane_rc read_csv(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	const struct record_options o = {.format = GLANE_FMT_CSV, .csv = arg};

	return render(doc, step, &o, out, d);
}

/* CSV has no end of its own: a cut may lose records in silence, and the end of the last one. What comes before it is untouched, and
 * an unfinished quote, character or record is an error. */
static void test_cut(void **state)
{
	static const struct glane_csv plain = {0}, ragged = {.ragged = 1}, semicolon = {.delimiter = ';', .skip = 1};
	const struct family families[] = {
		{.name = "quotes",
			.read = read_csv,
			.arg = &plain,
			.is_open_ended = true,
			.doc = SLICE("\xEF\xBB\xBF"
				     "id,\"na\"\"me\"\r\n1,\"C\xC3\xB4te d'Ivoire, x\"\r\n\r\n2,\"\"\"x\"\"\"\r\n3,"
				     "\xE6\x97\xA5\r\n")},
		{.name = "line ends",
			.read = read_csv,
			.arg = &plain,
			.is_open_ended = true,
			.doc = SLICE("a,b\r1,2\n3,4\r\n5,\"6;7\"\n\n8,9")},
		{.name = "ragged",
			.read = read_csv,
			.arg = &ragged,
			.is_open_ended = true,
			.doc = SLICE("a,b,c\n1\n1,2,3,,\n,,\nSource: a footer, and more\n")},
		{.name = "preamble",
			.read = read_csv,
			.arg = &semicolon,
			.is_open_ended = true,
			.doc = SLICE("A title; with more\na;b\n1,5;1.234,5\n2;\n")},
	};

	(void)state;
	for (int level = 0; level < LEVELS; level++) {
		csv_index_level(level);
		for (size_t i = 0; i < COUNT(families); i++)
			family_cut(&families[i]);
	}
	csv_index_level(-1);
}

static void test_split_small(void **state)
{
	(void)state;
	for (int level = 0; level < LEVELS; level++) {
		csv_index_level(level);
		for (size_t i = 0; i < COUNT(good) + COUNT(evil); i++) {
			const struct doc *doc = i < COUNT(good) ? &good[i] : &evil[i - COUNT(good)];
			const struct family f = {
				.name = doc->in, .read = read_csv, .arg = &doc->csv, .doc = slice_of(doc->in)};

			family_split(&f);
		}
	}
	csv_index_level(-1);
}

static void test_split(void **state)
{
	struct strbuf in, whole, part;
	struct record_options o = {.format = GLANE_FMT_CSV};
	struct diag d = {0};

	(void)state;
	strbuf_init(&in, 0);
	strbuf_init(&whole, 0);
	strbuf_init(&part, 0);
	strbuf_puts(&in, "id,text,value\r\n");
	for (int i = 0; i < 3000; i++)
		strbuf_fmt(&in, i % 7 ? "%d,plain é,%d.5\r\n" : "%d,\"two\nlines, \"\"%d\"\"\",\n", i, i * 37);
	assert_int_equal(render(strbuf_get(&in), 0, &o, &whole, &d), GLANE_END);
	for (size_t step = 1; step < 100000; step = step * 3 + 4) {
		strbuf_reset(&part);
		assert_int_equal(render(strbuf_get(&in), step, &o, &part, &d), GLANE_END);
		assert_true(slice_eq(strbuf_get(&whole), strbuf_get(&part)));
	}
	for (int level = 0; level < LEVELS; level++) {
		csv_index_level(level);
		strbuf_reset(&part);
		assert_int_equal(render(strbuf_get(&in), 1000, &o, &part, &d), GLANE_END);
		assert_true(slice_eq(strbuf_get(&whole), strbuf_get(&part)));
	}
	csv_index_level(-1);
	strbuf_release(&in);
	strbuf_release(&whole);
	strbuf_release(&part);
}

static void test_fields(void **state)
{
	static const char *const fields[] = {"Value", "Code|Name", "#1", "Flag|", "a|b"};
	static const char *const twice[] = {"Note"}, *const none[] = {"Rate|Share"};
	static const char in[] = "Year,Name,Value,Note,Note,a|b\n2020,Togo,1.50,x,y,z\n";
	static const struct doc doc = {in, "Year|Name|Value|Note|Note|a|b\n1.50|Togo|2020|~|z\n", {0}, 0, NULL};
	static const struct doc refused[] = {
		{in, "", {0}, GLANE_E_DATA, "has 'Note' twice"},
		{in, "", {0}, GLANE_E_DATA, "no column 'Rate|Share' in the header; there are: Year, Name"},
	};
	struct record_options o = {.format = GLANE_FMT_CSV, .field = fields, .n_field = COUNT(fields)};

	(void)state;
	check(&doc, slice_of(in), 1, &o);
	o.field = twice;
	o.n_field = 1;
	check(&refused[0], slice_of(in), 0, &o);
	o.field = none;
	check(&refused[1], slice_of(in), 0, &o);
}

static void test_where(void **state)
{
	static const char in[] = "x\na,b\n\n\"1\n\",2\n3,\"é\"\"\"\n";
	struct glane_csv csv = {.skip = 1};
	struct record_options o = {.format = GLANE_FMT_CSV, .csv = &csv};
	struct record_reader *r = NULL;
	struct diag d = {0};
	struct payload p;
	uint64_t number, line, offset;

	(void)state;
	payload_memory(&p, slice_of(in), 3, &d);
	assert_int_equal(record_open(&r, &p, &o, &d), GLANE_OK);
	assert_null(record_at(r, 0).p);
	assert_int_equal(record_next(r), GLANE_OK);
	record_where(r, &number, &line, &offset);
	assert_true(number == 1 && line == 4 && offset == 7);
	assert_int_equal(record_next(r), GLANE_OK);
	record_where(r, &number, &line, &offset);
	assert_true(number == 2 && line == 6 && offset == 14);
	assert_true(slice_is(record_get(r, "b"), "é\""));
	assert_true(slice_is(record_get(r, "b"), "é\""));
	assert_true(slice_is(record_get(r, "#1"), "3"));
	assert_null(record_get(r, "c").p);
	assert_null(record_at(r, 2).p);
	assert_null(record_head(r, 0).p);
	assert_true(slice_is(record_text(r, 100), "3,\"é\"\"\""));
	assert_true(slice_is(record_text(r, 4), "3,\"")); /* not within a character */
	assert_int_equal(record_next(r), GLANE_END);
	assert_null(record_text(r, 100).p);
	record_close(r);
}

/* `n` times `unit` between prefix and suffix. */
static void repeat(struct strbuf *b, const char *prefix, const char *unit, size_t n, const char *suffix)
{
	strbuf_reset(b);
	strbuf_puts(b, prefix);
	while (n--)
		strbuf_puts(b, unit);
	strbuf_puts(b, suffix);
}

static void test_limits(void **state)
{
	static const struct doc field = {"", NULL, {0}, GLANE_E_LIMIT, "column 2 is longer than 1000 bytes"};
	static const struct doc record = {
		"", NULL, {0}, GLANE_E_LIMIT, "line 2: the record that begins here is longer"};
	static const struct doc columns = {"", NULL, {0}, GLANE_E_LIMIT, "line 1: more than 16384 columns"};
	static const struct doc fine = {"", NULL, {0}, 0, NULL};
	struct record_options o = {.format = GLANE_FMT_CSV, .max_field = 1000, .max_record = 100000};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	repeat(&b, "a,b\n1,", "x", 1001, "\n");
	check(&field, strbuf_get(&b), 0, &o);
	repeat(&b, "a,b\n1,", "x", 1000, "\n");
	check(&fine, strbuf_get(&b), 0, &o);
	repeat(&b, "a,b\n1,\"", "x,\n", 40000, "");
	check(&record, strbuf_get(&b), 777, &o);
	check(&record, strbuf_get(&b), 0, &o);
	repeat(&b, "", ",", 16383, "\n");
	check(&fine, strbuf_get(&b), 0, &o);
	repeat(&b, "", ",", 16384, "\n");
	check(&columns, strbuf_get(&b), 0, &o);
	repeat(&b, "", ",", 99999, "\n");
	check(&columns, strbuf_get(&b), 0, &o);
	check(&columns, strbuf_get(&b), 64, &o);
	repeat(&b, "a\n", "\n", 200000, "1");
	check(&fine, strbuf_get(&b), 0, &o);
	strbuf_release(&b);
}

static void test_memory(void **state)
{
	static const char in[] = "a,b\n\"x\"\"y\",2\n";
	struct record_options o = {.format = GLANE_FMT_CSV};
	glane_rc rc = GLANE_E_NOMEM;
	long n;

	(void)state;
	for (n = 1; rc != GLANE_END && n < 100; n++) {
		struct payload p;
		struct record_reader *r = NULL;
		struct diag d = {0};

		payload_memory(&p, slice_of(in), 5, &d);
		mem_fail_after(n, true);
		rc = record_open(&r, &p, &o, &d);
		while (rc == GLANE_OK)
			rc = record_next(r);
		mem_fail_after(0, false);
		assert_true(rc == GLANE_END || rc == GLANE_E_NOMEM);
		record_close(r);
	}
	assert_in_range(n, 6, 12);
}

static void test_no_format(void **state)
{
	struct record_options o = {.format = GLANE_FMT_RAW};
	struct record_reader *r = NULL;
	struct diag d = {0};
	struct payload p;

	(void)state;
	payload_memory(&p, SLICE("a\n"), 0, &d);
	assert_int_equal(record_open(&r, &p, &o, &d), GLANE_E_USAGE);
	assert_null(r);
	record_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_evil),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_split_small),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_no_format),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
