/* SPDX-License-Identifier: MIT */
/* XML events by libxml2's SAX2 push parser. */
#include "read/xml_events.h"
#include "base/mem.h"
#include <libxml/parser.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_ATTRIBUTES 128
#define MAX_HELD ((size_t)1 << 20)

struct xml_events {
	xmlParserCtxtPtr parser;
	struct xml_handler h;
	void *arg;
	struct diag *d;
	glane_rc rc;
	unsigned depth;
	size_t done; /* bytes of the window that were fed */
	bool is_begun;
};

static void stop(struct xml_events *x, glane_rc rc)
{
	if (rc == GLANE_OK)
		return;
	if (x->rc == GLANE_OK)
		x->rc = rc;
	xmlStopParser(x->parser);
}

static void on_open(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
	const xmlChar **ns, int n_attr, int n_defaulted, const xmlChar **attribute)
{
	struct xml_events *x = arg;
	const struct xml_attributes a = {attribute, n_attr};

	(void)prefix;
	(void)uri;
	(void)ns;
	(void)n_defaulted;
	if (x->rc)
		return;
	if (n_attr < 0 || n_ns < 0 || n_attr + n_ns > MAX_ATTRIBUTES || x->depth >= MAX_DEPTH)
		stop(x, fail(x->d, GLANE_E_LIMIT, "XML: line %d: more than %d attributes, or nested deeper than %d",
				x->parser->input->line, MAX_ATTRIBUTES, MAX_DEPTH));
	else
		stop(x, x->h.open(x->arg, (const char *)name, &a));
	x->depth++;
}

static void on_close(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml_events *x = arg;

	(void)prefix;
	(void)uri;
	if (x->rc)
		return;
	x->depth--;
	stop(x, x->h.close(x->arg, (const char *)name));
}

static void on_text(void *arg, const xmlChar *p, int n)
{
	struct xml_events *x = arg;

	if (!x->rc && n > 0)
		stop(x, x->h.text(x->arg, (struct slice){(const char *)p, (size_t)n}));
}

static void on_doctype(void *arg, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	struct xml_events *x = arg;

	(void)name;
	(void)public_id;
	(void)system_id;
	if (!x->rc)
		stop(x, fail(x->d, GLANE_E_FORMAT, "XML: line %d: a DOCTYPE is refused", x->parser->input->line));
}

static void on_error(void *arg, xmlErrorPtr error)
{
	struct xml_events *x = arg;
	struct slice what = slice_trim(slice_of(error && error->message ? error->message : "no message"));

	if ((error && error->level == XML_ERR_WARNING) || x->rc)
		return;
	stop(x, fail(x->d, error && error->code == XML_ERR_NO_MEMORY ? GLANE_E_NOMEM : GLANE_E_FORMAT,
			"XML: line %d: %.*s", error ? error->line : 0, SLICE_FMT(what)));
}

static xmlParserInputPtr load_nothing(const char *url, const char *id, xmlParserCtxtPtr parser)
{
	(void)url;
	(void)id;
	(void)parser;
	return NULL;
}

glane_rc xml_events_open(struct xml_events **ret, const struct xml_handler *h, void *arg, struct diag *d)
{
	xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
		.internalSubset = on_doctype,
		.startElementNs = on_open,
		.endElementNs = on_close,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.serror = on_error};
	struct xml_events *x = mem_zalloc(1, sizeof(*x));

	if (!x)
		return fail(d, GLANE_E_NOMEM, "no memory for an XML parser");
	xmlInitParser();
	xmlSetExternalEntityLoader(load_nothing);
	x->h = *h;
	x->arg = arg;
	x->d = d;
	x->parser = xmlCreatePushParserCtxt(&sax, x, NULL, 0, NULL);
	/* Payloads are UTF-8 by now, whatever the declaration says. */
	if (!x->parser || xmlCtxtUseOptions(x->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC) != 0) {
		xml_events_close(x);
		return fail(d, GLANE_E_NOMEM, "no memory for an XML parser");
	}
	*ret = x;
	return GLANE_OK;
}

glane_rc xml_events_feed(struct xml_events *x, struct payload *p, size_t max)
{
	size_t n;
	int code;

	if (x->rc)
		return x->rc;
	if (!x->is_begun && p->n >= 3 && memcmp(p->p, "\xef\xbb\xbf", 3) == 0)
		x->done = 3;
	x->is_begun |= p->n > 0;
	n = p->n - x->done < max ? p->n - x->done : max;
	if (n == 0 && !p->last) {
		x->done = 0;
		return x->rc = payload_more(p, 0);
	}
	code = xmlParseChunk(x->parser, p->p + x->done, (int)n, n == 0);
	x->done += n;
	if (x->rc == GLANE_OK && code != XML_ERR_OK)
		x->rc = fail(x->d, GLANE_E_FORMAT, "XML: line %d: parser error %d", x->parser->input->line, code);
	if (x->rc == GLANE_OK && n && (size_t)(x->parser->input->end - x->parser->input->cur) > MAX_HELD)
		x->rc = fail(x->d, GLANE_E_LIMIT, "XML: line %d: a tag or comment is too long", x->parser->input->line);
	if (x->rc == GLANE_OK && n == 0)
		x->rc = GLANE_END;
	return x->rc;
}

void xml_events_close(struct xml_events *x)
{
	if (!x)
		return;
	if (x->parser && x->parser->myDoc)
		xmlFreeDoc(x->parser->myDoc);
	if (x->parser)
		xmlFreeParserCtxt(x->parser);
	mem_free(x);
}

struct slice xml_attribute(const struct xml_attributes *a, const char *name)
{
	for (int i = 0; i < a->n; i++) {
		const xmlChar **v = a->v + (size_t)i * 5;

		if (strcmp((const char *)v[0], name) == 0)
			return (struct slice){(const char *)v[3], (size_t)(v[4] - v[3])};
	}
	return (struct slice){NULL, 0};
}

void xml_attribute_text(const struct xml_attributes *a, const char *name, struct strbuf *b)
{
	struct slice s = xml_attribute(a, name);

	strbuf_reset(b);
	for (size_t i = 0; i < s.n; i++) {
		strbuf_putc(b, s.p[i]);
		if (slice_has_prefix((struct slice){s.p + i, s.n - i}, "&#38;"))
			i += strlen("#38;");
	}
}
