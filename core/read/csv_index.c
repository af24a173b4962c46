/* SPDX-License-Identifier: MIT */
/* The structural scan of CSV, in four widths; see csv_index.h. */
#include "read/csv_index.h"
#include <string.h>
#if defined(__x86_64__)
/* The compilers' header defines _mm_malloc(), which is not used here, with calls that base/banned.h forbids. */
#pragma push_macro("malloc")
#pragma push_macro("free")
#undef malloc
#undef free
#include <immintrin.h>
#pragma pop_macro("malloc")
#pragma pop_macro("free")
#endif

struct masks { /* bit i: byte i of the block is ... */
	uint64_t delimiter, lf, cr, quote;
	uint64_t nul, high; /* high: 0x80 and above */
};

/* Bytes of the well-formed sequence at p (Unicode 15, table 3-7), 0 where it is none; p[0] >= 0x80. Reads up to 4. */
static size_t utf8_length(const unsigned char *p)
{
	unsigned lead = p[0];

	if (lead < 0xE0)
		return lead >= 0xC2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
	if ((p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
		return 0;
	if (lead < 0xF0)
		return (lead == 0xE0 && p[1] < 0xA0) || (lead == 0xED && p[1] >= 0xA0) ? 0 : 3;
	if (lead > 0xF4 || (p[3] & 0xC0) != 0x80)
		return 0;
	return (lead == 0xF0 && p[1] < 0x90) || (lead == 0xF4 && p[1] >= 0x90) ? 0 : 4;
}

/* The bit of the first malformed sequence that begins in the block, else 0. */
static uint64_t utf8_block(struct csv_index *x, const unsigned char *p, uint64_t high)
{
	size_t i = x->utf8_skip;

	x->utf8_skip = 0;
	high &= ~UINT64_C(0) << i;
	while (high) {
		size_t n;

		i = (size_t)__builtin_ctzll(high);
		n = utf8_length(p + i);
		if (n == 0)
			return UINT64_C(1) << i;
		if (i + n >= 64) {
			x->utf8_skip = (uint32_t)(i + n - 64);
			return 0;
		}
		high &= ~UINT64_C(0) << (i + n);
	}
	return 0;
}

/* Notes the first error of the block: `bad` has its bit as the lowest one. */
static void block_fail(struct csv_index *x, const unsigned char *p, uint32_t at, uint64_t bad)
{
	size_t i = (size_t)__builtin_ctzll(bad);
	char c = (char)p[i];

	x->error_at = at + i;
	if (c == 0)
		x->error = CSV_NUL;
	else if (p[i] >= 0x80 && utf8_length(p + i) == 0)
		x->error = CSV_UTF8;
	else
		x->error = c == x->quote && x->is_quoting ? CSV_OPEN : CSV_SHUT;
}

static inline uint64_t prefix_parity(uint64_t m)
{
	for (unsigned shift = 1; shift < 64; shift *= 2)
		m ^= m << shift;
	return m;
}

static inline uint64_t count_bits(uint64_t m)
{
	m -= m >> 1 & UINT64_C(0x5555555555555555);
	m = (m & UINT64_C(0x3333333333333333)) + (m >> 2 & UINT64_C(0x3333333333333333));
	m = (m + (m >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
	return m * UINT64_C(0x0101010101010101) >> 56;
}

/* The offsets of the one bits, the lowest first; writes nothing beyond them. */
static inline uint32_t *flatten_each(uint32_t *out, uint32_t at, uint64_t m)
{
	for (; m; m &= m - 1)
		*out++ = at + (uint32_t)__builtin_ctzll(m);
	return out;
}

/* Bit i of the result: byte i of the little-endian word equals that of pattern. */
static inline uint64_t word_equal(uint64_t word, uint64_t pattern)
{
	const uint64_t low = UINT64_C(0x7F7F7F7F7F7F7F7F);
	uint64_t t = word ^ pattern;

	t = ~(((t & low) + low) | t | low); /* 0x80 where t is 0 */
	return (t >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static inline struct masks masks_word(const unsigned char *p, const struct csv_index *x)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t delimiter = ones * (unsigned char)x->delimiter, quote = ones * (unsigned char)x->quote;
	struct masks m = {0};

	for (unsigned i = 0; i < 64; i += 8) {
		uint64_t w;

		memcpy(&w, p + i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		w = __builtin_bswap64(w);
#endif
		m.delimiter |= word_equal(w, delimiter) << i;
		m.lf |= word_equal(w, ones * '\n') << i;
		m.cr |= word_equal(w, ones * '\r') << i;
		m.quote |= word_equal(w, quote) << i;
		m.nul |= word_equal(w, 0) << i;
		m.high |= word_equal(w & ones << 7, ones << 7) << i;
	}
	m.quote = x->is_quoting ? m.quote : 0;
	return m;
}

#define SCAN_NAME scan_word
#define SCAN_TARGET
#define SCAN_MASKS masks_word
#define SCAN_COUNT count_bits
#define SCAN_PREFIX prefix_parity
#define SCAN_FLATTEN flatten_each
#include "read/csv_block.inc"

#if defined(__x86_64__)
static inline uint64_t equal_sse2(const __m128i v[4], __m128i c)
{
	uint64_t m = 0;

	for (unsigned i = 0; i < 4; i++)
		m |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], c)) << i * 16;
	return m;
}

static inline struct masks masks_sse2(const unsigned char *p, const struct csv_index *x)
{
	struct masks m;
	__m128i v[4];

	m.high = 0;
	for (size_t i = 0; i < 4; i++) {
		v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + i * 16));
		m.high |= (uint64_t)(unsigned)_mm_movemask_epi8(v[i]) << i * 16;
	}
	m.delimiter = equal_sse2(v, _mm_set1_epi8(x->delimiter));
	m.lf = equal_sse2(v, _mm_set1_epi8('\n'));
	m.cr = equal_sse2(v, _mm_set1_epi8('\r'));
	m.quote = x->is_quoting ? equal_sse2(v, _mm_set1_epi8(x->quote)) : 0;
	m.nul = equal_sse2(v, _mm_setzero_si128());
	return m;
}

#define SCAN_NAME scan_sse2
#define SCAN_TARGET
#define SCAN_MASKS masks_sse2
#define SCAN_COUNT count_bits
#define SCAN_PREFIX prefix_parity
#define SCAN_FLATTEN flatten_each
#include "read/csv_block.inc"

#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt,pclmul")))
#define INLINE inline __attribute__((always_inline))

static INLINE AVX2 uint64_t equal_avx2(__m256i a, __m256i b, __m256i c)
{
	return (uint64_t)(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, c)) |
	       (uint64_t)(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, c)) << 32;
}

