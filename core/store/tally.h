/* SPDX-License-Identifier: MIT */
/* What the first pass of a diff counts for the gate: bounded by slices and codes, never by rows. */
#ifndef STORE_TALLY_H
#define STORE_TALLY_H
#include "base/map.h"
#include "store/merge.h"

#define TALLY_EXAMPLE 256     /* bytes of one example, with its NUL */
#define TALLY_CODES_MAX 65536 /* of areas, indicators and dimensions; of more, lost and new ones are not judged */
#define TALLY_NEVER INT64_MIN

enum tally_example { /* keys that show what a count means: the first one, or the newest period */
	TALLY_NEW,
	TALLY_REVISED,
	TALLY_WITHDRAWN,
	TALLY_UNIT,
	TALLY_FREQ,
	TALLY_FACTOR,
	TALLY_RESCALED,
	TALLY_JUMPED,
	TALLY_NEWEST, /* of live periods that begin after `far` */
	TALLY_GONE,   /* the newest of the withdrawn */
	TALLY_EXAMPLES
};
struct tally_codes { /* of the kind (areas, indicators, one dimension) with the largest share of lost, or of new codes */
	uint64_t n, of;
	const char *kind, *code; /* in the arena */
};
struct tally {
	uint64_t covered_before, covered_after,
		covered_withdrawn; /* live rows that the cover includes, and those of them that go */
	uint64_t revised;          /* values that change, those of restored rows included */
	uint64_t unit_changed;     /* rows that had a unit and get another, or another multiplier */
	uint64_t freq_changed;     /* live rows of series that go on at other frequencies only */
	uint64_t factor;           /* values that change by max_factor to a magnitude that their series never had */
	uint64_t rescaled;         /* values that change by a power of ten */
	uint64_t appended,
		jumped; /* new values in series with five; those two orders of magnitude away from all of them */
	int64_t newest_before, newest_after, gone; /* first days of the newest live and withdrawn periods */
	int64_t stamp_before, stamp;               /* the provider's own, seconds */
	uint64_t lost_series, gained_series;       /* of all their rows */
	struct tally_codes lost, gained;           /* of the pass for codes */
	char *example[TALLY_EXAMPLES];             /* in the arena; NULL: none */
};
struct tally_series { /* the series that the pass is in */
	size_t slice;
	uint32_t handle; /* merge_step.series */
	struct strbuf dataset, indicator, area, dims;
	char freq;
	bool open, before, after;           /* live rows on either side, of those that the cover includes */
	uint32_t freqs_before, freqs_after; /* from here on: bits, of the same series at any frequency */
	uint64_t rows_before;
	uint64_t n_values, up, down; /* old values, also withdrawn ones; those that grow or shrink by max_factor */
	int least, most;             /* orders of magnitude of the old values */
	int up_most, down_least;     /* and of those that come in their place */
	bool plus, minus, zero;
	char up_example[TALLY_EXAMPLE], down_example[TALLY_EXAMPLE];
};
struct tallies {
	struct tally *slices; /* one for each cover of the batch, the last for rows without */
	const struct diff_input *in;
	struct arena *arena;
	int64_t far; /* days */
	struct tally_series at;
	struct map codes;                             /* slice, kind and code -> bit 1: before, bit 2: after */
	bool for_codes;                               /* this pass looks for codes only */
	bool no_codes;                                /* there are too many */
	struct strbuf key, last_area, last_indicator; /* what was noted last */
	uint64_t last_slice, last_bits;
	json_t *stamps; /* of the last commit, see stamps.h; NULL: none */
};
/* The arena takes what outlives the tallies. */
glane_rc tallies_init(struct tallies *t, const struct diff_input *in, struct arena *a, struct diag *d);
glane_rc tallies_add(struct tallies *t, const struct merge_step *step, struct diag *d); /* every step, in order */
glane_rc tallies_end(struct tallies *t, struct diag *d);                                /* behind the last one */
/* Whether a code may be lost or new: then the same steps are to be added, and ended, once more. Mostly they need not. */
bool tallies_again(struct tallies *t);
void tallies_release(struct tallies *t);

/* tally*.c only: codes of the series that ends; what became of all. */
glane_rc tally_note_codes(struct tallies *t, struct diag *d);
glane_rc tally_compare_codes(struct tallies *t, struct diag *d);
#endif
