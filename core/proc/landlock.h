/* SPDX-License-Identifier: MIT */
/*
 * Landlock by its raw system calls (Documentation/userspace-api/landlock.rst of Linux): glibc has no wrappers, and Debian 12's headers stop
 * at the second version. What a kernel's version cannot deny stays as it is; nothing here needs privileges.
 */
#ifndef PROC_LANDLOCK_H
#define PROC_LANDLOCK_H
#include "base/diag.h"

/* What is let through below a rule's path. */
#define LANDLOCK_READ 1u    /* read files */
#define LANDLOCK_LIST 2u    /* list folders */
#define LANDLOCK_EXECUTE 4u /* start programs */
#define LANDLOCK_CHANGE 8u  /* write, truncate, create, rename and remove files, make folders */
#define LANDLOCK_WRITE 16u  /* write to what is there */

struct landlock_path {
	const char *path; /* a folder or a file; one that does not exist gives no rule. NULL: fd */
	int fd;
	unsigned access;
};
#define LANDLOCK_NET 1u    /* no TCP: neither bind nor connect (version 4) */
#define LANDLOCK_BIND 2u   /* no TCP bind */
#define LANDLOCK_SCOPES 4u /* no signals and no abstract sockets out of this domain (version 6) */

/* The kernel's version: 1 is files, 2 renames between folders, 3 truncation, 4 TCP, 5 ioctl of devices, 6 scopes. 0: there is none. */
unsigned landlock_version(void);
/* From here on this thread, and what it starts, reaches what `paths` name and nothing else. version: as landlock_version(), or less of
 * it. Needs no_new_privs. GLANE_E_DENIED: the kernel does not do it. */
glane_rc landlock_confine(unsigned version, const struct landlock_path *paths, size_t n, unsigned deny, struct diag *d);
#endif
