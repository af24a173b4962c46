/* SPDX-License-Identifier: MIT */
/* A message of SDMX-ML between its parser and its reader; private to sdmx_xml.c, sdmx_elements.c, sdmx_message.c and sdmx_groups.c. */
#ifndef READ_SDMX_XML_H
#define READ_SDMX_XML_H
#include "read/sdmx.h"
#include "read/sdmx_log.h"
#include "read/xml_push.h"

#define MAX_DEPTH 64
#define MAX_STRUCTURES 256
#define MAX_WORDS ((size_t)2048)

enum kind {
	OTHER,
	MESSAGE,
	HEADER,
	STRUCTURE,
	REFERENCE,
	DATASET,
	GROUP,
	SERIES,
	OBS,
	KEY,
	ATTRIBUTES,
	COMPONENT,
	TEXT,
	FAULT,
	FOOTER
};

enum groups {
	GROUPS_AS_THEY_COME, /* there are none, or the message cannot be looked at twice */
	GROUPS_SOUGHT,       /* the first look is under way */
	GROUPS_KNOWN,        /* of the whole message */
	GROUPS_BROKEN        /* the message does not read to its end: no observation is told */
};
struct structure {
	struct slice id, name, at_obs; /* structureID, id of flow or structure, dimensionAtObservation */
	bool is_explicit;              /* an observation's xsi:type is the value of that dimension */
};
struct sdmx_xml {
	struct xml_push x;
	struct sdmx_log log;
	struct diag *diag;
	struct record_options o; /* texts are the caller's */
	struct arena arena;      /* of the header */
	uint8_t kind[MAX_DEPTH + 1];
	size_t depth;
	struct strbuf text; /* of the element that is open, where it counts */
	struct strbuf fault, footer, poll, root;
	struct structure structure[MAX_STRUCTURES];
	size_t n_structures;
	const struct structure *current; /* of the dataset; NULL: not said */
	struct slice family;             /* KeyFamilyRef of 2.0 */
	char action;                     /* DataSetAction of the header; 0: not said */
	uint32_t component;              /* of an open Comp */
	struct strbuf values;            /* its values, with ';' between them */
	uint64_t obs_line, obs_start;
	bool is_message, is_structures, is_cross, is_cut, is_obs_due, has_value;
	bool is_dataset_open, is_action_due; /* is_action_due: the text of the header that is open is an action */
	uint64_t held_from;                  /* where the dataset begins */
	bool has_series;                     /* the dataset, so far */
	bool is_bare;                        /* the series or group that is open has no observation yet */
	unsigned bare_line;
	uint64_t bare_start;
	enum groups groups;
	struct diag broken; /* why they are GROUPS_BROKEN */
	uint64_t number;
	glane_rc over;
	bool is_record;
};
/* sdmx_message.c: around the datasets. */
struct slice sdmx_attr(const struct xml_push_attr *a, size_t n, const char *name); /* without a prefix */
struct slice sdmx_keep(struct sdmx_xml *s, struct slice text);                     /* in the header's arena */
enum kind sdmx_in_header(struct sdmx_xml *s, const char *name, const struct xml_push_attr *a, size_t n);
enum kind sdmx_in_structure(struct sdmx_xml *s, const char *name, const struct xml_push_attr *a, size_t n);
void sdmx_name_structure(struct sdmx_xml *s, struct slice name);
char sdmx_action_of(struct slice s); /* NUL: none of those that there are */
void sdmx_refuse_action(struct sdmx_xml *s, struct slice word);
enum kind sdmx_in_nothing(struct sdmx_xml *s, const char *name, const struct xml_push_attr *a, size_t n);
void sdmx_begin_fault(const struct xml_push_attr *a, size_t n, struct strbuf *b);
bool sdmx_says_cut(const struct xml_push_attr *a, size_t n);
void sdmx_end_words(struct strbuf *b, struct slice text);
void sdmx_find_poll(struct sdmx_xml *s, struct slice text); /* the first address in a footer */
extern const struct xml_push_events sdmx_events;            /* arg: a struct sdmx_xml */
/* Groups may stand behind their series: takes those of the whole message into s->log, where p shows any. s->x is closed. */
glane_rc sdmx_groups_find(struct sdmx_xml *s, const struct payload *p, struct diag *d);
#endif
