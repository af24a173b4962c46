/* SPDX-License-Identifier: MIT */
/* Bit packing, RLE and DELTA_BINARY_PACKED, writing: parquet-format Encodings.md. */
#include "store/parquet_bits.h"

#include "store/thrift.h"

#define DELTA_BLOCK 128 /* a multiple of 128 */
#define DELTA_MINIS 4
#define DELTA_MINI (DELTA_BLOCK / DELTA_MINIS) /* a multiple of 32 */

static void put_le(char *to, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (char)(v >> 8 * i);
}

/* Eight values into `bits` bytes, least significant bit first; inlined with a constant it is a row of shifts. */
static inline __attribute__((always_inline)) void pack8(char *to, const uint32_t *v, unsigned bits)
{
	uint64_t have = 0;
	unsigned n = 0;

#pragma GCC unroll 8
	for (unsigned i = 0; i < 8; i++) {
		have |= (uint64_t)v[i] << n;
		n += bits;
		if (n >= 32) {
			put_le(to, have, 4);
			to += 4;
			have >>= 32;
			n -= 32;
		}
	}
	put_le(to, have, n / 8);
}

#define PACK(width)                                                                                                    \
	case (width):                                                                                                  \
		for (; n; n--, v += 8, to += (width))                                                                  \
			pack8(to, v, width);                                                                           \
		break

/* n groups of eight. */
static void pack_groups(char *to, const uint32_t *v, size_t n, unsigned bits)
{
	switch (bits) {
		PACK(1);
		PACK(2);
		PACK(3);
		PACK(4);
		PACK(5);
		PACK(6);
		PACK(7);
		PACK(8);
		PACK(9);
		PACK(10);
		PACK(11);
		PACK(12);
		PACK(13);
		PACK(14);
		PACK(15);
		PACK(16);
	default:
		for (; n; n--, v += 8, to += bits)
			pack8(to, v, bits);
	}
}

/* bit-packed-run := <bit-packed-header> <bit-packed-values>; n is filled up to a multiple of 8 with zeroes. */
static void put_packed(struct strbuf *b, const uint32_t *v, size_t n, unsigned bits)
{
	size_t whole = n / 8, groups = (n + 7) / 8;
	uint32_t tail[8] = {0};
	char *to;

	if (n == 0)
		return;
	thrift_put_varint(b, (uint64_t)groups << 1 | 1);
	to = strbuf_room(b, groups * bits);
	if (!to)
		return;
	pack_groups(to, v, whole, bits);
	if (groups > whole) {
		memcpy(tail, v + whole * 8, (n - whole * 8) * sizeof(*v));
		pack_groups(to + whole * bits, tail, 1, bits);
	}
	b->n += groups * bits;
}

/* rle-run := <rle-header> <repeated-value>. */
static void put_run(struct strbuf *b, uint32_t v, size_t n, unsigned bits)
{
	char text[4];
	unsigned bytes = (bits + 7) / 8;

	thrift_put_varint(b, (uint64_t)n << 1);
	put_le(text, v, bytes);
	strbuf_add(b, text, bytes);
}

static size_t run_at(const uint32_t *v, size_t i, size_t n)
{
	size_t end = i + 1;

	while (end < n && v[end] == v[i])
		end++;
	return end - i;
}

void bits_put_hybrid(struct strbuf *b, const uint32_t *v, size_t n, unsigned bits)
{
	/* A run costs its header, its value and the header of what follows it. */
	size_t i = 0, from = 0, worth = bits == 0 ? 1 : bits < 5 ? 40 / bits : 8;

	while (i < n) {
		size_t run = run_at(v, i, n), lead = (8 - (i - from) % 8) % 8;

		/* Packed values go in eights: the first of the run fill up the last eight. */
		if (run >= lead + worth) {
			put_packed(b, v + from, i + lead - from, bits);
			put_run(b, v[i], run - lead, bits);
			from = i + run;
		}
		i += run;
	}
	put_packed(b, v + from, n - from, bits);
}

/* put_packed() of bytes. */
static void put_packed_levels(struct strbuf *b, const uint8_t *v, size_t n, unsigned bits)
{
	size_t groups = (n + 7) / 8;
	char *to;

	if (n == 0)
		return;
	thrift_put_varint(b, (uint64_t)groups << 1 | 1);
	to = strbuf_room(b, groups * bits);
	if (!to)
		return;
	for (size_t g = 0; g < groups; g++, to += bits) {
		uint32_t wide[8] = {0};

		for (size_t i = 0; i < 8 && g * 8 + i < n; i++)
			wide[i] = v[g * 8 + i];
		pack_groups(to, wide, 1, bits);
	}
	b->n += groups * bits;
}

