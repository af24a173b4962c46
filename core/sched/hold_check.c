/* SPDX-License-Identifier: MIT */
/* Holds as `check --store` sees them: documents that read, diffs of the bytes that were written, payloads that are there. */
#include "sched/hold.h"

#include "base/conf.h"
#include "base/file.h"
#include "net/archive.h"

#include <fcntl.h>
#include <string.h>

struct hold_checker {
	const struct store *s;
	struct archive archive;
	bool has_archive;
	struct strbuf *findings;
	uint64_t holds, n;
};

static void found(struct hold_checker *c, const char *source, const char *what, const char *of)
{
	strbuf_fmt(c->findings, "quarantine/%s: %s%s\n", source, what, of);
	c->n++;
}

static void check_diff(struct hold_checker *c, const char *source, const json_t *run)
{
	char path[HOLD_FILE], hex[SHA256_HEX];
	int fd;

	hold_path(source, json_text(run, "file", ""), path);
	fd = openat(c->s->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		found(c, source, "the diff of a hold cannot be opened: ", path);
		return;
	}
	if (sha256_fd(fd, hex, NULL) != GLANE_OK || strcmp(hex, json_text(run, "sha256", "")) != 0)
		found(c, source, "the diff of a hold is not the one that was written: ", path);
	fd_close(&fd);
}

static void check_payloads(struct hold_checker *c, const char *source, const json_t *run)
{
	const json_t *list = json_object_get(run, "requests");

	for (size_t i = 0; json_flag(run, "kept") && i < json_array_size(list); i++) {
		const char *sha256 = json_text(json_array_get(list, i), "sha256", "");

		if (!is_sha256_hex(slice_of(sha256)) || !c->has_archive || !archive_has(&c->archive, sha256))
			found(c, source, "a hold names a payload that is not in the archive: ", sha256);
	}
}

static glane_rc check_source(void *arg, int dir, const char *source)
{
	struct hold_checker *c = arg;
	json_t *doc = NULL, *rejected = NULL, *run;
	const char *id;
	struct diag d;

	(void)dir;
	if (!conf_is_name(slice_of(source)))
		return GLANE_OK;
	diag_clear(&d);
	if (hold_read(c->s, source, &doc, &d) != GLANE_OK)
		found(c, source, "", d.text);
	diag_clear(&d);
	if (hold_read_rejected(c->s, source, &rejected, &d) != GLANE_OK)
		found(c, source, "", d.text);
	c->holds += hold_count(doc);
	json_object_foreach(json_object_get(doc, "runs"), id, run)
	{
		check_diff(c, source, run);
		check_payloads(c, source, run);
	}
	json_decref(doc);
	json_decref(rejected);
	return GLANE_OK;
}

glane_rc hold_check(
	const struct store *s, struct strbuf *findings, uint64_t *ret_holds, uint64_t *ret_findings, struct diag *d)
{
	struct hold_checker c = {.s = s, .findings = findings};
	glane_rc rc;

	c.has_archive = s->dir >= 0 && archive_open(&c.archive, s->dir, false, NULL) == GLANE_OK;
	rc = folder_each(s->dir, "quarantine", check_source, &c, d);
	if (c.has_archive)
		archive_close(&c.archive);
	if (rc < 0)
		return diag_prefix(d, "%s", s->path);
	*ret_holds = c.holds;
	*ret_findings = c.n;
	return strbuf_ok(findings) ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for the findings");
}
