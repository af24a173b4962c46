/* SPDX-License-Identifier: MIT */
/* One run of a plugin over recorded answers: answers given, rows counted, its end told. */
#include "sched/trial.h"

#include "base/clock.h"
#include "base/file.h"
#include "model/batch_csv.h"
#include "net/url.h"
#include "net/verify.h"
#include "sched/single.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_URLS 64
#define MAX_ALLOWED 64

struct trying {
	struct trial *t;
	struct arena arena;
	struct batch batch;
	struct intake intake;
	struct batch_csv csv;
	struct strbuf text;
	struct sha256 hash;
	const char *urls[MAX_URLS]; /* asked for so far */
	size_t n_urls;
	const char *allowed[MAX_ALLOWED];
	size_t n_allowed;
};

/* ---- answers ---- */

static bool same_but_query(const char *a, const char *b)
{
	const size_t n = strcspn(a, "?"), m = strcspn(b, "?");

	return n == m && memcmp(a, b, n) == 0;
}

/* Which request this is: the same URL is the same one. MAX_URLS: no room for more. */
static size_t number_of(struct trying *y, const struct request *q)
{
	struct trial *t = y->t;
	size_t i = 0;
	const char *copy;

	while (i < y->n_urls && strcmp(y->urls[i], q->url) != 0)
		i++;
	if (i < y->n_urls || i == MAX_URLS)
		return i;
	copy = arena_strndup(&y->arena, q->url, strlen(q->url));
	if (!copy)
		return MAX_URLS;
	t->format[i] = q->format & (uint8_t)~FORMAT_MAY_BE_EMPTY;
	t->follows[i] = i && same_but_query(copy, y->urls[i - 1]);
	y->urls[y->n_urls++] = copy;
	t->n_requests = y->n_urls;
	return i;
}

static glane_rc may_ask(struct trying *y, const char *url, struct diag *d)
{
	struct url_parts parts;
	glane_rc rc = url_parse(&y->arena, url, &parts, d);

	if (rc == GLANE_OK && !url_allowed(&parts, y->allowed, y->n_allowed))
		rc = fail(d, GLANE_E_DENIED, "%s is at no host that the plugin or --base_url names", url);
	return rc;
}

static const struct trial_page *page_of(const struct trial *t, size_t i, const char *url)
{
	for (size_t k = 0; k < t->n_pages; k++)
		if (t->pages[k].url && strcmp(t->pages[k].url, url) == 0)
			return &t->pages[k];
	return i < t->n_pages && !t->pages[i].url ? &t->pages[i] : NULL;
}

static glane_rc give(
	struct slice body, const struct request *q, const char *type, struct single_answer *ret, struct diag *d)
{
	const struct slice head = {body.p, body.n < 4096 ? body.n : 4096};
	const size_t n = body.n < 64 ? body.n : 64;
	glane_rc rc = body_verify(head, (struct slice){body.p + body.n - n, n}, body.n, q->format, type, d);

	if (rc != GLANE_OK)
		return rc;
	ret->fd = memfd_create("answer", MFD_CLOEXEC);
	ret->size = body.n;
	if (ret->fd < 0 || !sha256_of(body, ret->sha256))
		rc = fail(d, GLANE_E_IO, "no file for an answer");
	if (rc == GLANE_OK)
		rc = fd_write(ret->fd, body.p, body.n, d);
	if (rc != GLANE_OK)
		fd_close(&ret->fd);
	return rc;
}

static glane_rc fetch(void *arg, const struct request *q, struct single_answer *ret, struct diag *d)
{
	struct trying *y = arg;
	const struct trial *t = y->t;
	const size_t i = number_of(y, q);
	const struct trial_page *page = page_of(t, i, q->url);
	glane_rc rc = may_ask(y, q->url, d);

	if (rc != GLANE_OK)
		return rc;
	if (t->fault != FAULT_NONE && i == t->bad) {
		if (t->fault == FAULT_FETCH)
			return fail(d, GLANE_E_FETCH, "%s: %s", q->url, t->message);
		if (t->fault == FAULT_BODY)
			return give(t->body, q, page ? page->type : NULL, ret, d);
	}
	if (t->fault == FAULT_REPEAT && i > t->bad)
		page = page_of(t, t->bad, y->urls[t->bad]);
	if (page)
		return give(page->body, q, page->type, ret, d);
	return t->n_pages && t->pages[0].url ? fail(d, GLANE_E_FETCH, "%s: HTTP 404", q->url) : GLANE_END;
}

/* ---- what comes ---- */

static glane_rc on_obs(void *arg, const struct batch_obs *obs, size_t n, struct diag *d)
{
	struct trying *y = arg;

	strbuf_reset(&y->text);
	for (size_t i = 0; i < n; i++) {
		batch_csv(&y->csv, &y->batch, &obs[i], &y->text);
		y->t->rows++;
	}
	if (!strbuf_ok(&y->text) || (y->text.n && !sha256_add(&y->hash, y->text.p, y->text.n)))
		return fail(d, GLANE_E_NOMEM, "no memory for rows");
	return GLANE_OK;
}

