/* SPDX-License-Identifier: MIT */
/*
 * The bodies of one source during one run: a bounded number of open files, however many pages it has. The first bodies stay open; one more
 * is copied behind the others into one file, and out of it where it is wanted again: by a reader that asks twice, by the archive.
 */
#include "proc/answers.h"

#include "base/file.h"
#include "net/body.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_OPEN 64                    /* bodies of one source */
#define KEPT_TIMES 16                  /* largest bodies that may be kept at once */
#define KEPT_LEAST ((uint64_t)4 << 30) /* bytes that always may */

static glane_rc copy(int from, uint64_t at, uint64_t size, int to, struct diag *d)
{
	char buf[65536];

	while (size > 0) {
		const size_t want = size < sizeof(buf) ? (size_t)size : sizeof(buf);
		const ssize_t n = fd_pread(from, buf, want, at);

		if (n < (ssize_t)want)
			return fail(d, GLANE_E_IO, "cannot read a payload again: %s",
				n < 0 ? strerror(errno) : "its file is shorter");
		if (fd_write(to, buf, (size_t)n, d) != GLANE_OK)
			return d->code;
		at += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return GLANE_OK;
}

/* Behind the others. What a failed write left there is written over by the next one. */
static glane_rc put_away(struct answer *a, struct diag *d)
{
	struct source *s = a->source;
	glane_rc rc;

	if (s->spool < 0)
		s->spool = file_temp(s->broker->tmp, d);
	if (s->spool < 0)
		return d->code;
	if (lseek(s->spool, (off_t)s->spool_size, SEEK_SET) < 0)
		return fail(d, GLANE_E_IO, "cannot keep a payload: %s", strerror(errno));
	rc = copy(a->fd, 0, a->size, s->spool, d);
	if (rc != GLANE_OK)
		return rc;
	a->spooled = true;
	a->spool_at = s->spool_size;
	s->spool_size += a->size;
	return GLANE_OK;
}

glane_rc body_have(struct answer *a, struct diag *d)
{
	struct broker *b = a->source->broker;
	glane_rc rc;

	if (a->fd >= 0)
		return GLANE_OK;
	if (!a->spooled)
		return archive_get(&b->archive, a->sha256, b->tmp, &a->fd, &a->size, d);
	a->fd = file_temp(b->tmp, d);
	if (a->fd < 0)
		return d->code;
	rc = copy(a->source->spool, a->spool_at, a->size, a->fd, d);
	if (rc != GLANE_OK)
		fd_close(&a->fd);
	return rc;
}

int body_open(struct answer *a, struct diag *d)
{
	return body_have(a, d) == GLANE_OK ? body_reopen(a->fd, d) : -1;
}

void body_settle(struct answer *a)
{
	struct source *s = a->source;
	struct diag ignored = {0};

	if (a->fd < 0 || a->held)
		return;
	if (s->n_held < MAX_OPEN) {
		a->held = true;
		s->n_held++;
		return;
	}
	/* One that came out of the archive comes from there again; where there is no room for a copy, the file stays open. */
	if (a->spooled || a->origin != FETCHED_NEW || put_away(a, &ignored) == GLANE_OK)
		fd_close(&a->fd);
}

void body_drop(struct answer *a)
{
	fd_close(&a->fd);
	a->source->n_held -= a->held;
	a->held = a->spooled = false;
}

glane_rc body_count(struct source *s, uint64_t size, struct diag *d)
{
	const uint64_t largest = s->policy.max_body ? s->policy.max_body : FETCH_BODY_MAX;
	const uint64_t max = largest > KEPT_LEAST / KEPT_TIMES ? largest * KEPT_TIMES : KEPT_LEAST;

	if (size > max || s->body_bytes > max - size)
		return fail(d, GLANE_E_LIMIT,
			"the answers of this run have more than %llu bytes (%d times max_body, or 4 GiB)",
			(unsigned long long)max, KEPT_TIMES);
	s->body_bytes += size;
	return GLANE_OK;
}
