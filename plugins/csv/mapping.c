/* SPDX-License-Identifier: MIT */
/* From the options to columns, once per file. */
#include "mapping.h"

#include <string.h>

#define NAMES_SHOWN 12
#define MARK_MAX 8 /* bytes behind a year */

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

/* `constant`: the option could be "=text" as well. */
static glane_rc no_column(struct state *s, const char *option, glane_str name, int constant)
{
	const size_t n = s->h->columns(s->rd);
	const char *names = "";

	for (size_t i = 0; i < n && i < NAMES_SHOWN && names; i++) {
		const glane_str column = s->h->column(s->rd, i);

		names = s->h->fmt(
			s->r, "%s%s%.*s", names, i ? ", " : "", (int)(column.n < 60 ? column.n : 60), column.p);
	}
	return s->h->fail(s->r, GLANE_E_DATA, "%s = %.*s: the file has no such column%s; there are: %s%s", option,
		(int)name.n, name.p, constant ? s->h->fmt(s->r, " (=%.*s for a constant)", (int)name.n, name.p) : "",
		names ? names : "", n > NAMES_SHOWN ? ", ..." : "");
}

/* Index of a column by its name or as #3 (1 is the first); -1: none, -2: two of the name. */
static int find_column(const struct state *s, glane_str name)
{
	const size_t n = s->h->columns(s->rd);
	size_t number = 0;
	int found = -1;

	for (size_t i = 0; i < n; i++)
		if (str_same(s->h->column(s->rd, i), name))
			found = found == -1 ? (int)i : -2;
	if (found != -1 || name.n < 2 || name.n > 6 || name.p[0] != '#')
		return found;
	for (size_t i = 1; i < name.n; i++) {
		if (name.p[i] < '0' || name.p[i] > '9')
			return -1;
		number = number * 10 + (size_t)(name.p[i] - '0');
	}
	return number >= 1 && number <= n ? (int)number - 1 : -1;
}

static glane_rc add_column(struct state *s, const char *option, glane_str name, struct cell *c)
{
	const int i = find_column(s, name);

	if (i == -2)
		return s->h->fail(s->r, GLANE_E_DATA,
			"%s = %.*s: two columns have that name, write the number of one as #3", option, (int)name.n,
			name.p);
	if (i >= 0 && c->n < MAX_OR)
		c->column[c->n++] = (uint16_t)i;
	if (i >= 0)
		s->is_used[i + 1] = 1;
	return GLANE_OK;
}

/* "=text", a column, or columns separated by '|', of which one has to be there; where the last is empty, none has to. */
static glane_rc resolve(struct state *s, const char *option, const char *text, struct cell *c)
{
	const glane_str whole = glane_str_of(text);
	glane_str rest = whole;
	glane_rc rc;

	memset(c, 0, sizeof(*c));
	if (whole.n && text[0] == '=')
		c->constant = glane_str_of(mapping_fill(s, text + 1));
	if (whole.n == 0 || text[0] == '=' || strstr(text, "{value}"))
		return GLANE_OK;
	rc = add_column(s, option, whole, c);
	while (rc == GLANE_OK && rest.n && c->n < MAX_OR && memchr(whole.p, '|', whole.n)) {
		const char *bar = memchr(rest.p, '|', rest.n);
		const size_t n = bar ? (size_t)(bar - rest.p) : rest.n;

		rc = add_column(s, option, (glane_str){rest.p, n}, c);
		rest = bar ? (glane_str){bar + 1, rest.n - n - 1} : (glane_str){NULL, 0};
	}
	if (rc == GLANE_OK && c->n == 0 && whole.p[whole.n - 1] != '|')
		rc = no_column(s, option, whole, strcmp(option, "where") != 0);
	return rc;
}

