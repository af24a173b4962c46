/* SPDX-License-Identifier: MIT */
/* Options to columns. */
#include "mapping.h"

#include <string.h>

#define OPT(name, type, flags, dflt, help)                                                                             \
	{                                                                                                              \
#name, type, flags, offsetof(struct state, name), dflt, help, 0, 0                                     \
	}
const struct glane_opt csv_options[] = {
	OPT(files, GLANE_OPT_LIST, 0, "",
		"paths below base_url, or URLs; {indicator} is replaced; empty: base_url itself"),
	OPT(indicators, GLANE_OPT_LIST, 0, "", "what {indicator} of files goes through"),
	OPT(member, GLANE_OPT_STR, 0, "", "entry of a zip or 7z file, a glob"),
	OPT(delimiter, GLANE_OPT_STR, 0, ",", "one character, or the word tab"),
	OPT(quote, GLANE_OPT_STR, 0, "\"", "one character, or the word none"),
	OPT(encoding, GLANE_OPT_STR, 0, "",
		"ISO-8859-1, windows-1252, UTF-16LE, ...; empty: UTF-8 or by byte-order mark"),
	OPT(decimal, GLANE_OPT_STR, 0, ".", "decimal mark"),
	OPT(group, GLANE_OPT_STR, 0, "", "thousands separator, or the word blank"),
	{"skip", GLANE_OPT_INT, 0, offsetof(struct state, skip), "0", "lines before the header", 0, 1000},
	OPT(ragged, GLANE_OPT_BOOL, 0, "no", "short lines are padded (footers)"),
	OPT(trim, GLANE_OPT_BOOL, 0, "no", "drop blanks around cells"),
	OPT(no_header, GLANE_OPT_BOOL, 0, "no", "columns are named 1, 2, 3, ..."),
	OPT(dataset, GLANE_OPT_STR, GLANE_OPT_REQUIRED, NULL, "name of the dataset, written into every row"),
	OPT(indicator, GLANE_OPT_STR, 0, "", "column, or =constant; empty: the value column's code or name"),
	OPT(area, GLANE_OPT_STR, 0, "", "column, =constant, or alternatives: iso_code|location"),
	OPT(area_scheme, GLANE_OPT_STR, 0, "ISO3",
		"how area codes are to be read: ISO3 ISO2 M49 WB UNCTAD OWID NAME ..."),
	OPT(area_title, GLANE_OPT_STR, 0, "", "column of the area's name"),
	OPT(period, GLANE_OPT_STR, 0, "", "column, or =constant (=2014)"),
	OPT(freq, GLANE_OPT_STR, 0, "", "A S T Q M W D B; empty: by each period"),
	OPT(value, GLANE_OPT_LIST, 0, "", "columns, each NAME or CODE=NAME; *: every column whose header is a period"),
	OPT(wide, GLANE_OPT_STR, 0, "",
		"every column not named elsewhere is a value: of this dimension, or of the area"),
	OPT(dims, GLANE_OPT_MAP, 0, "", "DIMENSION=column (or DIMENSION==constant)"),
	OPT(unit, GLANE_OPT_STR, 0, "", "column, or =constant"),
	OPT(title, GLANE_OPT_STR, 0, "", "column of the indicator's name, or =constant"),
	OPT(status, GLANE_OPT_STR, 0, "", "column of the observation's status"),
	OPT(status_map, GLANE_OPT_MAP, 0, "", "the provider's word (of status, else of flags)=SDMX letter"),
	OPT(flags, GLANE_OPT_STR, 0, "", "column of flags; {value} is the value column's name"),
	OPT(note, GLANE_OPT_STR, 0, "", "column of notes; {value} likewise"),
	OPT(unit_mult, GLANE_OPT_STR, 0, "", "column of the power of ten, or =constant"),
	OPT(missing, GLANE_OPT_LIST, 0, "", "texts that stand for an empty cell: .. N/A -"),
	OPT(where, GLANE_OPT_MAP, 0, "", "column=text: only such records"),
	OPT(cover, GLANE_OPT_STR, 0, "full", "full: what is missing is withdrawn; none: the file is an increment"),
	{0},
};

glane_str csv_str(const char *s)
{
	return (glane_str){s, strlen(s)};
}

