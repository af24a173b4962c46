/* SPDX-License-Identifier: MIT */
/* The broker's main loop in a process of its own: what it answers from the archive, frames that do not read, no memory; a local server. */
#include "support/cmocka.h"

#include "base/file.h"
#include "base/mem.h"
#include "net/archive.h"
#include "proc/answers.h"
#include "proc/spawn.h"

#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BODY "area,year,value\nTGO,2020,1\n"
#define URL "https://example.org/a.csv?key={auth:KEY}"
#define SECRET "s3cr3t-of-the-tests"
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static char folder[64];
static const char *allowed = "https://example.org";
static bool starved; /* the session is one of lack_of_memory */

struct session {
	struct wire control, client;
	pid_t pid;
	int words; /* a memfd: what the broker printed */
	int status;
	char text[4096];
};

/* ---- frames as the scheduler and a worker send them ---- */

static void put_setup(struct wire *w, uint8_t mode, const char *store)
{
	char limits[96];

	snprintf(limits, sizeof(limits), "%s/broker/limits.json", folder);
	wire_begin(w, B_SETUP);
	wire_cstr(w, "tests@example.org");
	wire_cstr(w, NULL);
	wire_cstr(w, NULL);
	wire_cstr(w, limits);
	wire_cstr(w, store);
	wire_u32(w, 0);
	wire_u32(w, 0);
	wire_u8(w, mode);
	wire_u8(w, 0);
	wire_u32(w, 1);
	wire_cstr(w, "/etc/hosts");
}

static void put_source(struct wire *w, uint32_t id, uint8_t keep)
{
	wire_begin(w, B_SOURCE);
	wire_u32(w, id);
	wire_cstr(w, "src");
	wire_u32(w, 1);
	wire_cstr(w, allowed);
	wire_u32(w, 2);
	wire_cstr(w, "declared.example");
	wire_cstr(w, "http://127.0.0.1:8080");
	wire_u32(w, 1);
	wire_cstr(w, "KEY");
	wire_cstr(w, "env:GLANE_TEST_KEY");
	wire_u64(w, 64 << 20);
	wire_u32(w, 1);
	wire_f64(w, 1e6);
	wire_cstr(w, NULL);
	wire_u8(w, keep);
	wire_u8(w, 1);
	wire_u32(w, 1);
	wire_cstr(w, "0000000000000000000000000000000000000000000000000000000000000000");
	wire_i64(w, 0);
}

static struct request request_of(const char *url)
{
	static const struct glane_kv header[] = {
		{"Accept", {"text/csv", 8}}, {"X-Key", {SECRET, sizeof(SECRET) - 1}}, {"X-Empty", {NULL, 0}}};

	return (struct request){"GET", url, header, strstr(url, "key=") ? 3 : 1, {NULL, 0}, NULL, 1, 0, 0};
}

static void put_ask(struct wire *w, uint16_t how, const char *url)
{
	const struct request r = request_of(url);

	wire_begin(w, how);
	wire_request(w, &r);
}

static void put_fetch(struct wire *w, const char *url)
{
	put_ask(w, B_FETCH, url);
}

static void put_replay(struct wire *w, const char *url, const char *sha256)
{
	const struct request r = request_of(url);

	wire_begin(w, B_REPLAY);
	wire_u32(w, 1);
	wire_u32(w, 7);
	wire_request(w, &r);
	wire_cstr(w, "");
	wire_cstr(w, "");
	wire_cstr(w, sha256);
}

static void put_id(struct wire *w, uint16_t type, uint32_t id)
{
	wire_begin(w, type);
	wire_u32(w, id);
}

static void put_keep(struct wire *w, const char *sha256)
{
	put_id(w, B_KEEP, 1);
	wire_cstr(w, sha256);
}

static bool sent(struct wire *w, int fd)
{
	struct diag d;

	diag_clear(&d);
	return wire_end(w, fd, &d) == GLANE_OK && wire_flush(w, &d) == GLANE_OK;
}

/* ---- the process ---- */

static void start(struct session *s, long fail_at, bool for_ever)
{
	struct diag d;
	int pair[2];

	diag_clear(&d);
	memset(s, 0, sizeof(*s));
	s->words = memfd_create("words", MFD_CLOEXEC);
	assert_true(s->words >= 0 && socket_pair(pair, &d) == GLANE_OK);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		int status;

		close(pair[0]);
		dup2(s->words, 2);
		mem_fail_after(fail_at, for_ever);
		status = broker_main(pair[1]);
		mem_fail_after(0, false);
		_exit(status);
	}
	close(pair[1]);
	wire_init(&s->control, pair[0]);
	wire_init(&s->client, -1);
}

