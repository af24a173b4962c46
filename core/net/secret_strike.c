/* SPDX-License-Identifier: MIT */
/* A body that echoes a secret: what is read, kept and shown of it holds the secret's placeholder. */
#include "net/secret_strike.h"

#include "base/file.h"
#include "net/body.h"
#include "net/fetch_secret.h"
#include "net/verify.h"

#include <errno.h>
#include <sys/mman.h>

struct copy { /* written, counted, hashed */
	struct sha256 hash;
	uint64_t size;
	int fd;
};

static glane_rc put(struct copy *c, struct slice s, struct diag *d)
{
	if (s.n == 0)
		return GLANE_OK;
	c->size += s.n;
	if (!sha256_add(&c->hash, s.p, s.n))
		return fail(d, GLANE_E_NOMEM, "hashing a body failed");
	return fd_write(c->fd, s.p, s.n, d);
}

static glane_rc put_mark(struct copy *c, const char *name, struct diag *d)
{
	struct strbuf mark;
	glane_rc rc;

	strbuf_init(&mark, 0);
	strbuf_fmt(&mark, SECRET_MARK, name);
	rc = strbuf_ok(&mark) ? put(c, strbuf_get(&mark), d) : fail(d, GLANE_E_NOMEM, "no memory for a body");
	strbuf_release(&mark);
	return rc;
}

static glane_rc copy_body(
	struct secret_search *s, struct secret_hit hit, struct copy *c, struct struck *ret, struct diag *d)
{
	const struct slice body = s->text;
	glane_rc rc = GLANE_OK;
	size_t from = 0;

	do {
		rc = put(c, (struct slice){body.p + from, hit.at - from}, d);
		if (rc == GLANE_OK)
			rc = put_mark(c, hit.name, d);
		from = hit.end;
		ret->n++;
	} while (rc == GLANE_OK && secret_search_next(s, body.n, &hit));
	if (rc == GLANE_OK)
		rc = put(c, (struct slice){body.p + from, body.n - from}, d);
	if (rc == GLANE_OK && !sha256_end(&c->hash, ret->sha256))
		rc = fail(d, GLANE_E_NOMEM, "hashing a body failed");
	ret->size = c->size;
	return rc;
}

static glane_rc strike(struct secret_search *s, int tmp_dir, struct struck *ret, struct diag *d)
{
	struct copy c = {.fd = -1};
	struct secret_hit hit;
	glane_rc rc;

	if (!secret_search_next(s, s->text.n, &hit))
		return GLANE_OK;
	c.fd = file_temp(tmp_dir, d);
	rc = c.fd < 0 ? GLANE_E_IO : GLANE_OK;
	if (rc == GLANE_OK && !sha256_init(&c.hash))
		rc = fail(d, GLANE_E_NOMEM, "no memory for a body");
	if (rc == GLANE_OK)
		rc = copy_body(s, hit, &c, ret, d);
	if (rc == GLANE_OK) {
		ret->fd = body_reopen(c.fd, d);
		rc = ret->fd < 0 ? GLANE_E_IO : GLANE_OK;
	}
	sha256_release(&c.hash);
	fd_close(&c.fd);
	return rc;
}

static bool is_number(struct slice s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n == s.n;
}

static bool finder_of(struct secret_finder *f, const struct secrets *s)
{
	bool ok = true;

	*f = (struct secret_finder){.shortest = SECRET_STRIKE_SHORTEST};
	for (size_t i = 0; ok && i < s->n; i++) {
		const struct slice text = strbuf_get(&s->v[i].text.plain);

		if (s->v[i].is_read && (text.n >= SECRET_STRIKE_DIGITS || !is_number(text)))
			ok = secret_finder_add(f, s->v[i].text.name, text);
	}
	return ok;
}

glane_rc secret_strike(
	const struct fetch_policy *p, int body_fd, uint64_t size, int tmp_dir, struct struck *ret, struct diag *d)
{
	struct secret_finder finder = {.v = NULL};
	struct secret_search search;
	struct secrets secrets;
	glane_rc rc;
	void *map;

	*ret = (struct struck){.fd = -1};
	if (p->n_secrets == 0 || size == 0 || size > SIZE_MAX)
		return GLANE_OK;
	map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, body_fd, 0);
	if (map == MAP_FAILED)
		return fail(d, GLANE_E_IO, "cannot map a body: %s", strerror(errno));
	rc = secrets_load(&secrets, p, d);
	if (rc == GLANE_OK && !finder_of(&finder, &secrets))
		rc = fail(d, GLANE_E_NOMEM, "no memory for the secrets");
	if (rc == GLANE_OK && !body_is_archive((struct slice){map, (size_t)size})) {
		secret_search_begin(&search, &finder, (struct slice){map, (size_t)size}, false);
		rc = strike(&search, tmp_dir, ret, d);
		secret_search_end(&search);
	}
	secret_finder_release(&finder);
	secrets_release(&secrets);
	munmap(map, (size_t)size);
	return rc;
}
