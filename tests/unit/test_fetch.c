/* SPDX-License-Identifier: MIT */
/* The fetch engine against a server that does wrong what can be done wrong (RELIABILITY 2.3). */
#include "base/json.h"
#include "net/fetch_decode.h"
#include "net/fetch_limits.h"
#include "net/fetch_priv.h"
#include "net/url.h"
#include "net/verify.h"
#include "unit/fetch_fixture.h"

#include <poll.h>
#include <time.h>

#define DATA_SIZE ((uint64_t)(19 + 65536 + 3))

struct row {
	const char *path;
	glane_rc rc;
	unsigned tries;
	int status;
	const char *says; /* part of the message; for a success NULL */
	uint64_t size;    /* of a success */
};

static const struct row rows[] = {
	{"/ok", GLANE_OK, 1, 200, NULL, 11},
	{"/data", GLANE_OK, 1, 200, NULL, DATA_SIZE},
	{"/http10", GLANE_OK, 1, 200, NULL, 11},
	/* framing */
	{"/cl-long", GLANE_E_FETCH, 3, 200, "", 0},
	{"/cl-short", GLANE_E_FETCH, 1, 200, "longer than its Content-Length", 0},
	{"/cl-negative", GLANE_E_FETCH, 1, 200, "", 0},
	{"/cl-overflow", GLANE_E_FETCH, 1, 200, "", 0},
	{"/cl-huge", GLANE_E_LIMIT, 1, 200, "max_body", 0},
	{"/two-cl", GLANE_E_FETCH, 1, 200, "two different Content-Length", 0},
	{"/two-cl-same", GLANE_OK, 1, 200, NULL, 11},
	{"/cl-and-te", GLANE_E_FETCH, 1, 200, "both Content-Length and Transfer-Encoding", 0},
	{"/te-unknown", GLANE_E_FETCH, 1, 200, "Transfer-Encoding", 0},
	{"/chunked", GLANE_OK, 1, 200, NULL, DATA_SIZE},
	{"/chunk-cut", GLANE_E_FETCH, 3, 200, "", 0},
	{"/chunk-no-last", GLANE_E_FETCH, 3, 200, "", 0},
	{"/chunk-not-hex", GLANE_E_FETCH, 3, 200, "", 0},
	{"/close-delimited", GLANE_E_FETCH, 1, 200, "length unproven", 0},
	/* content coding */
	{"/gzip", GLANE_OK, 1, 200, NULL, DATA_SIZE},
	{"/gzip-members", GLANE_OK, 1, 200, NULL, DATA_SIZE},
	{"/deflate", GLANE_OK, 1, 200, NULL, DATA_SIZE},
	{"/deflate-bare", GLANE_OK, 1, 200, NULL, DATA_SIZE},
	{"/gzip-truncated", GLANE_E_FORMAT, 2, 200, "cut short", 0},
	{"/gzip-corrupt", GLANE_E_FORMAT, 2, 200, "damaged", 0},
	{"/gzip-crc", GLANE_E_FORMAT, 2, 200, "damaged", 0},
	{"/gzip-not", GLANE_E_FORMAT, 2, 200, "damaged", 0},
	{"/gzip-trailing", GLANE_E_FORMAT, 2, 200, "bytes follow the end", 0},
	{"/gzip-empty", GLANE_E_FORMAT, 2, 200, "cut short", 0},
	{"/gzip-bomb", GLANE_E_LIMIT, 1, 200, "bomb", 0},
	{"/encoding-unknown", GLANE_E_FETCH, 1, 200, "Content-Encoding", 0},
	{"/encoding-chain", GLANE_E_FETCH, 1, 200, "Content-Encoding", 0},
	/* content */
	{"/html200", GLANE_E_FORMAT, 3, 200, "Gateway is busy", 0},
	{"/html-then-ok?t", GLANE_OK, 2, 200, NULL, 11},
	{"/xml200", GLANE_E_FORMAT, 1, 200, "XML where JSON was asked", 0},
	{"/empty200", GLANE_E_FORMAT, 1, 200, "empty", 0},
	/* statuses */
	{"/204", GLANE_E_FETCH, 1, 204, "HTTP 204", 0},
	{"/206", GLANE_E_FETCH, 1, 206, "not asked for", 0},
	{"/304", GLANE_E_FETCH, 1, 304, "not asked for", 0},
	{"/401", GLANE_E_CONFIG, 1, 401, "bad key", 0},
	{"/403", GLANE_E_CONFIG, 1, 403, "Forbidden here", 0},
	{"/404", GLANE_E_FETCH, 1, 404, "no such\\u0020series", 0},
	{"/404-long", GLANE_E_FETCH, 1, 404, "\\x1b[31mword word", 0},
	{"/404-gzip", GLANE_E_FETCH, 1, 404, "packed words", 0},
	{"/410", GLANE_E_FETCH, 1, 410, "gone for good", 0},
	{"/500", GLANE_E_FETCH, 3, 500, "oops", 0},
	{"/500-then-ok?t", GLANE_OK, 2, 200, NULL, 11},
	{"/600", GLANE_E_FETCH, 1, 600, "HTTP 600", 0},
	{"/429-then-ok?t", GLANE_OK, 2, 200, NULL, 11},
	{"/503-retry-after?t", GLANE_OK, 2, 200, NULL, 11},
	/* redirects */
	{"/redirect", GLANE_OK, 1, 200, NULL, 11},
	{"/redirect-relative/deep", GLANE_OK, 1, 200, NULL, 11},
	{"/redirect-forbidden", GLANE_E_DENIED, 1, 302, "security: GET", 0},
	{"/redirect-metadata", GLANE_E_DENIED, 1, 302, "security: GET", 0},
	{"/redirect-loop", GLANE_E_FETCH, 1, 302, "more than 5 redirects", 0},
	{"/redirect-file", GLANE_E_DENIED, 1, 302, "security: GET", 0},
	{"/redirect-ftp", GLANE_E_DENIED, 1, 302, "security: GET", 0},
	{"/redirect-nowhere", GLANE_E_FETCH, 1, 302, "without a Location", 0},
	/* connections */
	{"/empty-reply", GLANE_E_FETCH, 3, 0, "", 0},
	{"/rst", GLANE_E_FETCH, 3, 200, "", 0},
	{"/rst-then-ok?t", GLANE_OK, 2, 200, NULL, 11},
	{"/drip", GLANE_E_FETCH, 3, 200, "stalled", 0},
	{"/stall", GLANE_E_FETCH, 3, 0, "stalled", 0},
	{"/slow", GLANE_OK, 1, 200, NULL, 11},
	/* headers */
	{"/header-flood", GLANE_E_LIMIT, 1, 200, "header", 0},
	{"/header-huge", GLANE_E_FETCH, 1, -1, "header line", 0},
	{"/header-nul", GLANE_E_FETCH, 1, -1, "", 0},
	{"/endless-103", GLANE_E_LIMIT, 1, -1, "header", 0},
	{"/http09", GLANE_E_FETCH, 1, 0, "", 0},
	{"/http99", GLANE_E_FETCH, 1, -1, "", 0},
	{"/binary", GLANE_E_FETCH, 1, 0, "", 0},
	/* resumption; a file that changed in between starts anew */
	{"/resume?t", GLANE_OK, 2, 206, NULL, DATA_SIZE},
	{"/resume-gzip?t", GLANE_OK, 2, 206, NULL, DATA_SIZE},
	{"/resume-changed?t", GLANE_OK, 2, 200, NULL, DATA_SIZE},
	{"/resume-weak?t", GLANE_OK, 2, 200, NULL, DATA_SIZE},
	{"/resume-total?t", GLANE_E_FETCH, 2, 206, "as one of", 0},
	{"/resume-wrong?t", GLANE_E_FETCH, 2, 206, "another range", 0},
};

