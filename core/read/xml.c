/* SPDX-License-Identifier: MIT */
/* XML records by libxml2's SAX2 push parser: pieces of the payload go in, complete records are queued. */
#include "read/xml.h"
#include "read/xml_head.h"
#include <inttypes.h>
#include <libxml/parser.h>

#define MAX_RECORD ((size_t)8 << 20)
#define MAX_FIELD ((size_t)1 << 20)
#define MAX_OFFSET ((size_t)1 << 30)
#define MAX_DEPTH 64
#define DEPTH_CEILING 200 /* below libxml2's own 256 */
#define MAX_ATTRIBUTES 128
#define PIECE ((size_t)64 << 10)
/* Bytes that the parser may hold back before it reports anything. Its time for one start tag grows with the square of
 * the attributes, before we can count them; comments and the like take linear time. */
#define MAX_TAG ((size_t)128 << 10)
#define MAX_HELD ((size_t)1 << 20)
#define SNIFF 256 /* bytes of the XML declaration */

struct queued {
	uint32_t node;
	uint64_t line, start, end; /* offsets in what the parser was fed */
};

struct xml {
	struct payload *payload;
	struct diag *diag;
	struct arena arena, scratch;
	xmlParserCtxtPtr parser;
	struct xml_log log;
	const char *select_text;
	struct xml_path select;
	bool is_rooted, is_place; /* select begins at the root; an element that could hold records was there */
	size_t max_record, max_field, max_depth;

	uint64_t base; /* payload offset of the first byte fed */
	size_t done;   /* bytes of the window that were fed */
	bool is_latin1, is_ended;
	struct strbuf latin1;

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
	glane_rc failed;   /* found while feeding: after the queue is empty */
	struct diag found; /* its message, which waits as long: others use r->diag meanwhile */
	glane_rc over;
	bool is_record;
};

/* Ends the parser: nothing more is reported. Only the first reason counts. */
static void stop(struct xml *r, glane_rc rc)
{
	if (r->failed == GLANE_OK)
		r->failed = rc;
	xmlStopParser(r->parser);
}

static void stop_memory(struct xml *r)
{
	stop(r, fail(&r->found, GLANE_E_NOMEM, "no memory for an XML record"));
}

static void stop_limit(struct xml *r, const char *what, size_t limit)
{
	stop(r, fail(&r->found, GLANE_E_LIMIT, "XML: line %d: %s (the limit is %zu)", r->parser->input->line, what,
			limit));
}

static uint64_t fed_offset(const struct xml *r)
{
	const xmlParserInput *in = r->parser->input;

	return (uint64_t)in->consumed + (uint64_t)(in->cur - in->base);
}

/* Where the start tag that was just parsed begins: a tag holds no other '<'. */
static uint64_t tag_offset(const struct xml *r)
{
	const xmlParserInput *in = r->parser->input;
	const xmlChar *p = in->cur;

	while (p > in->base && *p != '<')
		p--;
	return (uint64_t)in->consumed + (uint64_t)(p - in->base);
}

