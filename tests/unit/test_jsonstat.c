/* SPDX-License-Identifier: MIT */
/* JSON-stat: every legal form of it, what is refused, every cut, every split, lack of memory. */
#include "read/record.h"
#include <stdio.h>

#include "support/families.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DIMS                                                                                                           \
	"\"dimension\":{\"sex\":{\"label\":\"Sex\",\"category\":{\"index\":{\"T\":1,\"F\":0},\"label\":{\"F\":"        \
	"\"Women\","                                                                                                   \
	"\"T\":\"T\\u00f4tal\"}}},\"geo\":{\"category\":{\"label\":{\"TG\":\"Togo\"}}},\"year\":{\"category\":{"       \
	"\"index\":"                                                                                                   \
	"[\"2020\",\"2021\"]}}}"
#define SHAPE "\"id\":[\"sex\",\"geo\",\"year\"],\"size\":[2,1,2]"
#define ROLES "\"role\":{\"time\":[\"year\"],\"geo\":[\"geo\"]}"
#define DATASET(value) "{\"version\":\"2.0\",\"class\":\"dataset\"," SHAPE "," ROLES "," DIMS "," value "}"
#define CODES "1: sex=1 geo=5 year=2 value=3 OBS_STATUS=4\n"
#define CELLS(a, b, c, d) CODES " F TG 2020 " a "\n F TG 2021 " b "\n T TG 2020 " c "\n T TG 2021 " d "\n"

static void put(struct strbuf *out, struct slice s)
{
	strbuf_putc(out, ' ');
	strbuf_puts(out, s.p ? "" : "~");
	strbuf_slice(out, s);
}

static void put_shape(struct strbuf *out, struct record_reader *r)
{
	static const char *const about[] = {"#dataset", "#title", "#updated"};

	strbuf_fmt(out, "%d:", (int)record_shape(r));
	for (size_t i = 0; i < record_columns(r); i++)
		strbuf_fmt(out, " %.*s=%d", SLICE_FMT(record_column(r, i)), record_role(r, i));
	for (size_t i = 0; i < COUNT(about); i++)
		if (record_get(r, about[i]).p)
			strbuf_fmt(out, " %s=%.*s", about[i], SLICE_FMT(record_get(r, about[i])));
	strbuf_putc(out, '\n');
}

/* A line for each shape and each record. */
static glane_rc read_all(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	static const char *const heads[] = {"#footer"};
	const struct record_options o = {.format = GLANE_FMT_JSONSTAT, .head = heads, .n_head = 1};
	struct record_reader *r = NULL;
	struct payload p;
	uint64_t shape = 0;
	glane_rc rc;

	(void)arg;
	payload_memory(&p, doc, step, d);
	rc = record_open(&r, &p, &o, d);
	while (rc == GLANE_OK && (rc = record_next(r)) == GLANE_OK) {
		if (shape != record_shape(r))
			put_shape(out, r);
		shape = record_shape(r);
		for (size_t i = 0; i < record_columns(r); i++)
			put(out, record_at(r, i));
		strbuf_putc(out, '\n');
	}
	if (r && record_head(r, 0).p)
		strbuf_fmt(out, "footer %.*s\n", SLICE_FMT(record_head(r, 0)));
	if (r)
		record_close(r);
	payload_close(&p);
	return rc;
}

