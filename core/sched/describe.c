/* SPDX-License-Identifier: MIT */
/* Learning what a plugin is, without loading it: a short-lived worker says so. */
#include "sched/settings.h"

#include "base/clock.h"
#include "base/sha256.h"
#include "proc/sandbox.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIBE_MS 20000
#define TICK_MS 50 /* where the kernel gives no descriptor of a process */
#define MAX_DESCRIPTION ((size_t)1 << 20)
#define MAX_WORDS ((size_t)64 << 10) /* of its standard output and error */

enum asked { ASKED_ENDED, ASKED_TOO_MUCH, ASKED_LATE };
struct asking {
	struct child child;
	int answer, words; /* -1: there is no more */
	struct strbuf *text, *said;
	int status;
};

/* What there is to read; -1 into *fd at its end. False: more than the buffer may hold. */
static bool read_some(int *fd, struct strbuf *b)
{
	while (*fd >= 0) {
		char *room = strbuf_room(b, 4096);
		ssize_t n;

		if (!room)
			return false;
		n = read(*fd, room, 4096);
		if (n > 0)
			b->n += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			return true;
		else if (n == 0 || errno != EINTR)
			*fd = -1;
	}
	return true;
}

/* Until its process has ended, whatever it closed before, and whoever else holds the other ends. */
static enum asked listen_to(struct asking *a)
{
	const int64_t deadline = clock_mono_ms() + DESCRIBE_MS;
	bool ended = false;

	while (!ended) {
		struct pollfd p[] = {{a->answer, POLLIN, 0}, {a->words, POLLIN, 0}, {a->child.pidfd, POLLIN, 0}};
		const int64_t left = deadline - clock_mono_ms();

		if (left <= 0)
			return ASKED_LATE;
		(void)poll(p, 3, left < TICK_MS ? (int)left : TICK_MS);
		ended = child_ended(&a->child, &a->status);
		if (!read_some(&a->answer, a->text) || !read_some(&a->words, a->said))
			return ASKED_TOO_MUCH;
	}
	return ASKED_ENDED;
}

static glane_rc answer_of(struct arena *a, const char *path, const char *name, const struct strbuf *text,
	struct plugin *ret, struct diag *d)
{
	struct diag why = {0};
	json_t *j = json_parse(strbuf_get(text), JSON_REJECT_DUPLICATES, "its description", &why);
	glane_rc rc;

	if (!j)
		return fail(
			d, why.code == GLANE_E_NOMEM ? why.code : GLANE_E_DENIED, "%s: refused: %s", path, why.text);
	rc = plugin_from_json(a, j, ret, d);
	json_decref(j);
	if (rc == GLANE_OK && strcmp(ret->desc.name, name) != 0)
		rc = fail(d, GLANE_E_DENIED, "%s: refused: it describes itself as '%.64s'", path, ret->desc.name);
	return rc;
}

static glane_rc ask(struct arena *a, const char *path, const char *name, int answer[2], struct strbuf *text,
	struct strbuf *words, struct plugin *ret, struct diag *d)
{
	const char *const args[] = {path, name, NULL};
	struct asking q = {.answer = answer[0], .text = text, .said = words};
	enum asked how;
	char end[96];
	glane_rc rc = fcntl(answer[0], F_SETFL, O_NONBLOCK) == 0
			      ? child_spawn("@describe", args, &answer[1], 1, false, true, &q.child, d)
			      : fail(d, GLANE_E_IO, "cannot prepare a socket: %s", strerror(errno));

	if (rc != GLANE_OK)
		return rc;
	close(answer[1]);
	answer[1] = -1;
	q.words = q.child.output;
	how = listen_to(&q);
	child_close(&q.child); /* which kills what has not ended */
	if (how == ASKED_LATE)
		return fail(d, GLANE_E_DENIED, "%s: refused: it does not answer within %d s", path, DESCRIBE_MS / 1000);
	if (text->starved || words->starved)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for its description", path);
	if (how == ASKED_TOO_MUCH)
		return fail(d, GLANE_E_DENIED, "%s: refused: it writes more than %zu KiB while it is asked", path,
			(text->failed ? MAX_DESCRIPTION : MAX_WORDS) >> 10);
	if (WIFEXITED(q.status) && WEXITSTATUS(q.status) == 0)
		return answer_of(a, path, name, text, ret, d);
	if (words->n && WIFEXITED(q.status))
		return fail(d, GLANE_E_DENIED, "%.*s", SLICE_FMT(slice_trim(strbuf_get(words))));
	child_status_text(q.status, end, sizeof(end));
	return fail(d, GLANE_E_DENIED, "%s: refused: loading it ended with %s", path, end);
}

