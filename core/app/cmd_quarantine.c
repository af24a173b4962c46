/* SPDX-License-Identifier: MIT */
/* glane quarantine */
#include "app/app.h"
#include "app/quarantine_show.h"

#include "base/clock.h"
#include "sched/hold.h"
#include "sched/quarantine.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
	"glane quarantine list [SOURCE...] [--json]\n"
	"glane quarantine show SOURCE|RUN... [--limit N]\n"
	"glane quarantine accept|reject SOURCE [--dataset D] [--indicator I]\n"
	"glane quarantine replay SOURCE [RUN]\n"
	"\n"
	"What a gate holds back, and records that could not be normalised.\n"
	"\n"
	"  list      both, newest first, with age, gate and counts, and which holds were rejected, when and why\n"
	"  show      why, the first events of the diff, the records with stage, rule, payload and place\n"
	"  accept    commits what is held, out of the payload archive, and nothing else of the source\n"
	"  reject    drops what is held; the same answer is not held again, but it is judged again once a key gate.* "
	"of\n"
	"            the source has changed, and taken where the gate lets it pass then\n"
	"  replay    parses the answers of the last run with rejected records (or of RUN) again, with today's plugin,\n"
	"            options and tables, and commits what can be normalised now; of a run before the last commit only\n"
	"            what the store never had\n"
	"\n"
	"A hold is rejected by itself after gate.hold_days (7). A mass revision is released by itself where a later "
	"run,\n"
	"six hours on, gets the same answer and the provider says that it has updated the data.\n"
	"\n"
	"      --dataset D, --indicator I   only these slices (repeatable)\n"
	"      --limit N    events and records shown of each (default 20)\n"
	"      --json       the list, or the report of replay, as JSON; of accept one report a line, for each run that "
	"held\n"
	"      --now T      take T (RFC 3339) as the time\n"
	"  -q, --quiet      accept, reject, replay: nothing on success\n"
	"\n"
	"Exit codes as of glane --help; 1 also where nothing could be committed.\n";

struct words { /* of the command line */
	struct list words, datasets, indicators;
	const char *limit, *now;
	bool json, quiet;
};

/* ---- which slices ---- */

static bool among(const struct list *l, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], text) == 0)
			return true;
	return l->n == 0;
}

static bool chosen(const struct words *w, const json_t *hold)
{
	return among(&w->datasets, json_text(hold, "dataset", "")) &&
	       among(&w->indicators, json_text(hold, "indicator", ""));
}

/* Names of the chosen holds (of one run, where it is given), borrowed from the document. NULL: no memory. */
static struct slice_name *choose(
	const struct words *w, struct arena *a, const json_t *doc, const char *run, size_t *ret_n)
{
	struct slice_name *names = arena_alloc(a, (hold_count(doc) + 1) * sizeof(*names));

	*ret_n = 0;
	for (size_t i = 0; names && i < hold_count(doc); i++) {
		const json_t *h = json_array_get(json_object_get(doc, "holds"), i);

		if (chosen(w, h) && (!run || strcmp(json_text(h, "run", ""), run) == 0))
			names[(*ret_n)++] = hold_name(h);
	}
	return names;
}

/* Nothing to do is fine; slices that were named and are not held are a mistake. */
static int nothing(const struct words *w, const char *source)
{
	if (w->datasets.n + w->indicators.n > 0)
		return complain(
			EXIT_USAGE, "none of these slices of %s is held (glane quarantine list %s)", source, source);
	if (!w->quiet)
		fprintf(stderr, "glane: nothing of %s is held\n", source);
	return EXIT_FINE;
}

/* ---- answers that are parsed again ---- */

/* Nothing was due: that all failed is that some did. */
static int run_again(struct settings *s, const struct words *w, struct run_options *o, const char *source, int64_t now)
{
	int code;

	o->names = &source;
	o->n_names = 1;
	o->offline = true;
	o->json = w->json;
	o->quiet = w->quiet;
	o->now = now;
	code = run_all(s, o);
	o->names = NULL;
	o->n_names = 0;
	return code == EXIT_ALL ? EXIT_SOME : code;
}

static int accept_run(
	struct settings *s, const struct words *w, const char *source, const json_t *doc, const char *run, int64_t now)
{
	struct run_options o = {.again = AGAIN_ACCEPT, .again_run = run, .json_line = true};
	const json_t *entry = json_object_get(json_object_get(doc, "runs"), run);

