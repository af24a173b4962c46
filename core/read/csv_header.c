/* SPDX-License-Identifier: MIT */
/* CSV column names: what stands before them, and the fields that are bound to them. */
#include "base/strbuf.h"
#include "read/csv_reader.h"
#include <stdio.h>
#include <string.h>

#define NAMES_SHOWN 20

/* The column of that name, or "#N"; CSV_UNBOUND: none. *ret_twice: a second one has it. */
static uint32_t column_find(const struct csv_reader *r, struct slice name, bool *ret_twice)
{
	uint32_t found = CSV_UNBOUND;
	int64_t n;

	*ret_twice = false;
	for (size_t i = 0; i < r->n_column; i++) {
		if (slice_eq(r->column[i], name)) {
			*ret_twice = found != CSV_UNBOUND;
			found = found == CSV_UNBOUND ? (uint32_t)i : found;
		}
	}
	if (found == CSV_UNBOUND && name.n > 1 && *name.p == '#' &&
		slice_int((struct slice){name.p + 1, name.n - 1}, 1, (int64_t)r->n_column, &n))
		found = (uint32_t)(n - 1);
	return found;
}

uint32_t csv_field_find(const struct csv_reader *r, const char *field, bool *ret_twice, bool *ret_optional)
{
	struct slice rest = slice_of(field);
	uint32_t found = column_find(r, rest, ret_twice);

	*ret_optional = rest.n > 0 && rest.p[rest.n - 1] == '|';
	while (found == CSV_UNBOUND && rest.p) {
		struct slice name = slice_cut(&rest, '|');

		found = name.n ? column_find(r, name, ret_twice) : CSV_UNBOUND;
	}
	return found;
}

static glane_rc missing(struct csv_reader *r, const char *field)
{
	struct strbuf b;
	glane_rc rc;

	strbuf_init(&b, 0);
	for (size_t i = 0; i < r->n_column && i < NAMES_SHOWN; i++) {
		struct slice name = r->column[i];

		strbuf_puts(&b, i ? ", " : "");
		strbuf_slice(&b, name.n > 60 ? (struct slice){name.p, 60} : name);
	}
	strbuf_puts(&b, r->n_column > NAMES_SHOWN ? ", ..." : "");
	rc = fail(r->d, GLANE_E_DATA, "csv line %llu: no column '%s' in the header; there are: %.*s",
		(unsigned long long)r->line, field, SLICE_FMT(strbuf_get(&b)));
	strbuf_release(&b);
	return rc;
}

glane_rc csv_bind_fields(struct csv_reader *r, const struct record_options *o)
{
	const char *const *field = o->field;

	r->is_bound = field != NULL;
	r->n_bound = field ? o->n_field : 0;
	r->bound = arena_alloc(&r->arena, (r->n_bound + 1) * sizeof(*r->bound));
	if (!r->bound)
		return fail(r->d, GLANE_E_NOMEM, "csv: out of memory");
	for (size_t i = 0; field && i < r->n_bound; i++) {
		bool is_twice, is_optional;

		r->bound[i] = csv_field_find(r, field[i], &is_twice, &is_optional);
		if (is_twice)
			return fail(r->d, GLANE_E_DATA,
				"csv line %llu: the header has '%s' twice; name the column by its number, e.g. #%u",
				(unsigned long long)r->line, field[i], (unsigned)r->bound[i] + 1);
		if (r->bound[i] == CSV_UNBOUND && !is_optional)
			return missing(r, field[i]);
	}
	return GLANE_OK;
}

glane_rc csv_read_header(struct csv_reader *r, bool has_header)
{
	glane_rc rc = csv_next_record(r);

	if (rc == GLANE_END)
		return fail(r->d, GLANE_E_FORMAT, "csv line %llu: the document ends before %s",
			(unsigned long long)r->next_line, has_header ? "its header" : "the first record");
	if (rc != GLANE_OK)
		return rc;
	if (r->n_cell > CSV_MAX_COLUMNS)
		return fail(r->d, GLANE_E_LIMIT, "csv line %llu: more than %d columns", (unsigned long long)r->line,
			CSV_MAX_COLUMNS);
	r->column = arena_alloc(&r->arena, r->n_cell * sizeof(*r->column));
	for (size_t i = 0; r->column && i < r->n_cell; i++) {
		char number[16];
		int n = snprintf(number, sizeof(number), "%zu", i + 1);
		struct slice name = has_header ? csv_cell(r, i) : (struct slice){number, (size_t)n};

		if (!arena_dup(&r->arena, name, &r->column[i]))
			return fail(r->d, GLANE_E_NOMEM, "csv: out of memory for the header");
	}
	r->n_column = r->n_cell;
	r->is_replay = !has_header;
	return r->column ? GLANE_OK : fail(r->d, GLANE_E_NOMEM, "csv: out of memory for the header");
}

glane_rc csv_skip_lines(struct csv_reader *r, uint32_t skip, size_t *ret)
{
	struct payload *p = r->p;
	glane_rc rc = GLANE_OK;
	bool after_cr = false;
	size_t at = 0;

	while (rc == GLANE_OK && p->n < 3 && !p->last)
		rc = payload_more(p, p->n);
	if (rc == GLANE_OK && p->n >= 3 && memcmp(p->p, "\xEF\xBB\xBF", 3) == 0)
		at = 3;
	while (rc == GLANE_OK && (r->next_line <= skip || after_cr)) {
		if (at < p->n) {
			if (r->next_line > skip && p->p[at] != '\n')
				break;
			r->next_line += p->p[at] == '\r' || (p->p[at] == '\n' && !after_cr);
			after_cr = p->p[at++] == '\r';
			continue;
		}
		if (p->last)
			break;
		rc = payload_more(p, 0);
		at = 0;
	}
	*ret = at;
	return rc;
}
