/* SPDX-License-Identifier: MIT */
/* TLS settings of one transfer. */
#include "net/fetch_tls.h"
#include "base/file.h"

#include <fcntl.h>

#define CA_MAX ((size_t)16 << 20)

/* The bundle and the source's own certificates as one text: libcurl takes one file, or one blob. */
static glane_rc trust_both(CURL *easy, const char *bundle, const char *extra, struct diag *d)
{
	struct curl_blob blob = {.flags = CURL_BLOB_COPY};
	struct diag why = {0};
	struct strbuf pem;
	glane_rc rc;

	strbuf_init(&pem, CA_MAX);
	rc = file_read(AT_FDCWD, extra, CA_MAX / 2, &pem, &why);
	strbuf_putc(&pem, '\n');
	if (rc == GLANE_OK && bundle)
		rc = file_read(AT_FDCWD, bundle, CA_MAX / 2, &pem, &why);
	if (rc < 0)
		rc = fail(d, GLANE_E_CONFIG, "certificates: %s", why.text);
	blob.data = pem.p;
	blob.len = pem.n;
	if (rc == GLANE_OK && (!strbuf_ok(&pem) || curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob) != CURLE_OK))
		rc = fail(d, GLANE_E_NOMEM, "no memory for certificates");
	strbuf_release(&pem);
	return rc;
}

glane_rc fetch_tls(const struct fetch *r, CURL *easy, struct diag *d)
{
	const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);
	const char *bundle = r->f->o.ca_bundle;

	if (curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) != CURLE_OK)
		return fail(d, GLANE_E_CONFIG, "this libcurl cannot do TLS 1.2 with verification");
	if (bundle && (curl_easy_setopt(easy, CURLOPT_CAINFO, bundle) != CURLE_OK ||
			      curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) != CURLE_OK ||
			      curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, bundle) != CURLE_OK ||
			      curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL) != CURLE_OK))
		return fail(d, GLANE_E_NOMEM, "no memory for certificates");
	return r->p->ca_extra ? trust_both(easy, bundle ? bundle : built->cainfo, r->p->ca_extra, d) : GLANE_OK;
}
