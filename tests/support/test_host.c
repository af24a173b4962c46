/* SPDX-License-Identifier: MIT */
#include "support/test_host.h"

#include "base/file.h"
#include "base/sha256.h"
#include "model/batch.h"
#include "model/decimal.h"
#include "model/period.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void test_host_init(struct test_host *t)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->arena, 0);
	strbuf_init(&t->out, 0);
	strbuf_init(&t->asked, 0);
	t->base_url = "http://host";
}

void test_host_release(struct test_host *t)
{
	arena_release(&t->arena);
	strbuf_release(&t->out);
	strbuf_release(&t->asked);
	mem_free(t->freqs);
}

const char *test_plugin_path(struct arena *a, const char *folder, const char *name)
{
	const char *out = getenv("GLANE_OUT");

	return out ? arena_fmt(a, "%s/%s/%s.so", out, folder, name) : NULL;
}

/* ---- seams ---- */

static void word(struct test_host *t, struct slice s)
{
	strbuf_putc(&t->out, ' ');
	if (s.p)
		strbuf_visible(&t->out, s);
	else
		strbuf_putc(&t->out, '~');
}

static void number(struct test_host *t, int64_t n)
{
	strbuf_putc(&t->out, ' ');
	strbuf_int(&t->out, n);
}

static glane_rc end_line(struct test_host *t)
{
	strbuf_putc(&t->out, '\n');
	if (t->quiet)
		strbuf_reset(&t->out);
	return t->seam_rc;
}

static const struct test_page *find_page(const struct test_page *pages, size_t n, const char *url)
{
	for (size_t i = 0; i < n; i++)
		if (!pages[i].url || strcmp(pages[i].url, url) == 0)
			return &pages[i];
	return NULL;
}

static glane_rc give(const struct test_page *page, struct host_answer *ret, struct diag *d)
{
	struct sha256 h;
	size_t n;

	if (!page)
		return fail(d, GLANE_E_FETCH, "HTTP 404");
	if (page->rc)
		return page->rc < 0 ? fail(d, page->rc, "%s", page->message ? page->message : "page") : page->rc;
	n = page->n ? page->n : strlen(page->body);
	ret->fd = memfd_create("page", MFD_CLOEXEC);
	if (ret->fd < 0 || fd_write(ret->fd, page->body, n, d) != GLANE_OK)
		return fail(d, GLANE_E_IO, "no file for a page");
	ret->size = n;
	if (!sha256_init(&h) || !sha256_add(&h, page->body, n) || !sha256_end(&h, ret->sha256))
		return fail(d, GLANE_E_NOMEM, "no hash of a page");
	return GLANE_OK;
}

static void note_asked(struct test_host *t, const char *method, const char *url)
{
	strbuf_puts(&t->asked, method);
	strbuf_putc(&t->asked, ' ');
	strbuf_puts(&t->asked, url);
	strbuf_putc(&t->asked, '\n');
}

static glane_rc on_fetch(void *arg, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	struct test_host *t = arg;

	note_asked(t, q->method, q->url);
	return give(find_page(t->pages, t->n_pages, q->url), ret, d);
}

/* As the broker: the same bytes are no answer. */
static glane_rc on_again(void *arg, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	struct test_host *t = arg;
	const struct test_page *now = find_page(t->again, t->n_again, q->url);
	const struct test_page *then = find_page(t->pages, t->n_pages, q->url);

	note_asked(t, "AGAIN", q->url);
	if (!now || (then && !now->rc && strcmp(now->body, then->body) == 0))
		return GLANE_END;
	return give(now, ret, d);
}

static glane_rc on_payload(void *arg, const char *sha256)
{
	struct test_host *t = arg;

	(void)sha256;
	strbuf_puts(&t->out, "payload");
	number(t, ++t->n_payloads);
	return end_line(t);
}

static glane_rc on_series(void *arg, const struct series *s)
{
	struct test_host *t = arg;

	if (!mem_grow(&t->freqs, &t->cap_freqs, t->n_freqs + 1, 1))
		return GLANE_E_NOMEM;
	t->freqs[t->n_freqs++] = s->freq;
	strbuf_puts(&t->out, "series");
	number(t, (int64_t)t->n_freqs);
	word(t, (struct slice){&s->freq, 1});
	word(t, s->dataset);
	word(t, s->indicator);
	word(t, s->area_code);
	word(t, s->area_scheme);
	word(t, s->dims);
	word(t, s->unit);
	number(t, s->unit_mult);
	word(t, s->title);
	word(t, s->area_title);
	word(t, s->updated);
	return end_line(t);
}

static glane_rc on_note(void *arg, const struct note *n)
{
	struct test_host *t = arg;

	strbuf_puts(&t->out, "note");
	number(t, ++t->n_notes);
	word(t, n->value_text);
	word(t, n->flags);
	word(t, n->note);
	if (n->has_unit_mult)
		number(t, n->unit_mult);
	else
		word(t, (struct slice){NULL, 0});
	number(t, n->remove);
	return end_line(t);
}

