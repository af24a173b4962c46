/* SPDX-License-Identifier: MIT */
/* The schema of a file as columns that we read: LogicalTypes.md, "Nested Types". */
#include "store/parquet_reader.h"

#define TREE_DEPTH 32

struct walk {
	struct footer *f;
	struct arena *a;
	size_t at, leaf; /* next element, next leaf */
	const char *bad; /* the schema is no tree; a column of it is no reason */
	/* The way down to the present element. */
	struct slice name[TREE_DEPTH];
	bool optional[TREE_DEPTH];
	const char *why; /* the columns below are not read because of this */
	int depth;
	unsigned def, rep;
};

static void put_leaf(struct walk *w, const struct element *e, unsigned def, unsigned rep)
{
	w->f->leaf[w->leaf++] = (struct leaf_def){.type = (enum pq_type)e->type, .max_def = def, .max_rep = rep};
}

/* The type of a leaf that we know; NULL, or what it is that we do not read. */
static const char *leaf_type(const struct element *e, enum parquet_type *ret)
{
	bool plain = e->logical < 0 && e->converted < 0;

	switch (e->type) {
	case PQ_BOOLEAN:
		*ret = PARQUET_BOOL;
		return plain ? NULL : "a BOOLEAN of an unknown logical type";
	case PQ_DOUBLE:
		*ret = PARQUET_DOUBLE;
		return plain ? NULL : "a DOUBLE of an unknown logical type";
	case PQ_BYTE_ARRAY:
		*ret = PARQUET_TEXT;
		if (e->logical == PQ_STRING || e->logical == PQ_ENUM || e->logical == PQ_JSON || plain ||
			(e->logical < 0 && (e->converted == PQ_UTF8 || e->converted == PQ_CONVERTED_ENUM ||
						   e->converted == PQ_CONVERTED_JSON)))
			return NULL;
		return "a BYTE_ARRAY that is no text";
	case PQ_INT32:
		*ret = PARQUET_INT32;
		if (plain || (e->logical == PQ_INTEGER && e->bits == 32 && e->is_signed) ||
			(e->logical < 0 && e->converted == PQ_INT_32))
			return NULL;
		*ret = PARQUET_DATE;
		if (e->logical == PQ_DATE || (e->logical < 0 && e->converted == PQ_CONVERTED_DATE))
			return NULL;
		*ret = PARQUET_INT8;
		if ((e->logical == PQ_INTEGER && e->bits == 8 && e->is_signed) ||
			(e->logical < 0 && e->converted == PQ_INT_8))
			return NULL;
		*ret = PARQUET_INT16;
		if ((e->logical == PQ_INTEGER && e->bits == 16 && e->is_signed) ||
			(e->logical < 0 && e->converted == PQ_INT_16))
			return NULL;
		return "an INT32 of a logical type that is not supported (unsigned, time or decimal)";
	case PQ_INT64:
		*ret = PARQUET_INT64;
		if (plain || (e->logical == PQ_INTEGER && e->bits == 64 && e->is_signed) ||
			(e->logical < 0 && e->converted == PQ_INT_64))
			return NULL;
		*ret = PARQUET_TIMESTAMP;
		if ((e->logical == PQ_TIMESTAMP && e->is_utc && e->is_micros) ||
			(e->logical < 0 && e->converted == PQ_TIMESTAMP_MICROS))
			return NULL;
		return "an INT64 of a logical type that is not supported (unsigned, decimal, local or no microseconds)";
	default:
		return pq_type_name(e->type);
	}
}

#define PATH_MAX_BYTES ((size_t)1 << 16)
static const char no_memory[] = "no memory for the schema";

/* A column at the end of the present way. */
static void put_column(struct walk *w, const struct parquet_column *c, size_t leaf, const char *bad)
{
	struct file_column *to = &w->f->column[w->f->n_columns++];
	struct strbuf b;
	size_t n = 0;

	*to = (struct file_column){.c = *c, .leaf = leaf, .bad = w->why ? w->why : bad, .steps = (unsigned)w->depth};
	strbuf_init(&b, PATH_MAX_BYTES);
	for (int i = 0; i < w->depth; i++) {
		n += w->name[i].n + 1;
		if (i)
			strbuf_putc(&b, '.');
		strbuf_slice(&b, w->name[i]);
		if (i < PARQUET_DEPTH_MAX)
			to->optional[i] = w->optional[i];
		if (w->name[i].n == 0 || memchr(w->name[i].p, '.', w->name[i].n) ||
			memchr(w->name[i].p, 0, w->name[i].n))
			to->bad = "a name that is empty or has a dot";
	}
	if (w->depth > PARQUET_DEPTH_MAX)
		to->bad = "more structs within each other than are supported";
	to->c.path = strbuf_ok(&b) ? arena_strndup(w->a, b.p ? b.p : "", b.n) : NULL;
	if (!to->c.path)
		w->bad = n >= PATH_MAX_BYTES ? "a name beyond what is sane" : no_memory;
	strbuf_release(&b);
}

static bool is_text(const struct element *e)
{
	enum parquet_type type;

	return e->type == PQ_BYTE_ARRAY && !leaf_type(e, &type) && e->children == 0;
}

