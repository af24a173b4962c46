/* SPDX-License-Identifier: MIT */
/* core/proc/wire.c: frames whole, cut and split at every byte; lengths that lie; descriptors that are missing, too many, in order. */
#include "support/cmocka.h"

#include "proc/wire.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct ends {
	struct wire a, b;
	int raw; /* writes into b */
};

static void open_ends(struct ends *e, bool with_writer)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	wire_init(&e->b, pair[1]);
	wire_init(&e->a, with_writer ? pair[0] : -1);
	e->raw = with_writer ? -1 : pair[0];
}

static void close_ends(struct ends *e)
{
	wire_release(&e->a);
	wire_release(&e->b);
	if (e->raw >= 0)
		close(e->raw);
}

/* A frame with a field of each kind. */
static void put_frame(struct wire *w)
{
	struct diag d = {.code = GLANE_OK};

	wire_begin(w, 7);
	wire_u8(w, 0xfe);
	wire_u32(w, 0xfffffffe);
	wire_u64(w, UINT64_MAX);
	wire_i64(w, INT64_MIN);
	wire_f64(w, 0.5);
	wire_cstr(w, "text");
	wire_cstr(w, NULL);
	wire_text(w, (struct slice){"", 0});
	assert_int_equal(wire_end(w, -1, &d), GLANE_OK);
}

static void read_frame(struct frame *f, struct arena *a)
{
	assert_int_equal(f->type, 7);
	assert_int_equal(frame_u8(f), 0xfe);
	assert_int_equal(frame_u32(f), 0xfffffffe);
	assert_true(frame_u64(f) == UINT64_MAX);
	assert_true(frame_i64(f) == INT64_MIN);
	assert_true(frame_f64(f) == 0.5);
	assert_string_equal(frame_cstr(f, a), "text");
	assert_null(frame_cstr(f, a));
	assert_int_equal(frame_text(f).n, 0);
	assert_true(frame_done(f));
}

static void send_raw(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

static void test_split(void **state)
{
	struct wire w;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	wire_init(&w, -1);
	put_frame(&w);
	put_frame(&w);
	for (size_t cut = 0; cut <= w.out.n; cut++) {
		struct ends e;
		struct diag d = {.code = GLANE_OK};
		struct frame f;
		unsigned n = 0;

		open_ends(&e, false);
		for (unsigned part = 0; part < 2; part++) {
			const size_t at = part ? cut : 0, len = part ? w.out.n - cut : cut;

			if (len == 0)
				continue;
			send_raw(e.raw, w.out.p + at, len);
			assert_int_equal(wire_fill(&e.b, &d), GLANE_OK);
			for (; wire_take(&e.b, &f, &d) == GLANE_OK; n++)
				read_frame(&f, &a);
		}
		assert_int_equal(n, 2);
		assert_int_equal(wire_take(&e.b, &f, &d), GLANE_END);
		close_ends(&e);
	}
	wire_release(&w);
	arena_release(&a);
}

/* The peer ends in the middle of a frame: never a frame, always a word. */
static void test_cut(void **state)
{
	struct wire w;

	(void)state;
	wire_init(&w, -1);
	put_frame(&w);
	for (size_t cut = 0; cut < w.out.n; cut++) {
		struct ends e;
		struct diag d = {.code = GLANE_OK};
		struct frame f;

		open_ends(&e, false);
		if (cut)
			send_raw(e.raw, w.out.p, cut);
		close(e.raw);
		e.raw = -1;
		assert_int_equal(wire_wait(&e.b, &f, &d), GLANE_E_FETCH);
		close_ends(&e);
	}
	wire_release(&w);
}

/* A frame that ends early: each field says so, and none reads beyond. */
static void test_short_fields(void **state)
{
	struct wire w;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	wire_init(&w, -1);
	put_frame(&w);
	for (size_t n = 0; n < w.out.n - 8; n++) {
		char *copy = mem_alloc(n ? n : 1); /* exactly so long, for the sanitizer */
		struct frame f = {7, {copy, n}, false};

		assert_non_null(copy);
		memcpy(copy, w.out.p + 8, n);
		frame_u8(&f);
		frame_u32(&f);
		frame_u64(&f);
		frame_i64(&f);
		frame_f64(&f);
		frame_cstr(&f, &a);
		frame_cstr(&f, &a);
		frame_text(&f);
		assert_false(frame_done(&f));
		mem_free(copy);
	}
	wire_release(&w);
	arena_release(&a);
}

static void test_lying_lengths(void **state)
{
	static const struct {
		uint32_t n;
		uint16_t type, zero;
		glane_rc rc;
	} heads[] = {{WIRE_MAX, 1, 0, GLANE_END}, {WIRE_MAX + 1, 1, 0, GLANE_E_FORMAT},
		{UINT32_MAX, 1, 0, GLANE_E_FORMAT}, {0x80000000, 1, 0, GLANE_E_FORMAT}, {0, 1, 1, GLANE_E_FORMAT},
		{0, 1, 0, GLANE_OK}};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct ends e;
		struct diag d = {.code = GLANE_OK};
		struct frame f;
		unsigned char head[8];

		memcpy(head, &heads[i].n, 4);
		memcpy(head + 4, &heads[i].type, 2);
		memcpy(head + 6, &heads[i].zero, 2);
		open_ends(&e, false);
		send_raw(e.raw, head, 8);
		assert_int_equal(wire_fill(&e.b, &d), GLANE_OK);
		assert_int_equal(wire_take(&e.b, &f, &d), heads[i].rc);
		close_ends(&e);
	}
}

