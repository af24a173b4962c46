/* SPDX-License-Identifier: MIT */
/* The JSON reader: golden documents, every cut, every split, every changed byte, hostile documents, lack of memory. */
#include "support/records.h"
#include <stdio.h>

#include "support/families.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define WB_HEAD "[{\"page\":1,\"pages\":1,\"per_page\":\"50\",\"lastupdated\":\"2018-04-24\",\"total\":3},["
#define WB_RECORD(area, name, date, value, status)                                                                     \
	"{\"indicator\":{\"id\":\"SP.POP.TOTL\",\"value\":\"Population, total\"},\"country\":{\"id\":\"" area          \
	"\",\"value\":\"" name "\"},\"countryiso3code\":\"\",\"date\":\"" date "\",\"value\":" value                   \
	",\"unit\":\"\",\"obs_status\":\"" status "\",\"decimal\":0}"
#define WB_DOC                                                                                                         \
	WB_HEAD WB_RECORD("TG", "Togo", "2017", "7797694", "") "," WB_RECORD("CI", "C\\u00f4te d'Ivoire", "2017",      \
		"null", "") "," WB_RECORD("CI", "C\xc3\xb4te d'Ivoire", "1960", "3558988.50", "E") "]]"
#define WB_PATHS                                                                                                       \
	{                                                                                                              \
		"country.id", "country.value", "date", "value", "obs_status"                                           \
	}

