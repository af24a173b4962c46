/* SPDX-License-Identifier: MIT */
/* Checks on everything that comes from a worker, before it counts as an observation. */
#include "proc/intake_checks.h"

#include "model/decimal.h"
#include "model/dims.h"
#include "model/period.h"
#include "model/status.h"

#include "base/sha256.h"

#include <string.h>

#define MAX_CURSORS 10000
#define MAX_TEXT 65536 /* bytes of one text attribute */
#define MAX_ROWS 200000000
#define MAX_COVERS 100000
#define MAX_REASON 2048 /* bytes of why a slice failed */
#define MAX_WARNINGS                                                                                                   \
	100 /* lines of a source that are shown at once; the rest is kept as it comes, the last lines for the report */
#define MAX_COEF INT64_C(1000000000000000000)
#define RING ((size_t)2 * BATCH_WINDOW)

glane_rc intake_init(struct intake *in, struct batch *b, const struct areas *areas)
{
	memset(in, 0, sizeof(*in));
	in->batch = b;
	in->areas = areas;
	in->max_rows = MAX_ROWS;
	in->max_text_bytes = (uint64_t)1 << 30;
	arena_init(&in->arena, (size_t)64 << 20);
	map_init(&in->payloads, NULL);
	map_init(&in->cursor_at, NULL);
	in->series_at = mem_zalloc(3 * RING, sizeof(*in->series_at));
	if (!in->series_at)
		return GLANE_E_NOMEM;
	in->note_at = in->series_at + RING;
	in->period_at = in->note_at + RING;
	return GLANE_OK;
}

void intake_release(struct intake *in)
{
	arena_release(&in->arena);
	map_release(&in->payloads);
	map_release(&in->cursor_at);
	mem_free(in->rejects);
	mem_free(in->cursors);
	mem_free(in->series_at);
	in->series_at = in->note_at = in->period_at = NULL;
	in->rejects = NULL;
	in->cursors = NULL;
}

/* A text that may stand in a row: bounded, UTF-8. */
static bool good_text(struct slice s)
{
	return s.n <= MAX_TEXT && (!s.n || !memchr(s.p, 0, s.n)) && slice_is_utf8(s);
}

static struct slice first_bytes(struct slice s, size_t n)
{
	return (struct slice){s.p, s.n < n ? s.n : n};
}

static glane_rc bad(struct diag *d, const char *what)
{
	return fail(d, GLANE_E_FORMAT, "the worker sent %s", what);
}

/* The scheduler holds the tables of every source that runs: their texts are counted. */
static glane_rc take_texts(struct intake *in, const struct slice *texts, size_t n, struct diag *d)
{
	in->text_bytes += 64;
	for (size_t i = 0; i < n; i++)
		in->text_bytes += texts[i].n;
	if (in->text_bytes > in->max_text_bytes)
		return fail(d, GLANE_E_LIMIT,
			"series, notes, periods, covers and cursors of more than %llu MiB: split the source",
			(unsigned long long)(in->max_text_bytes >> 20));
	return GLANE_OK;
}

glane_rc intake_payload(struct intake *in, struct slice sha256, struct diag *d)
{
	const uint64_t *at;
	uint32_t index;
	glane_rc rc;

	if (!is_sha256_hex(sha256))
		return bad(d, "a payload without a hash");
	at = map_find(&in->payloads, sha256);
	if (at) {
		in->payload = (uint32_t)*at;
		return GLANE_OK;
	}
	if (in->batch->n_payloads >= UINT16_MAX)
		return fail(d, GLANE_E_LIMIT, "more than %d payloads in one run of a source", UINT16_MAX);
	rc = batch_payload(in->batch, sha256, &index, d);
	if (rc == GLANE_OK && !map_put(&in->payloads, in->batch->payloads[index], index + 1, NULL, NULL))
		rc = fail(d, GLANE_E_NOMEM, "no memory for the list of payloads");
	if (rc == GLANE_OK)
		in->payload = index + 1;
	return rc;
}

