/* SPDX-License-Identifier: MIT */
/* Where a request may go, and with what: what the configuration names, and what only a plugin says of itself. */
#include "net/fetch_priv.h"

bool origin_is_named(const struct fetch_policy *p, const struct url_parts *u)
{
	return url_allowed(u, p->allowed, p->n_allowed);
}

/* A plugin's word reaches as far as anybody on the internet could: encrypted, to no address of this machine or its network. */
bool fetch_origin_permitted(const struct fetch_policy *p, const struct url_parts *u)
{
	return origin_is_named(p, u) || (strcmp(u->scheme, "https") == 0 && !host_is_local(u->host) &&
						url_allowed(u, p->declared, p->n_declared));
}

static bool wants_secret(const struct fetch_request *q)
{
	bool wanted = secret_wanted(slice_of(q->url)) || secret_wanted(q->body);

	for (size_t i = 0; i < q->n_header; i++)
		wanted = wanted || secret_wanted((struct slice){q->header[i].v.p, q->header[i].v.n});
	return wanted;
}

static glane_rc judge(
	const struct fetch_policy *p, const struct fetch_request *q, const struct url_parts *u, struct diag *d)
{
	const bool is_permitted = fetch_origin_permitted(p, u);
	glane_rc rc = GLANE_E_DENIED;
	struct strbuf shown;

	if (origin_is_named(p, u) || (is_permitted && !wants_secret(q)))
		return GLANE_OK;
	strbuf_init(&shown, 0);
	url_redact(&shown, slice_of(q->url));
	if (!strbuf_ok(&shown))
		rc = fail(d, GLANE_E_NOMEM, "no memory for a request");
	else if (is_permitted)
		(void)fail(d, rc,
			"security: %s %s: a secret is sent only to what the configuration names, and the plugin alone "
			"names this host; if it is right, write `hosts = https://%s%s%s:%u` or its base_url into the "
			"section",
			q->method, shown.p, strchr(u->host, ':') ? "[" : "", u->host, strchr(u->host, ':') ? "]" : "",
			u->port);
	else
		(void)fail(d, rc,
			"security: %s %s: %s://%s:%u is not among the allowed hosts%s; if it is right, add it to hosts",
			q->method, shown.p, u->scheme, u->host, u->port,
			url_allowed(u, p->declared, p->n_declared)
				? " (that its plugin names it permits neither http nor a local address)"
				: "");
	strbuf_release(&shown);
	return rc;
}

glane_rc fetch_permitted(const struct fetch_policy *p, const struct fetch_request *q, struct diag *d)
{
	struct url_parts u;
	struct arena a;
	glane_rc rc;

	arena_init(&a, 0);
	rc = url_parse(&a, q->url, &u, d);
	if (rc == GLANE_OK)
		rc = judge(p, q, &u, d);
	arena_release(&a);
	return rc;
}

bool fetch_is_open(const struct fetch_policy *p, const struct fetch_request *q)
{
	struct url_parts u;
	struct arena a;
	bool is_open;

	arena_init(&a, 0);
	is_open = !wants_secret(q) && url_parse(&a, q->url, &u, NULL) == GLANE_OK && origin_is_named(p, &u);
	arena_release(&a);
	return is_open;
}
