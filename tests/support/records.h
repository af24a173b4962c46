/* SPDX-License-Identifier: MIT */
/*
 * Reads a whole document by record.h and writes what it gave as text: one line for each record, fields separated by '|',
 * an absent one as '~'; then a line "heads ..." and a line with the verdict.
 */
#ifndef SUPPORT_RECORDS_H
#define SUPPORT_RECORDS_H
#include "base/mem.h"
#include "base/strbuf.h"
#include "read/record.h"

#define RECORDS_PATHS 12
struct records_case {
	const char *name, *doc, *select;
	const char *field[RECORDS_PATHS], *head[RECORDS_PATHS]; /* up to the first NULL */
	const char *want;
	size_t max_record, max_field;
	unsigned max_depth;
};

static inline size_t records_count(const char *const *p)
{
	size_t n = 0;

	while (n < RECORDS_PATHS && p[n])
		n++;
	return n;
}

static inline void records_value(struct strbuf *out, struct slice s, const char *separator)
{
	strbuf_puts(out, separator);
	if (s.p)
		strbuf_visible(out, s);
	else
		strbuf_putc(out, '~');
}

static inline glane_rc records_read(
	const struct records_case *c, uint8_t format, struct slice doc, size_t step, struct strbuf *out, struct diag *d)
{
	const struct record_options o = {.format = format,
		.select = c->select,
		.field = c->field,
		.n_field = records_count(c->field),
		.head = c->head,
		.n_head = records_count(c->head),
		.max_record = c->max_record,
		.max_field = c->max_field,
		.max_depth = c->max_depth};
	struct record_reader *r = NULL;
	struct payload p;
	glane_rc rc;

	*d = (struct diag){.code = 0};
	payload_memory(&p, doc, step, d);
	rc = record_open(&r, &p, &o, d);
	while (rc == GLANE_OK && (rc = record_next(r)) == GLANE_OK) {
		for (size_t i = 0; i < o.n_field; i++)
			records_value(out, record_at(r, i), i ? "|" : "");
		strbuf_putc(out, '\n');
	}
	if (o.n_head && r) {
		strbuf_puts(out, "heads");
		for (size_t i = 0; i < o.n_head; i++)
			records_value(out, record_head(r, i), i ? "|" : " ");
		strbuf_putc(out, '\n');
	}
	if (r)
		record_close(r);
	payload_close(&p);
	strbuf_puts(out, rc == GLANE_END ? "end" : rc_name(rc));
	return rc;
}

/* As records_read(), of a copy that ends where its memory ends, so that a sanitizer sees every byte read behind it. */
static inline glane_rc records_read_exact(const struct records_case *c, uint8_t format, const char *doc, size_t n,
	size_t step, struct strbuf *out, struct diag *d)
{
	char *copy = mem_alloc(n);
	glane_rc rc;

	if (!copy)
		return GLANE_E_NOMEM;
	if (n)
		memcpy(copy, doc, n);
	rc = records_read(c, format, (struct slice){copy, n}, step, out, d);
	mem_free(copy);
	return rc;
}
#endif
