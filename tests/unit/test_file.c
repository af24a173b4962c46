/* SPDX-License-Identifier: MIT */
/* Files: bounded reads, replacement that leaves the old or the new content, folders, paths. */
#include "base/file.h"
#include "base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct place {
	char path[256];
	int fd;
};

static int setup(void **state)
{
	static struct place p;
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(p.path, sizeof(p.path), "%s/test_file.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(p.path))
		return -1;
	p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &p;
	return p.fd < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct place *p = *state;

	fd_close(&p->fd);
	return nftw(p->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Entries of the folder, besides . and .. */
static unsigned count_entries(const struct place *p)
{
	DIR *dir = opendir(p->path);
	unsigned n = 0;

	if (!dir)
		return 9999;
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2;
}

static void assert_content(const struct place *p, const char *name, struct slice want)
{
	struct diag d = {0};
	struct strbuf b;

	strbuf_init(&b, 0);
	assert_int_equal(file_read(p->fd, name, 1000, &b, &d), GLANE_OK);
	assert_true(slice_eq(strbuf_get(&b), want));
	strbuf_release(&b);
}

static void test_read_limits(void **state)
{
	const struct place *p = *state;
	struct diag d = {0};
	struct strbuf b;

	assert_int_equal(file_replace(p->fd, "ten", SLICE("0123456789"), false, &d), GLANE_OK);
	for (size_t max = 0; max < 12; max++) {
		glane_rc rc;

		diag_clear(&d);
		strbuf_init(&b, 0);
		strbuf_puts(&b, "before ");
		rc = file_read(p->fd, "ten", max, &b, &d);
		assert_int_equal(rc, max < 10 ? GLANE_E_LIMIT : GLANE_OK);
		assert_string_equal(b.p, max < 10 ? "before " : "before 0123456789");
		strbuf_release(&b);
	}
	strbuf_init(&b, 10); /* the buffer's own maximum */
	assert_int_equal(file_read(p->fd, "ten", 100, &b, &d), GLANE_OK);
	strbuf_release(&b);
	strbuf_init(&b, 9);
	assert_int_equal(file_read(p->fd, "ten", 100, &b, &d), GLANE_E_LIMIT);
	strbuf_release(&b);
	assert_non_null(strstr(d.text, "ten"));
}

static void test_read_large(void **state)
{
	const struct place *p = *state;
	struct diag d = {0};
	size_t n = 300001;
	char *text = mem_zalloc(n, 1);
	struct strbuf b;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + i % 23);
	assert_int_equal(file_replace(p->fd, "large", (struct slice){text, n}, false, &d), GLANE_OK);
	strbuf_init(&b, 0);
	assert_int_equal(file_read(p->fd, "large", n, &b, &d), GLANE_OK);
	assert_true(slice_eq(strbuf_get(&b), (struct slice){text, n}));
	assert_int_equal(b.p[n], 0);
	strbuf_release(&b);
	mem_free(text);
}

static void test_read_errors(void **state)
{
	const struct place *p = *state;
	struct diag d = {0};
	struct strbuf b;

	strbuf_init(&b, 0);
	errno = 0;
	assert_int_equal(file_read(p->fd, "absent", 10, &b, &d), GLANE_E_IO);
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(d.text, "absent: cannot open: No such file"));
	strbuf_release(&b);
	assert_int_equal(file_replace(p->fd, "x", SLICE("x"), false, NULL), GLANE_OK);
	mem_fail_after(1, false);
	assert_int_equal(file_read(p->fd, "x", 10, &b, NULL), GLANE_E_NOMEM);
	mem_fail_after(0, false);
	strbuf_release(&b);
}

/* None of them is waited for, nor read without end. */
static void test_read_kinds(void **state)
{
	static const struct {
		const char *path, *want;
	} cases[] = {{".", "a folder"}, {"fifo", "a FIFO"}, {"/dev/zero", "a device"}};
	const struct place *p = *state;
	struct strbuf b;

	assert_int_equal(mkfifoat(p->fd, "fifo", 0644), 0);
	strbuf_init(&b, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct diag d = {0};

		assert_int_equal(file_read(p->fd, cases[i].path, 10, &b, &d), GLANE_E_IO);
		assert_non_null(strstr(d.text, cases[i].want));
		assert_non_null(strstr(d.text, "not a regular file"));
		assert_int_equal(b.n, 0);
	}
	strbuf_release(&b);
}

static void test_replace(void **state)
{
	const struct place *p = *state;
	struct diag d = {0};
	struct stat st;

	assert_false(file_exists(p->fd, "a"));
	assert_int_equal(file_replace(p->fd, "a", SLICE("one"), false, &d), GLANE_OK);
	assert_content(p, "a", SLICE("one"));
	assert_int_equal(file_replace(p->fd, "a", SLICE("two\0x"), false, &d), GLANE_OK);
	assert_content(p, "a", SLICE("two\0x"));
	assert_int_equal(file_replace(p->fd, "a", SLICE(""), false, &d), GLANE_OK);
	assert_content(p, "a", SLICE(""));
	assert_int_equal(file_replace(p->fd, "b", SLICE("new"), true, &d), GLANE_OK);
	assert_int_equal(file_replace(p->fd, "b", SLICE("newer"), true, &d), GLANE_E_IO);
	assert_non_null(strstr(d.text, "b: exists already"));
	assert_content(p, "b", SLICE("new"));
	assert_true(file_exists(p->fd, "b"));
	assert_int_equal(fstatat(p->fd, "b", &st, 0), 0);
	assert_int_equal(st.st_mode & 022, 0);
	assert_int_equal(count_entries(p), 2); /* no .tmp is left */
}

/* What a crash left under the temporary name, a link included, is replaced and never written through. */
static void test_replace_leftover(void **state)
{
	const struct place *p = *state;
	struct diag d = {0};

	assert_int_equal(file_replace(p->fd, "victim", SLICE("safe"), false, &d), GLANE_OK);
	assert_int_equal(symlinkat("victim", p->fd, "a.tmp"), 0);
	assert_int_equal(file_replace(p->fd, "a", SLICE("one"), false, &d), GLANE_OK);
	assert_content(p, "a", SLICE("one"));
	assert_content(p, "victim", SLICE("safe"));
	assert_int_equal(linkat(p->fd, "victim", p->fd, "a.tmp", 0), 0);
	assert_int_equal(file_replace(p->fd, "a", SLICE("two"), false, &d), GLANE_OK);
	assert_content(p, "victim", SLICE("safe"));
	assert_int_equal(count_entries(p), 2);
}

static void test_replace_errors(void **state)
{
	const struct place *p = *state;
	char name[300];

	assert_int_equal(mkdirat(p->fd, "folder", 0755), 0);
	assert_int_equal(file_replace(p->fd, "folder", SLICE("x"), false, NULL), GLANE_E_IO);
	assert_int_equal(file_replace(p->fd, "folder", SLICE("x"), true, NULL), GLANE_E_IO);
	assert_int_equal(file_replace(p->fd, "absent/x", SLICE("x"), false, NULL), GLANE_E_IO);
	assert_int_equal(file_replace(p->fd, "folder/", SLICE("x"), false, NULL), GLANE_E_LIMIT);
	assert_int_equal(file_replace(p->fd, "", SLICE("x"), false, NULL), GLANE_E_LIMIT);
	memset(name, 'n', sizeof(name));
	name[252] = '\0';
	assert_int_equal(file_replace(p->fd, name, SLICE("x"), false, NULL), GLANE_E_LIMIT);
	assert_int_equal(count_entries(p), 1);
	name[251] = '\0';
	assert_int_equal(file_replace(p->fd, name, SLICE("x"), false, NULL), GLANE_OK);
	assert_int_equal(file_replace(p->fd, "folder/x", SLICE("y"), true, NULL), GLANE_OK);
	assert_content(p, "folder/x", SLICE("y"));
}

/* A write that fails half-way, here by the limit of file sizes, leaves the old content and no temporary file. */
static void test_replace_full(void **state)
{
	const struct place *p = *state;
	struct rlimit old, small = {0, 0};
	struct diag d = {0};
	char text[5000] = {0};
	void (*handler)(int);
	glane_rc rc;

	assert_int_equal(file_replace(p->fd, "a", SLICE("old"), false, &d), GLANE_OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){1000, old.rlim_max};
	handler = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = file_replace(p->fd, "a", (struct slice){text, sizeof(text)}, false, &d);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, handler);
	assert_int_equal(rc, GLANE_E_IO);
	assert_non_null(strstr(d.text, "a: cannot write: File too large"));
	assert_content(p, "a", SLICE("old"));
	assert_int_equal(count_entries(p), 1);
}

