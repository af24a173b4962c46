/* SPDX-License-Identifier: MIT */
/* The table of calls that change the disk, as the system has them. */
#include "base/io.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int system_openat(int dir, const char *name, int flags, mode_t mode)
{
	return openat(dir, name, flags, mode);
}

const struct io_table io_system = {
	.openat = system_openat,
	.write = write,
	.fsync = fsync,
	.renameat2 = renameat2,
	.linkat = linkat,
	.unlinkat = unlinkat,
	.mkdirat = mkdirat,
	.fchmod = fchmod,
};
const struct io_table *io = &io_system;
