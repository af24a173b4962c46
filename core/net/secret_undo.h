/* SPDX-License-Identifier: MIT */
/* Inside of the search for secrets: what a text says when its escapes are undone. */
#ifndef NET_SECRET_UNDO_H
#define NET_SECRET_UNDO_H
#include "net/secret_find.h"

#define SECRET_LEVELS 4 /* escapes of escapes */
/* Of secret_finder.starts */
#define SECRET_STARTS 1 /* a byte that begins a form */
#define SECRET_ESCAPE 2

/* What the text says from one of its escapes on. All of a text of escapes would be read again at each place of it otherwise. */
struct secret_undone {
	uint32_t v[SECRET_LEVELS + 1]; /* when 0, 1, ... levels are undone: bytes << 8 | character */
	uint32_t lap;                  /* of the ring, counted from 1: whose place it is */
	uint8_t n;                     /* how many levels are known */
	uint8_t last;                  /* the last one that changed something */
	bool starts;                   /* one of the characters begins a form */
};

static inline bool secret_is_escape(unsigned char c)
{
	return c == '%' || c == '&' || c == '\\';
}

/* Of an escape at `at`; `here` is where it is put without memory. */
const struct secret_undone *secret_undone(struct secret_search *s, size_t at, struct secret_undone *here);
/* Backwards: what each place is made of is known then. Without memory the same is found, but each time anew. */
void secret_read_ahead(struct secret_search *s, size_t at);
#endif
