/* SPDX-License-Identifier: MIT */
/* The commands: what they share. Results go to stdout, everything else to stderr. */
#ifndef APP_APP_H
#define APP_APP_H
#include "sched/run.h"

#ifndef GLANE_VERSION
#define GLANE_VERSION "0.1.0"
#endif

struct app {               /* options before the command */
	const char *conf;  /* -c, or NULL */
	const char *store; /* --store, or NULL */
};
struct arg {              /* one option of a command */
	const char *name; /* without "--" */
	char letter;      /* 0: none */
	bool has_value;
	bool (*take)(void *to, const char *value); /* false: no room for one more */
	void *to;
};
#define LIST_MAX 64
struct list { /* repeatable option; NULL-terminated */
	const char *v[LIST_MAX + 1];
	size_t n;
};
bool take_text(void *to, const char *value); /* const char ** */
bool take_flag(void *to, const char *value); /* bool * */
bool take_list(void *to, const char *value); /* struct list * */
bool list_has(const struct list *l, struct slice item);
/* Parses argv[1..]; words that are no options go to `words` (NULL: none are allowed). "--" ends the options, "--help" prints `help`
 * and sets *ret_done. False: a usage error was printed. */
bool args_parse(
	int argc, char **argv, const struct arg *args, size_t n, struct list *words, const char *help, bool *ret_done);
bool arg_number(const char *name, const char *value, int64_t min, int64_t max, int64_t *ret);
bool arg_time(const char *name, const char *value, int64_t *ret); /* RFC 3339, or a date */

/* Prints a line, its end added: what plugins and providers wrote comes to a terminal without control bytes. */
void print_visible(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "3 days", "5 hours", "1 minute": as much as one wants to know. */
void age_text(int64_t seconds, char buf[32]);
/* Prints "glane: message" and returns `code`. */
int complain(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Loads the configuration, with --store put in. Returns an exit code, 0 where all is well. */
int app_settings(const struct app *a, struct settings *s);
int app_store(const struct settings *s, struct store *st); /* for reading */
/* EXIT_FINE where the configuration or the store (NULL: not asked) knows each source; else the error was printed. */
int app_sources(const struct settings *s, const struct store *st, const struct list *names);
/* Says that no folder of plugin_path has it: EXIT_USAGE. */
int app_no_plugin(const struct settings *s, const char *name);
/* Where there is a store already: makes none. */
glane_rc app_store_open(const struct settings *s, bool write, struct store *ret, struct diag *d);
const char *app_tmp(void); /* the folder for temporary files */
int flush_out(void);       /* EXIT_STORE where stdout could not be written */

int cmd_run(const struct app *a, int argc, char **argv);
int cmd_sources(const struct app *a, int argc, char **argv);
int cmd_plugins(const struct app *a, int argc, char **argv);
int cmd_status(const struct app *a, int argc, char **argv);
int cmd_runs(const struct app *a, int argc, char **argv);
int cmd_export(const struct app *a, int argc, char **argv);
int cmd_series(const struct app *a, int argc, char **argv);
int cmd_show(const struct app *a, int argc, char **argv);
int cmd_changes(const struct app *a, int argc, char **argv);
int cmd_parse(const struct app *a, int argc, char **argv);
int cmd_quarantine(const struct app *a, int argc, char **argv);
int cmd_check(const struct app *a, int argc, char **argv);
int cmd_check_plugin(const struct app *a, int argc, char **argv);
int cmd_record(const struct app *a, int argc, char **argv);
int cmd_compact(const struct app *a, int argc, char **argv);
int cmd_vacuum(const struct app *a, int argc, char **argv);
#endif
