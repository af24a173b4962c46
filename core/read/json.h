/* SPDX-License-Identifier: MIT */
/*
 * JSON (RFC 8259) records out of a document of any size, checked as a whole: depth, duplicate keys inside a record's path, UTF-8, trailing
 * bytes. Numbers keep their text. A UTF-8 BOM is passed over.
 *
 * select: steps separated by '.': a member name, a number (position in an array), or '*' (each element of an array or
 * each member of an object). "1.*" are the elements of the second item of the top array; "*" those of the top array;
 * "data.series.*" ...; "" is the document itself as one record; "$lines"
 * are documents one after the other, each a record (NDJSON, JSON Lines). A name that holds '.' is written with '\.'.
 * field: steps from the record ("country.id", "dims.0"); "" is the record itself where it is a scalar; "$key" is the
 * member name or position that the last '*' matched.
 * head: steps from the document's root ("0.lastupdated"); only scalars; read when passed, before or after the records.
 */
#ifndef READ_JSON_H
#define READ_JSON_H
#include "read/record.h"
#endif
