/* SPDX-License-Identifier: MIT */
/* CSV of any provider, by declaration: options, files and slices. README.md says how to write them. */
#include "mapping.h"

#include <string.h>

#define OPT(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct options, name), dflt, help, 0, 0
static const struct glane_opt options[] = {
	{OPT(LIST, files, "", "paths below base_url, or URLs; with {indicator}, {period}; none: base_url")},
	{OPT(LIST, indicators, "", "what {indicator} goes through: slices, each of which may fail alone")},
	{OPT(LIST, periods, "", "what {period} goes through")},
	{OPT(STR, member, "", "entry of an archive, a glob; none: its only CSV")},
	{OPT(STR, sheet, "", "the files are .xlsx: a sheet by name or number; *: the first visible")},
	{OPT(STR, delimiter, ",", "one character, or the word tab")},
	{OPT(STR, quote, "\"", "one character, or the word none")},
	{OPT(STR, encoding, "", "ISO-8859-1 ISO-8859-15 windows-1252 UTF-16LE UTF-16BE; none: UTF-8 or by mark")},
	{OPT(STR, decimal, ".", "decimal mark of numbers")},
	{OPT(STR, group, "", "thousands separator of numbers, or the word blank")},
	{"skip", GLANE_OPT_INT, 0, offsetof(struct options, skip), "0", "lines before the header", 0, 100000},
	{OPT(BOOL, no_header, "no", "columns are named 1, 2, 3, ...")},
	{OPT(BOOL, ragged, "no", "short records are padded with empty cells")},
	{OPT(BOOL, trim, "no", "blanks around cells are dropped")},
	{"dataset", GLANE_OPT_STR, GLANE_OPT_REQUIRED, offsetof(struct options, dataset), NULL,
		"what the provider calls it", 0, 0},
	{OPT(STR, indicator, "", "column or =constant; none: code or header of the value column")},
	{OPT(STR, area, "", "column, =constant, or first non-empty of several: iso_code|location")},
	{OPT(STR, area_scheme, "ISO3", "how area is meant: ISO3 ISO2 M49 WB UNCTAD OWID NAME ...")},
	{OPT(STR, area_title, "", "column of the area's name")},
	{OPT(STR, period, "", "column or =constant")},
	{OPT(STR, period_format, "", "where its digits stand: dd/mm/yyyy; none: the usual forms")},
	{OPT(STR, freq, "", "A S T Q M W D B; none: as each period says")},
	{OPT(LIST, value, "*", "columns, each NAME or CODE=NAME; *: all that no option names")},
	{OPT(STR, wide, "",
		"what headers of values are: indicator (where period is given) period area or a dimension")},
	{OPT(LIST, ignore, "", "columns that * leaves out")},
	{OPT(BOOL, may_be_empty, "no", "a file without records beside others is no failure")},
	{OPT(MAP, dims, "", "DIMENSION=column of each further dimension")},
	{OPT(STR, unit, "", "column or =constant")},
	{OPT(MAP, units, "", "INDICATOR=unit; goes before unit")},
	{OPT(STR, unit_mult, "", "power of ten of the values: column or =constant")},
	{OPT(MAP, unit_mults, "", "INDICATOR=power of ten; goes before unit_mult")},
	{OPT(STR, title, "", "column or =constant; none: header of the value column")},
	{OPT(STR, status, "", "column; {value} in its name is the header of the value column")},
	{OPT(MAP, status_map, "", "the provider's word (of status, else of flags)=SDMX letter")},
	{OPT(STR, flags, "", "column of the provider's flags; {value} as in status")},
	{OPT(STR, note, "", "column of footnotes; {value} as in status")},
	{OPT(LIST, missing, ".. NA N/A", "texts that stand for an empty cell")},
	{OPT(MAP, where, "", "column=text or column=text|text: only those records")},
	{OPT(STR, cover, "full", "full: the files hold all there is; none: they are an increment")},
	{0},
};

/* Every file of the current item, once for each period where its name holds {period}. */
static glane_rc read_item(struct state *s)
{
	glane_rc rc = s->o.files.n ? GLANE_OK : file_read(s, "{base_url}");

	for (size_t i = 0; rc == GLANE_OK && i < s->o.files.n; i++) {
		const char *file = s->o.files.v[i];
		const int is_each = strstr(file, "{period}") != NULL && s->o.periods.n > 0;

		for (size_t k = 0; rc == GLANE_OK && k < (is_each ? s->o.periods.n : 1); k++) {
			const char *url;

			s->item_period = is_each ? s->o.periods.v[k] : NULL;
			url = mapping_fill(s, strstr(file, "://") ? file : s->h->fmt(s->r, "{base_url}/%s", file));
			rc = url ? file_read(s, url) : s->h->fail(s->r, GLANE_E_NOMEM, "no memory for a URL");
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

	s->h = h;
	s->r = r;
	for (size_t i = 0; i < s->o.missing.n; i++)
		s->has_digit_marks |= s->o.missing.v[i][0] >= '0' && s->o.missing.v[i][0] <= '9';
	rc = options_check(s);
	for (size_t i = 0; rc == GLANE_OK && i < (n ? n : 1); i++) {
		s->item = n ? s->o.indicators.v[i] : NULL;
		rc = declare(s, read_item(s));
	}
	if (rc == GLANE_OK && strcmp(s->o.cover, "none") != 0 && s->o.where.n && s->n_read && !s->n_wanted)
		rc = h->fail(r, GLANE_E_DATA, "where: none of the %llu records passes", (unsigned long long)s->n_read);
	return rc;
}

GLANE_PLUGIN(.name = "csv", .version = "1.0", .title = "CSV files of any provider, by declaration", .opts = options,
	.state_size = sizeof(struct state), .run = run);
