/* SPDX-License-Identifier: MIT */
/* JSON records: opening a reader, and what it answers about the current record. */
#include "read/json.h"
#include "read/json_document.h"

#define MAX_RECORD ((size_t)8 << 20)
#define MAX_FIELD ((size_t)1 << 20)
#define MAX_OFFSET ((size_t)1 << 30) /* slots are 32 bits wide */
#define MAX_DEPTH 64
#define DEPTH_CEILING 512 /* the walk over a record is recursive */

static glane_rc json_next(void *state)
{
	struct json *r = state;

	if (r->over == GLANE_E_NOMEM)
		return fail(r->diag, r->over, "no memory for a JSON record");
	if (r->over)
		return r->over;
	if (r->scratch.used)
		arena_release(&r->scratch);
	r->is_record = false;
	while (!r->is_record && r->over == GLANE_OK)
		r->over = json_step(r);
	return r->over;
}

static struct slice json_at(void *state, size_t i)
{
	struct json *r = state;

	if (!r->is_record || i >= r->n_field)
		return (struct slice){NULL, 0};
	return r->field[i] ? json_record_value(&r->rec, r->field[i]) : strbuf_get(&r->key);
}

/* What goes wrong here for lack of memory shows in the next json_next(). */
static struct slice json_get(void *state, const char *text)
{
	struct json *r = state;
	struct json_path path = {NULL, 0};
	struct slice s = {NULL, 0};
	glane_rc rc = GLANE_OK;
	uint8_t kind = 0;

	if (!r->is_record)
		return s;
	for (size_t i = 0; i < r->n_field; i++) {
		if (r->field_text[i] == text || strcmp(r->field_text[i], text) == 0)
			return json_at(r, i);
	}
	if (strcmp(text, "$key") == 0) {
		rc = json_key(r);
		s = strbuf_get(&r->key);
	} else {
		rc = json_path_parse(&path, &r->scratch, text, false, NULL);
		if (rc == GLANE_OK)
			s = json_path_find(&path, (struct slice){r->rec.p, r->rec.n}, &r->scratch, &kind, &rc);
		else if (rc != GLANE_E_NOMEM)
			rc = GLANE_OK; /* a path that is none leads nowhere */
		if (s.p)
			s = json_unquote(s, kind, &r->scratch, &rc);
	}
	if (rc < 0)
		r->over = fail(r->diag, rc, "no memory for '%s' of a JSON record", text);
	return s;
}

static const struct glane_kv *json_items(void *state, const char *text, size_t *ret_n)
{
	struct json *r = state;
	struct json_path path = {NULL, 0};
	struct glane_kv *items = NULL;
	glane_rc rc;

	*ret_n = 0;
	if (!r->is_record)
		return NULL;
	rc = json_path_parse(&path, &r->scratch, text, false, NULL);
	if (rc == GLANE_OK)
		items = json_path_items(&path, (struct slice){r->rec.p, r->rec.n}, &r->scratch, ret_n, &rc);
	if (rc == GLANE_E_NOMEM)
		r->over = fail(r->diag, rc, "no memory for the items of '%s' of a JSON record", text);
	return items;
}

static size_t json_columns(const void *state)
{
	(void)state;
	return 0;
}

static struct slice json_column(const void *state, size_t i)
{
	(void)state;
	(void)i;
	return (struct slice){NULL, 0};
}

static struct slice json_head(const void *state, size_t i)
{
	const struct json *r = state;

	return i < r->n_head ? r->heads.node[r->head_node[i]].value : (struct slice){NULL, 0};
}

static void json_where(const void *state, uint64_t *number, uint64_t *line, uint64_t *offset)
{
	const struct json *r = state;

	*number = r->number;
	*line = r->line;
	*offset = r->offset;
}

static struct slice json_raw(const void *state, size_t max)
{
	const struct json *r = state;

	if (!r->is_record)
		return (struct slice){NULL, 0};
	return (struct slice){r->rec.p, r->rec.n < max ? r->rec.n : max};
}

static void json_close(void *state)
{
	struct json *r = state;

	if (!r)
		return;
	json_record_release(&r->rec);
	json_tree_release(&r->heads);
	strbuf_release(&r->key);
	arena_release(&r->scratch);
	arena_release(&r->arena);
	mem_free(r);
}

static glane_rc paths_open(struct json *r, const struct record_options *o)
{
	const size_t n = o->field ? o->n_field : 0;
	const char *select = o->select ? o->select : "";
	glane_rc rc;

	r->is_lines = strcmp(select, "$lines") == 0;
	rc = json_path_parse(&r->select, &r->arena, r->is_lines ? "" : select, true, r->diag);
	r->select_text = select;
	r->level = arena_alloc(&r->arena, r->max_depth * sizeof(*r->level));
	r->field = arena_alloc(&r->arena, (n + 1) * sizeof(*r->field));
	r->head_node = arena_alloc(&r->arena, (o->n_head + 1) * sizeof(*r->head_node));
	if (rc == GLANE_OK && (!r->level || !r->field || !r->head_node))
		rc = fail(r->diag, GLANE_E_NOMEM, "no memory for a JSON reader");
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (strcmp(o->field[i], "$key") == 0)
			r->has_key = true;
		else
			rc = json_tree_add(&r->rec.tree, &r->arena, o->field[i], &r->field[i], r->diag);
	}
	for (size_t i = 0; rc == GLANE_OK && i < o->n_head; i++)
		rc = json_tree_add(&r->heads, &r->arena, o->head[i], &r->head_node[i], r->diag);
	r->field_text = o->field;
	r->n_field = n;
	r->head_text = o->head;
	r->n_head = o->n_head;
	r->last_star = JSON_OFF_PATH;
	for (size_t i = 0; i < r->select.n; i++) {
		if (r->select.step[i].star)
			r->last_star = i;
	}
	return rc;
}

static glane_rc json_open(void **state, struct payload *p, const struct record_options *o, struct diag *d)
{
	struct json *r = mem_zalloc(1, sizeof(*r));
	glane_rc rc;

	if (!r)
		return fail(d, GLANE_E_NOMEM, "no memory for a JSON reader");
	r->payload = p;
	r->diag = d;
	r->max_record = o->max_record ? o->max_record : MAX_RECORD;
	r->max_record = r->max_record < MAX_OFFSET ? r->max_record : MAX_OFFSET;
	r->max_field = o->max_field ? o->max_field : MAX_FIELD;
	r->max_field = r->max_field < MAX_OFFSET ? r->max_field : MAX_OFFSET;
	r->max_depth = o->max_depth ? o->max_depth : MAX_DEPTH;
	r->max_depth = r->max_depth < DEPTH_CEILING ? r->max_depth : DEPTH_CEILING;
	arena_init(&r->arena, 0);
	arena_init(&r->scratch, 0);
	strbuf_init(&r->key, r->max_field);
	rc = json_record_init(&r->rec, r->max_record, r->max_field, r->max_depth, d);
	if (rc == GLANE_OK)
		rc = paths_open(r, o);
	if (rc < 0) {
		json_close(r);
		return rc;
	}
	json_window(r);
	r->phase = JSON_AT_START;
	r->head = r->heads.n ? JSON_ROOT : 0;
	*state = r;
	return GLANE_OK;
}

const struct record_ops json_record_ops = {
	.open = json_open,
	.next = json_next,
	.at = json_at,
	.get = json_get,
	.columns = json_columns,
	.column = json_column,
	.head = json_head,
	.where = json_where,
	.text = json_raw,
	.close = json_close,
	.items = json_items,
};
