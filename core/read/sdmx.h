/* SPDX-License-Identifier: MIT */
/*
 * SDMX data messages as cubes: SDMX-ML 2.0, 2.1, 3.0 (SDMXMessage.xsd and the schemas it includes), SDMX-CSV 1.0, 2.x (sdmx-twg/sdmx-csv),
 * SDMX-JSON 1.0, 2.x (sdmx-twg/sdmx-json). The bytes say which: '<', '{' or '[', else CSV.
 *
 * field: ids of the dimensions, in order, for messages that may not tell them from attributes. head: "#footer" (the message's footer
 * as "CODE: text"), "#poll" (the first address in it: where an asynchronous answer will be).
 */
#ifndef READ_SDMX_H
#define READ_SDMX_H
#include "read/record.h"

extern const struct record_ops sdmx_xml_ops, sdmx_csv_ops, sdmx_json_ops; /* one form each */

/* Which of them a payload is; asks for its first bytes. */
glane_rc sdmx_ops(const struct record_ops **ret, struct payload *p, struct diag *d);

/* "ID" of a reference: "AGENCY:ID(1.0): label", "urn:sdmx:...Dataflow=AGENCY:ID(1.0):...", or less of it; absent: a urn of something else. */
struct slice sdmx_flow_id(struct slice ref);

/* Where a message does not say what a component is: whether the id is one of the attributes that providers use (SDMX cross-domain
 * concepts and what was seen), and what role a component has. */
bool sdmx_is_attribute(struct slice id);
bool sdmx_is_text(struct slice id); /* whether such an attribute is free text, not a code */
bool sdmx_is_of_series(
	struct slice id, int role); /* whether a series is told by it: dimensions, its unit, title, INSEE's number */
int sdmx_role(struct slice id, const char *const *dimension, size_t n_dimension);

/* Whether a code beside data says that they are not whole: too large an answer (130, 413, 510), or a server that failed (5xx). From the
 * codes of SDMX web services (SDMX 2.1 section 7, 5.8) and of HTTP. */
bool sdmx_code_says_cut(struct slice code);
#endif
