/* SPDX-License-Identifier: MIT */
/* A jansson document as text in a strbuf. */
#include "base/json.h"
#include "base/strbuf.h"

static int add(const char *text, size_t n, void *arg)
{
	struct strbuf *b = arg;

	strbuf_add(b, text, n);
	return strbuf_ok(b) ? 0 : -1;
}

bool json_print(struct strbuf *b, const json_t *j, bool compact)
{
	return json_dump_callback(
		       j, add, b, JSON_SORT_KEYS | JSON_ENCODE_ANY | (compact ? JSON_COMPACT : JSON_INDENT(2))) == 0;
}
