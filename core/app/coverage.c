/* SPDX-License-Identifier: MIT */
/* Coverage of the catalogue. A row of it may have several lines; it counts once, by the best of them. */
#include "app/coverage.h"

#include "base/file.h"
#include "model/catalogue.h"
#include "store/series.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { NO_SECTION, DISABLED, ENABLED, STATES };
static const char *const state_names[STATES] = {"no_section", "disabled", "enabled"};

struct line { /* a row of the catalogue */
	const struct catalogue_item *item;
	const struct source_conf *source; /* of the line that says `state` */
	int state;
	bool has_data;
	int64_t newest; /* first day */
	char period[24];
};
struct coverage {
	const struct settings *settings;
	struct catalogue table;
	struct arena arena;
	struct map numbers;    /* number -> line */
	struct line *lines;    /* in order of the file */
	const size_t *line_of; /* of each item */
	size_t n;
	bool has_store;
	struct diag d;
};
struct sum { /* of the lines of a policy area, or of all */
	size_t n, state[STATES], data;
	int64_t newest;
	const char *period;
};

static glane_rc no_memory(struct coverage *c)
{
	return fail(&c->d, GLANE_E_NOMEM, "no memory for the coverage");
}

static const struct source_conf *source_of(const struct settings *s, struct slice name)
{
	for (size_t i = 0; i < s->n_sources; i++)
		if (slice_is(name, s->sources[i].name))
			return &s->sources[i];
	return NULL;
}

static glane_rc add_item(struct coverage *c, const struct catalogue_item *item, size_t *ret_line)
{
	const struct source_conf *source = source_of(c->settings, item->source);
	const int state = !source ? NO_SECTION : source->enabled ? ENABLED : DISABLED;
	bool fresh = true;
	uint64_t *at = NULL;
	struct line *l;

	if (item->number.n && !map_put(&c->numbers, item->number, c->n, &at, &fresh))
		return no_memory(c);
	*ret_line = fresh ? c->n++ : (size_t)*at;
	l = &c->lines[*ret_line];
	if (fresh)
		*l = (struct line){.item = item, .source = source, .state = state, .newest = INT64_MIN};
	else if (state > l->state)
		l->state = state, l->source = source, l->item = item;
	return GLANE_OK;
}

static glane_rc add_items(struct coverage *c)
{
	const size_t n = c->table.n_items;
	size_t *line_of = arena_alloc(&c->arena, (n + 1) * sizeof(*line_of));
	glane_rc rc = GLANE_OK;

	c->lines = arena_alloc(&c->arena, (n + 1) * sizeof(*c->lines));
	if (!line_of || !c->lines)
		return no_memory(c);
	for (size_t i = 0; i < n && rc == GLANE_OK; i++)
		rc = add_item(c, &c->table.items[i], &line_of[i]);
	c->line_of = line_of;
	return rc;
}

static glane_rc on_series(void *arg, const struct series_row *s)
{
	struct coverage *c = arg;
	const int64_t day = series_last_day(s, INT64_MIN);

	for (size_t i = 0; i < c->table.n_items; i++) {
		struct line *l = &c->lines[c->line_of[i]];

		if (!catalogue_fits(&c->table.items[i], s->source, s->dataset, s->indicator, s->dims))
			continue;
		l->has_data = true;
		if (day > l->newest) {
			l->newest = day;
			(void)snprintf(l->period, sizeof(l->period), "%.*s", SLICE_FMT(s->last_period));
		}
	}
	return GLANE_OK;
}

static glane_rc look_into_store(struct coverage *c)
{
	const struct query q = {.as_of = INT64_MAX};
	struct store st;
	glane_rc rc = store_open_if_any(&st, c->settings->store, &c->d);

	if (rc != GLANE_OK)
		return rc;
	c->has_store = st.dir >= 0;
	if (c->has_store)
		rc = series_run(&st, &q, on_series, c, &c->d);
	store_close(&st);
	return rc;
}

static void add_line(struct sum *s, const struct line *l)
{
	s->n++;
	s->state[l->state]++;
	s->data += l->has_data;
	if (l->has_data && (!s->period || l->newest > s->newest))
		s->newest = l->newest, s->period = l->period;
}

/* True for the first line of its policy area: then `ret` has the sum of all its lines. */
static bool area_begins(const struct coverage *c, size_t at, struct sum *ret)
{
	const struct slice area = c->lines[at].item->policy_area;

	*ret = (struct sum){.period = NULL};
	for (size_t i = 0; i < at; i++)
		if (slice_eq(c->lines[i].item->policy_area, area))
			return false;
	for (size_t i = at; i < c->n; i++)
		if (slice_eq(c->lines[i].item->policy_area, area))
			add_line(ret, &c->lines[i]);
	return true;
}