static const struct records_case golden[] = {
	{"World Bank", WB_DOC, "1.*", WB_PATHS, {"0.total", "0.lastupdated", "0.per_page", "0.message.0.value"},
		"TG|Togo|2017|7797694|\nCI|C\xc3\xb4te d'Ivoire|2017|~|\nCI|C\xc3\xb4te d'Ivoire|1960|3558988.50|E\n"
		"heads 3|2018-04-24|50|~\nend",
		0, 0, 0},
	{"World Bank without rows", "[{\"page\":0,\"pages\":0,\"per_page\":null,\"total\":0},null]", "1.*", {"date"},
		{"0.total", "0.per_page"}, "heads 0|~\nend", 0, 0, 0},
	{"World Bank error", "[{\"message\":[{\"id\":\"120\",\"key\":\"Invalid value\",\"value\":\"not valid\"}]}]",
		"1.*", {"date"}, {"0.message.0.value"}, "heads not valid\nformat", 0, 0, 0},
	{"byte-order mark", "\xef\xbb\xbf[{\"a\":1}]", "*", {"a"}, {NULL}, "1\nend", 0, 0, 0},
	{"blanks", " \r\n[\t{ \"a\" : 1 , \"b\" : [ ] } ,{\n\"a\":\t2\n} ] \n", "*", {"a"}, {NULL}, "1\n2\nend", 0, 0,
		0},
	{"empty list", "{\"d\":[]}", "d.*", {"a"}, {NULL}, "end", 0, 0, 0},
	{"empty object of records", "{\"d\":{}}", "d.*", {"a"}, {NULL}, "end", 0, 0, 0},
	{"no list", "{\"e\":[]}", "d.*", {"a"}, {NULL}, "format", 0, 0, 0},
	{"a value instead of the list", "{\"d\":\"none\"}", "d.*", {"a"}, {NULL}, "format", 0, 0, 0},
	{"a list inside a list is a value", "{\"d\":[{\"o\":[1,2]},{\"o\":7}]}", "d.*.o.*", {""}, {NULL},
		"1\n2\nformat", 0, 0, 0},
	{"lists inside a list", "{\"d\":[{\"o\":[1,2]},{\"o\":[]},{\"o\":null},{\"o\":[3]}]}", "d.*.o.*", {"", "$key"},
		{NULL}, "1|0\n2|1\n3|0\nend", 0, 0, 0},
	{"outer list empty", "{\"d\":[]}", "d.*.o.*", {""}, {NULL}, "end", 0, 0, 0},
	{"members, and their names", "{\"TGO\":{\"v\":1},\"B\\u0045N\":{\"v\":2},\"x.y\":null}", "*", {"$key", "v"},
		{NULL}, "TGO|1\nBEN|2\nx.y|~\nend", 0, 0, 0},
	{"a member that a head names is no record", "{\"status\":\"ok\",\"TGO\":{\"v\":1}}", "*", {"v"}, {"status"},
		"1\nheads ok\nend", 0, 0, 0},
	{"one member", "{\"a\":{\"b\":{\"c\":\"x\"}}}", "a.b", {"c"}, {NULL}, "x\nend", 0, 0, 0},
	{"the document", "{\"a\":{\"b\":[10,20]},\"n\":\"t\"}", "", {"a.b.1"}, {"n", "a.b.0", "z"},
		"20\nheads t|10|~\nend", 0, 0, 0},
	{"a scalar document", " -0.5e+10 ", "", {""}, {NULL}, "-0.5e+10\nend", 0, 0, 0},
	{"scalars", "[1,\"a\",true,false,null,-0,1E5]", "*", {""}, {NULL}, "1\na\ntrue\nfalse\n~\n-0\n1E5\nend", 0, 0,
		0},
	{"long numbers keep their text", "[123456789012345678901234567890123456789012.10,1e999,1e-999,0.10]", "*", {""},
		{NULL}, "123456789012345678901234567890123456789012.10\n1e999\n1e-999\n0.10\nend", 0, 0, 0},
	{"escapes", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00\"]", "*", {""}, {NULL},
		"\"\\/\\x08\\x0c\\x0a\\x0d\\x09\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\nend", 0, 0, 0},
	{"names with dots and positions", "[{\"a.b\":1,\"0\":[5,6]}]", "*", {"a\\.b", "0.1"}, {NULL}, "1|6\nend", 0, 0,
		0},
	{"escaped names", "[{\"\\u0061\":1}]", "*", {"a"}, {NULL}, "1\nend", 0, 0, 0},
	{"null, \"\" and [] where an object could be", "[{\"c\":null},{\"c\":\"\"},{\"c\":[]},{\"c\":{\"i\":1}}]", "*",
		{"c.i"}, {NULL}, "~\n~\n~\n1\nend", 0, 0, 0},
	{"shapes that change",
		"[{\"a\":1,\"b\":2},{\"b\":3,\"a\":4},{\"a\":5},{\"a\":55,\"b\":\"\\n\"},{\"a\":\"6\",\"b\":null},"
		"{\"a\":-1.5e3,\"b\":true}]",
		"*", {"a", "b"}, {NULL}, "1|2\n4|3\n5|~\n55|\\x0a\n6|~\n-1.5e3|true\nend", 0, 0, 0},
	{"heads behind the records", "{\"d\":[{\"a\":1}],\"next\":{\"href\":\"u\"}}", "d.*", {"a"}, {"next.href"},
		"1\nheads u\nend", 0, 0, 0},
};

