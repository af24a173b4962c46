/* SPDX-License-Identifier: MIT */
/* Breaks in the providers' codes, conf/aliases.csv (as catalogue.csv is written): what was renamed, replaced, retired, recomposed. */
#ifndef MODEL_ALIASES_H
#define MODEL_ALIASES_H
#include "base/diag.h"
#include "base/mem.h"

enum { ALIAS_RENAMED, ALIAS_REPLACED, ALIAS_RETIRED, ALIAS_RECOMPOSED, ALIAS_CHANGES };
struct alias {
	struct slice source, code, replaced_by, note;
	struct slice from, to; /* ISO dates as written; "": open */
	bool is_area;          /* of a code of areas, not of an indicator */
	int change;            /* ALIAS_* */
	int64_t to_day;        /* days since 1970-01-01; INT64_MAX: open */
};
struct aliases {
	struct arena arena;
	struct alias *items;
	size_t n, cap;
};
/* Reads aliases.csv from the folder `dir`, none where there is no such file; errors name file and line, and leave nothing to release. */
glane_rc aliases_load(struct aliases *a, const char *dir, struct diag *d);
void aliases_release(struct aliases *a);
#endif
