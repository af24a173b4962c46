/* SPDX-License-Identifier: MIT */
/* URLs and templates, a line each: a base URL, a reference, a template, an allowed entry, a query key and a value. */
#include "fuzz.h"
#include "net/url.h"
#include <ctype.h>

struct lines {
	const char *base, *reference, *template_, *allowed, *key;
	struct slice value;
};

static bool parse(struct arena *a, const char *url, struct url_parts *ret)
{
	struct diag d;
	glane_rc rc;

	diag_clear(&d);
	rc = url_parse(a, url, ret, &d);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d.code && d.text[0]));
	return rc == GLANE_OK;
}

/* What was parsed, put together again, is the same URL. */
static void check_parts(struct arena *a, const char *url)
{
	struct url_parts u, v;
	const char *again;

	if (!parse(a, url, &u))
		return;
	FUZZ_CHECK(strcmp(u.scheme, "http") == 0 || strcmp(u.scheme, "https") == 0);
	FUZZ_CHECK(u.port > 0 && u.port < 65536 && *u.host && *u.path_query == '/');
	for (const char *p = u.host; *p; p++)
		FUZZ_SAY(!isupper((unsigned char)*p) && !strchr("/?#@[]", *p), "%s", u.host);
	again = arena_fmt(
		a, strchr(u.host, ':') ? "%s://[%s]:%u%s" : "%s://%s:%u%s", u.scheme, u.host, u.port, u.path_query);
	FUZZ_CHECK(again);
	if (strlen(again) > 8000)
		return;
	FUZZ_SAY(parse(a, again, &v), "%s -> %s", url, again);
	FUZZ_SAY(strcmp(u.scheme, v.scheme) == 0 && strcmp(u.host, v.host) == 0 && u.port == v.port &&
			 strcmp(u.path_query, v.path_query) == 0,
		"%s -> %s", url, again);
	FUZZ_CHECK(url_allowed(&u, &again, 1));
}

static void check_resolve(struct arena *a, const struct lines *l)
{
	const char *once, *twice;
	struct url_parts u;
	struct diag d;

	diag_clear(&d);
	if (url_resolve(a, l->base, l->reference, &once, &d) != GLANE_OK) {
		FUZZ_CHECK(d.text[0]);
		return;
	}
	FUZZ_SAY(!strchr(once, '#'), "%s", once);
	if (!parse(a, once, &u))
		return;
	FUZZ_SAY(url_resolve(a, l->base, once, &twice, &d) == GLANE_OK, "%s: %s", once, d.text);
	FUZZ_SAY(strcmp(once, twice) == 0, "%s -> %s", once, twice);
}

static void check_allowed(struct arena *a, const struct lines *l)
{
	struct url_parts u;

	if (!parse(a, l->base, &u) || !url_allowed(&u, &l->allowed, 1))
		return;
	if (strstr(l->allowed, "://"))
		return;
	FUZZ_CHECK(strcmp(u.scheme, "https") == 0 && u.port == 443);
	if (strncmp(l->allowed, "*.", 2) != 0)
		FUZZ_SAY(strcasecmp(u.host, l->allowed) == 0, "%s by %s", u.host, l->allowed);
	else
		FUZZ_SAY(strlen(u.host) >= strlen(l->allowed) &&
				 strcasecmp(u.host + strlen(u.host) - strlen(l->allowed) + 1, l->allowed + 1) == 0,
			"%s by %s", u.host, l->allowed);
}

static void check_query(const struct lines *l)
{
	const struct glane_kv kv[] = {{l->key, {l->value.p, l->value.n}}, {"none", {NULL, 0}}};
	struct strbuf once, twice, shown;

	strbuf_init(&once, 0);
	strbuf_init(&twice, 0);
	strbuf_init(&shown, 0);
	url_set_query(&once, slice_of(l->base), l->key, l->value);
	url_set_query(&twice, strbuf_get(&once), l->key, l->value);
	FUZZ_SAY(slice_eq(strbuf_get(&once), strbuf_get(&twice)), "%s -> %s -> %s", l->base, once.p, twice.p);
	strbuf_reset(&twice);
	strbuf_puts(&twice, "https://example.org/x");
	url_add_query(&twice, kv, 2);
	FUZZ_CHECK(memchr(twice.p, '\n', twice.n) == NULL && memchr(twice.p, ' ', twice.n) == NULL);
	url_redact(&shown, slice_of(l->base));
	strbuf_reset(&twice);
	url_redact(&twice, strbuf_get(&shown));
	FUZZ_SAY(slice_eq(strbuf_get(&shown), strbuf_get(&twice)), "%s -> %s -> %s", l->base, shown.p, twice.p);
	strbuf_release(&once);
	strbuf_release(&twice);
	strbuf_release(&shown);
}

static void check_template(const struct lines *l)
{
	const struct glane_kv kv[] = {{"base_url", {"https://example.org", 19}}, {l->key, {l->value.p, l->value.n}},
		{"id", {l->value.p, l->value.n}}};
	struct strbuf b, again;
	struct diag d;

	diag_clear(&d);
	strbuf_init(&b, 1 << 16);
	strbuf_init(&again, 1 << 16);
	if (url_expand(&b, l->template_, kv, 3, &d) == GLANE_OK) {
		for (size_t i = 0; i < b.n && !strchr(l->template_, '{'); i++)
			FUZZ_CHECK(b.p[i] == l->template_[i]);
	} else {
		FUZZ_CHECK(d.text[0]);
	}
	/* A value cannot break out of its place. */
	FUZZ_CHECK(url_expand(&again, "https://example.org/{id}/x?y={id}", kv, 3, &d) == GLANE_OK);
	if (l->value.p && strcmp(l->key, "id") != 0) {
		size_t slashes = 0, questions = 0;

		for (size_t i = 0; i < again.n; i++) {
			slashes += again.p[i] == '/';
			questions += again.p[i] == '?';
			FUZZ_CHECK(!strchr("#&=\n \"<>", again.p[i]) || (again.p[i] == '=' && questions == 1));
		}
		FUZZ_SAY(slashes == 4 && questions == 1, "%s", again.p);
	}
	strbuf_release(&b);
	strbuf_release(&again);
}

FUZZ_TARGET(url)
{
	struct arena a;
	struct lines l;

	arena_init(&a, 0);
	l.base = fuzz_cstr(&a, fuzz_line(&in));
	l.reference = fuzz_cstr(&a, fuzz_line(&in));
	l.template_ = fuzz_cstr(&a, fuzz_line(&in));
	l.allowed = fuzz_cstr(&a, fuzz_line(&in));
	l.key = fuzz_cstr(&a, fuzz_line(&in));
	l.value = fuzz_line(&in);
	check_parts(&a, l.base);
	check_resolve(&a, &l);
	check_allowed(&a, &l);
	check_query(&l);
	check_template(&l);
	arena_release(&a);
}
