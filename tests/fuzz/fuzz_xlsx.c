/* SPDX-License-Identifier: MIT */
/* Worksheets as CSV. First line: number formats, one of which the styles take; the rest is the XML of a sheet. */
#include "fuzz.h"
#include "read/xlsx.h"

static glane_rc read_sheet(struct slice in, struct slice code, size_t step, struct strbuf *out, struct diag *d)
{
	static const struct payload_sheet sheet = {NULL, 1, ','};
	struct payload_source *s = NULL;
	struct xlsx_book book = {.n_string = 1, .n_style = 2};
	struct payload p;
	char buf[256];
	size_t n = 1;
	glane_rc rc;

	diag_clear(d);
	strbuf_init(&book.text, 0);
	strbuf_puts(&book.text, "x");
	book.end = mem_alloc(sizeof(*book.end));
	book.style = mem_zalloc(2, 1);
	FUZZ_CHECK(book.end && book.style);
	book.end[0] = 1;
	book.style[1] = (uint8_t)xlsx_format(0, code);
	payload_memory(&p, in, step, d);
	rc = xlsx_rows(&s, &p, &book, &sheet, d);
	while (rc == GLANE_OK && n) {
		rc = s->read(s, buf, sizeof(buf), &n, d);
		if (rc == GLANE_OK)
			strbuf_add(out, buf, n);
	}
	if (s)
		s->close(s);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d->code && d->text[0]));
	return rc;
}

FUZZ_TARGET(xlsx)
{
	struct slice code = fuzz_line(&in);
	struct strbuf a, b;
	struct diag d;
	glane_rc rc;

	strbuf_init(&a, 0);
	strbuf_init(&b, 0);
	rc = read_sheet(in, code, 0, &a, &d);
	FUZZ_CHECK(read_sheet(in, code, 7, &b, &d) == rc);
	FUZZ_CHECK(rc != GLANE_OK || slice_eq(strbuf_get(&a), strbuf_get(&b)));
	strbuf_release(&a);
	strbuf_release(&b);
}
