/* SPDX-License-Identifier: MIT */
/* glane export */
#include "app/app.h"
#include "app/filters.h"
#include "app/output.h"
#include "app/sdmx_csv.h"

#include <stdio.h>

static const char help[] =
	"glane export [filters] [--format csv|ndjson|sdmx-csv|parquet] [--as-of T] [--scaled] [--withdrawn] [-o FILE]\n"
	"\n"
	"The observations, sorted by key. " FILTER_HELP
	"  --as-of T      as known then: an RFC 3339 time, a date, or a run id\n"
	"  --scaled       value * 10^unit_mult, unit_mult 0\n"
	"  --withdrawn    also withdrawn rows; each row ends with its event\n"
	"  --format F     csv (default), ndjson, sdmx-csv (2.0, ACTION I), or parquet (zstd; value is a double there)\n"
	"  -o FILE        instead of standard output; it appears, or is replaced, once it is complete\n";

struct options {
	struct filters filters;
	const char *as_of, *format, *output;
	bool scaled, withdrawn;
};

struct sink {
	struct output output;
	struct diag *d;
};

static glane_rc on_row(void *arg, struct row *r)
{
	struct sink *s = arg;

	return output_row(&s->output, r, s->d);
}

/* Groups have the members that they had then; on stderr it says when that was. */
static void members_of(struct filters *f, struct query *q)
{
	char day[32];

	f->group_on = q->as_of == INT64_MAX ? 0 : q->as_of;
	q->group_on = filters_query(f).group_on;
	filters_group_day(f, day);
	for (size_t i = 0; i < f->group.n; i++)
		fprintf(stderr, "glane: %s has its members of %s\n", f->group.v[i], day);
	filters_tell_empty(f);
}

static int export_store(const struct store *st, struct options *o, enum output_format format)
{
	struct query q = filters_query(&o->filters);
	struct diag d;
	struct sink s = {.d = &d};
	int64_t from, to;
	glane_rc rc;
	int code;

	diag_clear(&d);
	q.scaled = o->scaled;
	q.withdrawn = o->withdrawn;
	s.output.format = format;
	s.output.columns = o->withdrawn ? ROW_COLUMNS + 1 : ROW_COLUMNS;
	s.output.action = SDMX_INFORM;
	rc = query_days(&q, &from, &to, &d); /* before anything is printed */
	if (rc == GLANE_OK && o->as_of)
		rc = query_as_of(st, o->as_of, &q.as_of, &d);
	if (rc == GLANE_OK && o->filters.group.n)
		members_of(&o->filters, &q);
	if (rc < 0) {
		code = complain(EXIT_USAGE, "%s", d.text);
	} else {
		rc = output_open(&s.output, o->output, &d);
		if (rc == GLANE_OK)
			rc = query_run(st, &q, on_row, &s, &d);
		code = output_end(&s.output, rc, &d);
		if (code == EXIT_FINE && s.output.rows == 0)
			fprintf(stderr, "glane: no observation in the store is like that (`glane series` lists what is "
					"there)\n");
	}
	return code;
}

/* EXIT_FINE, or an exit code: the error was printed. */
static int check_format(const struct options *o, enum output_format *ret)
{
	*ret = OUTPUT_CSV;
	if (o->format && (!output_format_of(o->format, ret) || *ret == OUTPUT_TEXT))
		return complain(EXIT_USAGE, "--format %s: export writes csv, ndjson, sdmx-csv and parquet", o->format);
	if (*ret == OUTPUT_SDMX && o->withdrawn)
		return complain(EXIT_USAGE, "--withdrawn: sdmx-csv has no column for it; what was withdrawn is in "
					    "`glane changes --format sdmx-csv --action D`");
	return EXIT_FINE;
}

int cmd_export(const struct app *a, int argc, char **argv)
{
	struct options o = {.as_of = NULL};
	const struct arg args[] = {
		FILTER_ARGS(&o.filters),
		{"as-of", 0, true, take_text, &o.as_of},
		{"format", 0, true, take_text, &o.format},
		{"output", 'o', true, take_text, &o.output},
		{"scaled", 0, false, take_flag, &o.scaled},
		{"withdrawn", 0, false, take_flag, &o.withdrawn},
	};
	enum output_format format;
	struct settings s;
	struct store st;
	bool done;
	int code;

	if (!args_parse(argc, argv, args, sizeof(args) / sizeof(args[0]), NULL, help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	code = check_format(&o, &format);
	if (code != EXIT_FINE)
		return code;
	code = app_settings(a, &s);
	if (code == EXIT_FINE)
		code = filters_load(&o.filters, s.tables);
	if (code == EXIT_FINE)
		code = app_store(&s, &st);
	if (code == EXIT_FINE) {
		code = app_sources(&s, &st, &o.filters.source);
		if (code == EXIT_FINE)
			code = export_store(&st, &o, format);
		store_close(&st);
	}
	filters_release(&o.filters);
	settings_release(&s);
	return code;
}