struct form {
	const char *name, *doc, *want;
};
static const struct form forms[] = {
	{"dense", DATASET("\"value\":[1.50,null,\"x\",-0]"), CELLS("1.50 ~", "~ ~", "x ~", "-0 ~")},
	{"sparse", DATASET("\"value\":{\"1\":7,\"3\":8e2}"), CELLS("~ ~", "7 ~", "~ ~", "8e2 ~")},
	{"sparse in no order", DATASET("\"value\":{\"3\":8,\"0\":1,\"2\":null}"), CELLS("1 ~", "~ ~", "~ ~", "8 ~")},
	{"empty object", DATASET("\"value\":{}"), CELLS("~ ~", "~ ~", "~ ~", "~ ~")},
	{"empty array", DATASET("\"value\":[]"), CELLS("~ ~", "~ ~", "~ ~", "~ ~")},
	{"status array", DATASET("\"value\":[1,2,3,4],\"status\":[\"e\",null,\"\",\"p\"]"),
		CELLS("1 e", "2 ~", "3 ~", "4 p")},
	{"status for all", DATASET("\"status\":\"e\",\"value\":[1,2,3,null]"), CELLS("1 e", "2 e", "3 e", "~ e")},
	{"status of one element", DATASET("\"value\":[1,2,3,4],\"status\":[\"e\"]"), CELLS("1 e", "2 e", "3 e", "4 e")},
	{"status sparse", DATASET("\"value\":{\"0\":1},\"status\":{\"0\":\"b\",\"2\":\"|C\"}"),
		CELLS("1 b", "~ ~", "~ |C", "~ ~")},
	{"status sparse in no order", DATASET("\"status\":{\"2\":\":\",\"0\":\":\"},\"value\":[1,2,null,4]"),
		CELLS("1 :", "2 ~", "~ ~", "4 ~")},
	{"value before the rest",
		"\xef\xbb\xbf{\"value\":[1,2,3,4]," DIMS "," ROLES "," SHAPE ",\"label\":\"A "
		"\\\"title\\\"\",\"updated\":\"2024-01-02\",\"extension\":{\"lang\":\"EN\",\"id\":\"ABC\"}}",
		"1: sex=1 geo=5 year=2 value=3 OBS_STATUS=4 #dataset=ABC #title=A \"title\" #updated=2024-01-02\n"
		" F TG 2020 1 ~\n F TG 2021 2 ~\n T TG 2020 3 ~\n T TG 2021 4 ~\n"},
	{"1.x bundle, one member for each",
		"{\"one\":{\"dimension\":{\"id\":[\"TLIST(A1)\"],\"size\":[1],\"TLIST(A1)\":{\"category\":{\"index\":["
		"\"2020\"]}}},"
		"\"value\":[1],\"status\":{\"value\":[\"p\"]}},\"two\":{\"value\":{\"0\":2},\"dimension\":{\"x\":{"
		"\"category\":{\"index\":"
		"{\"a\":0},\"unit\":{\"a\":{\"symbol\":\"%\",\"label\":\"percent\",\"decimals\":1}}}},\"Tid\":{"
		"\"category\":{\"label\":"
		"{\"2021M01\":\"January\"}}},\"id\":[\"x\",\"Tid\"],\"size\":[1,1],\"role\":{\"metric\":[\"x\"]}}}}",
		"1: TLIST(A1)=2 value=3 OBS_STATUS=4 #dataset=one\n 2020 1 p\n"
		"2: x=6 Tid=2 value=3 OBS_STATUS=4 UNIT_MEASURE=4 #dataset=two\n a 2021M01 2 ~ percent\n"},
	{"collection with datasets",
		"{\"class\":\"collection\",\"link\":{\"item\":[{\"class\":\"dataset\",\"href\":\"https://x.example/a/"
		"oecd.json?x=1\","
		"\"id\":[\"year\"],\"size\":[1],\"dimension\":{\"year\":{\"category\":{\"index\":[\"2020\"]}}},"
		"\"value\":[1],\"link\":{\"alternate\":[{\"href\":\"https://x.example/a.csv\"}]}}]},"
		"\"note\":null,\"href\":\"https://x.example/all\"}",
		"1: year=2 value=3 OBS_STATUS=4 #dataset=oecd\n 2020 1 ~\n"},
	{"words beside data that say nothing is missing",
		"{\"error\":null,\"errors\":[],\"warning\":false,\"message\":\"OK\",\"note\":[\"a "
		"break\"],\"dataset\":" DATASET("\"value\":[1,2,3,4],\"note\":null,\"source\":null,\"error\":\"\"") "}",
		CELLS("1 ~", "2 ~", "3 ~", "4 ~")},
	{"units: base and multiplier, in any order; a label or symbol alone says it itself",
		"{\"id\":[\"x\"],\"size\":[5],\"role\":{\"metric\":[\"x\"]},\"value\":[1,2,3,4,5],\"dimension\":{\"x\":"
		"{\"category\":{\"index\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"unit\":{"
		"\"a\":{\"label\":\"thousands of persons\",\"base\":\"people\",\"multiplier\":3},"
		"\"b\":{\"multiplier\":6,\"base\":\"EUR\",\"symbol\":\"m\",\"decimals\":1,\"label\":\"million\"},"
		"\"c\":{\"multiplier\":3,\"symbol\":\"k\",\"label\":\"thousands\"},\"d\":{\"multiplier\":3,\"symbol\":"
		"\"k\"},\"e\":null}}}}}",
		"1: x=6 value=3 OBS_STATUS=4 UNIT_MEASURE=4 UNIT_MULT=4\n a 1 ~ people 3\n b 2 ~ EUR 6\n c 3 ~ "
		"thousands ~\n d 4 ~ k ~\n e 5 ~ ~ ~\n"},
	{"an empty dimension",
		"{\"id\":[\"year\"],\"size\":[0],\"dimension\":{\"year\":{\"category\":{\"index\":{}}}},\"value\":{}}",
		""},
};
static const struct form refused[] = {
	{"value too short", DATASET("\"value\":[1,2,3]"), "'value' has 3 elements, but the sizes make 4 cells"},
	{"value too long", DATASET("\"value\":[1,2,3,4,5]"), "'value' has 5 elements"},
	{"status of another length", DATASET("\"value\":[1,2,3,4],\"status\":[\"a\",\"b\"]"),
		"'status' has 2 elements"},
	{"position beyond", DATASET("\"value\":{\"4\":1}"), "position 4 of a sparse object is beyond the 4 cells"},
	{"position twice", DATASET("\"value\":{\"2\":1,\"2\":1}"), "position 2 of a sparse object comes twice"},
	{"no position", DATASET("\"value\":{\"a\":1}"), "'a' is no position"},
	{"a list in the list", DATASET("\"value\":[1,[2],3,4]"),
		"an object or array stands where a single value belongs"},
	{"value twice", DATASET("\"value\":[1,2,3,4],\"value\":[1,2,3,4]"), "member 'value' twice"},
	{"size of no dimension", "{\"id\":[\"a\"],\"size\":[1,2],\"dimension\":{},\"value\":[]}",
		"1 dimensions in 'id' and 2 in 'size'"},
	{"dimension not described", "{\"id\":[\"a\"],\"size\":[1],\"dimension\":{},\"value\":[]}",
		"names the dimension 'a'"},
	{"dimension described twice",
		"{\"id\":[\"a\"],\"size\":[2],\"dimension\":{\"a\":{\"category\":{\"index\":[\"x\",\"y\"]}},\"b\":{},"
		"\"a\":{\"category\":{\"index\":[\"x\",\"y\"]}}},\"value\":[1,2]}",
		"the dimension 'a' is described twice"},
	{"dimension that id does not name",
		"{\"id\":[\"a\"],\"size\":[2],\"dimension\":{\"a\":{\"category\":{\"index\":[\"x\",\"y\"]}},\"one\":{"
		"\"category\":{\"index\":[\"x\"]}},\"b\":{\"category\":{\"index\":[\"x\",\"y\"]}}},\"value\":[1,2]}",
		"the dimension 'b' has 2 categories, but 'id' does not name it"},
	{"a position with a sign", DATASET("\"value\":{\"-0\":1}"), "'-0' is no position"},
	{"a status with a sign", DATASET("\"value\":{\"1\":1},\"status\":{\"+1\":\"e\"}"), "'+1' is no position"},
	{"size differs",
		"{\"id\":[\"a\"],\"size\":[3],\"dimension\":{\"a\":{\"category\":{\"index\":[\"x\"]}}},\"value\":[]}",
		"has 1 categories, but its size is 3"},
	{"index position twice",
		"{\"id\":[\"a\"],\"size\":[2],\"dimension\":{\"a\":{\"category\":{\"index\":{\"x\":0,\"y\":0}}}},"
		"\"value\":[]}",
		"position 0 of its index is given twice"},
	{"index position beyond",
		"{\"id\":[\"a\"],\"size\":[2],\"dimension\":{\"a\":{\"category\":{\"index\":{\"x\":0,\"y\":2}}}},"
		"\"value\":[]}",
		"position 2 of its index is beyond"},
	{"category twice",
		"{\"id\":[\"a\"],\"size\":[2],\"dimension\":{\"a\":{\"category\":{\"index\":[\"x\",\"x\"]}}},\"value\":"
		"[]}",
		"category 'x' comes twice"},
	{"links only",
		"{\"class\":\"collection\",\"link\":{\"item\":[{\"class\":\"dataset\",\"href\":\"https://"
		"x.example\"}]}}",
		"only links to its datasets"},
	{"no value", "{\"id\":[\"a\"],\"size\":[1],\"dimension\":{\"a\":{}}}", "a dataset without 'value'"},
	{"another JSON", "[{\"a\":1}]", "no JSON-stat"},
	{"an error", "{\"error\":[{\"status\":404,\"id\":100,\"label\":\"ERR_NOT_FOUND\"}]}",
		"the provider answers: 404: ERR_NOT_FOUND"},
	{"an error beside data", DATASET("\"value\":[1,2,3,4],\"error\":[{\"status\":416,\"label\":\"CUT\"}]"),
		"the provider answers: 416: CUT; there are data beside it, but not all"},
	{"errors beside data", DATASET("\"value\":[1,2,3,4],\"errors\":\"timeout\""),
		"answers: timeout; there are data"},
	{"a warning beside data", DATASET("\"value\":[1,2,3,4],\"warning\":{\"label\":\"LATE\"}"),
		"answers: LATE; there are"},
	{"class error beside data", DATASET("\"value\":[1,2,3,4],\"class\":\"error\""), "an error without a word"},
	{"a bundle with an error", "{\"A\":" DATASET("\"value\":[1,2,3,4]") ",\"B\":{\"error\":\"timeout\"}}",
		"answers: timeout; there are data"},
	{"a bundle with null", "{\"A\":" DATASET("\"value\":[1,2,3,4]") ",\"B\":null}",
		"1 datasets, and 1 without their data; the first of these is 'B'"},
	{"a bundle with a dataset without value",
		"{\"A\":" DATASET("\"value\":[1,2,3,4]") ",\"B\":" DATASET("\"value\":null") "}",
		"the first of these is 'B'"},
	{"a collection with a link",
		"{\"class\":\"collection\",\"link\":{\"item\":[" DATASET(
			"\"value\":[1,2,3,4]") ",{\"class\":\"dataset\",\"href\":\"https://"
					       "x.example/b\"}]}}",
		"1 datasets, and 1 without their data; the first of these is 'https://x.example/b'"},
	{"an error in a collection",
		"{\"class\":\"collection\",\"link\":{\"item\":[" DATASET(
			"\"value\":[1,2,3,4]") ",{\"class\":\"dataset\",\"error\":\"gone\"}]}}",
		"answers: gone; there are data"},
	{"HTML", "<!DOCTYPE html><html></html>",
		"a JSON value was expected, but the document is XML or HTML: '<!DOCTYPE"},
	{"XML", "\xef\xbb\xbf\n<?xml version=\"1.0\"?><e><m id=\"1\">Not\n  <b>valid</b></m></e>",
		"XML or HTML: 'Not valid'"},
	{"more behind it", DATASET("\"value\":[]") " x", "goes on behind its end"},
};

