/* SPDX-License-Identifier: MIT */
/* The walk over a JSON document around its records, in one pass over the payload's window. */
#include "read/json_document.h"
#include <inttypes.h>

static uint64_t offset_of(const struct json *r, const char *p)
{
	return r->payload->pos + (uint64_t)(p - r->payload->p);
}

static glane_rc bad(struct json *r, const char *at, const char *what)
{
	const size_t left = (size_t)(r->c.end - at);
	const struct slice near = {at, left < 24 ? left : 24};

	return fail(r->diag, GLANE_E_FORMAT, "JSON: %s at byte %" PRIu64 " (after record %" PRIu64 ")%s%.*s%s", what,
		offset_of(r, at), r->number, near.n ? ": '" : "", SLICE_FMT(near), near.n ? "'" : "");
}

void json_window(struct json *r)
{
	r->at = r->payload->p;
	r->c.end = r->payload->p + r->payload->n;
	r->c.last = r->payload->last;
}

/* Asks for more bytes, keeping those from `from` on. The window at least doubles, so that a record that comes in many
 * pieces is not begun anew for each of them. */
static glane_rc refill(struct json *r, const char *from)
{
	const size_t keep = (size_t)(r->c.end - from);
	size_t n = keep;
	glane_rc rc;

	if (keep > (r->max_record > r->max_field ? r->max_record : r->max_field) + 64)
		return fail(r->diag, GLANE_E_LIMIT, "JSON: a record or value of more than %zu bytes at byte %" PRIu64,
			r->max_record, offset_of(r, from));
	json_record_forget(&r->rec);
	do {
		rc = payload_more(r->payload, n);
		n = r->payload->n;
	} while (rc == GLANE_OK && !r->payload->last && n < 2 * keep);
	json_window(r);
	return rc;
}

/* A scan at r->at failed: for lack of bytes, or because of what it found. */
static glane_rc scan_failed(struct json *r)
{
	return r->c.what ? bad(r, r->c.bad, r->c.what) : refill(r, r->at);
}

/* Lines are counted where a record is one; passes to `to`. */
static void pass(struct json *r, const char *to)
{
	const char *p = r->at;

	while (r->is_lines && p < to && (p = memchr(p, '\n', (size_t)(to - p)))) {
		r->n_newlines++;
		p++;
	}
	r->at = to;
}

static void value_done(struct json *r)
{
	r->phase = r->n_level ? JSON_AT_NEXT : JSON_AT_END;
}

/* The step of select that the children of the level have to match. */
static const struct json_step *level_step(const struct json *r, const struct json_level *l)
{
	return l->sel == JSON_OFF_PATH ? NULL : &r->select.step[l->sel];
}

static glane_rc twice(struct json *r, struct slice name)
{
	return fail(r->diag, GLANE_E_FORMAT, "JSON: the member '%.*s' stands twice in one object, at byte %" PRIu64,
		SLICE_FMT(name), offset_of(r, r->at));
}

static glane_rc enter_head(struct json *r, uint32_t node, struct slice name)
{
	r->head = node;
	if (!node)
		return GLANE_OK;
	if (r->heads.node[node].is_seen)
		return twice(r, name);
	r->heads.node[node].is_seen = true;
	return GLANE_OK;
}

static glane_rc enter_element(struct json *r, struct json_level *l)
{
	const struct json_step *step = level_step(r, l);

	r->sel = JSON_OFF_PATH;
	if (step && (step->star || (step->index >= 0 && (uint64_t)step->index == l->count)))
		r->sel = l->sel + 1;
	if (step && step->star) {
		r->key_index = l->count;
		r->is_key_index = true;
	}
	r->phase = JSON_AT_VALUE;
	if (l->head)
		return enter_head(r, json_tree_element(&r->heads, l->head, l->count), (struct slice){"", 0});
	r->head = 0;
	return GLANE_OK;
}

