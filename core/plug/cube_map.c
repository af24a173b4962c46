/* SPDX-License-Identifier: MIT */
/* The mapping behind cube(): by what an option names, by the roles that the message tells, by the usual ids. */
#include "plug/cube.h"

#include <string.h>
#include <strings.h>

static const char *const indicators[] = {"INDICATOR", "SERIES", "INDICATOR_CODE", "SERIES_CODE", "INDIC", "INDIC_*",
	"SUBJECT", "VARIABLE", "DATA_ITEM", "BS_ITEM", "NA_ITEM", "BOP_ITEM", "MEASURE", "CONTENTSCODE", "STATISTIC"};
static const char *const series_ids[] = {"IDBANK"}; /* INSEE's, where no dimension tells series apart */
static const char *const areas[] = {"REF_AREA", "GEO", "LOCATION", "COUNTRY", "AREA", "REGION", "COU", "COUNTRY_CODE",
	"GEOGRAPHY", "REF_AREA_CODE", "GEOGRAPHIC_PLACE_NAME", "REPORTING_COUNTRY", "REPORTER"};
static const char *const units[] = {"UNIT_MEASURE", "UNIT"};
static const char *const mults[] = {"UNIT_MULT", "UNIT_MULTIPLIER", "POWERCODE"};
static const char *const statuses[] = {"OBS_STATUS"};
static const char *const flag_ids[] = {"OBS_FLAG"};
static const char *const conf_ids[CUBE_CONF] = {"CONF_STATUS", "OBS_CONF", "OBS_CONF_STATUS", "CONF_STATUS_OBS"};
static const char *const notes[] = {"OBS_COM", "COMMENT_OBS", "OBS_COMMENT", "OBS_NOTE", "OBS_FOOTNOTE", "COMMENT"};
static const char *const titles[] = {"TITLE", "TITLE_COMPL", "SERIES_NAME"};
static const char *const freqs[] = {"FREQ", "FREQUENCY"};
static const char *const times[] = {"TIME_PERIOD", "TIME", "PERIOD", "YEAR"};
#define START_DAY "REPORTING_YEAR_START_DAY"
static const char *const multipliers[] = {"UNIT_MULT", "UNIT_MULTIPLIER"};
#define DEFAULTS(list)                                                                                                 \
	(struct glane_list)                                                                                            \
	{                                                                                                              \
		list, sizeof(list) / sizeof((list)[0])                                                                 \
	}

static bool is_id(struct slice id, const char *wanted, size_t n)
{
	if (n && wanted[n - 1] == '*')
		return id.n >= n - 1 && strncasecmp(id.p, wanted, n - 1) == 0;
	return id.n == n && strncasecmp(id.p, wanted, n) == 0;
}

bool cube_is_dimension(int role)
{
	return role == GLANE_ROLE_DIMENSION || role == GLANE_ROLE_AREA || role == GLANE_ROLE_INDICATOR;
}

size_t cube_column(const struct record_reader *rec, const char *wanted, size_t n, int role)
{
	for (size_t i = 0; i < record_columns(rec); i++)
		if (is_id(record_column(rec, i), wanted, n) &&
			(!role || record_role(rec, i) == role ||
				(role == GLANE_ROLE_DIMENSION && cube_is_dimension(record_role(rec, i)))))
			return i;
	return CUBE_NOWHERE;
}

static struct place at_constant(const char *text)
{
	return (struct place){CUBE_NOWHERE, {text, text ? strlen(text) : 0}, 0};
}

/* What a group of SDMX-ML says may look like a dimension too, as UNIT does, and be one of other series: two columns have that id. */
static struct place at_column(const struct record_reader *rec, size_t column)
{
	struct place p = {column, {NULL, 0}, 0};

	for (size_t i = column + 1; i < record_columns(rec) && !p.twin; i++)
		if (slice_eq(record_column(rec, i), record_column(rec, column)))
			p.twin = i + 1;
	return p;
}

static struct place place_of(const struct record_reader *rec, struct glane_list given, struct glane_list dflt, int role)
{
	const struct glane_list l = given.n ? given : dflt;

	for (size_t i = 0; i < l.n; i++) {
		const char *want = l.v[i];
		size_t column;

		if (want[0] == '=')
			return at_constant(want + 1);
		column = cube_column(rec, want, strlen(want), given.n ? 0 : role);
		if (column != CUBE_NOWHERE)
			return at_column(rec, column);
	}
	return at_constant(NULL);
}

/* As place_of(); before the usual ids goes the dimension that the message itself says has this role. */
static struct place said_place(
	const struct record_reader *rec, struct glane_list given, struct glane_list dflt, int role)
{
	for (size_t i = 0; !given.n && i < record_columns(rec); i++)
		if (record_role(rec, i) == role)
			return at_column(rec, i);
	return place_of(rec, given, dflt, GLANE_ROLE_DIMENSION);
}

