/* SPDX-License-Identifier: MIT */
/* zstd between descriptors, with memory bounded by one window, and in memory. */
#include "base/zst.h"
#include "base/file.h"
#include "base/mem.h"
#include <errno.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#define LEVEL 3
#define WINDOW_LOG_MAX 23 /* 8 MiB: what RFC 8878 3.1.1.1.2 asks every decoder to support */

struct pump {
	int in, out;
	struct sha256 *hash; /* what comes out goes here; NULL: to out */
	off_t at;            /* read so far */
	char *src, *dst;
	size_t src_cap, dst_cap;
};

static bool pump_init(struct pump *p, int in, int out, size_t src_cap, size_t dst_cap)
{
	*p = (struct pump){.in = in, .out = out, .src_cap = src_cap, .dst_cap = dst_cap};
	p->src = mem_alloc(src_cap);
	p->dst = mem_alloc(dst_cap);
	return p->src && p->dst;
}

static void pump_release(struct pump *p)
{
	mem_free(p->src);
	mem_free(p->dst);
}

/* Fills p->src from the file; *ret_n is 0 at the end. */
static glane_rc pump_read(struct pump *p, size_t *ret_n, struct diag *d)
{
	ssize_t n;

	do
		n = pread(p->in, p->src, p->src_cap, p->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(d, GLANE_E_IO, "reading for zstd at offset %lld: %s; check the disk", (long long)p->at,
			strerror(errno));
	p->at += n;
	*ret_n = (size_t)n;
	return GLANE_OK;
}

static glane_rc zstd_fail(size_t rc, glane_rc code, const char *doing, struct diag *d)
{
	if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
		return fail(d, GLANE_E_NOMEM, "zstd: no memory for %s", doing);
	return fail(d, code, "zstd: %s: %s", doing, ZSTD_getErrorName(rc));
}

/* One block, or the frame's end where `last`: all of it is written when this returns. */
static glane_rc compress_block(ZSTD_CCtx *z, struct pump *p, size_t n, bool last, struct diag *d)
{
	ZSTD_inBuffer in = {p->src, n, 0};
	glane_rc rc;
	size_t left;

	do {
		ZSTD_outBuffer out = {p->dst, p->dst_cap, 0};

		left = ZSTD_compressStream2(z, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return zstd_fail(left, GLANE_E_IO, "compressing", d);
		rc = fd_write(p->out, p->dst, out.pos, d);
		if (rc < 0)
			return rc;
	} while (last ? left != 0 : in.pos < in.size);
	return GLANE_OK;
}

static glane_rc compress_all(ZSTD_CCtx *z, struct pump *p, struct diag *d)
{
	size_t n = 0;
	glane_rc rc;

	do {
		rc = pump_read(p, &n, d);
		if (rc == GLANE_OK)
			rc = compress_block(z, p, n, n == 0, d);
	} while (rc == GLANE_OK && n);
	return rc;
}

glane_rc zst_compress(int in, int out, struct diag *d)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	struct pump p;
	glane_rc rc;

	if (!pump_init(&p, in, out, ZSTD_CStreamInSize(), ZSTD_CStreamOutSize()) || !z ||
		ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, LEVEL)) ||
		ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1)))
		rc = fail(d, GLANE_E_NOMEM, "zstd: no memory for compressing");
	else
		rc = compress_all(z, &p, d);
	pump_release(&p);
	ZSTD_freeCCtx(z);
	return rc;
}

static glane_rc pump_write(struct pump *p, size_t n, struct diag *d)
{
	if (!p->hash)
		return fd_write(p->out, p->dst, n, d);
	return sha256_add(p->hash, p->dst, n) ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for SHA-256");
}

struct unpack {
	uint64_t left; /* bytes that may still come out */
	size_t state;  /* 0 at the end of a frame, like ZSTD_decompressStream() */
};

static glane_rc decompress_block(ZSTD_DCtx *z, struct pump *p, size_t n, struct unpack *u, struct diag *d)
{
	ZSTD_inBuffer in = {p->src, n, 0};
	bool full = false;
	glane_rc rc;

	/* A full output buffer may leave bytes inside the decoder after the input is used up. */
	while (in.pos < in.size || full) {
		ZSTD_outBuffer out = {p->dst, p->dst_cap, 0};

		u->state = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(u->state))
			return zstd_fail(u->state, GLANE_E_FORMAT, "the stream is damaged", d);
		if (out.pos > u->left)
			return fail(d, GLANE_E_LIMIT, "zstd: more bytes come out than are allowed; raise max_body");
		u->left -= out.pos;
		rc = pump_write(p, out.pos, d);
		if (rc < 0)
			return rc;
		full = out.pos == out.size && u->state != 0;
	}
	return GLANE_OK;
}

