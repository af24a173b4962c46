/* SPDX-License-Identifier: MIT */
/* The worker's side: job in, fetches over the broker, frames out. */
#include "proc/worker.h"

#include "base/file.h"
#include "net/verify.h"
#include "proc/broker.h"
#include "proc/program.h"
#include "proc/sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_AT 65536
#define MAX_PAIRS 10000 /* cursors, headers */

static volatile sig_atomic_t cancel_asked;

static void on_term(int sig)
{
	(void)sig;
	cancel_asked = 1;
}

/* ---- the job ---- */

glane_rc job_send(struct wire *w, const struct job *j, struct diag *d)
{
	uint32_t n = 0;

	for (const struct conf_entry *e = j->section->entries; e; e = e->next)
		n += !conf_is_host_key(e->key);
	wire_begin(w, W_JOB);
	wire_cstr(w, j->plugin_path);
	wire_cstr(w, j->plugin_name);
	wire_cstr(w, j->source);
	wire_cstr(w, j->base_url);
	wire_cstr(w, j->section->file);
	wire_u32(w, j->section->line);
	wire_u32(w, n);
	for (const struct conf_entry *e = j->section->entries; e; e = e->next) {
		if (conf_is_host_key(e->key))
			continue;
		wire_cstr(w, e->key);
		wire_cstr(w, e->value);
		wire_cstr(w, e->file);
		wire_u32(w, e->line);
	}
	wire_pairs(w, j->cursors, j->n_cursors);
	wire_i64(w, j->now);
	wire_u64(w, j->max_body);
	wire_u64(w, j->memory);
	wire_u64(w, j->cpu_seconds);
	wire_u64(w, j->limit);
	wire_u8(w, j->keep_empty);
	wire_u64(w, j->cancel_at);
	wire_cstr(w, j->words);
	wire_cstr(w, j->program.path);
	wire_texts(w, j->program.args, j->program.n_args);
	wire_texts(w, j->program.reads, j->program.n_reads);
	wire_pairs(w, j->header, j->n_header);
	return wire_end(w, -1, d);
}

struct taken_job {
	struct job job;
	struct conf_section section;
};

static bool take_entries(struct frame *f, struct arena *a, struct conf_section *s)
{
	const uint32_t n = frame_u32(f);
	struct conf_entry **tail = &s->entries;

	for (uint32_t i = 0; i < n && !f->bad; i++) {
		struct conf_entry *e = arena_alloc(a, sizeof(*e));

		if (!e)
			return false;
		e->key = frame_cstr(f, a);
		e->value = frame_cstr(f, a);
		e->file = frame_cstr(f, a);
		e->line = frame_u32(f);
		*tail = e;
		tail = &e->next;
	}
	return !f->bad;
}

static void take_program(struct frame *f, struct arena *a, struct launch *l)
{
	l->path = frame_cstr(f, a);
	l->args = frame_texts(f, a, LAUNCH_ARGS, &l->n_args);
	l->reads = frame_texts(f, a, SANDBOX_READS, &l->n_reads);
}

static glane_rc job_take(struct frame *f, struct arena *a, struct taken_job *t, struct diag *d)
{
	struct job *j = &t->job;

	memset(t, 0, sizeof(*t));
	j->section = &t->section;
	j->plugin_path = frame_cstr(f, a);
	j->plugin_name = frame_cstr(f, a);
	j->source = frame_cstr(f, a);
	j->base_url = frame_cstr(f, a);
	t->section.kind = "source";
	t->section.name = j->source;
	t->section.file = frame_cstr(f, a);
	t->section.line = frame_u32(f);
	if (f->type != W_JOB || !take_entries(f, a, &t->section) ||
		!frame_pairs(f, a, MAX_PAIRS, &j->cursors, &j->n_cursors))
		return fail(d, GLANE_E_FORMAT, "the worker's job does not read");
	j->now = frame_i64(f);
	j->max_body = frame_u64(f);
	j->memory = frame_u64(f);
	j->cpu_seconds = frame_u64(f);
	j->limit = frame_u64(f);
	j->keep_empty = frame_u8(f) != 0;
	j->cancel_at = frame_u64(f);
	j->words = frame_cstr(f, a);
	take_program(f, a, &j->program);
	if (!frame_pairs(f, a, MAX_PAIRS, &j->header, &j->n_header))
		return fail(d, GLANE_E_FORMAT, "the worker's job does not read");
	return frame_done(f) ? GLANE_OK : fail(d, GLANE_E_FORMAT, "the worker's job does not read");
}

