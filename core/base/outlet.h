/* SPDX-License-Identifier: MIT */
/* Text for a descriptor whose reader may have stopped: it is kept, and written as far as that goes without waiting. */
#ifndef BASE_OUTLET_H
#define BASE_OUTLET_H
#include "base/strbuf.h"

struct outlet {
	int fd;
	struct strbuf text; /* at most what outlet_init() said */
	size_t done;        /* bytes of it that are written */
	uint64_t lost;      /* texts that found no room */
	int error;          /* errno of the first write that failed; what comes later is dropped */
};
/* max: bytes that wait at most. The descriptor stays the caller's. */
void outlet_init(struct outlet *o, int fd, size_t max);
void outlet_release(struct outlet *o);
/* One text, kept whole or not at all, and written as far as it goes; without memory 511 bytes of it, if nothing waits. */
void outlet_fmt(struct outlet *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void outlet_text(struct outlet *o, struct strbuf *b); /* the same; b is released */
void outlet_pump(struct outlet *o);                   /* writes what goes without waiting */
/* Writes the rest, and gives up once nothing went for patience_ms. GLANE_E_IO with the reason in o->error (ETIMEDOUT: nobody reads),
 * also where a write failed before or a text was lost (ENOBUFS). */
glane_rc outlet_end(struct outlet *o, int patience_ms);
#endif
