/* SPDX-License-Identifier: MIT */
/*
 * The fetch engine of the broker: libcurl multi, one body per request downloaded to completion into a file, decoded,
 * proven complete, sniffed, hashed. Nothing is handed out before all of that is true (RELIABILITY 0, 2.3, 3.5).
 *
 * What it does by itself: content decoding (gzip, deflate by zlib's inflate, Z_STREAM_END demanded), Content-Length or last
 * chunk demanded (HTTP/1.1 only), two differing Content-Length or Content-Length with Transfer-Encoding refused, redirects (at
 * most 5, to allowed hosts, never https to http; secrets dropped where scheme, host or port change), retries by class
 * (network errors, 408 425 429 500 502 503 504, HTML where data was asked; full jitter 1 s .. 60 s; Retry-After clipped to 300 s),
 * stall limit (under 1 KiB over 60 s; not a total timeout), resume with Range and If-Range where a strong ETag was
 * given, byte caps counted on the wire and after decoding, per-host concurrency and token buckets, circuit breakers.
 */
#ifndef NET_FETCH_H
#define NET_FETCH_H
#include "base/diag.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/strbuf.h"

#define FETCH_BODY_MAX ((uint64_t)512 << 20) /* bytes after decoding, where a policy says nothing */

struct fetch_secret {
	const char *name; /* of {auth:NAME} */
	const char *spec; /* env:VAR or file:PATH, read for each transfer; never logged */
};
/* PATH of "file:PATH", VAR of "env:VAR"; NULL: the text says no such place. */
const char *fetch_secret_file(const char *spec);
const char *fetch_secret_env(const char *spec);

struct fetch_policy { /* of one source; borrowed, must outlive its requests */
	const char *source;
	const char *const *allowed; /* what the configuration names, see url_allowed() */
	size_t n_allowed;
	const char *const *declared; /* what only the plugin names: https, no local address, no secret */
	size_t n_declared;
	const struct fetch_secret *secrets;
	size_t n_secrets;
	uint64_t max_body;    /* bytes after decoding; 0: FETCH_BODY_MAX */
	unsigned retries;     /* further tries after the first */
	double rate;          /* requests per second of this source's hosts; 0: the default 5 */
	const char *ca_extra; /* further CA certificates (PEM), or NULL */
};
struct fetch_options {             /* of the engine; borrowed */
	int tmp_dir;               /* folder for bodies under way */
	const char *contact;       /* for the User-Agent "glane/VERSION (contact)" */
	const char *proxy;         /* see fetch_proxy_check(); NULL: none, the environment's are not used */
	const char *ca_bundle;     /* PEM; NULL: the system's */
	const char *limits_file;   /* token buckets kept across runs (path), or NULL */
	unsigned per_host;         /* connections to one host at once; 0: 4 */
	unsigned stall_seconds;    /* 0: 60 */
	double retry_base_seconds; /* 0: 1.0; tests use less */
	bool ask_anyway;           /* breakers that an earlier run left open are half-open: the user asks by name */
};
struct fetch_request {            /* copied by fetch_start() */
	const char *method, *url; /* with {auth:NAME} placeholders */
	const struct glane_kv *header;
	size_t n_header;
	struct slice body;
	const char *content_type;
	uint8_t format; /* GLANE_FMT_*: what the first bytes must look like; an archive is always allowed for CSV and RAW */
	const char *etag, *last_modified; /* validators: a conditional request; 304 is then an answer */
	int64_t deadline_ms;              /* clock_mono_ms() at which to give up; 0: none */
	uint32_t wait_seconds;            /* before the first try */
};
struct secrets;
struct fetch_result {        /* valid during the callback; take fd by setting it to -1, the secrets by zeroing them */
	glane_rc rc;         /* GLANE_OK, or FETCH (transport, status), DENIED (host, redirect; security), FORMAT
				       (content), LIMIT (size), CONFIG (401, 403, missing secret) */
	const char *message; /* of a failure; redacted; security events begin with "security: " */
	int status;          /* HTTP status of the last try, 0: none */
	bool not_modified;   /* 304 to a conditional request: no body */
	int fd;              /* decoded body, read-only, offset 0; -1: none */
	uint64_t size, wire; /* bytes decoded / received */
	char sha256[SHA256_HEX];                                /* of the decoded body */
	const char *url;                                        /* redacted, with placeholders */
	const char *etag, *last_modified, *content_type, *date; /* "" where absent */
	struct secrets *sent; /* of the transfer that brought it; NULL: none. The provider may have written one back */
	unsigned tries;
	int64_t retry_after; /* seconds the server asked for beyond our patience; 0: none */
};
struct fetch_progress {          /* of a request under way */
	uint64_t wire, expected; /* expected 0: unknown */
	const char *state;       /* "queued" "waiting" "waiting (rate limit)" "connecting" "receiving" "retry in" ... */
	unsigned wait_seconds;
};
struct fetcher;
typedef void fetch_done(void *arg, uint64_t id, struct fetch_result *result);

struct url_parts;
/* May the source ask this scheme, host and port? */
bool fetch_origin_permitted(const struct fetch_policy *p, const struct url_parts *u);
/* May it make this request, which may hold {auth:NAME}? Without a network too: answers of the archive go by the same. */
glane_rc fetch_permitted(const struct fetch_policy *p, const struct fetch_request *q, struct diag *d);
/* It asks for no secret, of an origin that the configuration names: who else asked the same got the same. */
bool fetch_is_open(const struct fetch_policy *p, const struct fetch_request *q);
/* Whether a request may have this header: a name and value that can be sent, and none of those that are set here. */
glane_rc fetch_header_check(const struct glane_kv *h, struct diag *d);
/* http, https, socks5 or socks5h URL of a proxy; one with user:password only as env:NAME or file:PATH, read when the engine
 * begins. Local hosts are always asked directly. GLANE_E_CONFIG: it cannot be. */
glane_rc fetch_proxy_check(const char *proxy, struct diag *d);
glane_rc fetcher_new(struct fetcher **ret, const struct fetch_options *o, struct diag *d);
void fetcher_free(struct fetcher *f); /* cancels all; stores the limits */
/* Queues a request; `done` is called exactly once from fetcher_step(), unless cancelled. */
glane_rc fetch_start(struct fetcher *f, const struct fetch_policy *p, const struct fetch_request *q, fetch_done *done,
	void *arg, uint64_t *ret_id, struct diag *d);
void fetch_cancel(struct fetcher *f, uint64_t id); /* done is not called */
bool fetch_progress(const struct fetcher *f, uint64_t id, struct fetch_progress *ret);
/* Works until a descriptor of `extra` (struct pollfd of poll.h) is ready or timeout_ms passed; calls `done`s. */
struct pollfd;
glane_rc fetcher_step(struct fetcher *f, struct pollfd *extra, unsigned n_extra, int timeout_ms, struct diag *d);
#endif
