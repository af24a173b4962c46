/* SPDX-License-Identifier: MIT */
/* Reading glane.conf and sources.d, and the keys that the host owns for every source. */
#include "sched/settings.h"

#include "base/clock.h"
#include "base/file.h"
#include "model/words.h"
#include "proc/broker.h"
#include "proc/sandbox.h"
#include "proc/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_SOURCES 10000
#define MAX_FILES 4096

static glane_rc at_entry(struct diag *d, const struct conf_entry *e, const char *what)
{
	diag_clear(d);
	return fail(d, GLANE_E_CONFIG, "%s:%u: %s = %.80s: %s", e->file, e->line, e->key, e->value, what);
}

static const char *value_of(const struct conf_section *s, const char *key)
{
	struct conf_entry *e = conf_find(s, key);

	if (!e)
		return NULL;
	e->used = true;
	return e->value;
}

/* A path of the configuration, relative to the file it stands in. */
static glane_rc path_of(struct settings *s, const struct conf_section *sec, const char *key, const char *dflt,
	const char **ret, struct diag *d)
{
	const struct conf_entry *e = conf_find(sec, key);
	const char *text = value_of(sec, key);
	char dir[4096], path[4096];

	if (!text)
		text = dflt;
	*ret = NULL;
	if (!text)
		return GLANE_OK;
	path_dir(e ? e->file : sec->file, dir, sizeof(dir));
	if (!path_join(dir, text, path, sizeof(path)))
		return fail(d, GLANE_E_CONFIG, "%s:%u: the path of '%s' is too long", sec->file, sec->line, key);
	*ret = arena_strndup(&s->arena, path, strlen(path));
	return *ret ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for the configuration");
}

glane_rc settings_list(struct settings *s, const struct conf_section *sec, const char *key, const char ***ret,
	size_t *ret_n, struct diag *d)
{
	const struct conf_entry *e = conf_find(sec, key);
	const char *text = value_of(sec, key);
	glane_rc rc;

	*ret = NULL;
	*ret_n = 0;
	if (!text)
		return GLANE_OK;
	rc = conf_items(&s->arena, text, ret, ret_n, d);
	return rc == GLANE_OK ? rc : diag_prefix(d, "%s:%u", e->file, e->line);
}

static glane_rc int_of(const struct conf_section *sec, const char *key, int64_t dflt, int64_t min, int64_t max,
	int64_t *ret, struct diag *d)
{
	const struct conf_entry *e = conf_find(sec, key);
	const char *text = value_of(sec, key);

	*ret = dflt;
	if (!text || slice_int(slice_of(text), min, max, ret))
		return GLANE_OK;
	return fail(d, GLANE_E_CONFIG, "%s:%u: %s = %s: not a whole number from %lld to %lld", e->file, e->line, key,
		text, (long long)min, (long long)max);
}

static glane_rc size_of(const struct conf_section *sec, const char *key, uint64_t dflt, uint64_t *ret, struct diag *d)
{
	const struct conf_entry *e = conf_find(sec, key);
	const char *text = value_of(sec, key);
	int64_t v;

	*ret = dflt;
	if (!text)
		return GLANE_OK;
	if (!size_parse(slice_of(text), &v) || v <= 0)
		return at_entry(d, e, "not a size (512k, 64M, 2G)");
	*ret = (uint64_t)v;
	return GLANE_OK;
}

static glane_rc time_of(
	const struct conf_section *sec, const char *key, bool weeks, int64_t dflt, int64_t *ret, struct diag *d)
{
	const struct conf_entry *e = conf_find(sec, key);
	const char *text = value_of(sec, key);

	*ret = dflt;
	if (!text || (duration_parse(slice_of(text), weeks, ret) && *ret > 0))
		return GLANE_OK;
	return at_entry(d, e, weeks ? "not an interval (12h, 1d, 2w, 1m)" : "not a duration (90s, 15m, 6h, 2d)");
}

