/* SPDX-License-Identifier: MIT */
/* The cells of a PC-Axis file as records: an observation for each, row by row. */
#include "read/px.h"
#include "read/record.h"

#define CELL_MAX ((size_t)4096) /* bytes of one */
#define TEXT_MAX ((size_t)4096) /* of a record, for quarantine */

struct px {
	struct payload *payload;
	struct diag *diag;
	struct px_table table;
	const char *at; /* in the window, behind the current cell */
	size_t pos[PX_VARIABLES];
	uint64_t number, series;          /* number: of cells so far */
	struct slice value, symbol, unit; /* symbol: the value where it is no number, else absent */
	struct strbuf *text;
	bool is_read, is_record;
	glane_rc over;
};

static void px_close(void *state)
{
	struct px *r = state;

	px_release(&r->table);
	if (r->text)
		strbuf_release(r->text);
	mem_free(r->text);
	mem_free(r);
}

static glane_rc px_open(void **state, struct payload *p, const struct record_options *o, struct diag *d)
{
	struct px *r = mem_zalloc(1, sizeof(*r));

	(void)o;
	if (!r)
		return fail(d, GLANE_E_NOMEM, "no memory for a PC-Axis reader");
	r->payload = p, r->diag = d;
	arena_init(&r->table.arena, 0);
	r->text = mem_zalloc(1, sizeof(*r->text));
	if (r->text)
		strbuf_init(r->text, TEXT_MAX);
	if (!r->text || !strbuf_room(r->text, TEXT_MAX)) {
		px_close(r);
		return fail(d, GLANE_E_NOMEM, "no memory for a PC-Axis reader");
	}
	*state = r;
	return GLANE_OK;
}

/* ---- cells ---- */

static glane_rc bad(struct px *r, glane_rc code, const char *what)
{
	const unsigned long long cell = r->number + 1, n = r->table.n_cells;
	const unsigned long long at = r->payload->pos + (uint64_t)(r->at - r->payload->p);

	return fail(r->diag, code, "PC-Axis, cell %llu of %llu, byte %llu: %s", cell, n, at, what);
}

/* "The delimiters comma, space, semicolon, tabulator": synonyms (Data in the PX-file). */
static bool is_delimiter(char c)
{
	return c == ' ' || c == ',' || c == ';' || c == '\t' || c == '\r' || c == '\n';
}

/* To the next byte that is no delimiter; GLANE_END: there is none. */
static glane_rc pass_delimiters(struct px *r)
{
	for (;;) {
		const char *end = r->payload->p + r->payload->n;
		glane_rc rc;

		while (r->at < end && is_delimiter(*r->at))
			r->at++;
		if (r->at < end)
			return GLANE_OK;
		if (r->payload->last)
			return GLANE_END;
		rc = payload_more(r->payload, 0);
		r->at = r->payload->p;
		if (rc != GLANE_OK)
			return rc;
	}
}

static bool is_number(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= '0' && s.p[i] <= '9')
			return true;
	return false;
}

/* A number, or a symbol in quotes: "-", ".", ".." to "......". A cell ends with a delimiter: what ends with the file may be cut. */
static glane_rc read_cell(struct px *r)
{
	size_t i = 0;
	bool is_quoted = false;
	glane_rc rc = pass_delimiters(r);

	if (rc == GLANE_END)
		return bad(r, GLANE_E_FORMAT, "the file ends here; was it cut?");
	for (; rc == GLANE_OK; i++) {
		if (i == (size_t)(r->payload->p + r->payload->n - r->at)) {
			if (r->payload->last)
				return bad(r, GLANE_E_FORMAT, "the file ends inside of the cell; was it cut?");
			rc = payload_more(r->payload, i);
			r->at = r->payload->p;
			if (rc != GLANE_OK || r->payload->n == i)
				continue;
		}
		if (i == CELL_MAX)
			return bad(r, GLANE_E_LIMIT, "more than 4096 bytes");
		if (r->at[i] == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && is_delimiter(r->at[i]))
			break;
	}
	if (rc != GLANE_OK)
		return rc;
	r->value = (struct slice){r->at, i};
	r->at += i;
	if (i >= 2 && r->value.p[0] == '"' && r->value.p[i - 1] == '"')
		r->value = (struct slice){r->value.p + 1, i - 2};
	r->symbol = is_number(r->value) ? (struct slice){NULL, 0} : r->value;
	return memchr(r->value.p, '"', r->value.n) || !slice_is_utf8(r->value)
		       ? bad(r, GLANE_E_FORMAT, "neither a number nor a symbol in quotes")
		       : GLANE_OK;
}

static struct slice unit_of(const struct px *r)
{
	const struct px_table *t = &r->table;
	const struct px_variable *v = t->contents < t->n_var ? &t->var[t->contents] : NULL;
	const struct slice label = v && v->label.n ? v->label.v[r->pos[t->contents]] : (struct slice){NULL, 0};

	for (size_t i = 0; i < t->n_unit && v; i++)
		if (slice_eq(t->unit[i].of, label))
			return t->unit[i].unit;
	return t->units;
}

