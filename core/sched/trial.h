/* SPDX-License-Identifier: MIT */
/* One run of a plugin over recorded answers, one of which may be bad: what a commit would get of it. For `glane check-plugin`. */
#ifndef SCHED_TRIAL_H
#define SCHED_TRIAL_H
#include "base/sha256.h"
#include "sched/settings.h"

#define TRIAL_REQUESTS 256                /* different ones, and recorded answers */
struct trial_page {                       /* a recorded answer */
	const char *url;                  /* NULL: goes to the next URL that is asked for */
	const char *type;                 /* content type, or NULL */
	const char *method, *body_sha256; /* of its request, "": it had no body; NULL: any */
	struct slice body;
	bool used; /* got: somebody asked for it */
};
struct trial_slice { /* what a cover speaks of */
	const char *name;
	uint32_t kind;      /* GLANE_COVER_* */
	uint64_t rows, sum; /* its keys: how many, and the sum of their hashes */
};
/* What stands for the answer to the bad'th request; all of them have the body of an HTTP 200 but FAULT_FETCH. */
enum trial_fault { FAULT_NONE, FAULT_FETCH, FAULT_BODY, FAULT_REPEAT };
struct trial {
	/* given */
	struct arena *arena;
	int tmp; /* folder for the rows */
	const char *plugin_path;
	const struct plugin *desc;
	const struct conf_section *section;
	const struct areas *areas;
	const char *base_url; /* NULL: the plugin's */
	const char *const *hosts;
	size_t n_hosts; /* further ones that it may ask */
	struct trial_page *pages;
	size_t n_pages;
	const char *words; /* see words_of(); NULL: none */
	bool keep_empty;
	struct launch program;         /* path NULL: none */
	const struct glane_kv *header; /* of every request */
	size_t n_header;
	uint64_t memory, max_body, seconds;
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
	char digest[SHA256_HEX];                /* over rows, covers and cursors */
	uint64_t rows;                          /* of different keys, without those of slices that failed */
	uint64_t rejected;                      /* records */
	uint64_t conflicts;                     /* rows that contradict another one of their key */
	uint64_t uncovered;                     /* rows that no cover speaks of */
	const char *conflict, *uncovered_slice; /* the first of each; NULL: none */
	const char *doubts;                     /* intake_doubts(); NULL: none */
	struct trial_slice *slices;             /* by name */
	size_t n_slices, n_full, n_failed; /* of them: that withdraw what is not there (full, range), and that failed */
	size_t n_requests;                 /* different ones */
	uint8_t format[TRIAL_REQUESTS];    /* of the first requests */
	bool follows
		[TRIAL_REQUESTS]; /* the request is for the same address as the one before but for its query: a further page */
	int64_t ms;
};
/* GLANE_OK, or what kept it from being tried (memory, files). What is got lives as long as the arena. */
glane_rc trial_run(struct trial *t, struct diag *d);
#endif
