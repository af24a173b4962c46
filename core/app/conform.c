/* SPDX-License-Identifier: MIT */
/* The conformance suite: the plugin run in its worker over good answers, bad ones, and cancelled. */
#include "app/conform.h"

#include "app/app.h"

#include <stdio.h>
#include <string.h>

#define CANCEL_EACH 24 /* the first calls of services, each cancelled once; then every third further */
#define CANCEL_MAX 60  /* runs that are cancelled */
#define PROMPT_MS 2000 /* beyond what the whole run takes */

/* An answer that no provider means: an error page, an error document, an answer that is not ready. */
struct fault {
	const char *name, *message; /* of a fetch that failed; NULL: the body of a 200 */
	struct slice body;
};
#define BODY(text)                                                                                                     \
	{                                                                                                              \
		text, sizeof(text) - 1                                                                                 \
	}
static const struct fault faults[] = {
	{"HTTP 429 after every retry", "HTTP 429 Too Many Requests", {NULL, 0}},
	{"HTTP 500 after every retry", "HTTP 500 Internal Server Error", {NULL, 0}},
	{"a transfer that breaks off", "the transfer ended early", {NULL, 0}},
	{"an empty answer", NULL, {"", 0}},
	{"a page of HTML under status 200", NULL,
		BODY("<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>Back soon.</body></html>\n")},
	{"a JSON document that is another one", NULL, BODY("{\"message\": \"rate limit exceeded\", \"code\": 429}\n")},
	{"an empty JSON list", NULL, BODY("[]\n")},
	{"an XML document that is another one", NULL,
		BODY("<?xml version=\"1.0\"?>\n<Error><Code>500</Code><Message>try again</Message></Error>\n")},
	{"an answer that is not ready (SDMX footer 413)", NULL,
		BODY("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		     "<mes:GenericData xmlns:mes=\"http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message\" "
		     "xmlns:com=\"http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common\"\n"
		     " xmlns:footer=\"http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message/footer\">\n"
		     "<mes:Header><mes:ID>A</mes:ID><mes:Test>false</mes:Test></mes:Header>\n"
		     "<footer:Footer><footer:Message code=\"413\" severity=\"Information\"><com:Text>"
		     "Your query is being processed: the file will be at https://example.org/async/1</com:Text>"
		     "</footer:Message></footer:Footer></mes:GenericData>\n")},
	{"a zip cut short", NULL,
		BODY("PK\003\004\024\0\0\0\010\0\0\0!\0\1\2\3\4\0\1\0\0\0\2\0\0\010\0\0\0data.csv\113\314")},
};

static glane_rc try_fault(const struct conform *c, struct trial *t, enum trial_fault fault, size_t bad, struct diag *d)
{
	*t = c->plain;
	t->fault = fault;
	t->bad = bad;
	return trial_run(t, d);
}

/* What is wrong whatever was answered: an end that is none, or one that the host had to correct. */
static const char *defect(const struct trial *t)
{
	if (t->late)
		return "it was not done in time";
	if (t->died)
		return "its process did not end well";
	if (t->rc == GLANE_E_USAGE)
		return "a call that is wrong";
	if (strstr(t->message_got, "passed over a failure"))
		return "GLANE_OK although a failure of the host was neither returned nor covered";
	if (t->rc == GLANE_E_NOMEM)
		return "its memory is used up";
	if (strstr(t->message_got, "failed without saying why"))
		return "a failure without a message: call fail()";
	return NULL;
}

static bool withdraws(const struct trial_slice *s)
{
	return s && (s->kind == GLANE_COVER_FULL || s->kind == GLANE_COVER_RANGE);
}

static const struct trial_slice *slice_called(const struct trial *t, const char *name)
{
	for (size_t i = 0; i < t->n_slices; i++)
		if (strcmp(t->slices[i].name, name) == 0)
			return &t->slices[i];
	return NULL;
}

/* Does it declare a slice whole that has not all of its rows, or others; or say nothing of one? */
static bool loses(const struct trial *base, const struct trial *t)
{
	for (size_t i = 0; i < t->n_slices; i++) {
		const struct trial_slice *s = &t->slices[i], *whole = slice_called(base, s->name);

		if (withdraws(s) && (!whole || whole->rows != s->rows || whole->sum != s->sum))
			return true;
	}
	for (size_t i = 0; i < base->n_slices; i++)
		if (withdraws(&base->slices[i]) && !slice_called(t, base->slices[i].name))
			return true;
	return false;
}

