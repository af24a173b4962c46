/* SPDX-License-Identifier: MIT */
/*
 * The services of cubes: role, label, and cube(), which takes an observation out of SDMX, JSON-stat, TSV or PC-Axis by the roles of its components
 * (cube_map.c). A series is asked for once while its dimensions stay.
 */
#include "plug/cube.h"

#include "model/status.h"

#include <string.h>

/* ---- the current record ---- */

struct slice cube_text_at(struct record_reader *rec, struct place p)
{
	const struct slice s = p.column != CUBE_NOWHERE ? record_at(rec, p.column) : slice_from(p.constant);

	return s.n == 0 && p.twin ? record_at(rec, p.twin - 1) : s;
}

static struct slice label_at(struct record_reader *rec, struct place p)
{
	return p.column != CUBE_NOWHERE ? record_label(rec, p.column) : (struct slice){NULL, 0};
}

glane_str cube_indicator(struct record_reader *rec, struct cube_map *m, glane_str dataset)
{
	if (m->n_indicator == 0)
		return dataset;
	if (m->n_indicator == 1)
		return str_from(cube_text_at(rec, m->indicator[0]));
	strbuf_reset(&m->indicator_text);
	for (size_t i = 0; i < m->n_indicator; i++) {
		if (i)
			strbuf_putc(&m->indicator_text, '.');
		strbuf_slice(&m->indicator_text, cube_text_at(rec, m->indicator[i]));
	}
	return str_from(strbuf_get(&m->indicator_text));
}

static glane_str series_title(struct record_reader *rec, const struct cube_map *m)
{
	struct slice s = cube_text_at(rec, m->title);

	if (s.n == 0 && m->n_indicator == 1)
		s = label_at(rec, m->indicator[0]);
	if (s.n == 0 && m->n_indicator != 1)
		s = record_get(rec, "#title");
	return str_from(s);
}

static bool is_quarter(struct slice period)
{
	const size_t at = period.n > 4 && period.p[4] == '-' ? 5 : 4;

	return period.n > at && period.p[at] == 'Q';
}

/* INSEE's T (trimestriel) is a quarter, where CL_FREQ has four months: 2026-Q2 says which. */
char cube_freq(struct record_reader *rec, const struct cube_map *m)
{
	const struct slice s = cube_text_at(rec, m->freq);

	if (slice_is(s, "T") && is_quarter(cube_text_at(rec, m->time)))
		return 'Q';
	return s.n == 1 && run_freq_ok(*s.p) ? *s.p : 0;
}

static int32_t series_mult(struct record_reader *rec, const struct cube_map *m)
{
	int64_t v = 0;

	return slice_int(slice_trim(cube_text_at(rec, m->unit_mult)), -30, 30, &v) ? (int32_t)v : 0;
}

static glane_rc ask_series(struct glane_run *r, struct record_reader *rec, struct cube_map *m, size_t k)
{
	struct glane_kv dims[CUBE_DIMS + 2];
	struct glane_series s = {.size = sizeof(s), .dims = dims};
	const char *name = m->names.p; /* the measures' ids stand before the dimensions' */

	s.dataset = m->given.dataset.n ? m->given.dataset : str_from(record_get(rec, "#dataset"));
	s.indicator = cube_indicator(rec, m, s.dataset);
	s.area = str_from(cube_text_at(rec, m->area)), s.area_scheme = m->given.area_scheme;
	s.unit = str_from(cube_text_at(rec, m->unit)), s.unit_mult = m->mult = series_mult(rec, m);
	s.freq = cube_freq(rec, m);
	s.title = series_title(rec, m), s.area_title = str_from(label_at(rec, m->area));
	s.updated = str_from(record_get(rec, "#updated"));
	for (size_t i = 0; i < m->n_measures; i++, name += strlen(name) + 1)
		if (i == k && m->n_measures > 1)
			dims[s.n_dims++] = (struct glane_kv){"MEASURE", {name, strlen(name)}};
	for (size_t i = 0; i < m->n_dims; i++, name += strlen(name) + 1)
		dims[s.n_dims++] = (struct glane_kv){name, str_from(record_at(rec, m->dim[i]))};
	if (!s.freq && m->freq.column != CUBE_NOWHERE && cube_is_dimension(record_role(rec, m->freq.column)))
		dims[s.n_dims++] = (struct glane_kv){"FREQ", str_from(cube_text_at(rec, m->freq))};
	if (!strbuf_ok(&m->indicator_text))
		return run_no_memory(r, "series");
	return run_series(r, &s, &m->handle[k]);
}

