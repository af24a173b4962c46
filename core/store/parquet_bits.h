/* SPDX-License-Identifier: MIT */
/* The value encodings of parquet-format Encodings.md that pack bits; for parquet_*.c only. */
#ifndef STORE_PARQUET_BITS_H
#define STORE_PARQUET_BITS_H
#include "base/strbuf.h"

/* Appends n values below 2^bits as "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)", without a length in front. */
void bits_put_hybrid(struct strbuf *b, const uint32_t *v, size_t n, unsigned bits);
/* The same of bytes. */
void bits_put_levels(struct strbuf *b, const uint8_t *v, size_t n, unsigned bits);
/* Appends n values as "Delta Encoding (DELTA_BINARY_PACKED = 5)" of INT64 or, where they are of 32 bits, INT32. */
void bits_put_delta(struct strbuf *b, const int64_t *v, size_t n, bool is_32);
/* Appends n bytes of 0 and 1 as "Plain: BOOLEAN". */
void bits_put_flags(struct strbuf *b, const int64_t *v, size_t n);

/* Reading. Every call gives exactly what was asked for, or false: damaged. */
struct hybrid {
	const unsigned char *p, *end;
	unsigned bits;
	bool is_packed;
	uint32_t value; /* of an RLE run */
	uint64_t left;  /* values of the present run */
	unsigned at;    /* bits taken of *p, bit-packed runs */
};
bool hybrid_open(struct hybrid *h, const char *p, size_t n, unsigned bits);
/* *ret_same: all n values come from one run, and only v[0] was written. */
bool hybrid_get(struct hybrid *h, uint32_t *v, size_t n, bool *ret_same);
/* Values below 2^8, all written. *ret_same as above: they are known to be equal. */
bool hybrid_get_levels(struct hybrid *h, uint8_t *v, size_t n, bool *ret_same);
/* Passes n values over. */
bool hybrid_skip(struct hybrid *h, uint64_t n);

struct delta {
	const unsigned char *p, *end;
	uint64_t left, block, minis; /* values to come; values per block; miniblocks per block */
	uint64_t mini_left, mini;    /* values left in the present miniblock; its number */
	const unsigned char *widths;
	uint64_t last, min;
	unsigned at; /* bits taken of *p */
	bool is_first, is_32;
};
/* *ret_n: how many values the data claims. */
bool delta_open(struct delta *d, const char *p, size_t n, bool is_32, uint64_t *ret_n);
bool delta_get(struct delta *d, int64_t *v, size_t n);
#endif
