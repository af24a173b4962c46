/* SPDX-License-Identifier: MIT */
/* The requests of one flow: its structure, what is available of it, its data. */
#include "rest.h"

/* The ids of the dimensions, from the data structure: without them some messages do not say what is a dimension. */
glane_rc ask_structure(const struct glane_host *h, glane_run *r, struct state *s, const struct flow *f)
{
	static const char *const fields[] = {"@id"};
	const struct glane_kv accept = {
		"Accept", glane_str_of(is(s->rest, "3.0") ? "application/vnd.sdmx.structure+xml;version=3.0.0"
							  : "application/vnd.sdmx.structure+xml;version=2.1")};
	const struct glane_request q = {.size = sizeof(q),
		.format = GLANE_FMT_XML,
		.url = structure_url(h, r, s, f),
		.select = "DimensionList/Dimension",
		.field = fields,
		.n_field = 1,
		.header = &accept,
		.n_header = 1};
	glane_reader *rd = NULL;
	glane_rc rc = h->open(r, &q, &rd);

	s->n_dims = 0;
	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK) {
		const glane_str id = h->at(rd, 0);

		if (s->n_dims == MAX_DIMS || !id.n)
			return h->fail(r, GLANE_E_DATA,
				"flow %s: a structure with a dimension without an id, or with more than %d", f->id,
				MAX_DIMS);
		s->dims[s->n_dims++] = h->fmt(r, "%.*s", (int)id.n, id.p);
	}
	if (rd)
		h->close(rd);
	if (rc == GLANE_END && s->n_dims == 0)
		return h->fail(r, GLANE_E_DATA,
			"flow %s: the answer holds no data structure; try references = descendants", f->id);
	return rc == GLANE_END ? GLANE_OK : rc;
}

#define MAX_ITEMS 4096
static glane_rc ask_available(const struct glane_host *h, glane_run *r, const struct state *s, const struct flow *f,
	glane_str *items, size_t *n)
{
	static const char *const fields[] = {".", "../@id"};
	const struct glane_request q = {.size = sizeof(q),
		.format = GLANE_FMT_XML,
		.url = available_url(h, r, s, f),
		.select = "KeyValue/Value",
		.field = fields,
		.n_field = 2};
	glane_reader *rd = NULL;
	glane_rc rc;

	for (*n = 0; *n < s->areas.n && *n < MAX_ITEMS; (*n)++)
		items[*n] = glane_str_of(s->areas.v[*n]);
	if (*n)
		return GLANE_OK;
	rc = h->open(r, &q, &rd);
	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK) {
		const glane_str code = h->at(rd, 0), id = h->at(rd, 1);

		if (id.n == strlen(s->split) && memcmp(id.p, s->split, id.n) == 0 && code.n && *n < MAX_ITEMS)
			items[(*n)++] = glane_str_of(h->fmt(r, "%.*s", (int)code.n, code.p));
	}
	if (rc == GLANE_END && *n == 0)
		return h->fail(r, GLANE_E_DATA,
			"flow %s: nothing is said to be available of dimension %s; name values in `areas`", f->id,
			s->split);
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* Opens the data in the first form that the service gives. */
static glane_rc open_data(
	const struct glane_host *h, glane_run *r, struct state *s, const struct glane_request *asked, glane_reader **rd)
{
	struct glane_kv accept = {"Accept", {NULL, 0}};
	struct glane_request q = *asked;
	glane_rc rc = GLANE_E_CONFIG;

	if (s->accept.n == 0)
		return h->open(r, &q, rd);
	for (size_t i = 0; i < s->accept.n; i++) {
		const char *form = s->accept.v[i];

		accept.v = glane_str_of(media(s, form));
		if (!accept.v.p && !is(form, "any"))
			return h->fail(r, GLANE_E_CONFIG, "accept = %s: csv, json, xml, generic or any", form);
		q.header = &accept, q.n_header = accept.v.p ? 1 : 0;
		rc = h->open(r, &q, rd);
		if (rc != GLANE_E_FETCH)
			return rc;
	}
	return rc;
}

