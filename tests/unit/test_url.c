/* SPDX-License-Identifier: MIT */
/* URLs: templates, queries, redaction, parsing, permission, local addresses (RELIABILITY H20). */
#include "net/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KV(k, v)                                                                                                       \
	{                                                                                                              \
		k,                                                                                                     \
		{                                                                                                      \
			"" v, sizeof(v) - 1                                                                            \
		}                                                                                                      \
	}

static void templates_are_filled(void **state)
{
	static const struct glane_kv kv[] = {KV("base_url", "https://api.example.org/v2"), KV("id", "A B/C?&=%"),
		KV("split", "X.Y;Z-1"), KV("empty", ""), {"absent", {NULL, 0}}};
	static const struct {
		const char *in, *out;
		glane_rc rc;
	} list[] = {
		{"{base_url}/x/{id}", "https://api.example.org/v2/x/A%20B%2FC%3F%26%3D%25", GLANE_OK},
		{"{base_url}/country/all/indicator/{split}", "https://api.example.org/v2/country/all/indicator/X.Y;Z-1",
			GLANE_OK},
		{"{base_url}?q={id}&k={auth:KEY}", "https://api.example.org/v2?q=A%20B%2FC%3F%26%3D%25&k={auth:KEY}",
			GLANE_OK},
		{"plain", "plain", GLANE_OK},
		{"a{empty}b", "ab", GLANE_OK},
		{"", "", GLANE_OK},
		{"{unknown}", NULL, GLANE_E_CONFIG},
		{"{absent}", NULL, GLANE_E_CONFIG},
		{"a{base_url", NULL, GLANE_E_CONFIG},
		{"{", NULL, GLANE_E_CONFIG},
		{"{}", NULL, GLANE_E_CONFIG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct diag d = {0};
		struct strbuf b;
		glane_rc rc;

		strbuf_init(&b, 0);
		rc = url_expand(&b, list[i].in, kv, 5, &d);
		assert_int_equal(rc, list[i].rc);
		if (rc == GLANE_OK)
			assert_string_equal(b.p ? b.p : "", list[i].out);
		else
			assert_true(*d.text);
		strbuf_release(&b);
	}
}

/* '+' is a plus in a path, and a blank in a query. */
static void plus_is_encoded_in_queries_only(void **state)
{
	static const struct glane_kv kv[] = {KV("k", "USD+GBP")};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	assert_int_equal(url_expand(&b, "/data/{k}?x={k}", kv, 1, NULL), GLANE_OK);
	assert_string_equal(b.p, "/data/USD+GBP?x=USD%2BGBP");
	strbuf_release(&b);
}

static void queries_are_appended(void **state)
{
	static const struct glane_kv kv[] = {
		KV("a", "1 2"), {"gone", {NULL, 0}}, KV("k", "{auth:KEY}"), KV("$filter", "x eq 'y'")};
	static const struct {
		const char *url, *out;
	} list[] = {
		{"http://h/p", "http://h/p?a=1%202&k={auth:KEY}&$filter=x%20eq%20%27y%27"},
		{"http://h/p?", "http://h/p?a=1%202&k={auth:KEY}&$filter=x%20eq%20%27y%27"},
		{"http://h/p?z=1", "http://h/p?z=1&a=1%202&k={auth:KEY}&$filter=x%20eq%20%27y%27"},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct strbuf b;

		strbuf_init(&b, 0);
		strbuf_puts(&b, list[i].url);
		url_add_query(&b, kv, 4);
		assert_string_equal(b.p, list[i].out);
		strbuf_release(&b);
	}
}

/* What only looks like a placeholder is data, and cannot add a parameter. */
static void placeholders_are_names(void **state)
{
	static const struct glane_kv kv[] = {KV("a", "{auth:K.1}{auth:x&y=1}{auth:}{auth:z")};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	url_add_query(&b, kv, 1);
	assert_string_equal(b.p, "?a={auth:K.1}%7Bauth:x%26y%3D1%7D%7Bauth:%7D%7Bauth:z");
	strbuf_release(&b);
}

static void parameters_are_replaced(void **state)
{
	static const struct {
		const char *url, *out;
	} list[] = {
		{"http://h/p", "http://h/p?page=7%268"},
		{"http://h/p?page=1", "http://h/p?page=7%268"},
		{"http://h/p?a=1&page=2&b=3", "http://h/p?a=1&page=7%268&b=3"},
		{"http://h/p?page=1&page=2", "http://h/p?page=7%268"},
		{"http://h/p?pages=1&xpage=2", "http://h/p?pages=1&xpage=2&page=7%268"},
		{"http://h/p?a=1#frag", "http://h/p?a=1&page=7%268"},
		{"http://h/p?", "http://h/p?page=7%268"},
		{"http://h/p?z?", "http://h/p?z?&page=7%268"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct strbuf b;

		strbuf_init(&b, 0);
		url_set_query(&b, slice_of(list[i].url), "page", SLICE("7&8"));
		assert_string_equal(b.p, list[i].out);
		strbuf_release(&b);
	}
	{
		struct strbuf b;

		strbuf_init(&b, 0);
		url_set_query(&b, SLICE("http://h/?page%5Bn%5D=1&x=2"), "page[n]", SLICE("3"));
		assert_string_equal(b.p, "http://h/?page%5Bn%5D=3&x=2");
		strbuf_release(&b);
	}
}

static void secrets_are_struck_out(void **state)
{
	static const struct {
		const char *url, *out;
	} list[] = {
		{"https://h/p?a=1", "https://h/p?a=1"},
		{"https://h/p?k={auth:KEY}", "https://h/p?k=***"},
		{"https://h/{auth:KEY}/p?q", "https://h/***/p?q"},
		{"https://u:pw@h/p", "https://***@h/p"},
		{"https://u:pw@h", "https://***@h"},
		{"https://h/a@b", "https://h/a@b"},
		{"https://h/p?k={auth:KEY}&{auth:KEY}={auth:A.b-c_1}", "https://h/p?k=***&***=***"},
		{"https://h/p?", "https://h/p?"},
		{"https://h/p?&a=1&", "https://h/p?&a=1&"},
		{"{auth:", "{auth:"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct strbuf b;

		strbuf_init(&b, 0);
		url_redact(&b, slice_of(list[i].url));
		assert_string_equal(b.p ? b.p : "", list[i].out);
		strbuf_release(&b);
	}
}

static void urls_are_parsed(void **state)
{
	static const struct {
		const char *url, *scheme, *host;
		unsigned port;
		const char *path;
		glane_rc rc;
	} list[] = {
		{"https://API.Example.ORG/v2/x?y=1", "https", "api.example.org", 443, "/v2/x?y=1", GLANE_OK},
		{"http://h", "http", "h", 80, "/", GLANE_OK},
		{"http://h?q", "http", "h", 80, "/?q", GLANE_OK},
		{"http://h:8080/a/../b", "http", "h", 8080, "/a/../b", GLANE_OK},
		{"HTTP://h/#frag", "http", "h", 80, "/", GLANE_OK},
		{"http://[::1]:81/", "http", "::1", 81, "/", GLANE_OK},
		{"http://127.0.0.1/", "http", "127.0.0.1", 80, "/", GLANE_OK},
		{"http://0x7f000001/", "http", "127.0.0.1", 80, "/", GLANE_OK},
		{"http://2130706433/", "http", "127.0.0.1", 80, "/", GLANE_OK},
		{"http://017700000001/", "http", "127.0.0.1", 80, "/", GLANE_OK},
		{"https://h/p?k={auth:KEY}", "https", "h", 443, "/p?k={auth:KEY}", GLANE_OK},
		{"http://u@h/", NULL, NULL, 0, NULL, GLANE_E_DENIED},
		{"http://u:p@h/", NULL, NULL, 0, NULL, GLANE_E_DENIED},
		{"file:///etc/passwd", NULL, NULL, 0, NULL, GLANE_E_DENIED},
		{"ftp://h/", NULL, NULL, 0, NULL, GLANE_E_DENIED},
		{"gopher://h/", NULL, NULL, 0, NULL, GLANE_E_DENIED},
		{"javascript:alert(1)", NULL, NULL, 0, NULL, GLANE_E_DENIED},
		{"http://[fe80::1%25eth0]/", NULL, NULL, 0, NULL, GLANE_E_DENIED},
		{"h/path", NULL, NULL, 0, NULL, GLANE_E_CONFIG},
		{"", NULL, NULL, 0, NULL, GLANE_E_CONFIG},
		{"http://", NULL, NULL, 0, NULL, GLANE_E_CONFIG},
		{"http://h:99999/", NULL, NULL, 0, NULL, GLANE_E_CONFIG},
		{"http://h:0/", NULL, NULL, 0, NULL, GLANE_E_CONFIG},
		{"http://h/a b", NULL, NULL, 0, NULL, GLANE_E_CONFIG},
		{"http://h/a\r\nX: y", NULL, NULL, 0, NULL, GLANE_E_CONFIG},
		{"http://h/\xc3\xa9", NULL, NULL, 0, NULL, GLANE_E_CONFIG},
		{"http://a%2Eexample/", "http", "a.example", 80, "/", GLANE_OK},
		{"http://a%EF%BC%8Fb.example/", NULL, NULL, 0, NULL, GLANE_E_CONFIG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct url_parts u;
		struct diag d = {0};
		struct arena a;
		glane_rc rc;

		arena_init(&a, 0);
		rc = url_parse(&a, list[i].url, &u, &d);
		if (rc != list[i].rc)
			fail_msg("%s: %s: %s", list[i].url, rc_name(rc), d.text);
		if (rc == GLANE_OK) {
			assert_string_equal(u.scheme, list[i].scheme);
			assert_string_equal(u.host, list[i].host);
			assert_string_equal(u.path_query, list[i].path);
			assert_int_equal(u.port, list[i].port);
		} else {
			assert_true(*d.text);
		}
		arena_release(&a);
	}
}

static void long_urls_are_refused(void **state)
{
	struct url_parts u;
	struct arena a;
	char url[8002];

	(void)state;
	arena_init(&a, 0);
	memset(url, 'x', sizeof(url));
	memcpy(url, "http://h/", 9);
	url[8000] = '\0';
	assert_int_equal(url_parse(&a, url, &u, NULL), GLANE_OK);
	url[8000] = 'x';
	url[8001] = '\0';
	assert_int_equal(url_parse(&a, url, &u, NULL), GLANE_E_LIMIT);
	arena_release(&a);
}

static void locations_are_resolved(void **state)
{
	static const struct {
		const char *base, *location, *url; /* NULL: refused */
	} list[] = {
		{"https://h/a/b?q=1", "/x", "https://h/x"},
		{"https://h/a/b?q=1", "c?z", "https://h/a/c?z"},
		{"https://h/a/b", "../c", "https://h/c"},
		{"https://h/a/b", "//other/x", "https://other/x"},
		{"https://h/a/b", "http://other:8080/x#frag", "http://other:8080/x"},
		{"https://h/a/b", "?q=2", "https://h/a/b?q=2"},
		{"https://h/a/b", "/a b", "https://h/a%20b"},
		{"https://h/a/b", "file:///etc/passwd", "file:///etc/passwd"}, /* url_parse() refuses it */
		{"https://h/a/b", "", NULL},
		{"https://h/a/b", "http://", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const char *url = NULL;
		struct diag d = {0};
		struct arena a;
		glane_rc rc;

		arena_init(&a, 0);
		rc = url_resolve(&a, list[i].base, list[i].location, &url, &d);
		if ((rc == GLANE_OK) != (list[i].url != NULL))
			fail_msg("%s: %s: %s", list[i].location, url ? url : "refused", d.text);
		if (list[i].url)
			assert_string_equal(url, list[i].url);
		arena_release(&a);
	}
}

static void permission_is_by_scheme_host_and_port(void **state)
{
	static const struct {
		const char *allowed, *url;
		bool ok;
	} list[] = {
		{"example.org", "https://example.org/x", true},
		{"Example.ORG", "https://example.org/x", true},
		{"example.org", "http://example.org/x", false},
		{"example.org", "https://example.org:8443/x", false},
		{"example.org", "https://www.example.org/x", false},
		{"example.org", "https://example.org.evil.test/", false},
		{"example.org", "https://evilexample.org/", false},
		{"*.example.org", "https://www.example.org/x", true},
		{"*.example.org", "https://a.b.example.org/x", true},
		{"*.example.org", "https://example.org/x", false},
		{"*.example.org", "https://evilexample.org/x", false},
		{"*.example.org", "http://www.example.org/x", false},
		{"*.", "https://example.org/x", false},
		{"*", "https://example.org/x", false},
		{"", "https://example.org/x", false},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/a", true},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8081/a", false},
		{"http://127.0.0.1:8080", "https://127.0.0.1:8080/a", false},
		{"http://127.0.0.1:8080/base/url?q", "http://127.0.0.1:8080/other", true},
		{"https://example.org/v2", "https://example.org:443/x", true},
		{"https://example.org/v2", "http://example.org:443/x", false},
		{"http://[::1]:80", "http://[0:0:0:0:0:0:0:1]/", true},
		{"ftp://example.org", "https://example.org/x", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct url_parts u;
		struct arena a;

		arena_init(&a, 0);
		assert_int_equal(url_parse(&a, list[i].url, &u, NULL), GLANE_OK);
		if (url_allowed(&u, &list[i].allowed, 1) != list[i].ok)
			fail_msg("%s under '%s'", list[i].url, list[i].allowed);
		assert_false(url_allowed(&u, NULL, 0));
		arena_release(&a);
	}
}

static void local_addresses_are_known(void **state)
{
	static const char *const local[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1",
		"100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.168.0.1", "198.18.0.1", "198.19.255.255", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1",
		"febf::1", "fec0::1", "fc00::1", "fdff::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::1",
		"2002:7f00:1::", "2002:a00:1::"};
	static const char *const global[] = {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
		"126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
		"192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"2001:4860:4860::8888", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::", "fbff::1"};
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)state;
	for (int want = 0; want < 2; want++) {
		const char *const *list = want ? local : global;
		size_t n = want ? sizeof(local) / sizeof(local[0]) : sizeof(global) / sizeof(global[0]);

		for (size_t i = 0; i < n; i++) {
			struct sockaddr_in v4 = {.sin_family = AF_INET};
			struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
			bool is4 = inet_pton(AF_INET, list[i], &v4.sin_addr) == 1, found;

			assert_true(is4 || inet_pton(AF_INET6, list[i], &v6.sin6_addr) == 1);
			found = address_is_local(is4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6);
			if (found != (want == 1))
				fail_msg("%s is taken for %s", list[i], found ? "local" : "global");
		}
	}
	assert_true(address_is_local((const struct sockaddr *)&un));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_are_filled),
		cmocka_unit_test(plus_is_encoded_in_queries_only),
		cmocka_unit_test(queries_are_appended),
		cmocka_unit_test(placeholders_are_names),
		cmocka_unit_test(parameters_are_replaced),
		cmocka_unit_test(secrets_are_struck_out),
		cmocka_unit_test(urls_are_parsed),
		cmocka_unit_test(long_urls_are_refused),
		cmocka_unit_test(locations_are_resolved),
		cmocka_unit_test(permission_is_by_scheme_host_and_port),
		cmocka_unit_test(local_addresses_are_known),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
