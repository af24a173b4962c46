/* SPDX-License-Identifier: MIT */
/* What the types, encodings and paths are called, and the levels of a path. */
#include "store/parquet_format.h"

enum pq_type pq_physical(enum parquet_type type)
{
	switch (type) {
	case PARQUET_TEXT:
		return PQ_BYTE_ARRAY;
	case PARQUET_BOOL:
		return PQ_BOOLEAN;
	case PARQUET_INT64:
	case PARQUET_TIMESTAMP:
		return PQ_INT64;
	case PARQUET_DOUBLE:
		return PQ_DOUBLE;
	case PARQUET_INT8:
	case PARQUET_INT16:
	case PARQUET_INT32:
	case PARQUET_DATE:
		break;
	}
	return PQ_INT32;
}

static const char *name_of(const char *const *names, size_t n, int i)
{
	return i >= 0 && (size_t)i < n && names[i] ? names[i] : "unknown";
}

const char *pq_type_name(int type)
{
	static const char *const names[] = {
		"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"};

	return name_of(names, sizeof(names) / sizeof(names[0]), type);
}

const char *pq_encoding_name(int encoding)
{
	static const char *const names[] = {"PLAIN", NULL, "PLAIN_DICTIONARY", "RLE", "BIT_PACKED",
		"DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "RLE_DICTIONARY",
		"BYTE_STREAM_SPLIT", "ALP"};

	return name_of(names, sizeof(names) / sizeof(names[0]), encoding);
}

const char *pq_codec_name(int codec)
{
	static const char *const names[] = {
		"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"};

	return name_of(names, sizeof(names) / sizeof(names[0]), codec);
}

bool pq_path_next(const char **path, struct slice *ret)
{
	const char *dot = *path ? strchr(*path, '.') : NULL;

	if (!*path)
		return false;
	*ret = dot ? (struct slice){*path, (size_t)(dot - *path)} : slice_of(*path);
	*path = dot ? dot + 1 : NULL;
	return true;
}

unsigned parquet_level_max(const struct parquet_column *c)
{
	unsigned n = c->nullable;

	for (const char *p = strchr(c->path, '.'); p; p = strchr(p + 1, '.'))
		n++;
	return n;
}