/* What the datasets of a message are called, and whether they only update what was there. */
static glane_rc note_dataset(const struct glane_host *h, glane_run *r, struct state *s, glane_reader *rd)
{
	const glane_str name = s->dataset[0] ? glane_str_of(s->dataset) : h->get(rd, "#dataset"),
			action = h->get(rd, "#action");
	size_t i = s->n_said;

	if (!name.n)
		return h->fail(r, GLANE_E_CONFIG, "the message does not name its dataset: set `dataset`");
	while (i > 0 && (strlen(s->said[i - 1].name) != name.n || memcmp(s->said[i - 1].name, name.p, name.n) != 0))
		i--;
	if (i == 0 && s->n_said == MAX_SAID)
		return h->fail(r, GLANE_E_LIMIT, "a message of more than %d datasets: name one in `dataset`", MAX_SAID);
	if (i == 0) {
		i = ++s->n_said;
		s->said[i - 1] = (struct said){h->fmt(r, "%.*s", (int)name.n, name.p), 0};
	}
	s->said[i - 1].is_update |= action.n && *action.p != 'I';
	return s->said[i - 1].name ? GLANE_OK : GLANE_E_NOMEM;
}

static const char *const heads[] = {"#footer"};

glane_rc read_data(const struct glane_host *h, glane_run *r, struct state *s, const struct flow *f, const char *after)
{
	struct glane_kv query[8 + MAX_DIMS];
	struct glane_request q = {.size = sizeof(q),
		.format = GLANE_FMT_SDMX,
		.query = query,
		.head = heads,
		.n_head = 1,
		.member = s->member[0] ? s->member : NULL,
		.csv = s->decimal[0] ? &s->csv : NULL};
	glane_str items[MAX_ITEMS];
	glane_reader *rd = NULL;
	size_t n = 0;
	glane_rc rc = GLANE_OK;

	q.url = f ? data_url(h, r, s, f) : "{base_url}", q.n_query = data_query(h, r, s, after, query);
	q.flags = after ? GLANE_REQ_MAY_BE_EMPTY : 0;
	q.field = s->n_dims         ? s->dims
		  : s->dimensions.n ? s->dimensions.v
				    : NULL,
	q.n_field = s->n_dims ? s->n_dims : s->dimensions.n;
	if (f && s->split[0]) {
		rc = ask_available(h, r, s, f, items, &q.n_split);
		q.split = items, q.split_sep = is(s->rest, "3.0") ? "," : "+", q.split_max = (uint32_t)s->split_max;
	}
	if (rc == GLANE_OK)
		rc = open_data(h, r, s, &q, &rd);
	for (; rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK; n++) {
		rc = f ? GLANE_OK : note_dataset(h, r, s, rd);
		rc = rc == GLANE_OK ? h->cube(r, rd, &s->cube) : rc;
	}
	if (rc == GLANE_END && h->head(rd, 0).n)
		h->log(r, GLANE_LOG_WARN, "beside the data the provider says: %.*s", (int)h->head(rd, 0).n,
			h->head(rd, 0).p);
	if (rd)
		h->close(rd);
	if (rc == GLANE_END && n == 0 && !after)
		return h->fail(r, GLANE_E_DATA, "the message holds no observation");
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* Everything is covered where everything was asked for; a span of years or days from its first day to its last. */
struct glane_cover cover_of(
	const struct glane_host *h, glane_run *r, const struct state *s, glane_str dataset, int is_part)
{
	struct glane_cover c = {.size = sizeof(c), .dataset = dataset, .kind = GLANE_COVER_FULL};
	const size_t n = strlen(s->start), m = strlen(s->end);

	if (s->start[0] || s->end[0]) {
		const int is_span = (n == 0 || n == 4 || n == 10) && (m == 0 || m == 4 || m == 10);

		c.kind = is_span ? GLANE_COVER_RANGE : GLANE_COVER_NONE;
		c.from = glane_str_of(n == 0 ? "0001-01-01" : n == 4 ? h->fmt(r, "%s-01-01", s->start) : s->start);
		c.to = glane_str_of(m == 0 ? "9999-12-31" : m == 4 ? h->fmt(r, "%s-12-31", s->end) : s->end);
	}
	if (is_part || s->last_n || is(s->cover, "none"))
		c.kind = GLANE_COVER_NONE;
	return c;
}
