/* SPDX-License-Identifier: MIT */
/* glane check */
#include "app/breaks.h"
#include "app/check_sources.h"

#include "base/file.h"
#include "model/areas.h"
#include "model/catalogue.h"
#include "net/archive.h"
#include "proc/sandbox.h"
#include "sched/hold.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
	"glane check [--conf] [--store]\n"
	"\n"
	"Configuration: every file, every option of every source and provider against its plugin, its program, the\n"
	"addresses and secrets that it names, the tables under conf/.\n"
	"Store: every data file as its log says, current as the stream says, every state file, every payload against "
	"its\n"
	"hash, every hold with its diff and payloads. Both where neither is named.\n";

static int check_conf(struct settings *s)
{
	struct catalogue catalogue;
	struct areas areas;
	struct diag d;
	int code = EXIT_FINE;

	diag_clear(&d);
	if (settings_describe_all(s, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	code = check_shared(s);
	for (size_t i = 0; i < s->n_sources; i++)
		if (s->sources[i].refused)
			code = complain(EXIT_SOME, "%s: %s", s->sources[i].name, s->sources[i].refused);
		else if (s->sources[i].desc && check_source(&s->sources[i]) != EXIT_FINE)
			code = EXIT_SOME;
	if (areas_load(&areas, s->tables, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	areas_release(&areas);
	if (catalogue_load(&catalogue, s->tables, &d) != GLANE_OK)
		return complain(EXIT_USAGE, "%s", d.text);
	catalogue_release(&catalogue);
	if (breaks_warn(s) != EXIT_FINE)
		return EXIT_USAGE;
	printf("configuration  %s: %zu source%s\n", s->file, s->n_sources, s->n_sources == 1 ? "" : "s");
	printf("sandbox        %s\n", sandbox_level());
	return code;
}

static int check_payloads(const struct store *st)
{
	struct archive archive;
	struct strbuf report;
	struct diag d;
	uint64_t bodies = 0, damaged = 0;
	int code = EXIT_FINE;

	diag_clear(&d);
	strbuf_init(&report, 0);
	if (!file_exists(st->dir, "payloads")) {
		printf("payloads       none\n");
		return EXIT_FINE;
	}
	if (archive_open(&archive, st->dir, false, &d) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	if (archive_check(&archive, &report, &bodies, &damaged, &d) != GLANE_OK)
		code = complain(EXIT_STORE, "%s", d.text);
	if (report.n)
		fprintf(stderr, "%s", report.p);
	printf("payloads       %llu %s, %llu damaged\n", (unsigned long long)bodies, bodies == 1 ? "body" : "bodies",
		(unsigned long long)damaged);
	archive_close(&archive);
	strbuf_release(&report);
	return damaged ? EXIT_STORE : code;
}

static int check_holds(const struct store *st)
{
	struct strbuf findings;
	struct diag d;
	uint64_t holds = 0, n = 0;
	int code = EXIT_FINE;

	diag_clear(&d);
	strbuf_init(&findings, 0);
	if (hold_check(st, &findings, &holds, &n, &d) != GLANE_OK)
		code = complain(EXIT_STORE, "%s", d.text);
	if (findings.n)
		fprintf(stderr, "%s", findings.p);
	printf("holds          %llu, %llu finding%s\n", (unsigned long long)holds, (unsigned long long)n,
		n == 1 ? "" : "s");
	strbuf_release(&findings);
	return n > 0 ? EXIT_STORE : code;
}

/* `named`: by --store; otherwise it may be that nothing has run yet. */
static int check_store(const struct settings *s, bool named)
{
	struct strbuf findings;
	struct store st;
	struct diag d;
	uint64_t rows = 0, n = 0;
	int code = EXIT_FINE, payloads, held;

	diag_clear(&d);
	if ((named ? store_open(&st, s->store, false, &d) : store_open_if_any(&st, s->store, &d)) != GLANE_OK)
		return complain(EXIT_STORE, "%s", d.text);
	if (st.dir < 0) {
		printf("store          none at %s yet\n", s->store);
		store_close(&st);
		return EXIT_FINE;
	}
	strbuf_init(&findings, 0);
	if (store_check(&st, &findings, &rows, &n, &d) != GLANE_OK)
		code = complain(EXIT_STORE, "%s", d.text);
	if (findings.n)
		fprintf(stderr, "%s", findings.p);
	printf("store          %s: %llu row%s, %llu finding%s\n", s->store, (unsigned long long)rows,
		rows == 1 ? "" : "s", (unsigned long long)n, n == 1 ? "" : "s");
	if (n > 0)
		code = EXIT_STORE;
	payloads = check_payloads(&st);
	held = check_holds(&st);
	strbuf_release(&findings);
	store_close(&st);
	return code != EXIT_FINE ? code : payloads != EXIT_FINE ? payloads : held;
}

int cmd_check(const struct app *a, int argc, char **argv)
{
	bool conf = false, store = false, done;
	const struct arg args[] = {{"conf", 0, false, take_flag, &conf}, {"store", 0, false, take_flag, &store}};
	struct settings s;
	int code, second = EXIT_FINE;

	if (!args_parse(argc, argv, args, 2, NULL, help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	code = app_settings(a, &s);
	if (code == EXIT_FINE && (conf || !store))
		code = check_conf(&s);
	if (code != EXIT_USAGE && (store || !conf))
		second = check_store(&s, store);
	settings_release(&s);
	if (code == EXIT_FINE)
		code = second;
	return code == EXIT_FINE ? flush_out() : code;
}
