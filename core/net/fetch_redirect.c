/* SPDX-License-Identifier: MIT */
/* Redirects, followed by us (RFC 9110 15.4): to allowed hosts, never from https to http, secrets left behind. */
#include "net/fetch_priv.h"

bool status_is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool same_origin(const struct url_parts *a, const struct url_parts *b)
{
	return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port;
}

/* The target as it may be shown. */
static const char *shown(struct fetch *r, const char *url)
{
	const char *text = "?";
	struct strbuf b;

	strbuf_init(&b, 0);
	url_redact(&b, slice_of(url));
	secret_scrub(&r->t.secrets, &b);
	if (b.n && strbuf_ok(&b))
		text = arena_strndup(&r->arena, b.p, b.n);
	strbuf_release(&b);
	return text ? text : "?";
}

static glane_rc check_target(struct fetch *r, const char *url, const struct url_parts *to, struct diag *d)
{
	int status = r->t.answer.status;
	bool keeps_body = r->body.n && !r->plain_get && (status == 307 || status == 308);

	if (strcmp(r->hop.scheme, "https") == 0 && strcmp(to->scheme, "https") != 0)
		return fail(d, GLANE_E_DENIED, "security: redirect from https down to %s", shown(r, url));
	if (!fetch_origin_permitted(r->p, to))
		return fail(d, GLANE_E_DENIED,
			"security: redirect to %s, a host that is not allowed; if it is right, add it to hosts",
			shown(r, url));
	if (!same_origin(&r->hop, to) && secret_leaks(&r->t.secrets, slice_of(url)))
		return fail(d, GLANE_E_DENIED, "security: redirect to %s would carry a secret away", shown(r, url));
	if (!same_origin(&r->hop, to) && keeps_body && secret_wanted(r->body))
		return fail(d, GLANE_E_DENIED, "security: redirect to %s would carry a body with a secret away",
			shown(r, url));
	return GLANE_OK;
}

glane_rc fetch_redirect(struct fetch *r, struct diag *d)
{
	const struct answer *a = &r->t.answer;
	struct diag why = {0};
	struct url_parts to = {.scheme = "", .host = ""};
	const char *url = "";
	glane_rc rc;

	if (!*a->location)
		return fail(d, GLANE_E_FETCH, "HTTP %d without a Location", a->status);
	if (r->hops >= FETCH_REDIRECTS)
		return fail(d, GLANE_E_FETCH, "more than %d redirects", FETCH_REDIRECTS);
	rc = url_resolve(&r->arena, r->t.url.p, a->location, &url, &why);
	if (rc == GLANE_OK)
		rc = url_parse(&r->arena, url, &to, &why);
	if (rc == GLANE_E_DENIED)
		return fail(d, rc, "security: redirect to %s: only http and https are fetched, without user:password",
			shown(r, url));
	if (rc < 0)
		return fail(d, rc == GLANE_E_CONFIG ? GLANE_E_FETCH : rc, "redirect to %s: no good URL",
			shown(r, a->location));
	rc = check_target(r, url, &to, d);
	if (rc < 0)
		return rc;
	r->foreign = r->foreign || !same_origin(&r->hop, &to);
	r->plain_get = r->plain_get || (a->status != 307 && a->status != 308);
	r->hop_url = url;
	r->hop = to;
	r->hops++;
	return GLANE_OK;
}