glane_rc plugin_ask(struct arena *a, const char *path, const char *name, struct plugin *ret, struct diag *d)
{
	struct strbuf text, words;
	int answer[2];
	glane_rc rc = plugin_file_check(path, d);

	if (rc != GLANE_OK)
		return rc;
	rc = socket_pair(answer, d);
	if (rc != GLANE_OK)
		return rc;
	strbuf_init(&text, MAX_DESCRIPTION);
	strbuf_init(&words, MAX_WORDS);
	rc = ask(a, path, name, answer, &text, &words, ret, d);
	close(answer[0]);
	if (answer[1] >= 0)
		close(answer[1]);
	strbuf_release(&text);
	strbuf_release(&words);
	return rc;
}

/* Another source's answer about the same plugin. */
static const struct source_conf *known(const struct settings *s, const struct source_conf *c)
{
	for (size_t i = 0; i < s->n_sources; i++) {
		const struct source_conf *o = &s->sources[i];

		if (o != c && (o->desc || o->refused) && strcmp(o->plugin, c->plugin) == 0)
			return o;
	}
	return NULL;
}

glane_rc settings_no_plugin(const struct settings *s, const char *name, struct diag *d)
{
	struct strbuf b;

	strbuf_init(&b, 0);
	for (size_t i = 0; i < s->n_plugin_path; i++)
		strbuf_fmt(&b, "%s%s", i ? " " : "", s->plugin_path[i]);
	(void)fail(d, GLANE_E_CONFIG,
		"no plugin '%s' (%s.so) in the folders of plugin_path (%s); `glane plugins` lists what there is", name,
		name, b.n && strbuf_ok(&b) ? b.p : "none");
	strbuf_release(&b);
	return d->code;
}

static glane_rc describe_one(struct settings *s, struct source_conf *c, struct diag *d)
{
	const struct source_conf *o = known(s, c);
	struct plugin *fresh;
	struct diag why;
	glane_rc rc;

	if (!c->plugin_path) {
		(void)settings_no_plugin(s, c->plugin, d);
		return diag_prefix(d, "%s:%u: [source %s]", c->section->file, c->section->line, c->name);
	}
	if (o) {
		c->desc = o->desc;
		c->refused = o->refused;
		return GLANE_OK;
	}
	diag_clear(&why);
	fresh = arena_alloc(&s->arena, sizeof(*fresh));
	if (!fresh)
		return fail(d, GLANE_E_NOMEM, "no memory for the plugins");
	rc = plugin_ask(&s->arena, c->plugin_path, c->plugin, fresh, &why);
	if (rc == GLANE_OK) {
		c->desc = fresh;
		return GLANE_OK;
	}
	c->refused = arena_strndup(&s->arena, why.text, strlen(why.text));
	return c->refused ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for the plugins");
}

glane_rc settings_describe(struct settings *s, struct diag *d)
{
	if (sandbox_check(d) != GLANE_OK)
		return d->code;
	for (size_t i = 0; i < s->n_sources; i++) {
		struct source_conf *c = &s->sources[i];
		glane_rc rc;

		if (!c->enabled && !c->wanted)
			continue;
		rc = describe_one(s, c, d);
		if (rc == GLANE_OK && c->desc)
			rc = options_fill(&s->arena, c->desc, c->section, NULL, d);
		if (rc != GLANE_OK)
			return rc;
	}
	return GLANE_OK;
}

/* A provider's section is what its sources share: it need not say all that its plugin requires. */
static glane_rc fill_some(struct arena *a, const struct plugin *whole, const struct conf_section *sec, struct diag *d)
{
	struct plugin p = *whole;

	p.options = arena_alloc(a, (p.n_options + 1) * sizeof(*p.options));
	if (!p.options)
		return fail(d, GLANE_E_NOMEM, "no memory for the plugins");
	for (size_t i = 0; i < p.n_options; i++) {
		p.options[i] = whole->options[i];
		p.options[i].flags &= (uint16_t)~GLANE_OPT_REQUIRED;
	}
	return options_fill(a, &p, sec, NULL, d);
}

