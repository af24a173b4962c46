/* SPDX-License-Identifier: MIT */
/* FileMetaData of parquet.thrift as it stands in a file. Every byte is hostile. */
#include "store/parquet_reader.h"

static const char no_memory[] = "there is no memory for it";

static void *take(struct arena *a, struct thrift_in *t, size_t n, size_t size)
{
	size_t bytes = (n ? n : 1) * size;
	void *p = arena_alloc(a, bytes);

	if (!p)
		thrift_fail(t, bytes > a->limit - a->used ? "the metadata is larger than is sane" : no_memory);
	return p;
}

/* TimestampType and TimeUnit. */
static void read_timestamp(struct thrift_in *t, struct element *e)
{
	struct thrift_field f = {0, THRIFT_STOP}, u = {0, THRIFT_STOP};

	while (thrift_next(t, &f))
		if (f.id == 1) {
			e->is_utc = thrift_get_bool(t, &f);
		} else if (f.id == 2 && thrift_enter(t, &f)) {
			while (thrift_next(t, &u)) {
				e->is_micros = u.id == 2;
				thrift_skip(t, &u);
			}
		} else {
			thrift_skip(t, &f);
		}
}

/* LogicalType. */
static void read_logical(struct thrift_in *t, struct element *e)
{
	struct thrift_field f = {0, THRIFT_STOP}, g = {0, THRIFT_STOP};

	while (thrift_next(t, &f)) {
		e->logical = f.id;
		if (f.id == PQ_TIMESTAMP && thrift_enter(t, &f)) {
			read_timestamp(t, e);
		} else if (f.id == PQ_INTEGER && thrift_enter(t, &f)) {
			while (thrift_next(t, &g))
				if (g.id == 1)
					e->bits = (int)thrift_get_int(t, &g);
				else if (g.id == 2)
					e->is_signed = thrift_get_bool(t, &g);
				else
					thrift_skip(t, &g);
		} else {
			thrift_skip(t, &f);
		}
	}
}

/* SchemaElement. */
static void read_element(struct thrift_in *t, struct element *e)
{
	struct thrift_field f = {0, THRIFT_STOP};

	*e = (struct element){.type = -1, .repetition = -1, .converted = -1, .logical = -1};
	if (!thrift_enter(t, NULL))
		return;
	while (thrift_next(t, &f))
		switch (f.id) {
		case 1:
			e->type = thrift_get_i32(t, &f);
			break;
		case 3:
			e->repetition = thrift_get_i32(t, &f);
			break;
		case 4:
			e->name = thrift_get_binary(t, &f);
			break;
		case 5:
			e->children = thrift_get_i32(t, &f);
			break;
		case 6:
			e->converted = thrift_get_i32(t, &f);
			break;
		case 10:
			if (thrift_enter(t, &f))
				read_logical(t, e);
			break;
		default:
			thrift_skip(t, &f);
		}
}

static void read_schema(struct footer *f, struct arena *a, struct thrift_in *t, const struct thrift_field *at)
{
	size_t n = thrift_get_list(t, at, THRIFT_STRUCT);

	if (n > ELEMENTS_MAX)
		thrift_fail(t, "the schema is larger than is sane");
	if (t->bad)
		return;
	f->element = take(a, t, n, sizeof(*f->element));
	for (; f->element && f->n_elements < n && !t->bad; f->n_elements++) {
		read_element(t, &f->element[f->n_elements]);
		f->n_leaves += f->element[f->n_elements].children == 0;
	}
}

/* Statistics. */
static void read_stats(struct thrift_in *t, struct pq_stats *s)
{
	struct thrift_field f = {0, THRIFT_STOP};

	while (thrift_next(t, &f))
		switch (f.id) {
		case 3:
			s->nulls = thrift_get_int(t, &f);
			break;
		case 5:
			s->max = thrift_get_binary(t, &f);
			break;
		case 6:
			s->min = thrift_get_binary(t, &f);
			break;
		case 7:
			s->max_exact = thrift_get_bool(t, &f);
			break;
		case 8:
			s->min_exact = thrift_get_bool(t, &f);
			break;
		default:
			thrift_skip(t, &f);
		}
}

