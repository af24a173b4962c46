/* SPDX-License-Identifier: MIT */
/*
 * The elements, attributes and texts that an XML parser has reported, in document order, for records that are read a
 * little later; and the paths into them. Names are interned: equal names are one pointer.
 */
#ifndef READ_XML_LOG_H
#define READ_XML_LOG_H
#include "base/diag.h"
#include "base/mem.h"
#include "base/strbuf.h"

#define XML_NONE UINT32_MAX

struct xml_node {
	const char *name;      /* NULL: a text */
	uint32_t parent;       /* XML_NONE: none */
	uint32_t end;          /* behind its last descendant, once it is closed */
	uint32_t attr, n_attr; /* of an element */
	uint32_t text;         /* of a text: where it stands */
	uint32_t n;            /* bytes of a text; of an element: of the texts directly in it */
};
struct xml_attr {
	const char *name;
	bool is_prefixed;
	uint32_t text, n;
};
struct xml_log {
	struct xml_node *node;
	size_t n_node, cap_node;
	struct xml_attr *attr;
	size_t n_attr, cap_attr;
	struct strbuf text;
	uint32_t *open; /* the elements that are not closed, outermost first */
	size_t n_open, cap_open;
};
void xml_log_init(struct xml_log *l, size_t max_text);
void xml_log_release(struct xml_log *l);
/* All return false when memory is gone. */
bool xml_log_open(struct xml_log *l, const char *name);
/* An attribute of the element opened last. "&#38;" in the value is '&': libxml2 leaves that one reference alone. */
bool xml_log_attr(struct xml_log *l, const char *name, bool is_prefixed, struct slice value);
bool xml_log_text(struct xml_log *l, struct slice text);
void xml_log_close(struct xml_log *l);
/* Drops what stands before node `from`, apart from the elements that are open there. Returns how far the nodes from
 * `from` on have moved towards the start. Slices and node numbers from before are void. */
uint32_t xml_log_trim(struct xml_log *l, uint32_t from);

/* A path from an element (see xml.h): `up` parents, then steps down, then an attribute or the own text. */
struct xml_path {
	unsigned up;
	const char **step;
	size_t n;
	const char *attr; /* NULL: text */
};
#define XML_PATH_STEPS 64
/* Returns one pointer for equal names; NULL: no memory. */
typedef const char *xml_intern(void *arg, const char *p, size_t n);
glane_rc xml_path_parse(
	struct xml_path *ret, struct arena *a, const char *text, xml_intern *intern, void *arg, struct diag *d);
/* What the path leads to from element `node`: the first that is there, in document order. Text in several pieces goes
 * through `a`; out of memory it is absent, and *ret_rc is set. */
struct slice xml_path_find(
	const struct xml_path *path, const struct xml_log *l, uint32_t node, struct arena *a, glane_rc *ret_rc);
struct slice xml_trim(struct slice s);
#endif
