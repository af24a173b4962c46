/* SPDX-License-Identifier: MIT */
/*
 * SDMX-CSV 1.0 and 2.x (https://github.com/sdmx-twg/sdmx-csv, data-message/docs/sdmx-csv-field-guide.md) over the reader of CSV: ids and
 * labels in headers and cells, the separator behind the first header, one record one observation. Services that are older than it have
 * the components alone, TIME_PERIOD and OBS_VALUE among them, the ECB behind a KEY (https://data.ecb.europa.eu/help/api/data): BARE.
 */
#include "base/map.h"
#include "read/sdmx.h"

#include <strings.h>

#define MAX_COLUMNS 1024
#define HEAD_MAX 64 /* bytes in which the first header has to end */

enum meaning { COMPONENT, FLOW, FLOW_NAME, STAMP, ACTION, PASSED };

struct part { /* a column of the file */
	struct slice id;
	uint8_t meaning, role;
	bool is_labelled; /* cells are "CODE: label" */
	bool is_language; /* cells are "en:TEXT;fr:TEXT" */
	size_t label;     /* the column with the label; SIZE_MAX: none */
};
struct sdmx_csv {
	void *csv;
	struct diag *diag;
	struct glane_csv dialect;
	struct part part[MAX_COLUMNS];
	size_t n_parts;
	size_t column[MAX_COLUMNS], n_columns; /* components: indexes of part[] */
	size_t flow, flow_name, stamp, action;
	char separator; /* inside of cells; NUL: none */
	enum { V1, V2, BARE } version;
	uint64_t shape, series, flow_hash, series_hash;
	char act;
	bool is_refused; /* an action that nobody knows: the end */
};

/* ---- the header ---- */

/* "ID: label", "ID:label" (Fusion Metadata Registry) or "ID"; a bracket at the end says what the cells hold. */
static struct slice id_of(struct slice head, struct part *p)
{
	const char *colon = head.n ? memchr(head.p, ':', head.n) : NULL;
	const char *bracket;

	p->is_labelled = colon != NULL;
	if (colon)
		head.n = (size_t)(colon - head.p);
	bracket = head.n ? memchr(head.p, '[', head.n) : NULL;
	p->is_language = bracket && head.p + head.n - bracket > 2;
	if (bracket)
		head.n = (size_t)(bracket - head.p);
	return slice_trim(head);
}

static enum meaning meaning_of(const struct sdmx_csv *s, struct slice id, size_t i)
{
	if (i == 0 && (s->version != BARE || slice_is(id, "KEY")))
		return s->version == V2 ? PASSED : FLOW;
	if (s->version == V2 && slice_is(id, "STRUCTURE_ID"))
		return FLOW;
	if (s->version == V2 && slice_is(id, "STRUCTURE_NAME"))
		return FLOW_NAME;
	if (s->version != V1 && slice_is(id, "ACTION"))
		return ACTION;
	if (slice_is(id, "LAST UPDATE") || slice_is(id, "LAST_UPDATE"))
		return STAMP;
	return slice_is(id, "SERIES_KEY") || slice_is(id, "OBS_KEY") ? PASSED : COMPONENT;
}

/* OBS_VALUE, OBS_VALUE1, ...; MEAS_... as the field guide has them. */
static bool is_measure(struct slice id)
{
	size_t i = 9;

	if (id.n > 5 && strncmp(id.p, "MEAS_", 5) == 0)
		return true;
	if (id.n < 9 || strncasecmp(id.p, "OBS_VALUE", 9) != 0)
		return false;
	while (i < id.n && id.p[i] >= '0' && id.p[i] <= '9')
		i++;
	return i == id.n;
}

/* What stands before the first measure are dimensions, what stands behind it attributes, as far as their ids do not say otherwise. */
static int role_at(const struct record_options *o, struct slice id, bool is_behind)
{
	const int role = sdmx_role(id, o->field, o->field ? o->n_field : 0);

	if (o->field && o->n_field && (role == GLANE_ROLE_DIMENSION || role == GLANE_ROLE_TIME))
		return role;
	if (is_measure(id))
		return GLANE_ROLE_MEASURE;
	if (role != GLANE_ROLE_DIMENSION || (o->field && o->n_field))
		return role;
	return is_behind ? GLANE_ROLE_ATTRIBUTE : role;
}

static glane_rc fail_unknown(struct diag *d)
{
	return fail(d, GLANE_E_FORMAT,
		"no SDMX message: it begins with neither '<' nor '{', nor with a column DATAFLOW or STRUCTURE, nor has "
		"it "
		"columns TIME_PERIOD and OBS_VALUE");
}

