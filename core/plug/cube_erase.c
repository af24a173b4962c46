/* SPDX-License-Identifier: MIT */
/*
 * Deletions of SDMX messages (SDMX 3.1, section 3A part IV, 4.1; sdmx-csv-field-guide.md, "Further details for data actions"): dimensions that
 * are not named are any; attributes that are named without a measure go, and their observations stay. What else would have to be known
 * goes to quarantine.
 */
#include "plug/cube.h"

#include "model/dims.h"

#include <string.h>

static bool is_off(struct slice s)
{
	return slice_is(s, "~");
}

/* Named: neither empty nor switched off. */
static struct slice named_at(struct record_reader *rec, struct place p)
{
	const struct slice s = cube_text_at(rec, p);

	return is_off(s) ? (struct slice){NULL, 0} : s;
}

/* Which attributes are named without a measure, and whether any is; *ret_why: what cannot be done. Words of a status that stand in the
 * flags are theirs: which are the status's is not kept. */
static unsigned attributes_of(struct record_reader *rec, const struct cube_map *m, bool *ret_any, const char **ret_why)
{
	unsigned what = 0;

	*ret_any = false;
	for (size_t i = 0; i < record_columns(rec); i++) {
		if (record_role(rec, i) != GLANE_ROLE_ATTRIBUTE || !record_at(rec, i).p)
			continue;
		*ret_any = true;
		what |= i == m->status.column ? 1u << ERASE_STATUS : 0;
		what |= i == m->flags.column ? 1u << ERASE_FLAGS : 0;
		for (size_t k = 0; k < m->n_conf; k++)
			what |= i == m->conf[k].column ? 1u << ERASE_FLAGS : 0;
		what |= i == m->note.column ? 1u << ERASE_NOTE : 0;
		if (i == m->unit.column || i == m->unit_mult.column)
			*ret_why =
				"a deletion of a unit or its multiplier alone: the values that stay would mean other "
				"ones; fetch the dataset whole";
	}
	return what;
}

static bool has_switched_off(struct record_reader *rec)
{
	for (size_t i = 0; i < record_columns(rec); i++)
		if ((cube_is_dimension(record_role(rec, i)) || record_role(rec, i) == GLANE_ROLE_TIME) &&
			is_off(record_at(rec, i)))
			return true;
	return false;
}

static bool any_measure(struct record_reader *rec, const struct cube_map *m)
{
	for (size_t k = 0; k < m->n_measures; k++)
		if (record_at(rec, m->measure[k]).p)
			return true;
	return false;
}

/* False: some of the components that make the indicator are named, but not all. */
static bool indicator_of(struct record_reader *rec, struct cube_map *m, struct slice *ret)
{
	size_t n = 0;

	*ret = (struct slice){NULL, 0};
	for (size_t i = 0; i < m->n_indicator; i++)
		n += named_at(rec, m->indicator[i]).n > 0;
	if (n && n == m->n_indicator)
		*ret = slice_from(cube_indicator(rec, m, (glane_str){NULL, 0}));
	return n == 0 || n == m->n_indicator;
}

/* The dimensions that are named, as a key has them, in r->text. */
static glane_rc dims_of(struct glane_run *r, struct record_reader *rec, const struct cube_map *m, size_t measure)
{
	struct glane_kv dims[CUBE_DIMS + 2];
	const char *name = m->names.p; /* the measures' ids stand before the dimensions' */
	const struct slice freq = named_at(rec, m->freq);
	size_t n = 0;

	for (size_t i = 0; i < m->n_measures; i++, name += strlen(name) + 1)
		if (i == measure && m->n_measures > 1)
			dims[n++] = (struct glane_kv){"MEASURE", {name, strlen(name)}};
	for (size_t i = 0; i < m->n_dims; i++, name += strlen(name) + 1) {
		const struct slice s = record_at(rec, m->dim[i]);

		if (s.n && !is_off(s))
			dims[n++] = (struct glane_kv){name, str_from(s)};
	}
	if (freq.n && !cube_freq(rec, m) && m->freq.column != CUBE_NOWHERE &&
		cube_is_dimension(record_role(rec, m->freq.column)))
		dims[n++] = (struct glane_kv){"FREQ", str_from(freq)};
	strbuf_reset(&r->text);
	return dims_print(&r->text, dims, n, &r->diag);
}

static glane_rc erase_one(struct glane_run *r, struct glane_reader *rd, struct erase e, size_t measure)
{
	struct record_reader *rec = rd->records;
	char own[PERIOD_REPORTING];
	struct slice period = named_at(rec, rd->cube->time);
	glane_rc rc = period.n ? cube_period(r, rec, rd->cube, own, &period) : GLANE_OK;

	if (rc != GLANE_OK)
		return run_reject(r, "period", r->diag.text);
	rc = dims_of(r, rec, rd->cube, measure);
	if (rc == GLANE_E_DATA)
		return run_reject(r, "dims", r->diag.text);
	if (rc != GLANE_OK)
		return rc;
	e.dims = strbuf_get(&r->text);
	return run_erase(r, e, period);
}

glane_rc cube_erase(struct glane_run *r, struct glane_reader *rd)
{
	struct cube_map *m = rd->cube;
	struct record_reader *rec = rd->records;
	const bool is_of_measures = any_measure(rec, m);
	struct erase e = {.what = 1u << ERASE_ROW, .freq = cube_freq(rec, m)};
	const char *why = NULL;
	unsigned what = 0;
	bool any = false;
	glane_rc rc = GLANE_OK;

	e.dataset = m->given.dataset.n ? slice_from(m->given.dataset) : record_get(rec, "#dataset");
	e.area_code = named_at(rec, m->area);
	if (!is_of_measures)
		what = attributes_of(rec, m, &any, &why);
	if (any)
		e.what = (uint8_t)what;
	if (!e.dataset.n)
		why = "a deletion without a dataset";
	else if (!indicator_of(rec, m, &e.indicator))
		why = "a deletion that names a part of what makes the indicator: fetch the dataset whole";
	else if (e.what == 1u << ERASE_ROW && has_switched_off(rec))
		why = "a deletion of observations with a dimension that is switched off ('~'): fetch the dataset whole";
	if (why)
		return run_reject(r, "delete", why);
	if (!e.what)
		return GLANE_OK;
	if (!is_of_measures)
		return erase_one(r, rd, e, SIZE_MAX);
	for (size_t k = 0; rc == GLANE_OK && k < m->n_measures; k++)
		rc = record_at(rec, m->measure[k]).p ? erase_one(r, rd, e, k) : GLANE_OK;
	return rc;
}
