/* SPDX-License-Identifier: MIT */
/* Names that lead to this machine or its network: what DNS says is no permission (RELIABILITY H20). The resolver is ours, in front of libc's. */
#include "unit/fetch_fixture.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#define ADDRESSES 3

/* NAME.test resolves to these, in this order; a name that was asked for before resolves to `then`. */
struct name {
	const char *host;
	const char *address[ADDRESSES], *then;
	unsigned asked;
};
static struct name names[] = {
	{"loop.test", {"127.0.0.1"}, NULL, 0},
	{"loop2.test", {"127.0.0.2"}, NULL, 0},
	{"six.test", {"::1"}, NULL, 0},
	{"mapped.test", {"::ffff:127.0.0.1"}, NULL, 0},
	{"nat64.test", {"64:ff9b::7f00:1"}, NULL, 0},
	{"zero.test", {"0.0.0.0"}, NULL, 0},
	{"private.test", {"10.1.2.3"}, NULL, 0},
	{"metadata.test", {"169.254.169.254"}, NULL, 0},
	{"shared.test", {"100.64.0.1"}, NULL, 0},
	{"unique.test", {"fd00::1"}, NULL, 0},
	{"link.test", {"fe80::1"}, NULL, 0},
	/* rebinding: a public address beside a local one, or one after the other */
	{"both.test", {"127.0.0.1", "127.0.0.1"}, NULL, 0},
	{"mixed.test", {"::1", "10.0.0.1", "127.0.0.1"}, NULL, 0},
	{"later.test", {"127.0.0.1"}, "127.0.0.2", 0},
	/* a host named like a loopback name that is none */
	{"localhost.test", {"127.0.0.1"}, NULL, 0},
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct addrinfo *one(const char *text, const char *service)
{
	struct {
		struct addrinfo ai;
		struct sockaddr_in6 room;
	} *e = calloc(1, sizeof(*e));
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	unsigned port = service ? (unsigned)strtoul(service, NULL, 10) : 0;

	if (!e)
		return NULL;
	e->ai.ai_socktype = SOCK_STREAM;
	e->ai.ai_protocol = IPPROTO_TCP;
	e->ai.ai_addr = (struct sockaddr *)(void *)&e->room;
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		v4.sin_port = htons((uint16_t)port);
		e->ai.ai_family = AF_INET;
		e->ai.ai_addrlen = sizeof(v4);
		memcpy(&e->room, &v4, sizeof(v4));
	} else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		v6.sin6_port = htons((uint16_t)port);
		e->ai.ai_family = AF_INET6;
		e->ai.ai_addrlen = sizeof(v6);
		e->room = v6;
	}
	return &e->ai;
}

/* libcurl's calls end here: the program's symbols come before libc's. */
__attribute__((visibility("default"))) int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res);
__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *list);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	struct addrinfo **at = res;

	(void)hints;
	*res = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct name *n = &names[i];

		if (strcmp(n->host, node) != 0)
			continue;
		pthread_mutex_lock(&lock);
		if (n->asked++ && n->then)
			n->address[0] = n->then;
		pthread_mutex_unlock(&lock);
		for (size_t k = 0; k < ADDRESSES && n->address[k]; k++) {
			*at = one(n->address[k], service);
			if (*at)
				at = &(*at)->ai_next;
		}
		return 0;
	}
	return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;

		free(list);
		list = next;
	}
}

struct name_row {
	const char *host;    /* asked: http://HOST:PORT/ok */
	const char *entries; /* of the allow-list, blank-separated; %p is the port */
	glane_rc rc;
	const char *says;
};

/* The entries with the server's port. */
static size_t entries_of(const struct place *p, const char *text, char room[4][128], const char *list[4])
{
	struct slice rest = slice_of(text);
	size_t n = 0;

	while (rest.n && n < 4) {
		struct slice word = slice_cut(&rest, ' '), head = slice_cut(&word, '%');

		(void)snprintf(room[n], 128, "%.*s", SLICE_FMT(head));
		if (word.p)
			(void)snprintf(room[n], 128, "%.*s%u", SLICE_FMT(head), p->server.port);
		list[n] = room[n];
		n++;
	}
	return n;
}

