/* SPDX-License-Identifier: MIT */
/* Resource limits of a worker. */
#include "proc/sandbox.h"

#include "base/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

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

#define SPARE 512

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

/*
 * Processes that a program's user may have. The kernel counts all of the user's, whoever started them, so a fixed number would stop
 * programs wherever the user is busy otherwise: it is what the whole machine runs now, and SPARE more. Unknown: no limit.
 */
static rlim_t process_limit(void)
{
	char text[128];
	const int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	struct slice rest = {text, n > 0 ? (size_t)n : 0};
	int64_t running;

	if (fd >= 0)
		close(fd);
	slice_cut(&rest, '/'); /* 0.20 0.18 0.12 1/80 11206: running and all */
	return slice_int(slice_cut(&rest, ' '), 1, INT32_MAX, &running) ? (rlim_t)running + SPARE : RLIM_INFINITY;
}

glane_rc sandbox_limits(uint64_t memory, uint64_t mapped, uint64_t cpu_seconds, bool processes, struct diag *d)
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
		rc = limit(RLIMIT_NOFILE, "NOFILE", processes ? 64 : 32, processes ? 64 : 32, d);
	if (rc == GLANE_OK) {
		const rlim_t most = processes ? process_limit() : 0;

		rc = limit(RLIMIT_NPROC, "NPROC", most, most, d);
	}
	if (rc == GLANE_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		rc = fail(d, GLANE_E_IO, "cannot give up new privileges: %s", strerror(errno));
	return rc;
}

void sandbox_private(void)
{
	if (!SANITIZED)
		prctl(PR_SET_DUMPABLE, 0);
}

#define PROBE ((size_t)1 << 20)

/* Async-signal-safe. The handler is reset on entry, so raise() ends the process once it returns. */
static void on_fatal(int sig)
{
	static const char words[] = "\n" SANDBOX_OUT_OF_MEMORY "\n";
	void *probe = mmap(NULL, PROBE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (probe == MAP_FAILED && write(2, words, sizeof(words) - 1) < 0)
		_exit(1);
	raise(sig);
}

glane_rc sandbox_watch(struct diag *d)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTRAP};
	static char stack[16384]; /* an overflown stack has no room for a handler */
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	const struct sigaction act = {.sa_handler = on_fatal, .sa_flags = SA_ONSTACK | (int)SA_RESETHAND};

	if (SANITIZED)
		return GLANE_OK; /* their handlers stay, and there is no limit */
	if (sigaltstack(&alternate, NULL) != 0)
		return fail(d, GLANE_E_IO, "cannot set a stack for signals: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		if (sigaction(fatal[i], &act, NULL) != 0)
			return fail(d, GLANE_E_IO, "cannot watch signal %d: %s", fatal[i], strerror(errno));
	return GLANE_OK;
}

const char *sandbox_level(void)
{
	return "limits";
}