/* ---- seams over the wire ---- */

struct worker {
	struct wire up, broker;
	struct diag diag;
	uint64_t cancel_at, asked, rows, bytes, rejected;
	char taken[65]; /* the payload that is read now, or was fetched to be read next */
};

struct slice broker_words(struct wire *broker, struct slice text)
{
	struct diag ignored = {0};
	struct frame f;

	if (text.n == 0)
		return text;
	wire_begin(broker, B_WORDS);
	wire_text(broker, text);
	if (wire_end(broker, -1, &ignored) != GLANE_OK || wire_flush(broker, &ignored) != GLANE_OK ||
		wire_wait(broker, &f, &ignored) != GLANE_OK || f.type != B_WORDS)
		return text;
	return frame_text(&f); /* until the next frame */
}

static glane_rc up_end(struct worker *k)
{
	glane_rc rc = wire_end(&k->up, -1, &k->diag);

	if (rc == GLANE_OK && k->up.out.n >= FLUSH_AT)
		rc = wire_flush(&k->up, &k->diag);
	return rc;
}

static glane_rc up_progress(void *arg, uint64_t rows, uint64_t bytes)
{
	struct worker *k = arg;
	glane_rc rc;

	k->rows = rows;
	k->bytes = bytes;
	wire_begin(&k->up, W_PROGRESS);
	wire_u64(&k->up, rows);
	wire_u64(&k->up, bytes);
	wire_cstr(&k->up, k->taken);
	rc = up_end(k);
	return rc == GLANE_OK ? wire_flush(&k->up, &k->diag) : rc;
}

/* Told before it is read: it may be the last that is heard of us. */
static glane_rc up_taken(struct worker *k, const char *sha256)
{
	if (strcmp(k->taken, sha256) == 0)
		return GLANE_OK;
	(void)snprintf(k->taken, sizeof(k->taken), "%s", sha256);
	return up_progress(k, k->rows, k->bytes);
}

static glane_rc up_payload(void *arg, const char *sha256)
{
	struct worker *k = arg;
	glane_rc rc;

	wire_begin(&k->up, W_PAYLOAD);
	wire_cstr(&k->up, sha256);
	rc = up_end(k);
	return rc == GLANE_OK ? up_taken(k, sha256) : rc;
}

static glane_rc up_series(void *arg, const struct series *s)
{
	struct worker *k = arg;
	const struct slice texts[] = {s->dataset, s->indicator, s->area_code, s->area_scheme, s->dims, s->unit,
		s->title, s->area_title, s->updated};

	wire_begin(&k->up, W_SERIES);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		wire_text(&k->up, texts[i]);
	wire_u8(&k->up, (uint8_t)s->freq);
	wire_i64(&k->up, s->unit_mult);
	return up_end(k);
}

static glane_rc up_note(void *arg, const struct note *n)
{
	struct worker *k = arg;

	wire_begin(&k->up, W_NOTE);
	wire_text(&k->up, n->value_text);
	wire_text(&k->up, n->flags);
	wire_text(&k->up, n->note);
	wire_u8(&k->up, n->has_unit_mult);
	wire_u8(&k->up, n->remove);
	wire_i64(&k->up, n->unit_mult);
	return up_end(k);
}

static glane_rc up_period(void *arg, struct slice text)
{
	struct worker *k = arg;

	wire_begin(&k->up, W_PERIOD);
	wire_text(&k->up, text);
	return up_end(k);
}