/* ColumnMetaData. */
static void read_chunk_meta(struct thrift_in *t, struct chunk_meta *c)
{
	struct thrift_field f = {0, THRIFT_STOP};

	while (thrift_next(t, &f))
		switch (f.id) {
		case 1:
			c->type = thrift_get_i32(t, &f);
			break;
		case 4:
			c->codec = thrift_get_i32(t, &f);
			break;
		case 5:
			c->values = thrift_get_int(t, &f);
			break;
		case 7:
			c->packed = thrift_get_int(t, &f);
			break;
		case 9:
			c->data_at = thrift_get_int(t, &f);
			break;
		case 11:
			c->dictionary_at = thrift_get_int(t, &f);
			break;
		case 12:
			if (thrift_enter(t, &f))
				read_stats(t, &c->stats);
			break;
		default:
			thrift_skip(t, &f);
		}
}

/* ColumnChunk. */
static void read_chunk(struct thrift_in *t, struct chunk_meta *c)
{
	struct thrift_field f = {0, THRIFT_STOP};
	bool has_meta = false;

	*c = (struct chunk_meta){.type = -1, .codec = -1, .stats.nulls = -1};
	if (!thrift_enter(t, NULL))
		return;
	while (thrift_next(t, &f)) {
		if (f.id == 3 && thrift_enter(t, &f)) {
			has_meta = true;
			read_chunk_meta(t, c);
		} else if (f.id == 1) {
			c->bad = "lies in another file (file_path)";
			thrift_skip(t, &f);
		} else if (f.id == 8 || f.id == 9) {
			c->bad = "is encrypted";
			thrift_skip(t, &f);
		} else {
			thrift_skip(t, &f);
		}
	}
	if (!has_meta && !c->bad)
		thrift_fail(t, "a column chunk has no metadata");
}

/* RowGroup. */
static void read_group(struct footer *f, struct arena *a, struct thrift_in *t, struct group_meta *g)
{
	struct thrift_field at = {0, THRIFT_STOP};
	size_t n = 0;

	g->rows = -1;
	if (!thrift_enter(t, NULL))
		return;
	while (thrift_next(t, &at))
		if (at.id == 1 && !g->chunk) {
			n = thrift_get_list(t, &at, THRIFT_STRUCT);
			if (n != f->n_leaves)
				thrift_fail(t, "a row group has more or fewer columns than the schema");
			if (t->bad)
				return;
			g->chunk = take(a, t, n, sizeof(*g->chunk));
			for (size_t i = 0; g->chunk && i < n && !t->bad; i++)
				read_chunk(t, &g->chunk[i]);
		} else if (at.id == 3) {
			g->rows = thrift_get_int(t, &at);
		} else {
			thrift_skip(t, &at);
		}
	if (!g->chunk || g->rows < 0)
		thrift_fail(t, "a row group is not complete");
}

static void read_groups(struct footer *f, struct arena *a, struct thrift_in *t, const struct thrift_field *at)
{
	size_t n = thrift_get_list(t, at, THRIFT_STRUCT);

	if (n && !f->element)
		thrift_fail(t, "row groups stand before the schema");
	if (t->bad)
		return;
	f->group = take(a, t, n, sizeof(*f->group));
	for (; f->group && f->n_groups < n && !t->bad; f->n_groups++)
		read_group(f, a, t, &f->group[f->n_groups]);
}

static void read_meta(struct footer *f, struct arena *a, struct thrift_in *t, const struct thrift_field *at)
{
	size_t n = thrift_get_list(t, at, THRIFT_STRUCT);

	if (t->bad)
		return;
	f->meta = take(a, t, n, sizeof(*f->meta));
	for (; f->meta && f->n_meta < n && !t->bad; f->n_meta++) {
		struct thrift_field g = {0, THRIFT_STOP};

		if (!thrift_enter(t, NULL))
			return;
		while (thrift_next(t, &g))
			if (g.id == 1)
				f->meta[f->n_meta].key = thrift_get_binary(t, &g);
			else if (g.id == 2)
				f->meta[f->n_meta].value = thrift_get_binary(t, &g);
			else
				thrift_skip(t, &g);
	}
}

