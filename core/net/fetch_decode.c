/* SPDX-License-Identifier: MIT */
/* gzip and deflate, with the end of the stream demanded; the only file that includes zlib. */
#include "net/fetch_decode.h"
#include "base/mem.h"

#define ZLIB_CONST
#include <zlib.h>

#define OUT ((size_t)64 << 10)
#define MEMBERS 100000

struct decoder {
	unsigned coding, members;
	bool begun, ended;
	z_stream z;
	unsigned char out[OUT];
};

static void *take(void *arg, unsigned n, unsigned size)
{
	(void)arg;
	return mem_zalloc(n, size);
}

static void give(void *arg, void *p)
{
	(void)arg;
	mem_free(p);
}

static bool is_name(struct slice s, const char *lower)
{
	if (s.n != strlen(lower))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + ('a' - 'A')) : s.p[i];

		if (c != lower[i])
			return false;
	}
	return true;
}

unsigned coding_of(struct slice value)
{
	struct slice s = slice_trim(value);

	if (!s.n || is_name(s, "identity"))
		return CODING_NONE;
	if (is_name(s, "gzip") || is_name(s, "x-gzip"))
		return CODING_GZIP;
	return is_name(s, "deflate") ? CODING_DEFLATE : CODING_UNKNOWN;
}

struct decoder *decoder_new(unsigned coding)
{
	struct decoder *z = mem_alloc(sizeof(*z));

	if (!z)
		return NULL;
	z->coding = coding;
	z->members = 0;
	z->begun = z->ended = false;
	memset(&z->z, 0, sizeof(z->z));
	z->z.zalloc = take;
	z->z.zfree = give;
	return z;
}

void decoder_free(struct decoder *z)
{
	if (z && z->begun)
		(void)inflateEnd(&z->z);
	mem_free(z);
}

/* Window bits of inflateInit2(): +16 is gzip, negative is bare. */
static int window(const struct decoder *z, unsigned char first)
{
	if (z->coding == CODING_GZIP)
		return 15 + 16;
	return (first & 0x8f) == 0x08 ? 15 : -15;
}

static glane_rc begin(struct decoder *z, unsigned char first, struct diag *d)
{
	int code = z->begun ? inflateReset(&z->z) : inflateInit2(&z->z, window(z, first));

	if (code != Z_OK)
		return fail(d, code == Z_MEM_ERROR ? GLANE_E_NOMEM : GLANE_E_FORMAT, "zlib cannot start: %s",
			    z->z.msg ? z->z.msg : "no memory");
	z->begun = true;
	z->ended = false;
	z->members++;
	return GLANE_OK;
}

static glane_rc damaged(const struct decoder *z, int code, struct diag *d)
{
	if (code == Z_MEM_ERROR)
		return fail(d, GLANE_E_NOMEM, "no memory to decompress");
	if (z->members > 1 && z->z.total_out == 0)
		return fail(d, GLANE_E_FORMAT, "bytes after the end of the compressed stream");
	return fail(d, GLANE_E_FORMAT, "the compressed stream is damaged: %s", z->z.msg ? z->z.msg : "unexpected data");
}

static glane_rc inflate_some(struct decoder *z, decoder_sink *sink, void *arg, struct diag *d)
{
	glane_rc rc;
	int code;

	z->z.next_out = z->out;
	z->z.avail_out = (unsigned)OUT;
	code = inflate(&z->z, Z_NO_FLUSH);
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return damaged(z, code, d);
	rc = sink(arg, (const char *)z->out, OUT - z->z.avail_out, d);
	z->ended = code == Z_STREAM_END;
	return rc;
}

glane_rc decoder_add(struct decoder *z, const char *p, size_t n, decoder_sink *sink, void *arg, struct diag *d)
{
	const unsigned char *in = (const unsigned char *)p;
	glane_rc rc = GLANE_OK;

	if (n > UINT32_MAX)
		return fail(d, GLANE_E_LIMIT, "a piece of %zu bytes to decompress", n);
	while (rc == GLANE_OK && n) {
		if (z->ended && (z->coding != CODING_GZIP || z->members >= MEMBERS))
			return fail(d, GLANE_E_FORMAT, "bytes after the end of the compressed stream");
		if (!z->begun || z->ended)
			rc = begin(z, *in, d);
		if (rc < 0)
			return rc;
		z->z.next_in = in;
		z->z.avail_in = (unsigned)n;
		do
			rc = inflate_some(z, sink, arg, d);
		while (rc == GLANE_OK && !z->ended && (z->z.avail_in || !z->z.avail_out));
		in = z->z.next_in;
		n = z->z.avail_in;
	}
	return rc;
}

glane_rc decoder_end(const struct decoder *z, struct diag *d)
{
	if (!z->begun)
		return fail(d, GLANE_E_FORMAT, "the compressed stream is empty");
	if (!z->ended)
		return fail(d, GLANE_E_FORMAT, "the compressed stream was cut before its end");
	return GLANE_OK;
}
