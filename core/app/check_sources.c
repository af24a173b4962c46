/* SPDX-License-Identifier: MIT */
/* What of a source's configuration can be seen to be wrong without asking anybody. */
#include "app/check_sources.h"

#include "proc/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int at(const struct conf_entry *e, const char *what, struct slice name)
{
	return complain(
		EXIT_SOME, "%s:%u: %s = %.80s: %s%.*s", e->file, e->line, e->key, e->value, what, SLICE_FMT(name));
}

static bool has_secret(const struct source_conf *c, struct slice name)
{
	for (size_t i = 0; i < c->n_secrets; i++)
		if (slice_is(name, c->secrets[i].name))
			return true;
	return false;
}

static int check_secrets(const struct source_conf *c, const struct conf_entry *e)
{
	static const char mark[] = "{auth:";

	for (const char *p = e->value; (p = strstr(p, mark));) {
		struct slice rest = slice_of(p += sizeof(mark) - 1), name = slice_cut(&rest, '}');

		if (rest.p && !has_secret(c, name))
			return at(e, "auth has no ", name);
	}
	return EXIT_FINE;
}

/* The options of plugins whose items are addresses. */
static bool is_address(const char *key)
{
	return strcmp(key, "url") == 0 || strcmp(key, "requests") == 0;
}

static int check_addresses(const struct conf_entry *e)
{
	const char *cursor = e->value, *item;
	struct arena a;
	struct diag d;
	int code = EXIT_FINE;

	diag_clear(&d);
	arena_init(&a, 0);
	while (code == EXIT_FINE && is_address(e->key) && conf_item(&a, &cursor, &item, &d) == GLANE_OK)
		if (item[0] != '{' && !strstr(item, "://"))
			code = at(e, "no address; below base_url write {base_url}/", slice_of(item));
	arena_release(&a);
	return code;
}

/* Needed where an option or its default names it, or nothing else names an address. */
static int check_base_url(const struct source_conf *c)
{
	bool is_named = false, is_other = false;

	if (c->base_url || c->desc->desc.base_url)
		return EXIT_FINE;
	for (const struct conf_entry *e = c->section->entries; e; e = e->next) {
		is_named |= strstr(e->value, "{base_url}") != NULL;
		is_other |= !conf_is_host_key(e->key) && strstr(e->value, "://");
	}
	for (size_t i = 0; i < c->desc->n_options; i++) {
		const struct option_spec *o = &c->desc->options[i];

		is_named |= o->dflt && strstr(o->dflt, "{base_url}") && !conf_find(c->section, o->name);
	}
	return is_named || !is_other ? complain(EXIT_SOME, "%s:%u: [source %s] needs 'base_url = https://...'",
					       c->section->file, c->section->line, c->name)
				     : EXIT_FINE;
}

/* Secrets go to no host that the plugin alone names. */
static int check_auth(const struct source_conf *c)
{
	if (c->n_secrets == 0 || c->base_url || c->n_hosts)
		return EXIT_FINE;
	return complain(EXIT_SOME,
		"%s:%u: [source %s] has auth: a secret is sent only to what the configuration names; write 'hosts = "
		"https://...' or base_url",
		c->section->file, c->section->line, c->name);
}

/* Whether a file could be read; a secret's text is for the broker alone, so that this opens nothing. */
static int check_file(const struct conf_entry *e, const char *path, bool is_secret)
{
	struct stat st;

	if (stat(path, &st) < 0 || access(path, R_OK) < 0)
		return complain(EXIT_SOME, "%s:%u: %s: %s: cannot be read: %s", e->file, e->line, e->key, path,
			strerror(errno));
	if (!S_ISREG(st.st_mode))
		return complain(EXIT_SOME, "%s:%u: %s: %s: not a file", e->file, e->line, e->key, path);
	if (is_secret && (st.st_mode & 077))
		return complain(
			EXIT_SOME, "%s:%u: %s: %s: others can read it; chmod 600 it", e->file, e->line, e->key, path);
	return EXIT_FINE;
}

/* What a variable holds is another matter under cron, so that one which is missing here is a word, not a finding. */
static int check_place(const struct conf_entry *e, const char *spec)
{
	const char *path = fetch_secret_file(spec), *variable = fetch_secret_env(spec);

	if (path)
		return check_file(e, path, true);
	if (variable && !getenv(variable))
		fprintf(stderr, "glane: %s:%u: %s: there is no %s in the environment of this command; a run needs it\n",
			e->file, e->line, e->key, variable);
	return EXIT_FINE;
}

static int check_reads(const struct source_conf *c)
{
	int code = EXIT_FINE;

	if (!c->enabled)
		return EXIT_FINE;
	for (size_t i = 0; i < c->n_secrets; i++)
		if (check_place(conf_find(c->section, "auth"), c->secrets[i].spec) != EXIT_FINE)
			code = EXIT_SOME;
	if (c->ca_extra && check_file(conf_find(c->section, "ca_extra"), c->ca_extra, false) != EXIT_FINE)
		code = EXIT_SOME;
	return code;
}

int check_shared(const struct settings *s)
{
	const struct conf_section *sec = s->conf.sections;
	int code = EXIT_FINE;

	while (sec && strcmp(sec->kind, "glane") != 0)
		sec = sec->next;
	if (!sec)
		return EXIT_FINE;
	if (s->ca_bundle && check_file(conf_find(sec, "ca_bundle"), s->ca_bundle, false) != EXIT_FINE)
		code = EXIT_SOME;
	if (s->proxy && check_place(conf_find(sec, "proxy"), s->proxy) != EXIT_FINE)
		code = EXIT_SOME;
	return code;
}

int check_source(const struct source_conf *c)
{
	struct diag d;
	int code = check_base_url(c);

	diag_clear(&d);
	if (check_auth(c) != EXIT_FINE || check_reads(c) != EXIT_FINE)
		code = EXIT_SOME;
	if (c->program.path && program_check(c->program.path, &d) != GLANE_OK)
		code = complain(EXIT_SOME, "%s: program: %s", c->name, d.text);
	for (const struct conf_entry *e = c->section->entries; e; e = e->next)
		if (check_secrets(c, e) != EXIT_FINE || check_addresses(e) != EXIT_FINE)
			code = EXIT_SOME;
	return code;
}
