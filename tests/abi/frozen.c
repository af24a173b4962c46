/* SPDX-License-Identifier: MIT */
/*
 * A plugin as somebody built it when the ABI was frozen: it knows the header beside it and no other, and uses every service, every
 * type of option and every struct. Its binary is kept (frozen-x86-64.so) and has to load, and to do the same, in every later host: it
 * is never built again. `make frozen-abi` was how.
 */
#include "plugin-1.0.h"

#include <stdlib.h>
#include <string.h>

#ifndef FROZEN_SOURCE
#define FROZEN_SOURCE "built here"
#endif

struct state {
	const char *text, *must;
	int64_t number, seconds, bytes;
	uint8_t yes, no;
	struct glane_list list;
	struct glane_map map;
	char *own; /* from init() to fini() */
};
#define OPT(type, name, dflt, min, max)                                                                                \
	{                                                                                                              \
#name, GLANE_OPT_##type, 0, offsetof(struct state, name), dflt, "of the test", min, max                \
	}
static const struct glane_opt options[] = {
	OPT(STR, text, "default", 0, 0),
	{"must", GLANE_OPT_STR, GLANE_OPT_REQUIRED, offsetof(struct state, must), NULL, "of the test", 0, 0},
	OPT(INT, number, "3", 1, 9),
	OPT(DURATION, seconds, "90s", 0, 0),
	OPT(SIZE, bytes, "2k", 0, 0),
	OPT(BOOL, yes, "yes", 0, 0),
	OPT(BOOL, no, NULL, 0, 0),
	OPT(LIST, list, "a \"b c\"", 0, 0),
	OPT(MAP, map, "K=v L=\"w x\"", 0, 0),
	{NULL, 0, 0, 0, NULL, NULL, 0, 0},
};

/* One observation of dataset F, indicator `what`: what a step has seen stands in its note. */
static glane_rc tell(const struct glane_host *h, glane_run *r, const char *what, const char *year, const char *note)
{
	const struct glane_series s = {.size = sizeof(s),
		.freq = 'A',
		.dataset = GLANE_STR("F"),
		.indicator = glane_str_of(what),
		.area = GLANE_STR("TGO"),
		.area_scheme = GLANE_STR("ISO3")};
	struct glane_row row = {.size = sizeof(row),
		.period = glane_str_of(year),
		.value = GLANE_STR("1"),
		.note = glane_str_of(note ? note : "no memory")};
	const glane_rc rc = h->series(r, &s, &row.series);

	return rc == GLANE_OK ? h->emit(r, &row) : rc;
}

static glane_rc tell_options(const struct glane_host *h, glane_run *r, const struct state *s)
{
	const char *text = h->fmt(r, "%s %s %lld %llds %lldb %d %d", s->text, s->must, (long long)s->number,
		(long long)s->seconds, (long long)s->bytes, s->yes, s->no);

	for (size_t i = 0; text && i < s->list.n; i++)
		text = h->fmt(r, "%s|%s", text, s->list.v[i]);
	for (size_t i = 0; text && i < s->map.n; i++)
		text = h->fmt(r, "%s|%s:%.*s", text, s->map.v[i].k, (int)s->map.v[i].v.n, s->map.v[i].v.p);
	return tell(h, r, "OPTIONS", "2000", text);
}