static void check_success(const struct row *w, struct seen *s)
{
	char sha256[SHA256_HEX], byte;

	if (s->size != w->size)
		fail_msg("%s: %llu bytes instead of %llu", w->path, (unsigned long long)s->size,
			(unsigned long long)w->size);
	assert_int_equal(fcntl(s->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(write(s->fd, "x", 1), -1);
	assert_int_equal(sha256_fd(s->fd, sha256, NULL), GLANE_OK);
	assert_string_equal(sha256, s->sha256);
	assert_int_equal(pread(s->fd, &byte, 1, (off_t)w->size - 1), 1);
	assert_true(byte == '}' || byte == ']');
	assert_int_equal(pread(s->fd, &byte, 1, (off_t)w->size), 0);
	fd_close(&s->fd);
}

static void every_fault_gets_its_verdict(void **state)
{
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *w = &rows[i];
		int64_t began = clock_mono_ms();
		struct seen s = get(p, w->path);

		if (getenv("GLANE_TEST_TRACE"))
			print_message("%s: %s after %u tries, %d, %lld ms: %s\n", w->path, rc_name(s.rc), s.tries,
				s.status, (long long)(clock_mono_ms() - began), s.message);
		if (s.rc != w->rc || s.tries != w->tries || (w->status >= 0 && s.status != w->status))
			fail_msg("%s: %s after %u tries, status %d: %s", w->path, rc_name(s.rc), s.tries, s.status,
				s.message);
		if (w->says && !strstr(s.message, w->says))
			fail_msg("%s: the message lacks '%s': %s", w->path, w->says, s.message);
		if (w->rc == GLANE_OK)
			check_success(w, &s);
		else
			assert_int_equal(s.fd, -1);
	}
}

static void resumed_bytes_are_those_of_one_transfer(void **state)
{
	const struct place *p = *state;
	struct seen whole = get(p, "/data"), cut = get(p, "/resume?bytes"), packed = get(p, "/resume-gzip?bytes");

	assert_string_equal(cut.sha256, whole.sha256);
	assert_string_equal(packed.sha256, whole.sha256);
	assert_int_equal(cut.wire, DATA_SIZE);
	fd_close(&whole.fd);
	fd_close(&cut.fd);
	fd_close(&packed.fd);
}

/* Where an increment may hold nothing, that is an empty body; a wrong address or a server in trouble stays a failure. */
static void nothing_may_be_an_answer(void **state)
{
	static const struct {
		const char *path;
		glane_rc rc;
	} list[] = {{"/204", GLANE_OK}, {"/404-nothing", GLANE_OK}, {"/empty200", GLANE_OK}, {"/404", GLANE_E_FETCH},
		{"/410", GLANE_E_FETCH}, {"/500", GLANE_E_FETCH}, {"/html200", GLANE_E_FORMAT}};
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	const struct fetch_policy policy = policy_of(p);
	char url[512];

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const struct fetch_request q = {.method = "GET",
			.url = url_of(p, list[i].path, url),
			.format = GLANE_FMT_SDMX | FORMAT_MAY_BE_EMPTY};
		struct seen s = fetch_one(&o, &policy, &q);

		if (s.rc != list[i].rc)
			fail_msg("%s: %s: %s", list[i].path, rc_name(s.rc), s.message);
		assert_int_equal(s.size, 0);
		fd_close(&s.fd);
	}
}

