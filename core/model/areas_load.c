/* SPDX-License-Identifier: MIT */
/* The tables of areas, names and groups, read and checked. */
#include "base/clock.h"
#include "base/file.h"
#include "base/sha256.h"
#include "model/areas.h"
#include "model/areas_key.h"
#include "model/table.h"
#include <fcntl.h>

#define ECONOMY_CELLS 5
#define DAY 86400

struct loader {
	struct areas *a;
	struct strbuf key;
	struct sha256 hash;
	struct diag *d;
};

static glane_rc no_memory(struct loader *l)
{
	return fail(l->d, GLANE_E_NOMEM, "no memory for the tables of areas");
}

/* An ISO date; empty: `open`. */
static glane_rc take_day(struct loader *l, struct slice cell, int64_t open, int64_t *ret)
{
	int64_t t;

	if (cell.n == 0) {
		*ret = open;
		return GLANE_OK;
	}
	if (cell.n != 10 || !time_parse(cell, &t))
		return fail(l->d, GLANE_E_CONFIG, "'%.*s' is no date; write it as 2026-11-23", SLICE_FMT(cell));
	*ret = t / DAY;
	return GLANE_OK;
}

static glane_rc take_days(struct loader *l, const struct slice *cells, int64_t *from, int64_t *to)
{
	glane_rc rc = take_day(l, cells[0], INT64_MIN, from);

	if (rc == GLANE_OK)
		rc = take_day(l, cells[1], INT64_MAX, to);
	if (rc == GLANE_OK && *from > *to)
		rc = fail(l->d, GLANE_E_CONFIG, "valid_from is after valid_to");
	return rc;
}

/* The scheme's entry, made where it is missing; NULL: no memory. */
static struct area_scheme *scheme_put(struct areas *a, struct slice scheme)
{
	uint64_t *index;
	bool fresh;

	if (!mem_grow(&a->schemes, &a->cap_schemes, a->n_schemes + 1, sizeof(*a->schemes)) ||
		!map_put(&a->bases, scheme, a->n_schemes, &index, &fresh))
		return NULL;
	if (fresh)
		a->schemes[a->n_schemes++] =
			(struct area_scheme){.folds = slice_is(scheme, "NAME"), .numeric = slice_is(scheme, "M49")};
	return &a->schemes[*index];
}

/* Whatever is extended gets no bases any more, so that no scheme can come to extend itself. */
static glane_rc extend(struct loader *l, struct slice scheme, struct slice base)
{
	const uint64_t *found = map_find(&l->a->bases, base);
	struct area_scheme *s, *b;
	uint64_t at;

	if (!found)
		return fail(
			l->d, GLANE_E_CONFIG, "scheme %.*s is not known here; it must stand above", SLICE_FMT(base));
	at = *found;
	l->a->schemes[at].used = true;
	s = scheme_put(l->a, scheme);
	if (!s)
		return no_memory(l);
	b = &l->a->schemes[at];
	if (s->used)
		return fail(l->d, GLANE_E_CONFIG,
			"the line must stand above the codes of scheme %.*s, and what extends it", SLICE_FMT(scheme));
	if (s->n_bases == AREA_BASES || b->depth + 1 > AREA_BASES)
		return fail(l->d, GLANE_E_CONFIG, "scheme %.*s extends more than %d others, or goes deeper than that",
			SLICE_FMT(scheme), AREA_BASES);
	s->bases[s->n_bases++] = base;
	s->depth = b->depth + 1 > s->depth ? b->depth + 1 : s->depth;
	s->folds |= b->folds;
	s->numeric |= b->numeric;
	return GLANE_OK;
}

/* The same code again: the same area, or days of use that do not overlap, of which the later hold. */
static glane_rc code_again(struct loader *l, struct area_code *old, const struct area_code *c, struct slice code)
{
	if (slice_eq(old->area, c->area))
		return GLANE_OK;
	if (c->from <= old->to && old->from <= c->to)
		return fail(l->d, GLANE_E_CONFIG, "'%.*s' means %.*s already; give both lines dates, or remove one",
			SLICE_FMT(code), SLICE_FMT(old->area));
	if (c->from > old->to)
		*old = *c;
	return GLANE_OK;
}

