/* SPDX-License-Identifier: MIT */
/* core/plug/load.c, elf.c: every reason to refuse a plugin (RELIABILITY P6), each with one line that names the file, the reason and what to do. */
#include "support/cmocka.h"
#include "support/test_host.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	char path[64], file[96];
	struct arena arena;
};

static int setup(void **state)
{
	static struct folder f;

	snprintf(f.path, sizeof(f.path), "/tmp/glane-load-XXXXXX");
	arena_init(&f.arena, 0);
	*state = &f;
	if (!mkdtemp(f.path))
		return -1;
	snprintf(f.file, sizeof(f.file), "%s/abi_grown.so", f.path);
	return 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;

	unlink(f->file);
	rmdir(f->file);
	rmdir(f->path);
	arena_release(&f->arena);
	return 0;
}

static void refused(struct folder *f, glane_rc want_rc, const char *words)
{
	struct plugin p;
	struct diag d;
	char want[256];
	glane_rc rc;

	diag_clear(&d);
	rc = plugin_load(&f->arena, f->file, "abi_grown", &p, &d);
	snprintf(want, sizeof(want), "%s: %s", f->file, words);
	if (rc != want_rc || strncmp(d.text, want, strlen(want)) != 0 || strchr(d.text, '\n')) {
		print_message("%d %s\nwant %d %s\n", rc, d.text, want_rc, want);
		test_fail();
	}
}

static void write_file(const struct folder *f, const void *p, size_t n)
{
	struct diag d = {.code = GLANE_OK};
	const int fd = open(f->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, p, n, &d), GLANE_OK);
	close(fd);
	assert_int_equal(chmod(f->file, 0644), 0);
}

/* The bytes of a plugin that works. */
static struct slice good_plugin(struct folder *f)
{
	const char *path = test_plugin_path(&f->arena, "test-plugins", "abi_grown");
	struct strbuf b;
	struct diag d = {.code = GLANE_OK};
	struct slice s;

	if (!path)
		skip(); /* GLANE_OUT names no build */
	strbuf_init(&b, 0);
	assert_int_equal(file_read(AT_FDCWD, path, (size_t)64 << 20, &b, &d), GLANE_OK);
	assert_true(arena_dup(&f->arena, strbuf_get(&b), &s));
	strbuf_release(&b);
	return s;
}

/* ---- the file ---- */

static void test_missing(void **state)
{
	refused(*state, GLANE_E_CONFIG, "No such file");
}

static void test_folder(void **state)
{
	struct folder *f = *state;

	assert_int_equal(mkdir(f->file, 0755), 0);
	refused(f, GLANE_E_DENIED, "refused: not a regular file (remove it");
	rmdir(f->file);
}

static void test_fifo(void **state)
{
	struct folder *f = *state;

	assert_int_equal(mkfifo(f->file, 0644), 0);
	refused(f, GLANE_E_DENIED, "refused: not a regular file (remove it");
}

static void test_symlink(void **state)
{
	struct folder *f = *state;
	const char *path = test_plugin_path(&f->arena, "test-plugins", "abi_grown");

	assert_int_equal(symlink(path ? path : "/dev/null", f->file), 0);
	refused(f, GLANE_E_DENIED, "refused: a symbolic link, whose target may change: put the file itself there");
}

static void test_modes(void **state)
{
	static const mode_t modes[] = {0664, 0646, 0666, 0777, 0020, 0002};
	struct folder *f = *state;

	write_file(f, "x", 1);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(f->file, modes[i]), 0);
		refused(f, GLANE_E_DENIED, "refused: writable by group or others (chmod go-w ");
	}
}

static void test_owner(void **state)
{
	struct folder *f = *state;

	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	write_file(f, "x", 1);
	assert_int_equal(chown(f->file, 12345, (gid_t)-1), 0);
	refused(f, GLANE_E_DENIED, "refused: owned by user 12345, neither root nor the user who runs glane (chown it)");
}