static glane_rc resolve_cells(struct state *s)
{
	const struct options *o = &s->o;
	const struct {
		const char *option, *text;
		struct cell *cell;
	} all[] = {{"indicator", o->indicator, &s->indicator}, {"area", o->area, &s->area},
		{"area_title", o->area_title, &s->area_title}, {"period", o->period, &s->period},
		{"unit", o->unit, &s->unit}, {"unit_mult", o->unit_mult, &s->unit_mult}, {"title", o->title, &s->title},
		{"status", o->status, &s->side[SIDE_STATUS]}, {"flags", o->flags, &s->side[SIDE_FLAGS]},
		{"note", o->note, &s->side[SIDE_NOTE]}};
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < sizeof(all) / sizeof(all[0]); i++)
		rc = resolve(s, all[i].option, all[i].text, all[i].cell);
	for (size_t i = 0; rc == GLANE_OK && i < o->dims.n; i++)
		rc = resolve(s, "dims", o->dims.v[i].v.p, &s->dims[i]);
	for (size_t i = 0; rc == GLANE_OK && i < o->where.n; i++)
		rc = resolve(s, "where", o->where.v[i].k, &s->where[i]);
	return rc;
}

/* Column + 1 of what stands beside a value, by the option's "{value} Footnote"; 0: none. */
static int side_column(const struct state *s, size_t side, glane_str header)
{
	const char *const texts[SIDES] = {s->o.status, s->o.flags, s->o.note};
	const char *text = texts[side], *mark = strstr(text, "{value}");
	const char *name = mark ? s->h->fmt(s->r, "%.*s%.*s%s", (int)(mark - text), text, (int)header.n, header.p,
					  mark + strlen("{value}"))
				: NULL;
	const int i = name ? find_column(s, glane_str_of(name)) : -1;

	return i >= 0 ? i + 1 : 0;
}

static glane_rc add_value(struct state *s, size_t i, glane_str code, glane_str mark)
{
	struct value_column *v = &s->values[s->n_values];

	if (s->n_values == MAX_VALUES)
		return s->h->fail(s->r, GLANE_E_LIMIT, "more than %d columns with values", MAX_VALUES);
	s->n_values++;
	v->column = (uint16_t)i;
	v->header = s->h->column(s->rd, i);
	v->code = code.n ? code : v->header;
	v->mark = mark;
	for (size_t k = 0; k < SIDES; k++)
		v->side[k] = (uint16_t)side_column(s, k, v->header);
	return GLANE_OK;
}

static glane_rc named_values(struct state *s)
{
	glane_rc rc = GLANE_OK;

	for (size_t k = 0; rc == GLANE_OK && k < s->o.value.n; k++) {
		const char *item = s->o.value.v[k], *equals = strchr(item, '=');
		glane_str name = glane_str_of(item), code = {NULL, 0};
		int i = find_column(s, name);

		if (i == -1 && equals) {
			code = (glane_str){item, (size_t)(equals - item)};
			name = glane_str_of(equals + 1);
			i = find_column(s, name);
		}
		rc = i == -1 ? no_column(s, "value", name, 0)
			     : add_column(s, "value", name, &(struct cell){.n = MAX_OR});
		if (rc == GLANE_OK)
			rc = add_value(s, (size_t)i, code, (glane_str){NULL, 0});
	}
	return rc;
}

static int is_ignored(const struct state *s, glane_str name)
{
	for (size_t i = 0; i < s->o.ignore.n; i++)
		if (str_same(name, glane_str_of(s->o.ignore.v[i])))
			return 1;
	return 0;
}

/* What may stand behind a year without being a part of its name: *, (p), e, a raised figure. */
static int is_mark(glane_str t)
{
	size_t letters = 0;

	for (size_t i = 0; i < t.n; i++) {
		const char c = t.p[i];

		if ((c >= '0' && c <= '9') || strchr("-/.:_,", c))
			return 0;
		letters += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	}
	return t.n > 0 && t.n <= MARK_MAX && letters <= 1;
}