static void test_lying_texts(void **state)
{
	static const uint32_t lengths[] = {1, 4, 5, 0x7fffffff, 0xfffffffe};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char bytes[8] = "....abc";
		struct frame f = {1, {bytes, 7}, false};

		memcpy(bytes, &lengths[i], 4);
		if (lengths[i] <= 3) {
			assert_int_equal(frame_text(&f).n, lengths[i]);
		} else {
			assert_null(frame_text(&f).p);
			assert_true(f.bad);
		}
	}
	{
		char bytes[] = "\3\0\0\0a\0b";
		struct frame f = {1, {bytes, 7}, false};

		assert_null(frame_cstr(&f, &a)); /* a NUL inside */
		assert_true(f.bad);
	}
	arena_release(&a);
}

static void test_lists(void **state)
{
	static const char *const list[] = {"one", "", "three"};
	struct diag d = {.code = GLANE_OK};

	(void)state;
	for (size_t most = 2; most < 5; most++) {
		struct ends e;
		struct arena a;
		struct frame f;
		const char **got;
		size_t n = 99;

		arena_init(&a, 0);
		open_ends(&e, true);
		wire_begin(&e.a, 7);
		wire_texts(&e.a, list, 3);
		wire_texts(&e.a, NULL, 0);
		assert_int_equal(wire_end(&e.a, -1, &d), GLANE_OK);
		assert_int_equal(wire_flush(&e.a, &d), GLANE_OK);
		assert_int_equal(wire_wait(&e.b, &f, &d), GLANE_OK);
		got = frame_texts(&f, &a, most, &n);
		assert_int_equal(f.bad, most < 3);
		assert_int_equal(n, most < 3 ? 0 : 3);
		for (size_t i = 0; i < n; i++)
			assert_string_equal(got[i], list[i]);
		if (most >= 3) {
			assert_non_null(frame_texts(&f, &a, 0, &n));
			assert_int_equal(n, 0);
			assert_true(frame_done(&f));
		}
		close_ends(&e);
		arena_release(&a);
	}
}

