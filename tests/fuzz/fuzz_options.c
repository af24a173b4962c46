/* SPDX-License-Identifier: MIT */
/* A plugin's options out of a configuration file: [source x] with options of every type. */
#include "base/conf.h"
#include "fuzz.h"
#include "plug/plugin.h"

struct state {
	const char *text;
	int64_t number, seconds, bytes, wide;
	struct glane_list list;
	struct glane_map map;
	uint8_t yes;
};
static struct option_spec specs[] = {
	{"text", NULL, "help", GLANE_OPT_STR, GLANE_OPT_REQUIRED, offsetof(struct state, text), 0, 0},
	{"number", "3", "help", GLANE_OPT_INT, 0, offsetof(struct state, number), -5, 5},
	{"wide", NULL, "help", GLANE_OPT_INT, 0, offsetof(struct state, wide), 0, 0},
	{"seconds", "15m", "help", GLANE_OPT_DURATION, 0, offsetof(struct state, seconds), 0, 0},
	{"bytes", "2k", "help", GLANE_OPT_SIZE, 0, offsetof(struct state, bytes), 0, 0},
	{"list", "a \"b c\"", "help", GLANE_OPT_LIST, 0, offsetof(struct state, list), 0, 0},
	{"map", "", "help", GLANE_OPT_MAP, 0, offsetof(struct state, map), 0, 0},
	{"yes", "no", "help", GLANE_OPT_BOOL, 0, offsetof(struct state, yes), 0, 0},
};

static void check_state(const struct state *s)
{
	FUZZ_CHECK(s->text && s->number >= -5 && s->number <= 5 && s->yes <= 1);
	FUZZ_CHECK(s->seconds >= 0 && s->bytes >= 0);
	for (size_t i = 0; i < s->list.n; i++)
		FUZZ_CHECK(s->list.v[i]);
	for (size_t i = 0; i < s->map.n; i++)
		FUZZ_CHECK(*s->map.v[i].k && s->map.v[i].v.p && !strchr(s->map.v[i].k, '='));
}

FUZZ_TARGET(options)
{
	const struct plugin plugin = {.desc = {.name = "fuzz", .state_size = sizeof(struct state)},
		.options = specs,
		.n_options = sizeof(specs) / sizeof(*specs)};
	struct diag d, e;
	struct arena a;
	struct conf c;
	glane_rc rc;

	diag_clear(&d);
	arena_init(&a, 0);
	conf_init(&c);
	rc = conf_parse(&c, "fuzz.conf", in, &d);
	for (const struct conf_section *s = c.sections; rc == GLANE_OK && s; s = s->next) {
		struct state state = {.text = NULL};
		glane_rc filled;

		diag_clear(&d);
		diag_clear(&e);
		filled = options_fill(&a, &plugin, s, &state, &d);
		FUZZ_CHECK(options_fill(&a, &plugin, s, NULL, &e) == filled);
		FUZZ_CHECK(strcmp(d.text, e.text) == 0);
		FUZZ_SAY(filled == GLANE_OK || strstr(d.text, "fuzz.conf:"), "%s", d.text);
		if (filled == GLANE_OK)
			check_state(&state);
	}
	conf_release(&c);
	arena_release(&a);
}
