/* SPDX-License-Identifier: MIT */
/* Exact decimals: coef * 10^exp10 with |coef| < 10^18, so up to 18 significant digits; never a binary double inside. */
#ifndef MODEL_DECIMAL_H
#define MODEL_DECIMAL_H
#include "base/diag.h"
#include "base/strbuf.h"

#define DECIMAL_NONE (-128) /* exp10 of "no number" */
#define DECIMAL_MAX_DIGITS 18
#define DECIMAL_MAX_EXP 308 /* magnitude limit: as a double's; 1e999 and 1e-999 are errors, not infinity or zero */

enum decimal_kind {
	DECIMAL_OK,    /* exact */
	DECIMAL_LONG,  /* a number of more than 18 significant digits (trailing zeros count): keep the text; coef and
			   exp10 hold its first 18 digits, truncated. Also one whose exp10 is outside -127..127 (1e200):
			   coef is 0, exp10 DECIMAL_NONE, and the text alone holds it */
	DECIMAL_TEXT,  /* not a number: keep the text */
	DECIMAL_RANGE, /* a number beyond 1e308 or nearer to zero than 1e-308: an error */
};
struct decimal {
	int64_t coef;
	int exp10;      /* DECIMAL_NONE or -127..127; trailing zeros of the text are kept: 1.50 is 150 * 10^-2 */
	bool canonical; /* decimal_print() gives the text back byte for byte; false for "-0", whose value is 0 */
};
/*
 * Grammar: [+-]digits[.digits][(e|E)[+-]digits], also .5 and 5. ; no blanks, no grouping. Exact zero with any exponent
 * is 0. *ret is always set: to DECIMAL_NONE for DECIMAL_TEXT and DECIMAL_RANGE.
 */
enum decimal_kind decimal_parse(struct slice text, struct decimal *ret);
/* Plain notation, no exponent, "-0.50"; appended. exp10 > 0 appends zeros; DECIMAL_NONE appends nothing. */
void decimal_print(struct strbuf *b, int64_t coef, int exp10);
/* Plain notation of a number's text of any length (DECIMAL_OK or DECIMAL_LONG), all digits kept; else nothing. */
void decimal_expand(struct strbuf *b, struct slice text);
/* Digits after the point of the text: 0 for 5 and 5e3, 2 for 1.50; DECIMAL_LONG texts too. */
int decimal_places(struct slice text);
int decimal_places_of(int exp10); /* max(0, -exp10) */
/* -1, 0, 1: order of the values; 1.5 equals 1.50. */
int decimal_cmp(int64_t a_coef, int a_exp10, int64_t b_coef, int b_exp10);
/* Nearest double (ties to even), correctly rounded. */
double decimal_double(int64_t coef, int exp10);
double decimal_text_double(struct slice text); /* of a number's text of any length; NaN of any other text */
/* True where printing the nearest double with `decimals` fixed digits gives the same plain text back. */
bool decimal_survives_double(int64_t coef, int exp10);
/*
 * Removes group characters and maps the decimal mark to '.': "1.234,5" with ',' and '.' -> "1234.5". Groups are threes
 * ("1.23" is no such number), a blank as group stands for U+00A0 and U+202F too, group 0: none. Appends to b, which
 * must not hold the text. False: not such a number, nothing is appended (the text is then left to be kept as text).
 */
bool decimal_localise(struct slice text, char mark, char group, struct strbuf *b);
#endif
