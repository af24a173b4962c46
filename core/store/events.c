/* SPDX-License-Identifier: MIT */
/* A heap over the stream files of a source. */
#include "store/events_spill.h"
#include "store/files.h"

struct event_file {
	struct record_reader reader;
	struct row row;
	bool open;
	struct strbuf key; /* of the row before, and when it was recorded */
	int64_t recorded_at;
};

static int order(const struct row *a, const struct row *b)
{
	int c = row_cmp_key(a, b);

	return c ? c : (a->recorded_at > b->recorded_at) - (a->recorded_at < b->recorded_at);
}

static bool before(const struct events *e, size_t i, size_t k)
{
	return order(&e->files[e->heap[i]].row, &e->files[e->heap[k]].row) < 0;
}

static void swap(struct events *e, size_t i, size_t k)
{
	size_t x = e->heap[i];

	e->heap[i] = e->heap[k];
	e->heap[k] = x;
}

static void sift(struct events *e, size_t i)
{
	for (;;) {
		size_t least = i, k = 2 * i + 1;

		if (k < e->n_heap && before(e, k, least))
			least = k;
		if (k + 1 < e->n_heap && before(e, k + 1, least))
			least = k + 1;
		if (least == i)
			return;
		swap(e, i, least);
		i = least;
	}
}

/* The next row of a file, checked to come behind the one before it. */
static glane_rc advance(const struct events *e, struct event_file *f, struct diag *d)
{
	struct strbuf *key = &f->key, now;
	int64_t at = f->recorded_at;
	glane_rc rc = record_reader_next(&f->reader, &f->row, d);
	int c;

	if (rc != GLANE_OK)
		return rc;
	if (!slice_is(f->row.source, e->source))
		return fail(d, GLANE_E_IO, "%s: a row of another source; the store is damaged", f->reader.name);
	strbuf_init(&now, 0);
	row_key(&now, &f->row);
	if (!strbuf_ok(&now)) {
		strbuf_release(&now);
		return fail(d, GLANE_E_NOMEM, "%s: no memory to read it", f->reader.name);
	}
	c = key->n ? slice_cmp(strbuf_get(key), strbuf_get(&now)) : -1;
	strbuf_release(key);
	*key = now;
	f->recorded_at = f->row.recorded_at;
	if (c > 0 || (c == 0 && at >= f->recorded_at))
		return fail(d, GLANE_E_IO, "%s: a row out of order; the store is damaged", f->reader.name);
	return GLANE_OK;
}

static glane_rc open_file(struct events *e, size_t i, const struct events_input *in, struct diag *d)
{
	struct event_file *to = &e->files[i];
	glane_rc rc;

	strbuf_init(&to->key, 0);
	rc = record_reader_open(&to->reader, LAKE_STREAM, in->dir, &in->file, d);
	to->open = rc == GLANE_OK;
	if (rc == GLANE_OK && e->tests)
		rc = record_reader_where(&to->reader, e->tests, d);
	if (rc == GLANE_OK)
		rc = advance(e, to, d);
	if (rc == GLANE_OK)
		e->heap[e->n_heap++] = i;
	return rc < 0 ? rc : GLANE_OK;
}

glane_rc events_open_inputs(struct events *e, const struct events_input *in, size_t n, struct diag *d)
{
	const char *source = e->source;
	glane_rc rc = GLANE_OK;

	e->n = n;
	arena_init(&e->arena, 0);
	e->files = mem_zalloc(n + 1, sizeof(*e->files));
	e->heap = arena_alloc(&e->arena, (n + 1) * sizeof(*e->heap));
	if (!e->files || !e->heap) {
		events_close(e);
		return fail(d, GLANE_E_NOMEM, "%s: no memory for its files", source);
	}
	for (size_t i = 0; rc == GLANE_OK && i < n; i++)
		rc = open_file(e, i, &in[i], d);
	for (size_t i = e->n_heap; rc == GLANE_OK && i--;)
		sift(e, i);
	if (rc < 0)
		events_close(e);
	return rc;
}

/* All of the files, some of them by way of temporary ones. */
static glane_rc open_files(
	struct events *e, const struct store *s, const struct delta_file *files, size_t n, struct diag *d)
{
	struct events_input *in = mem_zalloc(n + 1, sizeof(*in));
	struct spill spill;
	glane_rc rc;

	if (!in)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for its files", e->source);
	for (size_t i = 0; i < n; i++)
		in[i] = (struct events_input){files[i], s->lake->table[LAKE_STREAM].dir};
	spill_init(&spill);
	rc = spill_inputs(&spill, e, in, &n, d);
	if (rc == GLANE_OK)
		rc = events_open_inputs(e, in, n, d);
	spill_release(&spill);
	mem_free(in);
	return rc;
}

glane_rc events_open_files(struct events *e, const struct store *s, const char *source, const struct delta_file *files,
	size_t n, struct diag *d)
{
	*e = (struct events){.source = source};
	return open_files(e, s, files, n, d);
}

static bool wanted(const struct delta_file *f, int64_t from, int64_t to, const struct record_tests *tests)
{
	int64_t first, last;

	return ((from == INT64_MIN && to == INT64_MAX) || !record_file_span(f, &first, &last) ||
		       (first <= to && last >= from)) &&
	       (!tests || record_file_may(LAKE_STREAM, f, tests));
}

glane_rc events_open(struct events *e, const struct store *s, const char *source, int64_t from, int64_t to,
	const struct record_tests *tests, struct diag *d)
{
	struct delta_file *files;
	struct arena arena;
	size_t n = 0, some = 0;
	glane_rc rc;

	*e = (struct events){.source = source, .tests = tests};
	arena_init(&arena, 0);
	rc = lake_files(s, LAKE_STREAM, source, &arena, &files, &n, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (wanted(&files[i], from, to, tests))
			files[some++] = files[i];
	}
	if (rc == GLANE_OK)
		rc = open_files(e, s, files, some, d);
	arena_release(&arena);
	return rc;
}

glane_rc events_next(struct events *e, const struct row **ret, struct diag *d)
{
	if (e->taken) {
		struct event_file *f = &e->files[e->heap[0]];
		glane_rc rc = advance(e, f, d);

		e->taken = false;
		if (rc == GLANE_END)
			e->heap[0] = e->heap[--e->n_heap];
		if (rc < 0)
			return rc;
		sift(e, 0);
	}
	if (e->n_heap == 0)
		return GLANE_END;
	*ret = &e->files[e->heap[0]].row;
	e->taken = true;
	return GLANE_OK;
}

const char *events_name(const struct events *e)
{
	return e->n_heap ? e->files[e->heap[0]].reader.name : lake_schemas[LAKE_STREAM].name;
}

void events_close(struct events *e)
{
	for (size_t i = 0; e->files && i < e->n; i++) {
		if (e->files[i].open)
			record_reader_close(&e->files[i].reader);
		strbuf_release(&e->files[i].key);
	}
	mem_free(e->files);
	arena_release(&e->arena);
	*e = (struct events){.n = 0};
}
