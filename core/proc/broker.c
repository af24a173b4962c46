/* SPDX-License-Identifier: MIT */
/* The broker's main loop: frames of the scheduler and of the workers in, fetches, answers out. */
#include "proc/answers.h"

#include "base/clock.h"
#include "base/file.h"
#include "net/fetch_secret.h"
#include "net/verify.h"
#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_CLIENTS 256
#define STEP_MS 500
#define MAX_READS 100000

/* A dry run writes nothing into the store and can do without one: what it unpacks goes to the folder for temporary files. */
static glane_rc open_dry(struct broker *b, const char *store, struct diag *d)
{
	const char *tmp = getenv("TMPDIR");

	b->tmp = dir_open(AT_FDCWD, tmp && *tmp ? tmp : "/tmp", false, d);
	if (b->tmp < 0)
		return d->code;
	if (*store) {
		b->store = dir_open(AT_FDCWD, store, false, d);
		return b->store < 0 ? d->code : archive_open(&b->archive, b->store, false, d);
	}
	b->archive = (struct archive){.dir = -1, .indexed = true};
	arena_init(&b->archive.arena, 0);
	map_init(&b->archive.by_request, NULL);
	return GLANE_OK;
}

static glane_rc open_store(struct broker *b, const char *store, struct diag *d)
{
	int own;

	if (b->dry)
		return open_dry(b, store, d);
	b->store = dir_open(AT_FDCWD, store, false, d);
	if (b->store < 0)
		return d->code;
	b->tmp = dir_open(b->store, "tmp", true, d);
	own = b->tmp < 0 ? -1 : dir_open(b->store, "broker", true, d); /* for its limits */
	if (own < 0)
		return d->code;
	fd_close(&own);
	return archive_open(&b->archive, b->store, true, d);
}

#define OWN_RULES 4

/* The broker's part of the store and what the configuration names, of the file system; before its first thread. */
static glane_rc confine(
	struct broker *b, const struct fetch_options *o, const char *const *reads, size_t n, struct diag *d)
{
	const unsigned all = LANDLOCK_READ | LANDLOCK_LIST | (b->dry ? 0 : LANDLOCK_CHANGE);
	struct landlock_path *paths = arena_alloc(&b->arena, (n + OWN_RULES) * sizeof(*paths));
	char folder[4096];

	if (!paths)
		return fail(d, GLANE_E_NOMEM, "no memory for the broker's sandbox");
	path_dir(o->limits_file ? o->limits_file : "", folder, sizeof(folder));
	paths[0] = (struct landlock_path){NULL, b->tmp, LANDLOCK_READ | LANDLOCK_LIST | LANDLOCK_CHANGE};
	paths[1] = (struct landlock_path){NULL, b->archive.dir, all};
	paths[2] = (struct landlock_path){o->limits_file ? folder : NULL, -1, all};
	paths[3] = (struct landlock_path){o->ca_bundle, -1, LANDLOCK_READ};
	for (size_t i = 0; i < n; i++)
		paths[OWN_RULES + i] = (struct landlock_path){reads[i], -1, LANDLOCK_READ};
	return sandbox_broker(paths, OWN_RULES + n, d);
}

static glane_rc setup(struct broker *b, struct frame *f, struct diag *d)
{
	struct fetch_options o = {0};
	struct strbuf warnings;
	const char *store, *const *reads;
	size_t n_reads;
	uint8_t mode;
	glane_rc rc;

	o.contact = frame_cstr(f, &b->arena);
	o.proxy = frame_cstr(f, &b->arena);
	o.ca_bundle = frame_cstr(f, &b->arena);
	o.limits_file = frame_cstr(f, &b->arena);
	store = frame_cstr(f, &b->arena);
	o.per_host = frame_u32(f);
	o.stall_seconds = frame_u32(f);
	mode = frame_u8(f);
	o.ask_anyway = frame_u8(f) != 0;
	reads = frame_texts(f, &b->arena, MAX_READS, &n_reads);
	b->offline = mode != BROKER_FETCHES;
	b->dry = mode == BROKER_DRY;
	if (!frame_done(f) || !store || b->ready)
		return fail(d, GLANE_E_FORMAT, "the broker's set-up does not read");
	rc = open_store(b, store, d);
	o.tmp_dir = b->tmp;
	if (b->dry)
		o.limits_file = NULL;
	if (rc == GLANE_OK)
		rc = confine(b, &o, reads, n_reads, d);
	if (rc == GLANE_OK)
		rc = fetcher_new(&b->fetcher, &o, d);
	b->ready = rc == GLANE_OK;
	if (rc == GLANE_OK && b->offline) {
		strbuf_init(&warnings, 1 << 20);
		rc = archive_index(&b->archive, &warnings, d);
		if (warnings.n)
			fd_write(2, warnings.p, warnings.n, NULL);
		strbuf_release(&warnings);
	}
	return rc;
}

