/* SPDX-License-Identifier: MIT */
/* Numbers. First line: a number; second: another; third: decimal mark, group and a number as a provider writes it. */
#include "fuzz.h"
#include "model/decimal.h"
#include <math.h>
#include <stdlib.h>

static bool same_double(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0 || (a == 0 && b == 0) || (isnan(a) && isnan(b));
}

static void printed_again(struct slice text, const struct decimal *v)
{
	struct decimal again;
	struct strbuf b;

	strbuf_init(&b, 0);
	decimal_print(&b, v->coef, v->exp10);
	FUZZ_SAY(!v->canonical || slice_eq(strbuf_get(&b), text), "%.*s -> %s", SLICE_FMT(text), b.p);
	FUZZ_SAY(decimal_parse(strbuf_get(&b), &again) == DECIMAL_OK || b.n > DECIMAL_MAX_DIGITS, "%s", b.p);
	FUZZ_SAY(b.n > DECIMAL_MAX_DIGITS || v->exp10 > 0 || (again.coef == v->coef && again.exp10 == v->exp10), "%s",
		b.p);
	FUZZ_SAY(decimal_places(strbuf_get(&b)) == decimal_places_of(v->exp10), "%s", b.p);
	FUZZ_SAY(same_double(strtod(b.p, NULL), decimal_double(v->coef, v->exp10)), "%s", b.p);
	strbuf_release(&b);
}

static enum decimal_kind check_number(struct slice text, const char *cstr, struct decimal *v)
{
	enum decimal_kind kind = decimal_parse(text, v), plain_kind;
	bool is_number = kind == DECIMAL_OK || kind == DECIMAL_LONG;
	struct decimal again;
	struct strbuf plain;

	FUZZ_CHECK(kind == DECIMAL_OK || kind == DECIMAL_LONG || v->exp10 == DECIMAL_NONE);
	FUZZ_CHECK(v->coef > -1000000000000000000 && v->coef < 1000000000000000000);
	FUZZ_CHECK(v->exp10 == DECIMAL_NONE || (v->exp10 >= -127 && v->exp10 <= 127));
	FUZZ_SAY(same_double(decimal_text_double(text), is_number ? strtod(cstr, NULL) : (double)NAN) ||
			 kind == DECIMAL_RANGE,
		"%s is %g", cstr, decimal_text_double(text));
	if (kind == DECIMAL_OK)
		printed_again(text, v);
	strbuf_init(&plain, 0);
	decimal_expand(&plain, text);
	FUZZ_SAY(is_number == (plain.n > 0), "%s", cstr);
	if (plain.n) {
		plain_kind = decimal_parse(strbuf_get(&plain), &again);
		FUZZ_SAY(plain_kind == DECIMAL_OK || plain_kind == DECIMAL_LONG, "%s -> %s", cstr, plain.p);
		FUZZ_SAY(!memchr(plain.p, 'e', plain.n) && !memchr(plain.p, 'E', plain.n), "%s", plain.p);
		FUZZ_SAY(same_double(strtod(plain.p, NULL), strtod(cstr, NULL)), "%s -> %s", cstr, plain.p);
	}
	strbuf_release(&plain);
	return kind;
}

static void check_order(const struct decimal *a, const struct decimal *b)
{
	int ab = decimal_cmp(a->coef, a->exp10, b->coef, b->exp10);
	double x = decimal_double(a->coef, a->exp10), y = decimal_double(b->coef, b->exp10);

	FUZZ_CHECK(ab == -decimal_cmp(b->coef, b->exp10, a->coef, a->exp10));
	FUZZ_CHECK(decimal_cmp(a->coef, a->exp10, a->coef, a->exp10) == 0);
	/* Rounding keeps the order, but may make equal. */
	FUZZ_SAY(ab < 0 ? x <= y : ab > 0 ? x >= y : same_double(x, y), "%d: %g %g", ab, x, y);
}

static void check_survival(const struct decimal *v)
{
	int places = decimal_places_of(v->exp10);
	struct strbuf exact, printed;

	strbuf_init(&exact, 0);
	strbuf_init(&printed, 0);
	decimal_print(&exact, v->coef, v->exp10);
	strbuf_fmt(&printed, "%.*f", places, decimal_double(v->coef, v->exp10));
	FUZZ_SAY(slice_eq(strbuf_get(&exact), strbuf_get(&printed)) == decimal_survives_double(v->coef, v->exp10),
		"%s, as a double %s", exact.p, printed.p);
	strbuf_release(&exact);
	strbuf_release(&printed);
}

static void check_local(struct slice line)
{
	struct decimal v;
	struct strbuf b;

	if (line.n < 2)
		return;
	strbuf_init(&b, 0);
	if (decimal_localise(
		    (struct slice){line.p + 2, line.n - 2}, line.p[0], line.p[1] == '0' ? '\0' : line.p[1], &b))
		FUZZ_SAY(decimal_parse(strbuf_get(&b), &v) != DECIMAL_TEXT, "%.*s -> %s", SLICE_FMT(line), b.p);
	else
		FUZZ_SAY(b.n == 0, "it says no, but appends %s", b.p);
	strbuf_release(&b);
}

FUZZ_TARGET(decimal)
{
	struct slice first = fuzz_line(&in), second = fuzz_line(&in);
	struct decimal a, b;
	struct arena arena;
	enum decimal_kind kind_a, kind_b;

	arena_init(&arena, 0);
	kind_a = check_number(first, fuzz_cstr(&arena, first), &a);
	kind_b = check_number(second, fuzz_cstr(&arena, second), &b);
	if (kind_a == DECIMAL_OK && kind_b == DECIMAL_OK)
		check_order(&a, &b);
	if (kind_a == DECIMAL_OK && (a.canonical || a.coef))
		check_survival(&a);
	check_local(fuzz_line(&in));
	arena_release(&arena);
}