static glane_rc code_put(struct loader *l, struct slice scheme, struct slice code, const struct area_code *c)
{
	struct areas *a = l->a;
	struct area_scheme *s = scheme_put(a, scheme);
	uint64_t *index;
	bool fresh;

	if (!s)
		return no_memory(l);
	s->used = true;
	areas_key(a, scheme, code, &l->key);
	if (!strbuf_ok(&l->key) || !mem_grow(&a->list, &a->cap_list, a->n_list + 1, sizeof(*a->list)) ||
		!map_put(&a->codes, strbuf_get(&l->key), a->n_list, &index, &fresh))
		return no_memory(l);
	if (!fresh)
		return code_again(l, &a->list[*index], c, code);
	a->list[a->n_list++] = *c;
	return GLANE_OK;
}

/* The first name given to an area is its title. */
static glane_rc title_put(struct loader *l, struct slice area, struct slice title)
{
	struct areas *a = l->a;
	bool fresh;

	if (!mem_grow(&a->titles, &a->cap_titles, a->n_titles + 1, sizeof(*a->titles)) ||
		!map_put(&a->names, area, a->n_titles, NULL, &fresh))
		return no_memory(l);
	if (fresh)
		a->titles[a->n_titles++] = title;
	return GLANE_OK;
}

static bool is_economy(const struct areas *a, struct slice area)
{
	return area.n == 3 && map_find(&a->names, area) != NULL;
}

static glane_rc take_economy(void *arg, const struct slice *cells, struct diag *d)
{
	struct loader *l = arg;
	static const char *const schemes[ECONOMY_CELLS] = {"ISO3", "ISO2", "M49", "NAME", "NAME"};
	static const size_t lengths[] = {3, 2, 3};
	const struct area_code c = {cells[0], INT64_MIN, INT64_MAX};
	glane_rc rc;

	if (is_economy(l->a, cells[0]))
		return fail(d, GLANE_E_CONFIG, "economy %.*s stands twice", SLICE_FMT(cells[0]));
	for (size_t i = 0; i < ECONOMY_CELLS; i++) {
		if (cells[i].n == 0 && i == 2)
			continue; /* Kosovo has no M49 code */
		if (cells[i].n == 0 || (i < 3 && cells[i].n != lengths[i]))
			return fail(
				d, GLANE_E_CONFIG, "cell %zu: '%.*s' cannot stand there", i + 1, SLICE_FMT(cells[i]));
		rc = code_put(l, slice_of(schemes[i]), cells[i], &c);
		if (rc < 0)
			return rc;
	}
	return title_put(l, cells[0], cells[3]);
}

static glane_rc take_area(void *arg, const struct slice *cells, struct diag *d)
{
	struct loader *l = arg;
	struct area_code c = {.area = cells[2]};
	const struct area_scheme *s;
	glane_rc rc;

	if (cells[0].n == 0 || cells[1].n == 0 || c.area.n == 0)
		return fail(d, GLANE_E_CONFIG, "scheme, code or area is empty");
	if (slice_is(cells[1], "*"))
		return extend(l, cells[0], cells[2]);
	if (!memchr(c.area.p, ':', c.area.n) && !is_economy(l->a, c.area))
		return fail(d, GLANE_E_CONFIG, "'%.*s' is neither an economy of economies.csv nor SCHEME:code",
			SLICE_FMT(c.area));
	rc = take_days(l, cells + 3, &c.from, &c.to);
	if (rc == GLANE_OK)
		rc = code_put(l, cells[0], cells[1], &c);
	s = areas_scheme(l->a, cells[0]);
	if (rc == GLANE_OK && s && s->folds)
		rc = title_put(l, c.area, cells[1]);
	return rc;
}