static const struct {
	const char *doc;
	const char *message; /* part of it */
} hostile[] = {
	{"", "empty"},
	{" \n", "empty"},
	{"\xef\xbb", "value"},
	{"<!doctype html><html>", "XML or HTML: '<!doctype html><html>'"},
	{"[{\"a\":1}] x", "further bytes"},
	{"[{\"a\":1}][]", "further bytes"},
	{"[{\"a\":1},]", "value was expected"},
	{"[{\"a\":1,}]", "member name"},
	{"[{\"a\" 1}]", "':'"},
	{"[{a:1}]", "member name"},
	{"[{\"a\":1 \"b\":2}]", "','"},
	{"[{\"a\":1]", "'}'"},
	{"[{\"a\":[1}]", "is an array"},
	{"[{\"a\":1}}", "']'"},
	{"[{\"a\":NaN}]", "value was expected"},
	{"[{\"a\":Infinity}]", "value was expected"},
	{"[{\"a\":nul}]", "words"},
	{"[{\"a\":nulls}]", "'}'"},
	{"[{\"a\":truE}]", "words"},
	{"[{\"a\":01}]", "begins with 0"},
	{"[{\"a\":-01}]", "begins with 0"},
	{"[{\"a\":+1}]", "value was expected"},
	{"[{\"a\":.5}]", "value was expected"},
	{"[{\"a\":1.}]", "digits"},
	{"[{\"a\":1e}]", "digits"},
	{"[{\"a\":1e+}]", "digits"},
	{"[{\"a\":-}]", "digits"},
	{"[{\"a\":0x10}]", "'}'"},
	{"[{\"a\":1,\"a\":2}]", "'a' twice"},
	{"[{\"a\":1,\"\\u0061\":2}]", "'a' twice"},
	{"[{\"o\":{\"z\":1,\"z\":1}}]", "'z' twice"},
	{"[{\"a\":{\"x\":1}}]", "an object"},
	{"[{\"a\":[1]}]", "an array"},
	{"[[1]]", "an array"},
	{"[7]", "a single value"},
	{"[{\"b\":\"x\"}]", "'b.c'"},
	{"[{\"b\":[{\"c\":1}]}]", "'b.c'"},
	{"[{\"a\":\"\x01\"}]", "control byte"},
	{"[{\"a\":\"\n\"}]", "control byte"},
	{"[{\"a\":\"\\x\"}]", "escape"},
	{"[{\"a\":\"\\u12g4\"}]", "hexadecimal"},
	{"[{\"a\":\"\\u0000\"}]", "u0000"},
	{"[{\"a\":\"\\ud800\"}]", "surrogate"},
	{"[{\"a\":\"\\ud800x\"}]", "surrogate"},
	{"[{\"a\":\"\\ud800\\u0041\"}]", "surrogate"},
	{"[{\"a\":\"\\udc00\"}]", "surrogate"},
	{"[{\"a\":\"\x80\"}]", "UTF-8"},
	{"[{\"a\":\"\xc0\xaf\"}]", "UTF-8"},
	{"[{\"a\":\"\xe0\x80\x80\"}]", "UTF-8"},
	{"[{\"a\":\"\xed\xa0\x80\"}]", "UTF-8"},
	{"[{\"a\":\"\xf0\x80\x80\x80\"}]", "UTF-8"},
	{"[{\"a\":\"\xf4\x90\x80\x80\"}]", "UTF-8"},
	{"[{\"a\":\"\xf8\x88\x80\x80\x80\"}]", "UTF-8"},
	{"[{\"a\":\"\xe2\x82\"}]", "UTF-8"},
	{"[{\"\x80\":1}]", "UTF-8"},
	{"[{\"a\":'1'}]", "value was expected"},
	{"{\"x\":1}", "a single value"},
};

static glane_rc read_case(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	return records_read(arg, GLANE_FMT_JSON, doc, step, out, d);
}

/* Records only: a cut document has neither the verdict nor the heads of a whole one. */
static glane_rc read_records(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	struct records_case c = *(const struct records_case *)arg;
	glane_rc rc;
	char *end;

	memset(c.head, 0, sizeof(c.head));
	rc = records_read(&c, GLANE_FMT_JSON, doc, step, out, d);
	end = out->n ? memrchr(out->p, '\n', out->n) : NULL;
	out->n = end ? (size_t)(end + 1 - out->p) : 0;
	return rc;
}

