/* SPDX-License-Identifier: MIT */
/* XML as events with a verdict each, for readers of several small parts: xml_push.h for callbacks that may fail. */
#ifndef READ_XML_EVENTS_H
#define READ_XML_EVENTS_H
#include "read/xml_push.h"

struct xml_attributes {
	const struct xml_push_attr *v;
	size_t n;
};
/* Names are local names. A callback that has failed returns its code, with the message in the parser's diag. */
struct xml_handler {
	glane_rc (*open)(void *arg, const char *name, const struct xml_attributes *a);
	glane_rc (*close)(void *arg, const char *name);
	glane_rc (*text)(void *arg, struct slice text); /* any piece of it */
};
struct xml_events;

/* p and h have to outlive it. */
glane_rc xml_events_open(
	struct xml_events **ret, struct payload *p, const struct xml_handler *h, void *arg, struct diag *d);
/* Feeds at most `max` bytes of the window and moves it; GLANE_END once the document has ended well. */
glane_rc xml_events_feed(struct xml_events *x, size_t max);
void xml_events_close(struct xml_events *x);
/* An attribute's value, absent where there is none. What holds an ampersand is written "&#38;": xml_attribute_text(). */
struct slice xml_attribute(const struct xml_attributes *a, const char *name);
void xml_attribute_text(const struct xml_attributes *a, const char *name, struct strbuf *b);
#endif
