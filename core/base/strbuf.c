/* SPDX-License-Identifier: MIT */
/* Text under construction, with a maximum size. */
#include "base/strbuf.h"
#include "base/mem.h"
#include <stdarg.h>
#include <stdio.h>

void strbuf_init(struct strbuf *b, size_t max)
{
	*b = (struct strbuf){.max = max ? max : STRBUF_MAX};
	if (b->max > SIZE_MAX / 4)
		b->max = SIZE_MAX / 4;
}

void strbuf_release(struct strbuf *b)
{
	mem_free(b->p);
	*b = (struct strbuf){.max = b->max};
}

void strbuf_reset(struct strbuf *b)
{
	b->n = 0;
	b->failed = b->starved = false;
	if (b->p)
		b->p[0] = '\0';
}

char *strbuf_room(struct strbuf *b, size_t n)
{
	size_t cap;
	char *p;

	if (b->failed || b->n > b->max || n > b->max - b->n) {
		b->failed = true;
		return NULL;
	}
	if (b->cap > b->n + n)
		return b->p + b->n;
	cap = b->cap < 32 ? 64 : b->cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	if (cap < b->n + n + 1)
		cap = b->n + n + 1;
	p = mem_realloc(b->p, cap, 1);
	if (!p) {
		b->failed = b->starved = true;
		return NULL;
	}
	b->p = p;
	b->cap = cap;
	return p + b->n;
}

void strbuf_add(struct strbuf *b, const void *p, size_t n)
{
	char *to = strbuf_room(b, n);

	if (!to)
		return;
	if (n)
		memcpy(to, p, n);
	to[n] = '\0';
	b->n += n;
}

void strbuf_some(struct strbuf *b, struct slice s)
{
	const size_t left = b->max - b->n;

	strbuf_add(b, s.p ? s.p : "", s.n < left ? s.n : left);
}

void strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_putc(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void strbuf_slice(struct strbuf *b, struct slice s)
{
	strbuf_add(b, s.p, s.n);
}

void strbuf_vfmt(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	char *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	to = n < 0 ? NULL : strbuf_room(b, (size_t)n);
	b->failed |= n < 0;
	if (to) {
		(void)vsnprintf(to, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void strbuf_fmt(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vfmt(b, fmt, ap);
	va_end(ap);
}

void strbuf_int(struct strbuf *b, int64_t v)
{
	char digits[20]; /* "-9223372036854775808" */
	size_t at = sizeof(digits);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do {
		digits[--at] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0)
		digits[--at] = '-';
	strbuf_add(b, digits + at, sizeof(digits) - at);
}

void strbuf_visible(struct strbuf *b, struct slice s)
{
	char piece[8];

	while (s.n && !b->failed) {
		size_t n = slice_show(&s, piece);

		strbuf_add(b, piece, n);
	}
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

void strbuf_percent(struct strbuf *b, struct slice s, const char *also)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n && !b->failed; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved(s.p[i]) || (c && also && strchr(also, c))) {
			strbuf_putc(b, s.p[i]);
		} else {
			char code[3] = {'%', hex[c >> 4], hex[c & 15]};

			strbuf_add(b, code, sizeof(code));
		}
	}
}

bool strbuf_ok(const struct strbuf *b)
{
	return !b->failed;
}

glane_rc strbuf_rc(const struct strbuf *b)
{
	return !b->failed ? GLANE_OK : b->starved ? GLANE_E_NOMEM : GLANE_E_LIMIT;
}

struct slice strbuf_get(const struct strbuf *b)
{
	return (struct slice){b->p ? b->p : "", b->n};
}
