/* SPDX-License-Identifier: MIT */
/* Search by folded texts. */
#include "app/words.h"

#include "model/fold.h"

#include <string.h>

bool words_init(struct words *w, const char *const *list, size_t n)
{
	bool ok = true;

	strbuf_init(&w->hay, 0);
	w->n = n < LIST_MAX ? n : LIST_MAX;
	for (size_t i = 0; i < w->n; i++) {
		strbuf_init(&w->text[i], 0);
		name_fold(&w->text[i], slice_of(list[i]));
		ok = ok && strbuf_ok(&w->text[i]);
	}
	return ok;
}

bool words_match(struct words *w, const struct areas *areas, const struct series_row *s)
{
	const struct slice parts[] = {s->title, s->dataset, s->indicator, s->area, s->area_code, s->area_title,
		areas_name(areas, s->area), s->dims};
	struct strbuf *b = &w->hay;

	strbuf_reset(b);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && w->n; i++) {
		name_fold(b, parts[i]);
		strbuf_putc(b, '\n'); /* no word goes across */
	}
	for (size_t i = 0; i < w->n; i++) {
		const struct slice word = strbuf_get(&w->text[i]);

		if (word.n && !memmem(b->p, b->n, word.p, word.n))
			return false;
	}
	return true;
}

void words_release(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		strbuf_release(&w->text[i]);
	strbuf_release(&w->hay);
}
