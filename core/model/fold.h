/* SPDX-License-Identifier: MIT */
/* Names made comparable. */
#ifndef MODEL_FOLD_H
#define MODEL_FOLD_H
#include "base/strbuf.h"

/*
 * Appends the folded form of a name: Latin letters in lower case without accents, digits, single blanks for whatever
 * stands between; apostrophes and combining accents vanish, '&' is "and", an article in front ("The X") or behind ("X, The",
 * "X (le)") is dropped. Other scripts stay as they are.
 */
void name_fold(struct strbuf *b, struct slice name);
#endif
