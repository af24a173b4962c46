/* SPDX-License-Identifier: MIT */
/* Workbooks: finds the sheet that is meant, and reads what its cells refer to. */
#include "read/xlsx.h"
#include "base/mem.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PIECE ((size_t)64 << 10)
#define MAX_STRINGS ((size_t)64 << 20)
#define MAX_NAME ((size_t)4096)
#define MAX_FORMATS 4096

struct workbook {
	int fd;
	const struct payload_options *o;
	struct diag *d;
	struct xlsx_book book;
	struct strbuf main, target, id, text, names;
	size_t n_sheet;
	bool is_found, is_named, is_in, is_skip; /* is_in, is_skip: what the part's handler is inside of */
	const char *want;                        /* of relationships: end of the type, or NULL: the id */
	uint32_t format[MAX_FORMATS];            /* ids of custom formats that are dates: id << 2 | what */
	size_t n_format;
};

static glane_rc no_text(void *arg, struct slice text)
{
	(void)arg;
	(void)text;
	return GLANE_OK;
}

static glane_rc no_close(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return GLANE_OK;
}

static glane_rc part_open(struct workbook *w, struct payload *p, const char *name)
{
	const struct payload_options o = {.is_archive_ok = true, .part = name, .max_bytes = w->o->max_bytes};

	return payload_open(p, w->fd, &o, w->d);
}

/* Reads a part to its end; GLANE_END where the workbook has none of the name. */
static glane_rc part_read(struct workbook *w, const char *name, const struct xml_handler *h)
{
	struct xml_events *x = NULL;
	struct payload p;
	glane_rc rc = part_open(w, &p, name);

	if (rc != GLANE_OK)
		return rc;
	rc = xml_events_open(&x, &p, h, w, w->d);
	while (rc == GLANE_OK)
		rc = xml_events_feed(x, PIECE);
	xml_events_close(x);
	payload_close(&p);
	if (rc == GLANE_END)
		return GLANE_OK;
	diag_prefix(w->d, "workbook part %s", name);
	return rc;
}

static glane_rc on_relation(void *arg, const char *name, const struct xml_attributes *a)
{
	struct workbook *w = arg;
	struct slice type = xml_attribute(a, "Type"), id = xml_attribute(a, "Id");
	size_t n = w->want ? strlen(w->want) : 0;

	if (w->is_found || strcmp(name, "Relationship") != 0 ||
		slice_eq(xml_attribute(a, "TargetMode"), SLICE("External")))
		return GLANE_OK;
	if (w->want ? type.n < n || memcmp(type.p + type.n - n, w->want, n) != 0 : !slice_eq(id, strbuf_get(&w->id)))
		return GLANE_OK;
	w->is_found = true;
	xml_attribute_text(a, "Target", &w->target);
	return GLANE_OK;
}

/* The part that a relationship of the main part leads to, in w->text; empty: none. */
static glane_rc relation(struct workbook *w, const char *want)
{
	static const struct xml_handler h = {on_relation, no_close, no_text};
	const char *main = w->main.p, *slash = strrchr(main, '/');
	size_t folder = slash ? (size_t)(slash - main) + 1 : 0;
	char part[2 * MAX_NAME];
	const char *t;
	glane_rc rc;

	(void)snprintf(part, sizeof(part), "%.*s_rels/%s.rels", (int)folder, main, main + folder);
	w->want = want;
	w->is_found = false;
	strbuf_reset(&w->target);
	strbuf_reset(&w->text);
	rc = part_read(w, part, &h);
	if (rc != GLANE_OK || !w->is_found)
		return rc == GLANE_END ? GLANE_OK : rc;
	strbuf_putc(&w->target, '\0');
	t = w->target.p ? w->target.p : "";
	for (; strncmp(t, "../", 3) == 0; t += 3)
		for (folder -= folder > 0; folder && main[folder - 1] != '/'; folder--)
			continue;
	if (*t != '/')
		strbuf_add(&w->text, main, folder);
	strbuf_puts(&w->text, t + (*t == '/'));
	strbuf_putc(&w->text, '\0');
	if (strbuf_ok(&w->text))
		return GLANE_OK;
	return fail(w->d, strbuf_rc(&w->text), "workbook: %s",
		w->text.starved ? "no memory for a part's name" : "a part's name is too long");
}

