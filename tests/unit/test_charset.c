/* SPDX-License-Identifier: MIT */
/* Conversion to UTF-8: every character of each set, cut and split at every byte, malformed UTF-16. */
#include "base/file.h"
#include "base/strbuf.h"
#include "read/source.h"
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/families.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* All of `in`, fed in pieces of `step` bytes, as UTF-8 in b. */
static glane_rc convert(struct slice in, const char *encoding, size_t step, struct strbuf *b, struct diag *d)
{
	struct payload p;
	glane_rc rc;

	payload_memory(&p, in, step < 4 && step > 0 ? 4 : step, d);
	if (step > 0 && step < 4)
		p.step = step; /* the first window of charset_open() holds 4 bytes */
	rc = charset_open(&p, encoding, d);
	while (rc == GLANE_OK && !p.last) {
		strbuf_add(b, p.p, p.n);
		rc = payload_more(&p, 0);
	}
	if (rc == GLANE_OK)
		strbuf_add(b, p.p, p.n);
	payload_close(&p);
	return rc;
}

static void check(struct slice in, const char *encoding, struct slice want)
{
	for (size_t step = 0; step <= in.n && step < 40; step++) {
		struct diag d = {0};
		struct strbuf b;
		glane_rc rc;

		strbuf_init(&b, 0);
		rc = convert(in, encoding, step, &b, &d);
		if (rc != GLANE_OK)
			fail_msg("%s step %zu: %s", encoding ? encoding : "-", step, d.text);
		assert_int_equal(b.n, want.n);
		assert_true(slice_eq(strbuf_get(&b), want));
		strbuf_release(&b);
	}
}