static glane_rc decompress_all(ZSTD_DCtx *z, struct pump *p, uint64_t max, struct diag *d)
{
	struct unpack u = {max, 1};
	size_t n = 0;
	glane_rc rc;

	do {
		rc = pump_read(p, &n, d);
		if (rc == GLANE_OK)
			rc = decompress_block(z, p, n, &u, d);
	} while (rc == GLANE_OK && n);
	if (rc == GLANE_OK && u.state)
		return fail(d, GLANE_E_FORMAT, "zstd: the stream is cut after %lld bytes", (long long)p->at);
	return rc;
}

static glane_rc decompress(int in, int out, struct sha256 *hash, uint64_t max, struct diag *d)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	struct pump p;
	const bool ok = pump_init(&p, in, out, ZSTD_DStreamInSize(), ZSTD_DStreamOutSize());
	glane_rc rc;

	p.hash = hash;
	if (!ok || !z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		rc = fail(d, GLANE_E_NOMEM, "zstd: no memory for decompressing");
	else
		rc = decompress_all(z, &p, max, d);
	pump_release(&p);
	ZSTD_freeDCtx(z);
	return rc;
}

glane_rc zst_decompress(int in, int out, uint64_t max, struct diag *d)
{
	return decompress(in, out, NULL, max, d);
}

glane_rc zst_sha256(int in, uint64_t max, char hex[SHA256_HEX], struct diag *d)
{
	struct sha256 hash;
	glane_rc rc;

	if (!sha256_init(&hash))
		return fail(d, GLANE_E_NOMEM, "no memory for SHA-256");
	rc = decompress(in, -1, &hash, max, d);
	if (rc == GLANE_OK && !sha256_end(&hash, hex))
		rc = fail(d, GLANE_E_NOMEM, "no memory for SHA-256");
	sha256_release(&hash);
	return rc;
}

struct zst_packer {
	ZSTD_CCtx *z;
};
struct zst_unpacker {
	ZSTD_DCtx *z;
};

struct zst_packer *zst_packer_new(int level)
{
	struct zst_packer *p = mem_zalloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->z = ZSTD_createCCtx();
	if (p->z && !ZSTD_isError(ZSTD_CCtx_setParameter(p->z, ZSTD_c_compressionLevel, level)))
		return p;
	zst_packer_free(p);
	return NULL;
}

void zst_packer_free(struct zst_packer *z)
{
	if (z)
		ZSTD_freeCCtx(z->z);
	mem_free(z);
}

size_t zst_bound(size_t n)
{
	size_t bound = ZSTD_compressBound(n);

	return ZSTD_isError(bound) ? 0 : bound;
}

glane_rc zst_pack(struct zst_packer *z, struct slice in, char *out, size_t cap, size_t *ret_n, struct diag *d)
{
	size_t n = ZSTD_compress2(z->z, out, cap, in.p, in.n);

	if (ZSTD_isError(n))
		return zstd_fail(n, GLANE_E_USAGE, "compressing", d);
	*ret_n = n;
	return GLANE_OK;
}

struct zst_unpacker *zst_unpacker_new(void)
{
	struct zst_unpacker *p = mem_zalloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->z = ZSTD_createDCtx();
	if (p->z)
		return p;
	zst_unpacker_free(p);
	return NULL;
}

void zst_unpacker_free(struct zst_unpacker *z)
{
	if (z)
		ZSTD_freeDCtx(z->z);
	mem_free(z);
}

bool zst_plausible(size_t packed, size_t n)
{
	return n / ZSTD_BLOCKSIZE_MAX <= packed / 4 + 1;
}

glane_rc zst_unpack(struct zst_unpacker *z, struct slice in, char *out, size_t n, struct diag *d)
{
	size_t got = ZSTD_decompressDCtx(z->z, out, n, in.p, in.n);

	if (ZSTD_isError(got))
		return zstd_fail(got, GLANE_E_FORMAT, "the block is damaged", d);
	if (got != n)
		return fail(d, GLANE_E_FORMAT, "zstd: %zu bytes come out where %zu should", got, n);
	return GLANE_OK;
}
