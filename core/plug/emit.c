/* SPDX-License-Identifier: MIT */
/* Services that take observations: series, periods, numbers, annotations, batches, cover, quarantine. */
#include "plug/run.h"

#include "model/decimal.h"
#include "model/dims.h"
#include "model/period.h"
#include "model/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_COEF INT64_C(1000000000000000000)

static const char freq_letters[N_FREQ + 1] = "ASTQMWDBI";

static int freq_index(char freq)
{
	const char *at = freq ? strchr(freq_letters, freq) : NULL;

	return at ? (int)(at - freq_letters) : -1;
}

static glane_rc no_memory(struct glane_run *r, const char *what)
{
	diag_clear(&r->diag);
	fail(&r->diag, GLANE_E_NOMEM, "no memory for the %s of this source (its `memory` can be raised)", what);
	return run_lost(r, GLANE_E_NOMEM);
}

/* ---- series ---- */

static void key_text(struct strbuf *b, struct slice s)
{
	const uint32_t n = s.p ? (uint32_t)s.n : UINT32_MAX;

	strbuf_add(b, &n, sizeof(n));
	strbuf_slice(b, s);
}

static glane_rc series_key(struct glane_run *r, const struct glane_series *s)
{
	const glane_str texts[] = {
		s->dataset, s->indicator, s->area, s->area_scheme, s->unit, s->title, s->area_title, s->updated};
	glane_rc rc;

	strbuf_reset(&r->text);
	diag_clear(&r->diag);
	rc = dims_print(&r->text, s->dims, s->n_dims, &r->diag);
	if (rc != GLANE_OK)
		return rc;
	strbuf_reset(&r->key);
	strbuf_putc(&r->key, s->freq ? s->freq : '?');
	strbuf_add(&r->key, &s->unit_mult, sizeof(s->unit_mult));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		key_text(&r->key, slice_from(texts[i]));
	key_text(&r->key, strbuf_get(&r->text));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!text_ok(slice_from(texts[i])))
			return fail(&r->diag, GLANE_E_DATA, "a text of a series is longer than 64 KiB or no UTF-8");
	if (!strbuf_ok(&r->key) || !strbuf_ok(&r->text) || !text_ok(strbuf_get(&r->text)))
		return fail(&r->diag, GLANE_E_LIMIT, "the dimensions of a series are longer than 64 KiB or no UTF-8");
	return GLANE_OK;
}

static bool series_copy(struct glane_run *r, const struct glane_series *s, struct series *def)
{
	struct arena *a = &r->window;

	memset(def, 0, sizeof(*def));
	def->freq = s->freq;
	def->unit_mult = s->unit_mult;
	return arena_dup(a, slice_from(s->dataset), &def->dataset) &&
	       arena_dup(a, slice_from(s->indicator), &def->indicator) &&
	       arena_dup(a, slice_from(s->area), &def->area_code) &&
	       arena_dup(a, slice_from(s->area_scheme), &def->area_scheme) &&
	       arena_dup(a, slice_from(s->unit), &def->unit) && arena_dup(a, slice_from(s->title), &def->title) &&
	       arena_dup(a, slice_from(s->area_title), &def->area_title) &&
	       arena_dup(a, slice_from(s->updated), &def->updated) && arena_dup(a, strbuf_get(&r->text), &def->dims);
}

static void window_restart(struct glane_run *r)
{
	map_release(&r->series_map);
	arena_release(&r->window);
	arena_init(&r->window, 0);
	map_init(&r->series_map, &r->window);
	r->series_base += r->n_series;
	r->n_series = 0;
}

static glane_rc host_series(glane_run *r, const struct glane_series *given, uint32_t *ret)
{
	struct glane_series s;
	uint64_t *slot;
	bool is_new;
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	if (!struct_take(&s, sizeof(s), given, offsetof(struct glane_series, updated)) || !ret)
		return run_usage(r, "series() without a struct glane_series that holds its size, or without a handle");
	if (s.reserved[0] || s.reserved[1] || s.reserved[2])
		return run_usage(r, "a series with bits that have no meaning");
	if (s.freq && (freq_index(s.freq) < 0 || s.freq == 'I'))
		return run_usage(r, "a series' freq is none of A S T Q M W D B");
	rc = series_key(r, &s);
	if (rc != GLANE_OK)
		return rc;
	if (r->n_series == SERIES_WINDOW && !map_find(&r->series_map, strbuf_get(&r->key)))
		window_restart(r);
	if (!map_put(&r->series_map, strbuf_get(&r->key), r->n_series, &slot, &is_new))
		return no_memory(r, "series");
	if (is_new) {
		if (!series_copy(r, &s, &r->series[r->n_series].def))
			return no_memory(r, "series");
		memset(r->series[r->n_series].wire, 0, sizeof(r->series[0].wire));
		r->n_series++;
	}
	*ret = r->series_base + (uint32_t)*slot + 1;
	return GLANE_OK;
}

