/* SPDX-License-Identifier: MIT */
/* Reading with tests: exactly the rows that pass, whatever the encodings, pages and row groups; damage stays an error. */
#include "base/mem.h"
#include "store/parquet.h"
#include "store/parquet_bits.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N 60000
#define GROUP 45000 /* three pages and a bit, then less than one */
#define ROUNDS 40
enum { KEY, AREA, WORD, NOTE, FLAG, STEP, BIG, REAL, DAY, COLUMNS };

static const struct parquet_column schema[COLUMNS] = {
	{.path = "key", .type = PARQUET_TEXT},
	{.path = "area", .type = PARQUET_TEXT},
	{.path = "word", .type = PARQUET_TEXT, .hint = PARQUET_PLAIN},
	{.path = "note", .type = PARQUET_TEXT, .nullable = true},
	{.path = "flag", .type = PARQUET_BOOL, .nullable = true},
	{.path = "step", .type = PARQUET_INT32, .hint = PARQUET_DELTA},
	{.path = "big", .type = PARQUET_INT64, .nullable = true, .hint = PARQUET_DELTA},
	{.path = "real", .type = PARQUET_DOUBLE, .nullable = true},
	{.path = "day", .type = PARQUET_DATE},
};

struct table {
	char key[N][8], area[N][8], word[N][8];
	struct slice text[NOTE + 1][N];
	uint8_t flag[N], level[COLUMNS][N];
	int32_t step[N], day[N];
	int64_t big[N];
	double real[N];
	struct parquet_vector v[COLUMNS];
};

static struct table *make_table(void)
{
	struct table *t = mem_zalloc(1, sizeof(*t));

	assert_non_null(t);
	for (uint32_t i = 0; i < N; i++) {
		(void)snprintf(t->key[i], sizeof(t->key[i]), "k%03u", i / 6000);
		(void)snprintf(t->area[i], sizeof(t->area[i]), "a%02u", i / 60 % 100);
		(void)snprintf(t->word[i], sizeof(t->word[i]), "w%u", i * 7919U % 9973U);
		t->text[KEY][i] = slice_of(t->key[i]);
		t->text[AREA][i] = slice_of(t->area[i]);
		t->text[WORD][i] = slice_of(t->word[i]);
		t->text[NOTE][i] = slice_of(t->word[i / 2]);
		t->flag[i] = i % 3 == 1;
		t->step[i] = (int32_t)(i * 1000003U);
		t->big[i] = (int64_t)(i * UINT64_C(0x9e3779b97f4a7c15));
		t->real[i] = i / 7.0;
		t->day[i] = (int32_t)(i % 60) * 365;
		t->level[NOTE][i] = i % 5 != 0;
		t->level[FLAG][i] = i < 20000 || i > 30000;
		t->level[BIG][i] = i != 77;
		t->level[REAL][i] = i % 3 != 0;
	}
	for (int c = 0; c < COLUMNS; c++)
		t->v[c] = (struct parquet_vector){.level = schema[c].nullable ? t->level[c] : NULL,
			.text = c <= NOTE ? t->text[c] : NULL,
			.i32 = c == STEP ? t->step : t->day,
			.i64 = t->big,
			.f64 = t->real,
			.flag = t->flag};
	return t;
}

static uint32_t dice;

static int roll(void)
{
	dice = dice * 1664525U + 1013904223U;
	return (int)(dice >> 8);
}

static glane_rc to_strbuf(void *arg, const void *p, size_t n, struct diag *d)
{
	(void)d;
	strbuf_add(arg, p, n);
	return strbuf_ok(arg) ? GLANE_OK : GLANE_E_NOMEM;
}

static void write_table(const struct table *t, struct strbuf *b)
{
	static const uint32_t sorted[] = {0};
	struct parquet_options o = {
		.group_rows = GROUP, .sorted = sorted, .n_sorted = 1, .write = to_strbuf, .write_arg = b};
	struct parquet_summary s;
	struct parquet_writer *w;

	strbuf_init(b, 0);
	assert_int_equal(parquet_writer_open(-1, schema, COLUMNS, &o, &w, NULL), GLANE_OK);
	assert_int_equal(parquet_writer_add(w, t->v, N, NULL), GLANE_OK);
	assert_int_equal(parquet_writer_finish(w, &s, NULL), GLANE_OK);
	parquet_writer_free(w);
}

/* What a round asks for: a text is in where its hash is below `share` of 256. */
struct wish {
	unsigned mask; /* tests of key, area, word and day */
	unsigned seed[WORD + 1], share[WORD + 1];
	int32_t min, max;
};
struct asked {
	unsigned seed, share;
	uint64_t calls;
};

