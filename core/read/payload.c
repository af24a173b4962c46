/* SPDX-License-Identifier: MIT */
/* Payloads: the moving window over mapped bytes, bytes in memory, and streams. */
#include "base/file.h"
#include "base/mem.h"
#include "read/source.h"
#include "read/xlsx.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_STEP ((size_t)1 << 20)     /* mapped bytes per window; those behind it are given back to the kernel */
#define STREAM_BUF ((size_t)256 << 10) /* stays in a second-level cache */
#define STREAM_ROOM ((size_t)64 << 10)
#define MAX_BYTES ((uint64_t)256 << 20)
#define MAX_RATIO 1032 /* the most that deflate can do */

struct map_source {
	struct payload_source base;
	char *map;
	size_t size, page;
};

/* Whole pages up to `to` are given back, from the one on that holds `from`: several windows may move over one map. */
static void map_drop(struct payload_source *base, const char *from, const char *to)
{
	struct map_source *s = (struct map_source *)base;
	const size_t first = (size_t)(from - s->map) & ~(s->page - 1), done = (size_t)(to - s->map) & ~(s->page - 1);

	/* Advice only: where the kernel refuses, the pages stay until the end. */
	if (done > first)
		(void)madvise(s->map + first, done - first, MADV_DONTNEED);
}

static void map_close(struct payload_source *base)
{
	struct map_source *s = (struct map_source *)base;

	(void)munmap(s->map, s->size);
	mem_free(s);
}

static glane_rc map_open(struct payload *p, int fd, size_t size, struct diag *d)
{
	struct map_source *s;

	payload_memory(p, SLICE(""), MAP_STEP, d);
	if (size == 0)
		return GLANE_OK;
	s = mem_zalloc(1, sizeof(*s));
	if (!s)
		return fail(d, GLANE_E_NOMEM, "payload: out of memory");
	s->map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (s->map == MAP_FAILED) {
		mem_free(s);
		return fail(d, errno == ENOMEM ? GLANE_E_NOMEM : GLANE_E_IO, "payload: cannot map %zu bytes: %s", size,
			strerror(errno));
	}
	(void)madvise(s->map, size, MADV_SEQUENTIAL);
	s->size = size;
	s->page = (size_t)sysconf(_SC_PAGESIZE);
	s->base.drop = map_drop;
	s->base.close = map_close;
	payload_memory(p, (struct slice){s->map, size}, MAP_STEP, d);
	p->source = &s->base;
	return GLANE_OK;
}

void payload_memory(struct payload *p, struct slice bytes, size_t step, struct diag *d)
{
	*p = (struct payload){.p = bytes.p ? bytes.p : "", .limit = bytes.n, .diag = d};
	p->step = step ? step : bytes.n + 1;
	p->n = p->step < bytes.n ? p->step : bytes.n;
	p->last = p->n == bytes.n;
}

int archive_sniff(const char *p, size_t n)
{
	if (n >= 4 && (memcmp(p, "PK\3\4", 4) == 0 || memcmp(p, "PK\5\6", 4) == 0))
		return ARCHIVE_ZIP;
	if (n >= 6 && memcmp(p, "7z\xBC\xAF\x27\x1C", 6) == 0)
		return ARCHIVE_7Z;
	return n >= 2 && memcmp(p, "\x1F\x8B", 2) == 0 ? ARCHIVE_GZIP : ARCHIVE_NONE;
}

glane_rc source_pread(int fd, uint64_t at, char *buf, size_t n, size_t *ret_n, struct diag *d)
{
	const ssize_t got = fd_pread(fd, buf, n, at);

	if (got < 0)
		return fail(d, GLANE_E_IO, "payload: cannot read: %s", strerror(errno));
	*ret_n = (size_t)got;
	return GLANE_OK;
}

/* Makes room behind the `keep` last bytes of a stream's window; moves them only where the buffer's end is near. */
static glane_rc stream_room(struct payload *p, size_t keep)
{
	struct payload_source *s = p->source;
	size_t used = p->n ? (size_t)(p->p + p->n - s->buf) : 0;
	size_t cap = s->cap;
	char *buf = s->buf;

	if (cap - used >= STREAM_ROOM) {
		p->p = buf + used - keep;
		return GLANE_OK;
	}
	while (cap < STREAM_BUF || cap / 2 < keep)
		cap = cap ? cap * 2 : STREAM_BUF;
	if (cap != s->cap) {
		buf = mem_alloc(cap);
		if (!buf)
			return fail(p->diag, GLANE_E_NOMEM, "payload: out of memory for a window of %zu bytes", cap);
	}
	if (keep)
		memmove(buf, p->p + p->n - keep, keep);
	if (buf != s->buf)
		mem_free(s->buf);
	s->buf = buf;
	s->cap = cap;
	p->p = buf;
	return GLANE_OK;
}

static glane_rc stream_more(struct payload *p, size_t keep)
{
	struct payload_source *s = p->source;
	size_t gone = p->n - keep, got = 0;
	glane_rc rc = stream_room(p, keep);

	if (rc != GLANE_OK)
		return rc;
	p->pos += gone;
	p->n = keep;
	rc = s->read(s, s->buf + (p->p - s->buf) + keep, s->cap - (size_t)(p->p - s->buf) - keep, &got, p->diag);
	p->failed = rc != GLANE_OK;
	if (p->failed)
		return rc;
	p->n = keep + got;
	p->last = got == 0;
	if (p->pos + p->n > p->limit)
		return fail(p->diag, GLANE_E_LIMIT,
			"payload: more than %llu bytes come out of the archive, conversion or program (the limit is "
			"max_body, or "
			"%d times an archive's size)",
			(unsigned long long)p->limit, MAX_RATIO);
	return GLANE_OK;
}

