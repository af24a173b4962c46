/* SPDX-License-Identifier: MIT */
/* One run of a plugin over recorded answers: answers given, rows taken as a run takes them, its end told. */
#include "sched/trial.h"

#include "base/clock.h"
#include "base/file.h"
#include "model/batch_csv.h"
#include "net/fetch.h"
#include "net/url.h"
#include "net/verify.h"
#include "sched/single.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_ALLOWED 128

struct asked {
	char key[SHA256_HEX], body[SHA256_HEX];
	const char *url;
	struct trial_page *page; /* what answers it; NULL: nothing */
};
struct trying {
	struct trial *t;
	struct arena arena;
	struct batch batch;
	struct intake intake;
	struct batch_csv csv;
	struct strbuf text, scratch;
	struct sha256 hash;
	struct asked asked[TRIAL_REQUESTS]; /* different requests so far */
	size_t n_asked;
	const char *allowed[MAX_ALLOWED], *declared[MAX_ALLOWED];
	struct fetch_policy policy;
};

/* ---- answers ---- */

static uint64_t take_number(const char **s)
{
	uint64_t n = 0;

	for (; **s >= '0' && **s <= '9'; ++*s)
		n = n < UINT64_MAX / 16 ? 10 * n + (uint64_t)(**s - '0') : n;
	return n;
}

static bool is_year(uint64_t n)
{
	return n >= 1800 && n <= 2100;
}

/* Is b the address of the page after a? A number in the query is another one, and no year, or there is one more parameter, a number. */
static bool turns(const char *a, const char *b)
{
	const size_t path = strcspn(a, "?");
	bool found = false;

	if (strncmp(a, b, path) != 0)
		return false;
	for (a += path, b += path; *a; a++, b++) {
		while (*a >= '0' && *a <= '9' && *b >= '0' && *b <= '9') {
			const uint64_t x = take_number(&a), y = take_number(&b);

			if (x != y && is_year(x) && is_year(y))
				return false;
			found |= x != y;
		}
		if (*a != *b)
			return false;
		if (!*a)
			return found;
	}
	if (!*b)
		return found;
	b += strcspn(b, "=");
	b += *b == '=';
	take_number(&b);
	return !*b && b[-1] != '=';
}

/* Of several answers to the same the one that it got when it was asked for so often; a file without a URL answers by its place. */
static struct trial_page *page_of(const struct trial *t, size_t i, const struct request *q, const char *body)
{
	struct trial_page *found = NULL;
	uint32_t n = 0;

	for (size_t k = 0; k < t->n_pages && n <= q->again; k++) {
		struct trial_page *p = &t->pages[k];

		if (!p->url || strcmp(p->url, q->url) != 0 || (p->method && strcmp(p->method, q->method) != 0) ||
			(p->body_sha256 && strcmp(p->body_sha256, body) != 0))
			continue;
		found = p;
		n++;
	}
	return found || i >= t->n_pages || t->pages[i].url ? found : &t->pages[i];
}

/* Which request this is, the first time also what answers it. TRIAL_REQUESTS: no room for more. */
static size_t number_of(struct trying *y, const struct request *q)
{
	struct trial *t = y->t;
	struct asked *a;
	char key[SHA256_HEX];
	size_t i = 0;

	if (!request_key(q, key))
		return TRIAL_REQUESTS;
	while (i < y->n_asked && strcmp(y->asked[i].key, key) != 0)
		i++;
	if (i < y->n_asked || i == TRIAL_REQUESTS)
		return i;
	a = &y->asked[i];
	a->url = arena_strndup(&y->arena, q->url, strlen(q->url));
	a->body[0] = 0;
	if (!a->url || (q->body.n && !sha256_of(q->body, a->body)))
		return TRIAL_REQUESTS;
	memcpy(a->key, key, sizeof(key));
	a->page = page_of(t, i, q, a->body);
	t->format[i] = q->format & (uint8_t)~FORMAT_MAY_BE_EMPTY;
	t->follows[i] = i && strcmp(a->body, a[-1].body) == 0 && turns(a[-1].url, a->url);
	t->n_requests = ++y->n_asked;
	return i;
}

