/* SPDX-License-Identifier: MIT */
/* Content-Encoding by base/inflate.h, in pieces. */
#include "net/fetch_decode.h"
#include "base/inflate.h"
#include "base/mem.h"
#include "net/curl.h"

#define OUT ((size_t)64 << 10)

struct decoder {
	struct inflater *z;
	char out[OUT];
};

static bool is_name(struct slice s, const char *name)
{
	return s.n == strlen(name) && curl_strnequal(s.p, name, s.n);
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
	z->z = inflater_new(coding == CODING_GZIP ? INFLATE_GZIP : INFLATE_DEFLATE);
	if (!z->z) {
		mem_free(z);
		return NULL;
	}
	return z;
}

void decoder_free(struct decoder *z)
{
	if (z)
		inflater_free(z->z);
	mem_free(z);
}

glane_rc decoder_add(struct decoder *z, const char *p, size_t n, decoder_sink *sink, void *arg, struct diag *d)
{
	struct slice in = {p, n};
	size_t made = OUT;

	while (made == OUT) {
		glane_rc rc = inflater_add(z->z, &in, z->out, OUT, &made, d);

		if (rc == GLANE_OK)
			rc = sink(arg, z->out, made, d);
		if (rc != GLANE_OK)
			return rc;
	}
	return GLANE_OK;
}

glane_rc decoder_end(const struct decoder *z, struct diag *d)
{
	return inflater_end(z->z, d);
}
