/* SPDX-License-Identifier: MIT */
/*
 * Words of other languages in periods and for missing values: conf/words.csv (language, word, meaning). The scheduler reads the table
 * and takes the languages that a source names; what they say goes to its worker as one text, a line "MEANING<TAB>word" for each.
 */
#ifndef MODEL_WORDS_H
#define MODEL_WORDS_H
#include "base/diag.h"
#include "base/mem.h"
#include "base/slice.h"

struct word {
	struct slice text; /* folded (fold.h); of a missing value: as it is written */
	char meaning; /* 'm' a month, 'A' 'S' 'Q' 'M' what a number counts, '#' a number, '-' nothing, '0' a missing value */
	uint8_t number;
};
struct words {
	struct word *v;
	size_t n;
};
/* The text for the languages of a list ("fr es") out of the folder's words.csv. GLANE_E_CONFIG: no such language, a word with two
 * meanings, or a line that is none. */
glane_rc words_load(struct arena *a, const char *tables, const char *languages, const char **ret_text, struct diag *d);
/* Such a text as words; they borrow it. GLANE_E_FORMAT: it is none. NULL: no words. */
glane_rc words_of(struct arena *a, const char *text, struct words *ret, struct diag *d);
/*
 * A period with a word in it as period_parse() reads it: JAN2020, "17 mai 2020", Trim1-2020, "T1 2020", "1er trimestre 2020". Years
 * have four digits. Under French words 2020-T1 is a quarter. False: no words that make a period; it may be one without.
 */
#define WORDS_PERIOD 12
bool words_period(const struct words *w, struct slice text, char out[WORDS_PERIOD], struct slice *ret);
bool words_missing(
	const struct words *w, struct slice text); /* is it, but for blanks around it, a word for no value? */
#endif
