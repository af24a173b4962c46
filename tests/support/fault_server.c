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

static bool read_line(int fd, char *line, size_t cap)
{
	size_t n = 0;

	while (n < cap - 1 && read(fd, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	return n > 0;
}

/* The number at the beginning. */
static unsigned port_at(const char *text)
{
	struct slice rest = slice_of(text);
	int64_t port;

	return slice_int(slice_cut(&rest, ' '), 1, 65535, &port) ? (unsigned)port : 0;
}

unsigned fault_server_port(const struct fault_server *s, const char *kind)
{
	char key[32];
	const char *at;

	(void)snprintf(key, sizeof(key), " %s=", kind);
	at = strstr(s->line, key);
	return at ? port_at(at + strlen(key)) : 0;
}

bool fault_server_start(struct fault_server *s, const char *log, const char *tls)
{
	const char *top = getenv("GLANE_TOP");
	char python[] = "python3", until[] = "--until-eof", logs[] = "--log", certificates[] = "--tls";
	char script[512], file[512], folder[512];
	char *argv[8] = {python, script, until};
	size_t n = 3;
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	bool ok = false;

	*s = (struct fault_server){.pid = -1, .in = -1};
	(void)snprintf(script, sizeof(script), "%s/tests/support/fault_server.py", top && *top ? top : ".");
	(void)snprintf(file, sizeof(file), "%s", log ? log : "");
	(void)snprintf(folder, sizeof(folder), "%s", tls ? tls : "");
	if (log) {
		argv[n++] = logs;
		argv[n++] = file;
	}
	if (tls) {
		argv[n++] = certificates;
		argv[n++] = folder;
	}
	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0)
		s->pid = spawn(argv, in[0], out[1]);
	fd_close(&in[0]);
	fd_close(&out[1]);
	s->in = in[1];
	ok = s->pid > 0 && read_line(out[0], s->line, sizeof(s->line));
	s->port = port_at(s->line);
	fd_close(&out[0]);
	if (!ok || !s->port)
		fault_server_stop(s);
	return ok && s->port;
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
