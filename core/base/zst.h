/* SPDX-License-Identifier: MIT */
/* zstd (RFC 8878) between descriptors and in memory; the only file that includes zstd.h is zst.c. */
#ifndef BASE_ZST_H
#define BASE_ZST_H
#include "base/diag.h"
#include "base/sha256.h"
#include "base/slice.h"

/* Compresses all of `in` (from offset 0) to `out`, level 3, with checksum. */
glane_rc zst_compress(int in, int out, struct diag *d);
/* Decompresses one or more frames; more than max bytes is GLANE_E_LIMIT, a cut or damaged stream GLANE_E_FORMAT. */
glane_rc zst_decompress(int in, int out, uint64_t max, struct diag *d);
/* The SHA-256 of what it would give; writes nothing. */
glane_rc zst_sha256(int in, uint64_t max, char hex[SHA256_HEX], struct diag *d);

/* In memory, one frame at a time, with a context that is kept: for blocks that somebody else checksums. */
struct zst_packer;
struct zst_unpacker;
struct zst_packer *zst_packer_new(int level); /* NULL: no memory, or no such level */
void zst_packer_free(struct zst_packer *z);   /* NULL is fine */
size_t zst_bound(size_t n);                   /* bytes that n bytes need at most when packed; 0: too many */
/* *ret_n: bytes written to out. cap is at least zst_bound(in.n). */
glane_rc zst_pack(struct zst_packer *z, struct slice in, char *out, size_t cap, size_t *ret_n, struct diag *d);
struct zst_unpacker *zst_unpacker_new(void); /* NULL: no memory */
void zst_unpacker_free(struct zst_unpacker *z);
/* False: n bytes cannot come out of so many packed ones, whatever they are (RFC 8878 3.1.1.2: a block of 4 bytes gives
 * at most 128 KiB). To be asked before memory is taken for them. */
bool zst_plausible(size_t packed, size_t n);
/* Exactly n bytes into out; anything else is GLANE_E_FORMAT. */
glane_rc zst_unpack(struct zst_unpacker *z, struct slice in, char *out, size_t n, struct diag *d);
#endif
