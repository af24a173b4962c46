/* SPDX-License-Identifier: MIT */
/* The answers of one source during one run: fetched, replayed, kept, handed to the worker, archived. */
#include "proc/answers.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_REQUESTS 200000
/*
 * Of a source in one run: its requests and what servers said of the answers, as they are listed. At 5 requests a second a source asks
 * for 108,000 in the six hours of its deadline; each may have 300 bytes then.
 */
#define MAX_BYTES ((uint64_t)32 << 20)
#define TOO_MANY "the requests of one source in one run, and what was said of them, have more than 32 MiB"
#define MAX_HEADER 8192 /* bytes of a header that is kept of an answer */
#define MAX_REPLAYED 64 /* replays of a source under way at once: each holds a file */
#define PROGRESS_MS 500
#define MAX_WAITED 4             /* a worker asks for one at a time (broker_fetch()) */
#define QUEUE ((size_t)32 << 20) /* bytes for the scheduler: half of what holds them */

static const char *keep(struct source *s, const char *text)
{
	const char *copy = text ? arena_strndup(&s->arena, text, strlen(text)) : NULL;

	s->bytes += text ? strlen(text) : 0;
	return copy ? copy : "";
}

/* A longer one is as none: it would have to be sent back, and listed. */
static const char *keep_header(struct source *s, const char *text)
{
	return text && strlen(text) <= MAX_HEADER ? keep(s, text) : "";
}

static void replayed(struct answer *a, uint8_t verdict)
{
	struct wire *w = &a->source->broker->control;

	wire_begin(w, B_REPLAYED);
	wire_u32(w, a->source->id);
	wire_u32(w, a->replay_index);
	wire_u8(w, verdict);
	wire_cstr(w, a->message);
	wire_end(w, -1, &a->source->broker->diag);
}

static void security(struct source *s, const char *message)
{
	struct wire *w = &s->broker->control;

	if (!message || strncmp(message, "security: ", 10) != 0)
		return;
	wire_begin(w, B_SECURITY);
	wire_u32(w, s->id);
	wire_cstr(w, message);
	wire_end(w, -1, &s->broker->diag);
}

/*
 * The outcome stands in `a`: tells whoever waits. Nobody may wait for what is never said: without memory for a word to the scheduler the
 * broker ends (turn() looks at its diag), without an answer a worker loses its socket.
 */
void answer_finished(struct answer *a)
{
	struct diag ignored = {0};

	a->source->n_pending -= a->pending;
	a->pending = false;
	if (a->rc != GLANE_OK && (!a->stale || a->waited))
		security(a->source, a->message);
	if (a->replay)
		replayed(a, a->rc != GLANE_OK                       ? REPLAY_FAILED
			    : strcmp(a->sha256, a->old_sha256) == 0 ? REPLAY_SAME
								    : REPLAY_CHANGED);
	a->replay = false;
	if (a->waited && answer_send(a, &ignored) != GLANE_OK)
		(void)shutdown(
			a->source->client.fd, SHUT_RDWR); /* not closed: its frame may be the one that is read now */
	body_settle(a);
}

static glane_rc start(struct answer *a, bool conditional, struct diag *d);

/* Not modified, but what it was is not in the archive (any more): whoever wants the body has to ask without validators. */
static bool is_lost(const struct answer *a)
{
	return a->rc == GLANE_OK && a->origin == FETCHED_NOT_MODIFIED && a->fd < 0 &&
	       !archive_has(&a->source->broker->archive, a->sha256);
}

static void fetched(void *arg, uint64_t id, struct fetch_result *r)
{
	struct answer *a = arg;
	struct source *s = a->source;

	(void)id;
	s->wire_bytes += r->wire;
	a->wire = r->wire;
	a->status = (unsigned)r->status;
	a->tries = r->tries;
	a->fetched_at = clock_utc();
	if (r->rc == GLANE_OK && r->not_modified) {
		a->origin = FETCHED_NOT_MODIFIED;
		memcpy(a->sha256, a->old_sha256, sizeof(a->sha256));
		a->etag = a->old_etag;
		a->modified = a->old_modified;
		a->rc = GLANE_OK;
		if (a->again || !a->waited || !is_lost(a)) {
			answer_finished(a);
			return;
		}
		if (start(a, false, &s->broker->diag) == GLANE_OK)
			return;
	}
	if (s->bytes > MAX_BYTES) {
		a->rc = GLANE_E_LIMIT;
		a->message = TOO_MANY;
		answer_finished(a);
		return;
	}
	a->rc = r->rc;
	a->message = keep(s, r->message);
	a->etag = keep_header(s, r->etag);
	a->modified = keep_header(s, r->last_modified);
	a->content_type = keep_header(s, r->content_type);
	a->size = r->size;
	memcpy(a->sha256, r->sha256, sizeof(a->sha256));
	a->origin = FETCHED_NEW;
	a->fd = r->fd;
	r->fd = -1;
	if (r->sent) {
		a->sent = *r->sent;
		*r->sent = (struct secrets){.v = NULL};
	}
	if (a->rc == GLANE_OK)
		answer_search(a);
	else
		answer_finished(a);
}

