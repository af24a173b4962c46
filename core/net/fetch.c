/* SPDX-License-Identifier: MIT */
/* The queue of requests and the loop that moves them along. */
#include "net/fetch.h"
#include "base/clock.h"
#include "base/file.h"
#include "net/fetch_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#define ACTIVE_MAX 64    /* connections to all hosts */
#define RATE 5.0         /* requests per second of one host */
#define STALL_BYTES 1024 /* in stall_seconds */
#define STORE_MS 10000   /* how long the limits may lie unsaved */
#define POLL_MS 1000

static void list_append(struct fetch_list *l, struct fetch *r)
{
	r->prev = l->last;
	r->next = NULL;
	if (l->last)
		l->last->next = r;
	else
		l->first = r;
	l->last = r;
}

static void list_remove(struct fetch_list *l, struct fetch *r)
{
	if (r->prev)
		r->prev->next = r->next;
	else
		l->first = r->next;
	if (r->next)
		r->next->prev = r->prev;
	else
		l->last = r->prev;
}

struct origin origin_of(const struct url_parts *hop)
{
	struct origin o;

	(void)snprintf(o.text, sizeof(o.text), "%.280s:%u", hop->host, hop->port);
	return o;
}

void fetch_free(struct fetch *r)
{
	if (r->probing)
		breaker_release(limits_breakers(r->f->limits), origin_of(&r->hop).text, &r->probing);
	transfer_stop(r);
	fetch_body_release(&r->b);
	secrets_release(&r->sent);
	fd_close(&r->result.fd);
	strbuf_release(&r->message);
	arena_release(&r->arena);
	mem_free(r);
}

void fetch_queue(struct fetch *r)
{
	r->id = ++r->f->last_id;
	list_append(&r->f->open, r);
}

void fetch_finish(struct fetch *r)
{
	list_remove(&r->f->open, r);
	r->state = FETCH_FINISHED;
	list_append(&r->f->finished, r);
}

static const char *copy_text(struct arena *a, const char *s, bool *ok)
{
	const char *copy = s ? arena_strndup(a, s, strlen(s)) : NULL;

	*ok = *ok && (!s || copy);
	return copy;
}

static bool take_options(struct fetcher *f, const struct fetch_options *o)
{
	bool ok = true;

	f->o = *o;
	f->o.contact = copy_text(&f->arena, o->contact, &ok);
	f->o.proxy = copy_text(&f->arena, o->proxy, &ok);
	fetch_take_proxy(f);
	f->o.ca_bundle = copy_text(&f->arena, o->ca_bundle, &ok);
	f->o.per_host = o->per_host ? o->per_host : 4;
	f->o.stall_seconds = o->stall_seconds ? o->stall_seconds : 60;
	f->o.retry_base_seconds = o->retry_base_seconds > 0 ? o->retry_base_seconds : 1.0;
	f->user_agent = f->o.contact ? arena_fmt(&f->arena, "glane/%s (%s)", GLANE_VERSION, f->o.contact)
				     : "glane/" GLANE_VERSION;
	return ok && f->user_agent;
}

glane_rc fetcher_new(struct fetcher **ret, const struct fetch_options *o, struct diag *d)
{
	struct fetcher *f = mem_zalloc(1, sizeof(*f));

	if (!f)
		return fail(d, GLANE_E_NOMEM, "no memory for the fetch engine");
	arena_init(&f->arena, 0);
	f->stored_ms = clock_mono_ms();
	for (const char *c = o->contact ? o->contact : ""; *c; c++) {
		if (*c < ' ' || *c == 0x7f) {
			fetcher_free(f);
			return fail(d, GLANE_E_CONFIG, "contact holds a control byte or is not ASCII");
		}
	}
	if (mem_has(MEM_LIBRARY) && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) /* it begins the TLS library */
		f->multi = curl_multi_init();
	f->limits = limits_new(o->limits_file);
	if (f->limits && o->ask_anyway)
		breakers_half_open(limits_breakers(f->limits), f->stored_ms);
	if (!f->multi || !f->limits || !take_options(f, o)) {
		fetcher_free(f);
		return fail(d, GLANE_E_NOMEM, "no memory for the fetch engine");
	}
	*ret = f;
	return GLANE_OK;
}

void fetcher_free(struct fetcher *f)
{
	struct diag ignored = {0};

	if (!f)
		return;
	while (f->open.first) {
		struct fetch *r = f->open.first;

		list_remove(&f->open, r);
		fetch_free(r);
	}
	while (f->finished.first) {
		struct fetch *r = f->finished.first;

		list_remove(&f->finished, r);
		fetch_free(r);
	}
	if (f->limits)
		(void)limits_store(f->limits, &ignored); /* a lost budget costs politeness, not data */
	limits_free(f->limits);
	if (f->multi)
		(void)curl_multi_cleanup(f->multi);
	mem_free(f->waits);
	fetch_drop_proxy(f);
	arena_release(&f->arena);
	mem_free(f);
}