/* Whether the record is one of those that `where` takes; of a deletion, what it does not name is any. */
static bool is_wanted(struct record_reader *rec, const struct cube_map *m, bool is_removal)
{
	for (size_t i = 0; i < m->given.where.n; i++) {
		const struct glane_kv *w = &m->given.where.v[i];
		const size_t column = cube_column(rec, w->k, strlen(w->k), 0);
		const struct slice have = column == CUBE_NOWHERE ? (struct slice){NULL, 0} : record_at(rec, column);
		struct slice left = slice_from(w->v);
		bool is_one = is_removal && have.n == 0;

		for (bool more = true; more && !is_one;) {
			more = left.n && memchr(left.p, '|', left.n);
			is_one = slice_eq(slice_cut(&left, '|'), have);
		}
		if (!is_one)
			return false;
	}
	return true;
}

static char mapped_code(const struct cube_map *m, struct slice word)
{
	for (size_t i = 0; i < m->given.status_map.n; i++) {
		const struct glane_kv *kv = &m->given.status_map.v[i];

		if (slice_is(word, kv->k) && kv->v.n == 1)
			return status_code(slice_from(kv->v), true);
	}
	return 0;
}

/* The letter of a word, of the first of several words ("B; E"), or of its first letter ("bp"); 0: none. */
static char code_of(const struct cube_map *m, struct slice word)
{
	char code = status_code(word, false);
	size_t n = 0;

	if (!code)
		code = mapped_code(m, word);
	while (!code && word.n &&
		strchr(";, |@:", *word.p)) /* Eurostat writes "|C", "@C" where only the second of two is said, ":c" */
		word.p++, word.n--;
	while (n < word.n && !strchr(";, |@", word.p[n]))
		n++;
	if (!code && n)
		code = status_code((struct slice){word.p, n}, false);
	if (!code && n)
		code = mapped_code(m, (struct slice){word.p, n});
	return code || !n ? code : mapped_code(m, (struct slice){word.p, 1});
}

/* The first confidentiality that is not CL_CONF_STATUS's "free for publication". */
static struct slice conf_of(struct record_reader *rec, const struct cube_map *m)
{
	for (size_t i = 0; i < m->n_conf; i++) {
		const struct slice s = slice_trim(cube_text_at(rec, m->conf[i]));

		if (s.n && !slice_is(s, "F"))
			return s;
	}
	return (struct slice){NULL, 0};
}

static void add_word(struct strbuf *b, struct slice word)
{
	if (b->n && word.n)
		strbuf_puts(b, "; ");
	strbuf_slice(b, word);
}

/* Status and flags of a row: a letter, and every word that says more than the letter. */
static void fill_status(struct record_reader *rec, struct cube_map *m, struct glane_row *row, char *code)
{
	const struct slice status = slice_trim(cube_text_at(rec, m->status)), conf = conf_of(rec, m);
	const struct slice flags = slice_trim(cube_text_at(rec, m->flags));

	strbuf_reset(&m->flags_text);
	if (status.n)
		*code = code_of(m, status);
	else if (flags.n)
		*code = mapped_code(m, flags);
	if (!*code && !status.n && flags.n)
		*code = code_of(m, flags) && !status_code(flags, false) ? code_of(m, flags) : 0;
	if (!*code && !status.n && conf.n)
		*code = slice_is(conf, "C") && !row->value.n ? 'C' : mapped_code(m, conf);
	if (status.n > 1 || (status.n && (!*code || *status.p != *code)))
		add_word(&m->flags_text, status);
	add_word(&m->flags_text, flags);
	add_word(&m->flags_text, conf);
	row->flags = str_from(strbuf_get(&m->flags_text));
	if (*code)
		row->status = (glane_str){code, 1};
}

/* Whether an attribute below the series says another multiplier than the series. */
static glane_str own_mult(struct record_reader *rec, const struct cube_map *m)
{
	const struct slice s = slice_trim(cube_text_at(rec, m->unit_mult));
	int64_t v;

	return s.n == 0 || (slice_int(s, -30, 30, &v) && v == m->mult) ? (glane_str){NULL, 0} : str_from(s);
}

/* Most cells of a large cube are empty: no series is asked for them. Of SDMX an observation without a value is one all the same. */
static bool is_padding(const struct glane_run *r, const struct glane_reader *rd, const struct glane_row *row)
{
	return !row->value.n && !row->status.n && !row->flags.n && !row->note.n && !r->job->keep_empty &&
	       rd->req.format != GLANE_FMT_SDMX;
}

