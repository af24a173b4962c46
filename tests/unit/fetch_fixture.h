/* SPDX-License-Identifier: MIT */
/* For the tests of the fetch engine: a folder, a server of faults, one fetch and what came of it. */
#ifndef FETCH_FIXTURE_H
#define FETCH_FIXTURE_H
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/fetch.h"
#include "support/fault_server.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CANARY "c4n4ry/secret+text"
#define CANARY_ENCODED "c4n4ry%2Fsecret%2Btext"

struct place {
	struct fault_server server;
	char path[200], base[64], local[64], limits[256], secret[256], log[256];
	const char *allowed[2];
	struct fetch_secret secrets[3];
	int tmp;
};

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

/* The system's own minimum of TLS is out of the way, for us and for the server: who refuses TLS 1.1 is the engine. */
static inline bool speak_any_tls(const struct place *p)
{
	char conf[256];

	(void)snprintf(conf, sizeof(conf), "%s/lax.cnf", p->path);
	return file_replace(p->tmp, "lax.cnf",
		       SLICE("openssl_conf = lax\n[lax]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n"
			     "[all]\nMinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n"),
		       false, NULL) == GLANE_OK &&
	       setenv("OPENSSL_CONF", conf, 1) == 0;
}

static inline int setup_place(void **state, bool tls)
{
	static struct place p;
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(p.path, sizeof(p.path), "%s/test_fetch.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(p.path))
		return -1;
	p.tmp = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(p.limits, sizeof(p.limits), "%s/limits.json", p.path);
	(void)snprintf(p.secret, sizeof(p.secret), "file:%s/key", p.path);
	(void)snprintf(p.log, sizeof(p.log), "%s/log", p.path);
	if (file_replace(p.tmp, "key", SLICE(CANARY "\n"), false, NULL) < 0 || fchmodat(p.tmp, "key", 0600, 0) < 0 ||
		setenv("GLANE_TEST_SECRET", CANARY, 1) < 0 || (tls && !speak_any_tls(&p)) ||
		!fault_server_start(&p.server, p.log, tls ? p.path : NULL))
		return -1;
	(void)snprintf(p.base, sizeof(p.base), "http://127.0.0.1:%u", p.server.port);
	(void)snprintf(p.local, sizeof(p.local), "http://localhost:%u", p.server.port);
	p.allowed[0] = p.base;
	p.allowed[1] = p.local;
	p.secrets[0] = (struct fetch_secret){"KEY", "env:GLANE_TEST_SECRET"};
	p.secrets[1] = (struct fetch_secret){"FILE", p.secret};
	p.secrets[2] = (struct fetch_secret){"NONE", "env:GLANE_TEST_ABSENT"};
	*state = &p;
	return 0;
}

static inline int setup(void **state)
{
	return setup_place(state, false);
}

static inline int setup_tls(void **state)
{
	return setup_place(state, true);
}

static inline int teardown(void **state)
{
	struct place *p = *state;

	fault_server_stop(&p->server);
	fd_close(&p->tmp);
	return nftw(p->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* What a callback saw; asserted on afterwards. */
struct seen {
	unsigned calls, tries;
	glane_rc rc;
	int status, fd;
	bool not_modified;
	uint64_t size, wire;
	int64_t retry_after;
	char message[2048], sha256[SHA256_HEX], etag[128], last_modified[64], url[512];
};

static inline void on_done(void *arg, uint64_t id, struct fetch_result *r)
{
	struct seen *s = arg;

	(void)id;
	s->calls++;
	s->tries = r->tries;
	s->rc = r->rc;
	s->status = r->status;
	s->not_modified = r->not_modified;
	s->size = r->size;
	s->wire = r->wire;
	s->retry_after = r->retry_after;
	s->fd = r->fd;
	r->fd = -1;
	(void)snprintf(s->message, sizeof(s->message), "%s", r->message);
	(void)snprintf(s->sha256, sizeof(s->sha256), "%s", r->sha256);
	(void)snprintf(s->etag, sizeof(s->etag), "%s", r->etag);
	(void)snprintf(s->last_modified, sizeof(s->last_modified), "%s", r->last_modified);
	(void)snprintf(s->url, sizeof(s->url), "%s", r->url);
}

static inline struct fetch_options options_of(const struct place *p)
{
	return (struct fetch_options){
		.tmp_dir = p->tmp, .contact = "stats@example.org", .stall_seconds = 1, .retry_base_seconds = 0.02};
}

/* A second for the rows that stall; the others are not to fail because the machine is busy. */
static inline struct fetch_options options_for(const struct place *p, const char *path)
{
	struct fetch_options o = options_of(p);

	if (!strstr(path, "stall") && !strstr(path, "drip"))
		o.stall_seconds = 60;
	return o;
}

static inline struct fetch_policy policy_of(const struct place *p)
{
	return (struct fetch_policy){.source = "test",
		.allowed = p->allowed,
		.n_allowed = 2,
		.secrets = p->secrets,
		.n_secrets = 3,
		.retries = 2,
		.rate = 10000};
}

static inline void run_until(struct fetcher *f, const struct seen *s, unsigned calls)
{
	int64_t end = clock_mono_ms() + 60000;
	struct diag d = {0};

	while (s->calls < calls && clock_mono_ms() < end)
		assert_int_equal(fetcher_step(f, NULL, 0, 1000, &d), GLANE_OK);
	assert_int_equal(s->calls, calls);
}

/* One request of an engine of its own, to its end. Where it cannot even start, that is the result. */
static inline struct seen fetch_one(
	const struct fetch_options *o, const struct fetch_policy *policy, const struct fetch_request *q)
{
	struct seen s = {.fd = -1};
	struct diag d = {0};
	struct fetcher *f;
	uint64_t id;

	assert_int_equal(fetcher_new(&f, o, &d), GLANE_OK);
	s.rc = fetch_start(f, policy, q, on_done, &s, &id, &d);
	if (s.rc == GLANE_OK)
		run_until(f, &s, 1);
	else
		(void)snprintf(s.message, sizeof(s.message), "%s", d.text);
	fetcher_free(f);
	return s;
}

static inline const char *url_of(const struct place *p, const char *path, char buf[512])
{
	(void)snprintf(buf, 512, "%s%s", p->base, path);
	return buf;
}

static inline struct seen get(const struct place *p, const char *path)
{
	struct fetch_options o = options_for(p, path);
	struct fetch_policy policy = policy_of(p);
	char url[512];
	struct fetch_request q = {.method = "GET", .url = url_of(p, path, url), .format = GLANE_FMT_JSON};

	return fetch_one(&o, &policy, &q);
}

static inline size_t read_body(struct seen *s, char *buf, size_t cap)
{
	size_t n = 0;
	ssize_t got;

	assert_true(s->fd >= 0);
	assert_int_equal(lseek(s->fd, 0, SEEK_CUR), 0);
	while (n < cap - 1 && (got = read(s->fd, buf + n, cap - 1 - n)) > 0)
		n += (size_t)got;
	buf[n] = '\0';
	fd_close(&s->fd);
	return n;
}
#endif
