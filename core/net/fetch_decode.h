/* SPDX-License-Identifier: MIT */
/* Content-Encoding undone by us: libcurl would not notice a missing end. */
#ifndef NET_FETCH_DECODE_H
#define NET_FETCH_DECODE_H
#include "base/diag.h"
#include "base/slice.h"

#define CODING_NONE 0
#define CODING_GZIP 1    /* RFC 1952, one or more members */
#define CODING_DEFLATE 2 /* RFC 1950, or the bare RFC 1951 that some servers send */
#define CODING_UNKNOWN 3

struct decoder;
typedef glane_rc decoder_sink(void *arg, const char *p, size_t n, struct diag *d);

/* The value of a Content-Encoding header; chained codings are unknown. */
unsigned coding_of(struct slice value);
struct decoder *decoder_new(unsigned coding); /* NULL: no memory */
void decoder_free(struct decoder *z);
/* Decodes all n bytes; the sink gets what comes out, in pieces of at most 64 KiB. Damage and bytes after the end are
 * GLANE_E_FORMAT; a failure of the sink is returned as it is. */
glane_rc decoder_add(struct decoder *z, const char *p, size_t n, decoder_sink *sink, void *arg, struct diag *d);
/* GLANE_E_FORMAT unless the stream has reached its own end. */
glane_rc decoder_end(const struct decoder *z, struct diag *d);
#endif
