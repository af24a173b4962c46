/* SPDX-License-Identifier: MIT */
/* What `glane quarantine list` and `show` print. */
#ifndef APP_QUARANTINE_SHOW_H
#define APP_QUARANTINE_SHOW_H
#include "sched/settings.h"

struct quarantine_view {
	struct settings *settings;
	const struct store *store;
	int64_t now, limit; /* limit: events and records shown of each */
	bool json;
};
/* Holds and runs with rejected records of the named sources (n 0: of all), newest first. An exit code. */
int quarantine_list(const struct quarantine_view *v, const char *const *names, size_t n);
/* Of a source; with `run` only what that run left. *ret_found: there was something. An exit code. */
int quarantine_show(const struct quarantine_view *v, const char *source, const char *run, bool *ret_found);
#endif
