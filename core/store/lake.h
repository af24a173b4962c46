/* SPDX-License-Identifier: MIT */
/*
 * The three Delta tables of a store as one (DESIGN section 8): `stream` is the truth, `current` and `series` follow it.
 * A source's commit N is there once the stream's log says `txn {glane:SOURCE, N}`; current and series carry the same txn
 * when they hold that commit, and `txn {glane.stream, V}` of the stream's version. store_*.c only.
 */
#ifndef STORE_LAKE_H
#define STORE_LAKE_H
#include "store/record.h"
#include "store/store.h"

#define LAKE_FILE_ROWS 1000000                 /* of a file of current, at most (but a series is never cut) */
#define LAKE_UPKEEP_BYTES ((int64_t)256 << 20) /* of stream files that the upkeep of one run reads */
#define LAKE_STREAM_FILES 30                   /* of a source; with more, the small ones become one */

struct staged { /* a finished data file in tmp/, named TABLE-PATH until it is placed in its table's folder */
	int table;
	struct delta_file file;
};
struct change { /* what a commit of one source does to the tables; texts live in the arena */
	struct arena *arena;
	const char *source;
	int64_t moment; /* recorded_at, for the names of its files */
	unsigned next;  /* number of the next file */
	struct staged *files;
	size_t n_files, cap_files;
	struct slice *drop; /* files of current and their twins in series */
	size_t n_drop, cap_drop;
};
struct lake {
	struct delta table[LAKE_TABLES];
	struct strbuf lines[LAKE_TABLES]; /* of commits that are not published yet */
	struct map pending;               /* source -> N, of the same */
	struct arena arena;
	int64_t pending_moment, pending_ms; /* recorded_at of the pending ones; clock_mono_ms() of the first */
	bool upkeep;                        /* there are lines, though nothing may be pending */
	uint64_t file_rows;                 /* LAKE_FILE_ROWS; tests set less */
	int64_t upkeep_bytes;               /* LAKE_UPKEEP_BYTES; tests set less */
	int64_t moment;                     /* recorded_at of the newest version; INT64_MIN: none */
};
glane_rc lake_open(struct store *s, bool write, struct diag *d);
void lake_close(struct store *s);
/* The live files of a source, copied to the arena; in no order. */
glane_rc lake_files(const struct store *s, int table, const char *source, struct arena *a, struct delta_file **ret,
	size_t *ret_n, struct diag *d);
/* Puts files of a source in current or series in the order of their first keys. Reads one after the other; what it needs to
 * remember goes to the arena. GLANE_E_IO: damaged. */
glane_rc lake_sort_files(
	const struct store *s, int table, struct delta_file *files, size_t n, struct arena *a, struct diag *d);
/* "glane:SOURCE". */
void lake_app(const char *source, char ret[80]);
/* Commit that a table holds of the source; 0: none. */
uint64_t lake_commit(const struct store *s, int table, const char *source);
/* True where current and series are at the source's newest commit. */
bool lake_in_step(const struct store *s, const char *source);
/* Removes data files that no log names, and those that were superseded more than seven days ago. */
glane_rc lake_sweep(const struct store *s, struct diag *d);
/* Publishes the lines of the tables from `first` on; see store_publish(). */
glane_rc lake_publish(const struct store *s, int first, struct diag *d);
/* Rebuilds what is missing or behind in current and series from the stream (rebuild.c). */
glane_rc lake_repair(const struct store *s, struct diag *d);

/* Name of the next file, and the writer for it in tmp/. */
glane_rc change_create(
	const struct store *s, struct change *c, int table, const char *path, struct record_writer *w, struct diag *d);
void change_name(const struct store *s, struct change *c, int table, char ret[DELTA_NAME]);
/* Ends the file and notes it. */
glane_rc change_keep(struct change *c, const char *path, struct record_writer *w, struct diag *d);
glane_rc change_drop(struct change *c, struct slice path, struct diag *d);
/* Moves the files into their tables' folders and writes the log lines of the tables from `first` on; `n` is the commit. */
glane_rc change_place(const struct store *s, struct change *c, int first, uint64_t n, struct diag *d);
/* The same for files of the stream that take the place of others of it: no data changes. */
glane_rc change_replace(const struct store *s, struct change *c, struct diag *d);
/* Removes what is left in tmp/. */
void change_release(const struct store *s, struct change *c);
#endif