static glane_rc flag_of(const struct conf_section *sec, const char *key, bool dflt, bool *ret, struct diag *d)
{
	const struct conf_entry *e = conf_find(sec, key);
	const char *text = value_of(sec, key);

	*ret = dflt;
	if (!text)
		return GLANE_OK;
	*ret = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
	if (*ret || strcmp(text, "no") == 0 || strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
		return GLANE_OK;
	return at_entry(d, e, "neither yes nor no");
}

/* "5/s", "60/m", "60/h" -> requests per second. */
static glane_rc rate_of(const struct conf_section *sec, double *ret, struct diag *d)
{
	const struct conf_entry *e = conf_find(sec, "rate");
	const char *text = value_of(sec, "rate");
	struct slice rest, n;
	int64_t v;

	*ret = 0;
	if (!text)
		return GLANE_OK;
	rest = slice_of(text);
	n = slice_cut(&rest, '/');
	if (!slice_int(n, 1, 1000000, &v) || rest.n != 1 || !strchr("smh", rest.p[0]))
		return at_entry(d, e, "not a rate (5/s, 60/m, 60/h)");
	*ret = (double)v / (rest.p[0] == 's' ? 1.0 : rest.p[0] == 'm' ? 60.0 : 3600.0);
	return GLANE_OK;
}

/* keep_payloads = events | all | none */
static glane_rc keep_of(const struct conf_section *sec, uint8_t dflt, uint8_t *ret, struct diag *d)
{
	static const char *const words[] = {[KEEP_EVENTS] = "events", [KEEP_ALL] = "all", [KEEP_NONE] = "none"};
	const char *text = value_of(sec, "keep_payloads");

	*ret = dflt;
	if (!text)
		return GLANE_OK;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret = (uint8_t)i;
			return GLANE_OK;
		}
	}
	return at_entry(d, conf_find(sec, "keep_payloads"),
		"not events (of refreshes that brought some), all (also of those that brought none, or failed) or "
		"none");
}

static glane_rc gate_of(struct source_conf *c, const struct gate_key *k, struct diag *d)
{
	const char *text = value_of(c->section, k->name);
	char what[80];

	if (!text || gate_set(&c->gate, k, text))
		return GLANE_OK;
	snprintf(what, sizeof(what), "not a number from %.0f to %.0f", k->min, k->max);
	return at_entry(d, conf_find(c->section, k->name), what);
}

static glane_rc gates_of(struct source_conf *c, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	gate_defaults(&c->gate);
	for (const struct gate_key *k = gate_keys; rc == GLANE_OK && k->name; k++)
		rc = gate_of(c, k, d);
	for (const struct conf_entry *e = c->section->entries; rc == GLANE_OK && e; e = e->next)
		if (slice_has_prefix(slice_of(e->key), "gate.") && !e->used)
			rc = fail(d, GLANE_E_CONFIG, "%s:%u: no gate is called '%s'; `glane sources --help` lists them",
				e->file, e->line, e->key);
	return rc;
}

static glane_rc limits_of(struct source_conf *c, struct diag *d)
{
	glane_rc rc = time_of(c->section, "every", true, 86400, &c->every, d);

	if (rc == GLANE_OK)
		rc = time_of(c->section, "deadline", false, INT64_C(6) * 3600, &c->deadline, d);
	if (rc == GLANE_OK)
		rc = size_of(c->section, "max_body", FETCH_BODY_MAX, &c->max_body, d);
	if (rc == GLANE_OK)
		rc = size_of(c->section, "memory", JOB_MEMORY, &c->memory, d);
	if (rc == GLANE_OK)
		rc = int_of(c->section, "retries", 3, 0, 20, &c->retries, d);
	if (rc == GLANE_OK)
		rc = rate_of(c->section, &c->rate, d);
	return rc;
}

static glane_rc base_url_of(struct settings *s, struct source_conf *c, struct diag *d)
{
	const char *text = value_of(c->section, "base_url");
	size_t n = text ? strlen(text) : 0;

	if (!text)
		return GLANE_OK;
	while (n > 0 && text[n - 1] == '/')
		n--;
	c->base_url = arena_strndup(&s->arena, text, n);
	if (!c->base_url)
		return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
	if (!slice_has_prefix(slice_of(c->base_url), "http://") && !slice_has_prefix(slice_of(c->base_url), "https://"))
		return at_entry(d, conf_find(c->section, "base_url"), "not an http or https address");
	if (strpbrk(c->base_url, " \t"))
		return at_entry(d, conf_find(c->section, "base_url"), "a blank in an address is written %20");
	return GLANE_OK;
}

