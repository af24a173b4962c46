/* SPDX-License-Identifier: MIT */
/* From the records of an answer to observations. */
#include "mapping.h"

#define NAMES_SHOWN 12

static glane_str cell_text(const struct state *s, const struct cell *c)
{
	glane_str text = c->constant;

	for (uint16_t i = 0; i < c->n && text.n == 0; i++)
		text = s->h->at(s->rd, c->field[i]);
	return text;
}

/* What a cell says of item k of the value: the item of the same name in an object, of the same place in an array. */
static glane_str side_text(const struct state *s, const struct cell *c, const struct cell *value, size_t k)
{
	if (!c->list)
		return cell_text(s, c);
	if (!value->list || !value->item || !value->item[k].k)
		return k < c->n_item ? c->item[k].v : (glane_str){NULL, 0};
	for (size_t i = 0; i < c->n_item; i++) {
		const struct glane_kv *item = &c->item[(i + k) % c->n_item]; /* they mostly stand in the same order */

		if (item->k && strcmp(item->k, value->item[k].k) == 0)
			return item->v;
	}
	return (glane_str){NULL, 0};
}

static glane_str mapped(const struct glane_map *map, glane_str key)
{
	for (size_t i = 0; key.n && i < map->n; i++)
		if (str_same(key, str_of(map->v[i].k)))
			return map->v[i].v;
	return (glane_str){NULL, 0};
}

static glane_str unless_missing(const struct state *s, glane_str text)
{
	for (size_t i = 0; text.n && i < s->o.missing.n; i++)
		if (str_same(text, str_of(s->o.missing.v[i])))
			return (glane_str){NULL, 0};
	return text;
}

/* A year that is written as a number with a point: 2015.0. */
static glane_str period_text(glane_str t)
{
	if (t.n == 6 && memcmp(t.p + 4, ".0", 2) == 0)
		t.n = 4;
	return t;
}

static int is_power(glane_str t, int32_t *ret)
{
	const size_t sign = t.n > 1 && (t.p[0] == '-' || t.p[0] == '+');
	int32_t v = 0;

	if (t.n == sign || t.n > sign + 2)
		return 0;
	for (size_t i = sign; i < t.n; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return 0;
		v = v * 10 + (t.p[i] - '0');
	}
	*ret = sign && t.p[0] == '-' ? -v : v;
	return 1;
}

/* The named dimensions, and the members of the objects that "*" names, whatever they are. -1: too many. */
static int read_dims(struct state *s, struct glane_kv *dims)
{
	int n = 0;

	for (size_t i = 0; i < s->o.dims.n; i++) {
		const struct cell *c = &s->dims[i];
		const struct glane_kv one = {s->o.dims.v[i].k, c->list ? (glane_str){NULL, 0} : cell_text(s, c)};
		size_t n_item = 1;
		const struct glane_kv *item = c->list ? s->h->items(s->rd, c->list, &n_item) : &one;

		for (size_t k = 0; item && k < n_item; k++) {
			if (n == MAX_DIMS)
				return -1;
			if (item[k].k && item[k].v.n)
				dims[n++] = item[k];
		}
	}
	return n;
}

static glane_rc find_series(struct state *s, const struct value *v, glane_str area, struct glane_kv *dims,
	size_t n_dims, struct glane_row *row)
{
	struct glane_series q = {.size = sizeof(q),
		.freq = s->o.freq[0],
		.dataset = s->dataset,
		.area = area,
		.area_scheme = str_of(s->o.area_scheme),
		.area_title = cell_text(s, &s->area_title),
		.title = cell_text(s, &s->title),
		.dims = dims,
		.n_dims = n_dims};
	glane_str mult;

	q.indicator = s->o.indicator[0]                             ? cell_text(s, &s->indicator)
		      : s->item && s->n_values == 1 && !v->has_code ? str_of(s->item)
								    : v->code;
	q.unit = mapped(&s->o.units, q.indicator);
	if (!q.unit.p)
		q.unit = cell_text(s, &s->unit);
	mult = mapped(&s->o.unit_mults, q.indicator);
	if (!mult.p)
		mult = cell_text(s, &s->unit_mult);
	row->unit_mult =
		mult.n && !is_power(mult, &q.unit_mult) ? mult : (glane_str){NULL, 0}; /* the host refuses it */
	return s->h->series(s->r, &q, &row->series);
}

static glane_rc emit_item(struct state *s, const struct value *v, size_t k, struct glane_row row)
{
	const struct cell *c = &v->cell;
	const struct glane_kv *item = c->list && c->item ? &c->item[k] : NULL;
	glane_str side[SIDES], letter, period = side_text(s, &s->period, c, k);

	if (!s->o.period[0] && item && item->k)
		period = str_of(item->k);
	for (size_t i = 0; i < SIDES; i++)
		side[i] = side_text(s, &s->side[i], c, k);
	row.period = period_text(period);
	row.value = unless_missing(s, item ? item->v : cell_text(s, c));
	letter = mapped(&s->o.status_map, side[SIDE_STATUS].n ? side[SIDE_STATUS] : side[SIDE_FLAGS]);
	row.status = letter.n ? letter : side[SIDE_STATUS];
	row.flags = letter.n && !side[SIDE_FLAGS].n ? side[SIDE_STATUS] : side[SIDE_FLAGS];
	row.note = side[SIDE_NOTE];
	return s->h->emit(s->r, &row);
}

