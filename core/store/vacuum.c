/* SPDX-License-Identifier: MIT */
/* What is not needed any more: data files that no version names or that were superseded, old versions of the logs; and which
 * payloads are still spoken of. */
#include "base/clock.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/io.h"
#include "store/events.h"
#include "store/files.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH 64 /* hexadecimal digits */

struct sweep {
	const struct store *s;
	const struct delta *t;
	int64_t before_ms; /* what was superseded earlier goes */
	int64_t base;      /* the checkpoint before the newest one; -1: none */
	bool dry;
	struct store_swept sum;
	struct diag *d;
};

static glane_rc away(struct sweep *w, int dir, const char *folder, const char *name)
{
	struct stat st = {.st_size = 0};

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return GLANE_OK;
	if (!w->dry && io->unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return fail(w->d, GLANE_E_IO, "%s/%s/%s%s: cannot remove it: %s", w->s->path, w->t->schema->name,
			folder, name, strerror(errno));
	w->sum.files++;
	w->sum.bytes += (uint64_t)st.st_size;
	return GLANE_OK;
}

/* Without the lock, what no version names may be a run's that is under way. */
static glane_rc sweep_file(void *arg, int dir, const char *name)
{
	struct sweep *w = arg;
	const uint64_t *at = map_find(&w->t->by_path, slice_of(name));
	const struct delta_file *f = at ? &w->t->files[*at] : NULL;

	if (!has_suffix(name, ".parquet") || (f && (!f->removed_ms || f->removed_ms >= w->before_ms)) || (!f && w->dry))
		return GLANE_OK;
	return away(w, dir, "", name);
}

static glane_rc find_base(void *arg, int dir, const char *name)
{
	struct sweep *w = arg;
	int64_t v = delta_version_of(name, ".checkpoint.parquet");

	(void)dir;
	if (v > w->base && v < w->t->checkpoint)
		w->base = v;
	return GLANE_OK;
}

/* What is older than the checkpoint before the newest one serves nobody who begins to read now: the data files of those
 * versions are gone. Readers fall back on that checkpoint, and `check` begins there. */
static bool is_old_version(const struct sweep *w, int dir, const char *name)
{
	int64_t v = delta_version_of(name, ".json");
	struct stat st;

	if (v < 0)
		v = delta_version_of(name, ".checkpoint.parquet");
	return v >= 0 && v < w->base && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (int64_t)st.st_mtime * 1000 < w->before_ms;
}

static glane_rc sweep_log(void *arg, int dir, const char *name)
{
	struct sweep *w = arg;

	if ((has_suffix(name, ".tmp") && !w->dry) || is_old_version(w, dir, name))
		return away(w, dir, "_delta_log/", name);
	return GLANE_OK;
}

static glane_rc sweep_tables(struct sweep *w)
{
	glane_rc rc = GLANE_OK;

	for (int i = 0; rc == GLANE_OK && i < LAKE_TABLES; i++) {
		w->t = &w->s->lake->table[i];
		w->base = -1;
		rc = folder_each(w->t->dir, ".", sweep_file, w, w->d);
		if (rc == GLANE_OK)
			rc = folder_each(w->t->log, ".", find_base, w, w->d);
		if (rc == GLANE_OK)
			rc = folder_each(w->t->log, ".", sweep_log, w, w->d);
	}
	return w->dry ? rc : store_wrote(w->s, rc);
}

glane_rc lake_sweep(const struct store *s, struct diag *d)
{
	struct sweep w = {.s = s, .before_ms = clock_utc() * 1000 - DELTA_KEEP_MS, .d = d};

	return sweep_tables(&w);
}

glane_rc store_vacuum(const struct store *s, int64_t before, bool dry, struct store_swept *ret, struct diag *d)
{
	struct sweep w = {.s = s, .before_ms = before * 1000, .dry = dry, .d = d};
	glane_rc rc = dry ? GLANE_OK : store_may_write(s, d);

	if (rc == GLANE_OK)
		rc = sweep_tables(&w);
	if (rc == GLANE_OK)
		*ret = w.sum;
	return rc;
}

/* ---- payloads that are spoken of ---- */

struct naming {
	const struct store *s;
	struct map *names;
	struct diag *d;
};

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static glane_rc add_name(struct naming *n, struct slice hash)
{
	if (map_find(n->names, hash) || map_put(n->names, hash, 1, NULL, NULL))
		return GLANE_OK;
	return fail(n->d, GLANE_E_NOMEM, "%s: no memory for the list of payloads", n->s->path);
}

/* Whatever looks like a hash is one: a payload too many is kept rather than one too few. *run: digits before the text. */
static glane_rc names_in(struct naming *n, struct slice text, size_t *run)
{
	glane_rc rc = GLANE_OK;

	for (size_t i = 0; rc == GLANE_OK && i < text.n; i++) {
		*run = is_digit(text.p[i]) ? *run + 1 : 0;
		if (*run >= HASH)
			rc = add_name(n, (struct slice){text.p + i + 1 - HASH, HASH});
	}
	return rc;
}

/* Of any size. The last bytes of what was read stay in front of what is read next, as a hash may lie across. */
static glane_rc names_in_file(void *arg, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct naming *n = arg;
	char buf[HASH + 8192];
	glane_rc rc = GLANE_OK;
	size_t run = 0;
	ssize_t got = 1;

	memset(buf, ' ', HASH);
	while (fd >= 0 && rc == GLANE_OK && got > 0) {
		got = read(fd, buf + HASH, sizeof(buf) - HASH);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0) {
			rc = names_in(n, (struct slice){buf + HASH, (size_t)got}, &run);
			memmove(buf, buf + got, HASH);
		}
	}
	if (fd < 0 || got < 0)
		rc = fail(n->d, GLANE_E_IO, "%s: cannot read %s, which may name payloads: %s", n->s->path, name,
			strerror(errno));
	fd_close(&fd);
	return rc;
}

/* A folder of folders of documents; documents may also stand beside them. */
static glane_rc names_in_folder(void *arg, int dir, const char *name)
{
	struct naming *n = arg;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return folder_each(dir, name, names_in_folder, n, n->d);
	return names_in_file(n, dir, name);
}

static glane_rc names_in_events(struct naming *n, const char *source)
{
	const struct row *row;
	struct events e;
	glane_rc rc = events_open(&e, n->s, source, INT64_MIN, INT64_MAX, NULL, n->d);

	if (rc < 0)
		return rc;
	while (rc == GLANE_OK) {
		rc = events_next(&e, &row, n->d);
		if (rc == GLANE_OK && row->payload.n == HASH)
			rc = add_name(n, row->payload);
	}
	events_close(&e);
	return rc == GLANE_END ? GLANE_OK : rc;
}

glane_rc store_payload_names(const struct store *s, struct map *names, struct diag *d)
{
	struct naming n = {.s = s, .names = names, .d = d};
	const char **sources;
	struct arena arena;
	size_t count = 0;
	glane_rc rc = folder_each(s->dir, "state", names_in_folder, &n, d);

	if (rc == GLANE_OK)
		rc = folder_each(s->dir, "quarantine", names_in_folder, &n, d);
	arena_init(&arena, 0);
	if (rc == GLANE_OK)
		rc = store_sources(s, &arena, &sources, &count, d);
	for (size_t i = 0; rc == GLANE_OK && i < count; i++)
		rc = names_in_events(&n, sources[i]);
	arena_release(&arena);
	return rc;
}
