/* SPDX-License-Identifier: MIT */
/* CSV of any provider, by declaration: columns to dimensions, wide and long, plain or in archives. README.md has examples. */
#include "mapping.h"

#include <string.h>

static int selected(const struct glane_host *h, glane_reader *rd, const struct state *s, const struct mapping *m)
{
	for (size_t i = 0; i < s->where.n; i++)
		if (!csv_same(cell_text(h, rd, &m->where[i]), s->where.v[i].v))
			return 0;
	return 1;
}

static glane_rc series_of(const struct glane_host *h, glane_run *r, glane_reader *rd, const struct state *s,
	const struct mapping *m, const struct value_column *v, uint32_t *ret)
{
	struct glane_kv dims[MAX_DIMS + 1];
	struct glane_series q = {.size = sizeof(q), .freq = s->freq[0], .dataset = csv_str(s->dataset), .dims = dims};

	q.indicator = s->indicator[0]   ? cell_text(h, rd, &m->indicator)
		      : m->wide_periods ? csv_str(s->dataset)
					: v->code;
	q.area = m->wide_area ? v->header : cell_text(h, rd, &m->area);
	q.area_scheme = csv_str(s->area_scheme);
	q.area_title = cell_text(h, rd, &m->area_title);
	q.unit = cell_text(h, rd, &m->unit);
	q.title = m->title.n || m->title.constant.n ? cell_text(h, rd, &m->title)
		  : v->period.n || s->wide[0]       ? q.title
						    : v->header;
	for (size_t i = 0; i < s->dims.n; i++) {
		const glane_str text = cell_text(h, rd, &m->dims[i]);

		dims[q.n_dims++] = (struct glane_kv){s->dims.v[i].k, text.n ? text : (glane_str){NULL, 0}};
	}
	if (m->wide_dim)
		dims[q.n_dims++] = (struct glane_kv){m->wide_dim, v->header};
	return h->series(r, &q, ret);
}

static glane_rc emit_record(
	const struct glane_host *h, glane_run *r, glane_reader *rd, const struct state *s, const struct mapping *m)
{
	uint32_t series = 0;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < m->n_values; i++) {
		const struct value_column *v = &m->values[i];
		struct glane_row row = {.size = sizeof(row),
			.period = v->period.n ? v->period : cell_text(h, rd, &m->period),
			.value = h->at(rd, v->column),
			.status = cell_text(h, rd, &m->status),
			.flags = cell_text(h, rd, &v->flags),
			.note = cell_text(h, rd, &v->note),
			.unit_mult = cell_text(h, rd, &m->unit_mult)};

		row.status = csv_status(s, row.status, row.flags);
		if (s->missing.n && csv_missing(s, row.value))
			row.value = (glane_str){NULL, 0};
		if (!m->wide_periods || i == 0)
			rc = series_of(h, r, rd, s, m, v, &series);
		row.series = series;
		if (rc == GLANE_OK)
			rc = h->emit(r, &row);
	}
	return rc;
}

/* Footers of a ragged file ("Last Updated: ...") have neither area nor period. */
static int is_footer(const struct glane_host *h, glane_reader *rd, const struct state *s, const struct mapping *m)
{
	return s->ragged && m->area.n && !cell_text(h, rd, &m->area).n;
}

static glane_rc read_file(const struct glane_host *h, glane_run *r, const struct state *s, const char *url)
{
	const struct glane_csv csv = {.size = sizeof(csv),
		.delimiter = strcmp(s->delimiter, "tab") == 0 ? '\t' : s->delimiter[0],
		.quote = strcmp(s->quote, "none") == 0 ? '\1' : s->quote[0],
		.decimal = s->decimal[0],
		.group = strcmp(s->group, "blank") == 0 ? ' ' : s->group[0],
		.skip = (uint32_t)s->skip,
		.no_header = s->no_header,
		.ragged = s->ragged,
		.trim = s->trim,
		.encoding = s->encoding[0] ? s->encoding : NULL};
	const struct glane_request q = {.size = sizeof(q),
		.format = GLANE_FMT_CSV,
		.url = url,
		.csv = &csv,
		.member = s->member[0] ? s->member : NULL};
	static struct value_column values[MAX_VALUES];
	struct mapping m;
	glane_reader *rd = NULL;
	glane_rc rc = h->open(r, &q, &rd);

	memset(&m, 0, sizeof(m));
	m.values = values;
	if (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK)
		rc = mapping_resolve(h, r, rd, s, &m);
	for (; rc == GLANE_OK; rc = rc == GLANE_OK ? h->next(rd) : rc)
		if (!is_footer(h, rd, s, &m) && selected(h, rd, s, &m))
			rc = emit_record(h, r, rd, s, &m);
	if (rd)
		h->close(rd);
	return rc == GLANE_END ? GLANE_OK : rc;
}

static const char *url_of(const struct glane_host *h, glane_run *r, const char *file, const char *indicator)
{
	const char *base = strstr(file, "://") ? "" : "{base_url}/", *mark = strstr(file, "{indicator}");

	if (!mark)
		return h->fmt(r, "%s%s", base, file);
	return h->fmt(r, "%s%.*s%s%s", base, (int)(mark - file), file, indicator, mark + 11);
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	const struct glane_cover cover = {.size = sizeof(cover),
		.dataset = csv_str(s->dataset),
		.kind = strcmp(s->cover, "none") == 0 ? GLANE_COVER_NONE : GLANE_COVER_FULL};
	glane_rc rc = s->files.n ? GLANE_OK : read_file(h, r, s, "{base_url}");

	for (size_t i = 0; rc == GLANE_OK && i < s->files.n; i++) {
		const int each = strstr(s->files.v[i], "{indicator}") != NULL;

		for (size_t k = 0; rc == GLANE_OK && k < (each ? s->indicators.n : 1); k++) {
			const char *url = url_of(h, r, s->files.v[i], each ? s->indicators.v[k] : "");

			rc = url ? read_file(h, r, s, url) : h->fail(r, GLANE_E_NOMEM, "no memory for a URL");
		}
	}
	return rc == GLANE_OK ? h->cover(r, &cover) : rc;
}

GLANE_PLUGIN(.name = "csv", .version = "1.0", .title = "CSV files of any provider, by declaration",
	.state_size = sizeof(struct state), .opts = csv_options, .run = run);
