/* SPDX-License-Identifier: MIT */
/* A plugin that misbehaves as its option `how` says; tests/run/evil.py tells what has to become of each. */
#include <glane/plugin.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct state {
	const char *how, *url;
};
#define OPTION(name, dflt)                                                                                             \
	{                                                                                                              \
#name, GLANE_OPT_STR, 0, offsetof(struct state, name), dflt, "", 0, 0                                  \
	}
static const struct glane_opt options[] = {OPTION(how, "nothing"), OPTION(url, ""), {0}};

static int *volatile nowhere;
static const struct glane_host *h;
static glane_run *r;
static const struct state *s;

/* ---- what a plugin of good faith would do ---- */

static glane_rc series(uint32_t *ret)
{
	const struct glane_request q = {.size = sizeof(q), .url = "{base_url}/table.csv"};
	glane_reader *rd;
	const struct glane_series def = {.size = sizeof(def),
		.freq = 'A',
		.dataset = GLANE_STR("EVIL"),
		.indicator = GLANE_STR("I"),
		.area = GLANE_STR("TGO")};

	const glane_rc rc = h->open(r, &q, &rd);

	return rc == GLANE_OK ? h->series(r, &def, ret) : rc;
}

static glane_rc emit(uint32_t handle, const char *period)
{
	const struct glane_row row = {
		.size = sizeof(row), .series = handle, .period = {period, strlen(period)}, .value = GLANE_STR("1")};

	return h->emit(r, &row);
}

static glane_rc cover(void)
{
	const struct glane_cover c = {.size = sizeof(c), .kind = GLANE_COVER_FULL, .dataset = GLANE_STR("EVIL")};

	return h->cover(r, &c);
}

static glane_rc some_rows(void)
{
	uint32_t handle;
	glane_rc rc = series(&handle);

	for (int i = 0; rc == GLANE_OK && i < 3000; i++)
		rc = emit(handle, h->fmt(r, "%d", 1000 + i));
	return rc == GLANE_OK ? cover() : rc;
}

static void forever(void)
{
	for (;;)
		pause();
}

/* ---- ends ---- */

static glane_rc crash(void)
{
	some_rows();
	*nowhere = 1;
	return GLANE_OK;
}
static glane_rc die_of_abort(void)
{
	h->log(r, GLANE_LOG_INFO, "the line before the abort");
	abort();
}
/* Emits a row for each record; one that holds "boom" is noted, or the end. */
static glane_rc read_table(const char *url, bool *ret_boom)
{
	static const char *const fields[] = {"code", "value"};
	const struct glane_request q = {
		.size = sizeof(q), .url = url, .format = GLANE_FMT_CSV, .field = fields, .n_field = 2};
	glane_reader *rd;
	uint32_t handle;
	glane_rc rc = h->open(r, &q, &rd);

	for (int i = 0; rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK; i++) {
		if (h->at(rd, 0).n == 4 && memcmp(h->at(rd, 0).p, "boom", 4) == 0) {
			if (!ret_boom)
				*nowhere = 1;
			*ret_boom = true;
		}
		rc = series(&handle);
		rc = rc == GLANE_OK ? emit(handle, h->fmt(r, "%d", 2000 + i)) : rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}
static glane_rc crash_by_boom(void)
{
	const glane_rc rc = read_table(s->url, NULL);

	return rc == GLANE_OK ? cover() : rc;
}
/* The end comes with another payload than the one that is to blame. */
static glane_rc crash_behind_boom(void)
{
	bool is_due = false;
	glane_rc rc = read_table(s->url, &is_due);

	if (rc == GLANE_OK)
		rc = read_table("{base_url}/behind.csv", is_due ? NULL : &is_due);
	return rc == GLANE_OK ? cover() : rc;
}
static volatile char depth[2];
static int deeper(int n)
{
	volatile char here[4096];

	here[0] = depth[0];
	return n + here[0] + (depth[1] == 1 ? 0 : deeper(n + 1)) + here[0];
}
static glane_rc recurse(void)
{
	return (glane_rc)deeper(0);
}
static glane_rc leave(void)
{
	some_rows();
	_exit(0);
}
/* More than a pipe holds, and than anybody keeps. */
static void chatter(void)
{
	for (int i = 0; i < 10000; i++)
		fprintf(stderr, "and this is line %d\n", i);
}

static glane_rc leave_three(void)
{
	chatter();
	fputs("a last word\n", stderr);
	exit(3);
}

static glane_rc loud_at_exit(void)
{
	return h->fail(r, GLANE_E_DATA, "it will be loud");
}
static glane_rc become_another(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return GLANE_OK;
}
static glane_rc kill_itself(void)
{
	raise(SIGKILL);
	return GLANE_OK;
}
static glane_rc write_a_file(void)
{
	const int fd = open(s->url, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "x", 1) != 1)
		return h->fail(r, GLANE_E_IO, "not written");
	return GLANE_OK;
}

