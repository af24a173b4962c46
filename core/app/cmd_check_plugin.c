/* SPDX-License-Identifier: MIT */
/* glane check-plugin */
#include "app/app.h"
#include "app/conform.h"

#include "base/clock.h"
#include "base/file.h"
#include "model/areas.h"
#include "model/words.h"
#include "proc/worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_PAYLOAD ((size_t)256 << 20)

static const char help[] =
	"glane check-plugin NAME [PAYLOAD...] [--KEY=VALUE...]\n"
	"\n"
	"Puts a plugin through a conformance suite, in the worker process that a run has; TAP on standard output.\n"
	"PAYLOAD is a recorded answer (the first goes to the first request, and so on), or a folder that `glane "
	"record`\n"
	"made (its index.tsv says which request each file answers). Without one only the descriptor, the options and "
	"the\n"
	"behaviour on bad answers are tested. KEY=VALUE are the plugin's options, and:\n"
	"  --base_url=URL   what {base_url} stands for (default: the plugin's, or one that is made up)\n"
	"  --source=NAME    what that configured source says, in place of each of them\n"
	"  --words=LANG     as in a section (conf/words.csv)\n"
	"  --memory=SIZE    private memory of a run (default 256M)\n"
	"  --seconds=N      time of a run (default 20)\n"
	"Exit: 0 it conforms, 1 it does not, 2 usage.\n";

struct checking {
	struct conform c;
	struct arena *arena;
	struct settings *settings;
	struct conf_section section;
	struct conf_entry entries[128];
	size_t n_entries;
	struct trial_page pages[TRIAL_REQUESTS];
	size_t n_pages;
};

static glane_rc read_payload(struct checking *k, const char *path, struct slice *ret, struct diag *d)
{
	struct strbuf b;
	glane_rc rc;

	strbuf_init(&b, MAX_PAYLOAD);
	rc = file_read(AT_FDCWD, path, MAX_PAYLOAD, &b, d);
	if (rc == GLANE_OK && !arena_dup(k->arena, strbuf_get(&b), ret))
		rc = fail(d, GLANE_E_NOMEM, "%s: no memory for it", path);
	strbuf_release(&b);
	return rc;
}

static glane_rc add_page(struct checking *k, const struct trial_page *page, const char *path, struct diag *d)
{
	struct trial_page *p = &k->pages[k->n_pages];

	if (k->n_pages == TRIAL_REQUESTS)
		return fail(d, GLANE_E_LIMIT, "%s: more than %d payloads", path, TRIAL_REQUESTS);
	*p = *page;
	k->n_pages++;
	return read_payload(k, path, &p->body, d);
}

/* The next cell; `none` where it is -, NULL where there is no such column. */
static const char *cell(struct checking *k, struct slice *line, const char *none)
{
	const struct slice s = slice_cut(line, '\t');

	return slice_is(s, "-") ? none : s.n ? arena_strndup(k->arena, s.p, s.n) : NULL;
}

/* index.tsv: URL, file, content type, method, SHA-256 of the request's body; what follows is passed over. */
static glane_rc add_folder(struct checking *k, const char *folder, struct diag *d)
{
	struct slice text, line;
	glane_rc rc = read_payload(k, arena_fmt(k->arena, "%s/index.tsv", folder), &text, d);

	if (rc == GLANE_OK && !slice_trim(text).n)
		return fail(d, GLANE_E_FORMAT, "%s/index.tsv: it names no answer", folder);
	while (rc == GLANE_OK && text.n) {
		struct trial_page page = {0};
		const char *file;

		line = slice_cut(&text, '\n');
		page.url = cell(k, &line, NULL);
		file = cell(k, &line, NULL);
		page.type = cell(k, &line, NULL);
		page.method = cell(k, &line, NULL);
		page.body_sha256 = cell(k, &line, "");
		if (!page.url || !file)
			return fail(d, GLANE_E_FORMAT,
				"%s/index.tsv: a line is not URL, file and content type between tabs", folder);
		if (strchr(file, '/'))
			return fail(d, GLANE_E_FORMAT,
				"%s/index.tsv: '%s' is no file of the folder: put the answer there, and its name alone",
				folder, file);
		rc = add_page(k, &page, arena_fmt(k->arena, "%s/%s", folder, file), d);
	}
	return rc;
}

static glane_rc add_entry(struct checking *k, const char *key, const char *value, struct diag *d)
{
	struct conf_entry *e = &k->entries[k->n_entries];

	if (k->n_entries == sizeof(k->entries) / sizeof(k->entries[0]))
		return fail(d, GLANE_E_LIMIT, "more than %zu options", k->n_entries);
	*e = (struct conf_entry){key, value, "command line", 0, NULL, false};
	if (k->n_entries++)
		e[-1].next = e;
	k->section.entries = k->entries;
	return GLANE_OK;
}

/* What a configured source says, as if it had been written on the command line. */
static glane_rc add_source(struct checking *k, const char *name, struct diag *d)
{
	const struct source_conf *c = settings_find(k->settings, name);
	struct trial *t = &k->c.plain;
	glane_rc rc = GLANE_OK;

	if (!c)
		return fail(d, GLANE_E_CONFIG, "--source=%s: there is no such source (glane sources lists them)", name);
	for (const struct conf_entry *e = c->section->entries; e && rc == GLANE_OK; e = e->next)
		if (!conf_is_host_key(e->key))
			rc = add_entry(k, e->key, e->value, d);
	k->section.name = c->name;
	if (c->base_url)
		t->base_url = c->base_url;
	if (c->words)
		t->words = c->words;
	t->hosts = c->hosts;
	t->n_hosts = c->n_hosts;
	t->keep_empty = c->keep_empty;
	t->program = c->program;
	t->header = c->header;
	t->n_header = c->n_header;
	t->memory = c->memory;
	t->max_body = c->max_body;
	return rc;
}

