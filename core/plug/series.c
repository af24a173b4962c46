/* SPDX-License-Identifier: MIT */
/* Series by value, and their handles on both sides of the wire. */
#include "plug/run.h"

#include "model/dims.h"

#include <string.h>

/* Place in run_series.wire; -1: none of them. */
static int freq_index(char freq)
{
	switch (freq) {
	case 'A':
		return 0;
	case 'S':
		return 1;
	case 'T':
		return 2;
	case 'Q':
		return 3;
	case 'M':
		return 4;
	case 'W':
		return 5;
	case 'D':
		return 6;
	case 'B':
		return 7;
	case 'I':
		return 8;
	default:
		return -1;
	}
}

bool run_freq_ok(char freq)
{
	return freq != 'I' && freq_index(freq) >= 0;
}

void run_key_text(struct strbuf *b, struct slice s)
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
		run_key_text(&r->key, slice_from(texts[i]));
	run_key_text(&r->key, strbuf_get(&r->text));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!text_ok(slice_from(texts[i])))
			return fail(&r->diag, GLANE_E_DATA, "a text of a series is longer than 64 KiB or no UTF-8");
	if (!strbuf_ok(&r->key) || !strbuf_ok(&r->text) || !text_ok(strbuf_get(&r->text)))
		return fail(&r->diag, GLANE_E_LIMIT, "the dimensions of a series are longer than 64 KiB or no UTF-8");
	return GLANE_OK;
}

static bool dims_copy(struct arena *a, const struct glane_series *s, struct slice *ret)
{
	size_t n = 0;
	char *to;

	for (size_t i = 0; i < s->n_dims; i++)
		n += strlen(s->dims[i].k) + 1 + sizeof(size_t) + (s->dims[i].v.p ? s->dims[i].v.n : 0);
	*ret = (struct slice){NULL, n};
	if (n == 0)
		return true;
	to = arena_alloc(a, n);
	ret->p = to;
	for (size_t i = 0; to && i < s->n_dims; i++) {
		const size_t n_key = strlen(s->dims[i].k) + 1, n_value = s->dims[i].v.p ? s->dims[i].v.n : SIZE_MAX;
		const struct slice v = slice_from(s->dims[i].v);

		memcpy(to, s->dims[i].k, n_key);
		memcpy(to + n_key, &n_value, sizeof(n_value));
		if (v.n)
			memcpy(to + n_key + sizeof(n_value), v.p, v.n);
		to += n_key + sizeof(n_value) + v.n;
	}
	return to != NULL;
}

static bool series_copy(struct glane_run *r, const struct glane_series *s, struct run_series *to)
{
	struct arena *a = r->series_map.keys;
	struct series *def = &to->def;

	memset(to, 0, sizeof(*to));
	def->freq = s->freq;
	def->unit_mult = s->unit_mult;
	return arena_dup(a, slice_from(s->dataset), &def->dataset) &&
	       arena_dup(a, slice_from(s->indicator), &def->indicator) &&
	       arena_dup(a, slice_from(s->area), &def->area_code) &&
	       arena_dup(a, slice_from(s->area_scheme), &def->area_scheme) &&
	       arena_dup(a, slice_from(s->unit), &def->unit) && arena_dup(a, slice_from(s->title), &def->title) &&
	       arena_dup(a, slice_from(s->area_title), &def->area_title) &&
	       arena_dup(a, slice_from(s->updated), &def->updated) && arena_dup(a, strbuf_get(&r->text), &def->dims) &&
	       dims_copy(a, s, &to->dims);
}

/* A block is full: the next one takes the place of the one before it. */
static void series_turn(struct glane_run *r)
{
	struct arena *next = &r->series_arena[r->n_series / BATCH_WINDOW % 2];

	map_release(&r->series_map);
	arena_release(next);
	map_init(&r->series_map, next);
}

static uint64_t tail_of(glane_str s)
{
	uint64_t v = 0;

	if (s.p && s.n >= sizeof(v))
		memcpy(&v, s.p + s.n - sizeof(v), sizeof(v));
	else if (s.p && s.n)
		memcpy(&v, s.p, s.n);
	return v ^ s.n << 56;
}

/* A place in the cache: by the texts that tell one series from its neighbours. */
static size_t quick_hash(const struct glane_series *s)
{
	uint64_t h = tail_of(s->area) * UINT64_C(0x9e3779b97f4a7c15) ^ tail_of(s->indicator);

	h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	for (size_t i = 0; i < s->n_dims; i++)
		h = (h ^ h >> 27 ^ tail_of(s->dims[i].v)) * UINT64_C(0x94d049bb133111eb);
	return (size_t)(h >> 40) % SERIES_CACHE;
}

static bool same_text(struct slice a, glane_str b)
{
	return a.p && b.p ? a.n == b.n && memcmp(a.p, b.p, a.n) == 0 : a.p == b.p;
}

static bool same_dims(struct slice mine, const struct glane_series *s)
{
	const char *at = mine.p, *end = at ? at + mine.n : at;

	for (size_t i = 0; i < s->n_dims; i++) {
		const size_t n_key = strlen(s->dims[i].k) + 1, n_value = s->dims[i].v.p ? s->dims[i].v.n : SIZE_MAX;
		const size_t n = s->dims[i].v.p ? s->dims[i].v.n : 0;

		if ((size_t)(end - at) < n_key + sizeof(n_value) + n || memcmp(at, s->dims[i].k, n_key) != 0 ||
			memcmp(at + n_key, &n_value, sizeof(n_value)) != 0 ||
			(n && memcmp(at + n_key + sizeof(n_value), s->dims[i].v.p, n) != 0))
			return false;
		at += n_key + sizeof(n_value) + n;
	}
	return at == end;
}

