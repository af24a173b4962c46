/* SPDX-License-Identifier: MIT */
/* glane compact, glane vacuum: by hand what runs do within bounds by themselves. */
#include "app/app.h"

#include "base/clock.h"
#include "base/file.h"
#include "net/archive.h"
#include "proc/broker.h"
#include "store/delta.h"

#include <stdio.h>
#include <string.h>

#define HOUR INT64_C(3600)
#define RUNS_KEEP (DELTA_KEEP_MS / 1000) /* opening the store to write removes what is older */

static const char compact_help[] =
	"glane compact [SOURCE...] [--dry-run]\n"
	"\n"
	"The files of the stream, one for each commit of a source, become one for each source, so that reading as of "
	"a\n"
	"moment opens few. Every run does so for sources with more than 30 files, in small steps. Nothing that is "
	"read\n"
	"changes; the files that were joined stay for readers of older versions until `glane vacuum` or a run after\n"
	"seven days removes them.\n"
	"\n"
	"  --dry-run      only say what would be joined; takes no lock\n";

static const char vacuum_help[] =
	"glane vacuum [--keep 7d] [--dry-run] [--force]\n"
	"\n"
	"Removes what nothing needs any more: data files that a newer version replaced, versions of the logs before "
	"the\n"
	"last checkpoint but one, left-overs of killed runs, and archived answers that no commit, event or "
	"quarantined\n"
	"record names (none with keep_payloads = all). Runs remove the files of the tables themselves after seven "
	"days.\n"
	"No vintage goes: every event, state and report stays.\n"
	"\n"
	"  --keep T       what was replaced less than T ago stays, for readers under way: 1h to 7d (the default)\n"
	"  --force        allow less than 1h: whoever still reads an older version then finds files missing\n"
	"  --dry-run      only count; takes no lock\n";

static int exit_of(glane_rc rc)
{
	return rc == GLANE_E_DENIED ? EXIT_LOCKED : rc == GLANE_E_USAGE ? EXIT_USAGE : EXIT_STORE;
}

static void size_line(const char *what, uint64_t files, uint64_t bytes, bool dry)
{
	printf("%-24s %llu file%s, %llu byte%s%s\n", what, (unsigned long long)files, files == 1 ? "" : "s",
		(unsigned long long)bytes, bytes == 1 ? "" : "s", dry ? " would go" : " removed");
}

/* ---- compact ---- */

static void compact_line(const char *source, const struct store_compacted *r, bool dry)
{
	printf("%-24s %llu %s, %llu bytes", source, (unsigned long long)r->files, r->files == 1 ? "file" : "files",
		(unsigned long long)r->bytes);
	if (r->files < 2)
		printf(": nothing to join\n");
	else if (dry)
		printf(": would become one\n");
	else
		printf(": now 1 file, %llu bytes\n", (unsigned long long)r->bytes_after);
}

static glane_rc pick(const struct store *st, const struct list *words, struct arena *a, const char ***ret,
	size_t *ret_n, struct diag *d)
{
	glane_rc rc = store_sources(st, a, ret, ret_n, d);

	for (size_t i = 0; rc == GLANE_OK && i < words->n; i++) {
		size_t k = 0;

		while (k < *ret_n && strcmp((*ret)[k], words->v[i]) != 0)
			k++;
		if (k == *ret_n)
			rc = fail(d, GLANE_E_USAGE, "the store has no source '%s' (glane status lists them)",
				words->v[i]);
	}
	return rc;
}

static bool is_picked(const struct list *words, const char *name)
{
	for (size_t i = 0; i < words->n; i++) {
		if (strcmp(words->v[i], name) == 0)
			return true;
	}
	return words->n == 0;
}

/* Said only once it is true: all sources are one version of the tables. */
static glane_rc compact_all(const struct store *st, const struct list *words, bool dry, struct arena *a, struct diag *d)
{
	struct store_compacted *done;
	const char **names;
	size_t n = 0;
	glane_rc rc = pick(st, words, a, &names, &n, d);

	if (rc < 0)
		return rc;
	done = arena_alloc(a, (n + 1) * sizeof(*done));
	if (!done)
		return fail(d, GLANE_E_NOMEM, "no memory for the list of sources");
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (is_picked(words, names[i]))
			rc = store_compact(st, names[i], dry, &done[i], d);
	}
	if (rc == GLANE_OK && !dry)
		rc = store_publish(st, d);
	for (size_t i = 0; rc == GLANE_OK && i < n; i++) {
		if (is_picked(words, names[i]))
			compact_line(names[i], &done[i], dry);
	}
	return rc;
}

