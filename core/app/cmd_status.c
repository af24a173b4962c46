/* SPDX-License-Identifier: MIT */
/* glane status, glane runs */
#include "app/app.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static const char status_help[] = "glane status [--json]\n\nPer source: state of the last run, last checked, last "
				  "changed, rows, and whether it is overdue.\n";
static const char runs_help[] = "glane runs [ID]\n\nPast runs, newest last; with ID that run's report (JSON).\n";

static const char *time_or_dash(const json_t *j, const char *key, char buf[32])
{
	const int64_t t = json_int(j, key, INT64_MIN);

	if (t == INT64_MIN)
		return "-";
	time_format(t, buf);
	return buf;
}

/* Overdue: not successfully checked for twice its interval. */
static bool overdue(const struct source_conf *c, const json_t *last, int64_t now)
{
	const int64_t t = json_int(last, "succeeded", INT64_MIN);

	return c->enabled && (t == INT64_MIN || now - t > 2 * c->every);
}

static json_t *status_json(const struct source_conf *c, const json_t *last, int64_t now)
{
	static const char *const times[] = {"checked", "changed", "succeeded"};
	json_t *j = json_object();
	char buf[32];

	if (!j)
		return NULL;
	json_set_text(j, "source", c->name);
	json_set_text(j, "status", json_text(last, "status", "never run"));
	json_set_text(j, "message", json_text(last, "message", NULL));
	json_set_text(j, "run", json_text(last, "run", NULL));
	json_set_int(j, "rows", json_int(last, "rows", 0));
	json_object_set_new(j, "enabled", json_boolean(c->enabled));
	json_object_set_new(j, "overdue", json_boolean(overdue(c, last, now)));
	for (size_t i = 0; i < 3; i++)
		if (json_int(last, times[i], INT64_MIN) != INT64_MIN)
			json_set_text(j, times[i], time_or_dash(last, times[i], buf));
	return j;
}

static void status_line(const struct source_conf *c, const json_t *last, int64_t now)
{
	char checked[32], changed[32];
	const char *message = json_text(last, "message", NULL);

	printf("%-24s %-10s checked %-20s changed %-20s %9lld rows%s\n", c->name,
		c->enabled ? json_text(last, "status", "never run") : "disabled",
		time_or_dash(last, "checked", checked), time_or_dash(last, "changed", changed),
		(long long)json_int(last, "rows", 0), overdue(c, last, now) ? "  OVERDUE" : "");
	if (message)
		printf("%-24s %s\n", "", message);
}

int cmd_status(const struct app *a, int argc, char **argv)
{
	bool json = false, done;
	const struct arg args[] = {{"json", 0, false, take_flag, &json}};
	json_t *list = json_array();
	struct settings s;
	struct store st;
	struct strbuf b;
	int code;

	if (!args_parse(argc, argv, args, 1, NULL, status_help, &done) || done) {
		json_decref(list);
		return done ? flush_out() : EXIT_USAGE;
	}
	code = app_settings(a, &s);
	if (code == EXIT_FINE)
		code = app_store(&s, &st);
	if (code == EXIT_FINE) {
		for (size_t i = 0; i < s.n_sources && code == EXIT_FINE; i++) {
			json_t *last = NULL;
			struct diag d;

			diag_clear(&d);
			if (store_last_read(&st, s.sources[i].name, &last, &d) != GLANE_OK)
				code = complain(EXIT_STORE, "%s", d.text);
			else if (json)
				json_array_append_new(list, status_json(&s.sources[i], last, clock_utc()));
			else
				status_line(&s.sources[i], last, clock_utc());
			json_decref(last);
		}
		store_close(&st);
	}
	strbuf_init(&b, 0);
	if (code == EXIT_FINE && json && json_print(&b, list, false))
		printf("%.*s\n", (int)b.n, b.p);
	strbuf_release(&b);
	json_decref(list);
	settings_release(&s);
	return code == EXIT_FINE ? flush_out() : code;
}

static int run_line(const struct store *st, const char *id)
{
	struct diag d;
	json_t *j = NULL;
	size_t n;

	diag_clear(&d);
	if (store_run_read(st, id, &j, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	n = json_array_size(json_object_get(j, "sources"));
	printf("%-24s exit %lld  %3zu sources", id, (long long)json_int(j, "exit", 0), n);
	for (size_t i = 0; i < n; i++) {
		const json_t *t = json_array_get(json_object_get(j, "sources"), i);
		const char *status = json_text(t, "status", "");

		if (strcmp(status, "unchanged") != 0)
			printf("  %s %s", json_text(t, "source", ""), status);
	}
	putchar('\n');
	json_decref(j);
	return EXIT_FINE;
}

static int show_run(const struct store *st, const char *id)
{
	struct strbuf b;
	struct diag d;
	json_t *j = NULL;

	diag_clear(&d);
	if (store_run_read(st, id, &j, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	strbuf_init(&b, 0);
	if (json_print(&b, j, false))
		printf("%.*s\n", (int)b.n, b.p);
	strbuf_release(&b);
	json_decref(j);
	return EXIT_FINE;
}

int cmd_runs(const struct app *a, int argc, char **argv)
{
	struct list words = {{NULL}, 0};
	const char **ids;
	struct settings s;
	struct store st;
	struct diag d;
	bool done;
	size_t n;
	int code;

	diag_clear(&d);
	if (!args_parse(argc, argv, NULL, 0, &words, runs_help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	code = app_settings(a, &s);
	if (code == EXIT_FINE)
		code = app_store(&s, &st);
	if (code == EXIT_FINE) {
		if (store_runs(&st, &s.arena, &ids, &n, &d) != GLANE_OK)
			code = complain(EXIT_STORE, "%s", d.text);
		for (size_t i = 0; code == EXIT_FINE && words.n == 0 && i < n; i++)
			code = run_line(&st, ids[i]);
		for (size_t i = 0; code == EXIT_FINE && i < words.n; i++)
			code = show_run(&st, words.v[i]);
		store_close(&st);
	}
	settings_release(&s);
	return code == EXIT_FINE ? flush_out() : code;
}
