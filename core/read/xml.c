/* SPDX-License-Identifier: MIT */
/* XML records: pieces of the payload go into the push parser, complete records are queued. */
#include "read/xml.h"
#include "read/xml_head.h"
#include "read/xml_push.h"

#define MAX_RECORD ((size_t)8 << 20)
#define MAX_FIELD ((size_t)1 << 20)
#define MAX_OFFSET ((size_t)1 << 30)
#define NO_RECORD UINT64_MAX

struct queued {
	uint32_t node;
	uint64_t line, start, end; /* offsets in the payload */
};

struct xml {
	struct xml_push push;
	struct diag *diag;
	struct arena arena, scratch;
	struct xml_log log;
	const char *select_text;
	struct xml_path select;
	bool is_rooted, is_place; /* select begins at the root; an element that could hold records was there */
	size_t max_record, max_field;

	uint32_t record; /* the record's element that is open; XML_NONE */
	uint64_t record_line, record_start;
	struct queued *queue;
	size_t n_queue, cap_queue, at; /* at: behind the current record */

	struct xml_path *field;
	const char *const *field_text;
	size_t n_field;
	struct xml_head *head;
	size_t n_head;

	uint64_t number;
	glane_rc over; /* what the parser found while it was fed (push.failed) is told after the queue is empty */
	bool is_record;
};

static void stop_memory(struct xml *r)
{
	xml_push_stop(&r->push, GLANE_E_NOMEM, "");
}

static void stop_limit(struct xml *r, const char *what, size_t limit)
{
	xml_push_stop_limit(&r->push, what, limit);
}

static const char *intern(void *arg, const char *p, size_t n)
{
	return xml_push_intern(arg, p, n);
}

/* True where the innermost open elements are the first n steps of select. */
static bool is_path(const struct xml *r, size_t n)
{
	const struct xml_log *l = &r->log;

	if (l->n_open < n || (r->is_rooted && l->n_open != n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (l->node[l->open[l->n_open - n + i]].name != r->select.step[i])
			return false;
	}
	return true;
}

static bool log_attributes(struct xml *r, const struct xml_push_attr *attr, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct slice value = {(const char *)attr[i].value, (size_t)(attr[i].end - attr[i].value)};

		if (value.n > r->max_field)
			return stop_limit(r, "an attribute is too long", r->max_field), false;
		if (!xml_log_attr(&r->log, (const char *)attr[i].name, attr[i].prefix != NULL, value))
			return stop_memory(r), false;
	}
	return true;
}

static void on_open(void *arg, const char *name, const struct xml_push_attr *attr, size_t n)
{
	struct xml *r = arg;

	if (!xml_log_open(&r->log, name)) {
		stop_memory(r);
		return;
	}
	if (!log_attributes(r, attr, n) || r->record != XML_NONE)
		return;
	if (is_path(r, r->select.n)) {
		r->record = (uint32_t)r->log.n_node - 1;
		r->record_line = xml_push_line(&r->push);
		r->record_start = xml_push_tag(&r->push);
		r->is_place = true;
		return;
	}
	r->is_place |= is_path(r, r->select.n - 1);
	if (!xml_heads_open(r->head, r->n_head, &r->log))
		stop_memory(r);
}

static void on_close(void *arg, const char *name)
{
	struct xml *r = arg;
	const uint64_t end = xml_push_offset(&r->push);
	uint32_t node;

	(void)name;
	if (r->record == XML_NONE)
		xml_heads_close(r->head, r->n_head, &r->log);
	node = r->log.open[r->log.n_open - 1];
	xml_log_close(&r->log);
	if (node != r->record)
		return;
	if (!mem_grow(&r->queue, &r->cap_queue, r->n_queue + 1, sizeof(*r->queue))) {
		stop_memory(r);
		return;
	}
	r->record = XML_NONE;
	if (end - r->record_start > r->max_record) {
		stop_limit(r, "a record is too long", r->max_record);
		return;
	}
	r->queue[r->n_queue++] =
		(struct queued){.node = node, .line = r->record_line, .start = r->record_start, .end = end};
	r->push.n_records++;
}

/* n more bytes did not go into the text of a head. */
static void stop_heads(struct xml *r, size_t n)
{
	bool is_long = false;

	for (size_t i = 0; i < r->n_head; i++)
		is_long |= r->head[i].text.n + n > r->head[i].text.max;
	if (is_long)
		stop_limit(r, "a text is too long", r->max_field);
	else
		stop_memory(r);
}