/* ---- hangs ---- */

static glane_rc spin(void)
{
	for (volatile unsigned i = 0; i < 10; i = i & 7)
		;
	return GLANE_OK;
}
static glane_rc ignore_term(void)
{
	signal(SIGTERM, SIG_IGN);
	forever();
	return GLANE_OK;
}
static glane_rc stop_itself(void)
{
	raise(SIGSTOP);
	forever();
	return GLANE_OK;
}
static glane_rc ignore_cancellation(void)
{
	uint32_t handle = 0;

	series(&handle);
	while (h)
		emit(handle, "2020");
	return GLANE_OK;
}
static glane_rc endless_rows(void)
{
	uint32_t handle;
	glane_rc rc = series(&handle);

	while (rc == GLANE_OK)
		rc = emit(handle, "2020");
	return rc;
}
static glane_rc endless_log(void)
{
	while (!h->cancelled(r))
		h->log(r, GLANE_LOG_WARN, "again \033[31m and again");
	return GLANE_E_CANCELLED;
}
static glane_rc endless_output(void)
{
	while (write(1, "noise noise noise\n", 18) > 0)
		;
	return GLANE_OK;
}

/* ---- memory ---- */

static glane_rc all_memory_abort(void)
{
	for (;;) {
		char *p = malloc((size_t)1 << 16);

		if (!p)
			abort();
		memset(p, 1, (size_t)1 << 16);
	}
	return GLANE_OK;
}
static glane_rc all_memory_crash(void)
{
	for (;;) {
		int *p = malloc((size_t)1 << 16);

		if (!p)
			p = nowhere;
		p[0] = 1;
	}
	return GLANE_OK;
}
static glane_rc endless_series(void)
{
	static char title[60000];
	uint32_t handle;
	glane_rc rc = series(&handle);

	memset(title, 'x', sizeof(title));
	for (unsigned i = 0; rc == GLANE_OK; i++) {
		const struct glane_series def = {
			.size = sizeof(def), .dataset = GLANE_STR("EVIL"), .title = {title, sizeof(title)}};

		snprintf(title, 12, "%u", i);
		title[strlen(title)] = '-';
		rc = h->series(r, &def, &handle);
		if (rc == GLANE_OK)
			rc = emit(handle, "2020");
	}
	return rc;
}
static glane_rc huge_text(void)
{
	const size_t n = (size_t)10 << 20;
	char *text = malloc(n);
	struct glane_row row = {.size = sizeof(row), .period = GLANE_STR("2020"), .value = GLANE_STR("1")};

	if (!text || series(&row.series) != GLANE_OK)
		abort();
	memset(text, 'x', n);
	row.note = (glane_str){text, n};
	h->emit(r, &row);
	free(text);
	return cover();
}

/* ---- processes, threads, descriptors ---- */

