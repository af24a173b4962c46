/* SPDX-License-Identifier: MIT */
/* One dimension of a JSON-stat dataset: its categories in the order of `index`, their labels and units. */
#include "base/map.h"
#include "read/jsonstat.h"

#define MAX_CATEGORIES 20000000u

struct categories {         /* of one dimension */
	struct map by_code; /* code -> position in list */
	struct jsonstat_category *list;
	uint64_t *position; /* where `index` puts it; UINT64_MAX: only a label or unit */
	size_t n, cap, cap_position, n_placed;
	struct arena *a;
	struct diag *d;
};

static glane_rc no_memory(struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "no memory for the categories of a JSON-stat dataset");
}

static glane_rc category_of(struct categories *g, struct slice code, struct jsonstat_category **ret, size_t *ret_i)
{
	uint64_t *slot = NULL;
	bool is_new = false;

	if (!map_put(&g->by_code, code, g->n, &slot, &is_new))
		return no_memory(g->d);
	if (is_new) {
		if (g->n == MAX_CATEGORIES)
			return fail(g->d, GLANE_E_LIMIT, "JSON-stat: more than %u categories", MAX_CATEGORIES);
		if (!mem_grow(&g->list, &g->cap, g->n + 1, sizeof(*g->list)) ||
			!mem_grow(&g->position, &g->cap_position, g->n + 1, sizeof(*g->position)))
			return no_memory(g->d);
		g->list[g->n] = (struct jsonstat_category){.code = {NULL, 0}};
		if (!arena_dup(g->a, code, &g->list[g->n].code))
			return no_memory(g->d);
		g->position[g->n++] = UINT64_MAX;
	}
	*ret = &g->list[*slot];
	*ret_i = (size_t)*slot;
	return GLANE_OK;
}

static glane_rc place_category(struct categories *g, struct json_pull *j, struct slice code, uint64_t position)
{
	struct jsonstat_category *cat = NULL;
	size_t i = 0;
	glane_rc rc = category_of(g, code, &cat, &i);

	if (rc != GLANE_OK)
		return rc;
	if (g->position[i] != UINT64_MAX)
		return fail(g->d, GLANE_E_FORMAT, "JSON-stat, byte %llu: category '%.*s' comes twice in one index",
			(unsigned long long)json_pull_offset(j), (int)(code.n > 80 ? 80 : code.n), code.p);
	g->position[i] = position;
	g->n_placed++;
	return GLANE_OK;
}

