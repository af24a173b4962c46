/* SPDX-License-Identifier: MIT */
/* Single values outside the records of an XML document, and the encoding that it declares. */
#include "read/xml_head.h"
#include <strings.h>

static void head_done(struct xml_head *h, struct slice value)
{
	h->value = value.p ? value : (struct slice){"", 0};
	h->is_open = false;
	h->is_done = true;
}

static bool head_attr(struct xml_head *h, const struct xml_log *l)
{
	const struct xml_path path = {.attr = h->path.attr};
	glane_rc rc = GLANE_OK;
	const struct slice value = xml_path_find(&path, l, l->open[l->n_open - 1], NULL, &rc);

	if (!value.p)
		return true;
	strbuf_slice(&h->text, value);
	if (strbuf_ok(&h->text))
		head_done(h, strbuf_get(&h->text));
	return strbuf_ok(&h->text);
}

bool xml_heads_open(struct xml_head *h, size_t n, const struct xml_log *l)
{
	const size_t depth = l->n_open;
	const char *name = l->node[l->open[depth - 1]].name;

	for (; n; n--, h++) {
		if (h->is_done || h->matched != depth - 1 || depth > h->path.n || h->path.step[depth - 1] != name)
			continue;
		h->matched = depth;
		if (depth < h->path.n)
			continue;
		h->is_open = !h->path.attr;
		if (h->path.attr && !head_attr(h, l))
			return false;
	}
	return true;
}

void xml_heads_close(struct xml_head *h, size_t n, const struct xml_log *l)
{
	for (; n; n--, h++) {
		if (h->matched != l->n_open)
			continue;
		h->matched = l->n_open - 1;
		if (h->is_open)
			head_done(h, xml_trim(strbuf_get(&h->text)));
	}
}

bool xml_heads_text(struct xml_head *h, size_t n, const struct xml_log *l, struct slice text)
{
	bool is_ok = true;

	for (; n; n--, h++) {
		if (!h->is_open || h->matched != l->n_open)
			continue;
		strbuf_slice(&h->text, text);
		is_ok &= strbuf_ok(&h->text);
	}
	return is_ok;
}

/* The encoding that the XML declaration names; absent without one. */
static struct slice declared_encoding(struct slice text)
{
	const char *end = text.n > 5 && memcmp(text.p, "<?xml", 5) == 0 ? memmem(text.p, text.n, "?>", 2) : NULL;
	const char *p = end ? memmem(text.p, (size_t)(end - text.p), "encoding", 8) : NULL;
	const char *quote;

	for (; p && p < end && *p != '"' && *p != '\''; p++)
		continue;
	quote = p && p < end ? memchr(p + 1, *p, (size_t)(end - p) - 1) : NULL;
	return quote ? (struct slice){p + 1, (size_t)(quote - p) - 1} : (struct slice){NULL, 0};
}

static bool is_name(struct slice s, const char *const *name)
{
	while (*name && !(s.n == strlen(*name) && strncasecmp(s.p, *name, s.n) == 0))
		name++;
	return *name != NULL;
}

glane_rc xml_encoding(struct slice text, int *ret_encoding, struct diag *d)
{
	static const char *const utf8[] = {
		"utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be", NULL};
	static const char *const latin1[] = {"iso-8859-1", "iso_8859-1", "latin1", "latin-1", NULL};
	struct slice encoding;

	if (text.n == 0)
		return fail(d, GLANE_E_FORMAT, "XML: the document is empty");
	if (memchr(text.p, '\0', text.n) || !strchr("< \t\r\n", *text.p))
		return fail(d, GLANE_E_FORMAT, "XML: the payload does not begin like an XML document in UTF-8");
	encoding = declared_encoding(text);
	if (encoding.p && !is_name(encoding, latin1) && !is_name(encoding, utf8))
		return fail(d, GLANE_E_FORMAT,
			"XML: encoding '%.*s' is not read (UTF-8, US-ASCII, UTF-16 and ISO-8859-1 are)",
			SLICE_FMT(encoding));
	*ret_encoding = encoding.p && is_name(encoding, latin1) ? XML_LATIN1 : XML_UTF8;
	return GLANE_OK;
}

void xml_from_latin1(struct strbuf *b, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		const unsigned char c = (unsigned char)text.p[i];

		if (c & 0x80)
			strbuf_putc(b, (char)(0xc0 | (c >> 6)));
		strbuf_putc(b, (char)(c & 0x80 ? 0x80 | (c & 0x3f) : c));
	}
}
