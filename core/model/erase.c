/* SPDX-License-Identifier: MIT */
/* Deletions by what they name: one lookup for each set of things that some of them name. */
#include "model/erase.h"

#define NAMES_INDICATOR 1u
#define NAMES_AREA 2u
#define NAMES_FREQ 4u
#define NAMES_PERIOD 8u

void erases_init(struct erases *x)
{
	*x = (struct erases){.n = 0};
	arena_init(&x->arena, 0);
	map_init(&x->by_key, &x->arena);
	strbuf_init(&x->key, 0);
}

void erases_release(struct erases *x)
{
	map_release(&x->by_key);
	mem_free(x->v);
	strbuf_release(&x->key);
	arena_release(&x->arena);
	x->v = NULL;
	x->n = x->n_shapes = 0;
}

static glane_rc no_memory(struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "no memory for the deletions of a run");
}

static void put_text(struct strbuf *b, struct slice s)
{
	const uint32_t n = (uint32_t)s.n;

	strbuf_add(b, &n, sizeof(n));
	strbuf_slice(b, s);
}

static struct slice name_of(struct slice pair)
{
	const char *equals = pair.n ? memchr(pair.p, '=', pair.n) : NULL;

	return equals ? (struct slice){pair.p, (size_t)(equals - pair.p)} : pair;
}

/* The pairs of dims with these names, in place of the whole; false: it lacks one. Both are in the same order. */
static bool put_dims(struct strbuf *b, struct slice dims, struct slice names)
{
	struct slice wanted = names.n ? slice_cut(&names, ';') : (struct slice){NULL, 0};

	while (wanted.n && dims.n) {
		const struct slice pair = slice_cut(&dims, ';');

		if (!slice_eq(name_of(pair), wanted))
			continue;
		put_text(b, pair);
		wanted = names.n ? slice_cut(&names, ';') : (struct slice){NULL, 0};
	}
	return !wanted.n;
}

/* The key under which a deletion of this shape would stand for the row; false: there can be none. */
static bool put_key(struct strbuf *b, const struct erases *x, size_t shape, const struct row *r)
{
	const struct erase_shape *s = &x->shape[shape];

	strbuf_reset(b);
	strbuf_putc(b, (char)shape);
	put_text(b, r->dataset);
	if (s->named & NAMES_INDICATOR)
		put_text(b, r->indicator);
	if (s->named & NAMES_AREA)
		put_text(b, r->area_code);
	if (s->named & NAMES_FREQ)
		strbuf_putc(b, r->freq);
	if (s->named & NAMES_PERIOD)
		put_text(b, r->period);
	return put_dims(b, r->dims, s->names);
}

static glane_rc find_shape(struct erases *x, const struct erase *e, size_t *ret, struct diag *d)
{
	struct erase_shape s = {.named = (e->indicator.n ? NAMES_INDICATOR : 0) | (e->area_code.n ? NAMES_AREA : 0) |
					 (e->freq ? NAMES_FREQ : 0) | (e->period.n ? NAMES_PERIOD : 0)};
	struct slice dims = e->dims;

	strbuf_reset(&x->key);
	while (dims.n) {
		if (x->key.n)
			strbuf_putc(&x->key, ';');
		strbuf_slice(&x->key, name_of(slice_cut(&dims, ';')));
	}
	if (!strbuf_ok(&x->key))
		return no_memory(d);
	s.names = strbuf_get(&x->key);
	for (*ret = 0; *ret < x->n_shapes; ++*ret)
		if (x->shape[*ret].named == s.named && slice_eq(x->shape[*ret].names, s.names))
			return GLANE_OK;
	if (x->n_shapes == ERASE_SHAPES)
		return fail(d, GLANE_E_LIMIT,
			"deletions by more than %d different sets of dimensions in one run: have the source "
			"send what is left, or split it",
			ERASE_SHAPES);
	if (!arena_dup(&x->arena, s.names, &s.names))
		return no_memory(d);
	x->shape[x->n_shapes++] = s;
	return GLANE_OK;
}

