/* SPDX-License-Identifier: MIT */
/* Options that have a few values, or a limit. */
#include "mapping.h"

#include <string.h>

/* "a" is one of its letters, where one character counts; "none" is one of its words. */
struct choice {
	const char *name, *value, *letters; /* letters NULL: any character */
	const char *words[3];
	const char *told;
};

static int is_allowed(const struct choice *c)
{
	for (size_t i = 0; i < 3 && c->words[i]; i++)
		if (strcmp(c->value, c->words[i]) == 0)
			return 1;
	return c->value[0] && !c->value[1] && (!c->letters || strchr(c->letters, c->value[0]));
}

glane_rc options_check(const struct state *s)
{
	const struct options *o = &s->o;
	const struct choice all[] = {
		{"delimiter", o->delimiter, NULL, {"tab"}, "one character without quotes, or tab"},
		{"quote", o->quote, NULL, {"none"}, "one character, or none"},
		{"decimal", o->decimal, ".,", {""}, ". or ,"},
		{"group", o->group, ".,' ", {"", "blank"}, "one of . , ' or blank"},
		{"freq", o->freq, "ASTQMWDB", {""}, "one of A S T Q M W D B, or nothing: as each period says"},
		{"cover", o->cover, "", {"full", "none"}, "full or none"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!is_allowed(&all[i]))
			return s->h->fail(
				s->r, GLANE_E_CONFIG, "%s = %s: write %s", all[i].name, all[i].value, all[i].told);
	if (o->dims.n > MAX_DIMS)
		return s->h->fail(s->r, GLANE_E_CONFIG, "dims: more than %d", MAX_DIMS);
	if (o->where.n > MAX_WHERE)
		return s->h->fail(s->r, GLANE_E_CONFIG, "where: more than %d", MAX_WHERE);
	return GLANE_OK;
}
