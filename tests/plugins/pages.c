/* SPDX-License-Identifier: MIT */
/* A plugin of the tests: records of one dataset by pages, in every way that the host can turn them, and by split lists. */
#include <glane/plugin.h>

#include <string.h>

struct state {
	const char *by, *path;
	int64_t len, max;
	struct glane_list items;
	uint8_t total, pages;
};
#define OPT(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, name), dflt, help, 0, 0
static const struct glane_opt options[] = {
	{OPT(STR, by, "number", "number offset next none; hand: max requests of its own, unchecked")},
	{OPT(STR, path, "data", "below base_url; with {split} where there are items")},
	{OPT(INT, len, "2", "records per page")},
	{OPT(INT, max, "0", "items per request")},
	{OPT(LIST, items, "", "what {split} is made of")},
	{OPT(BOOL, total, "no", "the answer declares the number of records")},
	{OPT(BOOL, pages, "no", "the answer declares the number of pages")},
	{0},
};
static const char *const fields[] = {"area", "year", "value"};

static glane_rc emit(const struct glane_host *h, glane_run *r, glane_reader *rd)
{
	struct glane_series s = {.size = sizeof(s), .dataset = GLANE_STR("P"), .indicator = GLANE_STR("I")};
	struct glane_row row = {.size = sizeof(row), .period = h->at(rd, 1), .value = h->at(rd, 2)};
	glane_rc rc;

	s.area = h->at(rd, 0), s.area_scheme = GLANE_STR("ISO3");
	rc = h->series(r, &s, &row.series);
	return rc == GLANE_OK ? h->emit(r, &row) : rc;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	struct glane_request q = {
		.size = sizeof(q), .format = GLANE_FMT_JSON, .select = "rows.*", .field = fields, .n_field = 3};
	const struct glane_cover cover = {.size = sizeof(cover), .kind = GLANE_COVER_FULL, .dataset = GLANE_STR("P")};
	glane_str items[1000];
	glane_reader *rd;
	glane_rc rc;

	for (size_t i = 0; i < s->items.n && i < 1000; i++)
		items[q.n_split++] = (glane_str){s->items.v[i], strlen(s->items.v[i])};
	q.split = items, q.split_max = (uint32_t)s->max;
	q.url = h->fmt(r, "{base_url}/%s", s->path);
	q.paging = strcmp(s->by, "number") == 0   ? GLANE_PAGE_NUMBER
		   : strcmp(s->by, "offset") == 0 ? GLANE_PAGE_OFFSET
		   : strcmp(s->by, "next") == 0   ? GLANE_PAGE_NEXT
						  : GLANE_PAGE_NONE;
	q.page_param = q.paging == GLANE_PAGE_NEXT ? NULL : "at", q.page_size_param = "len",
	q.page_len = (uint32_t)s->len;
	q.page_total = s->total ? "total" : NULL, q.page_pages = s->pages ? "pages" : NULL, q.page_next = "next";
	rc = GLANE_END;
	for (int64_t i = 0, n = strcmp(s->by, "hand") == 0 ? s->max : 1; rc == GLANE_END && i < n; i++) {
		if (n > 1)
			q.url = h->fmt(r, "{base_url}/%s?at=%d", s->path, (int)i);
		rc = h->open(r, &q, &rd);
		while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK)
			rc = emit(h, r, rd);
	}
	return rc == GLANE_END ? h->cover(r, &cover) : rc;
}

GLANE_PLUGIN(.name = "pages", .version = "1", .title = "test", .opts = options, .state_size = sizeof(struct state),
	.run = run);
