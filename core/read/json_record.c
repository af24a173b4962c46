/* SPDX-License-Identifier: MIT */
/* One JSON record: compared with the shape of the record before it, else walked; both find the bound fields. */
#include "read/json_record.h"
#include "base/map.h"

#define SHAPE_SLOTS 512
#define FEW_KEYS 16 /* up to here members are compared one by one, beyond by a hash map */

struct walk {
	struct json_record *r;
	struct json_cursor *c;
	const char *start;
};

glane_rc json_record_init(
	struct json_record *r, size_t max_record, size_t max_field, unsigned max_depth, struct diag *d)
{
	*r = (struct json_record){.max_record = max_record, .max_field = max_field, .max_depth = max_depth, .diag = d};
	arena_init(&r->names, 0);
	strbuf_init(&r->decoded, max_record);
	if (!mem_grow(&r->slot, &r->cap_slot, SHAPE_SLOTS, sizeof(*r->slot)))
		return fail(d, GLANE_E_NOMEM, "no memory for a JSON reader");
	return GLANE_OK;
}

void json_record_release(struct json_record *r)
{
	json_tree_release(&r->tree);
	mem_free(r->slot);
	mem_free(r->key);
	arena_release(&r->names);
	strbuf_release(&r->decoded);
	*r = (struct json_record){.rc = GLANE_E_USAGE};
}

void json_record_forget(struct json_record *r)
{
	r->is_shape = false;
	r->p = NULL;
	r->n = 0;
}

static const char *walk_fail(struct walk *w, glane_rc rc)
{
	w->r->rc = rc;
	return NULL;
}

static const char *walk_value(struct walk *w, const char *p, uint32_t node, unsigned depth);

/* The next byte that is no blank; NULL where the window ends before it. */
static inline const char *walk_blanks(struct walk *w, const char *p)
{
	if (p < w->c->end && (unsigned char)*p > ' ')
		return p;
	p = json_blanks(p, w->c->end);
	return p < w->c->end ? p : json_scan_cut(w->c);
}

/* A bound field wants an object or array here, but there is another value. Null, "" and empty containers are how
 * providers write that there is none; anything else means that the source has changed its shape. */
static const char *misfit(struct walk *w, uint32_t node, const char *what)
{
	const char *path = json_tree_path(&w->r->tree, node);

	if (node == JSON_ROOT)
		return walk_fail(w, fail(w->r->diag, GLANE_E_FORMAT, "a record must be an object {...}, not %s", what));
	return walk_fail(w, fail(w->r->diag, GLANE_E_FORMAT,
				    "field '%s' goes through %s: has the source changed its shape?", path, what));
}

static const char *walk_scalar(struct walk *w, const char *p, uint32_t node)
{
	struct json_record *r = w->r;
	const struct json_node *nd = node ? &r->tree.node[node] : NULL;
	const bool is_scaffold = nd && nd->child;
	uint8_t kind = 0;
	const char *end = json_scan_scalar(w->c, p, &kind);

	if (!end)
		return NULL;
	if ((size_t)(end - p) > r->max_field)
		return walk_fail(w, fail(r->diag, GLANE_E_LIMIT, "a value of more than %zu bytes", r->max_field));
	if (is_scaffold && !nd->path && kind != JSON_NULL && !(kind == JSON_STRING && end - p == 2))
		return misfit(w, node, "a single value");
	if (kind == JSON_ESCAPED)
		r->is_escaped = true;
	if (r->n_slot >= SHAPE_SLOTS) {
		r->is_shape = false;
		if (!nd)
			return end;
		if (!mem_grow(&r->slot, &r->cap_slot, r->n_slot + 1, sizeof(*r->slot)))
			return walk_fail(w, fail(r->diag, GLANE_E_NOMEM, "no memory for the fields of a JSON record"));
	}
	r->slot[r->n_slot] = (struct json_slot){.start = (uint32_t)(p - w->start),
		.end = (uint32_t)(end - w->start),
		.kind = kind,
		.is_scaffold = is_scaffold};
	if (nd)
		r->tree.node[node].slot = (uint32_t)r->n_slot;
	r->n_slot++;
	return end;
}