static bool has_component(const struct sdmx_csv *s, const char *id)
{
	for (size_t i = 0; i < s->n_columns; i++)
		if (slice_is(s->part[s->column[i]].id, id))
			return true;
	return false;
}

static glane_rc header_check(const struct sdmx_csv *s, struct diag *d)
{
	if (s->version == BARE && (!has_component(s, "TIME_PERIOD") || !has_component(s, "OBS_VALUE")))
		return fail_unknown(d);
	return s->version != V2 || s->flow != SIZE_MAX
		       ? GLANE_OK
		       : fail(d, GLANE_E_FORMAT, "SDMX-CSV: line 1: no column STRUCTURE_ID");
}

static glane_rc header_read(struct sdmx_csv *s, const struct record_options *o, struct diag *d)
{
	const size_t n = csv_record_ops.columns(s->csv);
	bool is_behind = false,
	     is_first = true; /* is_first: the measure stands before all dimensions: order says nothing */

	if (n > MAX_COLUMNS)
		return fail(d, GLANE_E_LIMIT, "SDMX-CSV: more than %d columns", MAX_COLUMNS);
	s->n_parts = n;
	s->flow = s->flow_name = s->stamp = s->action = SIZE_MAX;
	for (size_t i = 0; i < n; i++) {
		struct part *p = &s->part[i];

		p->id = id_of(csv_record_ops.column(s->csv, i), p);
		p->meaning = (uint8_t)meaning_of(s, p->id, i);
		p->label = SIZE_MAX;
		if (p->meaning == FLOW)
			s->flow = i;
		else if (p->meaning == FLOW_NAME)
			s->flow_name = i;
		else if (p->meaning == STAMP)
			s->stamp = i;
		else if (p->meaning == ACTION)
			s->action = i;
		if (p->meaning != COMPONENT)
			continue;
		p->role = (uint8_t)role_at(o, p->id, is_behind && !is_first);
		p->is_labelled &= p->role != GLANE_ROLE_MEASURE && !sdmx_is_text(p->id);
		is_first &= is_behind || p->role == GLANE_ROLE_MEASURE;
		is_behind |= p->role == GLANE_ROLE_MEASURE;
		s->column[s->n_columns++] = i;
		/* of "labels=name" a column with the name stands behind each component */
		if (s->flow_name != SIZE_MAX && i + 1 < n) {
			p->label = ++i;
			s->part[i].meaning = PASSED;
		}
	}
	return header_check(s, d);
}

static bool is_code(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= 'a' && s.p[i] <= 'z') ||
			    (s.p[i] >= '0' && s.p[i] <= '9') || strchr("_@$-", s.p[i])))
			return false;
	return s.n > 0;
}

/* Of an id at the beginning. */
static size_t id_length(struct slice text)
{
	size_t i = 0;

	while (i < text.n && is_code((struct slice){text.p + i, 1}))
		i++;
	return i;
}

