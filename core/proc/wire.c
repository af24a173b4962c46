/* SPDX-License-Identifier: MIT */
/* Frames over stream sockets, with descriptors. */
#include "proc/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER 8u
#define ABSENT UINT32_MAX
/* The kernel counts the descriptors that a user has under way, against the limit of who sends one more (unix(7), ETOOMANYREFS). */
#define MAX_WAITS 500
#define WAIT_NS 10000000

void wire_init(struct wire *w, int fd)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	strbuf_init(&w->in, 4 * (size_t)WIRE_MAX);
	strbuf_init(&w->out, 64 * (size_t)WIRE_MAX);
}

void wire_release(struct wire *w)
{
	for (unsigned i = 0; i < w->n_fds; i++)
		close(w->fds[i]);
	for (unsigned i = 0; i < w->n_out_fds; i++)
		close(w->out_fds[i]);
	if (w->fd >= 0)
		close(w->fd);
	strbuf_release(&w->in);
	strbuf_release(&w->out);
	w->n_fds = w->n_out_fds = 0;
	w->fd = -1;
}

void wire_begin(struct wire *w, uint16_t type)
{
	const uint16_t head[4] = {0, 0, type, 0};

	w->out_start = w->out.n;
	strbuf_add(&w->out, head, sizeof(head));
}

void wire_u8(struct wire *w, uint8_t v)
{
	strbuf_add(&w->out, &v, sizeof(v));
}

void wire_u32(struct wire *w, uint32_t v)
{
	strbuf_add(&w->out, &v, sizeof(v));
}

void wire_u64(struct wire *w, uint64_t v)
{
	strbuf_add(&w->out, &v, sizeof(v));
}

void wire_i64(struct wire *w, int64_t v)
{
	strbuf_add(&w->out, &v, sizeof(v));
}

void wire_f64(struct wire *w, double v)
{
	strbuf_add(&w->out, &v, sizeof(v));
}

void wire_text(struct wire *w, struct slice s)
{
	if (!s.p) {
		wire_u32(w, ABSENT);
		return;
	}
	wire_u32(w, s.n < WIRE_MAX ? (uint32_t)s.n : WIRE_MAX); /* too long: wire_end() refuses the frame */
	strbuf_add(&w->out, s.p, s.n);
}

void wire_cstr(struct wire *w, const char *s)
{
	wire_text(w, slice_of(s));
}

void wire_texts(struct wire *w, const char *const *v, size_t n)
{
	wire_u32(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_cstr(w, v[i]);
}

void wire_bytes(struct wire *w, const void *p, size_t n)
{
	strbuf_add(&w->out, p, n);
}

static void drop_frame(struct wire *w, int fd)
{
	w->out.n = w->out_start;
	if (fd >= 0)
		close(fd);
}

glane_rc wire_end(struct wire *w, int fd, struct diag *d)
{
	uint32_t n;

	if (!strbuf_ok(&w->out)) {
		drop_frame(w, fd);
		w->out.failed = false;
		return fail(d, GLANE_E_NOMEM, "no memory for a message between processes");
	}
	if (w->out.n - w->out_start - HEADER > WIRE_MAX) {
		drop_frame(w, fd);
		return fail(d, GLANE_E_LIMIT, "a message between processes exceeds %u bytes", WIRE_MAX);
	}
	n = (uint32_t)(w->out.n - w->out_start - HEADER);
	memcpy(w->out.p + w->out_start, &n, sizeof(n));
	if (fd >= 0) {
		if (w->n_out_fds == WIRE_FDS) {
			drop_frame(w, fd);
			return fail(d, GLANE_E_LIMIT, "too many descriptors queued between processes");
		}
		w->out_fds[w->n_out_fds] = fd;
		w->out_fd_at[w->n_out_fds++] = w->out_start;
	}
	return GLANE_OK;
}

bool wire_pending(const struct wire *w)
{
	return w->out.n > 0;
}

/* Drops the first n bytes of the queue and the descriptor that went with them. */
static void sent(struct wire *w, size_t n, bool with_fd)
{
	memmove(w->out.p, w->out.p + n, w->out.n - n);
	w->out.n -= n;
	if (with_fd) {
		close(w->out_fds[0]);
		w->n_out_fds--;
		memmove(w->out_fds, w->out_fds + 1, w->n_out_fds * sizeof(w->out_fds[0]));
		memmove(w->out_fd_at, w->out_fd_at + 1, w->n_out_fds * sizeof(w->out_fd_at[0]));
	}
	for (unsigned i = 0; i < w->n_out_fds; i++)
		w->out_fd_at[i] -= n;
}

/* One sendmsg: up to the next frame that carries a descriptor, or that frame with it. */
static ssize_t send_some(struct wire *w, bool *ret_with_fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {w->out.p, w->out.n};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	*ret_with_fd = w->n_out_fds > 0 && w->out_fd_at[0] == 0;
	if (*ret_with_fd) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &w->out_fds[0], sizeof(int));
		if (w->n_out_fds > 1)
			iov.iov_len = w->out_fd_at[1];
	} else if (w->n_out_fds > 0) {
		iov.iov_len = w->out_fd_at[0];
	}
	for (unsigned waits = 0;;) {
		n = sendmsg(w->fd, &msg, MSG_NOSIGNAL);
		if (n >= 0 || (errno != EINTR && (errno != ETOOMANYREFS || ++waits > MAX_WAITS)))
			return n;
		if (errno == ETOOMANYREFS) /* of this user, in any process: some are taken meanwhile */
			(void)nanosleep(&(struct timespec){0, WAIT_NS}, NULL);
	}
}

