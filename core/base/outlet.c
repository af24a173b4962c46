/* SPDX-License-Identifier: MIT */
/* Text for a descriptor whose reader may have stopped. */
#include "base/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

void outlet_init(struct outlet *o, int fd, size_t max)
{
	*o = (struct outlet){.fd = fd};
	strbuf_init(&o->text, max);
}

void outlet_release(struct outlet *o)
{
	strbuf_release(&o->text);
}

/* A pipe that poll() calls writable takes PIPE_BUF bytes at once (pipe(7)); a socket is asked not to wait. */
static ssize_t put(int fd, const char *p, size_t n, int patience_ms)
{
	struct pollfd ready = {fd, POLLOUT, 0};
	ssize_t put;
	int rc;

	do
		rc = poll(&ready, 1, patience_ms);
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		errno = ETIMEDOUT;
	if (rc <= 0)
		return -1;
	n = n < PIPE_BUF ? n : PIPE_BUF;
	do {
		put = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (put < 0 && errno == ENOTSOCK)
			put = write(fd, p, n);
	} while (put < 0 && errno == EINTR);
	return put;
}

static void write_some(struct outlet *o, int patience_ms)
{
	while (!o->error && o->done < o->text.n) {
		const ssize_t n = put(o->fd, o->text.p + o->done, o->text.n - o->done, patience_ms);

		if (n < 0 && patience_ms == 0 && (errno == EAGAIN || errno == ETIMEDOUT))
			return;
		if (n >= 0)
			o->done += (size_t)n;
		else if (errno != EAGAIN)
			o->error = errno;
	}
	strbuf_reset(&o->text);
	o->done = 0;
}

void outlet_pump(struct outlet *o)
{
	write_some(o, 0);
}

/* What is written makes room for what comes. */
static void make_room(struct outlet *o, size_t n)
{
	if (o->done == 0 || n <= o->text.max - o->text.n)
		return;
	memmove(o->text.p, o->text.p + o->done, o->text.n - o->done);
	o->text.n -= o->done;
	o->done = 0;
}

void outlet_text(struct outlet *o, struct strbuf *b)
{
	size_t before;

	make_room(o, b->n);
	before = o->text.n;
	if (strbuf_ok(b))
		strbuf_slice(&o->text, strbuf_get(b));
	if (!strbuf_ok(b) || !strbuf_ok(&o->text)) {
		o->text.failed = o->text.starved = false;
		o->text.n = before;
		o->lost++;
	}
	strbuf_release(b);
	outlet_pump(o);
}

/* Without memory to keep a text: what goes of it, if nothing waits before it. It counts as lost all the same. */
__attribute__((format(printf, 2, 0))) static void say_at_once(struct outlet *o, const char *fmt, va_list ap)
{
	char text[512];
	const int n = vsnprintf(text, sizeof(text), fmt, ap);

	if (n > 0 && o->text.n == o->done && !o->error)
		(void)put(o->fd, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1, 0);
}

void outlet_fmt(struct outlet *o, const char *fmt, ...)
{
	struct strbuf b;
	va_list ap;

	strbuf_init(&b, o->text.max);
	va_start(ap, fmt);
	strbuf_vfmt(&b, fmt, ap);
	va_end(ap);
	if (b.starved) {
		va_start(ap, fmt);
		say_at_once(o, fmt, ap);
		va_end(ap);
	}
	outlet_text(o, &b);
}

glane_rc outlet_end(struct outlet *o, int patience_ms)
{
	write_some(o, patience_ms);
	if (!o->error && o->lost)
		o->error = ENOBUFS;
	return o->error ? GLANE_E_IO : GLANE_OK;
}