static INLINE AVX2 struct masks masks_avx2(const unsigned char *p, const struct csv_index *x)
{
	const __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
	const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
	const __m256i zero = _mm256_setzero_si256();
	struct masks m = {0};

	m.delimiter = equal_avx2(a, b, _mm256_set1_epi8(x->delimiter));
	m.lf = equal_avx2(a, b, _mm256_set1_epi8('\n'));
	m.cr = equal_avx2(a, b, _mm256_set1_epi8('\r'));
	m.quote = equal_avx2(a, b, _mm256_set1_epi8(x->quote)) & (UINT64_C(0) - x->is_quoting);
	if (_mm256_movemask_epi8(_mm256_or_si256(a, b)))
		m.high = (uint64_t)(unsigned)_mm256_movemask_epi8(a) | (uint64_t)(unsigned)_mm256_movemask_epi8(b)
									       << 32;
	if (_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(a, b), zero)))
		m.nul = equal_avx2(a, b, zero);
	return m;
}

static INLINE AVX2 uint64_t prefix_clmul(uint64_t m)
{
	return (uint64_t)_mm_cvtsi128_si64(
		_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)m), _mm_set1_epi8((char)0xFF), 0));
}

/* Writes in eights without asking how many; at most 8 words beyond the last. */
static INLINE AVX2 uint32_t *flatten_avx2(uint32_t *out, uint32_t at, uint64_t m)
{
	size_t n = (size_t)_mm_popcnt_u64(m);

	for (size_t done = 0;;) {
		for (size_t i = 0; i < 8; i++) {
			out[done + i] = at + (uint32_t)_tzcnt_u64(m);
			m = _blsr_u64(m);
		}
		done += 8;
		if (done >= n)
			return out + n;
	}
}