/* To the next cell: the last variable goes first. */
static void advance(struct px *r)
{
	const struct px_table *t = &r->table;

	for (size_t i = t->n_var; i > 0; i--) {
		const struct px_variable *v = &t->var[i - 1];

		if (++r->pos[i - 1] == (v->code.n ? v->code.n : v->label.n))
			r->pos[i - 1] = 0;
		if (v->role != GLANE_ROLE_TIME)
			r->series++;
		if (i - 1 == t->contents)
			r->unit = unit_of(r);
		if (r->pos[i - 1])
			return;
	}
}

static glane_rc read_table(struct px *r)
{
	glane_rc rc;

	px_release(&r->table);
	rc = px_head(&r->table, r->payload, r->diag);
	r->at = r->payload->p;
	r->is_read = rc == GLANE_OK;
	r->series = 1;
	if (rc == GLANE_OK)
		r->unit = unit_of(r);
	return rc;
}

static glane_rc step(struct px *r)
{
	glane_rc rc = r->is_read ? GLANE_OK : read_table(r);

	if (rc != GLANE_OK)
		return rc;
	if (r->number == r->table.n_cells) {
		rc = pass_delimiters(r);
		return rc == GLANE_OK ? fail(r->diag, GLANE_E_FORMAT, "PC-Axis: more cells than the %llu of the table",
						(unsigned long long)r->table.n_cells)
				      : rc;
	}
	if (r->number)
		advance(r);
	rc = read_cell(r);
	if (rc != GLANE_OK)
		return rc;
	r->number++;
	r->is_record = true;
	return GLANE_OK;
}

static glane_rc px_next(void *state)
{
	struct px *r = state;

	r->is_record = false;
	if (r->over == GLANE_OK)
		r->over = step(r);
	return r->over;
}

/* ---- as records ---- */

static size_t px_columns(const void *state)
{
	const struct px *r = state;

	return r->is_read ? r->table.n_var + 3 : 0;
}

static struct slice px_column(const void *state, size_t i)
{
	static const char *const names[] = {"value", "OBS_STATUS", "UNIT_MEASURE"};
	const struct px *r = state;

	if (i >= px_columns(r))
		return (struct slice){NULL, 0};
	if (i < r->table.n_var)
		return r->table.var[i].name;
	return slice_of(names[i - r->table.n_var]);
}

static struct slice px_at(void *state, size_t i)
{
	const struct px *r = state;

	if (!r->is_record || i >= px_columns(r))
		return (struct slice){NULL, 0};
	if (i < r->table.n_var)
		return px_code(&r->table.var[i], r->pos[i]);
	i -= r->table.n_var;
	return i == 0 ? r->value : i == 1 ? r->symbol : r->unit;
}

static struct slice px_get(void *state, const char *path)
{
	const struct px *r = state;

	if (strcmp(path, "#dataset") == 0)
		return r->table.matrix;
	if (strcmp(path, "#title") == 0)
		return r->table.title;
	if (strcmp(path, "#updated") == 0)
		return r->table.updated;
	for (size_t i = 0; i < px_columns(r); i++)
		if (slice_is(px_column(r, i), path))
			return px_at(state, i);
	return (struct slice){NULL, 0};
}

static void px_where(const void *state, uint64_t *number, uint64_t *line, uint64_t *offset)
{
	const struct px *r = state;

	*number = r->number;
	*line = 0;
	*offset = r->is_read ? r->payload->pos + (uint64_t)(r->at - r->payload->p) : r->payload->pos;
}

/* A cell has no text of its own that says what it is: its codes and its value. */
static struct slice px_text(const void *state, size_t max)
{
	const struct px *r = state;
	struct slice s;

	strbuf_reset(r->text);
	for (size_t i = 0; r->is_record && i <= r->table.n_var; i++) {
		strbuf_some(r->text, i ? SLICE(",") : SLICE(""));
		strbuf_some(r->text, px_column(r, i));
		strbuf_some(r->text, SLICE("="));
		strbuf_some(r->text, i < r->table.n_var ? px_code(&r->table.var[i], r->pos[i]) : r->value);
	}
	s = strbuf_get(r->text);
	return s.n > max ? (struct slice){s.p, max} : s;
}

/* ---- as a cube ---- */

static uint64_t px_shape(const void *state)
{
	return ((const struct px *)state)->is_read;
}

static uint64_t px_series(const void *state)
{
	return ((const struct px *)state)->series;
}

static int px_role(const void *state, size_t i)
{
	const struct px *r = state;

	if (i >= px_columns(r))
		return 0;
	if (i < r->table.n_var)
		return r->table.var[i].role;
	return i == r->table.n_var ? GLANE_ROLE_MEASURE : GLANE_ROLE_ATTRIBUTE;
}

static struct slice px_label(void *state, size_t i)
{
	const struct px *r = state;

	return r->is_record && i < r->table.n_var && r->table.var[i].label.n ? r->table.var[i].label.v[r->pos[i]]
									     : (struct slice){NULL, 0};
}

static const struct cube_ops cube_ops = {.shape = px_shape, .series = px_series, .role = px_role, .label = px_label};

const struct record_ops px_record_ops = {.open = px_open,
	.next = px_next,
	.at = px_at,
	.get = px_get,
	.columns = px_columns,
	.column = px_column,
	.where = px_where,
	.text = px_text,
	.close = px_close,
	.cube = &cube_ops};
