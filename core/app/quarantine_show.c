/* SPDX-License-Identifier: MIT */
/* What is held and what was rejected, as lines or as JSON. */
#include "app/quarantine_show.h"

#include "app/app.h"

#include "base/clock.h"
#include "sched/hold.h"
#include "sched/hold_diff.h"
#include "sched/quarantine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const counts[] = {"new", "revised", "changed_status", "withdrawn", "restored"};

/* ---- the list ---- */

static json_t *hold_item(const struct quarantine_view *v, const struct source_conf *c, const json_t *h)
{
	static const char *const texts[] = {"dataset", "indicator", "rule", "reason", "run"};
	const int64_t since = json_int(h, "since", 0);
	json_t *j = json_object();
	char time[32];
	bool ok = j && json_set_text(j, "kind", "hold") && json_set_text(j, "source", c->name) &&
		  json_set_int(j, "age_seconds", v->now - since);

	for (size_t i = 0; ok && i < sizeof(texts) / sizeof(texts[0]); i++)
		ok = json_set_text(j, texts[i], json_text(h, texts[i], NULL));
	for (size_t i = 0; ok && i < sizeof(counts) / sizeof(counts[0]); i++)
		ok = json_set_int(j, counts[i], json_int(h, counts[i], 0));
	time_format(since, time);
	ok = ok && json_set_text(j, "since", time);
	time_format(hold_ends(h, (int64_t)c->gate.hold_days), time);
	if (ok && json_set_text(j, "ends", time))
		return j;
	json_decref(j);
	return NULL;
}

static json_t *rejected_item(const struct source_conf *c, const json_t *h)
{
	static const char *const texts[] = {"dataset", "indicator", "rule", "reason", "run", "why"};
	json_t *j = json_object();
	char time[32];
	bool ok = j && json_set_text(j, "kind", "rejected_hold") && json_set_text(j, "source", c->name);

	for (size_t i = 0; ok && i < sizeof(texts) / sizeof(texts[0]); i++)
		ok = json_set_text(j, texts[i], json_text(h, texts[i], NULL));
	time_format(json_int(h, "at", 0), time);
	if (ok && json_set_text(j, "at", time))
		return j;
	json_decref(j);
	return NULL;
}

/* What was held and rejected, of one run where it is given. */
static glane_rc add_rejected_holds(
	const struct quarantine_view *v, const struct source_conf *c, const char *run, json_t *list, struct diag *d)
{
	json_t *doc = NULL;
	glane_rc rc = hold_read_rejected(v->store, c->name, &doc, d);

	for (size_t i = 0; rc == GLANE_OK && i < hold_rejected_count(doc); i++) {
		const json_t *h = json_array_get(json_object_get(doc, "rejected"), i);

		if (run && strcmp(json_text(h, "run", ""), run) != 0)
			continue;
		if (json_array_append_new(list, rejected_item(c, h)) != 0)
			rc = fail(d, GLANE_E_NOMEM, "no memory for the list");
	}
	json_decref(doc);
	return rc;
}

static bool add_holds(const struct quarantine_view *v, const struct source_conf *c, const json_t *doc, json_t *list)
{
	for (size_t i = 0; i < hold_count(doc); i++)
		if (json_array_append_new(list, hold_item(v, c, json_array_get(json_object_get(doc, "holds"), i))) != 0)
			return false;
	return true;
}

static glane_rc add_rejects(const struct quarantine_view *v, const struct source_conf *c, json_t *list, struct diag *d)
{
	const char **runs = NULL;
	size_t n = 0;
	glane_rc rc = quarantine_runs(v->store, c->name, &v->settings->arena, &runs, &n, d);

	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		json_t *doc = NULL, *j = json_object();

		rc = quarantine_read(v->store, c->name, runs[i], &doc, d);
		if (rc == GLANE_OK && (!json_set_text(j, "kind", "rejected") || !json_set_text(j, "source", c->name) ||
					      !json_set_text(j, "run", runs[i]) ||
					      !json_set_int(j, "records", json_int(doc, "rejected", 0)) ||
					      json_array_append(list, j) != 0))
			rc = fail(d, GLANE_E_NOMEM, "no memory for the list");
		json_decref(doc);
		json_decref(j);
	}
	return rc;
}

