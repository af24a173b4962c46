/* SPDX-License-Identifier: MIT */
/*
 * One JSON record: checked, and its bound fields found, in one walk. The shape of a record (the bytes between its scalar
 * values) is remembered: a record that repeats the bytes of the one before, values aside, is compared with it instead of
 * being walked; where they differ outside a value, it is walked anew, with the same result.
 */
#ifndef READ_JSON_RECORD_H
#define READ_JSON_RECORD_H
#include "base/strbuf.h"
#include "read/json_path.h"
#include "read/json_scan.h"

struct json_slot { /* a scalar of the record: offsets from its first byte, quotes included */
	uint32_t start, end;
	uint8_t kind;     /* JSON_NULL ... JSON_ESCAPED */
	bool is_scaffold; /* stands where a field looks for an object or array */
};
struct json_record {
	struct json_tree tree; /* the bound fields */
	size_t max_record, max_field;
	unsigned max_depth;
	const char *p; /* the record's bytes, until the window moves */
	size_t n;
	bool is_shape;   /* slots hold every scalar of p[0..n): the next record may be compared with it */
	bool is_escaped; /* a slot may be JSON_ESCAPED */
	struct json_slot *slot;
	size_t n_slot, cap_slot;
	struct slice *key; /* member names of the objects that the walk is in */
	size_t n_key, cap_key;
	struct arena names;    /* decoded member names of this record */
	struct strbuf decoded; /* text of bound fields with escapes */
	struct diag *diag;
	glane_rc rc; /* why json_record_read() returned NULL: 0: bytes are missing or c->what is wrong */
};

glane_rc json_record_init(
	struct json_record *r, size_t max_record, size_t max_field, unsigned max_depth, struct diag *d);
void json_record_release(struct json_record *r);
/* The bytes of the last record are gone: the next one is walked. */
void json_record_forget(struct json_record *r);
/* Reads the value at p < c->end, `depth` containers deep in the document. The position behind it, or NULL. */
const char *json_record_read(struct json_record *r, struct json_cursor *c, const char *p, unsigned depth);
/* Decodes the bound fields that need it; GLANE_E_NOMEM. After a record was read. */
glane_rc json_record_decode(struct json_record *r);
/* The value of a node of the tree; absent where the record has none or null. */
struct slice json_record_value(const struct json_record *r, uint32_t node);
#endif
