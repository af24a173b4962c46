/* SPDX-License-Identifier: MIT */
/* core/proc/program.c: a program as a stream, from its launcher. */
#include "support/cmocka.h"

#include "proc/program.h"
#include "proc/spawn.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
	char dir[64], path[96];
	int payload;
	bool cancelled;
	struct strbuf log, out;
	struct host_seams seams;
	struct launcher launcher;
	struct diag d;
};

static void on_log(void *arg, int level, struct slice text)
{
	struct world *w = arg;

	(void)level;
	strbuf_slice(&w->log, text);
	strbuf_putc(&w->log, '\n');
}

static bool on_cancelled(void *arg)
{
	return ((struct world *)arg)->cancelled;
}

static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	snprintf(w->dir, sizeof(w->dir), "/tmp/glane-program-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/p", w->dir);
	w->payload = open(w->dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	assert_true(w->payload >= 0);
	strbuf_init(&w->log, 0);
	strbuf_init(&w->out, 0);
	diag_clear(&w->d);
	w->seams = (struct host_seams){.arg = w, .log = on_log, .cancelled = on_cancelled};
	wire_init(&w->launcher.wire, -1);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	launcher_stop(&w->launcher);
	unlink(w->path);
	rmdir(w->dir);
	close(w->payload);
	strbuf_release(&w->log);
	strbuf_release(&w->out);
	free(w);
	return 0;
}

static glane_rc start(struct world *w, const char *script, struct payload_source **ret)
{
	static const char *const args[] = {"one", "two words"};
	const struct launch what = {w->path, args, 2, NULL, 0};
	const struct host_piece piece = {w->payload, "http://x/y", "abc"};
	const int fd = open(w->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	static struct program p; /* outlives the source */

	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, script, strlen(script), &w->d), GLANE_OK);
	close(fd);
	launcher_stop(&w->launcher);
	assert_int_equal(launcher_start(&w->launcher, &what, &w->d), GLANE_OK);
	program_init(&p, &w->launcher, "src", 0);
	return p.base.open(&p.base, &w->seams, &piece, ret, &w->d);
}

/* All that the script writes, in pieces of `cap`. */
static glane_rc take(struct world *w, const char *script, size_t cap)
{
	struct payload_source *s = NULL;
	glane_rc rc = start(w, script, &s);
	size_t n = 1;

	while (rc == GLANE_OK && n > 0) {
		char *room = strbuf_room(&w->out, cap);

		assert_non_null(room);
		rc = s->read(s, room, cap, &n, &w->d);
		w->out.n += rc == GLANE_OK ? n : 0;
	}
	if (s)
		s->close(s);
	return rc;
}

static void test_filters(void **state)
{
	struct world *w = *state;
	static char bytes[1 << 20];

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(fd_write(w->payload, bytes, sizeof(bytes), &w->d), GLANE_OK);
	assert_int_equal(take(w, "#!/bin/sh\nexec cat\n", 1000), GLANE_OK);
	assert_int_equal(w->out.n, sizeof(bytes));
	assert_memory_equal(w->out.p, bytes, sizeof(bytes));
}

/* A plugin's constructor may open any path as a path, and has the launcher's socket. */
static void test_paths(void **state)
{
	static const int flags[] = {O_PATH, O_PATH | O_DIRECTORY, O_RDONLY | O_DIRECTORY};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const struct launch what = {"/bin/true", NULL, 0, NULL, 0};
		const struct launch_input in = {
			open(flags[i] & O_DIRECTORY ? "/etc" : "/etc/shadow", flags[i] | O_CLOEXEC), "u", "s", "x",
			"n"};
		struct launched l;

		assert_true(in.payload >= 0);
		diag_clear(&w->d);
		launcher_stop(&w->launcher);
		assert_int_equal(launcher_start(&w->launcher, &what, &w->d), GLANE_OK);
		assert_int_equal(launcher_run(&w->launcher, &in, &l, &w->d), GLANE_E_IO);
		assert_non_null(strstr(w->d.text, "does not read"));
		close(in.payload);
	}
}

static void test_words(void **state)
{
	struct world *w = *state;

	setenv("GLANE_SECRET", "secret-value", 1);
	assert_int_equal(take(w,
				 "#!/bin/sh\nenv\necho \"$1|$2|$#\"\nfor f in 0 1 2 3 4 5 6 7 8 9; do { true <&$f; } "
				 "2>/dev/null && echo $f; done | tr -d '\\n'; echo\necho said >&2\n",
				 64),
		GLANE_OK);
	strbuf_putc(&w->out, '\0');
	assert_non_null(strstr(w->out.p, "GLANE_URL=http://x/y\n"));
	assert_non_null(strstr(w->out.p, "GLANE_NOW=1970-01-01T00:00:00Z\n"));
	assert_non_null(strstr(w->out.p, "one|two words|2\n012\n")); /* its descriptors */
	assert_null(strstr(w->out.p, "secret-value"));
	assert_true(slice_is(strbuf_get(&w->log), "said\n"));
}