/* A table in a dialect; a record that is refused. */
static glane_rc read_table(const struct glane_host *h, glane_run *r)
{
	const struct glane_csv csv = {.size = sizeof(csv),
		.delimiter = ';',
		.quote = '\'',
		.decimal = ',',
		.group = '.',
		.skip = 1,
		.ragged = 1,
		.trim = 1,
		.encoding = "ISO-8859-1"};
	const struct glane_kv query[] = {{"q", GLANE_STR("a b")}, {"none", {NULL, 0}}};
	const struct glane_kv header[] = {{"Accept", GLANE_STR("text/csv")}};
	const struct glane_request q = {.size = sizeof(q),
		.format = GLANE_FMT_CSV,
		.url = "{base_url}/table.csv",
		.query = query,
		.n_query = 2,
		.header = header,
		.n_header = 1,
		.csv = &csv};
	glane_reader *rd = NULL;
	glane_rc rc = h->open(r, &q, &rd);

	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK) {
		const struct glane_kv dims[] = {{"SEX", h->at(rd, 1)}};
		const struct glane_series s = {.size = sizeof(s),
			.dataset = GLANE_STR("TABLE"),
			.indicator = h->column(rd, h->columns(rd) - 1),
			.area = h->get(rd, "area"),
			.area_scheme = GLANE_STR("ISO2"),
			.unit = GLANE_STR("EUR"),
			.title = GLANE_STR("a title"),
			.area_title = GLANE_STR("an area"),
			.dims = dims,
			.n_dims = 1,
			.unit_mult = 3,
			.updated = GLANE_STR("2026-01-01")};
		struct glane_row row = {.size = sizeof(row),
			.period = h->get(rd, "year"),
			.value = h->get(rd, "V"),
			.status = GLANE_STR("E"),
			.flags = GLANE_STR("f"),
			.note = GLANE_STR("n"),
			.unit_mult = GLANE_STR("6")};

		if (!row.value.n)
			rc = h->reject(r, "empty", "no value of %d", 1);
		else if ((rc = h->series(r, &s, &row.series)) == GLANE_OK)
			rc = h->emit(r, &row);
		if (rc != GLANE_OK)
			break;
	}
	h->close(rd);
	return rc == GLANE_END ? h->cover(r, &(struct glane_cover){.size = sizeof(struct glane_cover),
						     .kind = GLANE_COVER_RANGE,
						     .dataset = GLANE_STR("TABLE"),
						     .indicator = GLANE_STR("V"),
						     .from = GLANE_STR("2020-01-01"),
						     .to = GLANE_STR("2021-12-31")})
			       : rc;
}

/* Two pages by POST, with heads, fields and the members of an object; a list that is split over two requests. */
static glane_rc read_pages(const struct glane_host *h, glane_run *r)
{
	static const char *const field[] = {"y"}, *const head[] = {"stamp"};
	static const glane_str items[] = {GLANE_STR_INIT("a"), GLANE_STR_INIT("b"), GLANE_STR_INIT("c")};
	const struct glane_request pages = {.size = sizeof(pages),
		.format = GLANE_FMT_JSON,
		.paging = GLANE_PAGE_NUMBER,
		.url = "{base_url}/pages",
		.method = "POST",
		.body = GLANE_STR("{}"),
		.content_type = "application/json",
		.select = "rows.*",
		.field = field,
		.n_field = 1,
		.head = head,
		.n_head = 1,
		.page_param = "page",
		.page_size_param = "size",
		.page_len = 1,
		.page_first = 1,
		.page_pages = "pages",
		.page_total = "total",
		.error = "error"};
	const struct glane_request split = {.size = sizeof(split),
		.format = GLANE_FMT_JSON,
		.flags = GLANE_REQ_MAY_BE_EMPTY,
		.url = "{base_url}/split/{split}",
		.select = "*",
		.split = items,
		.n_split = 3,
		.split_sep = "+",
		.split_max = 2};
	const char *text = "";
	glane_reader *rd = NULL;
	size_t n = 0;
	glane_rc rc = h->open(r, &pages, &rd);

	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK) {
		const glane_str year = h->at(rd, 0), stamp = h->head(rd, 0);
		const struct glane_kv *kv = h->items(rd, "v", &n);

		for (size_t i = 0; i < n; i++)
			text = h->fmt(r, "%s%.*s/%.*s %s=%.*s;", text, (int)stamp.n, stamp.p, (int)year.n, year.p,
				kv[i].k, (int)kv[i].v.n, kv[i].v.p);
	}
	if (rc == GLANE_END)
		rc = h->open(r, &split, &rd);
	for (n = 0; rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK;)
		n++;
	return rc == GLANE_END ? tell(h, r, "PAGES", "2001", h->fmt(r, "%s %d", text, (int)n)) : rc;
}

