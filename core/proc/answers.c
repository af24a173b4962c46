/* SPDX-License-Identifier: MIT */
/* The answers of one source during one run: fetched, replayed, kept, handed to the worker, archived. */
#include "proc/answers.h"

#include "base/clock.h"
#include "base/file.h"
#include "net/secret_strike.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_REQUESTS 200000
#define MAX_TEXTS 1000 /* of each kind, of a source */
#define PROGRESS_MS 500

static const char *keep(struct source *s, const char *text)
{
	const char *copy = text ? arena_strndup(&s->arena, text, strlen(text)) : NULL;

	return copy ? copy : "";
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
static void finished(struct answer *a)
{
	struct diag ignored = {0};

	a->pending = false;
	if (a->rc != GLANE_OK)
		security(a->source, a->message);
	if (a->replay)
		replayed(a, a->rc != GLANE_OK                       ? REPLAY_FAILED
			    : strcmp(a->sha256, a->old_sha256) == 0 ? REPLAY_SAME
								    : REPLAY_CHANGED);
	a->replay = false;
	if (a->waited && answer_send(a, &ignored) != GLANE_OK)
		(void)shutdown(
			a->source->client.fd, SHUT_RDWR); /* not closed: its frame may be the one that is read now */
}

static glane_rc start(struct answer *a, bool conditional, struct diag *d);

/* Not modified, but what it was is not in the archive (any more): whoever wants the body has to ask without validators. */
static bool is_lost(const struct answer *a)
{
	return a->rc == GLANE_OK && a->origin == FETCHED_NOT_MODIFIED && a->fd < 0 &&
	       !archive_has(&a->source->broker->archive, a->sha256);
}

/* Whoever gets the body, and whatever is kept of it, gets none of the secrets that its provider wrote into it. */
static void strike(struct answer *a)
{
	struct struck clean;
	struct diag why;

	diag_clear(&why);
	a->rc = secret_strike(&a->source->policy, a->fd, a->size, a->source->broker->tmp, &clean, &why);
	if (a->rc != GLANE_OK) {
		a->message = arena_fmt(&a->source->arena, "%s %s: %s", a->request.method, a->request.url, why.text);
		fd_close(&a->fd);
	} else if (clean.n) {
		fd_close(&a->fd);
		a->fd = clean.fd;
		a->size = clean.size;
		memcpy(a->sha256, clean.sha256, sizeof(a->sha256));
	}
	a->struck = clean.n;
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
		if (!a->waited || !is_lost(a)) {
			finished(a);
			return;
		}
		if (start(a, false, &s->broker->diag) == GLANE_OK)
			return;
	}
	a->rc = r->rc;
	a->message = keep(s, r->message);
	a->etag = keep(s, r->etag);
	a->modified = keep(s, r->last_modified);
	a->content_type = keep(s, r->content_type);
	a->size = r->size;
	memcpy(a->sha256, r->sha256, sizeof(a->sha256));
	a->origin = FETCHED_NEW;
	a->fd = r->fd;
	r->fd = -1;
	if (a->rc == GLANE_OK)
		strike(a);
	finished(a);
}

static struct fetch_request to_fetch(const struct answer *a, bool conditional)
{
	const struct request *q = &a->request;

	return (struct fetch_request){q->method, q->url, q->header, q->n_header, q->body, q->content_type, q->format,
		conditional ? a->old_etag : NULL, conditional ? a->old_modified : NULL, a->source->deadline, q->wait};
}

/* A fetch that cannot even begin (a host that is not allowed, a URL that is none) is an answer too. */
static glane_rc start(struct answer *a, bool conditional, struct diag *d)
{
	struct source *s = a->source;
	struct diag why;
	const struct fetch_request r = to_fetch(a, conditional);

	diag_clear(&why);
	a->pending = true;
	a->rc = fetch_start(s->broker->fetcher, &s->policy, &r, fetched, a, &a->fetch_id, &why);
	if (a->rc == GLANE_E_NOMEM)
		return fail(d, a->rc, "%s", why.text);
	if (a->rc != GLANE_OK) {
		a->message = keep(s, why.text);
		finished(a);
	}
	return GLANE_OK;
}

static void body_hash(const struct request *q, char hex[65])
{
	hex[0] = 0;
	if (q->body.n)
		sha256_of(q->body, hex);
}

