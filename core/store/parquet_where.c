/* SPDX-License-Identifier: MIT */
/* Rows that pass tests: the tested columns are read first, the others only where a row has passed. */
#include "store/parquet_reader.h"

struct tested {
	struct parquet_test test;
	struct pick *pick;
	/* What is known of the entries of the dictionary `dict_id`. */
	uint8_t *known; /* 0 nothing, FITS, FAILS */
	size_t cap_known;
	uint64_t dict_id;
	struct parquet_vector v;   /* of the tested rows */
	const struct tested *twin; /* an earlier test of the same column, which has read it */
};
enum { FITS = 1, FAILS };

struct where {
	struct tested tested[PARQUET_TESTS_MAX];
	size_t n;
	bool is_tested[PARQUET_COLUMNS_MAX];
	uint64_t base;   /* row of the group that `fits` begins with */
	size_t rows, at; /* tested ones, those given or passed over */
	uint64_t others; /* row of the group that the other columns are at */
	uint8_t fits[PARQUET_BATCH];
};

bool where_tests(const struct where *w, size_t column)
{
	return w->is_tested[column];
}

void where_free(struct where *w)
{
	for (size_t i = 0; w && i < w->n; i++)
		mem_free(w->tested[i].known);
	mem_free(w);
}

static bool can_test(const struct pick *p, const struct parquet_test *t)
{
	enum parquet_type type = p->want->type;

	return p->file && p->level_max == 0 && (type == PARQUET_TEXT) == (t->fits != NULL) && type != PARQUET_DOUBLE &&
	       type != PARQUET_BOOL;
}

glane_rc parquet_reader_where(struct parquet_reader *r, const struct parquet_test *tests, size_t n, struct diag *d)
{
	struct where *w;

	if (r->where || r->is_open || n == 0 || n > PARQUET_TESTS_MAX)
		return fail(d, GLANE_E_USAGE, "%s: %zu tests, or a second time", r->name, n);
	for (size_t i = 0; i < r->n_picks; i++)
		if (r->pick[i]->want->shape != PARQUET_ONE)
			return fail(d, GLANE_E_USAGE, "%s: tests beside a list or map", r->name);
	for (size_t i = 0; i < n; i++)
		if (tests[i].column >= r->n_picks || !can_test(r->pick[tests[i].column], &tests[i]))
			return fail(d, GLANE_E_USAGE, "%s: test %zu is not for its column", r->name, i);
	w = mem_zalloc(1, sizeof(*w));
	if (!w)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for tests", r->name);
	w->n = n;
	for (size_t i = 0; i < n; i++) {
		w->tested[i] = (struct tested){.test = tests[i], .pick = r->pick[tests[i].column]};
		for (size_t k = i; k-- > 0;)
			if (tests[k].column == tests[i].column)
				w->tested[i].twin = &w->tested[k];
		w->is_tested[tests[i].column] = true;
	}
	r->where = w;
	return GLANE_OK;
}

/* ---- passing over ---- */

static bool skip_texts(struct cursor *c, uint64_t n)
{
	for (; n; n--) {
		size_t left = (size_t)(c->stop - c->p);
		uint32_t length;

		if (left < sizeof(length))
			return false;
		memcpy(&length, c->p, sizeof(length));
		if (length > left - sizeof(length))
			return false;
		c->p += sizeof(length) + length;
	}
	return true;
}

static bool skip_plain(struct cursor *c, uint64_t n)
{
	uint64_t left = (uint64_t)(c->stop - c->p);
	unsigned width = pq_width(c->def.type);

	if (c->def.type == PQ_BYTE_ARRAY)
		return skip_texts(c, n);
	if (c->def.type == PQ_BOOLEAN) {
		if (n > left * 8 - c->bit)
			return false;
		c->p += (c->bit + n) / 8;
		c->bit = (unsigned)((c->bit + n) % 8);
		return true;
	}
	if (width == 0 || left / width < n)
		return false;
	c->p += n * width;
	return true;
}

static bool skip_delta(struct cursor *c, uint64_t n)
{
	while (n) {
		size_t some = n < PARQUET_BATCH ? (size_t)n : PARQUET_BATCH;

		if (!delta_get(&c->delta, c->wide, some))
			return false;
		n -= some;
	}
	return true;
}

static bool skip_values(struct cursor *c, uint64_t n)
{
	if (n == 0) /* a page of null rows alone may have no bytes */
		return true;
	if (c->encoding == PQ_PLAIN)
		return skip_plain(c, n);
	if (c->encoding == PQ_DELTA_BINARY_PACKED)
		return skip_delta(c, n);
	return hybrid_skip(&c->codes, n);
}

/* n rows of the present page. */
static bool skip_rows(struct cursor *c, uint64_t n)
{
	uint64_t values = c->def.max_def ? 0 : n;

	for (uint64_t i = 0, some; c->def.max_def && i < n; i += some) {
		bool same;

		some = n - i < PARQUET_BATCH ? n - i : PARQUET_BATCH;
		if (!hybrid_get_levels(&c->defs, c->level, (size_t)some, &same))
			return false;
		for (size_t k = 0; k < some; k++)
			values += c->level[k] == c->def.max_def;
	}
	c->page_left -= n;
	return skip_values(c, values);
}

static glane_rc pass(struct cursor *c, uint64_t n, struct diag *d)
{
	while (n) {
		uint64_t some;
		glane_rc rc = cursor_page_behind(c, &n, d);

		if (rc < 0)
			return rc;
		some = c->page_left < n ? c->page_left : n;
		if (!skip_rows(c, some))
			return cursor_fail(c, "a page is damaged or cut", d);
		n -= some;
	}
	return GLANE_OK;
}

