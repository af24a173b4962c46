/* SPDX-License-Identifier: MIT */
/* dimensionGroupAttributes: attributes of parts of a key, found by the values of the dimensions that they name. */
#include "read/sdmx_json.h"

#define MAX_GROUPS 1000000u
#define MAX_SHAPES 64

static glane_rc no_memory(struct sdmx_json *r)
{
	return fail(r->diag, GLANE_E_NOMEM, "SDMX-JSON: no memory for the groups of a dataset");
}

void sdmx_json_groups_release(struct sdmx_json *r)
{
	for (size_t i = 0; i < r->n_shapes; i++)
		map_release(&r->group_shape[i].by_key);
	r->n_shapes = 0;
	r->n_groups = 0;
}

static bool is_before(const struct sdmx_json_part *a, const struct sdmx_json_part *b)
{
	return a->position != b->position ? (a->position < b->position) : a->level < b->level;
}

/* The dimensions in the order of their positions in the key, whatever they stand at in this message. */
static size_t order_dimensions(const struct sdmx_json *r, uint32_t *order)
{
	size_t n = 0;

	for (size_t i = 0; i < r->s->n; i++) {
		const struct sdmx_json_part *part = &r->s->part[i];
		size_t at = n;

		if (part->role != GLANE_ROLE_DIMENSION && part->role != GLANE_ROLE_TIME)
			continue;
		for (; at > 0 && is_before(part, &r->s->part[order[at - 1]]); at--)
			order[at] = order[at - 1];
		order[at] = (uint32_t)i;
		n++;
	}
	return n;
}

glane_rc sdmx_json_group_key(struct sdmx_json *r, struct json_pull *j, uint32_t *code)
{
	uint32_t order[SDMX_JSON_PARTS];
	const size_t n = order_dimensions(r, order);
	struct slice left = strbuf_get(&j->key);
	bool more = true;

	for (size_t i = 0; i < n; i++) {
		int64_t v = -1;
		struct slice text;

		if (!more)
			return json_pull_fail(j, "the key of a group has fewer parts than there are dimensions");
		more = left.n && memchr(left.p, ':', left.n);
		text = slice_cut(&left, ':');
		code[order[i]] = UINT32_MAX;
		if (text.n == 0 || slice_is(text, "~"))
			continue;
		if (!slice_int(text, 0, UINT32_MAX - 1, &v))
			return json_pull_fail(j, "a part of the key of a group that is no number");
		code[order[i]] = (uint32_t)v;
	}
	return more && left.n ? json_pull_fail(j, "the key of a group has more parts than there are dimensions")
			      : GLANE_OK;
}

static bool is_shape(const struct sdmx_json *r, const struct sdmx_json_shape *s, const uint32_t *code)
{
	size_t n = 0;

	for (size_t i = 0; i < r->s->n; i++) {
		if (code[i] == UINT32_MAX)
			continue;
		if (n == s->n || s->part[n] != i)
			return false;
		n++;
	}
	return n == s->n;
}

/* Those that name fewer dimensions stand, and are applied, first: the innermost wins. */
static struct sdmx_json_shape *shape_of(struct sdmx_json *r, const uint32_t *code)
{
	struct sdmx_json_shape s = {.n = 0};
	size_t at = 0;

	while (at < r->n_shapes && !is_shape(r, &r->group_shape[at], code))
		at++;
	if (at < r->n_shapes)
		return &r->group_shape[at];
	s.part = arena_alloc(&r->arena, (r->s->n + 1) * sizeof(*s.part));
	if (r->n_shapes == MAX_SHAPES || !s.part ||
		!mem_grow(&r->group_shape, &r->cap_shapes, r->n_shapes + 1, sizeof(*r->group_shape)))
		return NULL;
	for (uint32_t i = 0; i < r->s->n; i++)
		if (code[i] != UINT32_MAX)
			s.part[s.n++] = i;
	map_init(&s.by_key, &r->arena);
	for (at = r->n_shapes++; at > 0 && r->group_shape[at - 1].n > s.n; at--)
		r->group_shape[at] = r->group_shape[at - 1];
	r->group_shape[at] = s;
	return &r->group_shape[at];
}

