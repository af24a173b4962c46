/* SPDX-License-Identifier: MIT */
/* Any bytes as a Parquet file: footer, every readable column of every row group, statistics. Pages without a CRC (the
 * corpus has such files) let the fuzzer through to levels and values. */
#include "fuzz.h"
#include "store/parquet.h"

#define BATCHES 64 /* null columns claim rows without bytes */

static volatile uint64_t sum; /* every byte of a text is touched */

static bool second_byte_is_even(const void *arg, struct slice text)
{
	(void)arg;
	return text.n < 2 || text.p[1] % 2 == 0;
}

/* With tests of the columns that can have one: other columns are passed over in part. */
static void read_some(struct parquet_reader *r)
{
	struct parquet_test tests[2];
	struct parquet_vector v[PARQUET_COLUMNS_MAX];
	size_t n, rows, k = 0;
	const struct parquet_column *c = parquet_reader_columns(r, &n);

	n = n < 16 ? n : 16;
	for (size_t i = 0; i < n && k < 2; i++)
		if (!c[i].nullable && c[i].shape == PARQUET_ONE)
			tests[k++] = (struct parquet_test){
				i, c[i].type == PARQUET_TEXT ? second_byte_is_even : NULL, NULL, INT64_MIN / 2, 1000};
	if (n == 0 || parquet_reader_select(r, c, n, NULL) != GLANE_OK ||
		parquet_reader_where(r, tests, k, NULL) != GLANE_OK)
		return;
	for (int b = 0; b < BATCHES && parquet_reader_next(r, v, &rows, NULL) == GLANE_OK; b++)
		for (size_t i = 0; i < n; i++)
			for (size_t x = 0; c[i].type == PARQUET_TEXT && x < rows; x++)
				sum += v[i].text[x].n ? (uint64_t)v[i].text[x].p[v[i].text[x].n - 1] : 1;
}

static void read_all(struct parquet_reader *r)
{
	struct parquet_vector v[PARQUET_COLUMNS_MAX];
	struct parquet_stats s;
	size_t n, rows;
	const struct parquet_column *c = parquet_reader_columns(r, &n);

	n = n < 16 ? n : 16;
	if (n == 0 || parquet_reader_select(r, c, n, NULL) != GLANE_OK)
		return;
	for (size_t g = 0; g < parquet_reader_groups(r) && g < 4; g++)
		for (size_t i = 0; i < n; i++)
			parquet_reader_stats(r, g, i, &s);
	for (int k = 0; k < BATCHES && parquet_reader_next(r, v, &rows, NULL) == GLANE_OK; k++)
		for (size_t i = 0; i < n; i++) {
			uint32_t items = c[i].shape == PARQUET_ONE ? 0 : v[i].offset[rows];

			for (uint32_t x = 0; x < items; x++)
				sum += v[i].text[x].n ? (uint64_t)v[i].text[x].p[0] : 1;
			for (size_t x = 0; c[i].shape == PARQUET_ONE && c[i].type == PARQUET_TEXT && x < rows; x++)
				sum += v[i].text[x].n ? (uint64_t)v[i].text[x].p[v[i].text[x].n - 1] : 1;
		}
}

FUZZ_TARGET(parquet)
{
	struct parquet_reader *r;

	if (parquet_reader_open_bytes(in, "fuzz", &r, NULL) == GLANE_OK) {
		read_all(r);
		parquet_reader_free(r);
	}
	if (parquet_reader_open_bytes(in, "fuzz", &r, NULL) == GLANE_OK) {
		read_some(r);
		parquet_reader_free(r);
	}
}
