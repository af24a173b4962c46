/* SPDX-License-Identifier: MIT */
/* The indicator catalogue, read and checked. */
#include "model/catalogue.h"
#include "base/file.h"
#include "model/table.h"
#include <fcntl.h>

enum {
	ID,
	NUMBER,
	POLICY_AREA,
	TITLE,
	SOURCE,
	DATASET,
	INDICATOR,
	DIMS,
	UNIT,
	DIRECTION,
	INTERVAL,
	TITLE_FR,
	SCALE,
	CAP,
	TARGET,
	CELLS
};
static const struct table form = {"catalogue.csv",
	"id,number,policy_area,title,source,dataset,indicator,dims,unit,direction,interval,title_fr,scale,cap,target",
	TITLE_FR, CELLS};

static glane_rc no_memory(struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "no memory for the catalogue");
}

static bool is_id(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-')
			return false;
	}
	return s.n > 0 && s.p[0] != '-';
}

static glane_rc take_line(void *arg, const struct slice *cells, struct diag *d)
{
	struct catalogue *c = arg;
	bool fresh = false;

	if (!is_id(cells[ID]))
		return fail(
			d, GLANE_E_CONFIG, "'%.*s' is no id: small letters, digits and hyphens", SLICE_FMT(cells[ID]));
	if (cells[DATASET].n == 0)
		return fail(d, GLANE_E_CONFIG, "%.*s names no dataset", SLICE_FMT(cells[ID]));
	if (!mem_grow(&c->items, &c->cap_items, c->n_items + 1, sizeof(*c->items)) ||
		!map_put(&c->ids, cells[ID], c->n_items, NULL, &fresh))
		return no_memory(d);
	if (!fresh)
		return fail(d, GLANE_E_CONFIG, "'%.*s' has a line already", SLICE_FMT(cells[ID]));
	c->items[c->n_items++] = (struct catalogue_item){.id = cells[ID],
		.number = cells[NUMBER],
		.policy_area = cells[POLICY_AREA],
		.title = cells[TITLE],
		.title_fr = cells[TITLE_FR],
		.source = cells[SOURCE],
		.dataset = cells[DATASET],
		.indicator = cells[INDICATOR],
		.dims = cells[DIMS],
		.unit = cells[UNIT]};
	return GLANE_OK;
}

static glane_rc take_file(struct catalogue *c, const char *dir, struct diag *d)
{
	int fd = dir_open(AT_FDCWD, dir, false, d);
	struct slice text;
	glane_rc rc = fd < 0 ? GLANE_E_IO : table_read(&c->arena, fd, dir, &form, take_line, c, &text, d);

	fd_close(&fd);
	return rc;
}

glane_rc catalogue_load(struct catalogue *c, const char *dir, struct diag *d)
{
	glane_rc rc;

	*c = (struct catalogue){.items = NULL};
	arena_init(&c->arena, 0);
	map_init(&c->ids, NULL);
	rc = take_file(c, dir, d);
	if (rc != GLANE_OK)
		catalogue_release(c);
	return rc;
}

void catalogue_release(struct catalogue *c)
{
	map_release(&c->ids);
	mem_free(c->items);
	arena_release(&c->arena);
	*c = (struct catalogue){.items = NULL};
}

const struct catalogue_item *catalogue_find(const struct catalogue *c, struct slice id)
{
	const uint64_t *found = map_find(&c->ids, id);

	return found ? &c->items[*found] : NULL;
}

static bool fits(struct slice wanted, struct slice have)
{
	return wanted.n == 0 || slice_eq(wanted, have);
}

static bool fits_indicator(struct slice wanted, struct slice have)
{
	const size_t n = wanted.n ? wanted.n - 1 : 0;

	if (wanted.n == 0 || wanted.p[n] != '*')
		return fits(wanted, have);
	return have.n >= n && memcmp(have.p, wanted.p, n) == 0;
}

bool catalogue_fits(const struct catalogue_item *item, struct slice source, struct slice dataset,
	struct slice indicator, struct slice dims)
{
	return fits(item->source, source) && fits(item->dataset, dataset) &&
	       fits_indicator(item->indicator, indicator) && fits(item->dims, dims);
}