/* ---- testing ---- */

static bool known_text(struct tested *t, const struct parquet_vector *v, uint32_t code)
{
	uint8_t *known = &t->known[code];

	if (*known == 0)
		*known = t->test.fits(t->test.arg, v->dict[code]) ? FITS : FAILS;
	return *known == FITS;
}

static bool know_dictionary(struct tested *t)
{
	if (t->dict_id == t->v.dict_id)
		return true;
	if (!mem_grow(&t->known, &t->cap_known, (size_t)t->v.dict_n + 1, 1))
		return false;
	memset(t->known, 0, t->v.dict_n);
	t->dict_id = t->v.dict_id;
	return true;
}

static int64_t number_at(const struct tested *t, size_t i)
{
	enum parquet_type type = t->pick->want->type;

	return type == PARQUET_INT64 || type == PARQUET_TIMESTAMP ? t->v.i64[i] : t->v.i32[i];
}

static bool fits_at(struct tested *t, size_t i)
{
	const struct parquet_vector *v = &t->v;

	if (!t->test.fits)
		return number_at(t, i) >= t->test.min && number_at(t, i) <= t->test.max;
	return v->dict_id ? known_text(t, v, v->code[i]) : t->test.fits(t->test.arg, v->text[i]);
}

static glane_rc test_rows(struct tested *t, size_t n, uint8_t *fits, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	if (t->twin)
		t->v = t->twin->v;
	else
		rc = pick_flat(t->pick, n, &t->v, d);
	if (rc < 0)
		return rc;
	if (t->v.dict_id && !know_dictionary(t))
		return fail(d, GLANE_E_NOMEM, "%s: no memory for a test", t->pick->cursor[0]->r->name);
	if (t->v.same) {
		if (!fits_at(t, 0))
			memset(fits, 0, n);
		return GLANE_OK;
	}
	for (size_t i = 0; i < n; i++)
		fits[i] = fits[i] && fits_at(t, i);
	return GLANE_OK;
}

/* Rows until a page of a tested column ends, tested. */
static glane_rc next_tested(struct parquet_reader *r, struct diag *d)
{
	struct where *w = r->where;
	uint64_t n = r->group_left < PARQUET_BATCH ? r->group_left : PARQUET_BATCH;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < w->n && rc == GLANE_OK; i++) {
		struct cursor *c = w->tested[i].pick->cursor[0];

		rc = cursor_page(c, d);
		n = c->page_left < n ? c->page_left : n;
	}
	memset(w->fits, 1, (size_t)n);
	for (size_t i = 0; i < w->n && rc == GLANE_OK; i++)
		rc = test_rows(&w->tested[i], (size_t)n, w->fits, d);
	w->base += w->rows;
	w->rows = (size_t)n;
	w->at = 0;
	r->group_left -= n;
	return rc;
}

/* The other columns at row w->base + w->at, with pages open; *n becomes what all of them have there. */
static glane_rc bring_others(struct parquet_reader *r, size_t *n, struct diag *d)
{
	struct where *w = r->where;
	uint64_t to = w->base + w->at;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < r->n_picks && rc == GLANE_OK; i++) {
		struct cursor *c = r->pick[i]->cursor[0];

		if (w->is_tested[i] || !c)
			continue;
		rc = pass(c, to - w->others, d);
		if (rc == GLANE_OK)
			rc = cursor_page(c, d);
		*n = c->page_left < *n ? (size_t)c->page_left : *n;
	}
	w->others = to;
	return rc;
}

/* A vector from its row `at` on. */
static void shift(struct parquet_vector *v, const struct tested *t, size_t at)
{
	*v = t->v;
	v->text = v->text ? v->text + at : NULL;
	v->i32 = v->i32 ? v->i32 + at : NULL;
	v->i64 = v->i64 ? v->i64 + at : NULL;
	v->code = v->code ? v->code + at : NULL;
	v->f64 = NULL;
	v->flag = NULL;
}

static glane_rc give(struct parquet_reader *r, size_t n, struct parquet_vector *v, struct diag *d)
{
	struct where *w = r->where;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < r->n_picks && rc == GLANE_OK; i++) {
		if (!r->pick[i]->file)
			reader_no_column(r, &v[i]);
		else if (!w->is_tested[i])
			rc = pick_flat(r->pick[i], n, &v[i], d);
	}
	for (size_t i = 0; i < w->n; i++)
		shift(&v[w->tested[i].test.column], &w->tested[i], w->at);
	w->at += n;
	w->others += n;
	return rc;
}

glane_rc where_next(struct parquet_reader *r, struct parquet_vector *v, size_t *ret_rows, struct diag *d)
{
	struct where *w = r->where;
	size_t n = 0;
	glane_rc rc;

	for (;;) {
		const uint8_t *fit = r->is_open ? memchr(w->fits + w->at, 1, w->rows - w->at) : NULL;

		if (fit) {
			w->at = (size_t)(fit - w->fits);
			break;
		}
		if (!r->is_open || r->group_left == 0) {
			rc = reader_open_group(r, d);
			if (rc != GLANE_OK)
				return rc;
			w->base = w->others = 0;
			w->rows = w->at = 0;
		}
		rc = next_tested(r, d);
		if (rc < 0)
			return rc;
	}
	while (w->at + n < w->rows && w->fits[w->at + n])
		n++;
	rc = bring_others(r, &n, d);
	if (rc == GLANE_OK)
		rc = give(r, n, v, d);
	if (rc == GLANE_OK)
		*ret_rows = n;
	return rc;
}
