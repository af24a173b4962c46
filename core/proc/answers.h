/* SPDX-License-Identifier: MIT */
/* Inside of the broker: sources, and the answers kept for each during a run. Not for other layers. */
#ifndef PROC_ANSWERS_H
#define PROC_ANSWERS_H
#include "base/map.h"
#include "net/archive.h"
#include "net/fetch.h"
#include "net/fetch_secret.h"
#include "proc/broker.h"

struct answer { /* one request of one source; texts in the source's arena */
	struct source *source;
	struct request request;
	char key[65];
	bool pending, asked, waited; /* under way; asked for by the worker; the worker waits for it now */
	bool queued;                 /* pending, and not even begun */
	bool again; /* whether another one, whose validators and hash stand in old_*, still holds; in no list */
	uint64_t fetch_id;
	/* of the last commit's list */
	bool replay;
	bool stale; /* today's configuration does not permit it: no matter of security before somebody asks for it */
	uint32_t replay_index;
	const char *old_etag, *old_modified, *old_sha256;
	/* the outcome */
	glane_rc rc;
	const char *message, *etag, *modified, *content_type;
	unsigned status, tries;
	char sha256[65];
	uint64_t size, wire;
	int64_t fetched_at;
	uint8_t origin;               /* FETCHED_* */
	uint64_t struck;              /* writings of secrets that stood in the body */
	struct secrets sent;          /* what it was asked with, until it is looked through */
	struct strike *strike;        /* it is looked through */
	struct answer *next_searched; /* of those that are */
	int fd;                       /* -1: to be had with body_have() */
	bool held;                    /* fd is one of those that stay open */
	bool spooled;                 /* it stands in the source's file, at */
	uint64_t spool_at;
};
struct source {
	struct source *next;
	struct broker *broker;
	struct arena arena;
	uint32_t id;
	struct fetch_policy policy;
	int64_t deadline;
	uint8_t keep;        /* KEEP_* */
	bool html;           /* its program takes HTML pages */
	const char **poison; /* payloads that killed their reader */
	size_t n_poison;
	struct wire client;
	bool has_client;
	unsigned n_waited;     /* answers that the worker waits for */
	struct map by_key;     /* request key -> struct answer * */
	struct answer **asked; /* in order of asking */
	size_t n_asked, cap_asked;
	struct answer **all;
	size_t n_all, cap_all, n_pending;        /* n_pending: begun */
	size_t n_queued, next_queued;            /* replays that wait; `all` has them from there on */
	struct answer *searched, **searched_end; /* the first one is looked through, the others wait */
	int spool;                               /* bodies one behind the other; -1: none yet */
	uint64_t spool_size;
	unsigned n_held;
	uint64_t body_bytes;
	uint64_t wire_bytes;
	uint64_t bytes;      /* of its requests, and of what was said of them */
	bool listing;        /* LIST_END is still to be said */
	size_t n_listed;     /* of `asked` */
	int64_t progress_at; /* clock_mono_ms() of the last PROGRESS */
};
struct broker {
	struct wire control;
	struct fetcher *fetcher;
	struct archive archive;
	int store, tmp;
	bool offline, dry, quit, ready;
	struct source *sources;
	struct arena arena, scratch; /* scratch: of one frame */
	struct diag diag;
};

/* bodies.c. Sees to it that a->fd is the body. */
glane_rc body_have(struct answer *a, struct diag *d);
/* A further descriptor on the body, read-only and with an offset of its own. */
int body_open(struct answer *a, struct diag *d);
/* Whoever waited for the body has got it: its file may be closed now. */
void body_settle(struct answer *a);
void body_drop(struct answer *a); /* it is fetched once more */
/* A new body is to be kept; GLANE_E_LIMIT: the source has too many bytes of them. */
glane_rc body_count(struct source *s, uint64_t size, struct diag *d);

struct source *source_find(struct broker *b, uint32_t id);
glane_rc source_new(struct broker *b, struct frame *f, struct diag *d);
void source_free(struct broker *b, struct source *s);
/* Whether one more request of the worker is read now: it waits for few, and what was said before is on its way. */
bool source_may_ask(const struct source *s);
/* A request of the worker, or one to replay, which is copied; starts the fetch where there is no answer yet. GLANE_E_LIMIT: it is refused. */
glane_rc answer_ask(struct source *s, const struct request *r, struct diag *d);
glane_rc answer_replay(struct source *s, const struct request *r, uint32_t index, const char *etag,
	const char *modified, const char *sha256, struct diag *d);
/* Whether the provider still says what it said to this request: asks it once more. */
glane_rc answer_again(struct source *s, const struct request *r, struct diag *d);
/* As many of the replays that wait as may be under way at once. */
glane_rc answers_replay_some(struct source *s, struct diag *d);
/* The outcome stands in `a`: tells whoever waits. */
void answer_finished(struct answer *a);
/* search.c. The body has come whole: looks for secrets in it, and finishes the answer, at once or later. */
void answer_search(struct answer *a);
/* Goes on with it for some milliseconds, to be called until `searched` is NULL. */
void answers_search_some(struct source *s);
/* Sends a finished answer to the worker that waits for it. */
glane_rc answer_send(struct answer *a, struct diag *d);
/* GLANE_E_LIMIT stands in `d`: the worker hears it in place of an answer. */
glane_rc answer_refuse(struct source *s, struct diag *d);
/* Begins its list; answers_list_some() says as much of it as the queue has room for, to be called until `listing` is false. */
void answers_list(struct source *s);
glane_rc answers_list_some(struct source *s, struct diag *d);
glane_rc answers_archive(struct source *s, struct diag *d);
/* The body with that hash, however little the source keeps; it stays as it is where it is there already. */
glane_rc answers_keep(struct source *s, const char *sha256, struct diag *d);
/* The source is done: what is to be kept of an uneventful or failed refresh is archived; a failure there is only logged. */
void answers_close(struct source *s);
void answers_progress(struct source *s);
#endif
