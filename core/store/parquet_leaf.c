/* SPDX-License-Identifier: MIT */
/* One column of the row group in memory: levels, and numbers, codes or plain bytes. */
#include "store/parquet_writer.h"

#define DICT_BYTES ((size_t)1 << 20) /* a larger dictionary of texts is given up */
#define DICT_PATIENCE 8192           /* values after which one with hardly a repetition is */
#define PLAIN_MAX ((size_t)2 << 30)

void leaf_init(struct leaf *l, const struct parquet_column *c, enum leaf_part part)
{
	*l = (struct leaf){.column = c, .part = part, .type = pq_physical(c->type), .hint = c->hint};
	l->max_def = parquet_level_max(c);
	if (part != LEAF_VALUE) {
		l->max_def += part == LEAF_KEY ? 1 : 2;
		l->max_rep = 1;
	}
	text_dict_init(&l->dict);
	strbuf_init(&l->plain, PLAIN_MAX);
	l->is_plain = l->type == PQ_BYTE_ARRAY && l->hint == PARQUET_PLAIN;
}

void leaf_release(struct leaf *l)
{
	mem_free(l->def);
	mem_free(l->rep);
	mem_free(l->num);
	mem_free(l->code);
	mem_free(l->remap);
	text_dict_release(&l->dict);
	strbuf_release(&l->plain);
}

void leaf_reset(struct leaf *l)
{
	l->n = l->values = 0;
	l->remap_id = 0;
	text_dict_reset(&l->dict);
	strbuf_reset(&l->plain);
	l->is_plain = l->type == PQ_BYTE_ARRAY && l->hint == PARQUET_PLAIN;
}

size_t leaf_bytes(const struct leaf *l)
{
	size_t each = l->type != PQ_BYTE_ARRAY ? 8 : l->is_plain ? 0 : 4;

	return l->values * each + l->plain.n + l->dict.n_bytes + l->n * (size_t)((l->max_def != 0) + l->max_rep);
}

static glane_rc no_memory(const struct leaf *l, struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "Parquet: no memory for column %s", l->column->path);
}

static void put_plain(struct strbuf *b, struct slice s)
{
	uint32_t n = (uint32_t)s.n;

	strbuf_add(b, &n, sizeof(n));
	strbuf_add(b, s.p, s.n);
}

glane_rc leaf_give_up_dictionary(struct leaf *l, struct diag *d)
{
	for (size_t i = 0; i < l->values; i++)
		put_plain(&l->plain, text_dict_get(&l->dict, l->code[i]));
	l->is_plain = true;
	text_dict_reset(&l->dict);
	return strbuf_ok(&l->plain) ? GLANE_OK : no_memory(l, d);
}

static glane_rc check_text(const struct leaf *l, struct slice s, struct diag *d)
{
	if (s.n > INT32_MAX)
		return fail(d, GLANE_E_LIMIT, "Parquet: column %s: a text of %zu bytes", l->column->path, s.n);
	if (!slice_is_utf8(s))
		return fail(d, GLANE_E_DATA, "Parquet: column %s: malformed UTF-8 in '%.*s'", l->column->path,
			SLICE_FMT(s));
	return GLANE_OK;
}

static glane_rc put_text_plain(struct leaf *l, struct slice s, struct diag *d)
{
	glane_rc rc = check_text(l, s, d);

	if (rc < 0)
		return rc;
	put_plain(&l->plain, s);
	l->values++;
	return strbuf_ok(&l->plain) ? GLANE_OK : no_memory(l, d);
}

/* The code of s; new ones are checked. */
static glane_rc code_of(struct leaf *l, struct slice s, uint32_t *ret, struct diag *d)
{
	bool is_new = false;
	uint32_t code = text_dict_put(&l->dict, s, &is_new);

	if (code == DICT_NONE)
		return s.n > INT32_MAX ? check_text(l, s, d) : no_memory(l, d);
	*ret = code;
	return is_new ? check_text(l, s, d) : GLANE_OK;
}

static bool is_too_large(const struct leaf *l)
{
	return l->dict.n_bytes + l->dict.n * 4 > DICT_BYTES ||
	       (l->hint == PARQUET_AUTO && l->values >= DICT_PATIENCE && l->dict.n > l->values - l->values / 4);
}

