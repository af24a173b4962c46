/* SPDX-License-Identifier: MIT */
/* Side files of the payload archive. */
#include "net/archive_side.h"
#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define SIDE_MAX ((size_t)16 << 20)
#define ALSO_MAX 10000 /* requests answered by one body */

static const char *text_or_empty(const char *s)
{
	return s ? s : "";
}

struct archive_entry *archive_entry_copy(struct arena *a, const struct archive_entry *e)
{
	const char *const from[] = {
		e->method, e->url, e->body_sha256, e->content_type, e->etag, e->last_modified, e->source};
	struct archive_entry *copy = arena_alloc(a, sizeof(*copy));
	const char *to[7];

	if (!copy)
		return NULL;
	for (size_t i = 0; i < 7; i++) {
		const char *s = text_or_empty(from[i]);

		to[i] = arena_strndup(a, s, strlen(s));
		if (!to[i])
			return NULL;
	}
	*copy = *e;
	copy->method = to[0];
	copy->url = to[1];
	copy->body_sha256 = to[2];
	copy->content_type = to[3];
	copy->etag = to[4];
	copy->last_modified = to[5];
	copy->source = to[6];
	return copy;
}

static json_t *headers_of(const struct archive_entry *e)
{
	json_t *h = json_object();
	bool ok = h != NULL;

	if (e->content_type && *e->content_type)
		ok = ok && json_set_text(h, "content-type", e->content_type);
	if (e->etag && *e->etag)
		ok = ok && json_set_text(h, "etag", e->etag);
	if (e->last_modified && *e->last_modified)
		ok = ok && json_set_text(h, "last-modified", e->last_modified);
	if (!ok) {
		json_decref(h);
		return NULL;
	}
	return h;
}

static json_t *entry_write(const struct archive_entry *e)
{
	json_t *j = json_object();
	char at[32];
	bool ok;

	time_format(e->fetched_at, at);
	ok = j && json_set_text(j, "method", text_or_empty(e->method)) &&
	     json_set_text(j, "url", text_or_empty(e->url)) &&
	     json_set_text(j, "request_sha256", text_or_empty(e->body_sha256)) &&
	     json_set_text(j, "source", text_or_empty(e->source)) && json_set_int(j, "status", 200) &&
	     json_set_text(j, "fetched_at", at) && json_set_int(j, "size", (int64_t)e->size) &&
	     json_set_text(j, "sha256", e->sha256) &&
	     json_set_text(j, "content_type", text_or_empty(e->content_type)) &&
	     json_set_text(j, "etag", text_or_empty(e->etag)) &&
	     json_set_text(j, "last_modified", text_or_empty(e->last_modified)) &&
	     json_object_set_new(j, "headers", headers_of(e)) == 0;
	if (!ok) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static glane_rc entry_read(
	struct arena *a, const json_t *j, const char *path, struct archive_entry *ret, struct diag *d)
{
	struct archive_entry e = {
		.method = json_text(j, "method", NULL),
		.url = json_text(j, "url", NULL),
		.body_sha256 = json_text(j, "request_sha256", ""),
		.content_type = json_text(j, "content_type", ""),
		.etag = json_text(j, "etag", ""),
		.last_modified = json_text(j, "last_modified", ""),
		.source = json_text(j, "source", ""),
	};
	const char *sha256 = json_text(j, "sha256", NULL), *at = json_text(j, "fetched_at", NULL);
	int64_t size = json_int(j, "size", -1);
	const struct archive_entry *copy;

	if (!json_is_object(j) || !e.method || !e.url || !sha256 || !is_sha256_hex(slice_of(sha256)) || size < 0 ||
		!at || !time_parse(slice_of(at), &e.fetched_at))
		return fail(d, GLANE_E_FORMAT,
			"%s: not the side file of a payload (method, url, sha256, size, fetched_at)", path);
	memcpy(e.sha256, sha256, SHA256_HEX);
	e.size = (uint64_t)size;
	copy = archive_entry_copy(a, &e);
	if (!copy)
		return fail(d, GLANE_E_NOMEM, "%s: no memory", path);
	*ret = *copy;
	return GLANE_OK;
}

glane_rc archive_side_read(
	struct arena *a, int dir, const char *path, struct archive_entry **ret, size_t *ret_n, struct diag *d)
{
	json_t *j = json_read_file(dir, path, SIDE_MAX, d);
	const json_t *also = json_object_get(j, "also");
	size_t n = json_array_size(also);
	struct archive_entry *e;
	glane_rc rc;

	if (!j)
		return d ? d->code : GLANE_E_FORMAT;
	e = n <= ALSO_MAX ? arena_alloc(a, (n + 1) * sizeof(*e)) : NULL;
	if (!e) {
		json_decref(j);
		if (n > ALSO_MAX)
			return fail(d, GLANE_E_LIMIT, "%s: %zu requests with this answer, more than %d", path, n + 1,
				ALSO_MAX);
		return fail(d, GLANE_E_NOMEM, "%s: no memory for its %zu requests", path, n + 1);
	}
	rc = entry_read(a, j, path, &e[0], d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++)
		rc = entry_read(a, json_array_get(also, i), path, &e[i + 1], d);
	json_decref(j);
	if (rc != GLANE_OK)
		return rc;
	*ret = e;
	*ret_n = n + 1;
	return GLANE_OK;
}

/* Does `fresh` take the place of `old`? One that does not say whose it was gives way to whoever asks the same. */
static bool same_request(const json_t *old, const json_t *fresh)
{
	static const char *const keys[] = {"method", "url", "request_sha256"};
	const char *source = json_text(old, "source", "");

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(json_text(old, keys[i], ""), json_text(fresh, keys[i], "")) != 0)
			return false;
	}
	return !*source || strcmp(source, json_text(fresh, "source", "")) == 0;
}

