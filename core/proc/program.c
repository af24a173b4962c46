/* SPDX-License-Identifier: MIT */
/* The program of a source as a stream behind a payload's window. */
#include "proc/program.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "proc/guard.h"
#include "proc/spawn.h"
#include "read/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_ENV 6
#define TURN_MS 200     /* how often a silent program's run is asked whether it is cancelled */
#define LOG_LINE 1000   /* bytes of a line of its standard error; longer ones are cut */
#define LOG_LINES 200   /* lines of one process that go to the log */
#define TAIL 600        /* last bytes of its standard error, for the message of a failure */
#define HOLD_MS 5000    /* for processes that it left behind to close its output */
#define CLEAR_MS 3000   /* for the guard to clear up */
#define LINK 6          /* its guard's descriptor */
#define CANNOT_EXEC 127 /* as the shell says it */

struct program_source {
	struct payload_source base;
	const struct program *program;
	const struct host_seams *seams;
	struct child guard;
	int link; /* see guard.h */
	bool ended;
	int status;
	int64_t ended_ms;
	int out, err; /* our ends of its pipes, non-blocking; -1: at the end */
	char line[LOG_LINE], tail[TAIL];
	size_t n_line, n_tail, n_lines;
};

/* ---- its standard error ---- */

static void line_end(struct program_source *s)
{
	struct strbuf text;

	if (s->n_line > 0 && s->n_lines < LOG_LINES) {
		strbuf_init(&text, 8192);
		strbuf_visible(&text, (struct slice){s->line, s->n_line});
		if (strbuf_ok(&text))
			s->seams->log(s->seams->arg, GLANE_LOG_WARN, strbuf_get(&text));
		strbuf_release(&text);
	}
	s->n_lines += s->n_line > 0;
	s->n_line = 0;
}

static void tail_add(struct program_source *s, const char *p, size_t n)
{
	size_t keep;

	if (n > TAIL) {
		p += n - TAIL;
		n = TAIL;
	}
	keep = s->n_tail + n > TAIL ? TAIL - n : s->n_tail;
	memmove(s->tail, s->tail + s->n_tail - keep, keep);
	memcpy(s->tail + keep, p, n);
	s->n_tail = keep + n;
}

static void errors_take(struct program_source *s)
{
	char buf[4096];
	const ssize_t n = s->err >= 0 ? read(s->err, buf, sizeof(buf)) : -1;

	if (n == 0)
		fd_close(&s->err);
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n')
			line_end(s);
		else if (s->n_line < LOG_LINE)
			s->line[s->n_line++] = buf[i];
	}
	if (n > 0)
		tail_add(s, buf, (size_t)n);
}

/* ---- its standard output ---- */

/* The guard tells how it ended; one that is gone itself was killed, and the program with it. */
static void take_end(struct program_source *s)
{
	const ssize_t n = recv(s->link, &s->status, sizeof(s->status), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(s->status))
		s->status = child_wait(&s->guard);
	s->ended = true;
	s->ended_ms = clock_mono_ms();
}

static bool went_well(const struct program_source *s)
{
	return WIFEXITED(s->status) && WEXITSTATUS(s->status) == 0;
}

/* It has ended, and what it wrote was read. */
static glane_rc judge(struct program_source *s, struct diag *d)
{
	struct strbuf tail;
	char how[96];

	for (int i = 0; i < TAIL && s->err >= 0; i++) {
		struct pollfd more = {s->err, POLLIN, 0};

		if (poll(&more, 1, 0) <= 0)
			break;
		errors_take(s);
	}
	line_end(s);
	if (went_well(s))
		return GLANE_OK;
	child_status_text(s->status, how, sizeof(how));
	strbuf_init(&tail, 8192);
	strbuf_visible(&tail, slice_trim((struct slice){s->tail, s->n_tail}));
	fail(d, GLANE_E_DATA, "program %s ended with %s%s%.*s", s->program->path, how,
		tail.n ? "; its last words: " : "", SLICE_FMT(strbuf_get(&tail)));
	strbuf_release(&tail);
	return d->code;
}

static glane_rc program_read(struct payload_source *base, char *buf, size_t cap, size_t *ret_n, struct diag *d)
{
	struct program_source *s = (struct program_source *)base;

	*ret_n = 0;
	for (;;) {
		struct pollfd fds[3] = {{s->out, POLLIN, 0}, {s->err, POLLIN, 0}, {s->ended ? -1 : s->link, POLLIN, 0}};
		ssize_t n = -1;

		if (s->seams->cancelled(s->seams->arg))
			return fail(d, GLANE_E_CANCELLED, "program %s was stopped", s->program->path);
		if (poll(fds, 3, s->ended && !went_well(s) ? 0 : TURN_MS) < 0 && errno != EINTR)
			return fail(d, GLANE_E_IO, "poll: %s", strerror(errno));
		errors_take(s);
		if (s->out >= 0)
			n = read(s->out, buf, cap);
		if (n > 0) {
			*ret_n = (size_t)n;
			return GLANE_OK;
		}
		if (n == 0)
			fd_close(&s->out);
		if (s->ended && (s->out < 0 || !went_well(s)))
			return judge(s, d);
		if (s->ended && clock_mono_ms() - s->ended_ms >= HOLD_MS)
			return fail(d, GLANE_E_DATA,
				"program %s ended, but left a process behind that still holds its output",
				s->program->path);
		if (!s->ended)
			take_end(s); /* what it wrote before is read in the next turn */
	}
}

