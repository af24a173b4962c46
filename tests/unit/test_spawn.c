/* SPDX-License-Identifier: MIT */
/* core/proc/spawn.c, sandbox.c: what a child is born with and may not do, as the kernel tells it. The test starts itself as the child. */
#include "support/cmocka.h"

#include "proc/sandbox.h"
#include "proc/spawn.h"

#include "base/strbuf.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* ---- the child: writes what it sees to its standard output ---- */

static void print_file(const char *path)
{
	char text[8192];
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (fd >= 0 && (n = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)n, stdout);
	if (fd >= 0)
		close(fd);
}

static void print_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(dir))
			printf("fd %s\n", e->d_name);
	if (dir)
		closedir(dir);
}

static void limit_of(const char *name, int which)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)which, &l) == 0)
		printf("%s %lld %lld\n", name, (long long)l.rlim_cur, (long long)l.rlim_max);
}

static int see(const char *parent)
{
	printf("adopted %d\n", child_adopt_parent(parent));
	for (char **e = environ; *e; e++)
		printf("env %s\n", *e);
	print_descriptors();
	print_file("/proc/self/status");
	printf("group %d\n", getpgrp() == getpid());
	fflush(stdout);
	return 0;
}

static int limited(void)
{
	struct diag d = {.code = GLANE_OK};
	static const struct {
		const char *name;
		int which;
	} limits[] = {{"DATA", RLIMIT_DATA}, {"AS", RLIMIT_AS}, {"CPU", RLIMIT_CPU}, {"CORE", RLIMIT_CORE},
		{"FSIZE", RLIMIT_FSIZE}, {"NOFILE", RLIMIT_NOFILE}, {"NPROC", RLIMIT_NPROC}};

	if (sandbox_limits((uint64_t)64 << 20, (uint64_t)1 << 20, 100, false, &d) != GLANE_OK)
		return 1;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		limit_of(limits[i].name, limits[i].which);
	print_file("/proc/self/status");
	printf("refused %d\n", malloc((size_t)128 << 20) == NULL);
	fflush(stdout);
	_exit(0); /* a leak checker could not work under these limits */
}

static int out_of_memory(void)
{
	struct diag d = {.code = GLANE_OK};

	if (sandbox_limits((uint64_t)32 << 20, 0, 100, false, &d) != GLANE_OK || sandbox_watch(&d) != GLANE_OK)
		return 1;
	for (;;) {
		volatile char *p = malloc(4096);

		if (!p)
			abort();
		p[0] = 1;
	}
}

static int crash_with_memory(void)
{
	struct diag d = {.code = GLANE_OK};

	if (sandbox_limits((uint64_t)32 << 20, 0, 100, false, &d) != GLANE_OK || sandbox_watch(&d) != GLANE_OK)
		return 1;
	abort();
}

/* Leaves a child of its own in its group, says its number and ends. */
static int leave_a_child(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	printf("%d\n", (int)pid);
	fflush(stdout);
	return 0;
}

/* Starts a child that waits for ever, says its number and waits itself. */
static int middle(void)
{
	struct child c;
	struct diag d = {.code = GLANE_OK};

	if (child_spawn("@wait", NULL, NULL, 0, false, false, &c, &d) != GLANE_OK)
		return 1;
	printf("%d\n", (int)c.pid);
	fflush(stdout);
	for (;;)
		pause();
}

static int wait_for_ever(const char *parent)
{
	if (!child_adopt_parent(parent))
		return 1;
	for (;;)
		pause();
}

static int play(char **argv)
{
	if (strcmp(argv[1], "@see") == 0)
		return see(argv[2]);
	if (strcmp(argv[1], "@limited") == 0)
		return limited();
	if (strcmp(argv[1], "@memory") == 0)
		return out_of_memory();
	if (strcmp(argv[1], "@crash") == 0)
		return crash_with_memory();
	if (strcmp(argv[1], "@leave") == 0)
		return leave_a_child();
	if (strcmp(argv[1], "@middle") == 0)
		return middle();
	return wait_for_ever(argv[2]);
}

/* ---- the parent ---- */

static void read_output(struct child *c, struct strbuf *b)
{
	for (;;) {
		struct pollfd p = {c->output, POLLIN, 0};
		char text[4096];
		ssize_t n;

		if (poll(&p, 1, 60000) <= 0)
			return;
		n = read(c->output, text, sizeof(text));
		if (n <= 0)
			return;
		strbuf_add(b, text, (size_t)n);
	}
}