/* A member that a head names is no record, even where '*' matches it. */
static glane_rc enter_member(struct json *r, struct json_level *l, struct slice name)
{
	const uint32_t head = l->head ? json_tree_member(&r->heads, l->head, name) : 0;
	const struct json_step *step = level_step(r, l);

	r->phase = JSON_AT_COLON;
	r->sel = JSON_OFF_PATH;
	if (step && step->star && !head) {
		r->sel = l->sel + 1;
		r->is_key_index = false;
		strbuf_reset(&r->key);
		strbuf_slice(&r->key, name);
		if (!strbuf_ok(&r->key))
			return fail(r->diag, GLANE_E_NOMEM, "no memory for a member's name");
	} else if (step && !step->star && slice_eq(step->name, name)) {
		if (l->is_taken)
			return twice(r, name);
		l->is_taken = true;
		r->sel = l->sel + 1;
	}
	return enter_head(r, head, name);
}

static glane_rc read_key(struct json *r)
{
	uint8_t kind = 0;
	glane_rc rc = GLANE_OK;
	struct slice raw, name;
	const char *end;

	if (*r->at != '"')
		return bad(r, r->at, "a member name in quotes was expected");
	end = json_scan_string(&r->c, r->at, &kind);
	if (!end)
		return scan_failed(r);
	raw = (struct slice){r->at, (size_t)(end - r->at)};
	if (raw.n > r->max_field)
		return fail(r->diag, GLANE_E_LIMIT, "JSON: a name of more than %zu bytes at byte %" PRIu64,
			r->max_field, offset_of(r, r->at));
	arena_release(&r->scratch);
	name = json_unquote(raw, kind, &r->scratch, &rc);
	if (rc < 0)
		return fail(r->diag, rc, "no memory for a member's name");
	rc = enter_member(r, &r->level[r->n_level - 1], name);
	r->at = end;
	return rc;
}

static glane_rc level_open(struct json *r)
{
	const bool is_object = *r->at == '{';
	struct json_level *l = &r->level[r->n_level];

	if (r->n_level >= r->max_depth)
		return fail(r->diag, GLANE_E_LIMIT, "JSON: nested more than %u deep at byte %" PRIu64, r->max_depth,
			offset_of(r, r->at));
	if (r->head && r->heads.node[r->head].path)
		return fail(r->diag, GLANE_E_FORMAT, "JSON: '%s' is %s, not a single value, at byte %" PRIu64,
			r->heads.node[r->head].path, is_object ? "an object" : "an array", offset_of(r, r->at));
	*l = (struct json_level){.sel = r->sel, .head = r->head, .is_object = is_object};
	if (r->sel != JSON_OFF_PATH) {
		l->is_star = r->select.step[r->sel].star;
		r->is_found |= l->is_star && r->sel == r->last_star;
	}
	r->n_level++;
	r->at++;
	r->phase = JSON_AT_FIRST;
	return GLANE_OK;
}

static void level_close(struct json *r)
{
	const struct json_level *l = &r->level[--r->n_level];

	if (l->is_star && l->count == 0)
		r->is_found = true;
	r->root_count = l->count;
	r->at++;
	value_done(r);
}

/* A single value where select goes on: null is how providers write an empty list. */
static void misplace(struct json *r, uint8_t kind)
{
	if (kind == JSON_NULL) {
		r->is_found |= r->select.step[r->sel].star;
	} else if (!r->is_misplaced) {
		r->is_misplaced = true;
		r->misplaced = offset_of(r, r->at);
	}
}

static glane_rc head_keep(struct json *r, struct json_node *nd, struct slice raw, uint8_t kind)
{
	glane_rc rc = GLANE_OK;
	const struct slice text = json_unquote(raw, kind, &r->arena, &rc);

	if (rc < 0 || (kind != JSON_ESCAPED && !arena_dup(&r->arena, text, &nd->value)))
		return fail(r->diag, GLANE_E_NOMEM, "no memory for '%s'", nd->path);
	if (kind == JSON_ESCAPED)
		nd->value = text;
	return GLANE_OK;
}

