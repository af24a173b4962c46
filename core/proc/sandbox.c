/* SPDX-License-Identifier: MIT */
/* The choice of a sandbox, and its steps. */
#include "proc/sandbox.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/slice.h"
#include "proc/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* A build that writes counters into files as a process ends. */
#ifdef SANDBOX_NONE
#define COUNTED 1
#else
#define COUNTED 0
#endif

/* One to be run by valgrind, which has memory, files and descriptors of its own in the process. */
#ifdef UNDER_VALGRIND
#define WATCHED 1
#else
#define WATCHED 0
#endif
#if SANITIZED || WATCHED
#define LIMITS_MEMORY 0
#else
#define LIMITS_MEMORY 1
#endif
#if COUNTED || WATCHED
#define LIMITS_FILES 0
#else
#define LIMITS_FILES 1
#endif

/* Why this build has no sandbox; NULL: it has one. */
#if SANITIZED
static const char *const none = "none (sanitizer build)";
#elif WATCHED
static const char *const none = "none (valgrind build)";
#elif defined(SANDBOX_NONE)
static const char *const none = "none (" SANDBOX_NONE ")";
#else
static const char *const none = NULL;
#endif

#define SPARE 512
#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct {
	bool require;
	unsigned most;
} choice = {true, ~0u};

void sandbox_choose(bool require, unsigned most)
{
	choice.require = require;
	choice.most = most;
}

/* The version of Landlock that is used here; 0: none. */
static unsigned landlock_used(void)
{
	const unsigned version = landlock_version();

	return version < choice.most ? version : choice.most;
}

static bool has_seccomp(void)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

glane_rc sandbox_check(struct diag *d)
{
	if (none)
		return GLANE_OK;
	if (!has_seccomp())
		return fail(d, GLANE_E_CONFIG,
			"this kernel has no seccomp (Linux 4.14 or newer, and nothing that hides it): readers are "
			"not run without a sandbox");
	if (choice.require && landlock_used() == 0)
		return fail(d, GLANE_E_CONFIG,
			"this kernel has no Landlock (Linux 5.13 or newer, with landlock among the security modules "
			"that it starts): write `sandbox = seccomp` in the [glane] section to do without; then "
			"the code that a plugin runs while it is loaded, and a source's program, could read files");
	return GLANE_OK;
}

const char *sandbox_word(void)
{
	static char word[32];

	(void)snprintf(word, sizeof(word), "%s:%u", choice.require ? "require" : "seccomp", choice.most);
	return word;
}

bool sandbox_take(const char *word)
{
	struct slice most = slice_of(word);
	const struct slice policy = slice_cut(&most, ':');
	int64_t n;

	if (!slice_int(most, 0, UINT32_MAX, &n) || !(slice_is(policy, "require") || slice_is(policy, "seccomp")))
		return false;
	sandbox_choose(slice_is(policy, "require"), (unsigned)n);
	return true;
}

const char *sandbox_level(void)
{
	static char level[48];
	const unsigned version = landlock_used();

	if (none)
		return none;
	if (version == 0)
		return "seccomp, limits";
	(void)snprintf(level, sizeof(level), "landlock %u, seccomp, limits", version);
	return level;
}

static glane_rc no_new_privileges(struct diag *d)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(d, GLANE_E_DENIED, "cannot give up new privileges: %s", strerror(errno));
	return GLANE_OK;
}

/* Of root, so that nothing it starts has them again: then other processes' memory is out of reach as for any user. */
static glane_rc keep_capabilities(uint32_t keep, struct diag *d)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};

	for (int cap = 0; geteuid() == 0 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1; cap++)
		if (cap >= 32 || !(keep >> cap & 1))
			(void)prctl(
				PR_CAPBSET_DROP, cap, 0, 0, 0); /* one that stays gives nothing: no new privileges */
	if (syscall(SYS_capget, &head, data) != 0)
		return fail(d, GLANE_E_DENIED, "cannot read the capabilities: %s", strerror(errno));
	data[0] = (struct __user_cap_data_struct){data[0].effective & keep, data[0].permitted & keep, 0};
	data[1] = (struct __user_cap_data_struct){0, 0, 0};
	if (syscall(SYS_capset, &head, data) != 0)
		return fail(d, GLANE_E_DENIED, "cannot give up capabilities: %s", strerror(errno));
	return GLANE_OK;
}

