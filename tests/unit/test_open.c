/* SPDX-License-Identifier: MIT */
/* core/plug/open.c: requests that cannot be, records and raw bytes, what a reader says after its end, and that no failure is passed over. */
#include "support/cmocka.h"
#include "support/test_host.h"

#include "plug/run.h"

#include <fcntl.h>

#define BYTES "{base_url}/bytes"
#define S(literal) GLANE_STR(literal)

static const struct test_page pages[] = {
	{.url = "http://host/rows.json",
		.body = "{\"stamp\":\"s1\",\"rows\":[{\"a\":\"x\",\"b\":1.50},{\"a\":\"y\"}]}"},
	{.url = "http://host/table.csv", .body = "name;value\nTogo;1.234,5\nBenin;x\n"},
	{.url = "http://host/plain.csv", .body = "name,value\nTogo,1\nBenin,2\n"},
	{.url = "http://host/bytes", .body = "\0\1\2\3\4\5\6\7\10\11", .n = 10},
	{.url = "http://host/bad.json", .body = "{\"rows\":[1,2,"},
	{.url = "http://host/html.json", .body = "<html>"},
	{.url = "http://host/denied", .rc = GLANE_E_DENIED, .message = "host is not allowed"},
	{.url = "http://host/none", .rc = GLANE_END},
};

struct open_case {
	const char *name;
	test_run *run;
	glane_rc rc;
	const char *want; /* words of the output, or of the message */
};

static glane_rc open_url(const struct glane_host *h, glane_run *r, const char *url, uint8_t format, glane_reader **rd)
{
	const struct glane_request q = {
		.size = sizeof(q), .format = format, .url = url, .select = format == GLANE_FMT_JSON ? "rows.*" : NULL};

	return h->open(r, &q, rd);
}

/* ---- requests ---- */

#define REQUEST(name, address, ...)                                                                                    \
	static glane_rc name(const struct glane_host *h, glane_run *r, void *state)                                    \
	{                                                                                                              \
		const struct glane_request q = {.size = sizeof(q), .url = address, __VA_ARGS__};                       \
		glane_reader *rd;                                                                                      \
                                                                                                                       \
		(void)state;                                                                                           \
		return h->open(r, &q, &rd);                                                                            \
	}
static const char *const null_field[] = {"a", NULL};
static const struct glane_kv null_key[] = {{NULL, {"v", 1}}};
static const struct glane_csv no_size = {.delimiter = ';'};
REQUEST(no_url, NULL, .flags = 0)
REQUEST(format_9, BYTES, .format = 9)
REQUEST(paging_9, BYTES, .paging = 9)
REQUEST(flag_9, BYTES, .flags = 0x8000)
REQUEST(fields_null, BYTES, .format = GLANE_FMT_JSON, .field = null_field, .n_field = 2)
REQUEST(heads_null, BYTES, .format = GLANE_FMT_JSON, .head = null_field, .n_head = 2)
REQUEST(heads_many, BYTES, .n_head = 1000)
REQUEST(query_null, BYTES, .query = null_key, .n_query = 1)
REQUEST(query_nothing, BYTES, .n_query = 1)
REQUEST(header_null, BYTES, .header = null_key, .n_header = 1)
REQUEST(split_null, BYTES, .n_split = 3)
REQUEST(split_huge, BYTES, .n_split = SIZE_MAX)
REQUEST(csv_no_size, BYTES, .format = GLANE_FMT_CSV, .csv = &no_size)
REQUEST(raw_pages, BYTES, .paging = GLANE_PAGE_NUMBER, .page_param = "page")
REQUEST(denied, "http://host/denied", .flags = 0)

static glane_rc no_request(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *rd;

	(void)state;
	return h->open(r, NULL, &rd);
}

static glane_rc no_size_request(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_request q = {.size = 8, .url = "{base_url}/bytes"};
	glane_reader *rd;

	(void)state;
	return h->open(r, &q, &rd);
}

