/* SPDX-License-Identifier: MIT */
/* Text written without memory (RELIABILITY P3): every writer of base and model gives all of its text, or a buffer that says it failed. */
#include "base/mem.h"
#include "model/decimal.h"
#include "model/dims.h"
#include "model/fold.h"
#include "model/period.h"
#include "model/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LONG "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789"

static void write_visible(struct strbuf *b)
{
	strbuf_visible(b, SLICE("\x1b[31m\xff" LONG));
}

static void write_percent(struct strbuf *b)
{
	strbuf_percent(b, SLICE("a b/\xc3\xa9" LONG), "/");
}

static void write_fmt(struct strbuf *b)
{
	strbuf_fmt(b, "%s %d", LONG, 5);
	strbuf_int(b, INT64_MIN);
}

static void write_decimal(struct strbuf *b)
{
	decimal_print(b, -123456789012345678, 100);
}

static void write_expanded(struct strbuf *b)
{
	decimal_expand(b, SLICE("12345678901234567890.5e40"));
}

static void write_local(struct strbuf *b)
{
	(void)decimal_localise(SLICE("1.234.567.890.123.456.789.012.345.678.901.234.567.890,5"), ',', '.', b);
}

static void write_name(struct strbuf *b)
{
	name_fold(b, SLICE("The C\u00f4te d'Ivoire & " LONG LONG));
}

static void write_period(struct strbuf *b)
{
	period_print(b, 'W', period_max('W'));
	period_print(b, 'D', period_min('D'));
}

static void write_dims(struct strbuf *b)
{
	static const struct glane_kv kv[] = {{"SEX", {"T;=%", 4}}, {"AGE", {LONG, sizeof(LONG) - 1}}};

	(void)dims_print(b, kv, 2, NULL);
}

static void write_dim(struct strbuf *b)
{
	(void)dims_get(SLICE("AGE=" LONG "%3B;SEX=T"), SLICE("AGE"), b);
}

static void write_row(struct strbuf *b)
{
	const struct row r = {
		.source = SLICE("s"), .dataset = SLICE("a \"b\""), .note = SLICE(LONG), .freq = 'A', .status = 'A'};

	row_csv_header(b, ROW_COLUMNS_ALL);
	row_csv(b, &r, ROW_COLUMNS_ALL);
	row_ndjson(b, &r, ROW_COLUMNS);
}

static void (*const writers[])(struct strbuf *) = {write_visible, write_percent, write_fmt, write_decimal,
	write_expanded, write_local, write_name, write_period, write_dims, write_dim, write_row};

static void text_is_whole_or_failed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(writers); i++) {
		struct strbuf want;
		bool ok = false;

		strbuf_init(&want, 0);
		writers[i](&want);
		assert_true(strbuf_ok(&want) && want.n > 8);
		for (long n = 1; !ok && n < 200; n++) {
			struct strbuf b;

			strbuf_init(&b, 0);
			mem_fail_after(n, true);
			writers[i](&b);
			mem_fail_after(0, false);
			ok = strbuf_ok(&b);
			assert_true(n > 1 || !ok);
			if (ok)
				assert_true(slice_eq(strbuf_get(&b), strbuf_get(&want)));
			strbuf_release(&b);
		}
		assert_true(ok);
		strbuf_release(&want);
	}
}

/* What fails once stays failed, though memory is there again: no text with a hole. */
static void a_hole_is_never_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(writers); i++) {
		struct strbuf b;

		strbuf_init(&b, 0);
		mem_fail_after(1, false);
		writers[i](&b);
		mem_fail_after(0, false);
		assert_false(strbuf_ok(&b));
		strbuf_release(&b);
	}
}

static void dims_say_so(void **state)
{
	static const struct glane_kv kv[] = {{"SEX", {"T", 1}}};
	struct diag d = {0};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	mem_fail_after(1, true);
	assert_int_equal(dims_print(&b, kv, 1, &d), GLANE_E_NOMEM);
	mem_fail_after(0, false);
	assert_true(*d.text);
	strbuf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_whole_or_failed),
		cmocka_unit_test(a_hole_is_never_text),
		cmocka_unit_test(dims_say_so),
	};

	return cmocka_run_group_tests_name("starved", tests, NULL, NULL);
}