static glane_rc up_obs(void *arg, const struct glane_obs *obs, size_t n)
{
	struct worker *k = arg;

	wire_begin(&k->up, W_OBS);
	wire_bytes(&k->up, obs, n * sizeof(*obs));
	return up_end(k);
}

static glane_rc up_cover(void *arg, const struct cover *c)
{
	struct worker *k = arg;

	wire_begin(&k->up, W_COVER);
	wire_u32(&k->up, c->kind);
	wire_text(&k->up, c->dataset);
	wire_text(&k->up, c->indicator);
	wire_i64(&k->up, c->from);
	wire_i64(&k->up, c->to);
	wire_text(&k->up, broker_words(&k->broker, c->reason));
	return up_end(k);
}

static glane_rc up_erase(void *arg, const struct erase *e)
{
	struct worker *k = arg;

	wire_begin(&k->up, W_ERASE);
	wire_text(&k->up, e->dataset);
	wire_text(&k->up, e->indicator);
	wire_text(&k->up, e->area_code);
	wire_text(&k->up, e->dims);
	wire_text(&k->up, e->period);
	wire_u8(&k->up, (uint8_t)e->freq);
	wire_u8(&k->up, e->what);
	return up_end(k);
}

static glane_rc up_cursor(void *arg, struct slice key, struct slice value)
{
	struct worker *k = arg;

	wire_begin(&k->up, W_CURSOR);
	wire_text(&k->up, key);
	wire_text(&k->up, value);
	return up_end(k);
}

static glane_rc up_reject(void *arg, const struct host_reject *q)
{
	struct worker *k = arg;

	wire_begin(&k->up, W_REJECT);
	wire_cstr(&k->up, q->rule);
	/* Of those beyond, nobody keeps the texts. */
	wire_text(&k->up, ++k->rejected <= INTAKE_REJECTS ? broker_words(&k->broker, q->reason) : SLICE(""));
	wire_text(&k->up, k->rejected <= INTAKE_REJECTS ? broker_words(&k->broker, q->record) : SLICE(""));
	wire_u64(&k->up, q->number);
	wire_u64(&k->up, q->line);
	wire_u64(&k->up, q->offset);
	wire_u8(&k->up, q->by_plugin);
	return up_end(k);
}

static void up_log(void *arg, int level, struct slice text)
{
	struct worker *k = arg;

	wire_begin(&k->up, W_LOG);
	wire_u8(&k->up, (uint8_t)level);
	wire_text(&k->up, broker_words(&k->broker, text));
	if (up_end(k) == GLANE_OK)
		wire_flush(&k->up, &k->diag);
}

static bool up_cancelled(void *arg)
{
	struct worker *k = arg;

	return cancel_asked != 0 || (k->cancel_at && ++k->asked >= k->cancel_at);
}

static glane_rc take_answer(struct wire *broker, struct frame *f, struct host_answer *ret, struct diag *d)
{
	const int64_t rc = frame_i64(f);
	const struct slice message = frame_text(f), sha256 = frame_text(f);

	ret->size = frame_u64(f);
	frame_text(f); /* content type */
	ret->url = frame_text(f);
	if (f->type != B_ANSWER || f->bad || rc > GLANE_END || rc < INT32_MIN)
		return fail(d, GLANE_E_FORMAT, "the broker's answer does not read");
	if (rc < GLANE_OK)
		return fail(d, (glane_rc)rc, "%.*s", SLICE_FMT(message));
	if (rc == GLANE_END)
		return GLANE_END;
	ret->fd = wire_take_fd(broker);
	if (ret->fd < 0 || sha256.n != 64)
		return fail(d, GLANE_E_FORMAT, "the broker's answer came without its payload");
	memcpy(ret->sha256, sha256.p, 64);
	ret->sha256[64] = 0;
	return GLANE_OK;
}