static glane_rc fork_children(void)
{
	for (int i = 0; i < 5; i++)
		if (fork() == 0)
			forever();
	return h->fail(r, GLANE_E_DATA, "forked");
}
static glane_rc fork_away(void)
{
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			setsid();
			if (fork() == 0)
				forever();
			_exit(0);
		}
	return h->fail(r, GLANE_E_DATA, "forked away");
}
static void *thread(void *arg)
{
	(void)arg;
	forever();
	return NULL;
}
static glane_rc start_threads(void)
{
	pthread_t t;

	for (int i = 0; i < 8; i++)
		if (pthread_create(&t, NULL, thread, NULL) != 0)
			break;
	return h->fail(r, GLANE_E_DATA, "threaded");
}
static void close_all(void)
{
	for (int fd = 0; fd < 64; fd++)
		close(fd);
}
static glane_rc close_and_stay(void)
{
	close_all();
	forever();
	return GLANE_OK;
}
static glane_rc close_and_return(void)
{
	close_all();
	return some_rows();
}
static glane_rc junk(int fd)
{
	char bytes[4096];

	memset(bytes, 0xA5, sizeof(bytes));
	if (write(fd, bytes, sizeof(bytes)) < 0)
		return GLANE_E_IO;
	return GLANE_OK;
}
static glane_rc junk_to_scheduler(void)
{
	junk(3);
	forever();
	return GLANE_OK;
}
static glane_rc junk_to_broker(void)
{
	const struct glane_request q = {.size = sizeof(q), .url = s->url};
	glane_reader *rd;

	junk(4);
	return h->open(r, &q, &rd);
}
/* Frames of its own on its connections (core/proc/intake.h, broker.h): u32 length, u16 type, u16 0, fields. */
enum { PAYLOAD = 10, SERIES = 11, OBS = 14, COVER = 15, PROGRESS = 19, END = 20, FETCH = 140 };
#define FRAME_MAX ((size_t)1 << 20)
static char frame[FRAME_MAX + 4096];
static size_t n_frame;

static void put(const void *bytes, size_t n)
{
	memcpy(frame + n_frame, bytes, n);
	n_frame += n;
}
static void put_text(const char *text)
{
	const uint32_t n = (uint32_t)strlen(text);

	put(&n, sizeof(n));
	put(text, n);
}
static void begin(uint16_t type)
{
	const uint16_t head[4] = {0, 0, type, 0};

	n_frame = 0;
	put(head, sizeof(head));
}
static void put_zeros(size_t n)
{
	memset(frame + n_frame, 0, n);
	n_frame += n;
}
static void end(int fd)
{
	const uint32_t n = (uint32_t)n_frame - 8;

	memcpy(frame, &n, sizeof(n));
	if (write(fd, frame, n_frame) < 0)
		_exit(9);
}

/* It says that it reads a payload whose name is no hash, and dies. */
static glane_rc false_progress(void)
{
	static const uint64_t counts[2] = {1, 1};

	some_rows();
	begin(PROGRESS);
	put(counts, sizeof(counts));
	put_text("\xff\xfe");
	end(3);
	*nowhere = 1;
	return GLANE_OK;
}

/* A row of a payload that it never saw, and an end as it should be. */
static glane_rc other_payload(void)
{
	static const char *const texts[] = {"EVIL", "I", "TGO", "", "", "", "title", "", ""};
	const struct glane_obs o = {.series = 1, .period = 2020, .coef = 7, .status = 'A'};
	const uint64_t one = 1;
	char hash[65];
	uint32_t handle;

	if (series(&handle) != GLANE_OK)
		return GLANE_E_FETCH;
	memset(hash, 'a', 64);
	hash[64] = '\0';
	begin(PAYLOAD);
	put_text(hash);
	end(3);
	begin(SERIES);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		put_text(texts[i]);
	put("A", 1);
	put_zeros(8);
	end(3);
	begin(OBS);
	put(&o, sizeof(o));
	end(3);
	begin(END);
	put_zeros(8);
	put_text("");
	put(&one, sizeof(one));
	put_zeros(24);
	end(3);
	_exit(0);
}