int csv_same(glane_str a, glane_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static int32_t find_column(const struct glane_host *h, glane_reader *rd, glane_str name)
{
	const size_t n = h->columns(rd);

	for (size_t i = 0; i < n; i++)
		if (csv_same(h->column(rd, i), name))
			return (int32_t)i;
	return -1;
}

/* "=text", a column's whole name, or alternatives separated by '|'. */
static glane_rc resolve(const struct glane_host *h, glane_run *r, glane_reader *rd, const char *option,
	const char *text, struct cell *c)
{
	glane_str rest = csv_str(text);
	int32_t whole;

	memset(c, 0, sizeof(*c));
	if (rest.n == 0)
		return GLANE_OK;
	if (text[0] == '=') {
		c->constant = csv_str(text + 1);
		return GLANE_OK;
	}
	whole = find_column(h, rd, rest);
	if (whole >= 0) {
		c->column[c->n++] = whole;
		return GLANE_OK;
	}
	while (rest.n > 0 && c->n < 4) {
		const char *bar = memchr(rest.p, '|', rest.n);
		const glane_str name = {rest.p, bar ? (size_t)(bar - rest.p) : rest.n};
		const int32_t i = find_column(h, rd, name);

		if (i >= 0)
			c->column[c->n++] = i;
		rest = bar ? (glane_str){bar + 1, rest.n - name.n - 1} : (glane_str){NULL, 0};
	}
	if (c->n == 0)
		return h->fail(r, GLANE_E_DATA, "%s = %s: the file has no such column", option, text);
	return GLANE_OK;
}

/* The name with {value} replaced; a column that this value column does not have is none. */
static void resolve_side(
	const struct glane_host *h, glane_run *r, glane_reader *rd, const char *text, glane_str value, struct cell *c)
{
	const char *mark = strstr(text, "{value}");
	const char *name = text;
	int32_t i;

	memset(c, 0, sizeof(*c));
	if (mark)
		name = h->fmt(r, "%.*s%.*s%s", (int)(mark - text), text, (int)value.n, value.p, mark + 7);
	i = name && *name ? find_column(h, rd, csv_str(name)) : -1;
	if (i >= 0)
		c->column[c->n++] = i;
}

static void add_value(const struct glane_host *h, glane_run *r, glane_reader *rd, const struct state *s,
	struct mapping *m, int32_t i, glane_str code)
{
	struct value_column *v = &m->values[m->n_values++];

	memset(v, 0, sizeof(*v));
	v->column = (uint32_t)i;
	v->header = h->column(rd, (size_t)i);
	v->code = code.n ? code : v->header;
	resolve_side(h, r, rd, s->flags, v->header, &v->flags);
	resolve_side(h, r, rd, s->note, v->header, &v->note);
}

static glane_rc named_values(
	const struct glane_host *h, glane_run *r, glane_reader *rd, const struct state *s, struct mapping *m)
{
	for (size_t k = 0; k < s->value.n && m->n_values < MAX_VALUES; k++) {
		const char *item = s->value.v[k], *equals = strchr(item, '=');
		int32_t i = find_column(h, rd, csv_str(item));
		glane_str code = {NULL, 0};

		if (i < 0 && equals) {
			code = (glane_str){item, (size_t)(equals - item)};
			i = find_column(h, rd, csv_str(equals + 1));
		}
		if (i < 0)
			return h->fail(r, GLANE_E_DATA, "value = %s: the file has no such column", item);
		add_value(h, r, rd, s, m, i, code);
	}
	return GLANE_OK;
}

static glane_str header_period(glane_str header)
{
	if (header.n > 4 && header.p[0] == 'F' && header.p[1] >= '0' && header.p[1] <= '9')
		return (glane_str){header.p + 1, header.n - 1};
	return header;
}

static void period_values(
	const struct glane_host *h, glane_run *r, glane_reader *rd, const struct state *s, struct mapping *m)
{
	const size_t n = h->columns(rd);

	m->wide_periods = 1;
	for (size_t i = 0; i < n && m->n_values < MAX_VALUES; i++) {
		const glane_str period = header_period(h->column(rd, i));
		int32_t value;
		char freq;

		if (!period.n || h->period(r, s->freq[0], period, &freq, &value) != GLANE_OK)
			continue;
		add_value(h, r, rd, s, m, (int32_t)i, (glane_str){NULL, 0});
		m->values[m->n_values - 1].period = period;
	}
}

static int is_used(const struct cell *c, int32_t column)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->column[i] == column)
			return 1;
	return 0;
}

