/* SPDX-License-Identifier: MIT */
/* A child process that serves faults. */
#include "support/fault_server.h"
#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Runs python3 with the arguments; the child's stdin and stdout are given. */
static pid_t spawn(char *const argv[], int in, int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -1;
	if (posix_spawn_file_actions_adddup2(&actions, in, 0) != 0 ||
		posix_spawn_file_actions_adddup2(&actions, out, 1) != 0 ||
		posix_spawnp(&pid, "python3", &actions, NULL, argv, environ) != 0)
		pid = -1;
	(void)posix_spawn_file_actions_destroy(&actions);
	return pid;
}

bool fault_server_available(void)
{
	char python[] = "python3", option[] = "-c", program[] = "pass";
	char *argv[] = {python, option, program, NULL};
	pid_t pid = spawn(argv, 0, 2);
	int status = -1;

	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool read_port(int fd, unsigned *ret)
{
	char line[32];
	size_t n = 0;
	int64_t port;

	while (n < sizeof(line) && read(fd, line + n, 1) == 1 && line[n] != '\n')
		n++;
	if (!slice_int((struct slice){line, n}, 1, 65535, &port))
		return false;
	*ret = (unsigned)port;
	return true;
}

bool fault_server_start(struct fault_server *s, const char *log)
{
	const char *top = getenv("GLANE_TOP");
	char python[] = "python3", until[] = "--until-eof", logs[] = "--log", script[512], file[512];
	char *argv[] = {python, script, until, log ? logs : NULL, file, NULL};
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	bool ok = false;

	*s = (struct fault_server){.pid = -1, .in = -1};
	(void)snprintf(script, sizeof(script), "%s/tests/support/fault_server.py", top && *top ? top : ".");
	(void)snprintf(file, sizeof(file), "%s", log ? log : "");
	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0)
		s->pid = spawn(argv, in[0], out[1]);
	fd_close(&in[0]);
	fd_close(&out[1]);
	s->in = in[1];
	ok = s->pid > 0 && read_port(out[0], &s->port);
	fd_close(&out[0]);
	if (!ok)
		fault_server_stop(s);
	return ok;
}

void fault_server_stop(struct fault_server *s)
{
	int status;

	fd_close(&s->in);
	if (s->pid > 0) {
		(void)kill(s->pid, SIGTERM);
		(void)waitpid(s->pid, &status, 0);
	}
	s->pid = -1;
}
