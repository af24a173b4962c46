/* SPDX-License-Identifier: MIT */
/* The rows of a worksheet as lines of CSV. */
#include "base/mem.h"
#include "read/xlsx.h"
#include <string.h>

#define PIECE ((size_t)8 << 10)
#define MAX_PENDING ((size_t)16 << 20)
#define MAX_CELL ((size_t)1 << 20)
#define UNIT ((size_t)7) /* bytes of _x20AC_ */

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
	uint32_t depth; /* elements open inside of the cell */
	char child;     /* the outermost of them: v f i(s), 0: another */
	char type;      /* n s str(t) inline(i) b e d */
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

	for (size_t i = 0; i < ref.n && i < 4 && ref.p[i] >= 'A' && ref.p[i] <= 'Z'; i++)
		c = c * 26 + (uint32_t)(ref.p[i] - 'A' + 1);
	return c <= XLSX_COLUMNS ? c : 0;
}

/* "AB12" stands in row 12. */
static bool is_of_row(struct slice ref, uint32_t row)
{
	int64_t n = 0;

	while (ref.n && *ref.p >= 'A' && *ref.p <= 'Z')
		ref.p++, ref.n--;
	return slice_int(ref, 1, XLSX_ROWS, &n) && (uint32_t)n == row;
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

	if (column <= s->column || column > XLSX_COLUMNS || (r.p && !is_of_row(r, s->row)))
		return bad(
			s, "the cell behind this one has a place that is none, of another row, or not further right");
	if (style.p && !slice_int(style, 0, UINT32_MAX, &n))
		return bad(s, "a style that is no number");
	s->column = column;
	s->style = (uint32_t)n;
	s->type = slice_eq(t, SLICE("inlineStr")) ? 'i' : slice_eq(t, SLICE("str")) ? 't' : t.n == 1 ? *t.p : 'n';
	s->is_cell = true;
	s->has_value = s->has_formula = false;
	s->depth = 0;
	strbuf_reset(&s->cell);
	return GLANE_OK;
}

/* The cell's value is its first <v>; of an inline string all <t> in <is>, but no readings. What extensions hold is none. */
static glane_rc inside_open(struct rows *s, const char *name)
{
	const bool is_v = strcmp(name, "v") == 0, is_f = strcmp(name, "f") == 0;

	if (++s->depth == 1)
		s->child = is_v ? 'v' : is_f ? 'f' : strcmp(name, "is") == 0 ? 'i' : 0;
	else if (s->child == 'v')
		return bad(s, "an element stands inside of its value");
	s->has_formula |= s->depth == 1 && is_f;
	s->is_phonetic |= strcmp(name, "rPh") == 0;
	s->is_text = s->type == 'i' ? s->child == 'i' && !s->is_phonetic && strcmp(name, "t") == 0
				    : s->depth == 1 && is_v && !s->has_value;
	s->has_value |= s->is_text;
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
		return inside_open(s, name);
	}
	return GLANE_OK;
}

static glane_rc on_text(void *arg, struct slice text)
{
	struct rows *s = arg;

	if (!s->is_text)
		return GLANE_OK;
	strbuf_slice(&s->cell, text);
	if (strbuf_ok(&s->cell))
		return GLANE_OK;
	return fail(s->d, strbuf_rc(&s->cell), "sheet, row %u: %s", s->row,
		s->cell.starved ? "no memory for a cell" : "a cell is too long");
}

