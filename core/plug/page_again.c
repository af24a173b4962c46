/* SPDX-License-Identifier: MIT */
/*
 * A list that moved while it was read. What is removed from a page behind us and added at the end leaves counts and hashes right,
 * and one record unseen at each border. So the first page is asked for again after the last one: by the provider's validators where it gave
 * any, else by its bytes, else by its records, since an envelope may say when it was written.
 */
#include "base/sha256.h"
#include "plug/run.h"

#include <string.h>
#include <unistd.h>

#define RECORD_MAX ((size_t)8 << 20)

static bool add(struct sha256 *h, struct slice s)
{
	const uint64_t n = s.p ? s.n : UINT64_MAX;

	return sha256_add(h, &n, sizeof(n)) && (s.n == 0 || sha256_add(h, s.p, s.n));
}

static glane_rc add_records(struct glane_reader *rd, struct sha256 *h, struct diag *d)
{
	glane_rc rc;

	while ((rc = record_next(rd->records)) == GLANE_OK) {
		bool ok = add(h, record_text(rd->records, RECORD_MAX));

		for (size_t i = 0; ok && i < rd->req.n_field; i++)
			ok = add(h, record_at(rd->records, i)); /* of XML also what stands around the record */
		if (!ok)
			return fail(d, GLANE_E_NOMEM, "no memory for the hash of a page");
		rc = run_check(rd->run);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* A hash over the records of a page of this list; takes the descriptor. */
static glane_rc records_hash(const struct glane_reader *of, int fd, char hex[65], struct diag *d)
{
	struct glane_reader page = {
		.run = of->run, .req = of->req, .heads = of->heads, .n_heads = of->n_heads, .fd = fd};
	struct sha256 h;
	glane_rc rc;

	if (!sha256_init(&h)) {
		close(fd);
		return fail(d, GLANE_E_NOMEM, "no memory for the hash of a page");
	}
	rc = page_begin(&page);
	if (rc == GLANE_OK)
		rc = add_records(&page, &h, d);
	if (rc == GLANE_OK && of->head_error && record_head(page.records, of->head_error - 1).n)
		rc = fail(d, GLANE_E_DATA, "the provider answers with an error");
	page_close(&page);
	if (rc != GLANE_OK) {
		sha256_release(&h);
		return rc;
	}
	return sha256_end(&h, hex) ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for the hash of a page");
}

/* GLANE_END: the records are what they were. The old page is read last: what ends this process from then on, it did not read anew. */
static glane_rc compare(struct glane_reader *rd, const struct host_request *q, int fd, struct diag *d)
{
	struct glane_run *r = rd->run;
	struct host_answer first = {.fd = -1};
	char now[65] = "", then[65] = "";
	glane_rc rc = records_hash(rd, fd, now, d);

	if (rc == GLANE_OK)
		rc = r->seams->fetch(r->seams->arg, q, &first, d);
	if (rc == GLANE_OK && strcmp(first.sha256, rd->first_sha256) != 0) {
		close(first.fd);
		return GLANE_OK;
	}
	if (rc == GLANE_OK)
		rc = records_hash(rd, first.fd, then, d);
	return rc == GLANE_OK && strcmp(now, then) == 0 ? GLANE_END : rc;
}

static void say(struct glane_run *r, const char *url, const char *what, const char *why)
{
	struct strbuf b;

	strbuf_init(&b, 4096);
	strbuf_fmt(&b, "%s: %s%s%s", url, what, why[0] ? ": " : "", why);
	if (strbuf_ok(&b))
		r->seams->log(r->seams->arg, GLANE_LOG_WARN, strbuf_get(&b));
	strbuf_release(&b);
}

glane_rc page_again(struct glane_reader *rd, struct diag *d)
{
	struct glane_run *r = rd->run;
	struct host_request q = page_request(rd, rd->first);
	struct host_answer answer = {.fd = -1};
	struct diag why = {0};
	glane_rc rc;

	if (!r->seams->again)
		return GLANE_OK;
	q.wait = 0;
	rc = r->seams->again(r->seams->arg, &q, &answer, &why);
	if (rc == GLANE_OK)
		rc = compare(rd, &q, answer.fd, &r->diag);
	if (rc == GLANE_END)
		return GLANE_OK;
	if (rc < GLANE_OK && why.code == GLANE_OK)
		why = r->diag;
	diag_clear(d);
	if (rc < GLANE_OK && !run_of_slice(rc))
		return fail(d, rc, "%s", why.code != GLANE_OK ? why.text : rc_name(rc));
	say(r, rd->first,
		rc == GLANE_OK ? "this first page is another one now that the last was read"
			       : "this first page could not be asked for again",
		rc == GLANE_OK ? "" : why.text);
	r->counts.moved++;
	return GLANE_OK;
}
