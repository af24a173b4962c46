/* SPDX-License-Identifier: MIT */
/* Rows: CSV there and back, NDJSON under a JSON parser, exact scaling, key order. */
#include "base/json.h"
#include "base/mem.h"
#include "model/decimal.h"
#include "model/row.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct row plain_row(void)
{
	return (struct row){.source = SLICE("worldbank"),
		.dataset = SLICE("WDI"),
		.indicator = SLICE("IT.NET.USER.ZS"),
		.area = SLICE("TGO"),
		.area_code = SLICE("TG"),
		.dims = SLICE("SEX=T"),
		.freq = 'A',
		.period = SLICE("2023"),
		.period_start = 19358,
		.value = SLICE("37.60"),
		.unit = SLICE("%"),
		.decimals = 2,
		.status = 'A',
		.recorded_at = 1795477475,
		.known_at = 1795477475,
		.event = SLICE("new"),
		.run = SLICE("r1"),
		.payload = SLICE("ab")};
}

static struct row awkward_row(void)
{
	struct row r = plain_row();

	r.area_code = SLICE("C\xC3\xB4te d'Ivoire, \"la\"");
	r.dims = SLICE("");
	r.value = SLICE("");
	r.decimals = -1;
	r.value_text = SLICE("<0.1");
	r.unit_mult = -3;
	r.status = 'O';
	r.flags = SLICE("a,b");
	r.note = SLICE("first line\nsecond \"line\"\r\nthird\x01");
	r.period_start = -719162; /* 0001-01-01 */
	r.recorded_at = -1;
	return r;
}

static void assert_slice(struct slice a, struct slice b)
{
	assert_int_equal(a.n, b.n);
	if (a.n)
		assert_memory_equal(a.p, b.p, a.n);
}

static void assert_text(const struct strbuf *b, const char *expected)
{
	assert_true(strbuf_ok(b));
	assert_non_null(b->p);
	assert_string_equal(b->p, expected);
}

static void assert_rows(const struct row *a, const struct row *b)
{
	assert_int_equal(row_cmp_key(a, b), 0);
	assert_true(row_same_value(a, b));
	assert_true(row_same_attributes(a, b));
	assert_slice(a->value, b->value);
	assert_int_equal(a->period_start, b->period_start);
	assert_int_equal(a->recorded_at, b->recorded_at);
	assert_int_equal(a->known_at, b->known_at);
	assert_slice(a->event, b->event);
	assert_slice(a->cause, b->cause);
	assert_slice(a->run, b->run);
	assert_slice(a->payload, b->payload);
}

static void header_and_line(void **state)
{
	struct row r = plain_row();
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	row_csv_header(&b, ROW_COLUMNS);
	row_csv(&b, &r, ROW_COLUMNS);
	assert_text(&b, "source,dataset,indicator,area,area_code,dims,freq,period,period_start,value,value_text,unit,"
			"unit_mult,decimals,status,flags,note,recorded_at,known_at\n"
			"worldbank,WDI,IT.NET.USER.ZS,TGO,TG,SEX=T,A,2023,2023-01-01,37.60,,%,0,2,A,,,"
			"2026-11-23T23:44:35Z,2026-11-23T23:44:35Z\n");
	strbuf_reset(&b);
	row_csv_header(&b, ROW_COLUMNS + 1);
	row_csv(&b, &r, ROW_COLUMNS + 1);
	assert_non_null(strstr(b.p, ",known_at,event\n"));
	assert_non_null(strstr(b.p, "35Z,new\n"));
	strbuf_release(&b);
}

static void awkward_line(void **state)
{
	struct row r = awkward_row();
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	row_csv(&b, &r, ROW_COLUMNS_ALL);
	assert_text(&b,
		"worldbank,WDI,IT.NET.USER.ZS,TGO,\"C\xC3\xB4te d'Ivoire, \"\"la\"\"\",,A,2023,0001-01-01,,<0.1,%,"
		"-3,,O,\"a,b\",\"first line\nsecond \"\"line\"\"\r\nthird\x01\",1969-12-31T23:59:59Z,"
		"2026-11-23T23:44:35Z,new,,r1,ab\n");
	strbuf_release(&b);
}