/* Whoever may rename in the folder may swap the file. */
static void test_folder_of_others(void **state)
{
	static const struct {
		mode_t mode;
		bool is_refused;
	} cases[] = {
		{0702, true}, {0777, true}, {02777, true}, {0700, false}, {0755, false}, {0775, false}, {01777, false}};
	struct folder *f = *state;

	write_file(f, "#!/bin/sh\n", 10);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(chmod(f->path, cases[i].mode), 0);
		refused(f, GLANE_E_DENIED,
			cases[i].is_refused
				? "refused: its folder is writable by others, who could put another file there "
				  "(chmod o-w /tmp/glane-load-"
				: "refused: no shared object at all");
	}
	if (geteuid() != 0)
		return; /* only root can give a folder away */
	assert_int_equal(chown(f->path, 12345, (gid_t)-1), 0);
	refused(f, GLANE_E_DENIED,
		"refused: its folder is owned by user 12345, neither root nor the user who runs glane (chown it)");
}

static void test_text(void **state)
{
	struct folder *f = *state;

	write_file(f, "#!/bin/sh\n", 10);
	refused(f, GLANE_E_DENIED, "refused: no shared object at all (remove it");
	write_file(f, "", 0);
	refused(f, GLANE_E_DENIED, "refused: no shared object at all (remove it");
}

/* A shared object that was cut anywhere is refused, never mapped: that would be a SIGBUS. */
static void test_cut(void **state)
{
	struct folder *f = *state;
	const struct slice all = good_plugin(f);

	for (size_t n = 4; n < all.n; n += n < 256 ? 7 : all.n / 61) {
		write_file(f, all.p, n);
		refused(f, GLANE_E_DENIED, "refused: the file ends before its contents do (copy it again)");
	}
	write_file(f, all.p, all.n - 1);
	refused(f, GLANE_E_DENIED, "refused: the file ends before its contents do (copy it again)");
}

static void test_other_machine(void **state)
{
	struct folder *f = *state;
	const struct slice all = good_plugin(f);
	char *copy = arena_strndup(&f->arena, all.p, all.n);

	assert_non_null(copy);
	copy[4] = (char)(copy[4] == 1 ? 2 : 1); /* EI_CLASS */
	write_file(f, copy, all.n);
	refused(f, GLANE_E_DENIED, "refused: no shared object for this machine (rebuild it here)");
	copy[4] = all.p[4];
	copy[18] = (char)0xf3; /* e_machine: what dlopen() itself refuses */
	copy[19] = 0;
	write_file(f, copy, all.n);
	refused(f, GLANE_E_DENIED, "refused: ");
	copy[16] = 2; /* e_type: a program */
	write_file(f, copy, all.n);
	refused(f, GLANE_E_DENIED, "refused: no shared object for this machine (rebuild it here)");
}

/* ---- the symbol and the name ---- */

static void load_named(struct folder *f, const char *file, const char *name, const char *words)
{
	const char *path = test_plugin_path(&f->arena, "test-plugins", file);
	struct plugin p;
	struct diag d;

	if (!path)
		skip(); /* GLANE_OUT names no build */
	diag_clear(&d);
	assert_int_equal(plugin_load(&f->arena, path, name, &p, &d), words ? GLANE_E_DENIED : GLANE_OK);
	if (words && !strstr(d.text, words))
		print_message("%s\n", d.text);
	assert_true(!words || (strstr(d.text, words) && strncmp(d.text, path, strlen(path)) == 0));
}

static void test_symbols(void **state)
{
	load_named(*state, "abi_grown", "abi_grown", NULL);
	load_named(*state, "abi_grown", "other",
		"refused: the plugin calls itself 'abi_grown', its file 'other': rename one");
	load_named(*state, "evil_major", "evil_major",
		"refused: no symbol glane_plugin_v1: no glane plugin, or one for another ABI");
	load_named(*state, "evil_null", "evil_null", "refused: glane_plugin_v1() gives no descriptor");
}

/* ---- the descriptor ---- */

