/* SPDX-License-Identifier: MIT */
/* SDMX web services, REST 1.x (SDMX 2.1) and 2.x (SDMX 3.0), and single SDMX messages: README.md */
#include "rest.h"

#define OPT(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, name), dflt, help, 0, 0
#define CUBE(type, name, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, cube.name), NULL, help, 0, 0
static const struct glane_opt options[] = {
	{OPT(LIST, flows, "",
		"FLOW or FLOW/KEY; FLOW is ID or AGENCY,ID,VERSION; {split} in KEY: see split; none: base_url is the "
		"message")},
	{OPT(STR, rest, "2.1", "2.1 (REST 1.x) or 3.0 (REST 2.x)")},
	{OPT(STR, path, "", "of the data, below base_url, with {flow} and {key}; none: as the standard has it")},
	{OPT(LIST, accept, "csv xml json",
		"forms to ask for, in this order: csv json xml generic; any: without an Accept header")},
	{OPT(MAP, query, "", "further parameters, such as format=csvdata")},
	{OPT(STR, start, "", "first period")},
	{OPT(STR, end, "", "last period")},
	{OPT(INT, last_n, "0", "only the last observations of each series; never withdraws")},
	{OPT(BOOL, increments, "no", "ask only for what was updated since the last run")},
	{OPT(DURATION, overlap, "2d", "how much longer ago than the last run an increment begins")},
	{OPT(DURATION, full_every, "30d", "ask for everything again after this time")},
	{OPT(STR, split, "", "dimension to go through in several requests; its values take the place of {split}")},
	{OPT(LIST, areas, "", "values of the split dimension; none: those that the service says are available")},
	{OPT(INT, split_max, "20", "values in one request")},
	{OPT(LIST, dimensions, "", "ids in order, where a message does not tell dimensions from attributes")},
	{OPT(BOOL, structure, "no", "ask for the data structure, and take the dimensions from it")},
	{OPT(STR, references, "children", "how the structure is asked for: children descendants all")},
	{OPT(BOOL, slash, "no", "addresses of data end in /")},
	{OPT(STR, member, "", "entry of an archive, a glob")},
	{OPT(STR, decimal, "", "decimal mark of SDMX-CSV, where it is no point")},
	{OPT(STR, dataset, "", "none: the flow's id")},
	{OPT(STR, area_scheme, "ISO2", "how area codes are to be read: ISO2 ISO3 M49 ...")},
	{OPT(STR, cover, "auto",
		"none: nothing is ever withdrawn; auto: by start, end, last_n, increments, and the message's action; "
		"full: a "
		"message at base_url is whole whatever its action")},
	{CUBE(LIST, indicator,
		"components of the indicator, the first that is there; A+B: both, joined by '.'; =TEXT")},
	{CUBE(LIST, area, "component of the area, or =CODE")},
	{CUBE(LIST, value, "measures to take")},
	{CUBE(LIST, time, "component of the period")},
	{CUBE(LIST, freq, "component of the frequency")},
	{CUBE(LIST, unit, "component of the unit")},
	{CUBE(LIST, unit_mult, "component of the power of ten")},
	{CUBE(LIST, status, "component of the status")},
	{CUBE(LIST, flags, "component of the flags")},
	{CUBE(LIST, note, "component of the note")},
	{CUBE(LIST, title, "component of the title")},
	{CUBE(LIST, drop, "components that are no dimensions")},
	{CUBE(MAP, status_map, "provider's status=CL_OBS_STATUS letter")},
	{CUBE(MAP, where, "only records with ID=VALUE|VALUE")},
	{0},
};

static glane_rc run_flow(const struct glane_host *h, glane_run *r, struct state *s, const char *item)
{
	const struct flow f = flow_cut(h, r, s, item);
	const struct increment inc = increment_begin(h, r, s, item);
	struct glane_cover cover;
	glane_rc rc = !f.name || !f.key ? h->fail(r, GLANE_E_NOMEM, "no memory for an address") : GLANE_OK;

	s->cube.dataset = s->dataset[0] ? glane_str_of(s->dataset) : glane_str_of(f.id);
	if (rc == GLANE_OK && s->structure && !s->dimensions.n)
		rc = ask_structure(h, r, s, &f);
	if (rc == GLANE_OK)
		rc = read_data(h, r, s, &f, inc.after);
	cover = cover_of(h, r, s, s->cube.dataset, inc.after != NULL);
	increment_end(h, r, s, &inc, rc);
	return h->slice(r, rc, &cover, h->fmt(r, "flow %s was not read", item));
}

/* A message at base_url is whole, but for datasets that it only updates. */
static glane_rc run_message(const struct glane_host *h, glane_run *r, struct state *s)
{
	struct glane_cover cover;
	glane_rc rc;

	s->cube.dataset = glane_str_of(s->dataset[0] ? s->dataset : NULL);
	rc = read_data(h, r, s, NULL, NULL);
	for (size_t i = 0; rc == GLANE_OK && i < s->n_said; i++) {
		cover = cover_of(h, r, s, glane_str_of(s->said[i].name), s->said[i].is_update && !is(s->cover, "full"));
		rc = h->cover(r, &cover);
	}
	return rc;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	struct state *s = state;
	glane_rc rc = GLANE_OK;

	if (!is(s->rest, "2.1") && !is(s->rest, "3.0"))
		return h->fail(r, GLANE_E_CONFIG, "rest = %s: 2.1 or 3.0", s->rest);
	s->csv = (struct glane_csv){.size = sizeof(s->csv), .decimal = s->decimal[0]};
	s->cube.size = sizeof(s->cube), s->cube.area_scheme = glane_str_of(s->area_scheme);
	if (!is(s->cover, "auto") && !is(s->cover, "none") && !is(s->cover, "full"))
		return h->fail(r, GLANE_E_CONFIG, "cover = %s: auto, none or full", s->cover);
	if (s->flows.n == 0)
		return run_message(h, r, s);
	for (size_t i = 0; rc == GLANE_OK && i < s->flows.n; i++)
		rc = run_flow(h, r, s, s->flows.v[i]);
	return rc;
}

GLANE_PLUGIN(.name = "sdmx", .version = "1.0", .title = "SDMX web services and messages", .opts = options, .run = run,
	.state_size = sizeof(struct state));
