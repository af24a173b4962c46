/* SPDX-License-Identifier: MIT */
/* A disk that fails; see the header. Folders and files are known by device and inode. Of what was not synced each page of a write,
 * and each change of a folder, is lost or kept by the throw of a coin. */
#include "support/disk_model.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N(a) (sizeof(a) / sizeof(*(a)))
#define NAME 192

const char *const disk_fault_names[DISK_FAULTS] = {"power cut", "EIO, then a power cut", "kill", "EIO once",
	"EIO from then on", "ENOSPC from then on", "EDQUOT once", "a torn write, then ENOSPC", "half writes", "EINTR",
	"a power cut of a disk that lies"};

struct unsynced { /* a file with writes that are not durable */
	dev_t dev;
	ino_t ino;
	int fd;
	off_t size; /* that is durable */
	bool lost;  /* its fsync failed: a later one does not save what was written before */
	struct {
		off_t at;
		size_t n;
	} write[256];
	size_t n;
};
enum what { MADE, MOVED, REMOVED, FOLDER };
struct undone { /* a change of a folder that is not durable */
	enum what what;
	dev_t dev;
	ino_t ino; /* of the folder */
	int dir, from_dir;
	char name[NAME], from[NAME];
	char stash[24]; /* what was of that name before; "": nothing */
};
static struct {
	enum disk_fault fault;
	long k, calls;
	char kinds[4096];
	bool struck;
	uint64_t seed;
	int stash;
	unsigned stashed;
	struct unsynced file[64];
	size_t n_files;
	struct undone op[512];
	size_t n_ops;
	struct {
		dev_t dev;
		ino_t ino;
		int fd;
	} dir[64];
	size_t n_dirs;
} disk;

static _Noreturn void broken(const char *why)
{
	fprintf(stderr, "disk model: %s: %s\n", why, strerror(errno));
	_exit(DISK_BROKEN);
}

static bool models(void)
{
	return disk.fault == DISK_CUT || disk.fault == DISK_EIO_CUT || disk.fault == DISK_LIES;
}

static bool flip(void)
{
	disk.seed = disk.seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return disk.seed >> 63;
}

/* ---- the power goes ---- */

/* Page by page. */
static void lose_writes(const struct unsynced *f)
{
	static const char zeros[4096];

	for (size_t i = 0; i < f->n; i++) {
		off_t at = f->write[i].at, end = at + (off_t)f->write[i].n;

		while (at < end) {
			off_t page = (at / (off_t)sizeof(zeros) + 1) * (off_t)sizeof(zeros);
			size_t n = (size_t)((page < end ? page : end) - at);

			if (flip() && pwrite(f->fd, zeros, n, at) != (ssize_t)n)
				broken("cannot lose a write");
			at += (off_t)n;
		}
	}
	if (flip() && ftruncate(f->fd, f->size) < 0)
		broken("cannot cut a file");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void lose_folder(const struct undone *u)
{
	char path[64 + NAME];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", u->dir, u->name);
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void undo(const struct undone *u)
{
	if (u->what == MADE)
		(void)unlinkat(u->dir, u->name, 0);
	else if (u->what == MOVED)
		(void)renameat(u->dir, u->name, u->from_dir, u->from);
	else if (u->what == FOLDER)
		lose_folder(u);
	if (u->stash[0] && linkat(disk.stash, u->stash, u->dir, u->name, 0) < 0 && errno != EEXIST && errno != ENOENT)
		broken("cannot bring back what was replaced");
}

static _Noreturn void cut(void)
{
	for (size_t i = 0; i < disk.n_files; i++)
		lose_writes(&disk.file[i]);
	for (size_t i = disk.n_ops; i--;) {
		if (flip())
			undo(&disk.op[i]);
	}
	_exit(DISK_DEAD);
}

/* ---- what is durable ---- */

/* A descriptor of the folder that lives on. */
static int keep_dir(int dir, struct stat *st)
{
	int fd;

	if (fstatat(dir, ".", st, 0) < 0)
		broken("cannot look at a folder");
	for (size_t i = 0; i < disk.n_dirs; i++) {
		if (disk.dir[i].dev == st->st_dev && disk.dir[i].ino == st->st_ino)
			return disk.dir[i].fd;
	}
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || disk.n_dirs == N(disk.dir))
		broken("too many folders");
	disk.dir[disk.n_dirs].dev = st->st_dev;
	disk.dir[disk.n_dirs].ino = st->st_ino;
	disk.dir[disk.n_dirs++].fd = fd;
	return fd;
}

/* The folder that `name` lies in, which may hold folders; *name becomes the last part. */
static int folder_of(int dir, const char **name, struct stat *st)
{
	const char *slash = strrchr(*name, '/');
	char path[NAME];
	int at, fd;

	if (!slash)
		return keep_dir(dir, st);
	(void)snprintf(path, sizeof(path), "%.*s", (int)(slash - *name), *name);
	*name = slash + 1;
	at = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		broken(path);
	fd = keep_dir(at, st);
	(void)close(at);
	return fd;
}

/* Keeps what is of that name, if anything is, so that it can come back. */
static void stash(int dir, const char *name, char ret[24])
{
	ret[0] = '\0';
	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	(void)snprintf(ret, 24, "%u", disk.stashed++);
	if (linkat(dir, name, disk.stash, ret, 0) < 0)
		broken("cannot keep what is replaced");
}

static void note(const struct undone *op, const struct stat *folder)
{
	if (disk.n_ops == N(disk.op))
		broken("too many changes without a sync");
	disk.op[disk.n_ops] = *op;
	disk.op[disk.n_ops].dev = folder->st_dev;
	disk.op[disk.n_ops++].ino = folder->st_ino;
}

static struct unsynced *unsynced(const struct stat *st)
{
	for (size_t i = 0; i < disk.n_files; i++) {
		if (disk.file[i].dev == st->st_dev && disk.file[i].ino == st->st_ino)
			return &disk.file[i];
	}
	return NULL;
}

static void note_write(int fd, size_t n, off_t before)
{
	struct unsynced *f;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink == 0)
		return; /* a temporary file dies with the power */
	f = unsynced(&st);
	if (!f) {
		if (disk.n_files == N(disk.file))
			broken("too many files without a sync");
		f = &disk.file[disk.n_files++];
		*f = (struct unsynced){.dev = st.st_dev, .ino = st.st_ino, .fd = dup(fd), .size = before};
	}
	if (f->n == N(f->write))
		broken("too many writes without a sync");
	f->write[f->n].at = before;
	f->write[f->n++].n = n;
}

