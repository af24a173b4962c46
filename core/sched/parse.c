/* SPDX-License-Identifier: MIT */
/* One payload through one plugin: the same worker and checks as a run, rows in file order, nothing stored. */
#include "sched/run.h"

#include "model/areas.h"
#include "sched/single.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct parsing {
	const struct parse_options *o;
	int fd; /* the payload; -1 once given */
	uint64_t size;
	char sha256[65];
	struct batch batch;
	struct intake intake;
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
static glane_rc answer(void *arg, const struct request *q, struct single_answer *ret, struct diag *d)
{
	struct parsing *p = arg;

	(void)q;
	if (p->fd < 0)
		return GLANE_END;
	ret->fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 3);
	ret->size = p->size;
	memcpy(ret->sha256, p->sha256, sizeof(ret->sha256));
	p->fd = -1;
	return ret->fd >= 0 ? GLANE_OK : fail(d, GLANE_E_IO, "cannot open the payload: %s", strerror(errno));
}

static glane_rc parse_there(struct parsing *p, const struct job *j, struct diag *d)
{
	struct single s = {.job = j, .intake = &p->intake, .fetch = answer, .arg = p};
	const glane_rc rc = single_run(&s, d);

	single_release(&s);
	return rc;
}

static glane_rc here_fetch(void *arg, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	const struct intake *in = arg;
	struct single_answer a = {.fd = -1};
	const glane_rc rc = answer(in->arg, NULL, &a, d);

	(void)q;
	ret->fd = a.fd;
	ret->size = a.size;
	memcpy(ret->sha256, a.sha256, sizeof(ret->sha256));
	return rc;
}

static glane_rc parse_here(struct parsing *p, const struct job *j, struct diag *d)
{
	return job_run_here(j, &p->intake, here_fetch, NULL, d);
}

static void release(struct parsing *p)
{
	intake_release(&p->intake);
	batch_release(&p->batch);
}

glane_rc parse_payload(const struct parse_options *o, int fd, parse_rows *rows, void *arg, struct host_counts *ret,
	uint64_t *ret_rejected, struct diag *d)
{
	const struct job j = {.plugin_path = o->plugin_path,
		.plugin_name = o->plugin,
		.source = o->section->name,
		.base_url = o->base_url,
		.section = o->section,
		.now = o->now,
		.max_body = o->max_body,
		.memory = JOB_MEMORY,
		.cpu_seconds = JOB_CPU_SECONDS,
		.limit = o->limit,
		.keep_empty = o->keep_empty,
		.words = o->words,
		.program = o->program};
	struct parsing p = {.o = o, .fd = fd, .rows = rows, .arg = arg};
	struct strbuf doubts;
	struct stat st;
	glane_rc rc;

	if (fstat(fd, &st) != 0)
		return fail(d, GLANE_E_IO, "cannot read the payload: %s", strerror(errno));
	p.size = (uint64_t)st.st_size;
	memset(p.sha256, '0', 64); /* no row shows which payload it is from, and there is only one: it is not hashed */
	rc = batch_init(&p.batch, -1, d);
	if (rc != GLANE_OK)
		return rc;
	rc = intake_init(&p.intake, &p.batch, o->areas);
	if (rc != GLANE_OK) {
		release(&p);
		return fail(d, rc, "no memory to parse");
	}
	p.intake.on_obs = on_obs;
	p.intake.on_log = on_log;
	p.intake.arg = &p;
	rc = o->inproc ? parse_here(&p, &j, d) : parse_there(&p, &j, d);
	if (rc == GLANE_OK && p.intake.end_rc != GLANE_OK && p.intake.end_rc != GLANE_E_CANCELLED)
		rc = fail(d, p.intake.end_rc, "%s", p.intake.end_message ? p.intake.end_message : "failed");
	for (size_t i = 0; i < p.intake.n_rejects && i < 10; i++)
		fprintf(stderr, "glane: rejected: record %llu, line %llu: %s\n",
			(unsigned long long)p.intake.rejects[i].number, (unsigned long long)p.intake.rejects[i].line,
			p.intake.rejects[i].reason);
	if (p.intake.erased)
		fprintf(stderr, "glane: deletions: %llu; they have no rows, a run withdraws what they name\n",
			(unsigned long long)p.intake.erased);
	strbuf_init(&doubts, 0);
	intake_doubts(&p.intake, &doubts);
	if (doubts.n)
		fprintf(stderr, "glane: %.*s\n", SLICE_FMT(strbuf_get(&doubts)));
	strbuf_release(&doubts);
	*ret = p.intake.counts;
	*ret_rejected = p.intake.rejected;
	release(&p);
	return rc;
}
