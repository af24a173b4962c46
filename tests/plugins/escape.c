/* SPDX-License-Identifier: MIT */
/*
 * A plugin of the tests that wants out: each attempt is a row, its value 1 where it went through. Those of the constructor come first,
 * before the host knows of the plugin. `how` names one attempt that may cost the process its life; without it all others are made.
 */
#include <glane/plugin.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTEMPTS 80

struct state {
	const char *how, *secret, *store;
	struct glane_list fetch;
};
#define OPT(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, name), dflt, help, 0, 0
static const struct glane_opt options[] = {
	{OPT(STR, how, "", "one attempt that may end the process")},
	{OPT(STR, secret, "/nowhere", "a file that holds another source's secret")},
	{OPT(STR, store, "/nowhere", "the store")},
	{OPT(LIST, fetch, "", "addresses that are not allowed")},
	{0},
};

static struct attempt {
	char name[40];
	bool through;
	int error;
} made[ATTEMPTS];
static size_t n_made;

/* rc is that of a system call: below 0 is refused. */
static long note(const char *name, long rc)
{
	struct attempt *a = &made[n_made < ATTEMPTS - 1 ? n_made++ : n_made];

	a->error = rc < 0 ? errno : 0;
	snprintf(a->name, sizeof(a->name), "%s", name);
	a->through = rc >= 0;
	return rc;
}

static void opened(const char *name, const char *path, int flags)
{
	const long fd = note(name, open(path, flags | O_CLOEXEC, 0600));

	if (fd >= 0)
		close((int)fd);
}

static void socketed(const char *name, int family, int type)
{
	const long fd = note(name, socket(family, type, 0));

	if (fd >= 0)
		close((int)fd);
}

static void forked(const char *name)
{
	const long pid = note(name, fork());

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
}

/* What reaches another process without a word of signals or limits of one's own. */
static void others(const char *when)
{
	struct rlimit now = {0, 0};
	char name[40];

	snprintf(name, sizeof(name), "%sa limit of its parent as it is", when);
	prlimit(getppid(), RLIMIT_CPU, NULL, &now);
	note(name, prlimit(getppid(), RLIMIT_CPU, &now, NULL));
	snprintf(name, sizeof(name), "%sits parent as owner", when);
	note(name, fcntl(3, F_SETOWN, getppid()));
}

__attribute__((constructor)) static void first(void)
{
	opened("constructor: read a file", "/etc/passwd", O_RDONLY);
	opened("constructor: list a folder", "/", O_RDONLY | O_DIRECTORY);
	opened("constructor: make a file", "/tmp/glane-escaped", O_WRONLY | O_CREAT);
	opened("constructor: its parent's memory", "/proc/self/../1/mem", O_RDONLY);
	note("constructor: remove a file", unlink("/tmp/glane-escape-target"));
	socketed("constructor: a socket", AF_INET, SOCK_STREAM);
	socketed("constructor: a local socket", AF_UNIX, SOCK_STREAM);
	note("constructor: a signal to its parent", kill(getppid(), SIGCONT));
	note("constructor: writable code",
		(long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1
			? -1
			: 0);
	note("constructor: to outlive its parent", syscall(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, 0, 0, 0, 0));
	note("constructor: debuggable again", syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1, 0, 0, 0));
	forked("constructor: a process");
	others("constructor: ");
}

