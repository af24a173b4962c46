/* SPDX-License-Identifier: MIT */
/*
 * What a message deletes: keys of which a part is named, or attributes of them. Found by key, whatever their number; each holds for
 * what came before it.
 */
#ifndef MODEL_ERASE_H
#define MODEL_ERASE_H
#include "base/diag.h"
#include "base/map.h"
#include "model/row.h"

#define ERASE_MAX 250000u /* different ones in one run of a source */
#define ERASE_SHAPES 64   /* sets of what they name */

enum { ERASE_ROW, ERASE_STATUS, ERASE_FLAGS, ERASE_NOTE, ERASE_KINDS };

struct erase {                /* empty texts, and freq 0, are any */
	struct slice dataset; /* never empty */
	struct slice indicator, area_code;
	struct slice dims;   /* canonical: those that are named, of all that a key has */
	struct slice period; /* as rows have it */
	char freq;
	uint8_t what; /* 1 << ERASE_*: of observations that stay, these attributes; 1 << ERASE_ROW alone: the observations */
};
struct erase_found {
	uint64_t at
		[ERASE_KINDS]; /* holds for observations number 1 to at - 1 of the run, and earlier runs'; 0: not erased */
	uint16_t payload[ERASE_KINDS]; /* as in struct batch_obs */
};
struct erase_shape {
	unsigned named;     /* bits of what is */
	struct slice names; /* of dimensions: "AGE;SEX" */
};
struct erases {
	struct arena arena;
	struct map by_key;
	struct erase_found *v;
	size_t n, cap;
	struct erase_shape shape[ERASE_SHAPES];
	size_t n_shapes;
	struct strbuf key;
};
void erases_init(struct erases *x);
void erases_release(struct erases *x);
/* n_before: observations that came before it. */
glane_rc erases_add(struct erases *x, const struct erase *e, uint64_t n_before, uint16_t payload, struct diag *d);

struct erase_look { /* the series of the last row */
	struct strbuf series, key;
	struct erase_found of_series;
};
void erase_look_init(struct erase_look *l);
void erase_look_release(struct erase_look *l);
/* What holds for this key; rows of a series are best asked for one after another. GLANE_END: nothing does. */
glane_rc erase_find(
	const struct erases *x, struct erase_look *l, const struct row *r, struct erase_found *ret, struct diag *d);
/* Takes from the row what is erased of observation number `seq` (from 1 on; 0: of an earlier run); *ret_payload: by which. True: the row itself is. */
bool erase_apply(const struct erase_found *f, uint64_t seq, struct row *r, uint16_t *ret_payload);
#endif