/* An entry with a port says its scheme too; a machine's own HOST:PORT speaks http. */
static glane_rc hosts_of(struct settings *s, struct source_conf *c, struct diag *d)
{
	glane_rc rc = settings_list(s, c->section, "hosts", &c->hosts, &c->n_hosts, d);

	for (size_t i = 0; i < c->n_hosts && rc == GLANE_OK; i++) {
		const struct slice host = slice_of(c->hosts[i]);

		if (strstr(host.p, "://") || !strchr(host.p, ':'))
			continue;
		if (!slice_has_prefix(host, "127.") && !slice_has_prefix(host, "localhost:") &&
			!slice_has_prefix(host, "[::1]:"))
			return at_entry(d, conf_find(c->section, "hosts"),
				"a host with a port is written with its scheme, as https://HOST:PORT");
		c->hosts[i] = arena_fmt(&s->arena, "http://%s", host.p);
		if (!c->hosts[i])
			return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
	}
	return rc;
}

/* program_reads = PATH...: relative to the file it stands in. */
static glane_rc reads_of(struct settings *s, struct source_conf *c, const struct conf_entry *e, struct diag *d)
{
	char dir[4096], path[4096], full[4096];
	const char **paths = NULL;
	glane_rc rc = settings_list(s, c->section, "program_reads", &paths, &c->program.n_reads, d);

	if (rc == GLANE_OK && c->program.n_reads > SANDBOX_READS)
		return at_entry(d, e, "more than 64 paths");
	for (size_t i = 0; rc == GLANE_OK && i < c->program.n_reads; i++) {
		path_dir(e->file, dir, sizeof(dir));
		if (!path_join(dir, paths[i], path, sizeof(path)) || !path_absolute(path, full, sizeof(full)))
			return at_entry(d, e, "a path of it is too long");
		paths[i] = arena_strndup(&s->arena, full, strlen(full));
		if (!paths[i])
			return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
	}
	c->program.reads = paths;
	return rc;
}

/* program = PATH, arguments = WORD "WORD WITH BLANKS" ...; PATH is relative to the file it stands in. */
static glane_rc program_of(struct settings *s, struct source_conf *c, struct diag *d)
{
	const struct conf_entry *args = conf_find(c->section, "arguments");
	const struct conf_entry *reads = conf_find(c->section, "program_reads");
	struct launch *l = &c->program;
	const char **words = NULL;
	char full[4096];
	glane_rc rc = path_of(s, c->section, "program", NULL, &l->path, d);

	if (rc == GLANE_OK)
		rc = settings_list(s, c->section, "arguments", &words, &l->n_args, d);
	l->args = words;
	if (rc == GLANE_OK)
		rc = reads_of(s, c, reads, d);
	if (rc == GLANE_OK)
		rc = flag_of(c->section, "html", false, &c->html, d);
	if (rc == GLANE_OK && c->html && !l->path)
		return at_entry(d, conf_find(c->section, "html"), "there is no program that a page could go to");
	if (rc != GLANE_OK || (!l->path && !args && !reads))
		return rc;
	if (!l->path)
		return at_entry(d, args ? args : reads, "there is no program that they could go to");
	if (args && l->n_args > LAUNCH_ARGS)
		return at_entry(d, args, "more than 64 words");
	if (!path_absolute(l->path, full, sizeof(full)))
		return fail(d, GLANE_E_CONFIG, "%s:%u: the path of 'program' is too long", c->section->file,
			c->section->line);
	l->path = arena_strndup(&s->arena, full, strlen(full));
	return l->path ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for the configuration");
}

