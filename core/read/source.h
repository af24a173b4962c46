/* SPDX-License-Identifier: MIT */
/* What stands behind a payload's window; for core/read and for filters in front of it. */
#ifndef READ_SOURCE_H
#define READ_SOURCE_H
#include "read/payload.h"

struct payload_source {
	/* Puts 1..cap (>= 16) further bytes into buf, or none once the end is proven: nothing cut, checksums right. */
	glane_rc (*read)(struct payload_source *s, char *buf, size_t cap, size_t *ret_n, struct diag *d);
	/* Of mapped bytes: those in [from, to) are not needed for now. NULL: nothing to do. */
	void (*drop)(struct payload_source *s, const char *from, const char *to);
	void (*close)(struct payload_source *s); /* also frees s */
	char *buf;                               /* the window of a stream, kept by payload.c */
	size_t cap;
};

#define ARCHIVE_NONE 0
#define ARCHIVE_ZIP 1
#define ARCHIVE_7Z 2
#define ARCHIVE_GZIP 3
/* What the first bytes say: PK\3\4 (PK\5\6 without entries), 7z\xBC\xAF\x27\x1C, \x1F\x8B. */
int archive_sniff(const char *p, size_t n);

/* A payload over a stream of at most `max` bytes, which it owns from now on, also after an error. */
glane_rc payload_stream(
	struct payload *p, struct payload_source *s, const char *encoding, uint64_t max, struct diag *d);

/* All n bytes at `at`, fewer only at the end of the file; EINTR retried. */
glane_rc source_pread(int fd, uint64_t at, char *buf, size_t n, size_t *ret_n, struct diag *d);

/* One entry of a zip or 7z file (PKWARE APPNOTE 6.3; 7zFormat.txt) of `size` bytes as a stream. */
glane_rc archive_entry_source(
	struct payload_source **ret, int fd, uint64_t size, const struct payload_options *o, struct diag *d);
/* Every member of a gzip file (RFC 1952), joined; trailing bytes that are no member are GLANE_E_FORMAT. */
glane_rc gzip_open(struct payload_source **ret, int fd, struct diag *d);

/* Puts a converter to UTF-8 in front of p where `encoding` or a byte-order mark asks for one. The window of p begins at
 * the document's start and holds 4 bytes, or all. */
glane_rc charset_open(struct payload *p, const char *encoding, struct diag *d);
/* Appends windows-1252 as UTF-8, or ISO-8859-15 where a text that is declared so has no byte that only windows-1252 gives a
 * character. False: a byte that is no character of it. */
bool charset_ansi(struct strbuf *out, struct slice s, bool is_latin9);
#endif
