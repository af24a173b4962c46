/* SPDX-License-Identifier: MIT */
/*
 * The broker: the one process that owns libcurl, the secrets and the allow-lists. The scheduler tells it over the control socket which
 * sources there are and passes the socket of each worker; a worker asks for URLs and gets verified payloads as read-only
 * descriptors. Bodies are kept (unlinked files, bodies.c) until their source is closed, so that a page is fetched once per run.
 *
 * Frames (fields in this order; see wire.h). On the control socket, scheduler -> broker:
 *   SETUP    cstr contact, proxy, ca_bundle, limits_file, store path ("": there is none); u32 per_host, stall_seconds;
 *            u8 mode (BROKER_*); u8 ask_anyway (see fetch.h);
 *            u32 n + n cstr: files of secrets and certificates that sources name, all that it can read beside its own
 *   SOURCE   u32 id; cstr name; u32 n + n cstr that the configuration allows; u32 n + n cstr that the plugin alone names;
 *            u32 n + n (cstr name, cstr spec) secrets; u64 max_body; u32 retries; f64 rate; cstr ca_extra; u8 keep (KEEP_*), html;
 *            u32 n + n cstr sha256 of payloads that are not given to its reader any more (poison);
 *            i64 deadline (clock_mono_ms, 0: none)   [+ descriptor: worker socket, or none]
 *   REPLAY   u32 id; u32 index; REQUEST fields; text etag, last_modified, sha256   (one of the last commit's list)
 *   LIST     u32 id                   -> one LISTED per request that was answered, in order of asking, then LIST_END
 *   ARCHIVE  u32 id                   there are events: -> ARCHIVED once every body of the list is durable in the archive, as
 *                                     far as the source keeps any
 *   KEEP     u32 id; cstr sha256      of a body that was given out: -> ARCHIVED once it is durable in the archive, whatever is kept else
 *   CLOSE    u32 id                   the source is done: bodies are dropped (KEEP_ALL: archived first), requests under way
 *                                     cancelled
 *   QUIT                              ends the broker (limits are stored)
 * broker -> scheduler:
 *   REPLAYED u32 id; u32 index; u8 verdict (REPLAY_*); text message
 *   LISTED   u32 id; REQUEST fields; u32 status; text sha256, etag, last_modified, response content_type; u64 size, wire; u32 tries;
 *            i64 fetched_at; u8 origin (FETCHED_*); u64 struck (secrets out of its body)
 *   LIST_END u32 id; u64 wire bytes of the source in this run; i64 rc (not GLANE_OK: the list could not be said); text message
 *   ARCHIVED u32 id; i64 rc; text message
 *   PROGRESS u32 id; u64 wire, expected; text state           at most twice a second per source
 *   SECURITY u32 id; text message                             a refused redirect or host, at once
 * On a worker's socket, worker -> broker:
 *   FETCH    REQUEST fields
 *   AGAIN    REQUEST fields of one that was answered: it goes out once more, with the validators of that answer. -> ANSWER: GLANE_END
 *            where the provider says the same, or nobody is asked; else the new body, which is neither listed nor archived
 *   WORDS    text         quotes what the provider wrote: -> WORDS text, without the secrets of the source
 * broker -> worker:
 *   ANSWER   i64 rc; text message; text sha256; u64 size; text content_type; text url (as it may be shown)   [+ descriptor where rc is GLANE_OK]
 * REQUEST fields: cstr method, url; u32 n + n (cstr name, text value) headers; text body; cstr content_type; u8 format; u32 again, wait
 */
#ifndef PROC_BROKER_H
#define PROC_BROKER_H
#include "proc/wire.h"

enum {
	B_SETUP = 100,
	B_SOURCE,
	B_REPLAY,
	B_LIST,
	B_ARCHIVE,
	B_CLOSE,
	B_QUIT,
	B_KEEP,
	B_REPLAYED = 120,
	B_LISTED,
	B_LIST_END,
	B_ARCHIVED,
	B_PROGRESS,
	B_SECURITY,
	B_FETCH = 140,
	B_ANSWER,
	B_WORDS,
	B_AGAIN
};
enum { REPLAY_SAME = 0, REPLAY_CHANGED = 1, REPLAY_FAILED = 2 };
/* OFFLINE: the archive answers. DRY: so it does, what is not in it is listed, and there is no more; nothing is written. */
enum { BROKER_FETCHES = 0, BROKER_OFFLINE = 1, BROKER_DRY = 2 };
/* Which bodies the archive keeps: those of a refresh that brought events; every one that a worker was given, also where nothing
 * changed or the source failed; none. */
enum { KEEP_EVENTS = 0, KEEP_ALL = 1, KEEP_NONE = 2 };
enum { FETCHED_NEW = 0, FETCHED_NOT_MODIFIED = 1, FETCHED_ARCHIVE = 2 };

struct request {                  /* what identifies a fetch; texts borrowed */
	const char *method, *url; /* with {auth:NAME} */
	const struct glane_kv *header;
	size_t n_header;
	struct slice body;
	const char *content_type;
	uint8_t format; /* GLANE_FMT_*, with FORMAT_MAY_BE_EMPTY and FORMAT_NO_HTML */
	uint32_t again; /* how often the same was asked before: an answer is being prepared */
	uint32_t wait;  /* seconds to wait before; not part of what identifies it */
};
/* Names and values, at most `max`; false: they do not read, or no memory. */
void wire_pairs(struct wire *w, const struct glane_kv *kv, size_t n);
bool frame_pairs(struct frame *f, struct arena *a, size_t max, const struct glane_kv **ret, size_t *ret_n);
void wire_request(struct wire *w, const struct request *r);
/* Texts are copied into the arena; at most 64 headers. */
glane_rc frame_request(struct frame *f, struct arena *a, struct request *ret, struct diag *d);
bool request_copy(const struct request *r, struct arena *a, struct request *ret);
/* Bytes of its fields in a frame. One of more than REQUEST_MAX would leave too little room for what else is listed of it. */
#define REQUEST_MAX (WIRE_MAX - 65536u)
uint64_t request_size(const struct request *r);
void request_body_hash(const struct request *r, char hex[65]); /* "": no body */
/* What a provider wrote may hold a secret (the link to its next page): in the URL, the headers and the body the placeholder goes where
 * a secret of the policy stands, so that it is not logged, listed or archived, and so that a new key is asked with where the list is
 * asked for again. */
struct fetch_policy;
glane_rc request_hide(struct request *r, const struct fetch_policy *p, struct arena *a, struct diag *d);
/* SHA-256 over method, url, headers, body and again: the key under which an answer is kept for a run. */
bool request_key(const struct request *r, char hex[65]);

/* The broker's main loop on its control socket; returns its exit status. */
int broker_main(int control_fd);
#endif
