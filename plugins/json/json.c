/* SPDX-License-Identifier: MIT */
/* JSON of any provider, by declaration: options, requests and slices. README.md says how to write them. */
#include "mapping.h"

#define OPT(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct options, name), dflt, help, 0, 0
#define INT(name, dflt, help) #name, GLANE_OPT_INT, 0, offsetof(struct options, name), dflt, help, -1, 4000000
#define MUST(type, name, help)                                                                                         \
#name, GLANE_OPT_##type, GLANE_OPT_REQUIRED, offsetof(struct options, name), NULL, help, 0, 0
static const struct glane_opt options[] = {
	{OPT(LIST, files, "", "paths below base_url, or URLs; with {indicator}, {period}; none: base_url")},
	{OPT(LIST, indicators, "", "what {indicator} goes through: slices, each of which may fail alone")},
	{OPT(LIST, periods, "", "what {period} goes through")},
	{OPT(MAP, query, "", "NAME=VALUE parameters of the address, with {indicator}, {period}")},
	{OPT(STR, body, "", "JSON to be sent by POST, with {indicator}, {period}")},
	{OPT(STR, encoding, "", "windows-1252 ISO-8859-1 ...; none: UTF-8 or by mark")},
	{OPT(STR, member, "", "entry of an archive, a glob; none: its only .json")},
	{OPT(STR, select, "*", "path of the records, * for each: value.*, 1.*, data.series.*")},
	{OPT(STR, error, "", "path of the message of an error answer")},
	{OPT(STR, paging, "", "number, offset or next; none: one answer is all")},
	{OPT(STR, page_param, "page", "parameter that says which page, or how many records to leave out")},
	{OPT(STR, page_size_param, "", "parameter that says how many records")},
	{INT(page_len, "1000", "records of a page")},
	{INT(page_first, "-1", "number of the first page; -1: 1, of offsets 0")},
	{OPT(STR, page_pages, "", "path of the number of pages")},
	{OPT(STR, page_total, "", "path of the number of records over all pages")},
	{OPT(STR, page_next, "", "path of the next page's address")},
	{OPT(BOOL, may_be_empty, "no", "an answer without records is no failure")},
	{MUST(STR, dataset, "what the provider calls it")},
	{OPT(STR, indicator, "", "path or =constant; none: code or path of the value, else the item of indicators")},
	{OPT(STR, area, "",
		"path, =constant, or first non-empty of several: iso3|iso2; $key: name that the last * stands for")},
	{OPT(STR, area_scheme, "ISO3", "how area is meant: ISO3 ISO2 M49 WB UNCTAD OWID NAME ...")},
	{OPT(STR, area_title, "", "path of the area's name")},
	{OPT(STR, period, "", "path, =constant, or path.* beside a value path.*; none: names in the value's object")},
	{OPT(STR, freq, "", "A S T Q M W D B; none: as each period says")},
	{MUST(LIST, value, "paths, each PATH or CODE=PATH; path.*: each item of an array or object")},
	{OPT(MAP, dims, "", "DIMENSION=path of each further dimension; *=path: all members of an object")},
	{OPT(STR, unit, "", "path or =constant")},
	{OPT(MAP, units, "", "INDICATOR=unit; goes before unit")},
	{OPT(STR, unit_mult, "", "power of ten of the values: path or =constant")},
	{OPT(MAP, unit_mults, "", "INDICATOR=power of ten; goes before unit_mult")},
	{OPT(STR, title, "", "path or =constant")},
	{OPT(STR, status, "", "path, also path.*")},
	{OPT(MAP, status_map, "", "the provider's word (of status, else of flags)=SDMX letter")},
	{OPT(STR, flags, "", "path of the provider's flags, also path.*")},
	{OPT(STR, note, "", "path of footnotes, also path.*")},
	{OPT(LIST, missing, ".. NA N/A NaN", "texts that stand for no value")},
	{OPT(MAP, where, "", "path=text or path=text|text: only those records")},
	{OPT(STR, cover, "full", "full: the answers hold all there is; none: they are an increment")},
	{0},
};

static int has_period(const struct state *s, const char *file)
{
	int has = strstr(file, "{period}") || strstr(s->o.body, "{period}");

	for (size_t i = 0; i < s->o.query.n; i++)
		has |= strstr(s->o.query.v[i].v.p, "{period}") != NULL;
	return has && s->o.periods.n > 0;
}

/* Every address of the current item, once for each period where it or the query names {period}. */
static glane_rc read_item(struct state *s)
{
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < (s->o.files.n ? s->o.files.n : 1); i++) {
		const char *file = s->o.files.n ? s->o.files.v[i] : "{base_url}";
		const int is_each = has_period(s, file);

		for (size_t k = 0; rc == GLANE_OK && k < (is_each ? s->o.periods.n : 1); k++) {
			const char *url =
				strstr(file, "://") || !s->o.files.n ? file : s->h->fmt(s->r, "{base_url}/%s", file);

			s->item_period = is_each ? s->o.periods.v[k] : NULL;
			url = mapping_fill(s, url);
			rc = url ? answer_read(s, url) : s->h->fail(s->r, GLANE_E_NOMEM, "no memory for a URL");
		}
	}
	return rc;
}

/* Ends the current item, a slice; how: what reading it came to. */
static glane_rc declare(struct state *s, glane_rc how)
{
	const int is_whole = !s->item || strstr(s->o.dataset, "{indicator}") != NULL;
	const struct glane_cover cover = {.size = sizeof(cover),
		.kind = strcmp(s->o.cover, "none") != 0 ? GLANE_COVER_FULL : GLANE_COVER_NONE,
		.dataset = glane_str_of(mapping_fill(s, s->o.dataset)),
		.indicator = is_whole ? (glane_str){NULL, 0} : glane_str_of(s->item)};

	return s->h->slice(s->r, how, &cover, s->item);
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	struct state *s = state;
	const size_t n = s->o.indicators.n;
	glane_rc rc;

	s->h = h, s->r = r;
	rc = mapping_check(s);
	for (size_t i = 0; rc == GLANE_OK && i < (n ? n : 1); i++) {
		s->item = n ? s->o.indicators.v[i] : NULL;
		rc = declare(s, read_item(s));
	}
	return rc;
}

GLANE_PLUGIN(.name = "json", .version = "1.0", .title = "JSON of any provider, by declaration", .opts = options,
	.state_size = sizeof(struct state), .run = run);
