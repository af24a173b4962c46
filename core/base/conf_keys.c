/* SPDX-License-Identifier: MIT */
/* Which keys there may be in a [source] section, and which of them are glane's own. */
#include "base/conf.h"

bool conf_is_key(struct slice s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 1; i < s.n; i++) {
		const char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '.' && c != '-')
			return false;
	}
	return true;
}

static const char *const keys[] = {"plugin", "provider", "enabled", "reason", "every", "base_url", "hosts", "deadline",
	"max_body", "memory", "retries", "rate", "auth", "headers", "ca_extra", "empty", "words", "licence",
	"attribution", "keep_payloads", "tags", "owner", "program", "arguments", "program_reads", "html"};

const char *conf_host_key(size_t i)
{
	return i < sizeof(keys) / sizeof(keys[0]) ? keys[i] : NULL;
}

bool conf_is_host_key(const char *key)
{
	const struct slice k = slice_of(key);

	if (slice_has_prefix(k, "gate."))
		return true;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (slice_is(k, keys[i]))
			return true;
	return false;
}
