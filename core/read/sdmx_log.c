/* SPDX-License-Identifier: MIT */
/* SDMX observations between their parser and their reader. */
#include "read/sdmx_log.h"
#include "read/sdmx.h"

#define OUTER_MAX ((size_t)64 << 20)
#define INNER_MAX ((size_t)96 << 20)

static void cells_init(struct sdmx_cells *c, size_t max)
{
	*c = (struct sdmx_cells){0};
	strbuf_init(&c->text, max);
}

static void cells_release(struct sdmx_cells *c)
{
	mem_free(c->v);
	strbuf_release(&c->text);
}

static struct slice cell_text(const struct sdmx_cells *c, const struct sdmx_cell *cell)
{
	return (struct slice){c->text.p + cell->at, cell->n};
}

void sdmx_log_init(struct sdmx_log *l)
{
	memset(l, 0, sizeof(*l));
	arena_init(&l->arena, OUTER_MAX);
	map_init(&l->by_id, &l->arena);
	cells_init(&l->outer, OUTER_MAX);
	cells_init(&l->inner, INNER_MAX);
	strbuf_init(&l->key, 0);
	l->shown = l->shown_dataset = SDMX_NONE;
}

void sdmx_log_release(struct sdmx_log *l)
{
	for (size_t i = 0; i < l->n_shape; i++)
		map_release(&l->shape[i].by_key);
	map_release(&l->by_id);
	cells_release(&l->outer);
	cells_release(&l->inner);
	strbuf_release(&l->key);
	mem_free(l->dataset);
	mem_free(l->series);
	mem_free(l->obs);
	mem_free(l->group);
	mem_free(l->shape);
	mem_free(l->applied);
	arena_release(&l->arena);
}

bool sdmx_log_ok(const struct sdmx_log *l)
{
	return strbuf_ok(&l->outer.text) && strbuf_ok(&l->inner.text) && strbuf_ok(&l->key);
}

/* ---- what the parser reports ---- */

uint32_t sdmx_log_column(struct sdmx_log *l, struct slice id, int role)
{
	uint64_t *known;
	bool is_new;
	struct slice kept;

	strbuf_reset(&l->key);
	strbuf_putc(&l->key, (char)('0' + role));
	strbuf_slice(&l->key, id);
	known = strbuf_ok(&l->key) ? map_find(&l->by_id, strbuf_get(&l->key)) : NULL;
	if (known)
		return (uint32_t)*known;
	if (l->n_columns == SDMX_COLUMNS || !strbuf_ok(&l->key) || !arena_dup(&l->arena, id, &kept) ||
		!map_put(&l->by_id, strbuf_get(&l->key), l->n_columns, NULL, &is_new))
		return SDMX_NONE;
	l->column[l->n_columns] = (struct sdmx_column){kept, role};
	return (uint32_t)l->n_columns++;
}

bool sdmx_log_dataset(struct sdmx_log *l, struct slice id, struct slice title, struct slice updated, char action)
{
	struct sdmx_dataset s = {.action = action, .first = l->outer.n};

	if (!mem_grow(&l->dataset, &l->cap_dataset, l->n_dataset + 1, sizeof(*l->dataset)) ||
		!arena_dup(&l->arena, id, &s.id) || !arena_dup(&l->arena, title, &s.title) ||
		!arena_dup(&l->arena, updated, &s.updated) || l->n_dataset == SDMX_NONE)
		return false;
	l->dataset[l->n_dataset++] = s;
	l->level = SDMX_AT_DATASET;
	return true;
}

bool sdmx_log_group(struct sdmx_log *l)
{
	if (!l->n_dataset || l->n_group == SDMX_NONE ||
		!mem_grow(&l->group, &l->cap_group, l->n_group + 1, sizeof(*l->group)))
		return false;
	l->group[l->n_group++] = (struct sdmx_group){.first = l->outer.n, .dataset = (uint32_t)l->n_dataset - 1};
	l->level = SDMX_AT_GROUP;
	return true;
}

bool sdmx_log_series(struct sdmx_log *l)
{
	if (!l->n_dataset || l->n_series == SDMX_NONE ||
		!mem_grow(&l->series, &l->cap_series, l->n_series + 1, sizeof(*l->series)))
		return false;
	l->series[l->n_series++] = (struct sdmx_series){.first = l->inner.n, .dataset = (uint32_t)l->n_dataset - 1};
	l->level = SDMX_AT_SERIES;
	return true;
}

bool sdmx_log_obs(struct sdmx_log *l, uint64_t line, uint64_t start)
{
	if (!l->n_series || !mem_grow(&l->obs, &l->cap_obs, l->n_obs + 1, sizeof(*l->obs)))
		return false;
	l->obs[l->n_obs++] = (struct sdmx_obs){
		.first = l->inner.n, .series = (uint32_t)l->n_series - 1, .line = line, .start = start};
	l->level = SDMX_AT_OBS;
	return true;
}