static void a_conditional_request_is_answered_by_304(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	struct seen first = get(p, "/etag"), second, third;
	char url[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/etag", url), .format = GLANE_FMT_JSON};

	assert_int_equal(first.rc, GLANE_OK);
	assert_string_equal(first.etag, "\"e1\"");
	assert_string_equal(first.last_modified, "Mon, 02 Nov 2026 10:00:00 GMT");
	q.etag = first.etag;
	q.last_modified = first.last_modified;
	second = fetch_one(&o, &policy, &q);
	assert_int_equal(second.rc, GLANE_OK);
	assert_true(second.not_modified);
	assert_int_equal(second.status, 304);
	assert_int_equal(second.fd, -1);
	q.etag = "\"other\"";
	third = fetch_one(&o, &policy, &q);
	assert_int_equal(third.rc, GLANE_OK);
	assert_false(third.not_modified);
	assert_int_equal(third.size, 11);
	fd_close(&first.fd);
	fd_close(&third.fd);
}

static void caps_hold(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	static const char *const paths[] = {"/data", "/chunked", "/gzip", "/chunk-endless"};
	char url[512];

	policy.max_body = 20000;
	for (size_t i = 0; i < 4; i++) {
		struct fetch_request q = {.method = "GET", .url = url_of(p, paths[i], url), .format = GLANE_FMT_RAW};
		struct seen s = fetch_one(&o, &policy, &q);

		assert_int_equal(s.rc, GLANE_E_LIMIT);
		assert_int_equal(s.tries, 1);
		assert_non_null(strstr(s.message, "max_body (20000"));
	}
	policy.max_body = DATA_SIZE;
	{
		struct fetch_request q = {.method = "GET", .url = url_of(p, "/data", url), .format = GLANE_FMT_JSON};
		struct seen s = fetch_one(&o, &policy, &q);

		assert_int_equal(s.rc, GLANE_OK);
		fd_close(&s.fd);
	}
}

struct secret_row {
	const char *path, *header; /* header: value of X-Api-Key */
	glane_rc rc;
	const char *body; /* part of a success's body, or "" */
	const char *lacks;
	const char *says;
};

static void secrets_go_where_they_may(void **state)
{
	static const struct secret_row list[] = {
		{"/echo-headers", "{auth:KEY}", GLANE_OK, "X-Api-Key: " CANARY "\"", "{auth", NULL},
		{"/echo-headers", "Bearer {auth:FILE};", GLANE_OK, "X-Api-Key: Bearer " CANARY ";\"", "{auth", NULL},
		{"/echo-url?k={auth:KEY}&x=1", "a", GLANE_OK, "?k=" CANARY_ENCODED "&x=1", "{auth", NULL},
		{"/redirect-echo", "{auth:KEY}", GLANE_OK, "X-Api-Key: " CANARY, "{auth", NULL},
		/* another origin, though the same machine: the key stays behind */
		{"/redirect-other-host", "{auth:KEY}", GLANE_OK, "Accept-Encoding", "c4n4ry", NULL},
		{"/redirect-other-host?k={auth:KEY}", "plain", GLANE_OK, "X-Api-Key: plain", "c4n4ry", NULL},
		{"/redirect-leak?k={auth:KEY}", "a", GLANE_E_DENIED, "", "", "would carry a secret away"},
		{"/redirect-twice?k={auth:KEY}", "a", GLANE_E_DENIED, "", "", "would carry a secret away"},
		/* the server cannot ask for a secret by writing a placeholder */
		{"/redirect-placeholder", "{auth:KEY}", GLANE_OK, "{auth:KEY}", "c4n4ry", NULL},
		{"/echo-404?{auth:KEY}", "{auth:KEY}", GLANE_E_FETCH, "", "", "your key is *** ***"},
		{"/ok", "{auth:NONE}", GLANE_E_CONFIG, "", "", "GLANE_TEST_ABSENT"},
		{"/ok", "{auth:UNKNOWN}", GLANE_E_CONFIG, "", "", "UNKNOWN"},
		{"/ok", "{auth:KEY", GLANE_E_CONFIG, "", "", "without '}'"},
		{"/ok", "a\r\nX-Evil: b", GLANE_E_USAGE, "", "", "X-Api-Key"},
	};
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512], body[8192];

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const struct secret_row *w = &list[i];
		struct glane_kv header = {"X-Api-Key", {w->header, strlen(w->header)}};
		struct fetch_request q = {.method = "GET",
			.url = url_of(p, w->path, url),
			.format = GLANE_FMT_JSON,
			.header = &header,
			.n_header = 1};
		struct seen s = fetch_one(&o, &policy, &q);

		if (s.rc != w->rc || strstr(s.message, "c4n4ry") || strstr(s.url, "c4n4ry") || strstr(s.url, "{auth"))
			fail_msg("%s: %s, url %s: %s", w->path, rc_name(s.rc), s.url, s.message);
		if (w->says && !strstr(s.message, w->says))
			fail_msg("%s: the message lacks '%s': %s", w->path, w->says, s.message);
		if (w->rc != GLANE_OK)
			continue;
		(void)read_body(&s, body, sizeof(body));
		if (!strstr(body, w->body) || strstr(body, w->lacks))
			fail_msg("%s: %s", w->path, body);
	}
}

static void a_secret_that_others_can_read_is_refused(void **state)
{
	const struct place *p = *state;
	static const struct {
		const char *content;
		mode_t mode;
		const char *says;
	} list[] = {{CANARY, 0640, "chmod 600"}, {CANARY, 0604, "chmod 600"}, {"", 0600, "empty"},
		{CANARY "\nX-Evil: 1\n", 0600, "control byte"}};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct seen s;

		assert_int_equal(file_replace(p->tmp, "key", slice_of(list[i].content), false, NULL), GLANE_OK);
		assert_int_equal(fchmodat(p->tmp, "key", list[i].mode, 0), 0);
		s = get(p, "/echo-url?k={auth:FILE}");
		assert_int_equal(s.rc, GLANE_E_CONFIG);
		assert_non_null(strstr(s.message, list[i].says));
		assert_null(strstr(s.message, "c4n4ry"));
	}
}

