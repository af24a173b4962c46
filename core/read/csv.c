/* SPDX-License-Identifier: MIT */
/* CSV records over an index of separators: cells are cut out of the payload's window when they are asked for. */
#include "read/csv_reader.h"
#include <string.h>

#define MAX_RECORD ((size_t)8 << 20)
#define MAX_FIELD ((size_t)1 << 20)
#define RECORD_CEILING ((size_t)1 << 30) /* offsets in the window are 32 bits */
#define HEADER_MEMORY ((size_t)64 << 20)

static unsigned long long line_of(const struct csv_reader *r, size_t at)
{
	const char *p = r->p->p + r->next_begin, *end = r->p->p + (at < r->p->n ? at : r->p->n);
	uint64_t line = r->next_line;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		line++;
		p++;
	}
	return line;
}

/* What the index has found wrong, once every record before it was given. */
static glane_rc index_fail(struct csv_reader *r)
{
	const struct csv_index *x = &r->x;
	unsigned long long line = line_of(r, x->error_at), at = r->p->pos + x->error_at;
	unsigned byte = x->error_at < r->p->n ? (unsigned char)r->p->p[x->error_at] : 0;

	switch (x->error) {
	case CSV_NUL:
		return fail(
			r->d, GLANE_E_FORMAT, "csv line %llu: a NUL at byte %llu; UTF-16 needs `encoding`", line, at);
	case CSV_UTF8:
		return fail(r->d, GLANE_E_FORMAT,
			"csv line %llu: 0x%02X at byte %llu is not UTF-8; set `encoding`, e.g. windows-1252", line,
			byte, at);
	case CSV_OPEN:
		return fail(r->d, GLANE_E_FORMAT,
			"csv line %llu: a quote inside of an unquoted cell, at byte %llu; is the file without quoting?",
			line, at);
	default:
		return fail(r->d, GLANE_E_FORMAT, "csv line %llu: text after a closing quote, at byte %llu", line, at);
	}
}

static glane_rc too_long(struct csv_reader *r, unsigned long long line)
{
	return fail(r->d, GLANE_E_LIMIT,
		"csv line %llu: the record that begins here is longer than %zu bytes; is a quote not closed?", line,
		r->max_record);
}

/* Asks for more bytes; what is kept begins with the record under way. */
static glane_rc window_more(struct csv_reader *r)
{
	struct csv_index *x = &r->x;
	size_t gone = r->next_begin;
	glane_rc rc = payload_more(r->p, r->p->n - gone);

	if (rc != GLANE_OK)
		return rc;
	for (size_t i = 0; i < x->n_sep; i++)
		x->sep[i] -= (uint32_t)gone;
	x->at -= gone;
	r->next_begin = 0;
	return r->p->n < UINT32_MAX - 256 ? GLANE_OK : too_long(r, r->next_line);
}

/* Indexes on until a record is complete; GLANE_END at the document's end. */
static glane_rc refill(struct csv_reader *r)
{
	struct csv_index *x = &r->x;
	glane_rc rc = GLANE_OK;

	x->n_sep -= r->next_sep;
	memmove(x->sep, x->sep + r->next_sep, x->n_sep * sizeof(*x->sep));
	r->next_sep = 0;
	r->next_end = x->n_end = 0;
	while (rc == GLANE_OK && x->n_end == 0) {
		if (x->error)
			return index_fail(r);
		if (x->n_sep > CSV_MAX_COLUMNS)
			return fail(r->d, GLANE_E_LIMIT, "csv line %llu: more than %d columns",
				(unsigned long long)r->next_line, CSV_MAX_COLUMNS);
		if (x->at > r->next_begin + r->max_record && !x->is_done)
			return too_long(r, r->next_line);
		if (csv_index_run(x, r->p->p, r->p->n, r->p->last))
			continue;
		if (x->is_done && x->is_inside)
			return fail(r->d, GLANE_E_FORMAT,
				"csv line %llu: the record that begins here has a quoted cell that never ends",
				(unsigned long long)r->next_line);
		if (x->is_done)
			return GLANE_END;
		rc = window_more(r);
	}
	return rc;
}