static void on_text(void *arg, struct slice text)
{
	struct xml *r = arg;

	if (r->record == XML_NONE) {
		if (!xml_heads_text(r->head, r->n_head, &r->log, text))
			stop_heads(r, text.n);
		return;
	}
	if (r->log.node[r->log.open[r->log.n_open - 1]].n + text.n > r->max_field)
		stop_limit(r, "a text is too long", r->max_field);
	else if (!xml_log_text(&r->log, text))
		stop_memory(r);
}

static const struct xml_push_events events = {on_open, on_close, on_text};

/* Feeds one piece. The queue is empty. */
static void feed_piece(struct xml *r)
{
	const uint32_t from = r->record != XML_NONE ? r->record : (uint32_t)r->log.n_node;

	/* A long record that is open is not moved for each piece. */
	if (from >= r->log.n_node - from) {
		const uint32_t moved = xml_log_trim(&r->log, from);

		if (r->record != XML_NONE)
			r->record -= moved;
	}
	r->n_queue = r->at = 0;
	xml_push_piece(&r->push, r->record != XML_NONE ? r->record_start : NO_RECORD);
	if (r->push.failed)
		return;
	if (!r->push.is_ended && r->record != XML_NONE && xml_push_offset(&r->push) - r->record_start > r->max_record)
		stop_limit(r, "a record is too long", r->max_record);
	if (r->push.is_ended && !r->is_place)
		r->push.failed = fail(&r->push.found, GLANE_E_FORMAT,
			"XML: no place for records: no element that could hold '%s'; has the source sent an error "
			"message?",
			r->select_text);
}

static glane_rc xml_next(void *state)
{
	struct xml *r = state;

	if (r->over == GLANE_E_NOMEM)
		return fail(r->diag, r->over, "no memory for an XML record");
	if (r->over)
		return r->over;
	if (r->scratch.used)
		arena_release(&r->scratch);
	r->is_record = false;
	while (r->at == r->n_queue) {
		if (r->push.failed)
			r->over = fail(r->diag, r->push.failed, "%s", r->push.found.text);
		else if (r->push.is_ended)
			r->over = GLANE_END;
		if (r->over)
			return r->over;
		feed_piece(r);
	}
	r->at++;
	r->number++;
	r->is_record = true;
	return GLANE_OK;
}

static struct slice find(struct xml *r, const struct xml_path *path, const char *text)
{
	glane_rc rc = GLANE_OK;
	struct slice s = xml_path_find(path, &r->log, r->queue[r->at - 1].node, &r->scratch, &rc);

	if (rc < 0)
		r->over = fail(r->diag, rc, "no memory for '%s' of an XML record", text);
	return s;
}

static struct slice xml_at(void *state, size_t i)
{
	struct xml *r = state;

	return r->is_record && i < r->n_field ? find(r, &r->field[i], r->field_text[i]) : (struct slice){NULL, 0};
}

static struct slice xml_get(void *state, const char *text)
{
	struct xml *r = state;
	struct xml_path path = {.up = 0};
	glane_rc rc;

	for (size_t i = 0; i < r->n_field; i++) {
		if (strcmp(r->field_text[i], text) == 0)
			return xml_at(r, i);
	}
	rc = r->is_record ? xml_path_parse(&path, &r->scratch, text, intern, &r->push, NULL) : GLANE_END;
	if (rc == GLANE_E_NOMEM)
		r->over = fail(r->diag, rc, "no memory for '%s' of an XML record", text);
	return rc == GLANE_OK ? find(r, &path, text) : (struct slice){NULL, 0};
}

static size_t xml_columns(const void *state)
{
	(void)state;
	return 0;
}

static struct slice xml_column(const void *state, size_t i)
{
	(void)state;
	(void)i;
	return (struct slice){NULL, 0};
}

static struct slice xml_head(const void *state, size_t i)
{
	const struct xml *r = state;

	return i < r->n_head ? r->head[i].value : (struct slice){NULL, 0};
}

