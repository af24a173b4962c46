/* SPDX-License-Identifier: MIT */
/* Words that titles and codes are searched for: without regard to case and accents, each must be there. */
#ifndef APP_WORDS_H
#define APP_WORDS_H
#include "app/app.h"
#include "store/series.h"

struct words {
	struct strbuf text[LIST_MAX], hay;
	size_t n;
};
/* False: no memory. Release either way. */
bool words_init(struct words *w, const char *const *list, size_t n);
/* In what a series says of itself: title, dataset, indicator, area and its title, dims; and in the name that `areas` has for its area. */
bool words_match(struct words *w, const struct areas *areas, const struct series_row *s);
void words_release(struct words *w);
#endif
