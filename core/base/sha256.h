/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4) by libcrypto; the only file that includes OpenSSL is sha256.c. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H
#include "base/diag.h"
#include "base/slice.h"

struct sha256 {
	void *ctx;
};
#define SHA256_HEX 65               /* 64 lower-case digits and NUL */
bool sha256_init(struct sha256 *h); /* false: no memory */
bool sha256_add(struct sha256 *h, const void *p, size_t n);
bool sha256_end(struct sha256 *h, char hex[SHA256_HEX]); /* also releases */
void sha256_release(struct sha256 *h);
bool sha256_of(struct slice s, char hex[SHA256_HEX]);
glane_rc sha256_fd(int fd, char hex[SHA256_HEX], struct diag *d); /* from offset 0, whole file */
bool is_sha256_hex(struct slice s);
#endif