/* Moves what the old side file says of other requests into the new one's "also". */
static glane_rc keep_others(json_t *fresh, json_t *old, const char *path, struct diag *d)
{
	json_t *also = json_array(), *others = json_object_get(old, "also");
	bool ok = also != NULL;
	size_t n;

	for (size_t i = 0; ok && i < json_array_size(others); i++) {
		json_t *other = json_array_get(others, i);

		if (!same_request(other, fresh))
			ok = json_array_append(also, other) == 0;
	}
	(void)json_object_del(old, "also");
	if (ok && !same_request(old, fresh))
		ok = json_array_append(also, old) == 0;
	n = json_array_size(also);
	if (ok && n && n <= ALSO_MAX)
		ok = json_object_set(fresh, "also", also) == 0;
	json_decref(also);
	if (ok && n > ALSO_MAX)
		return fail(d, GLANE_E_LIMIT, "payloads/%s: more than %d requests with this answer", path, ALSO_MAX);
	return ok ? GLANE_OK : fail(d, GLANE_E_NOMEM, "payloads/%s: no memory", path);
}

/* The old side file: NULL where there is none, or a damaged one, which is replaced. One that cannot be read may name other requests. */
static glane_rc read_old(int dir, const char *path, json_t **ret, struct diag *d)
{
	struct diag why = {0};

	*ret = file_exists(dir, path) ? json_read_file(dir, path, SIDE_MAX, &why) : NULL;
	if (*ret || (why.code != GLANE_E_NOMEM && why.code != GLANE_E_IO))
		return GLANE_OK;
	return fail(d, why.code, "payloads/%s", why.text);
}

glane_rc archive_side_write(int dir, const char *path, const struct archive_entry *e, struct diag *d)
{
	json_t *fresh = entry_write(e), *old = NULL, *before = NULL;
	glane_rc rc = fresh ? read_old(dir, path, &old, d) : fail(d, GLANE_E_NOMEM, "payloads/%s: no memory", path);

	before = rc == GLANE_OK ? json_deep_copy(old) : NULL;
	if (rc == GLANE_OK && json_is_object(old))
		rc = keep_others(fresh, old, path, d);
	if (rc == GLANE_OK && (!before || !json_equal(before, fresh)))
		rc = json_write_file(dir, path, fresh, false, d);
	json_decref(before);
	json_decref(old);
	json_decref(fresh);
	return rc;
}

static glane_rc walk_folder(int dir, const char *folder, archive_visit *fn, void *arg, struct diag *d)
{
	int fd = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	glane_rc rc = GLANE_OK;
	DIR *list;

	if (fd < 0)
		return errno == ENOENT ? GLANE_OK
				       : fail(d, GLANE_E_IO, "payloads/%s: cannot open: %s", folder, strerror(errno));
	list = fdopendir(fd);
	if (!list) {
		fd_close(&fd);
		return fail(d, GLANE_E_IO, "payloads/%s: cannot list: %s", folder, strerror(errno));
	}
	errno = 0;
	while (rc == GLANE_OK && (entry = readdir(list))) {
		if (entry->d_name[0] != '.')
			rc = fn(arg, fd, folder, entry->d_name, d);
		errno = 0;
	}
	if (rc == GLANE_OK && errno)
		rc = fail(d, GLANE_E_IO, "payloads/%s: cannot list: %s", folder, strerror(errno));
	(void)closedir(list);
	return rc;
}

glane_rc archive_walk(int dir, archive_visit *fn, void *arg, struct diag *d)
{
	glane_rc rc = GLANE_OK;
	char folder[8];

	for (unsigned i = 0; rc == GLANE_OK && i < 256; i++) {
		(void)snprintf(folder, sizeof(folder), "%02x", i);
		rc = walk_folder(dir, folder, fn, arg, d);
	}
	return rc;
}