glane_rc intake_series(struct intake *in, struct series *s, struct diag *d)
{
	const struct slice texts[] = {s->dataset, s->indicator, s->area_code, s->area_scheme, s->dims, s->unit,
		s->title, s->area_title, s->updated};
	struct strbuf area;
	bool known = true;
	uint32_t index;
	glane_rc rc;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!good_text(texts[i]))
			return bad(d, "a series with a text that is too long or no UTF-8");
	rc = take_texts(in, texts, sizeof(texts) / sizeof(texts[0]), d);
	if (rc != GLANE_OK)
		return rc;
	if (!period_freq_ok(s->freq) || s->unit_mult < -30 || s->unit_mult > 30 || !dims_ok(s->dims))
		return bad(d, "a series with a frequency, multiplier or dimensions that cannot be");
	strbuf_init(&area, (size_t)MAX_TEXT * 4);
	if (s->area_code.n)
		areas_map(in->areas, s->area_scheme, s->area_code, &area, &known);
	if (!known)
		doubt_add(&in->unknown_areas, s->area_code);
	s->area = strbuf_get(&area);
	rc = strbuf_ok(&area) ? batch_series(in->batch, s, &index, d)
			      : fail(d, GLANE_E_NOMEM, "no memory for a series");
	strbuf_release(&area);
	if (rc == GLANE_OK)
		in->series_at[in->n_series++ % RING] = index;
	return rc;
}

glane_rc intake_note(struct intake *in, const struct note *n, struct diag *d)
{
	uint32_t index;
	glane_rc rc;

	if (!good_text(n->value_text) || !good_text(n->flags) || !good_text(n->note) || n->unit_mult < -30 ||
		n->unit_mult > 30)
		return bad(d, "a note with a text that is too long or no UTF-8");
	rc = take_texts(in, (const struct slice[]){n->value_text, n->flags, n->note}, 3, d);
	if (rc == GLANE_OK)
		rc = batch_note(in->batch, n, &index, d);
	if (rc == GLANE_OK)
		in->note_at[in->n_notes++ % RING] = index;
	return rc;
}

glane_rc intake_period(struct intake *in, struct slice text, struct diag *d)
{
	uint32_t index;
	int64_t day;
	glane_rc rc;

	if (!good_text(text) || text.n == 0 || text.n > 128 || !period_text_start(text, &day))
		return bad(d, "a period that is none");
	rc = take_texts(in, &text, 1, d);
	if (rc == GLANE_OK)
		rc = batch_period(in->batch, text, &index, d);
	if (rc == GLANE_OK)
		in->period_at[in->n_periods++ % RING] = index;
	return rc;
}

static void doubt_text(struct intake *in, const struct note *n)
{
	for (size_t i = 0; i < n->value_text.n && !n->remove; i++)
		if (n->value_text.p[i] >= '0' && n->value_text.p[i] <= '9') {
			doubt_add(&in->text_values, n->value_text);
			return;
		}
}

/* What the worker's handles stand for, or what is wrong with the observation. */
static const char *check_obs(const struct intake *in, const struct glane_obs *o, struct batch_obs *ret)
{
	const struct batch *b = in->batch;
	char freq;

	if (!batch_is_recent(o->series, in->n_series))
		return "an observation of a series that was not defined";
	ret->series = in->series_at[(o->series - 1) % RING];
	freq = b->series[ret->series].freq;
	ret->period = o->period;
	if (o->period < 0) {
		const uint64_t handle = (uint64_t)(-(int64_t)o->period);

		if (freq != 'I' || !batch_is_recent(handle, in->n_periods))
			return "an observation of a period that cannot be";
		ret->period = -1 - (int32_t)in->period_at[(handle - 1) % RING];
	} else if (freq == 'I' || o->period < period_min(freq) || o->period > period_max(freq)) {
		return "an observation of a period that cannot be";
	}
	if (o->note && !batch_is_recent(o->note, in->n_notes))
		return "an observation with a note that was not defined";
	ret->note = o->note ? in->note_at[(o->note - 1) % RING] + 1 : 0;
	if (!status_ok(o->status) || o->flags & ~GLANE_OBS_LAST)
		return "an observation with a status that does not exist";
	if (o->coef >= MAX_COEF || o->coef <= -MAX_COEF)
		return "a number of more than 18 digits";
	if (o->exp10 == DECIMAL_NONE && o->coef != 0)
		return "digits where there is no number";
	if (in->payload == 0)
		return "an observation without a payload";
	ret->coef = o->coef;
	ret->exp10 = o->exp10;
	ret->status = o->status;
	ret->payload = (uint16_t)in->payload;
	return NULL;
}