/* A question of its own: with a long URL, with a body, asked before. It is in no archive. */
static void put_question(struct wire *w)
{
	static char url[3000], body[20000], value[9000]; /* each wants memory of its own */
	const struct glane_kv header[] = {{"X-Long", {value, sizeof(value)}}};
	struct request r = {"POST", url, header, 1, {body, sizeof(body)}, NULL, 1, 2, 0};

	memset(url, 'u', sizeof(url) - 1);
	memcpy(url, "https://example.org?key=" SECRET, strlen("https://example.org?key=" SECRET));
	memset(body, 'b', sizeof(body));
	memcpy(body + 100, SECRET, strlen(SECRET));
	memset(value, 'v', sizeof(value));
	memcpy(value + 100, SECRET, strlen(SECRET));
	wire_begin(w, B_FETCH);
	wire_request(w, &r);
}

/* Lets go of it, waits for its end, and reads what it printed. */
static void finish(struct session *s)
{
	ssize_t n;

	wire_release(&s->control);
	wire_release(&s->client);
	assert_int_equal(waitpid(s->pid, &s->status, 0), s->pid);
	n = pread(s->words, s->text, sizeof(s->text) - 1, 0);
	s->text[n > 0 ? n : 0] = '\0';
	close(s->words);
	assert_true(WIFEXITED(s->status));
}

static bool add_another(struct session *s, uint32_t id, uint8_t keep, int *ret_fd)
{
	struct diag d;
	int pair[2];

	diag_clear(&d);
	assert_int_equal(socket_pair(pair, &d), GLANE_OK);
	*ret_fd = pair[0];
	put_source(&s->control, id, keep);
	return sent(&s->control, pair[1]);
}

static bool add_source(struct session *s, uint8_t keep)
{
	return add_another(s, 1, keep, &s->client.fd);
}

/* A broker that asks nobody, with a source of which it keeps what brought events. */
static void start_offline(struct session *s)
{
	start(s, 0, true);
	put_setup(&s->control, 1, folder);
	assert_true(sent(&s->control, -1) && add_source(s, KEEP_EVENTS));
}

/* The next frame, which must be of that type; false: the peer has ended. */
static bool wait_for(struct wire *w, uint16_t type, struct frame *f)
{
	struct diag d;

	diag_clear(&d);
	do { /* without memory a host may not be seen to be allowed */
		if (wire_wait(w, f, &d) != GLANE_OK)
			return false;
	} while (starved && f->type == B_SECURITY);
	assert_int_equal(f->type, type);
	return true;
}

/* Asks as a worker does; the code of the answer (GLANE_E_IO: the broker is gone), its message in `text`. */
static glane_rc ask_how(struct session *s, uint16_t how, const char *url, char *text, size_t n)
{
	struct slice message;
	struct frame f;
	glane_rc rc;
	int fd;

	put_ask(&s->client, how, url);
	if (!sent(&s->client, -1) || !wait_for(&s->client, B_ANSWER, &f))
		return GLANE_E_IO;
	rc = (glane_rc)frame_i64(&f);
	message = frame_text(&f);
	snprintf(text, n, "%.*s", SLICE_FMT(message));
	fd = wire_take_fd(&s->client);
	assert_true((fd >= 0) == (rc == GLANE_OK));
	if (rc == GLANE_OK) {
		char body[64];

		assert_int_equal(pread(fd, body, sizeof(body), 0), strlen(BODY));
		assert_memory_equal(body, BODY, strlen(BODY));
		close(fd);
	}
	return rc;
}

static glane_rc ask(struct session *s, const char *url, char *text, size_t n)
{
	return ask_how(s, B_FETCH, url, text, n);
}

/* Whose answers are archived, all with the same body. */
static const struct {
	const char *source, *url;
	glane_rc rc; /* of src, which asks for it */
	const char *says;
} archived[] = {
	{"src", URL, GLANE_OK, ""},
	{"other", "https://example.org/other.csv?key={auth:KEY}", GLANE_E_FETCH,
		"not in the payload archive of this source"},
	{"other", "https://example.org/other.csv", GLANE_E_FETCH, "not in the payload archive of this source"},
	{"", "https://example.org/old.csv", GLANE_OK, ""},
	{"", "https://example.org/old.csv?key={auth:KEY}", GLANE_E_FETCH, "not in the payload archive of this source"},
	{"src", "https://declared.example/mine.csv", GLANE_OK, ""},
	{"src", "https://declared.example/mine.csv?key={auth:KEY}", GLANE_E_DENIED, "security: "},
	{"", "https://declared.example/old.csv", GLANE_E_FETCH, "not in the payload archive of this source"},
	{"src", "https://elsewhere.example/a.csv", GLANE_E_DENIED, "security: "},
	{"", "https://elsewhere.example/a.csv", GLANE_E_DENIED, "security: "},
	{"src", "http://127.0.0.1:8080/a.csv", GLANE_E_DENIED, "security: "},
	{"src", "example.org/a.csv", GLANE_E_CONFIG, "URL"},
};

