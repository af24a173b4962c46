/* SPDX-License-Identifier: MIT */
/* The ways in which a secret may be written by somebody who sends it back. */
#ifndef NET_SECRET_FIND_H
#define NET_SECRET_FIND_H
#include "base/strbuf.h"

#define SECRET_SHORTEST 4 /* bytes; shorter ones are found nowhere: they would be hit by chance */
#define SECRET_MARK "{auth:%s}"

struct secret_form { /* a text that says a secret */
	const char *name;
	struct strbuf text; /* wiped */
	uint8_t kind;
	bool head, tail; /* base64: the secret begins, or ends, within the digit before, or behind */
};
struct secret_finder {
	struct secret_form *v;
	size_t n, cap;
	size_t shortest;  /* bytes; 0: SECRET_SHORTEST */
	bool starts[256]; /* bytes that may begin one */
};
struct secret_hit { /* where one stands, and the name of it */
	size_t at, end;
	const char *name;
};
/* False: no memory. The name is borrowed. */
bool secret_finder_add(struct secret_finder *s, const char *name, struct slice secret);
void secret_finder_release(struct secret_finder *s); /* zeroes */
/*
 * Appends the text to b (NULL: only counts) with `mark` in the place of each secret (NULL: {auth:NAME}): as it is, in hexadecimal
 * digits, or in base64 of either alphabet, also of a text that holds it; each of them with any of its bytes written as percent,
 * backslash or character escapes, inside one another (JSON in CSV, a URL in a URL), with doubled quotes, with + for a blank. Of a
 * secret that is a Basic token also the text that it decodes to, and the password. as_text: neither digits nor base64, and placeholders
 * that stand there stay. Returns how many there were.
 */
size_t secret_replace(
	const struct secret_finder *s, struct slice text, bool as_text, const char *mark, struct strbuf *b);
/* The first one at `from` or behind it; 0: there is none. */
size_t secret_next(const struct secret_finder *s, struct slice text, size_t from, bool as_text, struct secret_hit *ret);
#endif
