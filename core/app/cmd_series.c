/* SPDX-License-Identifier: MIT */
/* glane series */
#include "app/columns.h"
#include "app/filters.h"
#include "app/words.h"

#include "base/clock.h"
#include "model/cell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"glane series [filters] [--each] [--format text|csv|ndjson] [--ascii] [WORDS...]\n"
	"\n"
	"What is in the store, as of now. WORDS are looked for in titles, codes and names of areas, without regard to "
	"case and\n"
	"accents; all must be there. A line is an indicator of a dataset: how many areas and series it has, their "
	"periods\n"
	"and observations. With --each, --area, --group or --dim a line is one series. csv and ndjson give every "
	"series always.\n"
	"\n" FILTER_HELP "  (a series counts where its first and last period overlap with them)\n"
	"  --each         one line for each series\n"
	"  --format F     text (default, in columns), csv or ndjson\n"
	"  --ascii        only ASCII in what glane adds; the default where the locale is not UTF-8\n";

#define CELLS 12
#define WIDTH_MAX 40 /* of a column; the last is as wide as it comes */

enum series_format { TEXT, CSV, NDJSON };

struct group { /* series of one indicator; texts live in the arena */
	struct arena arena;
	struct series_row s; /* source, dataset, indicator; first and last period of all */
	struct slice area_code;
	char freqs[12];
	size_t areas, series;
	int64_t observations, first, last;
	bool any, units; /* units: more than one */
};
struct listing {
	struct words words;
	const struct areas *areas;
	enum series_format format;
	bool each, ascii, printing; /* printing: the second pass over the columns of a table */
	size_t width[CELLS];
	uint64_t lines;
	struct group g;
	struct strbuf line, scratch;
	struct diag d;
};

static glane_rc no_memory(struct listing *l)
{
	return fail(&l->d, GLANE_E_NOMEM, "no memory for a line");
}

/* ---- columns ---- */

static const char *const each_heads[CELLS] = {"SOURCE", "DATASET", "INDICATOR", "AREA", "CODE", "DIMS", "FREQ", "FIRST",
	"LAST", "COUNT", "UPDATED", "TITLE (UNIT)"};
static const char *const group_heads[CELLS] = {"SOURCE", "DATASET", "INDICATOR", "FREQ", "AREAS", "SERIES", "FIRST",
	"LAST", "COUNT", "UNIT", "UPDATED", "TITLE"};

static bool is_number(const struct listing *l, size_t i)
{
	return l->each ? i == 9 : i == 4 || i == 5 || i == 8;
}

static glane_rc put_cells(struct listing *l, const struct slice cell[CELLS])
{
	struct strbuf *b = &l->line;

	for (size_t i = 0; !l->printing && i < CELLS; i++) {
		size_t width = text_width(cell[i]);

		width = width < WIDTH_MAX ? width : WIDTH_MAX;
		l->width[i] = width > l->width[i] ? width : l->width[i];
	}
	if (!l->printing)
		return GLANE_OK;
	strbuf_reset(b);
	for (size_t i = 0; i < CELLS; i++) {
		if (i + 1 < CELLS && l->width[i] == 0)
			continue; /* nothing stands in it */
		put_text(b, cell[i], i + 1 < CELLS ? l->width[i] : 0, is_number(l, i) ? ALIGN_RIGHT : ALIGN_LEFT,
			l->ascii);
		strbuf_puts(b, i + 1 < CELLS ? "  " : "\n");
	}
	if (!strbuf_ok(b))
		return no_memory(l);
	(void)fwrite(b->p, 1, b->n, stdout);
	return GLANE_OK;
}

/* A column without any text has no head either. */
static glane_rc put_heads(struct listing *l)
{
	struct slice cell[CELLS];

	for (size_t i = 0; i < CELLS; i++) {
		size_t n = strlen(l->each ? each_heads[i] : group_heads[i]);

		cell[i] = slice_of(l->each ? each_heads[i] : group_heads[i]);
		if (l->width[i] && l->width[i] < n)
			l->width[i] = n;
	}
	return put_cells(l, cell);
}

