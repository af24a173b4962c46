/* SPDX-License-Identifier: MIT */
/* URL text: templates, query parameters and redaction; nothing here parses or connects. */
#include "net/url.h"

/* Sub-delimiters that keep their meaning as data (RFC 3986 3.3, 3.4); '+' means a blank in a query, but not in a path. */
#define PATH_ALSO ";,:@+$"
#define QUERY_ALSO ";,:@$"

static const struct glane_kv *kv_find(const struct glane_kv *kv, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_is(name, kv[i].k))
			return kv[i].v.p ? &kv[i] : NULL;
	}
	return NULL;
}

static struct slice slice_from(glane_str s)
{
	return (struct slice){s.p, s.n};
}

/* The text of s up to the first byte of `stop`. */
static struct slice upto(struct slice s, const char *stop)
{
	size_t i = 0;

	while (i < s.n && !strchr(stop, s.p[i]))
		i++;
	return (struct slice){s.p, i};
}

static struct slice after(struct slice s, size_t n)
{
	return (struct slice){s.p + n, s.n - n};
}

/* Length of a "{auth:NAME}" at the start of s, 0: none. NAME is letters, digits, '.', '_', '-': it cannot hold a separator. */
static size_t placeholder(struct slice s)
{
	const size_t open = strlen("{auth:");
	size_t n = open;

	if (!slice_has_prefix(s, "{auth:"))
		return 0;
	while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z') ||
				  (s.p[n] >= '0' && s.p[n] <= '9') || (s.p[n] && strchr("._-", s.p[n]))))
		n++;
	return n > open && n < s.n && s.p[n] == '}' ? n + 1 : 0;
}

static void percent_keeping_auth(struct strbuf *b, struct slice s, const char *also)
{
	while (s.n) {
		size_t n = placeholder(s);

		if (n) {
			strbuf_add(b, s.p, n);
		} else {
			n = 1;
			while (n < s.n && s.p[n] != '{')
				n++;
			strbuf_percent(b, (struct slice){s.p, n}, also);
		}
		s = after(s, n);
	}
}

glane_rc url_expand(struct strbuf *b, const char *template_, const struct glane_kv *kv, size_t n_kv, struct diag *d)
{
	struct slice s = slice_of(template_);
	bool query = false;

	while (s.n) {
		struct slice text = upto(s, "{"), name;
		const struct glane_kv *found;

		strbuf_slice(b, text);
		query = query || (text.n && memchr(text.p, '?', text.n));
		s = after(s, text.n);
		if (!s.n)
			break;
		name = upto(after(s, 1), "}");
		if (name.n + 1 >= s.n)
			return fail(d, GLANE_E_CONFIG, "URL '%s': '{' without '}'", template_);
		found = kv_find(kv, n_kv, name);
		if (placeholder(s))
			strbuf_add(b, s.p, name.n + 2);
		else if (!found)
			return fail(d, GLANE_E_CONFIG, "URL '%s': nothing is known for '{%.*s}'", template_,
				SLICE_FMT(name));
		else if (slice_is(name, "base_url"))
			strbuf_slice(b, slice_from(found->v));
		else
			strbuf_percent(b, slice_from(found->v), query ? QUERY_ALSO : PATH_ALSO);
		query = query || (slice_is(name, "base_url") && memchr(found->v.p, '?', found->v.n));
		s = after(s, name.n + 2);
	}
	if (!strbuf_ok(b))
		return fail(d, strbuf_rc(b), "URL '%.200s...' %s once filled in", template_,
			b->starved ? "finds no memory" : "is too long");
	return GLANE_OK;
}

static void add_pair(struct strbuf *b, bool *query, const char *key, struct slice value)
{
	/* A further '?' is data of the query (RFC 3986 3.4). */
	const char *last = b->n ? b->p + b->n - 1 : NULL, *mark = b->n ? memchr(b->p, '?', b->n) : NULL;

	if (!*query)
		strbuf_putc(b, '?');
	else if (last && last != mark && *last != '&')
		strbuf_putc(b, '&');
	*query = true;
	strbuf_percent(b, slice_of(key), QUERY_ALSO);
	strbuf_putc(b, '=');
	percent_keeping_auth(b, value, QUERY_ALSO);
}

void url_add_query(struct strbuf *b, const struct glane_kv *kv, size_t n)
{
	bool query = b->n && memchr(b->p, '?', b->n);

	for (size_t i = 0; i < n; i++) {
		if (kv[i].v.p)
			add_pair(b, &query, kv[i].k, slice_from(kv[i].v));
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes the next character off *s, its percent-encoding undone. */
static char next_decoded(struct slice *s)
{
	int high = s->n > 2 ? hex_digit(s->p[1]) : -1, low = s->n > 2 ? hex_digit(s->p[2]) : -1;
	char c = *s->p;

	if (c != '%' || high < 0 || low < 0) {
		*s = after(*s, 1);
		return c;
	}
	*s = after(*s, 3);
	return (char)(high * 16 + low);
}

/* Is `have`, as it stands in a URL, the parameter `key`, however it is encoded there? A '+' may stand for a blank. */
static bool same_key(struct slice have, const char *key)
{
	if (slice_is(have, key))
		return true;
	for (; have.n && *key; key++) {
		const bool plus = *have.p == '+';
		const char c = next_decoded(&have);

		if (c != *key && !(plus && *key == ' '))
			return false;
	}
	return !have.n && !*key;
}

void url_set_query(struct strbuf *b, struct slice url, const char *key, struct slice value)
{
	struct slice whole = upto(url, "#"), base = upto(whole, "?"), rest;
	bool query = false, done = false;

	strbuf_slice(b, base);
	rest = base.n < whole.n ? after(whole, base.n + 1) : (struct slice){NULL, 0};
	while (rest.n) {
		struct slice pair = slice_cut(&rest, '&');

		if (!pair.n)
			continue;
		if (!same_key(upto(pair, "="), key)) {
			strbuf_putc(b, query ? '&' : '?');
			strbuf_slice(b, pair);
			query = true;
		} else if (!done) {
			add_pair(b, &query, key, value);
			done = true;
		}
	}
	if (!done)
		add_pair(b, &query, key, value);
}

static void add_without_auth(struct strbuf *b, struct slice s)
{
	while (s.n) {
		size_t n = placeholder(s);

		if (n) {
			strbuf_puts(b, "***");
		} else {
			n = 1;
			while (n < s.n && s.p[n] != '{')
				n++;
			strbuf_add(b, s.p, n);
		}
		s = after(s, n);
	}
}

/* The part before the query; "user:password@" goes too. */
static void redact_base(struct strbuf *b, struct slice s)
{
	const char *colon = s.n > 3 ? memmem(s.p, s.n, "://", 3) : NULL;
	size_t start = colon ? (size_t)(colon - s.p) + 3 : 0;
	struct slice authority = upto(after(s, start), "/");
	const char *at = colon && authority.n ? memrchr(authority.p, '@', authority.n) : NULL;

	if (at) {
		strbuf_add(b, s.p, start);
		strbuf_puts(b, "***");
		s = after(s, (size_t)(at - s.p));
	}
	add_without_auth(b, s);
}

void url_redact(struct strbuf *b, struct slice url)
{
	const struct slice base = upto(url, "?");

	redact_base(b, base);
	add_without_auth(b, after(url, base.n));
}
