/* SPDX-License-Identifier: MIT */
/*
 * Runs a plugin, its .so or a function, without network, processes or a store: what it asks for comes from a table of pages, what
 * it gives becomes text, one line for each call of a seam:
 *   payload N | series N FREQ DATASET INDICATOR AREA SCHEME DIMS UNIT MULT TITLE AREA_TITLE UPDATED | note N VALUE_TEXT FLAGS NOTE
 *   MULT REMOVE | period N TEXT | obs SERIES PERIOD VALUE STATUS NOTE | cover KIND DATASET INDICATOR FROM TO REASON |
 *   cursor KEY=VALUE | reject RULE: REASON [RECORD] | log LEVEL TEXT
 * Absent texts are '~'; blanks inside of texts stay.
 */
#ifndef SUPPORT_TEST_HOST_H
#define SUPPORT_TEST_HOST_H
#include "base/strbuf.h"
#include "plug/host.h"

struct test_page {
	const char *url; /* NULL: answers whatever is asked for */
	const char *body;
	size_t n; /* bytes of the body; 0: up to its NUL */
	glane_rc rc;
	const char *message; /* of a failure */
};
typedef glane_rc test_run(const struct glane_host *, glane_run *, void *state);

struct test_host {
	/* given */
	const struct test_page *pages;
	size_t n_pages;
	const struct test_page *again; /* the answers to what is asked again; NULL: nobody is asked */
	size_t n_again;
	const char *conf, *base_url; /* lines of the source's section; default of {base_url}: http://host */
	const struct glane_kv *cursors;
	size_t n_cursors;
	uint64_t limit;
	bool keep_empty;
	unsigned cancel_at; /* so many questions are answered with no, then the run is cancelled; 0: never */
	glane_rc seam_rc;   /* what payload, series, note, period, obs, cover, cursor and reject return */
	long fail_after;    /* that allocation of the run fails, or all from it on; 0: none */
	bool fail_for_ever;
	bool quiet; /* nothing is written to out */
	/* got */
	struct strbuf out, asked; /* asked: METHOD URL, one a line */
	struct host_counts counts;
	struct diag diag;
	/* inside */
	struct arena arena;
	char *freqs;
	size_t n_freqs, cap_freqs;
	unsigned n_payloads, n_notes, n_periods, n_questions;
};
void test_host_init(struct test_host *t);
void test_host_release(struct test_host *t);
/* Out of the test plugins, or the plugins, of this build: GLANE_OUT/test-plugins/NAME.so. NULL where GLANE_OUT is not set. */
const char *test_plugin_path(struct arena *a, const char *folder, const char *name);
glane_rc test_host_plugin(struct test_host *t, const struct plugin *p);
/* A plugin called "test" without options whose run() is this. */
glane_rc test_host_function(struct test_host *t, test_run *run);
#endif