/* Asks by itself for what it may not have, often, and reads each answer. */
static glane_rc denied_often(void)
{
	char url[64];

	for (int i = 0; i < 300; i++) {
		uint32_t head[2], n;

		snprintf(url, sizeof(url), "http://127.0.0.2:9/%d", i);
		begin(FETCH);
		put_text("GET");
		put_text(url);
		put_zeros(21); /* no headers, body or type; format, again, wait */
		end(4);
		if (recv(4, head, sizeof(head), MSG_WAITALL) != sizeof(head))
			return GLANE_E_DATA;
		for (n = head[0]; n > 0;) {
			const ssize_t got = recv(4, frame, n < sizeof(frame) ? n : sizeof(frame), 0);

			if (got <= 0)
				return GLANE_E_DATA;
			n -= (uint32_t)got;
		}
	}
	return h->fail(r, GLANE_E_DATA, "denied often");
}

static glane_rc ill_reason(void)
{
	const uint32_t kind = GLANE_COVER_FAILED;
	uint32_t handle;
	const glane_rc rc = series(&handle);

	if (rc != GLANE_OK)
		return rc;
	begin(COVER);
	put(&kind, sizeof(kind));
	put_text("E\033[31mVIL");
	put_text("");
	put_zeros(16);
	put_text("x\033[31mred\nsecurity: forged");
	end(3);
	return GLANE_OK;
}

static glane_rc half_a_frame(void)
{
	static const unsigned char head[10] = {0xff, 0xff, 0, 0, 14, 0, 0, 0, 1, 2};

	if (write(3, head, sizeof(head)) < 0)
		return GLANE_E_IO;
	_exit(0);
}
/* The same at five bytes a second, which is never silence. */
static glane_rc slow_frame(void)
{
	static const unsigned char head[8] = {0xff, 0xff, 0, 0, 14};
	const struct timespec pause = {.tv_nsec = 200000000};

	for (size_t i = 0; i < 0xffff; i++) {
		if (write(3, i < sizeof(head) ? head + i : head, 1) < 0)
			return GLANE_E_IO;
		(void)nanosleep(&pause, NULL);
	}
	return GLANE_OK;
}

/* ---- calls ---- */

static glane_rc bad_handle(void)
{
	emit(77, "2020");
	return cover();
}
static glane_rc bad_push(void)
{
	struct glane_obs o[3] = {
		{.period = 2020, .status = '\x01'}, {.period = INT32_MIN}, {.period = 2020, .note = 99}};

	for (int i = 0; i < 3; i++) {
		series(&o[i].series);
		h->push(r, &o[i], 1, sizeof(o[i]));
	}
	return cover();
}
static glane_rc null_arguments(void)
{
	h->series(r, NULL, NULL);
	h->emit(r, NULL);
	h->push(r, NULL, 5, 24);
	h->cover(r, NULL);
	h->open(r, NULL, NULL);
	h->next(NULL);
	h->close(NULL);
	h->set_cursor(r, NULL, GLANE_STR("x"));
	return GLANE_OK;
}
static glane_rc bad_format(void)
{
	char fmt[] = "%n%s";
	int n = 0;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	h->log(r, GLANE_LOG_INFO, fmt, &n, (const char *)1);
#pragma GCC diagnostic pop
	return GLANE_OK;
}
static glane_rc code_42(void)
{
	some_rows();
	return 42;
}
static glane_rc code_end(void)
{
	some_rows();
	return GLANE_END;
}
static glane_rc code_least(void)
{
	some_rows();
	return INT32_MIN;
}
static glane_rc emit_after_fail(void)
{
	h->fail(r, GLANE_E_DATA, "the file has no such column");
	return some_rows();
}
static glane_rc swallow(void)
{
	const struct glane_request q = {.size = sizeof(q), .url = "{base_url}/gone.csv", .format = GLANE_FMT_CSV};
	glane_reader *rd;

	uint32_t handle;
	glane_rc rc = series(&handle);

	if (rc == GLANE_OK)
		rc = emit(handle, "2020");
	h->open(r, &q, &rd);
	return rc == GLANE_OK ? cover() : rc;
}
static glane_rc forbidden(void)
{
	const struct glane_request q = {.size = sizeof(q), .url = s->url, .format = GLANE_FMT_CSV};
	glane_reader *rd;

	return h->open(r, &q, &rd);
}