static struct run_series *series_of(struct glane_run *r, uint32_t handle)
{
	if (handle <= r->series_base || handle > r->series_base + r->n_series)
		return NULL;
	return &r->series[handle - r->series_base - 1];
}

/* The other side's handle of a series under one frequency; it is told about it at its first observation. */
static glane_rc series_wire(struct glane_run *r, struct run_series *s, char freq, uint32_t *ret)
{
	const int i = freq_index(freq);
	struct series def = s->def;
	glane_rc rc;

	if (!r->payload[0])
		return run_usage(r, "an observation before anything was read: it would come from nowhere");
	if (i < 0)
		return run_usage(r, "an observation of a frequency that does not exist");
	if (!s->wire[i]) {
		def.freq = freq;
		rc = run_lost(r, r->seams->series(r->seams->arg, &def));
		if (rc != GLANE_OK)
			return rc;
		s->wire[i] = ++r->n_wire_series;
	}
	*ret = s->wire[i];
	return GLANE_OK;
}

/* ---- periods, numbers, notes ---- */

static glane_rc period_table(struct glane_run *r, struct slice text, int32_t *ret)
{
	uint64_t *slot;
	bool is_new;

	if (!map_put(&r->period_map, text, r->n_periods, &slot, &is_new))
		return no_memory(r, "periods");
	if (is_new) {
		glane_rc rc = run_lost(r, r->seams->period(r->seams->arg, text));

		if (rc != GLANE_OK)
			return rc;
		r->n_periods++;
	}
	*ret = -1 - (int32_t)*slot;
	return GLANE_OK;
}

/* Parses a period text, by the cache where it is short. GLANE_E_DATA: it is none (message in r->diag). */
static glane_rc period_of(struct glane_run *r, char want, struct slice text, char *ret_freq, int32_t *ret)
{
	struct period_slot *slot = NULL;
	struct period p;
	glane_rc rc;

	if (text.n > 0 && text.n <= sizeof(slot->text)) {
		const unsigned char last = (unsigned char)text.p[text.n - 1], mid = (unsigned char)text.p[text.n / 2];

		slot = &r->slots[(last + 7u * mid + 13u * (unsigned char)text.p[text.n > 3 ? 3 : 0]) % 64];
		if (slot->n == text.n && slot->want == want && memcmp(slot->text, text.p, text.n) == 0) {
			*ret_freq = slot->freq;
			*ret = slot->value;
			return GLANE_OK;
		}
	}
	diag_clear(&r->diag);
	rc = period_parse(text, want, &p, &r->diag);
	if (rc != GLANE_OK)
		return rc;
	if (p.freq == 'I') {
		rc = period_table(r, text, &p.value);
		if (rc != GLANE_OK)
			return rc == GLANE_E_DATA ? GLANE_E_FORMAT : rc;
	}
	if (slot) {
		memcpy(slot->text, text.p, text.n);
		slot->n = (uint8_t)text.n;
		slot->want = want;
		slot->freq = p.freq;
		slot->value = p.value;
	}
	*ret_freq = p.freq;
	*ret = p.value;
	return GLANE_OK;
}

static glane_rc host_period(glane_run *r, char freq, glane_str text, char *ret_freq, int32_t *ret)
{
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	if (!ret_freq || !ret || (freq && (freq_index(freq) < 0 || freq == 'I')))
		return run_usage(
			r, "period() with a freq that is none of A S T Q M W D B, or nowhere to put the result");
	return period_of(r, freq, slice_from(text), ret_freq, ret);
}

static bool note_empty(const struct note *n)
{
	return !n->value_text.n && !n->flags.n && !n->note.n && !n->has_unit_mult && !n->remove;
}