static glane_rc nowhere(const struct glane_host *h, glane_run *r, void *state)
{
	(void)state;
	return open_url(h, r, "{base_url}/bytes", GLANE_FMT_RAW, NULL);
}

static glane_rc request_parts(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_kv query[] = {{"q", S("a b&c")}, {"absent", {NULL, 0}}, {"empty", S("")}};
	const struct glane_request q = {.size = sizeof(q),
		.url = "{base_url}/x?y=1",
		.query = query,
		.n_query = 3,
		.body = S("{}"),
		.content_type = "application/json"};
	glane_reader *rd = NULL;

	(void)state;
	return h->open(r, &q, &rd);
}

/* ---- records ---- */

static glane_rc records(const struct glane_host *h, glane_run *r, void *state)
{
	static const char *const field[] = {"b", "a"}, *const head[] = {"stamp"};
	const struct glane_request q = {.size = sizeof(q),
		.format = GLANE_FMT_JSON,
		.url = "{base_url}/rows.json",
		.select = "rows.*",
		.field = field,
		.n_field = 2,
		.head = head,
		.n_head = 1};
	glane_reader *rd;
	glane_rc rc = h->open(r, &q, &rd);

	(void)state;
	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK) {
		const glane_str a = h->get(rd, "a"), b = h->at(rd, 0), stamp = h->head(rd, 0), none = h->at(rd, 99);

		h->log(r, GLANE_LOG_INFO, "%.*s %.*s %.*s %d", (int)a.n, a.p, (int)b.n, b.p ? b.p : "", (int)stamp.n,
			stamp.p, none.p == NULL && h->head(rd, 1).p == NULL);
	}
	return rc == GLANE_END ? h->next(rd) - GLANE_END : rc;
}

static glane_rc table(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_csv csv = {.size = sizeof(csv), .delimiter = ';', .decimal = ',', .group = '.'};
	const struct glane_request q = {
		.size = sizeof(q), .format = GLANE_FMT_CSV, .url = "{base_url}/table.csv", .csv = &csv};
	const struct glane_series def = {.size = sizeof(def), .dataset = S("D"), .indicator = S("I"), .freq = 'A'};
	struct glane_row row = {.size = sizeof(row), .period = S("2020")};
	glane_reader *rd;
	glane_rc rc = h->open(r, &q, &rd);

	(void)state;
	if (rc == GLANE_OK && (h->columns(rd) != 2 || h->column(rd, 1).n != 5 || h->column(rd, 2).p))
		return h->fail(r, GLANE_E_DATA, "columns");
	if (rc == GLANE_OK)
		rc = h->series(r, &def, &row.series);
	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK) {
		row.value = h->at(rd, 1);
		rc = h->emit(r, &row);
	}
	h->close(rd);
	h->close(rd);
	row.value = S("2.000,25"); /* the dialect of the last document holds after its close */
	return rc == GLANE_END ? h->emit(r, &row) : rc;
}

static glane_rc quarantined(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *rd;
	glane_rc rc = open_url(h, r, "{base_url}/plain.csv", GLANE_FMT_CSV, &rd);

	(void)state;
	if (rc == GLANE_OK)
		rc = h->next(rd);
	return rc == GLANE_OK ? h->reject(r, "area", "unknown") : rc;
}

/* Two readers at once: what is emitted belongs to the payload that next() was called on last. */
static glane_rc two_readers(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *a, *b;
	glane_rc rc = open_url(h, r, "{base_url}/rows.json", GLANE_FMT_JSON, &a);

	(void)state;
	if (rc == GLANE_OK)
		rc = open_url(h, r, "{base_url}/plain.csv", GLANE_FMT_CSV, &b);
	if (rc == GLANE_OK)
		rc = h->next(a);
	return rc == GLANE_OK ? h->next(b) : rc;
}

