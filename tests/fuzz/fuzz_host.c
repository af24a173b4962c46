/* SPDX-License-Identifier: MIT */
/*
 * A whole run of a plugin that reads one request and emits what it finds, against answers that are the input. Lines: first
 * the format (c, j or x), paging (n, o, l or -) and page length; then select; then the fields area, period, value, status,
 * flags; then the paths of pages, total, next and error ('-': none). Then the documents, "---" between them.
 */
#include "fuzz.h"
#include "plug/host.h"
#include "proc/intake.h"
#include <unistd.h>

#define FIELDS 5
#define MAX_FETCHES 40

struct world {
	struct glane_request q;
	struct slice docs; /* not yet fetched */
	unsigned fetches;
};
static struct world *world; /* the plugin has no other way to it */

static glane_rc emit_record(const struct glane_host *h, glane_run *run, glane_reader *r)
{
	struct glane_series s = {.size = sizeof(s),
		.dataset = GLANE_STR("D"),
		.indicator = GLANE_STR("I"),
		.area = h->at(r, 0),
		.area_scheme = GLANE_STR("ISO3")};
	struct glane_row row = {
		.size = sizeof(row), .period = h->at(r, 1), .value = h->at(r, 2), .status = h->at(r, 3)};
	glane_rc rc = h->series(run, &s, &row.series);

	row.flags = h->at(r, 4);
	if (rc == GLANE_OK)
		rc = h->emit(run, &row);
	return rc;
}

static glane_rc plugin_run(const struct glane_host *h, glane_run *run, void *state)
{
	glane_reader *r = NULL;
	glane_rc rc = h->open(run, &world->q, &r);

	(void)state;
	while (rc == GLANE_OK && (rc = h->next(r)) == GLANE_OK)
		rc = emit_record(h, run, r);
	return rc == GLANE_END ? GLANE_OK : rc;
}

static glane_rc fetch(void *arg, const struct host_request *q, struct host_answer *ret, struct diag *d)
{
	struct slice doc;

	(void)arg;
	FUZZ_CHECK(q->url && strlen(q->url) <= 8000);
	for (const char *p = q->url; *p; p++)
		FUZZ_SAY((unsigned char)*p > ' ' || world->q.paging == GLANE_PAGE_NEXT, "%s", q->url);
	if (world->fetches++ >= MAX_FETCHES)
		return fail(d, GLANE_E_FETCH, "enough");
	if (!fuzz_part(&world->docs, &doc))
		return fail(d, GLANE_E_FETCH, "there is no such page");
	ret->fd = fuzz_file(doc);
	ret->size = doc.n;
	memset(ret->sha256, '0', 64);
	ret->sha256[0] = (char)('0' + world->fetches % 10);
	ret->sha256[1] = (char)('0' + world->fetches / 10);
	ret->sha256[64] = 0;
	return GLANE_OK;
}

static bool cancelled(void *arg)
{
	(void)arg;
	return false;
}

static const char *given(struct arena *a, struct slice *line)
{
	struct slice word = slice_cut(line, ' ');

	return word.n && !slice_is(word, "-") ? fuzz_cstr(a, word) : NULL;
}

static void request_of(struct arena *a, struct slice *in, struct glane_request *q)
{
	struct slice how = fuzz_line(in), select = fuzz_line(in), fields = fuzz_line(in), heads = fuzz_line(in);
	const char **field = arena_alloc(a, (FIELDS + 1) * sizeof(*field));
	const char format = how.n > 0 ? how.p[0] : 'j', paging = how.n > 1 ? how.p[1] : '-';

	FUZZ_CHECK(field);
	*q = (struct glane_request){.size = sizeof(*q), .url = "{base_url}/v1/data", .page_param = "page"};
	q->format = format == 'c' ? GLANE_FMT_CSV : format == 'x' ? GLANE_FMT_XML : GLANE_FMT_JSON;
	q->paging = paging == 'n'   ? GLANE_PAGE_NUMBER
		    : paging == 'o' ? GLANE_PAGE_OFFSET
		    : paging == 'l' ? GLANE_PAGE_NEXT
				    : GLANE_PAGE_NONE;
	q->page_len = how.n > 2 ? (unsigned char)how.p[2] & 15 : 0;
	q->page_size_param = "per_page";
	q->select = fuzz_cstr(a, select);
	for (size_t i = 0; i < FIELDS; i++) {
		field[i] = given(a, &fields);
		field[i] = field[i] ? field[i] : "x";
	}
	q->field = field;
	q->n_field = FIELDS;
	q->page_pages = given(a, &heads);
	q->page_total = given(a, &heads);
	q->page_next = given(a, &heads);
	q->error = given(a, &heads);
}

static void run(struct world *w)
{
	static const struct conf_section section = {.kind = "source", .name = "fuzz", .file = "fuzz"};
	struct plugin plugin = {.desc = {.name = "fuzz", .run = plugin_run, .base_url = "https://example.org"}};
	const struct host_job job = {.plugin = &plugin,
		.section = &section,
		.source = "fuzz",
		.base_url = "https://example.org",
		.max_body = 1 << 20};
	struct host_counts counts = {0};
	struct host_seams seams;
	struct intake intake;
	struct batch b;
	struct diag d, checks;
	glane_rc rc;

	diag_clear(&d);
	diag_clear(&checks);
	fuzz_batch(&b, true);
	FUZZ_CHECK(intake_init(&intake, &b, fuzz_areas()) == GLANE_OK);
	intake_seams(&intake, &seams, &checks);
	seams.fetch = fetch;
	seams.cancelled = cancelled;
	world = w;
	rc = host_run(&job, &seams, &counts, &d);
	FUZZ_CHECK(rc == GLANE_OK || (rc == d.code && d.text[0]));
	FUZZ_SAY(checks.code == GLANE_OK, "the host lets through what the intake refuses: %s", checks.text);
	FUZZ_CHECK(rc != GLANE_OK || counts.rows == intake.rows);
	FUZZ_CHECK(counts.rejected == intake.rejected);
	fuzz_batch_finish(&b);
	intake_release(&intake);
	batch_release(&b);
}

FUZZ_TARGET(host)
{
	struct world w = {.fetches = 0};
	struct arena a;

	arena_init(&a, 0);
	request_of(&a, &in, &w.q);
	w.docs = in;
	run(&w);
	arena_release(&a);
}
