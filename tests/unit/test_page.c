/* SPDX-License-Identifier: MIT */
/* core/plug/page.c: which pages are asked for, split lists, and every sign that a page was lost, doubled or moved (RELIABILITY D3). */
#include "support/cmocka.h"
#include "support/test_host.h"

#define MAX_PAGES 8
#define P(n) "http://host/d?page=" #n
#define O(n) "http://host/d?offset=" #n

struct page_case {
	const char *name;
	struct glane_request q; /* what differs from the usual */
	struct test_page pages[MAX_PAGES];
	glane_rc rc;
	const char *want; /* words of the message, or the URLs that were asked for */
	unsigned records;
};
static const struct page_case *now;
static unsigned n_read;

static glane_rc read_all(const struct glane_host *h, glane_run *r, void *state)
{
	struct glane_request q = now->q;
	glane_reader *rd;
	glane_rc rc;

	(void)state;
	q.size = sizeof(q);
	q.format = GLANE_FMT_JSON;
	q.select = "rows.*";
	if (!q.url)
		q.url = "{base_url}/d";
	if (q.paging && q.paging != GLANE_PAGE_NEXT && !q.page_param)
		q.page_param = q.paging == GLANE_PAGE_OFFSET ? "offset" : "page";
	rc = h->open(r, &q, &rd);
	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK)
		n_read++;
	if (rc == GLANE_END && h->next(rd) != GLANE_END)
		return h->fail(r, GLANE_E_DATA, "the end does not last");
	return rc == GLANE_END ? GLANE_OK : rc;
}

#define NUMBER(...)                                                                                                    \
	{                                                                                                              \
		.paging = GLANE_PAGE_NUMBER, .page_first = 1, __VA_ARGS__                                              \
	}
#define OFFSET(...)                                                                                                    \
	{                                                                                                              \
		.paging = GLANE_PAGE_OFFSET, __VA_ARGS__                                                               \
	}
#define NEXT(...)                                                                                                      \
	{                                                                                                              \
		.paging = GLANE_PAGE_NEXT, .page_next = "next", __VA_ARGS__                                            \
	}
#define DECLARED .page_pages = "pages", .page_total = "total"
#define GET(url) "GET " url "\n"

static const glane_str items[] = {
	{"a", 1}, {"b b", 3}, {"c", 1}, {"d&", 2}, {"a-very-long-item-that-fills-a-request-of-its-own", 48}};

