/* SPDX-License-Identifier: MIT */
/* Inside of the host: what the files of core/plug share about one run. Not for other layers. */
#ifndef PLUG_RUN_H
#define PLUG_RUN_H
#include "model/words.h"
#include "plug/host.h"
#include "read/record.h"

#define OBS_BATCH 1024
#define N_FREQ 9 /* A S T Q M W D B I */
#define SERIES_CACHE 1024

/* Handles count up from 1; the last BATCH_WINDOW stay valid (batch_is_recent()). What is asked for again after that gets a new
 * handle, so that memory does not grow with what a payload holds. */
struct run_names {
	struct map map; /* key bytes -> handle, of the current block of BATCH_WINDOW */
	struct arena arena;
	uint32_t n;
};
struct run_series {
	struct series def;     /* texts in the block's arena */
	struct slice dims;     /* as they were given */
	uint32_t wire[N_FREQ]; /* handle on the other side, by frequency; 0: not yet defined */
};
struct period_slot { /* direct-mapped cache of period texts */
	char text[15];
	uint8_t n;
	char want, freq;
	int32_t value;
};
struct glane_run {
	struct glane_host table;
	const struct host_job *job;
	const struct host_seams *seams;
	struct arena arena; /* lives as long as the run */
	struct diag diag;   /* the failure to report */
	struct diag lost;   /* a failure after which no result of this run can be right, whatever the plugin returns */
	struct diag unread; /* a reader's failure that the plugin has not yet answered to: see run_unread() */
	bool is_said;       /* unread came by fail(): only cover() answers it */
	struct diag sliced; /* failure of the last slice that failed */
	bool has_slice;     /* one did not fail */
	bool limited;       /* --limit was reached */
	bool is_part_new;   /* the next observation is the first of it: see GLANE_OBS_LAST */
	struct glane_reader *readers, *current;

	struct map series_map;        /* key bytes -> handle, of the current block */
	struct arena series_arena[2]; /* texts of the current block and of the one before */
	struct run_series *series;    /* two blocks; handle h is at (h - 1) % (2 * BATCH_WINDOW) */
	uint32_t n_series;
	uint32_t series_cache[SERIES_CACHE]; /* handles by a quick hash */
	uint32_t n_wire_series;
	struct strbuf key, text, text2, minus,
		number; /* number: after decimal mark and grouping; minus: with a hyphen for U+2212 */

	struct run_names notes, periods;
	struct period_slot slots[64];
	struct words words;

	struct glane_obs obs[OBS_BATCH];
	size_t n_obs;
	char payload[65]; /* of the observations in obs */
	struct host_counts counts;
};
struct glane_reader {
	struct glane_run *run;
	struct glane_reader *next_open;
	struct glane_request req; /* texts in the run's arena */
	const char **heads;       /* the plugin's heads, then pages, total, next, error */
	size_t n_heads;
	size_t head_pages, head_total, head_next, head_error; /* index + 1, 0: none */
	size_t split_at, split_to;                            /* items of this chunk: [split_at, split_to) */
	uint64_t page;                                        /* pages opened in this chunk */
	uint64_t page_records, chunk_records;
	int64_t chunk_pages, chunk_total; /* as first declared, -1: not */
	const char *url;                  /* of the open page */
	const char *first;                /* URL of the chunk's first page */
	char first_sha256[65];
	struct map seen; /* SHA-256 of the chunk's pages, and addresses of next links */
	char sha256[65];
	uint64_t size;
	int fd;
	bool open, closed;
	struct slice *kept; /* values of the plugin's heads after the end; NULL: not ended, or closed */
	glane_rc ended;     /* END or the failure that the reader ended with, given back by every further next() */
	struct payload payload;
	struct record_reader *records;
	struct cube_map *cube; /* what cube() knows of the dataset; NULL: not called yet */
	size_t raw_at;
};

