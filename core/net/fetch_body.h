/* SPDX-License-Identifier: MIT */
/* A body on its way to a file: decoded, counted against its caps, hashed, its last bytes kept. */
#ifndef NET_FETCH_BODY_H
#define NET_FETCH_BODY_H
#include "base/sha256.h"
#include "net/fetch_decode.h"

#define BODY_TAIL 64
struct fetch_body {
	int fd; /* -1: not begun */
	unsigned coding;
	struct decoder *decoder; /* NULL for CODING_NONE */
	struct sha256 hash;
	uint64_t wire, size, max; /* bytes received, decoded, allowed of either */
	size_t n_tail;
	char tail[BODY_TAIL];
};
#define FETCH_BODY_NONE ((struct fetch_body){.fd = -1})

glane_rc fetch_body_begin(struct fetch_body *b, int tmp_dir, unsigned coding, uint64_t max, struct diag *d);
/* GLANE_E_LIMIT at a cap, GLANE_E_FORMAT for damage, GLANE_E_IO for our own disk. */
glane_rc fetch_body_add(struct fetch_body *b, const char *p, size_t n, struct diag *d);
/* Demands the end of the stream and gives the hash of what was decoded. */
glane_rc fetch_body_end(struct fetch_body *b, char sha256[SHA256_HEX], struct diag *d);
void fetch_body_release(struct fetch_body *b);
#endif