static void a_secret_does_not_travel_in_the_clear(void **state)
{
	const struct place *p = *state;
	static const char *const allowed[] = {"http://192.0.2.1:8080"};
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	struct fetch_request q = {
		.method = "GET", .url = "http://192.0.2.1:8080/?key={auth:KEY}", .format = GLANE_FMT_JSON};
	struct seen s;

	policy.allowed = allowed;
	policy.n_allowed = 1;
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_E_DENIED);
	assert_non_null(strstr(s.message, "security: "));
	assert_non_null(strstr(s.message, "not sent over http"));
}

/* What only a plugin names: https to where anybody could go, and no secret. */
static void a_plugin_alone_names_little(void **state)
{
	static const char *const hosts[] = {"example.org", "http://example.net", "https://example.net:8443",
		"127.0.0.1", "https://[::1]:443", "https://169.254.169.254", "http://127.0.0.1:1", "localhost",
		"*.localhost"};
	static const struct glane_kv secret = {"X-Key", GLANE_STR_INIT("{auth:KEY}")};
	static const struct {
		const char *url, *body;
		size_t n_header;
		const char *says; /* NULL: it may be asked */
	} list[] = {
		{"https://example.org/", NULL, 0, NULL},
		{"https://example.net:8443/", NULL, 0, NULL},
		{"http://example.net/", NULL, 0, "permits neither http nor a local address"},
		{"https://127.0.0.1/", NULL, 0, "permits neither http nor a local address"},
		{"https://0x7f.1/", NULL, 0, "permits neither http nor a local address"},
		{"https://[::1]/", NULL, 0, "permits neither http nor a local address"},
		{"https://169.254.169.254/", NULL, 0, "permits neither http nor a local address"},
		{"http://127.0.0.1:1/", NULL, 0, "permits neither http nor a local address"},
		{"https://localhost/", NULL, 0, "permits neither http nor a local address"},
		{"https://a.localhost/", NULL, 0, "permits neither http nor a local address"},
		{"https://other.example/", NULL, 0, "not among the allowed hosts; if"},
		{"https://example.org/?k={auth:KEY}", NULL, 0, "write `hosts = https://example.org:443`"},
		{"https://example.net:8443/", NULL, 1, "write `hosts = https://example.net:8443`"},
		{"https://example.org/", "k={auth:KEY}", 0, "write `hosts = https://example.org:443`"},
		{"https://named.example/", "k={auth:KEY}", 1, NULL},
	};
	static const char *const named[] = {"named.example"};
	const struct place *p = *state;
	struct fetch_policy policy = policy_of(p);

	policy.allowed = named;
	policy.n_allowed = 1;
	policy.declared = hosts;
	policy.n_declared = sizeof(hosts) / sizeof(hosts[0]);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const struct fetch_request q = {.method = list[i].body ? "POST" : "GET",
			.url = list[i].url,
			.header = &secret,
			.n_header = list[i].n_header,
			.body = list[i].body ? slice_of(list[i].body) : (struct slice){NULL, 0}};
		struct diag d = {0};
		const glane_rc rc = fetch_permitted(&policy, &q, &d);

		if (rc != (list[i].says ? GLANE_E_DENIED : GLANE_OK) ||
			!strstr(d.text, list[i].says ? list[i].says : ""))
			fail_msg("%s: %s: %s", list[i].url, rc_name(rc), d.text);
		assert_int_equal(strncmp(d.text, "security: ", 10) == 0, list[i].says != NULL);
		assert_int_equal(fetch_is_open(&policy, &q), strstr(list[i].url, "named") && !list[i].body);
	}
}

/* Nor does a redirect lead there, or a validator ask for a secret. */
static void what_servers_say_names_nothing(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	const char *declared[] = {p->local, "https://169.254.169.254"};
	char url[512];
	struct strbuf log;
	struct fetch_request q = {
		.method = "GET", .url = url_of(p, "/redirect-other-host", url), .format = GLANE_FMT_JSON};
	struct seen s;

	policy.n_allowed = 1; /* p->base */
	policy.declared = declared;
	policy.n_declared = 2;
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_E_DENIED);
	q = (struct fetch_request){.method = "GET",
		.url = url_of(p, "/ok?validator", url),
		.format = GLANE_FMT_JSON,
		.etag = "\"{auth:KEY}\"",
		.last_modified = "{auth:FILE}"};
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_OK);
	fd_close(&s.fd);
	strbuf_init(&log, 0);
	assert_int_equal(file_read(AT_FDCWD, p->log, 1 << 20, &log, NULL), GLANE_OK);
	assert_non_null(strstr(log.p, "\"{auth:KEY}\""));
	strbuf_release(&log);
}

static void post_sends_its_body(void **state)
{
	static const struct {
		const char *path, *type, *body, *answer;
	} list[] = {
		{"/echo-body", "application/json", "{\"q\":\"{auth:KEY}\"}",
			"[\"POST\", \"{\\\"q\\\":\\\"" CANARY "\\\"}\", \"application/json\"]"},
		{"/echo-body", "application/x-www-form-urlencoded", "k={auth:KEY}&a=b",
			"[\"POST\", \"k=" CANARY_ENCODED "&a=b\", \"application/x-www-form-urlencoded\"]"},
		{"/redirect-post?307", "text/plain", "x=1", "[\"POST\", \"x=1\", \"text/plain\"]"},
		{"/redirect-post?303", "text/plain", "x=1", "[\"GET\", \"\", \"\"]"},
	};
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512], body[4096];

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct fetch_request q = {.method = "POST",
			.url = url_of(p, list[i].path, url),
			.format = GLANE_FMT_JSON,
			.body = slice_of(list[i].body),
			.content_type = list[i].type};
		struct seen s = fetch_one(&o, &policy, &q);

		assert_int_equal(s.rc, GLANE_OK);
		(void)read_body(&s, body, sizeof(body));
		assert_string_equal(body, list[i].answer);
	}
}