static struct slice key_of(struct sdmx_json *r, const struct sdmx_json_shape *s, const uint32_t *code)
{
	for (size_t i = 0; i < s->n; i++)
		r->group_key[i] = code[s->part[i]];
	return (struct slice){(const char *)r->group_key, s->n * sizeof(*r->group_key)};
}

struct value { /* of a group: a list of them, which ends with part UINT32_MAX */
	uint32_t part;
	struct slice text;
};

/* What the group that was taken last says. */
static struct value *values_now(struct sdmx_json *r)
{
	struct value *v;
	size_t n = 0;

	for (size_t i = 0; i < r->s->n; i++)
		n += r->s->part[i].level == AT_GROUP && r->value[i].p;
	v = arena_alloc(&r->arena, (n + 1) * sizeof(*v));
	if (!v)
		return NULL;
	v[n] = (struct value){.part = UINT32_MAX};
	for (uint32_t i = (uint32_t)r->s->n; i-- > 0;) {
		if (r->s->part[i].level != AT_GROUP || !r->value[i].p)
			continue;
		v[--n].part = i;
		if (!arena_dup(&r->arena, r->value[i], &v[n].text))
			return NULL;
	}
	return v;
}

static glane_rc put_group(struct sdmx_json *r, const uint32_t *code)
{
	struct sdmx_json_shape *s = shape_of(r, code);
	struct value *values = values_now(r);
	uint64_t *slot;

	if (!s || r->n_groups == MAX_GROUPS)
		return fail(r->diag, GLANE_E_LIMIT,
			"SDMX-JSON: more than %u groups, or more than %d sets of dimensions for them, in a dataset, or "
			"no memory",
			MAX_GROUPS, MAX_SHAPES);
	if (!values || !map_put(&s->by_key, key_of(r, s, code), 0, &slot, NULL))
		return no_memory(r);
	*slot = (uint64_t)(uintptr_t)values; /* of two groups of one key the later one */
	r->n_groups++;
	return GLANE_OK;
}

glane_rc sdmx_json_take_group(struct sdmx_json *r, struct json_pull *j, struct strbuf *b)
{
	glane_rc rc;

	strbuf_reset(b);
	sdmx_json_clear_level(r, GLANE_ROLE_ATTRIBUTE, AT_GROUP);
	sdmx_json_clear_cells(r, AT_GROUP);
	rc = sdmx_json_take_attributes(r, j, AT_GROUP, b);
	sdmx_json_settle_cells(r, AT_GROUP, b);
	return rc;
}

static glane_rc take_one(void *arg, struct json_pull *j)
{
	struct sdmx_json *r = arg;
	uint32_t code[SDMX_JSON_PARTS];
	glane_rc rc;

	memset(code, 0xff, sizeof(code));
	rc = sdmx_json_group_key(r, j, code);
	if (rc == GLANE_OK)
		rc = sdmx_json_take_group(r, j, &r->series_text);
	return rc == GLANE_OK ? put_group(r, code) : rc;
}

glane_rc sdmx_json_take_groups(struct sdmx_json *r, uint64_t at)
{
	struct payload view;
	struct json_pull j;
	glane_rc rc;

	sdmx_json_look(&j, &view, r->payload, at, r->diag);
	rc = json_pull_each(&j, '{', take_one, r);
	json_pull_release(&j);
	sdmx_json_clear_level(r, GLANE_ROLE_ATTRIBUTE, AT_GROUP);
	return rc;
}

void sdmx_json_apply_groups(struct sdmx_json *r)
{
	sdmx_json_clear_level(r, GLANE_ROLE_ATTRIBUTE, AT_GROUP);
	for (size_t k = 0; k < r->n_shapes; k++) {
		const struct sdmx_json_shape *s = &r->group_shape[k];
		const uint64_t *found = map_find(&s->by_key, key_of(r, s, r->code));
		const struct value *v = found ? (const struct value *)(uintptr_t)*found : NULL;

		for (; v && v->part != UINT32_MAX; v++)
			r->value[v->part] = v->text;
	}
	sdmx_json_set_defaults(r, AT_GROUP);
}
