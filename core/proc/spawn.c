/* SPDX-License-Identifier: MIT */
/* posix_spawn of our own binary, and what is left to do when a child ends. */
#include "proc/spawn.h"

#include "base/file.h"
#include "base/slice.h"
#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SELF_MAX 4096
#define MAX_FDS 4
#define MAX_ARGS 8
#define OUTPUT_READS 64 /* of 2 KiB */
#define HIGH_FD 32      /* sources of the child's descriptors are moved above the numbers they are to get */

glane_rc socket_pair(int ret[2], struct diag *d)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) != 0)
		return fail(d, GLANE_E_IO, "cannot make a socket pair: %s", strerror(errno));
	return GLANE_OK;
}

/* Sanitizer builds read their options from the environment; nothing else of it reaches a worker. */
static void clean_environment(char **env, size_t cap)
{
	static char lc[] = "LC_ALL=C", path[] = "PATH=/usr/bin:/bin";
	static const char *const keep[] = {
		"ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "LLVM_PROFILE_FILE=", "GCOV_PREFIX="};
	size_t n = 0;

	env[n++] = lc;
	env[n++] = path;
	for (char **e = environ; *e && n + 1 < cap; e++)
		for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
			if (strncmp(*e, keep[i], strlen(keep[i])) == 0 && n + 1 < cap)
				env[n++] = *e;
	env[n] = NULL;
}

static int move_high(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
}

/* Descriptors 0 (null), 1 and 2 (the pipe or our stderr), 3.. from `high`; the rest closed. */
static int prepare_files(posix_spawn_file_actions_t *actions, const int *high, unsigned n, int output)
{
	int rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

	if (output >= 0) {
		rc = rc ? rc : posix_spawn_file_actions_adddup2(actions, output, 1);
		rc = rc ? rc : posix_spawn_file_actions_adddup2(actions, output, 2);
	} else {
		rc = rc ? rc : posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
	}
	for (unsigned i = 0; i < n; i++)
		rc = rc ? rc : posix_spawn_file_actions_adddup2(actions, high[i], 3 + (int)i);
	return rc ? rc : posix_spawn_file_actions_addclosefrom_np(actions, 3 + (int)n);
}

static int prepare_signals(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	rc = posix_spawnattr_setsigmask(attr, &none);
	rc = rc ? rc : posix_spawnattr_setsigdefault(attr, &all);
	rc = rc ? rc : posix_spawnattr_setpgroup(attr, 0);
	return rc ? rc
		  : posix_spawnattr_setflags(
			    attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

struct spawning {
	const char *role;
	const char *const *args;
	bool inherit_env;
	int high[MAX_FDS];
	unsigned n;
	int pipe[2];
};

/* This program, even where its file has been replaced since. */
static void self_put(char path[SELF_MAX])
{
	snprintf(path, SELF_MAX, "/proc/self/exe");
#ifdef UNDER_VALGRIND /* which would start itself by that name, and reads it as we mean it */
	const ssize_t n = readlink("/proc/self/exe", path, SELF_MAX - 1);

	path[n > 0 ? n : 0] = '\0';
#endif
}

static int spawn_it(const struct spawning *s, pid_t *ret_pid)
{
	char self[SELF_MAX], parent[24], role[16], sandbox[32], *env[32], *argv[MAX_ARGS + 5];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	size_t n = 0;
	int rc;

	self_put(self);
	snprintf(parent, sizeof(parent), "%ld", (long)getpid());
	snprintf(role, sizeof(role), "%s", s->role);
	snprintf(sandbox, sizeof(sandbox), "%s", sandbox_word());
	argv[n++] = self;
	argv[n++] = role;
	argv[n++] = parent;
	argv[n++] = sandbox;
	for (size_t i = 0; s->args && s->args[i] && i < MAX_ARGS; i++) {
		memcpy(&argv[n], &s->args[i], sizeof(argv[n])); /* exec does not write to them */
		n++;
	}
	argv[n] = NULL;
	clean_environment(env, sizeof(env) / sizeof(env[0]));
	rc = posix_spawn_file_actions_init(&actions);
	if (rc)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc == 0) {
		rc = prepare_files(&actions, s->high, s->n, s->pipe[1]);
		rc = rc ? rc : prepare_signals(&attr);
		rc = rc ? rc : posix_spawn(ret_pid, self, &actions, &attr, argv, s->inherit_env ? environ : env);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

glane_rc child_spawn(const char *role, const char *const *args, const int *fds, unsigned n_fds, bool inherit_env,
	bool capture, struct child *ret, struct diag *d)
{
	struct spawning s = {role, args, inherit_env, {-1, -1, -1, -1}, 0, {-1, -1}};
	int raw[2] = {-1, -1}, error = 0;
	pid_t pid = -1;
	glane_rc rc = sandbox_check(d);

	if (rc != GLANE_OK)
		return rc;
	if (capture && pipe2(raw, O_CLOEXEC) != 0)
		error = errno;
	if (!error && capture) {
		s.pipe[0] = raw[0];
		s.pipe[1] = move_high(raw[1]);
		error = s.pipe[1] < 0 || fcntl(raw[0], F_SETFL, O_NONBLOCK) != 0 ? errno : 0;
		close(raw[1]);
	}
	for (; !error && s.n < n_fds; s.n++) {
		s.high[s.n] = move_high(fds[s.n]);
		if (s.high[s.n] < 0) {
			error = errno;
			break;
		}
	}
	if (!error)
		error = spawn_it(&s, &pid);
	for (unsigned i = 0; i < s.n; i++)
		close(s.high[i]);
	if (s.pipe[1] >= 0)
		close(s.pipe[1]);
	if (error) {
		if (s.pipe[0] >= 0)
			close(s.pipe[0]);
		return fail(d, GLANE_E_IO, "cannot start a process for %s: %s", role + 1, strerror(error));
	}
	ret->pid = pid;
	ret->output = s.pipe[0];
	ret->n_tail = 0;
	ret->pidfd = pidfd_open(pid, 0);
	return GLANE_OK;
}

/* Reaps a child that has ended, or waits for it (flags 0). What it left in its process group goes first: while the child is
 * not reaped the group's number cannot be another's. */
static bool reap(struct child *c, int flags, int *ret_status)
{
	siginfo_t info;
	int rc;

	do {
		memset(&info, 0, sizeof(info));
		rc = waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT | flags);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0 && info.si_pid == 0)
		return false;
	kill(-c->pid, SIGKILL);
	*ret_status = 0;
	while (waitpid(c->pid, ret_status, 0) < 0 && errno == EINTR)
		;
	c->pid = -1;
	return true;
}

bool child_ended(struct child *c, int *ret_status)
{
	return c->pid > 0 && reap(c, WNOHANG, ret_status);
}

int child_wait(struct child *c)
{
	int status = 0;

	if (c->pid > 0)
		reap(c, 0, &status);
	return status;
}

void child_read(struct child *c)
{
	char buf[2048];
	ssize_t n = -1;

	for (int i = 0; i < OUTPUT_READS && c->output >= 0 && (n = read(c->output, buf, sizeof(buf))) > 0; i++)
		slice_keep_tail((struct slice){buf, (size_t)n}, c->tail, CHILD_TAIL, &c->n_tail);
	if (n == 0)
		fd_close(&c->output);
}

struct slice child_last_line(const struct child *c)
{
	const struct slice s = slice_trim((struct slice){c->tail, c->n_tail});
	const char *end = s.n ? memrchr(s.p, '\n', s.n) : NULL;

	return end ? (struct slice){end + 1, s.n - (size_t)(end + 1 - s.p)} : s;
}

void child_kill(struct child *c, int sig)
{
	if (c->pid <= 0)
		return;
	kill(-c->pid, sig);
	kill(c->pid, sig);
}

void child_close(struct child *c)
{
	child_kill(c, SIGKILL);
	child_wait(c);
	fd_close(&c->pidfd);
	fd_close(&c->output);
}

size_t children_list(pid_t *ret, size_t cap)
{
	char text[4096];
	const int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	struct slice rest = {text, n > 0 ? (size_t)n : 0};
	size_t found = 0;

	if (fd >= 0)
		close(fd);
	while (rest.n && found < cap) {
		int64_t pid;

		if (slice_int(slice_trim(slice_cut(&rest, ' ')), 2, INT32_MAX, &pid))
			ret[found++] = (pid_t)pid;
	}
	return found;
}

size_t children_kill(bool (*is_kept)(const void *arg, pid_t pid), const void *arg)
{
	pid_t pids[CHILDREN_MAX];
	const size_t n = children_list(pids, CHILDREN_MAX);
	size_t killed = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_kept && is_kept(arg, pids[i]))
			continue;
		kill(pids[i], SIGKILL);
		killed++;
	}
	return killed;
}

bool child_adopt_parent(const char *parent)
{
	int64_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	return slice_int(slice_of(parent), 1, INT32_MAX, &pid) && getppid() == (pid_t)pid;
}

void child_status_text(int status, char *buf, size_t n)
{
	if (WIFSIGNALED(status))
		snprintf(buf, n, "signal %d (%s)%s", WTERMSIG(status), strsignal(WTERMSIG(status)),
			WTERMSIG(status) == SIGSYS ? ": it tried what the sandbox forbids" : "");
	else
		snprintf(buf, n, "exit status %d", WEXITSTATUS(status));
}
