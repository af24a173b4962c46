/* SPDX-License-Identifier: MIT */
/* Events by the time they were recorded. */
#include "store/changes.h"
#include "base/clock.h"
#include "store/events.h"
#include "store/files.h"
#include "store/match_tests.h"
#include <stdio.h>

struct held { /* a row with texts of its own */
	struct row row;
	struct strbuf texts;
	bool has;
};
struct changes {
	const struct store *s;
	struct match match;
	struct match_tests tests; /* of source next - 1 */
	struct changes_span span;
	enum changes_kind kind;
	struct arena arena;
	const char **sources;
	size_t n, next;
	struct events events; /* of source next - 1 */
	bool open;
	const struct row *ahead;  /* CHANGES_LAST: an event of the next key */
	struct held last[2];      /* [0]: of the event given, [1]: of the one before it */
	struct store_cursor past; /* CHANGES_BEFORE: the source as it was before the span */
	struct row past_row;
	bool has_past, past_ended;
	struct row before;
	struct strbuf scaled, scaled_before;
};

/* ---- what is asked for ---- */

glane_rc changes_since(const char *text, struct changes_span *ret, struct diag *d)
{
	int64_t at;

	if (!time_parse(slice_of(text), &at))
		return fail(d, GLANE_E_CONFIG, "--since '%s': no time (2026-11-23T23:44:35Z) and no date", text);
	*ret = (struct changes_span){.from = at, .to = INT64_MAX};
	return GLANE_OK;
}

static void span_of(const char *id, int64_t from, int64_t to, struct changes_span *ret)
{
	*ret = (struct changes_span){.from = from, .to = to};
	(void)snprintf(ret->run, sizeof(ret->run), "%s", id);
}

/* A run has one recorded_at, not before it began. Its report names it, or an earlier run's where it committed nothing. */
static glane_rc span_of_report(const struct store *s, const char *id, struct changes_span *ret, struct diag *d)
{
	int64_t at, begun;
	glane_rc rc = query_as_of(s, id, &at, d);

	if (rc == GLANE_OK && run_id_time(id, &begun) && at < begun)
		span_of(id, begun, at, ret);
	else if (rc == GLANE_OK)
		span_of(id, at, at, ret);
	return rc;
}

static glane_rc span_of_id(const struct store *s, const char *id, struct changes_span *ret, struct diag *d)
{
	struct diag own = {0};
	glane_rc rc = span_of_report(s, id, ret, &own);
	struct changes *c = NULL;
	struct query every = {.as_of = INT64_MAX};
	const struct row *before;
	struct row row;
	int64_t begun;

	if (rc != GLANE_E_CONFIG || !run_id_time(id, &begun))
		return rc < 0 ? fail(d, rc, "%s", own.text) : rc;
	span_of(id, begun, INT64_MAX, ret);
	rc = changes_open(s, &every, ret, CHANGES_EACH, &c, d);
	if (c)
		rc = changes_next(c, &row, &before, d);
	if (c && rc == GLANE_OK)
		span_of(id, row.recorded_at, row.recorded_at, ret);
	changes_close(c);
	return rc == GLANE_END ? fail(d, GLANE_E_CONFIG, "%s", own.text) : rc;
}

/* The newest of the ids, which are sorted by age, that had begun by t. */
static const char *newest_by(const char *const *ids, size_t n, int64_t t)
{
	int64_t begun;

	while (n--) {
		if (run_id_time(ids[n], &begun) && begun <= t)
			return ids[n];
	}
	return NULL;
}

/* What was recorded behind the newest report is a run's that was killed, or has not ended yet. */
static glane_rc span_of_last(const struct store *s, const char *id, struct changes_span *ret, struct diag *d)
{
	const int64_t newest = store_last_moment(s);
	glane_rc rc = GLANE_OK;

	*ret = (struct changes_span){.from = newest, .to = newest};
	if (id)
		rc = span_of_report(s, id, ret, d);
	if (rc == GLANE_OK && id && ret->to < newest)
		*ret = (struct changes_span){.from = newest, .to = newest};
	return rc;
}

