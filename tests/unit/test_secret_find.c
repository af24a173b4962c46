/* SPDX-License-Identifier: MIT */
/* Secrets struck out of what is recorded, however the provider wrote them. */
#include "support/cmocka.h"

#include "base/mem.h"
#include "net/fetch_secret.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void scrubbed(const char *secret, const char *text, const char *want, size_t n)
{
	const struct fetch_secret spec = {"key", "env:GLANE_TEST_SCRUB"};
	struct secret_finder s;
	struct strbuf b;
	struct diag d;

	diag_clear(&d);
	strbuf_init(&b, 0);
	setenv("GLANE_TEST_SCRUB", secret, 1);
	assert_int_equal(secret_finder_load(&s, &spec, 1, &d), GLANE_OK);
	assert_int_equal(secret_replace(&s, slice_of(text), false, NULL, &b), n);
	strbuf_putc(&b, 0);
	assert_true(strbuf_ok(&b));
	assert_string_equal(b.p, want);
	secret_finder_release(&s);
	strbuf_release(&b);
}

static void every_writing(void **state)
{
	(void)state;
	scrubbed("k3y/x", "a k3y/x b", "a {auth:key} b", 1);
	scrubbed("k3y/x", "k3y%2Fx k3y%2fx %6b3y%2Fx", "{auth:key} {auth:key} {auth:key}", 3);
	scrubbed("k3y/x", "k3y\\/x k3y\\u002Fx k3y\\\\/x", "{auth:key} {auth:key} {auth:key}", 3);
	scrubbed("k3y\"x", "k3y\"\"x k3y\\\"x k3y\\\\\"\"x k3y&quot;x k3y&#34;x k3y&#x22;x",
		"{auth:key} {auth:key} {auth:key} {auth:key} {auth:key} {auth:key}", 6);
	scrubbed("k3y\\x", "k3y\\x k3y\\\\x", "{auth:key} {auth:key}", 2);
	scrubbed("k3y\"\"x", "k3y\"\"x", "{auth:key}", 1);
	scrubbed("k3yx", "a3l5eA== azN5eA==", "a3l5eA== {auth:key}", 1);
	scrubbed("a&b<c", "a&amp;b&lt;c", "{auth:key}", 1);
}

static void escapes_of_escapes(void **state)
{
	(void)state;
	scrubbed("k3y/x", "k3y%252Fx k3y%25252Fx %256b3y%2Fx k3y%26%2347%3Bx",
		"{auth:key} {auth:key} {auth:key} {auth:key}", 4);
	scrubbed("k3y/x", "k3y\\x2fx k3y\\\\x2Fx \\x6b3y/x k3y\\\\\\/x", "{auth:key} {auth:key} {auth:key} {auth:key}",
		4);
	scrubbed("k3y/x", "k3y&#0047;x k3y&#x002f;x k3y&amp;#47;x", "{auth:key} {auth:key} {auth:key}", 3);
	scrubbed("k3 y/x", "k3+y%2Fx k3%20y/x k3 y/x", "{auth:key} {auth:key} {auth:key}", 3);
	scrubbed("k%41y/x", "k%41y/x k%2541y%2Fx k%41y\\/x", "{auth:key} {auth:key} {auth:key}", 3);
	scrubbed("k\\\\y\"", "k\\\\y\" k\\\\\\\\y\\\" k\\\\y\"\"", "{auth:key} {auth:key} {auth:key}", 3);
}

/* The broker looks through every body: a few steps for each byte, whatever the provider writes. */
static void any_text(void **state)
{
	static const char *const of[] = {"&", "&#", "&%\\", "&amp;", "\\u0026", "%2", "&#x", "%26"};
	struct secret_finder s = {.v = NULL};
	static char text[1 << 18];

	(void)state;
	assert_true(secret_finder_add(&s, "key", slice_of("S3cr3tValue")));
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		const clock_t begun = clock(); /* of this process: busy machines do not count */

		for (size_t n = 0; n < sizeof(text); n++)
			text[n] = of[i][n % strlen(of[i])];
		assert_int_equal(secret_replace(&s, (struct slice){text, sizeof(text)}, false, NULL, NULL), 0);
		assert_true(
			clock() - begun < 20 * CLOCKS_PER_SEC); /* 90 s where each level tries 16 names; now 0.1 s */
	}
	secret_finder_release(&s);
}

