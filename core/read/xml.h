/* SPDX-License-Identifier: MIT */
/*
 * XML 1.0 records over xml_push.h. A DOCTYPE, an undeclared entity, any
 * parser error is GLANE_E_FORMAT with line. Depth, 128 attributes per element, text and record sizes are capped; nothing is ever loaded
 * from outside. Names are local names (namespace prefixes are passed over).
 *
 * select: element path from the root or a suffix of it, '/'-separated: "Cube/Cube/Cube" are the Cube elements inside a
 * Cube inside a Cube; a record ends with its element.
 * field: "@name" attribute of the record's element; "name" or "a/b" text of a child; "name/@attr"; "." own text;
 * "../@name", "../../@name" attributes of ancestors (read as they stood at their start tags).
 * head: "/Envelope/Sender/name" text or "/Envelope/@attr" of elements outside the records.
 */
#ifndef READ_XML_H
#define READ_XML_H
#include "read/record.h"
#endif
