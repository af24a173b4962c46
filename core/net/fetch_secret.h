/* SPDX-License-Identifier: MIT */
/* Secrets of one transfer: read when a placeholder asks for them, put into what is sent, struck out of every message, zeroed. */
#ifndef NET_FETCH_SECRET_H
#define NET_FETCH_SECRET_H
#include "base/diag.h"
#include "base/strbuf.h"
#include "net/fetch.h"

#define SECRETS 8 /* of one request */
struct secret_text {
	const char *name;             /* borrowed from the policy */
	struct strbuf plain, encoded; /* as it is; percent-encoded */
};
struct secrets {
	struct secret_text v[SECRETS];
	size_t n;
};
/* How a secret is written at its place. */
#define SECRET_PLAIN 0
#define SECRET_PERCENT 1 /* URL, form */
#define SECRET_JSON 2    /* inside a JSON string */

/* Reads one; on success t is to be wiped by its owner. */
glane_rc secret_load(struct secret_text *t, const struct fetch_secret *spec, struct diag *d);
bool secret_wanted(struct slice template_); /* does it hold "{auth:"? */
/* Appends the template with its placeholders replaced. A secret that is unknown, missing, empty, readable by others or
 * holds control bytes is GLANE_E_CONFIG. */
glane_rc secret_fill(struct strbuf *b, struct slice template_, unsigned how, struct secrets *s,
	const struct fetch_policy *p, struct diag *d);
bool secret_leaks(const struct secrets *s, struct slice text); /* does the text hold one, plainly or encoded? */
/* Replaces every secret in the text by "***". Texts of fewer than four bytes are left: they would hit by chance. */
void secret_scrub(const struct secrets *s, struct strbuf *text);
void secret_release(struct secrets *s); /* zeroes */
void secret_wipe(struct strbuf *b);     /* zeroes and releases */
#endif