static void test_write_errors(void **state)
{
	struct diag d = {0};
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(fd_write(fd, "x", 1, &d), GLANE_E_IO);
	assert_non_null(strstr(d.text, "No space left"));
	assert_int_equal(fd_write(fd, NULL, 0, &d), GLANE_OK);
	fd_close(&fd);
	assert_int_equal(fd, -1);
	fd_close(&fd);
	diag_clear(&d);
	assert_int_equal(fd_sync(-1, "store", &d), GLANE_E_IO);
	assert_int_equal(strncmp(d.text, "store: cannot sync", 18), 0);
}

static void test_dir_open(void **state)
{
	const struct place *p = *state;
	struct diag d = {0};
	char absolute[400];
	int fd;

	assert_true(dir_open(p->fd, "a/b", false, &d) < 0);
	assert_non_null(strstr(d.text, "a/b: cannot open the folder"));
	diag_clear(&d);
	fd = dir_open(p->fd, "a//b/./c/", true, &d);
	assert_true(fd >= 0);
	assert_int_equal(file_replace(fd, "f", SLICE("deep"), false, &d), GLANE_OK);
	fd_close(&fd);
	assert_content(p, "a/b/c/f", SLICE("deep"));
	fd = dir_open(p->fd, "a/b", true, &d);
	assert_true(fd >= 0);
	fd_close(&fd);
	(void)snprintf(absolute, sizeof(absolute), "%s/x/y", p->path);
	fd = dir_open(-1, absolute, true, &d);
	assert_true(fd >= 0);
	fd_close(&fd);
	assert_true(file_exists(p->fd, "x/y"));
	assert_int_equal(symlinkat("b", p->fd, "a/link"), 0);
	for (int create = 0; create < 2; create++) {
		assert_true(dir_open(p->fd, "a/link", create, &d) < 0);
		assert_non_null(strstr(d.text, "must not be links"));
		diag_clear(&d);
		assert_true(dir_open(p->fd, "a/link/c", create, NULL) < 0);
		assert_true(dir_open(p->fd, "a/link/new", create, NULL) < 0);
	}
	assert_false(file_exists(p->fd, "a/b/new"));
	(void)snprintf(absolute, sizeof(absolute), "a/%0300d/b", 0); /* a name that cannot be is not passed over */
	for (int create = 0; create < 2; create++)
		assert_true(dir_open(p->fd, absolute, create, NULL) < 0);
	assert_true(dir_open(p->fd, "a/b/c/f", true, &d) < 0);
	assert_true(dir_open(p->fd, "a/b/c/f/g", true, NULL) < 0);
	assert_true(dir_open(p->fd, "", true, NULL) < 0);
	assert_int_equal(count_entries(p), 2);
}

