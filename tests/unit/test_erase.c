/* SPDX-License-Identifier: MIT */
/* core/model/erase.c: which keys a deletion holds for, in the order of the run, its limits, want of memory. */
#include "support/cmocka.h"

#include "model/erase.h"

#include <stdio.h>
#include <string.h>

#define ROW (1u << ERASE_ROW)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct erase by(const char *indicator, const char *area, const char *dims, char freq, const char *period)
{
	return (struct erase){.dataset = SLICE("D"),
		.indicator = slice_of(indicator),
		.area_code = slice_of(area),
		.dims = slice_of(dims),
		.period = slice_of(period),
		.freq = freq,
		.what = ROW};
}

static struct row row_of(const char *indicator, const char *area, const char *dims, char freq, const char *period)
{
	return (struct row){.dataset = SLICE("D"),
		.indicator = slice_of(indicator),
		.area_code = slice_of(area),
		.dims = slice_of(dims),
		.freq = freq,
		.period = slice_of(period),
		.status = 'E',
		.value = SLICE("1"),
		.flags = SLICE("f"),
		.note = SLICE("n")};
}

/* The number before which the row is erased; 0: it is not. */
static uint64_t erased(const struct erases *x, struct erase_look *l, struct row r)
{
	struct erase_found f;
	struct diag d;

	return erase_find(x, l, &r, &f, &d) == GLANE_OK ? f.at[ERASE_ROW] : 0;
}

static void parts_of_keys(void **state)
{
	const struct row rows[] = {row_of("I", "TGO", "AGE=Y;SEX=F", 'A', "2020"),
		row_of("I", "TGO", "AGE=Y;SEX=F", 'A', "2021"), row_of("I", "TGO", "AGE=Y;SEX=M", 'A', "2020"),
		row_of("I", "TGO", "SEX=F;SEXY=F", 'A', "2020"), row_of("I", "BEN", "", 'M', "2020-01"),
		row_of("J", "TGO", "SEX=F", 'A', "2020")};
	const struct {
		struct erase e;
		const char *hits; /* a letter for each row */
	} all[] = {{by("", "", "", 0, ""), "xxxxxx"}, {by("I", "", "", 0, ""), "xxxxx."},
		{by("", "TGO", "", 0, ""), "xxxx.x"}, {by("", "", "SEX=F", 0, ""), "xx.x.x"},
		{by("", "", "AGE=Y;SEX=F", 0, ""), "xx...."}, {by("", "", "SEXY=F", 0, ""), "...x.."},
		{by("", "", "", 'M', ""), "....x."}, {by("", "", "", 'A', "2020"), "x.xx.x"},
		{by("", "", "", 0, "2020-01"), "....x."}, {by("I", "TGO", "AGE=Y;SEX=F", 'A', "2021"), ".x...."},
		{by("", "", "REGION=1", 0, ""), "......"}, {by("I", "TGO", "AGE=Y", 'A', "2019"), "......"}};
	struct erase_look l;
	struct erases x;
	struct diag d;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		erases_init(&x);
		erase_look_init(&l);
		assert_int_equal(erased(&x, &l, rows[0]), 0);
		assert_int_equal(erases_add(&x, &all[i].e, 6, 1, &d), GLANE_OK);
		for (size_t k = 0; k < COUNT(rows); k++)
			assert_int_equal(erased(&x, &l, rows[k]), all[i].hits[k] == 'x' ? 7 : 0);
		erase_look_release(&l);
		erases_release(&x);
	}
}

