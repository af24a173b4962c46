/* SPDX-License-Identifier: MIT */
/*
 * The engine's own types. A request waits, is tried (a try is one or more hops: the request itself and redirects), waits
 * again, and ends. fetch.c moves requests along; fetch_transfer.c makes one hop of one try; fetch_judge.c decides what it was
 * worth; fetch_redirect.c where it goes next.
 */
#ifndef NET_FETCH_PRIV_H
#define NET_FETCH_PRIV_H
#include "net/curl.h"
#include "net/fetch.h"
#include "net/fetch_answer.h"
#include "net/fetch_body.h"
#include "net/fetch_limits.h"
#include "net/fetch_secret.h"
#include "net/url.h"

#ifndef GLANE_VERSION
#define GLANE_VERSION "0.1"
#endif
#define FETCH_REDIRECTS 5
#define FETCH_PATIENCE 300 /* seconds of Retry-After that we wait */
#define FETCH_WORDS 4096   /* bytes of a body that may be quoted, */
#define FETCH_AHEAD 32768  /* and that are looked at for a secret that goes on behind them */

#define FETCH_WAITING 0  /* until not_before, a free connection and a token */
#define FETCH_ACTIVE 1   /* in the multi handle */
#define FETCH_FINISHED 2 /* its callback is due */

struct transfer { /* one hop under way */
	CURL *easy;
	struct curl_slist *header;
	struct strbuf url, body; /* with secrets */
	struct secrets secrets;
	struct answer answer;
	struct strbuf words;  /* the beginning of a body that is no data */
	bool routed, to_body; /* the first body byte was seen; it goes to the file */
	bool enough;          /* we ended it ourselves: status and words suffice */
	bool excess;          /* there were bytes beyond Content-Length */
	char refused[64];     /* local address that the socket callback refused, "" none */
	struct diag fault;    /* of a callback; fault.code 0: none */
	uint64_t received;    /* bytes of header and body */
	uint64_t mark;        /* received at mark_ms: the stall clock */
	int64_t mark_ms;
	char error[CURL_ERROR_SIZE];
};

struct fetch {
	struct fetch *prev, *next;
	struct fetcher *f;
	struct arena arena;
	uint64_t id;
	fetch_done *done;
	void *arg;
	const struct fetch_policy *p;
	/* the request */
	const char *method, *url, *content_type, *etag, *last_modified;
	const char *shown; /* redacted URL */
	struct glane_kv *header;
	size_t n_header;
	struct slice body;
	uint8_t format;
	int64_t deadline_ms;
	/* the hop */
	const char *hop_url;
	struct url_parts hop;
	unsigned hops;
	bool probing;   /* it tries whether an origin whose breaker was open answers again */
	bool foreign;   /* left the first scheme, host and port: no secrets from here on */
	bool plain_get; /* a redirect turned it into a GET without body */
	/* the tries */
	unsigned state, tries, failures, damages;
	int64_t not_before;
	const char *waits; /* state in words */
	struct transfer t;
	struct fetch_body b;
	const char *b_validator; /* strong, of the part in b; NULL: it cannot be resumed */
	uint64_t b_before;       /* b.wire when the last failure was counted */
	int64_t b_total;         /* Content-Length of the whole; -1: not known */
	/* the end */
	struct fetch_result result;
	struct secrets sent; /* result.sent */
	struct strbuf message;
};

struct fetch_list {
	struct fetch *first, *last;
};
struct fetcher {
	struct arena arena;
	struct fetch_options o; /* defaults filled in, texts copied */
	const char *user_agent;
	const char *proxy;       /* NULL: none */
	char *secret_proxy;      /* the same, where it came from env: or file: */
	struct diag proxy_fault; /* it cannot be used; code 0: it can */
	CURLM *multi;
	struct limits *limits;
	struct fetch_list open, finished;
	uint64_t last_id;
	int64_t stored_ms; /* when the limits were last stored */
	struct curl_waitfd *waits;
	size_t n_waits;
};

/* fetch_transfer.c */
glane_rc transfer_start(struct fetch *r, struct diag *d); /* adds the hop to the multi handle */
void transfer_stop(struct fetch *r);                      /* takes it out and zeroes the secrets; idempotent */
bool transfer_is_data(const struct fetch *r);             /* do this answer's bytes belong to r->b? */
glane_rc transfer_route(struct fetch *r, struct diag *d); /* prepares r->b for the answer's bytes */
/* fetch_permit.c: does the configuration itself name this scheme, host and port? */
bool origin_is_named(const struct fetch_policy *p, const struct url_parts *u);
/* fetch_socket.c: libcurl's CURLOPT_OPENSOCKETFUNCTION and, for a connection that another request made, CURLOPT_PREREQFUNCTION, with
 * the request as clientp. */
curl_socket_t fetch_socket(void *clientp, curlsocktype purpose, struct curl_sockaddr *address);
int fetch_connected(void *clientp, char *ip, char *own_ip, int port, int own_port);
bool host_is_local(const char *host);    /* an address literal that address_is_local(), or localhost */
bool host_is_loopback(const char *host); /* 127/8, ::1 or localhost */
/* fetch_proxy.c */
void fetch_take_proxy(struct fetcher *f); /* from the options; sets proxy or proxy_fault */
void fetch_drop_proxy(struct fetcher *f); /* zeroes it where it was read as a secret */
bool fetch_uses_proxy(const struct fetch *r);
/* fetch_judge.c: the transfer has ended with `code`; moves the request on. */
void fetch_judge(struct fetch *r, CURLcode code);
void fetch_give_up(struct fetch *r, glane_rc rc, const char *why); /* ends it now; `why` is redacted */
void fetch_too_late(struct fetch *r);                              /* its deadline has passed */
/* Full jitter: anything up to base * 2^(failures - 1), at most a minute. */
int64_t fetch_backoff_ms(double base_seconds, unsigned failures);
/* fetch_redirect.c: sets the next hop; a refusal is a failure that no retry mends. */
bool status_is_redirect(int status);
glane_rc fetch_redirect(struct fetch *r, struct diag *d);
/* fetch.c */
struct origin {
	char text[300]; /* "host:port", the key of a breaker */
};
struct origin origin_of(const struct url_parts *hop);
void fetch_rewind(struct fetch *r); /* back to the first hop, for a new try */
void fetch_free(struct fetch *r);
void fetch_queue(struct fetch *r);  /* gives it its id */
void fetch_finish(struct fetch *r); /* to the list of those whose callback is due */
#endif