glane_rc changes_of_run(const struct store *s, const char *text, struct changes_span *ret, struct diag *d)
{
	struct arena arena;
	const char **ids, *id = NULL;
	size_t n = 0;
	int64_t by = INT64_MAX;
	glane_rc rc;

	if (text && is_run_id(slice_of(text)))
		return span_of_id(s, text, ret, d);
	rc = text ? query_as_of(s, text, &by, d) : GLANE_OK;
	arena_init(&arena, 0);
	if (rc == GLANE_OK)
		rc = store_runs(s, &arena, &ids, &n, d);
	if (rc == GLANE_OK)
		id = newest_by(ids, n, by);
	if (rc == GLANE_OK && !text)
		rc = span_of_last(s, id, ret, d);
	else if (rc == GLANE_OK)
		rc = id ? span_of_report(s, id, ret, d)
			: fail(d, GLANE_E_CONFIG, "%s: no run had begun by %s; `glane runs` lists them", s->path, text);
	arena_release(&arena);
	return rc;
}

/* ---- events of the span ---- */

static glane_rc open_source(struct changes *c, const char *source, struct diag *d)
{
	glane_rc rc;

	match_tests_init(&c->tests, &c->match, slice_of(source), LAKE_STREAM);
	record_tests_of_key(&c->tests.tests);
	rc = events_open(&c->events, c->s, source, c->span.from, c->span.to, &c->tests.tests, d);
	c->open = rc == GLANE_OK;
	return rc;
}

static void close_source(struct changes *c)
{
	if (c->open)
		events_close(&c->events);
	store_rows_close(&c->past);
	c->open = c->has_past = c->past_ended = false;
}

static bool in_span(const struct changes *c, const struct row *r)
{
	return r->recorded_at >= c->span.from && r->recorded_at <= c->span.to;
}

static bool of_run(const struct changes *c, const struct row *r)
{
	return !c->span.run[0] || slice_is(r->run, c->span.run);
}

/* The next event of the span, of whichever run. */
static glane_rc next_event(struct changes *c, const struct row **ret, struct diag *d)
{
	const struct row *r;
	glane_rc rc;

	for (;;) {
		while (!c->open) {
			if (c->next == c->n)
				return GLANE_END;
			c->next++;
			if (!match_source(&c->match, slice_of(c->sources[c->next - 1])))
				continue;
			rc = open_source(c, c->sources[c->next - 1], d);
			if (rc < 0)
				return rc;
		}
		rc = events_next(&c->events, &r, d);
		if (rc < 0)
			return rc;
		if (rc == GLANE_END) {
			close_source(c);
		} else if (in_span(c, r)) {
			*ret = r;
			return GLANE_OK;
		}
	}
}

static glane_rc hold(struct held *h, const struct row *r, struct diag *d)
{
	h->has = row_keep(&h->texts, r, &h->row);
	return h->has ? GLANE_OK : fail(d, GLANE_E_NOMEM, "%.*s: no memory to read its events", SLICE_FMT(r->source));
}

/* ---- the kinds ---- */

static glane_rc next_last(struct changes *c, struct row *ret, struct diag *d)
{
	struct held *h = &c->last[0];
	glane_rc rc;

	h->has = false;
	for (;;) {
		if (!c->ahead) {
			rc = next_event(c, &c->ahead, d);
			if (rc == GLANE_END && h->has)
				break;
			if (rc != GLANE_OK)
				return rc;
		}
		if (!of_run(c, c->ahead)) {
			c->ahead = NULL;
			continue;
		}
		if (h->has && row_cmp_key(&h->row, c->ahead) != 0)
			break;
		rc = hold(h, c->ahead, d);
		c->ahead = NULL;
		if (rc < 0)
			return rc;
	}
	*ret = h->row;
	return GLANE_OK;
}

