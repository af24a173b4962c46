/* SPDX-License-Identifier: MIT */
/* Rows to a file or to standard output. */
#include "app/output.h"

#include "app/app.h"
#include "app/export_parquet.h"
#include "app/sdmx_csv.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_AT 262144

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};
static const char *volatile unfinished; /* removed by a signal that ends the program */

static void on_signal(int sig)
{
	const char *name = unfinished;

	if (name)
		(void)unlink(name);
	(void)raise(sig); /* as if there were no handler: SA_RESETHAND */
}

static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, old;

	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++) {
		if (sigaction(ending_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(ending_signals[i], &a, NULL);
	}
}

bool output_format_of(const char *name, enum output_format *ret)
{
	static const char *const names[] = {[OUTPUT_CSV] = "csv",
		[OUTPUT_NDJSON] = "ndjson",
		[OUTPUT_PARQUET] = "parquet",
		[OUTPUT_SDMX] = "sdmx-csv",
		[OUTPUT_TEXT] = "text"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum output_format)i;
			return true;
		}
	}
	return false;
}

static glane_rc refuse(const char *file, const char *what, struct diag *d)
{
	return fail(d, GLANE_E_CONFIG, "%s: %s: %s", file, what, strerror(errno));
}

/* Makes the file of o->part, a template; a signal waits until it knows the name that is to be removed. */
static int make_part(struct output *o)
{
	sigset_t ending, before;
	int fd;

	(void)sigemptyset(&ending);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		(void)sigaddset(&ending, ending_signals[i]);
	(void)sigprocmask(SIG_BLOCK, &ending, &before);
	fd = mkostemp(o->part, O_CLOEXEC);
	if (fd >= 0) {
		unfinished = o->part;
		catch_signals();
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return fd;
}

/* A new file beside the one that it will replace, with that one's rights, else those that the umask leaves. */
static glane_rc open_part(struct output *o, const char *file, const struct stat *old, struct diag *d)
{
	const mode_t mask = umask(022);
	const mode_t mode = old ? old->st_mode & 0777 : 0666 & ~mask;
	int n;

	(void)umask(mask);
	if (old && !realpath(file, o->target))
		return refuse(file, "cannot be found", d);
	if (!old)
		(void)snprintf(o->target, sizeof(o->target), "%s", file);
	n = snprintf(o->part, sizeof(o->part), "%s.part-XXXXXX", o->target);
	errno = ENAMETOOLONG;
	o->fd = n < (int)sizeof(o->part) ? make_part(o) : -1;
	if (o->fd < 0) {
		o->part[0] = '\0';
		return refuse(file, "cannot make a new file there", d);
	}
	return fchmod(o->fd, mode) < 0 ? refuse(file, "cannot set its rights", d) : GLANE_OK;
}

/* What is no plain file (a pipe, /dev/stdout, /dev/null) is written as it comes. */
static glane_rc open_file(struct output *o, const char *file, struct diag *d)
{
	struct stat st;

	if (!*file)
		return fail(d, GLANE_E_CONFIG, "-o: the name of the file is empty");
	if (stat(file, &st) < 0)
		return open_part(o, file, NULL, d);
	if (S_ISREG(st.st_mode))
		return open_part(o, file, &st, d);
	o->fd = open(file, O_WRONLY | O_CLOEXEC);
	return o->fd < 0 ? refuse(file, "cannot be written", d) : GLANE_OK;
}

glane_rc output_open(struct output *o, const char *file, struct diag *d)
{
	glane_rc rc = GLANE_OK;

	strbuf_init(&o->b, 0);
	o->fd = file ? -1 : 1;
	o->part[0] = o->target[0] = '\0';
	o->parquet = NULL;
	o->rows = 0;
	(void)signal(SIGPIPE, SIG_DFL);
	if (file)
		rc = open_file(o, file, d);
	if (rc < 0)
		return rc;
	switch (o->format) {
	case OUTPUT_CSV:
		row_csv_header(&o->b, o->columns);
		break;
	case OUTPUT_SDMX:
		sdmx_csv_header(&o->b, o->action);
		break;
	case OUTPUT_PARQUET:
		return export_parquet_open(o->fd, o->columns, &o->parquet, d);
	case OUTPUT_NDJSON:
	case OUTPUT_TEXT:
		break;
	}
	return GLANE_OK;
}

static glane_rc flush(struct output *o, struct diag *d)
{
	glane_rc rc = strbuf_ok(&o->b) ? GLANE_OK : fail(d, GLANE_E_NOMEM, "no memory for rows");

	if (rc == GLANE_OK && o->b.n)
		rc = fd_write(o->fd, o->b.p, o->b.n, d);
	strbuf_reset(&o->b);
	return rc;
}

glane_rc output_drain(struct output *o, struct diag *d)
{
	return o->b.n >= FLUSH_AT || !strbuf_ok(&o->b) ? flush(o, d) : GLANE_OK;
}

glane_rc output_row(struct output *o, const struct row *r, struct diag *d)
{
	o->rows++;
	switch (o->format) {
	case OUTPUT_PARQUET:
		return export_parquet_row(o->parquet, r, d);
	case OUTPUT_NDJSON:
		row_ndjson(&o->b, r, o->columns);
		break;
	case OUTPUT_SDMX:
		sdmx_csv_row(&o->b, r, o->action);
		break;
	case OUTPUT_CSV:
	case OUTPUT_TEXT:
		row_csv(&o->b, r, o->columns);
		break;
	}
	return output_drain(o, d);
}

static glane_rc complete(struct output *o, struct diag *d)
{
	glane_rc rc = o->parquet ? export_parquet_finish(o->parquet, d) : flush(o, d);
	const bool replaces = o->part[0] != '\0';

	if (rc == GLANE_OK && replaces)
		rc = fd_sync(o->fd, o->target, d);
	if (rc == GLANE_OK && replaces && rename(o->part, o->target) < 0)
		rc = fail(d, GLANE_E_IO, "%s: cannot be put in place: %s", o->target, strerror(errno));
	if (rc == GLANE_OK)
		o->part[0] = '\0';
	return rc;
}

int output_end(struct output *o, glane_rc rc, struct diag *d)
{
	if (rc == GLANE_OK)
		rc = complete(o, d);
	unfinished = NULL;
	if (o->part[0])
		(void)unlink(o->part);
	if (o->fd > 2 && close(o->fd) < 0 && rc == GLANE_OK)
		rc = fail(d, GLANE_E_IO, "cannot write the result: %s", strerror(errno));
	o->fd = -1;
	export_parquet_free(o->parquet);
	o->parquet = NULL;
	strbuf_release(&o->b);
	if (rc == GLANE_OK)
		return EXIT_FINE;
	return complain(rc == GLANE_E_CONFIG || rc == GLANE_E_USAGE || rc == GLANE_E_DATA ? EXIT_USAGE : EXIT_STORE,
		"%s", d->text);
}