static void xml_where(const void *state, uint64_t *number, uint64_t *line, uint64_t *offset)
{
	const struct xml *r = state;
	const struct queued *q = r->is_record ? &r->queue[r->at - 1] : NULL;

	*number = r->number;
	*line = q ? q->line : 0;
	*offset = q && !r->push.is_latin1 ? q->start : 0;
}

static struct slice xml_raw(const void *state, size_t max)
{
	const struct xml *r = state;
	const struct queued *q = r->is_record ? &r->queue[r->at - 1] : NULL;

	return q ? xml_push_text(&r->push, q->start, q->end, max) : (struct slice){NULL, 0};
}

static void xml_close(void *state)
{
	struct xml *r = state;

	if (!r)
		return;
	xml_push_close(&r->push);
	for (size_t i = 0; r->head && i < r->n_head; i++)
		strbuf_release(&r->head[i].text);
	xml_log_release(&r->log);
	mem_free(r->queue);
	arena_release(&r->scratch);
	arena_release(&r->arena);
	mem_free(r);
}

static glane_rc select_open(struct xml *r, const char *select)
{
	glane_rc rc;

	r->select_text = select;
	r->is_rooted = *select == '/';
	rc = xml_path_parse(&r->select, &r->arena, select + r->is_rooted, intern, &r->push, r->diag);
	if (rc == GLANE_OK && (r->select.n == 0 || r->select.up || r->select.attr))
		rc = fail(r->diag, GLANE_E_USAGE, "select '%s' is no element path like Cube/Cube", select);
	return rc;
}

static glane_rc paths_open(struct xml *r, const struct record_options *o)
{
	const size_t n_field = o->field ? o->n_field : 0;
	glane_rc rc = select_open(r, o->select ? o->select : "");

	r->field = arena_alloc(&r->arena, (n_field + 1) * sizeof(*r->field));
	r->head = arena_alloc(&r->arena, (o->n_head + 1) * sizeof(*r->head));
	if (rc == GLANE_OK && (!r->field || !r->head))
		rc = fail(r->diag, GLANE_E_NOMEM, "no memory for an XML reader");
	for (size_t i = 0; rc == GLANE_OK && i < n_field; i++)
		rc = xml_path_parse(&r->field[i], &r->arena, o->field[i], intern, &r->push, r->diag);
	for (size_t i = 0; rc == GLANE_OK && i < o->n_head; i++) {
		const char *text = o->head[i];

		strbuf_init(&r->head[i].text, r->max_field);
		r->n_head = i + 1;
		rc = xml_path_parse(&r->head[i].path, &r->arena, text + (*text == '/'), intern, &r->push, r->diag);
		if (rc == GLANE_OK && (r->head[i].path.n == 0 || r->head[i].path.up))
			rc = fail(r->diag, GLANE_E_USAGE, "head '%s' is no path like /Envelope/Sender/name", text);
	}
	r->field_text = o->field;
	r->n_field = n_field;
	return rc;
}

static size_t limit_of(size_t asked, size_t dflt, size_t ceiling)
{
	if (asked == 0)
		asked = dflt;
	return asked < ceiling ? asked : ceiling;
}

static glane_rc xml_open(void **state, struct payload *p, const struct record_options *o, struct diag *d)
{
	struct xml *r = mem_zalloc(1, sizeof(*r));
	glane_rc rc;

	if (!r)
		return fail(d, GLANE_E_NOMEM, "no memory for an XML reader");
	r->diag = d;
	r->record = XML_NONE;
	r->max_record = limit_of(o->max_record, MAX_RECORD, MAX_OFFSET);
	r->max_field = limit_of(o->max_field, MAX_FIELD, MAX_OFFSET);
	arena_init(&r->arena, 0);
	arena_init(&r->scratch, 0);
	xml_log_init(&r->log, 2 * r->max_record + MAX_RECORD);
	rc = xml_push_open(&r->push, p, &events, r, o->max_depth, false, d);
	r->push.is_counting = true;
	if (rc == GLANE_OK)
		rc = paths_open(r, o);
	if (rc < 0) {
		xml_close(r);
		return rc;
	}
	*state = r;
	return GLANE_OK;
}

const struct record_ops xml_record_ops = {
	.open = xml_open,
	.next = xml_next,
	.at = xml_at,
	.get = xml_get,
	.columns = xml_columns,
	.column = xml_column,
	.head = xml_head,
	.where = xml_where,
	.text = xml_raw,
	.close = xml_close,
};