static struct fetch_request to_fetch(const struct answer *a, bool conditional)
{
	const struct request *q = &a->request;

	return (struct fetch_request){.method = q->method,
		.url = q->url,
		.header = q->header,
		.n_header = q->n_header,
		.body = q->body,
		.content_type = q->content_type,
		.format = q->format,
		.etag = conditional ? a->old_etag : NULL,
		.last_modified = conditional ? a->old_modified : NULL,
		.deadline_ms = a->source->deadline,
		.wait_seconds = q->wait};
}

/* A fetch that cannot even begin (a host that is not allowed, a URL that is none) is an answer too. */
static glane_rc start(struct answer *a, bool conditional, struct diag *d)
{
	struct source *s = a->source;
	struct diag why;
	const struct fetch_request r = to_fetch(a, conditional);

	diag_clear(&why);
	s->n_pending += !a->pending || a->queued;
	a->pending = true;
	a->queued = false;
	a->rc = fetch_start(s->broker->fetcher, &s->policy, &r, fetched, a, &a->fetch_id, &why);
	if (a->rc == GLANE_E_NOMEM)
		return fail(d, a->rc, "%s", why.text);
	if (a->rc != GLANE_OK) {
		a->stale = a->replay;
		a->message = keep(s, why.text);
		answer_finished(a);
	}
	return GLANE_OK;
}

/* The newest answer that this source got. One that says no source only where a secret had no part in it. */
static const struct archive_entry *archived_answer(const struct answer *a, const struct fetch_request *r)
{
	const struct archive *archive = &a->source->broker->archive;
	const struct fetch_policy *p = &a->source->policy;
	const struct archive_entry *e;
	char hash[65];

	request_body_hash(&a->request, hash);
	e = archive_find(archive, p->source, r->method, r->url, hash);
	return e || !fetch_is_open(p, r) ? e : archive_find(archive, "", r->method, r->url, hash);
}

/* Without network: the last commit's answer, or the newest of the archive; to whom the network would give it, and nobody else. */
static void from_archive(struct answer *a)
{
	struct archive *archive = &a->source->broker->archive;
	const struct fetch_request r = to_fetch(a, false);
	const struct archive_entry *e = NULL;
	struct diag why;

	diag_clear(&why);
	a->origin = FETCHED_ARCHIVE;
	a->rc = fetch_permitted(&a->source->policy, &r, &why);
	if (a->rc != GLANE_OK) {
		a->stale = a->replay;
		a->message = keep(a->source, why.text);
		answer_finished(a);
		return;
	}
	if (a->old_sha256 && archive_has(archive, a->old_sha256)) {
		memcpy(a->sha256, a->old_sha256, sizeof(a->sha256));
		a->etag = a->old_etag;
		a->modified = a->old_modified;
		answer_finished(a);
		return;
	}
	e = archived_answer(a, &r);
	if (!e && a->source->broker->dry) {
		a->rc = GLANE_END; /* for the reader there is no more; the request is listed */
		answer_finished(a);
		return;
	}
	if (!e) {
		a->rc = fail(&why, GLANE_E_FETCH,
			"%s %s: not in the payload archive of this source (--offline asks nobody)", a->request.method,
			a->request.url);
		a->message = keep(a->source, why.text);
		answer_finished(a);
		return;
	}
	memcpy(a->sha256, e->sha256, sizeof(a->sha256));
	a->size = e->size;
	a->fetched_at = e->fetched_at;
	a->etag = keep(a->source, e->etag);
	a->modified = keep(a->source, e->last_modified);
	a->content_type = keep(a->source, e->content_type);
	answer_finished(a);
}

/* NULL: the reason stands in d. */
static struct answer *answer_make(struct source *s, const struct request *r, const char *key, struct diag *d)
{
	struct answer *a = arena_alloc(&s->arena, sizeof(*a));

	if (!a || !request_copy(r, &s->arena, &a->request) ||
		!mem_grow(&s->all, &s->cap_all, s->n_all + 1, sizeof(struct answer *))) {
		fail(d, GLANE_E_NOMEM, "no memory for a request");
		return NULL;
	}
	a->source = s;
	a->fd = -1;
	a->message = a->etag = a->modified = a->content_type = "";
	memcpy(a->key, key, sizeof(a->key));
	s->all[s->n_all++] = a;
	return a;
}