glane_rc settings_source(struct settings *s, struct conf_section *sec, struct source_conf *c, struct diag *d)
{
	const char *empty, *words;
	glane_rc rc;

	memset(c, 0, sizeof(*c));
	c->section = sec;
	c->name = sec->name;
	if (!sec->name || !conf_is_name(slice_of(sec->name)))
		return fail(d, GLANE_E_CONFIG,
			"%s:%u: [source NAME]: a name is [a-z0-9][a-z0-9._-]*, at most 63 characters", sec->file,
			sec->line);
	rc = provider_apply(&s->conf, sec, d);
	if (rc != GLANE_OK)
		return rc;
	c->provider = value_of(sec, "provider");
	c->plugin = value_of(sec, "plugin");
	if (!c->plugin || !conf_is_name(slice_of(c->plugin)))
		return fail(
			d, GLANE_E_CONFIG, "%s:%u: [source %s] needs 'plugin = NAME'", sec->file, sec->line, sec->name);
	c->plugin_path = settings_plugin(s, c->plugin);
	rc = flag_of(sec, "enabled", true, &c->enabled, d);
	if (rc == GLANE_OK)
		rc = limits_of(c, d);
	if (rc == GLANE_OK)
		rc = base_url_of(s, c, d);
	if (rc == GLANE_OK)
		rc = hosts_of(s, c, d);
	if (rc == GLANE_OK)
		rc = settings_list(s, sec, "tags", &c->tags, &c->n_tags, d);
	if (rc == GLANE_OK)
		rc = settings_auth(s, c, d);
	if (rc == GLANE_OK)
		rc = settings_headers(s, c, d);
	if (rc == GLANE_OK)
		rc = path_of(s, sec, "ca_extra", NULL, &c->ca_extra, d);
	if (rc == GLANE_OK)
		rc = program_of(s, c, d);
	if (rc == GLANE_OK)
		rc = keep_of(sec, s->keep_payloads, &c->keep_payloads, d);
	if (rc == GLANE_OK)
		rc = gates_of(c, d);
	if (rc != GLANE_OK)
		return rc;
	words = value_of(sec, "words");
	if (words && words_load(&s->arena, s->tables, words, &c->words, d) != GLANE_OK)
		return diag_prefix(d, "%s:%u", conf_find(sec, "words")->file, conf_find(sec, "words")->line);
	empty = value_of(sec, "empty");
	c->keep_empty = empty && strcmp(empty, "keep") == 0;
	if (empty && !c->keep_empty && strcmp(empty, "skip") != 0)
		return at_entry(d, conf_find(sec, "empty"), "neither keep nor skip");
	c->licence = value_of(sec, "licence");
	c->attribution = value_of(sec, "attribution");
	c->owner = value_of(sec, "owner");
	c->reason = value_of(sec, "reason");
	return GLANE_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct source_conf *)a)->name, ((const struct source_conf *)b)->name);
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static glane_rc read_sources(struct settings *s, struct diag *d)
{
	size_t n = 0;
	glane_rc rc = providers_check(&s->conf, d);

	for (const struct conf_section *sec = s->conf.sections; sec; sec = sec->next)
		n += strcmp(sec->kind, "source") == 0;
	if (n > MAX_SOURCES)
		return fail(d, GLANE_E_LIMIT, "more than %d sources are configured", MAX_SOURCES);
	s->sources = arena_alloc(&s->arena, (n + 1) * sizeof(*s->sources));
	if (!s->sources)
		return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
	for (struct conf_section *sec = s->conf.sections; sec && rc == GLANE_OK; sec = sec->next) {
		if (strcmp(sec->kind, "source") == 0)
			rc = settings_source(s, sec, &s->sources[s->n_sources++], d);
		else if (strcmp(sec->kind, "glane") != 0 && strcmp(sec->kind, "provider") != 0)
			rc = fail(d, GLANE_E_CONFIG,
				"%s:%u: no section is called [%s] ([glane], [provider NAME] and [source NAME] are)",
				sec->file, sec->line, sec->kind);
	}
	if (rc == GLANE_OK)
		qsort(s->sources, s->n_sources, sizeof(*s->sources), by_name);
	return rc;
}

struct conf_files {
	struct settings *settings;
	const char *dir;
	const char *names[MAX_FILES];
	size_t n;
	struct diag *d;
};

static glane_rc add_file(void *arg, int dir, const char *name)
{
	struct conf_files *f = arg;

	(void)dir;
	if (name[0] == '.' || !slice_glob(slice_of(name), "*.conf"))
		return GLANE_OK;
	if (f->n == MAX_FILES)
		return fail(f->d, GLANE_E_LIMIT, "%s: more than %d files", f->dir, MAX_FILES);
	f->names[f->n] = arena_fmt(&f->settings->arena, "%s/%s", f->dir, name);
	return f->names[f->n++] ? GLANE_OK : fail(f->d, GLANE_E_NOMEM, "no memory for the configuration");
}