static void fill_archive(void)
{
	struct archive_entry e = {.method = "GET",
		.body_sha256 = "",
		.content_type = "text/csv",
		.etag = "\"1\"",
		.last_modified = "",
		.fetched_at = 1000,
		.size = strlen(BODY)};
	struct archive a;
	struct diag d;
	int store = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	diag_clear(&d);
	assert_true(store >= 0 && sha256_of(SLICE(BODY), e.sha256));
	assert_int_equal(archive_open(&a, store, true, &d), GLANE_OK);
	fd = file_temp(store, &d);
	assert_int_equal(fd_write(fd, BODY, strlen(BODY), &d), GLANE_OK);
	for (size_t i = 0; i < sizeof(archived) / sizeof(archived[0]); i++) {
		e.source = archived[i].source;
		e.url = archived[i].url;
		assert_int_equal(archive_put(&a, fd, &e, &d), GLANE_OK);
	}
	close(fd);
	archive_close(&a);
	close(store);
}

/* ---- what it serves ---- */

/* How many requests are listed; -1: the broker has ended. */
static int listed(struct session *s, uint32_t id)
{
	int n = 0;

	put_id(&s->control, B_LIST, id);
	if (!sent(&s->control, -1))
		return -1;
	for (;; n++) {
		struct frame f;
		struct diag d;

		diag_clear(&d);
		if (wire_wait(&s->control, &f, &d) != GLANE_OK)
			return -1;
		if (f.type == B_LIST_END)
			return n;
		assert_int_equal(f.type, B_LISTED);
	}
}

static void serves_from_the_archive(void **state)
{
	struct session s;
	struct frame f;
	char text[256], hash[65];

	(void)state;
	start(&s, 0, true);
	put_setup(&s.control, 1, folder);
	assert_true(sent(&s.control, -1) && add_source(&s, KEEP_ALL));
	assert_int_equal(ask(&s, URL, text, sizeof(text)), GLANE_OK);
	assert_int_equal(ask(&s, URL, text, sizeof(text)), GLANE_OK);
	/* The secret itself, as a provider's link to the next page has it, is the placeholder's request. */
	assert_int_equal(ask(&s, "https://example.org/a.csv?key=" SECRET, text, sizeof(text)), GLANE_OK);
	assert_int_equal(ask_how(&s, B_AGAIN, URL, text, sizeof(text)), GLANE_END); /* nobody is asked */
	assert_int_equal(ask(&s, "https://example.org/b.csv", text, sizeof(text)), GLANE_E_FETCH);
	assert_non_null(strstr(text, "not in the payload archive"));
	wire_begin(&s.client, B_WORDS);
	wire_text(&s.client, SLICE("he said " SECRET "."));
	assert_true(sent(&s.client, -1) && wait_for(&s.client, B_WORDS, &f));
	assert_null(strstr(frame_text(&f).p, SECRET));
	assert_int_equal(listed(&s, 1), 1);
	put_id(&s.control, B_ARCHIVE, 1);
	assert_true(sent(&s.control, -1) && wait_for(&s.control, B_ARCHIVED, &f));
	assert_int_equal(frame_u32(&f), 1);
	assert_int_equal(frame_i64(&f), GLANE_OK);
	for (int i = 0; i < 2; i++) { /* what is there already, and what nobody had */
		assert_true(sha256_of(i ? SLICE("another") : SLICE(BODY), hash));
		put_keep(&s.control, hash);
		assert_true(sent(&s.control, -1) && wait_for(&s.control, B_ARCHIVED, &f));
		assert_int_equal(frame_u32(&f), 1);
		assert_int_equal(frame_i64(&f), i ? GLANE_E_DATA : GLANE_OK);
	}
	put_id(&s.control, B_CLOSE, 1);
	assert_true(sent(&s.control, -1));
	wire_begin(&s.control, B_QUIT);
	assert_true(sent(&s.control, -1));
	finish(&s);
	assert_int_equal(s.status, 0);
	assert_string_equal(s.text, "");
}

/* The archive gives a source what the network would, and no other source's answer. */
static void answers_are_whose_they_were(void **state)
{
	struct session s;
	char text[1024], hash[65];
	struct frame f;

	(void)state;
	assert_true(sha256_of(SLICE(BODY), hash));
	start_offline(&s);
	for (size_t i = 0; i < sizeof(archived) / sizeof(archived[0]); i++) {
		const glane_rc rc = ask(&s, archived[i].url, text, sizeof(text));

		if (rc != archived[i].rc || !strstr(text, archived[i].says))
			print_error("%s of '%s': %s\n", archived[i].url, archived[i].source, text);
		assert_int_equal(rc, archived[i].rc);
		assert_non_null(strstr(text, archived[i].says));
	}
	for (int i = 0; i < 3; i++) /* the scheduler has heard of each that was denied, once */
		assert_true(wait_for(&s.control, B_SECURITY, &f));
	/* Nor is a list that names it a way around: of an older configuration, until somebody asks for it. */
	put_replay(&s.control, "https://elsewhere.example/b.csv", hash);
	assert_true(sent(&s.control, -1) && wait_for(&s.control, B_REPLAYED, &f));
	(void)frame_u64(&f);
	assert_int_equal(frame_u8(&f), REPLAY_FAILED);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(&s, "https://elsewhere.example/b.csv", text, sizeof(text)), GLANE_E_DENIED);
		assert_non_null(strstr(text, "security: "));
		if (i == 0)
			assert_true(wait_for(&s.control, B_SECURITY, &f));
	}
	finish(&s);
	assert_int_equal(s.status, 0);
}