static const char *duplicate(struct walk *w, struct slice name)
{
	return walk_fail(w, fail(w->r->diag, GLANE_E_FORMAT, "an object has the member '%.*s' twice", SLICE_FMT(name)));
}

/* Enters all members from `first` on into the map of the object. */
static const char *see_keys(struct walk *w, struct map *seen, size_t first, const char *p)
{
	struct json_record *r = w->r;
	const size_t from = seen->n ? r->n_key - 1 : first;

	for (size_t i = from; i < r->n_key; i++) {
		bool is_new = false;

		if (!map_put(seen, r->key[i], 1, NULL, &is_new))
			return walk_fail(w, fail(r->diag, GLANE_E_NOMEM, "no memory for the members of an object"));
		if (!is_new)
			return duplicate(w, r->key[i]);
	}
	return p;
}

/* Remembers the member's name and refuses one that the object has already. */
static const char *add_key(struct walk *w, struct map *seen, size_t first, struct slice name, const char *p)
{
	struct json_record *r = w->r;

	if (r->n_key == r->cap_key && !mem_grow(&r->key, &r->cap_key, r->n_key + 1, sizeof(*r->key)))
		return walk_fail(w, fail(r->diag, GLANE_E_NOMEM, "no memory for the members of an object"));
	r->key[r->n_key++] = name;
	if (r->n_key - first > FEW_KEYS)
		return see_keys(w, seen, first, p);
	for (size_t i = first; i + 1 < r->n_key; i++) {
		if (json_same(r->key[i], name))
			return duplicate(w, name);
	}
	return p;
}

/* Reads a member's name and the colon; p stands behind it. */
static const char *walk_key(struct walk *w, const char *p, struct slice *ret_name)
{
	struct json_record *r = w->r;
	struct slice name;
	uint8_t kind = 0;
	const char *end;

	if (*p != '"')
		return json_scan_bad(w->c, p, "a member name in quotes was expected");
	end = json_scan_string(w->c, p, &kind);
	if (!end)
		return NULL;
	name = (struct slice){p + 1, (size_t)(end - p) - 2};
	if (name.n > r->max_field)
		return walk_fail(w, fail(r->diag, GLANE_E_LIMIT, "a name of more than %zu bytes", r->max_field));
	if (kind == JSON_ESCAPED) {
		char *out = arena_alloc(&r->names, name.n);

		if (!out)
			return walk_fail(w, fail(r->diag, GLANE_E_NOMEM, "no memory for a member's name"));
		name = (struct slice){out, json_decode(name, out)};
	}
	p = walk_blanks(w, end);
	if (!p)
		return NULL;
	if (*p != ':')
		return json_scan_bad(w->c, p, "':' was expected");
	*ret_name = name;
	return walk_blanks(w, p + 1);
}

static const char *walk_members(struct walk *w, const char *p, uint32_t node, unsigned depth, struct map *seen)
{
	const size_t first = w->r->n_key;
	uint32_t last = 0;

	for (;;) {
		struct slice name = {NULL, 0};

		p = walk_key(w, p, &name);
		if (p)
			p = add_key(w, seen, first, name, p);
		if (p)
			p = walk_value(w, p, node ? json_tree_guess(&w->r->tree, node, name, &last) : 0, depth);
		if (p)
			p = walk_blanks(w, p);
		if (!p || *p == '}')
			break;
		if (*p != ',')
			return json_scan_bad(w->c, p, "',' or '}' was expected");
		p = walk_blanks(w, p + 1);
		if (!p)
			break;
	}
	w->r->n_key = first;
	return p ? p + 1 : NULL;
}

static const char *walk_object(struct walk *w, const char *p, uint32_t node, unsigned depth)
{
	struct map seen;

	p = walk_blanks(w, p + 1);
	if (!p)
		return NULL;
	if (*p == '}')
		return p + 1;
	map_init(&seen, NULL);
	p = walk_members(w, p, node, depth, &seen);
	map_release(&seen);
	return p;
}

