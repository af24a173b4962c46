/* SPDX-License-Identifier: MIT */
/* Titles of series, from the table `series`: asked in key order, source after source. */
#ifndef STORE_TITLES_H
#define STORE_TITLES_H
#include "store/store.h"

struct titles {
	const struct store *s;
	char source[64];
	struct twins *twins; /* of the source */
};
void titles_init(struct titles *t, const struct store *s);
/* Of the series of r; "" where it is not known. Borrowed until the next call. GLANE_E_IO: damaged. */
glane_rc titles_find(
	struct titles *t, const struct row *r, struct slice *ret_title, struct slice *ret_area, struct diag *d);
void titles_release(struct titles *t);
#endif