static glane_rc take_replay(struct source *s, struct frame *f, struct diag *d)
{
	const uint32_t index = frame_u32(f);
	const char *etag, *modified, *sha256;
	struct request r;
	glane_rc rc = frame_request(f, &s->broker->scratch, &r, d);

	if (rc != GLANE_OK)
		return rc;
	etag = frame_cstr(f, &s->arena);
	modified = frame_cstr(f, &s->arena);
	sha256 = frame_cstr(f, &s->arena);
	if (!frame_done(f) || !sha256)
		return fail(d, GLANE_E_FORMAT, "a request to replay does not read");
	rc = request_hide(&r, &s->policy, &s->broker->scratch, d);
	if (rc != GLANE_OK)
		return rc;
	return answer_replay(s, &r, index, etag, modified, sha256, d);
}

static glane_rc take_keep(struct source *s, struct frame *f, struct diag *d)
{
	const char *sha256 = frame_cstr(f, &s->arena);

	if (!frame_done(f) || !is_sha256_hex(slice_of(sha256)))
		return fail(d, GLANE_E_FORMAT, "a payload to keep does not read");
	return answers_keep(s, sha256, d);
}

static glane_rc control_frame(struct broker *b, struct frame *f, struct diag *d)
{
	struct source *s;

	if (f->type == B_SETUP)
		return setup(b, f, d);
	if (f->type == B_QUIT) {
		b->quit = true;
		return GLANE_OK;
	}
	if (!b->ready)
		return fail(d, GLANE_E_FORMAT, "the broker was asked before it was set up");
	if (f->type == B_SOURCE)
		return source_new(b, f, d);
	s = source_find(b, frame_u32(f));
	if (!s)
		return fail(d, GLANE_E_FORMAT, "the broker was asked about a source it does not know");
	switch (f->type) {
	case B_REPLAY:
		return take_replay(s, f, d);
	case B_LIST:
		answers_list(s);
		return GLANE_OK;
	case B_ARCHIVE:
		return answers_archive(s, d);
	case B_KEEP:
		return take_keep(s, f, d);
	case B_CLOSE:
		answers_close(s);
		source_free(b, s);
		return GLANE_OK;
	default:
		return fail(d, GLANE_E_FORMAT, "the broker was sent a message of an unknown type (%u)", f->type);
	}
}

