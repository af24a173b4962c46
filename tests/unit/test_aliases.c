/* SPDX-License-Identifier: MIT */
/* Breaks in codes: the shipped table, what a line says, lines with mistakes, no table at all, failing memory. */
#include "base/file.h"
#include "base/mem.h"
#include "model/aliases.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD "source,column,code,valid_from,valid_to,change,replaced_by,note\n"

struct fixture {
	char dir[64], path[96];
	struct aliases a;
	struct diag d;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f)
		return -1;
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/glane-aliases-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/aliases.csv", f->dir);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->path);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static glane_rc load(struct fixture *f, const char *text)
{
	FILE *out = fopen(f->path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	diag_clear(&f->d);
	return aliases_load(&f->a, f->dir, &f->d);
}

static void shipped(void **state)
{
	struct fixture *f = *state;
	const char *top = getenv("GLANE_TOP");
	char conf[4096];
	size_t wgi = 0;

	assert_true(path_join(top ? top : ".", "conf", conf, sizeof(conf)));
	assert_int_equal(aliases_load(&f->a, conf, &f->d), GLANE_OK);
	for (size_t i = 0; i < f->a.n; i++)
		wgi += f->a.items[i].change == ALIAS_RENAMED && slice_has_prefix(f->a.items[i].replaced_by, "GOV_WGI_");
	assert_int_equal(wgi, 6);
	aliases_release(&f->a);
}

static void items(void **state)
{
	struct fixture *f = *state;
	const struct alias *a;

	assert_int_equal(load(f, "# a remark\n" HEAD "wb,indicator,A,,1970-01-03,renamed,B\n"
				 "wb,area,MEA,2025-07-01,,recomposed,,\"with AFG, PAK\"\n"
				 "wb,indicator,X,,,retired,\n"),
		GLANE_OK);
	assert_int_equal(f->a.n, 3);
	a = f->a.items;
	assert_true(slice_is(a[0].source, "wb") && slice_is(a[0].code, "A") && slice_is(a[0].replaced_by, "B"));
	assert_true(a[0].change == ALIAS_RENAMED && a[0].to_day == 2 && !a[0].is_area);
	assert_true(a[1].change == ALIAS_RECOMPOSED && a[1].is_area && slice_is(a[1].note, "with AFG, PAK"));
	assert_true(a[2].change == ALIAS_RETIRED && a[2].to_day == INT64_MAX);
	aliases_release(&f->a);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(aliases_load(&f->a, f->dir, &f->d), GLANE_OK);
	assert_int_equal(f->a.n, 0);
	aliases_release(&f->a);
}

static void mistakes(void **state)
{
	static const struct {
		const char *text, *words;
	} all[] = {
		{"", "aliases.csv: empty"},
		{"source,code\n", "aliases.csv:1: the first line must be source,column,"},
		{HEAD "wb,indicator,A,,,moved,B\n", "aliases.csv:2: 'moved' is no change"},
		{HEAD "wb,indicator,A,,,renamed,\n", "A: a code that is renamed"},
		{HEAD "wb,indicator,A,,,replaced,\n", "A: a code that is replaced"},
		{HEAD "wb,series,A,,,retired,\n", "column is 'series'"},
		{HEAD ",indicator,A,,,retired,\n", "needs source and code"},
		{HEAD "wb,indicator,,,,retired,\n", "needs source and code"},
		{HEAD "wb,indicator,A,,2026,retired,\n", "'2026' is no day"},
		{HEAD "wb,indicator,A,2026-02-30,,retired,\n", "'2026-02-30' is no day"},
		{HEAD "wb,indicator,A,,\n", "fewer than 6 cells"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(load(f, all[i].text), GLANE_E_CONFIG);
		if (!strstr(f->d.text, all[i].words))
			fail_msg("%zu: '%s' has no '%s'", i, f->d.text, all[i].words);
	}
}

static void memory(void **state)
{
	struct fixture *f = *state;
	glane_rc rc = load(f, HEAD "wb,indicator,A,,1970-01-03,renamed,B\n");

	assert_int_equal(rc, GLANE_OK);
	aliases_release(&f->a);
	rc = GLANE_E_NOMEM;
	for (long n = 1; n < 200 && rc != GLANE_OK; n++) {
		diag_clear(&f->d);
		mem_fail_after(n, true);
		rc = aliases_load(&f->a, f->dir, &f->d);
		mem_fail_after(0, false);
		assert_true(rc == GLANE_OK || f->d.text[0]);
	}
	assert_int_equal(rc, GLANE_OK);
	aliases_release(&f->a);
}

int main(void)
{
#define CASE(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {CASE(shipped), CASE(items), CASE(mistakes), CASE(memory)};

	return cmocka_run_group_tests_name("aliases", tests, NULL, NULL);
}
