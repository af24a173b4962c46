/* SPDX-License-Identifier: MIT */
/*
 * Runs every fuzz target without a fuzzer: each file of its corpus, the file cut at every byte, and fixed mutations of it.
 * TAP, a test per target. `fuzz_replay TARGET FILE...` runs just those files, in this process, for a debugger.
 * GLANE_FUZZ_RUNS: mutations per target (3,000; 500 in the slow variants).
 */
#include "fuzz.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)64 << 10)
#define SEEDS 256
#define HANG 120 /* seconds for one input */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
#define MUTATIONS 500
#else
#define MUTATIONS 3000
#endif

struct seed {
	char name[64];
	char *p;
	size_t n;
};
struct shared { /* with the child: what it runs */
	char what[128];
	unsigned long runs;
	size_t n;
	char input[INPUT_MAX];
};
static struct shared *shared;
static char scratch[INPUT_MAX];
static struct seed seeds[SEEDS];
static size_t n_seeds;
static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? (uint32_t)(state >> 32) % below : 0;
}

/* The input in memory of its own, so that a sanitizer sees every byte read behind it. */
static void run(const struct fuzz_target *t, const char *what, const char *p, size_t n)
{
	char *copy = malloc(n ? n : 1);

	FUZZ_SAY(copy, "no memory");
	snprintf(shared->what, sizeof(shared->what), "%s", what);
	if (n)
		memcpy(copy, p, n);
	if (n)
		memcpy(shared->input, p, n);
	shared->n = n;
	shared->runs++;
	alarm(HANG);
	t->run((struct slice){copy, n});
	free(copy);
}

static bool seed_read(struct seed *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *base = strrchr(path, '/');
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size > INPUT_MAX) {
		fprintf(stderr, "%s: not a file of at most %zu bytes\n", path, INPUT_MAX);
		if (fd >= 0)
			close(fd);
		return false;
	}
	snprintf(s->name, sizeof(s->name), "%s", base ? base + 1 : path);
	s->p = malloc((size_t)st.st_size + 1);
	FUZZ_SAY(s->p, "no memory");
	n = read(fd, s->p, (size_t)st.st_size);
	FUZZ_CHECK(n == st.st_size);
	s->n = (size_t)n;
	close(fd);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct seed *)a)->name, ((const struct seed *)b)->name);
}

static bool seeds_read(const char *folder)
{
	DIR *list = opendir(folder);
	const struct dirent *e;
	char path[600];
	bool ok = list != NULL;

	n_seeds = 0;
	while (ok && (e = readdir(list)) != NULL) {
		if (e->d_name[0] == '.' || n_seeds == SEEDS)
			continue;
		snprintf(path, sizeof(path), "%.300s/%.250s", folder, e->d_name);
		ok = seed_read(&seeds[n_seeds++], path);
	}
	if (list)
		closedir(list);
	qsort(seeds, n_seeds, sizeof(*seeds), by_name);
	return ok && n_seeds > 0;
}

static void cut_everywhere(const struct fuzz_target *t, const struct seed *s)
{
	char what[128];

	for (size_t n = 0; n < s->n; n++) {
		snprintf(what, sizeof(what), "%.63s cut at byte %zu", s->name, n);
		run(t, what, s->p, n);
	}
}

static size_t insert(char *p, size_t n, size_t at, const char *from, size_t m)
{
	if (n + m > INPUT_MAX)
		return n;
	memmove(p + at + m, p + at, n - at);
	memmove(p + at, from, m);
	return n + m;
}

/* One change to the n bytes of `scratch`; returns how many there are now. */
static size_t mutate(size_t n)
{
	static const char special[] = "\0\n\r\t \",;:=.-+0129\\/{}[]()<>&%#*'|~\x7f\x80\xbf\xc0\xc3\xe2\xed\xf0\xff";
	const uint32_t at = draw((uint32_t)n), most = (uint32_t)(n - at), kind = draw(7);
	const struct seed *other = &seeds[draw((uint32_t)n_seeds)];
	const char c = special[draw(sizeof(special) - 1)];
	uint32_t m = 1 + draw(most > 16 ? 16 : most);

	if (n == 0 || kind == 0)
		return insert(scratch, n, at, &c, 1);
	switch (kind) {
	case 1:
		scratch[at] = (char)(scratch[at] ^ (1 << draw(8)));
		return n;
	case 2:
		scratch[at] = c;
		return n;
	case 3:
		m = m > most ? most : m;
		memmove(scratch + at, scratch + at + m, most - m);
		return n - m;
	case 4:
		return insert(scratch, n, draw((uint32_t)n), scratch + at, m > most ? most : m);
	case 5:
		scratch[at] = (char)draw(256);
		return n;
	default:
		if (other->n == 0)
			return n;
		m = draw((uint32_t)other->n);
		return insert(scratch, n, at, other->p + m, other->n - m > 32 ? 1 + draw(32) : other->n - m);
	}
}

