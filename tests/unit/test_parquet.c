/* SPDX-License-Identifier: MIT */
/* Parquet: golden bytes of the encodings, round trips of every type, encoding and null pattern, cuts, bit flips, hostile
 * footers, failing allocations. Other engines: tests/interop/parquet.py. */
#include "base/file.h"
#include "base/mem.h"
#include "store/parquet.h"
#include "store/parquet_bits.h"
#include "store/parquet_writer.h"
#include "store/thrift.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N 3000
#define COLUMNS 14

/* A small table with every type; everything follows from the row number. */
static const struct parquet_column schema[COLUMNS] = {
	{.path = "key", .type = PARQUET_TEXT},
	{.path = "text", .type = PARQUET_TEXT, .nullable = true, .hint = PARQUET_PLAIN},
	{.path = "flag", .type = PARQUET_BOOL, .nullable = true},
	{.path = "i8", .type = PARQUET_INT8},
	{.path = "i16", .type = PARQUET_INT16, .nullable = true},
	{.path = "i32", .type = PARQUET_INT32, .hint = PARQUET_DELTA},
	{.path = "i64", .type = PARQUET_INT64, .nullable = true, .hint = PARQUET_DELTA},
	{.path = "f64", .type = PARQUET_DOUBLE, .nullable = true},
	{.path = "day", .type = PARQUET_DATE, .hint = PARQUET_DICTIONARY},
	{.path = "at", .type = PARQUET_TIMESTAMP},
	{.path = "add.path", .type = PARQUET_TEXT, .nullable = true},
	{.path = "add.deep.n", .type = PARQUET_INT64},
	{.path = "tags", .shape = PARQUET_MAP, .nullable = true},
	{.path = "list", .type = PARQUET_TEXT, .shape = PARQUET_LIST},
};

struct table {
	uint8_t level[COLUMNS][N];
	char key[N][16];
	struct slice text[COLUMNS][N], item[4 * N], value[4 * N];
	int32_t i32[COLUMNS][N];
	int64_t i64[COLUMNS][N];
	double f64[N];
	uint8_t flag[N];
	uint32_t offset[COLUMNS][N + 1];
	struct parquet_vector v[COLUMNS];
};

static struct table *make_table(void)
{
	static const double doubles[] = {0.0, -0.0, 1.5, -1e308, 5e-324, 0.1};
	struct table *t = mem_zalloc(1, sizeof(*t));
	uint32_t items = 0;

	assert_non_null(t);
	for (uint32_t i = 0; i < N; i++) {
		(void)snprintf(t->key[i], sizeof(t->key[i]), "k%05u", i / 3);
		t->text[0][i] = slice_of(t->key[i]);
		t->text[1][i] = i % 7 ? slice_of(t->key[i]) : SLICE("");
		t->text[10][i] = slice_of(i % 2 ? "p" : "quite another path");
		t->flag[i] = i % 3 == 1;
		t->i32[3][i] = (int32_t)(i % 256) - 128;
		t->i32[4][i] = i % 5 ? INT16_MAX : INT16_MIN;
		t->i32[5][i] = i % 9 ? (int32_t)(i * 1000003U) : INT32_MIN;
		t->i64[6][i] = i % 4 ? (int64_t)(i * UINT64_C(0x9e3779b97f4a7c15)) : INT64_MAX;
		t->f64[i] = i % 11 ? doubles[i % 6] : i / 7.0;
		t->i32[8][i] = (int32_t)i - 1500;
		t->i64[9][i] = INT64_C(1790000000000000) + i / 1000;
		t->i64[11][i] = (int64_t)i * i;
		for (int c = 0; c < COLUMNS; c++)
			t->level[c][i] = (uint8_t)parquet_level_max(&schema[c]);
		t->level[1][i] = i % 5 != 0;
		t->level[2][i] = i < 1000 || i > 2000;
		t->level[4][i] = i % 2;
		t->level[6][i] = i != 77;
		t->level[7][i] = i % 3 != 0;
		t->level[10][i] = (uint8_t)(i % 3);
		t->level[11][i] = (uint8_t)(i / 2 % 3);
		t->level[12][i] = i % 6 != 0;
		t->offset[12][i] = t->offset[13][i] = items;
		for (uint32_t k = 0; k < i % 4 && t->level[12][i]; k++, items++) {
			t->item[items] = slice_of(t->key[k]);
			t->value[items] = k == 1 ? (struct slice){NULL, 0} : slice_of(t->key[i]);
		}
		t->offset[12][i + 1] = t->offset[13][i + 1] = items;
	}
	for (int c = 0; c < COLUMNS; c++)
		t->v[c] = (struct parquet_vector){.level = parquet_level_max(&schema[c]) ? t->level[c] : NULL,
			.text = t->text[c],
			.i32 = t->i32[c],
			.i64 = t->i64[c],
			.f64 = t->f64,
			.flag = t->flag,
			.offset = t->offset[c],
			.value = t->value};
	t->v[12].text = t->item;
	t->v[13].text = t->value; /* a list with null items */
	return t;
}

