/* SPDX-License-Identifier: MIT */
/* The spool of a run's observations, and rows made of them. batch_tables.c has its tables, batch_finish.c ends it. */
#include "base/file.h"
#include "model/batch_tables.h"
#include "model/decimal.h"
#include "model/period.h"
#include <sys/mman.h>
#include <unistd.h>

#define PENDING ((size_t)256 << 10)
#define EXACT_IN_DOUBLE INT64_C(1000000000000000) /* 15 digits survive every time (DBL_DIG) */

_Static_assert(sizeof(struct batch_obs) == 32, "the spool has no padding");

/* Room for one more element of a table whose indices are at most max - 1. */
static glane_rc table_grow(void *v, size_t *cap, size_t n, size_t size, size_t max, const char *what, struct diag *d)
{
	if (n >= max)
		return fail(
			d, GLANE_E_LIMIT, "more than %zu entries of kind %s in one run; split the source", max, what);
	return mem_grow(v, cap, n + 1, size) ? GLANE_OK : batch_no_memory(d, what);
}

glane_rc batch_init(struct batch *b, int spool_dir, struct diag *d)
{
	*b = (struct batch){.fd = -1};
	arena_init(&b->arena, 0);
	erases_init(&b->erases);
	strbuf_init(&b->pending, PENDING);
	b->is_whole = spool_dir >= 0;
	if (b->is_whole)
		b->fd = file_temp(spool_dir, d);
	if (b->is_whole && b->fd < 0)
		return GLANE_E_IO;
	return tables_init(b, spool_dir, d);
}

void batch_release(struct batch *b)
{
	if (b->obs)
		(void)munmap(b->obs, b->mapped);
	fd_close(&b->fd);
	strbuf_release(&b->pending);
	tables_release(b);
	erases_release(&b->erases);
	mem_free(b->covers);
	mem_free(b->payloads);
	arena_release(&b->arena);
	*b = (struct batch){.fd = -1};
}

static glane_rc text_put(struct batch *b, struct slice text, struct slice *to, const char *what, struct diag *d)
{
	return arena_dup(&b->arena, text, to) ? GLANE_OK : batch_no_memory(d, what);
}

glane_rc batch_payload(struct batch *b, struct slice sha256, uint32_t *ret, struct diag *d)
{
	glane_rc rc = table_grow(
		&b->payloads, &b->cap_payloads, b->n_payloads, sizeof(*b->payloads), UINT16_MAX, "payload", d);

	if (rc == GLANE_OK)
		rc = text_put(b, sha256, &b->payloads[b->n_payloads], "payload", d);
	if (rc == GLANE_OK)
		*ret = (uint32_t)b->n_payloads++;
	return rc;
}

glane_rc batch_cover(struct batch *b, const struct cover *c, struct diag *d)
{
	struct cover copy = *c;
	glane_rc rc = table_grow(&b->covers, &b->cap_covers, b->n_covers, sizeof(*b->covers), UINT32_MAX, "cover", d);

	if (rc < 0)
		return rc;
	copy.rows = 0;
	if (!arena_dup(&b->arena, c->dataset, &copy.dataset) || !arena_dup(&b->arena, c->indicator, &copy.indicator) ||
		!arena_dup(&b->arena, c->reason, &copy.reason))
		return batch_no_memory(d, "cover");
	b->covers[b->n_covers++] = copy;
	return GLANE_OK;
}

static glane_rc flush(struct batch *b, struct diag *d)
{
	glane_rc rc = fd_write(b->fd, b->pending.p, b->pending.n, d);

	if (rc < 0)
		return diag_prefix(d, "spool of the run's observations"), rc;
	strbuf_reset(&b->pending);
	return GLANE_OK;
}

static bool obs_ok(const struct batch *b, const struct batch_obs *o)
{
	return o->series < b->n_series && o->note <= b->n_notes && o->payload <= b->n_payloads &&
	       (o->period >= 0 || -1 - (int64_t)o->period < (int64_t)b->n_periods);
}

