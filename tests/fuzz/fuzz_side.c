/* SPDX-License-Identifier: MIT */
/*
 * Small documents that glane reads back: a side file of the payload archive, a plugin's description, the token buckets.
 * What is read of a side file and written again reads the same.
 */
#include "fuzz.h"
#include "net/archive_side.h"
#include "net/fetch_limits.h"
#include "plug/plugin.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static bool same_entry(const struct archive_entry *a, const struct archive_entry *b)
{
	return strcmp(a->method, b->method) == 0 && strcmp(a->url, b->url) == 0 && strcmp(a->source, b->source) == 0 &&
	       strcmp(a->body_sha256, b->body_sha256) == 0 && strcmp(a->content_type, b->content_type) == 0 &&
	       strcmp(a->etag, b->etag) == 0 && strcmp(a->last_modified, b->last_modified) == 0 &&
	       a->fetched_at == b->fetched_at && a->size == b->size && strcmp(a->sha256, b->sha256) == 0;
}

static void check_side(int dir)
{
	struct archive_entry *e = NULL, *again = NULL;
	size_t n = 0, m = 0;
	struct arena a;
	struct diag d;
	glane_rc rc;

	arena_init(&a, 0);
	diag_clear(&d);
	rc = archive_side_read(&a, dir, "in.json", &e, &n, &d);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d.code && d.text[0]));
	if (rc == GLANE_OK) {
		FUZZ_CHECK(n > 0);
		(void)unlinkat(dir, "out.json", 0);
		diag_clear(&d);
		rc = archive_side_write(dir, "out.json", &e[0], &d);
		FUZZ_SAY(rc == GLANE_OK, "%s", d.text);
		FUZZ_SAY(archive_side_read(&a, dir, "out.json", &again, &m, &d) == GLANE_OK, "%s", d.text);
		FUZZ_CHECK(m == 1 && same_entry(&e[0], &again[0]));
	}
	arena_release(&a);
}

static void check_description(int dir)
{
	struct plugin p, q;
	struct arena a;
	struct diag d;
	json_t *j, *again;

	arena_init(&a, 0);
	diag_clear(&d);
	j = json_read_file(dir, "in.json", 1 << 20, &d);
	if (j && plugin_from_json(&a, j, &p, &d) == GLANE_OK) {
		again = plugin_describe(&p);
		FUZZ_CHECK(again && plugin_from_json(&a, again, &q, &d) == GLANE_OK);
		FUZZ_CHECK(
			p.n_options == q.n_options && p.n_hosts == q.n_hosts && strcmp(p.desc.name, q.desc.name) == 0);
		json_decref(again);
	} else {
		FUZZ_CHECK(d.text[0]);
	}
	json_decref(j);
	arena_release(&a);
}

static void check_limits(void)
{
	struct limits *l;
	char path[128];
	int64_t wait;

	snprintf(path, sizeof(path), "%s/in.json", fuzz_folder());
	l = limits_new(path);
	FUZZ_CHECK(l);
	wait = limits_take(l, "example.org", 5, 1000);
	FUZZ_SAY(wait >= 0 && wait <= (int64_t)7 * 86400 * 1000, "%lld ms", (long long)wait);
	limits_free(l);
}

FUZZ_TARGET(side)
{
	int dir;

	fuzz_put("in.json", in);
	dir = open(fuzz_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(dir >= 0);
	check_side(dir);
	check_description(dir);
	check_limits();
	close(dir);
}
