/* SPDX-License-Identifier: MIT */
/* SHA-256 by libcrypto. */
#include "base/sha256.h"
#include "base/mem.h"
#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

/* OpenSSL 3.0 begins with the first digest, and crashes where that gets no memory. */
static bool has_begun(void)
{
	static bool yes;

	yes = yes || mem_has(MEM_LIBRARY);
	return yes;
}

bool sha256_init(struct sha256 *h)
{
	EVP_MD_CTX *ctx = has_begun() ? EVP_MD_CTX_new() : NULL;

	h->ctx = NULL;
	if (!ctx)
		return false;
	if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(ctx);
		return false;
	}
	h->ctx = ctx;
	return true;
}

bool sha256_add(struct sha256 *h, const void *p, size_t n)
{
	return n == 0 || EVP_DigestUpdate(h->ctx, p, n) == 1;
}

bool sha256_end(struct sha256 *h, char hex[SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	bool ok = EVP_DigestFinal_ex(h->ctx, sum, &n) == 1 && n == 32;

	sha256_release(h);
	if (!ok)
		return false;
	for (size_t i = 0; i < 32; i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[64] = '\0';
	return true;
}

void sha256_release(struct sha256 *h)
{
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}

bool sha256_of(struct slice s, char hex[SHA256_HEX])
{
	struct sha256 h;

	if (!sha256_init(&h))
		return false;
	if (!sha256_add(&h, s.p, s.n)) {
		sha256_release(&h);
		return false;
	}
	return sha256_end(&h, hex);
}

static glane_rc add_file(struct sha256 *h, int fd, struct diag *d)
{
	char buf[32768];
	off_t at = 0;

	for (;;) {
		ssize_t n = pread(fd, buf, sizeof(buf), at);

		if (n == 0)
			return GLANE_OK;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(
				d, GLANE_E_IO, "reading a file for its SHA-256: %s; check the disk", strerror(errno));
		if (!sha256_add(h, buf, (size_t)n))
			return fail(d, GLANE_E_NOMEM, "SHA-256: libcrypto refused to go on; is memory short?");
		at += n;
	}
}

glane_rc sha256_fd(int fd, char hex[SHA256_HEX], struct diag *d)
{
	struct sha256 h;
	glane_rc rc;

	if (!sha256_init(&h))
		return fail(d, GLANE_E_NOMEM, "SHA-256: libcrypto did not start; is memory short?");
	rc = add_file(&h, fd, d);
	if (rc < 0) {
		sha256_release(&h);
		return rc;
	}
	if (!sha256_end(&h, hex))
		return fail(d, GLANE_E_NOMEM, "SHA-256: libcrypto did not finish; is memory short?");
	return GLANE_OK;
}

bool is_sha256_hex(struct slice s)
{
	if (s.n != SHA256_HEX - 1)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	}
	return true;
}
