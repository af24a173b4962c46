/* SPDX-License-Identifier: MIT */
/* The worker's main loop in a process of its own, between a scheduler and a broker that are this test: jobs and answers that do not read. */
#include "support/cmocka.h"
#include "support/test_host.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "proc/broker.h"
#include "proc/spawn.h"
#include "proc/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BODY "{\"rows\":[{\"area\":\"TGO\",\"year\":2020,\"value\":1},{\"area\":\"BEN\",\"year\":2021,\"value\":2.5}]}"

static struct arena arena;
static const char *plugin;

struct session {
	struct wire up, broker;
	pid_t pid;
	/* given: what the answer to its fetch is */
	uint32_t cut_at;   /* so many bytes of it; 0: all */
	uint16_t type;     /* 0: ANSWER */
	bool no_fd, gone;  /* it comes without the payload; the broker ends */
	int64_t answer_rc; /* not GLANE_OK: a failure with the message "refused" */
	/* got */
	bool more, ended; /* there was something to cut; W_END came */
	glane_rc rc;
	char message[256];
	uint64_t rows;
	int status;
};

static void put_job_with(struct wire *w, const char *value)
{
	static struct conf_entry entry = {"len", "5", "x.conf", 4, NULL, false};
	static const struct conf_section section = {"source", "src", "x.conf", 3, &entry, NULL};
	const struct glane_kv cursor[] = {{"since", {value, strlen(value)}}, {"until", {value, strlen(value)}}};
	const char *args[] = {value, value}, *reads[] = {value};
	const struct job j = {.plugin_path = plugin,
		.plugin_name = "pages",
		.source = "src",
		.base_url = "https://example.org",
		.section = &section,
		.cursors = cursor,
		.n_cursors = 2,
		.max_body = 1 << 20,
		.memory = 256 << 20,
		.cpu_seconds = 60,
		.program = {NULL, args, 2, reads, 1}};
	struct diag d;

	diag_clear(&d);
	assert_int_equal(job_send(w, &j, &d), GLANE_OK);
}

static void put_job(struct wire *w)
{
	put_job_with(w, "2020");
}

static void start(struct session *s, long fail_at)
{
	struct diag d;
	int up[2], broker[2];

	diag_clear(&d);
	assert_int_equal(socket_pair(up, &d), GLANE_OK);
	assert_int_equal(socket_pair(broker, &d), GLANE_OK);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		const int a = fcntl(up[1], F_DUPFD, 100), b = fcntl(broker[1], F_DUPFD, 100);
		const int words = open("/dev/null", O_WRONLY); /* no file: it may not write to one */
		int status;

		if (dup2(words, 2) != 2 || dup2(a, 3) != 3 || dup2(b, 4) != 4 || close_range(5, ~0u, 0) != 0)
			_exit(99);
		mem_fail_after(fail_at, true);
		status = worker_main();
		mem_fail_after(0, false);
		_exit(status);
	}
	close(up[1]);
	close(broker[1]);
	wire_init(&s->up, up[0]);
	wire_init(&s->broker, broker[0]);
}

static bool sent(struct wire *w, int fd)
{
	struct diag d;

	diag_clear(&d);
	return wire_end(w, fd, &d) == GLANE_OK && wire_flush(w, &d) == GLANE_OK;
}

static void put_answer(struct session *s)
{
	struct wire *w = &s->broker;
	int fd = -1;
	char hash[65];

	assert_true(sha256_of(SLICE(BODY), hash));
	wire_begin(w, s->type ? s->type : B_ANSWER);
	wire_i64(w, s->answer_rc);
	wire_cstr(w, s->answer_rc ? "refused" : NULL);
	wire_cstr(w, hash);
	wire_u64(w, strlen(BODY));
	wire_cstr(w, "application/json");
	wire_cstr(w, "https://example.org/data");
	if (s->cut_at) {
		s->more = w->out.n - w->out_start - 8 > s->cut_at;
		if (s->more)
			w->out.n = w->out_start + 8 + s->cut_at;
	}
	if (!s->no_fd && !s->answer_rc) {
		fd = memfd_create("body", MFD_CLOEXEC);
		assert_int_equal(write(fd, BODY, strlen(BODY)), strlen(BODY));
	}
	(void)sent(w, fd);
}

/* What comes on the broker's socket; false: no more will. */
static bool serve(struct session *s)
{
	struct frame f;
	struct diag d;

	diag_clear(&d);
	if (wire_wait(&s->broker, &f, &d) != GLANE_OK)
		return false;
	if (f.type == B_FETCH && s->gone)
		return false;
	if (f.type == B_FETCH) {
		put_answer(s);
		return true;
	}
	assert_int_equal(f.type, B_WORDS);
	wire_begin(&s->broker, B_WORDS);
	wire_text(&s->broker, frame_text(&f));
	(void)sent(&s->broker, -1);
	return true;
}

static void hear(struct session *s)
{
	struct slice message;
	struct frame f;
	struct diag d;

	diag_clear(&d);
	if (wire_wait(&s->up, &f, &d) != GLANE_OK) {
		fd_close(&s->up.fd);
		return;
	}
	if (f.type != W_END)
		return;
	s->ended = true;
	s->rc = (glane_rc)frame_i64(&f);
	message = frame_text(&f);
	snprintf(s->message, sizeof(s->message), "%.*s", SLICE_FMT(message));
	s->rows = frame_u64(&f);
}

