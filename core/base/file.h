/* SPDX-License-Identifier: MIT */
/* Files: every read, write and sync is checked, EINTR is retried, a failed fsync never. */
#ifndef BASE_FILE_H
#define BASE_FILE_H
#include "base/diag.h"
#include "base/strbuf.h"

#include <sys/types.h>

/* Whole small regular file into b (at most max bytes: GLANE_E_LIMIT). A missing file is GLANE_E_IO with errno
 * ENOENT; GLANE_E_IO also of a FIFO, a device, a folder: it never waits. What is read is appended; after an error b holds what it held before. */
glane_rc file_read(int dirfd, const char *path, size_t max, struct strbuf *b, struct diag *d);
bool file_exists(int dirfd, const char *path);
/* n bytes from that offset on, whatever the number of read calls; fewer where the file ends. Negative: errno says why. */
ssize_t fd_pread(int fd, void *buf, size_t n, uint64_t at);
/* All n bytes, whatever the number of write calls. */
glane_rc fd_write(int fd, const void *p, size_t n, struct diag *d);
glane_rc fd_sync(int fd, const char *what, struct diag *d);
/* Writes name.tmp, fsyncs it, renames it over `name` (or fails with GLANE_E_IO where `exclusive` and it exists),
 * fsyncs the folder. After an error nothing of that name has changed, except where the message says that the folder
 * could not be synced: the new file is there, but may not outlive a power cut. `name` may hold folders; they exist. */
glane_rc file_replace(int dirfd, const char *name, struct slice content, bool exclusive, struct diag *d);
/* Opens the folder, or creates it and its parents (0755), fsyncing each parent made; a descriptor of it, or < 0. Below a descriptor no part of
 * the path may be a link; otherwise they may. */
int dir_open(int dirfd, const char *path, bool create, struct diag *d);
/* Calls `each` for every entry of a folder (in no order) except "." and ".."; none where the folder is missing or dirfd is -1.
 * `dir` is the folder. The first code < 0 ends it. */
typedef glane_rc folder_visit(void *arg, int dir, const char *name);
glane_rc folder_each(int dirfd, const char *path, folder_visit *each, void *arg, struct diag *d);
/* The folder part of path ("." where there is none), into buf; "" where it does not fit. */
void path_dir(const char *path, char *buf, size_t cap);
/* base joined with path, unless path is absolute. False where it does not fit. */
bool path_join(const char *base, const char *path, char *buf, size_t cap);
/* path from the working folder's root. False where it does not fit. */
bool path_absolute(const char *path, char *buf, size_t cap);
/* An unlinked file in the folder, for reading and writing (O_TMPFILE, or created and unlinked). */
int file_temp(int dirfd, struct diag *d);
void fd_close(int *fd); /* closes where >= 0, sets -1 */
#endif