/* Listed twice, the first stands for both; what is not archived any more has failed. */
static void replays(void **state)
{
	char hash[65];
	struct session s;
	struct frame f;

	(void)state;
	assert_true(sha256_of(SLICE(BODY), hash));
	start_offline(&s);
	for (int i = 0; i < 2; i++) {
		put_replay(&s.control, URL, hash);
		assert_true(sent(&s.control, -1));
	}
	assert_true(wait_for(&s.control, B_REPLAYED, &f));
	assert_int_equal(frame_u32(&f), 1);
	assert_int_equal(frame_u32(&f), 7);
	assert_int_equal(frame_u8(&f), REPLAY_SAME);
	hash[0] ^= 1;
	put_replay(&s.control, "https://example.org/gone.csv", hash);
	assert_true(sent(&s.control, -1) && wait_for(&s.control, B_REPLAYED, &f));
	(void)frame_u64(&f);
	assert_int_equal(frame_u8(&f), REPLAY_FAILED);
	finish(&s);
	assert_int_equal(s.status, 0);
}

/* A dry run needs no store: what it would ask is listed. Where there is one, its archive answers. */
static void dry_runs(void **state)
{
	(void)state;
	for (int with = 0; with < 2; with++) {
		struct session s;
		char text[256];

		setenv("TMPDIR", with ? folder : "", 1);
		start(&s, 0, true);
		unsetenv("TMPDIR");
		put_setup(&s.control, 2, with ? folder : "");
		assert_true(sent(&s.control, -1) && add_source(&s, KEEP_EVENTS));
		assert_int_equal(ask(&s, URL, text, sizeof(text)), with ? GLANE_OK : GLANE_END);
		assert_int_equal(listed(&s, 1), 1);
		finish(&s);
		assert_int_equal(s.status, 0);
	}
}

/* What it cannot open ends it at once, with the reason. */
static void stores_that_do_not_open(void **state)
{
	static const struct {
		uint8_t mode;
		const char *store, *tmp;
	} cases[] = {{0, "/nowhere/at/all", NULL}, {1, "/dev/null", NULL}, {2, "/nowhere/at/all", NULL},
		{2, "", "/nowhere"}, {0, "", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct session s;

		if (cases[i].tmp)
			setenv("TMPDIR", cases[i].tmp, 1);
		start(&s, 0, true);
		unsetenv("TMPDIR");
		put_setup(&s.control, cases[i].mode, cases[i].store);
		(void)sent(&s.control, -1);
		finish(&s);
		assert_int_equal(WEXITSTATUS(s.status), 1);
		assert_non_null(strstr(s.text, "glane: broker: "));
	}
}

/* ---- requests without measure ---- */

static char large[WIRE_MAX];

/* A POST of so many bytes; `number` makes it another one. The code of its answer. */
static glane_rc ask_large(struct session *s, size_t size, uint32_t number, char text[256])
{
	struct request r = {"POST", "https://example.org/p", NULL, 0, {large, 0}, NULL, 0, number, 0};
	struct slice message;
	struct frame f;
	glane_rc rc;

	r.body.n = size - (size_t)request_size(&r);
	assert_int_equal(request_size(&r), size);
	wire_begin(&s->client, B_FETCH);
	wire_request(&s->client, &r);
	assert_int_equal(s->client.out.n - s->client.out_start - 8, size);
	assert_true(sent(&s->client, -1) && wait_for(&s->client, B_ANSWER, &f));
	rc = (glane_rc)frame_i64(&f);
	message = frame_text(&f);
	snprintf(text, 256, "%.*s", SLICE_FMT(message));
	return rc;
}

/* Too large to be listed beside its answer: it is refused, and the others go on. */
static void large_requests(void **state)
{
	struct session s;
	char text[256];

	(void)state;
	start(&s, 0, true);
	put_setup(&s.control, 2, "");
	assert_true(sent(&s.control, -1) && add_source(&s, KEEP_EVENTS));
	assert_int_equal(ask_large(&s, REQUEST_MAX, 1, text), GLANE_END);
	assert_int_equal(ask_large(&s, REQUEST_MAX + 1, 1, text), GLANE_E_LIMIT);
	assert_non_null(strstr(text, "a request of 983041 bytes"));
	assert_int_equal(ask_large(&s, WIRE_MAX, 1, text), GLANE_E_LIMIT);
	assert_int_equal(ask_large(&s, 1000, 1, text), GLANE_END);
	assert_int_equal(listed(&s, 1), 2);
	finish(&s);
	assert_int_equal(s.status, 0);
}

static unsigned high_water_mib(pid_t pid)
{
	char path[64], text[4096];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "VmHWM:");
	return at ? (unsigned)(strtoul(at + 6, NULL, 10) / 1024) : 0;
}

