/* SPDX-License-Identifier: MIT */
/* Character sets. First line: the encoding; the rest is text in it. Checked against a plain conversion, in every split. */
#include "fuzz.h"
#include "read/source.h"
#include <strings.h>

/* Whole bytes or units, one by one, as RFC 2781 and ISO 8859-1 say; false: malformed. */
static void put(struct strbuf *b, uint32_t u)
{
	if (u < 0x80) {
		strbuf_putc(b, (char)u);
	} else if (u < 0x800) {
		strbuf_putc(b, (char)(0xC0 | u >> 6));
		strbuf_putc(b, (char)(0x80 | (u & 0x3F)));
	} else {
		strbuf_putc(b, (char)(u < 0x10000 ? 0xE0 | u >> 12 : 0xF0 | u >> 18));
		if (u >= 0x10000)
			strbuf_putc(b, (char)(0x80 | (u >> 12 & 0x3F)));
		strbuf_putc(b, (char)(0x80 | (u >> 6 & 0x3F)));
		strbuf_putc(b, (char)(0x80 | (u & 0x3F)));
	}
}

static bool utf16(struct strbuf *b, struct slice s, bool big)
{
	const unsigned char *p = (const unsigned char *)s.p;
	uint32_t high = 0;

	for (size_t i = 0; i + 1 < s.n; i += 2) {
		uint32_t u = big ? (uint32_t)p[i] << 8 | p[i + 1] : (uint32_t)p[i + 1] << 8 | p[i];

		if ((u >= 0xDC00 && u < 0xE000) != (high != 0))
			return false;
		if (u >= 0xD800 && u < 0xDC00) {
			high = u;
			continue;
		}
		put(b, high ? 0x10000 + ((high - 0xD800) << 10) + (u - 0xDC00) : u);
		high = 0;
	}
	return !high && s.n % 2 == 0;
}

/* 1: converted, 0: malformed, -1: not checked here. */
static int plainly(struct strbuf *b, const char *name, struct slice s)
{
	if (strcasecmp(name, "binary") == 0)
		return -1;
	if (slice_has_prefix(s, "\xFF\xFE"))
		return utf16(b, (struct slice){s.p + 2, s.n - 2}, false);
	if (slice_has_prefix(s, "\xFE\xFF"))
		return utf16(b, (struct slice){s.p + 2, s.n - 2}, true);
	if (slice_has_prefix(s, "\xEF\xBB\xBF"))
		return -1;
	if (strcasecmp(name, "UTF-16LE") == 0)
		return utf16(b, s, false);
	if (strcasecmp(name, "UTF-16BE") == 0)
		return utf16(b, s, true);
	if (strcasecmp(name, "latin1") != 0)
		return -1;
	for (size_t i = 0; i < s.n; i++)
		put(b, (unsigned char)s.p[i]);
	return 1;
}

static glane_rc convert(struct slice in, const char *name, size_t step, struct strbuf *out, struct diag *d)
{
	struct payload p;
	glane_rc rc = GLANE_OK;

	diag_clear(d);
	payload_memory(&p, in, step, d);
	while (rc == GLANE_OK && p.n < 4 && !p.last)
		rc = payload_more(&p, p.n);
	if (rc == GLANE_OK)
		rc = charset_open(&p, name, d);
	while (rc == GLANE_OK) {
		strbuf_add(out, p.p, p.n);
		if (p.last)
			break;
		rc = payload_more(&p, 0);
	}
	payload_close(&p);
	return rc;
}

FUZZ_TARGET(charset)
{
	struct slice line = fuzz_line(&in);
	struct strbuf whole, pieces, plain;
	struct diag d, again;
	struct arena a;
	const char *name;
	glane_rc rc;
	int known; /* as plainly() says */

	in = in.p ? in : SLICE("");
	arena_init(&a, 0);
	strbuf_init(&whole, 0);
	strbuf_init(&pieces, 0);
	strbuf_init(&plain, 0);
	name = fuzz_cstr(&a, line);
	rc = convert(in, name, 0, &whole, &d);
	FUZZ_CHECK(convert(in, name, 1 + fuzz_hash(in) % 9, &pieces, &again) == rc);
	FUZZ_SAY(strcmp(d.text, again.text) == 0, "%s\n%s", d.text, again.text);
	FUZZ_CHECK(slice_eq(strbuf_get(&whole), strbuf_get(&pieces)));
	known = rc == GLANE_E_CONFIG ? -1 : plainly(&plain, name, in);
	FUZZ_CHECK(known < 0 || known == (rc == GLANE_OK));
	FUZZ_CHECK(known < 1 || slice_eq(strbuf_get(&whole), strbuf_get(&plain)));
	/* "UTF-8" and "binary" give the bytes as they are. */
	if (known == 1 || strcasecmp(name, "windows-1252") == 0)
		FUZZ_CHECK(rc != GLANE_OK || slice_is_utf8(strbuf_get(&whole)) || slice_has_prefix(in, "\xEF\xBB\xBF"));
	strbuf_release(&whole);
	strbuf_release(&pieces);
	strbuf_release(&plain);
	arena_release(&a);
}
