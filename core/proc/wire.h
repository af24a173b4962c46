/* SPDX-License-Identifier: MIT */
/*
 * Frames between our processes: u32 length, u16 type, u16 zero, then `length` bytes of fields in native byte order (both
 * ends are one machine). Fields: fixed-width integers, and texts as u32 length (0xFFFFFFFF: absent) + bytes. A frame may
 * carry one descriptor (SCM_RIGHTS). The reading end checks every length; what does not fit is GLANE_E_FORMAT.
 */
#ifndef PROC_WIRE_H
#define PROC_WIRE_H
#include "base/diag.h"
#include "base/mem.h"
#include "base/strbuf.h"

#define WIRE_MAX (1u << 20) /* bytes of one frame's fields */
#define WIRE_FDS 256        /* descriptors queued at one end: more than there are sources under way */

struct wire { /* one end of a stream socket */
	int fd;
	struct strbuf in; /* received, not yet taken */
	size_t taken;
	int fds[WIRE_FDS]; /* received descriptors in order */
	unsigned n_fds;
	struct strbuf out;          /* frame under construction (blocking writers) or queued (non-blocking ones) */
	size_t out_start;           /* where the frame under construction begins */
	int out_fds[WIRE_FDS];      /* descriptors to go with queued frames; closed once sent */
	size_t out_fd_at[WIRE_FDS]; /* offset in out of the frame that carries it */
	unsigned n_out_fds;
	bool eof;
};
struct frame { /* borrowed from the wire until the next wire_take() */
	uint16_t type;
	struct slice rest; /* fields not yet read */
	bool bad;          /* a field did not fit */
};

void wire_init(struct wire *w, int fd);
void wire_release(struct wire *w); /* closes fd and descriptors not yet taken */

/* Writing: begin, fields, end; then wire_flush(). */
void wire_begin(struct wire *w, uint16_t type);
void wire_u8(struct wire *w, uint8_t v);
void wire_u32(struct wire *w, uint32_t v);
void wire_u64(struct wire *w, uint64_t v);
void wire_i64(struct wire *w, int64_t v);
void wire_f64(struct wire *w, double v);
void wire_text(struct wire *w, struct slice s);
void wire_cstr(struct wire *w, const char *s);                   /* NULL: absent */
void wire_texts(struct wire *w, const char *const *v, size_t n); /* their number, then each */
void wire_bytes(struct wire *w, const void *p, size_t n);        /* no length before them: the rest of the frame */
/* Ends the frame; fd >= 0 travels with it (ownership passes). GLANE_E_LIMIT where the frame is too large. */
glane_rc wire_end(struct wire *w, int fd, struct diag *d);
/* Sends what is queued: all of it (blocking socket), or as much as goes. GLANE_OK also where some is left. */
glane_rc wire_flush(struct wire *w, struct diag *d);
bool wire_pending(const struct wire *w);

/* Reading: wire_fill() once the socket is readable, then wire_take() until it says GLANE_END (no whole frame yet). */
glane_rc wire_fill(struct wire *w, struct diag *d);
glane_rc wire_take(struct wire *w, struct frame *ret, struct diag *d);
/* Blocks until a whole frame is there. At the peer's end: GLANE_E_FETCH. */
glane_rc wire_wait(struct wire *w, struct frame *ret, struct diag *d);
int wire_take_fd(struct wire *w); /* the oldest descriptor received, or -1 */

uint8_t frame_u8(struct frame *f);
uint32_t frame_u32(struct frame *f);
uint64_t frame_u64(struct frame *f);
int64_t frame_i64(struct frame *f);
double frame_f64(struct frame *f);
struct slice frame_text(struct frame *f);
/* Copy in the arena, NUL-terminated; absent is NULL; NUL bytes inside make the frame bad. */
const char *frame_cstr(struct frame *f, struct arena *a);
/* Such a list, as of frame_cstr(). More than `max`, or no memory for them, makes the frame bad. */
const char **frame_texts(struct frame *f, struct arena *a, size_t max, size_t *ret_n);
bool frame_done(const struct frame *f); /* everything read, nothing left, nothing bad */
#endif