static glane_rc to_strbuf(void *arg, const void *p, size_t n, struct diag *d)
{
	struct strbuf *b = arg;

	(void)d;
	strbuf_add(b, p, n);
	return strbuf_ok(b) ? GLANE_OK : GLANE_E_NOMEM;
}

static glane_rc write_table(const struct table *t, size_t rows, size_t group_rows, struct strbuf *b, struct diag *d)
{
	static const uint32_t sorted[] = {0};
	struct parquet_options o = {
		.group_rows = group_rows, .sorted = sorted, .n_sorted = 1, .write = to_strbuf, .write_arg = b};
	struct parquet_summary s;
	struct parquet_writer *w;
	glane_rc rc;

	strbuf_init(b, 0);
	rc = parquet_writer_open(-1, schema, COLUMNS, &o, &w, d);
	if (rc < 0)
		return rc;
	rc = parquet_writer_add(w, t->v, rows, d);
	if (rc == GLANE_OK)
		rc = parquet_writer_finish(w, &s, d);
	if (rc == GLANE_OK) {
		assert_int_equal(s.bytes, b->n);
		assert_int_equal(s.rows, rows);
	}
	parquet_writer_free(w);
	return rc;
}

static unsigned level_at(const struct parquet_column *c, const struct parquet_vector *v, size_t i)
{
	return v->level ? v->level[i] : parquet_level_max(c);
}

static void assert_same_items(
	const struct parquet_vector *a, size_t i, const struct parquet_vector *b, size_t k, bool is_map)
{
	uint32_t n = a->offset[i + 1] - a->offset[i];

	assert_int_equal(b->offset[k + 1] - b->offset[k], n);
	for (uint32_t x = 0; x < n; x++) {
		struct slice p = a->text[a->offset[i] + x], q = b->text[b->offset[k] + x];

		assert_true(slice_eq(p, q) && !p.p == !q.p);
		if (!is_map)
			continue;
		p = a->value[a->offset[i] + x];
		q = b->value[b->offset[k] + x];
		assert_true(slice_eq(p, q) && !p.p == !q.p);
	}
}

/* Row i of a is row k of b. */
static void assert_same(const struct parquet_column *c, const struct parquet_vector *a, size_t i,
	const struct parquet_vector *b, size_t k)
{
	assert_int_equal(level_at(c, a, i), level_at(c, b, k));
	if (level_at(c, a, i) < parquet_level_max(c))
		return;
	if (c->shape != PARQUET_ONE)
		assert_same_items(a, i, b, k, c->shape == PARQUET_MAP);
	else if (c->type == PARQUET_TEXT)
		assert_true(slice_eq(a->text[i], b->text[k]));
	else if (c->type == PARQUET_DOUBLE)
		assert_memory_equal(&a->f64[i], &b->f64[k], sizeof(double));
	else if (c->type == PARQUET_BOOL)
		assert_int_equal(a->flag[i], b->flag[k]);
	else if (c->type == PARQUET_INT64 || c->type == PARQUET_TIMESTAMP)
		assert_int_equal(a->i64[i], b->i64[k]);
	else
		assert_int_equal(a->i32[i], b->i32[k]);
}

