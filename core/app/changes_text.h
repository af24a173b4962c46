/* SPDX-License-Identifier: MIT */
/* Changes for a person: a heading for each indicator, a line for each change, old -> new; of one series in a row, what is new, what
 * is withdrawn, and what had the same attribute changed is one line each. Control bytes are shown as \xNN. */
#ifndef APP_CHANGES_TEXT_H
#define APP_CHANGES_TEXT_H
#include "app/output.h"
#include "model/areas.h"
#include "store/titles.h"

enum changes_word { CHANGES_NEW, CHANGES_REVISED, CHANGES_STATUS, CHANGES_WITHDRAWN, CHANGES_RESTORED, CHANGES_WORDS };

struct changes_line { /* of events of one series in a row */
	struct strbuf heading, label, first, last, value, attributes;
	enum changes_word word;
	bool mapping;
	uint64_t events; /* 0: there is none yet */
};
struct changes_text {
	struct output *out;
	struct titles titles;
	const struct areas *areas; /* their names, where a table has one */
	bool dated;                /* a line begins with its day */
	struct changes_line line;  /* not written yet: more may belong to it */
	struct changes_line next;
	uint64_t counts[CHANGES_WORDS];
};
void changes_text_init(
	struct changes_text *t, struct output *out, const struct store *s, const struct areas *areas, bool dated);
/* In the order of changes_next(); `before` as given there. */
glane_rc changes_text_put(struct changes_text *t, const struct row *r, const struct row *before, struct diag *d);
/* The last line, and how many there were of what. */
glane_rc changes_text_end(struct changes_text *t, struct diag *d);
void changes_text_release(struct changes_text *t);
#endif
