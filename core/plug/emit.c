/* SPDX-License-Identifier: MIT */
/* Services that take observations: periods, numbers, annotations, batches, quarantine. */
#include "plug/run.h"

#include "model/decimal.h"
#include "model/period.h"
#include "model/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_COEF INT64_C(1000000000000000000)

/* ---- periods, numbers, notes ---- */

/* The handle of a key among the last; GLANE_END: it is new, and the other side has to be told. */
static glane_rc names_find(struct glane_run *r, struct run_names *t, struct slice key, uint32_t *ret)
{
	const uint64_t *known = map_find(&t->map, key);
	glane_rc rc;

	if (known) {
		*ret = (uint32_t)*known;
		return GLANE_OK;
	}
	if (t->n == INT32_MAX)
		return fail(&r->diag, GLANE_E_LIMIT, "too many texts beside the numbers of one run");
	rc = run_flush_at_turn(r, t->n);
	if (rc != GLANE_OK)
		return rc;
	if (t->n % BATCH_WINDOW == 0) {
		map_release(&t->map);
		arena_release(&t->arena);
	}
	if (!map_put(&t->map, key, t->n + 1, NULL, NULL))
		return run_no_memory(r, "texts");
	*ret = ++t->n;
	return GLANE_END;
}

static glane_rc period_table(struct glane_run *r, struct slice text, int32_t *ret)
{
	uint32_t handle;
	glane_rc rc = names_find(r, &r->periods, text, &handle);

	if (rc == GLANE_END)
		rc = run_lost(r, r->seams->period(r->seams->arg, text));
	if (rc == GLANE_OK)
		*ret = -(int32_t)handle;
	return rc;
}

#define OWN_PERIOD (WORDS_PERIOD > PERIOD_YEARS ? WORDS_PERIOD : PERIOD_YEARS)

/* `plain`: the text without words, and a span of years as a range; in `own` where it is another. */
static glane_rc period_read(struct glane_run *r, char want, struct slice text, char own[OWN_PERIOD],
	struct slice *ret_plain, struct period *ret)
{
	*ret_plain = text;
	diag_clear(&r->diag);
	if (!words_period(&r->words, text, own, ret_plain))
		(void)period_years(text, own, ret_plain);
	return period_parse(*ret_plain, want, ret, &r->diag);
}

