/* SPDX-License-Identifier: MIT */
/* gzip and deflate. The first byte is 'g' or 'd', the rest a stream: in any pieces, in or out, the outcome is the same. */
#include "base/inflate.h"
#include "fuzz.h"
#include "net/fetch_decode.h"

#define OUT_MAX ((size_t)256 << 10)

static glane_rc whole(int form, struct slice in, size_t in_step, size_t out_step, struct strbuf *out, struct diag *d)
{
	struct inflater *z = inflater_new(form);
	glane_rc rc = GLANE_OK;
	char buf[4096];

	FUZZ_CHECK(z);
	diag_clear(d);
	while (rc == GLANE_OK && in.n && out->n < OUT_MAX) {
		struct slice piece = {in.p, in.n < in_step ? in.n : in_step};
		const size_t had = piece.n;
		size_t n;

		do {
			n = 0;
			rc = inflater_add(z, &piece, buf, out_step, &n, d);
			FUZZ_CHECK(n <= out_step);
			strbuf_add(out, buf, rc == GLANE_OK ? n : 0);
		} while (rc == GLANE_OK && n == out_step && out->n < OUT_MAX);
		FUZZ_CHECK(rc != GLANE_OK || piece.n == 0 || out->n >= OUT_MAX);
		in.p += had;
		in.n -= had;
	}
	if (rc == GLANE_OK)
		rc = inflater_end(z, d);
	inflater_free(z);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d->code && d->text[0]));
	return rc;
}

static glane_rc sink(void *arg, const char *p, size_t n, struct diag *d)
{
	struct strbuf *b = arg;

	FUZZ_CHECK(n <= (size_t)64 << 10);
	strbuf_add(b, p, n);
	return b->n < OUT_MAX ? GLANE_OK : fail(d, GLANE_E_LIMIT, "enough");
}

static void check_decoder(int form, struct slice in, size_t step, glane_rc rc, const struct strbuf *want)
{
	struct decoder *z = decoder_new(form == INFLATE_GZIP ? CODING_GZIP : CODING_DEFLATE);
	struct strbuf got;
	glane_rc again = GLANE_OK;
	struct diag d;

	FUZZ_CHECK(z);
	diag_clear(&d);
	strbuf_init(&got, 0);
	while (again == GLANE_OK && in.n) {
		const size_t n = in.n < step ? in.n : step;

		again = decoder_add(z, in.p, n, sink, &got, &d);
		in.p += n;
		in.n -= n;
	}
	if (again == GLANE_OK)
		again = decoder_end(z, &d);
	FUZZ_SAY(again == rc, "%d %s", (int)again, d.text);
	FUZZ_CHECK(rc != GLANE_OK || slice_eq(strbuf_get(want), strbuf_get(&got)));
	strbuf_release(&got);
	decoder_free(z);
}

FUZZ_TARGET(inflate)
{
	const int form = in.n && in.p[0] == 'g' ? INFLATE_GZIP : INFLATE_DEFLATE;
	const uint32_t h = fuzz_hash(in);
	struct strbuf first, second;
	struct diag d, e;
	glane_rc rc;

	in = in.n ? (struct slice){in.p + 1, in.n - 1} : SLICE("");
	strbuf_init(&first, 0);
	strbuf_init(&second, 0);
	rc = whole(form, in, in.n + 1, 4096, &first, &d);
	if (first.n < OUT_MAX) {
		FUZZ_SAY(whole(form, in, 1 + h % 7, 1 + (h >> 8) % 50, &second, &e) == rc, "%s\n%s", d.text, e.text);
		FUZZ_CHECK(rc != GLANE_OK || slice_eq(strbuf_get(&first), strbuf_get(&second)));
		check_decoder(form, in, 1 + (h >> 16) % 33, rc, &first);
	}
	strbuf_release(&first);
	strbuf_release(&second);
}
