/* SPDX-License-Identifier: MIT */
/* The secrets of a source: read for one transfer, put where a placeholder asks for them, struck out of every message, zeroed. */
#ifndef NET_FETCH_SECRET_H
#define NET_FETCH_SECRET_H
#include "base/diag.h"
#include "base/strbuf.h"
#include "net/fetch.h"
#include "net/secret_find.h"

struct secret_text {
	const char *name;             /* borrowed from the policy */
	struct strbuf plain, encoded; /* as it is; percent-encoded */
};
struct secrets { /* all of a policy, in its order */
	struct secret {
		bool is_read;
		struct secret_text text;
	} * v;
	size_t n;
	struct secret_finder finder; /* of those that were read */
};
/* How a secret is written at its place. */
#define SECRET_PLAIN 0
#define SECRET_PERCENT 1 /* URL, form */
#define SECRET_JSON 2    /* inside a JSON string */

/* Reads one; on success t is to be wiped by its owner. */
glane_rc secret_load(struct secret_text *t, const struct fetch_secret *spec, struct diag *d);
/* Reads all that can be read, so that none is overlooked where it comes back; one that cannot is a failure where it is asked for. */
glane_rc secrets_load(struct secrets *s, const struct fetch_policy *p, struct diag *d);
void secrets_release(struct secrets *s);    /* zeroes */
bool secret_wanted(struct slice template_); /* does it hold "{auth:"? */
/* Appends the template with its placeholders replaced. A secret that is unknown, missing, empty, readable by others or
 * holds control bytes is GLANE_E_CONFIG. */
glane_rc secret_fill(struct strbuf *b, struct slice template_, unsigned how, struct secrets *s,
	const struct fetch_policy *p, struct diag *d);
/* All of a list for the finder; one that cannot be read, or is shorter than SECRET_SHORTEST, is GLANE_E_CONFIG. */
glane_rc secret_finder_load(struct secret_finder *f, const struct fetch_secret *specs, size_t n, struct diag *d);
/* The other way round: appends the text with the placeholder in place of every secret that is written in it. Returns how many. */
size_t secret_hide(struct strbuf *b, struct slice text, const struct secrets *s);
bool secret_leaks(const struct secrets *s, struct slice text); /* does the text hold one, in any form? */
/* Replaces every secret in the text, in any form, by "***". */
void secret_scrub(const struct secrets *s, struct strbuf *text);
/* And cuts it behind the first `head` bytes of what it was: what is cut first may end within a secret, which nobody knows again. */
void secret_scrub_head(const struct secrets *s, struct strbuf *text, size_t head);
void secret_wipe(struct strbuf *b); /* zeroes and releases */
#endif
