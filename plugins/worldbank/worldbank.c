/* SPDX-License-Identifier: MIT */
/* World Bank Indicators API v2: https://datahelpdesk.worldbank.org/knowledgebase/articles/898581 */
#include <glane/plugin.h>

#include <string.h>

#define MAX_TOGETHER 60 /* indicators of one call: a limit of the API */

struct state {
	struct glane_list indicators, countries;
	const char *database, *date, *language;
	int64_t per_page;
	glane_str dataset, stamp; /* stamp: `lastupdated` of the call's first page */
};
#define OPT(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, name), dflt, help, 0, 0
static const struct glane_opt options[] = {
	{"indicators", GLANE_OPT_LIST, GLANE_OPT_REQUIRED, offsetof(struct state, indicators), NULL, "codes", 0, 0},
	{OPT(STR, database, "2", "2 WDI, 3 WGI, 28 Findex, ...")},
	{OPT(LIST, countries, "all", "codes of economies and aggregates, or all")},
	{OPT(STR, date, "", "2000:2024, 2010, 2009M01:2010M08, ...; none: all")},
	{OPT(STR, language, "", "of the titles: en es fr ar zh; none: en")},
	{"per_page", GLANE_OPT_INT, 0, offsetof(struct state, per_page), "20000", "rows of a page", 1, 32500},
	{0},
};
enum { ISO3, ID, NAME, INDICATOR, TITLE, DATE, VALUE, UNIT, STATUS, FIELDS };
static const char *const fields[FIELDS] = {"countryiso3code", "country.id", "country.value", "indicator.id",
	"indicator.value", "date", "value", "unit", "obs_status"};
static const char *const heads[] = {"0.lastupdated"};

static glane_rc emit(const struct glane_host *h, glane_run *r, struct state *s, glane_reader *rd)
{
	struct glane_series series = {.size = sizeof(series), .dataset = s->dataset, .area_scheme = GLANE_STR("WB")};
	struct glane_row row = {.size = sizeof(row), .period = h->at(rd, DATE), .value = h->at(rd, VALUE)};
	const glane_str stamp = h->head(rd, 0);
	glane_rc rc;

	if (!s->stamp.p)
		s->stamp = glane_str_of(h->fmt(r, "%.*s", (int)stamp.n, stamp.n ? stamp.p : ""));
	if (stamp.n != s->stamp.n || (stamp.n && memcmp(stamp.p, s->stamp.p, stamp.n) != 0))
		return h->fail(r, GLANE_E_DATA, "lastupdated was %s on the first page: the data moved", s->stamp.p);
	series.area = h->at(rd, h->at(rd, ISO3).n ? ISO3 : ID); /* some aggregates have no ISO3 */
	series.indicator = h->at(rd, INDICATOR), series.title = h->at(rd, TITLE), series.area_title = h->at(rd, NAME);
	series.unit = h->at(rd, UNIT), series.updated = stamp, row.status = h->at(rd, STATUS);
	rc = h->series(r, &series, &row.series);
	return rc == GLANE_OK ? h->emit(r, &row) : rc;
}

/* Several databases may hold an indicator, with other vintages: the database is always named, and decides the dataset. */
static const char *url_of(const struct glane_host *h, glane_run *r, struct state *s)
{
	const char *url = h->fmt(r, "{base_url}%s%s/country", s->language[0] ? "/" : "", s->language);

	for (size_t i = 0; url && i < s->countries.n; i++)
		url = h->fmt(r, "%s%c%s", url, i ? ';' : '/', s->countries.v[i]);
	s->dataset = glane_str_of(strcmp(s->database, "2") == 0   ? "WDI"
				  : strcmp(s->database, "3") == 0 ? "WGI"
								  : h->fmt(r, "WB%s", s->database));
	s->stamp = (glane_str){NULL, 0};
	return url && s->dataset.p ? h->fmt(r, "%s/indicator/{split}", url) : NULL;
}

static glane_rc fetch(const struct glane_host *h, glane_run *r, struct state *s, const glane_str *codes, size_t n)
{
	const struct glane_kv query[] = {{"format", GLANE_STR("json")}, {"source", glane_str_of(s->database)},
		{"date", glane_str_of(s->date[0] ? s->date : NULL)}};
	struct glane_request q = {.size = sizeof(q), .format = GLANE_FMT_JSON, .paging = GLANE_PAGE_NUMBER};
	glane_reader *rd = NULL;
	glane_rc rc;

	q.url = url_of(h, r, s), q.query = query, q.n_query = 3, q.split = codes, q.n_split = n;
	q.field = fields, q.n_field = FIELDS, q.head = heads, q.n_head = 1, q.select = "1.*";
	q.page_param = "page", q.page_size_param = "per_page", q.page_len = (uint32_t)s->per_page;
	q.page_first = 1, q.page_pages = "0.pages", q.page_total = "0.total", q.error = "0.message.0.value";
	rc = q.url ? h->open(r, &q, &rd) : h->fail(r, GLANE_E_NOMEM, "no memory for a URL");
	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK)
		rc = emit(h, r, s, rd);
	if (rd)
		h->close(rd);
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* Years that were asked for are covered from first day to last; of other dates nothing can be said. */
static glane_rc declare(const struct glane_host *h, glane_run *r, const struct state *s, const char *code, glane_rc how)
{
	struct glane_cover cover = {.size = sizeof(cover), .dataset = s->dataset, .indicator = glane_str_of(code)};
	const size_t n = strlen(s->date);

	cover.kind = n ? GLANE_COVER_NONE : GLANE_COVER_FULL;
	if ((n == 4 || n == 9) && strspn(s->date, "0123456789:") == n) {
		cover.kind = GLANE_COVER_RANGE;
		cover.from = glane_str_of(h->fmt(r, "%.4s-01-01", s->date));
		cover.to = glane_str_of(h->fmt(r, "%s-12-31", s->date + n - 4));
	}
	return h->slice(r, how, &cover, h->fmt(r, "indicator %s was not read", code));
}

/* A call fails as a whole where one indicator is gone: then each goes alone, and only that one's slice fails. */
static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	struct state *s = state;
	const size_t n_all = s->indicators.n;
	glane_rc together = GLANE_OK, rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < n_all; i++) {
		const size_t n = n_all - i < MAX_TOGETHER ? n_all - i : MAX_TOGETHER;
		glane_str codes[MAX_TOGETHER];

		for (size_t k = 0; k < n; k++)
			codes[k] = glane_str_of(s->indicators.v[i + k]);
		if (i % MAX_TOGETHER == 0)
			together = fetch(h, r, s, codes, n);
		rc = together == GLANE_E_DATA && n_all > 1 ? fetch(h, r, s, codes, 1) : together;
		rc = declare(h, r, s, s->indicators.v[i], rc);
	}
	return rc;
}

GLANE_PLUGIN(.name = "worldbank", .version = "1.0", .title = "World Bank Indicators API v2", .opts = options,
	.run = run, .base_url = "https://api.worldbank.org/v2", .state_size = sizeof(struct state));