/* What is wrong after an answer that was bad: rows are missing, and nobody is told. NULL: nothing. */
static const char *harm(const struct conform *c, const struct trial *t)
{
	const char *why = defect(t);

	if (why || t->rc != GLANE_OK || t->rejected || t->conflicts)
		return why ? why : t->rc == GLANE_E_CANCELLED ? "cancelled, and nobody asked it to" : NULL;
	if (c->has_base ? loses(&c->base, t) : t->n_full && !t->n_failed && t->rows == 0)
		return "GLANE_OK and a cover that withdraws, although rows are missing: they would be withdrawn";
	return NULL;
}

static void judge(struct conform *c, const struct trial *t, const char *why, const char *what)
{
	const char *detail = why ? arena_fmt(c->arena, "%s (%s, %llu rows, %llu rejected)%s%s", why, rc_name(t->rc),
					   (unsigned long long)t->rows, (unsigned long long)t->rejected,
					   t->message_got[0] ? ": " : "", t->message_got)
				 : NULL;

	conform_test(c, !why, detail, "%s", what);
}

/* The first, the middle and the last request: bad answers to each of them. */
static size_t places(const struct conform *c, size_t at[3])
{
	const size_t n = c->has_base && c->base.n_requests ? c->base.n_requests : 1;
	size_t k = 0;

	at[k++] = 0;
	if (n > 2)
		at[k++] = n / 2;
	if (n > 1)
		at[k++] = n - 1;
	return k;
}

static glane_rc bad_answers(struct conform *c, size_t at, struct diag *d)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *f = &faults[i];
		struct trial t = c->plain;
		glane_rc rc;

		t.fault = f->message ? FAULT_FETCH : FAULT_BODY;
		t.bad = at;
		t.message = f->message;
		t.body = f->body;
		rc = trial_run(&t, d);
		if (rc != GLANE_OK)
			return rc;
		judge(c, &t, harm(c, &t), arena_fmt(c->arena, "request %zu: %s", at + 1, f->name));
	}
	return GLANE_OK;
}

static const struct trial_page *recorded(const struct conform *c, size_t at)
{
	return at < c->plain.n_pages ? &c->plain.pages[at] : NULL;
}

/* Why no reader of the answer can know that it is cut; NULL: it can. */
static const char *endless(const struct conform *c, size_t at, const struct trial_page *page)
{
	if (c->plain.program.path)
		return "a program may not know where its input ends; the length of the transfer does";
	if (c->base.format[at] != GLANE_FMT_CSV || !page || !page->body.n || strchr("P\0377", page->body.p[0]))
		return NULL;
	return "plain CSV does not say where it ends; the length of the transfer does";
}

/* Cut at a quarter, half, three quarters, and by the last byte that is no line's end. */
static glane_rc cut_answers(struct conform *c, size_t at, struct diag *d)
{
	const struct trial_page *page = recorded(c, at);
	const char *forgiven = endless(c, at, page);
	size_t end = page ? page->body.n : 0;

	while (end && (page->body.p[end - 1] == '\n' || page->body.p[end - 1] == '\r'))
		end--;
	for (size_t i = 1; i <= 4 && end > 8; i++) {
		const size_t n = i < 4 ? end * i / 4 : end - 1;
		const char *what = arena_fmt(
			c->arena, "request %zu: its answer cut after %zu of %zu bytes", at + 1, n, page->body.n);
		struct trial t = c->plain;
		const char *why;
		glane_rc rc;

		t.fault = FAULT_BODY;
		t.bad = at;
		t.body = (struct slice){page->body.p, n};
		rc = trial_run(&t, d);
		if (rc != GLANE_OK)
			return rc;
		why = harm(c, &t);
		if (why && forgiven && !defect(&t))
			conform_skip(c, forgiven, what);
		else
			judge(c, &t, why, what);
	}
	return GLANE_OK;
}

/* A server that turns no page. */
static glane_rc same_page(struct conform *c, struct diag *d)
{
	size_t i = 1;
	struct trial t;
	glane_rc rc;

	while (i < c->base.n_requests && !c->base.follows[i])
		i++;
	if (i >= c->base.n_requests) {
		conform_skip(c, "the recorded answers have no second page", "the same page again and again");
		return GLANE_OK;
	}
	rc = try_fault(c, &t, FAULT_REPEAT, i - 1, d);
	if (rc == GLANE_OK)
		judge(c, &t, harm(c, &t), "the same page again and again");
	return rc;
}