static glane_rc on_period(void *arg, struct slice text)
{
	struct test_host *t = arg;

	strbuf_puts(&t->out, "period");
	number(t, ++t->n_periods);
	word(t, text);
	return end_line(t);
}

static glane_rc on_obs(void *arg, const struct glane_obs *obs, size_t n)
{
	struct test_host *t = arg;

	for (size_t i = 0; i < n; i++) {
		const struct glane_obs *o = &obs[i];

		strbuf_puts(&t->out, "obs");
		number(t, o->series);
		strbuf_putc(&t->out, ' ');
		if (o->period < 0 || o->series == 0 || o->series > t->n_freqs)
			strbuf_int(&t->out, o->period);
		else
			period_print(&t->out, t->freqs[o->series - 1], o->period);
		strbuf_putc(&t->out, ' ');
		if (o->exp10 == DECIMAL_NONE)
			strbuf_putc(&t->out, '~');
		decimal_print(&t->out, o->coef, o->exp10);
		word(t, (struct slice){&o->status, 1});
		number(t, o->note);
		end_line(t);
	}
	return t->seam_rc;
}

static glane_rc on_cover(void *arg, const struct cover *c)
{
	struct test_host *t = arg;

	strbuf_puts(&t->out, "cover");
	number(t, c->kind);
	word(t, c->dataset);
	word(t, c->indicator);
	number(t, c->from);
	number(t, c->to);
	word(t, c->reason);
	return end_line(t);
}

static glane_rc on_erase(void *arg, const struct erase *e)
{
	struct test_host *t = arg;

	strbuf_puts(&t->out, "erase");
	word(t, e->dataset);
	word(t, e->indicator.n ? e->indicator : SLICE("~"));
	word(t, e->area_code.n ? e->area_code : SLICE("~"));
	word(t, e->dims.n ? e->dims : SLICE("~"));
	word(t, e->freq ? (struct slice){&e->freq, 1} : SLICE("~"));
	word(t, e->period.n ? e->period : SLICE("~"));
	number(t, e->what);
	return end_line(t);
}

static glane_rc on_cursor(void *arg, struct slice key, struct slice value)
{
	struct test_host *t = arg;

	strbuf_puts(&t->out, "cursor");
	word(t, key);
	strbuf_putc(&t->out, '=');
	strbuf_visible(&t->out, value);
	return end_line(t);
}

static glane_rc on_reject(void *arg, const struct host_reject *q)
{
	struct test_host *t = arg;

	strbuf_puts(&t->out, "reject");
	word(t, slice_of(q->rule));
	strbuf_putc(&t->out, ':');
	word(t, q->reason);
	strbuf_puts(&t->out, " [");
	strbuf_visible(&t->out, q->record);
	strbuf_putc(&t->out, ']');
	return end_line(t);
}

static void on_log(void *arg, int level, struct slice text)
{
	struct test_host *t = arg;

	strbuf_puts(&t->out, "log");
	number(t, level);
	word(t, text);
	end_line(t);
}

static glane_rc on_progress(void *arg, uint64_t rows, uint64_t bytes)
{
	(void)arg;
	(void)rows;
	(void)bytes;
	return GLANE_OK;
}

static bool on_cancelled(void *arg)
{
	struct test_host *t = arg;

	return t->cancel_at && t->n_questions++ >= t->cancel_at;
}

/* ---- the run ---- */

glane_rc test_host_plugin(struct test_host *t, const struct plugin *p)
{
	const struct host_seams seams = {t, on_fetch, on_payload, on_series, on_note, on_period, on_obs, on_cover,
		on_erase, on_cursor, on_reject, on_log, on_progress, on_cancelled, t->again ? on_again : NULL};
	const char *text = arena_fmt(&t->arena, "[source test]\n%s\n", t->conf ? t->conf : "");
	struct conf conf;
	struct host_job job = {.plugin = p,
		.source = "test",
		.base_url = t->base_url,
		.cursors = t->cursors,
		.n_cursors = t->n_cursors,
		.now = 1700000000,
		.max_body = (uint64_t)1 << 30,
		.limit = t->limit,
		.keep_empty = t->keep_empty};
	glane_rc rc;

	diag_clear(&t->diag);
	conf_init(&conf);
	rc = conf_parse(&conf, "test.conf", slice_of(text), &t->diag);
	job.section = conf.sections;
	mem_fail_after(t->fail_after, t->fail_for_ever);
	if (rc == GLANE_OK)
		rc = host_run(&job, &seams, &t->counts, &t->diag);
	mem_fail_after(0, false);
	conf_release(&conf);
	return rc;
}

glane_rc test_host_function(struct test_host *t, test_run *run)
{
	const struct plugin p = {.desc = {.size = sizeof(p.desc), .name = "test", .run = run}};

	return test_host_plugin(t, &p);
}
