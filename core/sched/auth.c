/* SPDX-License-Identifier: MIT */
/* `auth` and `headers`: the secrets of a source, and what goes with every request of it. */
#include "sched/settings.h"

#include "base/file.h"

#include <string.h>
#include <strings.h>

#define MAX_CONF_HEADERS 16

glane_rc settings_secret(
	struct settings *s, const struct conf_entry *e, const char *text, const char **ret, struct diag *d)
{
	const char *name = fetch_secret_file(text);
	char dir[4096], path[4096];

	*ret = text;
	if (!name)
		return GLANE_OK;
	path_dir(e->file, dir, sizeof(dir));
	if (!path_join(dir, name, path, sizeof(path)))
		return fail(d, GLANE_E_CONFIG, "%s:%u: the path of a secret is too long", e->file, e->line);
	*ret = arena_fmt(&s->arena, "file:%s", path);
	return *ret ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for the configuration");
}

/* auth = NAME=env:VAR NAME=file:PATH: never a secret in the clear. */
glane_rc settings_auth(struct settings *s, struct source_conf *c, struct diag *d)
{
	const struct conf_entry *e = conf_find(c->section, "auth");
	const char **items;
	size_t n;
	glane_rc rc = settings_list(s, c->section, "auth", &items, &n, d);

	if (rc != GLANE_OK || n == 0)
		return rc;
	c->secrets = arena_alloc(&s->arena, n * sizeof(*c->secrets));
	if (!c->secrets)
		return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
	for (size_t i = 0; i < n; i++) {
		const char *equals = strchr(items[i], '=');
		const char *spec = equals ? equals + 1 : "";

		if (equals == items[i] || (!fetch_secret_env(spec) && !fetch_secret_file(spec))) {
			diag_clear(d);
			return fail(d, GLANE_E_CONFIG,
				"%s:%u: auth: write NAME=env:VARIABLE or NAME=file:PATH, never the secret itself",
				e->file, e->line);
		}
		c->secrets[i].name = arena_strndup(&s->arena, items[i], (size_t)(equals - items[i]));
		if (!c->secrets[i].name)
			return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
		rc = settings_secret(s, e, spec, &c->secrets[i].spec, d);
		if (rc != GLANE_OK)
			return rc;
	}
	c->n_secrets = n;
	return GLANE_OK;
}

/* What is wrong with one of them, in d; a secret is never written in the clear. */
static glane_rc check(const struct glane_kv *all, size_t n, struct diag *d)
{
	const struct glane_kv *h = &all[n];
	glane_rc rc = fetch_header_check(h, d);

	if (rc != GLANE_OK)
		return rc;
	if (strcasecmp(h->k, "authorization") == 0 && !strstr(h->v.p, "{auth:"))
		return fail(d, GLANE_E_CONFIG,
			"write Authorization=\"... {auth:NAME}\" and `auth = NAME=env:VARIABLE`, never the secret "
			"itself");
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(all[i].k, h->k) == 0)
			return fail(d, GLANE_E_CONFIG, "'%s' stands there twice", h->k);
	return GLANE_OK;
}

static glane_rc take(struct arena *a, const char *item, struct source_conf *c, struct diag *d)
{
	const char *equals = strchr(item, '=');
	struct glane_kv *h = &c->header[c->n_header];
	glane_rc rc;

	if (!equals || equals == item)
		return fail(d, GLANE_E_CONFIG, "item '%.80s' is not NAME=VALUE", item);
	if (c->n_header == MAX_CONF_HEADERS)
		return fail(d, GLANE_E_CONFIG, "more than %d", MAX_CONF_HEADERS);
	h->k = arena_strndup(a, item, (size_t)(equals - item));
	h->v = (glane_str){equals + 1, strlen(equals + 1)};
	if (!h->k)
		return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
	rc = check(c->header, c->n_header, d);
	c->n_header += rc == GLANE_OK;
	return rc;
}

glane_rc settings_headers(struct settings *s, struct source_conf *c, struct diag *d)
{
	struct conf_entry *e = conf_find(c->section, "headers");
	const char *cursor = e ? e->value : NULL, *item;
	struct diag why;
	glane_rc rc;

	if (!e)
		return GLANE_OK;
	e->used = true;
	c->header = arena_alloc(&s->arena, MAX_CONF_HEADERS * sizeof(*c->header) + sizeof(*c->header));
	if (!c->header)
		return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
	diag_clear(&why);
	while ((rc = conf_item(&s->arena, &cursor, &item, &why)) == GLANE_OK)
		if (take(&s->arena, item, c, &why) != GLANE_OK)
			break;
	if (rc == GLANE_END)
		return GLANE_OK;
	return fail(d, GLANE_E_CONFIG, "%s:%u: headers: %s", e->file, e->line, why.text);
}