static glane_rc read_index_array(struct categories *g, struct json_pull *j)
{
	struct slice text = {NULL, 0};
	bool is_first = true;
	glane_rc rc;

	json_pull_open(j);
	while ((rc = json_pull_element(j, &is_first)) == GLANE_OK) {
		rc = json_pull_text(j, &text);
		if (rc == GLANE_OK && !text.p)
			rc = json_pull_fail(j, "null stands where the code of a category belongs");
		if (rc == GLANE_OK)
			rc = place_category(g, j, text, g->n_placed);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc read_index_object(struct categories *g, struct json_pull *j)
{
	struct slice text = {NULL, 0};
	bool is_first = true;
	glane_rc rc;

	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		int64_t v = 0;

		rc = json_pull_text(j, &text);
		if (rc == GLANE_OK && !slice_int(text, 0, MAX_CATEGORIES, &v))
			rc = json_pull_fail(j, "the position of a category is no number");
		if (rc == GLANE_OK)
			rc = place_category(g, j, strbuf_get(&j->key), (uint64_t)v);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

struct unit {
	struct arena *a;
	struct slice label, base, symbol, multiplier;
};

static glane_rc take_unit_member(void *arg, struct json_pull *j)
{
	struct unit *u = arg;
	const struct slice key = strbuf_get(&j->key);
	struct slice *part = slice_is(key, "label")        ? &u->label
			     : slice_is(key, "base")       ? &u->base
			     : slice_is(key, "symbol")     ? &u->symbol
			     : slice_is(key, "multiplier") ? &u->multiplier
							   : NULL;
	struct slice text = {NULL, 0};
	char ch = 0;
	glane_rc rc = json_pull_peek(j, &ch);

	if (rc != GLANE_OK || !part || ch == '{' || ch == '[')
		return rc != GLANE_OK ? rc : json_pull_pass(j, 0);
	rc = json_pull_text(j, &text);
	if (rc == GLANE_OK && text.n && !arena_dup(u->a, text, part))
		rc = no_memory(j->diag);
	return rc;
}

/*
 * "unit": {"CODE": {"label": ..., "base": ..., "multiplier": ..., "symbol": ...}}. The multiplier is that of the base: a label or a
 * symbol ("thousands of persons") says itself what a value is.
 */
static glane_rc read_unit(struct categories *g, struct json_pull *j, struct jsonstat_category *cat)
{
	struct unit u = {.a = g->a};
	const glane_rc rc = json_pull_each(j, '{', take_unit_member, &u);

	cat->unit = u.base.n ? u.base : u.label.n ? u.label : u.symbol;
	if (u.base.n)
		cat->unit_mult = u.multiplier;
	return rc;
}

static glane_rc read_texts(struct categories *g, struct json_pull *j, bool is_unit)
{
	bool is_first = true;
	glane_rc rc;

	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		struct jsonstat_category *cat = NULL;
		struct slice text = {NULL, 0};
		size_t i = 0;

		rc = category_of(g, strbuf_get(&j->key), &cat, &i);
		if (rc == GLANE_OK && cat)
			rc = is_unit ? read_unit(g, j, cat) : json_pull_text(j, &text);
		if (rc == GLANE_OK && cat && !is_unit && !arena_dup(g->a, text, &cat->label))
			rc = no_memory(g->d);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc read_category(struct categories *g, struct json_pull *j)
{
	bool is_first = true;
	glane_rc rc;

	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		const struct slice key = strbuf_get(&j->key);
		const bool is_index = slice_is(key, "index"), is_unit = slice_is(key, "unit");
		const bool is_label = slice_is(key, "label");
		char ch = 0;

		rc = json_pull_peek(j, &ch);
		if (rc != GLANE_OK)
			return rc;
		if (is_index && g->n_placed)
			return json_pull_fail(j, "a dimension has two indexes");
		if (is_index && (ch == '[' || ch == '{'))
			rc = ch == '[' ? read_index_array(g, j) : read_index_object(g, j);
		else if ((is_label || is_unit) && ch == '{')
			rc = read_texts(g, j, is_unit);
		else
			rc = json_pull_pass(j, 0);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* Puts the categories where their positions say; each position has to have one. */
static glane_rc order_categories(struct categories *g, struct jsonstat_dimension *dim)
{
	if (g->n_placed == 0 && g->n == 1) /* one category needs no index */
		g->position[0] = 0, g->n_placed = 1;
	dim->size = g->n_placed;
	dim->category = arena_alloc(g->a, (g->n_placed + 1) * sizeof(*dim->category));
	if (!dim->category)
		return no_memory(g->d);
	for (size_t i = 0; i < g->n; i++) {
		const uint64_t k = g->position[i];

		if (k == UINT64_MAX)
			continue;
		if (k >= dim->size || dim->category[k].code.p)
			return fail(g->d, GLANE_E_FORMAT,
				"JSON-stat: dimension '%.*s': position %llu of its index is %s", SLICE_FMT(dim->id),
				(unsigned long long)k, k >= dim->size ? "beyond its categories" : "given twice");
		dim->category[k] = g->list[i];
		dim->has_unit |= g->list[i].unit.p != NULL;
		dim->has_mult |= g->list[i].unit_mult.p != NULL;
	}
	return GLANE_OK;
}

glane_rc jsonstat_dimension(struct jsonstat_dimension *dim, struct arena *a, struct json_pull *j)
{
	struct categories g = {.a = a, .d = j->diag};
	bool is_first = true;
	char ch = 0;
	glane_rc rc;

	map_init(&g.by_code, a);
	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		const bool is_category = slice_is(strbuf_get(&j->key), "category");

		rc = json_pull_peek(j, &ch);
		if (rc == GLANE_OK)
			rc = is_category && ch == '{' ? read_category(&g, j) : json_pull_pass(j, 0);
		if (rc != GLANE_OK)
			break;
	}
	if (rc == GLANE_END)
		rc = order_categories(&g, dim);
	map_release(&g.by_code);
	mem_free(g.list);
	mem_free(g.position);
	return rc;
}
