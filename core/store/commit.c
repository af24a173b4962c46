/* SPDX-License-Identifier: MIT */
/* The commit: state file, then row file, each durable before the next step. */
#include "base/clock.h"
#include "base/file.h"
#include "base/sha256.h"
#include "store/diff.h"
#include "store/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)64 << 10)

struct commit {
	const struct store *s;
	const char *source;
	uint64_t n;
	char rows[STORE_NAME], state[STORE_NAME];
};

static glane_rc complete_state(json_t *state, const struct diff_result *r, struct diag *d)
{
	char hex[SHA256_HEX], time[32];
	json_t *file = NULL;
	struct stat st;
	glane_rc rc = sha256_fd(r->spool, hex, d);

	if (rc < 0)
		return rc;
	if (fstat(r->spool, &st) < 0)
		return fail(d, GLANE_E_IO, "cannot ask for the size of the new rows: %s", strerror(errno));
	time_format(r->recorded_at, time);
	file = json_object();
	if (!file || !json_set_int(file, "rows", (int64_t)r->rows) || !json_set_int(file, "bytes", st.st_size) ||
		!json_set_text(file, "sha256", hex) || !json_set_text(state, "run", r->run) ||
		!json_set_text(state, "recorded_at", time) || json_object_set(state, "row_file", file) < 0)
		rc = fail(d, GLANE_E_NOMEM, "no memory for the state of the commit");
	json_decref(file);
	return rc;
}

static glane_rc sync_folder(const struct store *s, const char *name, struct diag *d)
{
	int dir = dir_open(s->dir, name, true, d);
	glane_rc rc = dir < 0 ? GLANE_E_IO : fd_sync(dir, name, d);

	fd_close(&dir);
	return rc;
}

/* A folder that a killed run made may not be durable in its parent: the first commit of a source sees to that. */
static glane_rc make_folders(const struct commit *c, struct diag *d)
{
	static const char *const parents[] = {"stream", "state"};
	char name[STORE_NAME];
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < 2; i++) {
		rc = source_folder(parents[i], c->source, name, d);
		if (rc == GLANE_OK)
			rc = sync_folder(c->s, name, d);
		if (rc == GLANE_OK && c->n == 1)
			rc = sync_folder(c->s, parents[i], d);
	}
	return rc;
}

/* Row files never change, so nobody may write to them; who may read follows the umask, as with the lock file. */
static glane_rc seal(const struct store *s, int fd, struct diag *d)
{
	struct stat st;

	if (fstat(s->lock, &st) < 0 || fchmod(fd, st.st_mode & 0444) < 0)
		return fail(d, GLANE_E_IO, "cannot set the mode of the new rows: %s", strerror(errno));
	return fd_sync(fd, "the new rows", d);
}

static glane_rc write_state(const struct commit *c, const json_t *state, struct diag *d)
{
	if (unlinkat(c->s->dir, c->state, 0) < 0 && errno != ENOENT)
		return fail(d, GLANE_E_IO, "%s: cannot remove what a killed run left: %s", c->state, strerror(errno));
	return json_write_file(c->s->dir, c->state, state, true, d);
}

static glane_rc copy(int from, int to, struct diag *d)
{
	char buf[BLOCK];
	off_t at = 0;
	ssize_t got;

	for (;;) {
		glane_rc rc;

		got = pread(from, buf, sizeof(buf), at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(d, GLANE_E_IO, "cannot read the new rows: %s", strerror(errno));
		if (got == 0)
			return GLANE_OK;
		rc = fd_write(to, buf, (size_t)got, d);
		if (rc < 0)
			return rc;
		at += got;
	}
}

static glane_rc taken(const struct commit *c, struct diag *d)
{
	if (errno == EEXIST)
		return fail(
			d, GLANE_E_IO, "%s/%s exists already: has another program written it?", c->s->path, c->rows);
	return fail(d, GLANE_E_IO, "%s/%s: cannot publish: %s", c->s->path, c->rows, strerror(errno));
}

/* Where an unlinked file cannot be given a name (no O_TMPFILE, or no /proc): a copy under a name in tmp/ is moved. */
static glane_rc publish_copy(const struct commit *c, int spool, struct diag *d)
{
	const struct store *s = c->s;
	char name[STORE_NAME];
	glane_rc rc;
	int fd;

	(void)snprintf(name, sizeof(name), "tmp/%s-%llu.csv", c->source, (unsigned long long)c->n);
	fd = openat(s->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(d, GLANE_E_IO, "%s: cannot create: %s", name, strerror(errno));
	rc = copy(spool, fd, d);
	if (rc == GLANE_OK)
		rc = seal(s, fd, d);
	fd_close(&fd);
	if (rc == GLANE_OK && linkat(s->dir, name, s->dir, c->rows, 0) < 0)
		rc = taken(c, d);
	(void)unlinkat(s->dir, name, 0);
	return rc;
}

/* Refusals that say what this system cannot do; after any other one, such as EIO, nothing more may be written. */
static bool cannot_name(int error)
{
	return error == ENOENT || error == EXDEV || error == EPERM || error == EACCES || error == EOPNOTSUPP ||
	       error == ENOSYS || error == EINVAL;
}

static glane_rc publish(const struct commit *c, int spool, struct diag *d)
{
	char from[64];

	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", spool);
	if (linkat(AT_FDCWD, from, c->s->dir, c->rows, AT_SYMLINK_FOLLOW) == 0)
		return GLANE_OK;
	return cannot_name(errno) ? publish_copy(c, spool, d) : taken(c, d);
}

static glane_rc commit(const struct commit *c, const struct diff_result *r, json_t *state, struct diag *d)
{
	char folder[STORE_NAME];
	glane_rc rc = complete_state(state, r, d);

	if (rc == GLANE_OK)
		rc = make_folders(c, d);
	if (rc == GLANE_OK)
		rc = seal(c->s, r->spool, d);
	if (rc == GLANE_OK)
		rc = write_state(c, state, d);
	if (rc == GLANE_OK)
		rc = publish(c, r->spool, d);
	if (rc == GLANE_OK)
		rc = source_folder("stream", c->source, folder, d);
	return rc == GLANE_OK ? sync_folder(c->s, folder, d) : rc;
}

glane_rc diff_commit(const struct store *s, const char *source, uint64_t previous, struct diff_result *r, json_t *state,
	uint64_t *ret_n, struct diag *d)
{
	struct commit c = {.s = s, .source = source, .n = previous + 1};
	uint64_t newest = 0;
	glane_rc rc = store_may_write(s, d);

	if (rc == GLANE_OK && r->spool < 0)
		rc = fail(d, GLANE_E_USAGE, "%s: there is nothing to commit", source);
	if (rc == GLANE_OK)
		rc = rows_name(source, c.n, c.rows, d);
	if (rc == GLANE_OK)
		rc = state_name(source, c.n, c.state, d);
	if (rc == GLANE_OK)
		rc = store_commit_number(s, source, &newest, d);
	if (rc < 0)
		return rc;
	if (newest != previous)
		return fail(d, GLANE_E_IO,
			"%s/stream/%s: commit %llu appeared meanwhile; has another program written it?", s->path,
			source, (unsigned long long)newest);
	rc = store_wrote(s, commit(&c, r, state, d));
	if (rc < 0)
		(void)diag_prefix(d, "%s", source);
	else
		*ret_n = c.n;
	return rc;
}
