/* SPDX-License-Identifier: MIT */
/* glane parse */
#include "app/app.h"

#include "base/clock.h"
#include "base/file.h"
#include "model/areas.h"
#include "model/batch_csv.h"
#include "model/words.h"
#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_AT 262144

static const char help[] =
	"glane parse PLUGIN [--KEY=VALUE...] < PAYLOAD\n"
	"\n"
	"One payload to rows on standard output, in file order, without a store. KEY=VALUE are the plugin's options\n"
	"(glane plugins NAME), and:\n"
	"  --empty=keep     keep also what the provider says nothing about\n"
	"  --words=LANG     words of that language in periods and for missing values (conf/words.csv)\n"
	"  --format=F       csv (default), ndjson, or none (count only)\n"
	"  --limit=N        stop after N rows\n"
	"  --max_body=SIZE  decoded bytes of the payload (default 2G)\n"
	"  --source=NAME    what stands in the source column (default: parse)\n"
	"  --program=PATH   what the payload goes through first, with --arguments='WORD WORD'\n"
	"                   and --program_reads='PATH PATH', what it may read beside the system's folders\n"
	"  --inproc         load the plugin into this very process, for a debugger\n"
	"The number of rows goes to standard error. Exit: 0, 1 the payload or some record failed, 2 usage.\n";

struct output {
	struct strbuf b, scratch;
	struct batch_csv csv;
	bool ndjson, none;
	struct diag d;
};

static void add_ndjson(struct output *o, const struct batch *b, const struct batch_obs *obs)
{
	struct row r;

	batch_row(b, obs, &o->scratch, &r);
	r.source = o->csv.source;
	r.recorded_at = r.known_at = o->csv.now;
	if (strbuf_ok(&o->scratch))
		row_ndjson(&o->b, &r, ROW_COLUMNS);
	else
		o->b.failed = true;
}

static glane_rc on_rows(void *arg, const struct batch *b, const struct batch_obs *obs, size_t n)
{
	struct output *o = arg;
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; i < n && !o->none; i++) {
		if (o->ndjson)
			add_ndjson(o, b, &obs[i]);
		else
			batch_csv(&o->csv, b, &obs[i], &o->b);
	}
	if (!strbuf_ok(&o->b))
		return fail(&o->d, GLANE_E_NOMEM, "no memory for rows");
	if (o->b.n >= FLUSH_AT) {
		rc = fd_write(1, o->b.p, o->b.n, &o->d);
		strbuf_reset(&o->b);
	}
	return rc;
}

struct parse_args {
	struct parse_options o;
	struct conf_section section;
	struct conf_entry entries[128];
	size_t n;
	const char *format, *languages, *arguments, *reads;
	char program[4096];
};

static bool own_key(struct parse_args *p, const char *key, const char *value, bool *ret_ok)
{
	int64_t v = 0;

	*ret_ok = true;
	if (strcmp(key, "empty") == 0) {
		p->o.keep_empty = strcmp(value, "keep") == 0;
		*ret_ok = p->o.keep_empty || strcmp(value, "skip") == 0;
	} else if (strcmp(key, "format") == 0) {
		p->format = value;
		*ret_ok = strcmp(value, "csv") == 0 || strcmp(value, "ndjson") == 0 || strcmp(value, "none") == 0;
	} else if (strcmp(key, "limit") == 0) {
		*ret_ok = slice_int(slice_of(value), 1, INT64_MAX, &v);
		p->o.limit = (uint64_t)v;
	} else if (strcmp(key, "max_body") == 0) {
		*ret_ok = size_parse(slice_of(value), &v) && v > 0;
		p->o.max_body = (uint64_t)v;
	} else if (strcmp(key, "words") == 0) {
		p->languages = value;
	} else if (strcmp(key, "base_url") == 0) {
		p->o.base_url = value;
	} else if (strcmp(key, "program") == 0) {
		*ret_ok = path_absolute(value, p->program, sizeof(p->program));
		p->o.program.path = p->program;
	} else if (strcmp(key, "arguments") == 0) {
		p->arguments = value;
	} else if (strcmp(key, "program_reads") == 0) {
		p->reads = value;
	} else if (strcmp(key, "source") == 0) {
		p->section.name = value;
		*ret_ok = conf_is_name(slice_of(value));
	} else {
		return false;
	}
	return true;
}

/* The words of a list; false: an error was printed. */
static bool items_of(
	struct arena *a, const char *name, const char *text, size_t max, const char *const **ret, size_t *ret_n)
{
	const char **v;
	struct diag d;

	diag_clear(&d);
	if (conf_items(a, text, &v, ret_n, &d) == GLANE_OK && *ret_n > max)
		fail(&d, GLANE_E_CONFIG, "more than %zu words", max);
	*ret = v;
	if (d.code < GLANE_OK)
		complain(EXIT_USAGE, "parse: --%s: %s", name, d.text);
	return d.code >= GLANE_OK;
}

static bool take_lists(struct parse_args *p, struct arena *a)
{
	struct launch *l = &p->o.program;

	return items_of(a, "arguments", p->arguments, LAUNCH_ARGS, &l->args, &l->n_args) &&
	       items_of(a, "program_reads", p->reads, SANDBOX_READS, &l->reads, &l->n_reads);
}