static void test_failures(void **state)
{
	static const struct {
		const char *script, *words;
	} bad[] = {{"#!/bin/sh\necho a\necho why >&2\nexit 7\n", "exit status 7; its last words: why"},
		{"#!/bin/sh\nkill -KILL $$\n", "signal 9"}, {"#!/nowhere\n", "cannot be started"},
		{"echo a\n", "(its first line names no interpreter: #!/usr/bin/env python3)"}};
	struct world *w = *state;

	skip_under_valgrind();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		diag_clear(&w->d);
		assert_int_equal(take(w, bad[i].script, 16), GLANE_E_DATA);
		assert_non_null(strstr(w->d.text, bad[i].words));
	}
}

/* A program that the kernel does not start as it is now: the reason, and what to do where we know. */
static void test_not_started(void **state)
{
	struct world *w = *state;
	struct payload_source *s = NULL;
	int held;

	skip_under_valgrind();
	assert_int_equal(take(w, "#!/etc\n", 16), GLANE_E_DATA);
	assert_non_null(
		strstr(w->d.text, "Permission denied (an interpreter or a file outside of the system's folders"));
	diag_clear(&w->d);
	held = open(w->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755); /* the launcher has it too: forked after this */
	assert_true(held >= 0);
	assert_int_equal(start(w, "#!/bin/sh\necho a\n", &s), GLANE_OK);
	if (s) {
		char text[8];
		size_t n = 0;

		assert_int_equal(s->read(s, text, sizeof(text), &n, &w->d), GLANE_E_DATA);
		assert_non_null(strstr(w->d.text, "cannot be started: Text file busy"));
		s->close(s);
	}
	close(held);
}