/* The period that a header names: 2020, F2020, Y2020, X2020, 2020 [YR2020], 2020Q1, 2020Q1 [2020Q1], 2020* (and the mark); absent where it names none. */
static glane_str header_period(const struct state *s, glane_str header, glane_str *mark)
{
	glane_str text = str_trim(header), rest;
	int32_t period;
	char freq;

	*mark = (glane_str){NULL, 0};
	if (text.n == 5 && strchr("FYX", text.p[0]))
		text = (glane_str){text.p + 1, 4};
	if (s->h->period(s->r, s->o.freq[0], text, &freq, &period) == GLANE_OK)
		return text;
	rest = text.n > 4 ? str_trim((glane_str){text.p + 4, text.n - 4}) : *mark;
	if (!is_mark(rest))
		return *mark;
	text.n = 4;
	if (s->h->period(s->r, s->o.freq[0], text, &freq, &period) != GLANE_OK)
		return *mark;
	if (rest.n > 2 && rest.p[0] == '(' && rest.p[rest.n - 1] == ')')
		rest = (glane_str){rest.p + 1, rest.n - 2};
	*mark = rest;
	return text;
}

/* Every column that has a name, that no option names, and that is not beside another one. */
static glane_rc all_values(struct state *s)
{
	const size_t n = s->h->columns(s->rd);
	const char *others = "";
	size_t n_others = 0;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < SIDES; k++)
			s->is_used[side_column(s, k, s->h->column(s->rd, i))] = 1;
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		const glane_str name = s->h->column(s->rd, i);
		glane_str mark = {NULL, 0};
		const glane_str code = s->wide == WIDE_PERIOD ? header_period(s, name, &mark) : name;

		if (s->is_used[i + 1] || is_ignored(s, name))
			continue;
		if (code.n)
			rc = add_value(s, i, code, mark);
		else if (name.n && others && n_others++ < NAMES_SHOWN)
			others = s->h->fmt(s->r, "%s%s%.*s", others, others[0] ? ", " : "",
				(int)(name.n < 60 ? name.n : 60), name.p);
	}
	if (n_others && others)
		s->h->log(s->r, GLANE_LOG_INFO, "columns that are no period and that no option names: %s%s", others,
			n_others > NAMES_SHOWN ? ", ..." : "");
	return rc;
}

/* An option with {value} that fits none of the columns is a mistake in it. */
static glane_rc check_sides(struct state *s)
{
	const char *const options[SIDES] = {"status", "flags", "note"};
	const char *const texts[SIDES] = {s->o.status, s->o.flags, s->o.note};

	for (size_t k = 0; k < SIDES; k++) {
		size_t n = 0;

		for (size_t i = 0; i < s->n_values; i++)
			n += s->values[i].side[k] != 0;
		if (n == 0 && strstr(texts[k], "{value}"))
			return no_column(s, options[k], glane_str_of(texts[k]), 0);
	}
	return GLANE_OK;
}

glane_rc mapping_resolve(struct state *s)
{
	const char *wide = s->o.wide;
	const int is_all = s->o.value.n == 1 && strcmp(s->o.value.v[0], "*") == 0;
	glane_rc rc;

	s->n_values = s->n_print = s->series = 0;
	s->n_passed = 0;
	memset(s->is_used, 0, sizeof(s->is_used));
	s->wide = strcmp(wide, "period") == 0 || (!wide[0] && is_all && !s->o.period[0]) ? WIDE_PERIOD
		  : !wide[0] || strcmp(wide, "indicator") == 0                           ? WIDE_INDICATOR
		  : strcmp(wide, "area") == 0                                            ? WIDE_AREA
											 : WIDE_DIM;
	s->dataset = glane_str_of(mapping_fill(s, s->o.dataset));
	if (s->wide != WIDE_INDICATOR && !s->o.indicator[0] && !s->item)
		return s->h->fail(s->r, GLANE_E_CONFIG, "the value columns are %s: write indicator = COLUMN or =CODE",
			s->wide == WIDE_PERIOD ? "periods"
			: s->wide == WIDE_AREA ? "areas"
					       : wide);
	rc = resolve_cells(s);
	if (rc == GLANE_OK)
		rc = is_all ? all_values(s) : named_values(s);
	if (rc == GLANE_OK && s->n_values == 0)
		rc = s->h->fail(s->r, GLANE_E_DATA, "no column holds values: `value` and `wide` say which do");
	if (rc == GLANE_OK && s->wide != WIDE_PERIOD && !s->o.period[0])
		rc = s->h->fail(s->r, GLANE_E_CONFIG,
			"no period: write period = COLUMN or =2023; with years as columns write value = *");
	return rc == GLANE_OK ? check_sides(s) : rc;
}