static void note_sync(int fd, bool failed)
{
	struct unsynced *f;
	struct stat st;
	size_t k = 0;

	if (fstat(fd, &st) < 0)
		return;
	f = unsynced(&st);
	if (f && failed)
		f->lost = true;
	if (f && !f->lost) {
		(void)close(f->fd);
		*f = disk.file[--disk.n_files];
	}
	for (size_t i = 0; !failed && i < disk.n_ops; i++) {
		if (disk.op[i].ino != st.st_ino || disk.op[i].dev != st.st_dev)
			disk.op[k++] = disk.op[i];
	}
	if (!failed)
		disk.n_ops = k;
}

/* ---- the calls ---- */

enum call { ROOM = 1, WRITE = 2 }; /* needs room; is a write */

/* What the call is to fail with; 0: it goes on. */
static int strike(unsigned call)
{
	bool now = ++disk.calls == disk.k, since = disk.k && disk.calls >= disk.k;

	if (disk.calls <= (long)sizeof(disk.kinds))
		disk.kinds[disk.calls - 1] = call & WRITE ? 'w' : 'c';

	switch (disk.fault) {
	case DISK_KILL:
		if (now)
			_exit(DISK_DEAD);
		return 0;
	case DISK_CUT:
	case DISK_LIES:
		if (now)
			cut();
		return 0;
	case DISK_EIO:
	case DISK_EIO_CUT:
		disk.struck |= now;
		return now ? EIO : 0;
	case DISK_EIO_ON:
		disk.struck |= since;
		return since ? EIO : 0;
	case DISK_ENOSPC:
		disk.struck |= since && call & ROOM;
		return since && call & ROOM ? ENOSPC : 0;
	case DISK_EDQUOT:
	case DISK_EINTR:
		if (!since || disk.struck || !(call & (disk.fault == DISK_EDQUOT ? ROOM : WRITE)))
			return 0;
		disk.struck = true;
		return disk.fault == DISK_EDQUOT ? EDQUOT : EINTR;
	case DISK_TORN:
		return disk.struck && call & ROOM ? ENOSPC : 0;
	case DISK_HALF:
	case DISK_FAULTS:
		break;
	}
	return 0;
}

static bool fails(unsigned call)
{
	int e = strike(call);

	errno = e ? e : errno;
	return e != 0;
}

