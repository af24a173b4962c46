/* SPDX-License-Identifier: MIT */
/* Eurostat's dissemination API: bulk TSV, SDMX 2.1 and JSON-stat, and answers that are prepared first. See README.md. */
#include <glane/plugin.h>

#include <string.h>

#define MAX_QUERY 128

struct state {
	struct glane_list datasets, indicator, drop;
	const char *answer, *key, *language, *area_scheme, *cover;
	struct glane_map filters, status_map, where;
	int64_t poll_every, poll_times;
};
#define OPT(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, name), dflt, help, 0, 0
static const struct glane_opt options[] = {
	{"datasets", GLANE_OPT_LIST, GLANE_OPT_REQUIRED, offsetof(struct state, datasets), NULL, "codes", 0, 0},
	{OPT(STR, answer, "tsv", "how it comes: tsv, sdmx or jsonstat")},
	{OPT(MAP, filters, "", "jsonstat: DIMENSION=CODE|CODE, also sinceTimePeriod=2015 and such")},
	{OPT(STR, key, "", "tsv, sdmx: series key of SDMX 2.1, as in A.PC_IND..; none: everything")},
	{OPT(STR, language, "en", "jsonstat: of labels: en fr de")},
	{OPT(LIST, indicator, "", "dimensions joined by +, or =constant; none: usual names, else the dataset")},
	{OPT(STR, area_scheme, "EUROSTAT", "how codes of areas are meant")},
	{OPT(LIST, drop, "", "dimensions to leave out of the series' key")},
	{OPT(MAP, where, "", "DIMENSION=CODE|CODE: only those")},
	{OPT(MAP, status_map, "b=B c=C d=D e=E f=F i=I n=N p=P s=E u=U z=M", "flag=SDMX letter")},
	{OPT(STR, cover, "", "full, or none for an increment; none given: full unless filters or key restrict periods")},
	{"poll_every", GLANE_OPT_DURATION, 0, offsetof(struct state, poll_every), "60s", "while an answer is prepared", 1, 3600},
	{"poll_times", GLANE_OPT_INT, 0, offsetof(struct state, poll_times), "30", "how often to ask for it", 0, 1000},
	{0},
};
static const char *const heads[] = {"#footer", "#poll"};

static glane_str str(const char *s)
{
	return (glane_str){s, s ? strlen(s) : 0};
}

static uint8_t format_of(const struct state *s)
{
	return strcmp(s->answer, "tsv") == 0	    ? GLANE_FMT_TSV
	       : strcmp(s->answer, "sdmx") == 0	    ? GLANE_FMT_SDMX
	       : strcmp(s->answer, "jsonstat") == 0 ? GLANE_FMT_JSONSTAT
						    : GLANE_FMT_RAW;
}

/* The filters, one parameter for each code. */
static size_t query_of(const struct glane_host *h, glane_run *r, const struct state *s, uint8_t format, struct glane_kv *query)
{
	size_t n = 0;

	if (format != GLANE_FMT_JSONSTAT) {
		query[n++] = (struct glane_kv){
			"format", format == GLANE_FMT_TSV ? GLANE_STR("TSV") : GLANE_STR("SDMX_2.1_STRUCTURED")};
		query[n++] = (struct glane_kv){"compressed", GLANE_STR("true")};
		return n;
	}
	query[n++] = (struct glane_kv){"format", GLANE_STR("JSON")};
	query[n++] = (struct glane_kv){"lang", str(s->language)};
	for (size_t i = 0; i < s->filters.n; i++)
		for (const char *at = s->filters.v[i].v.p, *end = at + s->filters.v[i].v.n; at < end && n < MAX_QUERY;) {
			const char *bar = memchr(at, '|', (size_t)(end - at));
			const size_t len = (size_t)((bar ? bar : end) - at);

			query[n++] = (struct glane_kv){s->filters.v[i].k, str(h->fmt(r, "%.*s", (int)len, at))};
			at += len + 1;
		}
	return n;
}

