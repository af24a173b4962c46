/* SPDX-License-Identifier: MIT */
/* The header section of one answer, line by line, with what makes it unacceptable (RFC 9110, RFC 9112). */
#ifndef NET_FETCH_ANSWER_H
#define NET_FETCH_ANSWER_H
#include "base/diag.h"
#include "base/mem.h"

struct answer {
	struct arena arena;
	size_t bytes, lines; /* of all header sections of the transfer, 1xx included */
	bool done;           /* the last section has ended: what follows are trailers */
	int status;
	int64_t length;                               /* Content-Length, -1: none */
	bool chunked;                                 /* Transfer-Encoding: chunked */
	bool ranges_refused;                          /* Accept-Ranges: none */
	unsigned coding;                              /* CODING_* */
	int64_t retry_after;                          /* seconds, -1: none */
	int64_t range_first, range_last, range_total; /* Content-Range; first -1: none or malformed; total -1: '*' */
	const char *etag, *last_modified, *content_type, *date, *location; /* "" where absent */
};
void answer_init(struct answer *a);
void answer_release(struct answer *a);
/* One line as it came, with its line end. Failures are what no retry mends: GLANE_E_LIMIT (256 KiB, 100 lines) or GLANE_E_FETCH. */
glane_rc answer_line(struct answer *a, struct slice line, struct diag *d);
bool etag_is_strong(const char *etag); /* RFC 9110 8.8.3: quoted, without W/ */
/* What If-Range may carry for this answer (RFC 9110 13.1.5): its strong ETag; without any ETag its Last-Modified, where that is
 * a minute older than Date or more, so that no second change can hide in the same stamp (8.8.2.2). NULL: nothing. */
const char *answer_validator(const struct answer *a);
/* What If-Modified-Since may carry next time: the Last-Modified, but "" where nothing else would tell a second change within its minute. */
const char *answer_modified(const struct answer *a);
#endif
