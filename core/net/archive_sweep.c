/* SPDX-License-Identifier: MIT */
/* What of the payload archive nothing speaks of any more. */
#include "base/io.h"
#include "net/archive_side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct sweeping {
	const struct map *named;
	int64_t before;
	bool dry;
	struct archive_swept sum;
};

static glane_rc away(struct sweeping *w, int dir, const char *folder, const char *name, struct diag *d)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return GLANE_OK;
	if (!w->dry && io->unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return fail(d, GLANE_E_IO, "payloads/%s/%s: cannot remove it: %s", folder, name, strerror(errno));
	w->sum.files++;
	w->sum.bytes += (uint64_t)st.st_size;
	return GLANE_OK;
}

static bool is_older(int dir, const char *name, int64_t before)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (int64_t)st.st_mtime < before;
}

/* The side file goes first: a body without one harms nobody, and the next sweep finds it. */
static glane_rc sweep_file(void *arg, int dir, const char *folder, const char *name, struct diag *d)
{
	static const char *const ends[] = {".json", ".zst", ""};
	char paths[3][SHA256_HEX + 8];
	struct sweeping *w = arg;
	const char *suffix;
	bool old = true;
	glane_rc rc = GLANE_OK;

	if (strlen(name) < 64 || !is_sha256_hex((struct slice){name, 64}))
		return GLANE_OK;
	suffix = name + 64;
	if (strcmp(suffix, ".zst.tmp") == 0 || strcmp(suffix, ".json.tmp") == 0)
		return w->dry ? GLANE_OK : away(w, dir, folder, name, d);
	if (map_find(w->named, (struct slice){name, 64}))
		return GLANE_OK;
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "%.64s%s", name, ends[i]);
		old = old && is_older(dir, paths[i], w->before);
	}
	/* Each of them is listed by itself; one that went with another is not there any more. */
	for (size_t i = 0; old && rc == GLANE_OK && i < 3; i++) {
		if (!w->dry || strcmp(paths[i], name) == 0)
			rc = away(w, dir, folder, paths[i], d);
	}
	return rc;
}

glane_rc archive_sweep(
	struct archive *a, const struct map *named, int64_t before, bool dry, struct archive_swept *ret, struct diag *d)
{
	struct sweeping w = {.named = named, .before = before, .dry = dry};
	glane_rc rc = archive_walk(a->dir, sweep_file, &w, d);

	if (rc == GLANE_OK)
		*ret = w.sum;
	return rc;
}
