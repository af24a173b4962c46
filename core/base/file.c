/* SPDX-License-Identifier: MIT */
/* Files: reading whole small ones, writing so that a crash leaves the old or the new content, folders. */
#include "base/file.h"
#include "base/io.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)
#define TMP ".tmp"

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

static ssize_t read_some(int fd, void *p, size_t n)
{
	ssize_t got;

	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Once max bytes are there, one more is asked for: a file of exactly max bytes passes. */
static glane_rc read_all(int fd, const char *path, size_t max, struct strbuf *b, struct diag *d)
{
	size_t left = max < b->max - b->n ? max : b->max - b->n;
	char spare, *to;
	ssize_t got;

	do {
		size_t want = left < CHUNK ? left : CHUNK;

		to = want ? strbuf_room(b, want) : &spare;
		if (!to)
			return fail(d, GLANE_E_NOMEM, "%s: no memory to read it", path);
		got = read_some(fd, to, want ? want : 1);
		if (got < 0)
			return fail(d, GLANE_E_IO, "%s: cannot read: %s", path, strerror(errno));
		if (got > 0 && !want)
			return fail(d, GLANE_E_LIMIT, "%s: larger than %zu bytes; is it the right file?", path, max);
		b->n += (size_t)got;
		left -= (size_t)got;
	} while (got > 0);
	return GLANE_OK;
}

static const char *kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a folder";
	return S_ISFIFO(mode) ? "a FIFO or pipe" : S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "no file";
}

/* What another kind of file says may never end, or never begin. */
static glane_rc check_regular(int fd, const char *path, struct diag *d)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(d, GLANE_E_IO, "%s: cannot open: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(d, GLANE_E_IO, "%s: %s, not a regular file: put the text itself into a file", path,
			kind_of(st.st_mode));
	return GLANE_OK;
}

glane_rc file_read(int dirfd, const char *path, size_t max, struct strbuf *b, struct diag *d)
{
	size_t before = b->n;
	glane_rc rc;
	int fd;

	/* O_NONBLOCK: a FIFO opens at once, and is refused */
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail(d, GLANE_E_IO, "%s: cannot open: %s", path, strerror(errno));
	rc = check_regular(fd, path, d);
	if (rc == GLANE_OK)
		rc = read_all(fd, path, max, b, d);
	fd_close(&fd);
	if (rc < 0)
		b->n = before;
	if (b->p)
		b->p[b->n] = '\0';
	return rc;
}

bool file_exists(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, 0) == 0;
}