static void test_golden(void **state)
{
	static const struct {
		const char *encoding;
		struct slice in, out;
	} rows[] = {
		{"ISO-8859-1", {"C\xF4te d'Ivoire, 1 250,50\n", 24}, {"Côte d'Ivoire, 1 250,50\n", 25}},
		{"latin1", {"\x80\x9F\xA0\xFF", 4}, {"\xC2\x80\xC2\x9F\xC2\xA0\xC3\xBF", 8}},
		{"ISO-8859-15", {"\xA4\xE9\xBE\x80", 4}, {"€éŸ\xC2\x80", 9}},
		{"windows-1252", {"\x80\x93x\x94\xE9\x9F", 6}, {"€“x”éŸ", 14}},
		{"CP1252",
			{"12345678\xE9"
			 "12345678",
				17},
			{"12345678é12345678", 18}},
		{"UTF-16LE", {"a\0\xE9\0\xAC\x20\x3D\xD8\0\xDE", 10}, {"aé€😀", 10}},
		{"utf-16be", {"\0a\0\xE9\x20\xAC\xD8\x3D\xDE\0", 10}, {"aé€😀", 10}},
		{"UTF-16",
			{"\xFF\xFE"
			 "a\0,\0",
				6},
			{"a,", 2}},
		{NULL,
			{"\xFF\xFE"
			 "a\0,\0",
				6},
			{"a,", 2}},
		{"UTF-8", {"\xFE\xFF\0a\0,", 6}, {"a,", 2}},
		{"UTF-16LE", {"\xFE\xFF\0a\0,", 6}, {"a,", 2}},
		{"UTF-16LE", {"", 0}, {"", 0}},
		{NULL, {"\xFF\xFE", 2}, {"", 0}},
		{"UTF-8", {"d\xC3\xA9j\xC3\xA0", 6}, {"déjà", 6}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(rows[i].in, rows[i].encoding, rows[i].out);
}

static void put_utf8(struct strbuf *b, uint32_t u)
{
	if (u < 0x80) {
		strbuf_putc(b, (char)u);
	} else if (u < 0x800) {
		strbuf_putc(b, (char)(0xC0 | u >> 6));
		strbuf_putc(b, (char)(0x80 | (u & 63)));
	} else if (u < 0x10000) {
		strbuf_putc(b, (char)(0xE0 | u >> 12));
		strbuf_putc(b, (char)(0x80 | (u >> 6 & 63)));
		strbuf_putc(b, (char)(0x80 | (u & 63)));
	} else {
		strbuf_putc(b, (char)(0xF0 | u >> 18));
		strbuf_putc(b, (char)(0x80 | (u >> 12 & 63)));
		strbuf_putc(b, (char)(0x80 | (u >> 6 & 63)));
		strbuf_putc(b, (char)(0x80 | (u & 63)));
	}
}

/* Every scalar value through both byte orders, in windows that cut characters and surrogate pairs. */
static void test_every_character(void **state)
{
	struct strbuf in[2], want, got;

	(void)state;
	strbuf_init(&in[0], 0);
	strbuf_init(&in[1], 0);
	strbuf_init(&want, 0);
	strbuf_init(&got, 0);
	for (uint32_t u = 1; u < 0x110000; u += u < 0x11000 ? 1 : 61) {
		uint32_t unit[2] = {u, 0}, n = 1;

		if (u >= 0xD800 && u < 0xE000)
			continue;
		if (u >= 0x10000) {
			unit[0] = 0xD800 + ((u - 0x10000) >> 10);
			unit[1] = 0xDC00 + ((u - 0x10000) & 0x3FF);
			n = 2;
		}
		for (uint32_t i = 0; i < n; i++) {
			const char be[2] = {(char)(unit[i] >> 8), (char)(unit[i] & 0xFF)}, le[2] = {be[1], be[0]};

			strbuf_add(&in[0], le, 2);
			strbuf_add(&in[1], be, 2);
		}
		put_utf8(&want, u);
	}
	for (size_t step = 0; step < 100000; step = step * 7 + 5) {
		for (int be = 0; be < 2; be++) {
			strbuf_reset(&got);
			assert_int_equal(
				convert(strbuf_get(&in[be]), be ? "UTF-16BE" : "UTF-16LE", step, &got, NULL), GLANE_OK);
			assert_true(slice_eq(strbuf_get(&got), strbuf_get(&want)));
		}
	}
	strbuf_release(&in[0]);
	strbuf_release(&in[1]);
	strbuf_release(&want);
	strbuf_release(&got);
}

static void test_single_bytes(void **state)
{
	char one[256];
	struct strbuf want;

	(void)state;
	strbuf_init(&want, 0);
	for (unsigned u = 0; u < 256; u++) {
		one[u] = (char)u;
		put_utf8(&want, u);
	}
	check((struct slice){one, 256}, "ISO-8859-1", strbuf_get(&want));
	strbuf_release(&want);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *encoding;
		struct slice in;
		glane_rc rc;
		const char *text;
	} rows[] = {
		{"UTF-16LE", {"a\0b\0c", 5}, GLANE_E_FORMAT, "half a character at byte 4 is not UTF-16LE"},
		{"UTF-16LE", {"a\0\x3D\xD8", 4}, GLANE_E_FORMAT, "half a character at byte 2"},
		{"UTF-16LE",
			{"a\0\x3D\xD8"
			 "b\0",
				6},
			GLANE_E_FORMAT, "at byte 2 is not UTF-16LE"},
		{"UTF-16BE", {"\0a\0b\xDE\0\0c", 8}, GLANE_E_FORMAT, "at byte 4 is not UTF-16BE; is `encoding` right?"},
		{NULL,
			{"\xFF\xFE"
			 "a",
				3},
			GLANE_E_FORMAT, "half a character at byte 2"},
		{"windows-1252", {"ab\x81", 3}, GLANE_E_FORMAT, "at byte 2 is not windows-1252"},
		{"windows-1252", {"\x8D", 1}, GLANE_E_FORMAT, "at byte 0"},
		{"UTF-16", {"a\0b\0", 4}, GLANE_E_FORMAT, "no byte-order mark where encoding = UTF-16 needs one"},
		{"latin-9", {"a", 1}, GLANE_E_CONFIG, "encoding 'latin-9' is not known; there are UTF-8"},
		{"", {"a", 1}, GLANE_E_CONFIG, "encoding '' is not known"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t step = 0; step <= rows[i].in.n; step++) {
			struct diag d = {0};
			struct strbuf b;

			strbuf_init(&b, 0);
			assert_int_equal(convert(rows[i].in, rows[i].encoding, step, &b, &d), rows[i].rc);
			if (!strstr(d.text, rows[i].text))
				fail_msg("'%s' lacks '%s'", d.text, rows[i].text);
			strbuf_release(&b);
		}
	}
}

static glane_rc read_text(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	return convert(doc, arg, step, out, d);
}

#define WIDE_LE "i\0d\0\r\0\n\0C\0\xF4\0\x3D\xD8\0\xDE,\0\n\0"
#define WIDE_BE "\0i\0d\0\r\0\n\0C\0\xF4\xD8\x3D\xDE\0\0,\0\n"

/* Half a character at the end is an error; text has no end of its own beyond that. */
static void test_families(void **state)
{
	const struct {
		const char *encoding;
		struct slice in;
		const char *out;
	} rows[] = {
		{NULL, SLICE("id\r\nC\xC3\xB4te,\n"), "id\r\nC\xC3\xB4te,\n"},
		{NULL, SLICE("\xEF\xBB\xBFid\n\xE6\x97\xA5\n"), "id\n\xE6\x97\xA5\n"},
		{NULL, SLICE("\xFF\xFE" WIDE_LE), "id\r\nC\xC3\xB4\xF0\x9F\x98\x80,\n"},
		{NULL, SLICE("\xFE\xFF" WIDE_BE), "id\r\nC\xC3\xB4\xF0\x9F\x98\x80,\n"},
		{"UTF-16", SLICE("\xFE\xFF" WIDE_BE), "id\r\nC\xC3\xB4\xF0\x9F\x98\x80,\n"},
		{"UTF-16LE", SLICE(WIDE_LE), "id\r\nC\xC3\xB4\xF0\x9F\x98\x80,\n"},
		{"UTF-16BE", SLICE(WIDE_BE), "id\r\nC\xC3\xB4\xF0\x9F\x98\x80,\n"},
		{"latin1", SLICE("id\nC\xF4te \x80\n"), "id\nC\xC3\xB4te \xC2\x80\n"},
		{"windows-1252", SLICE("id\nC\xF4te \x80\n"), "id\nC\xC3\xB4te \xE2\x82\xAC\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct family f = {.name = rows[i].encoding ? rows[i].encoding : "by its mark",
			.read = read_text,
			.arg = rows[i].encoding,
			.doc = rows[i].in,
			.mark = (unsigned char)rows[i].in.p[0] >= 0x80 ? 3 : 0,
			.is_text = true,
			.is_open_ended = true};

		family_golden(&f, GLANE_OK, rows[i].out);
		family_cut(&f);
		family_split(&f);
	}
}

/* Cut at every byte: whole characters are the text's beginning, half ones an error. */
static void test_half_characters(void **state)
{
	static const char in[] = "\xFF\xFE"
				 "C\0\xF4\0\x3D\xD8\0\xDE,\0";
	const struct family f = {.name = "UTF-16", .read = read_text, .doc = {in, sizeof(in) - 1}};

	(void)state;
	for (size_t n = 2; n < sizeof(in); n++) {
		const bool is_whole = n % 2 == 0 && n != 8; /* byte 8: between the surrogates */
		struct strbuf b;
		struct diag d;

		assert_int_equal(family_read(&f, n, n % 6, &b, &d), is_whole ? GLANE_OK : GLANE_E_FORMAT);
		assert_int_equal(strncmp(b.p, "C\xC3\xB4\xF0\x9F\x98\x80,", b.n), 0);
		strbuf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_character),
		cmocka_unit_test(test_single_bytes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_half_characters),
	};

	return cmocka_run_group_tests_name("charset", tests, NULL, NULL);
}
