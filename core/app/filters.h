/* SPDX-License-Identifier: MIT */
/* The filters that export, changes, series and show share: their options, the tables they ask for, the query they make. */
#ifndef APP_FILTERS_H
#define APP_FILTERS_H
#include "app/app.h"
#include "app/breaks.h"
#include "store/query.h"

struct filters { /* begins as {.from = NULL} */
	struct list source, dataset, indicator, catalogue, area, group, freq, dim;
	const char *from, *to, *members_of;
	int64_t group_on;   /* the moment whose members groups have where members_of names no day, seconds; 0: now */
	int64_t members_on; /* of members_of: days since 1970-01-01 */
	struct areas areas; /* of filters_load(), as the rest */
	struct catalogue table;
	struct aliases aliases;
	const struct catalogue_item *items[LIST_MAX];
};
/* The first elements of a command's `struct arg` array. */
#define FILTER_ARGS(f)                                                                                                 \
	{"source", 0, true, take_list, &(f)->source}, {"dataset", 0, true, take_list, &(f)->dataset},                  \
		{"indicator", 0, true, take_list, &(f)->indicator},                                                    \
		{"catalogue", 0, true, take_list, &(f)->catalogue}, {"area", 0, true, take_list, &(f)->area},          \
		{"group", 0, true, take_list, &(f)->group}, {"freq", 0, true, take_list, &(f)->freq},                  \
		{"dim", 0, true, take_list, &(f)->dim}, {"from", 0, true, take_text, &(f)->from},                      \
		{"members-of", 0, true, take_text, &(f)->members_of},                                                  \
	{                                                                                                              \
		"to", 0, true, take_text, &(f)->to                                                                     \
	}
/* Lines of a command's help. */
#define FILTER_HELP                                                                                                    \
	"Filters, each repeatable (any of one kind, all kinds together; of dims any value of one KEY, all KEYs):\n"    \
	"  --source S --dataset D --indicator I --area AREA --group GROUP --freq F --dim KEY=VALUE\n"                  \
	"  AREA is an alpha-3 or alpha-2 code, a name, or as the column area has it (M49:011, WB:SSF)\n"               \
	"  --catalogue ID  a row of catalogue.csv: its source, dataset, indicator and dims\n"                          \
	"  --from PERIOD --to PERIOD   first and last period\n"                                                        \
	"  --members-of DATE           a group has its members of that day; else of the day of --as-of, else of "      \
	"today\n"                                                                                                      \
	"  what aliases.csv calls renamed is found by either code\n"
/* Loads what the filters name from the folder of tables. EXIT_FINE, or an exit code: the error was printed. Release either way. */
int filters_load(struct filters *f, const char *tables);
/* The code of an area by its alpha-3 code in any case, its name, or its alpha-2 code; false: no table knows it. */
bool filters_area(const struct areas *areas, const char *text, struct strbuf *b);
/* True where one is given. */
bool filters_any(const struct filters *f);
/* The query of the filters, of now, groups as of `group_on`; it borrows from f. */
struct query filters_query(const struct filters *f);
/* Says on stderr which groups had no members on that day: nothing can be found by them. */
void filters_tell_empty(const struct filters *f);
/* The day of the groups' members: 2026-11-29. */
void filters_group_day(const struct filters *f, char buf[32]);
void filters_release(struct filters *f);
#endif
