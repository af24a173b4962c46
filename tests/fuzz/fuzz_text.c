/* SPDX-License-Identifier: MIT */
/* Small readers of text, a line each: an integer, a time, an HTTP date, a duration, a size, a pattern and a name for it. */
#include "base/clock.h"
#include "fuzz.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static void check_int(struct slice s, const char *cstr)
{
	int64_t v, half;
	char *end;
	long long want;
	bool ok = slice_int(s, INT64_MIN, INT64_MAX, &v);

	errno = 0;
	want = strtoll(cstr, &end, 10);
	FUZZ_SAY(!ok || (want == v && !*end && errno == 0), "%s is %lld", cstr, (long long)v);
	if (!ok && *cstr && !*end && errno == 0 && strlen(cstr) == s.n)
		FUZZ_SAY(isspace((unsigned char)*cstr) || *cstr == '+', "%s is no integer", cstr);
	if (ok && v > INT64_MIN / 2 && v < INT64_MAX / 2)
		FUZZ_CHECK(!slice_int(s, v + 1, INT64_MAX, &half) && !slice_int(s, INT64_MIN, v - 1, &half));
}

static void check_time(struct slice s)
{
	char text[32], again[32];
	int64_t t, u;

	if (time_parse(s, &t)) {
		time_format(t, text);
		FUZZ_SAY(time_parse(slice_of(text), &u), "%s", text);
		time_format(u, again);
		FUZZ_SAY(strcmp(text, again) == 0, "%s %s", text, again);
	}
}

static void check_units(struct slice http, struct slice duration, struct slice size)
{
	char text[32];
	int64_t t;

	if (time_parse_http(http, &t))
		time_format(t, text);
	FUZZ_CHECK(!duration_parse(duration, false, &t) || t >= 0);
	FUZZ_CHECK(!duration_parse(duration, true, &t) || t >= 0);
	FUZZ_CHECK(!size_parse(size, &t) || t >= 0);
}

/* '*' and '?' by the book: a '?' is one character, or a byte that is part of none. */
static bool glob(struct slice s, const char *p)
{
	size_t n = slice_char(s);

	if (*p == '*')
		return glob(s, p + 1) || (s.n && glob((struct slice){s.p + 1, s.n - 1}, p));
	if (!*p || !s.n)
		return !*p && !s.n;
	n = *p == '?' && n ? n : 1;
	return (*p == '?' || *p == *s.p) && glob((struct slice){s.p + n, s.n - n}, p + 1);
}

static void check_text(struct slice s)
{
	struct strbuf shown, percent;
	struct slice rest = s;
	size_t n = 0;

	strbuf_init(&shown, 0);
	strbuf_init(&percent, 0);
	strbuf_visible(&shown, s);
	FUZZ_CHECK(slice_is_utf8(strbuf_get(&shown)));
	for (size_t i = 0; i < shown.n; i++)
		FUZZ_CHECK((unsigned char)shown.p[i] >= ' ' && shown.p[i] != 0x7f);
	strbuf_percent(&percent, s, "");
	for (size_t i = 0; i < percent.n; i++)
		FUZZ_CHECK(isalnum((unsigned char)percent.p[i]) || strchr("-._~%", percent.p[i]));
	while (rest.n && (n = slice_char(rest)) != 0)
		rest = (struct slice){rest.p + n, rest.n - n};
	FUZZ_CHECK(slice_is_utf8(s) == (rest.n == 0));
	strbuf_release(&shown);
	strbuf_release(&percent);
}

FUZZ_TARGET(text)
{
	struct slice integer = fuzz_line(&in), time = fuzz_line(&in), http = fuzz_line(&in), duration = fuzz_line(&in),
		     size = fuzz_line(&in), pattern = fuzz_line(&in), name = fuzz_line(&in);
	const char *p;
	struct arena a;

	arena_init(&a, 0);
	check_int(integer, fuzz_cstr(&a, integer));
	check_time(time);
	check_units(http, duration, size);
	p = fuzz_cstr(&a, pattern);
	if (strlen(p) < 8 && name.n < 24)
		FUZZ_SAY(glob(name, p) == slice_glob(name, p), "%.*s %s", SLICE_FMT(name), p);
	else
		(void)slice_glob(name, p);
	check_text(name);
	arena_release(&a);
}