/* Which of multiplier and unit, as attributes, the current record says, or does not say. */
static unsigned measured(const struct cube_map *m, struct record_reader *rec, bool says)
{
	const struct place *const all[] = {&m->unit_mult, &m->unit};
	unsigned bits = 0;

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i]->column != CUBE_NOWHERE && record_role(rec, all[i]->column) == GLANE_ROLE_ATTRIBUTE &&
			(record_at(rec, all[i]->column).n > 0) == says)
			bits |= 1u << i;
	return bits;
}

static const char apart[] = "period '': a row without period and value, of attributes for a part of the key: its "
			    "observations do not get them; ask for SDMX-ML or SDMX-JSON, whose groups they do get";

/* SDMX-CSV 2.0 has rows of attributes for a part of the key, whose observations do not get them: those that do not say their multiplier or
 * unit themselves would mean other values. */
static glane_rc check_measured(struct glane_run *r, const struct glane_reader *rd)
{
	if (!(rd->cube->said_apart & rd->cube->lacking))
		return GLANE_OK;
	diag_clear(&r->diag);
	return fail(&r->diag, GLANE_E_DATA, "%s: unit or multiplier in %s", rd->url, apart);
}

static glane_rc refuse_attributes(struct glane_run *r, struct glane_reader *rd)
{
	glane_rc rc;

	rd->cube->said_apart |= measured(rd->cube, rd->records, true);
	rc = check_measured(r, rd);
	return rc == GLANE_OK ? run_reject(r, "period", apart) : rc;
}

glane_rc cube_period(struct glane_run *r, struct record_reader *rec, const struct cube_map *m,
	char out[PERIOD_REPORTING], struct slice *ret)
{
	*ret = cube_text_at(rec, m->time);
	if (m->start_day.column == CUBE_NOWHERE)
		return GLANE_OK;
	diag_clear(&r->diag);
	return period_reporting(*ret, record_at(rec, m->start_day.column), out, ret, &r->diag);
}

static glane_rc emit_measure(struct glane_run *r, struct glane_reader *rd, size_t k, bool is_obs)
{
	struct cube_map *m = rd->cube;
	struct record_reader *rec = rd->records;
	struct glane_row row = {.size = sizeof(row)};
	char code = 0, own[PERIOD_REPORTING];
	struct slice period;
	glane_rc rc;

	row.value = str_from(record_at(rec, m->measure[k]));
	if (!is_obs && !row.value.p)
		return GLANE_OK;
	fill_status(rec, m, &row, &code);
	row.note = str_from(cube_text_at(rec, m->note));
	if (is_padding(r, rd, &row)) {
		r->counts.padding++;
		return GLANE_OK;
	}
	rc = cube_period(r, rec, m, own, &period);
	if (rc != GLANE_OK)
		return run_reject(r, "period", r->diag.text);
	row.period = str_from(period);
	if (!m->handle[k] || !run_series_of(r, m->handle[k])) {
		m->lacking |= measured(m, rec, false);
		rc = check_measured(r, rd);
		rc = rc == GLANE_OK ? ask_series(r, rec, m, k) : rc;
	}
	if (rc != GLANE_OK)
		return rc;
	row.series = m->handle[k];
	row.unit_mult = own_mult(rec, m);
	if (!strbuf_ok(&m->flags_text))
		return run_no_memory(r, "flags");
	if (!row.status.n && ((rd->req.format == GLANE_FMT_SDMX && !row.value.n) ||
				     (rd->req.format == GLANE_FMT_PX && row.flags.n))) /* a symbol, no number */
		row.status = GLANE_STR("O");
	return run_emit(r, &row);
}

/* SDMX: the datasets and actions of a message are one transaction, in document order; within one, nothing overrules. */
static void note_part(struct glane_run *r, struct glane_reader *rd, struct slice action)
{
	const uint64_t part = record_part(rd->records);
	const char act = action.n ? *action.p : '\0';

	if (rd->req.format != GLANE_FMT_SDMX || (rd->cube->part == part && rd->cube->action == act))
		return;
	rd->cube->part = part, rd->cube->action = act;
	r->is_part_new = true;
}