struct refused {
	const char *allowed, *url;
	glane_rc rc;
	const char *says;
};

/* Local addresses need to be named as such; %u is the server's port. */
static void local_addresses_are_refused(void **state)
{
	static const struct refused list[] = {
		{"http://127.0.0.1:%u", "http://127.0.0.1:%u/ok", GLANE_OK, ""},
		{"http://127.0.0.1:%u/v2/base", "http://127.0.0.1:%u/ok", GLANE_OK, ""},
		{"http://localhost:%u", "http://localhost:%u/ok", GLANE_OK, ""},
		{"http://localhost:%u", "http://127.0.0.1:%u/ok", GLANE_E_DENIED, "security: "},
		{"http://127.0.0.1:%u", "http://localhost:%u/ok", GLANE_E_DENIED, "security: "},
		{"http://127.0.0.1:1", "http://127.0.0.1:%u/ok", GLANE_E_DENIED, "security: "},
		{"127.0.0.1", "http://127.0.0.1:%u/ok", GLANE_E_DENIED, "security: "},
		{"http://127.0.0.1:%u", "http://0x7f000001:%u/ok", GLANE_OK, ""}, /* the same address, normalised */
		{"http://127.0.0.1:%u", "http://u:p@127.0.0.1:%u/ok", GLANE_E_DENIED, "user:password"},
		{"http://127.0.0.1:%u", "ftp://127.0.0.1:%u/ok", GLANE_E_DENIED, "only http and https"},
		{"http://127.0.0.1:%u", "https://127.0.0.1:%u/ok", GLANE_E_DENIED, "security: "},
	};
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char allowed[128], url[128];

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const char *entries[1] = {allowed};
		struct fetch_request q = {.method = "GET", .url = url, .format = GLANE_FMT_JSON};
		struct strbuf b;
		struct seen s;
		const char *const from[] = {list[i].allowed, list[i].url};
		char *const to[] = {allowed, url};

		for (size_t k = 0; k < 2; k++) {
			const char *mark = strstr(from[k], "%u");

			strbuf_init(&b, 0);
			strbuf_add(&b, from[k], mark ? (size_t)(mark - from[k]) : strlen(from[k]));
			if (mark)
				strbuf_fmt(&b, "%u%s", p->server.port, mark + 2);
			(void)snprintf(to[k], 128, "%s", b.p);
			strbuf_release(&b);
		}
		policy.allowed = entries;
		policy.n_allowed = 1;
		s = fetch_one(&o, &policy, &q);
		if (s.rc != list[i].rc || !strstr(s.message, list[i].says))
			fail_msg("%s under %s: %s: %s", url, allowed, rc_name(s.rc), s.message);
		fd_close(&s.fd);
	}
}

static void retry_after_beyond_patience_is_reported(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/503-far", url), .format = GLANE_FMT_JSON};
	int64_t began = clock_mono_ms();
	struct seen s;

	q.deadline_ms = began + 5000;
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_E_FETCH);
	assert_int_equal(s.tries, 1);
	assert_true(s.retry_after > (int64_t)86400 * 365 * 900);
	assert_true(clock_mono_ms() - began < 4000);
}

static void a_retry_after_is_waited_for(void **state)
{
	const struct place *p = *state;
	int64_t began = clock_mono_ms();
	struct seen s = get(p, "/503-retry-after?wait");

	assert_int_equal(s.rc, GLANE_OK);
	assert_int_equal(s.tries, 2);
	assert_true(clock_mono_ms() - began >= 990);
	fd_close(&s.fd);
}

/* Of 1,000 draws the longest comes near to what is allowed, and none beyond it. */
static void backoff_doubles_up_to_a_minute(void **state)
{
	(void)state;
	for (unsigned failures = 1; failures <= 10; failures++) {
		int64_t most = failures < 7 ? 1000 << (failures - 1) : 60000, longest = 0;

		for (size_t i = 0; i < 1000; i++) {
			int64_t wait = fetch_backoff_ms(1.0, failures);

			assert_true(wait >= 0);
			longest = wait > longest ? wait : longest;
		}
		if (longest > most || longest < most * 9 / 10)
			fail_msg("%u failures: up to %lld ms, not %lld", failures, (long long)longest, (long long)most);
	}
	assert_in_range(fetch_backoff_ms(1e9, 1), 0, 60000);
	assert_in_range(fetch_backoff_ms(1.0, 4000000000U), 0, 60000);
}

static void the_deadline_ends_it(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/stall", url), .format = GLANE_FMT_JSON};
	int64_t began = clock_mono_ms();
	struct seen s;

	q.deadline_ms = began + 300;
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_E_FETCH);
	assert_non_null(strstr(s.message, "deadline"));
	assert_true(clock_mono_ms() - began >= 290);
}

/* A line that drops more often than there are retries, but moves on each time. The server's body is too small to count as
 * progress, so here the retries are what carries it; six breaks need six. */
static void many_breaks_are_survived_with_retries(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/resume-often?a", url), .format = GLANE_FMT_JSON};
	struct seen s;

	policy.retries = 6;
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_OK);
	assert_int_equal(s.tries, 7);
	assert_int_equal(s.size, DATA_SIZE);
	assert_int_equal(s.wire, DATA_SIZE);
	fd_close(&s.fd);
}

