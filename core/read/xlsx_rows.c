/* SPDX-License-Identifier: MIT */
/* The rows of a worksheet as lines of CSV. */
#include "base/mem.h"
#include "read/xlsx.h"
#include <string.h>

#define PIECE ((size_t)8 << 10)
#define MAX_PENDING ((size_t)16 << 20)
#define MAX_CELL ((size_t)1 << 20)

struct rows {
	struct payload_source base;
	struct payload part;
	struct xlsx_book book;
	struct xml_events *xml;
	struct diag *d;
	struct strbuf out, cell;
	size_t out_at;
	uint32_t skip, row, line, column, put, width; /* line: lines written; put: cells of the row written */
	char decimal;
	bool is_data, is_row, is_cell, is_text, is_phonetic, has_value, has_formula, is_first, is_end;
	char type; /* n s str(t) inline(i) b e d */
	uint32_t style;
};

static glane_rc bad(struct rows *s, const char *what)
{
	return fail(s->d, GLANE_E_FORMAT, "sheet, row %u, column %u: %s", (unsigned)s->row, (unsigned)s->column, what);
}

/* Letters of "AB12"; 0: none that a sheet can have. */
static uint32_t column_of(struct slice ref)
{
	uint32_t c = 0;

	for (size_t i = 0; i < ref.n && i < 3 && ref.p[i] >= 'A' && ref.p[i] <= 'Z'; i++)
		c = c * 26 + (uint32_t)(ref.p[i] - 'A' + 1);
	return c <= XLSX_COLUMNS ? c : 0;
}

static void commas_to(struct rows *s, uint32_t n)
{
	for (; s->put < n; s->put++)
		strbuf_puts(&s->out, s->put ? "," : "");
}

static glane_rc row_open(struct rows *s, const struct xml_attributes *a)
{
	struct slice r = xml_attribute(a, "r");
	int64_t n = (int64_t)s->row + 1;

	if (r.p && !slice_int(r, (int64_t)s->row + 1, XLSX_ROWS, &n))
		return bad(s, "the row behind this one has a number that is none, or not greater");
	if (n > XLSX_ROWS)
		return fail(s->d, GLANE_E_LIMIT, "sheet: more than %d rows", XLSX_ROWS);
	for (s->row = (uint32_t)n; s->line + 1 < s->row; s->line++)
		strbuf_putc(&s->out, '\n');
	s->is_row = true;
	s->column = s->put = 0;
	return GLANE_OK;
}

static glane_rc cell_open(struct rows *s, const struct xml_attributes *a)
{
	struct slice r = xml_attribute(a, "r"), t = xml_attribute(a, "t"), style = xml_attribute(a, "s");
	uint32_t column = r.p ? column_of(r) : s->column + 1;
	int64_t n = 0;

	if (column <= s->column || column > XLSX_COLUMNS)
		return bad(s, "the cell behind this one has a place that is none, or not further right");
	if (style.p && !slice_int(style, 0, UINT32_MAX, &n))
		return bad(s, "a style that is no number");
	s->column = column;
	s->style = (uint32_t)n;
	s->type = slice_eq(t, SLICE("inlineStr")) ? 'i' : slice_eq(t, SLICE("str")) ? 't' : t.n == 1 ? *t.p : 'n';
	s->is_cell = true;
	s->has_value = s->has_formula = false;
	strbuf_reset(&s->cell);
	return GLANE_OK;
}

static glane_rc on_open(void *arg, const char *name, const struct xml_attributes *a)
{
	struct rows *s = arg;

	if (strcmp(name, "sheetData") == 0) {
		s->is_data = true;
	} else if (strcmp(name, "dimension") == 0) {
		struct slice ref = xml_attribute(a, "ref");
		const char *colon = ref.n ? memchr(ref.p, ':', ref.n) : NULL;

		s->width = colon ? column_of((struct slice){colon + 1, (size_t)(ref.p + ref.n - colon) - 1}) : 0;
	} else if (s->is_data && !s->is_row && strcmp(name, "row") == 0) {
		return row_open(s, a);
	} else if (s->is_row && !s->is_cell && strcmp(name, "c") == 0) {
		return cell_open(s, a);
	} else if (s->is_cell) {
		s->is_phonetic |= strcmp(name, "rPh") == 0;
		s->has_formula |= strcmp(name, "f") == 0;
		s->is_text = !s->is_phonetic && strcmp(name, s->type == 'i' ? "t" : "v") == 0;
		s->has_value |= s->is_text;
	}
	return GLANE_OK;
}

static glane_rc on_text(void *arg, struct slice text)
{
	struct rows *s = arg;

	if (!s->is_text)
		return GLANE_OK;
	strbuf_slice(&s->cell, text);
	return strbuf_ok(&s->cell) ? GLANE_OK : fail(s->d, GLANE_E_LIMIT, "sheet, row %u: a cell is too long", s->row);
}

/* Quoted, line ends and _x000D_ as blanks. */
static void put_text(struct strbuf *out, struct slice text)
{
	strbuf_putc(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '_' && text.n - i >= 7 && memcmp(text.p + i, "_x00", 4) == 0 && text.p[i + 6] == '_') {
			static const char hex[] = "0123456789ABCDEF";
			const char *h = strchr(hex, text.p[i + 4]), *l = strchr(hex, text.p[i + 5]);

			if (h && l && h - hex < 8) {
				c = (char)((h - hex) * 16 + (l - hex));
				i += 6;
			}
		}
		if (c == '"')
			strbuf_putc(out, '"');
		strbuf_putc(out, (unsigned char)c < 0x20 ? ' ' : c);
	}
	strbuf_putc(out, '"');
}