/* Serves and hears until its end. */
static void finish(struct session *s)
{
	while (s->up.fd >= 0) {
		struct pollfd p[] = {{s->up.fd, POLLIN, 0}, {s->broker.fd, POLLIN, 0}};

		assert_true(poll(p, 2, 60000) > 0);
		if (p[1].revents && !serve(s))
			fd_close(&s->broker.fd);
		if (p[0].revents)
			hear(s);
	}
	wire_release(&s->up);
	wire_release(&s->broker);
	assert_int_equal(waitpid(s->pid, &s->status, 0), s->pid);
	assert_true(WIFEXITED(s->status));
}

static char long_text[9000]; /* wants memory of its own wherever it is kept */

static void run_job(struct session *s, long fail_at)
{
	start(s, fail_at);
	memset(long_text, '2', sizeof(long_text) - 1);
	put_job_with(&s->up, fail_at ? long_text : "2020");
	(void)sent(&s->up, -1);
	finish(s);
}

static void skip_without_plugin(void)
{
	if (!plugin)
		skip(); /* GLANE_OUT names no build */
}

static void runs_a_job(void **state)
{
	struct session s = {0};

	(void)state;
	skip_without_plugin();
	run_job(&s, 0);
	assert_string_equal(s.message, "");
	assert_true(s.ended);
	assert_int_equal(s.rc, GLANE_OK);
	assert_int_equal(s.rows, 2);
	assert_int_equal(s.status, 0);
}

/* Cut at any byte it is refused before a plugin is loaded, also where what is left still counts as entries, cursors and lists. */
static void cut_jobs(void **state)
{
	bool more = true;

	(void)state;
	skip_without_plugin();
	for (uint32_t n = 0; more; n++) {
		struct session s = {0};

		start(&s, 0);
		put_job(&s.up);
		more = s.up.out.n > 8 + n + 1;
		s.up.out.n = 0;
		wire_begin(&s.up, W_JOB);
		s.up.out.n += n; /* the same bytes: they are still there */
		(void)sent(&s.up, -1);
		finish(&s);
		assert_true(s.ended);
		assert_int_equal(s.rc, GLANE_E_FORMAT);
		assert_string_equal(s.message, "the worker's job does not read");
	}
}

/* Any four bytes of it turned into the largest number: whatever it means then, an end that is told and no crash. */
static void turned_jobs(void **state)
{
	bool more = true;

	(void)state;
	skip_without_plugin();
	for (size_t at = 0; more; at++) {
		struct session s = {0};

		start(&s, 0);
		put_job(&s.up);
		more = s.up.out_start + 8 + at + 4 <= s.up.out.n;
		if (more)
			memset(s.up.out.p + s.up.out_start + 8 + at, 0xff, 4);
		(void)sent(&s.up, -1);
		finish(&s);
		assert_true(s.ended);
	}
}

static void another_frame(void **state)
{
	struct session s = {0};

	(void)state;
	skip_without_plugin();
	start(&s, 0);
	put_job(&s.up);
	s.up.out.p[s.up.out_start + 4] ^= 1;
	(void)sent(&s.up, -1);
	finish(&s);
	assert_string_equal(s.message, "the worker's job does not read");
}

static void cut_answers(void **state)
{
	(void)state;
	skip_without_plugin();
	for (uint32_t n = 1;; n++) {
		struct session s = {.cut_at = n};

		run_job(&s, 0);
		assert_true(s.ended);
		if (!s.more)
			break;
		assert_int_equal(s.rc, GLANE_E_FORMAT);
		assert_non_null(strstr(s.message, "the broker's answer does not read"));
	}
}

static void answers_that_do_not_hold(void **state)
{
	static const struct {
		struct session s;
		const char *want;
	} cases[] = {{{.no_fd = true}, "came without its payload"}, {{.type = B_LISTED}, "answer does not read"},
		{{.answer_rc = GLANE_E_FETCH}, "refused"}, {{.answer_rc = 77}, "answer does not read"},
		{{.answer_rc = INT64_MIN}, "answer does not read"}, {{.gone = true}, "the broker has ended"}};

	(void)state;
	skip_without_plugin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct session s = cases[i].s;

		run_job(&s, 0);
		assert_true(s.ended);
		assert_int_not_equal(s.rc, GLANE_OK);
		if (!strstr(s.message, cases[i].want))
			print_error("%s\n", s.message);
		assert_non_null(strstr(s.message, cases[i].want));
	}
}

/* Each allocation in turn is the first that fails: a report that says so, or an end without one; never a crash, never a row too few. */
static void lack_of_memory(void **state)
{
	long failed = 0;

	(void)state;
	skip_without_plugin();
	for (long n = 1;; n++) {
		struct session s = {0};

		run_job(&s, n);
		if (s.status == 0) {
			assert_true(s.ended && s.rc == GLANE_OK && s.rows == 2);
			break;
		}
		assert_true(!s.ended || s.rc != GLANE_OK);
		failed++;
		assert_true(n < 5000);
	}
	assert_true(failed > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_a_job),
		cmocka_unit_test(cut_jobs),
		cmocka_unit_test(turned_jobs),
		cmocka_unit_test(another_frame),
		cmocka_unit_test(cut_answers),
		cmocka_unit_test(answers_that_do_not_hold),
		cmocka_unit_test(lack_of_memory),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as in glane: an end that is gone is an error of the write */
	arena_init(&arena, 0);
	plugin = test_plugin_path(&arena, "test-plugins", "pages");
	failed = cmocka_run_group_tests_name("worker", tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