/* --KEY=VALUE or --KEY VALUE; false: an error was printed. */
static bool take_words(struct parse_args *p, struct arena *a, int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		struct slice rest, key;
		const char *name, *value;
		struct conf_entry *e;
		bool ok;

		if (strcmp(argv[i], "--inproc") == 0) {
			p->o.inproc = true;
			continue;
		}
		rest = slice_of(argv[i] + 2);
		key = slice_cut(&rest, '=');
		value = rest.p ? rest.p : i + 1 < argc ? argv[++i] : NULL;
		name = strncmp(argv[i - (rest.p ? 0 : 1)], "--", 2) == 0 && value ? arena_strndup(a, key.p, key.n)
										  : NULL;
		if (!name || !conf_is_key(slice_of(name)) || p->n == 128) {
			complain(EXIT_USAGE, "parse: '%s' is not --KEY=VALUE", argv[i]);
			return false;
		}
		if (own_key(p, name, value, &ok)) {
			if (!ok)
				complain(EXIT_USAGE, "parse: --%s=%s: not a value it takes", name, value);
			if (!ok)
				return false;
			continue;
		}
		e = &p->entries[p->n];
		*e = (struct conf_entry){name, value, "command line", 0, NULL, false};
		if (p->n)
			p->entries[p->n - 1].next = e;
		p->n++;
	}
	p->section.entries = p->n ? p->entries : NULL;
	return take_lists(p, a);
}

/* Standard input as a file that can be mapped: itself, or a copy in an unlinked file where it is a pipe. */
static int payload_fd(struct diag *d)
{
	char buf[65536];
	struct stat st;
	ssize_t n = 0;
	int tmp, fd;

	if (fstat(0, &st) == 0 && S_ISREG(st.st_mode)) {
		fd = dup(0);
		if (fd < 0)
			fail(d, GLANE_E_IO, "standard input: %s", strerror(errno));
		return fd;
	}
	tmp = dir_open(AT_FDCWD, app_tmp(), false, d);
	fd = tmp < 0 ? -1 : file_temp(tmp, d);
	fd_close(&tmp);
	while (fd >= 0 && (n = read(0, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || fd_write(fd, buf, (size_t)n, d) != GLANE_OK) {
			fail(d, GLANE_E_IO, "standard input: %s", strerror(errno));
			fd_close(&fd);
		}
	}
	return fd;
}

static int parse_it(struct parse_args *p)
{
	struct output out = {.none = p->format && strcmp(p->format, "none") == 0,
		.ndjson = p->format && strcmp(p->format, "ndjson") == 0};
	struct host_counts counts = {0};
	uint64_t rejected = 0;
	struct diag d;
	int fd;

	diag_clear(&d);
	diag_clear(&out.d);
	strbuf_init(&out.b, 0);
	strbuf_init(&out.scratch, 0);
	batch_csv_init(&out.csv, slice_of(p->o.section->name), p->o.now);
	fd = payload_fd(&d);
	if (fd < 0)
		return complain(EXIT_SOME, "%s", d.text);
	if (!out.none && !out.ndjson)
		row_csv_header(&out.b, ROW_COLUMNS);
	parse_payload(&p->o, fd, on_rows, &out, &counts, &rejected, &d);
	close(fd);
	if (out.d.code == GLANE_OK && out.b.n)
		fd_write(1, out.b.p, out.b.n, &out.d);
	strbuf_release(&out.b);
	strbuf_release(&out.scratch);
	batch_csv_release(&out.csv);
	fprintf(stderr, "glane: %llu rows, %llu empty, %llu rejected\n", (unsigned long long)counts.rows,
		(unsigned long long)counts.padding, (unsigned long long)rejected);
	if (d.code != GLANE_OK)
		return complain(d.code == GLANE_E_CONFIG ? EXIT_USAGE : EXIT_SOME, "%s", d.text);
	if (out.d.code != GLANE_OK)
		return complain(EXIT_STORE, "%s", out.d.text);
	return rejected ? EXIT_SOME : EXIT_FINE;
}

static int parse_with(struct settings *s, struct parse_args *p, int argc, char **argv)
{
	struct areas areas;
	struct diag d;
	int code;

	p->section.kind = "source";
	p->section.name = "parse";
	p->section.file = "command line";
	p->o = (struct parse_options){.plugin = argv[1],
		.section = &p->section,
		.areas = &areas,
		.max_body = (uint64_t)2 << 30,
		.base_url = "standard-input",
		.now = clock_utc()};
	p->o.plugin_path = settings_plugin(s, argv[1]);
	if (!p->o.plugin_path)
		return app_no_plugin(s, argv[1]);
	if (!take_words(p, &s->arena, argc, argv))
		return EXIT_USAGE;
	diag_clear(&d);
	if (p->languages && words_load(&s->arena, s->tables, p->languages, &p->o.words, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	if (areas_load(&areas, s->tables, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	code = parse_it(p);
	areas_release(&areas);
	return code;
}

int cmd_parse(const struct app *a, int argc, char **argv)
{
	struct parse_args *p;
	struct settings s;
	int code;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		fputs(help, argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : flush_out();
	}
	code = app_settings(a, &s);
	if (code == EXIT_FINE) {
		p = arena_alloc(&s.arena, sizeof(*p));
		code = p ? parse_with(&s, p, argc, argv) : complain(EXIT_SOME, "no memory");
	}
	settings_release(&s);
	return code;
}
