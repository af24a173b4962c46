/* SPDX-License-Identifier: MIT */
/* Command lines, and the few things that every command does. */
#include "app/app.h"

#include "base/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool take_text(void *to, const char *value)
{
	const char **text = to;

	*text = value;
	return true;
}

bool take_flag(void *to, const char *value)
{
	bool *flag = to;

	(void)value;
	*flag = true;
	return true;
}

bool take_list(void *to, const char *value)
{
	struct list *l = to;

	if (l->n == LIST_MAX)
		return false;
	l->v[l->n++] = value;
	return true;
}

bool list_has(const struct list *l, struct slice item)
{
	for (size_t i = 0; i < l->n; i++)
		if (slice_is(item, l->v[i]))
			return true;
	return false;
}

void print_visible(const char *fmt, ...)
{
	struct strbuf raw, b;
	va_list ap;

	strbuf_init(&raw, 0);
	strbuf_init(&b, 0);
	va_start(ap, fmt);
	strbuf_vfmt(&raw, fmt, ap);
	va_end(ap);
	strbuf_visible(&b, strbuf_get(&raw));
	strbuf_putc(&b, '\n');
	(void)fwrite(strbuf_get(&b).p, 1, b.n, stdout);
	strbuf_release(&raw);
	strbuf_release(&b);
}

void age_text(int64_t seconds, char buf[32])
{
	const int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
	const int64_t n = hours >= 48 ? days : hours >= 2 ? hours : minutes;

	(void)snprintf(buf, 32, "%lld %s%s", (long long)n,
		hours >= 48  ? "day"
		: hours >= 2 ? "hour"
			     : "minute",
		n == 1 ? "" : "s");
}

int complain(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("glane: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

static const struct arg *find_long(const struct arg *args, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(name, args[i].name))
			return &args[i];
	return NULL;
}

static const struct arg *find_letter(const struct arg *args, size_t n, char letter)
{
	for (size_t i = 0; i < n; i++)
		if (letter && args[i].letter == letter)
			return &args[i];
	return NULL;
}

/* One option at argv[*i]; a value may follow '=' or stand in the next word. */
static bool take_option(int argc, char **argv, int *i, const struct arg *args, size_t n)
{
	const char *word = argv[*i], *value = NULL;
	const struct arg *a;

	if (word[1] == '-') {
		struct slice rest = slice_of(word + 2), name = slice_cut(&rest, '=');

		a = find_long(args, n, name);
		value = rest.p;
	} else {
		a = find_letter(args, n, word[1]);
		if (a && word[2])
			value = word + 2;
	}
	if (!a) {
		complain(EXIT_USAGE, "%s has no option '%s' (--help lists them)", argv[0], word);
		return false;
	}
	if (a->has_value && !value && *i + 1 < argc)
		value = argv[++*i];
	if (a->has_value != (value != NULL)) {
		complain(
			EXIT_USAGE, a->has_value ? "%s: '%s' needs a value" : "%s: '%s' takes no value", argv[0], word);
		return false;
	}
	if (!a->take(a->to, value)) {
		complain(EXIT_USAGE, "%s: '%s' more than %d times", argv[0], word, LIST_MAX);
		return false;
	}
	return true;
}

bool args_parse(
	int argc, char **argv, const struct arg *args, size_t n, struct list *words, const char *help, bool *ret_done)
{
	bool only_words = false;

	*ret_done = false;
	for (int i = 1; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
			fputs(help, stdout);
			*ret_done = true;
			return true;
		} else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
			if (!take_option(argc, argv, &i, args, n))
				return false;
		} else if (!words || !take_list(words, argv[i])) {
			if (find_long(args, n, SLICE("source")))
				complain(EXIT_USAGE,
					"%s: '%s' is one word too many; a source is named by --source %s (--help says "
					"what "
					"it takes)",
					argv[0], argv[i], argv[i]);
			else
				complain(EXIT_USAGE, "%s: '%s' is one word too many (--help says what it takes)",
					argv[0], argv[i]);
			return false;
		}
	}
	return true;
}

bool arg_number(const char *name, const char *value, int64_t min, int64_t max, int64_t *ret)
{
	if (!value || slice_int(slice_of(value), min, max, ret))
		return true;
	complain(
		EXIT_USAGE, "--%s %s: not a number between %lld and %lld", name, value, (long long)min, (long long)max);
	return false;
}

bool arg_time(const char *name, const char *value, int64_t *ret)
{
	if (!value || time_parse(slice_of(value), ret))
		return true;
	complain(EXIT_USAGE, "--%s %s: not a time as 2026-11-23T06:00:00Z", name, value);
	return false;
}

int app_settings(const struct app *a, struct settings *s)
{
	struct diag d;

	diag_clear(&d);
	if (settings_load(s, a->conf, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	if (a->store)
		s->store = a->store;
	return EXIT_FINE;
}

int app_store(const struct settings *s, struct store *st)
{
	struct diag d;

	diag_clear(&d);
	if (store_open(st, s->store, false, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	return EXIT_FINE;
}

int app_sources(const struct settings *s, const struct store *st, const struct list *names)
{
	const char **kept = NULL;
	struct arena a;
	struct diag d;
	size_t n = 0, k;
	int code = EXIT_FINE;

	diag_clear(&d);
	arena_init(&a, 0);
	if (st && store_sources(st, &a, &kept, &n, &d) != GLANE_OK)
		code = complain(EXIT_STORE, "%s", d.text);
	for (size_t i = 0; code == EXIT_FINE && i < names->n; i++) {
		for (k = 0; k < n && strcmp(kept[k], names->v[i]) != 0;)
			k++;
		if (k == n && !settings_find(s, names->v[i]))
			code = complain(EXIT_USAGE, "no source is called '%s' (glane sources lists them)", names->v[i]);
	}
	arena_release(&a);
	return code;
}

int app_no_plugin(const struct settings *s, const char *name)
{
	struct diag d;

	diag_clear(&d);
	(void)settings_no_plugin(s, name, &d);
	return complain(EXIT_USAGE, "%s", d.text);
}

glane_rc app_store_open(const struct settings *s, bool write, struct store *ret, struct diag *d)
{
	glane_rc rc = store_open(ret, s->store, false, d);

	if (rc < 0 || !write)
		return rc;
	store_close(ret);
	return store_open(ret, s->store, true, d);
}

const char *app_tmp(void)
{
	const char *tmp = getenv("TMPDIR");

	return tmp && *tmp ? tmp : "/tmp";
}

int flush_out(void)
{
	errno = 0;
	while (fflush(stdout) != 0 && errno == EINTR)
		clearerr(stdout); /* what was not written is still in the buffer */
	if (ferror(stdout))       /* perhaps since an earlier line, whose reason is not known any more */
		return complain(
			EXIT_STORE, "cannot write the result%s%s", errno ? ": " : "", errno ? strerror(errno) : "");
	return EXIT_FINE;
}