static bool likes(unsigned seed, unsigned share, struct slice s)
{
	uint32_t h = seed;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619U;
	return (h >> 8 & 255) < share;
}

static bool fits(const void *arg, struct slice s)
{
	struct asked *a = (struct asked *)(uintptr_t)arg;

	a->calls++;
	return likes(a->seed, a->share, s);
}

static bool is_there(int c, const struct parquet_vector *v, size_t i)
{
	return !schema[c].nullable || !v->level || v->level[i];
}

static void assert_row(const struct table *t, size_t at, const struct parquet_vector *v, size_t i)
{
	for (int c = 0; c < COLUMNS; c++) {
		assert_int_equal(is_there(c, &v[c], i), is_there(c, &t->v[c], at));
		if (!is_there(c, &v[c], i))
			continue;
		if (c <= NOTE)
			assert_true(slice_eq(v[c].text[i], t->text[c][at]));
		else if (c == STEP || c == DAY)
			assert_int_equal(v[c].i32[i], t->v[c].i32[at]);
		else if (c == BIG)
			assert_int_equal(v[c].i64[i], t->big[at]);
		else if (c == FLAG)
			assert_int_equal(v[c].flag[i], t->flag[at]);
		else
			assert_true(v[c].f64[i] == t->real[at]);
	}
}

static bool wanted(const struct table *t, const struct wish *w, size_t at)
{
	for (size_t c = KEY; c <= WORD; c++) {
		if (w->mask >> c & 1 && !likes(w->seed[c], w->share[c], t->text[c][at]))
			return false;
	}
	return !(w->mask >> 3 & 1) || (t->day[at] >= w->min && t->day[at] <= w->max);
}

/* Every row that passes comes, in order, and no other. */
static void check(const struct table *t, struct slice bytes, const struct wish *w)
{
	struct asked asked[WORD + 1];
	struct parquet_test tests[4];
	struct parquet_vector v[COLUMNS];
	struct parquet_reader *r;
	size_t n = 0, at = 0, rows;

	for (size_t c = KEY; c <= WORD; c++) {
		asked[c] = (struct asked){w->seed[c], w->share[c], 0};
		if (w->mask >> c & 1)
			tests[n++] = (struct parquet_test){.column = c, .fits = fits, .arg = &asked[c]};
	}
	if (w->mask >> 3 & 1)
		tests[n++] = (struct parquet_test){.column = DAY, .min = w->min, .max = w->max};
	assert_int_equal(parquet_reader_open_bytes(bytes, "t", &r, NULL), GLANE_OK);
	assert_int_equal(parquet_reader_select(r, schema, COLUMNS, NULL), GLANE_OK);
	assert_int_equal(parquet_reader_where(r, tests, n, NULL), GLANE_OK);
	while (parquet_reader_next(r, v, &rows, NULL) == GLANE_OK) {
		for (size_t i = 0; i < rows; i++, at++) {
			while (at < N && !wanted(t, w, at))
				at++;
			assert_true(at < N);
			assert_row(t, at, v, i);
		}
	}
	for (; at < N; at++)
		assert_false(wanted(t, w, at));
	/* An entry of a dictionary is asked for once in a row group. */
	assert_in_range(asked[AREA].calls, 0, 200);
	parquet_reader_free(r);
}

static void test_random(void **state)
{
	static const unsigned shares[] = {0, 3, 30, 128, 256};
	struct table *t = make_table();
	struct strbuf b;

	(void)state;
	write_table(t, &b);
	dice = 4711;
	for (int i = 0; i < ROUNDS; i++) {
		struct wish w = {.mask = (unsigned)(1 + roll() % 15), .min = roll() % 60 * 365};

		w.max = w.min + roll() % 30 * 365;
		for (size_t c = KEY; c <= WORD; c++) {
			w.seed[c] = (unsigned)roll();
			w.share[c] = shares[roll() % 5];
		}
		check(t, strbuf_get(&b), &w);
	}
	strbuf_release(&b);
	mem_free(t);
}

static bool always(const void *arg, struct slice s)
{
	(void)arg;
	(void)s;
	return true;
}

