/* SPDX-License-Identifier: MIT */
/* The guard of a program: waits, tells how it ended, clears up. */
#include "proc/guard.h"

#include "proc/spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 400 /* of killing what comes to us by the death of its parent */
#define ROUND_US 5000

static void tell(int link, pid_t pid)
{
	siginfo_t info;
	int status;

	memset(&info, 0, sizeof(info));
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0)
		return;
	status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status; /* as waitpid() gives it */
	(void)send(link, &status, sizeof(status), MSG_NOSIGNAL);
}

/* Its group at once, then one by one what had left the group. The program is not reaped before: the number is still its own. */
static void clear_up(pid_t group)
{
	kill(-group, SIGKILL);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid;

		children_kill(NULL, NULL);
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		usleep(ROUND_US);
	}
}

static _Noreturn void guard(int link, pid_t pid)
{
	struct pollfd fds[2] = {{link, POLLIN, 0}, {pidfd_open(pid, 0), POLLIN, 0}};

	close_range(0, (unsigned)link - 1, 0); /* whoever reads the program's output is to see its end */
	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[0].revents)
			break;
		if (fds[1].revents) {
			tell(link, pid);
			fds[1].fd = -1;
		}
	}
	clear_up(pid);
	_exit(0);
}

bool guard_fork(int link)
{
	const pid_t self = getpid();
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, 0); /* the link tells, and there is something left to do */
	pid = fork();
	if (pid > 0) {
		setpgid(pid, pid);
		guard(link, pid);
	}
	if (pid < 0)
		return false;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* where the guard itself is killed */
	if (getppid() != self)
		_exit(1);
	close(link);
	return true;
}