/* Lines may end after any of them: a cut between two is no cut. */
static const struct records_case lines[] = {
	{"lines", "{\"a\":1}\n{\"a\":2}{\"b\":[1]}\r\n\n{\"a\":\"x\"}", "$lines", {"a"}, {NULL}, "1\n2\n~\nx\nend", 0,
		0, 0},
	{"lines of garbage", "{\"a\":1}\nno\n", "$lines", {"a"}, {NULL}, "1\nformat", 0, 0, 0},
	{"no line", "\n", "$lines", {"a"}, {NULL}, "format", 0, 0, 0},
};

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(golden); i++) {
		const struct records_case *c = &golden[i];
		const struct family f = {.name = c->name, .read = read_case, .arg = c, .doc = slice_of(c->doc)};

		family_golden(&f, strstr(c->want, "format") ? GLANE_E_FORMAT : GLANE_END, c->want);
	}
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		const struct records_case *c = &lines[i];
		struct family f = {.name = c->name,
			.read = read_case,
			.arg = c,
			.doc = slice_of(c->doc),
			.is_quoting_input = true,
			.is_open_ended = true};

		family_golden(&f, strstr(c->want, "format") ? GLANE_E_FORMAT : GLANE_END, c->want);
		family_split(&f);
		f.read = read_records;
		family_cut(&f);
	}
}

/* A document that ends early is an error at every byte; without the blanks at its end it is the same document. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(golden); i++) {
		const struct records_case *c = &golden[i];
		struct family f = {.name = c->name, .read = read_records, .arg = c, .doc = slice_of(c->doc)};

		f.doc = slice_trim(f.doc);
		if (strchr("]}", f.doc.p[f.doc.n - 1]))
			family_cut(&f);
	}
}

static void test_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(golden); i++) {
		const struct records_case *c = &golden[i];
		const struct family f = {.name = c->name, .read = read_case, .arg = c, .doc = slice_of(c->doc)};

		family_split(&f);
	}
	for (size_t i = 0; i < COUNT(hostile); i++) { /* errors are the same as well */
		const struct records_case c = {"hostile", hostile[i].doc, "*", {"a", "b.c"}, {NULL}, "", 0, 0, 0};
		const struct family f = {.name = c.doc,
			.read = read_records,
			.arg = &c,
			.doc = slice_of(c.doc),
			.is_quoting_input = true};

		family_split(&f);
	}
}

/* Every byte replaced by every one of these: the comparison with the record before and the walk must agree. With one
 * byte at a time the window moves for each record, so that no record can be compared. */
static void test_changed_bytes(void **state)
{
	static const char with[] = "\"\\{}[]:,0-.eEnu \x01\x80\xc3\xff";
	const struct records_case c = {"changed",
		"[{\"a\":{\"b\":\"xy\"},\"n\":12,\"k\":null},{\"a\":{\"b\":\"xy\"},\"n\":12,\"k\":null},"
		"{\"a\":{\"b\":\"z\\n\"},\"n\":-1.5,\"k\":true}]",
		"*", {"a.b", "n", "k"}, {NULL}, "", 0, 0, 0};
	char doc[256];

	(void)state;
	for (size_t i = 0; c.doc[i]; i++) {
		for (size_t k = 0; k + 1 < sizeof(with); k++) {
			struct strbuf fast, slow;
			struct diag d;

			memcpy(doc, c.doc, strlen(c.doc) + 1);
			doc[i] = with[k];
			strbuf_init(&fast, 0);
			strbuf_init(&slow, 0);
			(void)records_read_exact(&c, GLANE_FMT_JSON, doc, strlen(doc), 0, &fast, &d);
			(void)records_read_exact(&c, GLANE_FMT_JSON, doc, strlen(doc), 1, &slow, &d);
			assert_string_equal(fast.p, slow.p);
			strbuf_release(&fast);
			strbuf_release(&slow);
		}
	}
}

static void test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hostile); i++) {
		const struct records_case c = {"", hostile[i].doc, "*", {"a", "b.c"}, {NULL}, "", 0, 0, 0};

		for (size_t step = 0; step < 4; step++) {
			struct strbuf out;
			struct diag d;
			glane_rc rc;

			strbuf_init(&out, 0);
			rc = records_read_exact(&c, GLANE_FMT_JSON, c.doc, strlen(c.doc), step, &out, &d);
			strbuf_release(&out);
			if (rc != GLANE_E_FORMAT || !strstr(d.text, hostile[i].message))
				print_error("%s: %d %s\n", c.doc, rc, d.text);
			assert_int_equal(rc, GLANE_E_FORMAT);
			assert_non_null(strstr(d.text, hostile[i].message));
		}
	}
}

