/* SPDX-License-Identifier: MIT */
/* Eurostat's TSV: values, flags and ":" in every spelling, what is refused, every cut, every split, lack of memory. */
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

/* A line of columns, then one for each record, then what a message says of where the answer will be. */
static glane_rc read_all(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	static const char *const heads[] = {"#footer", "#poll"};
	const struct record_options o = {
		.format = GLANE_FMT_TSV, .head = heads, .n_head = 2, .max_record = arg ? *(const size_t *)arg : 0};
	struct record_reader *r = NULL;
	struct payload p;
	bool is_shown = false;
	glane_rc rc;

	payload_memory(&p, doc, step, d);
	rc = record_open(&r, &p, &o, d);
	while (rc == GLANE_OK && (rc = record_next(r)) == GLANE_OK) {
		for (size_t i = 0; !is_shown && i < record_columns(r); i++)
			strbuf_fmt(out, "%.*s=%d ", SLICE_FMT(record_column(r, i)), record_role(r, i));
		strbuf_puts(out, is_shown ? "" : "\n");
		is_shown = true;
		for (size_t i = 0; i < record_columns(r); i++)
			put(out, record_at(r, i));
		strbuf_fmt(out, " %d\n", (int)record_series(r));
	}
	if (r && record_head(r, 0).p)
		strbuf_fmt(out, "footer %.*s poll %.*s\n", SLICE_FMT(record_head(r, 0)), SLICE_FMT(record_head(r, 1)));
	if (r)
		record_close(r);
	payload_close(&p);
	return rc;
}

#define NEW "freq,unit,geo\\TIME_PERIOD\t2020 \t2021-W99\r\nA,EUR,TG\t12.30 bp\t: c \r\nA,EUR,BJ\t: \t-5\r\n"
#define OLD "unit,geo\\time\t2014 \t2013 \nMIO,AT\t1.0 \t\nMIO,BE\t:c\t9 e\n"
static const struct family forms[] = {
	{.name = "from 2023 on", .read = read_all, .doc = {NEW, sizeof(NEW) - 1}, .is_open_ended = true},
	{.name = "before", .read = read_all, .doc = {OLD, sizeof(OLD) - 1}, .is_open_ended = true},
};
static const char *const wanted[] = {
	"freq=1 unit=1 geo=1 TIME_PERIOD=2 OBS_VALUE=3 OBS_FLAG=4 \n|A|EUR|TG|2020|12.30|bp 1\n|A|EUR|TG|2021-W99|~|c "
	"1\n"
	"|A|EUR|BJ|2020|~|~ 2\n|A|EUR|BJ|2021-W99|-5|~ 2\n",
	"unit=1 geo=1 time=2 OBS_VALUE=3 OBS_FLAG=4 \n|MIO|AT|2014|1.0|~ 1\n|MIO|AT|2013|~|~ 1\n|MIO|BE|2014|~|c 2\n"
	"|MIO|BE|2013|9|e 2\n",
};
static const struct {
	const char *doc, *want;
} refused[] = {
	{"", "line 0: the file is empty"},
	{"\xEF\xBB\xBF", "its first cell has to name dimensions and time"},
	{"a,b\t1\n", "its first cell has to name dimensions and time"},
	{"{\"error\":1}", "its first cell has to name dimensions and time"},
	{"a\\t\n", "a header without periods"},
	{"a\\t\t1\t\t2\n", "line 1: a period without a name"},
	{"a,\\t\t1\n", "a dimension without a name"},
	{"a\\\t1\n", "the periods have no name"},
	{"a\\t\t1\t2\nx\t1\n", "line 2: fewer cells than the header has periods"},
	{"a\\t\t1\nx\t1\t2\n", "line 2: more cells than the header has periods"},
	{"a,b\\t\t1\nx\t1\n", "line 2: fewer codes"},
	{"a\\t\t1\nx\t1.5", "line 2: a line without an end; was the file cut?"},
	{"a\\t\t1\nx,y\t1\n", "line 2: more codes"},
	{"a\\t\t1", "line 1: a header without an end"},
	{"<S:Fault><faultstring>EXTRACTION_TOO_BIG</faultstring></S:Fault>",
		"the provider answers: EXTRACTION_TOO_BIG"},
};

static void cells_are_values_and_flags(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		family_golden(&forms[i], GLANE_END, wanted[i]);
		family_split(&forms[i]);
	}
}

/* A cut inside of a line is seen but where what is left of its last cell could be one. */
static void a_cut_never_changes_what_came_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		for (size_t n = 0; n < forms[i].doc.n; n++) {
			const char *end = memrchr(forms[i].doc.p, '\n', n);
			struct strbuf out;
			struct diag d;
			size_t common;

			if (family_read(&forms[i], n, n % 5, &out, &d) >= 0)
				assert_true(end || n == 0);
			common = family_common_lines(out.p, wanted[i]);
			if (out.n > common && memchr(out.p + common, '\n', out.n - common - 1))
				fail_msg("%s, cut at %zu: %s", forms[i].name, n, out.p);
			strbuf_release(&out);
		}
	}
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		const struct family f = {.name = refused[i].doc, .read = read_all, .doc = slice_of(refused[i].doc)};
		struct strbuf out;
		struct diag d;

		if (family_read(&f, f.doc.n, 0, &out, &d) >= 0 || !strstr(d.text, refused[i].want))
			fail_msg("%s: %s\n%s", f.name, d.text, out.p);
		strbuf_release(&out);
		family_split(&f);
	}
}

static void what_is_being_prepared_says_its_number(void **state)
{
	const struct family f = {.name = "queued",
		.read = read_all,
		.doc = SLICE("<env:Envelope><env:Body><ns0:syncResponse><ns0:queued><ns0:id>abc-1</ns0:id>"
			     "<ns0:status>SUBMITTED</ns0:status></ns0:queued></ns0:syncResponse></env:Body></"
			     "env:Envelope>")};

	(void)state;
	family_golden(&f, GLANE_E_DATA, "footer 413 poll abc-1\n");
}

static void a_line_has_a_limit(void **state)
{
	const size_t limit = 8;
	const struct family f = {.name = "long", .read = read_all, .arg = &limit, .doc = {NEW, sizeof(NEW) - 1}};
	struct strbuf out;
	struct diag d;

	(void)state;
	assert_int_equal(family_read(&f, f.doc.n, 1, &out, &d), GLANE_E_LIMIT);
	strbuf_release(&out);
}

static void lack_of_memory_is_an_error(void **state)
{
	(void)state;
	family_starved(&forms[0], 100, GLANE_E_NOMEM, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_are_values_and_flags),
		cmocka_unit_test(a_cut_never_changes_what_came_before),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(what_is_being_prepared_says_its_number),
		cmocka_unit_test(a_line_has_a_limit),
		cmocka_unit_test(lack_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