/* host.c */
glane_rc run_stopped(struct glane_run *r);             /* GLANE_E_CANCELLED, and says why */
glane_rc run_failed(struct glane_run *r, glane_rc rc); /* rc, and the message stays in r->diag */
/* As run_failed(), for what the plugin cannot make good: the run fails even where the plugin goes on and returns GLANE_OK. */
glane_rc run_lost(struct glane_run *r, glane_rc rc);
/* "defect of plugin NAME: what", GLANE_E_USAGE, and the run is lost. */
glane_rc run_usage(struct glane_run *r, const char *what);
/* "no memory for the WHAT of this source", and the run is lost. */
glane_rc run_no_memory(struct glane_run *r, const char *what);
/*
 * rc of a reader. A failure has to be answered: by another open() that succeeds, by cover() of kind FAILED, or by returning it.
 * A plugin that takes it for the end of the data would have the rest withdrawn.
 */
glane_rc run_unread(struct glane_run *r, glane_rc rc);
/*
 * Copies min(size, n) bytes of a sized struct from the plugin into *own, which is zeroed first (n: its size here). False: no
 * struct, one that ends before `least`, or one with something set behind n.
 */
bool struct_take(void *own, size_t n, const void *given, size_t least);
/* struct_take(), or the run is lost: it says what is wrong with `call`, "emit()". */
glane_rc run_take(struct glane_run *r, void *own, size_t n, const void *given, size_t least, const char *call);
bool text_ok(struct slice s); /* UTF-8 without NUL, at most 64 KiB: what the other side takes */
glane_rc run_flush(struct glane_run *r);
glane_rc run_use_payload(struct glane_run *r, struct glane_reader *rd);
static inline glane_rc run_check(struct glane_run *r) /* GLANE_E_CANCELLED once cancelled */
{
	return r->limited || r->seams->cancelled(r->seams->arg) ? run_stopped(r) : GLANE_OK;
}
static inline struct slice slice_from(glane_str s)
{
	return (struct slice){s.p, s.p ? s.n : 0};
}
static inline glane_str str_from(struct slice s)
{
	return (glane_str){s.p, s.n};
}
/* series.c */
void run_key_text(struct strbuf *b, struct slice s); /* appends a text to a key that interns by value */
bool run_freq_ok(char freq);                         /* one of A S T Q M W D B */
glane_rc run_series(glane_run *r, const struct glane_series *given, uint32_t *ret);
struct run_series *run_series_of(struct glane_run *r, uint32_t handle); /* NULL: not, or no longer, valid */
/* The other side's handle of a series under one frequency; it is told about it at its first observation. */
glane_rc run_series_wire(struct glane_run *r, struct run_series *s, char freq, uint32_t *ret);
/* The other side forgets in blocks, as this one does: what waits to be sent goes before handle n + 1 is given. */
glane_rc run_flush_at_turn(struct glane_run *r, uint32_t n);
/* emit.c */
void emit_services(struct glane_host *h);
/* Both take what the caller has proven to be whole and valid. */
glane_rc run_emit(struct glane_run *r, const struct glane_row *row);
/* e: all but its period, which is given as it is written; absent: any. */
glane_rc run_erase(struct glane_run *r, struct erase e, struct slice period);
glane_rc run_reject(struct glane_run *r, const char *rule, const char *reason); /* the current record, by the host */
/* cover.c */
void cover_services(struct glane_host *h);
/* What the provider did to one of several; the rest of the failures is of the source, the run or this machine. */
bool run_of_slice(glane_rc how);
/* cube.c */
void cube_services(struct glane_host *h);
void cube_turn(struct glane_reader *rd); /* the next page is another document */
void cube_close(struct glane_reader *rd);
/* request.c */
const char *request_wrong(const struct glane_request *q); /* as a sentence's end; NULL: nothing */
bool request_keep(struct glane_run *r, struct glane_request *q);
/* open.c */
void open_services(struct glane_host *h);
void reader_close(struct glane_reader *rd);
struct host_request page_request(const struct glane_reader *rd, const char *url);
glane_rc page_begin(struct glane_reader *rd); /* rd->fd becomes records, or is closed */
void page_close(struct glane_reader *rd);
/* page_again.c: whether the first page of a list still is what it was, once the last one was read. */
glane_rc page_again(struct glane_reader *rd, struct diag *d);
/* page.c: the URL of the reader's next page, or *ret NULL where there is none. */
glane_rc page_first(struct glane_reader *rd, const char **ret, struct diag *d);
glane_rc page_next(struct glane_reader *rd, const char **ret, struct diag *d);
glane_rc page_done(struct glane_reader *rd, struct diag *d); /* checks after the last record of a page */
#endif