static void progress_does_not_use_up_retries(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/resume-big", url), .format = GLANE_FMT_RAW};
	struct seen s;

	policy.retries = 1;
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_OK);
	assert_int_equal(s.tries, 6);
	assert_int_equal(s.size, (uint64_t)8 << 20);
	fd_close(&s.fd);
}

/* Of three requests at two a second the last waits. False: the machine is so busy that nobody can tell. */
static bool third_waits(const struct place *p)
{
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	struct seen s = {.fd = -1};
	struct diag d = {0};
	struct fetch_progress progress = {0};
	const int64_t began = clock_mono_ms();
	struct fetcher *f;
	char url[512];
	uint64_t id[3];
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/404", url), .format = GLANE_FMT_JSON};
	bool quick;

	o.limits_file = p->limits;
	policy.rate = 2;
	assert_int_equal(fetcher_new(&f, &o, &d), GLANE_OK);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fetch_start(f, &policy, &q, on_done, &s, &id[i], &d), GLANE_OK);
	run_until(f, &s, 2);
	quick = clock_mono_ms() - began < 400;
	if (quick) {
		assert_true(fetch_progress(f, id[2], &progress));
		assert_string_equal(progress.state, "waiting (rate limit)");
	}
	run_until(f, &s, 3);
	assert_true(clock_mono_ms() - began >= 450);
	assert_false(fetch_progress(f, id[2], &progress));
	fetcher_free(f);
	assert_int_equal(access(p->limits, F_OK), 0);
	return quick;
}

static void rates_are_kept_and_stored(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512];
	const struct fetch_request q = {.method = "GET", .url = url_of(p, "/404", url), .format = GLANE_FMT_JSON};
	bool seen = false;
	int64_t began;

	for (int i = 0; i < 10 && !seen; i++) {
		(void)unlink(p->limits);
		seen = third_waits(p);
	}
	assert_true(seen);
	/* The next process finds the bucket as it was left. */
	o.limits_file = p->limits;
	policy.rate = 1;
	began = clock_mono_ms();
	(void)fetch_one(&o, &policy, &q);
	assert_true(clock_mono_ms() - began >= 400);
}

static void buckets_survive_odd_clocks(void **state)
{
	const struct place *p = *state;
	struct diag d = {0};
	struct limits *l;
	char text[256];

	/* written in the future, and blocked for a year: at most five minutes of it hold */
	(void)snprintf(text, sizeof(text),
		"{\"hosts\":{\"a.example\":{\"at\":%lld,\"blocked_until\":%lld,\"millitokens\":0},"
		"\"b.example\":{\"at\":5,\"millitokens\":0}}}",
		(long long)clock_utc() + 86400, (long long)clock_utc() + 86400 * 365);
	assert_int_equal(file_replace(p->tmp, "limits.json", slice_of(text), false, &d), GLANE_OK);
	l = limits_new(p->limits);
	assert_non_null(l);
	assert_in_range(limits_take(l, "a.example", 5, clock_mono_ms()), 1, 300000);
	assert_int_equal(limits_take(l, "b.example", 5, clock_mono_ms()), 0);
	limits_free(l);
	/* rubbish is an empty file */
	assert_int_equal(file_replace(p->tmp, "limits.json", SLICE("{[}"), false, &d), GLANE_OK);
	l = limits_new(p->limits);
	assert_non_null(l);
	assert_int_equal(limits_take(l, "a.example", 5, clock_mono_ms()), 0);
	limits_free(l);
}

struct both {
	struct fetcher *f;
	uint64_t other;
	struct seen seen;
};

static void on_done_cancel(void *arg, uint64_t id, struct fetch_result *r)
{
	struct both *b = arg;

	fetch_cancel(b->f, b->other);
	fetch_cancel(b->f, id);
	on_done(&b->seen, id, r);
}

static void cancelling_is_final(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	struct both b = {.seen = {.fd = -1}};
	struct seen never = {.fd = -1};
	struct diag d = {0};
	char ok[512], stall[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/stall", stall), .format = GLANE_FMT_JSON};
	uint64_t id;

	assert_int_equal(fetcher_new(&b.f, &o, &d), GLANE_OK);
	assert_int_equal(fetch_start(b.f, &policy, &q, on_done, &never, &b.other, &d), GLANE_OK);
	q.url = url_of(p, "/ok", ok);
	assert_int_equal(fetch_start(b.f, &policy, &q, on_done_cancel, &b, &id, &d), GLANE_OK);
	run_until(b.f, &b.seen, 1);
	assert_int_equal(fetcher_step(b.f, NULL, 0, 100, &d), GLANE_OK);
	assert_int_equal(never.calls, 0);
	assert_int_equal(fetch_start(b.f, &policy, &q, on_done, &never, &id, &d), GLANE_OK);
	fetcher_free(b.f);
	assert_int_equal(never.calls, 0);
	fd_close(&b.seen.fd);
}

static void a_ready_descriptor_ends_the_step(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct diag d = {0};
	struct pollfd watch[2] = {{.fd = -1, .events = POLLIN}, {.events = POLLIN}};
	int64_t began = clock_mono_ms();
	struct fetcher *f;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fetcher_new(&f, &o, &d), GLANE_OK);
	watch[1].fd = ends[0];
	assert_int_equal(fetcher_step(f, watch, 2, 50, &d), GLANE_OK);
	assert_int_equal(watch[1].revents, 0);
	assert_true(clock_mono_ms() - began >= 50);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(fetcher_step(f, watch, 2, 10000, &d), GLANE_OK);
	assert_int_equal(watch[1].revents, POLLIN);
	fd_close(&ends[1]);
	assert_int_equal(read(ends[0], &d, 1), 1);
	assert_int_equal(fetcher_step(f, watch, 2, 10000, &d), GLANE_OK);
	assert_int_equal(watch[1].revents & POLLHUP, POLLHUP);
	assert_true(clock_mono_ms() - began < 9000); /* not the step's 10 s */
	fd_close(&ends[0]);
	fetcher_free(f);
}

