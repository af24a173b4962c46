/* SPDX-License-Identifier: MIT */
/* glane status */
#include "app/app.h"

#include "base/clock.h"
#include "sched/hold.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"glane status [--source S] [--json] [--prometheus] [--now T]\n"
	"\n"
	"Per source: state of the last run, last checked, last changed, newest period, rows, age of "
	"every hold, and whether\n"
	"it is overdue (enabled, and for twice its interval not checked with success). Of one that fails its\n"
	"last success; of one that the store has and no section names any more, that it has none.\n"
	"\n"
	"  --source S     this source alone (repeatable)\n"
	"  --json         the same as JSON\n"
	"  --prometheus   as metrics in the text exposition format\n"
	"  --now T        judge ages as of T (RFC 3339) instead of the clock\n";

struct state { /* of one source */
	const struct source_conf *c;
	json_t *last;
	bool overdue,
		configured; /* configured: else its rows are in the store, and no section has its name (any more) */
};
struct states {
	struct state *v;
	size_t n;
	int64_t now;
};

static const char *time_or_dash(const json_t *j, const char *key, char buf[32])
{
	const int64_t t = json_int(j, key, INT64_MIN);

	if (t == INT64_MIN)
		return "-";
	time_format(t, buf);
	return buf;
}

static bool overdue(const struct source_conf *c, const json_t *last, int64_t now)
{
	const int64_t t = json_int(last, "succeeded", INT64_MIN);

	return c->enabled && (t == INT64_MIN || now - t > 2 * c->every);
}

static const char *status_of(const struct state *s)
{
	return json_text(s->last, "status", "never run");
}

static const char *state_of(const struct state *s)
{
	return !s->configured ? "no section" : s->c->enabled ? status_of(s) : "disabled";
}

/* ---- JSON ---- */

static json_t *holds_json(const struct state *s, int64_t now)
{
	const json_t *holds = json_object_get(s->last, "holds");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(holds); i++) {
		const json_t *h = json_array_get(holds, i);
		json_t *j = json_object();
		char buf[32];

		json_set_text(j, "dataset", json_text(h, "dataset", NULL));
		json_set_text(j, "indicator", json_text(h, "indicator", NULL));
		json_set_text(j, "rule", json_text(h, "rule", NULL));
		json_set_text(j, "reason", json_text(h, "reason", NULL));
		json_set_text(j, "run", json_text(h, "run", NULL));
		json_set_text(j, "since", time_or_dash(h, "since", buf));
		time_format(hold_ends(h, (int64_t)s->c->gate.hold_days), buf);
		json_set_text(j, "ends", buf);
		json_set_int(j, "age_seconds", now - json_int(h, "since", now));
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *source_json(const struct state *s, int64_t now)
{
	static const char *const times[] = {"checked", "changed", "succeeded"};
	json_t *j = json_object();
	char buf[32];

	if (!j)
		return NULL;
	json_set_text(j, "source", s->c->name);
	json_set_text(j, "status", status_of(s));
	json_set_text(j, "message", json_text(s->last, "message", NULL));
	json_set_text(j, "doubts", json_text(s->last, "doubts", NULL));
	json_set_text(j, "run", json_text(s->last, "run", NULL));
	json_set_text(j, "newest_period", json_text(s->last, "newest_period", NULL));
	json_set_int(j, "rows", json_int(s->last, "rows", 0));
	json_object_set_new(j, "configured", json_boolean(s->configured));
	json_object_set_new(j, "enabled", json_boolean(s->c->enabled));
	json_object_set_new(j, "overdue", json_boolean(s->overdue));
	json_object_set_new(j, "holds", holds_json(s, now));
	for (size_t i = 0; i < 3; i++)
		if (json_int(s->last, times[i], INT64_MIN) != INT64_MIN)
			json_set_text(j, times[i], time_or_dash(s->last, times[i], buf));
	return j;
}

static int print_states(const struct states *all)
{
	json_t *list = json_array();
	struct strbuf b;
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < all->n; i++)
		ok = json_array_append_new(list, source_json(&all->v[i], all->now)) == 0;
	strbuf_init(&b, 0);
	ok = ok && json_print(&b, list, false);
	if (ok)
		printf("%.*s\n", SLICE_FMT(strbuf_get(&b)));
	strbuf_release(&b);
	json_decref(list);
	return ok ? EXIT_FINE : complain(EXIT_STORE, "no memory for the states");
}