static void test_too_large(void **state)
{
	char *big = mem_zalloc(1, WIRE_MAX + 1);
	struct wire w;

	(void)state;
	assert_non_null(big);
	wire_init(&w, -1);
	put_frame(&w);
	for (int i = 0; i < 2; i++) {
		struct diag d = {.code = GLANE_OK};
		const size_t before = w.out.n;

		wire_begin(&w, 1);
		wire_bytes(&w, big, WIRE_MAX + 1);
		assert_int_equal(wire_end(&w, -1, &d), GLANE_E_LIMIT);
		assert_int_equal(w.out.n, before); /* what was queued before it stays */
		diag_clear(&d);
		wire_begin(&w, 1);
		wire_text(&w, (struct slice){big, WIRE_MAX});
		assert_int_equal(wire_end(&w, -1, &d), GLANE_E_LIMIT);
		diag_clear(&d);
		wire_begin(&w, 1);
		wire_text(&w, (struct slice){big, WIRE_MAX - 4});
		assert_int_equal(wire_end(&w, -1, &d), GLANE_OK);
		w.out.n = before;
	}
	wire_release(&w);
	mem_free(big);
}

/* ---- descriptors ---- */

static int marked(unsigned i)
{
	char text[16];
	const int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	const int n = snprintf(text, sizeof(text), "%u", i);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, (size_t)n), n);
	return fd;
}

static void test_descriptors(void **state)
{
	struct ends e;
	struct diag d = {.code = GLANE_OK};
	struct frame f;

	(void)state;
	open_ends(&e, true);
	for (unsigned i = 0; i < 40;
		i++) { /* more than the other end keeps at once, and frames without one between them */
		wire_begin(&e.a, (uint16_t)i);
		wire_u32(&e.a, i);
		assert_int_equal(wire_end(&e.a, i % 3 ? marked(i) : -1, &d), GLANE_OK);
	}
	assert_int_equal(wire_flush(&e.a, &d), GLANE_OK);
	assert_false(wire_pending(&e.a));
	for (unsigned i = 0; i < 40; i++) {
		char text[16] = "";
		int fd;

		assert_int_equal(wire_wait(&e.b, &f, &d), GLANE_OK);
		assert_int_equal(frame_u32(&f), i);
		if (i % 3 == 0)
			continue;
		fd = wire_take_fd(&e.b);
		assert_true(fd >= 0);
		assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
		assert_int_equal(atoi(text), i);
		close(fd);
	}
	assert_int_equal(wire_take_fd(&e.b), -1); /* none is missing, none too many */
	close_ends(&e);
}

static void test_too_many_queued(void **state)
{
	struct wire w;
	struct diag d = {.code = GLANE_OK};

	(void)state;
	wire_init(&w, -1);
	for (unsigned i = 0; i < WIRE_FDS; i++) {
		wire_begin(&w, 1);
		assert_int_equal(wire_end(&w, open("/dev/null", O_RDONLY | O_CLOEXEC), &d), GLANE_OK);
	}
	wire_begin(&w, 1);
	assert_int_equal(wire_end(&w, open("/dev/null", O_RDONLY | O_CLOEXEC), &d), GLANE_E_LIMIT);
	wire_release(&w); /* closes them all */
	{
		const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0 && fd < 16);
		close(fd);
	}
}

/* The kernel cuts a descriptor off for which this process has no number left. */
static void test_no_number_left(void **state)
{
	struct ends e;
	struct diag d = {.code = GLANE_OK};
	struct rlimit was, none;

	(void)state;
	skip_under_valgrind();
	open_ends(&e, true);
	wire_begin(&e.a, 1);
	assert_int_equal(wire_end(&e.a, marked(1), &d), GLANE_OK);
	assert_int_equal(wire_flush(&e.a, &d), GLANE_OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){0, was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(wire_fill(&e.b, &d), GLANE_E_LIMIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_non_null(strstr(d.text, "too many open files"));
	close_ends(&e);
}

/* Five descriptors in one message: the kernel would drop some without a word. */
static void test_flood_of_descriptors(void **state)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(5 * sizeof(int))];
	} control;
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	struct ends e;
	struct diag d = {.code = GLANE_OK};
	int fds[5] = {2, 2, 2, 2, 2};

	(void)state;
	open_ends(&e, false);
	memset(&control, 0, sizeof(control));
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
	assert_int_equal(sendmsg(e.raw, &msg, MSG_NOSIGNAL), 1);
	assert_int_equal(wire_fill(&e.b, &d), GLANE_E_FORMAT);
	close_ends(&e);
}

