/* SPDX-License-Identifier: MIT */
/* One error of one run: a code and the message written where the cause is known. Lower layers never print. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H
#include "glane/plugin.h"

struct diag {
	glane_rc code;
	char text[2048]; /* UTF-8, control bytes escaped; cut at a character with "..." */
};

/* Records the first failure (later ones are dropped) and returns `code`; d may be NULL. */
glane_rc fail(struct diag *d, glane_rc code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the message, e.g. a file name and line known only further up. Returns d->code;
 * without a failure nothing changes. d NULL: GLANE_E_USAGE. */
glane_rc diag_prefix(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void diag_clear(struct diag *d);
/* "fetch", "format", ...: the word of a code in reports. */
const char *rc_name(glane_rc code);
#endif