/* The lines that wait for the source of line `at`, where it is the first of them; 0 where it is not, or is enabled. */
static size_t waiting_for(const struct coverage *c, size_t at)
{
	const struct line *l = &c->lines[at];
	size_t n = 0;

	if (l->state == ENABLED)
		return 0;
	for (size_t i = 0; i < c->n; i++) {
		const bool same = c->lines[i].state != ENABLED && slice_eq(c->lines[i].item->source, l->item->source);

		if (same && i < at)
			return 0;
		n += same;
	}
	return n;
}

static const char *why(const struct line *l)
{
	if (l->state == NO_SECTION)
		return "no section of sources.d has this name";
	return l->source->reason ? l->source->reason : "disabled; its section gives no reason";
}

/* ---- text ---- */

static void print_sum(const struct coverage *c, struct slice area, const struct sum *s)
{
	printf("%-10.*s %10zu %8zu %8zu %10zu", SLICE_FMT(area), s->n, s->state[ENABLED], s->state[DISABLED],
		s->state[NO_SECTION]);
	if (c->has_store)
		printf(" %9zu  %s", s->data, s->period ? s->period : "-");
	putchar('\n');
}

static void print_text(const struct coverage *c)
{
	struct sum s, all = {.period = NULL};
	size_t n;

	printf("\n%-10s %10s %8s %8s %10s%s\n", "COVERAGE", "INDICATORS", "ENABLED", "DISABLED", "NO SECTION",
		c->has_store ? " WITH DATA  NEWEST" : "");
	for (size_t i = 0; i < c->n; i++) {
		if (area_begins(c, i, &s))
			print_sum(c, c->lines[i].item->policy_area, &s);
		add_line(&all, &c->lines[i]);
	}
	print_sum(c, slice_of("all"), &all);
	for (size_t i = 0; i < c->n; i++)
		if ((n = waiting_for(c, i)))
			printf("%.*s (%zu): %s\n", SLICE_FMT(c->lines[i].item->source), n, why(&c->lines[i]));
}

/* ---- JSON ---- */

static json_t *sum_json(const struct coverage *c, struct slice area, const struct sum *s)
{
	json_t *j = json_object();

	json_object_set_new(j, "policy_area", json_stringn(area.p, area.n));
	json_set_int(j, "indicators", (int64_t)s->n);
	for (int i = STATES - 1; i >= 0; i--)
		json_set_int(j, state_names[i], (int64_t)s->state[i]);
	if (c->has_store) {
		json_set_int(j, "with_data", (int64_t)s->data);
		json_set_text(j, "newest_period", s->period);
	}
	return j;
}

static json_t *waiting_json(const struct coverage *c, const struct line *l)
{
	json_t *j = json_object(), *ids = json_array();

	json_object_set_new(j, "source", json_stringn(l->item->source.p, l->item->source.n));
	json_set_text(j, "state", state_names[l->state]);
	json_set_text(j, "reason", why(l));
	for (size_t i = 0; i < c->table.n_items; i++) {
		const struct catalogue_item *item = &c->table.items[i];

		if (c->lines[c->line_of[i]].state != ENABLED && slice_eq(item->source, l->item->source))
			json_array_append_new(ids, json_stringn(item->id.p, item->id.n));
	}
	json_object_set_new(j, "indicators", ids);
	return j;
}

static void put_json(const struct coverage *c, json_t *json)
{
	json_t *areas = json_array(), *waiting = json_array();
	struct sum s;

	for (size_t i = 0; i < c->n; i++) {
		if (area_begins(c, i, &s))
			json_array_append_new(areas, sum_json(c, c->lines[i].item->policy_area, &s));
		if (waiting_for(c, i))
			json_array_append_new(waiting, waiting_json(c, &c->lines[i]));
	}
	json_object_set_new(json, "coverage", areas);
	json_object_set_new(json, "not_enabled", waiting);
}

static bool has_catalogue(const char *tables)
{
	char path[4096];

	return path_join(tables, "catalogue.csv", path, sizeof(path)) && file_exists(AT_FDCWD, path);
}

int coverage_show(const struct settings *s, json_t *json)
{
	struct coverage c = {.settings = s};
	int code = EXIT_FINE;

	if (!has_catalogue(s->tables))
		return EXIT_FINE;
	diag_clear(&c.d);
	if (catalogue_load(&c.table, s->tables, &c.d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", c.d.text);
	arena_init(&c.arena, 0);
	map_init(&c.numbers, NULL);
	if (add_items(&c) != GLANE_OK || look_into_store(&c) != GLANE_OK)
		code = complain(c.d.code == GLANE_E_IO ? EXIT_STORE : EXIT_SOME, "%s", c.d.text);
	else if (json)
		put_json(&c, json);
	else
		print_text(&c);
	map_release(&c.numbers);
	arena_release(&c.arena);
	catalogue_release(&c.table);
	return code;
}
