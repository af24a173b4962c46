/* SPDX-License-Identifier: MIT */
/* The payload archive: bodies come back as they were, requests are found, damage is told. */
#include "base/file.h"
#include "net/archive.h"
#include "net/archive_side.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct place {
	char path[200];
	int store;
	struct archive a;
};

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	static struct place p;
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(p.path, sizeof(p.path), "%s/test_archive_store.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(p.path))
		return -1;
	p.store = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &p;
	return archive_open(&p.a, p.store, true, NULL);
}

static int teardown(void **state)
{
	struct place *p = *state;

	archive_close(&p->a);
	fd_close(&p->store);
	return nftw(p->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct archive_entry entry(const char *url, const char *text, int64_t at)
{
	struct archive_entry e = {.method = "GET",
		.url = url,
		.body_sha256 = "",
		.content_type = "text/csv",
		.etag = "\"1\"",
		.last_modified = "",
		.fetched_at = at,
		.size = strlen(text)};

	assert_true(sha256_of(slice_of(text), e.sha256));
	return e;
}

static void put(struct place *p, const char *url, const char *text, int64_t at)
{
	struct archive_entry e = entry(url, text, at);
	struct diag d = {0};
	int fd = file_temp(p->store, &d);

	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, text, strlen(text), &d), GLANE_OK);
	if (archive_put(&p->a, fd, &e, &d) != GLANE_OK)
		fail_msg("%s", d.text);
	fd_close(&fd);
}

static void check_get(struct place *p, const char *text)
{
	struct archive_entry e = entry("", text, 0);
	uint64_t size = 0;
	char buf[256];
	int fd = -1;

	assert_int_equal(archive_get(&p->a, e.sha256, p->store, &fd, &size, NULL), GLANE_OK);
	assert_int_equal(size, strlen(text));
	assert_int_equal(read(fd, buf, sizeof(buf)), strlen(text));
	assert_memory_equal(buf, text, strlen(text));
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	fd_close(&fd);
}

static const struct archive_entry *find(const struct place *p, const char *url)
{
	return archive_find(&p->a, "", "GET", url, "");
}

/* Opens the archive again, so that the index is read from disk. */
static void reopen(struct place *p, size_t want_warnings)
{
	struct strbuf warnings;
	struct diag d = {0};
	size_t lines = 0;

	strbuf_init(&warnings, 0);
	archive_close(&p->a);
	assert_int_equal(archive_open(&p->a, p->store, false, &d), GLANE_OK);
	assert_int_equal(archive_index(&p->a, &warnings, &d), GLANE_OK);
	for (size_t i = 0; i < warnings.n; i++)
		lines += warnings.p[i] == '\n';
	if (lines != want_warnings)
		fail_msg("%zu warnings: %s", lines, warnings.p ? warnings.p : "");
	strbuf_release(&warnings);
}

static void bodies_come_back(void **state)
{
	struct place *p = *state;
	struct archive_entry e = entry("", "never put", 0);
	struct diag d = {0};
	uint64_t size;
	int fd;

	put(p, "https://h/a", "body a", 100);
	put(p, "https://h/empty", "", 100);
	check_get(p, "body a");
	check_get(p, "");
	assert_false(archive_has(&p->a, e.sha256));
	assert_false(archive_has(&p->a, "../../etc/passwd"));
	assert_int_equal(archive_get(&p->a, e.sha256, p->store, &fd, &size, &d), GLANE_E_IO);
	assert_non_null(strstr(d.text, "not in the archive"));
	assert_int_equal(archive_get(&p->a, "../x", p->store, &fd, &size, NULL), GLANE_E_USAGE);
}

static void the_newest_answer_of_a_request_wins(void **state)
{
	struct place *p = *state;
	const struct archive_entry *e;

	put(p, "https://h/a", "body a, newer", 300);
	put(p, "https://h/a", "body a, between", 200);
	for (int again = 0; again < 2; again++) {
		reopen(p, 0);
		e = find(p, "https://h/a");
		assert_non_null(e);
		assert_int_equal(e->fetched_at, 300);
		assert_int_equal(e->size, 13);
		assert_string_equal(e->etag, "\"1\"");
		assert_string_equal(e->content_type, "text/csv");
		assert_null(find(p, "https://h/none"));
		assert_null(archive_find(&p->a, "", "POST", "https://h/a", ""));
	}
	/* what is put later is found at once */
	put(p, "https://h/a", "body a", 400);
	assert_int_equal(find(p, "https://h/a")->fetched_at, 400);
	assert_int_equal(find(p, "https://h/a")->size, 6);
}

