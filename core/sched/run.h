/* SPDX-License-Identifier: MIT */
/* `glane run`: what is due, the loop over brokers and workers, and the report. */
#ifndef SCHED_RUN_H
#define SCHED_RUN_H
#include "plug/host.h"
#include "sched/settings.h"

enum run_exit { EXIT_FINE = 0, EXIT_SOME = 1, EXIT_USAGE = 2, EXIT_ALL = 3, EXIT_LOCKED = 4, EXIT_STORE = 5 };

/* Answers of an earlier run are parsed again, for `glane quarantine`: those of a hold, or those with rejected records. */
enum run_again { AGAIN_NO, AGAIN_ACCEPT, AGAIN_REPLAY };

struct run_options {
	const char **names; /* these sources now, whether due or not */
	size_t n_names;
	const char **tags; /* only sources with one of these */
	size_t n_tags;
	bool all, offline, dry_run, accept, retry, json, inproc, quiet, verbose;
	bool json_line;       /* the report of `json` on one line */
	enum run_again again; /* with `offline`, and one name */
	const char *again_run;
	const struct slice_name *only; /* AGAIN_ACCEPT: these slices of what that run held, and nothing else */
	size_t n_only;
	uint64_t limit; /* rows per source; nothing is committed */
	int64_t jobs;   /* 0: the configuration's */
	int64_t now;    /* seconds UTC; INT64_MIN: the clock */
};
/* Runs and prints. The settings are loaded; the store is opened and locked here. Returns the exit code. */
int run_all(struct settings *s, const struct run_options *o);

/* Parses one payload (descriptor) with a plugin and calls `rows` in file order, nothing is stored. The batch lends its texts for the
 * call. */
struct parse_options {
	const char *plugin_path, *plugin;
	const struct conf_section *section;
	const struct areas *areas;
	const char *base_url, *words;
	bool keep_empty, inproc;
	uint64_t limit, max_body;
	int64_t now;
	struct launch program; /* path NULL: none */
};
typedef glane_rc parse_rows(void *arg, const struct batch *b, const struct batch_obs *obs, size_t n);
glane_rc parse_payload(const struct parse_options *o, int fd, parse_rows *rows, void *arg, struct host_counts *ret,
	uint64_t *ret_rejected, struct diag *d);
#endif