/* column_orders: which leaves' statistics are in the order that we know. */
static void read_orders(struct footer *f, struct arena *a, struct thrift_in *t, const struct thrift_field *at)
{
	size_t n = thrift_get_list(t, at, THRIFT_STRUCT);

	if (n != f->n_leaves)
		thrift_fail(t, "there are more or fewer column orders than columns");
	if (t->bad)
		return;
	f->ordered = take(a, t, n, sizeof(*f->ordered));
	for (size_t i = 0; f->ordered && i < n && !t->bad; i++) {
		struct thrift_field g = {0, THRIFT_STOP};

		if (!thrift_enter(t, NULL))
			return;
		while (thrift_next(t, &g)) {
			f->ordered[i] = g.id == 1;
			thrift_skip(t, &g);
		}
	}
}

static void read_file(struct footer *f, struct arena *a, struct thrift_in *t)
{
	struct thrift_field at = {0, THRIFT_STOP};

	f->rows = -1;
	if (!thrift_enter(t, NULL))
		return;
	while (thrift_next(t, &at))
		switch (at.id) {
		case 2:
			if (f->element)
				thrift_fail(t, "two schemas");
			read_schema(f, a, t, &at);
			break;
		case 3:
			f->rows = thrift_get_int(t, &at);
			break;
		case 4:
			if (f->group)
				thrift_fail(t, "two lists of row groups");
			read_groups(f, a, t, &at);
			break;
		case 5:
			if (f->meta)
				thrift_fail(t, "two lists of key_value_metadata");
			read_meta(f, a, t, &at);
			break;
		case 7:
			read_orders(f, a, t, &at);
			break;
		case 8:
			thrift_fail(t, "the file is encrypted");
			break;
		default:
			thrift_skip(t, &at);
		}
	if (f->rows < 0 || !f->element || !f->group)
		thrift_fail(t, "the metadata is not complete");
}

/* Where the chunk begins and that it lies before the footer. */
static bool chunk_fits(const struct chunk_meta *c, uint64_t data_end)
{
	int64_t at = c->dictionary_at > 0 && c->dictionary_at < c->data_at ? c->dictionary_at : c->data_at;

	return at >= 4 && c->packed >= 0 && (uint64_t)at <= data_end &&
	       (uint64_t)c->packed <= data_end - (uint64_t)at && c->values >= 0;
}

static glane_rc check_groups(const struct footer *f, uint64_t data_end, const char *name, struct diag *d)
{
	uint64_t rows = 0;

	for (size_t g = 0; g < f->n_groups; g++) {
		rows += (uint64_t)f->group[g].rows;
		for (size_t i = 0; i < f->n_leaves; i++) {
			const struct chunk_meta *c = &f->group[g].chunk[i];

			if (c->bad)
				continue;
			if (!chunk_fits(c, data_end))
				return fail(d, GLANE_E_FORMAT,
					"%s: row group %zu: column chunk %zu lies outside the file", name, g, i);
			if (c->type != (int)f->leaf[i].type ||
				c->values < (f->leaf[i].max_rep ? 0 : f->group[g].rows) ||
				(!f->leaf[i].max_rep && c->values != f->group[g].rows))
				return fail(d, GLANE_E_FORMAT,
					"%s: row group %zu: column chunk %zu does not fit the schema", name, g, i);
		}
	}
	if (rows != (uint64_t)f->rows)
		return fail(d, GLANE_E_FORMAT, "%s: the row groups have %llu rows, the file %lld", name,
			(unsigned long long)rows, (long long)f->rows);
	return GLANE_OK;
}

glane_rc footer_parse(
	struct footer *f, struct arena *a, struct slice bytes, uint64_t data_end, const char *name, struct diag *d)
{
	struct thrift_in t;
	glane_rc rc;

	thrift_open(&t, bytes);
	read_file(f, a, &t);
	if (t.bad == no_memory)
		return fail(d, GLANE_E_NOMEM, "%s: the footer: %s", name, t.bad);
	if (t.bad)
		return fail(d, GLANE_E_FORMAT, "%s: the footer is damaged: %s", name, t.bad);
	rc = footer_columns(f, a, name, d);
	if (rc < 0)
		return rc;
	return check_groups(f, data_end, name, d);
}
