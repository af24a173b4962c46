/* SPDX-License-Identifier: MIT */
/* Paths into a JSON document: parsing, and the tree of the paths that a reader looks for. */
#include "read/json_path.h"
#include "read/json_scan.h"

static size_t step_count(const char *text)
{
	size_t n = *text ? 1 : 0;

	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (*text == '.')
			n++;
	}
	return n;
}

/* Cuts the next step off *text, without its escapes. False: no memory. */
static bool step_cut(struct json_step *s, struct arena *a, const char **text)
{
	const char *p = *text;
	char *out = arena_alloc(a, strlen(p) + 1);
	size_t n = 0;
	bool is_escaped = false;

	if (!out)
		return false;
	for (; *p && *p != '.'; p++) {
		if (*p == '\\' && p[1]) {
			p++;
			is_escaped = true;
		}
		out[n++] = *p;
	}
	s->name = (struct slice){out, n};
	s->star = !is_escaped && n == 1 && out[0] == '*';
	if ((n > 1 && out[0] == '0') || !slice_int(s->name, 0, INT64_MAX, &s->index))
		s->index = -1;
	*text = *p ? p + 1 : p;
	return true;
}

glane_rc json_path_parse(struct json_path *ret, struct arena *a, const char *text, bool is_star_ok, struct diag *d)
{
	const size_t n = step_count(text);
	const char *rest = text;
	struct json_step *step;

	if (n > JSON_PATH_STEPS)
		return fail(d, GLANE_E_USAGE, "path '%s' has more than %d steps", text, JSON_PATH_STEPS);
	step = arena_alloc(a, (n + 1) * sizeof(*step));
	if (!step)
		return fail(d, GLANE_E_NOMEM, "no memory for path '%s'", text);
	for (size_t i = 0; i < n; i++) {
		if (!step_cut(&step[i], a, &rest))
			return fail(d, GLANE_E_NOMEM, "no memory for path '%s'", text);
		if (step[i].name.n == 0)
			return fail(d, GLANE_E_USAGE, "path '%s' has an empty step", text);
		if (step[i].star && !is_star_ok)
			return fail(d, GLANE_E_USAGE, "path '%s': '*' has a meaning in select only", text);
	}
	*ret = (struct json_path){step, n};
	return GLANE_OK;
}

struct slice json_unquote(struct slice raw, uint8_t kind, struct arena *a, glane_rc *ret_rc)
{
	struct slice s = {raw.p + 1, raw.n - 2};
	char *out;

	if (kind == JSON_NULL)
		return (struct slice){NULL, 0};
	if (kind != JSON_STRING && kind != JSON_ESCAPED)
		return raw;
	if (kind == JSON_STRING)
		return s;
	out = arena_alloc(a, s.n);
	if (!out) {
		*ret_rc = GLANE_E_NOMEM;
		return (struct slice){NULL, 0};
	}
	return (struct slice){out, json_decode(s, out)};
}

/* p stands on the first member or element of a checked container (or on its end): finds the step's value, or NULL. */
static const char *step_find(const struct json_step *step, bool is_object, const char *p, struct json_cursor *c,
	struct arena *a, glane_rc *ret_rc)
{
	for (int64_t i = 0; *p != '}' && *p != ']'; i++) {
		bool is_it = !is_object && i == step->index;

		if (is_object) {
			const char *end = json_pass(p, c->end);
			const struct slice raw = {p, (size_t)(end - p)};
			const uint8_t kind = memchr(raw.p, '\\', raw.n) ? JSON_ESCAPED : JSON_STRING;

			is_it = slice_eq(json_unquote(raw, kind, a, ret_rc), step->name);
			p = json_blanks(json_blanks(end, c->end) + 1, c->end);
		}
		if (is_it)
			return p;
		p = json_blanks(json_pass(p, c->end), c->end);
		if (*p == ',')
			p = json_blanks(p + 1, c->end);
	}
	return NULL;
}

/* Where the value at path begins inside a checked text; NULL: there is none. */
static const char *path_walk(
	const struct json_path *path, struct slice text, struct json_cursor *c, struct arena *a, glane_rc *ret_rc)
{
	const char *p = text.p;

	for (size_t i = 0; p && i < path->n; i++) {
		if (*p != '{' && *p != '[')
			return NULL;
		p = step_find(&path->step[i], *p == '{', json_blanks(p + 1, c->end), c, a, ret_rc);
	}
	return p;
}

struct slice json_path_find(
	const struct json_path *path, struct slice text, struct arena *a, uint8_t *ret_kind, glane_rc *ret_rc)
{
	struct json_cursor c = {.end = text.p + text.n, .last = true};
	const char *p = path_walk(path, text, &c, a, ret_rc), *end;

	if (!p || *p == '{' || *p == '[')
		return (struct slice){NULL, 0};
	end = json_scan_scalar(&c, p, ret_kind);
	return end ? (struct slice){p, (size_t)(end - p)} : (struct slice){NULL, 0};
}

static size_t item_count(const char *p, const char *end)
{
	size_t n = 0;

	for (; *p != '}' && *p != ']'; n++) {
		p = json_blanks(json_pass(p, end), end);
		if (*p == ':') /* was a key */
			p = json_blanks(json_pass(json_blanks(p + 1, end), end), end);
		if (*p == ',')
			p = json_blanks(p + 1, end);
	}
	return n;
}

