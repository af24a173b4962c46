/* SPDX-License-Identifier: MIT */
/* `dims`: the remaining dimensions, KEY=VALUE sorted by key, joined by ';' (DESIGN section 2). */
#ifndef MODEL_DIMS_H
#define MODEL_DIMS_H
#include "base/diag.h"
#include "base/strbuf.h"

/* Appends the canonical text of n pairs (absent values are left out); '%', ';', '=' and control bytes are
 * percent-encoded in keys and values. A key twice or an empty key is GLANE_E_DATA; more than 64 pairs GLANE_E_LIMIT. */
glane_rc dims_print(struct strbuf *b, const struct glane_kv *kv, size_t n, struct diag *d);
/* Value of one key in a canonical text, decoded and appended to b; false where it is not there. */
bool dims_get(struct slice dims, struct slice key, struct strbuf *b);
/* True where the text is canonical: sorted, encoded, no key twice. */
bool dims_ok(struct slice dims);
/* True where dims holds `KEY=VALUE` (given decoded). */
bool dims_has(struct slice dims, struct slice key, struct slice value);
#endif
