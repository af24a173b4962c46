/* SPDX-License-Identifier: MIT */
/* Filters of a command line. */
#include "app/filters.h"

#include "base/clock.h"
#include "model/period.h"

#include <stdio.h>
#include <string.h>

/* The day of --members-of. */
static bool read_day(const char *text, int64_t *ret)
{
	char moment[32];
	int64_t seconds;
	const int n = snprintf(moment, sizeof(moment), "%sT00:00:00Z", text);

	if (n >= (int)sizeof(moment) || !time_parse(slice_of(moment), &seconds))
		return false;
	*ret = (seconds - (seconds % 86400 + 86400) % 86400) / 86400;
	return true;
}

bool filters_area(const struct areas *areas, const char *text, struct strbuf *b)
{
	static const char *const schemes[] = {"ISO3", "NAME", "ISO2"};
	struct strbuf upper;
	bool known = false;

	strbuf_init(&upper, 0);
	for (const char *p = text; *p; p++)
		strbuf_putc(&upper, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]) && !known; i++) {
		strbuf_reset(b);
		areas_map(areas, slice_of(schemes[i]), strbuf_get(&upper), b, &known);
	}
	b->failed |= upper.failed;
	strbuf_release(&upper);
	return known && b->n;
}

/* Areas stand in rows by their codes; people call them by name too. */
static int name_areas(struct filters *f)
{
	int code = EXIT_FINE;
	struct strbuf b;

	strbuf_init(&b, 0);
	for (size_t i = 0; i < f->area.n && code == EXIT_FINE; i++) {
		const char *area = f->area.v[i];

		if (filters_area(&f->areas, area, &b))
			area = arena_strndup(&f->areas.arena, b.p, b.n);
		if (!area || b.failed)
			code = complain(EXIT_STORE, "no memory for the filters");
		f->area.v[i] = area;
	}
	strbuf_release(&b);
	return code;
}

static int check_freqs(const struct filters *f)
{
	for (size_t i = 0; i < f->freq.n; i++) {
		const char *freq = f->freq.v[i];

		if (!period_freq_ok(freq[0]) || freq[1])
			return complain(EXIT_USAGE,
				"--freq %s: a letter is asked for: A (annual) S T Q M W D B, or I (irregular)", freq);
	}
	return EXIT_FINE;
}

int filters_load(struct filters *f, const char *tables)
{
	struct diag d;
	int code;

	diag_clear(&d);
	if (check_freqs(f) != EXIT_FINE)
		return EXIT_USAGE;
	if (f->members_of && !read_day(f->members_of, &f->members_on))
		return complain(EXIT_USAGE, "--members-of %s: a day is written 2025-01-28", f->members_of);
	if (areas_load(&f->areas, tables, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	if (f->catalogue.n && catalogue_load(&f->table, tables, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	if (aliases_load(&f->aliases, tables, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	for (size_t i = 0; i < f->group.n; i++) {
		if (!areas_has_group(&f->areas, slice_of(f->group.v[i])))
			return complain(EXIT_USAGE, "no group is called '%s' (groups.csv lists them)", f->group.v[i]);
	}
	for (size_t i = 0; i < f->catalogue.n; i++) {
		f->items[i] = catalogue_find(&f->table, slice_of(f->catalogue.v[i]));
		if (!f->items[i])
			return complain(EXIT_USAGE, "the catalogue has no '%s' (%s/catalogue.csv lists its ids)",
				f->catalogue.v[i], tables);
	}
	code = name_areas(f);
	if (code == EXIT_FINE)
		code = breaks_follow(&f->aliases, &f->indicator, false);
	return code == EXIT_FINE ? breaks_follow(&f->aliases, &f->area, true) : code;
}

bool filters_any(const struct filters *f)
{
	return f->source.n || f->dataset.n || f->indicator.n || f->catalogue.n || f->area.n || f->group.n ||
	       f->freq.n || f->dim.n || f->from || f->to;
}

static const char **items_of(const struct list *l)
{
	return l->n ? (const char **)(uintptr_t)l->v : NULL;
}

static int64_t group_day(const struct filters *f)
{
	return f->members_of ? f->members_on : (f->group_on ? f->group_on : clock_utc()) / 86400;
}

struct query filters_query(const struct filters *f)
{
	return (struct query){.source = items_of(&f->source),
		.dataset = items_of(&f->dataset),
		.indicator = items_of(&f->indicator),
		.area = items_of(&f->area),
		.group = items_of(&f->group),
		.freq = items_of(&f->freq),
		.dim = items_of(&f->dim),
		.from = f->from,
		.to = f->to,
		.as_of = INT64_MAX,
		.areas = &f->areas,
		.catalogue = f->catalogue.n ? f->items : NULL,
		.n_catalogue = f->catalogue.n,
		.group_on = group_day(f)};
}

void filters_tell_empty(const struct filters *f)
{
	const int64_t on = group_day(f);
	char day[32];

	filters_group_day(f, day);
	for (size_t i = 0; i < f->group.n; i++) {
		const struct area_member *m = areas_members(&f->areas, slice_of(f->group.v[i]));

		while (m && (m->from > on || m->to < on))
			m = m->next;
		if (!m)
			fprintf(stderr, "glane: %s has no members on %s (groups.csv)\n", f->group.v[i], day);
	}
}

void filters_group_day(const struct filters *f, char buf[32])
{
	time_format(group_day(f) * 86400, buf);
	buf[strlen("2026-11-29")] = '\0';
}

void filters_release(struct filters *f)
{
	aliases_release(&f->aliases);
	catalogue_release(&f->table);
	areas_release(&f->areas);
}