/* A cell of every length around the eight bytes that are looked at together, with a special byte at every place. */
static void special_bytes(void **state)
{
	static const char special[] = ",\"\n\r\xAC\xA2;.";
	struct strbuf b, scratch;
	char note[20];

	(void)state;
	strbuf_init(&b, 0);
	strbuf_init(&scratch, 0);
	for (size_t n = 1; n < sizeof(note); n++) {
		for (size_t i = 0; i < n * (sizeof(special) - 1); i++) {
			char c = special[i / n];
			bool quoted = c == ',' || c == '"' || c == '\n' || c == '\r';
			struct row r = plain_row(), back;

			memset(note, 'x', n);
			note[i % n] = c;
			r.note = (struct slice){note, n};
			strbuf_reset(&b);
			row_csv(&b, &r, ROW_COLUMNS_ALL);
			assert_int_equal(strstr(b.p, ",A,,\"") != NULL, quoted);
			assert_int_equal(row_parse_csv(strbuf_get(&b), ROW_COLUMNS_ALL, &scratch, &back, NULL), 0);
			assert_rows(&r, &back);
		}
	}
	strbuf_release(&b);
	strbuf_release(&scratch);
}

static void there_and_back(void **state)
{
	struct row rows[] = {plain_row(), awkward_row()};
	struct strbuf b, scratch;

	(void)state;
	strbuf_init(&b, 0);
	strbuf_init(&scratch, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct row back;

		strbuf_reset(&b);
		row_csv(&b, &rows[i], ROW_COLUMNS_ALL);
		assert_int_equal(row_parse_csv(strbuf_get(&b), ROW_COLUMNS_ALL, &scratch, &back, NULL), 0);
		assert_rows(&rows[i], &back);
		b.n--; /* without the LF */
		assert_int_equal(row_parse_csv(strbuf_get(&b), ROW_COLUMNS_ALL, &scratch, &back, NULL), 0);
		assert_rows(&rows[i], &back);
	}
	strbuf_release(&b);
	strbuf_release(&scratch);
}

/* Every cut of a line is refused, but for those in the last cell. */
static void cut_anywhere(void **state)
{
	struct row r = awkward_row(), back = {.freq = '!'};
	struct strbuf b, scratch;
	struct slice line;
	size_t last;

	(void)state;
	strbuf_init(&b, 0);
	strbuf_init(&scratch, 0);
	row_csv(&b, &r, ROW_COLUMNS_ALL);
	line = strbuf_get(&b);
	last = (size_t)(strrchr(b.p, ',') - b.p);
	for (size_t n = 0; n <= last; n++) {
		/* an exact copy: one byte too far is seen by the sanitizer */
		char *copy = n ? test_malloc(n) : NULL;
		struct diag d = {0};

		if (copy)
			memcpy(copy, line.p, n);
		assert_int_equal(
			row_parse_csv((struct slice){copy ? copy : "", n}, ROW_COLUMNS_ALL, &scratch, &back, &d),
			GLANE_E_FORMAT);
		assert_int_equal(d.code, GLANE_E_FORMAT);
		assert_int_equal(back.freq, '!');
		if (copy)
			test_free(copy);
	}
	strbuf_release(&b);
	strbuf_release(&scratch);
}

