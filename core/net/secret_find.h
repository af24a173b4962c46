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
	size_t shortest;        /* bytes; 0: SECRET_SHORTEST */
	uint8_t starts[256];    /* what a byte may begin, */
	uint8_t pairs[256][32]; /* and a bit for each one that may follow */
};
struct secret_undone;
struct secret_search { /* of one text, which stays as it is meanwhile */
	const struct secret_finder *finder;
	struct slice text;
	bool as_text;
	size_t at, from; /* searched up to here; behind the last hit */
	size_t ahead, mask;
	unsigned bits;
	struct secret_undone *ring;
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
	const struct secret_finder *f, struct slice text, bool as_text, const char *mark, struct strbuf *b);
/* The same of the first `head` bytes alone, and of no part of a secret that goes on behind them. */
size_t secret_replace_head(const struct secret_finder *f, struct slice text, size_t head, bool as_text,
	const char *mark, struct strbuf *b);
/* A search in steps, each byte of the text read a few times, whatever it says: the next one that begins before `until`; false: there is
 * none, and the next step goes on there. */
void secret_search_begin(struct secret_search *s, const struct secret_finder *f, struct slice text, bool as_text);
bool secret_search_next(struct secret_search *s, size_t until, struct secret_hit *ret);
void secret_search_end(struct secret_search *s); /* zeroes */
#endif
