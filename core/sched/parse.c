/* SPDX-License-Identifier: MIT */
/* One payload through one plugin: the same worker and checks as a run, rows in file order, nothing stored. */
#include "sched/run.h"

#include "base/clock.h"
#include "base/file.h"
#include "model/areas.h"
#include "proc/broker.h"
#include "proc/spawn.h"
#include "proc/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPU_SECONDS 3600
#define TAIL_MAX ((size_t)4096)

struct parsing {
	const struct parse_options *o;
	int fd; /* the payload; -1 once given */
	uint64_t size;
	char sha256[65];
	struct batch batch;
	struct intake intake;
	struct wire up, broker; /* our ends of the worker's sockets */
	struct child child;
	struct strbuf tail;
	parse_rows *rows;
	void *arg;
};

static glane_rc on_obs(void *arg, const struct batch_obs *obs, size_t n, struct diag *d)
{
	struct parsing *p = arg;
	glane_rc rc = p->rows(p->arg, &p->batch, obs, n);

	return rc == GLANE_OK ? GLANE_OK : fail(d, rc, "cannot write the rows");
}

static void on_log(void *arg, int level, struct slice text)
{
	(void)arg;
	if (level >= GLANE_LOG_INFO)
		fprintf(stderr, "glane: %.*s\n", SLICE_FMT(text));
}

/* The one payload to the first request, "no more" to the others. */
static glane_rc answer(struct parsing *p, struct frame *f, struct diag *d)
{
	const int fd = p->fd >= 0 ? fcntl(p->fd, F_DUPFD_CLOEXEC, 3) : -1;

	if (f->type != B_FETCH)
		return fail(d, GLANE_E_FORMAT, "the worker asked for something else than a fetch");
	wire_begin(&p->broker, B_ANSWER);
	wire_i64(&p->broker, fd >= 0 ? GLANE_OK : GLANE_END);
	wire_cstr(&p->broker, NULL);
	wire_cstr(&p->broker, p->sha256);
	wire_u64(&p->broker, p->size);
	wire_cstr(&p->broker, NULL);
	wire_cstr(&p->broker, NULL);
	p->fd = -1;
	if (wire_end(&p->broker, fd, d) != GLANE_OK)
		return d->code;
	return wire_flush(&p->broker, d);
}

