/* SPDX-License-Identifier: MIT */
/* Content sniffing: what the first and last bytes of a complete body say about it, before any parser sees them. */
#ifndef NET_VERIFY_H
#define NET_VERIFY_H
#include "base/diag.h"
#include "base/slice.h"

/* Goes with a format, from the plugin's request to its answer and back out of a commit's list: "nothing" is an answer too. */
#define FORMAT_MAY_BE_EMPTY 0x80
/* Likewise: raw bytes, but no HTML page. */
#define FORMAT_NO_HTML 0x40

/* head: the first bytes (up to 4 KiB), tail: the last (up to 64); size: all. format: GLANE_FMT_*. An empty body, an HTML
 * page, JSON or XML where another was asked: GLANE_E_FORMAT with a message that quotes the title or first words. JSON must end in ] or } (or be a scalar),
 * XML in '>'. Archives (zip, 7z, gzip magic) pass for every format. RAW passes whatever is not empty, and with FORMAT_NO_HTML is no HTML page. */
glane_rc body_verify(
	struct slice head, struct slice tail, uint64_t size, uint8_t format, const char *content_type, struct diag *d);
/* Whether an answer of status 404 says that the query matched nothing (SDMX REST error 100), not that its address is wrong. */
bool body_says_nothing(struct slice words);
bool body_is_html(struct slice head);
bool body_is_archive(struct slice head);
/* Appends what an answer says of itself, for messages: an HTML page's title, a JSON "message", else the first words; at
 * most 200 characters, blanks collapsed, control bytes escaped. */
struct strbuf;
void body_words(struct strbuf *b, struct slice head);
#endif
