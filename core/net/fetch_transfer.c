/* SPDX-License-Identifier: MIT */
/* One hop of one try: a libcurl easy handle, its settings and its callbacks. */
#include "base/clock.h"
#include "base/file.h"
#include "net/fetch_priv.h"
#include "net/fetch_tls.h"

#include <stdio.h>
#include <sys/socket.h>

#define CONNECT_SECONDS 15L

static uint64_t max_body(const struct fetch *r)
{
	return r->p->max_body ? r->p->max_body : FETCH_BODY_MAX;
}

static bool resuming(const struct fetch *r)
{
	return r->b_validator && r->b.fd >= 0 && r->b.wire > 0;
}

bool transfer_is_data(const struct fetch *r)
{
	int status = r->t.answer.status;

	return status == 200 || (status == 206 && resuming(r));
}

/* A 206 must continue exactly where we stopped, in the same representation. */
static glane_rc check_range(const struct fetch *r, struct diag *d)
{
	const struct answer *a = &r->t.answer;

	if (a->range_first != (int64_t)r->b.wire || a->coding != r->b.coding ||
		(a->range_total >= 0 && a->range_last != a->range_total - 1))
		return fail(d, GLANE_E_FETCH, "the server answered a resumed transfer with another range");
	if (r->b_validator[0] == '"' ? (*a->etag && strcmp(a->etag, r->b_validator) != 0)
				     : (*a->last_modified && strcmp(a->last_modified, r->b_validator) != 0))
		return fail(d, GLANE_E_FETCH, "the server resumed a transfer with another version (validator)");
	if (r->b_total >= 0 && a->range_total >= 0 && a->range_total != r->b_total)
		return fail(d, GLANE_E_FETCH, "the server resumed a transfer of %lld bytes as one of %lld",
			(long long)r->b_total, (long long)a->range_total);
	return GLANE_OK;
}

static glane_rc restart_body(struct fetch *r, struct diag *d)
{
	const struct answer *a = &r->t.answer;
	const char *validator = answer_validator(a);

	r->b_validator = NULL;
	r->b_before = 0;
	r->b_total = a->length;
	if (a->length > 0 && (uint64_t)a->length > max_body(r))
		return fail(d, GLANE_E_LIMIT, "the body has %lld bytes, more than max_body (%llu)",
			(long long)a->length, (unsigned long long)max_body(r));
	if (validator) {
		r->b_validator = arena_strndup(&r->arena, validator, strlen(validator));
		if (!r->b_validator)
			return fail(d, GLANE_E_NOMEM, "no memory for a request");
	}
	return fetch_body_begin(&r->b, r->f->o.tmp_dir, a->coding, max_body(r), d);
}

glane_rc transfer_route(struct fetch *r, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	r->t.routed = true;
	r->t.to_body = transfer_is_data(r);
	if (!r->t.to_body)
		return GLANE_OK;
	rc = r->t.answer.status == 206 ? check_range(r, d) : restart_body(r, d);
	if (rc < 0 && r->t.answer.status == 206) {
		/* The next try starts from zero. */
		r->b_validator = NULL;
		fetch_body_release(&r->b);
	}
	return rc;
}

static glane_rc word_sink(void *arg, const char *p, size_t n, struct diag *d)
{
	struct strbuf *words = arg;
	size_t room = FETCH_AHEAD - words->n;

	(void)d;
	strbuf_add(words, p, n < room ? n : room);
	return GLANE_OK;
}

/* An error's body: enough of it to quote. Its coding is undone as far as one piece goes. */
static void add_words(struct transfer *t, const char *p, size_t n)
{
	struct decoder *z;

	if (t->answer.coding == CODING_NONE) {
		(void)word_sink(&t->words, p, n, NULL);
	} else if (t->answer.coding != CODING_UNKNOWN && !t->words.n) {
		z = decoder_new(t->answer.coding);
		if (z)
			(void)decoder_add(z, p, n, word_sink, &t->words, NULL);
		decoder_free(z);
	}
}

/* Bytes that lie ready after the answer's end: the server wrote more than it declared. To be asked with the last byte: once the
 * transfer has ended, the connection may carry the answer to another request. TLS has records of its own there. */