/* All that a source asks is kept up to a limit, and listed bit by bit; what is asked again costs nothing. */
static void many_large_requests(void **state)
{
	const uint32_t fit = (32u << 20) / 900000;
	struct session s;
	char text[256];

	(void)state;
	start(&s, 0, true);
	put_setup(&s.control, 2, "");
	assert_true(sent(&s.control, -1) && add_source(&s, KEEP_EVENTS));
	for (uint32_t i = 0; i < fit; i++)
		assert_int_equal(ask_large(&s, 900000, i, text), GLANE_END);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(ask_large(&s, 900000, fit + i, text), GLANE_E_LIMIT);
	assert_non_null(strstr(text, "have more than 32 MiB"));
	for (uint32_t i = 0; i < 120; i++)
		assert_int_equal(ask_large(&s, 900000, i % 3, text), GLANE_END);
	for (int i = 0; i < 3; i++)
		assert_int_equal(listed(&s, 1), (int)fit);
	if (!SANITIZED && SLOWNESS == 1) /* they keep freed memory */
		assert_in_range(high_water_mib(s.pid), 1, 100);
	finish(&s);
	assert_int_equal(s.status, 0);
}

/* So many requests as the broker reads without being heard. */
static unsigned ask_deaf(struct session *s, const char *url)
{
	struct pollfd p = {s->client.fd, POLLOUT, 0};
	struct diag d;
	unsigned n = 0;

	diag_clear(&d);
	assert_return_code(fcntl(s->client.fd, F_SETFL, O_NONBLOCK), 0);
	for (; n < 60000 && !wire_pending(&s->client); n++) {
		struct request r = {"GET", url, NULL, 0, {NULL, 0}, NULL, 0, n, 0};

		wire_begin(&s->client, B_FETCH);
		wire_request(&s->client, &r);
		assert_int_equal(wire_end(&s->client, -1, &d), GLANE_OK);
		do
			assert_int_equal(wire_flush(&s->client, &d), GLANE_OK);
		while (wire_pending(&s->client) && poll(&p, 1, 1000 * SLOWNESS) > 0);
	}
	assert_return_code(fcntl(s->client.fd, F_SETFL, 0), 0);
	return n;
}

/* A worker that asks and asks and reads no answer is not read itself; the control socket is. Each gets its answer in the end. */
static void requests_without_reading(void **state)
{
	static char url[4000] = "https://example.org/";
	struct session s;
	struct frame f;
	unsigned n;

	(void)state;
	memset(url + strlen(url), 'u', sizeof(url) - 1 - strlen(url));
	start(&s, 0, true);
	put_setup(&s.control, 2, "");
	assert_true(sent(&s.control, -1) && add_source(&s, KEEP_EVENTS));
	n = ask_deaf(&s, url);
	assert_in_range(n, 100, 1500); /* an answer has its URL: 1 MiB of answers, and what the sockets hold */
	assert_in_range(listed(&s, 1), 100, n);
	for (unsigned i = 0; i < n - 1; i++) /* the last is not yet sent */
		assert_true(wait_for(&s.client, B_ANSWER, &f));
	finish(&s);
	assert_int_equal(s.status, 0);
}

/* All bodies of a source in one run: 16 of the largest, and never less than 4 GiB. */
static void bytes_of_bodies(void **state)
{
	static const struct {
		uint64_t max_body, most;
	} cases[] = {{0, UINT64_C(8) << 30}, {1 << 20, UINT64_C(4) << 30}, {UINT64_C(1) << 30, UINT64_C(16) << 30}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source s = {.policy = {.max_body = cases[i].max_body}};
		struct diag d;

		diag_clear(&d);
		assert_int_equal(body_count(&s, cases[i].most - 5, &d), GLANE_OK);
		assert_int_equal(body_count(&s, 6, &d), GLANE_E_LIMIT);
		assert_non_null(strstr(d.text, "times max_body"));
		assert_int_equal(body_count(&s, 5, &d), GLANE_OK);
		assert_int_equal(body_count(&s, UINT64_MAX, &d), GLANE_E_LIMIT);
	}
}

/* ---- a body that takes long ---- */

#define SLOW ((size_t)48 << 20) /* a few seconds of search */
#define SLOW_SHORT ((size_t)1 << 20)

