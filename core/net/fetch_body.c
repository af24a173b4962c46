/* SPDX-License-Identifier: MIT */
/* Bodies under way. */
#include "net/fetch_body.h"
#include "base/file.h"

/* Real statistics reach 79:1 (SDMX-ML generic, one dimension per element); a bomb is near deflate's 1032:1. */
#define RATIO 300
#define RATIO_FREE ((uint64_t)1 << 20)

glane_rc fetch_body_begin(struct fetch_body *b, int tmp_dir, unsigned coding, uint64_t max, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	fetch_body_release(b);
	b->coding = coding;
	b->max = max;
	if (coding == CODING_UNKNOWN)
		return fail(d, GLANE_E_FETCH, "a Content-Encoding that was not asked for");
	b->fd = file_temp(tmp_dir, d);
	if (b->fd < 0)
		return GLANE_E_IO;
	if (coding != CODING_NONE)
		b->decoder = decoder_new(coding);
	if (!sha256_init(&b->hash) || (coding != CODING_NONE && !b->decoder))
		rc = fail(d, GLANE_E_NOMEM, "no memory to receive a body");
	if (rc < 0)
		fetch_body_release(b);
	return rc;
}

void fetch_body_release(struct fetch_body *b)
{
	fd_close(&b->fd);
	decoder_free(b->decoder);
	sha256_release(&b->hash);
	*b = FETCH_BODY_NONE;
}

static glane_rc sink(void *arg, const char *p, size_t n, struct diag *d)
{
	struct fetch_body *b = arg;

	if (!n)
		return GLANE_OK;
	b->size += n;
	if (b->size > b->max)
		return fail(d, GLANE_E_LIMIT, "the body is larger than max_body (%llu bytes) once decompressed",
			(unsigned long long)b->max);
	if (b->decoder && b->size > RATIO_FREE && (b->size - RATIO_FREE) / RATIO > b->wire)
		return fail(d, GLANE_E_LIMIT, "the body unpacks more than %d:1; is it a decompression bomb?", RATIO);
	slice_keep_tail((struct slice){p, n}, b->tail, BODY_TAIL, &b->n_tail);
	if (!sha256_add(&b->hash, p, n))
		return fail(d, GLANE_E_NOMEM, "hashing a body failed");
	return fd_write(b->fd, p, n, d);
}

glane_rc fetch_body_add(struct fetch_body *b, const char *p, size_t n, struct diag *d)
{
	b->wire += n;
	if (b->wire > b->max)
		return fail(
			d, GLANE_E_LIMIT, "the body is larger than max_body (%llu bytes)", (unsigned long long)b->max);
	return b->decoder ? decoder_add(b->decoder, p, n, sink, b, d) : sink(b, p, n, d);
}

glane_rc fetch_body_end(struct fetch_body *b, char sha256[SHA256_HEX], struct diag *d)
{
	glane_rc rc = b->decoder ? decoder_end(b->decoder, d) : GLANE_OK;

	if (rc == GLANE_OK && !sha256_end(&b->hash, sha256))
		rc = fail(d, GLANE_E_NOMEM, "hashing a body failed");
	return rc;
}