/* Reads all; t NULL: only that it ends. */
static glane_rc read_table(struct parquet_reader *r, const struct table *t, uint64_t *ret_rows, struct diag *d)
{
	struct parquet_vector v[COLUMNS];
	uint64_t at = 0;
	size_t rows;
	glane_rc rc = parquet_reader_select(r, schema, COLUMNS, d);

	while (rc == GLANE_OK) {
		rc = parquet_reader_next(r, v, &rows, d);
		if (rc != GLANE_OK)
			break;
		assert_in_range(rows, 1, PARQUET_BATCH);
		for (size_t i = 0; t && i < rows; i++)
			for (int c = 0; c < COLUMNS; c++)
				assert_same(&schema[c], &t->v[c], at + i, &v[c], i);
		for (int c = 0; c < COLUMNS; c++)
			for (size_t i = 0; v[c].dict_id && i < rows; i++)
				if (level_at(&schema[c], &v[c], i) == parquet_level_max(&schema[c]))
					assert_true(slice_eq(v[c].dict[v[c].code[i]], v[c].text[i]));
		at += rows;
	}
	*ret_rows = at;
	return rc;
}

static void test_round_trip(void **state)
{
	static const size_t sizes[][2] = {{1, 0}, {8, 0}, {999, 0}, {N, 0}, {N, 1}, {N, 777}, {0, 0}};
	struct table *t = make_table();
	struct diag d;

	(void)state;
	diag_clear(&d);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		struct parquet_reader *r;
		struct strbuf b;
		uint64_t rows;

		if (sizes[k][1] == 1 && N > 500)
			assert_int_equal(write_table(t, 40, 1, &b, &d), GLANE_OK);
		else
			assert_int_equal(write_table(t, sizes[k][0], sizes[k][1], &b, &d), GLANE_OK);
		assert_int_equal(parquet_reader_open_bytes(strbuf_get(&b), "t", &r, &d), GLANE_OK);
		assert_int_equal(read_table(r, t, &rows, &d), GLANE_END);
		assert_int_equal(rows, parquet_reader_rows(r));
		assert_int_equal(rows, sizes[k][1] == 1 ? 40 : sizes[k][0]);
		parquet_reader_free(r);
		strbuf_release(&b);
	}
	mem_free(t);
}

static void test_same_from_a_file(void **state)
{
	struct table *t = make_table();
	struct parquet_reader *r;
	struct strbuf b;
	struct diag d;
	uint64_t rows;
	int fd = memfd_create("parquet", MFD_CLOEXEC);

	(void)state;
	diag_clear(&d);
	assert_int_equal(write_table(t, N, 1000, &b, &d), GLANE_OK);
	assert_int_equal(fd_write(fd, b.p, b.n, &d), GLANE_OK);
	assert_int_equal(parquet_reader_open(fd, "t", &r, &d), GLANE_OK);
	assert_int_equal(read_table(r, t, &rows, &d), GLANE_END);
	assert_int_equal(rows, N);
	assert_int_equal(parquet_reader_seek(r, 2, &d), GLANE_OK);
	assert_int_equal(read_table(r, NULL, &rows, &d), GLANE_E_USAGE); /* a second choice of columns */
	parquet_reader_free(r);
	fd_close(&fd);
	strbuf_release(&b);
	mem_free(t);
}

static bool only_second(const void *arg, const struct parquet_reader *r, size_t group)
{
	struct parquet_stats s;

	(void)arg;
	parquet_reader_stats(r, group, 0, &s);
	assert_true(s.has_bounds && s.min_exact && s.has_nulls && s.nulls == 0);
	return slice_is(s.min_text, "k00333"); /* row 1000 */
}

