/* SPDX-License-Identifier: MIT */
/* One error of one run: formatted once, escaped, never allocated (it must work when memory is gone). */
#include "base/diag.h"
#include "base/slice.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define RAW 8192 /* more than a text holds, so that what vsnprintf() cuts is never seen */

static void put(struct diag *d, struct slice raw)
{
	char piece[8];
	size_t n = 0, cut = 0;

	while (raw.n) {
		size_t len = slice_show(&raw, piece);

		if (n + len >= sizeof(d->text)) {
			memcpy(d->text + cut, "...", sizeof("..."));
			return;
		}
		memcpy(d->text + n, piece, len);
		n += len;
		if (n + sizeof("...") <= sizeof(d->text))
			cut = n;
	}
	d->text[n] = '\0';
}

glane_rc fail(struct diag *d, glane_rc code, const char *fmt, ...)
{
	int saved = errno;
	char raw[RAW];
	va_list ap;

	if (!d || d->code)
		return code;
	va_start(ap, fmt);
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		raw[0] = '\0';
	va_end(ap);
	d->code = code;
	put(d, slice_of(raw));
	errno = saved;
	return code;
}

glane_rc diag_prefix(struct diag *d, const char *fmt, ...)
{
	char raw[RAW];
	va_list ap;
	size_t n;
	int len;

	if (!d)
		return GLANE_E_USAGE;
	if (!d->code)
		return d->code;
	va_start(ap, fmt);
	len = vsnprintf(raw, sizeof(raw) - sizeof(d->text) - 2, fmt, ap);
	va_end(ap);
	if (len < 0)
		return d->code;
	n = strlen(raw);
	memcpy(raw + n, ": ", 2);
	memcpy(raw + n + 2, d->text, strlen(d->text) + 1);
	put(d, slice_of(raw));
	return d->code;
}

void diag_clear(struct diag *d)
{
	d->code = GLANE_OK;
	d->text[0] = '\0';
}

const char *rc_name(glane_rc code)
{
	switch (code) {
	case GLANE_OK:
		return "ok";
	case GLANE_END:
		return "end";
	case GLANE_E_CANCELLED:
		return "cancelled";
	case GLANE_E_FETCH:
		return "fetch";
	case GLANE_E_FORMAT:
		return "format";
	case GLANE_E_DATA:
		return "data";
	case GLANE_E_CONFIG:
		return "config";
	case GLANE_E_DENIED:
		return "denied";
	case GLANE_E_NOMEM:
		return "memory";
	case GLANE_E_LIMIT:
		return "limit";
	case GLANE_E_IO:
		return "io";
	case GLANE_E_USAGE:
		return "usage";
	default:
		return "unknown";
	}
}
