/* SPDX-License-Identifier: MIT */
/* One run of one plugin: options, init, run, fini, and the services that are neither records nor observations. */
#include "plug/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_GROWN 4096 /* bytes that a struct of a later minor may have more */

glane_rc run_stopped(struct glane_run *r)
{
	diag_clear(&r->diag);
	return fail(&r->diag, GLANE_E_CANCELLED, r->limited ? "row limit reached" : "cancelled");
}

glane_rc run_failed(struct glane_run *r, glane_rc rc)
{
	if (rc != GLANE_OK && r->diag.code == GLANE_OK)
		fail(&r->diag, rc, "the plugin's host failed without a word (%s)", rc_name(rc));
	return rc;
}

glane_rc run_lost(struct glane_run *r, glane_rc rc)
{
	run_failed(r, rc);
	if (rc != GLANE_OK && r->lost.code == GLANE_OK)
		r->lost = r->diag;
	return rc;
}

glane_rc run_usage(struct glane_run *r, const char *what)
{
	diag_clear(&r->diag);
	fail(&r->diag, GLANE_E_USAGE, "defect of plugin %s: %s", r->job->plugin->desc.name, what);
	return run_lost(r, GLANE_E_USAGE);
}

glane_rc run_unread(struct glane_run *r, glane_rc rc)
{
	if (rc < GLANE_OK && rc != GLANE_E_CANCELLED)
		r->unread = r->diag;
	return rc;
}

glane_rc run_no_memory(struct glane_run *r, const char *what)
{
	diag_clear(&r->diag);
	fail(&r->diag, GLANE_E_NOMEM, "no memory for the %s of this source (its `memory` can be raised)", what);
	return run_lost(r, GLANE_E_NOMEM);
}

/* Nothing is set behind the n bytes that are known here: it would be ignored. */
static bool rest_is_zero(const void *given, size_t size, size_t n)
{
	const char *p = given;

	for (size_t i = n; i < size && i < n + MAX_GROWN; i++)
		if (p[i])
			return false;
	return size <= n + MAX_GROWN;
}

bool struct_take(void *own, size_t n, const void *given, size_t least)
{
	uint32_t size;

	memset(own, 0, n);
	if (!given)
		return false;
	memcpy(&size, given, sizeof(size));
	if (size < least || !rest_is_zero(given, size, n))
		return false;
	memcpy(own, given, size < n ? size : n);
	return true;
}

glane_rc run_take(struct glane_run *r, void *own, size_t n, const void *given, size_t least, const char *call)
{
	char what[160];
	uint32_t size = 0;

	if (struct_take(own, n, given, least))
		return GLANE_OK;
	if (given)
		memcpy(&size, given, sizeof(size));
	(void)snprintf(what, sizeof(what),
		size < least
			? "%s without a struct that holds its size"
			: "%s with a member that this glane, of ABI %d.%d, does not know (look at abi_minor first)",
		call, GLANE_ABI_MAJOR, GLANE_ABI_MINOR);
	return run_usage(r, what);
}

bool text_ok(struct slice s)
{
	return s.n <= 65536 && (s.n == 0 || !memchr(s.p, 0, s.n)) && slice_is_utf8(s);
}

glane_rc run_flush(struct glane_run *r)
{
	glane_rc rc = GLANE_OK;

	if (r->n_obs > 0)
		rc = r->seams->obs(r->seams->arg, r->obs, r->n_obs);
	r->n_obs = 0;
	return run_lost(r, rc);
}

glane_rc run_use_payload(struct glane_run *r, struct glane_reader *rd)
{
	glane_rc rc;

	r->current = rd;
	if (strcmp(r->payload, rd->sha256) == 0)
		return GLANE_OK;
	rc = run_flush(r);
	if (rc == GLANE_OK)
		rc = run_lost(r, r->seams->payload(r->seams->arg, rd->sha256));
	if (rc == GLANE_OK)
		memcpy(r->payload, rd->sha256, sizeof(r->payload));
	return rc;
}