void sdmx_log_obs_end(struct sdmx_log *l, uint64_t end)
{
	l->obs[l->n_obs - 1].end = end;
	l->n_closed = l->n_obs;
}

struct strbuf *sdmx_log_cell(struct sdmx_log *l, uint32_t column)
{
	struct sdmx_cells *c = l->level == SDMX_AT_DATASET || l->level == SDMX_AT_GROUP ? &l->outer : &l->inner;

	if (l->level == SDMX_AT_NOTHING || column == SDMX_NONE || !mem_grow(&c->v, &c->cap, c->n + 1, sizeof(*c->v)))
		return NULL;
	c->v[c->n++] = (struct sdmx_cell){.column = column, .at = c->text.n};
	strbuf_add(&c->text, "", 0);
	return &c->text;
}

bool sdmx_log_cell_end(struct sdmx_log *l)
{
	const bool is_outer = l->level == SDMX_AT_DATASET || l->level == SDMX_AT_GROUP;
	struct sdmx_cells *c = is_outer ? &l->outer : &l->inner;

	c->v[c->n - 1].n = (uint32_t)(c->text.n - c->v[c->n - 1].at);
	if (l->level == SDMX_AT_DATASET)
		l->dataset[l->n_dataset - 1].n++;
	else if (l->level == SDMX_AT_GROUP)
		l->group[l->n_group - 1].n++;
	else if (l->level == SDMX_AT_SERIES)
		l->series[l->n_series - 1].n++;
	else
		l->obs[l->n_obs - 1].n++;
	return strbuf_ok(&c->text);
}

/* ---- groups ---- */

static const struct sdmx_cell *find_cell(const struct sdmx_cells *c, size_t first, size_t n, uint32_t column)
{
	for (size_t i = first; i < first + n; i++)
		if (c->v[i].column == column)
			return &c->v[i];
	return NULL;
}

static void key_add(struct sdmx_log *l, struct slice s)
{
	const uint32_t n = (uint32_t)s.n;

	strbuf_add(&l->key, &n, sizeof(n));
	strbuf_slice(&l->key, s);
}

/* Puts a group where its key leads to it. */
static bool index_group(struct sdmx_log *l, struct sdmx_shape *s, uint32_t g)
{
	strbuf_reset(&l->key);
	strbuf_add(&l->key, &l->group[g].dataset, sizeof(l->group[g].dataset));
	for (size_t i = 0; i < s->n_key; i++) {
		const struct sdmx_cell *cell = find_cell(&l->outer, l->group[g].first, l->group[g].n, s->key[i]);

		key_add(l, cell ? cell_text(&l->outer, cell) : (struct slice){"", 0});
	}
	return strbuf_ok(&l->key) && map_put(&s->by_key, strbuf_get(&l->key), g, NULL, NULL);
}

/* Groups come dataset by dataset: so do their shapes. */
struct sdmx_shapes sdmx_log_shapes(const struct sdmx_log *l, uint32_t dataset)
{
	uint32_t low = 0, high = (uint32_t)l->n_shape, end;

	while (low < high) {
		const uint32_t mid = low + (high - low) / 2;

		if (l->shape[mid].dataset < dataset)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < l->n_shape && l->shape[end].dataset == dataset;)
		end++;
	return (struct sdmx_shapes){low, end - low};
}

static bool same_shape(const struct sdmx_log *l, const struct sdmx_shape *s, const struct sdmx_group *g)
{
	if (s->n != g->n || s->dataset != g->dataset)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (s->column[i] != l->outer.v[g->first + i].column)
			return false;
	return true;
}

static bool new_shape(struct sdmx_log *l, const struct sdmx_group *g)
{
	struct sdmx_shape s = {.n = g->n, .dataset = g->dataset, .first = (uint32_t)l->n_group - 1};

	s.column = arena_alloc(&l->arena, (g->n + 1) * sizeof(*s.column));
	s.key = arena_alloc(&l->arena, (g->n + 1) * sizeof(*s.key));
	s.to = arena_alloc(&l->arena, (g->n + 1) * sizeof(*s.to));
	if (!s.to || sdmx_log_shapes(l, g->dataset).n == SDMX_SHAPES || !s.column || !s.key ||
		!mem_grow(&l->shape, &l->cap_shape, l->n_shape + 1, sizeof(*l->shape)))
		return false;
	for (size_t i = 0; i < g->n; i++)
		s.column[i] = l->outer.v[g->first + i].column;
	/* now, not when its first series is seen: columns come in the order of the document, wherever it is split */
	for (size_t i = 0; l->is_guessed && i < g->n; i++)
		if (l->column[s.column[i]].role == GLANE_ROLE_DIMENSION &&
			sdmx_log_column(l, l->column[s.column[i]].id, GLANE_ROLE_ATTRIBUTE) == SDMX_NONE)
			return false;
	map_init(&s.by_key, &l->arena);
	l->shape[l->n_shape++] = s;
	return true;
}

