/* SPDX-License-Identifier: MIT */
/* JSON-stat records: an observation for each cell, in the order of the document's datasets and, within, row by row. */
#include "read/jsonstat.h"

#define OBS_STATUS "OBS_STATUS"
#define TEXT_MAX ((size_t)4096) /* of a record, for quarantine */

#define SPARSE_CELLS                                                                                                   \
	1000000u /* a dataset with so many cells, of which one of so many has a value, is not walked cell by cell */
#define SPARSE_SHARE 64

struct jsonstat {
	struct payload *payload;
	struct diag *diag;
	struct json_pull pull;
	struct arena names, cube_arena;
	struct jsonstat_index index;
	struct jsonstat_cube cube;
	struct jsonstat_cells value, status;
	const char *const *head;
	size_t n_head;
	size_t i_place;  /* of the next dataset */
	uint64_t *pos;   /* of the current cell, in each dimension; of the cube's arena */
	uint64_t i_cell; /* number of the next cell */
	uint64_t number; /* records so far */
	uint64_t shape, series;
	struct slice value_text, status_text;
	struct strbuf *text;
	bool is_read, is_cube, is_record;
	bool is_sparse, is_passing; /* empty cells may be, of this cube are, passed over */
	glane_rc over;
};

static void close_cube(struct jsonstat *r)
{
	if (!r->is_cube)
		return;
	jsonstat_cells_close(&r->value);
	jsonstat_cells_close(&r->status);
	arena_release(&r->cube_arena);
	r->is_cube = false;
}

static void jsonstat_close(void *state)
{
	struct jsonstat *r = state;

	close_cube(r);
	json_pull_release(&r->pull);
	mem_free(r->index.place);
	strbuf_release(&r->index.words);
	strbuf_release(&r->index.code);
	arena_release(&r->names);
	if (r->text)
		strbuf_release(r->text);
	mem_free(r->text);
	mem_free(r);
}

static glane_rc jsonstat_open(void **state, struct payload *p, const struct record_options *o, struct diag *d)
{
	struct jsonstat *r = mem_zalloc(1, sizeof(*r));

	if (!r)
		return fail(d, GLANE_E_NOMEM, "no memory for a JSON-stat reader");
	r->payload = p, r->diag = d, r->head = o->head, r->n_head = o->n_head;
	r->is_sparse = o->is_sparse;
	arena_init(&r->names, 0);
	arena_init(&r->cube_arena, 0);
	json_pull_init(&r->pull, p, d);
	strbuf_init(&r->index.words, 8192);
	strbuf_init(&r->index.code, 8192);
	r->index.arena = &r->names;
	r->text = mem_zalloc(1, sizeof(*r->text));
	if (r->text)
		strbuf_init(r->text, TEXT_MAX);
	if (!r->text || !strbuf_room(r->text, TEXT_MAX)) {
		jsonstat_close(r);
		return fail(d, GLANE_E_NOMEM, "no memory for a JSON-stat reader");
	}
	*state = r;
	return GLANE_OK;
}

/* ---- datasets ---- */

static glane_rc provider_says(struct jsonstat *r)
{
	const struct jsonstat_index *x = &r->index;

	return fail(r->diag, GLANE_E_DATA, "the provider answers: %s%s%s%s", x->code.n ? x->code.p : "",
		x->code.n && x->words.n ? ": " : "",
		x->words.n  ? x->words.p
		: x->code.n ? ""
			    : "an error without a word",
		x->n ? "; there are data beside it, but not all" : "");
}

/* The document holds no dataset: says what it is instead. */
static glane_rc no_dataset(struct jsonstat *r)
{
	const struct jsonstat_index *x = &r->index;

	if (x->is_told || x->words.n || x->code.n)
		return provider_says(r);
	if (x->n_bare)
		return fail(r->diag, GLANE_E_FORMAT, "JSON-stat: a dataset without 'value'");
	if (x->n_links)
		return fail(r->diag, GLANE_E_FORMAT,
			"JSON-stat: a collection that only links to its datasets: ask for one of them by its address");
	return fail(
		r->diag, GLANE_E_FORMAT, "the document is no JSON-stat: no object in it has 'dimension' and 'value'");
}

