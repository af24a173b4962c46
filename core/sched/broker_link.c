/* SPDX-License-Identifier: MIT */
/* The scheduler's end of the control socket: set-up, sources, replays, and requests as they stand in state files. */
#include "sched/task.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static uint32_t put_read(struct wire *w, const char *path)
{
	if (w && path)
		wire_cstr(w, path);
	return path != NULL;
}

/* The files that the configuration names for the broker; w NULL: how many. */
static uint32_t put_files(struct wire *w, const struct settings *s)
{
	uint32_t n = put_read(w, s->proxy ? fetch_secret_file(s->proxy) : NULL);

	for (size_t i = 0; i < s->n_sources; i++) {
		const struct source_conf *c = &s->sources[i];

		for (size_t k = 0; k < c->n_secrets; k++)
			n += put_read(w, fetch_secret_file(c->secrets[k].spec));
		n += put_read(w, c->ca_extra);
	}
	return n;
}

static void put_reads(struct wire *w, const struct settings *s)
{
	wire_u32(w, put_files(NULL, s));
	put_files(w, s);
}

glane_rc broker_start(struct run *r, struct diag *d)
{
	const struct settings *s = r->settings;
	char limits[4200];
	int pair[2];
	glane_rc rc = socket_pair(pair, d);

	if (rc != GLANE_OK)
		return rc;
	rc = child_spawn("@broker", NULL, &pair[1], 1, true, false, &r->broker, d);
	close(pair[1]);
	if (rc != GLANE_OK || fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
		close(pair[0]);
		return rc != GLANE_OK ? rc
				      : fail(d, GLANE_E_IO, "cannot prepare the broker's socket: %s", strerror(errno));
	}
	wire_init(&r->control, pair[0]);
	r->has_broker = true;
	if (!path_join(r->store.path, "broker/limits.json", limits, sizeof(limits)))
		return fail(d, GLANE_E_CONFIG, "the store's path is too long");
	wire_begin(&r->control, B_SETUP);
	wire_cstr(&r->control, s->contact);
	wire_cstr(&r->control, s->proxy);
	wire_cstr(&r->control, s->ca_bundle);
	wire_cstr(&r->control, limits);
	wire_cstr(&r->control, r->store.dir < 0 ? "" : r->store.path);
	wire_u32(&r->control, (uint32_t)s->per_host);
	wire_u32(&r->control, (uint32_t)s->stall_seconds);
	wire_u8(&r->control, r->options->dry_run ? BROKER_DRY : r->options->offline ? BROKER_OFFLINE : BROKER_FETCHES);
	wire_u8(&r->control, r->options->n_names > 0); /* named sources are asked now, breaker or not */
	put_reads(&r->control, s);
	return wire_end(&r->control, -1, d);
}

void broker_stop(struct run *r)
{
	struct diag d;

	if (!r->has_broker)
		return;
	diag_clear(&d);
	wire_begin(&r->control, B_QUIT);
	if (wire_end(&r->control, -1, &d) == GLANE_OK && fcntl(r->control.fd, F_SETFL, 0) == 0)
		wire_flush(&r->control, &d);
	for (int i = 0; i < 500; i++) { /* it stores its rate budgets and ends */
		int status;

		if (child_ended(&r->broker, &status)) {
			r->broker_lost |= status != 0;
			break;
		}
		usleep(10000);
	}
	child_close(&r->broker);
	wire_release(&r->control);
	r->has_broker = false;
}

static void put_origins(struct wire *w, const char *base, const char *const *hosts, size_t n)
{
	wire_u32(w, (uint32_t)n + (base ? 1 : 0));
	if (base)
		wire_cstr(w, base);
	for (size_t i = 0; i < n; i++)
		wire_cstr(w, hosts[i]);
}

/* What the configuration names, then what the plugin says of itself, which permits less (net/fetch.h). */
static void put_allowed(struct wire *w, const struct source_conf *c)
{
	put_origins(w, c->base_url, c->hosts, c->n_hosts);
	put_origins(w, c->base_url ? NULL : c->desc->desc.base_url, c->desc->hosts, c->desc->n_hosts);
}