bool sdmx_log_group_end(struct sdmx_log *l)
{
	struct sdmx_group *g = &l->group[l->n_group - 1];

	l->level = SDMX_AT_NOTHING;
	g->shape = sdmx_log_shapes(l, g->dataset).first;
	while (g->shape < l->n_shape && !same_shape(l, &l->shape[g->shape], g))
		g->shape++;
	if (g->shape == l->n_shape && !new_shape(l, g))
		return false;
	return !l->shape[g->shape].is_ready || index_group(l, &l->shape[g->shape], (uint32_t)l->n_group - 1);
}

/* The key of a group are those of its components that are dimensions of the series or of the observation; what else looks like a
 * dimension is an attribute: a group has no dimension that its series lack. */
static bool ready_shape(struct sdmx_log *l, uint32_t at, const struct sdmx_series *of, const struct sdmx_obs *o)
{
	struct sdmx_shape *s = &l->shape[at];

	for (size_t i = 0; i < s->n; i++) {
		const uint32_t column = s->column[i];
		const bool is_outer = find_cell(&l->inner, of->first, of->n, column);

		s->to[i] = column;
		if (l->column[column].role != GLANE_ROLE_DIMENSION)
			continue;
		if (is_outer || find_cell(&l->inner, o->first, o->n, column)) {
			s->key[s->n_key++] = column;
			s->to[i] = SDMX_NONE;
			s->is_inner |= !is_outer;
		} else if (l->is_guessed) {
			s->to[i] = sdmx_log_column(l, l->column[column].id, GLANE_ROLE_ATTRIBUTE);
			if (s->to[i] == SDMX_NONE)
				return false;
		}
	}
	s->is_ready = true;
	for (uint32_t g = s->first; g < l->n_group && l->group[g].dataset == s->dataset; g++)
		if (l->group[g].shape == at && !index_group(l, s, g))
			return false;
	return true;
}

static bool ready_shapes(struct sdmx_log *l, const struct sdmx_series *s, const struct sdmx_obs *o)
{
	const struct sdmx_shapes of = sdmx_log_shapes(l, s->dataset);

	for (uint32_t k = of.first; k < of.first + of.n; k++)
		if (!l->shape[k].is_ready && !ready_shape(l, k, s, o))
			return false;
	return true;
}

/* ---- reading ---- */

static void put_cells(const struct sdmx_cells *c, size_t first, size_t n, struct slice *to)
{
	for (size_t i = first; i < first + n; i++)
		to[c->v[i].column] = cell_text(c, &c->v[i]);
}

/* The group of a shape that what stands in `from` belongs to; SDMX_NONE: none. */
static uint32_t group_of(struct sdmx_log *l, const struct sdmx_shape *s, const struct slice *from)
{
	const uint64_t *found;

	strbuf_reset(&l->key);
	strbuf_add(&l->key, &s->dataset, sizeof(s->dataset));
	for (size_t i = 0; i < s->n_key; i++)
		key_add(l, from[s->key[i]].p ? from[s->key[i]] : (struct slice){"", 0});
	found = strbuf_ok(&l->key) ? map_find(&s->by_key, strbuf_get(&l->key)) : NULL;
	return found ? (uint32_t)*found : SDMX_NONE;
}

/* Fills the columns of the group with what it says; from: with what stands there in it. */
static void put_group(struct sdmx_log *l, const struct sdmx_group *g, const struct slice *from, struct slice *to)
{
	const uint32_t *column = l->shape[g->shape].to;

	for (size_t i = 0; i < g->n; i++)
		if (column[i] != SDMX_NONE)
			to[column[i]] = from ? from[column[i]] : cell_text(&l->outer, &l->outer.v[g->first + i]);
}

/* Of several groups the one with the longer key says more: it is put later. */
static bool put_groups(struct sdmx_log *l, uint32_t dataset, bool is_inner, struct slice *values)
{
	const struct sdmx_shapes of = sdmx_log_shapes(l, dataset);
	size_t longest = 0;

	for (uint32_t k = of.first; k < of.first + of.n; k++)
		longest = l->shape[k].n_key > longest ? l->shape[k].n_key : longest;
	for (size_t n = 0; of.n && n <= longest; n++)
		for (uint32_t k = of.first; k < of.first + of.n; k++) {
			const struct sdmx_shape *s = &l->shape[k];
			const bool is_one = s->is_inner == is_inner && s->n_key == n;
			const uint32_t g = is_one ? group_of(l, s, values) : SDMX_NONE;

			if (g == SDMX_NONE)
				continue;
			put_group(l, &l->group[g], NULL, values);
			if (!is_inner)
				continue;
			if (!mem_grow(&l->applied, &l->cap_applied, l->n_applied + 1, sizeof(*l->applied)))
				return false;
			l->applied[l->n_applied++] = g;
		}
	return strbuf_ok(&l->key);
}