static void program_close(struct payload_source *base)
{
	struct program_source *s = (struct program_source *)base;

	if (s->guard.pid > 0) {
		struct pollfd end = {s->guard.pidfd, POLLIN, 0};

		fd_close(&s->link);
		(void)poll(&end, 1, CLEAR_MS);
	}
	child_close(&s->guard);
	fd_close(&s->link);
	fd_close(&s->out);
	fd_close(&s->err);
	mem_free(s);
}

/* ---- its start ---- */

static glane_rc start(struct program_source *s, int fd, const char *const *args, struct diag *d)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, link[2] = {-1, -1};
	glane_rc rc = socket_pair(link, d);

	if (rc == GLANE_OK &&
		(pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) != 0 ||
			fcntl(err[0], F_SETFL, O_NONBLOCK) != 0))
		rc = fail(d, GLANE_E_IO, "cannot make pipes for %s: %s", s->program->path, strerror(errno));
	s->out = out[0];
	s->err = err[0];
	s->link = link[0];
	if (rc == GLANE_OK) {
		const int fds[] = {fd, out[1], err[1], link[1]};

		rc = child_spawn("@program", args, fds, 4, false, false, &s->guard, d);
	}
	fd_close(&link[1]);
	fd_close(&out[1]);
	fd_close(&err[1]);
	return rc;
}

/* The words of role "@program": the environment, its end, the program and its arguments. */
static bool words_of(struct arena *a, const struct program *p, const struct host_piece *piece,
	const char *args[PROGRAM_MAX_ARGS + 12])
{
	char when[32];
	size_t n = 0;

	time_format(p->now, when);
	args[n++] = arena_fmt(a, "GLANE_URL=%s", piece->url);
	args[n++] = arena_fmt(a, "GLANE_SOURCE=%s", p->source);
	args[n++] = arena_fmt(a, "GLANE_PAYLOAD_SHA256=%s", piece->sha256);
	args[n++] = arena_fmt(a, "GLANE_NOW=%s", when);
	args[n++] = "PYTHONDONTWRITEBYTECODE=1"; /* it can write no file */
	args[n++] = "PYTHONUTF8=1";
	args[n++] = p->path;
	for (size_t i = 0; i < p->n_args; i++)
		args[n++] = p->args[i];
	args[n] = NULL;
	for (size_t i = 0; i < N_ENV; i++)
		if (!args[i])
			return false;
	return true;
}

static glane_rc filter_open(const struct host_filter *base, const struct host_seams *seams,
	const struct host_piece *piece, struct payload_source **ret, struct diag *d)
{
	const struct program *p = (const struct program *)base;
	const char *args[PROGRAM_MAX_ARGS + 12];
	struct program_source *s;
	struct arena a;
	glane_rc rc = program_check(p->path, d);

	if (rc != GLANE_OK)
		return rc;
	if (p->n_args > PROGRAM_MAX_ARGS)
		return fail(d, GLANE_E_CONFIG, "program %s: more than %d arguments", p->path, PROGRAM_MAX_ARGS);
	if (lseek(piece->fd, 0, SEEK_SET) != 0)
		return fail(d, GLANE_E_IO, "cannot go to the payload's start: %s", strerror(errno));
	s = mem_zalloc(1, sizeof(*s));
	if (!s)
		return fail(d, GLANE_E_NOMEM, "no memory to run %s", p->path);
	*s = (struct program_source){.base = {.read = program_read, .close = program_close},
		.program = p,
		.seams = seams,
		.guard = {-1, -1, -1},
		.link = -1,
		.out = -1,
		.err = -1};
	arena_init(&a, 0);
	rc = words_of(&a, p, piece, args) ? start(s, piece->fd, args, d)
					  : fail(d, GLANE_E_NOMEM, "no memory to run %s", p->path);
	arena_release(&a);
	if (rc != GLANE_OK) {
		program_close(&s->base);
		return rc;
	}
	*ret = &s->base;
	return GLANE_OK;
}

void program_init(
	struct program *p, const char *path, const char *const *args, size_t n_args, const char *source, int64_t now)
{
	*p = (struct program){{filter_open}, path, args, n_args, source, now};
}

glane_rc program_check(const char *path, struct diag *d)
{
	glane_rc rc = plugin_file_check(path, d);

	if (rc == GLANE_OK && access(path, X_OK) != 0)
		rc = fail(d, GLANE_E_DENIED, "%s: refused: not executable (chmod +x %s)", path, path);
	return rc;
}

int program_main(int argc, char **argv)
{
	static const int given[] = {
		SIGINT, SIGHUP, SIGPIPE}; /* child_adopt_parent() ignores them; exec would pass that on */
	static char lc[] = "LC_ALL=C.UTF-8", path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	char *env[N_ENV + 3] = {lc, path};

	if (argc < 4 + N_ENV)
		return CANNOT_EXEC;
	if (!guard_fork(LINK)) {
		dprintf(5, "cannot be started: %s\n", strerror(errno));
		return CANNOT_EXEC;
	}
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		signal(given[i], SIG_DFL);
	for (int i = 0; i < N_ENV; i++)
		env[2 + i] = argv[3 + i];
	for (int i = 0; i < 3; i++)
		if (dup2(3 + i, i) < 0 || close(3 + i) != 0)
			return CANNOT_EXEC;
	execve(argv[3 + N_ENV], argv + 3 + N_ENV, env);
	dprintf(2, "cannot be started: %s%s\n", strerror(errno),
		errno == ENOENT    ? " (is the interpreter of its first line there?)"
		: errno == ENOEXEC ? " (its first line names no interpreter: #!/usr/bin/env python3)"
				   : "");
	return CANNOT_EXEC;
}