static glane_rc read_bytes(const struct glane_host *h, glane_run *r)
{
	const struct glane_request raw = {
		.size = sizeof(raw), .format = GLANE_FMT_RAW, .flags = GLANE_REQ_NO_ARCHIVE, .url = "{base_url}/bytes"};
	static const char *const field[] = {"@id", "../@of"};
	const struct glane_request xml = {.size = sizeof(xml),
		.format = GLANE_FMT_XML,
		.url = "{base_url}/doc.xml",
		.select = "List/Item",
		.field = field,
		.n_field = 2};
	unsigned char buf[5];
	unsigned sum = 0;
	int64_t n;
	glane_reader *rd = NULL, *x = NULL;
	const char *text = "";
	glane_rc rc = h->open(r, &raw, &rd);

	if (rc == GLANE_OK)
		rc = h->open(r, &xml, &x);
	if (rc != GLANE_OK)
		return rc;
	while ((n = h->read(rd, buf, sizeof(buf))) > 0)
		for (int64_t i = 0; i < n; i++)
			sum += buf[i];
	if (n < 0)
		return (glane_rc)n;
	while ((rc = h->next(x)) == GLANE_OK) {
		const glane_str id = h->at(x, 0), of = h->at(x, 1);

		text = h->fmt(r, "%s%.*s%.*s ", text, (int)of.n, of.p, (int)id.n, id.p);
	}
	return rc == GLANE_END ? tell(h, r, "BYTES", "2002", h->fmt(r, "%s%u", text, sum)) : rc;
}

/* A cube: its roles and labels, and its observations by cube(). */
static glane_rc read_cube(const struct glane_host *h, glane_run *r, const struct state *s)
{
	static const char *const what[] = {"SUBJECT"};
	const struct glane_cube cube = {.size = sizeof(cube),
		.dataset = GLANE_STR("CUBE"),
		.area_scheme = GLANE_STR("ISO3"),
		.indicator = {what, 1},
		.status_map = s->map};
	const struct glane_request q = {.size = sizeof(q), .format = GLANE_FMT_SDMX, .url = "{base_url}/cube.csv"};
	const char *text = "";
	glane_reader *rd = NULL;
	glane_rc rc = h->open(r, &q, &rd);

	while (rc == GLANE_OK && (rc = h->next(rd)) == GLANE_OK) {
		for (size_t i = 0; i < h->columns(rd) && !text[0]; i++)
			if (h->role(rd, i) == GLANE_ROLE_TIME)
				text = h->fmt(r, "%.*s %d", (int)h->column(rd, i).n, h->column(rd, i).p,
					(int)h->label(rd, i).n);
		rc = h->cube(r, rd, &cube);
	}
	rc = rc == GLANE_END ? tell(h, r, "CUBE", "2003", text) : rc;
	return rc == GLANE_OK ? h->cover(r, &(struct glane_cover){.size = sizeof(struct glane_cover),
						    .kind = GLANE_COVER_NONE,
						    .dataset = GLANE_STR("CUBE")})
			      : rc;
}

/* Observations of the plugin's own making: a number, a text, a footnote; the last of two counts. */
static glane_rc give(const struct glane_host *h, glane_run *r)
{
	const struct glane_series s = {.size = sizeof(s),
		.freq = 'Q',
		.dataset = GLANE_STR("F"),
		.indicator = GLANE_STR("PUSH"),
		.area = GLANE_STR("TGO"),
		.area_scheme = GLANE_STR("ISO3")};
	const struct glane_annotation note = {.size = sizeof(note),
		.has_unit_mult = 1,
		.flags = GLANE_STR("x"),
		.note = GLANE_STR("pushed"),
		.unit_mult = 2};
	struct glane_obs o[3] = {{.status = 'A'}, {.status = 'P'}, {.status = 'A', .flags = GLANE_OBS_LAST}};
	uint32_t handle = 0;
	char freq = 0;
	glane_rc rc = h->series(r, &s, &handle);

	for (size_t i = 0; rc == GLANE_OK && i < 3; i++) {
		o[i].series = handle;
		rc = h->period(r, 'Q', i ? GLANE_STR("2020-Q2") : GLANE_STR("2020-Q1"), &freq, &o[i].period);
	}
	if (rc == GLANE_OK)
		rc = h->number(r, GLANE_STR("12.50"), &o[0]);
	if (rc == GLANE_OK)
		rc = h->number(r, GLANE_STR("1"), &o[1]);
	if (rc == GLANE_OK)
		rc = h->number(r, GLANE_STR("2"), &o[2]);
	if (rc == GLANE_OK)
		rc = h->annotate(r, &note, &o[0].note);
	return rc == GLANE_OK ? h->push(r, o, 3, sizeof(o[0])) : rc;
}