/* What is deleted is named at the innermost level: attributes of a series with observations are none of that. */
static void keep_key(struct sdmx_log *l, const struct sdmx_series *s)
{
	for (size_t i = s->first; i < s->first + s->n; i++) {
		const uint32_t column = l->inner.v[i].column;

		if (l->column[column].role != GLANE_ROLE_DIMENSION && l->column[column].role != GLANE_ROLE_TIME)
			l->base[column] = (struct slice){NULL, 0};
	}
}

static bool show_series(struct sdmx_log *l, uint32_t at, const struct sdmx_obs *o)
{
	const struct sdmx_series *s = &l->series[at];
	const struct sdmx_dataset *d = &l->dataset[s->dataset];

	memset(l->base, 0, sizeof(l->base[0]) * l->n_columns);
	if (d->action != 'D')
		put_cells(&l->outer, d->first, d->n, l->base);
	put_cells(&l->inner, s->first, s->n, l->base);
	if (l->n_shape && (!ready_shapes(l, s, o) || !put_groups(l, s->dataset, false, l->base)))
		return false;
	put_cells(&l->inner, s->first, s->n, l->base); /* what it says itself counts more */
	if (d->action == 'D' && o->n)
		keep_key(l, s);
	memcpy(l->value, l->base, sizeof(l->base[0]) * l->n_columns);
	l->n_applied = 0;
	l->shown = at;
	return true;
}

static uint64_t hash_inner(const struct sdmx_log *l, const struct sdmx_obs *o)
{
	uint64_t h = 0;

	for (size_t i = o->first; i < o->first + o->n; i++) {
		const struct sdmx_cell *cell = &l->inner.v[i];

		if (sdmx_is_of_series(l->column[cell->column].id, l->column[cell->column].role))
			h = hash_bytes(l->inner.text.p + cell->at, cell->n, h + cell->column + 1);
	}
	return h;
}

bool sdmx_log_next(struct sdmx_log *l)
{
	const struct sdmx_obs *o;
	uint64_t hash;

	if (l->at == l->n_closed)
		return false;
	if (l->at && l->shown != SDMX_NONE) { /* undo what the last observation said itself */
		const struct sdmx_obs *last = &l->obs[l->at - 1];

		for (size_t i = last->first; i < last->first + last->n; i++)
			l->value[l->inner.v[i].column] = l->base[l->inner.v[i].column];
		for (; l->n_applied; l->n_applied--)
			put_group(l, &l->group[l->applied[l->n_applied - 1]], l->base, l->value);
	}
	o = &l->obs[l->at++];
	hash = hash_inner(l, o);
	if (l->shown != o->series || hash != l->inner_hash)
		l->series_no++;
	if (l->shown != o->series && !show_series(l, o->series, o)) {
		l->key.failed = true;
		return true;
	}
	l->inner_hash = hash;
	if (l->shown_dataset != l->series[o->series].dataset) {
		l->shown_dataset = l->series[o->series].dataset;
		l->shape_no++;
	}
	put_cells(&l->inner, o->first, o->n, l->value);
	if (l->n_shape && !put_groups(l, l->series[o->series].dataset, true, l->value))
		l->key.failed = true;
	if (l->n_applied)
		put_cells(&l->inner, o->first, o->n, l->value);
	return true;
}

/* Moves n cells down to the ends of what is kept; returns the first of them. */
static size_t move_cells(struct sdmx_cells *c, size_t first, size_t n)
{
	const size_t to = c->n;

	for (size_t i = first; i < first + n; i++) {
		struct sdmx_cell cell = c->v[i];

		if (cell.n)
			memmove(c->text.p + c->text.n, c->text.p + cell.at, cell.n);
		cell.at = c->text.n;
		c->text.n += cell.n;
		c->v[c->n++] = cell;
	}
	return to;
}

void sdmx_log_drained(struct sdmx_log *l)
{
	const bool is_open = l->n_obs > l->n_closed;
	struct sdmx_obs last = is_open ? l->obs[l->n_obs - 1] : (struct sdmx_obs){0};

	l->inner.n = l->inner.text.n = 0;
	if (l->n_series) {
		struct sdmx_series s = l->series[l->n_series - 1];

		s.first = move_cells(&l->inner, s.first, s.n);
		l->series[0] = s;
		l->n_series = 1;
	}
	l->at = l->n_obs = l->n_closed = 0;
	if (is_open) {
		last.first = move_cells(&l->inner, last.first, last.n);
		last.series = 0;
		l->obs[l->n_obs++] = last;
	}
	l->shown = SDMX_NONE;
}