static glane_rc note_handle(struct glane_run *r, const struct note *n, uint32_t *ret)
{
	uint64_t *slot;
	bool is_new;

	*ret = 0;
	if (note_empty(n))
		return GLANE_OK;
	strbuf_reset(&r->key);
	strbuf_putc(&r->key, (char)(n->remove | n->has_unit_mult << 1));
	strbuf_add(&r->key, &n->unit_mult, sizeof(n->unit_mult));
	key_text(&r->key, n->value_text);
	key_text(&r->key, n->flags);
	key_text(&r->key, n->note);
	if (!strbuf_ok(&r->key) || !text_ok(n->value_text) || !text_ok(n->flags) || !text_ok(n->note)) {
		diag_clear(&r->diag);
		return fail(&r->diag, GLANE_E_DATA, "a text of an observation is longer than 64 KiB or no UTF-8");
	}
	if (!map_put(&r->note_map, strbuf_get(&r->key), r->n_notes, &slot, &is_new))
		return no_memory(r, "notes");
	if (is_new) {
		glane_rc rc = run_lost(r, r->seams->note(r->seams->arg, n));

		if (rc != GLANE_OK)
			return rc;
		r->n_notes++;
	}
	*ret = (uint32_t)*slot + 1;
	return GLANE_OK;
}

static glane_rc host_annotate(glane_run *r, const struct glane_annotation *given, uint32_t *ret)
{
	struct glane_annotation a;
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	if (!struct_take(&a, sizeof(a), given, offsetof(struct glane_annotation, unit_mult)) || !ret)
		return run_usage(r, "annotate() without a struct glane_annotation that holds its size, or a handle");
	if (a.zero != 0 || a.zero2 != 0 || a.unit_mult < -30 || a.unit_mult > 30)
		return run_usage(r, "annotate() with a unit_mult beyond 10^30, or bits that have no meaning");
	diag_clear(&r->diag);
	return note_handle(r,
		&(struct note){slice_from(a.value_text), slice_from(a.flags), slice_from(a.note), a.unit_mult,
			a.has_unit_mult != 0, a.remove != 0},
		ret);
}

/* Puts '.' and no grouping into *text, where the current payload's dialect writes numbers otherwise. False: no number there. */
static bool plain_number(struct glane_run *r, struct slice *text)
{
	struct glane_reader *rd = r->current;
	const struct glane_csv *csv = rd ? rd->req.csv : NULL;
	const char mark = csv && csv->decimal ? csv->decimal : '.';

	if (!csv || text->n == 0 || (mark == '.' && !csv->group))
		return true;
	strbuf_reset(&r->number);
	if (!decimal_localise(*text, mark, csv->group, &r->number) || !strbuf_ok(&r->number))
		return false;
	*text = strbuf_get(&r->number);
	return true;
}

/* Number or text of a value: fills coef and exp10, and sets *ret_text where the text has to be kept. */
static glane_rc value_of(struct glane_run *r, struct slice text, struct glane_obs *o, struct slice *ret_text)
{
	struct decimal v;

	o->coef = 0;
	o->exp10 = DECIMAL_NONE;
	*ret_text = (struct slice){NULL, 0};
	if (!plain_number(r, &text)) {
		*ret_text = text;
		return GLANE_OK;
	}
	if (text.n == 0)
		return GLANE_OK;
	switch (decimal_parse(text, &v)) {
	case DECIMAL_OK:
		o->coef = v.coef;
		o->exp10 = (int8_t)v.exp10;
		if (!v.canonical)
			*ret_text = text;
		return GLANE_OK;
	case DECIMAL_LONG: /* the text is the value; the first digits stand for it in the observation */
		o->coef = v.coef;
		o->exp10 = (int8_t)v.exp10;
		*ret_text = text;
		return GLANE_OK;
	case DECIMAL_TEXT:
		*ret_text = text;
		return GLANE_OK;
	case DECIMAL_RANGE:
		break;
	}
	diag_clear(&r->diag);
	return fail(&r->diag, GLANE_E_DATA, "value '%.*s' is beyond what a number can be (1e-308 to 1e308)",
		(int)(text.n < 64 ? text.n : 64), text.p);
}

static glane_rc host_number(glane_run *r, glane_str text, struct glane_obs *o)
{
	struct note n = {0};
	glane_rc rc = run_check(r);

	if (rc == GLANE_OK && !o)
		return run_usage(r, "number() with nowhere to put the result");
	if (rc == GLANE_OK)
		rc = value_of(r, slice_from(text), o, &n.value_text);
	if (rc == GLANE_OK && n.value_text.n)
		rc = note_handle(r, &n, &o->note);
	return rc;
}

/* ---- rows ---- */

