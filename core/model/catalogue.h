/* SPDX-License-Identifier: MIT */
/*
 * The indicator catalogue, conf/catalogue.csv (UTF-8, cells as RFC 4180 without line breaks, '#' comment lines, first line the
 * header): what a report asks for, and which series answers it. The file's head says what its columns mean.
 */
#ifndef MODEL_CATALOGUE_H
#define MODEL_CATALOGUE_H
#include "base/diag.h"
#include "base/map.h"

struct catalogue_item { /* one line; an empty text asks for nothing, an indicator "AB*" for all that begin with AB */
	struct slice id, number, policy_area, title, title_fr, source, dataset, indicator, dims, unit;
};
struct catalogue {
	struct arena arena;
	struct map ids; /* id -> `items` */
	struct catalogue_item *items;
	size_t n_items, cap_items;
};
/* Reads catalogue.csv from the folder `dir`; errors name file and line (GLANE_E_CONFIG; GLANE_E_IO where it cannot be read), and
 * leave nothing to release. */
glane_rc catalogue_load(struct catalogue *c, const char *dir, struct diag *d);
void catalogue_release(struct catalogue *c);
/* NULL: no such id. Borrowed from the catalogue. */
const struct catalogue_item *catalogue_find(const struct catalogue *c, struct slice id);
/* Does the item mean the series with these columns of an export? */
bool catalogue_fits(const struct catalogue_item *item, struct slice source, struct slice dataset,
	struct slice indicator, struct slice dims);
#endif
