/* SPDX-License-Identifier: MIT */
/* A jansson document as text in a strbuf. */
#include "base/json.h"
#include "base/strbuf.h"

/* Bytes of a DEL or C1 control character at p: jansson leaves them as they are, and a terminal would obey them. */
static size_t control(const unsigned char *p, size_t left)
{
	if (p[0] == 0x7f)
		return 1;
	return left > 1 && p[0] == 0xc2 && p[1] < 0xa0 ? 2 : 0;
}

/* Such characters stand in strings only, and jansson never cuts one. */
static int add(const char *text, size_t n, void *arg)
{
	const unsigned char *p = (const unsigned char *)text;
	struct strbuf *b = arg;
	size_t from = 0, bytes;

	for (size_t i = 0; i < n; i++) {
		bytes = control(p + i, n - i);
		if (!bytes)
			continue;
		strbuf_add(b, text + from, i - from);
		strbuf_fmt(b, "\\u%04x", p[i + bytes - 1]);
		i += bytes - 1;
		from = i + 1;
	}
	strbuf_add(b, text + from, n - from);
	return strbuf_ok(b) ? 0 : -1;
}

bool json_print(struct strbuf *b, const json_t *j, bool compact)
{
	return json_dump_callback(
		       j, add, b, JSON_SORT_KEYS | JSON_ENCODE_ANY | (compact ? JSON_COMPACT : JSON_INDENT(2))) == 0;
}
