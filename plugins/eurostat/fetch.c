/* SPDX-License-Identifier: MIT */
/* One dataset: its request, its observations, and the wait for an answer that is prepared first. */
#include "fetch.h"

#define MAX_QUERY 128

static const char *const heads[] = {"#footer", "#poll"};

uint8_t format_of(const struct state *s)
{
	return strcmp(s->answer, "tsv") == 0        ? GLANE_FMT_TSV
	       : strcmp(s->answer, "sdmx") == 0     ? GLANE_FMT_SDMX
	       : strcmp(s->answer, "jsonstat") == 0 ? GLANE_FMT_JSONSTAT
						    : GLANE_FMT_RAW;
}

/* The filters, one parameter for each code; more than MAX_QUERY: there were too many. */
static size_t query_of(
	const struct glane_host *h, glane_run *r, const struct state *s, uint8_t format, struct glane_kv *query)
{
	size_t n = 0;

	if (format != GLANE_FMT_JSONSTAT) {
		query[n++] = (struct glane_kv){
			"format", format == GLANE_FMT_TSV ? GLANE_STR("TSV") : GLANE_STR("SDMX_2.1_STRUCTURED")};
		query[n++] = (struct glane_kv){"compressed", GLANE_STR("true")};
		return n;
	}
	query[n++] = (struct glane_kv){"format", GLANE_STR("JSON")};
	query[n++] = (struct glane_kv){"lang", glane_str_of(s->language)};
	for (size_t i = 0; i < s->filters.n; i++)
		for (const char *at = s->filters.v[i].v.p, *end = at + s->filters.v[i].v.n;
			at < end && n <= MAX_QUERY;) {
			const char *bar = memchr(at, '|', (size_t)(end - at));
			const size_t len = (size_t)((bar ? bar : end) - at);

			if (n < MAX_QUERY)
				query[n] = (struct glane_kv){
					s->filters.v[i].k, glane_str_of(h->fmt(r, "%.*s", (int)len, at))};
			n++;
			at += len + 1;
		}
	return n;
}

static glane_rc read_all(
	const struct glane_host *h, glane_run *r, const struct state *s, glane_reader *rd, const char *code, size_t *n)
{
	struct glane_cube cube = s->cube;
	glane_rc rc;

	cube.size = sizeof(cube), cube.dataset = glane_str_of(code), cube.area_scheme = glane_str_of(s->area_scheme);
	while ((rc = h->next(rd)) == GLANE_OK && (rc = h->cube(r, rd, &cube)) == GLANE_OK)
		++*n;
	return rc == GLANE_END ? GLANE_OK : rc;
}

/* Where the answer will be, as the message says; the same address where it says nothing. */
static void follow(const struct glane_host *h, glane_run *r, struct glane_request *q, glane_str poll)
{
	if (!poll.n)
		return;
	q->url = memchr(poll.p, ':', poll.n) ? h->fmt(r, "%.*s", (int)poll.n, poll.p)
					     : h->fmt(r, "{base_url}/1.0/async/data/%.*s", (int)poll.n, poll.p);
	q->n_query = 0;
}

/* One request. *ret_later: the answer is being prepared. */
static glane_rc ask(const struct glane_host *h, glane_run *r, const struct state *s, const char *code,
	struct glane_request *q, int *ret_later)
{
	glane_reader *rd = NULL;
	size_t n = 0;
	glane_rc rc = q->url ? h->open(r, q, &rd) : h->fail(r, GLANE_E_NOMEM, "no memory for a URL");
	glane_str footer, poll;

	*ret_later = q->again && rc == GLANE_E_FETCH; /* there is nothing yet where it will be */
	if (!rd)
		return rc;
	rc = read_all(h, r, s, rd, code, &n);
	footer = h->head(rd, 0), poll = h->head(rd, 1);
	*ret_later = n == 0 && footer.n >= 3 && memcmp(footer.p, "413", 3) == 0 &&
		     (poll.n || q->format == GLANE_FMT_JSONSTAT);
	if (*ret_later)
		follow(h, r, q, poll);
	if (rc == GLANE_OK && *ret_later)
		rc = GLANE_E_DATA; /* said by fetch(), once nobody asks again */
	else if (rc == GLANE_OK && q->again && n == 0)
		rc = h->fail(r, GLANE_E_DATA, "%s: the provider has prepared an answer (413) without data", code);
	h->close(rd);
	return rc;
}

/* What is too large to be answered at once is prepared: the answer says where (SDMX), under which number (TSV), or nothing. */
glane_rc fetch(const struct glane_host *h, glane_run *r, const struct state *s, const char *code)
{
	struct glane_kv query[MAX_QUERY];
	struct glane_request q = {
		.size = sizeof(q), .format = format_of(s), .head = heads, .n_head = 2, .query = query};
	glane_rc rc;
	int later = 0;

	q.n_query = query_of(h, r, s, q.format, query);
	if (q.n_query > MAX_QUERY)
		return h->fail(r, GLANE_E_CONFIG, "%s: more than %d codes in filters: split the source, or ask for TSV",
			code, MAX_QUERY - 2);
	q.url = q.format == GLANE_FMT_JSONSTAT
			? h->fmt(r, "{base_url}/statistics/1.0/data/%s", code)
			: h->fmt(r, "{base_url}/sdmx/2.1/data/%s%s%s", code, s->key[0] ? "/" : "", s->key);
	do {
		rc = ask(h, r, s, code, &q, &later);
		q.again++, q.wait = (uint32_t)s->poll_every;
	} while (later && q.again <= s->poll_times);
	if (later)
		rc = h->fail(r, rc, "%s: the provider prepares the answer (413); it has not come", code);
	return rc;
}