/* Projection, statistics, a filter, a column that is not there; codes copied to another file. */
static void test_filter_and_copy(void **state)
{
	static const struct parquet_column want[] = {
		{.path = "key", .type = PARQUET_TEXT}, {.path = "new.one", .type = PARQUET_INT32, .nullable = true}};
	struct table *t = make_table();
	struct parquet_reader *r;
	struct parquet_writer *w;
	struct parquet_summary sum;
	struct parquet_vector v[2];
	struct parquet_stats s;
	struct strbuf b, copy;
	struct parquet_options o = {.write = to_strbuf, .write_arg = &copy};
	struct diag d;
	size_t rows, all = 0;

	(void)state;
	diag_clear(&d);
	strbuf_init(&copy, 0);
	assert_int_equal(write_table(t, N, 1000, &b, &d), GLANE_OK);
	assert_int_equal(parquet_reader_open_bytes(strbuf_get(&b), "t", &r, &d), GLANE_OK);
	assert_int_equal(parquet_reader_select(r, want, 2, &d), GLANE_OK);
	parquet_reader_filter(r, only_second, NULL);
	assert_int_equal(parquet_writer_open(-1, want, 2, &o, &w, &d), GLANE_OK);
	while (parquet_reader_next(r, v, &rows, &d) == GLANE_OK) {
		assert_int_equal(parquet_reader_group(r), 1);
		assert_true(v[1].same && v[1].level[0] == 0);
		assert_true(slice_is(v[0].text[0], t->key[1000 + all]));
		assert_int_equal(parquet_writer_add(w, v, rows, &d), GLANE_OK);
		all += rows;
	}
	assert_int_equal(all, 1000);
	parquet_reader_stats(r, 1, 1, &s);
	assert_true(s.has_nulls && s.nulls == 1000 && !s.has_bounds);
	assert_int_equal(parquet_writer_finish(w, &sum, &d), GLANE_OK);
	assert_true(slice_is(sum.column[0].min_text, "k00333") && slice_is(sum.column[0].max_text, "k00666"));
	assert_int_equal(sum.column[1].nulls, 1000);
	parquet_writer_free(w);
	parquet_reader_free(r);
	strbuf_release(&b);
	assert_int_equal(parquet_reader_open_bytes(strbuf_get(&copy), "copy", &r, &d), GLANE_OK);
	assert_int_equal(parquet_reader_select(r, want, 1, &d), GLANE_OK);
	for (all = 0; parquet_reader_next(r, v, &rows, &d) == GLANE_OK; all += rows)
		for (size_t i = 0; i < rows; i++)
			assert_true(slice_is(v[0].text[i], t->key[1000 + all + i]));
	assert_int_equal(all, 1000);
	parquet_reader_free(r);
	strbuf_release(&copy);
	mem_free(t);
}

/* Whatever the bytes: an error or rows. */
static glane_rc try_bytes(struct slice bytes)
{
	struct parquet_reader *r;
	struct diag d;
	uint64_t rows;
	glane_rc rc;

	diag_clear(&d);
	rc = parquet_reader_open_bytes(bytes, "t", &r, &d);
	if (rc == GLANE_OK) {
		rc = read_table(r, NULL, &rows, &d);
		parquet_reader_free(r);
	}
	assert_true(rc == GLANE_END || d.text[0]);
	return rc;
}

static void test_cut_at_every_byte(void **state)
{
	struct table *t = make_table();
	struct strbuf b;
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_int_equal(write_table(t, 50, 30, &b, &d), GLANE_OK);
	for (size_t n = 0; n < b.n; n++) {
		char *copy = mem_alloc(n + 1); /* of its own, so that a sanitizer sees its end */

		assert_non_null(copy);
		memcpy(copy, b.p, n);
		assert_int_equal(try_bytes((struct slice){copy, n}), GLANE_E_FORMAT);
		mem_free(copy);
	}
	strbuf_release(&b);
	mem_free(t);
}