static void serve_one(int fd, struct slice slow, int told)
{
	char request[4096], head[256];
	ssize_t n = read(fd, request, sizeof(request));
	const bool is_slow = n > 0 && memmem(request, (size_t)n, "/slow", 5);
	const bool is_short = n > 0 && memmem(request, (size_t)n, "/slow-short", 11);
	const struct slice body = !is_slow ? SLICE(BODY) : (struct slice){slow.p, is_short ? SLOW_SHORT : slow.n};

	snprintf(head, sizeof(head),
		"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		body.n);
	(void)fd_write(fd, head, strlen(head), NULL);
	(void)fd_write(fd, body.p, body.n, NULL);
	shutdown(fd, SHUT_WR);
	while (read(fd, request, sizeof(request)) > 0) /* until the broker has let go of it */
		;
	if (is_slow && !is_short)
		(void)fd_write(told, "", 1, NULL);
	close(fd);
}

/* A server in a process of its own: BODY, and under /slow one that is made for the search: the first letter of the secret, in escapes.
 * *told has a byte once that was taken. */
static pid_t serve(char origin[64], int *told)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];
	pid_t pid;

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 8) == 0);
	assert_true(getsockname(fd, (struct sockaddr *)&at, &n) == 0 && pipe(ends) == 0);
	snprintf(origin, 64, "http://127.0.0.1:%u", ntohs(at.sin_port));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct strbuf slow;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		strbuf_init(&slow, 0);
		while (slow.n < SLOW)
			strbuf_puts(&slow, "%2573&#115;%73\n");
		for (;;)
			serve_one(accept(fd, NULL, NULL), strbuf_get(&slow), ends[1]);
	}
	close(fd);
	close(ends[1]);
	*told = ends[0];
	return pid;
}

/* A broker that asks that server, with a source of which nothing is kept. */
struct served {
	struct session s;
	char origin[64];
	int told;
	pid_t server;
};

static void begin_served(struct served *v)
{
	v->server = serve(v->origin, &v->told);
	allowed = v->origin;
	start(&v->s, 0, true);
	put_setup(&v->s.control, 0, folder);
	assert_true(sent(&v->s.control, -1) && add_source(&v->s, KEEP_NONE));
}

/* Told to, as what was said of progress is not read. */
static void end_served(struct served *v)
{
	allowed = "https://example.org";
	wire_begin(&v->s.control, B_QUIT);
	assert_true(sent(&v->s.control, -1));
	finish(&v->s);
	assert_string_equal(v->s.text, "");
	assert_int_equal(v->s.status, 0);
	close(v->told);
	kill(v->server, SIGKILL);
	assert_int_equal(waitpid(v->server, NULL, 0), v->server);
}

/* While a body is looked through for secrets, others are served. */
static void slow_body(void **state)
{
	struct served v;
	struct wire other;
	struct frame f;
	struct pollfd waits;
	char url[96], text[256], byte;
	int fd = -1;

	(void)state;
	begin_served(&v);
	assert_true(add_another(&v.s, 2, KEEP_NONE, &fd));
	wire_init(&other, fd);
	snprintf(url, sizeof(url), "%s/slow?key={auth:KEY}", v.origin);
	put_fetch(&other, url);
	assert_true(sent(&other, -1));
	assert_int_equal(read(v.told, &byte, 1), 1);
	snprintf(url, sizeof(url), "%s/small", v.origin);
	assert_int_equal(ask(&v.s, url, text, sizeof(text)), GLANE_OK);
	waits = (struct pollfd){other.fd, POLLIN, 0};
	assert_int_equal(poll(&waits, 1, 0), 0);
	assert_true(wait_for(&other, B_ANSWER, &f));
	assert_int_equal(frame_i64(&f), GLANE_OK);
	close(wire_take_fd(&other));
	wire_release(&other);
	end_served(&v);
}

/* The next word about a replay: its verdict. Refused ones are told of before. */
static uint8_t replayed(struct session *s, bool is_refused)
{
	struct frame f;
	struct diag d;

	diag_clear(&d);
	do
		assert_int_equal(wire_wait(&s->control, &f, &d), GLANE_OK);
	while (f.type == B_PROGRESS || (is_refused && f.type == B_SECURITY));
	assert_int_equal(f.type, B_REPLAYED);
	(void)frame_u64(&f);
	return frame_u8(&f);
}

/* A long list is asked for a part at a time; who asks for what still waits gets it, once. */
static void many_replays(void **state)
{
	enum { N = 300 };
	struct served v;
	char url[96], text[256], hash[65];

	(void)state;
	assert_true(sha256_of(SLICE(BODY), hash));
	begin_served(&v);
	for (int i = 0; i < N; i++) {
		snprintf(url, sizeof(url), "%s/%d", v.origin, i);
		put_replay(&v.s.control, url, hash);
		assert_true(sent(&v.s.control, -1));
	}
	for (int i = 0; i < N; i++) {
		assert_int_equal(replayed(&v.s, false), REPLAY_SAME);
		if (i == N / 2) /* all are known by then */
			assert_int_equal(ask(&v.s, url, text, sizeof(text)), GLANE_OK);
	}
	end_served(&v);
}

