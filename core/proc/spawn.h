/* SPDX-License-Identifier: MIT */
/* Starting our own binary in another role: clean environment, closed descriptors, its own process group. */
#ifndef PROC_SPAWN_H
#define PROC_SPAWN_H
#include "base/diag.h"
#include "base/slice.h"

#include <stdbool.h>
#include <sys/types.h>

#define CHILD_TAIL 4096 /* bytes */
struct child {
	pid_t pid;
	int pidfd;             /* readable once it has ended; -1: none */
	int output;            /* its standard output and error, a pipe (non-blocking); -1: none, or at its end */
	char tail[CHILD_TAIL]; /* the last of what child_read() took */
	size_t n_tail;
};
/*
 * role: "@broker", "@worker", "@describe"; args: NULL-terminated further arguments or NULL. fds[i] becomes descriptor 3 + i of the
 * child and stays the caller's. inherit_env: the broker reads secrets from the environment, nobody else sees it.
 */
glane_rc child_spawn(const char *role, const char *const *args, const int *fds, unsigned n_fds, bool inherit_env,
	bool capture, struct child *ret, struct diag *d);
/* Reaps it if it has ended: true, with waitpid's status. What it left behind in its process group is killed. */
bool child_ended(struct child *c, int *ret_status);
/* Waits for its end, likewise; waitpid's status, 0 where it was reaped before. */
int child_wait(struct child *c);
/* Takes what its output has; of a flood twice what a pipe holds, so that the caller can look at its clock. */
void child_read(struct child *c);
/* The last line that it printed, trimmed; empty: none. Borrowed. */
struct slice child_last_line(const struct child *c);
void child_kill(struct child *c, int sig); /* to its whole process group */
/* SIGKILL, reaps, closes. */
void child_close(struct child *c);
/* First thing in a child: dies with its parent (whose process id is its second argument), ignores the terminal's signals.
 * False: the parent has gone already. */
bool child_adopt_parent(const char *parent);
#define CHILDREN_MAX 512
/* The children of this process, at most `cap`; 0 also where the kernel does not tell. */
size_t children_list(pid_t *ret, size_t cap);
/* SIGKILL to every child of this process but those that is_kept() names; NULL: to all. To how many, the dead that are not reaped among
 * them. What they leave behind comes to the next subreaper: where that is this process, ask again once they are reaped. */
size_t children_kill(bool (*is_kept)(const void *arg, pid_t pid), const void *arg);
/* A pair of connected stream sockets, close-on-exec. */
glane_rc socket_pair(int ret[2], struct diag *d);
/* "exit status 3", "signal 11 (Segmentation fault)". */
void child_status_text(int status, char *buf, size_t n);
#endif