/* "DATAFLOW" or "STRUCTURE[x]", else any id, and the separator behind it. */
static glane_rc dialect_find(struct sdmx_csv *s, const struct payload *p, struct diag *d)
{
	size_t at = p->n >= 3 && memcmp(p->p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	const struct slice all = {p->p + at, p->n - at < HEAD_MAX ? p->n - at : HEAD_MAX};
	const bool is_quoted = all.n && *all.p == '"';
	const struct slice text = {all.p + is_quoted, all.n - is_quoted};
	size_t i;

	s->version = slice_has_prefix(text, "DATAFLOW") ? V1 : slice_has_prefix(text, "STRUCTURE") ? V2 : BARE;
	i = s->version == V1 ? 8 : s->version == V2 ? 9 : id_length(text);
	if (i + 2 < text.n && text.p[i] == '[') {
		s->separator = text.p[i + 1] == ']' ? '\0' : text.p[i + 1];
		i += text.p[i + 1] == ']' ? 2 : 3;
	}
	i += is_quoted;
	if (s->version == BARE && (i >= text.n || !strchr(",;\t|", text.p[i])))
		return fail_unknown(d);
	if (i < text.n && text.p[i] == ':')
		return fail(d, GLANE_E_FORMAT, "SDMX-CSV: line 1: a label behind the first column");
	if (i >= text.n || text.p[i] == '\r' || text.p[i] == '\n')
		return fail(d, GLANE_E_FORMAT, "SDMX-CSV: line 1: no separator behind the first column");
	s->dialect.delimiter = text.p[i];
	return GLANE_OK;
}

static void sdmx_close(void *state)
{
	struct sdmx_csv *s = state;

	if (s->csv)
		csv_record_ops.close(s->csv);
	mem_free(s);
}

static glane_rc sdmx_open(void **state, struct payload *p, const struct record_options *o, struct diag *d)
{
	struct sdmx_csv *s = mem_zalloc(1, sizeof(*s));
	struct record_options own = *o;
	glane_rc rc;

	if (!s)
		return fail(d, GLANE_E_NOMEM, "no memory for an SDMX-CSV reader");
	s->diag = d;
	s->dialect = o->csv ? *o->csv : (struct glane_csv){.size = sizeof(s->dialect)};
	own.field = NULL, own.n_field = own.n_head = 0, own.csv = &s->dialect, own.format = GLANE_FMT_CSV;
	rc = dialect_find(s, p, d);
	if (rc == GLANE_OK)
		rc = csv_record_ops.open(&s->csv, p, &own, d);
	if (rc < 0) {
		sdmx_close(s);
		return rc;
	}
	rc = header_read(s, o, d);
	if (rc < 0) {
		sdmx_close(s);
		return rc;
	}
	*state = s;
	return GLANE_OK;
}

/* ---- records ---- */

static struct slice cell(struct sdmx_csv *s, size_t i)
{
	return i == SIZE_MAX ? (struct slice){NULL, 0} : csv_record_ops.at(s->csv, i);
}

/* The first language of "en:TEXT;fr:TEXT". */
static struct slice first_language(const struct sdmx_csv *s, struct slice text)
{
	const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL, *end;

	if (colon && colon - text.p <= 12)
		text = (struct slice){colon + 1, (size_t)(text.p + text.n - colon - 1)};
	end = s->separator && text.n ? memchr(text.p, s->separator, text.n) : NULL;
	return end ? (struct slice){text.p, (size_t)(end - text.p)} : text;
}

/* The code of "CODE: label", of a dimension also of "CODE:label"; a text stays whole, also where it has such a colon. */
static struct slice code_of(const struct part *p, struct slice text)
{
	const char *colon = text.n ? memmem(text.p, text.n, ": ", 2) : NULL;
	struct slice code = {text.p, colon ? (size_t)(colon - text.p) : 0};

	if (!colon && text.n && p->role == GLANE_ROLE_DIMENSION && (colon = memchr(text.p, ':', text.n)))
		code.n = (size_t)(colon - text.p);
	return p->is_labelled && is_code(code) ? code : text;
}

/* The flow that a record belongs to; of a KEY its first part. */
static struct slice flow_of(struct sdmx_csv *s)
{
	const struct slice text = cell(s, s->flow);
	const char *dot = s->version == BARE && text.n ? memchr(text.p, '.', text.n) : NULL;

	return dot ? (struct slice){text.p, (size_t)(dot - text.p)} : text;
}

static struct slice value_at(struct sdmx_csv *s, size_t part)
{
	const struct part *p = &s->part[part];
	struct slice text = cell(s, part);

	if (text.n == 0 || (text.n == 1 && *text.p == '~' && s->act != 'D')) /* '~': a dimension that is switched off */
		return (struct slice){NULL, 0};
	if (p->is_language)
		return first_language(s, text);
	return code_of(p, text);
}

static struct slice sdmx_at(void *state, size_t i)
{
	struct sdmx_csv *s = state;

	return i < s->n_columns ? value_at(s, s->column[i]) : (struct slice){NULL, 0};
}

/* Of the ECB's histories. */
static bool is_action_word(struct slice text)
{
	return slice_is(text, "Information") || slice_is(text, "Append") || slice_is(text, "Merge") ||
	       slice_is(text, "Replace") || slice_is(text, "Delete");
}

/* Rows of an action that nobody knows would be taken for data, those of a deletion too. */
static glane_rc action_read(struct sdmx_csv *s)
{
	struct slice text = {NULL, 0};
	uint64_t number, line = 0, offset;

	if (s->action != SIZE_MAX) /* as it is: value_at() goes by what this says */
		text = slice_trim(code_of(&s->part[s->action], cell(s, s->action)));
	s->act = s->version == V2 ? 'M' : 'I';
	if (text.n == 0)
		return GLANE_OK;
	s->act = *text.p;
	if (strchr("IAMRD", *text.p) && (text.n == 1 || (s->version == BARE && is_action_word(text))))
		return GLANE_OK;
	csv_record_ops.where(s->csv, &number, &line, &offset);
	return fail(s->diag, GLANE_E_FORMAT, "SDMX-CSV: line %llu: action '%.*s' is none of A, R, D, M, I",
		(unsigned long long)line, (int)(text.n < 64 ? text.n : 64), text.p);
}

static glane_rc sdmx_next(void *state)
{
	struct sdmx_csv *s = state;
	const glane_rc rc = s->is_refused ? action_read(s) : csv_record_ops.next(s->csv); /* it says the same again */
	uint64_t h = 0, flow;
	struct slice text;

	if (rc != GLANE_OK)
		return rc;
	text = flow_of(s);
	flow = hash_bytes(text.p, text.n, 1);
	s->shape += flow != s->flow_hash || s->shape == 0;
	for (size_t i = 0; i < s->n_columns; i++) {
		if (!sdmx_is_of_series(s->part[s->column[i]].id, s->part[s->column[i]].role))
			continue;
		text = cell(s, s->column[i]);
		h = hash_bytes(text.p, text.n, h + i + 1);
	}
	s->series += h != s->series_hash || flow != s->flow_hash || s->series == 0;
	s->flow_hash = flow, s->series_hash = h;
	s->is_refused = action_read(s) != GLANE_OK;
	return s->is_refused ? GLANE_E_FORMAT : GLANE_OK;
}

/* Attributes for a part of the key (2.0): no measure, and not every dimension. */
static bool is_partial(struct sdmx_csv *s)
{
	bool is_whole = true;

	if (s->version != V2 || s->act == 'D')
		return false;
	for (size_t i = 0; i < s->n_columns; i++) {
		const uint8_t role = s->part[s->column[i]].role;
		const bool is_there = value_at(s, s->column[i]).n > 0;

		if (role == GLANE_ROLE_MEASURE && is_there)
			return false;
		is_whole &= is_there || (role != GLANE_ROLE_DIMENSION && role != GLANE_ROLE_TIME);
	}
	return !is_whole;
}

static struct slice sdmx_get(void *state, const char *path)
{
	struct sdmx_csv *s = state;

	if (*path == '#')
		return strcmp(path, "#dataset") == 0                    ? sdmx_flow_id(flow_of(s))
		       : strcmp(path, "#title") == 0                    ? cell(s, s->flow_name)
		       : strcmp(path, "#updated") == 0                  ? cell(s, s->stamp)
		       : strcmp(path, "#action") == 0                   ? (struct slice){&s->act, 1}
		       : strcmp(path, "#partial") == 0 && is_partial(s) ? (struct slice){&s->act, 1}
									: (struct slice){NULL, 0};
	for (size_t i = 0; i < s->n_columns; i++)
		if (slice_is(s->part[s->column[i]].id, path))
			return value_at(s, s->column[i]);
	return (struct slice){NULL, 0};
}

static size_t sdmx_columns(const void *state)
{
	return ((const struct sdmx_csv *)state)->n_columns;
}

static struct slice sdmx_column(const void *state, size_t i)
{
	const struct sdmx_csv *s = state;

	return i < s->n_columns ? s->part[s->column[i]].id : (struct slice){NULL, 0};
}

static void sdmx_where(const void *state, uint64_t *number, uint64_t *line, uint64_t *offset)
{
	csv_record_ops.where(((const struct sdmx_csv *)state)->csv, number, line, offset);
}

static struct slice sdmx_text(const void *state, size_t max)
{
	return csv_record_ops.text(((const struct sdmx_csv *)state)->csv, max);
}

static uint64_t sdmx_shape(const void *state)
{
	return ((const struct sdmx_csv *)state)->shape;
}

static uint64_t sdmx_series(const void *state)
{
	return ((const struct sdmx_csv *)state)->series;
}

static int sdmx_role_at(const void *state, size_t i)
{
	const struct sdmx_csv *s = state;

	return i < s->n_columns ? s->part[s->column[i]].role : 0;
}

static struct slice sdmx_label(void *state, size_t i)
{
	struct sdmx_csv *s = state;
	struct slice text, code;

	if (i >= s->n_columns)
		return (struct slice){NULL, 0};
	if (s->part[s->column[i]].label != SIZE_MAX)
		return cell(s, s->part[s->column[i]].label);
	text = cell(s, s->column[i]), code = code_of(&s->part[s->column[i]], text);
	return code.n < text.n ? slice_trim((struct slice){text.p + code.n + 1, text.n - code.n - 1})
			       : (struct slice){NULL, 0};
}

static const struct cube_ops sdmx_csv_cube = {
	.shape = sdmx_shape, .series = sdmx_series, .role = sdmx_role_at, .label = sdmx_label};
const struct record_ops sdmx_csv_ops = {
	.open = sdmx_open,
	.next = sdmx_next,
	.at = sdmx_at,
	.get = sdmx_get,
	.columns = sdmx_columns,
	.column = sdmx_column,
	.where = sdmx_where,
	.text = sdmx_text,
	.close = sdmx_close,
	.cube = &sdmx_csv_cube,
};
