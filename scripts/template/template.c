/* SPDX-License-Identifier: MIT */
/* template: the JSON service of the Example Institute, https://example.org/api (say here where the format is documented). */
#include <glane/plugin.h>

#include <string.h>

/* What a [source] section may say. The host fills this in from the table below, checked. */
struct state {
	struct glane_list indicators;
	const char *from;
	int64_t page_size;
};
static const struct glane_opt options[] = {
	{"indicators", GLANE_OPT_LIST, GLANE_OPT_REQUIRED, offsetof(struct state, indicators), NULL,
		"codes, such as IT.NET.USER.ZS; each is fetched, and fails, on its own", 0, 0},
	{"from", GLANE_OPT_STR, 0, offsetof(struct state, from), "", "first year; none: all", 0, 0},
	{"page_size", GLANE_OPT_INT, 0, offsetof(struct state, page_size), "500", "records of a page", 1, 5000},
	{0},
};

/* What is read of a record, and of the page outside of its records; paths as the host understands them. */
enum { AREA, YEAR, VALUE, FLAG, NOTE, FIELDS };
static const char *const fields[FIELDS] = {"area", "year", "value", "flag", "note"};
enum { TITLE, UNIT, UPDATED, HEADS };
static const char *const heads[HEADS] = {"title", "unit", "updated"};

/* One record of the answer becomes one observation. The host reads the numbers, periods and areas. */
static glane_rc emit(const struct glane_host *h, glane_run *r, glane_reader *rd, const char *indicator)
{
	const struct glane_series series = {.size = sizeof(series),
		.freq = 'A',
		.dataset = GLANE_STR("EXAMPLE"),
		.indicator = glane_str_of(indicator),
		.area = h->at(rd, AREA),
		.area_scheme = GLANE_STR("ISO3"),
		.title = h->head(rd, TITLE),
		.unit = h->head(rd, UNIT),
		.updated = h->head(rd, UPDATED)};
	struct glane_row row = {.size = sizeof(row),
		.period = h->at(rd, YEAR),
		.value = h->at(rd, VALUE),
		.status = h->at(rd, FLAG),
		.note = h->at(rd, NOTE)};
	const glane_rc rc = h->series(r, &series, &row.series);

	return rc == GLANE_OK ? h->emit(r, &row) : rc;
}

/* All pages of one indicator. Pages that are missing, repeated or short are the host's business: it compares `pages` and `total`. */
static glane_rc fetch(const struct glane_host *h, glane_run *r, const struct state *s, const char *indicator)
{
	const struct glane_kv query[] = {{"indicator", glane_str_of(indicator)},
		{"from", s->from[0] ? glane_str_of(s->from) : (glane_str){NULL, 0}}};
	const struct glane_request q = {.size = sizeof(q),
		.format = GLANE_FMT_JSON,
		.url = "{base_url}/observations",
		.query = query,
		.n_query = 2,
		.select = "data.*",
		.field = fields,
		.n_field = FIELDS,
		.head = heads,
		.n_head = HEADS,
		.paging = GLANE_PAGE_NUMBER,
		.page_param = "page",
		.page_first = 1,
		.page_size_param = "page_size",
		.page_len = (uint32_t)s->page_size,
		.page_pages = "pages",
		.page_total = "total",
		.error = "error"};
	glane_reader *rd = NULL;
	glane_rc rc = h->open(r, &q, &rd);

	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK)
		rc = emit(h, r, rd, indicator);
	h->close(rd);
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* Each indicator is a slice: read whole (what it no longer holds is withdrawn), or failed (it keeps its last state). */
static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < s->indicators.n; i++) {
		const char *indicator = s->indicators.v[i];
		const struct glane_cover cover = {.size = sizeof(cover),
			.kind = s->from[0] ? GLANE_COVER_NONE : GLANE_COVER_FULL,
			.dataset = GLANE_STR("EXAMPLE"),
			.indicator = glane_str_of(indicator)};

		rc = fetch(h, r, s, indicator);
		rc = h->slice(r, rc, &cover, h->fmt(r, "indicator %s was not read", indicator));
	}
	return rc;
}

GLANE_PLUGIN(.name = "template", .version = "1.0", .title = "Example Institute, JSON service",
	.base_url = "https://example.org/api", .opts = options, .state_size = sizeof(struct state), .run = run);
