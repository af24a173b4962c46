/* SPDX-License-Identifier: MIT */
/* World Bank Indicators API v2: https://datahelpdesk.worldbank.org/knowledgebase/articles/898581 */
#include <glane/plugin.h>

#include <string.h>

struct state {
	struct glane_list indicators, countries;
	const char *source, *date, *language;
	int64_t per_page;
};

static const struct glane_opt options[] = {
	{"indicators", GLANE_OPT_LIST, GLANE_OPT_REQUIRED, offsetof(struct state, indicators), NULL, "indicator codes",
		0, 0},
	{"countries", GLANE_OPT_LIST, 0, offsetof(struct state, countries), "all", "country or aggregate codes", 0, 0},
	{"source", GLANE_OPT_STR, 0, offsetof(struct state, source), "2", "database id: 2 WDI, 3 WGI, 28 Findex, ...",
		0, 0},
	{"date", GLANE_OPT_STR, 0, offsetof(struct state, date), "", "years FROM:TO; empty: all", 0, 0},
	{"language", GLANE_OPT_STR, 0, offsetof(struct state, language), "en", "of the titles: en fr es ar zh", 0, 0},
	{"per_page", GLANE_OPT_INT, 0, offsetof(struct state, per_page), "20000", "rows per page", 1, 32500},
	{0},
};

enum { ISO3, ID, NAME, INDICATOR, TITLE, DATE, VALUE, UNIT, STATUS };
static const char *const fields[] = {"countryiso3code", "country.id", "country.value", "indicator.id",
	"indicator.value", "date", "value", "unit", "obs_status"};
static const char *const heads[] = {"0.lastupdated"};

static glane_str str(const char *s)
{
	return (glane_str){s, strlen(s)};
}

/* One database can hold an indicator that another holds too, with another vintage: the dataset says which. */
static glane_str dataset_of(const struct glane_host *h, glane_run *r, const struct state *s)
{
	const char *name = strcmp(s->source, "2") == 0   ? "WDI"
			   : strcmp(s->source, "3") == 0 ? "WGI"
							 : h->fmt(r, "WB%s", s->source);

	return name ? str(name) : GLANE_STR("");
}

static glane_rc read_rows(const struct glane_host *h, glane_run *r, glane_reader *rd, glane_str dataset)
{
	glane_rc rc;

	while ((rc = h->next(rd)) == GLANE_OK) {
		const glane_str iso3 = h->at(rd, ISO3);
		const struct glane_series series = {.size = sizeof(series),
			.dataset = dataset,
			.indicator = h->at(rd, INDICATOR),
			.area = iso3.n ? iso3 : h->at(rd, ID),
			.area_scheme = GLANE_STR("WB"),
			.area_title = h->at(rd, NAME),
			.unit = h->at(rd, UNIT),
			.title = h->at(rd, TITLE),
			.updated = h->head(rd, 0)};
		struct glane_row row = {.size = sizeof(row),
			.period = h->at(rd, DATE),
			.value = h->at(rd, VALUE),
			.status = h->at(rd, STATUS)};

		rc = h->series(r, &series, &row.series);
		if (rc == GLANE_OK)
			rc = h->emit(r, &row);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc fetch(const struct glane_host *h, glane_run *r, const struct state *s, const glane_str *codes, size_t n)
{
	const struct glane_kv query[] = {{"format", GLANE_STR("json")}, {"source", str(s->source)},
		{"date", s->date[0] ? str(s->date) : (glane_str){NULL, 0}}};
	const char *countries = s->countries.v[0],
		   *prefix = strcmp(s->language, "en") == 0 ? "" : h->fmt(r, "/%s", s->language);
	struct glane_request request = {.size = sizeof(request),
		.format = GLANE_FMT_JSON,
		.paging = GLANE_PAGE_NUMBER,
		.query = query,
		.n_query = 3,
		.select = "1.*",
		.field = fields,
		.n_field = 9,
		.head = heads,
		.n_head = 1,
		.page_param = "page",
		.page_size_param = "per_page",
		.page_len = (uint32_t)s->per_page,
		.page_first = 1,
		.page_pages = "0.pages",
		.page_total = "0.total",
		.error = "0.message.0.value",
		.split = codes,
		.n_split = n,
		.split_max = 60};
	glane_reader *rd;
	glane_rc rc;

	for (size_t i = 1; countries && i < s->countries.n; i++)
		countries = h->fmt(r, "%s;%s", countries, s->countries.v[i]);
	request.url =
		prefix && countries ? h->fmt(r, "{base_url}%s/country/%s/indicator/{split}", prefix, countries) : NULL;
	if (!request.url)
		return h->fail(r, GLANE_E_NOMEM, "no memory for a URL");
	rc = h->open(r, &request, &rd);
	if (rc != GLANE_OK)
		return rc;
	rc = read_rows(h, r, rd, dataset_of(h, r, s));
	h->close(rd);
	return rc;
}

static glane_rc declare(const struct glane_host *h, glane_run *r, const struct state *s, glane_str code, uint32_t kind)
{
	struct glane_cover cover = {
		.size = sizeof(cover), .kind = kind, .dataset = dataset_of(h, r, s), .indicator = code};

	if (kind == GLANE_COVER_FULL && (s->date[0] || strcmp(s->countries.v[0], "all") != 0))
		cover.kind = GLANE_COVER_NONE; /* a part: what is missing from it may well exist */
	return h->cover(r, &cover);
}

/* All at once; where that fails, one by one, so that a code that is gone costs only itself. */
static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	glane_str codes[1000];
	glane_rc all = GLANE_OK, rc = GLANE_OK;

	if (s->indicators.n == 0 || s->indicators.n > 1000 || s->countries.n == 0)
		return h->fail(r, GLANE_E_CONFIG, "indicators: 1 to 1000 of them, and at least one country");
	for (size_t i = 0; i < s->indicators.n; i++)
		codes[i] = str(s->indicators.v[i]);
	all = fetch(h, r, s, codes, s->indicators.n);
	if (all != GLANE_OK && (all != GLANE_E_DATA || s->indicators.n == 1))
		return all;
	for (size_t i = 0; rc == GLANE_OK && i < s->indicators.n; i++) {
		const glane_rc one = all == GLANE_OK ? GLANE_OK : fetch(h, r, s, &codes[i], 1);

		if (one == GLANE_E_CANCELLED)
			return one;
		rc = declare(h, r, s, codes[i], one == GLANE_OK ? GLANE_COVER_FULL : GLANE_COVER_FAILED);
	}
	return rc;
}

GLANE_PLUGIN(.name = "worldbank", .version = "1.0", .title = "World Bank Indicators API v2",
	.base_url = "https://api.worldbank.org/v2", .state_size = sizeof(struct state), .opts = options, .run = run);
