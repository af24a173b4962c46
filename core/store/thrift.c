/* SPDX-License-Identifier: MIT */
/* Thrift compact protocol, both ways; section names are those of thrift-compact-protocol.md. */
#include "store/thrift.h"

#include <assert.h>

/* "Integer encoding": ULEB128. */
void thrift_put_varint(struct strbuf *b, uint64_t v)
{
	char text[10];
	size_t n = 0;

	while (v >= 0x80) {
		text[n++] = (char)(v | 0x80);
		v >>= 7;
	}
	text[n++] = (char)v;
	strbuf_add(b, text, n);
}

static void put_zigzag(struct thrift_out *o, int64_t v)
{
	thrift_put_varint(o->b, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

/* "Struct encoding": the short form where the id is at most 15 above the last. */
static void put_field(struct thrift_out *o, int id, enum thrift_type type)
{
	int delta = id - o->last[o->depth];

	assert(delta > 0);
	if (delta <= 15) {
		strbuf_putc(o->b, (char)((unsigned)delta << 4 | (unsigned)type));
	} else {
		strbuf_putc(o->b, (char)type);
		put_zigzag(o, id);
	}
	o->last[o->depth] = id;
}

void thrift_begin(struct thrift_out *o)
{
	assert(o->depth + 1 < THRIFT_DEPTH);
	o->last[++o->depth] = 0;
}

void thrift_begin_field(struct thrift_out *o, int id)
{
	put_field(o, id, THRIFT_STRUCT);
	thrift_begin(o);
}

void thrift_end(struct thrift_out *o)
{
	strbuf_putc(o->b, THRIFT_STOP);
	o->depth--;
}

void thrift_put_bool(struct thrift_out *o, int id, bool v)
{
	put_field(o, id, v ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_put_i8(struct thrift_out *o, int id, int8_t v)
{
	put_field(o, id, THRIFT_I8);
	strbuf_putc(o->b, (char)v);
}

void thrift_put_i16(struct thrift_out *o, int id, int16_t v)
{
	put_field(o, id, THRIFT_I16);
	put_zigzag(o, v);
}

void thrift_put_i32(struct thrift_out *o, int id, int32_t v)
{
	put_field(o, id, THRIFT_I32);
	put_zigzag(o, v);
}

void thrift_put_i64(struct thrift_out *o, int id, int64_t v)
{
	put_field(o, id, THRIFT_I64);
	put_zigzag(o, v);
}

void thrift_put_binary(struct thrift_out *o, int id, struct slice v)
{
	put_field(o, id, THRIFT_BINARY);
	thrift_item_binary(o, v);
}

/* "List and Set". */
void thrift_put_list(struct thrift_out *o, int id, enum thrift_type type, size_t n)
{
	put_field(o, id, THRIFT_LIST);
	if (n < 15) {
		strbuf_putc(o->b, (char)(n << 4 | (unsigned)type));
	} else {
		strbuf_putc(o->b, (char)(0xf0 | (unsigned)type));
		thrift_put_varint(o->b, n);
	}
}

void thrift_item_int(struct thrift_out *o, int64_t v)
{
	put_zigzag(o, v);
}

void thrift_item_bool(struct thrift_out *o, bool v)
{
	strbuf_putc(o->b, v ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_item_binary(struct thrift_out *o, struct slice v)
{
	thrift_put_varint(o->b, v.n);
	strbuf_slice(o->b, v);
}

void thrift_open(struct thrift_in *t, struct slice bytes)
{
	*t = (struct thrift_in){.p = (const unsigned char *)bytes.p};
	t->end = t->p + bytes.n;
}

void thrift_fail(struct thrift_in *t, const char *bad)
{
	if (!t->bad)
		t->bad = bad;
	t->p = t->end;
}

static unsigned get_byte(struct thrift_in *t)
{
	if (t->p == t->end) {
		thrift_fail(t, "metadata is cut");
		return 0;
	}
	return *t->p++;
}

static uint64_t get_varint(struct thrift_in *t)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned byte = get_byte(t);

		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	thrift_fail(t, "an integer of the metadata is too long");
	return 0;
}

static int64_t get_zigzag(struct thrift_in *t)
{
	uint64_t v = get_varint(t);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

bool thrift_next(struct thrift_in *t, struct thrift_field *f)
{
	unsigned byte = get_byte(t);
	int64_t id;

	f->type = (enum thrift_type)(byte & 15);
	if (t->bad || byte == THRIFT_STOP) {
		t->depth--;
		return false;
	}
	id = byte >> 4 ? f->id + (int64_t)(byte >> 4) : get_zigzag(t);
	if (id < 1 || id > INT16_MAX || f->type == THRIFT_STOP || f->type > THRIFT_UUID) {
		thrift_fail(t, "the metadata has a field that cannot be");
		return false;
	}
	f->id = (int)id;
	return true;
}

static bool is_type(struct thrift_in *t, bool is)
{
	if (!is)
		thrift_fail(t, "a field of the metadata has the wrong type");
	return is;
}

bool thrift_get_bool(struct thrift_in *t, const struct thrift_field *f)
{
	return is_type(t, f->type == THRIFT_TRUE || f->type == THRIFT_FALSE) && f->type == THRIFT_TRUE;
}

int64_t thrift_get_int(struct thrift_in *t, const struct thrift_field *f)
{
	if (f->type == THRIFT_I8)
		return (int8_t)get_byte(t);
	if (!is_type(t, f->type >= THRIFT_I16 && f->type <= THRIFT_I64))
		return 0;
	return get_zigzag(t);
}

int32_t thrift_get_i32(struct thrift_in *t, const struct thrift_field *f)
{
	int64_t v = thrift_get_int(t, f);

	if (v < INT32_MIN || v > INT32_MAX) {
		thrift_fail(t, "a number of the metadata is out of range");
		return 0;
	}
	return (int32_t)v;
}

struct slice thrift_get_binary(struct thrift_in *t, const struct thrift_field *f)
{
	if (!is_type(t, f->type == THRIFT_BINARY))
		return (struct slice){"", 0};
	return thrift_get_item_binary(t);
}

/* Every element takes a byte at least ("List and Set": also a bool). */
static size_t get_list_head(struct thrift_in *t, enum thrift_type *ret_type)
{
	unsigned byte = get_byte(t);
	uint64_t n = byte >> 4 == 15 ? get_varint(t) : byte >> 4;

	if (n > (size_t)(t->end - t->p)) {
		thrift_fail(t, "a list of the metadata is longer than the metadata");
		return 0;
	}
	*ret_type = (enum thrift_type)(byte & 15);
	return (size_t)n;
}

size_t thrift_get_list(struct thrift_in *t, const struct thrift_field *f, enum thrift_type type)
{
	enum thrift_type found = THRIFT_STOP;
	size_t n;

	if (!is_type(t, f->type == THRIFT_LIST))
		return 0;
	n = get_list_head(t, &found);
	/* Old writers say 2 for bools. */
	if (n && !is_type(t, found == type || (type == THRIFT_TRUE && found == THRIFT_FALSE)))
		return 0;
	return n;
}

int64_t thrift_get_item_int(struct thrift_in *t)
{
	return get_zigzag(t);
}

bool thrift_get_item_bool(struct thrift_in *t)
{
	return get_byte(t) == THRIFT_TRUE;
}

struct slice thrift_get_item_binary(struct thrift_in *t)
{
	uint64_t n = get_varint(t);
	const char *p = (const char *)t->p;

	if (n > (size_t)(t->end - t->p)) {
		thrift_fail(t, "a text of the metadata is longer than the metadata");
		return (struct slice){"", 0};
	}
	t->p += n;
	return (struct slice){p, (size_t)n};
}

bool thrift_enter(struct thrift_in *t, const struct thrift_field *f)
{
	if (t->bad || (f && !is_type(t, f->type == THRIFT_STRUCT)))
		return false;
	if (++t->depth > THRIFT_DEPTH) {
		thrift_fail(t, "the metadata is nested too deep");
		return false;
	}
	return true;
}

static void skip_value(struct thrift_in *t, enum thrift_type type, int depth);

static void skip_bytes(struct thrift_in *t, size_t n)
{
	if (n > (size_t)(t->end - t->p))
		thrift_fail(t, "metadata is cut");
	else
		t->p += n;
}

static void skip_items(struct thrift_in *t, size_t n, enum thrift_type type, int depth)
{
	for (size_t i = 0; i < n && !t->bad; i++)
		if (type == THRIFT_TRUE || type == THRIFT_FALSE)
			skip_bytes(t, 1);
		else
			skip_value(t, type, depth);
}

static void skip_map(struct thrift_in *t, int depth)
{
	uint64_t n = get_varint(t);
	unsigned types = n ? get_byte(t) : 0;

	for (uint64_t i = 0; i < n && !t->bad; i++) {
		skip_items(t, 1, (enum thrift_type)(types >> 4), depth);
		skip_items(t, 1, (enum thrift_type)(types & 15), depth);
	}
}

static void skip_value(struct thrift_in *t, enum thrift_type type, int depth)
{
	enum thrift_type item = THRIFT_STOP;
	struct thrift_field f = {0, THRIFT_STOP};
	size_t n;

	if (depth > THRIFT_DEPTH) {
		thrift_fail(t, "the metadata is nested too deep");
		return;
	}
	if (type == THRIFT_TRUE || type == THRIFT_FALSE) {
		return; /* the field's type is the value */
	} else if (type == THRIFT_I8) {
		skip_bytes(t, 1);
	} else if (type >= THRIFT_I16 && type <= THRIFT_I64) {
		(void)get_varint(t);
	} else if (type == THRIFT_DOUBLE) {
		skip_bytes(t, 8);
	} else if (type == THRIFT_UUID) {
		skip_bytes(t, 16);
	} else if (type == THRIFT_BINARY) {
		(void)thrift_get_item_binary(t);
	} else if (type == THRIFT_LIST || type == THRIFT_SET) {
		n = get_list_head(t, &item);
		skip_items(t, n, item, depth + 1);
	} else if (type == THRIFT_MAP) {
		skip_map(t, depth + 1);
	} else if (type == THRIFT_STRUCT) {
		t->depth++;
		while (thrift_next(t, &f))
			skip_value(t, f.type, depth + 1);
	} else {
		thrift_fail(t, "the metadata has a field that cannot be");
	}
}

void thrift_skip(struct thrift_in *t, const struct thrift_field *f)
{
	skip_value(t, f->type, t->depth);
}
