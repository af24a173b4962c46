/* SPDX-License-Identifier: MIT */
/* From the records of an answer to observations. */
#include "mapping.h"

#include <stdlib.h>

#define NAMES_SHOWN 12

static glane_str cell_text(const struct state *s, const struct cell *c)
{
	glane_str text = c->constant;

	for (uint16_t i = 0; i < c->n && text.n == 0; i++)
		text = s->h->at(s->rd, c->field[i]);
	return text;
}

static glane_str side_text(const struct state *s, const struct cell *c, const struct cell *value, size_t k)
{
	return c->list ? list_text(c, value, k) : cell_text(s, c);
}

static glane_str mapped(const struct glane_map *map, glane_str key)
{
	for (size_t i = 0; key.n && i < map->n; i++)
		if (str_same(key, glane_str_of(map->v[i].k)))
			return map->v[i].v;
	return (glane_str){NULL, 0};
}

static glane_str unless_missing(const struct state *s, glane_str text)
{
	for (size_t i = 0; text.n && i < s->o.missing.n; i++)
		if (str_same(text, glane_str_of(s->o.missing.v[i])))
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

/* The named dimensions, and the members of the objects that "*" names, whatever they are. GLANE_END: too many. */
static glane_rc read_dims(struct state *s, struct glane_kv *dims, size_t *n)
{
	for (size_t i = 0; i < s->o.dims.n; i++) {
		const struct cell *c = &s->dims[i];
		const struct glane_kv one = {s->o.dims.v[i].k, c->list ? (glane_str){NULL, 0} : cell_text(s, c)};
		size_t n_item = 1;
		const struct glane_kv *item = c->list ? s->h->items(s->rd, c->list, &n_item) : &one;
		glane_rc rc = c->list ? list_check(s, c->list, item, n_item) : GLANE_OK;

		if (rc == GLANE_OK && n_item && item && !item->k)
			rc = s->h->fail(s->r, GLANE_E_DATA, "dims: *=%s is an array, its items have no names", c->list);
		for (size_t k = 0; rc == GLANE_OK && item && k < n_item; k++) {
			if (*n == MAX_DIMS)
				return GLANE_END;
			if (item[k].v.n)
				dims[(*n)++] = item[k];
		}
		if (rc != GLANE_OK)
			return rc;
	}
	return GLANE_OK;
}

static glane_rc find_series(struct state *s, const struct value *v, glane_str area, struct glane_kv *dims,
	size_t n_dims, struct glane_row *row)
{
	struct glane_series q = {.size = sizeof(q),
		.freq = s->o.freq[0],
		.dataset = s->dataset,
		.area = area,
		.area_scheme = glane_str_of(s->o.area_scheme),
		.area_title = cell_text(s, &s->area_title),
		.title = cell_text(s, &s->title),
		.dims = dims,
		.n_dims = n_dims};
	glane_str mult;

	q.indicator = s->o.indicator[0]                             ? cell_text(s, &s->indicator)
		      : s->item && s->n_values == 1 && !v->has_code ? glane_str_of(s->item)
								    : v->code;
	q.unit = mapped(&s->o.units, q.indicator);
	if (!q.unit.p)
		q.unit = cell_text(s, &s->unit);
	mult = mapped(&s->o.unit_mults, q.indicator);
	if (!mult.p)
		mult = cell_text(s, &s->unit_mult);
	row->unit_mult = mult.n && !is_power(mult, &q.unit_mult)
				 ? mult
				 : (glane_str){NULL, 0}; /* a word, or the host refuses it */
	return s->h->series(s->r, &q, &row->series);
}

static glane_rc emit_item(struct state *s, const struct value *v, size_t k, struct glane_row row)
{
	const struct cell *c = &v->cell;
	const struct glane_kv *item = c->list && c->item ? &c->item[k] : NULL;
	glane_str side[SIDES], letter, period = side_text(s, &s->period, c, k);

	if (!s->o.period[0] && item && item->k)
		period = glane_str_of(item->k);
	for (size_t i = 0; i < SIDES; i++)
		side[i] = side_text(s, &s->side[i], c, k);
	row.period = period_text(period);
	row.value = unless_missing(s, item ? item->v : cell_text(s, c));
	if (!row.value.n)
		row.unit_mult = (glane_str){NULL, 0};
	letter = mapped(&s->o.status_map, side[SIDE_STATUS].n ? side[SIDE_STATUS] : side[SIDE_FLAGS]);
	row.status = letter.n ? letter : side[SIDE_STATUS];
	row.flags = letter.n && !side[SIDE_FLAGS].n ? side[SIDE_STATUS] : side[SIDE_FLAGS];
	row.note = side[SIDE_NOTE];
	return s->h->emit(s->r, &row);
}

static glane_rc emit_value(struct state *s, struct value *v, glane_str area, struct glane_kv *dims, size_t n_dims)
{
	struct glane_row row = {.size = sizeof(row)};
	const size_t n = v->cell.list ? v->cell.n_item : 1;
	glane_rc rc = find_series(s, v, area, dims, n_dims, &row);

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
			found |= str_same(text, bar ? (glane_str){list, (size_t)(bar - list)} : glane_str_of(list));
			list = bar ? bar + 1 : list;
		} while (bar && !found);
		if (!found)
			return 0;
	}
	return 1;
}

