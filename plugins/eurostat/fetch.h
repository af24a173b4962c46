/* SPDX-License-Identifier: MIT */
/* The options, and how one dataset is fetched. */
#ifndef EUROSTAT_FETCH_H
#define EUROSTAT_FETCH_H
#include <glane/plugin.h>

#include <string.h>

struct state {
	const char *answer, *key, *language, *area_scheme, *cover;
	struct glane_list datasets;
	struct glane_map filters;
	struct glane_cube cube;
	int64_t poll_every, poll_times;
};
uint8_t format_of(const struct state *s); /* GLANE_FMT_RAW: the configuration says none */
/* Everything of one dataset, waiting where it is prepared first. */
glane_rc fetch(const struct glane_host *h, glane_run *r, const struct state *s, const char *code);
#endif