static glane_rc raw(const struct glane_host *h, glane_run *r, void *state)
{
	unsigned char buf[4];
	int64_t n, sum = 0, all = 0;
	glane_reader *rd;
	glane_rc rc = open_url(h, r, "{base_url}/bytes", GLANE_FMT_RAW, &rd);

	(void)state;
	if (rc != GLANE_OK)
		return rc;
	while ((n = h->read(rd, buf, sizeof(buf))) > 0) {
		all += n;
		for (int64_t i = 0; i < n; i++)
			sum += buf[i];
	}
	h->log(r, GLANE_LOG_INFO, "%d bytes, sum %d, then %d", (int)all, (int)sum, (int)h->read(rd, buf, 4));
	return (glane_rc)n;
}

static glane_rc raw_next(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *rd;
	glane_rc rc = open_url(h, r, "{base_url}/bytes", GLANE_FMT_RAW, &rd);

	(void)state;
	return rc == GLANE_OK ? h->next(rd) : rc;
}

static glane_rc read_records(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *rd;
	char c;
	glane_rc rc = open_url(h, r, "{base_url}/rows.json", GLANE_FMT_JSON, &rd);

	(void)state;
	return rc == GLANE_OK ? (glane_rc)h->read(rd, &c, 1) : rc;
}

static glane_rc closed(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *rd;
	glane_rc rc = open_url(h, r, "{base_url}/rows.json", GLANE_FMT_JSON, &rd);

	(void)state;
	if (rc == GLANE_OK)
		h->close(rd);
	if (rc == GLANE_OK && (h->get(rd, "a").p || h->columns(rd)))
		return h->fail(r, GLANE_E_DATA, "a closed reader gives something");
	return rc == GLANE_OK ? h->next(rd) : rc;
}

static glane_rc null_reader(const struct glane_host *h, glane_run *r, void *state)
{
	char c;

	(void)state;
	h->close(NULL);
	if (h->get(NULL, "a").p || h->at(NULL, 0).p || h->head(NULL, 0).p || h->column(NULL, 0).p || h->columns(NULL))
		return h->fail(r, GLANE_E_DATA, "no reader gives something");
	return h->read(NULL, &c, 1) == GLANE_E_USAGE ? h->next(NULL) : GLANE_E_DATA;
}

static int open_files(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Readers that are read to their end, or that fail, hold no descriptor; what head() says stays. */
static glane_rc never_closed(const struct glane_host *h, glane_run *r, void *state)
{
	static const char *const urls[] = {"rows.json", "bytes", "bad.json", "html.json"}, *const head[] = {"stamp"};
	static glane_reader *rd[100];
	const int before = open_files();

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		const struct glane_request q = {.size = sizeof(q),
			.format = i % 4 == 1 ? GLANE_FMT_RAW : GLANE_FMT_JSON,
			.url = h->fmt(r, "{base_url}/%s", urls[i % 4]),
			.select = "rows.*",
			.head = head,
			.n_head = 1};
		char buf[4];

		if (h->open(r, &q, &rd[i]) != GLANE_OK)
			continue;
		while (q.format == GLANE_FMT_RAW ? h->read(rd[i], buf, sizeof(buf)) > 0 : h->next(rd[i]) == GLANE_OK)
			continue;
	}
	if (open_files() != before)
		return h->fail(r, GLANE_E_DATA, "%d files are left open", open_files() - before);
	for (size_t i = 0; i < 100; i += 4)
		if (h->head(rd[i], 0).n != 2 || h->next(rd[i]) != GLANE_END || h->get(rd[i], "a").p)
			return h->fail(r, GLANE_E_DATA, "a reader at its end says something else");
	return open_url(h, r, "{base_url}/rows.json", GLANE_FMT_JSON, &rd[0]);
}

/* ---- failures ---- */

static glane_rc again(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *rd;
	glane_rc rc = open_url(h, r, "{base_url}/bad.json", GLANE_FMT_JSON, &rd), twice;

	(void)state;
	while (rc == GLANE_OK)
		rc = h->next(rd);
	twice = h->next(rd);
	return rc == twice ? rc : GLANE_E_USAGE;
}