/* Parts of the document are without data: what they hold elsewhere would be taken for gone. */
static glane_rc not_whole(struct jsonstat *r)
{
	const struct jsonstat_index *x = &r->index;
	struct payload view;
	struct json_pull j;
	struct slice name = x->lacks;
	glane_rc rc = GLANE_OK;

	json_pull_look(&j, &view, r->payload, x->href, r->diag);
	if (x->href)
		rc = json_pull_text(&j, &name);
	if (rc == GLANE_OK)
		rc = fail(r->diag, GLANE_E_DATA,
			"JSON-stat: %zu datasets, and %zu without their data; the first of these is '%.*s'", x->n,
			x->n_lacks, (int)(name.n > 200 ? 200 : name.n), name.p ? name.p : "");
	json_pull_release(&j);
	return rc;
}

/* An error page, or an answer in XML; `at`: behind a byte-order mark. */
static glane_rc judge_start(struct payload *p, size_t at, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	while (at < JSON_MARKUP && rc == GLANE_OK) {
		at = (size_t)(json_blanks(p->p + at, p->p + p->n) - p->p);
		if (at < p->n || p->last)
			break;
		rc = payload_more(p, p->n);
	}
	if (rc != GLANE_OK || at == p->n || p->p[at] != '<')
		return rc;
	while (rc == GLANE_OK && !p->last && p->n < at + JSON_MARKUP)
		rc = payload_more(p, p->n);
	return rc == GLANE_OK ? json_markup((struct slice){p->p + at, p->n - at}, d) : rc;
}