/* How long four requests take that are answered after 0.3 s each, as failures so that no descriptors pile up. */
static int64_t four_slow_ones(const struct place *p, unsigned per_host)
{
	struct fetch_options o = options_for(p, "");
	struct fetch_policy policy = policy_of(p);
	struct seen s = {.fd = -1};
	struct diag d = {0};
	int64_t began = clock_mono_ms();
	struct fetcher *f;
	char url[512];
	uint64_t id;
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/slow", url), .format = GLANE_FMT_XML};

	o.per_host = per_host;
	assert_int_equal(fetcher_new(&f, &o, &d), GLANE_OK);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(fetch_start(f, &policy, &q, on_done, &s, &id, &d), GLANE_OK);
	run_until(f, &s, 4);
	fetcher_free(f);
	return clock_mono_ms() - began;
}

/* Two at a time never take less than two answers; on a busy machine one of several goes has to show that it was two. */
static void requests_to_one_host_run_side_by_side(void **state)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < 10 && best > 1150; i++) {
		const int64_t took = four_slow_ones(*state, 2);

		assert_true(took >= 550);
		best = took < best ? took : best;
	}
	assert_true(best <= 1150);
}

/* Processor time of three steps with n requests of which one can be under way. */
static clock_t waiting_cost(const struct place *p, unsigned n)
{
	struct fetch_options o = options_for(p, "");
	struct fetch_policy policy = policy_of(p);
	struct seen s = {.fd = -1};
	struct diag d = {0};
	struct fetcher *f;
	char url[512];
	uint64_t id;
	clock_t began;
	struct fetch_request q = {.method = "GET", .url = url_of(p, "/slow", url), .format = GLANE_FMT_XML};

	o.per_host = 1;
	assert_int_equal(fetcher_new(&f, &o, &d), GLANE_OK);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(fetch_start(f, &policy, &q, on_done, &s, &id, &d), GLANE_OK);
	began = clock();
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fetcher_step(f, NULL, 0, 20, &d), GLANE_OK);
	began = clock() - began;
	fetcher_free(f);
	return began;
}

/* Those that wait for the one connection to a host do not each look through all others: sixteen times as many cost no 256 times as much. */
static void many_requests_wait_at_little_cost(void **state)
{
	const clock_t least = CLOCKS_PER_SEC / 200, few = waiting_cost(*state, 1000);

	assert_true(waiting_cost(*state, 16000) < 80 * (few > least ? few : least));
}

static void impossible_requests_do_not_start(void **state)
{
	static const struct glane_kv own = {"Host", {"x", 1}}, bad = {"X Y", {"x", 1}};
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	struct fetch_request q = {.method = "DELETE", .url = p->base, .format = GLANE_FMT_JSON};

	assert_int_equal(fetch_one(&o, &policy, &q).rc, GLANE_E_USAGE);
	q.method = "GET";
	q.body = SLICE("x");
	assert_int_equal(fetch_one(&o, &policy, &q).rc, GLANE_E_USAGE);
	q.body = (struct slice){NULL, 0};
	q.header = &own;
	q.n_header = 1;
	assert_int_equal(fetch_one(&o, &policy, &q).rc, GLANE_E_USAGE);
	q.header = &bad;
	assert_int_equal(fetch_one(&o, &policy, &q).rc, GLANE_E_USAGE);
	q.n_header = 0;
	q.etag = "\"a\"\r\nX: y";
	assert_int_equal(fetch_one(&o, &policy, &q).rc, GLANE_E_USAGE);
}

static void no_server_is_retried(void **state)
{
	const struct place *p = *state;
	static const char *const allowed[] = {"http://127.0.0.1:1"};
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	struct fetch_request q = {.method = "GET", .url = "http://127.0.0.1:1/", .format = GLANE_FMT_JSON};
	struct seen s;

	policy.allowed = allowed;
	policy.n_allowed = 1;
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_E_FETCH);
	assert_int_equal(s.tries, 3);
	assert_int_equal(s.status, 0);
}

static void engine_says_who_it_is(void **state)
{
	const struct place *p = *state;
	struct seen s = get(p, "/echo-headers");
	char body[4096];

	assert_int_equal(s.rc, GLANE_OK);
	(void)read_body(&s, body, sizeof(body));
	assert_non_null(strstr(body, "User-Agent: glane/"));
	assert_non_null(strstr(body, " (stats@example.org)\""));
	assert_non_null(strstr(body, "\"Accept-Encoding: gzip\""));
	assert_null(strstr(body, "Cookie"));
	assert_null(strstr(body, "Authorization"));
}

/* One fetch with the n-th allocation failing, once or from there on: a clear end, nothing leaked, no hang. */
static struct seen fetch_starved(const struct place *p, const char *path, long n, bool for_ever)
{
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, path, url), .format = GLANE_FMT_JSON};
	struct seen s = {.fd = -1, .rc = GLANE_E_NOMEM};
	struct fetcher *f = NULL;
	uint64_t id;

	policy.retries = 1;
	mem_fail_after(n, for_ever);
	if (fetcher_new(&f, &o, NULL) == GLANE_OK) {
		s.rc = fetch_start(f, &policy, &q, on_done, &s, &id, NULL);
		for (int i = 0; s.rc == GLANE_OK && !s.calls && i < 100; i++) {
			glane_rc rc = fetcher_step(f, NULL, 0, 1000, NULL);

			if (rc != GLANE_OK)
				s.rc = rc;
		}
	}
	fetcher_free(f);
	mem_fail_after(0, false);
	return s;
}