/* One text of any leaf. The slice s differs from the last one's, or it is the first of this call. */
static glane_rc put_text(struct leaf *l, struct slice s, struct diag *d)
{
	glane_rc rc;

	if (!l->is_plain && l->dict.n && is_too_large(l)) {
		rc = leaf_give_up_dictionary(l, d);
		if (rc < 0)
			return rc;
	}
	if (l->is_plain)
		return put_text_plain(l, s, d);
	rc = code_of(l, s, &l->code[l->values], d);
	if (rc == GLANE_OK)
		l->values++;
	return rc;
}

/* Texts of the rows that have one. Runs of the same slice, and then of the same bytes, are found before any hashing. */
static glane_rc add_texts(struct leaf *l, const struct slice *s, const uint8_t *level, size_t rows, struct diag *d)
{
	struct slice last = {NULL, 0};
	glane_rc rc;

	for (size_t i = 0; i < rows; i++) {
		if (level && level[i] != l->max_def)
			continue;
		if (last.p && !l->is_plain && s[i].n == last.n &&
			(s[i].p == last.p || memcmp(s[i].p, last.p, last.n) == 0)) {
			l->code[l->values] = l->code[l->values - 1];
			l->values++;
			continue;
		}
		rc = put_text(l, s[i].p ? s[i] : SLICE(""), d);
		if (rc < 0)
			return rc;
		last = s[i];
	}
	return GLANE_OK;
}

/* The reader's codes to ours: nothing is hashed but what this row group has not seen. False: to be done by add_texts(). */
static bool can_remap(struct leaf *l, const struct parquet_vector *v)
{
	if (!v->dict_id || l->is_plain || (l->dict.n && is_too_large(l)))
		return false;
	if (l->remap_id == v->dict_id)
		return true;
	if (!mem_grow(&l->remap, &l->cap_remap, v->dict_n, sizeof(*l->remap)))
		return false;
	memset(l->remap, 0xff, v->dict_n * sizeof(*l->remap)); /* DICT_NONE */
	l->n_remap = v->dict_n;
	l->remap_id = v->dict_id;
	return true;
}

/* Our code for one of theirs. */
static glane_rc remap_code(
	struct leaf *l, const struct parquet_vector *v, uint32_t theirs, uint32_t *ret, struct diag *d)
{
	uint32_t *to;
	glane_rc rc = GLANE_OK;

	if (theirs >= l->n_remap)
		return fail(d, GLANE_E_USAGE, "Parquet: column %s: a code beyond its dictionary", l->column->path);
	to = &l->remap[theirs];
	if (*to == DICT_NONE)
		rc = code_of(l, v->dict[theirs], to, d);
	*ret = *to;
	return rc;
}

static glane_rc add_codes(
	struct leaf *l, const struct parquet_vector *v, const uint8_t *level, size_t from, size_t rows, struct diag *d)
{
	const uint32_t *last = NULL; /* of theirs, and what it is to us */
	uint32_t code = 0;
	glane_rc rc;

	if (v->same && !level && rows) {
		rc = remap_code(l, v, v->code[from], &code, d);
		for (size_t i = 0; i < rows; i++)
			l->code[l->values + i] = code;
		l->values += rows;
		return rc;
	}
	for (size_t i = from; i < from + rows; i++) {
		if (level && level[i - from] != l->max_def)
			continue;
		if (!last || v->code[i] != *last) {
			rc = remap_code(l, v, v->code[i], &code, d);
			if (rc < 0)
				return rc;
			last = &v->code[i];
		}
		l->code[l->values++] = code;
	}
	return GLANE_OK;
}

static int64_t num_at(const struct leaf *l, const struct parquet_vector *v, size_t i)
{
	int64_t bits;

	switch (l->type) {
	case PQ_BOOLEAN:
		return v->flag[i] != 0;
	case PQ_INT32:
		return v->i32[i];
	case PQ_DOUBLE:
		memcpy(&bits, &v->f64[i], sizeof(bits));
		return bits;
	case PQ_INT64:
	case PQ_INT96:
	case PQ_FLOAT:
	case PQ_BYTE_ARRAY:
	case PQ_FIXED_LEN_BYTE_ARRAY:
		break;
	}
	return v->i64[i];
}

