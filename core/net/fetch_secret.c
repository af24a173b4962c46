/* SPDX-License-Identifier: MIT */
/* Secrets: env:VAR and file:PATH. */
#include "net/fetch_secret.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX ((size_t)8 << 10)

void secret_wipe(struct strbuf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	strbuf_release(b);
}

void secrets_release(struct secrets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		secret_wipe(&s->v[i].text.plain);
		secret_wipe(&s->v[i].text.encoded);
	}
	secret_finder_release(&s->finder);
	mem_free(s->v);
	*s = (struct secrets){0};
}

bool secret_wanted(struct slice template_)
{
	return template_.n && memmem(template_.p, template_.n, "{auth:", 6);
}

static glane_rc read_file(const char *path, struct strbuf *b, struct diag *d)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *room = strbuf_room(b, SECRET_MAX);
	glane_rc rc = GLANE_OK;
	struct stat st;
	ssize_t n = 0;

	if (!room)
		rc = fail(d, GLANE_E_NOMEM, "secret file %s: no memory", path);
	else if (fd < 0 || fstat(fd, &st) < 0)
		rc = fail(d, GLANE_E_CONFIG, "secret file %s: cannot open: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || st.st_size > (off_t)SECRET_MAX)
		rc = fail(d, GLANE_E_CONFIG, "secret file %s: not a file of at most %zu bytes", path, SECRET_MAX);
	else if (st.st_mode & 077)
		rc = fail(d, GLANE_E_CONFIG, "secret file %s: others can read it; chmod 600 it", path);
	else if ((n = read(fd, room, SECRET_MAX)) < 0)
		rc = fail(d, GLANE_E_CONFIG, "secret file %s: cannot read: %s", path, strerror(errno));
	else
		b->n += (size_t)n;
	fd_close(&fd);
	return rc;
}

static const char *behind(const char *prefix, const char *text)
{
	return slice_has_prefix(slice_of(text), prefix) ? text + strlen(prefix) : NULL;
}

const char *fetch_secret_file(const char *spec)
{
	return behind("file:", spec);
}

const char *fetch_secret_env(const char *spec)
{
	return behind("env:", spec);
}

static glane_rc read_spec(const struct fetch_secret *spec, struct strbuf *b, struct diag *d)
{
	const char *path = fetch_secret_file(spec->spec), *variable = fetch_secret_env(spec->spec), *value;
	glane_rc rc;

	if (path) {
		rc = read_file(path, b, d);
		if (b->n && b->p[b->n - 1] == '\n')
			b->n--;
		if (b->n && b->p[b->n - 1] == '\r')
			b->n--;
		return rc;
	}
	if (!variable)
		return fail(d, GLANE_E_CONFIG, "secret '%s': write it as env:NAME or file:PATH", spec->name);
	value = getenv(variable);
	if (!value)
		return fail(d, GLANE_E_CONFIG, "secret '%s': the environment has no %s", spec->name, variable);
	if (strbuf_room(b, strlen(value) + 1))
		strbuf_puts(b, value);
	return GLANE_OK;
}

glane_rc secret_load(struct secret_text *t, const struct fetch_secret *spec, struct diag *d)
{
	glane_rc rc;

	*t = (struct secret_text){.name = spec->name};
	strbuf_init(&t->plain, 0);
	strbuf_init(&t->encoded, 0);
	rc = read_spec(spec, &t->plain, d);
	if (rc == GLANE_OK && (t->plain.n == 0 || t->plain.n > SECRET_MAX))
		rc = fail(d, GLANE_E_CONFIG, "secret '%s' (%s) is empty or too long", spec->name, spec->spec);
	for (size_t i = 0; rc == GLANE_OK && i < t->plain.n; i++) {
		if ((unsigned char)t->plain.p[i] < ' ' || t->plain.p[i] == 0x7f)
			rc = fail(d, GLANE_E_CONFIG, "secret '%s' (%s) holds a control byte, such as a line end",
				spec->name, spec->spec);
	}
	if (rc == GLANE_OK && strbuf_room(&t->encoded, 3 * t->plain.n + 1))
		strbuf_percent(&t->encoded, strbuf_get(&t->plain), "");
	if (rc == GLANE_OK && (!strbuf_ok(&t->plain) || !strbuf_ok(&t->encoded)))
		rc = fail(d, GLANE_E_NOMEM, "secret '%s': no memory", spec->name);
	if (rc < 0) {
		secret_wipe(&t->plain);
		secret_wipe(&t->encoded);
	}
	return rc;
}

static glane_rc read_one(struct secrets *s, size_t i, const struct fetch_secret *spec, struct diag *d)
{
	struct secret *v = &s->v[i];
	glane_rc rc = secret_load(&v->text, spec, d);

	v->is_read = rc == GLANE_OK;
	if (v->is_read && !secret_finder_add(&s->finder, spec->name, strbuf_get(&v->text.plain)))
		rc = fail(d, GLANE_E_NOMEM, "secret '%s': no memory", spec->name);
	return rc;
}