static glane_rc nothing(const struct glane_host *h, glane_run *r, void *state)
{
	(void)h;
	(void)r;
	(void)state;
	return GLANE_OK;
}

#define OPTION(name, type, offset)                                                                                     \
	{                                                                                                              \
		name, type, 0, offset, NULL, NULL, 0, 0                                                                \
	}
#define TABLE(t, ...) static const struct glane_opt t[] = {__VA_ARGS__, {0}};
TABLE(fine, OPTION("a", GLANE_OPT_INT, 0), OPTION("b", GLANE_OPT_BOOL, 15))
TABLE(twice, OPTION("a", GLANE_OPT_INT, 0), OPTION("a", GLANE_OPT_INT, 8))
TABLE(host_key, OPTION("deadline", GLANE_OPT_INT, 0))
TABLE(gate_key, OPTION("gate.mine", GLANE_OPT_INT, 0))
TABLE(no_key, OPTION("Bad Key", GLANE_OPT_INT, 0))
TABLE(type_0, OPTION("a", 0, 0))
TABLE(type_8, OPTION("a", 8, 0))
TABLE(flag_2, {"a", GLANE_OPT_INT, 2, 0, NULL, NULL, 0, 0})
TABLE(type_huge, OPTION("a", 65535, 0))
TABLE(beyond, OPTION("a", GLANE_OPT_INT, 16))
TABLE(half_beyond, OPTION("a", GLANE_OPT_LIST, 8))
TABLE(far_beyond, OPTION("a", GLANE_OPT_BOOL, UINT32_MAX))
TABLE(misaligned, OPTION("a", GLANE_OPT_INT, 4))
TABLE(no_utf8, {"a", GLANE_OPT_STR, 0, 0, "\xff", NULL, 0, 0})
static struct glane_opt endless[400];
static const char *const bad_hosts[] = {"example.org", "\xff", NULL};
static const char *many_hosts[100];
static char long_text[5000];

struct adopt_case {
	const char *name;
	struct glane_plugin desc; /* what differs from a fine one */
	const char *words;
};
#define SIZED(...)                                                                                                     \
	{                                                                                                              \
		.size = sizeof(struct glane_plugin), .state_size = 16, __VA_ARGS__                                     \
	}