static bool has_more(const struct fetch *r)
{
	curl_socket_t s = CURL_SOCKET_BAD;
	char byte;

	if (strcmp(r->hop.scheme, "http") != 0 || curl_easy_getinfo(r->t.easy, CURLINFO_ACTIVESOCKET, &s) != CURLE_OK ||
		s == CURL_SOCKET_BAD)
		return false;
	return recv(s, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct fetch *r = arg;
	struct transfer *t = &r->t;
	glane_rc rc = GLANE_OK;

	n *= size;
	t->received += n;
	if (!t->routed)
		rc = transfer_route(r, &t->fault);
	if (rc == GLANE_OK && t->to_body)
		rc = fetch_body_add(&r->b, p, n, &t->fault);
	else if (rc == GLANE_OK)
		add_words(t, p, n);
	if (t->answer.length >= 0 && t->received - t->answer.bytes == (uint64_t)t->answer.length)
		t->excess = t->excess || has_more(r);
	if (rc == GLANE_OK && !t->to_body && t->received > t->answer.bytes + FETCH_AHEAD)
		t->enough = true;
	return rc < 0 || t->enough ? 0 : n;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	n *= size;
	t->received += n;
	return answer_line(&t->answer, (struct slice){p, n}, &t->fault) < 0 ? 0 : n;
}

/* libcurl says nothing of bytes beyond Content-Length but here, and leaves them out. */
static int on_debug(CURL *easy, curl_infotype type, char *p, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)easy;
	if (type == CURLINFO_TEXT && memmem(p, n, "xcess found", 11))
		t->excess = true;
	return 0;
}

static bool header_has_secret(const struct fetch *r, size_t i)
{
	return secret_wanted((struct slice){r->header[i].v.p, r->header[i].v.n});
}

/* One line of the header, `line` begins with its name; the list keeps its own copy, ours is zeroed. */
static glane_rc append(struct fetch *r, glane_rc rc, struct strbuf *line, struct diag *d)
{
	struct curl_slist *list;

	if (rc == GLANE_OK && !strbuf_ok(line))
		rc = fail(d, GLANE_E_NOMEM, "no memory for a header");
	if (rc == GLANE_OK) {
		list = curl_slist_append(r->t.header, line->p);
		if (list)
			r->t.header = list;
		else
			rc = fail(d, GLANE_E_NOMEM, "no memory for a header");
	}
	secret_wipe(line);
	return rc;
}

/* Of the request's own headers alone are placeholders filled: a validator is the server's text, where one would be a way to ask for
 * secrets. */
static glane_rc add_filled(struct fetch *r, const struct glane_kv *h, struct diag *d)
{
	struct strbuf line;

	strbuf_init(&line, 0);
	strbuf_fmt(&line, "%s: ", h->k);
	return append(
		r, secret_fill(&line, (struct slice){h->v.p, h->v.n}, SECRET_PLAIN, &r->t.secrets, r->p, d), &line, d);
}

static glane_rc add_header(struct fetch *r, const char *name, struct slice value, struct diag *d)
{
	struct strbuf line;

	strbuf_init(&line, 0);
	strbuf_fmt(&line, "%s: ", name);
	strbuf_slice(&line, value);
	return append(r, GLANE_OK, &line, d);
}

static glane_rc add_own_headers(struct fetch *r, struct diag *d)
{
	glane_rc rc = add_header(r, "Accept-Encoding", SLICE("gzip"), d);
	char range[40];

	if (rc == GLANE_OK && resuming(r)) {
		(void)snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)r->b.wire);
		rc = add_header(r, "Range", slice_of(range), d);
		if (rc == GLANE_OK)
			rc = add_header(r, "If-Range", slice_of(r->b_validator), d);
		return rc;
	}
	if (rc == GLANE_OK && r->etag)
		rc = add_header(r, "If-None-Match", slice_of(r->etag), d);
	if (rc == GLANE_OK && r->last_modified)
		rc = add_header(r, "If-Modified-Since", slice_of(r->last_modified), d);
	return rc;
}

static glane_rc add_headers(struct fetch *r, struct diag *d)
{
	bool post = strcmp(r->method, "POST") == 0 && !r->plain_get;
	glane_rc rc = add_own_headers(r, d);

	for (size_t i = 0; rc == GLANE_OK && i < r->n_header; i++) {
		if (!(r->foreign && header_has_secret(r, i)))
			rc = add_filled(r, &r->header[i], d);
	}
	if (rc == GLANE_OK && post)
		rc = add_header(r, "Expect", SLICE(""), d);
	if (rc == GLANE_OK && post)
		rc = add_header(
			r, "Content-Type", slice_of(r->content_type ? r->content_type : "application/octet-stream"), d);
	return rc;
}

static unsigned body_secret(const struct fetch *r)
{
	const char *type = r->content_type ? r->content_type : "";

	if (curl_strnequal(type, "application/x-www-form-urlencoded", 33))
		return SECRET_PERCENT;
	return strstr(type, "json") ? SECRET_JSON : SECRET_PLAIN;
}

/* Secrets travel encrypted, or not at all; on the loopback there is no wire. */
static glane_rc check_secrets(const struct fetch *r, struct diag *d)
{
	bool wanted = (!r->hops && secret_wanted(slice_of(r->hop_url))) || (!r->plain_get && secret_wanted(r->body));

	for (size_t i = 0; i < r->n_header; i++)
		wanted = wanted || (!r->foreign && header_has_secret(r, i));
	if (wanted && strcmp(r->hop.scheme, "https") != 0 && !host_is_loopback(r->hop.host))
		return fail(
			d, GLANE_E_DENIED, "security: a secret is not sent over http to another machine; use https");
	return GLANE_OK;
}

