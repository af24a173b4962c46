/* SPDX-License-Identifier: MIT */
/* Columns by their names, and the rows they hold. */
#include "columns.h"

static const char *of_map(const struct glane_map *m, const char *key)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].k, key) == 0)
			return m->v[i].v.p;
	return NULL;
}

static size_t find(const struct state *s, glane_reader *rd, const char *name)
{
	for (size_t i = 0; name && i < s->h->columns(rd); i++)
		if (s->h->column(rd, i).n == strlen(name) && memcmp(s->h->column(rd, i).p, name, strlen(name)) == 0)
			return i;
	return SIZE_MAX;
}

/* `name` without the ending; NULL where it does not end so. */
static const char *without(const struct state *s, glane_str name, const char *ending)
{
	const size_t n = strlen(ending);

	if (name.n <= n || memcmp(name.p + name.n - n, ending, n) != 0)
		return NULL;
	return s->h->fmt(s->r, "%.*s", (int)(name.n - n), name.p);
}

static int is_beside(const struct state *s, glane_str name)
{
	static const char *const endings[] = {
		" Label", "_Label", " Footnote", " Missing value", "_Footnote_Text", "_MissingValue_Label"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (without(s, name, endings[i]))
			return 1;
	return 0;
}

static int is_period(const struct state *s, const char *name)
{
	static const char *const words[] = {"Year", "Quarter", "Month", "Semester", "Period", "Periods"};

	for (size_t i = 0; !s->period[0] && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(name, words[i]) == 0)
			return 1;
	return strcmp(name, s->period) == 0;
}

static const char *code_of(const struct state *s, const char *name)
{
	for (size_t i = 0; i < s->measures.n; i++)
		if (strcmp(s->measures.v[i].v.p, name) == 0 || strcmp(s->measures.v[i].v.p, "*") == 0)
			return s->measures.v[i].k;
	return name;
}

/* A bulk file has X and X Label of a dimension, X alone of a measure; Facts has X_Code, and X_Value. */
static glane_rc take_column(struct state *s, glane_reader *rd, size_t i)
{
	const glane_str whole = s->h->column(rd, i);
	const char *dim = without(s, whole, "_Code"), *value = without(s, whole, "_Value");
	const char *name = dim ? dim : value ? value : s->h->fmt(s->r, "%.*s", (int)whole.n, whole.p);
	struct column *c = &s->columns[s->n_columns];
	size_t title;

	if (!name)
		return s->h->fail(s->r, GLANE_E_NOMEM, "no memory for the columns");
	if (whole.n == 0 || is_beside(s, whole) || strcmp(name, "Frequency") == 0)
		return GLANE_OK;
	title = find(s, rd, s->h->fmt(s->r, dim ? "%s_Label" : "%s Label", name));
	if (s->period_at == SIZE_MAX && is_period(s, name)) {
		s->period_at = i;
	} else if (strcmp(name, "Economy") == 0) {
		s->area_at = i, s->area_title_at = title;
	} else {
		*c = (struct column){.at = i, .name = name, .is_dim = dim || (!value && title != SIZE_MAX)};
		c->note = find(s, rd, s->h->fmt(s->r, value ? "%s_Footnote_Text" : "%s Footnote", name));
		c->missing = find(s, rd, s->h->fmt(s->r, value ? "%s_MissingValue_Label" : "%s Missing value", name));
		c->code = c->is_dim ? name : code_of(s, name);
		s->n_measures += !c->is_dim, s->n_columns++;
	}
	return GLANE_OK;
}

/* What the configuration says of measures must be there. */
static glane_rc check_measures(const struct state *s, glane_reader *rd)
{
	for (size_t i = 0; i < s->measures.n; i++) {
		const char *name = s->measures.v[i].v.p;
		const int is_only = strcmp(name, "*") == 0;

		if (is_only && s->n_measures > 1)
			return s->h->fail(s->r, GLANE_E_CONFIG, "%s: measures = CODE=*, but there are %zu of them",
				s->report, s->n_measures);
		if (!is_only && find(s, rd, name) == SIZE_MAX)
			return s->h->fail(s->r, GLANE_E_DATA, "%s: no measure is called '%s' (measures, %s)", s->report,
				name, s->measures.v[i].k);
	}
	return GLANE_OK;
}

static glane_rc columns_read(struct state *s, glane_reader *rd)
{
	const size_t n = s->h->columns(rd);
	const char *lacks;
	glane_rc rc = GLANE_OK;

	if (n > MAX_COLUMNS)
		return s->h->fail(s->r, GLANE_E_LIMIT, "%s: more than %d columns", s->report, MAX_COLUMNS);
	s->n_columns = s->n_measures = 0, s->period_at = s->area_at = s->area_title_at = SIZE_MAX;
	for (size_t i = 0; i < n && rc == GLANE_OK; i++)
		rc = take_column(s, rd, i);
	lacks = s->area_at == SIZE_MAX     ? "an Economy"
		: s->period_at == SIZE_MAX ? "the period"
		: s->n_measures            ? NULL
					   : "a measure";
	if (rc == GLANE_OK && lacks)
		rc = s->h->fail(s->r, GLANE_E_DATA, "%s: no column of %s in the header", s->report, lacks);
	return rc == GLANE_OK ? check_measures(s, rd) : rc;
}

/* 19801981 is a range of years; all else stays as it is. */
static glane_str period_of(const struct state *s, glane_str p)
{
	for (size_t i = 0; i < 8; i++)
		if (p.n != 8 || p.p[i] < '0' || p.p[i] > '9')
			return p;
	return glane_str_of(s->h->fmt(s->r, "%.4s-01-01/%.4s-12-31", p.p, p.p + 4));
}

static glane_str at(const struct state *s, glane_reader *rd, size_t i)
{
	return i == SIZE_MAX ? (glane_str){NULL, 0} : s->h->at(rd, i);
}

/* Why there is no value, as the provider words it; the words stay a flag. */
static glane_str status_of(glane_str why)
{
	static const struct glane_kv words[] = {{"Not applicable", GLANE_STR_INIT("M")},
		{"Not publishable", GLANE_STR_INIT("Q")}, {"No value reported or collected", GLANE_STR_INIT("L")},
		{"Not available or not separately reported", GLANE_STR_INIT("L")}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (why.n == strlen(words[i].k) && memcmp(why.p, words[i].k, why.n) == 0)
			return words[i].v;
	return (glane_str){NULL, 0};
}

static glane_rc columns_emit(struct state *s, glane_reader *rd)
{
	struct glane_series series = {
		.size = sizeof(series), .dataset = glane_str_of(s->report), .area_scheme = GLANE_STR("UNCTAD")};
	struct glane_row row = {.size = sizeof(row), .period = period_of(s, s->h->at(rd, s->period_at))};
	struct glane_kv dims[MAX_COLUMNS];
	glane_rc rc = GLANE_OK;

	if (s->h->at(rd, s->area_at).n == 0)
		return s->h->reject(s->r, "area", "a record without an Economy");
	series.area = s->h->at(rd, s->area_at), series.area_title = at(s, rd, s->area_title_at),
	series.updated = s->stamp;
	for (size_t i = 0; i < s->n_columns; i++)
		if (s->columns[i].is_dim)
			dims[series.n_dims++] = (struct glane_kv){s->columns[i].name, s->h->at(rd, s->columns[i].at)};
	series.dims = dims;
	for (size_t i = 0; i < s->n_columns && rc == GLANE_OK; i++) {
		const struct column *c = &s->columns[i];
		const char *unit = of_map(&s->units, c->code), *mult = of_map(&s->unit_mults, c->code);

		row.value = at(s, rd, c->at), row.flags = at(s, rd, c->missing), row.note = at(s, rd, c->note);
		if (c->is_dim || (row.value.n == 0 && row.flags.n == 0 && row.note.n == 0))
			continue;
		row.status = row.value.n ? (glane_str){NULL, 0} : status_of(row.flags);
		row.unit_mult = glane_str_of(mult);
		series.indicator = glane_str_of(c->code), series.title = glane_str_of(c->name),
		series.unit = glane_str_of(unit);
		rc = s->h->series(s->r, &series, &row.series);
		rc = rc == GLANE_OK ? s->h->emit(s->r, &row) : rc;
	}
	return rc;
}

/* Every record of a table, which is CSV: bare, in 7z, or gzip. */
glane_rc read_table(struct state *s, struct glane_request *q)
{
	glane_reader *rd = NULL;
	size_t n = 0;
	glane_rc rc;

	q->size = sizeof(*q), q->format = GLANE_FMT_CSV;
	rc = s->h->open(s->r, q, &rd);
	if (rc == GLANE_OK)
		rc = columns_read(s, rd);
	for (; rc == GLANE_OK && (rc = s->h->next(rd)) == GLANE_OK; n++)
		rc = columns_emit(s, rd);
	if (rc == GLANE_END && n == 0)
		rc = s->h->fail(s->r, GLANE_E_DATA, "%s: the table holds no records", s->report);
	if (rd)
		s->h->close(rd);
	return rc == GLANE_END ? GLANE_OK : rc;
}
