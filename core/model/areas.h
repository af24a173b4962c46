/* SPDX-License-Identifier: MIT */
/*
 * Areas and groups from the tables under conf/ (UTF-8, cells as RFC 4180 without line breaks, '#' comment lines, first
 * line the header): economies.csv (iso3,iso2,m49,name_en,name_fr), areas.csv (scheme,code,area,valid_from,valid_to),
 * groups.csv (group,area,valid_from,valid_to). Empty cells at the end of a line may be left out; each file's head says
 * what its lines mean.
 */
#ifndef MODEL_AREAS_H
#define MODEL_AREAS_H
#include "base/diag.h"
#include "base/map.h"
#include "base/strbuf.h"

#define AREA_BASES 4 /* schemes that one scheme may extend, and how deep that may go */
struct area_code {
	struct slice area;
	int64_t from, to; /* days of use; INT64_MIN and INT64_MAX: open */
};
struct area_scheme {
	struct slice bases[AREA_BASES];
	size_t n_bases;
	unsigned depth;      /* steps down to a scheme that extends none */
	bool folds, numeric; /* NAME or M49, or extends it */
	bool used;           /* has codes of its own, or is extended */
};
struct area_member {
	struct slice area;
	int64_t from, to; /* first and last day */
	struct area_member *next;
};
struct areas {
	struct arena arena;
	struct map codes;  /* "SCHEME\0code" (names folded) -> `list` */
	struct map bases;  /* scheme -> `schemes` */
	struct map groups; /* group or alias -> `group_list` */
	struct map names;  /* area -> `titles` */
	struct area_code *list;
	struct area_scheme *schemes;
	struct area_member **group_list; /* members of each group */
	struct slice *titles;            /* English names */
	size_t n_list, n_schemes, n_groups, n_titles, cap_list, cap_schemes, cap_groups, cap_titles;
	char digest[65]; /* SHA-256 over the files read */
};
/* Reads the tables from the folder `dir`; errors name file and line (GLANE_E_CONFIG), and leave nothing to release. */
glane_rc areas_load(struct areas *a, const char *dir, struct diag *d);
void areas_release(struct areas *a);
/*
 * The mapped area of a provider's code: ISO 3166-1 alpha-3 for an economy, "M49:nnn" for a UN grouping or a former
 * territory that has a code, else "SCHEME:code", appended to b. *ret_known: false where the code is in no table (it passes
 * through, verbatim); an empty code maps to nothing and is known. Schemes: ISO3 ISO2 M49 (leading zeros may be lost) WB
 * OWID UNCTAD NAME ... ; a code is never resolved under another scheme than its own or the ones that areas.csv says it
 * extends (line "SCHEME,*,BASE"). NAME, and schemes that extend it, fold case, accents, apostrophes, punctuation, blanks
 * and the article in "X, The". Of a code that was used for two areas in turn the later one holds.
 */
void areas_map(const struct areas *a, struct slice scheme, struct slice code, struct strbuf *b, bool *ret_known);
/* True where `area` was a member of `group` on that day (days since 1970-01-01). */
bool areas_in_group(const struct areas *a, struct slice group, struct slice area, int64_t on);
bool areas_has_group(const struct areas *a, struct slice group);
/* Its members, of any day, and `next`; NULL: there is none, or no such group. */
const struct area_member *areas_members(const struct areas *a, struct slice group);
/* English name of an area, or its code. */
struct slice areas_name(const struct areas *a, struct slice area);
#endif
