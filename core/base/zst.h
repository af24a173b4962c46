/* SPDX-License-Identifier: MIT */
/* zstd (RFC 8878) between descriptors; the only file that includes zstd.h is zst.c. */
#ifndef BASE_ZST_H
#define BASE_ZST_H
#include "base/diag.h"

/* Compresses all of `in` (from offset 0) to `out`, level 3, with checksum. */
glane_rc zst_compress(int in, int out, struct diag *d);
/* Decompresses one or more frames; more than max bytes is GLANE_E_LIMIT, a cut or damaged stream GLANE_E_FORMAT. */
glane_rc zst_decompress(int in, int out, uint64_t max, struct diag *d);
#endif