static bool is_named(const struct settings *s, const char *provider)
{
	for (size_t i = 0; i < s->n_sources; i++)
		if (s->sources[i].provider && strcmp(s->sources[i].provider, provider) == 0)
			return true;
	return false;
}

static glane_rc describe_provider(struct settings *s, struct conf_section *sec, struct diag *d)
{
	struct source_conf c;
	glane_rc rc;

	if (!conf_find(sec, "plugin"))
		return GLANE_OK; /* whose keys they are is its sources' to say */
	rc = settings_source(s, sec, &c, d);
	if (rc != GLANE_OK || !c.plugin_path)
		return rc;
	rc = describe_one(s, &c, d);
	return rc == GLANE_OK && c.desc ? fill_some(&s->arena, c.desc, sec, d) : rc;
}

glane_rc settings_describe_all(struct settings *s, struct diag *d)
{
	glane_rc rc;

	for (size_t i = 0; i < s->n_sources; i++)
		s->sources[i].wanted = s->sources[i].plugin_path != NULL;
	rc = settings_describe(s, d);
	for (struct conf_section *sec = s->conf.sections; sec && rc == GLANE_OK; sec = sec->next)
		if (strcmp(sec->kind, "provider") == 0 && !is_named(s, sec->name))
			rc = describe_provider(s, sec, d);
	return rc;
}

static bool add_text(struct sha256 *h, const char *s)
{
	return sha256_add(h, s ? s : "", s ? strlen(s) + 1 : 1);
}

/* Its bytes and its arguments: an edited program means other rows. */
static bool add_program(struct sha256 *h, const struct source_conf *c, struct diag *d)
{
	char hex[65];
	const int fd = open(c->program.path, O_RDONLY | O_CLOEXEC);
	glane_rc rc = fd >= 0 ? sha256_fd(fd, hex, d)
			      : fail(d, GLANE_E_CONFIG, "program %s: %s", c->program.path, strerror(errno));
	bool ok = rc == GLANE_OK;

	if (fd >= 0)
		close(fd);
	if (ok)
		ok = add_text(h, hex);
	for (size_t i = 0; ok && i < c->program.n_args; i++)
		ok = add_text(h, c->program.args[i]);
	return ok || (rc == GLANE_OK && fail(d, GLANE_E_NOMEM, "no memory for a digest") == GLANE_OK);
}

glane_rc source_options_digest(const struct source_conf *c, char hex[65], struct diag *d)
{
	struct sha256 h;
	bool ok = sha256_init(&h);

	if (!ok)
		return fail(d, GLANE_E_NOMEM, "no memory for a digest");
	ok = add_text(&h, c->base_url ? c->base_url : c->desc->desc.base_url) &&
	     add_text(&h, c->keep_empty ? "keep" : "skip") && (!c->words || add_text(&h, c->words));
	if (ok && c->program.path && !add_program(&h, c, d)) {
		sha256_release(&h);
		return d->code;
	}
	for (size_t i = 0; ok && i < c->n_header; i++)
		ok = add_text(&h, c->header[i].k) && add_text(&h, c->header[i].v.p);
	for (size_t i = 0; ok && i < c->desc->n_options; i++) {
		const struct option_spec *o = &c->desc->options[i];
		const struct conf_entry *e = conf_find(c->section, o->name);

		ok = add_text(&h, o->name) && add_text(&h, e ? e->value : o->dflt);
	}
	if (!ok) {
		sha256_release(&h);
		return fail(d, GLANE_E_NOMEM, "no memory for a digest");
	}
	return sha256_end(&h, hex) ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for a digest");
}

glane_rc source_gate_digest(const struct source_conf *c, char hex[65], struct diag *d)
{
	const struct gate_limits *g = &c->gate;
	struct sha256 h;
	bool ok = sha256_init(&h);

	if (!ok)
		return fail(d, GLANE_E_NOMEM, "no memory for a digest");
	/* doubles without a gap */
	ok = sha256_add(&h, g, offsetof(struct gate_limits, row_limits)) &&
	     sha256_add(&h, g->row_limits, g->n_row_limits * sizeof(*g->row_limits));
	if (!ok) {
		sha256_release(&h);
		return fail(d, GLANE_E_NOMEM, "no memory for a digest");
	}
	return sha256_end(&h, hex) ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for a digest");
}