void fetch_rewind(struct fetch *r)
{
	struct diag ignored = {0};

	r->hop_url = r->url;
	r->hops = 0;
	r->foreign = r->plain_get = false;
	(void)url_parse(&r->arena, r->url, &r->hop, &ignored); /* it parsed before; without memory the last hop stays */
}

/* The transfers under way, so that not each request that waits looks through all. */
struct active {
	const struct fetch *v[ACTIVE_MAX];
	size_t n;
};

static struct active active_of(const struct fetcher *f)
{
	struct active a = {.n = 0};

	for (const struct fetch *r = f->open.first; r && a.n < ACTIVE_MAX; r = r->next)
		if (r->state == FETCH_ACTIVE)
			a.v[a.n++] = r;
	return a;
}

static size_t active_on(const struct active *a, const char *host)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += strcmp(a->v[i]->hop.host, host) == 0;
	return n;
}

/* Does the breaker of r's origin let it go? */
static bool breaker_lets(struct fetch *r, int64_t now)
{
	struct breakers *b = limits_breakers(r->f->limits);
	const struct origin o = origin_of(&r->hop);
	char at[32], text[600];

	switch (breaker_ask(b, o.text, &r->probing, now)) {
	case BREAKER_GO:
		return true;
	case BREAKER_WAIT:
		r->waits = "waiting (is the host back?)";
		return false;
	case BREAKER_OPEN:
		break;
	}
	time_format(clock_utc() + (breaker_open_ms(b, o.text, now) + 999) / 1000, at);
	(void)snprintf(text, sizeof(text),
		"%s is not asked before %s: %d requests in a row got no answer, the last: %s ('glane run %s' asks at "
		"once)",
		o.text, at, BREAKER_FAILURES, breaker_why(b, o.text), r->p->source ? r->p->source : "SOURCE");
	fetch_give_up(r, GLANE_E_FETCH, text);
	return false;
}

/* Sets what r waits for; where its host asked for a pause that ends behind its deadline, that is its end. */
static void wait_turn(struct fetch *r, int64_t wait, int64_t now)
{
	char at[32], text[400];

	r->not_before = now + wait;
	r->waits = "waiting (rate limit)";
	if (!limits_blocked(r->f->limits, r->hop.host, now))
		return;
	r->waits = "waiting (the host asked for a pause)";
	if (!r->deadline_ms || r->not_before < r->deadline_ms)
		return;
	time_format(clock_utc() + (wait + 999) / 1000, at);
	(void)snprintf(text, sizeof(text), "%.255s asked for a pause (Retry-After) until %s, behind the deadline",
		r->hop.host, at);
	fetch_give_up(r, GLANE_E_FETCH, text);
}

/* Starts r where host, rate, breaker and retry allow; else sets what it waits for. */
static void start_one(struct fetcher *f, struct fetch *r, struct active *active, int64_t now)
{
	double rate = r->p->rate > 0 ? r->p->rate : RATE;
	struct diag d = {0};
	int64_t wait;

	if (now < r->not_before)
		return;
	r->waits = "queued";
	if (active->n >= ACTIVE_MAX || active_on(active, r->hop.host) >= f->o.per_host || !breaker_lets(r, now))
		return;
	wait = limits_take(f->limits, r->hop.host, rate, now);
	if (wait > 0) {
		wait_turn(r, wait, now);
		return;
	}
	if (r->hops == 0)
		r->tries++;
	if (transfer_start(r, &d) < 0)
		fetch_give_up(r, d.code, d.text);
	else
		active->v[active->n++] = r;
}

static void start_due(struct fetcher *f)
{
	struct active active = active_of(f);
	int64_t now = clock_mono_ms();
	struct fetch *next;

	for (struct fetch *r = f->open.first; r; r = next) {
		next = r->next;
		if (r->state == FETCH_WAITING)
			start_one(f, r, &active, now);
	}
}

static void collect(struct fetcher *f)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(f->multi, &left))) {
		CURLcode code = msg->data.result;
		char *owner = NULL;

		if (msg->msg == CURLMSG_DONE &&
			curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &owner) == CURLE_OK && owner)
			fetch_judge((struct fetch *)(void *)owner, code);
	}
}

static void check_stall(struct fetch *r, int64_t now)
{
	struct transfer *t = &r->t;

	if (t->received - t->mark >= STALL_BYTES) {
		t->mark = t->received;
		t->mark_ms = now;
	} else if (now - t->mark_ms >= (int64_t)r->f->o.stall_seconds * 1000) {
		(void)snprintf(t->error, sizeof(t->error), "stalled: %llu bytes in %u seconds",
			(unsigned long long)(t->received - t->mark), r->f->o.stall_seconds);
		fetch_judge(r, CURLE_OPERATION_TIMEDOUT);
	}
}

static void check_clocks(struct fetcher *f)
{
	int64_t now = clock_mono_ms();
	struct fetch *next;

	for (struct fetch *r = f->open.first; r; r = next) {
		next = r->next;
		if (r->deadline_ms && now >= r->deadline_ms)
			fetch_too_late(r);
		else if (r->state == FETCH_ACTIVE)
			check_stall(r, now);
	}
}