static glane_rc add_source(const struct quarantine_view *v, const struct source_conf *c, json_t *list, struct diag *d)
{
	json_t *doc = NULL;
	glane_rc rc = hold_read(v->store, c->name, &doc, d);

	if (rc == GLANE_OK && !add_holds(v, c, doc, list))
		rc = fail(d, GLANE_E_NOMEM, "no memory for the list");
	json_decref(doc);
	if (rc == GLANE_OK)
		rc = add_rejected_holds(v, c, NULL, list, d);
	return rc == GLANE_OK ? add_rejects(v, c, list, d) : rc;
}

static bool named(const char *const *names, size_t n, const char *source)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], source) == 0)
			return true;
	return n == 0;
}

/* Newest run first, holds before what was rejected; of one run as the documents have it. */
static int by_run(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	const int runs = strcmp(json_text(*y, "run", ""), json_text(*x, "run", ""));
	const int sources = runs ? runs : strcmp(json_text(*x, "source", ""), json_text(*y, "source", ""));

	return sources ? sources : strcmp(json_text(*x, "kind", ""), json_text(*y, "kind", ""));
}

static bool sort(json_t **list)
{
	const size_t n = json_array_size(*list);
	json_t **v = mem_zalloc(n + 1, sizeof(json_t *)), *sorted = json_array();
	bool ok = v && sorted;

	for (size_t i = 0; v && i < n; i++)
		v[i] = json_array_get(*list, i);
	if (ok && n)
		qsort(v, n, sizeof(json_t *), by_run);
	for (size_t i = 0; ok && i < n; i++)
		ok = json_array_append(sorted, v[i]) == 0;
	mem_free(v);
	if (ok) {
		json_decref(*list);
		*list = sorted;
	} else {
		json_decref(sorted);
	}
	return ok;
}

/* Texts of providers come to a terminal without its control bytes. Releases the line. */
static bool print_line(struct strbuf *line)
{
	struct strbuf b;
	bool ok = strbuf_ok(line);

	strbuf_init(&b, 0);
	strbuf_visible(&b, strbuf_get(line));
	ok = ok && strbuf_ok(&b);
	if (ok)
		printf("%.*s\n", SLICE_FMT(strbuf_get(&b)));
	strbuf_release(&b);
	strbuf_release(line);
	return ok;
}

static void put_slice(struct strbuf *b, const json_t *j)
{
	const char *indicator = json_text(j, "indicator", "");

	strbuf_fmt(b, "%s%s%s", json_text(j, "dataset", ""), *indicator ? " " : "", indicator);
}

static void put_hold(struct strbuf *b, const json_t *j)
{
	char age[32];

	age_text(json_int(j, "age_seconds", 0), age);
	strbuf_fmt(b, "held for %s (%s) by run %s, until %s: ", age, json_text(j, "rule", "no gate"),
		json_text(j, "run", ""), json_text(j, "ends", ""));
	put_slice(b, j);
	strbuf_fmt(b, ": %s (", json_text(j, "reason", ""));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		strbuf_fmt(
			b, "%s%" PRId64 " %s", i ? ", " : "", json_int(j, counts[i], 0), i == 2 ? "status" : counts[i]);
	strbuf_putc(b, ')');
}

static void put_rejected(struct strbuf *b, const json_t *j)
{
	strbuf_fmt(b, "rejected on %.10s (%s)%s: ", json_text(j, "at", ""), json_text(j, "rule", "no gate"),
		strcmp(json_text(j, "why", ""), "expired") == 0 ? " since nobody decided" : "");
	put_slice(b, j);
	strbuf_fmt(b, ": %s", json_text(j, "reason", "no reason is known"));
}

static void put_rejects(struct strbuf *b, int64_t n, const char *run)
{
	strbuf_fmt(b, "rejected %" PRId64 " record%s of run %s", n, n == 1 ? "" : "s", run);
}

static bool print_item(const json_t *j)
{
	const char *kind = json_text(j, "kind", "");
	struct strbuf b;

	strbuf_init(&b, 0);
	strbuf_fmt(&b, "%-24s ", json_text(j, "source", ""));
	if (strcmp(kind, "rejected") == 0)
		put_rejects(&b, json_int(j, "records", 0), json_text(j, "run", ""));
	else if (strcmp(kind, "rejected_hold") == 0)
		put_rejected(&b, j);
	else
		put_hold(&b, j);
	return print_line(&b);
}

static bool print_list(const json_t *list, bool json)
{
	struct strbuf b;
	bool ok;

	for (size_t i = 0; !json && i < json_array_size(list); i++)
		if (!print_item(json_array_get(list, i)))
			return false;
	if (!json)
		return true;
	strbuf_init(&b, 0);
	ok = json_print(&b, list, false);
	if (ok)
		printf("%.*s\n", (int)b.n, b.p);
	strbuf_release(&b);
	return ok;
}