/* p stands on a member or element: reads it; the position behind it. */
static const char *item_read(
	struct glane_kv *item, bool is_object, const char *p, struct json_cursor *c, struct arena *a, glane_rc *ret_rc)
{
	const char *end = json_pass(p, c->end);
	struct slice text;
	uint8_t kind = 0;

	*item = (struct glane_kv){NULL, {NULL, 0}};
	if (is_object) {
		const struct slice raw = {p, (size_t)(end - p)};
		const uint8_t key_kind = memchr(raw.p, '\\', raw.n) ? JSON_ESCAPED : JSON_STRING;
		const struct slice key = json_unquote(raw, key_kind, a, ret_rc);

		item->k = arena_strndup(a, key.p ? key.p : "", key.n);
		if (!item->k)
			*ret_rc = GLANE_E_NOMEM;
		p = json_blanks(json_blanks(end, c->end) + 1, c->end);
		end = json_pass(p, c->end);
	}
	text = (struct slice){p, (size_t)(end - p)};
	if (*p != '{' && *p != '[' && json_scan_scalar(c, p, &kind))
		text = json_unquote(text, kind, a, ret_rc);
	item->v = (glane_str){text.p, text.n};
	return end;
}

struct glane_kv *json_path_items(
	const struct json_path *path, struct slice text, struct arena *a, size_t *ret_n, glane_rc *ret_rc)
{
	struct json_cursor c = {.end = text.p + text.n, .last = true};
	const char *p = path_walk(path, text, &c, a, ret_rc);
	const bool is_object = p && *p == '{';
	struct glane_kv *items;

	*ret_n = 0;
	if (!p || (!is_object && *p != '['))
		return NULL;
	p = json_blanks(p + 1, c.end);
	*ret_n = item_count(p, c.end);
	items = arena_alloc(a, (*ret_n + 1) * sizeof(*items));
	if (!items)
		*ret_rc = GLANE_E_NOMEM;
	for (size_t i = 0; items && *ret_rc == GLANE_OK && i < *ret_n; i++) {
		p = json_blanks(item_read(&items[i], is_object, p, &c, a, ret_rc), c.end);
		if (*p == ',')
			p = json_blanks(p + 1, c.end);
	}
	if (*ret_rc == GLANE_OK)
		return items;
	*ret_n = 0;
	return NULL;
}

static bool node_new(struct json_tree *t, uint32_t parent, struct json_step step, uint32_t *ret_node)
{
	if (!mem_grow(&t->node, &t->cap, t->n + 1, sizeof(*t->node)))
		return false;
	t->node[t->n] = (struct json_node){.step = step, .slot = JSON_NO_SLOT};
	if (t->n > JSON_ROOT) {
		t->node[t->n].next = t->node[parent].child;
		t->node[parent].child = (uint32_t)t->n;
	}
	*ret_node = (uint32_t)t->n++;
	return true;
}

glane_rc json_tree_add(struct json_tree *t, struct arena *a, const char *text, uint32_t *ret_node, struct diag *d)
{
	struct json_path path = {NULL, 0};
	uint32_t at = JSON_ROOT, child = 0;
	glane_rc rc = json_path_parse(&path, a, text, false, d);

	if (rc < 0)
		return rc;
	while (t->n <= JSON_ROOT) {
		if (!node_new(t, 0, (struct json_step){.index = -1}, &child))
			return fail(d, GLANE_E_NOMEM, "no memory for path '%s'", text);
	}
	for (size_t i = 0; i < path.n; i++) {
		child = json_tree_member(t, at, path.step[i].name);
		if (!child && !node_new(t, at, path.step[i], &child))
			return fail(d, GLANE_E_NOMEM, "no memory for path '%s'", text);
		at = child;
	}
	t->node[at].path = text;
	*ret_node = at;
	return GLANE_OK;
}

void json_tree_release(struct json_tree *t)
{
	mem_free(t->node);
	*t = (struct json_tree){NULL, 0, 0};
}

uint32_t json_tree_member(const struct json_tree *t, uint32_t node, struct slice name)
{
	uint32_t i = t->n ? t->node[node].child : 0;

	while (i && !json_same(t->node[i].step.name, name))
		i = t->node[i].next;
	return i;
}

uint32_t json_tree_guess(struct json_tree *t, uint32_t node, struct slice name, uint32_t *last)
{
	uint32_t *guess = *last ? &t->node[*last].after : &t->node[node].lead;
	uint32_t child = *guess;

	if (!child || !json_same(t->node[child].step.name, name))
		child = json_tree_member(t, node, name);
	if (child)
		*guess = *last = child;
	return child;
}

uint32_t json_tree_element(const struct json_tree *t, uint32_t node, uint64_t index)
{
	uint32_t i = t->n ? t->node[node].child : 0;

	while (i && (t->node[i].step.index < 0 || (uint64_t)t->node[i].step.index != index))
		i = t->node[i].next;
	return i;
}

const char *json_tree_path(const struct json_tree *t, uint32_t node)
{
	while (node && !t->node[node].path)
		node = t->node[node].child;
	return node ? t->node[node].path : "";
}