/* However many bodies wait to be looked through, the search of one has room at a time. */
static void many_slow_bodies(void **state)
{
	enum { N = 60 };
	struct served v;
	char url[96], hash[65];

	(void)state;
	assert_true(sha256_of(SLICE(BODY), hash));
	begin_served(&v);
	for (int i = 0; i < N; i++) {
		snprintf(url, sizeof(url), "%s/slow%s?%d", v.origin, i ? "-short" : "", i);
		put_replay(&v.s.control, url, hash);
		assert_true(sent(&v.s.control, -1));
	}
	for (int i = 0; i < N; i++)
		assert_int_equal(replayed(&v.s, false), REPLAY_CHANGED);
	if (!SANITIZED && SLOWNESS == 1)
		assert_in_range(high_water_mib(v.s.pid), 1, 120); /* the pages of the large one among them */
	end_served(&v);
}

/* A list that is allowed no more: its refusals wait until they are read. */
static void many_refusals(void **state)
{
	enum { N = 100000 };
	char url[320], far[280], hash[65];
	struct session s;

	(void)state;
	assert_true(sha256_of(SLICE(BODY), hash));
	memset(far, 'u', sizeof(far) - 1);
	far[sizeof(far) - 1] = '\0';
	start(&s, 0, true);
	put_setup(&s.control, 0, folder);
	assert_true(sent(&s.control, -1) && add_source(&s, KEEP_NONE));
	for (int i = 0; i < N; i++) {
		snprintf(url, sizeof(url), "https://elsewhere.example/%s%d", far, i);
		put_replay(&s.control, url, hash);
		assert_true(sent(&s.control, -1));
	}
	for (int i = 0; i < N; i++)
		assert_int_equal(replayed(&s, true), REPLAY_FAILED);
	finish(&s);
	assert_string_equal(s.text, "");
}

/* ---- frames that do not read ---- */

/* Cuts the frame under construction to n of its fields' bytes; false: it has no more. */
static bool cut(struct wire *w, uint32_t n)
{
	const size_t head = w->out_start + 8;

	if (w->out.n - head <= n)
		return false;
	w->out.n = head + n;
	return true;
}

static void put_control(struct wire *w, int which)
{
	char hash[65];

	assert_true(sha256_of(SLICE(BODY), hash));
	if (which == 0)
		put_setup(w, 1, folder);
	else if (which == 1)
		put_source(w, 1, KEEP_EVENTS);
	else if (which == 2)
		put_replay(w, URL, hash);
	else
		put_keep(w, hash);
}

/* From the scheduler such a frame is a defect of ours: the broker says which, and ends. */
static void cut_control_frames(void **state)
{
	(void)state;
	for (int which = 0; which < 4; which++)
		for (uint32_t n = 0;; n++) {
			struct session s;
			struct frame f;
			bool more;

			start(&s, 0, true);
			if (which > 0) {
				put_setup(&s.control, 1, folder);
				assert_true(sent(&s.control, -1));
			}
			if (which > 1)
				assert_true(add_source(&s, KEEP_EVENTS));
			put_control(&s.control, which);
			more = cut(&s.control, n);
			(void)sent(&s.control, -1);
			if (!more && which == 2)
				assert_true(wait_for(&s.control, B_REPLAYED, &f));
			if (!more && which == 3)
				assert_true(wait_for(&s.control, B_ARCHIVED, &f));
			finish(&s);
			assert_int_equal(WEXITSTATUS(s.status), more ? 1 : 0);
			if (!more)
				break;
			assert_true(strstr(s.text, "does not read") || strstr(s.text, "it does not know"));
		}
}

static void frames_out_of_order(void **state)
{
	static const struct {
		uint16_t type;
		uint32_t id;
		bool set_up;
		const char *want;
	} cases[] = {{B_LIST, 1, false, "before it was set up"}, {B_LIST, 9, true, "a source it does not know"},
		{B_LISTED, 1, true, "of an unknown type (121)"}, {B_SETUP, 1, true, "set-up does not read"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct session s;

		start(&s, 0, true);
		if (cases[i].set_up) {
			put_setup(&s.control, 1, folder);
			assert_true(sent(&s.control, -1) && add_source(&s, KEEP_EVENTS));
		}
		put_id(&s.control, cases[i].type, cases[i].id);
		(void)sent(&s.control, -1);
		finish(&s);
		assert_int_equal(WEXITSTATUS(s.status), 1);
		assert_non_null(strstr(s.text, cases[i].want));
	}
}

enum { CUT, TURNED, RETYPED };

/* A worker's request cut at that byte, with four bytes there turned into the largest number, or of another type. The broker goes on; what
 * does not read costs the worker its socket. False: the request ends before that byte. */
static bool damaged(int how, uint32_t at)
{
	struct session s;
	struct frame f;
	uint32_t fields;
	bool more = true;

	start_offline(&s);
	put_fetch(&s.client, URL);
	fields = (uint32_t)(s.client.out_start + 8);
	if (how == CUT)
		more = cut(&s.client, at);
	else if (how == RETYPED)
		s.client.out.p[fields - 4] ^= 1;
	else if (fields + at + 4 > s.client.out.n)
		more = false;
	else
		memset(s.client.out.p + fields + at, 0xff, 4);
	assert_true(sent(&s.client, -1));
	shutdown(s.client.fd, SHUT_WR);
	if (how != TURNED)
		assert_true(wait_for(&s.client, B_ANSWER, &f) == !more);
	assert_true(listed(&s, 1) >= 0);
	finish(&s);
	assert_int_equal(s.status, 0);
	return more;
}

static void nonsense_of_a_worker(void **state)
{
	(void)state;
	for (uint32_t at = 0; damaged(CUT, at); at++)
		;
	for (uint32_t at = 0; damaged(TURNED, at); at++)
		;
	(void)damaged(RETYPED, 0);
}

/* Again is only what was answered: never asked for, or refused, it costs the worker its socket. */
static void again_what_was_not_given(void **state)
{
	char text[256];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct session s;

		start(&s, 0, true);
		put_setup(&s.control, 1, folder);
		assert_true(sent(&s.control, -1) && add_source(&s, KEEP_EVENTS));
		if (i == 1)
			assert_int_equal(ask(&s, "https://example.org/b.csv", text, sizeof(text)), GLANE_E_FETCH);
		assert_int_equal(ask_how(&s, B_AGAIN, "https://example.org/b.csv", text, sizeof(text)), GLANE_E_IO);
		assert_true(listed(&s, 1) >= 0);
		finish(&s);
		assert_int_equal(s.status, 0);
	}
}

