/* SPDX-License-Identifier: MIT */
/* From the records of one file to observations. */
#include "mapping.h"

#include <string.h>

static glane_str cell_text(const struct state *s, const struct cell *c)
{
	glane_str text = c->constant;

	for (uint16_t i = 0; i < c->n && text.n == 0; i++)
		text = s->h->at(s->rd, c->column[i]);
	return text;
}

static glane_str mapped(const struct glane_map *map, glane_str key)
{
	for (size_t i = 0; key.n && i < map->n; i++)
		if (str_same(key, glane_str_of(map->v[i].k)))
			return map->v[i].v;
	return (glane_str){NULL, 0};
}

/* The value's text; absent where it is one of `missing`. */
static glane_str value_text(const struct state *s, const struct value_column *v)
{
	const glane_str text = s->h->at(s->rd, v->column);

	if (text.n == 0 || (text.p[0] >= '0' && text.p[0] <= '9' && !s->has_digit_marks))
		return text;
	for (size_t i = 0; i < s->o.missing.n; i++)
		if (str_same(str_trim(text), glane_str_of(s->o.missing.v[i])))
			return (glane_str){NULL, 0};
	return text;
}

/* "17/05/2020" under dd/mm/yyyy becomes 2020-05-17. A text of another form is left to the host, which tells. */
static glane_str formatted(const char *format, glane_str text, char out[static 16])
{
	const size_t n = strlen(format);
	size_t to = 0;

	if (n == 0 || text.n != n || n > 12)
		return text;
	for (size_t i = 0; i < n; i++)
		if (!strchr("ymd", format[i]) && format[i] != text.p[i])
			return text;
	for (const char *part = "ymd"; *part; part++) {
		if (to && strchr(format, *part))
			out[to++] = '-';
		for (size_t i = 0; i < n; i++)
			if (format[i] == *part)
				out[to++] = text.p[i];
	}
	return (glane_str){out, to};
}