void bits_put_levels(struct strbuf *b, const uint8_t *v, size_t n, unsigned bits)
{
	size_t i = 0, from = 0;

	while (i < n) {
		size_t run = 1, lead = (8 - (i - from) % 8) % 8;

		while (i + run < n && v[i + run] == v[i])
			run++;
		if (run >= lead + 24) {
			put_packed_levels(b, v + from, i + lead - from, bits);
			put_run(b, v[i], run - lead, bits);
			from = i + run;
		}
		i += run;
	}
	put_packed_levels(b, v + from, n - from, bits);
}

void bits_put_flags(struct strbuf *b, const int64_t *v, size_t n)
{
	char *to = strbuf_room(b, (n + 7) / 8);

	if (!to)
		return;
	memset(to, 0, (n + 7) / 8);
	for (size_t i = 0; i < n; i++)
		to[i / 8] = (char)((unsigned char)to[i / 8] | (v[i] != 0) << i % 8);
	b->n += (n + 7) / 8;
}

static void put_zigzag(struct strbuf *b, int64_t v)
{
	thrift_put_varint(b, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

/* One miniblock: DELTA_MINI values of up to 64 bits. */
static void pack_wide(char *to, const uint64_t *v, unsigned bits)
{
	uint64_t have = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < DELTA_MINI; i++) {
		have |= v[i] << n;
		if (n + bits < 64) {
			n += bits;
			continue;
		}
		put_le(to, have, 8);
		to += 8;
		have = n ? v[i] >> (64 - n) : 0;
		n = n + bits - 64;
	}
	put_le(to, have, n / 8);
}

/* block := <min delta> <list of bitwidths of miniblocks> <miniblocks>; n deltas, fewer in the last block only. */
static void put_block(struct strbuf *b, uint64_t *v, size_t n, bool is_32)
{
	int64_t min = INT64_MAX;
	char *widths;
	size_t at;

	for (size_t i = 0; i < n; i++)
		min = (int64_t)v[i] < min ? (int64_t)v[i] : min;
	put_zigzag(b, min);
	at = b->n;
	strbuf_add(b, "\0\0\0\0", DELTA_MINIS);
	for (size_t i = 0; i < DELTA_BLOCK; i++) /* what is beyond n packs as zeroes */
		v[i] = i < n ? (is_32 ? (uint32_t)(v[i] - (uint64_t)min) : v[i] - (uint64_t)min) : 0;
	for (size_t m = 0; m < DELTA_MINIS && m * DELTA_MINI < n; m++) {
		uint64_t all = 0;
		unsigned bits = 0;
		char *to;

		for (size_t i = 0; i < DELTA_MINI; i++)
			all |= v[m * DELTA_MINI + i];
		for (; all; all >>= 1)
			bits++;
		to = strbuf_room(b, (size_t)bits * DELTA_MINI / 8);
		if (!to)
			return;
		pack_wide(to, v + m * DELTA_MINI, bits);
		b->n += (size_t)bits * DELTA_MINI / 8;
		widths = b->p + at;
		widths[m] = (char)bits;
	}
}

void bits_put_delta(struct strbuf *b, const int64_t *v, size_t n, bool is_32)
{
	uint64_t delta[DELTA_BLOCK];
	size_t i = 1, some;

	thrift_put_varint(b, DELTA_BLOCK);
	thrift_put_varint(b, DELTA_MINIS);
	thrift_put_varint(b, n);
	put_zigzag(b, n ? v[0] : 0);
	for (; i < n; i += some) {
		some = n - i < DELTA_BLOCK ? n - i : DELTA_BLOCK;
		/* "overflow in subtraction is a part of it": modulo 2^32 for INT32. */
		for (size_t k = 0; k < some; k++) {
			uint64_t diff = (uint64_t)v[i + k] - (uint64_t)v[i + k - 1];

			delta[k] = is_32 ? (uint64_t)(int64_t)(int32_t)(uint32_t)diff : diff;
		}
		put_block(b, delta, some, is_32);
	}
}
