/* SPDX-License-Identifier: MIT */
/* Read-only descriptors of unlinked files. */
#include "net/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int body_reopen(int fd, struct diag *d)
{
	char path[40];
	int copy;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy = open(path, O_RDONLY | O_CLOEXEC);
	if (copy < 0)
		(void)fail(d, GLANE_E_IO, "cannot open the body read-only: %s; is /proc mounted?", strerror(errno));
	return copy;
}
