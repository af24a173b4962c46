/* SPDX-License-Identifier: MIT */
/* The conformance suite of plugins: what each has to stand, as TAP on standard output. */
#ifndef APP_CONFORM_H
#define APP_CONFORM_H
#include "sched/trial.h"

struct conform {
	struct trial plain; /* what every trial begins with */
	struct arena *arena;
	unsigned n, n_failed; /* tests so far */
	struct trial base;    /* what came of the answers as they were recorded */
	bool has_base;
};
void conform_test(struct conform *c, bool fine, const char *detail, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void conform_skip(struct conform *c, const char *why, const char *what);
/* Each returns GLANE_OK, or what kept it from testing. */
glane_rc conform_options(struct conform *c, struct diag *d);
glane_rc conform_runs(struct conform *c, struct diag *d); /* all that runs the plugin */
#endif