static glane_rc fill(struct fetch *r, struct diag *d)
{
	struct transfer *t = &r->t;
	glane_rc rc = check_secrets(r, d);

	if (rc == GLANE_OK)
		rc = secrets_load(&t->secrets, r->p, d);
	/* After a redirect the URL is the server's text, where a placeholder would be a way to ask for secrets. */
	if (rc == GLANE_OK && r->hops)
		strbuf_puts(&t->url, r->hop_url);
	else if (rc == GLANE_OK)
		rc = secret_fill(&t->url, slice_of(r->hop_url), SECRET_PERCENT, &t->secrets, r->p, d);
	if (rc == GLANE_OK && r->body.n && !r->plain_get)
		rc = secret_fill(&t->body, r->body, body_secret(r), &t->secrets, r->p, d);
	if (rc == GLANE_OK)
		rc = add_headers(r, d);
	if (rc == GLANE_OK && (!strbuf_ok(&t->url) || !strbuf_ok(&t->body)))
		rc = fail(d, GLANE_E_NOMEM, "no memory for a request");
	return rc;
}

/* CURLE_OK is 0: what was refused shows at the end. */
#define SET(option, value) (failed |= (unsigned)curl_easy_setopt(easy, option, value))

static bool set_request(struct fetch *r, CURL *easy)
{
	struct transfer *t = &r->t;
	unsigned failed = CURLE_OK;

	SET(CURLOPT_URL, t->url.p);
	SET(CURLOPT_HTTPHEADER, t->header);
	SET(CURLOPT_USERAGENT, r->f->user_agent);
	if (strcmp(r->method, "POST") == 0 && !r->plain_get) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.n);
		SET(CURLOPT_POSTFIELDS, t->body.n ? t->body.p : "");
	} else {
		SET(CURLOPT_HTTPGET, 1L);
	}
	return failed == CURLE_OK;
}

static bool set_callbacks(struct fetch *r, CURL *easy)
{
	unsigned failed = CURLE_OK;

	SET(CURLOPT_PRIVATE, (void *)r);
	SET(CURLOPT_ERRORBUFFER, r->t.error);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, (void *)r);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, (void *)&r->t);
	SET(CURLOPT_OPENSOCKETFUNCTION, fetch_socket);
	SET(CURLOPT_OPENSOCKETDATA, (void *)r);
	SET(CURLOPT_PREREQFUNCTION, fetch_connected);
	SET(CURLOPT_PREREQDATA, (void *)r);
	SET(CURLOPT_DEBUGFUNCTION, on_debug);
	SET(CURLOPT_DEBUGDATA, (void *)&r->t);
	SET(CURLOPT_VERBOSE, 1L);
	return failed == CURLE_OK;
}

/* What libcurl would otherwise do by itself, or take from its surroundings. */
static bool set_limits(const struct fetch *r, CURL *easy)
{
	unsigned failed = CURLE_OK;

	/* Not HTTP/2: there a reset without an error in the middle of a body is a success to libcurl. */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_PROXY, fetch_uses_proxy(r) ? r->f->proxy : "");
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's 200 to CONNECT is no answer */
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	SET(CURLOPT_BUFFERSIZE, 128L << 10);
	return failed == CURLE_OK;
}

glane_rc transfer_start(struct fetch *r, struct diag *d)
{
	struct transfer *t = &r->t;
	glane_rc rc;

	*t = (struct transfer){.mark_ms = clock_mono_ms()};
	strbuf_init(&t->url, 0);
	strbuf_init(&t->body, 0);
	strbuf_init(&t->words, 0);
	answer_init(&t->answer);
	r->state = FETCH_ACTIVE;
	rc = fetch_uses_proxy(r) && r->f->proxy_fault.code
		     ? fail(d, r->f->proxy_fault.code, "%s", r->f->proxy_fault.text)
		     : fill(r, d);
	if (rc < 0)
		return rc;
	t->easy = curl_easy_init();
	if (!t->easy || !set_request(r, t->easy) || !set_callbacks(r, t->easy) || !set_limits(r, t->easy))
		return fail(d, GLANE_E_NOMEM, "libcurl took no request");
	rc = fetch_tls(r, t->easy, d);
	if (rc == GLANE_OK && curl_multi_add_handle(r->f->multi, t->easy) != CURLM_OK)
		rc = fail(d, GLANE_E_NOMEM, "libcurl took no transfer");
	return rc;
}

void transfer_stop(struct fetch *r)
{
	struct transfer *t = &r->t;

	if (r->state != FETCH_ACTIVE)
		return;
	if (t->easy) {
		(void)curl_multi_remove_handle(r->f->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	for (struct curl_slist *h = t->header; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(t->header);
	secret_wipe(&t->url);
	secret_wipe(&t->body);
	secrets_release(&t->secrets);
	strbuf_release(&t->words);
	answer_release(&t->answer);
	t->easy = NULL;
	t->header = NULL;
	r->state = FETCH_WAITING;
}