static glane_rc emit_value(struct state *s, struct value *v, glane_str area, struct glane_kv *dims, size_t n_dims)
{
	struct glane_row row = {.size = sizeof(row)};
	const struct cell *c = &v->cell;
	const size_t n = c->list ? c->n_item : 1;
	glane_rc rc;

	if (c->list && s->period.list && c->item && !(n && c->item[0].k) && s->period.n_item != n)
		return s->h->fail(s->r, GLANE_E_DATA,
			"%s holds %zu items, but %s %zu: has the source changed its shape?", v->path, n, s->o.period,
			s->period.n_item);
	rc = find_series(s, v, area, dims, n_dims, &row);
	for (size_t k = 0; rc == GLANE_OK && k < n; k++)
		rc = emit_item(s, v, k, row);
	return rc;
}

static int is_wanted(const struct state *s)
{
	for (size_t i = 0; i < s->o.where.n; i++) {
		const glane_str text = cell_text(s, &s->where[i]);
		const char *list = s->o.where.v[i].v.p, *bar;
		int found = 0;

		do {
			bar = strchr(list, '|');
			found |= str_same(text, bar ? (glane_str){list, (size_t)(bar - list)} : str_of(list));
			list = bar ? bar + 1 : list;
		} while (bar && !found);
		if (!found)
			return 0;
	}
	return 1;
}

/* Whether the record has a member at the path, be it null; of a name with escapes that is supposed. */
static int holds(const struct state *s, const char *path)
{
	const char *dot = strrchr(path, '.'), *name = dot ? dot + 1 : path;
	size_t n = 0;
	const struct glane_kv *item;

	if (path[0] == '$' || path[0] == '=' || strchr(path, '\\'))
		return 1;
	item = s->h->items(s->rd, dot ? s->h->fmt(s->r, "%.*s", (int)(dot - path), path) : "", &n);
	for (size_t i = 0; item && i < n; i++)
		if (!item[i].k || strcmp(item[i].k, name) == 0)
			return 1;
	return 0;
}

static void read_list(struct state *s, struct cell *c)
{
	if (c->list)
		c->item = s->h->items(s->rd, c->list, &c->n_item);
}

/* Reads the lists of the record; whether it has a value at all. */
static int has_values(struct state *s)
{
	int has = 0;

	read_list(s, &s->period);
	for (size_t i = 0; i < SIDES; i++)
		read_list(s, &s->side[i]);
	for (size_t i = 0; i < s->n_values; i++) {
		struct value *v = &s->values[i];
		glane_str text = {NULL, 0};

		read_list(s, &v->cell);
		if (!v->cell.list)
			text = cell_text(s, &v->cell);
		has |= v->cell.list ? v->cell.n_item != 0 : unless_missing(s, text).n != 0;
		for (uint16_t k = 0; k < v->cell.n && !v->is_seen; k++)
			v->is_seen = text.n || holds(s, s->field[v->cell.field[k]]);
		v->is_seen |= v->cell.item != NULL || v->cell.constant.n != 0;
	}
	return has;
}

glane_rc record_emit(struct state *s)
{
	const glane_str area = cell_text(s, &s->area);
	const int has = has_values(s), is_astray = s->area.n && !area.n;
	struct glane_kv dims[MAX_DIMS];
	glane_rc rc = GLANE_OK;
	int n_dims;

	s->n_records++;
	if (!is_wanted(s))
		return GLANE_OK;
	if (!has && (is_astray || (s->period.n && !cell_text(s, &s->period).n))) {
		s->n_passed++;
		return GLANE_OK;
	}
	if (is_astray)
		return s->h->reject(s->r, "area", "a value without an area: '%s' is empty", s->o.area);
	n_dims = read_dims(s, dims);
	if (n_dims < 0)
		return s->h->reject(s->r, "dims", "more than %d dimensions", MAX_DIMS);
	for (size_t i = 0; rc == GLANE_OK && i < s->n_values; i++)
		rc = emit_value(s, &s->values[i], area, dims, (size_t)n_dims);
	return rc;
}

glane_rc record_check(struct state *s)
{
	if (s->n_records == 0 && !s->o.may_be_empty)
		return s->h->fail(s->r, GLANE_E_DATA,
			"the answer holds no records: does the provider still have it? (may_be_empty = yes where that "
			"is right)");
	for (size_t i = 0; s->n_records && i < s->n_values; i++)
		if (!s->values[i].is_seen)
			return s->h->fail(s->r, GLANE_E_DATA,
				"value = %s: none of the %llu records holds it: has the source changed its shape?",
				s->values[i].path, (unsigned long long)s->n_records);
	return GLANE_OK;
}
