/* SPDX-License-Identifier: MIT */
/* The state of one JSON reader, and the walk over the document around its records. */
#ifndef READ_JSON_DOCUMENT_H
#define READ_JSON_DOCUMENT_H
#include "read/json_record.h"
#include "read/record.h"

#define JSON_OFF_PATH SIZE_MAX

struct json_level {     /* an open container around the records */
	uint64_t count; /* values so far */
	size_t sel;     /* steps of select that lead to it, or JSON_OFF_PATH */
	uint32_t head;  /* node of the heads' tree; 0: none */
	bool is_object, is_star, is_taken;
};
enum json_phase { JSON_AT_START, JSON_AT_VALUE, JSON_AT_FIRST, JSON_AT_KEY, JSON_AT_COLON, JSON_AT_NEXT, JSON_AT_END };

struct json {
	struct payload *payload;
	struct json_cursor c;
	const char *at;
	struct diag *diag;
	struct arena arena, scratch; /* of the reader; of json_get() for one record */
	const char *select_text;
	struct json_path select;
	size_t last_star; /* the last '*' of select; JSON_OFF_PATH: none */
	size_t max_record, max_field;
	unsigned max_depth;

	struct json_level *level;
	size_t n_level;
	enum json_phase phase;
	size_t sel; /* of the value that comes next, like its head */
	uint32_t head;
	uint64_t root_count;
	bool is_found, is_misplaced;
	bool is_lines;      /* documents follow each other, each a record */
	uint64_t misplaced; /* where select led to a single value */

	struct json_record rec;
	uint32_t *field; /* nodes; 0: "$key" */
	const char *const *field_text;
	size_t n_field;
	bool has_key;
	struct json_tree heads;
	uint32_t *head_node;
	const char *const *head_text;
	size_t n_head;
	struct strbuf key; /* what the last '*' matched, where it is a name (or is bound) */
	uint64_t key_index;
	bool is_key_index;

	uint64_t number, offset;
	uint64_t n_newlines, line; /* is_lines: passed so far; where the record stands */
	bool is_record;
	glane_rc over; /* END or an error: nothing follows */
};

/* One token or record further. GLANE_OK (see is_record), GLANE_END, or the error. */
glane_rc json_step(struct json *r);
/* The window of the payload is new. */
void json_window(struct json *r);
/* Writes what the last '*' matched into r->key. */
glane_rc json_key(struct json *r);
#endif