static void wide_values(
	const struct glane_host *h, glane_run *r, glane_reader *rd, const struct state *s, struct mapping *m)
{
	const struct cell *const named[] = {
		&m->indicator, &m->area, &m->area_title, &m->period, &m->unit, &m->title, &m->status, &m->unit_mult};
	const size_t n = h->columns(rd);

	m->wide_area = strcmp(s->wide, "area") == 0;
	m->wide_dim = m->wide_area ? NULL : s->wide;
	for (size_t i = 0; i < n && m->n_values < MAX_VALUES; i++) {
		int used = h->column(rd, i).n == 0;

		for (size_t k = 0; k < sizeof(named) / sizeof(named[0]); k++)
			used |= is_used(named[k], (int32_t)i);
		for (size_t k = 0; k < s->dims.n; k++)
			used |= is_used(&m->dims[k], (int32_t)i);
		if (!used)
			add_value(h, r, rd, s, m, (int32_t)i,
				s->indicator[0] ? (glane_str){NULL, 0} : csv_str(s->dataset));
	}
}

static glane_rc values(
	const struct glane_host *h, glane_run *r, glane_reader *rd, const struct state *s, struct mapping *m)
{
	glane_rc rc = GLANE_OK;

	if (s->wide[0])
		wide_values(h, r, rd, s, m);
	else if (s->value.n == 1 && strcmp(s->value.v[0], "*") == 0)
		period_values(h, r, rd, s, m);
	else
		rc = named_values(h, r, rd, s, m);
	if (rc == GLANE_OK && m->n_values == 0)
		rc = h->fail(r, GLANE_E_DATA,
			"no column holds values: value = *, wide = ... or the names of columns say which");
	return rc;
}

glane_rc mapping_resolve(
	const struct glane_host *h, glane_run *r, glane_reader *rd, const struct state *s, struct mapping *m)
{
	const struct {
		const char *option, *text;
		struct cell *cell;
	} cells[] = {{"indicator", s->indicator, &m->indicator}, {"area", s->area, &m->area},
		{"area_title", s->area_title, &m->area_title}, {"period", s->period, &m->period},
		{"unit", s->unit, &m->unit}, {"title", s->title, &m->title}, {"status", s->status, &m->status},
		{"unit_mult", s->unit_mult, &m->unit_mult}};
	glane_rc rc = GLANE_OK;

	if (s->dims.n > MAX_DIMS || s->where.n > MAX_WHERE)
		return h->fail(r, GLANE_E_CONFIG, "at most %d dims and %d conditions in where", MAX_DIMS, MAX_WHERE);
	for (size_t i = 0; rc == GLANE_OK && i < sizeof(cells) / sizeof(cells[0]); i++)
		rc = resolve(h, r, rd, cells[i].option, cells[i].text, cells[i].cell);
	for (size_t i = 0; rc == GLANE_OK && i < s->dims.n; i++)
		rc = resolve(h, r, rd, "dims", s->dims.v[i].v.p, &m->dims[i]);
	for (size_t i = 0; rc == GLANE_OK && i < s->where.n; i++)
		rc = resolve(h, r, rd, "where", s->where.v[i].k, &m->where[i]);
	return rc == GLANE_OK ? values(h, r, rd, s, m) : rc;
}

glane_str cell_text(const struct glane_host *h, glane_reader *rd, const struct cell *c)
{
	glane_str text = c->constant;

	for (uint32_t i = 0; i < c->n; i++) {
		text = h->at(rd, (size_t)c->column[i]);
		if (text.n)
			return text;
	}
	return text;
}

int csv_missing(const struct state *s, glane_str text)
{
	for (size_t i = 0; i < s->missing.n; i++)
		if (csv_same(text, csv_str(s->missing.v[i])))
			return 1;
	return 0;
}

glane_str csv_status(const struct state *s, glane_str status, glane_str flags)
{
	const glane_str word = status.n ? status : flags;

	for (size_t i = 0; word.n && i < s->status_map.n; i++)
		if (csv_same(word, csv_str(s->status_map.v[i].k)))
			return s->status_map.v[i].v;
	return status;
}