static void files(const struct state *s)
{
	char path[4096];

	opened("read a file", "/etc/passwd", O_RDONLY);
	opened("list a folder", "/", O_RDONLY | O_DIRECTORY);
	opened("read another source's secret", s->secret, O_RDONLY);
	snprintf(path, sizeof(path), "%s/stream/_delta_log/00000000000000000000.json", s->store);
	opened("read the store", path, O_RDONLY);
	opened("write the store", path, O_WRONLY);
	note("remove from the store", unlink(path));
	note("status of a file of the store", access(path, F_OK));
	note("rename the store", rename(s->store, "/tmp/glane-escaped-store"));
	note("truncate the store", truncate(path, 0));
	snprintf(path, sizeof(path), "%s/escaped", s->store);
	opened("make a file in the store", path, O_WRONLY | O_CREAT);
	note("make a folder in the store", mkdir(path, 0700));
	note("link the secret into the store", symlink(s->secret, path));
	opened("make a file", "/tmp/glane-escaped", O_WRONLY | O_CREAT);
	snprintf(path, sizeof(path), "/proc/%ld/environ", (long)getppid());
	opened("its parent's environment", path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%ld/mem", (long)getppid());
	opened("its parent's memory", path, O_RDWR);
	opened("its own memory as a file", "/proc/self/mem", O_RDWR);
	opened("the other end of its socket", "/proc/self/fd/3", O_RDWR);
	note("another library",
		dlopen("libBrokenLocale.so.1", RTLD_NOW) || dlopen("libthread_db.so.1", RTLD_NOW) ? 0 : -1);
	note("change folder", chdir("/tmp"));
}

static void network(void)
{
	socketed("a TCP socket", AF_INET, SOCK_STREAM);
	socketed("a UDP socket", AF_INET6, SOCK_DGRAM);
	socketed("a raw socket", AF_INET, SOCK_RAW);
	socketed("a local socket", AF_UNIX, SOCK_STREAM);
	socketed("a netlink socket", AF_NETLINK, SOCK_RAW);
	socketed("a packet socket", AF_PACKET, SOCK_RAW);
	socketed("a vsock", AF_VSOCK, SOCK_STREAM);
}

static int idle(void *arg)
{
	(void)arg;
	return 0;
}

static void processes(void)
{
	static char stack[65536];
	struct rlimit wide = {RLIM_INFINITY, RLIM_INFINITY};

	forked("a process");
	note("a thread or process by clone", clone(idle, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	note("a signal to its parent", kill(getppid(), SIGCONT));
	note("a signal to its group", kill(0, SIGCONT));
	note("a signal to all", kill(-1, SIGCONT));
	note("a queued signal to its parent", syscall(SYS_rt_sigqueueinfo, getppid(), SIGCONT, NULL));
	note("a descriptor of its parent's process", syscall(SYS_pidfd_open, getppid(), 0));
	note("a higher limit", setrlimit(RLIMIT_FSIZE, &wide));
	note("a limit of its parent", prlimit(getppid(), RLIMIT_NOFILE, &wide, NULL));
	others("");
	note("another user", setuid(65534));
	note("a session of its own", setsid());
}

static void memory(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	note("writable code",
		mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
			? -1
			: 0);
	note("code out of data", page == MAP_FAILED ? 0 : mprotect(page, 4096, PROT_READ | PROT_EXEC));
	note("a file in memory", syscall(SYS_memfd_create, "x", 0));
	note("shared memory", syscall(SYS_shmget, 0x1234, 4096, 0600 | 01000));
	note("debuggable again", syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1, 0, 0, 0));
}

/* What ends the process where it is refused as it should be. */
static void fatal(const char *how)
{
	static char word[8];
	struct iovec here = {word, sizeof(word)}, there = {(void *)0x400000, sizeof(word)};
	static char name[] = "true";
	char *const argv[] = {name, NULL};

	if (strcmp(how, "exec") == 0)
		note(how, execve("/bin/true", argv, NULL));
	else if (strcmp(how, "execveat") == 0)
		note(how, syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, NULL, 0));
	else if (strcmp(how, "ptrace") == 0)
		note(how, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	else if (strcmp(how, "process_vm_readv") == 0)
		note(how, process_vm_readv(getppid(), &here, 1, &there, 1, 0));
	else if (strcmp(how, "mount") == 0)
		note(how, syscall(SYS_mount, "x", "/mnt", "tmpfs", 0, NULL));
	else if (strcmp(how, "unshare") == 0)
		note(how, unshare(CLONE_NEWUSER));
	else if (strcmp(how, "chroot") == 0)
		note(how, chroot("/tmp"));
	else if (strcmp(how, "io_uring") == 0)
		note(how, syscall(425, 4, NULL));
	else if (strcmp(how, "bpf") == 0)
		note(how, syscall(SYS_bpf, 0, NULL, 0));
	else if (strcmp(how, "vfork") == 0)
		note(how, syscall(SYS_fork));
	else
		note("no such attempt", 0);
}

/* The broker is asked for what the source may not have. */
static void asked(const struct glane_host *h, glane_run *r, const struct state *s)
{
	for (size_t i = 0; i < s->fetch.n; i++) {
		const struct glane_request q = {
			.size = sizeof(q), .format = GLANE_FMT_CSV, .url = h->fmt(r, "%s", s->fetch.v[i])};
		glane_reader *rd = NULL;

		errno = 0;
		note(s->fetch.v[i], h->open(r, &q, &rd) == GLANE_OK ? 0 : -1);
	}
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	glane_rc rc = GLANE_OK;

	if (*s->how) {
		fatal(s->how);
	} else {
		files(s);
		network();
		processes();
		memory();
		asked(h, r, s);
	}
	for (size_t i = 0; i < n_made && rc == GLANE_OK; i++)
		h->log(r, GLANE_LOG_WARN, "%s: %s (%d)", made[i].through ? "THROUGH" : "denied", made[i].name,
			made[i].error);
	return rc == GLANE_OK ? h->fail(r, GLANE_E_DATA, "%s", "it is still here") : rc;
}

/* A copy of it that declares hosts of its own: tests/run/sandbox.py. */
#ifdef HOSTS
static const char *const hosts[] = {HOSTS, NULL};
#define OF_ITS_OWN .base_url = BASE_URL, .hosts = hosts
#else
#define NAME "escape"
#define OF_ITS_OWN .hosts = NULL
#endif
GLANE_PLUGIN(.name = NAME, .version = "1", .title = "test", .opts = options, .state_size = sizeof(struct state),
	.run = run, OF_ITS_OWN);
