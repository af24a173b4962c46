/* SPDX-License-Identifier: MIT */
/* Striking the secrets of a source out of what is recorded: in their place stands the placeholder that a plugin writes. */
#ifndef APP_SCRUB_H
#define APP_SCRUB_H
#include "net/fetch_secret.h"

struct scrub_form {              /* a text that says a secret */
	const char *placeholder; /* {auth:NAME} */
	struct strbuf text;      /* wiped */
	uint8_t kind;
	bool head, tail; /* base64: the secret begins, or ends, within the digit before, or behind */
};
struct scrub {
	struct scrub_form *v;
	size_t n;
	bool starts[256]; /* bytes that may begin one */
};
/* Reads the secrets of the list. A secret shorter than four bytes is GLANE_E_CONFIG: it would be found everywhere. */
glane_rc scrub_init(struct scrub *s, struct arena *a, const struct fetch_secret *specs, size_t n, struct diag *d);
void scrub_release(struct scrub *s); /* zeroes */
/*
 * Appends the text to b (NULL: only counts) with each secret replaced: as it is, in hexadecimal digits, or in base64 of either alphabet,
 * also of a text that holds it; each of them with any of its bytes written as percent, backslash or character escapes, inside one
 * another (JSON in CSV, a URL in a URL), with doubled quotes, with + for a blank. Of a secret that is a Basic token also the text that
 * it decodes to, and the password. Returns how many there were.
 */
size_t scrub_text(const struct scrub *s, struct slice text, struct strbuf *b);
#endif