static void test_every_flipped_bit(void **state)
{
	struct table *t = make_table();
	struct strbuf b;
	struct diag d;
	size_t pages_end, accepted = 0;
	uint32_t footer;

	(void)state;
	diag_clear(&d);
	assert_int_equal(write_table(t, 60, 40, &b, &d), GLANE_OK);
	memcpy(&footer, b.p + b.n - 8, 4);
	pages_end = b.n - 8 - footer;
	for (size_t i = 0; i < b.n * 8; i++) {
		b.p[i / 8] = (char)((unsigned char)b.p[i / 8] ^ 1U << i % 8);
		accepted += try_bytes(strbuf_get(&b)) == GLANE_END && i / 8 < 500;
		b.p[i / 8] = (char)((unsigned char)b.p[i / 8] ^ 1U << i % 8);
	}
	assert_true(pages_end > 500);
	/* Among the first pages only fields of headers that nobody needs may differ unseen. */
	assert_true(accepted < 500 * 8 / 10);
	assert_int_equal(try_bytes(strbuf_get(&b)), GLANE_END);
	strbuf_release(&b);
	mem_free(t);
}

static uint32_t next_random(uint32_t *s)
{
	*s = *s * 1664525U + 1013904223U;
	return *s >> 8;
}

/* Footers and headers with bytes replaced, inserted, taken out. */
static void test_hostile_bytes(void **state)
{
	struct table *t = make_table();
	struct strbuf b, c;
	struct diag d;
	uint32_t seed = 20261128, footer;

	(void)state;
	diag_clear(&d);
	strbuf_init(&c, 0);
	assert_int_equal(write_table(t, 60, 40, &b, &d), GLANE_OK);
	memcpy(&footer, b.p + b.n - 8, 4);
	for (int k = 0; k < 6000; k++) {
		size_t from = b.n - 8 - footer, n = footer, at = next_random(&seed) % footer;
		uint32_t kind = next_random(&seed) % 3, length;

		strbuf_reset(&c);
		strbuf_add(&c, b.p, from + at);
		if (kind != 2)
			strbuf_putc(&c, (char)next_random(&seed));
		strbuf_add(&c, b.p + from + at + (kind != 1), n - at - (kind != 1));
		length = (uint32_t)(c.n - from);
		strbuf_add(&c, &length, 4);
		strbuf_puts(&c, "PAR1");
		(void)try_bytes(strbuf_get(&c));
	}
	strbuf_release(&b);
	strbuf_release(&c);
	mem_free(t);
}

static void test_no_memory(void **state)
{
	struct table *t = make_table();
	struct strbuf whole, b;
	struct diag d;
	glane_rc rc = GLANE_E_NOMEM;

	(void)state;
	diag_clear(&d);
	assert_int_equal(write_table(t, 300, 200, &whole, &d), GLANE_OK);
	for (long n = 1; rc != GLANE_OK; n++) {
		diag_clear(&d);
		mem_fail_after(n, false);
		rc = write_table(t, 300, 200, &b, &d);
		mem_fail_after(0, false);
		assert_true(rc == GLANE_OK || rc == GLANE_E_NOMEM);
		if (rc == GLANE_OK)
			assert_true(slice_eq(strbuf_get(&whole), strbuf_get(&b)));
		strbuf_release(&b);
	}
	rc = GLANE_E_NOMEM;
	for (long n = 1; rc != GLANE_END; n++) {
		mem_fail_after(n, false);
		rc = try_bytes(strbuf_get(&whole));
		mem_fail_after(0, false);
		assert_true(rc == GLANE_END || rc == GLANE_E_NOMEM);
	}
	strbuf_release(&whole);
	mem_free(t);
}

