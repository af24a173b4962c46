/* SPDX-License-Identifier: MIT */
/* The Thrift compact protocol (apache/thrift doc/specs/thrift-compact-protocol.md), as far as Parquet needs it. */
#ifndef STORE_THRIFT_H
#define STORE_THRIFT_H
#include "base/slice.h"
#include "base/strbuf.h"

enum thrift_type { /* "Struct encoding" */
	THRIFT_STOP = 0,
	THRIFT_TRUE = 1, /* as a field; also the type of bools in a list */
	THRIFT_FALSE = 2,
	THRIFT_I8 = 3,
	THRIFT_I16 = 4,
	THRIFT_I32 = 5,
	THRIFT_I64 = 6,
	THRIFT_DOUBLE = 7,
	THRIFT_BINARY = 8,
	THRIFT_LIST = 9,
	THRIFT_SET = 10,
	THRIFT_MAP = 11,
	THRIFT_STRUCT = 12,
	THRIFT_UUID = 13,
};
#define THRIFT_DEPTH 16 /* structs and lists within each other */

/* Writing: ask strbuf_ok() at the end. Fields of a struct are given in ascending order of their ids. */
struct thrift_out {
	struct strbuf *b;
	int last[THRIFT_DEPTH]; /* id of the last field per open struct */
	int depth;
};
void thrift_put_varint(struct strbuf *b, uint64_t v);  /* a bare one: Parquet's encodings count with it too */
void thrift_begin(struct thrift_out *o);               /* the outermost struct, or an element of a list */
void thrift_begin_field(struct thrift_out *o, int id); /* a struct as a field */
void thrift_end(struct thrift_out *o);
void thrift_put_bool(struct thrift_out *o, int id, bool v);
void thrift_put_i8(struct thrift_out *o, int id, int8_t v);
void thrift_put_i16(struct thrift_out *o, int id, int16_t v);
void thrift_put_i32(struct thrift_out *o, int id, int32_t v);
void thrift_put_i64(struct thrift_out *o, int id, int64_t v);
void thrift_put_binary(struct thrift_out *o, int id, struct slice v);
/* A list's head; its n elements follow: thrift_begin() ... thrift_end(), or thrift_item_*(). */
void thrift_put_list(struct thrift_out *o, int id, enum thrift_type type, size_t n);
void thrift_item_int(struct thrift_out *o, int64_t v); /* I16, I32, I64 */
void thrift_item_bool(struct thrift_out *o, bool v);
void thrift_item_binary(struct thrift_out *o, struct slice v);

/* Reading, hostile bytes expected: the first thing wrong sets `bad` (a few words), and everything gives 0 from then on. */
struct thrift_in {
	const unsigned char *p, *end;
	const char *bad;
	int depth;
};
struct thrift_field { /* zero it at the beginning of a struct */
	int id;
	enum thrift_type type;
};
void thrift_open(struct thrift_in *t, struct slice bytes);
/* The next field of a struct; false at its end. Its value must be taken with one of the below before the next call. */
bool thrift_next(struct thrift_in *t, struct thrift_field *f);
/* The value of the field f, which must be of that type. */
bool thrift_get_bool(struct thrift_in *t, const struct thrift_field *f);
int64_t thrift_get_int(struct thrift_in *t, const struct thrift_field *f); /* I8, I16, I32, I64 */
int32_t thrift_get_i32(struct thrift_in *t, const struct thrift_field *f);
struct slice thrift_get_binary(struct thrift_in *t, const struct thrift_field *f); /* points into the bytes */
/* The elements' number, which is at most that of the bytes left, where they are of `type`. */
size_t thrift_get_list(struct thrift_in *t, const struct thrift_field *f, enum thrift_type type);
int64_t thrift_get_item_int(struct thrift_in *t);
bool thrift_get_item_bool(struct thrift_in *t);
struct slice thrift_get_item_binary(struct thrift_in *t);
/* A struct as a field, or as an element (f NULL): true, then thrift_next() until false. */
bool thrift_enter(struct thrift_in *t, const struct thrift_field *f);
void thrift_skip(struct thrift_in *t, const struct thrift_field *f);
void thrift_fail(struct thrift_in *t, const char *bad);
#endif
