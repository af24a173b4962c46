/* SPDX-License-Identifier: MIT */
/* A join of rows with the table of series, both sorted. */
#include "store/titles.h"
#include "store/shelf.h"
#include <stdio.h>

void titles_init(struct titles *t, const struct store *s)
{
	*t = (struct titles){.s = s};
}

void titles_release(struct titles *t)
{
	if (t->twins)
		twins_close(t->twins);
	mem_free(t->twins);
	*t = (struct titles){.s = t->s};
}

static glane_rc open_source(struct titles *t, struct slice source, struct diag *d)
{
	glane_rc rc;

	titles_release(t);
	(void)snprintf(t->source, sizeof(t->source), "%.*s", SLICE_FMT(source));
	t->twins = mem_zalloc(1, sizeof(*t->twins));
	if (!t->twins)
		return fail(d, GLANE_E_NOMEM, "%s: no memory for its titles", t->source);
	rc = twins_init(t->twins, t->s, t->source, d);
	return rc == GLANE_OK ? twins_sort(t->twins, d) : rc;
}

glane_rc titles_find(
	struct titles *t, const struct row *r, struct slice *ret_title, struct slice *ret_area, struct diag *d)
{
	const bool same = t->twins && slice_is(r->source, t->source);
	glane_rc rc = same ? GLANE_OK : open_source(t, r->source, d);
	struct series_texts texts;
	bool found = false;

	*ret_title = *ret_area = SLICE("");
	if (rc == GLANE_OK)
		rc = twins_seek(t->twins, r, &texts, &found, d);
	if (rc == GLANE_OK && found) {
		*ret_title = texts.title;
		*ret_area = texts.area_title;
	}
	return rc;
}
