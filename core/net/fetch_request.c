/* SPDX-License-Identifier: MIT */
/* Requests as they are handed in: checked, copied, queued. */
#include "net/fetch_priv.h"

#include "base/clock.h"

/* Framing, connection, conditions and coding are the engine's own business. */
static const char *const own_headers[] = {
	"accept-encoding",
	"connection",
	"content-length",
	"content-type", /* of a request: content_type */
	"expect",
	"host",
	"if-match",
	"if-modified-since",
	"if-none-match",
	"if-range",
	"if-unmodified-since",
	"keep-alive",
	"proxy-authorization",
	"proxy-connection",
	"range",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
	"user-agent",
};

static bool is_token(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		/* RFC 9110 5.6.2 */
		if (*s <= ' ' || *s >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", *s))
			return false;
	}
	return true;
}

static bool is_value(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	}
	return true;
}

glane_rc fetch_header_check(const struct glane_kv *h, struct diag *d)
{
	if (!is_token(h->k) || !is_value((struct slice){h->v.p, h->v.n}))
		return fail(d, GLANE_E_USAGE, "header '%s' holds bytes that a header cannot hold, such as a line end",
			h->k);
	for (size_t i = 0; i < sizeof(own_headers) / sizeof(own_headers[0]); i++) {
		if (curl_strequal(h->k, own_headers[i]))
			return fail(d, GLANE_E_USAGE, "header '%s' is set by the host alone: leave it out", h->k);
	}
	return GLANE_OK;
}

static glane_rc check(const struct fetch_request *q, struct diag *d)
{
	const char *const lines[] = {q->content_type, q->etag, q->last_modified};
	glane_rc rc = GLANE_OK;

	if (strcmp(q->method, "GET") != 0 && strcmp(q->method, "POST") != 0)
		return fail(d, GLANE_E_USAGE, "method '%s': only GET and POST are fetched", q->method);
	if (q->body.n && strcmp(q->method, "POST") != 0)
		return fail(d, GLANE_E_USAGE, "a GET request with a body");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i] && !is_value(slice_of(lines[i])))
			return fail(d, GLANE_E_USAGE, "a content type or validator with a control byte");
	}
	for (size_t i = 0; rc == GLANE_OK && i < q->n_header; i++)
		rc = fetch_header_check(&q->header[i], d);
	return rc;
}

static const char *text_of(struct arena *a, const char *s, bool *ok)
{
	const char *copy = s && *s ? arena_strndup(a, s, strlen(s)) : NULL;

	*ok = *ok && (!s || !*s || copy);
	return copy;
}

static bool copy_headers(struct fetch *r, const struct fetch_request *q)
{
	bool ok = true;

	r->header = arena_alloc(&r->arena, (q->n_header + 1) * sizeof(*r->header));
	if (!r->header)
		return false;
	for (size_t i = 0; i < q->n_header; i++) {
		char *value = arena_strndup(&r->arena, q->header[i].v.p ? q->header[i].v.p : "", q->header[i].v.n);

		r->header[i].k = text_of(&r->arena, q->header[i].k, &ok);
		r->header[i].v = (glane_str){value, q->header[i].v.n};
		ok = ok && value;
	}
	r->n_header = q->n_header;
	return ok;
}

static bool copy_request(struct fetch *r, const struct fetch_request *q)
{
	struct strbuf shown;
	bool ok = true;

	r->method = text_of(&r->arena, q->method, &ok);
	r->url = r->hop_url = text_of(&r->arena, q->url, &ok);
	r->content_type = text_of(&r->arena, q->content_type, &ok);
	r->etag = text_of(&r->arena, q->etag, &ok);
	r->last_modified = text_of(&r->arena, q->last_modified, &ok);
	r->format = q->format;
	r->deadline_ms = q->deadline_ms;
	if (q->wait_seconds) {
		r->not_before = clock_mono_ms() + (int64_t)q->wait_seconds * 1000;
		r->waits = "waiting";
	}
	ok = ok && arena_dup(&r->arena, q->body, &r->body) && copy_headers(r, q);
	strbuf_init(&shown, 0);
	url_redact(&shown, slice_of(q->url));
	r->shown = text_of(&r->arena, shown.p, &ok);
	ok = ok && strbuf_ok(&shown);
	strbuf_release(&shown);
	return ok;
}

static glane_rc prepare(struct fetch *r, const struct fetch_request *q, struct diag *d)
{
	glane_rc rc = url_parse(&r->arena, q->url, &r->hop, d);

	if (rc < 0)
		return rc;
	if (!copy_request(r, q))
		return fail(d, GLANE_E_NOMEM, "no memory for a request");
	return fetch_permitted(r->p, q, d);
}

/* NOLINTNEXTLINE(readability-function-size): who asks, what, and whom to tell are three things, not one struct */
glane_rc fetch_start(struct fetcher *f, const struct fetch_policy *p, const struct fetch_request *q, fetch_done *done,
	void *arg, uint64_t *ret_id, struct diag *d)
{
	glane_rc rc = check(q, d);
	struct fetch *r;

	if (rc < 0)
		return rc;
	r = mem_zalloc(1, sizeof(*r));
	if (!r)
		return fail(d, GLANE_E_NOMEM, "no memory for a request");
	arena_init(&r->arena, 0);
	strbuf_init(&r->message, 0);
	r->f = f;
	r->p = p;
	r->done = done;
	r->arg = arg;
	r->b = FETCH_BODY_NONE;
	r->waits = "queued";
	r->result = (struct fetch_result){
		.fd = -1, .message = "", .url = "", .etag = "", .last_modified = "", .content_type = "", .date = ""};
	rc = prepare(r, q, d);
	if (rc < 0) {
		fetch_free(r);
		return rc;
	}
	fetch_queue(r);
	*ret_id = r->id;
	return GLANE_OK;
}
