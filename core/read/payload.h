/* SPDX-License-Identifier: MIT */
/*
 * A complete, verified payload as bytes to read from the first to the last: a mapped file, or a stream out of an
 * archive entry or a character conversion. Readers ask for more bytes; a mapped payload gives all of them at once.
 */
#ifndef READ_PAYLOAD_H
#define READ_PAYLOAD_H
#include "base/diag.h"
#include "base/strbuf.h"

struct payload {
	/* The window: bytes [pos, pos + n) of the decoded payload. Borrowed; stable until payload_more(). */
	const char *p;
	size_t n;
	uint64_t pos;                  /* offset of p in the decoded payload, for messages */
	bool last;                     /* no more bytes follow the window */
	bool failed;                   /* its source did: what was read so far says nothing about where */
	struct payload_source *source; /* private: map, archive, converter; stacked */
	uint64_t limit; /* bytes that may come out in all, GLANE_E_LIMIT beyond; in memory: their number */
	size_t step;    /* private: bytes in memory or mapped: how many the window grows by; 0: a stream */
	struct diag *diag;
};
struct payload_sheet {    /* a sheet of an .xlsx workbook, which comes out as CSV */
	const char *name; /* or its number, 1 is the first; NULL: the first visible one */
	uint32_t skip;    /* rows left blank */
	char decimal;     /* mark to write numbers with; 0: '.' */
};
struct payload_options {
	bool is_archive_ok; /* open zip, 7z and gzip files by their magic */
	/* Glob of the entry's name. NULL: the only file of the archive, or the only one whose name ends in member_suffix.
	 * Several matches are an error that lists them (the first 10). */
	const char *member;
	const char *member_suffix; /* ".csv", or several: ".xml|.json"; preferred where member is NULL; may be NULL */
	const char *encoding;      /* NULL or "UTF-8": by byte-order mark, else UTF-8 as it is. Also ISO-8859-1, latin1,
				      ISO-8859-15, windows-1252, UTF-16, UTF-16LE, UTF-16BE (own tables; no iconv). A byte-order mark
				      decides before this name does, and is passed over. "binary": bytes as they are */
	const char *part;          /* the zip's entry of this name, or payload_open() is GLANE_END */
	const struct payload_sheet *sheet; /* NULL: the payload is no workbook */
	uint64_t max_bytes;                /* after decompression; ratios above 1032:1 are refused too; 0: 256 MiB */
};
/* Takes the descriptor of a whole payload (read-only, any offset); fd stays the caller's and must outlive p. */
glane_rc payload_open(struct payload *p, int fd, const struct payload_options *o, struct diag *d);
/* A payload over bytes in memory, for tests; `step` > 0 gives the window that many bytes at a time. */
void payload_memory(struct payload *p, struct slice bytes, size_t step, struct diag *d);
/* Keeps the last `keep` bytes of the window and adds at least one further byte, or sets `last`. GLANE_OK, or an error.
 * The window after it begins with the kept bytes. keep <= n; keep is bounded by the reader's record limit. */
glane_rc payload_more(struct payload *p, size_t keep);
/* Bytes that were passed can be read again. Of a stream they are kept from the window on, at most `limit`; before the first more(). */
glane_rc payload_settle(struct payload *p, uint64_t limit);
/* A window of its own on a settled payload, from the offset `at` on (not before the first window); p stays, and must outlive it. It
 * is not closed. */
void payload_view(struct payload *ret, const struct payload *p, uint64_t at);
void payload_close(struct payload *p);
#endif