static void put_number(struct rows *s, struct slice text)
{
	const size_t at = s->out.n;
	unsigned style = s->style < s->book.n_style ? s->book.style[s->style] : 0;

	strbuf_putc(&s->out, '"');
	xlsx_number(&s->out, slice_trim(text), style, s->book.is_1904);
	for (size_t i = at; s->decimal && s->decimal != '.' && i < s->out.n; i++)
		s->out.p[i] = s->out.p[i] == '.' ? s->decimal : s->out.p[i];
	strbuf_putc(&s->out, '"');
}

static glane_rc cell_close(struct rows *s)
{
	struct slice text = strbuf_get(&s->cell);
	int64_t i;

	s->is_cell = false;
	if (s->row <= s->skip)
		return GLANE_OK;
	if (!s->has_value && s->has_formula)
		text = SLICE("#NOT-COMPUTED");
	else if (s->type == 's' && s->has_value) {
		if (!slice_int(slice_trim(text), 0, (int64_t)s->book.n_string - 1, &i))
			return bad(s, "a shared string that the workbook does not have");
		text = (struct slice){s->book.text.p + (i ? s->book.end[i - 1] : 0), 0};
		text.n = s->book.end[i] - (i ? s->book.end[i - 1] : 0);
	} else if (s->type == 'b' && s->has_value)
		text = slice_eq(slice_trim(text), SLICE("1")) ? SLICE("TRUE") : SLICE("FALSE");
	if (text.n == 0)
		return GLANE_OK;
	commas_to(s, s->column);
	if (s->type == 'n' && (s->has_value || !s->has_formula))
		put_number(s, text);
	else
		put_text(&s->out, text);
	return GLANE_OK;
}

static glane_rc on_close(void *arg, const char *name)
{
	struct rows *s = arg;
	glane_rc rc = GLANE_OK;

	s->is_text = false;
	if (strcmp(name, "rPh") == 0)
		s->is_phonetic = false;
	else if (s->is_cell && strcmp(name, "c") == 0)
		rc = cell_close(s);
	else if (s->is_row && !s->is_cell && strcmp(name, "row") == 0) {
		if (s->put && !s->is_first)
			commas_to(s, s->width);
		s->is_first |= s->put > 0;
		strbuf_putc(&s->out, '\n');
		s->line++;
		s->is_row = false;
	} else if (strcmp(name, "sheetData") == 0)
		s->is_data = false;
	if (rc == GLANE_OK && !strbuf_ok(&s->out))
		rc = fail(s->d, GLANE_E_LIMIT,
			"sheet, row %u: out of memory, or more than %zu bytes of text in a few rows", s->row,
			MAX_PENDING);
	return rc;
}

static glane_rc rows_read(struct payload_source *base, char *buf, size_t cap, size_t *ret_n, struct diag *d)
{
	struct rows *s = (struct rows *)base;
	size_t n;

	(void)d;
	if (s->out_at == s->out.n)
		s->out_at = s->out.n = 0;
	while (s->out.n == 0 && !s->is_end) {
		glane_rc rc = xml_events_feed(s->xml, PIECE);

		if (rc < 0)
			return rc;
		s->is_end = rc == GLANE_END;
	}
	n = s->out.n - s->out_at < cap ? s->out.n - s->out_at : cap;
	if (n)
		memcpy(buf, s->out.p + s->out_at, n);
	s->out_at += n;
	*ret_n = n;
	return GLANE_OK;
}

static void rows_close(struct payload_source *base)
{
	struct rows *s = (struct rows *)base;

	xml_events_close(s->xml);
	payload_close(&s->part);
	strbuf_release(&s->out);
	strbuf_release(&s->cell);
	xlsx_book_release(&s->book);
	mem_free(s);
}

void xlsx_book_release(struct xlsx_book *b)
{
	strbuf_release(&b->text);
	mem_free(b->end);
	mem_free(b->style);
	*b = (struct xlsx_book){.n_string = 0};
}

glane_rc xlsx_rows(struct payload_source **ret, struct payload *part, struct xlsx_book *book,
	const struct payload_sheet *sheet, struct diag *d)
{
	static const struct xml_handler h = {on_open, on_close, on_text};
	struct rows *s = mem_zalloc(1, sizeof(*s));
	glane_rc rc;

	if (!s) {
		payload_close(part);
		xlsx_book_release(book);
		return fail(d, GLANE_E_NOMEM, "no memory for a sheet");
	}
	s->base.read = rows_read;
	s->base.close = rows_close;
	s->part = *part;
	s->book = *book;
	s->d = d;
	s->skip = sheet->skip;
	s->decimal = sheet->decimal;
	strbuf_init(&s->out, MAX_PENDING);
	strbuf_init(&s->cell, MAX_CELL);
	rc = xml_events_open(&s->xml, &s->part, &h, s, d);
	if (rc != GLANE_OK) {
		rows_close(&s->base);
		return rc;
	}
	*ret = &s->base;
	return GLANE_OK;
}