/* A byte that is no text at all, in each place of a document. */
static void test_nul(void **state)
{
	const struct records_case c = {"", "", "*", {"a"}, {NULL}, "", 0, 0, 0};
	static const char doc[] = " [ { \"a\" : \"x\" , \"b\" : [ 1 ] } ] ";

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(doc); i++) {
		char copy[sizeof(doc)];
		struct strbuf out;
		struct diag d;

		memcpy(copy, doc, sizeof(doc));
		copy[i] = '\0';
		strbuf_init(&out, 0);
		assert_int_equal(
			records_read_exact(&c, GLANE_FMT_JSON, copy, sizeof(doc) - 1, 0, &out, &d), GLANE_E_FORMAT);
		strbuf_release(&out);
	}
}

/* `before`, n times `piece` with its number for '#', `after`. */
static glane_rc read_repeated(
	const struct records_case *c, const char *before, const char *piece, size_t n, const char *after, size_t step)
{
	struct strbuf doc, out;
	struct diag d;
	glane_rc rc;

	strbuf_init(&doc, 0);
	strbuf_init(&out, 0);
	strbuf_puts(&doc, before);
	for (size_t i = 0; i < n; i++) {
		for (const char *p = piece; *p; p++) {
			if (*p == '#')
				strbuf_int(&doc, (int64_t)i);
			else
				strbuf_putc(&doc, *p);
		}
	}
	strbuf_puts(&doc, after);
	assert_true(strbuf_ok(&doc));
	rc = records_read_exact(c, GLANE_FMT_JSON, doc.p, doc.n, step, &out, &d);
	strbuf_release(&doc);
	strbuf_release(&out);
	return rc;
}

static void test_limits(void **state)
{
	const struct records_case c = {"", "", "*", {"a"}, {NULL}, "", 0, 0, 0};
	const struct records_case off = {"", "", "d.*", {"a"}, {NULL}, "", 0, 0, 0};
	const struct records_case small = {"", "", "*", {"a"}, {NULL}, "", 4000, 1000, 8};

	(void)state;
	/* Depth counts from the document's root, inside and outside of records. */
	assert_int_equal(read_repeated(&c, "[{\"b\":", "[", 62, "1", 0), GLANE_E_FORMAT);
	assert_int_equal(read_repeated(&c, "[{\"b\":", "[", 63, "1", 0), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&c, "[{\"b\":", "[", 3000, "1", 0), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&off, "{\"x\":", "[", 63, "1", 0), GLANE_E_FORMAT);
	assert_int_equal(read_repeated(&off, "{\"x\":", "[", 64, "1", 0), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&off, "{\"x\":", "{\"y\":", 100000, "1", 100), GLANE_E_LIMIT);
	assert_int_equal(read_repeated(&small, "[{\"b\":", "[", 7, "1", 0), GLANE_E_LIMIT);
	/* Values, names and records: whole, and in pieces. */
	for (size_t step = 0; step <= 700; step += 350) {
		assert_int_equal(read_repeated(&small, "[{\"a\":\"", "x", 998, "\"}]", step), GLANE_END);
		assert_int_equal(read_repeated(&small, "[{\"a\":\"", "x", 999, "\"}]", step), GLANE_E_LIMIT);
		assert_int_equal(read_repeated(&small, "[{\"a\":", "1", 1001, "}]", step), GLANE_E_LIMIT);
		assert_int_equal(read_repeated(&small, "[{\"", "x", 1001, "\":1}]", step), GLANE_E_LIMIT);
		assert_int_equal(read_repeated(&small, "[{\"b\":[0", ",1", 1900, "]}]", step), GLANE_END);
		assert_int_equal(read_repeated(&small, "[{\"b\":[0", ",1", 2000, "]}]", step), GLANE_E_LIMIT);
		assert_int_equal(read_repeated(&small, "[{\"b\":[0", ",1", 200000, "", step), GLANE_E_LIMIT);
		assert_int_equal(read_repeated(&off, "{\"x\":[0", ",1", 200000, "],\"d\":[]}", step), GLANE_END);
	}
	assert_int_equal(read_repeated(&off, "{\"d\":[],\"x\":\"", "x", 1 << 20, "\"}", 4096), GLANE_E_LIMIT);
}