static const struct adopt_case cases[] = {
	{"fine", SIZED(.opts = fine), NULL},
	{"major 2", SIZED(.abi_major = 2), "built for ABI 2, this glane has ABI 1 (rebuild the plugin)"},
	{"a later minor is needed", SIZED(.needs_minor = 9),
		"needs ABI 1.9 or newer, this glane has 1.0 (update glane)"},
	{"built against a later minor, which is not needed", SIZED(.abi_minor = 9), NULL},
	{"size 0", {.size = 0}, "its descriptor says it has 0 bytes, which cannot be"},
	{"size before run()", {.size = offsetof(struct glane_plugin, run)}, "which cannot be"},
	{"a huge size", {.size = UINT32_MAX}, "its descriptor says it has 4294967295 bytes, which cannot be"},
	{"no name", SIZED(.name = ""), NULL},
	{"no run", SIZED(.title = "no run"), NULL},
	{"too much state", {.size = sizeof(struct glane_plugin), .state_size = (1u << 20) + 1},
		"more than 1 MiB (allocate in run())"},
	{"a title that is no UTF-8", SIZED(.title = "\xff\xfe"), "no UTF-8"},
	{"a title without an end", SIZED(.title = long_text), "too long"},
	{"a version without an end", SIZED(.version = long_text), "too long"},
	{"hosts that are no text", SIZED(.hosts = bad_hosts), "host 2 is no text"},
	{"hosts without an end", SIZED(.hosts = many_hosts),
		"more than 64 hosts (does the list lack its closing NULL?)"},
	{"option: twice", SIZED(.opts = twice), "option 'a' is declared twice (rename one)"},
	{"option: glane's own key", SIZED(.opts = host_key), "option 'deadline' has the name of a key of glane's own"},
	{"option: a gate's key", SIZED(.opts = gate_key), "option 'gate.mine' has the name of a key of glane's own"},
	{"option: no key", SIZED(.opts = no_key), "the name of option 1 is no key"},
	{"option: type 0", SIZED(.opts = type_0), "option 'a' is of a type (0) that does not exist"},
	{"option: type 8", SIZED(.opts = type_8), "option 'a' is of a type (8)"},
	{"option: a flag that does not exist", SIZED(.opts = flag_2), "option 'a' has flags (2)"},
	{"option: type 65535", SIZED(.opts = type_huge), "option 'a' is of a type (65535)"},
	{"option: behind the state", SIZED(.opts = beyond), "option 'a' lies outside its state of 16 bytes"},
	{"option: partly behind the state", SIZED(.opts = half_beyond), "option 'a' lies outside its state"},
	{"option: far behind the state", SIZED(.opts = far_beyond), "option 'a' lies outside its state"},
	{"option: misaligned", SIZED(.opts = misaligned), "or not where its type may (use offsetof)"},
	{"option: default that is no UTF-8", SIZED(.opts = no_utf8), "default or help of option 'a'"},
	{"option: no end", SIZED(.opts = endless), "more than 256 options (does the table lack its closing row, {0}?)"},
	{"option: rows too near", SIZED(.opts = fine, .opt_stride = 8), "its option rows are 8 bytes apart"},
	{"option: rows too far", SIZED(.opts = fine, .opt_stride = 65528), "its option rows are 65528 bytes apart"},
	{"option: rows askew", SIZED(.opts = fine, .opt_stride = 57), "its option rows are 57 bytes apart"},
	{"no options, rows of any kind", SIZED(.opt_stride = 1), NULL},
};

static void adopt_case(void **state)
{
	const struct adopt_case *c = *state;
	struct glane_plugin desc = c->desc;
	struct arena a;
	struct plugin p;
	struct diag d;
	const char *words = c->words;
	glane_rc rc;

	arena_init(&a, 0);
	diag_clear(&d);
	desc.abi_major = desc.abi_major ? desc.abi_major : GLANE_ABI_MAJOR;
	desc.opt_stride = desc.opt_stride ? desc.opt_stride : sizeof(struct glane_opt);
	desc.run = nothing;
	if (!desc.name)
		desc.name = "test";
	if (!desc.name[0]) {
		desc.name = NULL;
		words = "has no name or no run()";
	}
	if (desc.title && strcmp(desc.title, "no run") == 0) {
		desc.run = NULL;
		words = "has no name or no run()";
	}
	rc = plugin_adopt(&a, &desc, "/dir/test.so", "test", &p, &d);
	if (rc != (words ? GLANE_E_DENIED : GLANE_OK) || (words && !strstr(d.text, words)) ||
		(words && strncmp(d.text, "/dir/test.so: refused: ", 23) != 0)) {
		print_message("%d %s\nwant %s\n", rc, d.text, words ? words : "none");
		test_fail();
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest files[] = {cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fifo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symlink, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_machine, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symbols, setup, teardown)};
	struct CMUnitTest tests[64];
	const size_t n = sizeof(cases) / sizeof(cases[0]);

	memset(long_text, 'x', sizeof(long_text) - 1);
	for (size_t i = 0; i < sizeof(many_hosts) / sizeof(many_hosts[0]); i++)
		many_hosts[i] = "example.org";
	for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
		static char names[400][8];

		snprintf(names[i], sizeof(names[i]), "o%u", (unsigned)i);
		endless[i] = (struct glane_opt)OPTION(names[i], GLANE_OPT_INT, 0);
	}
	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){cases[i].name, adopt_case, NULL, NULL, (void *)(uintptr_t)&cases[i]};
	memcpy(tests + n, files, sizeof(files));
	return _cmocka_run_group_tests("load", tests, n + sizeof(files) / sizeof(files[0]), NULL, NULL);
}