glane_rc intake_obs(struct intake *in, const struct glane_obs *obs, size_t n, struct diag *d)
{
	struct batch_obs checked[256];
	glane_rc rc = GLANE_OK;

	while (n > 0 && rc == GLANE_OK) {
		const size_t m = n < 256 ? n : 256;

		if (in->rows + m > in->max_rows)
			return fail(d, GLANE_E_LIMIT, "more than %llu rows: split the source",
				(unsigned long long)in->max_rows);
		for (size_t i = 0; i < m; i++) {
			const char *wrong = check_obs(in, &obs[i], &checked[i]);

			if (wrong)
				return bad(d, wrong);
			if (checked[i].exp10 == DECIMAL_NONE && checked[i].note)
				doubt_text(in, &in->batch->notes[checked[i].note - 1]);
			in->part += (obs[i].flags & GLANE_OBS_LAST) != 0;
			checked[i].part = in->part;
			checked[i].seq = (uint32_t)(in->rows + i);
		}
		rc = in->on_obs ? in->on_obs(in->arg, checked, m, d) : batch_push(in->batch, checked, m, d);
		in->rows += m;
		obs += m;
		n -= m;
	}
	return rc;
}

glane_rc intake_cover(struct intake *in, const struct cover *c, struct diag *d)
{
	struct cover copy = *c;
	struct strbuf reason;
	glane_rc rc;

	if (c->kind > GLANE_COVER_FAILED || !c->dataset.p || !good_text(c->dataset) || !good_text(c->indicator) ||
		!good_text(c->reason) || in->batch->n_covers >= MAX_COVERS)
		return bad(d, "a cover that cannot be");
	if (c->kind == GLANE_COVER_RANGE ? c->from > c->to || c->from < period_start('D', period_min('D')) ||
						   c->to > period_start('D', period_max('D'))
					 : c->from || c->to)
		return bad(d, "a cover of days that cannot be");
	rc = take_texts(in, (const struct slice[]){c->dataset, c->indicator, c->reason}, 3, d);
	if (rc != GLANE_OK)
		return rc;
	strbuf_init(&reason, 0);
	strbuf_visible(&reason, first_bytes(c->reason, MAX_REASON)); /* a message, as it may stand on a terminal */
	copy.reason = strbuf_get(&reason);
	rc = strbuf_ok(&reason) ? batch_cover(in->batch, &copy, d) : fail(d, GLANE_E_NOMEM, "no memory for a cover");
	strbuf_release(&reason);
	return rc;
}

glane_rc intake_erase(struct intake *in, const struct erase *e, struct diag *d)
{
	const struct slice texts[] = {e->dataset, e->indicator, e->area_code, e->dims, e->period};
	const unsigned attributes = 1u << ERASE_STATUS | 1u << ERASE_FLAGS | 1u << ERASE_NOTE;
	int64_t day;
	glane_rc rc;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!good_text(texts[i]))
			return bad(d, "a deletion with a text that is too long or no UTF-8");
	if (!e->dataset.n || !dims_ok(e->dims) || (e->freq && !period_freq_ok(e->freq)) ||
		(e->period.n && (e->period.n > 128 || !period_text_start(e->period, &day))) ||
		(e->what != 1u << ERASE_ROW && (!(e->what & attributes) || e->what & ~attributes)))
		return bad(d, "a deletion that cannot be");
	if (in->payload == 0)
		return bad(d, "a deletion without a payload");
	rc = take_texts(in, texts, sizeof(texts) / sizeof(texts[0]), d);
	in->erased++;
	return rc == GLANE_OK ? erases_add(&in->batch->erases, e, in->batch->n_obs, (uint16_t)in->payload, d) : rc;
}

glane_rc intake_cursor(struct intake *in, struct slice key, struct slice value, struct diag *d)
{
	const uint64_t *at;
	struct slice k, v;
	glane_rc rc;

	if (!conf_is_key(key) || !good_text(value) || in->n_cursors >= MAX_CURSORS)
		return bad(d, "a cursor that cannot be");
	rc = take_texts(in, (const struct slice[]){key, value}, 2, d);
	if (rc != GLANE_OK)
		return rc;
	if (!arena_dup(&in->arena, value, &v))
		return fail(d, GLANE_E_NOMEM, "no memory for a cursor");
	at = map_find(&in->cursor_at, key);
	if (at) {
		in->cursors[*at].v = (glane_str){v.p, v.n};
		return GLANE_OK;
	}
	if (!mem_grow(&in->cursors, &in->cap_cursors, in->n_cursors + 1, sizeof(*in->cursors)) ||
		!arena_dup(&in->arena, key, &k) || !map_put(&in->cursor_at, k, in->n_cursors, NULL, NULL))
		return fail(d, GLANE_E_NOMEM, "no memory for a cursor");
	in->cursors[in->n_cursors++] = (struct glane_kv){k.p, {v.p, v.n}};
	return GLANE_OK;
}

