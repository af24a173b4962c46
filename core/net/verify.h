/* SPDX-License-Identifier: MIT */
/* Content sniffing: what the first and last bytes of a complete body say about it, before any parser sees them. */
#ifndef NET_VERIFY_H
#define NET_VERIFY_H
#include "base/diag.h"
#include "base/slice.h"

/* head: the first bytes (up to 4 KiB), tail: the last (up to 64); size: all. format: GLANE_FMT_*. An empty body, an HTML
 * page, JSON or XML where another was asked: GLANE_E_FORMAT with a message that quotes the title or first words. JSON must end in ] or } (or be a scalar),
 * XML in '>'. Archives (zip, 7z, gzip magic) pass for every format. RAW passes whatever is not empty. */
glane_rc body_verify(
	struct slice head, struct slice tail, uint64_t size, uint8_t format, const char *content_type, struct diag *d);
bool body_is_html(struct slice head);
/* Appends what an answer says of itself, for messages: an HTML page's title, a JSON "message", else the first words; at
 * most 200 characters, blanks collapsed, control bytes escaped. */
struct strbuf;
void body_words(struct strbuf *b, struct slice head);
#endif