/* Whether what decides the series is as in the last record; remembers it. */
static int is_same_series(struct state *s)
{
	const struct cell *const cells[] = {
		&s->area, &s->indicator, &s->area_title, &s->unit, &s->unit_mult, &s->title};
	const size_t n_cells = sizeof(cells) / sizeof(cells[0]);
	char *now = s->print_text[!s->print];
	size_t n = 0, n_last = s->n_print;

	s->n_print = 0;
	for (size_t i = 0; i < n_cells + s->o.dims.n; i++) {
		const glane_str t = cell_text(s, i < n_cells ? cells[i] : &s->dims[i - n_cells]);

		if (t.n > MAX_PRINT || n + sizeof(t.n) + t.n > MAX_PRINT)
			return 0;
		memcpy(now + n, &t.n, sizeof(t.n));
		if (t.n)
			memcpy(now + n + sizeof(t.n), t.p, t.n);
		n += sizeof(t.n) + t.n;
	}
	s->n_print = n;
	s->print = !s->print;
	return s->series && n == n_last && memcmp(now, s->print_text[!s->print], n) == 0;
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

static glane_rc find_series(struct state *s, const struct value_column *v, glane_str area, glane_str *ret_mult)
{
	struct glane_kv dims[MAX_DIMS + 1];
	struct glane_series q = {.size = sizeof(q),
		.freq = s->o.freq[0],
		.dataset = s->dataset,
		.area = area,
		.area_scheme = glane_str_of(s->o.area_scheme),
		.area_title = cell_text(s, &s->area_title),
		.dims = dims};
	glane_str mult;

	q.indicator = s->o.indicator[0]                                             ? cell_text(s, &s->indicator)
		      : s->wide == WIDE_INDICATOR && !(s->item && s->n_values == 1) ? v->code
										    : glane_str_of(s->item);
	q.title = s->o.title[0]               ? cell_text(s, &s->title)
		  : s->wide == WIDE_INDICATOR ? v->header
					      : (glane_str){NULL, 0};
	q.unit = mapped(&s->o.units, q.indicator);
	if (!q.unit.p)
		q.unit = cell_text(s, &s->unit);
	mult = mapped(&s->o.unit_mults, q.indicator);
	if (!mult.p)
		mult = cell_text(s, &s->unit_mult);
	if (mult.n && !is_power(mult, &q.unit_mult)) {
		*ret_mult = mult; /* the host will refuse it, here and in every such record */
		s->n_print = 0;
	}
	for (size_t i = 0; i < s->o.dims.n; i++) {
		const glane_str text = cell_text(s, &s->dims[i]);

		dims[q.n_dims++] = (struct glane_kv){s->o.dims.v[i].k, text.n ? text : (glane_str){NULL, 0}};
	}
	if (s->wide == WIDE_DIM)
		dims[q.n_dims++] = (struct glane_kv){s->o.wide, v->code};
	return s->h->series(s->r, &q, &s->series);
}

static glane_rc emit_value(struct state *s, const struct value_column *v, glane_str period, glane_str unit_mult)
{
	struct glane_row row = {.size = sizeof(row),
		.series = s->series,
		.period = s->wide == WIDE_PERIOD ? v->code : period,
		.value = value_text(s, v)};
	glane_str side[SIDES], letter;

	if (row.value.n)
		row.unit_mult = unit_mult;
	for (size_t k = 0; k < SIDES; k++)
		side[k] = v->side[k] ? s->h->at(s->rd, v->side[k] - 1u) : cell_text(s, &s->side[k]);
	if (v->mark.n && row.value.n && !side[SIDE_FLAGS].n)
		side[SIDE_FLAGS] = v->mark;
	letter = mapped(&s->o.status_map, side[SIDE_STATUS].n ? side[SIDE_STATUS] : side[SIDE_FLAGS]);
	row.status = letter.n ? letter : side[SIDE_STATUS];
	row.flags = letter.n && !side[SIDE_FLAGS].n ? side[SIDE_STATUS] : side[SIDE_FLAGS];
	row.note = side[SIDE_NOTE];
	return s->h->emit(s->r, &row);
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

static int is_blank(const struct state *s)
{
	for (size_t i = 0; i < s->n_values; i++)
		if (value_text(s, &s->values[i]).n)
			return 0;
	return 1;
}

static glane_rc record_emit(struct state *s)
{
	char formatted_text[16];
	const glane_str area = cell_text(s, &s->area);
	const glane_str period = formatted(s->o.period_format, cell_text(s, &s->period), formatted_text);
	const int is_one_series = s->wide == WIDE_PERIOD || s->n_values == 1;
	glane_str unit_mult = {NULL, 0};
	glane_rc rc = GLANE_OK;

	s->n_read++;
	if (!is_wanted(s))
		return GLANE_OK;
	s->n_wanted++;
	if (((s->area.n && !area.n) || (s->period.n && !period.n)) && is_blank(s)) {
		s->n_passed++;
		return GLANE_OK;
	}
	if (s->area.n && !area.n)
		return s->h->reject(s->r, "area", "a value without an area: column '%s' is empty", s->o.area);
	for (size_t i = 0; rc == GLANE_OK && i < s->n_values; i++) {
		const struct value_column *v = &s->values[i];

		if (i == 0 ? !is_one_series || !is_same_series(s) : !is_one_series)
			rc = find_series(s, v, s->wide == WIDE_AREA ? v->code : area, &unit_mult);
		if (rc == GLANE_OK)
			rc = emit_value(s, v, period, unit_mult);
	}
	return rc;
}

glane_rc file_read(struct state *s, const char *url)
{
	const struct options *o = &s->o;
	const struct glane_csv csv = {.size = sizeof(csv),
		.delimiter = strcmp(o->delimiter, "tab") != 0 ? o->delimiter[0] : '\t',
		.quote = strcmp(o->quote, "none") != 0 ? o->quote[0] : '\1',
		.decimal = o->decimal[0],
		.group = strcmp(o->group, "blank") != 0 ? o->group[0] : ' ',
		.skip = (uint32_t)o->skip,
		.no_header = o->no_header,
		.ragged = o->ragged,
		.trim = o->trim,
		.encoding = o->encoding[0] ? o->encoding : NULL,
		.sheet = strcmp(o->sheet, "*") != 0 ? o->sheet : NULL};
	const struct glane_request q = {.size = sizeof(q),
		.format = o->sheet[0] ? GLANE_FMT_XLSX : GLANE_FMT_CSV,
		.url = url,
		.csv = &csv,
		.member = o->member[0] ? o->member : NULL};
	glane_rc rc = s->h->open(s->r, &q, &s->rd);
	size_t n = 0;

	if (rc != GLANE_OK)
		return rc;
	if (s->h->columns(s->rd) > 0)
		rc = mapping_resolve(s);
	for (; rc == GLANE_OK && (rc = s->h->next(s->rd)) == GLANE_OK; n++)
		rc = record_emit(s);
	if (rc == GLANE_END && n == 0 && !o->may_be_empty &&
		(o->files.n > 1 || s->item_period)) /* others would hide it */
		rc = s->h->fail(s->r, GLANE_E_DATA,
			"%s holds no records: does the provider still have it? (may_be_empty = yes where that is no "
			"failure)",
			url);
	if (rc == GLANE_END && s->n_passed)
		s->h->log(s->r, GLANE_LOG_INFO, "%s: passed over %llu records without area or period", url,
			(unsigned long long)s->n_passed);
	s->h->close(s->rd);
	return rc == GLANE_END ? GLANE_OK : rc;
}
