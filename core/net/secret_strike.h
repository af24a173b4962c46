/* SPDX-License-Identifier: MIT */
/* Secrets out of a body that was received whole, before anybody else sees it; in steps, since who does it serves others too. */
#ifndef NET_SECRET_STRIKE_H
#define NET_SECRET_STRIKE_H
#include "base/sha256.h"
#include "net/fetch.h"

/* Bytes; a shorter secret may be a word of the data, or, of nothing but digits, one of its numbers. */
#define SECRET_STRIKE_SHORTEST 8
#define SECRET_STRIKE_DIGITS 16

struct struck {
	size_t n; /* writings of secrets; 0: the body stays as it is, and nothing else is set */
	int fd;   /* the body with {auth:NAME} in their place: read-only, offset 0; of whoever called */
	uint64_t size;
	char sha256[SHA256_HEX];
};
struct strike;
/*
 * Begins to look through a body, which stays as it is meanwhile; the policy is borrowed, body_fd is not needed any more. *ret NULL: there
 * is nothing to do: no secret is known, or it is an archive (zip, 7z, gzip), which is not looked into. `sent` (NULL: none): secrets that
 * it was asked with, which may be others by now.
 */
struct secrets;
glane_rc strike_begin(const struct fetch_policy *p, const struct secrets *sent, int body_fd, uint64_t size, int tmp_dir,
	struct strike **ret, struct diag *d);
/* Looks through some `bytes` more of it (each is read twice where there is a secret). *ret is set once it is through. */
glane_rc strike_some(struct strike *s, size_t bytes, bool *ret_through, struct struck *ret, struct diag *d);
void strike_free(struct strike *s); /* NULL is fine; secrets are zeroed */
#endif