static glane_rc ask(
	struct wire *broker, uint16_t how, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	const struct request r = {.method = q->method,
		.url = q->url,
		.header = q->header,
		.n_header = q->n_header,
		.body = q->body,
		.content_type = q->content_type,
		.format = (uint8_t)(q->format | (q->may_be_empty ? FORMAT_MAY_BE_EMPTY : 0) |
				    (q->no_html ? FORMAT_NO_HTML : 0)),
		.again = q->again,
		.wait = q->wait};
	struct frame f;
	glane_rc rc;

	wire_begin(broker, how);
	wire_request(broker, &r);
	rc = wire_end(broker, -1, d);
	if (rc == GLANE_OK)
		rc = wire_flush(broker, d);
	if (rc == GLANE_OK)
		rc = wire_wait(broker, &f, d);
	if (rc == GLANE_OK)
		return take_answer(broker, &f, ret, d);
	if (rc != GLANE_E_IO && !broker->eof)
		return rc;
	diag_clear(d);
	return fail(d, GLANE_E_FETCH, "the broker has ended");
}

glane_rc broker_fetch(struct wire *broker, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	return ask(broker, B_FETCH, q, ret, d);
}

glane_rc broker_again(struct wire *broker, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	return ask(broker, B_AGAIN, q, ret, d);
}

static glane_rc up_ask(
	struct worker *k, uint16_t how, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	glane_rc rc = wire_flush(&k->up, &k->diag); /* what was read so far shows while the next page is fetched */

	if (rc == GLANE_OK)
		rc = ask(&k->broker, how, q, ret, d);
	else
		fail(d, rc, "%s", k->diag.text);
	if (rc != GLANE_OK)
		return rc;
	rc = up_taken(k, ret->sha256);
	return rc == GLANE_OK ? rc : fail(d, rc, "%s", k->diag.text);
}

static glane_rc up_fetch(void *arg, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	return up_ask(arg, B_FETCH, q, ret, d);
}

static glane_rc up_again(void *arg, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	return up_ask(arg, B_AGAIN, q, ret, d);
}

/* ---- the run ---- */

glane_rc launcher_of(const struct job *j, struct launcher *l, struct diag *d)
{
	glane_rc rc = j->program.path ? program_check(j->program.path, d) : GLANE_END;

	return rc == GLANE_OK ? launcher_start(l, &j->program, d) : rc == GLANE_END ? GLANE_OK : rc;
}

struct host_job host_job_of(const struct job *j, const struct plugin *p, struct launcher *l, struct program *program)
{
	program_init(program, l, j->source, j->now);
	return (struct host_job){.plugin = p,
		.section = j->section,
		.source = j->source,
		.base_url = j->base_url ? j->base_url : p->desc.base_url,
		.cursors = j->cursors,
		.n_cursors = j->n_cursors,
		.now = j->now,
		.max_body = j->max_body,
		.limit = j->limit,
		.keep_empty = j->keep_empty,
		.words = j->words,
		.filter = j->program.path ? &program->base : NULL,
		.header = j->header,
		.n_header = j->n_header};
}

/* Limits, then the sandbox in two steps: the plugin is loaded, and its constructors run, within the first. */
static glane_rc enter(struct arena *a, const struct job *j, struct launcher *l, struct plugin *plugin, struct diag *d)
{
	glane_rc rc = sandbox_limits(j->memory, j->max_body, j->cpu_seconds, j->program.path != NULL, d);

	if (rc == GLANE_OK)
		rc = launcher_of(j, l, d);
	if (rc == GLANE_OK)
		rc = sandbox_watch(d);
	if (rc == GLANE_OK)
		rc = sandbox_load(j->plugin_path, d);
	if (rc == GLANE_OK)
		rc = plugin_load(a, j->plugin_path, j->plugin_name, plugin, d);
	return rc == GLANE_OK ? sandbox_seal(d) : rc;
}

static glane_rc run_job(
	struct worker *k, struct arena *a, const struct job *j, struct host_counts *counts, struct diag *d)
{
	const struct host_seams seams = {.arg = k,
		.fetch = up_fetch,
		.again = up_again,
		.payload = up_payload,
		.series = up_series,
		.note = up_note,
		.period = up_period,
		.obs = up_obs,
		.cover = up_cover,
		.erase = up_erase,
		.cursor = up_cursor,
		.reject = up_reject,
		.log = up_log,
		.progress = up_progress,
		.cancelled = up_cancelled};
	struct launcher launcher = {.wire = {.fd = -1}};
	struct program program;
	struct plugin plugin;
	struct host_job host;
	glane_rc rc;

