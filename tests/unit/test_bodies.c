/* SPDX-License-Identifier: MIT */
/* core/proc/bodies.c, search.c, listing.c: bodies that are put away, looked through for secrets, archived; and files that fail. */
#include "support/cmocka.h"

#include "base/file.h"
#include "proc/answers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECRET "s3cr3t-of-the-tests"
#define BODY "area,year,value\nTGO,2020,1\n"

static int tmp = -1;
static struct broker broker;
static struct source source;
static struct answer answer;

/* A source whose bodies go to that folder, and one answer of it with this body. */
static void begin(int folder, const char *body)
{
	static const struct fetch_secret secrets[] = {{"KEY", "env:GLANE_TEST_KEY"}};

	broker = (struct broker){.tmp = folder};
	broker.archive.dir = -1;
	source = (struct source){.broker = &broker, .spool = -1, .policy = {.source = "s"}};
	source.policy.secrets = secrets, source.policy.n_secrets = 1;
	arena_init(&source.arena, 0);
	answer = (struct answer){.source = &source, .fd = -1, .message = ""};
	answer.request.method = "GET", answer.request.url = "https://example.org/a";
	if (!body)
		return;
	answer.size = strlen(body);
	answer.fd = file_temp(tmp, NULL);
	assert_int_equal(fd_write(answer.fd, body, strlen(body), NULL), GLANE_OK);
}

static void end(void)
{
	fd_close(&answer.fd);
	fd_close(&source.spool);
	arena_release(&source.arena);
}

/* As if the source had as many open bodies as it may. */
static void settle(void)
{
	source.n_held = 64;
	body_settle(&answer);
}

static void fails_to_come_back(const char *why)
{
	struct diag d = {0};

	assert_int_equal(body_open(&answer, &d), -1);
	assert_int_equal(answer.fd, -1);
	assert_non_null(strstr(d.text, why));
}

static void put_away_and_back(void **state)
{
	struct diag d = {0};
	char got[64];
	int fd;

	(void)state;
	begin(tmp, BODY);
	settle();
	assert_true(answer.spooled && answer.fd < 0);
	for (int i = 0; i < 2; i++) { /* it is put away once */
		fd = body_open(&answer, &d);
		assert_int_equal(pread(fd, got, sizeof(got), 0), strlen(BODY));
		assert_memory_equal(got, BODY, strlen(BODY));
		assert_true(write(fd, "x", 1) < 0);
		close(fd);
		settle();
		assert_int_equal(source.spool_size, strlen(BODY));
	}
	assert_int_equal(ftruncate(source.spool, 10), 0);
	fails_to_come_back("its file is shorter");
	broker.tmp = -1;
	fails_to_come_back("cannot create");
	body_drop(&answer);
	assert_false(answer.spooled);
	end();
}

/* A body that cannot be put away keeps its file. */
static void no_room(void **state)
{
	int ends[2];

	(void)state;
	begin(-1, BODY);
	settle();
	assert_true(answer.fd >= 0 && !answer.spooled);
	broker.tmp = tmp;
	assert_int_equal(pipe(ends), 0);
	source.spool = ends[1]; /* of which no place can be found */
	settle();
	assert_true(answer.fd >= 0 && !answer.spooled);
	fd_close(&source.spool);
	close(ends[0]);
	source.spool = open("/dev/full", O_RDWR | O_CLOEXEC);
	settle();
	assert_true(answer.fd >= 0 && !answer.spooled);
	fd_close(&source.spool);
	answer.size += 5;
	settle();
	assert_true(answer.fd >= 0 && !answer.spooled);
	fd_close(&answer.fd);
	answer.fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	settle();
	assert_true(answer.fd >= 0 && !answer.spooled);
	answer.origin = FETCHED_ARCHIVE; /* this one is there already */
	settle();
	assert_int_equal(answer.fd, -1);
	fails_to_come_back(""); /* but it is not */
	end();
}

/* ---- secrets ---- */

static void failed_with(glane_rc rc, const char *why)
{
	if (answer.rc != rc || !strstr(answer.message, why)) {
		print_error("%d %s\n", (int)answer.rc, answer.message);
		test_fail();
	}
	assert_true(answer.fd < 0 || rc == GLANE_OK);
	assert_null(answer.strike);
	end();
}

