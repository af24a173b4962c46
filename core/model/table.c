/* SPDX-License-Identifier: MIT */
/* Tables under conf/, line by line. */
#include "model/table.h"
#include "base/file.h"
#include "model/cell.h"

#define MAX_FILE ((size_t)4 << 20)

struct reader {
	const struct table *t;
	table_take *take;
	void *arg;
	char *spare; /* for cells that hold doubled quotes */
	struct diag *d;
};

static glane_rc take_line(struct reader *r, struct slice line)
{
	struct slice cells[TABLE_CELLS] = {{NULL, 0}};
	size_t n = 0;

	if (!slice_is_utf8(line))
		return fail(r->d, GLANE_E_CONFIG, "not UTF-8; save the file in that encoding");
	for (; line.p; n++) {
		if (n == r->t->max_cells)
			return fail(r->d, GLANE_E_CONFIG, "more than %zu cells", n);
		if (!cell_next(&line, &r->spare, &cells[n]))
			return fail(r->d, GLANE_E_CONFIG, "cell %zu: a quote where none may be", n + 1);
	}
	if (n < r->t->min_cells)
		return fail(r->d, GLANE_E_CONFIG, "fewer than %zu cells", r->t->min_cells);
	return r->take(r->arg, cells, r->d);
}

static glane_rc take_text(struct reader *r, struct slice text, const char *dir)
{
	bool headed = false;
	unsigned number = 0;

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
			rc = take_line(r, line);
		else if (!slice_is(line, r->t->header))
			rc = fail(r->d, GLANE_E_CONFIG, "the first line must be %s", r->t->header);
		headed = true;
		if (rc < 0) {
			(void)diag_prefix(r->d, "%s/%s:%u", dir, r->t->file, number);
			return rc;
		}
	}
	if (!headed)
		return fail(r->d, GLANE_E_CONFIG, "%s/%s: empty; was it written completely?", dir, r->t->file);
	return GLANE_OK;
}

glane_rc table_read(struct arena *a, int dirfd, const char *dir, const struct table *t, table_take *take, void *arg,
	struct slice *ret_text, struct diag *d)
{
	struct reader r = {t, take, arg, NULL, d};
	struct slice text = {NULL, 0};
	struct strbuf b;
	glane_rc rc;

	if (!file_exists(dirfd, t->file))
		return fail(d, GLANE_E_IO, "%s/%s: not there (`tables = DIR` in [glane] says where %s is)", dir,
			t->file, t->file);
	strbuf_init(&b, 0);
	rc = file_read(dirfd, t->file, MAX_FILE, &b, d);
	if (rc < 0) {
		(void)diag_prefix(d, "%s", dir);
	} else {
		r.spare = arena_alloc(a, b.n + 1);
		if (!r.spare || !arena_dup(a, strbuf_get(&b), &text))
			rc = fail(d, GLANE_E_NOMEM, "no memory for %s/%s", dir, t->file);
	}
	strbuf_release(&b);
	if (rc == GLANE_OK)
		rc = take_text(&r, text, dir);
	if (rc == GLANE_OK)
		*ret_text = text;
	return rc;
}
