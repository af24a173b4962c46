/* SPDX-License-Identifier: MIT */
/* The payload archive: one compressed file and one side file per body, both written so that a crash leaves nothing half. */
#include "net/archive.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "base/zst.h"
#include "net/archive_side.h"
#include "net/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BODY_MAX ((uint64_t)64 << 30) /* a decompressed body; what a damaged frame may claim at most */

glane_rc archive_open(struct archive *a, int store_dir, bool create, struct diag *d)
{
	int dir = dir_open(store_dir, "payloads", create, d);

	if (dir < 0)
		return GLANE_E_IO;
	*a = (struct archive){.dir = dir};
	arena_init(&a->arena, 0);
	map_init(&a->by_request, NULL);
	return GLANE_OK;
}

void archive_close(struct archive *a)
{
	map_release(&a->by_request);
	arena_release(&a->arena);
	fd_close(&a->dir);
}

struct path {
	char text[SHA256_HEX + 16];
};

/* "ab/abcdef...SUFFIX" */
static struct path path_of(const char *sha256, const char *suffix)
{
	struct path p;

	(void)snprintf(p.text, sizeof(p.text), "%.2s/%.64s%s", sha256, sha256, suffix);
	return p;
}

bool archive_has(const struct archive *a, const char *sha256)
{
	return is_sha256_hex(slice_of(sha256)) &&
	       (file_exists(a->dir, path_of(sha256, ".zst").text) || file_exists(a->dir, path_of(sha256, "").text));
}