glane_rc erases_add(struct erases *x, const struct erase *e, uint64_t n_before, uint16_t payload, struct diag *d)
{
	const struct row named = {.dataset = e->dataset,
		.indicator = e->indicator,
		.area_code = e->area_code,
		.dims = e->dims,
		.freq = e->freq,
		.period = e->period};
	struct erase_found *f;
	uint64_t *slot;
	bool is_new;
	size_t shape = 0;
	glane_rc rc = find_shape(x, e, &shape, d);

	if (rc != GLANE_OK)
		return rc;
	(void)put_key(&x->key, x, shape, &named);
	if (!strbuf_ok(&x->key) || !mem_grow(&x->v, &x->cap, x->n + 1, sizeof(*x->v)) ||
		!map_put(&x->by_key, strbuf_get(&x->key), x->n, &slot, &is_new))
		return no_memory(d);
	if (is_new && x->n == ERASE_MAX)
		return fail(d, GLANE_E_LIMIT,
			"more than %u deletions in one run: have the source send what is left, or split it", ERASE_MAX);
	f = &x->v[*slot];
	if (is_new)
		x->v[x->n++] = (struct erase_found){.at = {0}};
	for (int k = 0; k < ERASE_KINDS; k++)
		if (e->what & 1u << k)
			f->at[k] = n_before + 1, f->payload[k] = payload;
	return GLANE_OK;
}

/* ---- finding ---- */

void erase_look_init(struct erase_look *l)
{
	*l = (struct erase_look){.of_series = {.at = {0}}};
	strbuf_init(&l->series, 0);
	strbuf_init(&l->key, 0);
}

void erase_look_release(struct erase_look *l)
{
	strbuf_release(&l->series);
	strbuf_release(&l->key);
}

static void join(struct erase_found *to, const struct erase_found *f)
{
	for (int k = 0; k < ERASE_KINDS; k++) {
		if (f->at[k] <= to->at[k])
			continue;
		to->at[k] = f->at[k];
		to->payload[k] = f->payload[k];
	}
}

/* Those that name a period, or those that name none; false: no memory. */
static bool find_some(
	const struct erases *x, struct erase_look *l, const struct row *r, bool is_of_period, struct erase_found *to)
{
	for (size_t i = 0; i < x->n_shapes; i++) {
		const uint64_t *found;

		if (!!(x->shape[i].named & NAMES_PERIOD) != is_of_period || !put_key(&l->key, x, i, r))
			continue;
		if (!strbuf_ok(&l->key))
			return false;
		found = map_find(&x->by_key, strbuf_get(&l->key));
		if (found)
			join(to, &x->v[*found]);
	}
	return true;
}

static bool turn_to_series(const struct erases *x, struct erase_look *l, const struct row *r)
{
	strbuf_reset(&l->key);
	strbuf_putc(&l->key, r->freq);
	put_text(&l->key, r->dataset);
	put_text(&l->key, r->indicator);
	put_text(&l->key, r->area_code);
	put_text(&l->key, r->dims);
	if (!strbuf_ok(&l->key))
		return false;
	if (l->series.n && slice_eq(strbuf_get(&l->key), strbuf_get(&l->series)))
		return true;
	strbuf_reset(&l->series);
	strbuf_slice(&l->series, strbuf_get(&l->key));
	l->of_series = (struct erase_found){.at = {0}};
	return strbuf_ok(&l->series) && find_some(x, l, r, false, &l->of_series);
}

glane_rc erase_find(
	const struct erases *x, struct erase_look *l, const struct row *r, struct erase_found *ret, struct diag *d)
{
	uint64_t any = 0;

	*ret = (struct erase_found){.at = {0}};
	if (x->n == 0)
		return GLANE_END;
	if (!turn_to_series(x, l, r))
		return no_memory(d);
	*ret = l->of_series;
	if (!find_some(x, l, r, true, ret))
		return no_memory(d);
	for (int k = 0; k < ERASE_KINDS; k++)
		any |= ret->at[k];
	return any ? GLANE_OK : GLANE_END;
}

bool erase_apply(const struct erase_found *f, uint64_t seq, struct row *r, uint16_t *ret_payload)
{
	uint64_t last = seq;

	if (f->at[ERASE_ROW] > seq) {
		*ret_payload = f->payload[ERASE_ROW];
		return true;
	}
	for (int k = ERASE_STATUS; k < ERASE_KINDS; k++) {
		if (f->at[k] <= last)
			continue;
		last = f->at[k];
		*ret_payload = f->payload[k];
	}
	if (f->at[ERASE_STATUS] > seq)
		r->status = r->value.n || r->value_text.n ? 'A' : 'O';
	if (f->at[ERASE_FLAGS] > seq)
		r->flags = (struct slice){NULL, 0};
	if (f->at[ERASE_NOTE] > seq)
		r->note = (struct slice){NULL, 0};
	return false;
}
