/* SPDX-License-Identifier: MIT */
/* What an ended transfer was worth: data, a failure for good, or a reason to try again. */
#include "base/clock.h"
#include "base/file.h"
#include "net/body.h"
#include "net/fetch_priv.h"
#include "net/verify.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* A resumed transfer that moved on by this much starts its count of failures anew: a line that drops twice an hour
 * must still bring a long download home. */
#define PROGRESS ((uint64_t)1 << 20)

static void set_message(struct fetch *r, const char *why)
{
	struct strbuf *b = &r->message;

	strbuf_reset(b);
	/* The word "security: " comes first, where reports look for it. */
	if (strncmp(why, "security: ", 10) == 0) {
		strbuf_puts(b, "security: ");
		why += 10;
	}
	strbuf_fmt(b, "%s %s: %s", r->method, r->shown, why);
	secret_scrub(&r->t.secrets, b);
}

static void end(struct fetch *r, glane_rc rc)
{
	struct fetch_result *out = &r->result;

	if (r->probing)
		breaker_release(limits_breakers(r->f->limits), origin_of(&r->hop).text, &r->probing);
	if (rc == GLANE_OK) {
		r->sent = r->t.secrets;
		r->t.secrets = (struct secrets){.v = NULL};
		out->sent = &r->sent;
	}
	transfer_stop(r);
	out->rc = rc;
	out->tries = r->tries;
	out->url = r->shown;
	out->wire = r->b.wire;
	if (rc != GLANE_OK) {
		if (r->tries > 1)
			strbuf_fmt(&r->message, " (%u tries)", r->tries);
		out->message = strbuf_ok(&r->message) && r->message.p ? r->message.p : "no memory for the reason";
	}
	fetch_finish(r);
}

void fetch_give_up(struct fetch *r, glane_rc rc, const char *why)
{
	set_message(r, why);
	end(r, rc);
}

static void give_up_diag(struct fetch *r, const struct diag *d)
{
	fetch_give_up(r, d->code, d->text);
}

void fetch_too_late(struct fetch *r)
{
	struct diag d = {0};

	if (r->state == FETCH_WAITING && r->message.n) { /* the last failure says more */
		strbuf_puts(&r->message, "; then the deadline passed");
		end(r, GLANE_E_FETCH);
	} else if (r->state == FETCH_WAITING && strncmp(r->waits, "waiting", 7) == 0) {
		(void)fail(&d, GLANE_E_FETCH, "the deadline passed while %s", r->waits);
		give_up_diag(r, &d);
	} else {
		fetch_give_up(r, GLANE_E_FETCH, "the deadline passed");
	}
}

int64_t fetch_backoff_ms(double base_seconds, unsigned failures)
{
	double most = base_seconds * 1000.0;
	uint64_t random = 0;

	for (unsigned i = 1; i < failures && most < 60000.0; i++)
		most *= 2;
	if (most > 60000.0)
		most = 60000.0;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		return (int64_t)most;
	return (int64_t)((double)(random >> 11) / 9007199254740992.0 * most);
}

static void wait_for_retry(struct fetch *r, int64_t wait)
{
	if (r->probing && r->hops) /* of a host further on; the next try begins at the first */
		breaker_release(limits_breakers(r->f->limits), origin_of(&r->hop).text, &r->probing);
	fetch_rewind(r);
	r->state = FETCH_WAITING;
	r->not_before = clock_mono_ms() + wait;
	r->waits = "retry in";
}

/* Whatever it says: a 500 is of this URL, and costs nobody else of the host anything. */
static bool is_answered(const struct fetch *r)
{
	return r->t.answer.done;
}

/* The reason alone, without method and URL; scrubbed. */
static const char *words_of(const struct fetch *r)
{
	size_t n = strlen(r->method) + strlen(r->shown) + 3;

	return strbuf_ok(&r->message) && r->message.p && r->message.n > n ? r->message.p + n : "";
}

static void note_result(struct fetch *r, bool answered, const char *why)
{
	breaker_result(
		limits_breakers(r->f->limits), origin_of(&r->hop).text, &r->probing, answered, why, clock_mono_ms());
}

