/* SPDX-License-Identifier: MIT */
/* The description of one JSON-stat dataset: dimensions in the order of `id`, their categories in the order of `index`, roles. */
#include "read/jsonstat.h"
#include "read/px.h"

#include <strings.h>

#define MAX_DIMS 64

struct build { /* one dataset */
	struct jsonstat_cube *c;
	struct arena *a;
	const struct jsonstat_place *at;
	const struct payload *p;
	struct diag *d;
	struct jsonstat_dimension dim[MAX_DIMS]; /* as they come in `dimension` */
	size_t n_dim;
	struct slice id[MAX_DIMS];
	uint64_t size[MAX_DIMS];
	size_t n_id, n_size;
	struct slice time, geo, metric; /* the first of each role */
};
static glane_rc no_memory(struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "no memory for the categories of a JSON-stat dataset");
}

static bool dup_text(struct build *b, struct slice s, struct slice *ret)
{
	return arena_dup(b->a, s, ret);
}

/* ---- id, size, role ---- */

static glane_rc read_ids(struct build *b, struct json_pull *j)
{
	struct slice text = {NULL, 0};
	bool is_first = true;
	glane_rc rc;

	json_pull_open(j);
	while ((rc = json_pull_element(j, &is_first)) == GLANE_OK) {
		if (b->n_id == MAX_DIMS)
			return fail(b->d, GLANE_E_LIMIT, "JSON-stat: more than %d dimensions", MAX_DIMS);
		rc = json_pull_text(j, &text);
		if (rc != GLANE_OK)
			return rc;
		if (!dup_text(b, text, &b->id[b->n_id++]))
			return no_memory(b->d);
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc read_sizes(struct build *b, struct json_pull *j)
{
	struct slice text = {NULL, 0};
	bool is_first = true;
	glane_rc rc;

	json_pull_open(j);
	while ((rc = json_pull_element(j, &is_first)) == GLANE_OK) {
		int64_t v = 0;

		rc = json_pull_text(j, &text);
		if (rc != GLANE_OK)
			return rc;
		if (b->n_size == MAX_DIMS || !slice_int(text, 0, INT64_MAX, &v))
			return json_pull_fail(j, "a size that is no number of categories, or too many of them");
		b->size[b->n_size++] = (uint64_t)v;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* The first dimension of each role counts. */
static glane_rc read_roles(struct build *b, struct json_pull *j)
{
	bool is_first = true;
	glane_rc rc;

	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		const struct slice key = strbuf_get(&j->key);
		struct slice *role = slice_is(key, "time")     ? &b->time
				     : slice_is(key, "geo")    ? &b->geo
				     : slice_is(key, "metric") ? &b->metric
							       : NULL;
		struct slice text = {NULL, 0};
		bool is_first_id = true;
		char ch = 0;

		rc = json_pull_peek(j, &ch);
		if (rc == GLANE_OK && (!role || ch != '[')) {
			rc = json_pull_pass(j, 0);
			if (rc != GLANE_OK)
				return rc;
			continue;
		}
		json_pull_open(j);
		while (rc == GLANE_OK && (rc = json_pull_element(j, &is_first_id)) == GLANE_OK) {
			rc = json_pull_text(j, &text);
			if (rc == GLANE_OK && !role->p && !dup_text(b, text, role))
				rc = no_memory(b->d);
		}
		if (rc != GLANE_END)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* ---- the dataset ---- */

static glane_rc read_dimension(struct build *b, struct json_pull *j)
{
	struct jsonstat_dimension *dim = &b->dim[b->n_dim];

	if (b->n_dim == MAX_DIMS)
		return fail(b->d, GLANE_E_LIMIT, "JSON-stat: more than %d dimensions", MAX_DIMS);
	*dim = (struct jsonstat_dimension){.role = GLANE_ROLE_DIMENSION};
	if (!dup_text(b, strbuf_get(&j->key), &dim->id))
		return no_memory(b->d);
	for (size_t i = 0; i < b->n_dim; i++)
		if (slice_eq(b->dim[i].id, dim->id))
			return fail(b->d, GLANE_E_FORMAT, "JSON-stat: the dimension '%.*s' is described twice",
				SLICE_FMT(dim->id));
	b->n_dim++;
	return jsonstat_dimension(dim, b->a, j);
}

/* In 1.x id, size and role stand among the dimensions. */
static glane_rc read_dimensions(struct build *b)
{
	struct payload view;
	struct json_pull j;
	bool is_first = true;
	char ch = 0;
	glane_rc rc;

	json_pull_look(&j, &view, b->p, b->at->part[PART_DIMENSION], b->d);
	json_pull_open(&j);
	while ((rc = json_pull_member(&j, &is_first)) == GLANE_OK) {
		const struct slice key = strbuf_get(&j.key);

		rc = json_pull_peek(&j, &ch);
		if (rc != GLANE_OK)
			break;
		if (ch == '[' && slice_is(key, "id") && !b->n_id)
			rc = read_ids(b, &j);
		else if (ch == '[' && slice_is(key, "size") && !b->n_size)
			rc = read_sizes(b, &j);
		else if (ch == '{' && slice_is(key, "role") && !b->at->part[PART_ROLE])
			rc = read_roles(b, &j);
		else
			rc = ch == '{' ? read_dimension(b, &j) : json_pull_pass(&j, 0);
		if (rc != GLANE_OK)
			break;
	}
	json_pull_release(&j);
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc read_part(
	struct build *b, enum jsonstat_part part, char kind, glane_rc (*read)(struct build *, struct json_pull *))
{
	struct payload view;
	struct json_pull j;
	glane_rc rc;

	if (!b->at->part[part] || b->at->kind[part] != kind)
		return GLANE_OK;
	json_pull_look(&j, &view, b->p, b->at->part[part], b->d);
	rc = read(b, &j);
	json_pull_release(&j);
	return rc;
}

/* A scalar member as text; absent where there is none. */
static glane_rc part_text(struct build *b, enum jsonstat_part part, struct slice *ret)
{
	struct payload view;
	struct json_pull j;
	struct slice text = {NULL, 0};
	glane_rc rc;

	if (!b->at->part[part] || b->at->kind[part] == '{' || b->at->kind[part] == '[')
		return GLANE_OK;
	json_pull_look(&j, &view, b->p, b->at->part[part], b->d);
	rc = json_pull_text(&j, &text);
	if (rc == GLANE_OK && !dup_text(b, text, ret))
		rc = no_memory(b->d);
	json_pull_release(&j);
	return rc;
}

/* extension.id (Eurostat), extension.matrix (PxStat), extension.px.tableid (PxWeb). */
static glane_rc read_extension(struct build *b, struct json_pull *j, bool is_px)
{
	struct slice text = {NULL, 0};
	bool is_first = true;
	char ch = 0;
	glane_rc rc;

	json_pull_open(j);
	while ((rc = json_pull_member(j, &is_first)) == GLANE_OK) {
		const struct slice key = strbuf_get(&j->key);
		const bool is_id = is_px ? slice_is(key, "tableid") : slice_is(key, "id") || slice_is(key, "matrix");
		const bool is_inner = !is_px && slice_is(key, "px");

		rc = json_pull_peek(j, &ch);
		if (rc == GLANE_OK && is_id && ch == '"' && !b->c->dataset.p) {
			rc = json_pull_text(j, &text);
			if (rc == GLANE_OK && !dup_text(b, text, &b->c->dataset))
				rc = no_memory(b->d);
		} else if (rc == GLANE_OK) {
			rc = is_inner && ch == '{' ? read_extension(b, j, true) : json_pull_pass(j, 0);
		}
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc read_outer_extension(struct build *b, struct json_pull *j)
{
	return read_extension(b, j, false);
}

/* The last part of the path of `href`, without query and ".json". */
static struct slice path_end(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '?' || s.p[i] == '#')
			s.n = i;
	while (s.n && s.p[s.n - 1] == '/')
		s.n--;
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == '/') {
			s = (struct slice){s.p + i, s.n - i};
			break;
		}
	return s.n > 5 && memcmp(s.p + s.n - 5, ".json", 5) == 0 ? (struct slice){s.p, s.n - 5} : s;
}

static bool is_plain_name(struct slice s)
{
	return !s.n || slice_is(s, "dataset") || slice_is(s, "data") || slice_is(s, "result") || slice_is(s, "item");
}

static glane_rc read_texts_of_dataset(struct build *b)
{
	struct slice href = {NULL, 0};
	glane_rc rc = part_text(b, PART_LABEL, &b->c->title);

	if (rc == GLANE_OK && !b->c->title.p)
		rc = part_text(b, PART_TITLE, &b->c->title);
	if (rc == GLANE_OK)
		rc = part_text(b, PART_UPDATED, &b->c->updated);
	if (rc == GLANE_OK && !b->c->updated.p)
		rc = part_text(b, PART_STAMP, &b->c->updated);
	if (rc == GLANE_OK)
		rc = read_part(b, PART_EXTENSION, '{', read_outer_extension);
	if (rc == GLANE_OK && !b->c->dataset.p && !is_plain_name(b->at->name))
		b->c->dataset = b->at->name;
	if (rc == GLANE_OK && !b->c->dataset.p)
		rc = part_text(b, PART_HREF, &href);
	if (rc == GLANE_OK && href.n)
		b->c->dataset = path_end(href);
	return rc;
}

static void give_roles(struct build *b)
{
	struct jsonstat_cube *c = b->c;
	bool has_time = false;

	c->unit_dim = SIZE_MAX;
	for (size_t i = 0; i < c->n_dim; i++) {
		struct jsonstat_dimension *dim = &c->dim[i];
		const bool is_time = b->time.p ? slice_eq(dim->id, b->time) : record_is_time(dim->id);

		if (is_time && !has_time)
			dim->role = GLANE_ROLE_TIME;
		else if (b->geo.p && slice_eq(dim->id, b->geo))
			dim->role = GLANE_ROLE_AREA;
		else if (b->metric.p && slice_eq(dim->id, b->metric))
			dim->role = GLANE_ROLE_INDICATOR;
		has_time |= is_time;
		if (dim->has_unit && (c->unit_dim == SIZE_MAX || dim->role == GLANE_ROLE_INDICATOR))
			c->unit_dim = i;
	}
}

/* PxStat and PxWeb: a dimension TLIST(Q1) holds the periods of a PC-Axis file's TIMEVAL, "20101". */
static glane_rc read_scale(struct build *b)
{
	for (size_t i = 0; i < b->c->n_dim; i++) {
		struct jsonstat_dimension *dim = &b->c->dim[i];

		if (dim->role != GLANE_ROLE_TIME || dim->id.n < 8 || strncasecmp(dim->id.p, "TLIST(", 6) != 0)
			continue;
		for (uint64_t k = 0; k < dim->size; k++) {
			struct slice period;

			if (px_period(&period, b->a, dim->id.p[6], dim->category[k].code) != GLANE_OK)
				return no_memory(b->d);
			if (period.p)
				dim->category[k].code = period;
		}
	}
	return GLANE_OK;
}

static glane_rc find_dimension(struct build *b, size_t i)
{
	for (size_t k = 0; k < b->n_dim; k++) {
		if (!b->dim[k].id.p || !slice_eq(b->dim[k].id, b->id[i]))
			continue;
		b->c->dim[i] = b->dim[k];
		b->dim[k].id.p = NULL;
		if (b->dim[k].size != b->size[i])
			return fail(b->d, GLANE_E_FORMAT,
				"JSON-stat: dimension '%.*s' has %llu categories, but its size is %llu",
				SLICE_FMT(b->id[i]), (unsigned long long)b->dim[k].size,
				(unsigned long long)b->size[i]);
		return GLANE_OK;
	}
	return fail(b->d, GLANE_E_FORMAT,
		"JSON-stat: 'id' names the dimension '%.*s', which is not described, or twice", SLICE_FMT(b->id[i]));
}

/* What `id` does not name has one category at most: of several, nothing says which one the values are of. */
static glane_rc check_rest(struct build *b)
{
	for (size_t k = 0; k < b->n_dim; k++)
		if (b->dim[k].id.p && b->dim[k].size > 1)
			return fail(b->d, GLANE_E_FORMAT,
				"JSON-stat: the dimension '%.*s' has %llu categories, but 'id' does not name it",
				SLICE_FMT(b->dim[k].id), (unsigned long long)b->dim[k].size);
	return GLANE_OK;
}

static glane_rc order_dimensions(struct build *b)
{
	struct jsonstat_cube *c = b->c;
	uint64_t n = 1;

	if (b->n_id == 0 || b->n_id != b->n_size)
		return fail(b->d, GLANE_E_FORMAT, "JSON-stat: a dataset has %zu dimensions in 'id' and %zu in 'size'",
			b->n_id, b->n_size);
	c->dim = arena_alloc(b->a, b->n_id * sizeof(*c->dim));
	if (!c->dim)
		return no_memory(b->d);
	c->n_dim = b->n_id;
	for (size_t i = 0; i < b->n_id; i++) {
		const glane_rc rc = find_dimension(b, i);

		if (rc != GLANE_OK)
			return rc;
		if (__builtin_mul_overflow(n, b->size[i], &n) || n > JSONSTAT_CELLS)
			return fail(b->d, GLANE_E_LIMIT,
				"JSON-stat: a dataset of more than %u cells; ask for fewer categories at once",
				JSONSTAT_CELLS);
	}
	c->n_cells = n;
	return check_rest(b);
}

glane_rc jsonstat_cube(struct jsonstat_cube *c, struct arena *a, const struct jsonstat_place *at,
	const struct payload *p, struct diag *d)
{
	struct build *b = mem_zalloc(1, sizeof(*b));
	glane_rc rc;

	if (!b)
		return no_memory(d);
	*c = (struct jsonstat_cube){.dim = NULL};
	b->c = c, b->a = a, b->at = at, b->p = p, b->d = d;
	rc = read_part(b, PART_ID, '[', read_ids);
	if (rc == GLANE_OK)
		rc = read_part(b, PART_SIZE, '[', read_sizes);
	if (rc == GLANE_OK)
		rc = read_part(b, PART_ROLE, '{', read_roles);
	if (rc == GLANE_OK)
		rc = read_dimensions(b);
	if (rc == GLANE_OK)
		rc = order_dimensions(b);
	if (rc == GLANE_OK)
		rc = read_texts_of_dataset(b);
	if (rc == GLANE_OK) {
		give_roles(b);
		rc = read_scale(b);
	}
	mem_free(b);
	return rc;
}