/* ---- no memory ---- */

/* A whole session; false: the broker has ended, or could not do a step. */
static bool whole_session(struct session *s, const char *hash)
{
	char text[256];
	struct frame f;

	put_setup(&s->control, 1, folder);
	if (!sent(&s->control, -1) || !add_source(s, KEEP_ALL))
		return false;
	put_replay(&s->control, URL, hash);
	if (!sent(&s->control, -1) || !wait_for(&s->control, B_REPLAYED, &f))
		return false;
	if (ask(s, URL, text, sizeof(text)) != GLANE_OK || listed(s, 1) != 1)
		return false;
	if (ask_how(s, B_AGAIN, URL, text, sizeof(text)) != GLANE_END)
		return false;
	put_question(&s->client);
	if (!sent(&s->client, -1) || !wait_for(&s->client, B_ANSWER, &f) || frame_i64(&f) != GLANE_E_FETCH)
		return false;
	put_id(&s->control, B_ARCHIVE, 1);
	if (!sent(&s->control, -1) || !wait_for(&s->control, B_ARCHIVED, &f))
		return false;
	put_keep(&s->control, hash);
	if (!sent(&s->control, -1) || !wait_for(&s->control, B_ARCHIVED, &f))
		return false;
	put_id(&s->control, B_CLOSE, 1);
	if (!sent(&s->control, -1))
		return false;
	wire_begin(&s->control, B_QUIT);
	return sent(&s->control, -1);
}

/* What a session with that failure came to; a process that ends early says why. */
static bool survives(const char *hash, long n, bool for_ever)
{
	struct session s;
	bool whole;

	alarm(30 * SLOWNESS); /* nobody waits for what is never said */
	start(&s, n, for_ever);
	whole = whole_session(&s, hash);
	finish(&s);
	if (WEXITSTATUS(s.status) != 0)
		assert_non_null(strstr(s.text, "glane: broker: "));
	return whole && s.status == 0;
}

/* Each allocation in turn fails, alone or with all after it: the broker ends with a word, or the request has failed; it never crashes. */
static void lack_of_memory(void **state)
{
	char hash[65];
	long n = 1;

	(void)state;
	assert_true(sha256_of(SLICE(BODY), hash));
	starved = true;
	for (; !survives(hash, n, true); n++)
		assert_true(n < 5000);
	assert_true(n > 20);
	for (long once = 1; once < n; once++)
		(void)survives(hash, once, false);
	assert_true(survives(hash, n + 1000, false)); /* more than it takes, however its frames are cut */
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serves_from_the_archive),
		cmocka_unit_test(answers_are_whose_they_were),
		cmocka_unit_test(replays),
		cmocka_unit_test(dry_runs),
		cmocka_unit_test(stores_that_do_not_open),
		cmocka_unit_test(large_requests),
		cmocka_unit_test(many_large_requests),
		cmocka_unit_test(requests_without_reading),
		cmocka_unit_test(bytes_of_bodies),
		cmocka_unit_test(slow_body),
		cmocka_unit_test(many_replays),
		cmocka_unit_test(many_slow_bodies),
		cmocka_unit_test(many_refusals),
		cmocka_unit_test(cut_control_frames),
		cmocka_unit_test(frames_out_of_order),
		cmocka_unit_test(nonsense_of_a_worker),
		cmocka_unit_test(again_what_was_not_given),
		cmocka_unit_test(lack_of_memory),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as in glane: an end that is gone is an error of the write */
	setenv("GLANE_TEST_KEY", SECRET, 1);
	snprintf(folder, sizeof(folder), "/tmp/glane-broker-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	fill_archive();
	alarm(120 * SLOWNESS);
	failed = cmocka_run_group_tests_name("broker", tests, NULL, NULL);
	(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return failed;
}
