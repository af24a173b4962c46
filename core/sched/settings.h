/* SPDX-License-Identifier: MIT */
/* The configuration as the program uses it: glane.conf and the files of sources.d, checked before anything is fetched. */
#ifndef SCHED_SETTINGS_H
#define SCHED_SETTINGS_H
#include "base/conf.h"
#include "net/fetch.h"
#include "plug/plugin.h"
#include "proc/launcher.h"
#include "store/diff.h"

struct source_conf {
	const char *name;
	const struct conf_section *section;
	const char *provider;      /* name, or NULL: what its section says is part of `section` */
	const char *plugin;        /* name */
	const char *plugin_path;   /* DIR/NAME.so, NULL: not found */
	const struct plugin *desc; /* after settings_describe(), else NULL */
	const char *refused;       /* why its plugin cannot be used: a failure of this source alone */
	bool wanted;               /* described and checked also where it is disabled */
	bool enabled, keep_empty;
	int64_t every, deadline; /* seconds */
	const char *base_url;    /* without trailing '/'; NULL: the plugin's */
	const char **hosts;
	size_t n_hosts;
	uint64_t max_body, memory;
	int64_t retries;
	double rate; /* requests per second */
	struct fetch_secret *secrets;
	size_t n_secrets;
	struct glane_kv *header; /* of every request, {auth:NAME} for secrets */
	size_t n_header;
	const char *ca_extra;
	const char *words;     /* what `words` says, as words_load() gives it; NULL: nothing */
	struct launch program; /* path NULL: none */
	bool html;             /* the program takes HTML pages */
	uint8_t keep_payloads; /* KEEP_* of proc/broker.h */
	struct gate_limits gate;
	const char *licence, *attribution, *owner;
	const char *reason; /* why it is not enabled; may be NULL */
	const char **tags;
	size_t n_tags;
};
struct settings {
	struct conf conf;
	struct arena arena;
	char file[4096], dir[4096]; /* glane.conf and its folder */
	const char *store, *tables; /* absolute or relative to the working folder */
	const char **plugin_path;
	size_t n_plugin_path;
	int64_t jobs, per_host, stall_seconds, run_deadline;
	const char *contact, *proxy, *ca_bundle;
	uint8_t keep_payloads;       /* of sources that do not say */
	struct source_conf *sources; /* by name, bytewise */
	size_t n_sources;
};
/* path NULL: ./conf/glane.conf, then /etc/glane/glane.conf. Errors name file and line. */
glane_rc settings_load(struct settings *s, const char *path, struct diag *d);
void settings_release(struct settings *s);
struct source_conf *settings_find(const struct settings *s, const char *name);
/* Fails: no folder of plugin_path has that plugin. */
glane_rc settings_no_plugin(const struct settings *s, const char *name, struct diag *d);
/* A plugin's file on the plugin path, or NULL. */
const char *settings_plugin(struct settings *s, const char *name);
/* What a section says, by the keys that the host owns. */
glane_rc settings_source(struct settings *s, struct conf_section *sec, struct source_conf *c, struct diag *d);
/* Parts of it: auth = NAME=env:VAR NAME=file:PATH, headers = NAME=VALUE ... */
glane_rc settings_auth(struct settings *s, struct source_conf *c, struct diag *d);
glane_rc settings_headers(struct settings *s, struct source_conf *c, struct diag *d);
/* Where a secret is: "file:PATH" is relative to the file it stands in, like every other path. Other texts stay. */
glane_rc settings_secret(
	struct settings *s, const struct conf_entry *e, const char *text, const char **ret, struct diag *d);
/* The items of a key's value. */
glane_rc settings_list(struct settings *s, const struct conf_section *sec, const char *key, const char ***ret,
	size_t *ret_n, struct diag *d);
/* The [provider NAME] sections alone; and the keys of its provider that a source does not have itself, put behind its own. */
glane_rc providers_check(const struct conf *c, struct diag *d);
glane_rc provider_apply(struct conf *c, struct conf_section *source, struct diag *d);
/* Describes every distinct plugin of the enabled and wanted sources (each in a process of its own) and checks their options against
 * it. A plugin that is refused, crashes or hangs is noted in `refused`; a missing one or a bad option is an error. */
glane_rc settings_describe(struct settings *s, struct diag *d);
/* The same of every section whose plugin is installed: of disabled sources, and of providers that no source names (in which keys may be
 * left to their sources). */
glane_rc settings_describe_all(struct settings *s, struct diag *d);
/* One plugin, described in a process of its own: a crash there is an error here. */
glane_rc plugin_ask(struct arena *a, const char *path, const char *name, struct plugin *ret, struct diag *d);
/* SHA-256 over what decides the meaning of a source's payloads: effective options, base_url, empty. */
glane_rc source_options_digest(const struct source_conf *c, char hex[65], struct diag *d);
/* SHA-256 over its gate's limits. */
glane_rc source_gate_digest(const struct source_conf *c, char hex[65], struct diag *d);
#endif