static glane_rc on_workbook(void *arg, const char *name, const struct xml_attributes *a)
{
	struct workbook *w = arg;
	const struct payload_sheet *want = w->o->sheet;
	struct slice state = xml_attribute(a, "state"), flag = xml_attribute(a, "date1904");
	bool is_it;
	int64_t number;

	if (strcmp(name, "workbookPr") == 0)
		w->book.is_1904 = slice_eq(flag, SLICE("1")) || slice_eq(flag, SLICE("true"));
	if (strcmp(name, "sheet") != 0)
		return GLANE_OK;
	w->n_sheet++;
	xml_attribute_text(a, "name", &w->text);
	if (w->n_sheet <= 40) {
		strbuf_puts(&w->names, w->n_sheet > 1 ? ", " : "");
		strbuf_visible(&w->names, strbuf_get(&w->text));
	}
	is_it = !want->name ? state.n == 0 || slice_eq(state, SLICE("visible"))
			    : slice_eq(strbuf_get(&w->text), slice_of(want->name));
	number = 0;
	if (want->name && !is_it && slice_int(slice_of(want->name), 1, 100000, &number) &&
		(size_t)number == w->n_sheet) {
		if (!w->is_named)
			xml_attribute_text(a, "id", &w->id);
		return GLANE_OK;
	}
	if (is_it && !w->is_named) {
		w->is_named = true; /* a name goes before a number */
		xml_attribute_text(a, "id", &w->id);
	}
	return GLANE_OK;
}

static glane_rc on_style(void *arg, const char *name, const struct xml_attributes *a)
{
	struct workbook *w = arg;
	struct slice id = xml_attribute(a, "numFmtId");
	int64_t n = 0;

	w->is_in |= strcmp(name, "cellXfs") == 0;
	if (!id.p || !slice_int(id, 0, UINT32_MAX >> 2, &n))
		n = 0;
	if (strcmp(name, "numFmt") == 0) {
		unsigned is;

		xml_attribute_text(a, "formatCode", &w->text);
		is = xlsx_format((uint32_t)n, strbuf_get(&w->text));
		if (is && w->n_format < MAX_FORMATS)
			w->format[w->n_format++] = (uint32_t)n << 2 | is;
	} else if (w->is_in && strcmp(name, "xf") == 0) {
		unsigned is = xlsx_format((uint32_t)n, SLICE(""));

		for (size_t i = 0; i < w->n_format && !is; i++)
			is = w->format[i] >> 2 == (uint32_t)n ? w->format[i] & 3 : 0;
		if (w->book.n_style >= 65536 ||
			!mem_grow(&w->book.style, &w->book.cap_style, w->book.n_style + 1, sizeof(*w->book.style)))
			return fail(
				w->d, GLANE_E_LIMIT, "workbook: more than 65536 cell styles, or no memory for them");
		w->book.style[w->book.n_style++] = (uint8_t)is;
	}
	return GLANE_OK;
}

static glane_rc style_close(void *arg, const char *name)
{
	struct workbook *w = arg;

	w->is_in &= strcmp(name, "cellXfs") != 0;
	return GLANE_OK;
}

static glane_rc on_string(void *arg, const char *name, const struct xml_attributes *a)
{
	struct workbook *w = arg;

	(void)a;
	w->is_skip |= strcmp(name, "rPh") == 0;
	w->is_in = !w->is_skip && strcmp(name, "t") == 0;
	return GLANE_OK;
}

static glane_rc string_close(void *arg, const char *name)
{
	struct workbook *w = arg;
	struct xlsx_book *b = &w->book;

	w->is_in = false;
	w->is_skip &= strcmp(name, "rPh") != 0;
	if (strcmp(name, "si") != 0)
		return GLANE_OK;
	if (b->n_string >= MAX_STRINGS / 4)
		return fail(w->d, GLANE_E_LIMIT, "workbook: more than %zu shared strings", (size_t)MAX_STRINGS / 4);
	if (!mem_grow(&b->end, &b->cap_string, b->n_string + 1, sizeof(*b->end)))
		return fail(w->d, GLANE_E_NOMEM, "workbook: no memory for its shared strings");
	b->end[b->n_string++] = (uint32_t)b->text.n;
	return GLANE_OK;
}

static glane_rc string_text(void *arg, struct slice text)
{
	struct workbook *w = arg;

	if (!w->is_in)
		return GLANE_OK;
	strbuf_slice(&w->book.text, text);
	return strbuf_ok(&w->book.text)
		       ? GLANE_OK
		       : fail(w->d, GLANE_E_LIMIT,
				 "workbook: its shared strings are longer than %zu bytes, or no memory", MAX_STRINGS);
}

