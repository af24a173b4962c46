/* SPDX-License-Identifier: MIT */
/*
 * The diff of what a run holds, quarantine/SOURCE/RUN.ndjson.zst: a line for each event, the columns of `changes` and "old": the row
 * before, or null. Blocks of whole lines, each a zstd frame; the entry of the run in hold.json lists them, so that the first events
 * can be read without the rest.
 */
#ifndef SCHED_HOLD_DIFF_H
#define SCHED_HOLD_DIFF_H
#include "base/json.h"
#include "base/sha256.h"
#include "base/zst.h"
#include "store/diff.h"

#define HOLD_DIFF ".ndjson.zst"

struct hold_writer {
	int fd;
	struct zst_packer *zst;
	struct strbuf text, packed;
	struct sha256 sum;
	json_t *blocks; /* [[bytes packed, bytes], ...] */
	uint64_t bytes, events;
};
/* A new file; one of that name is replaced. hold_writer_close() even after an error. */
glane_rc hold_writer_open(struct hold_writer *w, int dir, const char *name, struct diag *d);
glane_rc hold_writer_put(struct hold_writer *w, const struct diff_event *e, struct diag *d);
/* The file is durable under its name; sets sha256, bytes, events and blocks of the run's entry. */
glane_rc hold_writer_finish(struct hold_writer *w, json_t *run, struct diag *d);
void hold_writer_close(struct hold_writer *w);

/* Calls `each` with every line, without its end; GLANE_END from it ends the reading. A damaged file is GLANE_E_IO. */
glane_rc hold_diff_read(const struct store *s, const char *source, const json_t *run,
	glane_rc (*each)(void *arg, const char *line, struct diag *d), void *arg, struct diag *d);
#endif
