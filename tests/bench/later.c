/* SPDX-License-Identifier: MIT */
/* To be preloaded: the wall clock goes GLANE_TEST_LATER seconds ahead (or behind), for programs that ask clock_gettime(). Compiled
 * by tests/run/history.py. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *ret)
{
	const char *later = getenv("GLANE_TEST_LATER");
	int rc = (int)syscall(SYS_clock_gettime, id, ret);

	if (rc == 0 && id == CLOCK_REALTIME && later)
		ret->tv_sec += atoll(later);
	return rc;
}
