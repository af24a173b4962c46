/* SPDX-License-Identifier: MIT */
/* URLs: templates on the worker's side (pure text), and parsing, comparing and permission on the broker's side
 * (curl_url() only, RFC 3986). Nothing here touches the network. */
#ifndef NET_URL_H
#define NET_URL_H
#include "base/diag.h"
#include "base/mem.h"
#include "base/strbuf.h"

/* Expands "{name}" of a template by `value` (percent-encoded for a path segment or query value; not for base_url, whose
 * text goes in as it is). "{auth:NAME}" stays. An unknown name is GLANE_E_CONFIG. kv holds name -> text. */
glane_rc url_expand(struct strbuf *b, const char *template_, const struct glane_kv *kv, size_t n_kv, struct diag *d);
/* Appends "?k=v&k2=v2" ('&' where the URL has a query already), percent-encoded, absent values left out. */
void url_add_query(struct strbuf *b, const struct glane_kv *kv, size_t n);
/* Sets or replaces one query parameter of a complete URL; appended to b. */
void url_set_query(struct strbuf *b, struct slice url, const char *key, struct slice value);

struct url_parts { /* owned by the arena; host lower case, without brackets; port always a number */
	const char *scheme, *host, *path_query;
	unsigned port;
};
/* http and https only, no user:password, no control bytes, at most 8,000 bytes. */
glane_rc url_parse(struct arena *a, const char *url, struct url_parts *ret, struct diag *d);
/* A redirect's Location against the URL it came from (RFC 3986 5.3). */
glane_rc url_resolve(struct arena *a, const char *base, const char *location, const char **ret, struct diag *d);
/* Allowed hosts: "example.org" (https, port 443 only), "*.example.org", "http://127.0.0.1:8080" (exactly that scheme, host and port), or a
 * whole base URL (its scheme, host and port). */
bool url_allowed(const struct url_parts *u, const char *const *allowed, size_t n);
/* "{auth:...}" and "user:password@" replaced by "***", for logs, reports and the archive. */
void url_redact(struct strbuf *b, struct slice url);
/* True where the address text or socket address is loopback, private, link-local, CGNAT, multicast, unspecified, or an
 * IPv4-mapped form of one (RELIABILITY 2.3). */
struct sockaddr;
bool address_is_local(const struct sockaddr *sa);
#endif