static glane_str host_cursor(glane_run *r, const char *key)
{
	for (size_t i = 0; key && i < r->job->n_cursors; i++)
		if (strcmp(r->job->cursors[i].k, key) == 0)
			return r->job->cursors[i].v;
	return (glane_str){NULL, 0};
}

static glane_rc host_set_cursor(glane_run *r, const char *key, glane_str value)
{
	const struct slice k = slice_of(key), v = slice_from(value);
	glane_rc rc = run_check(r);

	if (rc != GLANE_OK)
		return rc;
	if (!conf_is_key(k) || !text_ok(v))
		return run_usage(r, "set_cursor() with a key that is none, or a value that is no text up to 64 KiB");
	return run_lost(r, r->seams->cursor(r->seams->arg, k, v));
}

/* A failure of the host that is under way becomes the tail of the plugin's message; a cancelled run stays cancelled. */
__attribute__((format(printf, 3, 4))) static glane_rc host_fail(glane_run *r, glane_rc rc, const char *fmt, ...)
{
	struct diag cause = r->diag;
	char text[1024];
	va_list ap;

	if (!fmt)
		fmt = "no reason given";
	if (cause.code == GLANE_E_CANCELLED)
		return cause.code;
	if (rc >= GLANE_OK || rc < GLANE_E_USAGE || (rc == GLANE_E_IO && cause.code != GLANE_E_IO))
		rc = GLANE_E_DATA; /* a plugin has no files: trouble with the store is the host's to say */
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_clear(&r->diag);
	if (cause.code == rc)
		fail(&r->diag, rc, "%s: %s", text, cause.text);
	else
		fail(&r->diag, rc, "%s", text);
	r->is_said = true;
	return run_unread(r, rc); /* to be returned, or declared by cover() */
}

__attribute__((format(printf, 3, 4))) static void host_log(glane_run *r, int32_t level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	level = level < GLANE_LOG_DEBUG ? GLANE_LOG_DEBUG : level > GLANE_LOG_WARN ? GLANE_LOG_WARN : level;
	r->seams->log(
		r->seams->arg, level, (struct slice){text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1});
}

static int32_t host_cancelled(glane_run *r)
{
	return run_check(r) != GLANE_OK;
}

static int64_t host_now(glane_run *r)
{
	return r->job->now;
}

__attribute__((format(printf, 2, 3))) static const char *host_fmt(glane_run *r, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || n > 1 << 20)
		return NULL;
	text = arena_alloc(&r->arena, (size_t)n + 1);
	if (!text)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

static const void *host_extension(glane_run *r, const char *id)
{
	(void)r;
	(void)id;
	return NULL;
}

static glane_rc run_init(
	struct glane_run *r, const struct host_job *job, const struct host_seams *seams, struct diag *d)
{
	memset(r, 0, sizeof(*r));
	r->job = job;
	r->seams = seams;
	arena_init(&r->arena, (size_t)256 << 20);
	arena_init(&r->series_arena[0], 0);
	arena_init(&r->series_arena[1], 0);
	map_init(&r->series_map, &r->series_arena[0]);
	map_init(&r->notes.map, &r->notes.arena);
	map_init(&r->periods.map, &r->periods.arena);
	strbuf_init(&r->key, 1 << 20);
	strbuf_init(&r->text, 1 << 20);
	strbuf_init(&r->text2, 1 << 20);
	strbuf_init(&r->minus, 0);
	strbuf_init(&r->number, 1 << 20);
	r->table = (struct glane_host){.size = sizeof(r->table),
		.abi_major = GLANE_ABI_MAJOR,
		.abi_minor = GLANE_ABI_MINOR,
		.cursor = host_cursor,
		.set_cursor = host_set_cursor,
		.fail = host_fail,
		.log = host_log,
		.cancelled = host_cancelled,
		.now = host_now,
		.fmt = host_fmt,
		.extension = host_extension};
	open_services(&r->table);
	emit_services(&r->table);
	cover_services(&r->table);
	cube_services(&r->table);
	r->series = mem_zalloc(2 * (size_t)BATCH_WINDOW, sizeof(*r->series));
	if (!r->series)
		return fail(d, GLANE_E_NOMEM, "no memory to run plugin %s", job->plugin->desc.name);
	return words_of(&r->arena, job->words, &r->words, d);
}

