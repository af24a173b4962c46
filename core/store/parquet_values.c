/* SPDX-License-Identifier: MIT */
/* Values of a page into vectors: Encodings.md, and the levels of "Nested Types". */
#include "store/parquet_reader.h"

#define NOT_ALLOWED 255

static glane_rc damaged(const struct cursor *c, struct diag *d)
{
	return cursor_fail(c, "a page is damaged or cut", d);
}

/* n codes into c->code, all below n_dict. With *ret_same only the first is there. */
static glane_rc get_codes(struct cursor *c, size_t n, bool *ret_same, struct diag *d)
{
	uint32_t most = 0;

	if (!hybrid_get(&c->codes, c->code, n, ret_same))
		return damaged(c, d);
	for (size_t i = 0; i < (*ret_same ? 1 : n); i++)
		most = c->code[i] > most ? c->code[i] : most;
	if (most >= c->n_dict)
		return cursor_fail(c, "a code beyond the dictionary", d);
	return GLANE_OK;
}

static glane_rc plain_texts(struct cursor *c, struct slice *to, size_t n, struct diag *d)
{
	for (size_t i = 0; i < n; i++) {
		size_t left = (size_t)(c->stop - c->p);
		uint32_t length;

		if (left < sizeof(length))
			return damaged(c, d);
		memcpy(&length, c->p, sizeof(length));
		if (length > left - sizeof(length))
			return damaged(c, d);
		to[i] = (struct slice){(const char *)c->p + sizeof(length), length};
		if (!slice_is_utf8(to[i]))
			return cursor_fail(c, "malformed UTF-8", d);
		c->p += sizeof(length) + length;
	}
	return GLANE_OK;
}

/* A run that goes on from the last batch leaves the arrays as they are. */
static void fill(struct cursor *c, size_t n)
{
	uint32_t code = c->code[0];
	size_t i = c->fill_id == c->dict_id && c->fill_code == code ? c->n_fill : 0;

	c->fill_id = c->dict_id;
	c->fill_code = code;
	c->n_fill = n > i ? n : i;
	for (; i < n; i++) {
		c->code[i] = code;
		c->text[i] = c->dict_text[code];
	}
}

glane_rc cursor_texts(struct cursor *c, struct slice *to, size_t n, bool *ret_same, struct diag *d)
{
	glane_rc rc;

	*ret_same = false;
	if (n == 0)
		return GLANE_OK;
	if (c->encoding == PQ_PLAIN) {
		c->fill_id = 0;
		return plain_texts(c, to, n, d);
	}
	rc = get_codes(c, n, ret_same, d);
	if (rc < 0)
		return rc;
	if (*ret_same && to == c->text) {
		fill(c, n);
		return GLANE_OK;
	}
	c->fill_id = 0;
	for (size_t i = 0; i < n; i++)
		to[i] = c->dict_text[c->code[*ret_same ? 0 : i]];
	return GLANE_OK;
}

static glane_rc plain_nums(struct cursor *c, size_t n, struct diag *d)
{
	size_t left = (size_t)(c->stop - c->p);
	unsigned width = pq_width(c->def.type);

	if (c->def.type == PQ_BOOLEAN) {
		if (n > left * 8 - c->bit)
			return damaged(c, d);
		for (size_t i = 0; i < n; i++, c->bit++)
			c->wide[i] = c->p[c->bit / 8] >> c->bit % 8 & 1;
		c->p += c->bit / 8;
		c->bit %= 8;
		return GLANE_OK;
	}
	if (width == 0 || left / width < n)
		return damaged(c, d);
	if (width == 8)
		memcpy(c->wide, c->p, n * 8);
	for (size_t i = 0; width == 4 && i < n; i++) {
		int32_t v;

		memcpy(&v, c->p + i * 4, 4);
		c->wide[i] = v;
	}
	c->p += n * width;
	return GLANE_OK;
}

