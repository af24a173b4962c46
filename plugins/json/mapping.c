/* SPDX-License-Identifier: MIT */
/* From the options to the paths of one answer. */
#include "mapping.h"

const char *mapping_fill(const struct state *s, const char *text)
{
	const char *const marks[] = {"{indicator}", "{period}"}, *const items[] = {s->item, s->item_period};

	for (size_t k = 0; k < 2; k++) {
		const char *at = text && items[k] ? strstr(text, marks[k]) : NULL;

		while (at && text) {
			const size_t done = (size_t)(at - text) + strlen(items[k]);

			text = s->h->fmt(s->r, "%.*s%s%s", (int)(at - text), text, items[k], at + strlen(marks[k]));
			at = text ? strstr(text + done, marks[k]) : NULL;
		}
	}
	return text;
}

/* The field that is bound to the path; one path is bound once. */
static glane_rc bind(struct state *s, const char *path, struct cell *c)
{
	size_t i = 0;

	while (i < s->n_field && strcmp(s->field[i], path) != 0)
		i++;
	if (i == MAX_FIELDS || c->n == MAX_OR)
		return s->h->fail(s->r, GLANE_E_CONFIG, "path %s: more than %d paths, or %d for one cell", path,
			MAX_FIELDS, MAX_OR);
	if (i == s->n_field)
		s->field[s->n_field++] = path;
	c->field[c->n++] = (uint16_t)i;
	return GLANE_OK;
}

/* "=text", a path, paths separated by '|', or "path.*": the items of an array or object. */
static glane_rc resolve(struct state *s, const char *option, const char *text, struct cell *c)
{
	const char *filled = mapping_fill(s, text);
	const size_t n = filled ? strlen(filled) : 0;
	glane_rc rc = filled ? GLANE_OK : s->h->fail(s->r, GLANE_E_NOMEM, "no memory for %s", option);

	memset(c, 0, sizeof(*c));
	if (n == 0)
		return rc;
	if (filled[0] == '=') {
		c->constant = glane_str_of(filled + 1);
	} else if (filled[n - 1] == '*' && (n == 1 || filled[n - 2] == '.')) {
		c->list = s->h->fmt(s->r, "%.*s", (int)(n > 1 ? n - 2 : 0), filled);
		rc = c->list ? GLANE_OK : s->h->fail(s->r, GLANE_E_NOMEM, "no memory for %s", option);
	} else {
		while (rc == GLANE_OK && filled) {
			const char *bar = strchr(filled, '|');
			const char *path = bar ? s->h->fmt(s->r, "%.*s", (int)(bar - filled), filled) : filled;

			rc = !path     ? s->h->fail(s->r, GLANE_E_NOMEM, "no memory for %s", option)
			     : path[0] ? bind(s, path, c)
				       : GLANE_OK;
			filled = bar ? bar + 1 : NULL;
		}
	}
	return rc;
}

static glane_rc resolve_values(struct state *s)
{
	glane_rc rc = GLANE_OK;

	s->n_values = s->o.value.n;
	for (size_t i = 0; rc == GLANE_OK && i < s->n_values; i++) {
		struct value *v = &s->values[i];
		const char *text = s->o.value.v[i], *equals = strchr(text, '=');

		v->has_code = equals && equals != text;
		v->is_seen = 0;
		v->path = v->has_code ? equals + 1 : text;
		v->code = v->has_code ? (glane_str){text, (size_t)(equals - text)} : glane_str_of(text);
		rc = resolve(s, "value", v->path, &v->cell);
	}
	return rc;
}

glane_rc mapping_resolve(struct state *s)
{
	const struct options *o = &s->o;
	const struct {
		const char *option, *text;
		struct cell *cell;
		int may_be_list;
	} all[] = {{"indicator", o->indicator, &s->indicator, 0}, {"area", o->area, &s->area, 0},
		{"area_title", o->area_title, &s->area_title, 0}, {"period", o->period, &s->period, 1},
		{"unit", o->unit, &s->unit, 0}, {"unit_mult", o->unit_mult, &s->unit_mult, 0},
		{"title", o->title, &s->title, 0}, {"status", o->status, &s->side[SIDE_STATUS], 1},
		{"flags", o->flags, &s->side[SIDE_FLAGS], 1}, {"note", o->note, &s->side[SIDE_NOTE], 1}};
	glane_rc rc = GLANE_OK;

	s->n_field = s->n_records = s->n_passed = s->alien = 0;
	s->dataset = glane_str_of(mapping_fill(s, o->dataset));
	for (size_t i = 0; rc == GLANE_OK && i < sizeof(all) / sizeof(all[0]); i++) {
		rc = resolve(s, all[i].option, all[i].text, all[i].cell);
		if (rc == GLANE_OK && all[i].cell->list && !all[i].may_be_list)
			rc = s->h->fail(
				s->r, GLANE_E_CONFIG, "%s = %s: a list has no place there", all[i].option, all[i].text);
	}
	for (size_t i = 0; rc == GLANE_OK && i < o->dims.n; i++) {
		const int is_all = strcmp(o->dims.v[i].k, "*") == 0;

		rc = is_all ? GLANE_OK : resolve(s, "dims", o->dims.v[i].v.p, &s->dims[i]);
		if (is_all)
			s->dims[i] = (struct cell){.list = o->dims.v[i].v.p};
		else if (rc == GLANE_OK && s->dims[i].list)
			rc = s->h->fail(
				s->r, GLANE_E_CONFIG, "dims: write *=%s for the members of an object", s->dims[i].list);
	}
	for (size_t i = 0; rc == GLANE_OK && i < o->where.n; i++)
		rc = resolve(s, "where", o->where.v[i].k, &s->where[i]);
	return rc == GLANE_OK ? resolve_values(s) : rc;
}

static int is_word(const char *text, const char *a, const char *b)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

glane_rc mapping_check(const struct state *s)
{
	const struct options *o = &s->o;
	const int is_next = strcmp(o->paging, "next") == 0;
	const struct {
		const char *option, *text, *told;
		int is_right;
	} all[] = {{"freq", o->freq, "one of A S T Q M W D B, or nothing: as each period says",
			   !o->freq[0] || (!o->freq[1] && strchr("ASTQMWDB", o->freq[0]))},
		{"cover", o->cover, "full or none", is_word(o->cover, "full", "none")},
		{"paging", o->paging, "number, offset or next",
			!o->paging[0] || is_next || is_word(o->paging, "number", "offset")},
		{"page_next", o->page_next, "the path of a link, for paging = next", !is_next || o->page_next[0]},
		{"page_len", "0 or less", "1 or more", o->page_len >= 1},
		{"value", "...", "fewer items", o->value.n <= MAX_VALUES},
		{"query", "...", "fewer items", o->query.n <= MAX_QUERY},
		{"dims", "...", "fewer items", o->dims.n <= MAX_DIMS},
		{"where", "...", "fewer items", o->where.n <= MAX_WHERE}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!all[i].is_right)
			return s->h->fail(
				s->r, GLANE_E_CONFIG, "%s = %s: write %s", all[i].option, all[i].text, all[i].told);
	return GLANE_OK;
}
