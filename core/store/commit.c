/* SPDX-License-Identifier: MIT */
/* A commit made ready: state file and data files under their names; the log speaks of them at store_publish(). */
#include "base/clock.h"
#include "base/file.h"
#include "base/io.h"
#include "store/diff.h"
#include "store/files.h"
#include "store/lake.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static glane_rc complete_state(json_t *state, const struct diff_result *r, struct diag *d)
{
	char time[32];

	time_format(r->recorded_at, time);
	if (!json_set_int(state, "rows", (int64_t)r->rows) || !json_set_int(state, "events", (int64_t)r->events) ||
		!json_set_text(state, "run", r->run) || !json_set_text(state, "recorded_at", time))
		return fail(d, GLANE_E_NOMEM, "no memory for the state of the commit");
	if (json_array_size(r->stamps) > 0 && json_object_set(state, "stamps", r->stamps) != 0)
		return fail(d, GLANE_E_NOMEM, "no memory for the state of the commit");
	return GLANE_OK;
}

/* The state file's name is made durable by store_publish(). */
static glane_rc write_state(
	const struct store *s, const char *source, const char *name, const json_t *state, struct diag *d)
{
	char folder[STORE_NAME];
	glane_rc rc = source_folder("state", source, folder, d);
	int dir = rc == GLANE_OK ? dir_open(s->dir, folder, true, d) : -1;

	if (dir < 0)
		return d && d->code < 0 ? d->code : GLANE_E_IO;
	fd_close(&dir);
	if (io->unlinkat(s->dir, name, 0) < 0 && errno != ENOENT)
		return fail(d, GLANE_E_IO, "%s: cannot remove what a killed run left: %s", name, strerror(errno));
	return json_write_file(s->dir, name, state, true, d);
}

static glane_rc may_commit(
	const struct store *s, const char *source, uint64_t previous, const struct diff_result *r, struct diag *d)
{
	uint64_t newest = 0;
	glane_rc rc = store_may_write(s, d);

	if (rc == GLANE_OK)
		rc = store_commit_number(s, source, &newest, d);
	if (rc < 0)
		return rc;
	if (!r->change)
		return fail(d, GLANE_E_USAGE, "%s: there is nothing to commit", source);
	if (newest != previous || map_find(&s->lake->pending, slice_of(source)))
		return fail(d, GLANE_E_USAGE, "%s: a diff with commit %llu cannot follow commit %llu", source,
			(unsigned long long)previous, (unsigned long long)newest);
	return GLANE_OK;
}

glane_rc diff_commit(const struct store *s, const char *source, uint64_t previous, struct diff_result *r, json_t *state,
	uint64_t *ret_n, struct diag *d)
{
	char name[STORE_NAME];
	glane_rc rc = may_commit(s, source, previous, r, d);

	if (rc == GLANE_OK)
		rc = state_name(source, previous + 1, name, d);
	if (rc < 0)
		return rc;
	rc = complete_state(state, r, d);
	if (rc == GLANE_OK)
		rc = write_state(s, source, name, state, d);
	if (rc == GLANE_OK)
		rc = change_place(s, r->change, LAKE_STREAM, previous + 1, d);
	if (rc < 0)
		(void)diag_prefix(d, "%s", source);
	else
		*ret_n = previous + 1;
	return store_wrote(s, rc);
}