glane_rc cursor_nums(struct cursor *c, size_t n, bool *ret_same, struct diag *d)
{
	glane_rc rc;

	*ret_same = false;
	if (n == 0)
		return GLANE_OK;
	if (c->encoding == PQ_PLAIN)
		return plain_nums(c, n, d);
	if (c->encoding == PQ_DELTA_BINARY_PACKED)
		return delta_get(&c->delta, c->wide, n) ? GLANE_OK : damaged(c, d);
	if (c->encoding == PQ_RLE) { /* BOOLEAN */
		if (!hybrid_get(&c->codes, c->code, n, ret_same))
			return damaged(c, d);
		for (size_t i = 0; i < n; i++)
			c->wide[i] = c->code[*ret_same ? 0 : i];
		return GLANE_OK;
	}
	rc = get_codes(c, n, ret_same, d);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		c->wide[i] = c->dict_num[c->code[*ret_same ? 0 : i]];
	return GLANE_OK;
}

/* From wide to the vector's type, with zeroes at the nulls (`there`: NULL, or 1 per value that is there). */
static void spread_nums(struct cursor *c, const struct pick *p, const uint8_t *level, size_t n, size_t values)
{
	enum parquet_type type = p->want->type;
	size_t k = values;

	if (values < n)
		for (size_t i = n; i-- > 0;)
			c->wide[i] = level[i] == p->level_max ? c->wide[--k] : 0;
	if (type == PARQUET_BOOL)
		for (size_t i = 0; i < n; i++)
			c->flag[i] = (uint8_t)c->wide[i];
	else if (c->def.type == PQ_INT32)
		for (size_t i = 0; i < n; i++)
			c->num.i32[i] = (int32_t)c->wide[i];
	else
		memcpy(c->num.i64, c->wide, n * sizeof(*c->wide)); /* doubles by their bits */
}

static void spread_texts(struct cursor *c, const struct pick *p, const uint8_t *level, size_t n, size_t values)
{
	bool coded = c->encoding == PQ_RLE_DICTIONARY;
	size_t k = values;

	if (values == n)
		return;
	c->fill_id = 0;
	for (size_t i = n; i-- > 0;)
		if (level[i] == p->level_max) {
			c->text[i] = c->text[--k];
			if (coded)
				c->code[i] = c->code[k];
		} else {
			c->text[i] = (struct slice){NULL, 0};
			c->code[i] = 0;
		}
}

/* Levels of n entries as the vector has them; *ret_values: how many values stand behind them. */
static glane_rc get_levels(
	struct cursor *c, const struct pick *p, size_t n, size_t *ret_values, bool *ret_same, struct diag *d)
{
	size_t values = 0;
	unsigned bad = 0;

	if (c->def.max_def == 0) {
		*ret_values = n;
		*ret_same = true;
		return GLANE_OK;
	}
	if (!hybrid_get_levels(&c->defs, c->level, n, ret_same))
		return cursor_fail(c, "the definition levels are damaged", d);
	if (*ret_same && c->level[0] == c->def.max_def) {
		*ret_values = n;
		return GLANE_OK;
	}
	for (size_t i = 0; i < n; i++) {
		if (c->level[i] > c->def.max_def)
			return cursor_fail(c, "the definition levels are damaged", d);
		values += c->level[i] == c->def.max_def;
		c->level[i] = p->levels[c->level[i]];
		bad |= c->level[i] == NOT_ALLOWED;
	}
	if (bad)
		return cursor_fail(c, "a null where none may be", d);
	*ret_values = values;
	return GLANE_OK;
}

glane_rc pick_flat(struct pick *p, size_t n, struct parquet_vector *v, struct diag *d)
{
	struct cursor *c = p->cursor[0];
	size_t values = 0;
	bool same = false, level_same = false;
	glane_rc rc = get_levels(c, p, n, &values, &level_same, d);

	if (rc < 0)
		return rc;
	*v = (struct parquet_vector){.level = values == n ? NULL : c->level};
	if (p->want->type == PARQUET_TEXT)
		rc = cursor_texts(c, c->text, values, &same, d);
	else
		rc = cursor_nums(c, values, &same, d);
	if (rc < 0)
		return rc;
	c->page_left -= n;
	v->same = (values == n && same) || (values == 0 && level_same);
	if (p->want->type != PARQUET_TEXT) {
		spread_nums(c, p, c->level, n, values);
		v->flag = c->flag;
		v->i32 = c->num.i32;
		v->i64 = c->num.i64;
		v->f64 = c->num.f64;
		return GLANE_OK;
	}
	spread_texts(c, p, c->level, n, values);
	v->text = c->text;
	if (c->encoding == PQ_RLE_DICTIONARY) {
		v->code = c->code;
		v->dict = c->dict_text;
		v->dict_n = c->n_dict;
		v->dict_id = c->dict_id;
	}
	return GLANE_OK;
}

