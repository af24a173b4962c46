/* SPDX-License-Identifier: MIT */
/* Bit packing, RLE and DELTA_BINARY_PACKED, reading: parquet-format Encodings.md. Bytes are hostile. */
#include "store/parquet_bits.h"

#include "store/parquet_format.h"

static bool get_varint(const unsigned char **p, const unsigned char *end, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
		unsigned byte = *(*p)++;

		if (shift == 63 && byte > 1)
			return false;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = v;
			return true;
		}
	}
	return false;
}

static uint64_t get_le(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	if (n >= 8) {
		memcpy(&v, p, 8);
		return v; /* little endian: parquet_format.h */
	}
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

/* The next n values of `bits` (1..32) bits from *p, of which *at bits are taken; they are known to be there. */
static inline __attribute__((always_inline)) void unpack(
	const unsigned char **p, const unsigned char *end, unsigned *at, uint32_t *v, size_t n, unsigned bits)
{
	const uint64_t mask = (UINT64_C(1) << bits) - 1;
	const unsigned char *q = *p;
	unsigned skip = *at;
	size_t i = 0;

	for (; i < n && end - q >= 8; i++) {
		uint64_t word;

		memcpy(&word, q, 8);
		v[i] = (uint32_t)(word >> skip & mask);
		skip += bits;
		q += skip / 8;
		skip %= 8;
	}
	for (; i < n; i++) {
		v[i] = (uint32_t)(get_le(q, (size_t)(end - q)) >> skip & mask);
		skip += bits;
		q += skip / 8;
		skip %= 8;
	}
	*p = q;
	*at = skip;
}

bool hybrid_open(struct hybrid *h, const char *p, size_t n, unsigned bits)
{
	*h = (struct hybrid){.p = (const unsigned char *)p, .bits = bits};
	h->end = h->p + n;
	return bits <= 32;
}

/* The next run's header and, for RLE, value. */
static bool next_run(struct hybrid *h)
{
	size_t bytes = (h->bits + 7) / 8;
	uint64_t head, groups;

	if (h->at) { /* the rest of the last byte was padding */
		h->p++;
		h->at = 0;
	}
	if (!get_varint(&h->p, h->end, &head) || head < 2)
		return false;
	h->is_packed = head & 1;
	if (!h->is_packed) {
		if ((size_t)(h->end - h->p) < bytes)
			return false;
		h->value = (uint32_t)get_le(h->p, bytes);
		h->left = head >> 1;
		h->p += bytes;
		return h->bits == 32 || h->value >> h->bits == 0;
	}
	groups = head >> 1;
	if (h->bits && groups > (uint64_t)(h->end - h->p) / h->bits) {
		/* Some writers cut the padding of the last group off. */
		groups = (uint64_t)(h->end - h->p) * 8 / h->bits;
		h->left = groups;
		return groups > 0;
	}
	if (groups > UINT64_MAX / 8)
		return false;
	h->left = groups * 8;
	return true;
}

static void unpack_run(struct hybrid *h, uint32_t *v, size_t n)
{
	switch (h->bits) {
	case 0:
		memset(v, 0, n * sizeof(*v));
		break;
	case 1:
		unpack(&h->p, h->end, &h->at, v, n, 1);
		break;
	case 8:
		unpack(&h->p, h->end, &h->at, v, n, 8);
		break;
	default:
		unpack(&h->p, h->end, &h->at, v, n, h->bits);
	}
}

/* Moves on to a run with something in it. */
static bool have_run(struct hybrid *h)
{
	return h->left || next_run(h);
}

bool hybrid_get(struct hybrid *h, uint32_t *v, size_t n, bool *ret_same)
{
	*ret_same = false;
	if (n && !have_run(h))
		return false;
	if (n && !h->is_packed && h->left >= n) {
		v[0] = h->value;
		h->left -= n;
		*ret_same = true;
		return true;
	}
	for (size_t i = 0; i < n;) {
		size_t some = n - i;

		if (!have_run(h))
			return false;
		some = h->left < some ? (size_t)h->left : some;
		if (h->is_packed)
			unpack_run(h, v + i, some);
		else
			for (size_t k = 0; k < some; k++)
				v[i + k] = h->value;
		h->left -= some;
		i += some;
	}
	return true;
}

bool hybrid_get_levels(struct hybrid *h, uint8_t *v, size_t n, bool *ret_same)
{
	bool all_same = true;

	for (size_t i = 0; i < n;) {
		uint32_t wide[256];
		size_t some = n - i;
		bool same;

		if (!have_run(h))
			return false;
		if (!h->is_packed) {
			some = h->left < some ? (size_t)h->left : some;
			all_same = all_same && some == n;
			memset(v + i, (int)(h->value & 0xff), some);
			h->left -= some;
		} else {
			some = some < 256 ? some : 256;
			some = h->left < some ? (size_t)h->left : some;
			all_same = false;
			if (!hybrid_get(h, wide, some, &same))
				return false;
			for (size_t k = 0; k < some; k++)
				v[i + k] = (uint8_t)wide[k];
		}
		i += some;
	}
	*ret_same = all_same;
	return true;
}

bool hybrid_skip(struct hybrid *h, uint64_t n)
{
	while (n) {
		uint64_t some;

		if (!have_run(h))
			return false;
		some = h->left < n ? h->left : n;
		if (h->is_packed) { /* next_run() has seen that the bytes of the run are there */
			uint64_t bits = h->at + some * h->bits;

			h->p += bits / 8;
			h->at = (unsigned)(bits % 8);
		}
		h->left -= some;
		n -= some;
	}
	return true;
}

static bool get_zigzag(struct delta *d, uint64_t *ret)
{
	uint64_t v;

	if (!get_varint(&d->p, d->end, &v))
		return false;
	*ret = v >> 1 ^ (0 - (v & 1));
	return true;
}

bool delta_open(struct delta *d, const char *p, size_t n, bool is_32, uint64_t *ret_n)
{
	*d = (struct delta){.p = (const unsigned char *)p, .is_32 = is_32, .is_first = true};
	d->end = d->p + n;
	if (!get_varint(&d->p, d->end, &d->block) || !get_varint(&d->p, d->end, &d->minis) ||
		!get_varint(&d->p, d->end, &d->left) || !get_zigzag(d, &d->last))
		return false;
	/* "block size is a multiple of 128", a miniblock's of 32; more than 2^20 is nobody's. */
	if (d->block == 0 || d->block % 128 || d->block > 1 << 20 || d->minis == 0 || d->block % d->minis ||
		d->block / d->minis % 32)
		return false;
	d->mini = d->minis;
	*ret_n = d->left;
	return true;
}

/* The next miniblock, and before the first of a block its head. */
static bool next_mini(struct delta *d)
{
	uint64_t size = d->block / d->minis;

	if (d->mini == d->minis) {
		if (!get_zigzag(d, &d->min) || (size_t)(d->end - d->p) < d->minis)
			return false;
		d->widths = d->p;
		d->p += d->minis;
		d->mini = 0;
	}
	/* Also the last miniblock is whole ("padded"). */
	if (d->widths[d->mini] > 64 || (uint64_t)(d->end - d->p) * 8 < size * d->widths[d->mini])
		return false;
	d->mini++;
	d->mini_left = size;
	d->at = 0;
	return true;
}

static uint64_t get_wide(struct delta *d, unsigned bits)
{
	size_t left = (size_t)(d->end - d->p);
	uint64_t v = get_le(d->p, left) >> d->at;

	if (d->at + bits > 64)
		v |= (uint64_t)d->p[8] << 1 << (63 - d->at); /* at is 1 to 7 here */
	if (bits < 64)
		v &= (UINT64_C(1) << bits) - 1;
	d->at += bits;
	d->p += d->at / 8;
	d->at %= 8;
	return v;
}

bool delta_get(struct delta *d, int64_t *v, size_t n)
{
	if (n > d->left)
		return false;
	for (size_t i = 0; i < n; i++, d->left--) {
		if (d->is_first) {
			d->is_first = false;
		} else {
			unsigned bits;

			if (d->mini_left == 0 && !next_mini(d))
				return false;
			bits = d->widths[d->mini - 1];
			d->last += d->min + (bits ? get_wide(d, bits) : 0);
			d->mini_left--;
		}
		v[i] = d->is_32 ? (int32_t)(uint32_t)d->last : (int64_t)d->last;
	}
	return true;
}