/* The state of the key of r before the span, if any. */
static glane_rc find_past(struct changes *c, const struct row *r, const struct row **ret, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	*ret = NULL;
	if (slice_is(r->event, "new") || c->span.from == INT64_MIN)
		return GLANE_OK;
	if (!c->past.rows)
		rc = rows_where(c->s, c->sources[c->next - 1], c->span.from - 1, &c->tests.tests, &c->past, d);
	while (rc == GLANE_OK && !c->past_ended && (!c->has_past || row_cmp_key(&c->past_row, r) < 0)) {
		rc = store_rows_next(&c->past, &c->past_row, d);
		c->has_past = rc == GLANE_OK;
		c->past_ended = rc == GLANE_END;
	}
	if (rc < 0)
		return rc;
	if (c->has_past && row_cmp_key(&c->past_row, r) == 0)
		*ret = &c->past_row;
	return GLANE_OK;
}

static glane_rc next_before(struct changes *c, struct row *ret, const struct row **ret_before, struct diag *d)
{
	struct held spare = c->last[1];
	const struct row *r;
	glane_rc rc = next_event(c, &r, d);

	if (rc != GLANE_OK)
		return rc;
	c->last[1] = c->last[0];
	c->last[0] = spare;
	rc = hold(&c->last[0], r, d);
	if (rc < 0)
		return rc;
	*ret = c->last[0].row;
	if (!c->last[1].has || row_cmp_key(&c->last[1].row, ret) != 0)
		return find_past(c, ret, ret_before, d);
	*ret_before = &c->last[1].row;
	return GLANE_OK;
}

static glane_rc next_of_kind(struct changes *c, struct row *ret, const struct row **ret_before, struct diag *d)
{
	const struct row *r;
	glane_rc rc;

	*ret_before = NULL;
	if (c->kind == CHANGES_LAST)
		return next_last(c, ret, d);
	if (c->kind == CHANGES_BEFORE)
		return next_before(c, ret, ret_before, d);
	rc = next_event(c, &r, d);
	if (rc == GLANE_OK)
		*ret = *r;
	return rc;
}

glane_rc changes_next(struct changes *c, struct row *ret, const struct row **ret_before, struct diag *d)
{
	glane_rc rc;

	do
		rc = next_of_kind(c, ret, ret_before, d);
	while (rc == GLANE_OK && (!of_run(c, ret) || !match_period(&c->match, ret) || !match_series(&c->match, ret)));
	if (rc == GLANE_OK)
		rc = match_scale(&c->match, ret, &c->scaled, d);
	if (rc == GLANE_OK && *ret_before) {
		c->before = **ret_before;
		*ret_before = &c->before;
		rc = match_scale(&c->match, &c->before, &c->scaled_before, d);
	}
	return rc;
}

glane_rc changes_open(const struct store *s, const struct query *q, const struct changes_span *span,
	enum changes_kind kind, struct changes **ret, struct diag *d)
{
	struct changes *c = mem_zalloc(1, sizeof(*c));
	glane_rc rc;

	if (!c)
		return fail(d, GLANE_E_NOMEM, "%s: no memory to read its events", s->path);
	c->s = s;
	c->span = *span;
	c->kind = kind;
	arena_init(&c->arena, 0);
	for (int i = 0; i < 2; i++)
		strbuf_init(&c->last[i].texts, 0);
	strbuf_init(&c->scaled, 0);
	strbuf_init(&c->scaled_before, 0);
	rc = match_init(&c->match, q, d);
	if (rc == GLANE_OK)
		rc = store_sources(s, &c->arena, &c->sources, &c->n, d);
	if (rc < 0) {
		changes_close(c);
		return rc;
	}
	*ret = c;
	return GLANE_OK;
}

void changes_close(struct changes *c)
{
	if (!c)
		return;
	close_source(c);
	for (int i = 0; i < 2; i++)
		strbuf_release(&c->last[i].texts);
	strbuf_release(&c->scaled);
	strbuf_release(&c->scaled_before);
	arena_release(&c->arena);
	mem_free(c);
}