static glane_rc read_control(struct broker *b, struct diag *d)
{
	struct frame f;
	glane_rc rc = wire_fill(&b->control, d);

	while (rc == GLANE_OK && !b->quit) {
		rc = wire_take(&b->control, &f, d);
		if (rc == GLANE_OK)
			rc = control_frame(b, &f, d);
		arena_release(&b->scratch);
	}
	if (b->control.eof)
		b->quit = true;
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc send_words(struct source *s, struct slice text, struct diag *d)
{
	struct secrets secrets;
	struct strbuf b;
	glane_rc rc = secrets_load(&secrets, &s->policy, d);

	strbuf_init(&b, 0);
	strbuf_slice(&b, text);
	if (rc == GLANE_OK)
		secret_scrub(&secrets, &b);
	secrets_release(&secrets);
	wire_begin(&s->client, B_WORDS);
	wire_text(&s->client, strbuf_get(&b));
	if (rc == GLANE_OK)
		rc = wire_end(&s->client, -1, d);
	strbuf_release(&b);
	return rc == GLANE_OK ? wire_flush(&s->client, d) : rc;
}

static glane_rc take_fetch(struct source *s, struct frame *f, struct diag *d)
{
	struct arena *scratch = &s->broker->scratch;
	struct request r = {0};
	glane_rc rc = frame_request(f, scratch, &r, d);

	if (rc == GLANE_OK && !frame_done(f))
		rc = fail(d, GLANE_E_FORMAT, "a worker's request does not read");
	if (s->html)
		r.format &= (uint8_t)~FORMAT_NO_HTML;
	if (rc == GLANE_OK)
		rc = request_hide(&r, &s->policy, scratch, d);
	if (rc == GLANE_OK)
		rc = f->type == B_AGAIN ? answer_again(s, &r, d) : answer_ask(s, &r, d);
	arena_release(scratch);
	return rc == GLANE_E_LIMIT ? answer_refuse(s, d) : rc;
}

static glane_rc client_frame(struct source *s, struct frame *f, struct diag *d)
{
	if (f->type == B_WORDS)
		return send_words(s, frame_text(f), d);
	if (f->type != B_FETCH && f->type != B_AGAIN)
		return fail(d, GLANE_E_FORMAT, "a worker asked for something else than a fetch");
	return take_fetch(s, f, d);
}

static void drop_client(struct source *s)
{
	wire_release(&s->client);
	s->has_client = false;
}

/*
 * Takes what a worker asks, as long as it may ask: more of it stays in its socket, so that no worker can fill the queue of all.
 * A worker that talks nonsense loses its socket; its source fails, the others go on.
 */
static void serve(struct source *s, short events)
{
	struct frame f;
	struct diag d;
	glane_rc rc = GLANE_OK;

	diag_clear(&d);
	if (wire_pending(&s->client))
		wire_flush(&s->client, NULL);
	if (!source_may_ask(s)) {
		if (events & (POLLHUP | POLLERR))
			drop_client(s);
		return;
	}
	if (events & (POLLIN | POLLHUP | POLLERR))
		rc = wire_fill(&s->client, &d);
	while (rc == GLANE_OK && source_may_ask(s)) {
		rc = wire_take(&s->client, &f, &d);
		if (rc == GLANE_OK)
			rc = client_frame(s, &f, &d);
	}
	if (rc < GLANE_OK || s->client.eof)
		drop_client(s);
}

static unsigned gather(struct broker *b, struct pollfd *fds, struct source **who)
{
	unsigned n = 0;

	fds[n] = (struct pollfd){b->control.fd, POLLIN, 0};
	if (wire_pending(&b->control))
		fds[n].events |= POLLOUT;
	who[n++] = NULL;
	for (struct source *s = b->sources; s && n < MAX_CLIENTS; s = s->next) {
		if (!s->has_client)
			continue;
		fds[n] = (struct pollfd){s->client.fd, source_may_ask(s) ? POLLIN : 0, 0};
		if (wire_pending(&s->client))
			fds[n].events |= POLLOUT;
		who[n++] = s;
	}
	return n;
}

/* What waits for nobody. *ret_more: there is more of it. */
static glane_rc go_on(struct broker *b, bool *ret_more, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	*ret_more = false;
	for (struct source *s = b->sources; s && rc == GLANE_OK; s = s->next) {
		answers_search_some(s);
		rc = answers_replay_some(s, d);
		*ret_more |= s->searched != NULL;
	}
	return rc;
}

static glane_rc wait_for_work(struct broker *b, struct pollfd *fds, unsigned n, int timeout_ms, struct diag *d)
{
	if (b->fetcher)
		return fetcher_step(b->fetcher, fds, n, timeout_ms, d);
	if (poll(fds, n, -1) < 0 && errno != EINTR)
		return fail(d, GLANE_E_IO, "poll: %s", strerror(errno));
	return GLANE_OK;
}

/* A long list is said as the scheduler takes it: the queue of the control socket is there for all sources. */
static glane_rc say(struct broker *b, struct diag *d)
{
	glane_rc rc = GLANE_OK;
	bool more;

	do {
		more = false;
		for (struct source *s = b->sources; s && rc == GLANE_OK; s = s->next) {
			if (s->listing)
				rc = answers_list_some(s, d);
			more |= s->listing;
		}
		if (rc == GLANE_OK)
			rc = wire_flush(&b->control, d);
	} while (rc == GLANE_OK && more && !wire_pending(&b->control));
	return rc;
}

static glane_rc turn(struct broker *b, struct diag *d)
{
	struct pollfd fds[MAX_CLIENTS];
	struct source *who[MAX_CLIENTS];
	bool more;
	glane_rc rc = go_on(b, &more, d);
	const unsigned n = gather(b, fds, who);

	if (rc == GLANE_OK)
		rc = wait_for_work(b, fds, n, more ? 0 : STEP_MS, d);
	for (unsigned i = 1; i < n && rc == GLANE_OK; i++)
		serve(who[i], fds[i].revents);
	if (rc == GLANE_OK && fds[0].revents & (POLLIN | POLLHUP | POLLERR))
		rc = read_control(b, d);
	for (struct source *s = b->sources; s && rc == GLANE_OK; s = s->next)
		answers_progress(s);
	if (rc == GLANE_OK)
		rc = b->diag.code; /* of what a callback could not say */
	return rc == GLANE_OK ? say(b, d) : rc;
}

static void raise_descriptor_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

int broker_main(int control_fd)
{
	struct broker b;
	glane_rc rc = GLANE_OK;

	memset(&b, 0, sizeof(b));
	diag_clear(&b.diag);
	b.store = b.tmp = -1;
	arena_init(&b.arena, 0);
	arena_init(&b.scratch, 0);
	wire_init(&b.control, control_fd);
	raise_descriptor_limit();
	signal(SIGXFSZ, SIG_IGN); /* beyond a limit of file size write() fails, as on a full disk */
	if (fcntl(control_fd, F_SETFL, O_NONBLOCK) != 0)
		return 1;
	while (!b.quit && rc == GLANE_OK)
		rc = turn(&b, &b.diag);
	if (rc != GLANE_OK) {
		fd_write(2, "glane: broker: ", 15, NULL);
		fd_write(2, b.diag.text, strlen(b.diag.text), NULL);
		fd_write(2, "\n", 1, NULL);
	}
	while (b.sources)
		source_free(&b, b.sources);
	fetcher_free(b.fetcher);
	if (b.ready)
		archive_close(&b.archive);
	fd_close(&b.tmp);
	fd_close(&b.store);
	wire_release(&b.control);
	arena_release(&b.scratch);
	arena_release(&b.arena);
	return rc == GLANE_OK ? 0 : 1;
}