static glane_rc read_all(const struct glane_host *h, glane_run *r, const struct state *s, glane_reader *rd, const char *code, size_t *n)
{
	const struct glane_cube cube = {.size = sizeof(cube), .dataset = str(code), .area_scheme = str(s->area_scheme),
		.indicator = s->indicator, .drop = s->drop, .status_map = s->status_map, .where = s->where};
	glane_rc rc;

	while ((rc = h->next(rd)) == GLANE_OK && (rc = h->cube(r, rd, &cube)) == GLANE_OK)
		++*n;
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* What is too large to be answered at once is prepared: the answer says where (SDMX), under which number (TSV), or nothing. */
static glane_rc fetch(const struct glane_host *h, glane_run *r, const struct state *s, const char *code)
{
	struct glane_kv query[MAX_QUERY];
	struct glane_request q = {.size = sizeof(q), .format = format_of(s), .head = heads, .n_head = 2, .query = query};
	size_t n = 0;
	glane_rc rc = GLANE_OK;

	q.n_query = query_of(h, r, s, q.format, query);
	q.url = q.format == GLANE_FMT_JSONSTAT ? h->fmt(r, "{base_url}/statistics/1.0/data/%s", code)
					       : h->fmt(r, "{base_url}/sdmx/2.1/data/%s%s%s", code, s->key[0] ? "/" : "", s->key);
	for (;; q.again++, q.wait = (uint32_t)s->poll_every) {
		glane_reader *rd = NULL;
		glane_str poll;
		int is_pending;

		rc = q.url ? h->open(r, &q, &rd) : h->fail(r, GLANE_E_NOMEM, "no memory for a URL");
		if (rc == GLANE_OK)
			rc = read_all(h, r, s, rd, code, &n);
		poll = h->head(rd, 1);
		is_pending = rd ? n == 0 && h->head(rd, 0).n == 3 && memcmp(h->head(rd, 0).p, "413", 3) == 0 : q.again && rc == GLANE_E_FETCH;
		if (rd && is_pending && poll.n) {
			q.url = memchr(poll.p, ':', poll.n) ? h->fmt(r, "%.*s", (int)poll.n, poll.p)
							    : h->fmt(r, "{base_url}/1.0/async/data/%.*s", (int)poll.n, poll.p);
			q.n_query = 0;
		}
		h->close(rd);
		if (q.again && rc == GLANE_OK && n == 0 && !is_pending)
			return h->fail(r, GLANE_E_DATA, "%s: the provider answers that the data is being prepared (413), and none came", code);
		if (!is_pending || (rd && q.format != GLANE_FMT_JSONSTAT && !poll.n) || q.again >= s->poll_times)
			return is_pending && rc == GLANE_OK ? h->fail(r, GLANE_E_DATA, "%s: the data is not ready (413)", code) : rc;
	}
}

static uint32_t cover_kind(const struct state *s)
{
	int is_part = 0;

	for (size_t i = 0; i < s->filters.n; i++)
		is_part |= strstr(s->filters.v[i].k, "Time") != NULL || strcmp(s->filters.v[i].k, "time") == 0;
	return strcmp(s->cover, "full") == 0 || (!s->cover[0] && !is_part) ? GLANE_COVER_FULL : GLANE_COVER_NONE;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	size_t n_failed = 0;
	glane_rc rc = GLANE_OK;

	if (format_of(s) == GLANE_FMT_RAW || (s->cover[0] && strcmp(s->cover, "full") != 0 && strcmp(s->cover, "none") != 0))
		return h->fail(r, GLANE_E_CONFIG, "answer is tsv, sdmx or jsonstat; cover is full or none");
	for (size_t i = 0; rc == GLANE_OK && i < s->datasets.n; i++) {
		const glane_rc one = fetch(h, r, s, s->datasets.v[i]);
		const struct glane_cover cover = {.size = sizeof(cover), .dataset = str(s->datasets.v[i]),
			.kind = one == GLANE_OK ? cover_kind(s) : GLANE_COVER_FAILED};

		n_failed += one != GLANE_OK;
		if (one != GLANE_OK && (n_failed == s->datasets.n || one == GLANE_E_CANCELLED || one < GLANE_E_DATA))
			return one;
		if (one != GLANE_OK)
			h->fail(r, one, "dataset %s was not read", s->datasets.v[i]);
		rc = h->cover(r, &cover);
	}
	return rc;
}

GLANE_PLUGIN(.name = "eurostat", .version = "1.0", .title = "Eurostat dissemination API", .opts = options, .run = run,
	.base_url = "https://ec.europa.eu/eurostat/api/dissemination", .state_size = sizeof(struct state));
