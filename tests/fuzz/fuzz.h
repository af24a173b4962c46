/* SPDX-License-Identifier: MIT */
/*
 * Fuzz targets: each fuzz_NAME.c holds one, which checks properties of what it calls, not only that nothing crashes. The same
 * object runs under libFuzzer (libfuzzer.c) and over the corpus and fixed mutations of it in every check (replay.c).
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H
#include "base/mem.h"
#include "base/strbuf.h"
#include "model/areas.h"
#include "model/batch.h"
#include "read/record.h"

struct fuzz_target {
	const char *name;
	void (*run)(struct slice in); /* the input ends where its memory ends */
	struct fuzz_target *next;
};
extern struct fuzz_target *fuzz_targets; /* of this program */

/* Head of the one target of a file: FUZZ_TARGET(csv) { ... in ... } */
#define FUZZ_TARGET(target_name)                                                                                       \
	static void target_run(struct slice in);                                                                       \
	static struct fuzz_target target_self = {#target_name, target_run, NULL};                                      \
	__attribute__((constructor)) static void target_add(void)                                                      \
	{                                                                                                              \
		target_self.next = fuzz_targets;                                                                       \
		fuzz_targets = &target_self;                                                                           \
	}                                                                                                              \
	static void target_run(struct slice in)

/* A property that must hold: else the program says so, with the text, and aborts. */
#define FUZZ_CHECK(holds) ((holds) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #holds, "%s", ""))
#define FUZZ_SAY(holds, ...) ((holds) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #holds, __VA_ARGS__))
_Noreturn void fuzz_fail(const char *file, int line, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The first line of *in, which it cuts off; "" where there is none. */
struct slice fuzz_line(struct slice *in);
/* What stands before the first line "---" of *in, which it cuts off; false at the end. */
bool fuzz_part(struct slice *in, struct slice *ret);
/* A C string in the arena, up to the first NUL. Aborts without memory, as everything here does. */
const char *fuzz_cstr(struct arena *a, struct slice s);
/* Items between blanks, in the arena, NULL behind them; *ret_n of them, at most `max`. */
const char **fuzz_words(struct arena *a, struct slice s, size_t max, size_t *ret_n);
/* A number that follows from the bytes: the same input does the same. */
uint32_t fuzz_hash(struct slice s);
/* A file without a name that holds the bytes. The caller closes it. */
int fuzz_file(struct slice s);
/* A folder of this process in memory where there is such a file system; removed at the end. */
const char *fuzz_folder(void);
/* Writes a file of that folder. */
void fuzz_put(const char *name, struct slice s);

/* JSON and XML inputs: select, fields and heads from the first three lines, into o; returns the document behind them. */
struct slice fuzz_paths(struct arena *a, struct slice in, struct record_options *o);
/*
 * Records: reads the document whole, byte by byte and in steps that the input decides, and checks that the outcome is the
 * same (columns, values, positions, heads, message); that record_get() gives what record_at() does; that the reader does
 * not go on after its end; and that it ends cleanly where memory runs out. Returns the outcome.
 */
glane_rc fuzz_records(const struct record_options *o, struct slice doc);

/* Tables of two economies, a grouping and a scheme, read once. */
const struct areas *fuzz_areas(void);
/* A batch with a spool, or without (rows then go to the caller's on_obs). */
void fuzz_batch(struct batch *b, bool has_spool);
/* Finishes it and checks its rows: in order by key, no key twice, and what is written of each is read as the same. */
void fuzz_batch_finish(struct batch *b);
#endif
