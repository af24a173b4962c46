/* SPDX-License-Identifier: MIT */
/* The fetch engine behind TLS (RELIABILITY H3, H18, H23), proxies and IPv6: certificates that are not to be trusted, cuts that TLS hides, tunnels that refuse. */
#include "unit/fetch_fixture.h"

struct tls_row {
	const char *kind, *path;
	glane_rc rc;
	unsigned tries;
	const char *says;
};

/* A GET on the port of that kind under this host name; `bundle` NULL: the fixture's CA. */
static struct seen get_at(
	const struct place *p, const char *host, const char *kind, const char *path, const char *bundle)
{
	struct fetch_options o = options_for(p, path);
	struct fetch_policy policy = policy_of(p);
	char url[512], base[128], ca[256];
	const char *const allowed[] = {base};
	struct fetch_request q = {.method = "GET", .url = url, .format = GLANE_FMT_JSON};

	(void)snprintf(base, sizeof(base), "https://%s:%u", host, fault_server_port(&p->server, kind));
	(void)snprintf(url, sizeof(url), "%s%s", base, path);
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", p->path);
	o.ca_bundle = bundle ? bundle : ca;
	policy.allowed = allowed;
	policy.n_allowed = 1;
	return fetch_one(&o, &policy, &q);
}

static void every_tls_fault_gets_its_verdict(void **state)
{
	static const struct tls_row rows[] = {
		{"good", "/ok", GLANE_OK, 1, NULL},
		{"good", "/chunked", GLANE_OK, 1, NULL},
		{"good", "/gzip", GLANE_OK, 1, NULL},
		{"expired", "/ok", GLANE_E_DENIED, 1, "has expired"},
		{"early", "/ok", GLANE_E_DENIED, 1, "not yet valid"},
		{"wronghost", "/ok", GLANE_E_DENIED, 1, "not trusted"},
		{"selfsigned", "/ok", GLANE_E_DENIED, 1, "self-signed"},
		{"tls11", "/ok", GLANE_E_FETCH, 3, "protocol version"},
		/* no close_notify: the end of the connection proves nothing */
		{"good", "/close-delimited", GLANE_E_FETCH, 1, "length unproven"},
		{"good", "/cl-long", GLANE_E_FETCH, 3, ""},
		{"good", "/chunk-cut", GLANE_E_FETCH, 3, ""},
		{"good", "/chunk-no-last", GLANE_E_FETCH, 3, ""},
		{"good", "/rst", GLANE_E_FETCH, 3, ""},
		{"good", "/empty-reply", GLANE_E_FETCH, 3, ""},
		{"good", "/stall", GLANE_E_FETCH, 3, "stalled"},
		{"good", "/gzip-truncated", GLANE_E_FORMAT, 2, "cut short"},
		{"good", "/resume?tls", GLANE_OK, 2, NULL},
		/* never down to http, allowed or not */
		{"good", "/redirect-to?http://127.0.0.1/ok", GLANE_E_DENIED, 1, "from https down to"},
	};
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tls_row *w = &rows[i];
		struct seen s = get_at(p, "localhost", w->kind, w->path, NULL);

		if (s.rc != w->rc || s.tries != w->tries || (w->says && !strstr(s.message, w->says)))
			fail_msg("%s%s: %s after %u tries: %s", w->kind, w->path, rc_name(s.rc), s.tries, s.message);
		if (s.rc == GLANE_E_DENIED)
			assert_int_equal(strncmp(s.message, "security: GET https://", 22), 0);
		fd_close(&s.fd);
	}
}

static void the_system_trusts_other_authorities(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[128], ca[256];
	const char *const allowed[] = {url};
	struct fetch_request q = {.method = "GET", .url = url, .format = GLANE_FMT_JSON};
	struct seen s;

	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/ok", fault_server_port(&p->server, "good"));
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", p->path);
	policy.allowed = allowed;
	policy.n_allowed = 1;
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_E_DENIED);
	assert_non_null(strstr(s.message, "not trusted"));
	/* the source's own certificates are trusted beside the bundle's, by this source only */
	policy.ca_extra = ca;
	s = fetch_one(&o, &policy, &q);
	if (s.rc != GLANE_OK)
		fail_msg("%s", s.message);
	fd_close(&s.fd);
	s = get_at(p, "localhost", "good", "/ok", "/nonexistent/ca.pem");
	assert_int_equal(s.rc, GLANE_E_CONFIG);
}