static glane_rc may_ask(struct trying *y, const char *url, struct diag *d)
{
	struct url_parts parts;
	glane_rc rc = url_parse(&y->arena, url, &parts, d);

	if (rc == GLANE_OK && !fetch_origin_permitted(&y->policy, &parts))
		rc = fail(d, GLANE_E_DENIED,
			"%s is at no host that the plugin (https, no local address), --base_url or the source names",
			url);
	return rc;
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
	struct trial_page *page = i < TRIAL_REQUESTS ? y->asked[i].page : NULL;
	glane_rc rc = may_ask(y, q->url, d);

	if (rc != GLANE_OK)
		return rc;
	if (page)
		page->used = true;
	if (t->fault != FAULT_NONE && i == t->bad) {
		if (t->fault == FAULT_FETCH)
			return fail(d, GLANE_E_FETCH, "%s: %s", q->url, t->message);
		if (t->fault == FAULT_BODY)
			return give(t->body, q, page ? page->type : NULL, ret, d);
	}
	if (t->fault == FAULT_REPEAT && i > t->bad)
		page = y->asked[t->bad].page;
	if (page)
		return give(page->body, q, page->type, ret, d);
	return t->n_pages && t->pages[0].url ? fail(d, GLANE_E_FETCH, "%s: HTTP 404 (it was not recorded)", q->url)
					     : GLANE_END;
}

/* ---- what comes ---- */

static void on_conflict(void *arg, const struct row *kept, const struct row *dropped)
{
	struct trial *t = arg;

	if (!t->conflict)
		t->conflict = arena_fmt(t->arena, "%.*s %.*s %.*s has '%.*s' and '%.*s'", SLICE_FMT(kept->indicator),
			SLICE_FMT(kept->area_code), SLICE_FMT(kept->period), SLICE_FMT(kept->value),
			SLICE_FMT(dropped->value));
}

static uint64_t hash_text(struct slice s, uint64_t seed)
{
	return hash_bytes(s.p, s.n, seed + s.n);
}

static void take_row(struct trying *y, const struct batch_obs *o)
{
	struct trial *t = y->t;
	const uint32_t at = y->batch.series[o->series].slice;
	struct row r;
	uint64_t key = 0;

	batch_row(&y->batch, o, &y->scratch, &r);
	if (at) {
		const struct slice parts[] = {r.dataset, r.indicator, r.area_code, r.dims, {&r.freq, 1}, r.period};

		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			key = hash_text(parts[i], key);
		t->slices[at - 1].rows++;
		t->slices[at - 1].sum += key;
	} else if (t->uncovered++ == 0) {
		t->uncovered_slice = arena_fmt(t->arena, "%.*s / %.*s", SLICE_FMT(r.dataset), SLICE_FMT(r.indicator));
	}
	batch_csv(&y->csv, &y->batch, o, &y->text);
}

/* What a commit would get. */
static glane_rc take_rows(struct trying *y, struct diag *d)
{
	struct trial *t = y->t;
	struct batch *b = &y->batch;
	glane_rc rc = batch_finish(b, on_conflict, t, d);

	if (rc != GLANE_OK)
		return rc;
	t->slices = arena_alloc(t->arena, (b->n_covers + 1) * sizeof(*t->slices));
	if (!t->slices)
		return fail(d, GLANE_E_NOMEM, "no memory to check the plugin");
	t->n_slices = b->n_covers;
	for (size_t i = 0; i < b->n_covers; i++) {
		const struct cover *c = &b->covers[i];

		t->slices[i] = (struct trial_slice){.name = arena_fmt(t->arena, "%.*s%s%.*s", SLICE_FMT(c->dataset),
							    c->indicator.n ? " / " : "", SLICE_FMT(c->indicator)),
			.kind = c->kind};
		if (!t->slices[i].name)
			return fail(d, GLANE_E_NOMEM, "no memory to check the plugin");
		t->n_full += c->kind == GLANE_COVER_FULL || c->kind == GLANE_COVER_RANGE;
		t->n_failed += c->kind == GLANE_COVER_FAILED;
		strbuf_fmt(&y->text, "cover %u %s %lld %lld\n", c->kind, t->slices[i].name, (long long)c->from,
			(long long)c->to);
	}
	t->rows = b->n_obs;
	t->conflicts = b->conflicts;
	for (size_t i = 0; i < b->n_obs; i++) {
		take_row(y, &b->obs[i]);
		if (!strbuf_ok(&y->text) || !strbuf_ok(&y->scratch) || !sha256_add(&y->hash, y->text.p, y->text.n))
			return fail(d, GLANE_E_NOMEM, "no memory for rows");
		strbuf_reset(&y->text);
	}
	for (size_t i = 0; i < y->intake.n_cursors; i++)
		strbuf_fmt(&y->text, "cursor %s=%.*s\n", y->intake.cursors[i].k, (int)y->intake.cursors[i].v.n,
			y->intake.cursors[i].v.p);
	if (!strbuf_ok(&y->text) || (y->text.n && !sha256_add(&y->hash, y->text.p, y->text.n)))
		return fail(d, GLANE_E_NOMEM, "no memory to check the plugin");
	return GLANE_OK;
}