static void add_nums(struct leaf *l, const struct parquet_vector *v, const uint8_t *level, size_t from, size_t rows)
{
	if (!level && (l->type == PQ_INT64 || l->type == PQ_DOUBLE)) {
		const void *src = l->type == PQ_INT64 ? (const void *)(v->i64 + from) : (const void *)(v->f64 + from);

		memcpy(l->num + l->values, src, rows * sizeof(*l->num));
		l->values += rows;
		return;
	}
	if (!level && l->type == PQ_INT32) {
		for (size_t i = 0; i < rows; i++)
			l->num[l->values++] = v->i32[from + i];
		return;
	}
	for (size_t i = 0; i < rows; i++)
		if (!level || level[i] == l->max_def)
			l->num[l->values++] = num_at(l, v, from + i);
}

/* INT8 and INT16 stay within what the schema says of them. */
static glane_rc check_nums(const struct leaf *l, size_t from, struct diag *d)
{
	int64_t max = l->column->type == PARQUET_INT8 ? INT8_MAX : INT16_MAX;

	if (l->column->type != PARQUET_INT8 && l->column->type != PARQUET_INT16)
		return GLANE_OK;
	for (size_t i = from; i < l->values; i++)
		if (l->num[i] > max || l->num[i] < -max - 1)
			return fail(d, GLANE_E_DATA, "Parquet: column %s: %lld is out of its range", l->column->path,
				(long long)l->num[i]);
	return GLANE_OK;
}

static bool make_room(struct leaf *l, size_t entries)
{
	if (l->max_def && !mem_grow(&l->def, &l->cap_def, l->n + entries, 1))
		return false;
	if (l->max_rep && !mem_grow(&l->rep, &l->cap_rep, l->n + entries, 1))
		return false;
	if (l->type == PQ_BYTE_ARRAY)
		return mem_grow(&l->code, &l->cap_code, l->values + entries, sizeof(*l->code));
	return mem_grow(&l->num, &l->cap_num, l->values + entries, sizeof(*l->num));
}

static glane_rc add_flat(struct leaf *l, const struct parquet_vector *v, size_t from, size_t rows, struct diag *d)
{
	const uint8_t *level = v->level ? v->level + from : NULL;
	size_t first = l->values;

	if (!make_room(l, rows))
		return no_memory(l, d);
	if (l->max_def && level)
		memcpy(l->def + l->n, level, rows);
	else if (l->max_def)
		memset(l->def + l->n, (int)l->max_def, rows);
	for (size_t i = 0; level && i < rows; i++)
		if (level[i] > l->max_def)
			return fail(d, GLANE_E_USAGE, "Parquet: column %s: level %u of %u", l->column->path, level[i],
				l->max_def);
	l->n += rows;
	if (l->type != PQ_BYTE_ARRAY) {
		add_nums(l, v, level, from, rows);
		return check_nums(l, first, d);
	}
	if (can_remap(l, v))
		return add_codes(l, v, level, from, rows, d);
	return add_texts(l, v->text + from, level, rows, d);
}

static void put_entry(struct leaf *l, unsigned def, unsigned rep)
{
	l->def[l->n] = (uint8_t)def;
	l->rep[l->n++] = (uint8_t)rep;
}

/* "Nested Types" of LogicalTypes.md, levels as in Dremel: one row of a list or map. */
static glane_rc add_row(struct leaf *l, const struct parquet_vector *v, size_t i, struct diag *d)
{
	const struct slice *item = l->part == LEAF_MAP_VALUE ? v->value : v->text;
	unsigned there = l->max_def - (l->part == LEAF_KEY ? 1 : 2);
	size_t n = v->offset[i + 1] - v->offset[i];
	glane_rc rc = GLANE_OK;

	if (!make_room(l, n ? n : 1))
		return no_memory(l, d);
	if (v->level && v->level[i] < there) {
		put_entry(l, v->level[i], 0);
		return GLANE_OK;
	}
	if (n == 0)
		put_entry(l, there, 0);
	for (size_t k = v->offset[i]; k < v->offset[i + 1] && rc == GLANE_OK; k++) {
		bool is_null = !item[k].p;

		if (is_null && l->part == LEAF_KEY)
			return fail(d, GLANE_E_DATA, "Parquet: column %s: a key is null", l->column->path);
		put_entry(l, is_null ? l->max_def - 1 : l->max_def, k > v->offset[i]);
		if (!is_null)
			rc = put_text(l, item[k], d);
	}
	return rc;
}

glane_rc leaf_add(struct leaf *l, const struct parquet_vector *v, size_t from, size_t rows, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	if (l->part == LEAF_VALUE)
		return add_flat(l, v, from, rows, d);
	for (size_t i = from; i < from + rows && rc == GLANE_OK; i++)
		rc = add_row(l, v, i, d);
	return rc;
}