static void put_poison(struct wire *w, const struct task *t)
{
	const json_t *list = poison_list(t);
	const size_t n = json_array_size(list);

	wire_u32(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_cstr(w, json_string_value(json_array_get(list, i)));
}

glane_rc broker_source(struct task *t, int client_fd)
{
	struct wire *w = &t->run->control;
	const struct source_conf *c = t->conf;

	wire_begin(w, B_SOURCE);
	wire_u32(w, t->id);
	wire_cstr(w, c->name);
	put_allowed(w, c);
	wire_u32(w, (uint32_t)c->n_secrets);
	for (size_t i = 0; i < c->n_secrets; i++) {
		wire_cstr(w, c->secrets[i].name);
		wire_cstr(w, c->secrets[i].spec);
	}
	wire_u64(w, c->max_body);
	wire_u32(w, (uint32_t)c->retries);
	wire_f64(w, c->rate);
	wire_cstr(w, c->ca_extra);
	/* A trial leaves nothing behind. */
	wire_u8(w, run_is_trial(t->run) ? KEEP_EVENTS : c->keep_payloads);
	wire_u8(w, c->html);
	put_poison(w, t);
	wire_i64(w, t->deadline_ms);
	t->known = true;
	return wire_end(w, client_fd, &t->run->diag);
}

/* A request of a state file, as request_json() wrote it. */
glane_rc broker_replay(struct task *t, uint32_t index, const json_t *j)
{
	struct wire *w = &t->run->control;
	const json_t *headers = json_object_get(j, "headers");
	const char *key, *body = json_text(j, "body", NULL);
	json_t *value;

	wire_begin(w, B_REPLAY);
	wire_u32(w, t->id);
	wire_u32(w, index);
	wire_cstr(w, json_text(j, "method", "GET"));
	wire_cstr(w, json_text(j, "url", ""));
	wire_u32(w, (uint32_t)json_object_size(headers));
	json_object_foreach((json_t *)(uintptr_t)headers, key, value)
	{
		wire_cstr(w, key);
		wire_cstr(w, json_string_value(value));
	}
	wire_cstr(w, body);
	wire_cstr(w, json_text(j, "content_type", NULL));
	wire_u8(w, (uint8_t)json_int(j, "format", 0));
	wire_u32(w, (uint32_t)json_int(j, "again", 0));
	wire_u32(w, 0);
	wire_cstr(w, json_text(j, "etag", ""));
	wire_cstr(w, json_text(j, "last_modified", ""));
	wire_cstr(w, json_text(j, "sha256", ""));
	return wire_end(w, -1, &t->run->diag);
}

glane_rc broker_tell(struct task *t, uint16_t type)
{
	struct wire *w = &t->run->control;

	if (!t->run->has_broker)
		return GLANE_OK;
	wire_begin(w, type);
	wire_u32(w, t->id);
	return wire_end(w, -1, &t->run->diag);
}

glane_rc broker_keep(struct task *t, const char *sha256)
{
	struct wire *w = &t->run->control;

	wire_begin(w, B_KEEP);
	wire_u32(w, t->id);
	wire_cstr(w, sha256);
	return wire_end(w, -1, &t->run->diag);
}

static bool put_headers(json_t *j, const struct request *q)
{
	json_t *headers = json_object();
	bool ok = headers != NULL;

	for (size_t i = 0; ok && i < q->n_header; i++)
		ok = json_set_slice(headers, q->header[i].k, (struct slice){q->header[i].v.p, q->header[i].v.n});
	ok = ok && (q->n_header == 0 || json_object_set(j, "headers", headers) == 0);
	json_decref(headers);
	return ok;
}

/* What the broker says of the answer, behind the request. False: no memory. */
static bool put_answer(json_t *j, struct frame *f)
{
	static const char *const origins[] = {"fetched", "not modified", "archive"};
	bool ok = json_set_int(j, "status", frame_u32(f)) && json_set_slice(j, "sha256", frame_text(f)) &&
		  json_set_slice(j, "etag", frame_text(f)) && json_set_slice(j, "last_modified", frame_text(f)) &&
		  json_set_slice(j, "answer_type", frame_text(f)) && json_set_int(j, "size", (int64_t)frame_u64(f)) &&
		  json_set_int(j, "wire", (int64_t)frame_u64(f)) && json_set_int(j, "tries", frame_u32(f)) &&
		  json_set_int(j, "fetched_at", frame_i64(f));
	const uint8_t origin = frame_u8(f);
	const uint64_t struck = frame_u64(f);

	return ok && json_set_text(j, "origin", origins[origin < 3 ? origin : 0]) &&
	       (!struck || json_set_int(j, "secrets_struck_out", (int64_t)struck));
}

static bool put_request(json_t *j, const struct request *q)
{
	return json_set_text(j, "method", q->method) && json_set_text(j, "url", q->url) && put_headers(j, q) &&
	       (!q->body.n || json_set_slice(j, "body", q->body)) &&
	       json_set_text(j, "content_type", q->content_type) && json_set_int(j, "format", q->format) &&
	       (!q->again || json_set_int(j, "again", q->again));
}

json_t *request_json(struct frame *f, struct diag *d)
{
	json_t *j = json_object();
	struct request q;
	struct arena a;
	glane_rc rc;

	arena_init(&a, 0);
	rc = frame_request(f, &a, &q, d);
	if (rc == GLANE_OK && (!j || !put_request(j, &q) || !put_answer(j, f)))
		rc = fail(d, GLANE_E_NOMEM, "no memory for the list of requests");
	if (rc == GLANE_OK && !frame_done(f))
		rc = fail(d, GLANE_E_FORMAT, "a request listed by the broker does not read");
	arena_release(&a);
	if (rc == GLANE_OK)
		return j;
	json_decref(j);
	return NULL;
}
