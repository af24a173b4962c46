/* SPDX-License-Identifier: MIT */
/* UNCTADstat: bulk files without a key, or the Facts service with one. README.md says how. */
#include "columns.h"

#define OPT(type, name, dflt, help) #name, GLANE_OPT_##type, 0, offsetof(struct state, name), dflt, help, 0, 0
static const struct glane_opt options[] = {
	{"report", GLANE_OPT_STR, GLANE_OPT_REQUIRED, offsetof(struct state, report), NULL, "US.PCI, US.LSCI, ...", 0,
		0},
	{OPT(STR, file, "", "path of the one bulk file below base_url; none: the report's list says")},
	{OPT(STR, period, "", "column of the period; none: Year Quarter Month Semester Period Periods")},
	{OPT(MAP, measures, "", "CODE=name of a measure in the file's header; CODE=* is the only one")},
	{OPT(MAP, units, "", "MEASURE=unit")},
	{OPT(MAP, unit_mults, "", "MEASURE=power of ten of its values")},
	{OPT(STR, select, "",
		"fields of the Facts service, which needs a key: Economy/Code, Year, M5022/Value; none: bulk")},
	{OPT(STR, facts_url, "https://unctadstat-user-api.unctad.org", "address of the Facts service")},
	{OPT(LIST, filters, "", "conditions of Facts, a request each (62,500 cells at most): \"Year in (2023,2024)\"")},
	{0},
};
static const char *const stamps[] = {"lastUpdated", "version"};
static const char *const file_id[] = {"fileId"};

static glane_str copy(struct state *s, glane_str v)
{
	return glane_str_of(v.n ? s->h->fmt(s->r, "%.*s", (int)v.n, v.p) : NULL);
}

/* The day of update, else the version: there are no validators. */
static glane_rc read_stamp(struct state *s)
{
	struct glane_request q = {
		.size = sizeof(q), .format = GLANE_FMT_JSON, .select = "", .field = stamps, .n_field = 2};
	glane_reader *rd = NULL;
	glane_rc rc;

	q.url = s->h->fmt(s->r, "{base_url}/api/reportMetadata/%s/en", s->report);
	rc = q.url ? s->h->open(s->r, &q, &rd) : GLANE_E_NOMEM;
	if (rc == GLANE_OK && (rc = s->h->next(rd)) == GLANE_OK)
		s->stamp = copy(s, s->h->at(rd, s->h->at(rd, 0).n ? 0 : 1));
	if (rd)
		s->h->close(rd);
	return rc == GLANE_END ? s->h->fail(s->r, GLANE_E_DATA, "no metadata of %s", s->report) : rc;
}

/* A report is one file or several, by years; the id of a file changes with each version. */
static glane_rc read_bulk(struct state *s)
{
	struct glane_request q = {
		.size = sizeof(q), .format = GLANE_FMT_JSON, .select = "*", .field = file_id, .n_field = 1};
	glane_reader *rd = NULL;
	size_t n = 0;
	glane_rc rc;

	q.url = s->h->fmt(s->r, "{base_url}/api/reportMetadata/%s/bulkfiles/en", s->report);
	rc = q.url ? s->h->open(s->r, &q, &rd) : GLANE_E_NOMEM;
	while (rc == GLANE_OK && (rc = s->h->next(rd)) == GLANE_OK) {
		const glane_str id = s->h->at(rd, 0);
		struct glane_request file = {.member = "*.csv"};

		file.url = s->h->fmt(
			s->r, "{base_url}/api/reportMetadata/%s/bulkfile/%.*s/en", s->report, (int)id.n, id.p);
		rc = id.n && file.url ? read_table(s, &file)
				      : s->h->fail(s->r, GLANE_E_DATA, "a bulk file without fileId");
		n++;
	}
	if (rd)
		s->h->close(rd);
	if (rc == GLANE_END)
		rc = n ? GLANE_OK : s->h->fail(s->r, GLANE_E_DATA, "%s has no bulk file", s->report);
	return rc;
}

static const char *part(struct state *s, const char *body, const char *name, const char *value)
{
	if (!body || !value[0])
		return body;
	return s->h->fmt(
		s->r, "%s--glane-form\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", body, name, value);
}

static glane_rc read_facts(struct state *s, const char *filter)
{
	static const struct glane_kv headers[] = {{"ClientId", GLANE_STR_INIT("{auth:ClientId}")},
		{"ClientSecret", GLANE_STR_INIT("{auth:ClientSecret}")}};
	static const struct glane_kv query[] = {{"culture", GLANE_STR_INIT("en")}};
	struct glane_request q = {.header = headers, .n_header = 2, .query = query, .n_query = 1};
	const char *body = part(s, part(s, part(s, "", "$select", s->select), "$filter", filter), "$format", "csv");

	body = part(s, body, "compress", "gz");
	q.url = s->h->fmt(s->r, "%s/%s/cur/Facts", s->facts_url, s->report);
	q.content_type = "multipart/form-data; boundary=glane-form";
	q.body = glane_str_of(body ? s->h->fmt(s->r, "%s--glane-form--\r\n", body) : NULL);
	return q.url && q.body.p ? read_table(s, &q) : s->h->fail(s->r, GLANE_E_NOMEM, "no memory for a request");
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	struct state *s = state;
	const struct glane_cover cover = {
		.size = sizeof(cover), .kind = GLANE_COVER_FULL, .dataset = glane_str_of(s->report)};
	struct glane_request one = {.url = h->fmt(r, "{base_url}/%s", s->file), .member = "*.csv"};
	glane_rc rc;

	s->h = h, s->r = r;
	rc = s->file[0] ? read_table(s, &one) : read_stamp(s);
	if (rc == GLANE_OK && !s->file[0] && !s->select[0])
		rc = read_bulk(s);
	else if (rc == GLANE_OK && s->select[0] && s->filters.n == 0)
		rc = read_facts(s, "");
	for (size_t i = 0; rc == GLANE_OK && s->select[0] && i < s->filters.n; i++)
		rc = read_facts(s, s->filters.v[i]);
	return rc == GLANE_OK ? h->cover(r, &cover) : rc;
}

static const char *const hosts[] = {"unctadstat-user-api.unctad.org", NULL};
GLANE_PLUGIN(.name = "unctadstat", .version = "1.0", .title = "UNCTADstat bulk files and Facts service",
	.opts = options, .run = run, .base_url = "https://unctadstat-api.unctad.org", .hosts = hosts,
	.state_size = sizeof(struct state));