/* Steps over one record, blank or not. */
static glane_rc step(struct csv_reader *r)
{
	struct csv_index *x = &r->x;
	const struct csv_end *e;
	size_t stop;

	if (r->next_end == x->n_end) {
		glane_rc rc = refill(r);

		if (rc != GLANE_OK)
			return rc;
	}
	e = &x->end[r->next_end++];
	stop = x->sep[e->sep];
	r->sep = r->next_sep;
	r->n_cell = e->sep + 1 - r->next_sep;
	r->begin = r->next_begin;
	r->line = r->next_line;
	r->is_doubled = e->lines & 1;
	r->next_sep = e->sep + 1;
	r->next_begin = stop + 1;
	r->next_line += e->lines >> 1;
	if (stop > r->begin && r->p->p[stop - 1] == '\r')
		x->sep[e->sep] = (uint32_t)--stop;
	r->stop = stop;
	return GLANE_OK;
}

static bool is_blank(const struct csv_reader *r)
{
	if (r->n_cell != 1)
		return false;
	if (r->stop == r->begin)
		return true;
	return r->is_trimmed && slice_trim((struct slice){r->p->p + r->begin, r->stop - r->begin}).n == 0;
}

static struct slice raw_cell(const struct csv_reader *r, size_t i)
{
	const uint32_t *sep = r->x.sep + r->sep + i;
	size_t begin = i ? sep[-1] + (size_t)1 : r->begin;

	return (struct slice){r->p->p + begin, *sep - begin};
}

/* Where blanks may stand around quotes, the index has not looked at what else does. */
static bool is_quoted_well(const struct csv_reader *r, struct slice s)
{
	size_t i = 1;

	s = slice_trim(s);
	if (!memchr(s.p, r->quote, s.n))
		return true;
	if (s.n < 2 || s.p[0] != r->quote || s.p[s.n - 1] != r->quote)
		return false;
	while (i < s.n - 1) {
		if (s.p[i] == r->quote && (i + 1 == s.n - 1 || s.p[++i] != r->quote))
			return false;
		i++;
	}
	return true;
}

static glane_rc check_quotes(struct csv_reader *r)
{
	if (!r->is_quoting || !memchr(r->p->p + r->begin, r->quote, r->stop - r->begin))
		return GLANE_OK;
	for (size_t i = 0; i < r->n_cell; i++) {
		if (!is_quoted_well(r, raw_cell(r, i)))
			return fail(r->d, GLANE_E_FORMAT,
				"csv line %llu: a quote inside of an unquoted cell, or text beside a quoted one, in "
				"column %zu",
				(unsigned long long)r->line, i + 1);
	}
	return GLANE_OK;
}

static glane_rc check_sizes(struct csv_reader *r)
{
	if (r->stop - r->begin > r->max_record)
		return too_long(r, r->line);
	for (size_t i = 0; i < r->n_cell; i++) {
		if (raw_cell(r, i).n > r->max_field)
			return fail(r->d, GLANE_E_LIMIT, "csv line %llu: column %zu is longer than %zu bytes",
				(unsigned long long)r->line, i + 1, r->max_field);
	}
	return GLANE_OK;
}

glane_rc csv_next_record(struct csv_reader *r)
{
	glane_rc rc;

	do
		rc = step(r);
	while (rc == GLANE_OK && is_blank(r));
	if (rc == GLANE_OK && r->stop - r->begin > r->max_field)
		rc = check_sizes(r);
	if (rc == GLANE_OK && r->is_trimmed)
		rc = check_quotes(r);
	if (rc == GLANE_OK && r->is_doubled && !mem_grow(&r->scratch, &r->scratch_cap, r->stop - r->begin, 1))
		rc = fail(r->d, GLANE_E_NOMEM, "csv line %llu: out of memory", (unsigned long long)r->line);
	return rc;
}

