/* SPDX-License-Identifier: MIT */
/* One run of a plugin over recorded answers, one of which may be bad: what came of it. For `glane check-plugin`. */
#ifndef SCHED_TRIAL_H
#define SCHED_TRIAL_H
#include "base/sha256.h"
#include "sched/settings.h"

struct trial_page {       /* a recorded answer */
	const char *url;  /* NULL: goes to the next URL that is asked for */
	const char *type; /* content type, or NULL */
	struct slice body;
};
/* What stands for the answer to the bad'th request; all of them have the body of an HTTP 200 but FAULT_FETCH. */
enum trial_fault { FAULT_NONE, FAULT_FETCH, FAULT_BODY, FAULT_REPEAT };
struct trial {
	/* given */
	const char *plugin_path;
	const struct plugin *desc;
	const struct conf_section *section;
	const struct areas *areas;
	const char *base_url; /* NULL: the plugin's */
	const struct trial_page *pages;
	size_t n_pages;
	const char *words; /* see words_of(); NULL: none */
	uint64_t memory, seconds;
	int64_t now;
	enum trial_fault fault;
	size_t bad;          /* which request: 0 is the first */
	struct slice body;   /* FAULT_BODY */
	const char *message; /* FAULT_FETCH */
	uint64_t cancel_at;  /* the run is cancelled at that call of a service; 0: never */
	/* got */
	glane_rc rc; /* of the plugin; where it died, was late or talked nonsense: `died` */
	bool died, late;
	char message_got[2048];
	char digest[SHA256_HEX]; /* over rows, covers and cursors */
	uint64_t rows, rejected;
	size_t n_full, n_failed; /* covers that withdraw what is not there (full, range), and of slices that failed */
	size_t n_requests;       /* different ones */
	uint8_t format[64];      /* of the first requests */
	bool follows[64]; /* the request is for the same address as the one before but for its query: a further page */
	int64_t ms;
};
/* GLANE_OK, or what kept it from being tried (memory, files). */
glane_rc trial_run(struct trial *t, struct diag *d);
#endif
