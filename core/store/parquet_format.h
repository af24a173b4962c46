/* SPDX-License-Identifier: MIT */
/* Numbers and structures of parquet.thrift that writer and reader share; for parquet_*.c only. */
#ifndef STORE_PARQUET_FORMAT_H
#define STORE_PARQUET_FORMAT_H
#include "base/mem.h"
#include "store/parquet.h"

#define PQ_MAGIC "PAR1"
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Parquet is little endian, and so is this code");

enum pq_type { /* Type */
	PQ_BOOLEAN = 0,
	PQ_INT32 = 1,
	PQ_INT64 = 2,
	PQ_INT96 = 3,
	PQ_FLOAT = 4,
	PQ_DOUBLE = 5,
	PQ_BYTE_ARRAY = 6,
	PQ_FIXED_LEN_BYTE_ARRAY = 7,
};
enum pq_converted { /* ConvertedType; the ones we know */
	PQ_UTF8 = 0,
	PQ_CONVERTED_MAP = 1,
	PQ_MAP_KEY_VALUE = 2,
	PQ_CONVERTED_LIST = 3,
	PQ_CONVERTED_ENUM = 4,
	PQ_CONVERTED_DATE = 6,
	PQ_TIMESTAMP_MICROS = 10,
	PQ_INT_8 = 15,
	PQ_INT_16 = 16,
	PQ_INT_32 = 17,
	PQ_INT_64 = 18,
	PQ_CONVERTED_JSON = 19,
};
enum pq_logical { /* LogicalType: ids of the union's fields */
	PQ_STRING = 1,
	PQ_MAP = 2,
	PQ_LIST = 3,
	PQ_ENUM = 4,
	PQ_DATE = 6,
	PQ_TIMESTAMP = 8,
	PQ_INTEGER = 10,
	PQ_JSON = 12,
};
enum pq_repetition { PQ_REQUIRED = 0, PQ_OPTIONAL = 1, PQ_REPEATED = 2 }; /* FieldRepetitionType */
enum pq_encoding {
	PQ_PLAIN = 0,
	PQ_PLAIN_DICTIONARY = 2,
	PQ_RLE = 3,
	PQ_DELTA_BINARY_PACKED = 5,
	PQ_RLE_DICTIONARY = 8,
};
enum pq_codec { PQ_UNCOMPRESSED = 0, PQ_ZSTD = 6 }; /* CompressionCodec */
enum pq_page { PQ_DATA_PAGE = 0, PQ_INDEX_PAGE = 1, PQ_DICTIONARY_PAGE = 2, PQ_DATA_PAGE_V2 = 3 }; /* PageType */

/* Statistics: plain-encoded bounds of one column, page or chunk; p NULL: unknown. */
struct pq_stats {
	struct slice min, max;
	bool min_exact, max_exact;
	int64_t nulls; /* -1: unknown */
};

struct pq_page_header { /* PageHeader with the header of its kind */
	enum pq_page type;
	int32_t unpacked, packed; /* bytes behind the header */
	bool has_crc;
	uint32_t crc;
	int32_t values;
	int encoding, def_encoding, rep_encoding;
	int32_t nulls, rows, def_bytes, rep_bytes; /* version 2 */
	bool is_packed;                            /* version 2: is_compressed */
};

/* Bytes per value as they stand in a page; 0: BYTE_ARRAY or bits. */
static inline unsigned pq_width(enum pq_type type)
{
	return type == PQ_INT32 ? 4 : type == PQ_INT64 || type == PQ_DOUBLE ? 8 : 0;
}
/* Bits that hold 0..max (Encodings.md, RLE: the bit width of levels and dictionary indices). */
static inline unsigned pq_bits(uint64_t max)
{
	unsigned n = 0;

	for (; max; max >>= 1)
		n++;
	return n;
}
enum pq_type pq_physical(enum parquet_type type);
/* Word of a physical type, an encoding, a codec for messages. */
const char *pq_type_name(int type);
const char *pq_encoding_name(int encoding);
const char *pq_codec_name(int codec);
/* The next name of a path, which is shortened; false at its end. */
bool pq_path_next(const char **path, struct slice *ret);
/* Orders text bytewise as the format's TYPE_ORDER does for STRING. */
static inline int pq_text_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}
#endif
