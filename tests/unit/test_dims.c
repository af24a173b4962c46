/* SPDX-License-Identifier: MIT */
/* Dimensions: printing, finding, and what is canonical. */
#include "base/mem.h"
#include "model/dims.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define PAIRS 4

static glane_str str(const char *s)
{
	return (glane_str){s, s ? strlen(s) : 0};
}

struct print_row {
	const char *kv[PAIRS][2]; /* a NULL value is absent; a NULL key ends the list */
	const char *want;         /* NULL: refused */
};
static const struct print_row print_rows[] = {
	{{{NULL, NULL}}, ""},
	{{{"SEX", "F"}}, "SEX=F"},
	{{{"SEX", "F"}, {"AGE", "Y15T24"}}, "AGE=Y15T24;SEX=F"},
	{{{"C", "3"}, {"A", "1"}, {"D", "4"}, {"B", "2"}}, "A=1;B=2;C=3;D=4"},
	{{{"AB", "1"}, {"A", "2"}, {"A-B", "3"}}, "A=2;A-B=3;AB=1"},
	{{{"b", "1"}, {"B", "2"}, {"\xc3\xa9", "3"}}, "B=2;b=1;\xc3\xa9=3"},
	{{{"SEX", NULL}, {"AGE", "TOTAL"}}, "AGE=TOTAL"},
	{{{"SEX", NULL}, {"SEX", "F"}}, "SEX=F"},
	{{{"SEX", NULL}}, ""},
	{{{"SEX", ""}}, "SEX="},
	{{{"K", "50%;a=b"}}, "K=50%25%3Ba%3Db"},
	{{{"K;=%", "v"}}, "K%3B%3D%25=v"},
	{{{"K", "a\tb\n\x7f\x1f"}}, "K=a%09b%0A%7F%1F"},
	{{{"K", "C\xc3\xb4te d'Ivoire, all"}}, "K=C\xc3\xb4te d'Ivoire, all"},
	/* sorted as written: ';' becomes '%3B', before any digit or letter */
	{{{"A1", "x"}, {"A;", "y"}, {"A$", "z"}, {"A=", "w"}}, "A$=z;A%3B=y;A%3D=w;A1=x"},
	{{{"SEX", "F"}, {"AGE", "T"}, {"SEX", "M"}}, NULL},
	{{{"SEX", "F"}, {"SEX", "F"}}, NULL},
	{{{"", "F"}}, NULL},
};

static size_t fill(const struct print_row *r, struct glane_kv kv[PAIRS])
{
	size_t n = 0;

	for (; n < PAIRS && r->kv[n][0]; n++)
		kv[n] = (struct glane_kv){r->kv[n][0], str(r->kv[n][1])};
	return n;
}

static void test_print(void **state)
{
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(print_rows) / sizeof(*print_rows); i++) {
		const struct print_row *r = &print_rows[i];
		struct glane_kv kv[PAIRS];
		size_t n = fill(r, kv);
		struct diag d = {0};
		glane_rc rc;

		strbuf_reset(&b);
		strbuf_putc(&b, '|');
		rc = dims_print(&b, kv, n, &d);
		assert_int_equal(rc, r->want ? GLANE_OK : GLANE_E_DATA);
		assert_int_equal(d.code, rc);
		assert_string_equal(b.p + 1, r->want ? r->want : "");
		assert_true(dims_ok(slice_of(b.p + 1)));
	}
	strbuf_release(&b);
}

/* What was put in is found again, byte for byte. */
static void test_find(void **state)
{
	struct strbuf b, got;

	(void)state;
	strbuf_init(&b, 0);
	strbuf_init(&got, 0);
	for (size_t i = 0; i < sizeof(print_rows) / sizeof(*print_rows); i++) {
		struct glane_kv kv[PAIRS];
		size_t n = fill(&print_rows[i], kv);

		strbuf_reset(&b);
		if (dims_print(&b, kv, n, NULL))
			continue;
		for (size_t k = 0; k < n; k++) {
			struct slice value = {kv[k].v.p, kv[k].v.n};

			if (!value.p)
				continue;
			strbuf_reset(&got);
			assert_true(dims_get(strbuf_get(&b), slice_of(kv[k].k), &got));
			assert_true(slice_eq(strbuf_get(&got), value));
			assert_true(dims_has(strbuf_get(&b), slice_of(kv[k].k), value));
			assert_false(dims_has(strbuf_get(&b), slice_of(kv[k].k), SLICE("other")));
		}
	}
	strbuf_release(&got);
	strbuf_release(&b);
}

static void test_not_there(void **state)
{
	static const char *const dims[] = {
		"", "AGE=T", "SEXES=F", "SE=X", "A=SEX", "SEX", "%53EX=F", "SEX=%4g", "SEX=a=b"};
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(dims) / sizeof(*dims); i++) {
		assert_false(dims_get(slice_of(dims[i]), SLICE("SEX"), &b));
		assert_false(dims_has(slice_of(dims[i]), SLICE("SEX"), SLICE("F")));
	}
	assert_false(dims_get((struct slice){NULL, 0}, SLICE("SEX"), &b));
	assert_int_equal(b.n, 0);
	assert_false(dims_has(SLICE("SEX=F"), SLICE("SEX"), SLICE("")));
	assert_false(dims_has(SLICE("SEX=F"), SLICE("SEX"), SLICE("FF")));
	assert_true(dims_has(SLICE("SEX="), SLICE("SEX"), SLICE("")));
	strbuf_release(&b);
}