/* In a child: descriptors of this user under way, as many as it may have itself, which another process takes 0.2 s later. */
static int sends_among_many(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	const struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
	const struct rlimit few = {40, 40};
	struct diag d = {.code = GLANE_OK};
	struct ends other, e;

	open_ends(&other, true);
	open_ends(&e, true);
	if (setrlimit(RLIMIT_NOFILE, &few) != 0 || syscall(SYS_capset, &head, none) != 0)
		return 1;
	for (unsigned i = 0; i < 41; i++) {
		wire_begin(&other.a, 1);
		if (wire_end(&other.a, marked(i), &d) != GLANE_OK || wire_flush(&other.a, &d) != GLANE_OK)
			return 2;
	}
	if (fork() == 0) {
		usleep(200000);
		for (int i = 0; i < 41 && wire_fill(&other.b, &d) == GLANE_OK; i++)
			for (int fd; (fd = wire_take_fd(&other.b)) >= 0;)
				close(fd);
		_exit(0);
	}
	wire_begin(&e.a, 1);
	return wire_end(&e.a, marked(1), &d) != GLANE_OK || wire_flush(&e.a, &d) != GLANE_OK ? 3 : 0;
}

static void test_many_under_way(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	skip_under_valgrind();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(sends_among_many());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), 0);
}

/* A reader that stops: a non-blocking writer keeps what does not go, and goes on later. */
static void test_full_socket(void **state)
{
	char *big = mem_zalloc(1, 1 << 19);
	struct ends e;
	struct diag d = {.code = GLANE_OK};
	struct frame f;

	(void)state;
	assert_non_null(big);
	open_ends(&e, true);
	assert_int_equal(fcntl(e.a.fd, F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 8; i++) {
		wire_begin(&e.a, 3);
		wire_bytes(&e.a, big, 1 << 19);
		assert_int_equal(wire_end(&e.a, -1, &d), GLANE_OK);
	}
	assert_int_equal(wire_flush(&e.a, &d), GLANE_OK);
	assert_true(wire_pending(&e.a));
	for (int n = 0; n < 8;) {
		if (wire_take(&e.b, &f, &d) == GLANE_OK) {
			assert_int_equal(f.rest.n, 1 << 19);
			n++;
			continue;
		}
		assert_int_equal(wire_fill(&e.b, &d), GLANE_OK);
		assert_int_equal(wire_flush(&e.a, &d), GLANE_OK);
	}
	assert_false(wire_pending(&e.a));
	close_ends(&e);
	mem_free(big);
}

static void test_peer_gone(void **state)
{
	struct ends e;
	struct diag d = {.code = GLANE_OK};

	(void)state;
	open_ends(&e, true);
	put_frame(&e.a);
	close(e.b.fd);
	e.b.fd = -1;
	assert_int_equal(wire_flush(&e.a, &d), GLANE_E_IO); /* and no SIGPIPE */
	close_ends(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_split), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_short_fields), cmocka_unit_test(test_lying_lengths),
		cmocka_unit_test(test_lying_texts), cmocka_unit_test(test_lists), cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_descriptors), cmocka_unit_test(test_too_many_queued),
		cmocka_unit_test(test_flood_of_descriptors), cmocka_unit_test(test_no_number_left),
		cmocka_unit_test(test_many_under_way), cmocka_unit_test(test_full_socket),
		cmocka_unit_test(test_peer_gone)};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