static struct slice number(char buf[24], int64_t v)
{
	(void)snprintf(buf, 24, "%" PRId64, v);
	return slice_of(buf);
}

static struct slice moment(char buf[32], int64_t t)
{
	time_format(t, buf);
	return slice_of(buf);
}

/* "USD x 10^6" */
static void put_unit(struct strbuf *b, const struct series_row *s)
{
	strbuf_slice(b, s->unit);
	if (s->unit_mult)
		strbuf_fmt(b, "%sx 10^%d", s->unit.n ? " " : "", (int)s->unit_mult);
}

static glane_rc put_each(struct listing *l, const struct series_row *s)
{
	char count[24];
	struct strbuf *b = &l->scratch;

	strbuf_reset(b);
	strbuf_slice(b, s->title);
	if (s->unit.n || s->unit_mult) {
		strbuf_puts(b, s->title.n ? " (" : "(");
		put_unit(b, s);
		strbuf_putc(b, ')');
	}
	if (!strbuf_ok(b))
		return no_memory(l);
	return put_cells(
		l, (struct slice[CELLS]){s->source, s->dataset, s->indicator, s->area,
			   slice_eq(s->area, s->area_code) ? SLICE("") : s->area_code, s->dims, {&s->freq, 1},
			   s->first_period, s->last_period, number(count, s->observations), s->updated, strbuf_get(b)});
}

/* ---- indicators ---- */

static glane_rc end_group(struct listing *l)
{
	const struct group *g = &l->g;
	char areas[24], series[24], count[24];
	struct strbuf *unit = &l->scratch;

	if (!g->any)
		return GLANE_OK;
	strbuf_reset(unit);
	if (g->units)
		strbuf_puts(unit, "various");
	else
		put_unit(unit, &g->s);
	if (!strbuf_ok(unit))
		return no_memory(l);
	return put_cells(l,
		(struct slice[CELLS]){g->s.source, g->s.dataset, g->s.indicator, slice_of(g->freqs),
			number(areas, (int64_t)g->areas), number(series, (int64_t)g->series), g->s.first_period,
			g->s.last_period, number(count, g->observations), strbuf_get(unit), g->s.updated, g->s.title});
}

static bool begin_group(struct group *g, const struct series_row *s)
{
	struct arena *a = &g->arena;

	arena_release(a);
	*g = (struct group){.arena = g->arena, .any = true, .s.unit_mult = s->unit_mult};
	return arena_dup(a, s->source, &g->s.source) && arena_dup(a, s->dataset, &g->s.dataset) &&
	       arena_dup(a, s->indicator, &g->s.indicator) && arena_dup(a, s->unit, &g->s.unit) &&
	       arena_dup(a, s->title, &g->s.title);
}

static bool join_periods(struct group *g, const struct series_row *s)
{
	int64_t first = series_first_day(s, INT64_MAX), last = series_last_day(s, INT64_MIN);
	bool ok = true;

	if (s->first_period.n && (g->s.first_period.n == 0 || first < g->first)) {
		g->first = first;
		ok = arena_dup(&g->arena, s->first_period, &g->s.first_period);
	}
	if (s->last_period.n && (g->s.last_period.n == 0 || last > g->last)) {
		g->last = last;
		ok = ok && arena_dup(&g->arena, s->last_period, &g->s.last_period);
	}
	return ok;
}