static void test_limits(void **state)
{
	struct glane_kv kv[65];
	char keys[65][8];
	struct strbuf b;
	struct diag d = {0};

	(void)state;
	for (size_t i = 0; i < 65; i++) {
		snprintf(keys[i], sizeof(keys[i]), "K%02zu", (i * 37) % 65);
		kv[i] = (struct glane_kv){keys[i], str("v")};
	}
	strbuf_init(&b, 0);
	assert_int_equal(dims_print(&b, kv, 65, &d), GLANE_E_LIMIT);
	assert_int_equal(b.n, 0);
	assert_int_equal(dims_print(&b, kv, 64, NULL), GLANE_OK);
	assert_true(dims_ok(strbuf_get(&b)));
	assert_int_equal(b.n, 64 * 6 - 1);
	strbuf_puts(&b, ";K99=v");
	assert_false(dims_ok(strbuf_get(&b)));
	strbuf_release(&b);
	strbuf_init(&b, 3);
	assert_int_equal(dims_print(&b, kv, 2, NULL), GLANE_E_LIMIT);
	strbuf_release(&b);
	kv[0].k = NULL;
	strbuf_init(&b, 0);
	assert_int_equal(dims_print(&b, kv, 1, NULL), GLANE_E_DATA);
	assert_int_equal(dims_print(&b, NULL, 0, NULL), GLANE_OK);
	strbuf_release(&b);
}

static void test_ok(void **state)
{
	static const char *const good[] = {
		"", "A=", "A=1", "A=1;B=2", "A=%25;A%3B=x", "A$=1;A%3D=2;A1=3", "a=\xc3\xa9"};
	static const char *const bad[] = {"A", "=1", ";", "A=1;", ";A=1", "A=1;;B=2", "B=1;A=2", "A=1;A=2", "A=1;A=1",
		"A=b=c", "A=%", "A=%3", "A=%3b", "A=%41", "A=%zz", "A=\n", "A\t=1", "A=\x7f", "%3b=1", "A1=1;A%3B=2"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(dims_ok(slice_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (dims_ok(slice_of(bad[i])))
			fail_msg("'%s'", bad[i]);
	}
	assert_true(dims_ok((struct slice){NULL, 0}));
}

/* Takes a canonical text apart and prints it again. Keys that need decoding are left to test_print. */
static void check_canonical(struct slice text)
{
	struct glane_kv kv[8];
	struct strbuf values[8], b;
	char keys[8][16];
	size_t used = 0;
	bool whole = true;

	for (struct slice rest = text; rest.n && whole; used += whole) {
		struct slice pair = slice_cut(&rest, ';');
		struct slice key = slice_cut(&pair, '=');

		whole = used < 8 && key.n < sizeof(keys[0]) && !memchr(key.p, '%', key.n);
		if (!whole)
			break;
		memcpy(keys[used], key.p, key.n);
		keys[used][key.n] = '\0';
		strbuf_init(&values[used], 0);
		strbuf_puts(&values[used], "");
		assert_true(dims_get(text, key, &values[used]));
		kv[used] = (struct glane_kv){keys[used], {values[used].p, values[used].n}};
	}
	strbuf_init(&b, 0);
	if (whole) {
		assert_int_equal(dims_print(&b, kv, used, NULL), GLANE_OK);
		assert_true(slice_eq(strbuf_get(&b), text));
	}
	while (used)
		strbuf_release(&values[--used]);
	strbuf_release(&b);
}

/* Any bytes; the text is an exact-sized copy, so that a read beyond its end is seen. */
static void check_any(const char *p, size_t n)
{
	char *copy = mem_alloc(n ? n : 1);
	struct slice text = {copy, n};
	struct strbuf b;

	assert_non_null(copy);
	memcpy(copy, p, n);
	strbuf_init(&b, 0);
	dims_get(text, SLICE("A"), &b);
	dims_has(text, SLICE("A"), SLICE("%"));
	if (dims_ok(text))
		check_canonical(text);
	strbuf_release(&b);
	mem_free(copy);
}

static void test_every_short_text(void **state)
{
	static const char letters[] = "AB=;%3d\n"; /* and NUL */
	size_t base = sizeof(letters);
	char text[5];

	(void)state;
	for (size_t n = 0, total = 1; n <= 5; n++, total *= base) {
		for (size_t k = 0; k < total; k++) {
			for (size_t i = 0, rest = k; i < n; i++, rest /= base)
				text[i] = letters[rest % base];
			check_any(text, n);
		}
	}
}

static void test_cut_at_every_byte(void **state)
{
	static const char text[] = "AGE=Y15T24;K%3B=50%25;SEX=F;Z=%0A%7F";

	(void)state;
	assert_true(dims_ok(slice_of(text)));
	for (size_t n = 0; n < sizeof(text); n++) {
		check_any(text, n);
		check_any(text + n, sizeof(text) - 1 - n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_ok),
		cmocka_unit_test(test_every_short_text),
		cmocka_unit_test(test_cut_at_every_byte),
	};

	return cmocka_run_group_tests_name("dims", tests, NULL, NULL);
}