/* Tells everybody what it read, and dies of it. */
static glane_rc repeat(void)
{
	const struct glane_request q = {.size = sizeof(q), .url = s->url, .format = GLANE_FMT_RAW};
	static char text[8192];
	glane_reader *rd;
	glane_rc rc = h->open(r, &q, &rd);
	const int64_t n = rc == GLANE_OK ? h->read(rd, text, sizeof(text) - 1) : 0;

	if (n <= 0)
		return h->fail(r, GLANE_E_DATA, "nothing to repeat");
	h->log(r, GLANE_LOG_WARN, "%s", text);
	for (int64_t i = 0; i < n; i++)
		if (text[i] == '\n')
			text[i] = ' ';
	if (write(2, text, (size_t)n) == n)
		abort();
	return GLANE_OK;
}

/* ---- well-formed requests to the broker (proc/broker.h), beside the host's ---- */

#define BROKER 4
static void put_u32(uint32_t v)
{
	put(&v, sizeof(v));
}
static void put_bytes(const char *p, size_t n)
{
	put_u32((uint32_t)n);
	put(p, n);
}

/* A POST with such a body; another number makes it another request. False: nobody takes it. */
static bool ask(size_t n_body, uint32_t number)
{
	static char body[FRAME_MAX];
	const uint16_t head[4] = {0, 0, 140, 0};
	uint32_t n;

	n_frame = 0;
	put(head, sizeof(head));
	put_bytes("POST", 4);
	put_bytes(s->url, strlen(s->url));
	put_u32(0);
	memset(body, 'b', n_body);
	put_bytes(body, n_body);
	put_u32(UINT32_MAX);
	put("", 1);
	put_u32(number);
	put_u32(0);
	n = (uint32_t)n_frame - (uint32_t)sizeof(head);
	memcpy(frame, &n, sizeof(n));
	for (size_t at = 0; at < n_frame;) {
		const ssize_t k = write(BROKER, frame + at, n_frame - at);

		if (k <= 0)
			return false;
		at += (size_t)k;
	}
	return true;
}

static void get(void *p, size_t n)
{
	while (n > 0) {
		const ssize_t k = read(BROKER, p, n);

		if (k <= 0)
			_exit(9);
		p = (char *)p + k;
		n -= (size_t)k;
	}
}

/* Waits for an answer; its failure is this run's, if it is a limit. */
static glane_rc answered(void)
{
	uint32_t n[2];
	int64_t rc;

	get(n, sizeof(n));
	get(frame, n[0]);
	memcpy(&rc, frame, sizeof(rc));
	memcpy(n, frame + 8, sizeof(n[0]));
	return rc == GLANE_E_LIMIT ? h->fail(r, GLANE_E_LIMIT, "%.*s", (int)n[0], frame + 12) : GLANE_OK;
}

static glane_rc huge_request(void)
{
	return ask(FRAME_MAX - 200, 0) ? answered() : GLANE_E_IO;
}
static glane_rc many_requests(void)
{
	for (uint32_t i = 0; i < 100; i++)
		if (!ask(FRAME_MAX - 100000, i) || answered() != GLANE_OK)
			break;
	return GLANE_OK;
}

static glane_rc pipelined(void)
{
	for (uint32_t i = 0; i < 200000; i++)
		if (!ask(0, i))
			return h->fail(r, GLANE_E_IO, "request %u was not taken", i);
	return h->fail(r, GLANE_E_DATA, "all were taken");
}
/* Of one request that is still under way. */
static glane_rc repeats(void)
{
	for (int i = 0; i < 600; i++)
		if (!ask(FRAME_MAX - 100000, 0))
			return some_rows();
	return h->fail(r, GLANE_E_DATA, "all were taken");
}