static void run_all(const struct fuzz_target *t, unsigned long mutations)
{
	char what[128];

	state = UINT64_C(0x9E3779B97F4A7C15) ^ fuzz_hash(slice_of(t->name));
	for (size_t i = 0; i < n_seeds; i++) {
		run(t, seeds[i].name, seeds[i].p, seeds[i].n);
		cut_everywhere(t, &seeds[i]);
	}
	for (unsigned long i = 0; i < mutations; i++) {
		const struct seed *s = &seeds[draw((uint32_t)n_seeds)];
		size_t n = s->n;

		memcpy(scratch, s->p, n);
		for (uint32_t k = 1 + draw(4); k > 0; k--)
			n = mutate(n);
		snprintf(what, sizeof(what), "mutation %lu, of %.63s", i, s->name);
		run(t, what, scratch, n);
	}
}

/* The input that failed, for a debugger and for the corpus. */
static void keep_input(const struct fuzz_target *t)
{
	const char *out = getenv("GLANE_OUT");
	char path[400];
	int fd;

	snprintf(path, sizeof(path), "%.300s/fuzz-%s-failed", out ? out : "/tmp", t->name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	if (write(fd, shared->input, shared->n) == (ssize_t)shared->n)
		printf("# the input: %s\n", path);
	close(fd);
}

static bool test(const struct fuzz_target *t, unsigned number, const char *top, unsigned long mutations)
{
	char folder[400];
	int status = 0;
	pid_t pid;

	snprintf(folder, sizeof(folder), "%.300s/tests/fuzz/corpus/%s", top, t->name);
	if (!seeds_read(folder)) {
		printf("not ok %u - %s\n# no corpus in %s\n", number, t->name, folder);
		return false;
	}
	memset(shared, 0, sizeof(*shared));
	fflush(stdout);
	pid = fork();
	FUZZ_CHECK(pid >= 0);
	if (pid == 0) {
		run_all(t, mutations);
		exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		FUZZ_CHECK(errno == EINTR);
	for (size_t i = 0; i < n_seeds; i++)
		free(seeds[i].p);
	if (status == 0) {
		printf("ok %u - %s: %lu inputs\n", number, t->name, shared->runs);
		return true;
	}
	printf("not ok %u - %s\n# %s: %s\n", number, t->name, shared->what,
		WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit status");
	keep_input(t);
	return false;
}

static int run_files(const char *name, char **files)
{
	const struct fuzz_target *t = fuzz_targets;

	while (t && strcmp(t->name, name) != 0)
		t = t->next;
	if (!t) {
		fprintf(stderr, "no target %s\n", name);
		return 2;
	}
	for (; *files; files++) {
		if (!seed_read(&seeds[0], *files))
			return 2;
		run(t, *files, seeds[0].p, seeds[0].n);
		free(seeds[0].p);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *top = getenv("GLANE_TOP"), *runs = getenv("GLANE_FUZZ_RUNS");
	const unsigned long mutations = runs ? strtoul(runs, NULL, 10) : MUTATIONS;
	unsigned n = 0, bad = 0;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	FUZZ_CHECK(shared != MAP_FAILED);
	if (argc > 2)
		return run_files(argv[1], argv + 2);
	for (const struct fuzz_target *t = fuzz_targets; t; t = t->next)
		n++;
	printf("1..%u\n", argc > 1 ? 1 : n);
	n = 0;
	for (const struct fuzz_target *t = fuzz_targets; t; t = t->next)
		if (argc == 1 || strcmp(t->name, argv[1]) == 0)
			bad += !test(t, ++n, top ? top : ".", mutations);
	return bad || n == 0;
}
