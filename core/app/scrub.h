/* SPDX-License-Identifier: MIT */
/* Striking the secrets of a source out of what is recorded: in their place stands the placeholder that a plugin writes. */
#ifndef APP_SCRUB_H
#define APP_SCRUB_H
#include "net/fetch_secret.h"

struct scrub_secret {
	const char *placeholder;     /* {auth:NAME} */
	struct strbuf plain, base64; /* wiped */
};
struct scrub {
	struct scrub_secret *v;
	size_t n;
};
/* Reads the secrets of the list. A secret shorter than four bytes is GLANE_E_CONFIG: it would be found everywhere. */
glane_rc scrub_init(struct scrub *s, struct arena *a, const struct fetch_secret *specs, size_t n, struct diag *d);
void scrub_release(struct scrub *s); /* zeroes */
/* Appends the text to b with each secret replaced: as it is, in base64, or with any of its bytes written as percent, backslash or
 * character escapes, XML entities or doubled quotes (JSON in CSV, ...). Returns how many there were. */
size_t scrub_text(const struct scrub *s, struct slice text, struct strbuf *b);
#endif
