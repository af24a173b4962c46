/* SPDX-License-Identifier: MIT */
/* The process that starts programs: asked over a socket, answers with descriptors. */
#include "proc/launcher.h"

#include "base/file.h"
#include "proc/guard.h"
#include "proc/sandbox.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define L_RUN 1     /* a text for each of `names`, the payload */
#define L_STARTED 2 /* three of them: link, standard output, standard error */
#define L_FAILED 3  /* a text */

#define SOCKET 3 /* the launcher's descriptor, and those of the process that becomes the program */
#define PAYLOAD 3
#define OUTPUT 4
#define ERRORS 5
#define LINK 6
#define FIRST_FREE 7
#define CANNOT_EXEC 127 /* as the shell says it */
#define N(a) (sizeof(a) / sizeof((a)[0]))

/* ---- in the process that becomes the program ---- */

/* To the numbers from PAYLOAD on; whatever else was open is closed. */
static bool place(const int fds[4])
{
	int high[4];

	for (int i = 0; i < 4; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_FREE + 4);
		if (high[i] < 0)
			return false;
	}
	for (int i = 0; i < 4; i++)
		if (dup2(high[i], PAYLOAD + i) < 0)
			return false;
	return close_range(FIRST_FREE, ~0u, 0) == 0;
}

static int cannot(int fd)
{
	dprintf(fd, "cannot be started: %s%s\n", strerror(errno),
		errno == ENOENT    ? " (is the interpreter of its first line there?)"
		: errno == ENOEXEC ? " (its first line names no interpreter: #!/usr/bin/env python3)"
		: errno == EACCES
			? " (an interpreter or a file outside of the system's folders: program_reads = FOLDER)"
			: "");
	return CANNOT_EXEC;
}

/* Its guard stays behind in this process; the program goes on in a child of it. */
static int become(const struct launch *w, char *const *env, const int fds[4])
{
	static const int given[] = {SIGINT, SIGHUP, SIGPIPE, SIGTERM, SIGCHLD}; /* exec would pass on what is ignored */
	char *argv[LAUNCH_ARGS + 2];
	struct diag d;

	setpgid(0, 0);
	for (size_t i = 0; i < N(given); i++)
		signal(given[i], SIG_DFL);
	if (!place(fds) || !guard_fork(LINK))
		return cannot(ERRORS);
	diag_clear(&d);
	if (sandbox_program(w->path, PAYLOAD, w->reads, w->n_reads, &d) != GLANE_OK) {
		dprintf(ERRORS, "cannot be started: %s\n", d.text);
		return CANNOT_EXEC;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(PAYLOAD + i, i) < 0 || close(PAYLOAD + i) != 0)
			return CANNOT_EXEC;
	memcpy(&argv[0], &w->path, sizeof(argv[0])); /* exec does not write to them */
	memcpy(&argv[1], w->args, w->n_args * sizeof(argv[0]));
	argv[1 + w->n_args] = NULL;
	execve(w->path, argv, env);
	return cannot(2);
}

/* ---- in the launcher ---- */

struct pipes {
	int link[2], out[2], err[2];
};