/* HTTP/2 is not even offered: libcurl takes a stream that was reset without an error for a whole one. */
static void http_1_1_is_what_is_spoken(void **state)
{
	struct seen s = get_at(*state, "localhost", "good", "/alpn", NULL);
	char body[64];

	assert_int_equal(s.rc, GLANE_OK);
	(void)read_body(&s, body, sizeof(body));
	assert_string_equal(body, "\"http/1.1\"");
}

static void ipv6_loopback_is_a_host_like_others(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[128];
	const char *const allowed[] = {url};
	struct fetch_request q = {.method = "GET", .url = url, .format = GLANE_FMT_JSON};
	struct seen s;

	if (!fault_server_port(&p->server, "ipv6"))
		skip();
	(void)snprintf(url, sizeof(url), "http://[::1]:%u/ok", p->server.port);
	policy.allowed = allowed;
	policy.n_allowed = 1;
	s = fetch_one(&o, &policy, &q);
	if (s.rc != GLANE_OK)
		fail_msg("%s", s.message);
	fd_close(&s.fd);
	q.url = "http://[::1]:1/ok"; /* another port is another permission */
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_E_DENIED);
}

/* ---- proxies: hosts under .example exist only behind them */

struct proxy_row {
	const char *url, *header;
	glane_rc rc;
	unsigned tries;
	const char *says;
};

static struct seen get_by_proxy(const struct place *p, const char *proxy, const struct proxy_row *w)
{
	static const char *const allowed[] = {"http://data.example", "https://data.example", "https://refuse.example",
		"https://auth.example", "https://busy.example", "https://hang.example", "http://auth.example",
		"http://refuse.example"};
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	const struct glane_kv header = {"X-Api-Key", {w->header, w->header ? strlen(w->header) : 0}};
	struct fetch_request q = {.method = "GET",
		.url = w->url,
		.format = GLANE_FMT_JSON,
		.header = &header,
		.n_header = w->header ? 1 : 0};
	char ca[256];

	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", p->path);
	o.proxy = proxy;
	o.ca_bundle = ca;
	policy.allowed = allowed;
	policy.n_allowed = sizeof(allowed) / sizeof(allowed[0]);
	return fetch_one(&o, &policy, &q);
}

static void proxies_tunnel_or_say_why_not(void **state)
{
	static const struct proxy_row rows[] = {
		{"http://data.example/ok", NULL, GLANE_OK, 1, NULL},
		{"https://data.example/ok", NULL, GLANE_OK, 1, NULL},
		{"https://data.example/redirect", NULL, GLANE_OK, 1, NULL},
		{"https://data.example/404", NULL, GLANE_E_FETCH, 1, "HTTP 404"},
		{"https://data.example/echo-headers", "{auth:KEY}", GLANE_OK, 1, NULL},
		{"http://data.example/echo-headers", "{auth:KEY}", GLANE_E_DENIED, 1, "not sent over http"},
		{"https://refuse.example/ok", "{auth:KEY}", GLANE_E_CONFIG, 1,
			"the proxy refuses to connect to refuse.example (HTTP 403)"},
		{"https://auth.example/ok", NULL, GLANE_E_CONFIG, 1, "(HTTP 407)"},
		{"https://busy.example/ok", NULL, GLANE_E_FETCH, 3,
			"the proxy cannot connect to busy.example (HTTP 502)"},
		{"https://hang.example/ok", NULL, GLANE_E_FETCH, 3, "through the proxy: "},
		{"http://auth.example/ok", NULL, GLANE_E_CONFIG, 1, "the proxy wants to know who we are"},
		{"http://refuse.example/ok", NULL, GLANE_E_CONFIG, 1, "HTTP 403"},
	};
	const struct place *p = *state;
	struct strbuf log;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen s = get_by_proxy(p, p->base, &rows[i]);

		if (s.rc != rows[i].rc || s.tries != rows[i].tries ||
			(rows[i].says && !strstr(s.message, rows[i].says)))
			fail_msg("%s: %s after %u tries: %s", rows[i].url, rc_name(s.rc), s.tries, s.message);
		fd_close(&s.fd);
	}
	/* the key went through the tunnel, not to the proxy */
	strbuf_init(&log, 0);
	assert_int_equal(file_read(AT_FDCWD, p->log, 1 << 20, &log, NULL), GLANE_OK);
	assert_non_null(strstr(log.p, "GET /echo-headers 200 accept-encoding=gzip x-api-key=yes"));
	assert_non_null(strstr(log.p, "CONNECT refuse.example:443 403\n"));
	strbuf_release(&log);
}

