/* SPDX-License-Identifier: MIT */
/* The proxy: which, and for whom. */
#include "net/fetch_priv.h"

static bool is_reference(const char *proxy)
{
	return fetch_secret_env(proxy) || fetch_secret_file(proxy);
}

static bool is_scheme(const char *scheme)
{
	static const char *const known[] = {"http", "https", "socks5", "socks5h"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (curl_strequal(scheme, known[i]))
			return true;
	}
	return false;
}

static bool has_part(CURLU *h, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(h, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

/* The words never hold the URL: there may be a password in it. */
static glane_rc check(const char *proxy, bool may_name_user, struct diag *d)
{
	CURLU *h = curl_url();
	char *scheme = NULL;
	glane_rc rc = GLANE_OK;

	if (!h)
		return fail(d, GLANE_E_NOMEM, "no memory for a URL");
	if (curl_url_set(h, CURLUPART_URL, proxy, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
		curl_url_get(h, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK || !is_scheme(scheme))
		rc = fail(d, GLANE_E_CONFIG, "proxy: not a URL such as http://proxy.example.org:3128 or socks5h://...");
	else if (!may_name_user && (has_part(h, CURLUPART_USER) || has_part(h, CURLUPART_PASSWORD)))
		rc = fail(d, GLANE_E_CONFIG,
			"proxy: user:password in the clear; write the whole URL as env:NAME or file:PATH");
	curl_free(scheme);
	curl_url_cleanup(h);
	return rc;
}

glane_rc fetch_proxy_check(const char *proxy, struct diag *d)
{
	return is_reference(proxy) ? GLANE_OK : check(proxy, false, d);
}

void fetch_take_proxy(struct fetcher *f)
{
	const struct fetch_secret spec = {"proxy", f->o.proxy};
	struct secret_text text;

	if (!f->o.proxy || !*f->o.proxy)
		return;
	f->proxy = f->o.proxy;
	if (!is_reference(f->proxy)) {
		(void)check(f->proxy, false, &f->proxy_fault);
		return;
	}
	if (secret_load(&text, &spec, &f->proxy_fault) < 0)
		return;
	f->secret_proxy = arena_strndup(&f->arena, text.plain.p, text.plain.n);
	f->proxy = f->secret_proxy;
	if (f->proxy)
		(void)check(f->proxy, true, &f->proxy_fault);
	else
		(void)fail(&f->proxy_fault, GLANE_E_NOMEM, "no memory for the proxy");
	secret_wipe(&text.plain);
	secret_wipe(&text.encoded);
}

void fetch_drop_proxy(struct fetcher *f)
{
	if (f->secret_proxy)
		explicit_bzero(f->secret_proxy, strlen(f->secret_proxy));
	f->proxy = f->secret_proxy = NULL;
}

bool fetch_uses_proxy(const struct fetch *r)
{
	return r->f->proxy && !host_is_local(r->hop.host);
}