/* "A+B" names two components; all have to be there. */
static bool indicator_of(const struct record_reader *rec, const char *want, struct cube_map *m)
{
	m->n_indicator = 0;
	for (const char *at = want; *at && m->n_indicator < CUBE_PARTS;) {
		const size_t n = strcspn(at, "+");
		const size_t column = cube_column(rec, at, n, 0);

		if (column == CUBE_NOWHERE)
			return false;
		m->indicator[m->n_indicator++] = at_column(rec, column);
		at += n + (at[n] == '+');
	}
	return m->n_indicator > 0;
}

static void find_indicator(const struct record_reader *rec, struct cube_map *m)
{
	const struct glane_list l = m->given.indicator;

	m->n_indicator = 0;
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i][0] == '=') {
			m->indicator[0] = at_constant(l.v[i] + 1);
			m->n_indicator = 1;
			return;
		}
		if (indicator_of(rec, l.v[i], m))
			return;
	}
	m->n_indicator = 0;
	if (l.n)
		return;
	m->indicator[0] = said_place(rec, l, DEFAULTS(indicators), GLANE_ROLE_INDICATOR);
	m->n_indicator = m->indicator[0].column != CUBE_NOWHERE;
}

static bool is_listed(struct slice id, struct glane_list l)
{
	for (size_t i = 0; i < l.n; i++)
		if (is_id(id, l.v[i], strlen(l.v[i])))
			return true;
	return false;
}

static bool is_indicator(const struct cube_map *m, size_t column)
{
	for (size_t i = 0; i < m->n_indicator; i++)
		if (m->indicator[i].column == column)
			return true;
	return false;
}

static glane_rc add_name(
	struct cube_map *m, size_t *list, size_t *n, size_t max, size_t column, struct slice id, struct diag *d)
{
	if (*n == max)
		return fail(d, GLANE_E_LIMIT, "more than %zu dimensions or measures in one dataset", max);
	list[(*n)++] = column;
	strbuf_slice(&m->names, id);
	strbuf_putc(&m->names, '\0');
	return GLANE_OK;
}

static glane_rc find_measures(const struct record_reader *rec, struct cube_map *m, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	m->n_measures = 0;
	for (size_t i = 0; rc == GLANE_OK && i < record_columns(rec); i++) {
		const struct slice id = record_column(rec, i);

		if (m->given.value.n ? is_listed(id, m->given.value) : record_role(rec, i) == GLANE_ROLE_MEASURE)
			rc = add_name(m, m->measure, &m->n_measures, CUBE_MEASURES, i, id, d);
	}
	return rc;
}

static bool is_measure(const struct cube_map *m, size_t column)
{
	for (size_t i = 0; i < m->n_measures; i++)
		if (m->measure[i] == column)
			return true;
	return false;
}

static glane_rc find_dims(const struct record_reader *rec, struct cube_map *m, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	m->n_dims = 0;
	for (size_t i = 0; rc == GLANE_OK && i < record_columns(rec); i++) {
		const struct slice id = record_column(rec, i);

		const bool is_dim = cube_is_dimension(record_role(rec, i)) || record_role(rec, i) == GLANE_ROLE_TIME;

		if (is_dim && i != m->area.column && i != m->start_day.column && i != m->time.column &&
			i != m->freq.column && !is_indicator(m, i) && !is_measure(m, i) &&
			!is_listed(id, m->given.drop))
			rc = add_name(m, m->dim, &m->n_dims, CUBE_DIMS, i, id, d);
	}
	return rc;
}

static struct place time_of(const struct record_reader *rec, const struct cube_map *m)
{
	for (size_t i = 0; !m->given.time.n && i < record_columns(rec); i++)
		if (record_role(rec, i) == GLANE_ROLE_TIME)
			return at_column(rec, i);
	return place_of(rec, m->given.time, DEFAULTS(times), 0);
}

static void find_conf(const struct record_reader *rec, struct cube_map *m)
{
	m->n_conf = 0;
	for (size_t i = 0; !m->given.flags.n && i < CUBE_CONF; i++) {
		const size_t column = cube_column(rec, conf_ids[i], strlen(conf_ids[i]), 0);

		if (column != CUBE_NOWHERE)
			m->conf[m->n_conf++] = at_column(rec, column);
	}
}

static void list_ids(const struct record_reader *rec, struct strbuf *ids)
{
	strbuf_init(ids, 1024);
	for (size_t i = 0; i < record_columns(rec) && ids->n < 512; i++) {
		strbuf_puts(ids, i ? ", " : "");
		strbuf_slice(ids, record_column(rec, i));
	}
}

