/* SPDX-License-Identifier: MIT */
/*
 * The three families that every reader is tested with, one loop for each: golden (what a document gives), cut (the document
 * ends at every byte), split (it arrives in pieces that end at every byte). Each document is read from memory that ends
 * where the document ends, so that a sanitizer sees every byte read behind it.
 */
#ifndef SUPPORT_FAMILIES_H
#define SUPPORT_FAMILIES_H
#include "base/diag.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Reads a whole document; one line of `out` for each record. step: bytes of the window, or what the reader has of the kind; 0: the
 * usual. Returns how the reading ended (GLANE_END or GLANE_OK: well). */
typedef glane_rc family_reader(const void *arg, struct slice doc, size_t step, struct strbuf *out, struct diag *d);

struct family {
	const char *name;
	family_reader *read;
	const void *arg;
	struct slice doc;
	size_t mark;        /* bytes that say what the document is: cut within them it is another one */
	bool is_open_ended; /* a cut may be taken for the end of the document; else every cut is an error */
	bool is_text;       /* what comes out is no lines of records: a cut gives the beginning of it, byte for byte */
	bool is_quoting_input; /* messages quote what is in the window: they may differ from split to split */
};

static inline glane_rc family_read(const struct family *f, size_t n, size_t step, struct strbuf *out, struct diag *d)
{
	char *copy = mem_alloc(n);
	glane_rc rc;

	assert_non_null(copy);
	if (n)
		memcpy(copy, f->doc.p, n);
	strbuf_init(out, 0);
	(void)strbuf_room(out, 1);
	*d = (struct diag){.code = GLANE_OK};
	rc = f->read(f->arg, (struct slice){copy, n}, step, out, d);
	mem_free(copy);
	if (rc < 0 && !d->text[0])
		fail_msg("%s: %d without a message", f->name, (int)rc);
	strbuf_putc(out, '\0');
	out->n--;
	return rc;
}

static inline void family_golden(const struct family *f, glane_rc want_rc, const char *want)
{
	struct strbuf out;
	struct diag d;
	glane_rc rc = family_read(f, f->doc.n, 0, &out, &d);

	if (rc != want_rc || (want && strcmp(out.p, want) != 0))
		print_error("%s: %d %s\n", f->name, (int)rc, d.text);
	if (want)
		assert_string_equal(out.p, want);
	assert_int_equal(rc, want_rc);
	strbuf_release(&out);
}

/* Bytes of the lines that both texts begin with. */
static inline size_t family_common_lines(const char *a, const char *b)
{
	size_t n = 0, lines = 0;

	for (; a[n] && a[n] == b[n]; n++)
		lines = a[n] == '\n' ? n + 1 : lines;
	return lines;
}

/* What comes before the cut is given as it was, or the document is refused; nothing else comes out, and never in silence. */
static inline void family_cut(const struct family *f)
{
	struct strbuf whole, out;
	struct diag d;

	(void)family_read(f, f->doc.n, 0, &whole, &d);
	for (size_t n = f->mark; n < f->doc.n; n++) {
		const glane_rc rc = family_read(f, n, n % 7, &out, &d);
		const char *rest = out.p + family_common_lines(out.p, whole.p), *end = strchr(rest, '\n');

		if (rc >= 0 && !f->is_open_ended)
			fail_msg("%s, cut at %zu: taken for a whole document: %s", f->name, n, out.p);
		if (f->is_text) {
			assert_int_equal(strncmp(out.p, whole.p, out.n), 0);
			rest = "";
		}
		/* an open-ended format may lose the end of its last record */
		if (*rest && (rc < 0 || !end || end[1]))
			fail_msg("%s, cut at %zu: gave %s", f->name, n, out.p);
		strbuf_release(&out);
	}
	strbuf_release(&whole);
}

/* Pieces of any size make no difference, in records, verdict and message. */
static inline void family_split(const struct family *f)
{
	struct diag first, d;
	struct strbuf whole, out;
	const glane_rc want = family_read(f, f->doc.n, 0, &whole, &first);

	for (size_t step = 1; step <= f->doc.n + 1; step++) {
		const glane_rc rc = family_read(f, f->doc.n, step, &out, &d);

		if (rc != want || strcmp(out.p, whole.p) != 0 ||
			(!f->is_quoting_input && strcmp(d.text, first.text) != 0))
			fail_msg("%s, %zu bytes at a time: %d %s, else %d %s\n%s\n%s", f->name, step, (int)rc, d.text,
				(int)want, first.text, out.p, whole.p);
		strbuf_release(&out);
	}
	strbuf_release(&whole);
}

static inline glane_rc family_read_starved(
	const struct family *f, long n, bool for_ever, struct strbuf *out, struct diag *d)
{
	glane_rc rc;

	*d = (struct diag){.code = GLANE_OK};
	strbuf_init(out, 0);
	(void)strbuf_room(out, 4096);
	mem_fail_after(n, for_ever);
	rc = f->read(f->arg, f->doc, 0, out, d);
	mem_fail_after(0, false);
	strbuf_putc(out, '\0');
	return rc;
}

/* Each allocation fails in turn, alone and with all behind it: GLANE_E_NOMEM or `other`, until fewer than `most` of them suffice; where it is
 * none, what comes out is `want` (NULL: what comes out with memory). */
static inline void family_starved(const struct family *f, long most, glane_rc other, const char *want)
{
	struct strbuf whole;
	struct diag d;
	bool over = false;

	(void)family_read_starved(f, 0, false, &whole, &d);
	for (long i = 2; !over; i++) { /* for ever from each on, and each alone */
		const long n = i / 2;
		struct strbuf out;
		const glane_rc rc = family_read_starved(f, n, i % 2 == 0, &out, &d);

		if (rc < 0 ? (rc != GLANE_E_NOMEM && rc != other) || !d.text[0] || n >= most : rc != GLANE_END)
			fail_msg("%s, allocation %ld fails: %d %s", f->name, n, (int)rc, d.text);
		if (rc == GLANE_END)
			assert_string_equal(out.p, want ? want : whole.p);
		over = rc == GLANE_END && i % 2 == 0;
		strbuf_release(&out);
	}
	strbuf_release(&whole);
}
#endif