/* The newest answer that this source got. One that says no source only where a secret had no part in it. */
static const struct archive_entry *archived(const struct answer *a, const struct fetch_request *r)
{
	const struct archive *archive = &a->source->broker->archive;
	const struct fetch_policy *p = &a->source->policy;
	const struct archive_entry *e;
	char hash[65];

	body_hash(&a->request, hash);
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
		a->message = keep(a->source, why.text);
		finished(a);
		return;
	}
	if (a->old_sha256 && archive_has(archive, a->old_sha256)) {
		memcpy(a->sha256, a->old_sha256, sizeof(a->sha256));
		a->etag = a->old_etag;
		a->modified = a->old_modified;
		finished(a);
		return;
	}
	e = archived(a, &r);
	if (!e && a->source->broker->dry) {
		a->rc = GLANE_END; /* for the reader there is no more; the request is listed */
		finished(a);
		return;
	}
	if (!e) {
		a->rc = GLANE_E_FETCH;
		a->message = arena_fmt(&a->source->arena,
			"%s %s: not in the payload archive of this source (--offline asks nobody)", a->request.method,
			a->request.url);
		finished(a);
		return;
	}
	memcpy(a->sha256, e->sha256, sizeof(a->sha256));
	a->size = e->size;
	a->fetched_at = e->fetched_at;
	a->etag = keep(a->source, e->etag);
	a->modified = keep(a->source, e->last_modified);
	a->content_type = keep(a->source, e->content_type);
	finished(a);
}

/* NULL: the reason stands in d. */
static struct answer *answer_new(struct source *s, const struct request *r, const char *key, struct diag *d)
{
	struct answer *a = arena_alloc(&s->arena, sizeof(*a));
	uint64_t *slot;
	bool is_new;

	if (s->n_all >= MAX_REQUESTS) {
		fail(d, GLANE_E_LIMIT, "more than %d requests of one source in one run", MAX_REQUESTS);
		return NULL;
	}
	if (!a || !mem_grow(&s->all, &s->cap_all, s->n_all + 1, sizeof(struct answer *))) {
		fail(d, GLANE_E_NOMEM, "no memory for a request");
		return NULL;
	}
	a->source = s;
	a->request = *r;
	a->fd = -1;
	a->message = a->etag = a->modified = a->content_type = "";
	memcpy(a->key, key, sizeof(a->key));
	if (!map_put(&s->by_key, (struct slice){a->key, 64}, (uintptr_t)a, &slot, &is_new)) {
		fail(d, GLANE_E_NOMEM, "no memory for a request");
		return NULL;
	}
	s->all[s->n_all++] = a;
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

glane_rc answer_ask(struct source *s, const struct request *r, struct diag *d)
{
	struct answer *a;
	char key[65];
	bool is_new;
	glane_rc rc = GLANE_OK;

	if (!request_key(r, key))
		return fail(d, GLANE_E_NOMEM, "no memory for a request");
	a = answer_find(s, key);
	if (!a) {
		a = answer_new(s, r, key, d);
		if (!a)
			return d->code;
		a->waited = true;
		rc = note_asked(a, d);
		if (rc != GLANE_OK)
			return rc;
		if (s->broker->offline) {
			from_archive(a);
			return GLANE_OK;
		}
		return start(a, false, d);
	}
	a->waited = true;
	is_new = !a->asked;
	rc = note_asked(a, d);
	if (rc != GLANE_OK || a->pending)
		return rc;
	/* It was judged by what the last commit's request wanted. */
	if (is_new && a->request.format != r->format && !s->broker->offline) {
		a->request.format = r->format;
		fd_close(&a->fd);
		return start(a, false, d);
	}
	return is_lost(a) ? start(a, false, d) : answer_send(a, d);
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
	return start(a, true, d);
}

/* A further descriptor on the body, read-only and with an offset of its own. */
static int body_open(struct answer *a, struct diag *d)
{
	struct broker *b = a->source->broker;
	char path[64];
	int fd;

	if (a->fd < 0 && archive_get(&b->archive, a->sha256, b->tmp, &a->fd, &a->size, d) != GLANE_OK)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", a->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(d, GLANE_E_IO, "cannot open a payload again: %s", strerror(errno));
	return fd;
}

static bool is_poison(const struct answer *a)
{
	for (size_t i = 0; i < a->source->n_poison; i++)
		if (a->source->poison[i] && strcmp(a->source->poison[i], a->sha256) == 0)
			return true;
	return false;
}

glane_rc answer_send(struct answer *a, struct diag *d)
{
	struct wire *w = &a->source->client;
	struct diag why;
	int fd = -1;
	glane_rc rc = a->rc;

	a->waited = false;
	if (!a->source->has_client)
		return GLANE_OK;
	diag_clear(&why);
	if (rc == GLANE_OK && is_poison(a)) {
		rc = fail(&why, GLANE_E_DATA,
			"%s: payload %.12s ended the process that read it in an earlier run; it is not read again "
			"before it, the plugin, its options or `memory` are others (glane run --retry: now)",
			a->request.url, a->sha256);
	} else if (rc == GLANE_OK) {
		fd = body_open(a, &why);
		rc = fd < 0 ? why.code : GLANE_OK;
	}
	wire_begin(w, B_ANSWER);
	wire_i64(w, rc);
	wire_cstr(w, why.code != GLANE_OK ? why.text : a->message);
	wire_cstr(w, a->sha256);
	wire_u64(w, a->size);
	wire_cstr(w, a->content_type);
	wire_cstr(w, a->request.url);
	rc = wire_end(w, fd, d);
	return rc == GLANE_OK ? wire_flush(w, d) : rc;
}

glane_rc answers_list(struct source *s, struct diag *d)
{
	struct wire *w = &s->broker->control;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < s->n_asked && rc == GLANE_OK; i++) {
		const struct answer *a = s->asked[i];