static struct answer *answer_new(struct source *s, const struct request *r, const char *key, struct diag *d)
{
	struct answer *a = answer_make(s, r, key, d);
	uint64_t *slot;
	bool is_new;

	if (a && !map_put(&s->by_key, (struct slice){a->key, 64}, (uintptr_t)a, &slot, &is_new)) {
		fail(d, GLANE_E_NOMEM, "no memory for a request");
		return NULL;
	}
	return a;
}

static struct answer *answer_find(struct source *s, const char *key)
{
	const uint64_t *slot = map_find(&s->by_key, (struct slice){key, 64});

	return slot ? (struct answer *)(uintptr_t)*slot : NULL;
}

static glane_rc note_asked(struct answer *a, struct diag *d)
{
	struct source *s = a->source;

	if (a->asked)
		return GLANE_OK;
	if (!mem_grow(&s->asked, &s->cap_asked, s->n_asked + 1, sizeof(struct answer *)))
		return fail(d, GLANE_E_NOMEM, "no memory for a request");
	s->asked[s->n_asked++] = a;
	a->asked = true;
	return GLANE_OK;
}

/* `a`: the answer that is there already, or NULL. Another request is refused, not the worker. */
static glane_rc may_ask(struct source *s, const struct request *r, const struct answer *a, struct diag *d)
{
	const uint64_t n = request_size(r);

	if (a && a->asked)
		return GLANE_OK;
	if (n > REQUEST_MAX)
		return fail(d, GLANE_E_LIMIT, "a request of %llu bytes: it may have %u at most", (unsigned long long)n,
			REQUEST_MAX);
	if (!a && s->n_all >= MAX_REQUESTS)
		return fail(d, GLANE_E_LIMIT, "more than %d requests of one source in one run", MAX_REQUESTS);
	if (s->bytes + n > MAX_BYTES)
		return fail(d, GLANE_E_LIMIT, TOO_MANY);
	s->bytes += n;
	return GLANE_OK;
}

static glane_rc replay(struct answer *a, struct diag *d)
{
	a->source->n_queued--;
	return start(a, true, d);
}

static void wait_for(struct answer *a)
{
	a->waited = true;
	a->source->n_waited++;
}

bool source_may_ask(const struct source *s)
{
	const struct wire *w = &s->client;

	return s->has_client && s->n_waited < MAX_WAITED && w->n_out_fds < MAX_WAITED && w->out.n < WIRE_MAX &&
	       s->broker->control.out.n < QUEUE;
}

glane_rc answer_ask(struct source *s, const struct request *r, struct diag *d)
{
	struct answer *a;
	char key[65];
	bool is_new;
	glane_rc rc;

	if (!request_key(r, key))
		return fail(d, GLANE_E_NOMEM, "no memory for a request");
	a = answer_find(s, key);
	rc = may_ask(s, r, a, d);
	if (rc != GLANE_OK)
		return rc;
	if (a && a->waited)
		return fail(d, GLANE_E_FORMAT, "a worker asked again for what it waits for");
	if (!a) {
		a = answer_new(s, r, key, d);
		if (!a)
			return d->code;
		wait_for(a);
		rc = note_asked(a, d);
		if (rc != GLANE_OK)
			return rc;
		if (s->broker->offline) {
			from_archive(a);
			return GLANE_OK;
		}
		return start(a, false, d);
	}
	wait_for(a);
	is_new = !a->asked;
	rc = note_asked(a, d);
	if (rc == GLANE_OK && a->queued)
		return replay(a, d);
	if (rc != GLANE_OK || a->pending)
		return rc;
	if (is_new && a->stale) /* now that somebody asks for it */
		security(s, a->message);
	/* It was judged by what the last commit's request wanted. */
	if (is_new && a->request.format != r->format && !s->broker->offline) {
		a->request.format = r->format;
		body_drop(a);
		return start(a, false, d);
	}
	return is_lost(a) ? start(a, false, d) : answer_send(a, d);
}

glane_rc answer_again(struct source *s, const struct request *r, struct diag *d)
{
	const struct answer *first;
	struct answer *a;
	char key[65];
	glane_rc rc;

	if (!request_key(r, key))
		return fail(d, GLANE_E_NOMEM, "no memory for a request");
	first = answer_find(s, key);
	if (!first || first->pending || first->rc != GLANE_OK)
		return fail(d, GLANE_E_FORMAT, "a worker asks again for what it was not given");
	rc = may_ask(s, r, NULL, d);
	if (rc != GLANE_OK)
		return rc;
	a = answer_make(s, r, key, d);
	if (!a)
		return d->code;
	a->again = true;
	wait_for(a);
	a->old_etag = first->etag;
	a->old_modified = first->modified;
	a->old_sha256 = first->sha256;
	if (!s->broker->offline)
		return start(a, true, d);
	memcpy(a->sha256, first->sha256, sizeof(a->sha256));
	return answer_send(a, d);
}