static void test_refusals(void **state)
{
	static const struct parquet_column bad[][2] = {
		{{.path = "a"}, {.path = "a"}},
		{{.path = "a"}, {.path = "a.b"}},
		{{.path = "a..b"}, {.path = "c"}},
		{{.path = ""}, {.path = "c"}},
		{{.path = "a.b.c.d.e.f.g"}, {.path = "c"}},
		{{.path = "a", .hint = PARQUET_DELTA}, {.path = "c"}},
		{{.path = "a", .type = PARQUET_INT64, .shape = PARQUET_LIST}, {.path = "c"}},
	};
	static const struct parquet_column apart[] = {{.path = "s.a"}, {.path = "b"}, {.path = "s.c"}};
	static const struct parquet_column one[] = {{.path = "a"}}, small[] = {{.path = "a", .type = PARQUET_INT8}};
	struct strbuf b;
	struct parquet_options o = {.write = to_strbuf, .write_arg = &b};
	struct parquet_writer *w;
	struct slice text = SLICE("\xff");
	int32_t big = 128;
	struct diag d;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		diag_clear(&d);
		assert_int_equal(parquet_writer_open(-1, bad[i], 2, &o, &w, &d), GLANE_E_USAGE);
		assert_true(d.text[0]);
	}
	assert_int_equal(parquet_writer_open(-1, apart, 3, &o, &w, &d), GLANE_E_USAGE);
	diag_clear(&d);
	assert_int_equal(parquet_writer_open(-1, one, 1, &o, &w, &d), GLANE_OK);
	assert_int_equal(parquet_writer_add(w, &(struct parquet_vector){.text = &text}, 1, &d), GLANE_E_DATA);
	parquet_writer_free(w);
	diag_clear(&d);
	assert_int_equal(parquet_writer_open(-1, small, 1, &o, &w, &d), GLANE_OK);
	assert_int_equal(parquet_writer_add(w, &(struct parquet_vector){.i32 = &big}, 1, &d), GLANE_E_DATA);
	parquet_writer_free(w);
	strbuf_release(&b);
}