static int holds(const struct state *s, size_t field)
{
	return s->field[field][0] == '$' || list_holds(s, s->field[field]);
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
			v->is_seen = text.n || holds(s, v->cell.field[k]);
		v->is_seen |= v->cell.item != NULL || v->cell.constant.n != 0;
	}
	return has;
}

/* A record that has members, but none that an option names, is something else: an error among the records, say. */
static int is_alien(const struct state *s)
{
	size_t n = 0;
	int is_known = s->n_field == 0;

	for (size_t i = 0; i < s->n_values && !is_known; i++) {
		const struct cell *c = &s->values[i].cell;

		is_known = c->item || (c->list && c->list[0] && list_holds(s, c->list));
	}
	for (size_t i = 0; i < s->n_field && !is_known; i++)
		is_known = s->field[i][0] != '$' && s->h->at(s->rd, i).n;
	for (size_t i = 0; i < s->n_field && !is_known; i++)
		is_known = s->field[i][0] != '$' && list_holds(s, s->field[i]);
	return !is_known && s->h->items(s->rd, "", &n) && n;
}

static glane_rc check_lists(struct state *s)
{
	const struct {
		struct cell *cell;
		const char *text;
	} all[] = {{&s->period, s->o.period}, {&s->side[SIDE_STATUS], s->o.status}, {&s->side[SIDE_FLAGS], s->o.flags},
		{&s->side[SIDE_NOTE], s->o.note}};
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].cell->list)
			rc = list_check(s, all[i].cell->list, all[i].cell->item, all[i].cell->n_item);
	for (size_t k = 0; rc == GLANE_OK && k < s->n_values; k++) {
		const struct cell *c = &s->values[k].cell;

		if (c->list)
			rc = list_check(s, c->list, c->item, c->n_item);
		for (size_t i = 0; rc == GLANE_OK && i < sizeof(all) / sizeof(all[0]); i++)
			rc = list_pair(s, all[i].cell, all[i].text, &s->values[k], i > 0 || !c->list);
	}
	return rc;
}

static glane_rc emit_record(struct state *s, int has)
{
	const glane_str area = cell_text(s, &s->area);
	const int is_astray = s->area.n && !area.n;
	struct glane_kv dims[MAX_DIMS];
	size_t n_dims = 0;
	glane_rc rc = GLANE_OK;

	if (!has && (is_astray || (s->period.n && !cell_text(s, &s->period).n))) {
		s->n_passed++;
		return GLANE_OK;
	}
	if (is_astray)
		return s->h->reject(s->r, "area", "a value without an area: '%s' is empty", s->o.area);
	rc = read_dims(s, dims, &n_dims);
	if (rc == GLANE_END)
		return s->h->reject(s->r, "dims", "more than %d dimensions", MAX_DIMS);
	for (size_t i = 0; rc == GLANE_OK && i < s->n_values; i++)
		rc = emit_value(s, &s->values[i], area, dims, n_dims);
	return rc;
}

glane_rc record_emit(struct state *s)
{
	const int has = has_values(s);
	glane_rc rc;

	s->n_records++;
	if (is_alien(s) && !s->alien)
		s->alien = s->n_records;
	if (s->alien == s->n_records || !is_wanted(s))
		return GLANE_OK;
	rc = check_lists(s);
	if (rc == GLANE_OK)
		rc = emit_record(s, has);
	free(s->period.sorted);
	s->period.sorted = NULL;
	for (size_t i = 0; i < SIDES; i++) {
		free(s->side[i].sorted);
		s->side[i].sorted = NULL;
	}
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
	if (s->alien)
		return s->h->fail(s->r, GLANE_E_DATA,
			"record %llu holds none of the paths of the options: is it an error, or has the source changed "
			"its shape?",
			(unsigned long long)s->alien);
	return GLANE_OK;
}
