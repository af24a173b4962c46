/* SPDX-License-Identifier: MIT */
/* Command lines: values after '=' or in the next word, letters, "--", help, what is refused. What is printed goes to a file. */
#include "app/app.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HELP "glane test\n"

struct taken {
	bool all, quiet, done, fine;
	const char *limit;
	struct list tags, words;
	char out[4096], err[4096];
};

static void capture(int fd, FILE *f, int *saved, FILE **into)
{
	(void)fflush(f);
	*saved = dup(fd);
	*into = tmpfile();
	assert_non_null(*into);
	assert_true(dup2(fileno(*into), fd) == fd);
}

static void restore(int fd, FILE *f, int saved, FILE *into, char *text, size_t cap)
{
	size_t n;

	(void)fflush(f);
	assert_true(dup2(saved, fd) == fd);
	(void)close(saved);
	rewind(into);
	n = fread(text, 1, cap - 1, into);
	text[n] = '\0';
	(void)fclose(into);
}

/* Parses a line of words separated by blanks; "" stands for no word at all. */
static void parse(const char *line, bool with_words, struct taken *t)
{
	static char copy[2048], name[] = "test";
	const struct arg args[] = {{"all", 0, false, take_flag, &t->all}, {"quiet", 'q', false, take_flag, &t->quiet},
		{"limit", 'l', true, take_text, &t->limit}, {"tag", 0, true, take_list, &t->tags}};
	char *argv[200] = {name}, *save = NULL;
	FILE *out, *err;
	int argc = 1, saved_out, saved_err;

	*t = (struct taken){.fine = false};
	(void)snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	capture(1, stdout, &saved_out, &out);
	capture(2, stderr, &saved_err, &err);
	t->fine = args_parse(argc, argv, args, COUNT(args), with_words ? &t->words : NULL, HELP, &t->done);
	restore(2, stderr, saved_err, err, t->err, sizeof(t->err));
	restore(1, stdout, saved_out, out, t->out, sizeof(t->out));
}

static void test_options(void **state)
{
	struct taken t;

	(void)state;
	parse("", true, &t);
	assert_true(t.fine && !t.done && !t.all && !t.limit && t.words.n == 0);
	parse("--all -q --limit 5 --tag a --tag=b one two", true, &t);
	assert_true(t.fine && !t.done && t.all && t.quiet);
	assert_string_equal(t.limit, "5");
	assert_int_equal(t.tags.n, 2);
	assert_string_equal(t.tags.v[1], "b");
	assert_null(t.tags.v[2]);
	assert_int_equal(t.words.n, 2);
	assert_string_equal(t.words.v[1], "two");
	assert_string_equal(t.err, "");
}

static void test_values(void **state)
{
	static const struct {
		const char *line, *limit;
	} cases[] = {{"--limit=5", "5"}, {"--limit 5", "5"}, {"-l 5", "5"}, {"-l5", "5"}, {"--limit=", ""},
		{"--limit=a=b", "a=b"}, {"--limit --all", "--all"}, {"--limit -5", "-5"}, {"--limit 1 --limit 2", "2"}};
	struct taken t;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		parse(cases[i].line, true, &t);
		assert_true(t.fine);
		assert_string_equal(t.limit, cases[i].limit);
	}
}

static void test_end_of_options(void **state)
{
	struct taken t;

	(void)state;
	parse("a -- --all -q -- --help", true, &t);
	assert_true(t.fine && !t.done && !t.all && !t.quiet);
	assert_int_equal(t.words.n, 5);
	assert_string_equal(t.words.v[1], "--all");
	assert_string_equal(t.words.v[3], "--");
	parse("-", true, &t);
	assert_true(t.fine && t.words.n == 1);
}

static void test_help(void **state)
{
	static const char *const lines[] = {"--help", "-h", "--all --help", "word -h", "--help --nonsense"};
	struct taken t;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		parse(lines[i], true, &t);
		assert_true(t.fine && t.done);
		assert_string_equal(t.out, HELP);
		assert_string_equal(t.err, "");
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {{"--nonsense", "no option '--nonsense'"}, {"-x", "no option '-x'"}, {"--al", "no option '--al'"},
		{"--allx", "no option"}, {"--limit", "needs a value"}, {"-l", "needs a value"},
		{"--all=1", "takes no value"}, {"-qq", "takes no value"}, {"--=x", "no option"},
		{"word", "one word too many"}, {"-- word", "one word too many"}};
	struct taken t;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		parse(cases[i].line, false, &t);
		assert_false(t.fine);
		assert_string_equal(t.out, "");
		assert_non_null(strstr(t.err, cases[i].why));
		assert_true(strncmp(t.err, "glane: ", 7) == 0);
	}
}

static void test_too_many(void **state)
{
	char line[1024] = "", words[1024] = "";
	struct taken t;

	(void)state;
	for (size_t i = 0; i < LIST_MAX; i++) {
		(void)snprintf(line + strlen(line), sizeof(line) - strlen(line), "--tag=%zu ", i);
		(void)snprintf(words + strlen(words), sizeof(words) - strlen(words), "%zu ", i);
	}
	parse(line, true, &t);
	assert_true(t.fine && t.tags.n == LIST_MAX);
	(void)snprintf(line + strlen(line), sizeof(line) - strlen(line), "--tag=x");
	parse(line, true, &t);
	assert_false(t.fine);
	assert_non_null(strstr(t.err, "more than 64 times"));
	parse(words, true, &t);
	assert_true(t.fine && t.words.n == LIST_MAX);
	(void)snprintf(words + strlen(words), sizeof(words) - strlen(words), "x");
	parse(words, true, &t);
	assert_false(t.fine);
}

static void test_numbers_and_times(void **state)
{
	int64_t v = 7;
	FILE *err;
	int saved;
	char text[4096];

	(void)state;
	assert_true(arg_number("limit", NULL, 1, 9, &v) && v == 7);
	assert_true(arg_number("limit", "9", 1, 9, &v) && v == 9);
	assert_true(arg_time("now", NULL, &v) && v == 9);
	assert_true(arg_time("now", "1970-01-01T00:00:10Z", &v) && v == 10);
	assert_true(arg_time("now", "1970-01-01T01:00:10+01:00", &v) && v == 10);
	assert_true(arg_time("now", "1970-01-02", &v) && v == 86400);
	capture(2, stderr, &saved, &err);
	assert_false(arg_number("limit", "0", 1, 9, &v));
	assert_false(arg_number("limit", "10", 1, 9, &v));
	assert_false(arg_number("limit", "", 1, 9, &v));
	assert_false(arg_number("limit", "5x", 1, 9, &v));
	assert_false(arg_time("now", "now", &v));
	assert_false(arg_time("now", "", &v));
	restore(2, stderr, saved, err, text, sizeof(text));
	assert_int_equal(v, 86400);
	assert_non_null(strstr(text, "--limit 10: not a number between 1 and 9"));
}

static void test_ages(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {{0, "0 minutes"}, {59, "0 minutes"}, {60, "1 minute"}, {7199, "119 minutes"}, {7200, "2 hours"},
		{172799, "47 hours"}, {172800, "2 days"}, {604800, "7 days"}};
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		age_text(cases[i].seconds, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_end_of_options),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_numbers_and_times),
		cmocka_unit_test(test_ages),
	};

	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