/* Two tests of one column; a second seek begins anew; nothing that cannot be tested is. */
static void test_use(void **state)
{
	const struct asked one = {1, 128, 0}, two = {2, 128, 0};
	const struct parquet_test both[] = {
		{.column = AREA, .fits = fits, .arg = &one}, {.column = AREA, .fits = fits, .arg = &two}};
	const struct parquet_test bad[] = {{.column = NOTE, .fits = always}, {.column = COLUMNS, .fits = always},
		{.column = KEY, .max = 9}, {.column = REAL, .max = 9}, {.column = STEP, .fits = always}};
	struct table *t = make_table();
	struct parquet_vector v[COLUMNS];
	struct parquet_reader *r;
	size_t rows, n[2] = {0, 0}, want = 0;
	struct strbuf b;

	(void)state;
	write_table(t, &b);
	for (size_t i = 0; i < N; i++)
		want += likes(1, 128, t->text[AREA][i]) && likes(2, 128, t->text[AREA][i]);
	assert_in_range(want, 1, N - 1);
	assert_int_equal(parquet_reader_open_bytes(strbuf_get(&b), "t", &r, NULL), GLANE_OK);
	assert_int_equal(parquet_reader_select(r, schema, COLUMNS, NULL), GLANE_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parquet_reader_where(r, &bad[i], 1, NULL), GLANE_E_USAGE);
	assert_int_equal(parquet_reader_where(r, both, 0, NULL), GLANE_E_USAGE);
	assert_int_equal(parquet_reader_where(r, both, 2, NULL), GLANE_OK);
	assert_int_equal(parquet_reader_where(r, both, 2, NULL), GLANE_E_USAGE);
	assert_int_equal(parquet_reader_next(r, v, &rows, NULL), GLANE_OK);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(parquet_reader_seek(r, 0, NULL), GLANE_OK);
		while (parquet_reader_next(r, v, &rows, NULL) == GLANE_OK)
			n[k] += rows;
		assert_int_equal(n[k], want);
	}
	parquet_reader_free(r);
	strbuf_release(&b);
	mem_free(t);
}

/* Any byte of the file changed or the file cut: rows or an error, never a crash; rows that come have what stands there. */
static void test_damage(void **state)
{
	const struct asked some = {5, 20, 0};
	const struct parquet_test test = {.column = AREA, .fits = fits, .arg = &some};
	struct table *t = make_table();
	struct strbuf b;
	size_t n_errors = 0;

	(void)state;
	write_table(t, &b);
	dice = 1;
	for (int i = 0; i < 1500; i++) {
		size_t at = (size_t)roll() % b.n, rows;
		char old = b.p[at];
		struct parquet_vector v[COLUMNS];
		struct parquet_reader *r = NULL;
		glane_rc rc;

		b.p[at] = (char)(old ^ (1 << roll() % 8));
		rc = parquet_reader_open_bytes(strbuf_get(&b), "t", &r, NULL);
		if (rc == GLANE_OK)
			rc = parquet_reader_select(r, schema, COLUMNS, NULL);
		if (rc == GLANE_OK)
			rc = parquet_reader_where(r, &test, 1, NULL);
		while (rc == GLANE_OK)
			rc = parquet_reader_next(r, v, &rows, NULL);
		n_errors += rc != GLANE_END;
		parquet_reader_free(r);
		b.p[at] = old;
	}
	assert_in_range(n_errors, 300, 1500);
	strbuf_release(&b);
	mem_free(t);
}

/* Passing over codes is the same as taking them. */
static void test_skip(void **state)
{
	uint32_t v[3000], got[3000];
	struct strbuf b;

	(void)state;
	dice = 9;
	strbuf_init(&b, 0);
	for (unsigned bits = 0; bits <= 20; bits++) {
		for (size_t i = 0; i < 3000; i++)
			v[i] = i % 100 < 40 || bits == 0 ? 0 : (uint32_t)roll() & ((1U << bits) - 1);
		strbuf_reset(&b);
		bits_put_hybrid(&b, v, 3000, bits);
		for (int k = 0; k < 50; k++) {
			struct hybrid h;
			bool same;

			assert_true(hybrid_open(&h, b.p, b.n, bits));
			for (size_t at = 0; at < 3000;) {
				size_t skip = (size_t)roll() % 200, n = (size_t)roll() % 20;

				skip = skip < 3000 - at ? skip : 3000 - at;
				assert_true(hybrid_skip(&h, skip));
				at += skip;
				n = n < 3000 - at ? n : 3000 - at;
				assert_true(hybrid_get(&h, got, n, &same));
				for (size_t i = 0; i < n; i++)
					assert_int_equal(got[same ? 0 : i], v[at + i]);
				at += n;
			}
		}
	}
	strbuf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_use),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_skip),
	};

	return cmocka_run_group_tests_name("where", tests, NULL, NULL);
}