static glane_rc pipes_make(struct pipes *p, struct diag *d)
{
	glane_rc rc;

	*p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
	rc = socket_pair(p->link, d);
	if (rc == GLANE_OK &&
		(pipe2(p->out, O_CLOEXEC) != 0 || pipe2(p->err, O_CLOEXEC) != 0 ||
			fcntl(p->out[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(p->err[0], F_SETFL, O_NONBLOCK) != 0))
		rc = fail(d, GLANE_E_IO, "cannot make pipes for a program: %s", strerror(errno));
	return rc;
}

static void pipes_close(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		fd_close(&p->link[i]);
		fd_close(&p->out[i]);
		fd_close(&p->err[i]);
	}
}

static const char *const names[] = {"GLANE_URL", "GLANE_SOURCE", "GLANE_PAYLOAD_SHA256", "GLANE_NOW"};
static const char *const always[] = {"LC_ALL=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONUTF8=1",
	"PYTHONDONTWRITEBYTECODE=1"}; /* it can write no file */

/* The environment of a start as execve() takes it; false: no memory, or a frame that does not read. */
static bool take_env(struct frame *f, struct arena *a, char *env[N(names) + N(always) + 1])
{
	size_t n = 0;

	for (; n < N(always); n++)
		env[n] = arena_fmt(a, "%s", always[n]);
	for (size_t i = 0; i < N(names); i++, n++) {
		const char *value = frame_cstr(f, a);

		env[n] = value ? arena_fmt(a, "%s=%s", names[i], value) : NULL;
	}
	env[n] = NULL;
	for (size_t i = 0; i < n; i++)
		if (!env[i])
			return false;
	return frame_done(f);
}

/* A file that is open to be read. What is opened as a path only (O_PATH) needs no right to be read: the rule for the program's input
 * would give it one. */
static bool is_payload(int fd)
{
	struct stat st;
	const int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !(flags & O_PATH) && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* GLANE_OK, and the pipes' own ends are the program's. */
static glane_rc start(const struct launch *w, struct frame *f, int payload, struct pipes *p, struct diag *d)
{
	char *env[N(names) + N(always) + 1];
	struct arena a;
	glane_rc rc = pipes_make(p, d);

	arena_init(&a, 0);
	if (rc == GLANE_OK && (!is_payload(payload) || !take_env(f, &a, env)))
		rc = fail(d, GLANE_E_FORMAT, "what is to be started does not read");
	if (rc == GLANE_OK) {
		const int fds[4] = {payload, p->out[1], p->err[1], p->link[1]};
		const pid_t pid = fork();

		if (pid == 0)
			_exit(become(w, env, fds));
		if (pid < 0)
			rc = fail(d, GLANE_E_IO, "no process for %s: %s", w->path, strerror(errno));
	}
	arena_release(&a);
	return rc;
}

static glane_rc send_fd(struct wire *w, int *fd, struct diag *d)
{
	const int given = *fd;

	*fd = -1;
	wire_begin(w, L_STARTED);
	return wire_end(w, given, d);
}

static glane_rc answer(struct wire *w, struct pipes *p, glane_rc rc, const struct diag *why, struct diag *d)
{
	if (rc == GLANE_OK) {
		rc = send_fd(w, &p->link[0], d);
		rc = rc == GLANE_OK ? send_fd(w, &p->out[0], d) : rc;
		rc = rc == GLANE_OK ? send_fd(w, &p->err[0], d) : rc;
	} else {
		wire_begin(w, L_FAILED);
		wire_cstr(w, why->text);
		rc = wire_end(w, -1, d);
	}
	pipes_close(p);
	return rc == GLANE_OK ? wire_flush(w, d) : rc;
}

static void serve(const struct launch *what, int socket)
{
	struct diag d, why;
	struct frame f;
	struct wire w;

	diag_clear(&d);
	wire_init(&w, socket);
	while (wire_wait(&w, &f, &d) == GLANE_OK && f.type == L_RUN) {
		int payload = wire_take_fd(&w);
		struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}};
		glane_rc rc;

		diag_clear(&why);
		rc = start(what, &f, payload, &p, &why);
		fd_close(&payload);
		if (answer(&w, &p, rc, &why, &d) != GLANE_OK)
			return;
		while (waitpid(-1, NULL, WNOHANG) > 0) /* guards of earlier starts */
			;
	}
}

/* ---- in the worker ---- */

glane_rc launcher_start(struct launcher *l, const struct launch *what, struct diag *d)
{
	const pid_t self = getpid();
	int pair[2];
	pid_t pid;
	glane_rc rc;

	l->what = *what;
	wire_init(&l->wire, -1);
	if (what->n_args > LAUNCH_ARGS)
		return fail(d, GLANE_E_CONFIG, "program %s: more than %d arguments", what->path, LAUNCH_ARGS);
	rc = socket_pair(pair, d);
	if (rc != GLANE_OK)
		return rc;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_IGN); /* the worker decides, and the end of its socket tells */
		if (getppid() == self && dup2(pair[1], SOCKET) == SOCKET && close_range(SOCKET + 1, ~0u, 0) == 0 &&
			fcntl(SOCKET, F_SETFD, FD_CLOEXEC) == 0)
			serve(&l->what, SOCKET);
		_exit(0);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return fail(d, GLANE_E_IO, "no process to start %s: %s", what->path, strerror(errno));
	}
	l->wire.fd = pair[0];
	return GLANE_OK;
}

glane_rc launcher_run(struct launcher *l, const struct launch_input *in, struct launched *ret, struct diag *d)
{
	int *const to[] = {&ret->link, &ret->out, &ret->err};
	const int fd = fcntl(in->payload, F_DUPFD_CLOEXEC, 0);
	struct frame f;
	glane_rc rc = GLANE_OK;

	*ret = (struct launched){-1, -1, -1};
	if (fd < 0)
		return fail(d, GLANE_E_IO, "no descriptor for a program's input: %s", strerror(errno));
	wire_begin(&l->wire, L_RUN);
	wire_cstr(&l->wire, in->url);
	wire_cstr(&l->wire, in->source);
	wire_cstr(&l->wire, in->sha256);
	wire_cstr(&l->wire, in->now);
	rc = wire_end(&l->wire, fd, d);
	if (rc == GLANE_OK)
		rc = wire_flush(&l->wire, d);
	for (size_t i = 0; rc == GLANE_OK && i < 3; i++) {
		rc = wire_wait(&l->wire, &f, d);
		if (rc == GLANE_OK && f.type == L_FAILED) {
			const struct slice why = frame_text(&f);

			return fail(d, GLANE_E_IO, "%.*s", SLICE_FMT(why));
		}
		*to[i] = rc == GLANE_OK ? wire_take_fd(&l->wire) : -1;
		if (rc == GLANE_OK && *to[i] < 0)
			rc = fail(d, GLANE_E_IO, "a program was started without its descriptors");
	}
	return rc;
}

void launcher_stop(struct launcher *l)
{
	wire_release(&l->wire);
}