glane_rc wire_flush(struct wire *w, struct diag *d)
{
	while (w->out.n > 0) {
		bool with_fd;
		ssize_t n = send_some(w, &with_fd);

		if (n < 0 && errno == EAGAIN)
			return GLANE_OK;
		if (n < 0)
			return fail(d, GLANE_E_IO, "cannot write to another process of this run: %s", strerror(errno));
		sent(w, (size_t)n, with_fd);
	}
	return GLANE_OK;
}

/* How many came. */
static size_t keep_fds(struct wire *w, struct msghdr *msg)
{
	size_t sum = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		sum += n;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (w->n_fds < WIRE_FDS)
				w->fds[w->n_fds++] = fd;
			else
				close(fd);
		}
	}
	return sum;
}

#define MAX_FDS 4 /* of one message */

glane_rc wire_fill(struct wire *w, struct diag *d)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov;
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;
	size_t fds;

	if (w->taken > 0) {
		memmove(w->in.p, w->in.p + w->taken, w->in.n - w->taken);
		w->in.n -= w->taken;
		w->taken = 0;
	}
	iov.iov_len = 65536;
	iov.iov_base = strbuf_room(&w->in, iov.iov_len);
	if (!iov.iov_base)
		return fail(d, GLANE_E_NOMEM, "no memory for a message between processes");
	msg.msg_control = control.space;
	msg.msg_controllen = sizeof(control.space);
	do
		n = recvmsg(w->fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return GLANE_OK;
	if (n < 0)
		return fail(d, GLANE_E_IO, "cannot read from another process of this run: %s", strerror(errno));
	fds = keep_fds(w, &msg);
	if (msg.msg_flags & MSG_CTRUNC &&
		fds < MAX_FDS) /* there was room for more: the kernel had no number left to give */
		return fail(
			d, GLANE_E_LIMIT, "too many open files: no descriptor is left for what another process sent");
	if (msg.msg_flags & MSG_CTRUNC)
		return fail(d, GLANE_E_FORMAT, "another process of this run sent more descriptors than one at a time");
	w->in.n += (size_t)n;
	w->eof = n == 0;
	return GLANE_OK;
}

glane_rc wire_take(struct wire *w, struct frame *ret, struct diag *d)
{
	uint16_t head[4];
	uint32_t n;

	if (w->in.n - w->taken < HEADER)
		return GLANE_END;
	memcpy(head, w->in.p + w->taken, HEADER);
	memcpy(&n, head, sizeof(n));
	if (n > WIRE_MAX || head[3] != 0)
		return fail(d, GLANE_E_FORMAT, "a message of type %u with length %u is none of ours", head[2], n);
	if (w->in.n - w->taken - HEADER < n)
		return GLANE_END;
	ret->type = head[2];
	ret->rest = (struct slice){w->in.p + w->taken + HEADER, n};
	ret->bad = false;
	w->taken += HEADER + n;
	return GLANE_OK;
}

glane_rc wire_wait(struct wire *w, struct frame *ret, struct diag *d)
{
	for (;;) {
		glane_rc rc = wire_take(w, ret, d);

		if (rc != GLANE_END)
			return rc;
		if (w->eof)
			return fail(d, GLANE_E_FETCH, "another process of this run has gone");
		rc = wire_fill(w, d);
		if (rc != GLANE_OK)
			return rc;
	}
}

int wire_take_fd(struct wire *w)
{
	int fd;

	if (w->n_fds == 0)
		return -1;
	fd = w->fds[0];
	w->n_fds--;
	memmove(w->fds, w->fds + 1, w->n_fds * sizeof(w->fds[0]));
	return fd;
}

static bool take(struct frame *f, void *to, size_t n)
{
	if (f->bad || f->rest.n < n) {
		f->bad = true;
		memset(to, 0, n);
		return false;
	}
	memcpy(to, f->rest.p, n);
	f->rest.p += n;
	f->rest.n -= n;
	return true;
}

uint8_t frame_u8(struct frame *f)
{
	uint8_t v;

	take(f, &v, sizeof(v));
	return v;
}

uint32_t frame_u32(struct frame *f)
{
	uint32_t v;

	take(f, &v, sizeof(v));
	return v;
}

uint64_t frame_u64(struct frame *f)
{
	uint64_t v;

	take(f, &v, sizeof(v));
	return v;
}

int64_t frame_i64(struct frame *f)
{
	int64_t v;

	take(f, &v, sizeof(v));
	return v;
}

double frame_f64(struct frame *f)
{
	double v;

	take(f, &v, sizeof(v));
	return v;
}

struct slice frame_text(struct frame *f)
{
	const uint32_t n = frame_u32(f);
	struct slice s;

	if (f->bad || n == ABSENT)
		return (struct slice){NULL, 0};
	if (n > f->rest.n) {
		f->bad = true;
		return (struct slice){NULL, 0};
	}
	s = (struct slice){f->rest.p, n};
	f->rest.p += n;
	f->rest.n -= n;
	return s;
}

const char *frame_cstr(struct frame *f, struct arena *a)
{
	struct slice s = frame_text(f);
	const char *copy;

	if (!s.p)
		return NULL;
	if (memchr(s.p, 0, s.n)) {
		f->bad = true;
		return NULL;
	}
	copy = arena_strndup(a, s.p, s.n);
	if (!copy)
		f->bad = true;
	return copy;
}

const char **frame_texts(struct frame *f, struct arena *a, size_t max, size_t *ret_n)
{
	const uint32_t n = frame_u32(f);
	const char **v = n <= max && !f->bad ? arena_alloc(a, (n + 1) * sizeof(*v)) : NULL;

	for (uint32_t i = 0; v && i < n; i++)
		v[i] = frame_cstr(f, a);
	*ret_n = v ? n : 0;
	f->bad |= !v;
	return v;
}

bool frame_done(const struct frame *f)
{
	return !f->bad && f->rest.n == 0;
}
