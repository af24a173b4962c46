/* SPDX-License-Identifier: MIT */
/*
 * gzip files as a stream; not by libarchive, which checks neither CRC-32 nor length of a member and passes over
 * trailing bytes (libarchive 3.6, archive_read_support_filter_gzip.c, consume_trailer()).
 */
#include "base/inflate.h"
#include "base/mem.h"
#include "read/source.h"

#define BLOCK ((size_t)64 << 10)

struct gzip_source {
	struct payload_source base;
	struct inflater *z;
	int fd;
	uint64_t at;     /* of the next block in the file */
	struct slice in; /* what is left of the block */
	char block[BLOCK];
};

static glane_rc inflate_block(struct gzip_source *s, char *buf, size_t cap, size_t *ret_n, struct diag *d)
{
	glane_rc rc = inflater_add(s->z, &s->in, buf, cap, ret_n, d);

	if (rc == GLANE_OK)
		return GLANE_OK;
	return diag_prefix(d, "gzip file, near byte %llu", (unsigned long long)(s->at - s->in.n));
}

static glane_rc gzip_read(struct payload_source *base, char *buf, size_t cap, size_t *ret_n, struct diag *d)
{
	struct gzip_source *s = (struct gzip_source *)base;
	glane_rc rc = GLANE_OK;
	size_t made = 0, n = 0;

	while (rc == GLANE_OK && made < cap) {
		rc = inflate_block(s, buf + made, cap - made, &n, d);
		made += rc == GLANE_OK ? n : 0;
		if (rc != GLANE_OK || made == cap)
			break;
		rc = source_pread(s->fd, s->at, s->block, BLOCK, &n, d);
		s->in = (struct slice){s->block, n};
		s->at += n;
		if (rc == GLANE_OK && n == 0)
			break;
	}
	if (rc == GLANE_OK && made == 0 && inflater_end(s->z, d) != GLANE_OK)
		rc = diag_prefix(d, "gzip file of %llu bytes", (unsigned long long)s->at);
	if (rc == GLANE_OK)
		*ret_n = made;
	return rc;
}

static void gzip_close(struct payload_source *base)
{
	struct gzip_source *s = (struct gzip_source *)base;

	inflater_free(s->z);
	mem_free(s);
}

glane_rc gzip_open(struct payload_source **ret, int fd, struct diag *d)
{
	struct gzip_source *s = mem_zalloc(1, sizeof(*s));

	if (!s)
		return fail(d, GLANE_E_NOMEM, "gzip file: out of memory");
	s->base.read = gzip_read;
	s->base.close = gzip_close;
	s->fd = fd;
	s->z = inflater_new(INFLATE_GZIP);
	if (!s->z) {
		mem_free(s);
		return fail(d, GLANE_E_NOMEM, "gzip file: out of memory");
	}
	*ret = &s->base;
	return GLANE_OK;
}
