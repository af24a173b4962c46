/* SPDX-License-Identifier: MIT */
/* glane runs */
#include "app/app.h"

#include <stdio.h>
#include <string.h>

static const char help[] = "glane runs [ID...]\n\nPast runs, newest last; with ID that run's report (JSON).\n";

static int run_line(const struct store *st, const char *id)
{
	struct diag d;
	json_t *j = NULL;
	size_t n;

	diag_clear(&d);
	if (store_run_read(st, id, &j, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	n = json_array_size(json_object_get(j, "sources"));
	printf("%-24s exit %lld  %3zu source%s", id, (long long)json_int(j, "exit", 0), n, n == 1 ? "" : "s");
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
		return complain(
			d.code == GLANE_E_IO || d.code == GLANE_E_NOMEM ? EXIT_STORE : EXIT_USAGE, "%s", d.text);
	strbuf_init(&b, 0);
	if (json_print(&b, j, false))
		printf("%.*s\n", SLICE_FMT(strbuf_get(&b)));
	strbuf_release(&b);
	json_decref(j);
	return EXIT_FINE;
}

int cmd_runs(const struct app *a, int argc, char **argv)
{
	struct list words = {{NULL}, 0};
	const char **ids = NULL;
	struct settings s;
	struct store st;
	struct diag d;
	bool done;
	size_t n = 0;
	int code;

	diag_clear(&d);
	if (!args_parse(argc, argv, NULL, 0, &words, help, &done))
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