int cmd_compact(const struct app *a, int argc, char **argv)
{
	bool dry = false, done;
	const struct arg args[] = {{"dry-run", 0, false, take_flag, &dry}};
	struct list words = {{NULL}, 0};
	struct settings s;
	struct store st;
	struct diag d;
	glane_rc rc;
	int code;

	diag_clear(&d);
	if (!args_parse(argc, argv, args, 1, &words, compact_help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	code = app_settings(a, &s);
	if (code == EXIT_FINE) {
		rc = app_store_open(&s, !dry, &st, &d);
		if (rc == GLANE_OK) {
			rc = compact_all(&st, &words, dry, &s.arena, &d);
			store_close(&st);
		}
		if (rc < 0)
			code = complain(exit_of(rc), "%s", d.text);
	}
	settings_release(&s);
	return code == EXIT_FINE ? flush_out() : code;
}

/* ---- vacuum ---- */

static bool keeps_all(const struct settings *s)
{
	bool all = s->keep_payloads == KEEP_ALL;

	for (size_t i = 0; i < s->n_sources; i++)
		all = all || s->sources[i].keep_payloads == KEEP_ALL;
	return all;
}

static glane_rc vacuum_payloads(const struct store *st, int64_t before, bool dry, struct arena *a, struct diag *d)
{
	struct archive_swept sum = {.files = 0};
	struct archive archive;
	struct map names;
	glane_rc rc;

	if (!file_exists(st->dir, "payloads"))
		return GLANE_OK;
	map_init(&names, a);
	rc = store_payload_names(st, &names, d);
	if (rc == GLANE_OK)
		rc = archive_open(&archive, st->dir, false, d);
	if (rc == GLANE_OK) {
		rc = archive_sweep(&archive, &names, before, dry, &sum, d);
		archive_close(&archive);
	}
	map_release(&names);
	if (rc == GLANE_OK)
		size_line("payloads", sum.files, sum.bytes, dry);
	return rc;
}

static glane_rc vacuum_all(const struct settings *s, const struct store *st, int64_t keep, bool dry, struct diag *d)
{
	const int64_t before = clock_utc() - keep;
	struct store_swept sum = {.files = 0};
	struct arena a;
	glane_rc rc = store_vacuum(st, before, dry, &sum, d);

	if (rc < 0)
		return rc;
	size_line("tables", sum.files, sum.bytes, dry);
	if (keeps_all(s)) {
		printf("%-24s all kept, as keep_payloads = all says\n", "payloads");
		return GLANE_OK;
	}
	arena_init(&a, 0);
	rc = vacuum_payloads(st, before, dry, &a, d);
	arena_release(&a);
	return rc;
}

static bool keep_of(const char *text, bool force, int64_t *ret)
{
	*ret = RUNS_KEEP;
	if (text && !duration_parse(slice_of(text), false, ret))
		complain(EXIT_USAGE, "--keep %s: not a duration such as 36h or 7d", text);
	else if (*ret > RUNS_KEEP)
		complain(EXIT_USAGE, "--keep %s: runs remove after 7d whatever this says; take 7d or less", text);
	else if (*ret < HOUR && !force)
		complain(EXIT_USAGE,
			"--keep %s: less than 1h would take files from readers that are under way; --force does it",
			text);
	else
		return true;
	return false;
}

int cmd_vacuum(const struct app *a, int argc, char **argv)
{
	bool dry = false, force = false, done;
	const char *text = NULL;
	const struct arg args[] = {{"keep", 0, true, take_text, &text}, {"dry-run", 0, false, take_flag, &dry},
		{"force", 0, false, take_flag, &force}};
	struct settings s;
	struct store st;
	struct diag d;
	int64_t keep;
	glane_rc rc;
	int code;

	diag_clear(&d);
	if (!args_parse(argc, argv, args, 3, NULL, vacuum_help, &done))
		return EXIT_USAGE;
	if (done)
		return flush_out();
	if (!keep_of(text, force, &keep))
		return EXIT_USAGE;
	code = app_settings(a, &s);
	if (code == EXIT_FINE) {
		rc = app_store_open(&s, !dry, &st, &d);
		if (rc == GLANE_OK) {
			rc = vacuum_all(&s, &st, keep, dry, &d);
			store_close(&st);
		}
		if (rc < 0)
			code = complain(exit_of(rc), "%s", d.text);
	}
	settings_release(&s);
	return code == EXIT_FINE ? flush_out() : code;
}
