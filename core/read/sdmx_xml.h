/* SPDX-License-Identifier: MIT */
/* A message of SDMX-ML between its parser and its reader; private to sdmx_xml.c and sdmx_elements.c. */
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

struct structure {
	struct slice id, name, at_obs; /* structureID, id of flow or structure, dimensionAtObservation */
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
	uint64_t obs_line, obs_start;
	bool is_message, is_structures, is_cross, is_cut, is_dataset_open, is_obs_due;
	uint64_t held_from; /* where the dataset begins */
	uint64_t number;
	glane_rc over;
	bool is_record;
};
extern const struct xml_push_events sdmx_events; /* arg: a struct sdmx_xml */
#endif