static const char *walk_array(struct walk *w, const char *p, uint32_t node, unsigned depth)
{
	uint64_t index = 0;

	p = walk_blanks(w, p + 1);
	if (!p)
		return NULL;
	if (*p == ']')
		return p + 1;
	for (;; index++) {
		p = walk_value(w, p, node ? json_tree_element(&w->r->tree, node, index) : 0, depth);
		if (p)
			p = walk_blanks(w, p);
		if (!p)
			return NULL;
		if (*p == ']')
			return p + 1;
		if (*p != ',')
			return json_scan_bad(w->c, p, "',' or ']' was expected");
		p = walk_blanks(w, p + 1);
		if (!p)
			return NULL;
	}
}

/* True where an array is not empty, and the fields that go through it want members of an object only. */
static bool is_wrong_array(const struct walk *w, const char *p, uint32_t node)
{
	const struct json_node *nd = w->r->tree.node;

	p = json_blanks(p + 1, w->c->end);
	if (p == w->c->end || *p == ']' || !nd[node].child)
		return false;
	for (uint32_t i = nd[node].child; i; i = nd[i].next) {
		if (nd[i].step.index >= 0)
			return false;
	}
	return true;
}

static const char *walk_container(struct walk *w, const char *p, uint32_t node, unsigned depth)
{
	struct json_record *r = w->r;

	if (depth >= r->max_depth)
		return walk_fail(w, fail(r->diag, GLANE_E_LIMIT, "nested more than %u deep", r->max_depth));
	if (node && r->tree.node[node].path)
		return walk_fail(w, fail(r->diag, GLANE_E_FORMAT, "field '%s' is %s, not a single value",
					    r->tree.node[node].path, *p == '{' ? "an object" : "an array"));
	if (*p == '{')
		return walk_object(w, p, node, depth + 1);
	if (node && is_wrong_array(w, p, node))
		return misfit(w, node, "an array");
	return walk_array(w, p, node, depth + 1);
}

static const char *walk_value(struct walk *w, const char *p, uint32_t node, unsigned depth)
{
	if ((size_t)(p - w->start) > w->r->max_record)
		return walk_fail(
			w, fail(w->r->diag, GLANE_E_LIMIT, "a record of more than %zu bytes", w->r->max_record));
	if (*p == '{' || *p == '[')
		return walk_container(w, p, node, depth);
	return walk_scalar(w, p, node);
}

static const char *record_walk(struct json_record *r, struct json_cursor *c, const char *p, unsigned depth)
{
	struct walk w = {.r = r, .c = c, .start = p};

	if (!p)
		return json_scan_cut(c); /* an empty window */
	if (r->names.used)
		arena_release(&r->names);
	r->n_slot = r->n_key = 0;
	r->is_escaped = false;
	r->is_shape = *p == '{' || *p == '[';
	for (size_t i = JSON_ROOT; i < r->tree.n; i++)
		r->tree.node[i].slot = JSON_NO_SLOT;
	return walk_value(&w, p, r->tree.n ? JSON_ROOT : 0, depth);
}

/* Takes over the slots that end before `off` of the shape, moved by `moved`; returns the first that does not. A number
 * may go on where it ended before. */
static size_t slots_move(struct json_record *r, size_t i, uint32_t off, uint32_t moved)
{
	for (; i < r->n_slot; i++) {
		struct json_slot *s = &r->slot[i];

		if (s->end >= off && !(s->end == off && s->kind != JSON_NUMBER))
			break;
		s->start += moved;
		s->end += moved;
	}
	return i;
}

/* Compares the record at `start` with the shape r->p: equal runs of bytes, between them values that differ and are
 * scanned. NULL where it differs in any other way, is cut or wrong: then it has to be walked. */