	o.only = choose(w, &s->arena, doc, run, &o.n_only);
	if (!o.only)
		return complain(EXIT_STORE, "no memory for the slices");
	if (o.n_only == 0)
		return EXIT_FINE;
	if (!json_flag(entry, "kept"))
		return complain(EXIT_SOME,
			"%s: its payloads were not kept (keep_payloads = none); glane run %s --accept asks for them "
			"again and "
			"commits what comes",
			source, source);
	return run_again(s, w, &o, source, now);
}

/* The lock is taken run by run; what has changed in between is noticed there. What fails of one run says nothing of the others; what
 * is wrong with the store does. */
static int accept(struct settings *s, const struct words *w, const struct store *st, const char *source, int64_t now)
{
	json_t *doc = NULL, *entry;
	const char *run;
	struct diag d;
	int code = EXIT_FINE;
	size_t n;

	diag_clear(&d);
	if (hold_read(st, source, &doc, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	if (!choose(w, &s->arena, doc, NULL, &n))
		code = complain(EXIT_STORE, "no memory for the slices");
	else if (n == 0)
		code = nothing(w, source);
	else
		json_object_foreach(json_object_get(doc, "runs"), run, entry)
		{
			const int one = code > EXIT_SOME ? EXIT_FINE : accept_run(s, w, source, doc, run, now);

			code = one > code ? one : code;
		}
	json_decref(doc);
	return code;
}

static int replay(struct settings *s, const struct words *w, const struct store *st, const char *source, int64_t now)
{
	struct run_options o = {.again = AGAIN_REPLAY, .again_run = w->words.n > 2 ? w->words.v[2] : NULL};
	const char **runs = NULL;
	json_t *doc = NULL;
	struct diag d;
	size_t n = 0;

	diag_clear(&d);
	if (quarantine_runs(st, source, &s->arena, &runs, &n, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	if (!o.again_run && n == 0) {
		if (!w->quiet)
			fprintf(stderr, "glane: no record of %s was rejected\n", source);
		return EXIT_FINE;
	}
	if (!o.again_run)
		o.again_run = runs[0];
	if (quarantine_read(st, source, o.again_run, &doc, &d) != GLANE_OK)
		return complain(d.code == GLANE_E_USAGE ? EXIT_USAGE : EXIT_STORE, "%s", d.text);
	json_decref(doc);
	return run_again(s, w, &o, source, now);
}

/* ---- reject ---- */

static int reject(struct settings *s, const struct words *w, const char *source, int64_t now)
{
	struct slice_name *names = NULL;
	json_t *doc = NULL;
	struct store st;
	struct diag d;
	size_t n = 0;
	glane_rc rc;
	int code = EXIT_FINE;

	diag_clear(&d);
	rc = app_store_open(s, true, &st, &d);
	if (rc != GLANE_OK)
		return complain(rc == GLANE_E_DENIED ? EXIT_LOCKED : EXIT_STORE, "%s", d.text);
	rc = hold_read(&st, source, &doc, &d);
	if (rc == GLANE_OK) {
		names = choose(w, &s->arena, doc, NULL, &n);
		if (!names)
			rc = fail(&d, GLANE_E_NOMEM, "no memory for the slices");
	}
	if (rc == GLANE_OK && n > 0)
		rc = hold_reject_all(&st, source, names, n, now, &n, &d);
	if (rc != GLANE_OK)
		code = complain(EXIT_STORE, "%s", d.text);
	else if (n == 0)
		code = nothing(w, source);
	else if (!w->quiet)
		printf("%-24s rejected: %zu slice%s that %s held\n", source, n, n == 1 ? "" : "s",
			n == 1 ? "was" : "were");
	json_decref(doc);
	store_close(&st);
	return code;
}

/* ---- the command ---- */

/* A name of a source, or the id of a run: then what it left of every source. */
static int show(struct quarantine_view *v, const struct words *w)
{
	int code = EXIT_FINE;

	for (size_t i = 1; i < w->words.n && code == EXIT_FINE; i++) {
		const char *word = w->words.v[i];
		const struct source_conf *c = settings_find(v->settings, word);
		bool found = false;

		if (c)
			code = quarantine_show(v, word, NULL, &found);
		for (size_t k = 0; !c && k < v->settings->n_sources && code == EXIT_FINE; k++)
			code = quarantine_show(v, v->settings->sources[k].name, word, &found);
		if (code != EXIT_FINE || found)
			continue;
		if (!c)
			return complain(
				EXIT_USAGE, "'%s' is neither a source nor a run that held or rejected anything", word);
		fprintf(stderr, "glane: nothing of %s is held, and none of its records was rejected\n", word);
	}
	return code;
}

static int look(struct settings *s, const struct words *w, int64_t now, int64_t limit)
{
	struct store st;
	struct quarantine_view v = {s, &st, now, limit, w->json};
	struct diag d;
	int code;

	diag_clear(&d);
	if (store_open_if_any(&st, s->store, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	if (strcmp(w->words.v[0], "show") == 0)
		code = show(&v, w);
	else
		code = quarantine_list(&v, w->words.v + 1, w->words.n - 1);
	store_close(&st);
	return code;
}

static int decide(struct settings *s, const struct words *w, int64_t now)
{
	const char *verb = w->words.v[0], *source = w->words.v[1];
	struct store st;
	struct diag d;
	int code;

	diag_clear(&d);
	if (strcmp(verb, "reject") == 0)
		return reject(s, w, source, now == INT64_MIN ? clock_utc() : now);
	if (store_open(&st, s->store, false, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	code = strcmp(verb, "accept") == 0 ? accept(s, w, &st, source, now) : replay(s, w, &st, source, now);
	store_close(&st);
	return code;
}

/* What each verb takes: words behind it, at least and at most. */
static const struct {
	const char *name;
	size_t least, most;
	bool looks, json;
	bool sources; /* sources: the words are all names of sources; else the first one is, but for show */
} verbs[] = {{"list", 0, LIST_MAX, true, true, true}, {"show", 1, LIST_MAX, true, false, false},
	{"accept", 1, 1, false, true, true}, {"reject", 1, 1, false, false, true},
	{"replay", 1, 2, false, true, false}};

static int check_words(const struct settings *s, const struct words *w, bool *ret_looks)
{
	const char *verb = w->words.n ? w->words.v[0] : "";

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		const size_t n = w->words.n - 1;

		if (strcmp(verb, verbs[i].name) != 0)
			continue;
		if (n < verbs[i].least || n > verbs[i].most)
			return complain(
				EXIT_USAGE, "quarantine %s: wrong number of words (--help says what it takes)", verb);
		if (w->json && !verbs[i].json)
			return complain(
				EXIT_USAGE, "quarantine %s prints no JSON (glane quarantine list --json does)", verb);
		for (size_t k = 1; k <= n && !(verbs[i].looks && !verbs[i].sources); k++)
			if ((verbs[i].sources || k == 1) && !settings_find(s, w->words.v[k]))
				return complain(EXIT_USAGE, "no source is called '%s' (glane sources lists them)",
					w->words.v[k]);
		*ret_looks = verbs[i].looks;
		return EXIT_FINE;
	}
	return complain(EXIT_USAGE, "quarantine: say list, show, accept, reject or replay (--help)");
}

int cmd_quarantine(const struct app *a, int argc, char **argv)
{
	struct words w = {.json = false};
	const struct arg args[] = {{"json", 0, false, take_flag, &w.json}, {"dataset", 0, true, take_list, &w.datasets},
		{"indicator", 0, true, take_list, &w.indicators}, {"limit", 0, true, take_text, &w.limit},
		{"now", 0, true, take_text, &w.now}, {"quiet", 'q', false, take_flag, &w.quiet}};
	int64_t now = INT64_MIN, limit = 20;
	bool done, looks = false;
	struct settings s;
	int code;

	if (!args_parse(argc, argv, args, sizeof(args) / sizeof(args[0]), &w.words, help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	if (!arg_time("now", w.now, &now) || !arg_number("limit", w.limit, 0, INT32_MAX, &limit))
		return EXIT_USAGE;
	code = app_settings(a, &s);
	if (code == EXIT_FINE)
		code = check_words(&s, &w, &looks);
	if (code == EXIT_FINE)
		code = looks ? look(&s, &w, now == INT64_MIN ? clock_utc() : now, limit) : decide(&s, &w, now);
	settings_release(&s);
	return code == EXIT_FINE ? flush_out() : code;
}