int quarantine_list(const struct quarantine_view *v, const char *const *names, size_t n)
{
	json_t *list = json_array();
	struct diag d;
	glane_rc rc = GLANE_OK;
	int code = EXIT_FINE;

	diag_clear(&d);
	for (size_t i = 0; rc == GLANE_OK && i < v->settings->n_sources; i++)
		if (named(names, n, v->settings->sources[i].name))
			rc = add_source(v, &v->settings->sources[i], list, &d);
	if (rc == GLANE_OK && (!sort(&list) || !print_list(list, v->json)))
		rc = fail(&d, GLANE_E_NOMEM, "no memory for the list");
	if (rc != GLANE_OK)
		code = complain(EXIT_STORE, "%s", d.text);
	else if (!v->json && json_array_size(list) == 0)
		fprintf(stderr, "glane: nothing is held, and no record was rejected\n");
	json_decref(list);
	return code;
}

/* ---- one source ---- */

/* The text of `"value":` in a line that row_ndjson() wrote: exact, where a number would not be. No text of the line can look
 * like it, since its quotes would be escaped. */
static struct slice value_in(const char *line)
{
	static const char name[] = "\"value\":";
	const char *at = line ? strstr(line, name) : NULL;

	if (!at)
		return SLICE("");
	at += sizeof(name) - 1;
	return (struct slice){at, strcspn(at, ",}")};
}

static void put_side(struct strbuf *b, const json_t *row, struct slice value)
{
	const char *text = json_text(row, "value_text", ""), *status = json_text(row, "status", "");
	const char *flags = json_text(row, "flags", "");

	if (*text)
		strbuf_fmt(b, " %s", text);
	else
		strbuf_fmt(b, " %.*s", SLICE_FMT(value.n ? value : SLICE("-")));
	if (strcmp(status, "A") != 0 || *flags)
		strbuf_fmt(b, " (%s%s%s)", status, *flags ? " " : "", flags);
}

static bool print_event(const char *line, const json_t *j)
{
	const json_t *old = json_object_get(j, "old");
	const bool withdrawn = strcmp(json_text(j, "event", ""), "withdrawn") == 0;
	struct strbuf b;

	strbuf_init(&b, 0);
	strbuf_fmt(&b, "  %-10s %s %s %s %s%s%s:", json_text(j, "event", ""), json_text(j, "dataset", ""),
		json_text(j, "indicator", ""), json_text(j, "area", ""), json_text(j, "period", ""),
		*json_text(j, "dims", "") ? " " : "", json_text(j, "dims", ""));
	if (json_is_object(old)) {
		put_side(&b, old, value_in(strstr(line, "\"old\":{")));
		strbuf_puts(&b, " ->");
	}
	if (withdrawn)
		strbuf_puts(&b, " nothing");
	else
		put_side(&b, j, value_in(line));
	return print_line(&b);
}

static bool line_of(const json_t *hold, const json_t *j)
{
	const char *dataset = json_text(hold, "dataset", NULL), *indicator = json_text(hold, "indicator", NULL);

	return (!dataset || strcmp(dataset, json_text(j, "dataset", "")) == 0) &&
	       (!indicator || !*indicator || strcmp(indicator, json_text(j, "indicator", "")) == 0);
}

struct first { /* the first events of a hold in the diff of its run */
	const json_t *hold;
	int64_t left;
};

static glane_rc cannot_print(struct diag *d)
{
	return fail(d, GLANE_E_NOMEM, "no memory for a line");
}

static glane_rc show_event(void *arg, const char *line, struct diag *d)
{
	struct first *f = arg;
	struct diag why = {0};
	glane_rc rc = GLANE_OK;
	json_t *j;

	if (f->left == 0)
		return GLANE_END;
	j = json_parse(slice_of(line), 0, "the diff of a hold", &why);
	if (!j)
		return fail(d, why.code == GLANE_E_NOMEM ? why.code : GLANE_E_IO, "%s (glane check --store)", why.text);
	if (line_of(f->hold, j)) {
		rc = print_event(line, j) ? GLANE_OK : cannot_print(d);
		f->left--;
	}
	json_decref(j);
	return rc;
}