static struct seen get_name(const struct place *p, const char *host, const char *path, const char *entries)
{
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char url[512], room[4][128];
	const char *list[4];
	struct fetch_request q = {.method = "GET", .url = url, .format = GLANE_FMT_JSON};

	(void)snprintf(url, sizeof(url), "http://%s:%u%s", host, p->server.port, path);
	policy.allowed = list;
	policy.n_allowed = entries_of(p, entries, room, list);
	policy.retries = 0;
	return fetch_one(&o, &policy, &q);
}

static void names_of_local_addresses_are_refused(void **state)
{
	static const struct name_row rows[] = {
		/* the name alone is no permission, and neither is the address alone */
		{"loop.test", "http://loop.test:%p", GLANE_E_DENIED, "security: GET http://loop.test:"},
		{"loop.test", "http://127.0.0.1:%p", GLANE_E_DENIED, "not among the allowed hosts"},
		{"loop.test", "http://loop.test:%p http://127.0.0.1:%p", GLANE_OK, NULL},
		{"loop.test", "http://127.0.0.1:%p/base http://loop.test:%p/v2", GLANE_OK, NULL},
		{"loop.test", "http://loop.test:%p http://127.0.0.1:1", GLANE_E_DENIED, "local address 127.0.0.1"},
		{"loop.test", "http://loop.test:%p http://127.0.0.2:%p", GLANE_E_DENIED, "local address 127.0.0.1"},
		{"loop.test", "http://loop.test:%p http://localhost:%p", GLANE_E_DENIED, "local address 127.0.0.1"},
		{"loop.test", "http://loop.test:%p 127.0.0.1", GLANE_E_DENIED, "local address 127.0.0.1"},
		{"loop2.test", "http://loop2.test:%p http://127.0.0.1:%p", GLANE_E_DENIED, "local address 127.0.0.2"},
		{"localhost.test", "http://localhost.test:%p", GLANE_E_DENIED, "local address 127.0.0.1"},
		{"localhost.test", "http://localhost.test:%p http://localhost:%p", GLANE_E_DENIED, "local address"},
		{"six.test", "http://six.test:%p", GLANE_E_DENIED, "local address ::1"},
		{"mapped.test", "http://mapped.test:%p", GLANE_E_DENIED, "local address ::ffff:127.0.0.1"},
		{"nat64.test", "http://nat64.test:%p", GLANE_E_DENIED, "local address 64:ff9b::"},
		{"zero.test", "http://zero.test:%p", GLANE_E_DENIED, "local address 0.0.0.0"},
		{"private.test", "http://private.test:%p", GLANE_E_DENIED, "local address 10.1.2.3"},
		{"metadata.test", "http://metadata.test:%p", GLANE_E_DENIED, "local address 169.254.169.254"},
		{"shared.test", "http://shared.test:%p", GLANE_E_DENIED, "local address 100.64.0.1"},
		{"unique.test", "http://unique.test:%p", GLANE_E_DENIED, "local address fd00::1"},
		{"link.test", "http://link.test:%p", GLANE_E_DENIED, "local address fe80::1"},
		{"both.test", "http://both.test:%p", GLANE_E_DENIED, "local address"},
		{"mixed.test", "http://mixed.test:%p", GLANE_E_DENIED, "local address"},
		/* one of its addresses is permitted: that one is used */
		{"mixed.test", "http://mixed.test:%p http://127.0.0.1:%p", GLANE_OK, NULL},
		{"nobody.test", "http://nobody.test:%p", GLANE_E_FETCH, "nobody.test"},
	};
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen s = get_name(p, rows[i].host, "/ok", rows[i].entries);

		if (s.rc != rows[i].rc || (rows[i].says && !strstr(s.message, rows[i].says)))
			fail_msg("%s under %s: %s: %s", rows[i].host, rows[i].entries, rc_name(s.rc), s.message);
		fd_close(&s.fd);
	}
}