static void every_form_gives_its_cells(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct family f = {.name = forms[i].name, .read = read_all, .doc = slice_of(forms[i].doc)};

		family_golden(&f, GLANE_END, forms[i].want);
		family_cut(&f);
		family_split(&f);
	}
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		const struct family f = {.name = refused[i].name, .read = read_all, .doc = slice_of(refused[i].doc)};
		struct strbuf out;
		struct diag d;

		if (family_read(&f, f.doc.n, 0, &out, &d) >= 0 || !strstr(d.text, refused[i].want) || out.n)
			fail_msg("%s: %s\n%s", f.name, d.text, out.p);
		strbuf_release(&out);
		family_split(&f);
	}
}

static void a_warning_says_its_code(void **state)
{
	const struct family f = {.name = "warning",
		.read = read_all,
		.doc = SLICE("{\"warning\":{\"status\":413,\"label\":\"ASYNCHRONOUS\"}}")};

	(void)state;
	family_golden(&f, GLANE_E_DATA, "footer 413\n");
}

static void sizes_that_overflow_are_refused(void **state)
{
	struct strbuf doc, out;
	struct diag d;
	struct family f = {.name = "2^64 cells", .read = read_all};

	(void)state;
	strbuf_init(&doc, 0);
	strbuf_puts(&doc, "{\"value\":{},\"id\":[");
	for (int i = 0; i < 64; i++)
		strbuf_fmt(&doc, "%s\"d%d\"", i ? "," : "", i);
	strbuf_puts(&doc, "],\"size\":[");
	for (int i = 0; i < 64; i++)
		strbuf_puts(&doc, i ? ",2" : "2");
	strbuf_puts(&doc, "],\"dimension\":{");
	for (int i = 0; i < 64; i++)
		strbuf_fmt(&doc, "%s\"d%d\":{\"category\":{\"index\":[\"a\",\"b\"]}}", i ? "," : "", i);
	strbuf_puts(&doc, "}}");
	f.doc = strbuf_get(&doc);
	assert_int_equal(family_read(&f, f.doc.n, 0, &out, &d), GLANE_E_LIMIT);
	assert_non_null(strstr(d.text, "more than 200000000 cells"));
	strbuf_release(&out);
	strbuf_release(&doc);
}

