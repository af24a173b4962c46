/* SPDX-License-Identifier: MIT */
/*
 * Answers' heads and redirects. First line: the URL that was asked; second: hosts that are allowed, between blanks; then
 * the lines of the answers, a blank one behind each. Every answer that redirects is followed.
 */
#include "fuzz.h"
#include "net/fetch_priv.h"

static glane_rc take_answer(struct answer *a, struct slice *in, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	do {
		struct slice line = slice_cut(in, '\n');

		rc = answer_line(a, line.p ? line : SLICE(""), d);
		if (line.n == 0)
			break;
	} while (rc == GLANE_OK && in->p);
	return rc;
}

static bool same_origin(const struct url_parts *a, const struct url_parts *b)
{
	return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port;
}

static void check_answer(const struct answer *a)
{
	FUZZ_CHECK(a->length >= -1 && a->retry_after >= -1 && a->range_total >= -1);
	FUZZ_CHECK(a->range_first < 0 || a->range_last >= a->range_first);
	FUZZ_CHECK(a->range_total < 0 || a->range_last < a->range_total);
	FUZZ_CHECK(a->etag && a->last_modified && a->content_type && a->date && a->location);
	FUZZ_CHECK(!strpbrk(a->location, "\r\n") && !strpbrk(a->etag, "\r\n"));
}

static void follow(struct fetch *r, struct slice *in)
{
	const struct url_parts before = r->hop;
	const unsigned hops = r->hops;
	struct diag d;
	glane_rc rc;

	diag_clear(&d);
	rc = fetch_redirect(r, &d);
	FUZZ_CHECK(rc == GLANE_OK || (d.code == rc && d.text[0]));
	if (rc != GLANE_OK) {
		*in = (struct slice){NULL, 0};
		return;
	}
	FUZZ_CHECK(r->hops == hops + 1 && r->hops <= FETCH_REDIRECTS);
	FUZZ_CHECK(strcmp(before.scheme, "https") != 0 || strcmp(r->hop.scheme, "https") == 0);
	FUZZ_SAY(url_allowed(&r->hop, r->p->allowed, r->p->n_allowed), "%s", r->hop_url);
	FUZZ_SAY(r->foreign || same_origin(&before, &r->hop), "%s", r->hop_url);
	strbuf_reset(&r->t.url);
	strbuf_puts(&r->t.url, r->hop_url);
	FUZZ_CHECK(strbuf_ok(&r->t.url));
}

FUZZ_TARGET(redirect)
{
	struct fetch_policy p = {.source = "fuzz"};
	struct fetch r = {.p = &p};
	struct slice line;
	struct diag d;

	diag_clear(&d);
	arena_init(&r.arena, 0);
	strbuf_init(&r.t.url, 0);
	r.hop_url = fuzz_cstr(&r.arena, fuzz_line(&in));
	line = fuzz_line(&in);
	p.allowed = fuzz_words(&r.arena, line, 4, &p.n_allowed);
	strbuf_puts(&r.t.url, r.hop_url);
	if (url_parse(&r.arena, r.hop_url, &r.hop, &d) != GLANE_OK)
		in = (struct slice){NULL, 0};
	while (in.p) {
		struct diag why;

		diag_clear(&why);
		answer_init(&r.t.answer);
		if (take_answer(&r.t.answer, &in, &why) == GLANE_OK) {
			check_answer(&r.t.answer);
			if (status_is_redirect(r.t.answer.status))
				follow(&r, &in);
		} else {
			FUZZ_CHECK(why.text[0]);
		}
		answer_release(&r.t.answer);
	}
	strbuf_release(&r.t.url);
	arena_release(&r.arena);
}