static glane_rc group_alias(struct loader *l, struct slice alias, struct slice group)
{
	const uint64_t *found = map_find(&l->a->groups, group);
	bool fresh;

	if (!found)
		return fail(
			l->d, GLANE_E_CONFIG, "group %.*s is not known here; it must stand above", SLICE_FMT(group));
	if (!map_put(&l->a->groups, alias, *found, NULL, &fresh))
		return no_memory(l);
	if (!fresh)
		return fail(l->d, GLANE_E_CONFIG, "'%.*s' is a group already", SLICE_FMT(alias));
	return GLANE_OK;
}

static glane_rc take_member(void *arg, const struct slice *cells, struct diag *d)
{
	struct loader *l = arg;
	struct areas *a = l->a;
	struct area_member *m;
	uint64_t *index;
	glane_rc rc;
	bool fresh;

	if (cells[0].n && cells[1].n && cells[1].p[0] == '=')
		return group_alias(l, cells[0], (struct slice){cells[1].p + 1, cells[1].n - 1});
	if (cells[0].n == 0 || !is_economy(a, cells[1]))
		return fail(d, GLANE_E_CONFIG, "'%.*s' is no economy of economies.csv", SLICE_FMT(cells[1]));
	m = arena_alloc(&a->arena, sizeof(*m));
	if (!m || !mem_grow(&a->group_list, &a->cap_groups, a->n_groups + 1, sizeof(struct area_member *)) ||
		!map_put(&a->groups, cells[0], a->n_groups, &index, &fresh))
		return no_memory(l);
	if (fresh)
		a->group_list[a->n_groups++] = NULL;
	m->area = cells[1];
	m->next = a->group_list[*index];
	rc = take_days(l, cells + 2, &m->from, &m->to);
	if (rc == GLANE_OK)
		a->group_list[*index] = m;
	return rc;
}

static const struct {
	struct table form;
	table_take *take;
} tables[] = {
	{{"economies.csv", "iso3,iso2,m49,name_en,name_fr", 5, 5}, take_economy},
	{{"areas.csv", "scheme,code,area,valid_from,valid_to", 3, 5}, take_area},
	{{"groups.csv", "group,area,valid_from,valid_to", 2, 4}, take_member},
};

/* Text lives in the arena for as long as the tables do: cells point into it. */
static glane_rc take_file(struct loader *l, size_t i, int fd, const char *dir)
{
	const struct table *t = &tables[i].form;
	struct slice text = {NULL, 0};
	glane_rc rc = table_read(&l->a->arena, fd, dir, t, tables[i].take, l, &text, l->d);

	if (rc == GLANE_OK &&
		(!sha256_add(&l->hash, t->file, strlen(t->file) + 1) || !sha256_add(&l->hash, text.p, text.n)))
		rc = no_memory(l);
	return rc;
}

static glane_rc take_files(struct loader *l, const char *dir)
{
	int fd = dir_open(AT_FDCWD, dir, false, l->d);
	glane_rc rc = fd < 0 ? GLANE_E_IO : GLANE_OK;

	if (rc == GLANE_OK && !scheme_put(l->a, SLICE("NAME")))
		rc = no_memory(l);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables) && rc == GLANE_OK; i++)
		rc = take_file(l, i, fd, dir);
	fd_close(&fd);
	return rc;
}

glane_rc areas_load(struct areas *a, const char *dir, struct diag *d)
{
	struct loader l = {.a = a, .d = d};
	glane_rc rc;

	*a = (struct areas){0};
	arena_init(&a->arena, 0);
	map_init(&a->codes, &a->arena);
	map_init(&a->bases, NULL);
	map_init(&a->groups, NULL);
	map_init(&a->names, NULL);
	strbuf_init(&l.key, 0);
	rc = sha256_init(&l.hash) ? take_files(&l, dir) : no_memory(&l);
	if (rc == GLANE_OK && !sha256_end(&l.hash, a->digest))
		rc = no_memory(&l);
	sha256_release(&l.hash);
	strbuf_release(&l.key);
	if (rc < 0)
		areas_release(a);
	return rc;
}
