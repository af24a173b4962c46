/* SPDX-License-Identifier: MIT */
/* glane changes */
#include "app/app.h"
#include "app/changes_text.h"
#include "app/filters.h"
#include "app/output.h"
#include "app/sdmx_csv.h"

#include "base/clock.h"
#include "store/changes.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"glane changes [filters] [--run R | --since T] [--format text|csv|ndjson|sdmx-csv|parquet] [--action R|D] "
	"[--scaled] [-o FILE]\n"
	"\n"
	"What changed: the events of the last run, of another one, or of a span of time. The columns of export, then\n"
	"event (new, revised, status, withdrawn, restored), cause (source, mapping), run, payload (its SHA-256).\n"
	"Sorted by key; the events of one key by recorded_at. Only what was recorded in that time is opened.\n"
	"  --run R        a run id, or the last run that had begun by a time or by the end of a date\n"
	"  --since T      everything recorded at a time (RFC 3339) or later, or since a date began\n" FILTER_HELP
	"  --scaled       value * 10^unit_mult, unit_mult 0\n"
	"  --format F     text: to read, old -> new; the default on a terminal\n"
	"                 csv (the default elsewhere), ndjson, parquet\n"
	"                 sdmx-csv (2.0): of each key only what it all came to\n"
	"  --action A     of sdmx-csv: R the replacements (what there is now), D the deletions; each in a file of its "
	"own\n"
	"  -o FILE        instead of standard output; it appears, or is replaced, once it is complete\n";

struct options {
	struct filters filters;
	const char *run, *since, *format, *action, *output;
	bool scaled;
	enum output_format as;
};

/* "Run 20261123T234435Z" and the like. */
static void put_title(struct strbuf *b, const struct changes_span *span)
{
	char text[32];

	time_format(span->from, text);
	if (span->run[0])
		strbuf_fmt(b, "Run %s", span->run);
	else
		strbuf_fmt(b, "%s %s", span->from == span->to ? "Recorded at" : "Since", text);
}

static glane_rc write_text(struct changes *c, struct output *out, const struct store *st, const struct areas *areas,
	const struct changes_span *span, struct diag *d)
{
	struct changes_text t;
	const struct row *before;
	struct row row;
	glane_rc rc;

	changes_text_init(&t, out, st, areas, span->from != span->to);
	put_title(&out->b, span);
	rc = changes_next(c, &row, &before, d);
	strbuf_puts(&out->b, rc == GLANE_OK ? "\n" : ": ");
	while (rc == GLANE_OK) {
		rc = changes_text_put(&t, &row, before, d);
		if (rc == GLANE_OK)
			rc = changes_next(c, &row, &before, d);
	}
	if (rc == GLANE_END)
		rc = changes_text_end(&t, d);
	changes_text_release(&t);
	return rc;
}

/* With an action, only what it is about. */
static glane_rc write_rows(struct changes *c, struct output *out, struct diag *d)
{
	const struct row *before;
	struct row row;
	glane_rc rc;

	while ((rc = changes_next(c, &row, &before, d)) == GLANE_OK) {
		const bool gone = slice_is(row.event, "withdrawn");

		if (out->format != OUTPUT_SDMX || gone == (out->action == SDMX_DELETE))
			rc = output_row(out, &row, d);
		if (rc < 0)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static enum changes_kind kind_of(enum output_format format)
{
	return format == OUTPUT_TEXT ? CHANGES_BEFORE : format == OUTPUT_SDMX ? CHANGES_LAST : CHANGES_EACH;
}

static glane_rc span_of(const struct store *st, const struct options *o, struct changes_span *ret, struct diag *d)
{
	return o->since ? changes_since(o->since, ret, d) : changes_of_run(st, o->run, ret, d);
}

static int write_changes(const struct store *st, const struct options *o)
{
	struct output out = {
		.format = o->as, .columns = ROW_COLUMNS_ALL, .action = o->action ? o->action[0] : SDMX_REPLACE};
	struct query q = filters_query(&o->filters);
	struct changes *c = NULL;
	struct changes_span span;
	struct diag d;
	glane_rc rc;
	int code;

	diag_clear(&d);
	q.scaled = o->scaled;
	rc = span_of(st, o, &span, &d);
	if (rc == GLANE_OK)
		rc = changes_open(st, &q, &span, kind_of(o->as), &c, &d);
	if (rc < 0)
		return complain(rc == GLANE_E_CONFIG ? EXIT_USAGE : EXIT_STORE, "%s", d.text);
	rc = output_open(&out, o->output, &d);
	if (rc == GLANE_OK)
		rc = o->as == OUTPUT_TEXT ? write_text(c, &out, st, &o->filters.areas, &span, &d)
					  : write_rows(c, &out, &d);
	changes_close(c);
	code = output_end(&out, rc, &d);
	if (code == EXIT_FINE && out.rows == 0 && o->as != OUTPUT_TEXT && filters_any(&o->filters))
		fprintf(stderr, "glane: no change of that time passes the filters\n");
	return code;
}

/* EXIT_FINE, or an exit code: the error was printed. */
static int check_options(struct options *o)
{
	o->as = !o->output && isatty(1) ? OUTPUT_TEXT : OUTPUT_CSV;
	if (o->format && !output_format_of(o->format, &o->as))
		return complain(
			EXIT_USAGE, "--format %s: changes writes text, csv, ndjson, sdmx-csv and parquet", o->format);
	if (o->run && o->since)
		return complain(EXIT_USAGE, "--run and --since exclude each other");
	if (o->action && strcmp(o->action, "R") != 0 && strcmp(o->action, "D") != 0)
		return complain(EXIT_USAGE, "--action %s: R (replacements) and D (deletions) are known", o->action);
	if ((o->action != NULL) != (o->as == OUTPUT_SDMX))
		return complain(EXIT_USAGE, o->action ? "--action is for --format sdmx-csv"
						      : "--format sdmx-csv needs --action R (replacements) or D "
							"(deletions): one file holds either");
	return EXIT_FINE;
}

int cmd_changes(const struct app *a, int argc, char **argv)
{
	struct options o = {.run = NULL};
	const struct arg args[] = {
		FILTER_ARGS(&o.filters),
		{"run", 0, true, take_text, &o.run},
		{"since", 0, true, take_text, &o.since},
		{"format", 0, true, take_text, &o.format},
		{"action", 0, true, take_text, &o.action},
		{"output", 'o', true, take_text, &o.output},
		{"scaled", 0, false, take_flag, &o.scaled},
	};
	struct settings s;
	struct store st;
	bool done;
	int code;

	if (!args_parse(argc, argv, args, sizeof(args) / sizeof(args[0]), NULL, help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	code = check_options(&o);
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
			code = write_changes(&st, &o);
		store_close(&st);
	}
	filters_release(&o.filters);
	settings_release(&s);
	return code;
}