static glane_rc show_hold(const struct quarantine_view *v, const struct source_conf *c, const json_t *doc,
	const json_t *hold, struct diag *d)
{
	const json_t *run = hold_run(doc, hold);
	json_t *item = hold_item(v, c, hold);
	char path[HOLD_FILE];
	struct first first = {hold, v->limit};
	glane_rc rc = item && print_item(item) ? GLANE_OK : cannot_print(d);

	json_decref(item);
	hold_path(c->name, json_text(run, "file", ""), path);
	if (rc == GLANE_OK)
		rc = hold_diff_read(v->store, c->name, run, show_event, &first, d);
	if (rc == GLANE_OK)
		printf("  all events: zstdcat %s/%s; payloads: %zu of run %s\n", v->store->path, path,
			json_array_size(json_object_get(run, "requests")), json_text(hold, "run", ""));
	return rc;
}

static bool print_record(const json_t *q)
{
	struct strbuf b;

	strbuf_init(&b, 0);
	strbuf_fmt(&b, "  record %" PRId64 ", line %" PRId64 ", offset %" PRId64 " of payload %s: %s, rule %s: %s",
		json_int(q, "number", 0), json_int(q, "line", 0), json_int(q, "offset", 0),
		json_text(q, "payload", "-"), json_text(q, "stage", "-"), json_text(q, "rule", ""),
		json_text(q, "reason", ""));
	if (!print_line(&b))
		return false;
	strbuf_init(&b, 0);
	strbuf_fmt(&b, "    %s", json_text(q, "record", ""));
	return print_line(&b);
}

static glane_rc show_records(const struct quarantine_view *v, const char *source, const char *run, struct diag *d)
{
	json_t *doc = NULL;
	const json_t *list;
	struct strbuf head;
	glane_rc rc = quarantine_read(v->store, source, run, &doc, d);

	if (rc != GLANE_OK)
		return rc;
	list = json_object_get(doc, "records");
	strbuf_init(&head, 0);
	strbuf_fmt(&head, "%-24s ", source);
	put_rejects(&head, json_int(doc, "rejected", 0), run);
	rc = print_line(&head) ? GLANE_OK : cannot_print(d);
	for (size_t i = 0; rc == GLANE_OK && i < json_array_size(list) && (int64_t)i < v->limit; i++)
		if (!print_record(json_array_get(list, i)))
			rc = cannot_print(d);
	json_decref(doc);
	return rc;
}

static glane_rc show_holds(
	const struct quarantine_view *v, const struct source_conf *c, const char *run, bool *ret_found, struct diag *d)
{
	json_t *doc = NULL;
	bool is_held = false;
	glane_rc rc = hold_read(v->store, c->name, &doc, d);

	for (size_t i = 0; rc == GLANE_OK && i < hold_count(doc); i++) {
		const json_t *h = json_array_get(json_object_get(doc, "holds"), i);

		if (run && strcmp(json_text(h, "run", ""), run) != 0)
			continue;
		*ret_found = is_held = true;
		rc = show_hold(v, c, doc, h, d);
	}
	if (rc == GLANE_OK && is_held)
		printf("  next: glane quarantine accept %s commits it, reject drops it (or glane run %s --accept)\n",
			c->name, c->name);
	json_decref(doc);
	return rc;
}

static glane_rc show_rejected_holds(
	const struct quarantine_view *v, const struct source_conf *c, const char *run, bool *ret_found, struct diag *d)
{
	json_t *list = json_array();
	glane_rc rc = add_rejected_holds(v, c, run, list, d);

	for (size_t i = 0; rc == GLANE_OK && i < json_array_size(list); i++) {
		*ret_found = true;
		if (!print_item(json_array_get(list, i)))
			rc = cannot_print(d);
	}
	json_decref(list);
	return rc;
}

int quarantine_show(const struct quarantine_view *v, const char *source, const char *run, bool *ret_found)
{
	const struct source_conf *c = settings_find(v->settings, source);
	const char **runs = NULL;
	struct diag d;
	size_t n = 0;
	glane_rc rc;

	diag_clear(&d);
	rc = show_holds(v, c, run, ret_found, &d);
	if (rc == GLANE_OK)
		rc = show_rejected_holds(v, c, run, ret_found, &d);
	if (rc == GLANE_OK)
		rc = quarantine_runs(v->store, source, &v->settings->arena, &runs, &n, &d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (run ? strcmp(run, runs[i]) != 0 : i > 0)
			continue;
		*ret_found = true;
		rc = show_records(v, source, runs[i], &d);
	}
	return rc == GLANE_OK ? EXIT_FINE : complain(EXIT_STORE, "%s", d.text);
}
