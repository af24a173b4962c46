/* SPDX-License-Identifier: MIT */
/* Slices that fail alone: what ends one, what ends the run, and what is declared. */
#include "support/cmocka.h"
#include "support/test_host.h"

struct step {            /* a slice: what its request answers, and what the plugin says itself */
	const char *url; /* NULL: no further slice */
	glane_rc own;
	const char *what;
};
struct slice_case {
	const char *name;
	struct step steps[4];
	uint32_t kind;
	glane_rc rc;
	const char *want; /* in the message of a failure, else of what was emitted */
};
static const struct test_page pages[] = {
	{"http://host/good", "[{\"a\":1}]", 0, 0, NULL},
	{"http://host/bad", "[{\"a\":1},{]", 0, 0, NULL},
	{"http://host/gone", NULL, 0, GLANE_E_FETCH, "HTTP 404"},
	{"http://host/denied", NULL, 0, GLANE_E_DENIED, "not allowed"},
	{"http://host/large", NULL, 0, GLANE_E_LIMIT, "too large"},
	{"http://host/disk", NULL, 0, GLANE_E_IO, "no space left"},
	{"http://host/stop", NULL, 0, GLANE_E_CANCELLED, "cancelled"},
};
static const struct slice_case cases[] = {
	{"all are read", {{"good", 0, "A"}, {"good", 0, "B"}, {0}}, GLANE_COVER_FULL, GLANE_OK,
		"cover 1 A ~ 0 0 ~\ncover 1 B ~ 0 0 ~\n"},
	{"the kind is the plugin's", {{"good", 0, "A"}, {0}}, GLANE_COVER_NONE, GLANE_OK, "cover 0 A ~ 0 0 ~\n"},
	{"one is gone", {{"gone", 0, "A"}, {"good", 0, "B"}, {0}}, GLANE_COVER_FULL, GLANE_OK,
		"cover 3 A ~ 0 0 A was not read: HTTP 404\npayload 1\ncover 1 B ~ 0 0 ~\n"},
	{"one is broken, the last", {{"good", 0, "A"}, {"bad", 0, "B"}, {0}}, GLANE_COVER_FULL, GLANE_OK,
		"cover 3 B ~ 0 0 B was not read: http://host/bad: record 1, byte 1: JSON"},
	{"one is refused", {{"denied", 0, "A"}, {"good", 0, "B"}, {0}}, GLANE_COVER_FULL, GLANE_OK,
		"A was not read: not allowed"},
	{"one is too large", {{"large", 0, "A"}, {"good", 0, "B"}, {0}}, GLANE_COVER_FULL, GLANE_OK,
		"A was not read: too large"},
	{"one that the plugin calls failed", {{"good", GLANE_E_DATA, "A"}, {"good", 0, "B"}, {0}}, GLANE_COVER_FULL,
		GLANE_OK, "cover 3 A ~ 0 0 A was not read: it makes no sense\n"},
	{"one without a name", {{"gone", 0, NULL}, {"good", 0, "B"}, {0}}, GLANE_COVER_FULL, GLANE_OK,
		"cover 3 D ~ 0 0 HTTP 404\n"},
	{"all have failed", {{"gone", 0, "A"}, {"bad", 0, "B"}, {0}}, GLANE_COVER_FULL, GLANE_E_FORMAT,
		"B was not read: http://host/bad"},
	{"the only one has failed", {{"gone", 0, NULL}, {0}}, GLANE_COVER_FULL, GLANE_E_FETCH, "HTTP 404"},
	{"the configuration is no slice's", {{"good", 0, "A"}, {"good", GLANE_E_CONFIG, "B"}, {0}}, GLANE_COVER_FULL,
		GLANE_E_CONFIG, "it makes no sense"},
	{"this machine is no slice's", {{"good", 0, "A"}, {"disk", 0, "B"}, {0}}, GLANE_COVER_FULL, GLANE_E_IO,
		"no space left"},
	{"an end is no slice's", {{"good", 0, "A"}, {"stop", 0, "B"}, {0}}, GLANE_COVER_FULL, GLANE_E_CANCELLED, ""},
	{"a code that does not exist", {{"good", 7, "A"}, {0}}, GLANE_COVER_FULL, GLANE_E_USAGE, "slice() of a code"},
	{"a kind that does not exist", {{"good", 0, "A"}, {0}}, 9, GLANE_E_USAGE, "unknown kind"},
};
static const struct slice_case *now;

static glane_rc read_step(const struct glane_host *h, glane_run *r, const struct step *s)
{
	const struct glane_request q = {
		.size = sizeof(q), .format = GLANE_FMT_JSON, .url = h->fmt(r, "{base_url}/%s", s->url), .select = "*"};
	glane_reader *rd = NULL;
	glane_rc rc = h->open(r, &q, &rd);

	while (rc == GLANE_OK)
		rc = h->next(rd);
	h->close(rd);
	if (rc == GLANE_END && s->own < GLANE_OK)
		return h->fail(r, s->own, "it makes no sense");
	return rc == GLANE_END && s->own ? s->own : rc;
}

static glane_rc run(const struct glane_host *h, glane_run *r, void *state)
{
	glane_rc rc = GLANE_OK;

	(void)state;
	for (const struct step *s = now->steps; rc == GLANE_OK && s->url; s++) {
		const char *name = s->what ? s->what : "D";
		const struct glane_cover cover = {
			.size = sizeof(cover), .kind = now->kind, .dataset = {name, strlen(name)}};

		rc = read_step(h, r, s);
		rc = h->slice(r, rc, &cover, s->what ? h->fmt(r, "%s was not read", s->what) : NULL);
	}
	return rc;
}

static void run_case(void **state)
{
	const struct slice_case *c = *state;
	struct test_host t;
	glane_rc rc;

	now = c;
	test_host_init(&t);
	t.pages = pages;
	t.n_pages = sizeof(pages) / sizeof(pages[0]);
	rc = test_host_function(&t, run);
	if (rc != c->rc || !strstr(rc != GLANE_OK ? t.diag.text : t.out.p ? t.out.p : "", c->want)) {
		print_message("%d %s\n%s\nwant %d %s\n", rc, t.diag.text, t.out.p ? t.out.p : "", c->rc, c->want);
		test_fail();
	}
	test_host_release(&t);
}

int main(void)
{
	struct CMUnitTest tests[sizeof(cases) / sizeof(cases[0])];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tests[i] = (struct CMUnitTest){cases[i].name, run_case, NULL, NULL, (void *)(uintptr_t)&cases[i]};
	return cmocka_run_group_tests_name("cover", tests, NULL, NULL);
}
