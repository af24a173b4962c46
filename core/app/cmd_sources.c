/* SPDX-License-Identifier: MIT */
/* glane sources, glane plugins */
#include "app/app.h"
#include "app/breaks.h"
#include "app/coverage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char sources_help[] =
	"glane sources [--json]\n\nWhat is configured: name, plugin, interval, address, tags. Then how much of "
	"catalogue.csv, by policy "
	"area (STR strategy,\nICT infrastructure, LOG logistics, LEG law, PAY payment, SKL skills, FIN finance, OUT "
	"outcomes, CTX "
	"context): indicators,\nthose whose source is enabled, disabled or missing, those with observations in the "
	"store, their newest "
	"period; and why a\nsource is not enabled (`reason` of its section).\n\n"
	"Between diff and commit a section's gate (its default in brackets; percent of the last commit's rows of the "
	"same slice, where "
	"it says nothing else):\n";
static const char plugins_help[] = "glane plugins [NAME]\n\nWhat is installed in the folders of plugin_path; with NAME "
				   "its options, types, defaults and help, and the keys that every source has.\n";

static void every_text(int64_t seconds, char *buf, size_t n)
{
	if (seconds % 86400 == 0)
		snprintf(buf, n, "%lldd", (long long)(seconds / 86400));
	else if (seconds % 3600 == 0)
		snprintf(buf, n, "%lldh", (long long)(seconds / 3600));
	else
		snprintf(buf, n, "%llds", (long long)seconds);
}

static json_t *source_json(const struct source_conf *c)
{
	json_t *j = json_object(), *tags = json_array();

	json_set_text(j, "source", c->name);
	json_set_text(j, "provider", c->provider);
	json_set_text(j, "plugin", c->plugin);
	json_set_text(j, "base_url", c->base_url);
	json_set_text(j, "licence", c->licence);
	json_set_text(j, "attribution", c->attribution);
	for (size_t i = 0; i < c->n_tags; i++)
		json_array_append_new(tags, json_string(c->tags[i]));
	json_object_set_new(j, "tags", tags);
	json_set_text(j, "owner", c->owner);
	json_set_int(j, "every_seconds", c->every);
	json_object_set_new(j, "enabled", json_boolean(c->enabled));
	json_set_text(j, "reason", c->reason);
	return j;
}

static void print_json(json_t *j)
{
	struct strbuf b;

	strbuf_init(&b, 0);
	if (j && json_print(&b, j, false))
		printf("%.*s\n", (int)b.n, b.p);
	strbuf_release(&b);
	json_decref(j);
}

static void print_gates(void)
{
	for (const struct gate_key *k = gate_keys; k->name; k++)
		printf("  %s (%s)\n      %s\n", k->name, k->dflt, k->help);
}

int cmd_sources(const struct app *a, int argc, char **argv)
{
	bool json = false, done;
	const struct arg args[] = {{"json", 0, false, take_flag, &json}};
	json_t *list = NULL, *all = NULL;
	struct settings s;
	int code;

	if (!args_parse(argc, argv, args, 1, NULL, sources_help, &done))
		return EXIT_USAGE;
	if (done) {
		print_gates();
		return flush_out();
	}
	code = app_settings(a, &s);
	if (json) {
		list = json_array();
		all = json_object();
		json_object_set_new(all, "sources", list);
	}
	for (size_t i = 0; code == EXIT_FINE && i < s.n_sources; i++) {
		const struct source_conf *c = &s.sources[i];
		char every[32];

		if (json) {
			json_array_append_new(list, source_json(c));
			continue;
		}
		every_text(c->every, every, sizeof(every));
		printf("%-24s %-12s %-9s every %-6s %s", c->name, c->plugin, c->enabled ? "enabled" : "disabled", every,
			c->base_url ? c->base_url : "");
		for (size_t k = 0; k < c->n_tags; k++)
			printf("%s%s", k ? " " : "  tags: ", c->tags[k]);
		putchar('\n');
	}
	if (code == EXIT_FINE)
		code = coverage_show(&s, all);
	if (code == EXIT_FINE)
		code = breaks_warn(&s);
	if (json && code == EXIT_FINE)
		print_json(all);
	else
		json_decref(all);
	settings_release(&s);
	return code == EXIT_FINE ? flush_out() : code;
}