/* Runs a role to its end; its status and its output. */
static int run_role(const char *role, const int *fds, unsigned n, bool inherit, struct strbuf *out)
{
	struct child c;
	struct diag d = {.code = GLANE_OK};
	int status;

	strbuf_init(out, 0);
	assert_int_equal(child_spawn(role, NULL, fds, n, inherit, true, &c, &d), GLANE_OK);
	read_output(&c, out);
	status = child_wait(&c);
	child_close(&c);
	strbuf_putc(out, '\0');
	return status;
}

static bool has(const struct strbuf *b, const char *line)
{
	return strstr(b->p, line) != NULL;
}

static unsigned count(const struct strbuf *b, const char *word)
{
	unsigned n = 0;

	for (const char *at = b->p; (at = strstr(at, word)); at++)
		n++;
	return n;
}

static void test_birth(void **state)
{
	const int fds[2] = {open("/dev/null", O_RDONLY | O_CLOEXEC), open("/dev/zero", O_RDONLY | O_CLOEXEC)};
	const int leak = open("/dev/null", O_RDONLY); /* inheritable: must not arrive */
	struct strbuf out;

	(void)state;
	skip_under_valgrind();
	assert_true(fds[0] >= 0 && fds[1] >= 0 && leak >= 0);
	setenv("GLANE_SECRET", "secret-value", 1);
	setenv("LSAN_OPTIONS", "verbosity=0", 1);
	assert_int_equal(run_role("@see", fds, 2, false, &out), 0);
	assert_true(has(&out, "adopted 1\n"));
	assert_true(has(&out, "env LC_ALL=C\n"));
	assert_true(has(&out, "env LSAN_OPTIONS=verbosity=0\n")); /* what a sanitizer build reads, and no more */
	assert_false(has(&out, "secret-value"));
	assert_false(has(&out, "env HOME="));
	assert_int_equal(count(&out, "fd "), 5); /* 0 1 2, and the two that were given */
	assert_true(has(&out, "fd 3\n") && has(&out, "fd 4\n"));
	assert_true(has(&out, "group 1\n"));
	assert_true(has(&out, "SigBlk:\t0000000000000000"));
	strbuf_release(&out);
	assert_int_equal(run_role("@see", NULL, 0, true, &out), 0);
	assert_true(has(&out, "env GLANE_SECRET=secret-value\n")); /* the broker's way */
	assert_int_equal(count(&out, "fd "), 3);
	strbuf_release(&out);
	close(fds[0]);
	close(fds[1]);
	close(leak);
}

static void test_limits(void **state)
{
	struct strbuf out;

	(void)state;
	skip_under_valgrind();
	assert_int_equal(run_role("@limited", NULL, 0, false, &out), 0);
	assert_true(has(&out, "NoNewPrivs:\t1\n"));
	assert_true(has(&out, "CPU 100 105\n"));
	assert_true(has(&out, "CORE 0 0\n"));
#ifndef SANDBOX_NONE /* whose counters are files */
	assert_true(has(&out, "FSIZE 0 0\n"));
#endif
	assert_true(has(&out, "NOFILE 32 32\n"));
	assert_true(has(&out, "NPROC 0 0\n"));
	if (!SANITIZED) {
		assert_true(has(&out, "DATA 67108864 67108864\n"));
		assert_true(has(&out, "AS 1141899264 1141899264\n"));
		assert_true(has(&out, "refused 1\n"));
	}
	strbuf_release(&out);
}

static void test_out_of_memory(void **state)
{
	struct strbuf out;
	int status;

	(void)state;
	skip_under_valgrind();
	if (SANITIZED)
		skip(); /* no memory limit there */
	status = run_role("@memory", NULL, 0, false, &out);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_true(has(&out, SANDBOX_OUT_OF_MEMORY));
	strbuf_release(&out);
	status = run_role("@crash", NULL, 0, false, &out);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_false(has(&out, SANDBOX_OUT_OF_MEMORY)); /* with memory left a crash is a crash */
	strbuf_release(&out);
}

