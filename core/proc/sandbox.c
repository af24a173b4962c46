/* SPDX-License-Identifier: MIT */
/* Resource limits of a worker. */
#include "proc/sandbox.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static glane_rc limit(int which, const char *name, uint64_t soft, uint64_t hard, struct diag *d)
{
	struct rlimit now, want = {soft, hard};

	if (getrlimit((__rlimit_resource_t)which, &now) != 0)
		return fail(d, GLANE_E_IO, "cannot read the limit %s: %s", name, strerror(errno));
	if (want.rlim_max > now.rlim_max)
		want.rlim_max = now.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	if (setrlimit((__rlimit_resource_t)which, &want) != 0)
		return fail(d, GLANE_E_IO, "cannot set the limit %s: %s", name, strerror(errno));
	return GLANE_OK;
}

glane_rc sandbox_limits(uint64_t memory, uint64_t mapped, uint64_t cpu_seconds, struct diag *d)
{
	const uint64_t space = memory + mapped + ((uint64_t)1 << 30);
	glane_rc rc = GLANE_OK;

	if (!SANITIZED) {
		rc = limit(RLIMIT_DATA, "DATA", memory, memory, d);
		if (rc == GLANE_OK)
			rc = limit(RLIMIT_AS, "AS", space, space, d);
	}
	if (rc == GLANE_OK)
		rc = limit(RLIMIT_CPU, "CPU", cpu_seconds, cpu_seconds + 5, d);
	if (rc == GLANE_OK)
		rc = limit(RLIMIT_CORE, "CORE", 0, 0, d);
	if (rc == GLANE_OK)
		rc = limit(RLIMIT_FSIZE, "FSIZE", 0, 0, d);
	if (rc == GLANE_OK)
		rc = limit(RLIMIT_NOFILE, "NOFILE", 32, 32, d);
	if (rc == GLANE_OK)
		rc = limit(RLIMIT_NPROC, "NPROC", 0, 0, d);
	if (rc == GLANE_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		rc = fail(d, GLANE_E_IO, "cannot give up new privileges: %s", strerror(errno));
	return rc;
}

const char *sandbox_level(void)
{
	return "limits";
}