static glane_rc read_scalar(struct json *r)
{
	uint8_t kind = 0;
	const char *end = json_scan_scalar(&r->c, r->at, &kind);
	const struct slice raw = {r->at, end ? (size_t)(end - r->at) : 0};
	glane_rc rc = GLANE_OK;

	if (!end)
		return scan_failed(r);
	if (raw.n > r->max_field)
		return fail(r->diag, GLANE_E_LIMIT, "JSON: a value of more than %zu bytes at byte %" PRIu64,
			r->max_field, offset_of(r, r->at));
	if (r->head && r->heads.node[r->head].path)
		rc = head_keep(r, &r->heads.node[r->head], raw, kind);
	if (r->sel != JSON_OFF_PATH)
		misplace(r, kind);
	r->at = end;
	value_done(r);
	return rc;
}

/* Where the document is the record, heads stand inside it. */
static glane_rc heads_find(struct json *r, struct slice text)
{
	for (size_t i = 0; i < r->n_head; i++) {
		struct json_path path = {NULL, 0};
		uint8_t kind = 0;
		struct slice raw;
		glane_rc rc = json_path_parse(&path, &r->scratch, r->head_text[i], false, r->diag);

		if (rc < 0)
			return rc;
		raw = json_path_find(&path, text, &r->scratch, &kind, &rc);
		if (raw.p)
			rc = head_keep(r, &r->heads.node[r->head_node[i]], raw, kind);
		if (rc < 0)
			return fail(r->diag, rc, "no memory for '%s'", r->head_text[i]);
	}
	return GLANE_OK;
}

glane_rc json_key(struct json *r)
{
	if (!r->is_key_index)
		return GLANE_OK;
	strbuf_reset(&r->key);
	strbuf_int(&r->key, (int64_t)r->key_index);
	return strbuf_ok(&r->key) ? GLANE_OK : GLANE_E_NOMEM;
}

/* A number that the document's end cuts: inside of a container, nothing else tells that digits are missing. */
static bool is_cut_number(const struct json *r, const char *end)
{
	return end == r->c.end && r->c.last && r->n_level > 0 && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9'));
}

static glane_rc read_record(struct json *r)
{
	const char *end = json_record_read(&r->rec, &r->c, r->at, (unsigned)r->n_level);
	glane_rc rc = GLANE_OK;

	if (end && is_cut_number(r, end))
		end = json_scan_cut(&r->c);
	if (r->is_lines)
		r->line = r->n_newlines + 1;
	if (!end && r->rec.rc < 0 && r->is_lines) {
		r->number++;
		return r->rec.rc;
	}
	if (!end && r->rec.rc < 0)
		return diag_prefix(
			       r->diag, "JSON record %" PRIu64 " at byte %" PRIu64, r->number + 1, offset_of(r, r->at)),
		       r->rec.rc;
	if (!end)
		return scan_failed(r);
	rc = json_record_decode(&r->rec);
	if (rc == GLANE_OK && r->has_key && json_key(r) < 0)
		rc = fail(r->diag, GLANE_E_NOMEM, "no memory for the fields of a JSON record");
	if (rc == GLANE_OK && r->select.n == 0)
		rc = heads_find(r, (struct slice){r->at, (size_t)(end - r->at)});
	r->number++;
	r->offset = offset_of(r, r->at);
	pass(r, end);
	r->is_found = r->is_record = true;
	value_done(r);
	return rc;
}

static glane_rc read_value(struct json *r)
{
	if (r->sel == r->select.n)
		return read_record(r);
	return *r->at == '{' || *r->at == '[' ? level_open(r) : read_scalar(r);
}