static void coded(void **state)
{
	(void)state;
	scrubbed("S3cr3tValue", "53336372337456616c7565 53336372337456616C7565", "{auth:key} {auth:key}", 2);
	/* of "user:", "us:", "u:" and nothing before it; padding or none */
	scrubbed("S3cr3tValue", "dXNlcjpTM2NyM3RWYWx1ZQ== dXM6UzNjcjN0VmFsdWU= dTpTM2NyM3RWYWx1ZQ UzNjcjN0VmFsdWU",
		"dXNlcj{auth:key} dXM6{auth:key} dT{auth:key} {auth:key}", 4);
	scrubbed("S3cr3tValue", "Basic%20dXNlcjpTM2NyM3RWYWx1ZQ%3D%3D", "Basic%20dXNlcj{auth:key}%3D%3D", 1);
	/* of another text around it: nothing of it can be read from what is left */
	scrubbed("S3cr3tValue", "YTpTM2NyM3RWYWx1ZTpi YWE6UzNjcjN0VmFsdWU6Yg", "YT{auth:key}pi YWE6{auth:key}6Yg", 2);
	scrubbed("\xc3\xbf\xc3\xbe\xc3\xbf?>", "w7/DvsO/Pz4= w7_DvsO_Pz4 w7%2FDvsO%2FPz4%3D",
		"{auth:key} {auth:key} {auth:key}%3D", 3);
	scrubbed("YWxpY2U6cGE1NXdvcmQ=", "YWxpY2U6cGE1NXdvcmQ= YWxpY2U6cGE1NXdvcmQ alice:pa55word pa55word alice",
		"{auth:key} {auth:key} {auth:key} {auth:key} alice", 4);
}

static void nothing_else(void **state)
{
	(void)state;
	scrubbed("k3y/x", "", "", 0);
	scrubbed("k3y/x", "k3y/ k3y%2 k3y% k3y\\ k3y\\u002 k3y&", "k3y/ k3y%2 k3y% k3y\\ k3y\\u002 k3y&", 0);
	scrubbed("aaaa", "aaa aaaaa", "aaa {auth:key}a", 1);
}

static void too_short(void **state)
{
	const struct fetch_secret spec = {"key", "env:GLANE_TEST_SCRUB"};
	struct secret_finder s;
	struct diag d;

	(void)state;
	diag_clear(&d);
	setenv("GLANE_TEST_SCRUB", "abc", 1);
	assert_int_equal(secret_finder_load(&s, &spec, 1, &d), GLANE_E_CONFIG);
	assert_non_null(strstr(d.text, "'key' is shorter than 4"));
	secret_finder_release(&s);
}

/* ---- a search that reads each escape anew wherever it looks: slow, and plain enough to be believed */

#define LEVELS 4
#define ENTITY 16

enum { PLAIN, HEX, BASE64 };
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool stands_for(uint8_t kind, unsigned char c, unsigned char want)
{
	if (c == want)
		return true;
	if (kind == PLAIN)
		return c == '+' && want == ' ';
	if (kind == HEX)
		return (c | 0x20) == want && want >= 'a';
	return (want == '+' && (c == '-' || c == ' ')) || (want == '/' && c == '_');
}

static size_t next_char(struct slice t, unsigned level, unsigned char *ret);

static struct slice behind(struct slice t, size_t n)
{
	return (struct slice){t.p + n, t.n - n};
}

static bool is_escape(char c)
{
	return c == '%' || c == '&' || c == '\\';
}

static int hex(unsigned char c)
{
	const unsigned char lower = c | 0x20;

	return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Bytes of n hexadecimal digits that are a character of ASCII; 0: there are none. */
static size_t code(struct slice t, unsigned level, size_t n, unsigned char *ret)
{
	unsigned char c = 0;
	unsigned v = 0;
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		const size_t used = next_char(behind(t, at), level, &c);

		if (!used || hex(c) < 0)
			return 0;
		at += used;
		v = v << 4 | (unsigned)hex(c);
	}
	*ret = (unsigned char)v;
	return v < 256 ? at : 0;
}