static void run_release(struct glane_run *r)
{
	for (struct glane_reader *rd = r->readers; rd; rd = rd->next_open)
		reader_close(rd);
	mem_free(r->series);
	map_release(&r->series_map);
	map_release(&r->notes.map);
	map_release(&r->periods.map);
	strbuf_release(&r->key);
	strbuf_release(&r->text);
	strbuf_release(&r->text2);
	strbuf_release(&r->minus);
	strbuf_release(&r->number);
	arena_release(&r->series_arena[0]);
	arena_release(&r->series_arena[1]);
	arena_release(&r->notes.arena);
	arena_release(&r->periods.arena);
	arena_release(&r->arena);
}

/* The plugin says that all is well: was there a failure that it passed over? */
static glane_rc run_swallowed(struct glane_run *r)
{
	if (r->seams->cancelled(r->seams->arg))
		return run_check(r);
	if (r->lost.code != GLANE_OK) {
		r->diag = r->lost;
		return r->diag.code;
	}
	if (r->unread.code != GLANE_OK) {
		r->diag = r->unread;
		return diag_prefix(&r->diag, "plugin %s passed over a failure", r->job->plugin->desc.name);
	}
	if (r->sliced.code != GLANE_OK && !r->has_slice) {
		r->diag = r->sliced;
		return r->diag.code;
	}
	return GLANE_OK;
}

static glane_rc run_plugin(struct glane_run *r, void *state)
{
	const struct glane_plugin *p = &r->job->plugin->desc;
	glane_rc rc = GLANE_OK;

	if (p->init)
		rc = p->init(&r->table, r, state);
	if (rc == GLANE_OK)
		rc = p->run(&r->table, r, state);
	if (p->fini)
		p->fini(state);
	if (rc == GLANE_OK)
		rc = run_swallowed(r);
	if (rc == GLANE_OK || (rc == GLANE_E_CANCELLED && r->limited)) {
		const glane_rc flushed = run_flush(r);

		rc = flushed != GLANE_OK ? flushed : rc;
	}
	return rc;
}

glane_rc host_run(const struct host_job *job, const struct host_seams *seams, struct host_counts *ret, struct diag *d)
{
	struct glane_run *r = mem_zalloc(1, sizeof(*r));
	void *state;
	glane_rc rc;

	if (!r)
		return fail(d, GLANE_E_NOMEM, "no memory to run plugin %s", job->plugin->desc.name);
	rc = run_init(r, job, seams, d);
	if (rc != GLANE_OK)
		goto out;
	state = arena_alloc(&r->arena, job->plugin->desc.state_size + 1);
	if (!state) {
		rc = fail(d, GLANE_E_NOMEM, "no memory for the state of plugin %s", job->plugin->desc.name);
		goto out;
	}
	rc = options_fill(&r->arena, job->plugin, job->section, state, d);
	if (rc != GLANE_OK)
		goto out;
	rc = run_plugin(r, state);
	if (rc > GLANE_OK || rc < GLANE_E_USAGE)
		rc = fail(d, GLANE_E_USAGE, "plugin %s returned %d, which is no result", job->plugin->desc.name, rc);
	else if (rc != GLANE_OK && r->diag.code != GLANE_OK)
		rc = fail(d, rc, "%s", r->diag.text);
	else if (rc != GLANE_OK)
		rc = fail(d, rc, "plugin %s failed without saying why (%s)", job->plugin->desc.name, rc_name(rc));
	*ret = r->counts;
out:
	run_release(r);
	mem_free(r);
	return rc;
}