/* Text as it may stand in a report: control bytes and malformed UTF-8 made visible. */
static char *visible(struct intake *in, struct slice s)
{
	struct strbuf b;
	char *copy;

	strbuf_init(&b, 1 << 20);
	strbuf_visible(&b, s);
	copy = strbuf_ok(&b) ? arena_strndup(&in->arena, b.p ? b.p : "", b.n) : NULL;
	strbuf_release(&b);
	return copy;
}

glane_rc intake_reject(struct intake *in, const struct host_reject *q, struct diag *d)
{
	struct intake_reject *r;

	in->rejected++;
	if (in->n_rejects >= INTAKE_REJECTS)
		return GLANE_OK;
	if (!mem_grow(&in->rejects, &in->cap_rejects, in->n_rejects + 1, sizeof(*in->rejects)))
		return fail(d, GLANE_E_NOMEM, "no memory for the quarantine");
	r = &in->rejects[in->n_rejects];
	memset(r, 0, sizeof(*r));
	r->rule = visible(in, first_bytes(slice_of(q->rule), 64));
	r->reason = visible(in, first_bytes(q->reason, 1024));
	r->record = visible(in, first_bytes(q->record, 4096));
	if (!r->rule || !r->reason || !r->record)
		return fail(d, GLANE_E_NOMEM, "no memory for the quarantine");
	r->number = q->number;
	r->line = q->line;
	r->offset = q->offset;
	r->by_plugin = q->by_plugin;
	if (in->payload)
		memcpy(r->sha256, in->batch->payloads[in->payload - 1].p, 64);
	in->n_rejects++;
	return GLANE_OK;
}

/* ---- frames ---- */

/* A multiplier; one that does not fit becomes one that the checks refuse. */
static int32_t frame_mult(struct frame *f)
{
	const int64_t mult = frame_i64(f);

	return mult < -30 || mult > 30 ? INT32_MAX : (int32_t)mult;
}

/* A byte that is a yes or a no. */
static bool frame_flag(struct frame *f)
{
	const uint8_t v = frame_u8(f);

	f->bad |= v > 1;
	return v == 1;
}

static glane_rc frame_series(struct intake *in, struct frame *f, struct diag *d)
{
	struct series s;
	struct slice *const texts[] = {&s.dataset, &s.indicator, &s.area_code, &s.area_scheme, &s.dims, &s.unit,
		&s.title, &s.area_title, &s.updated};

	memset(&s, 0, sizeof(s));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = frame_text(f);
	s.freq = (char)frame_u8(f);
	s.unit_mult = frame_mult(f);
	return frame_done(f) ? intake_series(in, &s, d) : bad(d, "a series that does not read");
}

static glane_rc frame_note(struct intake *in, struct frame *f, struct diag *d)
{
	struct note n;

	memset(&n, 0, sizeof(n));
	n.value_text = frame_text(f);
	n.flags = frame_text(f);
	n.note = frame_text(f);
	n.has_unit_mult = frame_flag(f);
	n.remove = frame_flag(f);
	n.unit_mult = frame_mult(f);
	return frame_done(f) ? intake_note(in, &n, d) : bad(d, "a note that does not read");
}

/* Frames are not aligned in the buffer: observations are copied out before they are looked at. */
static glane_rc frame_obs(struct intake *in, const struct frame *f, struct diag *d)
{
	struct glane_obs obs[256];
	size_t left = f->rest.n / sizeof(obs[0]);
	const char *at = f->rest.p;
	glane_rc rc = GLANE_OK;

	if (f->rest.n % sizeof(obs[0]) != 0)
		return bad(d, "observations that do not read");
	while (left > 0 && rc == GLANE_OK) {
		const size_t m = left < 256 ? left : 256;

		memcpy(obs, at, m * sizeof(obs[0]));
		rc = intake_obs(in, obs, m, d);
		at += m * sizeof(obs[0]);
		left -= m;
	}
	return rc;
}

static glane_rc frame_cover(struct intake *in, struct frame *f, struct diag *d)
{
	struct cover c;

	memset(&c, 0, sizeof(c));
	c.kind = frame_u32(f);
	c.dataset = frame_text(f);
	c.indicator = frame_text(f);
	c.from = frame_i64(f);
	c.to = frame_i64(f);
	c.reason = frame_text(f);
	return frame_done(f) ? intake_cover(in, &c, d) : bad(d, "a cover that does not read");
}

static glane_rc frame_erase(struct intake *in, struct frame *f, struct diag *d)
{
	struct erase e;

	memset(&e, 0, sizeof(e));
	e.dataset = frame_text(f);
	e.indicator = frame_text(f);
	e.area_code = frame_text(f);
	e.dims = frame_text(f);
	e.period = frame_text(f);
	e.freq = (char)frame_u8(f);
	e.what = frame_u8(f);
	return frame_done(f) ? intake_erase(in, &e, d) : bad(d, "a deletion that does not read");
}