/* Fails where an option names components, and the dataset has none of them; attributes may be missing where no observation says them. */
static glane_rc need(
	const struct record_reader *rec, const char *option, const char *named, bool is_there, struct diag *d)
{
	struct strbuf ids;
	glane_rc rc;

	if (is_there)
		return GLANE_OK;
	list_ids(rec, &ids);
	rc = fail(d, GLANE_E_DATA, "%s = %s: the dataset has no such component; there are: %.*s", option, named,
		SLICE_FMT(strbuf_get(&ids)));
	strbuf_release(&ids);
	return rc;
}

static glane_rc need_time(const struct record_reader *rec, const struct cube_map *m, struct diag *d)
{
	struct strbuf ids;
	glane_rc rc;

	if (m->time.column != CUBE_NOWHERE || m->time.constant.p)
		return GLANE_OK;
	list_ids(rec, &ids);
	rc = fail(d, GLANE_E_DATA,
		"no component of the dataset says that it is the time: name it with `time`; there are: %.*s",
		SLICE_FMT(strbuf_get(&ids)));
	strbuf_release(&ids);
	return rc;
}

static glane_rc need_all(const struct cube_map *m, const struct record_reader *rec, struct diag *d)
{
	const struct glane_cube *g = &m->given;
	const struct {
		const char *option;
		struct glane_list given;
		bool is_there;
	} all[] = {{"indicator", g->indicator, m->n_indicator > 0},
		{"area", g->area, m->area.column != CUBE_NOWHERE || m->area.constant.p},
		{"time", g->time, m->time.column != CUBE_NOWHERE || m->time.constant.p},
		{"value", g->value, m->n_measures > 0}};
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].given.n)
			rc = need(rec, all[i].option, all[i].given.v[0], all[i].is_there, d);
	for (size_t i = 0; rc == GLANE_OK && i < g->where.n; i++)
		rc = need(rec, "where", g->where.v[i].k,
			cube_column(rec, g->where.v[i].k, strlen(g->where.v[i].k), 0) != CUBE_NOWHERE, d);
	return rc;
}

/* The records have another shape: finds what each component means. */
glane_rc cube_map_shape(struct cube_map *m, const struct record_reader *rec, struct diag *d)
{
	const struct glane_cube *g = &m->given;
	glane_rc rc;

	strbuf_reset(&m->names);
	m->series = 0;
	m->is_checked = false;
	m->time = time_of(rec, m);
	find_indicator(rec, m);
	m->area = said_place(rec, g->area, DEFAULTS(areas), GLANE_ROLE_AREA);
	m->freq = place_of(rec, g->freq, DEFAULTS(freqs), 0);
	m->unit = place_of(rec, g->unit, DEFAULTS(units), 0);
	m->unit_mult = place_of(rec, g->unit_mult, DEFAULTS(mults), GLANE_ROLE_ATTRIBUTE);
	if (m->unit_mult.column == CUBE_NOWHERE && !g->unit_mult.n) /* a dimension in some datasets */
		m->unit_mult = place_of(rec, g->unit_mult, DEFAULTS(multipliers), 0);
	m->start_day.column = cube_column(rec, START_DAY, strlen(START_DAY), 0);
	m->status = place_of(rec, g->status, DEFAULTS(statuses), 0);
	m->flags = place_of(rec, g->flags, DEFAULTS(flag_ids), 0);
	find_conf(rec, m);
	m->note = place_of(rec, g->note, DEFAULTS(notes), 0);
	m->title = place_of(rec, g->title, DEFAULTS(titles), GLANE_ROLE_ATTRIBUTE);
	rc = find_measures(rec, m, d);
	if (rc == GLANE_OK)
		rc = find_dims(rec, m, d);
	if (rc == GLANE_OK && !m->n_dims && !m->n_indicator && !g->indicator.n) { /* else series would be one */
		m->indicator[0] = place_of(rec, g->indicator, DEFAULTS(series_ids), 0);
		m->n_indicator = m->indicator[0].column != CUBE_NOWHERE;
	}
	if (rc == GLANE_OK && !strbuf_ok(&m->names))
		rc = fail(d, GLANE_E_NOMEM, "no memory for the components of a dataset");
	m->shape = rc == GLANE_OK ? record_shape(rec) : 0;
	return rc;
}

glane_rc cube_map_check(struct cube_map *m, const struct record_reader *rec, bool is_settled, struct diag *d)
{
	glane_rc rc = m->n_measures == 0 && !m->given.value.n ? fail(d, GLANE_E_DATA, "the dataset has no measure")
							      : need_all(m, rec, d);

	if (rc == GLANE_OK && is_settled)
		rc = need_time(rec, m, d);
	m->is_checked = rc == GLANE_OK;
	m->shape = rc == GLANE_OK ? m->shape : 0;
	return rc;
}