/* Its pid, as it wrote it first. */
static pid_t pid_of(struct world *w, struct payload_source *s)
{
	char text[32];
	size_t n = 0;

	assert_int_equal(s->read(s, text, sizeof(text) - 1, &n, &w->d), GLANE_OK);
	text[n] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

static void test_stops(void **state)
{
	struct world *w = *state;
	struct payload_source *s = NULL;
	char buf[16];
	size_t n;
	pid_t pid;

	assert_int_equal(start(w, "#!/bin/sh\ntrap '' TERM\necho $$\nwhile :; do sleep 100; done\n", &s), GLANE_OK);
	pid = pid_of(w, s);
	w->cancelled = true;
	assert_int_equal(s->read(s, buf, sizeof(buf), &n, &w->d), GLANE_E_CANCELLED);
	s->close(s);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

/* The output is complete where nobody can write to it any more. */
static void test_left_behind(void **state)
{
	static const struct {
		const char *script, *out; /* out NULL: it fails */
	} list[] = {
		{"#!/bin/sh\n(sleep 1; echo late) &\necho done\n", "done\nlate\n"},
		{"#!/bin/sh\nsleep 1000 >/dev/null &\necho done\n", "done\n"},
		{"#!/bin/sh\nsetsid sleep 1000 >/dev/null &\necho done\n", "done\n"},
		{"#!/bin/sh\nsleep 1000 &\necho done\n", NULL},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		diag_clear(&w->d);
		strbuf_reset(&w->out);
		assert_int_equal(take(w, list[i].script, 16), list[i].out ? GLANE_OK : GLANE_E_DATA);
		assert_true(slice_is(strbuf_get(&w->out), list[i].out ? list[i].out : "done\n"));
		if (!list[i].out)
			assert_non_null(strstr(w->d.text, "left a process behind"));
	}
}

/* Everything that it started is gone when the reader is closed: what changed its group or session too. */
static void test_clears_up(void **state)
{
	static const char *const scripts[] = {"#!/bin/sh\nsleep 1000 &\necho $!\nsleep 1000\n",
		"#!/bin/sh\nsetsid sleep 1000 &\necho $!\nsleep 1000\n",
		"#!/bin/sh\nsetsid sh -c 'setsid sleep 1000 & echo $!; kill -9 $$; sleep 1000'\nsleep 1000\n",
		"#!/bin/sh\nsetsid sh -c 'setsid sleep 1000 >/dev/null & echo $!'\n"};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct payload_source *s = NULL;
		pid_t pid;

		assert_int_equal(start(w, scripts[i], &s), GLANE_OK);
		pid = pid_of(w, s);
		assert_true(pid > 1);
		s->close(s);
		assert_int_equal(kill(pid, 0), -1);
		assert_int_equal(errno, ESRCH);
	}
}

static void test_refused(void **state)
{
	struct world *w = *state;
	const int fd = open(w->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	close(fd);
	assert_int_equal(program_check(w->path, &w->d), GLANE_E_DENIED);
	assert_int_equal(chmod(w->path, 0775), 0);
	diag_clear(&w->d);
	assert_int_equal(program_check(w->path, &w->d), GLANE_E_DENIED);
	assert_int_equal(chmod(w->path, 0755), 0);
	assert_int_equal(program_check(w->path, &w->d), GLANE_OK);
	diag_clear(&w->d);
	assert_int_equal(program_check("/nowhere/p", &w->d), GLANE_E_CONFIG);
}

/* A launcher that has room for no more than `files` descriptors; what asking it for a program then gives. */
static glane_rc run_within(struct world *w, rlim_t files)
{
	const struct launch what = {w->path, NULL, 0, NULL, 0};
	const struct launch_input in = {w->payload, "http://x/y", "src", "abc", "now"};
	struct rlimit before, within;
	struct launched l;
	glane_rc rc;

	launcher_stop(&w->launcher);
	diag_clear(&w->d);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	within = (struct rlimit){files, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &within), 0);
	rc = launcher_start(&w->launcher, &what, &w->d);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	if (rc != GLANE_OK)
		return rc;
	rc = launcher_run(&w->launcher, &in, &l, &w->d);
	fd_close(&l.link);
	fd_close(&l.out);
	fd_close(&l.err);
	return rc;
}

/* Without descriptors nothing is started, at whatever step they run out, and the reason comes through. */
static void test_no_descriptors(void **state)
{
	struct world *w = *state;
	const int next = dup(0);

	skip_under_valgrind();
	close(next);
	assert_int_equal(run_within(w, 0), GLANE_E_IO);
	assert_non_null(strstr(w->d.text, "cannot make a socket pair: Too many open files"));
	for (int n = next + 2; n < 11; n++) {
		assert_int_equal(run_within(w, (rlim_t)n), GLANE_E_IO);
		if (n > 4) /* the launcher's socket is 3, the payload 4 */
			assert_non_null(strstr(w->d.text, "Too many open files"));
	}
	assert_int_equal(run_within(w, 64), GLANE_OK);
}

/* Each allocation of the launcher's own side fails in turn: the reason comes, or its end; the worker does not wait. */
static void test_no_memory(void **state)
{
	struct world *w = *state;
	const struct launch what = {"/bin/true", NULL, 0, NULL, 0};
	const struct launch_input in = {w->payload, "http://x/y", "src", "abc", "now"};
	glane_rc rc = GLANE_E_NOMEM;
	int failed = 0;

	for (long n = 1; rc != GLANE_OK; n++) {
		struct launched l;

		launcher_stop(&w->launcher);
		diag_clear(&w->d);
		mem_fail_after(n, true); /* the launcher is forked with it */
		rc = launcher_start(&w->launcher, &what, &w->d);
		mem_fail_after(0, false);
		assert_int_equal(rc, GLANE_OK);
		rc = launcher_run(&w->launcher, &in, &l, &w->d);
		fd_close(&l.link);
		fd_close(&l.out);
		fd_close(&l.err);
		assert_true(rc == GLANE_OK || w->d.text[0]);
		failed += rc != GLANE_OK;
	}
	assert_in_range(failed, 1, 50);
}

/* What a broken worker may send it: it ends, or says what is wrong; nothing is started. */
static void test_nonsense(void **state)
{
	struct world *w = *state;
	const struct launch what = {"/bin/true", NULL, 0, NULL, 0};

	for (int kind = 0; kind < 3; kind++) {
		struct frame f;
		glane_rc rc;

		launcher_stop(&w->launcher);
		diag_clear(&w->d);
		assert_int_equal(launcher_start(&w->launcher, &what, &w->d), GLANE_OK);
		wire_begin(&w->launcher.wire, kind == 0 ? 9 : 1);
		wire_cstr(&w->launcher.wire, "http://x/y");
		assert_int_equal(wire_end(&w->launcher.wire, kind == 1 ? -1 : dup(w->payload), &w->d), GLANE_OK);
		assert_int_equal(wire_flush(&w->launcher.wire, &w->d), GLANE_OK);
		rc = wire_wait(&w->launcher.wire, &f, &w->d);
		assert_true(kind == 0 ? rc != GLANE_OK : rc == GLANE_OK && f.type == 3);
		if (kind > 0) {
			const struct slice why = frame_text(&f);

			assert_true(slice_is(why, "what is to be started does not read"));
		}
	}
}

static void test_too_many_arguments(void **state)
{
	struct world *w = *state;
	const char *args[LAUNCH_ARGS + 1];
	const struct launch what = {w->path, args, LAUNCH_ARGS + 1, NULL, 0};

	assert_int_equal(launcher_start(&w->launcher, &what, &w->d), GLANE_E_CONFIG);
	assert_non_null(strstr(w->d.text, "more than 64 arguments"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
int main(void)
{
	const struct CMUnitTest tests[] = {T(test_filters), T(test_paths), T(test_words), T(test_failures),
		T(test_not_started), T(test_no_descriptors), T(test_no_memory), T(test_nonsense),
		T(test_too_many_arguments), T(test_stops), T(test_left_behind), T(test_clears_up), T(test_refused)};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
