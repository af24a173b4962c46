/* SPDX-License-Identifier: MIT */
/* The last word on where a connection may go: after name resolution, on the address itself. */
#include "net/fetch_priv.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool parse_address(const char *host, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		return true;
	}
	if (inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1) {
		ret->v6.sin6_family = AF_INET6;
		return true;
	}
	return false;
}

static bool is_localhost(const char *host)
{
	size_t n = strlen(host);

	return strcmp(host, "localhost") == 0 || (n > 10 && strcmp(host + n - 10, ".localhost") == 0);
}

static bool is_loopback(const union address *a)
{
	if (a->sa.sa_family == AF_INET)
		return (ntohl(a->v4.sin_addr.s_addr) >> 24) == 127;
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

bool host_is_local(const char *host)
{
	union address a;

	return is_localhost(host) || (parse_address(host, &a) && address_is_local(&a.sa));
}

bool host_is_loopback(const char *host)
{
	union address a;

	return is_localhost(host) || (parse_address(host, &a) && is_loopback(&a));
}

static bool same_address(const union address *a, const union address *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
}

static unsigned port_of(const union address *a)
{
	return ntohs(a->sa.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

/* Does the entry name this address and port, or localhost and this port? A name that merely resolves to a local
 * address is no permission: DNS is not ours. */
static bool entry_permits(struct arena *a, const char *entry, const struct url_parts *hop, const union address *to)
{
	struct url_parts e = {.host = entry, .port = 443};
	union address named;

	if (strstr(entry, "://") && url_parse(a, entry, &e, NULL) < 0)
		return false;
	if (e.port != port_of(to))
		return false;
	if (is_localhost(e.host))
		return strcmp(e.host, hop->host) == 0 && is_loopback(to);
	return parse_address(e.host, &named) && same_address(&named, to);
}

static bool is_permitted(const struct fetch *r, const union address *to)
{
	struct arena a;
	bool ok = false;

	/* Behind a proxy the address is the proxy's, which the user configured. */
	if (fetch_uses_proxy(r))
		return true;
	if (!origin_is_named(r->p, &r->hop))
		return false;
	arena_init(&a, 0);
	for (size_t i = 0; i < r->p->n_allowed && !ok; i++)
		ok = entry_permits(&a, r->p->allowed[i], &r->hop, to);
	arena_release(&a);
	return ok;
}

static bool check(struct fetch *r, const union address *to)
{
	const void *in = to->sa.sa_family == AF_INET ? (const void *)&to->v4.sin_addr : &to->v6.sin6_addr;

	if (!address_is_local(&to->sa) || is_permitted(r, to))
		return true;
	if (!inet_ntop(to->sa.sa_family, in, r->t.refused, sizeof(r->t.refused)))
		(void)snprintf(r->t.refused, sizeof(r->t.refused), "of family %d", to->sa.sa_family);
	return false;
}

/* Before a request is sent: the connection may be one that another source was permitted to make. */
int fetch_connected(void *clientp, char *ip, char *own_ip, int port, int own_port)
{
	union address to;

	(void)own_ip;
	(void)own_port;
	if (!ip || !parse_address(ip, &to) || port < 0)
		return CURL_PREREQFUNC_ABORT;
	if (to.sa.sa_family == AF_INET)
		to.v4.sin_port = htons((uint16_t)port);
	else
		to.v6.sin6_port = htons((uint16_t)port);
	return check(clientp, &to) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

curl_socket_t fetch_socket(void *clientp, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetch *r = clientp;
	union address to;

	(void)purpose;
	memset(&to, 0, sizeof(to));
	if (address->addrlen > sizeof(to))
		return CURL_SOCKET_BAD;
	memcpy(&to, &address->addr, address->addrlen);
	if (!check(r, &to))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}