/* One slice of two is gone, which costs it alone. */
static glane_rc read_slices(const struct glane_host *h, glane_run *r)
{
	static const char *const names[] = {"there", "gone"};
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < 2; i++) {
		const struct glane_request q = {.size = sizeof(q),
			.format = GLANE_FMT_JSON,
			.url = h->fmt(r, "{base_url}/%s", names[i]),
			.select = "*"};
		const struct glane_cover c = {.size = sizeof(c),
			.kind = GLANE_COVER_FULL,
			.dataset = GLANE_STR("SLICE"),
			.indicator = glane_str_of(names[i])};
		glane_reader *rd = NULL;

		rc = h->open(r, &q, &rd);
		while (rc == GLANE_OK)
			rc = h->next(rd);
		rc = h->slice(r, rc, &c, h->fmt(r, "%s was not read", names[i]));
	}
	h->fail(r, GLANE_E_DATA, "said by the plugin, number %d", 1);
	return rc == GLANE_OK ? h->cover(r, &(struct glane_cover){.size = sizeof(struct glane_cover),
						    .kind = GLANE_COVER_FAILED,
						    .dataset = GLANE_STR("SAID")})
			      : rc;
}

static glane_rc init(const struct glane_host *h, glane_run *r, void *state)
{
	struct state *s = state;
	const glane_str before = h->cursor(r, "seen");

	s->own = malloc(64);
	if (!s->own || before.n > 20)
		return h->fail(r, GLANE_E_NOMEM, "no memory");
	memcpy(s->own, "before: ", 9);
	memcpy(s->own + 8, before.n ? before.p : "", before.n);
	s->own[8 + before.n] = '\0';
	return GLANE_OK;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	const struct state *s = state;
	glane_rc rc;

	if (h->abi_major != 1 || !GLANE_HAS(h, open) || !GLANE_HAS(h, slice) || !GLANE_HAS(h, extension))
		return h->fail(r, GLANE_E_DATA, "a host that has not what 1.0 has");
	if (h->extension(r, "glane.nothing/1") || h->cancelled(r) || h->now(r) <= 0)
		return h->fail(r, GLANE_E_DATA, "a host that offers what nobody knows, is cancelled, or has no time");
	h->log(r, GLANE_LOG_INFO, "%s", s->own);
	rc = read_table(h, r);
	if (rc == GLANE_OK)
		rc = tell_options(h, r, s);
	if (rc == GLANE_OK)
		rc = tell(h, r, "CURSOR", "2004", s->own);
	if (rc == GLANE_OK)
		rc = h->set_cursor(r, "seen", GLANE_STR("yes"));
	if (rc == GLANE_OK)
		rc = read_pages(h, r);
	if (rc == GLANE_OK)
		rc = read_bytes(h, r);
	if (rc == GLANE_OK)
		rc = read_cube(h, r, s);
	if (rc == GLANE_OK)
		rc = give(h, r);
	if (rc == GLANE_OK)
		rc = h->cover(r, &(struct glane_cover){.size = sizeof(struct glane_cover),
					 .kind = GLANE_COVER_FULL,
					 .dataset = GLANE_STR("F")});
	return rc == GLANE_OK ? read_slices(h, r) : rc;
}

static void fini(void *state)
{
	free(((struct state *)state)->own);
}

static const void *extension(const char *id)
{
	(void)id;
	return NULL;
}

static const char *const hosts[] = {"frozen.example.org", NULL};
GLANE_PLUGIN(.name = "frozen", .version = FROZEN_SOURCE, .title = "Built when the ABI was frozen",
	.base_url = "https://frozen.example.org", .hosts = hosts, .opts = options, .state_size = sizeof(struct state),
	.run = run, .init = init, .fini = fini, .extension = extension);
