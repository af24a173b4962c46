/* SPDX-License-Identifier: MIT */
/*
 * Records out of a payload: what the CSV, JSON and XML readers have in common. Memory is bounded by the largest record.
 */
#ifndef READ_RECORD_H
#define READ_RECORD_H
#include "base/diag.h"
#include "base/mem.h"
#include "read/payload.h"

struct record_options {           /* texts are borrowed and must outlive the reader */
	uint8_t format;           /* GLANE_FMT_CSV JSON XML */
	const char *select;       /* JSON, XML: path of the records; see json.h, xml.h */
	const char *const *field; /* bound fields; NULL with CSV: every column in file order */
	size_t n_field;
	const char *const *head; /* values outside the records */
	size_t n_head;
	const struct glane_csv *csv; /* NULL: the defaults */
	bool is_sparse; /* JSON-stat: cells that neither value nor status names may be passed over, where nearly all are such */
	size_t max_record;  /* bytes of one record; 0: 8 MiB */
	size_t max_field;   /* bytes of one value; 0: 1 MiB */
	unsigned max_depth; /* nesting; 0: 64 */
	/* Opens a stream's payload once more, from its beginning, for formats that look twice; NULL: it cannot be. */
	glane_rc (*again)(void *arg, struct payload *ret, struct diag *d);
	void *again_arg;
};
struct record_reader; /* one of the three */

glane_rc record_open(struct record_reader **ret, struct payload *p, const struct record_options *o, struct diag *d);
/* GLANE_OK: there is a record; GLANE_END: the payload ended where it may; else the error (never resumed). A document
 * without any place that could hold records is GLANE_E_FORMAT ("no array at 1"); an empty list is GLANE_END at once. */
glane_rc record_next(struct record_reader *r);
/* Field i: absent (p == NULL) where the record has none or JSON null. Until the next record_next(). Text is decoded
 * (escapes, entities, quotes), UTF-8; numbers keep their text; JSON true/false are those words. A field whose value is an
 * object or array (JSON) is GLANE_E_FORMAT in record_next(), with path and record number. */
struct slice record_at(struct record_reader *r, size_t i);
/* Any path of the current record, slower; absent where it is not there. */
struct slice record_get(struct record_reader *r, const char *path);
/* JSON: the members of the object, or the elements of the array, at the path of the current record (json_path.h); NULL: there is none. */
const struct glane_kv *record_items(struct record_reader *r, const char *path, size_t *ret_n);
size_t record_columns(const struct record_reader *r);                /* CSV header; 0 otherwise */
struct slice record_column(const struct record_reader *r, size_t i); /* CSV: name of column i */
struct slice record_head(const struct record_reader *r, size_t i);   /* absent until passed */
/* Number of the current record (1 is the first) and where it starts: line (CSV, lines of JSON) or byte offset. Zeros where the
 * payload's source failed, a program or an archive. For messages. */
void record_where(const struct record_reader *r, uint64_t *ret_number, uint64_t *ret_line, uint64_t *ret_offset);
/* Text of the current record for quarantine, at most max bytes, as it stands in the payload. */
struct slice record_text(const struct record_reader *r, size_t max);
void record_close(struct record_reader *r);

/* ---- cubes: SDMX, JSON-stat, TSV, PC-Axis; 0 or absent of other formats ---- */
/* Counts up whenever columns, their roles or the dataset change; 0: no cube. From the first record on. */
uint64_t record_shape(const struct record_reader *r);
/* Counts up whenever another dataset of the message begins. */
uint64_t record_part(const struct record_reader *r);
/* Counts up at the latest when a dimension other than time, or what an attribute above the observation says, changes. */
uint64_t record_series(const struct record_reader *r);
int record_role(const struct record_reader *r, size_t i); /* GLANE_ROLE_* */
struct slice record_label(
	struct record_reader *r, size_t i); /* of the code in column i; until the next record_next() */

/* Whether a dimension is one of time by its id, where the document says no roles. */
bool record_is_time(struct slice id);

/* What a cube's reader has beyond record_ops. Its get() also knows "#dataset", "#title", "#updated", "#action", and
 * "#partial" of a record that is no observation: attributes of those that have a part of the key. */
struct cube_ops {
	uint64_t (*shape)(const void *state);
	uint64_t (*series)(const void *state);
	int (*role)(const void *state, size_t i);
	struct slice (*label)(void *state, size_t i); /* NULL: codes without labels */
	uint64_t (*part)(const void *state);          /* NULL: as shape */
};

/* The vtable each format fills; record.c dispatches. */
struct record_ops {
	glane_rc (*open)(void **state, struct payload *, const struct record_options *, struct diag *);
	glane_rc (*next)(void *state);
	struct slice (*at)(void *state, size_t i);
	struct slice (*get)(void *state, const char *path);
	size_t (*columns)(const void *state);
	struct slice (*column)(const void *state, size_t i);
	struct slice (*head)(const void *state, size_t i); /* NULL: nothing outside the records */
	void (*where)(const void *state, uint64_t *number, uint64_t *line, uint64_t *offset);
	struct slice (*text)(const void *state, size_t max);
	void (*close)(void *state);
	const struct cube_ops *cube;                                                   /* NULL: no cube */
	const struct glane_kv *(*items)(void *state, const char *path, size_t *ret_n); /* NULL: not of this format */
};
extern const struct record_ops csv_record_ops, json_record_ops, xml_record_ops;
extern const struct record_ops jsonstat_record_ops, tsv_record_ops, px_record_ops;
#endif