static glane_rc takes_it_for_the_end(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *rd;

	(void)state;
	if (open_url(h, r, "{base_url}/bad.json", GLANE_FMT_JSON, &rd) == GLANE_OK)
		while (h->next(rd) == GLANE_OK)
			continue;
	return GLANE_OK;
}

static glane_rc passes_over_open(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *rd;

	(void)state;
	open_url(h, r, "{base_url}/gone", GLANE_FMT_JSON, &rd);
	return rd ? h->fail(r, GLANE_E_DATA, "a reader of nothing") : GLANE_OK;
}

static glane_rc covers_the_failure(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_cover c = {.size = sizeof(c), .kind = GLANE_COVER_FAILED, .dataset = S("D")};
	glane_rc rc = takes_it_for_the_end(h, r, state);

	h->fail(r, GLANE_E_DATA, "it was not read");
	return rc == GLANE_OK ? h->cover(r, &c) : rc;
}

static glane_rc asks_elsewhere(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *rd;
	glane_rc rc = passes_over_open(h, r, state);

	return rc == GLANE_OK ? open_url(h, r, "{base_url}/rows.json", GLANE_FMT_JSON, &rd) : rc;
}

static glane_rc no_more_payloads(const struct glane_host *h, glane_run *r, void *state)
{
	glane_reader *rd;
	glane_rc rc = open_url(h, r, "{base_url}/none", GLANE_FMT_JSON, &rd);

	(void)state;
	return rc == GLANE_OK ? h->next(rd) - GLANE_END : rc;
}

static const struct open_case cases[] = {
	{"no URL", no_url, GLANE_E_USAGE, "open() without a URL"},
	{"a format that does not exist", format_9, GLANE_E_USAGE, "open()"},
	{"a paging that does not exist", paging_9, GLANE_E_USAGE, "open()"},
	{"a flag that does not exist", flag_9, GLANE_E_USAGE, "open()"},
	{"a field that is NULL", fields_null, GLANE_E_USAGE, "null pointer"},
	{"a head that is NULL", heads_null, GLANE_E_USAGE, "null pointer"},
	{"too many heads", heads_many, GLANE_E_USAGE, "too many"},
	{"a query key that is NULL", query_null, GLANE_E_USAGE, "null pointer"},
	{"a query that is NULL", query_nothing, GLANE_E_USAGE, "null pointer"},
	{"a header that is NULL", header_null, GLANE_E_USAGE, "null pointer"},
	{"a split list that is NULL", split_null, GLANE_E_USAGE, "null pointer"},
	{"a split list that cannot be", split_huge, GLANE_E_USAGE, "too many"},
	{"a dialect without its size", csv_no_size, GLANE_E_USAGE, "struct glane_csv"},
	{"pages of raw bytes", raw_pages, GLANE_E_USAGE, "raw bytes"},
	{"no request", no_request, GLANE_E_USAGE, "open() without"},
	{"a request without its size", no_size_request, GLANE_E_USAGE, "open() without"},
	{"nowhere to put the reader", nowhere, GLANE_E_USAGE, "open() without"},
	{"a host that is not allowed", denied, GLANE_E_DENIED, "host is not allowed"},
	{"query, body and method", request_parts, GLANE_E_FETCH, "404"},
	{"records, fields, heads", records, GLANE_OK, "log 1 x 1.50 s1 1\nlog 1 y  s1 1\n"},
	{"a table and its dialect, also after its close", table, GLANE_OK,
		"obs 1 2020 1234.5 A 0\nobs 1 2020 ~ A 1\nobs 1 2020 2000.25 A 0\n"},
	{"a record in quarantine", quarantined, GLANE_OK, "reject area: unknown [Togo,1]"},
	{"two readers: payloads follow next()", two_readers, GLANE_OK, "payload 1\npayload 2\npayload 3\npayload 4\n"},
	{"raw bytes", raw, GLANE_OK, "log 1 10 bytes, sum 45, then 0\n"},
	{"a hundred readers that nobody closes", never_closed, GLANE_OK, "payload 1\n"},
	{"next() of raw bytes", raw_next, GLANE_E_USAGE, "next()"},
	{"read() of records", read_records, GLANE_E_USAGE, "read()"},
	{"next() after close()", closed, GLANE_E_USAGE, "closed"},
	{"no reader", null_reader, GLANE_E_USAGE, "without saying why"},
	{"a failure stays one", again, GLANE_E_FORMAT, "bad.json"},
	{"a failure that is taken for the end", takes_it_for_the_end, GLANE_E_FORMAT, "passed over a failure"},
	{"an open() that is not looked at", passes_over_open, GLANE_E_FETCH, "passed over a failure"},
	{"a failure that is declared", covers_the_failure, GLANE_OK, "cover 3 D ~ 0 0 it was not read"},
	{"a failure that another request makes good", asks_elsewhere, GLANE_OK, "payload 1"},
	{"no further payload is an end", no_more_payloads, GLANE_OK, ""},
};