static void bad_cells(void **state)
{
	static const struct {
		const char *line, *message;
	} bad[] = {
		{"s,d,i,a,c,,AA,2023,2023-01-01,1,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "column freq"},
		{"s,d,i,a,c,,Z,2023,2023-01-01,1,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "column freq"},
		{"s,d,i,a,c,,A,2023,2023-02-29,1,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "period_start"},
		{"s,d,i,a,c,,A,2023,2023-1-01,1,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "period_start"},
		{"s,d,i,a,c,,A,2023,2023-13-01,1,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "period_start"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1e3,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z",
			"column value"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1.,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "column value"},
		{"s,d,i,a,c,,A,2023,2023-01-01,-,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "column value"},
		{"s,d,i,a,c,,A,2023,2023-01-01,.5,,,0,1,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "column value"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,x,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "unit_mult"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "unit_mult"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,0,-1,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z",
			"column decimals"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,0,,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z",
			"value and decimals"},
		{"s,d,i,a,c,,A,2023,2023-01-01,,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z",
			"value and decimals"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,0,0,a,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "column status"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,0,0,,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z", "column status"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,0,0,A,,,2026-11-23T24:44:35Z,2026-11-23T23:44:35Z", "recorded_at"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,0,0,A,,,2026-11-23,2026-11-23T23:44:35Z", "recorded_at"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35z", "known_at"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z,", "more than 19"},
		{"s,d,i,a\"b,c,,A,2023,2023-01-01,1,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z",
			"column area"},
		{"s,d,i,\"a\"b,c,,A,2023,2023-01-01,1,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z",
			"column area"},
		{"s,d,i,a\nb,c,,A,2023,2023-01-01,1,,,0,0,A,,,2026-11-23T23:44:35Z,2026-11-23T23:44:35Z",
			"column area"},
		{"s,d,i,a,c,,A,2023,2023-01-01,1,,,0,0,A,,,2026-11-23T23:44:35Z,\"2026-11-23T23:44:35Z", "known_at"},
	};
	struct strbuf scratch;

	(void)state;
	strbuf_init(&scratch, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct diag d = {0};
		struct row r;

		assert_int_equal(row_parse_csv(slice_of(bad[i].line), ROW_COLUMNS, &scratch, &r, &d), GLANE_E_FORMAT);
		if (!strstr(d.text, bad[i].message))
			fail_msg("%s: %s", bad[i].line, d.text);
	}
	strbuf_release(&scratch);
}

static void bad_event(void **state)
{
	struct row r = plain_row(), back;
	struct strbuf b, scratch;
	struct diag d = {0};

	(void)state;
	strbuf_init(&b, 0);
	strbuf_init(&scratch, 0);
	r.event = SLICE("renewed");
	row_csv(&b, &r, ROW_COLUMNS_ALL);
	assert_int_equal(row_parse_csv(strbuf_get(&b), ROW_COLUMNS_ALL, &scratch, &back, &d), GLANE_E_FORMAT);
	assert_non_null(strstr(d.text, "column event"));
	strbuf_release(&b);
	strbuf_release(&scratch);
}

static void parse_without_memory(void **state)
{
	struct row r = plain_row(), back;
	struct strbuf b, scratch;
	glane_rc rc;

	(void)state;
	strbuf_init(&b, 0);
	strbuf_init(&scratch, 0);
	row_csv(&b, &r, ROW_COLUMNS_ALL);
	mem_fail_after(1, true);
	rc = row_parse_csv(strbuf_get(&b), ROW_COLUMNS_ALL, &scratch, &back, NULL);
	mem_fail_after(0, false);
	assert_int_equal(rc, GLANE_E_NOMEM);
	strbuf_release(&b);
	strbuf_release(&scratch);
}

static void write_without_memory(void **state)
{
	struct row r = plain_row();
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	mem_fail_after(1, true);
	row_csv(&b, &r, ROW_COLUMNS_ALL);
	row_ndjson(&b, &r, ROW_COLUMNS_ALL);
	mem_fail_after(0, false);
	assert_false(strbuf_ok(&b));
	strbuf_release(&b);
}

static void ndjson_text(void **state)
{
	struct row r = plain_row();
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	row_ndjson(&b, &r, ROW_COLUMNS);
	assert_text(&b,
		"{\"source\":\"worldbank\",\"dataset\":\"WDI\",\"indicator\":\"IT.NET.USER.ZS\",\"area\":\"TGO\","
		"\"area_code\":\"TG\",\"dims\":\"SEX=T\",\"freq\":\"A\",\"period\":\"2023\","
		"\"period_start\":\"2023-01-01\",\"value\":37.60,\"value_text\":\"\",\"unit\":\"%\",\"unit_mult\":0,"
		"\"decimals\":2,\"status\":\"A\",\"flags\":\"\",\"note\":\"\",\"recorded_at\":\"2026-11-23T23:44:35Z\","
		"\"known_at\":\"2026-11-23T23:44:35Z\"}\n");
	strbuf_reset(&b);
	r.value = SLICE("-007.50");
	row_ndjson(&b, &r, ROW_COLUMNS);
	assert_non_null(strstr(b.p, "\"value\":-7.50,"));
	strbuf_reset(&b);
	r.value = SLICE("00.5");
	row_ndjson(&b, &r, ROW_COLUMNS);
	assert_non_null(strstr(b.p, "\"value\":0.5,"));
	strbuf_release(&b);
}

static void ndjson_parses(void **state)
{
	struct row r = awkward_row();
	const struct slice texts[] = {
		r.note, SLICE("\xFF\xC3"), SLICE("a\\b\"c/\x7F\t"), SLICE("\xE2\x82\xAC\xED\xA0\x80!"), SLICE("")};
	const char *expected[] = {"first line\nsecond \"line\"\r\nthird\x01", "\xEF\xBF\xBD\xEF\xBF\xBD",
		"a\\b\"c/\x7F\t", "\xE2\x82\xAC\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD!", ""};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		json_error_t e;
		json_t *j;

		strbuf_reset(&b);
		r.note = texts[i];
		row_ndjson(&b, &r, ROW_COLUMNS_ALL);
		j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, &e);
		assert_non_null(j);
		assert_int_equal(json_object_size(j), ROW_COLUMNS_ALL);
		assert_string_equal(json_text(j, "note", NULL), expected[i]);
		assert_string_equal(json_text(j, "area_code", NULL), "C\xC3\xB4te d'Ivoire, \"la\"");
		assert_true(json_is_null(json_object_get(j, "value")));
		assert_true(json_is_null(json_object_get(j, "decimals")));
		assert_int_equal(json_int(j, "unit_mult", 99), -3);
		assert_string_equal(json_text(j, "period_start", NULL), "0001-01-01");
		assert_string_equal(json_text(j, "event", NULL), "new");
		json_decref(j);
	}
	strbuf_release(&b);
}

static void scaling(void **state)
{
	static const struct {
		const char *value;
		int mult;
		const char *scaled;
		int decimals;
	} cases[] = {
		{"1.50", 0, "1.50", 2},
		{"1.50", 1, "15.0", 1},
		{"1.50", 2, "150", 0},
		{"1.50", 3, "1500", 0},
		{"1.50", -1, "0.150", 3},
		{"1.50", -3, "0.00150", 5},
		{"-1.50", -1, "-0.150", 3},
		{"-0.001", 2, "-0.1", 1},
		{"0.001", -2, "0.00001", 5},
		{"0.001", 3, "1", 0},
		{"0.001", 6, "1000", 0},
		{"5", 6, "5000000", 0},
		{"5", -2, "0.05", 2},
		{"0", 6, "0", 0},
		{"0.00", 1, "0.0", 1},
		{"0.00", 3, "0", 0},
		{"0", -2, "0.00", 2},
		{"1200", -2, "12.00", 2},
		{"999999999999999999", 9, "999999999999999999000000000", 0},
		{"123456789012345678901234567890.123456789", 3, "123456789012345678901234567890123.456789", 6},
		{"123456789012345678901234567890.5", -31, "0.01234567890123456789012345678905", 32},
	};
	struct strbuf scratch;

	(void)state;
	strbuf_init(&scratch, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct row r = plain_row();

		r.value = slice_of(cases[i].value);
		r.decimals = decimal_places(r.value);
		r.unit_mult = cases[i].mult;
		row_scale(&r, &scratch);
		assert_true(strbuf_ok(&scratch));
		if (!slice_is(r.value, cases[i].scaled))
			fail_msg("%s * 10^%d: %.*s", cases[i].value, cases[i].mult, SLICE_FMT(r.value));
		if (r.decimals != cases[i].decimals)
			fail_msg("%s * 10^%d: %d decimals", cases[i].value, cases[i].mult, r.decimals);
		assert_int_equal(r.unit_mult, 0);
	}
	strbuf_release(&scratch);
}

/* Scaling up and down again gives the same number, whatever the exponent. */
static void scaling_is_exact(void **state)
{
	static const char *const values[] = {
		"1.5", "-0.07", "123456789.987654321", "999999999999999999", "0.000000000000000001"};
	struct strbuf a, b;

	(void)state;
	strbuf_init(&a, 0);
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		for (int mult = -40; mult <= 40; mult++) {
			struct row r = plain_row();
			struct decimal x, y;

			r.value = slice_of(values[i]);
			r.unit_mult = mult;
			row_scale(&r, &a);
			r.unit_mult = -mult;
			row_scale(&r, &b);
			assert_int_equal(decimal_parse(slice_of(values[i]), &x), DECIMAL_OK);
			if (decimal_parse(r.value, &y) == DECIMAL_OK)
				assert_int_equal(decimal_cmp(x.coef, x.exp10, y.coef, y.exp10), 0);
			else
				assert_int_equal(strncmp(r.value.p, values[i], strlen(values[i])), 0);
			strbuf_reset(&a);
			strbuf_reset(&b);
		}
	}
	strbuf_release(&a);
	strbuf_release(&b);
}

static void scaling_limits(void **state)
{
	struct row r = awkward_row();
	struct strbuf scratch;

	(void)state;
	strbuf_init(&scratch, 0);
	row_scale(&r, &scratch); /* no number: nothing to multiply */
	assert_int_equal(r.unit_mult, 0);
	assert_int_equal(r.value.n, 0);
	assert_int_equal(r.decimals, -1);
	r = plain_row();
	r.unit_mult = INT32_MAX;
	row_scale(&r, &scratch);
	assert_int_equal(r.unit_mult, INT32_MAX);
	r.unit_mult = 3;
	mem_fail_after(1, true);
	row_scale(&r, &scratch);
	mem_fail_after(0, false);
	assert_false(strbuf_ok(&scratch));
	assert_int_equal(r.unit_mult, 3);
	assert_slice(r.value, SLICE("37.60"));
	strbuf_release(&scratch);
}

static void same_value(void **state)
{
	static const struct {
		const char *a, *b, *text_a, *text_b;
		bool same;
	} cases[] = {
		{"1.5", "1.50", "", "", true},
		{"1.5", "1.51", "", "", false},
		{"-0", "0.00", "", "", true},
		{"", "", "", "", true},
		{"", "", "x", "x", true},
		{"", "", "x", "y", false},
		{"", "0", "", "", false},
		{"5", "5", "5", "", true},
		{"12345678901234567890123", "12345678901234567890123", "", "", true},
		{"12345678901234567890123", "12345678901234567890124", "", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct row a = {.value = slice_of(cases[i].a), .value_text = slice_of(cases[i].text_a)};
		struct row b = {.value = slice_of(cases[i].b), .value_text = slice_of(cases[i].text_b)};

		assert_int_equal(row_same_value(&a, &b), cases[i].same);
		assert_int_equal(row_same_value(&b, &a), cases[i].same);
	}
}

static void same_attributes(void **state)
{
	struct row a = plain_row(), b[8];

	(void)state;
	for (size_t i = 0; i < sizeof(b) / sizeof(*b); i++)
		b[i] = plain_row();
	b[0].value_text = SLICE("x");
	b[1].area = SLICE("BEN");
	b[2].unit = SLICE("USD");
	b[3].unit_mult = 3;
	b[4].decimals = 1;
	b[5].status = 'P';
	b[6].flags = SLICE("e");
	b[7].note = SLICE("n");
	for (size_t i = 0; i < sizeof(b) / sizeof(*b); i++)
		assert_false(row_same_attributes(&a, &b[i]));
	b[0] = plain_row();
	b[0].value = SLICE("9");
	b[0].run = SLICE("r2");
	b[0].recorded_at = 5;
	b[0].flags = SLICE("");
	assert_true(row_same_attributes(&a, &b[0]));
}

/* The columns of the key joined by NUL: what `LC_ALL=C sort` orders by, where every column is a field. */
static void join_key(struct strbuf *b, const struct row *r)
{
	const struct slice texts[] = {r->source, r->dataset, r->indicator, r->area_code, r->dims};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		strbuf_slice(b, texts[i]);
		strbuf_putc(b, '\0');
	}
	strbuf_putc(b, r->freq);
	strbuf_putc(b, '\0');
	strbuf_slice(b, r->period);
}

static int sign(int c)
{
	return (c > 0) - (c < 0);
}

static void key_order(void **state)
{
	static const struct slice words[] = {{NULL, 0}, {"A", 1}, {"AA", 2}, {"B", 1}, {"a", 1}, {"\xC3\xB4", 2},
		{"A,", 2}, {"A ", 2}, {"2023", 4}, {"2023-Q1", 7}, {"2023-01", 7}, {"9", 1}};
	enum { WORDS = sizeof(words) / sizeof(*words), ROWS = 400 };
	static struct row rows[ROWS];
	uint32_t seed = 1;
	struct strbuf a, b;

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct slice *members[] = {&rows[i].source, &rows[i].dataset, &rows[i].indicator, &rows[i].area_code,
			&rows[i].dims, &rows[i].period};

		for (size_t k = 0; k < sizeof(members) / sizeof(*members); k++) {
			seed = seed * 1664525 + 1013904223;
			*members[k] = words[(seed >> 20) % (i % 2 ? WORDS : 2)];
		}
		rows[i].freq = "AQM"[seed >> 30 & 1];
	}
	strbuf_init(&a, 0);
	strbuf_init(&b, 0);
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t k = 0; k < ROWS; k++) {
			strbuf_reset(&a);
			strbuf_reset(&b);
			join_key(&a, &rows[i]);
			join_key(&b, &rows[k]);
			assert_int_equal(
				sign(row_cmp_key(&rows[i], &rows[k])), sign(slice_cmp(strbuf_get(&a), strbuf_get(&b))));
		}
	}
	strbuf_release(&a);
	strbuf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_and_line),
		cmocka_unit_test(awkward_line),
		cmocka_unit_test(special_bytes),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(bad_cells),
		cmocka_unit_test(bad_event),
		cmocka_unit_test(parse_without_memory),
		cmocka_unit_test(write_without_memory),
		cmocka_unit_test(ndjson_text),
		cmocka_unit_test(ndjson_parses),
		cmocka_unit_test(scaling),
		cmocka_unit_test(scaling_is_exact),
		cmocka_unit_test(scaling_limits),
		cmocka_unit_test(same_value),
		cmocka_unit_test(same_attributes),
		cmocka_unit_test(key_order),
	};

	return cmocka_run_group_tests_name("row", tests, NULL, NULL);
}