/* The *.conf files of a folder, by name; no such folder: none, where no entry (NULL: the default) names it. */
static glane_rc read_folder(struct settings *s, const char *dir, const struct conf_entry *named, struct diag *d)
{
	struct conf_files f = {.settings = s, .dir = dir, .d = d};
	glane_rc rc;

	if (named && access(dir, R_OK | X_OK) != 0)
		return fail(d, GLANE_E_CONFIG, "%s:%u: %s = %s: %s", named->file, named->line, named->key, named->value,
			strerror(errno));
	rc = folder_each(AT_FDCWD, dir, add_file, &f, d);
	if (rc == GLANE_E_IO)
		rc = d->code = GLANE_E_CONFIG;
	if (rc == GLANE_OK)
		qsort(f.names, f.n, sizeof(f.names[0]), by_text);
	for (size_t i = 0; i < f.n && rc == GLANE_OK; i++)
		rc = conf_read(&s->conf, f.names[i], d);
	return rc;
}

/* Without plugin_path: lib/glane beside the bin/ of this program, as `make install` puts them, and plugins/ beside the program, as
 * `make` does. */
static glane_rc own_folders(struct settings *s, struct diag *d)
{
	static const char *const beside[] = {"../lib/glane", "plugins"};
	char exe[4096], dir[4096];
	const ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	s->plugin_path = arena_alloc(&s->arena, 2 * sizeof(*s->plugin_path));
	if (!s->plugin_path)
		return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
	if (n <= 0)
		return GLANE_OK;
	exe[n] = '\0';
	path_dir(exe, dir, sizeof(dir));
	for (; s->n_plugin_path < 2; s->n_plugin_path++) {
		s->plugin_path[s->n_plugin_path] = arena_fmt(&s->arena, "%s/%s", dir, beside[s->n_plugin_path]);
		if (!s->plugin_path[s->n_plugin_path])
			return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
	}
	return GLANE_OK;
}

static glane_rc plugin_folders(struct settings *s, const struct conf_section *sec, struct diag *d)
{
	char dir[4096], path[4096];
	glane_rc rc = settings_list(s, sec, "plugin_path", &s->plugin_path, &s->n_plugin_path, d);

	if (rc == GLANE_OK && !conf_find(sec, "plugin_path"))
		return own_folders(s, d);
	path_dir(sec->file, dir, sizeof(dir));
	for (size_t i = 0; i < s->n_plugin_path && rc == GLANE_OK; i++) {
		if (!path_join(dir, s->plugin_path[i], path, sizeof(path)))
			return fail(d, GLANE_E_CONFIG, "%s:%u: a plugin_path is too long", sec->file, sec->line);
		s->plugin_path[i] = arena_strndup(&s->arena, path, strlen(path));
		if (!s->plugin_path[i])
			return fail(d, GLANE_E_NOMEM, "no memory for the configuration");
	}
	return rc;
}

/* sandbox = require | seccomp, landlock = VERSION */
static glane_rc sandbox_of(const struct conf_section *sec, struct diag *d)
{
	const char *text = value_of(sec, "sandbox");
	const bool require = !text || strcmp(text, "require") == 0;
	int64_t most;
	glane_rc rc = int_of(sec, "landlock", UINT32_MAX, 0, UINT32_MAX, &most, d);

	if (!require && strcmp(text, "seccomp") != 0)
		return at_entry(d, conf_find(sec, "sandbox"),
			"neither require (the default: Landlock and seccomp) nor seccomp (without Landlock, where "
			"the kernel has none)");
	if (rc == GLANE_OK)
		sandbox_choose(require, require ? (unsigned)most : 0);
	return rc;
}