/* The first answer was permitted; the next time the name leads elsewhere on this machine. */
static void a_name_that_is_rebound_is_checked_again(void **state)
{
	const struct place *p = *state;
	static const char entries[] = "http://later.test:%p http://127.0.0.1:%p";
	struct seen s = get_name(p, "later.test", "/ok", entries);

	assert_int_equal(s.rc, GLANE_OK);
	fd_close(&s.fd);
	s = get_name(p, "later.test", "/ok", entries);
	assert_int_equal(s.rc, GLANE_E_DENIED);
	assert_non_null(strstr(s.message, "local address 127.0.0.2"));
}

/* A redirect to an allowed name ends at the same check. */
static void redirects_to_such_names_are_refused(void **state)
{
	const struct place *p = *state;
	char path[128];
	struct seen s;

	(void)snprintf(path, sizeof(path), "/redirect-to?http://loop2.test:%u/ok", p->server.port);
	s = get_name(p, "127.0.0.1", path, "http://127.0.0.1:%p http://loop2.test:%p");
	assert_int_equal(s.rc, GLANE_E_DENIED);
	assert_non_null(strstr(s.message, "security: GET http://127.0.0.1:"));
	assert_non_null(strstr(s.message, "loop2.test leads to the local address 127.0.0.2"));
}

/* A connection that one source was permitted to make serves no other one. */
static void a_connection_is_checked_for_each_source(void **state)
{
	const struct place *p = *state;
	const char *const words[] = {"http://loop.test:%p http://127.0.0.1:%p", "http://loop.test:%p"};
	struct fetch_options o = options_of(p);
	struct fetcher *f;
	struct diag d = {0};
	char room[2][4][128], url[128];
	const char *list[2][4];

	(void)snprintf(url, sizeof(url), "http://loop.test:%u/ok", p->server.port);
	assert_int_equal(fetcher_new(&f, &o, &d), GLANE_OK);
	for (int i = 0; i < 3; i++) {
		struct fetch_policy policy = policy_of(p);
		const struct fetch_request q = {.method = "GET", .url = url, .format = GLANE_FMT_JSON};
		struct seen s = {.fd = -1};
		uint64_t id;

		policy.allowed = list[i % 2];
		policy.n_allowed = entries_of(p, words[i % 2], room[i % 2], list[i % 2]);
		assert_int_equal(fetch_start(f, &policy, &q, on_done, &s, &id, &d), GLANE_OK);
		run_until(f, &s, 1);
		assert_int_equal(s.rc, i % 2 ? GLANE_E_DENIED : GLANE_OK);
		if (i % 2)
			assert_non_null(strstr(s.message, "loop.test leads to the local address 127.0.0.1"));
		fd_close(&s.fd);
	}
	fetcher_free(f);
}

/* The address may be named: the name is the plugin's alone. */
static void names_of_a_plugin_lead_to_no_local_address(void **state)
{
	const struct place *p = *state;
	struct fetch_options o = options_of(p);
	struct fetch_policy policy = policy_of(p);
	char room[4][128], url[128], declared[128];
	const char *list[4], *names_of_plugin[] = {declared};
	struct fetch_request q = {.method = "GET", .url = url, .format = GLANE_FMT_JSON};
	struct seen s;

	(void)snprintf(url, sizeof(url), "https://loop.test:%u/ok", p->server.port);
	(void)snprintf(declared, sizeof(declared), "https://loop.test:%u", p->server.port);
	policy.allowed = list;
	policy.n_allowed = entries_of(p, "http://127.0.0.1:%p https://127.0.0.1:%p", room, list);
	policy.declared = names_of_plugin;
	policy.n_declared = 1;
	s = fetch_one(&o, &policy, &q);
	assert_int_equal(s.rc, GLANE_E_DENIED);
	assert_non_null(strstr(s.message, "loop.test leads to the local address 127.0.0.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_local_addresses_are_refused),
		cmocka_unit_test(a_name_that_is_rebound_is_checked_again),
		cmocka_unit_test(redirects_to_such_names_are_refused),
		cmocka_unit_test(a_connection_is_checked_for_each_source),
		cmocka_unit_test(names_of_a_plugin_lead_to_no_local_address),
	};

	if (!fault_server_available()) {
		(void)printf("1..0 # SKIP python3 is not there\n");
		return 0;
	}
	return cmocka_run_group_tests_name("fetch_names", tests, setup, teardown);
}
