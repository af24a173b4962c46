/* SPDX-License-Identifier: MIT */
/* glane run */
#include "app/app.h"

#include <string.h>

static const char help[] =
	"glane run [SOURCE...] [options]\n"
	"\n"
	"Refreshes what is due; named sources now, also where a host that gave no answer is being left alone.\n"
	"One line per source; exit code as glane --help says. keep_payloads = events, all or none, for all sources or\n"
	"for one, says which answers stay under store/payloads (conf/glane.conf explains it).\n"
	"\n"
	"  --all          every enabled source, due or not\n"
	"  --tag T        only sources with this tag (repeatable)\n"
	"  --offline      ask nobody: answers come from the payload archive\n"
	"  --dry-run      print what would be asked, with the sizes of the last answers; nothing is fetched or "
	"written\n"
	"  --accept       commit also what a gate would hold\n"
	"  --retry        read also payloads that ended their reader in an earlier run\n"
	"  --limit N      stop each source after N rows; nothing is committed\n"
	"  --jobs N       workers at once\n"
	"  --now T        take T (RFC 3339) as the time of this run\n"
	"  --inproc       load plugins into this very process, for a debugger; no isolation\n"
	"  --json         the report on standard output\n"
	"  -q, --quiet    nothing on success\n";

/* A tag that no source has is a mistake: nothing would ever be due. */
static int check_tags(const struct settings *s, const struct list *tags)
{
	for (size_t i = 0; i < tags->n; i++) {
		bool found = false;

		for (size_t k = 0; k < s->n_sources && !found; k++)
			for (size_t j = 0; j < s->sources[k].n_tags && !found; j++)
				found = strcmp(s->sources[k].tags[j], tags->v[i]) == 0;
		if (!found)
			return complain(
				EXIT_USAGE, "no source has the tag '%s' (glane sources lists them)", tags->v[i]);
	}
	return EXIT_FINE;
}

int cmd_run(const struct app *a, int argc, char **argv)
{
	struct run_options o = {.now = INT64_MIN};
	struct list names = {{NULL}, 0}, tags = {{NULL}, 0};
	const char *limit = NULL, *jobs = NULL, *now = NULL;
	const struct arg args[] = {
		{"all", 0, false, take_flag, &o.all},
		{"tag", 0, true, take_list, &tags},
		{"offline", 0, false, take_flag, &o.offline},
		{"dry-run", 0, false, take_flag, &o.dry_run},
		{"accept", 0, false, take_flag, &o.accept},
		{"retry", 0, false, take_flag, &o.retry},
		{"limit", 0, true, take_text, &limit},
		{"jobs", 'j', true, take_text, &jobs},
		{"now", 0, true, take_text, &now},
		{"inproc", 0, false, take_flag, &o.inproc},
		{"json", 0, false, take_flag, &o.json},
		{"quiet", 'q', false, take_flag, &o.quiet},
	};
	struct settings s;
	int64_t rows = 0;
	bool done;
	int code;

	if (!args_parse(argc, argv, args, sizeof(args) / sizeof(args[0]), &names, help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	if (!arg_number("limit", limit, 1, INT64_MAX, &rows) || !arg_number("jobs", jobs, 1, 64, &o.jobs) ||
		!arg_time("now", now, &o.now))
		return EXIT_USAGE;
	o.limit = (uint64_t)rows;
	o.names = names.v;
	o.n_names = names.n;
	o.tags = tags.v;
	o.n_tags = tags.n;
	code = app_settings(a, &s);
	if (code == EXIT_FINE)
		code = check_tags(&s, &tags);
	if (code == EXIT_FINE)
		code = run_all(&s, &o);
	settings_release(&s);
	return code == EXIT_FINE ? flush_out() : code;
}
