/* SPDX-License-Identifier: MIT */
/*
 * glane for tests/run/starved.py: the program itself, whose processes have a malloc that fails where a file says so. A worker gets no
 * environment and may open no file, but every child is this binary again: the allocations of the main process, of the broker and of the
 * workers can be counted and refused as they really run, sandbox and libraries included. The file is BINARY.control, mapped before
 * main(). Where it names a command, that is started for the first process of the role, which waits until it is traced: strace
 * attaches like this to one of the children alone.
 */
#include "app/main.c"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which have a malloc of their own */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unwind.h>

#define STACKS 65536 /* allocations of a role that are told apart when recording */
#define DEPTH 24     /* frames */

enum role { NONE, MAIN, BROKER, WORKER, DESCRIBE, ROLES };

struct control { /* starved.py knows the layout */
	uint32_t role, lasting;
	uint64_t nth; /* the allocation of that role that fails; 0: none, what is recorded */
	char command[512];
	_Atomic uint32_t traced, unused;
	struct tally {
		_Atomic uint64_t calls, refused;
		_Atomic int64_t live;
	} tally[ROLES];
	uint64_t stack[ROLES][STACKS]; /* a hash of who asked, by call; 0: spared */
};
static struct control *control;
static struct tally *tally;
static enum role role;
static _Thread_local bool looking;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

struct walk {
	uint64_t hash;
	int depth;
};

static _Unwind_Reason_Code frame(struct _Unwind_Context *c, void *arg)
{
	struct walk *w = arg;

	w->hash = (w->hash ^ (uint64_t)_Unwind_GetIP(c)) * UINT64_C(0x100000001b3);
	return ++w->depth < DEPTH ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static _Unwind_Reason_Code seek_json(struct _Unwind_Context *c, void *arg)
{
	Dl_info at;
	bool *found = arg;

	*found = dladdr((void *)_Unwind_GetIP(c), &at) && at.dli_sname && strncmp(at.dli_sname, "json_load", 9) == 0;
	return *found ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* What crashes without memory and is therefore not begun without it (mem_has) gets what it asks for then: libseccomp 2.5.4, which spoils the
 * heap, and reading by jansson 2.14, which asserts. */
static bool is_spared(const void *caller)
{
	Dl_info at;
	bool is_json = false;

	if (!dladdr(caller, &at) || !at.dli_fname)
		return false;
	if (strstr(at.dli_fname, "libseccomp"))
		return true;
	if (strstr(at.dli_fname, "libjansson"))
		_Unwind_Backtrace(seek_json, &is_json);
	return is_json;
}

/* Counts a call; true: it is to fail. */
static bool refuse(const void *caller)
{
	struct walk w = {UINT64_C(0xcbf29ce484222325), 0};
	uint64_t n;

	if (!tally || looking)
		return false;
	n = atomic_fetch_add(&tally->calls, 1) + 1;
	if (control->role == role && control->nth && (control->lasting ? n >= control->nth : n == control->nth)) {
		bool spared;

		looking = true;
		spared = is_spared(caller);
		looking = false;
		if (spared)
			return false;
		atomic_fetch_add(&tally->refused, 1);
		errno = ENOMEM;
		return true;
	}
	if (!control->nth && n <= STACKS) {
		looking = true;
		_Unwind_Backtrace(frame, &w);
		control->stack[role][n - 1] = is_spared(caller) ? 0 : w.hash;
		looking = false;
	}
	return false;
}

static void *given(void *p)
{
	if (p && tally && !looking) /* what looking took for the first time stays */
		atomic_fetch_add(&tally->live, 1);
	return p;
}

#define EXPORT __attribute__((visibility("default")))

EXPORT void *malloc(size_t n)
{
	return refuse(__builtin_return_address(0)) ? NULL : given(__libc_malloc(n));
}

EXPORT void *calloc(size_t n, size_t size)
{
	return refuse(__builtin_return_address(0)) ? NULL : given(__libc_calloc(n, size));
}

EXPORT void *realloc(void *p, size_t n)
{
	void *got;

	if (p && n == 0) {
		free(p);
		return NULL;
	}
	if (refuse(__builtin_return_address(0)))
		return NULL;
	got = __libc_realloc(p, n);
	return p ? got : given(got);
}

EXPORT void *memalign(size_t align, size_t n)
{
	return refuse(__builtin_return_address(0)) ? NULL : given(__libc_memalign(align, n));
}

EXPORT void *aligned_alloc(size_t align, size_t n)
{
	return memalign(align, n);
}

EXPORT int posix_memalign(void **ret, size_t align, size_t n)
{
	void *p = memalign(align, n);

	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}

EXPORT void free(void *p)
{
	if (p && tally)
		atomic_fetch_sub(&tally->live, 1);
	__libc_free(p);
}

/* OpenSSL's errors are made to happen too, but what it then forgets is not ours. */
static void *crypto_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return refuse(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return refuse(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	__libc_free(p);
}

static enum role role_of(int argc, char **argv)
{
	static const char *const names[ROLES] = {NULL, NULL, "@broker", "@worker", "@describe"};

	for (enum role r = BROKER; argc > 1 && r < ROLES; r++) {
		if (strcmp(argv[1], names[r]) == 0)
			return r;
	}
	return argc > 1 && argv[1][0] == '@' ? NONE : MAIN;
}

static bool is_traced(void)
{
	char text[2048];
	const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	const char *at;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "TracerPid:");
	return at && strtol(at + 10, NULL, 10) != 0;
}

/* A grandchild traces us: no child of ours that we would wait for, none of our descriptors. */
static void be_traced(void)
{
	char pid[32];
	pid_t child;

	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	prctl(PR_SET_PTRACER, -1, 0, 0, 0);
	child = fork();
	if (child == 0) {
		if (fork() != 0)
			_exit(0);
		setsid();
		close_range(3, ~0u, 0);
		if (setenv("TRACED", pid, 1) == 0)
			execl("/bin/sh", "sh", "-c", control->command, (char *)NULL);
		_exit(1);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		_exit(98);
	for (int i = 0; i < 2000 && !is_traced(); i++)
		usleep(5000);
	if (!is_traced())
		_exit(98);
}

__attribute__((constructor)) static void map_control(int argc, char **argv)
{
	char path[512];
	const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	void *p;
	int fd;

	role = role_of(argc, argv);
	if (n <= 0 || role == NONE)
		return;
	memcpy(path + n, ".control", 9);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return;
	control = p;
	if (control->role == role && control->command[0] && atomic_fetch_add(&control->traced, 1) == 0)
		be_traced();
	if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free))
		_exit(97);
	if (!sha256_of((struct slice){"", 0}, path)) /* begins OpenSSL: what this takes is asked for first (mem_has) */
		_exit(97);
	tally = &control->tally[role];
}
#endif