static void struck_out(void **state)
{
	char got[64];

	(void)state;
	begin(tmp, "the key is " SECRET ".");
	answer_search(&answer);
	assert_int_equal(answer.struck, 1);
	assert_int_equal(answer.size, strlen("the key is {auth:KEY}."));
	assert_int_equal(pread(answer.fd, got, sizeof(got), 0), answer.size);
	assert_memory_equal(got, "the key is {auth:KEY}.", answer.size);
	assert_int_equal(source.body_bytes, answer.size);
	failed_with(GLANE_OK, "");
}

/* What cannot be looked through is given to nobody. */
static void cannot_be_searched(void **state)
{
	int ends[2];

	(void)state;
	begin(tmp, NULL);
	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	answer.fd = ends[0], answer.size = 5;
	answer_search(&answer);
	failed_with(GLANE_E_IO, "cannot map a body");
	begin(-1, "the key is " SECRET ".");
	answer_search(&answer);
	failed_with(GLANE_E_IO, "https://example.org/a: ");
	begin(tmp, BODY);
	source.body_bytes = UINT64_C(1) << 40;
	answer_search(&answer);
	failed_with(GLANE_E_LIMIT, "times max_body");
}

/* A large one waits for another, and then it cannot be read either. */
static void in_turn(void **state)
{
	struct answer first;
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 0);
	while (b.n < ((size_t)1 << 20))
		strbuf_puts(&b, "0123456789 and so on\n");
	begin(tmp, b.p);
	first = answer;
	answer.fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	answer_search(&first);
	answer_search(&answer);
	assert_true(source.searched == &first && first.strike && !answer.strike);
	for (int i = 0; source.searched && i < 1000; i++)
		answers_search_some(&source);
	assert_null(source.searched);
	assert_true(first.rc == GLANE_OK && first.struck == 0 && first.fd >= 0);
	fd_close(&first.fd);
	strbuf_release(&b);
	failed_with(GLANE_E_IO, "cannot map a body");
}

/* ---- the archive ---- */

/* What close says on stderr. */
static void close_says(char *text, size_t n)
{
	const int old = dup(2), words = memfd_create("words", MFD_CLOEXEC);
	ssize_t got;

	assert_true(old >= 0 && dup2(words, 2) == 2);
	answers_close(&source);
	assert_int_equal(dup2(old, 2), 2);
	close(old);
	got = pread(words, text, n - 1, 0);
	text[got > 0 ? got : 0] = '\0';
	close(words);
}

/* Of an event the run hears that its payloads are not durable; of a night without one it is logged. */
static void cannot_be_archived(void **state)
{
	struct answer *all[] = {&answer, &answer};
	struct diag d = {0};
	char text[256];

	(void)state;
	begin(tmp, BODY);
	assert_true(sha256_of(SLICE(BODY), answer.sha256));
	answer.etag = answer.modified = answer.content_type = "";
	wire_init(&broker.control, -1);
	source.asked = source.all = all;
	source.n_asked = source.n_all = 2;
	source.keep = KEEP_ALL;
	assert_int_equal(answers_archive(&source, &d), GLANE_OK);
	assert_non_null(memmem(broker.control.out.p, broker.control.out.n, "Bad file", 8));
	strbuf_reset(&broker.control.out);
	assert_int_equal(answers_keep(&source, answer.sha256, &d), GLANE_OK);
	assert_non_null(memmem(broker.control.out.p, broker.control.out.n, "Bad file", 8));
	close_says(text, sizeof(text));
	assert_non_null(strstr(text, "glane: s: keep_payloads: "));
	source.keep = KEEP_NONE;
	close_says(text, sizeof(text));
	assert_string_equal(text, "");
	answer.pending = true; /* it has not come: there is nothing to keep, or to list */
	source.keep = KEEP_ALL;
	close_says(text, sizeof(text));
	assert_string_equal(text, "");
	wire_release(&broker.control);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_away_and_back),
		cmocka_unit_test(no_room),
		cmocka_unit_test(struck_out),
		cmocka_unit_test(cannot_be_searched),
		cmocka_unit_test(in_turn),
		cmocka_unit_test(cannot_be_archived),
	};

	setenv("GLANE_TEST_KEY", SECRET, 1);
	tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cmocka_run_group_tests_name("bodies", tests, NULL, NULL);
}
