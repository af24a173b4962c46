/* SPDX-License-Identifier: MIT */
/* JSON-stat (https://json-stat.org/full/) and PC-Axis of any provider. README.md says how to write a source. */
#include <glane/plugin.h>

#include <string.h>

struct state {
	const struct glane_host *h;
	glane_run *r;
	const char *url, *dataset, *area_scheme, *cover, *body;
	uint8_t px;
	struct glane_list datasets;
	struct glane_map query;
	struct glane_cube cube;
};
#define OPT(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, name), dflt, help, 0, 0
#define CUBE(type, name, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, cube.name), "", help, 0, 0
static const struct glane_opt options[] = {
	{OPT(LIST, datasets, "", "what {dataset} goes through: slices, each of which may fail alone")},
	{OPT(STR, url, "", "address; none: {base_url}/{dataset}, without datasets {base_url}")},
	{OPT(MAP, query, "", "NAME=VALUE parameters of the address")},
	{OPT(STR, body, "", "a JSON query to be sent (POST), as PxWeb wants it")},
	{OPT(BOOL, px, "no", "the answers are PC-Axis files (.px)")},
	{OPT(STR, dataset, "", "name of the dataset; none: the item of datasets, else as the message says")},
	{OPT(STR, area_scheme, "ISO2", "how area is meant: ISO2 ISO3 M49 NAME ...")},
	{OPT(STR, cover, "", "full, or none for an increment; none given: full unless the query or a body restricts")},
	{CUBE(LIST, indicator, "dimensions joined by +, or =constant; none: role metric, usual names, the dataset")},
	{CUBE(LIST, area, "dimension or =constant; none: role geo, else usual names")},
	{CUBE(LIST, time, "dimension or =constant; none: role time, else usual names")},
	{CUBE(LIST, unit, "dimension or =constant; none: dimension unit, else the unit of the category")},
	{CUBE(LIST, drop, "dimensions to leave out of the series' key")},
	{CUBE(MAP, where, "DIMENSION=CODE|CODE: only those")},
	{CUBE(MAP, status_map, "the provider's status=SDMX letter")},
	{0},
};

/* A query for some periods is an increment; what a body asks for is not known. */
static uint32_t cover_kind(const struct state *s)
{
	int is_part = s->body[0] != 0;

	for (size_t i = 0; i < s->query.n; i++)
		is_part |= strcasestr(s->query.v[i].k, "time") || strcasestr(s->query.v[i].k, "period");
	return strcmp(s->cover, "full") == 0 || (!s->cover[0] && !is_part) ? GLANE_COVER_FULL : GLANE_COVER_NONE;
}

static struct glane_cover cover_of(const struct state *s, const char *dataset)
{
	return (struct glane_cover){
		.size = sizeof(struct glane_cover), .kind = cover_kind(s), .dataset = glane_str_of(dataset)};
}

static const char *url_of(struct state *s, const char *item)
{
	const char *url = s->url[0] ? s->url : item ? "{base_url}/{dataset}" : "{base_url}";
	const char *mark = strstr(url, "{dataset}");

	return mark && item ? s->h->fmt(s->r, "%.*s%s%s", (int)(mark - url), url, item, mark + 9) : url;
}

/* Where neither the configuration nor an item names it, a message may hold several datasets: each is declared when it ends. */
static glane_rc read_all(struct state *s, glane_reader *rd, const char **name)
{
	const int is_given = *name != NULL;
	glane_rc rc;

	s->cube.size = sizeof(s->cube), s->cube.dataset = glane_str_of(*name),
	s->cube.area_scheme = glane_str_of(s->area_scheme);
	while ((rc = s->h->next(rd)) == GLANE_OK) {
		const glane_str now = s->h->get(rd, "#dataset");

		if (!is_given && !now.n)
			return s->h->fail(s->r, GLANE_E_CONFIG, "the message does not name its dataset: set `dataset`");
		if (!is_given && (!*name || strlen(*name) != now.n || memcmp(*name, now.p, now.n) != 0)) {
			const struct glane_cover ended = cover_of(s, *name);

			rc = *name ? s->h->cover(s->r, &ended) : GLANE_OK;
			*name = s->h->fmt(s->r, "%.*s", (int)now.n, now.p);
		}
		rc = rc != GLANE_OK ? rc : !*name ? GLANE_E_NOMEM : s->h->cube(s->r, rd, &s->cube);
		if (rc != GLANE_OK)
			return rc;
	}
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc fetch(struct state *s, const char *item, const char **name)
{
	struct glane_request q = {.size = sizeof(q), .url = url_of(s, item)};
	glane_reader *rd = NULL;
	glane_rc rc;

	q.format = s->px ? GLANE_FMT_PX : GLANE_FMT_JSONSTAT, q.query = s->query.v, q.n_query = s->query.n;
	if (s->body[0])
		q.body = glane_str_of(s->body), q.content_type = "application/json";
	rc = q.url ? s->h->open(s->r, &q, &rd) : s->h->fail(s->r, GLANE_E_NOMEM, "no memory for a URL");
	rc = rc == GLANE_OK ? read_all(s, rd, name) : rc;
	s->h->close(rd);
	return rc;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	struct state *s = state;
	const size_t n = s->datasets.n ? s->datasets.n : 1;
	glane_rc rc = GLANE_OK;

	s->h = h, s->r = r;
	if (s->cover[0] && strcmp(s->cover, "full") != 0 && strcmp(s->cover, "none") != 0)
		return h->fail(r, GLANE_E_CONFIG, "cover is full or none, not '%s'", s->cover);
	if (s->url[0] && s->url[0] != '{' && !strstr(s->url, "://"))
		return h->fail(r, GLANE_E_CONFIG, "url = %s: write {base_url}/%s", s->url, s->url);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		const char *item = s->datasets.n ? s->datasets.v[i] : NULL;
		const char *name = s->dataset[0] ? s->dataset : item;
		struct glane_cover cover;

		rc = fetch(s, item, &name);
		cover = cover_of(s, name);
		if (name)
			rc = h->slice(r, rc, &cover, item ? h->fmt(r, "dataset %s was not read", item) : NULL);
	}
	return rc;
}

GLANE_PLUGIN(.name = "jsonstat", .version = "1.0", .title = "JSON-stat 1.x and 2.0, and PC-Axis, of any provider",
	.opts = options, .run = run, .state_size = sizeof(struct state));