static const char *intern(void *arg, const char *p, size_t n)
{
	const xmlParserCtxt *parser = arg;

	return n > INT32_MAX ? NULL : (const char *)xmlDictLookup(parser->dict, (const xmlChar *)p, (int)n);
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

static bool log_attributes(struct xml *r, const xmlChar **attribute, int n)
{
	for (int i = 0; i < n; i++, attribute += 5) {
		const struct slice value = {(const char *)attribute[3], (size_t)(attribute[4] - attribute[3])};

		if (value.n > r->max_field)
			return stop_limit(r, "an attribute is too long", r->max_field), false;
		if (!xml_log_attr(&r->log, (const char *)attribute[0], attribute[1] != NULL, value))
			return stop_memory(r), false;
	}
	return true;
}

static void on_open(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
	const xmlChar **ns, int n_attr, int n_defaulted, const xmlChar **attribute)
{
	struct xml *r = arg;

	(void)prefix;
	(void)uri;
	(void)ns;
	(void)n_defaulted;
	if (r->failed)
		return;
	if (n_attr < 0 || n_ns < 0 || n_attr + n_ns > MAX_ATTRIBUTES) {
		stop_limit(r, "an element has too many attributes", MAX_ATTRIBUTES);
		return;
	}
	if (r->log.n_open >= r->max_depth) {
		stop_limit(r, "elements are nested too deep", r->max_depth);
		return;
	}
	if (!xml_log_open(&r->log, (const char *)name)) {
		stop_memory(r);
		return;
	}
	if (!log_attributes(r, attribute, n_attr) || r->record != XML_NONE)
		return;
	if (is_path(r, r->select.n)) {
		r->record = (uint32_t)r->log.n_node - 1;
		r->record_line = (uint64_t)r->parser->input->line;
		r->record_start = tag_offset(r);
		r->is_place = true;
		return;
	}
	r->is_place |= is_path(r, r->select.n - 1);
	if (!xml_heads_open(r->head, r->n_head, &r->log))
		stop_memory(r);
}

static void on_close(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml *r = arg;
	uint32_t node;

	(void)name;
	(void)prefix;
	(void)uri;
	if (r->failed || r->log.n_open == 0)
		return;
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
	r->queue[r->n_queue++] =
		(struct queued){.node = node, .line = r->record_line, .start = r->record_start, .end = fed_offset(r)};
	r->record = XML_NONE;
	if (fed_offset(r) - r->record_start > r->max_record) {
		r->n_queue--;
		stop_limit(r, "a record is too long", r->max_record);
	}
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

static void on_text(void *arg, const xmlChar *p, int n)
{
	struct xml *r = arg;
	const struct slice text = {(const char *)p, n > 0 ? (size_t)n : 0};

	if (r->failed || r->log.n_open == 0)
		return;
	if (r->record == XML_NONE) {
		if (!xml_heads_text(r->head, r->n_head, &r->log, text))
			stop_heads(r, text.n);
		return;
	}
	if (r->log.node[r->log.open[r->log.n_open - 1]].n + text.n > r->max_field)
		stop_limit(r, "a text is too long", r->max_field);
	else if (text.n && !xml_log_text(&r->log, text))
		stop_memory(r);
}

/* libxml2 goes on behind a DOCTYPE as if the document were well-formed: hence a failure of our own. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	struct xml *r = arg;

	(void)name;
	(void)public_id;
	(void)system_id;
	if (!r->failed)
		stop(r, fail(&r->found, GLANE_E_FORMAT, "XML: line %d: a DOCTYPE is refused (is this an HTML page?)",
				r->parser->input->line));
}

static void on_error(void *arg, xmlErrorPtr error)
{
	struct xml *r = arg;
	struct slice what = slice_trim(slice_of(error && error->message ? error->message : "no message"));
	const bool is_memory = error && error->code == XML_ERR_NO_MEMORY;

	if (error && error->level == XML_ERR_WARNING)
		return; /* well-formed all the same: a relative namespace name, a version to come */
	if (!r->failed)
		stop(r, fail(&r->found, is_memory ? GLANE_E_NOMEM : GLANE_E_FORMAT,
				"XML: line %d (after record %" PRIu64 "): %.*s", error ? error->line : 0,
				r->number + (r->n_queue - r->at), SLICE_FMT(what)));
}

static xmlParserInputPtr load_nothing(const char *url, const char *id, xmlParserCtxtPtr parser)
{
	(void)url;
	(void)id;
	(void)parser;
	return NULL;
}

/* What the parser holds back because it is not complete. */
static void check_held(struct xml *r)
{
	const xmlParserInput *in = r->parser->input;
	const size_t held = (size_t)(in->end - in->cur);
	const bool is_tag = held < 2 || in->cur[0] != '<' || (in->cur[1] != '!' && in->cur[1] != '?');

	if (!r->failed && held > (is_tag ? MAX_TAG : MAX_HELD))
		stop_limit(r, "a tag or comment is too long", is_tag ? MAX_TAG : MAX_HELD);
	if (!r->failed && r->record != XML_NONE && fed_offset(r) - r->record_start > r->max_record)
		stop_limit(r, "a record is too long", r->max_record);
}

static void feed(struct xml *r, const char *p, size_t n, bool is_last)
{
	int code;

	if (r->is_latin1) {
		strbuf_reset(&r->latin1);
		xml_from_latin1(&r->latin1, (struct slice){p, n});
		if (!strbuf_ok(&r->latin1)) {
			stop_memory(r);
			return;
		}
		p = r->latin1.p;
		n = r->latin1.n;
	}
	code = xmlParseChunk(r->parser, p, (int)n, is_last);
	if (code != XML_ERR_OK && !r->failed)
		stop(r, fail(&r->found, GLANE_E_FORMAT, "XML: line %d: parser error %d", r->parser->input->line, code));
	if (!is_last && !r->failed)
		check_held(r);
}

static void feed_end(struct xml *r)
{
	feed(r, NULL, 0, true);
	r->is_ended = true;
	if (!r->failed && !r->is_place)
		r->failed = fail(&r->found, GLANE_E_FORMAT,
			"XML: no place for records: no element that could hold '%s'; has the source sent an error "
			"message?",
			r->select_text);
}

/* Keeps the bytes of an open record, and those that the parser holds back. */
static glane_rc window_move(struct xml *r)
{
	struct payload *p = r->payload;
	const uint64_t from = r->record != XML_NONE ? r->record_start : fed_offset(r);
	const uint64_t end = p->pos + p->n;
	glane_rc rc;

	if (r->is_latin1 || r->base + from >= end)
		r->done = 0;
	else
		r->done = r->base + from > p->pos ? (size_t)(end - r->base - from) : p->n;
	rc = payload_more(p, r->done);
	return rc;
}

/* Feeds one piece. The queue is empty. */
static glane_rc feed_piece(struct xml *r)
{
	struct payload *p = r->payload;
	const uint32_t from = r->record != XML_NONE ? r->record : (uint32_t)r->log.n_node;
	size_t n = p->n - r->done;

	/* A long record that is open is not moved for each piece. */
	if (from >= r->log.n_node - from) {
		const uint32_t moved = xml_log_trim(&r->log, from);

		if (r->record != XML_NONE)
			r->record -= moved;
	}
	r->n_queue = r->at = 0;
	if (n == 0 && !p->last)
		return window_move(r);
	if (n == 0) {
		feed_end(r);
		return GLANE_OK;
	}
	n = n < PIECE ? n : PIECE;
	r->done += n;
	feed(r, p->p + r->done - n, n, false);
	return GLANE_OK;
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
		if (r->failed)
			r->over = fail(r->diag, r->failed, "%s", r->found.text);
		else
			r->over = r->is_ended ? GLANE_END : feed_piece(r);
		if (r->over)
			return r->over;
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
	rc = r->is_record ? xml_path_parse(&path, &r->scratch, text, intern, r->parser, NULL) : GLANE_END;
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
	*offset = q && !r->is_latin1 ? r->base + q->start : 0;
}

static struct slice xml_raw(const void *state, size_t max)
{
	const struct xml *r = state;
	const struct queued *q = r->is_record ? &r->queue[r->at - 1] : NULL;
	uint64_t start;

	if (!q || r->is_latin1 || r->base + q->start < r->payload->pos)
		return (struct slice){NULL, 0};
	start = r->base + q->start - r->payload->pos;
	return (struct slice){r->payload->p + start, q->end - q->start < max ? (size_t)(q->end - q->start) : max};
}

static void xml_close(void *state)
{
	struct xml *r = state;

	if (!r)
		return;
	xmlFreeParserCtxt(r->parser);
	for (size_t i = 0; r->head && i < r->n_head; i++)
		strbuf_release(&r->head[i].text);
	xml_log_release(&r->log);
	strbuf_release(&r->latin1);
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
	rc = xml_path_parse(&r->select, &r->arena, select + r->is_rooted, intern, r->parser, r->diag);
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
		rc = xml_path_parse(&r->field[i], &r->arena, o->field[i], intern, r->parser, r->diag);
	for (size_t i = 0; rc == GLANE_OK && i < o->n_head; i++) {
		const char *text = o->head[i];

		strbuf_init(&r->head[i].text, r->max_field);
		r->n_head = i + 1;
		rc = xml_path_parse(&r->head[i].path, &r->arena, text + (*text == '/'), intern, r->parser, r->diag);
		if (rc == GLANE_OK && (r->head[i].path.n == 0 || r->head[i].path.up))
			rc = fail(r->diag, GLANE_E_USAGE, "head '%s' is no path like /Envelope/Sender/name", text);
	}
	r->field_text = o->field;
	r->n_field = n_field;
	return rc;
}

static glane_rc parser_open(struct xml *r)
{
	xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
		.internalSubset = on_doctype,
		.startElementNs = on_open,
		.endElementNs = on_close,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.serror = on_error};

	xmlInitParser();
	xmlSetExternalEntityLoader(load_nothing);
	r->parser = xmlCreatePushParserCtxt(&sax, r, NULL, 0, NULL);
	/* The payload is UTF-8 by now, whatever its declaration says. */
	if (!r->parser || xmlCtxtUseOptions(r->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC) != 0)
		return fail(r->diag, GLANE_E_NOMEM, "no memory for an XML parser");
	return GLANE_OK;
}

