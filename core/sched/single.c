/* SPDX-License-Identifier: MIT */
/* One worker on its own: its sockets, its output and its end. */
#include "sched/single.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static glane_rc answer(struct single *s, struct frame *f, struct diag *d)
{
	struct single_answer a = {.fd = -1};
	struct request q;
	struct arena arena;
	struct diag why;
	glane_rc rc;

	if (f->type == B_WORDS) { /* there are no secrets here */
		wire_begin(&s->broker, B_WORDS);
		wire_text(&s->broker, frame_text(f));
		rc = wire_end(&s->broker, -1, d);
		return rc == GLANE_OK ? wire_flush(&s->broker, d) : rc;
	}
	if (f->type != B_FETCH && f->type != B_AGAIN)
		return fail(d, GLANE_E_FORMAT, "the worker asked for something else than a fetch");
	diag_clear(&why);
	arena_init(&arena, (size_t)4 << 20);
	rc = frame_request(f, &arena, &q, d);
	if (rc == GLANE_OK) {
		rc = f->type == B_FETCH ? s->fetch(s->arg, &q, &a, &why) : GLANE_END; /* nobody to ask again */
		wire_begin(&s->broker, B_ANSWER);
		wire_i64(&s->broker, rc);
		wire_cstr(&s->broker, rc < GLANE_OK ? why.text : NULL);
		wire_cstr(&s->broker, a.sha256);
		wire_u64(&s->broker, a.size);
		wire_cstr(&s->broker, NULL);
		wire_cstr(&s->broker, NULL);
		rc = wire_end(&s->broker, rc == GLANE_OK ? a.fd : -1, d);
	}
	arena_release(&arena);
	return rc == GLANE_OK ? wire_flush(&s->broker, d) : rc;
}

static glane_rc serve_fetch(struct single *s, struct diag *d)
{
	struct frame f;
	glane_rc rc = wire_fill(&s->broker, d);

	while (rc == GLANE_OK) {
		rc = wire_take(&s->broker, &f, d);
		if (rc == GLANE_OK)
			rc = answer(s, &f, d);
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc serve_rows(struct single *s, struct diag *d)
{
	struct frame f;
	glane_rc rc = wire_fill(&s->up, d);

	while (rc == GLANE_OK) {
		rc = wire_take(&s->up, &f, d);
		if (rc == GLANE_OK)
			rc = intake_frame(s->intake, &f, d);
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static bool is_late(struct single *s)
{
	s->late = s->deadline_ms && clock_mono_ms() >= s->deadline_ms;
	return s->late;
}

/* Waits for the process, killed once it is late; what it prints meanwhile must not keep it. */
static void reap(struct single *s)
{
	struct pollfd p = {s->child.pidfd, POLLIN, 0};

	while (!child_ended(&s->child, &s->status)) {
		if (is_late(s))
			child_kill(&s->child, SIGKILL);
		child_read(&s->child);
		(void)poll(&p, 1, 50);
	}
	child_read(&s->child);
}

static glane_rc ended(struct single *s, struct diag *d)
{
	struct slice words;
	char how[96];

	reap(s);
	if (s->late)
		return fail(d, GLANE_E_CANCELLED, "the worker of plugin %s did not end in time, and was killed",
			s->job->plugin_name);
	if (s->intake->ended)
		return GLANE_OK;
	words = child_last_line(&s->child);
	child_status_text(s->status, how, sizeof(how));
	return fail(d, GLANE_E_DATA, "the worker of plugin %s ended with %s%s%.*s", s->job->plugin_name, how,
		words.n ? ": " : "", SLICE_FMT(words));
}

static glane_rc pump(struct single *s, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK && !s->up.eof && !s->intake->ended && !is_late(s)) {
		/* Who does not read its answers is not read either. */
		const bool job = wire_pending(&s->up), answers = wire_pending(&s->broker);
		struct pollfd fds[3] = {{s->up.fd, job ? POLLIN | POLLOUT : POLLIN, 0},
			{s->broker.eof ? -1 : s->broker.fd, answers ? POLLOUT : POLLIN, 0},
			{s->child.output, POLLIN, 0}};

		if (poll(fds, 3, s->deadline_ms ? 200 : -1) < 0 && errno != EINTR)
			return fail(d, GLANE_E_IO, "poll: %s", strerror(errno));
		if (fds[1].revents)
			rc = answers ? wire_flush(&s->broker, d) : serve_fetch(s, d);
		if (rc == GLANE_OK && job && fds[0].revents)
			rc = wire_flush(&s->up, d);
		if (rc == GLANE_OK && fds[0].revents & ~POLLOUT)
			rc = serve_rows(s, d);
		if (fds[2].revents)
			child_read(&s->child);
	}
	if (rc == GLANE_E_IO && !s->intake->ended) {
		diag_clear(d); /* reset by a killed worker: its exit status says the rest */
		rc = GLANE_OK;
	}
	return rc == GLANE_OK ? ended(s, d) : rc;
}

static glane_rc start(struct single *s, struct diag *d)
{
	int up[2], broker[2], fds[2];
	glane_rc rc = socket_pair(up, d);

	if (rc != GLANE_OK)
		return rc;
	rc = socket_pair(broker, d);
	if (rc != GLANE_OK) {
		close(up[0]);
		close(up[1]);
		return rc;
	}
	wire_init(&s->up, up[0]);
	wire_init(&s->broker, broker[0]);
	fds[0] = up[1];
	fds[1] = broker[1];
	rc = fcntl(up[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(broker[0], F_SETFL, O_NONBLOCK) == 0
		     ? child_spawn("@worker", NULL, fds, 2, false, true, &s->child, d)
		     : fail(d, GLANE_E_IO, "cannot prepare a worker's sockets: %s", strerror(errno));
	close(up[1]);
	close(broker[1]);
	return rc;
}

glane_rc single_run(struct single *s, struct diag *d)
{
	glane_rc rc;

	s->up.fd = s->broker.fd = s->child.output = s->child.pidfd = -1;
	s->status = 0;
	s->late = false;
	rc = start(s, d);
	if (rc == GLANE_OK)
		rc = job_send(&s->up, s->job, d);
	if (rc == GLANE_OK)
		rc = wire_flush(&s->up, d);
	return rc == GLANE_OK ? pump(s, d) : rc;
}

void single_release(struct single *s)
{
	child_close(&s->child);
	wire_release(&s->up);
	wire_release(&s->broker);
}