static int hex_of(char c)
{
	const char lower = (char)(c | 0x20);

	return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* "_x20AC_" at the beginning of s: the code unit; UINT32_MAX: there is none. */
static uint32_t unit_of(struct slice s)
{
	uint32_t c = 0;

	if (s.n < UNIT || s.p[0] != '_' || s.p[1] != 'x' || s.p[6] != '_')
		return UINT32_MAX;
	for (size_t i = 2; i < 6; i++) {
		if (hex_of(s.p[i]) < 0)
			return UINT32_MAX;
		c = c * 16 + (uint32_t)hex_of(s.p[i]);
	}
	return c;
}

/* Bytes of the escape at the beginning of s, which may be a pair of surrogates; 0: there is none. */
static size_t escape_of(struct slice s, uint32_t *ret)
{
	const uint32_t c = unit_of(s);
	const uint32_t low = c >= 0xD800 && c <= 0xDBFF ? unit_of((struct slice){s.p + UNIT, s.n - UNIT}) : 0;

	*ret = c;
	if (low >= 0xDC00 && low <= 0xDFFF)
		*ret = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
	return *ret >= 0x10000 ? (c == UINT32_MAX ? 0 : 2 * UNIT) : c >= 0xD800 && c <= 0xDFFF ? 0 : UNIT;
}

static void put_code(struct strbuf *out, uint32_t c)
{
	if (c < 0x80) {
		strbuf_putc(out, c < 0x20 ? ' ' : (char)c);
		return;
	}
	if (c >= 0x10000)
		strbuf_putc(out, (char)(0xF0 | c >> 18));
	if (c >= 0x800)
		strbuf_putc(out, (char)((c >= 0x10000 ? 0x80 : 0xE0) | (c >> 12 & (c >= 0x10000 ? 0x3F : 0x0F))));
	strbuf_putc(out, (char)((c >= 0x800 ? 0x80 : 0xC0) | (c >> 6 & (c >= 0x800 ? 0x3F : 0x1F))));
	strbuf_putc(out, (char)(0x80 | (c & 0x3F)));
}

/* Quoted, line ends and _x000D_ as blanks. */
static void put_text(struct strbuf *out, struct slice text)
{
	strbuf_putc(out, '"');
	while (text.n) {
		uint32_t c = (unsigned char)*text.p;
		const size_t n = c == '_' ? escape_of(text, &c) : 0;

		if (n)
			put_code(out, c);
		else
			strbuf_putc(out, (unsigned char)*text.p < 0x20 ? ' ' : *text.p);
		if (n ? c == '"' : *text.p == '"')
			strbuf_putc(out, '"');
		text = (struct slice){text.p + (n ? n : 1), text.n - (n ? n : 1)};
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

static glane_rc truth_of(struct rows *s, struct slice *text)
{
	const struct slice t = slice_trim(*text);
	const bool is_true = slice_is(t, "1") || slice_is(t, "true");

	if (!is_true && !slice_is(t, "0") && !slice_is(t, "false"))
		return bad(s, "a truth value that is none");
	*text = is_true ? SLICE("TRUE") : SLICE("FALSE");
	return GLANE_OK;
}

static glane_rc cell_close(struct rows *s)
{
	struct slice text = strbuf_get(&s->cell);
	const bool is_open = s->has_formula && (!s->has_value || (slice_trim(text).n == 0 && s->type != 't'));
	int64_t i;

	s->is_cell = false;
	if (s->row <= s->skip)
		return GLANE_OK;
	if (is_open)
		text = SLICE("#NOT-COMPUTED");
	else if (s->type == 's' && s->has_value) {
		if (!slice_int(slice_trim(text), 0, (int64_t)s->book.n_string - 1, &i))
			return bad(s, "a shared string that the workbook does not have");
		text = (struct slice){s->book.text.p + (i ? s->book.end[i - 1] : 0), 0};
		text.n = s->book.end[i] - (i ? s->book.end[i - 1] : 0);
	} else if (s->type == 'b' && s->has_value && truth_of(s, &text) != GLANE_OK)
		return GLANE_E_FORMAT;
	else if (s->type == 'e' && slice_is(slice_trim(text), "#N/A"))
		text.n = 0; /* not available: as an empty cell */
	if (text.n == 0)
		return GLANE_OK;
	commas_to(s, s->column);
	if (s->type == 'n' && !is_open)
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
	if (s->is_cell && s->depth)
		s->depth--;
	else if (s->is_cell)
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