static glane_rc take_record(struct glane_run *r, struct glane_reader *rd, bool is_removal)
{
	struct cube_map *m = rd->cube;
	struct record_reader *rec = rd->records;
	bool any = m->n_measures == 1;
	glane_rc rc = GLANE_OK;

	if (!is_wanted(rec, m, is_removal))
		return GLANE_OK;
	if (is_removal)
		return cube_erase(r, rd);
	if (rd->req.format == GLANE_FMT_SDMX && !cube_text_at(rec, m->time).n && record_get(rec, "#partial").n)
		return refuse_attributes(r, rd);
	for (size_t k = 0; k < m->n_measures && !any; k++)
		any = record_at(rec, m->measure[k]).p != NULL;
	for (size_t k = 0; rc == GLANE_OK && k < m->n_measures; k++)
		rc = emit_measure(r, rd, k, m->n_measures == 1 || (!any && k == 0));
	return rc;
}

static glane_rc cube_begin(struct glane_run *r, struct glane_reader *rd, const struct glane_cube *given)
{
	struct cube_map *m = arena_alloc(&r->arena, sizeof(*m));

	if (!m)
		return run_no_memory(r, "dataset");
	memset(m, 0, sizeof(*m));
	if (!struct_take(&m->given, sizeof(m->given), given, offsetof(struct glane_cube, indicator)) || m->given.zero)
		return run_usage(r, "cube() without a struct glane_cube that holds its size");
	strbuf_init(&m->names, 0);
	strbuf_init(&m->indicator_text, 0);
	strbuf_init(&m->flags_text, 0);
	rd->cube = m;
	return GLANE_OK;
}

void cube_turn(struct glane_reader *rd)
{
	if (rd->cube)
		rd->cube->shape = rd->cube->part = 0;
}

void cube_close(struct glane_reader *rd)
{
	if (!rd->cube)
		return;
	strbuf_release(&rd->cube->names);
	strbuf_release(&rd->cube->indicator_text);
	strbuf_release(&rd->cube->flags_text);
	rd->cube = NULL;
}

/* Of what a series is asked by, beside its dimensions: components that are configured may stand at the observation. */
static uint64_t hash_said(struct record_reader *rec, const struct cube_map *m)
{
	const struct place *const said[] = {&m->area, &m->unit, &m->title, &m->freq};
	uint64_t h = 0;

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		const struct slice s =
			said[i]->column == CUBE_NOWHERE ? (struct slice){NULL, 0} : record_at(rec, said[i]->column);

		if (s.n)
			h = hash_bytes(s.p, s.n, h + i + 1);
	}
	for (size_t i = 0; i < m->n_indicator; i++) {
		const struct slice s = cube_text_at(rec, m->indicator[i]);

		if (s.n)
			h = hash_bytes(s.p, s.n, h + i + 11);
	}
	return h;
}

static glane_rc host_cube(glane_run *r, glane_reader *rd, const struct glane_cube *given)
{
	struct slice action;
	bool is_removal;
	uint64_t said;
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	if (!rd || rd->run != r || !rd->records || r->current != rd || !record_shape(rd->records))
		return run_usage(r, "cube() of no reader, of one that is no cube, or before next()");
	diag_clear(&r->diag);
	if (!rd->cube)
		rc = cube_begin(r, rd, given);
	if (rc != GLANE_OK || !rd->cube)
		return rc;
	action = record_get(rd->records, "#action");
	is_removal = slice_is(action, "D");
	note_part(r, rd, action);
	if (rd->cube->shape != record_shape(rd->records))
		rc = cube_map_shape(rd->cube, rd->records, &r->diag);
	if (rc == GLANE_OK && !is_removal && !rd->cube->is_checked)
		rc = cube_map_check(rd->cube, rd->records, rd->req.format != GLANE_FMT_SDMX, &r->diag);
	if (rc != GLANE_OK)
		return diag_prefix(&r->diag, "%s", rd->url);
	said = hash_said(rd->records, rd->cube);
	if (rd->cube->series != record_series(rd->records) || rd->cube->said != said) {
		memset(rd->cube->handle, 0, sizeof(rd->cube->handle));
		rd->cube->series = record_series(rd->records);
		rd->cube->said = said;
	}
	return take_record(r, rd, is_removal);
}

static int32_t host_role(glane_reader *rd, size_t i)
{
	return rd && rd->records ? record_role(rd->records, i) : 0;
}

static glane_str host_label(glane_reader *rd, size_t i)
{
	return rd && rd->records ? str_from(record_label(rd->records, i)) : (glane_str){NULL, 0};
}

void cube_services(struct glane_host *h)
{
	h->role = host_role;
	h->label = host_label;
	h->cube = host_cube;
}