static void a_nest_without_end_is_refused(void **state)
{
	static const char *const open[] = {
		"[", "{\"a\":", "{\"value\":", "{\"dimension\":", "{\"error\":", "{\"status\":"};
	struct diag d;

	(void)state;
	for (size_t i = 0; i < COUNT(open); i++) {
		struct family f = {.name = open[i], .read = read_all};
		struct strbuf doc, out;

		strbuf_init(&doc, 0);
		for (int k = 0; k < 100000; k++)
			strbuf_puts(&doc, open[i]);
		f.doc = strbuf_get(&doc);
		assert_true(family_read(&f, f.doc.n, 0, &out, &d) < 0);
		strbuf_release(&out);
		strbuf_release(&doc);
	}
}

static void lack_of_memory_is_an_error(void **state)
{
	const struct family with_unit = {.name = forms[11].name, .read = read_all, .doc = slice_of(forms[11].doc)};

	(void)state;
	family_starved(&with_unit, 1000, GLANE_E_NOMEM, NULL);
}

static void a_series_stays_while_only_time_moves(void **state)
{
	const struct record_options o = {.format = GLANE_FMT_JSONSTAT};
	static const char doc[] = DATASET("\"value\":[1,2,3,4]");
	struct record_reader *r = NULL;
	struct diag d = {.code = GLANE_OK};
	struct payload p;
	uint64_t series[4];

	(void)state;
	payload_memory(&p, SLICE(DATASET("\"value\":[1,2,3,4]")), 0, &d);
	assert_int_equal(sizeof(doc) - 1, p.n);
	assert_int_equal(record_open(&r, &p, &o, &d), GLANE_OK);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(record_next(r), GLANE_OK);
		series[i] = record_series(r);
	}
	assert_true(series[0] == series[1] && series[1] != series[2] && series[2] == series[3]);
	assert_true(slice_is(record_label(r, 0), "T\xc3\xb4tal"));
	assert_true(slice_is(record_label(r, 1), "Togo"));
	assert_true(slice_is(record_text(r, 100), "sex=T,geo=TG,year=2021,value=4"));
	assert_true(slice_is(record_get(r, "geo"), "TG"));
	record_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_gives_its_cells),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(a_warning_says_its_code),
		cmocka_unit_test(sizes_that_overflow_are_refused),
		cmocka_unit_test(a_nest_without_end_is_refused),
		cmocka_unit_test(lack_of_memory_is_an_error),
		cmocka_unit_test(a_series_stays_while_only_time_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