/* What stands between & and ; as a character; false: none of ours. */
static bool entity_char(const char *name, size_t n, unsigned char *ret)
{
	static const struct {
		const char *text;
		char c;
	} names[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
	const bool is_hex = n > 2 && (name[1] | 0x20) == 'x';
	const unsigned base = is_hex ? 16 : 10;
	unsigned v = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is((struct slice){name, n}, names[i].text)) {
			*ret = (unsigned char)names[i].c;
			return true;
		}
	if (n < 2 || name[0] != '#')
		return false;
	for (size_t i = is_hex ? 2 : 1; i < n; i++) {
		const int digit = hex((unsigned char)name[i]);

		if (digit < 0 || (unsigned)digit >= base || v > 255)
			return false;
		v = v * base + (unsigned)digit;
	}
	*ret = (unsigned char)v;
	return v > 0 && v < 128;
}

static bool is_name_char(unsigned char c)
{
	return c == '#' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static size_t entity(struct slice t, unsigned level, unsigned char *ret)
{
	char name[ENTITY];
	size_t at = 0;

	for (size_t n = 0; n < ENTITY; n++) {
		unsigned char c = 0;
		const size_t used = next_char(behind(t, at), level, &c);

		at += used;
		if (c == ';')
			return used && entity_char(name, n, ret) ? at : 0;
		if (!used || !is_name_char(c)) /* a text of ampersands would be read 16 times at each level */
			return 0;
		name[n] = (char)c;
	}
	return 0;
}

static size_t backslash(struct slice t, unsigned level, unsigned char *ret)
{
	unsigned char c = 0;
	const size_t used = next_char(t, level, &c),
		     n = used && (c == 'u' || c == 'x') ? code(behind(t, used), level, c == 'u' ? 4 : 2, ret) : 0;

	if (n)
		return used + n;
	if (!used || !strchr("\\/\"'", c))
		return 0;
	*ret = c;
	return used;
}

/* The character at the beginning of the text when escapes were undone so many times; how many bytes it takes, 0: the text ends. */
static size_t next_char(struct slice t, unsigned level, unsigned char *ret)
{
	unsigned char c = 0;
	size_t used, n = 0;

	if (!t.n)
		return 0;
	*ret = (unsigned char)t.p[0];
	if (!level || !is_escape(t.p[0]))
		return 1;
	used = next_char(t, level - 1, ret);
	if (*ret == '%')
		n = code(behind(t, used), level - 1, 2, &c);
	else if (*ret == '&')
		n = entity(behind(t, used), level - 1, &c);
	else if (*ret == '\\')
		n = backslash(behind(t, used), level - 1, &c);
	if (n)
		*ret = c;
	return used + n;
}

/* Bytes at the beginning of the text that stand for the character, after as many undone escapes as there may be; 0: none. */
static size_t stands(struct slice t, unsigned level, uint8_t kind, unsigned char want)
{
	if (t.n && !is_escape(t.p[0]))
		level = 0; /* it is the same on each */
	for (unsigned k = level + 1; k-- > 0;) {
		unsigned char c = 0;
		const size_t n = next_char(t, k, &c);

		if (n && stands_for(kind, c, want))
			return n;
	}
	return 0;
}

/* Doubled quotes: a run of n may stand 2 n times, or 4 n. Bytes of the longest such run. */
static size_t quotes(struct slice t, unsigned level, unsigned char quote, size_t n)
{
	size_t at = 0, found = 0, fits = n;

	for (size_t i = 1; i <= 4 * n; i++) {
		const size_t used = stands(behind(t, at), level, PLAIN, quote);

		if (!used)
			break;
		at += used;
		if (i == fits) {
			found = at;
			fits *= 2;
		}
	}
	return found;
}

/* *ret_escape: there was an escape on the way, and another level may find something else. */
static size_t written_as(struct slice text, const struct secret_form *f, unsigned level, bool *ret_escape)
{
	const struct slice want = strbuf_get(&f->text);
	size_t at = 0;

	*ret_escape = false;
	for (size_t i = 0, run; i < want.n; i += run) {
		const char c = want.p[i];
		const bool is_quote = f->kind == PLAIN && (c == '"' || c == '\'');
		const struct slice rest = behind(text, at);
		size_t n;

		run = 1;
		while (is_quote && i + run < want.n && want.p[i + run] == c)
			run++;
		*ret_escape |= rest.n && is_escape(rest.p[0]);
		n = is_quote ? quotes(rest, level, (unsigned char)c, run)
			     : stands(rest, level, f->kind, (unsigned char)c);
		if (!n)
			return 0;
		*ret_escape |= is_quote;
		at += n;
	}
	return at;
}

static bool is_base64(char c)
{
	return memchr(digits, c, 64) || c == '-' || c == '_';
}

/* The digit that the secret ends within, and the padding. */
static size_t ending(struct slice rest)
{
	size_t n = rest.n && is_base64(rest.p[0]);

	while (n < 3 && n < rest.n && rest.p[n] == '=')
		n++;
	return n;
}

/* The longest writing of any secret at the beginning of the text; 0: none. */
static size_t match(const struct secret_finder *s, struct slice text, const struct secret_form **ret)
{
	unsigned char first[LEVELS + 1] = {0};
	const unsigned n_first = is_escape(text.p[0]) ? LEVELS + 1 : 1;
	size_t longest = 0;

	for (unsigned k = 0; k < n_first; k++)
		next_char(text, k, &first[k]);
	for (size_t i = 0; i < s->n; i++) {
		const struct secret_form *f = &s->v[i];
		bool go_on = false;

		for (unsigned k = 0; k < n_first; k++)
			go_on |= stands_for(f->kind, first[k], (unsigned char)f->text.p[0]);
		for (unsigned level = 0; go_on && level <= LEVELS; level++) {
			size_t n = written_as(text, f, level, &go_on);

			if (n && f->tail)
				n += ending(behind(text, n));
			if (n > longest) {
				longest = n;
				*ret = f;
			}
		}
	}
	return longest;
}

/* The first one at `from` or behind it; 0: there is none. */
static size_t plain_next(const struct secret_finder *s, struct slice text, size_t from, struct secret_hit *ret)
{
	for (size_t i = from; i < text.n; i++) {
		const struct secret_form *f = NULL;
		const size_t n = match(s, behind(text, i), &f);

		if (n) {
			ret->at = i - (f->head && i > from && is_base64(text.p[i - 1]));
			ret->end = i + n;
			ret->name = f->name;
			return n;
		}
	}
	return 0;
}

/* ---- both of them on texts of what hurts */

#define TEXTS 20000

static uint32_t dice(uint64_t *state, uint32_t n)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33) % n;
}

