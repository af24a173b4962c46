/* SPDX-License-Identifier: MIT */
/* Text under construction, with a maximum size. Appending never fails at once: ask strbuf_ok() at the end. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H
#include "base/slice.h"
#include "glane/plugin.h"
#include <stdarg.h>

struct strbuf {
	char *p; /* NUL-terminated once something was added; NULL before */
	size_t n, cap, max;
	bool failed;  /* no memory, or over max */
	bool starved; /* no memory */
};
#define STRBUF_MAX ((size_t)64 << 20)

void strbuf_init(struct strbuf *b, size_t max); /* max 0: STRBUF_MAX */
void strbuf_release(struct strbuf *b);
void strbuf_reset(struct strbuf *b); /* empty, keeps the memory and max, forgets the failure */
void strbuf_add(struct strbuf *b, const void *p, size_t n);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_some(struct strbuf *b, struct slice s); /* as much of s as `max` leaves room for */
void strbuf_putc(struct strbuf *b, char c);
void strbuf_slice(struct strbuf *b, struct slice s);
void strbuf_fmt(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vfmt(struct strbuf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void strbuf_int(struct strbuf *b, int64_t v);
/* Room for n more bytes, to be filled by the caller who then adds to b->n (the NUL is the caller's too, or
 * comes with the next addition); NULL on failure. */
char *strbuf_room(struct strbuf *b, size_t n);
/* Appends s with control bytes (C0, DEL, C1, malformed UTF-8) as \xNN, for logs, terminals and messages. */
void strbuf_visible(struct strbuf *b, struct slice s);
/* Appends s percent-encoded: unreserved characters (RFC 3986 2.3) and those of `also` stay. */
void strbuf_percent(struct strbuf *b, struct slice s, const char *also);
bool strbuf_ok(const struct strbuf *b);
glane_rc strbuf_rc(const struct strbuf *b);      /* GLANE_OK, GLANE_E_NOMEM, or GLANE_E_LIMIT over max */
struct slice strbuf_get(const struct strbuf *b); /* never absent: "" before anything was added */
#endif