glane_rc payload_more(struct payload *p, size_t keep)
{
	size_t gone = p->n - keep, add;
	uint64_t left;

	if (p->step == 0 && !p->last)
		return stream_more(p, keep);
	left = p->step ? p->limit - p->pos - p->n : 0;
	add = left < p->step ? (size_t)left : p->step;
	p->p += gone;
	p->pos += gone;
	p->n = keep + add;
	p->last = add == left;
	if (p->source && p->source->drop)
		p->source->drop(p->source, p->p - gone, p->p);
	return GLANE_OK;
}

glane_rc payload_settle(struct payload *p, uint64_t limit)
{
	while (p->step == 0 && !p->last) {
		glane_rc rc;

		if (p->n > limit)
			return fail(p->diag, GLANE_E_LIMIT,
				"payload: more than %llu bytes come out of the archive or conversion, and this format "
				"has to be "
				"kept whole",
				(unsigned long long)limit);
		rc = payload_more(p, p->n);
		if (rc != GLANE_OK)
			return rc;
	}
	return GLANE_OK;
}

void payload_view(struct payload *ret, const struct payload *p, uint64_t at)
{
	const uint64_t end = p->step ? p->limit : p->pos + p->n;

	*ret = *p;
	ret->p = p->p + ((ptrdiff_t)at - (ptrdiff_t)p->pos);
	ret->pos = at;
	ret->limit = end;
	ret->step = MAP_STEP < p->step || !p->step ? MAP_STEP : p->step;
	ret->n = end - at < ret->step ? (size_t)(end - at) : ret->step;
	ret->last = at + ret->n == end;
	if (!p->step)
		ret->source = NULL;
}

/* Opens fd's bytes as a stream out of an archive, or mapped as they are. */
static glane_rc open_bytes(struct payload *p, int fd, uint64_t size, const struct payload_options *o, struct diag *d)
{
	uint64_t max = o->max_bytes ? o->max_bytes : MAX_BYTES;
	char magic[8];
	size_t n = 0;
	glane_rc rc = source_pread(fd, 0, magic, sizeof(magic), &n, d);
	int kind = rc == GLANE_OK && o->is_archive_ok ? archive_sniff(magic, n) : ARCHIVE_NONE;

	if (rc != GLANE_OK)
		return rc;
	if (o->sheet) {
		p->p = "";
		p->limit = max;
		return xlsx_source(&p->source, fd, size, o, d);
	}
	if (kind == ARCHIVE_NONE && size > max)
		return fail(d, GLANE_E_LIMIT, "payload: %llu bytes are more than the limit of %llu; see max_body",
			(unsigned long long)size, (unsigned long long)max);
	if (kind == ARCHIVE_NONE)
		return map_open(p, fd, (size_t)size, d);
	p->p = "";
	p->limit = size > max / MAX_RATIO ? max : size * MAX_RATIO;
	if (kind == ARCHIVE_GZIP)
		return gzip_open(&p->source, fd, d);
	return archive_entry_source(&p->source, fd, size, o, d);
}

glane_rc payload_open(struct payload *p, int fd, const struct payload_options *o, struct diag *d)
{
	struct stat st;
	glane_rc rc;

	*p = (struct payload){.p = "", .diag = d};
	if (fstat(fd, &st) != 0)
		rc = fail(d, errno == ENOMEM ? GLANE_E_NOMEM : GLANE_E_IO, "payload: cannot be looked at: %s",
			strerror(errno));
	else if (!S_ISREG(st.st_mode))
		rc = fail(d, GLANE_E_IO, "payload: not a regular file");
	else
		rc = open_bytes(p, fd, (uint64_t)st.st_size, o, d);
	while (rc == GLANE_OK && p->n < 8 && !p->last)
		rc = payload_more(p, p->n);
	if (rc == GLANE_OK && p->step == 0 && archive_sniff(p->p, p->n) != ARCHIVE_NONE)
		rc = fail(d, GLANE_E_FORMAT, "archive: its entry is an archive again; nested archives are not opened");
	if (rc == GLANE_OK)
		rc = charset_open(p, o->encoding, d);
	if (rc != GLANE_OK)
		payload_close(p);
	return rc;
}

glane_rc payload_stream(struct payload *p, struct payload_source *s, const char *encoding, uint64_t max, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	*p = (struct payload){.p = "", .diag = d, .source = s, .limit = max ? max : MAX_BYTES};
	while (rc == GLANE_OK && p->n < 8 && !p->last)
		rc = payload_more(p, p->n);
	if (rc == GLANE_OK)
		rc = charset_open(p, encoding, d);
	if (rc != GLANE_OK)
		payload_close(p);
	return rc;
}

void payload_close(struct payload *p)
{
	char *buf = p->source ? p->source->buf : NULL;

	if (p->source)
		p->source->close(p->source);
	mem_free(buf);
	*p = (struct payload){.p = "", .last = true};
}
