/* SPDX-License-Identifier: MIT */
/* Opening and closing a store: lock, format, refusals, and the left-overs of a killed writer. */
#include "store/store.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/io.h"
#include "store/files.h"
#include "store/lake.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FORMAT "2"
#define MIN_FREE ((uint64_t)64 << 20)
#define MIN_INODES 256

static const char *const folders[] = {"stream", "current", "series", "state", "runs", "payloads", "tmp"};
/* Those, and what is in them or made later. */
static const char *const inner[] = {"stream", "current", "series", "state", "runs", "payloads", "tmp", "quarantine",
	"broker", "stream/_delta_log", "current/_delta_log", "series/_delta_log"};
/* What a writer that was killed while it made the store may have left, and what others put beside. */
static const char *const known[] = {"stream", "current", "series", "state", "runs", "payloads", "tmp", "quarantine",
	"broker", "lock", "format", "format.tmp", "lost+found"};

glane_rc store_may_write(const struct store *s, struct diag *d)
{
	if (s->lock < 0)
		return fail(d, GLANE_E_USAGE, "%s: the store was opened for reading", s->path);
	if (*s->broken)
		return fail(d, GLANE_E_IO,
			"%s: nothing more is written after the earlier error; mend its cause and run again", s->path);
	return GLANE_OK;
}

glane_rc store_wrote(const struct store *s, glane_rc rc)
{
	if (rc == GLANE_E_IO)
		*s->broken = true;
	return rc;
}

glane_rc store_damaged(const struct store *s, glane_rc rc, struct diag *d)
{
	(void)diag_prefix(d, "%s", s->path);
	if (rc == GLANE_E_NOMEM)
		return rc;
	if (d)
		d->code = GLANE_E_IO;
	return GLANE_E_IO;
}

static glane_rc check_format(const struct store *s, struct diag *d)
{
	struct strbuf b;
	glane_rc rc;

	strbuf_init(&b, 256);
	rc = file_read(s->dir, "format", 64, &b, d);
	if (rc == GLANE_OK && slice_is(slice_trim(strbuf_get(&b)), "1"))
		rc = fail(d, GLANE_E_IO,
			"has format 1, of a version before the first release; name a new folder, and `glane run --all` "
			"fills it");
	else if (rc == GLANE_OK && !slice_is(slice_trim(strbuf_get(&b)), FORMAT))
		rc = fail(d, GLANE_E_IO,
			"has format '%.*s', this program knows " FORMAT "; use the version that wrote it",
			SLICE_FMT(slice_trim(strbuf_get(&b))));
	strbuf_release(&b);
	return rc < 0 ? store_damaged(s, rc, d) : GLANE_OK;
}

static glane_rc open_reader(struct store *s, struct diag *d)
{
	glane_rc rc;

	s->dir = openat(AT_FDCWD, s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0 && (errno == ENOENT || errno == ENOTDIR))
		return fail(d, GLANE_E_IO, "no store at %s; `glane run` makes one", s->path);
	if (s->dir < 0)
		return fail(d, GLANE_E_IO, "%s: cannot open the store: %s", s->path, strerror(errno));
	if (!file_exists(s->dir, "format"))
		return fail(d, GLANE_E_IO, "no store at %s: the folder has no file 'format'; `glane run` makes a store",
			s->path);
	rc = check_format(s, d);
	return rc == GLANE_OK ? lake_open(s, false, d) : rc;
}

static glane_rc refuse_foreign(void *arg, int dir, const char *name)
{
	bool *found = arg;

	(void)dir;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i], name) == 0)
			return GLANE_OK;
	}
	*found = true;
	return GLANE_OK;
}

