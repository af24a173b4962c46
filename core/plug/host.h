/* SPDX-License-Identifier: MIT */
/*
 * The host table that plugins call, on top of two seams: where payloads come from, and where what is emitted goes. The same code runs
 * in a worker (seams: wire), in-process (--inproc) and under a test host.
 */
#ifndef PLUG_HOST_H
#define PLUG_HOST_H
#include "model/batch.h"
#include "plug/plugin.h"
#include "read/source.h"

struct host_request { /* texts borrowed */
	const char *method, *url;
	const struct glane_kv *header;
	size_t n_header;
	struct slice body;
	const char *content_type;
	uint8_t format;
	bool may_be_empty, no_html;
	uint32_t again, wait; /* see struct glane_request */
};
struct host_answer {
	int fd; /* read-only, complete, verified; the host closes it */
	uint64_t size;
	char sha256[65];
	struct slice
		url; /* how messages name it, where that is another text than the request's; borrowed until the next call */
};
struct host_reject {      /* a record that could not be normalised */
	const char *rule; /* "period", "value", "dims", ... */
	struct slice reason, record;
	uint64_t number, line, offset; /* of the record in its payload */
	bool by_plugin;                /* the plugin refused it; false: the host, while it normalised */
};
/* Every function returns GLANE_OK or a code that ends the run. Handles are 1, 2, 3, ... in order of definition, per table. */
struct host_seams {
	void *arg;
	/* GLANE_END: there is no such payload and no more (a replay of single payloads): the reader ends. */
	glane_rc (*fetch)(void *arg, const struct host_request *, struct host_answer *ret, struct diag *);
	glane_rc (*payload)(void *arg, const char *sha256); /* what follows comes from this payload */
	glane_rc (*series)(void *arg, const struct series *);
	glane_rc (*note)(void *arg, const struct note *);
	glane_rc (*period)(void *arg, struct slice text);
	glane_rc (*obs)(void *arg, const struct glane_obs *, size_t n);
	glane_rc (*cover)(void *arg, const struct cover *);
	glane_rc (*erase)(void *arg, const struct erase *);
	glane_rc (*cursor)(void *arg, struct slice key, struct slice value);
	glane_rc (*reject)(void *arg, const struct host_reject *);
	void (*log)(void *arg, int level, struct slice text);
	glane_rc (*progress)(void *arg, uint64_t rows, uint64_t bytes); /* about every 4,096 records */
	bool (*cancelled)(void *arg);
	/*
	 * Asks the provider anew for what fetch() has given in this run. GLANE_END: it is the same, or there is nobody to ask; GLANE_OK:
	 * the answer is another one. NULL: there is nobody to ask.
	 */
	glane_rc (*again)(void *arg, const struct host_request *, struct host_answer *ret, struct diag *);
};
struct host_piece { /* a payload that is to go through a filter; texts borrowed during the call */
	int fd;
	const char *url, *sha256;
};
/* What stands between payloads and their readers. */
struct host_filter {
	/* *ret reads what comes out; it ends before fd is closed. */
	glane_rc (*open)(const struct host_filter *, const struct host_seams *, const struct host_piece *,
		struct payload_source **ret, struct diag *);
};
struct host_job {
	const struct plugin *plugin;
	const struct conf_section *section; /* the plugin's keys only */
	const char *source, *base_url;      /* base_url without a trailing '/'; NULL: none */
	const struct glane_kv *cursors;
	size_t n_cursors;
	int64_t now;                      /* seconds UTC */
	uint64_t max_body;                /* decoded bytes of one payload */
	uint64_t limit;                   /* rows; 0: no limit */
	bool keep_empty;                  /* empty = keep */
	const char *words;                /* of other languages, see words_of(); NULL: none */
	const struct host_filter *filter; /* NULL: payloads are read as they are */
	const struct glane_kv *header;    /* of every request; goes before the plugin's */
	size_t n_header;
};
struct host_counts {
	uint64_t rows, rejected, padding, bytes;
	uint64_t turned; /* pages read beyond the first of their request */
	uint64_t
		moved; /* lists of pages of which the first, asked for again after the last, was another or could not be had */
};
/* Runs the plugin: options, init, run, fini. GLANE_OK, or the run's failure with its message in d. */
glane_rc host_run(const struct host_job *job, const struct host_seams *seams, struct host_counts *ret, struct diag *d);
#endif
