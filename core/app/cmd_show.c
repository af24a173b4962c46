/* SPDX-License-Identifier: MIT */
/* glane show */
#include "app/columns.h"
#include "app/show.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
	"glane show AREA INDICATOR [filters] [--as-of T] [--vintages] [--json] [--ascii]\n"
	"glane show --group GROUP INDICATOR [filters] [--as-of T] [--json] [--ascii]\n"
	"\n"
	"A series: what it is, its course, and by period the value, since when it is known and what was known before.\n"
	"AREA is an alpha-3 code, a name or the provider's own code. INDICATOR is a provider's code, an id of "
	"catalogue.csv, or\n"
	"words that all stand in the title. Where several series are meant, each gets a line.\n"
	"With --group: the members by their latest value, with the change to five years before; who has none stands "
	"last.\n"
	"\n" FILTER_HELP "  --as-of T      as known then: an RFC 3339 time, a date, or a run id\n"
	"  --vintages     every value of every period by the run that recorded it\n"
	"  --json         the same as JSON, vintages included: an object for one series, else a list\n"
	"  --ascii        only ASCII in what glane adds; the default where the locale is not UTF-8\n";

static glane_rc view(struct show *w)
{
	glane_rc rc;

	if (w->n == 1 && w->area)
		return show_one(w, &w->series[0].s);
	rc = show_load(w);
	if (rc < 0)
		return rc;
	return w->group ? show_ranks(w) : show_lines(w);
}

static int told(const struct diag *d)
{
	return complain(d->code == GLANE_E_CONFIG || d->code == GLANE_E_USAGE || d->code == GLANE_E_LIMIT ? EXIT_USAGE
													  : EXIT_STORE,
		"%s", d->text);
}

/* Nothing found is an answer, not a failure: the exit status stays 0, and JSON is an empty list. */
static void say_nothing(const struct show *w)
{
	const struct catalogue_item *item = catalogue_find(&w->filters.table, strbuf_get(&w->indicator));
	const char *where = w->area ? w->area : w->group;

	if (w->json)
		(void)puts("[]");
	if (w->n)
		fprintf(stderr, "glane: the series has no observation then (--as-of, --from, --to)\n");
	else if (item)
		fprintf(stderr,
			"glane: no series of '%s' for %s is in the store (catalogue.csv: %.*s of source %.*s)\n",
			w->indicator.p, where, SLICE_FMT(item->indicator), SLICE_FMT(item->source));
	else
		fprintf(stderr, "glane: no series of '%s' for %s %s (`glane series %s` lists what is)\n",
			w->indicator.p, where,
			w->area && filters_any(&w->filters) ? "passes the filters" : "is in the store", w->indicator.p);
}

static void say_how_to_narrow(const struct show *w)
{
	if (w->json || w->out.n == 0)
		return;
	if (w->area && w->n > 1)
		fprintf(stderr,
			"glane: %zu series; with --source, --dataset, --indicator, --dim or --freq one of them is "
			"shown whole\n",
			w->n);
	if (w->measures > SHOW_MEASURES_MAX)
		fprintf(stderr,
			"glane: %zu measures; with --source, --dataset, --indicator, --dim or --freq one of them is "
			"ranked\n",
			w->measures);
}

static int answer(struct show *w)
{
	glane_rc rc = show_find(w);

	if (rc == GLANE_OK && w->n)
		rc = view(w);
	if (rc < 0)
		return told(&w->d);
	if (!strbuf_ok(&w->out))
		return complain(EXIT_STORE, "no memory for the answer");
	if (w->out.n == 0)
		say_nothing(w);
	else
		(void)fwrite(w->out.p, 1, w->out.n, stdout);
	say_how_to_narrow(w);
	return flush_out();
}

static int run_show(const struct settings *set, struct show *w, const char *as_of)
{
	struct store st;
	int code = app_store(set, &st);

	if (code != EXIT_FINE)
		return code;
	w->st = &st;
	arena_init(&w->arena, 0);
	strbuf_init(&w->out, 0);
	diag_clear(&w->d);
	code = app_sources(set, &st, &w->filters.source);
	if (code == EXIT_FINE && as_of && query_as_of(&st, as_of, &w->as_of, &w->d) != GLANE_OK)
		code = complain(EXIT_USAGE, "%s", w->d.text);
	if (code == EXIT_FINE) {
		w->filters.group_on = as_of ? w->as_of : 0;
		filters_tell_empty(&w->filters);
		code = answer(w);
	}
	for (size_t i = 0; i < w->n; i++)
		mem_free(w->series[i].points);
	mem_free(w->series);
	strbuf_release(&w->out);
	arena_release(&w->arena);
	w->st = NULL;
	store_close(&st);
	return code;
}

/* The area in front, the rest is the indicator. */
static int take_words(struct show *w, const struct list *words)
{
	size_t from = w->filters.group.n ? 0 : 1;

	if (words->n <= from)
		return complain(EXIT_USAGE, from ? "show: an area and an indicator are asked for (--help)"
						 : "show: an indicator is asked for (--help)");
	w->area = from ? words->v[0] : NULL;
	strbuf_init(&w->indicator, 0);
	strbuf_init(&w->groups, 0);
	for (size_t i = 0; i < w->filters.group.n; i++) {
		strbuf_puts(&w->groups, i ? ", " : "");
		strbuf_puts(&w->groups, w->filters.group.v[i]);
	}
	w->group = from ? NULL : w->groups.p;
	for (size_t i = from; i < words->n; i++) {
		w->words.v[w->words.n++] = words->v[i];
		strbuf_puts(&w->indicator, i > from ? " " : "");
		strbuf_puts(&w->indicator, words->v[i]);
	}
	return strbuf_ok(&w->indicator) && strbuf_ok(&w->groups) ? EXIT_FINE
								 : complain(EXIT_STORE, "no memory for the words");
}

static int load_tables(struct show *w, const char *tables)
{
	struct list area = {{NULL}, 0};
	struct diag d;
	int code = filters_load(&w->filters, tables);

	diag_clear(&d);
	if (code == EXIT_FINE && take_list(&w->codes, w->indicator.p))
		code = breaks_follow(&w->filters.aliases, &w->codes, false);
	if (code == EXIT_FINE && w->area && take_list(&area, w->area))
		code = breaks_follow(&w->filters.aliases, &area, true);
	if (code != EXIT_FINE || w->filters.catalogue.n)
		return code;
	if (catalogue_load(&w->filters.table, tables, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	return EXIT_FINE;
}

int cmd_show(const struct app *a, int argc, char **argv)
{
	struct show w = {.as_of = INT64_MAX, .ascii = locale_is_ascii()};
	struct list words = {{NULL}, 0};
	const char *as_of = NULL;
	const struct arg args[] = {
		FILTER_ARGS(&w.filters),
		{"as-of", 0, true, take_text, &as_of},
		{"vintages", 0, false, take_flag, &w.vintages},
		{"json", 0, false, take_flag, &w.json},
		{"ascii", 0, false, take_flag, &w.ascii},
	};
	struct settings s;
	bool done;
	int code;

	if (!args_parse(argc, argv, args, sizeof(args) / sizeof(args[0]), &words, help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	code = take_words(&w, &words);
	if (code != EXIT_FINE)
		return code;
	code = app_settings(a, &s);
	if (code == EXIT_FINE)
		code = load_tables(&w, s.tables);
	if (code == EXIT_FINE)
		code = run_show(&s, &w, as_of);
	strbuf_release(&w.indicator);
	strbuf_release(&w.groups);
	filters_release(&w.filters);
	settings_release(&s);
	return code;
}