/* The same request of two sources; one that says no source gives way to whoever asks the same next. */
static void each_source_has_its_answer(void **state)
{
	struct place *p = *state;
	struct archive_entry e = entry("https://h/x", "for all", 100);
	struct diag d = {0};
	int fd = file_temp(p->store, &d);

	assert_int_equal(fd_write(fd, "for all", 7, &d), GLANE_OK);
	put(p, "https://h/x", "for all", 50);
	put(p, "https://h/y", "for all", 50);
	for (int i = 0; i < 2; i++) {
		e.source = i ? "two" : "one";
		e.fetched_at = 100 + i;
		assert_int_equal(archive_put(&p->a, fd, &e, &d), GLANE_OK);
	}
	fd_close(&fd);
	reopen(p, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(archive_find(&p->a, i ? "two" : "one", "GET", "https://h/x", "")->fetched_at, 100 + i);
	assert_null(archive_find(&p->a, "three", "GET", "https://h/x", ""));
	assert_null(find(p, "https://h/x"));
	assert_non_null(find(p, "https://h/y"));
}

static void one_body_may_answer_many_requests(void **state)
{
	struct place *p = *state;
	char url[64];

	for (int i = 0; i < 20; i++) {
		(void)snprintf(url, sizeof(url), "https://h/page/%d", i);
		put(p, url, "[]", 1000 + i);
	}
	put(p, "https://h/page/3", "[]", 2000);
	reopen(p, 0);
	for (int i = 0; i < 20; i++) {
		(void)snprintf(url, sizeof(url), "https://h/page/%d", i);
		assert_non_null(find(p, url));
		assert_int_equal(find(p, url)->fetched_at, i == 3 ? 2000 : 1000 + i);
		assert_int_equal(find(p, url)->size, 2);
	}
	check_get(p, "[]");
}

/* Path of a stored file of this text. */
static const char *stored(const char *text, const char *suffix, char buf[200])
{
	struct archive_entry e = entry("", text, 0);

	(void)snprintf(buf, 200, "payloads/%.2s/%s%s", e.sha256, e.sha256, suffix);
	return buf;
}

static void nothing_is_written_twice(void **state)
{
	struct place *p = *state;
	struct stat before, after;
	char path[200];

	put(p, "https://h/twice", "twice", 100);
	assert_int_equal(fstatat(p->store, stored("twice", ".json", path), &before, 0), 0);
	put(p, "https://h/twice", "twice", 100);
	assert_int_equal(fstatat(p->store, path, &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void plain_bodies_are_read(void **state)
{
	struct place *p = *state;
	char path[200];

	put(p, "https://h/plain", "plain body", 100);
	assert_int_equal(unlinkat(p->store, stored("plain body", ".zst", path), 0), 0);
	assert_int_equal(
		file_replace(p->store, stored("plain body", "", path), SLICE("plain body"), false, NULL), GLANE_OK);
	check_get(p, "plain body");
	reopen(p, 0);
	assert_non_null(find(p, "https://h/plain"));
}

static void check_store(struct place *p, uint64_t want_damaged, const char *want_text)
{
	uint64_t bodies = 0, damaged = 0;
	struct strbuf report;

	strbuf_init(&report, 0);
	assert_int_equal(archive_check(&p->a, &report, &bodies, &damaged, NULL), GLANE_OK);
	if (damaged != want_damaged || (want_text && !strstr(report.p ? report.p : "", want_text)))
		fail_msg("%llu damaged: %s", (unsigned long long)damaged, report.p ? report.p : "");
	assert_true(bodies > 4);
	strbuf_release(&report);
}

static void damage_is_found(void **state)
{
	struct place *p = *state;
	struct archive_entry e = entry("", "to be damaged", 0);
	struct diag d = {0};
	uint64_t size;
	char path[200];
	int fd;

	check_store(p, 0, NULL);
	put(p, "https://h/d", "to be damaged", 100);
	fd = openat(p->store, stored("to be damaged", ".zst", path), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "XX", 2, 12), 2);
	fd_close(&fd);
	assert_true(archive_get(&p->a, e.sha256, p->store, &fd, &size, &d) < 0);
	assert_non_null(strstr(d.text, e.sha256));
	check_store(p, 1, path);
	/* a sound file of another content */
	assert_int_equal(unlinkat(p->store, path, 0), 0);
	assert_int_equal(
		file_replace(p->store, stored("to be damaged", "", path), SLICE("something else"), false, NULL),
		GLANE_OK);
	assert_int_equal(archive_get(&p->a, e.sha256, p->store, &fd, &size, NULL), GLANE_E_FORMAT);
	check_store(p, 1, "SHA-256");
	/* a missing body, and a side file that is none */
	assert_int_equal(unlinkat(p->store, path, 0), 0);
	reopen(p, 1);
	assert_null(find(p, "https://h/d"));
	assert_int_equal(
		file_replace(p->store, stored("to be damaged", ".json", path), SLICE("{\"url\":1}"), false, NULL),
		GLANE_OK);
	reopen(p, 1);
	check_store(p, 1, "side file");
}

/* Nobody finds it there: it is as good as gone. */
static void a_body_in_another_folder_is_found(void **state)
{
	struct place *p = *state;
	char path[200], away[200];

	put(p, "https://h/away", "a body to be moved", 100);
	stored("a body to be moved", ".zst", path);
	snprintf(away, sizeof(away), "%s", path);
	memcpy(away + strlen("payloads/"), strncmp(path + strlen("payloads/"), "00", 2) == 0 ? "11" : "00", 2);
	*strrchr(away, '/') = '\0';
	assert_true(mkdirat(p->store, away, 0755) == 0 || errno == EEXIST);
	away[strlen(away)] = '/';
	assert_int_equal(renameat(p->store, path, p->store, away), 0);
	check_store(p, 1, "wrong folder");
	assert_int_equal(renameat(p->store, away, p->store, path), 0);
}

/* Every cut of a side file is a warning, never an entry. */
static void cut_side_files_are_passed_over(void **state)
{
	struct place *p = *state;
	struct strbuf whole;
	char path[200];

	put(p, "https://h/d", "to be damaged", 100);
	strbuf_init(&whole, 0);
	assert_int_equal(file_read(p->store, stored("to be damaged", ".json", path), 1 << 20, &whole, NULL), GLANE_OK);
	for (size_t n = 0; n + 2 < whole.n; n++) {
		assert_int_equal(file_replace(p->store, path, (struct slice){whole.p, n}, false, NULL), GLANE_OK);
		reopen(p, 1);
		assert_null(find(p, "https://h/d"));
	}
	/* the next put mends it */
	put(p, "https://h/d", "to be damaged", 100);
	reopen(p, 0);
	assert_non_null(find(p, "https://h/d"));
	strbuf_release(&whole);
}

/* Want of memory is no damage: what the side file says of other requests stays. */
static void want_of_memory_loses_no_request(void **state)
{
	struct place *p = *state;
	struct archive_entry e = {.method = "GET", .url = "https://h/three", .size = 9, .fetched_at = 100};
	char path[200];
	size_t failed = 0;
	bool struck = true;

	put(p, "https://h/one", "the same", 100);
	put(p, "https://h/two", "the same", 100);
	stored("the same", ".json", path);
	memcpy(e.sha256, strrchr(path, '/') + 1, 64);
	for (long n = 1; struck; n++) {
		struct diag d = {0};
		glane_rc rc;

		(void)mem_fail_after(n, false);
		rc = archive_side_write(p->a.dir, path + strlen("payloads/"), &e, &d);
		struck = mem_fail_after(0, false);
		assert_true(rc == GLANE_OK || (struck && rc == GLANE_E_NOMEM));
		failed += rc != GLANE_OK;
		reopen(p, 0);
		assert_non_null(find(p, "https://h/one"));
		assert_non_null(find(p, "https://h/two"));
	}
	assert_true(failed > 5);
	assert_non_null(find(p, "https://h/three"));
}

static void without_create_nothing_is_made(void **state)
{
	struct place *p = *state;
	struct archive a;
	int dir = dir_open(p->store, "other", true, NULL);

	assert_true(dir >= 0);
	assert_true(archive_open(&a, dir, false, NULL) < 0);
	assert_false(file_exists(dir, "payloads"));
	fd_close(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_come_back),
		cmocka_unit_test(the_newest_answer_of_a_request_wins),
		cmocka_unit_test(each_source_has_its_answer),
		cmocka_unit_test(one_body_may_answer_many_requests),
		cmocka_unit_test(nothing_is_written_twice),
		cmocka_unit_test(plain_bodies_are_read),
		cmocka_unit_test(a_body_in_another_folder_is_found),
		cmocka_unit_test(damage_is_found),
		cmocka_unit_test(cut_side_files_are_passed_over),
		cmocka_unit_test(want_of_memory_loses_no_request),
		cmocka_unit_test(without_create_nothing_is_made),
	};

	return cmocka_run_group_tests_name("archive_store", tests, setup, teardown);
}
