/* SPDX-License-Identifier: MIT */
/* gzip and deflate with the end of the stream proven: checksum, length, nothing cut, nothing behind it. By zlib; the
 * only file that includes it is inflate.c. */
#ifndef BASE_INFLATE_H
#define BASE_INFLATE_H
#include "base/diag.h"
#include "base/slice.h"

#define INFLATE_GZIP 1    /* RFC 1952, one or more members */
#define INFLATE_DEFLATE 2 /* RFC 1950, or the bare RFC 1951 that some web servers send */

struct inflater;
struct inflater *inflater_new(int form); /* NULL: no memory */
void inflater_free(struct inflater *z);  /* NULL is fine */
/* Decompresses from *in, which it shortens, until it is empty or `cap` bytes (at least 1) stand in out; *ret_n: how
 * many. Damage and bytes behind the end are GLANE_E_FORMAT. Only where *ret_n < cap has all that *in holds come out. */
glane_rc inflater_add(struct inflater *z, struct slice *in, char *out, size_t cap, size_t *ret_n, struct diag *d);
/* GLANE_E_FORMAT unless the stream has reached its own end. */
glane_rc inflater_end(const struct inflater *z, struct diag *d);

/* CRC-32 as gzip has it (RFC 1952 8), of one block. */
uint32_t crc32_of(struct slice s);
#endif
