/* SPDX-License-Identifier: MIT */
/* The indicator catalogue: the shipped one, lines with mistakes, files cut at every byte, failing memory. */
#include "base/file.h"
#include "base/mem.h"
#include "model/catalogue.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD                                                                                                           \
	"id,number,policy_area,title,source,dataset,indicator,dims,unit,direction,interval,title_fr,scale,cap,"        \
	"target\n"
#define LINE "internet,11,ICT,\"Internet, users\",wb,WDI,IT.NET,,%,1,A,\"Internet, usagers\"\n"

struct fixture {
	char dir[64];
	struct catalogue c;
	struct diag d;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f)
		return -1;
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/glane-catalogue-XXXXXX");
	return mkdtemp(f->dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/catalogue.csv", f->dir);
	(void)unlink(path);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static glane_rc load(struct fixture *f, struct slice text)
{
	char path[96];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/catalogue.csv", f->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.p, text.n), (ssize_t)text.n);
	assert_int_equal(close(fd), 0);
	diag_clear(&f->d);
	return catalogue_load(&f->c, f->dir, &f->d);
}

static bool fits(const struct catalogue_item *i, const char *source, const char *dataset, const char *indicator,
	const char *dims)
{
	return catalogue_fits(i, slice_of(source), slice_of(dataset), slice_of(indicator), slice_of(dims));
}

static void shipped(void **state)
{
	struct fixture *f = *state;
	const char *top = getenv("GLANE_TOP");
	char conf[4096];

	assert_true(path_join(top ? top : ".", "conf", conf, sizeof(conf)));
	assert_int_equal(catalogue_load(&f->c, conf, &f->d), GLANE_OK);
	assert_true(f->c.n_items >= 117);
	assert_true(fits(catalogue_find(&f->c, SLICE("internet-users")), "worldbank", "WDI", "IT.NET.USER.ZS", ""));
	assert_true(fits(catalogue_find(&f->c, SLICE("ict-skills-itu")), "data360-itu-skills", "ITU_DH",
		"ITU_DH_SKLS_STD", "SEX=F"));
	assert_false(fits(
		catalogue_find(&f->c, SLICE("ict-skills-itu")), "data360-itu-skills", "ITU_DH", "ITU_DH_HH_INT", ""));
	assert_null(catalogue_find(&f->c, SLICE("Internet-users")));
	catalogue_release(&f->c);
}

static void items(void **state)
{
	struct fixture *f = *state;
	const struct catalogue_item *i;

	assert_int_equal(load(f, SLICE("\xEF\xBB\xBF# a remark\r\n" HEAD LINE "any,,,,,D,,SEX=F,,,\r\n\n")), GLANE_OK);
	assert_int_equal(f->c.n_items, 2);
	i = catalogue_find(&f->c, SLICE("internet"));
	assert_non_null(i);
	assert_true(slice_is(i->title, "Internet, users") && slice_is(i->unit, "%"));
	assert_true(slice_is(i->title_fr, "Internet, usagers") && slice_is(i->number, "11"));
	assert_true(slice_is(i->policy_area, "ICT"));
	assert_true(fits(i, "wb", "WDI", "IT.NET", "") && fits(i, "wb", "WDI", "IT.NET", "SEX=F"));
	assert_false(fits(i, "other", "WDI", "IT.NET", ""));
	assert_false(fits(i, "wb", "WGI", "IT.NET", ""));
	assert_false(fits(i, "wb", "WDI", "IT.NET.USER", ""));
	i = catalogue_find(&f->c, SLICE("any"));
	assert_true(fits(i, "s", "D", "x", "SEX=F"));
	assert_false(fits(i, "s", "D", "x", "SEX=M"));
	assert_null(catalogue_find(&f->c, SLICE("")));
	catalogue_release(&f->c);
}

static void mistakes(void **state)
{
	static const struct {
		const char *text, *words;
	} all[] = {
		{"", "catalogue.csv: empty"},
		{"id,number\n", "catalogue.csv:1: the first line must be id,number,"},
		{HEAD LINE LINE, "catalogue.csv:3: 'internet' has a line already"},
		{HEAD "Internet,11,,,,WDI,,,,,\n", "catalogue.csv:2: 'Internet' is no id"},
		{HEAD "-x,11,,,,WDI,,,,,\n", "is no id"},
		{HEAD ",11,,,,WDI,,,,,\n", "is no id"},
		{HEAD "x,11,,,wb,,IT,,,,\n", "catalogue.csv:2: x names no dataset"},
		{HEAD "x,11,,,wb,WDI,IT,,,\n", "fewer than 11 cells"},
		{HEAD "x,11,,,wb,WDI,IT,,,,,,,,,\n", "more than 15 cells"},
		{HEAD "x,11,,a\"b,wb,WDI,IT,,,,\n", "cell 4: a quote where none may be"},
		{HEAD "x,11,,\xE9,wb,WDI,IT,,,,\n", "not UTF-8"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(load(f, slice_of(all[i].text)), GLANE_E_CONFIG);
		if (!strstr(f->d.text, all[i].words))
			fail_msg("%zu: '%s' has no '%s'", i, f->d.text, all[i].words);
	}
	diag_clear(&f->d);
	assert_int_not_equal(catalogue_load(&f->c, "/nonexistent", &f->d), GLANE_OK);
	assert_non_null(strstr(f->d.text, "/nonexistent"));
}

/* A cut file is read or refused, nothing else. */
static void cut(void **state)
{
	static const char text[] = "# a remark\n" HEAD LINE "x,11,,\"a \"\"b\"\"\",wb,WDI,IT*,SEX=F,,1,A\n";
	struct fixture *f = *state;

	for (size_t n = 0; n < sizeof(text); n++) {
		if (load(f, (struct slice){text, n}) != GLANE_OK)
			continue;
		assert_true(f->c.n_items <= 2);
		catalogue_release(&f->c);
	}
}

static void memory(void **state)
{
	struct fixture *f = *state;
	glane_rc rc = GLANE_E_NOMEM;

	assert_int_equal(load(f, SLICE(HEAD LINE)), GLANE_OK);
	catalogue_release(&f->c);
	for (long n = 1; rc != GLANE_OK; n++) {
		assert_true(n < 100);
		diag_clear(&f->d);
		mem_fail_after(n, false);
		rc = catalogue_load(&f->c, f->dir, &f->d);
		mem_fail_after(0, false);
		assert_true(rc == GLANE_OK || rc == GLANE_E_NOMEM);
	}
	catalogue_release(&f->c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(shipped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(items, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mistakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory, set_up, tear_down)};

	return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
