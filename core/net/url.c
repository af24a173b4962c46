/* SPDX-License-Identifier: MIT */
/* URLs as libcurl reads them, so that what is checked is what is connected to; and which addresses are local. */
#include "net/url.h"
#include "net/curl.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define URL_BYTES 8000

/* A part of the URL as an arena string; NULL where it is absent or there is no memory. */
static const char *part(struct arena *a, CURLU *h, CURLUPart what, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(h, what, &text, flags) != CURLUE_OK)
		return NULL;
	copy = arena_strndup(a, text, strlen(text));
	curl_free(text);
	return copy;
}

static glane_rc check_bytes(const char *url, struct diag *d)
{
	size_t n = strlen(url);

	if (n > URL_BYTES)
		return fail(d, GLANE_E_LIMIT, "URL of %zu bytes, the limit is %d: %.100s...", n, URL_BYTES, url);
	for (size_t i = 0; i < n; i++) {
		if (url[i] <= ' ' || url[i] >= 0x7f)
			return fail(d, GLANE_E_CONFIG, "URL '%s': byte %zu must be percent-encoded", url, i + 1);
	}
	return GLANE_OK;
}

/* Host in lower case, without brackets and zone. */
static const char *host_of(struct arena *a, CURLU *h)
{
	const char *text = part(a, h, CURLUPART_HOST, 0);
	size_t n = text ? strlen(text) : 0;
	char *host;

	if (n > 2 && text[0] == '[') {
		text++;
		n -= 2;
	}
	host = n ? arena_strndup(a, text, n) : NULL;
	for (size_t i = 0; host && i < n; i++) {
		if (host[i] >= 'A' && host[i] <= 'Z')
			host[i] = (char)(host[i] + ('a' - 'A'));
	}
	return host;
}

/* A DNS name or an address: libcurl undoes percent-encoding in hosts, and may then map what is not ASCII to other names. */
static bool is_host(const char *s)
{
	for (; *s; s++) {
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') && !strchr("-._:", *s))
			return false;
	}
	return true;
}