#define SCAN_NAME scan_avx2
#define SCAN_TARGET AVX2
#define SCAN_MASKS masks_avx2
#define SCAN_COUNT(m) _mm_popcnt_u64(m)
#define SCAN_PREFIX prefix_clmul
#define SCAN_FLATTEN flatten_avx2
#include "read/csv_block.inc"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi,bmi2,popcnt,lzcnt,pclmul")))

static INLINE AVX512 struct masks masks_avx512(const unsigned char *p, const struct csv_index *x)
{
	const __m512i v = _mm512_loadu_si512((const void *)p);
	struct masks m;

	m.delimiter = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(x->delimiter));
	m.lf = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n'));
	m.cr = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\r'));
	m.quote = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(x->quote)) & (UINT64_C(0) - x->is_quoting);
	m.high = _mm512_movepi8_mask(v);
	m.nul = _mm512_testn_epi8_mask(v, v);
	return m;
}

/* Writes 16 words, or 32, 48, 64; at most 16 beyond the last. */
static INLINE AVX512 uint32_t *flatten_avx512(uint32_t *out, uint32_t at, uint64_t m)
{
	const __m512i from = _mm512_set1_epi32((int)at);
	const __m512i iota = _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45,
		44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19,
		18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	__m512i places = _mm512_maskz_compress_epi8(m, iota);
	size_t n = (size_t)_mm_popcnt_u64(m);

	for (size_t done = 0;;) {
		_mm512_storeu_si512((void *)(out + done),
			_mm512_add_epi32(from, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(places))));
		done += 16;
		if (__builtin_expect(done >= n, 1))
			return out + n;
		places = _mm512_shuffle_i64x2(places, places, 0x39); /* the next 16 bytes come to the front */
	}
}

#define SCAN_NAME scan_avx512
#define SCAN_TARGET AVX512
#define SCAN_MASKS masks_avx512
#define SCAN_COUNT(m) _mm_popcnt_u64(m)
#define SCAN_PREFIX prefix_clmul
#define SCAN_FLATTEN flatten_avx512
#include "read/csv_block.inc"

static int machine_level(void)
{
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") ||
		!__builtin_cpu_supports("popcnt") || !__builtin_cpu_supports("pclmul"))
		return 1;
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
			       __builtin_cpu_supports("avx512vbmi2")
		       ? 3
		       : 2;
}
#else
#define scan_sse2 scan_word
#define scan_avx2 scan_word
#define scan_avx512 scan_word
static int machine_level(void)
{
	return 0;
}
#endif

static int wanted_level = -1;

void csv_index_level(int level)
{
	wanted_level = level;
}

static void scan(struct csv_index *x, const char *p, size_t n_blocks)
{
	static void (*const widths[])(struct csv_index *, const unsigned char *, size_t) = {
		scan_word, scan_sse2, scan_avx2, scan_avx512};
	int level = machine_level();

	if (wanted_level >= 0 && wanted_level < level)
		level = wanted_level;
	widths[level](x, (const unsigned char *)p, n_blocks);
}

void csv_index_init(struct csv_index *x, size_t at)
{
	x->n_sep = x->n_end = 0;
	x->at = at;
	x->is_done = x->is_inside = x->is_doubled = false;
	x->error = CSV_OK;
	x->in_quote = x->shut = 0;
	x->before = 1;
	x->lines = x->utf8_skip = 0;
}

/* The last bytes, fewer than 68, from a copy with a line end behind them. */
static void scan_tail(struct csv_index *x, const char *p, size_t n)
{
	char tail[192];
	char fill = 'a';

	while (fill == x->delimiter || fill == x->quote)
		fill++;
	memset(tail, fill, sizeof(tail));
	if (n)
		memcpy(tail, p, n);
	tail[n] = '\n';
	scan(x, tail, n / 64 + 1);
	x->is_done = true;
}

bool csv_index_run(struct csv_index *x, const char *window, size_t n, bool last)
{
	size_t left = n - x->at;
	size_t n_blocks = left > 4 ? (left - 4) / 64 : 0;

	if (x->is_done || x->error || (n_blocks == 0 && !last))
		return false;
	if (n_blocks > CSV_CHUNK / 64)
		n_blocks = CSV_CHUNK / 64;
	if (n_blocks)
		scan(x, window + x->at, n_blocks);
	else
		scan_tail(x, window + x->at, left);
	return true;
}