static glane_rc read_glane(struct settings *s, const struct conf_section *sec, struct diag *d)
{
	const char *sources, *providers;
	glane_rc rc = path_of(s, sec, "store", "store", &s->store, d);

	if (rc == GLANE_OK)
		rc = path_of(s, sec, "tables", ".", &s->tables, d);
	if (rc == GLANE_OK)
		rc = path_of(s, sec, "sources", "sources.d", &sources, d);
	if (rc == GLANE_OK)
		rc = path_of(s, sec, "providers", "providers", &providers, d);
	if (rc == GLANE_OK)
		rc = path_of(s, sec, "ca_bundle", NULL, &s->ca_bundle, d);
	if (rc == GLANE_OK)
		rc = plugin_folders(s, sec, d);
	if (rc == GLANE_OK)
		rc = int_of(sec, "jobs", 4, 1, 64, &s->jobs, d);
	if (rc == GLANE_OK)
		rc = int_of(sec, "per_host", 4, 1, 64, &s->per_host, d);
	if (rc == GLANE_OK)
		rc = time_of(sec, "stall", false, 60, &s->stall_seconds, d);
	if (rc == GLANE_OK)
		rc = time_of(sec, "run_deadline", false, INT64_C(20) * 3600, &s->run_deadline, d);
	if (rc == GLANE_OK)
		rc = keep_of(sec, KEEP_EVENTS, &s->keep_payloads, d);
	if (rc == GLANE_OK)
		rc = sandbox_of(sec, d);
	s->contact = value_of(sec, "contact");
	s->proxy = value_of(sec, "proxy");
	if (rc == GLANE_OK && s->proxy)
		rc = settings_secret(s, conf_find(sec, "proxy"), s->proxy, &s->proxy, d);
	if (rc == GLANE_OK && s->proxy && fetch_proxy_check(s->proxy, d) != GLANE_OK)
		rc = diag_prefix(d, "%s:%u", conf_find(sec, "proxy")->file, conf_find(sec, "proxy")->line);
	for (const struct conf_entry *e = sec->entries; e && rc == GLANE_OK; e = e->next)
		if (!e->used)
			rc = fail(d, GLANE_E_CONFIG,
				"%s:%u: [glane] has no key '%s' (store tables sources providers plugin_path jobs "
				"per_host stall run_deadline contact proxy ca_bundle keep_payloads sandbox landlock)",
				e->file, e->line, e->key);
	if (rc == GLANE_OK)
		rc = read_folder(s, providers, conf_find(sec, "providers"), d);
	return rc == GLANE_OK ? read_folder(s, sources, conf_find(sec, "sources"), d) : rc;
}

static const struct conf_section *glane_section(const struct settings *s)
{
	for (const struct conf_section *sec = s->conf.sections; sec; sec = sec->next)
		if (strcmp(sec->kind, "glane") == 0)
			return sec;
	return NULL;
}

glane_rc settings_load(struct settings *s, const char *path, struct diag *d)
{
	const struct conf_section *sec;
	glane_rc rc;

	memset(s, 0, sizeof(*s));
	conf_init(&s->conf);
	arena_init(&s->arena, 0);
	if (!path)
		path = access("conf/glane.conf", R_OK) == 0 ? "conf/glane.conf" : "/etc/glane/glane.conf";
	if (!path_join(".", path, s->file, sizeof(s->file)))
		return fail(d, GLANE_E_CONFIG, "the path of the configuration is too long");
	path_dir(s->file, s->dir, sizeof(s->dir));
	rc = conf_read(&s->conf, path, d);
	if (rc != GLANE_OK)
		return rc == GLANE_E_NOMEM ? rc : (d->code = GLANE_E_CONFIG);
	sec = glane_section(s);
	if (!sec)
		return fail(d, GLANE_E_CONFIG, "%s: there is no [glane] section", path);
	rc = read_glane(s, sec, d);
	return rc == GLANE_OK ? read_sources(s, d) : rc;
}

void settings_release(struct settings *s)
{
	conf_release(&s->conf);
	arena_release(&s->arena);
}

struct source_conf *settings_find(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->n_sources; i++)
		if (strcmp(s->sources[i].name, name) == 0)
			return &s->sources[i];
	return NULL;
}

const char *settings_plugin(struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->n_plugin_path; i++) {
		const char *path = arena_fmt(&s->arena, "%s/%s.so", s->plugin_path[i], name);

		if (path && access(path, F_OK) == 0)
			return path;
	}
	return NULL;
}