static glane_rc parts_of(struct arena *a, CURLU *h, const char *url, struct url_parts *ret, struct diag *d)
{
	struct url_parts u = {.scheme = part(a, h, CURLUPART_SCHEME, 0), .host = host_of(a, h)};
	const char *path = part(a, h, CURLUPART_PATH, 0), *query = part(a, h, CURLUPART_QUERY, 0);
	const char *port = part(a, h, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	int64_t number = 0;

	if (!u.scheme || (strcmp(u.scheme, "http") != 0 && strcmp(u.scheme, "https") != 0))
		return fail(d, GLANE_E_DENIED, "URL '%s': only http and https are fetched", url);
	if (part(a, h, CURLUPART_ZONEID, 0))
		return fail(d, GLANE_E_DENIED, "URL '%s': an address with a zone is local", url);
	if (!port || !slice_int(slice_of(port), 1, 65535, &number))
		return fail(d, GLANE_E_CONFIG, "URL '%s': bad port", url);
	u.port = (unsigned)number;
	u.path_query = query ? arena_fmt(a, "%s?%s", path ? path : "/", query) : path;
	if (!u.host || !u.path_query)
		return fail(d, GLANE_E_CONFIG, "URL '%s': no host", url);
	if (!is_host(u.host))
		return fail(
			d, GLANE_E_CONFIG, "URL '%s': a host name holds letters, digits, '-', '.' and '_' only", url);
	*ret = u;
	return GLANE_OK;
}

glane_rc url_parse(struct arena *a, const char *url, struct url_parts *ret, struct diag *d)
{
	glane_rc rc = check_bytes(url, d);
	CURLUcode code;
	CURLU *h;

	if (rc)
		return rc;
	h = curl_url();
	if (!h)
		return fail(d, GLANE_E_NOMEM, "no memory for a URL");
	code = curl_url_set(h, CURLUPART_URL, url, CURLU_DISALLOW_USER | CURLU_PATH_AS_IS);
	if (code == CURLUE_USER_NOT_ALLOWED)
		rc = fail(d, GLANE_E_DENIED, "a URL with user:password is refused; use auth and a placeholder");
	else if (code == CURLUE_UNSUPPORTED_SCHEME)
		rc = fail(d, GLANE_E_DENIED, "URL '%s': only http and https are fetched", url);
	else if (code != CURLUE_OK)
		rc = fail(d, GLANE_E_CONFIG, "URL '%s': %s", url, curl_url_strerror(code));
	else
		rc = parts_of(a, h, url, ret, d);
	curl_url_cleanup(h);
	return rc;
}

glane_rc url_resolve(struct arena *a, const char *base, const char *location, const char **ret, struct diag *d)
{
	const unsigned lenient = CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE;
	size_t n = strlen(location);
	const char *text = NULL;
	CURLUcode code;
	CURLU *h;

	if (!n || n > URL_BYTES)
		return fail(d, GLANE_E_FETCH, "a Location of %zu bytes (1 to %d are accepted)", n, URL_BYTES);
	h = curl_url();
	if (!h)
		return fail(d, GLANE_E_NOMEM, "no memory for a URL");
	code = curl_url_set(h, CURLUPART_URL, base, CURLU_PATH_AS_IS);
	if (code == CURLUE_OK)
		code = curl_url_set(h, CURLUPART_URL, location, lenient);
	if (code == CURLUE_OK)
		code = curl_url_set(h, CURLUPART_FRAGMENT, NULL, 0);
	if (code == CURLUE_OK)
		text = part(a, h, CURLUPART_URL, 0);
	curl_url_cleanup(h);
	if (!text)
		return fail(
			d, GLANE_E_FETCH, "Location '%s': %s", location, code ? curl_url_strerror(code) : "no memory");
	*ret = text;
	return GLANE_OK;
}

static bool entry_matches(struct arena *a, const struct url_parts *u, const char *entry)
{
	size_t n_host = strlen(u->host), n_entry = strlen(entry);
	struct url_parts e = {.scheme = "", .host = ""};

	if (strstr(entry, "://"))
		return url_parse(a, entry, &e, NULL) == GLANE_OK && strcmp(e.scheme, u->scheme) == 0 &&
		       strcmp(e.host, u->host) == 0 && e.port == u->port;
	if (strcmp(u->scheme, "https") != 0 || u->port != 443)
		return false;
	if (strncmp(entry, "*.", 2) == 0)
		return n_entry > 2 && n_host >= n_entry && curl_strequal(u->host + n_host - (n_entry - 1), entry + 1);
	return curl_strequal(u->host, entry);
}

bool url_allowed(const struct url_parts *u, const char *const *allowed, size_t n)
{
	struct arena a;
	bool ok = false;

	arena_init(&a, 0);
	for (size_t i = 0; i < n && !ok; i++)
		ok = entry_matches(&a, u, allowed[i]);
	arena_release(&a);
	return ok;
}

struct net4 {
	uint32_t net;
	unsigned bits;
};

/* IANA special-purpose registry (RFC 6890 and successors): not globally reachable. */
static const struct net4 local4[] = {
	{0x00000000, 8},
	{0x0a000000, 8},
	{0x64400000, 10},
	{0x7f000000, 8},
	{0xa9fe0000, 16},
	{0xac100000, 12},
	{0xc0000000, 24},
	{0xc0a80000, 16},
	{0xc6120000, 15},
	{0xe0000000, 4},
	{0xf0000000, 4},
};

static bool local_v4(uint32_t addr)
{
	for (size_t i = 0; i < sizeof(local4) / sizeof(local4[0]); i++) {
		if ((addr ^ local4[i].net) >> (32 - local4[i].bits) == 0)
			return true;
	}
	return false;
}

static uint32_t v4_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool local_v6(const uint8_t *p)
{
	static const uint8_t zero[12], mapped[12] = {[10] = 0xff, [11] = 0xff}, nat64[12] = {0, 0x64, 0xff, 0x9b};

	/* Unspecified, loopback and the obsolete compatible form are all in ::/96. */
	if (memcmp(p, zero, 12) == 0)
		return v4_at(p + 12) <= 1 || local_v4(v4_at(p + 12));
	if (memcmp(p, mapped, 12) == 0 || memcmp(p, nat64, 12) == 0)
		return local_v4(v4_at(p + 12));
	if (p[0] == 0x20 && p[1] == 0x02) /* 6to4 */
		return local_v4(v4_at(p + 2));
	if (memcmp(p, "\x00\x64\xff\x9b\x00\x01", 6) == 0) /* local-use NAT64 */
		return true;
	/* fc00::/7 unique local, fe80::/10 link-local, fec0::/10 site-local, ff00::/8 multicast */
	return (p[0] & 0xfe) == 0xfc || (p[0] == 0xfe && p[1] >= 0x80) || p[0] == 0xff;
}

bool address_is_local(const struct sockaddr *sa)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&v4, sa, sizeof(v4));
		return local_v4(ntohl(v4.sin_addr.s_addr));
	case AF_INET6:
		memcpy(&v6, sa, sizeof(v6));
		return local_v6(v6.sin6_addr.s6_addr);
	default:
		return true;
	}
}