glane_rc secret_finder_load(struct secret_finder *f, const struct fetch_secret *specs, size_t n, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	*f = (struct secret_finder){.v = NULL};
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		struct secret_text t;

		rc = secret_load(&t, &specs[i], d);
		if (rc != GLANE_OK)
			return rc;
		if (t.plain.n < SECRET_SHORTEST)
			rc = fail(d, GLANE_E_CONFIG, "secret '%s' is shorter than %d bytes: it cannot be struck out",
				specs[i].name, SECRET_SHORTEST);
		else if (!secret_finder_add(f, specs[i].name, strbuf_get(&t.plain)))
			rc = fail(d, GLANE_E_NOMEM, "no memory to strike secrets out");
		secret_wipe(&t.plain);
		secret_wipe(&t.encoded);
	}
	return rc;
}

glane_rc secrets_load(struct secrets *s, const struct fetch_policy *p, struct diag *d)
{
	*s = (struct secrets){0};
	if (p->n_secrets == 0)
		return GLANE_OK;
	s->v = mem_zalloc(p->n_secrets, sizeof(*s->v));
	if (!s->v)
		return fail(d, GLANE_E_NOMEM, "no memory for the secrets");
	s->n = p->n_secrets;
	for (size_t i = 0; i < s->n; i++) {
		struct diag why = {0};

		if (read_one(s, i, &p->secrets[i], &why) == GLANE_E_NOMEM) {
			secrets_release(s);
			return fail(d, GLANE_E_NOMEM, "%s", why.text);
		}
	}
	return GLANE_OK;
}

static glane_rc find(struct secrets *s, struct slice name, const struct fetch_policy *p, const struct secret_text **ret,
	struct diag *d)
{
	glane_rc rc = GLANE_OK;
	size_t i = 0;

	while (i < s->n && !slice_is(name, p->secrets[i].name))
		i++;
	if (i == s->n)
		return fail(d, GLANE_E_CONFIG, "no secret is called '%.*s'; name it in auth", SLICE_FMT(name));
	if (!s->v[i].is_read) /* it says why */
		rc = read_one(s, i, &p->secrets[i], d);
	if (rc == GLANE_OK)
		*ret = &s->v[i].text;
	return rc;
}

static void add(struct strbuf *b, const struct secret_text *t, unsigned how)
{
	const struct strbuf *text = how == SECRET_PERCENT ? &t->encoded : &t->plain;

	/* Room for all of it at once: growing byte by byte would leave copies behind. */
	if (!strbuf_room(b, 2 * text->n + 1))
		return;
	for (size_t i = 0; i < text->n; i++) {
		if (how == SECRET_JSON && (text->p[i] == '"' || text->p[i] == '\\'))
			strbuf_putc(b, '\\');
		strbuf_putc(b, text->p[i]);
	}
}

glane_rc secret_fill(struct strbuf *b, struct slice template_, unsigned how, struct secrets *s,
	const struct fetch_policy *p, struct diag *d)
{
	const struct secret_text *text = NULL;
	struct slice rest = template_;
	glane_rc rc;

	if (secret_wanted(template_))
		(void)strbuf_room(b, template_.n + 4 * SECRET_MAX);
	while (rest.n) {
		const char *at = memmem(rest.p, rest.n, "{auth:", 6);
		size_t before = at ? (size_t)(at - rest.p) : rest.n;
		const char *end = at ? memchr(at, '}', rest.n - before) : NULL;

		strbuf_add(b, rest.p, before);
		if (!at)
			break;
		if (!end)
			return fail(d, GLANE_E_CONFIG, "a placeholder '{auth:' without '}'");
		rc = find(s, (struct slice){at + 6, (size_t)(end - at) - 6}, p, &text, d);
		if (rc != GLANE_OK || !text)
			return rc;
		add(b, text, how);
		rest = (struct slice){end + 1, (size_t)(rest.p + rest.n - end) - 1};
	}
	return strbuf_ok(b) ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for a request");
}

size_t secret_hide(struct strbuf *b, struct slice text, const struct secrets *s)
{
	return secret_replace(&s->finder, text, true, NULL, b);
}

bool secret_leaks(const struct secrets *s, struct slice text)
{
	return secret_replace(&s->finder, text, false, "", NULL) > 0;
}

void secret_scrub(const struct secrets *s, struct strbuf *text)
{
	secret_scrub_head(s, text, text->n);
}

void secret_scrub_head(const struct secrets *s, struct strbuf *text, size_t head)
{
	struct strbuf clean;
	size_t n;

	strbuf_init(&clean, text->max);
	(void)strbuf_room(&clean, text->n); /* no writing is as short as what takes its place */
	n = secret_replace_head(&s->finder, strbuf_get(text), head, false, "***", &clean);
	if (n && !strbuf_ok(&clean)) {
		strbuf_reset(&clean);
		strbuf_puts(&clean, "***");
	}
	if (n || head < text->n) {
		explicit_bzero(text->p, text->cap);
		strbuf_reset(text);
		strbuf_slice(text, strbuf_ok(&clean) ? strbuf_get(&clean) : SLICE(""));
	}
	secret_wipe(&clean);
}
