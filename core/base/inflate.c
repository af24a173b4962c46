/* SPDX-License-Identifier: MIT */
/* gzip and deflate; the only file that includes zlib. */
#include "base/inflate.h"
#include "base/mem.h"
#define ZLIB_CONST
#include <zlib.h>

#define MAX_MEMBERS 1000000
#define MAX_STEP ((size_t)1 << 30) /* zlib counts in 32 bits */

struct inflater {
	int form;
	unsigned members;
	bool is_begun, is_inside; /* z was initialised; a member has begun and not ended */
	z_stream z;
};

static voidpf zlib_alloc(voidpf opaque, uInt n, uInt size)
{
	(void)opaque;
	return mem_zalloc(n, size);
}

static void zlib_free(voidpf opaque, voidpf p)
{
	(void)opaque;
	mem_free(p);
}

struct inflater *inflater_new(int form)
{
	struct inflater *z = mem_zalloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->form = form;
	z->z.zalloc = zlib_alloc;
	z->z.zfree = zlib_free;
	return z;
}

void inflater_free(struct inflater *z)
{
	if (z && z->is_begun)
		(void)inflateEnd(&z->z);
	mem_free(z);
}

/* Window bits of inflateInit2(): +16 is gzip, negative is bare. A zlib header's first byte says method 8. */
static int window(const struct inflater *z, unsigned char first)
{
	if (z->form == INFLATE_GZIP)
		return MAX_WBITS + 16;
	return (first & 0x8F) == 0x08 ? MAX_WBITS : -MAX_WBITS;
}

static glane_rc begin(struct inflater *z, unsigned char first, struct diag *d)
{
	int code;

	if (z->members && (z->form != INFLATE_GZIP || first != 0x1F))
		return fail(d, GLANE_E_FORMAT, "bytes follow the end of the compressed stream");
	if (z->members == MAX_MEMBERS)
		return fail(d, GLANE_E_LIMIT, "more than %d gzip members", MAX_MEMBERS);
	code = z->is_begun ? inflateReset(&z->z) : inflateInit2(&z->z, window(z, first));
	if (code != Z_OK)
		return fail(d, GLANE_E_NOMEM, "no memory to decompress");
	z->is_begun = z->is_inside = true;
	z->members++;
	return GLANE_OK;
}

/* One call of zlib, within one member. */
static glane_rc step(struct inflater *z, struct slice *in, char *out, size_t cap, size_t *ret_n, struct diag *d)
{
	uInt in_n = (uInt)(in->n < MAX_STEP ? in->n : MAX_STEP), out_n = (uInt)(cap < MAX_STEP ? cap : MAX_STEP);
	int code;

	z->z.next_in = (const Bytef *)in->p;
	z->z.avail_in = in_n;
	z->z.next_out = (Bytef *)out;
	z->z.avail_out = out_n;
	code = inflate(&z->z, Z_NO_FLUSH);
	in->p += in_n - z->z.avail_in;
	in->n -= in_n - z->z.avail_in;
	*ret_n = out_n - z->z.avail_out;
	z->is_inside = code != Z_STREAM_END;
	if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)
		return GLANE_OK;
	if (code == Z_MEM_ERROR)
		return fail(d, GLANE_E_NOMEM, "no memory to decompress");
	return fail(
		d, GLANE_E_FORMAT, "the compressed stream is damaged: %s", z->z.msg ? z->z.msg : "a preset dictionary");
}

glane_rc inflater_add(struct inflater *z, struct slice *in, char *out, size_t cap, size_t *ret_n, struct diag *d)
{
	size_t made = 0;

	/* A full window of zlib may hold more than was asked for, so an empty *in does not end it: no progress does. */
	while (made < cap && (in->n || z->is_inside)) {
		size_t n = 0, before = in->n;
		glane_rc rc = z->is_inside ? GLANE_OK : begin(z, (unsigned char)*in->p, d);

		if (rc == GLANE_OK)
			rc = step(z, in, out + made, cap - made, &n, d);
		if (rc != GLANE_OK)
			return rc;
		made += n;
		if (n == 0 && in->n == before)
			break;
	}
	*ret_n = made;
	return GLANE_OK;
}

glane_rc inflater_end(const struct inflater *z, struct diag *d)
{
	if (!z->is_inside && z->members)
		return GLANE_OK;
	return fail(d, GLANE_E_FORMAT, "the compressed stream is cut short");
}

uint32_t crc32_of(struct slice s)
{
	return (uint32_t)crc32_z(0, (const Bytef *)s.p, s.n);
}