static const struct page_case cases[] = {
	{"no paging: one request", {.paging = 0}, {{.url = "http://host/d", .body = "{\"rows\":[1,2]}"}}, GLANE_OK,
		GET("http://host/d"), 2},
	{"declared pages, all of them", NUMBER(DECLARED),
		{{.url = P(1), .body = "{\"pages\":2,\"total\":3,\"rows\":[1,2]}"},
			{.url = P(2), .body = "{\"pages\":2,\"total\":3,\"rows\":[3]}"}},
		GLANE_OK, GET(P(1)) GET(P(2)), 3},
	{"counts that stand behind the records count too", NUMBER(DECLARED),
		{{.url = P(1), .body = "{\"rows\":[1,2],\"pages\":2,\"total\":3}"},
			{.url = P(2), .body = "{\"rows\":[3],\"pages\":2,\"total\":3}"}},
		GLANE_OK, GET(P(1)) GET(P(2)), 3},
	{"declared: no records at all", NUMBER(DECLARED),
		{{.url = P(1), .body = "{\"pages\":0,\"total\":0,\"rows\":[]}"}}, GLANE_OK, GET(P(1)), 0},
	{"page length goes along", NUMBER(.page_size_param = "n", .page_len = 2, DECLARED),
		{{.url = "http://host/d?n=2&page=1", .body = "{\"pages\":1,\"total\":1,\"rows\":[1]}"}}, GLANE_OK,
		GET("http://host/d?n=2&page=1"), 1},
	{"undeclared: a short page is the last", NUMBER(.page_len = 2),
		{{.url = P(1), .body = "{\"rows\":[1,2]}"}, {.url = P(2), .body = "{\"rows\":[3]}"}}, GLANE_OK,
		GET(P(1)) GET(P(2)), 3},
	{"undeclared: an empty page is the last", NUMBER(.page_len = 2),
		{{.url = P(1), .body = "{\"rows\":[1,2]}"}, {.url = P(2), .body = "{\"rows\":[]}"}}, GLANE_OK,
		GET(P(1)) GET(P(2)), 2},
	{"offsets count records", OFFSET(.page_total = "total"),
		{{.url = O(0), .body = "{\"total\":3,\"rows\":[1,2]}"},
			{.url = O(2), .body = "{\"total\":3,\"rows\":[3]}"}},
		GLANE_OK, GET(O(0)) GET(O(2)), 3},
	{"next links, relative and absolute", NEXT(.page_total = "total"),
		{{.url = "http://host/d", .body = "{\"total\":3,\"next\":\"/d?c=2\",\"rows\":[1]}"},
			{.url = "http://host/d?c=2",
				.body = "{\"total\":3,\"next\":\"http://host/d?c=3\",\"rows\":[2]}"},
			{.url = "http://host/d?c=3", .body = "{\"total\":3,\"next\":null,\"rows\":[3]}"}},
		GLANE_OK, GET("http://host/d") GET("http://host/d?c=2") GET("http://host/d?c=3"), 3},
	{"a page is cut: fewer records than declared", NUMBER(DECLARED),
		{{.url = P(1), .body = "{\"pages\":2,\"total\":4,\"rows\":[1,2]}"},
			{.url = P(2), .body = "{\"pages\":2,\"total\":4,\"rows\":[3]}"}},
		GLANE_E_DATA, "declares 4 records, its pages held 3", 3},
	{"more records than declared", NUMBER(DECLARED),
		{{.url = P(1), .body = "{\"pages\":1,\"total\":1,\"rows\":[1,2]}"}}, GLANE_E_DATA,
		"declares 1 records, its pages held 2", 2},
	{"the number of pages changes", NUMBER(.page_pages = "pages"),
		{{.url = P(1), .body = "{\"pages\":2,\"rows\":[1]}"},
			{.url = P(2), .body = "{\"pages\":3,\"rows\":[2]}"}},
		GLANE_E_DATA, "number of pages changed from 2 to 3", 2},
	{"the total changes", NUMBER(DECLARED),
		{{.url = P(1), .body = "{\"pages\":2,\"total\":4,\"rows\":[1,2]}"},
			{.url = P(2), .body = "{\"pages\":2,\"total\":5,\"rows\":[3,4]}"}},
		GLANE_E_DATA, "number of records changed from 4 to 5", 4},
	{"a count as a text with a point, on the first page only", NUMBER(DECLARED),
		{{.url = P(1), .body = "{\"pages\":\"2.0\",\"total\":2.00,\"rows\":[1]}"},
			{.url = P(2), .body = "{\"rows\":[2]}"}},
		GLANE_OK, GET(P(1)) GET(P(2)), 2},
	{"a declared total that is not there", OFFSET(.page_total = "total", .page_len = 2),
		{{.url = O(0), .body = "{\"rows\":[1]}"}}, GLANE_E_DATA, "number of records at 'total' is missing", 1},
	{"a declared number of pages that is null", NUMBER(.page_pages = "pages", .page_len = 2),
		{{.url = P(1), .body = "{\"pages\":null,\"rows\":[1]}"}}, GLANE_E_DATA,
		"number of pages at 'pages' is missing", 1},
	{"a declared number of pages that is none", NUMBER(.page_pages = "pages", .page_len = 2),
		{{.url = P(1), .body = "{\"pages\":2.5,\"rows\":[1]}"}}, GLANE_E_DATA, "no whole number: 2.5", 1},
	{"a page twice", NUMBER(DECLARED),
		{{.url = P(1), .body = "{\"pages\":2,\"total\":4,\"rows\":[1,2]}"},
			{.url = P(2), .body = "{\"pages\":2,\"total\":4,\"rows\":[1,2]}"}},
		GLANE_E_DATA, "same as one before it", 4},
	{"a page twice, with another between them", NUMBER(.page_len = 1),
		{{.url = P(1), .body = "{\"rows\":[1]}"}, {.url = P(2), .body = "{\"rows\":[2]}"},
			{.url = P(3), .body = "{\"rows\":[1]}"}},
		GLANE_E_DATA, "same as one before it", 3},
	{"a provider that ignores the page number", NUMBER(.page_len = 1), {{.url = NULL, .body = "{\"rows\":[1]}"}},
		GLANE_E_DATA, "same as one before it", 2},
	{"an empty page before the last", NUMBER(.page_pages = "pages"),
		{{.url = P(1), .body = "{\"pages\":3,\"rows\":[1]}"},
			{.url = P(2), .body = "{\"pages\":3,\"rows\":[]}"},
			{.url = P(3), .body = "{\"pages\":3,\"rows\":[2]}"}},
		GLANE_E_DATA, "page 2 of 3 holds no records", 1},
	{"offsets: an empty page before the total", OFFSET(.page_total = "total"),
		{{.url = O(0), .body = "{\"total\":3,\"rows\":[1]}"},
			{.url = O(1), .body = "{\"total\":3,\"rows\":[]}"}},
		GLANE_E_DATA, "declares 3 records, its pages held 1", 1},
	{"a next link to itself", NEXT(.n_head = 0),
		{{.url = "http://host/d", .body = "{\"next\":\"/d\",\"rows\":[1]}"}}, GLANE_E_DATA, "read before", 1},
	{"next links in a circle", NEXT(.n_head = 0),
		{{.url = "http://host/d", .body = "{\"next\":\"/e\",\"rows\":[1]}"},
			{.url = "http://host/e", .body = "{\"next\":\"/f\",\"rows\":[2]}"},
			{.url = "http://host/f", .body = "{\"next\":\"/e\",\"rows\":[3]}"}},
		GLANE_E_DATA, "read before", 3},
	{"next links that end before the declared pages", NEXT(.page_pages = "pages"),
		{{.url = "http://host/d", .body = "{\"pages\":3,\"next\":\"/e\",\"rows\":[1]}"},
			{.url = "http://host/e", .body = "{\"pages\":3,\"rows\":[2]}"}},
		GLANE_E_DATA, "declares 3 pages", 2},
	{"a page that cannot be had", NUMBER(DECLARED),
		{{.url = P(1), .body = "{\"pages\":2,\"total\":3,\"rows\":[1,2]}"}}, GLANE_E_FETCH, "HTTP 404", 2},
	{"an error document instead of a page", NUMBER(DECLARED, .error = "error"),
		{{.url = P(1), .body = "{\"pages\":2,\"total\":3,\"rows\":[1,2]}"},
			{.url = P(2), .body = "{\"error\":\"try later\"}"}},
		GLANE_E_DATA, "the provider answers: try later", 2},
	{"a page that does not read", NUMBER(DECLARED),
		{{.url = P(1), .body = "{\"pages\":2,\"total\":3,\"rows\":[1,2]}"},
			{.url = P(2), .body = "{\"pages\":2,\"rows\":[3,"}},
		GLANE_E_FORMAT, P(2), 3},
	{"split by number", {.url = "{base_url}/{split}/x", .split = items, .n_split = 4, .split_max = 3},
		{{.url = NULL, .body = "{\"rows\":[1]}"}}, GLANE_OK,
		GET("http://host/a;b%20b;c/x") GET("http://host/d%26/x"), 2},
	{"split by length, an item beyond it goes alone",
		{.url = "{base_url}/{split}", .split = items, .n_split = 5, .split_chars = 9, .split_sep = ","},
		{{.url = NULL, .body = "{\"rows\":[1]}"}}, GLANE_OK,
		GET("http://host/a,b%20b,c") GET("http://host/d%26")
			GET("http://host/a-very-long-item-that-fills-a-request-of-its-own"),
		3},
	{"split and pages: each chunk has its own",
		NUMBER(.url = "{base_url}/{split}", .split = items, .n_split = 2, .split_max = 1, DECLARED),
		{{.url = "http://host/a?page=1", .body = "{\"pages\":2,\"total\":2,\"rows\":[1]}"},
			{.url = "http://host/a?page=2", .body = "{\"pages\":2,\"total\":2,\"rows\":[2]}"},
			{.url = "http://host/b%20b?page=1", .body = "{\"pages\":1,\"total\":1,\"rows\":[1]}"}},
		GLANE_OK, GET("http://host/a?page=1") GET("http://host/a?page=2") GET("http://host/b%20b?page=1"), 3},
	{"split items without {split}", {.split = items, .n_split = 2}, {{.url = NULL, .body = "{}"}}, GLANE_E_USAGE,
		"without {split}", 0},
	{"page numbers without a parameter for them", NUMBER(.page_param = ""),
		{{.url = NULL, .body = "{\"rows\":[1]}"}}, GLANE_E_USAGE, "page_param", 0},
	{"next links without a path to them", {.paging = GLANE_PAGE_NEXT}, {{.url = NULL, .body = "{\"rows\":[1]}"}},
		GLANE_E_USAGE, "page_next", 0},
	{"a URL with an unknown name", {.url = "{base_url}/{what}"}, {{.url = NULL, .body = "{}"}}, GLANE_E_CONFIG,
		"what", 0},
};