static bool join_group(struct group *g, const struct series_row *s)
{
	size_t n = strlen(g->freqs);
	bool ok = join_periods(g, s);

	if (!memchr(g->freqs, s->freq, n) && n + 1 < sizeof(g->freqs))
		g->freqs[n] = s->freq;
	if (g->series++ == 0 || !slice_eq(g->area_code, s->area_code)) {
		g->areas++;
		ok = ok && arena_dup(&g->arena, s->area_code, &g->area_code);
	}
	g->observations += s->observations;
	g->units = g->units || !slice_eq(g->s.unit, s->unit) || g->s.unit_mult != s->unit_mult;
	if (g->s.title.n == 0)
		ok = ok && arena_dup(&g->arena, s->title, &g->s.title);
	if (slice_cmp(s->updated, g->s.updated) > 0)
		ok = ok && arena_dup(&g->arena, s->updated, &g->s.updated);
	return ok;
}

static glane_rc put_grouped(struct listing *l, const struct series_row *s)
{
	struct group *g = &l->g;
	glane_rc rc = GLANE_OK;

	if (!g->any || !slice_eq(g->s.source, s->source) || !slice_eq(g->s.dataset, s->dataset) ||
		!slice_eq(g->s.indicator, s->indicator)) {
		rc = end_group(l);
		if (rc == GLANE_OK && !begin_group(g, s))
			rc = no_memory(l);
	}
	if (rc == GLANE_OK && !join_group(g, s))
		rc = no_memory(l);
	return rc;
}

/* ---- for programs ---- */

static const char *const names[] = {"source", "dataset", "indicator", "area", "area_code", "area_title", "dims", "freq",
	"title", "unit", "unit_mult", "first_period", "last_period", "observations", "updated", "licence",
	"attribution", "recorded_at"};
#define NAMES (sizeof(names) / sizeof(names[0]))
enum { UNIT_MULT = 10, OBSERVATIONS = 13 }; /* numbers */

static void put_head(void)
{
	for (size_t i = 0; i < NAMES; i++)
		printf("%s%s", names[i], i + 1 < NAMES ? "," : "\n");
}

static glane_rc put_csv(struct listing *l, const struct slice cell[NAMES])
{
	struct strbuf *b = &l->line;

	strbuf_reset(b);
	for (size_t i = 0; i < NAMES; i++) {
		char *room = strbuf_room(b, CELL_MAX(cell[i].n) + 2);

		if (!room)
			return no_memory(l);
		b->n += (size_t)(cell_put(room, cell[i]) - room);
		strbuf_putc(b, i + 1 < NAMES ? ',' : '\n');
	}
	if (!strbuf_ok(b))
		return no_memory(l);
	(void)fwrite(b->p, 1, b->n, stdout);
	return GLANE_OK;
}

static glane_rc put_json(struct listing *l, const struct slice cell[NAMES], const struct series_row *s)
{
	struct strbuf *b = &l->line;
	json_t *j = json_object();
	bool ok = j != NULL;

	for (size_t i = 0; ok && i < NAMES; i++) {
		if (i != UNIT_MULT && i != OBSERVATIONS)
			ok = json_set_slice(j, names[i], cell[i].p ? cell[i] : SLICE(""));
	}
	ok = ok && json_set_int(j, names[UNIT_MULT], s->unit_mult) &&
	     json_set_int(j, names[OBSERVATIONS], s->observations);
	strbuf_reset(b);
	ok = ok && json_print(b, j, true);
	json_decref(j);
	if (!ok)
		return no_memory(l);
	printf("%.*s\n", SLICE_FMT(strbuf_get(b)));
	return GLANE_OK;
}

static glane_rc put_record(struct listing *l, const struct series_row *s)
{
	char mult[24], count[24], recorded[32];
	const struct slice cell[NAMES] = {s->source, s->dataset, s->indicator, s->area, s->area_code, s->area_title,
		s->dims, {&s->freq, 1}, s->title, s->unit, number(mult, s->unit_mult), s->first_period, s->last_period,
		number(count, s->observations), s->updated, s->licence, s->attribution,
		moment(recorded, s->recorded_at)};

	return l->format == CSV ? put_csv(l, cell) : put_json(l, cell, s);
}