/* ---- lines ---- */

static void print_holds(const struct state *s, int64_t now)
{
	const json_t *holds = json_object_get(s->last, "holds");

	for (size_t i = 0; i < json_array_size(holds); i++) {
		const json_t *h = json_array_get(holds, i);
		char age[32];

		age_text(now - json_int(h, "since", now), age);
		print_visible("%-24s held for %s (%s): %s%s%s: %s", "", age, json_text(h, "rule", "no gate"),
			json_text(h, "dataset", ""), *json_text(h, "indicator", "") ? " " : "",
			json_text(h, "indicator", ""), json_text(h, "reason", ""));
	}
}

static void print_line(const struct state *s, int64_t now)
{
	char checked[32], changed[32];
	const char *message = json_text(s->last, "message", NULL), *doubts = json_text(s->last, "doubts", NULL);

	printf("%-24s %-10s checked %-20s changed %-20s newest %-10s %9" PRId64 " rows%s\n", s->c->name, state_of(s),
		time_or_dash(s->last, "checked", checked), time_or_dash(s->last, "changed", changed),
		json_text(s->last, "newest_period", "-"), json_int(s->last, "rows", 0), s->overdue ? "  OVERDUE" : "");
	if (message)
		print_visible("%-24s %s", "", message);
	if (strcmp(status_of(s), "failed") == 0)
		print_visible("%-24s last success %s", "",
			json_int(s->last, "succeeded", INT64_MIN) == INT64_MIN
				? "never"
				: time_or_dash(s->last, "succeeded", changed));
	if (!s->configured)
		print_visible("%-24s what it had stays in the tables; its section was removed or renamed", "");
	if (doubts)
		print_visible("%-24s %s", "", doubts);
	print_holds(s, now);
}

/* ---- Prometheus (text exposition format 0.0.4): names of sources need no escapes, other texts do ---- */

/* The exposition knows three escapes; other control bytes become \xNN, whose backslash is escaped in turn. */
static void print_label(const char *name, const char *text)
{
	struct slice s = slice_of(text);
	char shown[8];

	printf("%s=\"", name);
	while (s.n) {
		const bool is_end = s.p[0] == '\n';
		const size_t n = slice_show(&s, shown);

		for (size_t i = 0; i < n && !is_end; i++)
			printf(shown[i] == '"' || shown[i] == '\\' ? "\\%c" : "%c", shown[i]);
		if (is_end)
			fputs("\\n", stdout);
	}
	putchar('"');
}

static void print_head(const char *name, const char *what)
{
	printf("# HELP glane_%s %s\n# TYPE glane_%s gauge\n", name, what, name);
}

static void print_metric(const struct states *all, const char *name, const char *what, const char *member)
{
	print_head(name, what);
	for (size_t i = 0; i < all->n; i++) {
		const int64_t v = json_int(all->v[i].last, member, INT64_MIN);

		if (v != INT64_MIN)
			printf("glane_%s{source=\"%s\"} %" PRId64 "\n", name, all->v[i].c->name, v);
	}
}

static void print_hold_metric(const struct states *all)
{
	print_head("hold_age_seconds", "Age of a slice that a gate holds back.");
	for (size_t i = 0; i < all->n; i++) {
		const json_t *holds = json_object_get(all->v[i].last, "holds");

		for (size_t k = 0; k < json_array_size(holds); k++) {
			const json_t *h = json_array_get(holds, k);

			printf("glane_hold_age_seconds{source=\"%s\",", all->v[i].c->name);
			print_label("dataset", json_text(h, "dataset", ""));
			putchar(',');
			print_label("indicator", json_text(h, "indicator", ""));
			putchar(',');
			print_label("rule", json_text(h, "rule", ""));
			printf("} %" PRId64 "\n", all->now - json_int(h, "since", all->now));
		}
	}
}