/* Gone, or a zombie that waits for whoever adopted it. */
static bool is_gone(pid_t pid)
{
	char path[64], text[512] = "";
	int fd;
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = 0;
	close(fd);
	state = strrchr(text, ')');
	return !state || state[2] == 'Z' || state[2] == 'X';
}

static bool goes(pid_t pid)
{
	for (int i = 0; i < 3000 && !is_gone(pid); i++)
		usleep(20000);
	return is_gone(pid);
}

static void test_what_is_left_goes_too(void **state)
{
	struct child c;
	struct diag d = {.code = GLANE_OK};
	char text[32] = "";
	struct pollfd p;
	int status = -1;

	(void)state;
	assert_int_equal(child_spawn("@leave", NULL, NULL, 0, false, true, &c, &d), GLANE_OK);
	p = (struct pollfd){c.output, POLLIN, 0};
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_true(read(c.output, text, sizeof(text) - 1) > 0);
	for (int i = 0; i < 3000 && !child_ended(&c, &status); i++)
		usleep(20000);
	assert_int_equal(status, 0);
	assert_true(atoi(text) > 1 && goes(atoi(text)));
	assert_false(child_ended(&c, &status)); /* once */
	child_close(&c);
}

static void test_dies_with_its_parent(void **state)
{
	struct child c;
	struct diag d = {.code = GLANE_OK};
	char text[32] = "";
	struct pollfd p;

	(void)state;
	assert_int_equal(child_spawn("@middle", NULL, NULL, 0, false, true, &c, &d), GLANE_OK);
	p = (struct pollfd){c.output, POLLIN, 0};
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_true(read(c.output, text, sizeof(text) - 1) > 0);
	assert_true(atoi(text) > 1);
	assert_false(is_gone(atoi(text)));
	kill(c.pid, SIGKILL); /* only it: its child is in a group of its own */
	child_wait(&c);
	child_close(&c);
	assert_true(goes(atoi(text)));
}

static void test_close_kills(void **state)
{
	struct child c;
	struct diag d = {.code = GLANE_OK};
	pid_t pid;

	(void)state;
	assert_int_equal(child_spawn("@wait", NULL, NULL, 0, false, false, &c, &d), GLANE_OK);
	pid = c.pid;
	assert_true(c.pidfd >= 0);
	assert_int_equal(c.output, -1);
	child_close(&c);
	assert_true(is_gone(pid));
	child_close(&c); /* twice is once */
	child_kill(&c, SIGKILL);
}

/* Descriptors run out at whatever step: nothing is started, nothing is left open, and the reason is told. */
static void test_no_descriptors(void **state)
{
	const int next = dup(0), fds[] = {0, 1};
	struct rlimit before, within;
	unsigned failed = 0;

	(void)state;
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (rlim_t n = (rlim_t)next; n < (rlim_t)next + 40; n++) {
		struct child c = {.pid = -1, .pidfd = -1, .output = -1};
		struct diag d;
		glane_rc rc;
		int open_now;

		diag_clear(&d);
		within = (struct rlimit){n, before.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &within), 0);
		rc = child_spawn("@see", NULL, fds, 2, false, true, &c, &d);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		if (rc == GLANE_OK)
			child_close(&c);
		assert_true(rc == GLANE_OK || strstr(d.text, "cannot start a process for see: "));
		failed += rc != GLANE_OK;
		open_now = dup(0);
		assert_int_equal(open_now, next);
		close(open_now);
	}
	assert_in_range(failed, 4, 39);
}

static void test_parent_is_checked(void **state)
{
	(void)state;
	assert_false(child_adopt_parent("1x"));
	assert_false(child_adopt_parent(""));
	assert_false(child_adopt_parent("999999999"));
	prctl(PR_SET_PDEATHSIG, 0);
}

static void test_status_text(void **state)
{
	char text[96];

	(void)state;
	child_status_text(3 << 8, text, sizeof(text));
	assert_string_equal(text, "exit status 3");
	child_status_text(SIGSEGV, text, sizeof(text));
	assert_string_equal(text, "signal 11 (Segmentation fault)");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_birth), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_what_is_left_goes_too),
		cmocka_unit_test(test_dies_with_its_parent), cmocka_unit_test(test_close_kills),
		cmocka_unit_test(test_parent_is_checked), cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_status_text)};

	if (argc > 2 && argv[1][0] == '@')
		return play(argv);
	return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
