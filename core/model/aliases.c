/* SPDX-License-Identifier: MIT */
/* The table of code breaks, read and checked. */
#include "model/aliases.h"

#include "base/file.h"
#include "model/period.h"
#include "model/table.h"

#include <fcntl.h>

enum { SOURCE, COLUMN, CODE, FROM, TO, CHANGE, REPLACED_BY, NOTE, CELLS };
static const struct table form = {
	"aliases.csv", "source,column,code,valid_from,valid_to,change,replaced_by,note", REPLACED_BY, CELLS};
static const char *const changes[ALIAS_CHANGES] = {[ALIAS_RENAMED] = "renamed",
	[ALIAS_REPLACED] = "replaced",
	[ALIAS_RETIRED] = "retired",
	[ALIAS_RECOMPOSED] = "recomposed"};

static glane_rc take_day(struct slice text, int64_t dflt, int64_t *ret, struct diag *d)
{
	struct period p;
	glane_rc rc;

	*ret = dflt;
	if (text.n == 0)
		return GLANE_OK;
	rc = period_parse(text, 'D', &p, d);
	if (rc != GLANE_OK || p.freq != 'D') {
		diag_clear(d);
		return fail(d, GLANE_E_CONFIG, "'%.*s' is no day: write it as 2026-07-01", SLICE_FMT(text));
	}
	*ret = period_start('D', p.value);
	return GLANE_OK;
}

static glane_rc take_change(struct alias *a, const struct slice *cells, struct diag *d)
{
	a->change = 0;
	while (a->change < ALIAS_CHANGES && !slice_is(cells[CHANGE], changes[a->change]))
		a->change++;
	if (a->change == ALIAS_CHANGES)
		return fail(d, GLANE_E_CONFIG, "'%.*s' is no change: renamed, replaced, retired or recomposed",
			SLICE_FMT(cells[CHANGE]));
	if (a->change <= ALIAS_REPLACED && a->replaced_by.n == 0)
		return fail(d, GLANE_E_CONFIG, "%.*s: a code that is %s has another one in replaced_by",
			SLICE_FMT(a->code), changes[a->change]);
	a->is_area = slice_is(cells[COLUMN], "area");
	if (!a->is_area && !slice_is(cells[COLUMN], "indicator"))
		return fail(d, GLANE_E_CONFIG, "column is '%.*s': it is indicator or area", SLICE_FMT(cells[COLUMN]));
	return GLANE_OK;
}

static glane_rc take_line(void *arg, const struct slice *cells, struct diag *d)
{
	struct aliases *all = arg;
	struct alias a = {.source = cells[SOURCE],
		.code = cells[CODE],
		.replaced_by = cells[REPLACED_BY],
		.note = cells[NOTE],
		.from = cells[FROM],
		.to = cells[TO]};
	int64_t from;
	glane_rc rc = take_change(&a, cells, d);

	if (rc == GLANE_OK && (a.source.n == 0 || a.code.n == 0))
		rc = fail(d, GLANE_E_CONFIG, "a line needs source and code");
	if (rc == GLANE_OK)
		rc = take_day(cells[FROM], INT64_MIN, &from, d);
	if (rc == GLANE_OK)
		rc = take_day(cells[TO], INT64_MAX, &a.to_day, d);
	if (rc != GLANE_OK)
		return rc;
	if (!mem_grow(&all->items, &all->cap, all->n + 1, sizeof(*all->items)))
		return fail(d, GLANE_E_NOMEM, "no memory for the aliases");
	all->items[all->n++] = a;
	return GLANE_OK;
}

glane_rc aliases_load(struct aliases *a, const char *dir, struct diag *d)
{
	int fd = dir_open(AT_FDCWD, dir, false, d);
	struct slice text;
	glane_rc rc = fd < 0 ? GLANE_E_IO : GLANE_OK;

	*a = (struct aliases){.items = NULL};
	arena_init(&a->arena, 0);
	if (rc == GLANE_OK && file_exists(fd, form.file))
		rc = table_read(&a->arena, fd, dir, &form, take_line, a, &text, d);
	fd_close(&fd);
	if (rc != GLANE_OK)
		aliases_release(a);
	return rc;
}

void aliases_release(struct aliases *a)
{
	mem_free(a->items);
	arena_release(&a->arena);
	*a = (struct aliases){.items = NULL};
}
