/* SPDX-License-Identifier: MIT */
/* A body that echoes a secret: what is read, kept and shown of it holds the secret's placeholder. */
#include "net/secret_strike.h"

#include "base/file.h"
#include "net/body.h"
#include "net/fetch_secret.h"
#include "net/verify.h"

#include <errno.h>
#include <sys/mman.h>

struct strike {
	struct secret_finder finder;
	struct secret_search search;
	struct slice body; /* mapped */
	int tmp_dir;
	/* the body without them, from the first one on that is found */
	struct sha256 hash;
	int fd;
	size_t copied; /* bytes of the body */
	uint64_t size;
	size_t n;
};

static glane_rc put(struct strike *s, struct slice t, struct diag *d)
{
	if (t.n == 0)
		return GLANE_OK;
	s->size += t.n;
	if (!sha256_add(&s->hash, t.p, t.n))
		return fail(d, GLANE_E_NOMEM, "hashing a body failed");
	return fd_write(s->fd, t.p, t.n, d);
}

static glane_rc put_body(struct strike *s, size_t until, struct diag *d)
{
	const struct slice t = {s->body.p + s->copied, until - s->copied};

	s->copied = until;
	return put(s, t, d);
}

static glane_rc put_mark(struct strike *s, const char *name, struct diag *d)
{
	struct strbuf mark;
	glane_rc rc;

	strbuf_init(&mark, 0);
	strbuf_fmt(&mark, SECRET_MARK, name);
	rc = strbuf_ok(&mark) ? put(s, strbuf_get(&mark), d) : fail(d, GLANE_E_NOMEM, "no memory for a body");
	strbuf_release(&mark);
	return rc;
}

/* There is one: the search begins again, and the body is copied as it goes on. */
static glane_rc begin_copy(struct strike *s, struct diag *d)
{
	s->fd = file_temp(s->tmp_dir, d);
	if (s->fd < 0)
		return GLANE_E_IO;
	if (!sha256_init(&s->hash))
		return fail(d, GLANE_E_NOMEM, "no memory for a body");
	secret_search_end(&s->search);
	secret_search_begin(&s->search, &s->finder, s->body, false);
	return GLANE_OK;
}

static glane_rc end_copy(struct strike *s, struct struck *ret, struct diag *d)
{
	if (!sha256_end(&s->hash, ret->sha256))
		return fail(d, GLANE_E_NOMEM, "hashing a body failed");
	ret->fd = body_reopen(s->fd, d);
	if (ret->fd < 0)
		return GLANE_E_IO;
	ret->n = s->n;
	ret->size = s->size;
	return GLANE_OK;
}

/* A writing may begin one byte before the place where it is found. */
static glane_rc copy_until(struct strike *s, size_t until, struct diag *d)
{
	struct secret_hit hit;
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK && secret_search_next(&s->search, until, &hit)) {
		rc = put_body(s, hit.at, d);
		if (rc == GLANE_OK)
			rc = put_mark(s, hit.name, d);
		s->copied = hit.end;
		s->n++;
	}
	if (rc != GLANE_OK)
		return rc;
	if (until == s->body.n)
		return put_body(s, until, d);
	return s->search.at > s->copied + 1 ? put_body(s, s->search.at - 1, d) : GLANE_OK;
}

glane_rc strike_some(struct strike *s, size_t bytes, bool *ret_through, struct struck *ret, struct diag *d)
{
	const size_t left = s->body.n - s->search.at, until = bytes < left ? s->search.at + bytes : s->body.n;
	struct secret_hit hit;
	glane_rc rc;

	*ret = (struct struck){.fd = -1};
	*ret_through = false;
	if (s->fd < 0) {
		if (secret_search_next(&s->search, until, &hit))
			return begin_copy(s, d);
		*ret_through = until == s->body.n;
		return GLANE_OK;
	}
	rc = copy_until(s, until, d);
	if (rc != GLANE_OK || until < s->body.n)
		return rc;
	*ret_through = true;
	return end_copy(s, ret, d);
}

static bool is_number(struct slice s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n == s.n;
}

static bool add(struct secret_finder *f, const struct secret *v)
{
	const struct slice text = strbuf_get(&v->text.plain);

	return !v->is_read || (text.n < SECRET_STRIKE_DIGITS && is_number(text)) ||
	       secret_finder_add(f, v->text.name, text);
}

static bool is_same(const struct secret *a, const struct secret *b)
{
	return a->is_read && b->is_read && slice_eq(strbuf_get(&a->text.plain), strbuf_get(&b->text.plain));
}

/* Those that are there now, and those that were sent; both lists are in the policy's order. */
static glane_rc load(struct strike *s, const struct fetch_policy *p, const struct secrets *sent, struct diag *d)
{
	struct secrets now;
	glane_rc rc = secrets_load(&now, p, d);
	bool ok = rc == GLANE_OK;

	s->finder = (struct secret_finder){.shortest = SECRET_STRIKE_SHORTEST};
	for (size_t i = 0; ok && i < now.n; i++) {
		ok = add(&s->finder, &now.v[i]);
		if (ok && sent && i < sent->n && !is_same(&now.v[i], &sent->v[i]))
			ok = add(&s->finder, &sent->v[i]);
	}
	secrets_release(&now);
	return rc != GLANE_OK || ok ? rc : fail(d, GLANE_E_NOMEM, "no memory for the secrets");
}

glane_rc strike_begin(const struct fetch_policy *p, const struct secrets *sent, int body_fd, uint64_t size, int tmp_dir,
	struct strike **ret, struct diag *d)
{
	struct strike *s;
	glane_rc rc;
	void *map;

	*ret = NULL;
	if (p->n_secrets == 0 || size == 0 || size > SIZE_MAX)
		return GLANE_OK;
	map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, body_fd, 0);
	if (map == MAP_FAILED)
		return fail(d, GLANE_E_IO, "cannot map a body: %s", strerror(errno));
	s = mem_zalloc(1, sizeof(*s));
	if (!s || body_is_archive((struct slice){map, (size_t)size})) {
		rc = s ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for a body");
		munmap(map, (size_t)size);
		mem_free(s);
		return rc;
	}
	s->body = (struct slice){map, (size_t)size};
	s->tmp_dir = tmp_dir;
	s->fd = -1;
	rc = load(s, p, sent, d);
	if (rc == GLANE_OK) {
		secret_search_begin(&s->search, &s->finder, s->body, false);
		*ret = s;
	} else {
		strike_free(s);
	}
	return rc;
}

void strike_free(struct strike *s)
{
	if (!s)
		return;
	secret_search_end(&s->search);
	secret_finder_release(&s->finder);
	sha256_release(&s->hash);
	fd_close(&s->fd);
	munmap((void *)(uintptr_t)s->body.p, s->body.n);
	mem_free(s);
}
