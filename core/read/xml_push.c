/* SPDX-License-Identifier: MIT */
/* The push parser of libxml2 over a payload's window. */
#include "read/xml_push.h"
#include "read/xml_head.h"

#include <inttypes.h>
#include <libxml/parser.h>

#define MAX_DEPTH 64
#define DEPTH_CEILING 200 /* below libxml2's own 256 */
#define MAX_ATTRIBUTES 128
#define PIECE ((size_t)64 << 10)
/* Bytes that the parser may hold back before it reports anything. Its time for one start tag grows with the square of
 * the attributes, before we can count them; comments and the like take linear time. */
#define MAX_TAG ((size_t)128 << 10)
#define MAX_HELD ((size_t)1 << 20)
#define SNIFF 256 /* bytes of the XML declaration */

static xmlParserCtxtPtr parser_of(const struct xml_push *x)
{
	return x->parser;
}

void xml_push_stop(struct xml_push *x, glane_rc rc, const char *what)
{
	if (x->failed == GLANE_OK)
		x->failed = rc == GLANE_E_NOMEM ? fail(&x->found, rc, "no memory for an XML record")
						: fail(&x->found, rc, "XML: line %u: %s", xml_push_line(x), what);
}

void xml_push_stop_limit(struct xml_push *x, const char *what, size_t limit)
{
	if (x->failed == GLANE_OK)
		x->failed = fail(
			&x->found, GLANE_E_LIMIT, "XML: line %u: %s (the limit is %zu)", xml_push_line(x), what, limit);
}

const char *xml_push_intern(struct xml_push *x, const char *p, size_t n)
{
	return n > INT32_MAX ? NULL : (const char *)xmlDictLookup(parser_of(x)->dict, (const xmlChar *)p, (int)n);
}

struct slice xml_push_text(const struct xml_push *x, uint64_t start, uint64_t end, size_t max)
{
	const struct payload *p = x->payload;
	const size_t n = (size_t)(end - start);

	if (x->is_latin1 || start < p->pos || end > p->pos + p->n)
		return (struct slice){NULL, 0};
	return (struct slice){p->p + (start - p->pos), n < max ? n : max};
}

unsigned xml_push_line(const struct xml_push *x)
{
	const xmlParserInput *in = parser_of(x)->input;

	return in ? (unsigned)in->line : 0;
}

static uint64_t fed_offset(const struct xml_push *x)
{
	const xmlParserInput *in = parser_of(x)->input;

	return in ? (uint64_t)in->consumed + (uint64_t)(in->cur - in->base) : 0;
}

uint64_t xml_push_offset(const struct xml_push *x)
{
	return x->base + fed_offset(x);
}

uint64_t xml_push_tag(const struct xml_push *x)
{
	const xmlParserInput *in = parser_of(x)->input;
	const xmlChar *p = in->cur;

	while (p > in->base && *p != '<')
		p--;
	return x->base + (uint64_t)in->consumed + (uint64_t)(p - in->base);
}

struct slice xml_push_find(const struct xml_push_attr *a, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp((const char *)a[i].name, name) == 0)
			return (struct slice){(const char *)a[i].value, (size_t)(a[i].end - a[i].value)};
	return (struct slice){NULL, 0};
}

void xml_push_value(struct strbuf *b, const struct xml_push_attr *a)
{
	struct slice value = {(const char *)a->value, (size_t)(a->end - a->value)};

	strbuf_add(b, "", 0);
	while (value.n) {
		const char *amp = memchr(value.p, '&', value.n);
		size_t n = amp ? (size_t)(amp - value.p) + 1 : value.n;

		strbuf_add(b, value.p, n);
		if (amp && slice_has_prefix((struct slice){amp, value.n - n + 1}, "&#38;"))
			n += strlen("#38;");
		value = (struct slice){value.p + n, value.n - n};
	}
}

static void on_open(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
	const xmlChar **ns, int n_attr, int n_defaulted, const xmlChar **attribute)
{
	struct xml_push *x = arg;

	(void)prefix;
	(void)uri;
	(void)ns;
	(void)n_defaulted;
	if (x->failed)
		return;
	if (n_attr < 0 || n_ns < 0 || n_attr + n_ns > MAX_ATTRIBUTES) {
		xml_push_stop_limit(x, "an element has too many attributes", MAX_ATTRIBUTES);
		return;
	}
	if (x->depth >= x->max_depth) {
		xml_push_stop_limit(x, "elements are nested too deep", x->max_depth);
		return;
	}
	x->depth++;
	_Static_assert(sizeof(struct xml_push_attr) == 5 * sizeof(*attribute), "libxml2: five pointers an attribute");
	x->events->open(x->arg, (const char *)name, (const void *)attribute, (size_t)n_attr);
}

static void on_close(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml_push *x = arg;

	(void)prefix;
	(void)uri;
	if (x->failed || x->depth == 0)
		return;
	x->depth--;
	x->events->close(x->arg, (const char *)name);
}

static void on_text(void *arg, const xmlChar *p, int n)
{
	struct xml_push *x = arg;

	if (!x->failed && x->depth && n > 0)
		x->events->text(x->arg, (struct slice){(const char *)p, (size_t)n});
}