	k->asked = k->rows = k->bytes = k->rejected = 0;
	k->taken[0] = '\0';
	k->cancel_at = j->cancel_at;
	rc = enter(a, j, &launcher, &plugin, d);
	if (rc == GLANE_OK) {
		host = host_job_of(j, &plugin, &launcher, &program);
		rc = host_run(&host, &seams, counts, d);
	}
	launcher_stop(&launcher);
	return rc;
}

static glane_rc send_end(struct worker *k, glane_rc rc, struct slice message, const struct host_counts *c)
{
	glane_rc sent;

	if (c->turned) {
		wire_begin(&k->up, W_PAGES);
		wire_u64(&k->up, c->turned);
		wire_u64(&k->up, c->moved);
		sent = wire_end(&k->up, -1, &k->diag);
		if (sent != GLANE_OK)
			return sent;
	}
	wire_begin(&k->up, W_END);
	wire_i64(&k->up, rc);
	wire_text(&k->up, broker_words(&k->broker, message));
	wire_u64(&k->up, c->rows);
	wire_u64(&k->up, c->rejected);
	wire_u64(&k->up, c->padding);
	wire_u64(&k->up, c->bytes);
	sent = wire_end(&k->up, -1, &k->diag);
	return sent == GLANE_OK ? wire_flush(&k->up, &k->diag) : sent;
}

int worker_main(void)
{
	const struct sigaction term = {.sa_handler = on_term};
	struct host_counts counts = {0};
	struct taken_job t;
	struct worker k;
	struct arena a;
	struct diag d;
	struct frame f;
	glane_rc rc, sent;

	diag_clear(&d);
	diag_clear(&k.diag);
	arena_init(&a, 0);
	wire_init(&k.up, 3);
	wire_init(&k.broker, 4);
	sigaction(SIGTERM, &term, NULL);
	rc = wire_wait(&k.up, &f, &d);
	if (rc == GLANE_OK)
		rc = job_take(&f, &a, &t, &d);
	if (rc == GLANE_OK)
		rc = run_job(&k, &a, &t.job, &counts, &d);
	sent = send_end(&k, rc, rc == GLANE_OK ? (struct slice){NULL, 0} : slice_of(d.text), &counts);
	if (sent != GLANE_OK) { /* the scheduler shows what a worker that could not report printed last */
		fd_write(2, k.diag.text, strlen(k.diag.text), NULL);
		rc = sent;
	}
	arena_release(&a);
	wire_release(&k.up);
	wire_release(&k.broker);
	return sent != GLANE_OK ? WORKER_MUTE : rc == GLANE_OK ? 0 : 1;
}

int describe_main(const char *path, const char *name)
{
	struct plugin plugin;
	struct arena a;
	struct diag d;
	struct strbuf text;
	json_t *j = NULL;
	glane_rc rc;

	diag_clear(&d);
	arena_init(&a, 0);
	strbuf_init(&text, 0);
	rc = sandbox_limits(JOB_MEMORY, 0, 10, false, &d);
	if (rc == GLANE_OK)
		rc = sandbox_load(path, &d);
	if (rc == GLANE_OK)
		rc = plugin_load(&a, path, name, &plugin, &d);
	if (rc == GLANE_OK) {
		j = plugin_describe(&plugin);
		rc = j && json_print(&text, j, true) ? fd_write(3, text.p, text.n, &d)
						     : fail(&d, GLANE_E_NOMEM, "no memory to describe %s", path);
	}
	if (rc != GLANE_OK)
		fd_write(2, d.text, strlen(d.text), NULL);
	json_decref(j);
	strbuf_release(&text);
	arena_release(&a);
	return rc == GLANE_OK ? 0 : 1;
}