static void print_metrics(const struct states *all)
{
	print_head("source_status", "The verdict of the source's last run, as a label.");
	for (size_t i = 0; i < all->n; i++) {
		printf("glane_source_status{source=\"%s\",", all->v[i].c->name);
		print_label("status", status_of(&all->v[i]));
		puts("} 1");
	}
	print_head("source_enabled", "Whether the source is enabled.");
	for (size_t i = 0; i < all->n; i++)
		printf("glane_source_enabled{source=\"%s\"} %d\n", all->v[i].c->name, all->v[i].c->enabled);
	print_head("source_overdue", "Whether it was not checked with success for twice its interval.");
	for (size_t i = 0; i < all->n; i++)
		printf("glane_source_overdue{source=\"%s\"} %d\n", all->v[i].c->name, all->v[i].overdue);
	print_metric(all, "source_checked_timestamp_seconds", "Start of the last run.", "checked");
	print_metric(
		all, "source_succeeded_timestamp_seconds", "Start of the last run that did not fail.", "succeeded");
	print_metric(all, "source_changed_timestamp_seconds", "Start of the last run that committed.", "changed");
	print_metric(all, "source_rows", "Live observations in the store.", "rows");
	print_hold_metric(all);
}

/* ---- the command ---- */

static int read_state(const struct store *st, const struct source_conf *c, bool configured, const struct list *names,
	struct states *all)
{
	struct state *one = &all->v[all->n];
	struct diag d;

	diag_clear(&d);
	if (names->n && !list_has(names, slice_of(c->name)))
		return EXIT_FINE;
	*one = (struct state){.c = c, .configured = configured};
	all->n++;
	if (store_last_read(st, c->name, &one->last, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	one->overdue = overdue(c, one->last, all->now);
	if (!configured)
		json_object_del(one->last, "holds"); /* no run will ask about them */
	return EXIT_FINE;
}

/* Of the named sources, or of all: those that are configured, then others that the store has. */
static int read_states(struct settings *s, const struct store *st, const struct list *names, struct states *all)
{
	struct source_conf *others;
	const char **kept = NULL;
	struct diag d;
	size_t n = 0;
	int code = EXIT_FINE;

	diag_clear(&d);
	if (st->dir >= 0 && store_sources(st, &s->arena, &kept, &n, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	all->v = arena_alloc(&s->arena, (s->n_sources + n + 1) * sizeof(*all->v));
	others = arena_alloc(&s->arena, (n + 1) * sizeof(*others));
	if (!all->v || !others)
		return complain(EXIT_STORE, "no memory for the states");
	for (size_t i = 0; i < s->n_sources && code == EXIT_FINE; i++)
		code = read_state(st, &s->sources[i], true, names, all);
	for (size_t i = 0; i < n && code == EXIT_FINE; i++) {
		others[i] = (struct source_conf){.name = kept[i]};
		if (!settings_find(s, kept[i]))
			code = read_state(st, &others[i], false, names, all);
	}
	return code;
}

static int show(struct settings *s, const struct list *names, int64_t now, bool json, bool metrics)
{
	struct states all = {.now = now};
	size_t configured = 0;
	struct store st;
	struct diag d;
	int code;

	diag_clear(&d);
	if (store_open_if_any(&st, s->store, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	code = app_sources(s, st.dir < 0 ? NULL : &st, names);
	if (code == EXIT_FINE)
		code = read_states(s, &st, names, &all);
	while (configured < all.n && all.v[configured].configured)
		configured++;
	if (code == EXIT_FINE && json)
		code = print_states(&all);
	else if (code == EXIT_FINE && metrics)
		print_metrics(
			&(struct states){all.v, configured, now}); /* who watches them hears of the others no more */
	else
		for (size_t i = 0; code == EXIT_FINE && i < all.n; i++)
			print_line(&all.v[i], now);
	for (size_t i = 0; i < all.n; i++)
		json_decref(all.v[i].last);
	store_close(&st);
	return code;
}

int cmd_status(const struct app *a, int argc, char **argv)
{
	bool json = false, metrics = false, done;
	const char *time = NULL;
	struct list names = {{NULL}, 0};
	const struct arg args[] = {{"source", 0, true, take_list, &names}, {"json", 0, false, take_flag, &json},
		{"prometheus", 0, false, take_flag, &metrics}, {"now", 0, true, take_text, &time}};
	int64_t now = clock_utc();
	struct settings s;
	int code;

	if (!args_parse(argc, argv, args, 4, NULL, help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	if (json && metrics)
		return complain(EXIT_USAGE, "status: --json and --prometheus exclude each other");
	if (!arg_time("now", time, &now))
		return EXIT_USAGE;
	code = app_settings(a, &s);
	if (code == EXIT_FINE)
		code = show(&s, &names, now, json, metrics);
	settings_release(&s);
	return code == EXIT_FINE ? flush_out() : code;
}