/* Each of the text's characters as somebody may write it, here and there. */
static void write_once(struct strbuf *b, struct slice text, uint32_t often, uint64_t *seed)
{
	for (size_t i = 0; i < text.n; i++) {
		const unsigned char c = (unsigned char)text.p[i];

		switch (dice(seed, 8 * often)) {
		case 0:
			strbuf_fmt(b, "%%%02X", c);
			break;
		case 1:
			strbuf_fmt(b, "%%%02x", c);
			break;
		case 2:
			strbuf_fmt(b, "\\u%04x", c);
			break;
		case 3:
			strbuf_fmt(b, "\\x%02X", c);
			break;
		case 4:
			strbuf_fmt(b, "&#%u;", c);
			break;
		case 5:
			strbuf_fmt(b, "&#x00%x;", c);
			break;
		case 6:
			strbuf_puts(b, c == '&' ? "&amp;" : c == '"' ? "&quot;" : c == '<' ? "&lt;" : "+");
			break;
		case 7:
			strbuf_putc(b, c == '"' ? '"' : '\\');
			strbuf_putc(b, (char)c);
			break;
		default:
			strbuf_putc(b, (char)c);
		}
	}
}

/* Noise, and secrets as they are, in base64, or cut, written up to five times over. */
static void make_text(struct strbuf *b, size_t n, uint64_t *seed)
{
	static const char noise[] = "%%%&&\\\\#;;uxam25cC6fFp<\"'/+ {S=3";
	static const char *const words[] = {"S3cr3tValue", "a&b<c\"\"d", "%5c\\x/y z",
		"U2NyM3RWYWx1ZQ==", "UzNjcjN0VmFsdWU=", "53336372337456616c7565", "S3cr3tValu", "a&b<c\"d", "%5c\\"};
	struct strbuf next;

	strbuf_init(&next, 0);
	while (b->n < n) {
		uint32_t levels = dice(seed, 6);
		const uint32_t often = 1 + dice(seed, 8);
		struct strbuf word;

		strbuf_init(&word, 0);
		if (dice(seed, 3))
			strbuf_puts(&word, words[dice(seed, sizeof(words) / sizeof(words[0]))]);
		for (uint32_t i = dice(seed, 12); i > 0; i--)
			strbuf_putc(&word, noise[dice(seed, sizeof(noise) - 1)]);
		for (; levels > 0 && word.n < 400; levels--) {
			strbuf_reset(&next);
			write_once(&next, strbuf_get(&word), often, seed);
			strbuf_reset(&word);
			strbuf_slice(&word, strbuf_get(&next));
		}
		strbuf_slice(b, strbuf_get(&word));
		strbuf_release(&word);
	}
	strbuf_release(&next);
	assert_true(strbuf_ok(b));
}