/* A mistyped --store must not spread a store over somebody's folder. */
static glane_rc check_folder(const struct store *s, struct diag *d)
{
	bool found = false;
	struct stat st;
	glane_rc rc;

	if (!file_exists(s->dir, "format")) {
		rc = folder_each(s->dir, ".", refuse_foreign, &found, d);
		if (rc < 0)
			return rc;
		if (found)
			return fail(
				d, GLANE_E_IO, "%s is no store, and not empty; name a store or a new folder", s->path);
	}
	for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++) {
		if (fstatat(s->dir, inner[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
			return fail(d, GLANE_E_IO, "%s/%s is no folder; a store's own folders must not be links",
				s->path, inner[i]);
	}
	return GLANE_OK;
}

/* flock() and renames are not dependable there, and a lost lock would double commits. */
static glane_rc refuse_network(const struct store *s, struct diag *d)
{
	static const uint32_t magics[] = {
		0x6969 /* NFS */, 0x517B /* SMB */, 0xFF534D42 /* CIFS */, 0xFE534D42 /* SMB2 */};
	struct statfs fs;

	if (fstatfs(s->dir, &fs) < 0)
		return fail(d, GLANE_E_IO, "%s: cannot ask for its file system: %s", s->path, strerror(errno));
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		if ((uint32_t)fs.f_type == magics[i])
			return fail(d, GLANE_E_IO,
				"%s is on a network file system (NFS or CIFS); put the store on a local disk", s->path);
	}
	return GLANE_OK;
}

/* The process of a line of /proc/locks (proc(5)), "1: FLOCK  ADVISORY  WRITE 4711 fe:00:12345 0 EOF", where it is about that inode; or 0. */
static int64_t holder_in(struct slice line, const char *inode)
{
	struct slice word[6];
	size_t n = 0;
	int64_t pid;

	while (line.p && n < 6) {
		word[n] = slice_cut(&line, ' ');
		n += word[n].n > 0;
	}
	if (n < 6 || !slice_is(word[1], "FLOCK") || !slice_int(word[4], 1, INT32_MAX, &pid))
		return 0;
	(void)slice_cut(&word[5], ':');
	(void)slice_cut(&word[5], ':');
	return slice_is(word[5], inode) ? pid : 0;
}

/* Who has the lock; 0: it is not to be told. */
static int64_t lock_holder(const struct store *s)
{
	struct strbuf text;
	struct slice lines;
	struct stat st;
	int64_t found = 0;
	char inode[24];

	if (fstat(s->lock, &st) != 0)
		return 0;
	(void)snprintf(inode, sizeof(inode), "%llu", (unsigned long long)st.st_ino);
	strbuf_init(&text, 1 << 20);
	(void)file_read(AT_FDCWD, "/proc/locks", 1 << 20, &text, NULL);
	for (lines = strbuf_get(&text); !found && lines.p && lines.n;)
		found = holder_in(slice_cut(&lines, '\n'), inode);
	strbuf_release(&text);
	return found;
}

static glane_rc refuse_locked(const struct store *s, struct diag *d)
{
	const int64_t pid = lock_holder(s);

	if (pid > 0)
		return fail(d, GLANE_E_DENIED, "%s: another run holds the lock (process %lld); wait for its end",
			s->path, (long long)pid);
	return fail(d, GLANE_E_DENIED, "%s: another run holds the lock; wait for its end", s->path);
}

/* The folder is locked too: a lock file that somebody deleted must not let two writers in. */
static glane_rc take_lock(struct store *s, struct diag *d)
{
	s->lock = openat(s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (s->lock < 0)
		return fail(d, GLANE_E_IO, "%s/lock: cannot open for writing: %s; may this user write to the store?",
			s->path, strerror(errno));
	if (flock(s->lock, LOCK_EX | LOCK_NB) < 0 || flock(s->dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return fail(d, GLANE_E_IO, "%s/lock: cannot lock: %s", s->path, strerror(errno));
		return refuse_locked(s, d);
	}
	return GLANE_OK;
}

static glane_rc check_space(const struct store *s, struct diag *d)
{
	struct statvfs fs;
	uint64_t left;

	if (fstatvfs(s->dir, &fs) < 0)
		return fail(d, GLANE_E_IO, "%s: cannot ask for the free space: %s", s->path, strerror(errno));
	if (fs.f_flag & ST_RDONLY)
		return fail(d, GLANE_E_IO, "%s is on a read-only file system", s->path);
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (left < MIN_FREE)
		return fail(d, GLANE_E_IO, "%s: %llu MiB are free on its disk, at least %llu are needed; make room",
			s->path, (unsigned long long)(left >> 20), (unsigned long long)(MIN_FREE >> 20));
	if (fs.f_files && fs.f_favail < MIN_INODES)
		return fail(d, GLANE_E_IO, "%s: its disk has room for %llu more files only, at least %d are needed",
			s->path, (unsigned long long)fs.f_favail, MIN_INODES);
	return GLANE_OK;
}

/* `format` comes last: a folder without it is not yet a store. */
static glane_rc make_folders(struct store *s, struct diag *d)
{
	bool made = false;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		if (io->mkdirat(s->dir, folders[i], 0755) == 0)
			made = true;
		else if (errno != EEXIST)
			return fail(d, GLANE_E_IO, "%s/%s: cannot create the folder: %s", s->path, folders[i],
				strerror(errno));
	}
	if (made)
		rc = fd_sync(s->dir, s->path, d);
	if (rc == GLANE_OK && !file_exists(s->dir, "format")) {
		rc = file_replace(s->dir, "format", SLICE(FORMAT "\n"), true, d);
		if (rc < 0)
			(void)diag_prefix(d, "%s", s->path);
	}
	if (rc == GLANE_OK)
		rc = check_format(s, d);
	if (rc < 0)
		return rc;
	s->tmp = dir_open(s->dir, "tmp", false, d);
	return s->tmp < 0 ? GLANE_E_IO : GLANE_OK;
}

struct sweep {
	const struct store *s;
	uint64_t newest; /* commit of the source whose states are swept */
	struct diag *d;
};

static glane_rc sweep_away(const struct sweep *w, int dir, const char *name)
{
	if (io->unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return fail(w->d, GLANE_E_IO, "%s: cannot remove the left-over %s of a killed run: %s", w->s->path,
			name, strerror(errno));
	return GLANE_OK;
}

static glane_rc sweep_tmp(void *arg, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return GLANE_OK;
	return sweep_away(arg, dir, name);
}

static glane_rc sweep_part(void *arg, int dir, const char *name)
{
	return has_suffix(name, ".tmp") ? sweep_away(arg, dir, name) : GLANE_OK;
}

static glane_rc sweep_state(void *arg, int dir, const char *name)
{
	const struct sweep *w = arg;

	return file_number(name, ".json") > w->newest ? sweep_away(w, dir, name) : sweep_part(arg, dir, name);
}

static glane_rc sweep_source(void *arg, int dir, const char *name)
{
	struct sweep *w = arg;
	struct stat st;
	glane_rc rc;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))
		return sweep_part(arg, dir, name); /* such as the rate budgets beside the sources */
	if (!conf_is_name(slice_of(name)))
		return GLANE_OK;
	rc = store_commit_number(w->s, name, &w->newest, w->d);
	return rc < 0 ? rc : folder_each(dir, name, sweep_state, w, w->d);
}

static glane_rc sweep(const struct store *s, struct diag *d)
{
	struct sweep w = {.s = s, .d = d};
	glane_rc rc = folder_each(s->dir, "tmp", sweep_tmp, &w, d);

	if (rc == GLANE_OK)
		rc = folder_each(s->dir, "runs", sweep_part, &w, d);
	if (rc == GLANE_OK)
		rc = folder_each(s->dir, ".", sweep_part, &w, d);
	if (rc == GLANE_OK)
		rc = folder_each(s->dir, "state", sweep_source, &w, d);
	return rc;
}

static glane_rc open_writer(struct store *s, struct diag *d)
{
	glane_rc rc;

	s->dir = dir_open(AT_FDCWD, s->path, true, d);
	if (s->dir < 0)
		return GLANE_E_IO;
	rc = refuse_network(s, d);
	if (rc == GLANE_OK)
		rc = check_folder(s, d);
	if (rc == GLANE_OK)
		rc = take_lock(s, d);
	if (rc == GLANE_OK)
		rc = check_space(s, d);
	if (rc == GLANE_OK)
		rc = make_folders(s, d);
	if (rc == GLANE_OK)
		rc = lake_open(s, true, d);
	if (rc == GLANE_OK)
		rc = sweep(s, d);
	if (rc == GLANE_OK)
		rc = lake_sweep(s, d);
	return rc == GLANE_OK ? lake_repair(s, d) : rc;
}

/* As the writer sees it: a folder that is no store is refused, except where a store may be made in it. */
static glane_rc open_if_any(struct store *s, struct diag *d)
{
	glane_rc rc;

	s->dir = openat(AT_FDCWD, s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return errno == ENOENT ? lake_open(s, false, d)
				       : fail(d, GLANE_E_IO, "%s: cannot open the store: %s", s->path, strerror(errno));
	rc = check_folder(s, d);
	if (rc == GLANE_OK && file_exists(s->dir, "format"))
		rc = check_format(s, d);
	else
		fd_close(&s->dir);
	return rc == GLANE_OK ? lake_open(s, false, d) : rc;
}

static glane_rc open_as(
	struct store *s, const char *path, glane_rc (*how)(struct store *s, struct diag *d), struct diag *d)
{
	struct store made = {.dir = NO_STORE, .tmp = -1, .lock = -1};
	size_t n = strlen(path) + 1;
	glane_rc rc;

	made.path = mem_alloc(n);
	made.broken = mem_zalloc(1, sizeof(*made.broken));
	if (made.path && made.broken) {
		memcpy(made.path, path, n);
		rc = how(&made, d);
	} else {
		rc = fail(d, GLANE_E_NOMEM, "%s: no memory to open the store", path);
	}
	if (rc < 0)
		store_close(&made);
	else
		*s = made;
	return rc;
}

glane_rc store_open(struct store *s, const char *path, bool write, struct diag *d)
{
	return open_as(s, path, write ? open_writer : open_reader, d);
}

glane_rc store_open_if_any(struct store *s, const char *path, struct diag *d)
{
	return open_as(s, path, open_if_any, d);
}

void store_close(struct store *s)
{
	lake_close(s);
	fd_close(&s->tmp);
	fd_close(&s->lock);
	fd_close(&s->dir);
	mem_free(s->path);
	mem_free(s->broken);
	*s = (struct store){.dir = -1, .tmp = -1, .lock = -1};
}
