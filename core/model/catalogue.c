/* SPDX-License-Identifier: MIT */
/* The indicator catalogue, read and checked. */
#include "model/catalogue.h"
#include "base/file.h"
#include "model/cell.h"
#include <fcntl.h>

#define MAX_FILE ((size_t)4 << 20)
#define FILE_NAME "catalogue.csv"

enum { ID, NUMBER, POLICY_AREA, TITLE, SOURCE, DATASET, INDICATOR, DIMS, UNIT, DIRECTION, INTERVAL, CELLS };
static const char header[] = "id,number,policy_area,title,source,dataset,indicator,dims,unit,direction,interval";

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

static glane_rc take_cells(struct slice line, char **spare, struct slice *cells, struct diag *d)
{
	size_t n = 0;

	if (!slice_is_utf8(line))
		return fail(d, GLANE_E_CONFIG, "not UTF-8; save the file in that encoding");
	for (; line.p && n < CELLS; n++) {
		if (!cell_next(&line, spare, &cells[n]))
			return fail(d, GLANE_E_CONFIG, "cell %zu: a quote where none may be", n + 1);
	}
	if (line.p || n < CELLS)
		return fail(d, GLANE_E_CONFIG, "%s than %d cells", line.p ? "more" : "fewer", CELLS);
	return GLANE_OK;
}

static glane_rc take_line(struct catalogue *c, struct slice line, char **spare, struct diag *d)
{
	struct slice cells[CELLS] = {{NULL, 0}};
	glane_rc rc = take_cells(line, spare, cells, d);
	bool fresh = false;

	if (rc != GLANE_OK)
		return rc;
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
		.title = cells[TITLE],
		.source = cells[SOURCE],
		.dataset = cells[DATASET],
		.indicator = cells[INDICATOR],
		.dims = cells[DIMS],
		.unit = cells[UNIT]};
	return GLANE_OK;
}

/* Cells point into the text, which lives in the arena for as long as the catalogue does. */
static glane_rc take_text(struct catalogue *c, struct slice text, const char *dir, struct diag *d)
{
	char *spare = arena_alloc(&c->arena, text.n + 1);
	bool headed = false;
	unsigned number = 0;

	if (!spare)
		return no_memory(d);
	if (slice_has_prefix(text, "\xEF\xBB\xBF"))
		text = (struct slice){text.p + 3, text.n - 3};
	while (text.p) {
		struct slice line = slice_cut(&text, '\n');
		glane_rc rc = GLANE_OK;

		number++;
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (headed)
			rc = take_line(c, line, &spare, d);
		else if (!slice_is(line, header))
			rc = fail(d, GLANE_E_CONFIG, "the first line must be %s", header);
		headed = true;
		if (rc != GLANE_OK) {
			(void)diag_prefix(d, "%s/" FILE_NAME ":%u", dir, number);
			return rc;
		}
	}
	return headed ? GLANE_OK : fail(d, GLANE_E_CONFIG, "%s/" FILE_NAME ": empty; was it written completely?", dir);
}

static glane_rc take_file(struct catalogue *c, const char *dir, struct diag *d)
{
	int fd = dir_open(AT_FDCWD, dir, false, d);
	glane_rc rc = fd < 0 ? GLANE_E_IO : GLANE_OK;
	struct slice text = {NULL, 0};
	struct strbuf b;

	if (fd < 0)
		return rc;
	strbuf_init(&b, 0);
	rc = file_read(fd, FILE_NAME, MAX_FILE, &b, d);
	if (rc != GLANE_OK)
		(void)diag_prefix(d, "%s", dir);
	else if (!arena_dup(&c->arena, strbuf_get(&b), &text))
		rc = no_memory(d);
	strbuf_release(&b);
	fd_close(&fd);
	return rc == GLANE_OK ? take_text(c, text, dir, d) : rc;
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