/* libxml2 goes on behind a DOCTYPE as if the document were well-formed: hence a failure of our own. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	(void)name;
	(void)public_id;
	(void)system_id;
	xml_push_stop(arg, GLANE_E_FORMAT, "a DOCTYPE is refused (is this an HTML page?)");
	xmlStopParser(parser_of(arg));
}

static void on_error(void *arg, xmlErrorPtr error)
{
	struct xml_push *x = arg;
	const struct slice what = slice_trim(slice_of(error && error->message ? error->message : "no message"));
	const bool is_memory = error && error->code == XML_ERR_NO_MEMORY;
	char after[48] = "";

	if (error && error->level == XML_ERR_WARNING)
		return; /* well-formed all the same: a relative namespace name, a version to come */
	if (x->is_counting)
		(void)snprintf(after, sizeof(after), " (after record %" PRIu64 ")", x->n_records);
	if (x->failed == GLANE_OK)
		x->failed = fail(&x->found, is_memory ? GLANE_E_NOMEM : GLANE_E_FORMAT, "XML: line %d%s: %.*s",
			error ? error->line : 0, after, SLICE_FMT(what));
	xmlStopParser(parser_of(x));
}

static xmlParserInputPtr load_nothing(const char *url, const char *id, xmlParserCtxtPtr parser)
{
	(void)url;
	(void)id;
	(void)parser;
	return NULL;
}

static glane_rc parser_open(struct xml_push *x, struct diag *d)
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
	x->parser = xmlCreatePushParserCtxt(&sax, x, NULL, 0, NULL);
	/* The payload is UTF-8 by now, whatever its declaration says. */
	if (!x->parser || xmlCtxtUseOptions(x->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC) != 0)
		return fail(d, GLANE_E_NOMEM, "no memory for an XML parser");
	return GLANE_OK;
}

/* Looks at the first bytes, behind a byte-order mark. */
static glane_rc document_open(struct xml_push *x, bool is_utf8, struct diag *d)
{
	struct payload *p = x->payload;
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
	x->done = (size_t)(text.p - p->p);
	x->base = p->pos + x->done;
	rc = is_utf8 ? GLANE_OK : xml_encoding(text, &encoding, d);
	x->is_latin1 = encoding == XML_LATIN1;
	return rc;
}

glane_rc xml_push_open(struct xml_push *x, struct payload *p, const struct xml_push_events *events, void *arg,
	size_t max_depth, bool is_utf8, struct diag *d)
{
	glane_rc rc;

	*x = (struct xml_push){.events = events, .arg = arg, .payload = p, .piece = PIECE};
	x->max_depth = max_depth == 0 ? MAX_DEPTH : max_depth < DEPTH_CEILING ? max_depth : DEPTH_CEILING;
	strbuf_init(&x->latin1, 2 * PIECE);
	rc = parser_open(x, d);
	return rc == GLANE_OK ? document_open(x, is_utf8, d) : rc;
}

void xml_push_close(struct xml_push *x)
{
	xmlFreeParserCtxt(x->parser);
	strbuf_release(&x->latin1);
	*x = (struct xml_push){0};
}

/* What the parser holds back because it is not complete. */
static void check_held(struct xml_push *x)
{
	const xmlParserInput *in = parser_of(x)->input;
	const size_t held = (size_t)(in->end - in->cur);
	const bool is_tag = held < 2 || in->cur[0] != '<' || (in->cur[1] != '!' && in->cur[1] != '?');

	if (!x->failed && held > (is_tag ? MAX_TAG : MAX_HELD))
		xml_push_stop_limit(x, "a tag or comment is too long", is_tag ? MAX_TAG : MAX_HELD);
}

static void feed(struct xml_push *x, const char *p, size_t n, bool is_last)
{
	int code;

	if (x->is_latin1) {
		strbuf_reset(&x->latin1);
		xml_from_latin1(&x->latin1, (struct slice){p, n});
		if (!strbuf_ok(&x->latin1)) {
			xml_push_stop(x, GLANE_E_NOMEM, "");
			return;
		}
		p = x->latin1.p;
		n = x->latin1.n;
	}
	code = xmlParseChunk(x->parser, p, (int)n, is_last);
	if (code != XML_ERR_OK && !x->failed)
		x->failed = fail(&x->found, GLANE_E_FORMAT, "XML: line %u: parser error %d", xml_push_line(x), code);
	if (!is_last && !x->failed)
		check_held(x);
}

/* Keeps the bytes from `keep` on, and those that the parser holds back. */
static void window_move(struct xml_push *x, uint64_t keep)
{
	struct payload *p = x->payload;
	const uint64_t end = p->pos + p->n, fed = xml_push_offset(x), from = keep < fed ? keep : fed;
	glane_rc rc;

	if (x->is_latin1 || from >= end)
		x->done = 0;
	else
		x->done = from > p->pos ? (size_t)(end - from) : p->n;
	rc = payload_more(p, x->done);
	if (rc < 0 && x->failed == GLANE_OK)
		x->failed = fail(&x->found, rc, "%s", p->diag && p->diag->code ? p->diag->text : rc_name(rc));
}

void xml_push_bytes(struct xml_push *x, struct slice bytes, bool is_last)
{
	while (bytes.n && !x->failed) {
		const size_t n = bytes.n < x->piece ? bytes.n : x->piece;

		feed(x, bytes.p, n, false);
		bytes = (struct slice){bytes.p + n, bytes.n - n};
	}
	if (is_last && !x->failed)
		feed(x, NULL, 0, true);
}

void xml_push_piece(struct xml_push *x, uint64_t keep)
{
	struct payload *p = x->payload;
	size_t n = p->n - x->done;

	if (n == 0 && !p->last) {
		window_move(x, keep);
		return;
	}
	if (n == 0) {
		feed(x, NULL, 0, true);
		x->is_ended = true;
		return;
	}
	n = n < x->piece ? n : x->piece;
	x->done += n;
	feed(x, p->p + x->done - n, n, false);
}