static void count_covers(struct trying *y)
{
	for (size_t i = 0; i < y->batch.n_covers; i++) {
		const struct cover *c = &y->batch.covers[i];

		y->t->n_full += c->kind == GLANE_COVER_FULL || c->kind == GLANE_COVER_RANGE;
		y->t->n_failed += c->kind == GLANE_COVER_FAILED;
		strbuf_fmt(&y->text, "cover %u %.*s %.*s %lld %lld\n", c->kind, SLICE_FMT(c->dataset),
			SLICE_FMT(c->indicator), (long long)c->from, (long long)c->to);
	}
	for (size_t i = 0; i < y->intake.n_cursors; i++)
		strbuf_fmt(&y->text, "cursor %s=%.*s\n", y->intake.cursors[i].k, (int)y->intake.cursors[i].v.n,
			y->intake.cursors[i].v.p);
}

static glane_rc told(struct trying *y, const struct single *s, glane_rc rc, const struct diag *why)
{
	struct trial *t = y->t;
	const char *message = why->text;

	t->late = s->late;
	t->died = rc != GLANE_OK || s->late;
	t->rc = rc != GLANE_OK ? rc : y->intake.end_rc;
	if (!t->died && t->rc == GLANE_OK && s->status != 0) {
		t->died = true;
		child_status_text(s->status, t->message_got, sizeof(t->message_got));
		return GLANE_OK;
	}
	if (rc == GLANE_OK)
		message = y->intake.end_message ? y->intake.end_message : "";
	snprintf(t->message_got, sizeof(t->message_got), "%s", message);
	return GLANE_OK;
}

static glane_rc run_it(struct trying *y, struct diag *d)
{
	struct trial *t = y->t;
	const struct job job = {t->plugin_path, t->desc->desc.name, "check",
		t->base_url ? t->base_url : t->desc->desc.base_url, t->section, NULL, 0, t->now, (uint64_t)1 << 30,
		t->memory, t->seconds + 1, 0, false, t->cancel_at, t->words, NULL, NULL, 0};
	const int64_t from = clock_mono_ms();
	struct single s = {.job = &job,
		.intake = &y->intake,
		.fetch = fetch,
		.arg = y,
		.deadline_ms = from + (int64_t)t->seconds * 1000};
	struct diag why;
	glane_rc rc;

	diag_clear(&why);
	y->intake.on_obs = on_obs;
	y->intake.arg = y;
	rc = single_run(&s, &why);
	t->ms = clock_mono_ms() - from;
	told(y, &s, rc, &why);
	single_release(&s);
	t->rejected = y->intake.rejected;
	strbuf_reset(&y->text);
	count_covers(y);
	if (!strbuf_ok(&y->text) || (y->text.n && !sha256_add(&y->hash, y->text.p, y->text.n)))
		return fail(d, GLANE_E_NOMEM, "no memory to check the plugin");
	return GLANE_OK;
}

static void allow(struct trying *y)
{
	const struct plugin *p = y->t->desc;
	const char *base = y->t->base_url ? y->t->base_url : p->desc.base_url;

	if (base)
		y->allowed[y->n_allowed++] = base;
	for (size_t i = 0; i < p->n_hosts && y->n_allowed < MAX_ALLOWED; i++)
		y->allowed[y->n_allowed++] = p->hosts[i];
}

glane_rc trial_run(struct trial *t, struct diag *d)
{
	struct trying *y = mem_zalloc(1, sizeof(*y));
	glane_rc rc;

	if (!y)
		return fail(d, GLANE_E_NOMEM, "no memory to check the plugin");
	y->t = t;
	t->rows = t->rejected = 0;
	t->n_full = t->n_failed = t->n_requests = 0;
	arena_init(&y->arena, (size_t)16 << 20);
	strbuf_init(&y->text, 0);
	batch_csv_init(&y->csv, slice_of("check"), t->now);
	allow(y);
	rc = batch_init(&y->batch, -1, d);
	if (rc == GLANE_OK) {
		rc = intake_init(&y->intake, &y->batch, t->areas);
		if (rc == GLANE_OK && !sha256_init(&y->hash))
			rc = fail(d, GLANE_E_NOMEM, "no memory for a digest");
		if (rc == GLANE_OK) {
			rc = run_it(y, d);
			if (!sha256_end(&y->hash, t->digest) && rc == GLANE_OK)
				rc = fail(d, GLANE_E_NOMEM, "no memory for a digest");
		}
		intake_release(&y->intake);
		batch_release(&y->batch);
	}
	batch_csv_release(&y->csv);
	strbuf_release(&y->text);
	arena_release(&y->arena);
	mem_free(y);
	return rc;
}