static void run_case(void **state)
{
	const struct page_case *c = *state;
	struct test_host t;
	glane_rc rc;
	const char *got;

	now = c;
	n_read = 0;
	test_host_init(&t);
	t.pages = c->pages;
	for (t.n_pages = 0; t.n_pages < MAX_PAGES && c->pages[t.n_pages].body;)
		t.n_pages++;
	rc = test_host_function(&t, read_all);
	got = rc == GLANE_OK ? t.asked.p : t.diag.text;
	if (rc != c->rc || (rc == GLANE_OK ? strcmp(got, c->want) != 0 : !strstr(got, c->want)) ||
		n_read != c->records) {
		print_message(
			"%d after %u records: %s\nwant %d after %u: %s\n", rc, n_read, got, c->rc, c->records, c->want);
		test_fail();
	}
	test_host_release(&t);
}

/* ---- the first page, once more after the last ---- */

static const struct again_case {
	const char *name;
	struct test_page again[2];
	unsigned moved;
	const char *want; /* what is asked for, in order; of the log's line where something moved */
	glane_rc rc;
} agains[] = {
	{"the same bytes", {{.url = P(1), .body = "{\"stamp\":1,\"total\":3,\"rows\":[{\"a\":1},{\"a\":2}]}"}}, 0,
		GET(P(1)) GET(P(2)) "AGAIN " P(1) "\n", GLANE_OK},
	{"nobody knows better", {{.url = P(9), .body = ""}}, 0, GET(P(1)) GET(P(2)) "AGAIN " P(1) "\n", GLANE_OK},
	{"another envelope, the same records",
		{{.url = P(1), .body = "{\"stamp\":2,\"total\":3, \"rows\": [{\"a\":1} , {\"a\":2}], \"took\":7}"}}, 0,
		GET(P(1)) GET(P(2)) "AGAIN " P(1) "\n" GET(P(1)), GLANE_OK},
	{"another record", {{.url = P(1), .body = "{\"stamp\":1,\"total\":3,\"rows\":[{\"a\":1},{\"a\":3}]}"}}, 1,
		"log 2 " P(1) ": this first page is another one", GLANE_OK},
	{"one that moved up", {{.url = P(1), .body = "{\"total\":3,\"rows\":[{\"a\":2},{\"a\":3}]}"}}, 1,
		"log 2 " P(1) ": this first page is another one", GLANE_OK},
	{"one record less", {{.url = P(1), .body = "{\"total\":3,\"rows\":[{\"a\":1}]}"}}, 1,
		"log 2 " P(1) ": this first page is another one", GLANE_OK},
	{"one that does not read", {{.url = P(1), .body = "{\"total\":3,\"rows\":[{\"a\""}}, 1,
		"log 2 " P(1) ": this first page could not be asked for again", GLANE_OK},
	{"an error document", {{.url = P(1), .body = "{\"error\":\"try later\",\"rows\":[{\"a\":1},{\"a\":2}]}"}}, 1,
		"log 2 " P(1) ": this first page could not be asked for again: the provider answers with an error",
		GLANE_OK},
	{"no answer", {{.url = P(1), .body = "", .rc = GLANE_E_FETCH, .message = "HTTP 503"}}, 1,
		"log 2 " P(1) ": this first page could not be asked for again: HTTP 503", GLANE_OK},
	{"no memory", {{.url = P(1), .body = "", .rc = GLANE_E_NOMEM, .message = "no memory"}}, 0, "no memory",
		GLANE_E_NOMEM},
};