static glane_rc push_one(struct glane_run *r, const struct glane_obs *o)
{
	r->obs[r->n_obs++] = *o;
	r->counts.rows++;
	if (r->job->limit && r->counts.rows >= r->job->limit)
		r->limited = true;
	return r->n_obs == OBS_BATCH ? run_flush(r) : GLANE_OK;
}

static glane_rc quarantine(struct glane_run *r, const char *rule, struct slice reason)
{
	struct host_reject q = {.rule = rule, .reason = reason};

	if (r->current && r->current->records) {
		record_where(r->current->records, &q.number, &q.line, &q.offset);
		q.record = record_text(r->current->records, 4096);
	}
	r->counts.rejected++;
	return run_lost(r, r->seams->reject(r->seams->arg, &q));
}

/* A row whose period or value cannot be: its reason stands in r->diag. */
static glane_rc reject_row(struct glane_run *r, const char *rule)
{
	const struct diag why = r->diag;

	diag_clear(&r->diag);
	return quarantine(r, rule, slice_of(why.text));
}

/* A provider's word that is no code of CL_OBS_STATUS goes to the flags, whole. */
static void status_of(struct glane_run *r, struct slice status, struct slice flags, char *ret, struct slice *ret_flags)
{
	*ret = status_code(status, false);
	*ret_flags = flags;
	if (*ret || status.n == 0)
		return;
	*ret_flags = status;
	if (flags.n == 0)
		return;
	strbuf_reset(&r->text2);
	strbuf_slice(&r->text2, status);
	strbuf_puts(&r->text2, "; ");
	strbuf_slice(&r->text2, flags);
	if (strbuf_ok(&r->text2))
		*ret_flags = strbuf_get(&r->text2);
}

static bool says_nothing(const struct glane_obs *o, const struct note *n)
{
	return o->exp10 == DECIMAL_NONE && !o->status && note_empty(n);
}

static glane_rc row_mult(struct slice text, struct note *n, struct diag *d)
{
	int64_t mult;

	if (text.n == 0)
		return GLANE_OK;
	if (!slice_int(slice_trim(text), -30, 30, &mult))
		return fail(d, GLANE_E_DATA, "unit multiplier '%.*s' is no power of ten between -30 and 30",
			(int)(text.n < 32 ? text.n : 32), text.p);
	n->unit_mult = (int32_t)mult;
	n->has_unit_mult = true;
	return GLANE_OK;
}

static glane_rc emit_row(struct glane_run *r, const struct glane_row *row, struct run_series *s)
{
	struct glane_obs o = {0};
	struct note n = {.note = slice_from(row->note)};
	char freq;
	glane_rc rc = value_of(r, slice_from(row->value), &o, &n.value_text);

	if (rc != GLANE_OK)
		return reject_row(r, "value");
	status_of(r, slice_from(row->status), slice_from(row->flags), &o.status, &n.flags);
	diag_clear(&r->diag);
	if (row_mult(slice_from(row->unit_mult), &n, &r->diag) != GLANE_OK)
		return reject_row(r, "unit_mult");
	if (says_nothing(&o, &n) && !r->job->keep_empty) {
		r->counts.padding++;
		return GLANE_OK;
	}
	rc = period_of(r, s->def.freq, slice_from(row->period), &freq, &o.period);
	if (rc == GLANE_E_DATA)
		return reject_row(r, "period");
	if (rc != GLANE_OK)
		return rc;
	if (!o.status)
		o.status = o.exp10 != DECIMAL_NONE || n.value_text.n ? 'A' : 'O';
	rc = note_handle(r, &n, &o.note);
	if (rc == GLANE_E_DATA)
		return reject_row(r, "text");
	if (rc == GLANE_OK)
		rc = series_wire(r, s, freq, &o.series);
	return rc == GLANE_OK ? push_one(r, &o) : rc;
}

static glane_rc host_emit(glane_run *r, const struct glane_row *given)
{
	struct glane_row row;
	struct run_series *s;
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	if (!struct_take(&row, sizeof(row), given, offsetof(struct glane_row, status)))
		return run_usage(r, "emit() without a struct glane_row that holds its size");
	s = series_of(r, row.series);
	if (!s)
		return run_usage(r, "emit() with a series handle that is not (or no longer) valid");
	return emit_row(r, &row, s);
}

