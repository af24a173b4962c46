/* SPDX-License-Identifier: MIT */
/* The ways in which a secret may be written by somebody who sends it back. */
#ifndef NET_SECRET_FORMS_H
#define NET_SECRET_FORMS_H
#include "base/slice.h"

#include <stdbool.h>

#define SECRET_SHORTEST 4 /* bytes; shorter ones are found nowhere: they would be hit by chance */

/* Bytes at the beginning of the text that are the secret, as it is or with any of its bytes written as percent escapes (also of percent
 * escapes), '+' for a blank, escapes of JSON (\/ \u0041), character references of HTML and XML, or doubled quotes; 0: none. */
size_t secret_written(struct slice text, struct slice secret);

struct secret_forms { /* of one secret, in base64 */
	struct base64_form {
		char *p; /* NULL: none */
		size_t n;
	} base64[3]; /* by its first byte's place among three, without the characters that its neighbours have a share in */
};
bool secret_forms_init(struct secret_forms *f, struct slice secret); /* false: no memory */
void secret_forms_release(struct secret_forms *f);                   /* zeroes */
/* Bytes at the beginning of the text that are the secret in base64, in either alphabet; 0: none. */
size_t secret_in_base64(const struct secret_forms *f, struct slice text);
#endif