static int disk_openat(int dir, const char *name, int flags, mode_t mode)
{
	bool made = false;
	int fd;

	if (fails(ROOM))
		return -1;
	if (models() && (flags & O_TMPFILE) != O_TMPFILE)
		made = faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
	fd = io_system.openat(dir, name, flags, mode);
	if (fd >= 0 && made) {
		struct undone op = {.what = MADE};
		struct stat st;

		op.dir = folder_of(dir, &name, &st);
		(void)snprintf(op.name, sizeof(op.name), "%s", name);
		note(&op, &st);
	}
	return fd;
}

static ssize_t disk_write(int fd, const void *p, size_t n)
{
	off_t before = lseek(fd, 0, SEEK_CUR);
	ssize_t put;

	if (fails(ROOM | WRITE))
		return -1;
	if (disk.k && disk.calls >= disk.k && n > 1 && (disk.fault == DISK_HALF || disk.fault == DISK_TORN)) {
		n /= 2;
		disk.struck = true;
	}
	put = io_system.write(fd, p, n);
	if (put > 0 && models())
		note_write(fd, (size_t)put, before);
	return put;
}

static int disk_fsync(int fd)
{
	bool bad = fails(0);

	if (models() && disk.fault != DISK_LIES)
		note_sync(fd, bad);
	return bad ? -1 : 0; /* nothing here outlives the machine, so nothing waits for its disk */
}

static int disk_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	struct undone op = {.what = MOVED};
	struct stat st, other;
	int rc;

	if (fails(ROOM))
		return -1;
	if (!models())
		return io_system.renameat2(from_dir, from, to_dir, to, flags);
	if (!flags) {
		const char *last = to;

		stash(folder_of(to_dir, &last, &st), last, op.stash);
	}
	rc = io_system.renameat2(from_dir, from, to_dir, to, flags);
	if (rc < 0)
		return rc;
	op.from_dir = folder_of(from_dir, &from, &other);
	op.dir = folder_of(to_dir, &to, &st);
	(void)snprintf(op.name, sizeof(op.name), "%s", to);
	(void)snprintf(op.from, sizeof(op.from), "%s", from);
	note(&op, &st);
	return 0;
}

static int disk_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	struct undone op = {.what = MADE};
	struct stat st;
	int rc = fails(ROOM) ? -1 : io_system.linkat(from_dir, from, to_dir, to, flags);

	if (rc == 0 && models()) {
		op.dir = folder_of(to_dir, &to, &st);
		(void)snprintf(op.name, sizeof(op.name), "%s", to);
		note(&op, &st);
	}
	return rc;
}

static int disk_unlinkat(int dir, const char *name, int flags)
{
	struct undone op = {.what = REMOVED};
	struct stat st;
	int rc;

	if (fails(0))
		return -1;
	if (!models() || flags)
		return io_system.unlinkat(dir, name, flags);
	stash(dir, name, op.stash);
	rc = io_system.unlinkat(dir, name, flags);
	if (rc == 0) {
		op.dir = folder_of(dir, &name, &st);
		(void)snprintf(op.name, sizeof(op.name), "%s", name);
		note(&op, &st);
	}
	return rc;
}

static int disk_mkdirat(int dir, const char *name, mode_t mode)
{
	struct undone op = {.what = FOLDER};
	struct stat st;
	int rc = fails(ROOM) ? -1 : io_system.mkdirat(dir, name, mode);

	if (rc == 0 && models()) {
		op.dir = folder_of(dir, &name, &st);
		(void)snprintf(op.name, sizeof(op.name), "%s", name);
		note(&op, &st);
	}
	return rc;
}

static int disk_fchmod(int fd, mode_t mode)
{
	return fails(0) ? -1 : io_system.fchmod(fd, mode);
}

static const struct io_table table = {
	disk_openat, disk_write, disk_fsync, disk_renameat2, disk_linkat, disk_unlinkat, disk_mkdirat, disk_fchmod};

void disk_model_begin(enum disk_fault fault, long k, uint64_t seed, int stash_dir)
{
	disk.fault = fault;
	disk.k = k;
	disk.calls = 0;
	disk.struck = false;
	disk.seed = seed * UINT64_C(2654435761) + 12345;
	disk.stash = stash_dir;
	disk.n_files = disk.n_ops = disk.n_dirs = 0;
	disk.stashed = 0;
	io = &table;
}

long disk_model_calls(char *kinds, long n)
{
	long kept = n < (long)sizeof(disk.kinds) ? n : (long)sizeof(disk.kinds);

	memcpy(kinds, disk.kinds, (size_t)(disk.calls < kept ? disk.calls : kept));
	return disk.calls;
}

bool disk_model_end(void)
{
	if (models() && disk.k)
		cut();
	return disk.struck;
}
