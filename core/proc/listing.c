/* SPDX-License-Identifier: MIT */
/* The answers of a source that has been read: listed to the scheduler, and archived. */
#include "proc/answers.h"

#include "base/file.h"

#define LIST_QUEUE ((size_t)1 << 20) /* bytes queued before more is listed */

void answers_list(struct source *s)
{
	s->listing = true;
	s->n_listed = 0;
}

static glane_rc list_one(struct wire *w, const struct answer *a, struct diag *d)
{
	wire_begin(w, B_LISTED);
	wire_u32(w, a->source->id);
	wire_request(w, &a->request);
	wire_u32(w, a->status);
	wire_cstr(w, a->sha256);
	wire_cstr(w, a->etag);
	wire_cstr(w, a->modified);
	wire_cstr(w, a->content_type);
	wire_u64(w, a->size);
	wire_u64(w, a->wire);
	wire_u32(w, a->tries);
	wire_i64(w, a->fetched_at);
	wire_u8(w, a->origin);
	wire_u64(w, a->struck);
	return wire_end(w, -1, d);
}

/* What cannot be listed costs its source; only a lack of memory is the broker's own trouble. */
glane_rc answers_list_some(struct source *s, struct diag *d)
{
	struct wire *w = &s->broker->control;
	struct diag why;

	diag_clear(&why);
	while (s->n_listed < s->n_asked && why.code == GLANE_OK && w->out.n < LIST_QUEUE) {
		const struct answer *a = s->asked[s->n_listed++];

		if (!a->pending && a->rc >= GLANE_OK)
			(void)list_one(w, a, &why);
	}
	if (why.code == GLANE_E_NOMEM)
		return fail(d, why.code, "%s", why.text);
	if (s->n_listed < s->n_asked && why.code == GLANE_OK)
		return GLANE_OK;
	s->listing = false;
	wire_begin(w, B_LIST_END);
	wire_u32(w, s->id);
	wire_u64(w, s->wire_bytes);
	wire_i64(w, why.code);
	wire_cstr(w, why.text);
	return wire_end(w, -1, d);
}

static glane_rc archive_one(struct answer *a, struct diag *d)
{
	struct archive_entry e = {.method = a->request.method,
		.url = a->request.url,
		.content_type = a->content_type,
		.etag = a->etag,
		.last_modified = a->modified,
		.source = a->source->policy.source,
		.fetched_at = a->fetched_at,
		.size = a->size};
	char hash[65];
	glane_rc rc;

	if (a->pending || a->rc != GLANE_OK || a->origin == FETCHED_NOT_MODIFIED || a->origin == FETCHED_ARCHIVE)
		return GLANE_OK;
	request_body_hash(&a->request, hash);
	e.body_sha256 = hash;
	memcpy(e.sha256, a->sha256, sizeof(e.sha256));
	rc = body_have(a, d);
	if (rc == GLANE_OK)
		rc = archive_put(&a->source->broker->archive, a->fd, &e, d);
	body_settle(a);
	return rc;
}

static glane_rc archived(struct source *s, glane_rc rc, const struct diag *why, struct diag *d)
{
	struct wire *w = &s->broker->control;

	wire_begin(w, B_ARCHIVED);
	wire_u32(w, s->id);
	wire_i64(w, rc);
	wire_cstr(w, why->code != GLANE_OK ? why->text : NULL);
	return wire_end(w, -1, d);
}

glane_rc answers_archive(struct source *s, struct diag *d)
{
	struct diag why;
	glane_rc rc = GLANE_OK;

	diag_clear(&why);
	for (size_t i = 0; i < s->n_asked && rc == GLANE_OK && s->keep != KEEP_NONE; i++)
		rc = archive_one(s->asked[i], &why);
	return archived(s, rc, &why, d);
}

glane_rc answers_keep(struct source *s, const char *sha256, struct diag *d)
{
	struct diag why;
	glane_rc rc = GLANE_OK;

	diag_clear(&why);
	for (size_t i = 0; i < s->n_all && !archive_has(&s->broker->archive, sha256) && rc == GLANE_OK; i++)
		if (strcmp(s->all[i]->sha256, sha256) == 0)
			rc = archive_one(s->all[i], &why);
	if (rc == GLANE_OK && !archive_has(&s->broker->archive, sha256))
		rc = fail(&why, GLANE_E_DATA, "payload %s is not there any more", sha256);
	return archived(s, rc, &why, d);
}

void answers_close(struct source *s)
{
	struct diag why;
	struct strbuf line;

	diag_clear(&why);
	for (size_t i = 0; i < s->n_asked && why.code == GLANE_OK && s->keep == KEEP_ALL; i++)
		(void)archive_one(s->asked[i], &why);
	if (why.code == GLANE_OK)
		return;
	strbuf_init(&line, 0);
	strbuf_fmt(&line, "glane: %s: keep_payloads: %s\n", s->policy.source, why.text);
	if (strbuf_ok(&line))
		(void)fd_write(2, line.p, line.n, NULL);
	strbuf_release(&line);
}