static glane_rc on_series(void *arg, const struct series_row *s)
{
	struct listing *l = arg;

	if (!words_match(&l->words, l->areas, s))
		return strbuf_ok(&l->words.hay) ? GLANE_OK : no_memory(l);
	l->lines++;
	if (l->format != TEXT)
		return put_record(l, s);
	return l->each ? put_each(l, s) : put_grouped(l, s);
}

/* ---- the command ---- */

static int told(const struct listing *l, const struct diag *d)
{
	if (l->d.code != GLANE_OK)
		return complain(EXIT_STORE, "%s", l->d.text);
	return complain(d->code == GLANE_E_CONFIG || d->code == GLANE_E_USAGE ? EXIT_USAGE : EXIT_STORE, "%s", d->text);
}

/* A table is read twice, for its widths and for its lines: memory does not grow with it. */
static int list(const struct store *st, const struct query *q, struct listing *l)
{
	struct diag d;
	int64_t from, to;

	diag_clear(&d);
	if (query_days(q, &from, &to, &d) < 0) /* before anything is printed */
		return told(l, &d);
	if (l->format == CSV)
		put_head();
	for (int pass = l->format == TEXT ? 0 : 1; pass < 2; pass++) {
		l->printing = pass == 1;
		if (pass == 1 && l->format == TEXT && l->lines && put_heads(l) < 0)
			return told(l, &d);
		l->lines = 0;
		l->g.any = false;
		if (series_run(st, q, on_series, l, &d) < 0 || (!l->each && end_group(l) < 0))
			return told(l, &d);
	}
	if (l->lines == 0)
		fprintf(stderr, "glane: no series in the store is like that%s\n",
			l->words.n ? " (each word must stand in its title, codes or area)" : "");
	return flush_out();
}

static int run_list(const struct settings *set, struct listing *l, const struct filters *f)
{
	const struct query q = filters_query(f);
	struct store st;
	int code = app_store(set, &st);

	if (code != EXIT_FINE)
		return code;
	arena_init(&l->g.arena, 0);
	strbuf_init(&l->line, 0);
	strbuf_init(&l->scratch, 0);
	diag_clear(&l->d);
	l->areas = &f->areas;
	code = app_sources(set, &st, &f->source);
	if (code == EXIT_FINE)
		code = list(&st, &q, l);
	strbuf_release(&l->line);
	strbuf_release(&l->scratch);
	arena_release(&l->g.arena);
	store_close(&st);
	return code;
}

static bool take_format(struct listing *l, const char *name)
{
	static const char *const formats[] = {[TEXT] = "text", [CSV] = "csv", [NDJSON] = "ndjson"};

	for (int i = TEXT; name && i <= NDJSON; i++) {
		if (strcmp(name, formats[i]) == 0) {
			l->format = (enum series_format)i;
			return true;
		}
	}
	return !name;
}

int cmd_series(const struct app *a, int argc, char **argv)
{
	struct filters f = {.from = NULL};
	struct list words = {{NULL}, 0};
	struct listing l = {.ascii = locale_is_ascii()};
	const char *format = NULL;
	const struct arg args[] = {
		FILTER_ARGS(&f),
		{"each", 0, false, take_flag, &l.each},
		{"ascii", 0, false, take_flag, &l.ascii},
		{"format", 0, true, take_text, &format},
	};
	struct settings s;
	bool done;
	int code;

	if (!args_parse(argc, argv, args, sizeof(args) / sizeof(args[0]), &words, help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	if (!take_format(&l, format))
		return complain(EXIT_USAGE, "--format %s: text, csv and ndjson are known", format);
	l.each = l.each || f.area.n || f.group.n || f.dim.n;
	code = app_settings(a, &s);
	if (code == EXIT_FINE)
		code = filters_load(&f, s.tables);
	if (code == EXIT_FINE)
		code = words_init(&l.words, words.v, words.n) ? run_list(&s, &l, &f)
							      : complain(EXIT_STORE, "no memory for the words");
	words_release(&l.words);
	filters_release(&f);
	settings_release(&s);
	return code;
}