static void told(struct trying *y, const struct single *s, glane_rc rc, const struct diag *why)
{
	struct trial *t = y->t;
	const char *message = why->text;

	t->late = s->late;
	t->died = rc != GLANE_OK || s->late;
	t->rc = rc != GLANE_OK ? rc : y->intake.end_rc;
	if (!t->died && t->rc == GLANE_OK && s->status != 0) {
		t->died = true;
		child_status_text(s->status, t->message_got, sizeof(t->message_got));
		return;
	}
	if (rc == GLANE_OK)
		message = y->intake.end_message ? y->intake.end_message : "";
	snprintf(t->message_got, sizeof(t->message_got), "%s", message);
}

static glane_rc run_it(struct trying *y, struct diag *d)
{
	struct trial *t = y->t;
	const struct job job = {.plugin_path = t->plugin_path,
		.plugin_name = t->desc->desc.name,
		.source = t->section->name,
		.base_url = t->base_url ? t->base_url : t->desc->desc.base_url,
		.section = t->section,
		.now = t->now,
		.max_body = t->max_body,
		.memory = t->memory,
		.cpu_seconds = t->seconds + 1,
		.keep_empty = t->keep_empty,
		.cancel_at = t->cancel_at,
		.words = t->words,
		.program = t->program,
		.header = t->header,
		.n_header = t->n_header};
	const int64_t from = clock_mono_ms();
	struct single s = {.job = &job,
		.intake = &y->intake,
		.fetch = fetch,
		.arg = y,
		.deadline_ms = from + (int64_t)t->seconds * 1000};
	struct diag why;
	glane_rc rc;

	diag_clear(&why);
	rc = single_run(&s, &why);
	t->ms = clock_mono_ms() - from;
	told(y, &s, rc, &why);
	single_release(&s);
	t->rows = y->intake.rows;
	t->rejected = y->intake.rejected;
	strbuf_reset(&y->text);
	intake_doubts(&y->intake, &y->text);
	t->doubts = y->text.n ? arena_strndup(t->arena, y->text.p, y->text.n) : NULL;
	strbuf_reset(&y->text);
	return t->rc == GLANE_OK && !t->died ? take_rows(y, d) : GLANE_OK;
}

static size_t list(const char **to, const char *base, const char *const *hosts, size_t n_hosts)
{
	size_t n = 0;

	if (base)
		to[n++] = base;
	for (size_t i = 0; i < n_hosts && n < MAX_ALLOWED; i++)
		to[n++] = hosts[i];
	return n;
}

/* As in a run: a plugin that declares what it may not ask is told here. */
static void allow(struct trying *y)
{
	const struct trial *t = y->t;
	const struct plugin *p = t->desc;

	y->policy = (struct fetch_policy){.source = "check", .allowed = y->allowed, .declared = y->declared};
	y->policy.n_allowed = list(y->allowed, t->base_url, t->hosts, t->n_hosts);
	y->policy.n_declared = list(y->declared, t->base_url ? NULL : p->desc.base_url, p->hosts, p->n_hosts);
}

glane_rc trial_run(struct trial *t, struct diag *d)
{
	struct trying *y = mem_zalloc(1, sizeof(*y));
	glane_rc rc;

	if (!y)
		return fail(d, GLANE_E_NOMEM, "no memory to check the plugin");
	y->t = t;
	for (size_t i = 0; i < t->n_pages; i++)
		t->pages[i].used = false;
	arena_init(&y->arena, (size_t)16 << 20);
	strbuf_init(&y->text, 0);
	strbuf_init(&y->scratch, 0);
	batch_csv_init(&y->csv, slice_of("check"), t->now);
	allow(y);
	rc = batch_init(&y->batch, t->tmp, d);
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
	strbuf_release(&y->scratch);
	arena_release(&y->arena);
	mem_free(y);
	return rc;
}