static void a_proxy_may_be_a_secret(void **state)
{
	static const struct proxy_row plain = {"http://data.example/ok", NULL, GLANE_OK, 1, NULL};
	const struct place *p = *state;
	char proxy[128];
	struct strbuf log;
	struct seen s;

	(void)snprintf(proxy, sizeof(proxy), "http://user:c4n4ry@127.0.0.1:%u", p->server.port);
	s = get_by_proxy(p, proxy, &plain);
	assert_int_equal(s.rc, GLANE_E_CONFIG);
	assert_non_null(strstr(s.message, "env:NAME or file:PATH"));
	assert_null(strstr(s.message, "c4n4ry"));
	assert_int_equal(setenv("GLANE_TEST_PROXY", proxy, 1), 0);
	s = get_by_proxy(p, "env:GLANE_TEST_PROXY", &plain);
	if (s.rc != GLANE_OK)
		fail_msg("%s", s.message);
	fd_close(&s.fd);
	strbuf_init(&log, 0);
	assert_int_equal(file_read(AT_FDCWD, p->log, 1 << 20, &log, NULL), GLANE_OK);
	assert_non_null(strstr(log.p, "proxy-authorization=yes"));
	strbuf_release(&log);
	s = get_by_proxy(p, "env:GLANE_TEST_ABSENT", &plain);
	assert_int_equal(s.rc, GLANE_E_CONFIG);
	assert_non_null(strstr(s.message, "GLANE_TEST_ABSENT"));
	s = get_by_proxy(p, "gopher://127.0.0.1", &plain);
	assert_int_equal(s.rc, GLANE_E_CONFIG);
	s = get_by_proxy(p, "http://127.0.0.1:1", &plain); /* nobody listens */
	assert_int_equal(s.rc, GLANE_E_FETCH);
	assert_int_equal(s.tries, 3);
	assert_non_null(strstr(s.message, "through the proxy: "));
}

/* The environment's proxies are for other programs, and local hosts are asked directly. */
static void only_our_own_proxy_is_used(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/ok", url), .format = GLANE_FMT_JSON};
	struct seen s;

	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	assert_int_equal(setenv("all_proxy", "http://127.0.0.1:1", 1), 0);
	o.proxy = "http://127.0.0.1:1";
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_int_equal(unsetenv("all_proxy"), 0);
	assert_int_equal(s.rc, GLANE_OK);
	fd_close(&s.fd);
}

/* Is the command there? What goes wrong with it is a failure. */
static bool has_openssl(void)
{
	const char *path = getenv("PATH");
	struct slice rest = slice_of(path ? path : "");
	char file[512];

	while (rest.n) {
		struct slice folder = slice_cut(&rest, ':');

		(void)snprintf(file, sizeof(file), "%.*s/openssl", (int)folder.n, folder.p);
		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tls_fault_gets_its_verdict),
		cmocka_unit_test(the_system_trusts_other_authorities),
		cmocka_unit_test(http_1_1_is_what_is_spoken),
		cmocka_unit_test(ipv6_loopback_is_a_host_like_others),
		cmocka_unit_test(proxies_tunnel_or_say_why_not),
		cmocka_unit_test(a_proxy_may_be_a_secret),
		cmocka_unit_test(only_our_own_proxy_is_used),
	};

	if (!fault_server_available() || !has_openssl()) {
		(void)printf("1..0 # SKIP python3 or the openssl command is not there\n");
		return 0;
	}
	return cmocka_run_group_tests_name("fetch_tls", tests, setup_tls, teardown);
}