/* Nothing evil: each of 200 pages is read twice, the second time after all others. */
static glane_rc many_pages(void)
{
	uint32_t handle;
	glane_rc done;

	for (int i = 0; i < 400; i++) {
		const char *name = h->fmt(r, "{base_url}/page/%d", i % 200);
		const struct glane_request q = {.size = sizeof(q), .url = name, .format = GLANE_FMT_RAW};
		char text[64] = "", want[64];
		glane_reader *rd;
		glane_rc rc = h->open(r, &q, &rd);

		if (rc == GLANE_OK && h->read(rd, text, sizeof(text) - 1) < 0)
			rc = GLANE_E_IO;
		if (rc != GLANE_OK)
			return rc;
		snprintf(want, sizeof(want), "page %d", i % 200);
		if (strcmp(text, want) != 0)
			return h->fail(r, GLANE_E_DATA, "'%s' in place of '%s'", text, want);
		h->close(rd);
	}
	done = series(&handle);
	done = done == GLANE_OK ? emit(handle, "2020") : done;
	return done == GLANE_OK ? cover() : done;
}

static const struct {
	const char *name;
	glane_rc (*run)(void);
} ways[] = {{"crash", crash}, {"crash_by_boom", crash_by_boom}, {"crash_behind_boom", crash_behind_boom},
	{"abort", die_of_abort}, {"recurse", recurse}, {"leave", leave}, {"leave_three", leave_three},
	{"loud_at_exit", loud_at_exit}, {"exec", become_another}, {"kill_itself", kill_itself},
	{"write_file", write_a_file}, {"spin", spin}, {"ignore_term", ignore_term}, {"stop_itself", stop_itself},
	{"ignore_cancellation", ignore_cancellation}, {"endless_rows", endless_rows}, {"endless_log", endless_log},
	{"endless_output", endless_output}, {"memory_abort", all_memory_abort}, {"memory_crash", all_memory_crash},
	{"endless_series", endless_series}, {"huge_text", huge_text}, {"fork", fork_children}, {"fork_away", fork_away},
	{"threads", start_threads}, {"close_and_stay", close_and_stay}, {"close_and_return", close_and_return},
	{"junk_up", junk_to_scheduler}, {"junk_broker", junk_to_broker}, {"false_progress", false_progress},
	{"other_payload", other_payload}, {"denied_often", denied_often}, {"ill_reason", ill_reason},
	{"half_a_frame", half_a_frame}, {"slow_frame", slow_frame}, {"bad_handle", bad_handle}, {"bad_push", bad_push},
	{"null_arguments", null_arguments}, {"bad_format", bad_format}, {"code_42", code_42}, {"code_end", code_end},
	{"code_least", code_least}, {"emit_after_fail", emit_after_fail}, {"swallow", swallow},
	{"forbidden", forbidden}, {"repeat", repeat}, {"crash_in_fini", some_rows}, {"crash_at_exit", some_rows},
	{"huge_request", huge_request}, {"many_requests", many_requests}, {"pipelined", pipelined},
	{"repeats", repeats}, {"many_pages", many_pages}};

static glane_rc init(const struct glane_host *host, glane_run *run, void *state)
{
	h = host;
	r = run;
	s = state;
	if (strcmp(s->how, "crash_in_init") == 0)
		*nowhere = 1;
	return GLANE_OK;
}

static glane_rc run(const struct glane_host *host, glane_run *run, void *state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, s->how) == 0)
			return ways[i].run();
	return host->fail(run, GLANE_E_CONFIG, "no such way to misbehave");
}

static int crash_later, chatter_later;

static void fini(void *state)
{
	(void)state;
	if (strcmp(s->how, "crash_in_fini") == 0)
		*nowhere = 1;
	crash_later = strcmp(s->how, "crash_at_exit") == 0;
	chatter_later = strcmp(s->how, "loud_at_exit") == 0;
}

__attribute__((destructor)) static void at_exit(void)
{
	if (crash_later)
		*nowhere = 1;
	if (chatter_later)
		chatter();
}

GLANE_PLUGIN(.name = "evil", .version = "1", .title = "misbehaves\033[31m as it is told", .opts = options,
	.state_size = sizeof(struct state), .init = init, .run = run, .fini = fini);