static glane_rc serve_fetch(struct parsing *p, struct diag *d)
{
	struct frame f;
	glane_rc rc = wire_fill(&p->broker, d);

	while (rc == GLANE_OK) {
		rc = wire_take(&p->broker, &f, d);
		if (rc == GLANE_OK)
			rc = answer(p, &f, d);
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc serve_rows(struct parsing *p, struct diag *d)
{
	struct frame f;
	glane_rc rc = wire_fill(&p->up, d);

	while (rc == GLANE_OK) {
		rc = wire_take(&p->up, &f, d);
		if (rc == GLANE_OK)
			rc = intake_frame(&p->intake, &f, d);
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static void keep_output(struct parsing *p)
{
	char buf[1024];
	ssize_t n;

	while ((n = read(p->child.output, buf, sizeof(buf))) > 0)
		if (p->tail.n + (size_t)n < TAIL_MAX)
			strbuf_add(&p->tail, buf, (size_t)n);
	if (n == 0)
		fd_close(&p->child.output);
}

static glane_rc ended(struct parsing *p, struct diag *d)
{
	char how[96];
	const int status = child_wait(&p->child);

	if (p->child.output >= 0)
		keep_output(p);
	if (p->intake.ended)
		return GLANE_OK;
	child_status_text(status, how, sizeof(how));
	return fail(d, GLANE_E_DATA, "the worker of plugin %s ended with %s%s%.*s", p->o->plugin, how,
		p->tail.n ? ": " : "", SLICE_FMT(slice_trim(strbuf_get(&p->tail))));
}

static glane_rc pump(struct parsing *p, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK && !p->up.eof && !p->intake.ended) {
		struct pollfd fds[3] = {{p->up.fd, POLLIN, 0}, {p->broker.eof ? -1 : p->broker.fd, POLLIN, 0},
			{p->child.output, POLLIN, 0}};

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return fail(d, GLANE_E_IO, "poll: %s", strerror(errno));
		if (fds[1].revents)
			rc = serve_fetch(p, d);
		if (rc == GLANE_OK && fds[0].revents)
			rc = serve_rows(p, d);
		if (fds[2].revents)
			keep_output(p);
	}
	if (rc == GLANE_E_IO && !p->intake.ended) {
		diag_clear(d); /* reset by a killed worker: its exit status says the rest */
		rc = GLANE_OK;
	}
	return rc == GLANE_OK ? ended(p, d) : rc;
}

static glane_rc spawn(struct parsing *p, const struct job *j, struct diag *d)
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
	wire_init(&p->up, up[0]);
	wire_init(&p->broker, broker[0]);
	fds[0] = up[1];
	fds[1] = broker[1];
	rc = child_spawn("@worker", NULL, fds, 2, false, true, &p->child, d);
	close(up[1]);
	close(broker[1]);
	if (rc == GLANE_OK)
		rc = job_send(&p->up, j, d);
	if (rc == GLANE_OK)
		rc = wire_flush(&p->up, d);
	return rc == GLANE_OK ? pump(p, d) : rc;
}

static glane_rc here_fetch(void *arg, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	struct intake *in = arg;
	struct parsing *p = in->arg;

	(void)q;
	if (p->fd < 0)
		return GLANE_END;
	ret->fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 3);
	ret->size = p->size;
	memcpy(ret->sha256, p->sha256, sizeof(ret->sha256));
	p->fd = -1;
	return ret->fd >= 0 ? GLANE_OK : fail(d, GLANE_E_IO, "cannot open the payload: %s", strerror(errno));
}

static glane_rc parse_here(struct parsing *p, const struct job *j, struct diag *d)
{
	return job_run_here(j, &p->intake, here_fetch, NULL, d);
}

static void release(struct parsing *p, bool spawned)
{
	if (spawned) {
		child_close(&p->child);
		wire_release(&p->up);
		wire_release(&p->broker);
	}
	intake_release(&p->intake);
	batch_release(&p->batch);
	strbuf_release(&p->tail);
}

glane_rc parse_payload(const struct parse_options *o, int fd, parse_rows *rows, void *arg, struct host_counts *ret,
	uint64_t *ret_rejected, struct diag *d)
{
	const struct job j = {o->plugin_path, o->plugin, o->section->name, o->base_url, o->section, NULL, 0, o->now,
		o->max_body, (uint64_t)256 << 20, CPU_SECONDS, o->limit, o->keep_empty, o->program, o->args, o->n_args};
	struct parsing p = {.o = o, .fd = fd, .rows = rows, .arg = arg};
	struct stat st;
	glane_rc rc;

	p.up.fd = p.broker.fd = p.child.output = p.child.pidfd = -1;
	if (fstat(fd, &st) != 0)
		return fail(d, GLANE_E_IO, "cannot read the payload: %s", strerror(errno));
	p.size = (uint64_t)st.st_size;
	memset(p.sha256, '0', 64); /* no row shows which payload it is from, and there is only one: it is not hashed */
	rc = batch_init(&p.batch, -1, d);
	if (rc != GLANE_OK)
		return rc;
	strbuf_init(&p.tail, 2 * TAIL_MAX);
	rc = intake_init(&p.intake, &p.batch, o->areas);
	if (rc != GLANE_OK) {
		release(&p, false);
		return fail(d, rc, "no memory to parse");
	}
	p.intake.on_obs = on_obs;
	p.intake.on_log = on_log;
	p.intake.arg = &p;
	rc = o->inproc ? parse_here(&p, &j, d) : spawn(&p, &j, d);
	if (rc == GLANE_OK && p.intake.end_rc != GLANE_OK && p.intake.end_rc != GLANE_E_CANCELLED)
		rc = fail(d, p.intake.end_rc, "%s", p.intake.end_message ? p.intake.end_message : "failed");
	for (size_t i = 0; i < p.intake.n_rejects && i < 10; i++)
		fprintf(stderr, "glane: rejected: record %llu, line %llu: %s\n",
			(unsigned long long)p.intake.rejects[i].number, (unsigned long long)p.intake.rejects[i].line,
			p.intake.rejects[i].reason);
	if (p.intake.unknown_areas)
		fprintf(stderr, "glane: %llu series with areas that no table knows, e.g. '%s'\n",
			(unsigned long long)p.intake.unknown_areas, p.intake.last_unknown);
	*ret = p.intake.counts;
	*ret_rejected = p.intake.rejected;
	release(&p, !o->inproc);
	return rc;
}