glane_rc batch_push(struct batch *b, const struct batch_obs *obs, size_t n, struct diag *d)
{
	for (size_t i = 0; i < n; i++) {
		struct batch_obs o = obs[i];
		glane_rc rc = GLANE_OK;

		if (b->n_obs == UINT32_MAX)
			return fail(d, GLANE_E_LIMIT, "more observations than one run can have");
		if (!obs_ok(b, &o))
			return fail(d, GLANE_E_USAGE,
				"observation %zu names a series, period, note or payload that is not there", b->n_obs);
		o.seq = (uint32_t)b->n_obs;
		if (b->pending.n + sizeof(o) > PENDING)
			rc = flush(b, d);
		if (rc < 0)
			return rc;
		strbuf_add(&b->pending, &o, sizeof(o));
		if (!strbuf_ok(&b->pending))
			return batch_no_memory(d, "observation");
		b->n_obs++;
	}
	return GLANE_OK;
}

/* The number: its own text where that is longer than an exact decimal can be. */
static void row_value(struct row *r, const struct batch_obs *o, struct strbuf *scratch)
{
	size_t start = scratch->n;
	struct decimal dec;

	if (o->exp10 == DECIMAL_NONE) {
		r->decimals = -1;
		return;
	}
	if (r->value_text.n && decimal_parse(r->value_text, &dec) == DECIMAL_LONG) {
		decimal_expand(scratch, r->value_text);
		r->decimals = decimal_places(r->value_text);
	} else {
		decimal_print(scratch, o->coef, o->exp10);
		r->decimals = decimal_places_of(o->exp10);
	}
	if (strbuf_ok(scratch))
		r->value = (struct slice){scratch->p + start, scratch->n - start};
	if (r->value_text.n == 0 &&
		(o->coef <= -EXACT_IN_DOUBLE || o->coef >= EXACT_IN_DOUBLE || (o->exp10 > 0 && o->coef)) &&
		!decimal_survives_double(o->coef, o->exp10))
		r->value_text = r->value;
}

/* Prints an integer period to scratch; an entry of the table is there already. */
static void row_period(struct row *r, const struct batch *b, const struct batch_obs *o, struct strbuf *scratch)
{
	if (o->period < 0) {
		r->period = b->periods[-1 - (int64_t)o->period];
		(void)period_text_start(r->period, &r->period_start);
		return;
	}
	period_print(scratch, r->freq, o->period);
	r->period.n = scratch->n;
	r->period_start = period_start(r->freq, o->period);
}

void batch_row(const struct batch *b, const struct batch_obs *o, struct strbuf *scratch, struct row *ret)
{
	static const struct note none;
	const struct series *s = &b->series[o->series];
	const struct note *n = o->note ? &b->notes[o->note - 1] : &none;

	strbuf_reset(scratch);
	*ret = (struct row){.dataset = s->dataset,
		.indicator = s->indicator,
		.area = s->area,
		.area_code = s->area_code,
		.dims = s->dims,
		.freq = s->freq,
		.unit = s->unit,
		.unit_mult = n->has_unit_mult ? n->unit_mult : s->unit_mult,
		.status = o->status,
		.flags = n->flags,
		.note = n->note,
		.value_text = n->value_text};
	if (!ret->status)
		ret->status = o->exp10 == DECIMAL_NONE ? 'O' : 'A';
	if (o->payload)
		ret->payload = b->payloads[o->payload - 1];
	row_period(ret, b, o, scratch);
	row_value(ret, o, scratch);
	if (o->period >= 0) /* only now: the value may have moved it */
		ret->period = (struct slice){strbuf_get(scratch).p, ret->period.n};
}

static int cover_cmp(const struct cover *c, struct slice dataset, struct slice indicator)
{
	int order = slice_cmp(c->dataset, dataset);

	return order ? order : slice_cmp(c->indicator, indicator);
}

static const struct cover *cover_find(const struct batch *b, struct slice dataset, struct slice indicator)
{
	size_t low = 0, high = b->n_covers;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = cover_cmp(&b->covers[mid], dataset, indicator);

		if (order == 0)
			return &b->covers[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct cover *batch_cover_of(const struct batch *b, struct slice dataset, struct slice indicator)
{
	const struct cover *c = cover_find(b, dataset, indicator);

	return c ? c : cover_find(b, dataset, (struct slice){NULL, 0});
}
