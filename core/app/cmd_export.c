/* SPDX-License-Identifier: MIT */
/* glane export */
#include "app/app.h"
#include "app/export_parquet.h"
#include "app/filters.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_AT 262144

static const char help[] =
	"glane export [filters] [--format csv|ndjson|parquet] [--as-of T] [--scaled] [--withdrawn] [-o FILE]\n"
	"\n"
	"The observations, sorted by key. " FILTER_HELP
	"  --as-of T      as known then: an RFC 3339 time, a date, or a run id\n"
	"  --scaled       value * 10^unit_mult, unit_mult 0\n"
	"  --withdrawn    also withdrawn rows; each row ends with its event\n"
	"  --format F     csv (default), ndjson or parquet (zstd; value is a double there)\n"
	"  -o FILE        instead of standard output\n";

struct sink {
	struct strbuf b, scratch;
	int fd, columns;
	bool ndjson;
	struct export_parquet *parquet; /* NULL: text */
	struct diag d;
};

static glane_rc on_row(void *arg, struct row *r)
{
	struct sink *s = arg;
	glane_rc rc = GLANE_OK;

	if (s->parquet)
		return export_parquet_row(s->parquet, r, &s->d);
	if (s->ndjson)
		row_ndjson(&s->b, r, s->columns);
	else
		row_csv(&s->b, r, s->columns);
	if (!strbuf_ok(&s->b))
		return fail(&s->d, GLANE_E_NOMEM, "no memory for a row");
	if (s->b.n >= FLUSH_AT) {
		rc = fd_write(s->fd, s->b.p, s->b.n, &s->d);
		strbuf_reset(&s->b);
	}
	return rc;
}

struct options {
	struct filters filters;
	const char *as_of, *format, *output;
	bool scaled, withdrawn;
};

static int export_rows(const struct store *st, const struct options *f, struct query *q, struct sink *s)
{
	struct diag d;

	diag_clear(&d);
	if (f->as_of && query_as_of(st, f->as_of, &q->as_of, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	if (!s->ndjson && !s->parquet)
		row_csv_header(&s->b, s->columns);
	if (query_run(st, q, on_row, s, &d) != GLANE_OK) {
		if (s->d.code != GLANE_OK)
			return complain(EXIT_STORE, "%s", s->d.text);
		return complain(d.code == GLANE_E_CONFIG || d.code == GLANE_E_USAGE || d.code == GLANE_E_DATA
					? EXIT_USAGE
					: EXIT_STORE,
			"%s", d.text);
	}
	if (s->parquet ? export_parquet_finish(s->parquet, &s->d) != GLANE_OK
		       : fd_write(s->fd, s->b.p ? s->b.p : "", s->b.n, &s->d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", s->d.text);
	return EXIT_FINE;
}

static int export_store(const struct settings *set, const struct options *f)
{
	struct query q = filters_query(&f->filters);
	struct sink s = {.fd = 1, .columns = f->withdrawn ? ROW_COLUMNS + 1 : ROW_COLUMNS};
	struct store st;
	int code = app_store(set, &st);

	if (code != EXIT_FINE)
		return code;
	q.scaled = f->scaled;
	q.withdrawn = f->withdrawn;
	s.ndjson = f->format && strcmp(f->format, "ndjson") == 0;
	strbuf_init(&s.b, 0);
	diag_clear(&s.d);
	if (f->output)
		s.fd = open(f->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (s.fd < 0)
		code = complain(EXIT_USAGE, "%s: %s", f->output, strerror(errno));
	else if (f->format && strcmp(f->format, "parquet") == 0 &&
		 export_parquet_open(s.fd, f->withdrawn, &s.parquet, &s.d) != GLANE_OK)
		code = complain(EXIT_STORE, "%s", s.d.text);
	else
		code = export_rows(&st, f, &q, &s);
	if (f->output && s.fd >= 0 && close(s.fd) != 0 && code == EXIT_FINE)
		code = complain(EXIT_STORE, "%s: %s", f->output, strerror(errno));
	export_parquet_free(s.parquet);
	strbuf_release(&s.b);
	store_close(&st);
	return code;
}

int cmd_export(const struct app *a, int argc, char **argv)
{
	struct options f = {.as_of = NULL};
	const struct arg args[] = {
		FILTER_ARGS(&f.filters),
		{"as-of", 0, true, take_text, &f.as_of},
		{"format", 0, true, take_text, &f.format},
		{"output", 'o', true, take_text, &f.output},
		{"scaled", 0, false, take_flag, &f.scaled},
		{"withdrawn", 0, false, take_flag, &f.withdrawn},
	};
	struct settings s;
	bool done;
	int code;

	if (!args_parse(argc, argv, args, sizeof(args) / sizeof(args[0]), NULL, help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	if (f.format && strcmp(f.format, "csv") != 0 && strcmp(f.format, "ndjson") != 0 &&
		strcmp(f.format, "parquet") != 0)
		return complain(EXIT_USAGE, "--format %s: this version writes csv, ndjson and parquet", f.format);
	code = app_settings(a, &s);
	if (code == EXIT_FINE)
		code = filters_load(&f.filters, s.tables);
	if (code == EXIT_FINE)
		code = export_store(&s, &f);
	filters_release(&f.filters);
	settings_release(&s);
	return code;
}
