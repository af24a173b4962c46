/* SPDX-License-Identifier: MIT */
/* Bodies before any parser sees them. First line: the format's number and a content type; the rest is the body. */
#include "fuzz.h"
#include "net/verify.h"

static struct slice first(struct slice s, size_t n)
{
	return (struct slice){s.p, s.n < n ? s.n : n};
}

static struct slice last(struct slice s, size_t n)
{
	const size_t m = s.n < n ? s.n : n;

	return (struct slice){s.p + s.n - m, m};
}

static void check_words(struct slice head)
{
	struct slice s;
	struct strbuf b;
	size_t n = 0;

	strbuf_init(&b, 0);
	body_words(&b, head);
	s = strbuf_get(&b);
	FUZZ_CHECK(slice_is_utf8(s));
	for (size_t i = 0; i < s.n; i++) {
		FUZZ_CHECK((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f);
		n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
	}
	FUZZ_SAY(n <= 200 * 4 + 3, "%zu characters", n);
	strbuf_release(&b);
}

FUZZ_TARGET(verify)
{
	struct slice line = fuzz_line(&in);
	uint8_t format = line.n ? (uint8_t)(line.p[0] - '0') : 0;
	struct diag d, small;
	const char *type;
	struct arena a;
	glane_rc rc;

	in = in.p ? in : SLICE("");
	diag_clear(&d);
	diag_clear(&small);
	arena_init(&a, 0);
	type = line.n > 1 ? fuzz_cstr(&a, (struct slice){line.p + 1, line.n - 1}) : NULL;
	rc = body_verify(first(in, 4096), last(in, 64), in.n, format & 3, type, &d);
	FUZZ_CHECK(rc == GLANE_OK || (rc == GLANE_E_FORMAT && d.text[0]));
	FUZZ_CHECK(rc != GLANE_OK || in.n > 0);
	FUZZ_CHECK(slice_is_utf8(slice_of(d.text)));
	/* A longer body of the same head and tail is judged as one. */
	(void)body_verify(first(in, 16), last(in, 3), in.n, format & 3, type, &small);
	(void)body_is_html(first(in, 512));
	check_words(first(in, 4096));
	arena_release(&a);
}