/* Calls what is due. Callbacks may start and cancel requests: the list is looked at anew each time. */
static bool deliver(struct fetcher *f)
{
	bool any = false;

	while (f->finished.first) {
		struct fetch *r = f->finished.first;

		list_remove(&f->finished, r);
		r->done(r->arg, r->id, &r->result);
		fetch_free(r);
		any = true;
	}
	return any;
}

/* When something happens by itself. */
static int64_t next_event(const struct fetcher *f, int64_t now, int64_t end)
{
	int64_t at = end;

	for (const struct fetch *r = f->open.first; r; r = r->next) {
		int64_t due = r->not_before > now ? r->not_before : now + POLL_MS;

		if (r->state == FETCH_ACTIVE)
			due = r->t.mark_ms + (int64_t)f->o.stall_seconds * 1000;
		if (r->deadline_ms && r->deadline_ms < due)
			due = r->deadline_ms;
		at = due < at ? due : at;
	}
	return at;
}

static short to_curl(short events)
{
	int e = (events & POLLIN ? CURL_WAIT_POLLIN : 0) | (events & POLLPRI ? CURL_WAIT_POLLPRI : 0) |
		(events & POLLOUT ? CURL_WAIT_POLLOUT : 0);

	return (short)e;
}

static glane_rc wait_for(struct fetcher *f, const struct pollfd *extra, unsigned n, int64_t until, struct diag *d)
{
	int64_t left = until - clock_mono_ms();
	unsigned used = 0;
	int numfds;

	if (!mem_grow(&f->waits, &f->n_waits, n + 1, sizeof(*f->waits)))
		return fail(d, GLANE_E_NOMEM, "no memory to wait");
	for (unsigned i = 0; i < n; i++) {
		if (extra[i].fd >= 0)
			f->waits[used++] = (struct curl_waitfd){.fd = extra[i].fd, .events = to_curl(extra[i].events)};
	}
	left = left < 0 ? 0 : left;
	left = left > 60000 ? 60000 : left;
	if (curl_multi_poll(f->multi, f->waits, used, (int)left, &numfds) != CURLM_OK)
		return fail(d, GLANE_E_IO, "waiting for the network failed");
	return GLANE_OK;
}

static void store_limits(struct fetcher *f, int64_t now)
{
	struct diag ignored = {0};

	if (now - f->stored_ms < STORE_MS)
		return;
	f->stored_ms = now;
	(void)limits_store(f->limits, &ignored);
}

glane_rc fetcher_step(struct fetcher *f, struct pollfd *extra, unsigned n_extra, int timeout_ms, struct diag *d)
{
	int64_t now = clock_mono_ms(), end = timeout_ms < 0 ? INT64_MAX : now + timeout_ms;
	glane_rc rc = GLANE_OK;
	bool done = false;
	int running, ready;

	for (;;) {
		if (curl_multi_perform(f->multi, &running) != CURLM_OK)
			return fail(d, GLANE_E_IO, "libcurl cannot go on");
		collect(f);
		check_clocks(f);
		start_due(f); /* what is added now is due at once in curl_multi_poll() */
		done = deliver(f);
		ready = n_extra ? poll(extra, n_extra, 0) : 0;
		if (ready < 0 && errno != EINTR)
			return fail(d, GLANE_E_IO, "poll: %s", strerror(errno));
		now = clock_mono_ms();
		store_limits(f, now);
		if (done || ready || now >= end || (timeout_ms < 0 && !n_extra && !f->open.first))
			return rc;
		rc = wait_for(f, extra, n_extra, next_event(f, now, end), d);
		if (rc < 0)
			return rc;
	}
}

static struct fetch *find(const struct fetch_list *l, uint64_t id)
{
	struct fetch *r = l->first;

	while (r && r->id != id)
		r = r->next;
	return r;
}

void fetch_cancel(struct fetcher *f, uint64_t id)
{
	struct fetch *r = find(&f->open, id);
	struct fetch_list *l = &f->open;

	if (!r) {
		l = &f->finished;
		r = find(l, id);
	}
	if (!r)
		return;
	list_remove(l, r);
	fetch_free(r);
}

static void fill_progress(const struct fetch *r, int64_t now, struct fetch_progress *ret)
{
	bool active = r->state == FETCH_ACTIVE;

	*ret = (struct fetch_progress){.wire = r->b.wire, .state = active ? "connecting" : r->waits};
	if (active && r->t.received)
		ret->state = "receiving";
	if (active && r->t.to_body && r->t.answer.length > 0)
		ret->expected = r->t.answer.status == 206 && r->t.answer.range_total > 0
					? (uint64_t)r->t.answer.range_total
					: (uint64_t)r->t.answer.length;
	if (!active && r->not_before > now)
		ret->wait_seconds = (unsigned)((r->not_before - now + 999) / 1000);
}

bool fetch_progress(const struct fetcher *f, uint64_t id, struct fetch_progress *ret)
{
	const struct fetch *r = find(&f->open, id);

	if (!r)
		return false;
	fill_progress(r, clock_mono_ms(), ret);
	return true;
}