static glane_rc take_option(struct checking *k, const char *word, struct diag *d)
{
	struct slice value = slice_of(word + 2), key = slice_cut(&value, '=');
	const char *name = arena_strndup(k->arena, key.p, key.n);
	int64_t v = 0;

	if (!name || !value.p || !conf_is_key(key))
		return fail(d, GLANE_E_CONFIG, "'%s' is not --KEY=VALUE", word);
	if (strcmp(name, "source") == 0)
		return add_source(k, value.p, d);
	if (strcmp(name, "words") == 0)
		return words_load(k->arena, k->settings->tables, value.p, &k->c.plain.words, d);
	if (strcmp(name, "base_url") == 0) {
		k->c.plain.base_url = value.p;
	} else if (strcmp(name, "memory") == 0) {
		if (!size_parse(value, &v) || v < 1 << 20)
			return fail(d, GLANE_E_CONFIG, "--memory=%s: a size of 1M at least, such as 256M", value.p);
		k->c.plain.memory = (uint64_t)v;
	} else if (strcmp(name, "seconds") == 0) {
		if (!slice_int(value, 1, 86400, &v))
			return fail(d, GLANE_E_CONFIG, "--seconds=%s: a number from 1 to 86400", value.p);
		k->c.plain.seconds = (uint64_t)v;
	} else {
		return add_entry(k, name, value.p, d);
	}
	return GLANE_OK;
}

static glane_rc take_words(struct checking *k, int argc, char **argv, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	for (int i = 2; i < argc && rc == GLANE_OK; i++) {
		struct stat st;

		if (strncmp(argv[i], "--", 2) == 0)
			rc = take_option(k, argv[i], d);
		else if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			rc = add_folder(k, argv[i], d);
		else
			rc = add_page(k, &(struct trial_page){0}, argv[i], d);
	}
	k->c.plain.pages = k->pages;
	k->c.plain.n_pages = k->n_pages;
	return rc;
}

static glane_rc suite(struct checking *k, struct settings *s, const char *name, struct diag *d)
{
	struct plugin *desc = arena_alloc(k->arena, sizeof(*desc));
	struct diag why;
	glane_rc rc;

	if (!desc)
		return fail(d, GLANE_E_NOMEM, "no memory to check the plugin");
	diag_clear(&why);
	k->c.plain.plugin_path = settings_plugin(s, name);
	printf("TAP version 13\n");
	rc = plugin_ask(k->arena, k->c.plain.plugin_path, name, desc, &why);
	conform_test(&k->c, rc == GLANE_OK, why.text, "%s is loaded, and describes itself", k->c.plain.plugin_path);
	if (rc != GLANE_OK)
		return GLANE_OK;
	k->c.plain.desc = desc;
	if (!k->c.plain.base_url && !desc->desc.base_url && !(k->n_pages && k->pages[0].url))
		k->c.plain.base_url = "https://check.example"; /* a file says not where it came from */
	rc = conform_options(&k->c, d);
	return rc == GLANE_OK ? conform_runs(&k->c, d) : rc;
}

static int check_it(struct settings *s, struct checking *k, int argc, char **argv)
{
	struct areas areas;
	struct diag d;
	glane_rc rc;

	diag_clear(&d);
	if (!settings_plugin(s, argv[1]))
		return app_no_plugin(s, argv[1]);
	k->section = (struct conf_section){.kind = "source", .name = "check", .file = "command line"};
	k->arena = k->c.arena = &s->arena;
	k->settings = s;
	k->c.plain = (struct trial){.section = &k->section,
		.areas = &areas,
		.arena = k->arena,
		.tmp = -1,
		.memory = JOB_MEMORY,
		.max_body = (uint64_t)1 << 30,
		.seconds = 20,
		.now = clock_utc()};
	if (take_words(k, argc, argv, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "check-plugin: %s", d.text);
	if (areas_load(&areas, s->tables, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	k->c.plain.tmp = dir_open(AT_FDCWD, app_tmp(), false, &d);
	rc = k->c.plain.tmp >= 0 ? suite(k, s, argv[1], &d) : d.code;
	fd_close(&k->c.plain.tmp);
	areas_release(&areas);
	if (rc != GLANE_OK)
		return complain(EXIT_SOME, "check-plugin: %s", d.text);
	printf("1..%u\n", k->c.n);
	if (k->c.n_failed)
		printf("# plugin %s failed %u of %u tests\n", argv[1], k->c.n_failed, k->c.n);
	rc = flush_out();
	return rc ? rc : k->c.n_failed ? EXIT_SOME : EXIT_FINE;
}

int cmd_check_plugin(const struct app *a, int argc, char **argv)
{
	struct checking *k;
	struct settings s;
	int code;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		fputs(help, argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : flush_out();
	}
	code = app_settings(a, &s);
	if (code == EXIT_FINE) {
		k = mem_zalloc(1, sizeof(*k));
		code = k ? check_it(&s, k, argc, argv) : complain(EXIT_SOME, "no memory");
		mem_free(k);
	}
	settings_release(&s);
	return code;
}