/* Doubled quotes become single, in the scratch at the cell's own place: no cell overwrites another. */
static struct slice unescape(const struct csv_reader *r, struct slice s)
{
	const char *at = memchr(s.p, r->quote, s.n), *end = s.p + s.n;
	char *out = r->scratch + (size_t)(s.p - (r->p->p + r->begin));
	struct slice ret = {out, 0};

	if (!at)
		return s;
	for (const char *p = s.p; p < end; at = memchr(p, r->quote, (size_t)(end - p))) {
		size_t n = at ? (size_t)(at - p) + 1 : (size_t)(end - p);

		memcpy(out + ret.n, p, n);
		ret.n += n;
		p += at ? n + 1 : n;
		if (p >= end)
			break;
	}
	return ret;
}

/* A cell that is quoted or has blanks to lose. */
static struct slice dress(const struct csv_reader *r, struct slice s)
{
	if (r->is_trimmed)
		s = slice_trim(s);
	if (r->is_quoting && s.n && *s.p == r->quote) {
		s = (struct slice){s.p + 1, s.n - 2};
		s = r->is_doubled ? unescape(r, s) : s;
		s = r->is_trimmed ? slice_trim(s) : s;
	}
	return s;
}

static inline struct slice cell(const struct csv_reader *r, size_t i)
{
	struct slice s;

	if (i >= r->n_cell)
		return i < r->n_column && r->n_cell ? SLICE("") : (struct slice){NULL, 0};
	s = raw_cell(r, i);
	return (s.n && *s.p == r->quote) || r->is_trimmed ? dress(r, s) : s;
}

struct slice csv_cell(const struct csv_reader *r, size_t i)
{
	return cell(r, i);
}

/* Another number of cells than the header's. */
static glane_rc check_cells(struct csv_reader *r)
{
	unsigned long long line = r->line;

	if (r->n_cell < r->n_column) {
		if (r->is_ragged || (r->n_cell + 1 == r->n_column && r->column[r->n_cell].n == 0))
			return GLANE_OK;
		return fail(r->d, GLANE_E_FORMAT,
			"csv line %llu: %u cells where the header has %zu; `ragged` would pad them", line,
			(unsigned)r->n_cell, r->n_column);
	}
	for (size_t i = r->n_column; !r->is_wide && i < r->n_cell; i++) {
		if (cell(r, i).n || (!r->is_ragged && i > r->n_column))
			return fail(r->d, GLANE_E_FORMAT, "csv line %llu: %u cells where the header has %zu", line,
				(unsigned)r->n_cell, r->n_column);
	}
	return GLANE_OK;
}

static glane_rc csv_next(void *state)
{
	struct csv_reader *r = state;

	if (r->is_replay) {
		r->is_replay = false;
		r->number = 1;
		return GLANE_OK;
	}
	if (r->rc != GLANE_OK)
		return r->rc;
	r->rc = csv_next_record(r);
	if (r->rc == GLANE_OK && r->n_cell != r->n_column)
		r->rc = check_cells(r);
	if (r->rc == GLANE_OK)
		r->number++;
	else
		r->n_cell = 0;
	return r->rc;
}

static struct slice csv_at(void *state, size_t i)
{
	const struct csv_reader *r = state;

	if (r->is_bound) {
		if (i >= r->n_bound || r->bound[i] == CSV_UNBOUND)
			return (struct slice){NULL, 0};
		i = r->bound[i];
	}
	return i < r->n_column ? cell(r, i) : (struct slice){NULL, 0};
}

static struct slice csv_get(void *state, const char *path)
{
	const struct csv_reader *r = state;
	bool is_twice, is_optional;
	uint32_t c = csv_field_find(r, path, &is_twice, &is_optional);

	return c == CSV_UNBOUND ? (struct slice){NULL, 0} : cell(r, c);
}