static void run_again(void **state)
{
	static const struct page_case list = {
		.q = NUMBER(.page_total = "total", .error = "error"), .pages = {{.body = ""}}};
	static const struct test_page pages[] = {
		{.url = P(1), .body = "{\"stamp\":1,\"total\":3,\"rows\":[{\"a\":1},{\"a\":2}]}"},
		{.url = P(2), .body = "{\"stamp\":1,\"total\":3,\"rows\":[{\"a\":3}]}"}};
	const struct again_case *c = *state;
	struct test_host t;
	const char *got;

	now = &list;
	n_read = 0;
	test_host_init(&t);
	t.pages = pages;
	t.n_pages = 2;
	t.again = c->again;
	t.n_again = 1;
	assert_int_equal(test_host_function(&t, read_all), c->rc);
	got = c->rc ? t.diag.text : c->moved ? t.out.p : t.asked.p;
	if (t.counts.moved != c->moved || n_read != 3 || !strstr(got, c->want)) {
		print_message("moved %u, %u records, %s\nwant %u, %s\n", (unsigned)t.counts.moved, n_read, got,
			c->moved, c->want);
		test_fail();
	}
	assert_int_equal(t.counts.turned, 1);
	test_host_release(&t);
}

/* Neither a list of one page nor one that is given up costs a request more; of a split list each part is asked on its own. */
static void run_again_costs(void **state)
{
	static const struct test_page any = {.body = "{\"total\":1,\"rows\":[1]}"};
	static const struct test_page parts[] = {{.url = "http://host/a?page=1", .body = "{\"pages\":2,\"rows\":[1]}"},
		{.url = "http://host/a?page=2", .body = "{\"pages\":2,\"rows\":[2]}"},
		{.url = "http://host/b%20b?page=1", .body = "{\"pages\":1,\"rows\":[1]}"}};
	static const struct page_case one = {.q = NUMBER(.page_total = "total")}, none = {.q = {.paging = 0}},
				      split = {.q = NUMBER(.url = "{base_url}/{split}", .split = items, .n_split = 2,
						       .split_max = 1, .page_pages = "pages")};
	static const struct page_case *const all[] = {&one, &none, &split};
	static const char *const want[] = {GET(P(1)), GET("http://host/d"),
		GET("http://host/a?page=1")
			GET("http://host/a?page=2") "AGAIN http://host/a?page=1\n" GET("http://host/b%20b?page=1")};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct test_host t;

		now = all[i];
		test_host_init(&t);
		t.pages = t.again = i == 2 ? parts : &any;
		t.n_pages = t.n_again = i == 2 ? 3 : 1;
		assert_int_equal(test_host_function(&t, read_all), GLANE_OK);
		assert_string_equal(t.asked.p, want[i]);
		assert_int_equal(t.counts.moved, 0);
		test_host_release(&t);
	}
}