static void run_case(void **state)
{
	const struct open_case *c = *state;
	struct test_host t;
	glane_rc rc;

	test_host_init(&t);
	t.pages = pages;
	t.n_pages = sizeof(pages) / sizeof(pages[0]);
	rc = test_host_function(&t, c->run);
	if (rc != c->rc || !strstr(rc != GLANE_OK ? t.diag.text : t.out.p ? t.out.p : "", c->want)) {
		print_message("%d %s\n%s\nwant %d %s\n", rc, t.diag.text, t.out.p ? t.out.p : "", c->rc, c->want);
		test_fail();
	}
	test_host_release(&t);
}

static void test_request_line(void **state)
{
	struct test_host t;

	(void)state;
	test_host_init(&t);
	test_host_function(&t, request_parts);
	assert_string_equal(t.asked.p, "POST http://host/x?y=1&q=a%20b%26c&empty=\n");
	t.base_url = NULL;
	assert_int_equal(test_host_function(&t, request_parts), GLANE_E_CONFIG);
	assert_non_null(strstr(t.diag.text, "needs 'base_url'"));
	test_host_release(&t);
}

/* Where memory fails, the run says so or is whole: a row is never lost without a word. */
static void test_no_memory(void **state)
{
	(void)state;
	for (int for_ever = 0; for_ever < 2; for_ever++)
		for (long n = 1; n <= 300; n++) {
			struct test_host t;
			glane_rc rc;

			test_host_init(&t);
			t.pages = pages;
			t.n_pages = sizeof(pages) / sizeof(pages[0]);
			t.fail_after = n;
			t.fail_for_ever = for_ever != 0;
			rc = test_host_function(&t, table);
			assert_true(rc == GLANE_OK ? t.counts.rows == 3 : n < 300);
			test_host_release(&t);
		}
}

/* A request is kept as it is, or not at all: without its encoding or sheet it would be another one. */
static void test_kept_whole(void **state)
{
	static const struct glane_csv csv = {.size = sizeof(csv), .encoding = "windows-1252", .sheet = "Data"};
	static const struct host_job job = {.max_body = 0};
	static struct glane_run r;
	bool kept = false;

	(void)state;
	r.job = &job;
	for (size_t limit = 16; !kept && limit < 65536; limit += 16) {
		struct glane_request q = {.size = sizeof(q), .url = BYTES, .member = "m", .csv = &csv};

		arena_init(&r.arena, limit);
		kept = request_keep(&r, &q);
		if (kept) {
			assert_string_equal(q.member, "m");
			assert_non_null(q.csv->encoding);
			assert_non_null(q.csv->sheet);
		}
		arena_release(&r.arena);
	}
	assert_true(kept);
}

int main(void)
{
	struct CMUnitTest tests[64];
	size_t n = sizeof(cases) / sizeof(cases[0]);

	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){cases[i].name, run_case, NULL, NULL, (void *)(uintptr_t)&cases[i]};
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_request_line);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_no_memory);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_kept_whole);
	return _cmocka_run_group_tests("open", tests, n, NULL, NULL);
}