/* Looks at the first bytes, behind a byte-order mark. */
static glane_rc document_open(struct xml *r)
{
	struct payload *p = r->payload;
	struct slice text;
	glane_rc rc = GLANE_OK;
	int encoding = XML_UTF8;

	while (rc == GLANE_OK && p->n < SNIFF && !p->last)
		rc = payload_more(p, p->n);
	if (rc < 0)
		return rc;
	text = (struct slice){p->p, p->n < SNIFF ? p->n : SNIFF};
	if (slice_has_prefix(text, "\xef\xbb\xbf"))
		text = (struct slice){text.p + 3, text.n - 3};
	r->done = (size_t)(text.p - p->p);
	r->base = p->pos + r->done;
	rc = xml_encoding(text, &encoding, r->diag);
	r->is_latin1 = encoding == XML_LATIN1;
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
	r->payload = p;
	r->diag = d;
	r->record = XML_NONE;
	r->max_record = limit_of(o->max_record, MAX_RECORD, MAX_OFFSET);
	r->max_field = limit_of(o->max_field, MAX_FIELD, MAX_OFFSET);
	r->max_depth = limit_of(o->max_depth, MAX_DEPTH, DEPTH_CEILING);
	arena_init(&r->arena, 0);
	arena_init(&r->scratch, 0);
	strbuf_init(&r->latin1, 2 * PIECE);
	xml_log_init(&r->log, 2 * r->max_record + MAX_RECORD);
	rc = parser_open(r);
	if (rc == GLANE_OK)
		rc = paths_open(r, o);
	if (rc == GLANE_OK)
		rc = document_open(r);
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