/* Element k after the present one, or NULL. */
static const struct element *ahead(const struct walk *w, size_t k)
{
	return w->at + k < w->f->n_elements ? &w->f->element[w->at + k] : NULL;
}

/* "Lists": <list> group { repeated group list { <element> } }; of text only. True: taken, w->at is behind it. */
static bool take_list(struct walk *w, const struct element *e)
{
	const struct element *list = ahead(w, 0), *item = ahead(w, 1);
	struct parquet_column c = {
		.type = PARQUET_TEXT, .shape = PARQUET_LIST, .nullable = e->repetition == PQ_OPTIONAL};

	if (!(e->logical == PQ_LIST || (e->logical < 0 && e->converted == PQ_CONVERTED_LIST)) || e->children != 1 ||
		!list || !item || list->repetition != PQ_REPEATED || list->children != 1 || !is_text(item) ||
		item->repetition == PQ_REPEATED || w->rep)
		return false;
	put_column(w, &c, w->leaf, NULL);
	put_leaf(w, item, w->def + 1 + (item->repetition == PQ_OPTIONAL), 1);
	w->at += 2;
	return true;
}

/* "Maps": <map> group { repeated group key_value { required key; <value> } }; from text to text. */
static bool take_map(struct walk *w, const struct element *e)
{
	const struct element *pair = ahead(w, 0), *key = ahead(w, 1), *value = ahead(w, 2);
	struct parquet_column c = {
		.type = PARQUET_TEXT, .shape = PARQUET_MAP, .nullable = e->repetition == PQ_OPTIONAL};

	if (!(e->logical == PQ_MAP ||
		    (e->logical < 0 && (e->converted == PQ_CONVERTED_MAP || e->converted == PQ_MAP_KEY_VALUE))) ||
		e->children != 1 || !pair || !key || !value || pair->repetition != PQ_REPEATED || pair->children != 2 ||
		!is_text(key) || key->repetition != PQ_REQUIRED || !is_text(value) ||
		value->repetition == PQ_REPEATED || w->rep)
		return false;
	put_column(w, &c, w->leaf, NULL);
	put_leaf(w, key, w->def + 1, 1);
	put_leaf(w, value, w->def + 1 + (value->repetition == PQ_OPTIONAL), 1);
	w->at += 3;
	return true;
}

static void walk_element(struct walk *w);

static void walk_group(struct walk *w, const struct element *e)
{
	const char *why = w->why;

	if (!w->why && (take_list(w, e) || take_map(w, e)))
		return;
	if (!w->why && (e->repetition == PQ_REPEATED || e->logical == PQ_LIST || e->logical == PQ_MAP ||
			       e->converted == PQ_CONVERTED_LIST || e->converted == PQ_CONVERTED_MAP))
		w->why = "a repeated field other than a list of text or a map from text to text";
	for (int32_t i = 0; i < e->children && !w->bad; i++)
		walk_element(w);
	w->why = why;
}

/* One element and all below it. */
static void walk_element(struct walk *w)
{
	const struct element *e = ahead(w, 0);
	struct parquet_column c = {.shape = PARQUET_ONE};
	const char *bad;

	if (!e || w->depth + 1 >= TREE_DEPTH || e->repetition < PQ_REQUIRED || e->repetition > PQ_REPEATED ||
		e->children < 0 || (e->children == 0 && (e->type < PQ_BOOLEAN || e->type > PQ_FIXED_LEN_BYTE_ARRAY))) {
		w->bad = "the schema is no tree that Parquet knows";
		return;
	}
	w->at++;
	w->name[w->depth] = e->name;
	w->optional[w->depth++] = e->repetition == PQ_OPTIONAL;
	w->def += e->repetition != PQ_REQUIRED;
	w->rep += e->repetition == PQ_REPEATED;
	if (e->children) {
		walk_group(w, e);
	} else {
		bad = leaf_type(e, &c.type);
		c.nullable = e->repetition == PQ_OPTIONAL;
		put_column(w, &c, w->leaf, e->repetition == PQ_REPEATED ? "a repeated field" : bad);
		put_leaf(w, e, w->def, w->rep);
	}
	w->def -= e->repetition != PQ_REQUIRED;
	w->rep -= e->repetition == PQ_REPEATED;
	w->depth--;
}

glane_rc footer_columns(struct footer *f, struct arena *a, const char *name, struct diag *d)
{
	struct walk *w = arena_alloc(a, sizeof(*w));

	f->leaf = arena_alloc(a, (f->n_elements + 1) * sizeof(*f->leaf));
	f->column = arena_alloc(a, (f->n_elements + 1) * sizeof(*f->column));
	if (!w || !f->leaf || !f->column)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for the schema", name);
	w->f = f;
	w->a = a;
	w->at = 1;
	for (int32_t i = 0; f->n_elements && i < f->element[0].children && !w->bad; i++)
		walk_element(w);
	if (!w->bad && (f->n_elements == 0 || w->at != f->n_elements || w->leaf != f->n_leaves))
		w->bad = "the schema is no tree that Parquet knows";
	if (w->bad == no_memory)
		return fail(d, GLANE_E_NOMEM, "%s: %s", name, w->bad);
	if (w->bad)
		return fail(d, GLANE_E_FORMAT, "%s: the footer is damaged: %s", name, w->bad);
	return GLANE_OK;
}