/* Parses a period text, by the cache where it is short. GLANE_E_DATA: it is none (message in r->diag). */
static glane_rc period_of(struct glane_run *r, char want, struct slice text, char *ret_freq, int32_t *ret)
{
	struct period_slot *slot = NULL;
	char own[OWN_PERIOD];
	struct slice plain;
	struct period p;
	glane_rc rc;

	if (text.n > 0 && text.n <= sizeof(slot->text)) {
		const unsigned char last = (unsigned char)text.p[text.n - 1], mid = (unsigned char)text.p[text.n / 2];

		slot = &r->slots[(last + 7u * mid + 13u * (unsigned char)text.p[text.n > 3 ? 3 : 0]) % 64];
		if (slot->n == text.n && slot->want == want && memcmp(slot->text, text.p, text.n) == 0 &&
			(slot->value >= 0 || batch_is_recent((uint64_t) - (int64_t)slot->value, r->periods.n))) {
			*ret_freq = slot->freq;
			*ret = slot->value;
			return GLANE_OK;
		}
	}
	rc = period_read(r, want, text, own, &plain, &p);
	if (rc != GLANE_OK)
		return rc;
	if (p.freq == 'I') {
		rc = period_table(r, plain, &p.value);
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
	if (!ret_freq || !ret || (freq && !run_freq_ok(freq)))
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
	glane_rc rc;

	*ret = 0;
	if (note_empty(n))
		return GLANE_OK;
	strbuf_reset(&r->key);
	strbuf_putc(&r->key, (char)(n->remove | n->has_unit_mult << 1));
	strbuf_add(&r->key, &n->unit_mult, sizeof(n->unit_mult));
	run_key_text(&r->key, n->value_text);
	run_key_text(&r->key, n->flags);
	run_key_text(&r->key, n->note);
	if (!strbuf_ok(&r->key) || !text_ok(n->value_text) || !text_ok(n->flags) || !text_ok(n->note)) {
		diag_clear(&r->diag);
		return fail(&r->diag, GLANE_E_DATA, "a text of an observation is longer than 64 KiB or no UTF-8");
	}
	rc = names_find(r, &r->notes, strbuf_get(&r->key), ret);
	return rc == GLANE_END ? run_lost(r, r->seams->note(r->seams->arg, n)) : rc;
}

static glane_rc host_annotate(glane_run *r, const struct glane_annotation *given, uint32_t *ret)
{
	struct glane_annotation a;
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	if (!ret)
		return run_usage(r, "annotate() without a place for the handle");
	rc = run_take(r, &a, sizeof(a), given, offsetof(struct glane_annotation, unit_mult), "annotate()");
	if (rc != GLANE_OK)
		return rc;
	if (a.zero != 0 || a.zero2 != 0 || (a.remove | a.has_unit_mult) > 1 || a.unit_mult < -30 || a.unit_mult > 30)
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

#define MINUS "\xE2\x88\x92" /* U+2212, as spreadsheets and typesetters write it */

/* Puts a hyphen for the minus that *text begins with; false: it begins with none. */
static bool with_hyphen(struct glane_run *r, struct slice *text)
{
	if (!slice_has_prefix(*text, MINUS))
		return false;
	strbuf_reset(&r->minus);
	strbuf_putc(&r->minus, '-');
	strbuf_add(&r->minus, text->p + strlen(MINUS), text->n - strlen(MINUS));
	if (!strbuf_ok(&r->minus))
		return false;
	*text = strbuf_get(&r->minus);
	return true;
}

/* Number or text of a value: fills coef and exp10, and sets *ret_text where the text has to be kept. Blanks around a number are
 * none of it; text that is no number stays as it is. */
static glane_rc value_of(struct glane_run *r, struct slice given, struct glane_obs *o, struct slice *ret_text)
{
	struct slice text = slice_trim(given);
	const struct slice published = text;
	const bool is_minus = with_hyphen(r, &text);
	struct decimal v;

	o->coef = 0;
	o->exp10 = DECIMAL_NONE;
	*ret_text = (struct slice){NULL, 0};
	if (!plain_number(r, &text)) {
		*ret_text = words_missing(&r->words, given) ? *ret_text : given;
		return GLANE_OK;
	}
	if (text.n == 0)
		return GLANE_OK;
	switch (decimal_parse(text, &v)) {
	case DECIMAL_OK:
		o->coef = v.coef;
		o->exp10 = (int8_t)v.exp10;
		if (is_minus || !v.canonical)
			*ret_text = is_minus ? published : text;
		return GLANE_OK;
	case DECIMAL_LONG: /* the text is the value; the first digits stand for it in the observation */
		o->coef = v.coef;
		o->exp10 = (int8_t)v.exp10;
		*ret_text = text;
		return GLANE_OK;
	case DECIMAL_TEXT:
		*ret_text = words_missing(&r->words, given) ? *ret_text : given;
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
	r->obs[r->n_obs] = *o;
	r->obs[r->n_obs++].flags |= r->is_part_new ? GLANE_OBS_LAST : 0;
	r->is_part_new = false;
	r->counts.rows++;
	if (r->job->limit && r->counts.rows >= r->job->limit)
		r->limited = true;
	return r->n_obs == OBS_BATCH ? run_flush(r) : GLANE_OK;
}

static glane_rc quarantine(struct glane_run *r, const char *rule, struct slice reason, bool by_plugin)
{
	struct host_reject q = {.rule = rule, .reason = reason, .by_plugin = by_plugin};

	if (r->current && r->current->records) {
		record_where(r->current->records, &q.number, &q.line, &q.offset);
		q.record = record_text(r->current->records, 4096);
	}
	r->counts.rejected++;
	return run_lost(r, r->seams->reject(r->seams->arg, &q));
}

/* A row whose period or value cannot be: its reason stands in r->diag. */
static glane_rc __attribute__((noinline)) reject_row(struct glane_run *r, const char *rule)
{
	const struct diag why = r->diag;

	diag_clear(&r->diag);
	return quarantine(r, rule, slice_of(why.text), false);
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

/* The words of CL_UNIT_MULT, as the IMF's WEO and tables with labels alone write them: Billions, Thousand. */
static bool mult_of_word(struct slice text, int64_t *ret)
{
	static const struct {
		const char *word;
		uint8_t mult;
	} words[] = {{"unit", 0}, {"hundred", 2}, {"thousand", 3}, {"million", 6}, {"billion", 9}, {"trillion", 12}};

	if (text.n > 1 && (text.p[text.n - 1] | 0x20) == 's')
		text.n--;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text.n == strlen(words[i].word) && strncasecmp(text.p, words[i].word, text.n) == 0) {
			*ret = words[i].mult;
			return true;
		}
	return false;
}

static glane_rc row_mult(struct slice text, struct note *n, struct diag *d)
{
	int64_t mult;

	if (text.n == 0)
		return GLANE_OK;
	if (!slice_int(slice_trim(text), -30, 30, &mult) && !mult_of_word(slice_trim(text), &mult))
		return fail(d, GLANE_E_DATA,
			"unit multiplier '%.*s' is no power of ten between -30 and 30, nor a word as Millions",
			(int)(text.n < 32 ? text.n : 32), text.p);
	n->unit_mult = (int32_t)mult;
	n->has_unit_mult = true;
	return GLANE_OK;
}

/* As most cells of wide tables are. */
static bool is_blank(const struct glane_row *row)
{
	return !row->value.n && !row->status.n && !row->flags.n && !row->note.n && !row->unit_mult.n;
}

/* #DIV/0! #NAME? #REF! #VALUE! in a workbook, and what its reader writes for a formula that nobody has computed: no observations. */
static bool is_cell_error(const struct glane_run *r, struct slice value)
{
	if (!value.n || !r->current || r->current->req.format != GLANE_FMT_XLSX)
		return false;
	value = slice_trim(value);
	return value.n > 1 && value.p[0] == '#' && value.p[1] >= 'A' && value.p[1] <= 'Z';
}

static glane_rc __attribute__((noinline)) reject_cell(struct glane_run *r, struct slice value)
{
	diag_clear(&r->diag);
	(void)fail(&r->diag, GLANE_E_DATA, "%.*s: %s", (int)(value.n < 40 ? value.n : 40), value.p,
		slice_is(slice_trim(value), "#NOT-COMPUTED")
			? "a formula without its result: save the workbook with a spreadsheet program"
			: "an error in a cell of the workbook");
	return reject_row(r, "cell");
}

static glane_rc emit_row(struct glane_run *r, const struct glane_row *row, struct run_series *s)
{
	struct glane_obs o = {0};
	struct note n = {.note = slice_from(row->note)};
	char freq;
	glane_rc rc;

	if (!r->job->keep_empty && is_blank(row)) {
		r->counts.padding++;
		return GLANE_OK;
	}
	if (is_cell_error(r, slice_from(row->value)))
		return reject_cell(r, slice_from(row->value));
	rc = value_of(r, slice_from(row->value), &o, &n.value_text);
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
	if (!s->def.dataset.n || !s->def.indicator.n)
		return run_reject(r, "series", "a row without a dataset or without an indicator");
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
		rc = run_series_wire(r, s, freq, &o.series);
	return rc == GLANE_OK ? push_one(r, &o) : rc;
}

/* As rows have it: normalised in r->text2. Where no frequency is named it stays any: a day may be one of a business week. */
static glane_rc erase_period(struct glane_run *r, struct erase *e, struct slice text)
{
	char own[OWN_PERIOD];
	struct slice plain;
	struct period p;
	glane_rc rc = period_read(r, e->freq, text, own, &plain, &p);

	if (rc != GLANE_OK)
		return rc;
	strbuf_reset(&r->text2);
	if (p.freq == 'I')
		strbuf_slice(&r->text2, plain);
	else
		period_print(&r->text2, p.freq, p.value);
	e->freq = e->freq ? p.freq : 0;
	e->period = strbuf_get(&r->text2);
	return strbuf_ok(&r->text2) ? GLANE_OK : run_no_memory(r, "texts");
}

glane_rc run_erase(struct glane_run *r, struct erase e, struct slice period)
{
	glane_rc rc = GLANE_OK;

	if (!r->payload[0])
		return run_usage(r, "a deletion before anything was read: it would come from nowhere");
	if (period.n)
		rc = erase_period(r, &e, period);
	if (rc == GLANE_E_DATA)
		return reject_row(r, "period");
	if (rc != GLANE_OK)
		return rc;
	if (!text_ok(e.dataset) || !text_ok(e.indicator) || !text_ok(e.area_code) || !text_ok(e.dims))
		return run_reject(r, "text", "a text of a deletion is longer than 64 KiB or no UTF-8");
	rc = run_flush(r); /* what came before it is told before it */
	return rc == GLANE_OK ? run_lost(r, r->seams->erase(r->seams->arg, &e)) : rc;
}

glane_rc run_reject(struct glane_run *r, const char *rule, const char *reason)
{
	return quarantine(r, rule, slice_of(reason), false);
}

glane_rc run_emit(struct glane_run *r, const struct glane_row *row)
{
	struct run_series *s = run_series_of(r, row->series);

	return s ? emit_row(r, row, s) : run_usage(r, "emit() with a series handle that is not (or no longer) valid");
}

/* Apart from host_emit(), so that not every row clears the copy. */
static glane_rc __attribute__((noinline)) emit_other(glane_run *r, const struct glane_row *given)
{
	struct glane_row row;
	const glane_rc rc = run_take(r, &row, sizeof(row), given, offsetof(struct glane_row, status), "emit()");

	return rc == GLANE_OK ? run_emit(r, &row) : rc;
}

static glane_rc host_emit(glane_run *r, const struct glane_row *given)
{
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	return given && given->size == sizeof(*given) ? run_emit(r, given) : emit_other(r, given);
}

static glane_rc push_checked(struct glane_run *r, struct glane_obs o)
{
	struct run_series *s = run_series_of(r, o.series);
	const char freq = !s ? 0 : o.period < 0 ? 'I' : s->def.freq;
	glane_rc rc;

	if (!s || !freq)
		return run_usage(r, "push() with a series handle that is not valid, or of a series without freq");
	if (!s->def.dataset.n || !s->def.indicator.n)
		return run_usage(r, "push() of a series without a dataset or without an indicator");
	if (o.flags & ~GLANE_OBS_LAST || (o.note && !batch_is_recent(o.note, r->notes.n)) ||
		(o.status && !status_ok(o.status)))
		return run_usage(r, "push() with flags, a note or a status that does not exist");
	if (o.exp10 == DECIMAL_NONE ? o.coef != 0 : o.coef >= MAX_COEF || o.coef <= -MAX_COEF)
		return run_usage(r, "push() with a number of more than 18 digits, or digits where there is no number");
	if (o.period < 0 ? !batch_is_recent((uint64_t) - (int64_t)o.period, r->periods.n)
			 : o.period < period_min(freq) || o.period > period_max(freq))
		return run_usage(r, "push() with a period out of range");
	if (!o.status)
		o.status = o.exp10 != DECIMAL_NONE ? 'A' : 'O';
	rc = run_series_wire(r, s, freq, &o.series);
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
	return quarantine(r, rule, slice_of(text), true);
}

void emit_services(struct glane_host *h)
{
	h->series = run_series;
	h->emit = host_emit;
	h->period = host_period;
	h->number = host_number;
	h->annotate = host_annotate;
	h->push = host_push;
	h->reject = host_reject;
}
