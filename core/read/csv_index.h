/* SPDX-License-Identifier: MIT */
/*
 * Where the cells and records of a CSV window end: delimiters and line ends outside of quotes, found 64 bytes at a time
 * with the widest instructions the machine has. Cells are cut later, and only those asked for. Private to csv.c.
 */
#ifndef READ_CSV_INDEX_H
#define READ_CSV_INDEX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSV_CHUNK ((size_t)32 << 10) /* bytes indexed at once: what comes of them stays in cache */
#define CSV_MAX_COLUMNS 16384

#define CSV_OK 0
#define CSV_NUL 1  /* a NUL byte */
#define CSV_UTF8 2 /* malformed UTF-8 */
#define CSV_OPEN 3 /* a quote inside of an unquoted cell */
#define CSV_SHUT 4 /* text after a closing quote */

struct csv_end {        /* a record's end */
	uint32_t sep;   /* its place in csv_index.sep */
	uint32_t lines; /* lines that the record takes, times 2; plus 1 where it holds a doubled quote */
};
struct csv_index {
	char delimiter, quote;
	bool is_quoting;
	bool is_lax; /* leave what stands around quotes to the caller (blanks) */

	/* Offsets in the window of delimiters and line ends. The caller takes away what it has used. */
	uint32_t *sep;
	size_t n_sep;
	struct csv_end *end;
	size_t n_end;
	size_t at;    /* bytes before this one are indexed */
	bool is_done; /* all of the document is; a line end was added where it ends without one */
	int error;    /* CSV_*; at error_at. All that is indexed lies before it */
	size_t error_at;
	bool is_inside; /* of quotes, at `at` */

	/* private: carried from block to block */
	uint64_t in_quote, before, shut;
	uint32_t lines, utf8_skip;
	bool is_doubled;
};

#define CSV_SEP_CAP (CSV_MAX_COLUMNS + CSV_CHUNK + 256)
#define CSV_END_CAP (CSV_CHUNK + 256)

/* sep and end have the capacities above; `at` is where the first record begins. */
void csv_index_init(struct csv_index *x, size_t at);
/* Indexes up to CSV_CHUNK further bytes of the window. False: it takes more bytes to go on, or is_done.
 * At most CSV_MAX_COLUMNS separators and no ends are left from before. */
bool csv_index_run(struct csv_index *x, const char *window, size_t n, bool last);
/* Tests: 0 the portable code, 1 SSE2, 2 AVX2, 3 AVX-512; at most what the machine has. -1: the best (default). */
void csv_index_level(int level);
#endif