static void differs(struct slice text, const struct secret_hit *got, const struct secret_hit *want)
{
	print_error("%zu to %zu; the plain search: %zu to %zu, of\n%.*s\n", got->at, got->end, want->at, want->end,
		(int)(text.n < 5000 ? text.n : 0), text.p);
	test_fail();
}

/* In steps of any length (`step` bytes at most), also without the memory for what was read. Returns how many there are. */
static size_t compare(const struct secret_finder *f, struct slice text, uint32_t step, uint64_t *seed)
{
	struct secret_search s;
	struct secret_hit want = {.end = 0}, got;
	size_t n = 0, until = 0;

	secret_search_begin(&s, f, text, false);
	for (; plain_next(f, text, want.end, &want); n++) {
		while (!secret_search_next(&s, until, &got)) {
			assert_true(until < text.n);
			until += 1 + dice(seed, step);
		}
		if (got.at != want.at || got.end != want.end || got.name != want.name)
			differs(text, &got, &want);
	}
	if (secret_search_next(&s, text.n, &got))
		differs(text, &got, &want);
	secret_search_end(&s);
	return n;
}

/* The longest that one character can be, of four levels: 17^4 bytes. */
static void long_character(const struct secret_finder *f, uint64_t *seed)
{
	struct strbuf b, next;

	strbuf_init(&b, 0);
	strbuf_init(&next, 0);
	strbuf_puts(&b, "e");
	for (int level = 0; level < 4; level++) {
		strbuf_reset(&next);
		for (size_t i = 0; i < b.n; i++)
			strbuf_fmt(&next, "&#x00000000000%02x;", (unsigned char)b.p[i]);
		strbuf_reset(&b);
		strbuf_slice(&b, strbuf_get(&next));
	}
	assert_int_equal(b.n, 83521);
	strbuf_reset(&next);
	for (int i = 0; i < 3; i++) {
		strbuf_puts(&next, "S3cr3tValu");
		strbuf_slice(&next, strbuf_get(&b));
	}
	assert_int_equal(compare(f, strbuf_get(&next), 100000, seed), 3);
	strbuf_release(&b);
	strbuf_release(&next);
}

static void as_the_plain_search(void **state)
{
	static const char *const secrets[] = {"S3cr3tValue", "a&b<c\"\"d", "%5c\\x/y z"};
	struct secret_finder f = {.v = NULL};
	uint64_t seed = 1;
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_true(secret_finder_add(&f, secrets[i], slice_of(secrets[i])));
	for (unsigned i = 0; i < TEXTS; i++) {
		struct strbuf b;

		strbuf_init(&b, 0);
		/* two of them pass what is read ahead by far, and the memory of what was read */
		make_text(&b, i < 2 ? 300000 : 1 + dice(&seed, i % 100 ? 150 : 3000), &seed);
		if (i % 4 == 3)
			mem_fail_after(1, true);
		found += compare(&f, strbuf_get(&b), i < 2 ? 5000 : 1 + i % 40, &seed);
		mem_fail_after(0, false);
		/* and cut anywhere */
		found += compare(&f, (struct slice){b.p, dice(&seed, (uint32_t)(b.n < 200 ? b.n : 200))}, 50, &seed);
		strbuf_release(&b);
	}
	long_character(&f, &seed);
	assert_in_range(found, TEXTS / 4, TEXTS);
	secret_finder_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_writing),
		cmocka_unit_test(escapes_of_escapes),
		cmocka_unit_test(any_text),
		cmocka_unit_test(coded),
		cmocka_unit_test(nothing_else),
		cmocka_unit_test(too_short),
		cmocka_unit_test(as_the_plain_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
