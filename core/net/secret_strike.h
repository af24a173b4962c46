/* SPDX-License-Identifier: MIT */
/* Secrets out of a body that was received whole, before anybody else sees it. */
#ifndef NET_SECRET_STRIKE_H
#define NET_SECRET_STRIKE_H
#include "base/sha256.h"
#include "net/fetch.h"

/* Bytes; a shorter secret may be a word of the data, or, of nothing but digits, one of its numbers. */
#define SECRET_STRIKE_SHORTEST 8
#define SECRET_STRIKE_DIGITS 16

struct struck {
	size_t n; /* writings of secrets; 0: the body stays as it is, and nothing else is set */
	int fd;   /* the body with {auth:NAME} in their place: read-only, offset 0 */
	uint64_t size;
	char sha256[SHA256_HEX];
};
/* An archive (zip, 7z, gzip) is not looked into, and stays. */
glane_rc secret_strike(
	const struct fetch_policy *p, int body_fd, uint64_t size, int tmp_dir, struct struck *ret, struct diag *d);
#endif