static glane_rc frame_reject(struct intake *in, struct frame *f, struct diag *d)
{
	char rule[64];
	struct host_reject q = {.rule = rule};
	const struct slice name = frame_text(f);
	const size_t n = name.n < sizeof(rule) - 1 ? name.n : sizeof(rule) - 1;

	memcpy(rule, name.p ? name.p : "", name.p ? n : 0);
	rule[name.p ? n : 0] = 0;
	q.reason = frame_text(f);
	q.record = frame_text(f);
	q.number = frame_u64(f);
	q.line = frame_u64(f);
	q.offset = frame_u64(f);
	q.by_plugin = frame_flag(f);
	return frame_done(f) ? intake_reject(in, &q, d) : bad(d, "a rejected record that does not read");
}

static glane_rc frame_end(struct intake *in, struct frame *f, struct diag *d)
{
	const int64_t rc = frame_i64(f);
	const struct slice message = frame_text(f);

	in->counts.rows = frame_u64(f);
	in->counts.rejected = frame_u64(f);
	in->counts.padding = frame_u64(f);
	in->counts.bytes = frame_u64(f);
	if (!frame_done(f) || rc > 0 || rc < -1000 || in->ended)
		return bad(d, "an end that does not read");
	if (rc == 0 && in->counts.rows != in->rows)
		return bad(d, "an end whose number of rows is not the number that came");
	in->ended = true;
	in->end_rc = (glane_rc)rc;
	in->end_message = visible(in, first_bytes(message, 2048));
	return in->end_message ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for the worker's message");
}

void intake_log(struct intake *in, int level, struct slice text)
{
	struct strbuf clean; /* not in the arena: there is no end to log lines */

	if (!in->on_log)
		return;
	if (level >= GLANE_LOG_WARN && ++in->warnings > MAX_WARNINGS)
		level = GLANE_LOG_INFO;
	strbuf_init(&clean, 8192);
	strbuf_visible(&clean, first_bytes(text, 1024));
	if (strbuf_ok(&clean))
		in->on_log(in->arg, level, strbuf_get(&clean));
	strbuf_release(&clean);
}

static glane_rc frame_small(struct intake *in, struct frame *f, struct diag *d)
{
	struct slice a, b;
	uint8_t level;

	switch (f->type) {
	case W_PAYLOAD:
		a = frame_text(f);
		return frame_done(f) ? intake_payload(in, a, d) : bad(d, "a payload that does not read");
	case W_PERIOD:
		a = frame_text(f);
		return frame_done(f) ? intake_period(in, a, d) : bad(d, "a period that does not read");
	case W_CURSOR:
		a = frame_text(f);
		b = frame_text(f);
		return frame_done(f) ? intake_cursor(in, a, b, d) : bad(d, "a cursor that does not read");
	case W_LOG:
		level = frame_u8(f);
		a = frame_text(f);
		if (!frame_done(f))
			return bad(d, "a log line that does not read");
		intake_log(in, level, a);
		return GLANE_OK;
	case W_PROGRESS:
		in->progress_rows = frame_u64(f);
		in->progress_bytes = frame_u64(f);
		a = frame_text(f);
		if (!frame_done(f) || (a.n && !is_sha256_hex(a)))
			return bad(d, "progress that does not read");
		(void)snprintf(in->taken, sizeof(in->taken), "%.*s", SLICE_FMT(a));
		return GLANE_OK;
	case W_PAGES:
		in->counts.turned = frame_u64(f);
		in->counts.moved = frame_u64(f);
		return frame_done(f) ? GLANE_OK : bad(d, "a number of pages that does not read");
	default:
		return fail(d, GLANE_E_FORMAT, "the worker sent a message of an unknown type (%u)", f->type);
	}
}

glane_rc intake_frame(struct intake *in, struct frame *f, struct diag *d)
{
	if (in->ended)
		return bad(d, "something after its end");
	switch (f->type) {
	case W_OBS:
		return frame_obs(in, f, d);
	case W_SERIES:
		return frame_series(in, f, d);
	case W_NOTE:
		return frame_note(in, f, d);
	case W_COVER:
		return frame_cover(in, f, d);
	case W_ERASE:
		return frame_erase(in, f, d);
	case W_REJECT:
		return frame_reject(in, f, d);
	case W_END:
		return frame_end(in, f, d);
	default:
		return frame_small(in, f, d);
	}
}