static void test_many_members(void **state)
{
	const struct records_case c = {"", "", "*", {"a"}, {NULL}, "", 0, 0, 0};

	(void)state;
	assert_int_equal(read_repeated(&c, "[{\"a\":1", ",\"m#\":0", 300000, "}]", 0), GLANE_END);
	assert_int_equal(read_repeated(&c, "[{\"a\":1", ",\"m#\":0", 300000, ",\"m77\":0}]", 0), GLANE_E_FORMAT);
	assert_int_equal(read_repeated(&c, "[{\"a\":1", ",\"m#\":0", 15, ",\"m14\":0}]", 0), GLANE_E_FORMAT);
	assert_int_equal(read_repeated(&c, "[{\"a\":1", ",\"m#\":0", 17, ",\"m16\":0}]", 0), GLANE_E_FORMAT);
	assert_int_equal(read_repeated(&c, "[{\"a\":1", ",\"m#\":0", 18, ",\"m0\":0}]", 0), GLANE_E_FORMAT);
	/* More scalars than a shape holds, twice. */
	assert_int_equal(read_repeated(&c, "[{\"b\":[0", ",#", 2000, "],\"a\":5},{\"b\":[0],\"a\":6}]", 0), GLANE_END);
}

static void test_double_places(void **state)
{
	static const struct {
		const char *doc, *select, *head;
	} row[] = {
		{"{\"d\":[],\"d\":[{\"a\":1}]}", "d.*", "x"},
		{"{\"d\":[],\"x\":1,\"x\":2}", "d.*", "x"},
		{"{\"d\":[],\"x\":{\"y\":1}}", "d.*", "x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		const struct records_case c = {"", row[i].doc, row[i].select, {"a"}, {row[i].head}, "", 0, 0, 0};
		struct strbuf out;
		struct diag d;

		strbuf_init(&out, 0);
		assert_int_equal(
			records_read_exact(&c, GLANE_FMT_JSON, c.doc, strlen(c.doc), 0, &out, &d), GLANE_E_FORMAT);
		strbuf_release(&out);
	}
}

static void test_bad_paths(void **state)
{
	static const char *const bad[] = {"a..b", ".a", "a.", "*"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct records_case c = {"", "[]", "*", {bad[i]}, {NULL}, "", 0, 0, 0};
		struct strbuf out;
		struct diag d;

		strbuf_init(&out, 0);
		assert_int_equal(records_read_exact(&c, GLANE_FMT_JSON, c.doc, 2, 0, &out, &d), GLANE_E_USAGE);
		strbuf_release(&out);
	}
}

/* get(), where(), text(), and what stands after the end. */
static void test_current_record(void **state)
{
	static const char *const field[] = {"v"};
	static const char doc[] = "{\"d\":[{\"v\":1,\"o\":{\"k\":[{\"z\":\"a\\u0062\"},7]},\"t\":true}, {\"v\":2}]}";
	const struct record_options o = {.format = GLANE_FMT_JSON, .select = "d.*", .field = field, .n_field = 1};
	struct record_reader *r = NULL;
	struct payload p;
	struct diag d = {.code = 0};
	uint64_t number = 0, line = 1, offset = 0;

	(void)state;
	payload_memory(&p, slice_of(doc), 7, &d);
	assert_int_equal(record_open(&r, &p, &o, &d), GLANE_OK);
	assert_null(record_at(r, 0).p);
	assert_null(record_get(r, "v").p);
	assert_int_equal(record_next(r), GLANE_OK);
	assert_true(slice_is(record_get(r, "v"), "1"));
	assert_true(slice_is(record_get(r, "o.k.0.z"), "ab"));
	assert_true(slice_is(record_get(r, "o.k.1"), "7"));
	assert_true(slice_is(record_get(r, "t"), "true"));
	assert_true(slice_is(record_get(r, "$key"), "0"));
	assert_null(record_get(r, "o").p);
	assert_null(record_get(r, "o.k.2").p);
	assert_null(record_get(r, "o.q.2").p);
	assert_null(record_get(r, "v.q").p);
	assert_null(record_get(r, "a..b").p);
	assert_null(record_at(r, 1).p);
	assert_int_equal(record_columns(r), 0);
	assert_null(record_head(r, 0).p);
	assert_int_equal(record_next(r), GLANE_OK);
	record_where(r, &number, &line, &offset);
	assert_int_equal(number, 2);
	assert_int_equal(line, 0);
	assert_int_equal(offset, strstr(doc, "{\"v\":2}") - doc);
	assert_true(slice_is(record_text(r, 100), "{\"v\":2}"));
	assert_true(slice_is(record_text(r, 4), "{\"v\""));
	assert_true(slice_is(record_get(r, "$key"), "1"));
	assert_int_equal(record_next(r), GLANE_END);
	assert_int_equal(record_next(r), GLANE_END);
	assert_null(record_at(r, 0).p);
	assert_null(record_text(r, 9).p);
	record_close(r);
	payload_close(&p);
}

/* Also of a record that is refused, in windows of any size. */
static void test_line_numbers(void **state)
{
	static const char doc[] = "{\"v\":1}\n\n{\"v\":\n2}{\"v\":3}\r\n[{\"v\":4}]\n";
	static const uint64_t want[] = {1, 3, 4, 5};
	const char *const fields[] = {"v"};
	const struct record_options o = {
		.format = GLANE_FMT_JSON, .select = "$lines", .field = fields, .n_field = COUNT(fields)};

	(void)state;
	for (size_t step = 1; step < sizeof(doc); step++) {
		struct record_reader *r = NULL;
		struct payload p;
		struct diag d = {.code = 0};
		uint64_t number = 0, line = 0, offset = 0;

		payload_memory(&p, slice_of(doc), step, &d);
		assert_int_equal(record_open(&r, &p, &o, &d), GLANE_OK);
		for (size_t i = 0; i < COUNT(want); i++) {
			assert_int_equal(record_next(r), i < 3 ? GLANE_OK : GLANE_E_FORMAT);
			record_where(r, &number, &line, &offset);
			assert_int_equal(number, i + 1);
			assert_int_equal(line, want[i]);
		}
		assert_string_equal(d.text, "a record must be an object {...}, not an array");
		p.failed = true;
		record_where(r, &number, &line, &offset);
		assert_int_equal(number + line + offset, 0);
		record_close(r);
		payload_close(&p);
	}
}

static const char items_doc[] =
	"[{\"v\":[1, \"NA\" ,null,[2],{\"x\":\"}\"},\"a\\\"b\"],\"d\" : {\"S\\u0065x\" : \"F\", \"\":true,\"o\":{}},"
	"\"e\":[],\"n\":{ },\"s\":7}]";

/* Opens it at its only record. */
static glane_rc items_open(struct record_reader **r, struct payload *p, struct diag *d)
{
	const struct record_options o = {.format = GLANE_FMT_JSON, .select = "*"};
	glane_rc rc;

	payload_memory(p, slice_of(items_doc), 7, d);
	rc = record_open(r, p, &o, d);
	return rc == GLANE_OK ? record_next(*r) : rc;
}

static void expect_items(struct record_reader *r, const char *path, size_t n, const struct glane_kv *want)
{
	size_t n_item = 99;
	const struct glane_kv *item = record_items(r, path, &n_item);

	assert_non_null(item);
	assert_int_equal(n_item, n);
	for (size_t i = 0; i < n; i++) {
		assert_true(want[i].k ? item[i].k && strcmp(item[i].k, want[i].k) == 0 : !item[i].k);
		assert_int_equal(item[i].v.n, want[i].v.n);
		assert_true(
			want[i].v.p ? item[i].v.p && memcmp(item[i].v.p, want[i].v.p, item[i].v.n) == 0 : !item[i].v.p);
	}
}

/* items(): elements and members in order, decoded; containers as written; where there are none. */
static void test_items(void **state)
{
	static const struct glane_kv elements[] = {{NULL, GLANE_STR_INIT("1")}, {NULL, GLANE_STR_INIT("NA")},
		{NULL, {NULL, 0}}, {NULL, GLANE_STR_INIT("[2]")}, {NULL, GLANE_STR_INIT("{\"x\":\"}\"}")},
		{NULL, GLANE_STR_INIT("a\"b")}};
	static const struct glane_kv members[] = {
		{"Sex", GLANE_STR_INIT("F")}, {"", GLANE_STR_INIT("true")}, {"o", GLANE_STR_INIT("{}")}};
	static const char *const none[] = {"s", "v.0", "q", "d.q", "v.9", "a..b", "$key"};
	struct record_reader *r = NULL;
	struct payload p;
	struct diag d = {.code = 0};
	size_t n = 99;

	(void)state;
	assert_int_equal(items_open(&r, &p, &d), GLANE_OK);
	expect_items(r, "v", 6, elements);
	expect_items(r, "d", 3, members);
	expect_items(r, "v.3", 1, &(struct glane_kv){NULL, GLANE_STR_INIT("2")});
	expect_items(r, "e", 0, NULL);
	expect_items(r, "n", 0, NULL);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_null(record_items(r, none[i], &n));
		assert_int_equal(n, 0);
	}
	assert_non_null(record_items(r, "", &n));
	assert_int_equal(n, 5);
	assert_int_equal(record_next(r), GLANE_END);
	assert_null(record_items(r, "v", &n));
	record_close(r);
	payload_close(&p);
}

