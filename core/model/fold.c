/* SPDX-License-Identifier: MIT */
/* Names made comparable. */
#include "model/fold.h"

/* Base letters of U+00C0 to U+017F, two bytes each where a letter has two; '.' is no letter. */
static const char base_letters[] = "a a a a a a aec e e e e i i i i d n o o o o o . o u u u u y thss"
				   "a a a a a a aec e e e e i i i i d n o o o o o . o u u u u y thy "
				   "a a a a a a c c c c c c c c d d d d e e e e e e e e e e g g g g "
				   "g g g g h h h h i i i i i i i i i i ijijj j k k k l l l l l l l "
				   "l l l n n n n n n n n n o o o o o o oeoer r r r r r s s s s s s "
				   "s s t t t t t t u u u u u u u u u u u u w w y y y z z z z z z s ";

/* Takes one character; a malformed byte stands for itself. */
static uint32_t take_char(struct slice *s, size_t *ret_bytes)
{
	const unsigned char *p = (const unsigned char *)s->p;
	size_t n = slice_char(*s);
	uint32_t c = n > 1 ? p[0] & (0xFFU >> (n + 1)) : p[0];

	*ret_bytes = n ? n : 1;
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3FU);
	if (n == 0)
		c = UINT32_MAX;
	*s = (struct slice){s->p + *ret_bytes, s->n - *ret_bytes};
	return c;
}

static bool is_apostrophe(uint32_t c)
{
	return c == '\'' || c == '`' || c == 0xB4 || c == 0x2BC || (c >= 0x2018 && c <= 0x201B);
}

/* Marks, blanks and dashes between words. */
static bool is_between(uint32_t c)
{
	return c < 0xC0 || c == 0xD7 || c == 0xF7 || (c >= 0x2000 && c <= 0x206F) || c == 0x3000 || c == 0xFEFF;
}

static void add_word(struct strbuf *b, size_t start, bool *between, const char *p, size_t n)
{
	if (*between && b->n > start)
		strbuf_putc(b, ' ');
	*between = false;
	strbuf_add(b, p, n);
}

static void add_char(struct strbuf *b, size_t start, bool *between, uint32_t c, struct slice bytes)
{
	char ascii = (char)c;

	if (is_apostrophe(c) || (c >= 0x300 && c <= 0x36F))
		return;
	if (c >= 'A' && c <= 'Z')
		ascii = (char)(c - 'A' + 'a');
	if ((ascii >= 'a' && ascii <= 'z' && c < 0x80) || (c >= '0' && c <= '9')) {
		add_word(b, start, between, &ascii, 1);
	} else if (c == '&') {
		*between = true;
		add_word(b, start, between, "and", 3);
		*between = true;
	} else if (is_between(c)) {
		*between = true;
	} else if (c <= 0x17F) {
		const char *letters = base_letters + 2 * (size_t)(c - 0xC0);

		add_word(b, start, between, letters, letters[1] == ' ' ? 1 : 2);
	} else {
		add_word(b, start, between, bytes.p, bytes.n);
	}
}

/* Without the article behind a comma or in parentheses. */
static struct slice without_article(struct slice name)
{
	static const char *const articles[] = {", the", "(the)", "(le)", "(la)", "(les)", "(l')", "(l\xE2\x80\x99)"};

	name = slice_trim(name);
	for (size_t i = 0; i < sizeof(articles) / sizeof(*articles); i++) {
		size_t n = strlen(articles[i]), k = 0;

		if (n >= name.n)
			continue;
		for (; k < n; k++) {
			char c = name.p[name.n - n + k];

			if (c >= 'A' && c <= 'Z')
				c = (char)(c - 'A' + 'a');
			if (c != articles[i][k])
				break;
		}
		if (k == n)
			return (struct slice){name.p, name.n - n};
	}
	return name;
}

void name_fold(struct strbuf *b, struct slice name)
{
	struct slice rest = without_article(name);
	size_t start = b->n, n;
	bool between = false;

	while (rest.n) {
		const char *p = rest.p;
		uint32_t c = take_char(&rest, &n);

		add_char(b, start, &between, c, (struct slice){p, n});
	}
	if (!b->failed && b->n - start > 4 && memcmp(b->p + start, "the ", 4) == 0) {
		memmove(b->p + start, b->p + start + 4, b->n - start - 4 + 1);
		b->n -= 4;
	}
}
