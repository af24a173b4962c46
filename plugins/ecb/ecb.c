/* SPDX-License-Identifier: MIT */
/* Euro foreign exchange reference rates of the European Central Bank: the daily, 90-day and history XML feeds. */
#include <glane/plugin.h>

#include <string.h>

struct state {
	const char *feed;
};

static const struct glane_opt options[] = {
	{"feed", GLANE_OPT_STR, 0, offsetof(struct state, feed), "90d", "daily, 90d or hist", 0, 0},
	{0},
};

enum { CURRENCY, RATE, DAY };
static const char *const fields[] = {"@currency", "@rate", "../@time"};

struct span { /* first and last day of the feed, ISO dates */
	char from[11], to[11];
};

static glane_rc emit_rate(const struct glane_host *h, glane_run *r, glane_reader *rd, struct span *span)
{
	const glane_str currency = h->at(rd, CURRENCY), day = h->at(rd, DAY);
	const struct glane_kv dims[] = {{"CURRENCY", currency}, {"CURRENCY_DENOM", GLANE_STR("EUR")}};
	const struct glane_series series = {.size = sizeof(series),
		.freq = 'D',
		.dataset = GLANE_STR("EXR"),
		.indicator = GLANE_STR("EXR"),
		.area = GLANE_STR("U2"),
		.area_scheme = GLANE_STR("ECB"),
		.unit = currency,
		.title = GLANE_STR("Euro foreign exchange reference rate"),
		.dims = dims,
		.n_dims = 2};
	struct glane_row row = {.size = sizeof(row), .period = day, .value = h->at(rd, RATE)};
	glane_rc rc;

	if (!currency.n || day.n != 10)
		return h->fail(r, GLANE_E_DATA, "a Cube without currency or without the day of its parent");
	if (!span->from[0] || memcmp(day.p, span->from, 10) < 0)
		memcpy(span->from, day.p, 10);
	if (memcmp(day.p, span->to, 10) > 0)
		memcpy(span->to, day.p, 10);
	rc = h->series(r, &series, &row.series);
	return rc == GLANE_OK ? h->emit(r, &row) : rc;
}

/* A day that rolls off the 90-day feed is not withdrawn: the cover is the span that the feed shows. */
static glane_rc declare(const struct glane_host *h, glane_run *r, const struct span *span, int full)
{
	const struct glane_cover cover = {.size = sizeof(cover),
		.kind = full ? GLANE_COVER_FULL : GLANE_COVER_RANGE,
		.dataset = GLANE_STR("EXR"),
		.from = {span->from, 10},
		.to = {span->to, 10}};

	if (!span->from[0])
		return h->fail(r, GLANE_E_DATA, "the feed holds no rates");
	return h->cover(r, &cover);
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	const int full = strcmp(s->feed, "hist") == 0, daily = strcmp(s->feed, "daily") == 0;
	struct glane_request request = {.size = sizeof(request),
		.format = GLANE_FMT_XML,
		.select = "Cube/Cube/Cube",
		.field = fields,
		.n_field = 3};
	struct span span = {"", ""};
	glane_reader *rd;
	glane_rc rc;

	if (!full && !daily && strcmp(s->feed, "90d") != 0)
		return h->fail(r, GLANE_E_CONFIG, "feed = %s: daily, 90d or hist", s->feed);
	request.url = daily  ? "{base_url}/eurofxref-daily.xml"
		      : full ? "{base_url}/eurofxref-hist.xml"
			     : "{base_url}/eurofxref-hist-90d.xml";
	rc = h->open(r, &request, &rd);
	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK)
		rc = emit_rate(h, r, rd, &span);
	return rc == GLANE_END ? declare(h, r, &span, full) : rc;
}

GLANE_PLUGIN(.name = "ecb", .version = "1.0", .title = "ECB euro foreign exchange reference rates (XML)",
	.base_url = "https://www.ecb.europa.eu/stats/eurofxref", .state_size = sizeof(struct state), .opts = options,
	.run = run);