static void running_out_of_memory_is_survived(void **state)
{
	static const char *const paths[] = {"/gzip", "/redirect", "/404", "/resume?starved"};
	const struct place *p = *state;
	bool whole = false;

	for (int i = 0; i < 8; i++) {
		for (long n = 1; n < 120; n++) {
			struct seen s = fetch_starved(p, paths[i / 2], n, i % 2);

			whole = s.rc == GLANE_OK || s.status == 404;
			assert_true(whole || s.rc < 0);
			fd_close(&s.fd);
		}
		assert_true(whole); /* the loop went past the last allocation */
	}
}

struct pile {
	size_t n;
	char text[600];
};

static glane_rc pile_up(void *arg, const char *p, size_t n, struct diag *d)
{
	struct pile *pile = arg;

	if (n > sizeof(pile->text) - pile->n)
		return (fail)(d, GLANE_E_LIMIT, "more than was packed");
	memcpy(pile->text + pile->n, p, n);
	pile->n += n;
	return GLANE_OK;
}

/* printf 'hello, hello, hello' | gzip -n, twice: two members */
static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd,
	0xc9, 0xc9, 0xd7, 0x51, 0xc8, 0x40, 0xa2, 0x00, 0x9f, 0xa1, 0xca, 0x09, 0x13, 0x00, 0x00, 0x00};

static glane_rc decode(const char *in, size_t n, size_t piece, struct pile *pile)
{
	struct decoder *z = decoder_new(CODING_GZIP);
	glane_rc rc = GLANE_OK;

	*pile = (struct pile){0};
	assert_non_null(z);
	for (size_t i = 0; rc == GLANE_OK && i < n; i += piece)
		rc = decoder_add(z, in + i, n - i < piece ? n - i : piece, pile_up, pile, NULL);
	if (rc == GLANE_OK)
		rc = decoder_end(z, NULL);
	decoder_free(z);
	return rc;
}

static void gzip_cut_and_split_at_every_byte(void **state)
{
	char two[2 * sizeof(packed) + 1];
	struct pile pile;

	(void)state;
	memcpy(two, packed, sizeof(packed));
	memcpy(two + sizeof(packed), packed, sizeof(packed));
	for (size_t n = 0; n <= 2 * sizeof(packed); n++) {
		bool whole = n && n % sizeof(packed) == 0;

		assert_int_equal(decode(two, n, sizeof(two), &pile), whole ? GLANE_OK : GLANE_E_FORMAT);
	}
	for (size_t piece = 1; piece <= 2 * sizeof(packed); piece++) {
		assert_int_equal(decode(two, 2 * sizeof(packed), piece, &pile), GLANE_OK);
		assert_int_equal(pile.n, 38);
		assert_memory_equal(pile.text, "hello, hello, hellohello, hello, hello", 38);
	}
	two[2 * sizeof(packed)] = 'x';
	for (size_t piece = 1; piece <= sizeof(two); piece++)
		assert_int_equal(decode(two, sizeof(two), piece, &pile), GLANE_E_FORMAT);
}

/* The canary was sent by many of the tests above: it must not lie anywhere but in the answers. */
static void no_secret_is_left_in_a_file(void **state)
{
	const struct place *p = *state;
	struct strbuf b;

	strbuf_init(&b, 0);
	if (file_exists(AT_FDCWD, p->limits))
		assert_int_equal(file_read(AT_FDCWD, p->limits, 1 << 20, &b, NULL), GLANE_OK);
	assert_true(!b.n || !strstr(b.p, "c4n4ry"));
	strbuf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_cut_and_split_at_every_byte),
		cmocka_unit_test(every_fault_gets_its_verdict),
		cmocka_unit_test(resumed_bytes_are_those_of_one_transfer),
		cmocka_unit_test(nothing_may_be_an_answer),
		cmocka_unit_test(a_conditional_request_is_answered_by_304),
		cmocka_unit_test(caps_hold),
		cmocka_unit_test(secrets_go_where_they_may),
		cmocka_unit_test(a_secret_that_others_can_read_is_refused),
		cmocka_unit_test(a_secret_does_not_travel_in_the_clear),
		cmocka_unit_test(post_sends_its_body),
		cmocka_unit_test(local_addresses_are_refused),
		cmocka_unit_test(a_plugin_alone_names_little),
		cmocka_unit_test(what_servers_say_names_nothing),
		cmocka_unit_test(retry_after_beyond_patience_is_reported),
		cmocka_unit_test(a_retry_after_is_waited_for),
		cmocka_unit_test(backoff_doubles_up_to_a_minute),
		cmocka_unit_test(the_deadline_ends_it),
		cmocka_unit_test(many_breaks_are_survived_with_retries),
		cmocka_unit_test(progress_does_not_use_up_retries),
		cmocka_unit_test(rates_are_kept_and_stored),
		cmocka_unit_test(buckets_survive_odd_clocks),
		cmocka_unit_test(cancelling_is_final),
		cmocka_unit_test(a_ready_descriptor_ends_the_step),
		cmocka_unit_test(requests_to_one_host_run_side_by_side),
		cmocka_unit_test(many_requests_wait_at_little_cost),
		cmocka_unit_test(impossible_requests_do_not_start),
		cmocka_unit_test(no_server_is_retried),
		cmocka_unit_test(engine_says_who_it_is),
		cmocka_unit_test(running_out_of_memory_is_survived),
		cmocka_unit_test(no_secret_is_left_in_a_file),
	};

	if (!fault_server_available()) {
		(void)printf("1..0 # SKIP python3 is not there\n");
		return 0;
	}
	return cmocka_run_group_tests_name("fetch", tests, setup, teardown);
}