/* Tries again where tries and time are left. What was received so far is kept only where it can be resumed. */
static void retry(struct fetch *r, glane_rc rc, const char *why, unsigned tries_left)
{
	int64_t asked = r->t.answer.retry_after, wait = 0, now = clock_mono_ms();

	set_message(r, why);
	r->result.retry_after = asked > 0 ? asked : 0;
	if (r->b_validator && r->b.wire >= r->b_before + PROGRESS) {
		r->failures = 0;
		r->b_before = r->b.wire;
	}
	r->failures++;
	wait = fetch_backoff_ms(r->f->o.retry_base_seconds, r->failures);
	if (asked > 0) {
		int64_t patience = asked < FETCH_PATIENCE ? asked : FETCH_PATIENCE;

		limits_block(r->f->limits, r->hop.host, patience, now);
		wait = patience * 1000 > wait ? patience * 1000 : wait;
	}
	if (r->failures > r->p->retries || tries_left == 0 || (r->deadline_ms && now + wait >= r->deadline_ms)) {
		if (!is_answered(r))
			note_result(r, false, words_of(r));
		end(r, rc);
		return;
	}
	transfer_stop(r);
	if (!r->b_validator)
		fetch_body_release(&r->b);
	wait_for_retry(r, wait);
}

static void drop_part(struct fetch *r)
{
	r->b_validator = NULL;
	fetch_body_release(&r->b);
}

/* A failure that our own checks found in the bytes: damage is tried once more, the rest is for good. */
static void judge_fault(struct fetch *r, const struct diag *d)
{
	struct diag copy = *d;

	drop_part(r);
	if (copy.code == GLANE_E_FORMAT)
		retry(r, copy.code, copy.text, r->damages++ == 0);
	else
		give_up_diag(r, &copy);
}

static bool is_transient(CURLcode code)
{
	static const CURLcode codes[] = {
		CURLE_COULDNT_RESOLVE_PROXY,
		CURLE_COULDNT_RESOLVE_HOST,
		CURLE_COULDNT_CONNECT,
		CURLE_PARTIAL_FILE,
		CURLE_OPERATION_TIMEDOUT,
		CURLE_SSL_CONNECT_ERROR,
		CURLE_GOT_NOTHING,
		CURLE_SEND_ERROR,
		CURLE_RECV_ERROR,
		CURLE_AGAIN,
		CURLE_PROXY,
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i] == code)
			return true;
	}
	return false;
}

/* A proxy that answered CONNECT with something else than success. What it refuses it refuses for good. */
static bool judge_proxy(struct fetch *r)
{
	struct diag d = {0};
	long status = 0;

	if (!fetch_uses_proxy(r) || !r->t.easy ||
		curl_easy_getinfo(r->t.easy, CURLINFO_HTTP_CONNECTCODE, &status) != CURLE_OK || status < 300)
		return false;
	if (status == 401 || status == 403 || status == 407) {
		(void)fail(&d, GLANE_E_CONFIG, "the proxy refuses to connect to %s (HTTP %ld); check proxy",
			r->hop.host, status);
		give_up_diag(r, &d);
	} else {
		(void)fail(&d, GLANE_E_FETCH, "the proxy cannot connect to %s (HTTP %ld)", r->hop.host, status);
		retry(r, d.code, d.text, 1);
	}
	return true;
}

static void judge_transport(struct fetch *r, CURLcode code)
{
	const char *via = fetch_uses_proxy(r) ? "through the proxy: " : "";
	const char *text = r->t.error[0] ? r->t.error : code ? curl_easy_strerror(code) : "no HTTP answer";
	struct diag d = {0};

	if (code == CURLE_OUT_OF_MEMORY) /* libcurl says the same of a header line that is too long for it */
		text = "no memory, or a header line of more than 100 KB";
	if (judge_proxy(r))
		return;
	if (r->t.refused[0]) {
		(void)fail(&d, GLANE_E_DENIED,
			"security: %s leads to the local address %s; if that is meant, name that address and port in "
			"hosts",
			r->hop.host, r->t.refused);
		give_up_diag(r, &d);
	} else if (is_transient(code)) {
		(void)fail(&d, GLANE_E_FETCH, "%s%s", via, text);
		retry(r, GLANE_E_FETCH, d.text, 1);
	} else if (code == CURLE_PEER_FAILED_VERIFICATION) {
		(void)fail(&d, GLANE_E_DENIED, "security: the certificate of %s is not trusted: %s", r->hop.host, text);
		give_up_diag(r, &d);
	} else {
		(void)fail(&d, code == CURLE_SSL_CACERT_BADFILE ? GLANE_E_CONFIG : GLANE_E_FETCH, "%s%s", via, text);
		give_up_diag(r, &d);
	}
}

