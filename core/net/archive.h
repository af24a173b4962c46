/* SPDX-License-Identifier: MIT */
/*
 * The payload archive: bodies by SHA-256 under payloads/ab/abcdef....zst (or without .zst: stored plain), each with a side file
 * abcdef....json {url, method, request_sha256, source, status, headers, fetched_at, size, content_type, etag, last_modified}. Cache, replay,
 * provenance and test fixtures are this one format.
 */
#ifndef NET_ARCHIVE_H
#define NET_ARCHIVE_H
#include "base/diag.h"
#include "base/json.h"
#include "base/map.h"
#include "base/sha256.h"
#include "base/strbuf.h"

struct archive_entry {            /* what is known of one archived answer; texts are borrowed */
	const char *method, *url; /* url redacted, with placeholders */
	const char *body_sha256;  /* of the request's body, "" for none */
	const char *content_type, *etag, *last_modified;
	const char *source; /* whose request it was; "": not known (older side files, fixtures) */
	int64_t fetched_at;
	uint64_t size;
	char sha256[SHA256_HEX];
};
struct archive {
	int dir; /* payloads/ ; owned */
	struct arena arena;
	struct map by_request; /* request key -> struct archive_entry *; filled by archive_index() */
	bool indexed;
};
glane_rc archive_open(struct archive *a, int store_dir, bool create, struct diag *d); /* payloads/ below the store */
void archive_close(struct archive *a);
/* Stores a body (nothing to do where it is there already) and its side file; both durable when it returns. */
glane_rc archive_put(struct archive *a, int body_fd, const struct archive_entry *e, struct diag *d);
bool archive_has(const struct archive *a, const char *sha256);
/* A read-only descriptor of the decompressed body, checked against its hash; made in tmp_dir, unlinked. */
glane_rc archive_get(
	struct archive *a, const char *sha256, int tmp_dir, int *ret_fd, uint64_t *ret_size, struct diag *d);
/* Reads every side file once (for --offline); the newest answer of a source's request wins. A side file that does not parse is
 * passed over with a line in *ret_warnings. */
glane_rc archive_index(struct archive *a, struct strbuf *ret_warnings, struct diag *d);
/* The newest answer to that request of that source ("": of those that say no source). */
const struct archive_entry *archive_find(
	const struct archive *a, const char *source, const char *method, const char *url, const char *body_sha256);
/* Removes what is left of an interrupted write, and each body that `named` lacks, with its side file, where both were last
 * written before that moment (seconds). `dry` only counts. */
struct archive_swept {
	uint64_t files, bytes;
};
glane_rc archive_sweep(struct archive *a, const struct map *named, int64_t before, bool dry, struct archive_swept *ret,
	struct diag *d);
/* Recomputes every body's hash: one line per damaged file into `report`; counts. For `check --store`. */
glane_rc archive_check(
	struct archive *a, struct strbuf *report, uint64_t *ret_bodies, uint64_t *ret_damaged, struct diag *d);
#endif