static void test_path_dir(void **state)
{
	static const char *const rows[][2] = {
		{"a", "."},
		{"", "."},
		{"a/b", "a"},
		{"a/b/c", "a/b"},
		{"/", "/"},
		{"/a", "/"},
		{"//a", "/"},
		{"a//b", "a"},
		{"a/", "."},
		{"/a/b/", "/a"},
		{"../x", ".."},
		{"a/b//", "a"},
	};
	char buf[8];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		path_dir(rows[i][0], buf, sizeof(buf));
		assert_string_equal(buf, rows[i][1]);
	}
	path_dir("1234567/x", buf, sizeof(buf));
	assert_string_equal(buf, "1234567");
	path_dir("12345678/x", buf, sizeof(buf));
	assert_string_equal(buf, "");
}

static void test_path_join(void **state)
{
	static const char *const rows[][3] = {
		{"a", "b", "a/b"},
		{"a/", "b", "a/b"},
		{"", "b", "b"},
		{"/", "b", "/b"},
		{"a", "/b", "/b"},
		{"a", "", "a"},
		{".", "../b", "./../b"},
	};
	char buf[8];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(path_join(rows[i][0], rows[i][1], buf, sizeof(buf)));
		assert_string_equal(buf, rows[i][2]);
	}
	assert_true(path_join("123", "567", buf, sizeof(buf)));
	assert_false(path_join("123", "5678", buf, sizeof(buf)));
}

static void test_temp(void **state)
{
	const struct place *p = *state;
	struct diag d = {0};
	char buf[3];
	int fd = file_temp(p->fd, &d);

	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, "abc", 3, &d), GLANE_OK);
	assert_int_equal(pread(fd, buf, 3, 0), 3);
	assert_memory_equal(buf, "abc", 3);
	assert_int_equal(count_entries(p), 0);
	fd_close(&fd);
	assert_true(file_temp(-1, &d) < 0);
	assert_int_equal(d.code, GLANE_E_IO);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_read_limits),
		IN_PLACE(test_read_large),
		IN_PLACE(test_read_errors),
		IN_PLACE(test_read_kinds),
		IN_PLACE(test_replace),
		IN_PLACE(test_replace_leftover),
		IN_PLACE(test_replace_errors),
		IN_PLACE(test_replace_full),
		IN_PLACE(test_dir_open),
		IN_PLACE(test_temp),
		cmocka_unit_test(test_write_errors),
		cmocka_unit_test(test_path_dir),
		cmocka_unit_test(test_path_join),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
