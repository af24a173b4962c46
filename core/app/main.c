/* SPDX-License-Identifier: MIT */
/* The program: roles of child processes first, then the commands. */
#include "app/app.h"

#include "proc/broker.h"
#include "proc/sandbox.h"
#include "proc/spawn.h"
#include "proc/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"glane [-c CONF] [--store DIR] COMMAND [...]\n"
	"\n"
	"Gathers published indicators, source by source, into one stream on disk.\n"
	"\n"
	"  run [SOURCE...]   refresh what is due, or the named sources now\n"
	"  sources           what is configured\n"
	"  plugins [NAME]    what is installed; one plugin's options\n"
	"  status            per source: last checked, last changed, state, overdue\n"
	"  runs [ID]         past runs; one run's report\n"
	"  series [WORDS]    what is in the store, found by words of its titles\n"
	"  show AREA INDICATOR  one series, with its vintages; a group's members by rank\n"
	"  export            the observations, as CSV, NDJSON, SDMX-CSV or Parquet\n"
	"  changes           what changed: in the last run, in another one, or since a time\n"
	"  quarantine        what is held or was rejected: list, show, accept, reject, replay\n"
	"  parse PLUGIN      one payload on standard input to rows on standard output\n"
	"  check             configuration, plugins and store\n"
	"  check-plugin NAME the conformance suite of plugins\n"
	"  record SOURCE     what a provider answers, as a fixture for tests\n"
	"  compact, vacuum   join small files; remove what nothing needs any more\n"
	"\n"
	"  -c, --conf FILE   configuration (default: conf/glane.conf, then /etc/glane/glane.conf)\n"
	"      --store DIR   another store than the configuration's\n"
	"      --version, --help; each command has its own --help, which is also `glane help COMMAND`\n"
	"\n"
	"Exit codes: 0 fine, 1 some source failed, was held or is partial, 2 usage or configuration,\n"
	"3 every due source failed, 4 another run holds the lock, 5 the store is damaged or cannot be written.\n";

static const struct {
	const char *name;
	int (*run)(const struct app *a, int argc, char **argv);
} commands[] = {
	{"run", cmd_run},
	{"sources", cmd_sources},
	{"plugins", cmd_plugins},
	{"status", cmd_status},
	{"runs", cmd_runs},
	{"series", cmd_series},
	{"show", cmd_show},
	{"export", cmd_export},
	{"changes", cmd_changes},
	{"parse", cmd_parse},
	{"check", cmd_check},
	{"check-plugin", cmd_check_plugin},
	{"record", cmd_record},
	{"quarantine", cmd_quarantine},
	{"compact", cmd_compact},
	{"vacuum", cmd_vacuum},
};

/* A child of ours: glane @role PARENT-PID SANDBOX [...]. */
static int play_role(int argc, char **argv)
{
	if (argc < 4 || !child_adopt_parent(argv[2]) || !sandbox_take(argv[3]))
		return 2;
	if (strcmp(argv[1], "@broker") == 0)
		return broker_main(3);
	if (strcmp(argv[1], "@worker") == 0)
		return worker_main();
	if (strcmp(argv[1], "@describe") == 0 && argc == 6)
		return describe_main(argv[4], argv[5]);
	return 2;
}

/* Cron may start us with closed standard descriptors: a file opened later must not take their numbers. */
static bool own_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* A caller may have left signals ignored or blocked: how children end must be seen, and a stop must arrive. */
static void own_signals(void)
{
	sigset_t none;

	signal(SIGCHLD, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); /* beyond a limit of file size write() fails, as on a full disk */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int command(const struct app *a, int argc, char **argv)
{
	static char help_option[] = "--help";
	char *ask[] = {argv[1], help_option, NULL};
	const char *near = NULL;
	size_t least = 3; /* more letters than that are no slip */

	if (strcmp(argv[0], "help") == 0 && argc > 1 && strcmp(argv[1], "help") != 0)
		return command(a, 2, ask);
	if (strcmp(argv[0], "help") == 0) {
		fputs(help, stdout);
		return flush_out();
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const size_t n = slice_edits(slice_of(argv[0]), slice_of(commands[i].name));

		if (n == 0)
			return commands[i].run(a, argc, argv);
		if (n < least) {
			near = commands[i].name;
			least = n;
		}
	}
	return complain(EXIT_USAGE, "there is no command '%s'%s%s%s (glane --help lists them)", argv[0],
		near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* --NAME VALUE, --NAME=VALUE, or LETTER VALUE; false: another option, or one without its value. */
static bool take_option(int argc, char **argv, int *i, const char *name, const char *letter, const char **ret)
{
	struct slice rest = slice_of(argv[*i]), word = slice_cut(&rest, '=');

	if (slice_is(word, name) && rest.p) {
		*ret = rest.p;
		return true;
	}
	if ((strcmp(argv[*i], name) != 0 && strcmp(argv[*i], letter) != 0) || *i + 1 >= argc)
		return false;
	*ret = argv[++*i];
	return true;
}

int main(int argc, char **argv)
{
	struct app a = {NULL, NULL};
	int i;

	sandbox_private();
	if (argc > 1 && argv[1][0] == '@')
		return play_role(argc, argv);
	if (!own_standard_descriptors())
		return EXIT_USAGE;
	own_signals();
	umask(umask(022) | 022); /* nobody else may write to what we make, whatever the caller allows */
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return flush_out();
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("glane %s (plugin ABI %d.%d)\n", GLANE_VERSION, GLANE_ABI_MAJOR, GLANE_ABI_MINOR);
			return flush_out();
		}
		if (!take_option(argc, argv, &i, "--conf", "-c", &a.conf) &&
			!take_option(argc, argv, &i, "--store", "--store", &a.store))
			return complain(
				EXIT_USAGE, "option '%s' is unknown or lacks its value (glane --help)", argv[i]);
	}
	if ((a.conf && !*a.conf) || (a.store && !*a.store)) /* an empty variable of a script */
		return complain(EXIT_USAGE, "%s: the name is empty", a.conf && !*a.conf ? "--conf" : "--store");
	if (i == argc) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	return command(&a, argc - i, argv + i);
}