/* Whether the series has just these members, dimensions in this order. */
static bool is_given(const struct run_series *k, const struct glane_series *s)
{
	const struct series *def = &k->def;

	return def->freq == s->freq && def->unit_mult == s->unit_mult && same_text(def->area_code, s->area) &&
	       same_text(def->indicator, s->indicator) && same_text(def->dataset, s->dataset) &&
	       same_text(def->area_scheme, s->area_scheme) && same_text(def->unit, s->unit) &&
	       same_text(def->title, s->title) && same_text(def->area_title, s->area_title) &&
	       same_text(def->updated, s->updated) && same_dims(k->dims, s);
}

struct run_series *run_series_of(struct glane_run *r, uint32_t handle)
{
	return batch_is_recent(handle, r->n_series) ? &r->series[(handle - 1) % (2 * BATCH_WINDOW)] : NULL;
}

static glane_rc series_find(struct glane_run *r, const struct glane_series *s, uint32_t *ret)
{
	uint64_t *slot;
	bool is_new;
	glane_rc rc = series_key(r, s);

	if (rc != GLANE_OK)
		return rc;
	slot = map_find(&r->series_map, strbuf_get(&r->key));
	if (slot) {
		*ret = (uint32_t)*slot;
		return GLANE_OK;
	}
	if (r->n_series == UINT32_MAX - 1)
		return fail(&r->diag, GLANE_E_LIMIT, "too many series in one run");
	if (r->n_series && r->n_series % BATCH_WINDOW == 0)
		series_turn(r);
	if (!map_put(&r->series_map, strbuf_get(&r->key), r->n_series + 1, &slot, &is_new) ||
		!series_copy(r, s, &r->series[r->n_series % (2 * BATCH_WINDOW)]))
		return run_no_memory(r, "series");
	*ret = ++r->n_series;
	return GLANE_OK;
}

static glane_rc find_given(struct glane_run *r, const struct glane_series *s, uint32_t *ret)
{
	uint32_t *place = &r->series_cache[quick_hash(s)];
	const struct run_series *known = NULL;
	glane_rc rc;

	if (s->reserved[0] || s->reserved[1] || s->reserved[2] || s->zero)
		return run_usage(r, "a series with bits that have no meaning");
	/* one of the block before is asked for anew: it is used, and the last that are used stay valid */
	if (*place && (*place - 1) / BATCH_WINDOW == (r->n_series - 1) / BATCH_WINDOW)
		known = run_series_of(r, *place);
	if (known && is_given(known, s)) {
		*ret = *place;
		return GLANE_OK;
	}
	if (s->freq && !run_freq_ok(s->freq))
		return run_usage(r, "a series' freq is none of A S T Q M W D B");
	rc = series_find(r, s, ret);
	if (rc == GLANE_OK)
		*place = *ret;
	return rc;
}

/* Of another header; apart from run_series(), so that not every call clears the copy. */
static glane_rc __attribute__((noinline))
find_other(struct glane_run *r, const struct glane_series *given, uint32_t *ret)
{
	struct glane_series s;
	const glane_rc rc = run_take(r, &s, sizeof(s), given, offsetof(struct glane_series, updated), "series()");

	return rc == GLANE_OK ? find_given(r, &s, ret) : rc;
}

glane_rc run_series(glane_run *r, const struct glane_series *given, uint32_t *ret)
{
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	if (!ret)
		return run_usage(r, "series() without a place for the handle");
	return given && given->size == sizeof(*given) ? find_given(r, given, ret) : find_other(r, given, ret);
}

/* The other side forgets in blocks, as this one does: what waits to be sent goes before it can. */
glane_rc run_flush_at_turn(struct glane_run *r, uint32_t n)
{
	return n && n % BATCH_WINDOW == 0 ? run_flush(r) : GLANE_OK;
}

/* Apart from run_series_wire(), so that not every row clears the copy. */
static glane_rc __attribute__((noinline)) define(struct glane_run *r, struct run_series *s, char freq, uint32_t *ret)
{
	struct series def = s->def;
	glane_rc rc = run_flush_at_turn(r, r->n_wire_series);

	def.freq = freq;
	if (rc == GLANE_OK)
		rc = run_lost(r, r->seams->series(r->seams->arg, &def));
	if (rc == GLANE_OK)
		*ret = ++r->n_wire_series;
	return rc;
}

glane_rc run_series_wire(struct glane_run *r, struct run_series *s, char freq, uint32_t *ret)
{
	const int i = freq_index(freq);
	glane_rc rc = GLANE_OK;

	if (!r->payload[0])
		return run_usage(r, "an observation before anything was read: it would come from nowhere");
	if (i < 0)
		return run_usage(r, "an observation of a frequency that does not exist");
	if (!batch_is_recent(s->wire[i], r->n_wire_series))
		rc = define(r, s, freq, &s->wire[i]);
	*ret = s->wire[i];
	return rc;
}
