/* SPDX-License-Identifier: MIT */
/*
 * What one run of one source gave: tables of series, notes, periods and payloads, and observations in a spool file
 * (mapped, so that anonymous memory does not grow with the rows). Filled by proc/intake after its checks.
 */
#ifndef MODEL_BATCH_H
#define MODEL_BATCH_H
#include "base/diag.h"
#include "base/map.h"
#include "model/batch_region.h"
#include "model/erase.h"
#include "model/row.h"

/* What is named by handles 1, 2, 3, ... is forgotten in blocks of so many, all but the last two. */
#define BATCH_WINDOW 16384
/* Whether the handle, of `last` that were given, still stands for something: the last BATCH_WINDOW always do. */
static inline bool batch_is_recent(uint64_t handle, uint64_t last)
{
	return handle && handle <= last && (handle - 1) / BATCH_WINDOW + 1 >= (last - 1) / BATCH_WINDOW;
}

struct series {
	struct slice dataset, indicator, area_code, area_scheme, area, dims, unit, title, area_title, updated;
	int32_t unit_mult;
	char freq;
	uint32_t slice;  /* index + 1 of its cover, 0: none; set by batch_finish() */
	uint32_t rank;   /* order by key; set by batch_finish() */
	uint32_t serial; /* which one it was to be added; 1 is the first */
};
struct note {
	struct slice value_text, flags, note;
	int32_t unit_mult;
	bool has_unit_mult, remove;
};
struct cover {
	uint32_t kind;                   /* GLANE_COVER_* */
	struct slice dataset, indicator; /* indicator absent: the whole dataset */
	int64_t from, to;                /* days since 1970-01-01, for GLANE_COVER_RANGE */
	struct slice reason;             /* of GLANE_COVER_FAILED */
	uint64_t rows;                   /* observations of this slice; set by batch_finish() */
};
struct batch_obs {       /* 32 bytes */
	uint32_t series; /* index; after batch_finish(): still the index, sorted by rank */
	int32_t period;  /* negative: -1 - index into periods */
	int64_t coef;
	int8_t exp10;
	char status;
	uint16_t payload; /* index + 1 into payloads, 0: unknown */
	uint32_t note;    /* index + 1 into notes, 0: none */
	uint32_t seq;     /* order of arrival */
	uint32_t part;    /* what comes in a later one holds; two values of one contradict */
};
struct batch_table {    /* private */
	uint64_t *slot; /* of a whole run: hash and index + 1 of each entry */
	size_t cap;
	struct arena text[2]; /* else: texts of the two halves */
	struct region file;
};
struct batch {
	struct arena arena;
	bool is_whole; /* all of the tables is kept; false: the last entries */
	struct series *series;
	struct note *notes;
	struct slice *periods;
	struct cover *covers;
	struct slice *payloads;                                    /* SHA-256 in hex */
	size_t n_series, n_notes, n_periods, n_covers, n_payloads; /* as many as were added */
	size_t cap_covers, cap_payloads;
	struct batch_table by_series, by_note, by_period;
	struct region texts;
	struct erases erases;  /* see merge_next(): they hold for observations by their seq */
	int fd;                /* spool */
	struct batch_obs *obs; /* mapping of the spool after batch_finish(), else NULL */
	size_t n_obs;
	size_t mapped;         /* bytes of the mapping */
	struct strbuf pending; /* not yet written to the spool */
	uint64_t duplicates;   /* same key and same content, dropped by batch_finish() */
	uint64_t conflicts;    /* same key, and part, other content: all but the first dropped and reported */
};
/* spool_dir: folder for the unlinked files of spool and tables; the descriptor stays the caller's; memory then grows by some 20
 * bytes for each series and note. -1: no spool, and tables of bounded size: an entry lives until BATCH_WINDOW others of its kind were
 * added, and is used in batch_row() alone. */
glane_rc batch_init(struct batch *b, int spool_dir, struct diag *d);
void batch_release(struct batch *b);
/* Each finds its equal in the table (with a spool) or adds a copy; *ret is the index. */
glane_rc batch_series(struct batch *b, const struct series *s, uint32_t *ret, struct diag *d);
glane_rc batch_note(struct batch *b, const struct note *n, uint32_t *ret, struct diag *d);
glane_rc batch_period(struct batch *b, struct slice text, uint32_t *ret, struct diag *d);
glane_rc batch_payload(struct batch *b, struct slice sha256, uint32_t *ret, struct diag *d);
/* Of several covers of one (dataset, indicator) the one that says most holds: failed, full, range, none; ranges that touch are
 * joined, of others the last holds. An empty indicator is an absent one. */
glane_rc batch_cover(struct batch *b, const struct cover *c, struct diag *d);
glane_rc batch_push(struct batch *b, const struct batch_obs *obs, size_t n, struct diag *d); /* seq is set here */
/* Sorts covers and ranks series by key (equal keys, such as two units, get equal ranks), assigns slices, sorts the spool by
 * key, drops rows of failed slices and duplicates (the first to arrive of the last part is kept). `conflict` is called for each
 * dropped row of a part that contradicts the kept one (may be NULL). Rows that come in order cost one pass, others need as much disk again. Once only. */
glane_rc batch_finish(struct batch *b, void (*conflict)(void *arg, const struct row *kept, const struct row *dropped),
	void *arg, struct diag *d);
/* Row view of one observation; texts are borrowed from the batch or put into scratch (reset by the call; ask strbuf_ok()).
 * A value_text that is a long number is the value, digit by digit; a number that a double would not give back gets its text
 * as value_text. source, recorded_at, known_at, event, cause and run are the caller's to fill. */
void batch_row(const struct batch *b, const struct batch_obs *o, struct strbuf *scratch, struct row *ret);
/* The cover that speaks of a series: by (dataset, indicator), else by dataset, else NULL. After batch_finish(). */
const struct cover *batch_cover_of(const struct batch *b, struct slice dataset, struct slice indicator);
#endif
