/* SPDX-License-Identifier: MIT */
/* Single values outside the records of an XML document, and the encoding that it declares. */
#ifndef READ_XML_HEAD_H
#define READ_XML_HEAD_H
#include "read/xml_log.h"

struct xml_head {
	struct xml_path path; /* from the root */
	size_t matched;       /* leading steps that the open elements match */
	struct strbuf text;
	struct slice value; /* absent until it was passed; the first one counts */
	bool is_open, is_done;
};
/* For each event outside the records: after the innermost element of the log was opened, before it is closed, and for
 * text in it. False: no memory, or more text than the buffer takes. */
bool xml_heads_open(struct xml_head *h, size_t n, const struct xml_log *l);
void xml_heads_close(struct xml_head *h, size_t n, const struct xml_log *l);
bool xml_heads_text(struct xml_head *h, size_t n, const struct xml_log *l, struct slice text);

#define XML_UTF8 1
#define XML_LATIN1 2
/* How the document that begins with `text` is encoded, in a payload that undoes UTF-16; GLANE_E_FORMAT where it does not
 * begin like XML, or declares another encoding. */
glane_rc xml_encoding(struct slice text, int *ret_encoding, struct diag *d);
/* Appends ISO-8859-1 text as UTF-8. */
void xml_from_latin1(struct strbuf *b, struct slice text);
#endif
