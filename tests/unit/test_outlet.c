/* SPDX-License-Identifier: MIT */
/* core/base/outlet.c: what is said is never waited for, stays in order, and whatever is lost is counted. */
#include "support/cmocka.h"

#include "base/mem.h"
#include "base/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINES 3000 /* of 64 bytes: more than a pipe or a socket holds */

static void make_pipe(int fds[2])
{
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 16384) >= 16384);
}

static void make_sockets(int fds[2])
{
	const int small = 4096;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
}

static void say(struct outlet *o, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		outlet_fmt(o, "%063u\n", i);
}

/* Reads as far as there is something; adds to b. */
static void listen_to(int fd, struct strbuf *b)
{
	char buf[4096];
	ssize_t n;

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(b, buf, (size_t)n);
}

static void expect_lines(struct strbuf *b, unsigned n)
{
	char want[80];

	assert_int_equal(b->n, (size_t)64 * n);
	for (unsigned i = 0; i < n; i++) {
		snprintf(want, sizeof(want), "%063u\n", i);
		assert_memory_equal(b->p + (size_t)64 * i, want, 64);
	}
}

static void test_slow_reader(void **state)
{
	void (*const make[])(int[2]) = {make_pipe, make_sockets};

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct outlet o;
		struct strbuf got;
		int fds[2];

		make[kind](fds);
		outlet_init(&o, fds[1], 0);
		strbuf_init(&got, 0);
		say(&o, 0, LINES);
		assert_true(o.text.n > 0); /* not all found room, and nobody waited */
		listen_to(fds[0], &got);
		assert_true(got.n > 0);
		say(&o, LINES, LINES + 10); /* in order behind what waits */
		while (o.text.n) {
			listen_to(fds[0], &got);
			outlet_pump(&o);
		}
		listen_to(fds[0], &got);
		assert_int_equal(outlet_end(&o, 0), GLANE_OK);
		expect_lines(&got, LINES + 10);
		outlet_release(&o);
		strbuf_release(&got);
		close(fds[0]);
		close(fds[1]);
	}
}

static void test_nobody_reads(void **state)
{
	struct outlet o;
	struct strbuf got;
	int fds[2];

	(void)state;
	make_pipe(fds);
	outlet_init(&o, fds[1], 6400);
	strbuf_init(&got, 0);
	say(&o, 0, 1000);
	assert_in_range(o.lost, 1, 1000 - 100);
	assert_int_equal(outlet_end(&o, 10), GLANE_E_IO);
	assert_int_equal(o.error, ETIMEDOUT);
	listen_to(fds[0], &got);
	assert_in_range(got.n, 4096, 32768);
	expect_lines(&got, (unsigned)(got.n / 64)); /* texts stay whole */
	say(&o, 0, 1);                              /* too late */
	assert_int_equal(outlet_end(&o, 10), GLANE_E_IO);
	outlet_release(&o);
	strbuf_release(&got);
	close(fds[0]);
	close(fds[1]);
}

static void test_reader_leaves(void **state)
{
	struct outlet o;
	int fds[2], full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	make_pipe(fds);
	close(fds[0]);
	outlet_init(&o, fds[1], 0);
	say(&o, 0, 2);
	assert_int_equal(outlet_end(&o, 10), GLANE_E_IO);
	assert_int_equal(o.error, EPIPE);
	outlet_release(&o);
	close(fds[1]);
	assert_true(full >= 0);
	outlet_init(&o, full, 0);
	say(&o, 0, 1);
	assert_int_equal(outlet_end(&o, 10), GLANE_E_IO);
	assert_int_equal(o.error, ENOSPC);
	outlet_release(&o);
	close(full);
}

static void test_no_memory(void **state)
{
	struct outlet o;
	char said[16];
	int fds[2];

	(void)state;
	make_pipe(fds);
	outlet_init(&o, fds[1], 0);
	mem_fail_after(1, true);
	outlet_fmt(&o, "lost");
	mem_fail_after(0, false);
	assert_int_equal(o.lost, 1);
	assert_int_equal(read(fds[0], said, sizeof(said)), 4); /* it was said nevertheless: nothing waited */
	assert_memory_equal(said, "lost", 4);
	assert_int_equal(outlet_end(&o, 10), GLANE_E_IO);
	assert_int_equal(o.error, ENOBUFS);
	outlet_release(&o);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_slow_reader), cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_reader_leaves), cmocka_unit_test(test_no_memory)};

	return cmocka_run_group_tests_name("outlet", tests, NULL, NULL);
}