ssize_t fd_pread(int fd, void *buf, size_t n, uint64_t at)
{
	size_t done = 0;

	while (done < n) {
		const ssize_t got = pread(fd, (char *)buf + done, n - done, (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

glane_rc fd_write(int fd, const void *p, size_t n, struct diag *d)
{
	const char *at = p;

	while (n) {
		ssize_t put = io->write(fd, at, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return fail(d, GLANE_E_IO, "cannot write: %s", put ? strerror(errno) : "nothing was taken");
		at += put;
		n -= (size_t)put;
	}
	return GLANE_OK;
}

glane_rc fd_sync(int fd, const char *what, struct diag *d)
{
	if (io->fsync(fd) < 0)
		return fail(d, GLANE_E_IO, "%s: cannot sync to disk: %s; check the disk before the next run", what,
			strerror(errno));
	return GLANE_OK;
}

static glane_rc each_entry(DIR *dir, const char *path, folder_visit *each, void *arg, struct diag *d)
{
	const struct dirent *e;
	glane_rc rc = GLANE_OK;

	for (errno = 0; rc >= 0 && (e = readdir(dir)); errno = 0) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = each(arg, dirfd(dir), e->d_name);
	}
	if (rc >= 0 && errno)
		return fail(d, GLANE_E_IO, "%s: cannot read the folder: %s", path, strerror(errno));
	return rc < 0 ? rc : GLANE_OK;
}

glane_rc folder_each(int dirfd, const char *path, folder_visit *each, void *arg, struct diag *d)
{
	int fd = dirfd == -1 ? -1 : openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	glane_rc rc;
	DIR *dir;

	if (fd < 0 && (dirfd == -1 || errno == ENOENT))
		return GLANE_OK;
	if (fd < 0)
		return fail(d, GLANE_E_IO, "%s: cannot open the folder: %s", path, strerror(errno));
	dir = fdopendir(fd);
	if (!dir) {
		fd_close(&fd);
		return fail(d, GLANE_E_NOMEM, "%s: no memory to list the folder", path);
	}
	rc = each_entry(dir, path, each, arg, d);
	(void)closedir(dir);
	return rc;
}

void path_dir(const char *path, char *buf, size_t cap)
{
	size_t n = strlen(path);

	if (cap == 0)
		return;
	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n == 0) {
		path = ".";
		n = 1;
	}
	if (n >= cap)
		n = 0;
	memcpy(buf, path, n);
	buf[n] = '\0';
}

bool path_join(const char *base, const char *path, char *buf, size_t cap)
{
	const char *sep = *base && *path && base[strlen(base) - 1] != '/' ? "/" : "";
	int n;

	if (*path == '/')
		base = sep = "";
	n = snprintf(buf, cap, "%s%s%s", base, sep, path);
	return n >= 0 && (size_t)n < cap;
}

bool path_absolute(const char *path, char *buf, size_t cap)
{
	char here[4096];

	if (*path != '/' && !getcwd(here, sizeof(here)))
		return false;
	return path_join(*path == '/' ? "" : here, path, buf, cap);
}

/* Makes one folder in `at` where it is missing, and the new entry durable. */
static glane_rc make_dir(int at, const char *name, struct diag *d)
{
	glane_rc rc;
	int parent;

	if (io->mkdirat(at, name, 0755) < 0) {
		if (errno == EEXIST)
			return GLANE_OK;
		return fail(d, GLANE_E_IO, "%s: cannot create the folder: %s", name, strerror(errno));
	}
	parent = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return fail(d, GLANE_E_IO, "%s: cannot open the folder above: %s", name, strerror(errno));
	rc = fd_sync(parent, name, d);
	fd_close(&parent);
	return rc;
}

/* The next folder of a path, into name; false: there is none. *ret_rest is advanced; a name that is too long is left empty. */
static bool next_part(struct slice *ret_rest, char name[NAME_MAX + 1])
{
	while (ret_rest->p) {
		const struct slice part = slice_cut(ret_rest, '/');
		const size_t n = part.n <= NAME_MAX ? part.n : 0;

		if (part.n == 0)
			continue;
		memcpy(name, part.p, n);
		name[n] = '\0';
		return true;
	}
	return false;
}

/* Walks down from `at` (which it closes), making what is missing; flags: O_NOFOLLOW where no folder may be a link. */
static glane_rc make_path(int at, const char *path, int flags, struct diag *d)
{
	struct slice rest = slice_of(path);
	char name[NAME_MAX + 1];
	glane_rc rc = GLANE_OK;
	int next;

	while (rc == GLANE_OK && next_part(&rest, name)) {
		if (!*name) {
			rc = fail(d, GLANE_E_LIMIT, "%s: a folder name is longer than %d bytes", path, NAME_MAX);
			break;
		}
		rc = make_dir(at, name, d);
		if (rc < 0)
			break;
		next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
		if (next < 0)
			rc = fail(d, GLANE_E_IO, "%s: cannot enter %s: %s", path, name, strerror(errno));
		fd_close(&at);
		at = next;
	}
	fd_close(&at);
	return rc;
}

/* One folder after the other, none of them a link. */
static int open_below(int at, const char *path)
{
	struct slice rest = slice_of(path);
	char name[NAME_MAX + 1];
	int fd = -1, next;

	errno = ENOENT; /* of a path without a name */
	while (next_part(&rest, name)) {
		next = openat(fd < 0 ? at : fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		fd_close(&fd);
		if (next < 0) {
			errno = *name ? errno : ENAMETOOLONG;
			return -1;
		}
		fd = next;
	}
	return fd;
}

static bool is_below(int dirfd, const char *path)
{
	return dirfd != AT_FDCWD && *path != '/';
}

static int open_once(int dirfd, const char *path)
{
	return !is_below(dirfd, path) ? openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
				      : open_below(dirfd, path);
}

int dir_open(int dirfd, const char *path, bool create, struct diag *d)
{
	const int flags = is_below(dirfd, path) ? O_NOFOLLOW : 0;
	int fd = open_once(dirfd, path), top;

	if (fd < 0 && errno == ENOENT && create && *path) {
		top = openat(dirfd, *path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (top < 0) {
			(void)fail(
				d, GLANE_E_IO, "%s: cannot open the folder to start from: %s", path, strerror(errno));
			return -1;
		}
		if (make_path(top, path, flags, d) < 0) {
			(void)diag_prefix(d, "%s", path);
			return -1;
		}
		fd = open_once(dirfd, path);
	}
	if (fd < 0 && flags && errno == ENOTDIR)
		(void)fail(d, GLANE_E_IO, "%s: a link, or no folder; a store's own folders must not be links", path);
	else if (fd < 0)
		(void)fail(d, GLANE_E_IO, "%s: cannot open the folder: %s", path, strerror(errno));
	return fd;
}

/* A new file of that name; one that a crash left behind is removed first, never written into. */
static int create_fresh(int dir, const char *name)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = io->openat(dir, name, flags, 0644);

	if (fd < 0 && errno == EEXIST && io->unlinkat(dir, name, 0) == 0)
		fd = io->openat(dir, name, flags, 0644);
	return fd;
}

static glane_rc write_synced(int dir, const char *name, struct slice content, struct diag *d)
{
	int fd = create_fresh(dir, name);
	glane_rc rc;

	if (fd < 0)
		return fail(d, GLANE_E_IO, "cannot create: %s", strerror(errno));
	rc = fd_write(fd, content.p, content.n, d);
	if (rc == GLANE_OK)
		rc = fd_sync(fd, name, d);
	if (close(fd) < 0 && rc == GLANE_OK && errno != EINTR)
		rc = fail(d, GLANE_E_IO, "cannot close: %s", strerror(errno));
	return rc;
}

/* Some file systems know no RENAME_NOREPLACE; link() refuses an existing name as well. */
static int rename_new(int dir, const char *from, const char *to)
{
	if (io->renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (io->linkat(dir, from, dir, to, 0) < 0)
		return -1;
	(void)io->unlinkat(dir, from, 0);
	return 0;
}

static glane_rc publish(int dir, const char *tmp, const char *name, bool exclusive, struct diag *d)
{
	int rc = exclusive ? rename_new(dir, tmp, name) : io->renameat2(dir, tmp, dir, name, 0);

	if (rc < 0 && exclusive && errno == EEXIST)
		return fail(d, GLANE_E_IO, "exists already; has another program written it?");
	if (rc < 0)
		return fail(d, GLANE_E_IO, "cannot rename from %s: %s", tmp, strerror(errno));
	return GLANE_OK;
}

static glane_rc replace_in(int dir, const char *name, struct slice content, bool exclusive, struct diag *d)
{
	char tmp[NAME_MAX + 1];
	int n = snprintf(tmp, sizeof(tmp), "%s" TMP, name);
	glane_rc rc;

	if (n < 0 || (size_t)n >= sizeof(tmp) || !*name)
		return fail(
			d, GLANE_E_LIMIT, "empty file name, or one longer than %zu bytes", sizeof(tmp) - sizeof(TMP));
	rc = write_synced(dir, tmp, content, d);
	if (rc == GLANE_OK)
		rc = publish(dir, tmp, name, exclusive, d);
	if (rc < 0) {
		(void)io->unlinkat(dir, tmp, 0);
		return rc;
	}
	return fd_sync(dir, "its folder", d);
}

glane_rc file_replace(int dirfd, const char *name, struct slice content, bool exclusive, struct diag *d)
{
	const char *slash = strrchr(name, '/');
	char folder[PATH_MAX];
	glane_rc rc;
	int dir;

	path_dir(name, folder, sizeof(folder));
	dir = openat(dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail(d, GLANE_E_IO, "%s: cannot open its folder: %s", name, strerror(errno));
	rc = replace_in(dir, slash ? slash + 1 : name, content, exclusive, d);
	fd_close(&dir);
	if (rc < 0)
		(void)diag_prefix(d, "%s", name);
	return rc;
}

/* For file systems without O_TMPFILE (NFS, some FUSE). */
static int create_unlinked(int dirfd)
{
	static unsigned count;
	char name[64];
	int fd = -1;

	for (int tries = 0; fd < 0 && tries < 100; tries++) {
		(void)snprintf(name, sizeof(name), ".unlinked-%ld-%u" TMP, (long)getpid(), count++);
		fd = io->openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			return -1;
	}
	if (fd >= 0 && io->unlinkat(dirfd, name, 0) < 0)
		fd_close(&fd);
	return fd;
}

int file_temp(int dirfd, struct diag *d)
{
	int fd = io->openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		fd = create_unlinked(dirfd);
	if (fd < 0)
		(void)fail(d, GLANE_E_IO, "cannot create a temporary file: %s", strerror(errno));
	return fd;
}