static const char *record_match(struct json_record *r, const struct json_cursor *cursor, const char *start)
{
	const char *p = r->p, *q = start, *const p_end = r->p + r->n;
	struct json_cursor c = *cursor;
	uint32_t moved = 0;
	size_t i = 0;

	for (;;) {
		const size_t same = json_common(p, q, (size_t)(p_end - p), c.end);
		struct json_slot *s;
		const char *end;
		uint8_t kind = 0;

		p += same;
		q += same;
		if (p == p_end)
			break;
		i = slots_move(r, i, (uint32_t)(p - r->p), moved);
		if (i == r->n_slot)
			return NULL;
		s = &r->slot[i++];
		if (s->start > (uint32_t)(p - r->p) || s->is_scaffold)
			return NULL;
		q = start + (uint32_t)(s->start + moved);
		if (q >= c.end)
			return NULL;
		end = json_scan_scalar(&c, q, &kind);
		if (!end || (size_t)(end - q) > r->max_field)
			return NULL;
		if (kind == JSON_ESCAPED)
			r->is_escaped = true;
		p = r->p + s->end;
		moved = (uint32_t)(end - start) - s->end;
		*s = (struct json_slot){.start = (uint32_t)(q - start), .end = (uint32_t)(end - start), .kind = kind};
		q = end;
	}
	slots_move(r, i, UINT32_MAX, moved);
	return q;
}

const char *json_record_read(struct json_record *r, struct json_cursor *c, const char *p, unsigned depth)
{
	const char *end = NULL;

	r->rc = GLANE_OK;
	c->what = NULL;
	if (r->is_shape)
		end = record_match(r, c, p);
	if (!end) {
		json_record_forget(r);
		end = record_walk(r, c, p, depth);
	}
	if (!end) {
		json_record_forget(r);
		return NULL;
	}
	if ((size_t)(end - p) > r->max_record) {
		r->rc = fail(r->diag, GLANE_E_LIMIT, "a record of more than %zu bytes", r->max_record);
		return NULL;
	}
	r->p = p;
	r->n = (size_t)(end - p);
	return end;
}

static struct slice slot_text(const struct json_record *r, const struct json_slot *s)
{
	const bool is_quoted = s->kind == JSON_STRING || s->kind == JSON_ESCAPED;
	const char *p = r->p + s->start;
	const size_t n = s->end - s->start;

	if (s->kind == JSON_NULL)
		return (struct slice){NULL, 0};
	return is_quoted ? (struct slice){p + 1, n - 2} : (struct slice){p, n};
}

glane_rc json_record_decode(struct json_record *r)
{
	size_t n = 0;

	if (!r->is_escaped)
		return GLANE_OK;
	for (size_t i = JSON_ROOT; i < r->tree.n; i++) {
		const struct json_node *nd = &r->tree.node[i];

		if (nd->slot != JSON_NO_SLOT && r->slot[nd->slot].kind == JSON_ESCAPED)
			n += slot_text(r, &r->slot[nd->slot]).n;
	}
	strbuf_reset(&r->decoded);
	if (n && !strbuf_room(&r->decoded, n))
		return fail(r->diag, GLANE_E_NOMEM, "no memory for the fields of a JSON record");
	for (size_t i = JSON_ROOT; i < r->tree.n; i++) {
		struct json_node *nd = &r->tree.node[i];
		char *out;

		if (nd->slot == JSON_NO_SLOT || r->slot[nd->slot].kind != JSON_ESCAPED)
			continue;
		out = r->decoded.p + r->decoded.n;
		nd->value = (struct slice){out, json_decode(slot_text(r, &r->slot[nd->slot]), out)};
		r->decoded.n += nd->value.n;
	}
	return GLANE_OK;
}

struct slice json_record_value(const struct json_record *r, uint32_t node)
{
	const struct json_node *nd = &r->tree.node[node];

	if (!r->p || nd->slot == JSON_NO_SLOT)
		return (struct slice){NULL, 0};
	return r->slot[nd->slot].kind == JSON_ESCAPED ? nd->value : slot_text(r, &r->slot[nd->slot]);
}