static glane_rc check_dialect(struct csv_reader *r)
{
	unsigned char c = (unsigned char)r->x.delimiter, q = (unsigned char)r->x.quote;

	if (c == q || c >= 0x80 || c == '\n' || c == '\r')
		return fail(
			r->d, GLANE_E_CONFIG, "csv: delimiter 0x%02X: it must be ASCII, no line end, not the quote", c);
	if (q >= 0x80 || q == '\n' || q == '\r')
		return fail(r->d, GLANE_E_CONFIG, "csv: quote 0x%02X: it must be ASCII and no line end", q);
	return GLANE_OK;
}

static void csv_close(void *state)
{
	struct csv_reader *r = state;

	mem_free(r->x.sep);
	mem_free(r->x.end);
	mem_free(r->scratch);
	arena_release(&r->arena);
	mem_free(r);
}

static glane_rc open_reader(struct csv_reader *r, const struct record_options *o)
{
	static const struct glane_csv none;
	const struct glane_csv *c = o->csv ? o->csv : &none;
	size_t at = 0;
	glane_rc rc;

	r->x.delimiter = c->delimiter ? c->delimiter : ',';
	r->x.quote = r->quote = c->quote ? c->quote : '"';
	r->x.is_quoting = r->is_quoting = r->quote != '\1';
	r->x.is_lax = r->is_trimmed = c->trim != 0;
	r->is_ragged = c->ragged != 0;
	r->is_wide = o->format == GLANE_FMT_XLSX && !c->no_header;
	r->max_record = o->max_record ? o->max_record : MAX_RECORD;
	r->max_record = r->max_record < RECORD_CEILING ? r->max_record : RECORD_CEILING;
	r->max_field = o->max_field ? o->max_field : MAX_FIELD;
	rc = check_dialect(r);
	if (rc != GLANE_OK)
		return rc;
	r->x.sep = mem_alloc(CSV_SEP_CAP * sizeof(*r->x.sep));
	r->x.end = mem_alloc(CSV_END_CAP * sizeof(*r->x.end));
	if (!r->x.sep || !r->x.end)
		return fail(r->d, GLANE_E_NOMEM, "csv: out of memory");
	rc = csv_skip_lines(r, c->skip, &at);
	csv_index_init(&r->x, at);
	r->next_begin = at;
	if (rc == GLANE_OK)
		rc = csv_read_header(r, !c->no_header);
	return rc == GLANE_OK ? csv_bind_fields(r, o) : rc;
}

static glane_rc csv_open(void **ret, struct payload *p, const struct record_options *o, struct diag *d)
{
	struct csv_reader *r = mem_zalloc(1, sizeof(*r));
	glane_rc rc;

	if (!r)
		return fail(d, GLANE_E_NOMEM, "csv: out of memory");
	r->p = p;
	r->d = d;
	r->next_line = 1;
	arena_init(&r->arena, HEADER_MEMORY);
	rc = open_reader(r, o);
	if (rc != GLANE_OK) {
		csv_close(r);
		return rc;
	}
	if (!r->is_replay)
		r->n_cell = 0;
	*ret = r;
	return GLANE_OK;
}

static size_t csv_columns(const void *state)
{
	return ((const struct csv_reader *)state)->n_column;
}

static struct slice csv_column(const void *state, size_t i)
{
	const struct csv_reader *r = state;

	return i < r->n_column ? r->column[i] : (struct slice){NULL, 0};
}

static void csv_where(const void *state, uint64_t *number, uint64_t *line, uint64_t *offset)
{
	const struct csv_reader *r = state;

	*number = r->number;
	*line = r->line;
	*offset = r->p->pos + r->begin;
}

static struct slice csv_text(const void *state, size_t max)
{
	const struct csv_reader *r = state;
	struct slice s = {r->p->p + r->begin, r->stop - r->begin};

	if (r->n_cell == 0)
		return (struct slice){NULL, 0};
	if (s.n > max) {
		s.n = max;
		while (s.n && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
			s.n--;
	}
	return s;
}

const struct record_ops csv_record_ops = {
	.open = csv_open,
	.next = csv_next,
	.at = csv_at,
	.get = csv_get,
	.columns = csv_columns,
	.column = csv_column,
	.where = csv_where,
	.text = csv_text,
	.close = csv_close,
};
