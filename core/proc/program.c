/* SPDX-License-Identifier: MIT */
/* The program of a source as a stream behind a payload's window. */
#include "proc/program.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
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

#define TURN_MS 200   /* how often a silent program's run is asked whether it is cancelled */
#define LOG_LINE 1000 /* bytes of a line of its standard error; longer ones are cut */
#define LOG_LINES 200 /* lines of one process that go to the log */
#define TAIL 600      /* last bytes of its standard error, for the message of a failure */
#define HOLD_MS 5000  /* for processes that it left behind to close its output */
#define CLEAR_MS 3000 /* for the guard to clear up */

struct program_source {
	struct payload_source base;
	const struct program *program;
	const struct host_seams *seams;
	int link; /* its guard's, see guard.h */
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
		slice_keep_tail((struct slice){buf, (size_t)n}, s->tail, TAIL, &s->n_tail);
}

/* ---- its standard output ---- */

/* The guard tells how it ended; one that is gone itself was killed, and the program with it. */
static void take_end(struct program_source *s)
{
	const ssize_t n = recv(s->link, &s->status, sizeof(s->status), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(s->status))
		s->status = SIGKILL;
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
	fail(d, GLANE_E_DATA, "program %s ended with %s%s%.*s", s->program->launcher->what.path, how,
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
			return fail(d, GLANE_E_CANCELLED, "program %s was stopped", s->program->launcher->what.path);
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
				s->program->launcher->what.path);
		if (!s->ended)
			take_end(s); /* what it wrote before is read in the next turn */
	}
}

static void program_close(struct payload_source *base)
{
	struct program_source *s = (struct program_source *)base;
	const int64_t until = clock_mono_ms() + CLEAR_MS;
	char rest[64];

	/* The guard clears up and goes, which ends the link. */
	if (s->link >= 0 && shutdown(s->link, SHUT_WR) == 0) {
		struct pollfd end = {s->link, POLLIN, 0};

		while (clock_mono_ms() < until && poll(&end, 1, TURN_MS) >= 0)
			if (end.revents && recv(s->link, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
				break;
	}
	fd_close(&s->link);
	fd_close(&s->out);
	fd_close(&s->err);
	mem_free(s);
}

/* ---- its start ---- */

static glane_rc start(struct program_source *s, const struct host_piece *piece, struct diag *d)
{
	const struct program *p = s->program;
	char when[32];
	const struct launch_input in = {piece->fd, piece->url, p->source, piece->sha256, when};
	struct launched l;
	glane_rc rc;

	time_format(p->now, when);
	rc = launcher_run(p->launcher, &in, &l, d);
	s->link = l.link;
	s->out = l.out;
	s->err = l.err;
	return rc;
}

static glane_rc filter_open(const struct host_filter *base, const struct host_seams *seams,
	const struct host_piece *piece, struct payload_source **ret, struct diag *d)
{
	const struct program *p = (const struct program *)base;
	struct program_source *s;
	glane_rc rc;

	if (lseek(piece->fd, 0, SEEK_SET) != 0)
		return fail(d, GLANE_E_IO, "cannot go to the payload's start: %s", strerror(errno));
	s = mem_zalloc(1, sizeof(*s));
	if (!s)
		return fail(d, GLANE_E_NOMEM, "no memory to run %s", p->launcher->what.path);
	*s = (struct program_source){.base = {.read = program_read, .close = program_close},
		.program = p,
		.seams = seams,
		.link = -1,
		.out = -1,
		.err = -1};
	rc = start(s, piece, d);
	if (rc != GLANE_OK) {
		program_close(&s->base);
		return rc;
	}
	*ret = &s->base;
	return GLANE_OK;
}

void program_init(struct program *p, struct launcher *l, const char *source, int64_t now)
{
	*p = (struct program){{filter_open}, l, source, now};
}

glane_rc program_check(const char *path, struct diag *d)
{
	glane_rc rc = plugin_file_check(path, d);

	if (rc == GLANE_OK && access(path, X_OK) != 0)
		rc = fail(d, GLANE_E_DENIED, "%s: refused: not executable (chmod +x %s)", path, path);
	return rc;
}