static glane_rc push_checked(struct glane_run *r, struct glane_obs o)
{
	struct run_series *s = series_of(r, o.series);
	const char freq = !s ? 0 : o.period < 0 ? 'I' : s->def.freq;
	glane_rc rc;

	if (!s || !freq)
		return run_usage(r, "push() with a series handle that is not valid, or of a series without freq");
	if (o.zero != 0 || o.note > r->n_notes || (o.status && !status_ok(o.status)))
		return run_usage(r, "push() with a note or status that does not exist");
	if (o.exp10 == DECIMAL_NONE ? o.coef != 0 : o.coef >= MAX_COEF || o.coef <= -MAX_COEF)
		return run_usage(r, "push() with a number of more than 18 digits, or digits where there is no number");
	if (o.period < 0 ? (uint32_t)(-1 - o.period) >= r->n_periods
			 : o.period < period_min(freq) || o.period > period_max(freq))
		return run_usage(r, "push() with a period out of range");
	if (!o.status)
		o.status = o.exp10 != DECIMAL_NONE ? 'A' : 'O';
	rc = series_wire(r, s, freq, &o.series);
	return rc == GLANE_OK ? push_one(r, &o) : rc;
}

static glane_rc host_push(glane_run *r, const struct glane_obs *obs, size_t n, size_t stride)
{
	const char *at = (const char *)obs;
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	if (stride < sizeof(struct glane_obs) || (!obs && n))
		return run_usage(r, "push() with a stride below 24, or without observations");
	for (size_t i = 0; rc == GLANE_OK && i < n; i++, at += stride) {
		struct glane_obs o;

		memcpy(&o, at, sizeof(o));
		rc = push_checked(r, o);
		if (rc == GLANE_OK && r->limited)
			rc = run_check(r);
	}
	return rc;
}

__attribute__((format(printf, 3, 4))) static glane_rc host_reject(glane_run *r, const char *rule, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	if (!rule || !fmt)
		return run_usage(r, "reject() without a rule or a reason");
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return quarantine(r, rule, slice_of(text));
}

static glane_rc cover_days(struct glane_run *r, glane_str text, int64_t *ret)
{
	struct period p;

	diag_clear(&r->diag);
	if (period_parse(slice_from(text), 'D', &p, &r->diag) != GLANE_OK || p.freq != 'D')
		return run_usage(r, "cover() with a range that is not written as two dates");
	*ret = period_start('D', p.value);
	return GLANE_OK;
}

static glane_rc host_cover(glane_run *r, const struct glane_cover *given)
{
	struct glane_cover c;
	struct cover cover;
	const struct diag why = r->diag;
	glane_rc rc = GLANE_OK;

	if (why.code == GLANE_E_CANCELLED || run_check(r) != GLANE_OK)
		return GLANE_E_CANCELLED;
	if (!struct_take(&c, sizeof(c), given, offsetof(struct glane_cover, from)))
		return run_usage(r, "cover() without a struct glane_cover that holds its size");
	if (c.kind > GLANE_COVER_FAILED || !c.dataset.p || !text_ok(slice_from(c.dataset)) ||
		!text_ok(slice_from(c.indicator)))
		return run_usage(r, "cover() of an unknown kind or without a dataset");
	memset(&cover, 0, sizeof(cover));
	cover.kind = c.kind;
	cover.dataset = slice_from(c.dataset);
	cover.indicator = slice_from(c.indicator);
	if (c.kind == GLANE_COVER_FAILED)
		cover.reason = slice_of(why.code != GLANE_OK ? why.text : "the plugin did not say why");
	if (c.kind == GLANE_COVER_RANGE)
		rc = cover_days(r, c.from, &cover.from);
	if (rc == GLANE_OK && c.kind == GLANE_COVER_RANGE)
		rc = cover_days(r, c.to, &cover.to);
	if (rc == GLANE_OK && cover.from > cover.to)
		rc = run_usage(r, "cover() with a range that ends before it begins");
	if (rc == GLANE_OK)
		rc = run_flush(r);
	if (rc == GLANE_OK)
		rc = run_lost(r, r->seams->cover(r->seams->arg, &cover));
	if (rc == GLANE_OK)
		diag_clear(&r->diag);
	if (rc == GLANE_OK && c.kind == GLANE_COVER_FAILED) {
		diag_clear(&r->unread);
		r->is_said = false;
	}
	return rc;
}

void emit_services(struct glane_host *h)
{
	h->series = host_series;
	h->emit = host_emit;
	h->period = host_period;
	h->number = host_number;
	h->annotate = host_annotate;
	h->push = host_push;
	h->reject = host_reject;
	h->cover = host_cover;
}
