/* SPDX-License-Identifier: MIT */
/* Requests between processes: their fields on the wire, and the key under which an answer is kept. */
#include "proc/broker.h"

#include "base/sha256.h"
#include "net/fetch_secret.h"

#define MAX_HEADERS 64

void wire_pairs(struct wire *w, const struct glane_kv *kv, size_t n)
{
	wire_u32(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		wire_cstr(w, kv[i].k);
		wire_text(w, (struct slice){kv[i].v.p, kv[i].v.n});
	}
}

bool frame_pairs(struct frame *f, struct arena *a, size_t max, const struct glane_kv **ret, size_t *ret_n)
{
	const uint32_t n = frame_u32(f);
	struct glane_kv *kv = n <= max ? arena_alloc(a, (n + 1) * sizeof(*kv)) : NULL;

	for (uint32_t i = 0; kv && i < n && !f->bad; i++) {
		struct slice v;

		kv[i].k = frame_cstr(f, a);
		if (!kv[i].k || !arena_dup(a, frame_text(f), &v))
			return false;
		kv[i].v = (glane_str){v.p, v.n};
	}
	*ret = kv;
	*ret_n = n;
	return kv && !f->bad;
}

void wire_request(struct wire *w, const struct request *r)
{
	wire_cstr(w, r->method);
	wire_cstr(w, r->url);
	wire_pairs(w, r->header, r->n_header);
	wire_text(w, r->body);
	wire_cstr(w, r->content_type);
	wire_u8(w, r->format);
	wire_u32(w, r->again);
	wire_u32(w, r->wait);
}

glane_rc frame_request(struct frame *f, struct arena *a, struct request *ret, struct diag *d)
{
	struct request r = {0};

	r.method = frame_cstr(f, a);
	r.url = frame_cstr(f, a);
	if (!frame_pairs(f, a, MAX_HEADERS, &r.header, &r.n_header) || !r.method || !r.url)
		return fail(d, GLANE_E_FORMAT, "a request between processes does not read");
	if (!arena_dup(a, frame_text(f), &r.body))
		return fail(d, GLANE_E_NOMEM, "no memory for a request");
	r.content_type = frame_cstr(f, a);
	r.format = frame_u8(f);
	r.again = frame_u32(f);
	r.wait = frame_u32(f);
	if (f->bad)
		return fail(d, GLANE_E_FORMAT, "a request between processes does not read");
	*ret = r;
	return GLANE_OK;
}

static bool copy_text(struct arena *a, const char *text, const char **ret)
{
	*ret = text ? arena_strndup(a, text, strlen(text)) : NULL;
	return *ret || !text;
}

bool request_copy(const struct request *r, struct arena *a, struct request *ret)
{
	struct glane_kv *kv = arena_alloc(a, (r->n_header + 1) * sizeof(*kv));

	*ret = *r;
	if (!kv || !copy_text(a, r->method, &ret->method) || !copy_text(a, r->url, &ret->url) ||
		!copy_text(a, r->content_type, &ret->content_type) || !arena_dup(a, r->body, &ret->body))
		return false;
	for (size_t i = 0; i < r->n_header; i++) {
		struct slice v;

		if (!copy_text(a, r->header[i].k, &kv[i].k) ||
			!arena_dup(a, (struct slice){r->header[i].v.p, r->header[i].v.n}, &v))
			return false;
		kv[i].v = (glane_str){v.p, v.n};
	}
	ret->header = kv;
	return true;
}

uint64_t request_size(const struct request *r)
{
	uint64_t n = 5 * sizeof(uint32_t) + 1 + 2 * sizeof(uint32_t) + strlen(r->method) + strlen(r->url) + r->body.n;

	for (size_t i = 0; i < r->n_header; i++)
		n += 2 * sizeof(uint32_t) + strlen(r->header[i].k) + r->header[i].v.n;
	return n + (r->content_type ? strlen(r->content_type) : 0);
}

void request_body_hash(const struct request *r, char hex[65])
{
	hex[0] = 0;
	if (r->body.n)
		sha256_of(r->body, hex);
}

/* Host and port stay: no placeholder has a place there. */
static size_t authority_end(const char *url)
{
	const char *at = strstr(url, "://");

	at = at ? at + 3 : url;
	return (size_t)(at - url) + strcspn(at, "/?#");
}

/* The text, or a copy of it where something was hidden. */
static bool hide(struct slice *text, size_t from, const struct secrets *s, struct arena *a)
{
	struct strbuf b;
	bool ok = true;

	strbuf_init(&b, 0);
	strbuf_add(&b, text->p, from);
	if (secret_hide(&b, (struct slice){text->p + from, text->n - from}, s))
		ok = strbuf_ok(&b) && arena_dup(a, strbuf_get(&b), text);
	secret_wipe(&b);
	return ok;
}

static bool hide_all(struct request *r, const struct secrets *s, struct arena *a)
{
	struct slice url = slice_of(r->url);
	struct glane_kv *kv = arena_alloc(a, (r->n_header + 1) * sizeof(*kv));

	if (!kv || !hide(&url, authority_end(r->url), s, a) || (r->body.n && !hide(&r->body, 0, s, a)))
		return false;
	r->url = url.p;
	for (size_t i = 0; i < r->n_header; i++) {
		struct slice v = {r->header[i].v.p, r->header[i].v.n};

		if (v.n && !hide(&v, 0, s, a))
			return false;
		kv[i] = (struct glane_kv){r->header[i].k, {v.p, v.n}};
	}
	r->header = kv;
	return true;
}

glane_rc request_hide(struct request *r, const struct fetch_policy *p, struct arena *a, struct diag *d)
{
	struct secrets secrets;
	glane_rc rc = GLANE_OK;

	if (p->n_secrets == 0)
		return GLANE_OK;
	rc = secrets_load(&secrets, p, d);
	if (rc == GLANE_OK && !hide_all(r, &secrets, a))
		rc = fail(d, GLANE_E_NOMEM, "no memory for a request");
	secrets_release(&secrets);
	return rc;
}

bool request_key(const struct request *r, char hex[65])
{
	struct strbuf b;
	bool ok;

	strbuf_init(&b, 0);
	strbuf_add(&b, r->method, strlen(r->method) + 1);
	strbuf_add(&b, r->url, strlen(r->url) + 1);
	for (size_t i = 0; i < r->n_header; i++) {
		strbuf_add(&b, r->header[i].k, strlen(r->header[i].k) + 1);
		strbuf_add(&b, r->header[i].v.p, r->header[i].v.n);
		strbuf_putc(&b, '\0');
	}
	strbuf_putc(&b, '\n');
	strbuf_add(&b, r->body.p, r->body.n);
	if (r->again) {
		strbuf_putc(&b, '\0');
		strbuf_add(&b, &r->again, sizeof(r->again));
	}
	ok = strbuf_ok(&b) && sha256_of(strbuf_get(&b), hex);
	strbuf_release(&b);
	return ok;
}