static void print_option(const struct option_spec *o)
{
	print_visible("  %-16s %-14s %s%s", o->name, option_type_name(o->type), o->help ? o->help : "",
		o->flags & GLANE_OPT_REQUIRED ? " (required)" : "");
	if (o->dflt && *o->dflt)
		print_visible("  %-16s %-14s default: %s", "", "", o->dflt);
}

static int show_plugin(struct settings *s, const char *name)
{
	const char *path = settings_plugin(s, name);
	struct plugin p;
	struct diag d;

	diag_clear(&d);
	if (!path)
		return app_no_plugin(s, name);
	if (plugin_ask(&s->arena, path, name, &p, &d) != GLANE_OK)
		return complain(EXIT_SOME, "%s", d.text);
	print_visible(
		"%s %s - %s", p.desc.name, p.desc.version ? p.desc.version : "", p.desc.title ? p.desc.title : "");
	printf("file      %s (ABI 1.%u)\n", path, p.desc.abi_minor);
	if (p.desc.base_url)
		print_visible("base_url  %s", p.desc.base_url);
	for (size_t i = 0; i < p.n_hosts; i++)
		print_visible("host      %s", p.hosts[i]);
	for (size_t i = 0; i < p.n_options; i++)
		print_option(&p.options[i]);
	printf("every source also has the keys (conf/README.md):\n ");
	for (size_t i = 0; conf_host_key(i); i++)
		printf(" %s", conf_host_key(i));
	puts(" gate.* (glane sources --help)");
	return EXIT_FINE;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the *.so of a folder, sorted; none where it cannot be read. */
static const char **names_of(struct settings *s, const char *dir, size_t *ret_n)
{
	const char **v = NULL, **list;
	size_t n = 0, cap = 0;
	struct dirent *e;
	DIR *handle = opendir(dir);

	while (handle && (e = readdir(handle))) {
		const size_t len = strlen(e->d_name);

		if (len < 4 || strcmp(e->d_name + len - 3, ".so") != 0)
			continue;
		if (!mem_grow(&v, &cap, n + 1, sizeof(*v)))
			break;
		v[n] = arena_strndup(&s->arena, e->d_name, len - 3);
		n += v[n] != NULL;
	}
	if (handle)
		closedir(handle);
	list = arena_alloc(&s->arena, (n + 1) * sizeof(*list));
	*ret_n = list ? n : 0;
	if (list && n) {
		memcpy(list, v, n * sizeof(*list));
		qsort(list, n, sizeof(*list), by_text);
	}
	mem_free(v);
	return list;
}

/* An earlier folder has one of that name. */
static bool is_hidden(struct settings *s, const char *name, const char *path)
{
	const char *used = settings_plugin(s, name);

	return used && strcmp(used, path) != 0;
}

static int list_folder(struct settings *s, const char *dir, size_t *ret_seen)
{
	int code = EXIT_FINE;
	size_t n;
	const char **names = names_of(s, dir, &n);

	*ret_seen += n;
	for (size_t i = 0; i < n; i++) {
		const char *path = arena_fmt(&s->arena, "%s/%s.so", dir, names[i]);
		struct plugin p;
		struct diag d;

		diag_clear(&d);
		if (!path || plugin_ask(&s->arena, path, names[i], &p, &d) != GLANE_OK)
			code = complain(EXIT_SOME, "%s", d.text);
		else
			print_visible("%-16s %-8s %-50s %s%s", names[i], p.desc.version ? p.desc.version : "",
				p.desc.title ? p.desc.title : "", path,
				is_hidden(s, names[i], path) ? "  (hidden by the one above)" : "");
	}
	return code;
}

int cmd_plugins(const struct app *a, int argc, char **argv)
{
	struct list words = {{NULL}, 0};
	struct settings s;
	size_t seen = 0;
	bool done;
	int code;

	if (!args_parse(argc, argv, NULL, 0, &words, plugins_help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	code = app_settings(a, &s);
	for (size_t i = 0; code != EXIT_USAGE && words.n == 0 && i < s.n_plugin_path; i++) {
		const int one = list_folder(&s, s.plugin_path[i], &seen); /* one that is refused hides no other */

		code = one != EXIT_FINE ? one : code;
	}
	if (code == EXIT_FINE && words.n == 0 && seen == 0)
		code = complain(EXIT_USAGE, "%s: no folder of plugin_path holds a plugin", s.file);
	for (size_t i = 0; code == EXIT_FINE && i < words.n; i++)
		code = show_plugin(&s, words.v[i]);
	settings_release(&s);
	return code == EXIT_FINE ? flush_out() : code;
}