/* RELIABILITY's verdicts on statuses: what may pass, what a person must mend, what time may mend. */
static bool status_is_transient(int status)
{
	return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

static void judge_status(struct fetch *r)
{
	int status = r->t.answer.status;
	struct strbuf words;
	struct diag d = {0};
	glane_rc rc = status == 401 || status == 403 || status == 407 ? GLANE_E_CONFIG : GLANE_E_FETCH;

	strbuf_init(&words, 0);
	secret_scrub_head(&r->t.secrets, &r->t.words, FETCH_WORDS);
	body_words(&words, strbuf_get(&r->t.words));
	(void)fail(&d, rc, "HTTP %d%s%s%s%s%s", status,
		status == 407          ? ", the proxy wants to know who we are; check proxy"
		: rc == GLANE_E_CONFIG ? ", the provider refuses us; check auth and contact"
				       : "",
		status == 206 || status == 304 ? ", which was not asked for" : "", words.n ? ": \"" : "",
		words.n ? words.p : "", words.n ? "\"" : "");
	strbuf_release(&words);
	if (status_is_transient(status))
		retry(r, rc, d.text, 1);
	else if (status == 416 && r->b_validator) {
		drop_part(r);
		retry(r, rc, d.text, 1);
	} else {
		give_up_diag(r, &d);
	}
}

/* Is it proven that all of the body arrived? libcurl has checked the length or the last chunk where there is one to check. */
static glane_rc check_length(const struct fetch *r, struct diag *d)
{
	if (!r->t.answer.chunked && r->t.answer.length < 0)
		return fail(d, GLANE_E_FETCH,
			"length unproven: neither Content-Length nor chunks, the body ends with the connection");
	if (r->t.answer.length >= 0 && r->t.excess)
		return fail(d, GLANE_E_FETCH, "the body is longer than its Content-Length (%lld)",
			(long long)r->t.answer.length);
	if (r->t.answer.range_total >= 0 && r->t.answer.status == 206 && r->b.wire != (uint64_t)r->t.answer.range_total)
		return fail(d, GLANE_E_FETCH, "a resumed transfer ended at %llu of %lld bytes",
			(unsigned long long)r->b.wire, (long long)r->t.answer.range_total);
	return GLANE_OK;
}

static bool keep(struct fetch *r, const char **to, const char *text)
{
	struct strbuf b;

	strbuf_init(&b, 0);
	strbuf_puts(&b, text);
	secret_scrub(&r->t.secrets, &b);
	*to = strbuf_ok(&b) ? arena_strndup(&r->arena, b.p, b.n) : NULL;
	strbuf_release(&b);
	return *to != NULL;
}

static glane_rc keep_validators(struct fetch *r, struct diag *d)
{
	const struct answer *a = &r->t.answer;
	struct fetch_result *out = &r->result;

	if (!keep(r, &out->etag, a->etag) || !keep(r, &out->last_modified, answer_modified(a)) ||
		!keep(r, &out->content_type, a->content_type) || !keep(r, &out->date, a->date)) {
		out->etag = out->last_modified = out->content_type = out->date = "";
		return fail(d, GLANE_E_NOMEM, "no memory for an answer");
	}
	return GLANE_OK;
}

static glane_rc hand_out(struct fetch *r, struct diag *d)
{
	glane_rc rc = keep_validators(r, d);

	if (rc < 0)
		return rc;
	r->result.size = r->b.size;
	r->result.fd = body_reopen(r->b.fd, d);
	return r->result.fd < 0 ? GLANE_E_IO : GLANE_OK;
}

static glane_rc read_head(const struct fetch *r, struct strbuf *b, struct diag *d)
{
	const size_t want = r->b.size < FETCH_AHEAD ? (size_t)r->b.size : FETCH_AHEAD;
	char *to = strbuf_room(b, want + 1);
	ssize_t n = to && want ? fd_pread(r->b.fd, to, want, 0) : 0;

	if (!to)
		return fail(d, GLANE_E_NOMEM, "no memory for an answer");
	if (n < (ssize_t)want)
		return fail(d, GLANE_E_IO, "cannot read a body again: %s", n < 0 ? strerror(errno) : "it is shorter");
	b->n += want;
	return GLANE_OK;
}

/* What refuses a body quotes it. */
static glane_rc verify(struct fetch *r, bool *ret_html, struct diag *d)
{
	const struct slice tail = {r->b.tail, r->b.n_tail};
	struct strbuf head;
	glane_rc rc;

	strbuf_init(&head, 0);
	rc = read_head(r, &head, d);
	if (rc == GLANE_OK) {
		*ret_html = body_is_html((struct slice){head.p, head.n < FETCH_WORDS ? head.n : FETCH_WORDS});
		secret_scrub_head(&r->t.secrets, &head, FETCH_WORDS);
		rc = body_verify(strbuf_get(&head), tail, r->b.size, r->format, r->t.answer.content_type, d);
	}
	strbuf_release(&head);
	return rc;
}

static void judge_data(struct fetch *r)
{
	struct diag d = {0};
	bool is_html = false;
	glane_rc rc = GLANE_OK;

	if (!r->t.routed)
		rc = transfer_route(r, &d);
	if (rc == GLANE_OK)
		rc = check_length(r, &d);
	if (rc == GLANE_OK && (r->b.size || r->b.decoder))
		rc = fetch_body_end(&r->b, r->result.sha256, &d);
	if (rc < 0) {
		judge_fault(r, &d);
		return;
	}
	rc = verify(r, &is_html, &d);
	if (rc == GLANE_OK)
		rc = hand_out(r, &d);
	if (rc == GLANE_OK) {
		end(r, GLANE_OK);
	} else if (rc == GLANE_E_FORMAT && is_html) {
		drop_part(r);
		retry(r, rc, d.text, 1);
	} else {
		drop_part(r);
		give_up_diag(r, &d);
	}
}

static void judge_redirect(struct fetch *r)
{
	struct diag d = {0};

	if (fetch_redirect(r, &d) < 0) {
		give_up_diag(r, &d);
		return;
	}
	transfer_stop(r);
	r->not_before = 0;
	r->waits = "queued";
}

static void judge_not_modified(struct fetch *r)
{
	struct diag d = {0};

	if (keep_validators(r, &d) < 0) {
		give_up_diag(r, &d);
		return;
	}
	r->result.not_modified = true;
	end(r, GLANE_OK);
}

/* SDMX REST: 204, or 404 with error 100, where nothing matches; as good as an empty body where one may be. */
static bool is_nothing(const struct fetch *r)
{
	const int status = r->t.answer.status;

	return r->format & FORMAT_MAY_BE_EMPTY &&
	       (status == 204 || (status == 404 && body_says_nothing(strbuf_get(&r->t.words))));
}

static void judge_nothing(struct fetch *r)
{
	struct diag d = {0};
	glane_rc rc = fetch_body_begin(&r->b, r->f->o.tmp_dir, CODING_NONE, 1, &d);

	r->b_validator = NULL;
	if (rc == GLANE_OK)
		rc = fetch_body_end(&r->b, r->result.sha256, &d);
	if (rc == GLANE_OK)
		rc = hand_out(r, &d);
	if (rc == GLANE_OK)
		end(r, GLANE_OK);
	else
		give_up_diag(r, &d);
}

void fetch_judge(struct fetch *r, CURLcode code)
{
	const struct answer *a = &r->t.answer;
	bool complete = code == CURLE_OK || r->t.enough;

	r->result.status = a->status;
	r->result.retry_after = 0;
	if (is_answered(r))
		note_result(r, true, "");
	if (r->t.fault.code)
		judge_fault(r, &r->t.fault);
	else if (!a->done || (transfer_is_data(r) && !complete))
		judge_transport(r, code);
	else if (transfer_is_data(r))
		judge_data(r);
	else if (complete && is_nothing(r))
		judge_nothing(r);
	else if (a->status == 304 && (r->etag || r->last_modified) && !r->b_validator)
		judge_not_modified(r);
	else if (status_is_redirect(a->status))
		judge_redirect(r);
	else
		judge_status(r);
}