/* The repetition level of the next entry, without taking it; the page has one. */
static bool look_ahead(struct cursor *c)
{
	uint8_t level = 0;
	bool same;

	if (c->rep_ahead < 0) {
		if (!hybrid_get_levels(&c->rep, &level, 1, &same))
			return false;
		c->rep_ahead = level;
	}
	return true;
}

/* An entry's item, if it is one. */
static glane_rc take_item(struct cursor *c, unsigned def, unsigned def_list, struct diag *d)
{
	bool same;
	glane_rc rc = GLANE_OK;

	if (def <= def_list)
		return GLANE_OK;
	if (c->n_items >= BATCH_ITEMS_MAX)
		return fail(d, GLANE_E_LIMIT, "%s: column %s: lists of more than %zu items", c->r->name, c->path,
			c->n_items);
	if (!mem_grow(&c->item, &c->cap_items, c->n_items + 1, sizeof(*c->item)))
		return fail(d, GLANE_E_NOMEM, "%s: column %s: no memory for a list", c->r->name, c->path);
	c->item[c->n_items] = (struct slice){NULL, 0};
	if (def == c->def.max_def)
		rc = cursor_texts(c, &c->item[c->n_items], 1, &same, d);
	c->n_items++;
	return rc;
}

/* The entries of one row: the first has repetition level 0, those that follow have not. */
static glane_rc take_row(struct cursor *c, const struct pick *p, unsigned def_list, uint8_t *ret_level, struct diag *d)
{
	bool is_first = true, same;
	uint8_t def;
	glane_rc rc;

	while (c->page_left) {
		if (!look_ahead(c))
			return cursor_fail(c, "the repetition levels are damaged", d);
		if (!is_first && c->rep_ahead == 0)
			return GLANE_OK;
		if (!hybrid_get_levels(&c->defs, &def, 1, &same) || def > c->def.max_def ||
			(!is_first && def <= def_list) || (is_first && c->rep_ahead != 0))
			return cursor_fail(c, "the levels are damaged", d);
		c->rep_ahead = -1;
		c->page_left--;
		if (is_first) {
			*ret_level = p->levels[def < def_list ? def : def_list];
			if (*ret_level == NOT_ALLOWED)
				return cursor_fail(c, "a null where none may be", d);
		}
		is_first = false;
		rc = take_item(c, def, def_list, d);
		if (rc < 0)
			return rc;
	}
	return is_first ? cursor_fail(c, "the pages hold fewer rows than the row group has", d) : GLANE_OK;
}

static glane_rc take_rows(struct pick *p, size_t k, size_t n, uint8_t *level, struct diag *d)
{
	struct cursor *c = p->cursor[k];
	unsigned def_list = 0;
	glane_rc rc;

	/* The definition level of a list that is there, and perhaps empty. */
	for (unsigned i = 0; i < p->file->steps; i++)
		def_list += p->file->optional[i];
	c->n_items = 0;
	p->offset[k][0] = 0;
	for (size_t i = 0; i < n; i++) {
		rc = take_row(c, p, def_list, &level[i], d);
		if (rc < 0)
			return rc;
		p->offset[k][i + 1] = (uint32_t)c->n_items;
	}
	c->rows_left -= n;
	return GLANE_OK;
}

glane_rc pick_rows(struct pick *p, size_t n, struct parquet_vector *v, struct diag *d)
{
	uint8_t level[PARQUET_BATCH];
	size_t full = 0;
	glane_rc rc = take_rows(p, 0, n, p->level, d);

	if (rc == GLANE_OK && p->cursor[1])
		rc = take_rows(p, 1, n, level, d);
	if (rc < 0)
		return rc;
	if (p->cursor[1] && (memcmp(level, p->level, n) != 0 ||
				    memcmp(p->offset[0], p->offset[1], (n + 1) * sizeof(**p->offset)) != 0))
		return cursor_fail(p->cursor[0], "a map's keys and values do not pair up", d);
	for (size_t i = 0; i < n; i++)
		full += p->level[i] == p->level_max;
	*v = (struct parquet_vector){.level = full == n ? NULL : p->level,
		.offset = p->offset[0],
		.text = p->cursor[0]->item,
		.value = p->cursor[1] ? p->cursor[1]->item : NULL};
	return GLANE_OK;
}
