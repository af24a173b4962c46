/* SPDX-License-Identifier: MIT */
/*
 * libxml2's SAX2 push parser over a payload, as every reader of XML uses it: a DOCTYPE, an undeclared entity, any parser error is
 * GLANE_E_FORMAT with line; depth and attributes are capped; nothing is ever loaded from outside. Names are local names.
 */
#ifndef READ_XML_PUSH_H
#define READ_XML_PUSH_H
#include "base/diag.h"
#include "base/strbuf.h"
#include "read/payload.h"

struct xml_push_attr { /* as libxml2 gives them: local name, prefix, URI, first byte, behind the last byte */
	const unsigned char *name, *prefix, *uri, *value, *end;
};
struct xml_push_events {
	void (*open)(void *arg, const char *name, const struct xml_push_attr *attr, size_t n);
	void (*close)(void *arg, const char *name);
	void (*text)(void *arg, struct slice text);
};
struct xml_push {
	const struct xml_push_events *events;
	void *arg;
	struct payload *payload;
	void *parser; /* xmlParserCtxtPtr */
	size_t depth, max_depth;
	bool is_counting;   /* messages say behind how many records they are */
	uint64_t n_records; /* found so far, by whoever is told the events */
	uint64_t base;      /* payload offset of the first byte fed */
	size_t done;        /* bytes of the window that were fed */
	size_t piece;       /* bytes fed at once; 64 KiB, or less by whoever opened it */
	bool is_latin1, is_ended;
	struct strbuf latin1;
	glane_rc failed;   /* found while feeding */
	struct diag found; /* its message */
};
/* max_depth 0: 64. is_utf8: whatever the document declares. */
glane_rc xml_push_open(struct xml_push *x, struct payload *p, const struct xml_push_events *events, void *arg,
	size_t max_depth, bool is_utf8, struct diag *d);
void xml_push_close(struct xml_push *x);
/* Feeds one piece, or moves the window; bytes from payload offset `keep` on stay in it (UINT64_MAX: none has to). At
 * the end is_ended. */
void xml_push_piece(struct xml_push *x, uint64_t keep);
/* Feeds other bytes in place of the window's; is_last: the document ends with them. */
void xml_push_bytes(struct xml_push *x, struct slice bytes, bool is_last);
/* Nothing more is reported; only the first reason counts. `what` is a sentence without the line. The parser itself goes on to the end of
 * the piece: the attributes of the element under way stay where they are. */
void xml_push_stop(struct xml_push *x, glane_rc rc, const char *what);
/* "what (the limit is N)", GLANE_E_LIMIT */
void xml_push_stop_limit(struct xml_push *x, const char *what, size_t limit);
/* One pointer for equal names, that of the parser's own; NULL: no memory. */
const char *xml_push_intern(struct xml_push *x, const char *p, size_t n);
/* The payload's bytes [start, end), at most max; absent where they are not in the window, or were converted. */
struct slice xml_push_text(const struct xml_push *x, uint64_t start, uint64_t end, size_t max);
unsigned xml_push_line(const struct xml_push *x);
/* Payload offsets: of what is parsed next, and of the start tag that was parsed last. */
uint64_t xml_push_offset(const struct xml_push *x);
uint64_t xml_push_tag(const struct xml_push *x);
/* The value of the attribute of this local name, in whatever namespace, as it is written; absent where there is none. */
struct slice xml_push_find(const struct xml_push_attr *a, size_t n, const char *name);
/* Appends the value: "&#38;" is '&' (libxml2 leaves that one reference alone). */
void xml_push_value(struct strbuf *b, const struct xml_push_attr *a);
#endif