glane_rc answer_replay(struct source *s, const struct request *r, uint32_t index, const char *etag,
	const char *modified, const char *sha256, struct diag *d)
{
	struct answer *a;
	char key[65];

	if (!request_key(r, key) || strlen(sha256) != 64)
		return fail(d, GLANE_E_FORMAT, "a request to replay does not read");
	a = answer_find(s, key);
	if (a)
		return GLANE_OK; /* listed twice: the first stands for both */
	a = answer_new(s, r, key, d);
	if (!a)
		return d->code;
	a->replay = true;
	a->replay_index = index;
	a->old_etag = etag;
	a->old_modified = modified;
	a->old_sha256 = sha256;
	if (s->broker->offline) {
		from_archive(a);
		return GLANE_OK;
	}
	a->pending = a->queued = true;
	s->n_queued++;
	return GLANE_OK;
}

glane_rc answers_replay_some(struct source *s, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	while (rc == GLANE_OK && s->n_queued > 0 && s->n_pending < MAX_REPLAYED && s->broker->control.out.n < QUEUE) {
		struct answer *a = s->all[s->next_queued++];

		if (a->queued)
			rc = replay(a, d);
	}
	return rc;
}

static bool is_poison(const struct answer *a)
{
	for (size_t i = 0; i < a->source->n_poison; i++)
		if (a->source->poison[i] && strcmp(a->source->poison[i], a->sha256) == 0)
			return true;
	return false;
}

/* `a` NULL: of a request that was not taken. */
static glane_rc put_answer(
	struct source *s, glane_rc rc, const char *message, const struct answer *a, int fd, struct diag *d)
{
	struct wire *w = &s->client;

	wire_begin(w, B_ANSWER);
	wire_i64(w, rc);
	wire_cstr(w, message);
	wire_cstr(w, a ? a->sha256 : NULL);
	wire_u64(w, a ? a->size : 0);
	wire_cstr(w, a ? a->content_type : NULL);
	wire_cstr(w, a ? a->request.url : NULL);
	rc = wire_end(w, fd, d);
	return rc == GLANE_OK ? wire_flush(w, d) : rc;
}

glane_rc answer_refuse(struct source *s, struct diag *d)
{
	const struct diag why = *d;

	diag_clear(d);
	return put_answer(s, why.code, why.text, NULL, -1, d);
}

glane_rc answer_send(struct answer *a, struct diag *d)
{
	struct source *s = a->source;
	struct diag why;
	int fd = -1;
	glane_rc rc = a->rc;

	s->n_waited -= a->waited;
	a->waited = false;
	if (!s->has_client)
		return GLANE_OK;
	diag_clear(&why);
	if (rc == GLANE_OK && a->again && strcmp(a->sha256, a->old_sha256) == 0) {
		rc = GLANE_END;
		fd_close(&a->fd); /* nobody reads it */
	} else if (rc == GLANE_OK && is_poison(a)) {
		rc = fail(&why, GLANE_E_DATA,
			"%s: payload %.12s ended the process that read it in an earlier run; it is not read again "
			"before it, the plugin, its options or `memory` are others (glane run --retry: now)",
			a->request.url, a->sha256);
	} else if (rc == GLANE_OK) {
		fd = body_open(a, &why);
		rc = fd < 0 ? why.code : GLANE_OK;
	}
	rc = put_answer(s, rc, why.code != GLANE_OK ? why.text : a->message, a, fd, d);
	body_settle(a);
	return rc == GLANE_E_LIMIT ? answer_refuse(s, d) : rc;
}

void answers_progress(struct source *s)
{
	struct wire *w = &s->broker->control;
	const int64_t now = clock_mono_ms();
	struct fetch_progress p;

	if (s->n_pending == 0 || now - s->progress_at < PROGRESS_MS)
		return;
	for (size_t i = s->n_all; i > 0; i--) {
		char state[96];

		if (!s->all[i - 1]->pending || !fetch_progress(s->broker->fetcher, s->all[i - 1]->fetch_id, &p))
			continue;
		if (p.wait_seconds)
			snprintf(state, sizeof(state), "%s %u s", p.state, p.wait_seconds);
		else
			snprintf(state, sizeof(state), "%s", p.state);
		wire_begin(w, B_PROGRESS);
		wire_u32(w, s->id);
		wire_u64(w, s->wire_bytes + p.wire);
		wire_u64(w, p.expected);
		wire_cstr(w, state);
		wire_end(w, -1, &s->broker->diag);
		s->progress_at = now;
		return;
	}
}