static glane_rc read_next(struct json *r)
{
	struct json_level *l = &r->level[r->n_level - 1];

	if (*r->at == (l->is_object ? '}' : ']')) {
		l->count++;
		level_close(r);
		return GLANE_OK;
	}
	if (*r->at != ',')
		return bad(r, r->at, l->is_object ? "',' or '}' was expected" : "',' or ']' was expected");
	r->at++;
	l->count++;
	if (!l->is_object)
		return enter_element(r, l);
	r->phase = JSON_AT_KEY;
	return GLANE_OK;
}

static glane_rc read_first(struct json *r)
{
	struct json_level *l = &r->level[r->n_level - 1];

	if (*r->at == (l->is_object ? '}' : ']')) {
		level_close(r);
		return GLANE_OK;
	}
	if (!l->is_object)
		return enter_element(r, l);
	return read_key(r);
}

static glane_rc read_colon(struct json *r)
{
	if (*r->at != ':')
		return bad(r, r->at, "':' was expected");
	r->at++;
	r->phase = JSON_AT_VALUE;
	return GLANE_OK;
}

/* A UTF-8 byte-order mark is passed over. */
static glane_rc read_start(struct json *r)
{
	static const char mark[] = "\xef\xbb\xbf";
	const size_t have = (size_t)(r->c.end - r->at), n = have < 3 ? have : 3;

	if (memcmp(r->at, mark, n) == 0) {
		if (n < 3)
			return r->c.last ? bad(r, r->at, "no JSON value") : refill(r, r->at);
		r->at += 3;
	}
	r->phase = JSON_AT_VALUE;
	return GLANE_OK;
}

static glane_rc read_end(struct json *r)
{
	if (r->is_lines && r->number > 0 && r->n_level == 0 && r->phase == JSON_AT_VALUE)
		return GLANE_END;
	if (r->phase == JSON_AT_START || (r->phase == JSON_AT_VALUE && r->n_level == 0))
		return fail(r->diag, GLANE_E_FORMAT, "JSON: the document is empty");
	if (r->phase != JSON_AT_END)
		return bad(r, r->at, "the document ends too early");
	if (r->is_misplaced)
		return fail(r->diag, GLANE_E_FORMAT,
			"JSON: select '%s' leads to a single value at byte %" PRIu64
			", not to an array or object of records",
			r->select_text, r->misplaced);
	if (!r->is_found)
		return fail(r->diag, GLANE_E_FORMAT,
			"JSON: no place for records: nothing at select '%s' in a document of %" PRIu64
			" top value%s; has the source sent an error message?",
			r->select_text, r->root_count, r->root_count == 1 ? "" : "s");
	return GLANE_END;
}

/* The words of an error page or message need more of it than a value does. */
static glane_rc read_markup(struct json *r)
{
	const size_t n = (size_t)(r->c.end - r->at);

	return n < JSON_MARKUP && !r->c.last ? refill(r, r->at) : json_markup((struct slice){r->at, n}, r->diag);
}

glane_rc json_step(struct json *r)
{
	/* No blank may stand before a byte-order mark. */
	if (r->phase == JSON_AT_END && r->is_lines)
		r->phase = JSON_AT_VALUE;
	if (r->phase != JSON_AT_START)
		pass(r, json_blanks(r->at, r->c.end));
	if (r->at == r->c.end)
		return r->c.last ? read_end(r) : refill(r, r->at);
	switch (r->phase) {
	case JSON_AT_START:
		return read_start(r);
	case JSON_AT_VALUE:
		return *r->at == '<' && r->n_level == 0 && r->number == 0 ? read_markup(r) : read_value(r);
	case JSON_AT_FIRST:
		return read_first(r);
	case JSON_AT_KEY:
		return read_key(r);
	case JSON_AT_COLON:
		return read_colon(r);
	case JSON_AT_NEXT:
		return read_next(r);
	case JSON_AT_END:
		break;
	}
	return bad(r, r->at, "further bytes after the document");
}