/* Which part is the workbook. */
static glane_rc find_main(struct workbook *w)
{
	glane_rc rc;

	strbuf_putc(&w->main, '\0');
	rc = relation(w, "/officeDocument");
	if (rc != GLANE_OK)
		return rc;
	if (!w->is_found)
		return fail(w->d, GLANE_E_FORMAT,
			"the zip is no .xlsx workbook (no office document in _rels/.rels); workbooks inside of an "
			"archive are "
			"not opened: unpack them first");
	if (w->text.n > 5 && strncasecmp(w->text.p + w->text.n - 5, ".bin", 4) == 0)
		return fail(w->d, GLANE_E_FORMAT, "a binary workbook (.xlsb): save it as .xlsx or csv");
	strbuf_reset(&w->main);
	strbuf_add(&w->main, w->text.p, w->text.n);
	return GLANE_OK;
}

static glane_rc find_sheet(struct workbook *w)
{
	static const struct xml_handler h = {on_workbook, no_close, no_text};
	glane_rc rc = part_read(w, w->main.p, &h);

	if (rc == GLANE_END)
		return fail(w->d, GLANE_E_FORMAT, "workbook: part %s is missing", w->main.p);
	if (rc == GLANE_OK && w->id.n == 0)
		return fail(w->d, GLANE_E_DATA, "workbook: no %s%s%s; there are: %.*s",
			w->o->sheet->name ? "sheet '" : "visible sheet", w->o->sheet->name ? w->o->sheet->name : "",
			w->o->sheet->name ? "'" : "", SLICE_FMT(strbuf_get(&w->names)));
	return rc;
}

static glane_rc read_tables(struct workbook *w)
{
	static const struct xml_handler styles = {on_style, style_close, no_text};
	static const struct xml_handler strings = {on_string, string_close, string_text};
	char part[MAX_NAME];
	glane_rc rc = relation(w, "/styles");

	if (rc == GLANE_OK && w->is_found) {
		(void)snprintf(part, sizeof(part), "%s", w->text.p);
		rc = part_read(w, part, &styles);
	}
	w->is_in = false;
	if (rc >= GLANE_OK)
		rc = relation(w, "/sharedStrings");
	if (rc == GLANE_OK && w->is_found) {
		(void)snprintf(part, sizeof(part), "%s", w->text.p);
		rc = part_read(w, part, &strings);
	}
	return rc < 0 ? rc : GLANE_OK;
}

static glane_rc open_sheet(struct workbook *w, struct payload_source **ret)
{
	struct payload part;
	glane_rc rc = find_main(w);

	if (rc == GLANE_OK)
		rc = find_sheet(w);
	if (rc == GLANE_OK)
		rc = read_tables(w);
	if (rc == GLANE_OK)
		rc = relation(w, NULL);
	if (rc != GLANE_OK)
		return rc;
	rc = w->is_found ? part_open(w, &part, w->text.p) : GLANE_END;
	if (rc == GLANE_END)
		return fail(w->d, GLANE_E_FORMAT, "workbook: the part of the sheet is missing");
	if (rc == GLANE_OK)
		rc = xlsx_rows(ret, &part, &w->book, w->o->sheet, w->d);
	if (rc == GLANE_OK)
		w->book = (struct xlsx_book){.n_string = 0};
	return rc;
}

glane_rc xlsx_source(
	struct payload_source **ret, int fd, uint64_t size, const struct payload_options *o, struct diag *d)
{
	struct workbook *w;
	char magic[8];
	size_t n = 0;
	glane_rc rc = source_pread(fd, 0, magic, sizeof(magic), &n, d);

	(void)size;
	if (rc != GLANE_OK)
		return rc;
	if (n >= 4 && memcmp(magic, "\xD0\xCF\x11\xE0", 4) == 0)
		return fail(d, GLANE_E_FORMAT,
			"an old .xls workbook, or one with a password: open it in a spreadsheet program and save it as "
			".xlsx "
			"(without password) or csv");
	if (archive_sniff(magic, n) != ARCHIVE_ZIP)
		return fail(d, GLANE_E_FORMAT, "no .xlsx workbook: it does not begin like a zip file");
	w = mem_zalloc(1, sizeof(*w));
	if (!w)
		return fail(d, GLANE_E_NOMEM, "no memory for a workbook");
	w->fd = fd;
	w->o = o;
	w->d = d;
	strbuf_init(&w->book.text, MAX_STRINGS);
	strbuf_init(&w->main, MAX_NAME);
	strbuf_init(&w->target, MAX_NAME);
	strbuf_init(&w->id, MAX_NAME);
	strbuf_init(&w->text, MAX_NAME);
	strbuf_init(&w->names, MAX_NAME);
	rc = open_sheet(w, ret);
	xlsx_book_release(&w->book);
	strbuf_release(&w->main);
	strbuf_release(&w->target);
	strbuf_release(&w->id);
	strbuf_release(&w->text);
	strbuf_release(&w->names);
	mem_free(w);
	return rc;
}