/* Out of memory there are no items, and the next record is an error. */
static void test_items_memory(void **state)
{
	(void)state;
	for (long k = 1, is_done = 0; !is_done; k++) {
		struct record_reader *r = NULL;
		struct payload p;
		struct diag d = {.code = 0};
		size_t n;

		assert_true(k < 100);
		assert_int_equal(items_open(&r, &p, &d), GLANE_OK);
		mem_fail_after(k, true);
		is_done = record_items(r, "d", &n) != NULL;
		mem_fail_after(0, false);
		assert_int_equal(record_next(r), is_done ? GLANE_END : GLANE_E_NOMEM);
		record_close(r);
		payload_close(&p);
	}
}

/* The N-th allocation fails, once or from then on: an error, no crash, no leak; enough of them, and it works. */
static void test_memory(void **state)
{
	const struct records_case *c = &golden[0];

	(void)state;
	for (int for_ever = 0; for_ever < 2; for_ever++) {
		glane_rc rc = GLANE_E_NOMEM;

		for (long n = 1; rc != GLANE_END; n++) {
			struct strbuf out;
			struct diag d;

			assert_true(n < 1000);
			strbuf_init(&out, 0);
			strbuf_puts(&out, "reserved before");
			(void)strbuf_room(&out, 1000);
			mem_fail_after(n, for_ever);
			rc = records_read(c, GLANE_FMT_JSON, slice_of(c->doc), 100, &out, &d);
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
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_line_numbers),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_double_places),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_current_record),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_items_memory),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
