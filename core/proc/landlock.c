/* SPDX-License-Identifier: MIT */
/* Rule sets of Landlock. */
#include "proc/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* uapi/linux/landlock.h, as of version 6. */
#define CREATE_VERSION 1u
#define RULE_PATH_BENEATH 1
#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REMOVE_DIR (1ull << 4)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_DIR (1ull << 7)
#define FS_MAKE_REG (1ull << 8)
#define FS_VERSION_1 ((1ull << 13) - 1)
#define FS_REFER (1ull << 13)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define NET_BIND (1ull << 0)
#define NET_CONNECT (1ull << 1)
#define SCOPE_ALL 3ull

struct ruleset_attr {
	uint64_t fs, net, scoped;
};
struct beneath_attr {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

static int create_ruleset(const struct ruleset_attr *a, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, a, size, flags);
}

unsigned landlock_version(void)
{
	const int v = create_ruleset(NULL, 0, CREATE_VERSION);

	return v > 0 ? (unsigned)v : 0;
}

static uint64_t known_rights(unsigned version)
{
	return FS_VERSION_1 | (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNCATE : 0) |
	       (version >= 5 ? FS_IOCTL_DEV : 0);
}

static uint64_t rights_of(unsigned access)
{
	uint64_t r = 0;

	if (access & LANDLOCK_READ)
		r |= FS_READ_FILE;
	if (access & LANDLOCK_LIST)
		r |= FS_READ_DIR;
	if (access & LANDLOCK_EXECUTE)
		r |= FS_EXECUTE;
	if (access & (LANDLOCK_WRITE | LANDLOCK_CHANGE))
		r |= FS_WRITE_FILE | FS_TRUNCATE;
	if (access & LANDLOCK_CHANGE)
		r |= FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_REFER;
	return r;
}

static glane_rc add_path(int set, const struct landlock_path *p, uint64_t known, struct diag *d)
{
	struct beneath_attr rule = {rights_of(p->access) & known, p->fd};
	struct stat st;
	glane_rc rc = GLANE_OK;

	if (p->path)
		rule.parent = open(p->path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0)
		return GLANE_OK; /* what is not there needs no rule, and without one it stays out of reach */
	if (fstat(rule.parent, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed &= FS_OF_FILES; /* rights of folders on a file: EINVAL */
	/* EBADFD: a file of no file system that has paths (memfd), which no rule stops. */
	if (rule.allowed && syscall(SYS_landlock_add_rule, set, RULE_PATH_BENEATH, &rule, 0) != 0 && errno != EBADFD)
		rc = fail(d, GLANE_E_DENIED, "Landlock: cannot let %s through: %s", p->path ? p->path : "a folder",
			strerror(errno));
	if (p->path)
		close(rule.parent);
	return rc;
}

glane_rc landlock_confine(unsigned version, const struct landlock_path *paths, size_t n, unsigned deny, struct diag *d)
{
	struct ruleset_attr a = {.fs = known_rights(version)};
	const size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
	glane_rc rc = GLANE_OK;
	int set;

	if (version >= 4)
		a.net = (deny & LANDLOCK_NET ? NET_BIND | NET_CONNECT : 0) | (deny & LANDLOCK_BIND ? NET_BIND : 0);
	if (version >= 6 && deny & LANDLOCK_SCOPES)
		a.scoped = SCOPE_ALL;
	set = create_ruleset(&a, size, 0);
	if (set < 0)
		return fail(d, GLANE_E_DENIED, "Landlock: no rule set: %s", strerror(errno));
	for (size_t i = 0; i < n && rc == GLANE_OK; i++)
		rc = add_path(set, &paths[i], a.fs, d);
	if (rc == GLANE_OK && syscall(SYS_landlock_restrict_self, set, 0) != 0)
		rc = fail(d, GLANE_E_DENIED, "Landlock: the rules do not apply: %s", strerror(errno));
	close(set);
	return rc;
}