/* What a run would take otherwise than the plugin means it. */
static void whole(struct conform *c)
{
	const struct trial *b = &c->base;
	const struct trial_page *idle = NULL;

	for (size_t i = 0; i < b->n_pages && !idle; i++)
		idle = b->pages[i].used ? NULL : &b->pages[i];
	conform_test(c, !idle,
		idle ? arena_fmt(c->arena, "nobody asked for %s",
			       idle->url ? idle->url : "as many answers as there are payloads")
		     : NULL,
		"every recorded answer is asked for");
	conform_test(c, b->conflicts == 0, b->conflict, "no observation has two values");
	if (b->n_slices)
		conform_test(c, b->uncovered == 0,
			arena_fmt(c->arena, "%llu rows, such as those of %s, are of no slice that cover() declares",
				(unsigned long long)b->uncovered, b->uncovered_slice ? b->uncovered_slice : ""),
			"every row is of a slice that cover() declares");
	else
		printf("# warning: no cover(): what the provider takes back is never withdrawn\n");
	if (b->doubts)
		print_visible("# warning: %s", b->doubts);
}

static glane_rc as_recorded(struct conform *c, struct diag *d)
{
	const char *why;
	struct trial again;
	glane_rc rc = try_fault(c, &c->base, FAULT_NONE, 0, d);

	if (rc != GLANE_OK)
		return rc;
	why = defect(&c->base);
	if (!why && c->base.rc != GLANE_OK)
		why = "it fails";
	if (!why && c->base.rejected)
		why = "records went to quarantine";
	if (!why && c->base.rows == 0)
		why = "no rows";
	c->has_base = !why;
	judge(c, &c->base, why, "the recorded answers give rows, and nothing is rejected");
	if (why)
		return GLANE_OK;
	printf("# %llu rows of %zu requests in %lld ms; %zu covers that withdraw\n", (unsigned long long)c->base.rows,
		c->base.n_requests, (long long)c->base.ms, c->base.n_full);
	whole(c);
	rc = try_fault(c, &again, FAULT_NONE, 0, d);
	if (rc == GLANE_OK)
		judge(c, &again, strcmp(again.digest, c->base.digest) != 0 ? "rows, covers or cursors differ" : NULL,
			"the same answers again give the same");
	return rc;
}

static glane_rc cancelled(struct conform *c, struct diag *d)
{
	const int64_t most = c->base.ms + PROMPT_MS;
	const char *why = NULL;
	uint64_t at = 1;
	struct trial t = c->plain;
	unsigned n;

	for (n = 0; n < CANCEL_MAX && !why; n++) {
		glane_rc rc;

		t = c->plain;
		t.cancel_at = at;
		rc = trial_run(&t, d);
		if (rc != GLANE_OK)
			return rc;
		why = defect(&t);
		if (!why && t.rc == GLANE_OK && at > 1)
			break; /* it had ended before that call */
		if (!why && t.rc != GLANE_E_CANCELLED)
			why = "it does not return GLANE_E_CANCELLED unchanged";
		if (!why && t.ms > most)
			why = "it does not end promptly";
		if (!why)
			at += at < CANCEL_EACH ? 1 : at / 3;
	}
	judge(c, &t, why,
		why ? arena_fmt(c->arena, "cancelled at call %llu of a service", (unsigned long long)at)
		    : arena_fmt(
			      c->arena, "cancelled at %u different calls of services it returns GLANE_E_CANCELLED", n));
	return GLANE_OK;
}

glane_rc conform_runs(struct conform *c, struct diag *d)
{
	size_t at[3], n;
	glane_rc rc = GLANE_OK;

	printf("# each run may use %llu MiB and %llu s (--memory, --seconds)\n",
		(unsigned long long)(c->plain.memory >> 20), (unsigned long long)c->plain.seconds);
	if (c->plain.n_pages) {
		rc = as_recorded(c, d);
		if (rc != GLANE_OK || !c->has_base)
			return rc;
	} else {
		conform_skip(c, "no PAYLOADS were given", "rows, determinism, cuts, pages, cancellation");
	}
	n = places(c, at);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		rc = bad_answers(c, at[i], d);
		if (rc == GLANE_OK && c->has_base)
			rc = cut_answers(c, at[i], d);
	}
	if (rc == GLANE_OK && c->has_base)
		rc = same_page(c, d);
	return rc == GLANE_OK && c->has_base ? cancelled(c, d) : rc;
}
