/* SPDX-License-Identifier: MIT */
/* The calls that change the disk, behind a table: tests put another one in place to fail, shorten or drop any of them, or to
 * end the process there. Whatever file.c and store/ write goes through it. */
#ifndef BASE_IO_H
#define BASE_IO_H
#include <sys/types.h>

struct io_table { /* as the system calls of these names: -1 and errno */
	int (*openat)(int dir, const char *name, int flags, mode_t mode); /* with O_CREAT or O_TMPFILE only */
	ssize_t (*write)(int fd, const void *p, size_t n);
	int (*fsync)(int fd);
	int (*renameat2)(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
	int (*linkat)(int from_dir, const char *from, int to_dir, const char *to, int flags);
	int (*unlinkat)(int dir, const char *name, int flags);
	int (*mkdirat)(int dir, const char *name, mode_t mode);
	int (*fchmod)(int fd, mode_t mode);
};
extern const struct io_table io_system;
/* io_system, unless a test has set another one. */
extern const struct io_table *io;
#endif
