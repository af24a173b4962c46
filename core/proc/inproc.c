/* SPDX-License-Identifier: MIT */
/* A job without a worker: the plugin runs in this process, behind the same checks. */
#include "proc/broker.h"
#include "proc/launcher.h"
#include "proc/program.h"
#include "proc/worker.h"

static glane_rc here_fetch(void *arg, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	struct intake *in = arg;

	return broker_fetch(in->broker, q, ret, d);
}

static glane_rc here_again(void *arg, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	struct intake *in = arg;

	return broker_again(in->broker, q, ret, d);
}

static glane_rc here_cover(void *arg, const struct cover *c)
{
	struct intake *in = arg;
	struct cover copy = *c;

	copy.reason = broker_words(in->broker, c->reason);
	return in->checks->cover(in, &copy);
}

static glane_rc here_reject(void *arg, const struct host_reject *q)
{
	struct intake *in = arg;
	struct host_reject copy = *q;
	struct strbuf reason;
	glane_rc rc;

	if (in->n_rejects >= INTAKE_REJECTS)
		return in->checks->reject(in, q);
	strbuf_init(&reason, 0);
	strbuf_slice(&reason, broker_words(in->broker, q->reason));
	copy.reason = strbuf_get(&reason);
	copy.record = broker_words(in->broker, q->record);
	rc = strbuf_ok(&reason) ? in->checks->reject(in, &copy)
				: fail(in->here, GLANE_E_NOMEM, "no memory for the quarantine");
	strbuf_release(&reason);
	return rc;
}

static void here_log(void *arg, int level, struct slice text)
{
	struct intake *in = arg;

	in->checks->log(in, level, broker_words(in->broker, text));
}

/* Asks the broker where the worker would: for payloads, and for what may be said of them. */
static void seams_here(struct host_seams *seams, struct intake *in, const struct host_seams *checks)
{
	in->checks = checks;
	*seams = *checks;
	seams->fetch = here_fetch;
	seams->again = here_again;
	seams->cover = here_cover;
	seams->reject = here_reject;
	seams->log = here_log;
}

static bool here_cancelled(void *arg)
{
	(void)arg;
	return false;
}

glane_rc job_run_here(const struct job *j, struct intake *in, job_fetch *fetch, struct wire *broker, struct diag *d)
{
	struct host_seams seams, checked;
	struct host_counts counts = {0};
	struct launcher launcher = {.wire = {.fd = -1}};
	struct program program;
	struct plugin plugin;
	struct host_job host;
	struct arena a;
	struct diag checks;
	glane_rc rc;

	arena_init(&a, 0);
	diag_clear(&checks);
	intake_seams(in, &checked, &checks);
	in->broker = broker;
	seams = checked;
	seams.fetch = fetch;
	if (broker)
		seams_here(&seams, in, &checked);
	seams.cancelled = here_cancelled;
	rc = launcher_of(j, &launcher, d);
	if (rc == GLANE_OK)
		rc = plugin_load(&a, j->plugin_path, j->plugin_name, &plugin, d);
	if (rc == GLANE_OK) {
		host = host_job_of(j, &plugin, &launcher, &program);
		rc = host_run(&host, &seams, &counts, d);
	}
	launcher_stop(&launcher);
	if (checks.code != GLANE_OK) {
		diag_clear(d);
		rc = fail(d, checks.code, "%s", checks.text);
	}
	if (rc != GLANE_OK && broker) {
		struct diag copy = *d;
		const struct slice words = broker_words(broker, slice_of(copy.text));

		diag_clear(d);
		fail(d, rc, "%.*s", SLICE_FMT(words));
	}
	in->checks = NULL;
	in->counts = counts;
	in->ended = true;
	in->end_rc = rc;
	arena_release(&a);
	return rc;
}
