/* SPDX-License-Identifier: MIT */
/* Eurostat's dissemination API: bulk TSV, SDMX 2.1 and JSON-stat, and answers that are prepared first. See README.md. */
#include "fetch.h"

#define OPT(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, name), dflt, help, 0, 0
#define CUBE(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, cube.name), dflt, help, 0, 0
static const struct glane_opt options[] = {
	{"datasets", GLANE_OPT_LIST, GLANE_OPT_REQUIRED, offsetof(struct state, datasets), NULL, "codes", 0, 0},
	{OPT(STR, answer, "tsv", "how it comes: tsv, sdmx or jsonstat")},
	{OPT(MAP, filters, "", "jsonstat: DIMENSION=CODE|CODE, also sinceTimePeriod=2015 and such")},
	{OPT(STR, key, "", "tsv, sdmx: series key of SDMX 2.1, as in A.PC_IND..; none: everything")},
	{OPT(STR, language, "en", "jsonstat: of labels: en fr de")},
	{CUBE(LIST, indicator, "", "dimensions joined by +, or =constant; none: usual names, else the dataset")},
	{OPT(STR, area_scheme, "EUROSTAT", "how codes of areas are meant")},
	{CUBE(LIST, drop, "", "dimensions to leave out of the series' key")},
	{CUBE(MAP, where, "", "DIMENSION=CODE|CODE: only those")},
	{CUBE(MAP, status_map, "b=B c=C d=D e=E f=F i=I n=N p=P s=E u=U z=M", "flag=SDMX letter")},
	{OPT(STR, cover, "",
		"full, or none for an increment; none given: full unless filters or key restrict periods")},
	{"poll_every", GLANE_OPT_DURATION, 0, offsetof(struct state, poll_every), "60s", "while an answer is prepared",
		1, 3600},
	{"poll_times", GLANE_OPT_INT, 0, offsetof(struct state, poll_times), "30", "how often to ask for it", 0, 1000},
	{0},
};
static uint32_t cover_kind(const struct state *s)
{
	int is_part = 0;

	for (size_t i = 0; i < s->filters.n; i++)
		is_part |= strstr(s->filters.v[i].k, "Time") != NULL || strcmp(s->filters.v[i].k, "time") == 0;
	return strcmp(s->cover, "full") == 0 || (!s->cover[0] && !is_part) ? GLANE_COVER_FULL : GLANE_COVER_NONE;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	glane_rc rc = GLANE_OK;

	if (format_of(s) == GLANE_FMT_RAW ||
		(s->cover[0] && strcmp(s->cover, "full") != 0 && strcmp(s->cover, "none") != 0))
		return h->fail(r, GLANE_E_CONFIG, "answer is tsv, sdmx or jsonstat; cover is full or none");
	for (size_t i = 0; rc == GLANE_OK && i < s->datasets.n; i++) {
		const char *code = s->datasets.v[i];
		const struct glane_cover cover = {
			.size = sizeof(cover), .dataset = glane_str_of(code), .kind = cover_kind(s)};

		rc = fetch(h, r, s, code);
		rc = h->slice(r, rc, &cover, h->fmt(r, "dataset %s was not read", code));
	}
	return rc;
}

GLANE_PLUGIN(.name = "eurostat", .version = "1.0", .title = "Eurostat dissemination API", .opts = options, .run = run,
	.base_url = "https://ec.europa.eu/eurostat/api/dissemination", .state_size = sizeof(struct state));