/* Landlock as far as it goes here, then the filter. */
static glane_rc confine(
	const struct landlock_path *paths, size_t n, unsigned deny, enum seccomp_role role, struct diag *d)
{
	const unsigned version = landlock_used();
	glane_rc rc = sandbox_check(d);

	if (none)
		return GLANE_OK;
	if (rc == GLANE_OK)
		rc = no_new_privileges(d);
	if (rc == GLANE_OK && role == SECCOMP_BROKER) /* its files may be another user's */
		rc = keep_capabilities(1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH, d);
	else if (rc == GLANE_OK && role != SECCOMP_SEALED)
		rc = keep_capabilities(0, d);
	if (rc == GLANE_OK && version > 0)
		rc = landlock_confine(version, paths, n, deny, d);
	return rc == GLANE_OK ? seccomp_confine(role, d) : rc;
}

static glane_rc limit(int which, const char *name, uint64_t soft, uint64_t hard, struct diag *d)
{
	struct rlimit now, want = {soft, hard};

	if (getrlimit((__rlimit_resource_t)which, &now) != 0)
		return fail(d, GLANE_E_DENIED, "cannot read the limit %s: %s", name, strerror(errno));
	if (want.rlim_max > now.rlim_max)
		want.rlim_max = now.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	if (setrlimit((__rlimit_resource_t)which, &want) != 0)
		return fail(d, GLANE_E_DENIED, "cannot set the limit %s: %s", name, strerror(errno));
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

	if (LIMITS_MEMORY) {
		rc = limit(RLIMIT_DATA, "DATA", memory, memory, d);
		if (rc == GLANE_OK)
			rc = limit(RLIMIT_AS, "AS", space, space, d);
	}
	if (rc == GLANE_OK)
		rc = limit(RLIMIT_CPU, "CPU", cpu_seconds, cpu_seconds + 5, d);
	if (rc == GLANE_OK)
		rc = limit(RLIMIT_CORE, "CORE", 0, 0, d);
	if (rc == GLANE_OK && LIMITS_FILES)
		rc = limit(RLIMIT_FSIZE, "FSIZE", 0, 0, d);
	if (rc == GLANE_OK && !WATCHED)
		rc = limit(RLIMIT_NOFILE, "NOFILE", processes ? 64 : 32, processes ? 64 : 32, d);
	if (rc == GLANE_OK) {
		const rlim_t most = processes ? process_limit() : 0;

		rc = limit(RLIMIT_NPROC, "NPROC", most, most, d);
	}
	return rc == GLANE_OK ? no_new_privileges(d) : rc;
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
		return fail(d, GLANE_E_DENIED, "cannot set a stack for signals: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		if (sigaction(fatal[i], &act, NULL) != 0)
			return fail(d, GLANE_E_DENIED, "cannot watch signal %d: %s", fatal[i], strerror(errno));
	return GLANE_OK;
}

#define LIST (LANDLOCK_READ | LANDLOCK_LIST)
#define INSTALLED (LANDLOCK_READ | LANDLOCK_LIST | LANDLOCK_EXECUTE)

/* Where the dynamic loader looks. */
static const struct landlock_path libraries[] = {{"/lib", -1, LIST}, {"/lib64", -1, LIST}, {"/usr/lib", -1, LIST},
	{"/usr/lib64", -1, LIST}, {"/usr/local/lib", -1, LIST}, {"/etc/ld.so.cache", -1, LANDLOCK_READ},
	{"/etc/ld.so.preload", -1, LANDLOCK_READ}};

/* What the resolver and TLS read, and where the addresses of name servers are kept. */
static const struct landlock_path internet[] = {{"/etc/resolv.conf", -1, LANDLOCK_READ},
	{"/run/systemd/resolve", -1, LANDLOCK_READ}, {"/run/resolvconf", -1, LANDLOCK_READ},
	{"/run/NetworkManager", -1, LANDLOCK_READ}, {"/etc/hosts", -1, LANDLOCK_READ},
	{"/etc/nsswitch.conf", -1, LANDLOCK_READ}, {"/etc/host.conf", -1, LANDLOCK_READ},
	{"/etc/gai.conf", -1, LANDLOCK_READ}, {"/etc/services", -1, LANDLOCK_READ},
	{"/etc/protocols", -1, LANDLOCK_READ}, {"/etc/localtime", -1, LANDLOCK_READ},
	{"/etc/ssl/openssl.cnf", -1, LANDLOCK_READ}, {"/etc/ssl/certs", -1, LIST}, {"/etc/ca-certificates", -1, LIST},
	{"/etc/pki/tls", -1, LIST}, {"/etc/pki/ca-trust", -1, LIST}, {"/var/lib/ca-certificates", -1, LIST},
	{"/etc/crypto-policies", -1, LIST}, {"/usr/share/crypto-policies", -1, LIST},
	{"/usr/share/ca-certificates", -1, LIST}, {"/usr/local/share/ca-certificates", -1, LIST},
	{"/dev/urandom", -1, LANDLOCK_READ}, {"/dev/null", -1, LANDLOCK_READ | LANDLOCK_WRITE}};

/* What interpreters read; of /etc not more, for keys are kept there. */
static const struct landlock_path installed[] = {{"/usr", -1, INSTALLED}, {"/bin", -1, INSTALLED},
	{"/sbin", -1, INSTALLED}, {"/lib", -1, INSTALLED}, {"/lib64", -1, INSTALLED}, {"/lib32", -1, INSTALLED},
	{"/etc/ld.so.cache", -1, LANDLOCK_READ}, {"/etc/ld.so.preload", -1, LANDLOCK_READ},
	{"/etc/localtime", -1, LANDLOCK_READ}, {"/etc/timezone", -1, LANDLOCK_READ},
	{"/etc/locale.alias", -1, LANDLOCK_READ}, {"/etc/mime.types", -1, LANDLOCK_READ},
	{"/etc/passwd", -1, LANDLOCK_READ}, {"/etc/group", -1, LANDLOCK_READ},
	{"/etc/nsswitch.conf", -1, LANDLOCK_READ}, {"/etc/ssl/openssl.cnf", -1, LANDLOCK_READ}, {"/etc/perl", -1, LIST},
	{"/etc/R", -1, LIST}, {"/etc/python3", -1, LIST}, {"/dev/urandom", -1, LANDLOCK_READ},
	{"/dev/random", -1, LANDLOCK_READ}, {"/dev/zero", -1, LANDLOCK_READ},
	{"/dev/null", -1, LANDLOCK_READ | LANDLOCK_WRITE}};

glane_rc sandbox_load(const char *plugin_path, struct diag *d)
{
	struct landlock_path paths[N(libraries) + 1];

	memcpy(paths, libraries, sizeof(libraries));
	paths[N(libraries)] = (struct landlock_path){plugin_path, -1, LANDLOCK_READ};
	return confine(paths, N(paths), LANDLOCK_NET | LANDLOCK_SCOPES, SECCOMP_LOAD, d);
}

glane_rc sandbox_seal(struct diag *d)
{
	json_object_seed(0); /* else its first object opens /dev/urandom */
	return confine(NULL, 0, LANDLOCK_NET | LANDLOCK_SCOPES, SECCOMP_SEALED, d);
}

glane_rc sandbox_broker(const struct landlock_path *paths, size_t n, struct diag *d)
{
	const size_t own = N(libraries) + N(internet);
	struct landlock_path *all = mem_alloc((own + n) * sizeof(*all));
	glane_rc rc;

	if (!all)
		return fail(d, GLANE_E_NOMEM, "no memory for the broker's sandbox");
	memcpy(all, libraries, sizeof(libraries));
	memcpy(all + N(libraries), internet, sizeof(internet));
	for (size_t i = 0; i < n; i++)
		all[own + i] = paths[i];
	rc = confine(all, own + n, LANDLOCK_BIND | LANDLOCK_SCOPES, SECCOMP_BROKER, d);
	mem_free(all);
	return rc;
}

glane_rc sandbox_program(const char *path, int input, const char *const *reads, size_t n_reads, struct diag *d)
{
	struct landlock_path all[N(installed) + 2 + SANDBOX_READS];
	size_t n = N(installed);

	if (n_reads > SANDBOX_READS)
		return fail(d, GLANE_E_CONFIG, "more than %d paths in program_reads", SANDBOX_READS);
	memcpy(all, installed, sizeof(installed));
	all[n++] = (struct landlock_path){path, -1, LANDLOCK_READ | LANDLOCK_EXECUTE};
	all[n++] = (struct landlock_path){NULL, input, LANDLOCK_READ};
	for (size_t i = 0; i < n_reads; i++)
		all[n++] = (struct landlock_path){reads[i], -1, INSTALLED};
	return confine(all, n, LANDLOCK_NET | LANDLOCK_SCOPES,
		landlock_used() > 0 ? SECCOMP_PROGRAM : SECCOMP_PROGRAM_ALONE, d);
}