static void in_the_order_of_the_run(void **state)
{
	struct erase all = by("", "", "", 0, ""), one = by("I", "", "", 'A', "2020");
	struct row r = row_of("I", "TGO", "", 'A', "2020");
	struct erase_found f;
	uint16_t payload = 0;
	struct erase_look l;
	struct erases x;
	struct diag d;

	(void)state;
	erases_init(&x);
	erase_look_init(&l);
	assert_int_equal(erases_add(&x, &all, 3, 1, &d), GLANE_OK); /* behind observations 1, 2 and 3 */
	one.what = 1u << ERASE_STATUS | 1u << ERASE_NOTE;
	assert_int_equal(erases_add(&x, &one, 5, 2, &d), GLANE_OK);
	assert_int_equal(erase_find(&x, &l, &r, &f, &d), GLANE_OK);
	assert_true(erase_apply(&f, 0, &r, &payload));
	assert_true(erase_apply(&f, 3, &r, &payload));
	assert_false(erase_apply(&f, 6, &r, &payload));
	assert_int_equal(r.status, 'E');
	assert_false(erase_apply(&f, 4, &r, &payload));
	assert_int_equal(payload, 2);
	assert_true(r.status == 'A' && r.note.n == 0 && slice_is(r.flags, "f"));
	assert_int_equal(erases_add(&x, &all, 9, 3, &d), GLANE_OK); /* the same again */
	assert_int_equal(x.n, 2);
	erase_look_release(&l);
	erase_look_init(&l);
	assert_int_equal(erase_find(&x, &l, &r, &f, &d), GLANE_OK);
	assert_true(erase_apply(&f, 9, &r, &payload));
	assert_false(erase_apply(&f, 10, &r, &payload));
	assert_int_equal(payload, 3);
	erase_look_release(&l);
	erases_release(&x);
}

static void hostile_numbers(void **state)
{
	char text[32] = "";
	struct erases x;
	struct diag d = {0};
	glane_rc rc = GLANE_OK;
	uint32_t n = 0;

	(void)state;
	erases_init(&x);
	for (; rc == GLANE_OK && n <= ERASE_MAX; n++) {
		struct erase e = by(text, "", "", 0, "");

		e.indicator.n = (size_t)snprintf(text, sizeof(text), "I%u", n);
		rc = erases_add(&x, &e, 0, 1, &d);
	}
	assert_int_equal(rc, GLANE_E_LIMIT);
	assert_int_equal(n, ERASE_MAX + 1);
	assert_non_null(strstr(d.text, "more than 250000 deletions"));
	erases_release(&x);
	erases_init(&x);
	for (n = 0, rc = GLANE_OK; rc == GLANE_OK && n < 1000; n++) {
		struct erase e = by("", "", text, 0, "");

		e.dims.n = (size_t)snprintf(text, sizeof(text), "D%u=1", n);
		rc = erases_add(&x, &e, 0, 1, &d);
	}
	assert_int_equal(rc, GLANE_E_LIMIT);
	assert_int_equal(n, ERASE_SHAPES + 1);
	erases_release(&x);
}

static void want_of_memory(void **state)
{
	const struct erase e = by("I", "TGO", "SEX=F", 'A', "2020"), whole = by("", "", "", 0, "");
	const struct row r = row_of("I", "TGO", "SEX=F", 'A', "2020");
	glane_rc rc = GLANE_E_NOMEM;

	(void)state;
	for (long n = 1; rc != GLANE_OK; n++) {
		struct erase_found f;
		struct erase_look l;
		struct erases x;
		struct diag d = {0};

		mem_fail_after(n, true);
		erases_init(&x);
		erase_look_init(&l);
		rc = erases_add(&x, &e, 0, 1, &d);
		if (rc == GLANE_OK)
			rc = erases_add(&x, &whole, 0, 1, &d);
		if (rc == GLANE_OK)
			rc = erase_find(&x, &l, &r, &f, &d);
		mem_fail_after(0, false);
		assert_true(rc == GLANE_OK || rc == GLANE_E_NOMEM);
		erase_look_release(&l);
		erases_release(&x);
		assert_true(n < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_keys),
		cmocka_unit_test(in_the_order_of_the_run),
		cmocka_unit_test(hostile_numbers),
		cmocka_unit_test(want_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