static void assert_bytes(const struct strbuf *b, const char *hex)
{
	char text[256];

	assert_true(b->n * 2 < sizeof(text));
	for (size_t i = 0; i < b->n; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", (unsigned char)b->p[i]);
	assert_string_equal(text, hex);
}

/* Examples of Encodings.md, and hand-made ones. */
static void test_golden_encodings(void **state)
{
	static const uint32_t eight[] = {0, 1, 2, 3, 4, 5, 6, 7};
	static const int64_t rising[] = {1, 2, 3, 4, 5}, falling[] = {7, 5, 3, 1, 2, 3, 4, 5};
	static const int64_t flags[] = {1, 0, 1, 1, 0, 0, 0, 0, 1};
	uint32_t runs[20] = {0};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	bits_put_hybrid(&b, eight, 8, 3);
	assert_bytes(&b, "0388c6fa"); /* 10001000 11000110 11111010 */
	strbuf_reset(&b);
	for (size_t i = 0; i < 20; i++)
		runs[i] = 300;
	bits_put_hybrid(&b, runs, 20, 9);
	assert_bytes(&b, "282c01"); /* 20 << 1, two bytes of 300 */
	strbuf_reset(&b);
	bits_put_delta(&b, rising, 5, true);
	assert_bytes(&b, "800104050202"
			 "00000000"); /* deltas are all 1: no bits */
	strbuf_reset(&b);
	bits_put_delta(&b, falling, 8, false);
	/* min delta -2, relative deltas 0 0 0 3 3 3 3 of 2 bits in one miniblock of 32 */
	assert_bytes(&b, "800104080e03"
			 "02000000"
			 "c03f000000000000");
	strbuf_reset(&b);
	bits_put_flags(&b, flags, 9);
	assert_bytes(&b, "0d01");
	strbuf_release(&b);
}

/* Any values of any width come back, in pieces of any size. */
static void test_hybrid_and_delta(void **state)
{
	static uint32_t v[5000], got[5000];
	static int64_t wide[5000], wide_got[5000];
	uint32_t seed = 7;
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (unsigned bits = 1; bits <= 32; bits++) {
		struct hybrid h;
		struct delta delta;
		uint64_t n = 0;

		for (size_t i = 0; i < 5000; i++) {
			bool same = i && next_random(&seed) % 16 < (i / 1000) * 4;

			v[i] = same ? v[i - 1]
				    : (next_random(&seed) << 16 ^ next_random(&seed)) &
					       (uint32_t)((UINT64_C(1) << bits) - 1);
			wide[i] = (int64_t)((uint64_t)v[i] << (bits % 3 ? bits : 0)) - (bits % 2 ? 1000 : 0);
			if (bits == 32)
				wide[i] = i % 2 ? INT64_MIN : INT64_MAX;
		}
		strbuf_reset(&b);
		bits_put_hybrid(&b, v, 5000, bits);
		assert_true(hybrid_open(&h, b.p, b.n, bits));
		for (size_t i = 0, some; i < 5000; i += some) {
			bool same;

			some = next_random(&seed) % 300 + 1;
			some = some < 5000 - i ? some : 5000 - i;
			assert_true(hybrid_get(&h, got + i, some, &same));
			for (size_t k = 1; same && k < some; k++)
				got[i + k] = got[i];
		}
		assert_memory_equal(v, got, sizeof(v));
		strbuf_reset(&b);
		bits_put_delta(&b, wide, 5000, false);
		assert_true(delta_open(&delta, b.p, b.n, false, &n));
		assert_int_equal(n, 5000);
		assert_true(delta_get(&delta, wide_got, 4321) && delta_get(&delta, wide_got + 4321, 679));
		assert_memory_equal(wide, wide_got, sizeof(wide));
		assert_false(delta_get(&delta, wide_got, 1));
	}
	strbuf_release(&b);
}

static void test_bounds(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *low, *high;
	} cases[] = {
		{"abc", 3, "abc", "abc"},
		{"abcd", 3, "abc", "abd"},
		{"ab\x7f\x7f", 3, "ab\x7f", "ab\xc2\x80"},
		{"aéé", 4, "aé", "aê"},
		{"\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf", 4, "\xf4\x8f\xbf\xbf", NULL},
		{"a\xf4\x8f\xbf\xbfz", 5, "a\xf4\x8f\xbf\xbf", "b"},
		{"\xed\x9f\xbfz", 3, "\xed\x9f\xbf", "\xee\x80\x80"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bound low, high;

		bound_low(&low, slice_of(cases[i].text), cases[i].max);
		bound_high(&high, slice_of(cases[i].text), cases[i].max);
		assert_true(slice_is((struct slice){low.text, low.n}, cases[i].low));
		assert_int_equal(high.known, cases[i].high != NULL);
		if (high.known)
			assert_true(slice_is((struct slice){high.text, high.n}, cases[i].high));
	}
}

static void test_thrift(void **state)
{
	struct strbuf b;
	struct thrift_out o = {.b = &b};
	struct thrift_in t;
	struct thrift_field f = {0, THRIFT_STOP};

	(void)state;
	strbuf_init(&b, 0);
	thrift_begin(&o);
	thrift_put_i32(&o, 1, -1);
	thrift_put_bool(&o, 2, true);
	thrift_put_binary(&o, 20, SLICE("hi"));
	thrift_put_list(&o, 21, THRIFT_I32, 2);
	thrift_item_int(&o, 300);
	thrift_item_int(&o, INT32_MIN);
	thrift_end(&o);
	assert_bytes(&b, "1501"
			 "11"
			 "0828"
			 "026869"
			 "1925d804ffffffff0f"
			 "00");
	for (size_t n = 0; n < b.n; n++) {
		f = (struct thrift_field){0, THRIFT_STOP};
		thrift_open(&t, (struct slice){b.p, n});
		assert_true(thrift_enter(&t, NULL));
		while (thrift_next(&t, &f))
			thrift_skip(&t, &f);
		assert_non_null(t.bad);
	}
	strbuf_release(&b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_encodings),
		cmocka_unit_test(test_hybrid_and_delta),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_thrift),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_same_from_a_file),
		cmocka_unit_test(test_filter_and_copy),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_every_flipped_bit),
		cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_no_memory),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("parquet", tests, NULL, NULL);
}