/* Compresses into a temporary name that the next try overwrites, then publishes it. */
static glane_rc put_body(struct archive *a, int body_fd, const char *sha256, struct diag *d)
{
	struct path tmp = path_of(sha256, ".zst.tmp"), name = path_of(sha256, ".zst");
	char folder[3];
	glane_rc rc;
	int dir, out;

	(void)snprintf(folder, sizeof(folder), "%.2s", sha256);
	dir = dir_open(a->dir, folder, true, d);
	if (dir < 0)
		return GLANE_E_IO;
	out = openat(a->dir, tmp.text, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (out < 0)
		rc = fail(d, GLANE_E_IO, "payloads/%s: cannot create: %s", tmp.text, strerror(errno));
	else
		rc = zst_compress(body_fd, out, d);
	if (rc == GLANE_OK)
		rc = fd_sync(out, tmp.text, d);
	if (rc == GLANE_OK && renameat(a->dir, tmp.text, a->dir, name.text) < 0)
		rc = fail(d, GLANE_E_IO, "payloads/%s: cannot rename: %s", tmp.text, strerror(errno));
	if (rc == GLANE_OK)
		rc = fd_sync(dir, folder, d);
	if (rc < 0 && out >= 0)
		(void)unlinkat(a->dir, tmp.text, 0);
	fd_close(&out);
	fd_close(&dir);
	return rc;
}

static struct slice key_of(
	struct arena *a, const char *source, const char *method, const char *url, const char *body_sha256)
{
	return slice_of(arena_fmt(a, "%s\n%s\n%s\n%s", source, method, url, body_sha256));
}

/* Where the request is known with a newer answer, that one stays. */
static glane_rc index_add(struct archive *a, const struct archive_entry *e, struct diag *d)
{
	struct archive_entry *copy = archive_entry_copy(&a->arena, e);
	struct slice key =
		copy ? key_of(&a->arena, copy->source, e->method, e->url, e->body_sha256) : (struct slice){NULL, 0};
	const struct archive_entry *have;
	uint64_t *slot;
	bool fresh;

	if (!key.p || !map_put(&a->by_request, key, (uint64_t)(uintptr_t)copy, &slot, &fresh))
		return fail(d, GLANE_E_NOMEM, "no memory for the index of payloads/");
	have = (const struct archive_entry *)(uintptr_t)*slot;
	if (!fresh && have->fetched_at <= copy->fetched_at)
		*slot = (uint64_t)(uintptr_t)copy;
	return GLANE_OK;
}

glane_rc archive_put(struct archive *a, int body_fd, const struct archive_entry *e, struct diag *d)
{
	struct path side;
	glane_rc rc = GLANE_OK;

	if (!is_sha256_hex(slice_of(e->sha256)))
		return fail(d, GLANE_E_USAGE, "a payload without its SHA-256");
	side = path_of(e->sha256, ".json");
	if (!archive_has(a, e->sha256))
		rc = put_body(a, body_fd, e->sha256, d);
	if (rc == GLANE_OK)
		rc = archive_side_write(a->dir, side.text, e, d);
	if (rc == GLANE_OK && a->indexed)
		rc = index_add(a, e, d);
	return rc;
}

static glane_rc copy_plain(int in, int out, struct diag *d)
{
	char buf[65536];
	ssize_t n;

	do {
		n = read(in, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(d, GLANE_E_IO, "reading a payload: %s", strerror(errno));
		if (n > 0 && fd_write(out, buf, (size_t)n, d) < 0)
			return GLANE_E_IO;
	} while (n != 0);
	return GLANE_OK;
}

/* Decompresses (or copies) a stored body into `out` and proves its hash. */
static glane_rc unpack(int in, bool plain, const char *sha256, int out, struct diag *d)
{
	char found[SHA256_HEX];
	glane_rc rc = plain ? copy_plain(in, out, d) : zst_decompress(in, out, BODY_MAX, d);

	if (rc == GLANE_OK)
		rc = sha256_fd(out, found, d);
	if (rc == GLANE_OK && strcmp(found, sha256) != 0)
		rc = fail(d, GLANE_E_FORMAT, "its content has SHA-256 %s", found);
	return rc;
}

static int open_body(const struct archive *a, const char *sha256, bool *ret_plain)
{
	int fd = openat(a->dir, path_of(sha256, ".zst").text, O_RDONLY | O_CLOEXEC);

	*ret_plain = fd < 0;
	return fd < 0 ? openat(a->dir, path_of(sha256, "").text, O_RDONLY | O_CLOEXEC) : fd;
}

glane_rc archive_get(
	struct archive *a, const char *sha256, int tmp_dir, int *ret_fd, uint64_t *ret_size, struct diag *d)
{
	int in = -1, out = -1, fd = -1;
	glane_rc rc;
	struct stat st;
	bool plain;

	if (!is_sha256_hex(slice_of(sha256)))
		return fail(d, GLANE_E_USAGE, "'%s' is no SHA-256", sha256);
	in = open_body(a, sha256, &plain);
	if (in < 0)
		return fail(d, GLANE_E_IO, "payload %s: %s", sha256,
			errno == ENOENT ? "not in the archive" : strerror(errno));
	out = file_temp(tmp_dir, d);
	rc = out < 0 ? GLANE_E_IO : unpack(in, plain, sha256, out, d);
	if (rc < 0) {
		(void)diag_prefix(d, "payload %s is damaged or unreadable", sha256);
		goto out;
	}
	fd = body_reopen(out, d);
	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = fail(d, GLANE_E_IO, "payload %s: %s", sha256, strerror(errno));
		fd_close(&fd);
		goto out;
	}
	*ret_fd = fd;
	*ret_size = (uint64_t)st.st_size;
out:
	fd_close(&in);
	fd_close(&out);
	return rc;
}

struct indexing {
	struct archive *a;
	struct strbuf *warnings;
};

static void warn(struct indexing *x, const char *folder, const char *name, const struct diag *why)
{
	strbuf_fmt(x->warnings, "payloads/%s/%s: %s; passed over\n", folder, name, why->text);
}

static glane_rc index_file(void *arg, int dir, const char *folder, const char *name, struct diag *d)
{
	struct indexing *x = arg;
	struct slice stem = slice_of(name);
	struct archive_entry *entries;
	struct diag why = {0};
	size_t n = 0;
	glane_rc rc;

	if (stem.n != 64 + 5 || strcmp(name + 64, ".json") != 0)
		return GLANE_OK;
	stem.n = 64;
	rc = archive_side_read(&x->a->arena, dir, name, &entries, &n, &why);
	if (rc == GLANE_E_NOMEM)
		return fail(d, rc, "no memory for the index of payloads/");
	if (rc == GLANE_OK && n && !slice_is(stem, entries[0].sha256))
		rc = fail(&why, GLANE_E_FORMAT, "its name is not the hash it speaks of");
	if (rc == GLANE_OK && n && !archive_has(x->a, entries[0].sha256))
		rc = fail(&why, GLANE_E_IO, "its body is missing");
	if (rc < 0) {
		warn(x, folder, name, &why);
		return GLANE_OK;
	}
	for (size_t i = 0; i < n; i++) {
		if (index_add(x->a, &entries[i], d) < 0)
			return GLANE_E_NOMEM;
	}
	return GLANE_OK;
}

glane_rc archive_index(struct archive *a, struct strbuf *ret_warnings, struct diag *d)
{
	struct indexing x = {a, ret_warnings};
	glane_rc rc;

	if (a->indexed)
		return GLANE_OK;
	rc = archive_walk(a->dir, index_file, &x, d);
	a->indexed = rc == GLANE_OK;
	return rc;
}

const struct archive_entry *archive_find(
	const struct archive *a, const char *source, const char *method, const char *url, const char *body_sha256)
{
	const struct archive_entry *found = NULL;
	struct arena tmp;
	struct slice key;

	arena_init(&tmp, 0);
	key = key_of(&tmp, source, method, url, body_sha256 ? body_sha256 : "");
	if (key.p) {
		const uint64_t *slot = map_find(&a->by_request, key);

		found = slot ? (const struct archive_entry *)(uintptr_t)*slot : NULL;
	}
	arena_release(&tmp);
	return found;
}

struct checking {
	struct strbuf *report;
	uint64_t bodies, damaged;
};

static void damage(struct checking *c, const char *folder, const char *name, const struct diag *why)
{
	strbuf_fmt(c->report, "payloads/%s/%s: %s\n", folder, name, why->text);
	c->damaged++;
}

/* Writes nothing: whoever may read a store may check it, also where it is mounted read-only, or its disk is full. */
static glane_rc check_body(
	struct checking *c, int dir, const char *folder, const char *name, bool plain, struct diag *d)
{
	int in = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char found[SHA256_HEX];
	struct diag why = {0};

	if (in < 0)
		(void)fail(&why, GLANE_E_IO, "cannot open: %s", strerror(errno));
	else if (plain)
		(void)sha256_fd(in, found, &why);
	else
		(void)zst_sha256(in, BODY_MAX, found, &why);
	fd_close(&in);
	if (why.code == GLANE_E_NOMEM)
		return fail(d, why.code, "payloads/%s/%s: %s", folder, name, why.text);
	if (!why.code && strncmp(found, name, 64) != 0)
		(void)fail(&why, GLANE_E_FORMAT, "its content has SHA-256 %s", found);
	c->bodies++;
	if (why.code)
		damage(c, folder, name, &why);
	return GLANE_OK;
}

static glane_rc check_file(void *arg, int dir, const char *folder, const char *name, struct diag *d)
{
	struct checking *c = arg;
	const char *suffix = name + 64;
	struct archive_entry *entries;
	struct diag why = {0};
	struct arena tmp;
	size_t n;

	if (strlen(name) < 64 || !is_sha256_hex((struct slice){name, 64}))
		return GLANE_OK;
	if (strncmp(name, folder, 2) != 0)
		(void)fail(&why, GLANE_E_DATA, "lies in the wrong folder");
	else if (*suffix == '\0' || strcmp(suffix, ".zst") == 0)
		return check_body(c, dir, folder, name, *suffix == '\0', d);
	else if (strcmp(suffix, ".json") == 0) {
		arena_init(&tmp, 0);
		(void)archive_side_read(&tmp, dir, name, &entries, &n, &why);
		arena_release(&tmp);
		if (why.code == GLANE_E_NOMEM)
			return fail(d, why.code, "payloads/%s/%s", folder, why.text);
	}
	if (why.code)
		damage(c, folder, name, &why);
	return GLANE_OK;
}

glane_rc archive_check(
	struct archive *a, struct strbuf *report, uint64_t *ret_bodies, uint64_t *ret_damaged, struct diag *d)
{
	struct checking c = {.report = report};
	glane_rc rc = archive_walk(a->dir, check_file, &c, d);

	if (rc < 0)
		return rc;
	*ret_bodies = c.bodies;
	*ret_damaged = c.damaged;
	return GLANE_OK;
}