		if (a->pending || a->rc < GLANE_OK)
			continue;
		wire_begin(w, B_LISTED);
		wire_u32(w, s->id);
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
		rc = wire_end(w, -1, d);
	}
	wire_begin(w, B_LIST_END);
	wire_u32(w, s->id);
	wire_u64(w, s->wire_bytes);
	return rc == GLANE_OK ? wire_end(w, -1, d) : rc;
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

	if (a->pending || a->rc != GLANE_OK || a->origin == FETCHED_NOT_MODIFIED || a->origin == FETCHED_ARCHIVE)
		return GLANE_OK;
	body_hash(&a->request, hash);
	e.body_sha256 = hash;
	memcpy(e.sha256, a->sha256, sizeof(e.sha256));
	return archive_put(&a->source->broker->archive, a->fd, &e, d);
}

glane_rc answers_archive(struct source *s, struct diag *d)
{
	struct wire *w = &s->broker->control;
	struct diag why;
	glane_rc rc = GLANE_OK;

	diag_clear(&why);
	for (size_t i = 0; i < s->n_asked && rc == GLANE_OK && s->keep != KEEP_NONE; i++)
		rc = archive_one(s->asked[i], &why);
	wire_begin(w, B_ARCHIVED);
	wire_u32(w, s->id);
	wire_i64(w, rc);
	wire_cstr(w, why.code != GLANE_OK ? why.text : NULL);
	return wire_end(w, -1, d);
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

void answers_progress(struct source *s)
{
	struct wire *w = &s->broker->control;
	const int64_t now = clock_mono_ms();
	struct fetch_progress p;

	if (now - s->progress_at < PROGRESS_MS)
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

/* ---- sources ---- */

struct source *source_find(struct broker *b, uint32_t id)
{
	for (struct source *s = b->sources; s; s = s->next)
		if (s->id == id)
			return s;
	return NULL;
}

static struct fetch_secret *take_secrets(struct frame *f, struct arena *a, size_t *ret_n)
{
	const uint32_t n = frame_u32(f);
	struct fetch_secret *v = n <= 100 && !f->bad ? arena_alloc(a, (n + 1) * sizeof(*v)) : NULL;

	for (uint32_t i = 0; v && i < n; i++) {
		v[i].name = frame_cstr(f, a);
		v[i].spec = frame_cstr(f, a);
	}
	*ret_n = v ? n : 0;
	f->bad |= !v;
	return v;
}

glane_rc source_new(struct broker *b, struct frame *f, struct diag *d)
{
	struct source *s = mem_zalloc(1, sizeof(*s));
	int fd;

	if (!s)
		return fail(d, GLANE_E_NOMEM, "no memory for a source");
	arena_init(&s->arena, 0);
	map_init(&s->by_key, NULL);
	s->broker = b;
	s->id = frame_u32(f);
	s->policy.source = frame_cstr(f, &s->arena);
	s->policy.allowed = frame_texts(f, &s->arena, MAX_TEXTS, &s->policy.n_allowed);
	s->policy.declared = frame_texts(f, &s->arena, MAX_TEXTS, &s->policy.n_declared);
	s->policy.secrets = take_secrets(f, &s->arena, &s->policy.n_secrets);
	s->policy.secret_params = frame_texts(f, &s->arena, MAX_TEXTS, &s->policy.n_secret_params);
	s->policy.max_body = frame_u64(f);
	s->policy.retries = frame_u32(f);
	s->policy.rate = frame_f64(f);
	s->policy.ca_extra = frame_cstr(f, &s->arena);
	s->keep = frame_u8(f);
	s->html = frame_u8(f) != 0;
	s->poison = frame_texts(f, &s->arena, MAX_TEXTS, &s->n_poison);
	s->deadline = frame_i64(f);
	s->next = b->sources;
	b->sources = s;
	fd = wire_take_fd(&b->control);
	s->has_client = fd >= 0;
	wire_init(&s->client, fd);
	if (!frame_done(f))
		return fail(d, GLANE_E_FORMAT, "a source sent to the broker does not read");
	if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return fail(d, GLANE_E_IO, "cannot prepare a worker's socket: %s", strerror(errno));
	return GLANE_OK;
}

void source_free(struct broker *b, struct source *s)
{
	for (struct source **at = &b->sources; *at; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	for (size_t i = 0; i < s->n_all; i++) {
		if (s->all[i]->pending)
			fetch_cancel(b->fetcher, s->all[i]->fetch_id);
		fd_close(&s->all[i]->fd);
	}
	wire_release(&s->client);
	map_release(&s->by_key);
	mem_free(s->all);
	mem_free(s->asked);
	arena_release(&s->arena);
	mem_free(s);
}