static glane_rc read_index(struct jsonstat *r)
{
	struct payload *p = r->payload;
	size_t mark;
	glane_rc rc = payload_settle(p, JSONSTAT_WHOLE);

	while (rc == GLANE_OK && p->n < 3 && !p->last)
		rc = payload_more(p, p->n);
	if (rc != GLANE_OK)
		return rc;
	mark = p->n >= 3 && memcmp(p->p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	rc = judge_start(p, mark, r->diag);
	json_pull_reset(&r->pull);
	r->pull.at += mark;
	if (rc == GLANE_OK)
		rc = jsonstat_index(&r->index, &r->pull);
	if (rc == GLANE_OK && !r->index.n)
		rc = no_dataset(r);
	else if (rc == GLANE_OK && r->index.is_told)
		rc = provider_says(r);
	else if (rc == GLANE_OK && r->index.n_lacks)
		rc = not_whole(r);
	r->is_read = rc == GLANE_OK;
	return rc;
}

static glane_rc check_lists(struct jsonstat *r, const struct jsonstat_place *at)
{
	const uint64_t n = r->cube.n_cells;

	if (at->value.kind == '[' && at->value.n != n && at->value.n != 0)
		return fail(r->diag, GLANE_E_FORMAT,
			"JSON-stat: 'value' has %llu elements, but the sizes make %llu cells",
			(unsigned long long)at->value.n, (unsigned long long)n);
	if (at->status.kind == '[' && at->status.n != n && at->status.n > 1)
		return fail(r->diag, GLANE_E_FORMAT,
			"JSON-stat: 'status' has %llu elements, but the sizes make %llu cells",
			(unsigned long long)at->status.n, (unsigned long long)n);
	return GLANE_OK;
}

static bool is_sparse_list(const struct jsonstat_list *l)
{
	return l->kind == '{' || !l->kind;
}

/* Whether nearly every cell of a large dataset is in neither list. */
static bool is_nearly_empty(const struct jsonstat *r, const struct jsonstat_place *at)
{
	return r->is_sparse && r->cube.n_cells >= SPARSE_CELLS && is_sparse_list(&at->value) &&
	       is_sparse_list(&at->status) && (at->value.n + at->status.n) < r->cube.n_cells / SPARSE_SHARE;
}

static glane_rc open_cube(struct jsonstat *r)
{
	const struct jsonstat_place *at = &r->index.place[r->i_place++];
	glane_rc rc;

	r->is_cube = true;
	r->value = r->status = (struct jsonstat_cells){.is_open = false};
	rc = jsonstat_cube(&r->cube, &r->cube_arena, at, r->payload, r->diag);
	if (rc == GLANE_OK)
		rc = check_lists(r, at);
	if (rc == GLANE_OK)
		rc = jsonstat_cells_open(&r->value, &at->value, r->cube.n_cells, r->payload, r->diag);
	if (rc == GLANE_OK)
		rc = jsonstat_cells_open(&r->status, &at->status, r->cube.n_cells, r->payload, r->diag);
	if (rc != GLANE_OK)
		return rc;
	r->pos = arena_alloc(&r->cube_arena, r->cube.n_dim * sizeof(*r->pos));
	if (!r->pos)
		return fail(r->diag, GLANE_E_NOMEM, "no memory for a JSON-stat dataset");
	r->i_cell = 0;
	r->is_passing = is_nearly_empty(r, at);
	r->shape++;
	r->series++;
	return GLANE_OK;
}

/* ---- records ---- */

/* To the next cell: the last dimension goes first. */
static void advance(struct jsonstat *r)
{
	for (size_t i = r->cube.n_dim; i > 0; i--) {
		const struct jsonstat_dimension *dim = &r->cube.dim[i - 1];

		if (++r->pos[i - 1] == dim->size)
			r->pos[i - 1] = 0;
		if (dim->role != GLANE_ROLE_TIME)
			r->series++;
		if (r->pos[i - 1])
			return;
	}
}

static void move_to(struct jsonstat *r, uint64_t cell)
{
	uint64_t left = cell;
	bool is_other = false;

	for (size_t i = r->cube.n_dim; i > 0; i--) {
		const struct jsonstat_dimension *dim = &r->cube.dim[i - 1];
		const uint64_t pos = left % dim->size;

		left /= dim->size;
		is_other |= pos != r->pos[i - 1] && dim->role != GLANE_ROLE_TIME;
		r->pos[i - 1] = pos;
	}
	r->series += is_other;
	r->number += cell - r->i_cell;
	r->i_cell = cell;
}

/* Behind a cell, to the next that one of the lists names; the dataset's end where there is none. */
static glane_rc pass_empty(struct jsonstat *r)
{
	uint64_t value, status;
	glane_rc rc = jsonstat_cells_peek(&r->value, r->i_cell, &value);

	if (rc == GLANE_OK)
		rc = jsonstat_cells_peek(&r->status, r->i_cell, &status);
	if (rc != GLANE_OK)
		return rc;
	value = status < value ? status : value;
	if (value < r->cube.n_cells)
		move_to(r, value);
	else
		r->i_cell = r->cube.n_cells;
	return GLANE_OK;
}

static glane_rc next_cell(struct jsonstat *r)
{
	glane_rc rc;

	if (r->i_cell && !r->is_passing)
		advance(r);
	rc = jsonstat_cells_next(&r->value, r->i_cell, &r->value_text);
	if (rc == GLANE_OK)
		rc = jsonstat_cells_next(&r->status, r->i_cell, &r->status_text);
	if (rc != GLANE_OK)
		return rc;
	/* Eurostat's ":" says no more than null does */
	if (r->status_text.n == 0 || (!r->value_text.p && slice_is(r->status_text, ":")))
		r->status_text = (struct slice){NULL, 0};
	r->i_cell++;
	r->number++;
	r->is_record = true;
	return GLANE_OK;
}

static glane_rc step(struct jsonstat *r)
{
	glane_rc rc = r->is_read ? GLANE_OK : read_index(r);

	r->is_record = false;
	if (rc == GLANE_OK && r->is_passing && r->is_cube && r->i_cell < r->cube.n_cells)
		rc = pass_empty(r);
	while (rc == GLANE_OK && (!r->is_cube || r->i_cell == r->cube.n_cells)) {
		close_cube(r);
		if (r->i_place == r->index.n)
			return GLANE_END;
		rc = open_cube(r);
	}
	return rc == GLANE_OK ? next_cell(r) : rc;
}

static glane_rc jsonstat_next(void *state)
{
	struct jsonstat *r = state;

	if (r->over == GLANE_OK)
		r->over = step(r);
	if (r->over == GLANE_OK)
		return GLANE_OK;
	r->is_record = false;
	return r->over;
}

static const struct jsonstat_category *category_at(const struct jsonstat *r, size_t i)
{
	return &r->cube.dim[i].category[r->pos[i]];
}

static size_t unit_columns(const struct jsonstat *r)
{
	return r->cube.unit_dim == SIZE_MAX ? 0 : 1u + r->cube.dim[r->cube.unit_dim].has_mult;
}

static struct slice jsonstat_at(void *state, size_t i)
{
	const struct jsonstat *r = state;
	const size_t n = r->is_record ? r->cube.n_dim : 0;

	if (i < n)
		return category_at(r, i)->code;
	if (!r->is_record || i >= n + 2 + unit_columns(r))
		return (struct slice){NULL, 0};
	if (i >= n + 2)
		return i == n + 2 ? category_at(r, r->cube.unit_dim)->unit
				  : category_at(r, r->cube.unit_dim)->unit_mult;
	return i == n ? r->value_text : r->status_text;
}

static size_t jsonstat_columns(const void *state)
{
	const struct jsonstat *r = state;

	return r->is_cube ? r->cube.n_dim + 2 + unit_columns(r) : 0;
}

static struct slice jsonstat_column(const void *state, size_t i)
{
	static const char *const names[] = {"value", OBS_STATUS, "UNIT_MEASURE", "UNIT_MULT"};
	const struct jsonstat *r = state;

	if (i >= jsonstat_columns(r))
		return (struct slice){NULL, 0};
	return i < r->cube.n_dim ? r->cube.dim[i].id : slice_of(names[i - r->cube.n_dim]);
}

static struct slice jsonstat_get(void *state, const char *path)
{
	struct jsonstat *r = state;

	if (!r->is_cube)
		return (struct slice){NULL, 0};
	if (strcmp(path, "#dataset") == 0)
		return r->cube.dataset;
	if (strcmp(path, "#title") == 0)
		return r->cube.title;
	if (strcmp(path, "#updated") == 0)
		return r->cube.updated;
	for (size_t i = 0; i < jsonstat_columns(r); i++)
		if (slice_is(jsonstat_column(r, i), path))
			return jsonstat_at(r, i);
	return (struct slice){NULL, 0};
}

/* Of a warning that the answer is not ready: its code ("#footer"). */
static struct slice jsonstat_head(const void *state, size_t i)
{
	const struct jsonstat *r = state;

	return i < r->n_head && r->index.is_pending && r->index.code.n && strcmp(r->head[i], "#footer") == 0
		       ? strbuf_get(&r->index.code)
		       : (struct slice){NULL, 0};
}

static void jsonstat_where(const void *state, uint64_t *number, uint64_t *line, uint64_t *offset)
{
	const struct jsonstat *r = state;

	*number = r->number;
	*line = 0;
	*offset = r->is_cube && r->value.is_open ? json_pull_offset(&r->value.pull) : json_pull_offset(&r->pull);
}

/* A cell has no text of its own that says what it is: its codes, value and status. */
static struct slice jsonstat_text(const void *state, size_t max)
{
	const struct jsonstat *r = state;
	struct slice s;

	strbuf_reset(r->text);
	for (size_t i = 0; r->is_record && i < r->cube.n_dim + 2; i++) {
		const struct slice v = i < r->cube.n_dim    ? category_at(r, i)->code
				       : i == r->cube.n_dim ? r->value_text
							    : r->status_text;

		if (!v.p)
			continue;
		strbuf_some(r->text, i ? SLICE(",") : SLICE(""));
		strbuf_some(r->text, jsonstat_column(r, i));
		strbuf_some(r->text, SLICE("="));
		strbuf_some(r->text, v);
	}
	s = strbuf_get(r->text);
	return s.n > max ? (struct slice){s.p, max} : s;
}

/* ---- as a cube ---- */

static uint64_t jsonstat_shape(const void *state)
{
	return ((const struct jsonstat *)state)->shape;
}

static uint64_t jsonstat_series(const void *state)
{
	return ((const struct jsonstat *)state)->series;
}

static int jsonstat_role(const void *state, size_t i)
{
	const struct jsonstat *r = state;

	if (i >= jsonstat_columns(r))
		return 0;
	if (i < r->cube.n_dim)
		return r->cube.dim[i].role;
	return i == r->cube.n_dim ? GLANE_ROLE_MEASURE : GLANE_ROLE_ATTRIBUTE;
}

static struct slice jsonstat_label(void *state, size_t i)
{
	const struct jsonstat *r = state;

	return r->is_record && i < r->cube.n_dim ? category_at(r, i)->label : (struct slice){NULL, 0};
}

static const struct cube_ops cube_ops = {
	.shape = jsonstat_shape, .series = jsonstat_series, .role = jsonstat_role, .label = jsonstat_label};

const struct record_ops jsonstat_record_ops = {.open = jsonstat_open,
	.next = jsonstat_next,
	.at = jsonstat_at,
	.get = jsonstat_get,
	.columns = jsonstat_columns,
	.column = jsonstat_column,
	.head = jsonstat_head,
	.where = jsonstat_where,
	.text = jsonstat_text,
	.close = jsonstat_close,
	.cube = &cube_ops};