/* The longest URL that is asked for, and one byte more. */
static char long_url[8100];
static glane_rc open_long(const struct glane_host *h, glane_run *r, void *state)
{
	const struct glane_request q = {
		.size = sizeof(q), .format = GLANE_FMT_JSON, .select = "rows.*", .url = long_url};
	glane_reader *rd;

	(void)state;
	return h->open(r, &q, &rd);
}

static void test_url_length(void **state)
{
	static const struct test_page page = {.body = "{\"rows\":[]}"};

	(void)state;
	for (size_t n = 8000; n <= 8001; n++) {
		struct test_host t;

		memset(long_url, 'x', n);
		memcpy(long_url, "http://host/", 12);
		long_url[n] = 0;
		test_host_init(&t);
		t.pages = &page;
		t.n_pages = 1;
		assert_int_equal(test_host_function(&t, open_long), n == 8000 ? GLANE_OK : GLANE_E_LIMIT);
		test_host_release(&t);
	}
}

int main(void)
{
	struct CMUnitTest tests[64];
	size_t n = sizeof(cases) / sizeof(cases[0]);

	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){cases[i].name, run_case, NULL, NULL, (void *)(uintptr_t)&cases[i]};
	for (size_t i = 0; i < sizeof(agains) / sizeof(agains[0]); i++)
		tests[n++] = (struct CMUnitTest){agains[i].name, run_again, NULL, NULL, (void *)(uintptr_t)&agains[i]};
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(run_again_costs);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_url_length);
	return _cmocka_run_group_tests("page", tests, n, NULL, NULL);
}
